"""Lunar local time, its sectors, and the geometry of the wake of lunar ions.

Lunar local time tells where the Moon is about the Earth: 12 h at new Moon (towards the Sun), 18 h on the dusk side. The
wake of lunar ions is the region that picked-up ions can reach: it is wider than the wake of the flow by the cycloid, whose
height is twice the gyroradius.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import DataError, SettingsError
from siderion.core.tables import load_table

Array = NDArray[np.float64]


def lunar_local_time(position: ArrayLike) -> Array:
    """Local time of the Moon about the Earth, h, 0 to 24.

    Parameters
    ----------
    position : array of shape (..., 3)
        Position of the Moon in GSE, any unit of length.

    Raises
    ------
    DataError
        The last dimension is not 3, or the Moon is on the axis of the ecliptic.
    """
    values = np.asarray(position, dtype=np.float64)
    if values.ndim == 0 or values.shape[-1] != 3 or (np.hypot(values[..., 0], values[..., 1]) == 0.0).any():
        raise DataError(f"positions of the Moon have shape {values.shape}; give x, y, z in GSE, off the axis of the ecliptic")
    return (12.0 + np.degrees(np.arctan2(values[..., 1], values[..., 0])) / 15.0) % 24.0


def lunar_sector(local_time: ArrayLike) -> NDArray[np.int64]:
    """Sector of the lunar local time, 1 to 6; sector 3 is around new Moon, 10 to 14 h, and they follow the orbit.

    Parameters
    ----------
    local_time : array
        Lunar local time, h.

    Notes
    -----
    Christon et al. 2020; only the limits of sector 3 are given there as quoted, the others follow from their equal width.
    """
    table = load_table("geospace", "lunar_orbit").set_index("quantity")["value"]
    width = float(table["sector_width"])
    since = (np.asarray(local_time, dtype=np.float64) - float(table["sector_3_begin"])) % 24.0
    return (np.floor(since / width).astype(np.int64) + 2) % round(24.0 / width) + 1


def days_in_sector(begin: float, end: float) -> float:
    """Days of a synodic month that the Moon spends between two lunar local times (h), at its mean rate."""
    month = float(load_table("geospace", "lunar_orbit").set_index("quantity")["value"]["synodic_month"])
    return month * ((end - begin) % 24.0) / 24.0


def wake_half_width(gyroradius: ArrayLike, body_radius: float = 0.0) -> Array:
    """Largest distance of picked-up ions from the line downstream of the body: 2 r_g plus the radius of the body, m.

    For one direction of the field the ions lie on one side only; for all directions the width is twice this.

    Parameters
    ----------
    gyroradius : array
        Gyroradius of the ions in the frame of the flow, m v_perpendicular/(q B), m.
    body_radius : float
        Radius of the body they start from, m.
    """
    radius = np.asarray(gyroradius, dtype=np.float64)
    if not ((radius > 0.0).all() and np.isfinite(radius).all() and 0.0 <= body_radius < np.inf):
        raise SettingsError(f"gyroradius {gyroradius!r} m, radius of the body {body_radius} m: they must be finite, not negative")
    return 2.0 * radius + body_radius


def inside_ion_wake(position: ArrayLike, moon: ArrayLike, flow: ArrayLike, half_width: float) -> NDArray[np.bool_]:
    """Whether places lie downstream of the Moon within some distance of the line along the flow.

    Parameters
    ----------
    position : array of shape (..., 3)
        Places, m, in the frame of the others.
    moon, flow : array of shape (3,)
        Position of the Moon (m) and velocity of the plasma (any unit).
    half_width : float
        Of `wake_half_width`, m.
    """
    direction = np.asarray(flow, dtype=np.float64)
    speed = float(np.linalg.norm(direction))
    if direction.shape != (3,) or not 0.0 < speed < np.inf:
        raise SettingsError(f"flow is {flow!r}; give three finite components that are not all zero")
    offset = np.asarray(position, dtype=np.float64) - np.asarray(moon, dtype=np.float64)
    along = offset @ (direction / speed)
    across = np.linalg.norm(offset - along[..., None] * (direction / speed), axis=-1)
    return (along >= 0.0) & (across <= half_width)
