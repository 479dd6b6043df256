"""`siderion sources meteoroids`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from siderion.cli.source_meteoroids import meteoroids
from siderion.core.errors import DataError, SettingsError
from siderion.io.store import open_dataset

QUICK = {"samples": 30, "atmosphere": "us1976", "altitudes": "70:120:5"}


def test_table_and_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "m.nc"
    meteoroids(scenario="huang-2015", elements="Na,Fe", output=output, **QUICK)  # type: ignore[arg-type]
    text = capsys.readouterr().out
    assert "Monte Carlo" in text
    assert "mass influx 150 +- 38 t/d" in text
    assert "Fe 4.29 +- 0.75 t/d ablated" in text
    with open_dataset(output) as data:
        assert data["neutral_production"].dims == ("species", "alt")
        assert list(data["species"].values) == ["Na", "Fe"]
        assert data.sizes["alt"] == 10


def test_json_own_tables_and_flux(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    masses, speeds = tmp_path / "masses.csv", tmp_path / "speeds.csv"
    masses.write_text("lower_g,upper_g,t_per_year\n1e-7,1e-6,10\n1e-6,1e-5,20\n")
    speeds.write_text("lower_km_s,upper_km_s,weight\n20,25,1\n25,30,1\n")
    meteoroids(
        mass_table=masses, speeds=str(speeds), elements="Fe", ablated_flux="Fe=1e5", json_=True, output=tmp_path / "m.nc",
        **QUICK,  # type: ignore[arg-type]
    )  # fmt: skip
    answer = json.loads(capsys.readouterr().out)
    assert answer["command"] == "sources meteoroids"
    assert answer["variables"]["ablated_flux"]["values"] == [pytest.approx(1e9)]
    assert answer["settings"]["injection"]["largest_mass"] == pytest.approx(1e-8)


def test_settings_reach_the_flights_and_the_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fe of iron bodies ablates in the classical model; all settings are in the answer."""
    meteoroids(
        elements="Fe", material="iron", model="classical", sigma=0.05, ionisation="thomas2016", speeds="40", json_=True,
        set_=["drag_coefficient=0.8", "smallest_mass=1e-12"], output=tmp_path / "m.nc", no_report=True,
        **QUICK,  # type: ignore[arg-type]
    )  # fmt: skip
    asked = json.loads(capsys.readouterr().out)["settings"]
    law, integral = asked["ablation"], asked["injection"]
    assert (law["sigma"], law["ionisation"], law["drag_coefficient"]) == (0.05, "thomas2016", 0.8)
    assert (integral["material"], integral["smallest_mass"]) == ("iron", 1e-12)


def test_own_material_and_mean_atmosphere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    meteoroids(
        elements="Mg,Fe", material="Fe=0.3,Mg=0.1", samples=10, atmosphere="mean", f107=70.0, output=tmp_path / "m.nc",
        set_=["surfaces=front"], no_report=True,
    )  # fmt: skip
    assert "F10.7 70, ap 4" in capsys.readouterr().out
    with open_dataset(tmp_path / "m.nc") as data:
        whole = data["ablated_mass_rate"] / data["ablated_share"]  # t/d of the element that arrives, of 30 t/d
        assert whole.values == pytest.approx([3.0, 9.0], rel=1e-5)
        assert json.loads(data.attrs["settings"])["ablation"]["surfaces"] == "front"


def test_ions_outside_of_the_law_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    meteoroids(speeds="60", elements="Fe", output=tmp_path / "m.nc", no_report=True, set_=["largest_mass=1e-9"], **QUICK)  # type: ignore[arg-type]
    assert "of the ions come from speeds outside of the range of the law jones1997" in capsys.readouterr().out
    with open_dataset(tmp_path / "m.nc") as data:
        assert float(data["ions_outside_law_share"][0]) > 0.9
        assert "made for 10 to 35 km/s" in data.attrs["sources"]


def test_own_total(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    meteoroids(total=12.0, uncertainty=3.0, speeds="15", elements="Fe", output=tmp_path / "m.nc", **QUICK)  # type: ignore[arg-type]
    assert "mass influx 12 +- 3 t/d" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"uncertainty": 3.0}, "belongs to --total"),
        ({"altitudes": "60-140"}, "lowest:highest:step"),
        ({"ablated_flux": "Fe"}, "element=flux"),
        ({"atmosphere": "moon"}, "use us1976, mean, msis"),
        ({"atmosphere": "msis"}, "--date"),
        ({"date": "2020-01-01"}, "--date: for --atmosphere msis only"),
        ({"f107": 70.0}, "--f107: for --atmosphere msis or mean only"),
        ({"elements": "Fe,Fe"}, "more than once"),
        ({"elements": " "}, "names no element"),
        ({"elements": "other"}, "other is no element"),
        ({"masses": 2}, "--masses: for the quadrature only"),
        ({"speed_points": 4, "angles": 2}, "--speed-points, --angles"),
        ({"set_": ["masses_per_bin=2"]}, "--masses"),
        ({"samples": 0, "seed": 1}, "--seed belongs to --samples"),
        ({"ablated_flux": "Fe=1e5", "total": 30.0}, "--ablated-flux sets the influx"),
        ({"material": "Fe=0.3,Fe=0.2"}, "Fe is named more than once"),
        ({"sigma": 0.03}, "sigma belongs to model classical"),
        ({"model": "classical", "surfaces": "front"}, "surfaces belongs to model thermal"),
        ({"set_": ["colour=red"]}, "known: model"),
        ({"density": 2e3, "set_": ["density=3e3"]}, "gives density already"),
        ({"density": float("nan")}, "density is nan"),
        ({"speeds": "5"}, "11 to 72"),
    ],
)
def test_bad_options(options: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=message):
        meteoroids(**{**QUICK, **options}, output=tmp_path / "m.nc")


def test_bad_tables(tmp_path: Path) -> None:
    place = tmp_path / "table.csv"
    with pytest.raises(DataError, match="cannot read"):
        meteoroids(mass_table=place, output=tmp_path / "m.nc")
    place.write_text("lower_g,upper_g\n1,2\n")
    with pytest.raises(DataError, match="t_per_year are missing"):
        meteoroids(mass_table=place, output=tmp_path / "m.nc")
    place.write_text("lower_km_s,upper_km_s,weight\n12,20,1\n25,30,1\n")
    with pytest.raises(DataError, match="leave no gap"):
        meteoroids(speeds=str(place), output=tmp_path / "m.nc")
    place.write_text("lower_km_s,upper_km_s,weight\n12,x,1\n")
    with pytest.raises(DataError, match="holds no number"):
        meteoroids(speeds=str(place), output=tmp_path / "m.nc")
