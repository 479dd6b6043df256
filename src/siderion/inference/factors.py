"""The factors behind the budget: for each source, what enters and what goes on from place to place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

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
_YEAR = 365.25 * 86400.0
_LAYER = ("meteoroids", "debris")
_SOLAR_COLUMNS = ("interstream", "coronal_hole", "sep_corona")


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
    """
    if (species in MOLECULES) != (route == "ionosphere") or place not in _ORDER[route]:
        return []
    factors: list[Factor] = []
    for step in _ORDER[route]:
        if (route, step) in supplies:
            words = f"{species} to the {step}, given"
            factors = [Factor(route, "supply", step, supplies[route, step], "s-1", words, f"{route}.supply")]
        else:
            factors += _own_factors(route, species, step, year) + _table_factors(route, species, step)
        if step == place:
            break
    return [_replaced(factor, given) for factor in factors]


def _replaced(factor: Factor, given: Mapping[str, Spread]) -> Factor:
    if factor.key not in given:
        return factor
    return Factor(factor.route, factor.name, factor.place, given[factor.key], factor.units, factor.meaning, factor.draw)


def _own_factors(route: str, species: str, place: str, year: float) -> list[Factor]:
    """Factors from the tables of the sources: shares of the element, masses."""
    if route in _LAYER and place == "metal layer":
        per_kilogram = 1.0 / get_species(species).mass
        atoms = Spread(per_kilogram, per_kilogram, per_kilogram, "atomic weight", "verified")
        return [
            *_entering_mass(route, species, year),
            Factor(route, "atoms_per_mass", place, atoms, "kg-1", "atoms in a kilogram", "atoms_per_mass"),
        ]
    if route == "moon" and place == "upstream":
        return [_factor(route, "regolith_share", place, _regolith_share(species), "1",
                        f"share of {species} among the atoms of the regolith")]  # fmt: skip
    if route == "solar wind" and place == "upstream":
        return [_factor(route, "element_to_oxygen", place, _solar_abundance(species), "1",
                        f"{species} over O in the solar wind")]  # fmt: skip
    return []


def _entering_mass(route: str, species: str, year: float) -> list[Factor]:
    if route == "meteoroids":
        fraction = composition("chondritic").get(species)
        if fraction is None:
            raise CoverageError(f"no mass fraction of {species} in meteoroids; see sources/tables/compositions.csv")
        spread = _about(fraction, 1.2, "CI chondrites, Palme & O'Neill 2014; a factor 1.2 is assumed", "verified")
        return [_factor(route, "mass_fraction", "metal layer", spread, "1", f"mass fraction of {species} in meteoroids")]
    shares = element_shares()
    if species not in shares:
        raise CoverageError(f"no share of {species} in debris; see sources/tables/debris_element_shares.csv")
    tonnes = injected_mass(year)
    value, lower, upper = (1e3 / _YEAR * end for end in (tonnes.value, tonnes.lower, tonnes.upper))
    mass = Spread(value, lower, upper, tonnes.source, tonnes.confidence)
    return [
        _factor(route, "injected_mass", "metal layer", mass, "kg s-1", f"mass that debris injects, {year:.0f}"),
        _factor(route, "mass_fraction", "metal layer", shares[species], "1", f"mass fraction of {species} in debris"),
    ]


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
    return Spread(
        (low * high) ** 0.5, low, high, "mean soils of highlands and maria, sources/tables/lunar_regolith.csv", "verified"
    )


def _solar_abundance(species: str) -> Spread:
    """Between the columns of Table 2.1 that stand for solar wind or corona."""
    found = [column.loc[species] for column in map(element_abundances, _SOLAR_COLUMNS) if species in column.index]
    measured = [row for row in found if not row["upper_limit"]]
    if not measured:
        raise CoverageError(f"no abundance of {species} in the solar wind; see sources/tables/solar_wind_abundances.csv")
    low, high = min(row["lower"] for row in measured), max(row["upper"] for row in measured)
    return Spread(
        (low * high) ** 0.5, low, high, "Table 2.1 of the review, lowest and highest column of wind and corona", "verified"
    )


def _table_factors(route: str, species: str, place: str) -> list[Factor]:
    table = load_table("inference", "budget_factors")
    own = "layer" if route in _LAYER and place != "metal layer" else route
    rows = table[(table["route"] == own) & (table["place"] == place)]
    factors = []
    for name in dict.fromkeys(rows["factor"]):
        row = _row_for(rows[rows["factor"] == name], species, f"{route} to the {place}: {name}")
        spread = Spread(float(row["value"]), float(row["lower"]), float(row["upper"]), str(row["source"]), str(row["confidence"]))
        factors.append(Factor(route, name, place, spread, str(row["units"]), str(row["meaning"]), f"{own}.{name}"))
    return factors


def _row_for(rows: pd.DataFrame, species: str, what: str) -> pd.Series:
    own = rows[rows["species"] == species]
    chosen = own if len(own) else rows[rows["species"] == "*"]
    if chosen.empty:
        raise CoverageError(f"{what} is not known for {species}; give it with --set")
    return chosen.iloc[0]


def _factor(route: str, name: str, place: str, spread: Spread, units: str, meaning: str) -> Factor:
    return Factor(route, name, place, spread, units, meaning, f"{route}.{name}")


def _about(value: float, factor: float, source: str, confidence: str = "unverified") -> Spread:
    return Spread(value, value / factor, value * factor, source, confidence)
