"""The commands of debris, as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from siderion.cli.source_debris import debris_event, debris_parity, debris_rate
from siderion.core.errors import DataError, SettingsError

PLACE = {"date": "2024-06-01T12:00", "lat": 70.0, "lon": 20.0}


def test_event_writes_a_source_and_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "event.nc"
    debris_event(mass=500.0, heading=10.0, **PLACE, output=output)  # type: ignore[arg-type]
    text = capsys.readouterr().out
    assert "break-up at 78.0 km" in text
    assert "NRLMSIS 2.1" in text
    with xr.open_dataset(output) as event:
        assert event.attrs["kind"] == "siderion source"
        assert event["released_atoms"].dims == ("species", "point")
        assert abs(event["point_time"].values - np.datetime64("2024-06-01T12:00")).max() < np.timedelta64(10, "m")
        assert json.loads(event.attrs["settings"])["heading"] == 10.0


def test_event_prints_json_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    debris_event(mass=500.0, inclination=80.0, **PLACE, atmosphere="us1976", ion_share=0.5, output=tmp_path / "e.nc", json_=True)  # type: ignore[arg-type]
    found = json.loads(capsys.readouterr().out)["variables"]
    np.testing.assert_allclose(found["released_ions"]["values"], found["released_atoms"]["values"])
    assert found["point_alt"]["units"] == "km"


@pytest.mark.parametrize("ending", ["toml", "csv"])
def test_event_reads_a_composition(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"own.{ending}"
    path.write_text(
        "[structure]\nmaterial = 'aluminium'\nmass_fraction = 0.8\nobject_mass = 2\nbulk_density = 450\n"
        "[tank]\nmaterial = 'titanium'\nmass_fraction = 0.2\nobject_mass = 10\nbulk_density = 150\nseparation_altitude = 90\n"
        if ending == "toml"
        else "part,material,mass_fraction,object_mass,bulk_density,separation_altitude\n"
        "structure,aluminium,0.8,2,450,\ntank,titanium,0.2,10,150,90\n"
    )
    output = tmp_path / "event.nc"
    debris_event(mass=100.0, heading=0.0, **PLACE, composition=str(path), atmosphere="us1976", output=output)  # type: ignore[arg-type]
    with xr.open_dataset(output) as event:
        assert event["part"].values.tolist() == ["structure", "tank"]
        # 0.8 of the alloy with 90 % aluminium and 0.2 of that with 6 %
        assert float(event["element_mass"].sel(species="Al")) == pytest.approx(100.0 * (0.8 * 0.9 + 0.2 * 0.06))


def test_bad_commands_are_refused(tmp_path: Path) -> None:
    empty = tmp_path / "own.csv"
    empty.write_text("name,mass\na,1\n")
    for error, match, values in (
        (SettingsError, "one of them", {}),
        (SettingsError, "one of them", {"heading": 0.0, "inclination": 50.0}),
        (SettingsError, "atmosphere", {"heading": 0.0, "atmosphere": "mars"}),
        (SettingsError, "is not a setting", {"heading": 0.0, "set_": ["colour=red"]}),
        (SettingsError, "mass of the object is -1 kg", {"heading": 0.0, "mass": -1.0}),
        (SettingsError, "mass of the object is 1e\\+09 kg", {"heading": 0.0, "mass": 1e9}),
        (SettingsError, "--inclination is 400; give 0 to 180", {"inclination": 400.0}),
        (SettingsError, "--lon is 2000", {"heading": 0.0, "lon": 2000.0}),
        (DataError, "column part", {"heading": 0.0, "composition": str(empty)}),
        (DataError, "cannot be read", {"heading": 0.0, "composition": str(tmp_path / "none.csv")}),
    ):
        with pytest.raises(error, match=match):
            debris_event(**({"mass": 10.0, "output": tmp_path / "e.nc", **PLACE} | values))
    assert not (tmp_path / "e.nc").exists()


def test_rate_writes_a_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "rate.nc"
    debris_rate("S1", atmosphere="us1976", output=output, set_=["layer_floor=78"])
    assert "scenario S1" in capsys.readouterr().out
    with xr.open_dataset(output) as rate:
        assert rate["neutral_production"].attrs["units"] == "m-3 s-1"
        assert float(rate["alt"].min()) == 78.5
        assert float(rate["injected_rate"].sel(species="Al")) == pytest.approx(0.4 * 1612.0)


def test_rate_says_what_is_not_shed_and_that_it_is_an_upper_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    debris_rate("S1", atmosphere="us1976", output=tmp_path / "rate.nc", no_report=True)
    text = capsys.readouterr().out
    titanium = next(line for line in text.splitlines() if line.startswith("Ti"))
    assert titanium.split()[5] == "0"
    assert "they do not shed it" in titanium
    assert "profile of their whole mass" in next(line for line in text.splitlines() if line.startswith("Hf"))
    assert "upper limits" in text
    assert "mean object satellite breaks up at 78.0 km" in text


def test_event_warns_of_a_low_break_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for high in (False, True):
        debris_event(mass=500.0, heading=10.0, **PLACE, atmosphere="us1976", output=tmp_path / "e.nc", no_report=True,
                     set_=["break_up_altitude=85"] if high else None)  # type: ignore[arg-type]  # fmt: skip
        text = capsys.readouterr().out
        assert ("cannot reach the layer" in text) is not high
        assert "not in the layer: " in text
        assert "a run that begins at the date misses it" in text


def test_rate_takes_own_shares_and_a_composition(tmp_path: Path) -> None:
    own = tmp_path / "plates.toml"
    own.write_text("[structure]\nmaterial = 'aluminium'\nmass_fraction = 1.0\nobject_mass = 0.1\nbulk_density = 300\n")
    output = tmp_path / "rate.nc"
    debris_rate(mass_rate=500.0, share=["Al=0.5", "Ti=0.02"], composition=str(own), object_mass=20.0, atmosphere="us1976",
                output=output, no_report=True)  # fmt: skip
    with xr.open_dataset(output) as rate:
        assert float(rate["injected_rate"].sel(species="Al")) == pytest.approx(250.0)
        assert float(rate["injected_rate"].sel(species="Ti")) == pytest.approx(10.0)
        assert str(rate["profile_of"].sel(species="Ti").item()) == "whole"
        assert json.loads(rate.attrs["settings"])["objects"]["plates"][0] == 20.0


def test_bad_rates_at_the_command_are_refused(tmp_path: Path) -> None:
    for match, values in (
        ("exclude each other", {"scenario": "S1", "mass_rate": 500.0}),
        ("--mass-rate is -5", {"mass_rate": -5.0}),
        ("--share goes over the table", {"share": ["Al=0.5"], "shares": "composition"}),
        ("--share Al is given twice", {"share": ["Al=0.5", "Al=0.4"]}),
        ("--share Al=-0.2: the value must be positive", {"share": ["Al=-0.2"]}),
        ("--object-mass", {"object_mass": 5.0}),
    ):
        with pytest.raises(SettingsError, match=match):
            debris_rate(**values, atmosphere="us1976", output=tmp_path / "r.nc")  # type: ignore[arg-type]


def test_parity_prints_a_table_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    debris_parity(elements="Al,Fe,Li", samples=200, output=tmp_path / "parity.nc")
    text = capsys.readouterr().out
    assert "Fe  2019" in text
    assert "Li  parity: before 2019" in text
    assert "section 4.4" in text
    debris_parity(elements="Al", series=["2020=400", "2030=2000"], natural="10000", share=["Al=0.5"], samples=200, json_=True)
    found = json.loads(capsys.readouterr().out)["variables"]
    assert found["scenario"]["values"] == ["2020", "2030"]
    # natural aluminium 84 t/yr, debris 200 t/yr in 2020
    assert found["parity_fraction"]["values"][0][0] == pytest.approx(84.0 / 400.0)


def test_bad_parities_are_refused() -> None:
    for match, values in (
        ("--series 2020", {"series": ["2020"]}),
        ("--series then", {"series": ["then=5"]}),
        ("exclude each other", {"scenario": "2019", "series": ["2020=1"]}),
        ("--share Al", {"share": ["Al"]}),
        ("--series 2020 is given twice", {"series": ["2020=400", "2020=500"]}),
        ("a year is given twice", {"series": ["2020=400", "2020.0=500"]}),
        ("--series 2020=-4: the value must be positive", {"series": ["2020=-4"]}),
        ("--elements is ''", {"elements": ""}),
        ("--elements is 'Al,Al'", {"elements": "Al,Al"}),
        ("seed is -1", {"seed": -1}),
        ("horizon is nan", {"horizon": float("nan")}),
        ("horizon is 2000", {"horizon": 2000.0}),
        ("natural is -4", {"natural": "-4"}),
    ):
        with pytest.raises(SettingsError, match=match):
            debris_parity(**values)  # type: ignore[arg-type]
