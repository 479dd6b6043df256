from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siderion.core.errors import CheckpointError, OutputError
from siderion.jobs.checkpoint import load_checkpoint, save_checkpoint

FACTS: dict[str, Any] = {"settings": "0123456789abcdef", "time": "2023-06-18T06:00:00", "step": 7}


def arrays(seed: int = 1) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    wide = generator.standard_normal((3, 4, 5)) * 10.0 ** generator.integers(-300, 300, (3, 4, 5))
    wide[0, 0] = [np.nan, np.inf, -np.inf, -0.0, 5e-324]
    return {
        "density": wide,
        "transposed": np.asfortranarray(wide[..., 0]),
        "single": generator.standard_normal((4, 5), dtype=np.float32),
        "count": np.array(3, dtype=np.int64),
        "empty": np.zeros((0, 4)),
        "times": np.array(["2023-06-18T06:00"], dtype="datetime64[ns]"),
    }


def assert_same_bits(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert set(found) == set(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype, name
        assert found[name].shape == array.shape, name
        assert found[name].tobytes() == array.tobytes(), name


def test_round_trip_is_exact_to_the_bit(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "made", 1, arrays(), FACTS)
    found, facts = load_checkpoint(tmp_path / "made", {"settings": FACTS["settings"]})
    assert_same_bits(found, arrays())
    assert facts == {**FACTS, "passed_over": []}


def test_the_last_two_are_kept_and_the_newest_is_read(tmp_path: Path) -> None:
    for number in range(1, 6):
        save_checkpoint(tmp_path, number, arrays(number), {**FACTS, "step": number})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-000004.npz", "checkpoint-000005.npz"]
    found, facts = load_checkpoint(tmp_path, {})
    assert facts["step"] == 5
    assert_same_bits(found, arrays(5))


@pytest.mark.parametrize("kept", [0, 1, 100, 0.5, 0.999])
def test_a_truncated_one_falls_back_to_the_one_before(tmp_path: Path, kept: float) -> None:
    save_checkpoint(tmp_path, 1, arrays(1), {**FACTS, "step": 1})
    newest = save_checkpoint(tmp_path, 2, arrays(2), {**FACTS, "step": 2})
    whole = newest.read_bytes()
    newest.write_bytes(whole[: int(kept * len(whole)) if 0 < kept < 1 else int(kept)])
    found, facts = load_checkpoint(tmp_path, {"settings": FACTS["settings"]})
    assert facts["step"] == 1
    assert_same_bits(found, arrays(1))
    assert [text.split(":")[0] for text in facts["passed_over"]] == ["checkpoint-000002.npz"]


def test_a_foreign_archive_is_passed_over(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, 1, arrays(), FACTS)
    np.savez(tmp_path / "checkpoint-000009.npz", density=np.zeros(3))
    problem = "checkpoint-000009.npz: not a checkpoint of Siderion"
    assert load_checkpoint(tmp_path, {})[1] == {**FACTS, "passed_over": [problem]}
    (tmp_path / "checkpoint-000001.npz").unlink()
    with pytest.raises(CheckpointError, match=r"no whole checkpoint in .*000009.npz: not a checkpoint of Siderion"):
        load_checkpoint(tmp_path, {})


@pytest.mark.parametrize("record", ['{"format": "siderion-checkpoint-0"}', "[1, 2]", "3", "no json", "{}"])
def test_a_record_of_another_form_is_refused(tmp_path: Path, record: str) -> None:
    np.savez(tmp_path / "checkpoint-000001.npz", __facts__=np.array(record))
    with pytest.raises(CheckpointError, match=r"no whole checkpoint in .*; start the run without --resume"):
        load_checkpoint(tmp_path, {})


def test_a_plain_array_under_the_name_of_a_checkpoint(tmp_path: Path) -> None:
    with (tmp_path / "checkpoint-000001.npz").open("wb") as stream:
        np.save(stream, np.zeros(3))
    with pytest.raises(CheckpointError, match="no whole checkpoint"):
        load_checkpoint(tmp_path, {})


def test_all_damaged(tmp_path: Path) -> None:
    for number in (1, 2):
        save_checkpoint(tmp_path, number, arrays(), FACTS).write_bytes(b"PK\x03\x04 no more")
    with pytest.raises(CheckpointError, match=r"000002.npz: .*; checkpoint-000001.npz: .*without --resume"):
        load_checkpoint(tmp_path, {})


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.floats(0.0, 1.0, exclude_max=True), change=st.integers(1, 255))
def test_a_flipped_byte_never_gives_wrong_arrays(tmp_path: Path, place: float, change: int) -> None:
    path = save_checkpoint(tmp_path, 1, arrays(), FACTS)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= change
    path.write_bytes(bytes(content))
    try:
        found, facts = load_checkpoint(tmp_path, {})
    except CheckpointError as error:
        assert "no whole checkpoint" in str(error)  # noqa: PT017
        return
    assert_same_bits(found, arrays())
    assert facts == {**FACTS, "passed_over": []}


def test_none(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(CheckpointError, match=r"no checkpoint in .*; start the run without --resume"):
            load_checkpoint(folder, {})


def test_other_settings(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, 1, arrays(), FACTS)
    message = "its settings is '0123456789abcdef', this run's is 'ffff'; resume with the settings that"
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(tmp_path, {"settings": "ffff"})
    with pytest.raises(CheckpointError, match="its engine is None, this run's is 'numba'"):
        load_checkpoint(tmp_path, {"engine": "numba"})


def test_full_disk_keeps_the_older_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2):
        save_checkpoint(tmp_path, number, arrays(number), {**FACTS, "step": number})

    def full_disk(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OutputError, match=r"checkpoint-000003.npz: the disk is full"):
        save_checkpoint(tmp_path, 3, arrays(3), FACTS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-000001.npz", "checkpoint-000002.npz"]
    assert load_checkpoint(tmp_path, {})[1]["step"] == 2
