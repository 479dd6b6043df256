"""``siderion ablate``: the entry of one body, its ablation and what it releases."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import xarray as xr
from cyclopts import Parameter
from scipy import constants as codata

from siderion.cli.show import page_beside, print_json, write_page
from siderion.core.errors import DataError, SettingsError, explained
from siderion.io.store import write_netcdf
from siderion.jobs.atomic import atomic_file
from siderion.report import render_report
from siderion.sources.entry.atmosphere import Atmosphere, msis_atmosphere, standard_atmosphere
from siderion.sources.entry.flight import ENDS, fly_one
from siderion.sources.entry.settings import AblationSettings

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
    density: float = 2200.0,
    model: str = "thermal",
    sigma: float | None = None,
    drag_area: float | None = None,
    drag_coefficient: float | None = None,
    heat_transfer: float | None = None,
    latent_heat: float | None = None,
    specific_heat: float | None = None,
    emissivity: float | None = None,
    vapour_pressure: str = "silicate",
    surfaces: str = "sphere",
    release: str = "differential",
    no_gravity: Annotated[bool, Parameter(name="--no-gravity", negative="")] = False,
    flat: Annotated[bool, Parameter(name="--flat", negative="")] = False,
    material: str = "chondritic",
    elements: str | None = None,
    atmosphere: str = "us1976",
    date: str | None = None,
    lat: float = 0.0,
    lon: float = 0.0,
    f107: float = 150.0,
    ap: float = 4.0,
    fragmentation: str = "none",
    strength: float | None = None,
    fragments: int | None = None,
    grain_mass: float | None = None,
    grain_altitude: float | None = None,
    sputtering: Annotated[bool, Parameter(name="--sputtering", negative="")] = False,
    ionisation: str = "jones1997",
    entry_altitude: float = 400.0,
    bin_width: float = 1.0,
    tolerance: float | None = None,
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
        Density of the body, kg/m3.
    model
        thermal (heat balance) or classical (ablation coefficient).
    sigma
        Ablation coefficient of the classical model, s2/km2.
    drag_area
        Product of drag coefficient and shape factor (cross-section over volume^(2/3)); then the drag coefficient must be left
        out.
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
        silicate, feo or iron.
    surfaces
        sphere (the whole surface evaporates and radiates) or front (only the cross-section evaporates).
    release
        differential (volatile elements first) or uniform.
    no_gravity
        Leave gravity out; the path is then straight over a flat Earth, as in the classical solution.
    flat
        Leave out the curvature of the Earth.
    material
        chondritic, iron, aluminium alloy, or mass fractions such as Al=0.9,Cu=0.04.
    elements
        Elements to report, separated by commas; all by default.
    atmosphere
        us1976, msis (NRLMSIS 2.1; needs --date), or a CSV file with altitude_km, density_kg_m3, temperature_k.
    date
        Time for msis, UTC, such as 2020-06-21T12:00.
    lat, lon
        Place for msis, degrees.
    f107
        F10.7 for msis, sfu.
    ap
        ap index for msis.
    fragmentation
        none, pressure (breaks at a dynamic pressure), grain_energy or grain_altitude (falls apart into grains).
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
        Probability of ionisation by collisions: jones1997, thomas2016, vondrak2008_sodium or jones1997_elements.
    entry_altitude
        Altitude where the flight begins, km.
    bin_width
        Width of the bins of altitude, km.
    tolerance
        Relative error of a step.
    output
        NetCDF file with trajectory and release by element and altitude; a page with figures goes beside it. None by default.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    if drag_area is not None and drag_coefficient is not None:
        raise SettingsError("--drag-area is drag coefficient times shape factor: give it or --drag-coefficient, not both")
    if drag_area is not None and drag_area <= 0.0:
        raise SettingsError(f"--drag-area is {drag_area}; it must be positive")
    if model == "thermal" and sigma is not None:
        raise SettingsError("--sigma belongs to --model classical; the thermal model has no ablation coefficient")
    named = {
        "model": model, "sigma": sigma, "drag_coefficient": drag_coefficient, "heat_transfer": heat_transfer,
        "latent_heat": latent_heat, "specific_heat": specific_heat, "emissivity": emissivity,
        "vapour_pressure": vapour_pressure, "surfaces": surfaces, "release": release, "gravity": not no_gravity,
        "curved": not (flat or no_gravity), "fragmentation": fragmentation, "strength": strength, "fragments": fragments,
        "grain_mass": grain_mass, "grain_altitude": grain_altitude, "sputtering": sputtering, "ionisation": ionisation,
        "tolerance": tolerance,
    }  # fmt: skip
    settings = AblationSettings.make({key: value for key, value in named.items() if value is not None})
    if drag_area is not None:
        settings = settings.model_copy(update={"drag_coefficient": drag_area / settings.shape_area})
    air = _atmosphere(atmosphere, date, lat, lon, f107, ap)
    page = None if output is None or no_report else page_beside(output)
    kept = None if elements is None else [one.strip() for one in elements.split(",") if one.strip()]
    whole = fly_one(
        mass, speed * 1e3, zenith, density, air, settings, _edges(bin_width, entry_altitude),
        material=_material(material), entry_altitude=entry_altitude * 1e3, elements=kept,
    )  # fmt: skip
    whole.attrs |= {
        "siderion_version": version("siderion"), "mass_kg": mass, "speed_km_s": speed, "zenith_angle_degrees": zenith,
        "density_kg_m3": density, "material": material,
    }  # fmt: skip
    if output is not None:
        with explained(output), atomic_file(output) as temporary:
            write_netcdf(whole, temporary)
    if page is not None:
        write_page(render_report(whole), page)
    if json_:
        print_json("ablate", _settings(whole), _answer(whole))
        return
    print("\n".join(_text(whole)))
    if output is not None:
        print(f"wrote {output}" + (f" and {page}" if page else ""))


def _atmosphere(name: str, date: str | None, lat: float, lon: float, f107: float, ap: float) -> Atmosphere:
    if name == "us1976":
        return standard_atmosphere()
    if name == "msis":
        if date is None:
            raise SettingsError("--atmosphere msis needs --date, such as --date 2020-06-21T12:00")
        return msis_atmosphere(date, lat, lon, f107=f107, ap=ap)
    if not name.lower().endswith(".csv"):
        raise SettingsError(f"--atmosphere is {name!r}; use us1976, msis or the path of a .csv file")
    return _read_atmosphere(Path(name))


def _read_atmosphere(path: Path) -> Atmosphere:
    """The user's own profile: columns altitude_km, density_kg_m3, temperature_k and, if known, molar_mass_g_mol."""
    try:
        table = pd.read_csv(path, comment="#", skipinitialspace=True)
        columns = {key: table[key].to_numpy(float) for key in ("altitude_km", "density_kg_m3", "temperature_k")}
    except OSError as error:
        raise DataError(f"atmosphere {path}: {error.strerror or error}; give the path of a CSV file") from None
    except KeyError as error:
        raise DataError(
            f"atmosphere {path}: column {error} is missing; altitude_km, density_kg_m3, temperature_k are needed"
        ) from None
    except ValueError as error:
        raise DataError(f"atmosphere {path} is no table of numbers: {error}") from None
    gram = 1e-3 / codata.Avogadro
    mass = table["molar_mass_g_mol"].to_numpy(float) if "molar_mass_g_mol" in table else np.full(len(table), 28.96)
    return Atmosphere(
        str(path), columns["altitude_km"] * 1e3, columns["density_kg_m3"], columns["temperature_k"], mass * gram,
        ("atmosphere", str(path), "unverified", "user's own profile"),
    )  # fmt: skip


