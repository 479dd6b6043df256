"""Small escape fractions by splitting: a flight is cut at levels, and what passes one starts anew from it many times."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from siderion.core.errors import NumericalError, SettingsError

from .field_line import require_ion
from .flight import fly_ions, launch_upflow
from .setting import Setting

Array = NDArray[np.float64]
State = tuple[float, Array, Array]
"""Altitude (m), speeds along B (m s-1) and squares of the speeds across B (m2 s-2)."""
_PASSING = 0.2
"""Share of the flights of the trial that passes each next level."""
_CLOSEST = 5e3
"""Least distance between levels, m."""
_MOST_LEVELS = 200


def rare_escape_fraction(
    species: str, setting: Setting, start: float, particles: int = 20_000, seed: int = 0, repeats: int = 8
) -> tuple[float, float]:
    """Share of the upward flux that reaches the upper surface, for shares too small to count ions.

    The share is the product of the shares of the stages between levels: an ion that first passes a level has forgotten its way,
    so that those that pass it, drawn by the weight that has not recombined, stand for the flux there. A trial sets the levels.

    Parameters
    ----------
    species : str
        Ion.
    setting : Setting
    start : float
        Altitude of the start, m.
    particles : int
        Ions of each stage.
    seed : int
    repeats : int
        Independent repetitions; their scatter gives the error.

    Returns
    -------
    tuple of float
        Mean share, and its standard error.

    Raises
    ------
    SettingsError
        A number is out of range.
    NumericalError
        No ion of a stage passes the next level.

    References
    ----------
    Multilevel splitting: Cerou and Guyader 2007, Stochastic Analysis and Applications 25, 417,
    doi:10.1080/07362990601139628 (there the levels adapt; here a trial fixes them).
    """
    if particles < 100 or repeats < 2:
        raise SettingsError(f"{particles} particles, {repeats} repeats; take 100 and 2 at least")
    trial, *seeds = np.random.SeedSequence(seed).spawn(repeats + 1)
    levels = _trial_levels(species, setting, start, particles, np.random.default_rng(trial))
    shares = np.array([_product(species, setting, start, levels, particles, np.random.default_rng(one)) for one in seeds])
    return float(shares.mean()), float(shares.std(ddof=1) / np.sqrt(repeats))


def _launch(species: str, setting: Setting, start: float, particles: int, generator: np.random.Generator) -> State:
    mass = require_ion(species).mass
    return (start, *launch_upflow(particles, setting.ion_temperature, mass, setting.upflow_speed, generator))


def _trial_levels(species: str, setting: Setting, start: float, particles: int, generator: np.random.Generator) -> list[float]:
    """Rising levels that about `_PASSING` of the flights from the one before pass; the last is the upper surface."""
    top, state, levels = setting.surroundings.top, _launch(species, setting, start, particles, generator), list[float]()
    while len(levels) < _MOST_LEVELS:
        altitude, along, across = state
        flights = fly_ions(species, altitude, along, across, setting.surroundings, int(generator.integers(2**32)))
        level = max(float(np.quantile(flights.highest, 1.0 - _PASSING)), altitude + _CLOSEST)
        if flights.reached.mean() >= _PASSING or level >= 0.95 * top:
            return [*levels, top]
        levels.append(level)
        _, state = _stage(species, setting, state, level, generator)
    raise NumericalError(f"{species} from {start * 1e-3:g} km needs more than {_MOST_LEVELS} levels; the waves are too weak")


def _product(
    species: str, setting: Setting, start: float, levels: list[float], particles: int, generator: np.random.Generator
) -> float:
    state, product = _launch(species, setting, start, particles, generator), 1.0
    for level in levels:
        share, state = _stage(species, setting, state, level, generator)
        product *= share
    return product


def _stage(species: str, setting: Setting, state: State, level: float, generator: np.random.Generator) -> tuple[float, State]:
    """Weighted share that passes a level, and as many ions drawn from those that do."""
    altitude, along, across = state
    around = replace(setting.surroundings, top=level)
    flights = fly_ions(species, altitude, along, across, around, int(generator.integers(2**32)))
    if flights.unfinished.any():
        raise NumericalError(
            f"{int(flights.unfinished.sum())} flights of {species} did not end in a day; raise the lower surface"
        )
    weight = np.where(flights.reached, flights.weight, 0.0)
    if not weight.sum() > 0.0:
        raise NumericalError(
            f"none of {len(weight)} {species} from {altitude * 1e-3:.0f} km passes {level * 1e-3:.0f} km; take more particles"
        )
    # systematic draws: every ion comes as often as its weight says, to within one
    places = (np.arange(len(weight)) + generator.random()) / len(weight)
    drawn = np.minimum(np.searchsorted(np.cumsum(weight) / weight.sum(), places), len(weight) - 1)
    mass = require_ion(species).mass
    next_along = np.sqrt(2.0 * flights.energy_along[drawn] / mass)
    return float(weight.mean()), (level, next_along, 2.0 * flights.energy_across[drawn] / mass)
