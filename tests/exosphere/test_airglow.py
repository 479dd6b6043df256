"""Thin and thick resonance lines against analytic limits, conservation, and a Monte Carlo that shares no code."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.exosphere.airglow import (
    g_factor,
    limb_brightness,
    line_centre_cross_section,
    line_centre_flux,
    thin_brightness,
)
from siderion.exosphere.line_transfer import (
    absorbed_width,
    layer_edges,
    scattered_emission,
    spherical_emission,
    thick_brightness,
    thick_limb_brightness,
    transmission,
)


def test_g_factors_at_rest():
    assert float(g_factor("H", 121.6, 0.352)) == pytest.approx(0.01217, abs=5e-6)
    assert float(g_factor("H", 121.6, 1.0)) == pytest.approx(1.51e-3, abs=5e-6)
    assert float(g_factor("He", 58.4, 0.352)) == pytest.approx(4.69e-5, rel=1e-12)
    assert float(g_factor("Na", 589.2, 0.352)) == pytest.approx(4.2896, rel=1e-4)
    assert float(g_factor("Na", 589.8, 0.352)) == pytest.approx(2.4235, rel=1e-4)


def test_sodium_wings_are_the_solar_continuum():
    # Classical oscillator in 1.8 W m-2 nm-1 at 589 nm and 1 au, f = 0.641 and 0.320: 10.5 and 5.3 photons s-1 at 1 au.
    photons = 1.8 / (6.626e-34 * 2.998e8 / 589e-9) * (589e-9) ** 2 / 2.998e8 * 1e9
    for line, strength in ((589.2, 0.641), (589.8, 0.320)):
        assert float(g_factor("Na", line, 1.0, 5e4)) == pytest.approx(2.654e-6 * strength * photons, rel=0.05)


def test_g_factor_refuses():
    with pytest.raises(CoverageError, match="known"):
        g_factor("K", 766.0, 1.0)
    with pytest.raises(CoverageError, match="km/s"):
        g_factor("H", 121.6, 1.0, 2e4)
    with pytest.raises(SettingsError):
        g_factor("H", 121.6, 0.0)


def test_rayleigh_in_both_systems_of_units():
    # 1e-6 g N[cm-2]: 1.51e-3 s-1 and 1e12 cm-2 are 1510 R.
    assert float(thin_brightness(1e16, 1.51e-3)) == pytest.approx(1510.0, rel=1e-12)


def test_limb_of_an_inverse_square_exosphere():
    # n = n0 (r0/r)^2: N(b) = pi n0 r0^2 / b.
    radius = np.geomspace(2.44e6, 5e7, 60)
    found = limb_brightness([3e6, 2e7], radius, 1e8 * (2.44e6 / radius) ** 2, 1.5e-3)
    np.testing.assert_allclose(found, 1e-10 * 1.5e-3 * np.pi * 1e8 * 2.44e6**2 / np.array([3e6, 2e7]), rtol=1e-6)


def test_solar_lyman_alpha_from_the_g_factor():
    # The quiet Sun has near 3e11 photons cm-2 s-1 angstrom-1 at the line centre at 1 au.
    flux = line_centre_flux(1.51e-3, 0.4164) * 2.998e8 / (121.567e-9) ** 2 * 1e-10 * 1e-4
    assert flux == pytest.approx(3e11, rel=0.15)


def test_line_centre_cross_section_of_lyman_alpha():
    # Textbook: 5.9e-14 cm2 / sqrt(T / 10^4 K) = 3.4e-13 cm2 at 300 K.
    assert line_centre_cross_section("H", 121.6, 300.0, 1.6735e-27) == pytest.approx(5.9e-18 / np.sqrt(0.03), rel=0.01)
    with pytest.raises(CoverageError, match="resonance line"):
        line_centre_cross_section("Na", 589.2, 300.0, 3.8e-26)


@pytest.mark.parametrize("depth", [0.0, 0.3, 5.0, 300.0, 1e4])
def test_transmission_and_curve_of_growth_equal_adaptive_quadrature(depth):
    def share(x):
        return np.exp(-x * x - depth * np.exp(-x * x)) / np.sqrt(np.pi)

    def width(x):
        return -np.expm1(-depth * np.exp(-x * x)) / np.sqrt(np.pi)

    for function, integrand in ((transmission, share), (absorbed_width, width)):
        expected = 2.0 * quad(integrand, 0.0, 8.0, epsabs=1e-14, epsrel=1e-12, limit=200)[0]
        assert float(function(depth)) == pytest.approx(expected, rel=1e-10, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(depth=st.floats(1e-4, 1e4), cosine=st.floats(0.05, 1.0), layers=st.integers(1, 25))
def test_no_photon_is_lost(depth, cosine, layers):
    result = scattered_emission(layer_edges(depth, layers), cosine).attrs
    assert result["escaped_up"] + result["escaped_down"] == pytest.approx(result["absorbed"], rel=1e-8)
    assert result["absorbed"] == pytest.approx(cosine * float(absorbed_width(depth / cosine)), rel=1e-8)


@pytest.mark.parametrize("view", [1.0, 0.4])
def test_thin_limit(view):
    section = 3.4e-17
    for depth in (1e-4, 1e-5):
        found = float(thick_brightness(depth / section, section, 1.5e-3, 0.7, view, 10))
        # the first correction is of the order of the depth times its logarithm
        assert found == pytest.approx(float(thin_brightness(depth / section / view, 1.5e-3)), rel=-depth * np.log(depth))


def test_emission_goes_to_that_of_full_sunlight_in_a_thin_gas_and_exceeds_single_scattering():
    result = scattered_emission(layer_edges(3.0, 30), 0.8)
    assert (result.relative_emission > result.single_scattering).all()
    thin = scattered_emission(layer_edges(1e-6, 5), 0.8)
    np.testing.assert_allclose(thin.relative_emission, 1.0, atol=2e-5)


@pytest.mark.parametrize(("depth", "counts"), [(1.0, (10, 20, 40, 80)), (20.0, (20, 40, 80, 160))])
def test_second_order_in_the_layers(depth, counts):
    values = [float(thick_brightness(depth, 1.0, 1.0, 0.6, 0.8, layers)) for layers in counts]
    differences = np.abs(np.diff(values))
    orders = np.log2(differences[:-1] / differences[1:])
    assert orders[-1] > 1.85
    assert differences[-1] / values[-1] < 2e-3


def monte_carlo(depth, cosine, count, seed):
    """Share of absorbed photons that leave through the top, by following photons; sampled frequency by frequency."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-5.0, 5.0, count)  # flat solar line
    free = rng.exponential(size=count) / np.exp(-(x**2)) * cosine
    position = free[free < depth]
    absorbed, up = len(position), 0
    while len(position):
        x = rng.normal(0.0, np.sqrt(0.5), len(position))
        mu = rng.uniform(-1.0, 1.0, len(position))
        position = position + mu * rng.exponential(size=len(position)) / np.exp(-(x**2))
        up += int((position < 0.0).sum())
        position = position[(position >= 0.0) & (position <= depth)]
    return up / absorbed, absorbed


