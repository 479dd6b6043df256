"""`siderion conjunctions` as a function that prints."""

import json

import pytest
from cyclopts import App

from siderion.cli.conjunctions import conjunctions
from siderion.core.errors import DataError, SettingsError, SiderionError
from siderion.io.store import open_dataset


@pytest.fixture
def call(capsys):
    app = App(result_action="return_value")
    app.command(conjunctions)

    def run(*arguments):
        app(["conjunctions", *map(str, arguments)], exit_on_error=False, print_error=False)
        return capsys.readouterr().out

    return run


def test_the_ten_events(call, tmp_path):
    text = call("--showers", "all", "-o", tmp_path / "events.nc")
    assert "10 of 10 events are within 2 days of new Moon (at most 1.91 days); 10 have the Moon in sector 3" in text
    assert "place of Geotail is not computed" in text
    data = open_dataset(tmp_path / "events.nc")
    assert data.attrs["kind"] == "siderion conjunctions"
    assert data.sizes["event"] == 10
    sources = json.loads(data.attrs["sources"])
    assert {row["what"]: row["confidence"] for row in sources}["meteor showers"] == "unverified"


def test_json(call):
    found = json.loads(call("--json", "--smallest-kp", 5))
    variables = found["variables"]
    assert variables["lunar_sector"]["values"] == [3] * 10
    assert variables["criterion_value"]["values"][0][2] is None  # no Kp of 2000 in the package
    assert variables["criterion_state"]["values"][0] == [1, 1, -1]
    assert found["settings"]["smallest_kp"] == 5.0


def test_search_and_files(call, tmp_path):
    text = call("--from", "2023-05-01", "--to", "2023-06-01", "--smallest-kp", 5)
    assert "1 windows" in text
    assert "2023-05-20T00:00 2023-05-20T06:00" in text
    dst = tmp_path / "dst.csv"
    dst.write_text("time,dst\n2023-05-20T00:00,-60\n2023-05-20T01:00,-20\n")
    text = call("--from", "2023-05-20", "--to", "2023-05-20T02:00", "--largest-dst", "-50", "--dst", dst)
    assert "2023-05-20T00:00 2023-05-20T01:00" in text
    events, track = tmp_path / "events.csv", tmp_path / "track.csv"
    events.write_text("time,name\n2023-05-19T15:30,shock\n")
    track.write_text("time,x,y,z\n2023-05-19T15:00,159000,0,0\n2023-05-19T16:00,159000,0,0\n")
    found = json.loads(call("--events", events, "--spacecraft", track, "--region", "solar_wind", "--wake", "inside", "--json"))
    assert found["variables"]["criterion_state"]["values"] == [[1, 1, 1, 1]]


def test_two_line_elements(call, tmp_path):
    elements = tmp_path / "satellite.tle"
    elements.write_text(
        "1 25544U 98067A   08264.51782528 -.00002182  00000-0 -11606-4 0  2927\n"
        "2 25544  51.6416 247.4627 0006703 130.5360 325.0288 15.72125391563537\n"
    )
    events = tmp_path / "events.csv"
    events.write_text("time,name\n2008-09-29T06:00,one\n")
    found = json.loads(call("--events", events, "--spacecraft", elements, "--region", "magnetosphere", "--json"))
    assert found["variables"]["criterion_state"]["values"] == [[1, 1, 1]]  # new Moon of 2008-09-29 08:12, a low orbit


def test_refusals(call, tmp_path):
    with pytest.raises(SettingsError, match="both ends"):
        call("--from", "2023-01-01")
    with pytest.raises(SettingsError, match="ISO"):
        call("--from", "soon", "--to", "2023-01-01")
    with pytest.raises(SettingsError, match="--imf"):
        call("--imf", "1")
    for options in (["--imf", "3,4"], ["--species", "Fe2+"], ["--wake-reading", "cycloid"]):
        with pytest.raises(SettingsError, match="give --spacecraft"):
            call(*options)
    with pytest.raises(SettingsError, match="give --spacecraft"):
        call("--from", "2023-01-01", "--to", "2023-01-05", "--wake", "inside")
    track = tmp_path / "track.csv"
    track.write_text("time,x,y,z\n2023-05-19T15:00,159000,0,0\n2023-05-19T16:00,159000,0,0\n")
    for ion in ("Qq+", "Fe"):
        with pytest.raises(SiderionError, match=ion):
            call("--spacecraft", track, "--species", ion)
    with pytest.raises(SettingsError, match="swamp"):
        call("--region", "swamp")
    events = tmp_path / "events.csv"
    events.write_text("time\n2004-01-22\n")
    with pytest.raises(DataError, match="no event"):
        call("--events", events, "--from", "2005-01-01")
