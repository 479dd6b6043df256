"""Flight of one object: what the compiled kernel needs, and what it gives back as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from siderion.core.constants import EARTH_GM, EARTH_RADIUS
from siderion.core.errors import NumericalError
from siderion.sources.entry.atmosphere import Atmosphere

from . import kernels
from .parts import Material
from .settings import default

Array = NDArray[np.float64]

_ATMOSPHERE_TOP = 600e3
_LEVEL_STEP = 250.0
_MAX_TIME = 2e5
_RECORD_INTERVAL = 0.5
_RECORD_ROWS = 100_000
_STOP_SPEED = 300.0
"""Below this speed (m s-1) the air cannot heat: its stagnation temperature rises by less than 45 K."""
_DEMISE = 1e-3
"""Share of the mass below which an object counts as gone; it is released there too."""


class Air(NamedTuple):
    """An atmosphere as the kernel reads it: levels (m), logarithms of density, temperatures, logarithms of the mean free path."""

    levels: Array
    log_density: Array
    temperature: Array
    log_path: Array


@dataclass
class Flight:
    """Result of one flight. ``state`` is the last one; ``record`` has rows of time, altitude, speed, temperature, mass, angle."""

    why: int
    time: float
    angle: float
    state: Array
    release: Array
    record: Array


def air_for(atmosphere: Atmosphere) -> Air:
    """Table of an atmosphere for the kernel, with the mean free path 1/(sqrt 2 pi d2 n)."""
    levels = np.arange(float(atmosphere.altitude[0]), _ATMOSPHERE_TOP + _LEVEL_STEP, _LEVEL_STEP)
    log_density = np.log(atmosphere.density_at(levels))
    cross_section = np.sqrt(2.0) * np.pi * default("air_molecule_diameter_m") ** 2
    log_path = np.log(atmosphere.mean_mass_at(levels) / cross_section) - log_density
    return Air(levels, log_density, np.asarray(atmosphere.temperature_at(levels)), log_path)


def flight_parameters(
    mass: float,
    material: Material,
    area: float,
    *,
    carried: float = 0.0,
    drag_coefficient: float | None = None,
    exponent: float | None = None,
    step: float = 0.25,
    change: float = 0.02,
    stop_altitude: float = 0.0,
    stop_pressure: float = np.inf,
    stop_at_melting: bool = False,
    gravity: float = EARTH_GM,
    planet_radius: float = EARTH_RADIUS,
    max_time: float = _MAX_TIME,
) -> Array:
    """Parameters of a flight for `siderion.sources.debris.kernels.fly`.

    Parameters
    ----------
    mass : float
        Mass that can melt, kg.
    material : Material
        What it is made of.
    area : float
        Mean projected area at the start, m2; the radius of curvature is that of a sphere with it.
    carried : float
        Further mass that only weighs, kg.
    drag_coefficient : float, optional
        Constant drag coefficient; without it that of a sphere, between free molecules and continuum by the Knudsen number.
    exponent : float, optional
        The area goes with mass to this power; without it objects keep their shape, and keep their area where mass is carried.
    step, change : float
        Largest step, s, and largest relative change in a step.
    stop_altitude, stop_pressure, stop_at_melting
        What ends the flight: m, Pa (dynamic pressure), the begin of melting.
    gravity, planet_radius, max_time : float
        m3 s-2, m, s.

    Returns
    -------
    array
        In the order of the kernel.
    """
    p = np.zeros(kernels.COUNT)
    p[kernels.PLANET_RADIUS], p[kernels.GRAVITY], p[kernels.CARRIED], p[kernels.AREA] = planet_radius, gravity, carried, area
    p[kernels.RADIUS], p[kernels.START_MASS] = np.sqrt(area / np.pi), mass
    p[kernels.EXPONENT] = (0.0 if carried > 0.0 else default("mass_area_exponent")) if exponent is None else exponent
    p[kernels.SPECIFIC_HEAT], p[kernels.EMISSIVITY] = material.specific_heat, material.emissivity
    p[kernels.ABLATION_TEMPERATURE], p[kernels.ABLATION_HEAT] = material.ablation_temperature, material.ablation_heat
    p[kernels.DRAG_CONTINUUM] = default("drag_coefficient_continuum") if drag_coefficient is None else drag_coefficient
    p[kernels.DRAG_FREE] = default("drag_coefficient_free") if drag_coefficient is None else drag_coefficient
    p[kernels.STAGNATION], p[kernels.TUMBLING] = default("stagnation_heating"), default("tumbling_share")
    p[kernels.ACCOMMODATION], p[kernels.AIR_HEAT] = default("accommodation"), default("air_specific_heat_j_per_kg_k")
    p[kernels.MAX_STEP], p[kernels.CHANGE], p[kernels.STOP_ALTITUDE] = step, change, stop_altitude
    p[kernels.STOP_PRESSURE], p[kernels.STOP_SPEED], p[kernels.STOP_AT_MELTING] = stop_pressure, _STOP_SPEED, stop_at_melting
    p[kernels.DEMISE], p[kernels.MAX_TIME], p[kernels.RECORD_INTERVAL] = _DEMISE, max_time, _RECORD_INTERVAL
    return p


def start_state(
    altitude: float, speed: float, flight_path_angle: float, mass: float, temperature: float, planet_radius: float = EARTH_RADIUS
) -> Array:
    """State at an altitude (m), with a speed (m s-1) and an angle to the horizontal (degrees, downward negative)."""
    slope = np.radians(flight_path_angle)
    return np.array([0.0, planet_radius + altitude, speed * np.cos(slope), speed * np.sin(slope), temperature, mass])


def fly_object(state: Array, parameters: Array, air: Air, edges: Array, *, time: float = 0.0, angle: float = 0.0) -> Flight:
    """Fly one object until it ends.

    Parameters
    ----------
    state : array (6,)
        Position (m), velocity (m s-1) in the plane of the orbit, temperature (K), mass (kg); see `start_state`. Left as it is.
    parameters : array
        Of `flight_parameters`.
    air : Air
        Of `air_for`.
    edges : array (edge,)
        Edges of the bins of the release, m, rising.
    time, angle : float
        Time (s) and angle along the track (radians) at the start.

    Returns
    -------
    Flight

    Raises
    ------
    NumericalError
        The object stays up, or its state is no longer finite.
    """
    last = np.array(state, float)
    release = np.zeros((kernels.RELEASE_ROWS, len(edges) - 1))
    record = np.empty((_RECORD_ROWS, 6))
    why, ended, turned, rows = kernels.fly(last, time, angle, parameters, *air, edges, release, record)
    altitude = (np.hypot(last[0], last[1]) - parameters[kernels.PLANET_RADIUS]) / 1e3
    if not np.isfinite(last).all():
        raise NumericalError(f"flight of {state[5]:g} kg: the state is not finite at {ended:.1f} s; take a smaller step")
    if why in (kernels.TIME, kernels.TOP):
        raise NumericalError(
            f"flight of {state[5]:g} kg does not come down: {altitude:.0f} km after {ended:.0f} s; "
            "start lower, slower or steeper (flight_path_angle)"
        )
    return Flight(why, ended, turned, last, release, record[:rows].copy())


def joined(first: Array, second: Array, number: int = 1) -> Array:
    """Release of a flight and of ``number`` equal ones that follow it, rows of the kernel on the same bins."""
    result = first.copy()
    result[: kernels.SUMS] += number * second[: kernels.SUMS]
    new, old = second[kernels.RELEASED] > 0.0, first[kernels.RELEASED] > 0.0
    for begin, end in ((kernels.BEGIN_TIME, kernels.END_TIME), (kernels.BEGIN_ANGLE, kernels.END_ANGLE)):
        result[begin] = np.where(new & ~old, second[begin], first[begin])
        result[end] = np.where(new, second[end], first[end])
    return result
