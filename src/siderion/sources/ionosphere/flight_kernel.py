"""Compiled flight of ions along a dipole field line: guiding centre, stochastic heating across the field, losses.

Between heating kicks the magnetic moment is constant and (r, v along B) is advanced by the classical Runge-Kutta method of
order 4; half a kick goes before and half after it (Strang splitting). Every particle owns a stream of random numbers
(splitmix64), so that results do not depend on the number of threads. Tuples of numbers, all SI:
``line`` = moment (T m3), 1 / equatorial radius of the line (0: a polar line), GM, q/m times the ambipolar field at the base
radius, its scale height, the base radius; ``heat`` = heating rate per mass of unit spectral density at the reference
frequency, charge over 2 pi m, reference frequency, index, pre power, main power, radius of the main region, width of the
ramp, radius where waves begin, radius where the power below the main region ends.
"""

from __future__ import annotations

import math

import numba
import numpy as np

RETURNED, REACHED, UNFINISHED = range(3)
"""Ends of a flight: at the lower surface, at the upper surface, neither after the longest time."""
_NEWTON = 4
_FLOOR = 0.01
"""Part of the escape energy per mass, G M / r, that counts as energy where the step for heating is chosen."""


@numba.njit(cache=True, error_model="numpy")
def field_and_slope(radius, line):
    """Field strength, T, and its derivative along the radius, T m-1."""
    shape = 4.0 - 3.0 * radius * line[1]
    field = line[0] * math.sqrt(shape) / radius**3
    return field, -3.0 * field / radius - 1.5 * field * line[1] / shape


@numba.njit(cache=True, error_model="numpy")
def radial_cosine(radius, line):
    """dr/ds, the cosine of the angle between field line and vertical."""
    part = radius * line[1]
    return 2.0 * math.sqrt(max(0.0, 1.0 - part) / (4.0 - 3.0 * part))


@numba.njit(cache=True, error_model="numpy")
def acceleration(radius, moment_per_mass, line):
    """Acceleration along the field line: mirror force, gravity, ambipolar field, m s-2."""
    _, slope = field_and_slope(radius, line)
    push = line[3] * math.exp(-(radius - line[5]) / line[4])
    return radial_cosine(radius, line) * (push - moment_per_mass * slope - line[2] / (radius * radius))


@numba.njit(cache=True, error_model="numpy")
def advance(radius, speed, moment_per_mass, dt, line):
    """One Runge-Kutta step of order 4 at constant magnetic moment; returns radius and speed along the field."""
    r1 = radial_cosine(radius, line) * speed
    v1 = acceleration(radius, moment_per_mass, line)
    r, v = radius + 0.5 * dt * r1, speed + 0.5 * dt * v1
    r2, v2 = radial_cosine(r, line) * v, acceleration(r, moment_per_mass, line)
    r, v = radius + 0.5 * dt * r2, speed + 0.5 * dt * v2
    r3, v3 = radial_cosine(r, line) * v, acceleration(r, moment_per_mass, line)
    r, v = radius + dt * r3, speed + dt * v3
    r4, v4 = radial_cosine(r, line) * v, acceleration(r, moment_per_mass, line)
    return radius + dt * (r1 + 2.0 * (r2 + r3) + r4) / 6.0, speed + dt * (v1 + 2.0 * (v2 + v3) + v4) / 6.0


@numba.njit(cache=True, error_model="numpy")
def heating_per_mass(radius, line, heat):
    """Mean growth of the energy across the field per mass, W kg-1, by waves at the local gyrofrequency."""
    if radius < heat[8]:
        return 0.0
    x = min(max((radius - heat[6]) / heat[7] + 0.5, 0.0), 1.0)
    rise = x * x * (3.0 - 2.0 * x)
    y = min(max((radius - heat[9]) / heat[7] + 0.5, 0.0), 1.0)
    power = heat[4] * (1.0 - y * y * (3.0 - 2.0 * y)) * (1.0 - rise) + heat[5] * rise
    if power == 0.0:
        return 0.0
    field, _ = field_and_slope(radius, line)
    return heat[0] * power * (heat[1] * field / heat[2]) ** (-heat[3])


