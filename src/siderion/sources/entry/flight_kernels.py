"""Compiled flight of bodies through the air: steps, breaking, and what is released in which bin of altitude."""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np

from .rates import CHI, FIRST, Air, Body, H, T, W, air_at, evaporation, jacobian, rates, total_share
from .stepping import between, part_at, rosenbrock_step

ABLATED, SLOWED, GROUND, LEFT, STEPS = range(5)
"""How a flight ends: gone, too slow, at the bottom of the air, back in space, too many steps (a failure)."""
NEVER, PRESSURE, ENERGY, ALTITUDE = range(4)
"""What breaks a body."""
TRACK = ("time", "altitude", "speed", "zenith_angle", "mass", "temperature", "mass_loss_rate", "fragment_count")
"""Columns of the track of one body; mass and its loss are those of all fragments."""
END = ("final_mass", "final_speed", "end_altitude", "end", "half_mass_altitude", "half_mass_speed", "steps", "fragment_count",
       "break_altitude", "highest_temperature")  # fmt: skip
"""Columns of the ends."""


class Breaking(NamedTuple):
    """When a body breaks, and into how many parts."""

    cause: int
    strength: float
    exponent: float
    fragments: float
    energy: float
    altitude: float
    grain_mass: float


class Limits(NamedTuple):
    """Ends of a flight and the size of its steps."""

    tolerance: float
    smallest_share: float
    slowest_speed: float
    largest_steps: int
    entry_altitude: float


@numba.njit(cache=True, error_model="numpy")
def _largest_step(state, rate, air):
    """Longest step, s: within the air it crosses a few kilometres at most and never the ground."""
    speed = math.sqrt(2.0 * state[W])
    fall = abs(rate[H]) + 1e-6 * speed
    room = max(state[H] - air.bottom, 0.0)
    return min(15e3 / fall, 3e5 / speed, (0.5 * room + 5.0) / fall)


@numba.njit(cache=True, error_model="numpy")
def _release(old, old_rate, new, new_rate, step, mass, fractions, pair_group, chances, speed_step, edges, sums):
    """Share out what a step releases over the bins of altitude, with its momentum and the part that is ionised."""
    released, momentum, ionised, outside = sums
    bins = edges.shape[0] - 1
    down = new[H] < old[H]
    if down:
        position, last = np.searchsorted(edges, old[H], side="left") - 1, np.searchsorted(edges, new[H], side="right") - 1
    else:
        position, last = np.searchsorted(edges, old[H], side="right") - 1, np.searchsorted(edges, new[H], side="left") - 1
    before, lost = 0.0, 0.0
    shares = np.empty(fractions.shape[0])
    for g in range(fractions.shape[0]):
        shares[g] = math.exp(old[FIRST + g])
        lost += shares[g] - math.exp(new[FIRST + g])
    if lost <= 0.0:
        return
    while True:
        finished = position <= last if down else position >= last
        part = 1.0
        if not finished:
            border = edges[position] if down else edges[position + 1]
            part = max(part_at(old[H], old_rate[H], new[H], new_rate[H], step, border), before)
        middle = 0.5 * (before + part)
        speed = math.sqrt(2.0 * max(between(old[W], old_rate[W], new[W], new_rate[W], step, middle), 0.0))
        inside = 0 <= position < bins
        for g in range(fractions.shape[0]):
            i = FIRST + g
            share = math.exp(new[i])
            if part < 1.0:
                value = math.exp(between(old[i], old_rate[i], new[i], new_rate[i], step, part))
                share = min(max(value, share), shares[g])
            amount = mass * fractions[g] * (shares[g] - share)
            shares[g] = share
            if inside:
                released[g, position] += amount
                momentum[position] += amount * speed
                for p in range(pair_group.shape[0]):
                    if pair_group[p] == g:
                        ionised[p, position] += amount * _chance(speed, chances[p], speed_step)
            else:
                outside[g] += amount
        if finished:
            return
        before = part
        position += -1 if down else 1


@numba.njit(cache=True, error_model="numpy")
def _chance(speed, chances, speed_step):
    """Probability of ionisation from a table on even speeds."""
    place = speed / speed_step
    k = min(int(place), chances.shape[0] - 2)
    part = min(place - k, 1.0)
    return chances[k] + part * (chances[k + 1] - chances[k])


