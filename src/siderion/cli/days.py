"""``siderion days``: days of two-cell convection in a series of the solar wind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from siderion.cli.show import print_json
from siderion.solarwind.imf import load_imf
from siderion.solarwind.two_cell import two_cell_days


def days(
    imf: Path | None = None,
    *,
    reading: str = "separate",
    fraction: float = 0.8,
    by_limit: float = 5.0,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """List the days on which two convection cells are expected: |By| small and Bz negative for most of the day.

    Parameters
    ----------
    imf
        Hourly OMNI file (CSV); the series that comes with Siderion by default.
    reading
        How the criterion of Andoh et al. 2026 is read: separate, joint, or every_hour.
    fraction
        Fraction of the hours that must meet it.
    by_limit
        Limit of |By|, nT.
    json_
        Print JSON.
    """
    result = two_cell_days(load_imf(imf), reading, fraction, by_limit)  # type: ignore[arg-type]
    if json_:
        print_json(
            "days", {"imf": str(imf or "built-in"), "reading": reading, "fraction": fraction, "by_limit": by_limit}, result
        )
        return
    print("day         |By| small  Bz < 0  both  selected")
    for day in result.day.values:
        row = result.sel(day=day)
        mark = "yes" if bool(row.selected) else "-"
        print(
            f"{str(day)[:10]}  {float(row.by_within_limit_fraction):10.0%}  {float(row.bz_negative_fraction):6.0%}  "
            f"{float(row.joint_fraction):4.0%}  {mark}"
        )
