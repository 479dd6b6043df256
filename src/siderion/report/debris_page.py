"""The pages of re-entering debris as a source: one re-entry, and the production of a year."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.constants import EARTH_RADIUS
from siderion.sources.debris.event import ground_track

from . import markup
from .debris_figures import (
    FATES,
    Releases,
    Track,
    draw_fates,
    draw_production,
    draw_release,
    draw_shares_above,
    draw_track,
    plain,
)
from .figures import to_data_uri
from .markup import Number, Section
from .source_words import caution, foot, lead, need, record

KIND = "siderion source"
"""Global attribute ``kind`` of sources for a run; those of meteoroids have it too."""
_EVENT_ONLY = frozenset({"surviving_mass", "oxidised_mass", "layer_mass", "break_up_altitude"})
_RATE_ONLY = frozenset({"injected_rate", "oxidised_rate", "droplet_rate", "layer_rate"})
_EVENT_NEEDS = (
    "released_mass", "alt_bounds", "initial_mass", "final_mass", "element_mass", *FATES, "released_atoms", "released_ions",
    "point_alt", "point_lat", "point_lon", "point_time", "point_part", "point_width", "break_up_altitude",
    "break_up_angle", "break_up_speed", "released_angle", "point_angle", "settings", "mass_kg",
)  # fmt: skip
_RATE_NEEDS = ("neutral_production", "ion_production", "alt_bounds", *sorted(_RATE_ONLY), "profile_of", "settings")
_MOST_ELEMENTS = 8
"""Elements drawn as lines in a figure; the tables have all."""


def is_debris_event(dataset: xr.Dataset) -> bool:
    """Whether a data set is the output of ``siderion sources debris event``."""
    return dataset.attrs.get("kind") == KIND and bool(_EVENT_ONLY & set(map(str, dataset.variables)))


def is_debris_rate(dataset: xr.Dataset) -> bool:
    """Whether a data set is the output of ``siderion sources debris rate``."""
    return dataset.attrs.get("kind") == KIND and bool(_RATE_ONLY & set(map(str, dataset.variables)))


# ---------------------------------------------------------------------- one re-entry


def render_debris_event_page(event: xr.Dataset) -> str:
    """Render one re-entry as a self-contained HTML page.

    Parameters
    ----------
    event : xarray.Dataset
        From `siderion.sources.debris.event.debris_event`.

    Returns
    -------
    str
        HTML without references to the outside.

    Raises
    ------
    DataError
        A variable is missing.
    """
    need(event, _EVENT_NEEDS, "debris event", "siderion sources debris event")
    settings = json.loads(event.attrs["settings"])
    sections = [
        Section("altitude", "Release by altitude", _release(event, settings)),
        Section("elements", "What becomes of each element", _fates(event, settings)),
        Section("track", "Ground track", _track(event, settings)),
        Section("parts", "Parts", _parts(event)),
        *record(event),
    ]
    title = str(event.attrs.get("title", "Debris event"))
    return markup.page(title, _event_head(event, settings), sections, foot(event))


def _event_head(event: xr.Dataset, settings: dict[str, Any]) -> str:
    floor, whole = float(settings["layer_floor"]), float(event.attrs["mass_kg"])
    layer = event["layer_mass"].sum().item()
    atoms, ions = event["released_atoms"].sum().item(), event["released_ions"].sum().item()
    heights = event["point_alt"].values
    where = f" between {heights.min() - 0.5:.0f} and {heights.max() + 0.5:.0f} km" if len(heights) else ""
    other = {key: event[key].sum().item() for key in FATES}
    said = (
        f"Of {markup.number(whole)} kg, <strong>{_mass(layer)} ({100 * layer / whole:.2g} %) are released as atoms above "
        f"{floor:g} km</strong>{where}: {markup.number(atoms + ions)} atoms, {_main_elements(event)}. "
        f"{_mass(other['oxidised_mass'])} are released lower and lost to oxides, {_mass(other['droplet_mass'])} stay droplets, "
        f"{_mass(other['surviving_mass'])} reach the ground."
    )
    pairs = [
        ("time (UTC)", markup.text(str(settings["time"])[:19].replace("T", " "))),
        ("place of that time", f"{_place(settings)}, {markup.text(str(settings['anchor']).replace('_', '-'))}"),
        ("heading", f"{float(settings['heading']):.1f}° from north to east"),
        ("break-up", f"{float(event['break_up_altitude']):.1f} km, {float(event['break_up_speed']) / 1e3:.2f} km s<sup>−1</sup>"),
        ("points of the source", str(event.sizes["point"])),
        ("atmosphere", markup.text(event.attrs.get("atmosphere", "–"))),
    ]
    once = markup.paragraph(
        "This is one computation with one set of settings: it has no error bars. What decides it is the path of entry, the size "
        "of the objects, and which share of the melt turns to atoms; vary these settings to see the spread. "
        + " ".join(markup.text(note[:1].upper() + note[1:].rstrip(".") + ".") for note in _notes(event))
    )
    return lead(said) + _ion_words(ions, atoms, settings) + markup.facts(pairs) + once + caution(event)


def _mass(kilograms: float) -> str:
    return f"{markup.number(kilograms)} kg"


def _main_elements(event: xr.Dataset) -> str:
    """The largest masses in the layer."""
    layer = event["layer_mass"]
    order = np.argsort(-layer.values)[:3]
    names = [f"{markup.text(layer['species'].values[k])} {_mass(float(layer[k]))}" for k in order if float(layer[k]) > 0.0]
    return f"mostly {', '.join(names)}" if names else "of no element"


def _place(settings: dict[str, Any]) -> str:
    latitude, longitude = float(settings["latitude"]), float(settings["longitude"])
    north, east = "N" if latitude >= 0.0 else "S", "E" if longitude >= 0.0 else "W"
    return f"{abs(latitude):.2f}° {north}, {abs(longitude):.2f}° {east}"


def _ion_words(ions: float, atoms: float, settings: dict[str, Any]) -> str:
    """Share of what is released that is ionised, or why nothing is (ready HTML); amounts in any unit."""
    share = float(settings["ion_share"])
    if ions > 0.0:
        return markup.paragraph(f"Of these atoms {100 * ions / (ions + atoms):.2g} % are released as ions.")
    if not atoms > 0.0:
        return markup.paragraph("The source is empty: a run that takes it gains nothing.")
    why = "ionisation by impact is switched off"
    if settings["ionisation"] != "none":
        model = markup.text(settings["ionisation"])
        why = f"a re-entry is too slow to ionise atoms by impact (model {model}: none at orbital speed)"
    return (
        f'<p class="caution"><strong>No ions are released:</strong> {why}, and the share that is ionised soon after, ion_share, '
        f"is {share:g}. In a run of the model, ions come from these atoms by sunlight and charge exchange.</p>"
    )


def _edges(dataset: xr.Dataset) -> NDArray[np.float64]:
    bounds = dataset["alt_bounds"].transpose("alt", "bound").values
    return np.append(bounds[:, 0], bounds[-1, 1])


def _release(event: xr.Dataset, settings: dict[str, Any]) -> str:
    edges, floor = _edges(event), float(settings["layer_floor"])
    shed = event["released_mass"].transpose("species", "part", "alt").values * float(settings["vapour_share"]) / np.diff(edges)
    if not shed.sum() > 0.0:
        return markup.missing("No mass is released as atoms at any altitude.", "Use removal=melting and a vapour_share above 0.")
    totals = shed.sum(axis=(1, 2))
    order = [k for k in np.argsort(-totals)[:_MOST_ELEMENTS] if totals[k] > 0.0]
    by_element = {str(event["species"].values[k]): shed[k].sum(axis=0) for k in order}
    parts = {str(name): shed[:, k].sum(axis=0) for k, name in enumerate(event["part"].values) if shed[:, k].sum() > 0.0}
    drawn = draw_release(edges, by_element, parts, floor, float(event["break_up_altitude"]))
    rest = int((totals > 0.0).sum()) - len(order)
    more = f" The {len(order)} elements with the largest release are drawn, {rest} more are in the table below." if rest else ""
    caption = (
        f"Mass that turns to atoms by kilometre of altitude, in bins of {float(settings['bin_width']):g} km. Left: by element, "
        f"logarithmic. Right: by part, stacked, linear. Shaded: below {floor:g} km atoms are oxidised within seconds and lost to "
        f"the metal layer.{more}"
    )
    return markup.figure(
        [markup.image(to_data_uri(drawn), "Released mass against altitude, by element and by part")], caption, True
    )


def _fates(event: xr.Dataset, settings: dict[str, Any]) -> str:
    some = event.isel(species=np.argsort(-event["element_mass"].values, kind="stable"))
    some = some.isel(species=some["element_mass"].values > 0.0)
    names = [str(name) for name in some["species"].values]
    drawn = draw_fates(names, {key: some[key].values for key in FATES})
    rows: list[list[str | Number]] = []
    for k, name in enumerate(names):
        one = some.isel(species=k)
        atoms = float(one["released_atoms"].sum()), float(one["released_ions"].sum())
        share = 100.0 * float(one["layer_mass"]) / float(one["element_mass"])
        rows.append([markup.text(name), *(Number(markup.number(float(one[key]))) for key in ("element_mass", *FATES)),
                     Number(f"{share:.2g} %"), *(Number(markup.number(value)) for value in atoms)])  # fmt: skip
    heads = ["element", "object, kg", "layer, kg", "oxidised, kg", "droplets, kg", "ground, kg",
             "in the layer", "atoms", "ions"]  # fmt: skip
    caption = (
        "Shares of the mass of each element; at the right its mass in the object. The layer begins at "
        f"{float(settings['layer_floor']):g} km. Elements in order of their mass."
    )
    picture = markup.image(to_data_uri(drawn), "What becomes of each element of the object")
    return markup.figure([picture], caption) + markup.table(heads, rows, "wide")


def _track(event: xr.Dataset, settings: dict[str, Any]) -> str:
    if not event.sizes["point"]:
        return markup.missing(
            "Nothing is released above the floor of the layer.", "A lower layer_floor shows what is released below."
        )
    offset = float(event["break_up_angle"]) if settings["anchor"] == "break_up" else 0.0
    mass = event["released_mass"].sum("species").transpose("part", "alt")
    angle = event["released_angle"].transpose("part", "alt").values - offset
    high = (mass.values > 0.0) & (event["alt"].values >= float(settings["layer_floor"]))
    low = (mass.values > 0.0) & ~high
    path = _path(angle[high])
    place = float(settings["latitude"]), float(settings["longitude"]), float(settings["heading"])
    lat, lon = ground_track(*place, path)
    lon = np.degrees(np.unwrap(np.radians(lon)))
    middle = float(lon.mean())
    near = [value + 360.0 * np.round((middle - value) / 360.0) for value in (event["point_lon"].values, np.array(place[1]))]
    words = "break-up" if settings["anchor"] == "break_up" else "start"
    seen = bool(path[0] <= 0.0 <= path[-1])
    anchor = (place[0], float(near[1])) if seen else (np.nan, np.nan)
    radius = EARTH_RADIUS * 1e-3
    heights = np.broadcast_to(event["alt"].values, angle.shape)
    atoms = (event["released_atoms"] + event["released_ions"]).sum("species").values
    parts = [str(name) for name in event["point_part"].values]
    releases = Releases(
        event["point_lat"].values, near[0], radius * event["point_angle"].values, event["point_alt"].values, atoms, parts
    )
    drawn = draw_track(
        Track(lat, lon, anchor, words, radius * angle[low], heights[low]), releases, float(settings["layer_floor"])
    )
    times = np.sort(event["point_time"].values)
    caption = (
        f"Releases above {float(settings['layer_floor']):g} km: colour is altitude, the mark tells the part, its area grows with "
        f"the number of atoms (from {markup.number(float(atoms.min()), 2)} to {markup.number(float(atoms.max()), 2)}). Above: "
        "map with the ground track (grey, arrow in the direction of flight). Below: altitude against the distance flown; small "
        f"dots are releases that are lost. Each point of the source spreads over {float(event['point_width'].max()):g} km (one "
        f"sigma). First release {str(times[0])[11:19]}, last {str(times[-1])[11:19]} UTC."
    )
    return markup.figure([markup.image(to_data_uri(drawn), "Map of the releases along the ground track")], caption)


def _path(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angles of the part of the track that the map shows: all releases, and the anchor where it is near."""
    begin, end = float(angle.min()), float(angle.max())
    reach = max(end - begin, 0.02)
    if begin - reach < 0.0 < end + reach:
        begin, end = min(begin, 0.0), max(end, 0.0)
    return np.linspace(begin - 0.15 * reach, end + 0.15 * reach, 100)


