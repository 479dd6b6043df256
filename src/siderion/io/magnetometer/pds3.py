"""PDS3 tables: a label (``.LBL``, or ahead of the rows in the same file) and a character table.

Tested on labels of MESSENGER, Mars Global Surveyor and Cassini; see the table ``magnetometer_formats`` for the products
and for what could not be confirmed. The label is read here, the rows by the C reader of pandas.
"""

from __future__ import annotations

import re
from pathlib import Path

from numpy.typing import NDArray

from siderion.core.errors import DataError

from .columns import ColumnsOption
from .labelled import TableInfo, labelled_samples
from .odl import Block, number, read_label
from .series import Samples
from .tables import Column, read_bytes, read_delimited, read_fixed, read_head

FORMAT = "pds3"
_TABLES = ("TABLE", "ASCII_TABLE", "SPREADSHEET", "TIME_SERIES", "SERIES")
_CONSTANTS = (
    "MISSING_CONSTANT", "INVALID_CONSTANT", "NULL_CONSTANT", "UNKNOWN_CONSTANT", "NOT_APPLICABLE_CONSTANT", "MISSING", "INVALID",
    "FILL_CONSTANT",
)  # fmt: skip
_TEXT_TYPES = ("TIME", "DATE", "CHARACTER", "UTC")


def companion(path: Path, endings: tuple[str, ...]) -> Path | None:
    """File beside ``path`` of the same stem and one of the endings, upper and lower case alike."""
    stem = path.name.split(".")[0].lower() if path.suffix.lower() == ".gz" else path.stem.lower()
    wanted = [stem + ending for ending in endings]
    found = {file.name.lower(): file for file in path.parent.iterdir()} if path.parent.is_dir() else {}
    return next((found[name] for name in wanted if name in found and found[name] != path), None)


def is_label(head: bytes) -> bool:
    """Whether a file begins with a PDS3 label."""
    return bool(re.match(rb"\s*(?:/\*.*?\*/\s*)*(?:CCSD\w*[^\n]*\n\s*|.{0,80}SFDU_LABEL\s*)?PDS_VERSION_ID", head, re.DOTALL))


def read_pds3(path: Path, option: ColumnsOption) -> Samples:
    """Read a PDS3 table from the table or from its label.

    Parameters
    ----------
    path : path
        The label or the table; the other is looked for beside it.
    option : mapping, or None
        Option ``columns`` of the user.

    Returns
    -------
    Samples
        The samples.

    Raises
    ------
    DataError
        Label or table is missing or damaged, or no columns fit.
    """
    label_path, text = _label_text(path)
    label = read_label(text)
    table = next((block for block in label.walk() if _is_table(block.kind)), None)
    if table is None:
        raise DataError(f"{label_path}: the label describes no character table; kinds known: {', '.join(_TABLES)}")
    if "BINARY" in table.get("INTERCHANGE_FORMAT").upper():
        raise DataError(f"{label_path}: the table is binary; only character tables are read; fetch the ASCII product")
    table_path, data = _rows_of(label, table, label_path, path, text)
    columns = _columns(table, label_path)
    info = TableInfo(
        file=str(table_path),
        source_format=FORMAT,
        title=label.get("PRODUCT_ID") or label.get("DATA_SET_ID") or table_path.name,
        frame=label.get("COORDINATE_SYSTEM_NAME") or label.get("COORDINATE_SYSTEM_ID"),
        target=label.get("TARGET_NAME"),
    )
    delimited = "SPREADSHEET" in table.kind or bool(table.get("FIELD_DELIMITER"))

    def read(wanted: list[Column]) -> dict[str, NDArray]:
        if delimited:
            sign = {"SEMICOLON": ";", "TAB": "\t", "VERTICAL_BAR": "|"}.get(table.get("FIELD_DELIMITER").upper(), ",")
            return read_delimited(data, wanted, [column.name for column in columns], sign, info.file)
        return read_fixed(data, wanted, info.file)

    return labelled_samples(columns, read, option, info)


def _label_text(path: Path) -> tuple[Path, str]:
    if is_label(read_head(path, 4096)):
        return path, read_bytes(path).decode("latin-1")
    label = companion(path, (".lbl", ".lbl.gz"))
    if label is None:
        raise DataError(f"{path}: no PDS3 label ({path.stem}.LBL) beside the table; fetch it too, or use file_format='text'")
    return label, read_bytes(label).decode("latin-1")


def _is_table(kind: str) -> bool:
    return kind in _TABLES or kind.endswith("_TABLE") or kind.endswith("_SPREADSHEET")


