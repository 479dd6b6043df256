from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from siderion.cli.source_ionosphere import ionosphere
from siderion.core.constants import BOLTZMANN, EARTH_RADIUS
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.species import get_species
from siderion.io.store import open_dataset, write_dataset
from siderion.sources.ionosphere.escape import escape_fractions
from siderion.sources.ionosphere.flight import one_way_speed
from siderion.sources.ionosphere.setting import Setting
from siderion.sources.ionosphere.supply import fractions_by_upflow, magnetospheric_supply, top_flux

IRON = get_species("Fe+").mass


@pytest.fixture
def polar() -> xr.Dataset:
    """A run of Fe+ and Mg+ whose top level holds 1e9 m-3, rising with 100 m/s in one half and sinking with 40 in the other."""
    times = np.array(["2020-01-01T00", "2020-01-01T06"], dtype="datetime64[ns]")
    shape = (2, 2, 3, 2, 4)
    density = np.broadcast_to(np.array([1e8, 5e8, 1e9])[None, None, :, None, None], shape).astype(np.float32)
    speed = np.where(np.arange(4) < 2, 100.0, -40.0).astype(np.float32) * np.ones((2, 1, 3, 2, 4), dtype=np.float32)
    space = ("alt", "lat", "lon")
    return xr.Dataset(
        {
            "number_density": (("species", "time", *space), density.copy()),
            "velocity_up": (("species", "velocity_time", *space), speed),
            "solid_angle": (("lat", "lon"), np.full((2, 4), 0.25)),
        },
        coords={"species": np.array(["Fe+", "Mg+"], dtype=object),
                "time": times, "velocity_time": times[1:], "alt": [100.0, 200.0, 300.0],
                "lat": [70.0, 80.0], "lon": [0.0, 90.0, 180.0, 270.0]},
    )  # fmt: skip


def test_flux_of_metals_through_the_top(polar):
    flux = top_flux(polar)
    area = (EARTH_RADIUS + 300e3) ** 2
    assert float(flux["flux_alt"]) == 300.0
    np.testing.assert_allclose(flux["upward_flux"].sel(species="Fe+")[0, 0], [1e11, 1e11, -4e10, -4e10])
    np.testing.assert_allclose(flux["ions_up"], 1e11 * 1.0 * area)
    np.testing.assert_allclose(flux["ions_down"], 4e10 * 1.0 * area)
    np.testing.assert_allclose(flux["ions_net"], 6e10 * area)
    assert float(top_flux(polar, 180.0)["ions_up"][0, 0]) == pytest.approx(5e10 * (EARTH_RADIUS + 200e3) ** 2)


def flux_above(speed: float, drift: float, temperature: float) -> float:
    """Upward flux, per unit density, of the ions of a drifting Maxwellian that are faster than a speed, by quadrature, m/s."""
    thermal = np.sqrt(BOLTZMANN * temperature / IRON)
    low, u = speed / thermal, drift / thermal
    bell = quad(lambda v: v * np.exp(-0.5 * (v - u) ** 2), low, max(low, u) + 12.0, limit=200, epsabs=0.0)[0]
    return float(thermal * bell / np.sqrt(2.0 * np.pi))


def half_maxwellian(limit: float, temperature: float, speeds: list[float]) -> xr.Dataset:
    """Fractions by upflow of Fe+ where all ions faster than a limit escape and no other."""
    share = np.array([flux_above(limit, w, temperature) / flux_above(0.0, w, temperature) for w in speeds])
    dims = ("upflow", "species", "wave_power", "start_alt")
    parts = {f"escape_fraction{end}": (dims, factor * share[:, None, None, None])
             for end, factor in (("", 1.0), ("_lower", 0.9), ("_upper", 1.1))}  # fmt: skip
    nothing = np.zeros((len(speeds), 1, 1, 1))
    parts |= {"escape_fraction_flag": (dims, nothing.astype(int)), "escape_fraction_upper_limit": (dims, nothing.astype(bool))}
    coords = {"upflow": speeds, "species": ["Fe+"], "wave_power": [1e-8], "start_alt": [500.0]}
    return xr.Dataset(parts, coords, {"settings": json.dumps({"ion_temperature_K": temperature})})


