"""Permutation test over events: whether a group of events differs, when the events and not the counts are independent."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import SettingsError

from .ratio_tests import Alternative

LARGEST_ENUMERATION = 200_000
"""More ways of choosing the group than this are sampled."""


@dataclass(frozen=True)
class PermutationTest:
    """Outcome of a permutation test.

    Attributes
    ----------
    p_value : float
        Share of the arrangements with a difference as large as observed.
    arrangements : int
        Arrangements that were looked at.
    smallest_p_value : float
        Smallest p value that this number of events can give.
    exact : bool
        Whether all arrangements were looked at.
    difference : float
        Observed difference of the rates.
    """

    p_value: float
    arrangements: int
    smallest_p_value: float
    exact: bool
    difference: float


def permutation_test(
    counts: ArrayLike,
    inside: ArrayLike,
    exposures: ArrayLike | None = None,
    *,
    alternative: Alternative = "greater",
    draws: int = 20_000,
    seed: int = 0,
) -> PermutationTest:
    """Test the difference of the rates inside and outside over all ways of calling as many events "inside".

    An event keeps its count and its exposure. All arrangements are looked at where there are at most
    `LARGEST_ENUMERATION`, otherwise ``draws`` random ones with the observed one.

    Parameters
    ----------
    counts : array of shape (event,)
        Count, or any other number, of each event.
    inside : array of bool of shape (event,)
        Group of each event.
    exposures : array of shape (event,), optional
        Exposure of each event; equal ones by default.
    alternative : {"greater", "less", "two-sided"}
        Whether the rate inside is larger, smaller, or differs (absolute difference).
    draws, seed : int
        Number of random arrangements and the seed, where there are too many.

    Returns
    -------
    PermutationTest

    Raises
    ------
    SettingsError
        The lengths differ, an exposure is not positive, or a group is empty.

    References
    ----------
    Ernst 2004, Stat. Sci. 19, 676, doi:10.1214/088342304000000396.
    """
    values, group = np.asarray(counts, dtype=np.float64), np.asarray(inside, dtype=bool)
    times = np.ones(values.shape) if exposures is None else np.asarray(exposures, dtype=np.float64)
    if not (
        values.ndim == 1 and values.shape == group.shape == times.shape and np.isfinite(values).all() and (times > 0.0).all()
    ):
        raise SettingsError("permutation test: counts, groups and exposures need one length, and exposures must be positive")
    size, chosen = len(values), int(group.sum())
    if chosen in (0, size):
        raise SettingsError(f"permutation test: {chosen} of {size} events are inside; both groups need an event")
    ways = comb(size, chosen)
    exact = ways <= LARGEST_ENUMERATION
    masks = _all_masks(size, chosen) if exact else _random_masks(group, draws, np.random.default_rng(seed))
    found = _difference(masks, values, times)
    observed = float(_difference(group[None], values, times)[0])
    signed = {"greater": found - observed, "less": observed - found, "two-sided": np.abs(found) - abs(observed)}[alternative]
    slack = 1e-9 * max(1.0, float(np.abs(values / times).max()))
    p_value = float((signed >= -slack).mean())
    return PermutationTest(p_value, len(found), 1.0 / len(found), exact, observed)


def _all_masks(size: int, chosen: int) -> NDArray[np.bool_]:
    places = np.array(list(combinations(range(size), chosen)))
    masks = np.zeros((len(places), size), dtype=bool)
    np.put_along_axis(masks, places, True, axis=1)
    return masks


def _random_masks(group: NDArray[np.bool_], draws: int, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Shuffles, the observed arrangement first: it belongs to the possible ones."""
    shuffled = generator.permuted(np.broadcast_to(group, (draws, len(group))), axis=1)
    return np.concatenate([group[None], shuffled])


def _difference(masks: NDArray[np.bool_], values: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    inside, inside_time = masks @ values, masks @ times
    return inside / inside_time - (values.sum() - inside) / (times.sum() - inside_time)
