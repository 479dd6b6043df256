"""Results of fits as one data set."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.measurement import measurement
from siderion.spectrometer.instruments import Setup

from .settings import FitSettings

Array = NDArray[np.float64]
FLAGS = {0: "good", 1: "outside of the histogram", 2: "poor fit, interval widened", 3: "not separable from another species"}
NOT_SEPARABLE = 0.9
"""Two amplitudes with a correlation of this size or larger are told apart by nothing but noise."""
LARGEST_MODEL = 500
"""The model by species and bin is kept for at most this many spectra."""
CONVENTION = (
    "maximum likelihood with 16 and 84 % ends of the profile likelihood (fall of ln L by 1/2), shape, background and tail error "
    "included; where upper_limit is true the value is the upper limit and the ends are those of the best value"
)


def make_result(
    counts: Array,
    edges: Array,
    species: Sequence[str],
    labels: Sequence[str],
    setup: Setup,
    settings: FitSettings,
    found: dict[str, Array],
) -> xr.Dataset:
    """Put arrays of fits together.

    Parameters
    ----------
    counts : array of shape (spectrum, bin)
    edges : array of shape (bin + 1,)
        s.
    species, labels : sequence of str
        Names of the species and of the spectra.
    setup : Setup
    settings : FitSettings
    found : dict of arrays
        best, lower, upper, limit, significance (spectrum, species); goodness, scale, background, peak_width, peak_tail,
        time_scale (spectrum); correlation (spectrum, species, species); peaks (spectrum or 1, species, bin); lines (bin).
    """
    names, best = list(species), found["best"]
    outside = np.isnan(found["limit"])
    apart = outside[:, :, None] | outside[:, None, :]
    found["correlation"] = np.where(apart, np.eye(len(names)), found["correlation"])  # nothing is known of what lies outside
    mixed = np.abs(found["correlation"] - np.eye(len(names))).max(axis=2) >= NOT_SEPARABLE
    poor = (found["goodness"] < settings.misfit_level)[:, None] & ~outside
    flag = np.where(outside, 1, np.where(mixed, 3, np.where(poor, 2, 0)))
    limited = outside | ~(found["significance"] >= settings.detection_level)
    dims = ("spectrum", "species")
    result = measurement(
        "species_counts", np.where(limited, found["limit"], best), found["lower"], found["upper"], dims=dims, units="1",
        convention=CONVENTION, flag=flag, flag_meanings=FLAGS, upper_limit=limited, long_name="counted events of the species",
    )  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(best[:, :1] > 0.0, best / best[:, :1], np.nan)
    words = f"{100 * settings.confidence:g} % upper limit"
    for name, values, text in (
        ("species_counts_best", np.where(outside, np.nan, best), "best value of the counted events, also where a limit is given"),
        ("species_counts_limit", found["limit"], f"{words} of the counted events, also where the species is seen"),
        ("significance", found["significance"], "root of the likelihood ratio against no such species, tail error included"),
        ("count_ratio", ratio, f"best counts over those of {names[0]}"),
    ):
        result[name] = (dims, values, {"units": "1", "long_name": text})
    result["correlation"] = (("spectrum", "species", "other_species"), found["correlation"], {"units": "1"})
    result["correlation"].attrs["long_name"] = "correlation of the errors of two species"
    for name, text in (
        ("goodness_of_fit", "chance of a larger Poisson deviance"),
        ("error_scale", "root of the deviance over its expectation; intervals of poor fits are widened by it"),
        ("background_per_bin", "background per bin of mean width"),
        ("peak_width", "standard deviation of the Gaussian over the time of flight"),
        ("peak_tail", "mean delay by the tail over the time of flight"),
        ("time_scale", "factor on all times of flight"),
    ):
        result[name] = ("spectrum", found[name], {"units": "1", "long_name": text})
    result["counts"] = (("spectrum", "tof"), counts, {"units": "1", "long_name": "counts per bin"})
    result["model_background"] = (("spectrum", "tof"), found["background_per_bin"][:, None] * found["lines"])
    result["model_background"].attrs = {"units": "1", "long_name": "fitted background per bin"}
    if len(labels) <= LARGEST_MODEL:
        model = np.nan_to_num(best)[:, :, None] * found["peaks"]
        result["model_by_species"] = (("spectrum", "species", "tof"), model, {"units": "1"})
        result["model_by_species"].attrs["long_name"] = "fitted counts per bin of each species"
    result = result.assign_coords(
        spectrum=list(labels), species=names, other_species=names,
        tof_ns=("tof", 0.5e9 * (edges[1:] + edges[:-1]), {"units": "ns", "long_name": "time of flight, centre of the bin"}),
    )  # fmt: skip
    return result.assign_attrs(_attributes(names, setup, settings, found["correlation"]))


def _attributes(species: list[str], setup: Setup, settings: FitSettings, correlation: Array) -> dict[str, Any]:
    notes = []
    typical = np.median(np.abs(correlation), axis=0)
    signed = np.median(correlation, axis=0)
    for i, first in enumerate(species):
        notes += [
            f"{first} and {species[j]} are not separable: correlation {signed[i, j]:.2f}"
            for j in range(i + 1, len(species))
            if typical[i, j] >= NOT_SEPARABLE
        ]
    return {
        "title": f"Time-of-flight spectrum, {setup.instrument.title}: {', '.join(species)}",
        "kind": "siderion spectrum",
        "instrument": setup.instrument.name,
        "voltage_v": setup.voltage,
        "energy_per_charge_ev": setup.energy_per_charge,
        "foil_thickness_ug_cm2": setup.foil_thickness,
        "foil_model": setup.foil_model,
        "confidence": settings.confidence,
        "notes": json.dumps(notes),
        "siderion_version": version("siderion"),
    }
