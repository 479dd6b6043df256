"""Checks of the arguments of the functions of exospheres."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import DataError, SettingsError


def positive(name: str, value: float) -> float:
    """Return ``value`` as a float; raise `SettingsError` unless it is positive and finite."""
    if not (np.isfinite(value) and value > 0.0):
        raise SettingsError(f"{name} is {value}; it must be positive and finite")
    return float(value)


def finite_array(name: str, values: ArrayLike, minimum: float = 0.0) -> NDArray[np.float64]:
    """Return ``values`` as an array; raise `DataError` unless all are finite and at least ``minimum``."""
    array = np.asarray(values, dtype=np.float64)
    bad = ~(np.isfinite(array) & (array >= minimum))
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise DataError(f"{name} is {array[index]} at index {index}; it must be finite and at least {minimum:g}")
    return array


def profile(radius: ArrayLike, density: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a density profile as two arrays; raise `DataError` unless it is one on rising radii."""
    radii, densities = finite_array("radius of the profile, m", radius), finite_array("density, m-3", density)
    if radii.ndim != 1 or radii.shape != densities.shape or len(radii) < 2:
        raise DataError(f"radius has shape {radii.shape} and density {densities.shape}; one dimension of 2 or more, both alike")
    falling = np.flatnonzero(np.diff(radii) <= 0.0)
    if len(falling) or radii[0] <= 0.0:
        index = int(falling[0]) + 1 if len(falling) else 0
        raise DataError(f"radius is {radii[index]:g} m at index {index}; radii must be positive and rise; sort the profile")
    return radii, densities
