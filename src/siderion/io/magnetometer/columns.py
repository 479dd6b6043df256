"""Which column of a table is time, magnetic field and position: by the table of known products, else by name.

Names are compared without case, and with every sign that is no letter or digit taken as ``_``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from siderion.core.errors import DataError
from siderion.core.tables import load_table

ColumnsOption = Mapping[str, str | Sequence[str]] | Sequence[str] | str | None
OPTION = (
    "the option `columns`, such as columns={'time': 'UTC', 'magnetic_field': ['B1', 'B2', 'B3'], 'position': ['X', 'Y', 'Z']}"
)
_TIME_NAMES = (
    "TIME", "UTC", "TIME_UTC", "UTC_TIME", "SAMPLE_UTC", "EPOCH", "DATE_TIME", "DATETIME", "TIMESTAMP", "TIME_TAG_UTC", "SCET",
    "SCET_UTC", "UTC_SCET", "ISO_TIME", "T",
)  # fmt: skip
_PARTS = {
    "year": ("YEAR", "TIME_YEAR", "YYYY", "YR"), "month": ("MONTH", "MON", "MO"), "day": ("DAY", "DAY_OF_MONTH", "DOM", "DD"),
    "day_of_year": ("DAY_OF_YEAR", "DOY", "TIME_DOY"), "hour": ("HOUR", "TIME_HOUR", "HR", "HH"),
    "minute": ("MINUTE", "MIN", "TIME_MIN"), "second": ("SECOND", "SEC", "TIME_SEC", "SECONDS"),
    "millisecond": ("MILLISECOND", "MSEC", "TIME_MSEC", "MILLISECONDS"),
}  # fmt: skip
_FIELD = re.compile(r"(?:MAG_|FGM_|B_FIELD_|OB_)?B?_?([XYZ]|R|TH|THETA|PH|PHI|T|N)(?:_COMPONENT|_COMP)?(?:_([A-Z0-9]+))?")
_POSITION = re.compile(
    r"(?:POSN?_|POSITION_|SC_|R_|SC_POS_|SPACECRAFT_POSITION_(?:VECTOR_)?)?([XYZ])(?:_?SC|_COMPONENT|_POS)?(?:_([A-Z0-9]+))?"
)
_TRIPLES = (("X", "Y", "Z"), ("R", "THETA", "PHI"), ("R", "TH", "PH"), ("R", "T", "N"))


@dataclass(frozen=True)
class Roles:
    """Names of the columns of a table, as the file writes them."""

    time: dict[str, str]
    """``{"text": name}``, or calendar parts such as ``{"year": name, "day_of_year": name, ...}``."""
    field: tuple[str, str, str]
    position: tuple[str, str, str] | None
    frame: str = ""
    body: str = ""
    product: str = ""
    status: str = "untested on archive files"
    components: tuple[str, str, str] = ("X", "Y", "Z")


def find_roles(names: Sequence[str], file_format: str, option: ColumnsOption, where: str) -> Roles:
    """Find time, field and position among the columns of a table.

    Parameters
    ----------
    names : sequence of str
        Names of the columns as the file writes them.
    file_format : str
        Format, as in the table ``magnetometer_formats``.
    option : mapping, or None
        Names given by the user for ``time``, ``magnetic_field`` and ``position``; these win.
    where : str
        The file, for messages.

    Returns
    -------
    Roles
        The columns.

    Raises
    ------
    DataError
        No column fits, or several do; the message lists the columns and the option.
    """
    given = option if isinstance(option, Mapping) else {}
    known = None if "magnetic_field" in given or file_format == "text" else _known_product(names, file_format)
    roles = known or _by_name(names, given, where)
    changes: dict = {}
    if "time" in given:
        changes["time"] = {"text": _taken(given["time"], 1, names, where)[0]}
    if "magnetic_field" in given:
        changes["field"] = _taken(given["magnetic_field"], 3, names, where)
    if "position" in given:
        changes["position"] = _taken(given["position"], 3, names, where)
    return Roles(**{**roles.__dict__, **changes})


def _taken(value: str | Sequence[str], count: int, names: Sequence[str], where: str) -> tuple:
    wanted = [value] if isinstance(value, str) else list(value)
    found = [next((name for name in names if plain(name) == plain(one)), None) for one in wanted]
    if len(found) != count or None in found:
        raise DataError(f"{where}: option `columns` names {wanted}; {count} of these are needed: {', '.join(names)}")
    return tuple(found)


def plain(name: str) -> str:
    """A name in capitals, with one ``_`` for each run of other signs."""
    return re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")


@cache
def _products() -> tuple[dict[str, str], ...]:
    table = load_table("io", "magnetometer_formats").fillna("")
    return tuple({str(key): str(value).strip() for key, value in row.items()} for row in table.to_dict("records"))


def product_rows(file_format: str) -> list[dict[str, str]]:
    """Rows of the table of known products of a format."""
    return [row for row in _products() if row["format"] == file_format]


def _known_product(names: Sequence[str], file_format: str) -> Roles | None:
    by_plain = {plain(name): name for name in names}
    for row in product_rows(file_format):
        time, vector, position = (row[f"{kind}_columns"].split(";") for kind in ("time", "field", "position"))
        if not all(plain(name) in by_plain for name in [*time, *vector]):
            continue
        has_position = len(position) == 3 and all(plain(name) in by_plain for name in position)
        return Roles(
            time=_time_roles([by_plain[plain(name)] for name in time]),
            field=tuple(by_plain[plain(name)] for name in vector),  # type: ignore[arg-type]
            position=tuple(by_plain[plain(name)] for name in position) if has_position else None,  # type: ignore[arg-type]
            frame=row["frame"],
            body=row["body"],
            product=row["product"],
            status=row["status"],
            components=_FIELD_NAMES.get(row["components"], ("X", "Y", "Z")),
        )
    return None


_FIELD_NAMES: dict[str, tuple[str, str, str]] = {"r theta phi": ("R", "THETA", "PHI"), "r t n": ("R", "T", "N")}


def _time_roles(names: Sequence[str]) -> dict[str, str]:
    if len(names) == 1:
        return {"text": names[0]}
    return {part: name for name in names for part, all_names in _PARTS.items() if plain(name) in all_names}


def _by_name(names: Sequence[str], given: Mapping[str, object], where: str) -> Roles:
    time = {"text": ""} if "time" in given else _find_time(names, where)
    if "magnetic_field" in given:
        return Roles(time, ("", "", ""), _find_position(names, ""))
    fields = _triples(names, _FIELD, needs_b=True)
    if not fields:
        raise DataError(f"{where}: no three columns of magnetic field among {', '.join(names)}; name them with {OPTION}")
    if len(fields) > 1:
        choices = "; ".join(", ".join(columns) for columns, *_ in fields)
        raise DataError(f"{where}: several triples of columns fit the magnetic field: {choices}; choose with {OPTION}")
    columns, suffix, components = fields[0]
    return Roles(time, columns, _find_position(names, suffix), frame=suffix, components=components)


def _find_time(names: Sequence[str], where: str) -> dict[str, str]:
    by_plain = {plain(name): name for name in names}
    parts = {part: by_plain[n] for part, all_names in _PARTS.items() for n in all_names if n in by_plain}
    if "year" in parts and ("day_of_year" in parts or "day" in parts):
        if "day_of_year" in parts:
            parts = {part: name for part, name in parts.items() if part not in ("month", "day")}
        return parts
    text = next((by_plain[name] for name in _TIME_NAMES if name in by_plain), None)
    if text is None and {"DATE", "TIME"} & set(by_plain):
        text = by_plain.get("DATE") or by_plain.get("TIME")
    if text is None:
        raise DataError(f"{where}: no column of time among {', '.join(names)}; name it with {OPTION}")
    return {"text": text}


def _find_position(names: Sequence[str], suffix: str) -> tuple[str, str, str] | None:
    found = [triple for triple in _triples(names, _POSITION, needs_b=False) if triple[2] == ("X", "Y", "Z")]
    same = [columns for columns, end, _ in found if end == suffix] or [columns for columns, end, _ in found if not end]
    return same[0] if same else None


def _triples(names: Sequence[str], pattern: re.Pattern[str], needs_b: bool) -> list[tuple[tuple, str, tuple]]:
    """Columns (x, y, z), suffix and component names of every complete triple; field names must hold the letter B."""
    groups: dict[tuple[str, str], dict[str, str]] = {}
    for name in names:
        match = pattern.fullmatch(plain(name))
        if match and (not needs_b or _is_field_name(plain(name))):
            component, suffix = match[1], match[2] or ""
            groups.setdefault((plain(name).replace(component, "?", 1) if not needs_b else _stem(plain(name), match), suffix), {})[
                component
            ] = name
    result = []
    for (_, suffix), members in groups.items():
        for triple in _TRIPLES:
            if all(component in members for component in triple):
                result.append((tuple(members[c] for c in triple), "" if suffix in ("COMPONENT", "NT") else suffix, triple))
                break
    return result


def _is_field_name(name: str) -> bool:
    return bool(re.match(r"(?:(?:MAG|FGM|OB)_)?B|MAG_|FGM_", name))


def _stem(name: str, match: re.Match[str]) -> str:
    return name[: match.start(1)] + "?" + name[match.end(1) :]
