"""Files that say where the spacecraft was and how active the time was: regions, positions, Kp."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from siderion.core.errors import DataError
from siderion.io.celestrak import read_celestrak, read_lines
from siderion.io.crossings import read_crossings
from siderion.io.gfz import read_columns, read_gfz

LOBE = "lobe"
"""Region that lists of intervals may hold besides those of `siderion.io.crossings`."""
_REGIONS = {
    "unknown": "unknown", "solar_wind": "solar_wind", "sw": "solar_wind", "im": "solar_wind", "sw/im": "solar_wind",
    "upstream": "solar_wind", "magnetosheath": "magnetosheath", "sheath": "magnetosheath", "magnetosphere": "magnetosphere",
    "sphere": "magnetosphere", "lobe": LOBE, "plasma_lobe": LOBE,
}  # fmt: skip


def read_region_intervals(path: str | Path) -> xr.Dataset:
    """Intervals of regions: ``start, end, region`` with the lobe as a region too, or any form of `read_crossings`.

    Regions are solar_wind (also sw, im, sw/im, upstream), magnetosheath (sheath), magnetosphere (sphere), lobe, unknown.

    Returns
    -------
    xarray.Dataset
        ``start``, ``end``, ``region`` along ``interval``, in order and without overlap.

    Raises
    ------
    DataError
        The file cannot be read, or an interval is out of order or of an unknown region; with file and line.
    """
    table = read_columns(path, [], ["start", "end", "region"])
    if not {"start", "end", "region"} <= set(table.columns):
        return read_crossings(path)
    starts, ends = (_times(table.columns[name], name, str(path), table.lines) for name in ("start", "end"))
    regions = []
    for row, text in enumerate(table.columns["region"]):
        name = text.strip().lower().replace(" ", "_")
        if name not in _REGIONS:
            raise DataError(f"{table.where(row)}: region is {text!r}; use one of {', '.join(_REGIONS)}")
        if ends[row] < starts[row] or (row and starts[row] < ends[row - 1]):
            raise DataError(
                f"{table.where(row)}: interval {starts[row]} to {ends[row]} ends before it starts or overlaps the row "
                "above; sort the list"
            )
        regions.append(_REGIONS[name])
    words = {"start": "start of interval, UTC", "end": "end of interval, UTC", "region": "region of the plasma"}
    values = {"start": starts, "end": ends, "region": np.array(regions, dtype=str)}
    made = xr.Dataset({name: ("interval", array, {"long_name": words[name]}) for name, array in values.items()})
    made.attrs = {"source": Path(path).name}
    return made


def read_positions(path: str | Path) -> xr.Dataset:
    """Positions of a spacecraft: CSV with ``time`` (ISO, UTC) and ``x, y, z`` in GSE, km from the centre of the Earth.

    Returns
    -------
    xarray.Dataset
        ``position(time, component)`` in km.

    Raises
    ------
    DataError
        The file cannot be read, lacks a column, times are not in order, or a value is no number; with the line.
    """
    try:
        table = pd.read_csv(path, comment="#", skipinitialspace=True)
    except (OSError, ValueError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(f"positions {path} cannot be read: {error}; give a CSV file with the columns time, x, y, z") from None
    missing = [name for name in ("time", "x", "y", "z") if name not in table]
    if missing or table.empty:
        raise DataError(f"positions {path}: {'no rows' if not missing else 'columns ' + ', '.join(missing) + ' are missing'}; "
                        "needed: time, x, y, z (GSE, km)")  # fmt: skip
    times = _times(table["time"].astype(str).tolist(), "time", str(path), None)
    late = np.flatnonzero(np.diff(times) <= np.timedelta64(0, "ns"))
    if late.size:
        raise DataError(
            f"positions {path}, row {late[0] + 2}: {times[late[0] + 1]} does not follow {times[late[0]]}; sort the rows"
        )
    places = np.empty((len(table), 3))
    for k, name in enumerate("xyz"):
        places[:, k] = pd.to_numeric(table[name], errors="coerce")
        bad = ~np.isfinite(places[:, k])
        if bad.any():
            row = int(bad.argmax())
            raise DataError(f"positions {path}, row {row + 1}: {name} is {table[name].iloc[row]!r}; it must be a finite number")
    made = xr.Dataset({"position": (("time", "component"), places)}, coords={"time": times, "component": list("xyz")})
    made["position"].attrs = {"units": "km", "long_name": "position in GSE"}
    made.attrs = {"source": Path(path).name}
    return made


def read_kp(path: str | Path) -> xr.Dataset:
    """Kp of 3 hours each, from a file of GFZ Potsdam (CSV) or of CelesTrak (text), told by its first line."""
    first = read_lines(path)[0]
    return read_celestrak(path) if first.startswith("DATATYPE") else read_gfz(path)


def _times(texts: list[str], name: str, path: str, lines: list[int] | None) -> np.ndarray:
    stamps = pd.to_datetime(pd.Series(texts).str.strip(), errors="coerce", utc=True, format="ISO8601")
    bad = stamps.isna().to_numpy() | ~np.array([text.strip()[:4].isdigit() for text in texts])
    if bad.any():
        row = int(bad.argmax())
        where = f"line {lines[row]}" if lines else f"row {row + 1}"
        raise DataError(f"{path}, {where}: {name} is {texts[row]!r}; it must be an ISO time such as 1995-03-24T06:00:00")
    return stamps.dt.tz_localize(None).to_numpy().astype("datetime64[ns]")
