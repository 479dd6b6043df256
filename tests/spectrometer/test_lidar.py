"""Lidar: cross section, round trip, scatter of the errors, Rayleigh normalisation, darkness."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siderion.core.errors import CoverageError, DataError, NumericalError, SettingsError
from siderion.spectrometer.lidar import (
    density_by_rayleigh,
    density_from_counts,
    effective_cross_section,
    expected_counts,
    get_lidar,
    get_line,
    rayleigh_counts,
    simulate_counts,
)

ALTITUDE = np.arange(75.5e3, 115e3, 1e3)
LAYER = 3e9 * np.exp(-0.5 * ((ALTITUDE - 91e3) / 4.5e3) ** 2)


def test_sodium_line() -> None:
    line = get_line("Na D2a")
    assert line.oscillator_strength / 0.625 == pytest.approx(0.641, abs=0.002)  # tabulated f of D2
    # by hand: 2.654e-6 m2 Hz times f over sqrt(2 pi) times 456.5 MHz (sqrt(kT/m)/lambda at 200 K)
    assert effective_cross_section(line, 200.0) == pytest.approx(2.654e-6 * 0.4007 / (2.5066 * 456.5e6), rel=2e-3)
    # a laser as wide as the line makes it sqrt(2) times smaller
    assert effective_cross_section(line, 200.0, 456.5e6) == pytest.approx(effective_cross_section(line, 200.0) / 2**0.5, rel=1e-3)
    with pytest.raises(CoverageError, match="Na D2a"):
        get_line("swamp")
    with pytest.raises(SettingsError):
        effective_cross_section(line, -1.0)


@given(st.floats(1e6, 3e10), st.floats(1.0, 8.0), st.floats(84.0, 100.0))
@settings(max_examples=30, deadline=None)
def test_round_trip_is_exact(peak: float, width: float, height: float) -> None:
    layer = peak * np.exp(-0.5 * ((ALTITUDE / 1e3 - height) / width) ** 2)
    lidar = get_lidar("tromso")
    density, _ = density_from_counts(expected_counts(layer, ALTITUDE, lidar), ALTITUDE, lidar)
    np.testing.assert_allclose(density, layer, rtol=1e-9, atol=1e-6 * peak)


def test_thin_limit_and_inverse_square() -> None:
    lidar = replace(get_lidar("tromso"), background=0.0)
    thin = expected_counts(1e-6 * LAYER, ALTITUDE, lidar) * 1e6
    constant = lidar.system_constant * lidar.cross_section / (4.0 * np.pi) * 1e3
    np.testing.assert_allclose(thin, constant * LAYER / ALTITUDE**2, rtol=1e-6)
    # the loss at the top is twice the depth of the whole column, to the last bin
    ratio = expected_counts(LAYER, ALTITUDE, lidar)[-1] / thin[-1]
    assert ratio == pytest.approx(np.exp(-2.0 * lidar.cross_section * LAYER.sum() * 1e3), rel=1e-3)


def test_errors_are_those_of_many_draws() -> None:
    lidar = get_lidar("tromso")
    draws = np.stack([simulate_counts(LAYER, ALTITUDE, lidar, seed) for seed in range(400)])
    density, error = density_from_counts(draws, ALTITUDE, lidar)
    inside = LAYER > 1e8
    bias = (density.mean(axis=0) - LAYER)[inside] / (density.std(axis=0)[inside] / 20.0)
    assert np.abs(bias).max() < 4.0
    # the spread of 400 draws is known to 3.5 %; the loss below adds less than 2 %
    np.testing.assert_allclose(density.std(axis=0)[inside], error.mean(axis=0)[inside], rtol=0.15)


def test_rayleigh_normalisation_needs_no_system_constant() -> None:
    lidar = get_lidar("tromso")
    counts = expected_counts(LAYER, ALTITUDE, lidar)
    reference = rayleigh_counts(30e3, 3.8e23, lidar)
    unknown = replace(lidar, system_constant=1.0)
    density, error = density_by_rayleigh(counts, ALTITUDE, reference, 30e3, 3.8e23, unknown)
    np.testing.assert_allclose(density, LAYER, rtol=1e-9, atol=1.0)
    _, plain = density_from_counts(counts, ALTITUDE, lidar)
    assert (error > plain).all()
    with pytest.raises(DataError, match="background"):
        density_by_rayleigh(counts, ALTITUDE, 1.0, 30e3, 3.8e23, unknown)


def test_night_of_the_two_nights_of_the_review() -> None:
    lidar = get_lidar("tromso")
    times = np.array(["2012-11-01T15:30", "2015-10-07T17:00", "2012-11-01T11:00", "2015-06-21T23:00"], dtype="datetime64[ns]")
    np.testing.assert_array_equal(lidar.is_night(times), [True, True, False, False])


def test_refusals() -> None:
    lidar = get_lidar("tromso")
    with pytest.raises(DataError, match="negative"):
        expected_counts(-LAYER, ALTITUDE, lidar)
    with pytest.raises(DataError, match="even steps"):
        expected_counts(LAYER, ALTITUDE**1.01, lidar)
    with pytest.raises(NumericalError, match="more than any density"):
        density_from_counts(np.full(len(ALTITUDE), 1e9), ALTITUDE, lidar)
    with pytest.raises(CoverageError, match="tromso"):
        get_lidar("swamp")
