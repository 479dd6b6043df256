"""Velocity of the ions on the native grid, Numba engine: equation (2) of Andoh et al. 2026 with its terms separable.

Drivers come on coarse columns (already on the native levels) and are interpolated here, cell by cell, so that nothing of
native size is stored but the result. The plain form of the same equation is `siderion.background.ion_velocity`.
"""

from __future__ import annotations

import numba
import numpy as np

from .numba_horizontal import _FAST

# Rows of the coarse driver array.
NU, WIND_1, WIND_2, FORCE, DIFFUSIVITY, AMBIPOLAR, THERMAL = range(7)
DRIVER_ROWS = 7
# Rows of the column geometry: ten projections for each direction (x, y, up), then those that all share.
THETA, PHI, CROSS_UP, CROSS_THETA, CROSS_PHI, WIND_1_D, WIND_2_D, WIND_1_CROSS, WIND_2_CROSS, FIELD_D = range(10)
PROJECTIONS = 10
FIELD_UP, WIND_1_FIELD, WIND_2_FIELD, SINE, COSINE = range(30, 35)
GEOMETRY_ROWS = 35


@numba.njit(inline="always", fastmath=_FAST)
def _projected(g, d, e_up, e_theta, e_phi, wind_1, wind_2, vertical, along, zeta, weights):
    """Velocity along one direction: sum of the terms of equation (2). ``e_*`` is E/B, m s-1."""
    share = 1 / (1 + zeta * zeta)
    start = d * PROJECTIONS
    e_direct = e_theta * g[start + THETA] + e_phi * g[start + PHI]
    if d == 2:
        e_direct += e_up
    e_cross = e_up * g[start + CROSS_UP] + e_theta * g[start + CROSS_THETA] + e_phi * g[start + CROSS_PHI]
    wind_direct = wind_1 * g[start + WIND_1_D] + wind_2 * g[start + WIND_2_D]
    wind_cross = wind_1 * g[start + WIND_1_CROSS] + wind_2 * g[start + WIND_2_CROSS]
    wind_field = (wind_1 * g[WIND_1_FIELD] + wind_2 * g[WIND_2_FIELD]) * g[start + FIELD_D]
    velocity = weights[0] * share * e_cross + weights[1] * share * zeta * e_direct
    velocity += weights[2] * share * (zeta * zeta * wind_direct + zeta * wind_cross + wind_field)
    slow = vertical * share * (zeta * g[start + CROSS_UP] + g[FIELD_UP] * g[start + FIELD_D])
    if d == 2:
        slow = vertical * share * (zeta * zeta + g[FIELD_UP] * g[FIELD_UP])
    return velocity, slow + along * g[start + FIELD_D]


@numba.njit(inline="always", fastmath=_FAST)
def _potential_gradient(table, sine, phase_index, phase_weight, step):
    """Gradient of the potential at a footpoint, two components of the magnetic plane, by bilinear interpolation; 0 beyond."""
    place = sine / step
    if place >= table.shape[2] - 1:
        return place * 0, place * 0
    i = int(place)
    a = place - i
    j = phase_index
    b = phase_weight
    first = (1 - b) * ((1 - a) * table[0, j, i] + a * table[0, j, i + 1])
    first += b * ((1 - a) * table[0, j + 1, i] + a * table[0, j + 1, i + 1])
    second = (1 - b) * ((1 - a) * table[1, j, i] + a * table[1, j, i + 1])
    second += b * ((1 - a) * table[1, j + 1, i] + a * table[1, j + 1, i + 1])
    return first, second


EMPTY_DENSITY = np.float32(1e-6)
"""m-3; added to the density, it gives cells that gravity has emptied, where N is 0, a finite gradient of ln N."""


@numba.njit(inline="always", fastmath=_FAST)
def _interpolated(drivers, row, k, corner, corner_weight, y, x):
    total = drivers[row, k, corner[0, y, x]] * corner_weight[0, y, x]
    for c in range(1, 4):
        total += drivers[row, k, corner[c, y, x]] * corner_weight[c, y, x]
    return total


@numba.njit(parallel=True, error_model="numpy", fastmath=_FAST, cache=True)
def interpolate_columns(drivers, corner, corner_weight, row_range, result):
    """Bilinear interpolation of coarse columns (row, lev, column) to the native columns (row, lev, y, x)."""
    rows, levels, _ = drivers.shape
    for k in numba.prange(levels):
        for row in range(rows):
            for y in range(result.shape[2]):
                for x in range(row_range[0, y], row_range[1, y]):
                    result[row, k, y, x] = _interpolated(drivers, row, k, corner, corner_weight, y, x)


