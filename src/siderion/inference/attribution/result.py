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
from siderion.inference.attribution.likelihood import build_problem
from siderion.inference.attribution.model import Problem
from siderion.inference.attribution.observation import Observation
from siderion.inference.attribution.posterior import RUNS, Posterior, sample_posterior
from siderion.inference.attribution.priors import get_prior, prior_names
from siderion.inference.attribution.sources_expected import expected_source
from siderion.inference.attribution.verdict import UNDECIDABLE, decide_verdict, settled

Array = NDArray[np.float64]
_PRIOR_DRAWS = 8000
_SHARE_SAMPLES = 2000
_YEARS = (1950.0, 2200.0)
NO_ACCESS = 9
"""Of ``bayes_factor_bound``: the source gives no counts to the target, whatever its strength."""


def attribute(
    observations: Sequence[Observation],
    *,
    priors: Sequence[str] | None = None,
    threshold: float = 10.0,
    samples: int = 2000,
    seed: int = 0,
    dispersion: float = 1.0,
    year: float = 2004.0,
    wind: str = "slow",
    further: bool = True,
    runs: int = RUNS,
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
        Rank further data, where the verdict is open and the sampler settled.
    runs : int
        Of `sample_posterior`.

    Returns
    -------
    xarray.Dataset
        By ``prior`` and ``origin``: measurement ``count_share``; ``leading_probability`` (that the source supplies the most of
        the target), ``prior_probability``, ``posterior_odds``, ``bayes_factor`` (posterior odds over prior odds), measurement
        ``prior_counts`` (expected counts of the target before); its
        ``sampling_error``; ``odds_bound`` and ``bayes_factor_bound`` (1: at least, -1: at most, 9: no access, then the Bayes
        factor is NaN); ``run_spread``, the range of the probability over the runs; by ``prior``: ``log_evidence``,
        ``log_evidence_spread`` over the runs; ``channel_share`` (prior,
        origin, channel): mean share in each channel of the targets; by ``candidate``: ``information_gain`` and
        ``decided_probability``, left out where a source is named or the sampler did not settle.
        Attributes ``verdict`` (a source or ``undecidable``) and ``verdict_reason``.

    Raises
    ------
    SettingsError
        Threshold at most 1, fewer than 200 samples or 2 runs, or a year outside of 1950 to 2200.
    """
    if not _YEARS[0] <= year <= _YEARS[1]:
        raise SettingsError(f"year is {year:g}; it must be {_YEARS[0]:.0f} to {_YEARS[1]:.0f}")
    if runs < 2:
        raise SettingsError(f"runs is {runs}; give 2 or more, for their difference tells whether the sampler settled")
    if not 1.0 < threshold < np.inf or samples < 200 or seed < 0:
        raise SettingsError(
            f"threshold {threshold}, samples {samples}, seed {seed}: give odds above 1, 200 samples, a seed from 0 on"
        )
    names = list(priors or prior_names())
    options = {"dispersion": dispersion, "year": year, "wind": wind}
    problems = [build_problem(observations, get_prior(name), **options) for name in names]  # type: ignore[arg-type]
    posteriors = [sample_posterior(problem, samples=samples, seed=seed, runs=runs) for problem in problems]
    result = _odds(names, problems, posteriors, seed)
    verdict, reason = decide_verdict(result, threshold)
    if further and verdict == UNDECIDABLE and settled(result):
        result = result.merge(_further(problems, posteriors, threshold, seed, options), combine_attrs="override")
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
    leading, before, error, spread, bound, sure = (np.zeros((len(names), count)) for _ in range(6))
    shares, expected, rests = [], [], []
    for k, (problem, posterior) in enumerate(zip(problems, posteriors, strict=True)):
        z = np.random.default_rng([seed, 1]).standard_normal((_PRIOR_DRAWS, problem.size))
        rates = problem.rates(z)
        before[k] = _leaders(problem.target_shares(rates))
        expected.append(problem.target_counts(rates))
        after = problem.target_shares(problem.rates(posterior.z))
        leading[k] = _leaders(after)
        shares.append(_thinned(after, seed))
        error[k], spread[k] = _sampling_error(problem, posterior, leading[k])
        rests.append(_rests_on(problem, z, rates))
        bound[k] = _at_bound(leading[k], len(after))
        none = expected[-1].max(axis=0) <= 0.0
        bound[k, none], sure[k] = NO_ACCESS, np.where(none, NO_ACCESS, _factor_bound(bound[k], _at_bound(before[k], len(z))))
    odds = leading / (1.0 - leading)
    factor = np.where(sure == NO_ACCESS, np.nan, odds / (before / (1.0 - before)))
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
        "sampling_error": (error, "standard error of that probability, from independent runs and the effective samples"),
        "run_spread": (spread, "largest less smallest of that probability over the runs"),
        "prior_probability": (before, "the same before the counts were seen"),
        "posterior_odds": (odds, "odds that the source supplies the most"),
        "odds_bound": (bound, "odds are 0: as they stand, 1: at least, -1: at most, 9: no access of the source to the target"),
        "bayes_factor": (factor, "posterior odds over prior odds; NaN without access"),
        "bayes_factor_bound": (sure, "the factor is 0: as it stands, 1: at least, -1: at most, 9: not defined (no access)"),
    }
    for name, (values, words) in numbers.items():
        result[name] = (("prior", "origin"), values, {"units": "1", "long_name": words})
    by_prior = {
        "log_evidence": ([one.log_evidence for one in posteriors],
                         "logarithm of the probability of the counts; not comparable between priors (equal is centred with the "
                         "counts) nor for intervals and limits (equivalent counts)"),
        "log_evidence_spread": ([one.spread for one in posteriors],
                                "largest less smallest log evidence of the independent runs; above 1 the sampler did not settle"),
        "leaders_differ": ([_leaders_differ(*pair) for pair in zip(problems, posteriors, strict=True)],
                           "1 where independent runs name different leading sources"),
        "effective_samples": ([one.effective for one in posteriors],
                              "effective samples, by the weights and by the difference between the runs"),
    }  # fmt: skip
    for name, (numbers_of, words) in by_prior.items():
        result[name] = ("prior", numbers_of, {"units": "1", "long_name": words})
    result["rests_on"] = ("prior", rests, {"long_name": "what the prior odds of the source that leads rest on most"})
    result = result.assign_coords(prior=names, origin=list(SOURCES))
    return result.merge(_channels(problems, posteriors))


def _at_bound(probability: Array, count: int) -> Array:
    """1 where no sample speaks against the source, -1 where none speaks for it, else 0."""
    return (probability >= 1.0 - 0.5 / count).astype(float) - (probability <= 0.5 / count)


def _factor_bound(after: Array, before: Array) -> Array:
    """Of the ratio of odds: at least where they are after or the others before; not known where both are at the same end."""
    found = np.where(after != 0.0, after, -before)
    return np.where((after != 0.0) & (after == before), NO_ACCESS, found)


def _leaders(shares: Array) -> Array:
    """Probability that each source has the largest share; never 0 or 1, for half a sample may have been missed."""
    found = np.bincount(shares.argmax(axis=1), minlength=len(SOURCES)) / len(shares)
    return np.clip(found, 0.5 / len(shares), 1.0 - 0.5 / len(shares))


def _sampling_error(problem: Problem, posterior: Posterior, share: Array) -> tuple[Array, Array]:
    """Standard error of the probabilities, the larger one by the runs and by the effective number; their range over the runs."""
    found = np.stack([_leaders(problem.target_shares(problem.rates(z))) for z in posterior.runs])
    between = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    return np.maximum(between, np.sqrt(share * (1.0 - share) / posterior.effective)), np.ptp(found, axis=0)


def _leaders_differ(problem: Problem, posterior: Posterior) -> float:
    found = {int(_leaders(problem.target_shares(problem.rates(z))).argmax()) for z in posterior.runs}
    return float(len(found) > 1)


def _thinned(shares: Array, seed: int) -> Array:
    """As many samples for every prior."""
    return shares[np.random.default_rng([seed, 2]).choice(len(shares), _SHARE_SAMPLES)]


def _rests_on(problem: Problem, z: Array, rates: Sequence[Array]) -> str:
    """The normal number that goes most with the lead of the strongest source over the next, before the counts."""
    counts = np.log(np.maximum(problem.target_counts(rates), 1e-300))
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
