"""Pulse-height events of Geotail EPIC/STICS: text with 17 columns, gzip or plain, read in pieces.

The columns are those of SPASE record JAXA/NumericalData/Geotail/EPIC/STICS/PHA/PT0.0625S; what is known of the form of the
lines and what is assumed stands in docs/pulse_height.md. No archive file was at hand: **untested on archive files**.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.errors import DataError, SettingsError
from siderion.io.pulse_height.columns import EventColumns, stics_columns
from siderion.io.pulse_height.stream import text_pieces
from siderion.io.pulse_height.text_kernels import GOOD, NO_NUMBER, OUT_OF_RANGE, TOO_FEW, parse_lines, times_of_rows

PIECE = 1 << 22
"""Bytes of text that are taken at once, by default."""
LONGEST_LINE = 4096
"""A line without an end within so many bytes is no line of events."""
_TIME = ("year", "day_of_year", "hour", "minute", "second")


@dataclass(frozen=True)
class EventPiece:
    """Some rows of a file.

    Attributes
    ----------
    columns : EventColumns
        What the columns are.
    values : ndarray of float64, shape (event, column)
        The numbers as they stand in the file.
    lines : ndarray of int64, shape (event,)
        Line of every row, from 1.
    left_out : int
        Lines of this piece that did not fit and were left out.
    done : float
        Fraction of the file that has been read.
    """

    columns: EventColumns
    values: NDArray[np.float64]
    lines: NDArray[np.int64]
    left_out: int
    done: float

    def column(self, name: str) -> NDArray[np.float64]:
        """Values of a column by its name."""
        return self.values[:, self.columns.place(name)]

    @property
    def time(self) -> NDArray[np.int64]:
        """Times, ns since 1970 (UTC)."""
        return times_of_rows(self.values, *(self.columns.place(name) for name in _TIME))


def stics_pieces(
    path: str | Path,
    *,
    columns: EventColumns | None = None,
    bad_lines: Literal["refuse", "leave out"] = "refuse",
    piece: int = PIECE,
) -> Iterator[EventPiece]:
    """Rows of an event file, piece by piece; memory does not grow with the file.

    Comments (``#``) and empty lines are passed over anywhere, lines that begin with a letter before the first row. Fields
    are separated by blanks, tabs, commas or semicolons.

    Parameters
    ----------
    path : path
        The file, gzip or plain.
    columns : EventColumns, optional
        The columns; those of the table that comes with the package without it.
    bad_lines : {"refuse", "leave out"}
        What to do about a line that does not fit: stop with an error, or count it and go on.
    piece : int
        Bytes of text taken at once; the working memory is some five times as much.

    Yields
    ------
    EventPiece
        Rows in the order of the file.

    Raises
    ------
    DataError
        The file is empty, cut short or damaged, holds no row, or a line does not fit; names file, line, column and value.
    SettingsError
        ``bad_lines`` or ``piece`` is impossible.
    """
    if bad_lines not in ("refuse", "leave out"):
        raise SettingsError(f"bad_lines is {bad_lines!r}; use 'refuse' or 'leave out'")
    if piece < 1:
        raise SettingsError(f"piece is {piece} bytes; it must be positive")
    description = columns or stics_columns()
    minimum, maximum = description.limits
    width = len(description.names)
    rest, line, header, found, left_out_before = b"", 1, True, 0, 0
    for data, done in _with_end(text_pieces(path, piece)):
        whole = rest + data
        end = whole.rfind(b"\n") + 1
        rest = whole[end:]
        if len(rest) > LONGEST_LINE:
            raise DataError(f"{path}, line {line}: no line end within {LONGEST_LINE} bytes; this is no file of events")
        if end == 0:
            continue
        text = np.frombuffer(whole, dtype=np.uint8)
        values = np.empty((end // (2 * width) + 1, width))
        rows = np.empty(len(values), dtype=np.int64)
        fault, place, number, lines, column, left_out, header = parse_lines(
            text, end, 0, minimum, maximum, values, rows, header, bad_lines == "leave out"
        )
        if fault != GOOD:
            raise _fault(path, line + lines, fault, column, bytes(whole[place:end]), description)
        found, left_out_before = found + number, left_out_before + left_out
        if number or left_out:
            yield EventPiece(description, values[:number], rows[:number] + line, left_out, done)
        line += lines
    if not found:
        raise DataError(f"{path}: no row of {width} numbers in {line - 1} lines ({left_out_before} left out); no file of events")


def read_stics_events(
    path: str | Path, *, columns: EventColumns | None = None, bad_lines: Literal["refuse", "leave out"] = "refuse"
) -> xr.Dataset:
    """Read a whole event file; for files that fit into memory.

    Parameters
    ----------
    path, columns, bad_lines
        See `stics_pieces`.

    Returns
    -------
    xarray.Dataset
        Every column of the file along ``event``, whole numbers as int16, others as float64, and ``time``. Attribute
        ``left_out``: lines that did not fit.

    Raises
    ------
    DataError
        See `stics_pieces`.
    """
    description = columns or stics_columns()
    values, times, left_out = [], [], 0
    for rows in stics_pieces(path, columns=description, bad_lines=bad_lines):
        values.append(rows.values)
        times.append(rows.time)
        left_out += rows.left_out
    table = np.concatenate(values)
    dataset = xr.Dataset(coords={"time": ("event", np.concatenate(times).astype("datetime64[ns]"))})
    dataset["time"].attrs["long_name"] = "time of the event, UTC"
    for index, name in enumerate(description.names):
        column = table[:, index]
        dataset[name] = ("event", column if description.decimals[index] else column.astype(np.int16))
        dataset[name].attrs = {"units": description.units[index], "long_name": description.meanings[index]}
    dataset.attrs = {"source": Path(path).name, "left_out": left_out, "title": "Pulse-height events as in the file"}
    return dataset


def _with_end(pieces: Iterator[tuple[bytes, float]]) -> Iterator[tuple[bytes, float]]:
    """The pieces, and a line end if the last line has none."""
    last = b"\n"
    for data, done in pieces:
        last = data[-1:]
        yield data, done
    if last != b"\n":
        yield b"\n", 1.0


def _fault(path: str | Path, line: int, fault: int, column: int, text: bytes, columns: EventColumns) -> DataError:
    """The error of a line that does not fit."""
    words = text.split(b"\n", 1)[0].decode("latin-1").replace(",", " ").replace(";", " ").split()
    needed = len(columns.names)
    remedy = "correct the description of the columns, or leave such lines out (bad_lines, option --bad-lines)"
    if fault == TOO_FEW or fault not in (NO_NUMBER, OUT_OF_RANGE):
        return DataError(f"{path}, line {line}: {len(words)} columns, {words[:3]} ...; a row has {needed}; {remedy}")
    value = words[column] if column < len(words) else ""
    rule = "a plain number of at most 15 digits"
    if fault == OUT_OF_RANGE:
        rule = f"at least {columns.minimum[column]:g} and at most {columns.maximum[column]:g}"
    name = columns.names[column]
    return DataError(f"{path}, line {line}, column {column + 1} ({name}): {value!r}; it must be {rule}; {remedy}")
