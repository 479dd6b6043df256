from __future__ import annotations

import numpy as np
import pytest

from siderion.core.errors import DataError
from siderion.io.event_list import read_event_list
from siderion.io.gse_track import read_gse_track


def test_events(tmp_path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("# shocks\ntime,name,region,in_wake,other\n2004-01-22T01:10Z,one,Solar Wind,yes,3\n2003-10-29 06:11,,,,\n")
    found = read_event_list(path)
    np.testing.assert_array_equal(
        found["event_time"].values, np.array(["2004-01-22T01:10", "2003-10-29T06:11"], dtype="datetime64[ns]")
    )
    assert list(found["event_name"].values) == ["one", "2003-10-29T06:11"]
    assert list(found["region_reported"].values) == ["solar_wind", "unknown"]
    assert list(found["wake_reported"].values) == [1, -1]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("time,name\nyesterday,a\n", "line 2"),
        ("name\na\n", "time"),
        ("time,region\n2004-01-22,swamp\n", "swamp"),
        ("time,in_wake\n2004-01-22,perhaps\n", "perhaps"),
    ],
)
def test_bad_events(tmp_path, text: str, word: str) -> None:
    path = tmp_path / "events.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=word):
        read_event_list(path)


def test_track(tmp_path) -> None:
    path = tmp_path / "track.csv"
    path.write_text("time,x,y,z\n2004-01-22T00:00,70000,0,0\n2004-01-22T01:00,60000,-5,7\n")
    np.testing.assert_array_equal(read_gse_track(path)["spacecraft_position"].values, [[70000, 0, 0], [60000, -5, 7]])
    for text, word in (
        ("2004-01-22T00:00,7,0,0", "from the centre"),
        ("2004-01-22T00:00,,0,0", "none missing"),
        ("2004-01-22T00:00,70000,0,0\n2004-01-22T00:00,70000,0,0", "order"),
    ):
        path.write_text(f"time,x,y,z\n{text}\n")
        with pytest.raises(DataError, match=word):
            read_gse_track(path)
