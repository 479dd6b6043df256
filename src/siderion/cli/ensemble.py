"""``siderion ensemble``: many runs as one job, days or experiments or both, joined into maps with their spread."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import xarray as xr
from cyclopts import Parameter

from siderion.cli.show import parse_overrides, print_json, progress_report
from siderion.core.errors import SettingsError, explained
from siderion.io.store import open_dataset
from siderion.jobs.atomic import atomic_file
from siderion.jobs.settings import merged, read_toml
from siderion.report import render_report
from siderion.transport.ensemble import ENSEMBLE, MEMBERS, REDUCED, make_members, run_ensemble
from siderion.transport.member_maps import costs
from siderion.transport.plan import COMPRESSION, plan_run
from siderion.transport.settings import RunSettings


def ensemble(
    *,
    settings: Annotated[list[Path] | None, Parameter(consume_multiple=True)] = None,
    date: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    preset: str | None = None,
    hours: float | None = None,
    spin_up: float | None = None,
    species: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    hemisphere: str | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set")] = None,
    scheduler: str | None = None,
    workers: int | None = None,
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = Path("runs/ensemble"),
    dry_run: bool = False,
    overwrite: bool = False,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Simulate many days, or one day with many settings, and join them: mean, spread and layers in magnetic coordinates.

    Resuming is automatic: the same command again goes on where it was stopped, day by day, and ends with the same result.
    Members whose run failed do not stop the others. To run one member anew, remove its folder.

    Parameters
    ----------
    settings
        TOML files with settings, one for each experiment; the other options win over them.
    date
        Days that are analysed, UTC, such as 2023-06-18 2024-06-14; by default the date of each settings file, or else the
        nine days of Andoh et al. 2026.
    preset
        Grid: quick (2 degrees, a smoke test), standard (1 degree), paper (0.5 degrees).
    hours
        Length of each run, spin-up included.
    spin_up
        Hours before the day that each run starts.
    species
        Metal ions, such as Fe+ Mg+.
    hemisphere
        north or south.
    set_
        Any setting by its full name, such as drivers.wind=none; may be given several times.
    scheduler
        Address of a Dask cluster, such as tcp://host:8786, whose workers have one thread each; by default processes on
        this machine.
    workers
        Members at the same time on this machine, 1 by default: one run uses all cores.
    output
        Folder for members/NAME, ensemble.zarr and ensemble.html; runs/ensemble by default.
    dry_run
        Print cells, memory and time of every member and of all, and stop.
    overwrite
        Start anew: remove what the folder holds of these members first.
    json_
        Print the numbers of all members as JSON.
    """
    given: dict[str, Any] = {
        "preset": preset, "hours": hours, "spin_up": spin_up, "species": species, "hemisphere": hemisphere,
    }  # fmt: skip
    given = {name: value for name, value in given.items() if value is not None}
    members = make_members(_experiments(settings or [], merged(given, parse_overrides(tuple(set_ or ())))), date or ())
    if dry_run:
        print(plan_table(members, workers or 1))
        return
    with progress_report(quiet=json_) as report:
        dataset = run_ensemble(members, output, scheduler, workers, report=report, overwrite=overwrite)
    page = output / "ensemble.html"
    with explained(page), atomic_file(page) as temporary:
        temporary.write_text(render_report(dataset), encoding="utf-8")
    if json_:
        chosen = {name: member.model_dump(mode="json") for name, member in members.items()}
        numbers = [str(name) for name, array in dataset.data_vars.items() if not {"invariant_latitude"} & set(array.dims)]
        print_json("ensemble", chosen, dataset[numbers].load())
        return
    print(member_table(dataset, output))
    print(f"wrote {output / ENSEMBLE} and {page}")


def _experiments(files: list[Path], over: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Settings by the stem of their file; one experiment of default settings without files."""
    stems = [path.stem for path in files]
    repeated = sorted({stem for stem in stems if stems.count(stem) > 1})
    if repeated:
        raise SettingsError(f"two settings files are named {repeated[0]}.toml; the members are named after them: rename one")
    return {path.stem: merged(read_toml(path), over) for path in files} or {"default": dict(over)}


def plan_table(members: Mapping[str, RunSettings], workers: int) -> str:
    """What every member will take, and all together."""
    plans = {name: plan_run(settings) for name, settings in members.items()}
    width = max(len("member"), *map(len, plans))
    lines = [f"{'member':{width}}  million cells  memory GB  output MB  minutes"]
    for name, plan in plans.items():
        lines.append(
            f"{name:{width}}  {plan.cells / 1e6:13.2f}  {plan.memory / 1e9:9.1f}  {plan.disk / COMPRESSION / 1e6:9.0f}  "
            f"{plan.seconds / 60:7.0f}"
        )
    largest = sum(sorted((plan.memory for plan in plans.values()), reverse=True)[:workers])
    disk = sum(plan.disk for plan in plans.values()) / COMPRESSION
    seconds = sum(plan.seconds for plan in plans.values())
    lines.append(
        f"{len(plans)} members, {min(workers, len(plans))} at a time: memory about {largest / 1e9:.1f} GB, output about "
        f"{disk / 1e6:.0f} MB, time about {seconds / 3600:.1f} h on two cores"
    )
    return "\n".join(lines)


def member_table(dataset: xr.Dataset, folder: Path) -> str:
    """One line for every member and species."""
    width = max(len("member"), *(len(str(name)) for name in dataset.member.values))
    lines = [
        f"{'':{width}}  {'':7}  largest 115-125  area >1e11  evening/morning at, km  mass  wall",
        f"{'member':{width}}  species  m-3              1e3 km2     120     200     300    %     s",
    ]
    for name in map(str, dataset.member.values):
        with open_dataset(folder / MEMBERS / name / REDUCED) as reduced:
            wall = costs(reduced).get("wall_time_s", np.nan)
        for species in map(str, dataset.species.values):
            row = dataset.sel(member=name, species=species)
            ratios = "  ".join(f"{float(value):6.3g}" for value in row.evening_morning_ratio.values)
            left = 100.0 * float(row.budget_final) / (float(row.budget_initial) or 1.0)
            layer = f"{float(row.largest_number_density):15.2e}  {float(row.mean_layer_area) / 1e9:10.0f}"
            lines.append(f"{name:{width}}  {species:7}  {layer}  {ratios}  {left:4.0f}  {wall:4.0f}")
    return "\n".join(lines)
