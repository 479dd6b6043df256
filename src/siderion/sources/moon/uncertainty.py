"""Uncertainty of the strength of lunar sources: random factors of each origin from the ranges of the tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .exosphere import release_number
from .plasma import IONS, PlasmaState
from .sputtering import SputterYields, sputter_rate

Array = NDArray[np.float64]


def two_sided(value: float, lower: float, upper: float, normal: Array) -> Array:
    """Factors on a value whose 16 and 84 % ends are lower and upper: log-normal on each side, median 1.

    Parameters
    ----------
    value, lower, upper : float
        Positive, in this order from low to high: lower, value, upper.
    normal : array
        Standard normal numbers.
    """
    if value == 0.0:
        return np.ones_like(normal)
    return np.where(normal > 0.0, (upper / value) ** normal, (value / lower) ** normal)


def source_factors(
    origin: str, element: str, state: PlasmaState, yields: SputterYields, count: int, generator: np.random.Generator
) -> Array:
    """Random factors on the strength of an origin, shape (count,): yields, ion fraction, influx, vapour, density.

    Parameters
    ----------
    origin : str
        As in `Births`.
    element : str
        Such as ``"Fe"``.
    state, yields
        Plasma (taken as known) and yields.
    count : int
        Number of factors.
    generator : numpy.random.Generator
        Source of random numbers.
    """
    if origin.endswith("sputtering"):
        factors = _yield_factors(state, yields, count, generator)
        if origin == "sputtering":
            factors = factors * two_sided(*release_number("ion_fraction"), generator.standard_normal(count))
        return factors
    if origin == "photo impact":
        influx = two_sided(*release_number("meteoroid_influx"), generator.standard_normal(count))
        return influx * two_sided(*release_number("vapour_per_impactor"), generator.standard_normal(count))
    return two_sided(*release_number("desorbed_surface_density", element), generator.standard_normal(count))


def _yield_factors(state: PlasmaState, yields: SputterYields, count: int, generator: np.random.Generator) -> Array:
    """Sputtered atoms over their nominal number; all yields move together, as they share their method."""
    parts = {ion: sputter_rate(state, _only(yields, ion)) for ion in IONS}
    total = sum(parts.values())
    normal = generator.standard_normal(count)
    if total == 0.0:
        return np.ones(count)
    return np.sum(
        [
            parts[ion] / total * two_sided(yields.value[ion], yields.lower[ion], yields.upper[ion], normal)
            for ion in IONS
        ], axis=0,
    )  # fmt: skip


def _only(yields: SputterYields, ion: str) -> SputterYields:
    return replace(yields, value={name: value if name == ion else 0.0 for name, value in yields.value.items()})
