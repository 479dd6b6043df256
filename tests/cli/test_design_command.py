"""`siderion design` and its parts, as a user calls them."""

import json

import pytest
from cyclopts import App

from siderion.cli.design import design
from siderion.core.errors import CoverageError, SettingsError
from siderion.io.store import open_dataset


@pytest.fixture
def call(capsys):
    app = App(result_action="return_value")
    app.command(design)

    def run(*arguments):
        app(["design", *map(str, arguments)], exit_on_error=False, print_error=False)
        return capsys.readouterr().out

    return run


def test_separation_is_the_default(call):
    found = json.loads(call("--species", "N2+,Al+", "--fraction", 0.01, "--counts", 1000, "--json"))["variables"]
    assert found["counts_needed"]["values"][0] > 100 * found["counts_needed"]["values"][1]
    assert 15 < found["resolution_needed"]["values"] < 60


def test_flux_gives_geometric_factor_and_time(call):
    arguments = ("separate", "--flux", 1, "--energy-width", 10, "--geometric-factor", 0.01, "--minutes", 20, "--json")
    found = json.loads(call(*arguments))["variables"]
    counts = found["counts_needed"]["values"][1]
    # 1 cm-2 s-1 sr-1 keV-1 over 10 keV with 0.01 cm2 sr are 0.1 counts a second
    assert found["time_needed"]["values"][1] == pytest.approx(counts / 0.1)
    assert found["geometric_factor_needed"]["values"][1] == pytest.approx(1e-4 * counts / (10 * 1200))


def test_detection_writes_a_file(call, tmp_path):
    text = call("detect", "--counts", "1000,10000", "--resolution", "15", "--tails", "0.01,0.1", "-o", tmp_path / "d.nc")
    assert "m/dm 15, tail 0.1" in text
    assert "Smallest detectable fraction" in (tmp_path / "d.html").read_text()
    found = open_dataset(tmp_path / "d.nc")
    assert found.attrs["kind"] == "siderion design"
    assert found["minimum_fraction"].shape == (2, 2)


def test_instrument_detection(call):
    assert "codif" in call("detect", "--instrument", "codif", "--energy", 1, "--species", "O+,O2+", "--counts", "1000")


def test_orbit(call):
    found = json.loads(call("orbit", "300:300:80", "--epoch", "2020-01-01", "--days", 2, "--region", "ionosphere", "--flux", 1,
                            "--geometric-factor", 0.01, "--json"))  # fmt: skip
    assert found["variables"]["hours_per_year"]["values"] == [pytest.approx(8766.0)]
    assert found["settings"]["count_rate_s-1"] == pytest.approx(0.01)


def test_orbit_says_that_regions_are_conventions(call):
    text = call("orbit", "300:300:80", "--epoch", "2020-01-01", "--days", 1)
    assert "conventions, most of them unverified" in text


def test_angle_and_gain(call):
    assert "one count places the source to 1442 km" in call("angle")
    assert "counts as 0.885 years" in call("gain", "--duration", "1", "--scale", "4")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--species", "Al+"], SettingsError),
        (["--energy", 1], SettingsError),
        (["--resolution", "high"], SettingsError),
        (["--flux", 1e3, "--minutes", -3], SettingsError),
        (["--flux", 1e3, "--minutes", "nan"], SettingsError),
        (["--flux", -1], SettingsError),
        (["--flux", 1, "--duty-cycle", 0], SettingsError),
        (["--flux", 1, "--efficiency", 1.5], SettingsError),
        (["--flux", 1, "--geometric-factor", 0], SettingsError),
        (["--counts", -5], SettingsError),
        (["--others", "N2+", "--others-fraction", -0.1], SettingsError),
        (["detect", "--others", "N2+", "--others-fraction", "inf"], SettingsError),
        (["--power", 1], SettingsError),
        (["angle", "--error", "inf"], SettingsError),
        (["angle", "--speed", "inf"], SettingsError),
        (["angle", "--cone", 120], SettingsError),
        (["gain", "--duration", "1", "--scale", "nan"], SettingsError),
        (["orbit", "500:500:80", "--epoch", "2020-01-01", "--flux", 1, "--geometric-factor", -1], SettingsError),
        (["orbit", "500:500:80", "--epoch", "2020-01-01", "--raan", "nan"], SettingsError),
        (["orbit", "500:33000", "--epoch", "2020-01-01"], SettingsError),
        (["orbit", "500:500:80", "--epoch", "2020-01-01", "--flux", 1], SettingsError),
        (["orbit", "500:500:80", "--epoch", "2020-01-01", "--days", 1, "--region", "attic"], CoverageError),
    ],
)
def test_refusals(call, arguments, error):
    with pytest.raises(error):
        call(*arguments)