@settings(max_examples=30, deadline=None)
@given(st.floats(-1200.0, 3000.0), st.floats(1000.0, 5000.0))
def test_one_way_speed_is_the_half_moment(drift, temperature):
    assert float(one_way_speed(drift, temperature, IRON)) == pytest.approx(flux_above(0.0, drift, temperature), rel=1e-6)


def test_one_way_speed_of_a_gas_at_rest_and_of_a_beam():
    assert float(one_way_speed(0.0, 2000.0, IRON)) == pytest.approx(np.sqrt(BOLTZMANN * 2000.0 / (2.0 * np.pi * IRON)))
    assert float(one_way_speed(1e5, 2000.0, IRON)) == pytest.approx(1e5)


def test_supply_is_the_flux_of_the_fast_ions(polar):
    # share and one-way flux belong to the same Maxwellian: the product is the flux above the limit, from sinking cells too
    limit, temperature = 1800.0, 2000.0
    flux = top_flux(polar)
    supply = magnetospheric_supply(flux, half_maxwellian(limit, temperature, [-40.0, 0.0, 100.0]), 1e-8, 500.0)
    area = (EARTH_RADIUS + 300e3) ** 2  # half of the 2 sr rises with 100 m/s, half sinks with 40
    expected = 1e9 * area * (flux_above(limit, 100.0, temperature) + flux_above(limit, -40.0, temperature))
    assert float(supply["supply_to_magnetosphere"].sel(species="Fe+")[0]) == pytest.approx(expected, rel=1e-6)
    assert float(supply["supply_to_magnetosphere_upper"][0, 0]) == pytest.approx(1.1 * expected, rel=1e-6)
    one_way = 1e9 * area * (flux_above(0.0, 100.0, temperature) + flux_above(0.0, -40.0, temperature))
    assert float(supply["ions_one_way"][0, 0]) == pytest.approx(one_way, rel=1e-6)
    cold = magnetospheric_supply(flux, half_maxwellian(limit, temperature, [-40.0, 100.0]), 1e-8, 500.0, temperature=1000.0)
    assert float(cold["ions_one_way"][0, 0]) < one_way


def test_slow_upflow_is_not_that_of_the_preset(polar):
    # Fe+ at 2000 K that rises with 10 m/s: the net flux times the share of the preset's 500 m/s is too low
    limit, temperature = 1500.0, 2000.0
    slow = polar.assign(velocity_up=0.0 * polar["velocity_up"] + 10.0)
    flux, by_upflow = top_flux(slow), half_maxwellian(limit, temperature, [0.0, 10.0, 500.0])
    one_way = magnetospheric_supply(flux, by_upflow, 1e-8, 500.0)["supply_to_magnetosphere"]
    net = magnetospheric_supply(flux, by_upflow.isel(upflow=2, drop=True), 1e-8, 500.0, "net")["supply_to_magnetosphere"]
    assert one_way.attrs["reading"] == "one_way"
    share = flux_above(limit, 500.0, temperature) / flux_above(0.0, 500.0, temperature)
    expected = flux_above(limit, 10.0, temperature) / (10.0 * share)
    assert float(one_way[0, 0] / net[0, 0]) == pytest.approx(expected, rel=1e-6)
    assert expected > 1.5
    with pytest.raises(SettingsError, match="needs fractions from escape_fractions"):
        magnetospheric_supply(flux, by_upflow, 1e-8, 500.0, "net")
    with pytest.raises(SettingsError, match="unknown reading"):
        magnetospheric_supply(flux, by_upflow, 1e-8, 500.0, "both")
    with pytest.raises(SettingsError, match="add higher ones"):
        magnetospheric_supply(flux, by_upflow.isel(upflow=[0]), 1e-8, 500.0)


