"""``siderion layer``: column, centroid and edges of a metal layer over time, as it is or as a lidar or a limb sounder sees it."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import xarray as xr
from cyclopts import Parameter

from siderion.cli.show import page_beside, print_json, write_page
from siderion.core.errors import SettingsError, explained
from siderion.core.tables import load_table
from siderion.io.event_list import iso_times
from siderion.io.gfz import read_columns
from siderion.io.store import open_dataset, write_netcdf
from siderion.jobs.atomic import atomic_file
from siderion.report import render_report
from siderion.spectrometer.layer import describe_layer, line_cross_section, observe_limb, observe_with_lidar
from siderion.spectrometer.layer_input import profiles_of
from siderion.spectrometer.lidar import get_lidar, line_of_species
from siderion.spectrometer.limb import THIN

_SHOWN = 12


def layer(
    file: Path,
    *,
    variable: str | None = None,
    species: str | None = None,
    lat: float | None = None,
    lon: float | None = None,
    range_: Annotated[str | None, Parameter(name="--range")] = None,
    threshold: float | None = None,
    edge: Literal["nearest", "outermost"] = "nearest",
    bin_means: Annotated[bool, Parameter(name="--bin-means", negative="")] = False,
    lidar: str | None = None,
    limb: str | None = None,
    g: float | None = None,
    noise: float = 1.0,
    field_of_view: float = 0.0,
    seed: int = 0,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Give column density, centroid height, width, peak and edges of a layer over time (Figures 4.11 and 4.12 of the review).

    Parameters
    ----------
    file
        NetCDF file or Zarr folder with a density on time and alt (km), an output of siderion run, or a CSV table with the
        columns time, alt (km), density (m-3) and perhaps density_error.
    variable
        Name of the density; density or number_density by default.
    species
        Species, where the file has several; with --limb the one whose line is looked up, to warn where it is not thin.
    lat
        Latitude of the column, degrees, where the file has several.
    lon
        Longitude of the column, degrees.
    range_
        Altitudes from:to, km; 75:115 by default, or what the file has of it.
    threshold
        Density of the edges, m-3; 5e7 by default.
    edge
        nearest (first crossing of the threshold away from the peak) or outermost (last one in the range).
    bin_means
        The densities are means of their bins, not values at points; those of --lidar always are.
    lidar
        Show the layer as this lidar sees it: its bins and times, photon noise, no data in sunlight. tromso is known.
    limb
        Show the layer as a limb sounder sees it: tangent altitudes from:to:step, km.
    g
        Photons that an atom scatters per second, s-1, for --limb.
    noise
        Standard error of the brightness, R, for --limb.
    field_of_view
        Full width of the field of view at the tangent point, km, for --limb.
    seed
        Seed of the noise.
    output
        NetCDF file; none by default. A page with figures goes beside it.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    if lidar is not None and limb is not None:
        raise SettingsError("--lidar and --limb exclude each other; run the command once for each")
    page = None if output is None or no_report else page_beside(output)
    limits = None if range_ is None else _numbers(range_, "--range", 2)
    profiles = profiles_of(_read(file), variable, species, lat, lon)
    if lidar is not None:
        profiles = observe_with_lidar(profiles, get_lidar(lidar), limits, seed)  # type: ignore[arg-type]
    if limb is not None:
        profiles = _limb(profiles, limb, g, noise, field_of_view, seed, species)
    # without the option the profiles know: a lidar gives means of its bins
    result = describe_layer(profiles, threshold, limits, edge, bin_means or None)  # type: ignore[arg-type]
    settings = {
        "file": str(file), "variable": result.attrs["variable"], "species": species, "lat": lat, "lon": lon,
        "range_km": result.attrs["range_km"], "threshold_m-3": result.attrs["threshold_m-3"], "edge": edge,
        "bin_means": bool(result.attrs["bin_means"]), "lidar": lidar, "limb": limb, "g": g, "noise": noise,
        "field_of_view": field_of_view, "seed": seed,
    }  # fmt: skip
    result.attrs |= {
        "title": f"Layer of {species or result.attrs['variable']} from {file.name}",
        "kind": "siderion layer",
        "settings": json.dumps(settings),
        "sources": json.dumps(_sources(lidar, limb, result.attrs.get("line"))),
        "siderion_version": version("siderion"),
    }
    if output is not None:
        with explained(output), atomic_file(output) as temporary:
            write_netcdf(_plain(result), temporary)
        if page is not None:
            write_page(render_report(_plain(result)), page)
    for warning in _depth_warning(result, species):
        print(warning, file=sys.stderr)
    if json_:
        print_json("layer", settings, result)
        return
    print("\n".join(_text(result)))
    if output is not None:
        print(f"wrote {output}" + (f" and {page}" if page else ""))


def _read(file: Path) -> xr.Dataset:
    """The data, from a table in long form or a file of arrays."""
    if file.suffix.lower() not in (".csv", ".txt"):
        return open_dataset(file)
    table = read_columns(file, ["time", "alt", "density"], ["density_error"])
    data = xr.Dataset({"density": ("point", table.numbers("density"), {"units": "m-3"})})
    if "density_error" in table.columns:
        data["density_error"] = ("point", table.numbers("density_error"), {"units": "m-3"})
    return data.assign_coords(time=("point", iso_times(table, "time")), alt=("point", table.numbers("alt")))


def _limb(
    profiles: xr.Dataset, text: str, g: float | None, noise: float, field_of_view: float, seed: int, species: str | None
) -> xr.Dataset:
    if g is None:
        raise SettingsError("--limb needs the g-factor; give it with --g, s-1 (photons that an atom scatters per second)")
    first, last, step = _numbers(text, "--limb", 3)
    if not (first < last and step > 0.0):
        raise SettingsError(f"--limb {text}: write from:to:step in km, such as 75:115:2")
    tangents = np.arange(first, last + 0.5 * step, step)
    line = None if species is None else line_of_species(species)
    section = None if line is None else line_cross_section(line)
    seen = observe_limb(profiles, tangents, g, noise, field_of_view, seed, section)
    return seen if line is None else seen.assign_attrs({"line": line.name, "line_cross_section_m2": section})


def _depth_warning(result: xr.Dataset, species: str | None) -> list[str]:
    """What to say of the optical depth of a limb sounder's line; nothing where it is thin."""
    if "limb_brightness" not in result:
        return []
    if "limb_optical_depth" not in result:
        whose = f"of {species}" if species else "(no --species is named)"
        return [f"warning: no line {whose} in the table lidar_lines, so it is not known whether the line is optically thin"]
    depth = result["limb_optical_depth"]
    if not float(depth.max()) > THIN:
        return []
    thick = depth["alt"].values[(depth.values > THIN).any(axis=0)]
    return [
        f"warning: the line {result.attrs['line']} is not optically thin: depth of up to {float(depth.max()):.2g} along the line "
        f"of sight, above {THIN:g} at tangent altitudes of {thick.min():g} to {thick.max():g} km; brightness and density are of "
        "a thin line, and do not hold there"
    ]


