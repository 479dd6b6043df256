"""The velocity filter: convection carries slow ions further across the field than fast ones while they rise."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import SettingsError

from .field_line import FieldLine

Array = NDArray[np.float64]


def footpoint_displacement(flight_time: ArrayLike, foot_electric_field: float, line: FieldLine, foot_altitude: float) -> Array:
    """Displacement of the foot of the field line while an ion rises, degrees of great circle.

    Field lines are equipotential: an ion stays on a moving line, whose foot moves with E/B of the ionosphere. With a field
    across the meridian the displacement is one of invariant latitude. It is the integral of (E x B/B^2) ds/v, mapped down.

    Parameters
    ----------
    flight_time : array
        Integral of ds/v along B, s.
    foot_electric_field : float
        Convection field at the foot, V m-1; its sign is kept.
    line : FieldLine
    foot_altitude : float
        Altitude of the foot, m.
    """
    radius = EARTH_RADIUS + foot_altitude
    speed = foot_electric_field / line.field(radius)
    return np.degrees(speed * np.asarray(flight_time, dtype=np.float64) / radius)


def local_displacement(path: Array, foot_electric_field: float, line: FieldLine) -> float:
    """Integral of E/B dt along a path, each step mapped to the foot, degrees; for the vertical line.

    E falls as r^-1.5 along a polar line (distances across it grow as r^1.5) and B as r^-3.

    Parameters
    ----------
    path : array (step, 4)
        As `siderion.sources.ionosphere.flight.trace_ion` gives it; the foot is its first point.
    foot_electric_field : float
        V m-1.
    line : FieldLine
        Of invariant latitude 90 degrees.

    Raises
    ------
    SettingsError
        The line is not vertical.
    """
    if line.invariant_latitude != 90.0:
        raise SettingsError(f"the mapping holds for the vertical line; this one has {line.invariant_latitude} degrees")
    radius = EARTH_RADIUS + path[:, 1]
    ratio = radius / radius[0]
    drift = foot_electric_field * ratio**-1.5 / line.field(radius)
    return float(np.degrees(np.trapezoid(drift * ratio**-1.5, path[:, 0]) / radius[0]))


def rise_time(mass: float, energy: float, bottom: float, top: float) -> float:
    """Time to rise between two altitudes (m) with a constant energy (J) along a vertical line, s: (top - bottom) sqrt(m/(2 W)).

    Raises
    ------
    SettingsError
        A number is out of range.
    """
    if not (mass > 0.0 and energy > 0.0 and top > bottom):
        raise SettingsError(f"rise of {mass} kg with {energy} J from {bottom} to {top} m; all must be positive, top above bottom")
    return (top - bottom) * float(np.sqrt(mass / (2.0 * energy)))
