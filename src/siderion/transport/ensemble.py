"""Many runs as one job: days, experiments, or both; each run is kept, and all are joined into maps with their spread."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr

from siderion.core.errors import CheckpointError, DataError, OutputError, SettingsError, explained
from siderion.core.variables import with_attributes
from siderion.io.store import open_dataset, write_dataset, write_netcdf
from siderion.jobs.atomic import atomic_file, atomic_folder, remove_folder, require_space
from siderion.jobs.checkpoint import load_checkpoint
from siderion.jobs.lock import folder_lock
from siderion.jobs.members import run_members
from siderion.jobs.progress import ProgressEvent, Report, silent
from siderion.jobs.settings import merged
from siderion.solarwind.two_cell import paper_days
from siderion.transport.member_maps import LATITUDE_STEP, LOWEST_LATITUDE, facts, misfit, missing, reduce_output
from siderion.transport.plan import COMPRESSION, plan_run
from siderion.transport.run import CHECKPOINTS, PARTIAL, STORE, checkpoint_facts, output_times, run
from siderion.transport.settings import DENSITY_FLOOR, RunSettings, make_settings

ENSEMBLE = "ensemble.zarr"
MEMBERS = "members"
REDUCED = "reduced.nc"


# ---------------------------------------------------------------------- members


def make_members(experiments: Mapping[str, Mapping[str, Any]], dates: Iterable[str] = ()) -> dict[str, RunSettings]:
    """Settings of all members: every experiment on every date.

    Parameters
    ----------
    experiments : mapping of str to mapping
        What to give to `siderion.make_settings`, by name of the experiment; ``date`` may be missing.
    dates : iterable of str
        Days that are analysed. Without any, an experiment has its own ``date``, or else the nine days of Andoh et al. 2026.

    Returns
    -------
    dict of str to RunSettings
        Named by the date when there is one experiment, by the experiment when each has one date, else EXPERIMENT_DATE.
        In the order of the experiments, and of the dates within each.

    Raises
    ------
    SettingsError
        No experiment, a date twice, settings that are impossible, or members that cannot be compared: see `run_ensemble`.
    """
    if not experiments:
        raise SettingsError("no experiment: give at least one set of settings")
    given = list(map(str, dates))
    days = {name: given or ([str(v["date"])] if "date" in v else paper_days()) for name, v in experiments.items()}
    repeated = sorted({day for listed in days.values() for day in listed if listed.count(day) > 1})
    if repeated:
        raise SettingsError(f"dates {repeated} are given twice; give each once")
    single = all(len(listed) == 1 for listed in days.values())
    members = {}
    for experiment, values in experiments.items():
        for day in days[experiment]:
            settings = make_settings(merged(values, {"date": day}))
            stem = str(settings.date) if len(experiments) == 1 else experiment
            members[stem if single or len(experiments) == 1 else f"{experiment}_{settings.date}"] = settings
    check_members(members)
    return members


def check_members(members: Mapping[str, RunSettings]) -> None:
    """Raise `SettingsError` unless the members can be joined: names, hemisphere, species, hours of the velocities."""
    if not members:
        raise SettingsError("an ensemble needs at least one member")
    for name in members:
        if not name or name.startswith(".") or "/" in name or "\\" in name:
            raise SettingsError(f"member name {name!r} cannot be a folder; use letters, digits, - and _")
    kinds: dict[str, dict[str, Any]] = {
        "hemisphere": {name: s.hemisphere for name, s in members.items()},
        "species": {name: s.species for name, s in members.items()},
        "hours of the velocities (velocity_at)": {name: _velocity_clock(name, s) for name, s in members.items()},
    }
    for what, by_name in kinds.items():
        first, *others = by_name.items()
        for name, value in others:
            if value != first[1]:
                raise SettingsError(
                    f"members of one ensemble need the same {what}: {first[0]} has {first[1]}, {name} has {value}; make two "
                    "ensembles"
                )


def _velocity_clock(name: str, settings: RunSettings) -> tuple[str, ...]:
    """Times of day of the velocities that are reduced; see `siderion.transport.member_maps.reduce_output`."""
    times = output_times(settings)[1].astype(str)
    of_day = [t for t in times if t[:10] == str(settings.date)] or [t for t in times if t[:10] > str(settings.date)][-1:]
    if not of_day:
        raise SettingsError(
            f"member {name} has no velocities on {settings.date}: velocity_at is {', '.join(settings.velocity_at)}, the run ends "
            f"{settings.hours - settings.spin_up:g} h after 00 UT; give hours of that day"
        )
    return tuple(t[11:16] for t in of_day)


def map_step(members: Mapping[str, RunSettings]) -> float:
    """Width of the bins of invariant latitude, degrees: 1, or the coarsest member's cells, rounded up to divide 40."""
    coarsest = max(LATITUDE_STEP, *(settings.grid.resolution for settings in members.values()))
    span = 90.0 - LOWEST_LATITUDE
    return span / np.floor(span / coarsest + 1e-9)


