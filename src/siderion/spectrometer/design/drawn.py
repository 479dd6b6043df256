"""Power of a detection by drawn spectra, and the number at which it is the demanded one.

For few counts of the minor species the median significance is not enough: its distribution is discrete and skew, and shapes that
are not known widen it (power down to 0.84 for 0.9 at 150 counts). There the
number (counts, fraction, m/dm) is found from fits of drawn spectra, with a fixed seed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from .likelihood_batch import shifted_spectra, significances
from .settings import Demand
from .templates import Templates

Array = NDArray[np.float64]
Case = tuple[Templates, Array, float]
"""Peaks, expected counts of the species, background of a bin."""
FEW = 1000.0
"""Counts of the minor species below which the power is drawn."""
_ALIKE = 0.2
_COARSE, _FINE = np.linspace(-1.0, 1.0, 5), np.linspace(-0.2, 0.2, 5)
_COARSE_DRAWS, _FINE_DRAWS, _MOST_MOVES = 60, (100, 300), 8
_LEAST_SLOPE = 0.5


def joined_bins(templates: Templates) -> Templates:
    """Peaks in fewer bins: neighbours over which no peak changes by more than a fifth are put together.

    Only for cases without background of the bins, whose width is no longer even.
    """
    logs = np.log(templates.peaks + 1e-12)
    starts, first = [0], logs[:, 0]
    for k in range(1, logs.shape[1]):
        if np.abs(logs[:, k] - first).max() > _ALIKE:
            starts.append(k)
            first = logs[:, k]
    return Templates(
        templates.species, np.add.reduceat(templates.peaks, starts, axis=-1),
        np.add.reduceat(templates.changes, starts, axis=-1), templates.uncertainties,
        np.append(templates.edges[starts], templates.edges[-1]),
    )  # fmt: skip


def drawn_significances(case: Case, draws: int, generator: np.random.Generator) -> Array:
    """Significance of the last species in drawn Poisson spectra; tail and width are drawn from their uncertainties."""
    templates, counts, background = case
    shifts = np.clip(templates.uncertainties * generator.standard_normal((draws, len(templates.uncertainties))), -0.9, 0.9)
    spectra = generator.poisson(shifted_spectra(templates, counts, shifts, background)).astype(np.float64)
    return significances(templates, spectra, len(counts) - 1, background)


def with_drawn_power(case_of: Callable[[float], Case], start: float, demand: Demand, largest: float, seed: int = 0) -> float:
    """Number at which drawn spectra detect the last species with the demanded power, found from a first guess.

    The power is drawn on a coarse grid of the logarithm of the number, then twice on a fine one, where the probit of the power
    is a straight line in the logarithm; the line gives the number. 2300 spectra as a rule: the power is right to about 0.01.

    Parameters
    ----------
    case_of : callable
        Case of a number; the power grows with the number.
    start : float
        First guess.
    demand : Demand
        Confidence and power.
    largest : float
        Largest number that is tried.
    seed : int
        Of the draws.

    Returns
    -------
    float
        Infinite where the power is not reached up to the largest number.
    """
    generator = np.random.default_rng(seed)

    def probits(places: Array, draws: int) -> Array:
        hits = [
            (drawn_significances(_light(case_of(float(np.exp(x)))), draws, generator) > demand.threshold).sum() for x in places
        ]
        return np.asarray(ndtri((np.array(hits) + 0.5) / (draws + 1.0)))

    wanted = float(ndtri(demand.power))
    middle = _bracketed(probits, float(np.log(start)), wanted, float(np.log(largest)))
    if not np.isfinite(middle):
        return float("inf")
    for draws in _FINE_DRAWS:
        found = probits(middle + _FINE, draws)
        slope = max(float(_FINE @ found / (_FINE @ _FINE)), _LEAST_SLOPE)
        middle += float(np.clip((wanted - found.mean()) / slope, 2.0 * _FINE[0], 2.0 * _FINE[-1]))
    return float(np.exp(middle))


def _bracketed(probits: Callable[[Array, int], Array], middle: float, wanted: float, largest: float) -> float:
    """Where the coarse power crosses the wanted one; the grid moves until it does."""
    for _ in range(_MOST_MOVES):
        places = middle + _COARSE
        found = np.maximum.accumulate(probits(places, _COARSE_DRAWS))
        if found[0] >= wanted:
            middle = float(places[0])
            continue
        if found[-1] < wanted:
            middle = float(places[-1])
            if middle > largest:
                break
            continue
        k = int(np.argmax(found >= wanted))
        share = (wanted - found[k - 1]) / (found[k] - found[k - 1])
        return float(places[k - 1] + share * (places[k] - places[k - 1]))
    return float("inf")


def _light(case: Case) -> Case:
    templates, counts, background = case
    return (joined_bins(templates) if background == 0.0 else templates), counts, background
