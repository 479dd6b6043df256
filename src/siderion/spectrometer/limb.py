"""Limb sounding: brightness of a layer along lines of sight through spherical shells, and density back from brightness.

Valid where the line is optically thin along the line of sight; `is_thin` tells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, cho_solve

from siderion.core.errors import DataError, NumericalError, SettingsError

Array = NDArray[np.float64]
THIN = 0.1
"""Largest optical depth that counts as thin: the brightness is then wrong by at most 5 %."""
_RAYLEIGH = 1e10


@dataclass(frozen=True)
class Retrieved:
    """Density from limb brightness.

    Attributes
    ----------
    density, error : array (node,)
        m-3, standard error.
    covariance : array (node, node)
        m-6.
    residual : array (tangent,)
        Brightness less that of the density, R.
    """

    density: Array
    error: Array
    covariance: Array
    residual: Array


def shell_paths(tangent_radius: ArrayLike, edges: ArrayLike) -> Array:
    """Lengths of whole lines of sight in spherical shells, exact: 2 (sqrt(r_out^2 - b^2) - sqrt(r_in^2 - b^2)).

    Parameters
    ----------
    tangent_radius : array (tangent,)
        Least distances b from the centre, m.
    edges : array (shell + 1,)
        Radii of the shells, m, rising.

    Returns
    -------
    array (tangent, shell)
        m; times the density of the shells it is the slant column.

    Raises
    ------
    DataError
        The radii do not rise or are not positive.
    """
    radii, tangents = _radii(edges), np.atleast_1d(np.asarray(tangent_radius, dtype=np.float64))
    half = np.sqrt(np.maximum(radii[None, :] ** 2 - tangents[:, None] ** 2, 0.0))
    return 2.0 * np.diff(half, axis=1)


def node_paths(tangent_radius: ArrayLike, radius: ArrayLike) -> Array:
    """Weights of nodes of a profile that is linear in radius between them, for whole lines of sight; exact for such profiles.

    Parameters
    ----------
    tangent_radius : array (tangent,)
        Least distances from the centre, m.
    radius : array (node,)
        Radii of the nodes, m, rising; nothing is beyond the last, and nothing below the first counts.

    Returns
    -------
    array (tangent, node)
        m; times the density at the nodes it is the slant column. Second order in the spacing for smooth profiles.
    """
    radii, tangents = _radii(radius), np.atleast_1d(np.asarray(tangent_radius, dtype=np.float64))
    b = tangents[:, None]
    low, high = np.maximum(radii[None, :-1], b), np.maximum(radii[None, 1:], b)
    root_low, root_high = np.sqrt(low**2 - b**2), np.sqrt(high**2 - b**2)
    length = root_high - root_low
    # integral of r along half the line, r dr/sqrt(r^2 - b^2) times r, less the node below, for the slope
    moment = 0.5 * (high * root_high - low * root_low + b**2 * np.log((high + root_high) / (low + root_low)))
    share = (moment - radii[None, :-1] * length) / np.diff(radii)[None, :]
    weights = np.zeros((len(tangents), len(radii)))
    weights[:, :-1] += 2.0 * (length - share)
    weights[:, 1:] += 2.0 * share
    return weights


def limb_operator(tangent_radius: ArrayLike, radius: ArrayLike, g: float, field_of_view: float = 0.0, points: int = 9) -> Array:
    """Matrix from densities at nodes (m-3) to brightness (R): g times slant column/1e10, averaged over the field of view.

    Parameters
    ----------
    tangent_radius : array (tangent,)
        Centres of the field of view, least distance from the centre of the body, m.
    radius : array (node,)
        Nodes, m.
    g : float
        Photons that an atom scatters per second, s-1.
    field_of_view : float
        Full width of the (box) field of view at the tangent point, m.
    points : int
        Lines of sight that make it up, Gauss-Legendre.

    Returns
    -------
    array (tangent, node)
        R m3.

    Raises
    ------
    SettingsError
        g is not positive, or the field of view is negative.
    """
    if not (0.0 < g < np.inf and 0.0 <= field_of_view < np.inf and points >= 1):
        raise SettingsError(f"g {g} s-1, field of view {field_of_view} m, {points} lines: g must be positive, the others valid")
    tangents = np.atleast_1d(np.asarray(tangent_radius, dtype=np.float64))
    if field_of_view == 0.0:
        return g / _RAYLEIGH * node_paths(tangents, radius)
    nodes, weights = np.polynomial.legendre.leggauss(points)
    places = (tangents[:, None] + 0.5 * field_of_view * nodes[None, :]).reshape(-1)
    paths = node_paths(places, radius).reshape(len(tangents), points, -1)
    return g / _RAYLEIGH * np.einsum("p,tpn->tn", 0.5 * weights, paths)


def is_thin(column: ArrayLike, cross_section: float) -> NDArray[np.bool_]:
    """Whether slant columns (m-2) are optically thin at the centre of a line (m2): depth of at most 0.1."""
    return np.asarray(column, dtype=np.float64) * cross_section <= THIN


def onion_peel(brightness: ArrayLike, error: ArrayLike, tangent_radius: ArrayLike, top: float, g: float) -> Retrieved:
    """Density of shells from the outside in, one shell for each line of sight.

    Parameters
    ----------
    brightness, error : array (tangent,)
        R, with standard errors.
    tangent_radius : array (tangent,)
        Rising, m; they are the lower edges of the shells.
    top : float
        Upper edge of the last shell, m.
    g : float
        s-1.

    Returns
    -------
    Retrieved
        Density of the shells (node is the shell).
    """
    tangents = np.asarray(tangent_radius, dtype=np.float64)
    matrix = g / _RAYLEIGH * shell_paths(tangents, np.append(tangents, top))
    return _solved(matrix, brightness, error, 0.0)


def retrieve_density(brightness: ArrayLike, error: ArrayLike, operator: ArrayLike, smoothing: float = 0.0) -> Retrieved:
    """Weighted least squares with the error covariance (A' S^-1 A + smoothing D' D)^-1.

    Parameters
    ----------
    brightness, error : array (tangent,)
        R, with standard errors.
    operator : array (tangent, node)
        Of `limb_operator`.
    smoothing : float
        Weight of the squared second differences of the density, m6; 0 leaves them out. With it the density is biased towards a
        smooth one, and the covariance is that of the constrained problem.

    Returns
    -------
    Retrieved
        Density at the nodes.

    Raises
    ------
    DataError
        Shapes do not fit, or an error is not positive.
    NumericalError
        The lines of sight do not determine the nodes.
    """
    return _solved(np.asarray(operator, dtype=np.float64), brightness, error, smoothing)


def _solved(matrix: Array, brightness: ArrayLike, error: ArrayLike, smoothing: float) -> Retrieved:
    values, errors = (np.asarray(one, dtype=np.float64) for one in (brightness, error))
    if values.shape != (matrix.shape[0],) or errors.shape != values.shape:
        raise DataError(
            f"brightness {values.shape}, error {errors.shape}: one of each needed for the {matrix.shape[0]} lines of sight"
        )
    if not (np.isfinite(values).all() and (errors > 0.0).all() and np.isfinite(errors).all()):
        raise DataError("brightness must be finite and its errors positive and finite; leave out lines of sight without a value")
    weighted = matrix / errors[:, None]
    scale = np.linalg.norm(weighted, axis=0)
    if not (scale > 0.0).all():
        raise NumericalError(f"node {int(np.argmin(scale))} is met by no line of sight; look lower, or leave the node out")
    weighted = weighted / scale
    normal = weighted.T @ weighted
    if smoothing > 0.0:
        second = np.diff(np.eye(matrix.shape[1]), 2, axis=0) / scale
        normal = normal + smoothing * second.T @ second
    if np.linalg.cond(normal) > 1e13:
        raise NumericalError(
            f"{matrix.shape[0]} lines of sight do not determine {matrix.shape[1]} densities; take fewer nodes, or set smoothing"
        )
    factor = cho_factor(normal)
    density = cho_solve(factor, weighted.T @ (values / errors)) / scale
    covariance = cho_solve(factor, np.eye(len(scale))) / np.outer(scale, scale)
    return Retrieved(density, np.sqrt(np.diag(covariance)), covariance, values - matrix @ density)


def _radii(values: ArrayLike) -> Array:
    radii = np.asarray(values, dtype=np.float64)
    if radii.ndim != 1 or len(radii) < 2 or not (np.diff(radii) > 0.0).all() or not radii[0] > 0.0:
        raise DataError("radii must be positive and rise; give at least two, m from the centre of the body")
    return radii
