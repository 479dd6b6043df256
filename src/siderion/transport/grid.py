"""The native grid of the fluid model: a gnomonic cap closed over the pole, times shells of altitude.

The cap is one widened face of an equiangular cubed sphere, centred on the pole: a point is (tan xi, tan eta, 1) put on
the sphere. Its lines of constant xi and eta are great circles, so the grid has no singular point and its cells differ
little in size. Cells equatorward of ``edge_latitude`` are masked.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import SettingsError
from siderion.frames.spherical import latitude_longitude, local_axes

HALF_WIDTH = 50.0
"""Half the width of the cap along its middle lines, degrees: the low-latitude edge may not lie beyond 90 - 50."""


@dataclass(frozen=True)
class CapGrid:
    """Horizontal grid: square in (xi, eta), centred on one pole.

    Attributes
    ----------
    hemisphere : {"north", "south"}
    cells : int
        Cells along each side.
    edge_latitude : float
        Absolute latitude, degrees, of the low-latitude edge; cells with their centre beyond it are not calculated.
    """

    hemisphere: str
    cells: int
    edge_latitude: float = 40.0

    def __post_init__(self) -> None:
        """Check the values."""
        if self.hemisphere not in ("north", "south"):
            raise SettingsError(f"hemisphere is {self.hemisphere!r}; use 'north' or 'south'")
        if self.cells < 8:
            raise SettingsError(f"the cap has {self.cells} cells a side; use at least 8")
        if not 90.0 - HALF_WIDTH <= self.edge_latitude < 85.0:
            raise SettingsError(f"edge_latitude is {self.edge_latitude} degrees; use 40 to 85")

    @property
    def sign(self) -> float:
        """+1 for the north, -1 for the south."""
        return 1.0 if self.hemisphere == "north" else -1.0

    @cached_property
    def face_angles(self) -> NDArray[np.float64]:
        """Angles xi (and eta) of the faces, rad, shape (cells + 1,)."""
        return np.radians(np.linspace(-HALF_WIDTH, HALF_WIDTH, self.cells + 1))

    @cached_property
    def centre_angles(self) -> NDArray[np.float64]:
        """Angles xi (and eta) of the cell centres, rad, shape (cells,)."""
        return 0.5 * (self.face_angles[1:] + self.face_angles[:-1])

    def points(self, xi: NDArray, eta: NDArray) -> NDArray[np.float64]:
        """Unit vectors, Earth-fixed, of points with angles xi and eta (broadcast); shape (..., 3)."""
        x, y = np.broadcast_arrays(np.tan(xi), np.tan(eta))
        vector = np.stack([x, y, np.full_like(x, self.sign)], axis=-1)
        return vector / np.linalg.norm(vector, axis=-1, keepdims=True)

    @cached_property
    def centres(self) -> NDArray[np.float64]:
        """Unit vectors of the cell centres, (y, x, 3)."""
        return self.points(self.centre_angles[None, :], self.centre_angles[:, None])

    @cached_property
    def latitude(self) -> NDArray[np.float64]:
        """Latitude of the cell centres, degrees, (y, x)."""
        return latitude_longitude(self.centres)[0]

    @cached_property
    def longitude(self) -> NDArray[np.float64]:
        """Longitude of the cell centres, degrees, (y, x)."""
        return latitude_longitude(self.centres)[1]

    @cached_property
    def active(self) -> NDArray[np.bool_]:
        """Cells that are calculated, (y, x)."""
        return np.abs(self.latitude) >= self.edge_latitude

    @cached_property
    def row_range(self) -> NDArray[np.int64]:
        """First and one past the last active cell of every row, (2, y). The active region is convex, so this is all."""
        return _ranges(self.active)

    @cached_property
    def column_range(self) -> NDArray[np.int64]:
        """The same for every column, (2, x)."""
        return _ranges(self.active.T)

    @cached_property
    def solid_angle(self) -> NDArray[np.float64]:
        """Solid angle of the cells, sr, (y, x), exact for cells between great circles."""
        x = np.tan(self.face_angles)
        corner = np.arctan(x[:, None] * x[None, :] / np.sqrt(1.0 + x[:, None] ** 2 + x[None, :] ** 2))
        return corner[1:, 1:] - corner[1:, :-1] - corner[:-1, 1:] + corner[:-1, :-1]

    @cached_property
    def edge_x(self) -> NDArray[np.float64]:
        """Length of the faces of constant xi, rad, (y, x + 1)."""
        corners = self.points(self.face_angles[None, :], self.face_angles[:, None])
        return _angle(corners[1:], corners[:-1])

    @cached_property
    def edge_y(self) -> NDArray[np.float64]:
        """Length of the faces of constant eta, rad, transposed: (x, y + 1)."""
        return self.edge_x  # the cap is the same along both of its axes

    @cached_property
    def normal_x(self) -> NDArray[np.float64]:
        """Unit vectors across the lines of constant xi, towards larger xi, (y, x, 3)."""
        xi = np.broadcast_to(self.centre_angles[None, :], (self.cells, self.cells))
        return np.stack([np.cos(xi), np.zeros_like(xi), -self.sign * np.sin(xi)], axis=-1)

    @cached_property
    def normal_y(self) -> NDArray[np.float64]:
        """Unit vectors across the lines of constant eta, towards larger eta, (y, x, 3)."""
        eta = np.broadcast_to(self.centre_angles[:, None], (self.cells, self.cells))
        return np.stack([np.zeros_like(eta), np.cos(eta), -self.sign * np.sin(eta)], axis=-1)

    @cached_property
    def smallest_width(self) -> float:
        """Smallest distance between opposite faces of an active cell, rad."""
        width = self.solid_angle / np.maximum(self.edge_x[:, :-1], self.edge_x[:, 1:])
        return float(width[self.active].min())

    @cached_property
    def axes(self) -> tuple[NDArray, NDArray, NDArray]:
        """Unit vectors east, north, up at the cell centres, each (y, x, 3)."""
        return local_axes(self.latitude, self.longitude)


@dataclass(frozen=True)
class ShellGrid:
    """Vertical grid: shells between the altitudes ``faces`` (km, growing)."""

    faces: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check the altitudes."""
        steps = np.diff(self.faces)
        if len(self.faces) < 6 or np.any(steps <= 0):
            raise SettingsError(f"the vertical grid has faces {self.faces[:4]}...; it needs at least 6 growing altitudes")

    @classmethod
    def stretched(cls, bottom: float, uniform_top: float, top: float, fine: float, coarse: float) -> ShellGrid:
        """Cells of ``fine`` km up to ``uniform_top``, then growing evenly from cell to cell to ``coarse`` km at ``top``.

        Andoh et al. 2026, section 2: 0.5 km from 85 to 140 km, growing to 2 km at 310 km.
        """
        uniform = np.arange(0, round((uniform_top - bottom) / fine) + 1) * fine + bottom
        count = max(2, round(2.0 * (top - uniform_top) / (fine + coarse)))
        steps = np.linspace(fine, coarse, count)
        growing = uniform[-1] + np.cumsum(steps) * (top - uniform[-1]) / steps.sum()
        return cls(tuple(float(f) for f in np.concatenate([uniform, growing])))

    @property
    def levels(self) -> int:
        """Number of cells."""
        return len(self.faces) - 1

    @cached_property
    def face_altitude(self) -> NDArray[np.float64]:
        """Altitude of the faces, km, (lev + 1,)."""
        return np.asarray(self.faces)

    @cached_property
    def altitude(self) -> NDArray[np.float64]:
        """Altitude of the cell centres, km, (lev,)."""
        return 0.5 * (self.face_altitude[1:] + self.face_altitude[:-1])

    @cached_property
    def radius(self) -> NDArray[np.float64]:
        """Distance of the cell centres from the centre of the Earth, m, (lev,)."""
        return EARTH_RADIUS + 1e3 * self.altitude

    @cached_property
    def face_radius(self) -> NDArray[np.float64]:
        """Distance of the faces from the centre of the Earth, m, (lev + 1,)."""
        return EARTH_RADIUS + 1e3 * self.face_altitude

    @cached_property
    def thickness(self) -> NDArray[np.float64]:
        """Thickness of the cells, m, (lev,)."""
        return 1e3 * np.diff(self.face_altitude)

    @cached_property
    def shell(self) -> NDArray[np.float64]:
        """Volume of the cells per solid angle, m3 sr-1, (lev,)."""
        return np.diff(self.face_radius**3) / 3.0

    @cached_property
    def side(self) -> NDArray[np.float64]:
        """Area of a vertical face per radian of its length, m2 rad-1, (lev,)."""
        return np.diff(self.face_radius**2) / 2.0

    @cached_property
    def area(self) -> NDArray[np.float64]:
        """Area of the horizontal faces per solid angle, m2 sr-1, (lev + 1,)."""
        return self.face_radius**2

    @cached_property
    def face_weight(self) -> NDArray[np.float64]:
        """Weight of the cell above in the linear value at the face below it, (lev,); entry 0 is not used."""
        weight = np.zeros(self.levels)
        weight[1:] = self.thickness[:-1] / (self.thickness[:-1] + self.thickness[1:])
        return weight

    @cached_property
    def centre_distance(self) -> NDArray[np.float64]:
        """Distance between the centres on both sides of a face, m, (lev,); entry 0 is 0."""
        distance = np.zeros(self.levels)
        distance[1:] = 1e3 * np.diff(self.altitude)
        return distance

    @cached_property
    def parabola_weights(self) -> NDArray[np.float64]:
        """Weights of Colella & Woodward 1984, equations 1.6 and 1.7, for unequal cells, (5, lev).

        Rows 0 and 1: slope of cell k from the difference above and below. Rows 2 to 4: value at the face below cell k,
        from the difference across it and the slopes of the cells above and below it.
        """
        d = self.thickness
        before, after = np.concatenate([d[:1], d[:-1]]), np.concatenate([d[1:], d[-1:]])
        weights = np.zeros((5, self.levels))
        total = before + d + after
        weights[0] = d / total * (2 * before + d) / (after + d)
        weights[1] = d / total * (d + 2 * after) / (before + d)
        lower2, lower, upper, upper2 = before[:-1], d[:-1], d[1:], after[1:]
        four = lower2 + lower + upper + upper2
        left_part = (lower2 + lower) / (2 * lower + upper)
        right_part = (upper2 + upper) / (2 * upper + lower)
        weights[2, 1:] = lower / (lower + upper) + 2 * upper * lower / (lower + upper) * (left_part - right_part) / four
        weights[3, 1:] = -lower * left_part / four
        weights[4, 1:] = upper * right_part / four
        return weights


def _angle(a: NDArray, b: NDArray) -> NDArray[np.float64]:
    """Angle between unit vectors, rad."""
    return np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), np.sum(a * b, axis=-1))


def _ranges(active: NDArray[np.bool_]) -> NDArray[np.int64]:
    """First and one past the last true entry of every row; (0, 0) for rows without any."""
    count = active.sum(axis=1)
    start = np.where(count > 0, active.argmax(axis=1), 0)
    return np.stack([start, start + count]).astype(np.int64)
