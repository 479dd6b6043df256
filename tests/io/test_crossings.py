from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siderion.core.errors import DataError, SettingsError
from siderion.geospace.regions import REGIONS as FLAGS
from siderion.geospace.regions import region_mask
from siderion.io.crossings import REGIONS, read_crossings

PHILPOTT = "Boundary number,Yr_pass,Day_orbit,Hour,Minute,Second,X_MSO (km)"


def write(path: Path, *lines: str) -> Path:
    target = path / "crossings.csv"
    target.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return target


def listed(path: Path, **options: str) -> list[tuple[str, str, str]]:
    dataset = read_crossings(path, **options)  # type: ignore[arg-type]
    assert dataset["start"].dtype == dataset["end"].dtype == np.dtype("datetime64[ns]")
    return [
        (str(start)[11:19], str(end)[11:19], str(region))
        for start, end, region in zip(*(dataset[name].values for name in ("start", "end", "region")), strict=True)
    ]


ORBIT = [
    ("06:00:00", "06:20:00", "magnetosheath"),
    ("06:20:00", "07:00:00", "magnetosphere"),
    ("07:00:00", "07:30:00", "magnetosheath"),
    ("07:30:00", "12:00:00", "solar_wind"),
]


def test_one_orbit(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "# a list",
        "time,boundary,direction,remark",
        "2011-03-24T06:00:00,bow shock,in,clear",
        "2011-03-24T06:20:00,magnetopause,in,",
        "2011-03-24T07:00:00Z,MP,out,",
        "2011-03-24T08:30:00+01:00,Bow_Shock,outbound,",
        "2011-03-24T12:00:00,BS,in,",
    )
    assert listed(path) == ORBIT
    attributes = read_crossings(path).attrs
    assert attributes == {"source": "crossings.csv", "source_format": "crossings", "disagreements": 0}


@pytest.mark.parametrize("column", ["boundary", "kind", "type"])
def test_direction_in_the_name(tmp_path: Path, column: str) -> None:
    names = ("BSI", "mp_in", "MPO", "bow shock out", "bs_in")
    hours = ("06:00", "06:20", "07:00", "07:30", "12:00")
    path = write(tmp_path, f"{column},time", *[f"{name},2011-03-24T{hour}" for name, hour in zip(names, hours, strict=True)])
    assert listed(path) == ORBIT


def test_groups_leave_the_transition_unknown(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "start,end,type",
        "2011-03-24T06:00,2011-03-24T06:05,BS_IN",
        "2011-03-24T06:20,2011-03-24T06:21,MP_IN",
        "2011-03-24T07:00,2011-03-24T07:00,MP_OUT",
    )
    assert listed(path) == [
        ("06:00:00", "06:05:00", "unknown"),
        ("06:05:00", "06:20:00", "magnetosheath"),
        ("06:20:00", "06:21:00", "unknown"),
        ("06:21:00", "07:00:00", "magnetosphere"),
    ]


def test_intervals_of_regions(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "region,start,end",
        "Solar Wind,2011-03-24T06:00,2011-03-24T06:05",
        "magnetosheath,2011-03-24T06:05,2011-03-24T06:06",
    )
    assert listed(path) == [("06:00:00", "06:05:00", "solar_wind"), ("06:05:00", "06:06:00", "magnetosheath")]


def test_numbers_of_philpott(tmp_path: Path) -> None:
    """Day of year 83 of 2011 is 24 March; columns as public readers of the published table name them."""
    rows = [
        (1, 6, 0, 0), (2, 6, 1, 30.5), (3, 6, 20, 0), (4, 6, 21, 0), (9, 6, 40, 0), (10, 6, 50, 0),
        (5, 7, 0, 0), (6, 7, 1, 0), (7, 7, 30, 0), (8, 7, 31, 0),
    ]  # fmt: skip
    path = write(tmp_path, PHILPOTT, *[f"{n},2011,83,{h},{m},{s},-5000.0" for n, h, m, s in rows])
    intervals = listed(path)
    assert [row[2] for row in intervals] == [
        "unknown", "magnetosheath", "unknown", "magnetosphere", "unknown", "magnetosphere", "unknown", "magnetosheath", "unknown"
    ]  # fmt: skip
    assert intervals[1] == ("06:01:30", "06:20:00", "magnetosheath")
    assert read_crossings(path)["end"].values[0] == np.datetime64("2011-03-24T06:01:30.500", "ns")
    assert read_crossings(path).attrs["source_format"] == "Philpott et al. 2020"


