"""Influence of single events: the result of a test without each of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .ratio_tests import Alternative, conditional_p_value

Test = Callable[[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]], float]
"""From counts, groups and exposures of the events to a p value."""


def poisson_p_value(
    counts: ArrayLike, inside: ArrayLike, exposures: ArrayLike | None = None, alternative: Alternative = "greater"
) -> float:
    """The conditional test of `conditional_p_value` on the sums of the events inside and outside; 1 where a group is empty.

    Parameters
    ----------
    counts : array of shape (event,)
        Counts.
    inside : array of bool of shape (event,)
        Group of each event.
    exposures : array of shape (event,), optional
        Exposures; equal ones by default.
    alternative : {"greater", "less", "two-sided"}
        As in `conditional_p_value`.
    """
    values, group = np.asarray(counts), np.asarray(inside, dtype=bool)
    times = np.ones(values.shape) if exposures is None else np.asarray(exposures, dtype=np.float64)
    if group.all() or not group.any():
        return 1.0
    return conditional_p_value(
        int(values[group].sum()), float(times[group].sum()), int(values[~group].sum()), float(times[~group].sum()),
        alternative=alternative,
    )  # fmt: skip


def leave_one_out(
    counts: ArrayLike, inside: ArrayLike, exposures: ArrayLike | None = None, test: Test = poisson_p_value
) -> NDArray[np.float64]:
    """P value of a test without each event in turn.

    Parameters
    ----------
    counts, inside, exposures
        As in `poisson_p_value`.
    test : callable
        Takes counts, groups and exposures; `poisson_p_value` by default.

    Returns
    -------
    array of shape (event,)
        P value without the event.
    """
    values, group = np.asarray(counts, dtype=np.float64), np.asarray(inside, dtype=bool)
    times = np.ones(values.shape) if exposures is None else np.asarray(exposures, dtype=np.float64)
    every = np.arange(len(values))
    return np.array([test(values[every != k], group[every != k], times[every != k]) for k in every])
