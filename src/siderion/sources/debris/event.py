"""One re-entry as an event in space and time: atoms and ions by element, on points along the ground track."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import SettingsError
from siderion.core.species import get_species
from siderion.frames.spherical import latitude_longitude, local_axes
from siderion.sources.entry.atmosphere import Atmosphere
from siderion.sources.entry.ionisation import impact_ionisation, ionisation_source

from .reentry import fly_reentry
from .settings import ReentrySettings
from .words import citations, low_break_up_note, vapour_note, width_row

Array = NDArray[np.float64]


def ground_track(latitude: float, longitude: float, heading: float, angle: ArrayLike) -> tuple[Array, Array]:
    """Points of a great circle.

    Parameters
    ----------
    latitude, longitude : float
        A point on it, degrees.
    heading : float
        Direction of motion at that point, degrees from north to east.
    angle : array
        Angle along the circle from that point, radians; negative behind it.

    Returns
    -------
    latitude, longitude : array
        Degrees; longitude from -180 to 180.
    """
    east, north, up = local_axes(latitude, longitude)
    ahead = np.sin(np.radians(heading)) * east + np.cos(np.radians(heading)) * north
    angles = np.asarray(angle, float)[..., None]
    return latitude_longitude(np.cos(angles) * up + np.sin(angles) * ahead)


def heading_of_orbit(inclination: float, latitude: float, ascending: bool = True) -> float:
    """Heading, degrees from north to east, of an orbit over a latitude; the turning of the Earth is left out.

    Raises
    ------
    SettingsError
        The inclination or latitude is out of range, or the orbit does not reach the latitude.
    """
    if not 0.0 <= inclination <= 180.0:
        raise SettingsError(f"inclination is {inclination:g} degrees; give 0 to 180")
    _check_place(latitude)
    ratio = np.cos(np.radians(inclination)) / max(float(np.cos(np.radians(latitude))), 1e-15)
    if not abs(ratio) <= 1.0:
        reach = min(inclination, 180.0 - inclination)
        raise SettingsError(f"latitude is {latitude:g}; an orbit of inclination {inclination:g} reaches {reach:g} degrees")
    heading = float(np.degrees(np.arcsin(ratio)))
    return heading % 360.0 if ascending else 180.0 - heading


def debris_event(
    mass: float,
    composition: str | Mapping[str, Mapping[str, Any]],
    settings: ReentrySettings,
    atmosphere: Atmosphere,
    *,
    time: str | np.datetime64,
    latitude: float,
    longitude: float,
    heading: float,
    anchor: str = "break_up",
) -> xr.Dataset:
    """One re-entry as a source.

    Points for every part and every bin of altitude above ``layer_floor`` where the part is shed: as many as it takes for
    neighbours to be no further apart than ``point_width``, with equal shares of the bin, evenly along its stretch of the
    track, at the altitude of its centre. Points precede the break-up by up to some 100 s. Atoms that are released lower are
    oxidised within seconds and lost to the metal layer; they are only counted. Ions are those made by impact (none below
    10 km/s in the model of Jones, so none in a re-entry) and ``ion_share`` of the other atoms.

    Parameters
    ----------
    mass, composition, settings, atmosphere
        As in `siderion.sources.debris.reentry.fly_reentry`.
    time : datetime64 or ISO text
        UTC at the anchor.
    latitude, longitude, heading : float
        Of the anchor; degrees, heading from north to east.
    anchor : {"start", "break_up"}
        Which point of the track ``time`` and place belong to.

    Returns
    -------
    xarray.Dataset
        ``released_atoms(species, point)`` (neutral) and ``released_ions(species, point)``, numbers; coordinates ``point_time``,
        ``point_alt`` (km), ``point_lat``, ``point_lon`` (degrees); ``point_width`` (km, sigma of the spread), ``point_angle``
        (radians along the track from the anchor), ``point_part``. Masses by element, kg: ``layer_mass`` (in the points),
        ``oxidised_mass``, ``droplet_mass``, ``surviving_mass``; they add up to ``element_mass``. All variables of `fly_reentry`
        (``element`` is named ``species``). The attribute ``notes`` is a JSON list of what a reader has to know.

    Raises
    ------
    SettingsError, NumericalError
        As `fly_reentry`; a place, time or anchor is out of range.
    """
    start = _moment(time)
    _check_place(latitude, longitude, heading)
    if anchor not in ("start", "break_up"):
        raise SettingsError(f"anchor is {anchor!r}; use start or break_up")
    entry = fly_reentry(mass, composition, settings, atmosphere).rename(element="species")
    masses = np.array([get_species(name).mass for name in entry["species"].values])
    shed = entry["released_mass"].transpose("species", "part", "alt").values
    which_part, which_bin, counts, seconds, angles = _points(entry, settings)
    in_layer = shed[:, which_part, which_bin] * settings.vapour_share / counts
    atoms = in_layer / masses[:, None]
    share = ionised_share(entry["species"].values, entry["released_speed"].values[which_part, which_bin], settings)
    if anchor == "break_up":
        seconds = seconds - float(entry["break_up_time"])
        angles = angles - float(entry["break_up_angle"])
    lat, lon = ground_track(latitude, longitude, heading, angles)
    moments = start + np.round(seconds * 1e9).astype("timedelta64[ns]")
    dims = ("species", "point")
    event = (
        entry.assign(
            released_atoms=(dims, atoms * (1.0 - share), _words("1", "neutral atoms released")),
            released_ions=(dims, atoms * share, _words("1", "ions released")),
            point_width=("point", np.full(len(lat), settings.point_width), _words("km", "sigma of the horizontal spread")),
            point_angle=("point", angles, _words("radian", "angle along the track from the anchor")),
            point_part=("point", entry["part"].values[which_part].astype(str), {"long_name": "part that is shed"}),
        )
        .assign(_budget(entry, shed, in_layer, settings.vapour_share))
        .assign_coords(
            point_time=("point", moments, {"long_name": "time of the release, UTC"}),
            point_alt=("point", entry["alt"].values[which_bin], _words("km", "altitude of the release")),
            point_lat=("point", lat, _words("degrees_north", "latitude of the release")),
            point_lon=("point", lon, _words("degrees_east", "longitude of the release")),
        )
    )
    place = {"time": str(start), "latitude": latitude, "longitude": longitude, "heading": heading, "anchor": anchor}
    event.attrs |= {
        "kind": "siderion source", "title": f"Debris event: re-entry of {mass:g} kg on {np.datetime_as_string(start, unit='s')}",
        "settings": json.dumps({"mass_kg": mass, **place, **settings.model_dump()}),
        "sources": json.dumps([*json.loads(entry.attrs["sources"]), *citations([width_row(settings)]),
                               ionisation_citation(settings)]),
        "notes": json.dumps(_notes(event, start, settings)),
    }  # fmt: skip
    return event


def _points(entry: xr.Dataset, settings: ReentrySettings) -> tuple[NDArray[np.intp], NDArray[np.intp], Array, Array, Array]:
    """Points of an event: part, bin, number of points that share the bin, time (s) and angle (radians) from the start."""
    shed = entry["released_mass"].sum("species").transpose("part", "alt").values
    floors = entry["alt_bounds"].transpose("alt", "bound").values[:, 0]
    part, level = np.nonzero((shed > 0.0) & (floors >= settings.layer_floor))
    ends = {name: entry[f"release_{name}"].transpose("part", "alt").values[part, level]
            for name in ("begin_time", "end_time", "begin_angle", "end_angle")}  # fmt: skip
    length = (ends["end_angle"] - ends["begin_angle"]) * (EARTH_RADIUS * 1e-3 + entry["alt"].values[level])
    counts = np.maximum(np.ceil(length / settings.point_width), 1.0).astype(int)
    which = np.repeat(np.arange(len(part)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    along = (np.arange(len(which)) - first + 0.5) / counts[which]
    seconds, angles = (
        ends[f"begin_{name}"][which] * (1.0 - along) + ends[f"end_{name}"][which] * along for name in ("time", "angle")
    )
    return part[which], level[which], counts[which].astype(float), seconds, angles


def _notes(event: xr.Dataset, start: np.datetime64, settings: ReentrySettings) -> list[str]:
    """What a reader of the event has to know."""
    early = event["point_time"].values - start
    notes = [vapour_note(settings), low_break_up_note("the object", float(event["break_up_altitude"]), settings)]
    if early.size and early.min() < np.timedelta64(0, "s"):
        seconds = -early.min() / np.timedelta64(1, "s")
        notes.append(f"the first point precedes the date by {seconds:.0f} s: a run that begins at the date misses it")
    return [note for note in notes if note]


def ionised_share(species: ArrayLike, speed: Array, settings: ReentrySettings) -> Array:
    """Share of released atoms that are ions soon after, by impact and by ``ion_share``; shape (species, \\*speed)."""
    shares = []
    for name in np.asarray(species):
        impact = (
            np.zeros(speed.shape) if settings.ionisation == "none" else impact_ionisation(speed, settings.ionisation, str(name))
        )
        shares.append(impact + (1.0 - impact) * settings.ion_share)
    return np.array(shares)


def ionisation_citation(settings: ReentrySettings) -> dict[str, str]:
    """Citation of the ionisation of what is released."""
    row = ("ionisation", f"ion_share {settings.ion_share:g}", "unverified", "stated by the user")
    if settings.ionisation != "none" and settings.ion_share == 0.0:
        row = ionisation_source(settings.ionisation)
    return citations([row])[0]


def _check_place(latitude: float, longitude: float = 0.0, heading: float = 0.0) -> None:
    rules = (
        ("latitude", latitude, -90.0, 90.0), ("longitude", longitude, -180.0, 360.0), ("heading", heading, -360.0, 360.0),
    )  # fmt: skip
    for name, value, low, high in rules:
        if not low <= value <= high:
            raise SettingsError(f"{name} is {value:g} degrees; give {low:g} to {high:g}")


def _budget(entry: xr.Dataset, shed: Array, in_layer: Array, vapour_share: float) -> dict[str, tuple]:
    """Where the mass of each element goes."""
    fractions = entry["part_fraction"].transpose("species", "part").values
    released, layer = shed.sum(axis=(1, 2)), in_layer.sum(axis=1)
    rows = {
        "element_mass": (fractions @ entry["initial_mass"].values, "mass of the element in the object"),
        "layer_mass": (layer, "mass released as atoms above the floor of the layer"),
        "oxidised_mass": (np.maximum(released * vapour_share - layer, 0.0), "mass released as atoms below the floor, oxidised"),
        "droplet_mass": (released * (1.0 - vapour_share), "mass shed that stays melt or dust"),
        "surviving_mass": (fractions @ entry["final_mass"].values, "mass that reaches the ground"),
    }
    return {name: ("species", values, _words("kg", text)) for name, (values, text) in rows.items()}


def _moment(time: str | np.datetime64) -> np.datetime64:
    moment: np.datetime64 = np.datetime64("NaT")
    with suppress(ValueError):
        moment = np.datetime64(str(time), "ns")
    if np.isnat(moment):
        raise SettingsError(f"date {time!r} is no time; write it as 2024-06-01T12:00 (UTC)")
    return moment


def _words(units: str, long_name: str) -> dict[str, str]:
    return {"units": units, "long_name": long_name}
