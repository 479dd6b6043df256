"""Exact motion of an ion in uniform fields: the cycloid of pick-up, for any direction of the field and any first velocity.

In the frame of the plasma (velocity V, E = -V x B) the ion gyrates with its first velocity there, u = v - V: the part along
B is kept, the part across turns with the angular frequency q B/m. For an ion that starts at rest with B across V:
x = V (t - sin(W t)/W), y = (V/W)(1 - cos(W t)), largest energy 2 m V^2, mean over the cycle m V^2. Gravity is left out: that
of the Moon is below 1e-3 of the electric acceleration W V for singly charged ions up to Fe+ in 5 nT.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.constants import ELEMENTARY_CHARGE
from siderion.core.errors import DataError, SettingsError
from siderion.core.species import get_species

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PickupNumbers:
    """Numbers of the cycloid of an ion picked up at rest; SI units.

    Attributes
    ----------
    gyroperiod : float
        s.
    gyroradius : float
        m_ion V_perpendicular/(q B), m; the cycloid is twice as high.
    cycloid_length : float
        Way of the drift in a gyroperiod, V_perpendicular times the gyroperiod, m.
    largest_energy, mean_energy : float
        2 m V_perpendicular^2 and its mean over the time of a cycle, m V_perpendicular^2, J.
    """

    gyroperiod: float
    gyroradius: float
    cycloid_length: float
    largest_energy: float
    mean_energy: float


def pickup_numbers(species: str, speed: float, field: float, angle: float = 90.0) -> PickupNumbers:
    """Gyroperiod, gyroradius and energies of an ion that a plasma picks up at rest.

    Parameters
    ----------
    species : str
        Ion, such as ``"Fe+"``.
    speed : float
        Speed of the plasma, m s-1.
    field : float
        Strength of the magnetic field, T.
    angle : float
        Angle between flow and field, degrees.

    Raises
    ------
    SettingsError
        The species is no positive ion, or a number is not positive.
    """
    ion = get_species(species)
    if ion.charge_number < 1:
        raise SettingsError(f"species {species!r} is no positive ion; write it as Fe+ or Na+")
    if not (0.0 < speed < np.inf and 0.0 < field < np.inf and 0.0 < angle < 180.0):
        raise SettingsError(
            f"speed {speed} m/s, field {field} T, angle {angle} degrees: they must be positive, the angle below 180"
        )
    across = speed * np.sin(np.radians(angle))
    omega = ion.charge_number * ELEMENTARY_CHARGE * field / ion.mass
    period = 2.0 * np.pi / omega
    return PickupNumbers(period, across / omega, across * period, 2.0 * ion.mass * across**2, ion.mass * across**2)


def cycloid(
    position: ArrayLike, velocity: ArrayLike, time: ArrayLike, flow: ArrayLike, field: ArrayLike, charge_over_mass: float
) -> tuple[Array, Array]:
    """Position and velocity of an ion in uniform fields at some times.

    Parameters
    ----------
    position, velocity : array of shape (..., 3)
        Where it starts (m) and how fast (m s-1).
    time : array of shape (...)
        Time since then, s; broadcasts against the others without their last dimension.
    flow : array of shape (..., 3)
        Velocity of the plasma, m s-1.
    field : array of shape (..., 3)
        Magnetic field, T; not zero.
    charge_over_mass : float
        C kg-1.

    Returns
    -------
    position, velocity : ndarray of shape (..., 3)
        m and m s-1.

    Raises
    ------
    DataError
        A field is zero or not finite.
    """
    b = np.asarray(field, dtype=np.float64)
    strength = np.linalg.norm(b, axis=-1, keepdims=True)
    if not (np.isfinite(strength).all() and (strength > 0.0).all()):
        raise DataError("magnetic field is zero or not finite somewhere; uniform fields need a direction everywhere")
    drift, start = np.asarray(flow, dtype=np.float64), np.asarray(position, dtype=np.float64)
    unit = b / strength
    u = np.asarray(velocity, dtype=np.float64) - drift
    along = np.sum(u * unit, axis=-1, keepdims=True) * unit
    across = u - along
    turned = np.cross(across, unit)
    moment = np.asarray(time, dtype=np.float64)[..., None]
    omega = charge_over_mass * strength
    cosine, sine = np.cos(omega * moment), np.sin(omega * moment)
    # 1 - cos as 2 sin^2 of half the angle keeps its digits at early times
    rest = 2.0 * np.sin(0.5 * omega * moment) ** 2
    where = start + (drift + along) * moment + (across * sine + turned * rest) / omega
    return where, drift + along + across * cosine + turned * sine
