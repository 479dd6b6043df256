"""Poisson likelihood of sums of peaks with a shared, uncertain shape; significance of one species against none of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from siderion.core.errors import NumericalError, SettingsError

from .templates import Templates

Array = NDArray[np.float64]
STEPS, CLOSE = 200, 1e-6
"""Most steps of a fit, and the relative fall of the deviance at which it ends."""
FLOOR = 1e-12
"""Least background of a bin, of all counts: no bin is impossible."""
_STEEPEST, LARGEST_SHIFT = 20.0, 1.0
"""Bounds of the change of the logarithm of a peak, and of the relative changes of tail and width."""


def expected_spectrum(templates: Templates, counts: Array, background: float = 0.0) -> Array:
    """Expected counts of the bins.

    Parameters
    ----------
    templates : Templates
        Peaks.
    counts : array of shape (species,)
        Expected counts of each species.
    background : float
        Expected counts of the background in each bin.
    """
    values = np.asarray(counts, dtype=np.float64)
    if values.shape != (len(templates.species),) or not ((values >= 0.0).all() and np.isfinite(values).all()):
        raise SettingsError(f"counts are {values}; one that is not negative is needed for each of {', '.join(templates.species)}")
    if not 0.0 <= background < np.inf:
        raise SettingsError(f"background is {background} counts a bin; it must be finite and not negative")
    return values @ templates.peaks + background


def shifted_spectrum(templates: Templates, counts: Array, shifts: Array, background: float = 0.0) -> Array:
    """Expected spectrum after relative changes of tail and width, shape (nuisance,); other arguments as `expected_spectrum`."""
    return np.asarray(counts, dtype=np.float64) @ _shape(templates.peaks, logarithmic_changes(templates), shifts) + background


def significance(templates: Templates, spectrum: Array, tested: int, background: float = 0.0) -> float:
    """Square root of the likelihood ratio of a spectrum with and without one species; 0 where the species would be negative.

    The counts of all species and the changes of the shape are fitted, these with their Gaussian uncertainty. With the expected
    spectrum in place of a measured one this is the median significance (Asimov data).

    Parameters
    ----------
    templates : Templates
        Peaks.
    spectrum : array of shape (bin,)
        Counts, or expected counts.
    tested : int
        Row of the species that is tested.
    background : float
        Known background of each bin, counts.

    Returns
    -------
    float
        Standard deviations.

    Raises
    ------
    NumericalError
        A fit does not converge.

    References
    ----------
    Cowan et al. 2011, Eur. Phys. J. C 71, 1554, doi:10.1140/epjc/s10052-011-1554-0.
    """
    size = len(templates.species)
    others = np.array([k for k in range(size) if k != tested])
    _, without = _fit(templates, spectrum, background, others)
    counts, best = _fit(templates, spectrum, background, np.arange(size))
    return float(np.sqrt(max(without - best, 0.0))) if counts[tested] > 0.0 else 0.0


def _fit(templates: Templates, spectrum: Array, background: float, used: NDArray[np.int64]) -> tuple[Array, float]:
    """Counts of all species (0 for those not used) and twice the least negative logarithm of the likelihood."""
    slopes, floor = logarithmic_changes(templates)[:, used], max(background, FLOOR * float(spectrum.sum()), 1e-300)
    problem = _Problem(templates.peaks[used], slopes, templates.uncertainties, spectrum, floor)
    counts, shifts = np.full(len(used), max(float(spectrum.sum()), 1.0) / len(used)), np.zeros(len(templates.uncertainties))
    value, damping = _deviance(problem, counts, shifts), 1e-6
    for _ in range(STEPS):
        new_counts, new_shifts = _step(problem, counts, shifts, damping)
        new = _deviance(problem, new_counts, new_shifts)
        if new > value:
            damping = max(10.0 * damping, 1e-3)
            if damping > 1e12:
                break
            continue
        done = value - new < CLOSE * (1.0 + value)
        counts, shifts, value, damping = new_counts, new_shifts, new, max(0.1 * damping, 1e-12)
        if done:
            break
    else:
        raise NumericalError(f"likelihood of {', '.join(templates.species)}: no convergence in {STEPS} steps; check the counts")
    result = np.zeros(len(templates.species))
    result[used] = counts
    return result, value


class _Problem(NamedTuple):
    """Peaks in use, change of their logarithm, uncertainties, the spectrum, and what lies below all of it in a bin."""

    peaks: Array
    slopes: Array
    sigmas: Array
    spectrum: Array
    floor: float


def _step(problem: _Problem, counts: Array, shifts: Array, damping: float) -> tuple[Array, Array]:
    """One damped step of Fisher scoring; counts stay positive or go to zero."""
    mean, number = _mean(problem, counts, shifts), len(counts)
    shape = _shape(problem.peaks, problem.slopes, shifts)
    slopes = np.vstack([shape, *(counts @ (shape * slope) for slope in problem.slopes)])
    gradient = slopes @ (problem.spectrum / mean - 1.0)
    information = (slopes / mean) @ slopes.T
    gradient[number:] -= shifts / problem.sigmas**2
    place = np.arange(number, len(gradient))
    information[place, place] += 1.0 / problem.sigmas**2
    # a species at zero whose likelihood falls with more of it stays there
    free = np.ones(len(gradient), dtype=bool)
    free[:number] = ~((counts <= 0.0) & (gradient[:number] <= 0.0))
    scale = np.sqrt(np.maximum(np.diag(information)[free], 1e-300))
    inner = information[np.ix_(free, free)] / np.outer(scale, scale) + damping * np.eye(len(scale))
    move = np.zeros(len(gradient))
    move[free] = np.linalg.lstsq(inner, gradient[free] / scale, rcond=None)[0] / scale
    return np.maximum(counts + move[:number], 0.0), np.clip(shifts + move[number:], -LARGEST_SHIFT, LARGEST_SHIFT)


def _mean(problem: _Problem, counts: Array, shifts: Array) -> Array:
    return counts @ _shape(problem.peaks, problem.slopes, shifts) + problem.floor


def _shape(peaks: Array, slopes: Array, shifts: Array) -> Array:
    """Peaks after changes of tail and width; never negative."""
    return peaks * np.exp(np.tensordot(shifts, slopes, axes=1))


def logarithmic_changes(templates: Templates) -> Array:
    """Change of the logarithm of the peaks per relative change of tail and width."""
    slope = np.divide(templates.changes, templates.peaks, out=np.zeros_like(templates.changes), where=templates.peaks > 1e-250)
    return np.clip(slope, -_STEEPEST, _STEEPEST)


def _deviance(problem: _Problem, counts: Array, shifts: Array) -> float:
    mean, spectrum = _mean(problem, counts, shifts), problem.spectrum
    # each term is not negative, which keeps small differences exact beside large counts
    return float(2.0 * (xlogy(spectrum, spectrum / mean) - spectrum + mean).sum() + ((shifts / problem.sigmas) ** 2).sum())
