"""The lock of a folder: one holder, released at the end, refused while its process lives, taken over when it is dead."""

import json
import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from siderion.core.errors import OutputError
from siderion.jobs import lock as module
from siderion.jobs.lock import GUARD, LOCK, folder_lock

HOLD = """
import sys, time
from siderion.jobs.lock import folder_lock
with folder_lock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def holder(tmp_path):
    """Start another process that holds the folder for some seconds."""
    started = []

    def start(seconds):
        process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path), str(seconds)], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_second_holder_is_refused_and_the_lock_goes_at_the_end(tmp_path):
    place = tmp_path / "new" / "folder"
    with folder_lock(place):
        found = json.loads((place / LOCK).read_text())
        assert (found["host"], found["pid"]) == (socket.gethostname(), os.getpid())
        with pytest.raises(OutputError) as refused, folder_lock(place, patience=0.0):
            pass
    for part in (str(place / LOCK), str(os.getpid()), socket.gethostname(), "remove the file"):
        assert part in str(refused.value)
    assert list(place.iterdir()) == []


def test_it_goes_on_errors_too(tmp_path):
    with pytest.raises(KeyboardInterrupt), folder_lock(tmp_path):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_another_process_is_refused_until_it_is_killed(tmp_path, holder):
    process = holder(60)
    with pytest.raises(OutputError, match=f"process {process.pid} on"), folder_lock(tmp_path, patience=0.3):
        pass
    process.kill()
    if sys.platform == "linux":  # not waited for: it stays as a zombie
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    else:
        process.wait()
    with folder_lock(tmp_path, patience=0.0):
        assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


def test_a_holder_that_ends_soon_is_waited_for(tmp_path, holder):
    holder(0.5)
    started = time.monotonic()
    with folder_lock(tmp_path, patience=30.0):
        assert time.monotonic() - started < 20.0
        assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()


def write_lock(folder, **changes):
    facts = {"host": socket.gethostname(), "pid": os.getpid(), "process": module._process(os.getpid()), "key": "0"}
    (folder / LOCK).write_text(json.dumps({**facts, **changes}))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when a process started")
def test_a_number_that_another_process_has_now_is_stale(tmp_path):
    write_lock(tmp_path)
    with pytest.raises(OutputError, match="this host"), folder_lock(tmp_path, patience=0.0):
        pass
    write_lock(tmp_path, process="an earlier boot 12345")
    with folder_lock(tmp_path, patience=0.0):
        pass


@pytest.mark.parametrize("process", ["", "an earlier boot 12345"])
def test_another_host_is_refused_with_the_remedy(tmp_path, process):
    write_lock(tmp_path, host="elsewhere", process=process, pid=2**22 + 1)  # no such process here
    with (
        pytest.raises(OutputError, match=r"on elsewhere \(another host.*when that run is dead, remove the file"),
        folder_lock(tmp_path, patience=0.0),
    ):
        pass
    assert json.loads((tmp_path / LOCK).read_text())["host"] == "elsewhere"


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", '{"host": "h"}'])
def test_a_file_that_is_no_lock_is_not_removed(tmp_path, text):
    (tmp_path / LOCK).write_text(text)
    with pytest.raises(OutputError, match=r"not a whole lock file.*remove the file"), folder_lock(tmp_path, patience=0.0):
        pass
    assert (tmp_path / LOCK).read_text() == text


def test_the_lock_of_one_that_was_quicker_stays(tmp_path):
    """Two see the same dead holder; the first has taken the folder before the second removes the stale lock."""
    with folder_lock(tmp_path):
        mine = (tmp_path / LOCK).read_text()
        assert module._cleared(tmp_path / LOCK, "the stale lock that the second one has read")
        assert (tmp_path / LOCK).read_text() == mine
    assert list(tmp_path.iterdir()) == []


def test_a_takeover_that_was_cut_off_is_named(tmp_path):
    write_lock(tmp_path, pid=2**22 + 1)
    (tmp_path / GUARD).touch()
    with pytest.raises(OutputError, match=rf"{GUARD} is in the way.*remove the file"), folder_lock(tmp_path, patience=0.2):
        pass
    (tmp_path / GUARD).unlink()
    with folder_lock(tmp_path, patience=0.0):
        pass


def test_of_many_that_start_on_a_stale_lock_one_holds_it(tmp_path):
    count, held, refused = 8, [], []
    for _ in range(15):
        write_lock(tmp_path, pid=2**22 + 1)
        together, all_ended, ended = threading.Barrier(count), threading.Event(), threading.Semaphore(0)

        def race(together=together, all_ended=all_ended, ended=ended):
            together.wait()
            try:
                with folder_lock(tmp_path, patience=0.1):
                    held.append(1)
                    ended.release()
                    all_ended.wait(60.0)
            except OutputError:
                refused.append(1)
                ended.release()

        racers = [threading.Thread(target=race) for _ in range(count)]
        for racer in racers:
            racer.start()
        assert all(ended.acquire(timeout=60.0) for _ in racers)
        all_ended.set()
        for racer in racers:
            racer.join()
    assert (len(held), len(refused)) == (15, 15 * (count - 1))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"), folder_lock(tmp_path / "file" / "folder"):
        pass
