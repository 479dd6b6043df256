"""``siderion days``: days of two-cell convection in a series of the solar wind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import xarray as xr
from cyclopts import Parameter

from siderion.cli.show import print_json
from siderion.core.errors import SettingsError
from siderion.solarwind.imf import load_imf
from siderion.solarwind.two_cell import READINGS, two_cell_days


def days(
    imf: Path | None = None,
    *,
    by: float = 5.0,
    bz_fraction: float = 0.8,
    reading: str = "separate",
    months: Annotated[list[int] | None, Parameter(consume_multiple=True)] = None,
    all_days: Annotated[bool, Parameter(name="--all")] = False,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """List the days on which two convection cells are expected: |By| small and Bz negative for most of the day.

    Parameters
    ----------
    imf
        Hourly OMNI file (CSV); by default the series that comes with Siderion: June to August of 2022 to 2024, and a
        week of December 2023.
    by
        Limit of |By|, nT.
    bz_fraction
        Fraction of the hours that must meet the criterion.
    reading
        How the criterion of Andoh et al. 2026 is read: separate, joint, or every_hour; --json marks the days by it.
    months
        Only these months, such as 6 7 8.
    all_days
        List the days that meet no reading, too.
    json_
        Print JSON, with every day.
    """
    result = two_cell_days(load_imf(imf), reading, bz_fraction, by)  # type: ignore[arg-type]
    if wrong := [month for month in months or () if not 1 <= month <= 12]:
        raise SettingsError(f"--months {wrong[0]}: months are 1 to 12")
    if months:
        result = result.sel(day=result.day.dt.month.isin(months))
    if json_:
        settings = {"imf": str(imf or "built-in"), "reading": reading, "bz_fraction": bz_fraction, "by": by, "months": months}
        print_json("days", settings, result)
        return
    _print_days(result, all_days)


def _print_days(result: xr.Dataset, all_days: bool) -> None:
    print(f"criterion: {result.attrs['criterion']}; days with less than 20 hours of data: {result.attrs['days_left_out']}")
    for number, (name, words) in enumerate(READINGS.items(), 1):
        print(f"  reading {number}, {name}: {words}")
    if result.attrs["imf_by_origin"] == "reconstructed":
        print("By is reconstructed, not measured; (?) counts the hours whose sign is doubtful; only its size matters here")
    paper = result["simulated_by_andoh_2026"]
    qualified = result["qualifies"].any("reading")
    _print_table("the days of Andoh et al. 2026", result.sel(day=paper))
    _print_table("other days that meet the criterion", result.sel(day=qualified & ~paper))
    if all_days:
        _print_table("days that do not meet it", result.sel(day=~qualified & ~paper))


def _print_table(title: str, rows: xr.Dataset) -> None:
    counts = ", ".join(f"{int(rows['qualifies'].sel(reading=name).sum())} {name}" for name in READINGS)
    print(f"\n{title}: {rows.sizes['day']} ({counts})")
    print("day         |By| small  Bz < 0  both  largest |By|  (?)  readings met")
    for day in rows.day.values:
        row = rows.sel(day=day)
        met = " ".join(str(number) if bool(row.qualifies.sel(reading=name)) else "-" for number, name in enumerate(READINGS, 1))
        doubtful = f"{float(row.by_doubtful_sign_hours):3.0f}" if "by_doubtful_sign_hours" in row else "  -"
        print(
            f"{str(day)[:10]}  {float(row.by_within_limit_fraction):10.0%}  {float(row.bz_negative_fraction):6.0%}  "
            f"{float(row.joint_fraction):4.0%}  {float(row.largest_by):9.1f} nT  {doubtful}  {met}"
        )
