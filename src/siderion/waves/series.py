"""A field series as stretches of one cadence, with its gaps kept as gaps."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from siderion.core.errors import DataError, UnitsError

from . import kernels

Real = NDArray[np.float64]
_NEIGHBOURS = 21
"""Steps over which the cadence is judged: a single odd step is a gap or a jitter, not another cadence."""
_SAME_CADENCE = 1.5
"""Cadences within this factor are one cadence."""
_LONG_GAP = 3600.0
"""A gap longer than this, s, begins a new stretch."""


@dataclass(frozen=True)
class Stretch:
    """Samples of one cadence on a regular grid.

    Attributes
    ----------
    start : numpy.datetime64
        Time of the first sample.
    times : ndarray of int64, shape (n_known,)
        Times of the samples that exist, ns after ``start``.
    numbers : ndarray of int, shape (n_known,)
        Their places in the grid.
    field : ndarray, shape (3, n)
        Magnetic field, T, on the grid; NaN in gaps.
    cadence : float
        Step of the grid, s.
    """

    start: np.datetime64
    times: NDArray[np.int64]
    numbers: NDArray[np.intp]
    field: Real
    cadence: float

    def time_at(self, number: NDArray) -> NDArray[np.datetime64]:
        """Times (datetime64[ns]) at places of the grid, which may lie between samples or up to half a step beyond the ends."""
        where = np.asarray(number, dtype=np.float64)
        # between its two neighbours only: interpolation over the whole series would convert all of it
        left = np.clip(np.searchsorted(self.numbers, np.floor(where).astype(np.intp), side="right") - 1, 0, len(self.numbers) - 2)
        step = (self.times[left + 1] - self.times[left]) / (self.numbers[left + 1] - self.numbers[left])
        offset = self.times[left] + (where - self.numbers[left]) * step
        return self.start + np.rint(offset).astype("timedelta64[ns]")


def check_series(series: xr.Dataset) -> None:
    """Check that a data set is a field series.

    Parameters
    ----------
    series : xarray.Dataset
        ``magnetic_field(time, component)`` in nT with strictly increasing times.

    Raises
    ------
    DataError
        The field or its dimensions are missing, there are fewer than two samples, or the times do not increase.
    UnitsError
        The units are not nT.
    """
    if "magnetic_field" not in series or set(series["magnetic_field"].dims) != {"time", "component"}:
        raise DataError("the series needs magnetic_field(time, component); read the file with read_magnetometer")
    field = series["magnetic_field"]
    if field.attrs.get("units") != "nT":
        raise UnitsError(f"magnetic_field has units {field.attrs.get('units')!r}; convert it to nT")
    if field.sizes["component"] != 3:
        raise DataError(f"magnetic_field has {field.sizes['component']} components; three are needed")
    if field.sizes["time"] < 2:
        raise DataError(f"the series has {field.sizes['time']} samples; a wave needs many periods")
    if series["time"].dtype.kind != "M":
        raise DataError(f"time has the type {series['time'].dtype}; it must be datetime64")
    times = series["time"].values.astype("datetime64[ns]")
    if np.isnat(times[-1]) or np.isnat(times).any():
        raise DataError(f"time is missing at sample {int(np.argmax(np.isnat(times)))}; leave that sample out")
    times = times.astype(np.int64)
    if kernels.step_range(times)[0] <= 0:
        first = int(np.argmax(np.diff(times) <= 0))
        raise DataError(
            f"times do not increase at sample {first + 1} ({series.time.values[first + 1]}); sort them and remove duplicates, "
            "as read_magnetometer does"
        )


def _check_values(field: Real, times: NDArray) -> None:
    """Raise unless some sample is finite and none infinite; ``field`` has the shape (3, n)."""
    infinite = np.isinf(field).any(axis=0)
    if infinite.any():
        first = int(np.argmax(infinite))
        raise DataError(f"magnetic_field is infinite at sample {first} ({times[first]}); mark it as a gap (NaN)")
    if not np.isfinite(field).all(axis=0).any():
        raise DataError("magnetic_field holds no finite sample: all of the series is gaps")


def split_stretches(series: xr.Dataset, longest_gap: float = _LONG_GAP) -> list[Stretch]:
    """Split a series where its cadence changes or a long gap stands.

    Shorter gaps stay in the stretch as NaN. Nothing is interpolated: a sample goes to the nearest place of a grid of the
    median cadence, and jitter of the times below a quarter of a step does not matter.

    Parameters
    ----------
    series : xarray.Dataset
        A field series, see `check_series`.
    longest_gap : float
        Gaps longer than this, s, end a stretch.

    Returns
    -------
    list of Stretch
        In the order of time; stretches of a single sample are left out.

    Raises
    ------
    DataError
        As `check_series`; or all of the series is gaps, or a value is infinite.
    """
    check_series(series)
    times = series["time"].values.astype("datetime64[ns]").astype(np.int64)
    field = np.empty((3, len(times)))
    values = np.asarray(series["magnetic_field"].transpose("time", "component").values, dtype=np.float64)
    gaps = kernels.transpose_scaled(values, 1e-9, field)
    if not gaps and _is_regular(times):  # the usual case, and the quick one
        return [_regular(times, field)]
    if gaps:
        _check_values(field, series["time"].values)
    known = np.isfinite(field).all(axis=0)
    times, field = times[known], np.ascontiguousarray(field[:, known])
    if len(times) < 2:
        return []
    steps = np.diff(times) * 1e-9
    cadence = _local_cadence(steps)
    ends = np.flatnonzero(steps > np.maximum(longest_gap, 3.0 * cadence))
    bounds = np.unique(np.concatenate(([0], ends + 1, _cadence_changes(steps, cadence) + 1, [len(times)])))
    return [_stretch(times[a:b], field[:, a:b]) for a, b in pairwise(bounds) if b - a > 1]


def _local_cadence(steps: Real) -> Real:
    """Median of the neighbouring steps."""
    size = max(1, min(_NEIGHBOURS, len(steps) - (len(steps) + 1) % 2))
    return median_filter(steps, size=size, mode="mirror")


def _cadence_changes(steps: Real, cadence: Real) -> NDArray[np.intp]:
    """Last steps before the cadence becomes another one.

    Where many samples are missing the median flips between multiples of the cadence; a low quantile of all steps between two
    such places tells these from a change.
    """
    ratio = cadence[1:] / cadence[:-1]
    places = np.flatnonzero(np.maximum(ratio, 1.0 / ratio) > _SAME_CADENCE)
    kept: list[int] = []
    bounds = [0, *(places + 1).tolist(), len(steps)]
    before = np.nan
    for a, b in pairwise(bounds):
        here = float(np.quantile(steps[a:b], 0.2))
        if a and max(here / before, before / here) > _SAME_CADENCE:
            kept.append(a - 1)
            before = here
        elif not a:
            before = here
    return np.array(kept, dtype=np.intp)


def _stretch(times: NDArray[np.int64], field: Real) -> Stretch:
    if _is_regular(times):
        return _regular(times, field)
    steps = np.diff(times).astype(np.float64)
    low, middle = np.quantile(steps, (0.2, 0.5))
    step = middle if low > 0.6 * middle else low  # where most samples are missing the median is a multiple of the cadence
    step = float(steps[np.abs(steps / step - 1.0) < 0.5].mean())  # finer than any one of the rounded time stamps
    numbers = kernels.number_samples((times - times[0]) / step)
    grid = np.full((3, int(numbers[-1]) + 1), np.nan)
    grid[:, numbers] = field
    return Stretch(times[0].astype("datetime64[ns]"), times - times[0], numbers, grid, step * 1e-9)


def _is_regular(times: NDArray[np.int64]) -> bool:
    """Whether there is one cadence without a gap."""
    mean = (times[-1] - times[0]) / (len(times) - 1)
    smallest, largest = kernels.step_range(times)
    return bool(largest < _SAME_CADENCE * mean and smallest * _SAME_CADENCE > mean)


def _regular(times: NDArray[np.int64], field: Real) -> Stretch:
    cadence = float(times[-1] - times[0]) / (len(times) - 1) * 1e-9
    return Stretch(times[0].astype("datetime64[ns]"), times - times[0], np.arange(len(times)), field, cadence)
