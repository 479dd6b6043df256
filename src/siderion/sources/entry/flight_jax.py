"""Flight of many bodies through JAX, for a GPU: the equations, steps and bins of `flight_kernels`, all bodies side by side.

JAX is imported when the function is called. Double precision is switched on inside the call only. Each body has its own
step; a body that has ended waits for the last one. Derivatives of the right-hand side are automatic (forward), and the
linear systems of the steps are solved without exchange of rows: their diagonal has 4 over the step, and a step so long
that this fails is not finite or far off, and is repeated shorter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from siderion.core.constants import EARTH_GM, EARTH_RADIUS
from siderion.core.errors import SettingsError

from .atmosphere import Atmosphere
from .flight import ENTRY_ALTITUDE, SPEED_STEP, Array, Plan, Sums, fly_with
from .flight_kernels import ABLATED, END, GROUND, LEFT, SLOWED, STEPS
from .rates import CHI, FIRST, H, T, W
from .settings import AblationSettings
from .stepping import _ALTITUDE_SCALE, _COUPLING, _SMALL_SHARE, _STAGES, GAMMA

_ROOT_ITERATIONS = 16


def fly_bodies_jax(
    mass: ArrayLike,
    speed: ArrayLike,
    zenith_angle: ArrayLike,
    density: ArrayLike,
    atmosphere: Atmosphere,
    settings: AblationSettings | None = None,
    altitude_edges: ArrayLike | None = None,
    *,
    material: str | Mapping[str, float] = "chondritic",
    entry_altitude: float = ENTRY_ALTITUDE,
    elements: Sequence[str] | None = None,
) -> xr.Dataset:
    """Fly bodies through an atmosphere on the device of JAX: a GPU where there is one.

    Parameters
    ----------
    mass, speed, zenith_angle, density : array (body,) or float
        kg; m s-1 at entry; degrees from the vertical at entry, 0 to 90; kg m-3.
    atmosphere, altitude_edges, material, entry_altitude, elements
        As in `siderion.sources.entry.flight.fly_bodies`.
    settings : AblationSettings, optional
        Model and its numbers; without fragmentation and sputtering.

    Returns
    -------
    xarray.Dataset
        The variables of `siderion.sources.entry.flight.fly_bodies`, by the same method and tolerance.

    Raises
    ------
    SettingsError
        JAX is not installed, a number is out of range, or fragmentation or sputtering is set.
    NumericalError
        A flight did not end within the largest number of steps.

    References
    ----------
    As `siderion.sources.entry.flight`; RODAS: Hairer & Wanner 1996, Solving Ordinary Differential Equations II, VI.4.
    """
    chosen = settings or AblationSettings()
    for name, value, plain in (("fragmentation", chosen.fragmentation, "none"), ("sputtering", chosen.sputtering, False)):
        if value != plain:
            raise SettingsError(f"{name} is {value!r}; flights through JAX need {plain!r}: use fly_bodies for it")
    bodies = mass, speed, zenith_angle, density
    return fly_with(_fly_on_device, bodies, atmosphere, chosen, altitude_edges, material, entry_altitude, elements)


def _fly_on_device(plan: Plan, rows: Array, edges: Array, temperature: float) -> Sums:
    """All bodies by the compiled loop."""
    fly, wide = _compiled(plan.body.classical)
    groups = len(plan.melt.volatility)
    first = np.zeros((FIRST + groups, rows.shape[1]))
    first[H], first[W], first[CHI], first[T] = plan.limits.entry_altitude, 0.5 * rows[1] ** 2, np.radians(rows[2]), temperature
    body = plan.body._replace(unit_mass=rows[0], density=rows[3])
    air = plan.air.bottom, plan.air.step, _cells(plan)
    with wide():
        melt = plan.melt.group_fractions, plan.melt.volatility
        answer = fly(first, body, air, plan.limits, *melt, plan.pair_group, plan.chances, edges)
        sums, ends = (np.asarray(values) for values in answer)
    by_body = np.ascontiguousarray(np.moveaxis(sums, 1, 0).swapaxes(1, 2))  # body, column, bin
    inside, outside = by_body[:, :, :-1], by_body[:, :groups, -1]
    return inside[:, :groups], inside[:, groups], inside[:, groups + 1 :], outside, np.ascontiguousarray(ends.T)


def _cells(plan: Plan) -> Array:
    """Coefficients of the air in each cell of its table: cubic of the logarithm of density, line of temperature."""
    low, high, step = plan.air.table[:-1], plan.air.table[1:], plan.air.step
    rise, s0, s1 = high[:, 0] - low[:, 0], low[:, 1] * step, high[:, 1] * step
    return np.stack([low[:, 0], s0, 3.0 * rise - 2.0 * s0 - s1, s0 + s1 - 2.0 * rise, s1, low[:, 2], high[:, 2] - low[:, 2]], 1)


@cache
def _compiled(classical: bool) -> tuple[Any, Any]:
    """The compiled flight, and the context in which JAX knows 64 bits."""
    try:
        import jax
    except ImportError as error:
        raise SettingsError("JAX is not installed; use fly_bodies or install siderion[gpu]") from error
    wide = (lambda: jax.enable_x64(True)) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
    return jax.jit(_flight(jax, classical)), wide


def _right_hand_side(jax: Any, classical: bool) -> Any:
    """`rates.rates` for one body, with what numbers it needs; mass and density of the body come one by one."""
    jnp = jax.numpy

    def air_at(altitude: Any, air: Any) -> tuple[Any, Any]:
        bottom, step, cells = air
        place = (altitude - bottom) / step
        k = jnp.clip(jnp.floor(jax.lax.stop_gradient(place)).astype(int), 0, cells.shape[0] - 1)
        cell, x = cells[k], place - k
        inner = jnp.where(x < 0.0, 0.0, jnp.where(x > 1.0, 1.0, x))  # a clip would halve the derivative on the levels
        log_density = cell[0] + inner * (cell[1] + inner * (cell[2] + inner * cell[3]))
        beyond = jnp.where(x < 0.0, x * cell[1], jnp.where(x > 1.0, (x - 1.0) * cell[4], 0.0))
        return jnp.exp(log_density + beyond), cell[5] + inner * cell[6]

    def rates(state: Any, mass: Any, bulk: Any, body: Any, air: Any, fractions: Any, volatility: Any) -> Any:
        density, air_temperature = air_at(state[H], air)
        speed = jnp.sqrt(2.0 * state[W])
        parts = fractions * jnp.exp(state[FIRST:])
        share = jnp.sum(parts)
        per_mass = 1.0 / jnp.cbrt(bulk * bulk * mass * share)  # V^(2/3) / m
        radius = EARTH_RADIUS + state[H]
        weight = body.gravity * EARTH_GM / radius**2
        power = density * speed**3 * per_mass
        cosine, sine = jnp.cos(state[CHI]), jnp.sin(state[CHI])
        slowing = -body.drag_area * power + weight * speed * cosine
        path = -speed * cosine, slowing, sine * (body.curved * speed / radius - weight / speed)
        if classical:
            loss = jnp.broadcast_to(-body.sigma * body.drag_area * power, volatility.shape)
            return jnp.concatenate([jnp.stack([*path, 0.0 * speed]), loss])
        pressure = jnp.exp(body.pressure_log - body.pressure_slope * volatility / state[T])
        evaporated = body.evaporating_area * body.sticking * pressure * body.molecules / jnp.sqrt(state[T])
        heat = 0.5 * body.heating_area * body.heat_transfer * power
        light = body.radiating_area * per_mass * body.radiation * (state[T] ** 4 - air_temperature**4)
        cost = body.latent_heat * per_mass * jnp.sum(parts * evaporated) / share
        return jnp.concatenate([jnp.stack([*path, (heat - light - cost) / body.specific_heat]), -evaporated * per_mass])

    return rates


def _rosenbrock(jax: Any) -> Any:
    """`stepping.rosenbrock_step` for all bodies: the new state and the error, infinite where the step fails."""
    jnp = jax.numpy

    def decompose(matrix: Any) -> list[list[Any]]:
        rows = [list(row) for row in matrix]
        for k in range(len(rows)):
            for i in range(k + 1, len(rows)):
                rows[i][k] = rows[i][k] / rows[k][k]
                for j in range(k + 1, len(rows)):
                    rows[i][j] = rows[i][j] - rows[i][k] * rows[k][j]
        return rows

    def solve(rows: list[list[Any]], vector: Any) -> Any:
        found = list(vector)
        for i in range(len(rows)):
            for j in range(i):
                found[i] = found[i] - rows[i][j] * found[j]
        for i in reversed(range(len(rows))):
            for j in range(i + 1, len(rows)):
                found[i] = found[i] - rows[i][j] * found[j]
            found[i] = found[i] / rows[i][i]
        return jnp.stack(found)

    def possible(state: Any) -> Any:
        return (state[W] > 0.0) & (state[T] > 1.0) & (jnp.abs(state[CHI]) < 4.0) & jnp.isfinite(state[H])

    def error_of(state: Any, new: Any, difference: Any) -> Any:
        size = jnp.stack([jnp.full_like(new[H], _ALTITUDE_SCALE), new[W], jnp.ones_like(new[H]), new[T]])
        share = jnp.exp(new[FIRST:])
        logs = jnp.abs(difference[FIRST:]) * share / (share + _SMALL_SHARE)
        parts = jnp.concatenate([jnp.abs(difference[:FIRST]) / size, logs])
        falls = jnp.all(jnp.isfinite(new[FIRST:]) & (new[FIRST:] <= 1e-9 + state[FIRST:]), axis=0)
        return jnp.where(falls, jnp.max(parts, axis=0), jnp.inf)

    def take(state: Any, step: Any, rates: Any, derivatives: Any) -> tuple[Any, Any]:
        rows = decompose(jnp.eye(state.shape[0])[:, :, None] / (GAMMA * step) - derivatives)

        def one_stage(stage: Any, carry: Any) -> Any:
            stages, _, sound = carry
            new = state + jnp.tensordot(jnp.asarray(_STAGES)[stage], stages, 1)
            value = rates(new) + jnp.tensordot(jnp.asarray(_COUPLING)[stage], stages, 1) / step
            return stages.at[stage].set(solve(rows, value)), new, sound & possible(new)

        start = jnp.zeros((6, *state.shape)), state, jnp.ones(step.shape, bool)
        stages, new, sound = jax.lax.fori_loop(0, 6, one_stage, start)
        new = new + stages[5]
        error = error_of(state, new, stages[5])
        return new, jnp.where(sound & possible(new) & (error >= 0.0), error, jnp.inf)

    return take


def _hermite(old: Any, old_rate: Any, new: Any, new_rate: Any, step: Any, part: Any) -> Any:
    """`stepping.between`."""
    rise, first, last = new - old, old_rate * step, new_rate * step
    return old + part * (first + part * (3.0 * rise - 2.0 * first - last + part * (first + last - 2.0 * rise)))


def _binning(jax: Any) -> Any:
    """`flight_kernels._release` for all bodies: a loop over the bins that the longest path of a step meets."""
    jnp = jax.numpy

    def part_at(value: Any, old: Any, old_rate: Any, new: Any, new_rate: Any, step: Any) -> Any:
        sign, zero, one = jnp.where(new < old, -1.0, 1.0), jnp.zeros_like(old), jnp.ones_like(old)

        def closer(_: Any, state: Any) -> Any:
            low, high, part = state
            gap, slope = jax.jvp(lambda x: _hermite(old, old_rate, new, new_rate, step, x) - value, (part,), (one,))
            low, high = jnp.where(sign * gap < 0.0, part, low), jnp.where(sign * gap < 0.0, high, part)
            newton = part - gap / slope
            return low, high, jnp.where((newton >= low) & (newton <= high), newton, 0.5 * (low + high))

        guess = jnp.clip((value - old) / jnp.where(new == old, 1.0, new - old), 0.0, 1.0)
        return jax.lax.fori_loop(0, _ROOT_ITERATIONS, closer, (zero, one, guess))[2]

    def release(sums: Any, taken: Any, pieces: Any, mass: Any, fractions: Any, pair_group: Any, chances: Any, edges: Any) -> Any:
        old, old_rate, new, new_rate, step = pieces
        bins, lanes = edges.shape[0] - 1, jnp.arange(mass.shape[0])
        down = new[H] < old[H]
        start = jnp.where(down, old[H], jnp.nextafter(old[H], jnp.inf))
        stop = jnp.where(down, jnp.nextafter(new[H], jnp.inf), new[H])
        position, last = jnp.searchsorted(edges, start) - 1, jnp.searchsorted(edges, stop) - 1
        shares, final = jnp.exp(old[FIRST:]), jnp.exp(new[FIRST:])
        path = old[H], old_rate[H], new[H], new_rate[H], step

        def one_bin(carry: Any) -> Any:
            active, position, before, shares, sums = carry
            finished = jnp.where(down, position <= last, position >= last)
            border = edges[jnp.clip(jnp.where(down, position, position + 1), 0, bins)]
            part = jnp.where(finished, 1.0, jnp.maximum(part_at(border, *path), before))
            middle = 0.5 * (before + part)
            speed = jnp.sqrt(2.0 * jnp.maximum(_hermite(old[W], old_rate[W], new[W], new_rate[W], step, middle), 0.0))
            value = jnp.exp(_hermite(old[FIRST:], old_rate[FIRST:], new[FIRST:], new_rate[FIRST:], step, part))
            share = jnp.where(part < 1.0, jnp.minimum(jnp.maximum(value, final), shares), final)
            amount = jnp.where(active, mass * fractions[:, None] * (shares - share), 0.0)
            k = jnp.clip((speed / SPEED_STEP).astype(int), 0, chances.shape[1] - 2)
            chance = chances[:, k] + jnp.minimum(speed / SPEED_STEP - k, 1.0) * (chances[:, k + 1] - chances[:, k])
            columns = [amount, jnp.sum(amount, axis=0)[None] * speed, amount[pair_group] * chance]
            place = jnp.where((position >= 0) & (position < bins), position, bins)  # the last row is what lies outside
            sums = sums.at[place, lanes].add(jnp.concatenate(columns).T, unique_indices=True)
            return active & ~finished, position + jnp.where(down, -1, 1), part, share, sums

        active = taken & (jnp.sum(shares - final, axis=0) > 0.0)
        carry = active, position, jnp.zeros_like(step), shares, sums
        return jax.lax.while_loop(lambda carry: jnp.any(carry[0]), one_bin, carry)[4]

    return release


def _longest(jnp: Any, state: Any, rate: Any, air: Any) -> Any:
    """`flight_kernels._largest_step` for all bodies."""
    speed = jnp.sqrt(2.0 * state[W])
    fall = jnp.abs(rate[H]) + 1e-6 * speed
    room = jnp.maximum(state[H] - air[0], 0.0)
    return jnp.minimum(15e3 / fall, jnp.minimum(3e5 / speed, (0.5 * room + 5.0) / fall))


def _ending(jnp: Any, state: Any, share: Any, limits: Any, air: Any) -> Any:
    """`flight_kernels._ending` for all bodies."""
    away = (state[H] > limits.entry_altitude + 1.0) & (jnp.cos(state[CHI]) < 0.0)
    found = jnp.where(state[H] <= air[0] + 1.0, GROUND, jnp.where(away, LEFT, STEPS))
    found = jnp.where(2.0 * state[W] <= limits.slowest_speed**2, SLOWED, found)
    return jnp.where(share <= limits.smallest_share, ABLATED, found)


def _half_mass(jax: Any, pieces: Any, fractions: Any) -> tuple[Any, Any]:
    """`flight_kernels._note_half` for all bodies: altitude and speed from the step in which half of the mass was lost."""
    jnp, (old, old_rate, new, new_rate, step) = jax.numpy, pieces

    def closer(_: Any, bounds: Any) -> Any:
        part = 0.5 * (bounds[0] + bounds[1])
        logs = _hermite(old[FIRST:], old_rate[FIRST:], new[FIRST:], new_rate[FIRST:], step, part)
        above = fractions @ jnp.exp(logs) > 0.5
        return jnp.where(above, part, bounds[0]), jnp.where(above, bounds[1], part)

    low, high = jax.lax.fori_loop(0, 50, closer, (jnp.zeros_like(step), jnp.ones_like(step)))
    place = _hermite(old[:2], old_rate[:2], new[:2], new_rate[:2], step, 0.5 * (low + high))
    return place[H], jnp.sqrt(2.0 * place[W])


def _flight(jax: Any, classical: bool) -> Any:
    """`flight_kernels.fly_all`: one loop of steps until the last body ends."""
    jnp = jax.numpy
    one_body, take, release = _right_hand_side(jax, classical), _rosenbrock(jax), _binning(jax)

    def fly(first: Any, body: Any, air: Any, limits: Any, fractions: Any, volatility: Any, pair_group: Any, chances: Any,
            edges: Any) -> Any:  # fmt: skip
        mass, rest = body.unit_mass, (body, air, fractions, volatility)
        spread = (1, 0, 0, *(None,) * len(rest))
        all_rates = jax.vmap(one_body, spread, 1)
        all_derivatives = jax.vmap(jax.jacfwd(one_body), spread, 2)

        def right(state: Any) -> Any:
            return all_rates(state, mass, body.density, *rest)

        def one_step(carry: Any) -> Any:
            state, rate, step, share, hottest, end, steps, half, sums = carry
            going = end == STEPS
            step = jnp.minimum(step, _longest(jnp, state, rate, air))
            new, error = take(state, step, right, all_derivatives(state, mass, body.density, *rest))
            error = error / limits.tolerance
            factor = jnp.where(error < jnp.inf, jnp.clip(0.9 * (error + 1e-30) ** -0.25, 0.1, 5.0), 0.1)
            taken = going & (error <= 1.0)
            new = jnp.where(taken, new, state)
            new_rate = right(new)
            new_share = fractions @ jnp.exp(new[FIRST:])
            pieces = state, rate, new, new_rate, step
            crossed = taken & (share > 0.5) & (new_share <= 0.5)
            half = jax.tree.map(lambda one, other: jnp.where(crossed, one, other), pieces, half)
            sums = release(sums, taken, pieces, mass, fractions, pair_group, chances, edges)
            end = jnp.where(taken, _ending(jnp, new, new_share, limits, air), end)
            step = step * jnp.where(taken, factor, jnp.minimum(factor, 0.9))
            share = jnp.where(taken, new_share, share)
            return new, new_rate, step, share, jnp.maximum(hottest, new[T]), end, steps + going, half, sums

        def unfinished(carry: Any) -> Any:
            return jnp.any((carry[5] == STEPS) & (carry[6] < limits.largest_steps))

        rate = right(first)
        step, none = 0.1 * _longest(jnp, first, rate, air), jnp.zeros(first.shape[1], int)
        columns = fractions.shape[0] + 1 + pair_group.shape[0]
        half = first, rate, first, rate, step
        carry = (first, rate, step, none + 1.0, first[T], none + STEPS, none, half,
                 jnp.zeros((edges.shape[0], first.shape[1], columns)))  # fmt: skip
        state, _, _, share, hottest, end, steps, half, sums = jax.lax.while_loop(unfinished, one_step, carry)
        altitude, speed = (jnp.where(share <= 0.5, values, jnp.nan) for values in _half_mass(jax, half, fractions))
        found = {"final_mass": mass * share, "final_speed": jnp.sqrt(2.0 * state[W]), "end_altitude": state[H], "end": end,
                 "half_mass_altitude": altitude, "half_mass_speed": speed, "steps": steps, "fragment_count": jnp.ones(mass.shape),
                 "break_altitude": jnp.full(mass.shape, jnp.nan), "highest_temperature": hottest}  # fmt: skip
        return sums, jnp.stack([found[name] for name in END])

    return fly


__all__ = ["fly_bodies_jax"]
