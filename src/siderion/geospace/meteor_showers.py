"""Meteor showers: when the Earth passes the peak of each, from the longitude of the Sun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import erfa
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from siderion.core.errors import CoverageError, SettingsError
from siderion.core.tables import load_table
from siderion.frames.sun import julian_date

_TT_MINUS_UTC_DAYS = 69.184 / 86400.0
_YEAR_DAYS = 365.25


@dataclass(frozen=True)
class ShowerPeaks:
    """Peaks of meteor showers in order of time.

    Attributes
    ----------
    time : array of datetime64[ns], shape (peak,)
        UTC.
    code, name : array of str, shape (peak,)
        Code of the International Astronomical Union and name.
    zenithal_hourly_rate : array, shape (peak,)
        Of an ordinary year, h-1; NaN for showers that vary.
    """

    time: NDArray[np.datetime64]
    code: NDArray
    name: NDArray
    zenithal_hourly_rate: NDArray[np.float64]


def solar_longitude(time: ArrayLike) -> NDArray[np.float64]:
    """Geometric ecliptic longitude of the Sun at the equinox J2000, degrees, 0 to 360.

    Showers are dated by this longitude: it names a place of the Earth's orbit, whatever the calendar.

    Parameters
    ----------
    time : array of datetime64
        UTC, 1900 to 2100.

    Raises
    ------
    CoverageError
        A time is outside that range.

    Notes
    -----
    IAU SOFA routines ``epv00`` and ``ecm06``; light time is left out, as the tables of showers do.
    """
    terrestrial = julian_date(time) + _TT_MINUS_UTC_DAYS
    heliocentric, _ = erfa.epv00(terrestrial, 0.0)
    # axes of the mean ecliptic and equinox of J2000
    sun = np.einsum("ij,...j->...i", erfa.ecm06(2451545.0, 0.0), -heliocentric["p"])
    return np.degrees(np.arctan2(sun[..., 1], sun[..., 0])) % 360.0


def list_showers(names: Sequence[str] = (), smallest_rate: float = 0.0) -> pd.DataFrame:
    """Rows of the table of showers, all or some.

    Parameters
    ----------
    names : sequence of str
        Codes or names, any case; none for all.
    smallest_rate : float
        Smallest zenithal hourly rate, h-1; above 0 showers that vary are left out.

    Raises
    ------
    CoverageError
        A name is not in the table.
    """
    table = load_table("geospace", "meteor_showers")
    if names:
        wanted = {name.strip().lower() for name in names}
        known = table["code"].str.lower().isin(wanted) | table["name"].str.lower().isin(wanted)
        found = set(table.loc[known, "code"].str.lower()) | set(table.loc[known, "name"].str.lower())
        unknown = wanted - found
        if unknown:
            raise CoverageError(f"meteor shower {sorted(unknown)[0]!r} is not in the table; known: {', '.join(table['code'])}")
        table = table[known]
    if smallest_rate > 0.0:
        table = table[table["zenithal_hourly_rate"] >= smallest_rate]
    return table


def shower_peaks(first: np.datetime64, last: np.datetime64, names: Sequence[str] = (), smallest_rate: float = 0.0) -> ShowerPeaks:
    """Peaks of showers between two times: when the Sun reaches the longitude of the table.

    Parameters
    ----------
    first, last : datetime64
        UTC.
    names, smallest_rate
        As in `list_showers`.

    Raises
    ------
    SettingsError
        The first time is after the last.
    CoverageError
        A shower is unknown, or a time is outside 1900 to 2100.
    """
    if not first <= last:
        raise SettingsError(f"time span {first} to {last}: the first time must not be after the last")
    rows = []
    for row in list_showers(names, smallest_rate).itertuples():
        for time in _passages(float(row.solar_longitude_degrees), first, last):
            rows.append((time, row.code, row.name, float(row.zenithal_hourly_rate)))
    rows.sort(key=lambda row: row[0])
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    return ShowerPeaks(
        np.array(columns[0], dtype="datetime64[ns]"),
        np.array(columns[1], dtype=object),
        np.array(columns[2], dtype=object),
        np.array(columns[3], dtype=np.float64),
    )


def nearest_shower(time: ArrayLike, names: Sequence[str] = (), smallest_rate: float = 0.0) -> tuple[NDArray, NDArray[np.float64]]:
    """Name of the shower whose peak is nearest to each time, and the days since that peak (negative before it).

    Parameters
    ----------
    time : array of datetime64, shape (n,)
        UTC.
    names, smallest_rate
        As in `list_showers`.

    Returns
    -------
    name : array of str, shape (n,)
    days : array, shape (n,)

    Raises
    ------
    CoverageError
        No shower is left by the choice.
    """
    times = np.atleast_1d(np.asarray(time, dtype="datetime64[ns]"))
    if times.size == 0:
        return np.empty(0, dtype=object), np.empty(0)
    margin = np.timedelta64(370, "D")
    peaks = shower_peaks(times.min() - margin, times.max() + margin, names, smallest_rate)
    if not len(peaks.time):
        raise CoverageError(f"no meteor shower has a rate of {smallest_rate:g} per hour or more; ask for a smaller one")
    days = (times[:, None] - peaks.time[None, :]) / np.timedelta64(1, "D")
    nearest = np.argmin(np.abs(days), axis=1)
    return peaks.name[nearest], np.take_along_axis(days, nearest[:, None], axis=1)[:, 0]


def _passages(longitude: float, first: np.datetime64, last: np.datetime64) -> list[np.datetime64]:
    """Times at which the Sun passes a longitude."""
    begin, end = (float(np.asarray(time, dtype="datetime64[ns]").astype(np.int64)) / 86400e9 for time in (first, last))
    start = float(solar_longitude(first))
    rate = 360.0 / _YEAR_DAYS
    guess = begin + ((longitude - start) % 360.0) / rate - _YEAR_DAYS
    found: list[np.datetime64] = []
    while guess < end + 5.0:
        # the Sun is never more than 2 degrees from its mean motion, so 5 days on either side bracket it
        day = brentq(_past, guess - 5.0, guess + 5.0, args=(longitude,), xtol=1e-7)
        if begin <= day <= end:
            found.append(np.datetime64(int(day * 86400e9), "ns"))
        guess += _YEAR_DAYS
    return found


def _past(day: float, longitude: float) -> float:
    moment = np.datetime64(int(day * 86400e9), "ns")
    return (float(solar_longitude(moment)) - longitude + 180.0) % 360.0 - 180.0
