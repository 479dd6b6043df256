"""Events (shocks and others) with the Moon, activity, spacecraft and meteor showers of their time, judged and ranked."""

from __future__ import annotations

import numpy as np
import xarray as xr

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import DataError
from siderion.frames.moon import moon_position_gse

from .conjunction_evidence import Evidence, extreme_around, position_at, regions_at, wake_at
from .conjunction_score import (
    MET,
    NOT_MET,
    UNKNOWN,
    ConjunctionCriteria,
    Verdict,
    judge_extreme,
    judge_new_moon,
    judge_region,
    judge_sector,
    judge_shower,
    judge_wake,
    rank_events,
)
from .lunar import lunar_local_time, lunar_sector
from .meteor_showers import nearest_shower
from .new_moon import nearest_new_moon

THREE_HOURS, HOUR = np.timedelta64(3, "h"), np.timedelta64(1, "h")
STATE_FLAGS = {"flag_values": np.array([UNKNOWN, NOT_MET, MET], dtype=np.int8), "flag_meanings": "unknown not_met met"}


def find_conjunctions(
    events: xr.Dataset, criteria: ConjunctionCriteria | None = None, evidence: Evidence | None = None
) -> xr.Dataset:
    """Judge events by the criteria and rank them.

    Parameters
    ----------
    events : xarray.Dataset
        Of `siderion.io.event_list.read_event_list` or `siderion.geospace.event_lists.heavy_ion_events`.
    criteria : ConjunctionCriteria, optional
        By default within two days of new Moon and sector 3.
    evidence : Evidence, optional
        Indices, positions, solar wind.

    Returns
    -------
    xarray.Dataset
        The events with what was found by event: ``new_moon_time``, ``days_from_new_moon``, ``moon_position`` (RE, GSE),
        ``lunar_local_time``, ``lunar_sector``, ``largest_kp``, ``smallest_dst``, ``event_position`` (km, GSE),
        ``event_region``, ``in_lunar_wake``, ``nearest_shower``, ``days_from_shower``; for every criterion asked
        ``criterion_value``, ``criterion_state`` (1 met, 0 not met, -1 unknown), ``criterion_reason``; ``criteria_met``,
        ``criteria_not_met``, ``criteria_unknown`` and ``rank``. A reported region or place (``region_reported``,
        ``wake_reported``) counts only where there is no position of the spacecraft.

    Raises
    ------
    DataError
        There is no event.
    CoverageError
        A time is outside 1900 to 2100.

    Notes
    -----
    Yamauchi et al., review, section 4.1.2; sectors of Christon et al. 2020.
    """
    chosen, known = criteria or ConjunctionCriteria(), evidence or Evidence()
    if "event_time" not in events or events.sizes.get("event", 0) == 0:
        raise DataError("the list of events is empty; give at least one event with a time")
    times = events["event_time"].values.astype("datetime64[ns]")
    found = _context(events, times, chosen, known)
    verdicts = _verdicts(found, chosen)
    result = xr.merge(
        [events, found.drop_vars([name for name in found.variables if str(name).startswith("_")])], compat="override"
    )
    result = result.merge(_judged(verdicts, found["days_from_new_moon"].values))
    result.attrs = dict(events.attrs)
    return result


def _context(events: xr.Dataset, times: np.ndarray, criteria: ConjunctionCriteria, evidence: Evidence) -> xr.Dataset:
    """Everything that the criteria need, by event; names that begin with an underscore are not for the output."""
    moon = moon_position_gse(times)
    local_time = lunar_local_time(moon)
    position = position_at(evidence.track, times)
    region, region_origin = _with_reported(regions_at(times, position, evidence.speed), events, position)
    wake, wake_origin = _wake(events, times, position, evidence)
    kp, kp_complete = extreme_around(evidence.kp, "kp", THREE_HOURS, times, criteria.activity_hours, 1)
    dst, dst_complete = extreme_around(evidence.dst, "dst", HOUR, times, criteria.activity_hours, -1)
    shower, shower_days = nearest_shower(times, criteria.showers, criteria.smallest_rate)
    moons = nearest_new_moon(times)
    flags = {"flag_values": np.array([-1, 0, 1], dtype=np.int8), "flag_meanings": "unknown outside inside"}
    around = f"within {criteria.activity_hours:g} h of the event"
    return xr.Dataset(
        {
            "new_moon_time": ("event", moons, {"long_name": "nearest new Moon, UTC"}),
            "days_from_new_moon": (
                "event",
                (times - moons) / np.timedelta64(1, "D"),
                _text("d", "time since the nearest new Moon"),
            ),
            "moon_position": (("event", "component"), moon / EARTH_RADIUS, _text("RE", "position of the Moon, GSE")),
            "lunar_local_time": ("event", local_time, _text("h", "lunar local time")),
            "lunar_sector": ("event", lunar_sector(local_time), _text("1", "sector of lunar local time, 3 around new Moon")),
            "largest_kp": ("event", kp, _text("1", f"largest known Kp {around}")),
            "_kp_complete": ("event", kp_complete),
            "smallest_dst": ("event", dst, _text("nT", f"smallest known Dst {around}")),
            "_dst_complete": ("event", dst_complete),
            "event_position": (("event", "component"), position, _text("km", "position of the spacecraft, GSE")),
            "event_region": ("event", np.array(region, dtype=object), {"long_name": "region of the spacecraft"}),
            "event_region_origin": ("event", np.array(region_origin, dtype=object), {"long_name": "where the region comes from"}),
            "in_lunar_wake": ("event", wake, {"long_name": "in the wake of lunar ions", **flags}),
            "in_lunar_wake_origin": ("event", np.array(wake_origin, dtype=object), {"long_name": "where that comes from"}),
            "nearest_shower": ("event", shower, {"long_name": "meteor shower whose peak is nearest"}),
            "days_from_shower": ("event", shower_days, _text("d", "time since the peak of that shower")),
        },
        coords={"component": list("xyz")},
    )


