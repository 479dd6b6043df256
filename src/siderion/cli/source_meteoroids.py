"""``siderion sources meteoroids``: what all meteoroids together leave in the atmosphere, by element and altitude."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import xarray as xr
from cyclopts import Parameter

from siderion.cli.entry_options import given_settings, read_atmosphere, read_elements, read_material
from siderion.cli.show import page_beside, print_json, progress_report, write_page
from siderion.core.errors import DataError, SettingsError, explained
from siderion.io.store import write_netcdf
from siderion.jobs.atomic import atomic_file
from siderion.report import render_report
from siderion.sources.entry.settings import AblationSettings, settings_given
from siderion.sources.meteoroids.influx import TONNE_PER_DAY, TONNE_PER_YEAR, influx_by_decade, table_shape
from siderion.sources.meteoroids.injection import TOLERANCE, meteoroid_injection
from siderion.sources.meteoroids.scenarios import Scenario, ablated_observations, get_scenario
from siderion.sources.meteoroids.settings import DEFAULT_ELEMENTS, InjectionSettings
from siderion.sources.meteoroids.speeds import SpeedDistribution, get_speeds, single_speed, speed_names, tabulated_speeds


def meteoroids(
    *,
    scenario: str = "review",
    total: float | None = None,
    uncertainty: float | None = None,
    mass_table: Path | None = None,
    speeds: str = "hrmp",
    elements: str = ",".join(DEFAULT_ELEMENTS),
    altitudes: str = "60:140:1",
    ablated_flux: str | None = None,
    atmosphere: str = "mean",
    date: str | None = None,
    lat: float | None = None,
    lon: float | None = None,
    f107: float | None = None,
    ap: float | None = None,
    density: float | None = None,
    material: str | None = None,
    model: str | None = None,
    sigma: float | None = None,
    vapour_pressure: str | None = None,
    surfaces: str | None = None,
    sputtering: Annotated[bool | None, Parameter(name="--sputtering", negative="")] = None,
    ionisation: str | None = None,
    samples: int | None = None,
    seed: int | None = None,
    masses: int | None = None,
    speed_points: int | None = None,
    angles: int | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set", consume_multiple=True)] = None,
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = Path("meteoroids.nc"),
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Integrate the ablation of meteoroids over mass, speed and entry angle.

    The output holds the production of neutral atoms and of ions by altitude; a transport run takes it as its source. A page
    with figures goes beside it.

    Parameters
    ----------
    scenario
        Daily mass influx: review (30 t/d), gruen, gruen-focused, huang-2015 and others.
    total
        Mass influx in place of that of the scenario, t/d.
    uncertainty
        Its standard deviation, t/d.
    mass_table
        CSV file with the columns lower_g, upper_g, t_per_year: masses in place of those of the scenario, which keeps its
        total.
    speeds
        Entry speeds: hrmp, hrmp_printed, zodiacal, jupiter_family, asteroids, halley_type, oort_cloud; one speed in km/s; or
        a CSV file with the columns lower_km_s, upper_km_s, weight.
    elements
        Elements, separated by commas.
    altitudes
        Altitude bins, km: lowest:highest:step.
    ablated_flux
        Scale the influx to the ablated atoms of one element, cm-2 s-1, such as Fe=1.02e5.
    atmosphere
        mean (NRLMSIS 2.1, all seasons and latitudes), us1976, msis (at --date, --lat, --lon), or a CSV file with altitude_km,
        density_kg_m3, temperature_k.
    date
        Time for msis, UTC, such as 2020-06-21T12:00.
    lat, lon
        Place for msis, degrees; 0 by default.
    f107
        F10.7 for msis and mean, sfu; 150 by default.
    ap
        ap index for msis and mean; 4 by default.
    density
        Density of the bodies, kg/m3; 2500 by default (`gruen_bodies.csv`).
    material
        chondritic (default), iron, aluminium alloy, or mass fractions such as Fe=0.3,Mg=0.15.
    model
        Ablation: thermal (default) or classical.
    sigma
        Ablation coefficient of the classical model, s2/km2.
    vapour_pressure
        silicate (default), feo or iron.
    surfaces
        sphere (the whole surface evaporates and radiates; default) or front (only the cross-section evaporates).
    sputtering
        Add atoms that the air knocks out.
    ionisation
        Probability of ionisation by collisions: jones1997 (default), thomas2016, vondrak2008_sodium or jones1997_elements.
    samples
        Bodies of a Monte Carlo integral in place of the quadrature.
    seed
        Seed of the Monte Carlo integral; 0 by default.
    masses
        Masses per decade of the quadrature.
    speed_points
        Speeds of the quadrature.
    angles
        Entry angles of the quadrature.
    set_
        Any other setting of the ablation or of the integral, such as --set sticking=0.8 --set smallest_mass=1e-14.
    output
        NetCDF file; meteoroids.nc by default.
    no_report
        Do not make the page.
    json_
        Print the result as JSON.
    """
    if ablated_flux is not None and total is not None:
        raise SettingsError("--ablated-flux sets the influx, and so does --total: give one of them")
    names = read_elements(elements)
    chosen = _scenario(scenario, total, uncertainty, mass_table)
    distribution = _speeds(speeds)
    flux = None if ablated_flux is None else _flux(ablated_flux)
    law_named = {"model": model, "sigma": sigma, "vapour_pressure": vapour_pressure, "surfaces": surfaces,
                 "sputtering": sputtering, "ionisation": ionisation}  # fmt: skip
    integral = {"density": density, "material": material, "samples": samples, "seed": seed, "masses_per_bin": masses,
                "speeds": speed_points, "angles": angles, **_altitudes(altitudes)}  # fmt: skip
    law, settings = _settings({**law_named, **integral}, set_, _range(chosen))
    air = read_atmosphere(atmosphere, date, lat, lon, f107, ap)
    page = None if no_report else page_beside(output)
    with progress_report(quiet=json_) as report:
        result = meteoroid_injection(chosen, distribution, air, settings, law, elements=names, ablated_flux=flux, report=report)
    shape = chosen.shape.between(settings.smallest_mass, settings.largest_mass)
    result = result.merge(influx_by_decade(shape, float(result["mass_influx"]) * TONNE_PER_DAY), combine_attrs="override")
    with explained(output), atomic_file(output) as temporary:
        write_netcdf(result, temporary)
    if page is not None:
        write_page(render_report(result), page)
    if json_:
        asked = {
            "scenario": scenario,
            "speeds": speeds,
            "elements": names,
            "atmosphere": air.name,
            "injection": settings.model_dump(),
            "ablation": law.model_dump(),
            "sources": json.loads(result.attrs["sources"]),
        }
        print_json("sources meteoroids", asked, result)
        return
    print("\n".join(_text(result)))
    print(f"wrote {output}" + (f" and {page}" if page else ""))


