"""Metal ions that leave the top of a transport run, and how many of them reach space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import CoverageError, DataError, SettingsError

_NEEDED = ("number_density", "velocity_up", "solid_angle")


def top_flux(polar: xr.Dataset, altitude: float | None = None, species: Sequence[str] | None = None) -> xr.Dataset:
    """Vertical flux of metal ions through a level of a transport run, and the ions per second through all of it.

    Parameters
    ----------
    polar : xarray.Dataset
        Output of a run: ``number_density`` (species, time, alt, lat, lon), ``velocity_up`` (species, velocity_time, alt, lat,
        lon), ``solid_angle`` (lat, lon). Every velocity time must be an output time.
    altitude : float, optional
        km; the nearest level is taken; the highest one by default.
    species : sequence of str, optional
        All by default.

    Returns
    -------
    xarray.Dataset
        ``upward_flux`` (species, velocity_time, lat, lon), m-2 s-1, positive upwards; ``ions_up``, ``ions_down`` and ``ions_net``
        (species, velocity_time), s-1: sums over the cells that rise, that sink (positive), and their difference; coordinate
        ``flux_alt`` (km). Cells count with their solid angle at the radius of the level.

    Raises
    ------
    DataError
        A variable is missing, or a value at the level is not finite.
    CoverageError
        A species or velocity time is not in the run.
    """
    missing = [name for name in _NEEDED if name not in polar]
    if missing:
        raise DataError(f"the run lacks {', '.join(missing)}; give the output of `siderion run` with velocities")
    chosen = [str(s) for s in polar["species"].values] if species is None else list(species)
    unknown = sorted(set(chosen) - {str(s) for s in polar["species"].values})
    if unknown:
        raise CoverageError(f"{', '.join(unknown)} not in the run; it has {', '.join(map(str, polar['species'].values))}")
    heights = polar["alt"].values
    level = int(np.argmax(heights)) if altitude is None else int(np.argmin(np.abs(heights - altitude)))
    moments = polar["velocity_time"].values
    absent = moments[~np.isin(moments, polar["time"].values)]
    if len(absent):
        raise CoverageError(f"no densities at the velocity time {absent[0]}; output both at the same times")
    density = polar["number_density"].sel(species=chosen, time=moments).isel(alt=level).rename(time="velocity_time")
    flux = (density * polar["velocity_up"].sel(species=chosen).isel(alt=level)).astype(np.float64)
    flux = flux.transpose("species", "velocity_time", "lat", "lon")
    area = polar["solid_angle"].astype(np.float64) * (EARTH_RADIUS + 1e3 * float(heights[level])) ** 2
    covered = (area > 0.0).broadcast_like(flux)
    if not np.isfinite(flux.where(covered, 0.0).values).all():
        raise DataError(f"the flux at {heights[level]:g} km is not finite somewhere; is the run complete?")
    flux = flux.where(covered, 0.0)
    result = xr.Dataset({"upward_flux": flux.drop_vars("alt", errors="ignore")})
    result["ions_up"] = (flux.clip(min=0.0) * area).sum(("lat", "lon"))
    result["ions_down"] = (-flux.clip(max=0.0) * area).sum(("lat", "lon"))
    result["ions_net"] = result["ions_up"] - result["ions_down"]
    words = {
        "upward_flux": ("m-2 s-1", "upward flux of the ions"),
        "ions_up": ("s-1", "ions per second that rise through the level"),
        "ions_down": ("s-1", "ions per second that sink through the level"),
        "ions_net": ("s-1", "ions per second through the level, net, positive upwards"),
    }
    for name, (units, meaning) in words.items():
        result[name].attrs = {"units": units, "long_name": meaning}
    return result.drop_vars("alt", errors="ignore").assign_coords(
        flux_alt=((), float(heights[level]), {"units": "km", "long_name": "altitude of the flux"})
    )


def magnetospheric_supply(flux: xr.Dataset, fractions: xr.Dataset, wave_power: float, start_alt: float) -> xr.Dataset:
    """Ions per second that reach the magnetosphere: those that rise through the top of a run times their escape fraction.

    Between the level of the flux and the starting altitude of the fraction nothing is assumed lost or sent back: an upper limit.

    Parameters
    ----------
    flux : xarray.Dataset
        From `top_flux`.
    fractions : xarray.Dataset
        From `siderion.sources.ionosphere.escape.escape_fractions`.
    wave_power, start_alt : float
        Coordinates of the fractions, (V/m)^2 Hz-1 and km.

    Returns
    -------
    xarray.Dataset
        ``supply_to_magnetosphere``, ``..._lower`` and ``..._upper`` (species, velocity_time), s-1, for the species in both.

    Raises
    ------
    SettingsError
        No species is in both, or the coordinates are not on the grid of the fractions.
    """
    both = [s for s in map(str, flux["species"].values) if s in set(map(str, fractions["species"].values))]
    if not both:
        raise SettingsError("no species is both in the run and among the escape fractions; name the metals with --species")
    try:
        share = fractions.sel(wave_power=wave_power, start_alt=start_alt, method="nearest", tolerance=1e-9).sel(species=both)
    except KeyError:
        raise SettingsError(
            f"wave power {wave_power:g} and altitude {start_alt:g} km are not on the grid of the fractions"
        ) from None
    result = xr.Dataset()
    for end in ("", "_lower", "_upper"):
        result[f"supply_to_magnetosphere{end}"] = flux["ions_up"].sel(species=both) * share[f"escape_fraction{end}"]
        result[f"supply_to_magnetosphere{end}"].attrs = {
            "units": "s-1", "long_name": f"ions per second that reach the magnetosphere{' (' + end[1:] + ' end)' if end else ''}"
        }  # fmt: skip
    result["supply_is_upper_limit"] = share["escape_fraction_upper_limit"].drop_vars(["wave_power", "start_alt"])
    result["supply_is_upper_limit"].attrs = {"long_name": "no ion of the sample escaped: the supply is an upper limit"}
    return result.drop_vars(["wave_power", "start_alt"], errors="ignore")
