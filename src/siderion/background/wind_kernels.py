"""Compiled kernels of the neutral wind solver: vertical columns and horizontal momentum advection.

Winds are complex: eastward plus i times northward. A rotation or an isotropic friction is then one complex factor.
Pure functions of plain arrays in SI units; the columns are the last, contiguous axis.
"""

from __future__ import annotations

import math

import numba
import numpy as np

_STAGE = 1.0 - math.sqrt(0.5)
"""Implicit coefficient of the ARS(2,2,2) scheme."""
_FIRST = 1.0 - 1.0 / (2.0 * _STAGE)
"""Explicit weight of the first slope of the ARS(2,2,2) scheme."""
_CARRY = (1.0 - _STAGE) / _STAGE
_ITERATIONS = 2
"""Iterations of the midpoint rule; more change the wind by less than the interpolation does."""
_COLUMNS = 48
"""Columns per task: the work arrays of 50 levels then stay in the second-level cache."""


@numba.njit(cache=True)
def _solve(right, lower, upper, inverse, step):
    """Solve the factored tridiagonal systems in place (Thomas 1949)."""
    levels, columns = right.shape
    for j in range(columns):
        right[0, j] *= inverse[0, j]
    for k in range(1, levels):
        for j in range(columns):
            right[k, j] = (right[k, j] + step * lower[k, j] * right[k - 1, j]) * inverse[k, j]
    for k in range(levels - 2, -1, -1):
        for j in range(columns):
            right[k, j] += step * upper[k, j] * inverse[k, j] * right[k + 1, j]


@numba.njit(cache=True)
def _factor(local, lower, upper, step):
    """Inverse pivots of 1 - step (local + viscosity)."""
    levels, columns = local.shape
    inverse = np.empty((levels, columns), np.complex128)
    for k in range(levels):
        for j in range(columns):
            pivot = 1.0 - step * (local[k, j] - lower[k, j] - upper[k, j])
            if k > 0:
                pivot -= step * lower[k, j] * step * upper[k - 1, j] * inverse[k - 1, j]
            inverse[k, j] = 1.0 / pivot
    return inverse


@numba.njit(cache=True)
def _advance_chunk(wind, local, conjugate, forcing, slope, lower, upper, step, steps):
    levels, columns = wind.shape
    inner = _STAGE * step
    inverse = _factor(local, lower, upper, inner)
    start = np.empty((levels, columns), np.complex128)
    stage = np.empty((levels, columns), np.complex128)
    for n in range(steps):
        time = n * step
        for k in range(levels):
            for j in range(columns):
                start[k, j] = forcing[k, j] + time * slope[k, j] + conjugate[k, j] * np.conj(wind[k, j])
                stage[k, j] = wind[k, j] + inner * start[k, j]
        _solve(stage, lower, upper, inverse, inner)
        for k in range(levels):
            for j in range(columns):
                middle = forcing[k, j] + (time + inner) * slope[k, j] + conjugate[k, j] * np.conj(stage[k, j])
                implicit = stage[k, j] - wind[k, j] - inner * start[k, j]
                explicit = _FIRST * start[k, j] + (1.0 - _FIRST) * middle
                wind[k, j] += step * explicit + _CARRY * implicit
        _solve(wind, lower, upper, inverse, inner)


