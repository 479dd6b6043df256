"""Lists of events (shocks, showers, whatever has a time) as comma-separated files."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from siderion.core.errors import DataError

from .gfz import TextColumns, read_columns

EVENT_REGIONS = ("unknown", "solar_wind", "magnetosheath", "magnetosphere")
"""Words of the column ``region``."""
WAKE_WORDS = {"yes": 1, "no": 0, "unknown": -1, "": -1}
"""Words of the column ``in_wake`` and their flags."""


def read_event_list(path: str | PathLike[str]) -> xr.Dataset:
    """Read events: the column ``time`` (ISO, UTC) and, where there, ``name``, ``region``, ``in_wake``.

    Lines that begin with ``#`` are comments; other columns are left out. The order is kept.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    xarray.Dataset
        ``event_time(event)``, ``event_name(event)``, ``region_reported(event)`` (one of `EVENT_REGIONS`) and
        ``wake_reported(event)`` (1 inside the wake of lunar ions, 0 outside, -1 unknown).

    Raises
    ------
    DataError
        The file cannot be read, lacks the column ``time``, or holds a time, region or word that is none; with the line.
    """
    table = read_columns(path, ["time"], ["name", "region", "in_wake"])
    times = iso_times(table, "time")
    count = len(times)
    columns = {name: [text.strip() for text in table.columns.get(name, [""] * count)] for name in ("name", "region", "in_wake")}
    regions = [text.replace(" ", "_").lower() or "unknown" for text in columns["region"]]
    words = [text.lower() for text in columns["in_wake"]]
    for row in range(count):
        if regions[row] not in EVENT_REGIONS:
            raise DataError(f"{table.where(row)}: region is {regions[row]!r}; use one of {', '.join(EVENT_REGIONS)}")
        if words[row] not in WAKE_WORDS:
            raise DataError(f"{table.where(row)}: in_wake is {words[row]!r}; use yes, no or unknown")
    names = [name or np.datetime_as_string(times[row], unit="m") for row, name in enumerate(columns["name"])]
    dataset = event_dataset(times, names, regions, np.array([WAKE_WORDS[word] for word in words]))
    dataset.attrs["source"] = f"list of events, file {Path(path).name}"
    return dataset


def event_dataset(
    time: np.ndarray, names: list[str], regions: list[str] | None = None, in_wake: np.ndarray | None = None
) -> xr.Dataset:
    """Events as the data set that `read_event_list` returns.

    Parameters
    ----------
    time : array of datetime64, shape (event,)
        UTC.
    names : list of str
        One for each event.
    regions, in_wake : optional
        Reported regions and flags of the wake; unknown without them.
    """
    count = len(time)
    wake = np.full(count, -1) if in_wake is None else in_wake
    flags = {
        "long_name": "reported to be in the wake of lunar ions",
        "flag_values": np.array([-1, 0, 1], dtype=np.int8),
        "flag_meanings": "unknown no yes",
    }
    return xr.Dataset(
        {
            "event_time": ("event", np.asarray(time, dtype="datetime64[ns]"), {"long_name": "time of the event, UTC"}),
            "event_name": ("event", np.array(names, dtype=object), {"long_name": "name of the event"}),
            "region_reported": (
                "event",
                np.array(regions or ["unknown"] * count, dtype=object),
                {"long_name": "reported region of the spacecraft"},
            ),
            "wake_reported": ("event", np.asarray(wake, dtype=np.int8), flags),
        }
    )


def iso_times(table: TextColumns, column: str) -> np.ndarray:
    """Times of a column, UTC, shape (row,); `DataError` at the first that is no ISO time."""
    texts = [text.strip() for text in table.columns[column]]
    times = pd.to_datetime(pd.Series(texts, dtype=str), errors="coerce", utc=True, format="ISO8601")
    for row, text in enumerate(texts):
        if pd.isna(times.iloc[row]) or not text[:4].isdigit():
            raise DataError(f"{table.where(row)}: {column} is {text!r}; write an ISO time (UTC), such as 2004-01-22T01:10")
    return times.dt.tz_localize(None).to_numpy().astype("datetime64[ns]")