@pytest.mark.parametrize(("depth", "cosine"), [(0.5, 1.0), (5.0, 0.5), (40.0, 0.8)])
def test_share_that_leaves_upward_equals_a_monte_carlo(depth, cosine):
    result = scattered_emission(layer_edges(depth, 60), cosine).attrs
    share, count = monte_carlo(depth, cosine, 200_000, 7)
    expected = result["escaped_up"] / result["absorbed"]
    assert share == pytest.approx(expected, abs=4.0 * np.sqrt(expected * (1.0 - expected) / count))


@pytest.mark.parametrize("tail", ["power_law", "none"])
def test_thick_limb_goes_to_the_thin_limb(tail):
    radius = np.geomspace(3.5e6, 3e7, 40)
    density = 1e11 * (3.5e6 / radius) ** 4
    tangents = np.array([3.5e6, 5e6, 2e7])
    thin = limb_brightness(tangents, radius, density, 1e-3, tail)
    found = thick_limb_brightness(tangents, radius, density, 1e-23, 1e-3, 0.7, tail)
    np.testing.assert_allclose(found, thin, rtol=1e-4)


def test_thick_limb_saturates_and_converges():
    # Doubling a thick gas adds little; refining the shells changes little; and a thick limb is darker than the thin formula.
    tangents = np.array([3.6e6, 4.5e6])

    def limb(count, factor):
        radius = np.geomspace(3.5e6, 3e7, count)
        density = factor * 1e11 * (3.5e6 / radius) ** 4
        return thick_limb_brightness(tangents, radius, density, 1e-16, 1e-3, 0.7), limb_brightness(
            tangents, radius, density, 1e-3
        )

    coarse, fine, finest = (limb(count, 1.0)[0] for count in (41, 81, 161))
    assert (np.abs(finest - fine) < 0.4 * np.abs(fine - coarse)).all()
    assert (limb(81, 2.0)[0] < 1.6 * fine).all()
    assert (fine < limb(81, 1.0)[1]).all()


def test_limb_of_a_thick_shell_equals_a_flat_layer_on_a_huge_sphere():
    # A shell of 1 km on a sphere of 1e9 km, seen tangentially at its foot, is the sum of the same emission along the chord;
    # the dilution of the light from below is at most sqrt(2e-9) = 4.5e-5.
    radius = 1e12 + np.linspace(0.0, 1e3, 81)
    section = 1e-16
    density = np.full(81, 5.0 / (section * 1e3))
    emission = scattered_emission(np.linspace(0.0, 5.0, 81), 0.7).relative_emission.values[::-1]
    path = np.sqrt(2.0 * 1e12 * (radius - 1e12))  # distance from the tangent point to each sphere
    depths = np.concatenate([path[:0:-1] * -1.0, path]) * density[0] * section
    depths -= depths[0]
    expected = np.diff(absorbed_width(depths)) @ np.concatenate([emission[::-1], emission])
    found = float(thick_limb_brightness(1e12, radius, density, section, 1e-3, 0.7, "none"))
    assert found == pytest.approx(1e-3 * expected / section / 1e10, rel=1e-4)


