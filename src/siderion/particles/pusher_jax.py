"""The Boris pusher in uniform and dipole fields through JAX, for a GPU; the same steps as the compiled kernels.

JAX is imported when a function is called. Double precision is switched on inside the call only.
"""

from __future__ import annotations

import contextlib
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.constants import mu_0, speed_of_light

from siderion.core.errors import NumericalError, SettingsError


def push_uniform_jax(
    position: ArrayLike,
    velocity: ArrayLike,
    charge_to_mass: ArrayLike,
    step: float,
    steps: int,
    magnetic: ArrayLike,
    electric: ArrayLike = (0.0, 0.0, 0.0),
    precision: str = "float64",
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Fly particles through uniform fields.

    Parameters
    ----------
    position, velocity : arrays of shape (particle, 3)
        State at the start, m and m s-1.
    charge_to_mass : float or array of shape (particle,)
        C kg-1.
    step : float
        Length of a step, s.
    steps : int
        Number of steps.
    magnetic, electric : arrays of shape (3,)
        T and V/m.
    precision : str
        ``"float64"`` or ``"float32"``.

    Returns
    -------
    position, velocity : arrays of shape (particle, 3)
        State at the end, m and m s-1.

    Raises
    ------
    SettingsError
        JAX is not installed, or an argument does not fit.
    NumericalError
        A state is not finite at the end.

    References
    ----------
    As `siderion.particles.pusher.push`.
    """
    return _push(position, velocity, charge_to_mass, step, steps, magnetic, electric, None, precision)


def push_dipole_jax(
    position: ArrayLike,
    velocity: ArrayLike,
    charge_to_mass: ArrayLike,
    step: float,
    steps: int,
    moment: ArrayLike,
    magnetic: ArrayLike = (0.0, 0.0, 0.0),
    electric: ArrayLike = (0.0, 0.0, 0.0),
    precision: str = "float64",
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Fly particles through the field of a dipole at the origin plus uniform fields.

    Parameters as in `push_uniform_jax`, and ``moment``, the magnetic moment (3,), A m2.
    """
    return _push(position, velocity, charge_to_mass, step, steps, magnetic, electric, moment, precision)


def _push(
    position: ArrayLike, velocity: ArrayLike, charge_to_mass: ArrayLike, step: float, steps: int, magnetic: ArrayLike,
    electric: ArrayLike, moment: ArrayLike | None, precision: str,
) -> tuple[NDArray[Any], NDArray[Any]]:  # fmt: skip
    if precision not in ("float32", "float64") or not 0.0 < step < np.inf or steps < 1:
        raise SettingsError(f"precision {precision!r}, step {step} s, {steps} steps; use float32 or float64, positive numbers")
    places, speeds = (np.asarray(values, dtype=np.float64) for values in (position, velocity))
    if places.ndim != 2 or places.shape[1] != 3 or places.shape != speeds.shape:
        raise SettingsError(f"position has shape {places.shape}, velocity {speeds.shape}; both must be (particle, 3)")
    with np.errstate(divide="ignore", invalid="ignore"):
        momentum = speeds / np.sqrt(1.0 - np.sum(speeds**2, axis=1, keepdims=True) / speed_of_light**2)
    half = np.broadcast_to(0.5 * step * np.asarray(charge_to_mass, dtype=np.float64), (len(places),))
    strength = None if moment is None else mu_0 / (4.0 * np.pi) * np.asarray(moment, dtype=np.float64)
    fly, wide = _compiled(moment is not None)
    with wide() if precision == "float64" else contextlib.nullcontext():
        rows = [np.asarray(values, dtype=precision) for values in (places.T, momentum.T, half, magnetic, electric)]
        pole = None if strength is None else strength.astype(precision)
        answer = fly(*rows, pole, np.dtype(precision).type(step), int(steps))
        moved, pushed = (np.asarray(rows, dtype=np.float64).T for rows in answer)
    end = places + moved
    bad = np.flatnonzero(~(np.isfinite(end).all(axis=1) & np.isfinite(pushed).all(axis=1)))
    if len(bad):
        raise NumericalError(f"particle {bad[0]} is not finite after {steps} steps of {step} s; look at its start and the fields")
    return end, pushed / np.sqrt(1.0 + np.sum(pushed**2, axis=1, keepdims=True) / speed_of_light**2)


@cache
def _compiled(dipole: bool) -> tuple[Any, Any]:
    """The compiled loop, and the context in which JAX knows 64 bits."""
    try:
        import jax
    except ImportError as error:
        raise SettingsError("JAX is not installed; use siderion.particles.pusher.push or install siderion[gpu]") from error
    numbers = jax.numpy

    def inverse_gamma(u: Any) -> Any:
        return 1.0 / numbers.sqrt(1.0 + numbers.sum(u * u, axis=0) * (1.0 / speed_of_light**2))

    def cross(a: Any, b: Any) -> Any:
        return numbers.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])

    def magnetic_at(place: Any, uniform: Any, pole: Any) -> Any:
        if not dipole:
            return uniform[:, None]
        inverse = 1.0 / numbers.sqrt(numbers.sum(place * place, axis=0))
        unit = place * inverse
        along = numbers.sum(pole[:, None] * unit, axis=0)
        return uniform[:, None] + inverse * inverse * inverse * (3.0 * along * unit - pole[:, None])

    def fly(place: Any, u: Any, half: Any, magnetic: Any, electric: Any, pole: Any, step: Any, steps: Any) -> Any:
        def one_step(_: Any, state: Any) -> Any:
            moved, u = state
            kick = half * electric[:, None]
            u = u + kick
            t = half * inverse_gamma(u) * magnetic_at(place + moved, magnetic, pole)
            s = 2.0 / (1.0 + numbers.sum(t * t, axis=0)) * t
            u = u + cross(u + cross(u, t), s) + kick
            return moved + step * inverse_gamma(u) * u, u

        start = 0.5 * step * inverse_gamma(u) * u
        moved, u = jax.lax.fori_loop(0, steps, one_step, (start, u))
        return moved - 0.5 * step * inverse_gamma(u) * u, u

    wide = (lambda: jax.enable_x64(True)) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
    return jax.jit(fly), wide
