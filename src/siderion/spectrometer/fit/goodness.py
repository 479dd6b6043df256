"""Goodness of fit of Poisson counts: the deviance against its exact mean and variance for the expected counts."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy
from scipy.stats import gamma

Array = NDArray[np.float64]
_LOW, _HIGH = 1e-6, 1e3
_NOTHING = 1e-3
"""Expected counts of a whole histogram below which there is nothing to compare."""


def deviance(counts: Array, expected: Array) -> Array:
    """2 (c ln(c / mu) - c + mu) of every bin."""
    safe = np.maximum(expected, 1e-9)
    return 2.0 * (xlogy(counts, np.maximum(counts, 1.0e-300) / safe) - counts + safe)


@cache
def _moments() -> tuple[Array, Array, Array]:
    """Mean and variance of the deviance of one Poisson number, for a table of ln mu."""
    logarithm = np.linspace(np.log(_LOW), np.log(_HIGH), 300)
    mean, variance = np.empty(logarithm.size), np.empty(logarithm.size)
    for i, mu in enumerate(np.exp(logarithm)):
        c = np.arange(max(0, int(mu - 12.0 * np.sqrt(mu) - 5)), int(mu + 12.0 * np.sqrt(mu) + 40), dtype=float)
        probability = np.exp(xlogy(c, mu) - mu - gammaln(c + 1.0))
        values = deviance(c, np.full(c.size, mu))
        mean[i] = probability @ values
        variance[i] = probability @ (values - mean[i]) ** 2
    return logarithm, mean, variance


def goodness_of_fit(counts: Array, expected: Array, parameters: int) -> tuple[Array, Array]:
    """Chance of a larger deviance, and the scale factor of errors.

    Parameters
    ----------
    counts, expected : array of shape (..., bin)
    parameters : int
        Number of fitted parameters, each of which takes its mean share off the deviance.

    Returns
    -------
    chance, scale : array of shape (...)
        Chance from a gamma distribution with the mean and variance of the deviance for these expected counts; root of deviance
        over mean.
    """
    table, means, variances = _moments()
    where = np.log(np.clip(expected, _LOW, _HIGH))
    mean = np.interp(where, table, means).sum(axis=-1)
    variance = np.interp(where, table, variances).sum(axis=-1)
    bins = counts.shape[-1]
    shrink = max(1.0 - parameters / bins, 0.1)
    mean, variance = np.maximum(mean * shrink, 1e-9), np.maximum(variance * shrink, 1e-12)
    total = deviance(np.asarray(counts, dtype=float), np.asarray(expected, dtype=float)).sum(axis=-1)
    chance = gamma.sf(total, mean**2 / variance, scale=variance / mean)
    nothing = (expected.sum(axis=-1) < _NOTHING) & (np.asarray(counts).sum(axis=-1) == 0.0)  # none expected, none seen
    return np.where(nothing, 1.0, chance), np.where(nothing, 1.0, np.sqrt(total / mean))
