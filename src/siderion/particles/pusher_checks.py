"""Checks of what the pusher is given, and momenta of velocities."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.constants import speed_of_light

from siderion.core.errors import SettingsError

Array = NDArray[np.float64]
METHODS = ("boris", "boris_exact_phase", "higuera_cary")
"""Named methods: Boris' rotation; the same with the exact angle; the gamma of Higuera and Cary (2017)."""


def halts(times: ArrayLike | None, start: float, duration: float) -> tuple[Array, Array]:
    """Times of the snapshots, and times where the flight halts: those and the end."""
    end = start + duration
    snapshots = np.atleast_1d(np.asarray(end if times is None else times, dtype=np.float64))
    slack = 1e-12 * max(abs(start), abs(end))
    if snapshots.ndim != 1 or not len(snapshots) or not (np.diff(snapshots) > 0).all():
        raise SettingsError("times of snapshots must be one row of numbers that rise")
    if not (snapshots[0] >= start - slack and snapshots[-1] <= end + slack):
        raise SettingsError(
            f"snapshots from {snapshots[0]} to {snapshots[-1]} s; they must lie in the flight, {start} to {end} s"
        )
    snapshots = np.clip(snapshots, start, end)
    return snapshots, np.unique(np.append(snapshots, end))


def checked_vectors(values: ArrayLike, name: str) -> Array:
    """Finite vectors (particle, 3)."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 3 or not len(array):
        raise SettingsError(f"{name} has shape {array.shape}; needed: (particle, 3) with a particle at least")
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if len(bad):
        raise SettingsError(f"{name} of particle {bad[0]} is {array[bad[0]]}; all components must be finite")
    return array


def one_per_particle(values: ArrayLike, count: int, name: str, least: float = -np.inf, above: bool = False) -> Array:
    """Finite numbers (particle,), at least or above the least."""
    array = np.asarray(values, dtype=np.float64)
    if array.shape not in ((), (count,)):
        raise SettingsError(f"{name} has shape {array.shape}; needed: one value or ({count},), one per particle")
    array = np.array(np.broadcast_to(array, (count,)))
    bad = np.flatnonzero(~(np.isfinite(array) & ((array > least) if above else (array >= least))))
    if len(bad):
        rule = "" if least < 0 else (" and positive" if above else " and not negative")
        raise SettingsError(f"{name} of particle {bad[0]} is {array[bad[0]]}; it must be finite{rule} (SI units)")
    return array


def check_choices(
    method: str, precision: str, duration: float, start: float, gravity: float, step: float | None, per_gyration: float | None,
    largest_angle: float,
) -> None:  # fmt: skip
    """Refuse choices that are none, and numbers out of range."""
    if method not in METHODS:
        raise SettingsError(f"method {method!r} is unknown; use one of {', '.join(METHODS)}")
    if precision not in ("float32", "float64"):
        raise SettingsError(f"precision {precision!r} is unknown; use float32 or float64")
    if step is not None and per_gyration is not None:
        raise SettingsError("step and steps_per_gyration are both given; give one of them")
    for name, value in {"duration": duration, "step": step, "steps_per_gyration": per_gyration}.items():
        if value is not None and not 0.0 < value < np.inf:
            raise SettingsError(f"{name} is {value}; it must be positive and finite")
    if not (np.isfinite(start) and 0.0 <= gravity < np.inf):
        raise SettingsError(f"start_time is {start} s and gravity {gravity} m3 s-2; both must be finite, gravity not negative")
    if not 0.0 < largest_angle <= 2.0:
        raise SettingsError(f"largest_angle is {largest_angle} rad; it must be positive and at most 2")


def momentum_of(velocity: Array) -> Array:
    """u = gamma v, m s-1, of velocities (..., 3) below the speed of light."""
    squared = np.sum(velocity**2, axis=-1) / speed_of_light**2
    fast = np.flatnonzero(squared >= 1.0)
    if len(fast):
        raise SettingsError(f"particle {fast[0]} has the velocity {velocity[fast[0]]} m s-1, not below the speed of light")
    return velocity / np.sqrt(1.0 - squared)[..., None]


def velocity_of(momentum: Array) -> Array:
    """Velocity, m s-1, of u = gamma v."""
    return momentum / np.sqrt(1.0 + np.sum(momentum**2, axis=-1) / speed_of_light**2)[..., None]
