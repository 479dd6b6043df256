"""The Dask map over members: results in order, failures that lose no others, processes that die, progress, bad input."""

import os
import threading
import time
from pathlib import Path

import pytest

from siderion.core.errors import SettingsError, SiderionError
from siderion.jobs.members import MemberFailure, run_members
from siderion.jobs.progress import ProgressEvent

MEMBERS = {"b": 2.0, "a": -1.0, "c": 3.0}


def root(value, report):
    """A square root that reports half-way, and that some values crash."""
    report(ProgressEvent("halving", 0.5, str(value)))
    if value < 0:
        raise ValueError(f"{value} has no root")
    return value**0.5


def threads_of_kernels(value, report):
    return os.environ["NUMBA_NUM_THREADS"], os.getpid()


def die_once(value, report):
    """Takes its process down: always when the value is "always", else only at the first try."""
    mark = Path(value) if value != "always" else None
    if mark is not None and mark.exists():
        return "survived"
    if mark is not None:
        mark.touch()
    os._exit(9)


def well(value, report):
    return value


def mixed(value, report):
    return well(value[1], report) if value[0] == "well" else die_once(value[1], report)


def unpicklable(value, report):
    return threading.Lock()


@pytest.mark.parametrize("scheduler", ["synchronous", None])
def test_a_failure_is_collected_and_loses_no_others(scheduler):
    events = []
    results = run_members(root, MEMBERS, scheduler, failed="collect", report=events.append)
    assert list(results) == ["b", "a", "c"]  # the order of the members, not of their ends
    assert (results["b"], results["c"]) == (2.0**0.5, 3.0**0.5)
    failure = results["a"]
    assert isinstance(failure, MemberFailure)
    assert (failure.name, failure.kind, failure.message) == ("a", "ValueError", "-1.0 has no root")
    assert "in root" in failure.trace
    said = [event.detail for event in events]
    assert {event.stage for event in events} == {"members"}
    assert {"b: finished", "a: failed: ValueError: -1.0 has no root", "c: finished"} <= set(said)
    fractions = [event.done for event in events]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    if scheduler:  # without a cluster no event can come late
        assert said[:3] == ["b: started", "b: halving 2.0", "b: finished"]
        assert fractions[:3] == [0.0, pytest.approx(0.5 / 3), pytest.approx(1 / 3)]


def test_raise_names_the_failed_members_after_all_others_are_done():
    done = []

    def record(value, report):
        result = root(value, report)
        done.append(value)
        return result

    with pytest.raises(SiderionError, match=r"1 of 3 members failed.*a: ValueError: -1.0 has no root"):
        run_members(record, MEMBERS, "synchronous")
    assert done == [2.0, 3.0]


def test_one_local_cluster_lives_through_dead_processes_and_bad_results(tmp_path):
    members = {
        "once": ("die", str(tmp_path / "mark")),
        "always": ("die", "always"),
        "fine": ("well", 7),
        "also fine": ("well", 8),
    }
    results = run_members(mixed, members, failed="collect")
    assert results["once"] == "survived"  # tried once more in a new process
    assert (results["fine"], results["also fine"]) == (7, 8)
    assert results["always"].kind == "KilledWorker"


def test_workers_share_the_threads_of_the_kernels_and_leave_none_behind(monkeypatch):
    monkeypatch.setenv("NUMBA_NUM_THREADS", "4")
    results = run_members(threads_of_kernels, {"one": 1, "two": 2}, workers=2)
    assert {threads for threads, _ in results.values()} == {"2"}
    assert os.environ["NUMBA_NUM_THREADS"] == "4"
    for _, process in results.values():
        assert process != os.getpid()
        for _ in range(100):
            if not Path(f"/proc/{process}").exists():
                break
            time.sleep(0.05)
        assert not Path(f"/proc/{process}").exists()


def test_an_existing_cluster_is_used_and_left_running():
    from distributed import Client, LocalCluster

    quiet = {"dashboard_address": "127.0.0.1:0", "processes": False, "host": "127.0.0.1", "protocol": "tcp://"}
    with LocalCluster(n_workers=1, threads_per_worker=1, **quiet) as cluster:
        assert run_members(root, {"x": 4.0}, cluster.scheduler_address) == {"x": 2.0}
        with Client(cluster, set_as_default=False) as client:
            assert len(client.nthreads()) == 1
        failed = run_members(unpicklable, {"x": 1.0}, cluster.scheduler_address, failed="collect")["x"]
        assert isinstance(failed, MemberFailure)
    two_threads = LocalCluster(n_workers=1, threads_per_worker=2, **quiet)
    with two_threads as cluster, pytest.raises(SettingsError, match="--nthreads 1"):
        run_members(root, MEMBERS, cluster.scheduler_address)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"members": {}}, "no members"),
        ({"workers": 0}, "workers is 0"),
        ({"threads": 0}, "threads is 0"),
        ({"workers": 2, "scheduler": "synchronous"}, "give only one"),
        ({"failed": "ignore"}, '"raise" or "collect"'),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(SettingsError, match=message):
        run_members(**{"function": root, "members": MEMBERS, **arguments})


def test_no_scheduler_at_the_address(monkeypatch):
    monkeypatch.setattr("siderion.jobs.members._PATIENCE", 0.5)
    with pytest.raises(SiderionError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        run_members(root, MEMBERS, "tcp://127.0.0.1:9")


def test_local_workers_keep_large_arrays():
    """The cluster that is started here must hand its settings of the memory to its workers; see docs/performance.md."""
    found = run_members(_environment_of_the_worker, {"one": None}, workers=1)["one"]
    assert found == {"MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_ARENA_MAX": "1"}


def _environment_of_the_worker(value, report):
    return {name: os.environ.get(name) for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_ARENA_MAX")}
