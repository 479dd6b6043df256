"""Column densities from any density profile given on radii."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import beta, betainc

from siderion.core.errors import CoverageError, DataError, SettingsError

from .checks import finite_array, profile

Tail = Literal["power_law", "none"]
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


def vertical_column(radius: ArrayLike, density: ArrayLike, tail: Tail = "power_law") -> NDArray[np.float64]:
    """Column density above each radius of a profile.

    Parameters
    ----------
    radius : array (radius,)
        Distances from the centre, m, rising.
    density : array (radius,)
        Density, m-3. Between two radii it is a power law (a straight line where one of the two is 0).
    tail : {"power_law", "none"}
        Above the last radius: the power law of the last interval goes on, or nothing is there.

    Returns
    -------
    array (radius,)
        Column density, m-2. Exact for a power law; otherwise second order in the spacing.

    Raises
    ------
    DataError
        The profile is not one, or its tail falls too slowly for a finite column.
    SettingsError
        ``tail`` is unknown.
    """
    radii, densities = profile(radius, density)
    slope = _slopes(radii, densities)
    shells = _shell_integrals(radii, densities, slope, 0.0)
    above = _tail_slope(radii, densities, slope, tail, 1.0)
    last = 0.0 if above is None else densities[-1] * radii[-1] / (above - 1.0)
    return np.append(np.cumsum(shells[::-1])[::-1], 0.0) + last


def tangent_column(
    tangent_radius: ArrayLike, radius: ArrayLike, density: ArrayLike, tail: Tail = "power_law"
) -> NDArray[np.float64]:
    """Column density along whole lines of sight through a spherical exosphere, by least distance from the centre.

    N(b) = 2 times the integral of n(r) r / sqrt(r^2 - b^2) from b, taken in the distance along the line, where it is smooth.

    Parameters
    ----------
    tangent_radius : array
        Least distances b from the centre, m, within the profile.
    radius, density, tail
        As in `vertical_column`.

    Returns
    -------
    array
        Column density, m-2, as ``tangent_radius``.

    Raises
    ------
    CoverageError
        A tangent radius lies outside the profile.
    DataError, SettingsError
        As in `vertical_column`.
    """
    radii, densities = profile(radius, density)
    tangents = finite_array("tangent radius, m", tangent_radius)
    outside = (tangents < radii[0]) | (tangents > radii[-1])
    if outside.any():
        raise CoverageError(
            f"tangent radius {tangents[outside].flat[0]:g} m lies outside the profile, {radii[0]:g} to {radii[-1]:g} m"
        )
    slope = _slopes(radii, densities)
    above = _tail_slope(radii, densities, slope, tail, 1.0)
    result = np.empty(tangents.shape)
    for index, tangent in np.ndenumerate(tangents):
        half = _line(tangent, radii, densities, slope).sum() + _line_tail(tangent, radii[-1], densities[-1], above)
        result[index] = 2.0 * half
    return result


def line_shells(tangent_radius: float, radius: ArrayLike, density: ArrayLike, tail: Tail = "power_law") -> NDArray[np.float64]:
    """Column densities of half a line of sight in every shell of a profile, from the innermost shell to the tail.

    Parameters
    ----------
    tangent_radius : float
        Least distance from the centre, m, within the profile.
    radius, density, tail
        As in `vertical_column`.

    Returns
    -------
    array (radius,)
        Column density, m-2: 0 in the shells below the tangent radius; last that above the profile. Twice their sum is
        `tangent_column`.

    Raises
    ------
    CoverageError, DataError, SettingsError
        As in `tangent_column`.
    """
    radii, densities = profile(radius, density)
    if not radii[0] <= tangent_radius <= radii[-1]:
        raise CoverageError(f"tangent radius {tangent_radius:g} m lies outside the profile, {radii[0]:g} to {radii[-1]:g} m")
    slope = _slopes(radii, densities)
    above = _tail_slope(radii, densities, slope, tail, 1.0)
    crossed = _line(tangent_radius, radii, densities, slope)
    outermost = _line_tail(tangent_radius, radii[-1], densities[-1], above)
    return np.concatenate([np.zeros(len(radii) - 1 - len(crossed)), crossed, [outermost]])


def shell_content(radius: ArrayLike, density: ArrayLike) -> float:
    """Number of atoms between the first and the last radius of a profile, the integral of 4 pi r^2 n.

    Parameters
    ----------
    radius, density
        As in `vertical_column`.

    Returns
    -------
    float
        Number of atoms.

    Raises
    ------
    DataError
        The profile is not one.
    """
    radii, densities = profile(radius, density)
    return float(4.0 * np.pi * _shell_integrals(radii, densities, _slopes(radii, densities), 2.0).sum())


def _slopes(radii: NDArray, densities: NDArray) -> NDArray:
    """Exponent p of n = r^-p in every interval; NaN where a density is 0 and the interval is linear."""
    inner, outer = densities[:-1], densities[1:]
    both = (inner > 0.0) & (outer > 0.0)
    ratio = np.where(both, inner, 1.0) / np.where(both, outer, 1.0)
    return np.where(both, np.log(ratio) / np.log(radii[1:] / radii[:-1]), np.nan)


def _shell_integrals(radii: NDArray, densities: NDArray, slope: NDArray, power: float) -> NDArray:
    """Integral of r^power n in every interval, exact for its power law."""
    inner, outer = radii[:-1], radii[1:]
    linear = np.isnan(slope)
    exponent = power + 1.0 - np.where(linear, 0.0, slope)
    log_ratio = np.log(outer / inner)
    small = np.abs(exponent * log_ratio) < 1e-12
    factor = np.where(small, log_ratio, np.expm1(exponent * log_ratio) / np.where(small, 1.0, exponent))
    curved = densities[:-1] * inner ** (power + 1.0) * factor
    if not linear.any():
        return curved
    middle, half = 0.5 * (inner + outer), 0.5 * (outer - inner)
    nodes = middle[:, None] + half[:, None] * _NODES
    share = (nodes - inner[:, None]) / (outer - inner)[:, None]
    values = (densities[:-1, None] * (1.0 - share) + densities[1:, None] * share) * nodes**power
    return np.where(linear, half * (values @ _WEIGHTS), curved)


def _tail_slope(radii: NDArray, densities: NDArray, slope: NDArray, tail: str, slowest: float) -> float | None:
    if tail not in ("power_law", "none"):
        raise SettingsError(f"tail is {tail!r}; use 'power_law' or 'none'")
    if tail == "none" or densities[-1] == 0.0:
        return None
    last = float(slope[-1])
    if not last > slowest:
        raise DataError(
            f"density falls as r^-{last:.3g} at the last radius {radii[-1]:g} m; a column to infinity needs faster than "
            f"r^-{slowest:g}; extend the profile or use tail 'none'"
        )
    return last


def _line(tangent: float, radii: NDArray, densities: NDArray, slope: NDArray) -> NDArray[np.float64]:
    """Integral of n along half of a line of sight in every shell that it crosses, from the innermost to the last radius."""
    first = int(np.searchsorted(radii, tangent, side="right")) - 1
    if first >= len(radii) - 1:
        return np.zeros(0)
    edges = np.sqrt((np.maximum(radii[first:], tangent) - tangent) * (np.maximum(radii[first:], tangent) + tangent))
    middle, half = 0.5 * (edges[1:] + edges[:-1]), 0.5 * np.diff(edges)
    distance = np.hypot(tangent, middle[:, None] + half[:, None] * _NODES)
    inner, outer = radii[first:-1, None], radii[first + 1 :, None]
    exponent = slope[first:, None]
    share = (distance - inner) / (outer - inner)
    straight = densities[first:-1, None] * (1.0 - share) + densities[first + 1 :, None] * share
    curved = densities[first:-1, None] * (distance / inner) ** -np.where(np.isnan(exponent), 0.0, exponent)
    return half * (np.where(np.isnan(exponent), straight, curved) @ _WEIGHTS)


def _line_tail(tangent: float, last_radius: float, last_density: float, exponent: float | None) -> float:
    """Integral of the power law above the last radius along half of a line of sight."""
    if exponent is None:
        return 0.0
    # exact: half an incomplete beta function of (tangent/last_radius)^2
    order = 0.5 * (exponent - 1.0)
    share = betainc(order, 0.5, (tangent / last_radius) ** 2) * beta(order, 0.5)
    return float(0.5 * last_density * last_radius * (last_radius / tangent) ** (exponent - 1.0) * share)
