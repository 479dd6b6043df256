"""Shipped lists of events."""

from __future__ import annotations

import numpy as np
import xarray as xr

from siderion.core.tables import load_table
from siderion.io.event_list import WAKE_WORDS, event_dataset

COUNTS = (
    "triple_before", "triple_after", "light_before", "light_after", "double_before_lower", "double_before_upper",
    "double_after_lower", "double_after_upper",
)  # fmt: skip
"""Columns of counts of the table of heavy-ion events."""


def heavy_ion_events() -> xr.Dataset:
    """The ten interplanetary shocks near new Moon of Table 4.3 of the review, with the counts of Geotail/STICS.

    Returns
    -------
    xarray.Dataset
        As `siderion.io.event_list.read_event_list`, and `COUNTS` (event): half-day counts before and after the shock. The
        place of Geotail (region, wake) and the counts are those of the table; they cannot be computed here.
    """
    table = load_table("geospace", "heavy_ion_events")
    times = table["time"].to_numpy(dtype="datetime64[ns]")
    names = [f"shock {np.datetime_as_string(time, unit='m')}" for time in times]
    wake = np.array([WAKE_WORDS[str(word)] for word in table["in_wake"]])
    events = event_dataset(times, names, [str(word) for word in table["region"]], wake)
    for name in COUNTS:
        words = name.replace("_", " ")
        events[name] = (
            "event",
            table[name].to_numpy(dtype=np.int64),
            {"units": "1", "long_name": f"counts in half a day, {words}"},
        )
    events["remark"] = ("event", table["remark"].fillna("").to_numpy(dtype=object), {"long_name": "remark of the table"})
    later = table["region_later"].fillna("").to_numpy(dtype=object)
    events["region_reported_later"] = ("event", later, {"long_name": "region after the shock, where it changed"})
    events.attrs["source"] = "Table 4.3 of the review of Yamauchi et al."
    return events
