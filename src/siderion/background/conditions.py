"""Solar wind and indices at the times of the drivers, and the potential models fed with them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.background.convection import ConvectionModel, heelis, swipe, weimer2005
from siderion.background.settings import DriverSettings
from siderion.core.errors import CoverageError, SettingsError
from siderion.core.variables import with_attributes
from siderion.frames.dipole import TiltedDipole
from siderion.io.weimer import read_weimer2005_tables
from siderion.solarwind.imf import imf_at, load_imf
from siderion.solarwind.indices import ap_history, ap_of_kp, daily_f107, f107_81_day_mean, kp_at, load_indices

MAGNETIC_LATITUDE = np.arange(47.0, 90.01, 0.5)
"""Absolute magnetic latitudes of the potential grid, degrees; equatorward of it the potential is 0."""
MAGNETIC_LOCAL_TIME = np.arange(0.0, 24.0, 0.25)
"""Magnetic local times of the potential grid, h."""


@dataclass(frozen=True)
class Conditions:
    """Indices for the atmosphere and what feeds the potential, for one run."""

    indices: xr.Dataset
    imf: xr.Dataset
    settings: DriverSettings

    @classmethod
    def load(cls, settings: DriverSettings) -> Conditions:
        """Read the built-in series, or the user's files named in the settings."""
        path = settings.indices_file
        csv = bool(path) and Path(path).suffix == ".csv"
        return cls(load_indices(path or None, "gfz" if csv else "celestrak"), load_imf(settings.imf_file or None), settings)

    def atmosphere(self, time: NDArray) -> dict[str, NDArray[np.float64]]:
        """``f107``, ``f107_81_day_mean``, ``ap_history`` and ``kp`` at the times; what the settings hold is constant."""
        held, flux = self.settings.kp, self.settings.f107
        return {
            "f107": self.f107(time),
            "f107_81_day_mean": f107_81_day_mean(self.indices, time) if flux is None else np.full(len(time), flux),
            "ap_history": ap_history(self.indices, time) if held is None else np.full((len(time), 7), ap_of_kp(held)),
            "kp": self.kp(time),
        }

    def kp(self, time: NDArray) -> NDArray[np.float64]:
        """Kp at the times."""
        held = self.settings.kp
        return kp_at(self.indices, time) if held is None else np.full(len(time), held)

    def f107(self, time: NDArray) -> NDArray[np.float64]:
        """F10.7 of the previous day at the times."""
        held = self.settings.f107
        return daily_f107(self.indices, time) if held is None else np.full(len(time), held)

    @property
    def held_solar_wind(self) -> dict[str, float]:
        """Variables of the solar wind that the settings hold, and their values."""
        held = {
            "imf_by_gsm": self.settings.imf_by,
            "imf_bz_gsm": self.settings.imf_bz,
            "solar_wind_speed": self.settings.solar_wind_speed,
            "solar_wind_density": self.settings.solar_wind_density,
        }
        return {name: value for name, value in held.items() if value is not None}

    def solar_wind(self, time: NDArray) -> xr.Dataset:
        """Magnetic field and plasma of the solar wind at the times: held by the settings, or from the series.

        Gaps of the series are filled up to the stated limits. It is not read when all four variables are held.
        """
        held = self.held_solar_wind
        wind = xr.Dataset(coords={"time": time}) if len(held) == 4 else imf_at(self.imf, time)
        for name, value in held.items():
            wind[name] = ("time", np.full(len(time), value))
        if held:
            wind.attrs["held_constant"] = ", ".join(f"{name} = {value:g}" for name, value in held.items())
        if "imf_by_gsm" in held:
            wind.attrs["imf_by_origin"] = "held constant by the settings"
            wind.attrs.pop("by_doubtful_sign_hours", None)
        return with_attributes(wind)

    def potential(self, time: NDArray, dipole: TiltedDipole, hemisphere: str) -> NDArray[np.float32]:
        """Electric potential on the magnetic grid at the times, (time, magnetic_latitude, magnetic_local_time), V."""
        latitude = MAGNETIC_LATITUDE * (1.0 if hemisphere == "north" else -1.0)
        models = self.convection_models(time, dipole, hemisphere)
        values = [model.potential(latitude[:, None], MAGNETIC_LOCAL_TIME[None, :]) for model in models]
        return np.array(values, dtype=np.float32)

    def convection_models(self, time: NDArray, dipole: TiltedDipole, hemisphere: str) -> list[ConvectionModel]:
        """The chosen potential model at every time."""
        kind = self.settings.convection
        if kind == "heelis":
            rows = zip(self.kp(time).tolist(), self._by_of_heelis(time).tolist(), strict=True)
            return [heelis(kp, by, hemisphere) for kp, by in rows]
        wind = self.solar_wind(time)
        by = wind.imf_by_gsm.values
        bz, speed = wind.imf_bz_gsm.values, wind.solar_wind_speed.values
        tilt = dipole.tilt(time)
        if kind == "swipe":
            flux = self.f107(time)
            inputs = zip(by.tolist(), bz.tolist(), speed.tolist(), tilt.tolist(), flux.tolist(), strict=True)
            return [swipe(y, z, v, angle, f, hemisphere) for y, z, v, angle, f in inputs]
        if not self.settings.weimer_folder:
            raise SettingsError("convection = weimer2005 needs weimer_folder: the folder with the published tables")
        tables = read_weimer2005_tables(self.settings.weimer_folder)
        density = wind.solar_wind_density.values
        plasma = zip(by.tolist(), bz.tolist(), speed.tolist(), density.tolist(), tilt.tolist(), strict=True)
        return [weimer2005(tables, y, z, v, n, angle, hemisphere) for y, z, v, n, angle in plasma]

    def _by_of_heelis(self, time: NDArray) -> NDArray[np.float64]:
        """By, nT; 0 where neither the settings nor the built-in series give it: Heelis needs no solar wind."""
        if self.settings.imf_by is not None:
            return np.full(len(time), self.settings.imf_by)
        try:
            return self.solar_wind(time).imf_by_gsm.values
        except CoverageError:
            if self.settings.imf_file:
                raise
            return np.zeros(len(time))
