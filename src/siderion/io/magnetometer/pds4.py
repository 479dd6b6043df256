"""PDS4 tables: a label in XML and a character table, of fixed width or delimited.

Tested on the label of a Cassini product; see the table ``magnetometer_formats`` for the products and for what could not
be confirmed.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from siderion.core.errors import DataError

from .columns import ColumnsOption
from .labelled import TableInfo, labelled_samples
from .odl import number
from .pds3 import companion
from .series import Samples
from .tables import Column, read_bytes, read_delimited, read_fixed, read_head

FORMAT = "pds4"
_CONSTANTS = (
    "missing_constant", "invalid_constant", "unknown_constant", "not_applicable_constant", "error_constant", "saturated_constant",
)  # fmt: skip


def is_label(head: bytes) -> bool:
    """Whether a file begins as a PDS4 label."""
    return head.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<" and b"Product_Observational" in head


def read_pds4(path: Path, option: ColumnsOption) -> Samples:
    """Read a PDS4 table from the table or from its label.

    Parameters
    ----------
    path : path
        The label (``.xml``) or the table; the other is looked for beside it.
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
    label_path = path if is_label(read_head(path)) else companion(path, (".xml", ".lblx"))
    if label_path is None:
        raise DataError(f"{path}: no PDS4 label ({path.stem}.xml) beside the table; fetch it too, or use file_format='text'")
    root = _parsed(label_path)
    area, table = _table(root, label_path)
    data_path = _data_file(area, label_path, path)
    fixed = table.tag == "Table_Character"
    data = read_bytes(data_path)[int(number(_text(table, "offset")) or 0) :]
    if not (data[:4096].strip() or data.strip()):
        raise DataError(f"{data_path}: no rows, but the label says {_text(table, 'records')}; fetch the file again")
    columns = [_column(element) for element in table.iter("Field_Character" if fixed else "Field_Delimited")]
    info = TableInfo(str(data_path), FORMAT, title=_text(root, "Identification_Area/title"), target=_target(root))

    def read(wanted: list[Column]) -> dict[str, NDArray]:
        if fixed:
            return read_fixed(data, wanted, info.file)
        sign = {"Comma": ",", "Semicolon": ";", "Horizontal Tab": "\t", "Vertical Bar": "|"}.get(
            _text(table, "field_delimiter"), ","
        )
        return read_delimited(data, wanted, [column.name for column in columns], sign, info.file)

    return labelled_samples(columns, read, option, info)


def _parsed(path: Path) -> ElementTree.Element:
    try:
        root = ElementTree.fromstring(read_bytes(path))
    except ElementTree.ParseError as error:
        raise DataError(f"{path}: the label is not well-formed XML ({error}); fetch it again") from error
    for element in root.iter():
        element.tag = element.tag.rsplit("}", 1)[-1]
    return root


def _table(root: ElementTree.Element, path: Path) -> tuple[ElementTree.Element, ElementTree.Element]:
    """The file area and the table with the most fields in it."""
    found = [(area, table) for area in root.iter("File_Area_Observational") for kind in ("Table_Character", "Table_Delimited")
             for table in area.iter(kind)]  # fmt: skip
    if not found:
        raise DataError(f"{path}: the label describes no character or delimited table; fetch the ASCII product")
    area, table = max(found, key=lambda pair: len(list(pair[1].iter("name"))))
    if next(table.iter("Group_Field_Character"), None) is not None or next(table.iter("Group_Field_Delimited"), None) is not None:
        raise DataError(f"{path}: the table has groups of fields, which are not read; convert it to a table without groups")
    return area, table


def _data_file(area: ElementTree.Element, label_path: Path, path: Path) -> Path:
    name = _text(area, "File/file_name")
    found = {file.name.lower(): file for file in label_path.parent.iterdir()}
    place = found.get(name.lower()) or found.get(f"{name.lower()}.gz") or (path if path != label_path else None)
    if place is None:
        raise DataError(f"{label_path}: the table {name} is not beside the label; fetch it too")
    return place


def _column(element: ElementTree.Element) -> Column:
    constants = element.find("Special_Constants")
    special = constants if constants is not None else ElementTree.Element("none")
    low, high = number(_text(special, "valid_minimum")), number(_text(special, "valid_maximum"))
    text = (
        "Date" in _text(element, "data_type") or "Time" in _text(element, "data_type") or "String" in _text(element, "data_type")
    )
    return Column(
        name=_text(element, "name"),
        start=int(number(_text(element, "field_location")) or 1) - 1,
        width=int(number(_text(element, "field_length")) or 0),
        text=text,
        unit=_text(element, "unit"),
        missing=() if text else tuple(value for key in _CONSTANTS if (value := number(_text(special, key))) is not None),
        valid_minimum=-np.inf if low is None or text else low,
        valid_maximum=np.inf if high is None or text else high,
        description=_text(element, "description"),
    )


def _target(root: ElementTree.Element) -> str:
    names = [_text(target, "name") for target in root.iter("Target_Identification")]
    return names[0] if len(names) == 1 else ""


def _text(element: ElementTree.Element, path: str) -> str:
    return " ".join((element.findtext(path) or "").split())
