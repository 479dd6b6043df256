"""Flight of charged test particles through prescribed fields: the Boris pusher and its relatives.

The momentum u = gamma v is pushed, so that the step is good from rest to the speed of light. Steps are of second order,
centred in time and preserve volume: the energy does not drift. Weights fall as exp(-nu t); surfaces stop particles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import NumericalError, SettingsError

from .electromagnetic_fields import Fields, flowing_fields
from .pusher_checks import check_choices, checked_vectors, halts, momentum_of, one_per_particle, velocity_of
from .pusher_kernels import FLYING, NOT_FINITE, TOO_COARSE, push_blocks, push_blocks_with_function
from .stop_surfaces import StopSurface, box, surface_rows

Array = NDArray[np.float64]
STEPS_PER_GYRATION = 32.0
LARGEST_ANGLE = 0.5
"""Default limit of the angle of gyration per step, rad: the phase of Boris' rotation is 2 % wrong there."""
GRID_EDGE = "edge of the grid"
_REFINEMENT = 1.5
_LARGEST_STEPS = 1e10


@dataclass(frozen=True)
class Trajectories:
    """States of test particles at chosen times and at their ends.

    Attributes
    ----------
    time : array of shape (time,)
        Times of the snapshots, s.
    position, velocity : arrays of shape (time, particle, 3)
        Places (m) and velocities (m s-1); a particle that stopped keeps its last state.
    weight : array of shape (time, particle)
        Weights; those of particles that stopped stay as they were then.
    flying : array of bool, shape (time, particle)
        Whether the particle still flew.
    end_time : array of shape (particle,)
        Time of the stop or of the end of the flight, s.
    end_position, end_velocity : arrays of shape (particle, 3)
        State at that time.
    end_weight : array of shape (particle,)
        Weight at that time.
    end : array of int, shape (particle,)
        What ended the flight: 0 the duration, n the surface ``end_names[n]``.
    end_names : tuple of str
        Names of the ends.
    step : array of shape (particle,)
        Longest step that was taken, s.
    """

    time: Array
    position: Array
    velocity: Array
    weight: Array
    flying: NDArray[np.bool_]
    end_time: Array
    end_position: Array
    end_velocity: Array
    end_weight: Array
    end: NDArray[np.int64]
    end_names: tuple[str, ...]
    step: Array

    def ended_at(self, name: str) -> NDArray[np.bool_]:
        """Which particles a surface stopped."""
        if name not in self.end_names:
            raise SettingsError(f"no surface is called {name!r}; the ends are {', '.join(self.end_names)}")
        return self.end == self.end_names.index(name)


@dataclass(frozen=True)
class _Flight:
    """What all groups of particles share: kernel and arguments, limits and times."""

    fields: Fields
    kernel: Any
    arguments: tuple[Any, ...]
    kind: NDArray[Any]
    start: float
    times: Array
    snapshots: Array
    largest_angle: float

    @property
    def limit(self) -> float:
        """Of the square of half the angle per step, with room for round-off."""
        return float((0.5 * self.largest_angle) ** 2 * (1.0 + 1e-5))


@dataclass
class _Result:
    """Arrays that groups fill."""

    position: Array
    velocity: Array
    flying: NDArray[np.bool_]
    end_time: Array
    end_position: Array
    end_velocity: Array
    end: NDArray[np.int64]
    step: Array


