"""Ions, atoms and molecules: name, mass, charge, polarizability.

Names are plain text: ``"Fe+"``, ``"H2O+"``, ``"Fe++"``, negative ions ``"Cl-"``, neutrals ``"Fe"``, electrons ``"e-"``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from .constants import ATOMIC_MASS, ELECTRON_MASS, ELEMENTARY_CHARGE
from .errors import CoverageError
from .tables import load_table


@dataclass(frozen=True)
class Species:
    """One kind of particle.

    Attributes
    ----------
    name : str
        Name with its charge, such as ``"Fe+"``.
    mass : float
        Mass in kg, the lost or gained electrons accounted for.
    charge_number : int
        Charge in units of the elementary charge.
    """

    name: str
    mass: float
    charge_number: int

    @property
    def charge(self) -> float:
        """Charge in C."""
        return self.charge_number * ELEMENTARY_CHARGE

    @property
    def neutral_name(self) -> str:
        """Name of the neutral atom or molecule, such as ``"Fe"`` for ``"Fe+"``."""
        return self.name.rstrip("+-")


def split_charge(name: str) -> tuple[str, int]:
    """Split ``"Fe++"`` into ``("Fe", 2)`` and ``"Cl-"`` into ``("Cl", -1)``."""
    base = name.rstrip("+-")
    signs = name[len(base) :]
    if not base or len(set(signs)) > 1:
        raise CoverageError(f"species {name!r}: write it as formula and charge signs, such as Fe+, Fe++ or Cl-")
    return base, len(signs) if signs.startswith("+") else -len(signs)


@cache
def get_species(name: str) -> Species:
    """Look up a species by name.

    Raises
    ------
    CoverageError
        The neutral formula is not in the table ``core/tables/species.csv``, or an electron is written with
        another charge than -1.
    """
    base, charge_number = split_charge(name)
    if base == "e":
        if charge_number != -1:
            raise CoverageError(f"species {name!r}: electrons are written e-")
        return Species(name, ELECTRON_MASS, charge_number)
    masses = load_table("core", "species").set_index("formula")["mass_amu"]
    if base not in masses.index:
        raise CoverageError(f"species {name!r} is unknown; known formulas: {', '.join(masses.index)}")
    mass = float(masses[base]) * ATOMIC_MASS - charge_number * ELECTRON_MASS
    return Species(name, mass, charge_number)


@cache
def species_group(name: str) -> tuple[Species, ...]:
    """Members of a group of ions that instruments or waves do not tell apart, such as ``"water group"``.

    Raises
    ------
    CoverageError
        The group is not in the table ``core/tables/species_groups.csv``.
    """
    table = load_table("core", "species_groups")
    members = table["species"][table["group"] == name]
    if members.empty:
        known = ", ".join(table["group"].unique())
        raise CoverageError(f"species group {name!r} is unknown; known groups: {known}")
    return tuple(get_species(member) for member in members)


PARENTS = {"water group": "H2O"}
"""Neutral that the ions of a group come from, where one is meant."""


def parent_neutral(ion: str) -> str:
    """Name of the neutral that an ion or a group of ions comes from: ``"H2"`` for ``"H2+"``, ``"H2O"`` for ``"water group"``.

    Raises
    ------
    CoverageError
        The species is not known, or is a group of ions of several neutrals.
    """
    if ion in PARENTS:
        return PARENTS[ion]
    if " " in ion:
        raise CoverageError(f"species group {ion!r} comes from several neutrals; name its ions one by one")
    return get_species(ion).neutral_name
