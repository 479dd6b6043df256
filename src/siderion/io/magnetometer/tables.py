"""Character tables read column by column: fixed width as a label describes them, or delimited.

A fixed-width table is cut on its bytes, whole columns at a time, and then read by the C reader of pandas: blank fields
stay blank, and fields that touch stay apart.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siderion.core.errors import DataError

_NEWLINE, _RETURN, _SPACE, _COMMA = 10, 13, 32, 44


@dataclass(frozen=True)
class Column:
    """A column of a table as its label describes it."""

    name: str
    start: int
    """First byte in the row, counted from 0."""
    width: int
    text: bool = False
    unit: str = ""
    missing: tuple[float, ...] = ()
    valid_minimum: float = -np.inf
    valid_maximum: float = np.inf
    description: str = ""
    calendar: str = ""
    """``day_of_year`` where the text holds year, day of year, hour, minute, second, millisecond."""


def read_bytes(path: str | Path) -> bytes:
    """Whole file, unpacked if it is gzip; `DataError` if it cannot be read or is empty."""
    try:
        data = Path(path).read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"cannot read {path}: {reason}; check the path, or fetch the file again") from error
    if not (data[:4096].strip() or data.strip()):
        raise DataError(f"{path}: the file is empty; fetch it again")
    return data


def read_head(path: str | Path, size: int = 65536) -> bytes:
    """First bytes of a file, unpacked if it is gzip; `DataError` if it cannot be read or is empty."""
    try:
        with Path(path).open("rb") as stream:
            head = stream.read(size)
        if head[:2] == b"\x1f\x8b":
            with gzip.open(path) as stream:
                head = stream.read(size)
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"cannot read {path}: {reason}; check the path, or fetch the file again") from error
    if not head.strip():
        raise DataError(f"{path}: the file is empty; fetch it again")
    return head


def read_fixed(data: bytes, columns: Sequence[Column], where: str) -> dict[str, NDArray]:
    """Read columns of a fixed-width table.

    Parameters
    ----------
    data : bytes
        The rows, each ended by a line feed (a carriage return ahead of it is allowed).
    columns : sequence of Column
        The columns wanted.
    where : str
        The file, for messages.

    Returns
    -------
    dict of array, shape (row,)
        float64, or str for columns of text; NaN or an empty text where blank.

    Raises
    ------
    DataError
        There are no rows, or a field is no number; the message names the column and the row.
    """
    rows = _rows(data, where)
    width = rows.shape[1]
    pieces = []
    for column in columns:
        piece = rows[:, column.start : column.start + column.width]
        if piece.shape[1] < column.width:
            raise DataError(
                f"{where}: rows have {width} bytes, but the label puts column {column.name} at bytes {column.start + 1} to "
                f"{column.start + column.width}; the label belongs to another file, or the file is cut short"
            )
        if column.text:
            piece = np.where(piece == _COMMA, _SPACE, piece).astype(np.uint8)
        pieces += [piece, np.full((rows.shape[0], 1), _COMMA, np.uint8)]
    pieces[-1] = np.full((rows.shape[0], 1), _NEWLINE, np.uint8)
    joined = np.concatenate(pieces, axis=1).tobytes()
    return _parsed(io.BytesIO(joined), ",", columns, where)


def _ended(data: bytes) -> bytes:
    """The rows without blanks, zero bytes and end marks after the last, which ends with one line feed."""
    tail = data[-4096:].rstrip(b"\r\n \t\x00\x1a")
    if tail and data.endswith((tail + b"\n", tail + b"\r\n")):
        return data
    return data.rstrip(b"\r\n \t\x00\x1a") + b"\n"


def _rows(data: bytes, where: str) -> NDArray[np.uint8]:
    """Rows as a table of bytes (row, byte); shorter rows are filled with blanks."""
    data = _ended(data)
    if len(data) == 1:
        raise DataError(f"{where}: the table has no rows; fetch the file again")
    length = data.find(b"\n") + 1
    tail = 2 if data[length - 2 : length - 1] == b"\r" else 1
    if len(data) % length == length - 1 and tail == 2 and data[-2:-1] != b"\r":
        data = data[:-1] + b"\r\n"
    if len(data) % length == 0 and data.count(b"\n") == len(data) // length:
        table = np.frombuffer(data, dtype=np.uint8).reshape(-1, length)
        if np.all(table[:, -1] == _NEWLINE) and (tail == 1 or np.all(table[:, -2] == _RETURN)):
            return table[:, :-tail]
    lines = np.array([line for line in data.replace(b"\r", b"").split(b"\n") if line.strip()], dtype=bytes)
    table = lines.view(np.uint8).reshape(lines.size, -1).copy()
    table[table == 0] = _SPACE
    return table


def read_delimited(
    data: bytes, columns: Sequence[Column], all_names: Sequence[str], delimiter: str, where: str
) -> dict[str, NDArray]:
    """Read columns of a delimited table without header; see `read_fixed`.

    ``all_names`` are the names of every column in order; ``delimiter`` is one sign, or an empty text for blanks.
    """
    positions = [list(all_names).index(column.name) for column in columns]
    order = np.argsort(positions)
    picked = [columns[i] for i in order]
    names = [str(i) for i in range(len(all_names))]
    stream = io.BytesIO(_ended(data))
    first = data[: data.find(b"\n") if b"\n" in data else None].decode("latin-1")
    found = len(first.split(delimiter) if delimiter else first.split())
    if found != len(all_names):
        raise DataError(
            f"{where}: the first row has {found} fields, but the label or header {len(all_names)}: {first[:60]!r}; "
            "the file is damaged or of another format"
        )
    return _parsed(stream, delimiter or r"\s+", picked, where, names, [names[positions[i]] for i in order])


def _parsed(
    stream: io.BytesIO,
    separator: str,
    columns: Sequence[Column],
    where: str,
    names: list[str] | None = None,
    use: list[str] | None = None,
) -> dict[str, NDArray]:
    names = names or [str(i) for i in range(len(columns))]
    use = use or names
    text = {key: str for key, column in zip(use, columns, strict=True) if column.text}
    types = {key: text.get(key, np.float64) for key in use}
    arguments = {
        "sep": separator, "header": None, "names": names, "usecols": use, "skipinitialspace": separator == ",",
        "index_col": False, "quoting": csv.QUOTE_NONE if use is names else csv.QUOTE_MINIMAL, "encoding": "latin-1",
    }  # fmt: skip
    try:
        table = pd.read_csv(stream, dtype=types, **arguments)
    except (ValueError, pd.errors.ParserError) as error:
        stream.seek(0)
        raise DataError(f"{where}: {_first_bad(stream, arguments, use, columns, str(error))}; fetch the file again") from error
    return {column.name: _as_array(table[key], column.text) for key, column in zip(use, columns, strict=True)}


def _as_array(values: pd.Series, text: bool) -> NDArray:
    return values.fillna("").to_numpy(dtype=object) if text else values.to_numpy(dtype=np.float64)


def _first_bad(stream: io.BytesIO, arguments: dict, use: list[str], columns: Sequence[Column], reason: str) -> str:
    """Words for the first field that is no number; only on the way to an error."""
    try:
        table = pd.read_csv(stream, dtype=str, **arguments)
    except (ValueError, pd.errors.ParserError) as error:
        return f"the rows have not all the same number of fields ({str(error).strip()})"
    for key, column in zip(use, columns, strict=True):
        if not column.text:
            bad = pd.to_numeric(table[key], errors="coerce").isna() & table[key].notna()
            if bad.any():
                row = int(np.flatnonzero(bad)[0])
                return f"row {row}: {column.name} is {table[key][row]!r}; it must be a number"
    return reason