def test_fractions_follow_the_upflow_of_the_run(polar):
    polar["velocity_up"][0] = polar["velocity_up"][0] * 10.0  # Fe+ 1000 and -400 m/s, Mg+ 100 and -40
    flux = top_flux(polar)
    setting = Setting.named("day")
    shares = fractions_by_upflow(flux, setting, 2e-7, 500e3, ["O+", "Fe+"], particles=500)
    speeds = shares["upflow"].values
    assert (speeds[0], speeds[-1]) == (pytest.approx(-400.0), pytest.approx(1000.0))
    assert np.diff(speeds).max() < 0.26 * np.sqrt(BOLTZMANN * setting.ion_temperature / IRON)
    alone = escape_fractions(["Fe+"], [2e-7], [500e3], setting.changed(upflow_speed=1000.0), particles=500)
    assert float(shares["escape_fraction"][-1, 0, 0, 0]) == float(alone["escape_fraction"][0, 0, 0])
    supply = magnetospheric_supply(flux, shares, 2e-7, 500.0)
    ends = shares["escape_fraction"].isel(upflow=[0, -1], species=0, wave_power=0, start_alt=0).values
    parts = ends * one_way_speed([-400.0, 1000.0], setting.ion_temperature, IRON)
    assert float(supply["supply_to_magnetosphere"][0, 0]) == pytest.approx(1e9 * (EARTH_RADIUS + 300e3) ** 2 * parts.sum())


def test_empty_cells_do_not_set_the_range_of_the_upflow(polar):
    polar["number_density"][:, :, 2, 0, 0] = 0.0
    polar["velocity_up"][:, :, 2, 0, 0] = 1e6
    assert float(top_flux(polar)["level_velocity"].max()) == 100.0


def test_net_reading_is_net_flux_times_fraction(polar):
    fractions = escape_fractions(["O+", "Fe+"], [2e-7], [500e3], Setting.named("day"), particles=500)
    flux = top_flux(polar)
    supply = magnetospheric_supply(flux, fractions, 2e-7, 500.0, "net")
    assert list(supply["species"].values) == ["Fe+"]
    expected = float(flux["ions_up"].sel(species="Fe+")[0]) * float(fractions["escape_fraction"].sel(species="Fe+")[0, 0])
    assert float(supply["supply_to_magnetosphere"][0, 0]) == pytest.approx(expected)
    assert float(supply["supply_to_magnetosphere_lower"][0, 0]) < expected < float(supply["supply_to_magnetosphere_upper"][0, 0])
    with pytest.raises(SettingsError, match="not on the grid"):
        magnetospheric_supply(flux, fractions, 1e-7, 500.0, "net")
    with pytest.raises(SettingsError, match="no species"):
        magnetospheric_supply(flux, fractions.sel(species=["O+"]), 2e-7, 500.0, "net")


def test_bad_runs_are_refused(polar):
    with pytest.raises(DataError, match="velocity_up"):
        top_flux(polar.drop_vars("velocity_up"))
    with pytest.raises(CoverageError, match="Na"):
        top_flux(polar, species=["Na+"])
    with pytest.raises(CoverageError, match="same times"):
        top_flux(polar.assign_coords(velocity_time=polar["velocity_time"] + np.timedelta64(1, "h")))
    broken = polar.copy(deep=True)
    broken["velocity_up"][0, 0, 2, 0, 0] = np.nan
    with pytest.raises(DataError, match="not finite"):
        top_flux(broken)


