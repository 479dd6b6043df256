"""Intervals and limits: exact values without background, Gaussian limits, coverage over draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from siderion.spectrometer.fit.intervals import Interval
from siderion.spectrometer.fit.kernels import fit_many, summarise_profile
from siderion.spectrometer.fit.single import widened


def test_no_counts_give_three() -> None:
    """Without counts and background the limit is -ln(0.05) = 2.996, and ln L falls by 1/2 at n = 1/2."""
    results = np.zeros((1, 1, 5))
    fit_many(
        np.ones((1, 10)) / 10, np.zeros((1, 10)), np.zeros(10), 1, 0.5, 0.95, np.ones(1), results, np.zeros((1, 1)), np.zeros(1)
    )
    assert results[0, 0, :4] == pytest.approx([0.0, 0.5, -np.log(0.05), 0.0], rel=2e-3)


@pytest.mark.parametrize("seen", [1, 4, 25])
def test_pure_poisson(seen: int) -> None:
    """One species, no background: ends solve n - c ln n = ... + 1/2, the limit is the gamma quantile of the flat prior."""
    from scipy.optimize import brentq
    from scipy.stats import gamma

    counts = np.zeros((1, 10))
    counts[0, 2] = seen
    results, best = np.zeros((1, 1, 5)), np.zeros((1, 1))
    fit_many(np.ones((1, 10)) / 10, counts, np.zeros(10), 1, 0.5, 0.95, np.ones(1), results, best, np.zeros(1))

    def fall(n: float) -> float:
        return n - seen - seen * np.log(n / seen) - 0.5

    assert best[0, 0] == pytest.approx(seen, rel=1e-6)
    assert results[0, 0, 0] == pytest.approx(brentq(fall, 1e-9, seen), rel=5e-3)
    assert results[0, 0, 1] == pytest.approx(brentq(fall, seen, seen + 20 * np.sqrt(seen)), rel=5e-3)
    assert results[0, 0, 2] == pytest.approx(gamma.ppf(0.95, seen + 1), rel=5e-3)


@pytest.mark.parametrize("centre", [-2.0, 0.0, 3.0])
def test_gaussian_limit_is_that_of_cls(centre: float) -> None:
    """For a parabola about ``centre`` the limit U satisfies Phi(c - U) / Phi(c) = 0.05, the CLs limit."""
    place = np.linspace(0.0, 8.0, 17)
    best = max(centre, 0.0)
    fall = 0.5 * (place - centre) ** 2 - 0.5 * (best - centre) ** 2
    limit = summarise_profile(place, fall, place - centre, best, 0.5, 0.95)[2]
    assert norm.sf(limit - centre) / norm.sf(-centre) == pytest.approx(0.05, rel=0.02)


def test_coverage_over_draws() -> None:
    """Two overlapping peaks on a background, 3000 draws each: 68 % intervals and 95 % limits cover, near zero and above."""
    edges = np.linspace(0.0, 10.0, 101)
    rows = np.array([np.diff(norm.cdf(edges, c, 0.6)) for c in (4.0, 5.5)] + [np.ones(100)])
    rng = np.random.default_rng(12)
    for truth, (lowest, highest) in {0.0: (0.8, 1.0), 8.0: (0.63, 0.80), 60.0: (0.65, 0.71)}.items():
        counts = rng.poisson(np.array([300.0, truth, 0.5]) @ rows, size=(3000, 100)).astype(float)
        results, best = np.zeros((3000, 2, 5)), np.zeros((3000, 3))
        fit_many(rows, counts, np.zeros(100), 2, 0.5, 0.95, np.ones(3000), results, best, np.zeros(3000))
        inside = np.mean((results[:, 1, 0] <= truth) & (truth <= results[:, 1, 1]))
        assert lowest <= inside <= highest
        assert np.mean(results[:, 1, 2] >= truth) > 0.935
        assert np.mean(results[:, 1, 3] > 3.0) < (0.004 if truth == 0.0 else 1.1)


def test_errors_are_added_in_quadrature() -> None:
    """3 and 4 make 5; the limit moves by the quantile; nothing changes without an error."""
    plain = Interval(100.0, 97.0, 103.0, 105.0, 20.0)
    assert widened(plain, 0.0, 0.95) is plain
    wide = widened(plain, 4.0, 0.95)
    assert (wide.lower, wide.upper) == (95.0, 105.0)
    assert wide.limit == pytest.approx(100.0 + np.hypot(5.0, 1.6449 * 4.0), rel=1e-4)
    assert wide.significance == pytest.approx(100.0 / np.hypot(5.0, 4.0))
