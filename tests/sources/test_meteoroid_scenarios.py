"""Scenarios of the daily influx."""

from __future__ import annotations

import numpy as np
import pytest

from siderion.core.constants import ATOMIC_MASS
from siderion.core.errors import CoverageError, SettingsError
from siderion.sources.meteoroids import (
    ablated_observations,
    get_scenario,
    grun_scenario,
    scenario_names,
    scenario_table,
    table_shape,
)
from siderion.sources.meteoroids.influx import REFERENCE_AREA, TONNE_PER_DAY


@pytest.mark.parametrize(
    ("name", "total", "uncertainty"),
    [("review", 30.0, None), ("carrillo-sanchez-2016", 43.0, 14.0), ("huang-2015", 150.0, 38.0), ("gruen", 21.877, None)],
)
def test_totals(name: str, total: float, uncertainty: float | None) -> None:
    scenario = get_scenario(name)
    assert scenario.total / TONNE_PER_DAY == pytest.approx(total, rel=1e-4)
    assert scenario.uncertainty == (None if uncertainty is None else pytest.approx(uncertainty * TONNE_PER_DAY))
    assert scenario.sources[0][0] == "mass influx"


def test_mass_balances_of_the_table_add_up() -> None:
    """Unmelted, spherules and ablated of Carrillo-Sanchez et al. 2015."""
    totals = scenario_table().set_index("scenario")["total"]
    for name, parts in (("z-mif", (22.0, 8.1, 3.9)), ("d-mif", (23.2, 35.4, 51.4)), ("r-mif", (0.3, 1.2, 12.5))):
        assert totals[name] == pytest.approx(sum(parts))
        assert totals[f"{name}-ablated"] == parts[2]


def test_ablated_amounts_are_no_scenarios() -> None:
    assert "d-mif-ablated" not in scenario_names()
    with pytest.raises(CoverageError, match="an ablated amount"):
        get_scenario("d-mif-ablated")
    with pytest.raises(CoverageError, match="unknown"):
        get_scenario("nothing")
    assert {get_scenario(name).name for name in scenario_names()} == set(scenario_names())


def test_focusing_multiplies_the_flux_of_free_space() -> None:
    assert grun_scenario(True).total / grun_scenario().total == pytest.approx(2.356, abs=0.005)


@pytest.mark.parametrize(("element", "mass"), [("Fe", 55.845), ("Na", 22.98977)])
def test_observed_fluxes_and_daily_amounts_agree(element: str, mass: float) -> None:
    """t/d and atoms cm-2 s-1 of Huang et al. 2015 are the same through the sphere at 100 km, within their rounding."""
    row = ablated_observations(element).query("name == 'huang-2015'").iloc[0]
    daily = row["flux"] * 1e4 * REFERENCE_AREA * mass * ATOMIC_MASS * 86400.0 / 1e3
    assert daily == pytest.approx(row["ablated"], rel=0.012)


def test_own_total_and_masses() -> None:
    mine = get_scenario("review").with_total(5.0, 1.0).with_shape(table_shape([1e-9, 1e-8], [1.0], "mine"))
    assert (mine.total, mine.uncertainty, mine.shape.name) == (5.0, 1.0, "mine")
    with pytest.raises(SettingsError, match="positive"):
        mine.with_total(np.nan)
    with pytest.raises(SettingsError, match="uncertainty"):
        mine.with_total(1.0, -1.0)
