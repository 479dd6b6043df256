"""Run every validation case and write docs/validation.md; with --record, renew the recorded norms as well.

    python validation/make_table.py [--record]

The tests compare with validation/recorded.csv. Record anew only when a change of the norms is meant and understood.
"""

from __future__ import annotations

import csv
import importlib
import sys
import time
from pathlib import Path

import numba
from recording import TABLE, TOLERANCE, read_recorded, record_row

CASES = (
    "sphere_advection",
    "lid",
    "vertical_advection",
    "three_dimensional",
    "thin_layer",
    "ambipolar",
    "chemistry_box",
    "wind_balance",
    "swipe_potential",
    "ion_composition",
    "exosphere_montecarlo",
    "wave_detection",
    "synthetic_mission",
    "ablation",
    "meteoroid_injection",
    "field_line_flight",
    "foil_flight",
    "counting",
    "spectrum_fit",
)
SIZES = ("reduced", "full")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "validation.md"
HEAD = """# Validation

Every case has an exact solution, a published value or a limiting law. The tests run them at reduced size; `make validation`
runs them at full size. Each norm must stay within its tolerance of the recorded value (`validation/recorded.csv`), and the
case must keep the stated order or law. Norms l1, l2 and linf are relative (Williamson et al. 1992). All runs of the
transport kernels here are in double precision, with the steps of a real run. This page is written by
`python validation/make_table.py`.
"""

Norms = dict[str, dict[str, float]]


def run_case(case: str) -> Norms:
    """Norms of one case by size."""
    module = importlib.import_module(f"test_{case}")
    norms = {}
    for size in SIZES:
        start = time.perf_counter()
        norms[size] = module.run(size)
        print(f"{case}, {size}: {time.perf_counter() - start:.1f} s", flush=True)
    return norms


def format_value(value: float | None) -> str:
    """A norm in the table; numbers below 1e-10 are round-off."""
    if value is None:
        return ""
    if value == 0.0:
        return "0"
    return "round-off" if abs(value) < 1e-10 else f"{value:.4g}"


def section(case: str, norms: Norms) -> str:
    """Section of the page: what is solved, what is demanded, the norms."""
    module = importlib.import_module(f"test_{case}")
    title, _, text = (module.__doc__ or "").partition("\n")
    demand = (getattr(module, f"test_{case}").__doc__ or "").strip()
    names = list(dict.fromkeys(name for size in SIZES for name in norms[size]))
    rows = [f"| {name} | {' | '.join(format_value(norms[size].get(name)) for size in SIZES)} |" for name in names]
    table = "\n".join(["| norm | reduced | full |", "|---|---|---|", *rows])
    return f"## {title.rstrip('.')}\n\n{text.strip()}\n\nDemanded: {demand}\n\n{table}\n"


def write_record(results: dict[str, Norms]) -> None:
    """Write the recorded norms; tolerances that are there already are kept."""
    old = {(r["case"], r["size"], r["norm"]): r["tolerance"] for r in read_recorded()} if TABLE.exists() else {}
    rows = [
        record_row(case, size, name, value, float(old.get((case, size, name)) or TOLERANCE))
        for case, norms in results.items()
        for size in SIZES
        for name, value in norms[size].items()
    ]
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["case", "size", "norm", "value", "tolerance"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main(arguments: list[str]) -> None:
    """Run all cases and write the page."""
    numba.set_num_threads(1)  # the grids are small
    results = {case: run_case(case) for case in CASES}
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text("\n".join([HEAD, *(section(case, norms) for case, norms in results.items())]), encoding="utf-8")
    if "--record" in arguments:
        write_record(results)


if __name__ == "__main__":
    main(sys.argv[1:])
