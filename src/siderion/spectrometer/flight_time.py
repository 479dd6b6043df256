"""Times of flight of ions and of the fragments of molecules.

An ion of charge q behind the analyser and the acceleration has E0 = q (E/q + U). A molecule breaks in the foil: its fragments
keep its speed, so each carries its share of the mass of E0, then loses energy as an atom does. The energy released in the
break-up goes in all directions alike. Several fragments may reach the stop detector; the first one that is seen makes the time,
so a molecule is counted once. Behind the foil atoms fly straight whatever their charge, except in a linear field.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.constants import ELECTRON_MASS, ELEMENTARY_CHARGE
from siderion.core.errors import SettingsError
from siderion.core.species import get_species, split_charge

from .first_fragment import first_fragment_moments
from .foil import default_energy_release, energy_slope, retained_fraction
from .foil_stopping import foil_constants
from .foil_straggling import straggling
from .instruments import GATED, LINEAR_FIELD, MAGNETIC, Setup

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Component:
    """One part of the peak of a species.

    Attributes
    ----------
    fragment : str
        What arrives: the ion itself, or an atom of the molecule.
    time : float
        Mean time of flight, s.
    weight : float
        Probability that a counted ion of the species belongs to this part; the parts of a species sum to 1.
    release_spread : float
        Standard deviation of the time divided by the time, from the energy released in the break-up; 0 for atoms.
    straggling_spread : float
        The same from the spread of the energy loss in the foil, or of the energies that the analyser lets through.
    own_width : float
        Relative standard deviation where the part does not have the width of the instrument's foil peaks (ions that turn round
        in a linear field); ``nan`` elsewhere.
    """

    fragment: str
    time: float
    weight: float
    release_spread: float
    straggling_spread: float
    own_width: float = np.nan

    @property
    def relative_spread(self) -> float:
        """Both spreads together, standard deviation of the time divided by the time."""
        return float(np.hypot(self.release_spread, self.straggling_spread))


@lru_cache(maxsize=512)
def atoms_of(species: str) -> tuple[str, ...]:
    """Atoms of an ion in the order of its formula, such as ``("H", "H", "O")`` for ``"H2O+"``.

    Raises
    ------
    CoverageError
        The formula is not known.
    """
    base = get_species(species).neutral_name
    parts = re.findall(r"([A-Z][a-z]?)(\d*)", base)
    return tuple(atom for atom, count in parts for _ in range(int(count or 1)))


def total_energy(species: str, setup: Setup) -> float:
    """Kinetic energy of an ion before the foil or the gate, eV: q (E/q + U).

    Negative ions are taken with all voltages turned round.

    Raises
    ------
    SettingsError
        The species has no charge.
    """
    charge = abs(split_charge(species)[1])
    if charge == 0:
        raise SettingsError(
            f"species {species!r} has no charge, so the analyser does not see it; write an ion such as {species}+"
        )
    accelerated = setup.voltage if setup.instrument.principle != GATED else 0.0
    return charge * (setup.energy_per_charge + accelerated)


def straight_time(path_length: float, mass: float, energy: ArrayLike) -> Array:
    """Time over a field-free path, s: L sqrt(m / (2 E)), mass in kg, energy in eV."""
    return np.asarray(path_length * np.sqrt(mass / (2.0 * np.asarray(energy, dtype=np.float64) * ELEMENTARY_CHARGE)))


def linear_field_time(depth: float, voltage: float, mass: float, charge: int, energy: ArrayLike) -> Array:
    """Time of an ion in a field that grows linearly with depth, s.

    The potential is U (z / L)^2. An ion with less energy than q U turns round and comes back after half a period,
    pi L sqrt(m / (2 q U)), whatever its energy; one with more leaves at the far end after
    L sqrt(m / (2 q U)) arcsin(sqrt(q U / E)).
    """
    energies = np.asarray(energy, dtype=np.float64)
    barrier = charge * voltage
    unit = depth * np.sqrt(mass / (2.0 * barrier * ELEMENTARY_CHARGE))
    phase = np.where(energies <= barrier, np.pi, np.arcsin(np.sqrt(np.minimum(1.0, barrier / energies))))
    return np.asarray(unit * phase)


def loss_free_time(species: str, setup: Setup) -> float:
    """Time that the unbroken ion would need without any foil, s."""
    ion = get_species(species)
    return float(straight_time(setup.instrument.path_length, ion.mass, total_energy(species, setup)))


def release_half_width(species: str, fragment: str, setup: Setup, energy_release: float | None = None) -> float:
    """Largest change of the speed of a fragment by the break-up, divided by its speed: sqrt(W (M - m) / (m E0)).

    The fragment of mass m takes the share (M - m) / M of the released energy W (two fragments; with more, the others together
    count as the second). The speed along the axis is spread evenly between both signs of this value.

    Parameters
    ----------
    species, fragment : str
        Molecular ion and one of its atoms.
    setup : Setup
    energy_release : float, optional
        W, eV; the usual one of the table without it.
    """
    release = default_energy_release() if energy_release is None else energy_release
    if not 0.0 <= release < np.inf:
        raise SettingsError(f"energy_release is {release} eV; it must be finite and not negative")
    atoms = atoms_of(species)
    if len(atoms) == 1:
        return 0.0
    mass = get_species(fragment).mass
    whole = sum(get_species(atom).mass for atom in atoms)
    return float(np.sqrt(release * (whole - mass) / (mass * total_energy(species, setup))))


def flight_components(species: str, setup: Setup, energy_release: float | None = None) -> list[Component]:
    """Parts of the peak of a species: one for an atom, one for each kind of fragment of a molecule.

    Parameters
    ----------
    species : str
        Ion such as ``"O2+"`` or ``"Fe++"``.
    setup : Setup
    energy_release : float, optional
        Energy that the fragments of a molecule share, eV; the usual one of ``spectrometer/tables/foil_constants.csv`` without it.

    Returns
    -------
    list of Component
        In the order of their times; weights sum to 1.

    Raises
    ------
    CoverageError
        The species is not known, or a fragment would stop in the foil.
    SettingsError
        The species has no charge, the energy release is negative, or the instrument has no time axis.
    """
    release = default_energy_release() if energy_release is None else float(energy_release)
    return list(_components(species, setup, release))


@lru_cache(maxsize=4096)
def _components(species: str, setup: Setup, release: float) -> tuple[Component, ...]:
    instrument = setup.instrument
    if instrument.principle == MAGNETIC:
        raise SettingsError(f"{instrument.title} has no time axis; use siderion.spectrometer.magnetic")
    atoms = atoms_of(species)
    energy = total_energy(species, setup)
    if not instrument.has_foil:
        spread = 0.5 * instrument.energy_resolution / np.sqrt(8.0 * np.log(2.0))
        return (
            Component(species, float(straight_time(instrument.path_length, get_species(species).mass, energy)), 1.0, 0.0, spread),
        )
    straight = _atom(species, atoms[0], energy, setup) if len(atoms) == 1 else _fragments(species, setup, release)
    if instrument.principle == LINEAR_FIELD:
        return tuple(sorted(_with_linear_field(straight, species, setup), key=lambda part: part.time))
    return tuple(sorted(straight, key=lambda part: part.time))


def _atom(species: str, atom: str, energy: float, setup: Setup) -> list[Component]:
    kept = float(retained_fraction(atom, energy, setup.foil_thickness, setup.foil_model)) * energy
    spread = 0.5 * straggling(atom, energy, setup.foil_thickness, setup.foil_model) / kept
    time = float(straight_time(setup.instrument.path_length, get_species(atom).mass, kept))
    return [Component(species if len(atoms_of(species)) == 1 else atom, time, 1.0, 0.0, spread)]


@lru_cache(maxsize=4096)
def single_fragments(species: str, setup: Setup, release: float) -> tuple[Component, ...]:
    """Each atom of an ion as if the stop detector saw it alone, in the order of the formula.

    ``release_spread`` is that of a speed spread evenly over `release_half_width`, weights are 1.
    """
    atoms = atoms_of(species)
    energy = total_energy(species, setup)
    if len(atoms) == 1:
        return tuple(_atom(species, atoms[0], energy, setup))
    masses = np.array([get_species(atom).mass for atom in atoms])
    parts = []
    for atom, share in zip(atoms, energy * masses / masses.sum(), strict=True):
        part = _atom(species, atom, float(share), setup)[0]
        slope = energy_slope(atom, float(share), setup.foil_thickness, setup.foil_model)
        width = slope * release_half_width(species, atom, setup, release)
        parts.append(Component(atom, part.time, 1.0, float(width / np.sqrt(3.0)), part.straggling_spread))
    return tuple(parts)


def _fragments(species: str, setup: Setup, release: float) -> list[Component]:
    """The first fragment that the stop detector sees, by exact quadrature over the direction of the break-up and over time."""
    single = single_fragments(species, setup, release)
    atoms = atoms_of(species)
    times, spreads, widths = (
        np.array([getattr(part, name) for part in single]) for name in ("time", "straggling_spread", "release_spread")
    )
    weights, means, variances = first_fragment_moments(times, spreads, np.sqrt(3.0) * widths, foil_constants()["stop_efficiency"])
    parts = []
    for atom in dict.fromkeys(atoms):
        same = np.array([other == atom for other in atoms])
        weight = weights[same].sum()
        mean = (weights[same] * means[same]).sum() / weight
        variance = (weights[same] * (variances[same] + (means[same] - mean) ** 2)).sum() / weight
        own = min(spreads[same][0], np.sqrt(variance) / mean)
        widening = np.sqrt(max(0.0, variance / mean**2 - own**2))
        parts.append(Component(atom, float(mean), float(weight), float(widening), float(own)))
    return parts


def _with_linear_field(straight: list[Component], species: str, setup: Setup) -> list[Component]:
    """Neutral atoms fly straight; the share that leaves the foil as single positive ions feels the field."""
    share = setup.instrument.ion_share
    parts = [
        Component(f"{p.fragment.rstrip('+-')}", p.time, (1.0 - share) * p.weight, p.release_spread, p.straggling_spread)
        for p in straight
    ]
    atoms = atoms_of(species)
    masses = {atom: get_species(atom).mass for atom in atoms}
    whole = sum(get_species(atom).mass for atom in atoms)
    for part in straight:
        atom = part.fragment.rstrip("+-")
        mass = masses[atom]
        energy = total_energy(species, setup) * mass / whole
        kept = energy * float(retained_fraction(atom, energy, setup.foil_thickness, setup.foil_model))
        time = linear_field_time(setup.instrument.path_length, setup.voltage, mass - ELECTRON_MASS, 1, kept)
        if kept <= setup.voltage:
            own = 0.5 / (setup.instrument.mass_resolution * np.sqrt(8.0 * np.log(2.0)))
            parts.append(Component(f"{atom}+", float(time), share * part.weight, 0.0, 0.0, float(own)))
        else:
            parts.append(Component(f"{atom}+", float(time), share * part.weight, part.release_spread, part.straggling_spread))
    return parts