def push(
    position: ArrayLike,
    velocity: ArrayLike,
    charge: ArrayLike,
    mass: ArrayLike,
    fields: Fields,
    duration: float,
    *,
    step: float | None = None,
    steps_per_gyration: float | None = None,
    times: ArrayLike | None = None,
    start_time: float = 0.0,
    gravity: float = 0.0,
    gravity_centre: ArrayLike = (0.0, 0.0, 0.0),
    surfaces: Sequence[StopSurface] = (),
    weight: ArrayLike = 1.0,
    loss_rate: ArrayLike = 0.0,
    method: str = "boris",
    precision: str = "float64",
    largest_angle: float = LARGEST_ANGLE,
) -> Trajectories:
    """Fly charged particles through prescribed fields.

    Each particle flies with steps of its own length, the same all along. With ``step`` the flight is refused when a particle
    turns by more than ``largest_angle`` in a step. Otherwise the steps follow from ``steps_per_gyration`` in the field at the
    start, and a particle that meets a stronger field flies again from its start, with shorter steps. Both hold up to the place
    where a surface stops the particle.

    Parameters
    ----------
    position, velocity : arrays of shape (particle, 3)
        State at the start, m and m s-1, in one inertial Cartesian frame.
    charge, mass : float or array of shape (particle,)
        C and kg.
    fields : Fields
        From `siderion.particles.electromagnetic_fields`.
    duration : float
        Length of the flight, s.
    step : float, optional
        Longest step, s (it is shortened to fit the times).
    steps_per_gyration : float, optional
        At least so many steps per gyration in the strongest field met; 32 where no step is given.
    times : array of shape (time,), optional
        Times of the snapshots, s, rising, from the start to the end; only the end without them.
    start_time : float
        Time at the start, s.
    gravity : float
        G M of a point mass, m3 s-2; 0 for none. Its pull is that of Newton: du/dt = g.
    gravity_centre : array of shape (3,)
        Its place, m.
    surfaces : sequence of StopSurface
        What stops particles. Time and place of the crossing are interpolated on the step.
    weight, loss_rate : float or array of shape (particle,)
        Weights at the start, and rates nu (s-1) of their loss, exp(-nu t).
    method : str
        ``"boris"``; ``"boris_exact_phase"``: the angle of gyration is exact, the drift across E too slow by angle^2 / 12;
        ``"higuera_cary"``: the drift across E is exact at relativistic speed.
    precision : str
        ``"float64"`` or ``"float32"``.
    largest_angle : float
        Limit of the angle of gyration in one step, rad, at most 2.

    Returns
    -------
    Trajectories
        Snapshots and ends.

    Raises
    ------
    SettingsError
        Shapes do not fit, a number is not finite, or no step can be found.
    CoverageError
        A particle starts outside the grid of the fields.
    NumericalError
        A state is not finite, or a particle turns too far in a step.

    References
    ----------
    Boris 1970, Proc. 4th Conf. Numerical Simulation of Plasmas, 3; Birdsall & Langdon 1985, Plasma Physics via Computer
    Simulation, sections 4-3 and 15-4; Qin et al. 2013, Phys. Plasmas 20, 084503, doi:10.1063/1.4818428; Higuera & Cary 2017,
    Phys. Plasmas 24, 052104, doi:10.1063/1.4979989.
    """
    places, speeds = checked_vectors(position, "position"), checked_vectors(velocity, "velocity")
    if places.shape != speeds.shape:
        raise SettingsError(f"positions have shape {places.shape}, velocities {speeds.shape}; they must be equal")
    count = len(places)
    masses, charges = one_per_particle(mass, count, "mass", 0.0, above=True), one_per_particle(charge, count, "charge")
    weights, rates = one_per_particle(weight, count, "weight", 0.0), one_per_particle(loss_rate, count, "loss_rate", 0.0)
    check_choices(method, precision, duration, start_time, gravity, step, steps_per_gyration, largest_angle)
    fields.require_inside(places)
    edge = [] if fields.grid_limits is None else [box(*fields.grid_limits, name=GRID_EDGE)]
    ends = [*surfaces, *edge]
    snapshots, marks = halts(times, start_time, duration)
    angle = largest_angle if step is not None else 2.0 * np.pi / (steps_per_gyration or STEPS_PER_GYRATION)
    flight = _Flight(
        fields, push_blocks if fields.function is None else push_blocks_with_function,
        _kernel_arguments(fields, gravity, gravity_centre, method, surface_rows(ends), precision),
        np.empty(0, precision), float(start_time), marks, snapshots, min(angle, largest_angle),
    )  # fmt: skip
    result = _fly(flight, places, momentum_of(speeds), charges / masses, step)
    return _trajectories(flight, result, weights, rates, ("duration", *(surface.name for surface in ends)))


