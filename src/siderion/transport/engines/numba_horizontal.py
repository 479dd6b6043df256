"""Horizontal advection on the cap, Numba engine: dimension-split PPM in flux form.

Colella & Woodward 1984 (doi:10.1016/0021-9991(84)90143-8), equations 1.6 to 1.12, on uniform index space. Each sweep
carries the pseudo-volume left by the sweep before, so that a constant density stays constant in a non-divergent flow.
Volumes are solid angles here: the factor of the shell's thickness is the same for all cells of a level.
"""

from __future__ import annotations

import numba
import numpy as np

_FAST = {"nnan", "nsz", "contract"}  # lets selections and minima vectorise; NaN is looked for elsewhere
_GHOST = 3  # cells that the stencil of the parabola reaches beyond the row


@numba.njit(inline="always")
def _limited_slope(left, centre, right):
    """Monotonised central slope, CW84 equation 1.8."""
    below = centre - left
    above = right - centre
    product = below * above
    size = min(abs(0.5 * (right - left)), 2.0 * min(abs(below), abs(above)))
    slope = size if right > left else -size
    return slope if product > 0 else product * 0


# The loops below run from zero over shifted views and each write few arrays: only then does the compiler vectorise them
# (three times faster than the same sums with shifted indices).


@numba.njit(error_model="numpy", fastmath=_FAST, cache=True)
def fill_parabolas(density, count, edge, left, right):
    """Left and right value of the monotone parabola of every cell of a row (CW84 1.6, 1.8, 1.10).

    ``density`` holds ``count`` cells between `_GHOST` ghosts at each end; results are valid for one ghost at each end.
    """
    faces = count + 3
    cell0, cell1, cell2, cell3 = density[:faces], density[1 : faces + 1], density[2 : faces + 2], density[3 : faces + 3]
    value = edge[2 : faces + 2]
    for j in range(faces):
        slope_after = _limited_slope(cell1[j], cell2[j], cell3[j])
        slope_before = _limited_slope(cell0[j], cell1[j], cell2[j])
        value[j] = (cell1[j] + cell2[j]) / 2 - (slope_after - slope_before) / 6
    cells = count + 2
    centres, lows, highs = density[2 : cells + 2], edge[2 : cells + 2], edge[3 : cells + 3]
    lefts, rights = left[2 : cells + 2], right[2 : cells + 2]
    for j in range(cells):
        centre = centres[j]
        low = lows[j]
        high = highs[j]
        difference = high - low
        bend = difference * 6 * (centre - (low + high) / 2)
        square = difference * difference
        extremum = (high - centre) * (centre - low) <= 0
        new_low = 3 * centre - 2 * high if bend > square else low
        new_high = 3 * centre - 2 * low if -square > bend else high
        lefts[j] = centre if extremum else new_low
        rights[j] = centre if extremum else new_high


@numba.njit(error_model="numpy", fastmath=_FAST, cache=True)
def _fill_courant(swept, volume, count, courant):
    """Part of the upwind cell that each face sweeps; returns the largest."""
    faces = count + 1
    moved, before, after = swept[_GHOST:], volume[_GHOST - 1 :], volume[_GHOST:]
    part = courant[_GHOST:]
    for j in range(faces):
        part[j] = abs(moved[j]) / (before[j] if moved[j] >= 0 else after[j])
    largest = part[0]
    for j in range(faces):
        largest = max(largest, part[j])
    return largest


