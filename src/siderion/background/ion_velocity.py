"""Steady velocity of an ion under fields, wind and forces: equation (2) of Andoh et al. 2026, in plain vectors.

The momentum balance 0 = q (E + V x B) + F + m nu (Vn - V) has the closed form, with G = F + q E + m nu Vn, b = B/|B| and
zeta = nu/Omega::

    V = (zeta^2 G + zeta G x b + (G.b) b) / (m nu (1 + zeta^2))

Printed equation (2) is this sum, term by term.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

TERMS = ("exb", "pedersen", "parallel_field", "wind", "gravity", "pressure")
"""Terms of the velocity: E x B and Pedersen drift (E perpendicular to B), parallel electric field, wind, gravity,
gradient of the ion pressure. They sum to the total."""


def mobility_response(force: NDArray, field: NDArray, zeta: NDArray, mass_times_nu: NDArray) -> NDArray[np.float64]:
    """Velocity, m s-1, that a force gives.

    Parameters
    ----------
    force : (..., 3)
        Force on one ion, N.
    field : (..., 3)
        Magnetic field, T.
    zeta : (...)
        Ratio of collision frequency to gyrofrequency.
    mass_times_nu : (...)
        Ion mass times collision frequency, kg s-1.
    """
    b = field / np.linalg.norm(field, axis=-1, keepdims=True)
    z = np.asarray(zeta)[..., None]
    along = np.sum(force * b, axis=-1, keepdims=True) * b
    return (z**2 * force + z * np.cross(force, b) + along) / (np.asarray(mass_times_nu)[..., None] * (1.0 + z**2))


def perpendicular_drifts(electric: NDArray, field: NDArray, zeta: NDArray) -> tuple[NDArray, NDArray]:
    """E x B drift and Pedersen drift, m s-1, of the electric field (V m-1) perpendicular to B; each (..., 3).

    Terms 4 and 6 of equation (2).
    """
    square = np.sum(field**2, axis=-1, keepdims=True)
    perpendicular = electric - np.sum(electric * field, axis=-1, keepdims=True) * field / square
    z = np.asarray(zeta)[..., None]
    exb = np.cross(perpendicular, field) / square / (1.0 + z**2)
    return exb, z / (1.0 + z**2) * perpendicular / np.sqrt(square)


def gyrofrequency(charge: float, mass: float, field: NDArray) -> NDArray[np.float64]:
    """Angular gyrofrequency q|B|/m, rad s-1; ``field`` (..., 3) in T."""
    return charge * np.linalg.norm(field, axis=-1) / mass


def ion_velocity_terms(
    charge: float,
    mass: float,
    collision_frequency: NDArray,
    field: NDArray,
    electric: NDArray,
    wind: NDArray,
    gravity: NDArray,
    pressure_force: NDArray,
    parallel_electric: ArrayLike = 0.0,
) -> dict[str, NDArray[np.float64]]:
    """Every term of the velocity by name (see `TERMS`), m s-1, each (..., 3).

    Parameters
    ----------
    charge, mass : float
        C and kg.
    collision_frequency : (...)
        s-1.
    field, electric, wind : (..., 3)
        T, V m-1, m s-1. Of the electric field only the part perpendicular to B counts.
    gravity, pressure_force : (..., 3)
        Gravitational acceleration m s-2; -(1/N) grad(N k T), N: equation (3).
    parallel_electric : (...)
        Electric field along B, V m-1: equation (4).
    """
    zeta = collision_frequency / gyrofrequency(charge, mass, field)
    resistance = mass * np.asarray(collision_frequency)
    b = field / np.linalg.norm(field, axis=-1, keepdims=True)
    exb, pedersen = perpendicular_drifts(electric, field, zeta)
    parallel = charge * np.asarray(parallel_electric)[..., None] * b
    return {
        "exb": exb,
        "pedersen": pedersen,
        "parallel_field": mobility_response(parallel, field, zeta, resistance),
        "wind": mobility_response(resistance[..., None] * wind, field, zeta, resistance),
        "gravity": mobility_response(mass * gravity, field, zeta, resistance),
        "pressure": mobility_response(pressure_force, field, zeta, resistance),
    }
