"""Overdispersion: whether counts of events scatter more than a Poisson law allows, and tests that allow for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from siderion.core.errors import SettingsError

Array = NDArray[np.float64]
_DISPERSIONS = np.concatenate([[0.0], np.geomspace(1e-3, 1e3, 121)])
"""Grid of the dispersion a, var = mu + a mu^2, over which the likelihood is profiled; 0 is the Poisson law."""
_CHUNK = 20_000


@dataclass(frozen=True)
class DispersionTest:
    """Outcome of a test of overdispersion.

    Attributes
    ----------
    index : float
        Pearson chi-square over its degrees of freedom; 1 is expected of a Poisson law.
    p_value : float
        Share of the multinomial draws with an index as large; the observed outcome counts as one.
    """

    index: float
    p_value: float


@dataclass(frozen=True)
class GroupTest:
    """Test of a difference of two groups under another law than Poisson's.

    Attributes
    ----------
    p_value : float
        One-sided, larger rate inside.
    dispersion : float
        Dispersion a of the negative binomial law, or the factor of the variance of the quasi-Poisson law.
    """

    p_value: float
    dispersion: float


def dispersion_index(counts: ArrayLike, exposures: ArrayLike | None = None, groups: ArrayLike | None = None) -> float:
    """Pearson chi-square over its degrees of freedom, with one rate for each group.

    For one group of equal exposures it is the variance (n - 1 in the denominator) over the mean.

    Parameters
    ----------
    counts : array of shape (event,)
        Counts.
    exposures : array of shape (event,), optional
        Exposures; equal ones by default.
    groups : array of shape (event,), optional
        Label of the group of each event; one group by default.

    Returns
    -------
    float
        Index; NaN where there is no count at all or no degree of freedom.

    References
    ----------
    Fisher 1950, Biometrics 6, 17, doi:10.2307/3001420 (index of dispersion).
    """
    values, times, labels = _events(counts, exposures, groups)
    return float(_indices(values[None], times, labels)[0])


def dispersion_test(
    counts: ArrayLike,
    exposures: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    *,
    draws: int = 20_000,
    seed: int = 0,
) -> DispersionTest:
    """Test the index of dispersion against its law under Poisson counts, given the sum of each group.

    Given the sum, Poisson counts are multinomial with the shares of the exposures, whatever the rate is; draws from that law
    are a parametric bootstrap without a parameter left to choose.

    Parameters
    ----------
    counts, exposures, groups
        As in `dispersion_index`.
    draws, seed : int
        Number of draws and the seed.

    Returns
    -------
    DispersionTest
        With index and p value NaN where the index is.
    """
    values, times, labels = _events(counts, exposures, groups)
    observed = float(_indices(values[None], times, labels)[0])
    if np.isnan(observed):
        return DispersionTest(observed, float("nan"))
    generator = np.random.default_rng(seed)
    drawn = np.empty((draws, len(values)))
    for label in np.unique(labels):
        here = labels == label
        drawn[:, here] = generator.multinomial(int(values[here].sum()), times[here] / times[here].sum(), draws)
    found = _indices(drawn, times, labels)
    return DispersionTest(observed, float((1 + (found >= observed - 1e-9).sum()) / (draws + 1)))


def quasi_poisson_test(counts: ArrayLike, inside: ArrayLike, exposures: ArrayLike | None = None) -> GroupTest:
    """Test inside against outside with a variance of phi times the mean: the fall of the deviance over phi is F distributed.

    phi is the index of dispersion within the groups, at least 1. With few events the law is approximate.

    Parameters
    ----------
    counts, exposures
        As in `dispersion_index`.
    inside : array of bool of shape (event,)
        Group of each event.

    Returns
    -------
    GroupTest
        One-sided; p value NaN where there is no count at all or fewer than three events.

    References
    ----------
    McCullagh & Nelder 1989, Generalized Linear Models, section 4.5, doi:10.1201/9780203753736.
    """
    values, times, _ = _events(counts, exposures, None)
    group = _two_groups(inside, len(values))
    freedom = len(values) - 2
    if values.sum() == 0 or freedom < 1:
        return GroupTest(float("nan"), float("nan"))
    phi = max(1.0, float(_indices(values[None], times, group)[0]))
    sums, exposed = (np.array([part[group].sum(), part[~group].sum()]) for part in (values, times))
    fall = 2.0 * float((special.xlogy(sums, sums / exposed)).sum() - special.xlogy(sums.sum(), sums.sum() / exposed.sum()))
    two_sided = float(stats.f.sf(max(fall, 0.0) / phi, 1, freedom))
    return GroupTest(_one_side(two_sided, sums, exposed), phi)


def negative_binomial_test(
    counts: ArrayLike, inside: ArrayLike, exposures: ArrayLike | None = None, *, draws: int = 999, seed: int = 0
) -> GroupTest:
    """Test inside against outside under negative binomial counts, var = mu + a mu^2, by likelihood ratio and bootstrap.

    One dispersion a and one or two rates are fitted; the law of the signed root of the ratio is drawn from the fit with one rate.

    Parameters
    ----------
    counts, inside, exposures
        As in `quasi_poisson_test`.
    draws, seed : int
        Draws of the parametric bootstrap, and its seed; no p value is below 1 / (draws + 1).

    Returns
    -------
    GroupTest
        One-sided; p value NaN where there is no count at all.

    References
    ----------
    Hilbe 2011, Negative Binomial Regression, doi:10.1017/CBO9780511973420.
    """
    values, times, _ = _events(counts, exposures, None)
    group = _two_groups(inside, len(values))
    if values.sum() == 0:
        return GroupTest(float("nan"), float("nan"))
    observed, a, rate = _signed_root(values[None], times, group)
    generator = np.random.default_rng(seed)
    larger = 0
    for start in range(0, draws, _CHUNK):
        means = np.broadcast_to(rate[0] * times, (min(_CHUNK, draws - start), len(times)))
        if a[0] > 0.0:
            means = generator.gamma(1.0 / a[0], means * a[0])
        drawn, _, _ = _signed_root(generator.poisson(means).astype(np.float64), times, group)
        larger += int((drawn >= observed[0] - 1e-9).sum())
    return GroupTest((1 + larger) / (draws + 1), float(a[0]))


def _signed_root(values: Array, times: Array, group: NDArray[np.bool_]) -> tuple[Array, Array, Array]:
    """Signed root of the likelihood ratio of two rates against one, the dispersion with one rate, and that rate, per draw."""
    one, both = np.full(values.shape[0], -np.inf), np.full(values.shape[0], -np.inf)
    a_one, rate_one, sign = np.zeros(len(one)), np.zeros(len(one)), np.zeros(len(one))
    numbers, places = np.unique(values, return_inverse=True)
    places = places.reshape(values.shape)
    for a in _DISPERSIONS:
        ways = _ways(numbers, a)[places].sum(axis=1)
        rate = _rate(values, times, a)
        likelihood = ways + _likelihood(values, rate[:, None] * times, a)
        better = likelihood > one
        one, a_one, rate_one = np.where(better, likelihood, one), np.where(better, a, a_one), np.where(better, rate, rate_one)
        first, second = _rate(values[:, group], times[group], a), _rate(values[:, ~group], times[~group], a)
        means = np.where(group, first[:, None], second[:, None]) * times
        likelihood = ways + _likelihood(values, means, a)
        better = likelihood > both
        both, sign = np.where(better, likelihood, both), np.where(better, np.sign(first - second), sign)
    return sign * np.sqrt(2.0 * np.maximum(both - one, 0.0)), a_one, rate_one


def _rate(values: Array, times: Array, a: float) -> Array:
    """Most likely rate for a dispersion: the root of sum (n - mu t) / (1 + a mu t) by repeated weighting."""
    rate = values.sum(axis=1) / times.sum()
    if a == 0.0 or np.ptp(times) == 0.0:
        return rate
    for _ in range(40):
        weight = 1.0 / (1.0 + a * rate[:, None] * times)
        rate = (values * weight).sum(axis=1) / (times * weight).sum(axis=1)
    return rate


def _ways(numbers: Array, a: float) -> Array:
    """Part of the logarithm of the likelihood that does not depend on the mean."""
    if a == 0.0:
        return -special.gammaln(numbers + 1.0)
    k = 1.0 / a
    return special.gammaln(numbers + k) - special.gammaln(k) - special.gammaln(numbers + 1.0) - numbers * np.log(k)


def _likelihood(values: Array, means: Array, a: float) -> Array:
    """The part that depends on the mean."""
    if a == 0.0:
        return (special.xlogy(values, means) - means).sum(axis=1)
    more = np.log1p(a * means)
    return (special.xlogy(values, means) - (values + 1.0 / a) * more).sum(axis=1)


def _indices(values: Array, times: Array, labels: NDArray) -> Array:
    """Index of dispersion of each row of counts; groups without a count and single events carry no information."""
    chi_square, freedom = np.zeros(values.shape[0]), np.zeros(values.shape[0])
    for label in np.unique(labels):
        here = labels == label
        expected = values[:, here].sum(axis=1, keepdims=True) * times[here] / times[here].sum()
        filled = expected[:, 0] > 0.0
        deviation = (values[:, here] - expected) ** 2 / np.where(expected > 0.0, expected, 1.0)
        chi_square += np.where(filled, deviation.sum(axis=1), 0.0)
        freedom += np.where(filled, here.sum() - 1, 0)
    return np.where(freedom > 0, chi_square / np.maximum(freedom, 1), np.nan)


def _one_side(two_sided: float, sums: Array, exposed: Array) -> float:
    return 0.5 * two_sided if sums[0] / exposed[0] > sums[1] / exposed[1] else 1.0 - 0.5 * two_sided


def _two_groups(inside: ArrayLike, size: int) -> NDArray[np.bool_]:
    group = np.asarray(inside, dtype=bool)
    if group.shape != (size,) or group.all() or not group.any():
        raise SettingsError(f"inside has shape {group.shape} and {int(group.sum())} events inside; both groups need an event")
    return group


def _events(counts: ArrayLike, exposures: ArrayLike | None, groups: ArrayLike | None) -> tuple[Array, Array, NDArray]:
    values = np.asarray(counts, dtype=np.float64)
    times = np.ones(values.shape) if exposures is None else np.asarray(exposures, dtype=np.float64)
    labels = np.zeros(values.shape, dtype=int) if groups is None else np.asarray(groups)
    if values.ndim != 1 or not values.size or values.shape != times.shape or values.shape != labels.shape:
        raise SettingsError(
            f"counts, exposures and groups have shapes {values.shape}, {times.shape}, {labels.shape}; one length needed"
        )
    if not ((values >= 0.0).all() and (values == np.floor(values)).all()):
        raise SettingsError(f"counts are {values}; whole numbers that are not negative are needed")
    if not (np.isfinite(times).all() and (times > 0.0).all()):
        raise SettingsError(f"exposures are {times}; each must be positive and finite")
    return values, times, labels
