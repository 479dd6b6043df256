"""Scenarios of the mass that debris injects, and the natural input it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pandas as pd
import xarray as xr

from siderion.core.errors import CoverageError, SettingsError
from siderion.core.spread import Spread
from siderion.core.tables import load_table


@dataclass(frozen=True)
class Scenario:
    """A mass that debris injects, t/yr, and the year it stands for."""

    name: str
    mass: Spread
    year: Spread


def get_scenarios(names: tuple[str, ...] | None = None) -> tuple[Scenario, ...]:
    """Scenarios of ``debris_scenarios.csv``: 2019, 2024, S1, S2; all without names.

    Raises
    ------
    CoverageError
        A name is unknown.
    """
    table = load_table("sources", "debris_scenarios")
    table["scenario"] = table["scenario"].astype(str)
    known = list(table["scenario"])
    for name in names or ():
        if name not in known:
            raise CoverageError(f"scenario {name!r} is unknown; known: {', '.join(known)}, or give a mass of your own")
    rows = [row for _, row in table.iterrows() if names is None or row["scenario"] in names]
    return tuple(
        Scenario(
            row["scenario"],
            _spread(row, "mass_t_per_yr"),
            Spread(float(row["year"]), float(row["year_lower"]), float(row["year_upper"]), row["source"], row["confidence"]),
        )
        for row in rows
    )


def own_series(series: Mapping[float, float], factor: float = 1.0) -> tuple[Scenario, ...]:
    """Scenarios from the user's own masses, t/yr, by year; ``factor`` is the uncertainty (one standard deviation) of all.

    Raises
    ------
    SettingsError
        A mass is not positive, or the factor is below 1.
    """
    if not 1.0 <= factor < np.inf:
        raise SettingsError(f"series_factor is {factor}; it must be 1 or more, and finite")
    for year, mass in series.items():
        if not (np.isfinite(year) and 0.0 < mass < np.inf):
            raise SettingsError(
                f"series: mass of the year {year:g} is {mass:g} t/yr; year and mass must be finite, mass positive"
            )
    return tuple(
        Scenario(f"{year:g}", Spread(mass, mass / factor, mass * factor), Spread(year, year, year))
        for year, mass in sorted(series.items())
    )


def natural_influx(choice: str | float = "schulz2021") -> Spread:
    """Natural mass influx, t/yr: a choice of ``debris_natural.csv``, or a number (with the relative spread of the default).

    Raises
    ------
    CoverageError
        The choice is unknown.
    SettingsError
        The number is not positive.
    """
    table = load_table("sources", "debris_natural").set_index("choice")
    if isinstance(choice, str):
        if choice not in table.index:
            raise CoverageError(f"natural influx {choice!r} is unknown; known: {', '.join(table.index)}, or a number of t/yr")
        return _spread(table.loc[choice], "mass_t_per_yr")
    if not 0.0 < choice < np.inf:
        raise SettingsError(f"natural is {choice:g} t/yr; it must be positive and finite, or a name")
    base = natural_influx()
    return Spread(float(choice), choice * base.lower / base.value, choice * base.upper / base.value)


def natural_fractions(composition: str = "CI") -> dict[str, float]:
    """Mass fractions of elements in the natural influx.

    Parameters
    ----------
    composition : {"CI", "schulz2021"}
        CI chondrites; or these with the aluminium of the mix of Schulz & Glassmeier (141 in place of 104 t/yr at 12.4 kt/yr).

    Raises
    ------
    CoverageError
        The composition is unknown.
    """
    table = load_table("sources", "compositions")
    table = table[table["material"] == "chondritic"]
    fractions = dict(zip(table["element"], table["mass_fraction"].astype(float), strict=True))
    if composition == "CI":
        return fractions
    own = load_table("sources", "debris_natural_elements")
    own = own[own["composition"] == composition]
    if own.empty:
        raise CoverageError(f"composition {composition!r} is unknown; known: CI, schulz2021")
    return fractions | dict(zip(own["element"], own["mass_fraction"].astype(float), strict=True))


def element_shares(own: Mapping[str, float | Spread] | None = None) -> dict[str, Spread]:
    """Shares of elements in the injected mass of debris: ``debris_element_shares.csv``, the user's own over it.

    Raises
    ------
    SettingsError
        A share is not above 0 and at most 1.
    """
    table = load_table("sources", "debris_element_shares")
    shares = {row["element"]: _spread(row, "share") for _, row in table.iterrows()}
    for name, value in (own or {}).items():
        central = value.value if isinstance(value, Spread) else value
        if not 0.0 < central <= 1.0:
            raise SettingsError(f"share of {name} is {central:g}; it must be above 0 and at most 1")
        shares[name] = value if isinstance(value, Spread) else Spread(value, value, value)
    return shares


def generator_of(name: str, seed: int) -> np.random.Generator:
    """Random numbers of one quantity: they depend on its name and the seed, not on what else is drawn.

    Raises
    ------
    SettingsError
        The seed is negative.
    """
    if seed < 0:
        raise SettingsError(f"seed is {seed}; give a whole number, 0 or more")
    return np.random.default_rng(np.random.SeedSequence([seed, crc32(name.encode())]))


def parity_fraction(element: str, injected: float, natural: float, composition: str = "CI") -> float:
    """Share of the debris mass at which an element of debris equals its natural input.

    The natural mass times the natural mass fraction, over the injected mass; above 1 parity cannot be.

    Parameters
    ----------
    element : str
        Such as ``"Al"``.
    injected, natural : float
        Mass injected by debris and natural influx, in the same unit.
    composition : str
        See `natural_fractions`.

    Raises
    ------
    CoverageError
        The natural fraction of the element is not known.
    SettingsError
        The injected mass is not positive.
    """
    fractions = natural_fractions(composition)
    if element not in fractions:
        raise CoverageError(f"natural fraction of {element!r} is not known; known: {', '.join(fractions)}")
    if not injected > 0.0:
        raise SettingsError(f"injected mass is {injected}; it must be positive")
    return natural * fractions[element] / injected


def published_statements() -> pd.DataFrame:
    """What papers say of elements of debris against natural ones, as a table; they contradict each other in places (iron)."""
    return load_table("sources", "debris_statements")


def orbiting_objects() -> xr.Dataset:
    """Table 2.5 of the review: objects in orbit; on ``quantity`` and ``date``, missing entries flagged by ``known``."""
    table = load_table("sources", "orbiting_objects")
    values = table.pivot(index="quantity", columns="date", values="value").astype(float)
    known = values.notna().to_numpy()
    return xr.Dataset(
        {
            "amount": (("quantity", "date"), values.fillna(0.0).to_numpy(), {"long_name": "number, or t for the total mass"}),
            "known": (("quantity", "date"), known, {"long_name": "the table has this entry"}),
        },
        {"quantity": list(values.index), "date": [str(date) for date in values.columns]},
        {"source": str(table["source"].iloc[0])},
    )


def _spread(row: pd.Series, column: str) -> Spread:
    return Spread(float(row[column]), float(row["lower"]), float(row["upper"]), row["source"], row["confidence"])
