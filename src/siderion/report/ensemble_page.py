"""The page for an ensemble of polar runs: maps in magnetic local time and invariant latitude, and a table of members."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.errors import DataError

from . import markup
from .figures import to_data_uri
from .map_drawing import ColourScale, density_scale, draw_polar_map, round_up
from .markup import Number, Section
from .record_sections import citation_section, sources_section
from .selection import MapFrame, flatten, species_label

Array = NDArray[np.float64]
_NEEDED = ("ensemble_mean_number_density", "ensemble_layer_occurrence", "mean_electric_potential", "largest_number_density")
_STEPS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def is_ensemble(dataset: xr.Dataset) -> bool:
    """Whether a data set is the output of ``siderion ensemble``."""
    return "member" in dataset.dims and all(name in dataset for name in _NEEDED)


def render_ensemble_page(dataset: xr.Dataset) -> str:
    """Render the page of an ensemble (see `siderion.report.render_report`).

    Parameters
    ----------
    dataset : xarray.Dataset
        From `siderion.transport.ensemble.run_ensemble`; invariant latitude in degrees, magnetic local time in h, densities
        in m-3, potential in V.

    Raises
    ------
    DataError
        The attribute ``members`` is missing.
    """
    members = json.loads(dataset.attrs.get("members", "{}"))
    if not members:
        raise DataError('global attribute "members" is missing: the members of the ensemble are unknown; run it again')
    frame = magnetic_frame(dataset)
    species = [str(name) for name in dataset["species"].values]
    sections = [Section("members", "Members", _member_table(dataset, species))]
    for name in species:
        maps = dataset.sel(species=name)
        label = markup.text(species_label(name))
        suffix = "" if len(species) == 1 else f"-{len(sections)}"
        sections += [
            Section(f"mean{suffix}", f"{label}: mean and spread", _density_figures(maps, frame, species_label(name))),
            Section(f"layers{suffix}", f"{label}: layers", _layer_figures(maps, frame, species_label(name))),
            Section(f"each{suffix}", f"{label}: every member", _member_figures(maps, frame, species_label(name))),
        ]
    sections += [sources_section(dataset), _settings_section(members), citation_section(dataset)]
    head = markup.facts(
        [
            ("members", str(dataset.sizes["member"])),
            ("species", markup.text(", ".join(map(species_label, species)))),
            ("hemisphere", f"{dataset.attrs.get('hemisphere', 'north')}ern"),
            ("bins", f"{_step(dataset.invariant_latitude):g}° × {_step(dataset.magnetic_local_time):g} h"),
            ("Siderion", markup.text(dataset.attrs.get("siderion_version", "(version not named)"))),
        ]
    )
    title = str(dataset.attrs.get("title") or "Siderion: ensemble of polar runs")
    return markup.page(title, head, sections, "Made by Siderion.")


def magnetic_frame(dataset: xr.Dataset, member: int | None = None) -> MapFrame:
    """The grid of magnetic local time and invariant latitude as a grid of a map, with the potential of all members or one."""
    latitude = dataset["invariant_latitude"].values.astype(float)
    hours = dataset["magnetic_local_time"].values.astype(float)
    potential = dataset["mean_electric_potential"]
    potential = potential.mean("member") if member is None else potential.isel(member=member)
    return MapFrame(
        time=np.datetime64("NaT"),
        latitude=latitude,
        longitude=15.0 * hours - 180.0,
        local_time=np.broadcast_to(hours, (len(latitude), len(hours))),
        potential=potential.transpose("invariant_latitude", "magnetic_local_time").values.astype(float),
        invariant_latitude=None,
        edge=float(latitude[0] - 0.5 * _step(dataset["invariant_latitude"])),
        magnetic=True,
    )


def _step(coordinate: xr.DataArray) -> float:
    return float(coordinate[1] - coordinate[0])


def _values(array: xr.DataArray) -> Array:
    return array.transpose("invariant_latitude", "magnetic_local_time").values.astype(float)


def _map(values: Array, frame: MapFrame, scale: ColourScale, title: str, streamlines: bool = False) -> str:
    return markup.image(to_data_uri(draw_polar_map(values, frame, scale, title, streamlines)), title)


def _altitude_name(altitude: float) -> str:
    return "115–125 km, largest" if altitude == 120.0 else f"{altitude:g} km"


_ORIENTATION = (
    "Invariant latitude outwards from the magnetic pole (dotted circles), magnetic noon at the top, dawn on the right. Heavy "
    "lines are the outlines of the convection cells, where the mean potential exceeds 30 % of its extremum (written inside, kV)."
)


def _density_figures(maps: xr.Dataset, frame: MapFrame, label: str) -> str:
    """Mean and spread at every altitude, side by side."""
    spread = maps.get("ensemble_density_spread")
    pieces = []
    if spread is None:
        pieces.append(markup.missing("The ensemble has one member: there is no spread.", "Add members."))
    widest = float(np.percentile(spread.values, 99.0)) if spread is not None else 1.0
    spread_scale = ColourScale(0.0, round_up(max(widest, 0.01), _STEPS), "standard deviation of log10 density, decades", "magma")
    for altitude in maps["alt"].values:
        mean = _values(maps["ensemble_mean_number_density"].sel(alt=altitude))
        scale = density_scale([mean], f"{label} density, m$^{{-3}}$")
        images = [_map(mean, frame, scale, f"Mean, {_altitude_name(altitude)}")]
        caption = f"{markup.text(label)} at {_altitude_name(altitude)}: mean over the members of the mean over their day"
        if spread is not None:
            images.append(_map(_values(spread.sel(alt=altitude)), frame, spread_scale, f"Spread, {_altitude_name(altitude)}"))
            caption += ", and the sample standard deviation of its logarithm over the members (1 is a factor of ten)"
        pieces.append(markup.figure(images, f"{caption}. {_ORIENTATION}"))
    return "".join(pieces)


def _layer_figures(maps: xr.Dataset, frame: MapFrame, label: str) -> str:
    occurrence = 100.0 * _values(maps["ensemble_layer_occurrence"])
    largest = float(np.nanmax(occurrence))
    scale = ColourScale(0.0, round_up(largest, _STEPS) if largest > 0.0 else 1.0, "area and time with a layer, %", "viridis")
    potential = frame.potential
    assert potential is not None
    limit = round_up(float(np.abs(potential).max()) / 1e3 or 1.0, _STEPS)
    volts = ColourScale(-limit, limit, "electric potential, kV", "RdBu_r")
    images = [
        _map(occurrence, frame, scale, "Layers, 115–125 km"),
        _map(potential / 1e3, frame, volts, "Potential, mean"),
    ]
    where = np.unravel_index(int(np.nanargmax(occurrence)), occurrence.shape)
    said = (
        f" Largest: {largest:.3g} % at {frame.latitude[where[0]]:.1f}° and {(frame.longitude[where[1]] + 180.0) / 15.0:.1f} h."
        if largest > 0.0
        else " No member has such a layer."
    )
    return markup.figure(
        images,
        f"Left: fraction of area and time in which {markup.text(label)} exceeds 10<sup>11</sup> m<sup>−3</sup> between 115 and "
        f"125 km, mean over the members.{said} Right: electric potential, mean over the day and the members. {_ORIENTATION}",
    )


def _member_figures(maps: xr.Dataset, frame: MapFrame, label: str) -> str:
    """The map of 115 to 125 km of every member, on one scale."""
    fields = [_values(field) for field in maps["mean_number_density"].isel(alt=0).transpose("member", ...)]
    scale = density_scale(fields, f"{label} density, m$^{{-3}}$")
    images = [
        _map(field, magnetic_frame(maps, k), scale, str(name))
        for k, (name, field) in enumerate(zip(maps["member"].values, fields, strict=True))
    ]
    caption = f"{markup.text(label)}, largest density between 115 and 125 km, mean over the day, on one scale. {_ORIENTATION}"
    return markup.figure(images if len(images) > 1 else images[:1], caption)


# ---------------------------------------------------------------------- table

_COLUMNS: list[tuple[str, Callable[[xr.Dataset], float | str]]] = [
    ("largest 115–125 km, m⁻³", lambda row: float(row.largest_number_density)),
    ("at latitude, °", lambda row: f"{float(row.largest_lat):.1f}"),
    ("at UT", lambda row: str(row.largest_time.values)[11:16]),
    ("area above 10¹¹, 10³ km²", lambda row: float(row.mean_layer_area) / 1e9),
    *[
        (f"evening/morning {z} km", lambda row, z=z: float(row.evening_morning_ratio.sel(alt=z, method="nearest")))
        for z in (120, 200, 300)
    ],
    ("mass left, %", lambda row: 100.0 * float(row.budget_final) / (float(row.budget_initial) or 1.0)),
]


def _member_table(dataset: xr.Dataset, species: list[str]) -> str:
    rows: list[list[str | Number]] = []
    for member in map(str, dataset["member"].values):
        for name in species:
            row = dataset.sel(member=member, species=name)
            found = [value(row) for _, value in _COLUMNS]
            cells = [Number(v if isinstance(v, str) else markup.number(v)) for v in found]
            rows.append([markup.text(member), markup.text(species_label(name)), *cells])
    table = markup.table(["member", "species", *(head for head, _ in _COLUMNS)], rows, "wide")
    note = (
        "Over the hours of the analysed day. Largest density: with geographic latitude. Area: mean, poleward of 60° invariant "
        "latitude. Evening over morning: mean density in the evening cell over that in the morning cell, at 120, 200 and 300 km "
        "(geometric mean over the hours). Mass: ions at the end of the run over those at the start."
    )
    return table + markup.paragraph(note)


def _settings_section(members: dict[str, Any]) -> Section:
    """What differs between the members, and the digest of each."""
    flat = {name: flatten(entry["settings"]) for name, entry in members.items()}
    keys = sorted({key for values in flat.values() for key in values})
    differing = [key for key in keys if len({json.dumps(values.get(key)) for values in flat.values()}) > 1]
    rows = [
        [markup.text(name), f"<code>{markup.text(members[name]['settings_digest'])}</code>"]
        + [f"<code>{markup.text(json.dumps(values.get(key)))}</code>" for key in differing]
        for name, values in flat.items()
    ]
    body = markup.table(["member", "digest of the settings", *differing], rows, "wide")
    return Section("settings", "Settings that differ", body)
