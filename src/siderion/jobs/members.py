"""Many runs as one job: a Dask map over named members that survives the failure of some of them."""

from __future__ import annotations

import logging
import os
import secrets
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from siderion.core.errors import SettingsError, SiderionError
from siderion.jobs.progress import ProgressEvent, Report, silent

SYNCHRONOUS = "synchronous"
"""Name of the scheduler that needs no other process: members one after the other, here."""
STAGE = "members"
"""Stage of the progress events of the whole job."""
_PATIENCE = 60.0
"""How long to wait for a cluster, s."""
_LOCAL_CONFIGURATION = {
    "distributed.scheduler.allowed-failures": 1,  # a member whose process dies is tried once more
    # With Dask's own value the system takes back every large array at once and clears its pages anew.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 2**30,
    "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 2**30,
    "distributed.nanny.pre-spawn-environ.MALLOC_ARENA_MAX": 1,
    "distributed.worker.profile.enabled": False,  # it would look at the long member every 10 ms
}

Member = Callable[[Any, Report], Any]
"""What is done for one member: takes its value and a receiver of progress events, of which ``done`` is the finished
fraction of the member. Function, value and result travel between processes, so they must pickle."""


@dataclass(frozen=True)
class MemberFailure:
    """Why a member has no result: its name, the type of the exception, its message, and where it was raised."""

    name: str
    kind: str
    message: str
    trace: str = ""

    def __str__(self) -> str:
        """Write it as one line."""
        return f"{self.name}: {self.kind}: {self.message}"


def run_members(
    function: Member,
    members: Mapping[str, Any],
    scheduler: str | None = None,
    workers: int | None = None,
    threads: int | None = None,
    failed: Literal["raise", "collect"] = "raise",
    report: Report = silent,
) -> dict[str, Any]:
    """Call a function for every member; the failure of one does not lose the others.

    Members are Dask futures, not one delayed graph: they do not depend on each other, each takes minutes to hours, and
    futures give every result, or failure, when it is there. No more of them are handed out than there are workers, so
    that a member that takes its process down takes no waiting one along. A member whose process dies is tried once more.

    Parameters
    ----------
    function : callable
        ``function(value, report)``; see `Member`.
    members : mapping of str to value
        What to call it with, by name.
    scheduler : str, optional
        Address of a Dask cluster, such as ``tcp://host:8786``, whose workers have one thread each (``--nthreads 1``):
        the kernels bring their own threads, and two runs in one process would share them. By default a cluster of
        processes is started on this machine and closed at the end. ``"synchronous"`` uses no other process.
    workers : int, optional
        Processes of the local cluster: members at the same time, 1 by default, because one run uses all cores.
    threads : int, optional
        Threads of the compiled kernels per process of the local cluster; by default the cores (or NUMBA_NUM_THREADS)
        over the workers.
    failed : {"raise", "collect"}
        What to do about members that failed, when all others are done: raise one error that names them, or return a
        `MemberFailure` in the place of their result.
    report : callable
        Takes events of the stage ``"members"``: the finished fraction of the whole job, and what a member has got to.
        It is called from two threads, never at the same time.

    Returns
    -------
    dict of str to result
        In the order of ``members``.

    Raises
    ------
    SettingsError
        No members, fewer than one worker or thread, a cluster whose workers have more than one thread, or ``workers``
        or ``threads`` without a local cluster to have them.
    SiderionError
        Members failed and ``failed`` is ``"raise"``; or no worker of the cluster came.
    """
    _check(members, scheduler, workers, threads, failed)
    progress = _Progress(list(members), report)
    if scheduler == SYNCHRONOUS:
        found = {}
        for name, value in members.items():
            found[name] = _guarded(function, name, value, partial(progress.heard, name))
            progress.ended(name, found[name])
    else:
        with _connected(scheduler, workers or 1, threads) as client:
            found = _map(client, function, members, progress)
    results = {name: found[name] for name in members}
    failures = [result for result in results.values() if isinstance(result, MemberFailure)]
    if failures and failed == "raise":
        raise SiderionError(
            f"{len(failures)} of {len(members)} members failed, the others are done and kept: " + "; ".join(map(str, failures))
        )
    return results


def _check(members: Mapping[str, Any], scheduler: str | None, workers: int | None, threads: int | None, failed: str) -> None:
    if not members:
        raise SettingsError("no members: give at least one")
    if failed not in ("raise", "collect"):
        raise SettingsError(f'failed is {failed!r}; use "raise" or "collect"')
    for name, number in (("workers", workers), ("threads", threads)):
        if number is None:
            continue
        if number < 1:
            raise SettingsError(f"{name} is {number}; it must be at least 1")
        if scheduler is not None:
            raise SettingsError(f"{name} belongs to the local cluster; scheduler {scheduler} has its own: give only one of them")


