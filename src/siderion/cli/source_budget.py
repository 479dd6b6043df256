"""``siderion sources budget``: how much each source supplies to a place, and what that rests on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import xarray as xr
from cyclopts import Parameter

from siderion.cli.show import page_beside, print_json, write_page
from siderion.core.errors import SettingsError, explained
from siderion.core.spread import Spread
from siderion.geospace.lunar import lunar_local_time
from siderion.inference.budget import Given, supply_budget
from siderion.inference.factors import assumed
from siderion.io.store import open_dataset, write_netcdf
from siderion.jobs.atomic import atomic_file
from siderion.report import render_report
from siderion.sources.ionosphere.supply import top_flux


def budget(
    *,
    species: str = "Fe",
    place: str = "metal layer",
    year: float = 2024.0,
    run: Path | None = None,
    pickup: Path | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set", consume_multiple=True)] = None,
    samples: int = 20000,
    seed: int = 0,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Estimate the supply of a species to a place by each source, and name the assumption that dominates it.

    Parameters
    ----------
    species
        Neutral name: an element such as Fe, Al or Li, or a molecule of the ionosphere: N2, NO, O2.
    place
        metal layer, exobase, lobe or upstream.
    year
        Year of the debris, 2019 to 2035.
    run
        Output of `siderion run`: the ions that rise through its top give the share of the metal that is lifted.
    pickup
        Output of `siderion pickup`: the ions that arrive, times the share of a month, replace the factors of the Moon.
    set_
        A factor as route.factor=value or value:lower:upper, such as moon.ion_share=0.005:0.002:0.01; several are allowed.
    samples
        Samples of the Monte Carlo over all factors.
    seed
        Its seed.
    output
        NetCDF file; a page with figures goes beside it. Without it only the text is printed.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    place = place.replace("-", " ")
    factors = _factors(set_)
    supplies: dict[tuple[str, str], Spread] = {}
    if run is not None:
        factors["layer.share_lifted"] = _lifted_share(run, species, year, factors)
    if pickup is not None:
        supplies["moon", "upstream"] = _arriving(pickup, species)
    result = supply_budget(species, place, year=year, given=Given(factors, supplies), samples=samples, seed=seed)
    page = None if output is None or no_report else page_beside(output)
    if output is not None:
        with explained(output), atomic_file(output) as temporary:
            write_netcdf(result, temporary)
    if page is not None:
        write_page(render_report(result), page)
    if json_:
        print_json("sources budget", json.loads(result.attrs["settings"]), result)
        return
    print("\n".join(_text(result)))
    if output is not None:
        print(f"wrote {output}" + (f" and {page}" if page else ""))


def _factors(pairs: list[str] | None) -> dict[str, Spread]:
    """``moon.ion_share=0.005:0.002:0.01`` as spreads; one number has no spread."""
    found = {}
    for pair in pairs or ():
        name, _, text = pair.partition("=")
        try:
            numbers = [float(part) for part in text.split(":")]
        except ValueError:
            numbers = []
        if len(numbers) not in (1, 3):
            raise SettingsError(f"--set {pair}: write it as route.factor=value or route.factor=value:lower:upper")
        value, lower, upper = numbers if len(numbers) == 3 else numbers * 3
        route, _, factor = name.strip().partition(".")
        key = f"{route.replace('-', ' ').replace('_', ' ')}.{factor.replace('-', '_')}"  # solar-wind.proton-flux
        found[key] = Spread(value, lower, upper)
    return found


def _lifted_share(path: Path, species: str, year: float, given: dict[str, Spread]) -> Spread:
    """Ions that rise through the top of a run, at both poles, over what meteoroids and debris supply."""
    store = path / "polar.zarr" if (path / "polar.zarr").exists() else path
    flux = top_flux(open_dataset(store), species=[f"{species}+"])
    height, rising = float(flux["flux_alt"]), float(flux["ions_up"].mean())
    lowest = assumed("lowest_run_top_km")
    if height < lowest:
        raise SettingsError(f"{path}: its top is at {height:g} km; to stand for the exobase it must be at {lowest:g} km or above")
    if not rising > 0.0:
        raise SettingsError(f"{path}: no {species}+ rises through its top at {height:g} km; nothing to budget")
    own = {key: value for key, value in given.items() if not key.startswith(("layer.", "moon.", "solar wind."))}
    layer = supply_budget(species, "metal layer", year=year, given=Given(own, {}), samples=1000)
    poles, factor = assumed("poles"), assumed("run_factor")
    share = poles * rising / float(layer["supply"].sum())
    words = (
        f"{rising:.2e} ions s-1 rise through {height:g} km in {path.name}, times {poles:g} poles, over the supply of the layer; "
        f"a factor {factor:g} is assumed"
    )
    return Spread(share, share / factor, share * factor, words, "unverified")


def _arriving(path: Path, species: str) -> Spread:
    """Ions per second that arrive at the Earth, over a month."""
    data = open_dataset(path)
    name = f"{species}+"
    if "arrival_rate" not in data or name not in data["species"].values:
        raise SettingsError(f"{path} has no arrival_rate of {name}; give the output of siderion pickup for it")
    hour = float(lunar_local_time(np.asarray(data.attrs["moon_gse_re"])))
    first, last = assumed("first_local_time_h"), assumed("last_local_time_h")
    if not first <= hour <= last:
        raise SettingsError(f"{path}: the Moon is at {hour:.1f} h local time; upstream is {first:g} to {last:g} h")
    share = (last - first) / 24.0
    ends = [float(data[f"arrival_rate{end}"].sel(species=name)) * share for end in ("", "_lower", "_upper")]
    if not min(ends) > 0.0:
        raise SettingsError(f"{path}: no {name} arrives; nothing to budget")
    words = f"{path.name}, Moon at {hour:.1f} h, for the {100 * share:.0f} % of a month at {first:g} to {last:g} h"
    return Spread(ends[0], min(ends), max(ends), words, "unverified")


def _text(result: xr.Dataset) -> list[str]:
    place, species = str(result["place"].values), result.attrs["species"]
    lines = [f"{species} to the {place}, s-1 (16 to 84 %):"]
    for route in result["route"].values:
        one = result.sel(route=route)
        lines.append(
            f"{route:11} {_ends(one, 'supply')}; {100 * float(one['supply_share']):.3g} % of all, "
            f"{100 * float(one['low_charge_share']):.3g} % of the singly charged ({one['charge_states'].item()})"
        )
        if not float(one["dominant_variance_share"]) > 0.0:
            lines.append(f"{'':11} all its factors are given without spread")
            continue
        k = int(np.argmax(np.nan_to_num(one["variance_share"].values)))
        lines.append(
            f"{'':11} dominated by {one['dominant_factor'].item()} ({100 * float(one['dominant_variance_share']):.0f} % of the "
            f"variance): {one['dominant_meaning'].item()}; {one['factor_source'].values[k]} "
            f"[{one['factor_confidence'].values[k]}]"
        )
    lines += [f"left out: {route}: {why}" for route, why in json.loads(result.attrs["routes_missing"]).items()]
    return lines


def _ends(one: xr.Dataset, name: str) -> str:
    return f"{float(one[name]):.1e} ({float(one[f'{name}_lower']):.1e} to {float(one[f'{name}_upper']):.1e})"
