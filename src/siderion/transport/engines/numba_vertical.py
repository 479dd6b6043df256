"""Vertical advection, Numba engine: flux-form semi-Lagrangian with monotone parabolas on a non-uniform grid.

A face receives all that lies between it and its departure point: whole cells, then a part of one (Lin & Rood 1996,
doi:10.1175/1520-0493(1996)124<2046:MFFSLT>2.0.CO;2, in remap form). Departure points come from the midpoint rule, so that
the time step is not bound by the thin cells. Sums of whole cells are used, not differences of cumulative sums, which
cancel in single precision.
"""

from __future__ import annotations

import numba
import numpy as np

from .numba_horizontal import _FAST


@numba.njit(error_model="numpy", fastmath=_FAST, cache=True)
def _fill_column_parabolas(density, weights, left, right):
    """Monotone parabolas of all columns of a row; ``density`` (lev, x). CW84 equations 1.6 to 1.10, non-uniform cells."""
    levels, count = density.shape
    for x in range(count):
        left[0, x] = density[0, x]
        right[levels - 1, x] = density[levels - 1, x]
    for k in range(1, levels):
        below = max(k - 2, 0)
        above = min(k + 1, levels - 1)
        linear, from_above, from_below = weights[2, k], weights[3, k], weights[4, k]
        for x in range(count):
            slope_above = _weighted_slope(density[k - 1, x], density[k, x], density[above, x], weights[0, k], weights[1, k])
            slope_below = _weighted_slope(
                density[below, x], density[k - 1, x], density[k, x], weights[0, k - 1], weights[1, k - 1]
            )
            edge = density[k - 1, x] + linear * (density[k, x] - density[k - 1, x])
            edge += from_above * slope_above + from_below * slope_below
            left[k, x] = edge
            right[k - 1, x] = edge
    for k in range(levels):
        for x in range(count):
            centre = density[k, x]
            low = left[k, x]
            high = right[k, x]
            extremum = (high - centre) * (centre - low) <= 0
            difference = high - low
            bend = 6 * (centre - (low + high) / 2)
            new_low = 3 * centre - 2 * high if difference * bend > difference * difference else low
            new_high = 3 * centre - 2 * low if -difference * difference > difference * bend else high
            left[k, x] = centre if extremum else new_low
            right[k, x] = centre if extremum else new_high


@numba.njit(inline="always")
def _weighted_slope(before, centre, after, weight_after, weight_before):
    below = centre - before
    above = after - centre
    size = min(abs(weight_after * above + weight_before * below), 2 * min(abs(below), abs(above)))
    return (size if after > before else -size) if below * above > 0 else size * 0


@numba.njit(inline="always")
def _velocity_at(distance, face, direction, face_velocity, thickness, x):
    """Velocity at a distance behind a face, linear between faces. ``direction`` -1 looks down, +1 looks up."""
    levels = thickness.shape[0]
    cell = face - 1 if direction < 0 else face
    while 0 <= cell < levels and distance > thickness[cell]:
        distance -= thickness[cell]
        cell += direction
    if cell < 0:
        return face_velocity[0, x]
    if cell >= levels:
        return face_velocity[levels, x]
    part = distance / thickness[cell]
    near = cell + 1 if direction < 0 else cell
    far = cell if direction < 0 else cell + 1
    return face_velocity[near, x] * (1 - part) + face_velocity[far, x] * part


@numba.njit(error_model="numpy", fastmath=_FAST, cache=True)
def _face_mass(displacement, face, density, pseudo, volume, left, right, thickness, area, below, above, x):
    """Mass and pseudo-volume that cross a face upwards (per solid angle), and the number of whole cells crossed."""
    levels = thickness.shape[0]
    upward = displacement >= 0
    distance = abs(displacement)
    cell = face - 1 if upward else face
    step = -1 if upward else 1
    mass = distance * 0
    swept = distance * 0
    crossed = 0
    while 0 <= cell < levels and distance >= thickness[cell]:
        whole = pseudo[cell, x] * volume[cell]
        mass += density[cell, x] * whole
        swept += whole
        distance -= thickness[cell]
        cell += step
        crossed += 1
    if cell < 0 or cell >= levels:
        outside = distance * (area[0] if cell < 0 else area[levels])
        mass += outside * (below if cell < 0 else above)
        swept += outside
    else:
        part = distance / thickness[cell]
        low = left[cell, x]
        high = right[cell, x]
        bend = 6 * (density[cell, x] - (low + high) / 2)
        slope = (high - low) if upward else (low - high)
        near = high if upward else low
        mean = near - part / 2 * (slope - (1 - 2 * part / 3) * bend)
        piece = part * pseudo[cell, x] * volume[cell]
        mass += piece * mean
        swept += piece
    return (mass, swept, crossed) if upward else (-mass, -swept, crossed)


@numba.njit(error_model="numpy", fastmath=_FAST, cache=True)
def _fill_face_velocity(velocity, face_weight, face_velocity):
    levels, count = velocity.shape
    for x in range(count):
        face_velocity[0, x] = velocity[0, x]
        face_velocity[levels, x] = velocity[levels - 1, x]
    for k in range(1, levels):
        weight = face_weight[k]
        for x in range(count):
            face_velocity[k, x] = velocity[k - 1, x] + weight * (velocity[k, x] - velocity[k - 1, x])


