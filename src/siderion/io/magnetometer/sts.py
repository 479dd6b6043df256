"""Standard time series (``.sts``) of MAVEN and Mars Global Surveyor: a header in ODL, then rows of numbers.

The header is ``OBJECT = FILE`` with ``HEADER``, ``KERNEL_LIST`` and ``RECORD``; the record lists the columns as ``SCALAR``
objects, some within a ``VECTOR``, whose names are joined: ``OB_B`` and ``X`` make ``OB_B_X``.
"""

from __future__ import annotations

import re
from pathlib import Path

from numpy.typing import NDArray

from siderion.core.errors import DataError
from siderion.core.tables import load_table

from .columns import ColumnsOption
from .labelled import TableInfo, labelled_samples
from .odl import Block, read_label
from .series import Samples
from .tables import Column, read_bytes, read_delimited

FORMAT = "sts"


def is_sts(head: bytes) -> bool:
    """Whether a file begins with the header of a standard time series."""
    return bool(re.match(rb"\s*OBJECT\s*=\s*FILE\b", head))


def read_sts(path: Path, option: ColumnsOption) -> Samples:
    """Read a standard time series.

    Parameters
    ----------
    path : path
        The file.
    option : mapping, or None
        Option ``columns`` of the user.

    Returns
    -------
    Samples
        The samples; the frame follows the letters in the name of the file (table ``sts_frames``).

    Raises
    ------
    DataError
        The header is cut short or lists no columns, or the rows do not fit it.
    """
    data = read_bytes(path)
    text = data[:1_000_000].decode("latin-1")
    label = read_label(text, header=True)
    record = next((block for block in label.walk() if block.kind == "RECORD"), None)
    columns = _columns(record) if record else []
    if not columns or not label.blocks[0].end:
        raise DataError(f"{path}: the header lists no columns (OBJECT = RECORD) or does not end; fetch the file again")
    rows = data[label.end :].lstrip()
    if not rows:
        raise DataError(f"{path}: there are no rows after the header; fetch the file again")
    frame, position_frame = _frames(path)
    title = next((block.get("TITLE") for block in label.walk() if block.kind == "HEADER"), "")
    info = TableInfo(str(path), FORMAT, title=title or path.name, frame=frame)

    def read(wanted: list[Column]) -> dict[str, NDArray]:
        return read_delimited(rows, wanted, [column.name for column in columns], "", info.file)

    samples = labelled_samples(columns, read, option, info)
    samples.position_frame = position_frame or samples.position_frame
    return samples


def _columns(record: Block) -> list[Column]:
    columns: list[Column] = []
    for block in record.blocks:
        if block.kind == "SCALAR":
            columns.append(_column(block, "", ""))
        for scalar in block.blocks:
            columns.append(_column(scalar, f"{block.get('NAME')}_", block.get("UNITS")))
    return columns


def _column(block: Block, prefix: str, unit: str) -> Column:
    return Column(name=prefix + block.get("NAME"), start=0, width=0, unit=block.get("UNITS") or block.get("UNIT") or unit)


def _frames(path: Path) -> tuple[str, str]:
    """Frames of field and position from the letters after the day in a name such as mvn_mag_l2_2016076ss1s_20160316_v01_r01."""
    table = load_table("io", "sts_frames").set_index("code")
    match = re.search(r"_\d{4}d?\d{3}(" + "|".join(table.index) + r")(?:\d+s)?_", path.name)
    return (table["frame"][match[1]], table["position_frame"][match[1]]) if match else ("", "")
