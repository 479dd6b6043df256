"""The page for the output of a polar transport run."""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from . import markup
from .polar_sections import (
    PolarRun,
    clock,
    cut_section,
    density_section,
    or_note,
    potential_range,
    velocity_section,
    wind_section,
)
from .record_sections import (
    budget_of,
    budget_section,
    citation_section,
    drivers_section,
    settings_digest,
    settings_section,
    sources_of,
    sources_section,
)
from .selection import (
    analysed_day,
    flatten,
    largest_density,
    map_frame,
    map_times,
    order_poleward,
    read_json_attribute,
    species_label,
)

LAYER = (115.0, 125.0)
"""Altitudes of the sporadic layer named in the summary, km."""


def render_polar_page(dataset: xr.Dataset) -> str:
    """Render the page for the output of a polar run (see `siderion.report.render_report`)."""
    run = polar_run(dataset)
    sections = [
        markup.Section("summary", "Summary", summary_list(run)),
        density_section(run),
        velocity_section(run),
        wind_section(run),
        cut_section(run),
        budget_section(run.dataset),
        drivers_section(run.dataset, run.day),
        sources_section(run.dataset),
        settings_section(run.dataset),
        citation_section(run.dataset),
    ]
    title = dataset.attrs.get("title") or f"Polar run, {written_day(run.day)}"
    return markup.page(title, header_facts(run), sections, f"Made by Siderion {markup.text(_version(dataset))}.")


def polar_run(dataset: xr.Dataset) -> PolarRun:
    """Order a data set and gather what its report shares."""
    ordered = order_poleward(dataset)
    day = analysed_day(ordered)
    return PolarRun(
        dataset=ordered,
        day=day,
        frames=tuple(map_frame(ordered, time) for time in map_times(ordered, day)),
        species=tuple(str(name) for name in np.atleast_1d(ordered["species"].values)),
        southern=bool((ordered["lat"].values < 0.0).all()),
    )


def written_day(day: np.datetime64) -> str:
    """Write a day as 18 June 2023."""
    date = pd.Timestamp(day)
    return f"{date.day} {date:%B %Y}"


def _version(dataset: xr.Dataset) -> str:
    return str(dataset.attrs.get("siderion_version", "(version not named)"))


def header_facts(run: PolarRun) -> str:
    """Day, species, hemisphere, grid, engine, digest of the settings."""
    dataset = run.dataset
    sizes = dataset.sizes
    pairs = [
        ("day", written_day(run.day)),
        ("species", markup.text(", ".join(species_label(name) for name in run.species))),
        ("hemisphere", "southern" if run.southern else "northern"),
        ("grid of the output", f"{sizes['alt']} altitudes × {sizes['lat']} latitudes × {sizes['lon']} longitudes"),
        (
            "output",
            f"{sizes['time']} times, {_stamp(dataset['time'].values[0])} to {_stamp(dataset['time'].values[-1])} UT",
        ),
    ]
    engine = [str(dataset.attrs[key]) for key in ("engine", "precision", "device") if dataset.attrs.get(key)]
    if engine:
        pairs.append(("engine", markup.text(", ".join(engine))))
    if "wall_time_s" in dataset.attrs:
        pairs.append(("computing time", _duration(float(dataset.attrs["wall_time_s"]))))
    pairs.append(("Siderion", markup.text(_version(dataset))))
    settings = flatten(read_json_attribute(dataset, "settings") or {})
    preset = next((value for key, value in settings.items() if key.rsplit(".", 1)[-1] == "preset"), None)
    if preset:
        pairs.append(("preset", markup.text(preset)))
    digest = settings_digest(dataset)
    pairs.append(("digest of the settings", f"<code>{digest}</code>" if digest else "settings not in the output"))
    return markup.facts(pairs)


def _stamp(time: np.datetime64) -> str:
    return str(time)[:16].replace("T", " ")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120.0 else f"{seconds / 60.0:.0f} min"


