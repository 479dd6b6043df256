from __future__ import annotations

import json

import numpy as np
import pytest
from cyclopts import App

from siderion.cli.pickup import pickup
from siderion.core.errors import SettingsError
from siderion.frames.gsm import gse_to_gsm
from siderion.io.store import open_dataset

WIND = ["--species", "Fe+", "--speed", "400", "--density", "5", "--particles", "500"]


def call(*arguments: str) -> None:
    app = App(name="test", result_action="return_value")
    app.default(pickup)
    field = () if "--imf" in arguments else ("--imf", "0,5,0")
    app([*WIND, *field, *arguments], exit_on_error=False, print_error=False)


def test_iron_arrives_with_its_energies(capsys, tmp_path) -> None:
    output = tmp_path / "pickup.nc"
    call("--moon", "60,0,0", "--imf-spread", "2", "--speed-spread", "40", "-o", str(output))
    text = capsys.readouterr().out
    assert "sector 3" in text
    assert "Fe+: energy distribution, cm-2 s-1 keV-1" in text
    assert "arrive" in text
    found = open_dataset(output)
    assert found["differential_flux"].dims == ("species", "energy")
    assert found["arrival_map"].dims == ("species", "arrival_y", "arrival_z")
    assert json.loads(found.attrs["settings"])["seed"] == 0
    assert any(row["confidence"] == "unverified" for row in json.loads(found.attrs["sources"]))
    found.close()


def test_json_of_a_plane(capsys) -> None:
    call("--date", "2024-04-08T18:00", "--at", "20", "--json")
    whole = json.loads(capsys.readouterr().out)
    assert set(whole) == {"command", "version", "settings", "variables"}
    assert whole["variables"]["arrival_flux"]["units"] == "m-2 s-1"
    assert whole["settings"]["moon"][0] == pytest.approx(56.5, abs=0.1)


def test_values_may_begin_with_a_minus(capsys) -> None:
    call("--moon", "-60,0,0", "--imf", "-3.5,3.5,0")
    assert "Moon at -60.0, 0.0, 0.0 RE" in capsys.readouterr().out
    call("--moon=-60,0,0", "--at", "-10")
    assert "plane at -10 RE" in capsys.readouterr().out


def test_text_says_what_is_favourable_or_left_out(capsys) -> None:
    call("--moon", "60,0,0")
    text = capsys.readouterr().out
    assert "best case" in text
    assert "ions of the exosphere are left out" in text
    assert "taking GSM as GSE" in text
    call("--moon", "60,0,0", "--imf", "-3.5,3.5,0", "--source", "all", "--photo-rate", "Fe=1e-6", "--at", "20")
    text = capsys.readouterr().out
    assert "best case" not in text
    assert "left out" not in text
    assert "GSM" not in text


def test_date_turns_the_field_to_gsm(capsys) -> None:
    # 18 UT in April: the dipole leans to -y, so that By of GSE has a part along z of GSM
    call("--date", "2024-04-08T18:00", "--json")
    found = json.loads(capsys.readouterr().out)["settings"]["bz_gsm"]
    assert found == pytest.approx(float(gse_to_gsm([0.0, 5.0, 0.0], np.datetime64("2024-04-08T18:00", "ns"))[2]))
    assert 1.0 < abs(found) < 3.5
    call("--date", "2060-04-08T18:00")
    assert "taking GSM as GSE" in capsys.readouterr().out


def test_says_why_nothing_arrives(capsys) -> None:
    call("--phase", "180")
    assert "nothing arrives" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "exactly one of"),
        (["--moon", "60,0,0", "--phase", "3"], "exactly one of"),
        (["--moon", "60,0"], "three numbers"),
        (["--date", "soon"], "UTC time"),
        (["--moon", "60,0,0", "--yields", "H=x"], "name=number"),
        (["--moon", "60,0,0", "--at", "mars"], "--at mars"),
        (["--moon", "60,0,0", "--source", "photo"], "--photo-rate"),
        (["--moon", "60,0,0", "--yields", "0"], "sputters nothing"),
        (["--moon", "60,0,0", "--yields", "H=0,He=0,O=0"], "sputters nothing"),
        (["--moon", "60,0,0", "--tail-limit", "14.5"], "--tail-limit"),
    ],
)
def test_refusals(arguments: list[str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        call(*arguments)
