"""Positions of a spacecraft in GSE as a comma-separated file."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np
import xarray as xr

from siderion.core.errors import DataError

from .event_list import iso_times
from .gfz import read_columns


def read_gse_track(path: str | PathLike[str]) -> xr.Dataset:
    """Read ``time, x, y, z``: UTC, GSE from the centre of the Earth, km.

    Returns
    -------
    xarray.Dataset
        ``spacecraft_position(time, component)``, km, times in order.

    Raises
    ------
    DataError
        The file cannot be read, a column is missing, times are out of order, or a place is inside the Earth or missing.
    """
    table = read_columns(path, ["time", "x", "y", "z"], [])
    times = iso_times(table, "time")
    position = np.stack([table.numbers(name) for name in "xyz"], axis=-1)
    late = np.flatnonzero(np.diff(times) <= np.timedelta64(0, "ns"))
    if late.size:
        row = int(late[0]) + 1
        raise DataError(f"{table.where(row)}: time {times[row]} follows {times[row - 1]}; times must be in order; sort the file")
    distance = np.linalg.norm(position, axis=-1)
    bad = ~(distance > 6000.0)
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"{table.where(row)}: distance from the centre of the Earth is {distance[row]:g} km; give GSE positions in km from "
            "the centre, none missing"
        )
    meaning = {"units": "km", "long_name": "position of the spacecraft, GSE"}
    dataset = xr.Dataset(
        {"spacecraft_position": (("time", "component"), position, meaning)},
        coords={"time": times, "component": list("xyz")},
    )
    dataset.attrs["source"] = f"positions of a spacecraft, file {Path(path).name}"
    return dataset
