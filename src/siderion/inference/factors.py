"""The factors behind the budget: for each source, what enters and what goes on from place to place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from siderion.core.constants import YEAR
from siderion.core.errors import CoverageError
from siderion.core.species import get_species
from siderion.core.spread import Spread
from siderion.core.tables import load_table
from siderion.sources.debris.scenarios import element_shares, get_scenarios
from siderion.sources.entry.materials import composition
from siderion.sources.moon.sputtering import element_share
from siderion.sources.solar_wind import element_abundances

PLACES = ("metal layer", "exobase", "lobe", "upstream")
"""Places of the budget: the layers at 80 to 130 km, 500 km, the lobes of the magnetosphere, the solar wind before the Earth."""
ROUTES = ("meteoroids", "debris", "ionosphere", "moon", "solar wind")
"""The four sources of the review; what it calls the metal layer is fed by meteoroids and by debris."""
MOLECULES = ("N2", "NO", "O2")
"""Molecules of the ionosphere; every other species is a metal."""
_ORDER = {
    "meteoroids": ("metal layer", "exobase", "lobe", "upstream"),
    "debris": ("metal layer", "exobase", "lobe", "upstream"),
    "ionosphere": ("exobase", "lobe", "upstream"),
    "moon": ("upstream", "lobe"),
    "solar wind": ("upstream", "lobe"),
}
_LAYER = ("meteoroids", "debris")
_WINDS = ("interstream", "coronal_hole")


@dataclass(frozen=True)
class Factor:
    """One factor of a chain.

    Attributes
    ----------
    route, name, place : str
        Source, name of the factor, and the place that it leads to.
    spread : Spread
        Value, ends, source, confidence.
    units, meaning : str
        Units of the value, and what it is.
    draw : str
        Factors with the same name here are the same number, drawn once: what lies above the layer does not ask what fed it.
    """

    route: str
    name: str
    place: str
    spread: Spread
    units: str
    meaning: str
    draw: str

    @property
    def key(self) -> str:
        """Name by which the user replaces it, such as ``"moon.ion_share"``."""
        return f"{self.route}.{self.name}"


def chain(
    route: str,
    species: str,
    place: str,
    year: float,
    given: Mapping[str, Spread],
    supplies: Mapping[tuple[str, str], Spread],
) -> list[Factor]:
    """Factors whose product is the supply of a route to a place, atoms or ions per second; empty where it does not lead there.

    Parameters
    ----------
    route, species, place, year
        As in `siderion.inference.budget.supply_budget`.
    given : mapping of str to Spread
        Factors that replace those of the same key.
    supplies : mapping of (route, place) to Spread
        Supplies, s-1, that replace all factors up to the place.

    Raises
    ------
    CoverageError
        A factor that is not given is not known for the species, or the source has none of it.
    """
    if place not in _ORDER[route]:
        return []
    if (species in MOLECULES) != (route == "ionosphere"):
        what = "carries no molecules here" if species in MOLECULES else "brings no metals but those of the layer"
        raise CoverageError(f"{route} {what}")
    factors: list[Factor] = []
    for step in _ORDER[route]:
        if (route, step) in supplies:
            words = f"{species} to the {step}, given"
            factors = [Factor(route, "supply", step, supplies[route, step], "s-1", words, f"{route}.supply")]
        else:
            factors += [
                _filled(slot, given) for slot in _own_slots(route, species, step, year) + _table_slots(route, species, step)
            ]
        if step == place:
            break
    return factors


@dataclass(frozen=True)
class _Slot:
    """A factor before its value is looked up, so that a given value needs no table."""

    route: str
    name: str
    place: str
    units: str
    meaning: str
    draw: str
    look_up: Callable[[], Spread]


def _filled(slot: _Slot, given: Mapping[str, Spread]) -> Factor:
    """The given value by the key of the route or of the draw (``"layer.share_lifted"``), else that of the table."""
    spread = given.get(f"{slot.route}.{slot.name}") or given.get(slot.draw) or slot.look_up()
    return Factor(slot.route, slot.name, slot.place, spread, slot.units, slot.meaning, slot.draw)


def assumed(name: str) -> float:
    """A number of the budget itself, from ``inference/tables/budget_settings.csv``."""
    return float(load_table("inference", "budget_settings").set_index("name")["value"][name])


def _own_slots(route: str, species: str, place: str, year: float) -> list[_Slot]:
    """Factors from the tables of the sources: shares of the element, masses."""

    def slot(name: str, units: str, meaning: str, look_up: Callable[[], Spread]) -> _Slot:
        """A factor of this route alone."""
        return _Slot(route, name, place, units, meaning, f"{route}.{name}", look_up)

    if route == "meteoroids" and place == "metal layer":
        return [
            slot("mass_fraction", "1", f"mass fraction of {species} in meteoroids", lambda: _meteoroid_fraction(species)),
            slot("atoms_per_mass", "kg-1", "atoms in a kilogram", lambda: _atoms_per_mass(species)),
        ]
    if route == "debris" and place == "metal layer":
        return [
            slot("injected_mass", "kg s-1", f"mass that debris injects, {year:.0f}", lambda: _per_second(injected_mass(year))),
            slot("mass_fraction", "1", f"mass fraction of {species} in debris", lambda: _debris_fraction(species)),
            slot("atoms_per_mass", "kg-1", "atoms in a kilogram", lambda: _atoms_per_mass(species)),
        ]
    if route == "moon" and place == "upstream":
        meaning = f"share of {species} among the atoms of the regolith"
        return [slot("regolith_share", "1", meaning, lambda: _regolith_share(species))]
    if route == "solar wind" and place == "upstream":
        return [slot("element_to_protons", "1", f"{species} over protons in the solar wind", lambda: _solar_abundance(species))]
    return []


def _atoms_per_mass(species: str) -> Spread:
    number = 1.0 / get_species(species).mass
    return Spread(number, number, number, "atomic weight", "verified")


def _per_second(mass: Spread) -> Spread:
    value, lower, upper = (1e3 / YEAR * end for end in (mass.value, mass.lower, mass.upper))
    return Spread(value, lower, upper, mass.source, mass.confidence)


def _meteoroid_fraction(species: str) -> Spread:
    fraction = composition("chondritic").get(species)
    if fraction is None:
        raise CoverageError(f"no mass fraction of {species} in meteoroids")
    factor = assumed("mass_fraction_factor")
    source = f"CI chondrites, Palme & O'Neill 2014, in compositions.csv; a factor {factor:g} either way is assumed"
    return Spread(fraction, fraction / factor, fraction * factor, source, "unverified")


def _debris_fraction(species: str) -> Spread:
    shares = element_shares()
    if species not in shares:
        raise CoverageError(f"no share of {species} in debris")
    return shares[species]


def injected_mass(year: float) -> Spread:
    """Mass that debris injects in a year, t/yr: exponential between the years of the scenarios.

    Raises
    ------
    CoverageError
        The year lies outside of those of the scenarios.
    """
    scenarios = get_scenarios()
    years = np.array([one.year.value for one in scenarios])
    if not years[0] <= year <= years[-1]:
        raise CoverageError(f"year is {year:g}; the scenarios of debris reach from {years[0]:g} to {years[-1]:g}")
    value, lower, upper = (
        float(np.exp(np.interp(year, years, np.log([getattr(one.mass, end) for one in scenarios]))))
        for end in ("value", "lower", "upper")
    )
    names = ", ".join(one.name for one in scenarios)
    return Spread(value, lower, upper, f"scenarios {names} of debris_scenarios.csv, exponential between their years")


def _regolith_share(species: str) -> Spread:
    """Between the soils of the highlands and the maria."""
    low, high = sorted(element_share(species, kind) for kind in ("highland", "mare"))
    rows = load_table("sources", "lunar_regolith")
    confidence = "computed" if (rows["confidence"] == "verified").all() else "unverified"
    return Spread((low * high) ** 0.5, low, high, "mean soils of highlands and maria, lunar_regolith.csv", confidence)


def _solar_abundance(species: str) -> Spread:
    """Between slow and fast wind, each over its own protons; of elements not measured there, the corona over the wind's O/H."""
    winds = [element_abundances(column) for column in _WINDS]
    found = [column.loc[species] for column in winds if species in column.index and not column.loc[species]["upper_limit"]]
    if len(found) == len(winds):
        ends = [
            (row["lower"] / column.loc["H"]["value"], row["upper"] / column.loc["H"]["value"])
            for row, column in zip(found, winds, strict=True)
        ]
        source, confidence = "Table 2.1 of the review: slow and fast wind, each over its protons", "computed"
    else:
        corona = element_abundances("sep_corona")
        if species not in corona.index or corona.loc[species]["upper_limit"]:
            raise CoverageError(f"no abundance of {species} in the solar wind")
        row = corona.loc[species]
        ends = [(row["lower"] / column.loc["H"]["value"], row["upper"] / column.loc["H"]["value"]) for column in winds]
        source, confidence = "Table 2.1 of the review: corona from energetic particles, taken for the wind", "unverified"
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    return Spread((low * high) ** 0.5, low, high, source, confidence)


def _table_slots(route: str, species: str, place: str) -> list[_Slot]:
    table = load_table("inference", "budget_factors")
    own = "layer" if route in _LAYER and place != "metal layer" else route
    rows = table[(table["route"] == own) & (table["place"] == place)]
    slots = []
    for name in dict.fromkeys(rows["factor"]):
        these = rows[rows["factor"] == name]
        words = these.iloc[0]

        look_up = partial(_from_table, these, species, f"{route} to the {place}: {name}")
        slots.append(_Slot(route, name, place, str(words["units"]), str(words["meaning"]), f"{own}.{name}", look_up))
    return slots


def _from_table(rows: pd.DataFrame, species: str, what: str) -> Spread:
    row = _row_for(rows, species, what)
    value, lower, upper = (float(row[end]) for end in ("value", "lower", "upper"))
    return Spread(value, lower, upper, str(row["source"]), str(row["confidence"]))


def _row_for(rows: pd.DataFrame, species: str, what: str) -> pd.Series:
    own = rows[rows["species"] == species]
    chosen = own if len(own) else rows[rows["species"] == "*"]
    if chosen.empty:
        raise CoverageError(f"{what} is not known for {species}; give it with --set")
    return chosen.iloc[0]
