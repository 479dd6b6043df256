"""The page of the supply from the ionosphere: which share of each ion escapes, and what decides it."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from siderion.core.constants import ELEMENTARY_CHARGE
from siderion.core.errors import SiderionError
from siderion.sources.ionosphere.escape import energy_to_reach
from siderion.sources.ionosphere.field_line import AmbipolarPotential

from . import markup
from .figures import to_data_uri
from .ionosphere_figures import Passing, Shares, draw_escape, draw_escape_points, draw_passing
from .ionosphere_words import (
    PASSING,
    POWER_UNIT,
    decisions,
    factor_words,
    influences,
    ion_label,
    poorly_known,
    reference_point,
    share_words,
    vanish_words,
)
from .markup import Number, Section
from .selection import read_json_attribute
from .source_words import caution, foot, lead, need, record

KIND = "siderion ionospheric escape"
"""Global attribute ``kind`` of the output that this page shows."""
_ENDS = ("", "_lower", "_upper", "_upper_limit")
_NEEDED = (*(f"escape_fraction{end}" for end in _ENDS), "unbound_fraction", "main_region_fraction", "recombined_fraction",
           "supplied_energy", "energy_at_top", "time_to_top", "species", "wave_power", "start_alt")  # fmt: skip
_MOST_OPEN_ROWS = 30
_HEIGHTS = (1200.0, 1500.0, 2000.0, 4000.0)


def is_ionosphere(dataset: xr.Dataset) -> bool:
    """Whether a data set holds the escape fractions that ``siderion sources ionosphere`` writes."""
    return dataset.attrs.get("kind") == KIND and "passing_fraction" not in dataset


def render_ionosphere_page(dataset: xr.Dataset) -> str:
    """Render escape fractions of ionospheric ions as one self-contained HTML page.

    Parameters
    ----------
    dataset : xarray.Dataset
        From `siderion.sources.ionosphere.escape.escape_fractions`, with the measurement ``escape_fraction(species, wave_power,
        start_alt)``; perhaps with the measurement ``preset_passing_fraction(preset, species, reach_alt)`` and
        ``preset_main_altitude(preset)`` (km), and with ``supply_to_magnetosphere(species, velocity_time)`` (s-1).

    Returns
    -------
    str
        HTML without references to the outside; texts of the data are escaped.

    Raises
    ------
    DataError
        A variable is missing.
    """
    need(dataset, _NEEDED, "escape fractions", "siderion sources ionosphere")
    settings = read_json_attribute(dataset, "settings") or {}
    sections = [
        Section("escape", "Share that escapes", _escape_body(dataset, settings)),
        Section("decides", "What decides", _decides_body(dataset, settings)),
        Section("passing", "Day and night: how far up the ions get", _passing_body(dataset)),
    ]
    if "supply_to_magnetosphere" in dataset:
        sections.append(Section("supply", "Supply of the magnetosphere", _supply_body(dataset)))
    sections.append(Section("numbers", "All numbers", _numbers_body(dataset)))
    title = str(dataset.attrs.get("title") or "Escape of ionospheric ions")
    return markup.page(title, _head(dataset, settings), [*sections, *record(dataset)], foot(dataset))


def _head(dataset: xr.Dataset, settings: dict[str, Any]) -> str:
    power, start = reference_point(dataset, settings)
    chosen = dataset.sel(wave_power=power, start_alt=start)
    shares = ", ".join(f"{ion_label(name)} {share_words(chosen.sel(species=name))}" for name in chosen["species"].values)
    top = float(settings.get("top_km", np.nan))
    said = (
        f"Share of the upward flux from {start:g} km that reaches {_radii(top)}, with a wave power of {markup.number(power)} "
        f"{POWER_UNIT} below the main waves: <strong>{shares}</strong>."
    )
    deciding = " ".join(decisions(dataset, settings)[:2])
    spectrum = f"power at {_plain(settings.get('reference_frequency_Hz'))} Hz"
    if "spectral_index" in settings:
        spectrum += f", falling as f<sup>−{float(settings['spectral_index']):g}</sup>"
    pairs = [
        ("state", markup.text(settings.get("preset", "not named"))),
        ("main waves", f"{_plain(settings.get('main_power'))} {POWER_UNIT} above {_plain(settings.get('main_altitude_km'))} km"),
        ("spectrum", spectrum),
        (
            "ambipolar field",
            f"{markup.text(settings.get('ambipolar', 'not named'))}, {_plain(settings.get('ambipolar_drop_V'))} V",
        ),
        ("recombination", markup.text(settings.get("recombination", "not named"))),
        ("invariant latitude", f"{_plain(settings.get('invariant_latitude'))}°"),
        ("ions for each share", _plain(settings.get("particles"))),
    ]
    return lead(f"{said} {deciding}".strip()) + markup.facts(pairs) + caution(dataset)


def _plain(value: Any) -> str:
    return markup.number(float(value)) if isinstance(value, int | float) else "–"


def _radii(altitude: float) -> str:
    return f"{altitude:.0f} km" if np.isfinite(altitude) else "the upper surface"


# ---------------------------------------------------------------------- escape


def _shares(dataset: xr.Dataset, name: str, *dims: str) -> Shares:
    value, lower, upper, limit = (dataset[f"{name}{end}"].transpose(*dims).values for end in _ENDS)
    poor = poorly_known(dataset, name).transpose(*dims).values
    return Shares(value.astype(float), lower.astype(float), upper.astype(float), limit.astype(bool), poor)


def _escape_body(dataset: xr.Dataset, settings: dict[str, Any]) -> str:
    names = [str(one) for one in dataset["species"].values]
    powers, starts = dataset["wave_power"].values.astype(float), dataset["start_alt"].values.astype(float)
    what = f"Share of the upward flux that reaches {_radii(float(settings.get('top_km', np.nan)))}"
    bars = ("Bars: one standard error of the Monte Carlo sum. Open marks: the share rests on a few ions; at "
            "the lower edge of the axis it is smaller still. Arrows downwards: no ion of the sample escaped; they "
            "begin at the 84 % upper limit.")  # fmt: skip
    dataset = dataset.sortby(["wave_power", "start_alt"])
    if len(powers) > 1:
        some = dataset.isel(wave_power=np.flatnonzero(dataset["wave_power"].values > 0.0))
        panels = {f"from {start:g} km": _shares(some.sel(start_alt=start), "escape_fraction", "species", "wave_power")
                  for start in np.sort(starts)}  # fmt: skip
        label = "wave power below the main waves, (V/m)$^2$ Hz$^{-1}$"
        drawn = draw_escape(panels, names, some["wave_power"].values.astype(float), label, True)
        caption = f"{what} against the wave power below the main waves, by altitude of the start. {bars}"
        caption += " Marks of different ions are moved a little sideways." if len(names) > 1 else ""
    elif len(starts) > 1:
        shares = _shares(dataset.isel(wave_power=0), "escape_fraction", "species", "start_alt")
        drawn = draw_escape({"": shares}, names, np.sort(starts), "altitude of the start, km", False)
        caption = f"{what} against the altitude of the start. {bars}"
    else:
        drawn = draw_escape_points(names, _shares(dataset.isel(wave_power=0, start_alt=0), "escape_fraction", "species"))
        caption = f"{what}. {bars.replace('downwards', 'to the left')} For curves, give several values of --wave-power."
    return markup.figure([markup.image(to_data_uri(drawn), "Share of the upward flux that escapes, by ion")], caption, wide=True)


# ---------------------------------------------------------------------- what decides


def _decides_body(dataset: xr.Dataset, settings: dict[str, Any]) -> str:
    power, start = reference_point(dataset, settings)
    items = "".join(f"<li>{one}</li>" for one in decisions(dataset, settings))
    heads = ["ion", "needs, eV", "enters main waves", "escapes", "recombines, %", "by wave power", "by start"]
    rows: list[list[str | Number]] = []
    for name in map(str, dataset["species"].values):
        one = dataset.sel(species=name)
        here, factors = (
            one.sel(wave_power=power, start_alt=start),
            influences(one, power, start, float(settings.get("particles", 0.0))),
        )
        energy = _energy_needed(name, start, settings)
        rows.append([
            ion_label(name), Number(f"{energy:.2f}" if np.isfinite(energy) else "–"),
            Number(_entering(here)), Number(share_words(here)),
            Number(markup.number(100.0 * float(here["recombined_fraction"]))),
            Number(factor_words(factors.get("power", (np.nan, False)))),
            Number(factor_words(factors.get("start", (np.nan, False)))),
        ])  # fmt: skip
    return (
        f'<ul class="lead">{items}</ul>'
        + markup.table(heads, rows, "wide")
        + markup.paragraph(
            f"At {markup.number(power)} {POWER_UNIT} and from {start:g} km. “Needs”: energy at the start that lifts an ion to "
            "the main waves, against gravity and with the ambipolar field, if all of it is turned upwards. “By wave power”, “by "
            "start”: factor of the share between the smallest and the largest wave power, and between the lowest and the highest "
            "start; “&gt;” where too few ions of the smaller sample escape to know it, a dash where too few of the larger one "
            "do. Ions that recombine on their way back down are counted too. Collisions and charge exchange are not in the model."
        )
    )


def _entering(here: xr.Dataset) -> str:
    """Share that enters the main waves, in % (ready HTML)."""
    value = 100.0 * float(here["main_region_fraction"])
    if not np.isfinite(value):
        return "–"
    if bool(here["escape_fraction_upper_limit"]) and value == 0.0:
        return f"&lt; {markup.number(100.0 * float(here['escape_fraction']), 2)} %"
    return f"{markup.number(value, 1 if bool(poorly_known(here)) else 3)} %"


def _energy_needed(name: str, start: float, settings: dict[str, Any]) -> float:
    """Energy from the start to the main waves, eV; NaN where the settings do not say."""
    main = float(settings.get("main_altitude_km", np.nan))
    if not main > start:
        return 0.0 if main <= start else float("nan")
    try:
        potential = AmbipolarPotential.named(str(settings.get("ambipolar", "")))
        return energy_to_reach(name, 1e3 * start, 1e3 * main, potential) / ELEMENTARY_CHARGE
    except SiderionError:
        return float("nan")


# ---------------------------------------------------------------------- day and night


def _passing_body(dataset: xr.Dataset) -> str:
    if PASSING not in dataset:
        return markup.missing("The output has no shares that pass each altitude.", "siderion sources ionosphere -o writes them.")
    names = [str(one) for one in dataset["species"].values]
    presets = [str(one) for one in dataset["preset"].values]
    panels = [Passing(name.replace("_", ", "), _shares(dataset.sel(preset=name), PASSING, "species", "reach_alt"),
                      float(dataset["preset_main_altitude"].sel(preset=name))) for name in presets]  # fmt: skip
    drawn = draw_passing(panels, names, dataset["reach_alt"].values.astype(float))
    start = float(dataset[PASSING].attrs.get("start_km", dataset["start_alt"].values.min()))
    powers = ", ".join(
        f"{name.replace('_', ' ')} {markup.number(float(dataset['preset_wave_power'].sel(preset=name)))}" for name in presets
    )
    caption = (
        f"Share of the upward flux from {start:g} km that passes each altitude as an ion at least once, with the waves, "
        f"electrons and ions of the presets (wave power below the main waves, {POWER_UNIT}: {powers}). Bands: one standard error "
        "of the Monte Carlo sum. Thin dashes: a few ions only. Arrows: from there up no ion of the sample passes; they begin at "
        "the 84 % upper limit. Dotted: lower edge of the main waves."
    )
    picture = markup.figure([markup.image(to_data_uri(drawn), "Share that passes each altitude, by preset")], caption, wide=True)
    return vanish_words(dataset, presets, names) + picture + _passing_table(dataset, presets, names)


def _passing_table(dataset: xr.Dataset, presets: list[str], names: list[str]) -> str:
    grid = dataset["reach_alt"].values.astype(float)
    heights = [float(grid[int(np.argmin(np.abs(grid - one)))]) for one in _HEIGHTS if grid[0] <= one <= grid[-1]]
    rows: list[list[str | Number]] = []
    for preset in presets:
        for name in names:
            one = dataset.sel(preset=preset, species=name)
            cells = [Number(share_words(one.sel(reach_alt=height), PASSING)) for height in heights]
            rows.append([markup.text(preset.replace("_", " ")), ion_label(name), *cells])
    return markup.table(["preset", "ion", *(f"passes {height:.4g} km" for height in heights)], rows, "wide")


# ---------------------------------------------------------------------- tables


def _supply_body(dataset: xr.Dataset) -> str:
    rows: list[list[str | Number]] = []
    one_way = "ions_one_way" in dataset
    for name in map(str, dataset["species"].values):
        one = dataset.sel(species=name)
        if not np.isfinite(one["supply_to_magnetosphere"].values).any():
            continue
        limit = "&lt; " if bool(one["supply_is_upper_limit"]) else ""
        for k, moment in enumerate(one["velocity_time"].values):
            value, low, high = (float(one[f"supply_to_magnetosphere{end}"][k]) for end in ("", "_lower", "_upper"))
            ends = "" if limit else f" ({markup.number(low, 2)} to {markup.number(high, 2)})"
            when = str(np.datetime_as_string(moment, unit="m")).replace("T", " ")
            rows.append([ion_label(name), when, Number(markup.number(float(one["ions_one_way" if one_way else "ions_up"][k]))),
                         Number(f"{limit}{markup.number(value)}{ends}")])  # fmt: skip
    where = f" {float(dataset['flux_alt']):.0f} km" if "flux_alt" in dataset else " the top of the run"
    return markup.table(["ion", "time, UTC", f"rise through{where}, s⁻¹", "reach space, s⁻¹"], rows, "wide") + markup.paragraph(
        ("Upward one-way flux of the ions at the top of the run, with their own speed, times the share of it that escapes"
         if one_way else "Ions that rise through the top of the run, net, times the share of a one-way flux that escapes")
        + ", for the first wave power and start. The ends are those of the Monte Carlo sum. The density at the top of the run is "
        "taken for that at the start of the test particles: too much where the top is lower."
    )  # fmt: skip


def _numbers_body(dataset: xr.Dataset) -> str:
    heads = ["ion", "from, km", "wave power", "escapes", "for good, %", "enters the main waves, %", "recombines, %",
             "from waves, eV", "at the top, eV", "time, h"]  # fmt: skip
    rows: list[list[str | Number]] = []
    for name in map(str, dataset["species"].values):
        for start in dataset["start_alt"].values:
            for power in dataset["wave_power"].values:
                one = dataset.sel(species=name, start_alt=start, wave_power=power)
                shares = [100.0 * float(one[key]) for key in ("unbound_fraction", "main_region_fraction", "recombined_fraction")]
                energies = [float(one[key]) for key in ("supplied_energy", "energy_at_top")]
                rows.append([
                    ion_label(name), Number(f"{float(start):g}"), Number(markup.number(float(power))), Number(share_words(one)),
                    *(Number(markup.number(value) if np.isfinite(value) else "–") for value in shares),
                    *(Number(markup.number(value) if np.isfinite(value) else "–") for value in energies),
                    Number(markup.number(float(one["time_to_top"]) / 3600.0) if np.isfinite(one["time_to_top"]) else "–"),
                ])  # fmt: skip
    words = str(dataset["supplied_energy"].attrs.get("long_name", "mean energy from waves"))
    note = markup.paragraph(
        f"Wave power in {POWER_UNIT}. “For good”: has the energy to leave the Earth at the upper surface. “From waves”: "
        f"{markup.text(words)}. Dashes: no ion got there."
    )
    listed = markup.table(heads, rows, "wide")
    if len(rows) > _MOST_OPEN_ROWS:
        listed = f"<details><summary>{len(rows)} rows</summary>{listed}</details>"
    return listed + note
