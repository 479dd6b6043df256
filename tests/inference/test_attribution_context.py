"""Context, channels and composition of the sources behind the attribution; the chain to counts."""

import numpy as np
import pytest
import xarray as xr

from siderion.core.constants import ELEMENTARY_CHARGE
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.species import get_species
from siderion.core.tables import load_table
from siderion.inference.attribution.channels import parse_channel, response
from siderion.inference.attribution.context import (
    SOURCES,
    Context,
    energy_class,
    foreshock_state,
    influences,
    pickup_cut_off,
    pickup_share,
)
from siderion.inference.attribution.sources_expected import expected_source
from siderion.inference.budget import supply_budget
from siderion.inference.chain import counts_from_supply, exposure_of
from siderion.spectrometer.instruments import get_instrument


def total(context, origin):
    return sum(one.centre for one in influences(context, origin))


def test_pickup_energies():
    """2 m v2 of Fe+ at 400 km/s is 185 keV; half of the ions of a ring are below m v2; all are below the end."""
    mass = get_species("Fe+").mass
    middle = mass * 4e5**2 / ELEMENTARY_CHARGE
    context = Context(speed=4e5, energy=(1e-6, middle))
    assert pickup_cut_off(mass, context) == pytest.approx(185e3, rel=0.01)
    assert pickup_share(mass, 1, context)[0] == pytest.approx(0.5, abs=1e-3)
    assert pickup_share(mass, 1, context.changed(energy=(1e-6, 1e9))) == pytest.approx((1.0, 1.0), abs=1e-3)
    assert pickup_share(mass, 1, context.changed(energy=(3.0 * middle, 1e9)))[0] == 0.0
    # phases are uniform: the ring against a draw
    energy = middle * (1.0 - np.cos(np.random.default_rng(0).uniform(0.0, 2.0 * np.pi, 200_000)))
    some = context.changed(energy=(8.7e4, 2.12e5))
    assert pickup_share(mass, 1, some)[0] == pytest.approx(np.mean((energy > 8.7e4) & (energy < 2.12e5)), abs=5e-3)


def test_context_moves_the_sources_as_it_should():
    base = Context(moon_sector=3, in_wake=True, kp=2)
    assert (
        total(base, "Moon")
        > total(base.changed(moon_sector=2), "Moon")
        > total(base.changed(moon_sector=6, in_wake=None), "Moon")
    )
    assert total(base, "Moon") > total(base.changed(in_wake=None), "Moon") > total(base.changed(in_wake=False), "Moon")
    for origin in ("ionosphere", "metal layer"):
        assert total(base.changed(kp=7), origin) > total(base, origin)
        assert total(base.changed(region="magnetosphere"), origin) > total(base.changed(region="magnetosheath"), origin)
    assert total(base.changed(kp=7), "Moon") == total(base, "Moon")
    # twice the flux, twice the sputtering
    wind = base.changed(speed=4e5, density=5e6)
    assert total(wind.changed(density=1e7), "Moon") - total(wind, "Moon") == pytest.approx(np.log(2.0))
    # in the tail of the Earth the sector says all: the wake is not counted again
    away = base.changed(moon_sector=6, in_wake=False)
    assert total(away, "Moon") == total(away.changed(in_wake=None), "Moon")
    assert total(away.changed(in_wake=True, wake_computed=True), "Moon") == total(base, "Moon")
    # O+ and N+ rise less than the molecules: 0.4 for 0.7 per unit of Kp
    rise = [total(base.changed(kp=7.0), one) - total(base, one) for one in ("ionosphere", "ionosphere atoms")]
    assert rise == pytest.approx([3.5, 2.0])
    # two regions count by halves in the logarithm
    pair = [total(base.changed(region=region), "Moon") for region in ("magnetosheath", "magnetosphere")]
    assert total(base.changed(region="magnetosheath to magnetosphere"), "Moon") == pytest.approx(np.mean(pair))


def test_foreshock_by_the_field_line():
    assert foreshock_state(Context()) == "unknown"
    assert foreshock_state(Context(imf=(5.0, 0.0, 0.0))) == "connected"  # radial field before the nose
    assert foreshock_state(Context(imf=(0.0, 5.0, 0.0), position=(30.0, 0.0, 0.0))) == "not connected"


def test_sector_from_time():
    """2004-01-21 21:05 UTC was new Moon; half a month later the Moon is in the tail."""
    assert Context(time=np.datetime64("2004-01-22T01:10")).sector == 3
    assert Context(time=np.datetime64("2004-02-06T09:00")).sector == 6
    assert Context().sector is None
    assert [energy_class(one) for one in ((0.0, 10.0), (50.0, 3e4), (8.7e4, 2.12e5))] == ["cold", "hot", "energetic"]


