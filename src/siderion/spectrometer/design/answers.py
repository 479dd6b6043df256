"""Answers of the design as data sets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr

from siderion.core.errors import SettingsError
from siderion.core.tables import load_table
from siderion.spectrometer.instruments import Setup

from .detection import minimum_detectable_fraction
from .separation import counts_needed, counts_to_tell_apart, resolution_needed
from .settings import Demand, MassPeak
from .templates import Templates, flight_time_templates, mass_templates

_LIKELIHOOD = (
    "significance",
    "median of the profile likelihood ratio",
    "computed",
    "Cowan et al. 2011, doi:10.1140/epjc/s10052-011-1554-0",
)


def separation_dataset(
    species: tuple[str, ...], fraction: float, resolutions: Sequence[float], peak: MassPeak, demand: Demand,
    major_counts: float | None = None, others: float = 0.0,
) -> xr.Dataset:  # fmt: skip
    """Counts that separate a minor (second) from a major (first) species, for several m/dm of a generic instrument.

    Parameters
    ----------
    species : tuple of str
        Major species, others that are fitted too, minor species.
    fraction : float
        Counts of the minor over those of the major species.
    resolutions : sequence of float
        m/dm.
    peak : MassPeak
        Shape; its resolution is not used.
    demand : Demand
        Confidence and power.
    major_counts : float, optional
        Counts of the major species, for the needed m/dm.
    others : float
        Counts of each species between the two over those of the major one.

    Returns
    -------
    xarray.Dataset
        ``counts_needed(mass_resolution)`` of the major species and ``counts_to_tell_apart(mass_resolution)``; with counts also
        ``resolution_needed``.
    """
    if not len(resolutions):
        raise SettingsError("no m/dm; give one or more, such as --resolution 15,60")
    templates = [mass_templates(species, replace(peak, resolution=float(value))) for value in resolutions]
    result = _counts(templates, fraction, demand, others, "mass_resolution", np.asarray(resolutions, dtype=np.float64))
    result["mass_resolution"].attrs = {"units": "1", "long_name": "m/dm, full width at half maximum"}
    if major_counts is not None:
        value = resolution_needed(species, fraction, major_counts, peak, demand, others)
        result["resolution_needed"] = ((), value, {"units": "1", "long_name": "m/dm needed with these counts"})
    return _finished(
        result, "Separation of two species", {"species": list(species), "fraction": fraction, "major_counts": major_counts}
    )


def instrument_separation_dataset(
    species: tuple[str, ...], fraction: float, setup: Setup, demand: Demand, others: float = 0.0
) -> xr.Dataset:
    """As `separation_dataset`, for a named instrument with foil and fragments: one value along ``instrument``."""
    templates = [flight_time_templates(species, setup)]
    result = _counts(templates, fraction, demand, others, "instrument", np.array([setup.instrument.name]))
    return _finished(result, f"Separation by {setup.instrument.title}", {"species": list(species), "fraction": fraction}, setup)


def detection_dataset(
    templates: Mapping[str, Templates],
    counts: Sequence[float],
    demand: Demand,
    setup: Setup | None = None,
    others: float = 0.0,
) -> xr.Dataset:
    """Minimum detectable fractions against counts.

    Parameters
    ----------
    templates : mapping of str to Templates
        Peaks of each case, major species first, minor species last.
    counts : sequence of float
        Counts of the major species.
    demand : Demand
        Confidence and power.
    setup : Setup, optional
        Instrument, for the sources.
    others : float
        Counts of each species between the two over those of the major one.

    Returns
    -------
    xarray.Dataset
        ``minimum_fraction(case, major_counts)``.
    """
    number = np.asarray(counts, dtype=np.float64)
    values = np.array([minimum_detectable_fraction(one, number, demand, 0.0, others) for one in templates.values()])
    text = {"units": "1", "long_name": "smallest detectable count ratio of the minor to the major species"}
    result = xr.Dataset(
        {"minimum_fraction": (("case", "major_counts"), values, text)}, coords={"case": list(templates), "major_counts": number}
    )
    result["major_counts"].attrs = {"units": "1", "long_name": "counts of the major species"}
    return _finished(result, "Minimum detectable fraction", {}, setup)


def _counts(
    templates: list[Templates], fraction: float, demand: Demand, others: float, dim: str, places: np.ndarray
) -> xr.Dataset:
    needed = [counts_needed(one, fraction, demand, 0.0, others) for one in templates]
    apart = [counts_to_tell_apart(one, demand) for one in templates]
    return xr.Dataset(
        {
            "counts_needed": (
                dim,
                needed,
                {"units": "1", "long_name": "counts of the major species needed to detect the minor one"},
            ),
            "counts_to_tell_apart": (
                dim,
                apart,
                {"units": "1", "long_name": "counts that tell one species alone from the other alone"},
            ),
        },
        coords={dim: places},
    )


def _finished(result: xr.Dataset, title: str, settings: dict[str, Any], setup: Setup | None = None) -> xr.Dataset:
    result.attrs |= design_attributes(title, settings, setup)
    return result


def design_attributes(
    title: str, settings: Mapping[str, Any], setup: Setup | None = None, more: str = "[]",
    rows: Sequence[tuple[str, str, str, str]] | None = None,
) -> dict[str, str]:  # fmt: skip
    """Attributes of every answer: kind, title, settings, sources (JSON, with those of ``more``) and version.

    ``rows`` are sources (what, model, confidence, citation) in place of the likelihood and the defaults.
    """
    if rows is None:
        rows = [
            _LIKELIHOOD,
            ("defaults", "choices of this design", _confidence(), "siderion/spectrometer/tables/design_defaults.csv"),
        ]
    listed = list(rows)
    if setup is not None:
        rated = [row["confidence"] for row in setup.instrument.sources.values()]
        listed.append(("instrument", setup.instrument.title, "unverified" if "unverified" in rated else "verified",
                       "siderion/spectrometer/tables/instrument_values.csv"))  # fmt: skip
    sources = [dict(zip(("what", "model", "confidence", "citation"), row, strict=True)) for row in listed]
    return {
        "title": title, "kind": "siderion design", "settings": json.dumps(dict(settings)),
        "sources": json.dumps(sources + json.loads(more)), "siderion_version": version("siderion"),
    }  # fmt: skip


def _confidence() -> str:
    rows = load_table("spectrometer", "design_defaults")["confidence"]
    return "unverified" if (rows == "unverified").any() else "verified"
