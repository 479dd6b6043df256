"""The turn from GSE to GSM: about the x axis that both share, until the dipole of the Earth lies in the plane of x and z."""

from __future__ import annotations

import erfa
import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import DataError
from siderion.frames.dipole import TiltedDipole
from siderion.frames.moon import gse_axes
from siderion.frames.sun import julian_date

_TT_MINUS_UTC_DAYS = 69.184 / 86400.0


def dipole_gse(time: ArrayLike) -> NDArray[np.float64]:
    """Unit vector to the northern magnetic pole of the Earth in GSE, shape (3,).

    The x component is the sine of the dipole tilt.

    Parameters
    ----------
    time : datetime64
        One UTC time, 1965 to 2030 (the dipole of the IGRF-13).

    Raises
    ------
    CoverageError
        The time is outside that range.
    """
    moment = np.datetime64(time, "ns") if isinstance(time, str) else np.asarray(time, dtype="datetime64[ns]")
    axis = TiltedDipole.at(moment).axes[2]
    utc = julian_date(moment)
    terrestrial = utc + _TT_MINUS_UTC_DAYS
    sidereal = float(erfa.gst06a(utc, 0.0, terrestrial, 0.0))
    cosine, sine = np.cos(sidereal), np.sin(sidereal)
    of_date = np.array([cosine * axis[0] - sine * axis[1], sine * axis[0] + cosine * axis[1], axis[2]])
    celestial = erfa.trxp(erfa.pnm06a(terrestrial, 0.0), of_date)
    return gse_axes(moment) @ celestial


def gse_to_gsm(vector: ArrayLike, time: ArrayLike) -> NDArray[np.float64]:
    """Turn vectors from GSE to GSM.

    Parameters
    ----------
    vector : array of shape (..., 3)
        In GSE, any unit.
    time : datetime64
        One UTC time, 1965 to 2030.

    Returns
    -------
    ndarray of shape (..., 3)
        In GSM: the same x; z along the part of the dipole across x.

    Raises
    ------
    CoverageError
        The time is outside the range.
    DataError
        The last dimension is not 3.

    References
    ----------
    Hapgood 1992, doi:10.1016/0032-0633(92)90012-D.
    """
    values = np.asarray(vector, dtype=np.float64)
    if values.ndim == 0 or values.shape[-1] != 3:
        raise DataError(f"vectors have shape {values.shape}; give x, y, z in GSE along the last dimension")
    y, z = dipole_gse(time)[1:]
    length = float(np.hypot(y, z))
    turn = np.array([[1.0, 0.0, 0.0], [0.0, z / length, -y / length], [0.0, y / length, z / length]])
    return values @ turn.T
