"""Named conventions of the densities."""

import math

import pytest

from siderion.core.errors import CoverageError, SettingsError
from siderion.core.tables import load_table
from siderion.waves.conventions import convention_names, get_convention


def test_the_three_conventions_hold_the_factors_that_the_paper_states():
    # Lammer et al. 2025, equation (2) and sections 3.1.1 and 3.2: phi 0.3 with 2 pi; before, phi 1 without 2 pi
    assert convention_names() == ("lammer2025", "schmid2022", "delva2009")
    lammer, schmid, delva = (get_convention(name) for name in convention_names())
    assert (lammer.transfer_efficiency, lammer.gyration_factor, lammer.growth_gyrations) == (0.3, 2.0 * math.pi, 100.0)
    assert (schmid.transfer_efficiency, schmid.gyration_factor, schmid.growth_gyrations) == (1.0, 1.0, 100.0)
    assert (delva.transfer_efficiency, delva.gyration_factor) == (1.0, 1.0)
    assert [c.constant_plasma for c in (lammer, schmid, delva)] == [False, False, True]
    assert not any(c.kinetic_energy_included for c in (lammer, schmid, delva))


def test_growth_periods_are_16_with_2_pi_and_100_without():
    assert get_convention("lammer2025").growth_periods == pytest.approx(15.915494309189533, rel=1e-14)  # 50/pi
    assert get_convention("schmid2022").growth_periods == 100.0


def test_a_changed_factor_shows_in_the_name_and_in_the_attributes():
    changed = get_convention("lammer2025").with_values(transfer_efficiency=0.4, kinetic_energy_included=True)
    assert changed.name == "lammer2025 with transfer_efficiency=0.4, kinetic_energy_included=True"
    attributes = changed.attributes()
    assert attributes["convention"] == changed.name
    assert attributes["convention_transfer_efficiency"] == 0.4
    assert attributes["convention_kinetic_energy_included"] == 1
    assert changed.energy_factor == 2.0


def test_values_equal_to_those_of_the_convention_change_nothing():
    convention = get_convention("schmid2022")
    assert convention.with_values(transfer_efficiency=1.0) is convention


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"transfer_efficiency": 0.0}, r"transfer_efficiency is 0.0; it must lie in \(0, 1\]"),
        ({"transfer_efficiency": 1.1}, "transfer_efficiency"),
        ({"transfer_efficiency": float("nan")}, "transfer_efficiency"),
        ({"growth_gyrations": -1.0}, "growth_gyrations is -1.0"),
        ({"gyration_factor": math.inf}, "gyration_factor is inf"),
        ({"efficiency": 0.3}, "no factor 'efficiency'; factors: transfer_efficiency"),
        ({"name": 3.0}, "no factor 'name'"),
    ],
)
def test_impossible_factors_are_refused(values, match):
    with pytest.raises(SettingsError, match=match):
        get_convention("lammer2025").with_values(**values)


def test_an_unknown_convention_names_the_known_ones():
    with pytest.raises(CoverageError, match="'schmid2021' is unknown; known conventions: lammer2025, schmid2022, delva2009"):
        get_convention("schmid2021")


def test_every_convention_gives_every_factor_once():
    table = load_table("waves", "conventions")
    counts = table.groupby("convention")["quantity"].agg(["count", "nunique"])
    assert (counts == 5).all(axis=None)
