"""Monte Carlo of ions in a time-of-flight spectrometer, independent of the analytic peak.

Every ion meets a piece of foil of its own thickness, loses energy to electrons and in single collisions with carbon nuclei
(rare large ones make the long tail), is deflected in each, and flies the longer path of its direction. Molecules break before
the foil with isotropic velocities whose momenta cancel; each fragment is seen with some probability, the first one seen makes
the time. The mean loss is that of `siderion.spectrometer.foil.mean_loss`; its spread and the angles follow from the collisions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from siderion.core.constants import ELECTRON_MASS
from siderion.core.errors import NumericalError, SettingsError
from siderion.core.species import get_species

from .flight_time import atoms_of, linear_field_time, straight_time, total_energy
from .foil import default_energy_release, mean_loss, retained_fraction
from .foil_stopping import areal_density, collision, electronic_stopping, foil_constants
from .foil_straggling import LOWEST, between, electronic_variance, scattering_table
from .instruments import LINEAR_FIELD, MAGNETIC, Setup

Array = NDArray[np.float64]

_COLLISIONS = 10.0
"""Collisions per foil that are drawn one by one; smaller ones are added as their mean loss and their mean square angle."""

_TRIES = 200
"""Rounds of drawing before it is given up that enough ions reach the stop detector."""


def draw_flight_times(
    species: str, setup: Setup, number: int, seed: int | np.random.Generator, energy_release: float | None = None
) -> Array:
    """Draw times of flight of counted ions.

    Parameters
    ----------
    species : str
        Ion such as ``"NO+"``.
    setup : Setup
        Instrument with a time axis.
    number : int
        Counted ions.
    seed : int or numpy.random.Generator
        Seed of the random numbers.
    energy_release : float, optional
        Energy that the fragments of a molecule share, eV; the usual one of the table without it.

    Returns
    -------
    array (number,)
        Times, s, in random order.

    Raises
    ------
    CoverageError
        The species is not known, or stops in the foil on average.
    NumericalError
        Almost no ion reaches the stop detector.
    SettingsError
        The number is negative, or the instrument has no time axis.
    """
    if number < 0:
        raise SettingsError(f"number of ions is {number}; it must not be negative")
    if setup.instrument.principle == MAGNETIC:
        raise SettingsError(f"{setup.instrument.title} has no time axis; use siderion.spectrometer.magnetic")
    generator = np.random.default_rng(seed)
    release = default_energy_release() if energy_release is None else energy_release
    drawn: list[Array] = []
    missing, share = number, 0.9 if len(atoms_of(species)) == 1 else 0.7
    for _ in range(_TRIES):
        if missing <= 0:
            break
        times = _try(species, setup, int(1.02 * missing / share) + 50, release, generator)
        drawn.append(times[np.isfinite(times)][:missing])
        missing -= drawn[-1].size
        share = max(0.02, float(np.isfinite(times).mean()))
    if missing > 0:
        raise NumericalError(
            f"only {number - missing} of {number} ions {species} reach the stop detector of {setup.instrument.title} with "
            f"{setup.voltage:g} V and a foil of {setup.foil_thickness:g} ug cm-2; take a higher voltage or a thinner foil"
        )
    return np.concatenate(drawn) if drawn else np.empty(0)


def _try(species: str, setup: Setup, count: int, release: float, generator: np.random.Generator) -> Array:
    """Times of ``count`` ions, infinite where an ion is not seen."""
    instrument = setup.instrument
    width = instrument.energy_resolution / np.sqrt(8.0 * np.log(2.0))
    passed = setup.energy_per_charge * np.maximum(0.0, 1.0 + width * generator.standard_normal(count))
    energy = total_energy(species, setup) + abs(get_species(species).charge_number) * (passed - setup.energy_per_charge)
    energy = np.maximum(energy, 1e-3 * total_energy(species, setup))
    jitter = instrument.time_resolution * generator.standard_normal(count)
    path = instrument.path_length * (1.0 + instrument.path_spread * generator.standard_normal(count))
    if not instrument.has_foil:
        return straight_time(1.0, get_species(species).mass, energy) * path + jitter
    return _behind_foil(species, setup, energy, path, release, generator) + jitter


def _behind_foil(species: str, setup: Setup, energy: Array, path: Array, release: float, generator: np.random.Generator) -> Array:
    """Time of the first fragment that is seen of each ion; all of them fly to the same stop detector."""
    constants = foil_constants()
    atoms = atoms_of(species)
    masses = np.array([get_species(atom).mass for atom in atoms])
    kicks = _kicks(masses, release, energy, generator)  # (fragment, ion, 3), relative to the speed of the molecule
    uneven = np.maximum(0.05, 1.0 + constants["thickness_spread"] * generator.standard_normal(energy.size))
    first = np.full(energy.size, np.inf)
    for index, atom in enumerate(atoms):
        seen = generator.random(energy.size) < (constants["stop_efficiency"] if len(atoms) > 1 else 1.0)
        along, across = 1.0 + kicks[index, seen, 0], kicks[index][seen, 1:]
        before = energy[seen] * masses[index] / masses.sum() * (along**2 + (across**2).sum(axis=1))
        kept, bend = _through_foil(atom, before, setup, uneven[seen], generator)
        angle = np.hypot(*(np.arctan2(across, along[:, None]) + bend).T)
        arrives = (kept > 0.0) & (angle < np.radians(constants["acceptance_angle"]))
        ions = np.flatnonzero(seen)[arrives]
        time = _flight(setup, masses[index], kept[arrives], path[ions] / np.cos(angle[arrives]), generator)
        first[ions] = np.minimum(first[ions], time)
    return first


def _kicks(masses: Array, release: float, energy: Array, generator: np.random.Generator) -> Array:
    """Velocities of fragments from the break-up over the speed of the molecule; momenta cancel, energies sum to the release."""
    if masses.size == 1 or release <= 0.0:
        return np.zeros((masses.size, energy.size, 3))
    velocity = generator.standard_normal((masses.size, energy.size, 3)) / np.sqrt(masses)[:, None, None]
    velocity -= np.tensordot(masses / masses.sum(), velocity, axes=1)
    shared = (masses[:, None] * (velocity**2).sum(axis=2)).sum(axis=0)
    return np.asarray(velocity * np.sqrt(release / energy * masses.sum() / shared)[None, :, None])


def _through_foil(atom: str, before: Array, setup: Setup, uneven: Array, generator: np.random.Generator) -> tuple[Array, Array]:
    """Energy behind the foil (0 where the atom stops) and the angle of deflection in two planes, radians."""
    count = before.size
    if setup.foil_thickness <= 0.0:
        return before, np.zeros((count, 2))
    typical = float(np.median(before))
    retained_fraction(atom, typical, setup.foil_thickness, setup.foil_model)  # raises where the atom would stop
    one, density = collision(atom), areal_density(setup.foil_thickness)
    eps = one.reduced_energy * typical
    target = density * one.screening_area  # foil in units of the screening area
    unit = one.kinematic_factor * typical / eps**2
    electronic = density * float(electronic_stopping(atom, typical))
    # The foil is taken thicker or thinner so that the mean loss is the simulated one.
    ratio = float(mean_loss(atom, typical, setup.foil_thickness, setup.foil_model))
    ratio /= electronic + target * unit * between(2, LOWEST, eps)
    lowest = _lowest_single(target * ratio, eps)
    soft_loss = target * unit * between(2, LOWEST, lowest)
    soft_square = target * (one.mass_ratio / (1.0 + one.mass_ratio)) ** 2 * 4.0 / eps**2 * between(2, LOWEST, lowest)
    hard_loss, bend = _single_collisions(one.mass_ratio, target * ratio * uneven, lowest, eps, generator)
    spread = np.sqrt(ratio * electronic_variance(atom, typical, setup.foil_thickness))
    loss = ratio * uneven * (electronic + soft_loss) + unit * hard_loss + spread * generator.standard_normal(count)
    # Losses were drawn at the typical energy; they change with the energy as the mean loss does.
    change = mean_loss(atom, before, setup.foil_thickness, setup.foil_model)
    loss *= change / float(mean_loss(atom, typical, setup.foil_thickness, setup.foil_model))
    bend += np.sqrt(0.5 * ratio * uneven * soft_square)[:, None] * generator.standard_normal((count, 2))
    return np.clip(before - loss, 0.0, None), bend


def _lowest_single(target: float, eps: float) -> float:
    """Scattering variable above which `_COLLISIONS` collisions happen in a foil."""
    x, number, _, _ = scattering_table()
    above = number - np.interp(np.log(eps), np.log(x), number)
    return float(np.exp(np.interp(-_COLLISIONS / target, -above, np.log(x))))


def _single_collisions(
    mass_ratio: float, target: Array, lowest: float, eps: float, generator: np.random.Generator
) -> tuple[Array, Array]:
    """Sum of x^2 and of the deflections (two planes, radians) over the single collisions of each atom."""
    x, number, _, _ = scattering_table()
    high, low = np.interp(np.log([lowest, eps]), np.log(x), number)
    times = generator.poisson(target * (high - low))
    owner = np.repeat(np.arange(target.size), times)
    # The number of collisions above x is the law to invert; it falls with x.
    drawn = np.exp(np.interp(-generator.uniform(low, high, owner.size), -number, np.log(x)))
    squared = np.minimum(drawn / eps, 1.0) ** 2  # sin^2 of half the angle in the frame of both
    deflection = np.arctan2(2.0 * np.sqrt(squared * (1.0 - squared)), 1.0 - 2.0 * squared + mass_ratio)
    azimuth = generator.uniform(0.0, 2.0 * np.pi, owner.size)
    bend = np.empty((target.size, 2))
    for plane, cosine in enumerate((np.cos(azimuth), np.sin(azimuth))):
        bend[:, plane] = np.bincount(owner, deflection * cosine, target.size)
    loss: Array = np.bincount(owner, drawn**2, target.size).astype(np.float64)
    return loss, bend


def _flight(setup: Setup, mass: float, kept: Array, path: Array, generator: np.random.Generator) -> Array:
    """Time behind the foil: straight, or for the ions of a linear field in that field."""
    straight = straight_time(1.0, mass, kept) * path
    if setup.instrument.principle != LINEAR_FIELD:
        return np.asarray(straight)
    charged = generator.random(kept.size) < setup.instrument.ion_share
    turned = linear_field_time(setup.instrument.path_length, setup.voltage, mass - ELECTRON_MASS, 1, kept)
    own = 0.5 / (setup.instrument.mass_resolution * np.sqrt(8.0 * np.log(2.0)))
    turned = turned * (1.0 + own * generator.standard_normal(kept.size))
    return np.asarray(np.where(charged, turned, straight))
