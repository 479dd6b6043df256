"""Right-hand side of the entry of a body, and its exact derivatives: pure compiled functions.

State: altitude h (m), w = v^2/2 (m2 s-2), zenith angle chi of the path (rad), temperature T (K), and for each group of
elements the logarithm u of the share that is left. In these the classical law is linear, so that its invariant
m = m0 exp(-sigma (v0^2 - v^2)/2) holds to round-off whatever the step.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np

from siderion.core.constants import EARTH_GM, EARTH_RADIUS

H, W, CHI, T, FIRST = range(5)
"""Places in the state; the groups begin at `FIRST`."""


class Body(NamedTuple):
    """Constants of the flight of one body, SI units."""

    drag_area: float
    heating_area: float
    evaporating_area: float
    radiating_area: float
    heat_transfer: float
    sticking: float
    latent_heat: float
    specific_heat: float
    radiation: float
    """Emissivity times the Stefan-Boltzmann constant."""
    sigma: float
    density: float
    unit_mass: float
    gravity: float
    curved: float
    classical: bool
    pressure_log: float
    """Natural logarithm of the vapour pressure law at infinite temperature, Pa."""
    pressure_slope: float
    molecules: float
    """sqrt(m / (2 pi k)) of the vapour."""
    sputtering: float
    """Mass of a sputtered atom over that of an atom of the air; 0 without sputtering."""
    air_atom: float
    """Mean mass of an atom of the air, kg."""


class Air(NamedTuple):
    """Table of the atmosphere on even altitudes: logarithm of density, its slope, temperature."""

    bottom: float
    step: float
    table: np.ndarray


@numba.njit(cache=True, error_model="numpy")
def air_at(altitude, air):
    """Density, its logarithmic slope, temperature, its slope at an altitude."""
    place = (altitude - air.bottom) / air.step
    k = min(max(math.floor(place), 0), air.table.shape[0] - 2)
    x = place - k
    step = air.step
    y0, y1 = air.table[k, 0], air.table[k + 1, 0]
    s0, s1 = air.table[k, 1] * step, air.table[k + 1, 1] * step
    t0, t1 = air.table[k, 2], air.table[k + 1, 2]
    if x < 0.0 or x > 1.0:  # beyond the table: exponential
        edge = 0.0 if x < 0.0 else 1.0
        slope = s0 if x < 0.0 else s1
        log_density = (y0 if x < 0.0 else y1) + (x - edge) * slope
        x = edge
        temperature_slope = 0.0
    else:
        delta = y1 - y0
        second, third = 3.0 * delta - 2.0 * s0 - s1, s0 + s1 - 2.0 * delta
        log_density = y0 + x * (s0 + x * (second + x * third))
        slope = s0 + x * (2.0 * second + 3.0 * x * third)
        temperature_slope = (t1 - t0) / step
    return math.exp(log_density), slope / step, t0 + x * (t1 - t0), temperature_slope


@numba.njit(cache=True, error_model="numpy")
def sputter_yield(log_energy, yields):
    """Atoms per atom of the air and the slope of its logarithm, from rows of (logarithm of energy, logarithm of yield)."""
    if log_energy < yields[0, 0]:
        return 0.0, 0.0
    k = min(max(np.searchsorted(yields[:, 0], log_energy) - 1, 0), yields.shape[0] - 2)
    slope = (yields[k + 1, 1] - yields[k, 1]) / (yields[k + 1, 0] - yields[k, 0])
    return math.exp(yields[k, 1] + slope * (min(log_energy, yields[-1, 0]) - yields[k, 0])), slope


@numba.njit(cache=True, error_model="numpy")
def total_share(state, fractions):
    """Share of the mass that is left."""
    share = 0.0
    for g in range(fractions.shape[0]):
        share += fractions[g] * math.exp(state[FIRST + g])
    return share


@numba.njit(cache=True, error_model="numpy")
def evaporation(temperature, volatility, body):
    """Mass that a pure group loses per time and V^(2/3), kg s-1 m-2, and its logarithmic derivative with temperature.

    The Langmuir law, area psi p sqrt(m_mol / (2 pi k T)).
    """
    slope = body.pressure_slope * volatility
    pressure = math.exp(body.pressure_log - slope / temperature)
    rate = body.evaporating_area * body.sticking * pressure * body.molecules / math.sqrt(temperature)
    return rate, slope / temperature**2 - 0.5 / temperature


@numba.njit(cache=True, error_model="numpy")
def rates(state, fractions, volatility, body, air, yields, out):
    """Time derivatives of the state."""
    density, _, air_temperature, _ = air_at(state[H], air)
    speed = math.sqrt(2.0 * state[W])
    share, evaporated = 0.0, 0.0
    for g in range(fractions.shape[0]):
        part = fractions[g] * math.exp(state[FIRST + g])
        share += part
        if not body.classical:
            out[FIRST + g], _ = evaporation(state[T], volatility[g], body)
            evaporated += part * out[FIRST + g]
    per_mass = 1.0 / np.cbrt(body.density * body.density * body.unit_mass * share)  # V^(2/3) / m
    radius = EARTH_RADIUS + state[H]
    weight = body.gravity * EARTH_GM / radius**2
    power = density * speed**3 * per_mass
    cosine, sine = math.cos(state[CHI]), math.sin(state[CHI])
    out[H] = -speed * cosine
    out[W] = -body.drag_area * power + weight * speed * cosine
    out[CHI] = sine * (body.curved * speed / radius - weight / speed)
    sputtered = 0.0
    if body.sputtering > 0.0:
        amount, _ = sputter_yield(math.log(body.air_atom * state[W]), yields)
        sputtered = body.heating_area * per_mass * density * speed * amount * body.sputtering
    if body.classical:
        out[T] = 0.0
        for g in range(fractions.shape[0]):
            out[FIRST + g] = -body.sigma * body.drag_area * power - sputtered
        return
    for g in range(fractions.shape[0]):
        out[FIRST + g] = -out[FIRST + g] * per_mass - sputtered
    heat = 0.5 * body.heating_area * body.heat_transfer * power
    light = body.radiating_area * per_mass * body.radiation * (state[T] ** 4 - air_temperature**4)
    out[T] = (heat - light - body.latent_heat * per_mass * evaporated / share) / body.specific_heat


@numba.njit(cache=True, error_model="numpy")
def jacobian(state, fractions, volatility, body, air, yields, out):
    """Derivatives of `rates` with the state."""
    out[:, :] = 0.0
    count = fractions.shape[0]
    density, slope, air_temperature, air_slope = air_at(state[H], air)
    speed = math.sqrt(2.0 * state[W])
    share = total_share(state, fractions)
    per_mass = 1.0 / np.cbrt(body.density * body.density * body.unit_mass * share)
    radius = EARTH_RADIUS + state[H]
    weight = body.gravity * EARTH_GM / radius**2
    power = density * speed**3 * per_mass
    cosine, sine = math.cos(state[CHI]), math.sin(state[CHI])
    drag = body.drag_area * power
    by_w = 1.5 / state[W]
    out[H, W], out[H, CHI] = -cosine / speed, speed * sine
    out[W, H] = -drag * slope - 2.0 * weight / radius * speed * cosine
    out[W, W], out[W, CHI] = -drag * by_w + weight * cosine / speed, -weight * speed * sine
    out[CHI, H] = sine * (-body.curved * speed / radius**2 + 2.0 * weight / (radius * speed))
    out[CHI, W] = sine * (body.curved / (radius * speed) + weight / speed**3)
    out[CHI, CHI] = cosine * (body.curved * speed / radius - weight / speed)
    sputtered, sputter_slope = 0.0, 0.0
    if body.sputtering > 0.0:
        amount, sputter_slope = sputter_yield(math.log(body.air_atom * state[W]), yields)
        sputtered = body.heating_area * per_mass * density * speed * amount * body.sputtering
    classical = body.sigma * drag if body.classical else 0.0
    heat = 0.5 * body.heating_area * body.heat_transfer * power / body.specific_heat
    light = body.radiating_area * per_mass * body.radiation / body.specific_heat
    net = heat - light * (state[T] ** 4 - air_temperature**4)
    cost = body.latent_heat / body.specific_heat
    evaporated, evaporated_by_t = 0.0, 0.0
    for g in range(count):
        row = FIRST + g
        part = fractions[g] * math.exp(state[row]) / share
        rate, by_t = 0.0, 0.0
        if not body.classical:
            rate, by_t = evaporation(state[T], volatility[g], body)
            rate *= per_mass
            evaporated += part * rate
            evaporated_by_t += part * rate * by_t
            out[T, row] = -part * (net / 3.0 + cost * rate)
        out[row, H] = -(classical + sputtered) * slope
        out[row, W] = -classical * by_w - sputtered * (0.5 + sputter_slope) / state[W]
        out[row, T] = -rate * by_t
        out[W, row] = drag * part / 3.0
        third = (rate + sputtered + classical) / 3.0
        for other in range(count):
            out[row, FIRST + other] = third
    for g in range(count):
        part = 3.0 * out[W, FIRST + g] / drag if drag > 0.0 else 0.0
        for row in range(FIRST, FIRST + count):
            out[row, FIRST + g] *= part
        if not body.classical:
            out[T, FIRST + g] += part * cost * evaporated * 4.0 / 3.0
    if body.classical:
        return
    out[T, H] = heat * slope + light * 4.0 * air_temperature**3 * air_slope
    out[T, W] = heat * by_w
    out[T, T] = -light * 4.0 * state[T] ** 3 - cost * evaporated_by_t