def summary_list(run: PolarRun) -> str:
    """The summary in plain words."""
    items = [or_note(partial(_peak_sentence, run, index)) for index in range(len(run.species))]
    items += _budget_sentences(run.dataset)
    ranges = [f"{potential_range(frame)} at {clock(frame.time)}" for frame in run.frames if frame.potential is not None]
    if ranges:
        items.append(f"The electric potential on the maps ranges from {'; '.join(ranges)}.")
    items += _ratio_sentences(read_json_attribute(run.dataset, "summary"))
    body = '<ul class="lead">' + "".join(f"<li>{item}</li>" for item in items) + "</ul>"
    return body + "".join(f'<p class="caution"><strong>Caution.</strong> {text}</p>' for text in cautions(run.dataset))


def _peak_sentence(run: PolarRun, species: int) -> str:
    peak = largest_density(run.dataset, species, *LAYER)
    name = markup.text(species_label(run.species[species]))
    latitude = f"{abs(peak.latitude):.1f}° {'S' if peak.latitude < 0.0 else 'N'}"
    longitude = f"{abs(peak.longitude):.1f}° {'W' if peak.longitude < 0.0 else 'E'}"
    magnetic = f"{peak.local_time:.1f} h magnetic local time"
    if peak.invariant_latitude is not None:
        magnetic += f", invariant latitude {peak.invariant_latitude:.1f}°"
    return (
        f"The largest {name} density between {LAYER[0]:g} and {LAYER[1]:g} km is <strong>{markup.number(peak.value)} "
        f"m<sup>−3</sup></strong>, at {peak.altitude:.1f} km, {latitude}, {longitude} ({magnetic}), "
        f"on {written_day(peak.time.astype('datetime64[D]'))} at {clock(peak.time)}."
    )


def _budget_sentences(dataset: xr.Dataset) -> list[str]:
    sentences = []
    for name, entry in budget_of(dataset).items():
        initial, final = entry.get("initial"), entry.get("final")
        if not initial or final is None:
            continue
        change = 100.0 * (final - initial) / initial
        word = "gained" if change > 0.0 else "lost"
        sentence = (
            f"Over the whole run {markup.text(species_label(name))} {word} {abs(change):.2g} % of its "
            f"{markup.number(initial)} ions"
        )
        if "residual" in entry:
            sentence += f"; the mass budget closes to {markup.number(abs(entry['residual'] / initial), 2)} of them"
        sentences.append(sentence + ".")
    return sentences


_RATIO = re.compile(r"evening_morning_ratio_(\d+)_km")


def _ratio_sentences(summary: Any) -> list[str]:
    """One sentence per species: density in the evening cell over that in the morning cell, by altitude."""
    sentences = []
    for species, entries in (summary if isinstance(summary, dict) else {}).items():
        found = [(match[1], value) for key, value in dict(entries).items() if (match := _RATIO.fullmatch(key))]
        if found:
            said = ", ".join(f"{markup.number(float(value), 2)} at {altitude} km" for altitude, value in found)
            name = markup.text(species_label(species))
            sentences.append(f"Mean density of {name} in the evening cell over that in the morning cell: {said}.")
    return sentences


def cautions(dataset: xr.Dataset) -> list[str]:
    """What a reader must know before trusting the page (HTML)."""
    found = []
    bad = sum(int((~np.isfinite(dataset["number_density"].isel(time=k).values)).sum()) for k in range(dataset.sizes["time"]))
    if bad:
        found.append(f"number_density holds {bad} values that are not finite; they are grey on the maps. Do not use this run.")
    unverified = [one for one in sources_of(dataset) if one.get("confidence") not in ("verified", "computed")]
    if unverified:
        kinds = Counter(str(one.get("what") or one.get("model") or "unnamed") for one in unverified)
        listed = "; ".join(markup.text(kind if n == 1 else f"{kind} ({n} of them)") for kind, n in kinds.items())
        count = "One of the inputs is" if len(unverified) == 1 else f"{len(unverified)} of the inputs are"
        found.append(f'{count} unverified: {listed} (see <a href="#sources">Sources</a>).')
    return found
