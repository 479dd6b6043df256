"""Compositions, release temperatures and ionisation probabilities."""

import numpy as np
import pytest

from siderion.core.errors import SettingsError
from siderion.sources.entry.ionisation import impact_ionisation, ionisation_source, outside_law
from siderion.sources.entry.materials import OTHER, composition, make_melt, material_names
from siderion.sources.entry.settings import AblationSettings, settings_given


def test_compositions_add_up_and_name_the_rest():
    for name in material_names():
        assert sum(composition(name).values()) == pytest.approx(1.0, abs=1e-12)
    # CI: iron 18.66 %, sodium 0.4962 % (Palme & O'Neill 2014); oxygen and the volatiles are the rest
    found = composition("chondritic")
    assert (found["Fe"], found["Na"]) == (0.1866, 0.004962)
    assert 0.4 < found[OTHER] < 0.6


def test_groups_hold_all_mass_in_the_order_of_volatility():
    melt = make_melt("chondritic")
    assert melt.group_fractions.sum() == pytest.approx(1.0, abs=1e-12)
    assert (np.diff(melt.volatility) > 0.0).all()
    by_name = dict(zip(melt.elements, melt.volatility[melt.group], strict=True))
    assert by_name["Na"] * 2000.0 < 1800.0
    assert by_name["Fe"] == by_name["Mg"] == by_name["Si"] == 1.0
    assert min(by_name[name] for name in ("Ca", "Al", "Ti")) * 2000.0 > 2400.0
    assert len(make_melt("iron", "uniform").volatility) == 1


def test_compositions_that_cannot_be():
    with pytest.raises(SettingsError, match="unknown"):
        composition("cheese")
    with pytest.raises(SettingsError, match=r"add up to 1\.2"):
        composition({"Al": 0.9, "Li": 0.3})
    with pytest.raises(SettingsError, match=r"Li is -0\.1"):
        composition({"Li": -0.1})


def test_ionisation_by_hand():
    # 9.4e-6 (30 - 10)^2 30^0.8 = 3.76e-3 * 15.194; 10^(5.84 - 0.09 sqrt 40 - 9.56/log10 40) = 10^(5.84 - 0.56921 - 5.96731)
    assert float(impact_ionisation(30e3)) == pytest.approx(0.057130, rel=1e-4)
    assert float(impact_ionisation(40e3, "thomas2016")) == pytest.approx(10.0**-0.69652, rel=1e-4)
    # 0.933 (20 - 8.86)^2 20^-1.94 = 115.78 * 2.9922e-3
    assert float(impact_ionisation(20e3, "vondrak2008_sodium")) == pytest.approx(0.34647, rel=1e-3)
    iron = 34.5e-6 * 10.6**2 * 20.0**0.8
    assert float(impact_ionisation(20e3, "jones1997_elements", "Fe")) == pytest.approx(iron / (1.0 + iron), rel=1e-12)
    assert float(impact_ionisation(20e3, "jones1997_elements", "Ca")) == float(impact_ionisation(20e3))


@pytest.mark.parametrize("model", ["jones1997", "thomas2016", "vondrak2008_sodium", "jones1997_elements"])
def test_ionisation_is_a_probability(model):
    chance = impact_ionisation(np.linspace(0.0, 100e3, 500), model)
    assert (chance >= 0.0).all()
    assert (chance <= 1.0).all()
    assert chance[0] == 0.0
    assert (impact_ionisation([0.0, 5e3, 8e3], model) < 1e-3).all()
    assert (impact_ionisation([9e3, 10e3], "jones1997") == 0.0).all()
    assert ionisation_source(model)[2] in ("verified", "unverified")


def test_ionisation_refuses():
    with pytest.raises(SettingsError, match="unknown"):
        impact_ionisation(2e4, "guess")
    with pytest.raises(SettingsError, match="negative"):
        impact_ionisation(-1.0)


def test_range_of_the_laws_of_ionisation():
    speeds = [9.9e3, 10e3, 35e3, 36e3, np.nan]
    np.testing.assert_array_equal(outside_law(speeds), [True, False, False, True, False])
    np.testing.assert_array_equal(outside_law(speeds, "thomas2016"), [True, True, False, False, False])
    np.testing.assert_array_equal(outside_law(speeds, "jones1997_elements", "Si"), [True, True, False, False, False])
    assert "made for 20 to 90 km/s" in ionisation_source("thomas2016")[1]
    assert "9.4 to 60 km/s (Fe)" in ionisation_source("jones1997_elements")[1]


def test_settings_that_have_no_effect_are_refused():
    whole = {name: getattr(AblationSettings(), name) for name in ("sticking", "surfaces", "tolerance")}
    assert settings_given(whole) == AblationSettings()
    with pytest.raises(SettingsError, match="sticking belongs to model thermal"):
        settings_given({"model": "classical", **whole})
    with pytest.raises(SettingsError, match="strength_exponent belongs to fragmentation pressure"):
        settings_given({"fragmentation": "grain_altitude", "strength_exponent": 0.1})
    with pytest.raises(SettingsError, match="sigma is inf"):
        AblationSettings.make({"sigma": np.inf})
