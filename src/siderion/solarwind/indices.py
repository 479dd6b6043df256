"""Geomagnetic and solar indices at a time: Kp, the history of ap, F10.7 and its 81-day mean.

Every function takes the data set of `load_indices` and times, and gives plain arrays. A missing value or a
fill value never passes: it raises, and names the date.
"""

from __future__ import annotations

from os import PathLike
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.tables import load_table
from siderion.io.celestrak import read_celestrak, read_embedded_indices
from siderion.io.gfz import read_gfz

_READERS = {"celestrak": read_celestrak, "gfz": read_gfz}
_REMEDY = "give an indices file that has it (SW-All.txt or SW-Last5Years.txt from celestrak.org/SpaceData)"
_DAY = np.timedelta64(1, "D")
_THREE_HOURS = np.timedelta64(3, "h")

# Hours before the three-hour interval of the time, by element of the ap history after the daily Ap.
_AP_HISTORY_HOURS = ((0,), (3,), (6,), (9,), tuple(range(12, 36, 3)), tuple(range(36, 60, 3)))


def load_indices(path: str | PathLike[str] | None = None, file_format: Literal["celestrak", "gfz"] = "celestrak") -> xr.Dataset:
    """Load Kp, ap and F10.7.

    Parameters
    ----------
    path : str or path, optional
        A file of indices; without it the one that comes with the package, 2021-11-01 to 2025-03-31.
    file_format : {"celestrak", "gfz"}
        Format of that file: CelesTrak space weather text, or comma-separated rows of GFZ Potsdam.

    Returns
    -------
    xarray.Dataset
        `kp`, `ap` (time, three-hourly), `ap_daily`, `f107` (day), and from CelesTrak `f107_81_day_mean`,
        `f107_qualifier` (day). Missing values are NaN; the functions of this module refuse them.

    Raises
    ------
    DataError
        The file cannot be read or is of another format.
    SettingsError
        The format is not known.
    """
    if file_format not in _READERS:
        raise SettingsError(f"file_format is {file_format!r}; it must be one of {', '.join(_READERS)}")
    return read_embedded_indices() if path is None else _READERS[file_format](path)


def daily_f107(dataset: xr.Dataset, time: ArrayLike) -> np.ndarray:
    """F10.7 of the previous day, as the MSIS models take it (Picone et al. 2002, doi 10.1029/2002JA009430).

    Parameters
    ----------
    dataset : xarray.Dataset
        With `f107(day)`.
    time : array_like of datetime64, shape (n,) or scalar
        UTC.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Observed F10.7, 1e-22 W m-2 Hz-1.

    Raises
    ------
    CoverageError
        The data do not reach the previous day.
    DataError
        The value of that day is missing or a fill value.
    """
    return _values_at(dataset, "f107", "day", _midnight(utc_times(time)) - _DAY)


def f107_81_day_mean(dataset: xr.Dataset, time: ArrayLike) -> np.ndarray:
    """Mean of F10.7 over the 81 days centred on the day of each time.

    Where the data set has no `f107_81_day_mean`, it is computed from `f107`, and all 81 days must be there.

    Parameters
    ----------
    dataset : xarray.Dataset
        With `f107_81_day_mean(day)` or `f107(day)`.
    time : array_like of datetime64, shape (n,) or scalar
        UTC.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Mean of observed F10.7, 1e-22 W m-2 Hz-1.

    Raises
    ------
    CoverageError
        The data do not reach one of the days.
    DataError
        A value is missing or a fill value.
    """
    days = _midnight(utc_times(time))
    if "f107_81_day_mean" in dataset:
        return _values_at(dataset, "f107_81_day_mean", "day", days)
    unique, inverse = np.unique(days, return_inverse=True)
    window = unique[:, None] + np.arange(-40, 41) * _DAY
    return _values_at(dataset, "f107", "day", window).mean(axis=1)[inverse]


def ap_history(dataset: xr.Dataset, time: ArrayLike) -> np.ndarray:
    """History of ap in the order of the MSIS models (Picone et al. 2002, doi 10.1029/2002JA009430).

    Parameters
    ----------
    dataset : xarray.Dataset
        With `ap(time)` and `ap_daily(day)`.
    time : array_like of datetime64, shape (n,) or scalar
        UTC.

    Returns
    -------
    numpy.ndarray, shape (n, 7)
        2 nT: daily Ap; ap of the three-hour interval, of those 3, 6 and 9 h before; mean of the eight
        intervals 12 to 33 h before; mean of the eight intervals 36 to 57 h before.

    Raises
    ------
    CoverageError
        The data do not reach the day or one of the intervals.
    DataError
        A value is missing or a fill value.
    """
    times = utc_times(time)
    intervals = _interval_start(times)
    history = np.empty((times.size, 7))
    history[:, 0] = _values_at(dataset, "ap_daily", "day", _midnight(times))
    for column, hours in enumerate(_AP_HISTORY_HOURS, start=1):
        needed = intervals[:, None] - np.array(hours).astype("timedelta64[h]")
        history[:, column] = _values_at(dataset, "ap", "time", needed).mean(axis=1)
    return history


