"""Rate maps, counts over exposure with exact intervals, and the joining of counts and of p values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike
from scipy import stats

from siderion.core.errors import DataError, SettingsError
from siderion.core.measurement import measurement

from .intervals import exact_interval, exact_upper_limit

FLAGS = {0: "good", 1: "no exposure", 2: "few counts"}
CONVENTION = "counts over exposure; the ends are 16 and 84 % of the exact interval; without a count the 95 % upper limit"


def rate_map(
    counts: xr.DataArray,
    exposure: xr.DataArray,
    *,
    name: str = "count_rate",
    few: int = 1,
    units: str = "s-1",
    limit_confidence: float = 0.95,
) -> xr.Dataset:
    """Counts over exposure in every cell of a map, with exact intervals, limits and flags.

    Cells without exposure are missing (flag 1), never 0. Cells without a count carry an upper limit.

    Parameters
    ----------
    counts : xarray.DataArray
        Counts, any dimensions (latitude by local time, say).
    exposure : xarray.DataArray
        Exposure of the cells: the same dimensions, or some of them.
    name : str
        Name of the rate in the result.
    few : int
        Cells with fewer counts than this, but at least one, get flag 2.
    units : str
        Units of the rate.
    limit_confidence : float
        Confidence of the limits.

    Returns
    -------
    xarray.Dataset
        The measurement ``name``, with ``counts`` and ``exposure``.

    Raises
    ------
    DataError
        There are counts where there is no exposure, or an exposure is negative.
    """
    exposed = exposure.broadcast_like(counts).transpose(*counts.dims)
    values, times = counts.values.astype(np.float64), exposed.values.astype(np.float64)
    if not (times >= 0.0).all():
        raise DataError("rate map: an exposure is negative or missing; put 0 where there is none")
    if ((times == 0.0) & (values > 0.0)).any():
        place = {dim: int(i) for dim, i in zip(counts.dims, np.argwhere((times == 0.0) & (values > 0.0))[0], strict=True)}  # type: ignore[misc]
        raise DataError(f"rate map: counts without exposure at {place}; correct the exposure")
    seen = times > 0.0
    safe = np.where(seen, times, 1.0)
    lower, upper = (np.where(seen, end / safe, np.nan) for end in exact_interval(values))
    empty = seen & (values == 0.0)
    limit = exact_upper_limit(0, limit_confidence) / safe
    rate = np.where(empty, limit, np.where(seen, values / safe, np.nan))
    flag = np.where(~seen, 1, np.where(~empty & (values < few), 2, 0))
    result = measurement(
        name, rate, lower, upper, dims=list(map(str, counts.dims)), units=units, convention=CONVENTION, flag=flag,
        flag_meanings=FLAGS, upper_limit=empty, long_name="counts over exposure",
    )  # fmt: skip
    return result.assign_coords(counts.coords).assign(counts=counts, exposure=exposed)


def join_counts(counts: Sequence[int], exposures: Sequence[float]) -> tuple[int, float]:
    """Sum of counts and of exposures: all that a common Poisson rate can be learnt from.

    Raises
    ------
    SettingsError
        The lengths differ or there is nothing to join.
    """
    if len(counts) != len(exposures) or not counts:
        raise SettingsError(f"{len(counts)} counts and {len(exposures)} exposures; give one exposure for each count")
    return int(sum(counts)), float(sum(exposures))


def join_p_values(p_values: ArrayLike, method: str = "fisher", weights: ArrayLike | None = None) -> float:
    """One p value from independent ones, by Fisher's sum of logarithms or Stouffer's weighted sum of normal scores.

    P values of counts are discrete, which makes the result conservative.

    Parameters
    ----------
    p_values : array
        Independent p values, above 0 and up to 1.
    method : {"fisher", "stouffer"}
        Rule.
    weights : array, optional
        Weights of Stouffer's rule.

    Raises
    ------
    SettingsError
        A p value is not above 0 and up to 1, or the rule is unknown.
    """
    values = np.asarray(p_values, dtype=np.float64)
    if not (values.size and (values > 0.0).all() and (values <= 1.0).all()):
        raise SettingsError(f"p values are {values}; each must be above 0 and at most 1")
    if method not in ("fisher", "stouffer"):
        raise SettingsError(f"method is {method!r}; take fisher or stouffer")
    if method == "fisher":
        return float(stats.chi2.sf(-2.0 * np.log(values).sum(), 2 * values.size))
    share = np.ones(values.shape) if weights is None else np.asarray(weights, dtype=np.float64)
    return float(stats.norm.sf((share * stats.norm.isf(values)).sum() / np.sqrt((share**2).sum())))
