"""Plain tables: comma, semicolon, tab or blanks between the columns, with a header of names or without.

A header may carry units, such as ``Bx [nT]``. Without a header the option ``columns`` names the columns in order, except
for eight columns whose fifth is the magnitude of the three before it: time, Bx, By, Bz, magnitude, x, y, z. These are the
flyby tables of Galileo and Juno, in nT; their position is in radii of the moon or in km, as its size says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from siderion.core.bodies import get_body
from siderion.core.errors import CoverageError, DataError, UnitsError

from .columns import OPTION, ColumnsOption, find_roles, plain, product_rows
from .labelled import TableInfo, labelled_samples
from .series import Samples
from .tables import Column, read_bytes, read_delimited
from .units import OPTION as UNITS_OPTION

FORMAT = "text"
FLYBY_COLUMNS = ("time", "bx", "by", "bz", "magnitude", "x", "y", "z")
_NAME = re.compile(r"([^\s\[\(,;]+)(?:\s*[\[\(]([^\]\)]*)[\]\)])?")
_TIME = re.compile(r"\d{4}-\d{1,3}(-\d{1,2})?([T ]\d{1,2}:\d{1,2}(:[\d.]+)?)?Z?")
_LARGEST_RADII = 1000.0
"""A distance in radii below which a flyby table may be in radii; real ones are below 100."""


@dataclass(frozen=True)
class Layout:
    """Where the rows begin, what lies between the columns, and the names and units of a header."""

    skip: int
    """Bytes ahead of the first row."""
    delimiter: str
    """One sign, or empty for blanks."""
    names: tuple[str, ...]
    units: tuple[str, ...]
    split_time: bool
    """Whether date and time of day are two fields, as in ``1997-12-16 11:42:56``."""
    first: tuple[str, ...]
    """The fields of the first row."""


def read_text(path: Path, option: ColumnsOption, units: Mapping[str, str], body: str) -> Samples:
    """Read a plain table.

    Parameters
    ----------
    path : path
        The file.
    option : sequence of str, str, or mapping
        Names of the columns in order (one text has commas between), or names by role; see `read_magnetometer`.
    units : mapping
        Units given by the user; they decide the unit of the position of a flyby table.
    body : str
        Body, for the same.

    Returns
    -------
    Samples
        The samples.

    Raises
    ------
    DataError
        The file is no table, its columns are not known, or a field is no number.
    UnitsError
        It cannot be told whether the position of a flyby table is in km or in radii.
    """
    data = read_bytes(path)
    layout = find_layout(data, str(path))
    names = _names(layout, option, data, str(path))
    roles = option if isinstance(option, Mapping) else None
    columns = [_column(name, unit) for name, unit in names]
    split = [Column("time of day", 0, 0, text=True)] if layout.split_time else []
    all_names = [columns[0].name, *[c.name for c in split], *[c.name for c in columns[1:]]]
    rows = data[layout.skip :]

    def read(wanted: list[Column]) -> dict:
        extra = split if wanted[0].text and layout.split_time else []
        values = read_delimited(rows, [*wanted, *extra], all_names, layout.delimiter, str(path))
        if extra:
            day, hour = values[wanted[0].name], values["time of day"]
            values[wanted[0].name] = np.array([f"{a}T{b}" for a, b in zip(day, hour, strict=True)], dtype=object)
        return values

    samples = labelled_samples(columns, read, roles, TableInfo(str(path), FORMAT, title=path.name))
    samples.frame = samples.position_frame = find_roles([c.name for c in columns], FORMAT, roles, str(path)).frame
    if not layout.names and option is None:
        _flyby(samples, units, body)
    return samples


def find_layout(data: bytes, where: str) -> Layout:
    """Find header, delimiter and first row of a plain table; `DataError` if there is none."""
    header, second, comment, place = "", "", "", 0
    for raw in data[:262144].splitlines(keepends=True):
        line = raw.decode("latin-1").strip().removeprefix("\xef\xbb\xbf").strip()
        if line and line[0] in "#%!;":
            comment = line[1:].strip() or comment
        elif line:
            delimiter = _delimiter(line)
            fields = _fields(line, delimiter)
            if _is_row(fields):
                return _layout(place, delimiter, fields, (header, second, comment), where)
            if header and second:
                break
            header, second = (header, line) if header else (line, "")
        place += len(raw)
    raise DataError(
        f"{where}: no rows of time and numbers after at most two lines of header; the format is not known: give it with "
        "the option `file_format` (pds3, pds4, sts, cdf, text)"
    )


def _layout(skip: int, delimiter: str, fields: list[str], lines: tuple[str, str, str], where: str) -> Layout:
    header, second, comment = lines
    split = not delimiter and len(fields) > 2 and bool(re.fullmatch(r"\d{4}-\d+(-\d+)?", fields[0])) and ":" in fields[1]
    count = len(fields) - split
    for line in (header, comment):
        if line:
            names, units = _header(line, delimiter)
            if len(names) == count:
                if second:
                    units = tuple(_fields(second, delimiter))
                    if len(units) != count:
                        raise DataError(f"{where}: the header has {count} names but {len(units)} units; {OPTION} can name them")
                return Layout(skip, delimiter, names, units, split, tuple(fields))
    if header:
        found = len(_header(header, delimiter)[0])
        raise DataError(
            f"{where}: the header {header[:60]!r} names {found} columns, but the rows have {count}; name them with {OPTION}"
        )
    return Layout(skip, delimiter, (), (), split, tuple(fields))


def _header(line: str, delimiter: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if not delimiter:
        found = _NAME.findall(line)
        return tuple(name for name, _ in found), tuple(unit.strip() for _, unit in found)
    parts = [re.match(r"\s*\"?([^\[\(\"]*)(?:[\[\(]([^\]\)]*)[\]\)])?", part) for part in line.split(delimiter)]
    return tuple(p[1].strip() for p in parts if p), tuple((p[2] or "").strip() for p in parts if p)


def _delimiter(line: str) -> str:
    return next((sign for sign in (",", ";", "\t") if line.count(sign) >= 2), "")


def _fields(line: str, delimiter: str) -> list[str]:
    return [part.strip().strip('"') for part in (line.split(delimiter) if delimiter else line.split())]


def _is_row(fields: Sequence[str]) -> bool:
    """Whether the fields are times and numbers (blank and NaN included), at least four of them."""
    numbers = [_is_number(field) or not field for field in fields]
    times = [bool(_TIME.fullmatch(field)) or bool(re.fullmatch(r"\d{1,2}:\d{1,2}(:[\d.]+)?Z?", field)) for field in fields]
    return len(fields) >= 4 and all(n or t for n, t in zip(numbers, times, strict=True))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _names(layout: Layout, option: ColumnsOption, data: bytes, where: str) -> list[tuple[str, str]]:
    """Name and unit of each column: those of the option, else those of the header, else those of a flyby table."""
    count = len(layout.first) - layout.split_time
    if option is not None and not isinstance(option, Mapping):
        parts = [p for p in option.split(",")] if isinstance(option, str) else list(option)
        found = [re.match(r"\s*([^\[\(]*)(?:[\[\(]([^\]\)]*)[\]\)])?", part) for part in parts]
        if len(parts) != count:
            raise DataError(f"{where}: option `columns` names {len(parts)} columns, but the rows have {count}: {layout.first}")
        return [(p[1].strip(), (p[2] or "").strip()) for p in found if p]
    if layout.names:
        return list(zip(layout.names, layout.units, strict=True))
    if count == 8 and _is_flyby(layout, data):
        return list(zip(FLYBY_COLUMNS, ("", "nT", "nT", "nT", "nT", "", "", ""), strict=True))
    raise DataError(
        f"{where}: the table has no header, and its {count} columns are not time, Bx, By, Bz, magnitude, x, y, z; name them in "
        "order with the option `columns`, such as columns=['time', 'bx [nT]', 'by [nT]', 'bz [nT]']"
    )


def _is_flyby(layout: Layout, data: bytes) -> bool:
    """Whether column 5 is the magnitude of columns 2 to 4 to rounding, in most of the first rows."""
    lines = data[layout.skip : layout.skip + 32768].decode("latin-1").splitlines()[:100]
    rows = [_fields(line, layout.delimiter)[-7:] for line in lines if line.strip()]
    numbers = np.array([[float(x) for x in row[:4]] for row in rows if len(row) == 7 and all(map(_is_number, row[:4]))])
    if not len(numbers):
        return False
    digits = max((len(x.partition(".")[2]) for row in rows[:5] for x in row[:4]), default=0)
    magnitude = np.linalg.norm(numbers[:, :3], axis=1)
    tolerance = 2.0 * 10.0 ** -min(digits, 10) + 1e-4 * magnitude
    return bool(np.mean(np.abs(magnitude - numbers[:, 3]) <= tolerance) > 0.9)


def _column(name: str, unit: str) -> Column:
    is_time = plain(name) in ("TIME", "UTC", "DATE", "DATETIME", "EPOCH") or "TIME" in plain(name) or "UTC" in plain(name)
    return Column(name, 0, 0, text=is_time, unit=unit)


def _flyby(samples: Samples, units: Mapping[str, str], body: str) -> None:
    """Decide the unit of the position of a flyby table, and say how."""
    row = product_rows(FORMAT)[0]
    samples.product, samples.status = row["product"], row["status"]
    samples.frame = samples.position_frame = ""
    if units.get("position") or samples.position is None:
        return
    distance = np.linalg.norm(samples.position, axis=1)
    distance = distance[np.isfinite(distance)]
    radius = _radius_km(body)
    if not distance.size or (distance.max() > _LARGEST_RADII and distance.min() > 1.0):
        samples.position_unit = "km"
    elif radius is not None and radius < _LARGEST_RADII:
        raise UnitsError(
            f"{samples.file}: the position may be in km or in radii of {body} ({radius:g} km); say which with {UNITS_OPTION}"
        )
    else:
        samples.position_unit = "R_body"
    if distance.size:
        samples.notes.append(
            f"position taken as {'radii of the body' if samples.position_unit == 'R_body' else 'km'}: "
            f"distances are {distance.min():g} to {distance.max():g}"
        )


def _radius_km(body: str) -> float | None:
    try:
        radius = get_body(body).radius if body else None
    except CoverageError:
        return None
    return None if radius is None else radius / 1e3