def _guarded(function: Member, name: str, value: Any, report: Report) -> Any:
    """The result of a member, or its failure as a value: any exception ends this member and no other."""
    report(ProgressEvent("started", 0.0))
    try:
        return function(value, report)
    except Exception as error:
        return MemberFailure(name, type(error).__name__, str(error), traceback.format_exc())


class _Progress:
    """Adds up the members; events come from the cluster in one thread, results in another."""

    def __init__(self, names: list[str], report: Report) -> None:
        self.fractions = dict.fromkeys(names, 0.0)
        self.over: set[str] = set()
        self.report, self.lock = report, threading.Lock()

    def heard(self, name: str, event: ProgressEvent) -> None:
        """Take what a member has got to."""
        with self.lock:
            if name not in self.over:  # an event may arrive after the result
                self.fractions[name] = event.done
                self._tell(name, f"{event.stage} {event.detail}")

    def ended(self, name: str, result: Any) -> None:
        """Take the end of a member."""
        with self.lock:
            self.over.add(name)
            self.fractions[name] = 1.0
            failed = isinstance(result, MemberFailure)
            self._tell(name, f"failed: {result.kind}: {result.message}" if failed else "finished")

    def _tell(self, name: str, what: str) -> None:
        done = sum(self.fractions.values()) / len(self.fractions)
        self.report(ProgressEvent(STAGE, done, f"{name}: {what.strip()}"))


# ---------------------------------------------------------------------- Dask


@contextmanager
def _connected(scheduler: str | None, workers: int, threads: int | None) -> Iterator[Any]:
    """A client of the cluster at an address, or of a local one that is closed afterwards."""
    from distributed import Client

    if scheduler is None:
        with _local_cluster(workers, threads) as cluster, Client(cluster, set_as_default=False) as client:
            yield client
        return
    try:
        client = Client(scheduler, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise SiderionError(f"no Dask scheduler answers at {scheduler} ({error}); start one, or leave the address out") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=_PATIENCE)
        except TimeoutError:
            raise SiderionError(f"the Dask cluster at {scheduler} has no worker; start some with --nthreads 1") from None
        several = {name: count for name, count in client.nthreads().items() if count > 1}
        if several:
            raise SettingsError(
                f"workers of the Dask cluster at {scheduler} have more than one thread ({several}); the kernels bring "
                "their own threads: start the workers with --nthreads 1 and set NUMBA_NUM_THREADS"
            )
        yield client


@contextmanager
def _local_cluster(workers: int, threads: int | None) -> Iterator[Any]:
    """Processes of one thread each, its pages on any free port, no limit of memory that would end a run half-way."""
    import dask
    from distributed import LocalCluster

    cores = int(os.environ.get("NUMBA_NUM_THREADS") or os.cpu_count() or 1)
    with (
        _environment("NUMBA_NUM_THREADS", str(threads or max(1, cores // workers))),
        dask.config.set(_LOCAL_CONFIGURATION),
        LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0",
            memory_limit=None, silence_logs=logging.CRITICAL,
        ) as cluster,
    ):  # fmt: skip
        yield cluster


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Set a variable that new processes inherit: Numba reads the number of its threads once, when it is imported."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _map(client: Any, function: Member, members: Mapping[str, Any], progress: _Progress) -> dict[str, Any]:
    from distributed import as_completed

    topic = f"siderion-members-{secrets.token_hex(6)}"
    client.subscribe_topic(topic, lambda event: progress.heard(*_unpacked(event[1])))
    waiting = iter(members.items())
    names: dict[Any, str] = {}
    found: dict[str, Any] = {}
    running = as_completed(loop=client.loop)

    def hand_out(most: int) -> None:
        for name, value in waiting:
            future = client.submit(_remote, function, name, value, topic, key=f"{topic}-{name}", pure=False)
            names[future.key] = name
            running.add(future)
            if len(names) - len(found) >= most:
                return

    try:
        hand_out(max(1, len(client.nthreads())))
        for future in running:
            name = names[future.key]
            try:
                found[name] = future.result()
            except Exception as error:  # what is left: the process died, or the result cannot travel
                found[name] = MemberFailure(name, type(error).__name__, str(error))
            progress.ended(name, found[name])
            hand_out(max(1, len(client.nthreads())))
    finally:
        client.unsubscribe_topic(topic)
    return found


def _remote(function: Member, name: str, value: Any, topic: str) -> Any:
    """Runs on a worker: progress goes back as events of the topic."""
    from distributed import get_worker

    worker = get_worker()

    def report(event: ProgressEvent) -> None:
        worker.log_event(topic, {"name": name, "stage": event.stage, "done": float(event.done), "detail": event.detail})

    return _guarded(function, name, value, report)


def _unpacked(message: Mapping[str, Any]) -> tuple[str, ProgressEvent]:
    return message["name"], ProgressEvent(message["stage"], message["done"], message["detail"])
