"""Rates of all debris, and what changes the share that reaches the layer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from siderion.core.constants import ATOMIC_MASS
from siderion.core.errors import NumericalError, SettingsError
from siderion.core.measurement import check_measurement
from siderion.core.spread import Spread
from siderion.core.tables import load_table
from siderion.sources.debris.rate import debris_rate
from siderion.sources.debris.scenarios import Scenario
from siderion.sources.debris.sensitivity import layer_sensitivity, layer_shares
from siderion.sources.debris.settings import ReentrySettings
from siderion.sources.entry.atmosphere import standard_atmosphere

AIR = standard_atmosphere()


def volume_integral(rate: xr.Dataset, name: str) -> np.ndarray:
    """Atoms per second over the Earth, by Simpson's rule of 4 pi r^2 in each bin (exact for this polynomial)."""
    low, high = (6371.2e3 + 1e3 * rate["alt_bounds"].values).T
    volume = 4.0 * np.pi * (high - low) / 6.0 * (low**2 + (low + high) ** 2 + high**2)
    return rate[name].values @ volume


def test_the_volume_integral_of_a_rate_is_its_input() -> None:
    rate = debris_rate("2019", ReentrySettings(ion_share=0.1, layer_floor=0.0), AIR)
    atoms = volume_integral(rate, "neutral_production") + volume_integral(rate, "ion_production")
    shares = load_table("sources", "debris_element_shares").set_index("element")["share"]
    index = list(rate["species"].values).index("Al")
    # 347 t/yr, share of aluminium of the table, 26.982 u, year of 365.25 days
    expected = 347e3 * shares["Al"] / (26.982 * ATOMIC_MASS) / (365.25 * 86400.0)
    assert atoms[index] == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(rate["ion_production"], rate["neutral_production"] / 9.0, rtol=1e-9)


def test_a_rate_splits_into_layer_oxidised_and_droplets() -> None:
    rate = debris_rate(1000.0, ReentrySettings(vapour_share=0.4), AIR, shares="composition")
    parts = rate["layer_rate"] + rate["oxidised_rate"] + rate["droplet_rate"]
    np.testing.assert_allclose(parts, rate["injected_rate"], rtol=1e-12)
    assert float(rate["injected_rate"].sum()) == pytest.approx(1000.0)
    assert (rate["alt"] >= 80.0).all()
    sources = json.loads(rate.attrs["sources"])
    assert any(row["confidence"] == "unverified" for row in sources)


def test_an_element_that_is_held_but_not_shed_adds_nothing() -> None:
    """Titanium is in tanks that survive; hafnium is in no part of the mean objects."""
    rate = debris_rate("S1", ReentrySettings(layer_floor=0.0), AIR)
    which = dict(zip(rate["species"].values.tolist(), rate["profile_of"].values.tolist(), strict=True))
    assert {name for name, profile in which.items() if profile == "not shed"} == {"Ti", "V", "Nb"}
    assert {name for name, profile in which.items() if profile == "whole"} == {"Hf"}
    titanium = rate.sel(species="Ti")
    assert float(titanium["layer_rate"]) == 0.0
    assert float(titanium["neutral_production"].sum()) == 0.0
    # share of the table times 1612 t/yr, all of it without a profile
    assert float(titanium["unshed_rate"]) == pytest.approx(0.008 * 1612.0)
    assert int(titanium["layer_rate_flag"]) == 2
    whole = rate.sel(species="Hf")
    assert int(whole["layer_rate_flag"]) == 1
    assert float(whole["layer_rate"]) == pytest.approx(5e-5 * 1612.0)
    parts = rate["layer_rate"] + rate["oxidised_rate"] + rate["droplet_rate"] + rate["unshed_rate"]
    np.testing.assert_allclose(parts, rate["injected_rate"], rtol=1e-12)


def test_rates_carry_the_spread_of_mass_and_share() -> None:
    """The logarithms of mass (factor 1.3) and share (factor 1.7) add as independent normals."""
    scenario = Scenario("a", Spread(1000.0, 1000.0 / 1.3, 1300.0), Spread(2020.0, 2020.0, 2020.0))
    shares = {"Al": Spread(0.3, 0.3 / 1.7, 0.51)}
    rate = debris_rate(scenario, ReentrySettings(), AIR, shares=shares, samples=50_000).sel(species="Al")
    width = 0.99446 * np.hypot(np.log(1.3), np.log(1.7))
    for name in ("injected_rate", "layer_rate"):
        assert np.log(float(rate[f"{name}_upper"] / rate[name])) == pytest.approx(width, rel=0.02)
        assert np.log(float(rate[name] / rate[f"{name}_lower"])) == pytest.approx(width, rel=0.02)
    again = debris_rate(scenario, ReentrySettings(), AIR, shares=shares, samples=50_000, seed=1).sel(species="Al")
    assert float(again["layer_rate_upper"]) != float(rate["layer_rate_upper"])
    assert float(again["layer_rate"]) == float(rate["layer_rate"])


def test_rates_are_measurements() -> None:
    rate = debris_rate(1000.0, ReentrySettings(), AIR, shares="composition", samples=100)
    for name in ("injected_rate", "layer_rate"):
        check_measurement(rate, name)


@pytest.mark.parametrize(
    ("values", "match"), [({"scenario": -5.0}, "mass_rate is -5"), ({"samples": 3}, "samples"), ({"seed": -1}, "seed")]
)
def test_bad_rates_are_refused(values: dict, match: str) -> None:
    with pytest.raises(SettingsError, match=match):
        debris_rate(**({"scenario": "S1", "settings": ReentrySettings(), "atmosphere": AIR} | values))


def test_a_rate_without_release_is_refused() -> None:
    with pytest.raises(NumericalError, match="no profile"):
        debris_rate("2019", ReentrySettings(removal="vaporisation"), AIR)


def test_small_objects_put_lithium_into_the_layer() -> None:
    shares = layer_shares(1.0, "satellite", ReentrySettings(), AIR)
    assert shares["Li"] > 0.9
    assert shares["Ti"] == 0.0


def test_the_table_of_the_page_is_that_of_the_function() -> None:
    page = (Path(__file__).parents[2] / "docs" / "debris.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines()]
    table = layer_sensitivity(AIR)
    for _, row in table.iterrows():
        shown = [f"{100.0 * row[name]:.1f}" for name in ("all", "Al", "Li", "Ti", "Cu", "Fe")]
        assert [f"`{row['varied']}`", f"{row['value']:g}", *shown] in rows
