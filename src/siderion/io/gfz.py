"""Daily rows of Kp, ap, Ap and F10.7 of GFZ Potsdam as comma-separated values.

The header names the columns: ``date, Kp1..Kp8, ap1..ap8, Ap, F107obs`` (others are ignored). GFZ marks
missing values with negative numbers. Data: Matzka et al. (2021), https://doi.org/10.5880/Kp.0001, CC BY 4.0.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
import xarray as xr

from siderion.core.errors import DataError

from .celestrak import indices_dataset, read_lines

_NUMBER_RULE = "it must be a finite number, or empty where nothing was measured"
_DAY_RULE = "it must be a day such as 2024-08-26"


@dataclass(frozen=True)
class TextColumns:
    """Columns of a comma-separated file, as text, and the line each row stands on."""

    path: str
    lines: list[int]
    columns: dict[str, list[str]]

    def where(self, row: int) -> str:
        """File and line of a row, for messages."""
        return f"{self.path}, line {self.lines[row]}"

    def numbers(self, name: str) -> np.ndarray:
        """Values of a column, shape (row,), NaN where empty; `DataError` at the first that is no number."""
        values = np.empty(len(self.lines))
        for row, text in enumerate(self.columns[name]):
            try:
                values[row] = float(text) if text.strip() else np.nan
            except ValueError as error:
                raise DataError(f"{self.where(row)}: {name} is {text!r}; {_NUMBER_RULE}") from error
            if np.isinf(values[row]):
                raise DataError(f"{self.where(row)}: {name} is {text!r}; {_NUMBER_RULE}")
        return values


def read_columns(path: str | PathLike[str], needed: list[str], optional: list[str]) -> TextColumns:
    """Read named columns of a comma-separated file with a header; lines that begin with ``#`` are comments.

    Parameters
    ----------
    path : str or path
        The file.
    needed, optional : list of str
        Names of columns that must be there, and of those that are taken when they are.

    Returns
    -------
    TextColumns
        The columns as text.

    Raises
    ------
    DataError
        The file cannot be read, lacks a column, has no rows, or a row has not as many fields as the header.
    """
    lines = [(n, line) for n, line in enumerate(read_lines(path), start=1) if line.strip() and not line.startswith("#")]
    if not lines:
        raise DataError(f"{path}: only comments; the file must have a header and rows")
    header = [name.strip() for name in next(csv.reader([lines[0][1]]))]
    missing = [name for name in needed if name not in header]
    if missing:
        raise DataError(
            f"{path}, line {lines[0][0]}: columns {', '.join(missing)} are missing from the header "
            f"{lines[0][1][:60]!r}; needed: {', '.join(needed)}; the file is of another format"
        )
    if len(lines) == 1:
        raise DataError(f"{path}, line {lines[0][0]}: no rows after the header; fetch the file again")
    rows = [next(csv.reader([line])) for _, line in lines[1:]]
    for (number, _), row in zip(lines[1:], rows, strict=True):
        if len(row) != len(header):
            raise DataError(
                f"{path}, line {number}: {len(row)} fields; the header has {len(header)}; "
                "the row is cut short or damaged; fetch the file again"
            )
    taken = {name: header.index(name) for name in needed + optional if name in header}
    columns = {name: [row[index] for row in rows] for name, index in taken.items()}
    return TextColumns(str(path), [number for number, _ in lines[1:]], columns)


def read_gfz(path: str | PathLike[str]) -> xr.Dataset:
    """Read Kp, ap, Ap and F10.7 from a comma-separated file of GFZ Potsdam.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    xarray.Dataset
        As `siderion.io.celestrak.indices_dataset` returns it. There is no 81-day mean in these files.

    Raises
    ------
    DataError
        The file cannot be read, is of another format, is cut short, or has a value out of range.
    """
    kp_names = [f"Kp{i}" for i in range(1, 9)]
    ap_names = [f"ap{i}" for i in range(1, 9)]
    table = read_columns(path, ["date", *kp_names, *ap_names, "Ap", "F107obs"], [])
    dataset = indices_dataset(
        days=_days(table),
        kp=np.stack([table.numbers(name) for name in kp_names], axis=1),
        ap=np.stack([table.numbers(name) for name in ap_names], axis=1),
        ap_daily=table.numbers("Ap"),
        f107=table.numbers("F107obs"),
        where=[table.where(row) for row in range(len(table.lines))],
    )
    dataset.attrs.update(source=f"GFZ Potsdam, Kp.0001, file {Path(path).name}", missing_mark="-1 or another negative number")
    return dataset


def _days(table: TextColumns) -> np.ndarray:
    days = np.empty(len(table.lines), dtype="datetime64[ns]")
    for row, text in enumerate(table.columns["date"]):
        # numpy also reads words such as "today": a date must begin with its year.
        if not text.strip()[:4].isdigit():
            raise DataError(f"{table.where(row)}: date is {text!r}; {_DAY_RULE}")
        try:
            days[row] = np.datetime64(text.strip(), "D")
        except ValueError as error:
            raise DataError(f"{table.where(row)}: date is {text!r}; {_DAY_RULE}") from error
    return days
