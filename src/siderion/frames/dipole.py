"""The tilted, centred dipole of the Earth's field (IGRF-13, degree 1), as used by Andoh et al. 2026, section 2.

Magnetic latitude and longitude are those of the dipole. Magnetic longitude 0 is the half-plane of the geographic south
pole, so that it grows to the east. Magnetic local time is 12 h at the magnetic longitude of the subsolar point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import CoverageError
from siderion.core.tables import load_table
from siderion.frames.spherical import latitude_longitude, unit_vector
from siderion.frames.sun import subsolar_point, wrap_longitude

FOOTPOINT_ALTITUDE = 110.0
"""Altitude in km at which field lines carry their magnetic latitude: the apex reference height of the potential models."""


@dataclass(frozen=True)
class TiltedDipole:
    """A centred dipole, fixed in the rotating Earth.

    Attributes
    ----------
    strength : float
        Equatorial field on the reference sphere, T.
    pole_lat, pole_lon : float
        Geographic place of the northern magnetic pole, degrees.
    """

    strength: float
    pole_lat: float
    pole_lon: float

    @classmethod
    def at(cls, time: ArrayLike) -> TiltedDipole:
        """The dipole at a UTC time, linear between the epochs of the IGRF-13.

        Raises
        ------
        CoverageError
            The time is before 1965 or after 2030.
        """
        moment = np.datetime64(time, "ns") if isinstance(time, str) else np.asarray(time, dtype="datetime64[ns]")
        year = 1970.0 + (moment - np.datetime64("1970-01-01", "ns")) / np.timedelta64(1, "ns") / (365.2425 * 86400e9)
        table = load_table("frames", "igrf13_dipole")
        first, last = float(table.epoch.iloc[0]), float(table.epoch.iloc[-1])
        if not first <= float(year) <= last + 5.0:
            raise CoverageError(f"no dipole for {moment}: the table holds {first:.0f} to {last + 5.0:.0f}")
        g10, g11, h11 = (_linear(float(year), table.epoch.to_numpy(), table[name].to_numpy()) for name in ("g10", "g11", "h11"))
        strength = float(np.sqrt(g10**2 + g11**2 + h11**2))
        pole_lat = 90.0 - np.degrees(np.arccos(-g10 / strength))
        return cls(strength * 1e-9, float(pole_lat), float(np.degrees(np.arctan2(-h11, -g11))))

    @property
    def axes(self) -> NDArray[np.float64]:
        """Rows are the magnetic x, y and z axes in Earth-fixed coordinates; z points to the northern magnetic pole."""
        z = unit_vector(self.pole_lat, self.pole_lon)
        lon = np.radians(self.pole_lon)
        y = np.array([-np.sin(lon), np.cos(lon), 0.0])  # geographic axis x z, without its 0/0 at the pole
        return np.stack([np.cross(y, z), y, z])

    def magnetic(self, lat: ArrayLike, lon: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Magnetic latitude and longitude (-180 to 180), degrees, of a geographic place in degrees."""
        return latitude_longitude(unit_vector(lat, lon) @ self.axes.T)

    def geographic(self, magnetic_lat: ArrayLike, magnetic_lon: ArrayLike) -> tuple[NDArray, NDArray]:
        """Geographic latitude and longitude, degrees, of a magnetic place in degrees: the inverse of `magnetic`."""
        return latitude_longitude(unit_vector(magnetic_lat, magnetic_lon) @ self.axes)

    def magnetic_latitude(self, lat: ArrayLike, lon: ArrayLike) -> NDArray[np.float64]:
        """Magnetic latitude in degrees."""
        return self.magnetic(lat, lon)[0]

    def magnetic_longitude(self, lat: ArrayLike, lon: ArrayLike) -> NDArray[np.float64]:
        """Magnetic longitude in degrees, -180 to 180."""
        return self.magnetic(lat, lon)[1]

    def magnetic_local_time(self, time: ArrayLike, lat: ArrayLike, lon: ArrayLike) -> NDArray[np.float64]:
        """Magnetic local time, h, 0 to 24: 12 + (magnetic longitude - that of the subsolar point)/15."""
        return (12.0 + (self.magnetic_longitude(lat, lon) - self.subsolar_magnetic_longitude(time)) / 15.0) % 24.0

    def subsolar_magnetic_longitude(self, time: ArrayLike) -> NDArray[np.float64]:
        """Magnetic longitude of the subsolar point, degrees."""
        return self.magnetic_longitude(*subsolar_point(time))

    def tilt(self, time: ArrayLike) -> NDArray[np.float64]:
        """Dipole tilt, degrees: positive when the northern magnetic pole leans to the Sun."""
        sun = unit_vector(*subsolar_point(time))
        return np.degrees(np.arcsin(sun @ self.axes[2]))

    def field(self, lat: ArrayLike, lon: ArrayLike, radius: ArrayLike) -> NDArray[np.float64]:
        """Magnetic field, T, Earth-fixed Cartesian, shape (..., 3); ``radius`` in m from the centre of the Earth."""
        up = unit_vector(lat, lon)
        along = (up @ self.axes[2])[..., None]
        scale = self.strength * (EARTH_RADIUS / np.asarray(radius, dtype=float)) ** 3
        return scale[..., None] * (self.axes[2] - 3.0 * along * up)

    def invariant_latitude(self, alt: ArrayLike, lat: ArrayLike, lon: ArrayLike) -> NDArray[np.float64]:
        """Invariant latitude, degrees, 0 to 90: cos L = sqrt(RE/r) cos(magnetic latitude); ``alt`` in km."""
        radius = EARTH_RADIUS + 1e3 * np.asarray(alt, dtype=float)
        cosine = np.sqrt(EARTH_RADIUS / radius) * np.cos(np.radians(self.magnetic_latitude(lat, lon)))
        return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def footpoint_colatitude(colatitude: ArrayLike, radius: ArrayLike) -> NDArray[np.float64]:
    """Magnetic colatitude, rad, at which the field line of a point crosses the footpoint altitude.

    sin^2(theta0) = (R/r) sin^2(theta), with R the radius of the footpoint altitude. Below that altitude the field line
    is followed upwards; where it never gets there (within 3 degrees of the magnetic equator), the equator is returned.

    Parameters
    ----------
    colatitude : array
        Magnetic colatitude of the points, rad, counted from the nearer pole (0 to pi/2).
    radius : array
        Geocentric distance, m.
    """
    reference = EARTH_RADIUS + 1e3 * FOOTPOINT_ALTITUDE
    sine = np.sqrt(reference / np.asarray(radius, dtype=float)) * np.sin(colatitude)
    return np.arcsin(np.clip(sine, 0.0, 1.0))


def _linear(x: float, xs: NDArray, ys: NDArray) -> float:
    """Linear interpolation that goes on with the last slope beyond the end."""
    if x > xs[-1]:
        return float(ys[-1] + (x - xs[-1]) * (ys[-1] - ys[-2]) / (xs[-1] - xs[-2]))
    return float(np.interp(x, xs, ys))


__all__ = ["FOOTPOINT_ALTITUDE", "TiltedDipole", "footpoint_colatitude", "wrap_longitude"]
