from __future__ import annotations

import os

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import brentq
from scipy.special import gammaln, lpmv

from siderion.background.convection import weimer2005
from siderion.background.convection.weimer import boundary_radius, cap_degree, cap_quotient, regression_terms
from siderion.core.errors import CoverageError, DataError, NumericalError
from siderion.io.weimer import read_weimer2005_tables

PAIRS = [(1, 0, True), (3, 0, True), (2, 1, True), (2, 1, False), (11, 2, True), (11, 2, False)]
RADII = np.arange(20.0, 46.0, 1.0)
CONDITIONS = (2.0, -4.0, 450.0, 4.0, 12.0)
LATITUDE = np.linspace(50.0, 90.0, 81)[:, np.newaxis]
LOCAL_TIME = np.arange(0.0, 24.0, 0.25)


def schmidt(degree: float, order: int, colatitude: np.ndarray) -> np.ndarray:
    """Independent of the package: scipy's Legendre function of real degree."""
    norm = np.sqrt(2.0) if order else 1.0
    log_ratio = 0.5 * (gammaln(degree - order + 1.0) - gammaln(degree + order + 1.0))
    return (-1.0) ** order * norm * np.exp(log_ratio) * lpmv(order, degree, np.cos(colatitude))


def zero_degree(k: int, m: int, radius: float) -> float:
    """The degree of which the function vanishes at the cap's edge, the (k - m + 1)/2-th such."""
    edge = np.deg2rad(radius)
    guess = np.arange(0.6 + m, (k + 1.5) * 90.0 / radius, 0.05)
    value = np.array([float(schmidt(n, m, np.array(edge))) for n in guess])
    crossing = np.flatnonzero(value[:-1] * value[1:] < 0.0)[(k - m - 1) // 2]
    low, high = guess[crossing], guess[crossing + 1]
    return brentq(lambda n: float(schmidt(n, m, np.array(edge))), low, high, xtol=1e-13)


@pytest.fixture(scope="module")
def tables() -> xr.Dataset:
    degree = np.zeros((len(RADII), 3, 13))
    for k, m, _ in PAIRS:
        degree[:, m, k] = [zero_degree(k, m, radius) for radius in RADII]
    fit = np.random.default_rng(3).normal(size=(len(PAIRS), 15))
    return xr.Dataset(
        {
            "fit": (("amplitude", "term"), fit),
            "is_cosine": ("amplitude", [pair[2] for pair in PAIRS]),
            "k": ("amplitude", [pair[0] for pair in PAIRS]),
            "m": ("amplitude", [pair[1] for pair in PAIRS]),
            "electric_exponents": ("exponent", [0.47, 1.33]),
            "boundary": ("boundary_term", [28.0, -1.0, 2.0, -1.5, 0.001, 0.1]),
            "boundary_exponents": ("exponent", [0.1595, 0.2478]),
            "degree": (("radius", "m_index", "k_index"), degree),
        },
        coords={"radius": RADII},
    )


def test_cap_harmonics_against_scipy() -> None:
    colatitude = np.deg2rad(np.array([0.5, 10.0, 25.0, 40.0]))
    for degree, order in ((1.0, 0), (3.0, 2), (4.73, 0), (9.21, 1), (26.3, 2), (28.4, 1)):
        ours = cap_quotient(degree, order, np.sin(0.5 * colatitude) ** 2) * np.sin(colatitude) ** order
        np.testing.assert_allclose(ours, schmidt(degree, order, colatitude), atol=2e-9)


def test_series_refuses_the_far_pole() -> None:
    with pytest.raises(NumericalError, match="does not converge"):
        cap_quotient(3.3, 0, np.array([1.0]))


def test_series_refuses_to_lose_its_digits() -> None:
    with pytest.raises(NumericalError, match="loses its digits"):
        cap_quotient(60.4, 1, np.array([0.1, 0.2]))


def test_potential_against_direct_summation(tables: xr.Dataset) -> None:
    model = weimer2005(tables, *CONDITIONS, "north")
    pressure = 1.6726e-6 * 4.0 * 450.0**2
    radius = boundary_radius(tables, 2.0, -4.0, 450.0, pressure)
    amplitudes = tables["fit"].values @ regression_terms(tables, 2.0, -4.0, 450.0, pressure, 12.0)
    offset, latitude, phi = np.deg2rad(4.2), np.deg2rad(71.0), np.deg2rad(15.0 * 16.3)
    x, y, z = np.cos(latitude) * np.cos(phi), np.cos(latitude) * np.sin(phi), np.sin(latitude)
    theta = np.arccos(np.sin(offset) * x + np.cos(offset) * z)
    azimuth = np.arctan2(y, np.cos(offset) * x - np.sin(offset) * z)
    total = 0.0
    for (k, m, is_cosine), amplitude in zip(PAIRS, amplitudes, strict=True):
        wave = np.cos(m * azimuth) if is_cosine else np.sin(m * azimuth)
        total += amplitude * wave * float(schmidt(cap_degree(tables, k, m, radius), m, np.array(theta)))
    assert float(model.potential(71.0, 16.3)) == pytest.approx(1000.0 * total, rel=1e-8)


def test_zero_on_and_outside_the_boundary_circle(tables: xr.Dataset) -> None:
    model = weimer2005(tables, *CONDITIONS, "north")
    radius = np.rad2deg(model.radius)
    # the centre is 4.2 degrees towards midnight
    latitude, local_time = 90.0 - radius + np.array([-4.2, 4.2]), np.array([0.0, 12.0])
    inside = model.potential(latitude + 1e-7, local_time)
    outside = model.potential(latitude - 1e-6, local_time)
    scale = np.abs(model.potential(LATITUDE, LOCAL_TIME)).max()
    assert np.abs(inside).max() < 1e-4 * scale
    assert np.all(outside == 0.0)


def test_gradient_and_pole(tables: xr.Dataset) -> None:
    model = weimer2005(tables, *CONDITIONS, "north")
    rng = np.random.default_rng(5)
    latitude, local_time = rng.uniform(64.0, 89.5, 200), rng.uniform(0.0, 24.0, 200)
    along, across = model.gradient(latitude, local_time)
    step = 1e-4
    poleward, equatorward = (model.potential(latitude + move, local_time) for move in (step, -step))
    later, earlier = (model.potential(latitude, local_time + move) for move in (step, -step))
    scale = np.abs(along).max()
    np.testing.assert_allclose(along, (equatorward - poleward) / (2.0 * np.deg2rad(step)), atol=1e-6 * scale)
    by_phi = (later - earlier) / (2.0 * np.deg2rad(15.0 * step) * np.cos(np.deg2rad(latitude)))
    np.testing.assert_allclose(across, by_phi, atol=1e-6 * scale)
    phi = np.deg2rad(15.0 * LOCAL_TIME)
    along, across = model.gradient(90.0, LOCAL_TIME)
    np.testing.assert_allclose(along * np.cos(phi) - across * np.sin(phi), along[0], atol=1e-10 * scale)


def test_south_reverses_by_and_tilt(tables: xr.Dataset) -> None:
    north = weimer2005(tables, 2.0, -4.0, 450.0, 4.0, 12.0, "north").potential(LATITUDE, LOCAL_TIME)
    south = weimer2005(tables, -2.0, -4.0, 450.0, 4.0, -12.0, "south").potential(-LATITUDE, LOCAL_TIME)
    np.testing.assert_allclose(south, north, atol=1e-9 * np.abs(north).max())
    other = weimer2005(tables, 2.0, -4.0, 450.0, 4.0, 12.0, "south").potential(-LATITUDE, LOCAL_TIME)
    assert np.abs(other - north).max() > 0.1 * np.abs(north).max()


def test_regression_terms_and_radius(tables: xr.Dataset) -> None:
    terms = regression_terms(tables, 0.0, -5.0, 450.0, 1.5, 30.0)
    electric = (1.0 - np.exp(-1.33 * 2.25)) * 2.25**0.47
    base = [electric, 0.5, 0.25, 1.5]
    expected = [1.0, *base, *(-value for value in base), 0.0, 0.0, 0.0, 0.0, electric, 0.0]
    np.testing.assert_allclose(terms, expected, atol=1e-12)
    saturation = (1.0 - np.exp(-0.1595 * 5.0)) * 5.0**0.2478
    radius = 28.0 + 1.0 + 2.0 * saturation + 1.5 * saturation + 0.45 + 0.15
    assert boundary_radius(tables, 0.0, -5.0, 450.0, 1.5) == pytest.approx(radius)


def test_clock_angle_has_no_effect_without_field(tables: xr.Dataset) -> None:
    for function in (
        lambda by, bz: boundary_radius(tables, by, bz, 400.0, 1.0),
        lambda by, bz: regression_terms(tables, by, bz, 400.0, 1.0, 10.0),
    ):
        np.testing.assert_allclose(function(1e-9, 0.0), function(0.0, -1e-9), atol=1e-6)
    for tiny in (1.0 - 1e-9, 1.0 + 1e-9):
        at = regression_terms(tables, 0.6 * tiny, -0.8 * tiny, 400.0, 1.0, 10.0)
        np.testing.assert_allclose(at, regression_terms(tables, 0.6, -0.8, 400.0, 1.0, 10.0), atol=1e-7)


def test_degree_is_a_parabola_through_the_table(tables: xr.Dataset) -> None:
    curved = tables.copy(deep=True)
    curved["degree"][:, 1, 2] = 3.0 + 0.2 * RADII - 0.01 * RADII**2
    for radius in (20.0, 20.3, 31.5, 44.9, 45.0):
        assert cap_degree(curved, 2, 1, radius) == pytest.approx(3.0 + 0.2 * radius - 0.01 * radius**2)


def test_conditions_out_of_range_are_refused(tables: xr.Dataset) -> None:
    with pytest.raises(CoverageError, match="the tables cover 20 to 45"):
        weimer2005(tables, 0.0, -150.0, 2000.0, 400.0, 0.0, "north")
    with pytest.raises(DataError, match="solar_wind_density is nan"):
        weimer2005(tables, 0.0, -5.0, 400.0, np.nan, 0.0, "north")


@pytest.mark.skipif("SIDERION_WEIMER2005" not in os.environ, reason="needs the folder of the tables in the variable")
@pytest.mark.parametrize(("bz", "low", "high"), [(-5.0, -54.6, 47.5), (5.0, -13.1, 13.0)])
def test_published_extremes_with_the_real_tables(bz: float, low: float, high: float) -> None:
    real = read_weimer2005_tables(os.environ["SIDERION_WEIMER2005"])
    potential = weimer2005(real, 0.0, bz, 450.0, 4.0, 0.0, "north").potential(LATITUDE, LOCAL_TIME) / 1000.0
    assert potential.min() == pytest.approx(low, abs=0.3)
    assert potential.max() == pytest.approx(high, abs=0.3)
