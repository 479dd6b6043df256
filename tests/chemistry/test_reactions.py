from __future__ import annotations

import numpy as np
import pytest

from siderion.chemistry.reactions import (
    get_reaction,
    rate_coefficient,
    reaction_keys,
    reaction_table,
    select_rate,
)
from siderion.core.errors import CoverageError, NumericalError

DAY = 86400.0


def at(key: str, temperature: float) -> float:
    return float(rate_coefficient(key, temperature, temperature, temperature))


def count_atoms(side: tuple[str, ...]) -> dict[str, int]:
    """Atoms and net charge of one side of an equation, photons and third bodies left out."""
    counts: dict[str, int] = {"charge": 0}
    for name in side:
        if name in ("hv", "M"):
            continue
        counts["charge"] += name.count("+") - name.count("-")
        formula = name.strip("+-")
        while formula and formula != "e":
            length = 2 if len(formula) > 1 and formula[1].islower() else 1
            element, formula = formula[:length], formula[length:]
            digits = formula[: len(formula) - len(formula.lstrip("0123456789"))]
            formula = formula[len(digits) :]
            counts[element] = counts.get(element, 0) + int(digits or 1)
    return counts


@pytest.mark.parametrize("key", reaction_keys())
def test_every_equation_balances_atoms_and_charge(key):
    reaction = get_reaction(key)
    assert count_atoms(reaction.reactants) == count_atoms(reaction.products)
    assert ("M" in reaction.reactants) == (reaction.order == "three-body")
    assert ("hv" in reaction.reactants) == (reaction.order == "photo")


@pytest.mark.parametrize(("temperature", "days"), [(200.0, 12.0), (1000.0, 27.0)], ids=["12 days at 200 K", "27 days at 1000 K"])
def test_radiative_recombination_lifetime_of_iron(temperature, days):
    lifetime = 1.0 / (at("fe_ion_electron", temperature) * 1e11) / DAY
    assert lifetime == pytest.approx(days, abs=0.5)


@pytest.mark.parametrize(("key", "seconds"), [("o2_ion_electron", 180.0), ("no_ion_electron", 65.0), ("n2_ion_electron", 95.0)])
def test_molecular_ion_lifetimes_at_2000_kelvin(key, seconds):
    assert 1.0 / (at(key, 2000.0) * 1e11) == pytest.approx(seconds, rel=0.01, abs=0.0)


@pytest.mark.parametrize(
    ("key", "temperature", "expected"),
    [
        ("fe_o2_ion", 200.0, 1.1e-15),
        ("fe_photon", 200.0, 5e-7),
        ("fe_ion_electron", 300.0, 8e-18),
        ("fe_ion_electron.umist22", 300.0, 2.55e-18),
        ("fe_ion_n2_m", 300.0, 4.0e-42),
        ("fe_ion_n2_m", 150.0, 4.0e-42 * 2.0**1.52),
        ("fe_o3", 146.0, 3.44e-16 / np.e),
        ("na_ion_n2_m", 200.0, 4.8e-42),
        ("mgo_ion_o3_to_mg_ion", 200.0, 0.35 * 8.5e-16),
        ("si_ion_o3_to_sio", 200.0, 0.48 * 6.5e-16),
        ("ca_ion_electron", 200.0, 3.8e-18),
        ("o_ion_o2", 300.0, 1.6e-17 + 5.5e-17 * np.exp(-22.85)),
        # By hand: L = 2, so log10 k = -27.9739 + 0.10072 - 2.43948 = -30.31266 in cm6 s-1.
        ("al_ion_n2_m", 100.0, 10.0 ** (-30.31266 - 12.0)),
    ],
)
def test_values_in_si(key, temperature, expected):
    assert at(key, temperature) == pytest.approx(expected, rel=1e-10, abs=0.0)


