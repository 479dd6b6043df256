"""Times at which the Moon passes a lunar local time: new Moon (12 h), full Moon (0 h), limits of its sectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from siderion.core.errors import SettingsError
from siderion.frames.moon import moon_position_gse

Times = NDArray[np.datetime64]
_DAY = 86400.0
_COARSE_DAYS = 2.0
"""Step of the search, days: the elongation grows by 20 to 31 degrees in it, so no passage is missed or taken twice."""
_TOLERANCE = 1e-3
"""Tolerance of the root, s; the ephemeris itself is right to some 20 s."""


def lunar_passages(first: np.datetime64, last: np.datetime64, local_time: float = 12.0) -> Times:
    """Times between two times at which the Moon passes a lunar local time.

    Parameters
    ----------
    first, last : datetime64
        UTC, within 1900 to 2100.
    local_time : float
        Lunar local time, h: 12 new Moon, 18 first quarter, 0 full Moon, 6 last quarter.

    Returns
    -------
    array of datetime64[ns]
        Times in order, from the geometric positions of `siderion.frames.moon`; for new Moon some 30 s from the almanac, which
        takes the aberration of the Sun's light into account.

    Raises
    ------
    SettingsError
        The first time is after the last.
    CoverageError
        A time is outside 1900 to 2100.

    Notes
    -----
    The elongation of the Moon grows steadily, so every root is bracketed by a coarse series and found by Brent's method.
    """
    begin, end = (_seconds(time) for time in (first, last))
    if not begin <= end:
        raise SettingsError(f"time span {first} to {last}: the first time must not be after the last")
    grid = np.append(np.arange(begin, end, _COARSE_DAYS * _DAY), end)
    angle = np.degrees(_elongation(grid)) - (local_time - 12.0) * 15.0
    cycles = np.unwrap(angle, period=360.0)
    found = []
    for k in range(len(grid) - 1):
        # the target is passed where the unwrapped angle goes over a multiple of 360 degrees
        for turn in np.arange(np.ceil(cycles[k] / 360.0), np.ceil(cycles[k + 1] / 360.0)):
            found.append(brentq(_remainder, grid[k], grid[k + 1], args=(local_time, cycles[k] - 360.0 * turn, grid[k]),
                                xtol=_TOLERANCE))  # fmt: skip
    if len(grid) > 1 and cycles[-1] % 360.0 == 0.0:
        found.append(end)
    return (np.array(found) * 1e9).astype(np.int64).astype("datetime64[ns]")


def nearest_new_moon(time: ArrayLike) -> Times:
    """The new Moon nearest to each time, datetime64[ns].

    Parameters
    ----------
    time : array of datetime64
        UTC.
    """
    times = np.asarray(time, dtype="datetime64[ns]")
    if times.size == 0:
        return times
    margin = np.timedelta64(30, "D")
    moons = lunar_passages(times.min() - margin, times.max() + margin)
    after = np.clip(np.searchsorted(moons, times), 1, len(moons) - 1)
    return np.where(times - moons[after - 1] <= moons[after] - times, moons[after - 1], moons[after])


def days_from_new_moon(time: ArrayLike) -> NDArray[np.float64]:
    """Days since the nearest new Moon; negative before it.

    Parameters
    ----------
    time : array of datetime64
        UTC.
    """
    times = np.asarray(time, dtype="datetime64[ns]")
    return (times - nearest_new_moon(times)) / np.timedelta64(1, "D")


def _seconds(time: np.datetime64) -> float:
    return float(np.asarray(time, dtype="datetime64[ns]").astype(np.int64)) / 1e9


def _elongation(seconds: ArrayLike) -> NDArray[np.float64]:
    """Angle of the Moon from the Sun along the ecliptic, radians, eastward."""
    moments = (np.asarray(seconds) * 1e9).astype(np.int64).astype("datetime64[ns]")
    place = moon_position_gse(moments)
    return np.arctan2(place[..., 1], place[..., 0])


def _remainder(seconds: float, local_time: float, start: float, begin: float) -> float:
    """Degrees still to go (negative) or gone past the target, counted on from ``start`` degrees at ``begin``."""
    now = np.degrees(float(_elongation(seconds))) - (local_time - 12.0) * 15.0
    gone = (now - start + 180.0) % 360.0 - 180.0
    return float(start + gone)