def _parts(event: xr.Dataset) -> str:
    rows: list[list[str | Number]] = []
    for name in event["part"].values:
        one = event.sel(part=name)
        shed = one["released_mass"].sum("species").values
        bounds = one["alt_bounds"].transpose("alt", "bound").values[shed > 0.0]
        where = f"{bounds.max():g} to {bounds.min():g}" if len(bounds) else "nowhere"
        number = markup.number(float(one["object_number"])) if "object_number" in one else "–"
        masses = [
            Number(markup.number(value)) for value in (float(one["initial_mass"]), float(shed.sum()), float(one["final_mass"]))
        ]
        rows.append([markup.text(plain(str(name))), Number(number), *masses[:2], where, masses[2]])
    return markup.table(["part", "objects", "mass, kg", "sheds, kg", "at altitudes, km", "survives, kg"], rows, "wide")


# ---------------------------------------------------------------------- a year


def render_debris_rate_page(rate: xr.Dataset) -> str:
    """Render the production of atoms by the debris of a year as a self-contained HTML page.

    Parameters
    ----------
    rate : xarray.Dataset
        From `siderion.sources.debris.rate.debris_rate`.

    Returns
    -------
    str
        HTML without references to the outside.

    Raises
    ------
    DataError
        A variable is missing.
    """
    need(rate, _RATE_NEEDS, "debris rate", "siderion sources debris rate")
    settings = json.loads(rate.attrs["settings"])
    sections = [
        Section("profile", "Production by altitude", _profile(rate, settings)),
        Section("elements", "Injected and released above the floor", _rates(rate, settings)),
        *record(rate),
    ]
    return markup.page(str(rate.attrs.get("title", "Debris rate")), _rate_head(rate, settings), sections, foot(rate))


