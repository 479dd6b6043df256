"""Lists of boundary crossings as intervals of known region.

A comma-separated file with a header; lines that begin with ``#`` are comments. Four forms are told apart by the header:

- ``time, boundary, direction``: one row per crossing, ``direction`` in or out.
- ``start, end, boundary, direction``: the first and the last of a group of crossings; the time between is a transition.
- ``start, end, region``: intervals of a region.
- ``Yr_pass, Day_orbit, Hour, Minute, Second, Boundary number``: the list of MESSENGER of Philpott et al. (2020).

The column ``boundary`` may also be called ``kind`` or ``type``, and may hold the direction too (``BSI``, ``mp_out``).
"""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from siderion.core.errors import DataError, SettingsError

from .gfz import TextColumns, read_columns

REGIONS = ("unknown", "solar_wind", "magnetosheath", "magnetosphere")
"""Names of the regions in the intervals; transitions and gaps are unknown."""
_BOUNDARIES = {
    "bow shock": "bow shock", "bs": "bow shock", "shock": "bow shock",
    "magnetopause": "magnetopause", "mp": "magnetopause", "mpb": "magnetopause", "imb": "magnetopause", "icb": "magnetopause",
    "magnetic pile-up boundary": "magnetopause", "induced magnetosphere boundary": "magnetopause",
    "ion composition boundary": "magnetopause",
}  # fmt: skip
_DIRECTIONS = {"in": "in", "inbound": "in", "i": "in", "out": "out", "outbound": "out", "o": "out"}
_OUTER = {"bow shock": "solar_wind", "magnetopause": "magnetosheath"}
_INNER = {"bow shock": "magnetosheath", "magnetopause": "magnetosphere"}
_SYNONYMS = ("boundary", "kind", "type")
_PHILPOTT = ("Yr_pass", "Day_orbit", "Hour", "Minute", "Second", "Boundary number")
# Boundary number: first and second crossing of bow shock in, magnetopause in, magnetopause out, bow shock out; gap.
_PHILPOTT_PAIRS = {
    1: ("bow shock", "in"), 3: ("magnetopause", "in"), 5: ("magnetopause", "out"), 7: ("bow shock", "out"), 9: ("gap", ""),
}  # fmt: skip


@dataclass(frozen=True)
class _Crossing:
    start: np.datetime64
    end: np.datetime64
    boundary: str
    direction: str
    where: str

    @property
    def before(self) -> str:
        return "unknown" if self.boundary == "gap" else (_OUTER if self.direction == "in" else _INNER)[self.boundary]

    @property
    def after(self) -> str:
        return "unknown" if self.boundary == "gap" else (_INNER if self.direction == "in" else _OUTER)[self.boundary]

    def __str__(self) -> str:
        return f"{self.boundary} {self.direction} at {self.start}".replace("  ", " ")


def read_crossings(path: str | PathLike[str], *, disagreement: Literal["refuse", "unknown"] = "refuse") -> xr.Dataset:
    """Read a list of crossings.

    Parameters
    ----------
    path : str or path
        The file; its forms are described at the head of this module. Times are UTC.
    disagreement : {"refuse", "unknown"}
        What to do where two crossings in turn contradict each other, such as two entries without an exit between them:
        refuse the list, or leave the time between them unknown and count it in the attribute ``disagreements``.

    Returns
    -------
    xarray.Dataset
        ``start``, ``end`` (datetime64[ns], UTC) and ``region`` (one of `REGIONS`) along ``interval``, in order, without
        overlap. Before the first crossing and after the last one there is no interval: the region is not known there.

    Raises
    ------
    DataError
        The file cannot be read, is of none of the forms, is not in order of time, holds an unknown boundary, direction,
        region or time, or crossings contradict each other; with file and line.
    SettingsError
        ``disagreement`` is neither of the two.

    Notes
    -----
    The numbers of Philpott et al. (2020), doi:10.1029/2019JA027544, are 1, 2 bow shock in; 3, 4 magnetopause in; 5, 6
    magnetopause out; 7, 8 bow shock out (first and last crossing); 9, 10 ends of a gap. Untested on the published file.
    """
    if disagreement not in ("refuse", "unknown"):
        raise SettingsError(f"disagreement is {disagreement!r}; use 'refuse' or 'unknown'")
    table = read_columns(path, [], ["time", "start", "end", "region", "direction", *_SYNONYMS, *_PHILPOTT])
    names = set(table.columns)
    disagreements = 0
    if set(_PHILPOTT) <= names:
        rows, disagreements = _intervals(_philpott(table), disagreement)
        form = "Philpott et al. 2020"
    elif {"start", "end", "region"} <= names:
        rows, form = _regions(table), "intervals of regions"
    elif names & set(_SYNONYMS) and ("time" in names or {"start", "end"} <= names):
        rows, disagreements = _intervals(_crossings(table), disagreement)
        form = "crossings" if "time" in names else "groups of crossings"
    else:
        raise DataError(
            f"{path}: the header holds none of the sets of columns time, boundary, direction; start, end, boundary, direction; "
            f"start, end, region; {', '.join(_PHILPOTT)}; rename the columns"
        )
    if not rows:
        raise DataError(f"{path}: no interval; a list needs at least two crossings, or one interval")
    dataset = xr.Dataset(
        {
            "start": (
                "interval",
                np.array([row[0] for row in rows], dtype="datetime64[ns]"),
                {"long_name": "start of interval, UTC"},
            ),
            "end": (
                "interval",
                np.array([row[1] for row in rows], dtype="datetime64[ns]"),
                {"long_name": "end of interval, UTC"},
            ),
            "region": ("interval", np.array([row[2] for row in rows], dtype=str), {"long_name": "region of the plasma"}),
        }
    )
    dataset.attrs = {"source": Path(path).name, "source_format": form, "disagreements": disagreements}
    return dataset


