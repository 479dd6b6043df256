"""From p values to a verdict, by rules in the open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray


@dataclass(frozen=True)
class Decision:
    """Verdict in words, the reasons for it, and whether it is "significant"."""

    verdict: str
    reasons: list[str]
    significant: bool


def decide(
    tests: Mapping[str, float],
    without: NDArray[np.float64],
    events: Sequence[str],
    level: float,
    *,
    smallest: Mapping[str, float] | None = None,
    emptied: NDArray[np.bool_] | None = None,
) -> Decision:
    """Decide by three rules, all of which must hold.

    1. The exact Poisson test is below the level. 2. So it is without any one event. 3. Where the events of a group scatter more
    than Poisson counts (test of dispersion below the level, or impossible to make), the permutation and the negative
    binomial test are below it too.

    A rule that cannot be tested is not met, and the words say that it cannot be tested: the second where a group is one event,
    the third where the smallest p value that a test can give is not below the level.

    Parameters
    ----------
    tests : mapping of str to float
        P values as `siderion.spectrometer.counting.evidence.evaluate_events` names them.
    without : array of shape (event,)
        P values without each event.
    events : sequence of str
        Names of the events.
    level : float
        Level of significance.
    smallest : mapping of str to float, optional
        Smallest p values that the tests for scatter can give with these events and draws; 0 by default.
    emptied : array of bool of shape (event,), optional
        Whether leaving out the event empties its group; none by default.

    Returns
    -------
    Decision
    """
    plain, scatter = tests["Poisson, exact"], tests["dispersion, one rate for each group"]
    least = {} if smallest is None else smallest
    robust = [_Robust(name, tests[name], float(least.get(name, 0.0)) < level) for name in _ROBUST if name in tests]
    scattered = bool(np.isnan(scatter) or scatter < level)
    single = _single(without, np.zeros(len(without), dtype=bool) if emptied is None else emptied, events, level)
    reasons = [
        f"exact Poisson test: p = {plain:.2g}, {_compared(plain, level)}",
        single.reason,
        _scatter_words(scatter, scattered, level),
        *(_robust_words(one, scattered, level) for one in robust),
    ]
    holds = not scattered or all(one.possible and one.p_value < level for one in robust)
    good = plain < level and single.holds and holds
    if good:
        return Decision(
            f"significant at {level:g}: it holds without any one event; {_good_scatter(robust, scattered)}", reasons, good
        )
    if not plain < level:
        return Decision(f"not significant at {level:g}", reasons, good)
    failed = not holds and not np.isnan(scatter) and any(one.possible and not one.p_value < level for one in robust)
    why = ["it rests on one event"] * (single.possible and not single.holds)
    why += ["it does not hold under the scatter of the events"] * failed
    unknown = ["whether it rests on one event"] * (not single.possible)
    unknown += ["whether it holds under the scatter of the events"] * (not holds and not failed)
    if unknown:
        why.append(f"{' and '.join(unknown)} cannot be tested with this number of events")
    return Decision(f"not significant at {level:g}: below it only for independent counts; {' and '.join(why)}", reasons, good)


_ROBUST = ("permutation of events", "negative binomial")


@dataclass(frozen=True)
class _Robust:
    """A test that allows for scatter: its name, p value, and whether it can reach the level."""

    name: str
    p_value: float
    possible: bool


@dataclass(frozen=True)
class _Single:
    """Whether the result holds without any one event, whether that can be tested, and the reason."""

    holds: bool
    possible: bool
    reason: str


def _single(without: NDArray[np.float64], emptied: NDArray[np.bool_], events: Sequence[str], level: float) -> _Single:
    kept = np.flatnonzero(~emptied)
    worst = int(kept[np.argmax(without[kept])]) if len(kept) else -1
    words = "" if worst < 0 else f"without {events[worst]}: p = {without[worst]:.2g}, {_compared(float(without[worst]), level)}"
    if worst >= 0 and not without[worst] < level:
        return _Single(False, True, words)
    if emptied.any():
        alone = ", ".join(str(events[int(k)]) for k in np.flatnonzero(emptied))
        words = f"without {alone}: cannot be tested, as a group is then empty" + (f"; {words}" if words else "")
        return _Single(False, False, words)
    return _Single(True, True, words)


def _robust_words(one: _Robust, scattered: bool, level: float) -> str:
    if np.isnan(one.p_value):
        return f"{one.name} test, which allows for scatter: cannot be made"
    if not one.possible:
        return (
            f"{one.name} test, which allows for scatter: p = {one.p_value:.2g}; it cannot fall below the level with these events"
        )
    return f"{one.name} test, which allows for scatter: p = {one.p_value:.2g}, {_compared(one.p_value, level)}" + (
        "" if scattered else "; not asked for, as no excess scatter is seen"
    )


def _good_scatter(robust: Sequence[_Robust], scattered: bool) -> str:
    """What is true of the scatter where the result is significant."""
    values = ", ".join(f"{one.name} p = {one.p_value:.2g}" for one in robust if not np.isnan(one.p_value))
    if not scattered:
        return "no excess scatter is seen" + (f" ({values})" if values else "")
    return f"it holds under the scatter of the events ({values})" if values else "scatter was not tested"


def exceptions(events: xr.Dataset) -> list[str]:
    """Events against "a rise if and only if inside": outside with a rise, inside without one.

    Parameters
    ----------
    events : xarray.Dataset
        With ``inside``, ``count_before`` and ``count_after``; without counts before there are none.
    """
    if "count_before" not in events or "event" not in events.coords:
        return []
    lines = []
    for k, name in enumerate(events["event"].values):
        one = events.isel(event=k)
        before, after, inside = int(one["count_before"]), int(one["count_after"]), bool(one["inside"])
        rose = after / float(one["exposure_after"]) > before / float(one["exposure_before"])
        if rose != inside:
            lines.append(f"{name}: {'inside' if inside else 'outside'}, {before} to {after}: {'no rise' if inside else 'a rise'}")
    return lines


def _compared(value: float, level: float) -> str:
    return "below the level" if value < level else "not below the level"


def _scatter_words(scatter: float, scattered: bool, level: float) -> str:
    if np.isnan(scatter):
        return "scatter within the groups: cannot be tested, taken as possible"
    return f"scatter within the groups against Poisson: p = {scatter:.2g}, " + (
        "more than Poisson counts have" if scattered else f"no more than Poisson counts have, at {level:g}"
    )
