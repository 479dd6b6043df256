"""Masses per charge of ions from their most abundant nuclides, and the mass resolution that tells two of them apart."""

from __future__ import annotations

import re
from functools import cache

import numpy as np

from siderion.core.constants import ATOMIC_MASS, ELECTRON_MASS
from siderion.core.errors import CoverageError
from siderion.core.species import get_species, split_charge
from siderion.core.tables import load_table

_ATOM = re.compile(r"(?:\{(\d+)\})?([A-Z][a-z]?)(\d*)")


@cache
def ion_name(text: str) -> str:
    """Name of an ion with its charge as signs: ``"Fe10+"`` is Fe with ten of them, ``"O2+"`` stays the molecule.

    A number before one sign is a charge if it is 3 or more, follows one element, and the formula is no known molecule.
    """
    found = re.fullmatch(r"([A-Z][a-z]?)(\d+)\+", text.strip())
    if not found or int(found[2]) < 3 or found[1] + found[2] in set(load_table("core", "species")["formula"]):
        return text.strip()
    return found[1] + "+" * int(found[2])


@cache
def mass(name: str) -> float:
    """Mass of an ion or neutral from its most abundant nuclides, amu; ``"{15}NO+"`` names a nuclide.

    Parameters
    ----------
    name : str
        Formula with charge signs. An element without nuclide in ``catalogue_isotopes.csv`` takes its atomic weight.

    Returns
    -------
    float
        Mass in amu, the electrons accounted for.

    Raises
    ------
    CoverageError
        The formula cannot be read or an element is unknown.
    """
    formula, charge = split_charge(ion_name(name))
    atoms = list(_ATOM.finditer(formula))
    if not atoms or "".join(atom[0] for atom in atoms) != formula:
        raise CoverageError(f"species {name!r} cannot be read; write it as formula and charge signs, such as Fe+ or {{15}}NO+")
    total = sum(_atom_mass(atom[2], atom[1]) * int(atom[3] or 1) for atom in atoms)
    return total - charge * ELECTRON_MASS / ATOMIC_MASS


@cache
def mass_per_charge(name: str) -> float:
    """Mass per charge, amu/e; the mass itself for a neutral."""
    return mass(name) / max(abs(charge_number(name)), 1)


@cache
def charge_number(name: str) -> int:
    """Charge in units of the elementary charge."""
    return split_charge(ion_name(name))[1]


def needed_resolution(species: str, other: str, *, by: str = "mass per charge") -> float:
    """m/dm at which the peaks of two ions lie one full width apart.

    The mean of both masses over their difference. A minor ion beside a more abundant one needs about twice that.

    Parameters
    ----------
    species, other : str
        Names of the ions.
    by : {"mass per charge", "mass", "mass and mass per charge"}
        What the instrument measures; with both, the easier of the two counts.

    Returns
    -------
    float
        m/dm; infinite for the same mass.
    """
    pairs = []
    if by != "mass":
        pairs.append((mass_per_charge(species), mass_per_charge(other)))
    if by != "mass per charge":
        pairs.append((mass(species), mass(other)))
    return float(min(_over_difference(first, second) for first, second in pairs))


def _over_difference(first: float, second: float) -> float:
    apart = abs(first - second)
    return 0.5 * (first + second) / apart if apart > 1e-3 else np.inf


@cache
def _nuclides() -> dict[tuple[str, str], float]:
    table = load_table("spectrometer", "catalogue_isotopes")
    found: dict[tuple[str, str], float] = {}
    for row in table.itertuples():
        found.setdefault((str(row.element), ""), float(row.mass_amu))  # type: ignore[arg-type]
        found[str(row.element), str(row.mass_number)] = float(row.mass_amu)  # type: ignore[arg-type]
    return found


def _atom_mass(element: str, number: str | None) -> float:
    known = _nuclides()
    if (element, number or "") in known:
        return known[element, number or ""]
    if number:
        raise CoverageError(f"the nuclide {{{number}}}{element} is not in catalogue_isotopes.csv; add it")
    return get_species(element).mass / ATOMIC_MASS
