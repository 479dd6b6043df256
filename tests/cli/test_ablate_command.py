"""`siderion ablate` as a function that prints; the command line itself is checked with the others."""

import json

import numpy as np
import pytest
from cyclopts import App

from siderion.cli.ablate import ablate
from siderion.core.errors import DataError, SettingsError
from siderion.io.store import open_dataset

REFERENCE = ("--model", "classical", "--sigma", 0.03, "--drag-area", 1.21, "--no-gravity", "--mass", 1e-6, "--speed", 20,
             "--density", 3300, "--zenith", 45)  # fmt: skip


@pytest.fixture
def call(capsys):
    app = App(result_action="return_value")
    app.command(ablate)

    def run(*arguments):
        app(["ablate", *map(str, arguments)], exit_on_error=False, print_error=False)
        return capsys.readouterr().out

    return run


def test_reference_body(call):
    found = json.loads(call(*REFERENCE, "--json"))
    variables = found["variables"]
    assert variables["half_mass_speed"] == {"units": "km s-1", "dims": [], "values": pytest.approx(18.809, abs=5e-4)}
    assert variables["half_mass_air_column"]["values"] == pytest.approx(0.07082, rel=1e-3)
    assert variables["half_mass_altitude"]["values"] == pytest.approx(82.6, abs=0.05)
    assert variables["atmosphere"]["values"] == "US Standard Atmosphere 1976"
    assert found["settings"]["sigma"] == 0.03


def test_text_names_units_and_what_is_unsure(call):
    text = call("--mass", 1e-9, "--speed", 20, "--sputtering", "--elements", "Na,Fe,Ca")
    for part in ("US Standard Atmosphere 1976", "km/s", "kg/m2", "Na ", "unverified", "ionised"):
        assert part in text
    assert "Mg" not in text
    assert "less than half" in call("--mass", 1e-14, "--speed", 11)


def test_file_holds_the_trajectory_and_the_elements(call, tmp_path):
    path = tmp_path / "body.nc"
    call("--mass", 1e-6, "--speed", 30, "--fragmentation", "pressure", "--strength", 1000, "-o", path,
         "--atmosphere", "msis", "--date", "2020-06-21T12:00", "--lat", 60)  # fmt: skip
    found = open_dataset(path)
    assert "NRLMSIS 2.1" in found.attrs["atmosphere"]
    assert found["altitude"].dims == ("time",)
    assert found["released_mass"].dims == ("element", "alt")
    released = float(found["released_mass"].sum() + found["released_outside"].sum() + found["final_mass"])
    assert released == pytest.approx(1e-6, rel=1e-6)  # the file holds single precision


def test_own_atmosphere_and_material(call, tmp_path):
    path = tmp_path / "air.csv"
    altitude = np.arange(0.0, 200.0, 5.0)
    rows = "\n".join(f"{z},{1.2 * np.exp(-z / 7.0)},250" for z in altitude)
    path.write_text(f"altitude_km,density_kg_m3,temperature_k\n{rows}\n")
    found = json.loads(call(*REFERENCE, "--atmosphere", path, "--material", "Al=0.9,Li=0.05", "--json"))["variables"]
    # the column 0.07082 kg/m2 of an exponential atmosphere lies at H ln(rho0 H / column)
    assert found["half_mass_altitude"]["values"] == pytest.approx(7.0 * np.log(1.2 * 7000.0 / 0.07082), abs=0.01)
    assert found["element"]["values"] == ["Al", "Li", "other"]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("--mass", -1, "--speed", 20), SettingsError, "mass, kg of body 0"),
        (("--mass", 1, "--speed", 20, "--sigma", 0.03), SettingsError, "--model classical"),
        (("--mass", 1, "--speed", 20, "--drag-area", 1.2, "--drag-coefficient", 1), SettingsError, "not both"),
        (("--mass", 1, "--speed", 20, "--model", "magic"), SettingsError, "model"),
        (("--mass", 1, "--speed", 20, "--atmosphere", "msis"), SettingsError, "--date"),
        (("--mass", 1, "--speed", 20, "--atmosphere", "mars"), SettingsError, "us1976"),
        (("--mass", 1, "--speed", 20, "--atmosphere", "nowhere.csv"), DataError, "nowhere.csv"),
        (("--mass", 1, "--speed", 20, "--material", "Al=lots"), SettingsError, "Al=0.9"),
        (("--mass", 1, "--speed", 20, "--bin-width", 0), SettingsError, "--bin-width"),
    ],
)
def test_bad_input_is_one_error(call, arguments, error, words):
    with pytest.raises(error, match=words):
        call(*arguments)
