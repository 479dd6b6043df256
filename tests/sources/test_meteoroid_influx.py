"""Flux of Gruen et al. and distributions over mass."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from siderion.core.errors import DataError, SettingsError
from siderion.sources.meteoroids import grun_differential_flux, grun_flux, grun_shape, influx_by_decade, table_shape
from siderion.sources.meteoroids.influx import TONNE_PER_DAY, TONNE_PER_YEAR

YEAR = 365.25 * 86400.0


def transcribed(grams: float) -> float:
    """The three terms, written again from the paper's formula."""
    return (
        (2.2e3 * grams**0.306 + 15.0) ** -4.38
        + 1.3e-9 * (grams + 1e11 * grams**2 + 1e27 * grams**4) ** -0.36
        + 1.3e-16 * (grams + 1e6 * grams**2) ** -0.85
    )


@pytest.mark.parametrize(
    ("grams", "per_year"),
    [
        (1e-12, 1.09e3),
        (1e-9, 9.51e1),
        (1e-6, 1.49),
        (1e-4, 1.04e-2),
        (1e-3, 5.97e-4),
        (1e-2, 3.07e-5),
        (1e-1, 1.49e-6),
        (1.0, 7.02e-8),
        (1e2, 1.50e-10),
    ],
)
def test_flux_is_that_of_the_standard(grams: float, per_year: float) -> None:
    """Impacts m-2 a year of ECSS-E-ST-10-04C Rev. 1, table J-5, printed with 3 digits."""
    assert grun_flux(grams * 1e-3) * YEAR == pytest.approx(per_year, rel=6e-3)


def test_differential_flux_is_the_derivative_of_second_order() -> None:
    mass = 10.0 ** np.linspace(-20.0, -1.5, 15)
    errors = []
    for step in (1e-2, 5e-3):
        difference = (grun_flux(mass * (1 - step)) - grun_flux(mass * (1 + step))) / (2 * step * mass)
        errors.append(np.abs(difference / grun_differential_flux(mass) - 1.0).max())
    assert errors[1] < 2e-4
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.05)


def test_mass_of_each_decade_over_the_earth() -> None:
    """t a year per decade from 1e-9 g on, as integrated elsewhere by parts: a F(a) - b F(b) + integral of F."""
    influx = grun_shape(1e-12, 1e-5).influx / TONNE_PER_YEAR
    np.testing.assert_allclose(influx, [107.5, 473.8, 1237.7, 1862.3, 1758.6, 1207.1, 684.4], atol=0.06)
    area = 4 * np.pi * 6471.2e3**2
    for k, found in enumerate(influx):
        low, high = 10.0 ** (k - 9), 10.0 ** (k - 8)
        tail = quad(lambda x: transcribed(np.exp(x)) * np.exp(x), np.log(low), np.log(high), epsrel=1e-11)[0]
        grams = low * transcribed(low) - high * transcribed(high) + tail
        assert found == pytest.approx(grams * 1e-6 * area * YEAR, rel=1e-8)


def test_total_over_the_earth() -> None:
    shape = grun_shape()
    assert shape.total / TONNE_PER_YEAR == pytest.approx(7990.43, abs=0.01)
    assert shape.total / TONNE_PER_DAY == pytest.approx(21.877, abs=0.001)
    assert len(shape.influx) == 20


def test_range_cuts_bins_and_keeps_the_mass() -> None:
    shape = grun_shape()
    parts = [shape.between(1e-21, 3e-10), shape.between(3e-10, 2e-8), shape.between(2e-8, 0.1)]
    assert sum(part.total for part in parts) == pytest.approx(shape.total, rel=1e-9)
    with pytest.raises(SettingsError, match="leave nothing"):
        shape.between(1.0, 2.0)


def test_quadrature_converges_to_the_mean_logarithm() -> None:
    """Against an adaptive integral of the transcribed formula, -m^2 dF/dm d ln m by parts."""
    shape = grun_shape(1e-13, 1e-3)
    decades = np.log(10.0) * np.arange(-10.0, 1.0)

    def weighed(x: float) -> float:
        step = 1e-4
        return -np.exp(x) * (transcribed(np.exp(x + step)) - transcribed(np.exp(x - step))) / (2 * step)

    def integral(power: int) -> float:
        return sum(quad(lambda x: x**power * weighed(x), low, high, epsrel=1e-11)[0] for low, high in itertools.pairwise(decades))

    mean = integral(1) / integral(0)
    for points, limit in ((1, 5e-3), (2, 1e-4), (4, 2e-7)):
        mass, share = shape.quadrature(points)
        assert share.sum() == pytest.approx(1.0, abs=1e-12)
        assert abs(share @ np.log(mass * 1e3) - mean) < limit


def test_sample_follows_the_mass() -> None:
    shape = grun_shape(1e-15, 0.1)
    mass = shape.sample(40_000, np.random.default_rng(3))
    expected = shape.influx / shape.total
    found = np.histogram(mass, shape.edges)[0] / 40_000
    assert (np.abs(found - expected) < 5.0 * np.sqrt(expected * (1 - expected) / 40_000) + 1e-9).all()


@given(st.lists(st.floats(0.01, 1e3), min_size=1, max_size=8), st.integers(1, 5))
def test_table_keeps_its_bins(values: list[float], points: int) -> None:
    edges = 10.0 ** np.arange(-12.0, -12.0 + len(values) + 1)
    shape = table_shape(edges, values)
    np.testing.assert_allclose(shape.influx, values, rtol=1e-10)
    mass, share = shape.quadrature(points)
    np.testing.assert_allclose(np.histogram(mass, edges, weights=share)[0], np.array(values) / sum(values), rtol=1e-10)


def test_table_with_an_empty_bin_is_never_drawn_from() -> None:
    shape = table_shape([1e-9, 1e-8, 1e-7, 1e-6], [1.0, 0.0, 3.0])
    mass = shape.sample(5000, np.random.default_rng(0))
    assert not ((mass > 1.0001e-8) & (mass < 0.9999e-7)).any()
    assert (mass > 5e-8).mean() == pytest.approx(0.75, abs=5 * np.sqrt(0.75 * 0.25 / 5000))
    assert shape.quadrature(2)[1].sum() == pytest.approx(1.0)


def test_influx_by_decade_is_the_figure() -> None:
    data = influx_by_decade(grun_shape(), 30.0 * TONNE_PER_DAY)
    assert float(data["mass_influx_of_bin"].sum()) == pytest.approx(30.0 * 365.25)
    np.testing.assert_allclose(data["mass_influx_per_decade"], data["mass_influx_of_bin"])
    assert float(data["mass_influx_per_decade"].idxmax()) == pytest.approx(10**-5.5)
    assert data["meteoroid_mass"].attrs["units"] == "g"


def test_what_is_refused() -> None:
    with pytest.raises(DataError, match=r"index \(1,\)"):
        grun_flux([1e-9, 0.0])
    with pytest.raises(SettingsError, match="within"):
        grun_shape(1e-24, 1.0)
    with pytest.raises(DataError, match="rise"):
        table_shape([1e-9, 1e-8, 1e-8], [1.0, 1.0])
    with pytest.raises(DataError, match="not all 0"):
        table_shape([1e-9, 1e-8], [0.0])
    with pytest.raises(DataError, match="one value"):
        table_shape([1e-9, 1e-8], [1.0, 2.0])
