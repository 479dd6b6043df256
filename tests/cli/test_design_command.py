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


def test_angle_and_gain(call):
    assert "one count places the source to 1442 km" in call("angle")
    assert "counts as 0.885 years" in call("gain", "--duration", "1", "--scale", "4")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--species", "Al+"], SettingsError),
        (["--energy", 1], SettingsError),
        (["--resolution", "high"], SettingsError),
        (["orbit", "500:33000", "--epoch", "2020-01-01"], SettingsError),
        (["orbit", "500:500:80", "--epoch", "2020-01-01", "--flux", 1], SettingsError),
        (["orbit", "500:500:80", "--epoch", "2020-01-01", "--days", 1, "--region", "attic"], CoverageError),
    ],
)
def test_refusals(call, arguments, error):
    with pytest.raises(error):
        call(*arguments)
