"""Counting: coverage of intervals, level and power of tests and of the limits of detection, over drawn counts."""

from __future__ import annotations

import numpy as np
from recording import check_recorded
from scipy import stats

from siderion.spectrometer.counting.intervals import bayesian_upper_limit, exact_interval, unified_interval
from siderion.spectrometer.counting.leave_out import poisson_p_value
from siderion.spectrometer.counting.overdispersion import negative_binomial_test
from siderion.spectrometer.counting.permutation import permutation_test
from siderion.spectrometer.counting.ratio_tests import conditional_p_value, ratio_interval
from siderion.spectrometer.design.detection import drawn_power, minimum_detectable_fraction
from siderion.spectrometer.design.settings import Demand, MassPeak
from siderion.spectrometer.design.templates import mass_templates

LEVEL = 0.05


def coverage_of_intervals() -> dict[str, float]:
    """Least and mean coverage of 90 % intervals, by exact sums over the counts."""
    counts = np.arange(60)
    background = 1.5
    ends = {
        "exact": exact_interval(counts, 0.9),
        "unified": tuple(np.array([unified_interval(int(n), background, 0.9) for n in counts]).T),
        "Bayesian limit": (np.zeros(60), bayesian_upper_limit(counts, background, 0.9)),
    }
    norms = {}
    for name, (lower, upper) in ends.items():
        offset = 0.0 if name == "exact" else background
        found = []
        for mean in np.linspace(0.02, 20.0, 200):
            inside = (lower - 1e-6 <= mean) & (mean <= upper + 1e-6)
            found.append(stats.poisson.pmf(counts, mean + offset)[inside].sum())
        norms[f"{name}, least coverage"], norms[f"{name}, mean coverage"] = float(min(found)), float(np.mean(found))
    return norms


def level_of_ratio_test() -> dict[str, float]:
    """Share of false alarms of the exact test and its mid-p form, and coverage of the ratio, by exact sums."""
    first, second = np.arange(45), np.arange(40)
    weight = np.outer(stats.poisson.pmf(first, 12.0), stats.poisson.pmf(second, 8.0))
    exact, middle, covered = (np.zeros(weight.shape) for _ in range(3))
    for i in first:
        for j in second:
            exact[i, j] = conditional_p_value(int(i), 6.0, int(j), 4.0) < LEVEL
            middle[i, j] = conditional_p_value(int(i), 6.0, int(j), 4.0, mid_p=True) < LEVEL
            low, high = ratio_interval(int(i), 6.0, int(j), 4.0, 0.9)
            covered[i, j] = low <= 1.0 <= high
    names = ("false alarms, exact ratio test", "false alarms, mid-p", "coverage of the ratio, 90 %")
    return {name: float((weight * part).sum()) for name, part in zip(names, (exact, middle, covered), strict=True)}


def level_under_scatter(draws: int) -> dict[str, float]:
    """False alarms with scattered events: ten of negative binomial law without a difference."""
    generator = np.random.default_rng(7)
    inside = np.arange(10) < 6
    hits = np.zeros(3)
    for _ in range(draws):
        counts = generator.poisson(generator.gamma(0.4, 2.0 / 0.4, 10))
        scattered = negative_binomial_test(counts, inside, draws=99).p_value if counts.sum() else 1.0
        values = (poisson_p_value(counts, inside), permutation_test(counts, inside).p_value, scattered)
        hits += np.array(values) < LEVEL
    names = ("Poisson", "permutation", "negative binomial")
    return {f"false alarms under scatter, {name}": float(hit / draws) for name, hit in zip(names, hits, strict=True)}


def power_of_detection(draws: int) -> dict[str, float]:
    """Share of drawn spectra in which the smallest detectable fraction is detected, and false alarms at 95 %."""
    norms = {}
    for pair in (("O+", "NO+"), ("Si+", "Al+")):
        templates = mass_templates(pair, MassPeak(15.0))
        for counts in (1e3, 1e4):
            fraction = float(minimum_detectable_fraction(templates, counts))
            name = f"{pair[1]} beside {counts:g} {pair[0]}"
            norms[f"{name}, power"] = drawn_power(templates, counts, fraction, draws=draws, seed=1)
            norms[f"{name}, false alarms"] = drawn_power(templates, counts, 0.0, Demand(0.95, 0.9), draws=draws, seed=2)
    return norms


def run(size: str) -> dict[str, float]:
    """All norms; fewer draws in the reduced size."""
    many = size == "full"
    return (
        coverage_of_intervals()
        | level_of_ratio_test()
        | level_under_scatter(600 if many else 60)
        | power_of_detection(400 if many else 60)
    )


def test_counting() -> None:
    """Exact intervals cover at least as promised, exact tests hold their level, the power is as demanded."""
    norms = check_recorded("counting", run)
    assert norms["exact, least coverage"] >= 0.9
    assert norms["unified, least coverage"] >= 0.9 - 1e-9
    assert norms["false alarms, exact ratio test"] <= LEVEL
    assert norms["coverage of the ratio, 90 %"] >= 0.9
    assert norms["false alarms under scatter, Poisson"] > 2 * LEVEL
    assert norms["false alarms under scatter, permutation"] <= LEVEL + 3 * np.sqrt(LEVEL / 60)
    for name, value in norms.items():
        if name.endswith("power"):
            assert value >= 0.9 - 3 * np.sqrt(0.09 / 60), name
        if "beside" in name and name.endswith("false alarms"):
            assert value <= LEVEL + 3 * np.sqrt(LEVEL / 60), name
