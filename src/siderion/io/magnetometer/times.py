"""Times as archives write them, built on whole columns: ISO text, unpadded text, calendar columns, seconds.

All times are UTC. A leap second (second 60) becomes the first second of the next minute, because datetime64 has no leap
seconds.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siderion.core.errors import DataError

_SEPARATORS = bytes.maketrans(b"-/:TtZz,;", b"         ")
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?Z?")
_RULE = "times must read like 1996-06-27T06:07:08.894 (UTC)"
_NANOSECOND_LIMIT = (1680, 2260)


def times_from_text(text: Sequence[str] | NDArray, where: str, calendar: str = "") -> NDArray[np.datetime64]:
    """Times from text.

    Parameters
    ----------
    text : array of str, shape (row,)
        Texts such as ``1996-06-27T06:07:08.894``, ``2021-06-07T15:00:0.497`` (not padded), ``2017-001T00:00:31`` (day of
        year) or ``1998 122 10 4 3 56``. Empty text gives NaT.
    where : str
        The file, for the message.
    calendar : {"", "month", "day_of_year"}
        Whether texts of six numbers hold month and day, or day of year and milliseconds; empty decides by the dashes.

    Returns
    -------
    array of datetime64[ns], shape (row,)
        The times.

    Raises
    ------
    DataError
        A text is not a time; the message holds its row.
    """
    values = np.asarray(text, dtype=object)
    first = next((str(v).strip() for v in values[:100] if isinstance(v, str) and v.strip()), "")
    if _ISO.fullmatch(first) and calendar != "day_of_year":
        try:
            parsed = pd.to_datetime(pd.Series(values), format="ISO8601", utc=True)
            return parsed.dt.tz_localize(None).to_numpy().astype("datetime64[ns]")
        except ValueError:
            pass  # some rows are not padded, or are no times: the slower way finds out
    return _from_parts(values, first, where, calendar)


def _from_parts(values: NDArray, first: str, where: str, calendar: str) -> NDArray[np.datetime64]:
    blank = np.array([not (isinstance(v, str) and v.strip()) for v in values], dtype=bool)
    full = [v.strip() for v in values[~blank]]
    times = np.full(values.size, np.datetime64("NaT", "ns"))
    if not full:
        return times
    lines = "\n".join(full).encode("ascii", "replace").translate(_SEPARATORS)
    try:
        table = pd.read_csv(io.BytesIO(lines), sep=r"\s+", header=None, dtype=np.float64, index_col=False).to_numpy()
    except (ValueError, pd.errors.ParserError) as error:
        raise DataError(f"{where}: {_bad_time(full, np.flatnonzero(~blank))}; {_RULE}") from error
    times[~blank] = _from_numbers(table, first, where, calendar, full)
    return times


def _from_numbers(table: NDArray, first: str, where: str, calendar: str, full: list[str]) -> NDArray[np.datetime64]:
    date = re.split(r"[T\s]", first, maxsplit=1)[0]
    parts = len(re.split(r"[-/]", date))
    if calendar == "day_of_year" or parts == 2:
        columns = dict(zip(("year", "day_of_year", "hour", "minute", "second", "millisecond"), table.T, strict=False))
    elif parts == 3 or calendar == "month":
        columns = dict(zip(("year", "month", "day", "hour", "minute", "second"), table.T, strict=False))
    else:
        raise DataError(f"{where}: the time {full[0]!r} is not understood; {_RULE}")
    if "year" not in columns or len(columns) < 2 or table.shape[1] > len(columns):
        raise DataError(f"{where}: the time {full[0]!r} has {table.shape[1]} numbers; {_RULE}")
    return times_from_columns(columns, where)


def _bad_time(full: list[str], rows: NDArray) -> str:
    good = re.compile(r"[\d\-/:TtZz.,;\s+eE]+")
    index = next((i for i, text in enumerate(full) if not good.fullmatch(text)), 0)
    return f"row {rows[index]}: the time is {full[index]!r}"


def times_from_columns(columns: dict[str, NDArray], where: str) -> NDArray[np.datetime64]:
    """Times from calendar columns.

    Parameters
    ----------
    columns : dict of array, shape (row,)
        ``year``, then ``day_of_year`` or ``month`` and ``day``, then as many as there are of ``hour``, ``minute``,
        ``second`` (with decimals) and ``millisecond``. NaN gives NaT.
    where : str
        The file, for the message.

    Returns
    -------
    array of datetime64[ns], shape (row,)
        The times.

    Raises
    ------
    DataError
        A number lies outside its range; the message holds its row.
    """
    names = {"year": _NANOSECOND_LIMIT, "month": (1, 12), "day": (1, 31), "day_of_year": (1, 366.999999999), "hour": (0, 24),
             "minute": (0, 60), "second": (0, 61), "millisecond": (0, 1000)}  # fmt: skip
    numbers = {name: np.asarray(columns[name], dtype=float) for name in names if name in columns}
    missing = ~np.all([np.isfinite(values) for values in numbers.values()], axis=0)
    for name, values in numbers.items():
        low, high = names[name]
        wrong = np.flatnonzero(~missing & ~((values >= low) & (values <= high)))
        if wrong.size:
            raise DataError(
                f"{where}: row {wrong[0]}: {name} is {values[wrong[0]]:g}; it must be {low:g} to {high:g}; check the columns"
            )
    clean = {name: np.where(missing, max(names[name][0], 0), values) for name, values in numbers.items()}
    times: NDArray[np.datetime64] = np.asarray(_days(clean).astype("datetime64[ns]") + _nanoseconds_of_day(clean))
    times[missing] = np.datetime64("NaT", "ns")
    return times


def _days(columns: dict[str, NDArray]) -> NDArray:
    years = (columns["year"].astype(np.int64) - 1970).astype("datetime64[Y]")
    if "day_of_year" in columns:
        return years.astype("datetime64[D]") + (np.floor(columns["day_of_year"]).astype(np.int64) - 1)
    months = years.astype("datetime64[M]") + (columns["month"].astype(np.int64) - 1)
    return months.astype("datetime64[D]") + (columns["day"].astype(np.int64) - 1)


def _nanoseconds_of_day(columns: dict[str, NDArray]) -> NDArray:
    """Time of day; the decimals of seconds are rounded to 1 ns (only then do 0.1 and 0.1 make the same time)."""
    total = np.zeros(columns["year"].shape, dtype=np.int64)
    for name, unit in (
        ("hour", 3_600_000_000_000),
        ("minute", 60_000_000_000),
        ("second", 1_000_000_000),
        ("millisecond", 1_000_000),
    ):
        if name in columns:
            whole = np.floor(columns[name])
            total += whole.astype(np.int64) * unit + np.rint((columns[name] - whole) * unit).astype(np.int64)
    if "hour" not in columns and "day_of_year" in columns:
        fraction = columns["day_of_year"] % 1.0
        total += np.rint(fraction * 86_400_000).astype(np.int64) * 1_000_000
    return total.astype("timedelta64[ns]")


def times_from_seconds(seconds: NDArray, epoch: str = "1970-01-01") -> NDArray[np.datetime64]:
    """Times from seconds since an epoch, rounded to 1 microsecond (the resolution of a float64 near today); NaN gives NaT."""
    values = np.asarray(seconds, dtype=float)
    times = np.full(values.shape, np.datetime64("NaT", "ns"))
    finite = np.isfinite(values) & (np.abs(values) < 9e9)
    whole = np.floor(values[finite])
    microseconds = whole.astype(np.int64) * 1_000_000 + np.rint((values[finite] - whole) * 1e6).astype(np.int64)
    times[finite] = np.datetime64(epoch, "ns") + microseconds.astype("timedelta64[us]")
    return times
