"""Compiled Boris pusher: blocks of particles that fit in the cache, many steps per block, vectorised over particles.

A block keeps its particles in one flat array of the working precision, one row of `BLOCK` numbers per quantity, so that the
compiler sees rows that cannot overlap. Positions are a base in float64 plus a displacement since the last `CHUNK` of steps:
in float32 the rounding is then that of the displacement, not that of the distance from the origin.

One step is: drift half a step, kick, drift half a step; drifts that follow each other are joined. What is absent (dipole,
grid, gravity, surfaces) is None, which numba prunes, so that each combination is a kernel of its own.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from scipy.constants import speed_of_light

from .field_kernels import FAST, fields_at, gravity_at

BLOCK = 256
"""Particles of a block: 11 rows of 256 numbers fit in the first-level cache."""
CHUNK = 32
"""Steps between two looks at the particles of a block, and between two changes of the base."""
FLYING, NOT_FINITE, TOO_COARSE = 0, -1, -2
"""States of a particle; a positive state is one more than the index of the surface that stopped it."""
SPHERE, PLANE, BOX, SHUE, CONIC = range(5)
"""Shapes of surfaces: first column of a row of surfaces; the second is the side that stops, the others are numbers."""
INSIDE, OUTSIDE, BOTH = range(3)
"""Sides of a surface that stop a particle; `BOTH`: whenever the side changes."""
_INVERSE_C2 = 1.0 / speed_of_light**2
_UX, _UY, _UZ, _DX, _DY, _DZ, _X, _Y, _Z, _K, _ANGLE = (row * BLOCK for row in range(11))
"""Rows of a block: u = gamma v, displacement, base of the position, half-step charge to mass, largest excess of the angle."""
_options: Any = {"cache": True, "error_model": "numpy", "fastmath": FAST, "nogil": True}


@numba.njit(**_options)
def _exact_tangent(square, real):
    """tan(h) / h from h^2: seventh convergent of Lambert's continued fraction, 2e-16 for h <= 1/2, 4e-12 at h = 1."""
    top = real(135135.0) + square * (real(-17325.0) + square * (real(378.0) - square))
    return top / (real(135135.0) + square * (real(-62370.0) + square * (real(3150.0) - real(28.0) * square)))


@numba.njit(**_options)
def kick(ux, uy, uz, ex, ey, ez, bx, by, bz, gx, gy, gz, k, half, limit, exact, central, inverse_c2, one, real):
    """One kick of Boris: u = gamma v, and by how much (angle / 2)^2 exceeds its limit (in units of 1 / gamma^2).

    k = q dt / 2 m and half = dt / 2 may be negative. With T = k B and gamma = g, t = T / g, Boris' rotation
    u + (u + u x t) x 2 t / (1 + t^2) is u + 2 (g w + w x T) / (g^2 + T^2), w = u x T: one division less.
    """
    ax, ay, az = k * ex + half * gx, k * ey + half * gy, k * ez + half * gz
    ux, uy, uz = ux + ax, uy + ay, uz + az
    tx, ty, tz = k * bx, k * by, k * bz
    tt = tx * tx + ty * ty + tz * tz
    squared = one + (ux * ux + uy * uy + uz * uz) * inverse_c2
    if central is not None:  # the gamma of Higuera and Cary (2017)
        along, less, two = ux * tx + uy * ty + uz * tz, squared - tt, one + one
        squared = (less + math.sqrt(less * less + (two + two) * (tt + along * along * inverse_c2))) / two
    excess = tt - limit * squared
    if exact is not None:
        factor = _exact_tangent(tt / squared, real)
        tx, ty, tz = factor * tx, factor * ty, factor * tz
        tt = factor * factor * tt
    wx, wy, wz = uy * tz - uz * ty, uz * tx - ux * tz, ux * ty - uy * tx
    gamma, turn = math.sqrt(squared), (one + one) / (squared + tt)
    ux = ux + turn * (gamma * wx + (wy * tz - wz * ty))
    uy = uy + turn * (gamma * wy + (wz * tx - wx * tz))
    uz = uz + turn * (gamma * wz + (wx * ty - wy * tx))
    return ux + ax, uy + ay, uz + az, excess


