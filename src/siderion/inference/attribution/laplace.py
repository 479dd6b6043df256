"""Where the posterior has its maxima, and a mixture of normal distributions about them to draw from.

Every channel may come from any source, so that there may be many maxima. The search starts from draws of the prior and from
single explanations (each channel from one source), and goes on by damped Gauss-Newton steps for all starts at once. About a
maximum the curvature is the unit matrix of the prior plus one direction for each channel: the normal distributions are narrow in
these directions, and the prior in all others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from siderion.inference.attribution.context import SOURCES
from siderion.inference.attribution.model import Problem

Array = NDArray[np.float64]
_DRAWN = 1000
_THINNING = 3
_STARTS = 72
_ASSIGNED = 100
_STEPS = 15
_WINDOW = 14.0
_MOST = 12
_SAME = 0.3
_FLAT = 0.02
_BELOW = 2.0
_SOFT = 0.5
_PRIOR_SHARE = 0.05
_LARGE_PRIOR_SHARE = 0.4
_FEW = 12
"""Channels up to which the search is long; many intervals tell little each, and stay near the prior."""
_WIDENED = (0.8, 0.25)
"""Factors on the curvature: about each maximum one distribution is a little wider than the maximum, one twice as wide."""


@dataclass(frozen=True)
class Mixture:
    """A sum of normal distributions; the first one is the prior.

    Attributes
    ----------
    log_weight : array of shape (component,)
        Sum of the weights 1.
    centre : array of shape (component, number)
        Means.
    direction : array of shape (component, number, channel)
        Orthonormal directions in which it is narrow.
    curvature : array of shape (component, channel)
        Inverse variance along them, less 1.
    """

    log_weight: Array
    centre: Array
    direction: Array
    curvature: Array

    def log_components(self, z: Array) -> Array:
        """Weight times density of each component over that of a unit normal distribution at its centre, (sample, component)."""
        count, size, channels = self.direction.shape
        flat = self.direction.transpose(1, 0, 2).reshape(size, count * channels)
        along = (z @ flat).reshape(len(z), count, channels) - np.einsum("kd,kdc->kc", self.centre, self.direction)
        square = np.sum(z**2, axis=1)[:, None] - 2.0 * z @ self.centre.T + np.sum(self.centre**2, axis=1)
        return (
            self.log_weight + 0.5 * np.log1p(self.curvature).sum(axis=1) - 0.5 * square
            - 0.5 * np.einsum("nkc,kc->nk", along**2, self.curvature)
        )  # fmt: skip

    def scaled(self, component: NDArray[np.int64], noise: Array) -> Array:
        """Unit normal numbers turned to the width of a component each, without its centre."""
        count, size, channels = self.direction.shape
        flat = self.direction.transpose(1, 0, 2).reshape(size, count * channels)
        along = (noise @ flat).reshape(len(noise), count, channels)
        own = np.zeros_like(along)
        place = np.arange(len(noise))
        own[place, component] = along[place, component] * (1.0 - 1.0 / np.sqrt(1.0 + self.curvature[component]))
        return noise - own.reshape(len(noise), -1) @ flat.T

    def draw(self, count: int, generator: np.random.Generator) -> Array:
        """Draws of all components, with their weights."""
        component = generator.choice(len(self.log_weight), count, p=np.exp(self.log_weight))
        return self.centre[component] + self.scaled(component, generator.standard_normal((count, self.centre.shape[1])))


@dataclass(frozen=True)
class _Places:
    """Points, the logarithm of the posterior there, and the rows whose squares add to the curvature (sample, row, number)."""

    z: Array
    log_posterior: Array
    rows: Array


def posterior_mixture(problem: Problem, generator: np.random.Generator) -> Mixture:
    """Mixture about the maxima of the posterior.

    Parameters
    ----------
    problem : Problem
        Of `siderion.inference.attribution.likelihood.build_problem`.
    generator : numpy.random.Generator
        For the starts.

    Returns
    -------
    Mixture
        Of the prior, and of two distributions about each maximum and about each single explanation whose share of the evidence
        may count.
    """
    single = _explained(problem, generator)
    starts = np.concatenate([_drawn(problem, generator), single.z])
    z, cost = _climb(problem, starts if len(problem.all_counts) <= _FEW else starts[::_THINNING])
    step = problem.local(z)
    peaks = _Places(z, -cost, np.sqrt(step.information)[:, :, None] * step.jacobian)
    found = [_distribution(places) for places in (peaks, single)]
    best = max(float(evidence.max()) for *_, evidence in found)
    centres, directions, curvatures, evidences = [np.zeros((1, problem.size))], [], [], []
    for centre, direction, curvature, evidence in found:
        kept = evidence > best - _WINDOW
        centres.append(centre[kept])
        directions.append(direction[kept])
        curvatures.append(curvature[kept])
        evidences.append(evidence[kept])
    evidence = np.concatenate(evidences)
    share = 0.7 * np.exp(0.5 * evidence - logsumexp(0.5 * evidence)) + 0.3 / len(evidence)
    prior_share = _PRIOR_SHARE if len(problem.all_counts) <= _FEW else _LARGE_PRIOR_SHARE
    return _joined(np.concatenate(centres), directions, curvatures, share, prior_share)


def _joined(centre: Array, directions: list[Array], curvatures: list[Array], share: Array, prior_share: float) -> Mixture:
    """The prior and the distributions, each in all widths, with as many directions as any of them needs."""
    most = max(int((one > _FLAT).sum(axis=1).max(initial=1)) for one in curvatures)
    size = centre.shape[1]
    direction, curvature = np.zeros((len(share), size, most)), np.zeros((len(share), most))
    first = 0
    for some, values in zip(directions, curvatures, strict=True):
        width = min(most, values.shape[1])
        direction[first : first + len(some), :, :width] = some[:, :, :width]
        curvature[first : first + len(some), :width] = values[:, :width]
        first += len(some)
    count = len(_WIDENED)
    weight = np.concatenate([[prior_share], np.tile((1.0 - prior_share) / count * share, count)])
    return Mixture(
        np.log(weight / weight.sum()),
        np.concatenate([centre[:1], np.tile(centre[1:], (count, 1))]),
        np.concatenate([np.zeros((1, size, most)), np.tile(direction, (count, 1, 1))]),
        np.concatenate([np.zeros((1, most)), *(factor * curvature for factor in _WIDENED)]),
    )


def _distribution(places: _Places) -> tuple[Array, Array, Array, Array]:
    """Distinct points by evidence: centre, narrow directions, curvature, and logarithm of the evidence about them."""
    gram = np.eye(places.rows.shape[1]) + places.rows @ places.rows.transpose(0, 2, 1)
    evidence = places.log_posterior - 0.5 * np.linalg.slogdet(gram)[1]
    chosen = _distinct(places.z, evidence)
    _, singular, direction = np.linalg.svd(places.rows[chosen], full_matrices=False)
    return places.z[chosen], direction.transpose(0, 2, 1), singular**2, evidence[chosen]


def _drawn(problem: Problem, generator: np.random.Generator) -> Array:
    """Draws of the prior that explain the counts best at several strengths of the likelihood."""
    z = generator.standard_normal((_DRAWN, problem.size))
    likelihood = problem.log_likelihood(problem.rates(z))
    parts = []
    for power in (0.3, 0.03, 0.003):
        weight = np.exp(power * (likelihood - likelihood.max()))
        parts.append(z[generator.choice(_DRAWN, _STARTS // 6, p=weight / weight.sum())])
    return np.concatenate(parts)


def _pairs(problem: Problem, generator: np.random.Generator) -> NDArray[np.int64]:
    """Which source gives which channel, (explanation, channel): all from one source, and many other ways."""
    level = np.log(np.maximum(problem.plain_rates(np.zeros((1, problem.size)))[0], 1e-300))
    count = _ASSIGNED if level.shape[1] <= _FEW else _ASSIGNED // 4
    noise = generator.choice([2.0, 5.0, 15.0], (count, 1, 1)) * generator.standard_normal((count, *level.shape))
    shared = generator.choice([0.0, 5.0, 15.0], (count, 1, 1)) * generator.standard_normal((count, level.shape[0], 1))
    score = np.where(level > -100.0, level + noise + shared, -1e9)
    for s in range(level.shape[0]):
        score[s, s] += 1e6
    return np.unique(score.argmax(axis=1) * (problem.all_counts > 0.0), axis=0)


def _explained(problem: Problem, generator: np.random.Generator) -> _Places:
    """Points where one source gives all counts of a channel, and the others lie below it."""
    pairs = _pairs(problem, generator)
    sources = range(len(SOURCES))
    counts = problem.all_counts
    wanted = np.log(np.maximum(counts, 0.1) / problem.all_scales)
    info = counts / (1.0 + problem.discrepancy**2 * counts)
    own = np.concatenate([(pairs == s) & (counts > 0.0) for s in sources], axis=1)
    goal = np.tile(wanted, len(SOURCES)) - np.where(own, 0.0, _BELOW)
    z = np.zeros((len(pairs), problem.size))
    for _ in range(5):
        parts = [problem.one_source(z, np.full_like(pairs, s)) for s in sources]
        mean = np.concatenate([part[0] for part in parts], axis=1)
        weight = np.where(own, np.tile(info, len(SOURCES)), (mean > goal) * _SOFT)
        rows = np.sqrt(weight)[:, :, None] * np.concatenate([part[1] for part in parts], axis=1)
        short = np.sqrt(weight) * np.clip(goal - mean, -50.0, 50.0) + (rows @ z[:, :, None])[:, :, 0]
        gram = np.eye(rows.shape[1]) + rows @ rows.transpose(0, 2, 1)
        z = (rows.transpose(0, 2, 1) @ np.linalg.solve(gram, short[:, :, None]))[:, :, 0]
    log_posterior = -_cost(problem, z)
    best = np.argsort(-log_posterior)[: _STARTS // 2]
    return _Places(z[best], log_posterior[best], rows[best])


def _climb(problem: Problem, z: Array) -> tuple[Array, Array]:
    """Damped Gauss-Newton steps of all starts; the numbers at the end, and minus the logarithm of the posterior."""
    damping = np.ones(len(z))
    cost = _cost(problem, z)
    step = problem.local(z)
    for _ in range(_STEPS):
        root = np.sqrt(step.information)[:, :, None] * step.jacobian
        slope = z - (step.score[:, None, :] @ step.jacobian)[:, 0]
        whole = (1.0 + damping)[:, None, None] * np.eye(root.shape[1]) + root @ root.transpose(0, 2, 1)
        part = np.linalg.solve(whole, root @ slope[:, :, None])
        proposal = z - (slope - (root.transpose(0, 2, 1) @ part)[:, :, 0]) / (1.0 + damping)[:, None]
        new = _cost(problem, proposal)
        better = new < cost
        small = np.all(~better | (cost - new < 1e-3))
        z, cost = np.where(better[:, None], proposal, z), np.where(better, new, cost)
        damping = np.where(better, 0.2 * damping, 5.0 * np.maximum(damping, 0.05))
        if small and np.all(damping < 0.05):
            break
        step = problem.local(z)
    return z, cost


def _cost(problem: Problem, z: Array) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        found = 0.5 * np.sum(z**2, axis=1) - problem.log_likelihood(problem.rates(z))
    return np.nan_to_num(found, nan=np.inf)


def _distinct(z: Array, evidence: Array) -> NDArray[np.int64]:
    """The best points by evidence, those apart from each other."""
    chosen: list[int] = []
    for k in np.argsort(-np.nan_to_num(evidence, nan=-np.inf)):
        if len(chosen) == _MOST or (chosen and not evidence[k] > evidence[chosen[0]] - _WINDOW):
            break
        if all(np.sum((z[k] - z[other]) ** 2) > _SAME**2 for other in chosen):
            chosen.append(int(k))
    return np.array(chosen)


__all__ = ["Mixture", "posterior_mixture"]
