"""A fluid model without drivers: velocities, diffusion and rates are prescribed, and the steps are those of a real run."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siderion.transport.grid import HALF_WIDTH, CapGrid, ShellGrid
from siderion.transport.model import Model
from siderion.transport.settings import RunSettings

Field = Callable[[NDArray], NDArray]
"""Values at unit vectors (..., 3)."""


def uniform_shells(bottom: float, top: float, count: int) -> ShellGrid:
    """``count`` shells of the same thickness between two altitudes in km."""
    return ShellGrid(tuple(np.linspace(bottom, top, count + 1).tolist()))


THIN_SHELLS = uniform_shells(298.0, 302.0, 5)
"""For horizontal cases: nothing changes with altitude, and the vertical wind is zero."""


def cap(resolution: float) -> CapGrid:
    """Northern cap with cells of ``resolution`` degrees."""
    return CapGrid("north", round(2.0 * HALF_WIDTH / resolution))


def single_columns() -> CapGrid:
    """The smallest cap: for cases that are the same in every column."""
    return CapGrid("north", 8)


def build_model(grid: CapGrid, shells: ShellGrid, network: str = "none", pole: str = "closed") -> Model:
    """Model of Fe+ in double precision on a grid, at rest, empty, without reactions and without a floor density."""
    settings = RunSettings.model_validate(
        {
            "date": "2023-06-18",
            "precision": "float64",
            "species": ["Fe+"],
            "grid": {"pole": pole},
            "chemistry": {"network": network},
        }
    )
    coarse: Any = SimpleNamespace(lat=np.arange(28.75, 90.0, 2.5), lon=np.arange(-176.25, 180.0, 7.5))
    model = Model(settings, coarse, grid, shells)
    metal = model.metals[0]
    metal.initial[:] = 0.0
    metal.reservoirs[:] = 0.0
    return model


def set_horizontal_velocity(model: Model, velocity: NDArray, height_factor: NDArray | float = 1.0) -> None:
    """Give the model a horizontal velocity (y, x, 3), m s-1, at the cell centres, times a factor by level."""
    metal, grid = model.metals[0], model.grid
    factor = np.broadcast_to(height_factor, (model.shells.levels,))[:, None, None]
    metal.velocity_x[:] = factor * np.sum(velocity * grid.normal_x, axis=-1)
    metal.velocity_y[:] = factor * np.sum(velocity * grid.normal_y, axis=-1).T


def set_vertical_velocity(model: Model, velocity: NDArray | float) -> None:
    """Give the model an upward velocity by level, m s-1, that also holds at the top."""
    values = np.broadcast_to(velocity, (model.shells.levels,))
    model.metals[0].velocity_up[:] = values[:, None, None]
    model.metals[0].top_velocity[:] = values[-1]


def cell_means(grid: CapGrid, field: Field, points: int = 4) -> NDArray[np.float64]:
    """Mean of a field over every cell, (y, x), by Gauss quadrature in the angles of the grid."""
    node, weight = np.polynomial.legendre.leggauss(points)
    half = 0.5 * (grid.face_angles[1] - grid.face_angles[0])
    angle = grid.centre_angles[:, None] + half * node
    total, area = np.zeros((grid.cells, grid.cells)), np.zeros((grid.cells, grid.cells))
    for i in range(points):
        for j in range(points):
            xi, eta = angle[None, :, i], angle[:, None, j]
            x, y = np.tan(xi), np.tan(eta)
            size = weight[i] * weight[j] * (1.0 + x**2) * (1.0 + y**2) / (1.0 + x**2 + y**2) ** 1.5
            total += size * field(grid.points(xi, eta))
            area += size
    return total / area


def shell_means(shells: ShellGrid, profile: Field, points: int = 8) -> NDArray[np.float64]:
    """Mean of a profile of altitude (km) over the volume of every shell, (lev,)."""
    node, weight = np.polynomial.legendre.leggauss(points)
    half = 0.5 * np.diff(shells.face_altitude)
    altitude = shells.altitude[:, None] + half[:, None] * node
    size = weight * (6371.2 + altitude) ** 2
    return np.sum(size * profile(altitude), axis=1) / size.sum(axis=1)


def rotation(axis: NDArray, angle: float) -> NDArray[np.float64]:
    """Matrix that turns vectors about a unit axis (Rodrigues)."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross


def error_norms(result: NDArray, exact: NDArray, weight: NDArray) -> dict[str, float]:
    """Norms l1, l2, linf of Williamson et al. 1992 (doi:10.1016/S0021-9991(05)80016-6), equations 82 to 84."""
    difference = result - exact
    return {
        "l1": float(np.sum(np.abs(difference) * weight) / np.sum(np.abs(exact) * weight)),
        "l2": float(np.sqrt(np.sum(difference**2 * weight) / np.sum(exact**2 * weight))),
        "linf": float(np.max(np.abs(difference)) / np.max(np.abs(exact))),
    }


def order(coarse: float, fine: float, ratio: float = 2.0) -> float:
    """Order of convergence between two errors of grids whose spacings differ by ``ratio``."""
    return float(np.log(coarse / fine) / np.log(ratio))
