"""Fits of spectra from the Monte Carlo of the foil with the analytic peaks: coverage, bias, false detections, detection limit."""

from __future__ import annotations

import numpy as np
from recording import check_recorded

from siderion.spectrometer.fit import FitSettings, calibration_channel, fit_spectra
from siderion.spectrometer.foil_montecarlo import draw_flight_times
from siderion.spectrometer.instruments import make_setup
from siderion.spectrometer.peaks import PeakShape, peak_matrix

SPECIES = ("O+", "N+", "O2+")
EDGES = np.linspace(40.0, 160.0, 241) * 1e-9
SETUP = make_setup("codif", 16e3, 100.0, 1.0)
BACKGROUND = 0.2
MIXTURES = {
    "1e4 O+": (1e4, 0.0, 0.0),
    "1e5 O+": (1e5, 0.0, 0.0),
    "1e4 O+, 1 % N+, 1 % O2+": (1e4, 100.0, 100.0),
    "1e4 O+, 10 % N+, 3 % O2+": (1e4, 1000.0, 300.0),
}
"""Expected counts of O+, N+, O2+."""
DRAWS = {"reduced": 2, "full": 40}
POOL = {"reduced": 150_000, "full": 400_000}


class Pool:
    """Flight times of ions through the foil, drawn once; spectra are samples of them."""

    def __init__(self, size: int, seed: int = 11) -> None:
        self.times = [draw_flight_times(name, SETUP, size, seed + k) for k, name in enumerate(SPECIES)]

    def spectrum(self, expected: tuple[float, ...], rng: np.random.Generator) -> np.ndarray:
        """Counts of one spectrum."""
        counts = rng.poisson(BACKGROUND, EDGES.size - 1).astype(float)
        for times, mean in zip(self.times, expected, strict=True):
            counts += np.histogram(rng.choice(times, rng.poisson(mean)), EDGES)[0]
        return counts

    def inside(self, expected: tuple[float, ...]) -> np.ndarray:
        """Expected counts within the histogram."""
        return np.array([np.mean((t > EDGES[0]) & (t < EDGES[-1])) * n for t, n in zip(self.times, expected, strict=True)])


def statistics(spectra: np.ndarray, truth: np.ndarray, calibration=None) -> dict[str, float]:
    """Coverage, bias and detections of O2+ (and coverage of O+) over spectra."""
    found = fit_spectra(spectra, EDGES, SPECIES, SETUP, FitSettings(), calibration=calibration, share_shape=False)
    molecule = found.sel(species="O2+")
    return {
        "coverage of O2+": _coverage(found, "O2+", truth[2]),
        "coverage of O+": _coverage(found, "O+", truth[0]),
        "limit of O2+ holds": float((molecule["species_counts_limit"] >= truth[2]).mean()),
        "O2+ seen": float((~molecule["species_counts_upper_limit"]).mean()),
        "coverage of N+": _coverage(found, "N+", truth[1]),
        "mean N+": float(found.sel(species="N+")["species_counts_best"].mean()),
        "mean O2+": float(molecule["species_counts_best"].mean()),
        "median limit of O2+": float(molecule["species_counts_limit"].median()),
        "limit of N+ holds": float((found.sel(species="N+")["species_counts_limit"] >= truth[1]).mean()),
    }


def _coverage(found, name: str, truth: float) -> float:
    one = found.sel(species=name)
    return float(((one["species_counts_lower"] <= truth) & (truth <= one["species_counts_upper"])).mean())


def run(size: str) -> dict[str, float]:
    """Norms of all mixtures, with and without a calibration, and of analytic peaks in a batch."""
    norms: dict[str, float] = {}
    pool, rng = Pool(POOL[size]), np.random.default_rng(5)
    for name, expected in MIXTURES.items():
        spectra = np.array([pool.spectrum(expected, rng) for _ in range(DRAWS[size])])
        truth = pool.inside(expected)
        norms |= {f"{name}, {key}": value for key, value in statistics(spectra, truth).items()}
    expected = MIXTURES["1e4 O+, 1 % N+, 1 % O2+"]
    known = calibration_channel(pool.spectrum((1e5, 0.0, 0.0), rng), EDGES, SETUP)
    spectra = np.array([pool.spectrum(expected, rng) for _ in range(DRAWS[size])])
    found = statistics(spectra, pool.inside(expected), known)
    norms |= {f"calibrated, {key}": value for key, value in found.items()}
    norms |= analytic(2000 if size == "reduced" else 10_000)
    return norms


def analytic(number: int) -> dict[str, float]:
    """Coverage of a batch with the shared shape, drawn from the analytic peak: near zero, and well above."""
    rng, norms = np.random.default_rng(8), {}
    matrix = peak_matrix(SPECIES, EDGES, SETUP, PeakShape("exponential", 0.02, 0.03))
    for name, truth in {"0": (500.0, 0.0, 0.0), "3": (500.0, 3.0, 3.0), "40": (500.0, 40.0, 40.0)}.items():
        spectra = rng.poisson(np.array(truth) @ matrix + 0.5, size=(number, EDGES.size - 1))
        found = fit_spectra(spectra, EDGES, SPECIES, SETUP)
        low, high = found["species_counts_lower"].values[:, 2], found["species_counts_upper"].values[:, 2]
        limit = found["species_counts_limit"].values[:, 2]
        norms[f"batch, {name} O2+, coverage"] = float(((low <= truth[2]) & (truth[2] <= high)).mean())
        norms[f"batch, {name} O2+, limit holds"] = float((limit >= truth[2]).mean())
    return norms


def test_spectrum_fit() -> None:
    """No false detection, limits that hold, intervals that cover."""
    norms = check_recorded("spectrum_fit", run)
    for name, value in norms.items():
        if name.endswith("O2+ seen") and name.split(",")[0] == name.removesuffix(", O2+ seen") and "calibrated" not in name:
            assert value < 0.1, name
        if name.endswith(("limit of O2+ holds", "limit of N+ holds", "limit holds")):
            assert value > 0.8, name
    for count in ("3", "40"):
        assert 0.6 < norms[f"batch, {count} O2+, coverage"] < 0.95
