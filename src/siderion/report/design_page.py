"""The page of the design of an observation: m/dm, smallest fractions, angles, gain, use of an orbit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from siderion.core.errors import DataError
from siderion.spectrometer.design import angular, gain
from siderion.spectrometer.design.settings import Demand

from . import markup
from .design_figures import draw_angles, draw_detection, draw_gain, draw_hours, plain_count
from .design_separation import separation_parts
from .figures import to_data_uri
from .markup import Number, Section
from .residence_figures import draw_residence
from .selection import species_label
from .source_words import caution, foot, lead, need, record

KIND = "siderion design"
"""Global attribute ``kind`` of the output that this page shows."""
_COMMAND = "siderion design"
_KILO = 1e3
_MOST_BINS, _POINTS = 360, 14
Parts = tuple[str, list[Section]]


def is_design(dataset: xr.Dataset) -> bool:
    """Whether a data set is the output of ``siderion design``."""
    return dataset.attrs.get("kind") == KIND


def render_design_page(result: xr.Dataset) -> str:
    """Render any answer of the design as a self-contained HTML page.

    Parameters
    ----------
    result : xarray.Dataset
        What ``siderion design`` (separate, detect, orbit, angle, gain) writes.

    Returns
    -------
    str
        HTML without references to the outside.

    Raises
    ------
    DataError
        A variable is missing, or the settings do not name a known command.
    """
    result = result.load()
    need(result, ("settings", "title"), "design of an observation", _COMMAND)
    settings = json.loads(result.attrs["settings"])
    command = settings.get("command")
    if command not in _PARTS:
        raise DataError(
            f"design of an observation: command {command!r} is unknown ({', '.join(_PARTS)}); write it with `{_COMMAND}`"
        )
    names, parts = _PARTS[command]
    need(result, names, f"design of an observation ({command})", f"{_COMMAND} {command}")
    head, sections = parts(result, settings)
    return markup.page(str(result.attrs["title"]), head + caution(result), [*sections, *record(result)], foot(result))


def _figure(drawn: Any, words: str, caption: str) -> str:
    return markup.figure([markup.image(to_data_uri(drawn), words)], caption, wide=True)


def _detect(result: xr.Dataset, settings: dict[str, Any]) -> Parts:
    major, minor = settings["species"][0], settings["species"][-1]
    values = result["minimum_fraction"].transpose("case", "major_counts").values
    counts = result["major_counts"].values.astype(np.float64)
    cases = [str(name) for name in result["case"].values]
    place = int(np.argmax(counts))
    column = values[:, place]
    if np.isfinite(column).any():
        best = int(np.nanargmin(column))
        said = (
            f"With {plain_count(counts[place])} counts of {species_label(major)} the smallest detectable fraction of "
            f"{species_label(minor)} is <strong>{markup.number(float(column[best]), 2)}</strong> ({markup.text(cases[best])})."
        )
    else:
        said = f"No fraction of {species_label(minor)} can be detected beside {species_label(major)} with these counts."
    others = settings["species"][1:-1]
    pairs = [
        ("major ion", species_label(major)), ("minor ion", species_label(minor)),
        ("other ions that are fitted", markup.text(", ".join(map(species_label, others)) or "none")),
        ("each of them over the major ion", f"{settings['others_fraction']:g}" if others else "–"),
        ("confidence, one-sided", f"{settings['confidence']:g}"), ("power", f"{settings['power']:g}"),
    ]  # fmt: skip
    drawn = draw_detection(counts, dict(zip(cases, values, strict=True)), major, minor)
    caption = (
        "Smallest fraction that is detected with the confidence and power above, against the counts of the major ion. It falls "
        "with "
        "one over the counts where the peaks are apart (dashed: one count of the minor ion), with their root where they "
        "overlap, and "
        "no more where the shape of the peaks is not known well enough."
    )
    rows: list[list[str | Number]] = [
        [markup.text(name), *(Number(markup.number(float(v), 2) if np.isfinite(v) else "none") for v in row)]
        for name, row in zip(cases, values, strict=True)
    ]
    heads = ["case", *(f"{plain_count(n)} counts" for n in counts)]
    sections = [
        Section("fractions", "Smallest detectable fraction", _figure(drawn, "Smallest detectable fraction", caption)),
        Section("values", "Values", markup.table(heads, rows, "wide")),
    ]
    return lead(said) + markup.facts(pairs), sections


def _angle(result: xr.Dataset, settings: dict[str, Any]) -> Parts:
    sizes = result["angular_resolution"].values.astype(np.float64)
    cone, source = result["cone_counts_needed"].values, result["source_error"].values / _KILO
    counts = result["source_counts_needed"].values
    fine = int(np.argmin(sizes))
    distance, wanted = float(settings["distance_km"]), float(settings["error_km"])
    said = (
        f"At {sizes[fine]:g} degrees the cone shows after <strong>{plain_count(float(cone[fine]))} counts</strong>, and one "
        "count "
        f"places a source at {distance:.0f} km to <strong>{source[fine]:.0f} km</strong>."
    )
    what = "loss cone" if settings["excess"] < 0.0 else "beam"
    pairs = [
        (f"half angle of the {what}", f"{settings['cone_degrees']:g} degrees"),
        ("flux in it over that outside", f"{1.0 + settings['excess']:g}"),
        ("distance of the source", f"{distance:.0f} km"),
        ("ion, speed, field", f"{species_label(settings['ion'])}, {settings['speed_km_s']:g} km s<sup>−1</sup>, "
                              f"{settings['field_nT']:g} nT"),
        ("wanted error", f"{wanted:g} km"),
        ("confidence, power", f"{settings['confidence']:g}, {settings['power']:g}"),
    ]  # fmt: skip
    bins = np.arange(max(2, round(180.0 / (1.5 * sizes.max()))), min(round(180.0 / (0.7 * sizes.min())), _MOST_BINS) + 1)
    smooth = np.asarray(180.0 / np.unique(np.round(np.geomspace(bins[0], bins[-1], _POINTS))), dtype=np.float64)
    demand = Demand(settings["confidence"], settings["power"])
    curve = np.array([float(angular.cone_counts_needed(r, settings["cone_degrees"], settings["excess"], demand)) for r in smooth])
    errors = np.array([angular.source_position_error(distance * _KILO, r, 1.0) / _KILO for r in smooth])
    drawn = draw_angles(sizes, cone, source, (smooth, curve, errors), wanted)
    caption = (
        "Left: counts of all pitch angles after which the cone is told from isotropic ions, in equal bins of the resolution. "
        "Right: standard error of the place of the "
        "source, distance times resolution / (2.355 √N), for 1, 10 and 100 counts. Dots: the resolutions asked for."
    )
    rows = [
        [Number(f"{r:g}"), Number(plain_count(float(a))), Number(f"{b:.0f}"), Number(f"{np.ceil(c):.0f}")]
        for r, a, b, c in zip(sizes, cone, source, counts, strict=True)
    ]
    heads = ["resolution, degrees", "counts for the cone", "error from one count, km", f"counts for an error of {wanted:g} km"]
    sections = [
        Section("angles", "What angular resolution does", _figure(drawn, "Angular resolution", caption)),
        Section("values", "Values", markup.table(heads, rows, "pairs")),
    ]
    return lead(said) + markup.facts(pairs), sections


def _gain(result: xr.Dataset, settings: dict[str, Any]) -> Parts:
    years = result["duration"].values.astype(np.float64)
    scale, floor = float(settings["scale_years"]), float(settings["floor"])
    labels = {"efficiency_left": "efficiency over that at the begin", "effective_exposure": "effective exposure, years",
              "limit_factor": "factor by which limits rise"}  # fmt: skip
    long = int(np.argmax(years))
    said = (
        f"After {years[long]:g} years the efficiency is <strong>{100 * float(result['efficiency_left'][long]):.3g} %</strong> "
        "of that "
        f"at the begin; the time counts as {float(result['effective_exposure'][long]):.3g} years of a fresh detector."
    )
    smooth = np.linspace(0.0, 1.05 * years.max(), 200)
    made = {labels[name]: getattr(gain, name)(smooth, scale, floor) for name in labels}
    drawn = draw_gain(years, {words: result[name].values for name, words in labels.items()}, (smooth, made), floor)
    caption = (
        "Exponential fall with the scale that was given. Left: efficiency. Middle: time of a fresh detector that counts as much. "
        "Right: factor by which upper limits rise beside a detector without fatigue. Dots: the times asked for."
    )
    rows = [[Number(f"{year:g}"), *(Number(f"{float(result[name][k]):.3g}") for name in labels)] for k, year in enumerate(years)]
    sections = [
        Section("gain", "Fall with time", _figure(drawn, "Gain fatigue", caption)),
        Section("values", "Values", markup.table(["years", *labels.values()], rows, "pairs")),
    ]
    pairs = [("scale", f"{scale:g} years"), ("floor of the efficiency", f"{floor:g}")]
    return lead(said) + markup.facts(pairs), sections


def _orbit(result: xr.Dataset, settings: dict[str, Any]) -> Parts:
    names = [str(name) for name in result["region"].values]
    hours, share = result["hours_per_year"].values, result["residence_share"].values
    counts = result["counts_per_year"].values if "counts_per_year" in result else None
    order = np.argsort(-hours)[:3]
    most = ", ".join(f"{markup.text(names[k])} {hours[k]:.0f} h ({100 * share[k]:.1f} %)" for k in order)
    said = (
        f"An orbit of {settings['perigee_km']:.0f} × {settings['apogee_km']:.0f} km at {settings['inclination']:g} degrees "
        "spends of a "
        f"year: <strong>{most}</strong>."
    )
    pairs = [
        ("epoch", markup.text(settings["epoch"])),
        ("followed", f"{settings['days']:g} days in steps of {settings['step_s']:g} s"),
        ("node", f"{settings['raan']:g} degrees"), ("argument of perigee", f"{settings['argument_of_perigee']:g} degrees"),
    ]  # fmt: skip
    if counts is not None:
        pairs.append(("counts in a region", f"{markup.number(settings['count_rate_s-1'])} s<sup>−1</sup>"))
    drawn = draw_hours(names, hours, counts)
    caption = "Expected hours a year in each region" + (
        ", with the counts of the given flux in these hours." if counts is not None else "."
    )
    shares = result["residence_fraction"].transpose("region", "year_bin").values
    empty = int((~np.isfinite(shares)).all(axis=0).sum())
    monthly = "Share of the time in each region by twelfth of the calendar year."
    monthly += " Node and perigee drift, and the Earth goes about the Sun."
    monthly += f" {empty} parts without a bar were not followed." if empty else ""
    monthly += " Regions that were not asked for are left out." if share.sum() < 0.999 else ""
    sections = [
        Section("regions", "Hours in each region", _figure(drawn, "Hours in each region", caption)),
        Section("months", "By month", _figure(draw_residence(names, shares), "Share of the time by month", monthly)),
        Section("values", "Values", _orbit_table(names, hours, share, shares, counts)),
    ]
    note = markup.paragraph(
        "Each moment counts for the regions with their probability; counts take the same flux in every region."
    )
    return lead(said) + (note if counts is not None else "") + markup.facts(pairs), sections


def _orbit_table(names: list[str], hours: np.ndarray, share: np.ndarray, months: np.ndarray, counts: np.ndarray | None) -> str:
    rows: list[list[str | Number]] = []
    for k, name in enumerate(names):
        known = 100.0 * months[k][np.isfinite(months[k])]
        row: list[str | Number] = [markup.text(name), Number(f"{hours[k]:.1f}"), Number(f"{100 * share[k]:.2f}"),
                                   Number(f"{known.min():.1f} to {known.max():.1f}" if known.size else "–")]  # fmt: skip
        row += [Number(plain_count(float(counts[k])))] if counts is not None else []
        rows.append(row)
    heads = ["region", "hours a year", "share, %", "share by month, %", *(["counts a year"] if counts is not None else [])]
    return markup.table(heads, rows, "pairs")


_PARTS: dict[str, tuple[tuple[str, ...], Callable[[xr.Dataset, dict[str, Any]], Parts]]] = {
    "separate": (("counts_needed", "counts_to_tell_apart"), separation_parts),
    "detect": (("minimum_fraction", "case", "major_counts"), _detect),
    "angle": (("angular_resolution", "cone_counts_needed", "source_error", "source_counts_needed"), _angle),
    "gain": (("duration", "efficiency_left", "effective_exposure", "limit_factor"), _gain),
    "orbit": (("region", "hours_per_year", "residence_share", "residence_fraction", "year_bin"), _orbit),
}
"""What each command writes, and what makes its page."""
