"""Many event files, years of them, counted at once: groups of files are the members of a job.

A file is counted whole or not at all: one that is damaged at its end leaves nothing behind, and is named in the output.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import xarray as xr

from siderion.core.errors import SettingsError, SiderionError
from siderion.io.celestrak import read_embedded_indices
from siderion.io.pulse_height.columns import stics_columns
from siderion.io.pulse_height.geotail_stics import PIECE, stics_pieces
from siderion.io.pulse_height.stream import first_comments
from siderion.io.pulse_height.surroundings import read_kp, read_positions, read_region_intervals
from siderion.jobs.members import SYNCHRONOUS, MemberFailure, run_members
from siderion.jobs.progress import ProgressEvent, Report, silent
from siderion.spectrometer.pulse_height.context import Surroundings
from siderion.spectrometer.pulse_height.events import MassFrom, event_masses
from siderion.spectrometer.pulse_height.histogram import Bins, Counts, count_events, no_counts
from siderion.spectrometer.pulse_height.mass import energy_per_charge_of_steps, stics_calibration
from siderion.spectrometer.pulse_height.result import counts_dataset
from siderion.spectrometer.pulse_height.sample import COMMENT

_GROUPS_PER_WORKER = 8
_LOCAL_NAMES = ("deflection_step", "energy_channel", "time_channel", "mass", "mass_per_charge")


@dataclass(frozen=True)
class PulseHeightSettings:
    """How files are counted.

    Attributes
    ----------
    regions, positions, kp : str
        Files; empty for none. Without a file of Kp, the one that comes with the package (2021-11 to 2025-03).
    columns : str
        File with another description of the columns; empty for that of the package.
    mass : {"file", "recompute"}
        Where mass and mass per charge are from.
    steps : str
        Reading of the deflection steps, cycle or range.
    calibration : mapping
        Values in place of those of the table; see `stics_calibration`.
    cell : float
        Length of the cells of time, s.
    low_kp, high_kp : float
        Limits of the classes of Kp.
    energy_min : float
        Lowest energy per charge of the histograms, eV/e.
    bad_lines : {"refuse", "leave out"}
        What to do about lines that do not fit.
    piece : int
        Bytes of text taken at once.
    """

    regions: str = ""
    positions: str = ""
    kp: str = ""
    columns: str = ""
    mass: MassFrom = "file"
    steps: str = "cycle"
    calibration: dict[str, float] = field(default_factory=dict)
    cell: float = 600.0
    low_kp: float = 2.0
    high_kp: float = 3.0
    energy_min: float = 0.0
    bad_lines: Literal["refuse", "leave out"] = "refuse"
    piece: int = PIECE


def surroundings_of(settings: PulseHeightSettings) -> Surroundings:
    """Read the files that say where and when; once for each process.

    Raises
    ------
    SiderionError
        A file cannot be read, or settings contradict each other.
    """
    if settings.regions and settings.positions:
        raise SettingsError("--regions and --positions are both given; the region comes from one of them: leave the other out")
    named = tuple((name, _stamp(name)) for name in (settings.regions, settings.positions, settings.kp))
    regions, positions, kp = _read_surroundings(*named)
    return Surroundings(regions, positions, kp, settings.cell, settings.low_kp, settings.high_kp)


def count_file(
    path: str | Path, settings: PulseHeightSettings, bins: Bins, surroundings: Surroundings, report: Report = silent
) -> Counts:
    """Count the events of one file, piece by piece.

    Parameters
    ----------
    path : path
        The file.
    settings, bins, surroundings
        How, and what the context comes from.
    report : callable
        Takes progress events.

    Raises
    ------
    DataError
        The file does not fit; see `siderion.io.pulse_height.geotail_stics.stics_pieces`.
    """
    counts = no_counts(bins)
    calibration = stics_calibration(**settings.calibration)
    columns = stics_columns(settings.columns or None)
    for rows in stics_pieces(path, columns=columns, bad_lines=settings.bad_lines, piece=settings.piece):
        values = [rows.column(name) for name in _LOCAL_NAMES]
        mass, per_charge = event_masses(*values, source=settings.mass, calibration=calibration, steps=settings.steps)
        count_events(counts, rows.time, values[0], mass, per_charge, bins, surroundings, steps=settings.steps)
        counts.totals["left_out"] += rows.left_out
        report(ProgressEvent(str(Path(path).name), rows.done))
    return counts


def count_files(
    paths: Sequence[str | Path],
    settings: PulseHeightSettings | None = None,
    bins: Bins | None = None,
    *,
    failed: Literal["raise", "collect"] = "raise",
    workers: int | None = None,
    scheduler: str | None = None,
    report: Report = silent,
) -> xr.Dataset:
    """Count the events of many files.

    Parameters
    ----------
    paths : sequence of path
        The files, in any order; a file may end within a cell of time that the next one goes on with.
    settings : PulseHeightSettings, optional
        How.
    bins : Bins, optional
        Edges; without them those of `Bins` with ``energy_min`` of the settings.
    failed : {"raise", "collect"}
        What to do about files that cannot be read: raise one error that names them, or leave them out and name them in the
        attribute ``not_read``.
    workers : int, optional
        Processes; 1 works here without another process.
    scheduler : str, optional
        Address of a Dask cluster.
    report : callable
        Takes progress events.

    Returns
    -------
    xarray.Dataset
        See `siderion.spectrometer.pulse_height.result.counts_dataset`.

    Raises
    ------
    SiderionError
        A setting is impossible, no file is left, or files cannot be read and ``failed`` is ``"raise"``.
    """
    how = settings or PulseHeightSettings()
    if not paths:
        raise SettingsError("no files: give at least one file of events")
    repeated = (
        {str(path) for path in paths if sum(Path(path) == Path(other) for other in paths) > 1} if len(paths) < 50 else set()
    )
    if repeated or len({Path(path) for path in paths}) < len(paths):
        raise SettingsError(
            f"files given twice, {', '.join(sorted(repeated)) or 'some'}: their events would count twice; give each once"
        )
    edges = bins or Bins(energy_min=how.energy_min)
    surroundings = surroundings_of(how)
    energy_per_charge_of_steps(how.steps), stics_calibration(**how.calibration), stics_columns(how.columns or None)
    groups = _groups([str(path) for path in paths], workers or 1)
    members = {f"files {k + 1}": (group, how, edges) for k, group in enumerate(groups)}
    few = scheduler is None and (workers or 1) == 1
    results = run_members(
        _count_group,
        members,
        SYNCHRONOUS if few else scheduler,
        None if few or scheduler else workers,
        failed="collect",
        report=_without_finished(report),
    )
    counts = no_counts(edges)
    problems: dict[str, str] = {}
    for name, result in results.items():
        if isinstance(result, MemberFailure):
            problems |= {path: f"{result.kind}: {result.message}" for path in members[name][0]}
            continue
        counts.add(result[0])
        problems |= result[1]
    if problems and (failed == "raise" or len(problems) == len(paths)):
        raise SiderionError(f"{len(problems)} of {len(paths)} files cannot be read: " + "; ".join(list(problems.values())[:5]))
    made = counts_dataset(
        counts, edges, surroundings, source=how.mass, settings={"files": [str(p) for p in paths], **asdict(how)}
    )
    made.attrs["not_read"] = json.dumps(problems)
    return _with_origin(made, [str(path) for path in paths if str(path) not in problems])


def _with_origin(made: xr.Dataset, read: list[str]) -> xr.Dataset:
    """The counts with the attribute ``synthetic_files`` (those that say so themselves, JSON); title and sources say it too."""
    synthetic = [path for path in read if any(line.startswith(COMMENT) for line in first_comments(path))]
    made.attrs["synthetic_files"] = json.dumps(synthetic)
    if synthetic:
        made.attrs["title"] = f"Synthetic events, no measurement: {made.attrs['title']}"
        note = {"what": "events", "model": f"made up by siderion pha sample: {len(synthetic)} of {len(read)} files",
                "confidence": "unverified", "citation": "spectrometer/tables/pulse_height_sample.csv"}  # fmt: skip
        made.attrs["sources"] = json.dumps([note, *json.loads(made.attrs["sources"])])
    return made


def _count_group(value: tuple[list[str], PulseHeightSettings, Bins], report: Report) -> tuple[Counts, dict[str, str]]:
    """Counts of a group of files, and why some could not be read."""
    paths, settings, bins = value
    surroundings = surroundings_of(settings)
    counts = no_counts(bins)
    problems: dict[str, str] = {}
    for k, path in enumerate(paths):
        try:
            one = count_file(path, settings, bins, surroundings, _part(report, k, len(paths)))
        except SiderionError as error:
            problems[path] = str(error)
            report(ProgressEvent(f"{Path(path).name} cannot be read", (k + 1) / len(paths)))
            continue
        counts.add(one)
    return counts, problems


def _without_finished(report: Report) -> Report:
    """A group ends also when its files cannot be read: its last event says no more than that it ended."""
    return lambda event: report(ProgressEvent(event.stage, event.done, event.detail.replace(": finished", ": ended")))


def _part(report: Report, index: int, number: int) -> Report:
    return lambda event: report(ProgressEvent(event.stage, (index + event.done) / number, event.detail))


def _groups(paths: list[str], workers: int) -> list[list[str]]:
    """Groups of some files each, of about the same size, the largest files dealt out first."""
    number = min(len(paths), _GROUPS_PER_WORKER * workers)
    sizes = {path: os.path.getsize(path) if os.path.isfile(path) else 0 for path in paths}
    groups: list[list[str]] = [[] for _ in range(number)]
    loads = [0] * number
    for path in sorted(paths, key=lambda name: -sizes[name]):
        least = loads.index(min(loads))
        groups[least].append(path)
        loads[least] += max(sizes[path], 1)
    return [sorted(group, key=paths.index) if len(paths) < 1000 else sorted(group) for group in groups]


def _stamp(path: str) -> int:
    """Time of change of a file, so that a changed one is read again; 0 for none."""
    return Path(path).stat().st_mtime_ns if path and Path(path).exists() else 0


@lru_cache(maxsize=4)
def _read_surroundings(regions: tuple[str, int], positions: tuple[str, int], kp: tuple[str, int]) -> tuple[Any, Any, Any]:
    return (
        read_region_intervals(regions[0]) if regions[0] else None,
        read_positions(positions[0]) if positions[0] else None,
        read_kp(kp[0]) if kp[0] else read_embedded_indices(),
    )
