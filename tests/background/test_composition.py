"""Photochemical composition: exact sums, closed balances, limits and plausible shares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siderion.background.composition import (
    IONS,
    RECOMBINATION,
    background_ions,
    background_rates,
    ion_balance,
    molecular_recombination,
    production_shares,
)
from siderion.background.neutral import neutral_atmosphere
from siderion.background.plasma import electron_density_pyiri
from siderion.background.temperatures import plasma_temperatures
from siderion.core.errors import DataError

GAS = {"N2": np.array([1e19, 4e17, 4e15, 1e14]), "O2": np.array([2.5e18, 5e16, 2e14, 4e12])}
GAS |= {"O": np.array([4e17, 8e16, 4e15, 8e14]), "NO": np.array([5e13, 6e13, 5e12, 3e11])}
ELECTRONS = np.array([1e10, 1e11, 2e11, 1e12])
RATES = background_rates(
    np.array([200.0, 400.0, 900.0, 1100.0]),
    np.array([200.0, 400.0, 1500.0, 2000.0]),
    np.array([200.0, 400.0, 900.0, 1200.0]),
)


def test_shares_sum_to_one():
    np.testing.assert_allclose(sum(production_shares(GAS).values()), 1.0, rtol=1e-14)


def test_ions_sum_to_the_electrons_and_recombination_equals_ionisation():
    ions, rate = ion_balance(ELECTRONS, GAS, RATES)
    np.testing.assert_allclose(sum(ions.values()), ELECTRONS, rtol=1e-13)
    recombination = sum(RATES[key] * ions[name] * ELECTRONS for name, key in RECOMBINATION.items())
    np.testing.assert_allclose(recombination, rate, rtol=1e-12)


def test_every_balance_is_closed():
    """Production minus loss of each ion, written anew from the reactions, vanishes."""
    ions, rate = ion_balance(ELECTRONS, GAS, RATES)
    share = production_shares(GAS)
    k, n = RATES, {name: ions[name] for name in IONS}
    branch = k["n_ion_o2_to_o2_ion"] / (k["n_ion_o2_to_o2_ion"] + k["n_ion_o2_to_no_ion"])
    n2_o, n2_o2 = k["n2_ion_o"] * n["N2+"] * GAS["O"], k["n2_ion_o2"] * n["N2+"] * GAS["O2"]
    o_n2, o_o2 = k["o_ion_n2"] * n["O+"] * GAS["N2"], k["o_ion_o2"] * n["O+"] * GAS["O2"]
    o2_no = k["o2_ion_no"] * n["O2+"] * GAS["NO"]
    lost = {name: k[key] * n[name] * ELECTRONS for name, key in RECOMBINATION.items()}
    residual = {
        "N2+": rate * share["N2+"] - n2_o - n2_o2 - lost["N2+"],
        "O+": rate * share["O+"] - o_n2 - o_o2,
        "O2+": rate * (share["O2+"] + branch * share["N+"]) + n2_o2 + o_o2 - o2_no - lost["O2+"],
        "NO+": rate * (1 - branch) * share["N+"] + n2_o + o_n2 + o2_no - lost["NO+"],
    }
    for name, value in residual.items():
        np.testing.assert_allclose(value / rate, 0.0, atol=1e-12, err_msg=name)


def test_pure_oxygen_without_nitrogen():
    """Only O2: production of O2+ (and O+, which turns into O2+); alpha Ne^2 = q."""
    gas = {"N2": 1e-30, "O2": 1e22, "O": 1e-30, "NO": 1e-30}
    rates = background_rates(300.0, 300.0, 300.0)
    ions, rate = ion_balance(1e11, gas, rates)
    assert ions["O2+"] == pytest.approx(1e11, rel=1e-6)
    assert rate == pytest.approx(2.0e-13 * 1e22, rel=1e-6)
    assert molecular_recombination(ions, rates) == pytest.approx(2.0e-13, rel=1e-6)


@given(
    st.floats(1e6, 1e13),
    *[st.floats(low, high) for low, high in ((1e12, 1e21), (1e9, 1e20), (1e12, 1e18), (1e8, 1e15))],
    st.floats(120.0, 2000.0),
    st.floats(120.0, 4000.0),
)
def test_positive_and_exact_for_any_input(electrons, n2, o2, o, no, gas, hot):
    ions, rate = ion_balance(electrons, {"N2": n2, "O2": o2, "O": o, "NO": no}, background_rates(gas, hot, gas))
    assert sum(ions.values()) == pytest.approx(electrons, rel=1e-12)
    assert min(ions.values()) > 0
    assert rate > 0


@pytest.fixture(scope="module")
def background():
    time = np.array(["2023-06-18T12:00"], "datetime64[ns]")
    grid = (
        time,
        np.array([90.0, 110.0, 130.0, 150.0, 160.0, 210.0, 250.0, 300.0]),
        np.array([50.0, 70.0]),
        np.array([0.0]),
    )
    neutral = neutral_atmosphere(*grid, 160.0, 160.0, np.full((1, 7), 7.0))
    electrons = electron_density_pyiri(*grid, 160.0)
    return neutral, electrons, plasma_temperatures(neutral, electrons)


def test_day_side_shares(background):
    neutral, electrons, temperatures = background
    ions = background_ions(neutral, electrons, temperatures)
    share = ions["density_O+"] / electrons
    assert (share.sel(alt=slice(205.0, None)) > 0.5).all()
    assert (share.sel(alt=300.0) > 0.9).all()
    assert (share.sel(alt=slice(None, 160.0)) < 0.3).all()
    assert (ions["density_NO+"].sel(alt=slice(None, 130.0)) > ions["density_N2+"].sel(alt=slice(None, 130.0))).all()
    total = sum(ions[f"density_{name}"] for name in IONS)
    np.testing.assert_allclose(total, electrons, rtol=1e-13)
    assert ((ions.molecular_recombination > 5e-14) & (ions.molecular_recombination < 1e-12)).all()


def test_bad_density_is_refused(background):
    neutral, electrons, temperatures = background
    wrong = electrons.copy()
    wrong[0, 2, 1, 0] = 0.0
    with pytest.raises(DataError, match=r"electron density is 0.0 m-3 at index \(0, 2, 1, 0\)"):
        background_ions(neutral, wrong, temperatures)
    with pytest.raises(DataError, match="density of O is nan"):
        background_ions(neutral.assign(density_O=neutral.density_O * np.nan), electrons, temperatures)
