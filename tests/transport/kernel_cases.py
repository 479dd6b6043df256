"""Smooth and rough inputs for the tests of the kernels."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from siderion.transport.engines import get_engine

ENGINE = get_engine("numba")
PRECISIONS = [pytest.param(np.float64, 1e-12, id="float64"), pytest.param(np.float32, 1e-5, id="float32")]
SCALE = 1e13  # the model divides volumes by this, so that single precision does not overflow


def noise(shape, seed):
    return np.random.default_rng(seed).normal(size=shape)


def smooth(grid, levels, seed, amplitude=1.0):
    """A smooth random field on the native grid, (lev, y, x)."""
    rng = np.random.default_rng(seed)
    height = np.linspace(0.0, 1.0, levels)[:, None, None]
    total = np.zeros((levels, grid.cells, grid.cells))
    for _ in range(6):
        way, shift = rng.normal(size=3) * 3.0, rng.uniform(0, 2 * np.pi, 2)
        total += rng.normal() * np.sin(grid.centres @ way + shift[0]) * np.cos(3.0 * height + shift[1])
    return amplitude * total / np.abs(total).max()


def close(actual, expected, tolerance):
    """Equal relative to the largest value: cells with almost nothing in them have no relative precision of their own."""
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


def rough(grid, shells, seed):
    """Densities over ten decades from cell to cell, some exactly zero."""
    density = 10.0 ** (5.0 + 2.0 * noise((shells.levels, grid.cells, grid.cells), seed))
    density[noise(density.shape, seed + 1) > 1.0] = 0.0
    return density


def horizontal_case(grid, shells, dtype=np.float64, courant=0.6, seed=1):
    """Smooth density, uneven pseudo-volume and flow of the given largest Courant number, about."""
    levels = shells.levels
    width = grid.smallest_width
    case = SimpleNamespace(
        density=np.exp(2.0 * smooth(grid, levels, seed)) * 1e9,
        volume=1.0 + 0.1 * smooth(grid, levels, seed + 1),
        velocity_x=smooth(grid, levels, seed + 2, 500.0),
        velocity_y=smooth(grid, levels, seed + 3, 500.0).transpose(0, 2, 1),
        solid_angle=grid.solid_angle,
        edge_x=grid.edge_x,
        edge_y=grid.edge_y,
        row_range=grid.row_range,
        column_range=grid.column_range,
        time_over_radius=np.full(levels, courant * width / 500.0 * 0.8) * np.linspace(0.9, 1.0, levels),
        shell=shells.shell,
        edge_fixed=False,
        edge_density=np.linspace(1e8, 2e9, levels),
        x_first=True,
        last=True,
    )
    whole = {"row_range", "column_range", "shell", "edge_fixed", "x_first", "last"}
    for name, value in vars(case).items():
        if name not in whole:
            setattr(case, name, np.ascontiguousarray(value, dtype=dtype))
    return case


def run_horizontal(case):
    density, volume, budget = case.density.copy(), case.volume.copy(), np.zeros(len(case.shell))
    rest = [value for name, value in vars(case).items() if name not in ("density", "volume")]
    courant = ENGINE.advect_horizontal(density, volume, *rest, budget)
    return density, volume, budget, courant
