"""The air that a body meets: mass density, temperature and mean mass against altitude, and the column above.

Altitude is metres above the ground. Logarithms of density follow a monotone cubic between the levels; beyond the levels
they go on with the slope of the last ones (an exponential atmosphere).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pymsis
from numpy.typing import ArrayLike, NDArray
from scipy import constants as codata
from scipy.interpolate import PchipInterpolator

from siderion.core.constants import BOLTZMANN
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.tables import load_table

from .settings import default_value

Array = NDArray[np.float64]
Source = tuple[str, str, str, str]
"""What, model, confidence, citation."""

_GRAM_PER_MOLE = 1e-3 / codata.Avogadro
_STEP = 250.0
_MSIS_VERSIONS = {"2.1": ("NRLMSIS 2.1", "Emmert et al. 2021, doi:10.1029/2020EA001321; 2022, doi:10.1029/2022JA030896"),
                  "00": ("NRLMSISE-00", "Picone et al. 2002, doi:10.1029/2002JA009430")}  # fmt: skip


@dataclass(frozen=True)
class Atmosphere:
    """A profile of the atmosphere.

    Attributes
    ----------
    name : str
        What it is, in words.
    altitude : array (level,)
        m above the ground, rising.
    mass_density, temperature, mean_mass : array (level,)
        kg m-3, K, kg.
    source : tuple of str
        What, model, confidence (verified, computed, unverified) and citation.
    """

    name: str
    altitude: Array
    mass_density: Array
    temperature: Array
    mean_mass: Array
    source: Source = ("atmosphere", "user's own", "unverified", "user's own")

    def __post_init__(self) -> None:
        """Check the levels."""
        size = len(self.altitude)
        if size < 3 or not (np.diff(self.altitude) > 0.0).all():
            raise DataError(f"atmosphere {self.name}: altitudes must rise and be 3 at least; got {size} levels")
        for name in ("mass_density", "temperature", "mean_mass"):
            values = getattr(self, name)
            if values.shape != (size,) or not (np.isfinite(values).all() and (values > 0.0).all()):
                raise DataError(f"atmosphere {self.name}: {name} must be positive and finite on each of the {size} altitudes")

    @cached_property
    def _log_density(self) -> PchipInterpolator:
        return PchipInterpolator(self.altitude, np.log(self.mass_density), extrapolate=False)

    @cached_property
    def _end_slopes(self) -> tuple[float, float]:
        slope = self._log_density.derivative()
        return float(slope(self.altitude[0])), float(slope(self.altitude[-1]))

    def density_at(self, altitude: ArrayLike) -> Array:
        """Mass density, kg m-3, at altitudes in m; exponential beyond the levels."""
        at = np.asarray(altitude, float)
        low, high = self.altitude[0], self.altitude[-1]
        beyond = np.where(at < low, (at - low) * self._end_slopes[0], np.where(at > high, (at - high) * self._end_slopes[1], 0.0))
        return np.exp(self._log_density(np.clip(at, low, high)) + beyond)

    def temperature_at(self, altitude: ArrayLike) -> Array:
        """Temperature, K, at altitudes in m; constant beyond the levels."""
        return np.interp(np.asarray(altitude, float), self.altitude, self.temperature)

    def mean_mass_at(self, altitude: ArrayLike) -> Array:
        """Mean mass of the particles, kg, at altitudes in m; constant beyond the levels."""
        return np.interp(np.asarray(altitude, float), self.altitude, self.mean_mass)

    def column_above(self, altitude: ArrayLike) -> Array:
        """Vertical mass column above altitudes in m, kg m-2; the part above the levels is that of the exponential."""
        at = np.asarray(altitude, float)
        grid, above = self._columns
        if (at < grid[0]).any():
            raise CoverageError(f"altitude {at.min() / 1e3:g} km lies below the atmosphere {self.name}: {grid[0] / 1e3:g} km")
        inside = np.clip(at, grid[0], grid[-1])
        upper = np.clip(np.searchsorted(grid, inside, side="right"), 1, len(grid) - 1)
        part = _gauss_column(self, inside, grid[upper])
        top = -1.0 / self._end_slopes[1]
        return np.where(at > grid[-1], self.density_at(at) * top, above[upper] + part)

    @cached_property
    def _columns(self) -> tuple[Array, Array]:
        """Fine grid that holds every level, and the column above each of its points."""
        grid = np.unique(np.concatenate([self.altitude, np.arange(self.altitude[0], self.altitude[-1], 2e3)]))
        if self._end_slopes[1] >= 0.0:
            raise DataError(f"atmosphere {self.name}: the density does not fall at the top, so its column has no end")
        parts = _gauss_column(self, grid[:-1], grid[1:])
        tail = -self.mass_density[-1] / self._end_slopes[1]
        return grid, tail + np.concatenate([np.cumsum(parts[::-1])[::-1], [0.0]])

    def kernel_table(self, top: float, temperature: float | None = None) -> tuple[float, float, Array]:
        """Even table for the compiled flight, from the lowest level to ``top`` at least.

        A ``temperature`` (K) takes the place of that of the air: the surroundings that a body radiates to.

        Returns
        -------
        bottom, step : float
            m.
        table : array (point, 3)
            Natural logarithm of the density, its slope (m-1), temperature (K).
        """
        bottom = float(self.altitude[0])
        points = bottom + _STEP * np.arange(int(np.ceil((max(top, bottom + 10.0 * _STEP) - bottom) / _STEP)) + 2)
        inside = np.clip(points, bottom, self.altitude[-1])
        slope = np.where(points > self.altitude[-1], self._end_slopes[1], self._log_density.derivative()(inside))
        kelvin = self.temperature_at(points) if temperature is None else np.full(len(points), temperature)
        columns = (np.log(self.density_at(points)), slope, kelvin)
        return bottom, _STEP, np.ascontiguousarray(np.stack(columns, axis=1))


def _gauss_column(air: Atmosphere, low: Array, high: Array) -> Array:
    """Integral of the density by 8 Gauss points between pairs of altitudes."""
    nodes, weights = np.polynomial.legendre.leggauss(8)
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    return np.asarray((air.density_at(middle[..., None] + half[..., None] * nodes) * weights).sum(axis=-1) * half)


def dry_air_molar_mass() -> float:
    """Molar mass of dry air below 86 km, g mol-1, from ``sources/tables/us_standard_1976_constants.csv``."""
    return float(load_table("sources", "us_standard_1976_constants").set_index("quantity")["value"]["molar_mass_g_mol"])


def standard_atmosphere() -> Atmosphere:
    """US Standard Atmosphere 1976, 0-1000 km: the layers below 86 km by their formulas, the published table above.

    Returns
    -------
    Atmosphere

    References
    ----------
    NOAA, NASA, USAF 1976, U.S. Standard Atmosphere, NOAA-S/T 76-1562.
    """
    fixed = load_table("sources", "us_standard_1976_constants").set_index("quantity")["value"]
    upper = load_table("sources", "us_standard_1976_upper")
    lower = np.arange(0.0, float(upper["altitude_km"][0]) * 1e3, 500.0)
    radius = fixed["earth_radius_m"]
    temperature, pressure = _layers(radius * lower / (radius + lower), fixed)
    mass = fixed["molar_mass_g_mol"] * _GRAM_PER_MOLE
    confidence = "verified" if (upper["confidence"] == "verified").all() else "unverified"
    return Atmosphere(
        "US Standard Atmosphere 1976",
        np.concatenate([lower, upper["altitude_km"].to_numpy(float) * 1e3]),
        np.concatenate([pressure * mass / (BOLTZMANN * temperature), upper["density_kg_m3"].to_numpy(float)]),
        np.concatenate([temperature, upper["temperature_k"].to_numpy(float)]),
        np.concatenate([np.full(lower.size, mass), upper["molar_mass_g_mol"].to_numpy(float) * _GRAM_PER_MOLE]),
        ("atmosphere", "US Standard Atmosphere 1976", confidence, "NOAA-S/T 76-1562 (1976)"),
    )


def _layers(geopotential: Array, fixed: Sequence[float]) -> tuple[Array, Array]:
    """Temperature and pressure at geopotential altitudes (m) within the layers."""
    layers = load_table("sources", "us_standard_1976_layers")
    bases, starts, gradients = (layers[key].to_numpy(float) for key in ("base_km", "temperature_k", "gradient_k_per_m"))
    bases = bases * 1e3
    weight = fixed["molar_mass_g_mol"] * _GRAM_PER_MOLE * fixed["gravity_m_s2"] / BOLTZMANN  # type: ignore[call-overload]
    base_pressure = [fixed["pressure_pa"]]  # type: ignore[call-overload]
    for k in range(len(bases) - 1):
        base_pressure.append(_hydrostatic(base_pressure[k], starts[k], gradients[k], bases[k + 1] - bases[k], weight))
    which = np.clip(np.searchsorted(bases, geopotential, side="right") - 1, 0, len(bases) - 1)
    height = geopotential - bases[which]
    pressure = [
        _hydrostatic(base_pressure[k], starts[k], gradients[k], rise, weight) for k, rise in zip(which, height, strict=True)
    ]
    return starts[which] + gradients[which] * height, np.array(pressure)


def _hydrostatic(pressure: float, temperature: float, gradient: float, rise: float, weight: float) -> float:
    """Pressure a rise above a level, in a layer of constant temperature gradient."""
    if gradient == 0.0:
        return float(pressure * np.exp(-weight * rise / temperature))
    return float(pressure * (1.0 + gradient * rise / temperature) ** (-weight / gradient))


def exponential_atmosphere(
    surface_density: float, scale_height: float, temperature: float | None = None, molar_mass: float | None = None
) -> Atmosphere:
    """An exponential atmosphere, for tests and estimates.

    Parameters
    ----------
    surface_density : float
        Density at 0 m, kg m-3.
    scale_height : float
        m.
    temperature : float
        K, the same everywhere; that of ``sources/tables/ablation.csv`` without it.
    molar_mass : float
        g mol-1; that of dry air without it.

    Returns
    -------
    Atmosphere

    Raises
    ------
    SettingsError
        A number is not positive and finite.
    """
    warmth = default_value("exponential_temperature") if temperature is None else temperature
    weight = dry_air_molar_mass() if molar_mass is None else molar_mass
    numbers = {"density": surface_density, "scale height": scale_height, "temperature": warmth, "molar mass": weight}
    for name, value in numbers.items():
        if not 0.0 < value < np.inf:
            raise SettingsError(f"{name} of the exponential atmosphere is {value}; it must be positive and finite")
    altitude = np.linspace(0.0, 200e3, 21)
    density = surface_density * np.exp(-altitude / scale_height)
    name = f"exponential, {surface_density:g} kg m-3 at 0 km, scale height {scale_height / 1e3:g} km"
    shape = np.ones(altitude.size)
    source = ("atmosphere", name, "computed", "user's own")
    return Atmosphere(name, altitude, density, shape * warmth, shape * weight * _GRAM_PER_MOLE, source)


def msis_atmosphere(
    time: str | np.datetime64,
    latitude: float,
    longitude: float,
    f107: float = 150.0,
    f107a: float | None = None,
    ap: float = 4.0,
    version: str = "2.1",
) -> Atmosphere:
    """Profile of NRLMSIS at one time and place, 0-600 km.

    Parameters
    ----------
    time : datetime64 or ISO text
        UTC.
    latitude, longitude : float
        degrees (geodetic).
    f107, f107a : float
        F10.7 of the day before and its 81-day mean, sfu; the mean is that of the day without it.
    ap : float
        Daily ap index.
    version : {"2.1", "00"}
        NRLMSIS 2.1 or NRLMSISE-00.

    Returns
    -------
    Atmosphere

    Raises
    ------
    SettingsError
        A number or the version is out of range.
    """
    moment = _checked_place(time, latitude, longitude, f107, ap, version)
    model, citation = _MSIS_VERSIONS[version]
    altitude, profile = _msis_profiles(np.array([moment]), np.array([latitude]), np.array([longitude]), f107, f107a, ap, version)
    name = f"{model}, {np.datetime_as_string(moment, unit='m')} UTC, {latitude:g} N, {longitude:g} E, F10.7 {f107:g}, ap {ap:g}"
    density, temperature, mean_mass = profile[0]
    return Atmosphere(name, altitude, density, temperature, mean_mass, ("atmosphere", name, "verified", citation))


def mean_atmosphere(
    f107: float = 150.0, f107a: float | None = None, ap: float = 4.0, version: str = "2.1", year: int = 2020
) -> Atmosphere:
    """Global and seasonal mean of NRLMSIS: 4 seasons, 5 bands of latitude of equal area, 2 longitudes, 0-600 km.

    Densities are averaged as such; temperature and mean mass are weighted with the density.

    Parameters
    ----------
    f107, f107a, ap, version
        As in `msis_atmosphere`.
    year : int
        Year of the seasons.

    Returns
    -------
    Atmosphere
    """
    moments = np.array([f"{year}-{month:02d}-21T00" for month in (3, 6, 9, 12)], dtype="datetime64[ns]")
    _checked_place(moments[0], 0.0, 0.0, f107, ap, version)
    latitudes = np.degrees(np.arcsin((np.arange(5) + 0.5) / 2.5 - 1.0))
    times, lats, lons = (one.ravel() for one in np.meshgrid(moments, latitudes, [0.0, 180.0], indexing="ij"))
    altitude, profiles = _msis_profiles(times, lats, lons, f107, f107a, ap, version)
    density = profiles[:, 0].mean(axis=0)
    temperature, mean_mass = ((profiles[:, k] * profiles[:, 0]).mean(axis=0) / density for k in (1, 2))
    model, citation = _MSIS_VERSIONS[version]
    name = f"{model}, mean of 4 seasons and all latitudes, F10.7 {f107:g}, ap {ap:g}"
    return Atmosphere(name, altitude, density, temperature, mean_mass, ("atmosphere", name, "verified", citation))


def _checked_place(
    time: str | np.datetime64, latitude: float, longitude: float, f107: float, ap: float, version: str
) -> np.datetime64:
    """The time; raises `SettingsError` for what NRLMSIS cannot be asked."""
    if version not in _MSIS_VERSIONS:
        raise SettingsError(f"version of NRLMSIS is {version!r}; use one of {sorted(_MSIS_VERSIONS)}")
    if not (-90.0 <= latitude <= 90.0 and -360.0 <= longitude <= 360.0):
        raise SettingsError(f"latitude {latitude}, longitude {longitude}: give degrees, -90 to 90 and -360 to 360")
    if not (0.0 < f107 < 500.0 and 0.0 <= ap <= 400.0):
        raise SettingsError(f"F10.7 {f107}, ap {ap}: F10.7 must be above 0 and below 500 sfu, ap 0 to 400")
    try:
        moment = np.datetime64(str(time), "ns")
    except ValueError:
        raise SettingsError(f"date {time!r} is no time; write it as 2020-03-21 or 2020-03-21T12:00 (UTC)") from None
    if np.isnat(moment):
        raise SettingsError("date is missing; write it as 2020-03-21 or 2020-03-21T12:00 (UTC)")
    return moment


def _msis_profiles(
    times: NDArray[np.datetime64], lats: Array, lons: Array, f107: float, f107a: float | None, ap: float, version: str
) -> tuple[Array, Array]:
    """Altitudes (m) and (point, [density, temperature, mean mass], level) of NRLMSIS."""
    kilometres = np.concatenate([np.arange(0.0, 140.0, 1.0), np.arange(140.0, 601.0, 5.0)])
    shape = (len(times), len(kilometres))
    times, lats, lons, alts = (
        np.broadcast_to(one, shape).ravel() for one in (times[:, None], lats[:, None], lons[:, None], kilometres)
    )
    count = times.size
    mean = f107 if f107a is None else f107a
    raw = pymsis.calculate(
        times,
        lons,
        lats,
        alts,
        np.full(count, f107),
        np.full(count, mean),
        np.full((count, 7), ap),
        version=version.lstrip("0") or "0",
    ).reshape(*shape, -1)
    density = raw[..., pymsis.Variable.MASS_DENSITY]
    names = (pymsis.Variable.N2, pymsis.Variable.O2, pymsis.Variable.O, pymsis.Variable.HE,
             pymsis.Variable.H, pymsis.Variable.AR, pymsis.Variable.N)  # fmt: skip
    number = sum(np.nan_to_num(raw[..., name]) for name in names)
    return kilometres * 1e3, np.stack([density, raw[..., pymsis.Variable.TEMPERATURE], density / number], axis=1)
