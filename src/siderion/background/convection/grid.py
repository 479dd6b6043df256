"""What the convection potential models share: coordinates, the taper, the pole, the grid for the drivers.

Coordinates, the same in both hemispheres: ``colatitude = 90 - |magnetic latitude|``, counted from the nearer
magnetic pole, and ``phi = 15 degrees * magnetic local time`` (0 at midnight, 90 at dawn, 180 at noon, 270 at
dusk).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import xarray as xr
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.tables import load_table
from siderion.core.variables import get_variable

Array = NDArray[np.float64]
Hemisphere = Literal["north", "south"]

_RANGES = {
    "imf_by": (-200.0, 200.0, "nT"),
    "imf_bz": (-200.0, 200.0, "nT"),
    "solar_wind_speed": (100.0, 3000.0, "km s-1"),
    "solar_wind_density": (0.0, 500.0, "cm-3"),
    "dipole_tilt": (-40.0, 40.0, "degrees"),
    "f107": (50.0, 600.0, "1e-22 W m-2 Hz-1"),
    "kp": (0.0, 9.0, "1"),
}
"""Values outside are not nature but fill values (999.9, 9999, -1) or a wrong unit."""


def check_conditions(**conditions: float) -> None:
    """Raise `DataError` for a missing value, a fill value or a value in a wrong unit among the driving
    conditions."""
    for name, value in conditions.items():
        low, high, unit = _RANGES[name]
        if not low <= value <= high:
            raise DataError(
                f"{name} is {value} {unit}; a convection potential needs a finite value from {low:g} to "
                f"{high:g}; fill the gap in the solar wind data or leave this time out"
            )


def check_hemisphere(hemisphere: str) -> Hemisphere:
    """Return the hemisphere, or raise `SettingsError` when it is neither ``"north"`` nor ``"south"``."""
    if hemisphere == "north":
        return "north"
    if hemisphere == "south":
        return "south"
    raise SettingsError(f"hemisphere is {hemisphere!r}; use 'north' or 'south'")


@cache
def model_numbers(model: str) -> dict[str, float]:
    """Numbers of one model from ``tables/convection.csv`` by name."""
    table = load_table("background", "convection")
    rows = table[table["model"] == model]
    return dict(zip(rows["name"], rows["value"].astype(float), strict=True))


def smooth_step(position: Array) -> tuple[Array, Array]:
    """Step from 0 (position <= 0) to 1 (position >= 1) with two continuous derivatives, and its first
    derivative."""
    x = np.clip(position, 0.0, 1.0)
    return x**3 * (10.0 + x * (6.0 * x - 15.0)), 30.0 * (x * (1.0 - x)) ** 2


def taper(colatitude: Array) -> tuple[Array, Array]:
    """Factor that takes a potential to zero between 54 and 47 degrees of magnetic latitude.

    Parameters
    ----------
    colatitude : array
        Colatitude from the nearer pole, rad.

    Returns
    -------
    factor, derivative : array
        Factor from 1 (poleward of 54 degrees) to 0 (equatorward of 47), and its derivative, rad-1.
    """
    numbers = model_numbers("common")
    width = np.deg2rad(numbers["taper_latitude"] - numbers["zero_latitude"])
    factor, slope = smooth_step((outer_colatitude() - colatitude) / width)
    return factor, -slope / width


def outer_colatitude() -> float:
    """Colatitude where the taper reaches zero, rad."""
    return float(np.deg2rad(90.0 - model_numbers("common")["zero_latitude"]))


class ConvectionModel(ABC):
    """A convection potential for one hemisphere and one set of conditions.

    Attributes
    ----------
    hemisphere : str
        ``"north"`` or ``"south"``.
    citation : str
        Where the model is published.
    frame : str
        Frame of reference of the electric field.
    coordinates : str
        Magnetic coordinates that the model was made in.
    """

    hemisphere: Hemisphere
    citation: str
    frame: str
    coordinates: str

    @abstractmethod
    def _untapered_potential(self, colatitude: Array, phi: Array) -> Array:
        """Potential in V; finite everywhere, arguments in rad."""

    @abstractmethod
    def _untapered_gradient(self, colatitude: Array, phi: Array) -> tuple[Array, Array]:
        """Derivatives as in `gradient`, V rad-1; finite everywhere, arguments in rad."""

    def potential(self, magnetic_latitude: ArrayLike, magnetic_local_time: ArrayLike) -> Array:
        """Electric potential, tapered to zero between 54 and 47 degrees.

        Parameters
        ----------
        magnetic_latitude : array
            Degrees, negative in the south; broadcast against the local time.
        magnetic_local_time : array
            Hours; any real number, periodic in 24.

        Returns
        -------
        array
            V, shape of the broadcast arguments. Zero equatorward of 47 degrees, in the other hemisphere too.

        Raises
        ------
        DataError
            A coordinate is not finite, or a latitude lies outside -90 to 90.
        CoverageError
            A point lies poleward of 47 degrees in the other hemisphere.
        """
        colatitude, phi = self._coordinates(magnetic_latitude, magnetic_local_time)
        return taper(colatitude)[0] * self._untapered_potential(colatitude, phi)

    def gradient(self, magnetic_latitude: ArrayLike, magnetic_local_time: ArrayLike) -> tuple[Array, Array]:
        """Gradient of the tapered potential on the unit sphere.

        Parameters and errors as in `potential`.

        Returns
        -------
        by_colatitude, by_phi : array
            dPhi/dcolatitude and (1/sin colatitude) dPhi/dphi, V rad-1. At the pole they are the components,
            along the meridian of the given local time and 90 degrees ahead of it, of one and the same vector.
        """
        colatitude, phi = self._coordinates(magnetic_latitude, magnetic_local_time)
        factor, slope = taper(colatitude)
        by_colatitude, by_phi = self._untapered_gradient(colatitude, phi)
        return factor * by_colatitude + slope * self._untapered_potential(colatitude, phi), factor * by_phi

    def _coordinates(self, magnetic_latitude: ArrayLike, magnetic_local_time: ArrayLike) -> tuple[Array, Array]:
        latitude = np.asarray(magnetic_latitude, dtype=float)
        local_time = np.asarray(magnetic_local_time, dtype=float)
        bad = ~(np.abs(latitude) <= 90.0)
        if bad.any():
            where = f"{latitude[bad][0]} at flat index {bad.argmax()}"
            raise DataError(f"magnetic_latitude is {where}; it must be from -90 to 90 degrees")
        bad = ~np.isfinite(local_time)
        if bad.any():
            where = f"{local_time[bad][0]} at flat index {bad.argmax()}"
            raise DataError(f"magnetic_local_time is {where}; it must be a finite number of hours")
        edge = model_numbers("common")["zero_latitude"]
        foreign = -latitude if self.hemisphere == "north" else latitude
        if (foreign > edge).any():
            raise CoverageError(
                f"magnetic_latitude {latitude[foreign > edge][0]} is beyond {edge:g} degrees in the other "
                f"hemisphere of this {self.hemisphere}ern potential; build a second model for that hemisphere"
            )
        return np.deg2rad(90.0 - np.abs(latitude)), np.deg2rad(15.0 * local_time)


@dataclass(frozen=True)
class OffsetPole:
    """Spherical coordinates about a centre a little off the magnetic pole.

    Attributes
    ----------
    towards_midnight, towards_dawn : float
        Position of the centre, rad from the magnetic pole towards 0 and 6 h of local time. The frame is
        turned onto the centre by the shortest rotation.
    """

    towards_midnight: float
    towards_dawn: float

    @property
    def _rotation(self) -> Array:
        """Rows: the unit vectors of the turned frame, in the magnetic frame."""
        angle = np.hypot(self.towards_midnight, self.towards_dawn)
        if angle == 0.0:
            return np.eye(3)
        x, y = self.towards_midnight / angle, self.towards_dawn / angle
        cos, sin = np.cos(angle), np.sin(angle)
        return np.array(
            [
                [1.0 - (1.0 - cos) * x * x, -(1.0 - cos) * x * y, -sin * x],
                [-(1.0 - cos) * x * y, 1.0 - (1.0 - cos) * y * y, -sin * y],
                [sin * x, sin * y, cos],
            ]
        )

    def transform(self, colatitude: Array, phi: Array) -> tuple[Array, Array]:
        """Colatitude and azimuth (rad) about the centre of points given about the magnetic pole."""
        x, y, z = np.tensordot(self._rotation, _position(colatitude, phi), axes=1)
        return np.arctan2(np.hypot(x, y), z), np.arctan2(y, x)

    def gradient_back(
        self, points: tuple[Array, Array], own_points: tuple[Array, Array], own_gradient: tuple[Array, Array]
    ) -> tuple[Array, Array]:
        """Turn a gradient about the centre into the components about the magnetic pole.

        Parameters
        ----------
        points, own_points : tuple of array
            Colatitude and azimuth, rad, about the magnetic pole and about the centre (from `transform`).
        own_gradient : tuple of array
            Components towards larger colatitude and azimuth about the centre.
        """
        colatitude, phi = np.broadcast_arrays(*points)
        own = own_gradient[0] * _southward(*own_points) + own_gradient[1] * _eastward(own_points[1])
        vector = np.tensordot(self._rotation.T, own, axes=1)
        return (vector * _southward(colatitude, phi)).sum(axis=0), (vector * _eastward(phi)).sum(axis=0)


def _stack(*components: Array) -> Array:
    return np.stack(np.broadcast_arrays(*components))


def _position(colatitude: Array, phi: Array) -> Array:
    sin = np.sin(colatitude)
    return _stack(sin * np.cos(phi), sin * np.sin(phi), np.cos(colatitude))


def _southward(colatitude: Array, phi: Array) -> Array:
    cos = np.cos(colatitude)
    return _stack(cos * np.cos(phi), cos * np.sin(phi), -np.sin(colatitude))


def _eastward(phi: Array) -> Array:
    return _stack(-np.sin(phi), np.cos(phi), np.zeros_like(phi))


@dataclass(frozen=True)
class AzimuthalExpansion:
    """A function on a polar cap as a sum over few azimuthal orders, smooth at the pole by construction.

    ``sum_m sin^m(colatitude) [C_m(x) cos(m phi) + S_m(x) sin(m phi)]`` with ``x = sin^2(colatitude / 2)`` and
    C, S Chebyshev series in x. Spherical harmonics of integer degree are polynomials in x after division by
    sin^m, so they are represented exactly.

    Attributes
    ----------
    coefficients : array
        Chebyshev coefficients, shape (terms, 2, orders); the second index is cosine, sine.
    limit : float
        Largest colatitude of the cap, rad. Points beyond it are evaluated at the limit.
    """

    coefficients: Array
    limit: float

    @staticmethod
    def nodes(terms: int, limit: float) -> Array:
        """Values of x at which `from_samples` wants the profiles, shape (terms,)."""
        return 0.5 * np.sin(0.5 * limit) ** 2 * (1.0 + chebyshev.chebpts1(terms))

    @classmethod
    def from_samples(cls, samples: Array, limit: float) -> AzimuthalExpansion:
        """Build the expansion from the profiles C and S at the nodes, shape (terms, 2, orders)."""
        terms = len(samples)
        basis = chebyshev.chebvander(chebyshev.chebpts1(terms), terms - 1)
        coefficients = np.tensordot(basis.T, samples, axes=1) * (2.0 / terms)
        coefficients[0] *= 0.5
        return cls(coefficients, limit)

    def value(self, colatitude: Array, phi: Array) -> Array:
        """The function at points in rad, broadcast."""
        colatitude = np.minimum(colatitude, self.limit)
        profiles, _ = self._profiles(colatitude, derivative=False)
        sin = np.sin(colatitude)
        total: Array = np.zeros(np.broadcast_shapes(colatitude.shape, phi.shape))
        for m in range(self.coefficients.shape[2]):
            total = total + sin**m * (profiles[0, m] * np.cos(m * phi) + profiles[1, m] * np.sin(m * phi))
        return total

    def gradient(self, colatitude: Array, phi: Array) -> tuple[Array, Array]:
        """Derivative by colatitude and (1/sin colatitude) times the derivative by phi, per rad; finite at the
        pole."""
        colatitude = np.minimum(colatitude, self.limit)
        profiles, slopes = self._profiles(colatitude, derivative=True)
        sin, cos = np.sin(colatitude), np.cos(colatitude)
        by_colatitude: Array = np.zeros(np.broadcast_shapes(colatitude.shape, phi.shape))
        by_phi = by_colatitude
        for m in range(self.coefficients.shape[2]):
            along, across = np.cos(m * phi), np.sin(m * phi)
            radial = 0.5 * sin ** (m + 1) * slopes[:, m]
            if m > 0:
                lowered = m * sin ** (m - 1) * profiles[:, m]
                radial = radial + cos * lowered
                by_phi = by_phi + lowered[1] * along - lowered[0] * across
            by_colatitude = by_colatitude + radial[0] * along + radial[1] * across
        return by_colatitude, by_phi

    def _profiles(self, colatitude: Array, derivative: bool) -> tuple[Array, Array]:
        # A latitude-time grid repeats each latitude many times: evaluate each only once.
        unique, inverse = np.unique(colatitude.ravel(), return_inverse=True)
        width = np.sin(0.5 * self.limit) ** 2
        position = 2.0 * np.sin(0.5 * unique) ** 2 / width - 1.0

        def expand(coefficients: Array) -> Array:
            values = chebyshev.chebval(position, coefficients)[..., inverse.ravel()]
            return values.reshape(*coefficients.shape[1:], *colatitude.shape)

        slopes = expand(chebyshev.chebder(self.coefficients, scl=2.0 / width)) if derivative else np.empty(0)
        return expand(self.coefficients), slopes


def potential_grid(model: ConvectionModel, magnetic_latitude: ArrayLike, magnetic_local_time: ArrayLike) -> xr.Dataset:
    """Potential of a model on a grid of magnetic latitude and local time, for the drivers.

    Parameters
    ----------
    model : ConvectionModel
        One of the models of this package.
    magnetic_latitude : array, shape (latitude,)
        Degrees, negative in the south.
    magnetic_local_time : array, shape (local time,)
        Hours.

    Returns
    -------
    xarray.Dataset
        ``electric_potential`` (magnetic_latitude, magnetic_local_time) in V, taper included; the citation,
        frame, coordinates and hemisphere of the model are its attributes.

    Raises
    ------
    DataError, CoverageError
        As `ConvectionModel.potential`.
    """
    latitude = np.asarray(magnetic_latitude, dtype=float)
    local_time = np.asarray(magnetic_local_time, dtype=float)
    if latitude.ndim != 1 or local_time.ndim != 1:
        raise DataError(
            f"potential_grid needs two axes of one dimension; they have shapes {latitude.shape} and "
            f"{local_time.shape}; give one latitude axis and one local time axis"
        )
    values = model.potential(latitude[:, np.newaxis], local_time)
    names = ("magnetic_latitude", "magnetic_local_time")
    dataset = xr.Dataset(
        {"electric_potential": (names, values, get_variable("electric_potential").attributes)},
        coords={
            names[0]: (names[0], latitude, {"units": "degrees", "long_name": "magnetic latitude"}),
            names[1]: (names[1], local_time, {"units": "h", "long_name": "magnetic local time"}),
        },
    )
    dataset["electric_potential"].attrs.update(
        citation=model.citation,
        frame=model.frame,
        coordinates_system=model.coordinates,
        hemisphere=model.hemisphere,
    )
    return dataset