def test_branches_of_one_reaction_add_up():
    assert at("si_ion_o3_to_sio_ion", 200.0) + at("si_ion_o3_to_sio", 200.0) == pytest.approx(6.5e-16, rel=1e-10, abs=0.0)
    assert at("alo_ion_o3_to_al_ion", 200.0) + at("alo_ion_o3_to_alo2_ion", 200.0) == pytest.approx(1.3e-15, rel=1e-10, abs=0.0)


def test_pieces_join_at_1200_kelvin():
    below, above = at("o2_ion_electron", 1199.999), at("o2_ion_electron", 1200.0)
    assert above == pytest.approx(0.74e-13, rel=1e-10, abs=0.0)
    assert below == pytest.approx(2.0e-13 * 0.25**0.7, rel=1e-5, abs=0.0)
    assert below == pytest.approx(above, rel=0.03, abs=0.0)


def test_each_rate_uses_its_own_temperature():
    assert float(rate_coefficient("fe_o3", 146.0, 9999.0, 9999.0)) == pytest.approx(3.44e-16 / np.e, rel=1e-10, abs=0.0)
    assert float(rate_coefficient("fe_ion_electron", 9999.0, 300.0, 9999.0)) == pytest.approx(8e-18, rel=1e-10, abs=0.0)
    assert float(rate_coefficient("n2_ion_o", 9999.0, 9999.0, 300.0)) == pytest.approx(1.4e-16, rel=1e-10, abs=0.0)


def test_result_has_the_shape_of_the_temperature_and_double_precision():
    warm = np.full((2, 3), 200.0, dtype=np.float32)
    for key in ("fe_o2_ion", "fe_photon", "fe_ion_n2_m"):
        rate = rate_coefficient(key, warm, 1.0, 1.0)
        assert rate.shape == (2, 3)
        assert rate.dtype == np.float64
        assert np.all(rate > 0.0)


def test_temperature_is_held_at_the_limits_of_the_table(monkeypatch):
    from dataclasses import replace

    from siderion.chemistry import reactions

    limited = replace(get_reaction("fe_o3"), valid_from=150.0, valid_to=400.0)
    monkeypatch.setattr(reactions, "get_reaction", lambda key: limited)
    values = rate_coefficient("fe_o3", np.array([100.0, 150.0, 400.0, 900.0]), 1.0, 1.0)
    np.testing.assert_allclose(values, 3.44e-16 * np.exp(-146.0 / np.array([150.0, 150.0, 400.0, 400.0])))


def test_variants_by_name():
    assert select_rate("fe_ion_electron", "nahar1997") == "fe_ion_electron"
    assert select_rate("fe_ion_electron", "kida24") == "fe_ion_electron.kida24"
    spread = [at(select_rate("fe_ion_electron", name), 200.0) for name in ("nahar1997", "umist22", "kida24", "sami3")]
    assert 2.0 < max(spread) / min(spread) < 4.0
    with pytest.raises(CoverageError, match="no variant 'other'; known variants: nahar1997, umist22"):
        select_rate("fe_ion_electron", "other")


def test_alternatives_describe_the_same_reaction():
    for key in reaction_keys():
        entry = get_reaction(key)
        if entry.alternative_of:
            default = get_reaction(entry.alternative_of)
            assert (entry.equation, entry.metal) == (default.equation, default.metal)
            assert entry.variant
            assert default.variant


def test_table_is_in_si_and_a_copy():
    table = reaction_table()
    assert set(table["units"]) == {"s-1", "m3 s-1", "m6 s-1"}
    table["a"] = 0.0
    assert np.all(reaction_table()["a"] != 0.0)


def test_bad_input_is_named():
    with pytest.raises(CoverageError, match="reaction 'fe_x' is not in the table"):
        rate_coefficient("fe_x", 200.0, 200.0, 200.0)
    with pytest.raises(NumericalError, match=r"'fe_o3': temperature Tn is -1.0 K at index \(1,\)"):
        rate_coefficient("fe_o3", np.array([200.0, -1.0]), 1.0, 1.0)
    with pytest.raises(NumericalError, match="temperature Te is nan K"):
        rate_coefficient("fe_ion_electron", 200.0, np.nan, 200.0)