def _crossings(table: TextColumns) -> list[_Crossing]:
    kind = next(name for name in _SYNONYMS if name in table.columns)
    first, last = ("time", "time") if "time" in table.columns else ("start", "end")
    crossings = []
    for row, text in enumerate(table.columns[kind]):
        direction = table.columns["direction"][row] if "direction" in table.columns else None
        crossings.append(
            _Crossing(
                _time(table, first, row), _time(table, last, row), *_kind(text, direction, table.where(row)), table.where(row)
            )
        )
    return crossings


def _kind(text: str, direction: str | None, where: str) -> tuple[str, str]:
    name = " ".join(text.strip().lower().replace("_", " ").split())
    if direction is None:
        joined = name.replace(" ", "")
        for ending in sorted(_DIRECTIONS, key=len, reverse=True):
            base = joined.removesuffix(ending)
            match = next((known for known in _BOUNDARIES if known.replace(" ", "") == base), None)
            if joined.endswith(ending) and match:
                return _BOUNDARIES[match], _DIRECTIONS[ending]
    elif name in _BOUNDARIES and direction.strip().lower() in _DIRECTIONS:
        return _BOUNDARIES[name], _DIRECTIONS[direction.strip().lower()]
    given = text if direction is None else f"{text}, {direction}"
    raise DataError(
        f"{where}: boundary and direction {given!r} are unknown; boundaries: {', '.join(_BOUNDARIES)}; directions: in, out"
    )


def _philpott(table: TextColumns) -> list[_Crossing]:
    numbers = {name: table.numbers(name) for name in _PHILPOTT}
    crossings = []
    pending: int | None = None
    times = []
    for row in range(len(table.lines)):
        values = [float(numbers[name][row]) for name in _PHILPOTT]
        if not np.isfinite(values).all():
            raise DataError(f"{table.where(row)}: {', '.join(_PHILPOTT)} are {values}; none may be empty")
        year, day, hour, minute, second, number = values
        start = np.datetime64(f"{int(year):04d}-01-01", "ns")
        seconds = ((day - 1.0) * 24.0 + hour) * 3600.0 + minute * 60.0
        times.append(start + np.timedelta64(round(seconds), "s") + np.timedelta64(round(second * 1e3), "ms"))
        boundary = int(number)
        if boundary not in range(1, 11):
            raise DataError(f"{table.where(row)}: Boundary number is {number:g}; it must be 1 to 10")
        if boundary % 2:
            if pending is not None:
                raise DataError(
                    f"{table.where(row)}: Boundary number {boundary}, but {pending + 1} must follow {pending}; complete the pair"
                )
            pending = boundary
        else:
            if pending != boundary - 1:
                raise DataError(
                    f"{table.where(row)}: Boundary number {boundary} does not follow {boundary - 1}; complete the pair"
                )
            crossings.append(_Crossing(times[-2], times[-1], *_PHILPOTT_PAIRS[pending], table.where(row - 1)))
            pending = None
    if pending is not None:
        raise DataError(
            f"{table.where(len(table.lines) - 1)}: the file ends after Boundary number {pending}; {pending + 1} is missing"
        )
    return crossings


def _intervals(crossings: list[_Crossing], disagreement: str) -> tuple[list[tuple], int]:
    rows: list[tuple] = []
    disagreements = 0
    for index, crossing in enumerate(crossings):
        if crossing.end < crossing.start:
            raise DataError(f"{crossing.where}: {crossing} ends at {crossing.end}, before it starts; correct the times")
        if index:
            last = crossings[index - 1]
            if crossing.start < last.end:
                raise DataError(
                    f"{crossing.where}: {crossing} lies before the end of the row above, {last.end}; sort the list by time"
                )
            region = last.after
            if "gap" not in (last.boundary, crossing.boundary) and last.after != crossing.before:
                disagreements += 1
                region = "unknown"
                if disagreement == "refuse":
                    raise DataError(
                        f"{crossing.where}: {crossing} follows {last}: in {last.after} after the one, in {crossing.before} "
                        "before the other; a crossing is missing between them: add it, or read the list with "
                        "disagreement='unknown'"
                    )
            elif last.boundary == "gap":
                region = crossing.before
            rows.append((last.end, crossing.start, region))
        if crossing.end > crossing.start:
            rows.append((crossing.start, crossing.end, "unknown"))
    return [row for row in rows if row[1] > row[0]], disagreements


def _regions(table: TextColumns) -> list[tuple]:
    rows: list[tuple] = []
    for row, text in enumerate(table.columns["region"]):
        region = text.strip().lower().replace(" ", "_")
        start, end = _time(table, "start", row), _time(table, "end", row)
        if region not in REGIONS:
            raise DataError(f"{table.where(row)}: region is {text!r}; use one of {', '.join(REGIONS)}")
        if end < start or (rows and start < rows[-1][1]):
            raise DataError(
                f"{table.where(row)}: interval {start} to {end} ends before it starts or overlaps the row above; sort the list"
            )
        rows.append((start, end, region))
    return rows


def _time(table: TextColumns, name: str, row: int) -> np.datetime64:
    text = table.columns[name][row].strip()
    time = pd.to_datetime(text, errors="coerce", utc=True, format="ISO8601")
    # pandas also reads words such as "now": a time must begin with its year.
    if not text[:4].isdigit() or pd.isna(time):
        raise DataError(f"{table.where(row)}: {name} is {text!r}; it must be an ISO time such as 2011-03-24T06:00:00")
    return time.tz_localize(None).to_datetime64().astype("datetime64[ns]")
