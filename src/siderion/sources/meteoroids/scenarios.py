"""Scenarios of the daily input: a distribution over mass and a total mass influx with its uncertainty.

"Mass influx" is what arrives at the top of the atmosphere; "ablated" is the part of it that evaporates. The rows of the
second kind are for comparison and never taken as a scenario.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from siderion.core.errors import CoverageError, SettingsError
from siderion.core.tables import load_table

from .influx import TONNE_PER_DAY, MassDistribution, grun_shape
from .speeds import hrmp_focusing

MASS_INFLUX = "mass influx"
_GRUN = {"gruen": False, "gruen-focused": True}


@dataclass(frozen=True)
class Scenario:
    """How much arrives, and of which masses.

    Attributes
    ----------
    name : str
        What it is.
    shape : MassDistribution
        Share of the mass influx by mass.
    total : float
        Mass influx over the Earth, kg s-1.
    uncertainty : float or None
        Standard deviation of ``total``, kg s-1; None where none is known.
    sources : tuple of (what, model, confidence, citation)
        Where the total comes from.
    """

    name: str
    shape: MassDistribution
    total: float
    uncertainty: float | None = None
    sources: tuple[tuple[str, str, str, str], ...] = ()

    def __post_init__(self) -> None:
        """Refuse amounts outside their ranges."""
        if not 0.0 < self.total < np.inf:
            raise SettingsError(f"scenario {self.name}: mass influx is {self.total} kg/s; it must be positive and finite")
        if self.uncertainty is not None and not 0.0 <= self.uncertainty < np.inf:
            raise SettingsError(f"scenario {self.name}: uncertainty is {self.uncertainty} kg/s; it must be finite and at least 0")

    def with_total(self, total: float, uncertainty: float | None = None) -> Scenario:
        """The same masses with a user's total, kg s-1."""
        source = (("mass influx", f"{total / TONNE_PER_DAY:g} t/d", "unverified", "user's own"),)
        return replace(self, total=total, uncertainty=uncertainty, sources=source)

    def with_shape(self, shape: MassDistribution) -> Scenario:
        """The same total with another distribution over mass."""
        return replace(self, shape=shape)


def scenario_table() -> pd.DataFrame:
    """All rows of ``influx_scenarios.csv``: daily totals of the mass influx and of what ablates, t/d, with sources."""
    return load_table("sources", "influx_scenarios")


def scenario_names() -> tuple[str, ...]:
    """Names that `get_scenario` knows."""
    table = scenario_table()
    return (*_GRUN, *table[table["quantity"] == MASS_INFLUX]["scenario"])


def grun_scenario(focusing: bool = False) -> Scenario:
    """The flux of Gruen et al. over the Earth, 21.9 t/d.

    Parameters
    ----------
    focusing : bool
        Multiply the flux with the mean focusing factor of the speeds ``"hrmp"`` at 100 km (the flux of Gruen et al. is that
        of free space).

    Returns
    -------
    Scenario
    """
    shape = grun_shape()
    factor = hrmp_focusing() if focusing else 1.0
    name = "gruen-focused" if focusing else "gruen"
    source = ("mass influx", name, "computed", "flux of Gruen et al. 1985 over the sphere at 100 km")
    return Scenario(name, shape, shape.total * factor, None, (source,))


def get_scenario(name: str) -> Scenario:
    """A scenario by name, with the masses of Gruen et al.

    Parameters
    ----------
    name : str
        ``"gruen"`` and ``"gruen-focused"`` are computed; the others are rows of ``influx_scenarios.csv``, such as
        ``"review"``.

    Returns
    -------
    Scenario

    Raises
    ------
    CoverageError
        The name is unknown or stands for an ablated amount.
    """
    if name in _GRUN:
        return grun_scenario(_GRUN[name])
    table = scenario_table().set_index("scenario")
    if name not in table.index or table.loc[name, "quantity"] != MASS_INFLUX:
        why = "an ablated amount, not a mass influx" if name in table.index else "unknown"
        raise CoverageError(f"scenario {name!r} is {why}; known: {', '.join(scenario_names())}")
    row = table.loc[name]
    total, uncertainty = float(row["total"]) * TONNE_PER_DAY, float(row["uncertainty"]) * TONNE_PER_DAY
    source = ("mass influx", f"{row['total']:g} t/d", str(row["confidence"]), str(row["source"]))
    return Scenario(name, grun_shape(), total, None if np.isnan(uncertainty) else uncertainty, (source,))


def ablated_observations(element: str | None = None) -> pd.DataFrame:
    """Ablated input of single elements found from observations (``influx_elements.csv``), all or of one element."""
    table = load_table("sources", "influx_elements")
    return table if element is None else table[table["element"] == element]
