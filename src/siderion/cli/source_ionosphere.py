"""``siderion sources ionosphere``: share of ionospheric ions that reaches space."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import xarray as xr
from cyclopts import Parameter

from siderion.cli.show import names_in, numbers_in, page_beside, print_json, progress_report, write_page
from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import SettingsError, explained
from siderion.io.store import open_dataset, write_netcdf
from siderion.jobs.atomic import atomic_file
from siderion.report import render_report
from siderion.sources.ionosphere.escape import escape_fractions, reach_profile
from siderion.sources.ionosphere.molecular import ASSUMED_METALS
from siderion.sources.ionosphere.setting import Setting
from siderion.sources.ionosphere.supply import READINGS, fractions_by_upflow, magnetospheric_supply, top_flux

_LEVELS = 40
_HEIGHTS = (1000e3, 1200e3, 1500e3, 2000e3, 4000e3)
"""Altitudes, m, that the profiles of day and night hold besides `_LEVELS` others."""


def ionosphere(
    *,
    species: str = "O+,N2+,NO+,O2+,Fe+",
    wave_power: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    from_: Annotated[list[str] | None, Parameter(name="--from", consume_multiple=True)] = None,
    preset: str = "day",
    plasma: str = "",
    upflow: float | None = None,
    ion_temperature: float | None = None,
    main_altitude: float | None = None,
    main_power: float | None = None,
    spectral_index: float | None = None,
    ambipolar: str = "endurance",
    rates: str = "yamauchi",
    no_recombination: Annotated[bool, Parameter(name="--no-recombination", negative="")] = False,
    invariant_latitude: float = 75.0,
    top: float = 3.0 * EARTH_RADIUS * 1e-3,
    particles: int = 4000,
    seed: int = 0,
    run: Path | None = None,
    reading: str = "one_way",
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
    plasma
        Electrons, and ions at the start, of another preset: day or night; those of the preset by default.
    upflow
        Upflow speed of the ions at the start, m/s; negative where they sink; that of the preset by default.
    ion_temperature
        Of the ions at the start, K; that of the preset by default.
    main_altitude
        Altitude from which the main waves act, km; that of the preset by default.
    main_power
        Spectral density of the main waves at the reference frequency, (V/m)^2/Hz; that of the preset by default.
    spectral_index
        The waves fall with frequency as f^-index; that of the preset by default.
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
        Output folder of `siderion run`, or its polar.zarr: metal ions at its top, and how many of them escape, for the first wave
        power and start.
    reading
        one_way: density of the run times the one-way flux of a Maxwellian with its upflow speed, times the share for that speed.
        net: net flux of the cells that rise, times the share of the table.
    output
        NetCDF file, with the share that passes each altitude by day and by night; a page with figures goes beside it. None by
        default.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    ions = names_in(species)
    if not ions:
        raise SettingsError("--species names no ion; write them as O+,O2+,Fe+")
    setting = Setting.named(
        preset, invariant_latitude=invariant_latitude, ambipolar=ambipolar, rates=rates, top=top * 1e3,
        recombination=not no_recombination, plasma=plasma,
    ).changed(
        upflow_speed=upflow, ion_temperature=ion_temperature, main_power=main_power, spectral_index=spectral_index,
        main_altitude=None if main_altitude is None else 1e3 * main_altitude,
    )  # fmt: skip
    if reading not in READINGS:
        raise SettingsError(f"--reading is {reading!r}; use one of {', '.join(READINGS)}")
    powers = numbers_in(wave_power or [], "--wave-power") or [setting.surroundings.waves.pre_power]
    starts = [1e3 * altitude for altitude in numbers_in(from_ or ["500"], "--from")]
    page = None if output is None or no_report else page_beside(output)
    flux = None if run is None else _flux(run)
    with progress_report(quiet=json_) as report:
        fractions = escape_fractions(ions, powers, starts, setting, particles, seed, report=report)
        if flux is not None:
            shares = fractions
            if reading == "one_way":
                shares = fractions_by_upflow(flux, setting, powers[0], starts[0], ions, particles, seed, report)
            fractions = _with_supply(fractions, shares, flux, starts[0] * 1e-3, reading)
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
    """Share that passes each altitude in the presets day and night, and in the state of the command; wave powers are theirs."""
    around, parts = setting.surroundings, {}
    lowest, highest = max(1.05 * start, start + 20e3), 0.97 * around.top
    if lowest >= highest:
        return xr.Dataset()
    heights = np.unique(np.concatenate([
        np.geomspace(lowest, highest, _LEVELS), [z for z in _HEIGHTS if lowest < z < highest],
    ]))  # fmt: skip
    options: dict[str, Any] = {
        "invariant_latitude": around.line.invariant_latitude, "ambipolar": setting.ambipolar_name, "rates": around.rates,
        "top": around.top, "recombination": around.electrons is not None,
    }  # fmt: skip
    states = {name: Setting.named(name, **options) for name in ("day", "night")}
    states.setdefault(setting.name, setting)
    for name, state in states.items():
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


def _with_supply(fractions: xr.Dataset, shares: xr.Dataset, flux: xr.Dataset, start: float, reading: str) -> xr.Dataset:
    """The fractions with the supply of the species that the run has; missing for the others."""
    supply = magnetospheric_supply(flux, shares, float(fractions["wave_power"][0]), start, reading)
    supply["ions_up"] = flux["ions_up"].sel(species=supply["species"].values)
    flags = [str(name) for name in supply.data_vars if supply[name].dtype == bool]
    whole = supply.drop_vars(flags).reindex(species=fractions["species"])
    for name in flags:
        whole[name] = supply[name].reindex(species=fractions["species"], fill_value=False)
    return fractions.merge(whole, join="exact", combine_attrs="override")


def _text(fractions: xr.Dataset, setting: Setting, flux: xr.Dataset | None) -> list[str]:
    around = setting.surroundings
    lines = [
        f"{setting.name.replace('_', ' ')}: main waves {around.waves.main_power:g} (V/m)2/Hz at "
        f"{around.waves.reference_frequency:g} Hz from "
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
                if int(one["escape_fraction_flag"]):
                    share = f"about {value:.1g} (few ions)"
                lines.append(
                    f"{ion!s:5} {start:7g}  {power:10.3g}  {share:20}  {_or_dash(one['main_region_fraction'], '.3g'):>22}  "
                    f"{float(one['recombined_fraction']):10.3g}  {_or_dash(one['supplied_energy'], '.2f')}"
                )
    if setting.changes:
        lines.insert(1, f"changed: {', '.join(setting.changes)}")
    if bool(fractions["main_region_fraction"].isnull().any()):
        lines.append("no share passes into the main waves: they begin above the upper surface")
    if any(ion in ASSUMED_METALS for ion in fractions["species"].values) and around.electrons is not None:
        lines.append("recombination of metal ions without a rate: that of Mg+ is assumed")
    return lines + ([] if flux is None else _supply_text(fractions))


def _supply_text(fractions: xr.Dataset) -> list[str]:
    one_way = "ions_one_way" in fractions
    what = "one-way flux for its density and upflow" if one_way else "net flux of the cells that rise"
    lines = [f"Metal ions at {float(fractions['flux_alt']):g} km of the run, s-1: {what}, and what of it reaches space"]
    known = fractions["supply_to_magnetosphere"].notnull().any("velocity_time").values
    for ion in fractions["species"].values[known]:
        one = fractions.sel(species=ion)
        mark = "< " if bool(one["supply_is_upper_limit"]) else "about " if bool(one["supply_rests_on_few_ions"]) else ""
        for k, moment in enumerate(one["velocity_time"].values):
            base = float(one["ions_one_way" if one_way else "ions_up"][k])
            lines.append(
                f"{ion!s:5} {np.datetime_as_string(moment, unit='m')}: {base:.3g}, "
                f"{mark}{float(one['supply_to_magnetosphere'][k]):.3g}"
            )
    return lines


def _or_dash(value: xr.DataArray, style: str) -> str:
    return "-" if np.isnan(float(value)) else format(float(value), style)
