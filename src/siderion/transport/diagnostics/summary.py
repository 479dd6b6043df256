"""What a run shows, in numbers: the layer, the two cells, the mass budget. Works on the output data set."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from siderion.transport.diagnostics.cells import convection_cells
from siderion.transport.diagnostics.layers import LAYER
from siderion.transport.diagnostics.times import analysed_times

RATIO_ALTITUDES = (120, 200, 300)
"""Altitudes, km, of the evening over morning ratio."""


def largest_density(output: xr.Dataset, species: str, bottom: float = LAYER[0], top: float = LAYER[1]) -> dict[str, Any]:
    """Largest density between two altitudes over `analysed_times`, and where and when it is."""
    alt = output.alt.values
    levels = np.flatnonzero((alt >= bottom) & (alt <= top))
    best: dict[str, Any] = {"number_density": -1.0}
    for t in analysed_times(output):
        field = output.number_density.sel(species=species).isel(time=t, alt=levels).values
        k, j, i = np.unravel_index(int(np.argmax(field)), field.shape)
        if field[k, j, i] > best["number_density"]:
            best = {
                "number_density": float(field[k, j, i]),
                "time": str(output.time.values[t])[:16],
                "alt": float(alt[levels[k]]),
                "lat": float(output.lat.values[j]),
                "lon": float(output.lon.values[i]),
                "magnetic_local_time": float(output.magnetic_local_time.isel(time=t, lat=j, lon=i)),
                "invariant_latitude": float(output.invariant_latitude.isel(alt=levels[k], lat=j, lon=i)),
            }
    return best


def evening_morning_ratio(output: xr.Dataset, species: str, altitude: float, time: int) -> float:
    """Mean density in the evening cell over that in the morning cell, at the level nearest to an altitude, km."""
    morning, evening = convection_cells(output.electric_potential.isel(time=time).values)
    level = int(np.argmin(np.abs(output.alt.values - altitude)))
    density = output.number_density.sel(species=species).isel(time=time, alt=level).values
    weight = output.solid_angle.values
    means = [np.average(density[cell], weights=weight[cell]) for cell in (evening, morning)]
    return float(means[0] / means[1])


def daily_asymmetry(output: xr.Dataset, species: str, altitude: float) -> float:
    """Geometric mean of `evening_morning_ratio` over `analysed_times`, at one altitude, km."""
    ratios = [evening_morning_ratio(output, species, altitude, int(t)) for t in analysed_times(output)]
    return float(np.exp(np.mean(np.log(ratios))))


def summarize(output: xr.Dataset, species: str) -> dict[str, Any]:
    """The short summary of a run: the layer near 120 km, and the evening over morning ratio at 120, 200 and 300 km."""
    ratios = {f"evening_morning_ratio_{altitude}_km": daily_asymmetry(output, species, altitude) for altitude in RATIO_ALTITUDES}
    return {"largest_density_115_to_125_km": largest_density(output, species), **ratios}


def summary_dataset(output: xr.Dataset) -> xr.Dataset:
    """The summary and the mass budget of a run as a data set along ``species``, from the attributes of its output."""
    summaries = json.loads(output.attrs["summary"])
    budgets = json.loads(output.attrs["mass_budget"])["species"]
    species = list(summaries)
    peaks = [summaries[name]["largest_density_115_to_125_km"] for name in species]
    ratios = [[summaries[name][f"evening_morning_ratio_{altitude}_km"] for altitude in RATIO_ALTITUDES] for name in species]
    variables: dict[str, Any] = {"evening_morning_ratio": (("species", "alt"), ratios)}
    for key, name in (("number_density", "largest_number_density"), ("lat", "largest_lat"), ("lon", "largest_lon")):
        variables[name] = ("species", [peak[key] for peak in peaks])
    variables["largest_time"] = ("species", np.array([peak["time"] for peak in peaks], dtype="datetime64[ns]"))
    for key in budgets[species[0]]:
        variables[f"budget_{key}"] = ("species", [budgets[name][key] for name in species])
    return xr.Dataset(variables, coords={"species": species, "alt": list(map(float, RATIO_ALTITUDES))})


def summary_text(species: str, summary: dict[str, Any], budget: dict[str, float]) -> str:
    """The summary in words."""
    peak = summary["largest_density_115_to_125_km"]
    lines = [
        f"{species}: largest density between 115 and 125 km is {peak['number_density']:.2e} m-3 at {peak['alt']:.1f} km, "
        f"{abs(peak['lat']):.1f} {'N' if peak['lat'] >= 0 else 'S'}, {peak['lon']:.1f} E, {peak['magnetic_local_time']:.1f} MLT, "
        f"{peak['time']} UT",
        f"evening cell over morning cell (mean density): {summary['evening_morning_ratio_120_km']:.2f} at 120 km, "
        f"{summary['evening_morning_ratio_200_km']:.2f} at 200 km, {summary['evening_morning_ratio_300_km']:.2f} at 300 km",
        _budget_text(budget),
    ]
    return "\n".join(lines)


_MOVES = {"through_edge": "edge", "through_top": "top", "through_bottom": "bottom", "chemistry": "chemistry"}


def _budget_text(budget: dict[str, float]) -> str:
    """The mass budget in % of what was there or released; in ions where they came by chemistry, as after an event."""
    start = budget["initial"] + budget.get("supply", 0.0)
    largest = max(abs(value) for value in budget.values()) or 1.0
    if largest > 100.0 * start:
        moves = ", ".join(f"{word} {budget[name]:+.2e}" for name, word in _MOVES.items())
        return f"ions: {budget['final']:.2e} left; {moves}; budget closes to {abs(budget['residual']) / largest:.0e}"
    moves = ", ".join(f"{word} {100.0 * budget[name] / start:+.1f}" for name, word in _MOVES.items())
    base = "start and supply" if budget.get("supply") else "the start"
    return (
        f"mass, in % of {base}: {100.0 * budget['final'] / start:.1f} left; {moves}; "
        f"budget closes to {abs(budget['residual']) / start:.0e}"
    )


def supply_text(output: xr.Dataset) -> list[str]:
    """What the sources of a run released, and where the atoms of each metal are at the end; empty without sources."""
    files = json.loads(output.attrs.get("supply", "[]"))
    if not files:
        return []
    lines = []
    for entry in files:
        for kind in ("rate", "event"):
            for metal, numbers in entry.get(kind, {}).items():
                whole, taken = (sum(v for k, v in numbers.items() if k.endswith(end)) for end in ("_in_file", "_in_run"))
                lines.append(f"{entry['file']}: {100.0 * taken / whole:.0f} % of its {metal} falls into the run")
    for metal, atoms in json.loads(output.attrs["mass_budget"])["atoms"].items():
        gains = f"{atoms['supply_of_atoms']:.3e} released as atoms and {atoms['supply_of_ions']:.3e} as ions"
        lines.append(
            f"{metal} in all its states: {atoms['initial']:.3e} atoms at the start, {gains}, {atoms['moved']:+.3e} moved through "
            f"the boundaries, {atoms['final']:.3e} at the end; residual {atoms['residual']:+.1e}"
        )
    return lines
