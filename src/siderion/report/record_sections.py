"""Sections of the polar report that are read from the attributes: budget, drivers, sources, settings, citation."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import numpy as np
import xarray as xr

from siderion.core.errors import DataError
from siderion.core.tables import CONFIDENCE

from . import markup
from .figures import Series, draw_series, to_data_uri
from .markup import Number, Section
from .selection import flatten, read_json_attribute, species_label

BUDGET_ENTRIES = {
    "initial": "ions at the start",
    "supply": "released as ions by sources",
    "chemistry": "made or lost by chemistry",
    "through_bottom": "through the lower boundary",
    "through_top": "through the upper boundary",
    "through_edge": "through the equatorward edge",
    "final": "ions at the end",
    "residual": "residual",
}
"""Known entries of a mass budget, in the order of the table."""
BUDGET_TOLERANCE = 1e-6
_SERIES_VARIABLES = {"imf_bz_gsm": "Bz", "imf_by_gsm": "By", "kp": "Kp"}
_NEW_RUN = "A new siderion run writes it."


def budget_of(dataset: xr.Dataset) -> dict[str, dict[str, float]]:
    """Read the mass budget by species; empty when the output has none.

    Raises
    ------
    DataError
        The attribute has another form.
    """
    found = read_json_attribute(dataset, "mass_budget")
    if not found:
        return {}
    budget = found.get("species") if isinstance(found, dict) else None
    if not isinstance(budget, dict) or not all(isinstance(entry, dict) for entry in budget.values()):
        raise DataError('global attribute "mass_budget" must be JSON of the form {"species": {"Fe+": {"initial": ...}}}')
    return {str(name): {key: float(value) for key, value in entry.items()} for name, entry in budget.items()}


def budget_gap(entries: dict[str, float]) -> float | None:
    """What is left of final - initial - gains - residual, over the largest entry; None when an end is missing.

    Gains are positive, losses negative; either sign of the residual is accepted.
    """
    if not {"initial", "final"} <= set(entries):
        return None
    gains = sum(value for key, value in entries.items() if key not in ("initial", "final", "residual"))
    left = entries["final"] - entries["initial"] - gains
    residual = entries.get("residual", 0.0)
    largest = max(abs(value) for value in entries.values()) or 1.0
    return min(abs(left - residual), abs(left + residual)) / largest


def budget_section(dataset: xr.Dataset) -> Section:
    """The mass budget with its residual."""
    budget = budget_of(dataset)
    if not budget:
        return Section("budget", "Mass budget", markup.missing("The output has no mass_budget.", _NEW_RUN))
    keys = [key for key in BUDGET_ENTRIES if any(key in entry for entry in budget.values())]
    keys += sorted({key for entry in budget.values() for key in entry} - set(BUDGET_ENTRIES))
    heads = ["entry"] + [head for name in budget for head in (f"{species_label(name)}, ions", "of the start")]
    rows: list[list[str | Number]] = []
    for key in keys:
        row: list[str | Number] = [markup.text(BUDGET_ENTRIES.get(key, key))]
        for entry in budget.values():
            row += [Number(markup.number(entry[key]) if key in entry else "–"), Number(_share(entry, key))]
        rows.append(row)
    body = markup.table(heads, rows, kind="wide") + markup.paragraph(
        "Counted on the grid of the model over the whole run, spin-up included. Gains are positive, losses negative. "
        "The residual is what no entry explains: rounding, if the scheme conserves mass."
    )
    for name, entry in budget.items():
        gap = budget_gap(entry)
        if gap is None or gap > BUDGET_TOLERANCE:
            said = "start or end is missing" if gap is None else f"{gap:.1e} of the largest entry is left over"
            heading = f"The budget of {markup.text(species_label(name))} does not add up:"
            body += f'<p class="caution"><strong>{heading}</strong> {said}.</p>'
    return Section("budget", "Mass budget", body + _atoms_table(dataset))


_ATOM_ENTRIES = {
    "initial": "at the start",
    "supply_of_atoms": "released as atoms",
    "supply_of_ions": "released as ions",
    "held_neutral": "given by a neutral density that is held",
    "moved": "moved through the boundaries",
    "final": "at the end",
    "residual": "residual",
}


def _atoms_table(dataset: xr.Dataset) -> str:
    """The atoms of each metal in all their states, where a source added some."""
    supply = read_json_attribute(dataset, "supply")
    found = read_json_attribute(dataset, "mass_budget")
    atoms = found.get("atoms") if isinstance(found, dict) else None
    if not supply or not isinstance(atoms, dict):
        return ""
    rows: list[list[str | Number]] = [
        [markup.text(words), *(Number(markup.number(float(entry.get(key, 0.0)))) for entry in atoms.values())]
        for key, words in _ATOM_ENTRIES.items()
    ]
    files = ", ".join(f"{entry.get('title', '')} ({entry.get('file', '')})" for entry in supply)
    return markup.paragraph(
        f"Sources: {markup.text(files)}. Atoms of the metal in all its states, ions included:"
    ) + markup.table(["entry", *(f"{markup.text(name)}, atoms" for name in atoms)], rows, kind="wide")


def _share(entry: dict[str, float], key: str) -> str:
    initial = entry.get("initial", 0.0)
    if key not in entry or not initial:
        return "–"
    share = 100.0 * entry[key] / initial
    plain = f"{share:.2f} %" if abs(share) >= 0.01 or share == 0.0 else f"{markup.number(share, 2)} %"
    return plain.replace("-", "\N{MINUS SIGN}")


def _is_series(value: Any) -> bool:
    return isinstance(value, dict) and {"time", "values"} <= set(value)


def parse_series(name: str, value: Any) -> Series | None:
    """Read a driver given as ``{"time": [...], "values": [...], "units": "nT"}``; None if it is not, or all gaps.

    Raises
    ------
    DataError
        Times and values differ in number, or a time or value cannot be read.
    """
    if not _is_series(value):
        return None
    if len(value["time"]) != len(value["values"]):
        raise DataError(
            f"driver {name!r} has {len(value['time'])} times and {len(value['values'])} values; write one value per time"
        )
    try:
        # the letter Z says UTC, which NumPy assumes anyway
        time = np.array([str(stamp).removesuffix("Z") for stamp in value["time"]], dtype="datetime64[ns]")
        values = np.array([np.nan if one is None else float(one) for one in value["values"]])
    except (TypeError, ValueError) as error:
        raise DataError(f"driver {name!r} cannot be read as a series: {error}; use ISO times and numbers or null") from error
    return Series(name, str(value.get("units", "")), time, values) if np.isfinite(values).any() else None


def driver_series(dataset: xr.Dataset, drivers: dict[str, Any]) -> list[Series]:
    """Collect the series among the drivers and the variables: Bz, By, Kp first."""
    found = [one for name, value in drivers.items() if (one := parse_series(name, value)) is not None]
    for variable, name in _SERIES_VARIABLES.items():
        if variable in dataset and dataset[variable].dims == ("time",):
            array = dataset[variable]
            found.append(Series(name, array.attrs.get("units", ""), array["time"].values, array.values.astype(float)))
    order = ("bz", "by", "kp")
    return sorted(found, key=lambda one: next((k for k, key in enumerate(order) if key in one.name.lower()), len(order)))


def drivers_section(dataset: xr.Dataset, day: np.datetime64) -> Section:
    """The drivers used: a table, and the series in a figure."""
    drivers = read_json_attribute(dataset, "drivers")
    if drivers is not None and not isinstance(drivers, dict):
        raise DataError('global attribute "drivers" must be JSON of the form {"name": value, ...}')
    drivers = drivers or {}
    series = driver_series(dataset, drivers)
    if not drivers and not series:
        return Section("drivers", "Drivers", markup.missing("The output has no drivers among its attributes.", _NEW_RUN))
    names = {one.name for one in series}
    plain: dict[str, Any] = {}
    for name, item in drivers.items():
        if name not in names:
            plain.update({name: "no value is finite"} if _is_series(item) else flatten(item, name))
    rows = [[markup.text(key), _driver_value(value)] for key, value in plain.items()]
    body = markup.table(["driver", "value"], rows, "pairs") if rows else ""
    if series:
        start = day.astype("datetime64[ns]")
        drawn = draw_series(series, (start, start + np.timedelta64(24, "h")))
        gaps = sum(int(np.isnan(one.values).sum()) for one in series)
        caption = "The day analysed is shaded." + (f" {gaps} values are missing and left out." if gaps else "")
        listed = ", ".join(one.name for one in series)
        body += markup.figure([markup.image(to_data_uri(drawn), f"Drivers against time: {listed}")], caption)
    return Section("drivers", "Drivers", body)


def _driver_value(value: Any) -> str:
    if isinstance(value, list):
        return markup.text(", ".join(str(one) for one in value))
    return markup.with_links(value)


def sources_of(dataset: xr.Dataset) -> list[dict[str, Any]]:
    """Read the list of sources; empty when the output has none."""
    sources = read_json_attribute(dataset, "sources") or []
    if not isinstance(sources, list) or not all(isinstance(one, dict) for one in sources):
        raise DataError('global attribute "sources" must be a JSON list of objects with what, model, citation, confidence')
    return sources


def sources_section(dataset: xr.Dataset) -> Section:
    """Models, rates and data behind the output, each with a mark of its confidence."""
    sources = sources_of(dataset)
    if not sources:
        return Section("sources", "Sources", markup.missing("The output has no list of sources.", _NEW_RUN))
    rows = [
        [
            markup.text(one.get("what", "")),
            markup.text(one.get("model", "")),
            markup.with_links(one.get("citation", "")),
            markup.with_links(one.get("terms", "") or "–"),
            markup.confidence_mark(one.get("confidence")),
        ]
        for one in sources
    ]
    verified, computed, unverified = (markup.confidence_mark(value) for value in CONFIDENCE)
    legend = markup.paragraph(
        f"{verified} read in the named source; {computed} derived from verified values; "
        f"{unverified} remembered or second-hand: check it before you rely on it."
    )
    return Section("sources", "Sources", legend + markup.table(["what", "model", "citation", "terms", "confidence"], rows))


def settings_digest(dataset: xr.Dataset) -> str | None:
    """First 12 digits of the SHA-256 of the settings, keys sorted: equal for equal settings."""
    settings = read_json_attribute(dataset, "settings")
    if settings is None:
        return None
    return sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def settings_section(dataset: xr.Dataset) -> Section:
    """All settings, resolved, folded away."""
    settings = read_json_attribute(dataset, "settings")
    if not settings:
        return Section("settings", "Settings", markup.missing("The output has no settings.", _NEW_RUN))
    rows = [[f"<code>{markup.text(key)}</code>", markup.text(value)] for key, value in flatten(settings).items()]
    opened = f"<details><summary>{len(rows)} settings, as the run used them</summary>"
    return Section("settings", "Settings", opened + markup.table(["setting", "value"], rows, "pairs") + "</details>")


def citation_section(dataset: xr.Dataset) -> Section:
    """How to cite the output."""
    version = dataset.attrs.get("siderion_version")
    digest = settings_digest(dataset)
    named = f"version {version}" if version else "version unknown (the output does not name it)"
    said = f"The Siderion developers: Siderion, {named}, https://siderion.readthedocs.io."
    if digest:
        said += f" Settings {digest}."
    note = "Cite also the models and data listed under Sources; <code>siderion cite</code> prints them for an output."
    return Section("cite", "How to cite", f"<pre>{markup.text(said)}</pre>" + markup.paragraph(note))
