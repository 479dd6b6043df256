"""Latitude and longitude as unit vectors, and back. Earth-fixed Cartesian axes: z to the north pole, x to longitude 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree


def unit_vector(lat: ArrayLike, lon: ArrayLike) -> NDArray[np.float64]:
    """Unit vectors that point to geocentric latitude and longitude in degrees; shape (..., 3)."""
    lat_rad, lon_rad = np.broadcast_arrays(np.radians(lat), np.radians(lon))
    return np.stack([np.cos(lat_rad) * np.cos(lon_rad), np.cos(lat_rad) * np.sin(lon_rad), np.sin(lat_rad)], axis=-1)


def latitude_longitude(vector: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitude and longitude (-180 to 180) in degrees of vectors of any length; shape (..., 3) in."""
    x, y, z = np.moveaxis(np.asarray(vector, dtype=float), -1, 0)
    return np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x))


def local_axes(lat: ArrayLike, lon: ArrayLike) -> tuple[NDArray, NDArray, NDArray]:
    """Unit vectors to the east, to the north and up at a place in degrees; each of shape (..., 3).

    At the pole itself the longitude decides which way is north.
    """
    _, lon_rad = np.broadcast_arrays(np.radians(lat), np.radians(lon))
    zero = np.zeros_like(lon_rad)
    east = np.stack([-np.sin(lon_rad), np.cos(lon_rad), zero], axis=-1)
    up = unit_vector(lat, lon)
    return east, np.cross(up, east), up


def distance_to_nearest(position: NDArray[np.float64], lat: ArrayLike, lon: ArrayLike) -> NDArray[np.float64]:
    """Great-circle distance, degrees, from unit vectors (..., 3) to the nearest of some points in degrees.

    Points that are not a number are none; without any the distance is infinite.
    """
    points = unit_vector(lat, lon).reshape(-1, 3)
    points = points[np.isfinite(points).all(axis=-1)]
    if not len(points):
        return np.full(position.shape[:-1], np.inf)
    chord, _ = KDTree(points).query(position)
    return np.degrees(2.0 * np.arcsin(np.minimum(chord / 2.0, 1.0)))
