"""Chamberlain exosphere against limits, conservation, and an integration of phase space that shares no code with it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gamma

from siderion.core.errors import DataError, SettingsError
from siderion.exosphere.chamberlain import (
    chamberlain_density,
    chamberlain_profile,
    chamberlain_tangent_column,
    chamberlain_vertical_column,
    escape_parameter,
    jeans_flux,
    maxwellian_density,
    partition_functions,
)

MERCURY = dict(exobase_radius=2.44e6, exobase_density=3.2e8, temperature=420.0, mass=1.674e-27, body_mass=3.30e23)


def brute_force(y, exobase_escape):
    """Shares by summing a Maxwellian over velocities (in thermal speeds), with the orbit of every velocity followed.

    y = r_c/r. A velocity (radial u, tangential w) has energy e = u^2 + w^2 - lambda and angular momentum w/y (per r_c). Its
    orbit meets the exobase if the radial kinetic energy there, e + lambda_c - (w/y)^2, is positive and no barrier lies between.
    For w fixed the crossing is tested by that sign, which is exact above the exobase for the effective potential.
    """
    lam = y * exobase_escape
    top = 6.5
    nodes, weights = np.polynomial.legendre.leggauss(500)
    u, wu = 0.5 * top * (nodes + 1.0), 0.5 * top * weights
    shares = dict.fromkeys(("ballistic", "escaping", "satellite", "incoming", "fly_by"), 0.0)
    w, ww = 0.5 * top * (nodes + 1.0), 0.5 * top * weights
    U, W = np.meshgrid(u, w, indexing="ij")
    f = np.outer(wu, ww) * 4.0 * W * np.exp(-(U**2) - W**2) / np.sqrt(np.pi)  # both signs of u; normalised to 1
    bound = lam > U**2 + W**2
    crosses = U**2 + W**2 - lam + exobase_escape > (W / y) ** 2
    shares["ballistic"] = f[bound & crosses].sum()
    shares["satellite"] = f[bound & ~crosses].sum()
    shares["escaping"] = shares["incoming"] = 0.5 * f[~bound & crosses].sum()
    shares["fly_by"] = f[~bound & ~crosses].sum()
    flux = 0.5 * (f * U)[~bound & crosses].sum()
    return shares, flux


@pytest.mark.parametrize("exobase_escape", [1.5, 6.0])
@pytest.mark.parametrize("y", [0.9, 0.5, 0.15])
def test_shares_equal_brute_force_over_velocities(exobase_escape, y):
    expected, flux = brute_force(y, exobase_escape)
    assert sum(expected.values()) == pytest.approx(1.0, abs=1e-6)
    found = partition_functions(y * exobase_escape, exobase_escape)
    for name in ("ballistic", "escaping", "satellite"):
        assert float(found[name]) == pytest.approx(expected[name], abs=2.5e-3), name  # jumps on a grid of 500^2
    # Escape flux times r^2 is conserved: flux here (in sqrt(2kT/m)) = Jeans flux y^2 exp(lambda_c - lambda) / n_c.
    jeans = (1.0 + exobase_escape) * np.exp(-y * exobase_escape) / (2.0 * np.sqrt(np.pi)) * y**2
    assert flux == pytest.approx(jeans, rel=5e-3)


@given(exobase_escape=st.floats(0.5, 300.0))
def test_parts_add_up_at_the_exobase(exobase_escape):
    parts = partition_functions(exobase_escape, exobase_escape)
    assert parts["satellite"] == 0.0
    # incoming equals escaping there, and ballistic + escaping + incoming is everything
    assert float(parts["ballistic"] + 2.0 * parts["escaping"]) == pytest.approx(1.0, rel=1e-14)


@given(exobase_escape=st.floats(0.5, 50.0), y=st.floats(1e-6, 1.0))
def test_bound_atoms_are_all_bound_atoms(exobase_escape, y):
    # Ballistic + satellite = share of a Maxwellian below the escape speed = erf(x) - 2 x exp(-x^2)/sqrt(pi), x = sqrt(lambda).
    from math import erf, exp, pi, sqrt

    x = sqrt(y * exobase_escape)
    parts = partition_functions(y * exobase_escape, exobase_escape)
    assert float(parts["ballistic"] + parts["satellite"]) == pytest.approx(erf(x) - 2.0 * x * exp(-x * x) / sqrt(pi), abs=1e-14)
    assert min(float(part) for part in parts.values()) >= 0.0


def test_far_away_escaping_atoms_fall_as_inverse_square_and_ballistic_as_5_over_2():
    radius = 2.44e6 * np.array([1e9, 1e10])
    for name, slope in (("escaping", -2.0), ("ballistic", -2.5)):
        density = chamberlain_density(radius, **MERCURY, populations=(name,))
        # the limit is approached as sqrt(lambda), 8e-5 to 3e-5 here
        assert np.log10(density[1] / density[0]) == pytest.approx(slope, abs=8e-5)


def test_escaping_flux_far_away_is_the_jeans_flux():
    # Mean speed at infinity of escaping atoms with flux weight: their density n and flux F obey n r^2 = F r_c^2 <1/v>.
    # <1/v> by summing launch energies: flux distribution (e + lambda_c) exp(-e) over e > 0 and v = sqrt(e).
    lambda_c = float(escape_parameter(2.44e6, 420.0, 1.674e-27, 3.30e23))
    thermal = np.sqrt(2.0 * 1.380649e-23 * 420.0 / 1.674e-27)
    inverse_speed = (gamma(1.5) + lambda_c * gamma(0.5)) / (1.0 + lambda_c) / thermal
    flux = jeans_flux(maxwellian_density(3.2e8, lambda_c), 420.0, 1.674e-27, lambda_c)
    radius = 1e11 * 2.44e6  # the limit is approached as sqrt(lambda)
    found = float(chamberlain_density(radius, **MERCURY, populations=("escaping",))) * (radius / 2.44e6) ** 2
    assert found == pytest.approx(flux * inverse_speed, rel=1e-5)


@given(temperature=st.floats(50.0, 5e3), mass=st.floats(1.6e-27, 1e-25))
def test_density_at_the_exobase(temperature, mass):
    found = chamberlain_density(2.44e6, 2.44e6, 1e9, temperature, mass, 3.30e23)
    assert float(found) == pytest.approx(1e9, rel=1e-12)


def test_barometric_limit():
    # lambda_c is near 2500: within a few scale heights the hydrostatic law holds.
    mass, temperature = 3.8e-26, 100.0
    height = np.linspace(0.0, 5.0, 6) * 1.380649e-23 * temperature / (mass * 6.674e-11 * 3.30e23 / 2.44e6**2)
    found = chamberlain_density(2.44e6 + height, 2.44e6, 1e9, temperature, mass, 3.30e23)
    lam = 6.6743e-11 * 3.30e23 * mass / (1.380649e-23 * temperature)
    np.testing.assert_allclose(found, 1e9 * np.exp(lam / (2.44e6 + height) - lam / 2.44e6), rtol=1e-9)


def test_mercury_hydrogen():
    found = chamberlain_density(2.44e6 * np.array([2.0, 7.5]), **MERCURY) / 1e6
    assert found[0] == pytest.approx(37.0, abs=0.5)
    assert found[1] == pytest.approx(1.3, abs=0.05)
    best = max(float(chamberlain_density(4.88e6, **{**MERCURY, "temperature": t})) for t in np.linspace(300, 6000, 200))
    assert best / 1e6 == pytest.approx(52.0, abs=1.0)  # at most 52 at 2 radii for any temperature


def test_satellite_critical_level():
    radius = 2.44e6 * np.array([1.0, 1.5, 3.0, 3.0 + 1e-9, 6.0])
    full, cut = (
        chamberlain_density(radius, **MERCURY, populations=("satellite",), satellite_radius=level) for level in (None, 3 * 2.44e6)
    )
    np.testing.assert_allclose(cut[:3], full[:3], rtol=1e-12)
    assert cut[3] == pytest.approx(full[3], rel=1e-3)
    assert 0.0 < cut[4] < full[4]
    # A level at the exobase leaves no satellites; one far out leaves all.
    none = chamberlain_density(radius, **MERCURY, populations=("satellite",), satellite_radius=2.44e6)
    np.testing.assert_allclose(none, 0.0, atol=1e-6)
    far = chamberlain_density(radius, **MERCURY, populations=("satellite",), satellite_radius=1e4 * 2.44e6)
    np.testing.assert_allclose(far, full, rtol=1e-12)


def reference_column(radius, tangent, exosphere, count):
    """Midpoint sum over the line, spacing growing with distance: distance along it = x^3-stretched to 1e5 radii."""
    end = np.arcsinh(1e6)
    step = end / count
    t = (np.arange(count) + 0.5) * step
    along, width = radius * np.sinh(t), radius * np.cosh(t) * step
    distance = np.hypot(radius, along) if tangent else radius + along
    return (2.0 if tangent else 1.0) * np.sum(chamberlain_density(distance, **exosphere) * width)


@pytest.mark.parametrize("mass", [1.674e-27, 3.8e-26])
def test_columns_equal_a_refined_midpoint_sum(mass):
    exosphere = {**MERCURY, "mass": mass}
    args = list(exosphere.values())
    for tangent, function in ((False, chamberlain_vertical_column), (True, chamberlain_tangent_column)):
        found = function(np.array([2.44e6, 4e6]), *args)
        expected = [reference_column(radius, tangent, exosphere, 400000) for radius in (2.44e6, 4e6)]
        np.testing.assert_allclose(found, expected, rtol=3e-6)


@settings(max_examples=15, deadline=None)
@given(temperature=st.floats(80.0, 1e4), mass=st.floats(1.6e-27, 6.6e-26))
def test_vertical_column_has_the_derivative_minus_density(temperature, mass):
    exosphere = (2.44e6, 1e9, temperature, mass, 3.30e23)
    lam = float(escape_parameter(2.44e6, temperature, mass, 3.30e23))
    radius, step = 4e6, 4e6 * 1e-3 / max(lam, 1.0)
    above, below = chamberlain_vertical_column(np.array([radius + step, radius - step]), *exosphere)
    assert (below - above) / (2.0 * step) == pytest.approx(float(chamberlain_density(radius, *exosphere)), rel=1e-5)


def test_profile_data_set():
    profile = chamberlain_profile(np.array([2.44e6, 5e6]), **MERCURY)
    np.testing.assert_allclose(profile.neutral_density, profile.population_density.sum("population"))
    assert profile.radial_distance.attrs["units"] == "km"
    assert profile.attrs["escape_flux"] > 0.0


def test_bad_input():
    with pytest.raises(DataError, match="below the exobase"):
        chamberlain_density(2.0e6, **MERCURY)
    with pytest.raises(DataError, match="index"):
        chamberlain_density([3e6, np.nan], **MERCURY)
    with pytest.raises(SettingsError, match="populations"):
        chamberlain_density(3e6, **MERCURY, populations=("bound",))
    with pytest.raises(SettingsError, match="temperature"):
        chamberlain_density(3e6, **{**MERCURY, "temperature": -1.0})
    with pytest.raises(SettingsError, match="satellite critical level"):
        chamberlain_density(3e6, **MERCURY, satellite_radius=1e6)
