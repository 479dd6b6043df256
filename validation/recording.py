"""Recorded norms of the validation cases: each run must give them again, within a narrow factor."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path

TABLE = Path(__file__).with_name("recorded.csv")
"""Columns: case, size, norm, value, tolerance. ``value`` may change by the part ``tolerance`` of it; without a tolerance it
is an upper limit of the magnitude, for numbers that are round-off."""
ROUND_OFF = 1e-10
"""Norms below this are round-off, and so is the limit that is recorded for them."""
TOLERANCE = 0.02

Run = Callable[[str], dict[str, float]]


def current_size() -> str:
    """``"full"`` when SIDERION_FULL_VALIDATION is set to 1, else ``"reduced"``."""
    return "full" if os.environ.get("SIDERION_FULL_VALIDATION") == "1" else "reduced"


def read_recorded() -> list[dict[str, str]]:
    """Rows of the table."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def check_recorded(case: str, run: Run) -> dict[str, float]:
    """Run a case at the current size and compare its norms with the recorded ones; returns the norms."""
    size = current_size()
    norms = run(size)
    recorded = {row["norm"]: row for row in read_recorded() if row["case"] == case and row["size"] == size}
    assert set(recorded) == set(norms), f"{case}: norms and record differ; see validation/make_table.py"
    wrong = []
    for name, value in norms.items():
        expected, tolerance = float(recorded[name]["value"]), recorded[name]["tolerance"]
        good = abs(value - expected) <= float(tolerance) * abs(expected) if tolerance else abs(value) <= expected
        if not good:
            wrong.append(f"{name}: {value:.6g}, recorded {expected:.6g} (tolerance {tolerance or 'upper limit'})")
    assert not wrong, f"{case}, size {size}: " + "; ".join(wrong)
    return norms


def record_row(case: str, size: str, norm: str, value: float, tolerance: float) -> dict[str, str]:
    """Row of the table for a norm."""
    if abs(value) < ROUND_OFF:
        return {"case": case, "size": size, "norm": norm, "value": f"{ROUND_OFF:g}", "tolerance": ""}
    return {"case": case, "size": size, "norm": norm, "value": f"{value:.6g}", "tolerance": f"{tolerance:g}"}
