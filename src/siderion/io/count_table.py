"""Tables of tiny counts: a row for each event, in a CSV file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from siderion.core.errors import DataError

NEEDED = ("group", "event", "after")
OPTIONAL = ("before", "exposure_before", "exposure_after")


def read_count_table(path: str | Path) -> pd.DataFrame:
    """Read a table of counts: columns ``group``, ``event``, ``after`` and, if given, ``before`` and the exposures.

    ``group`` is ``inside`` or ``outside`` (or in, out, yes, no). Counts are whole numbers; exposures are positive, in one unit.

    Returns
    -------
    pandas.DataFrame
        ``event`` (str), ``inside`` (bool), ``after`` and, where given, ``before`` (int), ``exposure_before``,
        ``exposure_after`` (float).

    Raises
    ------
    DataError
        The file is missing or empty, lacks a column, has an unknown one, or holds an impossible value; with the row.
    """
    try:
        table = pd.read_csv(path, comment="#", skipinitialspace=True, dtype=str)
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(
            f"counts {path} cannot be read: {error}; give a CSV file with the columns group, event, before, after"
        ) from None
    table.columns = [str(name).strip().lower() for name in table.columns]
    missing, unknown = set(NEEDED) - set(table.columns), set(table.columns) - set(NEEDED) - set(OPTIONAL)
    if missing or unknown or table.empty:
        what = f"columns {sorted(missing)} missing" if missing else f"columns {sorted(unknown)} unknown" if unknown else "no rows"
        raise DataError(f"counts {path}: {what}; needed: {', '.join(NEEDED)}; possible: {', '.join(OPTIONAL)}")
    found = pd.DataFrame({"event": table["event"].fillna("").str.strip(), "inside": _groups(table["group"], path)})
    for name in ("before", "after", "exposure_before", "exposure_after"):
        if name in table:
            found[name] = _numbers(table[name], name, path)
    repeated = found["event"].duplicated()
    if repeated.any():
        row = int(repeated.to_numpy().argmax())
        raise DataError(
            f"counts {path}, row {row + 1}: event {found['event'].iloc[row]!r} is there twice; give each its own name"
        )
    return found


def _groups(column: pd.Series, path: str | Path) -> np.ndarray:
    words = column.fillna("").str.strip().str.lower()
    inside, outside = words.isin(["inside", "in", "yes"]), words.isin(["outside", "out", "no"])
    bad = ~(inside | outside).to_numpy()
    if bad.any():
        row = int(bad.argmax())
        raise DataError(f"counts {path}, row {row + 1}: group {column.iloc[row]!r}; write inside or outside")
    return inside.to_numpy()


def _numbers(column: pd.Series, name: str, path: str | Path) -> np.ndarray:
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    exposure = name.startswith("exposure")
    good = np.isfinite(values) & ((values > 0.0) if exposure else (values >= 0.0) & (values == np.floor(values)))
    if not good.all():
        row = int((~good).argmax())
        rule = "it must be positive" if exposure else "counts are whole numbers that are not negative"
        raise DataError(f"counts {path}, row {row + 1}: {name} {column.iloc[row]!r}; {rule}")
    return values if exposure else values.astype(np.int64)
