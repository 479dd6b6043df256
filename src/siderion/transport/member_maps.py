"""What an ensemble keeps of one run: maps in magnetic local time and invariant latitude, and the summary numbers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.errors import DataError
from siderion.core.variables import with_attributes
from siderion.transport.diagnostics import polar_layer_area, summarize, summary_dataset
from siderion.transport.diagnostics.levels import nearest_level
from siderion.transport.diagnostics.magnetic_grid import to_magnetic_grid
from siderion.transport.diagnostics.times import analysed_times
from siderion.transport.paper.evidence import Evidence
from siderion.transport.settings import RunSettings

MAP_ALTITUDES = (120.0, 200.0, 300.0)
"""Altitudes of the maps, km. The density map of 120 km shows `Evidence.layer_density`: the layers are 1 to 4 km thick."""
FORMAT = 2
"""Number of what `reduce_output` gives; it grows when the meaning of a variable changes or one is added."""
LOWEST_LATITUDE = 50.0
LATITUDE_STEP = 1.0
LOCAL_TIME_STEP = 0.5
_KEPT = ("settings", "settings_digest", "siderion_version", "hemisphere", "mass_budget", "summary", "sources")
_COSTS = ("wall_time_s", "cpu_time_s", "peak_memory_bytes")
_NEEDED = (
    "number_density", "electric_potential", "magnetic_local_time", "invariant_latitude", "velocity_up", "velocity_north",
    "solid_angle",
)  # fmt: skip
_MAPS = (
    "mean_number_density", "median_number_density", "layer_occurrence", "mean_layer_area", "mean_electric_potential",
    "map_velocity_up", "map_velocity_north", "evening_morning_ratio", "largest_number_density",
)  # fmt: skip


def reduce_output(output: xr.Dataset, latitude_step: float = LATITUDE_STEP) -> xr.Dataset:
    """Reduce the output of a run to maps and numbers of its analysed day, the hours of that day counted once.

    Parameters
    ----------
    output : xarray.Dataset
        Output of `siderion.run`, with velocities.
    latitude_step : float
        Width of the bins of invariant latitude, degrees, a whole fraction of 40; not below the cells of the output.

    Returns
    -------
    xarray.Dataset
        Dimensions ``species``, ``alt`` (120, 200, 300 km), ``invariant_latitude`` (50 to 90 degrees, in both
        hemispheres), ``magnetic_local_time`` (bins of half an hour), ``universal_time`` (h, of the velocities).
        ``mean_number_density`` is the mean over the hours of the mean over the bin by area, so that it keeps the content;
        ``median_number_density`` is the median over the hours of the same bin means, which short-lived layers do not rule.
        At 120 km both are of the largest density between 115 and 125 km. ``layer_occurrence`` is the fraction of area and
        time with a density there above 1e11 m-3. ``mean_layer_area`` is the mean area of such layers poleward of 60 degrees
        invariant latitude, at 120 km: `siderion.transport.diagnostics.polar_layer_area`, as in the statements of the paper.
        Velocities are geographic, at the level nearest to each altitude. Bins smaller than the cells, near the pole,
        take the nearest cell. The numbers are those of
        `siderion.transport.diagnostics.summarize`, found again, and the mass budget.

    Raises
    ------
    DataError
        The output has no time, or no velocities, of its analysed day.
    CoverageError
        Cells of the output are larger than the bins.
    """
    day = np.datetime64(RunSettings.model_validate_json(output.attrs["settings"]).date)
    times = analysed_times(output)
    if not day <= output.time.values[times[0]] < day + np.timedelta64(1, "D"):
        raise DataError(f"the output has no time of {day}, the day of its settings; run it with hours beyond the spin-up")
    grid = _MagneticGrid(output, latitude_step)
    variables = {**_densities(output, grid, times), **_velocities(output, grid, times, day)}
    maps = xr.Dataset(variables).assign_coords(alt=list(MAP_ALTITUDES))
    # found anew, so that all members have the same definition, whenever they were run
    summary = {str(name): summarize(output, str(name)) for name in output.species.values}
    output = output.assign_attrs(summary=json.dumps(summary))
    whole = maps.merge(summary_dataset(output), join="exact", compat="no_conflicts")
    kept = {name: output.attrs[name] for name in (*_KEPT, *_COSTS) if name in output.attrs}
    whole.attrs = {"reduction_format": FORMAT, **kept}
    return with_attributes(whole)


def missing(output: xr.Dataset) -> list[str]:
    """Variables and attributes that `reduce_output` needs and an output lacks."""
    return [*(name for name in _NEEDED if name not in output), *(name for name in _KEPT if name not in output.attrs)]


def misfit(reduced: xr.Dataset, latitude_step: float) -> str:
    """Why a data set is not what `reduce_output` gives on bins of this width; empty when it is."""
    found = reduced.attrs.get("reduction_format", 1)
    if found != FORMAT:
        return f"has format {found}, needed {FORMAT}"
    lacking = [*(name for name in _MAPS if name not in reduced), *(name for name in _KEPT if name not in reduced.attrs)]
    if lacking:
        return f"lacks {', '.join(lacking)}"
    rows = round((90.0 - LOWEST_LATITUDE) / latitude_step)
    if reduced.sizes["invariant_latitude"] != rows:
        return f"has {reduced.sizes['invariant_latitude']} bins of latitude, needed {rows}"
    return ""


class _MagneticGrid:
    """Bins the fields of one output."""

    def __init__(self, output: xr.Dataset, latitude_step: float) -> None:
        self.output = output
        self.rows = np.linspace(LOWEST_LATITUDE, 90.0, round((90.0 - LOWEST_LATITUDE) / latitude_step) + 1)
        self.columns = np.arange(0.0, 24.0 + LOCAL_TIME_STEP / 2, LOCAL_TIME_STEP)
        self.weight = output.solid_angle.values
        self.levels = [nearest_level(output, altitude) for altitude in MAP_ALTITUDES]
        self.latitude = [np.abs(output.invariant_latitude.isel(alt=level).values) for level in self.levels]

    def map(self, field: xr.DataArray, time: int, altitude: int) -> xr.DataArray:
        """Mean over the bins, at an output time and one of `MAP_ALTITUDES`."""
        clock = self.output.magnetic_local_time.isel(time=time).values
        binned = to_magnetic_grid(field, clock, self.latitude[altitude], self.rows, self.columns, self.weight)
        binned.attrs.clear()
        return binned


def _densities(output: xr.Dataset, grid: _MagneticGrid, times: NDArray[np.intp]) -> dict[str, xr.DataArray]:
    """Density, layers and potential over the hours of the day."""
    by_species = [_densities_of(Evidence(output, str(name)), grid, times) for name in output.species.values]
    whole = xr.concat(by_species, dim=xr.DataArray(output.species.values, dims="species", name="species"))
    potential = [grid.map(output.electric_potential.isel(time=time).load(), time, 0) for time in times]
    return {**whole, "mean_electric_potential": xr.concat(potential, dim="time").mean("time")}  # type: ignore[dict-item]


def _densities_of(evidence: Evidence, grid: _MagneticGrid, times: NDArray[np.intp]) -> xr.Dataset:
    """Density and layers of one species."""
    density, layers, areas = [], [], []
    for time in times:
        strongest = evidence.layer_density(time)
        parts = [strongest, *(evidence.density(time, altitude) for altitude in MAP_ALTITUDES[1:])]
        density.append(xr.concat([grid.map(_on_map(part), time, k) for k, part in enumerate(parts)], dim="alt"))
        layers.append(grid.map(_on_map(strongest > evidence.limits["layer_density"]), time, 0))
        areas.append(polar_layer_area(evidence.output, time, evidence.limits["layer_density"], evidence.species))
    hourly = xr.concat(density, dim="time")
    return xr.Dataset(
        {
            "mean_number_density": hourly.mean("time"),
            "median_number_density": hourly.median("time"),
            "layer_occurrence": xr.concat(layers, dim="time").mean("time"),
            "mean_layer_area": float(np.mean(areas)),
        }
    )


def _on_map(field: NDArray) -> xr.DataArray:
    return xr.DataArray(field.astype(float), dims=("lat", "lon"))


def _velocities(output: xr.Dataset, grid: _MagneticGrid, times: NDArray[np.intp], day: np.datetime64) -> dict[str, xr.DataArray]:
    """Upward and northward velocity at the hours of the analysed day that have velocities, or at its end."""
    hours = (output.velocity_time.values - day) / np.timedelta64(1, "h")
    moments = np.flatnonzero(np.isin(output.velocity_time.values, output.time.values[times]))
    if not len(moments):
        moments = np.flatnonzero(hours >= 0.0)[-1:]
    if not len(moments):
        raise DataError(f"the output has no velocities on {day}, the day of its settings; set velocity_at to hours of that day")
    maps = {}
    for way in ("up", "north"):
        by_hour = []
        for k in moments:
            time = int(np.argmin(np.abs(output.time.values - output.velocity_time.values[k])))
            now = output[f"velocity_{way}"].isel(velocity_time=k, drop=True).load()
            levels = [grid.map(now.isel(alt=level, drop=True), time, a) for a, level in enumerate(grid.levels)]
            by_hour.append(xr.concat(levels, dim="alt"))
        whole = xr.concat(by_hour, dim="universal_time").transpose("species", "universal_time", "alt", ...)
        maps[f"map_velocity_{way}"] = whole.assign_coords(universal_time=[float(hours[k] % 24.0) for k in moments])
    return maps


def costs(reduced: xr.Dataset) -> dict[str, Any]:
    """Wall time, processor time and peak memory of a member, as far as its run wrote them.

    The memory is the largest of the process so far: a worker that made other members before counts them too.
    """
    return {name: reduced.attrs[name] for name in _COSTS if name in reduced.attrs}


def facts(reduced: xr.Dataset) -> dict[str, Any]:
    """What a member is: its settings, digest, version and mass budget."""
    named = {name: reduced.attrs[name] for name in ("settings_digest", "siderion_version")}
    return {**named, **{name: json.loads(reduced.attrs[name]) for name in ("settings", "mass_budget")}}
