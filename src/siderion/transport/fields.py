"""What the drivers mean for one metal ion: rows of coarse columns on the native levels, at any moment.

Everything here is small (coarse columns); the engine interpolates it to the native columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.background.electric_field import ConvectionField
from siderion.chemistry.collisions import ion_neutral_collision_frequency
from siderion.chemistry.network import Network, first_order_rates, sunlit_factor
from siderion.chemistry.reactions import Temperatures
from siderion.core.constants import BOLTZMANN, EARTH_GM
from siderion.core.errors import CoverageError
from siderion.core.species import Species
from siderion.frames.dipole import TiltedDipole
from siderion.frames.sun import solar_zenith_angle
from siderion.transport.columns import plane_components
from siderion.transport.engines.numba_velocity import (
    AMBIPOLAR,
    DIFFUSIVITY,
    DRIVER_ROWS,
    FORCE,
    NU,
    THERMAL,
    WIND_1,
    WIND_2,
)
from siderion.transport.grid import ShellGrid

NEUTRALS = ("N2", "O2", "O", "He", "Ar", "H", "N", "NO", "O3")
IONS = ("O+", "O2+", "NO+", "N2+")
COLLISION_PARTNERS = ("N2", "O2", "O", "He", "H")
_SMALLEST = 1e-30  # replaces zero where a logarithm is taken


@dataclass(frozen=True)
class Levels:
    """Linear weights from the driver altitudes to the native levels."""

    index: NDArray[np.int64]
    weight: NDArray[np.float64]

    @classmethod
    def between(cls, source: NDArray, target: NDArray) -> Levels:
        """Weights; raises `CoverageError` where the native levels go beyond the driver altitudes."""
        if target[0] < source[0] or target[-1] > source[-1]:
            raise CoverageError(
                f"the drivers reach from {source[0]:g} to {source[-1]:g} km, the model from {target[0]:g} to {target[-1]:g} km"
            )
        index = np.clip(np.searchsorted(source, target) - 1, 0, len(source) - 2)
        return cls(index, (target - source[index]) / (source[index + 1] - source[index]))

    def __call__(self, values: NDArray) -> NDArray:
        """Interpolate (alt, ...) to (lev, ...)."""
        shape = (-1,) + (1,) * (values.ndim - 1)
        weight = self.weight.reshape(shape)
        return values[self.index] * (1.0 - weight) + values[self.index + 1] * weight

    def logarithmic(self, values: NDArray) -> NDArray:
        """Interpolate positive values (alt, ...) to (lev, ...) in their logarithm."""
        return np.exp(self(np.log(np.maximum(values, _SMALLEST))))


class DriverFields:
    """The drivers in memory, and their meaning for an ion at a moment.

    Parameters
    ----------
    drivers : xarray.Dataset
        As `siderion.background.drivers.build_drivers` makes it, one hemisphere.
    shells : ShellGrid
        Native levels.
    """

    def __init__(self, drivers: xr.Dataset, shells: ShellGrid) -> None:
        self.drivers = drivers
        self.shells = shells
        self.lat, self.lon = drivers.lat.values, drivers.lon.values
        self.hemisphere: str = drivers.attrs["hemisphere"]
        self.sign = 1.0 if self.hemisphere == "north" else -1.0
        self.levels = Levels.between(drivers.alt.values, shells.altitude)
        self.dipole = TiltedDipole.at(drivers.time.values[0])
        self._arrays = {str(name): drivers[name].values for name in drivers.data_vars}
        self._clocks = {
            name: drivers[name].values.astype("datetime64[ns]").astype(np.int64)
            for name in ("time", "wind_time", "convection_time")
        }

    def at(self, name: str, time: np.datetime64) -> NDArray[np.float64]:
        """One driver at a moment, linear in time, flattened to (alt, column) unless it is the potential."""
        clock = self._clocks[str(self.drivers[name].dims[0])]
        moment = np.int64(time.astype("datetime64[ns]").astype(np.int64))
        if not clock[0] <= moment <= clock[-1]:
            covered = clock[[0, -1]].astype("datetime64[ns]")
            raise CoverageError(f"{name} at {time}: the drivers cover {covered[0]} to {covered[1]}")
        i = int(np.clip(np.searchsorted(clock, moment, side="right") - 1, 0, len(clock) - 2))
        part = float(moment - clock[i]) / float(clock[i + 1] - clock[i])
        values = self._arrays[name]
        blend = values[i].astype(float) * (1.0 - part) + values[i + 1].astype(float) * part
        return blend if name == "electric_potential" else blend.reshape(blend.shape[0], -1)

    def convection(self, time: np.datetime64) -> ConvectionField:
        """The convection at a moment."""
        return ConvectionField(
            self.dipole,
            self.hemisphere,
            float(self.dipole.subsolar_magnetic_longitude(time)),
            self.at("electric_potential", time),
            self.drivers.magnetic_latitude.values,
            self.drivers.magnetic_local_time.values,
        )

    def electron_density(self, time: np.datetime64) -> NDArray[np.float64]:
        """Background electron density on the native levels, (1, lev, column), m-3."""
        return self.levels.logarithmic(self.at("electron_density", time))[None]

    def wind(self, time: np.datetime64) -> tuple[NDArray, NDArray]:
        """Eastward and northward wind on the native levels, (lev, column), m s-1."""
        return self.levels(self.at("neutral_wind_east", time)), self.levels(self.at("neutral_wind_north", time))

    def motion_rows(self, time: np.datetime64, ion: Species, terms: frozenset[str], formula: str, eddy: float) -> NDArray:
        """Rows that the velocity kernel needs, (DRIVER_ROWS, lev, column); see `engines.numba_velocity.fill_velocity`.

        Parameters
        ----------
        time : datetime64
        ion : Species
        terms : frozenset of str
            Names of the active terms of equation (2).
        formula : str
            Formula of the collision frequency.
        eddy : float
            Eddy diffusivity below 105 km, m2 s-1; it fades above with an e-fold of 5 km. It counts with ``pressure``, so
            that the terms add up to the total.
        """
        shells = self.shells
        ti, te = (self.at(f"{kind}_temperature", time) for kind in ("ion", "electron"))
        densities = {name: self.at(f"density_{name}", time) for name in COLLISION_PARTNERS}
        nu = ion_neutral_collision_frequency(
            ion.name,
            densities,
            ti,
            self.at("neutral_temperature", time),
            formula,  # type: ignore[arg-type]
        )
        nu, ti, te = self.levels.logarithmic(nu), self.levels(ti), self.levels(te)
        resistance = ion.mass * nu
        height = 1e3 * shells.altitude
        gravity = EARTH_GM / shells.radius[:, None] ** 2 * ion.mass
        rows = np.zeros((DRIVER_ROWS, *nu.shape))
        rows[NU] = nu
        lon = np.broadcast_to(self.lon, (len(self.lat), len(self.lon))).ravel()
        rows[WIND_1], rows[WIND_2] = plane_components(*self.wind(time), lon, self.sign)
        if "gravity" in terms:
            rows[FORCE] -= gravity / resistance
        if "pressure" in terms:
            rows[FORCE] -= BOLTZMANN * np.gradient(ti, height, axis=0) / resistance
            mixing = eddy * np.exp(-np.maximum(shells.altitude - 105.0, 0.0) / 5.0)[:, None]
            rows[DIFFUSIVITY] = BOLTZMANN * ti / resistance + mixing
        if "parallel_field" in terms:
            rows[AMBIPOLAR] = BOLTZMANN * te / resistance
            rows[THERMAL] = -BOLTZMANN * np.gradient(te, height, axis=0) / resistance
        return rows

    def chemistry_rows(self, time: np.datetime64, network: Network, rule: str) -> NDArray[np.float64]:
        """First-order rates of every reaction on the native levels, (reaction, lev, column)."""
        densities = {name: self.at(f"density_{name}", time) for name in (*NEUTRALS, *IONS)}
        temperatures = Temperatures(*(self.at(f"{kind}_temperature", time) for kind in ("neutral", "electron", "ion")))
        zenith = solar_zenith_angle(time, *np.meshgrid(self.lat, self.lon, indexing="ij")).ravel()
        sunlit = sunlit_factor(zenith[None], self.drivers.alt.values[:, None], rule)  # type: ignore[arg-type]
        rates = first_order_rates(network, temperatures, densities, sunlit)
        # Photo rates are switched off in the dark, where a logarithm would smear them over the levels.
        return np.stack(
            [
                self.levels(rate) if edge.sunlit_only else self.levels.logarithmic(rate)
                for edge, rate in zip(network.edges, rates, strict=True)
            ]
        )
