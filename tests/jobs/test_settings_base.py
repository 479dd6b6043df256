from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, ValidationError

from siderion.core.errors import SettingsError
from siderion.jobs.settings import Settings, merged, read_toml


class Grid(Settings):
    step: float = Field(gt=0)
    cells: int = 10


class Job(Settings):
    date: str
    grid: Grid


GOOD: dict[str, Any] = {"date": "2023-06-18", "grid": {"step": 0.5}}


def test_good_values() -> None:
    job = Job.make(GOOD)
    assert (job.grid.step, job.grid.cells) == (0.5, 10)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Job.make(GOOD).date = "2024-01-01"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"grid": {"step": -1.0}}, r"^grid.step is -1.0: Input should be greater than 0$"),
        ({"grid": {"step": "wide"}}, r"^grid.step is 'wide': .*valid number"),
        ({"colour": 3}, r"^colour: is not a setting; look at the names in docs/settings.md$"),
        ({"grid": {"step": 0.5, "height": 1}}, r"^grid.height: is not a setting"),
        ({"grid": {}}, r"^grid.step: Field required$"),
    ],
)
def test_message_names_setting_value_and_rule(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Job.make({**GOOD, **changes})


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(SettingsError, match=r"date: Field required; grid.step is 0: .*; colour: is not a setting"):
        Job.make({"grid": {"step": 0}, "colour": 3})


def test_toml_with_overrides(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    path.write_text('date = "2023-06-18"\n[grid]\nstep = 0.5\ncells = 4\n', encoding="utf-8")
    assert Job.from_toml(path).grid == Grid(step=0.5, cells=4)
    assert Job.from_toml(path, {"grid": {"step": 2.0}}).grid == Grid(step=2.0, cells=4)


def test_toml_that_is_missing_or_broken(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"settings file .*job.toml: No such file or directory; give the path"):
        read_toml(tmp_path / "job.toml")
    with pytest.raises(SettingsError, match="Is a directory; give the path of a TOML file"):
        read_toml(tmp_path)
    (tmp_path / "broken.toml").write_text("date = ", encoding="utf-8")
    (tmp_path / "latin.toml").write_bytes('name = "Tromsø"'.encode("latin-1"))
    for name in ("broken.toml", "latin.toml"):
        with pytest.raises(SettingsError, match=f"{name} is not valid TOML"):
            read_toml(tmp_path / name)


def test_merged_leaves_its_arguments_alone() -> None:
    base = {"a": {"x": 1, "y": 2}, "b": {"z": 3}, "c": 4}
    over = {"a": {"y": 5}, "b": 6, "c": {"w": 7}}
    assert merged(base, over) == {"a": {"x": 1, "y": 5}, "b": 6, "c": {"w": 7}}
    assert base == {"a": {"x": 1, "y": 2}, "b": {"z": 3}, "c": 4}


def test_digest_depends_on_values_only() -> None:
    job = Job.make(GOOD)
    same = Job.make({"grid": {"cells": 10, "step": 0.5}, "date": "2023-06-18"})
    other = Job.make({**GOOD, "grid": {"step": 0.5000001}})
    assert job.digest() == same.digest() != other.digest()
    assert len(job.digest()) == 16
    # start of the SHA-256 of {"cells":10,"step":0.5}: the digest decides whether a run may be resumed, so it may not drift
    assert Grid(step=0.5).digest() == "faca34db024b2443"
