"""Positions of a spacecraft: from mean elements with the secular change by the flattening, or from two-line elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import erfa
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sgp4.api import SGP4_ERRORS, Satrec

from siderion.core.constants import EARTH_GM
from siderion.core.errors import DataError, NumericalError, SettingsError
from siderion.frames.geographic import inertial_to_gse_matrix, sidereal_angle
from siderion.frames.sun import julian_date
from siderion.geospace.orbit_elements import Orbit, orbit_from_altitudes, secular_rates

Array = NDArray[np.float64]
_KEPLER_STEPS = 50
_AXIS_STEPS = 5
_LARGEST_SPAN = np.timedelta64(20 * 366, "D")

__all__ = [
    "Orbit", "eccentric_anomaly", "orbit_from_altitudes", "orbit_from_two_lines", "orbit_positions_gse", "positions",
    "secular_rates", "two_line_positions_gse",
]  # fmt: skip


def eccentric_anomaly(mean_anomaly: ArrayLike, eccentricity: float) -> Array:
    """Solution E of Kepler's equation M = E - e sin E, rad, by Newton's method from a start that always converges."""
    mean = np.asarray(mean_anomaly, dtype=np.float64)
    turns = np.round(mean / (2.0 * np.pi)) * 2.0 * np.pi
    m = mean - turns
    # pi (with the sign of M) lies on the convex side of the root, so that the steps go down to it
    anomaly = np.where(m == 0.0, 0.0, np.copysign(np.pi, m)) if eccentricity > 0.8 else m + eccentricity * np.sin(m)
    for _ in range(_KEPLER_STEPS):
        step = (anomaly - eccentricity * np.sin(anomaly) - m) / (1.0 - eccentricity * np.cos(anomaly))
        anomaly = anomaly - step
        if np.abs(step).max(initial=0.0) < 1e-14:
            break
    else:
        worst = float(np.abs(step).max())
        if worst > 1e-10:
            raise NumericalError(f"Kepler's equation at eccentricity {eccentricity}: last step {worst:g} rad; lower eccentricity")
    return anomaly + turns


def positions(orbit: Orbit, time: ArrayLike) -> Array:
    """Positions on the true equator and equinox of date, m.

    Parameters
    ----------
    orbit : Orbit
        Mean elements.
    time : array of datetime64
        UTC, within 20 years of the epoch.

    Returns
    -------
    ndarray of shape (..., 3)
        x to the equinox, z to the pole. Periodic terms of the flattening (up to some 10 km) are left out; drag, Sun and Moon
        too, so that the place along the orbit is lost after days to weeks. Made for statistics, not for pointing.

    Raises
    ------
    SettingsError
        A time is missing or too far from the epoch.
    """
    moments = np.asarray(time, dtype="datetime64[ns]")
    since = moments - orbit.epoch
    bad = np.isnat(moments) | (np.abs(since) > _LARGEST_SPAN)
    if bad.any():
        raise SettingsError(
            f"orbit at {moments[bad].flat[0]}: more than 20 years from its epoch {orbit.epoch}, or no time; give elements nearby"
        )
    seconds = since / np.timedelta64(1, "ns") * 1e-9
    node_rate, perigee_rate, anomaly_rate = secular_rates(orbit)
    node = np.radians(orbit.raan) + node_rate * seconds
    perigee = np.radians(orbit.argument_of_perigee) + perigee_rate * seconds
    anomaly = eccentric_anomaly(np.radians(orbit.mean_anomaly) + anomaly_rate * seconds, orbit.eccentricity)
    a, e = orbit.semi_major_axis, orbit.eccentricity
    first, second = a * (np.cos(anomaly) - e), a * np.sqrt(1.0 - e**2) * np.sin(anomaly)
    # along the node, and across it in the plane of the orbit
    along, across = first * np.cos(perigee) - second * np.sin(perigee), first * np.sin(perigee) + second * np.cos(perigee)
    tilt = np.radians(orbit.inclination)
    x = along * np.cos(node) - across * np.cos(tilt) * np.sin(node)
    y = along * np.sin(node) + across * np.cos(tilt) * np.cos(node)
    return np.stack([x, y, across * np.sin(tilt)], axis=-1)


def orbit_positions_gse(orbit: Orbit, time: ArrayLike) -> Array:
    """Positions in GSE, m, shape (..., 3); accuracy and errors as in `positions`."""
    return np.einsum("...ij,...j->...i", inertial_to_gse_matrix(time), positions(orbit, time))


def two_line_positions_gse(lines: Sequence[str], time: ArrayLike) -> Array:
    """Positions in GSE, m, from a two-line element set by SGP4.

    Parameters
    ----------
    lines : sequence of two str
        The two lines.
    time : array of datetime64
        UTC.

    Returns
    -------
    ndarray of shape (..., 3)
        m. SGP4 itself is right to about 1 km near the epoch of the elements and loses 1 to 3 km a day in low orbits; the turn
        from its axes (true equator, mean equinox) adds less than 0.001 degrees.

    Raises
    ------
    DataError
        The lines are not two-line elements.
    NumericalError
        SGP4 refuses a time, for example because the satellite has decayed.

    Notes
    -----
    Vallado et al. 2006, doi:10.2514/6.2006-6753.
    """
    satellite = _satellite(lines)
    moments = np.asarray(time, dtype="datetime64[ns]")
    days = np.atleast_1d(julian_date(moments)).ravel()
    whole = np.floor(days - 0.5) + 0.5
    nanoseconds = (moments - moments.astype("datetime64[D]")).astype(np.int64)
    fraction = np.atleast_1d(nanoseconds / 86400e9).ravel()
    errors, teme, _ = satellite.sgp4_array(whole, fraction)
    if errors.any():
        index = int(np.argmax(errors != 0))
        reason = SGP4_ERRORS.get(int(errors[index]), "unknown error")
        raise NumericalError(
            f"two-line elements at {np.atleast_1d(moments).ravel()[index]}: {reason}; give elements nearer to that time"
        )
    of_date = _mean_to_true_equinox(1e3 * teme.reshape(*moments.shape, 3), moments)
    return np.einsum("...ij,...j->...i", inertial_to_gse_matrix(moments), of_date)


def orbit_from_two_lines(lines: Sequence[str]) -> Orbit:
    """Mean elements of a two-line element set as an `Orbit`, for statistics: its rate of mean anomaly is that of SGP4.

    Drag and periodic terms are dropped; the node is counted from the mean equinox, 0.005 degrees off.

    Raises
    ------
    DataError
        The lines are not two-line elements.
    """
    satellite = _satellite(lines)
    days = (satellite.jdsatepoch - 2440587.5) + satellite.jdsatepochF
    epoch = np.datetime64("1970-01-01", "ns") + np.timedelta64(round(days * 86400e6), "us")
    tilt, node, perigee, anomaly = (
        float(np.degrees(angle)) for angle in (satellite.inclo, satellite.nodeo, satellite.argpo, satellite.mo)
    )
    wanted = satellite.mdot / 60.0
    orbit = Orbit((EARTH_GM / wanted**2) ** (1.0 / 3.0), float(satellite.ecco), tilt, node, perigee, anomaly, epoch)
    for _ in range(_AXIS_STEPS):
        # the flattening changes the rate by a small factor, by which the mean motion is corrected
        motion = orbit.mean_motion * wanted / secular_rates(orbit)[2]
        orbit = replace(orbit, semi_major_axis=(EARTH_GM / motion**2) ** (1.0 / 3.0))
    return orbit


def _satellite(lines: Sequence[str]) -> Satrec:
    """Parsed elements, with the checksums verified."""
    texts = [str(line).rstrip() for line in lines]
    if len(texts) != 2 or any(len(text) != 69 or text[0] != str(1 + k) for k, text in enumerate(texts)):
        raise DataError(f"two-line elements {texts!r}: give two lines of 69 characters that begin with 1 and 2")
    for number, text in enumerate(texts):
        total = sum(int(c) if c.isdigit() else c == "-" for c in text[:68]) % 10
        if str(total) != text[68]:
            raise DataError(
                f"two-line elements, line {number + 1}: checksum is {text[68]!r}, the line gives {total}; copy it again"
            )
    if texts[0][2:7] != texts[1][2:7]:
        raise DataError(f"two-line elements: line 1 is of satellite {texts[0][2:7]}, line 2 of {texts[1][2:7]}; give one pair")
    try:
        return Satrec.twoline2rv(*texts)
    except ValueError as error:
        raise DataError(f"two-line elements {texts!r}: {error}; copy the lines again") from error


def _mean_to_true_equinox(vector: Array, time: ArrayLike) -> Array:
    """Turn from the mean to the true equinox along the true equator: by apparent less mean sidereal time."""
    turn = sidereal_angle(time) - erfa.gmst82(julian_date(time), 0.0)
    cosine, sine = np.cos(turn), np.sin(turn)
    x, y, z = np.moveaxis(vector, -1, 0)
    return np.stack([cosine * x - sine * y, sine * x + cosine * y, z], axis=-1)
