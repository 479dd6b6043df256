"""The page of an analysis of waves: events with their series and spectra, reasons against, profiles of the densities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from siderion.core.bodies import get_body
from siderion.core.species import parent_neutral
from siderion.exosphere.fit import bin_profile
from siderion.waves.criteria import MEANINGS, NO_SPECTRUM, Rejection
from siderion.waves.plans import wave_ion

from . import markup
from .figures import to_data_uri
from .markup import Number, Section
from .profile_figures import CUBIC_CENTIMETRE, Dots, draw_profile
from .record_sections import citation_section, settings_section, sources_of, sources_section
from .selection import Array, species_label
from .wave_figures import (
    Survey,
    WaveExample,
    draw_example,
    draw_occurrence,
    draw_overview,
    draw_rejections,
    species_colour,
)
from .wave_words import facts_of_waves, flag_words, how_section, stamp

MOST_EVENTS = 100
"""Events in the table."""
BIN_WIDTH = 0.5
"""Width of the bins of distance, radii of the body, as in the paper; wider for more than `_MOST_BINS`."""
_MOST_BINS = 30


def render_waves_page(tree: xr.DataTree) -> str:
    """Render the result of an analysis of waves as one self-contained HTML page.

    Parameters
    ----------
    tree : xarray.DataTree
        Groups ``windows``, ``events`` and ``examples`` of `siderion.waves.analysis.analyse_waves` (gyrofrequencies in Hz,
        field in nT, densities in m-3, distances in km).

    Returns
    -------
    str
        HTML without references to the outside; texts of the data are escaped.
    """
    root = tree.to_dataset()
    windows, events = (tree[name].to_dataset() for name in ("windows", "events"))
    names = tuple(map(str, windows["species"].values))
    sections = [Section("events", "Events", events_table(events, _radius(events)))]
    if events.sizes.get("event", 0):
        drawn = examples_body(tree["examples"].to_dataset(), events, names)
        sections.append(Section("examples", "Series and spectra", drawn))
        sections.append(Section("profiles", "Density profiles", profiles_body(windows, events, names)))
    sections += [
        Section("series", "The whole series", series_body(windows, names)),
        Section("reasons", "Why windows were rejected", reasons_body(windows, names)),
        how_section(windows),
        sources_section(root),
        settings_section(root),
        citation_section(root),
    ]
    title = str(root.attrs.get("title") or "Siderion: ion cyclotron waves")
    head = facts_of_waves(windows, events) + _caution(root)
    return markup.page(title, head, sections, f"Made by Siderion {markup.text(root.attrs.get('siderion_version', ''))}.")


def _caution(root: xr.Dataset) -> str:
    """What of the sources is unverified."""
    listed = [markup.text(one.get("what") or one.get("model") or "unnamed") for one in sources_of(root)
              if one.get("confidence") not in ("verified", "computed")]  # fmt: skip
    if not listed:
        return ""
    return (
        f'<p class="caution"><strong>Caution.</strong> The densities rest on values marked unverified: {"; ".join(listed)} '
        '(see <a href="#sources">Sources</a>). Check them before you rely on the numbers.</p>'
    )


def _radius(dataset: xr.Dataset) -> float | None:
    """Radius of the body, km."""
    value = dataset.attrs.get("body_radius_km")
    return float(value) if value else None


# ---------------------------------------------------------------------- events


def events_table(events: xr.Dataset, radius: float | None) -> str:
    """Table of the first events (ready HTML)."""
    number = events.sizes.get("event", 0)
    if not number:
        return markup.paragraph(
            "<strong>No event.</strong> No ion has neighbouring windows that meet all criteria; "
            '<a href="#reasons">the reasons</a> are counted below, by ion.'
        )
    heads = ["no.", "start, UTC", "min", "ion", "|B|, nT", "fc, Hz", "peak, Hz", "ellipticity", "degree", "S/N",
             "nᵢ, cm⁻³", "nₙ, cm⁻³", "r, R", "may also be"]  # fmt: skip
    rows = [_event_row(events.isel(event=k), k, radius) for k in range(min(number, MOST_EVENTS))]
    body = markup.table(heads, rows, "wide")
    if number > MOST_EVENTS:
        body += markup.paragraph(f"The first {MOST_EVENTS} of {number} events; {number - MOST_EVENTS} more are in the file.")
    return body + markup.paragraph(
        "min: duration. fc: gyrofrequency of the ion in the mean field. peak: frequency of the largest power over the "
        "background. ellipticity: negative is left-handed about the field, as positive ions turn. degree: of polarisation "
        "across the field. S/N: signal to noise, power across the field above the background, over the background. "
        "n<sub>i</sub>, n<sub>n</sub>: density of the pick-up ions and of their parent neutrals, with the 16 and 84 % ends of "
        "n<sub>n</sub>. r: distance from the centre of the body, in its radii. “May also be” names ions whose gyrofrequency "
        "the wave fits as well, and flags of the densities."
    )


def _event_row(event: xr.Dataset, k: int, radius: float | None) -> list[str | Number]:
    minutes = float((event["end"].values - event["start"].values) / np.timedelta64(1, "s")) / 60.0
    density = {end: float(event[f"neutral_density{end}"]) * CUBIC_CENTIMETRE for end in ("", "_lower", "_upper")}
    known = np.isfinite(density[""])
    limit = "&lt; " if bool(event["neutral_density_upper_limit"]) else ""
    ends = f"{markup.number(density['_lower'])} to {markup.number(density['_upper'])}"
    far = float(event["radial_distance"]) / radius if radius and "radial_distance" in event else float("nan")
    return [
        Number(str(k + 1)),
        Number(stamp(event["start"].values).replace(" ", "<br>")),
        Number(f"{minutes:.1f}"),
        markup.text(species_label(str(event["species"].item()))),
        *(Number(_number(float(event[name]))) for name in (
            "magnetic_field_strength", "gyrofrequency", "peak_frequency", "ellipticity", "polarization_degree", "signal_to_noise",
        )),
        Number(_number(float(event["ion_density"]) * CUBIC_CENTIMETRE)),
        Number(f"{limit}{markup.number(density[''])}<br><small>{ends}</small>" if known else "–"),
        Number(f"{far:.2f}" if np.isfinite(far) else "–"),
        _event_notes(event),
    ]  # fmt: skip


def _number(value: float) -> str:
    return markup.number(value) if np.isfinite(value) else "–"


def _event_notes(event: xr.Dataset) -> str:
    other = str(event["ambiguous_with"].item()) if "ambiguous_with" in event else ""
    notes = [", ".join(species_label(name.strip()) for name in other.split(","))] if other else []
    for name in ("ion_density_flag", "neutral_density_flag"):
        said = flag_words(event[name]) if name in event else ""
        if said and said not in notes:
            notes.append(said)
    return markup.text("; ".join(notes)) or "–"


# ---------------------------------------------------------------------- examples


def examples_body(examples: xr.Dataset, events: xr.Dataset, names: Sequence[str]) -> str:
    """One figure per example (ready HTML)."""
    number = examples.sizes.get("example", 0)
    if not number:
        return markup.missing("No series of an event was kept.", "Set examples to a number above 0.")
    first = f"The {number} events of the most power above the background" if number > 1 else "The event"
    body = markup.paragraph(
        f"{first}, as in Figure 5 of Lammer et al. (2025). Left: the field in mean-field-aligned axes, two components across the "
        "mean field and one along it, each less its mean, on one scale. Right: power spectral density across (both components) "
        "and along the mean field. The black line is the gyrofrequency of the ion, the short marks at the top are those of the "
        "other ions that were sought, the shaded band between the dashed lines is the band of the ion."
    )
    return body + "".join(_example_figure(examples.isel(example=k), events, names) for k in range(number))


def wave_example(example: xr.Dataset, events: xr.Dataset, names: Sequence[str]) -> WaveExample:
    """What the figure of one example shows."""
    event = events.isel(event=int(example["example_event"]))
    name = str(event["species"].item())
    kept = ~np.isnat(example["sample_time"].values)
    rows = np.isfinite(example["spectrum_frequency"].values)
    fc = float(event["gyrofrequency"])
    ratio = {other: wave_ion(other).charge_to_mass / wave_ion(name).charge_to_mass for other in names if other != name}
    turn = float(event["ellipticity"])
    title = (
        f"{species_label(name)}, {stamp(event['start'].values)} UTC, |B| = {float(event['magnetic_field_strength']):.3g} nT, "
        f"ellipticity {turn:.2f} ({'left' if turn < 0.0 else 'right'}-handed), degree {float(event['polarization_degree']):.2f}"
    ).replace("-0.", "\N{MINUS SIGN}0.")
    return WaveExample(
        title=title,
        species=name,
        time=example["sample_time"].values[kept],
        field=example["aligned_field"].transpose("sample", "component").values[kept].astype(float),
        frequency=example["spectrum_frequency"].values[rows].astype(float),
        across=example["density_across"].values[rows].astype(float),
        along=example["density_along"].values[rows].astype(float),
        gyrofrequency=fc,
        band=(float(event["band_lower"]), float(event["band_upper"])),
        others={other: fc * value for other, value in ratio.items()},
    )


def _example_figure(example: xr.Dataset, events: xr.Dataset, names: Sequence[str]) -> str:
    shown = wave_example(example, events, names)
    number = int(example["example_event"]) + 1
    event = events.isel(event=number - 1)
    ion, neutral = (float(event[f"{key}_density"]) * CUBIC_CENTIMETRE for key in ("ion", "neutral"))
    caption = (
        f"Event {number}: {markup.text(species_label(shown.species))}, f<sub>c</sub> {markup.number(shown.gyrofrequency)} Hz"
    )
    caption += f", peak at {markup.number(float(event['peak_frequency']))} Hz"
    if np.isfinite(ion):
        caption += f"; n<sub>i</sub> {markup.number(ion)} cm<sup>−3</sup>"
    if np.isfinite(neutral):
        caption += f", n<sub>n</sub> {markup.number(neutral)} cm<sup>−3</sup>"
    alternative = f"Field and power spectrum of event {number}: {shown.title}"
    return markup.figure([markup.image(to_data_uri(draw_example(shown)), alternative)], caption + ".", wide=True)


# ---------------------------------------------------------------------- profiles


def bin_width(distance: Array) -> float:
    """Width of bins of distance (radii of the body): half a radius, doubled until there are few enough."""
    width, far = BIN_WIDTH, distance[np.isfinite(distance)]
    while far.size and (far.max() - far.min()) / width > _MOST_BINS:
        width *= 2.0
    return width


def profiles_body(windows: xr.Dataset, events: xr.Dataset, names: Sequence[str]) -> str:
    """Neutral densities against distance, one figure per ion (ready HTML)."""
    radius = _radius(events)
    if radius is None or "radial_distance" not in windows:
        return markup.missing("The series has no position.", "Give files with the position of the spacecraft.")
    images: list[str] = []
    notes: list[str] = []
    for name in names:
        said = _profile_image(windows, events, name, names, radius)
        (images if said.startswith("<img") else notes).append(said)
    body = ""
    if images:
        body = markup.figure(
            images,
            "Density of the neutrals against distance from the centre, altitude upwards. Dots: events, with their 16–84 % ends "
            "if there are at most 40; small dots: single windows. In each bin of "
            f"{bin_width(events['radial_distance'].values / radius):g} radii the orange line is the median of the events, the "
            "box their quartiles (from four events on), the bar the smallest and largest; the number of events is at the right. "
            "<code>siderion exosphere</code> fits a model to these profiles.",
        )
    return body + "".join(markup.paragraph(one) for one in notes)


def _profile_image(windows: xr.Dataset, events: xr.Dataset, name: str, names: Sequence[str], radius: float) -> str:
    """The figure of one ion, or why there is none."""
    label, neutral = markup.text(species_label(name)), species_label(parent_neutral(name))
    chosen = events.isel(event=np.flatnonzero(events["species"].values.astype(str) == name))
    dots = _dots(chosen, radius)
    if not len(dots.radius):
        return f"{label}: no event with a neutral density above the surface."
    here = windows.sel(species=name)
    faint = _dots(here.isel(time=np.flatnonzero(here["detected"].values.astype(bool))), radius)
    body = get_body(str(events.attrs["body"])).with_values(radius=radius * 1e3)
    far = events["radial_distance"].values / radius
    width = bin_width(far)
    reach = (1.0 + width * np.floor((np.nanmin(far) - 1.0) / width), 1.0 + width * np.floor((np.nanmax(far) - 1.0) / width + 1.0))
    profile = bin_profile(dots.radius, dots.density, body, bin_width=width)
    title = f"{neutral}, from {species_label(name)} waves"
    drawn = draw_profile(
        title,
        profile,
        body.name,
        radius,
        colour=species_colour(names, name),
        dots=dots,
        faint=faint,
        reach=(max(1.0, reach[0]), reach[1]),
    )
    return markup.image(to_data_uri(drawn), f"Density of {title} against distance from {body.name}")


def _dots(dataset: xr.Dataset, radius: float) -> Dots:
    distance = dataset["radial_distance"].values.astype(float)
    density, lower, upper = (dataset[f"neutral_density{end}"].values.astype(float) for end in ("", "_lower", "_upper"))
    good = np.isfinite(distance) & np.isfinite(density) & (density > 0.0) & (distance >= radius)
    good &= ~dataset["neutral_density_upper_limit"].values.astype(bool)
    return Dots(distance[good], density[good], lower[good], upper[good])


# ---------------------------------------------------------------------- the whole series


def survey_of(windows: xr.Dataset, names: Sequence[str]) -> Survey:
    """What the overview shows of the windows."""
    reasons = windows["rejection"].transpose("time", "species").values
    radius = _radius(windows)
    far = windows["radial_distance"].values / radius if radius and "radial_distance" in windows else None
    return Survey(
        time=windows["time"].values,
        stretch=windows["stretch"].values,
        strength=windows["magnetic_field_strength"].values.astype(float),
        distance=far if far is not None and np.isfinite(far).any() else None,
        species=tuple(names),
        searched=(reasons & int(NO_SPECTRUM | Rejection.OUTSIDE_REGION)) == 0,
        detected=windows["detected"].transpose("time", "species").values.astype(bool),
        body=str(windows.attrs.get("body", "the body")),
    )


def series_body(windows: xr.Dataset, names: Sequence[str]) -> str:
    """Field, detections and distance against time, and occurrence by distance (ready HTML)."""
    survey = survey_of(windows, names)
    caption = (
        "Field strength (line: median, shade: range, where many windows share a point), windows with a wave (marks) and windows "
        "in which the ion was sought (grey), by ion" + ("." if survey.distance is None else ", and distance from the centre.")
    )
    body = markup.figure([markup.image(to_data_uri(draw_overview(survey)), "Field and detections against time")], caption, True)
    if survey.distance is None:
        return body + markup.missing("Occurrence by distance: the series has no position.", "Give files with positions.")
    edges, searched, detected = occurrence(survey)
    if len(edges) < 3 or not detected.any():
        return body
    drawn = draw_occurrence(edges, searched, detected, names, survey.body)
    total = ", ".join(
        f"{markup.text(species_label(name))} {int(detected[:, k].sum())} of {int(searched[:, k].sum())}"
        for k, name in enumerate(names)
    )
    caption = (
        "Share of the windows with a wave by distance from the centre (top), and the number of windows in which the ion was "
        f"sought (bottom). Windows overlap: neighbours are not independent. All distances: {total}."
    )
    return body + markup.figure([markup.image(to_data_uri(drawn), "Occurrence of waves by distance")], caption)


def occurrence(survey: Survey) -> tuple[Array, NDArray[np.int64], NDArray[np.int64]]:
    """Edges of bins of distance (radii), windows in which each ion was sought, and those with a wave, by bin and ion."""
    assert survey.distance is not None
    far = survey.distance[np.isfinite(survey.distance)]
    width = bin_width(far)
    edges = width * np.arange(np.floor(far.min() / width), np.floor(far.max() / width) + 2.0)
    counts = [
        np.stack([np.histogram(survey.distance[mask[:, k]], edges)[0] for k in range(len(survey.species))], axis=1)
        for mask in (survey.searched, survey.detected)
    ]
    return edges, counts[0], counts[1]


# ---------------------------------------------------------------------- reasons


def rejection_shares(windows: xr.Dataset, names: Sequence[str]) -> pd.DataFrame:
    """Part of the windows with each reason, %: rows by `Rejection`, columns by ion; reasons that never occur are left out."""
    reasons = windows["rejection"].transpose("time", "species").values
    rows = {flag: 100.0 * ((reasons & int(flag)) != 0).mean(axis=0) for flag in MEANINGS}
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=list(names))
    frame = frame[(frame > 0.0).any(axis=1)]
    return frame.loc[frame.max(axis=1).sort_values(ascending=False, kind="stable").index]


def reasons_body(windows: xr.Dataset, names: Sequence[str]) -> str:
    """How often each reason stands against a wave (ready HTML)."""
    shares = rejection_shares(windows, names)
    if shares.empty:
        return markup.paragraph("No window was rejected.")
    words = [MEANINGS[flag] for flag in shares.index]
    drawn = draw_rejections(words, shares.to_numpy(), names)
    number: Any = windows.sizes["time"]
    accepted = ", ".join(f"{markup.text(species_label(n))} {int(windows['detected'].sel(species=n).sum())}" for n in names)
    caption = (
        f"Part of the {number} windows to which each reason applies. A window can have several, so the bars of an ion add up to "
        f"more than 100 %. Windows that meet all criteria: {accepted}."
    )
    return markup.figure([markup.image(to_data_uri(drawn), "Reasons for rejection by ion")], caption, wide=True)