def kp_at(dataset: xr.Dataset, time: ArrayLike) -> np.ndarray:
    """Kp of the three-hour interval that holds each time.

    Parameters
    ----------
    dataset : xarray.Dataset
        With `kp(time)`.
    time : array_like of datetime64, shape (n,) or scalar
        UTC.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Kp, 0 to 9.

    Raises
    ------
    CoverageError
        The data do not reach the interval.
    DataError
        The value is missing or a fill value.
    """
    return _values_at(dataset, "kp", "time", _interval_start(utc_times(time)))


def ap_of_kp(kp: ArrayLike) -> np.ndarray:
    """The ap, 2 nT, that belongs to a Kp from 0 to 9; linear between its thirds (table ``kp_ap``).

    Raises
    ------
    SettingsError
        A Kp is outside 0 to 9, or not a number.
    """
    values = np.asarray(kp, dtype=float)
    if not ((values >= 0.0) & (values <= 9.0)).all():
        raise SettingsError(f"kp is {kp!r}; it must lie from 0 to 9")
    table = load_table("solarwind", "kp_ap")
    return np.interp(3.0 * values, table["thirds"], table["ap"])


def utc_times(time: ArrayLike) -> np.ndarray:
    """Turn times into a one-dimensional array of datetime64[ns]; `SettingsError` when they are no times."""
    try:
        if np.asarray(time).dtype.kind in "biufc":
            raise TypeError("numbers are not times")
        times = np.atleast_1d(np.asarray(time, dtype="datetime64[ns]"))
    except (TypeError, ValueError) as error:
        raise SettingsError(f"time is {time!r}; give UTC times as datetime64, such as 2023-06-18T06:00") from error
    if times.ndim != 1:
        raise SettingsError(f"time has shape {times.shape}; give one time or a one-dimensional array")
    if np.isnat(times).any():
        raise SettingsError(f"time number {int(np.argmax(np.isnat(times)))} is not a time (NaT); give UTC times")
    return times


def _midnight(times: np.ndarray) -> np.ndarray:
    return times.astype("datetime64[D]").astype("datetime64[ns]")


def _interval_start(times: np.ndarray) -> np.ndarray:
    midnight = _midnight(times)
    return midnight + (times - midnight) // _THREE_HOURS * _THREE_HOURS


def _values_at(dataset: xr.Dataset, name: str, dimension: str, stamps: np.ndarray) -> np.ndarray:
    if name not in dataset:
        raise DataError(f"the indices have no {name!r}; they have {', '.join(map(str, dataset.data_vars))}; {_REMEDY}")
    axis = dataset[dimension].values
    if axis.size == 0:
        raise CoverageError(f"the indices have no {dimension} at all; {_REMEDY}")
    position = np.minimum(np.searchsorted(axis, stamps), axis.size - 1)
    absent = axis[position] != stamps
    if absent.any():
        raise CoverageError(
            f"{name}: no value for {_written(stamps[absent].min(), dimension)}; the indices cover "
            f"{_written(axis[0], dimension)} to {_written(axis[-1], dimension)}; {_REMEDY}"
        )
    values = dataset[name].values[position].astype(float)
    solar = name.startswith("f107")
    # Written so that NaN, for which no comparison holds, counts as bad.
    bad = ~(np.isfinite(values) & (values > 0 if solar else values >= 0))
    if bad.any():
        rule = "above 0" if solar else "0 or above"
        mark = dataset.attrs.get("missing_mark")
        marked = f" (in the file: {mark})" if mark and np.isnan(values[bad][0]) else ""
        raise DataError(
            f"{name} on {_written(stamps[bad][0], dimension)} is {_value(values[bad][0])}{marked}; it must "
            f"be {rule} and finite; "
            f"{_REMEDY}"
        )
    return values


def _value(value: float) -> str:
    return "missing" if np.isnan(value) else f"{value:g}"


def _written(stamp: np.datetime64, dimension: str) -> str:
    return np.datetime_as_string(stamp, unit="D" if dimension == "day" else "m")
