"""Words of the page of an analysis of waves: the facts at its head, and how the densities were derived."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from . import markup
from .markup import Number, Section
from .selection import species_label

_EXPONENT = re.compile(r"\b\d+(?:\.\d+)?e[-+]\d+\b")
_MOST_LINES = 8
"""Fixed lines and refusals that are listed."""
_FORESHOCK = {
    "off": "Windows on field lines to the bow shock are kept.",
    "low_frequency": "On field lines to the bow shock, ions that turn slower than {ratio:g} times the proton are rejected: waves "
    "of the foreshock have such frequencies.",
    "all": "All windows on field lines to the bow shock are rejected.",
}


def stamp(time: Any) -> str:
    """Write a time to the second."""
    return str(time)[:19].replace("T", " ")


def flag_words(flag: xr.DataArray) -> str:
    """Meaning of one value of a flag variable; empty for a good value."""
    value = int(flag.item())
    meanings = str(flag.attrs.get("flag_meanings", "")).split()
    values = [int(one) for one in np.atleast_1d(flag.attrs.get("flag_values", []))]
    if value == 0:
        return ""
    return (
        meanings[values.index(value)].replace("_", " ") if value in values and len(meanings) == len(values) else f"flag {value}"
    )


def read_record(dataset: xr.Dataset, name: str) -> Any:
    """An attribute that holds JSON; None when it is missing or no JSON."""
    try:
        return json.loads(str(dataset.attrs[name]))
    except (KeyError, ValueError):
        return None


def facts_of_waves(windows: xr.Dataset, events: xr.Dataset) -> str:
    """Body, span, vectors, windows, events, ions, convention (ready HTML)."""
    attributes = windows.attrs
    times = windows["time_bounds"].values if "time_bounds" in windows else windows["time"].values
    names = [str(name) for name in windows["species"].values]
    by_ion = [(name, int((events["species"].values.astype(str) == name).sum())) for name in names]
    number = events.sizes.get("event", 0)
    said = ", ".join(f"{markup.text(species_label(name))} {count}" for name, count in by_ion)
    pairs = [
        ("body", markup.text(attributes.get("body", "not named"))),
        ("time, UTC", f"{stamp(times.min())[:16]}<br>to {stamp(times.max())[:16]}"),
        (
            "vectors",
            f"{int(attributes['vectors']):,}".replace(",", "\N{NARROW NO-BREAK SPACE}") if "vectors" in attributes else "–",
        ),
        ("windows", f"{windows.sizes['time']}"),
        ("events", f"{number} ({said})" if number else "none"),
        ("convention", markup.text(attributes.get("convention", "not named"))),
        ("frame of the field", markup.text(attributes.get("frame", "not named") or "not named")),
        ("files", files_words(read_record(windows, "files"))),
        ("Siderion", markup.text(attributes.get("siderion_version", "(version not named)"))),
    ]
    return markup.facts(pairs)


def files_words(files: Any) -> str:
    """The name of one file, or the number of files and the first and last name."""
    if not isinstance(files, list) or not files:
        return "not named"
    if len(files) == 1:
        return markup.text(files[0])
    return f"{len(files)}: {markup.text(files[0])} to {markup.text(files[-1])}"


# ---------------------------------------------------------------------- how it was made


def how_section(windows: xr.Dataset) -> Section:
    """Convention, plasma, what was refused and repaired, regions, foreshock and fixed lines."""
    body = "<h3>Factors of the densities</h3>" + markup.paragraph(convention_words(windows.attrs))
    rows = list(plasma_rows(windows))
    body += "<h3>Plasma</h3>" + markup.table(["quantity", "value", "spread", "origin"], rows, "cards")
    body += "".join(markup.paragraph(one) for one in (*_rate_words(windows.attrs), validity_words(windows)) if one)
    body += "<h3>Data</h3>" + "".join(markup.paragraph(one) for one in (*refusal_words(windows), repair_words(windows)))
    body += "<h3>Regions and disturbances</h3>"
    body += "".join(markup.paragraph(one) for one in (region_words(windows), foreshock_words(windows), line_words(windows)))
    return Section("how", "How it was made", body)


def convention_words(attributes: Mapping[str, Any]) -> str:
    """The convention with its factors in words (ready HTML)."""
    name = markup.text(attributes.get("convention", "not named"))
    keys = ("transfer_efficiency", "gyration_factor", "growth_gyrations", "kinetic_energy_included")
    if any(f"convention_{key}" not in attributes for key in keys):
        return f"Convention <strong>{name}</strong>; its factors are not in the output."
    efficiency, gyration, growth, kinetic = (float(attributes[f"convention_{key}"]) for key in keys)
    counted = "the gyration factor 2π counts them in radians" if gyration > 1.0 else "the gyration factor is 1"
    energy = "the field and the motion of the plasma" if kinetic else "the field alone"
    background = str(attributes.get("background_power", ""))
    value = f" Densities in the output: {markup.text(attributes['density_value'])}." if "density_value" in attributes else ""
    power = {"subtract": " The power of the background is subtracted.", "keep": " The power of the background is kept."}
    return (
        f"Convention <strong>{name}</strong>. A part of {markup.number(efficiency)} of the free energy of the ions reaches the "
        f"waves (equation 1); the energy of the waves is that of {energy}. Neutrals follow from ions that gather over "
        f"{markup.number(growth)} / {markup.number(gyration)} = {markup.number(growth / gyration)} gyroperiods (equation 2; "
        f"{counted}).{power.get(background, '')}{value}"
    )


def plasma_rows(windows: xr.Dataset) -> Iterator[list[str | Number]]:
    """Plasma values, their spread and their origin."""
    attributes = windows.attrs
    for key, label, units in (
        ("plasma_density_cm3", "density of the plasma ions", "cm-3"),
        ("flow_speed_km_s", "speed of the flow", "km s-1"),
        ("injection_speed_km_s", "speed of injection of the new ions", "km s-1"),
    ):
        if key not in attributes:
            continue
        base = key.removesuffix("_cm3").removesuffix("_km_s")
        spread = markup.units_html(str(attributes.get(f"{base}_spread", "–")))
        origin = attributes.get(f"{base}_origin", attributes.get("body_speed_origin") if base == "injection_speed" else None)
        said = f"flow and motion of the body ({origin})" if base == "injection_speed" and origin else origin or "not named"
        yield [label, f"{markup.number(float(attributes[key]))} {markup.units_html(units)}", spread, markup.text(said)]
    if "alfven_speed_composition" in attributes:
        yield ["composition", markup.text(attributes["alfven_speed_composition"]), "–", "for the Alfvén speed"]
    if "heliocentric_distance" in windows and np.isfinite(windows["heliocentric_distance"].values).any():
        far = windows["heliocentric_distance"].values
        low, high = float(np.nanmin(far)), float(np.nanmax(far))
        said = f"{low:.3f} au" if f"{low:.3f}" == f"{high:.3f}" else f"{low:.3f} to {high:.3f} au"
        yield ["distance from the Sun", said, "–", "of the windows; ionisation rates scale with its inverse square"]


def _rate_words(attributes: Mapping[str, Any]) -> list[str]:
    said = str(attributes.get("ionisation_rates", ""))
    written = _EXPONENT.sub(lambda found: markup.number(float(found[0])), markup.text(said)).replace(" s-1", " s<sup>−1</sup>")
    return [f"Ionisation rates: {written}."] if said else []


def validity_words(windows: xr.Dataset) -> str:
    """Gyroradius against the radius of the body, and Alfven speed against injection speed (ready HTML)."""
    if "pickup_gyroradius" not in windows or "alfven_speed_ratio" not in windows:
        return ""
    radius = windows.attrs.get("body_radius_km")
    parts = []
    for name in map(str, windows["species"].values):
        values = windows["pickup_gyroradius"].sel(species=name).values
        if not np.isfinite(values).any():
            continue
        middle = float(np.nanmedian(values))
        share = f" ({markup.number(middle / float(radius))} radii of the body)" if radius else ""
        parts.append(f"{markup.text(species_label(name))} {markup.number(middle)} km{share}")
    ratio = windows["alfven_speed_ratio"].values
    ratio = ratio[np.isfinite(ratio)]
    alfven = ""
    if ratio.size:
        part = 100.0 * float((ratio >= 1.0).mean())
        above = f" <strong>In {markup.number(part)} % of the windows it is not.</strong>" if part else ""
        typical = markup.number(float(np.median(ratio)), 2)
        alfven = f" Alfvén speed over injection speed: median {typical}; the method wants it below 1.{above}"
    if not parts:
        return alfven.strip()
    return f"Gyroradius of the new ions, median: {', '.join(parts)}; the method wants it below the radius of the body.{alfven}"


def refusal_words(windows: xr.Dataset) -> list[str]:
    """Ions that were refused, and why (ready HTML)."""
    found: dict[str, str] = {}
    for key, value in (read_record(windows, "refused") or {}).items():
        for name, why in (value if isinstance(value, dict) else {key: value}).items():
            found.setdefault(str(name), str(why))
    failed = read_record(windows, "failed_parts")
    said = [f"Refused: {markup.text(why if why.startswith(name) else f'{name}: {why}')}." for name, why in found.items()]
    if isinstance(failed, list) and failed:
        listed = "; ".join(markup.text(one) for one in failed[:_MOST_LINES])
        said.append(f"Left out because they could not be analysed ({len(failed)}): {listed}.")
    return said or ["No ion was refused: every one is resolved by some windows."]


def repair_words(windows: xr.Dataset) -> str:
    """What was repaired in the series (ready HTML)."""
    repairs = {key: value for key, value in (read_record(windows, "repairs") or {}).items() if value}
    if not repairs:
        return "Nothing had to be repaired in the series."
    listed = ", ".join(f"{markup.text(key.replace('_', ' '))} {markup.text(value)}" for key, value in repairs.items())
    return f"Repaired, number of vectors: {listed}."


def region_words(windows: xr.Dataset) -> str:
    """Where regions come from, and the share of the windows in each (ready HTML)."""
    said = f"Regions: {markup.text(windows.attrs.get('region_source', 'not known'))}."
    settings = read_record(windows, "settings") or {}
    kept = str((settings.get("region") or {}).get("keep", "all"))
    said += (
        " Windows of all regions count."
        if kept == "all"
        else f" Only windows of the {markup.text(kept.replace('_', ' '))} count."
    )
    if "region" not in windows or "flag_values" not in windows["region"].attrs:
        return said
    attributes = windows["region"].attrs
    names = str(attributes["flag_meanings"]).split()
    parts = []
    for value, name in zip(np.atleast_1d(attributes["flag_values"]), names, strict=True):
        share = 100.0 * float((windows["region"].values == value).mean())
        if share:
            parts.append(f"{markup.text(name.replace('_', ' '))} {markup.number(share)} %")
    return f"{said} Share of the windows: {', '.join(parts)}."


def foreshock_words(windows: xr.Dataset) -> str:
    """The rule for waves of the foreshock (ready HTML)."""
    if "region" not in windows:
        return "The rule against waves of the foreshock could not be applied: the regions are not known."
    rule = ((read_record(windows, "settings") or {}).get("detection") or {}).get("rejection") or {}
    words = _FORESHOCK.get(str(rule.get("foreshock")), "The rule for the foreshock is not in the output.")
    source = windows.attrs.get("foreshock_source")
    return words.format(ratio=float(rule.get("foreshock_ratio", 0.0))) + (
        f" Connection: {markup.text(source)}." if source else ""
    )


def line_words(windows: xr.Dataset) -> str:
    """Lines of fixed frequency that were masked, the first ones (ready HTML)."""
    found = read_record(windows, "fixed_lines") or []
    lines = [one for part in found.values() for one in part] if isinstance(found, dict) else list(found)
    if not lines:
        return "No line of fixed frequency was found or given."
    listed = "; ".join(
        f"{markup.number(float(one['frequency_hz']))} ± {markup.number(float(one['half_width_hz']))} Hz "
        f"({markup.text(one.get('reason', 'reason not named'))})"
        for one in lines[:_MOST_LINES]
    )
    more = f"; {len(lines) - _MOST_LINES} more" if len(lines) > _MOST_LINES else ""
    return f"Lines of fixed frequency that were masked: {listed}{more}."
