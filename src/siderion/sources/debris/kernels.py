"""Compiled flight of one melting object: point mass in the plane of its orbit, one temperature, RK4 with located events.

Columns of a state: `X`, `Y` (from the centre of the planet, m), `VX`, `VY` (m s-1), `HEAT` (temperature, K), `MASS` (kg, the
part that can melt). The planet does not turn; the speed is that relative to the air.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from scipy.constants import Stefan_Boltzmann

X, Y, VX, VY, HEAT, MASS = range(6)
(
    PLANET_RADIUS, GRAVITY, CARRIED, AREA, RADIUS, START_MASS, EXPONENT, SPECIFIC_HEAT, ABLATION_TEMPERATURE, ABLATION_HEAT,
    EMISSIVITY, DRAG_CONTINUUM, DRAG_FREE, STAGNATION, TUMBLING, ACCOMMODATION, AIR_HEAT, MAX_STEP, CHANGE, STOP_ALTITUDE,
    STOP_PRESSURE, STOP_SPEED, STOP_AT_MELTING, DEMISE, MAX_TIME, RECORD_INTERVAL,
) = range(26)  # fmt: skip
"""Places of the parameters of a flight, SI; see `siderion.sources.debris.flight.flight_parameters`."""
COUNT = 26
RUNNING, ALTITUDE, PRESSURE, MELTING, SLOW, DEMISED, TIME, TOP = range(8)
"""Why a flight ended."""
RELEASED, RELEASE_TIME, RELEASE_ANGLE, RELEASE_SPEED, BEGIN_TIME, END_TIME, BEGIN_ANGLE, END_ANGLE = range(8)
"""Rows of the release of a flight on bins of altitude: kg, and sums of kg times time, angle from the start, speed; then time and
angle where the release in the bin begins and ends."""
SUMS, RELEASE_ROWS = 4, 8
"""How many of these rows are sums over the mass, and how many there are."""
_CONVEX = 4.0
"""Surface over mean projected area of a convex body (Cauchy)."""
_HALVINGS = 50
_LOOK_BACK = 1e-12


@numba.njit(cache=True, error_model="numpy")
def air(altitude, levels, log_density, temperatures, paths):
    """Density, temperature and mean free path of the air: linear between levels (density and path in the logarithm)."""
    k = min(max(np.searchsorted(levels, altitude) - 1, 0), len(levels) - 2)
    share = (altitude - levels[k]) / (levels[k + 1] - levels[k])
    density = math.exp(log_density[k] + share * (log_density[k + 1] - log_density[k]))
    inside = min(max(share, 0.0), 1.0)
    temperature = temperatures[k] + inside * (temperatures[k + 1] - temperatures[k])
    path = math.exp(paths[k] + share * (paths[k + 1] - paths[k]))
    return density, temperature, path


@numba.njit(cache=True, error_model="numpy")
def net_heating(density, speed, air_temperature, temperature, radius, area, p):
    """Heat taken up less heat radiated by a tumbling convex body, W: free molecules and continuum bridged."""
    free = 0.5 * p[ACCOMMODATION] * density * speed**3 * area
    hot_wall = 1.0 - p[AIR_HEAT] * (temperature - air_temperature) / (0.5 * speed * speed)
    continuum = p[TUMBLING] * p[STAGNATION] * math.sqrt(density / radius) * speed**3 * _CONVEX * area * max(hot_wall, 0.0)
    taken = 0.0
    if free > 0.0 and continuum > 0.0:
        taken = continuum / math.sqrt(1.0 + (continuum / free) ** 2)
    return taken - p[EMISSIVITY] * Stefan_Boltzmann * (temperature**4 - air_temperature**4) * _CONVEX * area


@numba.njit(cache=True, error_model="numpy")
def _rates(state, melting, p, levels, log_density, temperatures, paths, out):
    """Time derivative of a state; returns the net heating, W."""
    distance = math.hypot(state[X], state[Y])
    speed = math.hypot(state[VX], state[VY])
    density, air_temperature, path = air(distance - p[PLANET_RADIUS], levels, log_density, temperatures, paths)
    size = (max(state[MASS], 0.0) / p[START_MASS]) ** p[EXPONENT]
    area, radius = p[AREA] * size, p[RADIUS] * math.sqrt(size)
    knudsen = path / (2.0 * radius) if radius > 0.0 else 1e30
    drag = p[DRAG_CONTINUUM] + (p[DRAG_FREE] - p[DRAG_CONTINUUM]) * knudsen / (1.0 + knudsen)
    mass = state[MASS] + p[CARRIED]
    slowing = 0.5 * drag * area * density * speed / mass if mass > 0.0 else 0.0
    pull = p[GRAVITY] / distance**3
    out[X], out[Y] = state[VX], state[VY]
    out[VX] = -slowing * state[VX] - pull * state[X]
    out[VY] = -slowing * state[VY] - pull * state[Y]
    heat = net_heating(density, speed, air_temperature, state[HEAT], radius, area, p) if radius > 0.0 else 0.0
    out[HEAT], out[MASS] = 0.0, 0.0
    if melting:
        out[MASS] = -max(heat, 0.0) / p[ABLATION_HEAT]
    elif state[MASS] > 0.0:
        out[HEAT] = heat / (state[MASS] * p[SPECIFIC_HEAT])
    return heat


@numba.njit(cache=True, error_model="numpy")
def _step(state, step, melting, p, levels, log_density, temperatures, paths, work, result):
    """One RK4 step from ``state`` into ``result``."""
    for stage in range(4):
        if stage == 0:
            result[:] = state
        else:
            part = step if stage == 3 else 0.5 * step
            for k in range(6):
                result[k] = state[k] + part * work[stage - 1, k]
        _rates(result, melting, p, levels, log_density, temperatures, paths, work[stage])
    for k in range(6):
        result[k] = state[k] + step / 6.0 * (work[0, k] + 2.0 * work[1, k] + 2.0 * work[2, k] + work[3, k])


@numba.njit(cache=True, error_model="numpy")
def _passed(state, melting, p, levels, log_density, temperatures, paths):
    """Which end a state has reached; `RUNNING` for none. Reaching the melting point is an end of solid steps."""
    altitude = math.hypot(state[X], state[Y]) - p[PLANET_RADIUS]
    speed2 = state[VX] ** 2 + state[VY] ** 2
    if melting and state[MASS] <= p[DEMISE] * p[START_MASS]:
        return DEMISED
    if not melting and state[HEAT] > p[ABLATION_TEMPERATURE] * (1.0 + _LOOK_BACK):
        return MELTING
    if altitude < p[STOP_ALTITUDE]:
        return ALTITUDE
    if p[STOP_PRESSURE] < math.inf:
        density, _, _ = air(altitude, levels, log_density, temperatures, paths)
        if 0.5 * density * speed2 > p[STOP_PRESSURE]:
            return PRESSURE
    if speed2 < p[STOP_SPEED] ** 2:
        return SLOW
    return RUNNING


@numba.njit(cache=True, error_model="numpy")
def _size_of_step(state, rates, p):
    """Step within which speed, temperature and mass change by no more than the share ``CHANGE``."""
    speed = math.hypot(state[VX], state[VY])
    slowing = math.hypot(rates[VX], rates[VY])
    step = p[MAX_STEP]
    if slowing > 0.0 and speed > 0.0:
        step = min(step, p[CHANGE] * speed / slowing)
    if rates[MASS] < 0.0:
        step = min(step, -p[CHANGE] * state[MASS] / rates[MASS])
    if rates[HEAT] != 0.0:
        step = min(step, p[CHANGE] * state[HEAT] / abs(rates[HEAT]))
    return step


@numba.njit(cache=True, error_model="numpy")
def _note(record, rows, time, angle, state, p):
    if rows < record.shape[0]:
        speed = math.hypot(state[VX], state[VY])
        record[rows, 0], record[rows, 1] = time, math.hypot(state[X], state[Y]) - p[PLANET_RADIUS]
        record[rows, 2], record[rows, 3], record[rows, 4], record[rows, 5] = speed, state[HEAT], state[MASS] + p[CARRIED], angle
        return rows + 1
    return rows


@numba.njit(cache=True, error_model="numpy")
def _release(release, edges, mass, time, angle, step, turn, before, after, p):
    """Put the mass that left in a step into the bin of its middle; mass beyond the edges goes to the outermost bins."""
    altitude = 0.5 * (math.hypot(before[X], before[Y]) + math.hypot(after[X], after[Y])) - p[PLANET_RADIUS]
    k = min(max(np.searchsorted(edges, altitude) - 1, 0), len(edges) - 2)
    speed = 0.5 * (math.hypot(before[VX], before[VY]) + math.hypot(after[VX], after[VY]))
    if release[RELEASED, k] == 0.0:
        release[BEGIN_TIME, k], release[BEGIN_ANGLE, k] = time, angle
    release[RELEASED, k] += mass
    release[RELEASE_TIME, k] += mass * (time + 0.5 * step)
    release[RELEASE_ANGLE, k] += mass * (angle + 0.5 * turn)
    release[RELEASE_SPEED, k] += mass * speed
    release[END_TIME, k], release[END_ANGLE, k] = time + step, angle + turn


@numba.njit(cache=True, error_model="numpy")
def fly(state, time, angle, p, levels, log_density, temperatures, paths, edges, release, record):
    """Fly one object until it ends; ``state`` becomes the last one. Returns (why, time, angle, rows of the record).

    With ``STOP_AT_MELTING`` the flight ends where melting begins; else the object melts on, and the flight ends as `DEMISED`
    when all but the share ``DEMISE`` has gone; that rest is released there too. An object that cools below its melting point
    flies on as a solid one.
    """
    work, after, trial = np.empty((4, 6)), np.empty(6), np.empty(6)
    top = levels[-1] + 10.0 * (levels[-1] - levels[0])
    melting, rows, noted, start = False, 0, time, time
    rows = _note(record, rows, time, angle, state, p)
    while True:
        heat = _rates(state, melting, p, levels, log_density, temperatures, paths, work[0])
        hot = state[HEAT] >= p[ABLATION_TEMPERATURE] * (1.0 - _LOOK_BACK)
        if hot and heat > 0.0 and p[STOP_AT_MELTING] > 0.0:
            return MELTING, time, angle, rows
        if melting != (hot and heat > 0.0):
            melting = not melting
            _rates(state, melting, p, levels, log_density, temperatures, paths, work[0])
        step = _size_of_step(state, work[0], p)
        _step(state, step, melting, p, levels, log_density, temperatures, paths, work, after)
        end = _passed(after, melting, p, levels, log_density, temperatures, paths)
        if end != RUNNING:
            low, high = 0.0, step
            for _ in range(_HALVINGS):
                middle = 0.5 * (low + high)
                _step(state, middle, melting, p, levels, log_density, temperatures, paths, work, trial)
                if _passed(trial, melting, p, levels, log_density, temperatures, paths) == RUNNING:
                    low = middle
                else:
                    high = middle
            step = high
            _step(state, step, melting, p, levels, log_density, temperatures, paths, work, after)
            end = _passed(after, melting, p, levels, log_density, temperatures, paths)
        if end == MELTING:
            after[HEAT] = p[ABLATION_TEMPERATURE]
        turn = math.atan2(state[Y] * after[X] - state[X] * after[Y], state[X] * after[X] + state[Y] * after[Y])
        lost = state[MASS] - after[MASS]
        if end == DEMISED:
            lost, after[MASS] = state[MASS], 0.0
        if lost > 0.0:
            _release(release, edges, lost, time, angle, step, turn, state, after, p)
        time, angle = time + step, angle + turn
        state[:] = after
        ended = end not in (RUNNING, MELTING) or (end == MELTING and p[STOP_AT_MELTING] > 0.0)
        if ended or time - noted >= p[RECORD_INTERVAL]:
            rows, noted = _note(record, rows, time, angle, state, p), time
        if ended:
            return end, time, angle, rows
        if math.hypot(state[X], state[Y]) - p[PLANET_RADIUS] > top:
            return TOP, time, angle, rows
        if time - start > p[MAX_TIME]:
            return TIME, time, angle, rows
