from __future__ import annotations

import json

import pytest
from cyclopts import App

from siderion.cli.pickup import pickup
from siderion.core.errors import SettingsError
from siderion.io.store import open_dataset

WIND = ["--species", "Fe+", "--speed", "400", "--density", "5", "--imf", "0,5,0", "--particles", "500"]


def call(*arguments: str) -> None:
    app = App(name="test", result_action="return_value")
    app.default(pickup)
    app([*WIND, *arguments], exit_on_error=False, print_error=False)


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
    ],
)
def test_refusals(arguments: list[str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        call(*arguments)
