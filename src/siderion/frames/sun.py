"""The Sun as seen from the Earth: subsolar point and solar zenith angle.

The position comes from the IAU routines of ERFA. UT1 is taken as UTC (below 1 s, 0.004 degrees of longitude) and
aberration is left out (0.006 degrees).
"""

from __future__ import annotations

import erfa
import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import CoverageError
from siderion.frames.spherical import latitude_longitude, unit_vector

_FIRST, _LAST = np.datetime64("1900-01-01", "ns"), np.datetime64("2101-01-01", "ns")

_TT_MINUS_UTC_DAYS = 69.184 / 86400.0  # since 2017; earlier dates are wrong by seconds, 1e-4 degrees of solar position


def julian_date(time: ArrayLike) -> NDArray[np.float64]:
    """Julian date (UTC) of ``datetime64`` times; `CoverageError` for times outside 1900 to 2100 or missing ones."""
    moments = np.asarray(time, dtype="datetime64[ns]")
    bad = np.isnat(moments) | (moments < _FIRST) | (moments > _LAST)
    if bad.any():
        raise CoverageError(f"time {moments[bad].flat[0]} is outside {_FIRST} to {_LAST}, where the Sun's position holds")
    nanoseconds = moments.astype(np.int64)
    return nanoseconds / 86400e9 + 2440587.5


def subsolar_point(time: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Geocentric latitude and longitude (-180 to 180) of the point below the Sun.

    Parameters
    ----------
    time : array of datetime64
        UTC; valid for 1900 to 2100.

    Returns
    -------
    lat, lon : ndarray
        Degrees, shape of ``time``; right to 0.01 degrees.
    """
    utc = julian_date(time)
    terrestrial = utc + _TT_MINUS_UTC_DAYS
    heliocentric, _ = erfa.epv00(terrestrial, 0.0)
    to_true_of_date = erfa.pnm06a(terrestrial, 0.0)
    sun = erfa.rxp(to_true_of_date, -heliocentric["p"])
    lat, right_ascension = latitude_longitude(sun)
    sidereal_angle = np.degrees(erfa.gst06a(utc, 0.0, terrestrial, 0.0))
    return lat, wrap_longitude(right_ascension - sidereal_angle)


def solar_zenith_angle(time: ArrayLike, lat: ArrayLike, lon: ArrayLike) -> NDArray[np.float64]:
    """Angle between the local vertical (of the sphere) and the Sun, degrees.

    ``time``, ``lat`` and ``lon`` broadcast against each other.
    """
    sun = unit_vector(*subsolar_point(time))
    cosine = np.sum(sun * unit_vector(lat, lon), axis=-1)
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def wrap_longitude(lon: ArrayLike) -> NDArray[np.float64]:
    """Longitude brought into -180 (included) to 180 degrees."""
    return (np.asarray(lon) + 180.0) % 360.0 - 180.0
