"""What the report takes out of the output of a polar run: day, hours, levels, the largest density."""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.errors import CoverageError, DataError
from siderion.transport.diagnostics.times import analysed_times

from .polar_map import longitude_of_local_time

Array = NDArray[np.float64]

DENSITY_DIMS = ("species", "time", "alt", "lat", "lon")
MAP_HOURS = (6, 18)
"""Hours (UT) of the maps, when the run has them."""
EDGE_LATITUDE = 45.0
"""Absolute latitude of the rim of the maps, degrees."""
REFERENCE_ALTITUDE = 110.0
"""Altitude at which the invariant latitude is drawn, km: that of the electric potential."""
_NEAR = np.timedelta64(30, "m")


def species_label(name: str) -> str:
    """Write Fe+ as Fe⁺ and H2O+ as H₂O⁺."""
    return name.translate(str.maketrans("+-0123456789", "⁺⁻₀₁₂₃₄₅₆₇₈₉"))


def missing_for_polar_report(dataset: xr.Dataset) -> list[str]:
    """Name what a data set lacks to be shown as the output of a polar run; empty when it is one."""
    missing = []
    if "number_density" not in dataset:
        missing.append("number_density")
    elif set(dataset["number_density"].dims) != set(DENSITY_DIMS):
        missing.append(f"number_density with dimensions {', '.join(DENSITY_DIMS)}")
    if "magnetic_local_time" not in dataset:
        missing.append("magnetic_local_time")
    return missing + [name for name in ("time", "alt", "lat", "lon") if name not in dataset.coords]


def order_poleward(dataset: xr.Dataset) -> xr.Dataset:
    """Sort latitudes towards the pole, longitudes and altitudes upwards."""
    order: dict[Hashable, Any] = {
        "lat": np.argsort(np.abs(dataset["lat"].values)),
        "lon": np.argsort(dataset["lon"].values),
        "alt": np.argsort(dataset["alt"].values),
    }
    return dataset.isel(order)


def read_json_attribute(dataset: xr.Dataset, name: str) -> Any:
    """Read a global attribute that holds JSON text; None when absent.

    Raises
    ------
    DataError
        The attribute is not JSON.
    """
    text = dataset.attrs.get(name)
    if text is None or not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"global attribute {name!r} is not JSON ({error}); it begins with {text[:40]!r}") from error


def flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    """Flatten nested dictionaries to ``{"a.b": value}``."""
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, item in value.items():
        flat.update(flatten(item, f"{prefix}.{key}" if prefix else str(key)))
    return flat


def analysed_day(dataset: xr.Dataset) -> np.datetime64:
    """Day the run is about: the setting ``date``, else the day of the velocities, else that of most output times."""
    for key, value in flatten(read_json_attribute(dataset, "settings") or {}).items():
        if key.rsplit(".", 1)[-1] == "date" and value:
            try:
                return np.datetime64(str(value)[:10], "D")
            except ValueError as error:
                raise DataError(f"setting {key!r} is {value!r}; a date such as 2023-06-18 is needed") from error
    if "velocity_time" in dataset.coords:
        return dataset["velocity_time"].values[0].astype("datetime64[D]")
    days, counts = np.unique(dataset["time"].values.astype("datetime64[D]"), return_counts=True)
    return days[counts.argmax()]


def map_times(dataset: xr.Dataset, day: np.datetime64) -> list[np.datetime64]:
    """Two times for the maps: 06 and 18 UT of the day if the run has both, else its first and last hour there.

    Times with velocities come first, as far as fields are written then as well.
    """
    written = dataset["time"].values.astype("datetime64[ns]")
    times = written
    if "velocity_time" in dataset.coords:
        asked = dataset["velocity_time"].values.astype("datetime64[ns]")
        times = asked[[bool((np.abs(written - time) <= _NEAR).any()) for time in asked]]
        times = times if len(times) else written
    wanted = [(day + np.timedelta64(hour, "h")).astype("datetime64[ns]") for hour in MAP_HOURS]
    if all(time in times for time in wanted):
        return wanted
    of_day = times[times.astype("datetime64[D]") == day]
    chosen = np.sort(of_day if len(of_day) else times)
    return [chosen[0]] if len(chosen) == 1 else [chosen[0], chosen[-1]]


