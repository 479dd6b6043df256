"""Neutral wind of the thermosphere, driven by pressure and ion drag.

Solves the horizontal momentum equation in every column of a coarse grid (after Kohl and King 1967,
doi:10.1016/0021-9169(67)90139-0):

dU/dt + (U . grad) U = -grad(p)/rho - 2 Omega x U + nu_ni (Vi - U) + (1/rho) d/dz(mu dU/dz) + friction

Left out: vertical advection, horizontal viscosity, and the tides below about 130 km, which the friction towards the
daily mean balanced wind removes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import xarray as xr

from siderion.core.constants import BOLTZMANN, EARTH_RADIUS, EARTH_ROTATION_RATE
from siderion.core.errors import CoverageError, DataError, NumericalError, SettingsError
from siderion.core.tables import load_table
from siderion.core.variables import with_attributes

from .wind_kernels import advance_columns, advect_momentum

_DAY = 86400.0
_SPEED_LIMIT = 3000.0
"""m s-1; far above any thermospheric wind, so only a failing calculation gets there."""
_EQUATORIAL_LATITUDE = 15.0
"""degrees; nearer to the equator the balanced wind uses the Coriolis parameter of this latitude."""


@cache
def _number(name: str) -> float:
    table = load_table("background", "wind").set_index("name")
    return float(table.loc[name, "value"])


@dataclass(frozen=True)
class WindForcing:
    """Fields that drive the neutral wind, on the grid and at the times of the drivers.

    Attributes
    ----------
    time : datetime64[ns] array (time,)
        UTC, uniform, hourly as a rule.
    altitude : float array (alt,)
        km, increasing, any spacing.
    latitude, longitude : float array (lat,), (lon,)
        Cell centres, degrees, uniform and increasing. The longitudes close the circle, in an even number. A row half a
        spacing away from a pole touches it; any other end of the latitudes is an open edge.
    pressure, mass_density, temperature : float array (time, alt, lat, lon)
        Of the neutral gas, Pa, kg m-3, K.
    ion_friction : float array (time, alt, lat, lon)
        Sum over the ions of n_i m_i nu_in, kg m-3 s-1.

    Raises
    ------
    DataError
        A shape, a coordinate or a value breaks the rules above.
    """

    time: np.ndarray
    altitude: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    pressure: np.ndarray
    mass_density: np.ndarray
    temperature: np.ndarray
    ion_friction: np.ndarray

    def __post_init__(self) -> None:
        """Check coordinates and values."""
        _check_coordinates(self)
        _check_fields(self)

    @classmethod
    def from_composition(
        cls,
        time: np.ndarray,
        altitude: np.ndarray,
        latitude: np.ndarray,
        longitude: np.ndarray,
        number_density: Mapping[str, np.ndarray],
        mass: Mapping[str, float],
        temperature: np.ndarray,
        ion_friction: np.ndarray,
    ) -> WindForcing:
        """Build the forcing from number densities (m-3) and masses (kg) of the neutral species.

        Pressure is that of an ideal gas, p = n k T. The other arguments are those of the class.
        """
        if absent := sorted(set(number_density) - set(mass)):
            raise DataError(f"wind forcing: no mass for {absent}; name the mass of every species, in kg")
        total, density = np.zeros(np.shape(temperature)), np.zeros(np.shape(temperature))
        for name, values in number_density.items():
            total += values
            density += mass[name] * np.asarray(values, float)
        pressure = total * BOLTZMANN * temperature
        return cls(time, altitude, latitude, longitude, pressure, density, temperature, ion_friction)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Sizes (alt, lat, lon)."""
        return len(self.altitude), len(self.latitude), len(self.longitude)

    @property
    def interval(self) -> float:
        """Seconds between two times."""
        return float((self.time[1] - self.time[0]) / np.timedelta64(1, "ns")) * 1e-9

    @property
    def poles(self) -> tuple[bool, bool]:
        """Whether the first row touches the south pole, and the last the north pole."""
        half = 0.5 * (self.latitude[1] - self.latitude[0])
        return abs(self.latitude[0] - half + 90.0) < 1e-6, abs(self.latitude[-1] + half - 90.0) < 1e-6