@numba.njit(cache=True, error_model="numpy")
def _must_break(state, breaking, strength, energy, air):
    """True where the body is past the point at which it breaks."""
    if breaking.cause == PRESSURE:
        return 2.0 * air_at(state[H], air)[0] * state[W] >= strength
    if breaking.cause == ENERGY:
        return energy >= breaking.energy
    return breaking.cause == ALTITUDE and state[H] <= breaking.altitude


@numba.njit(cache=True, error_model="numpy")
def _write_track(track, row, time, state, rate, mass, share, fractions, count):
    """Row of the track."""
    loss = 0.0
    for g in range(fractions.shape[0]):
        loss -= fractions[g] * math.exp(state[FIRST + g]) * rate[FIRST + g]
    track[row, 0], track[row, 1], track[row, 2] = time, state[H], math.sqrt(2.0 * state[W])
    track[row, 3], track[row, 4], track[row, 5] = state[CHI], mass * share, state[T]
    track[row, 6], track[row, 7] = mass * loss, count


@numba.njit(cache=True, error_model="numpy")
def fly_body(state, mass, fractions, volatility, body, air, yields, breaking, limits, pair_group, chances, speed_step,
             edges, sums, end, track):  # fmt: skip
    """Follow one body to its end; fills ``sums``, ``end`` (see `END`) and, where it has rows, ``track`` (see `TRACK`).

    Returns the number of rows of the track.
    """
    size = state.shape[0]
    rate, new, new_rate = np.empty(size), np.empty(size), np.empty(size)
    derivatives, work, stages = np.empty((size, size)), np.empty((size, size)), np.empty((6, size))
    pivots = np.empty(size, np.int64)
    rates(state, fractions, volatility, body, air, yields, rate)
    jacobian(state, fractions, volatility, body, air, yields, derivatives)
    share, count, rows, energy, strength, time = 1.0, 1.0, 0, 0.0, breaking.strength, 0.0
    whole = breaking.cause != NEVER
    step = 0.1 * _largest_step(state, rate, air)
    end[:] = math.nan
    end[3], end[9] = STEPS, state[T]
    if track.shape[0]:
        _write_track(track, rows, time, state, rate, mass, share, fractions, count)
        rows = 1
    steps = 0
    while steps < limits.largest_steps:
        steps += 1
        step = min(step, _largest_step(state, rate, air))
        error = rosenbrock_step(
            state, step, fractions, volatility, body, air, yields, derivatives, work, stages, pivots, new
        ) / limits.tolerance  # fmt: skip
        factor = 0.1 if error == math.inf else min(5.0, max(0.1, 0.9 * (error + 1e-30) ** -0.25))
        if error > 1.0:
            step *= min(factor, 0.9)
            continue
        rates(new, fractions, volatility, body, air, yields, new_rate)
        heat = 0.25 * step * (_heating(state, body, fractions, air) + _heating(new, body, fractions, air))
        breaks = whole and _must_break(new, breaking, strength, energy + heat, air)
        if breaks and step * math.sqrt(2.0 * state[W]) > 20.0 and not _must_break(state, breaking, strength, energy, air):
            step *= 0.3
            continue
        energy += heat
        time += step
        new_share = total_share(new, fractions)
        if share > 0.5 >= new_share:
            _note_half(state, rate, new, new_rate, step, fractions, end)
        _release(state, rate, new, new_rate, step, mass, fractions, pair_group, chances, speed_step, edges, sums)
        state[:], share = new, new_share
        end[9] = max(end[9], state[T])
        if breaks:
            parts = breaking.fragments if breaking.cause == PRESSURE else max(1.0, body.unit_mass * share / breaking.grain_mass)
            count *= parts
            body = _smaller(body, parts)
            strength *= parts**breaking.exponent
            whole = breaking.cause == PRESSURE and breaking.exponent > 0.0
            end[8] = state[H] if math.isnan(end[8]) else end[8]
            step = min(step, 0.01 * _largest_step(state, new_rate, air))
            rates(state, fractions, volatility, body, air, yields, new_rate)
        rate[:] = new_rate
        if rows < track.shape[0]:
            _write_track(track, rows, time, state, rate, mass, share, fractions, count)
            rows += 1
        end[3] = _ending(state, share, limits, air)
        if end[3] != STEPS:
            break
        step *= factor
        jacobian(state, fractions, volatility, body, air, yields, derivatives)
    end[0], end[1], end[2] = mass * share, math.sqrt(2.0 * state[W]), state[H]
    end[6], end[7] = steps, count
    return rows


