"""Intervals and limits of the mean of a Poisson count, with and without background.

Exact (Garwood), unified (Feldman and Cousins) and Bayesian; all of them for a mean number of counts. Divide by an exposure
for a rate.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

from siderion.core.errors import SettingsError

CENTRAL_68 = 0.68
"""Confidence of an interval from the 16 to the 84 % end."""
Array = NDArray[np.float64]
Prior = Literal["flat", "jeffreys"]


def exact_interval(count: ArrayLike, confidence: float = CENTRAL_68) -> tuple[Array, Array]:
    """Central exact interval of the mean: each end leaves (1 - confidence) / 2 of probability beyond the count.

    Parameters
    ----------
    count : array of int
        Observed counts.
    confidence : float
        Probability, between 0 and 1, that the interval covers the mean at least.

    Returns
    -------
    lower, upper : array
        Ends of the mean; the lower end of 0 counts is 0.

    Raises
    ------
    SettingsError
        A count is negative or no whole number, or the confidence is not between 0 and 1.

    References
    ----------
    Garwood 1936, Biometrika 28, 437, doi:10.1093/biomet/28.3-4.437.
    """
    counts = _counts(count)
    tail = 0.5 * (1.0 - _confidence(confidence))
    lower = np.where(counts > 0, special.gammaincinv(np.maximum(counts, 1.0), tail), 0.0)
    return lower, special.gammainccinv(counts + 1.0, tail)


def exact_upper_limit(count: ArrayLike, confidence: float = 0.95) -> Array:
    """Exact upper limit of the mean: counts as few as observed have the probability 1 - confidence there.

    For 0 counts it is -ln(1 - confidence), 3.0 at 95 %. Parameters, errors and source as in `exact_interval`.
    """
    return special.gammainccinv(_counts(count) + 1.0, 1.0 - _confidence(confidence))


def rate_interval(count: ArrayLike, exposure: ArrayLike, confidence: float = CENTRAL_68) -> tuple[Array, Array, Array]:
    """Rate, and the ends of its exact central interval: those of `exact_interval` over the exposure.

    Parameters
    ----------
    count : array of int
        Observed counts.
    exposure : array
        Time, events, or time times geometric factor; positive.
    confidence : float
        As in `exact_interval`.

    Returns
    -------
    rate, lower, upper : array
        Per unit of exposure.

    Raises
    ------
    SettingsError
        An exposure is not positive and finite, or as in `exact_interval`.
    """
    exposures = np.asarray(exposure, dtype=np.float64)
    if not (np.isfinite(exposures).all() and (exposures > 0.0).all()):
        raise SettingsError(f"exposure is {exposures}; it must be positive and finite; leave places without exposure out")
    lower, upper = exact_interval(count, confidence)
    return _counts(count) / exposures, lower / exposures, upper / exposures


def bayesian_upper_limit(count: ArrayLike, background: ArrayLike = 0.0, confidence: float = 0.95, prior: Prior = "flat") -> Array:
    """Bayesian upper limit of the mean of the signal above a known background.

    The posterior of a flat prior of the signal s >= 0 is proportional to (s + b)^n exp(-s); the prior of Jeffreys
    multiplies it by (s + b)^(-1/2). Without background the flat prior gives the limit of `exact_upper_limit`.

    Parameters
    ----------
    count : array of int
        Observed counts.
    background : array
        Known mean of the background, counts.
    confidence : float
        Posterior probability below the limit.
    prior : {"flat", "jeffreys"}
        Prior of the signal.

    Returns
    -------
    array
        Limit of the mean of the signal, counts.

    Raises
    ------
    SettingsError
        A count or background is negative, or the confidence or prior cannot be.

    References
    ----------
    Helene 1983, Nucl. Instrum. Methods 212, 319, doi:10.1016/0167-5087(83)90709-3.
    """
    if prior not in ("flat", "jeffreys"):
        raise SettingsError(f"prior is {prior!r}; take flat or jeffreys")
    counts, known = np.broadcast_arrays(_counts(count), _background(background))
    shape = counts + (1.0 if prior == "flat" else 0.5)
    above = special.gammaincc(shape, known) * (1.0 - _confidence(confidence))
    return special.gammainccinv(shape, above) - known


def unified_interval(count: int, background: float = 0.0, confidence: float = 0.90) -> tuple[float, float]:
    """Interval of the signal above a known background, ordered by the likelihood ratio (Feldman and Cousins).

    It passes from an upper limit to a two-sided interval by itself and never is empty. The ends are those of the set of
    means that accept the count; where the background is larger than the count they may be shorter than those of the printed
    tables, which were lengthened so that the upper end never rises with the background.

    Parameters
    ----------
    count : int
        Observed count.
    background : float
        Known mean of the background, counts.
    confidence : float
        Confidence of the acceptance region of each mean.

    Returns
    -------
    lower, upper : float
        Ends of the mean of the signal, counts, to 1e-6.

    Raises
    ------
    SettingsError
        The count or background is negative, or the confidence is not between 0 and 1.

    References
    ----------
    Feldman & Cousins 1998, Phys. Rev. D 57, 3873, doi:10.1103/PhysRevD.57.3873.
    """
    observed, known = int(_counts(count)), float(_background(background))
    level = _confidence(confidence)
    best = max(0.0, observed - known)
    top = float(exact_upper_limit(observed, 0.5 + 0.5 * level)) + 3.0
    step = 0.01 * max(1.0, np.sqrt(observed))
    grid = np.unique(np.concatenate([np.arange(0.0, top + step, step), [best]]))
    taken = _accepted(grid, observed, known, level)
    first, last = int(taken.argmax()), len(grid) - 1 - int(taken[::-1].argmax())
    lower = 0.0 if first == 0 else _edge(grid[first - 1], grid[first], observed, known, level)
    return lower, _edge(grid[last + 1], grid[last], observed, known, level)


def _accepted(means: Array, observed: int, background: float, level: float) -> NDArray[np.bool_]:
    """Whether the acceptance regions of means, filled in the order of the likelihood ratio, hold the count."""
    total = (means + background)[:, None]
    largest = float(total.max())
    numbers = np.arange(0, int(max(observed, largest + 12.0 * np.sqrt(largest + 1.0)) + 20))
    probability = stats.poisson.pmf(numbers, total)
    best = np.maximum(numbers, background)
    ratio = special.xlogy(numbers, total) - total - special.xlogy(numbers, best) + best
    # a count is taken when those of a larger ratio do not fill the region; equal ratios in the order of the counts
    earlier = (ratio > ratio[:, [observed]]) | ((ratio == ratio[:, [observed]]) & (numbers < observed))
    return np.asarray((probability * earlier).sum(axis=1) < level)


def _edge(out: float, inside: float, observed: int, background: float, level: float) -> float:
    """Mean at the border between refusal and acceptance, by halving."""
    while abs(out - inside) > 1e-7:
        middle = 0.5 * (out + inside)
        if _accepted(np.array([middle]), observed, background, level)[0]:
            inside = middle
        else:
            out = middle
    return float(inside)


def count_for_relative_error(relative_error: float, confidence: float = CENTRAL_68) -> int:
    """Fewest counts whose exact interval is narrower than twice a relative error times the count.

    Raises
    ------
    SettingsError
        The relative error is not positive, or the confidence is not between 0 and 1.
    """
    if not 0.0 < relative_error < np.inf:
        raise SettingsError(f"relative error is {relative_error}; it must be positive, such as 0.1")

    def excess(count: float) -> float:
        tail = 0.5 * (1.0 - _confidence(confidence))
        width = special.gammainccinv(count + 1.0, tail) - special.gammaincinv(max(count, 1e-9), tail)
        return float(width / (2.0 * count) - relative_error)

    highest = 100.0 / min(relative_error, 1.0) ** 2 + 10.0
    return 1 if excess(1.0) <= 0.0 else int(np.ceil(optimize.brentq(excess, 1.0, highest)))


def _counts(count: ArrayLike) -> Array:
    counts = np.asarray(count, dtype=np.float64)
    if not (np.isfinite(counts).all() and (counts >= 0.0).all() and (counts == np.floor(counts)).all()):
        bad = counts[~(np.isfinite(counts) & (counts >= 0.0) & (counts == np.floor(counts)))].ravel()[0]
        raise SettingsError(
            f"count is {bad:g}; counts are whole numbers that are not negative (no rates, no background taken off)"
        )
    return counts


def _background(background: ArrayLike) -> Array:
    known = np.asarray(background, dtype=np.float64)
    if not (np.isfinite(known).all() and (known >= 0.0).all()):
        raise SettingsError(f"background is {known}; it must be finite and not negative, in counts")
    return known


def _confidence(confidence: float) -> float:
    if not 0.0 < confidence < 1.0:
        raise SettingsError(f"confidence is {confidence}; it must lie between 0 and 1, such as 0.95")
    return float(confidence)
