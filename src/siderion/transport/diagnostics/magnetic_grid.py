"""Area-weighted means on a grid of magnetic local time and invariant latitude."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree

from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.frames.spherical import unit_vector

Empty = Literal["nearest", "refuse", "missing"]


def to_magnetic_grid(
    field: ArrayLike,
    local_time: ArrayLike,
    invariant_latitude: ArrayLike,
    latitude_edges: ArrayLike,
    local_time_edges: ArrayLike,
    weight: ArrayLike,
    empty: Empty = "nearest",
) -> xr.DataArray:
    """Mean of a field in bins of magnetic local time and invariant latitude.

    Every cell counts with its weight in the bin that holds its centre: mean = sum(weight field)/sum(weight).

    Parameters
    ----------
    field : (..., lat, lon)
        Finite values; leading dimensions are kept.
    local_time, invariant_latitude : (lat, lon)
        Magnetic local time of the cell centres, h (0 to 24), and their invariant latitude, degrees (0 to 90, both
        hemispheres).
    latitude_edges, local_time_edges : (n + 1,), (m + 1,)
        Edges of the bins, growing, within 0 to 90 degrees and 0 to 24 h. Cells beyond them are left out.
    weight : (lat, lon)
        Area or solid angle of the cells, not negative.
    empty : {"nearest", "refuse", "missing"}
        What to do with bins that hold no cell centre. "nearest": such a bin is smaller than the cells, so it takes the
        value of the cell nearest to its centre, and is refused only when that is farther than one cell; "refuse": raise
        `CoverageError`; "missing": NaN, counted in the attribute ``empty_bins``.

    Returns
    -------
    xarray.DataArray
        Dimensions (..., invariant_latitude, magnetic_local_time), coordinates at the middle of the bins; leading
        dimensions and the units of an xarray ``field`` are kept. Attribute ``empty_bins``: bins without a cell centre.

    Raises
    ------
    CoverageError
        Bins are empty (see ``empty``).
    DataError
        The field is not finite, a weight is negative, or shapes differ.
    SettingsError
        Edges do not grow or leave the valid range, or ``empty`` is unknown.
    """
    values, clock, latitude, area = (np.asarray(a, dtype=float) for a in (field, local_time, invariant_latitude, weight))
    rows, columns = (
        _checked_edges(latitude_edges, 90.0, "latitude_edges"),
        _checked_edges(local_time_edges, 24.0, "local_time_edges"),
    )
    _check(values, clock, latitude, area, empty)
    place = _bin_of(latitude, clock, rows, columns)
    count = (len(rows) - 1) * (len(columns) - 1)
    used = (place >= 0) & (area > 0.0)
    total = np.bincount(place[used], weights=area[used], minlength=count)
    flat = values.reshape(-1, area.size)[:, used.ravel()] * area[used]
    sums = np.stack([np.bincount(place[used], weights=part, minlength=count) for part in flat])
    filled = total > 0.0
    means = np.full(sums.shape, np.nan)
    means[:, filled] = sums[:, filled] / total[filled]
    if not filled.all() and empty != "missing":
        _fill(means, filled, values.reshape(-1, area.size), clock, latitude, area, rows, columns, empty)
    lead = values.shape[:-2]
    result = xr.DataArray(
        means.reshape(*lead, len(rows) - 1, len(columns) - 1),
        dims=(*_leading_dims(field, len(lead)), "invariant_latitude", "magnetic_local_time"),
        coords={
            "invariant_latitude": ("invariant_latitude", _middle(rows), {"units": "degrees", "long_name": "invariant latitude"}),
            "magnetic_local_time": ("magnetic_local_time", _middle(columns), {"units": "h", "long_name": "magnetic local time"}),
        },
        attrs={"empty_bins": int(np.sum(~filled))},
    )
    return _with_origin(result, field)


def _checked_edges(edges: ArrayLike, limit: float, name: str) -> NDArray[np.float64]:
    values = np.asarray(edges, dtype=float)
    if values.ndim != 1 or len(values) < 2 or not np.all(np.diff(values) > 0) or values[0] < 0 or values[-1] > limit:
        raise SettingsError(f"{name} are {values}; they must grow and lie within 0 to {limit:g}")
    return values


def _check(values: NDArray, clock: NDArray, latitude: NDArray, area: NDArray, empty: str) -> None:
    if empty not in ("nearest", "refuse", "missing"):
        raise SettingsError(f"empty is {empty!r}; use 'nearest', 'refuse' or 'missing'")
    if not values.shape[-2:] == clock.shape == latitude.shape == area.shape or area.ndim != 2:
        raise DataError(
            f"shapes differ: field {values.shape}, local time {clock.shape}, invariant latitude {latitude.shape}, weight "
            f"{area.shape}; all need the same last two dimensions (lat, lon)"
        )
    for name, array in {"field": values, "local_time": clock, "invariant_latitude": latitude}.items():
        bad = ~np.isfinite(array)
        if bad.any():
            where = tuple(int(i) for i in np.argwhere(bad)[0])
            raise DataError(f"{name} is {array[where]} at index {where} ({int(bad.sum())} such values); it must be finite")
    if not np.all(area >= 0.0):
        raise DataError(f"the smallest weight is {area.min()}; weights must be finite and at least 0")


def _bin_of(latitude: NDArray, clock: NDArray, rows: NDArray, columns: NDArray) -> NDArray[np.int64]:
    """Flat index of the bin that holds each point, -1 outside; the last latitude edge belongs to the last bin."""
    row = np.searchsorted(rows, latitude, side="right") - 1
    row = np.where(latitude == rows[-1], len(rows) - 2, row)
    column = np.searchsorted(columns, clock % 24.0, side="right") - 1
    inside = (row >= 0) & (row < len(rows) - 1) & (column >= 0) & (column < len(columns) - 1)
    return np.where(inside, row * (len(columns) - 1) + column, -1)


def _fill(
    means: NDArray,
    filled: NDArray[np.bool_],
    values: NDArray,
    clock: NDArray,
    latitude: NDArray,
    area: NDArray,
    rows: NDArray,
    columns: NDArray,
    empty: str,
) -> None:
    """Give empty bins the value of the nearest cell (in place), or refuse them."""
    centres = np.stack(np.meshgrid(_middle(rows), _middle(columns), indexing="ij"), axis=-1).reshape(-1, 2)[~filled]
    reach = float(np.abs(np.diff(latitude, axis=0)).max())  # degrees: the size of a cell along its meridian
    cells = np.flatnonzero(area > 0.0)
    tree = KDTree(unit_vector(latitude.ravel()[cells], 15.0 * clock.ravel()[cells]))
    chord, nearest = tree.query(unit_vector(centres[:, 0], 15.0 * centres[:, 1]))
    far = np.degrees(2.0 * np.arcsin(chord / 2.0)) > reach
    if empty == "refuse" or far.any():
        first = centres[far][0] if far.any() else centres[0]
        refused = int(far.sum()) if empty == "nearest" else len(centres)
        raise CoverageError(
            f"{refused} bins hold no cell, the first at invariant latitude {first[0]:.2f} and {first[1]:.2f} h MLT; the data "
            f"reach from {latitude.min():.1f} to {latitude.max():.1f}: take wider bins, other edges, or empty='missing'"
        )
    means[:, ~filled] = values[:, cells[nearest]]


def _middle(edges: NDArray) -> NDArray[np.float64]:
    return 0.5 * (edges[1:] + edges[:-1])


def _leading_dims(field: ArrayLike, count: int) -> tuple[str, ...]:
    if isinstance(field, xr.DataArray):
        return tuple(str(d) for d in field.dims[:-2])
    return tuple(f"lead_{i}" for i in range(count))


def _with_origin(result: xr.DataArray, field: ArrayLike) -> xr.DataArray:
    """Coordinates of the leading dimensions, name and units of an xarray field."""
    if not isinstance(field, xr.DataArray):
        return result
    leading = {d: field.coords[d] for d in field.dims[:-2] if d in field.coords}
    kept = {key: field.attrs[key] for key in ("units", "long_name") if key in field.attrs}
    return result.assign_coords(leading).assign_attrs(kept).rename(field.name)
