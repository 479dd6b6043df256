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

BODY = ("--mass", 1e-6, "--speed", 20)


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


def test_speeds_in_json_are_km_per_second_and_profiles_come_on_request(call):
    short = json.loads(call(*BODY, "--elements", "Na,Fe", "--json"))["variables"]
    assert not {"alt", "released_mass", "released_speed", "alt_bounds"} & set(short)
    found = json.loads(call(*BODY, "--elements", "Na,Fe", "--profiles", "--json"))["variables"]
    speeds = {name: row for name, row in found.items() if name.endswith("_speed")}
    assert set(speeds) == {"half_mass_speed", "final_speed", "released_speed"}
    assert {row["units"] for row in speeds.values()} == {"km s-1"}
    fastest = max(speed for speed in found["released_speed"]["values"] if speed is not None)
    assert 15.0 < found["half_mass_speed"]["values"] < fastest < 20.5
    assert found["final_speed"]["values"] < 5.0
    by_bin = np.sum(found["released_mass"]["values"], axis=0)
    assert by_bin.min() > 1e-9 * by_bin.sum()
    assert 20 < len(by_bin) < 200  # of 400 bins
    total = found["released_mass_total"]["values"]
    np.testing.assert_allclose(np.sum(found["released_mass"]["values"], axis=1), total, rtol=0.0, atol=400 * 1e-9 * by_bin.sum())


def test_any_setting_is_reached_and_recorded(call):
    # with twice the condensation coefficient the same heat is carried away at a lower temperature
    plain, easy = (json.loads(call(*BODY, *more, "--json")) for more in ((), ("--set", "sticking=1.0")))
    assert easy["settings"]["sticking"] == 1.0
    assert plain["settings"]["sticking"] == 0.5
    hot, high = (
        [one["variables"][name]["values"] for one in (plain, easy)] for name in ("highest_temperature", "half_mass_altitude")
    )
    assert hot[1] < hot[0] - 1.0
    assert high[1] > high[0] + 0.1


def test_drag_area_is_the_product_with_the_shape_that_is_given(call):
    found = json.loads(call(*BODY, "--drag-area", 1.8, "--set", "shape_area=1.5", "--json"))["settings"]
    assert found["drag_coefficient"] == pytest.approx(1.2)


def test_ions_outside_of_the_law_are_told(call):
    # at 60 km/s all that ablates does so above 35 km/s, the end of the law of Jones; at 20 km/s almost all within 10 to 35
    fast = json.loads(call("--mass", 1e-9, "--speed", 60, "--elements", "Fe", "--json"))
    assert fast["variables"]["ions_outside_law_share"]["values"] == [pytest.approx(1.0, abs=1e-3)]
    slow = json.loads(call("--mass", 1e-9, "--speed", 20, "--elements", "Fe", "--json"))
    assert slow["variables"]["ions_outside_law_share"]["values"][0] < 1e-3
    assert "100.0% of the ions come from speeds outside of the range of the law jones1997" in call("--mass", 1e-9, "--speed", 60)
    assert "outside of the range" not in call("--mass", 1e-9, "--speed", 20)
    law = [row for row in fast["settings"]["sources"] if row["what"].startswith("ionisation")]
    assert "made for 10 to 35 km/s" in law[0]["model"]


def test_mean_atmosphere_takes_the_activity_of_the_sun(call):
    assert "F10.7 70, ap 4" in call(*BODY, "--atmosphere", "mean", "--f107", 70)


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
        (("--mass", 1, "--speed", 20, "--sigma", 0.03), SettingsError, "model classical"),
        (("--mass", 1, "--speed", 20, "--drag-area", 1.2, "--drag-coefficient", 1), SettingsError, "not both"),
        (("--mass", 1, "--speed", 20, "--model", "magic"), SettingsError, "model"),
        (("--mass", 1, "--speed", 20, "--atmosphere", "msis"), SettingsError, "--date"),
        (("--mass", 1, "--speed", 20, "--atmosphere", "mars"), SettingsError, "us1976"),
        (("--mass", 1, "--speed", 20, "--atmosphere", "nowhere.csv"), DataError, "nowhere.csv"),
        (("--mass", 1, "--speed", 20, "--material", "Al=lots"), SettingsError, "Al=0.9"),
        (("--mass", 1, "--speed", 20, "--bin-width", 0), SettingsError, "--bin-width"),
        ((*BODY, "--elements", "Fe,Fe"), SettingsError, "Fe is named more than once"),
        ((*BODY, "--elements", ","), SettingsError, "names no element"),
        ((*BODY, "--material", "Al=0.5,Al=0.3"), SettingsError, "Al is named more than once"),
        ((*BODY, "--drag-area", "nan"), SettingsError, "--drag-area is nan"),
        ((*BODY, "--drag-area", "inf"), SettingsError, "--drag-area is inf"),
        ((*BODY, "--drag-area", 9.0), SettingsError, "drag_coefficient is 7.4"),
        ((*BODY, "--drag-area", 1.21, "--set", "drag_coefficient=1"), SettingsError, "not both"),
        ((*BODY, "--lat", 0), SettingsError, "--lat: for --atmosphere msis only"),
        ((*BODY, "--date", "2020-06-21"), SettingsError, "--date"),
        ((*BODY, "--f107", 150), SettingsError, "--f107: for --atmosphere msis or mean only"),
        ((*BODY, "--ap", 4, "--f107", 70), SettingsError, "--f107, --ap"),
        ((*BODY, "--atmosphere", "mean", "--lon", 10), SettingsError, "--lon"),
        ((*BODY, "--strength", 1e4), SettingsError, "strength belongs to fragmentation pressure"),
        ((*BODY, "--fragments", 3), SettingsError, "fragments belongs to"),
        ((*BODY, "--grain-mass", 1e-9), SettingsError, "grain_mass belongs to fragmentation grain_energy or"),
        ((*BODY, "--fragmentation", "grain_energy", "--grain-altitude", 100), SettingsError, "grain_altitude belongs to"),
        ((*BODY, "--model", "classical", "--latent-heat", 1e6), SettingsError, "latent_heat belongs to model thermal"),
        ((*BODY, "--model", "classical", "--vapour-pressure", "feo"), SettingsError, "vapour_pressure belongs to"),
        ((*BODY, "--set", "sigma=0.1"), SettingsError, "sigma belongs to model classical"),
        ((*BODY, "--set", "latent_heat=1e6", "--latent-heat", 1e6), SettingsError, "gives latent_heat already"),
        ((*BODY, "--set", "latent_heat=inf"), SettingsError, "latent_heat is inf"),
        ((*BODY, "--set", "colour=red"), SettingsError, "known: model, drag_coefficient"),
        ((*BODY, "--entry-altitude", -5), SettingsError, "--entry-altitude is -5"),
        ((*BODY, "--profiles"), SettingsError, "belongs to --json"),
    ],
)
def test_bad_input_is_one_error(call, arguments, error, words):
    with pytest.raises(error, match=words):
        call(*arguments)