@numba.njit(**_options)
def _advance(s, count, steps, time, step, drift, uniform, dipole, dipoles, grid, frame, function, gravity, exact, central, limit):
    """Kick all particles of a block and drift them, some steps; the rows of ``s`` are changed."""
    real = s.dtype.type
    one, half, inverse_c2, gx, gy, gz = real(1.0), real(0.5) * step, real(_INVERSE_C2), real(0.0), real(0.0), real(0.0)
    for n in range(steps):
        now = time + n * float(step)
        for p in range(count):
            ux, uy, uz = s[_UX + p], s[_UY + p], s[_UZ + p]
            dx, dy, dz = s[_DX + p], s[_DY + p], s[_DZ + p]
            x, y, z = s[_X + p] + dx, s[_Y + p] + dy, s[_Z + p] + dz
            ex, ey, ez, bx, by, bz = fields_at(x, y, z, now, uniform, dipole, dipoles, grid, frame, function, one, real)
            if gravity is not None:
                gx, gy, gz = gravity_at(x, y, z, gravity, one)
            ux, uy, uz, excess = kick(
                ux, uy, uz, ex, ey, ez, bx, by, bz, gx, gy, gz, s[_K + p], half, limit, exact, central, inverse_c2, one, real
            )
            way = drift / math.sqrt(one + (ux * ux + uy * uy + uz * uz) * inverse_c2)
            s[_UX + p], s[_UY + p], s[_UZ + p] = ux, uy, uz
            s[_DX + p], s[_DY + p], s[_DZ + p] = dx + way * ux, dy + way * uy, dz + way * uz
            s[_ANGLE + p] = max(s[_ANGLE + p], excess)


@numba.njit(**_options)
def _drift(s, count, drift):
    """Move all particles of a block for a time."""
    real = s.dtype.type
    one, inverse_c2 = real(1.0), real(_INVERSE_C2)
    for p in range(count):
        ux, uy, uz = s[_UX + p], s[_UY + p], s[_UZ + p]
        way = drift / math.sqrt(one + (ux * ux + uy * uy + uz * uz) * inverse_c2)
        s[_DX + p] += way * ux
        s[_DY + p] += way * uy
        s[_DZ + p] += way * uz


@numba.njit(**_options)
def height_above(x, y, z, surface):
    """Negative inside a surface, positive outside; m, or a ratio for surfaces of revolution about x."""
    shape = surface[0]
    if shape == SPHERE:
        return math.sqrt((x - surface[2]) ** 2 + (y - surface[3]) ** 2 + (z - surface[4]) ** 2) - surface[5]
    if shape == PLANE:
        return x * surface[2] + y * surface[3] + z * surface[4] - surface[5]
    if shape == BOX:
        across = max(abs(x - surface[2]) - surface[5], abs(y - surface[3]) - surface[6])
        return max(across, abs(z - surface[4]) - surface[7])
    r = math.sqrt(x * x + y * y + z * z)
    if shape == SHUE:
        cosine = x / r if r > 0.0 else 1.0
        return r / surface[2] * (0.5 * (1.0 + cosine)) ** surface[3] - 1.0
    along = x - surface[2]
    r = math.sqrt(along * along + y * y + z * z)
    return max(r + surface[3] * along, 0.0) / surface[4] - 1.0


@numba.njit(**_options)
def _measure_heights(s, count, surface, heights):
    """Heights of all particles of a block; the commonest shapes in loops of their own, which the compiler vectorises."""
    sx, sy, sz, size = surface[2], surface[3], surface[4], surface[5]
    if surface[0] == SPHERE:
        for p in range(count):
            x, y, z = s[_X + p] + s[_DX + p] - sx, s[_Y + p] + s[_DY + p] - sy, s[_Z + p] + s[_DZ + p] - sz
            heights[p] = math.sqrt(x * x + y * y + z * z) - size
    elif surface[0] == BOX:
        for p in range(count):
            x, y, z = s[_X + p] + s[_DX + p] - sx, s[_Y + p] + s[_DY + p] - sy, s[_Z + p] + s[_DZ + p] - sz
            heights[p] = max(max(abs(x) - size, abs(y) - surface[6]), abs(z) - surface[7])
    elif surface[0] == PLANE:
        for p in range(count):
            x, y, z = s[_X + p] + s[_DX + p], s[_Y + p] + s[_DY + p], s[_Z + p] + s[_DZ + p]
            heights[p] = x * sx + y * sy + z * sz - size
    else:
        for p in range(count):
            x, y, z = float(s[_X + p] + s[_DX + p]), float(s[_Y + p] + s[_DY + p]), float(s[_Z + p] + s[_DZ + p])
            heights[p] = height_above(x, y, z, surface)


@numba.njit(**_options)
def _any_crossed(s, count, heights, surfaces):
    """Whether a particle of a block may have crossed a surface; if none has, the heights become those of now."""
    new = heights[len(surfaces) :]
    found = 0
    for row in range(len(surfaces)):
        _measure_heights(s, count, surfaces[row], new[row])
        side = surfaces[row, 1]
        for p in range(count):
            before, after = heights[row, p], new[row, p]
            if side == INSIDE:
                found += after <= 0.0
            elif side == OUTSIDE:
                found += after >= 0.0
            else:
                found += before * after <= 0.0
    if found == 0:
        heights[: len(surfaces)] = new
    return found > 0


