"""What an ensemble keeps of one run: maps in magnetic local time and invariant latitude, and the summary numbers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import DataError
from siderion.core.variables import with_attributes
from siderion.transport.diagnostics import summary_dataset
from siderion.transport.diagnostics.magnetic_grid import to_magnetic_grid
from siderion.transport.settings import RunSettings

MAP_ALTITUDES = (120.0, 200.0, 300.0)
"""Altitudes of the maps, km; see `LAYER` for the lowest one."""
LAYER = (115.0, 125.0)
"""The density map of 120 km shows the largest density between these altitudes, km: the layers are 1 to 4 km thick."""
LAYER_DENSITY = 1e11
"""A layer is where the density exceeds this, m-3."""
LOWEST_LATITUDE = 50.0
LATITUDE_STEP = 1.0
LOCAL_TIME_STEP = 0.5
_AREA_LATITUDE = 60.0
_KEPT = ("settings", "settings_digest", "siderion_version", "hemisphere", "mass_budget", "summary", "sources")
_COSTS = ("wall_time_s", "cpu_time_s", "peak_memory_bytes")


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
        time with a density there above 1e11 m-3. ``mean_layer_area`` is its mean area poleward of 60 degrees, at 120 km.
        Velocities are geographic, at the level nearest to each altitude. Bins smaller than the cells, near the pole,
        take the nearest cell. The numbers are those of
        `siderion.transport.diagnostics.summary_dataset`.

    Raises
    ------
    DataError
        The output has no time of its analysed day.
    CoverageError
        Cells of the output are larger than the bins.
    """
    settings = RunSettings.model_validate_json(output.attrs["settings"])
    day = np.datetime64(settings.date)
    times = np.flatnonzero((output.time.values >= day) & (output.time.values < day + np.timedelta64(1, "D")))
    if not len(times):
        raise DataError(f"the output has no time of {day}, the day of its settings; run it with hours beyond the spin-up")
    grid = _MagneticGrid(output, latitude_step)
    variables = {**_densities(output, grid, times), **_velocities(output, grid, day)}
    maps = xr.Dataset(variables).assign_coords(alt=list(MAP_ALTITUDES))
    whole = maps.merge(summary_dataset(output), join="exact", compat="no_conflicts")
    whole.attrs = {name: output.attrs[name] for name in (*_KEPT, *_COSTS) if name in output.attrs}
    return with_attributes(whole)


class _MagneticGrid:
    """Bins the fields of one output."""

    def __init__(self, output: xr.Dataset, latitude_step: float) -> None:
        self.output = output
        self.rows = np.linspace(LOWEST_LATITUDE, 90.0, round((90.0 - LOWEST_LATITUDE) / latitude_step) + 1)
        self.columns = np.arange(0.0, 24.0 + LOCAL_TIME_STEP / 2, LOCAL_TIME_STEP)
        self.weight = output.solid_angle.values
        self.levels = [int(np.argmin(np.abs(output.alt.values - altitude))) for altitude in MAP_ALTITUDES]
        self.latitude = [np.abs(output.invariant_latitude.isel(alt=level).values) for level in self.levels]

    def map(self, field: xr.DataArray, time: int, altitude: int) -> xr.DataArray:
        """Mean over the bins, at an output time and one of `MAP_ALTITUDES`."""
        clock = self.output.magnetic_local_time.isel(time=time).values
        binned = to_magnetic_grid(field, clock, self.latitude[altitude], self.rows, self.columns, self.weight)
        binned.attrs.clear()
        return binned


def _densities(output: xr.Dataset, grid: _MagneticGrid, times: NDArray[np.intp]) -> dict[str, xr.DataArray]:
    """Density, layers and potential over the hours of the day."""
    density, layers, potential, areas = [], [], [], []
    poleward = output.solid_angle.where(np.abs(output.lat) >= _AREA_LATITUDE, 0.0) * (EARTH_RADIUS + 1e3 * MAP_ALTITUDES[0]) ** 2
    for time in times:
        now = output.number_density.isel(time=time).load()
        strongest = _in_layer(now)
        parts = [strongest, *(now.isel(alt=level, drop=True) for level in grid.levels[1:])]
        density.append(xr.concat([grid.map(part, time, k) for k, part in enumerate(parts)], dim="alt"))
        layer = (strongest > LAYER_DENSITY).astype(float)
        layers.append(grid.map(layer, time, 0))
        areas.append((layer * poleward).sum(("lat", "lon")))
        potential.append(grid.map(output.electric_potential.isel(time=time).load(), time, 0))
    hourly = xr.concat(density, dim="time").transpose("time", "species", "alt", ...)
    return {
        "mean_number_density": hourly.mean("time"),
        "median_number_density": hourly.median("time"),
        "layer_occurrence": xr.concat(layers, dim="time").mean("time"),
        "mean_layer_area": xr.concat(areas, dim="time").mean("time"),
        "mean_electric_potential": xr.concat(potential, dim="time").mean("time"),
    }


def _in_layer(density: xr.DataArray) -> xr.DataArray:
    """Largest density of each column between the altitudes of `LAYER`."""
    inside = (density.alt.values >= LAYER[0]) & (density.alt.values <= LAYER[1])
    return density.isel(alt=np.flatnonzero(inside)).max("alt")


def _velocities(output: xr.Dataset, grid: _MagneticGrid, day: np.datetime64) -> dict[str, xr.DataArray]:
    """Upward and northward velocity at the hours of the analysed day that have velocities."""
    hours = (output.velocity_time.values - day) / np.timedelta64(1, "h")
    moments = [k for k, hour in enumerate(hours) if hour < 24.0] or [len(hours) - 1]
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
    """Wall time, processor time and peak memory of a member, as far as its run wrote them."""
    return {name: reduced.attrs[name] for name in _COSTS if name in reduced.attrs}


def facts(reduced: xr.Dataset) -> dict[str, Any]:
    """What a member is: its settings, digest, version and mass budget."""
    named = {name: reduced.attrs[name] for name in ("settings_digest", "siderion_version")}
    return {**named, **{name: json.loads(reduced.attrs[name]) for name in ("settings", "mass_budget")}}
