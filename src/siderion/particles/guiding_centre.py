"""Motion of charged particles in closed form: gyration, drifts, the cycloid of pick-up, bounce and drift in a dipole.

SI units; speeds and fields as magnitudes or vectors as said. Relativistic factors are included where gamma appears.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import quad
from scipy.optimize import brentq

from siderion.core.errors import SettingsError

Array = NDArray[np.float64]


def gyrofrequency(charge: float, mass: float, field: float, gamma: float = 1.0) -> float:
    """Angular frequency of gyration |q| B / (gamma m), rad s-1; field in T."""
    return abs(charge) * field / (gamma * mass)


def drift_across(electric: ArrayLike, magnetic: ArrayLike) -> Array:
    """Drift E x B / B^2, m s-1, of fields (..., 3) in V/m and T."""
    electric, magnetic = np.asarray(electric, dtype=np.float64), np.asarray(magnetic, dtype=np.float64)
    return np.cross(electric, magnetic) / np.sum(magnetic**2, axis=-1, keepdims=True)


def magnetic_moment(velocity: ArrayLike, magnetic: ArrayLike, mass: float, gamma: ArrayLike = 1.0) -> Array:
    """First invariant p_perp^2 / (2 m B), J T-1, of velocities (..., 3) in m s-1 and fields (..., 3) in T."""
    velocity, magnetic = np.asarray(velocity, dtype=np.float64), np.asarray(magnetic, dtype=np.float64)
    strength = np.linalg.norm(magnetic, axis=-1)
    along = np.sum(velocity * magnetic, axis=-1) / strength
    across = np.sum(velocity**2, axis=-1) - along**2
    return np.asarray(gamma, dtype=np.float64) ** 2 * mass * across / (2.0 * strength)


def pick_up_cycloid(time: ArrayLike, flow: float, frequency: float) -> tuple[Array, Array]:
    """Cycloid of an ion born at rest in a flow across the magnetic field.

    x = v (t - sin(W t) / W) along the flow, y = (v / W) (1 - cos(W t)) along -v x B; the energy is at most 2 m v^2.

    Parameters
    ----------
    time : array
        Time since birth, s.
    flow : float
        Speed of the plasma, m s-1.
    frequency : float
        Gyrofrequency W, rad s-1.

    Returns
    -------
    x, y : arrays
        Place, m.
    """
    phase = frequency * np.asarray(time, dtype=np.float64)
    return flow / frequency * (phase - np.sin(phase)), flow / frequency * (1.0 - np.cos(phase))


def mirror_latitude(equatorial_pitch_angle: float) -> float:
    """Magnetic latitude (rad) of the mirror point in a dipole: cos^6 / sqrt(1 + 3 sin^2) = sin^2 of the pitch angle (rad)."""
    if not 0.0 < equatorial_pitch_angle <= 0.5 * np.pi:
        raise SettingsError(f"equatorial_pitch_angle is {equatorial_pitch_angle} rad; it must be above 0, at most pi / 2")
    target = np.sin(equatorial_pitch_angle) ** 2
    if target == 1.0:
        return 0.0
    return float(brentq(lambda x: np.cos(x) ** 6 / np.sqrt(1.0 + 3.0 * np.sin(x) ** 2) - target, 0.0, 0.5 * np.pi, xtol=1e-15))


def dipole_bounce_period(speed: float, equatorial_pitch_angle: float, equatorial_radius: float) -> float:
    """Period of the bounce of a guiding centre in a dipole, by quadrature.

    T = (4 r / v) times the integral of cos sqrt(1 + 3 sin^2) / cos(pitch angle) over the latitude up to the mirror point.
    Hamlin et al. approximate it by (4 r / v) (1.30 - 0.56 sin(pitch angle)).

    Parameters
    ----------
    speed : float
        Speed, m s-1.
    equatorial_pitch_angle : float
        Pitch angle at the equator, rad.
    equatorial_radius : float
        Distance of the field line from the dipole at the equator, m.

    Returns
    -------
    float
        Period, s.

    References
    ----------
    Hamlin, Karplus, Vik & Watson 1961, J. Geophys. Res. 66, 1, doi:10.1029/JZ066i001p00001.
    """
    top = np.sin(mirror_latitude(equatorial_pitch_angle))
    target = np.sin(equatorial_pitch_angle) ** 2
    if top == 0.0:  # small oscillations: B = B0 (1 + 9/2 latitude^2)
        return float(2.0 * np.pi * equatorial_radius / (3.0 * speed))

    def slowness(phase: float) -> float:
        # sin(latitude) = top sin(phase) takes the root at the mirror point away
        sine = top * np.sin(phase)
        root = np.sqrt(1.0 + 3.0 * sine**2)
        cosine_squared = max(1.0 - target * root / (1.0 - sine**2) ** 3, 1e-300)
        return float(top * np.cos(phase) * root / np.sqrt(cosine_squared))

    return float(4.0 * equatorial_radius / speed * quad(slowness, 0.0, 0.5 * np.pi, epsrel=1e-9)[0])


def equatorial_drift_rate(charge: float, mass: float, speed: float, radius: float, strength: float, gamma: float = 1.0) -> float:
    """Angular rate of the grad-B drift at the equator of a dipole, rad s-1, for a small gyroradius.

    3 gamma m v^2 r / (2 q M) with the strength M = mu0 m / 4 pi in T m3; about the direction of the moment, so that positive
    charges go westward at the Earth, whose moment points to the south.
    """
    return 3.0 * gamma * mass * speed**2 * radius / (2.0 * charge * strength)
