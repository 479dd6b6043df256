"""Speed of the fits of spectra: a batch with intervals and limits, beside a loop over scipy and over lmfit, in one run.

    python benchmarks/spectra.py                      # 10 000 spectra of 200 bins, 3 and 5 species
    python benchmarks/spectra.py --spectra 20000 --loop 20

The loops fit a part of the same spectra with the same templates, already at the best shape, and are scaled up. "values": only
the best amplitudes. "intervals": also the 68 % ends and the limit of each species, by fits with one amplitude held. The batch
has values, intervals, limits, the error of the common shape, and the fit of that shape, in one time.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the loops suffer from threads for vectors this short

import argparse
import platform
import time
from collections.abc import Callable

import lmfit
import numba
import numpy as np
import scipy
from scipy.optimize import brentq, minimize

from siderion.spectrometer.fit import fit_spectra
from siderion.spectrometer.instruments import make_setup
from siderion.spectrometer.peaks import PeakShape, peak_matrix

SETUP = make_setup("codif", 16e3, 100.0, 1.0)
EDGES = np.linspace(50.0, 150.0, 201) * 1e-9
MIXTURES = {
    3: {"O+": 1000.0, "N+": 20.0, "O2+": 40.0},
    5: {"O+": 1000.0, "N+": 20.0, "O2+": 40.0, "NO+": 30.0, "Na+": 5.0},
}


def spectra(mixture: dict[str, float], number: int) -> tuple[np.ndarray, np.ndarray]:
    """Templates with a flat background of one event per bin in the last row, and draws."""
    rows = peak_matrix(tuple(mixture), EDGES, SETUP, PeakShape("exponential", 0.02, 0.03))
    templates = np.concatenate([rows, np.ones((1, rows.shape[1]))])
    expected = np.array([*mixture.values(), 1.0]) @ templates
    return templates, np.random.default_rng(1).poisson(expected, size=(number, expected.size)).astype(float)


def best_of_scipy(
    templates: np.ndarray, counts: np.ndarray, held: int = -1, value: float = 0.0, near: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """L-BFGS-B with exact slopes; one amplitude may be held, from a start near the best."""
    sums = templates.sum(axis=1)

    def minus(a: np.ndarray) -> tuple[float, np.ndarray]:
        mu = a @ templates + 1e-9
        return float(mu.sum() - counts @ np.log(mu)), sums - templates @ (counts / mu)

    start = np.full(len(sums), max(counts.sum(), 1.0) / len(sums))
    start[-1] = 1.0
    start = start if near is None else near.copy()
    bounds: list[tuple[float, float | None]] = [(0.0, None)] * len(sums)
    if held >= 0:
        start[held], bounds[held] = value, (value, value)
    found = minimize(minus, start, jac=True, bounds=bounds, method="L-BFGS-B")
    return float(found.fun), found.x


def intervals_of_scipy(templates: np.ndarray, counts: np.ndarray) -> list[tuple[float, float, float]]:
    """Ends where ln L falls by 1/2, and where it falls by 1.353, of every species."""
    lowest, best = best_of_scipy(templates, counts)
    result = []
    for s in range(len(templates) - 1):

        def fall(n: float, level: float, s: int = s) -> float:
            return best_of_scipy(templates, counts, s, n, best)[0] - lowest - level

        far = best[s] + 8.0 * np.sqrt(best[s] + 50.0)
        ends = [brentq(fall, best[s], far, args=(level,), rtol=1e-3) for level in (0.5, 1.353)]
        low = brentq(fall, 0.0, best[s], args=(0.5,), rtol=1e-3) if best[s] > 0.0 and fall(0.0, 0.5) > 0.0 else 0.0
        result.append((low, *ends))
    return result


def best_of_lmfit(templates: np.ndarray, counts: np.ndarray) -> lmfit.minimizer.MinimizerResult:
    """Root of the deviance as residuals, least squares, with lmfit's errors."""
    parameters = lmfit.Parameters()
    for k in range(len(templates)):
        parameters.add(f"a{k}", value=counts.sum() / len(templates) if k < len(templates) - 1 else 1.0, min=0.0)

    def residuals(p: lmfit.Parameters) -> np.ndarray:
        mu = np.array([p[f"a{k}"].value for k in range(len(templates))]) @ templates + 1e-9
        term = np.where(counts > 0.0, counts * np.log(np.maximum(counts, 1e-300) / mu), 0.0)
        return np.sign(counts - mu) * np.sqrt(np.maximum(2.0 * (mu - counts + term), 0.0))

    return lmfit.minimize(residuals, parameters)


def seconds(work: Callable[[], object]) -> float:
    """Wall time."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spectra", type=int, default=10_000)
    parser.add_argument("--loop", type=int, default=10, help="spectra that the loops fit")
    options = parser.parse_args()
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}, lmfit {lmfit.__version__}, "
        f"{os.cpu_count()} cores, {numba.get_num_threads()} threads"
    )
    print(f"{'species':>7} {'work':40} {'s for ' + str(options.spectra) + ' spectra':>24} {'over the batch':>15}")
    for number, mixture in MIXTURES.items():
        templates, counts = spectra(mixture, options.spectra)
        names = tuple(mixture)
        fit_spectra(counts[:30], EDGES, names, SETUP)
        batch = min(seconds(lambda: fit_spectra(counts, EDGES, names, SETUP)) for _ in range(2))  # noqa: B023
        rows = [("batch: values, intervals, limits", batch)]
        scale = options.spectra / options.loop
        part = counts[: options.loop]
        for name, work in (
            ("loop over scipy: values", best_of_scipy),
            ("loop over scipy: values, intervals, limits", intervals_of_scipy),
            ("loop over lmfit: values, errors", best_of_lmfit),
        ):
            rows.append((name, scale * seconds(lambda: [work(templates, one) for one in part])))  # noqa: B023
        for name, spent in rows:
            print(f"{number:7} {name:40} {spent:24.1f} {spent / batch:15.1f}")


if __name__ == "__main__":
    main()