@numba.njit(error_model="numpy", fastmath=_FAST, cache=True)
def _fill_row_fluxes(face, velocity, cells, pseudo, shell, left, right, thickness, time_step, mass, swept, far):
    """Flux through one face for all columns of a row, as if no whole cell were crossed; ``far`` marks where one is.

    ``velocity`` holds the face below, at, and above. The compiler vectorises this; the few marked columns are redone.
    """
    below, above = face - 1, face
    height_below, height_above = thickness[below], thickness[above]
    volume_below, volume_above = shell[below], shell[above]
    low_velocity, here, high_velocity = velocity[face - 1], velocity[face], velocity[face + 1]
    for x in range(here.size):
        start = here[x]
        behind = low_velocity[x] if start >= 0 else high_velocity[x]
        height = height_below if start >= 0 else height_above
        reach = abs(start) * time_step / 2 / height
        moved = (start + (behind - start) * reach) * time_step
        upward = moved >= 0
        part = abs(moved) / (height_below if upward else height_above)
        far[x] = max(reach, part)
        low = left[below, x] if upward else left[above, x]
        high = right[below, x] if upward else right[above, x]
        centre = cells[below, x] if upward else cells[above, x]
        volume = pseudo[below, x] * volume_below if upward else -pseudo[above, x] * volume_above
        near = high if upward else low
        slope = high - low if upward else low - high
        bend = 6 * (centre - (low + high) / 2)
        swept[x] = part * volume
        mass[x] = part * volume * (near - part / 2 * (slope - (1 - 2 * part / 3) * bend))


@numba.njit(parallel=True, error_model="numpy", fastmath=_FAST, cache=True)
def advect_vertical(
    density,
    volume,
    velocity,
    row_range,
    thickness,
    shell,
    area,
    parabola_weights,
    face_weight,
    time_step,
    top_velocity,
    bottom_density,
    top_density,
    last,
    solid_angle,
    budget,
):
    """Advance the density of one species by vertical advection, in place.

    Parameters
    ----------
    density, volume, velocity : (lev, y, x)
        Number density, pseudo-volume over true volume, upward velocity in m s-1.
    row_range : (2, y)
        First and one past the last active cell of every row.
    thickness : (lev,); shell : (lev,); area : (lev + 1,)
        Thickness m, volume per solid angle m3 sr-1, area of the faces per solid angle m2 sr-1.
    parabola_weights : (5, lev); face_weight : (lev,)
        Weights of the non-uniform parabolas and of the velocity at the faces.
    time_step : float
        s.
    top_velocity : (y, x)
        Velocity of the flow through the top, m s-1. It may differ from ``velocity``: gravity holds ions back there.
    bottom_density, top_density : float
        Density that comes in from below and from above, m-3.
    last : bool
        Whether the result refers to true volumes.
    solid_angle : (y, x)
    budget : (y, 2) float64
        Gains the number of ions that came in through the bottom and through the top.

    Returns
    -------
    int
        Largest number of whole cells that were crossed in the step.
    """
    levels, rows, _ = density.shape
    crossed = np.zeros(rows, np.int64)
    for y in numba.prange(rows):
        first = row_range[0, y]
        count = row_range[1, y] - first
        if count <= 0:
            continue
        shape = (levels, count)
        # Double precision inside: where a dense layer leaves a cell whole, single precision would leave a negative rest.
        cells = density[:, y, first : first + count].astype(np.float64)
        pseudo = volume[:, y, first : first + count].astype(np.float64)
        left = np.empty(shape, np.float64)
        right = np.empty(shape, np.float64)
        face_velocity = np.empty((levels + 1, count), density.dtype)
        _fill_face_velocity(velocity[:, y, first : first + count], face_weight, face_velocity)
        face_velocity[levels] = top_velocity[y, first : first + count]
        _fill_column_parabolas(cells, parabola_weights, left, right)
        mass = np.empty((2, count), np.float64)
        swept = np.empty((2, count), np.float64)
        far = np.empty(count, density.dtype)
        for face in range(levels + 1):
            new, old = face % 2, (face + 1) % 2
            inner = 0 < face < levels
            if inner:
                _fill_row_fluxes(
                    face, face_velocity, cells, pseudo, shell, left, right, thickness, time_step, mass[new], swept[new], far
                )  # fmt: skip
            for x in range(count):
                if inner and far[x] < 1:
                    continue
                start = face_velocity[face, x]
                distance = abs(start) * time_step / 2
                middle = _velocity_at(distance, face, -1 if start >= 0 else 1, face_velocity, thickness, x)
                mass[new, x], swept[new, x], whole = _face_mass(
                    middle * time_step, face, cells, pseudo, shell, left, right, thickness, area, bottom_density, top_density, x
                )  # fmt: skip
                crossed[y] = max(crossed[y], whole)
            if face > 0:
                k = face - 1
                for x in range(count):
                    after = pseudo[k, x] * shell[k] - (swept[new, x] - swept[old, x])
                    content = cells[k, x] * pseudo[k, x] * shell[k] - (mass[new, x] - mass[old, x])
                    density[k, y, first + x] = content / (shell[k] if last else after)
                    volume[k, y, first + x] = after / shell[k]
            if not inner:
                total = 0.0
                for x in range(count):
                    total += np.float64(mass[new, x]) * np.float64(solid_angle[y, first + x])
                budget[y, 1 if face else 0] += -total if face else total
    return crossed.max()
