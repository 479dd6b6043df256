"""The turns between GSE, GSM and SM at many times.

GSM shares the x axis with GSE and holds the dipole of the Earth in its plane of x and z. SM shares the y axis with GSM and
has its z axis along the dipole.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import CoverageError, DataError
from siderion.core.tables import load_table
from siderion.frames.geographic import geographic_to_gse_matrix

Array = NDArray[np.float64]
_YEARS_AFTER = 5.0


def dipole_axis(time: ArrayLike) -> Array:
    """Unit vector to the northern magnetic pole, Earth-fixed Cartesian, shape (..., 3).

    Parameters
    ----------
    time : array of datetime64
        UTC, 1965 to 2030.

    Raises
    ------
    CoverageError
        A time is outside that range, or missing.

    References
    ----------
    The degree-1 coefficients of the IGRF-13, linear between epochs: Alken et al. 2021, doi:10.1186/s40623-020-01288-x.
    """
    moments = np.asarray(time, dtype="datetime64[ns]")
    year = 1970.0 + (moments - np.datetime64("1970-01-01", "ns")) / np.timedelta64(1, "ns") / (365.2425 * 86400e9)
    table = load_table("frames", "igrf13_dipole")
    epochs = table["epoch"].to_numpy(dtype=float)
    last = epochs[-1] + _YEARS_AFTER
    bad = ~((year >= epochs[0]) & (year <= last))
    if bad.any():
        raise CoverageError(
            f"no dipole for {moments[bad].flat[0]}: the table holds {epochs[0]:.0f} to {last:.0f}; choose times within"
        )
    g10, g11, h11 = (_with_last_slope(year, epochs, table[name].to_numpy(dtype=float)) for name in ("g10", "g11", "h11"))
    axis = -np.stack([g11, h11, g10], axis=-1)
    return axis / np.linalg.norm(axis, axis=-1, keepdims=True)


def dipole_gse(time: ArrayLike) -> Array:
    """Unit vector to the northern magnetic pole of the Earth in GSE, shape (..., 3).

    The x component is the sine of the dipole tilt.

    Parameters
    ----------
    time : array of datetime64
        UTC, 1965 to 2030 (the dipole of the IGRF-13).

    Raises
    ------
    CoverageError
        A time is outside that range.
    """
    axis = dipole_axis(time)
    return np.einsum("...ij,...j->...i", geographic_to_gse_matrix(time), axis)


def dipole_tilt(time: ArrayLike) -> Array:
    """Dipole tilt, degrees: positive when the northern magnetic pole leans to the Sun; times as in `dipole_gse`."""
    return np.degrees(np.arcsin(dipole_gse(time)[..., 0]))


def gse_to_gsm(vector: ArrayLike, time: ArrayLike) -> Array:
    """Turn vectors from GSE to GSM.

    Parameters
    ----------
    vector : array of shape (..., 3)
        In GSE, any unit.
    time : array of datetime64
        UTC, 1965 to 2030; broadcast against the leading dimensions of ``vector``.

    Returns
    -------
    ndarray of shape (..., 3)
        In GSM: the same x; z along the part of the dipole across x.

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
    sine, cosine = _gsm_turn(time)
    return _turned(values, 1, 2, cosine, -sine)


def gsm_to_gse(vector: ArrayLike, time: ArrayLike) -> Array:
    """Turn vectors from GSM to GSE; the inverse of `gse_to_gsm`, with the same parameters and errors."""
    values = checked_vectors(vector, time, "GSM")
    sine, cosine = _gsm_turn(time)
    return _turned(values, 1, 2, cosine, sine)


def gsm_to_sm(vector: ArrayLike, time: ArrayLike) -> Array:
    """Turn vectors from GSM to SM: the same y; z along the dipole.

    Parameters, result, errors and reference are those of `gse_to_gsm`.
    """
    values = checked_vectors(vector, time, "GSM")
    sine = dipole_gse(time)[..., 0]
    return _turned(values, 0, 2, np.sqrt(1.0 - sine**2), -sine)


def sm_to_gsm(vector: ArrayLike, time: ArrayLike) -> Array:
    """Turn vectors from SM to GSM; the inverse of `gsm_to_sm`."""
    values = checked_vectors(vector, time, "SM")
    sine = dipole_gse(time)[..., 0]
    return _turned(values, 0, 2, np.sqrt(1.0 - sine**2), sine)


def checked_vectors(vector: ArrayLike, time: ArrayLike, frame: str) -> Array:
    """Vectors as an array (..., 3) that fits the times; `DataError` otherwise."""
    values = np.asarray(vector, dtype=np.float64)
    if values.ndim == 0 or values.shape[-1] != 3:
        raise DataError(f"vectors have shape {values.shape}; give x, y, z in {frame} along the last dimension")
    shape = np.shape(time)
    try:
        np.broadcast_shapes(values.shape[:-1], shape)
    except ValueError as error:
        raise DataError(f"vectors have shape {values.shape}, times {shape}; give one time, or one for each vector") from error
    return values


def _gsm_turn(time: ArrayLike) -> tuple[Array, Array]:
    """Sine and cosine of the angle about x from the z axis of GSE to the dipole, towards y."""
    dipole = dipole_gse(time)
    length = np.hypot(dipole[..., 1], dipole[..., 2])
    return dipole[..., 1] / length, dipole[..., 2] / length


def _turned(values: Array, first: int, second: int, cosine: Array, sine: Array) -> Array:
    """Two components turned: first' = c first + s second, second' = -s first + c second."""
    shape = np.broadcast_shapes(values.shape[:-1], np.shape(cosine))
    out = np.array(np.broadcast_to(values, (*shape, 3)))
    a, b = values[..., first], values[..., second]
    out[..., first] = cosine * a + sine * b
    out[..., second] = -sine * a + cosine * b
    return out


def _with_last_slope(x: Array, xs: Array, ys: Array) -> Array:
    """Linear interpolation that goes on with the last slope beyond the end."""
    after = np.maximum(x - xs[-1], 0.0)
    return np.interp(x, xs, ys) + after * (ys[-1] - ys[-2]) / (xs[-1] - xs[-2])