# ---------------------------------------------------------------------- running


@dataclass(frozen=True)
class _Task:
    """What a worker needs to make one member."""

    settings: RunSettings
    folder: str
    step: float
    cache: str | None


def run_ensemble(
    members: Mapping[str, RunSettings],
    folder: str | Path,
    scheduler: str | None = None,
    workers: int | None = None,
    threads: int | None = None,
    report: Report = silent,
    overwrite: bool = False,
    cache: str | Path | None = None,
) -> xr.Dataset:
    """Run all members, reduce each to maps, join them.

    It goes on where it was stopped: a member whose ``reduced.nc`` fits is done, a complete ``polar.zarr`` is reduced, a
    partial one is resumed from its checkpoint. Ended in the middle and called again, it writes the same
    ``ensemble.zarr``, byte for byte (on the same machine with the same number of threads). To run one member anew,
    remove its folder. The folder is locked meanwhile: see `siderion.jobs.lock`.

    Parameters
    ----------
    members : mapping of str to RunSettings
        Settings by name; see `make_members`. They need the same hemisphere, species and hours of the velocities.
    folder : path
        Gets ``members/NAME/polar.zarr`` and ``members/NAME/reduced.nc`` of every member, and ``ensemble.zarr``.
    scheduler, workers, threads
        Where the members run: see `siderion.jobs.members.run_members`. On another machine's cluster, ``folder`` must be
        reached under the same name from its workers.
    report : callable
        Takes `ProgressEvent`.
    overwrite : bool
        Remove what the folder holds of these members and of an ensemble, and start anew.
    cache : path, optional
        Folder of the driver cache; see `siderion.run`.

    Returns
    -------
    xarray.Dataset
        ``ensemble.zarr``, opened lazily: see `join_members`.

    Raises
    ------
    SettingsError
        The members cannot be joined.
    OutputError
        The folder holds members or an ensemble of other settings, members of several versions of Siderion, or outputs that
        cannot be reduced; or another process is writing to it.
    CheckpointError
        A partial member belongs to other settings or another version, or is damaged; said before anything is run.
    SiderionError
        Members failed: the error names them, the others are kept, and no ``ensemble.zarr`` is written.
    """
    check_members(members)
    place = Path(folder).absolute()
    step = map_step(members)
    tasks = {
        name: _Task(settings, str(place / MEMBERS / name), step, str(Path(cache).absolute()) if cache else None)
        for name, settings in members.items()
    }
    require_space(place, 0.0)
    with folder_lock(place):
        if overwrite:
            _remove_members(place, members)
        _check_place(place, tasks)
        run_members(_make_member, tasks, scheduler, workers, threads, "raise", report)
        joined = join_members({name: open_dataset(_reduced(place, name)).load() for name in members})
        with explained(place):
            remove_folder(place / ENSEMBLE)
            with atomic_folder(place / ENSEMBLE) as temporary:
                temporary.rmdir()
                write_dataset(joined, temporary)
    return open_dataset(place / ENSEMBLE)


