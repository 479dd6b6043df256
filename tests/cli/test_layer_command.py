"""`siderion layer` as a function that prints."""

import json

import numpy as np
import pytest
from cyclopts import App

from siderion.cli.layer import layer
from siderion.core.errors import DataError, SettingsError
from siderion.io.store import open_dataset
from siderion.spectrometer.layer_numbers import NOT_THIN


@pytest.fixture
def call(capsys):
    app = App(result_action="return_value")
    app.command(layer)

    def run(*arguments):
        app(["layer", *map(str, arguments)], exit_on_error=False, print_error=False)
        return capsys.readouterr().out

    return run


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "sodium.csv"
    alt = np.arange(70.0, 120.5, 1.0)
    density = 3e9 * np.exp(-0.5 * ((alt - 90.0) / 4.5) ** 2)
    rows = [f"{time},{a},{n}" for time in ("2012-11-01T18:00", "2012-11-01T18:30") for a, n in zip(alt, density, strict=True)]
    path.write_text("\n".join(["time,alt,density", *rows]) + "\n")
    return path


def test_table_in_long_form(call, table, tmp_path):
    text = call(table, "-o", tmp_path / "layer.nc", "--no-report")
    assert "75 to 115 km, edges at 5e+07 m-3, 2 profiles" in text
    data = open_dataset(tmp_path / "layer.nc")
    assert data.attrs["kind"] == "siderion layer"
    np.testing.assert_allclose(data["layer_centroid_height"].values, 90.0, atol=0.01)
    again = json.loads(call(tmp_path / "layer.nc", "--threshold", 1e9, "--json"))
    edge = 90.0 + 4.5 * np.sqrt(2.0 * np.log(3.0))
    np.testing.assert_allclose(again["variables"]["layer_upper_edge"]["values"], edge, atol=0.03)


def test_lidar_and_limb(call, table, tmp_path):
    call(table, "--lidar", "tromso", "--range", "76:114", "--no-report", "-o", tmp_path / "lidar.nc")
    data = open_dataset(tmp_path / "lidar.nc")
    assert data.sizes == {"time": 5, "alt": 38}
    sources = json.loads(data.attrs["sources"])
    assert [row["confidence"] for row in sources] == ["verified", "unverified", "verified"]
    text = call(table, "--limb", "74:118:2", "--g", 0.5, "--noise", 10)
    assert "+-" in text


def test_refusals(call, table):
    with pytest.raises(SettingsError, match="--g"):
        call(table, "--limb", "75:115:2")
    with pytest.raises(SettingsError, match="--range"):
        call(table, "--range", "75")
    with pytest.raises(SettingsError, match="exclude"):
        call(table, "--limb", "75:115:2", "--lidar", "tromso")
    with pytest.raises(DataError, match="no density"):
        call(table, "--variable", "swamp")


def test_limb_warns_of_a_line_that_is_not_thin(table, tmp_path, capsys):
    app = App(result_action="return_value")
    app.command(layer)
    command = ["layer", str(table), "--limb", "76:114:2", "--g", "0.5"]
    app([*command, "--species", "Na", "-o", str(tmp_path / "limb.nc")], exit_on_error=False, print_error=False)
    said = capsys.readouterr()
    assert "warning: the line Na D2a is not optically thin" in said.err
    assert "warning" not in said.out
    data = open_dataset(tmp_path / "limb.nc")
    assert float(data["limb_optical_depth"].max()) > 1.0
    assert (data["layer_centroid_height_flag"].values == NOT_THIN).all()
    assert "is not optically thin" in (tmp_path / "limb.html").read_text()
    # without a species there is no line to look up
    app([*command, "--no-report", "-o", str(tmp_path / "other.nc")], exit_on_error=False, print_error=False)
    assert "not known whether the line is optically thin" in capsys.readouterr().err
    assert "limb_optical_depth" not in open_dataset(tmp_path / "other.nc")
    assert not (tmp_path / "other.html").exists()
