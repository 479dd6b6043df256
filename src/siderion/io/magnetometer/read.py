"""The one door to magnetometer files: recognises the format, reads, joins and repairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path

import xarray as xr

from siderion.core.errors import DataError, SettingsError

from . import cdf, pds3, pds4, sts, text
from .columns import ColumnsOption
from .series import Options, Rule, Samples, build_series
from .tables import read_head
from .units import is_length_unit, is_magnetic_unit

FORMATS = {
    "pds3": "PDS3 character table with its label (.TAB and .LBL, or in one file)",
    "pds4": "PDS4 character table with its label (.xml)",
    "sts": "standard time series of MAVEN and MGS (.sts, header in the file)",
    "cdf": "Common Data Format (.cdf)",
    "text": "plain table with a header, or time Bx By Bz |B| x y z",
}
"""Names of the formats, for the option ``file_format``, and what they are."""
_ROLES = ("time", "magnetic_field", "position")

PathOrPaths = str | PathLike[str] | Iterable[str | PathLike[str]]


def read_magnetometer(
    paths: PathOrPaths,
    *,
    file_format: str | None = None,
    body: str = "",
    frame: str | None = None,
    units: str | Mapping[str, str] | None = None,
    columns: ColumnsOption = None,
    disorder: Rule = "repair",
    duplicates: Rule = "repair",
) -> xr.Dataset:
    """Read one magnetometer file or many into a Series.

    Parameters
    ----------
    paths : path, or several
        Files of one frame, in any order. Table and label of a pair count once. Overlaps are duplicates.
    file_format : {"pds3", "pds4", "sts", "cdf", "text"}, optional
        Format; recognised from the content and the label when not given.
    body : str
        Body the position is relative to, as in ``core/tables/bodies.csv``; wins over the label. Needed where the position
        is in radii that do not say whose.
    frame : str, optional
        Name of the frame; wins over the file. In a CDF file with several vectors it chooses the one of this frame.
    units : str or mapping, optional
        Unit of the magnetic field, or ``{"magnetic_field": ..., "position": ...}``; wins over the file. The position
        ``"none"`` is left out.
    columns : mapping, or sequence of str, optional
        Names of columns or variables by role (``time``, ``magnetic_field``, ``position``), or, for a plain table, the
        names of all columns in order.
    disorder, duplicates : {"repair", "refuse"}
        Whether samples out of order are sorted, and repeated times removed (the first of each is kept), or the file is
        refused. Files that overlap are not disorder.

    Returns
    -------
    xarray.Dataset
        ``magnetic_field(time, component)`` in nT, NaN where a fill value stood; ``position(time, component)`` in km where
        the file has one; ``time`` strictly increasing, UTC. Attributes: ``frame`` and ``position_frame`` (``"unknown"`` if
        the file does not say), ``body``, ``source_format``, ``product``, ``format_status`` (what the reading of this
        product was tested on), ``files``, ``notes`` (JSON lists) and ``repairs`` (JSON object of counts:
        ``rows_without_time``, ``missing``, ``not_finite``, ``fill_values`` in vectors, the same for the position, and
        ``disorder_sorted``, ``duplicates_removed``, ``duplicates_conflicting`` in samples).

    Raises
    ------
    DataError
        A file cannot be read, is empty or damaged, its format or columns are not known, or a rule refuses it.
    UnitsError
        A unit is missing or unknown; the message names the option.
    SettingsError
        An option has an impossible value.
    """
    files = _files(paths)
    field_unit, position_unit = _units(units)
    _check(file_format, columns, disorder, duplicates)
    given = {"magnetic_field": field_unit, "position": position_unit}
    parts: list[Samples] = []
    for path in files:
        part = _read_one(path, file_format, columns, frame, given, body)
        if all(part.file != other.file for other in parts):
            parts.append(part)
    return build_series(parts, Options(body, frame, field_unit, position_unit, disorder, duplicates))


def _read_one(
    path: Path, file_format: str | None, columns: ColumnsOption, frame: str | None, units: Mapping[str, str], body: str
) -> Samples:
    kind = file_format or recognise(path)
    if kind == "cdf":
        return cdf.read_cdf(path, columns, frame)
    if kind == "text":
        return text.read_text(path, columns, units, body)
    return {"pds3": pds3.read_pds3, "pds4": pds4.read_pds4, "sts": sts.read_sts}[kind](path, columns)


def recognise(path: str | PathLike[str]) -> str:
    """Recognise the format of a file by its content, or by a label beside it.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    str
        A key of `FORMATS`.

    Raises
    ------
    DataError
        The file is empty, cannot be read, or is of no known format; the message lists the formats and the option.
    """
    place = Path(path)
    head = read_head(place)
    if cdf.is_cdf(head):
        return "cdf"
    if sts.is_sts(head):
        return "sts"
    if pds3.is_label(head):
        return "pds3"
    if pds4.is_label(head):
        return "pds4"
    if place.suffix.lower() == ".cdf":
        raise DataError(f"{path}: does not begin as a CDF file; it is cut short, damaged or of another kind; fetch it again")
    if pds3.companion(place, (".lbl", ".lbl.gz")):
        return "pds3"
    label = pds3.companion(place, (".xml", ".lblx"))
    if label and pds4.is_label(read_head(label)):
        return "pds4"
    if b"\x00" not in head and not head.lstrip().startswith(b"<"):
        text.find_layout(head, str(path))
        return "text"
    known = "; ".join(f"{name}: {meaning}" for name, meaning in FORMATS.items())
    raise DataError(f"{path}: the format is not known; give it with the option `file_format`, one of {known}")


def _files(paths: PathOrPaths) -> list[Path]:
    """Paths without repeats; a label whose table is among them counts once."""
    listed = [paths] if isinstance(paths, (str, PathLike)) else list(paths)
    files = list(dict.fromkeys(Path(path) for path in listed))
    if not files:
        raise DataError("no magnetometer file given; name at least one")
    for path in files:
        if path.is_dir():
            raise DataError(f"{path} is a folder; name the files in it, such as {path}/*.TAB")
    return sorted(files)


def _units(units: str | Mapping[str, str] | None) -> tuple[str, str]:
    values = {"magnetic_field": units} if isinstance(units, str) else dict(units or {})
    unknown = set(values) - {"magnetic_field", "position"}
    if unknown:
        raise SettingsError(f"option units: {sorted(unknown)} are unknown; use magnetic_field and position")
    field, position = values.get("magnetic_field", ""), values.get("position", "")
    if field and not is_magnetic_unit(field):
        raise SettingsError(f"option units: {field!r} is not a unit of magnetic field; use nT, uT, T or G")
    if position and position != "none" and not is_length_unit(position):
        raise SettingsError(f"option units: {position!r} is not a unit of position; use km, m, radii or none")
    return field, position


def _check(file_format: str | None, columns: ColumnsOption, disorder: str, duplicates: str) -> None:
    if file_format is not None and file_format not in FORMATS:
        raise SettingsError(f"option file_format is {file_format!r}; use one of {', '.join(FORMATS)}")
    for name, rule in (("disorder", disorder), ("duplicates", duplicates)):
        if rule not in ("repair", "refuse"):
            raise SettingsError(f"option {name} is {rule!r}; use 'repair' or 'refuse'")
    if isinstance(columns, Mapping):
        unknown = set(columns) - set(_ROLES)
        if unknown:
            raise SettingsError(f"option columns: roles {sorted(unknown)} are unknown; use {', '.join(_ROLES)}")
    elif isinstance(columns, Sequence) and not isinstance(columns, str) and not all(isinstance(c, str) for c in columns):
        raise SettingsError("option columns: each name must be a text")
