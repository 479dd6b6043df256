"""From odds under several priors to a verdict: a source is named only where every prior agrees."""

from __future__ import annotations

import numpy as np
import xarray as xr

from siderion.inference.attribution.context import setting

UNDECIDABLE = "undecidable"


def decide_verdict(result: xr.Dataset, threshold: float) -> tuple[str, str]:
    """Name a source, or say why none can be named.

    Parameters
    ----------
    result : xarray.Dataset
        With ``posterior_odds``, ``leading_probability``, ``sampling_error``, ``run_spread``, ``odds_bound`` and ``bayes_factor``
        (prior, origin), and ``log_evidence_spread`` (prior).
    threshold : float
        Odds that a source must have under every prior, less two standard errors of the sampling.

    Returns
    -------
    (verdict, reason) : two strings
        The source or ``"undecidable"``, and the odds behind it.
    """
    if unsettled := _unsettled(result):
        return UNDECIDABLE, (
            f"the sampler did not settle: {'; '.join(unsettled)}; take more samples (--samples) or fewer channels, and do not "
            "use the odds"
        )
    odds = result["posterior_odds"]
    least_probability = (result["leading_probability"] - 2.0 * result["sampling_error"]).clip(0.0, None)
    lowest = (least_probability / (1.0 - least_probability)).min("prior")
    best = str(odds["origin"].values[int(np.argmax(lowest.values))])
    least = float(lowest.sel(origin=best))
    if least >= threshold:
        return best, f"odds of {least:.3g} at least under every prior (threshold {threshold:g}), less two standard errors"
    leaders = {str(p): str(odds["origin"].values[int(np.argmax(odds.sel(prior=p).values))]) for p in odds["prior"].values}
    words = "; ".join(f"prior {p}: {name} with odds {_odds_words(result, p, name)}" for p, name in leaders.items())
    convinced = {p: name for p, name in leaders.items() if float(odds.sel(prior=p, origin=name)) >= threshold}
    if not convinced:
        return UNDECIDABLE, f"no prior reaches odds of {threshold:g} ({words}): the counts do not tell the sources apart"
    weak = [f"{float(result['bayes_factor'].sel(prior=p, origin=name)):.2g}" for p, name in convinced.items()]
    doubt = ", ".join(p for p in leaders if p not in convinced) or "the others"
    if len(set(convinced.values())) > 1:
        return UNDECIDABLE, f"the priors name different sources ({words}): the prior decides, not the counts"
    name = next(iter(convinced.values()))
    return UNDECIDABLE, (
        f"{name} under {', '.join(convinced)} but not under {doubt} ({words}): the prior decides; the counts change the odds "
        f"only by a factor of {', '.join(weak)}"
    )


def _odds_words(result: xr.Dataset, prior: str, name: str) -> str:
    one = result.sel(prior=prior, origin=name)
    return bounded(float(one["posterior_odds"]), float(one["odds_bound"]))


def settled(result: xr.Dataset) -> bool:
    """Whether the runs of the sampler agree under every prior."""
    return not _unsettled(result)


def _unsettled(result: xr.Dataset) -> list[str]:
    """For each prior without agreement, in what the runs differ."""
    found = []
    for prior in result["prior"].values:
        one = result.sel(prior=prior)
        spread, leader = float(one["log_evidence_spread"]), float(one["run_spread"].max())
        if spread > setting("largest_evidence_spread"):
            found.append(f"prior {prior}: the log evidence of independent runs differs by {spread:.2g}")
        elif leader > setting("largest_leader_spread") and bool(one["leaders_differ"]):
            found.append(
                f"prior {prior}: independent runs name different leaders, with probabilities that differ by {leader:.2g}"
            )
    return found


def bounded(value: float, bound: float, form: str = ".3g") -> str:
    """A number of the odds in words, with its bound: ``> 2e+03``, ``< 0.0005``, ``no access``."""
    if bound > 1.0:
        return "no access"
    return f"{'> ' if bound > 0.0 else '< ' if bound < 0.0 else ''}{value:{form}}"


__all__ = ["UNDECIDABLE", "bounded", "decide_verdict", "settled"]
