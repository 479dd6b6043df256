from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from siderion.core.errors import OutputError
from siderion.jobs.atomic import atomic_file, atomic_folder, require_space

NOT_AS_ROOT = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def full_disk(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_file_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "out.bin"
    with atomic_file(target) as temporary:
        temporary.write_bytes(b"whole")
        assert not target.exists()
        assert temporary.parent == target.parent
    assert target.read_bytes() == b"whole"
    assert names(target.parent) == ["out.bin"]


def test_file_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "out.bin"
    target.write_bytes(b"old")
    with atomic_file(target) as temporary:
        temporary.write_bytes(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("error", [ValueError("inside"), KeyboardInterrupt("inside")])
def test_file_after_an_error_inside(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "out.bin"
    target.write_bytes(b"old")

    def work() -> None:
        with atomic_file(target) as temporary:
            temporary.write_bytes(b"half")
            raise error

    with pytest.raises(type(error), match="inside"):
        work()
    assert names(tmp_path) == ["out.bin"]
    assert target.read_bytes() == b"old"


def test_file_on_a_full_disk_while_writing(tmp_path: Path) -> None:
    target = tmp_path / "out.bin"
    with pytest.raises(OutputError, match=r"out.bin: the disk is full; free some space"), atomic_file(target):
        full_disk()
    assert names(tmp_path) == []


def test_file_on_a_disk_that_fills_at_the_flush(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out.bin"
    target.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OutputError, match="the disk is full"), atomic_file(target) as temporary:
        temporary.write_bytes(b"new")
    assert names(tmp_path) == ["out.bin"]
    assert target.read_bytes() == b"old"


def test_file_is_refused_at_the_place_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="it is a folder; give the name of a file"), atomic_file(tmp_path):
        pass
    assert names(tmp_path) == []


def test_file_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    with pytest.raises(OutputError, match="cannot write"), atomic_file(tmp_path / "plain" / "out.bin"):
        pass


def test_permissions_are_those_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with atomic_file(tmp_path / "out.bin") as temporary:
            temporary.write_bytes(b"x")
        with atomic_folder(tmp_path / "out") as folder:
            (folder / "part").write_bytes(b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.bin").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o750


def test_folder_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "out"
    with atomic_folder(target) as temporary:
        (temporary / "part").write_text("whole")
        assert not target.exists()
        assert temporary.parent == target.parent
    assert names(target) == ["part"]
    assert names(target.parent) == ["out"]


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_folder_does_not_replace(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "out"
    old = target / "old" if kind == "folder" else target
    old.parent.mkdir(exist_ok=True)
    old.write_text("old")
    with pytest.raises(OutputError, match=r"cannot write .*out: "), atomic_folder(target) as temporary:
        (temporary / "new").write_text("new")
    assert names(tmp_path) == ["out"]
    assert old.read_text() == "old"


@pytest.mark.parametrize("error", [ValueError("inside"), KeyboardInterrupt("inside")])
def test_folder_after_an_error_inside(tmp_path: Path, error: BaseException) -> None:
    def work() -> None:
        with atomic_folder(tmp_path / "out") as temporary:
            (temporary / "half").write_text("half")
            raise error

    with pytest.raises(type(error), match="inside"):
        work()
    assert names(tmp_path) == []


def test_folder_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "rename", full_disk)
    with pytest.raises(OutputError, match="the disk is full"), atomic_folder(tmp_path / "out"):
        pass
    assert names(tmp_path) == []


@NOT_AS_ROOT
def test_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="no permission to write there; choose another"), atomic_file(tmp_path / "out"):
            pass
        with pytest.raises(OutputError, match="no permission to write in"):
            require_space(tmp_path / "out", 1.0)
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize(("number", "advice"), [(errno.EACCES, "no permission"), (errno.EROFS, "read-only")])
def test_system_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, advice: str) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OutputError, match=advice), atomic_folder(tmp_path / "out"):
        pass


def test_space(tmp_path: Path) -> None:
    require_space(tmp_path / "not" / "there" / "yet", 1.0)
    with pytest.raises(OutputError, match=r"about 1000000000000 MB are needed, .* MB are free on that disk"):
        require_space(tmp_path / "out", 1e18)


def test_space_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match=r"no permission to write in .*; choose another folder with -o"):
        require_space(tmp_path / "out", 1.0)
