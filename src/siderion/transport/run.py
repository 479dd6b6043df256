"""A whole run: drivers, spin-up, output hour by hour, checkpoints, mass budget."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
import time as clock
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.background.drivers import build_drivers
from siderion.core.errors import CheckpointError, OutputError, explained
from siderion.io.store import content_digest, open_dataset, write_dataset
from siderion.jobs.atomic import atomic_folder, remove_folder, require_space
from siderion.jobs.checkpoint import load_checkpoint, save_checkpoint
from siderion.jobs.lock import folder_lock
from siderion.jobs.progress import ProgressEvent, Report, silent
from siderion.transport.budget import AtomBudget, Budget
from siderion.transport.citations import sources_of_run
from siderion.transport.diagnostics import summarize
from siderion.transport.fields import DriverFields
from siderion.transport.model import CHEMISTRY_WINDOWS, WINDOW, Model
from siderion.transport.output import PolarOutput
from siderion.transport.plan import make_grids, plan_run
from siderion.transport.settings import RunSettings, run_period
from siderion.transport.supply import Supply

STORE = "polar.zarr"
PARTIAL = "polar.partial.zarr"
CHECKPOINTS = "checkpoints"
"""Names of the store, of the store until the run is complete, and of the folder of checkpoints."""
_WINDOW = np.timedelta64(round(WINDOW), "s")


def run(
    settings: RunSettings,
    folder: str | Path,
    report: Report = silent,
    resume: bool = False,
    overwrite: bool = False,
    cache: str | Path | None = None,
) -> xr.Dataset:
    """Run the fluid model and write its output.

    Parameters
    ----------
    settings : RunSettings
    folder : path
        Output folder; gets ``polar.zarr`` when the run is complete. It is locked until then: see `siderion.jobs.lock`.
    report : callable
        Takes `ProgressEvent`; see `siderion.jobs.progress`.
    resume : bool
        Go on from the last checkpoint in ``folder``.
    overwrite : bool
        Replace a complete output in ``folder``.
    cache : path, optional
        Folder of the driver cache; by default ``$SIDERION_CACHE`` or ``~/.cache/siderion``.

    Returns
    -------
    xarray.Dataset
        The output, opened lazily.

    Raises
    ------
    SiderionError
        See `siderion.core.errors`: bad settings, data that do not cover the run, an output that cannot be written or
        resumed, or that another process is writing, a density that is negative or not finite.
    """
    place, spent = Path(folder), _Spent()
    _check_place(place, settings, resume, overwrite)
    with folder_lock(place):
        _check_place(place, settings, resume, overwrite)  # again: another run may have ended since
        if not resume:
            _clear(place)
        _run(settings, place, report, resume, overwrite, cache, spent)
    return open_dataset(place / STORE)


class _Spent:
    """Seconds by the clock and of the processor that a run has taken, those before a resume included."""

    def __init__(self) -> None:
        self.start, self.earlier = (clock.monotonic(), clock.process_time()), (0.0, 0.0)

    def so_far(self) -> tuple[float, float]:
        """Seconds by the clock, and of the processor."""
        wall, cpu = self.earlier
        return wall + clock.monotonic() - self.start[0], cpu + clock.process_time() - self.start[1]


def _run(
    settings: RunSettings, place: Path, report: Report, resume: bool, overwrite: bool, cache: str | Path | None, spent: _Spent
) -> None:
    """Run, in a folder that this process holds."""
    grid, shells = make_grids(settings)
    supply = Supply(settings, grid, shells, run_period(settings))  # first: a bad source is told before the drivers are built
    drivers = load_drivers(settings, report, cache)
    report(ProgressEvent("compiling kernels", 0.0))
    model = Model(settings, DriverFields(drivers, shells), grid, shells, supply)
    times, velocity_times = output_times(settings)
    written = 0
    for metal in model.metals:
        metal.budget.initial, metal.atoms.initial = model.content(metal), model.count_atoms(metal)
    if resume:
        written, spent.earlier = restore(model, place / CHECKPOINTS, settings)
    output = PolarOutput(place / PARTIAL, model, times, velocity_times, resume)
    _advance(model, output, place, written, settings, report, spent)
    output.writer.finish(describe(model, drivers, *spent.so_far()))
    dataset = open_dataset(place / PARTIAL)
    summary = {metal.ion.name: summarize(dataset, metal.ion.name) for metal in model.metals}
    output.writer.finish({"summary": json.dumps(summary), "complete": 1})
    _publish(place, overwrite)


def _advance(
    model: Model, output: PolarOutput, place: Path, written: int, settings: RunSettings, report: Report, spent: _Spent
) -> None:
    """The loop over windows: outputs when they are due, a checkpoint after every output."""
    start, end = run_period(settings)
    total = round((end - start) / _WINDOW)
    while True:
        now = start + model.windows_done * _WINDOW
        if written < len(output.times) and now == output.times[written]:
            output.write(written)
            written += 1
            if model.windows_done % CHEMISTRY_WINDOWS == 0:
                store_checkpoint(model, place / CHECKPOINTS, settings, written, *spent.so_far())
        if model.windows_done >= total:
            return
        report(ProgressEvent("transport", model.windows_done / total, f"{str(now)[:16]} UT"))
        model.run_window(now)
        if model.windows_done == total:
            report(ProgressEvent("transport", 1.0, f"{str(end)[:16]} UT"))


def output_times(settings: RunSettings) -> tuple[NDArray, NDArray]:
    """Times of the outputs, and those among them at which velocities are written."""
    start, end = run_period(settings)
    step = np.timedelta64(round(settings.output_interval * 3600), "s")
    first = start if settings.output_spin_up else start + np.timedelta64(round(settings.spin_up * 3600), "s")
    times = np.arange(first, end + np.timedelta64(1, "s"), step).astype("datetime64[ns]")
    of_day = {t[11:16] for t in times.astype(str)}
    missing = [t for t in settings.velocity_at if t not in of_day]
    chosen = [t for t in times if str(t)[11:16] in settings.velocity_at]
    if missing and not chosen:
        chosen = [times[-1]]
    return times, np.array(chosen, dtype="datetime64[ns]")


def _check_place(place: Path, settings: RunSettings, resume: bool, overwrite: bool) -> None:
    """Refuse an output folder that is in use, foreign, unwritable or too small, before any work is done."""
    partial, whole = place / PARTIAL, place / STORE
    if resume:
        if whole.exists() and not partial.exists():
            raise CheckpointError(f"{whole} is complete already; there is nothing to resume")
        if not partial.exists():
            raise CheckpointError(f"no run to resume in {place}; start it without --resume")
        return
    if whole.exists() and not overwrite:
        raise OutputError(f"{whole} exists; choose another folder with -o, or add --overwrite")
    require_space(place, plan_run(settings).disk / 2.0)


def _clear(place: Path) -> None:
    """Remove what an earlier run left half-done."""
    with explained(place):
        for leftover in (place / PARTIAL, place / CHECKPOINTS):
            remove_folder(leftover)


def _publish(place: Path, overwrite: bool) -> None:
    with explained(place):
        if overwrite:
            remove_folder(place / STORE)
        (place / PARTIAL).rename(place / STORE)
        remove_folder(place / CHECKPOINTS)


# ---------------------------------------------------------------------- drivers


def load_drivers(settings: RunSettings, report: Report = silent, cache: str | Path | None = None) -> xr.Dataset:
    """The drivers of a run: from the cache when the same ones were built before, else built and stored there."""
    start, end = run_period(settings)
    folder = Path(cache or os.environ.get("SIDERION_CACHE") or Path.home() / ".cache" / "siderion")
    path = folder / f"drivers-{_driver_key(settings)}.zarr"
    if path.exists():
        report(ProgressEvent("drivers from the cache", 1.0, str(path)))
        return open_dataset(path).load()
    dataset = build_drivers(
        settings.drivers, start, end, settings.hemisphere, settings.grid.top,
        lambda stage, fraction: report(ProgressEvent(stage, fraction)),
    )  # fmt: skip
    try:
        with atomic_folder(path) as temporary:
            temporary.rmdir()
            write_dataset(dataset, temporary)
    except OutputError:
        if not path.exists():  # else another run has stored the same drivers meanwhile
            raise
    return open_dataset(path).load()


def _driver_key(settings: RunSettings) -> str:
    """Hash of all that decides the drivers, the user's files by size and time of change included."""
    files = [settings.drivers.imf_file, settings.drivers.indices_file, *settings.drivers.replace]
    stamps = [(f, Path(f).stat().st_size, Path(f).stat().st_mtime_ns) for f in files if f and Path(f).exists()]
    what = [settings.drivers.digest(), *map(str, run_period(settings)), settings.hemisphere, settings.grid.top, stamps]
    return hashlib.sha256(json.dumps([version("siderion"), *what]).encode()).hexdigest()[:16]


