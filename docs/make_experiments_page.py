"""Write docs/experiments.md from the outputs of the settings files in examples/experiments.

siderion run --settings examples/experiments/NAME.toml -o runs/experiments/NAME     # for every file
python docs/make_experiments_page.py runs/experiments
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from siderion import open_dataset
from siderion.transport.diagnostics import daily_asymmetry, largest_density, polar_layer_area
from siderion.transport.diagnostics.layers import POLAR
from siderion.transport.paper.conditions import largest_wind
from siderion.transport.paper.evidence import Evidence

FILES = Path(__file__).resolve().parent.parent / "examples" / "experiments"

GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Wind, Pedersen drift, gravity": (
        "Terms of equation (2) switched off. `exb_and_gravity` is the picture of Bedey & Watkins 1997.",
        ("reference", "no_wind", "no_pedersen", "exb_and_gravity"),
    ),
    "Pole and boundaries": (
        "The numerical choices of Andoh et al. 2026, one at a time: the pole at 1 degree, the boundaries at 2.",
        ("reference", "paper_pole", "reference_2_degrees", "paper_boundaries"),
    ),
    "Model of the convection, and Kp": (
        "At 2 degrees. Swarm Hi-C from the solar wind (reference), Heelis from the Kp of the day, Heelis at constant Kp 5, which "
        "also rules aurora and atmosphere. Weimer 2005 (`weimer2005.toml`) needs your copy of its tables.",
        ("reference_2_degrees", "heelis", "kp_5"),
    ),
    "Interplanetary magnetic field": (
        "Constant field, 400 km/s, 5 cm-3: the question that the paper leaves open. By at Bz = -2 nT, Bz at By = 0.",
        ("imf_by_minus_5", "imf_bz_minus_2", "imf_by_plus_5", "imf_bz_minus_5", "imf_bz_plus_2", "imf_bz_plus_5"),
    ),
    "Season and hemisphere": (
        "At 2 degrees. The reference is northern summer; the southern hemisphere has winter on the same day.",
        ("reference_2_degrees", "winter", "southern_winter"),
    ),
    "Initial column and profile": (
        "At 2 degrees, beside a reference at 2 degrees.",
        ("reference_2_degrees", "half_column", "double_column", "low_profile", "wide_profile"),
    ),
    "Height of the top": (
        "At 2 degrees. The paper ends at 310 km.",
        ("reference_2_degrees", "top_400_km", "top_600_km"),
    ),
    "Seven metals": (
        "At 2 degrees, each from the same initial column of ions and of neutral metal, so that only mass, mobility and chemistry "
        "differ.",
        ("species",),
    ),
    "To the exobase": (
        "At 2 degrees over the southern summer pole, top at 600 km.",
        ("southern_summer_600_km",),
    ),
}


def polar_mean(evidence: Evidence, altitude: float) -> float:
    """Mean density of the day poleward of 60 degrees invariant latitude at the level nearest an altitude, m-3."""
    polar = evidence.invariant(altitude) >= POLAR
    return float(np.mean([evidence.mean(evidence.density(t, altitude), polar) for t in evidence.times]))


def layer_area(evidence: Evidence) -> float:
    """Area poleward of 60 degrees invariant latitude with more than 1e11 m-3 between 115 and 125 km, mean of the day, 1e3 km2."""
    limit = evidence.limits["layer_density"]
    return float(np.mean([polar_layer_area(evidence.output, t, limit, evidence.species) for t in evidence.times])) / 1e9


def lift(evidence: Evidence, hour: int) -> float:
    """Slope of the vertical velocity at 300 km on its E x B part in the cells (Figure 4)."""
    m, t, _ = evidence.moment_at(hour)
    up, drift = (evidence.velocity("up", 300.0, m, *terms) for terms in ((), ("exb",)))
    return evidence.slope(up, drift, evidence.cells(t))


def drop(evidence: Evidence) -> float:
    """Mean cross-polar potential of the day, kV."""
    return float(np.mean([np.ptp(evidence.potential(t)) for t in evidence.times])) / 1e3


def largest(evidence: Evidence) -> dict[str, Any]:
    """The largest density of the layer."""
    return largest_density(evidence.output, evidence.species)


def share(evidence: Evidence, name: str) -> float:
    """An entry of the mass budget in % of the initial content."""
    budget = json.loads(evidence.output.attrs["mass_budget"])["species"][evidence.species]
    return 100.0 * budget[name] / budget["initial"]


Row = Callable[[Evidence], str]
BUDGET: dict[str, Row] = {
    "ions left, %": lambda e: f"{share(e, 'final'):.0f}",
    "through the edge, %": lambda e: f"{share(e, 'through_edge'):+.0f}",
    "through the top, %": lambda e: f"{share(e, 'through_top'):+.0f}",
    "by chemistry, %": lambda e: f"{share(e, 'chemistry'):+.0f}",
}
ROWS: dict[str, Row] = {
    "cross-polar potential, kV": lambda e: f"{drop(e):.0f}",
    "largest wind, m/s": lambda e: f"{largest_wind(e):.0f}",
    "largest at 115-125 km, m-3": lambda e: f"{largest(e)['number_density']:.1e}",
    "its magnetic local time, h": lambda e: f"{largest(e)['magnetic_local_time']:.1f}",
    "area above 1e11, 1e3 km2": lambda e: f"{layer_area(e):.0f}",
    **{f"evening/morning, {a} km": lambda e, a=a: f"{daily_asymmetry(e.output, e.species, a):.2g}" for a in (120, 200, 300)},
    **{f"polar mean, {a} km, m-3": lambda e, a=a: f"{polar_mean(e, a):.1e}" for a in (120, 200, 300)},
    **{f"slope on E x B, 300 km, {h:02d} UT": lambda e, h=h: f"{lift(e, h):.2f}" for h in (6, 18)},
    **BUDGET,
}
HIGH_ROWS: dict[str, Row] = {
    **{f"polar mean, {a} km, m-3": lambda e, a=a: f"{polar_mean(e, a):.1e}" for a in (120, 150, 200, 300, 400, 500, 590)},
    **BUDGET,
}


def table(columns: dict[str, Evidence], rows: dict[str, Row]) -> list[str]:
    """A Markdown table, one column per output and species."""
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    return lines + [f"| {name} | " + " | ".join(show(one) for one in columns.values()) + " |" for name, show in rows.items()]


def costs(outputs: dict[str, xr.Dataset]) -> list[str]:
    """What every experiment took."""
    lines = ["| experiment | question | CPU time, s | memory, GB |", "|---|---|---|---|"]
    for name, output in outputs.items():
        question = (FILES / f"{name}.toml").read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
        memory = f"{output.attrs['peak_memory_bytes'] / 1e9:.2f}" if "peak_memory_bytes" in output.attrs else "not recorded"
        lines.append(f"| `{name}.toml` | {question} | {output.attrs['cpu_time_s']:.0f} | {memory} |")
    return lines


def section(title: str, outputs: dict[str, xr.Dataset], words: str) -> list[str]:
    """One group: its question, its table, and what the words of docs/experiments.toml say to it."""
    intro, names = GROUPS[title]
    columns = {
        (name if len(outputs[name].species) == 1 else str(species)): Evidence(outputs[name], str(species))
        for name in names
        if name in outputs
        for species in outputs[name].species.values
    }
    rows = HIGH_ROWS if title == "To the exobase" else ROWS
    return ["", f"## {title}", "", intro, "", *table(columns, rows), "", words.strip()] if columns else []


def page(folder: Path) -> str:
    """The whole page."""
    outputs = {path.parent.name: open_dataset(path) for path in sorted(folder.glob("*/polar.zarr"))}
    words = tomllib.loads(Path(__file__).with_name("experiments.toml").read_text(encoding="utf-8"))
    lines = [words["introduction"].strip()]
    for title in GROUPS:
        lines += section(title, outputs, words[title])
    lines += ["", "## What they took", "", words["costs"].strip(), "", *costs(outputs)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    target = Path(__file__).with_name("experiments.md")
    target.write_text(page(Path(sys.argv[1])), encoding="utf-8")
    print(f"wrote {target}")