@numba.njit(cache=True, error_model="numpy")
def _uniform(state):
    """Next number in (0, 1) of a stream; ``state`` is one element of a uint64 array."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (float(z >> np.uint64(11)) + 0.5) / 9007199254740992.0


@numba.njit(cache=True, error_model="numpy")
def _kick(across, gain, stochastic, state):
    """Square of the speed across B after a gain of energy per mass: mean growth, or two independent normal kicks."""
    if gain == 0.0:
        return across
    if not stochastic:
        return across + 2.0 * gain
    distance = math.sqrt(-2.0 * gain * math.log(_uniform(state)))
    angle = 2.0 * math.pi * _uniform(state)
    x = math.sqrt(across) + distance * math.cos(angle)
    y = distance * math.sin(angle)
    return x * x + y * y


@numba.njit(cache=True, error_model="numpy")
def _loss(radius, grid_start, grid_step, frequencies):
    """Loss frequency, s-1, linear in the logarithm of the radius between nodes."""
    place = (math.log(radius) - grid_start) / grid_step
    k = min(max(int(place), 0), len(frequencies) - 2)
    part = min(max(place - k, 0.0), 1.0)
    return frequencies[k] + part * (frequencies[k + 1] - frequencies[k])


@numba.njit(cache=True, error_model="numpy")
def _time_step(radius, speed, across, rate, step, line):
    """Step that keeps the change of place, and the gain from the waves, small."""
    energy = speed * speed + across + _FLOOR * line[2] / radius
    dt = step * radius / math.sqrt(speed * speed + across + line[2] / radius)
    if rate > 0.0:
        dt = min(dt, 5.0 * step * energy / rate)
    return dt


@numba.njit(cache=True, error_model="numpy")
def _step_to(target, radius, speed, moment_per_mass, dt, after, line):
    """Part of the step after which the particle passes ``target``, with radius and speed there."""
    part = (target - radius) / (after - radius)
    r, v = after, speed
    for _ in range(_NEWTON):
        r, v = advance(radius, speed, moment_per_mass, part * dt, line)
        slope = radial_cosine(r, line) * v * dt
        if slope == 0.0:
            break
        part = min(max(part + (target - r) / slope, 0.0), 1.0)
    r, v = advance(radius, speed, moment_per_mass, part * dt, line)
    return part, v


@numba.njit(cache=True, error_model="numpy")
def fly_one(radius, speed, across, line, heat, stochastic, state, bottom, top, step, longest, losses, levels, crossing, end):
    """Follow one ion to a surface. ``losses`` = first node, step (log radius), frequencies.

    ``crossing`` (level, 4): at the first passage upwards energy per mass along and across B, time, surviving weight.
    ``end`` (8,): kind, surviving weight, energy per mass along and across B, time, lowest and highest radius, steps.
    """
    grid_start, grid_step, frequencies = losses
    time, exponent, count, next_level = 0.0, 0.0, 0, 0
    lowest = highest = radius
    kind = UNFINISHED
    while next_level < len(levels) and levels[next_level] < radius:
        next_level += 1
    while time < longest:
        rate = heating_per_mass(radius, line, heat)
        dt = _time_step(radius, speed, across, rate, step, line)
        across = _kick(across, 0.5 * dt * rate, stochastic, state)
        field, _ = field_and_slope(radius, line)
        moment = 0.5 * across / field
        after, speed_after = advance(radius, speed, moment, dt, line)
        loss = _loss(radius, grid_start, grid_step, frequencies)
        while next_level < len(levels) and after >= levels[next_level] and levels[next_level] < top:
            part, v = _step_to(levels[next_level], radius, speed, moment, dt, after, line)
            crossing[next_level, 0] = 0.5 * v * v
            crossing[next_level, 1] = moment * field_and_slope(levels[next_level], line)[0]
            if not stochastic:  # the half kick before the step stands for the part of it that was flown
                crossing[next_level, 1] += (part - 0.5) * dt * rate
            crossing[next_level, 2] = time + part * dt
            crossing[next_level, 3] = math.exp(-exponent - part * dt * loss)
            next_level += 1
        if speed * speed_after < 0.0:  # the apex, or the mirror point, of the parabola of the step
            turn = after - 0.5 * radial_cosine(after, line) * speed_after**2 / acceleration(after, moment, line)
            lowest, highest = min(lowest, turn), max(highest, turn)
        part = 1.0
        if after >= top or after <= bottom:
            kind = REACHED if after >= top else RETURNED
            target = top if after >= top else bottom
            part, speed_after = _step_to(target, radius, speed, moment, dt, after, line)
            after = target
        field, _ = field_and_slope(after, line)
        across = 2.0 * moment * field
        if kind != UNFINISHED and not stochastic:
            across = max(0.0, across + 2.0 * (part - 0.5) * dt * rate)
        exponent += 0.5 * part * dt * (loss + _loss(after, grid_start, grid_step, frequencies))
        time += part * dt
        radius, speed = after, speed_after
        count += 1
        lowest, highest = min(lowest, radius), max(highest, radius)
        if kind != UNFINISHED:
            break
        across = _kick(across, 0.5 * dt * heating_per_mass(radius, line, heat), stochastic, state)
    end[0], end[1], end[2], end[3] = kind, math.exp(-exponent), 0.5 * speed * speed, 0.5 * across
    end[4], end[5], end[6], end[7] = time, lowest, highest, count


@numba.njit(parallel=True, cache=True, error_model="numpy")
def fly_all(radius, speed, across, line, heat, stochastic, states, bottom, top, step, longest, losses, levels, crossing, end):
    """Flights of all ions; arrays (particle,), ``crossing`` (particle, level, 4), ``end`` (particle, 8)."""
    for p in numba.prange(len(radius)):
        fly_one(
            radius[p], speed[p], across[p], line, heat, stochastic, states[p : p + 1], bottom, top, step, longest, losses,
            levels, crossing[p], end[p],
        )  # fmt: skip


@numba.njit(cache=True, error_model="numpy")
def trace_one(radius, speed, across, line, heat, stochastic, state, bottom, top, step, path):
    """Path of one ion, (step, 4): time, radius, speed along B, speed across B; returns the number of rows filled."""
    time = 0.0
    path[0, 0], path[0, 1], path[0, 2], path[0, 3] = time, radius, speed, math.sqrt(across)
    for row in range(1, len(path)):
        rate = heating_per_mass(radius, line, heat)
        dt = _time_step(radius, speed, across, rate, step, line)
        across = _kick(across, 0.5 * dt * rate, stochastic, state)
        moment = 0.5 * across / field_and_slope(radius, line)[0]
        radius, speed = advance(radius, speed, moment, dt, line)
        across = 2.0 * moment * field_and_slope(radius, line)[0]
        across = _kick(across, 0.5 * dt * heating_per_mass(radius, line, heat), stochastic, state)
        time += dt
        path[row, 0], path[row, 1], path[row, 2], path[row, 3] = time, radius, speed, math.sqrt(across)
        if radius >= top or radius <= bottom:
            return row + 1
    return len(path)
