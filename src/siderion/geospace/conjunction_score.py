"""Criteria of conjunctions: each gives a value, met, not met or unknown, and a reason; events are ranked by how many are met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, field_validator

from siderion.core.tables import load_table
from siderion.io.event_list import EVENT_REGIONS
from siderion.jobs.settings import Settings

MET, NOT_MET, UNKNOWN = 1, 0, -1
"""States of a criterion."""
CRITERIA = ("new_moon", "sector", "region", "wake", "kp", "dst", "shower")
"""Names of the criteria in their order."""


def limit_of(name: str) -> float:
    """A number of the table of limits, such as ``"new_moon_days"``."""
    return float(load_table("geospace", "conjunction_limits").set_index("quantity")["value"][name])


class ConjunctionCriteria(Settings):
    """What is asked of an event; a criterion that is None or empty is not asked."""

    new_moon_days: float | None = Field(
        default_factory=lambda: limit_of("new_moon_days"), gt=0, le=14, description="largest distance to new Moon, days"
    )
    sector: int | None = Field(
        default_factory=lambda: int(limit_of("sector")), ge=1, le=6, description="sector of lunar local time, 3 around new Moon"
    )
    regions: tuple[str, ...] = Field((), description="regions of the spacecraft that count")
    wake: Literal["inside", "outside"] | None = Field(None, description="place of the spacecraft and the wake of lunar ions")
    smallest_kp: float | None = Field(None, ge=0, le=9, description="smallest of the largest Kp around the event")
    largest_dst: float | None = Field(None, le=0, description="largest of the smallest Dst around the event, nT")
    activity_hours: float = Field(
        default_factory=lambda: limit_of("half_day"), ge=0, le=240, description="hours before and after that count for Kp, Dst"
    )
    shower_days: float | None = Field(None, gt=0, le=30, description="largest distance to the peak of a meteor shower, days")
    showers: tuple[str, ...] = Field((), description="codes of the showers that count; all without any")
    smallest_rate: float = Field(0.0, ge=0, description="smallest zenithal hourly rate of the showers that count, h-1")

    @field_validator("regions")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = EVENT_REGIONS[1:]
        unknown = [name for name in value if name not in names]
        if unknown:
            raise ValueError(f"region {unknown[0]!r} is unknown; use {', '.join(names)}")
        return value

    @property
    def asked(self) -> tuple[str, ...]:
        """Names of the criteria that are asked."""
        given = {
            "new_moon": self.new_moon_days is not None, "sector": self.sector is not None, "region": bool(self.regions),
            "wake": self.wake is not None, "kp": self.smallest_kp is not None, "dst": self.largest_dst is not None,
            "shower": self.shower_days is not None,
        }  # fmt: skip
        return tuple(name for name in CRITERIA if given[name])


@dataclass(frozen=True)
class Verdict:
    """Outcome of one criterion for all events.

    Attributes
    ----------
    name : str
        One of `CRITERIA`.
    value : array, shape (event,)
        What was compared; NaN where unknown.
    state : array of int8, shape (event,)
        `MET`, `NOT_MET` or `UNKNOWN`.
    reason : list of str, length event
        In words.
    """

    name: str
    value: NDArray[np.float64]
    state: NDArray[np.int8]
    reason: list[str]


def judge_new_moon(days: ArrayLike, limit: float) -> Verdict:
    """Whether new Moon is at most ``limit`` days away; ``days`` (event,) counts from new Moon."""
    values = np.asarray(days, dtype=np.float64)
    state = np.where(np.abs(values) <= limit, MET, NOT_MET)
    return Verdict(
        "new_moon", values, state.astype(np.int8), [f"{_when(day, 'new Moon')}; limit {limit:g} days" for day in values]
    )


def judge_sector(sector: ArrayLike, local_time: ArrayLike, wanted: int) -> Verdict:
    """Whether the Moon is in a sector of lunar local time (h); arrays (event,)."""
    values = np.asarray(sector, dtype=np.float64)
    state = np.where(values == wanted, MET, NOT_MET).astype(np.int8)
    hours = np.asarray(local_time, dtype=np.float64)
    return Verdict(
        "sector", values, state,
        [f"sector {int(one)}, {hour:.2f} h lunar local time; asked: {wanted}" for one, hour in zip(values, hours, strict=True)],
    )  # fmt: skip


def judge_region(regions: Sequence[str], wanted: Sequence[str], origin: Sequence[str]) -> Verdict:
    """Whether the spacecraft is in one of the regions asked for; ``origin`` says where each region comes from."""
    state = [UNKNOWN if name == "unknown" else MET if name in wanted else NOT_MET for name in regions]
    value = [np.nan if name == "unknown" else float(EVENT_REGIONS.index(name)) for name in regions]
    words = [
        f"{name.replace('_', ' ')} ({source})" if name != "unknown" else "no position and no reported region"
        for name, source in zip(regions, origin, strict=True)
    ]
    return Verdict("region", np.array(value), np.array(state, dtype=np.int8), words)


def judge_wake(inside: ArrayLike, wanted: str, origin: Sequence[str]) -> Verdict:
    """Whether the spacecraft is inside or outside of the wake; ``inside`` (event,) holds 1, 0 or -1 (unknown)."""
    flags = np.asarray(inside, dtype=np.int8)
    met = MET if wanted == "inside" else NOT_MET
    state = np.where(flags < 0, UNKNOWN, np.where(flags == 1, met, 1 - met)).astype(np.int8)
    words = ["outside", "inside"]
    reasons = [
        f"{words[flag]} ({source})" if flag >= 0 else "no position of the spacecraft and no reported place"
        for flag, source in zip(flags.tolist(), origin, strict=True)
    ]
    return Verdict("wake", np.where(flags < 0, np.nan, flags).astype(np.float64), state, reasons)


def judge_extreme(name: str, value: ArrayLike, complete: ArrayLike, limit: float, sense: int, hours: float) -> Verdict:
    """Whether the largest (sense 1) or smallest (sense -1) value of an index around the event reaches a limit.

    Parameters
    ----------
    name : str
        ``"kp"`` or ``"dst"``.
    value : array, shape (event,)
        Extreme of what is known; NaN where nothing is.
    complete : array of bool, shape (event,)
        Whether all values around the event are known. Where not, a limit that is reached is met all the same, one that is not
        reached is unknown.
    limit, sense, hours
        Limit, 1 or -1, hours before and after the event.
    """
    values = np.asarray(value, dtype=np.float64)
    whole = np.asarray(complete, dtype=bool)
    with np.errstate(invalid="ignore"):
        reached = sense * (values - limit) >= 0.0
    state = np.where(reached, MET, np.where(whole & np.isfinite(values), NOT_MET, UNKNOWN)).astype(np.int8)
    title, end = ("Kp", "largest") if name == "kp" else ("Dst", "smallest")
    reasons = []
    for one, full in zip(values.tolist(), whole.tolist(), strict=True):
        if not np.isfinite(one):
            reasons.append(f"no {title} for this time")
            continue
        gap = "" if full else ", part of the time missing"
        reasons.append(f"{end} {title} within {hours:g} h is {one:.3g}; limit {limit:g}{gap}")
    return Verdict(name, values, state, reasons)


def judge_shower(names: Sequence[str], days: ArrayLike, limit: float) -> Verdict:
    """Whether the peak of a meteor shower is at most ``limit`` days away."""
    values = np.asarray(days, dtype=np.float64)
    state = np.where(np.abs(values) <= limit, MET, NOT_MET).astype(np.int8)
    words = [f"{_when(day, f'the peak of the {name}')}; limit {limit:g} days" for name, day in zip(names, values, strict=True)]
    return Verdict("shower", values, state, words)


def rank_events(verdicts: Sequence[Verdict], days: ArrayLike) -> NDArray[np.int64]:
    """Rank of each event, 1 the best: most criteria met, then fewest not met, then nearest to new Moon.

    Parameters
    ----------
    verdicts : sequence of Verdict
        Of the criteria asked.
    days : array, shape (event,)
        Days from new Moon.

    Returns
    -------
    array of int, shape (event,)
        1, 2, ...; all criteria count the same, and unknown counts neither way.
    """
    distance = np.abs(np.asarray(days, dtype=np.float64))
    states = np.array([one.state for one in verdicts]).reshape(len(verdicts), len(distance))
    order = np.lexsort((distance, (states == NOT_MET).sum(axis=0), -(states == MET).sum(axis=0)))
    rank = np.empty(len(distance), dtype=np.int64)
    rank[order] = np.arange(1, len(distance) + 1)
    return rank


def _when(days: float, what: str) -> str:
    return f"{abs(days):.2f} days {'after' if days >= 0 else 'before'} {what}"
