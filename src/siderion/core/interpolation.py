"""Interpolation of gridded data along a track."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from .errors import CoverageError, DataError

LOGARITHMIC = ("number_density", "electron_density")
"""Variables that are interpolated in their logarithm: they change by orders of magnitude between cells."""
_HORIZONTAL_VECTOR = re.compile(r"_(east|north)(_|$)")
"""Names of components whose directions turn around on the opposite meridian."""
_CLOCK = "magnetic_local_time"


@dataclass(frozen=True)
class _Weights:
    """Two neighbours and the weight of the second, for every point, along one axis."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    part: NDArray[np.float64]


def sample_along_track(
    dataset: xr.Dataset, time: ArrayLike, lat: ArrayLike, lon: ArrayLike, alt: ArrayLike | None = None
) -> xr.Dataset:
    """Interpolate every variable that varies in space at the points of a track.

    Linear in time, altitude, latitude and longitude; densities in their logarithm where no neighbour is zero; local time
    around the clock. Longitude goes around; between the last
    row of cells and the pole the neighbour is the row on the opposite meridian. At the altitude ends, half a cell beyond
    the last centre is allowed. Only the hours that the track needs are read.

    Parameters
    ----------
    dataset : xarray.Dataset
        Dimensions ``time`` (datetime64), ``alt`` km, ``lat``, ``lon`` degrees, and leading ones such as ``species``.
    time, lat, lon, alt : array (point,)
        UTC; degrees; degrees; km. Without ``alt``, variables that depend on altitude are left out.

    Returns
    -------
    xarray.Dataset
        The variables with the dimension ``point`` in place of time and space. Variables with another time axis are left
        out; the attribute ``left_out`` names them.

    Raises
    ------
    CoverageError
        A point lies outside the data; the message names its number, the value and what is covered.
    DataError
        A point has no time or no finite place, the lengths differ, or the data have no time, latitude or longitude.
    """
    times, places = _points(dataset, time, lat, lon, alt)
    weights = {"time": _time_weights(dataset, times)}
    if "alt" in places and "alt" in dataset.dims:
        weights["alt"] = _altitude_weights(dataset, places["alt"])
    rows, turned = _latitude_weights(dataset, places["lat"])
    columns = [_longitude_weights(dataset, places["lon"] + shift) for shift in (0.0, 180.0)]
    sampled, left_out = {}, []
    for name, array in dataset.data_vars.items():
        needed = set(array.dims) & {"time", "alt", "lat", "lon"}
        other_time = any(str(d).endswith("_time") for d in array.dims) or "term_alt" in array.dims
        if not {"lat", "lon"} <= needed or other_time or ("alt" in needed and "alt" not in weights):
            left_out.append(str(name))
            continue
        sampled[str(name)] = _sample_variable(str(name), array, weights, rows, turned, columns)
    result = xr.Dataset(sampled, attrs={"left_out": ", ".join(left_out)})
    coords = {"time": times, **places}
    return result.assign_coords({key: ("point", value) for key, value in coords.items()})


def _points(
    dataset: xr.Dataset, time: ArrayLike, lat: ArrayLike, lon: ArrayLike, alt: ArrayLike | None
) -> tuple[NDArray, dict[str, NDArray[np.float64]]]:
    """Times and places as arrays of one length, checked."""
    missing = {"time", "lat", "lon"} - set(dataset.dims)
    if missing:
        raise DataError(f"the data have no dimension {', '.join(sorted(missing))}; a track needs time, lat and lon")
    given: dict[str, ArrayLike] = {"lat": lat, "lon": lon} | ({} if alt is None else {"alt": alt})
    raw = [np.asarray(time, dtype="datetime64[ns]"), *(np.asarray(value, dtype=float) for value in given.values())]
    try:
        times, *values = (np.atleast_1d(a).ravel() for a in np.broadcast_arrays(*raw))
    except ValueError:
        sizes = ", ".join(str(a.shape) for a in raw)
        raise DataError(f"time and places of the track have the shapes {sizes}; give one value or one per point") from None
    bad = np.isnat(times)
    for value in values:
        bad |= ~np.isfinite(value)
    if bad.any():
        raise DataError(f"point {int(bad.argmax())} of the track has no time or no finite place; leave it out")
    return times, dict(zip(given, values, strict=True))


def _sample_variable(
    name: str,
    array: xr.DataArray,
    weights: dict[str, _Weights],
    rows: _Weights,
    turned: NDArray[np.bool_],
    columns: list[_Weights],
) -> xr.DataArray:
    """One variable at all points, in the way that its kind needs."""
    flip = -1.0 if _HORIZONTAL_VECTOR.search(name) else 1.0

    def sampled(values: xr.DataArray) -> xr.DataArray:
        return _sample(values, weights, rows, turned, columns, flip)

    if name == _CLOCK:
        angle = array * (np.pi / 12.0)
        across, along = sampled(array.copy(data=np.sin(angle.values))), sampled(array.copy(data=np.cos(angle.values)))
        return across.copy(data=np.arctan2(across.values, along.values) * (12.0 / np.pi) % 24.0)
    plain = sampled(array)
    if name not in LOGARITHMIC:
        return plain
    positive = array.where(array > 0)  # a zero next to a point makes the logarithmic mean undefined there
    logarithmic = np.exp(sampled(positive.copy(data=np.log(positive.values))).values)
    return plain.copy(data=np.where(np.isfinite(logarithmic), logarithmic, plain.values))