def _rate_head(rate: xr.Dataset, settings: dict[str, Any]) -> str:
    floor = float(settings["layer_floor"])
    injected, layer = rate["injected_rate"].values, rate["layer_rate"].values
    k = int(np.argmax(layer))
    name = markup.text(rate["species"].values[k])
    said = (
        f"Debris of scenario {markup.text(settings['scenario'])} injects {markup.number(float(settings['mass_t_per_yr']))} t "
        f"yr<sup>−1</sup>, {markup.number(float(injected.sum()))} of them in elements with a known share. <strong>Above "
        f"{floor:g} km it releases {markup.number(float(layer.sum()))} t yr<sup>−1</sup> as "
        f"atoms, mostly {name}: {markup.number(float(layer[k]))} of {markup.number(float(injected[k]))} t yr<sup>−1</sup> "
        f"({100 * layer[k] / max(injected[k], 1e-300):.2g} %)</strong>. What is released lower is oxidised."
    )
    droplets = float(rate["droplet_rate"].sum())
    if droplets > 0.0:
        said += f" {markup.number(droplets)} t yr<sup>−1</sup> of these elements stay droplets and dust."
    ions, atoms = float(rate["ion_production"].sum()), float(rate["neutral_production"].sum())
    ion_words = _ion_words(ions, atoms, settings)
    once = markup.paragraph(
        "The spread of the masses and of the shares of the elements is in the table; the uncertainty of the re-entry itself is "
        "not in it. " + " ".join(markup.text(note[:1].upper() + note[1:].rstrip(".") + ".") for note in _notes(rate))
    )
    return lead(said) + ion_words + once + caution(rate)


