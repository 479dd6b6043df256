from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from siderion.core.errors import DataError, SettingsError
from siderion.core.species import get_species
from siderion.exosphere.chamberlain import chamberlain_density, maxwellian_density
from siderion.exosphere.escape import (
    fractionation_factor,
    hydrogen_deuterium_escape,
    hydrogen_history,
    jeans_escape_rate,
    photo_loss_rate,
    rayleigh_enrichment,
    rayleigh_loss,
)

HYDROGEN = get_species("H").mass


def escape_by_sum(radius, density, temperature, mass, body_mass):
    """Outward flux of all velocities above escape, summed over a Maxwellian: int v^3 f pi dv over v > v_esc, times area."""
    thermal = np.sqrt(2.0 * 1.380649e-23 * temperature / mass)
    start = np.sqrt(2.0 * 6.6743e-11 * body_mass / radius) / thermal
    v = start + np.linspace(0.0, 12.0, 400_001)
    flux = np.trapezoid(np.pi * v**3 * np.exp(-(v**2)), v) * np.pi**-1.5 * density * thermal
    return 4.0 * np.pi * radius**2 * flux


@pytest.mark.parametrize("temperature", [200.0, 1000.0, 8000.0])
def test_rate_equals_a_sum_over_velocities(temperature):
    found = float(jeans_escape_rate(3.6e6, 1e11, temperature, HYDROGEN, 6.42e23))
    assert found == pytest.approx(escape_by_sum(3.6e6, 1e11, temperature, HYDROGEN, 6.42e23), rel=1e-4)


def test_mars_and_venus_hydrogen_of_the_paper():
    """Jeans escape of H: 2.5e19 s-1 at Venus and 1.5e26 s-1 at Mars, with densities of the usual size.

    Inputs: Venus, exobase at 6252 km, 1.2e11 m-3 of thermal H at 260 K. Mars, exobase at 3590 km, 2.6e11 m-3 at 205 K.
    The temperatures lie in the ranges of the bodies and the densities follow from the rates: a check that both rates go with
    densities near 1e11 m-3, though they differ by seven orders of magnitude.
    """
    venus = float(jeans_escape_rate(6.252e6, 1.16e11, 260.0, HYDROGEN, 4.87e24))
    mars = float(jeans_escape_rate(3.59e6, 2.58e11, 205.0, HYDROGEN, 6.42e23))
    assert venus == pytest.approx(2.5e19, rel=0.05)
    assert mars == pytest.approx(1.5e26, rel=0.05)


def test_populations_add_and_hot_hydrogen_dominates_at_venus():
    rates = jeans_escape_rate(6.252e6, [1e11, 1e9], [275.0, 1000.0], HYDROGEN, 4.87e24)
    each = [float(jeans_escape_rate(6.252e6, n, t, HYDROGEN, 4.87e24)) for n, t in ((1e11, 275.0), (1e9, 1000.0))]
    np.testing.assert_allclose(rates, each, rtol=1e-14)
    assert rates[1] > 1e3 * rates[0]


def test_photo_loss_of_a_power_law():
    # n = n0 (r0/r)^3: nu n0 r0^3 4 pi ln(r1/r0).
    radius = np.geomspace(3e6, 3e7, 5)
    found = photo_loss_rate(radius, 1e9 * (3e6 / radius) ** 3, 1e-7)
    assert found == pytest.approx(1e-7 * 1e9 * 2.7e19 * 4.0 * np.pi * np.log(10.0), rel=1e-12)
    assert photo_loss_rate(radius, 1e9 * (3e6 / radius) ** 3, 1e-7, 0.5) == pytest.approx(0.5 * found, rel=1e-12)


def test_fractionation_of_jeans_escape():
    # Same temperature, densities in the ratio of D to H: f = sqrt(mH/mD) (1 + lD)/(1 + lH) exp(lH - lD).
    result = hydrogen_deuterium_escape(3.59e6, 6.42e23, (1e11, 205.0), (1e11 * 9e-4, 205.0), 9e-4)
    lam_h = 6.6743e-11 * 6.42e23 * HYDROGEN / (1.380649e-23 * 205.0 * 3.59e6)
    ratio = get_species("D").mass / HYDROGEN
    expected = (1.0 + ratio * lam_h) / (1.0 + lam_h) * np.exp(lam_h * (1.0 - ratio)) / np.sqrt(ratio)
    assert float(result.fractionation_factor) == pytest.approx(expected, rel=1e-4)
    assert float(result.fractionation_factor) < 0.05


