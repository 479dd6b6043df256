"""Peaks as probabilities of bins: normalisation, exact laws by quadrature, smoothness, limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import exponnorm, norm

from siderion.core.errors import SettingsError
from siderion.spectrometer.flight_time import flight_components
from siderion.spectrometer.foil_montecarlo import draw_flight_times
from siderion.spectrometer.instruments import make_setup
from siderion.spectrometer.peaks import (
    KINDS,
    SCALINGS,
    PeakShape,
    default_shape,
    exponential_distribution,
    peak_matrix,
    power_distribution,
    power_mean,
)

SETUP = make_setup("codif", 16e3, 100.0)
SPECIES = ["O+", "N+", "O2+", "NO+", "N2+"]


@pytest.mark.parametrize("rate", [0.05, 0.5, 2.0, 20.0])
def test_exponential_law_against_scipy(rate: float) -> None:
    z = np.linspace(-6.0, 40.0, 200)
    assert exponential_distribution(z, rate) == pytest.approx(exponnorm.cdf(z, 1.0 / rate), abs=1e-12)


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e12))
@settings(max_examples=200, deadline=None)
def test_exponential_law_never_overflows(z: float, rate: float) -> None:
    value = float(exponential_distribution(z, rate))
    assert -1e-12 <= value <= 1.0 + 1e-12


def test_exponential_law_without_tail_is_normal() -> None:
    z = np.linspace(-5.0, 5.0, 50)
    assert exponential_distribution(z, 1e12) == pytest.approx(norm.cdf(z), abs=1e-11)


@pytest.mark.parametrize(("tail", "exponent"), [(0.01, 2.0), (0.3, 3.0), (0.8, 1.5)])
def test_power_law_against_quadrature_of_its_density(tail: float, exponent: float) -> None:
    def density(z: float) -> float:
        step = 1e-5
        return float(np.diff(power_distribution(np.array([z - step, z + step]), tail, exponent))[0]) / (2 * step)

    assert float(power_distribution(1e9, tail, exponent)) == pytest.approx(1.0, abs=1e-4)
    start, end = 1.0, 9.0
    assert quad(density, start, end, limit=200, epsabs=1e-7)[0] == pytest.approx(
        float(np.diff(power_distribution(np.array([start, end]), tail, exponent))[0]), abs=1e-6
    )
    # The density and its logarithmic slope have no jump: second differences on a fine grid stay small.
    z = np.linspace(-3.0, 8.0, 4001)
    fine = np.gradient(power_distribution(z, tail, exponent), z)
    assert np.abs(np.diff(fine, 2)).max() < 1e-4
    far = power_distribution(np.array([1e3, 1e4]), tail, exponent)
    assert np.log((1 - far[0]) / (1 - far[1])) / np.log(10.0) == pytest.approx(exponent - 1.0, rel=0.02)


def test_power_law_without_tail_is_normal() -> None:
    z = np.linspace(-5.0, 5.0, 50)
    assert power_distribution(z, 0.0, 3.0) == pytest.approx(norm.cdf(z))
    assert power_distribution(z, 1e-12, 3.0) == pytest.approx(norm.cdf(z), abs=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_sum_to_one_on_a_wide_range(kind: str) -> None:
    shape = PeakShape(kind, 0.02, 0.05, exponent=4.0)
    edges = np.concatenate([[0.0], np.geomspace(1e-9, 1e-3, 2000)])
    matrix = peak_matrix(SPECIES, edges, SETUP, shape)
    assert matrix.sum(axis=1) == pytest.approx(np.ones(5), abs=1e-9)
    assert (matrix >= 0.0).all()


def test_rows_do_not_depend_on_the_company_or_on_the_bins() -> None:
    shape, edges = PeakShape(), np.linspace(0.0, 300e-9, 257)
    matrix = peak_matrix(SPECIES, edges, SETUP, shape)
    for row, name in enumerate(SPECIES):
        assert matrix[row] == pytest.approx(peak_matrix([name], edges, SETUP, shape)[0], rel=1e-12)
    coarse = peak_matrix(SPECIES, edges[::4], SETUP, shape)
    assert coarse == pytest.approx(matrix.reshape(5, 64, 4).sum(axis=2), abs=1e-14)


def test_moments_of_an_atom_and_of_a_molecule() -> None:
    """Mean t (1 + tail) and variance t^2 (width^2 + tail^2) of an atom; fragments add the variance of their release."""
    edges = np.linspace(0.0, 400e-9, 40001)
    middle = 0.5 * (edges[1:] + edges[:-1])
    shape = PeakShape(width=0.02, tail=0.03)
    for name in ("O+", "O2+"):
        (part,) = flight_components(name, SETUP)
        row = peak_matrix([name], edges, SETUP, shape)[0]
        mean = float((row * middle).sum())
        assert mean == pytest.approx(1.03 * part.time, rel=1e-6)
        spread = np.sqrt(float((row * (middle - mean) ** 2).sum())) / part.time
        assert spread == pytest.approx(np.sqrt(0.02**2 + 0.03**2 + part.release_spread**2), rel=1e-4)


def test_energy_release_widens_molecules_only() -> None:
    edges = np.linspace(0.0, 300e-9, 257)
    none, much = (peak_matrix(["O+", "O2+"], edges, SETUP, PeakShape(energy_release=value)) for value in (0.0, 20.0))
    assert none[0] == pytest.approx(much[0])
    assert none[1].max() > 1.05 * much[1].max()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["width", "tail", "time_scale", "energy_release"])
def test_smooth_in_each_parameter(kind: str, name: str) -> None:
    """Central differences with two steps agree: the derivative exists and has no noise."""
    edges = np.linspace(0.0, 300e-9, 257)
    base = PeakShape(kind, 0.02, 0.05, energy_release=5.0)
    value = getattr(base, name)

    def slope(step: float) -> np.ndarray:
        high, low = (peak_matrix(SPECIES, edges, SETUP, base.with_values(**{name: value * (1 + s)})) for s in (step, -step))
        return (high - low) / (2.0 * step * value)

    coarse, fine = slope(1e-3), slope(5e-4)
    assert np.abs(coarse - fine).max() < 2e-3 * np.abs(fine).max()


def test_time_scale_moves_all_times() -> None:
    edges = np.linspace(0.0, 300e-9, 257)
    one = peak_matrix(SPECIES, edges, SETUP, PeakShape())
    two = peak_matrix(SPECIES, 1.1 * edges, SETUP, PeakShape(time_scale=1.1))
    assert one == pytest.approx(two, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_default_shape_is_possible(kind: str) -> None:
    shape = default_shape(SETUP, kind)
    assert 0.002 < shape.width < 0.05
    assert 0.0 < shape.tail < 0.9
    assert 0.9 < shape.time_scale < 1.05


@pytest.mark.parametrize("kind", KINDS)
def test_straggling_follows_the_montecarlo_closer_than_one_shape_for_all(kind: str) -> None:
    for name in ("O2+", "NO+", "N2+"):
        times = draw_flight_times(name, SETUP, 20_000, 13)
        points = np.arange(0.02, 1.0, 0.02)
        edges = np.concatenate([[0.0], np.quantile(times, points)])
        shared, own = (
            np.abs(np.cumsum(peak_matrix([name], edges, SETUP, default_shape(SETUP, kind, scaling))[0]) - points).max()
            for scaling in SCALINGS
        )
        assert own < 0.5 * shared


@pytest.mark.parametrize("kind", KINDS)
def test_straggling_leaves_oxygen_and_sums_alone(kind: str) -> None:
    edges = np.concatenate([[0.0], np.geomspace(1e-9, 1e-3, 2000)])
    shared, own = (peak_matrix(["O+", "CO2+"], edges, SETUP, default_shape(SETUP, kind, scaling)) for scaling in SCALINGS)
    assert shared[0] == pytest.approx(own[0], abs=2e-3)
    assert own.sum(axis=1) == pytest.approx(np.ones(2), abs=1e-6)


def test_mean_of_the_power_law_by_its_distribution() -> None:
    z = np.concatenate([np.linspace(-8.0, 10.0, 20_001), np.geomspace(10.001, 1e9, 40_001)])
    law = power_distribution(z, 0.3, 3.5)
    assert (0.5 * (z[1:] + z[:-1]) * np.diff(law)).sum() == pytest.approx(power_mean(0.3, 3.5), rel=1e-4)


@pytest.mark.parametrize(
    "arguments",
    [{"kind": "lorentz"}, {"width": 0.0}, {"tail": -0.1}, {"kind": "power", "tail": 1.0}, {"kind": "power", "exponent": 1.0}],
)
def test_impossible_shapes_are_refused(arguments: dict) -> None:
    with pytest.raises(SettingsError):
        PeakShape(**arguments)


def test_bad_edges_are_refused() -> None:
    with pytest.raises(SettingsError, match="increase"):
        peak_matrix(["O+"], [0.0, 1e-7, 1e-7], SETUP)
    assert peak_matrix([], [0.0, 1e-7], SETUP).shape == (0, 1)
