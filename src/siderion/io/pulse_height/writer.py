"""Writer of the Geotail/STICS event form: what is written is read back exactly."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import DataError, explained
from siderion.io.pulse_height.columns import EventColumns, stics_columns
from siderion.io.pulse_height.text_kernels import format_lines


def write_stics_events(
    path: str | Path,
    parts: Iterable[Mapping[str, ArrayLike]],
    *,
    comments: Iterable[str] = (),
    columns: EventColumns | None = None,
    level: int = 6,
) -> int:
    """Write events as a gzip file; the caller makes it atomic.

    Parameters
    ----------
    path : path
        The file; it is replaced.
    parts : iterable of mapping of str to array of shape (event,)
        The columns by name, some events at a time, so that the whole need not fit into memory. Numbers are rounded to the
        decimals of their column.
    comments : iterable of str
        Lines that go first, after ``#``.
    columns : EventColumns, optional
        The columns; those of the table that comes with the package without it.
    level : int
        Compression, 1 (fast) to 9 (small).

    Returns
    -------
    int
        Number of events.

    Raises
    ------
    DataError
        A column is missing, or a value is outside of its limits.
    OutputError
        The file cannot be written.
    """
    description = columns or stics_columns()
    number = 0
    with explained(path), Path(path).open("wb") as raw, gzip.GzipFile("", "wb", level, raw, mtime=0) as stream:
        for comment in comments:
            stream.write(f"# {comment}\n".encode())
        for part in parts:
            text = _text(part, description)
            stream.write(text.data)
            number += len(text)
    return number


def _text(part: Mapping[str, ArrayLike], columns: EventColumns) -> NDArray[np.uint8]:
    missing = [name for name in columns.names if name not in part]
    if missing:
        raise DataError(f"events to write: columns {', '.join(missing)} are missing; needed: {', '.join(columns.names)}")
    scaled = np.stack([_scaled(part[name], index, columns) for index, name in enumerate(columns.names)], axis=1)
    widths = np.array(columns.widths, dtype=np.int64)
    text = np.empty((len(scaled), int(widths.sum()) + len(widths) + 1), dtype=np.uint8)
    row, column = format_lines(scaled, widths, np.array(columns.decimals, dtype=np.int64), text)
    if row >= 0:
        raise DataError(
            f"events to write: event {row}, {columns.names[column]} is {np.asarray(part[columns.names[column]])[row]}; it does "
            f"not fit into {columns.widths[column]} characters"
        )
    return text


def _scaled(values: ArrayLike, index: int, columns: EventColumns) -> NDArray[np.int64]:
    """Whole numbers of the last decimal, checked against the limits."""
    array = np.asarray(values, dtype=np.float64)
    lower, upper = columns.minimum[index], columns.maximum[index]
    good = (array >= lower) & (array <= upper)
    if not good.all():
        row = int(np.argmax(~good))
        raise DataError(
            f"events to write: event {row}, {columns.names[index]} is {array[row]}; it must be at least {lower:g} and at most "
            f"{upper:g}"
        )
    return np.rint(array * 10.0 ** columns.decimals[index]).astype(np.int64)
