"""Joint fits of energy and time of flight: the velocity filter separates what the times alone do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from siderion.core.errors import DataError
from siderion.core.species import get_species
from siderion.spectrometer.fit.joint import energy_edges, fit_energy_time, velocity_shares
from siderion.spectrometer.instruments import make_setup
from siderion.spectrometer.peaks import PeakShape, peak_matrix

EDGES = np.linspace(50.0, 150.0, 101) * 1e-9
ENERGIES = np.geomspace(30.0, 3000.0, 12)
SETUP = make_setup("codif", 16e3, 100.0, 1.0)
SPECIES = ("O+", "O2+")


def mixture(truth: tuple[float, float]) -> np.ndarray:
    """Expected counts (energy, bin): O+ about 200 eV, O2+ at the same speed about 400 eV; a strong power-law tail."""
    result = np.zeros((ENERGIES.size, EDGES.size - 1))
    shape = PeakShape("power", 0.02, 0.2)
    for name, amount in zip(SPECIES, truth, strict=True):
        mass = get_species(name).mass / get_species("O+").mass
        share = np.diff(norm.cdf(np.log(energy_edges(ENERGIES)), np.log(200.0 * mass), 0.4))
        for i, energy in enumerate(ENERGIES):
            there = replace(SETUP, energy_per_charge=float(energy))
            result[i] += amount * share[i] * peak_matrix([name], EDGES, there, shape)[0]
    return result


def test_the_velocity_filter_helps() -> None:
    """Both come back, and the error of O2+ is smaller than from the times alone."""
    counts = np.random.default_rng(3).poisson(mixture((6000.0, 60.0)) + 0.02)
    found = fit_energy_time(counts, ENERGIES, EDGES, SPECIES, SETUP).isel(spectrum=0)
    low, high = found["joint_counts_lower"].values, found["joint_counts_upper"].values
    assert found["joint_counts"].values[0] == pytest.approx(6000.0, rel=0.04)
    assert abs(found["joint_counts"].values[1] - 60.0) < 1.5 * (high[1] - low[1])
    assert float(found["separation_gain"][1]) > 1.1
    speeds, share = found["velocity"].values, found["velocity_distribution"].values
    # the mean of ln v is that of O+ at 200 eV: 49.1 km/s
    assert np.exp(share @ np.log(speeds)) == pytest.approx(49.1, rel=0.03)


def test_heavier_ions_have_more_energy() -> None:
    """O2+ lies one factor of two in energy above O+ at the same velocity; shares of a covered bin add up to 1."""
    shares, _ = velocity_shares(np.geomspace(50.0, 1600.0, 6), SPECIES)
    assert shares[:, 0].sum(axis=1) == pytest.approx(1.0)
    middle = shares[4]
    assert middle[1].argmax() == middle[0].argmax() + 1
    assert middle[1].sum() == pytest.approx(1.0)


def test_bad_energies_are_refused() -> None:
    """Energies must rise, and fit the counts."""
    with pytest.raises(DataError, match="rising"):
        fit_energy_time(np.zeros((3, 100)), [3.0, 2.0, 1.0], EDGES, SPECIES, SETUP)
    with pytest.raises(DataError, match="shape"):
        fit_energy_time(np.zeros((4, 100)), [1.0, 2.0, 3.0], EDGES, SPECIES, SETUP)