def test_contexts_that_cannot_be():
    for wrong in (
        {"moon_sector": 7},
        {"kp": 10.0},
        {"speed": -1.0},
        {"energy": (5.0, 2.0)},
        {"imf": (0.0, 0.0, 0.0)},
        {"dst": np.nan},
        {"dst": 1e6},
        {"kp": np.nan},
        {"density": np.nan},
        {"density": 1e15},
        {"speed": 400.0},
        {"time": np.datetime64("NaT")},
        {"wake_computed": True},
    ):
        with pytest.raises(SettingsError):
            Context(**wrong)
    with pytest.raises(SettingsError, match="in_wake is set with the Moon in sector 6"):
        Context(moon_sector=6, in_wake=True)
    with pytest.raises(CoverageError, match="region 'space' is unknown"):
        Context(region="space")


def test_every_factor_of_the_table_is_in_order():
    table = load_table("inference", "attribution_factors")
    assert (table["lower"] <= table["value"]).all()
    assert (table["value"] <= table["upper"]).all()
    assert set(table["origin"]) == set(SOURCES)


def test_channels_take_what_they_say():
    ions = expected_source("solar wind").ions
    channels = tuple(map(parse_channel, ("Fe high", "Fe+", "m>34", "m/q 5-6")))
    counted, spilled = response(channels, ions, 60.0)
    names = [ion.name for ion in ions]
    assert {names[k] for k in np.flatnonzero(counted[0])} == {name for name in names if name.startswith("Fe") and name != "Fe+"}
    assert counted[1, names.index("Fe+")] == pytest.approx(1.0, abs=1e-3)
    assert counted[1].sum() == pytest.approx(counted[1, names.index("Fe+")], abs=0.01)
    assert {names[k] for k in np.flatnonzero(counted[2])} == {"K+", "Ca+", "Fe+", "Ni+"}
    assert {names[k] for k in np.flatnonzero(spilled[2])} == {"Si+", "S+", "Al+"}
    # Fe10+ has 55.845/10 = 5.58 per charge
    assert counted[3, names.index("Fe10+")] == 1.0
    for wrong in ("Fe", "Fe10+", "xx", "m/q 40-30"):
        with pytest.raises(SettingsError):
            parse_channel(wrong)


def test_resolution_decides_what_a_peak_shares():
    """Al+ and Si+ are apart at m/dm 60 and not at 8."""
    ions = [ion for ion in expected_source("Moon").ions if ion.name in ("Al+", "Si+")]
    channels = tuple(map(parse_channel, ("Al+", "Si+")))
    sharp, _ = response(channels, ions, 60.0)
    blunt, _ = response(channels, ions, 8.0)
    assert sharp == pytest.approx(np.eye(2), abs=1e-3)
    assert 0.2 < blunt[0, 1] < 0.5
    assert (blunt.sum(axis=0) <= 1.0 + 1e-12).all()


def test_composition_of_the_sources():
    """The layer is the budget's; the Moon is as LDEX saw; the wind is highly charged but for a share of 1e-6."""
    layer = {ion.name: ion.supply for ion in expected_source("metal layer", year=2024.0).ions}
    budget = supply_budget("Mg", "lobe", year=2024.0, samples=4000)
    medians = budget["supply"].sel(route=["meteoroids", "debris"]).sum()
    assert layer["Mg+"] == pytest.approx(float(medians), rel=0.4)
    assert layer["Na+"] / layer["Fe+"] > 5.0  # lighter ions escape far more easily
    moon = sum(ion.supply for ion in expected_source("Moon").ions)
    # 6e3 m-3 s-1 over 100 km of half a Moon (1.1e22 s-1), of which 6 % arrive
    assert moon == pytest.approx(0.06 * 6e3 * 1e5 * 2.0 * np.pi * 1.7374e6**2, rel=0.01)
    wind = {ion.name: ion.supply for ion in expected_source("solar wind").ions}
    high = sum(supply for name, supply in wind.items() if name.startswith("Fe") and name != "Fe+")
    assert wind["Fe+"] == pytest.approx(1e-6 * high, rel=1e-6)
    molecules = {ion.name for ion in expected_source("ionosphere").ions}
    assert {"N2+", "NO+", "O2+", "O+", "N+"} <= molecules
    with pytest.raises(CoverageError, match="comet"):
        expected_source("comet")


def test_supply_to_counts():
    """Counts = N / A x G e d t / (4 pi), by hand, and linear in time."""
    stics = get_instrument("stics")
    hand = stics.geometric_factor * stics.efficiency * stics.duty_cycle * 3600.0 / (4.0 * np.pi)
    assert exposure_of("stics", 3600.0) == pytest.approx(hand)
    budget = supply_budget("Fe", "upstream", samples=1000)
    counts = counts_from_supply(budget, "stics", 3600.0, 2.9e16, energy_share=0.5)
    expected = budget["supply"].values / 2.9e16 * hand * 0.5
    assert counts["source_counts"].values == pytest.approx(expected)
    assert list(counts["route"].values) == list(budget["route"].values)
    with pytest.raises(DataError, match="arrival_rate"):
        counts_from_supply(xr.Dataset(), "stics", 1.0, 1.0)
    with pytest.raises(SettingsError, match="duration"):
        exposure_of("stics", 0.0)
    with pytest.raises(SettingsError, match="area"):
        counts_from_supply(budget, "stics", 1.0, -1.0)
