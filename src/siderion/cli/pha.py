"""``siderion pha``: pulse-height events counted by mass, mass per charge, region, Moon and Kp."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import xarray as xr
from cyclopts import App, Parameter

from siderion.cli.show import page_beside, print_json, progress_report, write_page
from siderion.core.errors import SettingsError, explained
from siderion.io.pulse_height.writer import write_stics_events
from siderion.io.store import write_netcdf
from siderion.jobs.atomic import atomic_file
from siderion.report import render_report
from siderion.spectrometer.pulse_height.sample import COMMENT, sample_events
from siderion.spectrometer.pulse_height.years import PulseHeightSettings, count_files

pha = App(name="pha", help="Pulse-height events to mass and mass per charge, and histograms of them.")
_IN_JSON = (
    "window_counts",
    "exposure",
    "region_average",
    "region_average_lower",
    "region_average_upper",
    "region_average_upper_limit",
)


@pha.default
def count(
    *files: Path,
    regions: Path | None = None,
    positions: Path | None = None,
    kp: Path | None = None,
    columns: Path | None = None,
    mass: Literal["file", "recompute"] = "file",
    steps: Literal["cycle", "range"] = "cycle",
    set_: Annotated[list[str] | None, Parameter(name="--set", consume_multiple=True)] = None,
    cell: float = 600.0,
    low_kp: float = 2.0,
    high_kp: float = 3.0,
    energy_min: float = 0.0,
    bad_lines: Literal["refuse", "leave-out"] = "refuse",
    skip_failed: Annotated[bool, Parameter(negative="")] = False,
    workers: int | None = None,
    scheduler: str | None = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Count Geotail/STICS pulse-height events by window of species, region, lunar local time and Kp.

    Parameters
    ----------
    files
        Event files, gzip or plain.
    regions
        CSV file with start, end, region (solar_wind, magnetosheath, magnetosphere, lobe), or a list of crossings.
    positions
        CSV file with time, x, y, z (GSE, km): regions from the boundary models, in place of --regions.
    kp
        File of Kp, GFZ Potsdam or CelesTrak; what comes with the package covers 2021-11 to 2025-03 only.
    columns
        CSV file with another description of the columns.
    mass
        Mass and mass per charge of the file, or recompute: from the channels, with foil loss and detector defect.
    steps
        Energy per charge of the deflection steps: cycle (87 and 212 keV/e at 22 and 30) or range (8 to 212 keV/e).
    set_
        Values of the calibration, such as time_gain=4e-10 (s per channel).
    cell
        Length of the cells of time, s; a cell with an event counts as observed.
    low_kp
        Largest Kp of the class low.
    high_kp
        Smallest Kp of the class high; what lies between is a class of its own.
    energy_min
        Lowest energy per charge of the histograms, keV/e.
    bad_lines
        Lines that do not fit: refuse them, or leave-out, which counts them.
    skip_failed
        Leave out files that cannot be read, and name them.
    workers
        Processes; 1 by default.
    scheduler
        Address of a Dask cluster.
    output
        NetCDF file with all histograms; a page with figures goes beside it.
    no_report
        Do not make the page.
    json_
        Print the counts of the windows as JSON.
    """
    settings = PulseHeightSettings(
        str(regions or ""), str(positions or ""), str(kp or ""), str(columns or ""), mass, steps, _numbers(set_), cell,
        low_kp, high_kp, energy_min * 1e3, "leave out" if bad_lines == "leave-out" else "refuse",
    )  # fmt: skip
    page = None if no_report or output is None else page_beside(output)
    with progress_report(quiet=json_) as report:
        made = count_files(
            files, settings, failed="collect" if skip_failed else "raise", workers=workers, scheduler=scheduler, report=report
        )
    if output is not None:
        with explained(output), atomic_file(output) as temporary:
            write_netcdf(made, temporary)
    if page is not None:
        write_page(render_report(made), page)
    if json_:
        print_json("pha", json.loads(made.attrs["settings"]) | {"totals": json.loads(made.attrs["totals"])},
                   made[list(_IN_JSON)])  # fmt: skip
        return
    print("\n".join(_text(made)))
    if output is not None:
        print(f"wrote {output}" + (f" and {page}" if page else ""))


@pha.command
def sample(
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    events: int = 100_000,
    seed: int = 0,
    start: str = "1995-01-01",
    rate: float = 2.0,
) -> None:
    """Write made-up events of a known mixture in the form of the Geotail/STICS files; no measurement.

    Parameters
    ----------
    output
        The file, gzip.
    events
        How many.
    seed
        Of the random numbers.
    start
        Day of the first event, such as 1995-01-01.
    rate
        Mean number of events per second.
    """
    try:
        np.datetime64(start, "ns")
    except ValueError:
        raise SettingsError(f"--start is {start!r}; give a day such as 1995-01-01") from None
    words = f"{COMMENT}; {events} events, seed {seed}"
    with explained(output), atomic_file(output) as temporary:
        number = write_stics_events(
            temporary,
            sample_events(events, seed=seed, start=start, rate=rate),
            comments=[words],
        )
    print(f"wrote {number} synthetic events to {output}")


def _numbers(pairs: list[str] | None) -> dict[str, float]:
    values = {}
    for pair in pairs or ():
        name, _, text = pair.partition("=")
        try:
            values[name.strip()] = float(text)
        except ValueError:
            raise SettingsError(f"--set {pair}: write it as name=value, such as time_gain=4e-10") from None
    return values


def _text(made: xr.Dataset) -> list[str]:
    """The table of windows and regions, the observed time, and what was not counted."""
    totals = json.loads(made.attrs["totals"])
    by_region = made["window_counts"].sum(("lunar_sector", "kp_class"))
    hours = made["exposure"].sum(("lunar_sector", "kp_class")) * 3.0
    regions = [str(name) for name in made["region"].values]
    lines = [
        f"{totals['events']} events: {totals['triple']} triple, {totals['double']} double, {totals['none']} without mass per "
        f"charge; {totals['left_out']} lines left out",
        f"{'window':22}" + "".join(f"{name:>16}" for name in regions),
    ]
    for k, window in enumerate(made["window"].values):
        lines.append(f"{window!s:22}" + "".join(f"{int(by_region[k, r]):16d}" for r in range(len(regions))))
    lines.append(f"{'observed, h':22}" + "".join(f"{float(hours[r]):16.2f}" for r in range(len(regions))))
    by_kp = made["exposure"].sum(("region", "lunar_sector")) * 3.0
    shares = ", ".join(f"{name} {float(by_kp[k]):.1f} h" for k, name in enumerate(made["kp_class"].values))
    lines.append(f"Kp classes ({made.attrs['kp_classes']}): {shares}")
    problems = json.loads(made.attrs["not_read"])
    return lines + [f"not read: {why}" for why in problems.values()]