@numba.njit(parallel=True, cache=True)
def advance_columns(wind, local, conjugate, forcing, slope, lower, upper, step, steps):
    """Advance independent columns by ``steps`` steps with coefficients that stay fixed, in place.

    Solves dW/dt = local W + conjugate conj(W) + forcing + slope t + lower (W[k-1] - W[k]) + upper (W[k+1] - W[k]),
    with t from the start of the call. ``local`` and the exchange between levels are implicit, the rest explicit: the
    second-order, stiffly accurate scheme ARS(2,2,2) of Ascher, Ruuth and Spiteri (1997),
    doi:10.1016/S0168-9274(97)00056-1, section 2.6. A steady state is reproduced exactly.

    Parameters
    ----------
    wind, local, conjugate, forcing, slope : complex array (level, column)
        m s-1, s-1, s-1, m s-2, m s-3. ``wind`` is overwritten.
    lower, upper : float array (level, column)
        Exchange rates with the level below and above, s-1; zero at the ends of the column.
    step : float
        Time step, s.
    steps : int
        Number of steps.
    """
    columns = wind.shape[1]
    for task in numba.prange((columns + _COLUMNS - 1) // _COLUMNS):
        i = task * _COLUMNS
        j = min(columns, i + _COLUMNS)
        _advance_chunk(
            wind[:, i:j],
            local[:, i:j],
            conjugate[:, i:j],
            forcing[:, i:j],
            slope[:, i:j],
            lower[:, i:j],
            upper[:, i:j],
            step,
            steps,
        )


@numba.njit(cache=True)
def _extend(field, sin_lat, cos_lat, sin_lon, cos_lon, south_pole, north_pole):
    """Cartesian components with one more row at both ends (across the pole, or repeated) and one more column."""
    rows, columns = field.shape
    out = np.empty((rows + 2, columns + 1, 3))
    for i in range(-1, rows + 1):
        row, turn = i, 0
        if i < 0:
            row, turn = (0, columns // 2) if south_pole else (0, 0)
        elif i >= rows:
            row, turn = (rows - 1, columns // 2) if north_pole else (rows - 1, 0)
        for j in range(columns + 1):
            column = (j + turn) % columns
            east = field[row, column].real
            north = field[row, column].imag
            # Cartesian components need no change of sign across the pole; local ones would.
            out[i + 1, j, 0] = -east * sin_lon[column] - north * sin_lat[row] * cos_lon[column]
            out[i + 1, j, 1] = east * cos_lon[column] - north * sin_lat[row] * sin_lon[column]
            out[i + 1, j, 2] = north * cos_lat[row]
    return out


@numba.njit(cache=True)
def _interpolate(extended, x, y, z, first_lat, lat_step, first_lon, lon_step, low, high):
    """Cartesian vector at the point (x, y, z) of the unit sphere, bilinear; clamped beyond an open edge."""
    columns = extended.shape[1] - 1
    row = min(max((math.atan2(z, math.sqrt(x * x + y * y)) - first_lat) / lat_step, low), high)
    column = ((math.atan2(y, x) - first_lon) / lon_step) % columns
    i = math.floor(row)
    # A tiny negative number modulo the count may round up to the count itself.
    j = min(math.floor(column), columns - 1)
    a, b = row - i, column - j
    south, north = extended[i + 1], extended[min(i + 2, extended.shape[0] - 1)]
    f00, f01, f10, f11 = (1 - a) * (1 - b), (1 - a) * b, a * (1 - b), a * b
    return (
        f00 * south[j, 0] + f01 * south[j + 1, 0] + f10 * north[j, 0] + f11 * north[j + 1, 0],
        f00 * south[j, 1] + f01 * south[j + 1, 1] + f10 * north[j, 1] + f11 * north[j + 1, 1],
        f00 * south[j, 2] + f01 * south[j + 1, 2] + f10 * north[j, 2] + f11 * north[j + 1, 2],
    )


@numba.njit(cache=True)
def _depart(x, y, z, u, v, w, angle):
    """Point of the unit sphere reached from (x, y, z) against the velocity (u, v, w)."""
    x, y, z = x - angle * u, y - angle * v, z - angle * w
    length = math.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


@numba.njit(parallel=True, cache=True)
def advect_momentum(wind, lat, lon, radius, step, south_pole, north_pole):
    """Carry the horizontal wind along itself on the sphere for one step (semi-Lagrangian).

    Solves dW/dt + (W . grad) W = 0 at every level, curvature terms included. The departure point comes from the
    midpoint rule; the vector is interpolated there in Cartesian components, which are smooth over the pole, and
    carried to the cell by parallel transport along the great circle. Stable at any Courant number. Method: Ritchie
    (1988), doi:10.1175/1520-0493(1988)116<1587:AOTSLM>2.0.CO;2. The interpolation is bilinear on purpose: with the
    pressure prescribed, opposing winds run into one another and form fronts; cubic interpolation sharpens them and
    the result then depends on the step.

    Parameters
    ----------
    wind : complex array (level, lat, lon)
        Eastward plus i times northward, m s-1.
    lat, lon : float array (lat,), (lon,)
        Uniform cell centres, rad; longitudes close the circle.
    radius : float array (level,)
        Distance from the centre of the Earth, m.
    step : float
        Time step, s.
    south_pole, north_pole : bool
        Whether the first (last) row touches the pole; otherwise that edge is open and repeated outward.

    Returns
    -------
    complex array (level, lat, lon)
        Wind after the step, m s-1.
    """
    levels, rows, columns = wind.shape
    sin_lat, cos_lat, sin_lon, cos_lon = np.sin(lat), np.cos(lat), np.sin(lon), np.cos(lon)
    p, q, r, s = lat[0], lat[1] - lat[0], lon[0], lon[1] - lon[0]
    low = -0.5 if south_pole else 0.0
    high = rows - 0.5 if north_pole else rows - 1.0
    out = np.empty_like(wind)
    for k in numba.prange(levels):
        extended = _extend(wind[k], sin_lat, cos_lat, sin_lon, cos_lon, south_pole, north_pole)
        angle = step / radius[k]
        half = 0.5 * angle
        for i in range(rows):
            for j in range(columns):
                x, y, z = cos_lat[i] * cos_lon[j], cos_lat[i] * sin_lon[j], sin_lat[i]
                u, v, w = extended[i + 1, j, 0], extended[i + 1, j, 1], extended[i + 1, j, 2]
                for _ in range(_ITERATIONS):
                    a, b, c = _depart(x, y, z, u, v, w, half)
                    u, v, w = _interpolate(extended, a, b, c, p, q, r, s, low, high)
                a, b, c = _depart(x, y, z, u, v, w, angle)
                u, v, w = _interpolate(extended, a, b, c, p, q, r, s, low, high)
                outward = u * a + v * b + w * c
                u, v, w = u - outward * a, v - outward * b, w - outward * c
                turn = (u * x + v * y + w * z) / (1.0 + a * x + b * y + c * z)
                u, v, w = u - turn * (a + x), v - turn * (b + y), w - turn * (c + z)
                east = -u * sin_lon[j] + v * cos_lon[j]
                north = -(u * cos_lon[j] + v * sin_lon[j]) * sin_lat[i] + w * cos_lat[i]
                out[k, i, j] = complex(east, north)
    return out
