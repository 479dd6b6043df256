"""The one loader of literature tables, and the one schema they obey.

Literature numbers live in ``<package>/tables/*.csv``, never in code. Lines that begin with ``#`` are comments. Every
row names its ``source`` and its ``confidence``.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import pandas as pd

from .errors import DataError

CONFIDENCE = ("verified", "computed", "unverified")
"""verified: read in the named source; computed: derived here from verified values; unverified: remembered or secondary."""


@cache
def _read(package: str, name: str) -> pd.DataFrame:
    path = resources.files(f"siderion.{package}") / "tables" / f"{name}.csv"
    if not path.is_file():
        raise DataError(f"no table {name!r} in siderion.{package}: expected {path}")
    with path.open(encoding="utf-8") as stream:
        table = pd.read_csv(stream, comment="#", skipinitialspace=True)
    check_table(table, f"{package}/{name}")
    return table


def load_table(package: str, name: str) -> pd.DataFrame:
    """Read the literature table ``name`` of a package.

    Parameters
    ----------
    package : str
        Name of the package below ``siderion``, such as ``"chemistry"``.
    name : str
        Name of the table, without its ending.

    Returns
    -------
    pandas.DataFrame
        A fresh copy, with the columns ``source`` and ``confidence`` among others.

    Raises
    ------
    DataError
        The table is missing, lacks a column of the schema, or has a row without source or with an unknown confidence.
    """
    return _read(package, name).copy()


def check_table(table: pd.DataFrame, name: str) -> None:
    """Raise `DataError` unless every row names its source and a known confidence."""
    missing = {"source", "confidence"} - set(table.columns)
    if missing:
        raise DataError(f"table {name}: columns {sorted(missing)} are missing; every table names source and confidence")
    without_source = table.index[table["source"].isna()]
    if len(without_source):
        raise DataError(f"table {name}: row {without_source[0]} has no source; name one")
    unknown = table.index[~table["confidence"].isin(CONFIDENCE)]
    if len(unknown):
        value = table["confidence"][unknown[0]]
        raise DataError(f"table {name}: row {unknown[0]} has confidence {value!r}; use one of {CONFIDENCE}")
