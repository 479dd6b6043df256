"""Vertical ambipolar diffusion and sedimentation, Numba engine: implicit, exponentially fitted, in flux form.

The flux through a face is w N - D dN/dz in the weights of Scharfetter & Gummel 1969 (doi:10.1109/T-ED.1969.16566), so that
a hydrostatic profile stays one and no density turns negative. The update is rebuilt from the fluxes of the solution: in
single precision this keeps the mass 25 times better than the solution itself.
"""

from __future__ import annotations

import numba
import numpy as np

from .numba_horizontal import _FAST

_TINY = np.float32(1e-20)  # m2 s-1; avoids a division by zero where nothing diffuses


@numba.njit(inline="always")
def _fitting(peclet):
    """(P/2) coth(P/2) by its continued fraction, for |P| up to 10."""
    square = min(peclet * peclet, 100) / 4
    return 1 + square / (3 + square / (5 + square / 7))


@numba.njit(error_model="numpy", fastmath=_FAST, cache=True)
def _fill_face_coefficients(density, electrons, diffusivity, drift, ambipolar, top_drift, area, distance, time_step, up, down):
    """Flux through face ``k`` over one step: up[k] N[k-1] - down[k] N[k]. Arrays of one row, (lev, x).

    The ambipolar drift -D_a grad(ln Ne) is split: the part of Ne that is the species itself adds to its diffusivity
    (implicit), the rest moves it (with the electrons of the step before).
    """
    levels, count = density.shape
    for k in range(1, levels):
        width = distance[k]
        swept = area[k] * time_step
        for x in range(count):
            share = 1 / (electrons[k, x] + electrons[k - 1, x])
            others = electrons[k, x] - electrons[k - 1, x] - (density[k, x] - density[k - 1, x])
            mobility = (ambipolar[k, x] + ambipolar[k - 1, x]) / 2
            velocity = (drift[k, x] + drift[k - 1, x]) / 2 - mobility * others * 2 * share / width
            spread = (diffusivity[k, x] + diffusivity[k - 1, x]) / 2
            spread += mobility * (density[k, x] + density[k - 1, x]) * share
            fitted = spread / width * _fitting(velocity * width / (spread + _TINY))
            fitted = max(fitted, abs(velocity) / 2)  # upwind where nothing diffuses: no density turns negative
            up[k, x] = swept * (fitted + velocity / 2)
            down[k, x] = swept * (fitted - velocity / 2)
    for x in range(count):
        up[levels, x] = area[levels] * time_step * top_drift[x]


@numba.njit(error_model="numpy", fastmath=_FAST, cache=True)
def _solve(density, up, down, shell, factor, solution):
    """Thomas algorithm over the levels for all columns of a row; ``factor`` and ``solution`` are overwritten.

    The last row of ``up`` is the outflow through the top, that of ``down`` is zero.
    """
    levels, count = density.shape
    for x in range(count):
        pivot = 1 / (shell[0] + up[1, x])
        factor[0, x] = down[1, x] * pivot
        solution[0, x] = shell[0] * density[0, x] * pivot
    for k in range(1, levels):
        volume = shell[k]
        for x in range(count):
            pivot = 1 / (volume + up[k + 1, x] + down[k, x] - up[k, x] * factor[k - 1, x])
            factor[k, x] = down[k + 1, x] * pivot
            solution[k, x] = (volume * density[k, x] + up[k, x] * solution[k - 1, x]) * pivot
    for k in range(levels - 2, -1, -1):
        for x in range(count):
            solution[k, x] += factor[k, x] * solution[k + 1, x]


@numba.njit(parallel=True, error_model="numpy", fastmath=_FAST, cache=True)
def diffuse_vertical(
    density,
    electrons,
    diffusivity,
    drift,
    ambipolar,
    top_drift,
    row_range,
    shell,
    area,
    distance,
    solid_angle,
    time_step,
    outflow,
):
    """Advance the density of one species by vertical diffusion, in place. No flux through the bottom.

    Parameters
    ----------
    density, electrons : (lev, y, x)
        Number density of the species and of all electrons, metal ions included, m-3.
    diffusivity, drift, ambipolar : (lev, y, x)
        At cell centres: vertical diffusivity of the ions m2 s-1, drift by gravity and temperature gradients m s-1,
        diffusivity by the electron pressure m2 s-1.
    top_drift : (y, x)
        Drift out through the top, m s-1, not negative: implicit here, so that it may be fast.
    row_range : (2, y)
    shell : (lev,); area : (lev + 1,); distance : (lev,)
        Volume and face area per solid angle, distance between the centres across face k.
    solid_angle : (y, x)
        sr.
    time_step : float
        s.
    outflow : (y,) float64
        Gains what left through the top, in the units of density, shell and solid angle.
    """
    levels, rows, _ = density.shape
    for y in numba.prange(rows):
        first, stop = row_range[0, y], row_range[1, y]
        count = stop - first
        if count <= 0:
            continue
        cells = np.ascontiguousarray(density[:, y, first:stop])
        up = np.zeros((levels + 1, count), density.dtype)
        down = np.zeros((levels + 1, count), density.dtype)
        factor = np.empty((levels, count), density.dtype)
        solution = np.empty((levels, count), density.dtype)
        _fill_face_coefficients(
            cells, electrons[:, y, first:stop], diffusivity[:, y, first:stop], drift[:, y, first:stop],
            ambipolar[:, y, first:stop], top_drift[y, first:stop], area, distance, time_step, up, down,
        )  # fmt: skip
        _solve(cells, up, down, shell, factor, solution)
        for k in range(1, levels):
            for x in range(count):
                flux = up[k, x] * solution[k - 1, x] - down[k, x] * solution[k, x]
                density[k - 1, y, first + x] -= flux / shell[k - 1]
                density[k, y, first + x] += flux / shell[k]
        for x in range(count):
            flux = up[levels, x] * solution[levels - 1, x]
            density[levels - 1, y, first + x] -= flux / shell[levels - 1]
            outflow[y] += np.float64(flux) * np.float64(solid_angle[y, first + x])