def _material(text: str) -> str | dict[str, float]:
    if "=" not in text:
        return text
    result = {}
    for pair in text.split(","):
        name, _, value = pair.partition("=")
        try:
            result[name.strip()] = float(value)
        except ValueError:
            raise SettingsError(f"--material {pair!r}: write mass fractions as Al=0.9,Cu=0.04") from None
    return result


def _edges(width: float, entry_altitude: float) -> np.ndarray:
    if not 0.01 <= width <= 50.0:
        raise SettingsError(f"--bin-width is {width}; it must be 0.01 to 50 km")
    return 1e3 * width * np.arange(int(np.ceil(min(entry_altitude, 400.0) / width)) + 1)


def _settings(whole: xr.Dataset) -> dict[str, Any]:
    own = {key: whole.attrs[key] for key in ("mass_kg", "speed_km_s", "zenith_angle_degrees", "density_kg_m3", "material")}
    return {"atmosphere": whole.attrs["atmosphere"], **own, **json.loads(whole.attrs["settings"]),
            "sources": json.loads(whole.attrs["sources"])}  # fmt: skip


def _answer(whole: xr.Dataset) -> xr.Dataset:
    """The numbers of the answer, without the trajectory, and the bins in which something is released."""
    found = whole.drop_dims("time")
    some = np.flatnonzero(found["released_mass"].sum("element").values > 0.0)
    found = found.isel(alt=slice(some[0], some[-1] + 1)) if some.size else found
    found["half_mass_speed"] = found["half_mass_speed"] / 1e3
    found["half_mass_speed"].attrs = {"units": "km s-1", "long_name": whole["half_mass_speed"].attrs["long_name"]}
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