def test_hot_and_other_losses_raise_the_fractionation_factor():
    thermal = hydrogen_deuterium_escape(6.252e6, 4.87e24, (1e11, 275.0), (2.5e9, 275.0), 0.025)
    hot = hydrogen_deuterium_escape(
        6.252e6, 4.87e24, ([1e11, 1e9], [275.0, 1000.0]), ([2.5e9, 2.5e7], [275.0, 1000.0]), 0.025, (1e24, 1e22)
    )
    assert float(hot.fractionation_factor) > 10.0 * float(thermal.fractionation_factor)
    parts = hot.thermal_escape_rate + hot.hot_escape_rate + hot.other_loss_rate
    np.testing.assert_allclose(hot.total_loss_rate, parts, rtol=1e-14)
    assert hot.total_loss_rate.attrs["units"] == "s-1"


@given(share=st.floats(1e-6, 1.0), factor=st.floats(0.0, 0.95))
def test_rayleigh_round_trip(share, factor):
    enrichment = rayleigh_enrichment(share, factor)
    assert float(rayleigh_loss(max(float(enrichment), 1.0), factor)) == pytest.approx(1.0 / share, rel=1e-9)


def test_rayleigh_limits():
    assert float(rayleigh_enrichment(0.01, 1.0)) == 1.0
    assert float(rayleigh_enrichment(0.01, 0.0)) == pytest.approx(100.0, rel=1e-12)  # D kept: all of it in 1 % of the H


def test_history_obeys_the_equations_of_loss():
    # dH/dt = L and dD/dt = f (D/H) L, integrated backwards from today.
    loss, present, factor, ratio = 2e26, 1e43, 0.3, 0.025
    times = np.linspace(0.0, 1e17, 5)
    solution = solve_ivp(
        lambda _, y: [loss, factor * y[1] / y[0] * loss],
        (0.0, 1e17),
        [present, ratio * present],
        t_eval=times,
        rtol=1e-10,
        atol=0.0,
    ).y
    history = hydrogen_history(times, present, loss, factor, ratio)
    np.testing.assert_allclose(history.hydrogen_inventory, solution[0], rtol=1e-9)
    np.testing.assert_allclose(history.deuterium_hydrogen_ratio, solution[1] / solution[0], rtol=1e-7)


def test_escape_of_a_real_density_uses_the_maxwellian_behind_it():
    # The Maxwellian normalised by the real density gives it back at the exobase as ballistic + escaping + incoming half.
    lam = 6.6743e-11 * 6.42e23 * HYDROGEN / (1.380649e-23 * 500.0 * 3.59e6)
    full = maxwellian_density(1e11, lam)
    real = float(chamberlain_density(3.59e6, 3.59e6, 1e11, 500.0, HYDROGEN, 6.42e23))
    incoming = float(chamberlain_density(3.59e6, 3.59e6, 1e11, 500.0, HYDROGEN, 6.42e23, ("escaping",)))
    assert full == pytest.approx(real + incoming, rel=1e-5)


def test_bad_input():
    with pytest.raises(DataError, match="shape"):
        jeans_escape_rate(3.6e6, [1e10, 1e9], [200.0], HYDROGEN, 6.42e23)
    with pytest.raises(SettingsError, match="sunlight"):
        photo_loss_rate([1.0, 2.0], [1.0, 0.5], 1e-7, 0.0)
    with pytest.raises(SettingsError, match="hydrogen"):
        fractionation_factor(1.0, 0.0, 1e-3)
    with pytest.raises(SettingsError, match="below 1"):
        rayleigh_loss(100.0, 1.0)
    with pytest.raises(DataError, match="at least 1"):
        rayleigh_loss(0.5, 0.1)
    with pytest.raises(DataError, match="above 0"):
        rayleigh_enrichment(0.0, 0.5)
    with pytest.raises(SettingsError, match="other loss"):
        hydrogen_deuterium_escape(3.59e6, 6.42e23, (1e11, 205.0), (1e8, 205.0), 9e-4, (-1.0, 0.0))