def _settings(
    named: Mapping[str, Any], pairs: list[str] | None, masses: Mapping[str, float]
) -> tuple[AblationSettings, InjectionSettings]:
    """Settings of the flights and of the integral, of options and ``--set``; ``masses`` is the range of a user's table."""
    own = InjectionSettings.model_fields
    given = given_settings(named, pairs, [*AblationSettings.model_fields, *own])
    law = {name: value for name, value in given.items() if name not in own}
    integral = {**masses, **{name: value for name, value in given.items() if name in own}}
    if isinstance(integral.get("material"), str):
        integral["material"] = read_material(integral["material"])
    if integral.get("samples"):
        quadrature = {"masses_per_bin": "--masses", "speeds": "--speed-points", "angles": "--angles"}
        useless = [option for name, option in quadrature.items() if name in integral]
        if useless:
            raise SettingsError(f"{', '.join(useless)}: for the quadrature only; with --samples it has no effect: leave it out")
    elif "seed" in integral:
        raise SettingsError("--seed belongs to --samples; the quadrature draws nothing: leave it out, or give --samples")
    return settings_given({"tolerance": TOLERANCE, **law}), InjectionSettings.make(integral)


def _scenario(name: str, total: float | None, uncertainty: float | None, mass_table: Path | None) -> Scenario:
    found = get_scenario(name)
    if mass_table is not None:
        rows = _read(mass_table, ("lower_g", "upper_g", "t_per_year"))
        edges = _joined(mass_table, rows["lower_g"].to_numpy(float), rows["upper_g"].to_numpy(float))
        found = found.with_shape(table_shape(edges * 1e-3, rows["t_per_year"].to_numpy(float) * TONNE_PER_YEAR, mass_table.name))
    if total is not None:
        return found.with_total(total * TONNE_PER_DAY, None if uncertainty is None else uncertainty * TONNE_PER_DAY)
    if uncertainty is not None:
        raise SettingsError("--uncertainty belongs to --total; give both, or leave it out")
    return found


def _range(scenario: Scenario) -> dict[str, float]:
    """Range of masses of a user's table: all of it."""
    edges = scenario.shape.edges
    return {} if scenario.shape.name == "gruen" else {"smallest_mass": float(edges[0]), "largest_mass": float(edges[-1])}


