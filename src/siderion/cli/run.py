"""``siderion run``: a transport run of metal ions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from siderion.cli.show import parse_overrides, print_json, progress_report
from siderion.core.errors import explained
from siderion.jobs.atomic import atomic_file
from siderion.jobs.settings import merged, read_toml
from siderion.report import render_report
from siderion.transport.diagnostics import summary_dataset, summary_text, supply_text
from siderion.transport.plan import plan_run
from siderion.transport.run import run as run_model
from siderion.transport.settings import make_settings


def run(
    *,
    date: str | None = None,
    preset: str | None = None,
    hours: float | None = None,
    spin_up: float | None = None,
    species: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    hemisphere: str | None = None,
    engine: str | None = None,
    precision: str | None = None,
    velocity_at: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    source: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    settings: Path | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set")] = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    dry_run: bool = False,
    resume: bool = False,
    overwrite: bool = False,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Simulate metal ions over a pole on a real day.

    Parameters
    ----------
    date
        Day that is analysed, UTC, such as 2023-06-18.
    preset
        Grid: quick (2 degrees, a smoke test), standard (1 degree), paper (0.5 degrees).
    hours
        Length of the run, spin-up included.
    spin_up
        Hours before the day that the run starts.
    species
        Metal ions, such as Fe+ Mg+.
    hemisphere
        north or south.
    engine
        Engine of the kernels.
    precision
        float32 or float64.
    velocity_at
        UTC times of day with velocities in the output, such as 06:00 18:00.
    source
        Files of what meteoroids or debris release, from siderion sources; see also supply.atoms in docs/settings.md.
    settings
        TOML file with settings; the other options win over it.
    set_
        Any setting by its full name, such as drivers.wind=none; may be given several times.
    output
        Folder for polar.zarr and report.html; runs/DATE by default.
    dry_run
        Print cells, memory and time, and stop.
    resume
        Go on from the last checkpoint in the output folder.
    overwrite
        Replace a complete output.
    json_
        Print the summary as JSON.
    """
    given: dict[str, Any] = {
        "date": date, "preset": preset, "hours": hours, "spin_up": spin_up, "species": species, "hemisphere": hemisphere,
        "engine": engine, "precision": precision, "velocity_at": velocity_at,
    }  # fmt: skip
    given = {name: value for name, value in given.items() if value is not None}
    if source:
        given["supply"] = {"files": source}
    from_file = read_toml(settings) if settings else {}
    chosen = make_settings(merged(from_file, merged(given, parse_overrides(tuple(set_ or ())))))
    folder = output or Path("runs") / str(chosen.date)
    if dry_run:
        print(plan_run(chosen).text())
        return
    with progress_report(quiet=json_) as report:
        dataset = run_model(chosen, folder, report, resume, overwrite)
    page = folder / "report.html"
    with explained(page), atomic_file(page) as temporary:
        temporary.write_text(render_report(dataset), encoding="utf-8")
    if json_:
        print_json("run", json.loads(dataset.attrs["settings"]), summary_dataset(dataset))
        return
    budgets = json.loads(dataset.attrs["mass_budget"])["species"]
    for name, summary in json.loads(dataset.attrs["summary"]).items():
        print(summary_text(name, summary, budgets[name]))
    print("\n".join(supply_text(dataset)), end="\n" if chosen.supply.files else "")
    print(f"wrote {folder / 'polar.zarr'} and {page} in {dataset.attrs['wall_time_s']:.0f} s")
