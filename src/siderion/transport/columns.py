"""From the coarse columns of the drivers to the native columns: weights and directions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siderion.background.electric_field import PHASES, ConvectionField, field_axes
from siderion.core.errors import CoverageError
from siderion.transport.engines.numba_velocity import (
    COSINE,
    CROSS_PHI,
    CROSS_THETA,
    CROSS_UP,
    FIELD_D,
    FIELD_UP,
    GEOMETRY_ROWS,
    PHI,
    PROJECTIONS,
    SINE,
    THETA,
    WIND_1_CROSS,
    WIND_1_D,
    WIND_1_FIELD,
    WIND_2_CROSS,
    WIND_2_D,
    WIND_2_FIELD,
)
from siderion.transport.grid import CapGrid


@dataclass(frozen=True)
class ColumnWeights:
    """Bilinear weights from coarse (lat, lon) columns, flattened, to points; the pole is crossed, not avoided.

    Attributes
    ----------
    corner : (4, ...) int
        Flat index of the coarse columns.
    weight : (4, ...)
        Their weights, which sum to 1.
    """

    corner: NDArray[np.int64]
    weight: NDArray[np.float64]

    def __call__(self, values: NDArray) -> NDArray:
        """Interpolate coarse values (..., column) to the points."""
        return sum(values[..., self.corner[c]] * self.weight[c] for c in range(4))


def column_weights(coarse_lat: NDArray, coarse_lon: NDArray, lat: NDArray, lon: NDArray) -> ColumnWeights:
    """Bilinear weights on an even latitude-longitude grid of cell centres that goes around the Earth.

    Beyond the last row before a pole, the row on the opposite meridian is the neighbour. Latitudes may be north or south.

    Raises
    ------
    CoverageError
        Points lie equatorward of the coarse grid.
    """
    order = np.argsort(np.abs(coarse_lat))
    grow = np.abs(coarse_lat)[order]
    step, turn = grow[1] - grow[0], 360.0 / len(coarse_lon)
    target = np.abs(lat)
    if target.min() < grow[0] - 1e-9:
        raise CoverageError(
            f"the drivers reach down to {grow[0]:.2f} degrees latitude, the model to {target.min():.2f}: "
            "take drivers on a larger cap or a higher edge_latitude"
        )
    place = np.clip((target - grow[0]) / step, 0.0, None)
    row = np.minimum(place.astype(int), len(grow) - 1)
    beyond = row == len(grow) - 1  # between the last row and the pole
    to_pole = 90.0 - grow[-1]
    part = np.where(beyond, (target - grow[-1]) / (2.0 * to_pole), place - row)
    upper = np.where(beyond, len(grow) - 1, row + 1)
    corner, weight = [], []
    for rows, share, shift in ((row, 1.0 - part, 0.0), (upper, part, np.where(beyond, 180.0, 0.0))):
        angle = (lon + shift - coarse_lon[0]) % 360.0 / turn
        column = np.minimum(angle.astype(int), len(coarse_lon) - 1)
        fraction = angle - column
        for columns, piece in ((column, 1.0 - fraction), ((column + 1) % len(coarse_lon), fraction)):
            corner.append(order[np.minimum(rows, len(grow) - 1)] * len(coarse_lon) + columns)
            weight.append(share * piece)
    return ColumnWeights(np.stack(corner), np.stack(weight))


def plane_components(east: NDArray, north: NDArray, lon: NDArray, sign: float) -> tuple[NDArray, NDArray]:
    """Turn east and north components into two components of the polar plane, which are smooth across the pole.

    ``lon`` in degrees, broadcast; ``sign`` +1 north, -1 south. The first axis of the plane points to longitude 0.
    """
    angle = np.radians(lon)
    outward = -sign * north
    return outward * np.cos(angle) - east * np.sin(angle), outward * np.sin(angle) + east * np.cos(angle)


def column_geometry(grid: CapGrid, field: ConvectionField) -> NDArray[np.float64]:
    """Projections of every native column that the velocity kernel needs, (GEOMETRY_ROWS, y, x)."""
    position = grid.centres
    near_pole, axis = field.near_pole, field.dipole.axes[2]
    up, away, magnetic_east = field_axes(position, near_pole, axis)
    direction = axis - 3.0 * (position @ axis)[..., None] * position
    b = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    east, north, _ = grid.axes
    angle = np.radians(grid.longitude)[..., None]
    outward = -grid.sign * north
    wind_1 = outward * np.cos(angle) - east * np.sin(angle)
    wind_2 = outward * np.sin(angle) + east * np.cos(angle)
    rows = np.empty((GEOMETRY_ROWS, grid.cells, grid.cells))
    for d, way in enumerate((grid.normal_x, grid.normal_y, up)):
        cross = np.cross(b, way)
        for row, (a, c) in {
            THETA: (away, way), PHI: (magnetic_east, way), CROSS_UP: (up, cross), CROSS_THETA: (away, cross),
            CROSS_PHI: (magnetic_east, cross), WIND_1_D: (wind_1, way), WIND_2_D: (wind_2, way),
            WIND_1_CROSS: (wind_1, cross), WIND_2_CROSS: (wind_2, cross), FIELD_D: (b, way),
        }.items():  # fmt: skip
            rows[d * PROJECTIONS + row] = np.sum(a * c, axis=-1)
    rows[FIELD_UP] = np.sum(b * up, axis=-1)
    rows[WIND_1_FIELD] = np.sum(wind_1 * b, axis=-1)
    rows[WIND_2_FIELD] = np.sum(wind_2 * b, axis=-1)
    rows[COSINE] = np.clip(position @ near_pole, -1.0, 1.0)
    rows[SINE] = np.sqrt(1.0 - rows[COSINE] ** 2)
    return rows


def phase_places(grid: CapGrid, field: ConvectionField) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Index and weight in the gradient table, cosine and sine of the magnetic local time of every native column."""
    phase = field.phase(grid.centres)
    turn = phase / (2.0 * np.pi) * PHASES
    index = np.minimum(turn.astype(np.int64), PHASES - 1)
    return index, turn - index, np.cos(phase), np.sin(phase)
