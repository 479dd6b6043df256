"""Geometry of a polar map: the plane with magnetic noon at the top, and the convection cells on it.

The map is azimuthal equidistant: the distance from the centre is the geographic colatitude in degrees. Both hemispheres
are seen from the north (the southern one through the Earth), so that dusk is on the left and the main magnetic field
points into the page on both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.interpolate import LinearNDInterpolator, RegularGridInterpolator

from siderion.core.errors import CoverageError, DataError
from siderion.transport.diagnostics import CELL_SHARE

Array = NDArray[np.float64]


def plane_position(latitude: Array | float, longitude: Array | float, noon: float) -> tuple[Array, Array]:
    """Place points on the map.

    Parameters
    ----------
    latitude, longitude : array
        Geographic, degrees; the sign of the latitude is ignored.
    noon : float
        Longitude drawn at the top, degrees.

    Returns
    -------
    tuple of array
        x to the right and y to the top, degrees of colatitude.
    """
    angle = np.deg2rad(np.asarray(longitude) - noon + 90.0)
    radius = 90.0 - np.abs(np.asarray(latitude))
    return np.asarray(radius * np.cos(angle)), np.asarray(radius * np.sin(angle))


def geographic_position(x: Array, y: Array, noon: float) -> tuple[Array, Array]:
    """Undo `plane_position`: absolute latitude and longitude (-180 to 180), degrees."""
    longitude = np.rad2deg(np.arctan2(y, x)) - 90.0 + noon
    return np.asarray(90.0 - np.hypot(x, y)), np.asarray((longitude + 180.0) % 360.0 - 180.0)


def longitude_of_local_time(local_time: Array, longitude: Array, hour: float) -> float:
    """Find the longitude of a magnetic local time along one circle of latitude.

    Parameters
    ----------
    local_time : array (lon)
        Magnetic local time along the circle, h.
    longitude : array (lon)
        Ascending, degrees.
    hour : float
        The magnetic local time sought, h.

    Returns
    -------
    float
        Longitude, degrees, -180 to 180.

    Raises
    ------
    DataError
        The circle does not go once around the magnetic pole.
    """
    phase = np.unwrap(np.deg2rad(15.0 * np.append(local_time, local_time[0])))
    if not np.isclose(phase[-1] - phase[0], 2.0 * np.pi):
        turns = (phase[-1] - phase[0]) / (2.0 * np.pi)
        raise DataError(
            f"magnetic_local_time goes {turns:.2f} times around this circle of latitude; once eastward is needed; "
            "take a circle that encloses the magnetic pole"
        )
    target = np.deg2rad(15.0 * hour)
    target += 2.0 * np.pi * np.ceil((phase[0] - target) / (2.0 * np.pi))
    found = np.interp(target, phase, np.append(longitude, longitude[0] + 360.0))
    return float((found + 180.0) % 360.0 - 180.0)


def cell_edges(centres: Array) -> Array:
    """Edges of cells from their centres: half way between them, the outer ones mirrored."""
    middle = 0.5 * (centres[1:] + centres[:-1])
    return np.concatenate([[2.0 * centres[0] - middle[0]], middle, [2.0 * centres[-1] - middle[-1]]])


def cell_corners(latitude: Array, longitude: Array, noon: float) -> tuple[Array, Array]:
    """Corners of all cells on the map, closed at the pole and at the seam of longitude.

    Parameters
    ----------
    latitude : array (lat)
        Centres, absolute values, ascending, degrees.
    longitude : array (lon)
        Centres, ascending, all around the Earth, degrees.
    noon : float
        Longitude drawn at the top, degrees.

    Returns
    -------
    tuple of array (lat + 1, lon + 1)
        x and y, degrees of colatitude.
    """
    rows = cell_edges(latitude)
    spacing = latitude[-1] - latitude[-2]
    if rows[-1] > 90.0 - spacing:
        rows[-1] = 90.0
    columns = cell_edges(longitude)
    columns[-1] = columns[0] + 360.0
    x, y = plane_position(rows[:, None], columns[None, :], noon)
    x[:, -1], y[:, -1] = x[:, 0], y[:, 0]
    return x, y


def to_plane(values: Array, latitude: Array, longitude: Array, noon: float, edge: float, size: int = 241) -> Array:
    """Interpolate a smooth field from (lat, lon) to a regular grid on the map.

    Parameters
    ----------
    values : array (lat, lon)
        The field.
    latitude, longitude : array
        Centres; latitude as absolute values, ascending, degrees.
    noon, edge : float
        Longitude at the top and absolute latitude of the rim, degrees.
    size : int
        Points along one side of the square.

    Returns
    -------
    array (size, size)
        Rows along y, columns along x, from -(90 - edge) to 90 - edge; NaN outside the rim.
    """
    axis = np.linspace(edge - 90.0, 90.0 - edge, size)
    x, y = np.meshgrid(axis, axis)
    around = np.concatenate([[longitude[-1] - 360.0], longitude, [longitude[0] + 360.0]])
    padded = np.concatenate([values[:, -1:], values, values[:, :1]], axis=1)
    if latitude[-1] < 90.0:
        latitude = np.append(latitude, 90.0)
        padded = np.concatenate([padded, np.full((1, padded.shape[1]), values[-1].mean())])
    field = RegularGridInterpolator((latitude, around), padded, bounds_error=False, fill_value=np.nan)
    plane = field(geographic_position(x, y, noon))
    plane[np.hypot(x, y) > 90.0 - edge] = np.nan
    return plane


def drift_direction(potential: Array) -> tuple[Array, Array]:
    """Direction of the E x B drift on the map, not normalized.

    With E = -grad(potential) and the main field into the page, E x B points along grad(potential) turned clockwise by
    a right angle.

    Parameters
    ----------
    potential : array (y, x)
        Electric potential on the map, V.

    Returns
    -------
    tuple of array
        Components to the right and to the top.
    """
    along_y, along_x = np.gradient(potential)
    return np.asarray(along_y), np.asarray(-along_x)


@dataclass(frozen=True)
class ConvectionCell:
    """One cell of the convection: its extremum (V, at x, y on the map) and the field whose contour is its outline."""

    extremum: float
    x: float
    y: float
    level: float
    field: Array


def convection_cells(potential: Array, edge: float, fraction: float = CELL_SHARE) -> list[ConvectionCell]:
    """Find the cells around the lowest and the highest potential.

    Parameters
    ----------
    potential : array (y, x)
        Electric potential on the map (see `to_plane`), V.
    edge : float
        Absolute latitude of the rim, degrees.
    fraction : float
        A cell is where the potential exceeds this share of its extremum, joined to the extremum.

    Returns
    -------
    list of ConvectionCell
        Negative (evening) cell first; a sign that does not occur has no cell.
    """
    axis = np.linspace(edge - 90.0, 90.0 - edge, len(potential))
    cells = []
    for sign in (-1.0, 1.0):
        signed = np.where(np.isfinite(potential), sign * potential, -np.inf)
        row, column = np.unravel_index(int(signed.argmax()), signed.shape)
        extremum = signed[row, column]
        if not extremum > 0.0:
            continue
        level = fraction * extremum
        labels, _ = ndimage.label(signed > level)
        elsewhere = (labels > 0) & (labels != labels[row, column])
        field = np.where(elsewhere, 0.99 * level, np.where(np.isfinite(potential), sign * potential, 0.0))
        cells.append(ConvectionCell(sign * extremum, float(axis[column]), float(axis[row]), level, field))
    return cells


def magnetic_meridian(
    local_time: Array, invariant_latitude: Array, latitude: Array, longitude: Array, hour: float, targets: Array
) -> tuple[Array, Array]:
    """Points along one meridian of magnetic local time.

    Parameters
    ----------
    local_time, invariant_latitude : array (lat, lon)
        Magnetic local time, h; invariant latitude at one altitude, degrees (sign ignored).
    latitude, longitude : array
        Centres, latitude as absolute values, degrees.
    hour : float
        Magnetic local time of the meridian, h.
    targets : array (n)
        Absolute invariant latitudes wanted, degrees.

    Returns
    -------
    tuple of array (n)
        Absolute geographic latitude and longitude, degrees; NaN where the meridian leaves the grid.

    Raises
    ------
    CoverageError
        No target lies on the grid.
    """
    # three degrees of longitude are enough for such smooth coordinates, and many times faster
    thin = slice(None, None, max(1, len(longitude) // 120))
    # both pairs of coordinates are smooth through the poles only as plane vectors
    x, y = plane_position(latitude[:, None], longitude[None, thin], 0.0)
    radius, angle = 90.0 - np.abs(invariant_latitude[:, thin]), np.deg2rad(15.0 * local_time[:, thin])
    magnetic = np.column_stack([(radius * np.cos(angle)).ravel(), (radius * np.sin(angle)).ravel()])
    wanted = np.deg2rad(15.0 * hour)
    points = np.column_stack([(90.0 - targets) * np.cos(wanted), (90.0 - targets) * np.sin(wanted)])
    found = LinearNDInterpolator(magnetic, np.column_stack([x.ravel(), y.ravel()]))(points)
    if not np.isfinite(found).any():
        raise CoverageError(
            f"no point of the meridian of {hour:g} h magnetic local time lies on the grid, between invariant latitudes "
            f"{targets.min():g} and {targets.max():g} degrees; take a grid that reaches closer to the pole"
        )
    return geographic_position(found[:, 0], found[:, 1], 0.0)