@numba.njit(cache=True, error_model="numpy")
def _heating(state, body, fractions, air):
    """Twice the heat that the air gives a body per mass and time, W kg-1."""
    per_mass = (body.density * body.density * body.unit_mass * total_share(state, fractions)) ** (-1.0 / 3.0)
    return body.heating_area * body.heat_transfer * air_at(state[H], air)[0] * (2.0 * state[W]) ** 1.5 * per_mass


@numba.njit(cache=True, error_model="numpy")
def _smaller(body, parts):
    """The same body cut into equal parts."""
    return Body(
        body.drag_area, body.heating_area, body.evaporating_area, body.radiating_area, body.heat_transfer, body.sticking,
        body.latent_heat, body.specific_heat, body.radiation, body.sigma, body.density, body.unit_mass / parts, body.gravity,
        body.curved, body.classical, body.pressure_log, body.pressure_slope, body.molecules, body.sputtering,
        body.air_atom,
    )  # fmt: skip


@numba.njit(cache=True, error_model="numpy")
def _note_half(old, old_rate, new, new_rate, step, fractions, end):
    """Altitude and speed where half of the mass is left, by bisection on the Hermite values of a step."""
    low, high = 0.0, 1.0
    for _ in range(50):
        part = 0.5 * (low + high)
        share = 0.0
        for g in range(fractions.shape[0]):
            i = FIRST + g
            share += fractions[g] * math.exp(between(old[i], old_rate[i], new[i], new_rate[i], step, part))
        if share > 0.5:
            low = part
        else:
            high = part
    part = 0.5 * (low + high)
    end[4] = between(old[H], old_rate[H], new[H], new_rate[H], step, part)
    end[5] = math.sqrt(2.0 * between(old[W], old_rate[W], new[W], new_rate[W], step, part))


@numba.njit(cache=True, error_model="numpy")
def _ending(state, share, limits, air):
    """How the flight ends here, `STEPS` where it goes on."""
    if share <= limits.smallest_share:
        return ABLATED
    if 2.0 * state[W] <= limits.slowest_speed**2:
        return SLOWED
    if state[H] <= air.bottom + 1.0:
        return GROUND
    if state[H] > limits.entry_altitude + 1.0 and math.cos(state[CHI]) < 0.0:
        return LEFT
    return STEPS


@numba.njit(parallel=True, cache=True, error_model="numpy")
def fly_all(masses, speeds, zeniths, temperature, fractions, volatility, bodies, air, yields, breaking, limits, pair_group,
            chances, speed_step, edges, released, momentum, ionised, outside, ends):  # fmt: skip
    """Fly bodies in parallel; ``bodies`` is one `Body` whose mass and density are replaced by those of each row."""
    groups = fractions.shape[0]
    for b in numba.prange(masses.shape[0]):
        state = np.zeros(FIRST + groups)
        state[H], state[W], state[CHI], state[T] = limits.entry_altitude, 0.5 * speeds[b] ** 2, zeniths[b], temperature
        one = _with_mass(bodies, masses[b, 0], masses[b, 1])
        sums = (released[b], momentum[b], ionised[b], outside[b])
        fly_body(state, masses[b, 0], fractions, volatility, one, air, yields, breaking, limits, pair_group, chances, speed_step,
                 edges, sums, ends[b], np.empty((0, 8)))  # fmt: skip


@numba.njit(cache=True, error_model="numpy")
def _with_mass(body, mass, density):
    """The same body with another mass and density."""
    return Body(
        body.drag_area, body.heating_area, body.evaporating_area, body.radiating_area, body.heat_transfer, body.sticking,
        body.latent_heat, body.specific_heat, body.radiation, body.sigma, density, mass, body.gravity,
        body.curved, body.classical, body.pressure_log, body.pressure_slope, body.molecules, body.sputtering,
        body.air_atom,
    )  # fmt: skip


__all__ = ["Air", "Body", "Breaking", "Limits", "evaporation", "fly_all", "fly_body"]
