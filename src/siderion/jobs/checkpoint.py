"""Checkpoints: arrays and a few facts, written whole, checked on reading; the last two are kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siderion.core.errors import CheckpointError
from siderion.jobs.atomic import atomic_file

FORMAT = "siderion-checkpoint-1"
_KEPT = 2


def save_checkpoint(folder: str | Path, number: int, arrays: Mapping[str, NDArray], facts: Mapping[str, Any]) -> Path:
    """Write one checkpoint; older ones than the last two are removed afterwards.

    Parameters
    ----------
    folder : path
        Made if needed.
    number : int
        Grows from checkpoint to checkpoint.
    arrays : mapping of str to ndarray
    facts : mapping
        What JSON can hold.
    """
    target = Path(folder) / f"checkpoint-{number:06d}.npz"
    sums = {name: _digest(array) for name, array in arrays.items()}
    text = json.dumps({"format": FORMAT, "facts": dict(facts), "sums": sums})
    with atomic_file(target) as temporary, temporary.open("wb") as stream:
        np.savez(stream, __facts__=np.array(text), **arrays)  # type: ignore[arg-type]
    for old in sorted(Path(folder).glob("checkpoint-*.npz"))[:-_KEPT]:
        old.unlink()
    return target


def load_checkpoint(folder: str | Path, expected: Mapping[str, Any]) -> tuple[dict[str, NDArray], dict[str, Any]]:
    """Read the newest whole checkpoint.

    Parameters
    ----------
    folder : path
    expected : mapping
        Facts that must agree, such as the digest of the settings.

    Returns
    -------
    arrays, facts
        The facts gain ``passed_over``: newer checkpoints that were damaged, and why.

    Raises
    ------
    CheckpointError
        There is none, all are damaged or foreign, or it belongs to other settings.
    """
    paths = sorted(Path(folder).glob("checkpoint-*.npz"), reverse=True)
    if not paths:
        raise CheckpointError(f"no checkpoint in {folder}; start the run without --resume")
    problems = []
    for path in paths:
        try:
            arrays, facts = _read(path)
        except Exception as error:  # a damaged archive fails in many ways; all of them are reported below
            problems.append(f"{path.name}: {error}")
            continue
        for name, value in expected.items():
            if facts.get(name) != value:
                raise CheckpointError(
                    f"{path}: its {name} is {facts.get(name)!r}, this run's is {value!r}; resume with the settings that "
                    "the run was started with, or start it anew in another folder"
                )
        return arrays, {**facts, "passed_over": problems}
    raise CheckpointError(f"no whole checkpoint in {folder} ({'; '.join(problems)}); start the run without --resume")


def _read(path: Path) -> tuple[dict[str, NDArray], dict[str, Any]]:
    with path.open("rb") as stream:  # opened here: np.load leaves the file of a damaged archive open
        stored = np.load(stream, allow_pickle=False)
        if not isinstance(stored, Mapping) or "__facts__" not in stored:
            raise CheckpointError("not a checkpoint of Siderion")
        record = json.loads(str(stored["__facts__"]))
        found = record.get("format") if isinstance(record, dict) else None
        if found != FORMAT:
            raise CheckpointError(f"format {found!r}, needed {FORMAT!r}")
        arrays = {name: stored[name] for name in stored if name != "__facts__"}
    for name, digest in record["sums"].items():
        if name not in arrays or _digest(arrays[name]) != digest:
            raise CheckpointError(f"array {name} is damaged")
    return arrays, record["facts"]


def _digest(array: NDArray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
