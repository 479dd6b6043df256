"""Monte Carlo of the foil: counts, mean energy, limits, and the analytic components it must agree with."""

from __future__ import annotations

import numpy as np
import pytest

from siderion.core.errors import CoverageError, SettingsError
from siderion.core.species import get_species
from siderion.spectrometer.flight_time import flight_components, loss_free_time, release_half_width
from siderion.spectrometer.foil import retained_fraction
from siderion.spectrometer.foil_montecarlo import _kicks, _single_collisions, _through_foil, draw_flight_times
from siderion.spectrometer.foil_straggling import between
from siderion.spectrometer.instruments import make_setup

SETUP = make_setup("codif", 16e3, 100.0)


@pytest.mark.parametrize("name", ["O+", "NO+", "CO2+"])
@pytest.mark.parametrize("number", [0, 1, 3000])
def test_number_of_ions_is_exact_and_times_are_finite(name: str, number: int) -> None:
    times = draw_flight_times(name, SETUP, number, 1)
    assert times.shape == (number,)
    assert np.isfinite(times).all()
    assert (times > 0.0).all()


def test_same_seed_same_times() -> None:
    assert np.array_equal(draw_flight_times("O2+", SETUP, 500, 7), draw_flight_times("O2+", SETUP, 500, 7))
    assert not np.array_equal(draw_flight_times("O2+", SETUP, 500, 7), draw_flight_times("O2+", SETUP, 500, 8))


@pytest.mark.parametrize("atom", ["H", "O", "Ar"])
def test_mean_energy_is_the_simulated_one(atom: str) -> None:
    energy = np.full(100_000, 20e3)
    kept, bend = _through_foil(atom, energy, SETUP, np.ones(energy.size), np.random.default_rng(2))
    assert kept.mean() / 20e3 == pytest.approx(
        float(retained_fraction(atom, 20e3)), abs=5.0 * kept.std() / 20e3 / np.sqrt(kept.size)
    )
    assert np.abs(bend.mean(axis=0)).max() < 5.0 * bend.std() / np.sqrt(kept.size)


def test_single_collisions_have_the_number_and_the_loss_of_their_law() -> None:
    target, lowest, eps = 3.0, 0.05, 1.5
    squares, _ = _single_collisions(16.0 / 12.0, np.full(200_000, target), lowest, eps, np.random.default_rng(3))
    assert squares.mean() == pytest.approx(target * between(2, lowest, eps), rel=0.01)
    assert squares.var() == pytest.approx(target * between(3, lowest, eps), rel=0.03)
    assert (squares == 0.0).mean() == pytest.approx(np.exp(-target * between(1, lowest, eps)), abs=0.004)


def test_fragments_conserve_momentum_and_energy() -> None:
    masses = np.array([get_species(atom).mass for atom in ("C", "O", "O")])
    energy = np.full(1000, 16e3)
    kicks = _kicks(masses, 7.0, energy, np.random.default_rng(4))
    assert np.abs(np.tensordot(masses, kicks, axes=1)).max() < 1e-12 * masses.sum()
    shared = energy * (masses[:, None] * (kicks**2).sum(axis=2)).sum(axis=0) / masses.sum()
    assert shared == pytest.approx(np.full(1000, 7.0))
    pair = _kicks(masses[1:], 7.0, energy, np.random.default_rng(4))
    assert np.sqrt((pair[0] ** 2).sum(axis=1)) == pytest.approx(np.full(1000, release_half_width("O2+", "O", _at(16e3), 7.0)))


def _at(energy: float):
    return make_setup("codif", energy, 0.0)


def test_without_foil_only_the_optics_and_the_clock_are_left() -> None:
    setup = make_setup("codif", 16e3, 100.0, foil_thickness=0.0)
    times = draw_flight_times("O+", setup, 40_000, 5)
    expected = loss_free_time("O+", setup)
    assert times.mean() == pytest.approx(expected, rel=5e-4)
    assert times.std() / expected == pytest.approx(np.hypot(0.01, 0.3e-9 / expected), rel=0.05)


@pytest.mark.parametrize("name", ["H+", "O+", "O2+", "NO+", "N2+"])
def test_mean_times_agree_with_the_components(name: str) -> None:
    """Within 1.5 per cent: the components leave out the long tail and the longer paths, the Monte Carlo has them."""
    parts = flight_components(name, SETUP)
    expected = sum(part.weight * part.time for part in parts)
    times = draw_flight_times(name, SETUP, 20_000, 6)
    assert times.mean() == pytest.approx(expected, rel=0.015)


def test_molecule_is_later_than_the_square_root_of_two() -> None:
    atom, molecule = (np.median(draw_flight_times(name, SETUP, 20_000, 9)) for name in ("O+", "O2+"))
    assert 1.42 < molecule / atom < 1.47
    thicker = make_setup("codif", 16e3, 100.0, 0.5)
    ratio = np.median(draw_flight_times("O2+", thicker, 20_000, 9)) / np.median(draw_flight_times("O+", thicker, 20_000, 9))
    assert ratio < molecule / atom


def test_peak_is_skewed_to_late_times_and_thicker_foils_widen_it() -> None:
    for thickness, least in ((0.5, 1.2), (1.0, 1.2)):
        times = draw_flight_times("O+", make_setup("codif", 16e3, 100.0, thickness), 20_000, 10)
        low, middle, high = np.quantile(times, [0.05, 0.5, 0.95])
        assert (high - middle) / (middle - low) > least
    thin, thick = (
        np.subtract(*np.quantile(draw_flight_times("O+", make_setup("codif", 16e3, 100.0, t), 20_000, 11), [0.84, 0.16]))
        for t in (0.5, 1.5)
    )
    assert thick > 1.5 * thin


def test_linear_field_draws_the_share_of_ions() -> None:
    setup = make_setup("ima", 12e3, 100.0)
    neutral, ion = flight_components("O+", setup)
    times = draw_flight_times("O+", setup, 20_000, 12)
    near = np.abs(times / ion.time - 1.0) < 0.1
    assert near.mean() == pytest.approx(ion.weight, abs=0.02)
    assert np.median(times[~near]) == pytest.approx(neutral.time, rel=0.05)


def test_bad_input_is_refused() -> None:
    with pytest.raises(SettingsError, match="negative"):
        draw_flight_times("O+", SETUP, -1, 1)
    with pytest.raises(SettingsError, match="no time axis"):
        draw_flight_times("O+", make_setup("magnetic", energy_per_charge=1e3), 10, 1)
    with pytest.raises(CoverageError, match="stops in a foil"):
        draw_flight_times("Fe+", make_setup("codif", 15e3, 0.0, 3.0), 10, 1)
