"""Output that is whole or absent: written beside its place, flushed to the disk, then renamed."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from siderion.core.errors import OutputError, explained


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Give a temporary path in the same folder; move it to ``path`` at the end, or remove it on an error.

    Raises
    ------
    OutputError
        The folder cannot be written to, the disk is full, or ``path`` is a folder.
    """
    target = Path(path)
    with explained(target):
        if target.is_dir():
            raise OutputError(f"cannot write {target}: it is a folder; give the name of a file")
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = _beside(target)
        temporary.touch(exist_ok=False)
        try:
            yield temporary
            with temporary.open("rb") as stream:
                os.fsync(stream.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Give a temporary folder beside ``path``; rename it at the end, or remove it on an error.

    Raises
    ------
    OutputError
        There is something at ``path`` already, or it cannot be written.
    """
    target = Path(path)
    with explained(target):
        if target.exists():
            raise OutputError(f"cannot write {target}: it exists; remove it or choose another name")
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = _beside(target)
        temporary.mkdir()
        try:
            yield temporary
            temporary.rename(target)
        finally:
            if temporary.exists():
                shutil.rmtree(temporary, ignore_errors=True)


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it, if it is there."""
    if folder.exists():
        shutil.rmtree(folder)


def _beside(target: Path) -> Path:
    """New hidden name in the same folder; `tempfile` would make the output readable by its owner only."""
    return target.with_name(f".{target.name}.{secrets.token_hex(6)}")


def require_space(folder: str | Path, needed: float) -> None:
    """Raise `OutputError` unless the disk of ``folder`` (or of its first existing parent) has ``needed`` bytes free."""
    place = Path(folder).absolute()
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK):
        raise OutputError(f"cannot write {folder}: no permission to write in {place}; choose another folder with -o")
    free = shutil.disk_usage(place).free
    if free < needed:
        raise OutputError(
            f"{folder}: about {needed / 1e6:.0f} MB are needed, {free / 1e6:.0f} MB are free on that disk; "
            "free some space or choose another folder with -o"
        )
