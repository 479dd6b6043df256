"""Description of the columns of an event file: one table drives reader and writer, and a user can give another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siderion.core.errors import DataError, SettingsError
from siderion.core.tables import load_table

NEEDED = ("year", "day_of_year", "hour", "minute", "second", "deflection_step", "energy_channel", "time_channel",
          "mass_per_charge", "mass")  # fmt: skip
"""Columns without which an event has no meaning."""
_FIELDS = ("column", "name", "width", "decimals", "minimum", "maximum", "units", "meaning")


@dataclass(frozen=True)
class EventColumns:
    """Columns of an event file in their order.

    Attributes
    ----------
    names, units, meanings : tuple of str
        Name, unit and meaning of every column.
    widths, decimals : tuple of int
        Characters and decimals with which a value is written.
    minimum, maximum : tuple of float
        A value outside of these shows that the columns do not fit the file.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    meanings: tuple[str, ...]
    widths: tuple[int, ...]
    decimals: tuple[int, ...]
    minimum: tuple[float, ...]
    maximum: tuple[float, ...]

    def place(self, name: str) -> int:
        """Index of a column.

        Raises
        ------
        SettingsError
            There is no column of that name.
        """
        if name not in self.names:
            raise SettingsError(f"no column {name!r}; the columns are {', '.join(self.names)}")
        return self.names.index(name)

    @property
    def limits(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Smallest and largest values as arrays of shape (column,)."""
        return np.array(self.minimum), np.array(self.maximum)


@lru_cache(maxsize=8)
def stics_columns(path: str | Path | None = None) -> EventColumns:
    """Columns of the Geotail/STICS files, or those of a table of one's own.

    Parameters
    ----------
    path : path, optional
        CSV file with the columns of ``siderion/io/pulse_height/tables/geotail_stics_columns.csv`` (source and confidence may
        be left out), for files of another form.

    Returns
    -------
    EventColumns
        The description that reader and writer follow.

    Raises
    ------
    DataError
        The file cannot be read, lacks a column of the description, or does not number the columns 1, 2, 3, ...
    """
    if path is None:
        return _described(load_table("io.pulse_height", "geotail_stics_columns"), "geotail_stics_columns")
    try:
        table = pd.read_csv(path, comment="#", skipinitialspace=True)
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise DataError(f"column description {path} cannot be read: {error}; give a CSV file") from None
    return _described(table, str(path))


def _described(table: pd.DataFrame, where: str) -> EventColumns:
    missing = [name for name in _FIELDS if name not in table]
    if missing:
        raise DataError(f"column description {where}: columns {', '.join(missing)} are missing; needed: {', '.join(_FIELDS)}")
    table = table.sort_values("column")
    if table["column"].tolist() != list(range(1, len(table) + 1)):
        raise DataError(f"column description {where}: column holds {table['column'].tolist()}; number the columns 1, 2, 3, ...")
    absent = [name for name in NEEDED if name not in set(table["name"])]
    if absent:
        raise DataError(f"column description {where}: no column named {', '.join(absent)}; these are needed: {', '.join(NEEDED)}")
    texts = {name: tuple(map(str, table[name])) for name in ("name", "units", "meaning")}
    return EventColumns(
        texts["name"], texts["units"], texts["meaning"], tuple(map(int, table["width"])), tuple(map(int, table["decimals"])),
        tuple(map(float, table["minimum"])), tuple(map(float, table["maximum"])),
    )  # fmt: skip
