"""The neutral atmosphere: agreement with the model itself, hydrostatics, holes and wrong input."""

from __future__ import annotations

import numpy as np
import pymsis
import pytest

from siderion.background.neutral import fourier_weights, longitude_nodes, neutral_atmosphere
from siderion.core.constants import BOLTZMANN, EARTH_GM, EARTH_RADIUS
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.variables import check_variable

TIME = np.datetime64("2023-06-18T00:00", "ns") + np.arange(3) * np.timedelta64(5, "h")
AP = np.array([9.0, 7.0, 12.0, 5.0, 4.0, 6.0, 8.0])
GASES = ("N2", "O2", "O", "He", "Ar", "H", "N", "NO")


def atmosphere(alt, lat, lon, time=TIME, model="nrlmsise00"):
    return neutral_atmosphere(time, alt, lat, lon, 163.0, 158.0, np.tile(AP, (np.size(time), 1)), model=model)


def direct(time, lat, lon, alt, version):
    return pymsis.calculate([time], [lon], [lat], [alt], [163.0], [158.0], [AP], version=version, geomagnetic_activity=-1).ravel()


def test_values_agree_with_direct_calls():
    """Wrong axis order, swapped latitude and longitude or a wrong column would break this."""
    alt, lat, lon = (
        np.array([90.0, 120.0, 300.0]),
        np.array([-40.0, 65.0]),
        np.array([-100.0, 20.0, 140.0, 170.0]),
    )
    neutral = atmosphere(alt, lat, lon)
    for step, level, row, column in ((0, 0, 1, 3), (2, 1, 0, 0), (1, 2, 1, 2)):
        old = direct(TIME[step], lat[row], lon[column], alt[level], 0)
        new = direct(TIME[step], lat[row], lon[column], alt[level], 2.1)
        here = neutral.isel(time=step, alt=level, lat=row, lon=column)
        assert float(here.density_O) == pytest.approx(old[pymsis.Variable.O], rel=1e-5)
        assert float(here.neutral_temperature) == pytest.approx(old[pymsis.Variable.TEMPERATURE], rel=1e-5)
        assert float(here.mass_density) == pytest.approx(old[pymsis.Variable.MASS_DENSITY], rel=1e-5)
        assert float(here.density_NO) == pytest.approx(new[pymsis.Variable.NO], rel=1e-5)


def test_axes_of_equal_length_are_still_a_grid():
    """The model switches to a fly-through when all lengths agree; the grid must not notice."""
    axes = (np.array([100.0, 150.0, 250.0]), np.array([50.0, 60.0, 70.0]), np.array([0.0, 90.0, 180.0]))
    neutral = atmosphere(*axes)
    assert neutral.density_O.shape == (3, 3, 3, 3)
    single = atmosphere(axes[0][1], axes[1][2], axes[2][0], time=TIME[1:2])
    np.testing.assert_allclose(single.density_O.values.ravel(), neutral.density_O.values[1, 1, 2, 0], rtol=1e-6)


def test_longitude_series_agrees_with_exact_evaluation():
    lon = np.arange(-180.0, 180.0, 7.5)
    alt, lat = np.array([85.0, 110.0, 200.0, 400.0]), np.array([0.0, 45.0, 70.0, 88.0])
    series = atmosphere(alt, lat, lon, time=TIME[:1])
    for first in range(0, lon.size, 12):  # few longitudes at once are evaluated exactly
        exact = atmosphere(alt, lat, lon[first : first + 12], time=TIME[:1])
        part = series.isel(lon=slice(first, first + 12))
        for name in exact.data_vars:
            tolerance = 6e-3 if name == "density_NO" else 3e-4
            np.testing.assert_allclose(part[name].values, exact[name].values, rtol=tolerance)


def test_fourier_weights_are_exact_for_low_wavenumbers():
    nodes, lon = longitude_nodes(17), np.array([-171.3, 0.0, 12.5, 359.0])
    for order in range(9):
        np.testing.assert_allclose(
            fourier_weights(nodes, lon) @ np.cos(np.radians(order * nodes + 20.0)),
            np.cos(np.radians(order * lon + 20.0)),
            atol=1e-12,
        )
    with pytest.raises(SettingsError, match="odd number"):
        fourier_weights(longitude_nodes(16), lon)


