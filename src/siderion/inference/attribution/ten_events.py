"""The ten events of Table 4.3 of the review as observations: half a day after a shock, and half a day one orbit before."""

from __future__ import annotations

import numpy as np
import pandas as pd

from siderion.core.errors import CoverageError
from siderion.core.tables import load_table
from siderion.inference.attribution.channels import parse_channel
from siderion.inference.attribution.context import Context, setting
from siderion.inference.attribution.likelihood import Observation
from siderion.inference.chain import exposure_of

_REGIONS = {"SW": "solar wind", "SH": "magnetosheath", "SPH": "magnetosphere"}
_CHANNEL = "m>34"


def _events() -> pd.DataFrame:
    """The table by time, with the region in words; it may hold codes, or words for the begin and for later."""
    table = load_table("geospace", "heavy_ion_events")
    if "region_code" in table:
        words = [" to ".join(_REGIONS[code] for code in str(text).split(" to ")) for text in table["region_code"]]
        times = table["event"]
    else:
        later = table["region_later"].fillna("")
        pairs = zip(table["region"], later, strict=True)
        words = [" to ".join(part for part in pair if part).replace("_", " ") for pair in pairs]
        times = table["time"]
    table["place"] = words
    table["remark"] = table["remark"].fillna("")
    table.index = pd.Index([str(np.datetime64(str(time).strip(), "m")) for time in times])
    return table


def event_names() -> tuple[str, ...]:
    """Times of the shocks, UTC, to the minute."""
    return tuple(_events().index)


def event_observations(event: str) -> list[Observation]:
    """The interval after the shock (the target) and the one before it (the control).

    The counts are the triple coincidences of mass above 34. Double coincidences are left out: what spills into them from
    the molecules below is not known. Kp is not in the table and taken as unknown.

    Parameters
    ----------
    event : str
        One of `event_names`.

    Raises
    ------
    CoverageError
        The event is not in the table.
    """
    table = _events()
    if event not in table.index:
        raise CoverageError(f"event {event!r} is not in Table 4.3; its events: {', '.join(table.index)}")
    row = table.loc[event]
    time = np.datetime64(event, "ns")
    energy = (setting("events_lowest_energy"), setting("events_highest_energy"))
    exposure = exposure_of("stics", setting("events_duration"))
    shower = "peak of" in str(row["remark"])
    after = Context(row["place"], time, in_wake=row["in_wake"] == "yes", energy=energy, shock=True, shower=shower)
    before = Context(row["place"], time - np.timedelta64(round(setting("events_orbit")), "s"), in_wake=False, energy=energy)
    channels = (parse_channel(_CHANNEL),)
    return [
        Observation(channels, np.array([float(row["triple_after"])]), after, exposure, mass_resolution=10.0),
        Observation(channels, np.array([float(row["triple_before"])]), before, exposure, mass_resolution=10.0, is_target=False),
    ]


def all_events() -> list[Observation]:
    """All ten events together, the targets first."""
    pairs = [event_observations(event) for event in event_names()]
    return [pair[0] for pair in pairs] + [pair[1] for pair in pairs]


__all__ = ["all_events", "event_names", "event_observations"]
