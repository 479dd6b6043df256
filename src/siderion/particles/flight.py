"""Flight of neutral test particles around a body: time spent in shells, and where each flight ends.

Under gravity alone every flight is a Kepler orbit, and the time in each shell follows from energy and angular momentum in
closed form, without steps (`fly_kepler`). With radiation pressure or a shadow, `fly_integrated` takes small steps of the
velocity Verlet scheme. Weights fall as exp(-nu t) by photo-loss. Steady density of a source of S particles per second of
weight w: n = S <residence> / shell volume.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import SettingsError

from .flight_kernels import (
    BEYOND,
    ESCAPED,
    LAUNCHED,
    LOST,
    RETURNED,
    UNFINISHED,
    fly_blocks,
    integrate_blocks,
    radial_product,
    time_between_radii,
)

Array = NDArray[np.float64]
BLOCKS = 128
"""Blocks of particles; the scatter of their sums gives standard errors."""


@dataclass(frozen=True)
class Flight:
    """Outcome of the flights of many particles, by block of particles.

    Attributes
    ----------
    edges : array of shape (shell + 1,)
        Radii of the shells, m; the first is the surface, the last the outer radius.
    residence : array of shape (block, shell, zenith)
        Weighted time spent in each shell, s; zenith angle from the direction of the Sun (+x) in equal steps from 0 to 180
        degrees, one step where the flight does not know the direction.
    launched, returned, escaped, lost, unfinished : array of shape (block,)
        Weights: all; back at the surface; beyond the outer radius for good; lost by photo-loss; still flying at the end
        (or on an orbit that never ends). The first is the sum of the others.
    beyond : array of shape (block,)
        Weighted time beyond the outer radius of particles that fall back, s.
    return_part : array of shape (particle,)
        Part of each particle that comes back to the surface.
    """

    edges: Array
    residence: Array
    launched: Array
    returned: Array
    escaped: Array
    lost: Array
    unfinished: Array
    beyond: Array
    return_part: Array


def time_between(radius: float, other_radius: float, energy: float, momentum: float, gravity: float) -> float:
    """Time that a Kepler orbit takes between two radii of its outbound leg, in closed form for any energy.

    Parameters
    ----------
    radius, other_radius : float
        Smaller and larger radius, m, both on the orbit.
    energy, momentum : float
        Energy (J kg-1) and angular momentum (m2 s-1) per mass.
    gravity : float
        Gravitational parameter G M, m3 s-2.

    Returns
    -------
    float
        Time, s.

    Raises
    ------
    SettingsError
        The orbit does not reach both radii.

    References
    ----------
    Universal variables: Battin 1999, An Introduction to the Mathematics and Methods of Astrodynamics, section 4.5. With
    w = (r2 - r1) / (s1 + s2), s = r dr/dt and a = -2 E, the anomaly between the points is 2 atan(sqrt(a) w) / sqrt(a).
    """
    alpha = -2.0 * energy
    root = np.sqrt(max(0.0, gravity**2 - alpha * momentum**2))
    pericentre = momentum**2 / (gravity + root)
    slack = 1e-12 * other_radius
    reach = (gravity + root) / alpha if alpha > 0.0 else np.inf
    if not pericentre - slack <= radius <= other_radius <= reach + slack:
        raise SettingsError(
            f"radii {radius:g} and {other_radius:g} m are not both on the orbit, which reaches from {pericentre:g} to {reach:g} m"
        )
    products = [radial_product(r, alpha, gravity, root, pericentre) for r in (radius, other_radius)]
    return float(time_between_radii(radius, products[0], other_radius, products[1], alpha, gravity))


def fly_kepler(
    radius: ArrayLike,
    velocity: ArrayLike,
    gravity: float,
    edges: ArrayLike,
    *,
    loss_rate: float = 0.0,
    weight: ArrayLike | None = None,
    stop_at_outer: bool = False,
) -> Flight:
    """Fly particles under gravity alone, exactly.

    Bound particles that cross the outer radius fall back in, unless ``stop_at_outer`` is set; particles on orbits above
    the surface go round until photo-loss ends them, all revolutions summed in closed form.

    Parameters
    ----------
    radius : array of shape (particle,)
        Launch radius, m, within the edges.
    velocity : array of shape (particle, 3)
        Velocity in the local frame, m s-1: outward, and two components along the surface.
    gravity : float
        Gravitational parameter G M, m3 s-2.
    edges : array of shape (shell + 1,)
        Radii of the shells, m, rising; the first is the surface, the last the outer radius.
    loss_rate : float
        Photo-loss rate nu, s-1, the same everywhere.
    weight : array of shape (particle,), optional
        Positive weights; 1 without them.
    stop_at_outer : bool
        Count a particle that reaches the outer radius as escaped, bound or not.

    Returns
    -------
    Flight
        With one zenith step.

    Raises
    ------
    SettingsError
        Shapes do not fit, a number is not finite, or a launch radius is not within the edges.
    """
    limits = _checked_edges(edges)
    speeds = _checked_velocity(velocity)
    radii, weights = _broadcast(radius, len(speeds), "radius"), _weights(weight, len(speeds))
    _check_places(radii, limits)
    _check_numbers(gravity=gravity, loss_rate=loss_rate)
    residence, ends = np.zeros((BLOCKS, len(limits) - 1)), np.zeros((BLOCKS, 6))
    returned = np.zeros(len(speeds))
    tangential = np.hypot(speeds[:, 1], speeds[:, 2])
    fly_blocks(
        radii, np.ascontiguousarray(speeds[:, 0]), tangential, weights, float(gravity), float(loss_rate), bool(stop_at_outer),
        limits, residence, ends, returned,
    )  # fmt: skip
    return _flight(limits, residence[:, :, None], ends, returned)


def fly_integrated(
    position: ArrayLike,
    velocity: ArrayLike,
    gravity: float,
    edges: ArrayLike,
    *,
    radiation_acceleration: float = 0.0,
    loss_rate: float = 0.0,
    shadow: bool = False,
    weight: ArrayLike | None = None,
    zenith_steps: int = 1,
    relative_step: float = 0.01,
    longest_time: float = 1e7,
) -> Flight:
    """Fly particles under gravity and radiation pressure with the velocity Verlet scheme.

    Flights stop at the surface and at the outer radius. The step is ``relative_step`` times the smaller of sqrt(r^3 / GM)
    and r / v; times of crossing are interpolated within a step, so that the error is of second order.

    Parameters
    ----------
    position, velocity : array of shape (particle, 3)
        Place (m) and velocity (m s-1) in a frame at the centre of the body, the Sun at +x.
    gravity, edges, loss_rate, weight
        As in `fly_kepler`.
    radiation_acceleration : float
        Constant acceleration along -x, m s-2.
    shadow : bool
        No radiation pressure and no photo-loss in the cylinder behind the body.
    zenith_steps : int
        Number of steps of the zenith angle in the residence time.
    relative_step : float
        Length of the step, see above.
    longest_time : float
        Flights longer than this, s, are cut and their weight counted as unfinished.

    Returns
    -------
    Flight
        The outcome.

    Raises
    ------
    SettingsError
        As `fly_kepler`.
    """
    limits = _checked_edges(edges)
    places, speeds = _checked_velocity(position).copy(), _checked_velocity(velocity).copy()
    if places.shape != speeds.shape:
        raise SettingsError(f"positions have shape {places.shape}, velocities {speeds.shape}; they must be equal")
    _check_places(np.linalg.norm(places, axis=1), limits)
    _check_numbers(gravity=gravity, loss_rate=loss_rate, relative_step=relative_step, longest_time=longest_time)
    if not np.isfinite(radiation_acceleration) or zenith_steps < 1:
        raise SettingsError(f"radiation_acceleration is {radiation_acceleration} and zenith_steps {zenith_steps}; "
                            "the first must be finite, the second at least 1")  # fmt: skip
    residence, ends = np.zeros((BLOCKS, len(limits) - 1, zenith_steps)), np.zeros((BLOCKS, 6))
    returned = np.zeros(len(speeds))
    integrate_blocks(
        places, speeds, _weights(weight, len(speeds)), float(gravity), float(radiation_acceleration), float(loss_rate),
        bool(shadow), float(relative_step), float(longest_time), limits, residence, ends, returned,
    )  # fmt: skip
    return _flight(limits, residence, ends, returned)


def _flight(edges: Array, residence: Array, ends: Array, returned: Array) -> Flight:
    columns = (LAUNCHED, RETURNED, ESCAPED, LOST, UNFINISHED, BEYOND)
    launched, back, escaped, lost, unfinished, beyond = (ends[:, column].copy() for column in columns)
    return Flight(edges, residence, launched, back, escaped, lost, unfinished, beyond, returned)


def _checked_edges(edges: ArrayLike) -> Array:
    limits = np.ascontiguousarray(edges, dtype=np.float64)
    if limits.ndim != 1 or len(limits) < 2 or not (limits[0] > 0 and np.isfinite(limits).all() and (np.diff(limits) > 0).all()):
        raise SettingsError(f"edges of shells are {limits}; at least two positive, rising, finite radii (m) are needed")
    return limits


def _checked_velocity(vectors: ArrayLike) -> Array:
    array = np.ascontiguousarray(vectors, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 3 or not len(array):
        raise SettingsError(f"vectors of particles have shape {array.shape}; needed: (particle, 3) with a particle at least")
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if len(bad):
        raise SettingsError(f"particle {bad[0]} has the vector {array[bad[0]]}; all components must be finite")
    return array


def _broadcast(values: ArrayLike, count: int, name: str) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if array.shape not in ((), (count,)):
        raise SettingsError(f"{name} has shape {array.shape}; needed: one value or ({count},), one per particle")
    return np.array(np.broadcast_to(array, (count,)))


def _weights(weight: ArrayLike | None, count: int) -> Array:
    weights = _broadcast(1.0 if weight is None else weight, count, "weight")
    if not (np.isfinite(weights).all() and (weights > 0.0).all()):
        raise SettingsError("weights of particles must be finite and positive; leave particles without weight out")
    return weights


def _check_places(radius: Array, edges: Array) -> None:
    slack = 1e-9 * edges[0]
    bad = np.flatnonzero(~((radius >= edges[0] - slack) & (radius <= edges[-1] + slack)))
    if len(bad):
        raise SettingsError(
            f"particle {bad[0]} starts at {radius[bad[0]]:g} m, outside {edges[0]:g} to {edges[-1]:g} m; widen the edges"
        )


def _check_numbers(gravity: float, loss_rate: float, **positive: float) -> None:
    for name, value in {"gravity": gravity, **positive}.items():
        if not 0.0 < value < np.inf:
            raise SettingsError(f"{name} is {value}; it must be positive and finite (SI units)")
    if not 0.0 <= loss_rate < np.inf:
        raise SettingsError(f"loss_rate is {loss_rate} s-1; it must be finite and not negative")
