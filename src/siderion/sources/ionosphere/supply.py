"""Metal ions that leave the top of a transport run, and how many of them reach space."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import xarray as xr

from siderion.core.constants import BOLTZMANN, EARTH_RADIUS
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.species import get_species
from siderion.jobs.progress import Report, silent

from .escape import escape_fractions
from .flight import one_way_speed
from .setting import Setting, attributes

READINGS = ("one_way", "net")
"""What an escape fraction multiplies: the one-way flux of a drifting Maxwellian, or the net flux of the cells that rise."""
_SPACING = 0.25
_SLOWEST = -2.0
"""Nodes of the upflow speed: distance and lowest one, in thermal speeds."""
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
        (species, velocity_time), s-1: sums over the cells that rise, that sink (positive), and their difference;
        ``level_density`` (m-3) and ``level_velocity`` (m s-1, positive upwards, 0 where there are no ions) with the dimensions
        of the flux; ``level_area`` (lat, lon), m2: solid angle of the cell at the radius of the level; coordinate ``flux_alt``
        (km).

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
    order = ("species", "velocity_time", "lat", "lon")
    density = density.astype(np.float64).transpose(*order).drop_vars("alt", errors="ignore")
    speed = polar["velocity_up"].sel(species=chosen).isel(alt=level).astype(np.float64).transpose(*order)
    speed = speed.drop_vars("alt", errors="ignore")
    flux = density * speed
    area = polar["solid_angle"].astype(np.float64) * (EARTH_RADIUS + 1e3 * float(heights[level])) ** 2
    covered = (area > 0.0).broadcast_like(flux)
    if not np.isfinite(flux.where(covered, 0.0).values).all():
        raise DataError(f"the flux at {heights[level]:g} km is not finite somewhere; is the run complete?")
    flux = flux.where(covered, 0.0)
    result = xr.Dataset({"upward_flux": flux, "level_density": density.where(covered, 0.0)})
    result["level_velocity"], result["level_area"] = speed.where(covered & (density > 0.0), 0.0), area
    result["ions_up"] = (flux.clip(min=0.0) * area).sum(("lat", "lon"))
    result["ions_down"] = (-flux.clip(max=0.0) * area).sum(("lat", "lon"))
    result["ions_net"] = result["ions_up"] - result["ions_down"]
    words = {
        "level_density": ("m-3", "density of the ions at the level"),
        "level_velocity": ("m s-1", "upward velocity of the ions at the level"),
        "level_area": ("m2", "area of the cells at the level"),
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


def fractions_by_upflow(
    flux: xr.Dataset, setting: Setting, wave_power: float, start: float, species: Sequence[str], particles: int = 4000,
    seed: int = 0, report: Report = silent,
) -> xr.Dataset:  # fmt: skip
    """Escape fractions for the upflow speeds of a run at its level, in place of that of the preset.

    Parameters
    ----------
    flux : xarray.Dataset
        From `top_flux`.
    setting : Setting
        Its ion temperature holds; its upflow speed is not used.
    wave_power, start : float
        (V/m)^2 Hz-1, and altitude of the start of the test particles, m.
    species : sequence of str
        Ions; those that the run lacks are left out.
    particles, seed, report
        As in `siderion.sources.ionosphere.escape.escape_fractions`.

    Returns
    -------
    xarray.Dataset
        Results of `escape_fractions` (upflow, species, wave_power, start_alt); ``upflow`` in m s-1, from the lowest to the
        highest speed of the level, a quarter of a thermal speed apart or closer (25 at most); down to -2 thermal speeds.
    """
    both = _common(flux, species)
    thermal = min(float(np.sqrt(BOLTZMANN * setting.ion_temperature / get_species(ion).mass)) for ion in both)
    speeds = flux["level_velocity"].sel(species=both)
    low = max(float(speeds.min()), _SLOWEST * thermal)
    high = max(float(speeds.max()), low)
    nodes = int(np.clip(np.ceil((high - low) / (_SPACING * thermal)) + 1, 2, 25)) if high > low else 1
    grid = np.linspace(low, high, nodes)
    parts = [
        escape_fractions(both, [wave_power], [start], setting.changed(upflow_speed=float(w)), particles, seed, report=report)
        for w in grid
    ]
    result = xr.concat(parts, "upflow", combine_attrs="override", coords="minimal", compat="override")
    return result.assign_coords(
        upflow=("upflow", grid, {"units": "m s-1", "long_name": "upflow speed of the ions at the start"})
    ).assign_attrs(attributes(setting, particles, seed, both))


def magnetospheric_supply(
    flux: xr.Dataset,
    fractions: xr.Dataset,
    wave_power: float,
    start_alt: float,
    reading: str = "one_way",
    temperature: float | None = None,
) -> xr.Dataset:
    """Ions per second that reach the magnetosphere, from the top of a run and the escape fractions.

    An escape fraction is a share of the upward one-way flux of a drifting Maxwellian. The reading ``one_way`` multiplies it with
    just that flux: density of the run, times `one_way_speed` for its upflow and the temperature, times the share for this upflow,
    cell by cell. Cells that sink send their fast ions up too. Vertical stands for along B. The reading ``net`` multiplies the net
    flux of the cells that rise with the share of the preset: it stands for a run whose upflow goes on unchanged to the start of
    the test particles and gets the speed and temperature of the preset there. Where the run rises slower than the ions move at
    random, it is lower.

    Neither is a bound. Between the level of the run and the start nothing is lost, sent back or thinned out, which is too much
    where the level is lower than the start; nor does what escapes react on the density of the run.

    Parameters
    ----------
    flux : xarray.Dataset
        From `top_flux`.
    fractions : xarray.Dataset
        For ``one_way`` from `fractions_by_upflow`, with the dimension ``upflow``; for ``net`` from
        `siderion.sources.ionosphere.escape.escape_fractions`.
    wave_power, start_alt : float
        Coordinates of the fractions, (V/m)^2 Hz-1 and km.
    reading : {"one_way", "net"}
    temperature : float, optional
        Of the ions at the start, K, for ``one_way``; that of the settings of the fractions by default.

    Returns
    -------
    xarray.Dataset
        ``supply_to_magnetosphere``, ``..._lower`` and ``..._upper`` (species, velocity_time), s-1, for the species in both;
        ``supply_is_upper_limit`` and ``supply_rests_on_few_ions`` (species). With ``one_way`` also ``ions_one_way``, s-1.

    Raises
    ------
    SettingsError
        No species is in both, the coordinates are not on the grid of the fractions, or the fractions do not fit the reading.
    """
    if reading not in READINGS:
        raise SettingsError(f"unknown reading {reading!r} of the supply; use one of {', '.join(READINGS)}")
    if ("upflow" in fractions.dims) != (reading == "one_way"):
        raise SettingsError(
            f"the reading {reading} needs fractions from {'fractions_by_upflow' if reading == 'one_way' else 'escape_fractions'}"
        )
    both = _common(flux, list(map(str, fractions["species"].values)))
    try:
        share = fractions.sel(wave_power=wave_power, start_alt=start_alt, method="nearest", tolerance=1e-9).sel(species=both)
    except KeyError:
        raise SettingsError(
            f"wave power {wave_power:g} and altitude {start_alt:g} km are not on the grid of the fractions"
        ) from None
    share, some = share.drop_vars(["wave_power", "start_alt"]), flux.sel(species=both)
    result = xr.Dataset()
    if reading == "one_way":
        kelvin = json.loads(fractions.attrs["settings"])["ion_temperature_K"] if temperature is None else temperature
        upward = _one_way_flux(some, float(kelvin))
        result["ions_one_way"] = (upward * some["level_area"]).sum(("lat", "lon"))
        result["ions_one_way"].attrs = {"units": "s-1", "long_name": "one-way flux of a drifting Maxwellian through the level"}
    for end in ("", "_lower", "_upper"):
        supply = some["ions_up"] * share[f"escape_fraction{end}"] if reading == "net" else (
            upward * _share_of_cells(some["level_velocity"], share[f"escape_fraction{end}"]) * some["level_area"]
        ).sum(("lat", "lon"))  # fmt: skip
        result[f"supply_to_magnetosphere{end}"] = supply
        result[f"supply_to_magnetosphere{end}"].attrs = {
            "units": "s-1", "long_name": f"ions per second that reach the magnetosphere{' (' + end[1:] + ' end)' if end else ''}",
            "reading": reading,
        }  # fmt: skip
    flags = (
        (
            "supply_is_upper_limit",
            share["escape_fraction_upper_limit"],
            "no ion of a sample escaped: the supply is an upper limit",
        ),
        ("supply_rests_on_few_ions", share["escape_fraction_flag"] > 0, "a share rests on a few ions: the ends mean nothing"),
    )
    for name, flag, words in flags:
        result[name] = flag.any("upflow") if reading == "one_way" else flag
        result[name].attrs = {"long_name": words}
    return result


def _common(flux: xr.Dataset, species: Sequence[str]) -> list[str]:
    both = [s for s in map(str, flux["species"].values) if s in set(species)]
    if not both:
        raise SettingsError("no species is both in the run and among the escape fractions; name the metals with --species")
    return both


def _one_way_flux(flux: xr.Dataset, temperature: float) -> xr.DataArray:
    """One-way flux of the cells, m-2 s-1."""
    masses = {str(s): get_species(str(s)).mass for s in flux["species"].values}
    parts = [
        one.copy(data=one.values * one_way_speed(flux["level_velocity"].sel(species=s).values, temperature, mass))
        for s, mass in masses.items()
        for one in [flux["level_density"].sel(species=s)]
    ]
    return xr.concat(parts, "species", coords="minimal", compat="override")


def _share_of_cells(speed: xr.DataArray, share: xr.DataArray) -> xr.DataArray:
    """Share for the upflow speed of each cell: its logarithm linear between the nodes, constant below the lowest."""
    grid = share["upflow"].values
    if float(speed.max()) > grid[-1] + 1e-6 * max(abs(grid[-1]), 1.0):
        raise SettingsError(
            f"the run rises with {float(speed.max()):g} m/s, the fractions end at {grid[-1]:g} m/s; add higher ones"
        )
    parts = []
    for name in speed["species"].values:
        # a lower end of 0, where no ion escapes, stays as good as 0
        logs = np.log(np.maximum(share.sel(species=name).transpose("upflow").values, 1e-300))
        one = speed.sel(species=name)
        parts.append(one.copy(data=np.exp(np.interp(one.values, grid, logs))))
    return xr.concat(parts, "species", coords="minimal", compat="override")
