"""``siderion ablate``: the entry of one body, its ablation and what it releases."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import xarray as xr
from cyclopts import Parameter

from siderion.cli.entry_options import given_settings, read_atmosphere, read_elements, read_material
from siderion.cli.show import page_beside, print_json, write_page
from siderion.core.errors import SettingsError, explained
from siderion.io.store import write_netcdf
from siderion.jobs.atomic import atomic_file
from siderion.report import render_report
from siderion.sources.entry.flight import ENDS, fly_one
from siderion.sources.entry.ionisation import ions_outside_law
from siderion.sources.entry.settings import AblationSettings, default_value, settings_given

_LEAST_SHARE = 1e-9
"""Share of what is released below which a bin of altitude is left out of the printed profiles."""
_END_WORDS = {
    "ablated": "it is gone",
    "slowed": "too slow to ablate further; the rest is residue",
    "ground": "it reaches the bottom of the atmosphere",
    "left": "it leaves the atmosphere again",
}


def ablate(
    *,
    mass: float,
    speed: float,
    zenith: float = 45.0,
    density: float | None = None,
    model: str | None = None,
    sigma: float | None = None,
    drag_area: float | None = None,
    drag_coefficient: float | None = None,
    heat_transfer: float | None = None,
    latent_heat: float | None = None,
    specific_heat: float | None = None,
    emissivity: float | None = None,
    vapour_pressure: str | None = None,
    surfaces: str | None = None,
    release: str | None = None,
    no_gravity: Annotated[bool, Parameter(name="--no-gravity", negative="")] = False,
    flat: Annotated[bool, Parameter(name="--flat", negative="")] = False,
    material: str = "chondritic",
    elements: str | None = None,
    atmosphere: str = "us1976",
    date: str | None = None,
    lat: float | None = None,
    lon: float | None = None,
    f107: float | None = None,
    ap: float | None = None,
    fragmentation: str | None = None,
    strength: float | None = None,
    fragments: int | None = None,
    grain_mass: float | None = None,
    grain_altitude: float | None = None,
    sputtering: Annotated[bool | None, Parameter(name="--sputtering", negative="")] = None,
    ionisation: str | None = None,
    entry_altitude: float = 400.0,
    bin_width: float = 1.0,
    tolerance: float | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set", consume_multiple=True)] = None,
    profiles: Annotated[bool, Parameter(name="--profiles", negative="")] = False,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Fly one body (meteoroid or debris) into the atmosphere: its path, its ablation, what it releases at which altitude.

    Parameters
    ----------
    mass
        Mass at entry, kg.
    speed
        Speed at entry, km/s.
    zenith
        Angle of the path from the vertical at entry, degrees.
    density
        Density of the body, kg/m3; 2200 by default (`ablation.csv`).
    model
        thermal (heat balance; default) or classical (ablation coefficient).
    sigma
        Ablation coefficient of the classical model, s2/km2.
    drag_area
        Product of drag coefficient and shape factor (cross-section over volume^(2/3)), in place of the drag coefficient.
    drag_coefficient
        Drag coefficient; the shape factor is that of a sphere.
    heat_transfer
        Share of the energy flux of the air that heats the body.
    latent_heat
        Heat of melting and evaporation, J/kg.
    specific_heat
        Specific heat, J/kg/K.
    emissivity
        Emissivity of the surface.
    vapour_pressure
        silicate (default), feo or iron.
    surfaces
        sphere (the whole surface evaporates and radiates; default) or front (only the cross-section evaporates).
    release
        differential (volatile elements first; default) or uniform.
    no_gravity
        Leave gravity out; the path is then straight over a flat Earth, as in the classical solution.
    flat
        Leave out the curvature of the Earth.
    material
        chondritic, iron, aluminium alloy, or mass fractions such as Al=0.9,Cu=0.04.
    elements
        Elements to report, separated by commas; all by default.
    atmosphere
        us1976, mean (NRLMSIS 2.1, all seasons and latitudes), msis (at --date, --lat, --lon), or a CSV file with altitude_km,
        density_kg_m3, temperature_k.
    date
        Time for msis, UTC, such as 2020-06-21T12:00.
    lat, lon
        Place for msis, degrees; 0 by default.
    f107
        F10.7 for msis and mean, sfu; 150 by default.
    ap
        ap index for msis and mean; 4 by default.
    fragmentation
        none (default), pressure (breaks at a dynamic pressure), grain_energy or grain_altitude (falls apart into grains).
    strength
        Dynamic pressure that breaks the body, Pa.
    fragments
        Equal fragments at each break.
    grain_mass
        Mass of a grain, kg.
    grain_altitude
        Altitude where grains are freed, km.
    sputtering
        Add atoms that the air knocks out; matters above 120 km for fast bodies.
    ionisation
        Probability of ionisation by collisions: jones1997 (default), thomas2016, vondrak2008_sodium or jones1997_elements.
    entry_altitude
        Altitude where the flight begins, km.
    bin_width
        Width of the bins of altitude, km.
    tolerance
        Relative error of a step.
    set_
        Any other setting of the ablation, such as --set sticking=0.8 (names: docs/ablation.md).
    profiles
        With --json, add what is released by altitude.
    output
        NetCDF file with trajectory and release by element and altitude; a page with figures goes beside it. None by default.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    if profiles and not json_:
        raise SettingsError("--profiles belongs to --json; the file of --output always holds the profiles")
    named = {
        "model": model, "sigma": sigma, "drag_coefficient": drag_coefficient, "heat_transfer": heat_transfer,
        "latent_heat": latent_heat, "specific_heat": specific_heat, "emissivity": emissivity,
        "vapour_pressure": vapour_pressure, "surfaces": surfaces, "release": release,
        "gravity": False if no_gravity else None, "curved": False if flat or no_gravity else None,
        "fragmentation": fragmentation, "strength": strength, "fragments": fragments, "grain_mass": grain_mass,
        "grain_altitude": grain_altitude, "sputtering": sputtering, "ionisation": ionisation, "tolerance": tolerance,
    }  # fmt: skip
    settings = settings_given(_with_drag_area(given_settings(named, set_, AblationSettings.model_fields), drag_area))
    air = read_atmosphere(atmosphere, date, lat, lon, f107, ap)
    kept = None if elements is None else read_elements(elements)
    body_density = default_value("body_density") if density is None else density
    page = None if output is None or no_report else page_beside(output)
    whole = fly_one(
        mass, speed * 1e3, zenith, body_density, air, settings, _edges(bin_width, entry_altitude),
        material=read_material(material), entry_altitude=entry_altitude * 1e3, elements=kept,
    )  # fmt: skip
    whole["ions_outside_law_share"] = _ions_outside_law(whole, settings.ionisation)
    whole.attrs |= {
        "siderion_version": version("siderion"), "mass_kg": mass, "speed_km_s": speed, "zenith_angle_degrees": zenith,
        "density_kg_m3": body_density, "material": material,
    }  # fmt: skip
    if output is not None:
        with explained(output), atomic_file(output) as temporary:
            write_netcdf(whole, temporary)
    if page is not None:
        write_page(render_report(whole), page)
    if json_:
        print_json("ablate", _settings(whole), _answer(whole, profiles))
        return
    print("\n".join(_text(whole)))
    if output is not None:
        print(f"wrote {output}" + (f" and {page}" if page else ""))


def _with_drag_area(given: dict[str, Any], drag_area: float | None) -> dict[str, Any]:
    """Settings with the drag coefficient that a product of drag coefficient and shape factor stands for."""
    if drag_area is None:
        return given
    if "drag_coefficient" in given:
        raise SettingsError("--drag-area is drag coefficient times shape factor: give it or the drag coefficient, not both")
    shape = given.get("shape_area", default_value("shape_area"))
    if not 0.0 < drag_area < np.inf:
        raise SettingsError(f"--drag-area is {drag_area}; it must be positive and finite")
    usable = isinstance(shape, int | float) and shape > 0.0  # else the rule of shape_area speaks
    return {**given, "drag_coefficient": drag_area / shape} if usable else given


def _ions_outside_law(whole: xr.Dataset, model: str) -> xr.DataArray:
    """Share of the ions of each element that are made outside of the range of the law; 0 where there is no ion."""
    ions = whole["impact_ionised_mass"].sum("alt")
    share = (ions_outside_law(whole, model) / ions.where(ions > 0.0)).fillna(0.0)
    return share.assign_attrs(units="1", long_name="share of the ions made at speeds outside of the range of the ionisation law")


def _edges(width: float, entry_altitude: float) -> np.ndarray:
    if not 0.0 < entry_altitude < np.inf:
        raise SettingsError(f"--entry-altitude is {entry_altitude}; it must be above 0 km and finite")
    if not 0.01 <= width <= 50.0:
        raise SettingsError(f"--bin-width is {width}; it must be 0.01 to 50 km")
    return 1e3 * width * np.arange(int(np.ceil(min(entry_altitude, 400.0) / width)) + 1)


def _settings(whole: xr.Dataset) -> dict[str, Any]:
    own = {key: whole.attrs[key] for key in ("mass_kg", "speed_km_s", "zenith_angle_degrees", "density_kg_m3", "material")}
    return {"atmosphere": whole.attrs["atmosphere"], **own, **json.loads(whole.attrs["settings"]),
            "sources": json.loads(whole.attrs["sources"])}  # fmt: skip


def _answer(whole: xr.Dataset, profiles: bool) -> xr.Dataset:
    """The numbers of the answer in km, km/s and kg, without the trajectory; by altitude only where that is asked for."""
    found = whole.drop_dims("time")
    for name in ("half_mass_speed", "final_speed", "released_speed"):
        found[name] = (found[name] / 1e3).assign_attrs(units="km s-1", long_name=whole[name].attrs["long_name"])
    for name, words in (("released_mass", "mass released"), ("impact_ionised_mass", "part that collisions ionise")):
        every = whole[name].sum("alt") + (whole["released_outside"] if name == "released_mass" else 0.0)
        found[f"{name}_total"] = every.assign_attrs(units="kg", long_name=f"{words}, all altitudes")
    by_bin = whole["released_mass"].sum("element").values
    found = found.isel(alt=np.flatnonzero(by_bin > _LEAST_SHARE * by_bin.sum())) if profiles else found.drop_dims("alt")
    found["peak_altitude"] = ((), _peak(whole), {"units": "km", "long_name": "altitude of the largest loss of mass per altitude"})
    found["atmosphere"] = ((), whole.attrs["atmosphere"], {"units": "1", "long_name": "name of the atmosphere"})
    return found


def _peak(whole: xr.Dataset) -> float:
    """Altitude where the loss per path is largest, km."""
    loss = whole["mass_loss_rate"] / whole["speed"]
    return float(whole["altitude"][int(np.argmax(loss.values))])


def _text(whole: xr.Dataset) -> list[str]:
    initial, final = float(whole["initial_mass"]), float(whole["final_mass"])
    settings = json.loads(whole.attrs["settings"])
    released = whole["released_mass"].sum("alt") + whole["released_outside"]
    ions = float(whole["impact_ionised_mass"].sum())
    lines = [
        f"atmosphere: {whole.attrs['atmosphere']}; model {settings['model']}",
        f"largest loss of mass at {_peak(whole):.1f} km"
        + (f"; highest temperature {float(whole['highest_temperature']):.0f} K" if "highest_temperature" in whole else ""),
    ]
    if np.isfinite(float(whole["half_mass_altitude"])):
        lines.append(
            f"half of the mass is left at {float(whole['half_mass_altitude']):.2f} km, "
            f"{float(whole['half_mass_speed']) / 1e3:.3f} km/s, below {float(whole['half_mass_air_column']):.4g} kg/m2 of air"
        )
    else:
        lines.append("less than half of the mass is lost")
    if np.isfinite(float(whole["break_altitude"])):
        lines.append(
            f"breaks at {float(whole['break_altitude']):.1f} km; {float(whole['final_fragment_count']):.4g} parts at last"
        )
    lines.append(
        f"end at {float(whole['end_altitude']):.1f} km, {float(whole['final_speed']) / 1e3:.3f} km/s: "
        f"{_END_WORDS[ENDS[int(whole['end'])]]}; {final:.4g} kg of {initial:.4g} kg left ({final / initial:.3%})"
    )
    total = float(released.sum())
    share = f" ({ions / total:.2%} of them)" if total > 0.0 else ""
    lines.append(f"released {total:.4g} kg of the elements below; ionised at once by collisions {ions:.3g} kg{share}")
    lines += _element_lines(whole, released)
    beyond = float((whole["ions_outside_law_share"] * whole["impact_ionised_mass"].sum("alt")).sum())
    if beyond > 1e-3 * ions:
        lines.append(f"{beyond / ions:.1%} of the ions come from speeds outside of the range of the law {settings['ionisation']}")
    unsure = [row["what"] for row in json.loads(whole.attrs["sources"]) if row["confidence"] == "unverified"]
    if unsure:
        lines.append(f"rests on unverified numbers: {', '.join(unsure)} (see siderion/sources/tables)")
    return lines


def _element_lines(whole: xr.Dataset, released: xr.DataArray) -> list[str]:
    lines = []
    for name in released["element"].values[np.argsort(-released.values)]:
        amount, rest = float(released.sel(element=name)), float(whole["residue_mass"].sel(element=name))
        profile = whole["released_mass"].sel(element=name)
        where = f", most at {float(whole['alt'][int(np.argmax(profile.values))]):.1f} km" if float(profile.sum()) > 0.0 else ""
        lines.append(f"{name!s:6} {amount:.3g} kg, {amount / max(amount + rest, 1e-300):.1%} of it{where}")
    return lines
