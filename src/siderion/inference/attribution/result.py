"""Odds of the sources under every prior, the verdict, and what would decide: one Dataset."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from siderion.core.errors import SettingsError
from siderion.core.measurement import measurement_from_samples
from siderion.core.tables import load_table
from siderion.inference.attribution.context import SOURCES
from siderion.inference.attribution.decide import rank_candidates
from siderion.inference.attribution.likelihood import Observation, Problem, build_problem, target_channels
from siderion.inference.attribution.posterior import Posterior, sample_posterior
from siderion.inference.attribution.priors import get_prior, prior_names
from siderion.inference.attribution.sources_expected import expected_source
from siderion.inference.attribution.verdict import decide_verdict

Array = NDArray[np.float64]
_PRIOR_DRAWS = 8000
_SHARE_SAMPLES = 2000


def attribute(
    observations: Sequence[Observation],
    *,
    priors: Sequence[str] | None = None,
    threshold: float = 10.0,
    samples: int = 1000,
    seed: int = 0,
    dispersion: float = 1.0,
    year: float = 2004.0,
    wind: str = "slow",
    further: bool = True,
    runs: int | None = None,
) -> xr.Dataset:
    """Odds that each of the four sources supplied the most of the counts.

    Parameters
    ----------
    observations : sequence of Observation
        What was counted, with its context; those that are no target are controls.
    priors : sequence of str, optional
        Names of priors; all of the table by default.
    threshold : float
        Posterior odds from which a source is named, under every prior.
    samples, seed : int
        Of the posterior.
    dispersion : float
        Variance of the counts over their mean, 1 for Poisson.
    year, wind
        Of `expected_source`.
    further : bool
        Rank further data.
    runs : int, optional
        Of `sample_posterior`.

    Returns
    -------
    xarray.Dataset
        By ``prior`` and ``origin``: measurement ``count_share``; ``leading_probability`` (that the source supplies the most of
        the target), ``prior_probability``, ``posterior_odds``, ``bayes_factor`` (posterior odds over prior odds), measurement
        ``prior_counts`` (expected counts of the target before); its
        ``sampling_error``; by ``prior``: ``log_evidence``; ``channel_share`` (prior,
        origin, channel): mean share in each channel of the targets; by ``candidate``: ``information_gain`` and
        ``decided_probability``.
        Attributes ``verdict`` (a source or ``undecidable``) and ``verdict_reason``.

    Raises
    ------
    SettingsError
        Threshold at most 1, or fewer than 200 samples.
    """
    if not 1.0 < threshold < np.inf or samples < 200 or seed < 0:
        raise SettingsError(
            f"threshold {threshold}, samples {samples}, seed {seed}: give odds above 1, 200 samples, a seed from 0 on"
        )
    names = list(priors or prior_names())
    options = {"dispersion": dispersion, "year": year, "wind": wind}
    problems = [build_problem(observations, get_prior(name), **options) for name in names]  # type: ignore[arg-type]
    posteriors = [sample_posterior(problem, samples=samples, seed=seed, runs=runs) for problem in problems]
    result = _odds(names, problems, posteriors, seed)
    if further:
        result = result.merge(_further(problems, posteriors, threshold, seed, options), combine_attrs="override")
    verdict, reason = decide_verdict(result, threshold)
    result.attrs = {
        "title": "Odds of the sources of heavy ions", "kind": "siderion attribution",
        "verdict": verdict, "verdict_reason": reason,
        "settings": json.dumps({"priors": names, "threshold": threshold, "samples": samples, "seed": seed, **options}),
        "sources": json.dumps(_sources(year, wind)), "siderion_version": version("siderion"),
    }  # fmt: skip
    return result


def _odds(names: list[str], problems: Sequence[Problem], posteriors: Sequence[Posterior], seed: int) -> xr.Dataset:
    """Everything by prior and source."""
    count = len(SOURCES)
    leading, before, error = (np.zeros((len(names), count)) for _ in range(3))
    shares, expected, rests = [], [], []
    for k, (problem, posterior) in enumerate(zip(problems, posteriors, strict=True)):
        z = np.random.default_rng([seed, 1]).standard_normal((_PRIOR_DRAWS, problem.size))
        rates = problem.rates(z)
        before[k] = _leaders(problem.target_shares(rates))
        expected.append(_target_counts(problem, rates))
        after = problem.target_shares(problem.rates(posterior.z))
        leading[k] = _leaders(after)
        shares.append(_thinned(after, seed))
        error[k] = _sampling_error(problem, posterior)
        rests.append(_rests_on(problem, z, rates))
    odds = leading / (1.0 - leading)
    result = xr.merge(
        [
            measurement_from_samples("count_share", np.stack(shares, axis=1), dims=("prior", "origin"), units="1",
                                     long_name="share of the source in the counts of the target"),
            measurement_from_samples("prior_counts", np.stack(expected, axis=1), dims=("prior", "origin"), units="1",
                                     long_name="counts of the target expected before it was seen"),
        ]
    )  # fmt: skip
    numbers = {
        "leading_probability": (leading, "probability that the source supplies the most"),
        "sampling_error": (error, "standard error of that probability, from the difference of independent runs"),
        "prior_probability": (before, "the same before the counts were seen"),
        "posterior_odds": (odds, "odds that the source supplies the most"),
        "bayes_factor": (odds / (before / (1.0 - before)), "posterior odds over prior odds"),
    }
    for name, (values, words) in numbers.items():
        result[name] = (("prior", "origin"), values, {"units": "1", "long_name": words})
    result["log_evidence"] = ("prior", [one.log_evidence for one in posteriors],
                              {"units": "1", "long_name": "logarithm of the probability of the counts"})  # fmt: skip
    result["effective_samples"] = (
        "prior",
        [one.effective for one in posteriors],
        {"units": "1", "long_name": "effective samples"},
    )
    result["rests_on"] = ("prior", rests, {"long_name": "what the prior odds of the source that leads rest on most"})
    result = result.assign_coords(prior=names, origin=list(SOURCES))
    return result.merge(_channels(problems, posteriors))


def _leaders(shares: Array) -> Array:
    """Probability that each source has the largest share; never 0 or 1, for half a sample may have been missed."""
    found = np.bincount(shares.argmax(axis=1), minlength=len(SOURCES)) / len(shares)
    return np.clip(found, 0.5 / len(shares), 1.0 - 0.5 / len(shares))


def _sampling_error(problem: Problem, posterior: Posterior) -> Array:
    """Standard error of the probabilities between runs; of one set of draws by its effective number."""
    if len(posterior.runs) < 2:
        share = _leaders(problem.target_shares(problem.rates(posterior.z)))
        return np.sqrt(share * (1.0 - share) / posterior.effective)
    found = np.stack([_leaders(problem.target_shares(problem.rates(z))) for z in posterior.runs])
    return found.std(axis=0, ddof=1) / np.sqrt(len(found))


def _thinned(shares: Array, seed: int) -> Array:
    """As many samples for every prior."""
    return shares[np.random.default_rng([seed, 2]).choice(len(shares), _SHARE_SAMPLES)]


def _target_counts(problem: Problem, rates: Sequence[Array]) -> Array:
    found = np.zeros((len(rates[0]), len(SOURCES)))
    for observation, rate in zip(problem.observations, rates, strict=True):
        if observation.is_target:
            found += rate[:, :, target_channels(observation)].sum(axis=2)
    return found


def _rests_on(problem: Problem, z: Array, rates: Sequence[Array]) -> str:
    """The normal number that goes most with the lead of the strongest source over the next, before the counts."""
    counts = np.log(np.maximum(_target_counts(problem, rates), 1e-300))
    order = np.argsort(np.median(counts, axis=0))
    lead = counts[:, order[-1]] - counts[:, order[-2]]
    lead = (lead - lead.mean()) / lead.std()
    return problem.names[int(np.argmax(np.abs(z.T @ lead)))]


def _channels(problems: Sequence[Problem], posteriors: Sequence[Posterior]) -> xr.Dataset:
    """Mean share of each source in each channel of the targets, and the counts."""
    targets = [k for k, one in enumerate(problems[0].observations) if one.is_target]
    names = list(dict.fromkeys(c.name for k in targets for c in problems[0].observations[k].channels))
    values = np.zeros((len(problems), len(SOURCES), len(names)))
    counted = np.zeros(len(names))
    for p, (problem, posterior) in enumerate(zip(problems, posteriors, strict=True)):
        rates = problem.rates(posterior.z)
        whole = np.zeros((len(posterior.z), len(SOURCES), len(names)))
        for k in targets:
            for c, channel in enumerate(problem.observations[k].channels):
                whole[:, :, names.index(channel.name)] += rates[k][:, :, c]
                if p == 0:
                    counted[names.index(channel.name)] += problem.observations[k].counts[c] / problem.observations[k].scale[c]
        values[p] = np.mean(whole / np.maximum(whole.sum(axis=1, keepdims=True), 1e-300), axis=0)
    return xr.Dataset(
        {
            "channel_share": (("prior", "origin", "channel"), values,
                              {"units": "1", "long_name": "mean share of the source in the counts of the channel"}),
            "channel_counts": ("channel", counted, {"units": "1", "long_name": "counts of the targets"}),
        },
        coords={"channel": names},
    )  # fmt: skip


def _further(
    problems: Sequence[Problem], posteriors: Sequence[Posterior], threshold: float, seed: int, options: dict
) -> xr.Dataset:
    found, uncertainty = rank_candidates(problems, posteriors, threshold, seed=seed, **options)
    bits = {"units": "bit", "long_name": "expected information about the leading source, lower bound"}
    return xr.Dataset(
        {
            "information_gain": ("candidate", [one.information for one in found], bits),
            "decided_probability": ("candidate", [one.decided for one in found],
                                    {"units": "1", "long_name": "probability that one source is named afterwards"}),
            "candidate_meaning": ("candidate", [one.meaning for one in found]),
            "leader_entropy": ((), uncertainty, {"units": "bit", "long_name": "entropy of the leading source, all priors"}),
        },
        coords={"candidate": [one.name for one in found]},
    )  # fmt: skip


def _sources(year: float, wind: str) -> list[dict[str, str]]:
    """Citations: forward models of the sources, and the rows of the tables of this package."""
    tables = "siderion/inference/tables/budget_factors.csv and the tables of siderion.sources"
    found = []
    for origin in SOURCES:
        models = "; ".join(expected_source(origin, year=year, wind=wind).models)
        what = f"composition and supply of the {origin}"
        found.append({"what": what, "model": models, "confidence": "unverified", "citation": tables})
    for name in ("factors", "ions", "settings"):
        rows = load_table("inference", f"attribution_{name}")
        for confidence, some in rows.groupby("confidence"):
            text = "; ".join(pd.unique(some["source"]))
            found.append(
                {"what": f"attribution_{name}.csv", "model": f"{len(some)} rows", "confidence": str(confidence), "citation": text}
            )
    return found


__all__ = ["attribute"]
