"""Composition of the background ions over 70 N on 18 June 2023, 12 UT: O+ above, molecular ions below.

Photochemical balance of O+, O2+, NO+ and N2+ with the electron density given (Schunk & Nagy 2009, Ionospheres, sections
8.3 and 11.2): by day molecular ions make up the E region and the lower F1 region, up to about 160 km, and O+ most of the
plasma above about 200 km. All background models are those of a run, with the indices of the day.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from recording import check_recorded

from siderion.background.conditions import Conditions
from siderion.background.drivers import build_atmosphere
from siderion.background.settings import DriverSettings
from siderion.frames.dipole import TiltedDipole

TIME = np.array(["2023-06-18T12:00"], "datetime64[ns]")
ALTITUDE = np.array([90.0, 100.0, 110.0, 120.0, 140.0, 160.0, 180.0, 200.0, 220.0, 250.0, 300.0])
IONS = ("O+", "O2+", "NO+", "N2+")


def atmosphere(longitude: np.ndarray) -> xr.Dataset:
    """Neutral gas and plasma of a run at 70 N and the given longitudes."""
    settings = DriverSettings()
    dipole = TiltedDipole.at(TIME[0])
    conditions = Conditions.load(settings)
    return build_atmosphere(settings, conditions, dipole, TIME, ALTITUDE, np.array([70.0]), longitude, lambda *_: None)


def run(size: str) -> dict[str, float]:
    """Shares of O+ and the height where it takes over, at noon and, at full size, around the parallel."""
    longitude = np.arange(-180.0, 180.0, 15.0) if size == "full" else np.array([0.0, 180.0])
    state = atmosphere(longitude).isel(time=0, lat=0)
    total = sum(state[f"density_{name}"] for name in IONS)
    share = state["density_O+"] / state.electron_density
    noon = share.sel(lon=0.0)
    lowest = share.min("lon")
    norms = {f"noon, part that is O+ at {alt:g} km": float(noon.sel(alt=alt)) for alt in (140.0, 160.0, 200.0, 220.0, 300.0)}
    norms["noon, height where O+ takes over, km"] = float(np.interp(0.5, noon.values, ALTITUDE))
    norms["all longitudes, least part of O+ from 220 km"] = float(lowest.sel(alt=slice(220.0, None)).min())
    norms["all longitudes, largest part of O+ up to 160 km"] = float(share.sel(alt=slice(None, 160.0)).max())
    norms["noon, NO+ over O2+ at 110 km"] = float(
        state["density_NO+"].sel(lon=0.0, alt=110.0) / state["density_O2+"].sel(lon=0.0, alt=110.0)
    )
    norms["noon, electrons at 110 km, 1e11 m-3"] = float(state.electron_density.sel(lon=0.0, alt=110.0)) / 1e11
    norms["noon, electrons at 300 km, 1e11 m-3"] = float(state.electron_density.sel(lon=0.0, alt=300.0)) / 1e11
    norms["difference of ions and electrons"] = float(np.abs(total / state.electron_density - 1.0).max())
    return norms


def test_ion_composition() -> None:
    """O+ dominates above 200 km at noon, molecular ions below 160 km; the ions sum to the electrons."""
    norms = check_recorded("ion_composition", run)
    assert norms["noon, part that is O+ at 200 km"] > 0.5
    assert norms["noon, part that is O+ at 300 km"] > 0.9
    assert norms["noon, part that is O+ at 140 km"] < 0.2
    assert norms["all longitudes, largest part of O+ up to 160 km"] < 0.5
    assert 160.0 < norms["noon, height where O+ takes over, km"] < 210.0
    assert 0.2 < norms["noon, NO+ over O2+ at 110 km"] < 10.0
    assert norms["difference of ions and electrons"] < 1e-12