@numba.njit(parallel=True, error_model="numpy", fastmath=_FAST, cache=True)
def fill_velocity(
    drivers,
    corner,
    corner_weight,
    geometry,
    phase_index,
    phase_weight,
    phase_cosine,
    phase_sine,
    table,
    table_step,
    density,
    electrons,
    row_range,
    radius,
    footpoint,
    gyration,
    field_scale,
    distance,
    weights,
    velocity_x,
    velocity_y,
    velocity_up,
    diffusivity,
    drift,
    ambipolar,
    slow_up,
):
    """Fill the velocities across the cell faces and the coefficients of the vertical diffusion.

    Parameters
    ----------
    drivers : (7, lev, column)
        Coarse drivers on the native levels: collision frequency s-1, two wind components m s-1, vertical force over
        m nu without the density gradient m s-1, ion diffusivity k Ti/(m nu) and k Te/(m nu) m2 s-1, and the part of the
        parallel electric force over m nu that comes from the gradient of Te, m s-1.
    corner, corner_weight : (4, y, x)
        Coarse columns around each native column, and their weights.
    geometry : (35, y, x)
        Projections of the column's directions, see the row names above.
    phase_index, phase_weight, phase_cosine, phase_sine : (y, x)
        Place in the potential table by magnetic local time.
    table : (2, phase, sine); table_step : float
        Gradient of the potential, V per radian, in the magnetic plane.
    density, electrons : (lev, y, x)
        Density of the species and of all electrons: their vertical gradients drive the slow horizontal part (lagged).
    radius, footpoint, gyration, field_scale : (lev,)
        Radius m; sqrt(footpoint radius / radius); gyrofrequency and field strength at the magnetic equator of the shell.
    distance : (lev,)
        Distance across face k, m; entry 0 is 0.
    weights : (3,)
        Weight of the terms exb, pedersen and wind: 1 or 0. The drivers already carry those of the other terms.
    velocity_x, velocity_y, velocity_up, diffusivity, drift, ambipolar : (lev, y, x)
        Results; ``velocity_y`` is transposed, (lev, x, y). ``velocity_up`` leaves out the slow terms (gravity, pressure,
        parallel field), which the diffusion handles.
    slow_up : (lev, y, x)
        Vertical velocity by the slow terms, for output; of size 0 it is not filled.
    """
    levels, rows, _ = velocity_up.shape
    for k in numba.prange(levels):
        g = np.empty(GEOMETRY_ROWS, drivers.dtype)
        value = np.empty(DRIVER_ROWS, drivers.dtype)
        below, above = max(k - 1, 0), min(k + 1, levels - 1)
        span = distance[k] + (distance[above] if above > k else distance[0])
        for y in range(rows):
            for x in range(row_range[0, y], row_range[1, y]):
                for r in range(GEOMETRY_ROWS):
                    g[r] = geometry[r, y, x]
                for v in range(DRIVER_ROWS):
                    value[v] = _interpolated(drivers, v, k, corner, corner_weight, y, x)
                foot = footpoint[k] * g[SINE]
                first, second = _potential_gradient(table, foot, phase_index[y, x], phase_weight[y, x], table_step)
                by_theta = first * phase_cosine[y, x] + second * phase_sine[y, x]
                by_phi = second * phase_cosine[y, x] - first * phase_sine[y, x]
                cosine_foot = np.sqrt(1 - foot * foot)
                strength = field_scale[k] * np.sqrt(1 + 3 * g[COSINE] * g[COSINE])
                scale = 1 / (radius[k] * strength)
                e_up = foot / (2 * cosine_foot) * by_theta * scale
                e_theta = -footpoint[k] * g[COSINE] / cosine_foot * by_theta * scale
                e_phi = -footpoint[k] * by_phi * scale
                zeta = value[NU] / (gyration[k] * np.sqrt(1 + 3 * g[COSINE] * g[COSINE]))
                slope = np.log((density[above, y, x] + EMPTY_DENSITY) / (density[below, y, x] + EMPTY_DENSITY)) / span
                vertical = value[FORCE] - value[DIFFUSIVITY] * slope
                slope = np.log(electrons[above, y, x] / electrons[below, y, x]) / span
                along = (value[THERMAL] - value[AMBIPOLAR] * slope) * g[FIELD_UP]
                fast, slow = _projected(g, 0, e_up, e_theta, e_phi, value[WIND_1], value[WIND_2], vertical, along, zeta, weights)
                velocity_x[k, y, x] = fast + slow
                fast, slow = _projected(g, 1, e_up, e_theta, e_phi, value[WIND_1], value[WIND_2], vertical, along, zeta, weights)
                velocity_y[k, x, y] = fast + slow
                fast, slow = _projected(g, 2, e_up, e_theta, e_phi, value[WIND_1], value[WIND_2], vertical, along, zeta, weights)
                velocity_up[k, y, x] = fast
                if slow_up.size > 0:
                    slow_up[k, y, x] = slow
                square = g[FIELD_UP] * g[FIELD_UP]
                across = (zeta * zeta + square) / (1 + zeta * zeta)
                diffusivity[k, y, x] = value[DIFFUSIVITY] * across
                drift[k, y, x] = value[FORCE] * across + value[THERMAL] * square
                ambipolar[k, y, x] = value[AMBIPOLAR] * square
