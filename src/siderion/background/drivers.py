"""All that drives the metal ions, on a coarse grid, as one data set: neutrals, plasma, wind, electric potential."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.background.aurora import add_auroral_electrons, auroral_ionisation
from siderion.background.composition import background_ions
from siderion.background.conditions import MAGNETIC_LATITUDE, MAGNETIC_LOCAL_TIME, Conditions
from siderion.background.ion_drag import IonDrag
from siderion.background.neutral import neutral_atmosphere
from siderion.background.ozone import ozone_density
from siderion.background.plasma import electron_density_pyiri
from siderion.background.replace import replace_drivers
from siderion.background.settings import DriverSettings
from siderion.background.temperatures import plasma_temperatures
from siderion.background.wind import WindForcing, WindSettings, solve_wind
from siderion.core.errors import SettingsError
from siderion.core.species import get_species
from siderion.core.variables import with_attributes
from siderion.frames.dipole import TiltedDipole

Progress = Callable[[str, float], None]
"""Called with the name of the stage and the finished fraction of it."""

WIND_TOP = 420.0
"""Top of the wind solver, km; above it viscosity keeps the wind at the value there."""
NEUTRALS = ("N2", "O2", "O", "He", "Ar", "H", "N")


def driver_altitudes(top: float) -> NDArray[np.float64]:
    """Altitudes of the drivers, km, from 80 km to at least ``top`` (below 640): 2.5 km apart at first, 20 km at last."""
    pieces = [(80.0, 130.0, 2.5), (130.0, 200.0, 5.0), (200.0, 320.0, 10.0), (320.0, 641.0, 20.0)]
    altitudes = np.concatenate([np.arange(*piece) for piece in pieces])
    return altitudes[: int(np.searchsorted(altitudes, top)) + 1]


def driver_grid(settings: DriverSettings, hemisphere: str) -> tuple[NDArray, NDArray]:
    """Latitudes and longitudes of the cell centres of the coarse grid, degrees, both growing."""
    rows = round((90.0 - settings.edge_latitude) / settings.lat_step)
    if rows < 4 or rows * settings.lat_step + settings.edge_latitude != 90.0 or 360.0 % (2 * settings.lon_step):
        raise SettingsError(
            f"the coarse grid (edge {settings.edge_latitude}, steps {settings.lat_step} x {settings.lon_step} degrees) must "
            "divide the cap evenly, with an even number of longitudes"
        )
    lat = 90.0 - settings.lat_step * (np.arange(rows)[::-1] + 0.5)
    lon = -180.0 + settings.lon_step * (np.arange(round(360.0 / settings.lon_step)) + 0.5)
    return (lat if hemisphere == "north" else -lat[::-1]), lon


def hours_between(start: np.datetime64, end: np.datetime64) -> NDArray:
    """Whole hours that enclose a period."""
    first = start.astype("datetime64[h]")
    last = (end - np.timedelta64(1, "ns")).astype("datetime64[h]") + np.timedelta64(1, "h")
    return np.arange(first, last + np.timedelta64(1, "h")).astype("datetime64[ns]")


def build_drivers(
    settings: DriverSettings,
    start: np.datetime64,
    end: np.datetime64,
    hemisphere: str,
    top: float,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Build every driver of a run.

    Parameters
    ----------
    settings : DriverSettings
    start, end : datetime64
        Period of the run, UTC.
    hemisphere : {"north", "south"}
    top : float
        Highest altitude needed, km.
    progress : callable, optional
        Called as ``progress(stage, fraction)``.

    Returns
    -------
    xarray.Dataset
        On ``time`` (hourly), ``wind_time`` (30 min) and ``convection_time`` (10 min): number densities of neutrals and
        ions, temperatures, electron density, wind, electric potential. Names and units are those of the registry.

    Raises
    ------
    CoverageError, DataError
        Indices or solar wind do not cover the period (with the spin-up of the wind), or a user's file does not fit.
    """
    tell = progress or (lambda stage, fraction: None)
    lat, lon = driver_grid(settings, hemisphere)
    conditions = Conditions.load(settings)
    dipole = TiltedDipole.at(start)
    solve = settings.wind == "solver"
    spin_up = np.timedelta64(round(settings.wind_spin_up * 3600), "s") if solve else np.timedelta64(0, "s")
    hours = hours_between(start - spin_up, end)
    altitudes = driver_altitudes(max(top, WIND_TOP) if solve else top)
    tell("solar wind and potential", 0.0)
    convection_time = np.arange(start, end + np.timedelta64(10, "m"), np.timedelta64(10, "m")).astype("datetime64[ns]")
    potential = conditions.potential(convection_time, dipole, hemisphere)
    atmosphere = build_atmosphere(settings, conditions, dipole, hours, altitudes, lat, lon, tell)
    needed = atmosphere.isel(time=atmosphere.time >= hours_between(start, end)[0], alt=slice(0, len(driver_altitudes(top))))
    dataset = needed.drop_vars([n for n in ("mass_density", "molecular_recombination") if n in needed]).astype(np.float32)
    dataset["electric_potential"] = (("convection_time", "magnetic_latitude", "magnetic_local_time"), potential)
    dataset = dataset.assign_coords(
        convection_time=convection_time, magnetic_latitude=MAGNETIC_LATITUDE, magnetic_local_time=MAGNETIC_LOCAL_TIME
    )
    winds = build_wind(settings, conditions, dipole, hemisphere, atmosphere, start, end, tell)
    dataset = dataset.merge(winds.isel(alt=slice(0, dataset.sizes["alt"])).astype(np.float32), join="exact")
    dataset = replace_drivers(dataset, settings.replace, dipole)
    return _described(dataset, settings, conditions, hemisphere, start, end)


