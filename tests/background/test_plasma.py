"""The electron density from PyIRI: order of axes, days, chunks, floor and wrong input."""

from __future__ import annotations

import numpy as np
import PyIRI
import PyIRI.main_library as pyiri
import pytest

from siderion.background import plasma
from siderion.background.plasma import density_floor, electron_density_pyiri
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.variables import check_variable

ALT = np.array([80.0, 90.0, 110.0, 150.0, 200.0, 300.0, 400.0])
LAT = np.array([45.0, 60.0, 75.0, 88.0])
LON = np.array([-150.0, -30.0, 90.0])
TIME = np.datetime64("2023-06-17T22:00", "ns") + np.arange(5) * np.timedelta64(1, "h")


@pytest.fixture(scope="module")
def density():
    return electron_density_pyiri(TIME, ALT, LAT, LON, 160.0)


def test_values_agree_with_direct_calls(density):
    """A direct call over the whole globe, with sunlit points, has the F1 layer as intended."""
    globe_lat, globe_lon = (axis.ravel() for axis in np.meshgrid(np.arange(-60.0, 61.0, 20.0), np.arange(0.0, 360.0, 30.0)))
    for step, row, column in ((0, 3, 2), (1, 1, 0), (4, 0, 1)):
        date = str(TIME[step])[:10].split("-")
        hour = np.array([float(str(TIME[step])[11:13])])
        lat, lon = np.append(LAT[row], globe_lat), np.append(LON[column], globe_lon)
        direct = pyiri.IRI_density_1day(*map(int, date), hour, lon, lat, ALT, 160.0, PyIRI.coeff_dir)[-1][0, :, 0]
        here = density.values[step, :, row, column]
        np.testing.assert_allclose(here, np.maximum(direct, density_floor(ALT)), rtol=1e-9)


def test_polar_night_alone_has_no_f1_layer():
    """Without the extra point of `_one_call` a dark domain gets a spurious F1 layer."""
    time = np.array(["2023-12-21T00:00"], "datetime64[ns]")
    alone = electron_density_pyiri(time, ALT, np.array([75.0, 80.0]), np.array([0.0]), 150.0)
    globe = electron_density_pyiri(time, ALT, np.array([0.0, 75.0, 80.0]), np.array([0.0, 180.0]), 150.0)
    np.testing.assert_allclose(alone.squeeze(), globe.sel(lat=[75.0, 80.0], lon=0.0).squeeze(), rtol=1e-9)
    assert (alone.sel(alt=150.0) < 1e10).all()


@pytest.mark.parametrize(("f1_layer", "tolerance"), [("standard", 1e-12), ("continuous", 2e-3)])
def test_result_does_not_depend_on_chunks(f1_layer, tolerance, monkeypatch):
    """The scale of the continuous F1 layer follows the Sun of the first hour of a chunk, hence its tolerance."""
    whole = electron_density_pyiri(TIME, ALT, LAT, LON, 160.0, f1_layer=f1_layer)
    monkeypatch.setattr(plasma, "_POINTS_PER_CALL", 1)
    parts = electron_density_pyiri(TIME, ALT, LAT, LON, 160.0, f1_layer=f1_layer)
    np.testing.assert_allclose(parts, whole, rtol=tolerance)


def test_longitude_conventions_agree(density):
    np.testing.assert_allclose(electron_density_pyiri(TIME, ALT, LAT, LON % 360.0, 160.0), density, rtol=1e-9)


def test_change_of_day_is_smooth():
    time = np.array(["2023-06-17T23:29", "2023-06-17T23:59", "2023-06-18T00:00"], "datetime64[ns]")
    values = np.log(electron_density_pyiri(time, ALT, LAT, LON, 160.0, f1_layer="continuous").values)
    assert np.abs(values[2] - values[1]).max() < 0.03
    assert np.abs(values[1] - values[0]).max() > 0.1  # minutes are not rounded away


def test_standard_layer_steps_and_the_continuous_one_does_not():
    """The step at a zenith angle of 70.5 degrees, as the documentation says."""
    time = np.datetime64("2023-06-17T00:00", "ns") + np.arange(144) * np.timedelta64(10, "m")
    place = (np.array([150.0]), np.array([65.0]), np.array([0.0]))
    steps = {}
    for name in ("standard", "continuous"):
        steps[name] = np.abs(np.diff(np.log(electron_density_pyiri(time, *place, 160.0, f1_layer=name).values.ravel()))).max()
    assert steps["continuous"] < 0.3 < 0.7 < steps["standard"]


def test_size_of_day_night_and_solar_flux():
    noon = np.array(["2023-12-21T12:00"], "datetime64[ns]")
    night = np.array(["2023-12-21T00:00"], "datetime64[ns]")
    place = (ALT, np.array([50.0]), np.array([0.0]))
    day, dark = electron_density_pyiri(noon, *place, 150.0), electron_density_pyiri(night, *place, 150.0)
    assert 5e10 < day.sel(alt=110.0).item() < 3e11
    assert dark.sel(alt=110.0).item() < 1.5e10
    assert 5e11 < day.sel(alt=300.0).item() < 4e12
    assert (electron_density_pyiri(noon, *place, 200.0).sel(alt=300.0) > day.sel(alt=300.0)).all()


def test_night_valley_is_held_and_the_d_region_is_not():
    time = np.datetime64("2023-12-21T00:00", "ns") + np.arange(0, 24, 6) * np.timedelta64(1, "h")
    alt = np.arange(80.0, 401.0, 5.0)
    lat, lon = np.arange(40.0, 90.0, 5.0), np.arange(-180.0, 180.0, 30.0)
    density = electron_density_pyiri(time, alt, lat, lon, 200.0)
    check_variable(density, "electron_density", "PyIRI")
    assert density.sel(alt=slice(110.0, None)).min().item() == 1e9
    assert density.sel(alt=80.0).min().item() < 2e8
    assert (density.sel(alt=slice(None, 95.0)).min(("time", "lat", "lon")) > 2 * density_floor(np.arange(80.0, 96.0, 5.0))).all()


def test_wrong_input_is_refused():
    with pytest.raises(CoverageError, match=r"2031-01-01.*1965 to 2029"):
        electron_density_pyiri(np.array(["2031-01-01"], "datetime64[ns]"), ALT, LAT, LON, 150.0)
    with pytest.raises(DataError, match=r"f107_81_day_mean is -1\.0"):
        electron_density_pyiri(TIME, ALT, LAT, LON, np.array([150.0, 150.0, -1.0, 150.0, 150.0]))
    with pytest.raises(SettingsError, match="unknown F1 layer 'none'"):
        electron_density_pyiri(TIME, ALT, LAT, LON, 150.0, f1_layer="none")
