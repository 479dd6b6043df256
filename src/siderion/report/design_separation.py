"""Parts of the page of a design: counts, times and geometric factors that separate two ions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from siderion.core.errors import SiderionError
from siderion.spectrometer.catalogue_masses import needed_resolution
from siderion.spectrometer.design.settings import MassPeak
from siderion.spectrometer.design.settings import default as default_of
from siderion.spectrometer.design.templates import Templates, flight_time_templates, mass_templates
from siderion.spectrometer.instruments import get_instrument, make_setup

from . import markup
from .design_figures import Curve, PeakPanel, draw_peaks, draw_separation, plain_count
from .figures import to_data_uri
from .markup import Number, Section
from .selection import species_label
from .source_words import lead

_MOST_PANELS = 4
_PER_CM2, _MINUTE, _NANO = 1e4, 60.0, 1e9
_SHAPE = ("tail_fraction", "tail_length", "tail_uncertainty", "width_uncertainty")


def separation_parts(result: xr.Dataset, settings: dict[str, Any]) -> tuple[str, list[Section]]:
    """Head and sections of what ``siderion design separate`` writes.

    Parameters
    ----------
    result : xarray.Dataset
        With ``counts_needed`` and ``counts_to_tell_apart`` along ``mass_resolution`` or ``instrument``.
    settings : dict
        From its attribute.

    Returns
    -------
    head : str
        HTML.
    sections : list of Section
    """
    major, minor = settings["species"][0], settings["species"][-1]
    dim = str(result["counts_needed"].dims[0])
    compared = [Section("resolution", "What m/dm does", _figure(result, settings))] if dim == "mass_resolution" else []
    sections = [
        *compared,
        Section("peaks", "Expected peaks", _peaks(result, settings, dim)),
        Section("values", "Values", _table(result, major, dim)),
    ]
    return _head(result, settings, dim, major, minor), sections


def _head(result: xr.Dataset, settings: dict[str, Any], dim: str, major: str, minor: str) -> str:
    counts = result["counts_needed"].values
    places = [_place(value, dim) for value in result[dim].values]
    times = result["time_needed"].values / _MINUTE if "time_needed" in result else np.full(len(counts), np.inf)
    each = "; ".join(
        f"{place}: <strong>{_count(value)}</strong>" + (f" in {minutes:.3g} minutes" if np.isfinite(minutes) else "")
        for place, value, minutes in zip(places, counts, times, strict=True)
    )
    said = (
        f"Counts of {species_label(major)} after which {species_label(minor)}, {100 * settings['fraction']:g} % of them, is "
        "detected: "
        f"{each}."
    )
    if "resolution_needed" in result:
        value = float(result["resolution_needed"])
        words = (
            "no m/dm is enough"
            if np.isnan(value)
            else f"m/dm of <strong>{'1 or less' if value <= 1.0 else f'{value:.3g}'}</strong>"
        )
        said += (
            f" {settings['counts']:g} counts need {words}."
            if not np.isnan(value)
            else f" With {settings['counts']:g} counts {words}."
        )
    others = settings["species"][1:-1]
    pairs = [
        ("major ion", species_label(major)), ("minor ion", species_label(minor)),
        ("other ions that are fitted", markup.text(", ".join(map(species_label, others)) or "none")),
        ("each of them over the major ion", f"{settings['others_fraction']:g}" if others else "–"),
        ("confidence, one-sided", f"{settings['confidence']:g}"), ("power", f"{settings['power']:g}"),
    ]  # fmt: skip
    if dim == "mass_resolution":
        pairs.append(
            ("share of a peak in its tail, known to", f"{settings['tail_fraction']:g}, {100 * settings['tail_uncertainty']:g} %")
        )
        pairs.append(("width known to", f"{100 * settings['width_uncertainty']:g} %"))
    else:
        pairs.append(("energy per charge", f"{settings['energy_keV']:g} keV"))
    if settings["flux"] is not None:
        units = "cm<sup>−2</sup> s<sup>−1</sup> sr<sup>−1</sup> keV<sup>−1</sup>"
        pairs.append(("flux of the major ion", f"{settings['flux']:g} {units} over {settings['energy_width_keV']:g} keV"))
    return lead(said) + markup.facts(pairs)


def _place(value: Any, dim: str) -> str:
    if dim == "mass_resolution":
        return f"m/dm\N{NO-BREAK SPACE}{float(value):g}"
    return markup.text(get_instrument(str(value)).title)


def _count(value: float) -> str:
    return "never" if np.isinf(value) else plain_count(float(value))


def _curves(result: xr.Dataset, settings: dict[str, Any]) -> list[Curve]:
    major = species_label(settings["species"][0])
    wanted = {f"given: {settings['counts']:g} counts": float(settings["counts"])} if settings["counts"] else {}
    series = {
        "to detect the minor ion": result["counts_needed"].values,
        "to tell one ion alone from the other": result["counts_to_tell_apart"].values,
    }
    found = [Curve(f"counts of {major}", series, wanted)]
    minutes = settings["minutes"] or default_of("time_hot")
    if "time_needed" in result:
        values = result["time_needed"].values / _MINUTE
        found.append(
            Curve("time needed, minutes", {"to detect the minor ion": values}, {f"time allowed: {minutes:g} minutes": minutes})
        )
    if "geometric_factor_needed" in result:
        given = settings["geometric_factor_cm2_sr"]
        lines = {"given geometric factor": float(given)} if given else {}
        values = result["geometric_factor_needed"].values * _PER_CM2
        found.append(Curve(rf"geometric factor for {minutes:g} minutes, cm$^2$ sr", {"to detect the minor ion": values}, lines))
    return found


def _figure(result: xr.Dataset, settings: dict[str, Any]) -> str:
    marks: dict[str, float] = {}
    major, minor = settings["species"][0], settings["species"][-1]
    apart = _one_width(major, minor)
    if apart is not None:
        marks[f"{species_label(major)} and {species_label(minor)} one width apart: m/dm {apart:.3g}"] = apart
    if "resolution_needed" in result and np.isfinite(result["resolution_needed"]):
        value = float(result["resolution_needed"])
        marks[f"needed for the given counts: m/dm {value:.3g}"] = value
    drawn = draw_separation(result["mass_resolution"].values.astype(np.float64), _curves(result, settings), marks)
    caption = (
        "What each m/dm needs. Points are computed; the dotted lines only join them. To detect: significance and power above, "
        "with "
        "tail and width of the peaks fitted. To tell one from the other: only one of the two ions is there."
    )
    return markup.figure([markup.image(to_data_uri(drawn), "Needs against m/dm")], caption, wide=True)


def _one_width(major: str, minor: str) -> float | None:
    """m/dm for peaks one width apart; None where the catalogue does not know an ion, or they never are."""
    try:
        value = needed_resolution(minor, major)
    except SiderionError:
        return None
    return value if np.isfinite(value) else None


def _peaks(result: xr.Dataset, settings: dict[str, Any], dim: str) -> str:
    species = settings["species"]
    shares = np.array([1.0, *[settings["others_fraction"]] * (len(species) - 2), settings["fraction"]])
    numbers = result["counts_needed"].values
    panels = []
    for value, counts in list(zip(result[dim].values, numbers, strict=True))[:_MOST_PANELS]:
        one = _templates(value, settings, dim)
        total = float(counts) if np.isfinite(counts) else 1e5
        words = _place(value, dim) + (
            f", {plain_count(total)} counts" if np.isfinite(counts) else ", never; drawn for 100 000 counts"
        )
        edges = one.edges if dim == "mass_resolution" else one.edges * _NANO
        panels.append(PeakPanel(words, edges, one.peaks * (total * shares)[:, None]))
    label = "mass per charge, amu/e" if dim == "mass_resolution" else "time of flight, ns"
    caption = (
        f"Expected counts per bin of all ions and of each, with the counts of {species_label(species[0])} that are needed; "
        "filled: "
        f"{species_label(species[-1])}, {100 * settings['fraction']:g} % of them."
    )
    if len(numbers) > _MOST_PANELS:
        caption += f" The first {_MOST_PANELS} of {len(numbers)} are drawn."
    drawn = draw_peaks(panels, species, label)
    return markup.figure([markup.image(to_data_uri(drawn), "Expected peaks")], caption, wide=True)


def _templates(value: Any, settings: dict[str, Any], dim: str) -> Templates:
    if dim == "mass_resolution":
        peak = MassPeak(1.0, **{name: settings[name] for name in _SHAPE})
        return mass_templates(settings["species"], replace(peak, resolution=float(value)))
    volts = settings["voltage_kV"]
    setup = make_setup(str(value), None if volts is None else volts * 1e3, settings["energy_keV"] * 1e3)
    return flight_time_templates(settings["species"], setup)


def _table(result: xr.Dataset, major: str, dim: str) -> str:
    columns = [("counts_needed", f"counts of {species_label(major)}", 1.0),
               ("counts_to_tell_apart", "counts, one alone from the other", 1.0),
               ("geometric_factor_needed", "geometric factor needed, cm² sr", _PER_CM2),
               ("time_needed", "time needed, minutes", 1.0 / _MINUTE)]  # fmt: skip
    columns = [column for column in columns if column[0] in result]
    rows: list[list[str | Number]] = [
        [_place(place, dim), *(Number(_count(float(result[name][k]) * factor)) for name, _, factor in columns)]
        for k, place in enumerate(result[dim].values)
    ]
    return markup.table(
        ["m/dm" if dim == "mass_resolution" else "instrument", *(words for _, words, _ in columns)], rows, "pairs"
    )
