"""Maps of detections by magnetic latitude and local time, with the exposure behind them and exact intervals."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from itertools import pairwise

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.stats import beta

from siderion.core.errors import DataError, SettingsError
from siderion.core.measurement import LOWER_QUANTILE, UPPER_QUANTILE, measurement
from siderion.core.tables import load_table
from siderion.frames.geographic import place_gse
from siderion.frames.sm import magnetic_place
from siderion.geospace.ground_conjunction import footpoint

Array = NDArray[np.float64]
NEEDED = ("time", "lat", "lon", "alt_km", "count_rate")
_NO_EXPOSURE = 1
_LIMIT = 0.95


def detection_map(
    samples: xr.Dataset,
    *,
    altitude_edges: Sequence[float] | None = None,
    rate_edges: Sequence[float] | None = None,
    latitude_edges: ArrayLike | None = None,
    local_time_edges: ArrayLike | None = None,
    pass_gap: float = 600.0,
    map_to_footpoint: bool = False,
) -> xr.Dataset:
    """How often a satellite detects ions, by altitude, count rate, magnetic latitude and local time (as Figure 4.6).

    Parameters
    ----------
    samples : xarray.Dataset
        One row for each observation, with and without a detection, along one dimension: ``time`` (UTC), ``lat``, ``lon``
        (geocentric, degrees), ``alt_km``, ``count_rate`` (s-1).
    altitude_edges : sequence of float, optional
        Limits between altitude classes, km; 800 as in the figure.
    rate_edges : sequence of float, optional
        Lower limits of the classes of peak count rate, s-1; 500, 1000, 1500 as in the figure. Below the first is no detection.
    latitude_edges, local_time_edges : arrays, optional
        Edges of the bins of magnetic latitude (degrees, -90 to 90 by 5) and local time (h, 0 to 24 by 1).
    pass_gap : float
        Rows of one bin that follow each other by less than this, s, are one pass: one trial with the peak rate of its rows. 0
        takes every row as a trial, which overstates the evidence where neighbours see the same event.
    map_to_footpoint : bool
        Whether latitude is that of the field line at 110 km in place of that of the satellite.

    Returns
    -------
    xarray.Dataset
        ``passes(altitude_class, magnetic_latitude, magnetic_local_time)``: passes; ``detections`` with ``rate_class`` beside;
        measurement ``occurrence_rate`` of the same dimensions: detections over passes with the exact binomial ends (Clopper and
        Pearson); where there is no detection, the upper limit of 95 %; flag 1 where there was no pass.

    Raises
    ------
    DataError
        A variable is missing, shapes differ, or a value is not finite or negative.
    SettingsError
        Edges do not grow.
    """
    columns = _columns(samples)
    edges = _edges(altitude_edges, rate_edges, latitude_edges, local_time_edges)
    trials, outside = _passes(columns, edges, pass_gap, map_to_footpoint)
    shape = (len(edges["altitude"]) - 1, len(edges["latitude"]) - 1, len(edges["local_time"]) - 1)
    place = (trials["altitude"].to_numpy(), trials["latitude"].to_numpy(), trials["local_time"].to_numpy())
    exposure = np.zeros(shape, dtype=np.int64)
    np.add.at(exposure, place, 1)
    detections = np.zeros((shape[0], len(edges["rate"]) - 1, *shape[1:]), dtype=np.int64)
    rate = np.searchsorted(edges["rate"], trials["peak"].to_numpy(), side="right") - 1
    seen = rate >= 0
    np.add.at(detections, (place[0][seen], rate[seen], place[1][seen], place[2][seen]), 1)
    return _dataset(exposure, detections, edges, outside, pass_gap, map_to_footpoint)


def binomial_interval(number: ArrayLike, trials: ArrayLike) -> tuple[Array, Array, Array]:
    """Exact central 68 % interval of a probability, and the upper limit of 95 %.

    Parameters
    ----------
    number, trials : arrays of int
        Successes and trials, 0 <= number <= trials.

    Returns
    -------
    lower, upper, limit : ndarrays
        Ends at 16 and 84 %, and one-sided limit; 0 and 1 without trials.

    Notes
    -----
    Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404: quantiles of beta distributions. It never covers too little.
    """
    k, n = (np.asarray(values, dtype=np.float64) for values in (number, trials))
    if not ((k >= 0.0) & (k <= n)).all():
        raise DataError("successes must lie between 0 and the number of trials")
    some, missed = np.maximum(k, 1.0), np.maximum(n - k, 1.0)
    lower = np.where(k > 0.0, beta.ppf(LOWER_QUANTILE, some, n - k + 1.0), 0.0)
    upper = np.where(k < n, beta.ppf(UPPER_QUANTILE, k + 1.0, missed), 1.0)
    limit = np.where(k < n, beta.ppf(_LIMIT, k + 1.0, missed), 1.0)
    return lower, upper, limit


def _columns(samples: xr.Dataset) -> dict[str, NDArray]:
    """The rows, checked."""
    missing = [name for name in NEEDED if name not in samples.variables]
    if missing:
        raise DataError(f"table of observations: {', '.join(missing)} missing; it needs {', '.join(NEEDED)}")
    columns = {name: samples[name].values for name in NEEDED}
    shapes = {name: values.shape for name, values in columns.items()}
    if columns["time"].ndim != 1 or len(set(shapes.values())) > 1 or columns["time"].size == 0:
        raise DataError(f"table of observations: shapes are {shapes}; give one row for each time, and at least one")
    for name in NEEDED[1:]:
        values = np.asarray(columns[name], dtype=np.float64)
        bad = ~np.isfinite(values) | ((values < 0.0) if name in ("alt_km", "count_rate") else np.zeros(values.shape, dtype=bool))
        if bad.any():
            index = int(np.argmax(bad))
            raise DataError(f"table of observations: {name} is {values[index]} at {columns['time'][index]}; leave that row out")
        columns[name] = values
    order = np.argsort(columns["time"], kind="stable")
    return {name: values[order] for name, values in columns.items()}


def _edges(altitude: object, rate: object, latitude: object, local_time: object) -> dict[str, Array]:
    """Edges of the four axes, closed at their ends."""
    table = load_table("geospace", "detection_map").set_index("name")["value"].astype(float)
    limits = [table["altitude_limit"]] if altitude is None else list(np.atleast_1d(altitude))  # type: ignore[call-overload]
    rates = [table[f"rate_{k}"] for k in (1, 2, 3)] if rate is None else list(np.atleast_1d(rate))  # type: ignore[call-overload]
    edges = {
        "altitude": np.array([0.0, *limits, np.inf]),
        "rate": np.array([*rates, np.inf]),
        "latitude": np.arange(-90.0, 91.0, 5.0) if latitude is None else np.asarray(latitude, dtype=np.float64),
        "local_time": np.arange(25.0) if local_time is None else np.asarray(local_time, dtype=np.float64),
    }
    for name, values in edges.items():
        if values.ndim != 1 or values.size < 2 or not (np.diff(values) > 0.0).all():
            raise SettingsError(f"edges of {name} are {values}; they must grow, and there must be at least one bin")
    return edges


def _passes(columns: dict[str, NDArray], edges: dict[str, Array], gap: float, mapped: bool) -> tuple[pd.DataFrame, int]:
    """One row for each pass through a bin, with its peak rate; and how many rows lie outside of all bins."""
    if not gap >= 0.0:
        raise SettingsError(f"gap between passes is {gap} s; it must not be negative")
    times, lat, lon, alt = (columns[name] for name in ("time", "lat", "lon", "alt_km"))
    if mapped:
        latitude, local_time = footpoint(times, lat, lon, alt)
    else:
        latitude, local_time, _ = magnetic_place(place_gse(lat, lon, alt, times), times)
    values = {"altitude": alt, "latitude": latitude, "local_time": local_time}
    table = pd.DataFrame({name: _bin(array, edges[name]) for name, array in values.items()})
    table["rate"], table["time"] = columns["count_rate"], times.astype("datetime64[ns]").astype(np.int64)
    inside = (table[list(values)] >= 0).all(axis=1)
    outside, table = int((~inside).sum()), table[inside]
    cell = ["altitude", "latitude", "local_time"]
    since = table.groupby(cell)["time"].diff()
    table = table.assign(number=(since.isna() | (since >= gap * 1e9)).groupby([table[name] for name in cell]).cumsum())
    return table.groupby([*cell, "number"], as_index=False).agg(peak=("rate", "max")), outside


def _bin(values: Array, edges: Array) -> NDArray[np.int64]:
    """Bin of each value, the last edge included; -1 outside."""
    index = np.searchsorted(edges, values, side="right") - 1
    index = np.where(values == edges[-1], edges.size - 2, index)
    return np.where((index >= 0) & (index < edges.size - 1), index, -1)


def _dataset(
    exposure: NDArray, detections: NDArray, edges: dict[str, Array], outside: int, gap: float, mapped: bool
) -> xr.Dataset:
    dims = ("altitude_class", "rate_class", "magnetic_latitude", "magnetic_local_time")
    trials = np.broadcast_to(exposure[:, None], detections.shape)
    lower, upper, limit = binomial_interval(detections, trials)
    none, empty = detections == 0, trials == 0
    value = np.where(none, limit, detections / np.maximum(trials, 1))
    found = measurement(
        "occurrence_rate", np.where(empty, np.nan, value), np.where(empty, np.nan, lower), np.where(empty, np.nan, upper),
        dims=dims, units="1", flag=np.where(empty, _NO_EXPOSURE, 0), upper_limit=none & ~empty,
        flag_meanings={_NO_EXPOSURE: "no pass through the bin"}, long_name="passes with a detection over passes",
        convention="detections over passes; ends of the exact central 68 % binomial interval; where nothing was detected, the "
        "upper limit of 95 %",
    )  # fmt: skip
    found["passes"] = ((dims[0], *dims[2:]), exposure, {"units": "1", "long_name": "passes through the bin"})
    found["detections"] = (dims, detections, {"units": "1", "long_name": "passes with a peak count rate of the class"})
    for name, key, units in ((dims[2], "latitude", "degrees"), (dims[3], "local_time", "h")):
        words = f"middle of the bin of {name.replace('_', ' ')}"
        found = found.assign_coords(
            {name: (name, 0.5 * (edges[key][1:] + edges[key][:-1]), {"units": units, "long_name": words})}
        )
    found = found.assign_coords(altitude_class=_labels(edges["altitude"], "km"), rate_class=_labels(edges["rate"], "s-1"))
    settings = {
        "pass_gap_s": gap, "map_to_footpoint": mapped, "rows_outside_bins": outside,
        "edges": {name: [None if np.isinf(v) else float(v) for v in values] for name, values in edges.items()},
    }  # fmt: skip
    source = {"what": "classes", "model": "detection_map", "confidence": "verified",
              "citation": "Figure 4.6 of the review of Yamauchi et al., unless given"}  # fmt: skip
    field = {"what": "magnetic coordinates", "model": "centred dipole of the IGRF-13", "confidence": "verified",
             "citation": "Alken et al. 2021 doi:10.1186/s40623-020-01288-x"}  # fmt: skip
    return found.assign_attrs(
        kind="siderion detection map", title="Detections by magnetic latitude and local time", settings=json.dumps(settings),
        sources=json.dumps([source, field]), siderion_version=version("siderion"),
    )  # fmt: skip


def _labels(edges: Array, unit: str) -> list[str]:
    return [
        f"above {low:g} {unit}" if np.isinf(high) else f"below {high:g} {unit}" if low == 0.0 else f"{low:g}-{high:g} {unit}"
        for low, high in pairwise(edges)
    ]
