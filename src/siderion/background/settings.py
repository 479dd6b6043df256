"""Settings of the background drivers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from siderion.jobs.settings import Settings


class DriverSettings(Settings):
    """Which models give the background, and where the user's own files replace them."""

    convection: Literal["swipe", "heelis", "weimer2005"] = Field("swipe", description="model of the electric potential")
    weimer_folder: str = Field("", description="folder with the Weimer 2005 tables, for convection = weimer2005")
    neutral: Literal["nrlmsise00", "nrlmsis21"] = Field("nrlmsise00", description="neutral atmosphere")
    aurora: bool = Field(True, description="auroral ionisation in a statistical oval")
    ozone: bool = Field(True, description="photochemical ozone for the oxidation of metal ions")
    wind: Literal["solver", "none"] = Field("solver", description="neutral wind from the momentum equation, or none")
    wind_scale: float = Field(1.0, ge=0.0, le=2.0, description="factor on the solved wind; 0.6 is near GAIA")
    wind_spin_up: float = Field(36.0, ge=12.0, le=96.0, description="hours that the wind solver runs before the start")
    lat_step: float = Field(2.5, gt=0.4, le=5.0, description="coarse grid, degrees")
    lon_step: float = Field(7.5, gt=0.9, le=15.0, description="coarse grid, degrees")
    edge_latitude: float = Field(27.5, ge=20.0, le=40.0, description="absolute latitude where the coarse grid ends")
    imf_by: float | None = Field(None, ge=-50.0, le=50.0, description="hold IMF By (GSM) at this value, nT")
    imf_bz: float | None = Field(None, ge=-50.0, le=50.0, description="hold IMF Bz (GSM) at this value, nT")
    solar_wind_speed: float | None = Field(None, ge=200.0, le=1200.0, description="hold it at this value, km/s")
    solar_wind_density: float | None = Field(None, gt=0.0, le=200.0, description="hold it at this value, cm-3")
    kp: float | None = Field(None, ge=0.0, le=9.0, description="hold Kp, and ap that belongs to it, at this value")
    f107: float | None = Field(None, ge=50.0, le=400.0, description="hold F10.7 and its 81-day mean at this value, sfu")
    imf_file: str = Field("", description="hourly OMNI file (CSV) in place of the one that comes with Siderion")
    indices_file: str = Field("", description="CelesTrak or GFZ file of Kp, ap and F10.7 in place of the built-in one")
    replace: tuple[str, ...] = Field((), description="NetCDF or Zarr files whose variables replace drivers of the same name")
