"""siderion attribute."""

import json

import pytest

from siderion.cli.attribute import attribute
from siderion.core.errors import SettingsError
from siderion.io.store import open_dataset


def test_odds_of_counts(capsys, tmp_path):
    path = tmp_path / "odds.nc"
    attribute(
        counts="N2+=30,Fe+=2", region="solar wind", time="2004-01-22T01:10", kp=6.0, imf="3,-4,2", speed=500.0, prior="budget",
        output=path,
    )  # fmt: skip
    text = capsys.readouterr().out
    assert "verdict: undecidable" in text
    assert "what would decide best" in text
    assert "-0.00 bits" not in text
    assert "log evidence of independent runs differs by" in text
    saved = open_dataset(path)
    assert saved.attrs["kind"] == "siderion attribution"
    assert json.loads(saved.attrs["settings"])["kp"] == 6.0
    assert {"what", "model", "confidence", "citation"} == set(json.loads(saved.attrs["sources"])[0])


def test_file_and_json(capsys, tmp_path):
    path = tmp_path / "wind.toml"
    path.write_text(
        '[context]\nkp = 2.0\nspeed = 400\nduration = 24\n[counts]\n"Fe high" = [3000, 2940, 3060]\n"Si high" = 2500\n'
    )
    attribute(path, json_=True, samples=300, prior="budget,equal")
    variables = json.loads(capsys.readouterr().out)["variables"]
    assert variables["verdict"]["values"] == "solar wind"
    assert variables["prior"]["values"] == ["budget", "equal"]


def test_bad_options():
    with pytest.raises(SettingsError, match="one of the two"):
        attribute()
    with pytest.raises(SettingsError, match="brings its own"):
        attribute(counts="Fe+=1", table_4_3=True)
    with pytest.raises(SettingsError, match="dst is nan"):
        attribute(counts="Fe+=1", dst=float("nan"))
    with pytest.raises(SettingsError, match="year is nan"):
        attribute(counts="Fe+=1", year=float("nan"))
    with pytest.raises(SettingsError, match="in_wake is set"):
        attribute(counts="Fe+=1", moon_sector=6, in_wake=True)
    with pytest.raises(SettingsError, match="--imf"):
        attribute(counts="Fe+=1", imf="3,4")
    with pytest.raises(SettingsError, match="--energy"):
        attribute(counts="Fe+=1", energy="87")
    with pytest.raises(SettingsError, match="write it as"):
        attribute(counts="Fe+=1", time="yesterday")
