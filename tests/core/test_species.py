from __future__ import annotations

import re
from collections import Counter

import pytest

from siderion.core.constants import ATOMIC_MASS, ELECTRON_MASS, ELEMENTARY_CHARGE
from siderion.core.errors import CoverageError
from siderion.core.species import get_species, species_group, split_charge
from siderion.core.tables import load_table

NOT_SPECIES = ("hv", "M")
MASSES = load_table("core", "species").set_index("formula")["mass_amu"]


def atoms(formula: str) -> Counter[str]:
    parts = re.findall(r"([A-Z][a-z]?)(\d*)", formula)
    assert "".join(symbol + number for symbol, number in parts) == formula, f"{formula} is not a plain formula"
    count: Counter[str] = Counter()
    for symbol, number in parts:
        count[symbol] += int(number or 1)
    return count


def sides(equation: str) -> list[list[str]]:
    return [[part.strip() for part in side.split(" + ")] for side in equation.split("->")]


EQUATIONS = sorted(set(load_table("chemistry", "reactions")["reaction"]))
MENTIONED = sorted({name for equation in EQUATIONS for side in sides(equation) for name in side} - {*NOT_SPECIES})


def test_masses_of_molecules_are_sums_of_atomic_weights() -> None:
    molecules = [formula for formula in MASSES.index if formula != "e" and sum(atoms(formula).values()) > 1]
    assert len(molecules) > 60
    for formula in molecules:
        total = sum(MASSES[symbol] * count for symbol, count in atoms(formula).items())
        assert MASSES[formula] == pytest.approx(total, rel=1e-12), formula


def test_formulas_are_unique() -> None:
    assert MASSES.index.is_unique


@pytest.mark.parametrize(
    ("formula", "mass_amu"),
    # exact masses of the elements with one stable isotope hardly change between evaluations (AME 2020)
    [("F", 18.9984032), ("Na", 22.9897693), ("Al", 26.9815384), ("P", 30.9737620), ("Mn", 54.938043), ("Co", 58.933194)],
)
def test_elements_with_one_isotope(formula: str, mass_amu: float) -> None:
    assert MASSES[formula] == pytest.approx(mass_amu, rel=1e-7)


@pytest.mark.parametrize(
    ("formula", "lower", "upper"),
    # intervals of the standard atomic weights 2021, doi:10.1515/pac-2019-0603
    [
        ("H", 1.00784, 1.00811),
        ("Li", 6.938, 6.997),
        ("C", 12.0096, 12.0116),
        ("N", 14.00643, 14.00728),
        ("O", 15.99903 - 5e-5, 15.99977),  # the abridged value 15.999 is the end of the interval, rounded
        ("Mg", 24.304, 24.307),
        ("Si", 28.084, 28.086),
        ("S", 32.059, 32.076),
        ("Cl", 35.446, 35.457),
        ("Ar", 39.792, 39.963),
        ("Pb", 206.14, 207.94),
    ],
)
def test_elements_with_an_interval(formula: str, lower: float, upper: float) -> None:
    assert lower <= MASSES[formula] <= upper


@pytest.mark.parametrize("name", MENTIONED)
def test_species_of_the_reaction_table_are_known(name: str) -> None:
    assert get_species(name).mass > 0


@pytest.mark.parametrize("equation", EQUATIONS)
def test_reactions_conserve_mass_and_charge(equation: str) -> None:
    left, right = ([get_species(name) for name in side if name not in NOT_SPECIES] for side in sides(equation))
    assert sum(s.mass for s in left) == pytest.approx(sum(s.mass for s in right), rel=1e-12)
    assert sum(s.charge_number for s in left) == sum(s.charge_number for s in right)


def test_ion_has_lost_its_electrons() -> None:
    neutral, single, double = (get_species(name) for name in ("Fe", "Fe+", "Fe++"))
    assert neutral.mass == pytest.approx(55.845 * ATOMIC_MASS, rel=1e-12)
    assert neutral.mass - single.mass == pytest.approx(ELECTRON_MASS, rel=1e-4)
    assert neutral.mass - double.mass == pytest.approx(2 * ELECTRON_MASS, rel=1e-4)
    assert get_species("Cl-").mass - get_species("Cl").mass == pytest.approx(ELECTRON_MASS, rel=1e-4)
    assert (neutral.charge, double.charge) == (0.0, 2 * ELEMENTARY_CHARGE)
    assert get_species("Cl-").charge == -ELEMENTARY_CHARGE
    assert double.neutral_name == "Fe"


def test_electron() -> None:
    electron = get_species("e-")
    assert electron.mass == ELECTRON_MASS
    assert electron.charge == -ELEMENTARY_CHARGE
    assert MASSES["e"] * ATOMIC_MASS == pytest.approx(ELECTRON_MASS, rel=1e-8)


@pytest.mark.parametrize("name", ["e", "e+", "e--"])
def test_other_charges_of_the_electron_are_refused(name: str) -> None:
    with pytest.raises(CoverageError, match="electrons are written e-"):
        get_species(name)


@pytest.mark.parametrize(("name", "parts"), [("Fe++", ("Fe", 2)), ("Cl-", ("Cl", -1)), ("H2O", ("H2O", 0))])
def test_split_charge(name: str, parts: tuple[str, int]) -> None:
    assert split_charge(name) == parts


@pytest.mark.parametrize("name", ["", "+", "Fe+-", "Fe-+"])
def test_names_that_cannot_be_split(name: str) -> None:
    with pytest.raises(CoverageError, match="write it as formula and charge signs"):
        split_charge(name)


def test_unknown_species_lists_the_known_ones() -> None:
    with pytest.raises(CoverageError, match=r"'Xx\+' is unknown; known formulas: .*Fe"):
        get_species("Xx+")


def test_groups() -> None:
    assert [s.name for s in species_group("water group")] == ["O+", "OH+", "H2O+", "H3O+"]
    assert {s.name for s in species_group("molecular ions")} == {"N2+", "NO+", "O2+"}
    assert {s.name for s in species_group("CNO group")} == {"C+", "N+", "O+"}
    for group in load_table("core", "species_groups")["group"].unique():
        assert all(s.charge_number > 0 for s in species_group(group)), group


def test_unknown_group_lists_the_known_ones() -> None:
    with pytest.raises(CoverageError, match=r"'iron group' is unknown; known groups: .*water group"):
        species_group("iron group")
