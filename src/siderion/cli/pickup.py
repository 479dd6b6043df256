"""``siderion pickup``: ions of the Moon, picked up by the solar wind and followed to the Earth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import xarray as xr
from cyclopts import Parameter

from siderion.cli.show import names_in, page_beside, print_json, write_page
from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import CoverageError, SettingsError, explained
from siderion.frames.gsm import gse_to_gsm
from siderion.frames.moon import moon_position_from_phase, moon_position_gse
from siderion.geospace.lunar import lunar_local_time, lunar_sector
from siderion.io.store import write_netcdf
from siderion.jobs.atomic import atomic_file
from siderion.report import render_report
from siderion.sources.moon.pickup import make_scene
from siderion.sources.moon.results import compare_with_suleica, simulate_pickup
from siderion.sources.moon.settings import PickupSettings

_NEARLY_ACROSS = 30.0
"""Degrees from the perpendicular within which the text says that the field is the best case."""


def pickup(
    *,
    species: str,
    imf: Annotated[str, Parameter(allow_leading_hyphen=True)],
    date: str | None = None,
    moon: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    phase: float | None = None,
    speed: float | None = None,
    density: float | None = None,
    speed_spread: float = 0.0,
    imf_spread: float = 0.0,
    all_clock_angles: Annotated[bool, Parameter(negative="")] = False,
    no_aberration: Annotated[bool, Parameter(name="--no-aberration", negative="")] = False,
    source: str = "sputter",
    plasma: str = "solar-wind",
    yields: str = "brotzner2024",
    yield_energy: Annotated[bool, Parameter(negative="")] = False,
    regolith: str = "highland",
    photo_rate: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    at: Annotated[str, Parameter(allow_leading_hyphen=True)] = "bow-shock",
    radius: float = 15.0,
    tail_limit: float = 0.0,
    particles: int = 20_000,
    seed: int = 0,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Pick ions of the Moon up in a given solar wind and follow them to the Earth.

    Give the place of the Moon with one of --date, --moon and --phase. The plasma is uniform: ions move on exact cycloids.

    Parameters
    ----------
    species
        Ions separated by commas, such as Fe+,Na+.
    imf
        Magnetic field Bx,By,Bz in GSE, nT, such as 0,5,0 or -3.5,3.5,0. Its north component shapes the magnetopause: with
        --date it is turned to GSM, without it GSM is taken as GSE.
    date
        UTC time for the position of the Moon, such as 2024-04-08T18:00.
    moon
        Position of the Moon X,Y,Z in GSE, Earth radii, such as 60,0,0 or -60,0,0.
    phase
        Angle of the Moon from the Sun, degrees: 0 new Moon, 90 first quarter, 180 full Moon.
    speed
        Speed of the plasma, km/s; that of the plasma state by default.
    density
        Density of all ions of the plasma, cm-3; that of the plasma state by default.
    speed_spread
        Standard deviation of the speed over the time of the average, km/s.
    imf_spread
        Standard deviation of each component of the field over the time of the average, nT.
    all_clock_angles
        Turn the field about the flow by random angles, as in an average over a long time.
    no_aberration
        Let the plasma come straight from the Sun; else the motion of the Earth turns it by some 4 degrees.
    source
        sputter (ions off the surface), photo (ions that sunlight makes in the exosphere, which may be far more), or all.
    plasma
        What sputters and carries: solar-wind, cir, cme, magnetosheath, plasma-sheet or lobe.
    yields
        Sputter yields: brotzner2024, high, a number of atoms per ion for all ions, or H=...,He=...,O=....
    yield_energy
        Let the yields follow the energy of the ions; zero below the threshold.
    regolith
        highland or mare.
    photo_rate
        Rates of photo-ionisation at the Moon, such as Fe=1e-6 (s-1), for elements without one in the table.
    at
        Where ions arrive: bow-shock, magnetopause, or the X of a plane, Earth radii.
    radius
        Radius of the disc on a plane in which arrivals count, Earth radii.
    tail_limit
        X behind which arrivals at bow shock and magnetopause do not count, Earth radii; -30 to the nose.
    particles
        Test ions per species and source.
    seed
        Seed of the random numbers.
    output
        NetCDF file; a page with figures goes beside it.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    settings = PickupSettings.make({
        "species": names_in(species), "moon": _moon(date, moon, phase),
        "imf": _vector("--imf", imf), "bz_gsm": _bz_gsm(date, imf), "speed": speed, "density": density,
        "speed_spread": speed_spread, "imf_spread": imf_spread, "clock_angles": "all" if all_clock_angles else "given",
        "aberration": not no_aberration, "source": source, "plasma": plasma, "yields": _yields(yields),
        "yield_energy": yield_energy, "regolith": regolith, "photo_rates": _pairs("--photo-rate", photo_rate or []),
        "at": _place(at), "radius": radius, "tail_limit": tail_limit, "particles": particles, "seed": seed,
    })  # fmt: skip
    page = None if output is None or no_report else page_beside(output)
    result = simulate_pickup(settings)
    if output is not None:
        with explained(output), atomic_file(output) as temporary:
            write_netcdf(result, temporary)
    if page is not None:
        write_page(render_report(result), page)
    if json_:
        print_json("pickup", settings.model_dump(mode="json"), result)
        return
    print("\n".join(_text(result, settings)))
    if output is not None:
        print(f"wrote {output}" + (f" and {page}" if page else ""))


def _moon(date: str | None, moon: str | None, phase: float | None) -> tuple[float, ...]:
    """Position of the Moon in GSE, RE, from the one option that is given."""
    if sum(value is not None for value in (date, moon, phase)) != 1:
        raise SettingsError("the place of the Moon: give exactly one of --date, --moon X,Y,Z and --phase")
    if moon is not None:
        return _vector("--moon", moon)
    if phase is not None:
        position = moon_position_from_phase(phase)
    else:
        try:
            moment = np.datetime64(str(date), "ns")
        except ValueError:
            raise SettingsError(f"--date {date}: write a UTC time such as 2024-04-08T18:00") from None
        position = moon_position_gse(moment)
    return tuple(float(value) for value in position / EARTH_RADIUS)


def _bz_gsm(date: str | None, imf: str) -> float | None:
    """North component of the field in GSM, nT; none without a date or a dipole for it."""
    if date is None:
        return None
    try:
        return float(gse_to_gsm(_vector("--imf", imf), np.datetime64(date, "ns"))[2])
    except CoverageError:
        # the text says that GSM is taken as GSE
        return None


def _vector(name: str, text: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) != 3:
        raise SettingsError(f"{name} {text}: write three numbers with commas, such as 0,5,0")
    return values


def _pairs(name: str, pairs: list[str]) -> dict[str, float]:
    result = {}
    for pair in pairs:
        key, _, text = pair.partition("=")
        try:
            result[key] = float(text)
        except ValueError:
            raise SettingsError(f"{name} {pair}: write it as name=number, such as Fe=1e-6") from None
    return result


def _yields(text: str) -> str | float | dict[str, float]:
    if "=" in text:
        return _pairs("--yields", text.split(","))
    try:
        return float(text)
    except ValueError:
        return text


def _place(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def _text(result: xr.Dataset, settings: PickupSettings) -> list[str]:
    local_time = float(lunar_local_time(settings.moon))
    lines = [
        "Moon at {:.1f}, {:.1f}, {:.1f} RE (GSE), lunar local time {:.1f} h, sector {}".format(
            *settings.moon, local_time, int(lunar_sector(local_time))
        ),
        f"arrival at the {result.attrs['surface']}, nose at {result.attrs['surface_nose_re']:.1f} RE, "
        f"fluxes are means over {result.attrs['surface_area_m2'] * 1e4:.2g} cm2",
    ]
    lines += _cautions(settings)
    reasons = json.loads(result.attrs["no_arrival_reason"])
    for name in map(str, result["species"].values):
        lines += _species_text(result.sel(species=name), name, reasons.get(name, ""))
    simulated, observed = compare_with_suleica(result)
    if simulated > 0.0:
        lines.append(
            f"m/q 23 to 37: {simulated:.2g} cm-2 s-1 sr-1 keV-1, mean over area and 4 pi; AMPTE/SULEICA saw at least {observed:g}"
        )
    return lines


def _cautions(settings: PickupSettings) -> list[str]:
    """What the settings leave out or make favourable."""
    scene = make_scene(settings)
    lines = []
    if settings.at in ("bow-shock", "magnetopause"):
        lines.append(
            f"magnetopause for Bz {settings.north_field:.1f} nT, "
            + ("taking GSM as GSE (the dipole turns them apart)" if settings.bz_gsm is None else "in GSM at that date")
        )
    if scene.flow_angle > 90.0 - _NEARLY_ACROSS and settings.clock_angles == "given":
        lines.append(
            f"the field is {scene.flow_angle:.0f} degrees from the flow: best case, as ions drift along the flow; along "
            "the Parker spiral they drift aside and several times fewer arrive on average"
        )
    if settings.source == "sputter":
        lines.append("ions of the exosphere are left out (--source sputter); they may be the larger part, see --source all")
    return lines


def _species_text(one: xr.Dataset, name: str, reason: str) -> list[str]:
    kilo = 1e-3
    lines = [
        f"{name}: launched {float(one['launch_rate']):.3g} s-1; {float(one['share_striking_moon']):.1%} strike the Moon, "
        f"{float(one['share_arriving']):.1%} arrive, {float(one['share_missing']):.1%} miss",
        f"{name}: cycloid {float(one['cycloid_length']):.1f} RE long, {2 * float(one['gyroradius']):.1f} RE high; energy up to "
        f"{float(one['pickup_energy_largest']) * kilo:.0f} keV, "
        f"mean of a cycle {float(one['pickup_energy_mean']) * kilo:.0f} keV",
        f"{name}: wake {float(one['wake_width']):.1f} RE wide; "
        f"{float(one['wake_width_all_directions']):.1f} RE for all directions of the field",
    ]
    ends = [float(one[f"arrival_flux{end}"]) * 1e-4 for end in ("", "_lower", "_upper")]
    if reason:
        return [*lines, f"{name}: nothing arrives (flux below {ends[0]:.2g} cm-2 s-1): {reason}"]
    brightest = float(one["arrival_map"].max()) * 1e-4
    lines.append(
        f"{name}: flux {ends[0]:.3g} cm-2 s-1 ({ends[1]:.2g} to {ends[2]:.2g}), up to {brightest:.2g} where they arrive; "
        f"mean energy {float(one['arrival_energy_mean']) * kilo:.0f} keV"
    )
    return lines + _distribution(one, name)


def _distribution(one: xr.Dataset, name: str) -> list[str]:
    """Energy distribution in at most ten ranges, ions cm-2 s-1 keV-1."""
    bounds = one["energy_bounds"].values * 1e-3
    seen = ~one["differential_flux_upper_limit"].values
    flux = np.where(seen, one["differential_flux"].values, 0.0) * 0.1
    width = bounds[:, 1] - bounds[:, 0]
    step = -(-len(flux) // 10)
    lines = [f"{name}: energy distribution, cm-2 s-1 keV-1"]
    for first in range(0, len(flux), step):
        part = slice(first, first + step)
        mean = float((flux[part] * width[part]).sum() / width[part].sum())
        if mean > 0.0:
            lines.append(f"  {bounds[part][0, 0]:6.1f} to {bounds[part][-1, 1]:6.1f} keV  {mean:.2e}")
    return lines
