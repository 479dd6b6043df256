"""``siderion sources ionosphere``: share of ionospheric ions that reaches space."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import xarray as xr
from cyclopts import Parameter

from siderion.cli.show import page_beside, print_json, progress_report, write_page
from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import SettingsError, explained
from siderion.io.store import open_dataset, write_netcdf
from siderion.jobs.atomic import atomic_file
from siderion.report import render_report
from siderion.sources.ionosphere.escape import Setting, escape_fractions, reach_profile
from siderion.sources.ionosphere.supply import magnetospheric_supply, top_flux

_LEVELS = 40
_HEIGHTS = (1000e3, 1200e3, 1500e3, 2000e3, 4000e3)
"""Altitudes, m, that the profiles of day and night hold besides `_LEVELS` others."""


def ionosphere(
    *,
    species: str = "O+,N2+,NO+,O2+,Fe+",
    wave_power: Annotated[list[float] | None, Parameter(consume_multiple=True)] = None,
    from_: Annotated[list[float] | None, Parameter(name="--from", consume_multiple=True)] = None,
    preset: str = "day",
    ambipolar: str = "endurance",
    rates: str = "yamauchi",
    no_recombination: Annotated[bool, Parameter(name="--no-recombination", negative="")] = False,
    invariant_latitude: float = 75.0,
    top: float = 3.0 * EARTH_RADIUS * 1e-3,
    particles: int = 4000,
    seed: int = 0,
    run: Path | None = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Share of ions, rising from the topside ionosphere, that waves lift to 4 Earth radii; with a run, its supply of metals.

    Parameters
    ----------
    species
        Ions separated by commas.
    wave_power
        Spectral density of the electric field below the main wave region at the reference frequency (5.6 Hz), (V/m)^2/Hz; one
        or several. That of the preset by default.
    from_
        Altitudes of the start, km; 500 by default.
    preset
        day (main waves above 2000 km), night (above 4000 km) or night_gap (and no waves between 2500 and 4000 km).
    ambipolar
        none, endurance or polar_wind.
    rates
        Recombination of the molecular ions: yamauchi or tiegcm.
    no_recombination
        Leave recombination out.
    invariant_latitude
        Invariant latitude of the field line, degrees.
    top
        Altitude of the upper surface, km; 3 Earth radii above the ground by default.
    particles
        Ions for each share.
    seed
        Seed of the random numbers.
    run
        Output folder of `siderion run`, or its polar.zarr: flux of metal ions through its top, times the share that escapes.
    output
        NetCDF file, with the share that passes each altitude by day and by night; a page with figures goes beside it. None by
        default.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    ions = [one.strip() for one in species.split(",") if one.strip()]
    if not ions:
        raise SettingsError("--species names no ion; write them as O+,O2+,Fe+")
    setting = Setting.named(
        preset, invariant_latitude=invariant_latitude, ambipolar=ambipolar, rates=rates, top=top * 1e3,
        recombination=not no_recombination,
    )  # fmt: skip
    powers = wave_power or [setting.surroundings.waves.pre_power]
    starts = [1e3 * altitude for altitude in from_ or [500.0]]
    page = None if output is None or no_report else page_beside(output)
    flux = None if run is None else _flux(run)
    with progress_report(quiet=json_) as report:
        fractions = escape_fractions(ions, powers, starts, setting, particles, seed, report=report)
    if flux is not None:
        fractions = _with_supply(fractions, flux, powers[0], starts[0] * 1e-3)
    if output is not None:
        passing = _day_and_night(ions, min(starts), setting, particles, seed)
        fractions = fractions.merge(passing, combine_attrs="override")
        with explained(output), atomic_file(output) as temporary:
            write_netcdf(fractions, temporary)
    if page is not None:
        write_page(render_report(fractions), page)
    if json_:
        settings = json.loads(fractions.attrs["settings"])
        print_json("sources ionosphere", {**settings, "run": str(run or "")}, fractions)
        return
    print("\n".join(_text(fractions, setting, flux)))
    if output is not None:
        print(f"wrote {output}" + (f" and {page}" if page else ""))


def _day_and_night(ions: list[str], start: float, setting: Setting, particles: int, seed: int) -> xr.Dataset:
    """Share that passes each altitude in the presets day and night, and in that of the command; wave powers are theirs."""
    around, parts = setting.surroundings, {}
    lowest, highest = max(1.05 * start, start + 20e3), 0.97 * around.top
    if lowest >= highest:
        return xr.Dataset()
    heights = np.unique(np.concatenate([
        np.geomspace(lowest, highest, _LEVELS), [z for z in _HEIGHTS if lowest < z < highest],
    ]))  # fmt: skip
    for name in dict.fromkeys(["day", "night", setting.name]):
        state = Setting.named(
            name, invariant_latitude=around.line.invariant_latitude, ambipolar=setting.ambipolar_name, rates=around.rates,
            top=around.top, recombination=around.electrons is not None,
        )  # fmt: skip
        one = reach_profile(ions, heights.tolist(), start, state, particles, seed)
        waves = state.surroundings.waves
        one["main_altitude"] = ((), 1e-3 * waves.main_altitude, {"units": "km", "long_name": "lower edge of the main waves"})
        one["wave_power"] = ((), waves.pre_power, {"units": "V2 m-2 Hz-1", "long_name": "wave power below the main waves"})
        parts[name] = one.rename({key: f"preset_{key}" for key in one.data_vars})
    result = xr.concat(list(parts.values()), "preset", combine_attrs="override").assign_coords(preset=list(parts))
    result["preset_passing_fraction"].attrs["start_km"] = 1e-3 * start
    return result


def _flux(run: Path) -> xr.Dataset:
    place = run / "polar.zarr" if (run / "polar.zarr").exists() else run
    return top_flux(open_dataset(place))


def _with_supply(fractions: xr.Dataset, flux: xr.Dataset, power: float, start: float) -> xr.Dataset:
    """The fractions with the supply of the species that the run has; missing for the others."""
    supply = magnetospheric_supply(flux, fractions, power, start)
    supply["ions_up"] = flux["ions_up"].sel(species=supply["species"].values)
    limit = supply["supply_is_upper_limit"].reindex(species=fractions["species"], fill_value=False)
    whole = supply.drop_vars("supply_is_upper_limit").reindex(species=fractions["species"])
    whole["supply_is_upper_limit"] = limit
    return fractions.merge(whole, join="exact", combine_attrs="override")


def _text(fractions: xr.Dataset, setting: Setting, flux: xr.Dataset | None) -> list[str]:
    around = setting.surroundings
    lines = [
        f"{setting.name}: main waves {around.waves.main_power:g} (V/m)2/Hz at {around.waves.reference_frequency:g} Hz from "
        f"{around.waves.main_altitude * 1e-3:g} km; ambipolar potential {setting.ambipolar_name}; share of the upward flux that "
        f"reaches {around.top * 1e-3:.0f} km",
        "ion   from km  wave power  escapes               passes into main waves  recombines  from waves eV",
    ]
    for s, ion in enumerate(fractions["species"].values):
        for p, power in enumerate(fractions["wave_power"].values):
            for a, start in enumerate(fractions["start_alt"].values):
                one = fractions.isel(species=s, wave_power=p, start_alt=a)
                value = float(one["escape_fraction"])
                error = 0.5 * float(one["escape_fraction_upper"] - one["escape_fraction_lower"])
                share = f"< {value:.2g}" if bool(one["escape_fraction_upper_limit"]) else f"{value:.3g} +- {error:.1g}"
                gain = float(one["supplied_energy"])
                lines.append(
                    f"{ion!s:5} {start:7g}  {power:10.3g}  {share:20}  {float(one['main_region_fraction']):22.3g}  "
                    f"{float(one['recombined_fraction']):10.3g}  {'-' if np.isnan(gain) else f'{gain:.2f}'}"
                )
    if flux is not None:
        lines.append(f"Metal ions that rise through {float(fractions['flux_alt']):g} km of the run, and what reaches space, s-1:")
        for ion in fractions["species"].values[fractions["ions_up"].notnull().any("velocity_time").values]:
            one = fractions.sel(species=ion)
            limit = "< " if bool(one["supply_is_upper_limit"]) else ""
            for k, moment in enumerate(one["velocity_time"].values):
                lines.append(
                    f"{ion!s:5} {np.datetime_as_string(moment, unit='m')}: {float(one['ions_up'][k]):.3g}, "
                    f"{limit}{float(one['supply_to_magnetosphere'][k]):.3g}"
                )
    return lines
