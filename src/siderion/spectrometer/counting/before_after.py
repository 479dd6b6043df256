"""Paired tests: counts of the same events before and after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from siderion.core.errors import SettingsError

from .ratio_tests import Alternative, conditional_p_value


@dataclass(frozen=True)
class BeforeAfter:
    """P values of the paired tests, all for more counts after (or as the alternative says).

    Attributes
    ----------
    poisson : float
        Conditional test of the sums before and after: counts independent.
    sign : float
        Events that rose against events that fell: only the direction counts.
    signed_rank : float
        Exact signed-rank test (Wilcoxon) of the changes; zeros are left out.
    appearance : float
        Events with counts only after against those with counts only before (McNemar, exact).
    rose, fell : int
        Number of events with a larger and with a smaller rate after.
    """

    poisson: float
    sign: float
    signed_rank: float
    appearance: float
    rose: int
    fell: int


def before_after_tests(
    before: ArrayLike,
    after: ArrayLike,
    exposure_before: ArrayLike | None = None,
    exposure_after: ArrayLike | None = None,
    alternative: Alternative = "greater",
) -> BeforeAfter:
    """Test whether counts after exceed those before, event by event.

    Parameters
    ----------
    before, after : array of shape (event,)
        Counts.
    exposure_before, exposure_after : array of shape (event,), optional
        Exposures; equal ones by default.
    alternative : {"greater", "less", "two-sided"}
        Whether the rate after is larger, smaller, or differs.

    Returns
    -------
    BeforeAfter

    Raises
    ------
    SettingsError
        Lengths differ, or there is no event.

    References
    ----------
    McNemar 1947, Psychometrika 12, 153, doi:10.1007/BF02295996; Wilcoxon 1945, Biometrics Bull. 1, 80, doi:10.2307/3001968.
    """
    first, second = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    times = [np.ones(first.shape) if t is None else np.asarray(t, dtype=np.float64) for t in (exposure_before, exposure_after)]
    if first.ndim != 1 or not first.size or any(part.shape != first.shape for part in (second, *times)):
        raise SettingsError("before, after and their exposures need one length, of one event at least")
    change = second / times[1] - first / times[0]
    rose, fell = int((change > 0.0).sum()), int((change < 0.0).sum())
    new, gone = int(((first == 0) & (second > 0)).sum()), int(((first > 0) & (second == 0)).sum())
    poisson = conditional_p_value(
        int(second.sum()), float(times[1].sum()), int(first.sum()), float(times[0].sum()), alternative=alternative
    )
    return BeforeAfter(
        poisson, _binomial(rose, fell, alternative), signed_rank_p_value(change, alternative),
        _binomial(new, gone, alternative), rose, fell,
    )  # fmt: skip


def signed_rank_p_value(changes: ArrayLike, alternative: Alternative = "greater") -> float:
    """Exact signed-rank p value: all signs of the ranks (ties share the mean rank, zeros are left out).

    Parameters
    ----------
    changes : array of shape (event,)
        Changes.
    alternative : {"greater", "less", "two-sided"}
        Direction.

    Returns
    -------
    float
        1 where nothing changed.
    """
    values = np.asarray(changes, dtype=np.float64)
    values = values[values != 0.0]
    if not values.size:
        return 1.0
    # twice the ranks are whole numbers, with ties too; the law of their sum is built rank by rank
    ranks = np.rint(2.0 * stats.rankdata(np.abs(values))).astype(np.int64)
    law: NDArray[np.float64] = np.zeros(int(ranks.sum()) + 1)
    law[0] = 1.0
    for rank in ranks:
        shifted = np.zeros_like(law)
        shifted[rank:] = law[:-rank]
        law = 0.5 * (law + shifted)
    observed = int(ranks[values > 0.0].sum())
    upper, lower = min(1.0, float(law[observed:].sum())), min(1.0, float(law[: observed + 1].sum()))
    return {"greater": upper, "less": lower, "two-sided": min(1.0, 2.0 * min(upper, lower))}[alternative]


def _binomial(wins: int, losses: int, alternative: Alternative) -> float:
    return 1.0 if wins + losses == 0 else float(stats.binomtest(wins, wins + losses, 0.5, alternative=alternative).pvalue)
