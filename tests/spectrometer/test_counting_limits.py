"""Intervals and limits: published numbers, defining tails, coverage, and refusals."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from siderion.core.errors import DataError, SettingsError
from siderion.spectrometer.counting.intervals import (
    bayesian_upper_limit,
    count_for_relative_error,
    exact_interval,
    exact_upper_limit,
    rate_interval,
    unified_interval,
)
from siderion.spectrometer.counting.rates import join_counts, join_p_values, rate_map


@given(st.integers(0, 5000), st.floats(0.01, 0.999))
def test_ends_of_the_exact_interval_leave_the_tails(count, confidence):
    lower, upper = exact_interval(count, confidence)
    tail = 0.5 * (1.0 - confidence)
    assert stats.poisson.cdf(count, upper) == pytest.approx(tail, rel=1e-6)
    if count:
        assert stats.poisson.sf(count - 1, lower) == pytest.approx(tail, rel=1e-6)
    else:
        assert lower == 0.0


def test_no_count():
    assert exact_upper_limit(0, 0.95) == pytest.approx(-np.log(0.05), rel=1e-14)
    assert bayesian_upper_limit(0) == pytest.approx(-np.log(0.05), rel=1e-14)
    # no count: the background drops out of the posterior of a flat prior
    assert bayesian_upper_limit(0, 3.0) == pytest.approx(-np.log(0.05), rel=1e-12)


@pytest.mark.parametrize("prior", ["flat", "jeffreys"])
def test_bayesian_limit_against_a_numerical_posterior(prior):
    s = np.linspace(0.0, 60.0, 600_001)
    power = 7 if prior == "flat" else 6.5
    density = (s + 2.5) ** power * np.exp(-s)
    share = np.cumsum(density) / density.sum()
    assert bayesian_upper_limit(7, 2.5, 0.9, prior) == pytest.approx(np.interp(0.9, share, s), abs=2e-4)


@pytest.mark.parametrize(
    ("count", "background", "lower", "upper"),
    # Feldman and Cousins 1998, tables of 90 % intervals, to their two decimals
    [(0, 0, 0.0, 2.44), (1, 0, 0.11, 4.36), (3, 0, 1.10, 7.42), (10, 0, 5.50, 16.50), (5, 3, 0.0, 6.99), (6, 3, 0.15, 8.47)],
)
def test_unified_interval_of_the_paper(count, background, lower, upper):
    found = unified_interval(count, background)
    assert found == pytest.approx((lower, upper), abs=0.0051)


def test_coverage_is_exact():
    """Exact sums over counts: the probability to cover is at least the confidence, for exact and unified intervals."""
    counts = np.arange(0, 40)
    low, high = exact_interval(counts, 0.9)
    unified = np.array([unified_interval(int(n), 1.0, 0.9) for n in counts])
    for mean in np.linspace(0.05, 12.0, 60):
        assert stats.poisson.pmf(counts, mean)[(low <= mean) & (mean <= high)].sum() >= 0.9 - 1e-9
        inside = (unified[:, 0] - 1e-6 <= mean) & (mean <= unified[:, 1] + 1e-6)
        assert stats.poisson.pmf(counts, mean + 1.0)[inside].sum() >= 0.9 - 1e-9


def test_iron_ions_of_the_review():
    """350 counts in 20 years: 1.46 a month, not 2. The width of the exact interval is 2 z sqrt(n) + 1 counts for many counts."""
    rate, lower, upper = rate_interval(350, 20 * 12)
    assert rate == pytest.approx(1.4583, abs=1e-4)
    assert upper - lower == pytest.approx((2 * stats.norm.ppf(0.84) * np.sqrt(350) + 1) / 240, rel=0.002)
    assert upper < 2.0


def test_counts_for_a_relative_error():
    needed = count_for_relative_error(0.1)
    width = np.diff(exact_interval(needed))[0]
    assert width / (2 * needed) <= 0.1
    assert np.diff(exact_interval(needed - 1))[0] / (2 * (needed - 1)) > 0.1


@pytest.mark.parametrize("call", [
    lambda: exact_interval(-1), lambda: exact_interval(1.5), lambda: exact_interval(1, 1.0), lambda: rate_interval(1, 0.0),
    lambda: unified_interval(1, -1.0), lambda: bayesian_upper_limit(1, 0.0, 0.9, "cauchy"), lambda: join_p_values([0.0]),
    lambda: join_counts([1], [1.0, 2.0]), lambda: count_for_relative_error(0.0),
])  # fmt: skip
def test_refusals(call):
    with pytest.raises(SettingsError):
        call()


def test_rate_map_flags_and_limits():
    counts = xr.DataArray([[4, 0, 0], [1, 9, 2]], dims=("lat", "mlt"), coords={"lat": [60, 70], "mlt": [0, 8, 16]})
    exposure = xr.DataArray([[2.0, 5.0, 0.0], [1.0, 3.0, 4.0]], dims=("lat", "mlt"))
    found = rate_map(counts, exposure, few=2)
    assert found["count_rate"].values[0, 0] == 2.0
    assert found["count_rate"].values[0, 1] == pytest.approx(-np.log(0.05) / 5.0)
    assert bool(found["count_rate_upper_limit"][0, 1])
    assert np.isnan(found["count_rate"].values[0, 2])
    np.testing.assert_array_equal(found["count_rate_flag"].values, [[0, 0, 1], [2, 0, 0]])
    with pytest.raises(DataError, match="without exposure"):
        rate_map(counts + 1, exposure)


def test_joining():
    assert join_counts([3, 4], [1.0, 2.5]) == (7, 3.5)
    # Fisher, two p values: p = q (1 - ln q) with q the product
    q = 0.04 * 0.1
    assert join_p_values([0.04, 0.1]) == pytest.approx(q * (1 - np.log(q)), rel=1e-12)
    assert join_p_values([0.025, 0.025], "stouffer") == pytest.approx(stats.norm.sf(1.959964 * np.sqrt(2)), rel=1e-5)