def test_after_a_gap_the_next_crossing_tells(tmp_path: Path) -> None:
    """Bow shock in, gap, magnetopause out: magnetosheath before the gap, magnetosphere after it; no disagreement."""
    rows = [(1, 0), (2, 1), (9, 10), (10, 20), (5, 30), (6, 31)]
    path = write(tmp_path, PHILPOTT, *[f"{number},2011,83,6,{minute},0,1" for number, minute in rows])
    assert [row[2] for row in listed(path)] == ["unknown", "magnetosheath", "unknown", "magnetosphere", "unknown"]


def test_two_entries_without_an_exit(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "time,boundary,direction",
        "2011-03-24T06:00,bow shock,in",
        "2011-03-24T08:00,bow shock,in",
        "2011-03-24T09:00,bow shock,out",
    )
    message = (
        "line 3: bow shock in at 2011-03-24T08:00.* follows bow shock in at 2011-03-24T06:00.*: in magnetosheath after the one"
    )
    with pytest.raises(DataError, match=message):
        read_crossings(path)
    assert [row[2] for row in listed(path, disagreement="unknown")] == ["unknown", "magnetosheath"]
    assert read_crossings(path, disagreement="unknown").attrs["disagreements"] == 1


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        (
            "time,boundary,direction",
            ["2011-03-24T06:00,BS,in", "2011-03-24T05:00,BS,out"],
            "line 3: bow shock out .* sort the list",
        ),
        (
            "time,boundary,direction",
            ["2011-03-24T06:00,cusp,in"],
            "line 2: boundary and direction 'cusp, in' are unknown; boundaries",
        ),
        ("time,boundary,direction", ["2011-03-24T06:00,BS,up"], "line 2: boundary and direction 'BS, up' are unknown"),
        ("time,boundary", ["2011-03-24T06:00,BS"], "line 2: boundary and direction 'BS' are unknown"),
        ("time,boundary,direction", ["now,BS,in"], "line 2: time is 'now'; it must be an ISO time"),
        ("time,boundary,direction", ["2011-13-24,BS,in"], "line 2: time is '2011-13-24'; it must be an ISO time"),
        ("time,boundary,direction", ["2011-03-24T06:00,BS,in"], "no interval; a list needs at least two crossings"),
        ("time,boundary,direction", ["2011-03-24T06:00,BS"], "line 2: 2 fields; the header has 3"),
        ("time,boundary,direction", [], "no rows after the header"),
        ("time,value", ["2011-03-24T06:00,1"], "the header holds none of the sets of columns time, boundary, direction"),
        ("start,end,type", ["2011-03-24T06:00,2011-03-24T05:00,BSI"], "line 2: bow shock in .* before it starts"),
        ("start,end,region", ["2011-03-24T06:00,2011-03-24T05:00,solar wind"], "line 2: interval .* ends before it starts"),
        ("start,end,region", ["2011-03-24T06:00,2011-03-24T07:00,sheath"], "line 2: region is 'sheath'; use one of unknown"),
        (PHILPOTT, ["1,2011,83,6,0,0,1", "3,2011,83,6,1,0,1"], "line 3: Boundary number 3, but 2 must follow 1"),
        (PHILPOTT, ["2,2011,83,6,0,0,1"], "line 2: Boundary number 2 does not follow 1"),
        (PHILPOTT, ["1,2011,83,6,0,0,1"], "the file ends after Boundary number 1; 2 is missing"),
        (PHILPOTT, ["11,2011,83,6,0,0,1"], "line 2: Boundary number is 11; it must be 1 to 10"),
        (PHILPOTT, ["1,2011,83,6,,0,1"], "line 2: .* none may be empty"),
        (PHILPOTT, ["1,2011,83,six,0,0,1"], "line 2: Hour is 'six'"),
    ],
)
def test_faults_are_named_with_their_line(tmp_path: Path, header: str, rows: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_crossings(write(tmp_path, header, *rows))


def test_missing_file_and_wrong_option(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_crossings(tmp_path / "none.csv")
    with pytest.raises(SettingsError, match="disagreement is 'ignore'; use 'refuse' or 'unknown'"):
        read_crossings(tmp_path / "none.csv", disagreement="ignore")  # type: ignore[arg-type]


def test_regions_are_those_of_the_mask(tmp_path: Path) -> None:
    assert set(REGIONS) <= set(FLAGS)
    path = write(tmp_path, "time,type", "2011-03-24T06:00,BSI", "2011-03-24T06:20,BSO", "2011-03-24T07:00,BSI")
    time = np.array(["2011-03-24T05:59", "2011-03-24T06:00", "2011-03-24T06:20", "2011-03-24T07:00"], dtype="datetime64[ns]")
    mask = region_mask(time, body="Mercury", crossings=read_crossings(path))
    assert [FLAGS[value] for value in mask["region"].values] == ["unknown", "magnetosheath", "solar_wind", "unknown"]
