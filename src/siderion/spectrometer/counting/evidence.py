"""What the counts of a list of events show: all tests at once, and a verdict that says why."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Literal

import numpy as np
import xarray as xr

from siderion.core.errors import CoverageError, SettingsError
from siderion.core.measurement import measurement
from siderion.core.tables import load_table

from .before_after import before_after_tests
from .intervals import exact_interval, exact_upper_limit
from .leave_out import Test, leave_one_out, poisson_p_value
from .overdispersion import dispersion_index, dispersion_test, negative_binomial_test, quasi_poisson_test
from .permutation import permutation_test
from .ratio_tests import Alternative, change_ratio_p_value, conditional_p_value, ratio_interval
from .verdict import decide, exceptions

Columns = Literal["triple", "triple-wide", "double-low", "double-high"]
COLUMNS = {
    "triple": "triple coincidences, m above 34",
    "triple-wide": "triple coincidences, m above 20, those above 34 included",
    "double-low": "double coincidences, m/q 39 to 46, ranges at the ends that make the change smallest",
    "double-high": "double coincidences, m/q 39 to 46, ranges at the ends that make the change largest",
}
"""Counts of the ten events that can be tested."""
_CITATIONS = (
    ("test of two rates", "binomial, conditional on the total", "computed",
     "Przyborowski & Wilenski 1940, doi:10.1093/biomet/31.3-4.313"),
    ("intervals", "exact", "computed", "Garwood 1936, doi:10.1093/biomet/28.3-4.437"),
    ("permutation test", "all arrangements of the events", "computed", "Ernst 2004, doi:10.1214/088342304000000396"),
    ("quasi-Poisson test", "F test of the deviance", "computed", "McCullagh & Nelder 1989, doi:10.1201/9780203753736"),
    ("negative binomial test", "likelihood ratio, parametric bootstrap", "computed", "Hilbe 2011, doi:10.1017/CBO9780511973420"),
)  # fmt: skip


def table_4_3(columns: Columns = "triple") -> xr.Dataset:
    """The ten events of Table 4.3 of the review as a table of counts.

    Parameters
    ----------
    columns : {"triple", "triple-wide", "double-low", "double-high"}
        Which counts; see `COLUMNS`.

    Returns
    -------
    xarray.Dataset
        ``inside``, ``count_before``, ``count_after`` and exposures (half-days) along ``event``.

    Raises
    ------
    CoverageError
        There are no such counts in the table.
    """
    if columns not in COLUMNS:
        raise CoverageError(f"counts {columns!r} are not in Table 4.3; known: {', '.join(COLUMNS)}")
    table = load_table("geospace", "heavy_ion_events")
    if columns == "triple":
        before, after = table["triple_before"], table["triple_after"]
    elif columns == "triple-wide":
        before = table["triple_before"] + table["light_before"]
        after = table["triple_after"] + table["light_after"]
    else:
        ends = ("upper", "lower") if columns == "double-low" else ("lower", "upper")
        before, after = table[f"double_before_{ends[0]}"], table[f"double_after_{ends[1]}"]
    events = [str(text)[:10] for text in table["time"]]
    found = count_events(events, (table["in_wake"] == "yes").to_numpy(), before.to_numpy(), after.to_numpy())
    found.attrs = {
        "origin": f"Table 4.3 of Yamauchi et al., Geotail/STICS: {COLUMNS[columns]}",
        "inside_means": "in the lunar wake", "exposure_units": "half-days", "table_confidence": "verified",
    }  # fmt: skip
    return found


def count_events(
    events: list[str],
    inside: np.ndarray,
    before: np.ndarray | None,
    after: np.ndarray,
    exposure_before: np.ndarray | None = None,
    exposure_after: np.ndarray | None = None,
) -> xr.Dataset:
    """Counts of events as the data set that `evaluate_events` takes.

    Parameters
    ----------
    events : list of str
        Names.
    inside : array of bool of shape (event,)
        Group of each event.
    before, after : array of int of shape (event,)
        Counts; ``before`` may be missing as a whole.
    exposure_before, exposure_after : array of shape (event,), optional
        Exposures; 1 by default.
    """
    ones = np.ones(len(events))
    data = {
        "inside": ("event", np.asarray(inside, dtype=bool)),
        "count_after": ("event", np.asarray(after)),
        "exposure_after": ("event", ones if exposure_after is None else np.asarray(exposure_after, dtype=np.float64)),
    }
    if before is not None:
        data["count_before"] = ("event", np.asarray(before))
        data["exposure_before"] = ("event", ones if exposure_before is None else np.asarray(exposure_before, dtype=np.float64))
    return xr.Dataset(data, coords={"event": events})


def evaluate_events(
    events: xr.Dataset, *, level: float = 0.05, alternative: Alternative = "greater", draws: int = 20_000, seed: int = 0
) -> xr.Dataset:
    """All tests of a list of events: inside against outside, before against after, scatter, single events; and a verdict.

    Significant is only what holds under the exact Poisson test, without any one event, and, where the events scatter more
    than a Poisson law allows, under the permutation and the negative binomial test too.

    Parameters
    ----------
    events : xarray.Dataset
        As `count_events` gives it.
    level : float
        Level of significance of every test.
    alternative : {"greater", "less", "two-sided"}
        Whether the rate inside (or after) is larger, smaller, or differs. The tests for scattered counts are one-sided and
        made for "greater" only.
    draws, seed : int
        Draws of the tests of dispersion, of the negative binomial test and, with very many events, of the permutation; the seed.

    Returns
    -------
    xarray.Dataset
        ``p_value(test)``, ``p_value_without(event)``, ``event_rate(group)`` and its companions, ``dispersion_index(pooling)``,
        ``rate_ratio`` and its ends; attributes ``verdict``, ``reasons`` (JSON), ``exceptions``, ``significant`` (1 or 0).

    Raises
    ------
    SettingsError
        A group is empty, the level is not between 0 and 1, the seed is negative, or so few draws cannot reach the level.
    """
    _check_level(level)
    if seed < 0 or draws < 1 or not level > 1.0 / (draws + 1):
        raise SettingsError(
            f"seed is {seed}, {draws} draws, level {level:g}: the seed must not be negative, and with so many draws no p value "
            f"is below {1.0 / (max(draws, 0) + 1):.2g}; give a level above it, or more draws"
        )
    inside, counts = events["inside"].values, events["count_after"].values
    times = events["exposure_after"].values
    if inside.all() or not inside.any():
        raise SettingsError(f"{int(inside.sum())} of {len(inside)} events are inside; both groups need an event")
    tests, smallest = _between_groups(counts, inside, times, alternative, draws, seed)
    scatter = dispersion_test(counts, times, inside, draws=draws, seed=seed)
    pooled = dispersion_test(counts, times, draws=draws, seed=seed)
    tests |= {"dispersion, one rate for each group": scatter.p_value, "dispersion, one rate for all": pooled.p_value}
    tests |= _within_groups(events, alternative)
    without = leave_one_out(counts, inside, times, _poisson_of(alternative))
    result = _rates(counts, inside, times)
    result["p_value"] = ("test", list(tests.values()), {"units": "1", "long_name": "p value of the test"})
    result["p_value_without"] = ("event", without, {"units": "1", "long_name": "p value of the exact test without the event"})
    index = [dispersion_index(counts, times, inside), dispersion_index(counts, times)]
    result["dispersion_index"] = ("pooling", index, {"units": "1", "long_name": "Pearson chi-square over its degrees of freedom"})
    result = result.merge(_described(events)).assign_coords(
        test=list(tests), pooling=["one rate for each group", "one rate for all"]
    )
    emptied = np.where(inside, inside.sum() == 1, (~inside).sum() == 1)
    names = [str(name) for name in events["event"].values]
    decision = decide(tests, without, names, level, smallest=smallest, emptied=emptied)
    return _with_attributes(result, events, decision.verdict, decision.reasons, decision.significant, level, alternative, seed)


def evaluate_totals(
    inside: int, inside_exposure: float, outside: int, outside_exposure: float, *, level: float = 0.05,
    alternative: Alternative = "greater",
) -> xr.Dataset:  # fmt: skip
    """Test two totals where the counts of the single events are not known.

    Parameters
    ----------
    inside, outside : int
        Counts.
    inside_exposure, outside_exposure : float
        Exposures in one unit.
    level, alternative
        As in `evaluate_events`.

    Returns
    -------
    xarray.Dataset
        As `evaluate_events`, without what needs events.
    """
    _check_level(level)
    counts, times = np.array([inside, outside]), np.array([inside_exposure, outside_exposure], dtype=np.float64)
    tests = _conventions(inside, inside_exposure, outside, outside_exposure, alternative)
    result = _rates(counts, np.array([True, False]), times)
    result["p_value"] = ("test", list(tests.values()), {"units": "1", "long_name": "p value of the test"})
    result = result.assign_coords(test=list(tests))
    plain = tests["Poisson, exact"]
    good = plain < level
    words = f"{'significant' if good else 'not significant'} at {level:g} if every count is independent of the others"
    reasons = [f"exact Poisson test: p = {plain:.2g}", "scatter and single events cannot be checked from totals; give the events"]
    empty = xr.Dataset(attrs={"origin": "totals", "inside_means": "inside", "exposure_units": "units of exposure"})
    return _with_attributes(result, empty, words, reasons, good, level, alternative, 0)


def _between_groups(
    counts: np.ndarray, inside: np.ndarray, times: np.ndarray, alternative: Alternative, draws: int, seed: int
) -> tuple[dict[str, float], dict[str, float]]:
    """P values, and the smallest ones that the tests for scatter can give."""
    sums = [(int(counts[part].sum()), float(times[part].sum())) for part in (inside, ~inside)]
    tests = _conventions(*sums[0], *sums[1], alternative)
    one, both = (
        permutation_test(counts, inside, times, alternative=way, draws=draws, seed=seed) for way in (alternative, "two-sided")
    )
    tests |= {"permutation of events": one.p_value, "permutation of events, two-sided": both.p_value}
    smallest = {"permutation of events": one.smallest_p_value}
    if alternative == "greater":
        tests["quasi-Poisson"] = quasi_poisson_test(counts, inside, times).p_value
        tests["negative binomial"] = negative_binomial_test(counts, inside, times, draws=draws, seed=seed).p_value
        smallest["negative binomial"] = 1.0 / (draws + 1)
    return tests, smallest


def _conventions(first: int, exposure: float, second: int, other: float, alternative: Alternative) -> dict[str, float]:
    def p(**options: object) -> float:
        return conditional_p_value(first, exposure, second, other, **options)  # type: ignore[arg-type]

    return {
        "Poisson, exact": p(alternative=alternative),
        "Poisson, mid-p": p(alternative=alternative, mid_p=True),
        "Poisson, two-sided by likelihood": p(alternative="two-sided"),
        "Poisson, two-sided by doubling": p(alternative="two-sided", two_sided="doubling"),
    }


def _within_groups(events: xr.Dataset, alternative: Alternative) -> dict[str, float]:
    """Before against after in each group, and whether both groups changed by one factor."""
    if "count_before" not in events:
        return {}
    tests: dict[str, float] = {}
    sums: list[int] = []
    inside = events["inside"].values
    for words, part in (("inside", inside), ("outside", ~inside)):
        one = events.isel(event=part)
        names = ("count_before", "count_after", "exposure_before", "exposure_after")
        before, after, exposure_before, exposure_after = (one[name].values for name in names)
        found = before_after_tests(before, after, exposure_before, exposure_after, alternative)
        tests[f"before and after {words}, Poisson"] = found.poisson
        tests[f"before and after {words}, sign"] = found.sign
        tests[f"before and after {words}, signed rank"] = found.signed_rank
        sums += [int(one["count_before"].sum()), int(one["count_after"].sum())]
    first, second, third, fourth = sums
    tests["change inside over change outside, Fisher"] = change_ratio_p_value(first, second, third, fourth, alternative)
    safe = [(events[f"count_{when}"].values + 0.5) / events[f"exposure_{when}"].values for when in ("before", "after")]
    change = np.log(safe[1] / safe[0])
    tests["change inside over change outside, permutation"] = permutation_test(change, inside, alternative=alternative).p_value
    return tests


def _rates(counts: np.ndarray, inside: np.ndarray, times: np.ndarray) -> xr.Dataset:
    sums = np.array([counts[part].sum() for part in (inside, ~inside)], dtype=np.float64)
    exposed = np.array([times[part].sum() for part in (inside, ~inside)])
    lower, upper = (end / exposed for end in exact_interval(sums))
    empty = sums == 0.0
    value = np.where(empty, exact_upper_limit(sums) / exposed, sums / exposed)
    result = measurement(
        "event_rate", value, lower, upper, dims=["group"], units="1", upper_limit=empty, long_name="counts per unit of exposure",
        convention="counts over exposure; 16 and 84 % ends of the exact Poisson interval; without a count the 95 % limit",
    )  # fmt: skip
    ends = ratio_interval(int(sums[0]), float(exposed[0]), int(sums[1]), float(exposed[1]))
    ratio = np.nan if not sums[1] else sums[0] * exposed[1] / exposed[0] / sums[1]
    for suffix, number, words in (("", ratio, ""), ("_lower", ends[0], ", 2.5 %"), ("_upper", ends[1], ", 97.5 %")):
        text = f"rate inside over rate outside{words} (exact, Poisson)"
        result[f"rate_ratio{suffix}"] = ((), number, {"units": "1", "long_name": text})
    result["group_counts"] = ("group", sums.astype(np.int64), {"units": "1", "long_name": "counts of the group"})
    result["group_exposure"] = ("group", exposed, {"units": "1", "long_name": "exposure of the group"})
    return result.assign_coords(group=["inside", "outside"])


def _described(events: xr.Dataset) -> xr.Dataset:
    words = {
        "inside": "event is inside", "count_before": "count before", "count_after": "count after",
        "exposure_before": "exposure before", "exposure_after": "exposure after",
    }  # fmt: skip
    found = events.copy()
    for name in found.data_vars:
        found[name].attrs = {"units": "1", "long_name": words[str(name)]}
    return found


def _poisson_of(alternative: Alternative) -> Test:
    return lambda counts, inside, times: poisson_p_value(counts, inside, times, alternative)


def _with_attributes(
    result: xr.Dataset, events: xr.Dataset, words: str, reasons: list[str], good: bool, level: float,
    alternative: Alternative, seed: int,
) -> xr.Dataset:  # fmt: skip
    sources = [dict(zip(("what", "model", "confidence", "citation"), row, strict=True)) for row in _CITATIONS]
    if "table_confidence" in events.attrs:
        sources.append({"what": "counts", "model": "Table 4.3", "confidence": events.attrs["table_confidence"],
                        "citation": "Yamauchi et al., Table 4.3; siderion/geospace/tables/heavy_ion_events.csv"})  # fmt: skip
    result.attrs = {
        "title": f"Counts: {events.attrs.get('origin', 'events')}",
        "kind": "siderion count",
        "verdict": words,
        "reasons": json.dumps(reasons),
        "exceptions": json.dumps(exceptions(events)),
        "significant": int(good),
        "inside_means": events.attrs.get("inside_means", "inside"),
        "exposure_units": events.attrs.get("exposure_units", "units of exposure"),
        "settings": json.dumps({"level": level, "alternative": alternative, "seed": seed}),
        "sources": json.dumps(sources),
        "siderion_version": version("siderion"),
    }
    return result


def _check_level(level: float) -> None:
    if not 0.0 < level < 1.0:
        raise SettingsError(f"level is {level}; it must lie between 0 and 1, such as 0.05")
