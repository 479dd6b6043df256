"""Polarisation of waves from spectral matrices in mean-field-aligned coordinates.

Axes: e3 along the mean field B, e1 and e2 across it, right-handed. A matrix is S_ij = <X_i X_j*>, with X the Fourier
transform with exp(-i w t). A positive ion traces (cos, -sin) in (e1, e2): left-handed about B, Im S12 < 0, and every
ellipticity here is negative. Stokes parameters and ellipticity: Arthur et al. 1976 (doi:10.1029/RS011i010p00833); degree of
polarisation in space: Samson & Olson 1980 (doi:10.1111/j.1365-246X.1980.tb04308.x); wave normal: Means 1972
(doi:10.1029/JA077i028p05551) and Santolik et al. 2003 (doi:10.1029/2000RS002523).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.complex128]
Real = NDArray[np.float64]


def power_across(matrix: Matrix) -> Real:
    """Sum of the two components across B; ``matrix`` has the shape (..., 3, 3)."""
    return matrix[..., 0, 0].real + matrix[..., 1, 1].real


def power_along(matrix: Matrix) -> Real:
    """Component along B; ``matrix`` has the shape (..., 3, 3)."""
    return matrix[..., 2, 2].real.copy()


def stokes_parameters(matrix: Matrix) -> tuple[Real, Real, Real, Real]:
    """Stokes parameters I, Q, U, V of the plane across B, in the units of the matrix (..., 3, 3)."""
    cross = matrix[..., 0, 1]
    first, second = matrix[..., 0, 0].real, matrix[..., 1, 1].real
    return first + second, first - second, 2.0 * cross.real, 2.0 * cross.imag


def ellipticity(matrix: Matrix) -> Real:
    """Ellipticity of the polarised part in the plane across B, -1 (left-handed circle) to 1 (right-handed circle).

    tan(0.5 asin(V / sqrt(Q^2 + U^2 + V^2))); 0 where nothing is polarised. ``matrix`` has the shape (..., 3, 3).
    """
    _, q, u, v = stokes_parameters(matrix)
    polarized = np.sqrt(q**2 + u**2 + v**2)
    ratio = np.divide(v, polarized, out=np.zeros_like(v), where=polarized > 0.0)
    return np.tan(0.5 * np.arcsin(np.clip(ratio, -1.0, 1.0)))


def polarization_degree_2d(matrix: Matrix) -> Real:
    """Polarised part of the power across B, 0 to 1; 0 without power. ``matrix`` has the shape (..., 3, 3)."""
    i, q, u, v = stokes_parameters(matrix)
    degree = np.divide(np.sqrt(q**2 + u**2 + v**2), i, out=np.zeros_like(i), where=i > 0.0)
    return np.clip(degree, 0.0, 1.0)


def polarization_degree_3d(matrix: Matrix) -> Real:
    """Degree of polarisation in space, 0 to 1, with the root: sqrt((3 Tr S^2 - (Tr S)^2) / (2 (Tr S)^2)).

    Samson & Olson 1980. Programs exist that leave the square root out; a threshold means another thing there.
    ``matrix`` has the shape (..., 3, 3).
    """
    trace = np.trace(matrix, axis1=-2, axis2=-1).real
    square = np.sum(np.abs(matrix) ** 2, axis=(-2, -1))  # Tr S^2 of a Hermitian matrix
    ratio = np.divide(3.0 * square - trace**2, 2.0 * trace**2, out=np.zeros_like(trace), where=trace > 0.0)
    return np.sqrt(np.clip(ratio, 0.0, 1.0))


def wave_normal_means(matrix: Matrix) -> Real:
    """Wave normal from the imaginary part, shape (..., 3), with its component along B not negative; NaN where there is none.

    Means 1972: the vector (Im S23, -Im S13, Im S12) is normal to the plane of a circular or elliptic wave. A linearly
    polarised wave has none.
    """
    normal = np.stack((matrix[..., 1, 2].imag, -matrix[..., 0, 2].imag, matrix[..., 0, 1].imag), axis=-1)
    return _upward(normal)


def wave_normal_svd(matrix: Matrix) -> tuple[Real, Real]:
    """Wave normal (..., 3) and planarity (...) from the singular values of the real and imaginary parts.

    Santolik et al. 2003, equations (5) to (10) and (12): the normal is the direction that the six vectors Re S, Im S reach
    least; planarity is 1 - sqrt(least / largest singular value), 1 for a plane wave. NaN without power.
    """
    stacked = np.concatenate((matrix.real, matrix.imag), axis=-2)
    good = np.isfinite(stacked).all(axis=(-2, -1)) & (np.abs(stacked).max(axis=(-2, -1)) > 0.0)
    _, values, rows = np.linalg.svd(np.where(good[..., None, None], stacked, 0.0), full_matrices=False)
    ratio = np.divide(values[..., 2], values[..., 0], out=np.full(values.shape[:-1], np.nan), where=good)
    return _upward(np.where(good[..., None], rows[..., 2, :], np.nan)), 1.0 - np.sqrt(ratio)


def angle_to_field(normal: Real) -> Real:
    """Angle between wave normal (..., 3) and B, degrees, 0 to 90."""
    across = np.hypot(normal[..., 0], normal[..., 1])
    return np.degrees(np.arctan2(across, np.abs(normal[..., 2])))


def field_aligned_axes(field: Real) -> Real:
    """Rotation matrices (..., 3, 3) whose rows are e1, e2, e3, with e3 along the field vectors (..., 3).

    e2 is e3 x X (X the first axis of the series), or e3 x Y where the field is within 25 degrees of X; e1 completes the
    right-handed set. NaN where the field is zero or not finite.
    """
    length = np.linalg.norm(field, axis=-1, keepdims=True)
    e3 = np.divide(field, length, out=np.full_like(field, np.nan), where=length > 0.0)
    along_x = np.abs(e3[..., :1]) > np.cos(np.radians(25.0))
    reference = np.where(along_x, np.array([0.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0]))
    e2 = np.cross(e3, reference)
    e2 /= np.linalg.norm(e2, axis=-1, keepdims=True)
    return np.stack((np.cross(e2, e3), e2, e3), axis=-2)


def rotate_matrix(matrix: Matrix, axes: Real) -> Matrix:
    """Spectral matrices (..., 3, 3) in the axes (..., 3, 3) whose rows are unit vectors."""
    return axes @ matrix @ np.swapaxes(axes, -1, -2)


def _upward(vector: Real) -> Real:
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    unit = np.divide(vector, length, out=np.full_like(vector, np.nan), where=length > 0.0)
    return unit * np.where(unit[..., 2:] < 0.0, -1.0, 1.0)