def _verdicts(found: xr.Dataset, criteria: ConjunctionCriteria) -> list[Verdict]:
    data = {str(name): array.values for name, array in found.variables.items()}
    verdicts = []
    if criteria.new_moon_days is not None:
        verdicts.append(judge_new_moon(data["days_from_new_moon"], criteria.new_moon_days))
    if criteria.sector is not None:
        verdicts.append(judge_sector(data["lunar_sector"], data["lunar_local_time"], criteria.sector))
    if criteria.regions:
        verdicts.append(judge_region(list(data["event_region"]), criteria.regions, list(data["event_region_origin"])))
    if criteria.wake is not None:
        verdicts.append(judge_wake(data["in_lunar_wake"], criteria.wake, list(data["in_lunar_wake_origin"])))
    hours = criteria.activity_hours
    if criteria.smallest_kp is not None:
        verdicts.append(judge_extreme("kp", data["largest_kp"], data["_kp_complete"], criteria.smallest_kp, 1, hours))
    if criteria.largest_dst is not None:
        verdicts.append(judge_extreme("dst", data["smallest_dst"], data["_dst_complete"], criteria.largest_dst, -1, hours))
    if criteria.shower_days is not None:
        verdicts.append(judge_shower(list(data["nearest_shower"]), data["days_from_shower"], criteria.shower_days))
    return verdicts


def _judged(verdicts: list[Verdict], days: np.ndarray) -> xr.Dataset:
    """Verdicts, their sums and the rank as variables."""
    count = len(days)
    states = np.array([one.state for one in verdicts], dtype=np.int8).reshape(len(verdicts), count).T
    values = np.array([one.value for one in verdicts], dtype=np.float64).reshape(len(verdicts), count).T
    reasons = np.array([one.reason for one in verdicts], dtype=object).reshape(len(verdicts), count).T
    dims = ("event", "criterion")
    sums = {
        name: ("event", (states == state).sum(axis=1), _text("1", f"number of criteria {words}"))
        for name, state, words in (
            ("criteria_met", MET, "met"), ("criteria_not_met", NOT_MET, "not met"), ("criteria_unknown", UNKNOWN, "unknown"),
        )
    }  # fmt: skip
    return xr.Dataset(
        {
            "criterion_value": (dims, values, _text("1", "what was compared, in the unit of the criterion")),
            "criterion_state": (dims, states, {"long_name": "whether the criterion is met", **STATE_FLAGS}),
            "criterion_reason": (dims, reasons, {"long_name": "why"}),
            **sums,
            "rank": ("event", rank_events(verdicts, days), _text("1", "rank: criteria met, then not met, then new Moon")),
        },
        coords={"criterion": np.array([one.name for one in verdicts], dtype=object)},
    )


def _with_reported(regions: list[str], events: xr.Dataset, position: np.ndarray) -> tuple[list[str], list[str]]:
    """Regions from the models where there is a position, else those of the list."""
    reported = [str(name) for name in events["region_reported"].values]
    later = (
        [str(name) for name in events["region_reported_later"].values]
        if "region_reported_later" in events
        else [""] * len(reported)
    )
    placed = np.isfinite(position).all(axis=-1)
    names = [model if here else report for model, report, here in zip(regions, reported, placed, strict=True)]
    origins = [
        "boundary models" if here else f"as reported, later {after}" if after else "as reported"
        for here, after in zip(placed, later, strict=True)
    ]
    return names, origins


def _wake(events: xr.Dataset, times: np.ndarray, position: np.ndarray, evidence: Evidence) -> tuple[np.ndarray, list[str]]:
    flags, words = wake_at(evidence, times, position)
    reported = events["wake_reported"].values.astype(np.int8)
    use = (flags < 0) & (reported >= 0)
    origins = ["as reported" if take else word for take, word in zip(use, words, strict=True)]
    return np.where(use, reported, flags).astype(np.int8), origins


def _text(units: str, words: str) -> dict[str, str]:
    return {"units": units, "long_name": words}
