"""Share of ionospheric ions that reaches space, against wave power and starting altitude."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.constants import BOLTZMANN, EARTH_GM, EARTH_RADIUS, ELEMENTARY_CHARGE
from siderion.core.errors import SettingsError
from siderion.core.measurement import measurement
from siderion.jobs.progress import ProgressEvent, Report, silent

from .field_line import AmbipolarPotential, require_ion
from .flight import Flights, Surroundings, fly_ions, launch_upflow
from .setting import Setting, attributes

Array = NDArray[np.float64]
KILOMETRE = 1e3
_NO_SUCCESS = -np.log(0.16)
"""Mean of a Poisson law that gives no event with probability 16 %: the 84 % upper limit where no ion escaped."""
FEWEST = 10.0
"""Effective number of ions, (sum of weights)^2 over sum of their squares, below which the standard error means nothing."""
FEW_IONS = {1: "few ions"}
"""Flag of shares that rest on fewer than `FEWEST` ions."""


def maxwellian_escape_fraction(species: str, temperature: float, start: float, surroundings: Surroundings) -> float:
    """Exact share of the upward flux of a Maxwellian at rest that reaches the top without waves and losses.

    With U the work against gravity and ambipolar field up to the top and b = 1 - B_top/B_start, an ion gets there when
    W_par + b W_perp >= U, so that the share is (e^-x - b e^(-x/b))/(1 - b), x = U/(k T), where U falls towards both ends of
    the way no more than once. Where gravity loses to the ambipolar field on the whole (U <= 0) the share is 1.

    Parameters
    ----------
    species : str
        Ion.
    temperature, start : float
        K; altitude of the start, m.
    surroundings : Surroundings
        Its waves and electrons are not used.
    """
    barrier = energy_to_reach(species, start, surroundings.top, surroundings.ambipolar)
    ratio = surroundings.line.field([EARTH_RADIUS + surroundings.top, EARTH_RADIUS + start])
    b = 1.0 - float(ratio[0] / ratio[1])
    x = max(barrier, 0.0) / (BOLTZMANN * temperature)
    return float((np.exp(-x) - b * np.exp(-x / b)) / (1.0 - b))


def launch_and_fly(
    species: str, setting: Setting, start: float, particles: int, seed: int, levels: Sequence[float] = ()
) -> tuple[Flights, Array]:
    """Flights of the upward flux of a drifting Maxwellian at an altitude (m), and the energies at the start (J)."""
    mass = require_ion(species).mass
    launch_seed, flight_seed = (int(s) for s in np.random.SeedSequence(seed).generate_state(2))
    generator = np.random.default_rng(launch_seed)
    along, across = launch_upflow(particles, setting.ion_temperature, mass, setting.upflow_speed, generator)
    flights = fly_ions(species, start, along, across, setting.surroundings, flight_seed, levels=levels)
    return flights, 0.5 * mass * (along**2 + across)


def escape_fractions(
    species: Sequence[str],
    wave_power: Sequence[float],
    start_altitude: Sequence[float],
    setting: Setting,
    particles: int = 4000,
    seed: int = 0,
    energy_level: float = 1900e3,
    report: Report = silent,
) -> xr.Dataset:
    """Share of the upward flux that reaches the upper surface, by species, wave power and starting altitude.

    Parameters
    ----------
    species : sequence of str
        Ions.
    wave_power : sequence of float
        Power below the main region at the reference frequency, (V/m)^2 Hz-1; the main region keeps that of the setting.
    start_altitude : sequence of float
        m, not below the lower surface of the setting.
    setting : Setting
    particles : int
        Ions for each share.
    seed : int
        The same random numbers serve every share: differences between them are less noisy than the shares.
    energy_level : float
        Altitude, m, up to which the energy from the waves is given.
    report : Report
        Receives progress.

    Returns
    -------
    xarray.Dataset
        Dimensions (species, wave_power, start_alt): the measurement ``escape_fraction`` (weight of the ions that reach the top,
        with Monte Carlo error; 84 % upper limit where none did; flag 1 where it rests on less than `FEWEST` ions),
        ``unbound_fraction`` (with energy to leave the Earth for good at the top), ``main_region_fraction`` (reach the main wave
        region, 1 where they start in it; missing where it begins above the top), ``recombined_fraction``, ``supplied_energy``
        (eV, mean gain from the waves up to the energy level of those that pass it; missing where none does), ``energy_at_top``
        (eV; missing where none gets there) and ``time_to_top`` (s; likewise).

    Raises
    ------
    SettingsError
        A number is out of range or a name no ion.
    """
    if particles < 100:
        raise SettingsError(f"{particles} particles; take 100 at least")
    around = setting.surroundings
    levels = sorted({energy_level, around.waves.main_altitude})
    shape = (len(species), len(wave_power), len(start_altitude))
    names = ("value", "error", "few", "unbound_fraction", "main_region_fraction", "recombined_fraction", "supplied_energy",
             "energy_at_top", "time_to_top")  # fmt: skip
    fields = {name: np.full(shape, np.nan) for name in names}
    for place in np.ndindex(shape):
        ion, power, start = species[place[0]], wave_power[place[1]], start_altitude[place[2]]
        flights, energies = launch_and_fly(ion, setting.with_pre_power(power), start, particles, seed, levels)
        if flights.unfinished.any():
            raise SettingsError(
                f"{int(flights.unfinished.sum())} of {particles} flights of {ion} from {start * 1e-3:g} km did not end in a day; "
                f"raise the lower surface or the wave power"
            )
        work = energy_to_reach(ion, start, energy_level, around.ambipolar)
        for name, value in _summary(ion, flights, energies, start, energy_level, work, around).items():
            fields[name][place] = value
        done = int(np.ravel_multi_index(place, shape)) + 1
        report(ProgressEvent("escape fractions", done / int(np.prod(shape)), f"{ion}, {power:g} (V/m)2/Hz, {start * 1e-3:g} km"))
    return _dataset(fields, species, wave_power, start_altitude, setting, particles, seed, energy_level)


def reach_profile(
    species: Sequence[str], altitude: Sequence[float], start: float, setting: Setting, particles: int = 4000, seed: int = 0
) -> xr.Dataset:
    """Share of the upward flux that passes each altitude as an ion at least once, and its energy there.

    Parameters
    ----------
    species : sequence of str
        Ions.
    altitude : sequence of float
        m, rising, above the start and below the upper surface.
    start : float
        Altitude of the start, m.
    setting, particles, seed
        As in `escape_fractions`.

    Returns
    -------
    xarray.Dataset
        ``passing_fraction`` (measurement; flag 1 where it rests on less than `FEWEST` ions) and
        ``passing_energy`` (eV; missing where none passes), (species, reach_alt).
    """
    heights = [float(z) for z in altitude]
    if not (start < heights[0] and heights[-1] < setting.surroundings.top):
        raise SettingsError("altitudes must lie above the start and below the upper surface")
    shape = (len(species), len(heights))
    value, error, energy = np.zeros(shape), np.zeros(shape), np.full(shape, np.nan)
    few = np.zeros(shape, dtype=bool)
    for k, ion in enumerate(species):
        flights, _ = launch_and_fly(ion, setting, start, particles, seed, heights)
        weight = flights.passage_weight
        value[k], error[k] = weight.mean(axis=0), weight.std(axis=0, ddof=1) / np.sqrt(particles)
        total, few[k] = weight.sum(axis=0), rests_on_few(weight)
        gained = ((flights.passage_along + flights.passage_across) * weight).sum(axis=0)
        energy[k, total > 0] = gained[total > 0] / total[total > 0] / ELEMENTARY_CHARGE
    dims, none, limit = ("species", "reach_alt"), value == 0.0, _NO_SUCCESS / particles
    result = measurement(
        "passing_fraction", np.where(none, limit, value), np.where(none, 0.0, np.maximum(value - error, 0.0)),
        np.where(none, limit, np.minimum(value + error, 1.0)), dims=dims, units="1", upper_limit=none,
        convention="mean weight of the ions at the first passage; the ends are one standard error of the Monte Carlo sum; "
        "an 84 % upper limit where none passes", flag=few, flag_meanings=FEW_IONS,
        long_name="share of the upward flux that passes the altitude",
    )  # fmt: skip
    result["passing_energy"] = (dims, energy, {
        "units": "eV", "long_name": "mean kinetic energy at the first passage", "missing": "no ion passes"})  # fmt: skip
    result = result.assign_coords(
        species=list(species),
        reach_alt=("reach_alt", np.array(heights) * 1e-3, {"units": "km", "long_name": "altitude that is passed"}),
    )
    result.attrs |= attributes(setting, particles, seed, species)
    return result


def energy_to_reach(species: str, start: float, altitude: float, ambipolar: AmbipolarPotential) -> float:
    """Energy an ion needs at the start (m) to rise to an altitude (m), J, if the mirror force turns all of it upwards.

    It is the reading of section 2.2.3 of the review in which every ion is given the same energy once.
    """
    ion = require_ion(species)
    gravity = ion.mass * EARTH_GM * (1.0 / (EARTH_RADIUS + start) - 1.0 / (EARTH_RADIUS + altitude))
    return float(gravity + ion.charge * (ambipolar.potential(altitude) - ambipolar.potential(start)))


def rests_on_few(weight: Array) -> NDArray[np.bool_]:
    """Whether a sum over the first axis of weights has an effective number of ions above 0 and below `FEWEST`."""
    total, squares = weight.sum(axis=0), (weight**2).sum(axis=0)
    return np.asarray((total > 0.0) & (total**2 < FEWEST * squares))


def _summary(
    species: str, flights: Flights, energies: Array, start: float, level: float, work: float, around: Surroundings
) -> dict[str, float]:
    weight = np.where(flights.reached, flights.weight, 0.0)
    count = len(weight)
    energy = flights.energy_along + flights.energy_across
    bound = require_ion(species).mass * EARTH_GM / (EARTH_RADIUS + around.top)
    found = {
        "value": float(weight.mean()),
        "error": float(weight.std(ddof=1) / np.sqrt(count)),
        "few": float(rests_on_few(weight)),
        "unbound_fraction": float(np.where(energy > bound, weight, 0.0).mean()),
        "recombined_fraction": float(1.0 - flights.weight.mean()),
    }
    levels, main = flights.level.tolist(), around.waves.main_altitude
    if start >= main:
        found["main_region_fraction"] = 1.0
    elif main < around.top:
        found["main_region_fraction"] = float(flights.passage_weight[:, levels.index(main)].mean())
    column = levels.index(level)
    passed = flights.passage_weight[:, column]
    if passed.sum() > 0.0:
        gain = flights.passage_along[:, column] + flights.passage_across[:, column] + work - energies
        found["supplied_energy"] = float(np.average(gain, weights=passed)) / ELEMENTARY_CHARGE
    if weight.sum() > 0.0:
        found["energy_at_top"] = float(np.average(energy, weights=weight)) / ELEMENTARY_CHARGE
        found["time_to_top"] = float(np.average(flights.time, weights=weight))
    return found


def _dataset(
    fields: dict[str, Array],
    species: Sequence[str],
    wave_power: Sequence[float],
    start_altitude: Sequence[float],
    setting: Setting,
    particles: int,
    seed: int,
    energy_level: float,
) -> xr.Dataset:
    dims = ("species", "wave_power", "start_alt")
    value, error = fields["value"], fields["error"]
    none = value == 0.0
    limit = _NO_SUCCESS / particles
    result = measurement(
        "escape_fraction", np.where(none, limit, value), np.where(none, 0.0, np.maximum(value - error, 0.0)),
        np.where(none, limit, np.minimum(value + error, 1.0)), dims=dims, units="1", upper_limit=none,
        convention="mean weight of the ions that reach the upper surface; the ends are one standard error of the Monte Carlo "
        "integration, which mean nothing where the flag says few ions; an 84 % upper limit where none did",
        flag=fields["few"], flag_meanings=FEW_IONS, long_name="share of the upward flux that reaches the upper surface",
    )  # fmt: skip
    words = {
        "unbound_fraction": ("1", "share that has the energy to leave the Earth for good at the upper surface"),
        "main_region_fraction": ("1", "share that reaches the main wave region"),
        "recombined_fraction": ("1", "share that recombines on the way"),
        "supplied_energy": ("eV", f"mean energy from waves up to {energy_level * 1e-3:g} km, of the ions that pass it"),
        "energy_at_top": ("eV", "mean kinetic energy at the upper surface"),
        "time_to_top": ("s", "mean time of flight to the upper surface"),
    }
    for name, (units, meaning) in words.items():
        result[name] = (dims, fields[name], {"units": units, "long_name": meaning})
    for name in ("energy_at_top", "time_to_top"):
        result[name].attrs["missing"] = "no ion got there"
    result["supplied_energy"].attrs["missing"] = "no ion passes the level, or the start lies above it"
    result["main_region_fraction"].attrs["missing"] = "the main wave region begins above the upper surface"
    result = result.assign_coords(
        species=list(species),
        wave_power=("wave_power", np.asarray(wave_power, dtype=float), {
            "units": "V2 m-2 Hz-1", "long_name": "wave power below the main region at the reference frequency"}),
        start_alt=("start_alt", np.asarray(start_altitude, dtype=float) * 1e-3, {
            "units": "km", "long_name": "altitude of the start"}),
    )  # fmt: skip
    result.attrs |= attributes(setting, particles, seed, species)
    return result
