"""The output times that count: those of the analysed day, each hour of the day once."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from numpy.typing import NDArray

_DAY = np.timedelta64(1, "D")


def analysed_times(output: xr.Dataset, dimension: str = "time") -> NDArray[np.intp]:
    """Numbers of the output times of the analysed day, 00 UT to before 24 UT.

    The day is the ``date`` of the settings in the attributes. Without settings every time counts, but not a last one exactly
    24 h after the first: it is the same hour again. Spin-up and later days are left out: a mean over these times is a mean
    over the day.

    Parameters
    ----------
    output : xarray.Dataset
        Output of a run, with its times in UTC.
    dimension : str
        ``"time"``, or ``"velocity_time"`` for the times with velocities.

    Returns
    -------
    ndarray of int
        In the order of the output. Never empty for an output with times: where none falls on the day (an output cut by its
        user), all of them but a repeated hour.
    """
    times = output[dimension].values.astype("datetime64[ns]")
    every = np.arange(len(times))
    date = json.loads(output.attrs.get("settings", "{}")).get("date")
    if date:
        day = np.datetime64(date, "ns")
        found = every[(times >= day) & (times < day + _DAY)]
        if len(found):
            return found
    repeated = len(times) > 1 and times[-1] - times[0] == _DAY
    return every[:-1] if repeated else every
