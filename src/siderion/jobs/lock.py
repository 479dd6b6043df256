"""One process at a time on a folder: a lock file that names its holder, and that no dead process keeps."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import time as clock
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from siderion.core.errors import OutputError, explained

LOCK = "siderion.lock"
"""Name of the lock file in the folder."""
GUARD = "siderion.lock.takeover"
"""Name of a file that is there for the moment in which a stale lock is removed."""
PATIENCE = 5.0
"""How long to wait for a lock, s: the workers of an ensemble that was killed need a moment to end."""
_PAUSE = 0.1


@contextmanager
def folder_lock(folder: str | Path, patience: float = PATIENCE) -> Iterator[None]:
    """Hold a folder for this process; a second holder is refused, in this process too.

    The lock file holds the host and the number of its process. It goes at the end and on errors. One that a killed process
    left on this host is taken over, also when its number was given to another process since (seen on Linux only). Whether
    a process on another host lives cannot be known: its lock is refused.

    Parameters
    ----------
    folder : path
        Made if needed.
    patience : float
        Seconds to wait for the holder to end.

    Raises
    ------
    OutputError
        Another process holds the folder, the lock file is not readable, or the folder cannot be written to.
    """
    path = Path(folder).absolute() / LOCK
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        mine = _take(path, patience)
    try:
        yield
    finally:
        with explained(path):
            if _text(path) == mine:
                path.unlink(missing_ok=True)


def _take(path: Path, patience: float) -> str:
    """Make the lock file; gives its content, which no other lock has."""
    pid = os.getpid()
    mine = json.dumps({"host": socket.gethostname(), "pid": pid, "process": _process(pid), "key": secrets.token_hex(8)})
    until = clock.monotonic() + patience
    while not _made(path, mine):
        found = _text(path)
        if found is None or (_is_stale(found) and _cleared(path, found)):
            continue
        if clock.monotonic() >= until:
            raise OutputError(_refusal(path, found))
        clock.sleep(_PAUSE)
    return mine


def _made(path: Path, text: str) -> bool:
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        return False
    return True


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _cleared(path: Path, stale: str) -> bool:
    """Remove a stale lock, if it still is the one that was read; False when another process is at it."""
    guard = path.with_name(GUARD)  # only its holder removes the lock of another, so that no new lock goes with it
    if not _made(guard, ""):
        return False
    try:
        if _text(path) == stale:
            path.unlink()
    finally:
        guard.unlink()
    return True


def _holder(text: str) -> dict[str, Any] | None:
    """Who made a lock; None when the file is not a whole lock."""
    try:
        found = json.loads(text)
        return {"host": str(found["host"]), "pid": int(found["pid"]), "process": str(found["process"])}
    except (ValueError, KeyError, TypeError):
        return None


def _is_stale(text: str) -> bool:
    holder = _holder(text)
    if holder is None or holder["host"] != socket.gethostname():
        return False
    living = _process(holder["pid"])
    return living is None or ("" not in (living, holder["process"]) and living != holder["process"])


def _process(pid: int) -> str | None:
    """What tells a living process from a later one of the same number ("" if the system does not say); None when dead."""
    if sys.platform != "linux":
        import psutil  # os.kill(pid, 0) would end a process on Windows

        return "" if psutil.pid_exists(pid) else None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # it lives and is another user's
    try:
        state, *numbers = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return ""  # no look at other users' processes
    return None if state in ("Z", "X") else f"{boot} {numbers[18]}"  # a zombie is dead; start in clock ticks since boot


def _refusal(path: Path, text: str) -> str:
    holder = _holder(text)
    if holder is None:
        return f"{path} is in the way: it is not a whole lock file; if no run uses this folder, remove the file"
    if _is_stale(text):
        return (
            f"{path.with_name(GUARD)} is in the way: another process is taking this folder, or was ended in it; remove the file"
        )
    here = "this host" if holder["host"] == socket.gethostname() else "another host, so that nothing is known of it here"
    return (
        f"{path}: process {holder['pid']} on {holder['host']} ({here}) is writing to this folder; wait for it, choose another "
        "folder with -o, or, when that run is dead, remove the file"
    )
