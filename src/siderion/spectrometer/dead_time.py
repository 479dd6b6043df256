"""Dead time of a counter, and its correction as far as it can go."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import lambertw

from siderion.core.errors import DataError, SettingsError

Array = NDArray[np.float64]

DEAD_TIME_KINDS = ("nonparalyzable", "paralyzable")
"""Events in the dead time are lost; in the second kind each also begins a new dead time."""

SATURATION = 0.99
"""Largest share of the highest observable rate that is corrected."""


def observed_rate(true_rate: ArrayLike, dead_time: float, kind: str = "nonparalyzable") -> Array:
    """Rate that a counter shows: n / (1 + n tau), or n exp(-n tau).

    Parameters
    ----------
    true_rate : array
        n, s-1.
    dead_time : float
        tau, s.
    kind : {"nonparalyzable", "paralyzable"}

    Returns
    -------
    array
        s-1.

    Raises
    ------
    SettingsError
        The kind is unknown or the dead time negative.
    DataError
        A rate is negative or not finite.
    """
    rate = _checked(true_rate, dead_time, kind)
    if kind == "nonparalyzable":
        return np.asarray(rate / (1.0 + rate * dead_time))
    return np.asarray(rate * np.exp(-rate * dead_time))


def true_rate(observed: ArrayLike, dead_time: float, kind: str = "nonparalyzable") -> Array:
    """Rate before the losses; the inverse of `observed_rate` on its rising branch.

    A paralyzable counter shows the same rate for two true ones: the lower is given, which holds for n tau < 1.

    Raises
    ------
    SettingsError
        The kind is unknown or the dead time negative.
    DataError
        A rate is not valid, or so close to the highest observable one (1 / tau, or 1 / (e tau)) that it cannot be corrected.
    """
    rate = _checked(observed, dead_time, kind)
    if dead_time == 0.0:
        return rate
    highest = 1.0 / dead_time if kind == "nonparalyzable" else 1.0 / (np.e * dead_time)
    if (rate > SATURATION * highest).any():
        index = int(np.argmax(rate))
        raise DataError(
            f"observed rate {rate.ravel()[index]:g} s-1 at index {index} is above {SATURATION:g} of the highest one, "
            f"{highest:g} s-1, that a {kind} counter with a dead time of {dead_time:g} s can show; it cannot be corrected"
        )
    if kind == "nonparalyzable":
        return np.asarray(rate / (1.0 - rate * dead_time))
    return np.asarray(-lambertw(-rate * dead_time).real / dead_time)


def _checked(rate: ArrayLike, dead_time: float, kind: str) -> Array:
    if kind not in DEAD_TIME_KINDS:
        raise SettingsError(f"kind of dead time is {kind!r}; use one of {', '.join(DEAD_TIME_KINDS)}")
    if not 0.0 <= dead_time < np.inf:
        raise SettingsError(f"dead time is {dead_time} s; it must be finite and not negative")
    rates = np.asarray(rate, dtype=np.float64)
    if not (np.isfinite(rates).all() and (rates >= 0.0).all()):
        raise DataError(f"rates must be finite and not negative; the lowest is {rates.min()} s-1")
    return rates
