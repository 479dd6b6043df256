"""Electric field of the convection in three dimensions: equipotential field lines of the tilted dipole.

The potential is given at magnetic latitude (of the footpoint at 110 km) and magnetic local time. Along a dipole field line
sin^2(theta0) = (R/r) sin^2(theta), so that

    E_r     =  tan(theta0)/(2 r)            dPhi/dtheta0
    E_theta = -tan(theta0)/(r tan(theta))   dPhi/dtheta0
    E_phi   = -1/(r sin(theta))             dPhi/dphi

and E.B = 0. Angles are counted from the nearer magnetic pole; phi grows to the east. The gradient is tabulated in two
components of the magnetic plane, which stay finite and smooth at the pole.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import RectBivariateSpline

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import DataError
from siderion.frames.dipole import FOOTPOINT_ALTITUDE, TiltedDipole, footpoint_colatitude
from siderion.frames.spherical import unit_vector

FOOTPOINT_RADIUS = EARTH_RADIUS + 1e3 * FOOTPOINT_ALTITUDE
SINE_STEP = 0.0025
"""Step of the gradient table in the sine of the footpoint colatitude; 0.14 degrees near the pole."""
PHASES = 192
"""Steps of the gradient table in magnetic local time: 7.5 minutes."""


def potential_spline(potential: NDArray, magnetic_latitude: NDArray, magnetic_local_time: NDArray) -> RectBivariateSpline:
    """Bicubic spline of a potential over (signed colatitude, phase) in rad, smooth across the pole.

    Parameters
    ----------
    potential : (magnetic_latitude, magnetic_local_time)
        V; the row at the pole has one value for all local times.
    magnetic_latitude : (n,)
        Absolute values, degrees, growing evenly to 90.
    magnetic_local_time : (m,)
        h, growing evenly from 0, 24 left out; m even.

    Raises
    ------
    DataError
        The grid does not end at the pole, is not even, or the number of local times is odd.
    """
    colatitude = np.radians(90.0 - np.abs(np.asarray(magnetic_latitude, dtype=float)))[::-1]
    count = len(magnetic_local_time)
    even = np.allclose(np.diff(magnetic_local_time), 24.0 / count) and np.allclose(np.diff(colatitude, n=2), 0.0, atol=1e-9)
    if count % 2 or not even or abs(colatitude[0]) > 1e-9 or magnetic_local_time[0] != 0.0:
        raise DataError(
            "electric_potential: magnetic_latitude must grow evenly to 90 degrees and magnetic_local_time evenly from 0 h "
            f"with an even number of steps; got {magnetic_latitude[0]}..{magnetic_latitude[-1]} and {count} steps"
        )
    rows = np.asarray(potential, dtype=float)[::-1]
    mirrored = np.roll(rows, count // 2, axis=1)[:0:-1]  # colatitude -theta lies on the opposite meridian
    signed = np.concatenate([-colatitude[:0:-1], colatitude])
    values = np.concatenate([mirrored, rows])
    margin = 6
    columns = np.arange(-margin, count + margin + 1)
    phase = columns * 2.0 * np.pi / count
    return RectBivariateSpline(signed, phase, values[:, columns % count])


def gradient_table(potential: NDArray, magnetic_latitude: NDArray, magnetic_local_time: NDArray) -> NDArray[np.float64]:
    """Gradient of the potential, V per radian, in two components of the magnetic plane, (2, PHASES + 1, n).

    The second axis is the phase 15 deg x MLT in even steps, the third the sine of the footpoint colatitude in steps of
    `SINE_STEP` from 0 to the equatorward end of the grid. The components point to phase 0 and to phase 90 degrees.
    """
    spline = potential_spline(potential, magnetic_latitude, magnetic_local_time)
    lowest = np.sin(np.radians(90.0 - np.min(np.abs(magnetic_latitude))))
    sine = np.arange(0, int(lowest / SINE_STEP) + 1) * SINE_STEP
    phase = np.arange(PHASES + 1) * 2.0 * np.pi / PHASES
    by_theta = spline(np.arcsin(sine), phase, dx=1)
    by_phi = spline(np.arcsin(sine), phase, dy=1)
    by_phi[1:] /= sine[1:, None]
    by_phi[0] = np.roll(by_theta[0, :-1], -PHASES // 4)[np.arange(PHASES + 1) % PHASES]
    first = by_theta * np.cos(phase) - by_phi * np.sin(phase)
    second = by_theta * np.sin(phase) + by_phi * np.cos(phase)
    return np.stack([first.T, second.T])


@dataclass(frozen=True)
class ConvectionField:
    """The convection at one moment.

    Attributes
    ----------
    dipole : TiltedDipole
    hemisphere : {"north", "south"}
    subsolar_magnetic_longitude : float
        Degrees; fixes magnetic noon.
    potential : (magnetic_latitude, magnetic_local_time)
        V.
    magnetic_latitude, magnetic_local_time : ndarray
        Absolute degrees, growing to 90; h.
    """

    dipole: TiltedDipole
    hemisphere: str
    subsolar_magnetic_longitude: float
    potential: NDArray
    magnetic_latitude: NDArray
    magnetic_local_time: NDArray

    footpoint_radius = FOOTPOINT_RADIUS
    earth_radius = EARTH_RADIUS
    sine_step = SINE_STEP

    @cached_property
    def table(self) -> NDArray[np.float64]:
        """The gradient table, see `gradient_table`."""
        return gradient_table(self.potential, self.magnetic_latitude, self.magnetic_local_time)

    @property
    def near_pole(self) -> NDArray[np.float64]:
        """Unit vector to the magnetic pole of the hemisphere, Earth-fixed."""
        return self.dipole.axes[2] * (1.0 if self.hemisphere == "north" else -1.0)

    def phase(self, position: NDArray) -> NDArray[np.float64]:
        """15 degrees times the magnetic local time, rad, 0 to 2 pi, of unit vectors (..., 3)."""
        x, y, _ = np.moveaxis(position @ self.dipole.axes.T, -1, 0)
        return (np.arctan2(y, x) - np.radians(self.subsolar_magnetic_longitude) + np.pi) % (2.0 * np.pi)

    def potential_at(self, lat: ArrayLike, lon: ArrayLike, alt: float = FOOTPOINT_ALTITUDE) -> NDArray[np.float64]:
        """Potential, V, at geographic places in degrees and an altitude in km; 0 equatorward of the grid."""
        position = unit_vector(lat, lon)
        colatitude = np.arccos(np.clip(position @ self.near_pole, -1.0, 1.0))
        foot = footpoint_colatitude(np.minimum(colatitude, np.pi / 2), EARTH_RADIUS + 1e3 * alt)
        spline = potential_spline(self.potential, self.magnetic_latitude, self.magnetic_local_time)
        inside = foot <= np.radians(90.0 - np.min(self.magnetic_latitude))
        return np.where(inside, spline.ev(np.where(inside, foot, 0.0), self.phase(position)), 0.0)

    def electric_field(self, lat: ArrayLike, lon: ArrayLike, radius: ArrayLike) -> NDArray[np.float64]:
        """Electric field, V m-1, Earth-fixed Cartesian, (..., 3); lat, lon in degrees, radius in m (broadcast)."""
        position = unit_vector(lat, lon)
        radius, _ = np.broadcast_arrays(np.asarray(radius, dtype=float), position[..., 0])
        cosine = position @ self.near_pole
        sine = np.sqrt(np.maximum(1.0 - cosine**2, 1e-30))
        ratio = np.sqrt(FOOTPOINT_RADIUS / radius)
        foot = ratio * sine
        by_theta, by_phi = self._gradient(foot, self.phase(position))
        up, theta, phi = field_axes(position, self.near_pole, self.dipole.axes[2])
        cosine_foot = np.sqrt(1.0 - np.minimum(foot, 0.999) ** 2)
        e_up = foot / (2.0 * cosine_foot) * by_theta / radius
        e_theta = -ratio * cosine / cosine_foot * by_theta / radius
        e_phi = -ratio * by_phi / radius
        return e_up[..., None] * up + e_theta[..., None] * theta + e_phi[..., None] * phi

    def _gradient(self, sine: NDArray, phase: NDArray) -> tuple[NDArray, NDArray]:
        """dPhi/dtheta0 and (1/sin theta0) dPhi/dphi, V per radian; 0 beyond the table."""
        table = self.table
        place, turn = sine / SINE_STEP, phase / (2.0 * np.pi) * PHASES
        inside = place < table.shape[2] - 1
        i = np.minimum(place.astype(int), table.shape[2] - 2)
        j = np.minimum(turn.astype(int), PHASES - 1)
        a, b = place - i, turn - j
        corners = (1 - b) * ((1 - a) * table[:, j, i] + a * table[:, j, i + 1])
        corners += b * ((1 - a) * table[:, j + 1, i] + a * table[:, j + 1, i + 1])
        first, second = np.where(inside, corners, 0.0)
        return (
            first * np.cos(phase) + second * np.sin(phase),
            second * np.cos(phase) - first * np.sin(phase),
        )


def field_axes(position: NDArray, near_pole: NDArray, magnetic_axis: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Unit vectors up, away from the near magnetic pole, and magnetic east at unit vectors ``position`` (..., 3)."""
    east = np.cross(magnetic_axis, position)
    length = np.linalg.norm(east, axis=-1, keepdims=True)
    east = np.where(length > 1e-12, east / np.maximum(length, 1e-12), np.array([0.0, 1.0, 0.0]))
    away = position * np.sum(position * near_pole, axis=-1, keepdims=True) - near_pole
    away = away / np.maximum(np.linalg.norm(away, axis=-1, keepdims=True), 1e-30)
    return position, away, east
