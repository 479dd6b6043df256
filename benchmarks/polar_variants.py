"""Run the day of the paper with terms, boundaries and inputs changed one at a time, and print the tables of docs/polar_run.md.

python benchmarks/polar_variants.py runs/variants                 # all variants at 1 degree, about 2 minutes each
python benchmarks/polar_variants.py runs/variants no_wind default # some of them
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from siderion.background.ion_velocity import TERMS
from siderion.transport.run import run
from siderion.transport.settings import make_settings
from siderion.transport.statements import statements


def without(*terms: str) -> dict[str, Any]:
    """Settings that switch terms off."""
    return {"terms": [term for term in TERMS if term not in terms]}


VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "no_wind": without("wind"),
    "no_pedersen": without("pedersen"),
    "no_wind_no_pedersen": without("wind", "pedersen"),
    "no_gravity": without("gravity"),
    "no_pressure": without("pressure"),
    "paper_boundaries": {"boundaries": {"top": "fixed", "bottom": "fixed", "edge": "fixed"}},
    "wind06": {"drivers": {"wind_scale": 0.6}},
    "double_initial": {"initial": {"peak_density": 2e10}},
    "edge_profile": {"boundaries": {"edge": "profile"}},
    "meteoric": {"chemistry": {"meteoric_flux": 1e8}},
    "simple": {"chemistry": {"network": "simple"}},
    "dt20": {"time_step": 20.0},
    "paper_preset": {"preset": "paper"},
}

ROWS = {
    "largest 115-125 km, m-3": lambda s: f"{s['largest_density_115_to_125_km']['number_density']:.1e}",
    "pre-midnight 70-80 N, m-3": lambda s: f"{s['premidnight_density']:.1e}",
    "its width, degrees": lambda s: f"{s['premidnight_width_degrees']:.1f}",
    "area above 1e11, 1e3 km2": lambda s: f"{s['mean_area_above_1e11_km2'] / 1e3:.0f}",
    "evening/morning 120 km": lambda s: f"{s['evening_morning_ratio_120_km']:.2g}",
    "evening/morning 200 km": lambda s: f"{s['evening_morning_ratio_200_km']:.2g}",
    "evening/morning 300 km": lambda s: f"{s['evening_morning_ratio_300_km']:.2g}",
    "in the cells 200 km, m-3": lambda s: f"{s['mean_density_in_cells']['200 km']:.1e}",
    "in the cells 300 km, m-3": lambda s: f"{s['mean_density_in_cells']['300 km']:.1e}",
    "rim/inside 200 km": lambda s: f"{s['rim_over_inside_200_km']:.1f}",
    "mass left, %": lambda s: f"{100 * budget(s)['final'] / budget(s)['initial']:.0f}",
    "edge, %": lambda s: f"{100 * budget(s)['through_edge'] / budget(s)['initial']:+.0f}",
    "top, %": lambda s: f"{100 * budget(s)['through_top'] / budget(s)['initial']:+.0f}",
    "held, %": lambda s: f"{100 * budget(s)['held_boundaries'] / budget(s)['initial']:+.0f}",
    "chemistry, %": lambda s: f"{100 * budget(s)['chemistry'] / budget(s)['initial']:+.0f}",
}


def budget(numbers: dict[str, Any]) -> dict[str, float]:
    """Budget of Fe+."""
    return numbers["mass_budget"]["species"]["Fe+"]


def numbers_of(name: str, folder: Path) -> dict[str, Any]:
    """Statements of one variant: kept ones, or those of a new run, whose output is removed afterwards."""
    kept = folder / f"{name}.json"
    if not kept.exists():
        settings = make_settings({"date": "2023-06-18", **VARIANTS[name]})
        output = run(settings, folder / name, overwrite=True)
        found = {
            **statements(output),
            "mass_budget": json.loads(output.attrs["mass_budget"]),
            "wall": output.attrs["wall_time_s"],
        }
        kept.write_text(json.dumps(found), encoding="utf-8")
        shutil.rmtree(folder / name)
    return json.loads(kept.read_text(encoding="utf-8"))


def main() -> None:
    """Print the table, one column per variant."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    names = sys.argv[2:] or list(VARIANTS)
    found = {name: numbers_of(name, folder) for name in names}
    print(f"| | {' | '.join(found)} |")
    print(f"|---|{'---|' * len(found)}")
    for row, show in ROWS.items():
        print(f"| {row} | {' | '.join(show(numbers) for numbers in found.values())} |")


if __name__ == "__main__":
    main()