# ---------------------------------------------------------------------- checkpoints


def checkpoint_facts(settings: RunSettings, source_files: str | None = None) -> dict[str, str]:
    """What a checkpoint must agree in with the run that goes on from it; the digest of the source files is made without it."""
    digest = content_digest(settings.supply.files) if source_files is None else source_files
    return {"settings": settings.digest(), "version": version("siderion"), "source_files": digest}


def store_checkpoint(model: Model, folder: Path, settings: RunSettings, written: int, seconds: float, cpu_seconds: float) -> None:
    """Save all that a run needs to go on: the densities, the budgets, the counters."""
    arrays = {f"metal_{i}": metal.reservoirs for i, metal in enumerate(model.metals)}
    facts = {
        **checkpoint_facts(settings, model.supply.digest),
        "windows_done": model.windows_done,
        "steps_done": model.steps_done,
        "written": written,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "largest_courant": model.largest_courant,
        "most_cells_crossed": model.most_cells_crossed,
        "budgets": [asdict(metal.budget) for metal in model.metals],
        "atoms": [asdict(metal.atoms) for metal in model.metals],
    }
    save_checkpoint(folder, model.windows_done, arrays, facts)


def restore(model: Model, folder: Path, settings: RunSettings) -> tuple[int, tuple[float, float]]:
    """Bring a model to its last checkpoint; returns the number of outputs written and the seconds, clock and processor."""
    arrays, facts = load_checkpoint(folder, checkpoint_facts(settings, model.supply.digest))
    for i, metal in enumerate(model.metals):
        stored = arrays[f"metal_{i}"]
        if stored.shape != metal.reservoirs.shape or stored.dtype != metal.reservoirs.dtype:
            raise CheckpointError(f"checkpoint in {folder}: {metal.ion.name} has another grid; start the run anew")
        metal.reservoirs[:] = stored
        metal.budget, metal.atoms = Budget(**facts["budgets"][i]), AtomBudget(**facts["atoms"][i])
    model.windows_done, model.steps_done = facts["windows_done"], facts["steps_done"]
    model.largest_courant, model.most_cells_crossed = facts["largest_courant"], facts["most_cells_crossed"]
    return facts["written"], (facts["seconds"], facts.get("cpu_seconds", 0.0))  # the first checkpoints had no cpu_seconds