def test_command_prints_a_table_and_writes_a_file(polar, tmp_path, capsys):
    run = tmp_path / "run"
    write_dataset(polar, run / "polar.zarr")
    output = tmp_path / "fractions.nc"
    ionosphere(species="O+,Fe+", wave_power=[2e-7], particles=300, run=run, reading="net", output=output)
    text = capsys.readouterr().out
    assert "main waves" in text
    assert "Fe+   2020-01-01T06:00: 4.45e+24" in text  # 1e11 m-2 s-1 times 1 sr at 6671.2 km
    saved = open_dataset(output)
    assert saved["escape_fraction"].dims == ("species", "wave_power", "start_alt")
    assert saved["supply_to_magnetosphere"].sel(species="O+").isnull().all()
    assert "unverified" in saved.attrs["sources"]
    saved.close()
    ionosphere(species="O+,Fe+", wave_power=[2e-7], particles=300, run=run, no_report=True, output=output)
    # half of 2 sr at 100, half at -40 m/s, 2000 K
    one_way = 1e9 * (EARTH_RADIUS + 300e3) ** 2 * sum(flux_above(0.0, w, 2000.0) for w in (100.0, -40.0))
    assert f"Fe+   2020-01-01T06:00: {one_way:.3g}" in capsys.readouterr().out
    with open_dataset(output) as again:
        assert again["supply_to_magnetosphere"].attrs["reading"] == "one_way"
        assert float(again["ions_one_way"].sel(species="Fe+")[0]) == pytest.approx(one_way, rel=1e-5)
    with pytest.raises(SettingsError, match="--reading is 'gross'"):
        ionosphere(species="Fe+", reading="gross")


def test_command_prints_json(capsys):
    ionosphere(species="O+", preset="night", particles=200, json_=True)
    whole = json.loads(capsys.readouterr().out)
    assert whole["settings"]["main_altitude_km"] == 4000.0
    assert whole["variables"]["escape_fraction"]["dims"] == ["species", "wave_power", "start_alt"]
    with pytest.raises(SettingsError, match="names no ion"):
        ionosphere(species=" , ")


def test_command_takes_what_the_answer_depends_on(tmp_path, capsys):
    options = {"species": "O+", "wave_power": [5e-8], "particles": 400, "json_": True}
    ionosphere(**options)
    plain = json.loads(capsys.readouterr().out)
    ionosphere(**options, upflow=3000.0, ion_temperature=4000.0, main_altitude=3000.0, main_power=1e-6, spectral_index=1.5,
               plasma="night", output=tmp_path / "own.nc", no_report=True)  # fmt: skip
    changed = json.loads(capsys.readouterr().out)
    names = ("preset", "plasma", "upflow_speed_m_s", "ion_temperature_K", "main_altitude_km", "main_power", "spectral_index")
    assert [changed["settings"][name] for name in names] == ["day_changed", "night", 3000.0, 4000.0, 3000.0, 1e-6, 1.5]
    assert plain["settings"]["changes"] == []
    assert changed["settings"]["changes"][:2] == ["plasma of night", "upflow speed 3000 m/s"]
    with open_dataset(tmp_path / "own.nc") as saved:
        assert saved["preset"].values.tolist() == ["day", "night", "day_changed"]
        assert saved["preset_main_altitude"].values.tolist() == [2000.0, 4000.0, 3000.0]
        assert "changed by the user" in saved.attrs["sources"]
    ionosphere(species="O+", particles=300, upflow=0.0)
    assert "changed: upflow speed 0 m/s" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "match"),
    [
        ({"wave_power": [float("nan")]}, "must be finite and positive, or 0"),
        ({"wave_power": [-1e-8]}, "must be finite and positive, or 0"),
        ({"upflow": float("inf")}, "upflow speed is inf m/s; it must be finite"),
        ({"upflow": -1e5}, "drift of -100000 m/s"),
        ({"ion_temperature": 0.0}, "ion temperature is 0.0 K; it must be finite and positive"),
        ({"main_altitude": -5.0}, "altitude of the main waves is -5000.0 m"),
        ({"main_power": float("nan")}, "power of the main waves is nan"),
        ({"spectral_index": float("nan")}, "spectral index is nan; it must be finite"),
        ({"plasma": "dusk"}, "use one of day, night"),
    ],
)
def test_command_refuses(option, match):
    with pytest.raises(SettingsError, match=match):
        ionosphere(species="O+", particles=100, **option)


def test_command_without_the_main_region_or_a_rate(capsys):
    ionosphere(species="O+,Ni+", particles=300, main_altitude=30000.0)
    text = capsys.readouterr().out
    assert "they begin above the upper surface" in text
    assert "that of Mg+ is assumed" in text
    assert "nan" not in text
