"""From odds under several priors to a verdict: a source is named only where every prior agrees."""

from __future__ import annotations

import numpy as np
import xarray as xr

UNDECIDABLE = "undecidable"


def decide_verdict(result: xr.Dataset, threshold: float) -> tuple[str, str]:
    """Name a source, or say why none can be named.

    Parameters
    ----------
    result : xarray.Dataset
        With ``posterior_odds``, ``leading_probability``, ``sampling_error`` and ``bayes_factor`` (prior, origin).
    threshold : float
        Odds that a source must have under every prior, less two standard errors of the sampling.

    Returns
    -------
    (verdict, reason) : two strings
        The source or ``"undecidable"``, and the odds behind it.
    """
    odds = result["posterior_odds"]
    least_probability = (result["leading_probability"] - 2.0 * result["sampling_error"]).clip(0.0, None)
    lowest = (least_probability / (1.0 - least_probability)).min("prior")
    best = str(odds["origin"].values[int(np.argmax(lowest.values))])
    least = float(lowest.sel(origin=best))
    if least >= threshold:
        return best, f"odds of {least:.3g} at least under every prior (threshold {threshold:g})"
    leaders = {str(p): str(odds["origin"].values[int(np.argmax(odds.sel(prior=p).values))]) for p in odds["prior"].values}
    words = "; ".join(f"prior {p}: {name} with odds {float(odds.sel(prior=p, origin=name)):.3g}" for p, name in leaders.items())
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


__all__ = ["UNDECIDABLE", "decide_verdict"]
