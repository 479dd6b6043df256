"""`siderion catalogue` as a function that prints."""

import json

import pandas as pd
import pytest
from cyclopts import App

from siderion.cli.catalogue import catalogue
from siderion.core.errors import CoverageError, SettingsError
from siderion.io.store import open_dataset


@pytest.fixture
def call(capsys):
    app = App(result_action="return_value")
    app.command(catalogue)

    def run(*arguments):
        app(["catalogue", *map(str, arguments)], exit_on_error=False, print_error=False)
        return capsys.readouterr().out

    return run


QUESTION = ("--species", "NO+", "--energy", "50eV:10keV", "--year", 2003)


def test_the_answer_is_the_first_line(call):
    first = call(*QUESTION, "--from", "O+").splitlines()[0]
    assert first.startswith("NO+ from O+, 50 eV to 10 keV, in 2003: separates: nobody near the Earth (elsewhere Cassini CAPS-IMS")
    assert "may with effort: Cluster (C1,C3,C4) CIS/CODIF, FAST TEAMS" in first
    assert "group only: Polar TIMAS" in first
    alone = call(*QUESTION).splitlines()[0]
    assert alone.startswith("NO+ from N2+, O2+, O+, 50 eV to 10 keV, in 2003: ")


def test_without_an_ion_there_is_no_answer(call):
    text = call()
    assert text.splitlines()[0] == "all instruments: 46; --species asks which of them tell an ion from others"
    for word in ("separates", "group only", "may with effort", "100%"):
        assert word not in text
    assert "Cluster (C1,C3,C4) CIS/CODIF: 0 eV to 40 keV, solar wind" in text
    assert ": cannot." in call("--year", 2003, "--all")


def test_nobody_is_an_answer(call):
    assert call("--species", "NO+", "--year", 1950).splitlines()[0].endswith("in 1950: nobody")


def test_json_and_all(call):
    found = json.loads(call(*QUESTION, "--from", "O+", "--json"))
    assert found["command"] == "catalogue"
    assert found["settings"]["apart_from"] == ["O+"]
    assert "cluster-codif" in found["variables"]["instrument"]["values"]
    everything = json.loads(call(*QUESTION, "--all", "--json"))
    assert len(everything["variables"]["instrument"]["values"]) == 46


def test_files(call, tmp_path):
    out = call(*QUESTION, "-o", tmp_path / "a.nc", "--csv", tmp_path / "a.csv")
    assert f"wrote {tmp_path / 'a.nc'}" in out
    assert "NO+ from N2+, O2+, O+" in (tmp_path / "a.html").read_text()
    with open_dataset(tmp_path / "a.nc") as data:
        assert data.attrs["kind"] == "siderion catalogue"
        names = list(data["instrument"].values)
    assert list(pd.read_csv(tmp_path / "a.csv")["instrument"]) == names
    call("--species", "NO+", "--year", 1950, "-o", tmp_path / "none.nc", "--no-report")
    assert not (tmp_path / "none.html").exists()
    with open_dataset(tmp_path / "none.nc") as data:
        assert data.sizes["instrument"] == 0
        assert "mission" not in data


def test_one_instrument_shows_all(call, tmp_path):
    text = call("--instrument", "polar timas", "-o", tmp_path / "one.nc")
    assert text.splitlines()[0] == "Polar TIMAS"
    assert "16-bin mass spectra not in CDAWeb product" in text
    assert "1998-12-08" in text
    with open_dataset(tmp_path / "one.nc") as data:
        assert data.sizes == {"instrument": 1, "capability": 5, "stay": 3}
    assert "current of picked-up ions" in call("--instrument", "ladee-ldex")
    with pytest.raises(CoverageError, match="fits several"):
        call("--instrument", "polar")
    with pytest.raises(CoverageError, match="is unknown"):
        call("--instrument", "sputnik")


@pytest.mark.parametrize("name", ["1.2", "2.3", "3.1", "3.2", "3.3", "3.4", "3.5"])
def test_tables(call, name):
    assert call("--table", name).startswith(f"Table {name}: ")
    assert json.loads(call("--table", name, "--json"))["settings"] == {"table": name}


def test_table_as_a_file(call, tmp_path):
    call("--table", "3.5", "-o", tmp_path / "t.nc")
    with open_dataset(tmp_path / "t.nc") as data:
        assert "WACCM-X" in data["model"].values
        assert data["altitude_max_km"].attrs["units"] == "km"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--table", "1.2", "--year", 2003), "do not go together"),
        (("--from", "O+"), "needs --species"),
        (("--species", "NO+", "--energy", "50:10keV"), "50eV:10keV"),
        (("--year", "two thousand"), "write 2003"),
        (("--region", "tail"), "ring current"),
    ],
)
def test_bad_input(call, arguments, message):
    with pytest.raises(SettingsError, match=message):
        call(*arguments)