# ---------------------------------------------------------------------- attributes


SERIES = ("imf_bz_gsm", "imf_by_gsm", "solar_wind_speed", "kp", "f107_used")
"""Drivers whose course goes into the attributes of the output."""
NOTES = ("interpolated_gaps", "by_doubtful_sign_hours", "imf_by_origin", "held_constant", "magnetic_coordinates")


def _series(array: xr.DataArray) -> dict[str, Any]:
    times = array[str(array.dims[0])].values
    return {
        "time": [str(t)[:19] for t in times],
        "values": [float(v) for v in array.values],
        "units": array.attrs.get("units", ""),
    }


def peak_memory() -> dict[str, int]:
    """Largest memory of this process so far, bytes, as an attribute; none where the system does not tell (Windows).

    A process that has made other runs before, such as a worker of an ensemble, counts them too.
    """
    if sys.platform == "win32":
        return {}
    import resource

    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"peak_memory_bytes": largest * (1 if sys.platform == "darwin" else 1024)}


def describe(model: Model, drivers: xr.Dataset, seconds: float, cpu_seconds: float) -> dict[str, Any]:
    """Attributes of the output: settings, mass budget, engine, drivers, sources, what the run took."""
    settings = model.settings
    budgets, atoms = {}, {}
    for metal in model.metals:
        metal.budget.final, metal.atoms.final = model.content(metal), model.count_atoms(metal)
        budgets[metal.ion.name] = metal.budget.as_dict()
        atoms[metal.ion.neutral_name] = metal.atoms.as_dict(metal.budget)
    series = {name: _series(drivers[name]) for name in SERIES if name in drivers}
    notes = {name: drivers.attrs[name] for name in NOTES if name in drivers.attrs}
    return {
        "title": f"Siderion: metal ions over the {settings.hemisphere} pole on {settings.date}",
        "siderion_version": version("siderion"),
        "hemisphere": settings.hemisphere,
        "engine": model.engine.NAME,
        "precision": settings.precision,
        "device": platform.processor() or platform.machine(),
        "wall_time_s": round(seconds, 1),
        "cpu_time_s": round(cpu_seconds, 1),
        **peak_memory(),
        "settings": settings.model_dump_json(),
        "settings_digest": settings.digest(),
        "mass_budget": json.dumps({"species": budgets, "atoms": atoms}),
        "supply": json.dumps(model.supply.record),
        "largest_courant_number": model.largest_courant,
        "steps": model.steps_done,
        "drivers": json.dumps({**series, **notes}),
        "sources": json.dumps(sources_of_run(settings) + model.supply.citations),
    }
