"""Years of data: part by part, resumable, joined into one data set of windows and one of events."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import xarray as xr

from siderion.core.errors import DataError, SettingsError, SiderionError
from siderion.io.crossings import read_crossings
from siderion.io.magnetometer import read_magnetometer
from siderion.io.parts import load_tree, save_tree
from siderion.io.store import content_digest, write_tree
from siderion.jobs.atomic import atomic_file, remove_folder
from siderion.jobs.lock import folder_lock
from siderion.jobs.members import SYNCHRONOUS, MemberFailure, run_members
from siderion.jobs.progress import ProgressEvent, Report, silent

from .analysis import analyse_waves
from .settings import WaveSettings

_FLOATS_KEPT = ("ion_density", "neutral_density")
"""Variables that keep double precision; the others are stored with 24 bits, finer than any of their uncertainties."""
_LABELS = (".lbl", ".xml")
"""Endings of labels: one that is given beside its table adds nothing."""


@dataclass(frozen=True)
class Part:
    """What one worker does: the files of one part, how to read them, how to analyse them, where the result goes."""

    files: tuple[str, ...]
    reading: Mapping[str, object]
    settings: WaveSettings
    crossings: str | None
    target: str


def survey_waves(
    files: Sequence[str | Path],
    settings: WaveSettings,
    output: str | Path,
    *,
    reading: Mapping[str, object] | None = None,
    crossings: str | Path | None = None,
    files_per_part: int = 1,
    scheduler: str | None = SYNCHRONOUS,
    workers: int | None = None,
    failed: str = "raise",
    report: Report = silent,
) -> xr.DataTree:
    """Analyse many files and join the results; the memory is that of one part and of the windows.

    The result of each part is kept in a folder beside the output until all are joined. The same call again goes on where
    it was stopped; parts made with other settings, or from files that have changed, are made anew. Windows do not reach
    from one part into the next: give files of a day or an orbit.

    Parameters
    ----------
    files : sequence of path
        Magnetometer files, taken in the order of their names.
    settings : WaveSettings
        The analysis.
    output : path
        NetCDF file with the groups ``windows``, ``events``, ``examples``.
    reading : mapping, optional
        Options of `siderion.io.magnetometer.read_magnetometer`.
    crossings : path, optional
        List of crossings.
    files_per_part : int
        Files that are read together.
    scheduler, workers : optional
        See `siderion.jobs.members.run_members`; by default one part after the other in this process.
    failed : {"raise", "skip"}
        Whether parts that cannot be analysed stop the survey, after the others are done, or are left out and named in the
        attribute ``failed_parts``.
    report : callable
        Takes progress events.

    Returns
    -------
    xarray.DataTree
        What was written.

    Raises
    ------
    DataError
        No files, a file that does not exist, or no part could be analysed.
    SiderionError
        Parts failed and ``failed`` is ``"raise"``.
    """
    paths = _existing(files)
    if failed not in ("raise", "skip"):
        raise SettingsError(f'failed is {failed!r}; use "raise" or "skip"')
    if files_per_part < 1:
        raise SettingsError(f"files_per_part is {files_per_part}; it must be at least 1")
    target = Path(output)
    folder = target.with_name(f"{target.name}.parts")
    groups = [tuple(map(str, paths[k : k + files_per_part])) for k in range(0, len(paths), files_per_part)]
    with folder_lock(folder):
        parts = {}
        for group in groups:
            part = _part(group, reading or {}, settings, crossings, folder)
            parts[Path(part.target).stem] = part
        todo = {name: part for name, part in parts.items() if not Path(part.target).exists()}
        results: dict[str, object] = {}
        if todo:
            results = run_members(
                _analyse_part, todo, scheduler, workers, None, "collect", _counted(report, len(parts) - len(todo), len(parts))
            )
        failures = [result for result in results.values() if isinstance(result, MemberFailure)]
        _check_failures(failures, len(parts), failed)
        tree = _join([Path(part.target) for part in parts.values() if Path(part.target).exists()], settings)
        if failures:
            for name in ("windows", "events"):
                tree[name].attrs["failed_parts"] = json.dumps([str(one) for one in failures])
        with atomic_file(target) as temporary:
            write_tree(tree, temporary)
    remove_folder(folder)
    return tree


def _existing(files: Sequence[str | Path]) -> list[Path]:
    paths = sorted(map(Path, files), key=lambda path: path.name)
    if not paths:
        raise DataError("no files: give at least one magnetometer file")
    for path in paths:
        if not path.is_file():
            raise DataError(f"{path} does not exist or is a folder; give the path of a magnetometer file")
    tables = {path.with_suffix("") for path in paths if path.suffix.lower() not in _LABELS}
    return [path for path in paths if path.suffix.lower() not in _LABELS or path.with_suffix("") not in tables]


def _part(
    group: tuple[str, ...], reading: Mapping[str, object], settings: WaveSettings, crossings: str | Path | None, folder: Path
) -> Part:
    """A part, whose target is named after its first file and a digest of all that its result depends on."""
    known = [(str(Path(name).resolve()), Path(name).stat().st_size, Path(name).stat().st_mtime_ns) for name in group]
    listed = None if crossings is None else content_digest([crossings])
    options = {key: str(value) for key, value in sorted(reading.items())}
    text = json.dumps([known, options, settings.digest(), listed, version("siderion")])
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    place = folder / f"{Path(group[0]).stem}-{digest}.part"
    return Part(group, dict(reading), settings, None if crossings is None else str(crossings), str(place))


def _analyse_part(part: Part, report: Report) -> str:
    """Read, analyse, write: what a worker does."""
    report(ProgressEvent("reading", 0.0, Path(part.files[0]).name))
    series = read_magnetometer(list(part.files), **part.reading)  # type: ignore[arg-type]
    report(ProgressEvent("analysing", 0.3, f"{series.sizes['time']} vectors"))
    crossings = None if part.crossings is None else read_crossings(part.crossings)
    tree = analyse_waves(series, part.settings, crossings)
    for group in ("windows", "events"):
        tree[group].attrs["repairs"] = series.attrs.get("repairs", "{}")
        tree[group].attrs["files"] = json.dumps([Path(name).name for name in part.files])
        tree[group].attrs["vectors"] = series.sizes["time"]
    with atomic_file(part.target) as temporary:
        save_tree(_compact(tree), temporary)
    return part.target


def _counted(report: Report, before: int, every: int) -> Callable[[ProgressEvent], None]:
    """Progress of all parts, those that were there before included."""

    def tell(event: ProgressEvent) -> None:
        done = (before + event.done * (every - before)) / every
        report(ProgressEvent("waves", done, event.detail))

    return tell


def _check_failures(failures: list[MemberFailure], number: int, failed: str) -> None:
    if not failures:
        return
    if len(failures) == number and number == 1:
        raise DataError(failures[0].message)
    text = f"{len(failures)} of {number} parts failed: " + "; ".join(map(str, failures))
    if len(failures) == number:
        raise DataError(text)
    if failed == "raise":
        raise SiderionError(
            f"{text}; the others are kept: repair or leave out these files and give the same command again, or leave "
            "them out with --skip-failed"
        )


def _compact(tree: xr.DataTree) -> xr.DataTree:
    windows = tree["windows"].to_dataset()
    for name, array in windows.data_vars.items():
        if array.dtype == np.float64 and not str(name).startswith(_FLOATS_KEPT):
            windows[name] = array.astype(np.float32)
    return xr.DataTree.from_dict(
        {
            "/": tree.to_dataset(),
            "windows": windows,
            "events": tree["events"].to_dataset(),
            "examples": tree["examples"].to_dataset(),
        }
    )


def _join(places: list[Path], settings: WaveSettings) -> xr.DataTree:
    """One tree from those of the parts."""
    trees = [load_tree(place) for place in places]
    trees.sort(key=lambda tree: tree["windows"].to_dataset()["time"].values[0])
    windows = [tree["windows"].to_dataset() for tree in trees]
    _check_frames(windows)
    if any("region" in part for part in windows):  # a part without position does not know its region
        windows = [
            part if "region" in part else part.assign(region=("time", np.zeros(part.sizes["time"], dtype=np.int8)))
            for part in windows
        ]
    overlap = [k for k in range(1, len(windows)) if windows[k]["time"].values[0] <= windows[k - 1]["time"].values[-1]]
    if overlap:
        first, second = windows[overlap[0] - 1], windows[overlap[0]]
        raise DataError(
            f"files overlap: {second.attrs['files']} begins before {first.attrs['files']} ends; leave one out, or read them "
            "together with --files-per-part"
        )
    joined = xr.concat(
        windows, "time", data_vars="minimal", coords="minimal", compat="override", join="outer", combine_attrs="override"
    )
    offsets = np.cumsum([0] + [part.sizes["time"] for part in windows])
    strides = np.cumsum([0] + [int(part["stretch"].max()) + 1 for part in windows])
    joined["stretch"] = (
        "time",
        np.concatenate([part["stretch"].values + add for part, add in zip(windows, strides, strict=False)]),
    )
    events = [
        tree["events"].to_dataset().assign(first_window=lambda part, add=add: part["first_window"] + add)
        for tree, add in zip(trees, offsets, strict=False)
    ]
    numbers = np.cumsum([0] + [part.sizes["event"] for part in events])
    together = xr.concat(events, "event", combine_attrs="override") if len(events) > 1 else events[0]
    examples = [
        tree["examples"].to_dataset().assign(example_event=lambda part, add=add: part["example_event"] + add)
        for tree, add in zip(trees, numbers, strict=False)
    ]
    attributes = _joined_attributes(windows)
    return xr.DataTree.from_dict(
        {
            "/": xr.Dataset(attrs=attributes),
            "windows": joined.assign_attrs(attributes),
            "events": together.assign_attrs(attributes),
            "examples": _strongest(examples, together, settings.examples),
        }
    )


def _check_frames(parts: list[xr.Dataset]) -> None:
    for name in ("frame", "position_frame"):
        first = parts[0].attrs.get(name, "")
        for part in parts[1:]:
            if part.attrs.get(name, "") != first:
                raise DataError(
                    f"{name} is {part.attrs.get(name, '')!r} in {part.attrs['files']} and {first!r} in "
                    f"{parts[0].attrs['files']}; analyse files of one frame together"
                )


def _joined_attributes(parts: list[xr.Dataset]) -> dict[str, object]:
    """Attributes of the first part; files, repairs, refusals and lines of all."""
    attributes = dict(parts[0].attrs)
    attributes["files"] = json.dumps([name for part in parts for name in json.loads(part.attrs["files"])])
    attributes["vectors"] = int(sum(int(part.attrs["vectors"]) for part in parts))
    repairs: dict[str, int] = {}
    for part in parts:
        for key, value in json.loads(part.attrs["repairs"]).items():
            if isinstance(value, int):
                repairs[key] = repairs.get(key, 0) + value
    attributes["repairs"] = json.dumps(repairs)
    for name in ("refused", "fixed_lines"):
        found = {json.loads(part.attrs["files"])[0]: json.loads(part.attrs[name]) for part in parts}
        kept = {key: value for key, value in found.items() if value}
        attributes[name] = json.dumps(kept if len(parts) > 1 else next(iter(found.values())))
    return attributes


def _strongest(examples: list[xr.Dataset], events: xr.Dataset, number: int) -> xr.Dataset:
    """The examples of most power above background, of all parts, padded to one length."""
    full = [part for part in examples if part.sizes.get("example", 0)]
    if not full:
        return examples[0]
    longest = {dim: max(part.sizes[dim] for part in full) for dim in ("sample", "frequency")}
    padded = [part.pad({dim: (0, size - part.sizes[dim]) for dim, size in longest.items()}) for part in full]
    joined = xr.concat(padded, "example", combine_attrs="override") if len(padded) > 1 else padded[0]
    strength = np.nan_to_num(events["signal_to_noise"].values[joined["example_event"].values])
    return joined.isel(example=np.sort(np.argsort(-strength, kind="stable")[:number]))