def _numbers(text: str, option: str, count: int) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.split(":"))
    except ValueError:
        values = ()
    if len(values) != count or not np.isfinite(values).all():
        raise SettingsError(f"{option} {text}: write {count} numbers separated by colons, such as {'75:115:2'[: 3 * count - 1]}")
    return values


def _sources(lidar: str | None, limb: str | None, limb_line: str | None) -> list[dict[str, str]]:
    limits = load_table("spectrometer", "layer_limits").set_index("quantity")
    rows = [("edges of the layer", "density of 5e7 m-3", str(limits.loc["threshold", "confidence"]),
             str(limits.loc["threshold", "source"]))]  # fmt: skip
    if lidar is not None:
        table = load_table("spectrometer", "lidars").set_index("name")
        lines = load_table("spectrometer", "lidar_lines").set_index("name")
        line = str(table.loc[lidar.lower(), "line"])
        rows.append(("lidar", lidar, str(table.loc[lidar.lower(), "confidence"]), str(table.loc[lidar.lower(), "source"])))
        rows.append(("resonance line", line, str(lines.loc[line, "confidence"]), str(lines.loc[line, "source"])))
    if limb is not None:
        rows.append(("limb brightness", "optically thin resonance line", "computed", "g-factor as given; exact path lengths"))
    if limb_line is not None:
        row = load_table("spectrometer", "lidar_lines").set_index("name").loc[limb_line]
        rows.append(("resonance line, for the optical depth", limb_line, str(row["confidence"]), str(row["source"])))
        row = limits.loc["line_temperature"]
        rows.append(("temperature of the layer, for the optical depth", f"{float(row['value']):g} K", str(row["confidence"]),
                     str(row["source"])))  # fmt: skip
    return [dict(zip(("what", "model", "confidence", "citation"), row, strict=True)) for row in rows]


