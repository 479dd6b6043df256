"""Tests of counts: exact enumeration by hand, agreement of laws, levels under the null hypothesis."""

from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from siderion.core.errors import SettingsError
from siderion.spectrometer.counting.before_after import before_after_tests, signed_rank_p_value
from siderion.spectrometer.counting.leave_out import leave_one_out, poisson_p_value
from siderion.spectrometer.counting.overdispersion import (
    dispersion_index,
    dispersion_test,
    negative_binomial_test,
    quasi_poisson_test,
)
from siderion.spectrometer.counting.permutation import permutation_test
from siderion.spectrometer.counting.ratio_tests import change_ratio_p_value, conditional_p_value, ratio_interval, ratio_test

IN, OUT = [1, 0, 1, 4, 11, 0], [2, 0, 0, 0]


def binomial(k, n, p):
    return comb(n, k) * p**k * (1 - p) ** (n - k)


def test_conditional_test_by_hand():
    tail = sum(binomial(k, 19, 0.6) for k in (17, 18, 19))
    assert conditional_p_value(17, 6, 2, 4) == pytest.approx(tail, rel=1e-12)
    assert tail == pytest.approx(0.0055, abs=5e-5)
    # less likely on the other side: 5 and fewer
    both = sum(p for p in (binomial(k, 19, 0.6) for k in range(20)) if p <= binomial(17, 19, 0.6) * (1 + 1e-9))
    assert conditional_p_value(17, 6, 2, 4, alternative="two-sided") == pytest.approx(both, rel=1e-12)
    assert conditional_p_value(17, 6, 2, 4, alternative="two-sided", two_sided="doubling") == pytest.approx(2 * tail, rel=1e-12)
    assert conditional_p_value(17, 6, 2, 4, mid_p=True) == pytest.approx(tail - 0.5 * binomial(17, 19, 0.6), rel=1e-12)
    assert conditional_p_value(0, 6, 0, 4) == 1.0


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.1, 10.0))
def test_exchange_of_the_groups(first, second, exposure):
    a = conditional_p_value(first, exposure, second, 1.0, alternative="greater")
    b = conditional_p_value(second, 1.0, first, exposure, alternative="less")
    assert a == pytest.approx(b, rel=1e-9)


@given(st.integers(1, 60), st.integers(1, 60))
def test_ends_of_the_ratio_are_where_the_test_turns(first, second):
    low, high = ratio_interval(first, 2.0, second, 1.0, 0.9)
    assert conditional_p_value(first, 2.0, second, 1.0, ratio=low, alternative="greater") == pytest.approx(0.05, rel=1e-6)
    assert conditional_p_value(first, 2.0, second, 1.0, ratio=high, alternative="less") == pytest.approx(0.05, rel=1e-6)


def test_ratio_without_counts_outside():
    found = ratio_test(5, 1.0, 0, 1.0)
    assert np.isinf(found.ratio)
    assert np.isinf(found.upper)
    assert found.p_value == pytest.approx(0.5**5)
    assert np.isnan(ratio_test(0, 1.0, 0, 1.0).ratio)


def test_permutation_by_enumeration():
    counts = np.array(IN + OUT)
    sums = [counts[list(which)].sum() for which in combinations(range(10), 6)]
    found = permutation_test(counts, [1] * 6 + [0] * 4)
    assert found.p_value == pytest.approx(np.mean(np.array(sums) >= 17))
    assert found.p_value == pytest.approx(45 / 210)
    assert found.arrangements == 210
    assert found.exact
    assert found.smallest_p_value == pytest.approx(1 / 210)


def test_random_arrangements_agree_with_all_of_them(monkeypatch):
    monkeypatch.setattr("siderion.spectrometer.counting.permutation.LARGEST_ENUMERATION", 10)
    found = permutation_test(IN + OUT, [1] * 6 + [0] * 4, draws=20_000, seed=3)
    assert not found.exact
    assert found.p_value == pytest.approx(45 / 210, abs=4 * np.sqrt(0.21 * 0.79 / 20_000))


def test_dispersion_index_is_variance_over_mean():
    counts = np.array(IN + OUT)
    assert dispersion_index(counts) == pytest.approx(counts.var(ddof=1) / counts.mean())
    assert dispersion_index(counts) == pytest.approx(6.25, abs=0.005)
    groups = [1] * 6 + [0] * 4
    by_hand = (5 * np.var(IN, ddof=1) / np.mean(IN) + 3 * np.var(OUT, ddof=1) / np.mean(OUT)) / 8
    assert dispersion_index(counts, groups=groups) == pytest.approx(by_hand)


