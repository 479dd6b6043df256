"""Drivers from the user's own files (GAIA, TIEGCM, WACCM-X, GITM, HWM14 output): checked, then put in by name.

A file holds variables with the registered names, units and dimensions: ``time, alt, lat, lon`` (degrees, km), or
``time, lat, lon`` for ``electric_potential`` in geographic coordinates at 110 km. It must cover the run in time, the
drivers in altitude and latitude, and all longitudes, without holes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.errors import CoverageError, DataError, UnitsError
from siderion.core.variables import REGISTRY
from siderion.frames.dipole import TiltedDipole
from siderion.io.store import open_dataset

_SPACE = ("alt", "lat", "lon")


def replace_drivers(drivers: xr.Dataset, files: Sequence[str], dipole: TiltedDipole) -> xr.Dataset:
    """Put the variables of the user's files in place of the drivers of the same name.

    Raises
    ------
    DataError
        A file holds no driver, or one with wrong dimensions or with holes.
    UnitsError
        Units are missing or differ from the registered ones.
    CoverageError
        A file does not reach far enough in time, altitude, latitude or longitude.
    """
    result = drivers.copy()
    for path in files:
        given = open_dataset(path)
        names = [str(name) for name in given.data_vars if name in drivers.data_vars]
        if not names:
            raise DataError(
                f"{path} holds no driver; its variables are {', '.join(map(str, given.data_vars))}; rename those that count "
                f"to some of {', '.join(map(str, drivers.data_vars))}"
            )
        for name in names:
            values = _on_driver_grid(given[name], name, path, drivers, dipole)
            result[name] = (drivers[name].dims, values.astype(np.float32))
    return result


def _on_driver_grid(given: xr.DataArray, name: str, path: str, drivers: xr.Dataset, dipole: TiltedDipole) -> NDArray[np.float64]:
    target = drivers[name]
    flat = name == "electric_potential"
    dims = ("time", "lat", "lon") if flat else ("time", *_SPACE)
    clock = drivers[str(target.dims[0])].values
    _check(given, name, path, dims)
    given = _around(given.transpose(*dims).sortby(["time", "lat", "lon"]).load())
    if flat:
        return _potential(given, path, drivers, dipole)
    _check_reach(given, path, name, "time", clock[0], clock[-1])
    for axis in ("alt", "lat"):
        _check_reach(given, path, name, axis, drivers[axis].values.min(), drivers[axis].values.max(), slack=5.0)
    inside = {axis: drivers[axis].clip(float(given[axis].min()), float(given[axis].max())) for axis in ("alt", "lat")}
    positive = REGISTRY[name].minimum is not None
    field = xr.apply_ufunc(np.log, given.where(given > 0, 1e-30)) if positive else given
    moved = field.interp(time=clock).interp(alt=inside["alt"].values).interp(lat=inside["lat"].values, lon=drivers.lon.values)
    return np.exp(moved.values) if positive else moved.values


def _check(given: xr.DataArray, name: str, path: str, dims: tuple[str, ...]) -> None:
    if set(given.dims) != set(dims):
        raise DataError(f"{path}: {name} has dimensions {given.dims}; needed: {dims}")
    units = given.attrs.get("units")
    if units != REGISTRY[name].units:
        raise UnitsError(
            f"{path}: {name} has units {units!r}; needed: {REGISTRY[name].units!r}; convert it and set the attribute"
        )
    for axis in dims:
        if axis not in given.coords or given.sizes[axis] < 2:
            raise DataError(f"{path}: {name} needs a coordinate {axis} with at least 2 values")
    bad = ~np.isfinite(given.values)
    if REGISTRY[name].minimum is not None:
        bad |= given.values < REGISTRY[name].minimum
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        place = ", ".join(f"{axis} {given[axis].values[i]}" for axis, i in zip(given.dims, index, strict=True))
        raise DataError(
            f"{path}: {name} is {given.values[index]} at {place} ({int(bad.sum())} such values); it must be finite"
            f"{' and not negative' if REGISTRY[name].minimum is not None else ''}; fill the holes"
        )


def _around(given: xr.DataArray) -> xr.DataArray:
    """Longitudes in -180 to 180, sorted, with one more column on each side so that the seam can be interpolated over."""
    lon = (given.lon.values + 180.0) % 360.0 - 180.0
    given = given.assign_coords(lon=lon).sortby("lon")
    _, first = np.unique(given.lon.values, return_index=True)
    given = given.isel(lon=first)
    before, after = given.isel(lon=[-1]), given.isel(lon=[0])
    whole = [before.assign_coords(lon=before.lon - 360.0), given, after.assign_coords(lon=after.lon + 360.0)]
    result = xr.concat(whole, dim="lon")
    widest = float(np.diff(result.lon.values).max())
    if widest > 30.0:
        raise CoverageError(
            f"{given.name}: a gap of {widest:.0f} degrees between longitudes; give all longitudes, 30 degrees apart at most"
        )
    return result


def _check_reach(
    given: xr.DataArray, path: str, name: str, axis: str, low: object, high: object, slack: float | None = None
) -> None:
    first, last = given[axis].values.min(), given[axis].values.max()
    short = first > low or last < high if slack is None else first > low + slack or last < high - slack  # type: ignore[operator]
    if short:
        raise CoverageError(f"{path}: {name} covers {axis} {first} to {last}; needed: {low} to {high}")


def _potential(given: xr.DataArray, path: str, drivers: xr.Dataset, dipole: TiltedDipole) -> NDArray[np.float64]:
    """A geographic potential, brought to magnetic latitude and local time; as it is at the equatorward end of the grid."""
    clock = drivers.convection_time.values
    _check_reach(given, path, "electric_potential", "time", clock[0], clock[-1])
    sign = 1.0 if drivers.attrs.get("hemisphere", "north") == "north" and drivers.lat.values.mean() > 0 else -1.0
    lat, mlt = np.meshgrid(sign * drivers.magnetic_latitude.values, drivers.magnetic_local_time.values, indexing="ij")
    result = np.empty((len(clock), *lat.shape))
    for i, time in enumerate(clock):
        lon = dipole.subsolar_magnetic_longitude(time) + 15.0 * (mlt - 12.0)
        where = [xr.DataArray(v, dims=("a", "b")) for v in dipole.geographic(lat, lon)]
        low, high = float(given.lat.min()), float(given.lat.max())
        needed = float(where[0].min()), float(where[0].max())
        if needed[0] < low - 5.0 or needed[1] > high + 5.0:
            raise CoverageError(
                f"{path}: electric_potential covers latitudes {low} to {high}; needed: {needed[0]:.0f} to {needed[1]:.0f} degrees"
            )
        here = given.interp(time=time).interp(lat=where[0].clip(low, high), lon=where[1])
        result[i] = here.values
    result[:, -1] = result[:, -1].mean(axis=1, keepdims=True)
    return result
