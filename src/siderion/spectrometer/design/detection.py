"""Smallest fraction of a minor species that can be detected beside a major one, from a formula and from drawn spectra."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.optimize import brentq
from scipy.special import gammaincinv

from siderion.core.errors import SettingsError

from .drawn import FEW, Case, drawn_significances, with_drawn_power
from .likelihood import expected_spectrum, significance
from .settings import Demand
from .templates import Templates

Array = NDArray[np.float64]
_LARGEST_FRACTION = 2.0
"""Largest fraction that is tried, power of ten."""


def median_significance(
    templates: Templates, major_counts: float, fraction: float, background: float = 0.0, others: float = 0.0
) -> float:
    """Median significance of the last species, ``fraction`` of the first; the species between are fitted too.

    Parameters
    ----------
    templates : Templates
        Major species first, minor species last.
    major_counts : float
        Expected counts of the major species.
    fraction : float
        Counts of the minor species over those of the major one.
    background : float
        Expected background of each bin, counts.
    others : float
        Counts of each species between the two over those of the major one.

    Returns
    -------
    float
        Standard deviations.
    """
    counts = _mixture(templates, major_counts, fraction, others)
    return significance(templates, expected_spectrum(templates, counts, background), len(counts) - 1, background)


def _mixture(templates: Templates, major_counts: float, fraction: float, others: float) -> Array:
    shares = np.full(len(templates.species), float(others))
    shares[0], shares[-1] = 1.0, fraction
    return major_counts * shares


def minimum_detectable_fraction(
    templates: Templates, major_counts: ArrayLike, demand: Demand | None = None, background: float = 0.0, others: float = 0.0
) -> Array:
    """Fraction of the last species that is detected with the demanded confidence and power, for counts of the first one.

    The median significance of the fit must exceed the threshold by the standard deviations of the power, which holds for many
    counts. Where it gives fewer than 1000 counts of the minor species, the fraction is instead that at which fits of drawn
    spectra reach the threshold with the power (see `siderion.spectrometer.design.drawn`).

    Parameters
    ----------
    templates : Templates
        Major species first, minor species last.
    major_counts : array
        Expected counts of the major species, positive.
    demand : Demand, optional
        Confidence and power; those of the table by default.
    background, others : float
        As in `median_significance`.

    Returns
    -------
    array
        Fractions; NaN where even a hundredfold is not enough (peaks that coincide).

    Raises
    ------
    SettingsError
        The counts are not positive.
    """
    wanted = Demand() if demand is None else demand
    counts = np.asarray(major_counts, dtype=np.float64)
    if not 0.0 <= others < np.inf:
        raise SettingsError(f"share of the other species is {others}; it must be finite and not negative")
    if not ((counts > 0.0).all() and np.isfinite(counts).all()):
        raise SettingsError(f"counts of the major species are {counts}; they must be positive and finite")
    found = [_fraction(templates, float(n), wanted, background, others) for n in counts.ravel()]
    return np.array(found).reshape(counts.shape)


def mixed_case(templates: Templates, major_counts: float, fraction: float, background: float, others: float) -> Case:
    """Peaks, expected counts of all species and background, as drawn spectra need them."""
    return templates, _mixture(templates, major_counts, fraction, others), background


def _fraction(templates: Templates, n: float, demand: Demand, background: float, others: float) -> float:
    """Fraction by the fit, by drawn spectra where it has few counts; NaN where none is enough."""
    found, largest = _by_fit(templates, n, demand, background, others), 10.0**_LARGEST_FRACTION
    if n * found < FEW:
        found = with_drawn_power(lambda f: mixed_case(templates, n, f, background, others), found, demand, largest)
    return found if np.isfinite(found) else float("nan")


def _by_fit(templates: Templates, n: float, demand: Demand, background: float, others: float) -> float:
    """Fraction at which the median significance is as large as needed."""

    def excess(logarithm: float) -> float:
        return median_significance(templates, n, 10.0**logarithm, background, others) - demand.needed

    found = first_root(excess, -np.log10(n) - 2.0, _LARGEST_FRACTION)
    return float(10.0**found) if np.isfinite(found) else float("nan")


def window_fraction(
    templates: Templates, major_counts: float, demand: Demand, background: float = 0.0, others: float = 0.0
) -> float:
    """Fraction whose counts in the best window are detected by counting alone, shapes and background known.

    Exact for a count in one window, and so an upper bound of what a fit of all bins needs: up to 60 % more. Bins are taken in
    the order of minor over major peak. Arguments as in `minimum_detectable_fraction`, for one number of counts.
    """
    minor, without = templates.peaks[-1], _mixture(templates, major_counts, 0.0, others) @ templates.peaks + background
    order = np.argsort(-minor / np.maximum(without, 1e-300), kind="stable")
    inside, below = np.cumsum(minor[order]), np.cumsum(without[order])
    useful = inside > 1e-3
    needed = stats.poisson.isf(1.0 - demand.confidence, below[useful]) + 1.0
    signal = gammaincinv(needed, demand.power) - below[useful]
    return float((signal / inside[useful]).min() / major_counts)


def first_root(rising: Callable[[float], float], start: float, end: float, step: float = 0.5) -> float:
    """Root of a rising function between start and end, found in steps from below: the start where it is positive there.

    Returns
    -------
    float
        Infinite where the function stays negative up to the end.
    """
    low = start
    if rising(low) >= 0.0:
        return low
    while rising(low + step) < 0.0:
        low += step
        if low >= end:
            return float("inf")
    return float(brentq(rising, low, low + step, xtol=1e-3))


def drawn_power(
    templates: Templates,
    major_counts: float,
    fraction: float,
    demand: Demand | None = None,
    background: float = 0.0,
    others: float = 0.0,
    *,
    draws: int = 300,
    seed: int = 0,
) -> float:
    """Share of drawn Poisson spectra in which the minor species exceeds the threshold; with fraction 0 the false alarms.

    Tail and width of each draw are drawn from their uncertainties. Arguments as in `median_significance`.
    """
    wanted = Demand() if demand is None else demand
    case = mixed_case(templates, major_counts, fraction, background, others)
    return float((drawn_significances(case, draws, np.random.default_rng(seed)) > wanted.threshold).mean())
