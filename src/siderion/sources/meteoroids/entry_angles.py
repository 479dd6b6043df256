"""Zenith angles at which meteoroids of an isotropic flux reach the top of the atmosphere: p(z) = sin 2z."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import roots_jacobi

from siderion.core.constants import EARTH_GM, EARTH_RADIUS
from siderion.core.errors import SettingsError

Array = NDArray[np.float64]


def angle_quadrature(count: int) -> tuple[Array, Array]:
    """Zenith angles and weights that integrate over an isotropic flux.

    The flux through a level area from directions that are equally likely goes as cos z times the solid angle, so that
    p(z) = 2 sin z cos z = sin 2z, and mu = cos z has the density 2 mu. The points are those of Gauss and Jacobi: exact for
    polynomials of degree 2 count - 1 in mu.

    Parameters
    ----------
    count : int
        Number of angles, at least 1.

    Returns
    -------
    angle, weight : array (angle,)
        Degrees from the zenith, rising; weights sum to 1.

    Raises
    ------
    SettingsError
        The count is below 1.
    """
    if count < 1:
        raise SettingsError(f"number of entry angles is {count}; it must be at least 1")
    nodes, weights = roots_jacobi(count, 0.0, 1.0)
    cosine = 0.5 * (nodes + 1.0)
    order = np.argsort(-cosine)
    return np.degrees(np.arccos(cosine[order])), weights[order] / weights.sum()


def sample_angles(count: int, generator: np.random.Generator) -> Array:
    """Draw zenith angles of an isotropic flux: sin^2 z is uniform.

    Parameters
    ----------
    count : int
        Number of angles.
    generator : numpy.random.Generator
        Source of random numbers.

    Returns
    -------
    array (body,)
        Degrees from the zenith.
    """
    return np.degrees(np.arcsin(np.sqrt(generator.random(count))))


def before_the_fall(
    speed: Array, angle: Array, low: float, high: float, *, gravity: bool = True, curved: bool = True
) -> tuple[Array, Array]:
    """Speed and zenith angle at a high altitude of bodies that, without air, arrive with given ones at a lower altitude.

    Energy and angular momentum are kept: v^2 - 2 GM/r and r v sin z. An isotropic flux through the sphere at 100 km is none of
    all directions at 200 km: what enters that sphere at more than 80 degrees passes by.

    Parameters
    ----------
    speed, angle : array (body,)
        m s-1 and degrees from the zenith at the low altitude.
    low, high : float
        Altitudes, m.
    gravity, curved : bool
        The Earth attracts; the Earth is a sphere. On a plane v sin z is kept, and 90 degrees is the limit.

    Returns
    -------
    speed, angle : array (body,)
        At the high altitude.
    """
    fall = 2.0 * EARTH_GM * (1.0 / (EARTH_RADIUS + low) - 1.0 / (EARTH_RADIUS + high)) if gravity else 0.0
    above = np.sqrt(np.asarray(speed, np.float64) ** 2 - fall)
    radii = (EARTH_RADIUS + low) / (EARTH_RADIUS + high) if curved else 1.0
    sine = np.sin(np.radians(angle)) * radii * speed / above
    return above, np.degrees(np.arcsin(np.minimum(sine, 1.0)))
