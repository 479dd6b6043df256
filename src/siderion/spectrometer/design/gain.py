"""Gain fatigue of detectors: how the efficiency falls, and what it does to exposures and limits.

An exponential fall with the time or with the charge that was drawn; the scale is the user's, no number is shipped. Detectors
were seen to fatigue in this way by Kistler et al. 2013, doi:10.1002/jgra.50557 (not read here: unverified).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import SettingsError

Array = NDArray[np.float64]


def efficiency_left(used: ArrayLike, scale: float, floor: float = 0.0) -> Array:
    """Efficiency over that at the begin: floor + (1 - floor) exp(-used / scale).

    Parameters
    ----------
    used : array
        Time since the begin, or charge drawn.
    scale : float
        Time or charge after which the part above the floor has fallen to 1/e.
    floor : float
        Share that stays.
    """
    amount = _check(used, scale, floor)
    return floor + (1.0 - floor) * np.exp(-amount / scale)


def effective_exposure(duration: ArrayLike, scale: float, floor: float = 0.0) -> Array:
    """Time of the fresh detector that counts as much as a duration: the integral of `efficiency_left`.

    With no floor it never exceeds the scale: flux limits stop falling however long one waits.
    """
    time = _check(duration, scale, floor)
    return floor * time - (1.0 - floor) * scale * np.expm1(-time / scale)


def limit_factor(duration: ArrayLike, scale: float, floor: float = 0.0) -> Array:
    """Factor by which the flux limit of no counts rises through fatigue: duration over effective exposure, at least 1."""
    time = _check(duration, scale, floor)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(time > 0.0, time / effective_exposure(time, scale, floor), 1.0)


def _check(used: ArrayLike, scale: float, floor: float) -> Array:
    amount = np.asarray(used, dtype=np.float64)
    if not ((amount >= 0.0).all() and np.isfinite(amount).all() and 0.0 < scale < np.inf and 0.0 <= floor < 1.0):
        raise SettingsError(
            f"used {amount}, scale {scale}, floor {floor}: used must not be negative, scale positive, floor from 0 to below 1"
        )
    return amount