def _speeds(text: str) -> SpeedDistribution:
    if text in speed_names():
        return get_speeds(text)
    try:
        value = float(text)
    except ValueError:
        if not text.endswith(".csv"):
            return get_speeds(text)
    else:
        return single_speed(value * 1e3)
    rows = _read(Path(text), ("lower_km_s", "upper_km_s", "weight"))
    edges = _joined(Path(text), rows["lower_km_s"].to_numpy(float), rows["upper_km_s"].to_numpy(float))
    return tabulated_speeds(edges * 1e3, rows["weight"].to_numpy(float), Path(text).name)


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Numbers of a user's table."""
    try:
        table = pd.read_csv(path, comment="#", skipinitialspace=True)
    except (OSError, ValueError) as error:  # the errors of the parser are ValueErrors
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"cannot read {path}: {reason}; give a CSV file with the columns {', '.join(columns)}") from None
    missing = [name for name in columns if name not in table]
    if missing:
        raise DataError(f"{path}: columns {', '.join(missing)} are missing; needed: {', '.join(columns)}")
    numbers = table[list(columns)].apply(pd.to_numeric, errors="coerce")
    if numbers.isna().to_numpy().any() or numbers.empty:
        raise DataError(f"{path}: a row holds no number, or there is none; needed: {', '.join(columns)}")
    return numbers


def _joined(path: Path, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Edges of bins that follow one another."""
    gaps = np.flatnonzero(~np.isclose(lower[1:], upper[:-1], rtol=1e-6))
    if gaps.size:
        k = int(gaps[0])
        place = f"row {k + 2} begins at {lower[k + 1]:g}, the row before ends at {upper[k]:g}"
        raise DataError(f"{path}: {place}; leave no gap (take weight 0)")
    return np.concatenate([lower, upper[-1:]])


def _altitudes(text: str) -> dict[str, float]:
    try:
        low, high, step = (float(one) for one in text.split(":"))
    except ValueError:
        raise SettingsError(f"--altitudes {text}: write it as lowest:highest:step in km, such as 60:140:1") from None
    return {"lowest_altitude": low, "highest_altitude": high, "altitude_step": step}


def _flux(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name.strip(), float(number) * 1e4
    except ValueError:
        raise SettingsError(f"--ablated-flux {text}: write it as element=flux in cm-2 s-1, such as Fe=1.02e5") from None


def _text(result: xr.Dataset) -> list[str]:
    lines = [result.attrs["title"], f"{result.attrs['bodies']} bodies, {result.attrs['integral']}"]
    lines.append("element  ablated t/d  atoms cm-2 s-1  share ablated  peak km  ionised share")
    for name in result["species"].values:
        row = result.sel(species=name)
        numbers = (float(row["ablated_mass_rate"]), 1e-4 * float(row["ablated_flux"]), float(row["ablated_share"]))
        peak, ionised = float(row["peak_altitude"]), float(row["ionised_share"])
        lines.append(f"{name:7}  {numbers[0]:11.3g}  {numbers[1]:14.3g}  {numbers[2]:13.3f}  {peak:7.4g}  {ionised:13.3g}")
    ions = result["ion_production"].sum("alt")
    beyond = float((result["ions_outside_law_share"] * ions).sum())
    if beyond > 1e-3 * float(ions.sum()):
        law = json.loads(result.attrs["settings"])["ablation"]["ionisation"]
        lines.append(f"{beyond / float(ions.sum()):.1%} of the ions come from speeds outside of the range of the law {law}")
    influx, upper = float(result["mass_influx"]), float(result["mass_influx_upper"])
    spread = f" +- {upper - influx:.3g}" if np.isfinite(upper) else " (no uncertainty given)"
    ablated = float(result["ablated_mass_rate"].sum() + result["unlisted_mass_rate"])
    residue = float(result["residue_mass_rate"])
    lines.append(f"mass influx {influx:.4g}{spread} t/d, of which {ablated:.4g} t/d ablate and {residue:.4g} do not")
    lines += [_compare(row) for _, row in ablated_observations().iterrows() if row["element"] in result["species"].values]
    return lines


def _compare(row: pd.Series) -> str:
    spread = "" if np.isnan(row["ablated_uncertainty"]) else f" +- {row['ablated_uncertainty']:g}"
    flux = "" if np.isnan(row["flux"]) else f", {row['flux']:.3g} atoms cm-2 s-1"
    return f"for comparison: {row['element']} {row['ablated']:g}{spread} t/d ablated{flux} ({row['name']}, {row['confidence']})"
