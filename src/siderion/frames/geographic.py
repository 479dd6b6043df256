"""Earth-fixed (GEO) and equatorial inertial axes in GSE, and back.

The inertial axes are those of the true equator and equinox of date: z to the celestial pole, x to the equinox. UT1 is taken
as UTC (below 1 s, 0.004 degrees) and polar motion is left out (1e-4 degrees).
"""

from __future__ import annotations

import erfa
import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import DataError
from siderion.frames.moon import gse_axes
from siderion.frames.spherical import latitude_longitude, unit_vector
from siderion.frames.sun import julian_date

Array = NDArray[np.float64]
_TT_MINUS_UTC_DAYS = 69.184 / 86400.0
_EPOCH, _NODE = 2451545.0, 0.125
_MANY = 64


def inertial_to_gse_matrix(time: ArrayLike) -> Array:
    """Rotation from the true equator and equinox of date to GSE, shape (..., 3, 3).

    Many times that lie close together are interpolated between nodes of 3 h, right to 1e-12.

    Parameters
    ----------
    time : array of datetime64
        UTC, 1900 to 2100.

    Raises
    ------
    CoverageError
        A time is outside that range.
    """
    return _slow_parts(time)[0]


def sidereal_angle(time: ArrayLike) -> Array:
    """Greenwich apparent sidereal time, rad: the right ascension of longitude 0 on the axes of date."""
    return _slow_parts(time)[1] + erfa.era00(julian_date(time), 0.0)


def geographic_to_gse_matrix(time: ArrayLike) -> Array:
    """Rotation from Earth-fixed axes to GSE, shape (..., 3, 3); times and errors as in `inertial_to_gse_matrix`."""
    matrix, lead = _slow_parts(time)
    return matrix @ _about_pole(lead + erfa.era00(julian_date(time), 0.0))


def geographic_to_gse(vector: ArrayLike, time: ArrayLike) -> Array:
    """Turn vectors from Earth-fixed axes (z to the north pole, x to longitude 0) to GSE.

    Parameters
    ----------
    vector : array of shape (..., 3)
        Any unit.
    time : array of datetime64
        UTC, 1900 to 2100; broadcast against the leading dimensions of ``vector``.

    Raises
    ------
    DataError
        The last dimension is not 3.
    CoverageError
        A time is outside the range.

    References
    ----------
    Hapgood 1992, doi:10.1016/0032-0633(92)90012-D; IAU SOFA routines through ERFA.
    """
    return np.einsum("...ij,...j->...i", geographic_to_gse_matrix(time), _vectors(vector))


def gse_to_geographic(vector: ArrayLike, time: ArrayLike) -> Array:
    """Turn vectors from GSE to Earth-fixed axes; the inverse of `geographic_to_gse`."""
    return np.einsum("...ji,...j->...i", geographic_to_gse_matrix(time), _vectors(vector))


def place_gse(lat: ArrayLike, lon: ArrayLike, alt: ArrayLike, time: ArrayLike) -> Array:
    """Position in GSE, m, of geocentric latitude, longitude (degrees) and altitude (km above the sphere of 6371.2 km)."""
    radius = EARTH_RADIUS + 1e3 * np.asarray(alt, dtype=np.float64)
    return geographic_to_gse(radius[..., None] * unit_vector(lat, lon), time)


def gse_to_place(position: ArrayLike, time: ArrayLike) -> tuple[Array, Array, Array]:
    """Geocentric latitude, longitude (degrees) and altitude (km) of positions (..., 3) in GSE, m: the inverse of `place_gse`."""
    fixed = gse_to_geographic(position, time)
    lat, lon = latitude_longitude(fixed)
    return lat, lon, (np.linalg.norm(fixed, axis=-1) - EARTH_RADIUS) * 1e-3


def _slow_parts(time: ArrayLike) -> tuple[Array, Array]:
    """Rotation from the axes of date to GSE, and sidereal time less Earth rotation angle (rad): both change with the seasons."""
    days = np.asarray(julian_date(time), dtype=np.float64)
    first = np.floor((days - _EPOCH) / _NODE).astype(np.int64) - 1
    nodes = np.unique(first[..., None] + np.arange(4)) if days.size > _MANY else np.empty(0, dtype=np.int64)
    if nodes.size == 0 or days.size < 2 * nodes.size:
        return _slow_parts_at(days)
    place = np.searchsorted(nodes, first)
    weight = _cubic_weights((days - _EPOCH) / _NODE - first)
    matrices, leads = _slow_parts_at(np.asarray(_EPOCH + _NODE * nodes, dtype=np.float64))
    matrix = sum(weight[..., k, None, None] * matrices[place + k] for k in range(4))
    lead = sum(weight[..., k] * leads[place + k] for k in range(4))
    # one step of Newton makes it orthonormal to round-off
    return 0.5 * matrix @ (3.0 * np.eye(3) - np.swapaxes(matrix, -1, -2) @ matrix), np.asarray(lead)


def _slow_parts_at(days: Array) -> tuple[Array, Array]:
    """The same without interpolation, at Julian dates of UTC."""
    terrestrial = days + _TT_MINUS_UTC_DAYS
    to_date = erfa.pnm06a(terrestrial, 0.0)
    lead = erfa.gst06(days, 0.0, terrestrial, 0.0, to_date) - erfa.era00(days, 0.0)
    moments = ((days - 2440587.5) * 86400e9).astype("datetime64[ns]")
    return gse_axes(moments) @ np.swapaxes(to_date, -1, -2), (lead + np.pi) % (2.0 * np.pi) - np.pi


def _cubic_weights(x: Array) -> Array:
    """Weights (..., 4) of the nodes 0, 1, 2, 3 in the cubic through them, at x."""
    a, b, c, d = x, x - 1.0, x - 2.0, x - 3.0
    return np.stack([-b * c * d / 6.0, a * c * d / 2.0, -a * b * d / 2.0, a * b * c / 6.0], axis=-1)


def _about_pole(angle: Array) -> Array:
    """Rotation by an angle about z, towards the east, shape (..., 3, 3)."""
    cosine, sine = np.cos(angle), np.sin(angle)
    zero, one = np.zeros_like(cosine), np.ones_like(cosine)
    rows = [np.stack(row, axis=-1) for row in ([cosine, -sine, zero], [sine, cosine, zero], [zero, zero, one])]
    return np.stack(rows, axis=-2)


def _vectors(values: ArrayLike) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0 or array.shape[-1] != 3:
        raise DataError(f"vectors have shape {array.shape}; the last dimension must hold the 3 components x, y, z")
    return array