def _notes(data: xr.Dataset) -> list[str]:
    """What the calculation itself warns of."""
    return [str(note) for note in json.loads(data.attrs.get("notes", "[]"))]


def _profile(rate: xr.Dataset, settings: dict[str, Any]) -> str:
    neutral = rate["neutral_production"].transpose("species", "alt").values * 1e-6
    ions = rate["ion_production"].transpose("species", "alt").values * 1e-6
    totals = (neutral + ions).sum(axis=1)
    order = [k for k in np.argsort(-totals)[: 2 * _MOST_ELEMENTS] if totals[k] > 0.0]
    if not order:
        return markup.missing("Nothing is released above the floor of the layer.", "See the settings layer_floor and removal.")
    names = [str(name) for name in rate["species"].values]
    drawn = draw_production(_edges(rate), {names[k]: neutral[k] for k in order}, {names[k]: ions[k] for k in order},
                            float(settings["layer_floor"]))  # fmt: skip
    unshed = rate["profile_of"].values == "not shed"
    none = [markup.text(name) for k, name in enumerate(names) if not totals[k] > 0.0 and not unshed[k]]
    solid = [markup.text(name) for k, name in enumerate(names) if unshed[k]]
    caption = (
        "Atoms produced by altitude, mean over the globe and the year, in order of their number. "
        "An element that the model objects do not hold follows the profile of their whole mass."
    )
    if none:
        caption += f" Nothing of {', '.join(none)} is released here: it is in parts that melt lower."
    if solid:
        caption += f" {', '.join(solid)} are in parts that do not melt."
    return markup.figure([markup.image(to_data_uri(drawn), "Production of atoms against altitude, by element")], caption)


def _rates(rate: xr.Dataset, settings: dict[str, Any]) -> str:
    ordered = rate.isel(species=np.argsort(-rate["injected_rate"].values, kind="stable"))
    names = [str(name) for name in ordered["species"].values]
    floor = float(settings["layer_floor"])
    drawn = draw_shares_above(names, ordered["injected_rate"].values, ordered["layer_rate"].values, floor)
    rows: list[list[str | Number]] = []
    for name in names:
        one = ordered.sel(species=name)
        values = [float(one[key]) for key in ("injected_rate", "layer_rate", "oxidised_rate", "droplet_rate")]
        share = f"{100 * values[1] / values[0]:.2g} %" if values[0] > 0.0 else "–"
        rows.append([markup.text(name), *(Number(markup.number(value)) for value in values), Number(share)])
    heads = [
        "element",
        "injected, t/yr",
        f"atoms above {floor:g} km, t/yr",
        "oxidised below, t/yr",
        "droplets, t/yr",
        "share above",
    ]
    picture = markup.image(to_data_uri(drawn), "Mass injected and mass released in the layer, by element")
    caption = f"Mass by element: injected at all altitudes (open) and released as atoms above {floor:g} km (blue)."
    return markup.figure([picture], caption) + markup.table(heads, rows, "wide")
