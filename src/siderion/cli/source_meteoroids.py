"""``siderion sources meteoroids``: what all meteoroids together leave in the atmosphere, by element and altitude."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import xarray as xr
from cyclopts import Parameter

from siderion.cli.show import page_beside, print_json, progress_report, write_page
from siderion.core.errors import DataError, SettingsError, explained
from siderion.io.store import write_netcdf
from siderion.jobs.atomic import atomic_file
from siderion.report import render_report
from siderion.sources.entry.atmosphere import Atmosphere, mean_atmosphere, msis_atmosphere, standard_atmosphere
from siderion.sources.entry.settings import AblationSettings
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
    time: str | None = None,
    latitude: float | None = None,
    longitude: float | None = None,
    density: float | None = None,
    model: str = "thermal",
    sputtering: bool = False,
    samples: int = 0,
    seed: int = 0,
    masses: int | None = None,
    speed_points: int | None = None,
    angles: int | None = None,
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
        mean (NRLMSIS, all seasons and latitudes), standard (US 1976), or msis at --time, --latitude, --longitude.
    time
        Time (UTC) of the atmosphere msis.
    latitude
        Latitude of it, degrees.
    longitude
        Longitude of it, degrees.
    density
        Density of the bodies, kg m-3.
    model
        Ablation: thermal or classical.
    sputtering
        Add sputtering by the molecules of the air.
    samples
        Bodies of a Monte Carlo integral; 0 takes a quadrature.
    seed
        Seed of the Monte Carlo integral.
    masses
        Masses per decade of the quadrature.
    speed_points
        Speeds of the quadrature.
    angles
        Entry angles of the quadrature.
    output
        NetCDF file; meteoroids.nc by default.
    no_report
        Do not make the page.
    json_
        Print the result as JSON.
    """
    chosen = _scenario(scenario, total, uncertainty, mass_table)
    distribution = _speeds(speeds)
    flux = None if ablated_flux is None else _flux(ablated_flux)
    names = [one.strip() for one in elements.split(",") if one.strip()]
    optional = {"density": density, "masses_per_bin": masses, "speeds": speed_points, "angles": angles}
    given = {name: value for name, value in optional.items() if value is not None}
    settings = InjectionSettings.make({**_altitudes(altitudes), "samples": samples, "seed": seed, **given, **_range(chosen)})
    law = AblationSettings.make({"model": model, "sputtering": sputtering, "tolerance": TOLERANCE})
    air = _atmosphere(atmosphere, time, latitude, longitude)
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
        }
        print_json("sources meteoroids", asked, result)
        return
    print("\n".join(_text(result)))
    print(f"wrote {output}" + (f" and {page}" if page else ""))


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


def _atmosphere(name: str, time: str | None, latitude: float | None, longitude: float | None) -> Atmosphere:
    place = (time, latitude, longitude)
    if name == "msis":
        if time is None or latitude is None or longitude is None:
            raise SettingsError("--atmosphere msis needs --time, --latitude and --longitude")
        return msis_atmosphere(time, latitude, longitude)
    if any(one is not None for one in place):
        raise SettingsError(f"--time, --latitude and --longitude belong to --atmosphere msis, not to {name}; leave them out")
    if name == "mean":
        return mean_atmosphere()
    if name == "standard":
        return standard_atmosphere()
    raise SettingsError(f"--atmosphere {name} is unknown; use mean, standard or msis")


def _text(result: xr.Dataset) -> list[str]:
    lines = [result.attrs["title"], f"{result.attrs['bodies']} bodies, {result.attrs['integral']}"]
    lines.append("element  ablated t/d  atoms cm-2 s-1  share ablated  peak km  ionised share")
    for name in result["species"].values:
        row = result.sel(species=name)
        numbers = (float(row["ablated_mass_rate"]), 1e-4 * float(row["ablated_flux"]), float(row["ablated_share"]))
        peak, ionised = float(row["peak_altitude"]), float(row["ionised_share"])
        lines.append(f"{name:7}  {numbers[0]:11.3g}  {numbers[1]:14.3g}  {numbers[2]:13.3f}  {peak:7.4g}  {ionised:13.3g}")
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
