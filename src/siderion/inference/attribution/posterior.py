"""Samples of the posterior: weighted draws of the prior where they suffice, else chains from a mixture about its maxima.

The second way is sequential Monte Carlo that starts at the mixture q of `siderion.inference.attribution.laplace` instead of the
prior: the ratio of the posterior to q is raised to a power that grows from 0 to 1 in steps that keep half of the samples
effective. After each step the samples move towards new draws of the component of q that they belong to, and are accepted with
the same ratio. Every run searches its own maxima: runs that differ show what one of them has missed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import logsumexp

from siderion.core.errors import NumericalError
from siderion.inference.attribution.context import setting
from siderion.inference.attribution.laplace import Mixture, posterior_mixture
from siderion.inference.attribution.model import Problem

Array = NDArray[np.float64]
RUNS = 4
_EFFECTIVE = 0.5
_MOVES = 6
_LENGTHS = (0.1, 0.2, 0.4, 0.7, 1.0)
_MOST_STEPS = 100
_ENOUGH = 1000.0
_DRAWS = 8000
_LEAST_SIZE = 200
_MORE = 3
_FEW = 12
"""Channels up to which runs that differ are repeated once with more samples."""


@dataclass(frozen=True)
class Posterior:
    """Samples of the posterior of a problem.

    Attributes
    ----------
    z : array of shape (sample, number)
        Equally weighted samples of the normal numbers.
    log_evidence : float
        Logarithm of the probability of the counts under the prior.
    spread : float
        Largest less smallest log evidence of the runs.
    effective : float
        Effective number of samples: by the weights of all steps, and no more than the difference between the runs allows.
    method : str
        ``"weighted prior"`` or ``"sequential"``.
    runs : tuple of array
        Samples of the single runs, whose differences tell the error of the sampling.
    """

    z: Array
    log_evidence: float
    spread: float
    effective: float
    method: str
    runs: tuple[Array, ...]


@dataclass(frozen=True)
class _Run:
    """Samples, log evidence and effective number of one run."""

    z: Array
    log_evidence: float
    effective: float


def sample_posterior(
    problem: Problem, *, samples: int = 1000, seed: int = 0, method: str = "auto", runs: int = RUNS
) -> Posterior:
    """Draw samples of the posterior.

    Parameters
    ----------
    problem : Problem
        Of `siderion.inference.attribution.likelihood.build_problem`.
    samples : int
        How many, of all runs together; 200 at least in each.
    seed : int
        Of the random numbers.
    method : {"auto", "weighted prior", "sequential"}
        ``auto`` takes draws of the prior where at least 1000 of them remain effective.
    runs : int
        Independent runs, put together with their evidence as weight; at least 2, for their difference is the error.

    Raises
    ------
    NumericalError
        The counts have no probability under any draw, or the steps do not end.
    """
    generator = np.random.default_rng(seed)
    if method != "sequential":
        found = [_weighted(problem, samples, runs, generator) for _ in range(runs)]
        if method == "weighted prior" or sum(one.effective for one in found) >= _ENOUGH:
            return _together(found, "weighted prior", generator)
    size = max(samples // runs, _LEAST_SIZE)
    result = _together(_sequences(problem, size, seed, runs, 0), "sequential", generator)
    if result.spread > setting("largest_evidence_spread") and len(problem.all_counts) <= _FEW:
        # all runs anew with more samples: none of the first ones is kept
        result = _together(_sequences(problem, _MORE * size, seed, runs, 1), "sequential", generator)
    return result


def _sequences(problem: Problem, size: int, seed: int, runs: int, attempt: int) -> list[_Run]:
    return [_sequential(problem, size, np.random.default_rng([seed, run, attempt])) for run in range(runs)]


def _together(found: list[_Run], method: str, generator: np.random.Generator) -> Posterior:
    """Runs as one, each with the weight of its evidence."""
    evidence = np.array([one.log_evidence for one in found])
    if not np.isfinite(evidence).all():
        raise NumericalError("the counts have no probability under the draws of a run; check counts and channels")
    size = len(found[0].z)
    weight = np.repeat(np.exp(evidence - logsumexp(evidence)) / size, size)
    z = np.concatenate([one.z for one in found])[_systematic(weight, size * len(found), generator)]
    mean = float(logsumexp(evidence) - np.log(len(found)))
    between = len(found) / max(float(np.var(evidence, ddof=1)), 1e-12)
    effective = min(sum(one.effective for one in found), between)
    return Posterior(z, mean, float(np.ptp(evidence)), effective, method, tuple(one.z for one in found))


def _weighted(problem: Problem, samples: int, runs: int, generator: np.random.Generator) -> _Run:
    draws = _DRAWS // runs
    z = generator.standard_normal((draws, problem.size))
    log_weight = problem.log_likelihood(problem.rates(z))
    total = float(logsumexp(log_weight))
    if not np.isfinite(total):
        return _Run(z, total, 0.0)
    weight = np.exp(log_weight - total)
    chosen = _systematic(weight, max(samples // runs, _LEAST_SIZE), generator)
    return _Run(z[chosen], total - float(np.log(draws)), 1.0 / float(np.sum(weight**2)))


def _sequential(problem: Problem, samples: int, generator: np.random.Generator) -> _Run:
    mixture = posterior_mixture(problem, generator)
    z = mixture.draw(samples, generator)
    ratio, parts = _ratio(problem, mixture, z)
    power, evidence, variance = 0.0, 0.0, 0.0
    for _ in range(_MOST_STEPS):
        rise = _next_rise(ratio, 1.0 - power)
        log_weight = rise * ratio
        total = float(logsumexp(log_weight))
        weight = np.exp(log_weight - total)
        evidence += total - float(np.log(samples))
        variance += float(np.sum(weight**2)) - 1.0 / samples
        power = 1.0 if power + rise > 1.0 - 1e-12 else power + rise
        chosen = _systematic(weight, samples, generator)
        z, ratio, parts = z[chosen], ratio[chosen], parts[chosen]
        for _move in range(_MOVES if power < 1.0 else 2 * _MOVES):
            z, ratio, parts = _moved(problem, mixture, (z, ratio, parts), power, generator)
        if power >= 1.0:
            return _Run(z, evidence, 1.0 / (1.0 / samples + variance))
    raise NumericalError(f"the posterior was not reached in {_MOST_STEPS} steps (power {power:.3g}); check counts and channels")


def _log_sum(parts: Array) -> Array:
    """Logarithm of the sum of exponentials along the second axis."""
    most = parts.max(axis=1)
    return np.asarray(most + np.log(np.exp(parts - most[:, None]).sum(axis=1)))


def _ratio(problem: Problem, mixture: Mixture, z: Array) -> tuple[Array, Array]:
    """Logarithm of the posterior (without its norm) over the mixture, and the parts of the mixture."""
    parts = mixture.log_components(z)
    with np.errstate(over="ignore", invalid="ignore"):
        found = problem.log_likelihood(problem.rates(z)) - 0.5 * np.sum(z**2, axis=1) - _log_sum(parts)
    return np.nan_to_num(found, nan=-1e300, neginf=-1e300), parts


def _moved(
    problem: Problem, mixture: Mixture, state: tuple[Array, Array, Array], power: float, generator: np.random.Generator
) -> tuple[Array, Array, Array]:
    """One step of all samples: each towards a draw of a component to which it belongs, by lengths of many sizes.

    The component is drawn with its share of the mixture at the sample, and the step leaves the component as it is. So the
    mixture is left as it is, and the chance to accept is the ratio of the posterior to the mixture, to the power.
    """
    z, ratio, parts = state
    share = np.cumsum(np.exp(parts - _log_sum(parts)[:, None]), axis=1)
    component = np.minimum((generator.random((len(z), 1)) > share).sum(axis=1), parts.shape[1] - 1)
    length = generator.choice(_LENGTHS, (len(z), 1))
    centre = mixture.centre[component]
    noise = mixture.scaled(component, generator.standard_normal(z.shape))
    proposal = centre + np.sqrt(1.0 - length**2) * (z - centre) + length * noise
    # a tenth starts anew from the whole mixture
    anew = generator.random(len(z)) < 0.1
    proposal[anew] = mixture.draw(int(anew.sum()), generator)
    new, new_parts = _ratio(problem, mixture, proposal)
    accepted = np.log(generator.random(len(z))) < power * (new - ratio)
    return (
        np.where(accepted[:, None], proposal, z),
        np.where(accepted, new, ratio),
        np.where(accepted[:, None], new_parts, parts),
    )


def _next_rise(ratio: Array, most: float) -> float:
    """Largest rise of the power that leaves half of the samples effective."""

    def excess(log_rise: float) -> float:
        log_weight = np.exp(log_rise) * (ratio - ratio.max())
        weight = np.exp(log_weight - logsumexp(log_weight))
        return 1.0 / float(np.sum(weight**2)) - _EFFECTIVE * len(ratio)

    if excess(np.log(most)) >= 0.0:
        return most
    lowest = np.log(most) - 60.0
    return float(np.exp(brentq(excess, lowest, np.log(most), xtol=1e-3)))


def _systematic(weight: Array, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Indices drawn with the weights at even steps of their cumulative sum."""
    places = (np.arange(count) + generator.random()) / count
    return np.minimum(np.searchsorted(np.cumsum(weight), places), len(weight) - 1)


__all__ = ["RUNS", "Posterior", "sample_posterior"]
