"""Sums, rates and checks over the native grid, Numba engine. No fast-math here: NaN must be seen."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(parallel=True, error_model="numpy", cache=True)
def total_content(density, solid_angle, shell, row_range):
    """Number of particles in the active cells, summed in double precision in a fixed order."""
    levels, rows, _ = density.shape
    sums = np.zeros(levels, np.float64)
    for k in numba.prange(levels):
        level = 0.0
        for y in range(rows):
            for x in range(row_range[0, y], row_range[1, y]):
                level += np.float64(density[k, y, x]) * np.float64(solid_angle[y, x])
        sums[k] = level * shell[k]
    return sums.sum()


@numba.njit(parallel=True, error_model="numpy", cache=True)
def largest_rates(velocity_x, velocity_y, velocity_up, solid_angle, edge_x, edge_y, row_range, inverse_radius, distance):
    """Largest rates, s-1, that bound the time step, with their places.

    Returns (levels, 2) largest horizontal crossing rate and vertical stretching rate of every level, and the flat
    (y, x) index of both.
    """
    levels, rows, columns = velocity_up.shape
    rates = np.zeros((levels, 2), np.float64)
    places = np.zeros((levels, 2), np.int64)
    for k in numba.prange(levels):
        for y in range(rows):
            for x in range(row_range[0, y], row_range[1, y]):
                across = abs(velocity_x[k, y, x]) * max(edge_x[y, x], edge_x[y, x + 1])
                along = abs(velocity_y[k, x, y]) * max(edge_y[x, y], edge_y[x, y + 1])
                # A comparison with NaN is false: the first NaN is taken and stays.
                for speed in (across, along):
                    rate = speed / solid_angle[y, x] * inverse_radius[k]
                    if not rate <= rates[k, 0] and not np.isnan(rates[k, 0]):
                        rates[k, 0] = rate
                        places[k, 0] = y * columns + x
                if k > 0:
                    stretch = (velocity_up[k, y, x] - velocity_up[k - 1, y, x]) / distance[k]
                    if not stretch <= rates[k, 1] and not np.isnan(rates[k, 1]):
                        rates[k, 1] = stretch
                        places[k, 1] = y * columns + x
    return rates, places


@numba.njit(parallel=True, error_model="numpy", cache=True)
def first_invalid(density, row_range):
    """Index (lev, y, x) of the lowest cell that is negative or not finite, or (-1, -1, -1)."""
    levels, rows, _ = density.shape
    found = np.full((levels, 2), -1, np.int64)
    for k in numba.prange(levels):
        for y in range(rows):
            for x in range(row_range[0, y], row_range[1, y]):
                if not (density[k, y, x] >= 0 and density[k, y, x] < np.inf) and found[k, 0] < 0:
                    found[k, 0] = y
                    found[k, 1] = x
    for k in range(levels):
        if found[k, 0] >= 0:
            return k, found[k, 0], found[k, 1]
    return -1, -1, -1