def _rows_of(label: Block, table: Block, label_path: Path, path: Path, text: str) -> tuple[Path, bytes]:
    """Where the rows of a table are: its file, and the bytes from its first row on."""
    pointer = label.get(f"^{table.kind}") or next((value for key, value in label.statements if _is_table(key[1:])), "")
    name = re.search(r"[\w.\-]+\.\w+", pointer)
    if name:
        place = _beside(label_path, name[0]) or (path if path != label_path else None)
    else:
        place = (
            label_path if pointer else (path if path != label_path else companion(label_path, (".tab", ".csv", ".txt", ".asc")))
        )
    if place is None:
        raise DataError(f"{label_path}: the table {name[0] if name else ''} is not beside the label; fetch it too")
    data = text.encode("latin-1") if place == label_path else read_bytes(place)
    rest = pointer[name.end() :] if name else pointer
    start = number(re.sub(r"^[\"',\s]+", "", rest)) or 1.0
    data = _skipped(data, label, int(start), "<BYTES>" in rest.upper())
    if place == label_path and b"END_OBJECT" in data[:4000]:
        data = text[label.end :].encode("latin-1")  # the pointer does not count as the file does
    rows = number(table.get("ROWS")) or number(label.get("FILE_RECORDS"))
    if not (data[:4096].strip() or data.strip()):
        raise DataError(f"{place}: no rows, but the label says {rows or 'there are some'}; fetch the file again")
    return place, data


def _skipped(data: bytes, label: Block, start: int, in_bytes: bool) -> bytes:
    if start <= 1:
        return data
    if in_bytes:
        return data[start - 1 :]
    length = number(label.get("RECORD_BYTES"))
    if length and "FIXED" in label.get("RECORD_TYPE").upper():
        return data[(start - 1) * int(length) :]
    return data.split(b"\n", start - 1)[-1]


def _beside(label_path: Path, name: str) -> Path | None:
    found = {file.name.lower(): file for file in label_path.parent.iterdir()}
    return found.get(name.lower()) or found.get(f"{name.lower()}.gz")


def _columns(table: Block, label_path: Path) -> list[Column]:
    blocks = list(table.blocks)
    for key, value in table.statements:
        if key.endswith("STRUCTURE") and key.startswith("^"):
            blocks += read_label(read_bytes(_format_file(label_path, value)).decode("latin-1")).blocks
    columns: list[Column] = []
    for block in blocks:
        if block.kind in ("COLUMN", "FIELD"):
            columns += _column(block, len(columns))
    if not columns:
        raise DataError(f"{label_path}: the label has no COLUMN objects; it is damaged or of another kind")
    return columns


def _format_file(label_path: Path, name: str) -> Path:
    for folder in (label_path.parent, *[parent / sub for parent in label_path.parents[:5] for sub in ("LABEL", "label", ".")]):
        found = {file.name.lower(): file for file in folder.iterdir()} if folder.is_dir() else {}
        if name.lower() in found:
            return found[name.lower()]
    raise DataError(f"{label_path}: the format file {name} is neither beside the label nor in a LABEL folder; fetch it too")


def _column(block: Block, index: int) -> list[Column]:
    """One column, or one for each item of a column of ITEMS."""
    start, width = number(block.get("START_BYTE")), number(block.get("BYTES"))
    items = int(number(block.get("ITEMS")) or 1)
    size = int(number(block.get("ITEM_BYTES")) or ((width or 0) / items))
    step = int(number(block.get("ITEM_OFFSET")) or size)
    kind = block.get("DATA_TYPE").upper()
    constants = tuple(value for key in _CONSTANTS if (value := number(block.get(key))) is not None)
    low, high = number(block.get("VALID_MINIMUM")), number(block.get("VALID_MAXIMUM"))
    name = block.get("NAME") or f"COLUMN {index + 1}"
    return [
        Column(
            name=name if items == 1 else f"{name} {'XYZ'[item] if items == 3 else item + 1}",
            start=int(start or 1) - 1 + item * step,
            width=size,
            text=kind.startswith(_TEXT_TYPES),
            unit=re.sub(r"^(N/A|NONE|UNK)$", "", block.get("UNIT") or block.get("UNITS"), flags=re.IGNORECASE),
            missing=constants,
            valid_minimum=-float("inf") if low is None else low,
            valid_maximum=float("inf") if high is None else high,
            description=block.get("DESCRIPTION"),
            calendar="day_of_year" if "%DOY%" in block.get("PPI_TIME_FORMAT").upper() else "",
        )
        for item in range(items)
    ]