@numba.njit(error_model="numpy", fastmath=_FAST, cache=True)
def _fill_fluxes(swept, courant, count, density, left, right, flux):
    """Mass through every face of a row (CW84 1.12). Face ``j`` is the left face of cell ``j``."""
    moved, part, mass = swept[_GHOST:], courant[_GHOST:], flux[_GHOST:]
    centre0, centre1 = density[_GHOST - 1 :], density[_GHOST:]
    left0, left1, right0, right1 = left[_GHOST - 1 :], left[_GHOST:], right[_GHOST - 1 :], right[_GHOST:]
    for j in range(count + 1):
        forward = moved[j] >= 0
        low = left0[j] if forward else left1[j]
        high = right0[j] if forward else right1[j]
        centre = centre0[j] if forward else centre1[j]
        near = high if forward else low
        slope = high - low if forward else low - high
        bend = 6 * (centre - (low + high) / 2)
        mass[j] = moved[j] * (near - part[j] / 2 * (slope - (1 - 2 * part[j] / 3) * bend))


@numba.njit(error_model="numpy", fastmath=_FAST, cache=True)
def _load_row(density, volume, velocity, solid_angle, edge_angle, scale, cells, volumes, swept):
    """Copy the active part of one row into the work arrays: density, volume, and what its faces sweep."""
    count = density.size
    inner_cells, inner_volumes, faces = cells[_GHOST:], volumes[_GHOST:], swept[_GHOST + 1 :]
    before, after, inner_edges = velocity[: count - 1], velocity[1:], edge_angle[1:]
    for i in range(count):
        inner_cells[i] = density[i]
    for i in range(count):
        inner_volumes[i] = solid_angle[i] * volume[i]
    for i in range(count - 1):
        faces[i] = (before[i] + after[i]) / 2 * inner_edges[i] * scale
    swept[_GHOST] = velocity[0] * edge_angle[0] * scale
    swept[count + _GHOST] = velocity[count - 1] * edge_angle[count] * scale


@numba.njit(error_model="numpy", fastmath=_FAST, cache=True)
def _update_row(cells, volumes, swept, flux, solid_angle, last, density, volume):
    """New density, and new pseudo-volume over true volume, of the active part of a row."""
    count = density.size
    old, old_volume = cells[_GHOST:], volumes[_GHOST:]
    swept0, swept1, flux0, flux1 = swept[_GHOST:], swept[_GHOST + 1 :], flux[_GHOST:], flux[_GHOST + 1 :]
    for i in range(count):
        volume[i] = old_volume[i] - (swept1[i] - swept0[i])
    for i in range(count):
        density[i] = (old[i] * old_volume[i] - (flux1[i] - flux0[i])) / (solid_angle[i] if last else volume[i])
    for i in range(count):
        volume[i] /= solid_angle[i]


@numba.njit(error_model="numpy", fastmath=_FAST, cache=True)
def _sweep(density, volume, velocity, solid_angle, edge_angle, bounds, scale, fixed, outside, last, work, budget):
    """One sweep along the rows of one level, in place; returns the largest Courant number.

    ``volume`` is the pseudo-volume over the true one. ``last`` divides by the true volume instead of the pseudo-volume.
    ``budget[0]`` gains the mass that enters through the ends of the rows (density x solid angle).
    """
    cells, volumes, swept, edge, left, right, flux = work
    largest = scale * 0
    for y in range(density.shape[0]):
        first, stop = bounds[0, y], bounds[1, y]
        count = stop - first
        if count <= 0:
            continue
        row_density, row_volume, angle = density[y, first:stop], volume[y, first:stop], solid_angle[y, first:stop]
        edges = edge_angle[y, first : stop + 1]
        _load_row(row_density, row_volume, velocity[y, first:stop], angle, edges, scale, cells, volumes, swept)
        for i in range(_GHOST):
            cells[i] = outside if fixed else cells[_GHOST]
            cells[count + _GHOST + i] = outside if fixed else cells[count + _GHOST - 1]
            volumes[i] = volumes[_GHOST]
            volumes[count + _GHOST + i] = volumes[count + _GHOST - 1]
        fill_parabolas(cells, count, edge, left, right)
        largest = max(largest, _fill_courant(swept, volumes, count, edge))  # the edge values are no longer needed
        _fill_fluxes(swept, edge, count, cells, left, right, flux)
        _update_row(cells, volumes, swept, flux, angle, last, row_density, row_volume)
        budget[0] += np.float64(flux[_GHOST]) - np.float64(flux[count + _GHOST])
    return largest


