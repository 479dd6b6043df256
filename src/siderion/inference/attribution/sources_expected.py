"""Expected composition of each source: ions per second by species, from the forward models of Siderion."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from siderion.core.bodies import get_body
from siderion.core.constants import ATOMIC_MASS
from siderion.core.errors import CoverageError, SettingsError
from siderion.core.species import get_species
from siderion.core.tables import load_table
from siderion.inference.attribution.context import SOURCES, setting
from siderion.inference.factors import MOLECULES, Factor, chain
from siderion.sources.debris.scenarios import get_scenarios
from siderion.sources.moon.exosphere import lunar_exosphere, lunar_photo_rate, release_number
from siderion.sources.moon.plasma import get_plasma_state
from siderion.sources.moon.sputtering import element_share, sputter_rate, sputter_yields
from siderion.sources.solar_wind import WINDS, charge_states, element_abundances, ion_label

METALS = ("Li", "Na", "Mg", "Al", "Si", "P", "S", "K", "Ca", "Ti", "Mn", "Fe", "Ni", "Cu")
"""Elements that are followed; each source carries those that its models know."""
ATOMS = "ionosphere atoms"
"""Name of the stream of O+ and N+ of the ionosphere, which has a strength of its own."""
STREAM_SOURCE = (0, 1, 2, 3, 1)
"""Source of each stream: the four sources, and the atoms of the ionosphere."""
_LUNAR = ("Na", "Mg", "Al", "Si", "K", "Ca", "Ti", "Mn", "Fe")
_WIND = ("O", "Na", "Mg", "Al", "Si", "S", "K", "Ca", "Fe", "Ni")


@dataclass(frozen=True)
class Ion:
    """One kind of ion of a source.

    Attributes
    ----------
    name : str
        ``"Fe+"``; highly charged ions as ``"Fe10+"``.
    mass : float
        kg.
    charge : int
        In elementary charges.
    supply : float
        Ions per second to the base of the source: upstream (solar wind, Moon) or the lobes (ionosphere, metal layer).
    deviation : float
        Of the logarithm, of this ion alone.
    group : str
        Ions of the same group share one more normal number, with `group_deviation`.
    group_deviation : float
        Of the logarithm.
    """

    name: str
    mass: float
    charge: int
    supply: float
    deviation: float
    group: str = ""
    group_deviation: float = 0.0

    @property
    def mass_per_charge(self) -> float:
        """Atomic mass units per elementary charge."""
        return self.mass / ATOMIC_MASS / self.charge

    @property
    def element(self) -> str:
        """Formula without charge."""
        return self.name.rstrip("+").rstrip("0123456789") if self.charge > 1 else self.name.rstrip("+")


@dataclass(frozen=True)
class Expected:
    """What a source is expected to supply.

    Attributes
    ----------
    origin : str
        Of `SOURCES`.
    ions : tuple of Ion
        Its composition.
    deviation : float
        Of the logarithm of the strength that all ions share.
    models : tuple of str
        Where the numbers come from.
    """

    origin: str
    ions: tuple[Ion, ...]
    deviation: float
    models: tuple[str, ...]


@cache
def expected_source(origin: str, *, year: float = 2004.0, wind: str = "slow") -> Expected:
    """Composition and strength of one source.

    Parameters
    ----------
    origin : {"solar wind", "ionosphere", "metal layer", "Moon"}
        The source.
    year : float
        For debris in the metal layer; years before the first scenario take the first, later ones the last.
    wind : {"slow", "fast", "cme"}
        Charge states.

    Returns
    -------
    Expected
        Ions with supplies of the budget (`siderion.inference.factors.chain`): of the Moon by births of ions at the surface and in
        the exosphere, as many as LDEX saw; of the metal layer by influx, differential ablation, lifting and escape of each
        element, with debris.

    Raises
    ------
    CoverageError
        The source or the wind is unknown.
    """
    makers = {
        "solar wind": lambda: _solar_wind(wind),
        "ionosphere": _ionosphere,
        "metal layer": lambda: _layer(year),
        "Moon": _moon,
    }
    if origin not in makers:
        raise CoverageError(f"source {origin!r} is unknown; known: {', '.join(SOURCES)}")
    return makers[origin]()


def expected_streams(*, year: float = 2004.0, wind: str = "slow") -> list[Expected]:
    """The four sources, the ionosphere without its atoms, and these as a stream of their own (`ATOMS`).

    O+ and molecules leave the ionosphere with strengths of their own, so that O+ says little about molecules: the spread of
    the strength of the atoms is such that O+ over N2+ has the spread of its row in ``attribution_ions.csv``.
    """
    found = [expected_source(origin, year=year, wind=wind) for origin in SOURCES]
    whole = found[1]
    atoms = tuple(ion for ion in whole.ions if ion.name in ("O+", "N+"))
    ratio = next(ion.deviation for ion in atoms if ion.name == "O+")
    spread = float(np.sqrt(max(ratio**2 - whole.deviation**2, 1.0)))
    atoms = tuple(replace(ion, deviation=0.0) if ion.name == "O+" else ion for ion in atoms)
    found[1] = replace(whole, ions=tuple(ion for ion in whole.ions if ion.name not in ("O+", "N+")))
    return [*found, Expected(ATOMS, atoms, spread, whole.models)]


def _solar_wind(wind: str) -> Expected:
    states = charge_states(wind)
    ions = []
    dust, factor = setting("low_charge_share"), float(np.log(setting("low_charge_factor")))
    spread = _spread_of("solar wind")
    for element in _WIND:
        if element == "O":
            flux = _product(chain("solar wind", "Fe", "upstream", 2004.0, {}, {})) * _oxygen_over_iron(wind)
        else:
            flux = _product(chain("solar wind", element, "upstream", 2004.0, {}, {}))
        for row in states[states["element"] == element].itertuples():
            mass = get_species(element + "+" * int(row.charge)).mass
            ions.append(Ion(ion_label(element, int(row.charge)), mass, int(row.charge), flux * float(row.share), spread))
        ions.append(Ion(f"{element}+", get_species(f"{element}+").mass, 1, flux * dust, spread, "dust", factor))
    deviation = _deviation(chain("solar wind", "Fe", "upstream", 2004.0, {}, {}))
    return Expected("solar wind", tuple(ions), deviation, ("abundances of Table 2.1 and charge states of the solar wind",))


def _oxygen_over_iron(wind: str) -> float:
    table = element_abundances(WINDS[wind])["value"]
    return float(table["O"] / table["Fe"])


def _ionosphere() -> Expected:
    spread = _spread_of("ionosphere")
    chains = {name: chain("ionosphere", name, "lobe", 2004.0, {}, {}) for name in MOLECULES}
    ions = [Ion(f"{name}+", get_species(f"{name}+").mass, 1, _product(found), spread) for name, found in chains.items()]
    models = ("budget of molecular ions, escape shares of siderion sources ionosphere",)
    return Expected("ionosphere", tuple(_with_others("ionosphere", ions)), _deviation(chains["NO"]), models)


def _layer(year: float) -> Expected:
    spread = _spread_of("metal layer")
    years = [one.year.value for one in get_scenarios()]
    year = float(np.clip(year, years[0], years[-1]))
    ions = []
    for element in METALS:
        supply = 0.0
        for route in ("meteoroids", "debris"):
            try:
                supply += _product(chain(route, element, "lobe", year, {}, {}))
            except CoverageError:
                continue
        ions.append(Ion(f"{element}+", get_species(f"{element}+").mass, 1, supply, spread))
    deviation = _deviation(chain("meteoroids", "Mg", "lobe", year, {}, {}))
    models = ("element influx, differential ablation and debris of the budget", "escape shares of siderion sources ionosphere")
    return Expected("metal layer", tuple(ions), deviation, models)


def _moon() -> Expected:
    spread = _spread_of("Moon")
    factors = chain("moon", "Fe", "upstream", 2004.0, {}, {})
    arriving = next(factor.spread.value for factor in factors if factor.name == "arriving_share")
    ions = [Ion(f"{name}+", get_species(f"{name}+").mass, 1, _births(name), spread) for name in _LUNAR]
    whole = _with_others("Moon", ions)
    # the births give the composition; all ions together are as many as LDEX saw
    scale = arriving * _observed_births() / sum(ion.supply for ion in whole)
    scaled = tuple(replace(ion, supply=ion.supply * scale) for ion in whole)
    deviation = _deviation([factor for factor in factors if factor.name != "regolith_share"])
    models = (
        "sputtered ions and photo-ions of siderion.sources.moon, regolith of highlands and maria",
        "production seen by LDEX, lunar_observations.csv; arriving share of the budget",
    )
    return Expected("Moon", scaled, deviation, models)


def _observed_births() -> float:
    """Ions of the Moon per second: production density of LDEX times its height over the sunlit half of the Moon."""
    table = load_table("sources", "lunar_observations").set_index("name")["value"]
    radius = get_body("Moon").require_value("radius")
    return float(table["ldex_production"] * table["ldex_height"] * 1e3 * 2.0 * np.pi * radius**2)


@cache
def _births(element: str) -> float:
    """Ions of an element per second: sputtered as ions, and made by sunlight in the exosphere."""
    state, yields = get_plasma_state("solar-wind"), sputter_yields()
    share = float(np.sqrt(element_share(element, "highland") * element_share(element, "mare")))
    sputtered = sputter_rate(state, yields) * share * release_number("ion_fraction")[0]
    try:
        rate = lunar_photo_rate(element, None)
    except SettingsError:  # not in the table of photo rates
        rate = setting("photo_rate")
    exosphere = lunar_exosphere(element, state, yields, seed=0, particles=2000, rate=rate)
    return sputtered + float(exosphere["ion_production_rate"].sum())


def _with_others(origin: str, ions: Iterable[Ion]) -> list[Ion]:
    """The ions and those of the table, relative to one of them."""
    found = {ion.name: ion for ion in ions}
    table = load_table("inference", "attribution_ions")
    for row in table[(table["origin"] == origin) & (table["ion"] != "*")].itertuples():
        reference = found[str(row.relative_to)]
        deviation = 0.5 * float(np.log(row.upper / row.lower))
        found[str(row.ion)] = Ion(
            str(row.ion), get_species(str(row.ion)).mass, 1, reference.supply * float(row.value), float(deviation)
        )
    return list(found.values())


def _spread_of(origin: str) -> float:
    table = load_table("inference", "attribution_ions")
    row = table[(table["origin"] == origin) & (table["ion"] == "*")].iloc[0]
    return 0.5 * float(np.log(row["upper"] / row["lower"]))


def _product(factors: Iterable[Factor]) -> float:
    return float(np.prod([factor.spread.value for factor in factors]))


def _deviation(factors: Iterable[Factor]) -> float:
    return float(np.sqrt(sum(factor.spread.log_variance for factor in factors)))


__all__ = ["ATOMS", "METALS", "STREAM_SOURCE", "Expected", "Ion", "expected_source", "expected_streams"]
