"""The space weather text format of CelesTrak (``CssiSpaceWeather``): Kp, ap, F10.7 and its 81-day mean.

Fixed columns: ``I4,I3,I3,I5,I3,8I3,I4,8I4,I4,F4.1,I2,I4,F6.1,I2,5F6.1``, described at
https://celestrak.org/SpaceData/SpaceWx-format.php. Only the section of observed days is read:
predictions change with every issue of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from os import PathLike
from pathlib import Path

import numpy as np
import xarray as xr

from siderion.core.errors import DataError
from siderion.core.variables import with_attributes

EMBEDDED_FILE = "celestrak_2021-11_2025-03.txt"
"""Name of the file that comes with the package."""

# Up to the 81-day mean; one more mean follows, which is not used.
_SHORTEST_ROW, _LONGEST_ROW = 124, 130
_KP = [(18 + 3 * i, 21 + 3 * i) for i in range(8)]
_AP = [(46 + 4 * i, 50 + 4 * i) for i in range(8)]
_AP_DAILY = (78, 82)
_QUALIFIER = (98, 100)
_F107_OBSERVED = (112, 118)
_F107_81_DAY_MEAN = (118, 124)


def read_celestrak(path: str | PathLike[str]) -> xr.Dataset:
    """Read the observed days of a CelesTrak space weather file.

    Parameters
    ----------
    path : str or path
        A text file such as ``SW-All.txt`` or ``SW-Last5Years.txt``.

    Returns
    -------
    xarray.Dataset
        As `indices_dataset` returns it, with `f107_81_day_mean` and `f107_qualifier(day)` besides (0
        observed, 1 adjusted for a burst, 2 and 4 interpolated, 3 no observation, -1 blank). Blank fields are
        NaN.

    Raises
    ------
    DataError
        The file cannot be read, is of another format, is cut short, or has a value out of range.
    """
    lines = read_lines(path)
    rows = _observed_rows(lines, str(path))
    parsed = [_parse_row(text, f"{path}, line {number}") for number, text in rows]
    days, kp, ap, daily = zip(*parsed, strict=True)
    daily_columns = np.array(daily)
    dataset = indices_dataset(
        days=np.array(days, dtype="datetime64[ns]"),
        kp=np.array(kp) / 10.0,
        ap=np.array(ap),
        ap_daily=daily_columns[:, 0],
        f107=daily_columns[:, 1],
        where=[f"{path}, line {number}" for number, _ in rows],
    )
    dataset["f107_81_day_mean"] = ("day", np.where(daily_columns[:, 2] > 0, daily_columns[:, 2], np.nan))
    dataset["f107_qualifier"] = ("day", np.nan_to_num(daily_columns[:, 3], nan=-1.0).astype(np.int8))
    dataset["f107_qualifier"].attrs = {
        "units": "1",
        "long_name": "origin of F10.7: 0 observed, 1 burst removed, 2 and 4 interpolated, 3 none, -1 unknown",
    }
    dataset.attrs.update(source=f"CelesTrak space weather data, file {Path(path).name}", missing_mark="a blank field")
    return with_attributes(dataset)


def read_embedded_indices() -> xr.Dataset:
    """Read the CelesTrak file that comes with the package: 2021-11-01 to 2025-03-31. See `read_celestrak`."""
    with resources.as_file(resources.files("siderion.solarwind") / "data" / EMBEDDED_FILE) as path:
        return read_celestrak(path)


def indices_dataset(
    days: np.ndarray,
    kp: np.ndarray,
    ap: np.ndarray,
    ap_daily: np.ndarray,
    f107: np.ndarray,
    where: Sequence[str],
) -> xr.Dataset:
    """Build the data set of the geomagnetic and solar indices, with every fill value turned into NaN.

    Parameters
    ----------
    days : numpy.ndarray of datetime64[ns], shape (day,)
        Midnight UTC of every day, in order.
    kp, ap : numpy.ndarray, shape (day, 8)
        Three-hourly Kp (0 to 9; decimals such as 0.3, 0.333 or 0.33 become exact thirds) and ap (2 nT).
    ap_daily, f107 : numpy.ndarray, shape (day,)
        Daily Ap (2 nT) and observed F10.7 (1e-22 W m-2 Hz-1). Ap below 0 and F10.7 of 0 or below
        are fill values.
    where : sequence of str, length day
        File and line of every day, for messages.

    Returns
    -------
    xarray.Dataset
        `kp(time)`, `ap(time)` with `time` the start of each three-hour interval; `ap_daily(day)`,
        `f107(day)`.

    Raises
    ------
    DataError
        Days are not in order, or Kp is above 9 or not a multiple of a third.
    """
    late = np.flatnonzero(np.diff(days) <= np.timedelta64(0, "D"))
    if late.size:
        index = int(late[0]) + 1
        raise DataError(
            f"{where[index]}: day {days[index].astype('datetime64[D]')} follows "
            f"{days[index - 1].astype('datetime64[D]')}; days must be in order and appear once; sort the file"
        )
    time = (days[:, None] + np.arange(0, 24, 3).astype("timedelta64[h]")).reshape(-1)
    dataset = xr.Dataset(
        {
            "kp": ("time", _exact_thirds(kp, where).reshape(-1)),
            "ap": ("time", np.where(ap >= 0, ap, np.nan).reshape(-1)),
            "ap_daily": ("day", np.where(ap_daily >= 0, ap_daily, np.nan)),
            "f107": ("day", np.where(f107 > 0, f107, np.nan)),
        },
        coords={"time": time.astype("datetime64[ns]"), "day": days.astype("datetime64[ns]")},
    )
    dataset["time"].attrs["long_name"] = "start of the three-hour interval, UTC"
    dataset["day"].attrs["long_name"] = "day, UTC"
    dataset["ap_daily"].attrs = {"units": "2 nT", "long_name": "planetary A index of the day, as published"}
    return with_attributes(dataset)


def read_lines(path: str | PathLike[str]) -> list[str]:
    """Read a text file as lines without their ends.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    list of str
        Its lines.

    Raises
    ------
    DataError
        The file cannot be opened, is empty, or is not text.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start} is not text; give an uncompressed text file") from error
    if not text.strip():
        raise DataError(f"{path}: the file is empty; fetch it again")
    return text.splitlines()


