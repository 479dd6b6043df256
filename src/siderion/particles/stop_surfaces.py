"""Surfaces that stop test particles: spheres, planes, boxes, and surfaces of revolution about x (Shue form and conics).

Each has a name and the side that stops: ``"inside"`` (a particle that is inside), ``"outside"``, or ``"both"`` (any that
changes sides). A particle that starts on the side that stops ends at once, at the time of its start. So does one that starts on
a surface exactly and leaves it towards a side that stops; with ``"both"`` either side does. Let such particles start a little
off the surface, or name the one side that stops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import SettingsError

from .pusher_kernels import BOTH, BOX, CONIC, INSIDE, OUTSIDE, PLANE, SHUE, SPHERE

SIDES = {"inside": INSIDE, "outside": OUTSIDE, "both": BOTH}


@dataclass(frozen=True)
class StopSurface:
    """A surface as the pusher takes it; made by the functions of this module.

    Attributes
    ----------
    name : str
        Name in the results.
    row : tuple of 8 floats
        Shape, side, and the numbers of the shape, m.
    """

    name: str
    row: tuple[float, ...]


def sphere(radius: float, centre: ArrayLike = (0.0, 0.0, 0.0), side: str = "inside", name: str = "sphere") -> StopSurface:
    """Sphere of a radius about a centre, m; stops what gets inside (a body) or, ``side="outside"``, what leaves."""
    return _surface(name, SPHERE, side, [*_three(centre, name), _positive(radius, name)])


def plane(normal: ArrayLike, distance: float, side: str = "both", name: str = "plane") -> StopSurface:
    """Plane n . x = distance (m) with its normal n of any length; inside is where n . x is smaller."""
    vector = _three(normal, name)
    length = float(np.linalg.norm(vector))
    if not (length > 0.0 and np.isfinite(distance)):
        raise SettingsError(f"surface {name!r}: normal {vector} and distance {distance} m; the normal must not be zero")
    return _surface(name, PLANE, side, [*(vector / length), float(distance)])


def box(lower: ArrayLike, upper: ArrayLike, side: str = "outside", name: str = "box") -> StopSurface:
    """Box between two corners, m; stops what leaves it unless another side is given."""
    low, high = _three(lower, name), _three(upper, name)
    if not (low < high).all():
        raise SettingsError(f"surface {name!r}: corners {low} and {high} m; every component must rise")
    return _surface(name, BOX, side, [*(0.5 * (low + high)), *(0.5 * (high - low))])


def shue_surface(standoff: float, flaring: float, side: str = "inside", name: str = "magnetopause") -> StopSurface:
    """Surface r = standoff (2 / (1 + cos theta))^flaring about the origin, theta from +x; standoff in m.

    References
    ----------
    Shue et al. 1998, J. Geophys. Res. 103, 17691, doi:10.1029/98JA01103.
    """
    return _surface(name, SHUE, side, [_positive(standoff, name), _positive(flaring, name)])


def conic_surface(
    semi_latus_rectum: float, eccentricity: float, focus_x: float = 0.0, side: str = "inside", name: str = "bow shock"
) -> StopSurface:
    """Conic of revolution r = L / (1 + e cos theta) about the focus on the x axis; L and focus in m."""
    if not (0.0 <= eccentricity < np.inf and np.isfinite(focus_x)):
        raise SettingsError(
            f"surface {name!r}: eccentricity {eccentricity}, focus {focus_x} m; finite numbers are needed, e >= 0"
        )
    return _surface(name, CONIC, side, [float(focus_x), float(eccentricity), _positive(semi_latus_rectum, name)])


def surface_rows(surfaces: Sequence[StopSurface]) -> NDArray[np.float64] | None:
    """Array (surface, 8) of the kernels; None without surfaces."""
    names = [surface.name for surface in surfaces]
    if len(set(names)) < len(names):
        raise SettingsError(f"surfaces are called {', '.join(names)}; give each a name of its own")
    return np.array([surface.row for surface in surfaces]) if surfaces else None


def _surface(name: str, shape: int, side: str, numbers: list[float]) -> StopSurface:
    if side not in SIDES:
        raise SettingsError(f"surface {name!r}: side {side!r} is unknown; use one of {', '.join(SIDES)}")
    row = [float(shape), float(SIDES[side]), *map(float, numbers)]
    return StopSurface(name, tuple(row + [0.0] * (8 - len(row))))


def _three(values: ArrayLike, name: str) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (3,) or not np.isfinite(array).all():
        raise SettingsError(f"surface {name!r}: {values!r} is no vector of three finite components")
    return array


def _positive(value: float, name: str) -> float:
    if not 0.0 < value < np.inf:
        raise SettingsError(f"surface {name!r}: size {value}; it must be positive and finite")
    return float(value)