def build_atmosphere(
    settings: DriverSettings,
    conditions: Conditions,
    dipole: TiltedDipole,
    hours: NDArray,
    altitudes: NDArray,
    lat: NDArray,
    lon: NDArray,
    tell: Progress,
) -> xr.Dataset:
    """Neutral gas and background plasma at every hour, (time, alt, lat, lon)."""
    indices = conditions.atmosphere(hours)
    tell("neutral atmosphere", 0.0)
    neutral = neutral_atmosphere(
        hours, altitudes, lat, lon, indices["f107"], indices["f107_81_day_mean"], indices["ap_history"], settings.neutral
    )
    if settings.ozone:
        neutral["density_O3"] = ozone_density(neutral)
    else:
        neutral["density_O3"] = xr.zeros_like(neutral["density_O2"])
    tell("electron density", 0.0)
    electrons = electron_density_pyiri(hours, altitudes, lat, lon, indices["f107_81_day_mean"])
    temperatures = plasma_temperatures(neutral, electrons)
    tell("ion composition", 0.0)
    ions = background_ions(neutral, electrons, temperatures)
    if settings.aurora:
        tell("aurora", 0.0)
        here = np.meshgrid(lat, lon, indexing="ij")
        local_time = dipole.magnetic_local_time(hours[:, None, None], *here)
        rate = auroral_ionisation(neutral, indices["kp"], dipole.magnetic_latitude(*here), local_time)
        level = altitudes[None, :, None, None]
        electrons = electrons.copy(data=add_auroral_electrons(electrons, rate, ions["molecular_recombination"], level))
        ions = background_ions(neutral, electrons, temperatures)
    return with_attributes(
        xr.merge([neutral, temperatures, ions, electrons.rename("electron_density")], join="exact", compat="override")
    )


def build_wind(
    settings: DriverSettings,
    conditions: Conditions,
    dipole: TiltedDipole,
    hemisphere: str,
    atmosphere: xr.Dataset,
    start: np.datetime64,
    end: np.datetime64,
    tell: Progress,
) -> xr.Dataset:
    """Neutral wind every 30 minutes: solved, or zero."""
    last = start + np.ceil((end - start) / np.timedelta64(30, "m")).astype(int) * np.timedelta64(30, "m")
    if settings.wind == "none":
        times = np.arange(start, last + np.timedelta64(30, "m"), np.timedelta64(30, "m")).astype("datetime64[ns]")
        shape = (len(times), *(atmosphere.sizes[name] for name in ("alt", "lat", "lon")))
        zero = (("wind_time", "alt", "lat", "lon"), np.zeros(shape))
        coords = {"wind_time": times, **{name: atmosphere[name] for name in ("alt", "lat", "lon")}}
        return with_attributes(xr.Dataset({"neutral_wind_east": zero, "neutral_wind_north": zero}, coords=coords))
    solved = atmosphere.sel(alt=slice(None, WIND_TOP))
    drag = IonDrag(solved, conditions, dipole, hemisphere)
    forcing = WindForcing.from_composition(
        solved.time.values,
        solved.alt.values,
        solved.lat.values,
        solved.lon.values,
        {name: solved[f"density_{name}"].values for name in NEUTRALS},
        {name: get_species(name).mass for name in NEUTRALS},
        solved.neutral_temperature.values,
        drag.friction,
    )
    chosen = WindSettings(spin_up=settings.wind_spin_up, wind_scale=settings.wind_scale)
    winds = solve_wind(forcing, drag.velocity, start, last, chosen, lambda fraction: tell("neutral wind", fraction))
    return winds.reindex(alt=atmosphere.alt, method="ffill")


def _described(
    dataset: xr.Dataset,
    settings: DriverSettings,
    conditions: Conditions,
    hemisphere: str,
    start: np.datetime64,
    end: np.datetime64,
) -> xr.Dataset:
    """Attributes that say what the drivers are."""
    dataset.attrs = {
        "title": "Siderion drivers",
        "hemisphere": hemisphere,
        "start": str(start),
        "end": str(end),
        "settings": settings.model_dump_json(),
        "magnetic_coordinates": "tilted dipole (IGRF-13) in place of apex coordinates: patterns shift by a few degrees",
    }
    hours = dataset.time.values
    indices = conditions.atmosphere(hours)
    for name in ("kp", "f107", "f107_81_day_mean"):
        dataset[name if name == "kp" else f"{name}_used"] = ("time", np.asarray(indices[name], dtype=np.float32))
    if settings.convection != "heelis":
        wind = conditions.solar_wind(dataset.convection_time.values)
        for name in ("imf_by_gsm", "imf_bz_gsm", "solar_wind_speed", "solar_wind_density"):
            dataset[name] = ("convection_time", wind[name].values.astype(np.float32))
        dataset.attrs.update(
            {
                key: wind.attrs[key]
                for key in ("interpolated_gaps", "by_doubtful_sign_hours", "imf_by_origin", "held_constant")
                if key in wind.attrs
            }
        )
    return with_attributes(dataset)
