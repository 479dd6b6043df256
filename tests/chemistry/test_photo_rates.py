from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siderion.chemistry.photo_rates import (
    charge_exchange_cross_section,
    charge_exchange_rate,
    photo_loss_frequency,
    photo_rate,
    photo_rate_confidence,
    photo_reactions,
)
from siderion.core.errors import CoverageError, SettingsError
from siderion.core.species import get_species
from siderion.core.tables import load_table

# Rates at 1 au, quiet Sun, s-1, typed from the publication list, not read from the table.
QUIET = {
    ("H", "H+"): 7.26e-8, ("D", "D+"): 7.26e-8, ("H2", "H2+"): 5.41e-8, ("H2", "H+"): 9.52e-9, ("He", "He+"): 5.64e-8,
    ("Na", "Na+"): 7.26e-6, ("K", "K+"): 2.7e-5, ("Ca", "Ca+"): 6.95e-5, ("Mg", "Mg+"): 6.49e-7, ("O", "O+"): 2.44e-7,
    ("S", "S+"): 1.37e-6, ("Cl", "Cl+"): 1.41e-6, ("H2O", "H2O+"): 3.31e-7, ("OH", "OH+"): 2.43e-7, ("O2", "O2+"): 4.67e-7,
    ("CO2", "CO2+"): 6.55e-7, ("N2", "N2+"): 3.52e-7, ("SO2", "SO2+"): 1.06e-6,
}  # fmt: skip


@pytest.mark.parametrize(("pair", "rate"), QUIET.items())
def test_quiet_rates(pair, rate):
    assert photo_rate(*pair, 1.0) == pytest.approx(rate, rel=1e-12)


@given(distance=st.floats(0.05, 40.0), activity=st.floats(0.0, 1.0))
def test_inverse_square_and_linear_activity(distance, activity):
    expected = (7.26e-8 + activity * (1.72e-7 - 7.26e-8)) / distance**2
    assert photo_rate("H", "H+", distance, activity) == pytest.approx(expected, rel=1e-12)


def test_products_of_molecular_hydrogen_are_kept_apart():
    products = {reaction.products: reaction.quiet for reaction in photo_reactions("H2")}
    assert products == {("H", "H"): 8.24e-8, ("H2+", "e-"): 5.41e-8, ("H", "H+", "e-"): 9.52e-9}
    assert photo_loss_frequency("H2", 0.5) == pytest.approx(4.0 * (8.24e-8 + 5.41e-8 + 9.52e-9), rel=1e-12)


def test_loss_at_active_sun_needs_a_decision_where_channels_lack_values():
    with pytest.raises(CoverageError, match=r"H2 into H \+ H at active Sun.*--photo-rate"):
        photo_loss_frequency("H2", 1.0, 1.0)
    assert photo_loss_frequency("H2", 1.0, 1.0, "quiet") == pytest.approx(8.24e-8 + 1.15e-7 + 9.52e-9, rel=1e-12)
    with pytest.raises(SettingsError, match="missing_active"):
        photo_loss_frequency("H2", 1.0, 1.0, "guess")


@pytest.mark.parametrize(("neutral", "ion"), [("Li", "Li+"), ("Fe", "Fe+"), ("H2", "He+"), ("SO2", "S+")])
def test_unknown_rates_name_the_option(neutral, ion):
    with pytest.raises(CoverageError, match="--photo-rate"):
        photo_rate(neutral, ion, 1.0)


@pytest.mark.parametrize(
    ("distance", "activity"), [(0.0, 0.0), (-1.0, 0.0), (np.nan, 0.0), (1.0, -0.1), (1.0, 1.1), (1.0, np.nan)]
)
def test_impossible_settings(distance, activity):
    with pytest.raises(SettingsError):
        photo_rate("H", "H+", distance, activity)


def test_every_reaction_conserves_its_atoms():
    # The masses of both sides agree, up to the electron that the mass of an ion lacks.
    for neutral in load_table("chemistry", "photo_rates")["neutral"].unique():
        for reaction in photo_reactions(neutral):
            products = [_mass(product) for product in reaction.products]
            assert sum(products) == pytest.approx(_mass(neutral), rel=1e-6), reaction
            charge = sum(product.endswith("+") - (product == "e-") for product in reaction.products)
            assert charge == 0, reaction


def _mass(name):
    if name == "e-":
        return get_species(name).mass
    electron = get_species("e-").mass if name.endswith("+") else 0.0
    formula, total = name.rstrip("+"), -electron
    while formula:
        symbol = formula[:2] if len(formula) > 1 and formula[1].islower() else formula[:1]
        formula = formula[len(symbol) :]
        digits = "".join(character for character in formula[:1] if character.isdigit())
        formula = formula[len(digits) :]
        total += int(digits or 1) * get_species(symbol).mass
    return total


def test_cross_section_of_hydrogen():
    # At 1 keV by hand: ln E = 0 and exp(-67.3) vanishes: 4.15^2 = 17.2225e-20 m2.
    speed = np.sqrt(2.0 * 1.602176634e-16 / get_species("H+").mass)
    assert charge_exchange_cross_section("H", speed) == pytest.approx(17.2225e-20, rel=1e-9)
    # The usual rounded value is 2e-15 cm2.
    assert charge_exchange_cross_section("H", 4e5) == pytest.approx(2e-19, rel=0.15)
    # By hand at 100 keV: (4.15 - 0.531 * 4.60517)^2 (1 - exp(-0.673))^4.5 = 2.9069 * 0.12089... in 1e-20 m2.
    expected = (4.15 - 0.531 * 4.605170186) ** 2 * (1.0 - 0.510175659) ** 4.5
    assert charge_exchange_cross_section("H", 10.0 * speed) == pytest.approx(expected * 1e-20, rel=1e-6)


def test_charge_exchange_rate_and_its_limits():
    assert charge_exchange_rate("O", 5e6, 4e5, cross_section=1e-19) == pytest.approx(2e-7, rel=1e-12)
    with pytest.raises(CoverageError, match="cross_section"):
        charge_exchange_rate("He", 5e6, 4e5)
    with pytest.raises(CoverageError, match="keV"):
        charge_exchange_rate("H", 5e6, 1e3)
    with pytest.raises(SettingsError, match="density"):
        charge_exchange_rate("H", 0.0, 4e5)


def test_confidence_is_that_of_the_rows_in_use():
    assert photo_rate_confidence(["H", "He"], 0.0) == "verified"
    assert photo_rate_confidence(["H", "He"], 0.5) == "unverified"
    assert photo_rate_confidence(["H"], None) == "unverified"
    assert photo_rate_confidence(["Li"], 0.0) == "unverified"
