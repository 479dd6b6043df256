"""Solar wind and indices at the times of the drivers, and the potential models fed with them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.background.convection import ConvectionModel, heelis, swipe, weimer2005
from siderion.background.settings import DriverSettings
from siderion.core.errors import SettingsError
from siderion.frames.dipole import TiltedDipole
from siderion.io.weimer import read_weimer2005_tables
from siderion.solarwind.imf import imf_at, load_imf
from siderion.solarwind.indices import ap_history, daily_f107, f107_81_day_mean, kp_at, load_indices

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
        """``f107``, ``f107_81_day_mean``, ``ap_history`` and ``kp`` at the times."""
        return {
            "f107": daily_f107(self.indices, time),
            "f107_81_day_mean": f107_81_day_mean(self.indices, time),
            "ap_history": ap_history(self.indices, time),
            "kp": kp_at(self.indices, time),
        }

    def solar_wind(self, time: NDArray) -> xr.Dataset:
        """Magnetic field and plasma of the solar wind at the times, gaps filled up to the stated limits."""
        return imf_at(self.imf, time)

    def potential(self, time: NDArray, dipole: TiltedDipole, hemisphere: str) -> NDArray[np.float32]:
        """Electric potential on the magnetic grid at the times, (time, magnetic_latitude, magnetic_local_time), V."""
        latitude = MAGNETIC_LATITUDE * (1.0 if hemisphere == "north" else -1.0)
        models = self.convection_models(time, dipole, hemisphere)
        values = [model.potential(latitude[:, None], MAGNETIC_LOCAL_TIME[None, :]) for model in models]
        return np.array(values, dtype=np.float32)

    def convection_models(self, time: NDArray, dipole: TiltedDipole, hemisphere: str) -> list[ConvectionModel]:
        """The chosen potential model at every time."""
        kind = self.settings.convection
        if kind == "heelis" and not self.settings.imf_file and not self._imf_covers(time):
            by = np.zeros(len(time))  # Heelis needs no solar wind; its By dependence is then left out
        else:
            wind = self.solar_wind(time)
            by = wind.imf_by_gsm.values
        if kind == "heelis":
            kp = kp_at(self.indices, time)
            return [heelis(float(k), float(b), hemisphere) for k, b in zip(kp, by, strict=True)]
        bz, speed = wind.imf_bz_gsm.values, wind.solar_wind_speed.values
        tilt = dipole.tilt(time)
        if kind == "swipe":
            flux = daily_f107(self.indices, time)
            rows = zip(by.tolist(), bz.tolist(), speed.tolist(), tilt.tolist(), flux.tolist(), strict=True)
            return [swipe(y, z, v, angle, f, hemisphere) for y, z, v, angle, f in rows]
        if not self.settings.weimer_folder:
            raise SettingsError("convection = weimer2005 needs weimer_folder: the folder with the published tables")
        tables = read_weimer2005_tables(self.settings.weimer_folder)
        density = wind.solar_wind_density.values
        plasma = zip(by.tolist(), bz.tolist(), speed.tolist(), density.tolist(), tilt.tolist(), strict=True)
        return [weimer2005(tables, y, z, v, n, angle, hemisphere) for y, z, v, n, angle in plasma]

    def _imf_covers(self, time: NDArray) -> bool:
        return bool(self.imf.time.values[0] <= time[0] and time[-1] <= self.imf.time.values[-1])
