"""Odds between species whose masses coincide, such as Al+, Si+, N2+ and CO+ near 27 and 28.

Each candidate alone is fitted together with the species that are sure to be there. Molecules break in the foil and atoms do not,
so their times of flight differ although their masses do not. With L the largest likelihood of each fit and p the prior,

    odds of a over b = p_a L_a / (p_b L_b).

These are profile odds: amplitude, shape and the uncertain time of each candidate are fitted, not averaged over, which favours the
candidate with the larger freedom. Where the fit is poor, ln L is divided by
the deviance over its expectation. The odds hold for one candidate at a time: mixtures of them are not among the answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from siderion.core.errors import SettingsError
from siderion.spectrometer.instruments import Setup

from .goodness import goodness_of_fit
from .settings import FitSettings
from .shape import Channel
from .single import make_likelihood

UNDECIDABLE = 3.0
"""Odds of the best over the second candidate below which they are called undecidable."""


def species_odds(
    counts: ArrayLike,
    edges_s: ArrayLike,
    candidates: Sequence[str],
    others: Sequence[str],
    setup: Setup,
    settings: FitSettings | None = None,
    *,
    priors: Mapping[str, float] | None = None,
    calibration: Channel | None = None,
) -> xr.Dataset:
    """Posterior odds of candidates for one peak of one spectrum.

    Parameters
    ----------
    counts : array of shape (bin,)
    edges_s : array of shape (bin + 1,)
        s.
    candidates : sequence of str
        Two ions or more, of which one is taken to be there.
    others : sequence of str
        Ions that are there besides; candidates among them are left out.
    setup : Setup
    settings : FitSettings, optional
    priors : mapping of str to float, optional
        Prior weights of candidates, in any unit; 1 for those that are not named.
    calibration : Channel, optional
        As in `fit_spectra`.

    Returns
    -------
    xarray.Dataset
        Along ``candidate``: ``prior_probability``, ``posterior_probability``, ``ln_likelihood_ratio`` (over the best candidate),
        ``candidate_counts``; ``best_odds`` (best over second); attribute ``verdict``: a candidate, or undecidable. Below 9 for
        twice the gain in ln L over none of the candidates, the verdict says that nothing is seen.

    Raises
    ------
    SettingsError
        Fewer than two candidates, or a prior that is negative, not finite, or of no candidate.
    """
    chosen = settings or FitSettings()
    names = list(dict.fromkeys(candidates))
    given = dict(priors or {})
    if len(names) < 2:
        raise SettingsError(f"candidates are {', '.join(names) or 'none'}; give two at least, such as Al+,Si+,N2+")
    wrong = [name for name, value in given.items() if name not in names or not 0.0 <= value < np.inf]
    if wrong:
        raise SettingsError(f"prior {wrong[0]}={given[wrong[0]]}: priors belong to candidates ({', '.join(names)}), 0 or more")
    prior = np.array([float(given.get(name, 1.0)) for name in names])
    if not prior.sum() > 0.0:
        raise SettingsError("all priors are zero; give one candidate a positive prior")
    sure = [name for name in others if name not in names]
    edges, data = np.asarray(edges_s, dtype=float), np.asarray(counts, dtype=float)
    values, amounts, fits = [], [], []
    for group in ([], *([name] for name in names)):
        channel = Channel(data, edges, (*sure, *group), setup, chosen.background)
        likelihood = make_likelihood((channel, *(() if calibration is None else (calibration,))), chosen)
        found = likelihood.fit()
        values.append(found.value)
        amounts.append(float(found.parameters[len(sure)]) if group else 0.0)
        fits.append((found.expected[: data.size], int(likelihood.free(found).sum())))
    best = int(np.argmin(values[1:])) + 1
    chance, scale = goodness_of_fit(data, *fits[best])
    stretch = max(float(scale) ** 2, 1.0) if chance < chosen.misfit_level else 1.0
    gains = -(np.array(values[1:]) - values[best]) / stretch
    weights = prior * np.exp(gains)
    posterior = weights / weights.sum()
    order = np.argsort(-posterior)
    second = posterior[order[1]]
    odds = float(posterior[order[0]] / second) if second > 0.0 else np.inf
    return _result(names, prior, posterior, gains, amounts[1:], odds, 2.0 * (values[0] - values[best]) / stretch)


def _result(
    names: list[str],
    prior: np.ndarray,
    posterior: np.ndarray,
    gains: np.ndarray,
    amounts: list[float],
    odds: float,
    against_none: float,
) -> xr.Dataset:
    leader = names[int(posterior.argmax())]
    if against_none < 9.0:
        verdict = "none of the candidates is seen"
    elif odds < UNDECIDABLE:
        verdict = "undecidable"
    else:
        verdict = leader
    columns = {
        "prior_probability": (prior / prior.sum(), "prior probability of the candidate"),
        "posterior_probability": (posterior, "posterior probability of the candidate"),
        "ln_likelihood_ratio": (gains, "ln likelihood less that of the best candidate"),
        "candidate_counts": (np.array(amounts), "best counts of the candidate, alone with the sure species"),
    }
    found = xr.Dataset(
        {name: ("candidate", values, {"units": "1", "long_name": text}) for name, (values, text) in columns.items()},
        coords={"candidate": names},
        attrs={"verdict": verdict, "undecidable_below": UNDECIDABLE},
    )
    found["best_odds"] = ((), odds, {"units": "1", "long_name": "odds of the best over the second candidate"})
    found["gain_over_none"] = ((), against_none, {"units": "1", "long_name": "twice the gain in ln L over no candidate"})
    return found
