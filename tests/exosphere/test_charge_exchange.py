from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp

from siderion.core.errors import DataError, SettingsError
from siderion.core.measurement import check_measurement
from siderion.exosphere.charge_exchange import (
    HeliumCrossSections,
    coma_column_density,
    helium_charge_states,
    helium_column_density,
    helium_ratio,
    hydrogen_column_density,
    hydrogen_neutral_share,
    outgassing_measurement,
    outgassing_rate,
)

# Round values of the right size, m2; none of a paper.
USUAL = HeliumCrossSections(1.0e-19, 0.5e-19, 0.8e-19)
NEGATIVE = HeliumCrossSections(0.5e-19, 0.1e-19, 2.0e-19)
DEGENERATE = HeliumCrossSections(1.0e-19, 0.5e-19, 1.5e-19)


@pytest.mark.parametrize("sections", [USUAL, NEGATIVE, DEGENERATE])
def test_charge_states_equal_the_integrated_equations(sections):
    s21, s20, s10 = (getattr(sections, name) * 1e19 for name in ("single_capture", "double_capture", "ion_capture"))

    def slope(_, f):
        return [-(s21 + s20) * f[0], s21 * f[0] - s10 * f[1], s20 * f[0] + s10 * f[1]]

    columns = np.linspace(0.0, 3.0, 7)
    solution = solve_ivp(slope, (0.0, 3.0), [1.0, 0.0, 0.0], t_eval=columns, rtol=1e-11, atol=1e-13).y
    found = helium_charge_states(columns * 1e19, sections)
    np.testing.assert_allclose(np.array(found), solution, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(helium_ratio(columns * 1e19, sections), solution[1] / solution[0], rtol=1e-8, atol=1e-12)


@given(
    single=st.floats(0.1, 5.0), double=st.floats(0.0, 5.0), capture=st.floats(0.0, 5.0), depth=st.floats(1e-6, 2.0),
)  # fmt: skip
def test_round_trip(single, double, capture, depth):
    sections = HeliumCrossSections(single * 1e-19, double * 1e-19, capture * 1e-19)
    column = depth * 1e19
    assert float(helium_column_density(helium_ratio(column, sections), sections)) == pytest.approx(column, rel=1e-7)


@given(column=st.floats(0.0, 1e25))
def test_shares_are_shares_for_any_column(column):
    for sections in (USUAL, NEGATIVE, DEGENERATE):
        shares = np.array([float(share) for share in helium_charge_states(column, sections)])
        assert (shares >= 0.0).all()
        assert shares.sum() == pytest.approx(1.0, abs=1e-12)


def test_limits():
    assert float(helium_ratio(1e14, USUAL)) == pytest.approx(1e-5, rel=1e-5)  # thin: sigma_21 n
    assert float(helium_column_density(0.5, DEGENERATE)) == pytest.approx(5e18, rel=1e-12)
    nearly = HeliumCrossSections(1.0e-19, 0.5e-19, 1.5e-19 * (1.0 + 1e-12))
    assert float(helium_column_density(0.5, nearly)) == pytest.approx(5e18, rel=1e-11)
    # He+ captures faster than He++: the ratio saturates at sigma_21/|D| = 0.5/1.4.
    assert float(helium_ratio(1e21, NEGATIVE)) == pytest.approx(0.5 / 1.4, rel=1e-12)
    with pytest.raises(DataError, match=r"stays below 0\.357"):
        helium_column_density(0.5 / 1.4, NEGATIVE)


@given(depth=st.floats(1e-9, 20.0))
def test_hydrogen_round_trip(depth):
    share = hydrogen_neutral_share(depth * 1e19, 1e-19)
    # near 1 the share itself holds few digits of what is left
    assert float(hydrogen_column_density(share, 1e-19)) == pytest.approx(depth * 1e19, rel=1e-6)


@pytest.mark.parametrize("angle", [0.0, 0.3, 1.5, 3.0])
def test_coma_column_equals_an_integral_along_the_solar_wind(angle):
    # Spacecraft at distance r, x sunward from it: density Q/(4 pi v (d^2 + x^2)), d = r sin chi, from x = r cos chi to infinity.
    rate, speed, distance = 1e27, 700.0, 5e4

    def density(x):
        return rate / (4.0 * np.pi * speed * ((distance * np.sin(angle)) ** 2 + x**2))

    start = distance * np.cos(angle)
    pieces = (
        [(start, -distance / 30), (-distance / 30, distance / 30), (distance / 30, np.inf)] if start < 0 else [(start, np.inf)]
    )
    expected = sum(quad(density, *piece, epsrel=1e-11, limit=400)[0] for piece in pieces)
    assert float(coma_column_density(rate, speed, distance, angle)) == pytest.approx(expected, rel=1e-7)
    assert float(outgassing_rate(expected, speed, distance, angle)) == pytest.approx(rate, rel=1e-7)


def test_comet_67p_gives_ratios_that_can_be_measured():
    """1.0e27 s-1 belongs to 1.8 au and 2.2e25 s-1 to 3.3 au: a comet gives off less gas the farther it is from the Sun.

    Gas at 600 m/s. At 3.3 au the spacecraft is 30 km away, at 1.8 au 200 km; both over the terminator.
    """
    far = helium_ratio(coma_column_density(2.2e25, 600.0, 3e4, np.pi / 2.0), USUAL)
    near = helium_ratio(coma_column_density(1.0e27, 600.0, 2e5, np.pi / 2.0), USUAL)
    assert 1e-3 < far < 0.1
    assert 0.05 < near < 1.0
    assert near > far


def test_uncertainty_of_the_outgassing_rate():
    arguments = (0.01, USUAL, 600.0, 3e4, 1.0)
    result = outgassing_measurement(*arguments, ratio_uncertainty=0.2, section_uncertainty=0.1, speed_uncertainty=0.15, seed=3)
    check_measurement(result, "outgassing_rate")
    expected = float(outgassing_rate(helium_column_density(0.01, USUAL), 600.0, 3e4, 1.0))
    assert float(result.outgassing_rate) == pytest.approx(expected, rel=0.01)
    # Thin column: Q ~ R v / sigma_21, so the variances of the logarithms add; quantiles 16 and 84 % at 0.9945 sigma.
    spread = 0.9945 * np.sqrt(0.2**2 + 0.1**2 + 0.15**2)
    assert np.log(float(result.outgassing_rate_upper / result.outgassing_rate)) == pytest.approx(spread, rel=0.04)
    assert np.log(float(result.outgassing_rate / result.outgassing_rate_lower)) == pytest.approx(spread, rel=0.04)
    again = outgassing_measurement(*arguments, ratio_uncertainty=0.2, section_uncertainty=0.1, speed_uncertainty=0.15, seed=3)
    assert float(again.outgassing_rate) == float(result.outgassing_rate)


def test_draws_without_solution_are_refused():
    with pytest.raises(DataError, match="draws have no column density"):
        outgassing_measurement(0.35, NEGATIVE, 600.0, 3e4, 1.0, ratio_uncertainty=0.2, section_uncertainty=0.1,
                               speed_uncertainty=0.0, seed=1)  # fmt: skip


def test_bad_input():
    with pytest.raises(SettingsError, match="single capture"):
        HeliumCrossSections(0.0, 1e-19, 1e-19)
    with pytest.raises(SettingsError, match="double_capture"):
        HeliumCrossSections(1e-19, -1e-19, 1e-19)
    with pytest.raises(DataError, match="ratio"):
        helium_column_density(-0.1, USUAL)
    with pytest.raises(DataError, match="below pi"):
        coma_column_density(1e26, 600.0, 1e5, np.pi)
    with pytest.raises(DataError, match="share"):
        hydrogen_column_density(1.0, 1e-19)
    with pytest.raises(DataError, match="too large"):
        helium_ratio(1e23, USUAL)
    with pytest.raises(SettingsError, match="uncertainty"):
        outgassing_measurement(
            0.1, USUAL, 600.0, 3e4, 1.0, ratio_uncertainty=-1, section_uncertainty=0, speed_uncertainty=0, seed=1
        )