def _reduced(place: Path, name: str) -> Path:
    return place / MEMBERS / name / REDUCED


def _check_place(place: Path, tasks: Mapping[str, _Task]) -> None:
    """Refuse a folder that holds other members or too little space, before any work is done."""
    needed = 0.0
    versions: dict[str, list[str]] = {}
    for name, task in tasks.items():
        stage, made_by = _stage_of(name, task)
        versions.setdefault(made_by, []).append(name)
        if stage in ("partial", "empty"):
            needed += plan_run(task.settings).disk / COMPRESSION
    if len(versions) > 1:
        listed = "; ".join(f"version {made_by}: {', '.join(names)}" for made_by, names in versions.items())
        raise OutputError(
            f"members in {place} would be of several versions of Siderion ({listed}), and cannot be compared; remove the folders "
            "of those of the old version, add --overwrite, or go on with the version they were made with"
        )
    if (place / ENSEMBLE).exists():
        earlier = json.loads(open_dataset(place / ENSEMBLE).attrs.get("members", "{}"))
        lost = sorted(set(earlier) - set(tasks))
        if lost:
            raise OutputError(
                f"{place / ENSEMBLE} has members that are not asked for now ({', '.join(lost)}); members may be added: name "
                "these too, choose another folder with -o, or add --overwrite"
            )
    require_space(place, needed)


# ---------------------------------------------------------------------- one member

Stage = Literal["reduced", "complete", "partial", "empty"]


def _stage_of(name: str, task: _Task) -> tuple[Stage, str]:
    """How far a member has got, and the version of Siderion that made it, or will; any error names the member."""
    try:
        return _stage(task)
    except (OutputError, CheckpointError, DataError) as error:
        raise type(error)(f"member {name}: {error}; to run only this member anew, remove {task.folder}") from None


def _stage(task: _Task) -> tuple[Stage, str]:
    home = Path(task.folder)
    store, reduced = home / STORE, home / REDUCED
    if store.exists():
        with open_dataset(store) as output:
            _check_settings(store, output, task.settings)
            if lacking := missing(output):
                raise OutputError(f"{store} lacks {', '.join(lacking)}: it was made by another version of Siderion")
            made_by = str(output.attrs["siderion_version"])
        return ("complete" if _stale(reduced, task, made_by) else "reduced"), made_by
    if reduced.exists():
        with open_dataset(reduced) as dataset:
            _check_settings(reduced, dataset, task.settings)
            made_by = str(dataset.attrs.get("siderion_version"))
        if why := _stale(reduced, task, made_by):
            raise OutputError(f"{reduced} {why}, and there is no {STORE} to build it from again")
        return "reduced", made_by
    if not _has_checkpoints(home):
        return "empty", version("siderion")
    load_checkpoint(home / CHECKPOINTS, checkpoint_facts(task.settings))
    return "partial", version("siderion")


def _has_checkpoints(home: Path) -> bool:
    return (home / PARTIAL).exists() and any((home / CHECKPOINTS).glob("checkpoint-*.npz"))


def _stale(reduced: Path, task: _Task, made_by: str) -> str:
    """Why the reduction has to be made again; empty when it fits."""
    if not reduced.exists():
        return "does not exist"
    try:
        with open_dataset(reduced) as dataset:
            found = {name: str(dataset.attrs.get(name)) for name in ("settings_digest", "siderion_version")}
            if found != {"settings_digest": task.settings.digest(), "siderion_version": made_by}:
                return f"is of another run (digest {found['settings_digest']}, version {found['siderion_version']})"
            return misfit(dataset, task.step)
    except DataError as error:
        return f"is damaged ({error})"


def _check_settings(path: Path, dataset: xr.Dataset, settings: RunSettings) -> None:
    found = dataset.attrs.get("settings_digest")
    if found != settings.digest():
        raise OutputError(
            f"{path} is of other settings (digest {found}, asked for {settings.digest()}); choose another folder with -o, or "
            "add --overwrite"
        )


