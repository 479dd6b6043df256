"""Profile-likelihood intervals and limits of one amplitude, everything else fitted again at each point.

68 % interval: where ln L has fallen by 1/2 (the lower end is 0 where it has not fallen so far there). Upper limit: the area of
the profile likelihood above n = 0 up to the limit is the confidence, which is the Bayesian limit for a flat prior, equals the
CLs limit for Gaussian errors, and is exactly -ln(1 - confidence) (3.0 counts at 95 %) where neither counts nor background are,
over the share of the peak that lies inside of the histogram.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .kernels import scale_of, solve_positive, summarise_profile
from .likelihood import JointLikelihood, Solution

Array = NDArray[np.float64]
_ROOTS = (0.8, 1.5, 2.2, 3.0, 4.3)
"""Wanted square roots of twice the fall of ln L at the points of a profile."""
_BETTER = 2e-3
"""A point of a profile better than the best fit by this much in ln L starts the fit again."""


@dataclass(frozen=True)
class Interval:
    """Best value, 68 % interval, upper limit, square root of the likelihood ratio against zero."""

    best: float
    lower: float
    upper: float
    limit: float
    significance: float


class BetterFitError(Exception):
    """A point of a profile lies higher than the best fit."""

    def __init__(self, found: Solution) -> None:
        super().__init__("a better fit was found on the way")
        self.found = found


@dataclass(frozen=True)
class Profile:
    """Points of a likelihood profile: amplitude, fall of ln L, slope of the fall."""

    place: Array
    fall: Array
    slope: Array


def profile(likelihood: JointLikelihood, best: Solution, which: int, stretch: float = 1.0, tolerant: bool = False) -> Profile:
    """Follow ln L along one amplitude, both ways from the best fit and down to zero.

    Parameters
    ----------
    likelihood : JointLikelihood
    best : Solution
        Its minimum of -ln L.
    which : int
        Index of the amplitude.
    stretch : float
        Divides all falls of ln L: square of a scale factor of the errors.
    tolerant : bool
        Take better points as equal to the best, not as a reason to start again.

    Raises
    ------
    BetterFitError
        A point is better than the best fit.
    """
    middle = float(best.parameters[which])
    free = best.parameters > likelihood.bounds()[0]
    free &= likelihood.free(best)
    free[which] = True
    unit, step = np.zeros(likelihood.size), np.zeros(likelihood.size)
    unit[which] = 1.0
    solve_positive(best.curvature, unit, free, step)
    start = max(float(best.gradient[which]), 0.0) if middle <= 0.0 else 0.0
    reach = scale_of(middle, start, float(step[which])) * np.sqrt(stretch)
    direction = step / step[which] if step[which] > 0.0 else unit
    points = [(middle, 0.0, start / stretch)]
    for side in (1.0, -1.0) if middle > 0.0 else (1.0,):
        points += _walk(likelihood, best, which, side, reach, direction, stretch, tolerant)
    points.sort()
    place, fall, slope = (np.array(column) for column in zip(*points, strict=True))
    return Profile(place, fall, slope)


def _walk(
    likelihood: JointLikelihood,
    best: Solution,
    which: int,
    side: float,
    reach: float,
    direction: Array,
    stretch: float,
    tolerant: bool,
) -> list[tuple[float, float, float]]:
    """Points on one side; the steps follow how fast ln L falls."""
    middle = float(best.parameters[which])
    lower, upper = likelihood.bounds()
    points, here, root, now = [], middle, 0.0, best.parameters
    pace = reach
    for wanted in (*_ROOTS, *([_ROOTS[-1]] * 6)):
        if root >= 4.0:
            break
        there = max(here + side * pace * max(wanted - root, 0.5), 0.0)
        if side < 0:  # towards zero in parts, where ln L may fall steeply
            there = 0.0 if here < 0.05 * middle else max(there, 0.4 * here)
        start = np.clip(now + (there - here) * direction, lower, upper)
        start[which] = there
        found = likelihood.minimise(start, which, precision=2e-3)
        if found.value < best.value - _BETTER and not tolerant:
            raise BetterFitError(found)
        fall = max(found.value - best.value, 0.0) / stretch
        points.append((there, fall, float(found.gradient[which]) / stretch))
        new = float(np.sqrt(2.0 * fall))
        pace = min(max(abs(there - middle) / max(new, 1e-3), 0.3 * pace), 3.0 * pace)
        here, root, now = there, new, found.parameters
        if there == 0.0 and side < 0:
            return points
    if side < 0:
        start = now.copy()
        start[which] = 0.0
        found = likelihood.minimise(start, which, precision=2e-3)
        if found.value < best.value - _BETTER and not tolerant:
            raise BetterFitError(found)
        points.append((0.0, max(found.value - best.value, 0.0) / stretch, float(found.gradient[which]) / stretch))
    return points


def interval(curve: Profile, best: float, level: float = 0.5, confidence: float = 0.95) -> Interval:
    """Read interval, limit and significance off a profile."""
    lower, upper, limit = summarise_profile(curve.place, curve.fall, curve.slope, best, level, confidence)
    significance = float(np.sqrt(2.0 * curve.fall[0])) if best > 0.0 and curve.place[0] == 0.0 else 0.0
    return Interval(best, float(lower), float(max(upper, best)), float(limit), significance)
