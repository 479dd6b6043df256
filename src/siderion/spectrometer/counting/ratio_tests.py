"""Exact tests of the ratio of two Poisson means, conditional on the total count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special, stats

from siderion.core.errors import SettingsError

Alternative = Literal["greater", "less", "two-sided"]
TwoSided = Literal["minimum likelihood", "doubling"]
CONVENTIONS = ("minimum likelihood", "doubling")


@dataclass(frozen=True)
class RatioTest:
    """Outcome of a test of two counts.

    Attributes
    ----------
    p_value : float
        Probability of an outcome as extreme under equal rates.
    convention : str
        What "as extreme" means, in words.
    ratio, lower, upper : float
        Ratio of the rates, first over second, with its exact central interval; infinite where the second count is 0, and NaN
        with ends 0 and infinity where both are.
    confidence : float
        Confidence of the interval.
    """

    p_value: float
    convention: str
    ratio: float
    lower: float
    upper: float
    confidence: float


def conditional_p_value(
    count: int,
    exposure: float,
    other_count: int,
    other_exposure: float,
    *,
    ratio: float = 1.0,
    alternative: Alternative = "greater",
    two_sided: TwoSided = "minimum likelihood",
    mid_p: bool = False,
) -> float:
    """Exact test of two Poisson rates: given the total, the first count is binomial with share r t1 / (r t1 + t2).

    Parameters
    ----------
    count, other_count : int
        Counts of the two groups.
    exposure, other_exposure : float
        Their exposures, in one unit (hours, events).
    ratio : float
        Ratio r of the rates under the null hypothesis.
    alternative : {"greater", "less", "two-sided"}
        Whether the first rate is larger, smaller, or differs.
    two_sided : {"minimum likelihood", "doubling"}
        Two-sided p value: the sum over outcomes that are not more likely than the observed one, or twice the smaller tail.
    mid_p : bool
        Count only half of the probability of the observed outcome; nearer to the nominal level, but not exact.

    Returns
    -------
    float
        The p value; 1 when both counts are 0.

    Raises
    ------
    SettingsError
        A count is negative, an exposure or the ratio is not positive, or an option is unknown.

    References
    ----------
    Przyborowski & Wilenski 1940, Biometrika 31, 313, doi:10.1093/biomet/31.3-4.313; Fay 2010, R J. 2, 53,
    doi:10.32614/RJ-2010-008 (conventions).
    """
    _check(count, exposure, other_count, other_exposure, ratio)
    if alternative not in ("greater", "less", "two-sided") or two_sided not in CONVENTIONS:
        raise SettingsError(
            f"alternative {alternative!r} with {two_sided!r}: take greater, less or two-sided with one of {CONVENTIONS}"
        )
    total = int(count + other_count)
    share = ratio * exposure / (ratio * exposure + other_exposure)
    law = stats.binom(total, share)
    here = float(law.pmf(count))
    half = 0.5 * here if mid_p else 0.0
    upper, lower = float(law.sf(count - 1)) - half, float(law.cdf(count)) - half
    if alternative == "greater":
        return min(upper, 1.0)
    if alternative == "less":
        return min(lower, 1.0)
    if two_sided == "doubling":
        return min(2.0 * min(upper, lower), 1.0)
    probability = law.pmf(np.arange(total + 1))
    # outcomes of equal probability differ by round-off, hence the factor
    ties = probability[probability <= here * (1.0 + 1e-9)].sum()
    return float(min(ties - half, 1.0))


def ratio_test(
    count: int,
    exposure: float,
    other_count: int,
    other_exposure: float,
    *,
    alternative: Alternative = "greater",
    two_sided: TwoSided = "minimum likelihood",
    mid_p: bool = False,
    confidence: float = 0.95,
) -> RatioTest:
    """Test of `conditional_p_value` with the exact (Clopper and Pearson) interval of the ratio of rates.

    Parameters, errors and sources are those of `conditional_p_value`; ``confidence`` is that of the interval.
    """
    p_value = conditional_p_value(
        count, exposure, other_count, other_exposure, alternative=alternative, two_sided=two_sided, mid_p=mid_p
    )
    lower, upper = ratio_interval(count, exposure, other_count, other_exposure, confidence)
    found = (
        np.nan if count == other_count == 0 else (np.inf if other_count == 0 else count * other_exposure / other_count / exposure)
    )
    words = f"{alternative}" if alternative != "two-sided" else f"two-sided, {two_sided}"
    return RatioTest(p_value, words + (", mid-p" if mid_p else ", exact"), float(found), lower, upper, confidence)


def ratio_interval(
    count: int, exposure: float, other_count: int, other_exposure: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Exact central interval of the ratio of two rates, from that of the binomial share (Clopper and Pearson).

    Returns
    -------
    lower, upper : float
        0 and infinity at the ends where a count is 0.
    """
    _check(count, exposure, other_count, other_exposure, 1.0)
    if not 0.0 < confidence < 1.0:
        raise SettingsError(f"confidence is {confidence}; it must lie between 0 and 1, such as 0.95")
    tail = 0.5 * (1.0 - confidence)
    low = 0.0 if count == 0 else float(special.betaincinv(count, other_count + 1.0, tail))
    high = 1.0 if other_count == 0 else float(special.betaincinv(count + 1.0, other_count, 1.0 - tail))
    scale = other_exposure / exposure
    return scale * low / (1.0 - low), np.inf if high >= 1.0 else scale * high / (1.0 - high)


def change_ratio_p_value(
    before: int, after: int, other_before: int, other_after: int, alternative: Alternative = "two-sided"
) -> float:
    """Fisher's exact test that two groups changed by the same factor from before to after.

    Given all sums the first count is hypergeometric. Equal exposures of the two groups are not needed: each cancels within
    its group where before and after have the same ratio of exposures in both groups.

    Parameters
    ----------
    before, after, other_before, other_after : int
        Counts of the two groups.
    alternative : {"greater", "less", "two-sided"}
        Whether the first group rose more, less, or by another factor (minimum likelihood).

    References
    ----------
    Fisher 1935, J. R. Stat. Soc. 98, 39, doi:10.2307/2342435.
    """
    for value in (before, after, other_before, other_after):
        if value < 0 or value != int(value):
            raise SettingsError(f"count is {value}; counts are whole numbers that are not negative")
    return float(stats.fisher_exact([[after, before], [other_after, other_before]], alternative=alternative).pvalue)


def _check(count: int, exposure: float, other_count: int, other_exposure: float, ratio: float) -> None:
    for name, value in (("count", count), ("other count", other_count)):
        if value < 0 or value != int(value):
            raise SettingsError(f"{name} is {value}; counts are whole numbers that are not negative")
    for name, positive in (("exposure", exposure), ("other exposure", other_exposure), ("ratio", ratio)):
        if not 0.0 < positive < np.inf:
            raise SettingsError(f"{name} is {positive}; it must be positive and finite")