def _observed_rows(lines: list[str], path: str) -> list[tuple[int, str]]:
    if not lines[0].startswith("DATATYPE") or "SpaceWeather" not in lines[0]:
        raise DataError(
            f"{path}, line 1: {lines[0][:60]!r} is not the header of a CelesTrak space weather text file; "
            "the first line must be 'DATATYPE CssiSpaceWeather'; give "
            "such a file (SW-All.txt, not SW-All.csv)"
        )
    announced: int | None = None
    begin: int | None = None
    for number, line in enumerate(lines, start=1):
        if line.startswith("NUM_OBSERVED_POINTS"):
            announced = _announced(line, f"{path}, line {number}")
        elif line.startswith("BEGIN OBSERVED"):
            begin = number
        elif line.startswith("END OBSERVED"):
            break
    else:
        raise DataError(f"{path}, line {len(lines)}: the file ends without 'END OBSERVED'; it is cut short; fetch it again")
    if begin is None:
        raise DataError(f"{path}, line {number}: 'END OBSERVED' without 'BEGIN OBSERVED'; the file is damaged")
    rows = [(n, lines[n - 1]) for n in range(begin + 1, number) if lines[n - 1].strip()]
    if not rows or len(rows) != announced:
        raise DataError(
            f"{path}, lines {begin + 1} to {number - 1}: {len(rows)} observed days, but "
            f"NUM_OBSERVED_POINTS says {announced}; the two must agree and not be 0; fetch the file again"
        )
    return rows


def _announced(line: str, where: str) -> int:
    try:
        return int(line.split()[1])
    except (IndexError, ValueError) as error:
        raise DataError(f"{where}: {line!r} must give a whole number of days; fetch the file again") from error


def _parse_row(text: str, where: str) -> tuple[str, list[float], list[float], list[float]]:
    row = text.rstrip()
    if not _SHORTEST_ROW <= len(row) <= _LONGEST_ROW:
        raise DataError(
            f"{where}: the row has {len(row)} characters; a day has {_SHORTEST_ROW} to {_LONGEST_ROW}; "
            "the row is cut short or of another format; fetch the file again"
        )
    day = f"{row[0:4]}-{row[5:7]}-{row[8:10]}".replace(" ", "0")
    try:
        np.datetime64(day, "D")
    except ValueError as error:
        raise DataError(f"{where}: {row[:10]!r} is not a date; the row must begin with year, month, day") from error
    kp = [_number(row, columns, where, "Kp times 10") for columns in _KP]
    ap = [_number(row, columns, where, "ap") for columns in _AP]
    daily = [
        _number(row, _AP_DAILY, where, "daily Ap"),
        _number(row, _F107_OBSERVED, where, "observed F10.7"),
        _number(row, _F107_81_DAY_MEAN, where, "81-day mean of observed F10.7"),
        _number(row, _QUALIFIER, where, "flux qualifier"),
    ]
    return day, kp, ap, daily


def _number(row: str, columns: tuple[int, int], where: str, meaning: str) -> float:
    text = row[columns[0] : columns[1]].strip()
    if not text:
        return np.nan
    try:
        return float(text)
    except ValueError as error:
        raise DataError(
            f"{where}, columns {columns[0] + 1} to {columns[1]}: {meaning} is {text!r}; it must be a number; fetch the file again"
        ) from error


def _exact_thirds(kp: np.ndarray, where: Sequence[str]) -> np.ndarray:
    # Files round Kp to one or three decimals (0.3 or 0.333); the index itself is a whole number of thirds.
    known = np.where(kp >= 0, kp, np.nan)
    thirds = np.round(3.0 * known) / 3.0
    bad = np.isfinite(known) & ((np.abs(known - thirds) > 0.05) | (known > 9.0))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise DataError(
            f"{where[row]}: Kp number {column + 1} is {known[row, column]:g}; Kp must be 0 to 9 in thirds; "
            "the columns are shifted or the file is of another format"
        )
    return thirds