def _plain(result: xr.Dataset) -> xr.Dataset:
    """For the file: a missing time is left out, flags become numbers."""
    if np.isnat(result["time"].values).any():
        result = result.isel(time=0, drop=True).expand_dims("time")
    return result.assign({name: array.astype(np.int8) for name, array in result.data_vars.items() if array.dtype == bool})


def _text(result: xr.Dataset) -> list[str]:
    low, high = result.attrs["range_km"]
    lines = [
        f"{low:g} to {high:g} km, edges at {result.attrs['threshold_m-3']:g} m-3, {result.sizes['time']} profiles",
        f"{'time':>19} {'column m-2':>22} {'centroid km':>16} {'width km':>14} {'upper edge km':>16} {'lower edge km':>16}",
    ]
    count = result.sizes["time"]
    shown = range(count) if count <= _SHOWN else [*range(_SHOWN // 2), *range(count - _SHOWN // 2, count)]
    for k in shown:
        if count > _SHOWN and k == count - _SHOWN // 2:
            lines.append(f"{'...':>19}")
        moment = result["time"].values[k]
        time = "-" if np.isnat(moment) else np.datetime_as_string(moment, unit="s")
        cells = [_cell(result, f"layer_{name}", k, digits) for name, digits in (
            ("column_density", "{:.4g}"), ("centroid_height", "{:.2f}"), ("rms_width", "{:.2f}"), ("upper_edge", "{:.2f}"),
            ("lower_edge", "{:.2f}"),
        )]  # fmt: skip
        lines.append(f"{time:>19} {cells[0]:>22} {cells[1]:>16} {cells[2]:>14} {cells[3]:>16} {cells[4]:>16}")
    lines += _flag_lines(result)
    return lines


def _cell(result: xr.Dataset, name: str, k: int, digits: str) -> str:
    value, upper = float(result[name][k]), float(result[f"{name}_upper"][k])
    if not np.isfinite(value):
        return f"flag {int(result[f'{name}_flag'][k])}"
    error = upper - value
    if not np.isfinite(error):
        return f"{digits.format(value)} flag {int(result[f'{name}_flag'][k])}"
    return digits.format(value) + (f" +- {digits.format(error)}" if error > 0.0 else "")


def _flag_lines(result: xr.Dataset) -> list[str]:
    """Meaning of the flags that came up, with the number of profiles."""
    lines: list[str] = []
    flags: dict[int, Any] = {}
    for name in result.data_vars:
        if str(name).endswith("_flag"):
            meanings = str(result[name].attrs["flag_meanings"]).split()
            for flag in np.unique(result[name].values[result[name].values != 0]):
                flags.setdefault(int(flag), (meanings[int(flag)], []))[1].append(
                    f"{str(name).removeprefix('layer_').removesuffix('_flag').replace('_', ' ')} "
                    f"{int((result[name].values == flag).sum())}"
                )
    for flag, (meaning, where) in sorted(flags.items()):
        lines.append(f"flag {flag}: {meaning.replace('_', ' ')} (profiles: {', '.join(where)})")
    return lines