@numba.njit(**_options)
def _stopped_at(before, x, y, z, wx, wy, wz, surface):
    """Part of the drift (wx, wy, wz) to (x, y, z) done when a surface stops a particle, and the height at its end; 2: never."""
    after, side = height_above(x, y, z, surface), surface[1]
    crossed = after < 0.0 if side == INSIDE else after > 0.0
    if side == BOTH:
        crossed = (before <= 0.0 < after) or (after < 0.0 <= before)
    if not crossed:
        return 2.0, after
    low, high = 0.0, 1.0
    if (before < 0.0) == (after < 0.0) or before == 0.0:  # already beyond when the drift began
        return 0.0, after
    for _ in range(52):
        middle = 0.5 * (low + high)
        left = middle - 1.0
        if (height_above(x + left * wx, y + left * wy, z + left * wz, surface) < 0.0) == (before < 0.0):
            low = middle
        else:
            high = middle
    return high, after


@numba.njit(**_options)
def _judged(total, excess, good):
    """State of a particle: ``good`` unless the sum of its state is not finite or it turned too far."""
    if not math.isfinite(total):
        return NOT_FINITE
    return good if excess <= 0.0 else TOO_COARSE


@numba.njit(**_options)
def _put_back(s, q, p, position, momentum):
    """Write particle p of a block, slot q of the run, to the arrays of the run."""
    for axis in range(3):
        position[axis, q] += s[_DX + axis * BLOCK + p]
        momentum[axis, q] = s[_UX + axis * BLOCK + p]


@numba.njit(**_options)
def _take_out(s, p, last, index, heights):
    """Fill the place of particle p with the last particle of the block."""
    for row in range(11):
        s[row * BLOCK + p] = s[row * BLOCK + last]
    index[p] = index[last]
    for row in range(heights.shape[0]):
        heights[row, p] = heights[row, last]


@numba.njit(**_options)
def _look_at_surfaces(
    s, count, index, heights, surfaces, position, momentum, status, stop_time, drift_start, drift, centre,
    uniform, dipole, dipoles, grid, frame, function, gravity, exact, central, limit,
):  # fmt: skip
    """Stop the particles that crossed a surface in the last drift; returns how many fly on.

    ``centre`` is the part of the drift at whose time u is known: 0.5, 0 in the first half step and 1 in the last. A surface takes
    no particle that turned too far on its way, or would in a whole step in the field where it stops, or is not finite there.
    """
    real = s.dtype.type
    one, zero, inverse_c2 = real(1.0), real(0.0), real(_INVERSE_C2)
    if not _any_crossed(s, count, heights, surfaces):
        return count
    p = 0
    while p < count:
        q, first, state = index[p], 2.0, 0
        x, y, z = float(s[_X + p] + s[_DX + p]), float(s[_Y + p] + s[_DY + p]), float(s[_Z + p] + s[_DZ + p])
        ux, uy, uz = s[_UX + p], s[_UY + p], s[_UZ + p]
        way = drift / math.sqrt(1.0 + (ux * ux + uy * uy + uz * uz) * _INVERSE_C2)
        for row in range(len(surfaces)):
            part, height = _stopped_at(heights[row, p], x, y, z, way * ux, way * uy, way * uz, surfaces[row])
            if part < first:
                first, state = part, row + 1
            heights[row, p] = height
        if state == 0:
            p += 1
            continue
        back = real((first - 1.0) * way)
        s[_DX + p] += back * ux
        s[_DY + p] += back * uy
        s[_DZ + p] += back * uz
        x, y, z = s[_X + p] + s[_DX + p], s[_Y + p] + s[_DY + p], s[_Z + p] + s[_DZ + p]
        now = drift_start + first * drift
        ex, ey, ez, bx, by, bz = fields_at(x, y, z, now, uniform, dipole, dipoles, grid, frame, function, one, real)
        gx, gy, gz = zero, zero, zero
        if gravity is not None:
            gx, gy, gz = gravity_at(x, y, z, gravity, one)
        part = real((first - centre) * drift / stop_time[q])  # in steps: stop_time holds the step while a particle flies
        half = real(0.5 * (first - centre) * drift)
        most = limit * part * part  # the excess has the sign of that of a whole step
        ux, uy, uz, excess = kick(
            ux, uy, uz, ex, ey, ez, bx, by, bz, gx, gy, gz, part * s[_K + p], half, most, exact, central, inverse_c2, one, real
        )
        state = _judged(ux + uy + uz + x + y + z, max(s[_ANGLE + p], excess), state)
        if state > FLYING:
            s[_UX + p], s[_UY + p], s[_UZ + p] = ux, uy, uz
            _put_back(s, q, p, position, momentum)
        status[q], stop_time[q] = state, now  # else the last place and momentum that were good stay
        count -= 1
        _take_out(s, p, count, index, heights)
    return count


