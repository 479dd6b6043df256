"""How much of a species each source supplies to a place, with uncertainty, and which assumption dominates it.

The supply of a source is a product of factors: what enters, how much of it is of the species, which share goes on to the next
place. Each factor is a `Spread`: a value with 16 and 84 % quantiles, lognormal on each side. The factors are rows of
``inference/tables/budget_factors.csv``, or come from the sources' own tables; a result of the user's can take the place of one
factor, or of all factors up to a place. This is an estimate of orders of magnitude: most shares between two places have never
been measured, and the table says so row by row.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.errors import CoverageError, SettingsError
from siderion.core.measurement import measurement_from_samples
from siderion.core.spread import Spread
from siderion.core.tables import load_table
from siderion.inference.factors import MOLECULES, PLACES, ROUTES, Factor, chain

Array = NDArray[np.float64]

HIGHLY_CHARGED = ("solar wind",)
"""Sources whose ions carry many charges: an instrument that tells charge states sees the others without them."""


@dataclass(frozen=True)
class Given:
    """What the user puts in the place of the table.

    Attributes
    ----------
    factors : mapping of str to Spread
        By ``"route.factor"``, such as ``"moon.ion_share"``.
    supplies : mapping of (str, str) to Spread
        Ions (or atoms) per second by route and place: replaces all factors up to that place.
    """

    factors: Mapping[str, Spread]
    supplies: Mapping[tuple[str, str], Spread]


def supply_budget(
    species: str, place: str, *, year: float = 2024.0, given: Given | None = None, samples: int = 20000, seed: int = 0
) -> xr.Dataset:
    """Supply of a species to a place by every source.

    Parameters
    ----------
    species : str
        Neutral name of a metal (``"Fe"``) or of a molecule of the ionosphere (``"N2"``, ``"NO"``, ``"O2"``).
    place : {"metal layer", "exobase", "lobe", "upstream"}
        The layers at 80 to 130 km, 500 km, the lobes of the magnetosphere, the solar wind before the Earth.
    year : float
        For the mass of re-entering debris.
    given : Given, optional
        Factors and supplies that replace those of the table.
    samples, seed : int
        Of the Monte Carlo over all factors.

    Returns
    -------
    xarray.Dataset
        By ``route`` (those that reach the place): measurements ``supply`` (s-1), ``supply_share`` (of the sum) and
        ``low_charge_share`` (of the sum without the solar wind), the ``charge_states``, and ``dominant_factor`` with its part
        of the variance of the logarithm. By ``route`` and ``step``: the factors with their ends, units, meaning, source,
        confidence and ``variance_share``; empty steps are NaN. The
        attribute ``routes_missing`` says why a source is left out.

    Raises
    ------
    CoverageError
        The species or place is unknown, or no source supplies it there.
    SettingsError
        A given factor does not exist, or the number of samples is below 100.
    """
    _check(species, place, samples, seed)
    given = given or Given({}, {})
    chains, missing = _chains(species, place, year, given)
    used = {name for factors in chains.values() for factor in factors for name in (factor.key, factor.draw)}
    idle = sorted(set(given.factors) - used)
    if idle:
        raise SettingsError(f"{', '.join(idle)}: no factor of {species} at the {place}; those are {', '.join(sorted(used))}")
    if not chains:
        reasons = "".join(f"; {route}: {why}" for route, why in missing.items())
        raise CoverageError(f"no source supplies {species} to the {place} in this budget{reasons}")
    drawn = _draw(chains, samples, seed)
    whole = sum(drawn.values())
    supply = np.stack(list(drawn.values()), axis=1)
    share = supply / np.asarray(whole)[:, None]
    single = np.array([route not in HIGHLY_CHARGED for route in chains])
    low = np.where(single, supply, 0.0)
    low = low / np.maximum(low.sum(axis=1), np.finfo(float).tiny)[:, None]
    result = xr.merge(
        [
            measurement_from_samples("supply", supply, dims=("route",), units="s-1", long_name=f"supply of {species}"),
            measurement_from_samples("supply_share", share, dims=("route",), units="1", long_name="share of all supplies"),
            measurement_from_samples(
                "low_charge_share", low, dims=("route",), units="1", long_name="share of the supplies of singly charged ions"
            ),
            _steps(chains),
        ]
    )
    result = result.assign_coords(route=list(chains), place=place)
    result["charge_states"] = ("route", [_charge_states(route, species) for route in chains])
    result.attrs = _attributes(species, place, year, samples, seed, chains) | {"routes_missing": json.dumps(missing)}
    return result


def _chains(species: str, place: str, year: float, given: Given) -> tuple[dict[str, list[Factor]], dict[str, str]]:
    """Factors of every source that leads to the place, and why some sources are left out."""
    chains, missing = {}, {}
    for route in ROUTES:
        try:
            factors = chain(route, species, place, year, given.factors, given.supplies)
        except CoverageError as error:
            missing[route] = str(error)
        else:
            if factors:
                chains[route] = factors
    return chains, missing


def _draw(chains: Mapping[str, list[Factor]], samples: int, seed: int) -> dict[str, Array]:
    """Samples of the supply by route. The name of a factor seeds it: shared factors are the same, and no other factor matters."""
    result = {}
    for route, factors in chains.items():
        product = np.ones(samples)
        for factor in factors:
            generator = np.random.default_rng([seed, zlib.crc32(factor.draw.encode())])
            product = product * factor.spread.at(generator.standard_normal(samples))
        result[route] = product
    return result


def _steps(chains: Mapping[str, list[Factor]]) -> xr.Dataset:
    """Factors by route and step, padded."""
    longest = max(map(len, chains.values()))
    dims = ("route", "step")

    def padded(values: list[list], empty: object) -> list[list]:
        """Rows of equal length."""
        return [row + [empty] * (longest - len(row)) for row in values]

    variances = [np.array([factor.spread.log_variance for factor in factors]) for factors in chains.values()]
    shares = [(v / v.sum() if v.sum() > 0.0 else v).tolist() for v in variances]
    rows = list(chains.values())
    texts = {
        "factor": [[f.name for f in row] for row in rows],
        "factor_place": [[f.place for f in row] for row in rows],
        "factor_units": [[f.units for f in row] for row in rows],
        "factor_meaning": [[f.meaning for f in row] for row in rows],
        "factor_source": [[f.spread.source for f in row] for row in rows],
        "factor_confidence": [[f.spread.confidence for f in row] for row in rows],
    }
    numbers = {
        "factor_value": [[f.spread.value for f in row] for row in rows],
        "factor_lower": [[f.spread.lower for f in row] for row in rows],
        "factor_upper": [[f.spread.upper for f in row] for row in rows],
        "variance_share": shares,
    }
    variables: dict[str, tuple] = {name: (dims, padded(values, "")) for name, values in texts.items()}
    variables |= {name: (dims, padded(values, np.nan), {"units": "1"}) for name, values in numbers.items()}
    top = [int(np.argmax(share)) for share in shares]
    variables["dominant_factor"] = ("route", [row[k].name for row, k in zip(rows, top, strict=True)])
    variables["dominant_meaning"] = ("route", [row[k].meaning for row, k in zip(rows, top, strict=True)])
    variables["dominant_variance_share"] = ("route", [share[k] for share, k in zip(shares, top, strict=True)], {"units": "1"})
    result = xr.Dataset(variables)
    result["variance_share"].attrs["long_name"] = "part of the variance of the logarithm of the supply"
    for name in ("factor_value", "factor_lower", "factor_upper"):
        result[name].attrs = {"long_name": "number in the units of factor_units"}
    return result


def _charge_states(route: str, species: str) -> str:
    table = load_table("inference", "charge_states")
    rows = table[(table["route"] == route) & table["species"].isin([species, "*"])]
    own = rows[rows["species"] == species]
    chosen = own if len(own) else rows
    return str(chosen["charge_states"].iloc[0]) if len(chosen) else ""


def _check(species: str, place: str, samples: int, seed: int) -> None:
    if place not in PLACES:
        raise CoverageError(f"place {place!r} is unknown; use one of {', '.join(PLACES)}")
    metals = set(load_table("sources", "compositions").query("material == 'chondritic'")["element"])
    if species not in metals and species not in MOLECULES:
        raise CoverageError(
            f"species {species!r} is not in the budget; use {', '.join(MOLECULES)} or an element such as Fe, Mg, Na, Al, Ti, Li"
        )
    if seed < 0:
        raise SettingsError(f"seed is {seed}; use 0 or more")
    if samples < 100:
        raise SettingsError(f"samples is {samples}; use 100 or more")


def _attributes(
    species: str, place: str, year: float, samples: int, seed: int, chains: Mapping[str, list[Factor]]
) -> dict[str, str]:
    seen = {(f.spread.source, f.spread.confidence): f.meaning for factors in chains.values() for f in factors}
    sources = [
        {"what": meaning, "model": "factor of the budget", "confidence": confidence, "citation": source}
        for (source, confidence), meaning in seen.items()
    ]
    return {
        "title": f"Supply of {species} {'upstream of the bow shock' if place == 'upstream' else f'to the {place}'} by source",
        "kind": "siderion budget",
        "species": species,
        "settings": json.dumps({"species": species, "place": place, "year": year, "samples": samples, "seed": seed}),
        "siderion_version": version("siderion"),
        "sources": json.dumps(sources),
    }