def _sample(
    array: xr.DataArray,
    weights: dict[str, _Weights],
    rows: _Weights,
    turned: NDArray[np.bool_],
    columns: list[_Weights],
    flip_across: float,
) -> xr.DataArray:
    """Weighted sum over the corners of the cell of each point; ``flip_across`` multiplies corners beyond the pole."""
    axes = [axis for axis in ("time", "alt") if axis in array.dims]
    lead = [d for d in array.dims if d not in ("time", "alt", "lat", "lon")]
    array = array.transpose(*lead, *axes, "lat", "lon")
    count = len(rows.part)
    total = np.zeros([array.sizes[d] for d in lead] + [count])
    hours = np.unique(np.concatenate([weights["time"].first, weights["time"].second])) if "time" in axes else [None]
    for hour in hours:
        slab = (array if hour is None else array.isel(time=int(hour))).values.astype(float)
        share = np.ones(count) if hour is None else _share(weights["time"], int(hour))
        use = np.flatnonzero(share > 0)
        for level, level_share in _pair(weights["alt"]) if "alt" in axes else [(None, np.ones(count))]:
            for row, row_share, flip in ((rows.first, 1.0 - rows.part, False), (rows.second, rows.part, True)):
                across = turned & flip
                for k in (0, 1):
                    column = np.where(across, _side(columns[1], k), _side(columns[0], k))
                    piece = np.where(across, _part(columns[1], k), _part(columns[0], k))
                    w = (share * level_share * row_share * piece * np.where(across, flip_across, 1.0))[use]
                    index = (row[use], column[use]) if level is None else (level[use], row[use], column[use])
                    total[..., use] += np.where(w == 0.0, 0.0, w * slab[(..., *index)])
    coords = {d: array.coords[d] for d in lead if d in array.coords}
    return xr.DataArray(total, dims=[*lead, "point"], coords=coords, attrs=array.attrs)


def _share(weights: _Weights, index: int) -> NDArray[np.float64]:
    return np.where(weights.first == index, 1.0 - weights.part, 0.0) + np.where(weights.second == index, weights.part, 0.0)


def _pair(weights: _Weights) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    return [(weights.first, 1.0 - weights.part), (weights.second, weights.part)]


def _side(weights: _Weights, k: int) -> NDArray[np.int64]:
    return weights.second if k else weights.first


def _part(weights: _Weights, k: int) -> NDArray[np.float64]:
    return weights.part if k else 1.0 - weights.part


def _time_weights(dataset: xr.Dataset, times: NDArray) -> _Weights:
    axis = dataset["time"].values.astype("datetime64[ns]")
    bad = (times < axis[0]) | (times > axis[-1])
    if bad.any():
        n = int(bad.argmax())
        raise CoverageError(
            f"point {n} of the track is at {times[n]}; the data cover {axis[0]} to {axis[-1]} ({int(bad.sum())} points outside)"
        )
    if len(axis) == 1:
        zero = np.zeros(len(times), dtype=np.int64)
        return _Weights(zero, zero, np.zeros(len(times)))
    first = np.clip(np.searchsorted(axis, times, side="right") - 1, 0, len(axis) - 2)
    part = (times - axis[first]) / (axis[first + 1] - axis[first])
    return _Weights(first, first + 1, part)


def _altitude_weights(dataset: xr.Dataset, alt: NDArray) -> _Weights:
    axis = dataset["alt"].values
    low, high = axis[0] - (axis[1] - axis[0]) / 2, axis[-1] + (axis[-1] - axis[-2]) / 2
    bad = ~((alt >= low) & (alt <= high))
    if bad.any():
        n = int(bad.argmax())
        raise CoverageError(
            f"point {n} of the track is at {alt[n]} km; the data cover {low:g} to {high:g} km ({int(bad.sum())} points outside)"
        )
    inside = np.clip(alt, axis[0], axis[-1])
    first = np.clip(np.searchsorted(axis, inside, side="right") - 1, 0, len(axis) - 2)
    return _Weights(first, first + 1, (inside - axis[first]) / (axis[first + 1] - axis[first]))


def _latitude_weights(dataset: xr.Dataset, lat: NDArray) -> tuple[_Weights, NDArray[np.bool_]]:
    """Rows around each latitude, and whether the second one lies beyond the pole, on the opposite meridian."""
    axis = dataset["lat"].values
    step = axis[1] - axis[0]
    low, high = axis[0] - step / 2, axis[-1] + step / 2
    bad = ~((lat >= low) & (lat <= high))
    if bad.any():
        n = int(bad.argmax())
        raise CoverageError(
            f"point {n} of the track is at latitude {lat[n]}; the data cover {low:g} to {high:g} degrees "
            f"({int(bad.sum())} points outside)"
        )
    place = (lat - axis[0]) / step
    first = np.clip(np.floor(place).astype(np.int64), 0, len(axis) - 2)
    part = np.clip(place - first, 0.0, 1.0)
    second = first + 1
    over_north = (lat > axis[-1]) & (abs(high - 90.0) < 1e-6)
    over_south = (lat < axis[0]) & (abs(low + 90.0) < 1e-6)
    first = np.where(over_north, len(axis) - 1, np.where(over_south, 0, first))
    second = np.where(over_north, len(axis) - 1, np.where(over_south, 0, second))
    part = np.where(over_north, place - (len(axis) - 1), np.where(over_south, -place, part))
    return _Weights(first, second, part), over_north | over_south


def _longitude_weights(dataset: xr.Dataset, lon: NDArray) -> _Weights:
    axis = dataset["lon"].values
    step = 360.0 / len(axis)
    place = ((lon - axis[0]) % 360.0) / step
    first = np.minimum(place.astype(np.int64), len(axis) - 1)
    return _Weights(first, (first + 1) % len(axis), place - first)
