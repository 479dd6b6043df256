"""`siderion sources meteoroids`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from siderion.cli.source_meteoroids import meteoroids
from siderion.core.errors import DataError, SettingsError
from siderion.io.store import open_dataset

QUICK = {"samples": 30, "atmosphere": "standard", "altitudes": "70:120:5"}


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


def test_own_total(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    meteoroids(total=12.0, uncertainty=3.0, speeds="15", elements="Fe", output=tmp_path / "m.nc", **QUICK)  # type: ignore[arg-type]
    assert "mass influx 12 +- 3 t/d" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"uncertainty": 3.0}, "belongs to --total"),
        ({"altitudes": "60-140"}, "lowest:highest:step"),
        ({"ablated_flux": "Fe"}, "element=flux"),
        ({"atmosphere": "moon"}, "unknown"),
        ({"atmosphere": "msis"}, "--latitude"),
        ({"time": "2020-01-01"}, "belong to"),
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
