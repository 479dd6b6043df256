"""The Moon as seen from the Earth: its position in GSE, from the time or from its phase.

The position is the series of Meeus as coded in ERFA's ``moon98`` (a few arc seconds). GSE: x to the Sun, z to the north
pole of the ecliptic of date, y to dusk. Light time and aberration are left out (0.006 degrees).
"""

from __future__ import annotations

import erfa
import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.bodies import ASTRONOMICAL_UNIT
from siderion.core.errors import SettingsError
from siderion.core.tables import load_table
from siderion.frames.sun import julian_date

_TT_MINUS_UTC_DAYS = 69.184 / 86400.0


def gse_axes(time: ArrayLike) -> NDArray[np.float64]:
    """Unit vectors of the GSE axes in the celestial frame (ICRS), rows x, y, z; shape (..., 3, 3).

    Parameters
    ----------
    time : array of datetime64
        UTC, 1900 to 2100.

    Raises
    ------
    CoverageError
        A time is outside that range.
    """
    terrestrial = julian_date(time) + _TT_MINUS_UTC_DAYS
    heliocentric, _ = erfa.epv00(terrestrial, 0.0)
    sun = -heliocentric["p"]
    pole = erfa.ecm06(terrestrial, 0.0)[..., 2, :]
    # the Sun leaves the mean ecliptic by less than a second of arc, so z is made exactly perpendicular
    x = sun / np.linalg.norm(sun, axis=-1, keepdims=True)
    y = np.cross(pole, x)
    y = y / np.linalg.norm(y, axis=-1, keepdims=True)
    return np.stack([x, y, np.cross(x, y)], axis=-2)


def moon_position_gse(time: ArrayLike) -> NDArray[np.float64]:
    """Position of the Moon from the centre of the Earth in GSE, m.

    Parameters
    ----------
    time : array of datetime64
        UTC, 1900 to 2100.

    Returns
    -------
    ndarray of shape (..., 3)
        x, y, z in m; right to 0.01 degrees and to some 10 km of distance.

    Raises
    ------
    CoverageError
        A time is outside the range.

    References
    ----------
    Meeus 1998, Astronomical Algorithms; IAU SOFA routine ``moon98``.
    """
    terrestrial = julian_date(time) + _TT_MINUS_UTC_DAYS
    position = erfa.moon98(terrestrial, 0.0)["p"] * ASTRONOMICAL_UNIT
    return np.einsum("...ij,...j->...i", gse_axes(time), position)


def moon_position_from_phase(elongation: ArrayLike, distance: float | None = None) -> NDArray[np.float64]:
    """Position in GSE of a Moon in the ecliptic at some angle from the Sun, m.

    Parameters
    ----------
    elongation : array
        Angle from the Sun along the orbit, degrees: 0 new Moon, 90 first quarter (dusk side, +y), 180 full Moon, 270 last
        quarter.
    distance : float, optional
        Distance from the Earth, m; the mean distance without it.

    Returns
    -------
    ndarray of shape (..., 3)
        x, y, z in m.

    Raises
    ------
    SettingsError
        An angle is not finite or the distance is not positive.
    """
    angle = np.radians(np.asarray(elongation, dtype=np.float64))
    if not np.isfinite(angle).all():
        raise SettingsError(f"phase of the Moon is {elongation!r} degrees; it must be finite (0 is new Moon, 180 full Moon)")
    if distance is None:
        table = load_table("geospace", "lunar_orbit").set_index("quantity")["value"]
        distance = float(table["mean_distance"]) * 1e3
    if not 0.0 < distance < np.inf:
        raise SettingsError(f"distance of the Moon is {distance} m; it must be positive and finite")
    return distance * np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=-1)
