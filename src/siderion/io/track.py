"""Tracks: times and places in a CSV file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from siderion.core.errors import DataError


def read_track(path: str | Path) -> xr.Dataset:
    """Read a track: columns ``time`` (ISO, UTC), ``lat``, ``lon`` in degrees and, if given, ``alt`` in km.

    Returns
    -------
    xarray.Dataset
        The columns along the dimension ``point``.

    Raises
    ------
    DataError
        The file is missing or empty, lacks a column, or holds a value that is no time or no finite number; with the line.
    """
    try:
        table = pd.read_csv(path, comment="#", skipinitialspace=True, dtype=str)
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"track {path} cannot be read: {error}; give a CSV file with the columns time, lat, lon, alt") from None
    missing = {"time", "lat", "lon"} - set(table.columns)
    if missing or table.empty:
        raise DataError(
            f"track {path}: columns {sorted(missing) or 'are there but no rows'}; needed: time, lat, lon and perhaps alt"
        )
    columns = {name: table[name] for name in ("lat", "lon", "alt") if name in table}
    times = pd.to_datetime(table["time"], errors="coerce", utc=True, format="ISO8601")
    if times.isna().any():
        row = int(times.isna().to_numpy().argmax())
        raise DataError(
            f"track {path}, row {row + 1}: time {table['time'].iloc[row]!r} is no ISO time, such as 2023-06-18T06:00:00"
        )
    dataset = xr.Dataset({"time": ("point", times.dt.tz_localize(None).to_numpy().astype("datetime64[ns]"))})
    for name, column in columns.items():
        values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
        bad = ~np.isfinite(values)
        if bad.any():
            row = int(bad.argmax())
            raise DataError(f"track {path}, row {row + 1}: {name} {column.iloc[row]!r} is no number")
        dataset[name] = ("point", values)
    return dataset