@numba.njit(**_options)
def _settle(s, count, index, heights, position, momentum, status, stop_time, now):
    """Move the bases to where the particles are; take out those that are not finite or turn too far; returns who flies on."""
    p = 0
    while p < count:
        q = index[p]
        total = s[_UX + p] + s[_UY + p] + s[_UZ + p] + s[_DX + p] + s[_DY + p] + s[_DZ + p]
        state = _judged(total, s[_ANGLE + p], FLYING)
        if state == FLYING:
            for axis in range(3):
                position[axis, q] += s[_DX + axis * BLOCK + p]
                s[_X + axis * BLOCK + p] = position[axis, q]
                s[_DX + axis * BLOCK + p] = 0.0
            p += 1
            continue
        status[q], stop_time[q] = state, now  # the last place and momentum that were good stay
        count -= 1
        _take_out(s, p, count, index, heights)
    return count


@numba.njit(**_options)
def _push_block(
    low, high, position, momentum, charge_to_mass, status, stop_time, start, step, steps, limit, kind,
    uniform, dipole, dipoles, grid, frame, function, gravity, exact, central, surfaces,
):  # fmt: skip
    """Fly the particles low to high that still fly; state arrays are changed."""
    real = kind.dtype.type
    s, index = np.zeros(11 * BLOCK, kind.dtype), np.empty(BLOCK, np.int64)
    heights = np.zeros((0 if surfaces is None else 2 * len(surfaces), BLOCK))  # before, and scratch for now
    count = 0
    for q in range(low, high):
        if status[q] == FLYING:
            index[count], stop_time[q] = q, step
            for axis in range(3):
                s[_UX + axis * BLOCK + count] = momentum[axis, q]
                s[_X + axis * BLOCK + count] = position[axis, q]
            s[_K + count] = 0.5 * step * charge_to_mass[q]
            if surfaces is not None:
                for row in range(len(surfaces)):
                    x, y, z = float(s[_X + count]), float(s[_Y + count]), float(s[_Z + count])
                    heights[row, count] = height_above(x, y, z, surfaces[row])
            count += 1
    _drift(s, count, real(0.5 * step))
    if surfaces is not None:
        count = _look_at_surfaces(
            s, count, index, heights, surfaces, position, momentum, status, stop_time, start, 0.5 * step, 0.0,
            uniform, dipole, dipoles, grid, frame, function, gravity, exact, central, real(limit),
        )  # fmt: skip
    done = 0
    while done < steps and count > 0:
        now = start + (done + 0.5) * step
        many = 1 if surfaces is not None else max(1, min(CHUNK, steps - 1 - done))
        drift = 0.5 * step if done == steps - 1 else step
        _advance(
            s, count, many, now, real(step), real(drift),
            uniform, dipole, dipoles, grid, frame, function, gravity, exact, central, real(limit),
        )  # fmt: skip
        if surfaces is not None:
            count = _look_at_surfaces(
                s, count, index, heights, surfaces, position, momentum, status, stop_time, now, drift,
                1.0 if done == steps - 1 else 0.5,
                uniform, dipole, dipoles, grid, frame, function, gravity, exact, central, real(limit),
            )  # fmt: skip
        done += many
        if surfaces is None or done % CHUNK == 0 or done == steps:
            count = _settle(s, count, index, heights, position, momentum, status, stop_time, start + done * step)
            if done < steps:
                for p in range(count):
                    for axis in range(3):
                        momentum[axis, index[p]] = s[_UX + axis * BLOCK + p]
    for p in range(count):
        for axis in range(3):
            momentum[axis, index[p]] = s[_UX + axis * BLOCK + p]


def _push_blocks(
    position, momentum, charge_to_mass, status, stop_time, start, step, steps, limit, kind,
    uniform, dipole, dipoles, grid, frame, function, gravity, exact, central, surfaces,
):  # fmt: skip
    """Fly all particles for some steps.

    position and momentum per mass (axis, particle) and charge_to_mass in float64; status and stop_time (particle,); time at
    the start and step, s; limit on the square of half the angle per step; kind: empty array of the working precision.
    """
    count = len(status)
    for block in numba.prange((count + BLOCK - 1) // BLOCK):
        _push_block(
            block * BLOCK, min(count, (block + 1) * BLOCK), position, momentum, charge_to_mass, status, stop_time, start, step,
            steps, limit, kind, uniform, dipole, dipoles, grid, frame, function, gravity, exact, central, surfaces,
        )  # fmt: skip


_threaded = {key: value for key, value in _options.items() if key != "cache"}
push_blocks = numba.njit(parallel=True, cache=True, **_threaded)(_push_blocks)
push_blocks_with_function = numba.njit(parallel=True, **_threaded)(_push_blocks)
"""The same for a function of the user, whose kernel cannot be kept on disk."""
