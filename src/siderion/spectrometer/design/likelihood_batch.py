"""The likelihood of `siderion.spectrometer.design.likelihood` for many spectra at once, as drawn spectra need it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from siderion.core.errors import NumericalError

from .likelihood import CLOSE, FLOOR, LARGEST_SHIFT, STEPS, logarithmic_changes
from .templates import Templates

Array = NDArray[np.float64]


def significances(templates: Templates, spectra: Array, tested: int, background: float = 0.0) -> Array:
    """`siderion.spectrometer.design.likelihood.significance` of each spectrum.

    Parameters
    ----------
    templates : Templates
        Peaks.
    spectra : array of shape (draw, bin)
        Counts.
    tested : int
        Row of the species that is tested.
    background : float
        Known background of each bin, counts.

    Returns
    -------
    array of shape (draw,)
        Standard deviations; 0 where the species would be negative.

    Raises
    ------
    NumericalError
        A fit does not converge.
    """
    size = len(templates.species)
    others = np.array([k for k in range(size) if k != tested])
    _, without = _fits(templates, spectra, background, others)
    counts, best = _fits(templates, spectra, background, np.arange(size))
    return np.where(counts[:, tested] > 0.0, np.sqrt(np.maximum(without - best, 0.0)), 0.0)


def shifted_spectra(templates: Templates, counts: Array, shifts: Array, background: float = 0.0) -> Array:
    """Expected spectra (draw, bin) after relative changes of tail and width, shape (draw, nuisance)."""
    peaks = templates.peaks * np.exp(np.tensordot(shifts, logarithmic_changes(templates), axes=1))
    return np.tensordot(peaks, counts, axes=([1], [0])) + background


class _Problem:
    """Peaks in use, change of their logarithm, uncertainties, spectra, and what lies below all of it in a bin."""

    def __init__(self, templates: Templates, spectra: Array, background: float, used: NDArray[np.int64]) -> None:
        self.peaks, self.slopes = templates.peaks[used], logarithmic_changes(templates)[:, used]
        self.sigmas, self.spectra = templates.uncertainties, spectra
        self.floor = np.maximum(max(background, 1e-300), FLOOR * spectra.sum(axis=1))[:, None]

    def shape(self, shifts: Array) -> Array:
        """Peaks (draw, species, bin)."""
        return self.peaks * np.exp(np.tensordot(shifts, self.slopes, axes=1))

    def mean(self, shape: Array, counts: Array, rows: NDArray[np.int64]) -> Array:
        """Expected counts (draw, bin)."""
        return (counts[:, None] @ shape)[:, 0] + self.floor[rows]

    def deviance(self, mean: Array, shifts: Array, rows: NDArray[np.int64]) -> Array:
        """Twice the negative logarithm of the likelihood (draw)."""
        seen = self.spectra[rows]
        return 2.0 * (xlogy(seen, seen / mean) - seen + mean).sum(axis=1) + ((shifts / self.sigmas) ** 2).sum(axis=1)


def _fits(templates: Templates, spectra: Array, background: float, used: NDArray[np.int64]) -> tuple[Array, Array]:
    """Counts (draw, species) and least deviance (draw): damped Fisher scoring of all draws that are not done."""
    problem, draws = _Problem(templates, spectra, background, used), len(spectra)
    total = np.maximum(spectra.sum(axis=1, keepdims=True), 1.0)
    counts, shifts = np.repeat(total / len(used), len(used), axis=1), np.zeros((draws, len(templates.uncertainties)))
    damping, active = np.full(draws, 1e-6), np.arange(draws)
    shape = problem.shape(shifts)
    mean = problem.mean(shape, counts, active)
    value = problem.deviance(mean, shifts, active)
    for _ in range(STEPS):
        move = _moves(problem, shape, mean, counts[active], shifts[active], damping[active], active)
        new_counts = np.maximum(counts[active] + move[:, : len(used)], 0.0)
        new_shifts = np.clip(shifts[active] + move[:, len(used) :], -LARGEST_SHIFT, LARGEST_SHIFT)
        new_shape = problem.shape(new_shifts)
        new_mean = problem.mean(new_shape, new_counts, active)
        new = problem.deviance(new_mean, new_shifts, active)
        better = ~(new > value[active])
        done = np.where(better, value[active] - new < CLOSE * (1.0 + value[active]), damping[active] > 1e12)
        rows = active[better]
        counts[rows], shifts[rows], value[rows] = new_counts[better], new_shifts[better], new[better]
        shape[better], mean[better] = new_shape[better], new_mean[better]
        damping[active] = np.where(better, np.maximum(0.1 * damping[active], 1e-12), np.maximum(10.0 * damping[active], 1e-3))
        active, shape, mean = active[~done], shape[~done], mean[~done]
        if not len(active):
            break
    else:
        raise NumericalError(
            f"likelihood of {', '.join(templates.species)}: {len(active)} of {draws} drawn spectra do not converge in {STEPS} "
            "steps; check the counts"
        )
    result = np.zeros((draws, len(templates.species)))
    result[:, used] = counts
    return result, value


def _moves(
    problem: _Problem, shape: Array, mean: Array, counts: Array, shifts: Array, damping: Array, rows: NDArray[np.int64]
) -> Array:
    """One step (draw, parameter); species at zero whose likelihood falls with more of them stay there."""
    number = counts.shape[1]
    slopes = np.concatenate([shape, *(counts[:, None] @ (shape * slope) for slope in problem.slopes)], axis=1)
    gradient = (slopes @ (problem.spectra[rows] / mean - 1.0)[:, :, None])[:, :, 0]
    information = (slopes / mean[:, None]) @ slopes.transpose(0, 2, 1)
    gradient[:, number:] -= shifts / problem.sigmas**2
    place = np.arange(number, gradient.shape[1])
    information[:, place, place] += 1.0 / problem.sigmas**2
    free = np.ones(gradient.shape, dtype=bool)
    free[:, :number] = ~((counts <= 0.0) & (gradient[:, :number] <= 0.0))
    every = np.arange(gradient.shape[1])
    scale = np.sqrt(np.maximum(information[:, every, every], 1e-300))
    inner = information / (scale[:, :, None] * scale[:, None])
    # what is not free is left out of the matrix, by rows of the unit matrix
    inner = np.where(free[:, :, None] & free[:, None], inner, 0.0)
    inner[:, every, every] = np.where(free, inner[:, every, every] + np.maximum(damping, 1e-10)[:, None], 1.0)
    right = np.where(free, gradient / scale, 0.0)
    return np.asarray(np.linalg.solve(inner, right[:, :, None])[:, :, 0] / scale)
