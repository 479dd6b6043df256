"""Flights of ions along a field line: launch, integration, ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf, erfc

from siderion.core.constants import BOLTZMANN, EARTH_RADIUS
from siderion.core.errors import SettingsError

from .field_line import AmbipolarPotential, Electrons, FieldLine, Waves, kernel_heat, kernel_line, require_ion
from .flight_kernel import REACHED, RETURNED, UNFINISHED, fly_all, trace_one
from .molecular import recombination_coefficient

Array = NDArray[np.float64]
SLOWEST = -5.0
"""Least drift in thermal speeds whose upward flux is sampled."""
LOSS_NODES = 600
"""Nodes of the loss frequency, even in the logarithm of the radius."""


@dataclass(frozen=True)
class Surroundings:
    """What ions meet along the field.

    Attributes
    ----------
    line : FieldLine
    waves : Waves
    ambipolar : AmbipolarPotential
    electrons : Electrons or None
        Electrons that ions recombine with; None: no losses.
    rates : str
        Set of recombination rates of the molecular ions, see `siderion.sources.ionosphere.molecular`.
    bottom, top : float
        Altitude of the lower and upper surface, m; the upper one is 4 RE geocentric by default.
    """

    line: FieldLine
    waves: Waves
    ambipolar: AmbipolarPotential
    electrons: Electrons | None = None
    rates: str = "yamauchi"
    bottom: float = 500e3
    top: float = 3.0 * EARTH_RADIUS

    def __post_init__(self) -> None:
        """Check that the line reaches the upper surface."""
        if not 0.0 < self.bottom < self.top < np.inf:
            raise SettingsError(f"surfaces at {self.bottom * 1e-3:g} and {self.top * 1e-3:g} km; the upper one must be higher")
        self.line.check(np.array([EARTH_RADIUS + self.top]))


@dataclass(frozen=True)
class Flights:
    """Ends of flights; arrays (particle,) in SI.

    Attributes
    ----------
    reached, returned, unfinished : array of bool
        Which surface each ion met.
    weight : array
        Part that has not recombined.
    energy_along, energy_across, time : array
        Kinetic energy along and across B (J) and time (s) at the end.
    lowest, highest : array
        Altitudes, m.
    steps : array
        Number of steps.
    level : array (level,)
        Altitudes of the passages, m.
    passage_weight, passage_along, passage_across, passage_time : array (particle, level)
        Surviving weight, energies and time at the first passage upwards; weight 0 where there was none.
    """

    reached: NDArray[np.bool_]
    returned: NDArray[np.bool_]
    unfinished: NDArray[np.bool_]
    weight: Array
    energy_along: Array
    energy_across: Array
    time: Array
    lowest: Array
    highest: Array
    steps: Array
    level: Array
    passage_weight: Array
    passage_along: Array
    passage_across: Array
    passage_time: Array


def launch_upflow(
    count: int, temperature: float, mass: float, drift: float, generator: np.random.Generator
) -> tuple[Array, Array]:
    """Sample the upward flux of a drifting Maxwellian: f ~ v exp(-m (v - drift)^2 / (2 k T)) along B, v > 0.

    Parameters
    ----------
    count : int
        Number of ions.
    temperature, mass : float
        K, kg.
    drift : float
        Speed of the upflow, m s-1; negative where the ions sink, to 5 thermal speeds sqrt(k T/m) at most.
    generator : numpy.random.Generator
        Source of random numbers.

    Returns
    -------
    along : array (particle,)
        Speed along B, m s-1.
    across : array (particle,)
        Square of the speed across B, m2 s-2.

    Raises
    ------
    SettingsError
        A number is out of range.
    """
    if count < 1 or not (0.0 < temperature < np.inf and 0.0 < mass < np.inf and np.isfinite(drift)):
        raise SettingsError(
            f"launch of {count} ions at {temperature} K, {mass} kg, drift {drift} m/s: all must be finite, "
            f"the first three above 0"
        )
    thermal = np.sqrt(BOLTZMANN * temperature / mass)
    u = drift / thermal
    if u < SLOWEST:
        raise SettingsError(f"drift of {drift:g} m/s at {temperature:g} K: so few ions rise that the flux is not resolved")
    share = generator.random(count)
    low, high = np.zeros(count), np.full(count, u + 12.0)
    total = _flux_integral(high, u)
    for _ in range(60):
        middle = 0.5 * (low + high)
        above = _flux_integral(middle, u) > share * total
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return thermal * 0.5 * (low + high), 2.0 * thermal**2 * generator.standard_exponential(count)


def fly_ions(
    species: str,
    altitude: ArrayLike,
    along: ArrayLike,
    across: ArrayLike,
    surroundings: Surroundings,
    seed: int,
    *,
    stochastic: bool = True,
    step: float = 0.02,
    longest: float = 86400.0,
    levels: Sequence[float] = (),
) -> Flights:
    """Follow ions along the field line until they meet the lower or upper surface.

    m dv/dt = q E - m g - mu dB/ds along B; across B the waves diffuse the velocity, with the mean heating of
    `siderion.sources.ionosphere.field_line.heating_rate` at the local gyrofrequency. Collisions are left out: start at 500 km or
    above. Between kicks the energy is conserved to order 4 in ``step``; the kicks make the whole of order 2.

    Parameters
    ----------
    species : str
        Ion.
    altitude : float or array (particle,)
        Start, m, not below the lower surface.
    along, across : array (particle,)
        Speed along B (m s-1, positive upwards) and square of the speed across B (m2 s-2).
    surroundings : Surroundings
    seed : int
        Seed; the result does not depend on the number of threads.
    stochastic : bool
        Kicks at random; False: the mean heating.
    step : float
        Step as a part of r/v; heating changes the energy by 5 times this part at most.
    longest : float
        Longest flight, s.
    levels : sequence of float
        Altitudes, m, rising, at which first passages upwards are recorded; below the upper surface.

    Returns
    -------
    Flights

    Raises
    ------
    SettingsError
        A start lies outside the surfaces, or a number is out of range.

    References
    ----------
    Chang et al. 1986, doi:10.1029/GL013i007p00636; review of heavy ions (Yamauchi et al.), section 2.2.3.
    """
    speed = np.array(along, dtype=np.float64)
    radius = EARTH_RADIUS + np.array(np.broadcast_to(np.asarray(altitude, dtype=np.float64), speed.shape))
    squares = np.array(across, dtype=np.float64)
    _check(radius, speed, squares, surroundings, step, longest, levels)
    count = len(speed)
    crossing, end = np.zeros((count, len(levels), 4)), np.zeros((count, 8))
    ion = require_ion(species)
    fly_all(
        radius, speed, squares, kernel_line(species, surroundings.line, surroundings.ambipolar),
        kernel_heat(species, surroundings.waves), stochastic, random_states(seed, count), EARTH_RADIUS + surroundings.bottom,
        EARTH_RADIUS + surroundings.top, step, longest, loss_frequency(species, surroundings),
        EARTH_RADIUS + np.asarray(levels, dtype=np.float64), crossing, end,
    )  # fmt: skip
    kind = end[:, 0]
    return Flights(
        reached=kind == REACHED, returned=kind == RETURNED, unfinished=kind == UNFINISHED, weight=end[:, 1],
        energy_along=ion.mass * end[:, 2], energy_across=ion.mass * end[:, 3], time=end[:, 4],
        lowest=end[:, 5] - EARTH_RADIUS, highest=end[:, 6] - EARTH_RADIUS, steps=end[:, 7],
        level=np.asarray(levels, dtype=np.float64), passage_weight=crossing[:, :, 3], passage_along=ion.mass * crossing[:, :, 0],
        passage_across=ion.mass * crossing[:, :, 1], passage_time=crossing[:, :, 2],
    )  # fmt: skip


def trace_ion(
    species: str,
    altitude: float,
    along: float,
    across: float,
    surroundings: Surroundings,
    seed: int = 0,
    *,
    stochastic: bool = True,
    step: float = 0.02,
    steps: int = 100_000,
) -> Array:
    """Path of one ion: rows of time (s), altitude (m), speed along B and across B (m s-1), up to a surface or ``steps`` rows.

    Arguments as in `fly_ions`, for one ion; ``across`` is the speed across B squared.
    """
    radius = EARTH_RADIUS + altitude
    _check(np.array([radius]), np.array([along]), np.array([across]), surroundings, step, 1.0, ())
    path = np.empty((steps, 4))
    rows = trace_one(
        radius, along, across, kernel_line(species, surroundings.line, surroundings.ambipolar),
        kernel_heat(species, surroundings.waves), stochastic, random_states(seed, 1), EARTH_RADIUS + surroundings.bottom,
        EARTH_RADIUS + surroundings.top, step, path,
    )  # fmt: skip
    path = path[:rows].copy()
    path[:, 1] -= EARTH_RADIUS
    return path


def random_states(seed: int, count: int) -> NDArray[np.uint64]:
    """State of the stream of each particle."""
    return np.random.SeedSequence(seed).generate_state(count, np.uint64).astype(np.uint64)


def loss_frequency(species: str, surroundings: Surroundings) -> tuple[float, float, Array]:
    """Frequency of recombination along the line, s-1, for the kernel: log of the first radius, step of it, values."""
    inner, outer = np.log(EARTH_RADIUS + surroundings.bottom), np.log(EARTH_RADIUS + surroundings.top)
    nodes = np.linspace(inner, outer, LOSS_NODES)
    if surroundings.electrons is None:
        values = np.zeros(LOSS_NODES)
    else:
        altitude = np.exp(nodes) - EARTH_RADIUS
        coefficient = recombination_coefficient(species, surroundings.electrons.temperature_at(altitude), surroundings.rates)
        values = coefficient * surroundings.electrons.density_at(altitude)
    return float(inner), float(nodes[1] - nodes[0]), values


def one_way_speed(drift: ArrayLike, temperature: float, mass: float) -> Array:
    """Upward one-way flux of a drifting Maxwellian over its density, m s-1.

    It is sqrt(k T/(2 pi m)) e^(-u^2/2) + (w/2) (1 + erf(u/sqrt 2)).

    Parameters
    ----------
    drift : array
        w along B, m s-1, positive upwards; u = w/sqrt(k T/m).
    temperature, mass : float
        K, kg.
    """
    thermal = np.sqrt(BOLTZMANN * temperature / mass)
    u = np.asarray(drift, dtype=np.float64) / thermal
    return thermal * (np.exp(-0.5 * u * u) / np.sqrt(2.0 * np.pi) + 0.5 * u * erfc(-u / np.sqrt(2.0)))


def _flux_integral(v: Array, u: float) -> Array:
    """Integral of v exp(-(v - u)^2/2) from 0 to v."""
    root = np.sqrt(2.0)
    return np.exp(-0.5 * u * u) - np.exp(-0.5 * (v - u) ** 2) + u * np.sqrt(0.5 * np.pi) * (erf((v - u) / root) + erf(u / root))


def _check(
    radius: Array, speed: Array, squares: Array, around: Surroundings, step: float, longest: float, levels: Sequence[float]
) -> None:
    if not (0.0 < step <= 0.1 and longest > 0.0):
        raise SettingsError(f"step is {step}, longest flight {longest} s; step must be above 0 and at most 0.1, time positive")
    bottom, top = EARTH_RADIUS + around.bottom, EARTH_RADIUS + around.top
    if not ((radius >= bottom) & (radius < top)).all():
        raise SettingsError(
            f"an ion starts at {(radius.min() - EARTH_RADIUS) * 1e-3:g} to {(radius.max() - EARTH_RADIUS) * 1e-3:g} km; starts "
            f"must lie between the surfaces at {around.bottom * 1e-3:g} and {around.top * 1e-3:g} km"
        )
    if not (np.isfinite(speed).all() and (squares >= 0.0).all() and np.isfinite(squares).all()):
        raise SettingsError("speeds must be finite, and the square of the speed across B not negative")
    if np.any(np.diff(np.asarray(levels, dtype=np.float64)) <= 0.0):
        raise SettingsError(f"levels are {list(levels)} m; they must rise")
