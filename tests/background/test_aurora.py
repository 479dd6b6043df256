"""Auroral ionisation: energy is kept, the oval holds its power, limits and wrong input."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import roots_genlaguerre

from siderion.background import aurora
from siderion.background.neutral import neutral_atmosphere
from siderion.core.constants import EARTH_RADIUS, ELEMENTARY_CHARGE
from siderion.core.errors import DataError

TIME = np.array(["2023-06-18T00:00"], "datetime64[ns]")
JOULE_PER_PAIR = 35.0 * ELEMENTARY_CHARGE


def atmosphere(alt, lat=(70.0,), lon=(20.0,)):
    return neutral_atmosphere(TIME, alt, np.array(lat), np.array(lon), 150.0, 150.0, np.full((1, 7), 7.0))


@pytest.fixture(scope="module")
def column():
    alt = np.arange(76.0, 700.0, 1.0)
    neutral = atmosphere(alt)
    return alt, neutral.mass_density.values.ravel(), aurora.scale_heights(neutral).values.ravel()


def deposited(alt, rate):
    return np.trapezoid(rate, 1e3 * alt) * JOULE_PER_PAIR


@pytest.mark.parametrize(("energy", "lowest"), [(1.0, 0.94), (2.0, 0.96), (3.0, 0.97), (5.0, 0.98), (10.0, 0.98)])
def test_single_energy_is_deposited(column, energy, lowest):
    """The fit itself gives back less at low energies: 0.944 at 1 keV, 0.994 at 5 keV in an isothermal gas."""
    alt, mass_density, scale_height = column
    rate = aurora.monoenergetic_ionisation(1e-3, energy, mass_density, scale_height)
    assert lowest < deposited(alt, rate) / 1e-3 < 1.01


@pytest.mark.parametrize("mean_energy", [1.0, 2.0, 4.0, 8.0])
def test_maxwellian_energy_is_deposited(column, mean_energy):
    alt, mass_density, scale_height = column
    rate = aurora.maxwellian_ionisation(1e-3, mean_energy, mass_density, scale_height)
    assert deposited(alt, rate) == pytest.approx(1e-3, rel=0.05)


def test_harder_electrons_reach_deeper(column):
    """Stopping heights as in Fang et al. 2010, figure 2, to a few km."""
    alt, mass_density, scale_height = column
    energies = (0.3, 1.0, 3.0, 10.0, 30.0)
    peaks = [alt[np.argmax(aurora.monoenergetic_ionisation(1e-3, e, mass_density, scale_height))] for e in energies]
    assert (np.diff(peaks) < 0).all()
    assert 135 < peaks[1] < 165
    assert 100 < peaks[3] < 112


def test_spectrum_converges(column):
    _, mass_density, scale_height = column
    used = aurora.maxwellian_ionisation(1e-3, 4.0, mass_density, scale_height)
    nodes, weights = roots_genlaguerre(80, 2.0)
    fine = sum(
        w * aurora.monoenergetic_ionisation(1e-3, 2.0 * x, mass_density, scale_height)
        for x, w in zip(nodes, weights / 2, strict=True)
    )
    seen = fine > 1e-3 * fine.max()
    np.testing.assert_allclose(used[seen], fine[seen], rtol=0.02)


def test_ionisation_is_linear_in_flux_and_zero_without(column):
    _, mass_density, scale_height = column
    one, two = (aurora.maxwellian_ionisation(flux, 3.0, mass_density, scale_height) for flux in (1e-3, 2e-3))
    np.testing.assert_allclose(two, 2 * one)
    assert not aurora.maxwellian_ionisation(0.0, 3.0, mass_density, scale_height).any()


@pytest.mark.parametrize("kp", [0.0, 1.0, 2.0, 4.0, 6.0])
def test_oval_holds_its_hemispheric_power(kp):
    lat = np.arange(30.0, 90.0, 0.05) + 0.025
    local_time = np.arange(0.0, 24.0, 0.5)
    flux, _ = aurora.oval_precipitation(kp, lat[:, None], local_time[None, :])
    cell = (EARTH_RADIUS + 110e3) ** 2 * np.radians(0.05) * np.radians(7.5) * np.cos(np.radians(lat))
    power = float((flux.sum(axis=1) * cell).sum())
    assert power == pytest.approx(float(aurora.hemispheric_power(kp)), rel=3e-3)
    if 1 <= kp <= 4:
        assert 5e9 < power < 40e9


def test_shape_of_the_oval():
    lat = np.arange(50.0, 90.0, 0.1)
    flux, energy = aurora.oval_precipitation(2.0, lat[:, None], np.array([0.0, 12.0, 22.0, 6.0])[None, :])
    centre = lat[flux.argmax(axis=0)]
    assert 65 < centre[0] < 70
    assert 73 < centre[1] < 78
    assert flux[:, 2].max() > 3 * flux[:, 1].max()
    assert 1e-3 < flux.max() < 1e-2
    assert (energy.max(), energy.min()) == pytest.approx((4.0, 1.0), rel=0.1)
    active, _ = aurora.oval_precipitation(5.0, lat, 0.0)
    assert lat[active.argmax()] < centre[0]
    south, _ = aurora.oval_precipitation(2.0, -lat, 0.0)
    np.testing.assert_array_equal(south, flux[:, 0])


def test_grid_rate_follows_the_column_and_the_oval():
    alt = np.arange(80.0, 300.0, 2.0)
    neutral = atmosphere(alt, lat=(40.0, 66.0, 70.0), lon=(0.0, 90.0))
    latitude = np.array([[40.0, 40.0], [67.0, 67.0], [70.0, 70.0]])
    local_time = np.full((1, 3, 2), 23.0)
    rate = aurora.auroral_ionisation(neutral, 2.0, latitude, local_time)
    assert not rate.sel(lat=40.0).any()
    flux, energy = aurora.oval_precipitation(2.0, 67.0, 23.0)
    here = neutral.isel(time=0, lat=1, lon=1)
    expected = aurora.maxwellian_ionisation(flux, energy, here.mass_density.values, aurora.scale_heights(here).values)
    np.testing.assert_allclose(rate.isel(time=0, lat=1, lon=1), expected, rtol=1e-12)
    assert 1e9 < rate.max().item() < 1e11
    assert 100 <= alt[np.argmax(rate.values[0, :, 1, 1])] <= 125


def test_added_electrons():
    alt = np.array([110.0, 110.0, 300.0])
    result = aurora.add_auroral_electrons(np.array([1e9, 3e11, 3e11]), np.array([1e10, 0.0, 1e10]), 3e-13, alt)
    assert result[0] == pytest.approx(np.sqrt(1e10 / 3e-13), rel=1e-4)
    np.testing.assert_allclose(result[1:], 3e11)
    with pytest.raises(DataError, match="must be positive"):
        aurora.add_auroral_electrons(1e9, 1e9, np.array([1e-13, 0.0]), 110.0)


def test_wrong_input_is_refused():
    neutral = atmosphere(np.array([110.0, 120.0]))
    place = (np.array([[70.0]]), np.array([[[0.0]]]))
    with pytest.raises(DataError, match=r"kp is -1\.0"):
        aurora.auroral_ionisation(neutral, -1.0, *place)
    with pytest.raises(DataError, match=r"kp has shape \(3,\)"):
        aurora.auroral_ionisation(neutral, np.zeros(3), *place)
    with pytest.raises(DataError, match=r"magnetic_local_time has shape \(2,\)"):
        aurora.auroral_ionisation(neutral, 1.0, place[0], np.zeros(2))
