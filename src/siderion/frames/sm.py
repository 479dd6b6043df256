"""Solar magnetic (SM) coordinates from GSE, and the magnetic latitude, local time and shell of places in space."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import DataError
from siderion.frames.gsm import checked_vectors, dipole_gse, gsm_to_gse, gsm_to_sm, sm_to_gsm

Array = NDArray[np.float64]

__all__ = ["gse_to_sm", "gsm_to_sm", "magnetic_place", "sm_to_gse", "sm_to_gsm"]


def gse_to_sm(vector: ArrayLike, time: ArrayLike) -> Array:
    """Turn vectors from GSE to SM: z along the dipole, y across dipole and Sun.

    Parameters
    ----------
    vector : array of shape (..., 3)
        In GSE, any unit.
    time : array of datetime64
        UTC, 1965 to 2030; broadcast against the leading dimensions of ``vector``.

    Raises
    ------
    CoverageError
        A time is outside the range.
    DataError
        The last dimension is not 3, or times do not fit.

    References
    ----------
    Hapgood 1992, doi:10.1016/0032-0633(92)90012-D.
    """
    values = checked_vectors(vector, time, "GSE")
    return np.einsum("...ij,...j->...i", _sm_axes(time), values)


def sm_to_gse(vector: ArrayLike, time: ArrayLike) -> Array:
    """Turn vectors from SM to GSE; the inverse of `gse_to_sm`, with the same parameters and errors."""
    return gsm_to_gse(sm_to_gsm(vector, time), time)


def magnetic_place(position_gse: ArrayLike, time: ArrayLike) -> tuple[Array, Array, Array]:
    """Magnetic latitude (degrees), magnetic local time (h) and shell (L, radii of the Earth) of places in space.

    Parameters
    ----------
    position_gse : array of shape (..., 3)
        GSE, m.
    time : array of datetime64
        UTC, 1965 to 2030.

    Returns
    -------
    latitude, local_time, shell : ndarrays of shape (...)
        Of the centred dipole: L = r/(RE cos^2 latitude), which means little beyond about 8 RE. Infinite over the pole.

    Raises
    ------
    DataError
        A position is the centre of the Earth.
    """
    place = gse_to_sm(position_gse, time)
    radius = np.linalg.norm(place, axis=-1)
    if (radius == 0.0).any():
        raise DataError("a position is the centre of the Earth, which has no magnetic latitude; positions are in m in GSE")
    across = np.hypot(place[..., 0], place[..., 1])
    latitude = np.degrees(np.arctan2(place[..., 2], across))
    local_time = (12.0 + np.degrees(np.arctan2(place[..., 1], place[..., 0])) / 15.0) % 24.0
    cosine = across / radius
    shell = np.divide(radius / EARTH_RADIUS, cosine**2, out=np.full_like(radius, np.inf), where=cosine > 0.0)
    return latitude, local_time, shell


def _sm_axes(time: ArrayLike) -> Array:
    """Unit vectors of SM in GSE, rows x, y, z."""
    z = dipole_gse(time)
    length = np.hypot(z[..., 1], z[..., 2])
    y = np.stack([np.zeros_like(length), z[..., 2] / length, -z[..., 1] / length], axis=-1)
    return np.stack([np.cross(y, z), y, z], axis=-2)
