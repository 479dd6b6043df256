"""Flight of lunar ions on exact cycloids until they strike the Moon or cross a surface.

The steps are safe: the acceleration of an ion on a cycloid has a constant size a, so it moves at most |v| t + a t^2/2 in a
time t, and the next step is the time in which it cannot reach the Moon or the surface. No meeting deeper than the
tolerances is stepped over.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from siderion.core.errors import DataError, NumericalError

from .surfaces import Surface, gap

Array = NDArray[np.float64]
STRUCK, CROSSED, PASSED, UNFINISHED = range(4)
"""Ends of a flight: struck the Moon, crossed the surface, went past until the end of its time, too many steps."""
MOON_TOLERANCE = 100.0
SURFACE_TOLERANCE = 1e4
_MOST_STEPS = 200_000


@numba.njit(cache=True, error_model="numpy")
def _state(start, drift, across, turned, omega, t, out):
    """Position in out[:3] and velocity in out[3:] at a time."""
    sine, cosine = math.sin(omega * t), math.cos(omega * t)
    half = math.sin(0.5 * omega * t)
    rest = 2.0 * half * half
    for k in range(3):
        out[k] = start[k] + drift[k] * t + (across[k] * sine + turned[k] * rest) / omega
        out[3 + k] = drift[k] + across[k] * cosine + turned[k] * sine


@numba.njit(cache=True, parallel=True, error_model="numpy")
def _fly(position, drift, across, turned, omega, limit, moon, moon_radius, kind, p0, p1, p2, end, time, state):
    for i in numba.prange(len(omega)):
        here = np.empty(6)
        size = math.sqrt(turned[i, 0] ** 2 + turned[i, 1] ** 2 + turned[i, 2] ** 2) * omega[i]
        t, before, code = 0.0, 0.0, UNFINISHED
        for _ in range(_MOST_STEPS):
            _state(position[i], drift[i], across[i], turned[i], omega[i], t, here)
            x, y, z = here[0] - moon[0], here[1] - moon[1], here[2] - moon[2]
            height = math.sqrt(x * x + y * y + z * z) - moon_radius
            if height < -1.0:
                code = STRUCK
                break
            value, slope = gap(kind, p0, p1, p2, here[0], math.sqrt(here[1] ** 2 + here[2] ** 2))
            if value < 0.0:
                low, high = before, t
                for _ in range(60):
                    middle = 0.5 * (low + high)
                    _state(position[i], drift[i], across[i], turned[i], omega[i], middle, here)
                    inner, _ = gap(kind, p0, p1, p2, here[0], math.sqrt(here[1] ** 2 + here[2] ** 2))
                    if inner < 0.0:
                        high = middle
                    else:
                        low = middle
                t, code = high, CROSSED
                _state(position[i], drift[i], across[i], turned[i], omega[i], t, here)
                break
            if t >= limit[i]:
                code = PASSED
                break
            safe = min(max(height, MOON_TOLERANCE), max(value / slope, SURFACE_TOLERANCE))
            speed = math.sqrt(here[3] ** 2 + here[4] ** 2 + here[5] ** 2)
            step = 2.0 * safe / (speed + math.sqrt(speed * speed + 2.0 * size * safe))
            before, t = t, min(t + step, limit[i])
        end[i] = code
        time[i] = t
        for k in range(6):
            state[i, k] = here[k]


def fly_to_surface(
    position: Array, velocity: Array, flow: Array, field: Array, charge_over_mass: float, surface: Surface,
    moon: Array, moon_radius: float, limit: Array,
) -> tuple[NDArray[np.int64], Array, Array, Array]:  # fmt: skip
    """Fly ions to a surface.

    Parameters
    ----------
    position, velocity : array of shape (particle, 3)
        Starts: m and m s-1, in axes with x against the flow and the Earth in the origin.
    flow, field : array of shape (particle, 3)
        Plasma velocity (m s-1) and magnetic field (T) of each ion; the field is not zero.
    charge_over_mass : float
        C kg-1.
    surface : Surface
        Where the flight ends.
    moon : array of shape (3,)
        Centre of the Moon, m.
    moon_radius : float
        m.
    limit : array of shape (particle,)
        Longest time of flight, s.

    Returns
    -------
    end : ndarray of int, shape (particle,)
        `STRUCK`, `CROSSED` or `PASSED`.
    time, position, velocity : ndarray
        Time (s), place (m) and velocity (m s-1) at the end.

    Raises
    ------
    DataError
        A start, plasma or time limit is not finite, or a field is zero.
    NumericalError
        A flight takes too many steps.
    """
    strength = np.linalg.norm(field, axis=1)
    _require_finite({"position": position, "velocity": velocity, "flow": flow, "field": field, "time limit": limit}, strength)
    unit = field / strength[:, None]
    u = velocity - flow
    along = np.sum(u * unit, axis=1)[:, None] * unit
    across = u - along
    count = len(position)
    end, time, state = np.empty(count, np.int64), np.empty(count), np.empty((count, 6))
    _fly(
        np.ascontiguousarray(position), flow + along, across, np.cross(across, unit), charge_over_mass * strength,
        np.ascontiguousarray(limit), np.asarray(moon, dtype=np.float64), moon_radius, surface.kind, *surface.parameters,
        end, time, state,
    )  # fmt: skip
    stuck = np.flatnonzero(end == UNFINISHED)
    if len(stuck):
        raise NumericalError(
            f"ion {stuck[0]} needs more than {_MOST_STEPS} steps, at {time[stuck[0]]:g} s; "
            "give a stronger field or a surface farther from the Moon"
        )
    return end, time, state[:, :3], state[:, 3:]


def _require_finite(values: dict[str, Array], strength: Array) -> None:
    for name, value in values.items():
        bad = np.flatnonzero(~np.isfinite(np.asarray(value).reshape(len(strength), -1)).all(axis=1))
        if len(bad):
            raise DataError(f"{name} of ion {bad[0]} is {value[bad[0]]}; it must be finite")
    if (strength == 0.0).any():
        raise DataError(f"field of ion {int(np.flatnonzero(strength == 0.0)[0])} is zero; uniform fields need a direction")