def at_time(array: xr.DataArray, time: np.datetime64, dimension: str = "time") -> xr.DataArray:
    """Take the output of one time.

    Raises
    ------
    CoverageError
        The nearest output is more than half an hour away.
    """
    distance = np.abs(array[dimension].values - time)
    index = int(distance.argmin())
    if distance[index] > _NEAR:
        raise CoverageError(
            f"{array.name} has no value within 30 min of {time.astype('datetime64[m]')} UT "
            f"(nearest: {str(array[dimension].values[index])[:16]}); ask the run for that hour"
        )
    return array.isel({dimension: index})


@dataclass(frozen=True)
class MapFrame:
    """What every map of one time shares.

    Attributes
    ----------
    time : datetime64
        Time, UTC.
    latitude, longitude : array
        Centres, latitude as absolute values, ascending, degrees.
    local_time : array (lat, lon)
        Magnetic local time, h.
    potential : array (lat, lon) or None
        Electric potential, V.
    invariant_latitude : array (lat, lon) or None
        Absolute invariant latitude at `REFERENCE_ALTITUDE`, degrees.
    edge : float
        Absolute latitude of the rim, degrees.
    magnetic : bool
        Whether the grid is magnetic: latitude is invariant latitude, longitude is 15 degrees per hour of local time.
    """

    time: np.datetime64
    latitude: Array
    longitude: Array
    local_time: Array
    potential: Array | None
    invariant_latitude: Array | None
    edge: float
    magnetic: bool = False

    def longitude_of(self, hour: float) -> float:
        """Longitude where the rim of the map has a magnetic local time."""
        row = int(np.abs(self.latitude - self.edge).argmin())
        return longitude_of_local_time(self.local_time[row], self.longitude, hour)

    @property
    def noon(self) -> float:
        """Longitude of magnetic noon on the rim, degrees."""
        return self.longitude_of(12.0)


def map_frame(dataset: xr.Dataset, time: np.datetime64) -> MapFrame:
    """Gather what the maps of one time share, from a data set ordered by `order_poleward`."""
    latitude = np.abs(dataset["lat"].values.astype(float))
    potential = invariant = None
    if "electric_potential" in dataset:
        potential = at_time(dataset["electric_potential"], time).transpose("lat", "lon").values.astype(float)
    if "invariant_latitude" in dataset:
        level = int(np.abs(dataset["alt"].values - REFERENCE_ALTITUDE).argmin())
        invariant = np.abs(dataset["invariant_latitude"].isel(alt=level).transpose("lat", "lon").values.astype(float))
    return MapFrame(
        time=time,
        latitude=latitude,
        longitude=dataset["lon"].values.astype(float),
        local_time=at_time(dataset["magnetic_local_time"], time).transpose("lat", "lon").values.astype(float),
        potential=potential,
        invariant_latitude=invariant,
        edge=max(EDGE_LATITUDE, float(latitude[0])),
    )


@dataclass(frozen=True)
class DensityPeak:
    """The largest density in a range of altitudes: value (m-3), where and when."""

    value: float
    time: np.datetime64
    altitude: float
    latitude: float
    longitude: float
    local_time: float
    invariant_latitude: float | None


def largest_density(dataset: xr.Dataset, species: int, lowest: float, highest: float) -> DensityPeak:
    """Find the largest density of a species between two altitudes (km) on the day analysed.

    Raises
    ------
    CoverageError
        No level lies between the two altitudes, or no finite value there.
    """
    levels = dataset["alt"].values
    inside = np.flatnonzero((levels >= lowest) & (levels <= highest))
    if not len(inside):
        raise CoverageError(
            f"no altitude of the grid ({levels[0]:g} to {levels[-1]:g} km) lies between {lowest:g} and {highest:g} km"
        )
    hours = analysed_times(dataset)
    density = dataset["number_density"].isel(species=species, alt=inside, time=hours)
    values = density.transpose("time", "alt", "lat", "lon").values
    if not np.isfinite(values).any():
        raise CoverageError(f"number_density has no finite value between {lowest:g} and {highest:g} km")
    hour, level, row, column = np.unravel_index(int(np.nanargmax(values)), values.shape)
    point = dataset.isel(time=int(hours[hour]), alt=int(inside[level]), lat=int(row), lon=int(column))
    return DensityPeak(
        value=float(values[hour, level, row, column]),
        time=dataset["time"].values[int(hours[hour])],
        altitude=float(point["alt"]),
        latitude=float(point["lat"]),
        longitude=float(point["lon"]),
        local_time=float(point["magnetic_local_time"]),
        invariant_latitude=abs(float(point["invariant_latitude"])) if "invariant_latitude" in dataset else None,
    )