class IonDrift(NamedTuple):
    """Ion velocity as a linear function of the neutral wind: V = constant + linear U.

    Attributes
    ----------
    east, north : float array (alt, lat, lon) or broadcastable
        Part that does not depend on the wind, m s-1.
    linear : float array (2, 2, alt, lat, lon), optional
        Matrix in (east, north), without units. None: the ions do not follow the wind.
    """

    east: np.ndarray | float
    north: np.ndarray | float
    linear: np.ndarray | None = None


IonVelocity = Callable[[np.datetime64, np.ndarray, np.ndarray], IonDrift]
"""Ion velocity at a time, for the present eastward and northward wind (alt, lat, lon) in m s-1."""


@dataclass(frozen=True)
class WindSettings:
    """Numerical and physical choices of the wind solver.

    Attributes
    ----------
    step : float
        Time step of the columns, s.
    update_interval : float
        Time between updates of ion velocity, coefficients and momentum advection, s; a multiple of ``step``.
    output_interval : float
        Time between stored winds, s; a multiple of ``update_interval``.
    spin_up : float
        Hours calculated before the period asked for, from rest.
    advection, friction : bool
        Momentum advection; friction towards the daily mean balanced wind.
    wind_scale : float
        Factor on the stored wind. 0.6 comes near the winds of GAIA: a sensitivity run, not physics.
    """

    step: float = 60.0
    update_interval: float = 600.0
    output_interval: float = 1800.0
    spin_up: float = 48.0
    advection: bool = True
    friction: bool = True
    wind_scale: float = 1.0

    def __post_init__(self) -> None:
        """Check that the intervals divide one another."""
        pairs = (("update_interval", "step"), ("output_interval", "update_interval"))
        for long, short in pairs:
            ratio = getattr(self, long) / getattr(self, short) if getattr(self, short) > 0 else 0.0
            if ratio < 1 or abs(ratio - round(ratio)) > 1e-9:
                raise SettingsError(
                    f"wind settings: {long} = {getattr(self, long):g} s is no whole multiple of "
                    f"{short} = {getattr(self, short):g} s; choose intervals that divide one another"
                )
        if not (np.isfinite(self.spin_up) and self.spin_up >= 0):
            raise SettingsError(f"wind settings: spin_up = {self.spin_up} h; it must be zero or more")
        if not (np.isfinite(self.wind_scale) and self.wind_scale >= 0):
            raise SettingsError(f"wind settings: wind_scale = {self.wind_scale}; it must be zero or more")


def solve_wind(
    forcing: WindForcing,
    ion_velocity: IonVelocity,
    start: np.datetime64,
    end: np.datetime64,
    settings: WindSettings | None = None,
    progress: Callable[[float], None] | None = None,
) -> xr.Dataset:
    """Solve for the neutral wind from ``start`` to ``end``, after a spin-up from rest.

    Equation: see the module. Columns: ARS(2,2,2), implicit in viscosity, Coriolis force, friction and the isotropic
    part of the ion drag. Advection: semi-Lagrangian. Both are split at ``settings.update_interval``.

    Parameters
    ----------
    forcing : WindForcing
        Must cover ``start`` less the spin-up to ``end``, and reach 400 km.
    ion_velocity : callable
        Called once per update interval, for its middle, with the wind at its start.
    start, end : datetime64
        Period of the output, UTC, both included; a whole number of output intervals apart.
    settings : WindSettings, optional
    progress : callable, optional
        Called with the finished fraction after every output interval.

    Returns
    -------
    xarray.Dataset
        ``neutral_wind_east``, ``neutral_wind_north`` (wind_time, alt, lat, lon), m s-1.

    Raises
    ------
    CoverageError
        The forcing ends too early, starts too late, is shorter than the day of the friction, or its top is too low.
    SettingsError
        The period is no whole number of output intervals.
    DataError
        The ion velocity has holes or the wrong shape.
    NumericalError
        The wind left the finite range or exceeds 3000 m/s.
    """
    settings = settings or WindSettings()
    _check_period(forcing, start, end, settings)
    first = start - _duration(settings.spin_up * 3600.0)
    blocks = round((end - first) / _duration(settings.update_interval))
    skipped = round((start - first) / _duration(settings.update_interval))
    every = round(settings.output_interval / settings.update_interval)
    fields = _Fields(forcing, settings.friction)
    wind = np.zeros(forcing.shape, np.complex128)
    stored = []
    for block in range(blocks + 1):
        time = first + block * _duration(settings.update_interval)
        if (block - skipped) % every == 0:
            _check_wind(wind, time, forcing)
            if block >= skipped:
                stored.append((time, wind.copy()))
            if progress is not None:
                progress(block / max(blocks, 1))
        if block < blocks:
            wind = _advance(wind, fields, ion_velocity, time, settings)
    return _dataset(forcing, stored, settings)


