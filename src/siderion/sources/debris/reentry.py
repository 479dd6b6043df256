"""Re-entry of a satellite or a rocket stage: flight to the break-up, then of its parts, with release by altitude and element."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import NumericalError, SettingsError
from siderion.core.tables import load_table
from siderion.sources.entry.atmosphere import Atmosphere

from . import kernels
from .flight import Air, Flight, air_for, flight_parameters, fly_object, joined, start_state
from .parts import Material, Part, get_material, get_parts
from .settings import ReentrySettings, default
from .words import Row, citations, setting_rows

Array = NDArray[np.float64]

_HIGHEST_EDGE = 140.0
_SAME = 1e-9
_SPHERE = 3.0 / (4.0 * np.pi)
_LEAST_MASS, _MOST_MASS = 1e-3, 1e6
"""Masses of objects, kg, that the flight is made for: from a shard to twice a space station."""


class _Set(NamedTuple):
    """Where parts are set free: time, angle along the track, state of the whole object (its last number is the shell's mass)."""

    time: float
    angle: float
    state: Array


@dataclass
class _Result:
    """Release and end of one part, for all of its objects together."""

    number: int
    mass: float
    release: Array
    final_mass: float
    flight: Flight | None


def altitude_edges(settings: ReentrySettings, highest: float = _HIGHEST_EDGE) -> Array:
    """Edges of the bins of altitude, km: from the ground to at least ``highest``, one of them on ``layer_floor``.

    The lowest bin is narrower where the floor is no multiple of the width.
    """
    floor, width = settings.layer_floor, settings.bin_width
    below = int(np.ceil(floor / width - _SAME))
    above = int(np.ceil((highest - floor) / width - _SAME))
    edges = floor + width * np.arange(-below, above + 1, dtype=np.float64)
    if below:
        edges[0] = 0.0
    return edges


def fly_reentry(
    mass: float,
    composition: str | Mapping[str, Mapping[str, Any]],
    settings: ReentrySettings,
    atmosphere: Atmosphere,
) -> xr.Dataset:
    """Fly an object from its entry to the end of all of its parts.

    The whole object flies as one body; its shell (the part ``structure``) is heated. Parts with a separation altitude leave
    there; the break-up sets all others free, at the place and speed of the whole, cold inside, the shell as warm as it was. Each
    part is a number of equal objects that tumble, keep their shape, and have one temperature: they warm up to the temperature of
    ablation, and then lose mass at the rate of the net heating over the heat of ablation. All that is shed is released.

    Parameters
    ----------
    mass : float
        Mass of the object at the entry, kg.
    composition : str or mapping
        See `siderion.sources.debris.parts.get_parts`.
    settings : ReentrySettings
        Start, break-up and heating.
    atmosphere : Atmosphere
        The air on the way.

    Returns
    -------
    xarray.Dataset
        On ``part``, ``element``, ``alt`` (centres of bins, km; ``alt_bounds``): ``released_mass(element, part, alt)``, kg, with
        ``released_time(part, alt)`` (s from the start), ``released_angle(part, alt)`` (radians along the track),
        ``released_speed(part, alt)`` (m s-1): means over the released mass, 0 where nothing is released.
        ``release_begin_time``, ``release_end_time``, ``release_begin_angle``, ``release_end_angle`` (part, alt): where the part
        begins and ends to release in the bin. ``initial_mass(part)``,
        ``final_mass(part)`` (kg), ``part_fraction(element, part)``, ``object_number(part)``, ``demised(part)``. Of the break-up
        ``break_up_time``, ``break_up_angle``, ``break_up_altitude``, ``break_up_speed``. The trajectory is a long table on
        ``record``: ``record_part`` (``whole`` before the break-up), ``record_time``, ``record_altitude`` (km), ``record_speed``,
        ``record_temperature``, ``record_mass`` (of one object), ``record_angle``.

    Raises
    ------
    SettingsError
        The mass is out of range, or the break-up lies above the start.
    NumericalError
        The object does not come down, or mass is not conserved.

    References
    ----------
    Detra, Kemp & Riddell 1957; Sutton & Graves 1971 (NASA TR R-376); Allen & Eggers 1958 (NACA TR 1381).
    """
    if not _LEAST_MASS <= mass <= _MOST_MASS:
        raise SettingsError(f"mass of the object is {mass:g} kg; it must be positive, from {_LEAST_MASS:g} to {_MOST_MASS:g} kg")
    parts = get_parts(composition)
    materials = {name: get_material(part.material, settings.removal, part.elements) for name, part in parts.items()}
    air, edges = air_for(atmosphere), altitude_edges(settings, max(_HIGHEST_EDGE, settings.entry_altitude))
    flights, places, shell = _fly_whole(mass, parts, materials, settings, air, edges)
    results = {}
    for name, part in parts.items():
        first = name == next(iter(parts))
        results[name] = _fly_part(part, materials[name], mass, places[name], settings, air, edges, shell if first else None)
    return _dataset(mass, parts, materials, results, flights, settings, atmosphere, edges)


def _fly_whole(
    mass: float, parts: Mapping[str, Part], materials: Mapping[str, Material], settings: ReentrySettings, air: Air, edges: Array
) -> tuple[list[Flight], dict[str, _Set], Array]:
    """Fly the whole object to its break-up; gives its legs, where each part is set free, and the release of its shell."""
    shell = next(iter(parts))
    area = settings.area if settings.area is not None else _sphere_area(mass, settings.bulk_density)
    start = mass * parts[shell].mass_fraction
    state = start_state(
        settings.entry_altitude * 1e3, settings.speed * 1e3, settings.flight_path_angle, start, default("initial_temperature_k")
    )
    leaving = sorted(((part.separation_altitude, name) for name, part in parts.items() if part.separation_altitude), reverse=True)
    carried = mass - start
    place, places, flights = _Set(0.0, 0.0, state), {}, []
    release = np.zeros((kernels.RELEASE_ROWS, len(edges) - 1))
    for altitude, name in [*leaving, (None, "")]:
        if altitude is not None and _altitude(place.state) <= altitude * 1e3:
            places[name] = place
            carried -= mass * parts[name].mass_fraction
            continue
        flight = _leg(place, start, carried, area, materials[shell], settings, air, edges, altitude)
        flights.append(flight)
        release = joined(release, flight.release)
        place = _Set(flight.time, flight.angle, flight.state)
        if altitude is None or flight.why != kernels.ALTITUDE or _altitude(place.state) > altitude * 1e3 + 1.0:
            break
        places[name] = place
        carried -= mass * parts[name].mass_fraction
    return flights, {name: places.get(name, place) for name in parts}, release


def _leg(
    place: _Set, start: float, carried: float, area: float, material: Material, settings: ReentrySettings, air: Air, edges: Array,
    separation: float | None,
) -> Flight:  # fmt: skip
    """Fly the whole object until it breaks up, or to the altitude where a part separates."""
    stop = {"altitude": settings.break_up_altitude, "dynamic_pressure": 0.0, "melting": 0.0}[settings.break_up]
    if settings.break_up == "altitude" and stop >= settings.entry_altitude:
        raise SettingsError(f"break_up_altitude is {stop:g} km; it must lie below entry_altitude, {settings.entry_altitude:g} km")
    parameters = flight_parameters(
        start, material, area, carried=carried, exponent=0.0, drag_coefficient=settings.drag_coefficient, step=settings.step,
        change=settings.change, stop_altitude=1e3 * max(stop, separation or 0.0),
        stop_pressure=settings.break_up_pressure if settings.break_up == "dynamic_pressure" else np.inf,
        stop_at_melting=settings.break_up == "melting",
    )  # fmt: skip
    return fly_object(place.state, parameters, air, edges * 1e3, time=place.time, angle=place.angle)


def _fly_part(
    part: Part, material: Material, mass: float, place: _Set, settings: ReentrySettings, air: Air, edges: Array,
    shell: Array | None,
) -> _Result:  # fmt: skip
    """Fly one object of a part and count it for all; ``shell`` is what the shell has released before the break-up."""
    number, total = part.number(mass), mass * part.mass_fraction
    state = place.state.copy()
    release = np.zeros((kernels.RELEASE_ROWS, len(edges) - 1)) if shell is None else shell
    left = total if shell is None else state[kernels.MASS]
    if left <= 0.0:
        return _Result(number, total, release, 0.0, None)
    single, whole = left / number, total / number
    if shell is None:
        state[kernels.HEAT] = default("initial_temperature_k")
    state[kernels.MASS] = single
    area = _sphere_area(whole, part.bulk_density) * (single / whole) ** default("mass_area_exponent")
    parameters = flight_parameters(
        single, material, area, drag_coefficient=settings.drag_coefficient, step=settings.step, change=settings.change
    )
    flight = fly_object(state, parameters, air, edges * 1e3, time=place.time, angle=place.angle)
    return _Result(number, total, joined(release, flight.release, number), number * float(flight.state[kernels.MASS]), flight)


def _dataset(
    mass: float, parts: Mapping[str, Part], materials: Mapping[str, Material], results: Mapping[str, _Result],
    flights: list[Flight], settings: ReentrySettings, atmosphere: Atmosphere, edges: Array,
) -> xr.Dataset:  # fmt: skip
    names = list(parts)
    elements = list(dict.fromkeys(element for material in materials.values() for element in material.elements))
    shares = np.array([[materials[name].elements.get(element, 0.0) for name in names] for element in elements])
    release = np.stack([results[name].release for name in names], axis=1)
    shed = release[kernels.RELEASED]
    sums = release[1 : kernels.SUMS]
    means = np.divide(sums, shed, out=np.zeros_like(sums), where=shed > 0.0)
    initial = np.array([results[name].mass for name in names])
    final = np.array([results[name].final_mass for name in names])
    _check_mass(initial, final, shed)
    last = flights[-1]
    broken = _Set(last.time, last.angle, last.state)
    variables: dict[str, tuple] = {
        "released_mass": (("element", "part", "alt"), shares[:, :, None] * shed, _words("kg", "mass released in the bin")),
        "released_time": (("part", "alt"), means[0], _words("s", "mean time of release from the start")),
        "released_angle": (("part", "alt"), means[1], _words("radian", "mean angle along the track from the start")),
        "released_speed": (("part", "alt"), means[2], _words("m s-1", "mean speed of the object at release")),
        **_span(release),
        "part_fraction": (("element", "part"), shares, _words("1", "mass fraction of the element in the part")),
        "initial_mass": ("part", initial, _words("kg", "mass of the part")),
        "final_mass": ("part", final, _words("kg", "mass of the part that survives")),
        "object_number": ("part", [results[name].number for name in names], _words("1", "number of equal objects")),
        "demised": ("part", final == 0.0, {"long_name": "nothing of the part survives"}),
        "break_up_time": ((), broken.time, _words("s", "time of the break-up from the start")),
        "break_up_angle": ((), broken.angle, _words("radian", "angle along the track at the break-up")),
        "break_up_altitude": ((), _altitude(broken.state) / 1e3, _words("km", "altitude of the break-up")),
        "break_up_speed": ((), float(np.hypot(*broken.state[2:4])), _words("m s-1", "speed at the break-up")),
        "alt_bounds": (("alt", "bound"), np.stack([edges[:-1], edges[1:]], axis=1), _words("km", "edges of the bins")),
        **_record(flights, results),
    }
    coords = {
        "part": names, "element": elements,
        "alt": ("alt", 0.5 * (edges[:-1] + edges[1:]), _words("km", "altitude above the sphere of 6371.2 km")),
    }  # fmt: skip
    attributes = {
        "title": f"Re-entry of {mass:g} kg", "kind": "siderion re-entry", "mass_kg": mass, "atmosphere": atmosphere.name,
        "settings": settings.model_dump_json(), "composition": json.dumps({k: v.model_dump() for k, v in parts.items()}),
        "sources": json.dumps(reentry_sources(parts, settings, atmosphere)), "siderion_version": version("siderion"),
    }  # fmt: skip
    return xr.Dataset(variables, coords, attributes)


def _span(release: Array) -> dict[str, tuple]:
    """Where the release of each part in each bin begins and ends."""
    rows = {"begin_time": (kernels.BEGIN_TIME, "s"), "end_time": (kernels.END_TIME, "s"),
            "begin_angle": (kernels.BEGIN_ANGLE, "radian"), "end_angle": (kernels.END_ANGLE, "radian")}  # fmt: skip
    return {
        f"release_{name}": (
            ("part", "alt"),
            release[row],
            _words(units, f"{name.replace('_', ' of the release: ')} from the start"),
        )
        for name, (row, units) in rows.items()
    }


def _record(flights: list[Flight], results: Mapping[str, _Result]) -> dict[str, tuple]:
    """The long table of all trajectories."""
    pieces = [("whole", flight.record[min(k, 1) :]) for k, flight in enumerate(flights)]  # a leg begins where the last one ended
    pieces += [(name, result.flight.record) for name, result in results.items() if result.flight is not None]
    rows = np.concatenate([piece for _, piece in pieces])
    named = np.concatenate([np.full(len(piece), name, dtype=object) for name, piece in pieces]).astype(str)
    words = (
        ("time", "s", 1.0), ("altitude", "km", 1e-3), ("speed", "m s-1", 1.0), ("temperature", "K", 1.0), ("mass", "kg", 1.0),
        ("angle", "radian", 1.0),
    )  # fmt: skip
    table: dict[str, tuple] = {"record_part": ("record", named, {"long_name": "part, or the whole object before the break-up"})}
    for k, (name, units, factor) in enumerate(words):
        table[f"record_{name}"] = ("record", rows[:, k] * factor, _words(units, f"{name} along the trajectory"))
    return table


def reentry_sources(parts: Mapping[str, Part], settings: ReentrySettings, atmosphere: Atmosphere) -> list[dict[str, str]]:
    """Citations of what a re-entry rests on, with the confidence of what was used."""
    used = {part.material for part in parts.values()}
    rows = load_table("sources", "debris_materials")
    rows = rows[rows["material"].isin(used)]
    if settings.removal == "melting":
        rows = rows[~rows["quantity"].isin(["boiling_temperature_k", "heat_of_vaporisation_j_per_kg"])]
    lumps = "verified" if (rows["confidence"] == "verified").all() else "unverified"
    found: list[Row] = [
        atmosphere.source,
        ("heating", "free molecules and Sutton-Graves, tumbling sphere", "unverified", "Sutton & Graves 1971, NASA TR R-376"),
        ("materials", f"lumps, {settings.removal}", lumps, "siderion/sources/tables/debris_materials.csv"),
        ("parts and elements", "assumed: materials of the parts, sizes, and elements of the materials", "unverified",
         "siderion/sources/tables/debris_parts.csv, debris_alloys.csv, or the user's own"),
        *setting_rows(settings),
    ]  # fmt: skip
    return citations(found)


def _check_mass(initial: Array, final: Array, shed: Array) -> None:
    """Raise `NumericalError` unless released and surviving mass add up to the initial mass."""
    missing = abs(initial.sum() - final.sum() - shed.sum())
    if not missing <= 1e-9 * initial.sum():
        raise NumericalError(
            f"re-entry: released {shed.sum():.9g} kg and surviving {final.sum():.9g} kg do not add up to {initial.sum():.9g} kg; "
            "take a smaller step"
        )


def _sphere_area(mass: float, density: float) -> float:
    """Cross section of a sphere, m2."""
    return float(np.pi * (_SPHERE * mass / density) ** (2.0 / 3.0))


def _altitude(state: Array) -> float:
    return float(np.hypot(state[0], state[1]) - EARTH_RADIUS)


def _words(units: str, long_name: str) -> dict[str, str]:
    return {"units": units, "long_name": long_name}