def push_pick_up(
    position: ArrayLike,
    charge: ArrayLike,
    mass: ArrayLike,
    flow: ArrayLike,
    magnetic: ArrayLike,
    duration: float,
    *,
    velocity: ArrayLike = (0.0, 0.0, 0.0),
    other_fields: Fields | None = None,
    **options: Any,
) -> Trajectories:
    """Fly ions born at rest in a flowing plasma: they are picked up by E = -v x B.

    Parameters
    ----------
    position : array of shape (particle, 3)
        Places of birth, m, in the frame of the body.
    charge, mass : float or array of shape (particle,)
        C and kg.
    flow, magnetic : arrays of shape (3,)
        Velocity (m s-1) and magnetic field (T) of the plasma in that frame.
    duration : float
        Length of the flight, s.
    velocity : array of shape (3,) or (particle, 3)
        Velocity of the ions in the frame of the body at birth, m s-1; at rest without it.
    other_fields : Fields, optional
        Fields to add.
    **options
        Those of `push`.

    Returns
    -------
    Trajectories
        As `push`. Across the flow the ions move on a cycloid, with the largest energy 2 m v^2 for B across the flow.
    """
    places = checked_vectors(position, "position")
    fields = flowing_fields(flow, magnetic)
    born = np.array(np.broadcast_to(np.asarray(velocity, dtype=np.float64), places.shape))
    return push(places, born, charge, mass, fields if other_fields is None else fields + other_fields, duration, **options)


def _fly(flight: _Flight, position: Array, momentum: Array, charge_to_mass: Array, step: float | None) -> _Result:
    """Fly all particles, in groups of one step, and again with shorter steps where that is allowed and needed."""
    shape = (len(flight.snapshots), len(position), 3)
    result = _Result(
        np.empty(shape), np.empty(shape), np.empty(shape[:2], bool), np.empty(shape[1]), np.empty(shape[1:]), np.empty(shape[1:]),
        np.empty(shape[1], np.int64), np.empty(shape[1]),
    )  # fmt: skip
    wanted = _first_steps(flight, position, charge_to_mass) if step is None else np.full(len(position), step)
    pending = np.arange(len(position))
    while len(pending):
        groups = [pending[wanted[pending] == length] for length in np.unique(wanted[pending])]
        pending = np.concatenate([
            _fly_group(flight, group, position, momentum, charge_to_mass, wanted[group[0]], result, step is not None)
            for group in groups
        ])  # fmt: skip
        wanted[pending] = _on_ladder(flight, wanted[pending] / _REFINEMENT)
        _check_number_of_steps(flight, wanted, pending)
    return result


def _fly_group(
    flight: _Flight, group: NDArray[np.int64], position: Array, momentum: Array, charge_to_mass: Array, step: float,
    result: _Result, fixed: bool,
) -> NDArray[np.int64]:  # fmt: skip
    """Fly particles with one step from start to end; returns those whose step was too long."""
    places, speeds = position[group].T.copy(), momentum[group].T.copy()
    ratio, status, stop = charge_to_mass[group], np.zeros(len(group), np.int64), np.zeros(len(group))
    now, longest, row = flight.start, 0.0, 0
    for mark in flight.times:
        steps = int(np.ceil((mark - now) / step * (1.0 - 1e-12)))
        if steps:
            longest = max(longest, (mark - now) / steps)
            flight.kernel(
                places, speeds, ratio, status, stop, now, (mark - now) / steps, steps, flight.limit, flight.kind,
                *flight.arguments,
            )  # fmt: skip
            _raise_if_bad(flight, group, places, ratio, status, stop, (mark - now) / steps, fixed)
        now = mark
        while row < len(flight.snapshots) and flight.snapshots[row] <= mark:
            result.position[row, group], result.velocity[row, group] = places.T, velocity_of(speeds.T)
            result.flying[row, group] = status == FLYING
            row += 1
    done = status != TOO_COARSE
    kept = group[done]
    result.end_position[kept], result.end_velocity[kept] = places.T[done], velocity_of(speeds.T[done])
    result.end[kept], result.step[kept] = status[done], longest
    result.end_time[kept] = np.where(status[done] == FLYING, flight.times[-1], stop[done])
    return group[~done]