def test_dispersion_p_value_against_enumeration():
    """Three events, six counts: all 3^6 ways to distribute them."""
    observed = dispersion_index([5, 1, 0])
    indices = [dispersion_index(np.bincount(places, minlength=3)) for places in product(range(3), repeat=6)]
    exact = np.mean(np.array(indices) >= observed - 1e-9)
    found = dispersion_test([5, 1, 0], draws=40_000, seed=1)
    assert found.p_value == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 40_000))


def test_nothing_counted_has_no_dispersion():
    assert np.isnan(dispersion_test([0, 0, 0]).p_value)
    assert np.isnan(quasi_poisson_test([0, 0, 0], [1, 0, 0]).p_value)
    assert np.isnan(negative_binomial_test([0, 0, 0], [1, 0, 0]).p_value)


def test_poisson_limit_of_the_robust_tests():
    """Counts with no more scatter than Poisson's: both tests come near to the exact one."""
    counts, inside = np.array([45, 33, 40, 38, 44, 36, 34, 37, 30, 41, 29, 33]), np.arange(12) < 6
    assert dispersion_index(counts, groups=inside) < 1.0
    exact = poisson_p_value(counts, inside)
    assert quasi_poisson_test(counts, inside).p_value == pytest.approx(exact, abs=0.02)
    drawn = negative_binomial_test(counts, inside, draws=399)
    assert drawn.dispersion == 0.0
    assert drawn.p_value == pytest.approx(exact, abs=4 * np.sqrt(exact / 399))


def test_level_under_scatter():
    """Negative binomial events without a difference: the plain test is wrong several times too often, the permutation is not."""
    generator = np.random.default_rng(11)
    inside = np.arange(8) < 4
    drawn = [generator.poisson(generator.gamma(0.4, 2.0 / 0.4, 8)) for _ in range(200)]
    plain = np.mean([poisson_p_value(counts, inside) < 0.05 for counts in drawn])
    permuted = np.mean([permutation_test(counts, inside).p_value < 0.05 for counts in drawn])
    assert plain > 0.15
    assert permuted <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_leave_one_out_is_the_test_without_the_event():
    without = leave_one_out(IN + OUT, [1] * 6 + [0] * 4)
    assert without[4] == pytest.approx(stats.binom.sf(5, 8, 5 / 9))
    assert without[4] == pytest.approx(0.23, abs=0.005)
    assert without.argmax() == 4


def test_signed_rank_against_all_signs():
    changes = np.array([1.0, 1.0, 4.0, -2.0, 11.0, 0.0])
    kept = changes[changes != 0]
    ranks = stats.rankdata(np.abs(kept))
    observed = ranks[kept > 0].sum()
    sums = [np.dot(ranks, signs) for signs in product([0, 1], repeat=len(kept))]
    assert signed_rank_p_value(changes) == pytest.approx(np.mean(np.array(sums) >= observed - 1e-9))
    assert signed_rank_p_value(np.zeros(4)) == 1.0
    assert 0.0 <= signed_rank_p_value(np.arange(1, 101)) < 1e-25


def test_before_and_after():
    found = before_after_tests([0, 0, 0, 0, 0, 0], IN)
    assert found.poisson == pytest.approx(0.5**17)
    assert (found.rose, found.fell) == (4, 0)
    assert found.sign == found.appearance == pytest.approx(0.5**4)
    assert before_after_tests([0], [0]).sign == 1.0


def test_change_ratio_is_fisher():
    # 3 of 4 against 1 of 4: the lady who tastes tea, 17/70
    assert change_ratio_p_value(1, 3, 3, 1, "greater") == pytest.approx(17 / 70)


@pytest.mark.parametrize("call", [
    lambda: conditional_p_value(-1, 1, 1, 1), lambda: conditional_p_value(1, 0, 1, 1),
    lambda: conditional_p_value(1, 1, 1, 1, alternative="both"), lambda: permutation_test([1, 2], [1, 1]),
    lambda: dispersion_index([1.5, 2]), lambda: dispersion_index([1, 2], [1, 0]),
    lambda: quasi_poisson_test([1, 2, 3], [1, 1, 1]),
    lambda: before_after_tests([1], [1, 2]), lambda: change_ratio_p_value(-1, 0, 0, 0), lambda: ratio_interval(1, 1, 1, 1, 2.0),
])  # fmt: skip
def test_refusals(call):
    with pytest.raises(SettingsError):
        call()
