"""``siderion sources debris``: one re-entry as an event, a global rate, and debris against the natural input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import xarray as xr
from cyclopts import Parameter

from siderion.cli.debris_text import event_text, parity_text, rate_text
from siderion.cli.show import names_in, page_beside, parse_overrides, print_json, write_page
from siderion.core.errors import DataError, SettingsError, explained
from siderion.io.store import write_netcdf
from siderion.jobs.atomic import atomic_file
from siderion.jobs.settings import merged, read_toml
from siderion.report import render_report
from siderion.sources.debris.event import debris_event as make_event
from siderion.sources.debris.event import heading_of_orbit
from siderion.sources.debris.parity import debris_parity as make_parity
from siderion.sources.debris.rate import MeanObject, mean_objects
from siderion.sources.debris.rate import debris_rate as make_rate
from siderion.sources.debris.scenarios import Scenario, get_scenarios, own_series
from siderion.sources.debris.settings import ReentrySettings, default
from siderion.sources.entry.atmosphere import Atmosphere, mean_atmosphere, msis_atmosphere, standard_atmosphere

_AIR = "msis, or us1976"


def debris_event(
    *,
    mass: float,
    date: str,
    lat: float,
    lon: float,
    heading: float | None = None,
    inclination: float | None = None,
    composition: str = "satellite",
    speed: float | None = None,
    flight_path_angle: float | None = None,
    anchor: str = "break_up",
    ion_share: float = 0.0,
    atmosphere: str = "msis",
    f107: float = 150.0,
    ap: float = 4.0,
    set_: Annotated[list[str] | None, Parameter(name="--set", consume_multiple=True)] = None,
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = Path("event.nc"),
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Fly one re-entry and write what it releases as a source for `siderion run`.

    Parameters
    ----------
    mass
        Mass at the entry, kg.
    date
        UTC at the anchor, such as 2024-06-01T12:00.
    lat
        Latitude of the anchor, degrees.
    lon
        Longitude of the anchor, degrees.
    heading
        Direction of motion at the anchor, degrees from north to east.
    inclination
        In place of the heading: inclination of the orbit, degrees, northward leg.
    composition
        satellite, rocket_stage, or a file: TOML with a table for each part, or CSV with the columns part, material,
        mass_fraction, object_mass, bulk_density and, if wanted, separation_altitude.
    speed
        Speed at the start, km/s.
    flight_path_angle
        Angle of the path to the horizontal at the start, degrees, downward negative.
    anchor
        Which point date and place belong to: break_up, or start. Releases precede the break-up by up to some 100 s.
    ion_share
        Share of the released atoms that is ionised soon after (impact makes no ions below 10 km/s).
    atmosphere
        msis (NRLMSIS 2.1 at the anchor), or us1976.
    f107
        F10.7, sfu, for msis.
    ap
        ap, for msis.
    set_
        Further settings, such as break_up_altitude=80 or removal=vaporisation; docs/debris.md lists them.
    output
        NetCDF file; event.nc by default. A page with figures goes beside it.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    if (heading is None) == (inclination is None):
        raise SettingsError("direction of flight: give --heading or --inclination, one of them")
    if inclination is not None and not 0.0 <= inclination <= 180.0:
        raise SettingsError(f"--inclination is {inclination:g}; give 0 to 180 degrees")
    course = heading_of_orbit(inclination, lat) if heading is None else heading  # type: ignore[arg-type]
    given = {"speed": speed, "flight_path_angle": flight_path_angle, "ion_share": ion_share}
    settings = _settings(given, set_)
    _check_place(lat, lon, course)
    if atmosphere not in ("msis", "us1976"):
        raise SettingsError(f"--atmosphere is {atmosphere!r}; use {_AIR}")
    air = standard_atmosphere() if atmosphere == "us1976" else msis_atmosphere(date, lat, lon, f107, None, ap)
    event = make_event(
        mass, _composition(composition), settings, air, time=date, latitude=lat, longitude=lon, heading=course, anchor=anchor
    )
    written = _write(event, output, no_report)
    if json_:
        print_json("sources debris event", json.loads(event.attrs["settings"]), event)
        return
    print("\n".join(event_text(event, settings)))
    print(written)


def debris_rate(
    scenario: str | None = None,
    *,
    mass_rate: float | None = None,
    shares: str = "table",
    share: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    composition: str | None = None,
    object_mass: float | None = None,
    samples: int = 4000,
    seed: int = 0,
    ion_share: float = 0.0,
    atmosphere: str = "msis",
    set_: Annotated[list[str] | None, Parameter(name="--set", consume_multiple=True)] = None,
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = Path("rate.nc"),
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Write the global mean production of atoms by debris as a source for `siderion run`.

    Parameters
    ----------
    scenario
        2019, 2024, S1 or S2; 2019 by default.
    mass_rate
        In place of the scenario: mass that debris injects, t/yr.
    shares
        Shares of the elements: table, or composition (what the model of mean objects sheds).
    share
        Your own shares of elements in the injected mass over the table, such as Al=0.4 Ti=0.02.
    composition
        In place of the mean satellite and stage: satellite, rocket_stage or a file, as for the event.
    object_mass
        Mass of an object of that composition, kg; that of the mean object by default (a satellite for a file).
    samples
        Samples of the Monte Carlo over the injected mass and the shares.
    seed
        Its seed.
    ion_share
        Share of the released atoms that is ionised soon after.
    atmosphere
        msis (global mean of NRLMSIS 2.1), or us1976.
    set_
        Further settings, such as layer_floor=85; docs/debris.md lists them.
    output
        NetCDF file; rate.nc by default. A page with figures goes beside it.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    settings = _settings({"ion_share": ion_share}, set_)
    if scenario is not None and mass_rate is not None:
        raise SettingsError(f"scenario {scenario} and --mass-rate exclude each other; give one of them")
    if mass_rate is not None and not 0.0 < mass_rate < np.inf:
        raise SettingsError(f"--mass-rate is {mass_rate:g} t/yr; it must be positive and finite")
    if share is not None and shares != "table":
        raise SettingsError(f"--share goes over the table; leave out --shares {shares}, or --share")
    own = _pairs(share, "--share")
    rate = make_rate(
        (scenario or "2019") if mass_rate is None else mass_rate, settings, _mean_air(atmosphere), samples=samples, seed=seed,
        shares=shares if own is None else own, objects=_objects(composition, object_mass),
    )  # fmt: skip
    written = _write(rate, output, no_report)
    if json_:
        print_json("sources debris rate", json.loads(rate.attrs["settings"]), rate)
        return
    print("\n".join([*rate_text(rate, settings), written]))


def debris_parity(
    *,
    elements: str | None = None,
    scenario: str | None = None,
    series: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    series_factor: float = default("series_factor"),
    natural: str = "schulz2021",
    natural_composition: str = "CI",
    share: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    samples: int = 4000,
    seed: int = 0,
    horizon: float = 2100.0,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Compare the input of elements by debris with the natural one, by scenario and year.

    Parameters
    ----------
    elements
        Elements separated by commas; all that are known by default.
    scenario
        Scenarios separated by commas; 2019,2024,S1,S2 by default.
    series
        In place of scenarios: your own masses as year=t/yr, such as 2020=400 2030=2000.
    series_factor
        Uncertainty of these masses, a factor.
    natural
        Natural mass influx: schulz2021 (12.4 kt/yr), review30 (30 t/d), carrillo2016 (43 t/d), or a number of t/yr.
    natural_composition
        CI, or schulz2021 (more aluminium).
    share
        Your own shares of elements in debris over the table, such as Al=0.5 Ti=0.02.
    samples
        Samples of the Monte Carlo.
    seed
        Its seed.
    horizon
        Last year in which parity is looked for.
    output
        NetCDF file, if wanted; a page with figures goes beside it.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    names = None if elements is None else names_in(elements)
    if names is not None and (not names or len(set(names)) < len(names)):
        raise SettingsError(f"--elements is {elements!r}; name one at least, and each once, such as Al,Li")
    parity = make_parity(
        names,
        scenarios=_scenarios(scenario, series, series_factor), natural=_number(natural), composition=natural_composition,
        shares=_pairs(share, "--share"), samples=samples, seed=seed, horizon=horizon,
    )  # fmt: skip
    written = "" if output is None else _write(parity, output, no_report)
    if json_:
        print_json("sources debris parity", json.loads(parity.attrs["settings"]), parity)
        return
    print("\n".join(parity_text(parity)))
    if written:
        print(written)


def _settings(given: Mapping[str, Any], pairs: list[str] | None) -> ReentrySettings:
    values = {name: value for name, value in given.items() if value is not None}
    return ReentrySettings.make(merged(values, parse_overrides(tuple(pairs or ()))))


def _mean_air(atmosphere: str) -> Atmosphere:
    if atmosphere not in ("msis", "us1976"):
        raise SettingsError(f"--atmosphere is {atmosphere!r}; use {_AIR}")
    return standard_atmosphere() if atmosphere == "us1976" else mean_atmosphere()


def _check_place(lat: float, lon: float, heading: float) -> None:
    for name, value, low, high in (("lat", lat, -90, 90), ("lon", lon, -180, 360), ("heading", heading, -360, 360)):
        if not low <= value <= high:
            raise SettingsError(f"--{name} is {value:g}; give {low} to {high} degrees")


def _objects(composition: str | None, mass: float | None) -> dict[str, MeanObject] | None:
    """One mean object in place of those of the table."""
    if composition is None:
        if mass is not None:
            raise SettingsError("--object-mass is that of --composition; give both")
        return None
    known = mean_objects()
    usual = known.get(composition, known["satellite"]).mass
    return {Path(composition).stem: MeanObject(usual if mass is None else mass, 1.0, _composition(composition))}


def _composition(text: str) -> str | dict[str, dict[str, Any]]:
    """A composition by name, or read from a file that ends in .toml or .csv."""
    path = Path(text)
    if path.suffix == ".toml":
        return {name: dict(part) for name, part in read_toml(path).items() if isinstance(part, Mapping)}
    if path.suffix != ".csv":
        return text
    try:
        table = pd.read_csv(path, comment="#", skipinitialspace=True)
    except (OSError, ValueError) as error:
        raise DataError(f"composition {path} cannot be read as CSV: {error}; give a table of parts") from None
    if "part" not in table:
        raise DataError(f"composition {path} has the columns {list(table.columns)}; a column part is needed")
    return {
        str(row["part"]): {key: value for key, value in row.items() if key != "part" and not pd.isna(value)}
        for row in table.to_dict("records")
    }


def _scenarios(names: str | None, series: list[str] | None, factor: float) -> tuple[Scenario, ...] | None:
    if names is not None and series is not None:
        raise SettingsError("--scenario and --series exclude each other; give one of them")
    if series is not None:
        masses = _pairs(series, "--series") or {}
        by_year = {_year(name): mass for name, mass in masses.items()}
        if len(by_year) < len(masses):
            raise SettingsError(f"--series {' '.join(series)}: a year is given twice; give each once")
        return own_series(by_year, factor)
    return None if names is None else get_scenarios(tuple(names_in(names)))


def _year(text: str) -> float:
    value = _number(text)
    if isinstance(value, str):
        raise SettingsError(f"--series {text}: the year is no number; write it as 2030=2000")
    return value


def _pairs(pairs: list[str] | None, option: str) -> dict[str, float] | None:
    if pairs is None:
        return None
    result: dict[str, float] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        value = _number(text)
        if isinstance(value, str):
            raise SettingsError(f"{option} {pair}: write it as name=value")
        if name in result:
            raise SettingsError(f"{option} {name} is given twice, {result[name]:g} and {value:g}; give it once")
        if not 0.0 < value < np.inf:
            raise SettingsError(f"{option} {pair}: the value must be positive and finite")
        result[name] = value
    return result


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _write(dataset: xr.Dataset, output: Path, no_report: bool) -> str:
    """Write a data set, and its page if wanted; say what was written."""
    page = None if no_report else page_beside(output)
    with explained(output), atomic_file(output) as temporary:
        write_netcdf(dataset, temporary)
    if page is not None:
        write_page(render_report(dataset), page)
    return f"wrote {output}" + (f" and {page}" if page else "")