def test_longitude_conventions_agree():
    alt, lat = np.array([120.0]), np.array([60.0])
    west, east = (atmosphere(alt, lat, np.array([lon])).density_O.values for lon in (-150.0, 210.0))
    np.testing.assert_allclose(west, east, rtol=1e-5)


def test_pressure_is_hydrostatic():
    """dp/dz = -rho g within 2 %, above the mesopause by NRLMSISE-00 itself (Picone et al. 2002)."""
    alt = np.arange(95.0, 305.0, 0.5)
    neutral = atmosphere(alt, np.array([70.0]), np.array([20.0]), time=TIME[:1]).squeeze()
    number = sum(neutral[f"density_{name}"] for name in ("N2", "O2", "O", "He", "Ar", "H", "N")).values
    pressure = number * BOLTZMANN * neutral.neutral_temperature.values
    gravity = EARTH_GM / (EARTH_RADIUS + 1e3 * alt) ** 2
    ratio = -np.gradient(pressure, 1e3 * alt) / (neutral.mass_density.values * gravity)
    np.testing.assert_allclose(ratio[1:-1], 1.0, atol=0.04)


@pytest.mark.parametrize("model", ["nrlmsise00", "nrlmsis21"])
def test_everything_is_positive_registered_and_of_plausible_size(model):
    alt = np.array([80.0, 86.0, 90.5, 100.0, 150.0, 310.0, 400.0])
    neutral = atmosphere(alt, np.array([45.0, 75.0, 89.0]), np.array([-120.0, 60.0]), model=model)
    for name in GASES:
        check_variable(neutral[f"density_{name}"], f"density_{name}", model)
        if name != "N":
            assert (neutral[f"density_{name}"] > 0).all()
    hundred = neutral.sel(alt=100.0)
    assert (abs(np.log(hundred.density_N2 / 9.2e18)) < np.log(2)).all()  # US Standard Atmosphere 1976
    assert (hundred.neutral_temperature > 150).all()
    assert (hundred.neutral_temperature < 260).all()
    assert neutral.mass_density.attrs["units"] == "kg m-3"


def test_missing_atomic_nitrogen_is_zero_and_said_so():
    neutral = atmosphere(np.array([82.0, 88.0, 100.0]), np.array([70.0]), np.array([0.0]), model="nrlmsis21")
    assert (neutral.density_N.sel(alt=[82.0, 88.0]) == 0).all()
    assert (neutral.density_N.sel(alt=100.0) > 0).all()
    assert "88 km" in neutral.density_N.attrs["comment"]


def test_index_history_is_in_use():
    """The same daily ap with a storm in the past 3 hours must change the upper thermosphere."""
    quiet = np.full((1, 7), 4.0)
    storm = quiet.copy()
    storm[0, 1:4] = 100.0
    place = (np.array([300.0]), np.array([70.0]), np.array([0.0]))
    warm, calm = (neutral_atmosphere(TIME[:1], *place, 150.0, 150.0, ap).neutral_temperature.item() for ap in (storm, quiet))
    assert warm > calm + 30.0


def test_wrong_input_is_refused():
    place = (np.array([100.0]), np.array([70.0]), np.array([0.0]))
    ap = np.tile(AP, (3, 1))
    with pytest.raises(SettingsError, match="unknown neutral model 'msis'"):
        neutral_atmosphere(TIME, *place, 150.0, 150.0, ap, model="msis")
    with pytest.raises(DataError, match=r"f107 is -1.0 at 2023-06-18T05.*fill values"):
        neutral_atmosphere(TIME, *place, np.array([150.0, -1.0, 150.0]), 150.0, ap)
    with pytest.raises(DataError, match=r"f107_81_day_mean is nan"):
        neutral_atmosphere(TIME, *place, 150.0, np.nan, ap)
    with pytest.raises(DataError, match=r"ap_history has shape \(3,\)"):
        neutral_atmosphere(TIME, *place, 150.0, 150.0, np.full(3, 4.0))
    with pytest.raises(CoverageError, match=r"altitude 60 km"):
        neutral_atmosphere(TIME, np.array([60.0]), *place[1:], 150.0, 150.0, ap)
    with pytest.raises(DataError, match="beyond a pole"):
        neutral_atmosphere(TIME, place[0], np.array([95.0]), place[2], 150.0, 150.0, ap)
    with pytest.raises(DataError, match="coordinate time is NaT"):
        neutral_atmosphere(np.array(["NaT"], "datetime64[ns]"), *place, 150.0, 150.0, ap[:1])
