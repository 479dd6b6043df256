"""`siderion escape` as a function that prints; the command line itself is checked with the others."""

import json

import numpy as np
import pytest
from cyclopts import App

from siderion.cli.escape import escape
from siderion.core.errors import SettingsError
from siderion.io.store import open_dataset


@pytest.fixture
def call(capsys):
    app = App(result_action="return_value")
    app.command(escape)

    def run(*arguments):
        app(["escape", *map(str, arguments)], exit_on_error=False, print_error=False)
        return capsys.readouterr().out

    return run


def test_json_of_the_earth(call):
    found = json.loads(call("--body", "earth", "--species", "O,N2,Fe", "--from", 500, "--to", 2000, "--json"))
    variables = found["variables"]
    # GM 3.986e14, R 6371.2 km by hand
    np.testing.assert_allclose(variables["escape_speed"]["values"], [10.77, 9.76], atol=0.005)
    np.testing.assert_allclose(variables["energy_between"]["values"], [[1.72], [3.02], [6.02]], atol=0.005)
    assert variables["energy_between"]["units"] == "eV"
    assert found["settings"]["to_km"] == [2000.0]


def test_without_a_target_it_is_escape(call):
    found = json.loads(call("--from", 500, "--species", "O+", "--json"))["variables"]
    assert found["target_alt"]["values"] == [None]
    assert found["energy_between"]["values"][0][0] == pytest.approx(found["escape_energy"]["values"][0][0], rel=1e-14)


def test_text_shows_what_was_asked_for(call):
    plain = call("--from", 500, "--to", "1360,2000")
    assert "10.77" in plain
    assert plain.count("gravity") == 2
    assert "potential" not in plain
    assert "along the field" not in plain
    full = call("--from", 500, "--species", "O+,O", "--potential-drop", 1, "--perpendicular-energy", 2)
    assert [float(word) for word in full.splitlines()[-1].split()[-2:]] == pytest.approx([6.619, 9.619], abs=0.001)


def test_file_holds_the_data_set(call, tmp_path):
    call("--body", "mars", "--from", 500, "--species", "O,N2,Fe", "-o", tmp_path / "mars.nc")
    with open_dataset(tmp_path / "mars.nc") as data:
        np.testing.assert_allclose(data["escape_energy"][:, 0], [1.8, 3.2, 6.4], atol=0.05)
        assert json.loads(data.attrs["sources"])[0]["confidence"] == "unverified"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--from", 500, "--to", "high"), "numbers separated by commas"),
        (("--from", 500, "--to", ","), "holds no number"),
        (("--from", 500, "--to", 100), "not above the start"),
        (("--from", 500, "--species", ","), "no species"),
        (("--from", 500, "--body-mass", "-1"), "positive and finite"),
    ],
)
def test_bad_input_is_refused(call, arguments, message):
    with pytest.raises(SettingsError, match=message):
        call(*arguments)