def test_far_out_the_light_from_below_is_that_of_a_small_bright_disc():
    # Thin gas far above a thick base: the excess over sunlight falls as the solid angle of the base, (r1/r)^2/2.
    radius = np.geomspace(3.5e6, 3e8, 120)
    density = 1e11 * (3.5e6 / radius) ** 6
    tangents = np.array([3e7, 6e7])
    thin = limb_brightness(tangents, radius, density, 1e-3)
    excess = thick_limb_brightness(tangents, radius, density, 1e-16, 1e-3, 0.7) / thin - 1.0
    assert (excess > 0.0).all()
    assert excess[0] / excess[1] == pytest.approx(4.0, rel=0.15)


def spherical_monte_carlo(count, seed, edges):
    """Scatterings per atom in a spherical gas (n as r^-4) in a parallel beam, at solar zenith cosines of 0.6 to 0.8."""
    rng = np.random.default_rng(seed)
    base, outer, width = 3.5e6, edges[-1], 3.5
    across, turn = outer * np.sqrt(rng.random(count)), 2.0 * np.pi * rng.random(count)
    place = np.stack([across * np.cos(turn), across * np.sin(turn), np.sqrt(outer**2 - across**2)], axis=1)
    way, x = np.tile([0.0, 0.0, -1.0], (count, 1)), rng.uniform(-width, width, count)
    hits = np.zeros(len(edges) - 1)
    while len(place):
        r = np.linalg.norm(place, axis=1)
        # rejection: opacity at the deepest place that a flight of at most r/4 can reach
        largest = 1e-5 * (base / np.maximum(0.75 * r, base)) ** 4 * np.exp(-(x**2))
        flight = rng.exponential(size=len(r)) / largest
        cut = flight > 0.25 * r
        place = place + way * np.minimum(flight, 0.25 * r)[:, None]
        r = np.linalg.norm(place, axis=1)
        inside = (r >= base) & (r <= outer * 1.0001)
        opacity = 1e-5 * (base / r) ** 4 * np.exp(-(x**2))
        hit = inside & ~cut & (rng.random(len(r)) < opacity / largest)
        cosine = place[:, 2] / r
        hits += np.histogram(r[hit & (cosine > 0.6) & (cosine < 0.8)], edges)[0]
        new = np.flatnonzero(hit)
        mu, turn = rng.uniform(-1.0, 1.0, len(new)), 2.0 * np.pi * rng.random(len(new))
        way[new] = np.stack([np.sqrt(1.0 - mu**2) * np.cos(turn), np.sqrt(1.0 - mu**2) * np.sin(turn), mu], axis=1)
        x[new] = rng.normal(0.0, np.sqrt(0.5), len(new))
        place, way, x = place[inside], way[inside], x[inside]
    beam = count / (np.pi * outer**2) / (2.0 * width)
    optical_volume = 2.0 * np.pi * 0.2 * 1e-5 * base**4 * (1.0 / edges[:-1] - 1.0 / edges[1:])
    return hits / (optical_volume * beam * np.sqrt(np.pi))


def test_spherical_emission_against_a_monte_carlo_in_spheres():
    edges = np.array([3.5, 3.8, 4.5, 7.0, 9.0, 12.0]) * 1e6
    expected = spherical_monte_carlo(60_000, 5, edges)  # statistical error 2 to 3 %
    radius = np.geomspace(3.5e6, 1.2e7, 120)
    density = 1e11 * (3.5e6 / radius) ** 4
    emission = spherical_emission(radius, density, 1e-16, 0.7, "none")[:-1]
    middle, weight = 0.5 * (radius[1:] + radius[:-1]), -np.diff(1.0 / radius)
    found = [np.average(emission[part], weights=weight[part]) for part in _parts(middle, edges)]
    np.testing.assert_allclose(found[:2], expected[:2], rtol=0.04 + 0.06)  # stated 4 %, twice the statistical error
    np.testing.assert_allclose(found[2:], expected[2:], rtol=0.25)


def _parts(middle, edges):
    return [(middle > lower) & (middle < upper) for lower, upper in itertools.pairwise(edges)]


def test_bad_input():
    with pytest.raises(DataError, match="natural wings"):
        scattered_emission([0.0, 2e4], 1.0)
    with pytest.raises(DataError, match="rise"):
        scattered_emission([0.0, 1.0, 1.0], 1.0)
    with pytest.raises(SettingsError, match="zenith"):
        scattered_emission([0.0, 1.0], 0.0)
    with pytest.raises(SettingsError, match="line of sight"):
        thick_brightness(1e17, 1e-17, 1e-3, 0.5, 0.0)
    with pytest.raises(DataError, match="index"):
        thin_brightness([1.0, np.nan], 1e-3)
