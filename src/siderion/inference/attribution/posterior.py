"""Samples of the posterior: weighted draws of the prior where they suffice, else many chains from prior to posterior.

The second way is sequential Monte Carlo: the likelihood is raised to a power that grows from 0 to 1 in steps that keep half of
the samples effective; after each step the samples move by steps that leave the distribution as it is. Half of the moves keep the
prior (preconditioned Crank-Nicolson), half follow the spread of the samples. The product of the mean weights is the evidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import logsumexp

from siderion.core.errors import NumericalError
from siderion.inference.attribution.likelihood import Problem

Array = NDArray[np.float64]
_EFFECTIVE = 0.5
_MOVES = 6
_MOST_STEPS = 200
_ENOUGH = 1000.0
_DRAWS = 8000


@dataclass(frozen=True)
class Posterior:
    """Samples of the posterior of a problem.

    Attributes
    ----------
    z : array of shape (sample, number)
        Equally weighted samples of the normal numbers.
    log_evidence : float
        Logarithm of the probability of the counts under the prior.
    effective : float
        Effective number of weighted draws, or of the last step of the chains.
    method : str
        ``"weighted prior"`` or ``"sequential"``.
    runs : tuple of array
        Samples of the single runs, whose differences tell the error of the sampling; one of weighted draws.
    """

    z: Array
    log_evidence: float
    effective: float
    method: str
    runs: tuple[Array, ...] = ()


def sample_posterior(
    problem: Problem, *, samples: int = 1000, seed: int = 0, method: str = "auto", runs: int | None = None
) -> Posterior:
    """Draw samples of the posterior.

    Parameters
    ----------
    problem : Problem
        Of `build_problem`.
    samples : int
        How many.
    seed : int
        Of the random numbers.
    method : {"auto", "weighted prior", "sequential"}
        ``auto`` takes draws of the prior where at least 1000 of them remain effective.
    runs : int, optional
        Independent runs of the sequential way, put together with their evidence as weight; by default 2, and 6 for more than two
        observations, where the posterior has several maxima that one run may weigh wrongly.

    Raises
    ------
    NumericalError
        The counts have no probability under any draw, or the steps do not end.
    """
    generator = np.random.default_rng(seed)
    if method != "sequential":
        found = _weighted(problem, samples, generator)
        if method == "weighted prior" or found.effective >= _ENOUGH:
            return found
    count = runs or (2 if len(problem.observations) <= 2 else 6)
    return _together([_sequential(problem, samples, np.random.default_rng([seed, run])) for run in range(count)], generator)


def _together(found: list[Posterior], generator: np.random.Generator) -> Posterior:
    """Runs as one, each with the weight of its evidence."""
    evidence = np.array([one.log_evidence for one in found])
    size = len(found[0].z)
    weight = np.repeat(np.exp(evidence - logsumexp(evidence)) / size, size)
    z = np.concatenate([one.z for one in found])[_systematic(weight, size * len(found), generator)]
    effective = min(one.effective for one in found)
    mean = float(logsumexp(evidence) - np.log(len(found)))
    return Posterior(z, mean, effective, "sequential", tuple(one.z for one in found))


def _weighted(problem: Problem, samples: int, generator: np.random.Generator) -> Posterior:
    z = generator.standard_normal((_DRAWS, problem.size))
    log_weight = problem.log_likelihood(problem.rates(z))
    total = logsumexp(log_weight)
    if not np.isfinite(total):
        raise NumericalError("the counts have no probability under any draw of the prior; check counts and channels")
    weight = np.exp(log_weight - total)
    return Posterior(
        z[_systematic(weight, samples, generator)],
        float(total - np.log(_DRAWS)),
        1.0 / float(np.sum(weight**2)),
        "weighted prior",
    )


def _sequential(problem: Problem, samples: int, generator: np.random.Generator) -> Posterior:
    z = generator.standard_normal((samples, problem.size))
    likelihood = problem.log_likelihood(problem.rates(z))
    power, evidence, effective = 0.0, 0.0, float(samples)
    steps = [0.5, 2.38 / float(np.sqrt(problem.size))]
    for _ in range(_MOST_STEPS):
        if power >= 1.0:
            return Posterior(z, evidence, effective, "sequential")
        rise = _next_rise(likelihood, 1.0 - power)
        log_weight = rise * likelihood
        total = float(logsumexp(log_weight))
        weight = np.exp(log_weight - total)
        evidence += total - float(np.log(samples))
        effective = 1.0 / float(np.sum(weight**2))
        power = 1.0 if power + rise > 1.0 - 1e-12 else power + rise
        chosen = _systematic(weight, samples, generator)
        z, likelihood = z[chosen], likelihood[chosen]
        # a part of the covariance of the prior keeps directions open that resampling has thinned
        covariance = np.cov(z, rowvar=False) + 1e-4 * np.eye(problem.size)
        spread: Array = np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
        for move in range(_MOVES if power < 1.0 else 3 * _MOVES):
            z, likelihood = _move(problem, z, likelihood, power, steps, spread if move % 2 else None, generator)
    raise NumericalError(f"the posterior was not reached in {_MOST_STEPS} steps (power {power:.3g}); check counts and channels")


def _move(
    problem: Problem,
    z: Array,
    likelihood: Array,
    power: float,
    steps: list[float],
    spread: Array | None,
    generator: np.random.Generator,
) -> tuple[Array, Array]:
    """One Metropolis step of all samples, along a spread or within the prior; the length of its kind of step is adapted."""
    kind = 0 if spread is None else 1
    noise = generator.standard_normal(z.shape)
    length = steps[kind]
    if spread is None:
        proposal = np.sqrt(1.0 - length**2) * z + length * noise
        prior = np.zeros(len(z))
    else:
        proposal = z + length * noise @ spread.T
        prior = 0.5 * (np.sum(z**2, axis=1) - np.sum(proposal**2, axis=1))
    new = problem.log_likelihood(problem.rates(proposal))
    with np.errstate(invalid="ignore"):
        ratio = power * (new - likelihood) + prior
    accepted = np.log(generator.random(len(z))) < np.nan_to_num(ratio, nan=-np.inf)
    share = float(accepted.mean())
    steps[kind] = float(np.clip(length * np.exp(1.0 * (share - 0.3)), 1e-4, 0.95))
    return np.where(accepted[:, None], proposal, z), np.where(accepted, new, likelihood)


def _next_rise(likelihood: Array, most: float) -> float:
    """Largest rise of the power that leaves half of the samples effective."""

    def excess(log_rise: float) -> float:
        log_weight = np.exp(log_rise) * (likelihood - likelihood.max())
        weight = np.exp(log_weight - logsumexp(log_weight))
        return 1.0 / float(np.sum(weight**2)) - _EFFECTIVE * len(likelihood)

    if excess(np.log(most)) >= 0.0:
        return most
    lowest = np.log(most) - 60.0
    return float(np.exp(brentq(excess, lowest, np.log(most), xtol=1e-3)))


def _systematic(weight: Array, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Indices drawn with the weights at even steps of their cumulative sum."""
    places = (np.arange(count) + generator.random()) / count
    return np.minimum(np.searchsorted(np.cumsum(weight), places), len(weight) - 1)


__all__ = ["Posterior", "sample_posterior"]