def pressure_acceleration(
    pressure: np.ndarray,
    mass_density: np.ndarray,
    altitude: np.ndarray,
    latitude: np.ndarray,
    longitude: np.ndarray,
    poles: tuple[bool, bool],
) -> np.ndarray:
    """Acceleration -grad(p)/rho on the sphere, from centred differences of ln p.

    Parameters
    ----------
    pressure, mass_density : float array (alt, lat, lon)
        Pa, kg m-3.
    altitude, latitude, longitude : float array
        Grid of `WindForcing`, km and degrees.
    poles : tuple of bool
        Whether the first and the last row touch a pole; their neighbour is then the row on the opposite meridian. An
        open edge takes a one-sided difference of second order.

    Returns
    -------
    complex array (alt, lat, lon)
        Eastward plus i times northward, m s-2.
    """
    logarithm = np.log(pressure)
    opposite = np.roll(logarithm, len(longitude) // 2, axis=2)
    low = opposite[:, :1] if poles[0] else _beyond(logarithm[:, :3])
    high = opposite[:, -1:] if poles[1] else _beyond(logarithm[:, :-4:-1])
    padded = np.concatenate([low, logarithm, high], axis=1)
    lat_step, lon_step = np.radians(latitude[1] - latitude[0]), np.radians(longitude[1] - longitude[0])
    radius = (EARTH_RADIUS + 1e3 * altitude)[:, None, None]
    north = (padded[:, 2:] - padded[:, :-2]) / (2 * lat_step * radius)
    turned = np.roll(logarithm, -1, axis=2) - np.roll(logarithm, 1, axis=2)
    east = turned / (2 * lon_step * radius * np.cos(np.radians(latitude))[:, None])
    return -(pressure / mass_density) * (east + 1j * north)


def balanced_wind(acceleration: np.ndarray, altitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """Wind in balance with a pressure acceleration: gradient wind of the zonal mean, geostrophic wind of the rest.

    The zonal mean obeys tan(lat)/r U^2 + f U = G (Holton 2004, An Introduction to Dynamic Meteorology, section 3.2);
    where it has no solution, the wind of vanishing root is taken. Within 15 degrees of the equator the Coriolis
    parameter of that latitude is used.

    Parameters
    ----------
    acceleration : complex array (alt, lat, lon)
        Eastward plus i times northward, m s-2.
    altitude, latitude : float array
        km, degrees.

    Returns
    -------
    complex array (alt, lat, lon)
        m s-1.
    """
    sign = np.where(latitude < 0, -1.0, 1.0)[:, None]
    size = np.maximum(np.abs(latitude), _EQUATORIAL_LATITUDE)
    coriolis = (2 * EARTH_ROTATION_RATE * np.sin(np.radians(size)))[:, None]
    radius = (EARTH_RADIUS + 1e3 * altitude)[:, None, None]
    curvature = np.tan(np.radians(np.abs(latitude)))[:, None] / radius
    mean = acceleration.imag.mean(axis=2, keepdims=True)
    poleward = sign * mean
    root = np.sqrt(np.maximum(coriolis**2 + 4 * curvature * poleward, 0.0))
    zonal = 2 * poleward / (coriolis + root)
    return zonal - 1j * (acceleration - 1j * mean) / (sign * coriolis)


def viscosity(temperature: np.ndarray) -> np.ndarray:
    """Dynamic viscosity of the thermosphere, kg m-1 s-1, at a temperature in K: coefficient (T/1000)^exponent."""
    return _number("viscosity_coefficient") * (temperature / 1000.0) ** _number("viscosity_exponent")


def friction_rate(altitude: np.ndarray) -> np.ndarray:
    """Rate of the friction towards the daily mean balanced wind, s-1, at altitudes in km."""
    above = np.maximum(altitude - _number("friction_top"), 0.0)
    return np.exp(-above / _number("friction_scale")) / _number("friction_time")


def exchange_rates(
    altitude: np.ndarray, mass_density: np.ndarray, dynamic_viscosity: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rates of momentum exchange with the level below and above by viscosity, s-1.

    Finite volumes around the levels, closed at both ends (zero gradient), conserving momentum on any spacing.

    Parameters
    ----------
    altitude : float array (alt,)
        km.
    mass_density, dynamic_viscosity : float array (alt, ...)
        kg m-3, kg m-1 s-1.

    Returns
    -------
    lower, upper : float array (alt, ...)
        Coefficients of U[k-1] - U[k] and U[k+1] - U[k].
    """
    extra = (1,) * (mass_density.ndim - 1)
    spacing = 1e3 * np.diff(altitude).reshape(-1, *extra)
    thickness = np.zeros((len(altitude), *extra))
    thickness[:-1] += 0.5 * spacing
    thickness[1:] += 0.5 * spacing
    conductance = 0.5 * (dynamic_viscosity[:-1] + dynamic_viscosity[1:]) / spacing
    lower, upper = np.zeros_like(mass_density), np.zeros_like(mass_density)
    upper[:-1] = conductance
    lower[1:] = conductance
    inertia = mass_density * thickness
    return lower / inertia, upper / inertia


class _Hour(NamedTuple):
    acceleration: np.ndarray
    density: np.ndarray
    viscosity: np.ndarray
    ion_friction: np.ndarray
    target: np.ndarray


class _Fields:
    """Forcing at any time, linear between the times of the drivers; keeps only the two times in use."""

    def __init__(self, forcing: WindForcing, friction: bool) -> None:
        self.forcing = forcing
        self.rate = friction_rate(forcing.altitude) if friction else np.zeros(len(forcing.altitude))
        self.rate = self.rate[:, None, None]
        self.friction = friction
        self._hours: dict[int, _Hour] = {}

    def at(self, time: np.datetime64) -> _Hour:
        position = (time - self.forcing.time[0]) / _duration(self.forcing.interval)
        left = min(max(int(position), 0), len(self.forcing.time) - 2)
        self._hours = {i: self._hours.get(i) or self._hour(i) for i in (left, left + 1)}
        share = position - left
        pairs = zip(self._hours[left], self._hours[left + 1], strict=True)
        return _Hour(*((1 - share) * a + share * b for a, b in pairs))

    def _hour(self, index: int) -> _Hour:
        forcing = self.forcing
        grid = (forcing.altitude, forcing.latitude, forcing.longitude, forcing.poles)
        density = np.asarray(forcing.mass_density[index], float)
        acceleration = pressure_acceleration(np.asarray(forcing.pressure[index], float), density, *grid)
        target = np.zeros_like(acceleration)
        if self.friction:
            pressure, mean_density = (
                self._daily_mean(forcing.pressure, index),
                self._daily_mean(forcing.mass_density, index),
            )
            mean = pressure_acceleration(pressure, mean_density, *grid)
            target = balanced_wind(mean, forcing.altitude, forcing.latitude)
        ion_friction = np.asarray(forcing.ion_friction[index], float)
        return _Hour(acceleration, density, viscosity(np.asarray(forcing.temperature[index], float)), ion_friction, target)

    def _daily_mean(self, values: np.ndarray, index: int) -> np.ndarray:
        """Mean over the 24 hours around a time, shifted inward at the ends of the forcing."""
        count = round(_DAY / self.forcing.interval)
        first = min(max(index - count // 2, 0), len(values) - 1 - count)
        window = values[first : first + count + 1]
        return (window[1:-1].sum(axis=0, dtype=float) + 0.5 * (window[0] + window[-1])) / count


def _advance(
    wind: np.ndarray, fields: _Fields, ion_velocity: IonVelocity, time: np.datetime64, settings: WindSettings
) -> np.ndarray:
    """One update interval: columns, then momentum advection."""
    forcing, length = fields.forcing, settings.update_interval
    half = _duration(0.5 * length)
    before, middle, after = fields.at(time), fields.at(time + half), fields.at(time + 2 * half)
    drift = ion_velocity(time + half, wind.real.copy(), wind.imag.copy())
    constant, isotropic, conjugate = _drift_parts(drift, forcing, time + half)
    drag = middle.ion_friction / middle.density
    coriolis = 2 * EARTH_ROTATION_RATE * np.sin(np.radians(forcing.latitude))[:, None]
    local = drag * (isotropic - 1.0) - fields.rate - 1j * coriolis
    steady = drag * constant + fields.rate * middle.target
    lower, upper = exchange_rates(forcing.altitude, middle.density, middle.viscosity)
    slope = (after.acceleration - before.acceleration) / length
    forced = before.acceleration + steady
    state = _columns(wind.copy())
    advance_columns(
        state,
        _columns(local),
        _columns(drag * conjugate),
        _columns(forced),
        _columns(slope),
        _columns(lower),
        _columns(upper),
        settings.step,
        round(length / settings.step),
    )
    wind = state.reshape(forcing.shape)
    if settings.advection:
        lat, lon = np.radians(forcing.latitude), np.radians(forcing.longitude)
        radius = EARTH_RADIUS + 1e3 * forcing.altitude
        wind = advect_momentum(wind, lat, lon, radius, length, *forcing.poles)
    return wind


def _columns(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).reshape(len(array), -1)


def _drift_parts(drift: IonDrift, forcing: WindForcing, time: np.datetime64) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Complex form of the ion velocity: constant + isotropic W + conjugate conj(W)."""
    matrix = np.zeros((2, 2, 1, 1, 1)) if drift.linear is None else np.asarray(drift.linear, float)
    try:
        constant = np.broadcast_to(np.asarray(drift.east) + 1j * np.asarray(drift.north), forcing.shape)
        matrix = np.broadcast_to(matrix, (2, 2, *forcing.shape))
    except ValueError as error:
        raise DataError(f"ion velocity at {time}: {error}; east and north need {forcing.shape}, linear (2, 2, ...)") from error
    for name, values in (("east and north", constant), ("linear", matrix)):
        if not np.isfinite(values).all():
            index = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
            raise DataError(f"ion velocity at {time}: {name} is {values[index]} at {index}; it must be finite; fill the hole")
    (a, b), (c, d) = matrix
    return constant, 0.5 * (a + d + 1j * (c - b)), 0.5 * (a - d + 1j * (c + b))


def _beyond(rows: np.ndarray) -> np.ndarray:
    """Value one row beyond an open edge such that the centred difference becomes one-sided, of second order."""
    return 3.0 * rows[:, :1] - 3.0 * rows[:, 1:2] + rows[:, 2:3]


def _duration(seconds: float) -> np.timedelta64:
    return np.timedelta64(round(seconds * 1e9), "ns")


def _dataset(forcing: WindForcing, stored: list[tuple[np.datetime64, np.ndarray]], settings: WindSettings) -> xr.Dataset:
    dims = ("wind_time", "alt", "lat", "lon")
    wind = settings.wind_scale * np.stack([field for _, field in stored])
    times = np.array([time for time, _ in stored], "datetime64[ns]")
    coords = {"wind_time": times, "alt": forcing.altitude, "lat": forcing.latitude, "lon": forcing.longitude}
    data = {"neutral_wind_east": (dims, wind.real.copy()), "neutral_wind_north": (dims, wind.imag.copy())}
    attributes = {
        "wind_model": "pressure and ion drag, Kohl and King (1967), doi:10.1016/0021-9169(67)90139-0",
        "wind_scale": settings.wind_scale,
        "wind_spin_up_hours": settings.spin_up,
    }
    return with_attributes(xr.Dataset(data, coords, attributes))


def _check_coordinates(forcing: WindForcing) -> None:
    longest = {"time": 2, "altitude": 2, "latitude": 3, "longitude": 4}
    for name, least in longest.items():
        values = getattr(forcing, name)
        if np.ndim(values) != 1 or len(values) < least or not (np.diff(values) > np.zeros(1, np.diff(values).dtype)).all():
            raise DataError(f"wind forcing: {name} must hold at least {least} increasing values in one dimension")
    for name in ("time", "latitude", "longitude"):
        steps = np.diff(getattr(forcing, name)) / (np.timedelta64(1, "s") if name == "time" else 1.0)
        if np.ptp(steps) > 1e-6 * steps.mean():
            worst = int(np.abs(steps - steps[0]).argmax())
            raise DataError(f"wind forcing: {name} is not uniform at index {worst}: step {steps[worst]:g}, not {steps[0]:g}")
    circle = len(forcing.longitude) * (forcing.longitude[1] - forcing.longitude[0])
    if abs(circle - 360.0) > 1e-6 or len(forcing.longitude) % 2:
        raise DataError(
            f"wind forcing: {len(forcing.longitude)} longitudes cover {circle:g} degrees; an even number must cover 360"
        )
    if np.abs(forcing.latitude).max() > 90.0 - 1e-6:
        raise DataError("wind forcing: a latitude lies on a pole; use cell centres, such as 88.75 at a spacing of 2.5")
    if not all(forcing.poles[i] or abs(forcing.latitude[-i]) < 89.0 for i in (0, 1)):
        raise DataError("wind forcing: a row lies near a pole but not half a spacing away from it; shift the latitudes")


def _check_fields(forcing: WindForcing) -> None:
    shape = (len(forcing.time), *forcing.shape)
    for name in ("pressure", "mass_density", "temperature", "ion_friction"):
        values = getattr(forcing, name)
        if np.shape(values) != shape:
            raise DataError(f"wind forcing: {name} has shape {np.shape(values)}; needed (time, alt, lat, lon) = {shape}")
        good = np.isfinite(values) & ((values >= 0) if name == "ion_friction" else (values > 0))
        if not good.all():
            i, k, m, n = (int(j) for j in np.argwhere(~good)[0])
            where = _place(forcing, forcing.time[i], k, m, n)
            rule = "finite and not negative" if name == "ion_friction" else "finite and positive"
            raise DataError(
                f"wind forcing: {name} is {values[i, k, m, n]} at index {(i, k, m, n)} ({where}); it must be {rule}; "
                f"{int((~good).sum())} such values: fill the holes"
            )


def _check_period(forcing: WindForcing, start: np.datetime64, end: np.datetime64, settings: WindSettings) -> None:
    top, least = forcing.altitude[-1], _number("minimum_top")
    if top < least:
        raise CoverageError(f"wind forcing ends at {top:g} km; the upper boundary must lie at {least:g} km or above; extend it")
    outputs = (end - start) / _duration(settings.output_interval)
    if outputs < 0 or abs(outputs - round(outputs)) > 1e-9:
        raise SettingsError(
            f"wind from {start} to {end}: not a whole number of output intervals of {settings.output_interval:g} s"
        )
    if abs(settings.spin_up * 3600.0 / settings.update_interval % 1.0) > 1e-9:
        raise SettingsError(f"wind settings: spin_up = {settings.spin_up:g} h is no multiple of update_interval")
    first = start - _duration(settings.spin_up * 3600.0)
    if first < forcing.time[0] or end > forcing.time[-1]:
        raise CoverageError(
            f"wind from {first} (spin-up included) to {end}: the forcing covers "
            f"{forcing.time[0]} to {forcing.time[-1]}; "
            "extend it or shorten the spin-up"
        )
    covered = float((forcing.time[-1] - forcing.time[0]) / np.timedelta64(1, "s"))
    if settings.friction and (covered < _DAY or abs(_DAY / forcing.interval % 1.0) > 1e-9):
        raise CoverageError(
            f"wind forcing covers {covered / 3600:g} h every {forcing.interval:g} s; the friction towards the "
            "daily mean needs at least 24 h at an interval that divides 24 h; extend it or switch the friction off"
        )


def _check_wind(wind: np.ndarray, time: np.datetime64, forcing: WindForcing) -> None:
    speed = np.abs(wind)
    bad = ~(speed < _SPEED_LIMIT)
    if bad.any():
        k, m, n = np.unravel_index(int(bad.argmax()), bad.shape)
        raise NumericalError(
            f"wind is {speed[k, m, n]:g} m/s at {_place(forcing, time, int(k), int(m), int(n))}; it must stay below "
            f"{_SPEED_LIMIT:g} m/s; check the forcing or shorten the step"
        )


def _place(forcing: WindForcing, time: np.datetime64, k: int, m: int, n: int) -> str:
    return f"{time}, {forcing.altitude[k]:g} km, {forcing.latitude[m]:g} N, {forcing.longitude[n]:g} E"
