"""Hourly Dst: the exchange format of the World Data Center for Geomagnetism, Kyoto, and comma-separated files.

Exchange format, 120 characters a day: ``DST``, year (2 digits), month, ``*``, day, two characters, ``X``, version, century
(2 digits or blank), base value (4, in 100 nT), 24 hourly values (4 each, nT, 9999 missing), daily mean (4). The first value
belongs to the hour from 00 UT. https://wdc.kugi.kyoto-u.ac.jp/dstae/format/dstformat.html

Comma-separated: the header ``time, dst``; time is the start of the hour, an empty field is missing.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np
import xarray as xr

from siderion.core.errors import DataError

from .celestrak import read_lines
from .event_list import iso_times
from .gfz import read_columns

_LENGTH = 120
_MISSING = 9999
_LOWEST, _HIGHEST = -3000.0, 500.0  # beyond what the index has ever reached: another column or another unit


def read_dst(path: str | PathLike[str]) -> xr.Dataset:
    """Read hourly Dst; the format is told by the first line.

    Parameters
    ----------
    path : str or path
        File in the exchange format or comma-separated.

    Returns
    -------
    xarray.Dataset
        ``dst(time)``, nT, with ``time`` the start of the hour, in order; NaN where missing. ``version`` (attribute) names the
        versions found in the exchange format: 0 quick look, 1 provisional, 2 and above final.

    Raises
    ------
    DataError
        The file cannot be read, is of neither format, a line is cut short, an hour comes twice or out of order, or a value
        is out of range; with the line.
    """
    first = read_lines(path)[0]
    times, values, where, versions = _exchange(path) if first.startswith("DST") else _comma_separated(path)
    late = np.flatnonzero(np.diff(times) <= np.timedelta64(0, "ns"))
    if late.size:
        row = int(late[0]) + 1
        raise DataError(f"{where[row]}: hour {times[row]} follows {times[row - 1]}; hours must be in order and appear once")
    bad = np.isfinite(values) & ((values < _LOWEST) | (values > _HIGHEST))
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(f"{where[row]}: Dst is {values[row]:g} nT; it must lie between {_LOWEST:g} and {_HIGHEST:g} nT")
    attributes = {"source": f"Dst, WDC for Geomagnetism, Kyoto, file {Path(path).name}", "version": " ".join(sorted(versions))}
    meaning = {"units": "nT", "long_name": "disturbance storm time index, hourly"}
    dataset = xr.Dataset({"dst": ("time", values, meaning)}, coords={"time": times}, attrs=attributes)
    dataset["time"].attrs["long_name"] = "start of the hour, UTC"
    return dataset


def _exchange(path: str | PathLike[str]) -> tuple[np.ndarray, np.ndarray, list[str], set[str]]:
    times, values, where, versions = [], [], [], set()
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        day, hourly = _day(line, place)
        times.append(day + np.arange(24) * np.timedelta64(1, "h"))
        values.append(hourly)
        where += [place] * 24
        versions.add(line[13].strip() or "unknown")
    return np.concatenate(times).astype("datetime64[ns]"), np.concatenate(values), where, versions


def _day(line: str, place: str) -> tuple[np.datetime64, np.ndarray]:
    """Date and 24 values of one line."""
    row = line.rstrip("\r\n")
    if not row.startswith("DST") or len(row.rstrip()) < _LENGTH - 4 or row[7] != "*":
        raise DataError(
            f"{place}: {row[:20]!r} with {len(row)} characters is no day of Dst; a line begins with DST, has * in column 8 and "
            f"{_LENGTH} characters; fetch the file again"
        )
    try:
        century = int(row[14:16]) if row[14:16].strip() else 19
        day = np.datetime64(f"{century:02d}{int(row[3:5]):02d}-{int(row[5:7]):02d}-{int(row[8:10]):02d}", "h")
        base = int(row[16:20]) if row[16:20].strip() else 0
        raw = np.array([int(row[20 + 4 * k : 24 + 4 * k]) for k in range(24)], dtype=float)
    except ValueError as error:
        raise DataError(
            f"{place}: {row[:24]!r} cannot be read ({error}); the columns are shifted; fetch the file again"
        ) from None
    return day, np.where(raw == _MISSING, np.nan, raw + 100.0 * base)


def _comma_separated(path: str | PathLike[str]) -> tuple[np.ndarray, np.ndarray, list[str], set[str]]:
    table = read_columns(path, ["time", "dst"], [])
    values = table.numbers("dst")
    return (
        iso_times(table, "time"),
        np.where(values == _MISSING, np.nan, values),
        [table.where(row) for row in range(len(values))],
        {"unknown"},
    )
