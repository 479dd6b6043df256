"""``siderion design orbit``, ``angle`` and ``gain``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import xarray as xr
from cyclopts import Parameter

from siderion.cli.design_species import AREA_TO_SI, FLUX_TO_SI, KILO, check_numbers, finish
from siderion.cli.show import names_in, numbers_in
from siderion.core.errors import SettingsError
from siderion.geospace.orbit_elements import Orbit, orbit_from_altitudes
from siderion.spectrometer.design import angular
from siderion.spectrometer.design import gain as fatigue
from siderion.spectrometer.design.answers import design_attributes
from siderion.spectrometer.design.orbit_use import orbit_use, region_named
from siderion.spectrometer.design.settings import Demand, default
from siderion.spectrometer.exposure import sensitivity
from siderion.spectrometer.exposure_track import positive_ion
from siderion.spectrometer.instruments import get_instrument

_FATIGUE = ("fall of the efficiency", "exponential, with the scale that was given", "unverified",
            "Kistler et al. 2013, doi:10.1002/jgra.50557, remembered: detectors fatigue so; no scale is shipped")  # fmt: skip


def orbit(
    altitudes: str = "",
    *,
    epoch: str,
    region: str | None = None,
    raan: float = 0.0,
    argument_of_perigee: float = 0.0,
    days: float = 365.25,
    step: float = 300.0,
    flux: float | None = None,
    energy_width: float = 1.0,
    instrument: str | None = None,
    geometric_factor: float | None = None,
    efficiency: float | None = None,
    duty_cycle: float | None = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Hours a year that an orbit spends in each region, and the counts of a flux there.

    Parameters
    ----------
    altitudes
        Perigee, apogee (km) and inclination (degrees), such as 500:33000:90; that of the proposed ESCAPE, polar, by default.
    epoch
        UTC time of the elements and begin, such as 2020-01-01.
    region
        Regions separated by commas; all by default.
    raan
        Right ascension of the ascending node, degrees.
    argument_of_perigee
        Degrees.
    days
        Days that are followed.
    step
        Step, s.
    flux
        Differential flux, cm-2 s-1 sr-1 keV-1, for the counts.
    energy_width
        Width of the energies that are counted, keV.
    instrument
        Instrument whose geometric factor and efficiency count.
    geometric_factor
        In place of it, cm2 sr.
    efficiency
        Efficiency; that of the instrument, or 1, by default.
    duty_cycle
        Share of the time in which an energy is looked at; that of the instrument, or 1, by default.
    output
        NetCDF file, with a page beside it; none by default.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    check_numbers({
        "--energy-width": energy_width, "--geometric-factor": geometric_factor, "--efficiency": efficiency,
        "--duty-cycle": duty_cycle, "--flux": flux, "--days": days, "--step": step,
    })  # fmt: skip
    check_numbers({"--raan": raan, "--argument-of-perigee": argument_of_perigee}, positive=False)
    found = _orbit(altitudes, epoch, raan, argument_of_perigee)
    rate = None if flux is None else _rate(flux, energy_width, instrument, geometric_factor, efficiency, duty_cycle)
    result = orbit_use(found, days=days, step=step, count_rate=rate)
    if region is not None:
        result = result.sel(region=[region_named(name) for name in names_in(region)])
    result.attrs |= design_attributes("Use of an orbit", {}, None, str(result.attrs.get("sources", "[]")), rows=())
    ends = [(end - 6371.2e3) / KILO for end in (found.perigee, found.apogee)]
    lines = [
        f"orbit {ends[0]:.0f} x {ends[1]:.0f} km, inclination {found.inclination:g} degrees, period {found.period / 3600.0:.2f} h"
    ]
    for k, name in enumerate(result["region"].values):
        words = (
            f"{name!s:22}{float(result['hours_per_year'][k]):9.1f} h a year {100 * float(result['residence_share'][k]):6.2f} %"
        )
        lines.append(words + (f"{float(result['counts_per_year'][k]):12.3g} counts" if rate is not None else ""))
    lines.append(
        "The limits of the regions are conventions, most of them unverified: see the table residence_regions.csv and "
        "docs/observation_design.md."
    )
    settings = {
        "command": "orbit", "perigee_km": ends[0], "apogee_km": ends[1], "inclination": found.inclination, "epoch": epoch,
        "raan": raan, "argument_of_perigee": argument_of_perigee, "days": days, "step_s": step, "flux": flux,
        "energy_width_keV": energy_width, "instrument": instrument, "geometric_factor_cm2_sr": geometric_factor,
        "efficiency": efficiency, "duty_cycle": duty_cycle, "count_rate_s-1": rate,
    }  # fmt: skip
    finish(result, settings, lines, output, no_report, json_)


def angle(
    *,
    resolution: str = "22.5,6",
    cone: float = 10.0,
    excess: float = -1.0,
    distance: float | None = None,
    ion: str = "K+",
    speed: float = 400.0,
    field: float = 5.0,
    error: float = 1737.4,
    confidence: float | None = None,
    power: float | None = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Counts that show a loss cone or a beam, and that place a source, for several angular resolutions.

    Parameters
    ----------
    resolution
        Angular resolutions, degrees, separated by commas.
    cone
        Half angle of the loss cone or the beam, degrees.
    excess
        Flux in the cone over that outside, less 1: -1 is an empty loss cone.
    distance
        Distance of the source, km; by default the gyroradius of the ion.
    ion
        Ion that turns in the field.
    speed
        Its speed across the field, km s-1.
    field
        Magnetic field, nT.
    error
        Wanted standard error of the place, km; by default a radius of the Moon.
    confidence
        One-sided confidence; three standard deviations by default.
    power
        Probability of the detection; 0.9 by default.
    output
        NetCDF file, with a page beside it; none by default.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    numbers = numbers_in([resolution], "--resolution")
    if not numbers:
        raise SettingsError("--resolution is empty; give degrees, such as --resolution 22.5,6")
    check_numbers({"--distance": distance, "--speed": speed, "--field": field, "--error": error, "--cone": cone,
                   **{f"--resolution {value:g}": value for value in numbers}})  # fmt: skip
    demand = Demand(**{name: v for name, v in (("confidence", confidence), ("power", power)) if v is not None})
    one = positive_ion(ion)
    away = angular.gyroradius(one.mass, one.charge, speed * KILO, field * 1e-9) if distance is None else distance * KILO
    rows = [
        (angular.cone_counts_needed(r, cone, excess, demand), angular.source_position_error(away, r, 1.0),
         angular.source_counts_needed(away, r, error * KILO))
        for r in numbers
    ]  # fmt: skip
    names = {
        "cone_counts_needed": ("1", "counts of all pitch angles that show the cone"),
        "source_error": ("m", "standard error of the place of the source from one count"),
        "source_counts_needed": ("1", "counts that place the source to the wanted error"),
    }
    columns = np.array(rows).T
    result = xr.Dataset(
        {name: ("angular_resolution", column, dict(zip(("units", "long_name"), text, strict=True)))
         for (name, text), column in zip(names.items(), columns, strict=True)},
        coords={"angular_resolution": ("angular_resolution", numbers, {"units": "degrees", "long_name": "angular resolution"})},
    )  # fmt: skip
    result.attrs = design_attributes("Angular resolution", {})
    settings = {
        "command": "angle", "cone_degrees": cone, "excess": excess, "distance_km": away / KILO, "ion": ion, "speed_km_s": speed,
        "field_nT": field, "error_km": error, "confidence": demand.confidence, "power": demand.power,
    }  # fmt: skip
    lines = [
        f"cone of {cone:g} degrees, excess {excess:g}; source at {away / KILO:.0f} km"
        + (f" (gyroradius of {ion})" if distance is None else "")
    ]
    lines += [
        f"{r:6.3g} degrees: cone after {row[0]:.3g} counts; one count places the source to {row[1] / KILO:.0f} km, "
        f"{np.ceil(row[2]):.0f} counts to {error:g} km"
        for r, row in zip(numbers, rows, strict=True)
    ]
    finish(result, settings, lines, output, no_report, json_)


def gain(
    *,
    duration: str,
    scale: float,
    floor: float = 0.0,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Exposure and limits of a detector whose efficiency falls exponentially; the scale is yours, none is shipped.

    Parameters
    ----------
    duration
        Times since the begin, years, separated by commas.
    scale
        Time after which the part above the floor has fallen to 1/e, years.
    floor
        Share of the efficiency that stays.
    output
        NetCDF file, with a page beside it; none by default.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    years = numbers_in([duration], "--duration")
    if not years:
        raise SettingsError("--duration is empty; give years, such as --duration 1,5,10")
    made = {
        "efficiency_left": (fatigue.efficiency_left(years, scale, floor), "1", "efficiency over that at the begin"),
        "effective_exposure": (
            fatigue.effective_exposure(years, scale, floor),
            "year",
            "time of the fresh detector that counts as much",
        ),
        "limit_factor": (fatigue.limit_factor(years, scale, floor), "1", "factor by which limits rise"),
    }
    result = xr.Dataset(
        {name: ("duration", np.asarray(v), {"units": u, "long_name": text}) for name, (v, u, text) in made.items()},
        coords={"duration": ("duration", years, {"units": "year", "long_name": "time since the begin"})},
    )
    result.attrs = design_attributes("Gain fatigue", {}, rows=[_FATIGUE])
    lines = [f"efficiency falls with a scale of {scale:g} years to {floor:g}"]
    lines += [
        f"{year:6g} years: efficiency {float(result['efficiency_left'][k]):.3g}, "
        f"counts as {float(result['effective_exposure'][k]):.3g} years, "
        f"limits {float(result['limit_factor'][k]):.3g} times higher"
        for k, year in enumerate(years)
    ]
    finish(
        result,
        {"command": "gain", "duration_years": years, "scale_years": scale, "floor": floor},
        lines,
        output,
        no_report,
        json_,
    )


def _orbit(text: str, epoch: str, raan: float, argument: float) -> Orbit:
    parts = text.split(":") if text else [str(default("escape_perigee")), str(default("escape_apogee")), "90"]
    try:
        low, high, tilt = (float(part) for part in parts)
        moment = np.datetime64(epoch, "ns")
    except ValueError:
        raise SettingsError(
            f"orbit {text!r} at {epoch!r}: write perigee:apogee:inclination in km and degrees, such as "
            "500:33000:90, and the epoch as an ISO date"
        ) from None
    return orbit_from_altitudes(low, high, tilt, raan=raan, argument_of_perigee=argument, epoch=moment)


def _rate(
    flux: float,
    width: float,
    instrument: str | None,
    factor: float | None,
    efficiency: float | None,
    duty_cycle: float | None,
) -> float:
    """Counts per second of a flux."""
    area = None if factor is None else factor * AREA_TO_SI
    if instrument is None and area is None:
        raise SettingsError("counts of a flux need a geometric factor: give --geometric-factor (cm2 sr) or --instrument")
    share = 1.0 if efficiency is None else efficiency
    duty = duty_cycle if duty_cycle is not None else 1.0 if instrument is None else get_instrument(instrument).duty_cycle
    seen = (
        float(area) * share
        if instrument is None and area is not None
        else sensitivity(get_instrument(str(instrument)), area, efficiency)
    )
    if not (flux >= 0.0 and width > 0.0 and 0.0 < duty <= 1.0):
        raise SettingsError(
            f"flux {flux}, energy width {width} keV, duty cycle {duty}: flux not negative, width positive, duty up to 1"
        )
    return flux * FLUX_TO_SI * width * KILO * seen * duty