def _raise_if_bad(
    flight: _Flight, group: NDArray[np.int64], places: Array, ratio: Array, status: NDArray[np.int64], stop: Array, step: float,
    fixed: bool,
) -> None:  # fmt: skip
    bad = np.flatnonzero(status == NOT_FINITE)
    coarse = np.flatnonzero(status == TOO_COARSE) if fixed else bad[:0]
    if not len(bad) and not len(coarse):
        return
    one = bad[0] if len(bad) else coarse[0]
    where = f"particle {group[one]} at {places[:, one]} m, at most 32 steps of {step:.4g} s before {stop[one]:.6g} s"
    if len(bad):
        raise NumericalError(
            f"{where}: the state is not finite ({len(bad)} such particles); look at the fields there, or stop particles before "
            "they get there with a surface"
        )
    try:
        strength = float(np.linalg.norm(flight.fields.evaluate(places[:, one], stop[one])[1]))
    except LookupError:  # it just left the grid
        strength = float("nan")
    raise NumericalError(
        f"{where}: it turns by more than {flight.largest_angle:.3g} rad in a step (|q B / m| step is "
        f"{abs(ratio[one]) * strength * step:.3g} at that place); shorten the step, give steps_per_gyration instead, or raise "
        "largest_angle"
    )


def _first_steps(flight: _Flight, position: Array, charge_to_mass: Array) -> Array:
    """Steps (particle,) for the field at the start, s; a tenth shorter than needed there where the field is not uniform."""
    magnetic = flight.fields.evaluate(position, flight.start)[1]
    rate = np.abs(charge_to_mass) * np.linalg.norm(magnetic, axis=1)
    bad = np.flatnonzero(~((rate > 0.0) & np.isfinite(rate)))
    if len(bad):
        raise SettingsError(
            f"particle {bad[0]} has the gyrofrequency {rate[bad[0]]} rad s-1 at {position[bad[0]]} m; no step follows from it; "
            "give step (s)"
        )
    uniform = flight.fields.grid is None and flight.fields.function is None and not len(flight.fields.dipoles)
    wanted = _on_ladder(flight, flight.largest_angle / rate / (1.0 if uniform else 1.1))
    _check_number_of_steps(flight, wanted, np.arange(len(wanted)))
    return wanted


def _on_ladder(flight: _Flight, step: Array) -> Array:
    """The next shorter step of duration / 2^(k/4): few groups, and no particle depends on the others."""
    duration = flight.times[-1] - flight.start
    return duration * 2.0 ** (-0.25 * np.maximum(np.ceil(4.0 * np.log2(duration / step) - 1e-9), 0.0))


def _check_number_of_steps(flight: _Flight, step: Array, particles: NDArray[np.int64]) -> None:
    numbers = (flight.times[-1] - flight.start) / step[particles]
    if len(numbers) and numbers.max() > _LARGEST_STEPS:
        raise NumericalError(
            f"particle {particles[numbers.argmax()]} would need {numbers.max():.2g} steps for the strongest field it meets, "
            f"more than {_LARGEST_STEPS:.0e}; shorten the duration, or stop it before with a surface"
        )


def _kernel_arguments(
    fields: Fields, gravity: float, centre: ArrayLike, method: str, surfaces: Array | None, precision: str
) -> tuple[Any, ...]:
    real = np.dtype(precision).type

    def numbers(values: ArrayLike) -> tuple[Any, ...]:
        return tuple(real(value) for value in np.asarray(values, dtype=np.float64))

    dipole = numbers(fields.dipoles[0]) if len(fields.dipoles) == 1 else None
    dipoles = fields.dipoles.astype(precision) if len(fields.dipoles) > 1 else None
    grid = None if fields.grid is None else fields.grid[0].astype(precision)
    pull = numbers([gravity, *checked_vectors(np.atleast_2d(np.asarray(centre)), "gravity_centre")[0]]) if gravity else None
    exact = True if method == "boris_exact_phase" else None
    central = True if method == "higuera_cary" else None
    frame = numbers(fields.grid_frame)
    return numbers(fields.uniform), dipole, dipoles, grid, frame, fields.function, pull, exact, central, surfaces


def _trajectories(flight: _Flight, result: _Result, weight: Array, rate: Array, names: tuple[str, ...]) -> Trajectories:
    elapsed = np.minimum(flight.snapshots[:, None], result.end_time) - flight.start
    return Trajectories(
        flight.snapshots, result.position, result.velocity, weight * np.exp(-rate * elapsed), result.flying, result.end_time,
        result.end_position, result.end_velocity, weight * np.exp(-rate * (result.end_time - flight.start)), result.end, names,
        result.step,
    )  # fmt: skip
