"""``siderion count``: tests of tiny counts, before and after, inside and outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import xarray as xr
from cyclopts import Parameter

from siderion.cli.show import page_beside, print_json, write_page
from siderion.core.errors import SettingsError, explained
from siderion.io.count_table import read_count_table
from siderion.io.store import write_netcdf
from siderion.jobs.atomic import atomic_file
from siderion.spectrometer.counting.evidence import COLUMNS, count_events, evaluate_events, evaluate_totals, table_4_3
from siderion.spectrometer.counting.ratio_tests import Alternative


def count(
    file: Path | None = None,
    *,
    counts: str = "triple",
    inside: int | None = None,
    inside_exposure: float = 1.0,
    outside: int | None = None,
    outside_exposure: float = 1.0,
    level: float = 0.05,
    alternative: Alternative = "greater",
    draws: int = 20_000,
    seed: int = 0,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Test tiny counts: inside against outside, before against after; say whether the result holds.

    Without a file and without totals, the ten events of Table 4.3 of the review are tested.

    Parameters
    ----------
    file
        CSV with the columns group (inside or outside), event, after and, if known, before, exposure_before, exposure_after.
    counts
        Counts of Table 4.3: triple, triple-wide, double-low or double-high.
    inside
        Counts inside, for a test of two totals.
    inside_exposure
        Exposure inside: hours, events.
    outside
        Counts outside.
    outside_exposure
        Exposure outside, in the same unit.
    level
        Level of significance.
    alternative
        greater (more inside, more after), less, or two-sided.
    draws
        Draws of the tests of scatter.
    seed
        Seed of the draws.
    output
        NetCDF file, with a page beside it; none by default.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    settings = {"file": str(file or ""), "level": level, "alternative": alternative, "draws": draws, "seed": seed}
    page = None if output is None or no_report else page_beside(output)
    if not 100 <= draws <= 10_000_000:
        raise SettingsError(f"--draws is {draws}; give 100 to 10 000 000")
    if seed < 0:
        raise SettingsError(f"--seed is {seed}; give 0 or a positive whole number")
    if (inside is None) != (outside is None):
        raise SettingsError("give both --inside and --outside for a test of two totals")
    if inside is not None and outside is not None:
        if file is not None:
            raise SettingsError("a file and totals are given; give the file, or --inside and --outside")
        settings |= {
            "inside": inside,
            "inside_exposure": inside_exposure,
            "outside": outside,
            "outside_exposure": outside_exposure,
        }
        result = evaluate_totals(inside, inside_exposure, outside, outside_exposure, level=level, alternative=alternative)
    else:
        events = _events(file, counts)
        settings |= {} if file is not None else {"counts": counts}
        result = evaluate_events(events, level=level, alternative=alternative, draws=draws, seed=seed)
    result.attrs["settings"] = json.dumps(settings)
    if output is not None:
        with explained(output), atomic_file(output) as temporary:
            write_netcdf(result, temporary)
    if page is not None:
        from siderion.report import render_report

        write_page(render_report(result), page)
    if json_:
        names = ("verdict", "reasons", "exceptions", "significant")
        said = {
            name: result.attrs[name] if name in ("verdict", "significant") else json.loads(result.attrs[name]) for name in names
        }
        print_json("count", settings | said, result)
        return
    print("\n".join(_text(result)))
    if output is not None:
        print(f"wrote {output}" + (f" and {page}" if page else ""))


def _events(file: Path | None, counts: str) -> xr.Dataset:
    if file is None:
        return table_4_3(counts)  # type: ignore[arg-type]
    if counts != "triple":
        raise SettingsError(f"--counts {counts} chooses counts of Table 4.3 ({', '.join(COLUMNS)}); leave it out with a file")
    table = read_count_table(file)
    columns = {
        name: table[name].to_numpy() if name in table else None for name in ("before", "exposure_before", "exposure_after")
    }
    found = count_events(
        list(table["event"]), table["inside"].to_numpy(), columns["before"], table["after"].to_numpy(),
        columns["exposure_before"], columns["exposure_after"],
    )  # fmt: skip
    found.attrs = {"origin": str(file), "inside_means": "inside", "exposure_units": "units of exposure"}
    return found


def _text(result: xr.Dataset) -> list[str]:
    lines = [result.attrs["title"], f"Verdict: {result.attrs['verdict']}."]
    lines += [f"  - {reason}" for reason in json.loads(result.attrs["reasons"])]
    found = json.loads(result.attrs["exceptions"])
    if found:
        lines.append('Against "a rise if and only if inside":')
        lines += [f"  - {text}" for text in found]
    units = result.attrs["exposure_units"]
    for k, group in enumerate(result["group"].values):
        one = result.isel(group=k)
        words = f"{int(one['group_counts'])} counts in {float(one['group_exposure']):g} {units}"
        if bool(one["event_rate_upper_limit"]):
            rate = f"rate below {float(one['event_rate']):.3g} (95 %)"
        else:
            ends = [float(one[f"event_rate{end}"]) for end in ("", "_lower", "_upper")]
            rate = f"rate {ends[0]:.3g} ({ends[1]:.3g} to {ends[2]:.3g})"
        lines.append(f"{group!s:8} {words}; {rate}")
    ratio = "undefined (no count outside)" if np.isnan(result["rate_ratio"]) else f"{float(result['rate_ratio']):.3g}"
    limits = f"{float(result['rate_ratio_lower']):.3g} to {float(result['rate_ratio_upper']):.3g}"
    lines.append(f"ratio of the rates {ratio} ({limits}, 95 %, exact for independent counts)")
    lines += _tests(result)
    return lines + (_event_lines(result) if "event" in result.dims else [])


def _tests(result: xr.Dataset) -> list[str]:
    alternative = json.loads(result.attrs["settings"])["alternative"]
    lines = [f"{'test (' + alternative + ' unless it says two-sided)':58} p value"]
    for name, value in zip(result["test"].values, result["p_value"].values, strict=True):
        lines.append(f"{name!s:58} " + ("none" if np.isnan(value) else f"{value:.2g}"))
    if "dispersion_index" in result:
        for name, value in zip(result["pooling"].values, result["dispersion_index"].values, strict=True):
            words = "none" if np.isnan(value) else f"{value:.2f}"
            lines.append(f"{'index of dispersion, ' + str(name):58} {words}  (1 for Poisson counts)")
    return lines


def _event_lines(result: xr.Dataset) -> list[str]:
    lines = [f"{'event':20} {'group':8} {'before':>7} {'after':>7}   p without it"]
    for k, name in enumerate(result["event"].values):
        one = result.isel(event=k)
        before = str(int(one["count_before"])) if "count_before" in one else "-"
        group = "inside" if bool(one["inside"]) else "outside"
        alone = int((result["inside"] == one["inside"]).sum()) == 1
        value = "cannot be tested" if alone else f"{float(one['p_value_without']):.2g}"
        lines.append(f"{name!s:20} {group:8} {before:>7} {int(one['count_after']):>7}   {value}")
    return lines
