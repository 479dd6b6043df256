"""``siderion exosphere``: profiles, fits, columns, brightness and losses of exospheres."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import xarray as xr
from cyclopts import Parameter

from siderion.chemistry.photo_rates import photo_rate_confidence
from siderion.cli.show import names_in, page_beside, print_json, progress_report, write_page
from siderion.core.bodies import ASTRONOMICAL_UNIT, Body, get_body
from siderion.core.errors import SettingsError, SiderionError, explained
from siderion.exosphere.retrieval import Sunlight, neutrals_of, preset_exosphere, retrieve_exosphere
from siderion.io.store import open_tree, write_tree
from siderion.jobs.atomic import atomic_file
from siderion.jobs.progress import Report
from siderion.report import render_report


def exosphere(
    events: Path | None = None,
    *,
    body: str | None = None,
    species: str | None = None,
    model: str = "chamberlain",
    fix: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    bounds: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    bin_width: float = 0.5,
    error_floor: float = 0.15,
    bootstrap: int = 100,
    seed: int = 0,
    largest_radius: float | None = None,
    ambiguous: str = "refuse",
    distance: float | None = None,
    activity: float = 0.0,
    solar_zenith: float = 60.0,
    body_mass: float | None = None,
    body_radius: float | None = None,
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = Path("exosphere.nc"),
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Fit exospheres to the densities of `siderion waves`; without events, give the model profiles of a body.

    The output has a group for each neutral, with profile, fit, losses and brightness; a page with figures goes beside it.

    Parameters
    ----------
    events
        Output of `siderion waves`, with positions. Without it, the populations that are known for the body are shown.
    body
        Body; that of the events by default.
    species
        Neutrals separated by commas, such as H,He; those of the events by default.
    model
        chamberlain (one population) or two-component (thermal and energetic).
    fix
        Parameters held fixed, such as temperature_thermal=450 (K) or surface_density_thermal=1.1e9 (m-3).
    bounds
        Bounds of parameters, such as temperature_energetic=2000:8000.
    bin_width
        Width of the radial bins, radii of the body.
    error_floor
        Smallest relative error of the median of a bin.
    bootstrap
        Samples of the bootstrap over events; 0 takes the covariance matrix.
    seed
        Seed of the bootstrap.
    largest_radius
        End of the model, km from the centre.
    ambiguous
        Waves that were taken for two ions (H2+ and D+): refuse, or keep for each neutral that is fitted.
    distance
        Distance from the Sun, au, for brightness and losses; the mean of the events, or of the preset, by default.
    activity
        Solar activity, 0 (quiet) to 1 (active), for the losses.
    solar_zenith
        Solar zenith angle below the line of sight, degrees, for lines that are optically thick.
    body_mass
        Mass of the body, kg, in place of the preset.
    body_radius
        Radius of the body, km, in place of the preset.
    output
        NetCDF file; exosphere.nc by default.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    found = None if events is None else open_tree(events)
    if found is not None and "events" not in found:
        raise SettingsError(f"{events} has no group /events; give the output of `siderion waves`")
    data = None if found is None else found["events"].to_dataset().load()
    name = body or (str(data.attrs.get("body", "")) if data is not None else "")
    if not name:
        raise SettingsError("no body: give one with --body, such as --body mercury")
    _check(bootstrap, bin_width, distance, largest_radius, solar_zenith)
    if data is None and (fix or bounds):
        raise SettingsError("--fix and --bounds belong to a fit; give the events, or leave them out")
    there = str(data.attrs.get("body", "")) if data is not None else ""
    if there and get_body(name).name != there:
        raise SettingsError(f"the events are of {there}, not of {get_body(name).name}; leave --body out")
    given = {"mass": body_mass, "radius": None if body_radius is None else body_radius * 1e3}
    if data is not None and body_radius is None and "body_radius_km" in data.attrs:
        given["radius"] = float(data.attrs["body_radius_km"]) * 1e3
    chosen = get_body(name).with_values(**{key: value for key, value in given.items() if value is not None})
    light = Sunlight(_distance(data, chosen) if distance is None else distance, activity, solar_zenith)
    named = names_in(species)
    neutrals = named or list(neutrals_of(data) if data is not None else ())
    if not neutrals:
        raise SettingsError("no neutral: there is no event; name neutrals with --species, such as --species H,He")
    page = None if no_report else page_beside(output)
    options = {
        "fixed": _values(fix), "bounds": _ranges(bounds), "bin_width": bin_width, "error_floor": error_floor,
        "bootstrap": bootstrap, "seed": seed, "largest_radius": largest_radius, "ambiguous": ambiguous,
    }  # fmt: skip
    with progress_report(quiet=json_) as report:
        trees, problems = _make_all(data, chosen, neutrals, model, light, options, report)
    settings = {
        "events": str(events or ""), "body": chosen.name, "species": neutrals, "model": model, **options,
        "distance_au": light.distance, "activity": activity, "solar_zenith": solar_zenith,
    }  # fmt: skip
    whole = _join(trees, data, chosen, model if data is not None else "preset", light, problems)
    whole.attrs["settings"] = json.dumps(settings)
    with explained(output), atomic_file(output) as temporary:
        write_tree(whole, temporary)
    if page is not None:
        write_page(render_report(whole), page)
    if json_:
        print_json("exosphere", settings, _flat(whole))
        return
    print("\n".join(_text(whole, problems)))
    print(f"wrote {output}" + (f" and {page}" if page else ""))


def _make_all(
    events: xr.Dataset | None,
    body: Body,
    neutrals: list[str],
    model: str,
    light: Sunlight,
    options: dict[str, Any],
    report: Report,
) -> tuple[dict[str, xr.DataTree], dict[str, str]]:
    """The exosphere of every neutral, and why some could not be made; raises where that is all of them."""
    trees, problems = {}, {}
    for neutral in neutrals:
        try:
            if events is None:
                trees[neutral] = preset_exosphere(body, neutral, light, options["largest_radius"])
            else:
                trees[neutral] = retrieve_exosphere(events, body, neutral, model, light, report=report, **options)
        except SiderionError as error:
            if len(neutrals) == 1:
                raise
            problems[neutral] = str(error)
    if not trees:
        raise SettingsError("no exosphere could be made: " + "; ".join(f"{key}: {value}" for key, value in problems.items()))
    return trees, problems


def _sources(trees: dict[str, xr.DataTree], light: Sunlight) -> list[dict[str, str]]:
    """Citations of what the results rest on, with the confidence of what was used."""
    found = [
        ("profiles", "collisionless exosphere of ballistic and escaping atoms", "verified",
         "Chamberlain 1963, doi:10.1016/0032-0633(63)90122-3"),
        ("body, populations and temperatures", "presets", "unverified",
         "siderion/core/tables/bodies.csv, siderion/exosphere/tables/populations.csv"),
        ("losses to sunlight", "rates at 1 au", photo_rate_confidence(list(trees), light.activity),
         "Huebner & Mukherjee 2015, doi:10.1016/j.pss.2014.11.022 (quiet Sun); siderion/chemistry/tables/photo_rates.csv"),
    ]  # fmt: skip
    if any("brightness" in tree for tree in trees.values()):
        found.append(("g-factors", "tables of nexoclom, atoms at rest", "verified",
                      "Killen et al. 2009, doi:10.1088/0067-0049/181/2/351"))  # fmt: skip
    return [dict(zip(("what", "model", "confidence", "citation"), row, strict=True)) for row in found]


def _check(bootstrap: int, bin_width: float, distance: float | None, largest_radius: float | None, solar_zenith: float) -> None:
    """Raise `SettingsError` for numbers that cannot be."""
    for name, value in (("--bin-width", bin_width), ("--distance", distance), ("--largest-radius", largest_radius)):
        if value is not None and not 0.0 < value < float("inf"):
            raise SettingsError(f"{name} is {value}; it must be positive and finite")
    if bootstrap < 0 or 0 < bootstrap < 20:
        raise SettingsError(f"--bootstrap is {bootstrap}; give 20 samples at least, or 0 for the covariance matrix")
    if not 0.0 <= solar_zenith < 90.0:
        raise SettingsError(f"--solar-zenith is {solar_zenith}; it must be at least 0 and below 90 degrees")


def _distance(events: xr.Dataset | None, body: Body) -> float:
    if events is not None and "heliocentric_distance" in events and events.sizes["event"]:
        return float(events["heliocentric_distance"].mean())
    lower, upper = body.require("distance")  # type: ignore[misc]
    return float(np.sqrt(lower * upper)) / ASTRONOMICAL_UNIT


def _values(pairs: list[str] | None) -> dict[str, float]:
    result = {}
    for pair in pairs or ():
        name, _, text = pair.partition("=")
        try:
            result[name] = float(text)
        except ValueError:
            raise SettingsError(f"--fix {pair}: write it as name=value, such as temperature_thermal=450") from None
    return result


def _ranges(pairs: list[str] | None) -> dict[str, tuple[float, float]]:
    result = {}
    for pair in pairs or ():
        name, _, text = pair.partition("=")
        low, _, high = text.partition(":")
        try:
            result[name] = (float(low), float(high))
        except ValueError:
            raise SettingsError(f"--bounds {pair}: write it as name=lower:upper, such as temperature_thermal=300:700") from None
    return result


def _join(
    trees: dict[str, xr.DataTree], events: xr.Dataset | None, body: Body, model: str, light: Sunlight, problems: dict[str, str]
) -> xr.DataTree:
    nodes = {
        f"{neutral}/{name}" if name else neutral: (node.to_dataset() if name else tree.to_dataset())
        for neutral, tree in trees.items()
        for name, node in [("", tree), *tree.children.items()]
    }
    attributes = {
        "title": f"Exosphere of {body.name}: {', '.join(trees)}",
        "kind": "siderion exosphere",
        "body": body.name,
        "body_radius_km": float(body.require("radius")) / 1e3,  # type: ignore[arg-type]
        "model": model,
        "siderion_version": version("siderion"),
        "not_made": json.dumps(problems),
    }
    sources = _sources(trees, light)
    if events is not None:
        attributes |= {key: events.attrs[key] for key in ("convention", "files") if key in events.attrs}
        sources = json.loads(events.attrs.get("sources", "[]")) + sources
    attributes["sources"] = json.dumps(sources)
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=attributes), **nodes})


def _flat(tree: xr.DataTree) -> xr.Dataset:
    """All fits in one data set, the neutral in front of every name: groups have no place in the one JSON schema."""
    parts = {}
    for neutral, node in tree.children.items():
        for group in node.children.values():
            data = group.to_dataset()
            for name, array in data.variables.items():
                dims = tuple(f"{neutral}_{group.name}_{dim}" for dim in array.dims)
                parts[f"{neutral}_{group.name}_{name}"] = xr.Variable(dims, array.values, array.attrs)
    return xr.Dataset(parts)


def _text(tree: xr.DataTree, problems: dict[str, str]) -> list[str]:
    lines = [f"{tree.attrs['body']}, model {tree.attrs['model']}"]
    for neutral, node in tree.children.items():
        if node.attrs.get("temperature_bounds"):
            lines.append(f"{neutral:3} bounds: {node.attrs['temperature_bounds']}; others with --bounds")
    for neutral, node in tree.children.items():
        fit = node["fit"].to_dataset()
        for k, population in enumerate(fit["population"].values):
            density = _ends(fit, "surface_density", k, 1e-6)
            temperature = _ends(fit, "temperature", k, 1.0)
            lines.append(f"{neutral:3} {population!s:10} surface density {density} cm-3, temperature {temperature} K")
        column = float(fit["column_density"]) * 1e-4
        lines.append(f"{neutral:3} column density {column:.3g} cm-2")
        if "chi_square" in fit:
            lines.append(
                f"{neutral:3} chi-square {float(fit['chi_square']):.3g} for {int(fit['degrees_of_freedom'])} degrees of freedom; "
                f"common uncertainty of all densities: factors {float(fit['systematic_factor'][0]):.2g} to "
                f"{float(fit['systematic_factor'][1]):.2g}"
            )
        if "brightness" in node:
            light = node["brightness"].to_dataset()
            for k, line in enumerate(light["line"].values):
                lines.append(f"{neutral:3} {line:g} nm: {float(light['brightness'][k, 0]):.3g} R at the limb")
    lines += [f"{neutral}: not made: {why}" for neutral, why in problems.items()]
    return lines


def _ends(fit: xr.Dataset, name: str, k: int, factor: float) -> str:
    value = float(fit[name][k]) * factor
    if f"{name}_lower" not in fit:
        return f"{value:.3g}"
    low, high = (float(fit[f"{name}_{end}"][k]) * factor for end in ("lower", "upper"))
    meanings = str(fit[f"{name}_flag"].attrs["flag_meanings"]).split()
    values = np.atleast_1d(fit[f"{name}_flag"].attrs["flag_values"]).tolist()
    flag = int(fit[f"{name}_flag"][k])
    return f"{value:.3g} ({low:.3g} to {high:.3g})" + (f" [{meanings[values.index(flag)].replace('_', ' ')}]" if flag else "")
