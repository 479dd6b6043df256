from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from siderion.jobs.progress import ProgressEvent, Report, silent


def test_events_reach_the_receiver_in_order() -> None:
    seen: list[ProgressEvent] = []
    report: Report = seen.append
    for done in (0.0, 0.5, 1.0):
        report(ProgressEvent("run", done))
    assert [event.done for event in seen] == [0.0, 0.5, 1.0]
    assert seen[0].detail == ""


def test_events_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        ProgressEvent("run", 0.5).done = 1.0  # type: ignore[misc]


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    silent(ProgressEvent("run", 0.5))
    assert capsys.readouterr() == ("", "")
