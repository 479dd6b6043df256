"""Batches with one shape: the same as single fits, coverage, the error of the common shape, speed."""

from __future__ import annotations

import time

import numpy as np
import pytest

from siderion.core.errors import DataError
from siderion.core.measurement import check_measurement
from siderion.spectrometer.fit import FitSettings, fit_spectra
from siderion.spectrometer.instruments import make_setup
from siderion.spectrometer.peaks import PeakShape, peak_matrix

EDGES = np.linspace(50.0, 150.0, 201) * 1e-9
SPECIES = ("O+", "N+", "O2+")
SETUP = make_setup("codif", 16e3, 100.0, 1.0)
TRUTH = np.array([800.0, 12.0, 25.0])
MATRIX = peak_matrix(SPECIES, EDGES, SETUP, PeakShape("exponential", 0.02, 0.03))


def spectra(number: int, seed: int = 1) -> np.ndarray:
    """Draws of one mixture."""
    return np.random.default_rng(seed).poisson(TRUTH @ MATRIX + 0.5, size=(number, EDGES.size - 1))


def test_batch_covers() -> None:
    """2000 spectra: means without bias beyond 3 errors of the mean, 68 % and 95 % as they should be."""
    found = fit_spectra(spectra(2000), EDGES, SPECIES, SETUP)
    check_measurement(found, "species_counts")
    for s, truth in enumerate(TRUTH):
        one = found.isel(species=s)
        best = one["species_counts_best"].values
        assert abs(best.mean() - truth) < 4.0 * best.std() / np.sqrt(2000) + 0.02 * truth
        inside = (one["species_counts_lower"] <= truth) & (truth <= one["species_counts_upper"])
        assert 0.64 < float(inside.mean()) < 0.75
        assert float((one["species_counts_limit"] >= truth).mean()) > 0.93
    assert 0.003 < float((found["goodness_of_fit"] < 0.01).mean()) < 0.03
    assert found.sizes["spectrum"] == 2000
    assert "model_by_species" not in found


def test_shared_and_single_agree() -> None:
    """A spectrum in a batch gives the counts of its own fit, within the part of the error that comes from its own shape."""
    some = spectra(30, seed=2)
    batch = fit_spectra(some, EDGES, SPECIES, SETUP, share_shape=True)
    single = fit_spectra(some[:2], EDGES, SPECIES, SETUP, share_shape=False)
    assert single["species_counts_best"].values == pytest.approx(batch["species_counts_best"].values[:2], rel=0.02, abs=4.0)
    assert np.allclose(
        batch["model_by_species"].sum(("species", "tof")) + batch["model_background"].sum("tof"), some.sum(axis=1), rtol=0.01
    )


def test_the_common_shape_has_an_error() -> None:
    """Few spectra fix the shape less well than many, so their intervals are wider."""
    many, few = spectra(400, seed=3), spectra(400, seed=3)[:4]
    wide, narrow = (fit_spectra(data, EDGES, SPECIES, SETUP, share_shape=True) for data in (few, many))
    widths = [(one["species_counts_upper"] - one["species_counts_lower"]).values[:4].mean(axis=0) for one in (wide, narrow)]
    assert np.all(widths[0] >= widths[1] * 0.995)


def test_known_background_is_used() -> None:
    """A known background is kept, and a wrong one shows in the goodness of fit."""
    good = fit_spectra(spectra(50), EDGES, SPECIES, SETUP, FitSettings(background=0.5))
    wrong = fit_spectra(spectra(50), EDGES, SPECIES, SETUP, FitSettings(background=5.0))
    assert np.all(good["background_per_bin"] == 0.5)
    assert float(good["goodness_of_fit"].median()) > 0.2 > float(wrong["goodness_of_fit"].median())


def test_empty_spectra() -> None:
    """Empty spectra among others give zeros and limits of about three counts; nothing but empty ones is refused."""
    data = spectra(25)
    data[3] = 0
    found = fit_spectra(data, EDGES, SPECIES, SETUP)
    assert found["species_counts_best"].values[3].tolist() == [0.0, 0.0, 0.0]
    assert found["species_counts_limit"].values[3] == pytest.approx([3.0, 3.0, 3.0], rel=0.05)
    with pytest.raises(DataError, match="are zero"):
        fit_spectra(np.zeros((25, 200)), EDGES, SPECIES, SETUP)


def test_ten_thousand_in_a_minute() -> None:
    """2000 spectra in less than 12 s, compiled: 10 000 in a minute."""
    data = spectra(2000)
    fit_spectra(data[:50], EDGES, SPECIES, SETUP)
    start = time.perf_counter()
    fit_spectra(data, EDGES, SPECIES, SETUP)
    assert time.perf_counter() - start < 12.0
