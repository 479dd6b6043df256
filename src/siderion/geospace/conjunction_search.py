"""Search of a time span: windows in which no criterion fails, with exact edges where the criterion has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.errors import SettingsError
from siderion.frames.moon import moon_position_gse

from .conjunction_evidence import Evidence, position_at, regions_at, wake_at
from .conjunction_score import MET, NOT_MET, UNKNOWN, ConjunctionCriteria
from .conjunctions import HOUR, STATE_FLAGS, THREE_HOURS
from .lunar import lunar_local_time, lunar_sector
from .meteor_showers import shower_peaks
from .new_moon import days_from_new_moon, lunar_passages, nearest_new_moon

Times = NDArray[np.datetime64]
_MOMENT = np.timedelta64(1, "s")


@dataclass(frozen=True)
class _Test:
    """One criterion: times at which its state may change, and the states at given times."""

    name: str
    edges: Times
    states: Callable[[Times], NDArray[np.int8]]


def search_conjunctions(
    first: np.datetime64,
    last: np.datetime64,
    criteria: ConjunctionCriteria | None = None,
    evidence: Evidence | None = None,
    step: np.timedelta64 = HOUR,
) -> xr.Dataset:
    """Windows of a time span in which no criterion fails.

    Parameters
    ----------
    first, last : datetime64
        UTC.
    criteria : ConjunctionCriteria, optional
        As in `siderion.geospace.conjunctions.find_conjunctions`. Kp and Dst are those of each interval; the hours around an
        event do not count here.
    evidence : Evidence, optional
        Indices, positions, solar wind.
    step : timedelta64
        Step in which region and wake are looked at.

    Returns
    -------
    xarray.Dataset
        By ``window``, in order of time: ``window_start``, ``window_end``, ``window_state`` (met, or unknown where a criterion
        is), ``criterion_state`` (window, criterion), ``new_moon_time`` and ``days_from_new_moon`` of the middle,
        ``lunar_local_time`` there, ``largest_kp``, ``smallest_dst`` of the window and ``rank``: most criteria met, then nearest
        to new Moon. A window ends where any criterion changes its state to another than it had.

    Raises
    ------
    SettingsError
        The span is empty, the step is not positive, or no criterion is asked.
    CoverageError
        A time is outside 1900 to 2100.
    """
    chosen, known = criteria or ConjunctionCriteria(), evidence or Evidence()
    begin, end = first.astype("datetime64[ns]"), last.astype("datetime64[ns]")
    if not begin < end or step <= np.timedelta64(0, "s"):
        raise SettingsError(f"time span {first} to {last} with step {step}: the end must be after the begin, the step positive")
    tests = _tests(begin, end, chosen, known, step)
    if not tests:
        raise SettingsError("no criterion is asked, so the whole span is one window; ask one, such as new_moon_days")
    edges = np.unique(np.concatenate([[begin, end], *(test.edges for test in tests)]).astype("datetime64[ns]"))
    edges = edges[(edges >= begin) & (edges <= end)]
    middle = edges[:-1] + (edges[1:] - edges[:-1]) // 2
    states = np.stack([test.states(middle) for test in tests], axis=1)
    starts, ends, kept = _joined(edges, states)
    return _windows(starts, ends, kept, tests, known)


def with_indices(windows: xr.Dataset, first: np.datetime64, last: np.datetime64, evidence: Evidence) -> xr.Dataset:
    """The windows with the series of Kp and Dst of the span, where they are known, for figures.

    Parameters
    ----------
    windows : xarray.Dataset
        Of `search_conjunctions`.
    first, last : datetime64
        The span, UTC.
    evidence : Evidence
        Its indices.

    Returns
    -------
    xarray.Dataset
        With ``span_kp(kp_time)`` by starts of intervals of three hours, ``span_dst(dst_time)``, nT, by starts of hours.
    """
    result = windows
    for index, name, length, units in ((evidence.kp, "kp", THREE_HOURS, "1"), (evidence.dst, "dst", HOUR, "nT")):
        if index is None:
            continue
        inside = (index["time"].values + length > first) & (index["time"].values < last)
        if inside.any():
            values = index[name].values[inside].astype(float)
            text = {"units": units, "long_name": f"{name.capitalize()} of the span"}
            result = result.assign({f"span_{name}": (f"{name}_time", values, text)})
            result = result.assign_coords({f"{name}_time": index["time"].values[inside]})
    return result


def _tests(
    begin: np.datetime64, end: np.datetime64, criteria: ConjunctionCriteria, evidence: Evidence, step: np.timedelta64
) -> list[_Test]:
    tests = []
    if criteria.new_moon_days is not None:
        tests.append(_new_moon_test(begin, end, criteria.new_moon_days))
    if criteria.sector is not None:
        tests.append(_sector_test(begin, end, criteria.sector))
    grid = np.arange(begin, end, step)
    if criteria.regions:
        tests.append(_Test("region", grid, lambda times: _region_states(times, criteria, evidence)))
    if criteria.wake is not None:
        tests.append(_Test("wake", grid, lambda times: _wake_states(times, criteria, evidence)))
    if criteria.smallest_kp is not None:
        tests.append(_index_test("kp", evidence.kp, THREE_HOURS, criteria.smallest_kp, 1))
    if criteria.largest_dst is not None:
        tests.append(_index_test("dst", evidence.dst, HOUR, criteria.largest_dst, -1))
    if criteria.shower_days is not None:
        tests.append(_shower_test(begin, end, criteria))
    return tests


def _new_moon_test(begin: np.datetime64, end: np.datetime64, days: float) -> _Test:
    reach = _duration(days)
    moons = lunar_passages(begin - reach - _MOMENT, end + reach + _MOMENT)
    return _Test("new_moon", np.concatenate([moons - reach, moons + reach]), lambda times: _near(times, moons, reach))


def _sector_test(begin: np.datetime64, end: np.datetime64, wanted: int) -> _Test:
    # limits of the sectors: where the number changes, sought on quarter hours of lunar local time
    hours = np.arange(0.0, 24.0, 0.25)
    numbers = lunar_sector(hours)
    limits = hours[(numbers == wanted) != (np.roll(numbers, 1) == wanted)]
    edges = np.concatenate([lunar_passages(begin, end, float(hour)) for hour in limits])

    def states(times: Times) -> NDArray[np.int8]:
        found = lunar_sector(lunar_local_time(moon_position_gse(times)))
        return np.where(found == wanted, MET, NOT_MET).astype(np.int8)

    return _Test("sector", edges, states)


def _shower_test(begin: np.datetime64, end: np.datetime64, criteria: ConjunctionCriteria) -> _Test:
    assert criteria.shower_days is not None
    reach = _duration(criteria.shower_days)
    peaks = shower_peaks(begin - reach - _MOMENT, end + reach + _MOMENT, criteria.showers, criteria.smallest_rate).time
    return _Test("shower", np.concatenate([peaks - reach, peaks + reach]), lambda times: _near(times, peaks, reach))


def _index_test(name: str, index: xr.Dataset | None, length: np.timedelta64, limit: float, sense: int) -> _Test:
    if index is None:
        return _Test(name, np.empty(0, dtype="datetime64[ns]"), lambda times: np.full(len(times), UNKNOWN, dtype=np.int8))
    starts, values = index["time"].values.astype("datetime64[ns]"), index[name].values.astype(float)

    def states(times: Times) -> NDArray[np.int8]:
        value = _interval_values(starts, values, length, times)
        with np.errstate(invalid="ignore"):
            reached = np.where(sense * (value - limit) >= 0.0, MET, NOT_MET)
        return np.where(np.isnan(value), UNKNOWN, reached).astype(np.int8)

    return _Test(name, np.unique(np.concatenate([starts, starts + length])), states)


def _interval_values(starts: Times, values: NDArray, length: np.timedelta64, times: Times) -> NDArray[np.float64]:
    """Value of the interval that holds each time; NaN where there is none."""
    place = np.searchsorted(starts, times, side="right") - 1
    inside = (place >= 0) & (times < starts[np.maximum(place, 0)] + length)
    return np.where(inside, values[np.maximum(place, 0)], np.nan)


def _region_states(times: Times, criteria: ConjunctionCriteria, evidence: Evidence) -> NDArray[np.int8]:
    names = regions_at(times, position_at(evidence.track, times), evidence.speed)
    return np.array([UNKNOWN if n == "unknown" else MET if n in criteria.regions else NOT_MET for n in names], dtype=np.int8)


def _wake_states(times: Times, criteria: ConjunctionCriteria, evidence: Evidence) -> NDArray[np.int8]:
    flags, _ = wake_at(evidence, times, position_at(evidence.track, times))
    return np.where(flags < 0, UNKNOWN, flags == (criteria.wake == "inside")).astype(np.int8)


def _near(times: Times, centres: Times, reach: np.timedelta64) -> NDArray[np.int8]:
    if not len(centres):
        return np.full(len(times), NOT_MET, dtype=np.int8)
    after = np.searchsorted(centres, times)
    left, right = centres[np.maximum(after - 1, 0)], centres[np.minimum(after, len(centres) - 1)]
    return np.where(np.minimum(np.abs(times - left), np.abs(times - right)) <= reach, MET, NOT_MET).astype(np.int8)


def _joined(edges: Times, states: NDArray[np.int8]) -> tuple[Times, Times, NDArray[np.int8]]:
    """Neighbouring intervals of equal states as one; those with a criterion that fails are left out."""
    keep = (states != NOT_MET).all(axis=1)
    starts: list[np.datetime64] = []
    ends: list[np.datetime64] = []
    rows: list[NDArray[np.int8]] = []
    for k in np.flatnonzero(keep):
        if starts and ends[-1] == edges[k] and (rows[-1] == states[k]).all():
            ends[-1] = edges[k + 1]
        else:
            starts.append(edges[k])
            ends.append(edges[k + 1])
            rows.append(states[k])
    kept = np.array(rows, dtype=np.int8).reshape(len(rows), states.shape[1])
    return np.array(starts, dtype="datetime64[ns]"), np.array(ends, dtype="datetime64[ns]"), kept


def _windows(starts: Times, ends: Times, states: NDArray[np.int8], tests: list[_Test], evidence: Evidence) -> xr.Dataset:
    middle = starts + (ends - starts) // 2
    days = days_from_new_moon(middle) if len(middle) else np.empty(0)
    moon = moon_position_gse(middle) if len(middle) else np.empty((0, 3))
    order = np.lexsort((np.abs(days), -(states == MET).sum(axis=1)))
    rank = np.empty(len(middle), dtype=np.int64)
    rank[order] = np.arange(1, len(middle) + 1)
    whole = np.where((states == MET).all(axis=1), MET, UNKNOWN).astype(np.int8)
    kp = _extremes(evidence.kp, "kp", THREE_HOURS, starts, ends, 1)
    dst = _extremes(evidence.dst, "dst", HOUR, starts, ends, -1)
    entries = {
        "window_start": (starts, {"long_name": "start of the window, UTC"}),
        "window_end": (ends, {"long_name": "end of the window, UTC"}),
        "window_hours": ((ends - starts) / HOUR, {"units": "h", "long_name": "length of the window"}),
        "window_state": (whole, {"long_name": "whether all criteria are met", **STATE_FLAGS}),
        "new_moon_time": (nearest_new_moon(middle), {"long_name": "new Moon nearest to the middle, UTC"}),
        "days_from_new_moon": (days, {"units": "d", "long_name": "time since that new Moon, of the middle"}),
        "lunar_local_time": (lunar_local_time(moon), {"units": "h", "long_name": "lunar local time of the middle"}),
        "largest_kp": (kp, {"units": "1", "long_name": "largest known Kp of the window"}),
        "smallest_dst": (dst, {"units": "nT", "long_name": "smallest known Dst of the window"}),
        "rank": (rank, {"units": "1", "long_name": "rank: criteria met, then distance to new Moon"}),
    }
    data: dict[str, tuple] = {name: ("window", values, text) for name, (values, text) in entries.items()}
    data["criterion_state"] = (("window", "criterion"), states, {"long_name": "whether the criterion is met", **STATE_FLAGS})
    return xr.Dataset(data, coords={"criterion": np.array([test.name for test in tests], dtype=object)})


def _extremes(
    index: xr.Dataset | None, name: str, length: np.timedelta64, starts: Times, ends: Times, sense: int
) -> NDArray[np.float64]:
    """Largest or smallest known value of the intervals that overlap each window."""
    result = np.full(len(starts), np.nan)
    if index is None:
        return result
    begins, values = index["time"].values, index[name].values.astype(float)
    for k, (start, end) in enumerate(zip(starts, ends, strict=True)):
        known = (begins < end) & (begins + length > start) & np.isfinite(values)
        if known.any():
            result[k] = sense * (sense * values[known]).max()
    return result


def _duration(days: float) -> np.timedelta64:
    return np.timedelta64(round(days * 86400e9), "ns")
