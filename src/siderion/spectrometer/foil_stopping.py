"""Stopping of slow ions in carbon: electronic after Lindhard and Scharff, nuclear with the universal potential.

These laws carry the foil losses that were simulated for H, O and Ar over to other elements and other energies; the ratio to
the simulated loss is taken in `siderion.spectrometer.foil`. Energies are in eV, thicknesses in ug cm-2.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import constants as codata

from siderion.core.constants import ATOMIC_MASS, ELEMENTARY_CHARGE
from siderion.core.errors import CoverageError
from siderion.core.species import get_species
from siderion.core.tables import load_table

Array = NDArray[np.float64]

SQUARED_CHARGE = codata.elementary_charge / (4.0 * np.pi * codata.epsilon_0) * 1e10
"""Square of the elementary charge, eV angstrom."""
BOHR_RADIUS = codata.physical_constants["Bohr radius"][0] * 1e10
"""Bohr radius, angstrom."""


class Collision(NamedTuple):
    """Numbers of one kind of atom in carbon: atomic number, mass (amu), reduced energy per eV, largest share of energy
    that one collision can take, area of the screening radius (angstrom2), mass over that of carbon."""

    number: int
    mass: float
    reduced_energy: float
    kinematic_factor: float
    screening_area: float
    mass_ratio: float


@cache
def foil_constants() -> dict[str, float]:
    """Constants of the table ``spectrometer/tables/foil_constants.csv`` by name."""
    table = load_table("spectrometer", "foil_constants")
    return {str(name): float(value) for name, value in zip(table["name"], table["value"], strict=True)}


@cache
def collision(atom: str) -> Collision:
    """Numbers of an atom that collides with carbon.

    Raises
    ------
    CoverageError
        The atom is not in the table ``spectrometer/tables/foil_elements.csv``.
    """
    table = load_table("spectrometer", "foil_elements").set_index("atom")["atomic_number"]
    if atom not in table.index:
        raise CoverageError(f"no foil loss for {atom!r}; known atoms: {', '.join(table.index)}")
    constants = foil_constants()
    number, mass = int(table[atom]), get_species(atom).mass / ATOMIC_MASS
    carbon, carbon_mass = constants["carbon_number"], constants["carbon_mass"]
    screening = number ** constants["zbl_screening_power"] + carbon ** constants["zbl_screening_power"]
    length = constants["zbl_screening"] * BOHR_RADIUS / screening
    share = mass * carbon_mass / (mass + carbon_mass) ** 2
    reduced = carbon_mass / (mass + carbon_mass) * length / (number * carbon * SQUARED_CHARGE)
    return Collision(number, mass, reduced, 4.0 * share, np.pi * length**2, mass / carbon_mass)


def areal_density(thickness: float) -> float:
    """Carbon atoms per angstrom2 of a foil of ``thickness`` ug cm-2."""
    return thickness * 1e-9 * 1e4 / (foil_constants()["carbon_mass"] * ATOMIC_MASS) * 1e-20


def electronic_stopping(atom: str, energy: ArrayLike) -> Array:
    """Electronic stopping cross-section in carbon, eV angstrom2: 8 pi e2 a0 Z1^(1/6) Z1 Z2 / (Z1^(2/3) + Z2^(2/3))^(3/2) v / v0.

    Parameters
    ----------
    atom : str
        Such as ``"O"``.
    energy : array
        Kinetic energy, eV.

    References
    ----------
    Lindhard & Scharff 1961, doi:10.1103/PhysRev.124.128; valid below the speed v0 Z1^(2/3) (25 keV for H, 6 MeV for O).
    """
    one, constants = collision(atom), foil_constants()
    carbon = constants["carbon_number"]
    both = (one.number ** (2.0 / 3.0) + carbon ** (2.0 / 3.0)) ** 1.5
    speed = np.sqrt(2.0 * np.asarray(energy, dtype=np.float64) * ELEMENTARY_CHARGE / (one.mass * ATOMIC_MASS))
    bohr_speed = codata.fine_structure * codata.c
    factor = 8.0 * np.pi * SQUARED_CHARGE * BOHR_RADIUS * one.number ** (7.0 / 6.0) * carbon / both
    return np.asarray(factor * speed / bohr_speed)


def nuclear_stopping(atom: str, energy: ArrayLike) -> Array:
    """Nuclear stopping cross-section in carbon with the universal potential, eV angstrom2.

    S = pi a2 gamma E / eps * s(eps), s = ln(1 + 1.1383 eps) / (2 (eps + 0.01321 eps^0.21226 + 0.19593 eps^0.5)), and
    ln(eps) / (2 eps) above eps = 30.

    References
    ----------
    Ziegler, Biersack & Littmark 1985, The Stopping and Range of Ions in Solids.
    """
    one, constants = collision(atom), foil_constants()
    eps = one.reduced_energy * np.asarray(energy, dtype=np.float64)
    low = eps + constants["zbl_b"] * eps ** constants["zbl_c"] + constants["zbl_d"] * np.sqrt(eps)
    reduced = np.log1p(constants["zbl_a"] * eps) / (2.0 * low)
    high = np.log(np.maximum(eps, 2.0)) / (2.0 * np.maximum(eps, 2.0))
    reduced = np.where(eps > 30.0, high, reduced)
    return np.asarray(one.screening_area * one.kinematic_factor / one.reduced_energy * reduced)


def model_loss(atom: str, energy: ArrayLike, thickness: float) -> Array:
    """Energy lost in a thin foil by both kinds of stopping at the energy before it, eV."""
    return areal_density(thickness) * (electronic_stopping(atom, energy) + nuclear_stopping(atom, energy))