def _remove_members(place: Path, members: Mapping[str, RunSettings]) -> None:
    with explained(place):
        remove_folder(place / ENSEMBLE)
        for home in (place / MEMBERS / name for name in members):
            if not home.exists():
                continue
            with folder_lock(home):  # a run of this member alone may be under way
                (home / REDUCED).unlink(missing_ok=True)
                for part in (STORE, PARTIAL, CHECKPOINTS):
                    remove_folder(home / part)


def _make_member(task: _Task, report: Report) -> None:
    """Run one member, or go on with it, and reduce it; runs on a worker."""
    home = Path(task.folder)
    stage, _ = _stage(task)
    if stage == "reduced":
        return

    def of_member(event: ProgressEvent) -> None:  # drivers and kernels are quick beside the transport
        report(event if event.stage == "transport" else replace(event, done=0.0))

    if stage != "complete":
        run(task.settings, home, of_member, stage == "partial", cache=task.cache).close()
    report(ProgressEvent("reducing", 1.0))
    with open_dataset(home / STORE) as output:
        reduced = reduce_output(output, task.step)
    with atomic_file(home / REDUCED) as temporary:
        write_netcdf(reduced, temporary)


# ---------------------------------------------------------------------- joining


def join_members(reduced: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Put the maps of all members together, with their mean and spread.

    Parameters
    ----------
    reduced : mapping of str to xarray.Dataset
        From `siderion.transport.member_maps.reduce_output`, on the same bins.

    Returns
    -------
    xarray.Dataset
        All variables along ``member``, and over the members: ``ensemble_mean_number_density``,
        ``ensemble_lowest_number_density`` and ``ensemble_highest_number_density`` (m-3), ``ensemble_layer_occurrence``, and
        with two members or more ``ensemble_density_spread``: the sample standard deviation of log10 of the density (at
        least 1e4 m-3), in decades. Attributes:
        ``members`` (JSON: settings, digest, version and mass budget by name), ``sources`` (those of all members), no
        computing times: those are in each ``reduced.nc``.
    """
    names = np.array(list(reduced), dtype=object)
    joined = xr.concat(
        list(reduced.values()), xr.DataArray(names, dims="member", name="member"),
        data_vars="all", coords="minimal", compat="override", join="exact", combine_attrs="override",
    ).drop_encoding()  # fmt: skip
    # text of fixed length has no place in the Zarr 3 format
    joined = joined.assign_coords(species=np.array([str(name) for name in joined.species.values], dtype=object))
    density = joined["mean_number_density"]
    joined["ensemble_mean_number_density"] = density.mean("member")
    joined["ensemble_lowest_number_density"] = density.min("member")
    joined["ensemble_highest_number_density"] = density.max("member")
    if len(names) > 1:
        logarithm: xr.DataArray = xr.apply_ufunc(np.log10, density.clip(min=DENSITY_FLOOR))
        joined["ensemble_density_spread"] = logarithm.std("member", ddof=1)
    joined["ensemble_layer_occurrence"] = joined["layer_occurrence"].mean("member")
    first = next(iter(reduced.values()))
    joined.attrs = {
        "title": f"Siderion: ensemble of {len(names)} runs of metal ions over the {first.attrs['hemisphere']} pole",
        "siderion_version": version("siderion"),
        "hemisphere": first.attrs["hemisphere"],
        "members": json.dumps({name: facts(dataset) for name, dataset in reduced.items()}),
        "sources": json.dumps(_union(json.loads(dataset.attrs["sources"]) for dataset in reduced.values())),
    }
    return with_attributes(joined)


def _union(lists: Iterable[list[dict[str, str]]]) -> list[dict[str, str]]:
    """All entries, each once, in the order in which they are met."""
    found = {json.dumps(entry, sort_keys=True): entry for listed in lists for entry in listed}
    return list(found.values())
