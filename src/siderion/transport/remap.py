"""Conservative remapping from the native cap to cells of latitude and longitude."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from siderion.frames.spherical import unit_vector
from siderion.transport.grid import HALF_WIDTH, CapGrid

_SAMPLES = 6  # along latitude in every target cell; along longitude as many as keep the samples square


class Remap:
    """Area-weighted means of the native cells in every latitude-longitude cell.

    The overlaps come from samples in the target cells and are then scaled so that every native cell hands out exactly its
    own solid angle: a constant stays constant and, with ``solid_angle``, the content is the same on both grids.

    Attributes
    ----------
    lat, lon : ndarray
        Cell centres, degrees; there is no point at the pole.
    solid_angle : (lat, lon)
        Solid angle that the native cells give to each cell, sr.
    """

    def __init__(self, grid: CapGrid, step: float) -> None:
        rows, columns = round((90.0 - grid.edge_latitude) / step), round(360.0 / step)
        lat = 90.0 - step * (np.arange(rows)[::-1] + 0.5)
        self.grid = grid
        self.lat = lat if grid.hemisphere == "north" else -lat[::-1]
        self.lon = -180.0 + step * (np.arange(columns) + 0.5)
        self.active = np.flatnonzero(grid.active.ravel())
        overlap = self._overlaps(step)
        given = np.asarray(overlap.sum(axis=0)).ravel()
        own = grid.solid_angle.ravel()[self.active]
        overlap = overlap @ sparse.diags_array(np.where(given > 0, own / np.maximum(given, 1e-300), 0.0))
        total = np.asarray(overlap.sum(axis=1)).ravel()
        self.solid_angle = total.reshape(rows, columns)
        self.matrix = sparse.csr_array(sparse.diags_array(1.0 / np.maximum(total, 1e-300)) @ overlap)

    def _overlaps(self, step: float) -> sparse.csr_array:
        position = np.full(self.grid.cells**2, -1)
        position[self.active] = np.arange(len(self.active))
        data, row, column = [], [], []
        for r, centre in enumerate(self.lat):
            across = max(1, int(np.ceil(_SAMPLES * np.cos(np.radians(abs(centre) - step / 2)))))
            offset = ((np.arange(_SAMPLES) + 0.5) / _SAMPLES - 0.5) * step
            turn = ((np.arange(across) + 0.5) / across - 0.5) * step
            lat = centre + offset[:, None, None]
            lon = self.lon[None, :, None] + turn[None, None, :]
            native = self._native_cell(*np.broadcast_arrays(lat, lon))
            weight = np.broadcast_to(np.cos(np.radians(lat)) * np.radians(step) ** 2 / (_SAMPLES * across), native.shape)
            target = np.broadcast_to(r * len(self.lon) + np.arange(len(self.lon))[None, :, None], native.shape)
            inside = native >= 0
            inside &= position[np.maximum(native, 0)] >= 0
            nearest = ~inside.any(axis=(0, 2))  # cells at the very edge: take the nearest active cell
            data.append(weight[inside])
            row.append(target[inside])
            column.append(position[native[inside]])
            for c in np.flatnonzero(nearest):
                point = unit_vector(centre, self.lon[c])
                best = int(np.argmax(self.grid.centres.reshape(-1, 3)[self.active] @ point))
                data.append(np.array([1e-12]))
                row.append(np.array([r * len(self.lon) + c]))
                column.append(np.array([best]))
        shape = (len(self.lat) * len(self.lon), len(self.active))
        return sparse.csr_array((np.concatenate(data), (np.concatenate(row), np.concatenate(column))), shape=shape)

    def _native_cell(self, lat: NDArray, lon: NDArray) -> NDArray[np.int64]:
        """Flat index of the native cell that holds each point, -1 outside the square."""
        x, y, z = np.moveaxis(unit_vector(lat, lon), -1, 0)
        width = 2.0 * HALF_WIDTH / self.grid.cells
        i = np.floor((np.degrees(np.arctan2(x, np.abs(z))) + HALF_WIDTH) / width).astype(np.int64)
        j = np.floor((np.degrees(np.arctan2(y, np.abs(z))) + HALF_WIDTH) / width).astype(np.int64)
        outside = (i < 0) | (j < 0) | (i >= self.grid.cells) | (j >= self.grid.cells)
        return np.where(outside, -1, j * self.grid.cells + i)

    def __call__(self, field: NDArray) -> NDArray[np.float64]:
        """Remap (..., y, x) to (..., lat, lon)."""
        lead = field.shape[:-2]
        flat = field.reshape(-1, self.grid.cells**2)[:, self.active].astype(np.float64)
        return (self.matrix @ flat.T).T.reshape(*lead, len(self.lat), len(self.lon))

    def horizontal_vector(self, across_x: NDArray, across_y: NDArray) -> tuple[NDArray, NDArray]:
        """Eastward and northward components on the target cells from velocities across the native faces (..., y, x)."""
        grid = self.grid
        east, north, _ = grid.axes
        a, b = np.sum(grid.normal_x * east, axis=-1), np.sum(grid.normal_x * north, axis=-1)
        c, d = np.sum(grid.normal_y * east, axis=-1), np.sum(grid.normal_y * north, axis=-1)
        determinant = a * d - b * c
        v_east = (d * across_x - b * across_y) / determinant
        v_north = (a * across_y - c * across_x) / determinant
        angle = np.radians(grid.longitude)
        outward = -grid.sign * v_north
        first = self(outward * np.cos(angle) - v_east * np.sin(angle))
        second = self(outward * np.sin(angle) + v_east * np.cos(angle))
        turned = np.radians(self.lon)
        outward = first * np.cos(turned) + second * np.sin(turned)
        return second * np.cos(turned) - first * np.sin(turned), -grid.sign * outward
