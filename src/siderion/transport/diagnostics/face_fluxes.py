"""Fluxes of ions through the faces of latitude-longitude cells, and through the border of regions made of such cells.

The flux through a face is the mean of the densities on both sides, times the mean of the velocities across it, times its
area. This is second order in the cell size and linear in the velocity, so that the fluxes of the terms add up to that of
their sum; upwind densities would be first order and smear narrow streams across the border. At the low-latitude edge the
cell itself counts for both sides. Faces at the pole have no area.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.constants import EARTH_RADIUS


@dataclass(frozen=True)
class CellFaces:
    """Areas of the faces of all cells, exact on the sphere, m2.

    Attributes
    ----------
    east : (alt, lat)
        Eastern (and western) face of a cell.
    north : (alt, lat + 1)
        Faces to the south and to the north of every row.
    up : (alt + 1, lat)
        Horizontal faces.
    altitude : (alt + 1,)
        Altitude of the horizontal faces, km.
    """

    east: NDArray[np.float64]
    north: NDArray[np.float64]
    up: NDArray[np.float64]
    altitude: NDArray[np.float64]

    @classmethod
    def of(cls, output: xr.Dataset) -> CellFaces:
        """Faces of the cells of an output: ``lat``, ``lon`` (even steps, degrees) and ``alt_bounds`` (alt, bound), km."""
        lat, lon, bounds = output.lat.values, output.lon.values, output.alt_bounds.values
        step, turn = np.radians(lat[1] - lat[0]), np.radians(lon[1] - lon[0])
        edges = np.clip(np.radians(np.append(lat, 2 * lat[-1] - lat[-2])) - step / 2, -np.pi / 2, np.pi / 2)
        altitude = np.append(bounds[:, 0], bounds[-1, 1])
        radius = EARTH_RADIUS + 1e3 * altitude
        side = np.diff(radius**2) / 2.0
        cosine = np.cos(edges)
        cosine[np.isclose(np.abs(edges), np.pi / 2)] = 0.0
        return cls(
            side[:, None] * np.diff(edges)[None],
            side[:, None] * cosine[None] * turn,
            radius[:, None] ** 2 * np.diff(np.sin(edges))[None] * turn,
            altitude,
        )

    def nearest(self, altitude: float) -> int:
        """Number of the inner horizontal face nearest to an altitude, km; face k lies between levels k - 1 and k."""
        return int(np.argmin(np.abs(self.altitude[1:-1] - altitude))) + 1


def horizontal_fluxes(
    faces: CellFaces, level: int, density: NDArray, east: NDArray, north: NDArray
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fluxes through the vertical faces of one level, s-1.

    Parameters
    ----------
    faces : CellFaces
    level : int
    density, east, north : (lat, lon)
        Density, m-3, and velocity to the east and to the north, m s-1.

    Returns
    -------
    flux_east : (lat, lon)
        Eastward, through the eastern face of every cell; the last column borders on the first.
    flux_north : (lat + 1, lon)
        Northward, through the face south of every row, and north of the last one.
    """
    flux_east = _mean(density, np.roll(density, -1, axis=1)) * _mean(east, np.roll(east, -1, axis=1)) * faces.east[level][:, None]
    rows = np.concatenate([density[:1], density, density[-1:]])
    speed = np.concatenate([north[:1], north, north[-1:]])
    return flux_east, _mean(rows[:-1], rows[1:]) * _mean(speed[:-1], speed[1:]) * faces.north[level][:, None]


def vertical_flux(faces: CellFaces, face: int, density: NDArray, up: NDArray) -> NDArray[np.float64]:
    """Upward flux through an inner horizontal face, (lat, lon), s-1; density and velocity (2, lat, lon) below and above it."""
    return _mean(density[0], density[1]) * _mean(up[0], up[1]) * faces.up[face][:, None]


def border_flux(flux_east: NDArray, flux_north: NDArray, source: NDArray, target: NDArray) -> float:
    """Net flux, s-1, out of one region straight into another, through all faces that they share.

    ``source`` and ``target`` are masks (lat, lon) without common cells. With ``target = ~source`` this is the sum of the
    outflow of all cells of ``source``, to round-off (but for the low-latitude edge, where there is no cell beyond).
    """
    after = np.roll(target, -1, axis=1), np.roll(source, -1, axis=1)
    net = np.sum(flux_east[source & after[0]]) - np.sum(flux_east[target & after[1]])
    inner = flux_north[1:-1]
    net += np.sum(inner[source[:-1] & target[1:]]) - np.sum(inner[target[:-1] & source[1:]])
    return float(net)


def _mean(a: NDArray, b: NDArray) -> NDArray[np.float64]:
    return 0.5 * (a.astype(float) + b)
