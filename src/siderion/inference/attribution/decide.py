"""Which further datum would decide best: expected information about the leading source, in bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from siderion.core.tables import load_table
from siderion.inference.attribution.channels import parse_channel
from siderion.inference.attribution.context import SOURCES
from siderion.inference.attribution.likelihood import build_problem
from siderion.inference.attribution.model import Problem
from siderion.inference.attribution.observation import Observation
from siderion.inference.attribution.posterior import Posterior

Array = NDArray[np.float64]
_PER_PRIOR = 300
_TEMPERS = (1.0, 0.3, 0.1, 0.02)
_KEPT = 0.02


@dataclass(frozen=True)
class Candidate:
    """A datum that could be taken.

    Attributes
    ----------
    name, meaning : str
        Short name, and what it is.
    information : float
        Expected information about which source supplies the most, bits: a lower bound, see `rank_candidates`.
    decided : float
        Probability that afterwards one source has the odds of the threshold under every prior.
    confidence : str
        Of the row of the table.
    """

    name: str
    meaning: str
    information: float
    decided: float
    confidence: str


@dataclass(frozen=True)
class _Pool:
    """Samples of all priors together: what they expect of a datum (logarithm), and their leading source."""

    log_mean: Array
    leader: NDArray[np.int64]
    prior: NDArray[np.int64]


def rank_candidates(
    problems: Sequence[Problem], posteriors: Sequence[Posterior], threshold: float, *, seed: int = 0, **options: object
) -> tuple[list[Candidate], float]:
    """Expected information of the data of ``inference/tables/attribution_candidates.csv``, best first.

    The samples of the posteriors of all priors are taken together, each prior with the same weight: a datum is good where it
    decides whatever the prior. For a datum y and the leading source D the information is H(D) - E[-log2 q(D | y)], with q the
    share of the samples weighted by their likelihood of y, without the sample that y was drawn from. Whatever q is, this is no
    more than the mutual information (Barber and Agakov 2003), so few samples make it smaller, never larger, apart from
    the scatter of some hundred draws.

    Parameters
    ----------
    problems, posteriors
        By prior, of the same observations.
    threshold : float
        Odds from which a source is named.
    seed : int
        Of the random numbers.
    options
        ``dispersion``, ``year`` and ``wind`` of `build_problem`.

    Returns
    -------
    (candidates, uncertainty) : list of Candidate, float
        Best first, and the entropy of the leading source now, bits.
    """
    table = load_table("inference", "attribution_candidates").astype(object)
    table = table.where(table.notna(), "")
    found, uncertainty = [], 0.0
    for k, row in enumerate(table.to_dict("records")):
        generator = np.random.default_rng([seed, k])
        pool, draws, dispersion = _predict(row, problems, posteriors, generator, options)
        width = np.log(float(row["factor"])) if row["kind"] == "strength" else None
        distance = _distance(pool.log_mean, draws, dispersion, problems[0].discrepancy, width)
        information, decided, uncertainty = _gain(pool, distance, threshold)
        found.append(Candidate(row["name"], row["meaning"], information, decided, row["confidence"]))
    return sorted(found, key=lambda one: -one.information), uncertainty


def candidate_observation(row: dict, base: Observation, index: int) -> Observation:
    """The observation that a row of the table describes: channels, exposure and what changes in the context."""
    channels = base.channels if row["channels"] == "same" else tuple(map(parse_channel, row["channels"].split(";")))
    context, selection = base.context, ""
    interval: int | None = index
    if row["change"] in ("above cut-off", "direction"):
        selection = row["change"]
    elif row["change"] == "Moon away":
        context, interval = context.changed(moon_sector=6, in_wake=False), None
    elif row["change"] == "quiet":
        context, interval = context.changed(kp=0.0, dst=None, shock=False), None
    elif float(row["exposure_factor"]) > 1.0:
        interval = None
    resolution = max(base.mass_resolution, 60.0) if row["name"] == "mass resolution 60" else base.mass_resolution
    return Observation(
        channels, np.zeros(len(channels)), context, base.exposure * float(row["exposure_factor"]), mass_resolution=resolution,
        is_target=False, selection=selection, interval=interval,
    )  # fmt: skip


def _base(problem: Problem) -> int:
    """The target with the most counts."""
    counts = [one.counts.sum() if one.is_target else -1.0 for one in problem.observations]
    return int(np.argmax(counts))


def _predict(
    row: dict, problems: Sequence[Problem], posteriors: Sequence[Posterior], generator: np.random.Generator, options: dict
) -> tuple[_Pool, Array, float]:
    """Expected values of the datum for all samples, and one draw of the datum for each."""
    means, leaders = [], []
    for problem, posterior in zip(problems, posteriors, strict=True):
        z = posterior.z[generator.choice(len(posterior.z), _PER_PRIOR, replace=len(posterior.z) < _PER_PRIOR)]
        leaders.append(problem.target_shares(problem.rates(z)).argmax(axis=1))
        means.append(_strength(row, problem, z) if row["kind"] == "strength" else _expected(row, problem, z, generator, options))
    pool = _Pool(np.concatenate(means), np.concatenate(leaders), np.repeat(np.arange(len(problems)), _PER_PRIOR))
    if row["kind"] == "strength":
        noise = np.log(float(row["factor"])) * generator.standard_normal(pool.log_mean.shape)
        return pool, pool.log_mean + noise, 1.0
    dispersion = problems[0].dispersion
    mean = np.minimum(np.exp(pool.log_mean), 1e12)
    # variance dispersion x mean + (discrepancy x mean)^2, as in the model
    ratio = np.maximum(dispersion - 1.0 + problems[0].discrepancy ** 2 * mean, 1e-12)
    return pool, generator.poisson(generator.gamma(mean / ratio, ratio)).astype(np.float64), dispersion


def _expected(row: dict, problem: Problem, z: Array, generator: np.random.Generator, options: dict) -> Array:
    """Logarithm of the expected counts of a datum, of shape (sample, channel)."""
    index = _base(problem)
    base = problem.observations[index]
    extra = candidate_observation(row, base, index if base.interval is None else base.interval)
    larger = build_problem([*problem.observations, extra], problem.prior, **options)
    known = {name: k for k, name in enumerate(problem.names)}
    whole = generator.standard_normal((len(z), larger.size))
    for k, name in enumerate(larger.names):
        if name in known:
            whole[:, k] = z[:, known[name]]
    last = replace(larger, blocks=larger.blocks[-1:], observations=larger.observations[-1:])
    return np.log(np.maximum(last.rates(whole)[0].sum(axis=1), 1e-12))


def _strength(row: dict, problem: Problem, z: Array) -> Array:
    """Logarithm of the supply of a source, of shape (sample, 1)."""
    s = SOURCES.index(row["origin"])
    k = problem.names.index(f"strength of {row['origin']}")
    block = problem.blocks[_base(problem)]
    return (block.centre[s] + block.slope[s, k] * z[:, k])[:, None]


def _distance(log_mean: Array, draws: Array, dispersion: float, discrepancy: float, width: float | None) -> Array:
    """Logarithm of the likelihood of every draw for every sample, up to a constant of the draw.

    Counts are turned to numbers of unit variance, 2/d arsinh(d sqrt(n + 3/8)) for a variance of n + d^2 n^2: near enough, and any
    likelihood keeps the bound of `rank_candidates`.
    """
    if width is None:
        d = discrepancy / np.sqrt(dispersion)
        turned = [2.0 / discrepancy * np.arcsinh(d * np.sqrt(n + 0.375)) for n in (draws, np.exp(np.minimum(log_mean, 28.0)))]
    else:
        turned = [draws / width, log_mean / width]
    y, x = turned
    return np.asarray(y @ x.T - 0.5 * np.sum(x**2, axis=1))


def _gain(pool: _Pool, log_weight: Array, threshold: float) -> tuple[float, float, float]:
    """Information in bits, probability of a decision under every prior, and the entropy before.

    The power of the weights is chosen on half of the draws, the information is that of the other half.
    """
    share = np.bincount(pool.leader, minlength=len(SOURCES)) / len(pool.leader)
    entropy = max(float(-np.sum(share * np.log2(np.where(share > 0.0, share, 1.0)))), 0.0)
    log_weight = log_weight.copy()
    np.fill_diagonal(log_weight, -np.inf)
    first = np.arange(len(pool.leader)) % 2 == 0
    found = []
    for temper in (*_TEMPERS, 0.0):
        q = _weighted_shares(pool.leader, log_weight, temper)
        score = np.log2(q[np.arange(len(q)), pool.leader])
        found.append((float(score[first].mean()), float(score[~first].mean()), temper))
    _, other, temper = max(found)
    information = max(entropy + other, 0.0)
    sure = threshold / (1.0 + threshold)
    lowest = np.ones((len(pool.leader), len(SOURCES)))
    for p in np.unique(pool.prior):
        own = pool.prior == p
        lowest = np.minimum(lowest, _weighted_shares(pool.leader[own], log_weight[:, own], temper))
    return min(information, entropy), float((lowest.max(axis=1) >= sure).mean()), entropy


def _weighted_shares(leader: NDArray[np.int64], log_weight: Array, temper: float) -> Array:
    """Probability of each leading source for every draw, by samples weighted with a power of the likelihood."""
    member = (leader[:, None] == np.arange(len(SOURCES))).astype(np.float64)
    weight = np.exp(temper * np.maximum(log_weight - log_weight.max(axis=1, keepdims=True), -1e6)) * np.isfinite(log_weight)
    return (1.0 - _KEPT) * (weight @ member) / weight.sum(axis=1, keepdims=True) + _KEPT * member.mean(axis=0) + 1e-9


__all__ = ["Candidate", "candidate_observation", "rank_candidates"]
