"""Counts of events as a data set, with observed time and averages for three hours."""

from __future__ import annotations

import json
from importlib.metadata import version

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import gammaincinv

from siderion.core.measurement import LOWER_QUANTILE, UPPER_QUANTILE, measurement
from siderion.spectrometer.pulse_height.context import INTERVAL, KP_CLASSES, REGIONS, SECTORS, Surroundings
from siderion.spectrometer.pulse_height.events import COINCIDENCES, MassFrom, pulse_height_sources, window_table
from siderion.spectrometer.pulse_height.histogram import CONTEXTS, Bins, Counts

_SPLIT = ("region", "lunar_sector", "kp_class")
_SHAPE = (len(REGIONS), len(SECTORS), len(KP_CLASSES))
_LIMIT = 0.95
_CONVENTION = (
    "counts over observed time; ends are 16 and 84 % of the exact Poisson interval; where nothing was counted, the value is the "
    "95 % upper limit"
)


def counts_dataset(
    counts: Counts,
    bins: Bins,
    surroundings: Surroundings,
    *,
    source: MassFrom = "file",
    settings: dict[str, object] | None = None,
) -> xr.Dataset:
    """Data set of the counts.

    Parameters
    ----------
    counts, bins, surroundings
        What was counted, and how.
    source : {"file", "recompute"}
        Where the masses are from, for the sources.
    settings : dict, optional
        Goes into the attribute ``settings``.

    Returns
    -------
    xarray.Dataset
        ``counts(region, lunar_sector, kp_class, mass_bin, mass_per_charge_bin)`` of triples, ``mass_per_charge_counts``
        with coincidence and fine bins, ``window_counts(window, region, lunar_sector, kp_class)``, ``exposure`` (units of
        three hours), the measurement ``average_counts`` (counts for three hours; flag 1 where there was no observation), and
        the same for each window and region as ``region_average``.
    """
    exposure = observed_time(counts, surroundings)
    windows = counts.windows.reshape(-1, *_SHAPE)
    made = xr.Dataset(
        {
            "counts": ((*_SPLIT, "mass_bin", "mass_per_charge_bin"), counts.scatter.reshape(*_SHAPE, *counts.scatter.shape[1:]),
                       {"units": "1", "long_name": "triple coincidences by mass and mass per charge"}),
            "mass_per_charge_counts": (
                (*_SPLIT, "coincidence", "fine_mass_per_charge_bin"),
                counts.spectrum.reshape(*_SHAPE, *counts.spectrum.shape[1:]),
                {"units": "1", "long_name": "events by mass per charge"}),
            "window_counts": (("window", *_SPLIT), windows, {"units": "1", "long_name": "events in the window of a species"}),
            "exposure": (_SPLIT, exposure, {"units": "1", "long_name": "observed time, units of three hours"}),
        },
        coords=_coordinates(bins),
    )  # fmt: skip
    by_region = _averages(
        "region_average", windows.sum((2, 3)), np.broadcast_to(exposure.sum((1, 2)), windows.shape[:2]), ("window", "region")
    )
    each = _averages("average_counts", windows, np.broadcast_to(exposure, windows.shape), ("window", *_SPLIT))
    made = xr.merge([made, each, by_region])
    made.attrs = {
        "kind": "siderion pulse height", "title": "Pulse-height events by mass, mass per charge, region, Moon and Kp",
        "settings": json.dumps(settings or {}), "sources": json.dumps(pulse_height_sources(source)),
        "totals": json.dumps(counts.totals), "cell_seconds": surroundings.cell, "siderion_version": version("siderion"),
        "kp_classes": f"low: Kp <= {surroundings.low_kp:g}; high: Kp >= {surroundings.high_kp:g}; between: the others",
    }  # fmt: skip
    return made


def observed_time(counts: Counts, surroundings: Surroundings) -> NDArray[np.float64]:
    """Observed time by region, sector and class of Kp, in units of three hours: the cells that hold an event."""
    codes = np.fromiter(counts.cells.values(), dtype=np.int64, count=len(counts.cells))
    cells = np.bincount(codes, minlength=CONTEXTS).reshape(_SHAPE).astype(np.float64)
    return np.asarray(cells * (surroundings.cell_ns / INTERVAL))


def poisson_ends(counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ends of the exact central 68 % interval of a Poisson mean (Garwood 1936, doi:10.1093/biomet/28.3-4.437)."""
    number = np.asarray(counts, dtype=np.float64)
    lower = np.where(number > 0, gammaincinv(np.maximum(number, 1.0), LOWER_QUANTILE), 0.0)
    return lower, gammaincinv(number + 1.0, UPPER_QUANTILE)


def _averages(name: str, counts: NDArray[np.int64], exposure: NDArray[np.float64], dims: tuple[str, ...]) -> xr.Dataset:
    lower, upper = poisson_ends(counts)
    seen = exposure > 0.0
    scale = np.divide(1.0, exposure, out=np.full(exposure.shape, np.nan), where=seen)
    nothing = seen & (counts == 0)
    value = np.where(nothing, -np.log1p(-_LIMIT), counts) * scale
    return measurement(
        name, value, lower * scale, upper * scale, dims=dims, units="1", convention=_CONVENTION, flag=(~seen).astype(np.int8),
        flag_meanings={1: "not_observed"}, upper_limit=nothing, long_name="counts for three hours of observation",
    )  # fmt: skip


def _coordinates(bins: Bins) -> dict[str, object]:
    """Coordinates of the dimensions; of bins the lower edge, and the upper one beside it."""
    windows = window_table()
    made: dict[str, object] = {
        "region": np.array(REGIONS), "lunar_sector": np.array(SECTORS), "kp_class": np.array(KP_CLASSES),
        "coincidence": np.array(COINCIDENCES[1:]), "window": np.array([str(row["window"]) for row in windows]),
    }  # fmt: skip
    for name, edges, units in (
        ("mass_bin", bins.mass, "u"),
        ("mass_per_charge_bin", bins.mass_per_charge, "u e-1"),
        ("fine_mass_per_charge_bin", bins.fine_mass_per_charge, "u e-1"),
    ):
        words = name.removesuffix("_bin").replace("_", " ")
        made[name] = (name, edges[:-1], {"units": units, "long_name": f"{words}, lower edge of the bin"})
        made[f"{name}_end"] = (name, edges[1:], {"units": units, "long_name": f"{words}, upper edge of the bin"})
    return made
