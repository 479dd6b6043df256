"""Compiled prescribed fields and gravity, at one place; the pusher puts them into its loops.

What is absent is None, which numba prunes. ``one`` is 1 in the working precision and ``real`` its type.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

FAST = {"contract"}
"""The only liberty of the compiler: fused multiply-add. Sums keep their order, NaN stays NaN."""
_options: Any = {"cache": True, "error_model": "numpy", "fastmath": FAST, "nogil": True}


@numba.njit(**_options)
def dipole_at(x, y, z, dipole, one):
    """Field of a dipole, T; dipole is (mu0 m / 4 pi) and the centre: three numbers each."""
    x, y, z = x - dipole[3], y - dipole[4], z - dipole[5]
    inverse = one / math.sqrt(x * x + y * y + z * z)
    x, y, z = x * inverse, y * inverse, z * inverse
    cube = inverse * inverse * inverse
    along = dipole[0] * x + dipole[1] * y + dipole[2] * z
    along = along + along + along
    return cube * (along * x - dipole[0]), cube * (along * y - dipole[1]), cube * (along * z - dipole[2])


@numba.njit(**_options)
def _interpolated(values, c, cell, fx, fy, fz):
    """One component in a cell."""
    i, i1, j, j1, k, k1 = cell
    c = np.uintp(c)
    a, b = values[i, j, k, c], values[i, j1, k, c]
    e, f = values[i1, j, k, c], values[i1, j1, k, c]
    a, b = a + fz * (values[i, j, k1, c] - a), b + fz * (values[i, j1, k1, c] - b)
    e, f = e + fz * (values[i1, j, k1, c] - e), f + fz * (values[i1, j1, k1, c] - f)
    a, e = a + fy * (b - a), e + fy * (f - e)
    return a + fx * (e - a)


@numba.njit(**_options)
def grid_at(x, y, z, values, frame, one):
    """Trilinear E and B of a grid: values (x, y, z, 6); its frame is the origin and the inverse of the spacing."""
    fx, fy, fz = (x - frame[0]) * frame[3], (y - frame[1]) * frame[4], (z - frame[2]) * frame[5]
    i = min(max(int(fx), 0), values.shape[0] - 2)
    j = min(max(int(fy), 0), values.shape[1] - 2)
    k = min(max(int(fz), 0), values.shape[2] - 2)
    fx, fy, fz = fx - one * i, fy - one * j, fz - one * k
    cell = (np.uintp(i), np.uintp(i + 1), np.uintp(j), np.uintp(j + 1), np.uintp(k), np.uintp(k + 1))
    return (
        _interpolated(values, 0, cell, fx, fy, fz), _interpolated(values, 1, cell, fx, fy, fz),
        _interpolated(values, 2, cell, fx, fy, fz), _interpolated(values, 3, cell, fx, fy, fz),
        _interpolated(values, 4, cell, fx, fy, fz), _interpolated(values, 5, cell, fx, fy, fz),
    )  # fmt: skip


@numba.njit(**_options)
def fields_at(x, y, z, time, uniform, dipole, dipoles, grid, frame, function, one, real):
    """E (V/m) and B (T) of all that is there: uniform, one dipole, more dipoles (n, 6), a grid, the user's function."""
    ex, ey, ez, bx, by, bz = uniform
    if dipole is not None:
        cx, cy, cz = dipole_at(x, y, z, dipole, one)
        bx, by, bz = bx + cx, by + cy, bz + cz
    if dipoles is not None:
        for row in range(len(dipoles)):
            cx, cy, cz = dipole_at(x, y, z, dipoles[row], one)
            bx, by, bz = bx + cx, by + cy, bz + cz
    if grid is not None:
        fx, fy, fz, cx, cy, cz = grid_at(x, y, z, grid, frame, one)
        ex, ey, ez, bx, by, bz = ex + fx, ey + fy, ez + fz, bx + cx, by + cy, bz + cz
    if function is not None:
        fx, fy, fz, cx, cy, cz = function(x, y, z, time)
        ex, ey, ez = ex + real(fx), ey + real(fy), ez + real(fz)
        bx, by, bz = bx + real(cx), by + real(cy), bz + real(cz)
    return ex, ey, ez, bx, by, bz


@numba.njit(**_options)
def gravity_at(x, y, z, gravity, one):
    """Acceleration of a point mass, gravity being G M and its place."""
    x, y, z = x - gravity[1], y - gravity[2], z - gravity[3]
    inverse = one / math.sqrt(x * x + y * y + z * z)
    pull = -gravity[0] * inverse * inverse
    return pull * (x * inverse), pull * (y * inverse), pull * (z * inverse)


@numba.njit(error_model="numpy")
def evaluate_function(position, time, function, out):
    """E and B (particle, 6) of a function of the user."""
    for p in range(len(position)):
        ex, ey, ez, bx, by, bz = function(position[p, 0], position[p, 1], position[p, 2], time)
        out[p, 0], out[p, 1], out[p, 2] = ex, ey, ez  # a tuple at once would take seconds to compile
        out[p, 3], out[p, 4], out[p, 5] = bx, by, bz


@numba.njit(cache=True, error_model="numpy")
def evaluate_built_in(position, uniform, dipoles, grid, frame, out):
    """E and B (particle, 6) of the fields of this package."""
    for p in range(len(position)):
        ex, ey, ez, bx, by, bz = fields_at(
            position[p, 0], position[p, 1], position[p, 2], 0.0, uniform, None, dipoles, grid, frame, None, 1.0, None
        )
        out[p, 0], out[p, 1], out[p, 2] = ex, ey, ez
        out[p, 3], out[p, 4], out[p, 5] = bx, by, bz