@numba.njit(error_model="numpy", fastmath=_FAST, cache=True)
def _transpose(source, target):
    for y in range(source.shape[0]):
        for x in range(source.shape[1]):
            target[x, y] = source[y, x]


@numba.njit(parallel=True, error_model="numpy", fastmath=_FAST, cache=True)
def advect_horizontal(
    density,
    volume,
    velocity_x,
    velocity_y,
    solid_angle,
    edge_x,
    edge_y,
    row_range,
    column_range,
    time_over_radius,
    shell,
    edge_fixed,
    edge_density,
    x_first,
    last,
    budget,
):
    """Advance the density of one species by horizontal advection, in place.

    Parameters
    ----------
    density, volume : (lev, y, x)
        Number density, and pseudo-volume over true volume (in: after the sweeps before; out: after these).
    velocity_x : (lev, y, x)
    velocity_y : (lev, x, y)
        Velocity across the x faces and, transposed, across the y faces, m s-1.
    solid_angle : (y, x); edge_x : (y, x + 1); edge_y : (x, y + 1)
        Solid angle of the cells, sr; length of the faces in radians, the y faces transposed.
    row_range, column_range : (2, y), (2, x)
        First and one past the last active cell of every row and column.
    time_over_radius : (lev,)
        Time step over the effective radius of the shell, s m-1.
    shell : (lev,)
        Volume of the shell per solid angle, m3 sr-1; for the budget.
    edge_fixed : bool; edge_density : (lev,)
        Whether inflow over the low-latitude edge carries ``edge_density``, or else the density of the edge cell.
    x_first, last : bool
        Order of the two sweeps; whether this is the last part of the step (the result refers to true volumes).
    budget : (lev,) float64
        Gains the number of ions that came in over the edge.

    Returns
    -------
    float
        Largest Courant number. Above 1 the result is not valid.
    """
    levels, ny, nx = density.shape
    courant = np.zeros(levels, dtype=density.dtype)
    for k in numba.prange(levels):
        longest = max(nx, ny) + 2 * _GHOST + 1
        work = (
            np.empty(longest, density.dtype),
            np.empty(longest, density.dtype),
            np.empty(longest, density.dtype),
            np.empty(longest, density.dtype),
            np.empty(longest, density.dtype),
            np.empty(longest, density.dtype),
            np.empty(longest, density.dtype),
        )
        turned_density = np.empty((nx, ny), density.dtype)
        turned_volume = np.empty((nx, ny), density.dtype)
        turned_angle = np.empty((nx, ny), density.dtype)
        _transpose(solid_angle, turned_angle)
        gained = np.zeros(1, np.float64)
        scale = time_over_radius[k]
        outside = edge_density[k]
        if x_first:
            courant[k] = _sweep(
                density[k], volume[k], velocity_x[k], solid_angle, edge_x, row_range, scale,
                edge_fixed, outside, False, work, gained,
            )  # fmt: skip
        _transpose(density[k], turned_density)
        _transpose(volume[k], turned_volume)
        across = _sweep(
            turned_density, turned_volume, velocity_y[k], turned_angle, edge_y, column_range, scale,
            edge_fixed, outside, last and x_first, work, gained,
        )  # fmt: skip
        courant[k] = max(courant[k], across)
        _transpose(turned_density, density[k])
        _transpose(turned_volume, volume[k])
        if not x_first:
            along = _sweep(
                density[k], volume[k], velocity_x[k], solid_angle, edge_x, row_range, scale,
                edge_fixed, outside, last, work, gained,
            )  # fmt: skip
            courant[k] = max(courant[k], along)
        budget[k] += gained[0] * shell[k]
    return courant.max()
