"""What the page of the ionospheric supply says in words: shares with their errors, what decides, where ions vanish."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from . import markup
from .selection import read_json_attribute, species_label

PASSING = "preset_passing_fraction"
"""Measurement of the shares that pass each altitude, by preset."""
POWER_UNIT = "(V/m)<sup>2</sup>/Hz"
"""Unit of the wave power (ready HTML)."""
_POOR = 0.4
"""Relative Monte Carlo error above which a share rests on a few ions: its own error is then no measure of it."""
_VANISHED = 1e-3
"""Share of the flux below which an ion counts as gone."""


def ion_label(name: str) -> str:
    """Name of an ion (ready HTML)."""
    return markup.text(species_label(str(name)))


def poorly_known(one: xr.Dataset, name: str = "escape_fraction") -> xr.DataArray:
    """Where a share that is no upper limit rests on a few ions."""
    error = 0.5 * (one[f"{name}_upper"] - one[f"{name}_lower"])
    return (error > _POOR * one[name]) & ~one[f"{name}_upper_limit"].astype(bool)


def share_words(one: xr.Dataset, name: str = "escape_fraction") -> str:
    """A share with its Monte Carlo error, in % (ready HTML); < where it is an upper limit."""
    value, low, high = (100.0 * float(one[f"{name}{end}"]) for end in ("", "_lower", "_upper"))
    if bool(one[f"{name}_upper_limit"]):
        return f"&lt; {markup.number(value, 2)} %"
    if bool(poorly_known(one, name)):
        return f"about {markup.number(value, 1)} % (few ions)"
    error = 0.5 * (high - low)
    if not error > 0.0:
        return f"{markup.number(value)} %"
    if value < 1e-2:
        return f"{markup.number(value, 2)} (± {markup.number(error, 1)}) %"
    digits = int(np.clip(-np.floor(np.log10(error)), 0, 6))
    return f"{value:.{digits}f} ± {error:.{digits}f} %"


def reference_point(dataset: xr.Dataset, settings: dict[str, Any]) -> tuple[float, float]:
    """Wave power and altitude of the start (km) of the main numbers: the power nearest to the preset's, lowest start."""
    powers = np.sort(dataset["wave_power"].values.astype(float))
    preset = str(settings.get("preset", ""))
    known = "preset_wave_power" in dataset and preset in dataset["preset"].values.astype(str)
    aim = float(dataset["preset_wave_power"].sel(preset=preset)) if known else float(powers[len(powers) // 2])
    distance = np.abs(np.log10(np.maximum(powers, 1e-30)) - np.log10(max(aim, 1e-30)))
    return float(powers[int(np.argmin(distance))]), float(dataset["start_alt"].values.min())


def _factor(low: xr.Dataset, high: xr.Dataset, particles: float) -> tuple[float, bool]:
    """Ratio of two shares, and whether it is only a lower limit; NaN where the larger one is not known well enough."""
    if bool(high["escape_fraction_upper_limit"]) or bool(poorly_known(high)):
        return float("nan"), False
    above, below = float(high["escape_fraction"]), float(low["escape_fraction"])
    if bool(poorly_known(low)):
        # the error of a few ions is no bound; no less than the limit of a sample without any
        below = max(3.0 * below, -np.log(0.16) / particles if particles else 0.0)
        return (above / below, True) if above > below else (float("nan"), False)
    return above / below, bool(low["escape_fraction_upper_limit"])


def factor_words(factor: tuple[float, bool]) -> str:
    """A factor in words (ready HTML)."""
    value, limit = factor
    if not np.isfinite(value):
        return "–"
    return f"{'&gt; ' if limit else ''}{markup.number(value, 2)}"


def influences(one: xr.Dataset, power: float, start: float, particles: float = 0.0) -> dict[str, tuple[float, bool]]:
    """Factors in the escape of one ion, and whether each is only a lower limit; NaN where the sample does not suffice.

    ``power``: largest over smallest wave power; ``start``: highest over lowest start; ``above``: of the ions that enter the main
    waves, all over those that escape, the largest of all powers.
    """
    at_start, at_power = one.sel(start_alt=start).sortby("wave_power"), one.sel(wave_power=power).sortby("start_alt")
    found = {}
    if one.sizes["wave_power"] > 1:
        found["power"] = _factor(at_start.isel(wave_power=0), at_start.isel(wave_power=-1), particles)
    if one.sizes["start_alt"] > 1:
        found["start"] = _factor(at_power.isel(start_alt=0), at_power.isel(start_alt=-1), particles)
    ratio = at_start["main_region_fraction"] / at_start["escape_fraction"]
    ratio = ratio.where(~at_start["escape_fraction_upper_limit"].astype(bool) & ~poorly_known(at_start))
    if ratio.notnull().any():
        found["above"] = (float(ratio.max()), False)
    return found


def decisions(dataset: xr.Dataset, settings: dict[str, Any]) -> list[str]:
    """What decides which share escapes, in words made from the numbers (ready HTML)."""
    power, start = reference_point(dataset, settings)
    particles = float(settings.get("particles", 0.0))
    by_ion = {str(name): influences(dataset.sel(species=name), power, start, particles) for name in dataset["species"].values}
    found = []
    powers, starts = (dataset[name].values.astype(float) for name in ("wave_power", "start_alt"))
    growth = _listed(by_ion, "power")
    if growth:
        found.append(
            f"Wave power below the main waves: from {markup.number(powers.min())} to {markup.number(powers.max())} {POWER_UNIT} "
            f"the share from {start:g} km grows by the factors {growth}."
        )
    above = [one["above"][0] for one in by_ion.values() if "above" in one]
    if above and starts.min() < float(settings.get("main_altitude_km", 0.0)):
        kept = 100.0 / max(above)
        names = ", ".join(ion_label(name) for name, one in by_ion.items() if "above" in one)
        share = "all" if kept > 99.5 else f"at least {kept:.0f} %"
        found.append(
            f"Main waves: of the ions that enter them, {share} escape ({names}). "
            + ("The way up to them decides." if kept > 50.0 else "What is lost above their lower edge matters too.")
        )
    higher = _listed(by_ion, "start")
    if higher:
        found.append(f"Start: {starts.max():g} in place of {starts.min():g} km raises the share at {markup.number(power)} "
                     f"{POWER_UNIT} by the factors {higher}.")  # fmt: skip
    return found + _recombination_words(dataset.sel(wave_power=power, start_alt=start), settings)


def _listed(by_ion: dict[str, dict[str, tuple[float, bool]]], key: str) -> str:
    known = {name: one[key] for name, one in by_ion.items() if key in one and np.isfinite(one[key][0])}
    return ", ".join(f"{ion_label(name)} {factor_words(one)}" for name, one in known.items())


def _recombination_words(chosen: xr.Dataset, settings: dict[str, Any]) -> list[str]:
    if settings.get("recombination") == "none":
        return ["Recombination is left out."]
    lost = {str(name): float(chosen["recombined_fraction"].sel(species=name)) for name in chosen["species"].values}
    much = [f"{ion_label(name)} {markup.number(100.0 * value)} %" for name, value in lost.items() if value > 1e-2]
    if not much:
        return ["Recombination takes less than 1 % of any of these ions."]
    rest = "; of the others less than 1 %" if len(much) < len(lost) else ""
    return [f"Recombination, on the way up or back down, takes {', '.join(much)}{rest}."]


def vanishing_altitude(one: xr.Dataset) -> float:
    """Altitude, km, above which fewer than `_VANISHED` of the flux pass; infinite where more do up to the end."""
    height, share = one["reach_alt"].values.astype(float), one[PASSING].values.astype(float)
    share = np.where(one[f"{PASSING}_upper_limit"].values.astype(bool), 0.0, share)
    below = np.flatnonzero(share < _VANISHED)
    if not below.size:
        return float("inf")
    k = int(below[0])
    if k == 0 or share[k] <= 0.0:
        return float(height[k])
    part = np.log(share[k - 1] / _VANISHED) / np.log(share[k - 1] / share[k])
    return float(height[k - 1] + part * (height[k] - height[k - 1]))


def vanish_words(dataset: xr.Dataset, presets: list[str], names: list[str]) -> str:
    """Where each ion is gone, by preset, and what follows (ready HTML)."""
    particles = float((read_json_attribute(dataset, "settings") or {}).get("particles", 0.0))
    if particles * _VANISHED < 2.0:
        return ""
    items, under = [], True
    for preset in presets:
        gone = {name: vanishing_altitude(dataset.sel(preset=preset, species=name)) for name in names}
        main = float(dataset["preset_main_altitude"].sel(preset=preset))
        lost = ", ".join(f"{ion_label(name)} above {round(z, -1):.0f} km" for name, z in gone.items() if np.isfinite(z))
        stay = ", ".join(ion_label(name) for name, z in gone.items() if not np.isfinite(z))
        said = f"fewer than 1 in 1000 pass: {lost}" if lost else "more than 1 in 1000 of every ion pass all altitudes"
        items.append(f"{markup.text(preset.replace('_', ' ').capitalize())}, main waves above {main:g} km: {said}"
                     + (f"; more pass all altitudes: {stay}." if lost and stay else "."))  # fmt: skip
        under &= all(z < main for z in gone.values() if np.isfinite(z)) and bool(lost)
    if under:
        items.append(
            "All that vanish do so below the main waves, by day as by night: the height at which these begin does not decide. "
            "What is left is the wave power below them, the weight of the ion and, for molecules, recombination."
        )
    return f'<ul class="lead">{"".join(f"<li>{one}</li>" for one in items)}</ul>'
