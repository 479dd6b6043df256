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


def decide(tests: Mapping[str, float], without: NDArray[np.float64], events: Sequence[str], level: float) -> Decision:
    """Decide by three rules, all of which must hold.

    1. The exact Poisson test is below the level. 2. So it is without any one event. 3. Where the events of a group scatter more
    than Poisson counts (test of dispersion below the level, or impossible to make), the permutation and the negative
    binomial test are below it too.

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

    Returns
    -------
    Decision
    """
    plain, scatter = tests["Poisson, exact"], tests["dispersion, one rate for each group"]
    worst = int(np.argmax(without))
    scattered = bool(np.isnan(scatter) or scatter < level)
    robust = {name: tests[name] for name in ("permutation of events", "negative binomial") if name in tests}
    holds = {
        "plain": plain < level,
        "single": bool(without[worst] < level),
        "scatter": not scattered or all(value < level for value in robust.values()),
    }
    reasons = [
        f"exact Poisson test: p = {plain:.2g}, {_compared(plain, level)}",
        f"without {events[worst]}: p = {without[worst]:.2g}, {_compared(float(without[worst]), level)}",
        _scatter_words(scatter, scattered, level),
    ]
    if scattered:
        reasons += [
            f"{name} test, which allows for scatter: p = {value:.2g}, {_compared(value, level)}" for name, value in robust.items()
        ]
    good = all(holds.values())
    if good:
        words = f"significant at {level:g}: it holds without any one event and under the scatter of the events"
    elif not holds["plain"]:
        words = f"not significant at {level:g}"
    else:
        why = [text for key, text in _FAILURES.items() if not holds[key]]
        words = f"not significant at {level:g}: below it only for independent counts; {' and '.join(why)}"
    return Decision(words, reasons, good)


_FAILURES = {
    "single": "it rests on one event",
    "scatter": "it does not hold under the scatter of the events",
}


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
