"""Distance of bodies from the Sun."""

from __future__ import annotations

import erfa
import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.bodies import ASTRONOMICAL_UNIT, Body

from .sun import julian_date

_PLANETS = ("Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn")
_MOVES_WITH = {
    "Moon": "Earth", "Earth cusp": "Earth", "Io": "Jupiter", "Europa": "Jupiter", "Ganymede": "Jupiter", "Callisto": "Jupiter",
    "Enceladus": "Saturn", "Dione": "Saturn", "Rhea": "Saturn", "Titan": "Saturn",
}  # fmt: skip
"""Planets whose distance is that of the body; a moon differs from it by less than 1.3e-3."""


def heliocentric_distance(body: Body, time: ArrayLike) -> NDArray[np.float64]:
    """Distance of a body from the Sun, m, at times.

    Planets, and moons with their planet: the series of Simon et al. 1994 (doi:1994A&A...282..663S) through ERFA's ``plan94``,
    good to 1e-3 of the distance. Other bodies (comets), and any body whose distance was given as one number: the geometric
    middle of the range of the preset.

    Parameters
    ----------
    body : Body
        From `siderion.core.bodies.get_body`.
    time : array of datetime64
        UTC, 1900 to 2100.

    Raises
    ------
    SettingsError
        The body moves with no planet and has no distance.
    CoverageError
        A time is outside the range.
    """
    moments = np.asarray(time)
    planet = _MOVES_WITH.get(body.name, body.name)
    lower, upper = body.require("distance")  # type: ignore[misc]
    if planet not in _PLANETS or _is_given(body):
        return np.full(moments.shape, float(np.sqrt(lower * upper)))
    state = erfa.plan94(julian_date(moments), 0.0, _PLANETS.index(planet) + 1)
    return np.linalg.norm(state["p"], axis=-1) * ASTRONOMICAL_UNIT


def _is_given(body: Body) -> bool:
    """Whether the distance is not that of the preset any more."""
    from siderion.core.bodies import get_body

    return body.distance != get_body(body.name).distance
