"""The wake of lunar ions from field, flow and ion: which places can ions that start at the Moon reach.

In a uniform plasma an ion that starts at rest never moves along the field: it goes on a cycloid in the plane of the drift (the
flow across the field) and the electric field. All ions of one kind follow the same curve from the Moon, on one side of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.bodies import get_body
from siderion.core.constants import EARTH_RADIUS, ELEMENTARY_CHARGE
from siderion.core.errors import DataError, SettingsError
from siderion.core.species import get_species
from siderion.core.tables import load_table
from siderion.frames.moon import moon_position_gse

Array = NDArray[np.float64]
READINGS = ("cycloid", "trajectory", "symmetric", "two gyroradii")
_PHASES = 129
_BISECTIONS = 60


@dataclass(frozen=True)
class WakePlace:
    """Places by the axes of the wake, each of shape (...).

    Attributes
    ----------
    along, height, across : array
        Distance from the Moon along the drift, along the motional electric field, and along the magnetic field, m.
    gyroradius : array
        m v/(q B), v the speed of the drift, m; 0 where the flow is along the field.
    speed : array
        Speed of the drift, m s-1.
    """

    along: Array
    height: Array
    across: Array
    gyroradius: Array
    speed: Array


def wake_place(position: ArrayLike, moon: ArrayLike, flow: ArrayLike, field: ArrayLike, species: str) -> WakePlace:
    """Turn places to the axes of the wake of an ion.

    Parameters
    ----------
    position, moon : arrays of shape (..., 3)
        m, in one frame such as GSE.
    flow, field : arrays of shape (..., 3)
        Velocity of the plasma against the Moon, m s-1, and magnetic field, T, in the axes of the positions.
    species : str
        Positive ion, such as ``"Fe+"``.

    Raises
    ------
    SettingsError
        The species is no positive ion.
    DataError
        A field is zero, a vector is not finite, or shapes do not fit.

    Notes
    -----
    b = B/|B|, drift v = V - (V.b) b, electric field E = -V x B.
    """
    ion = get_species(species)
    if ion.charge_number < 1:
        raise SettingsError(f"species {species!r} is no positive ion; only ions are picked up, such as Fe+")
    arrays = [np.asarray(values, dtype=np.float64) for values in (position, moon, flow, field)]
    for name, values in zip(("position", "moon", "flow", "field"), arrays, strict=True):
        if values.ndim == 0 or values.shape[-1] != 3 or not np.isfinite(values).all():
            raise DataError(
                f"{name} has shape {values.shape} and must hold finite x, y, z along the last dimension; fill its gaps"
            )
    places, moons, flows, fields = arrays
    strength = np.linalg.norm(fields, axis=-1, keepdims=True)
    if (strength == 0.0).any():
        raise DataError("a magnetic field is zero, where nothing is picked up; leave that time out")
    b = fields / strength
    drift = flows - np.sum(flows * b, axis=-1, keepdims=True) * b
    speed = np.linalg.norm(drift, axis=-1, keepdims=True)
    still = speed <= 1e-12 * np.linalg.norm(flows, axis=-1, keepdims=True)
    first = np.divide(drift, speed, out=np.zeros_like(drift), where=~still)
    second = np.cross(b, first)  # -v x b
    offset = places - moons
    along, height, across = (np.sum(offset * axis, axis=-1) for axis in (first, second, b))
    radius = ion.mass * np.where(still, 0.0, speed) / (ion.charge_number * ELEMENTARY_CHARGE * strength)
    shape = along.shape
    # with no drift there is no plane: the whole distance across the field counts as height
    rest = np.sqrt(np.maximum(np.sum(offset**2, axis=-1) - across**2, 0.0))
    height = np.where(np.broadcast_to(still[..., 0], shape), rest, height)
    return WakePlace(
        along, height, across, np.broadcast_to(radius[..., 0], shape), np.broadcast_to(np.where(still, 0.0, speed)[..., 0], shape)
    )


def cycloid_position(phase: ArrayLike, gyroradius: ArrayLike) -> tuple[Array, Array]:
    """Distance along the drift and along the electric field, m, at an angle of gyration (rad) after a start at rest.

    r (phase - sin phase) and r (1 - cos phase).
    """
    angle, radius = np.asarray(phase, dtype=np.float64), np.asarray(gyroradius, dtype=np.float64)
    return radius * (angle - np.sin(angle)), radius * (1.0 - np.cos(angle))


def in_ion_wake(
    position: ArrayLike,
    moon: ArrayLike,
    flow: ArrayLike,
    field: ArrayLike,
    species: str,
    *,
    reading: str = "cycloid",
    source_radius: float | None = None,
    start_speed: float = 0.0,
) -> NDArray[np.bool_]:
    """Whether places lie in the wake of lunar ions.

    Parameters
    ----------
    position, moon, flow, field, species
        As in `wake_place`.
    reading : str
        ``"cycloid"``: downstream of the Moon, from 0 to 2 gyroradii on the side of the electric field, whatever the phase: the
        band that is filled when the field strength varies by some 10 %. ``"trajectory"``: near the one curve of a steady uniform
        field. ``"symmetric"``: the strip of Figure 4.1 of the review of Yamauchi et al., 25 RE wide about the line downstream of
        the Moon. ``"two gyroradii"``: within 2 gyroradii of that line, on all sides.
    source_radius : float, optional
        Radius of the sphere where ions start, m: added all around. The Moon with 100 km of exosphere without it.
    start_speed : float
        Largest speed along the field with which ions start, m s-1; it widens the wake along the field with the time of flight.

    Returns
    -------
    ndarray of bool, shape (...)
        Inside.

    Raises
    ------
    SettingsError
        The reading is unknown, or a number is out of its range.
    """
    if reading not in READINGS:
        raise SettingsError(f"reading {reading!r} of the wake is unknown; use one of {', '.join(READINGS)}")
    reach = _source_radius() if source_radius is None else source_radius
    if not (0.0 <= reach < np.inf and 0.0 <= start_speed < np.inf):
        raise SettingsError(f"source radius {reach} m, start speed {start_speed} m/s: they must be finite and not negative")
    if reading in ("symmetric", "two gyroradii"):
        return _about_flow(position, moon, flow, field, species, reading, reach)
    place = wake_place(position, moon, flow, field, species)
    across = np.maximum(np.abs(place.across) - start_speed * _flight_time(place), 0.0)
    if reading == "trajectory":
        return np.hypot(distance_to_cycloid(place.along, place.height, place.gyroradius, reach), across) <= reach
    # distance to the half strip along >= 0, 0 <= height <= 2 r
    before = np.maximum(-place.along, 0.0)
    beside = np.maximum(np.maximum(-place.height, place.height - 2.0 * place.gyroradius), 0.0)
    inside = before**2 + beside**2 + across**2 <= reach**2
    at_moon = place.along**2 + place.height**2 + place.across**2 <= reach**2
    return np.where(place.gyroradius > 0.0, inside, at_moon)


def distance_to_cycloid(along: ArrayLike, height: ArrayLike, gyroradius: ArrayLike, reach: float) -> Array:
    """Distance from places in the plane to the cycloid, m; infinite where it is beyond ``reach``.

    Parameters
    ----------
    along, height, gyroradius : arrays of shape (...)
        Of `wake_place`, m.
    reach : float
        Largest distance that matters, m: only phases whose distance along the drift is that near are looked at.
    """
    s, h, r = (np.ravel(a) for a in np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (along, height, gyroradius))))
    shape = np.broadcast_shapes(np.shape(along), np.shape(height), np.shape(gyroradius))
    distance = np.hypot(s, h)
    near = (r > 0.0) & (s >= -reach) & (h >= -reach) & (h <= 2.0 * r + reach)
    if near.any():
        s, h, r = s[near], h[near], r[near]
        low, high = _phase_at(np.maximum(s - reach, 0.0) / r), _phase_at(np.maximum(s + reach, 0.0) / r)
        phase = low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, _PHASES)
        for _ in range(3):  # each pass narrows the search to the neighbours of the best phase
            x, y = cycloid_position(phase, r[:, None])
            best = np.argmin((x - s[:, None]) ** 2 + (y - h[:, None]) ** 2, axis=1)
            left = np.take_along_axis(phase, np.maximum(best - 1, 0)[:, None], axis=1)
            right = np.take_along_axis(phase, np.minimum(best + 1, _PHASES - 1)[:, None], axis=1)
            phase = left + (right - left) * np.linspace(0.0, 1.0, _PHASES)
        x, y = cycloid_position(phase, r[:, None])
        distance[near] = np.hypot(x - s[:, None], y - h[:, None]).min(axis=1)
    return np.where(distance <= reach, distance, np.inf).reshape(shape)


def typical_fields() -> Array:
    """Interplanetary fields (field, 3) in GSE, T, of equal weight: both polarities, in the ecliptic and out of it both ways."""
    t = load_table("geospace", "typical_wind").set_index("name")["value"].astype(float)
    spiral, tilt = np.radians(t["spiral_angle"]), np.radians(t["field_inclination"])
    rows = [
        sign * np.array([-np.cos(out) * np.cos(spiral), np.cos(out) * np.sin(spiral), np.sin(out)])
        for sign in (1.0, -1.0)
        for out in (-tilt, 0.0, tilt)
    ]
    return t["field"] * 1e-9 * np.array(rows)


def ion_wake(
    time: ArrayLike,
    position_gse_km: ArrayLike,
    flow: ArrayLike,
    field: ArrayLike,
    species: Sequence[str],
    *,
    reading: str = "cycloid",
    start_speed: float = 0.0,
) -> xr.Dataset:
    """Whether a spacecraft is in the wake of lunar ions, for each ion.

    Parameters
    ----------
    time : array of datetime64, shape (time,)
        UTC.
    position_gse_km : array of shape (time, 3)
        Spacecraft in GSE, km.
    flow, field : arrays of shape (3,) or (time, 3)
        Solar wind in GSE, m s-1, and interplanetary field in GSE, T.
    species : sequence of str
        Ions.
    reading, start_speed
        As in `in_ion_wake`.

    Returns
    -------
    xarray.Dataset
        ``inside_ion_wake(species, time)``; ``wake_along``, ``wake_height``, ``wake_along_field`` (time), RE; ``pickup_gyroradius
        (species, time)``, km.
    """
    times = np.asarray(time, dtype="datetime64[ns]")
    places = np.asarray(position_gse_km, dtype=np.float64) * 1e3
    if times.ndim != 1 or places.shape != (times.size, 3):
        raise DataError(f"time has shape {times.shape}, position {places.shape}; needed: (time,) and (time, 3)")
    if not species:
        raise SettingsError("no ion is named; give at least one, such as Fe+")
    moon = moon_position_gse(times)
    found = [wake_place(places, moon, flow, field, name) for name in species]
    inside = [in_ion_wake(places, moon, flow, field, name, reading=reading, start_speed=start_speed) for name in species]
    lengths = {
        "along": "distance from the Moon along the drift of the ions",
        "height": "distance from the Moon along the motional electric field",
        "across": "distance from the Moon along the magnetic field",
    }
    names = {"along": "wake_along", "height": "wake_height", "across": "wake_along_field"}
    variables: dict[str, tuple] = {
        names[name]: (("time",), getattr(found[0], name) / EARTH_RADIUS, {"units": "RE", "long_name": words})
        for name, words in lengths.items()
    }
    variables["inside_ion_wake"] = (("species", "time"), inside, {"long_name": "the place is in the wake of lunar ions"})
    radius = [place.gyroradius * 1e-3 for place in found]
    text = {"units": "km", "long_name": "gyroradius of the pick-up ion"}
    variables["pickup_gyroradius"] = (("species", "time"), radius, text)
    attributes = {
        "kind": "siderion ion wake", "title": "Wake of lunar ions", "siderion_version": version("siderion"),
        "settings": json.dumps({"reading": reading, "start_speed": start_speed}), "sources": json.dumps(wake_sources()),
    }  # fmt: skip
    return xr.Dataset(variables, coords={"time": times, "species": list(species)}, attrs=attributes)


def wake_sources() -> list[dict[str, str]]:
    """Sources of the sizes, for the attribute ``sources``."""
    table = load_table("geospace", "ion_wake")
    return [
        {"what": str(r["name"]), "model": "ion_wake", "confidence": str(r["confidence"]), "citation": str(r["source"])}
        for _, r in table.iterrows()
    ]


def _about_flow(
    position: ArrayLike, moon: ArrayLike, flow: ArrayLike, field: ArrayLike, species: str, reading: str, reach: float
) -> NDArray[np.bool_]:
    """Inside a cylinder about the line of the flow, downstream of the Moon."""
    offset = np.asarray(position, dtype=np.float64) - np.asarray(moon, dtype=np.float64)
    flows = np.asarray(flow, dtype=np.float64)
    speed = np.linalg.norm(flows, axis=-1, keepdims=True)
    if not (np.isfinite(offset).all() and (speed > 0.0).all() and np.isfinite(speed).all()):
        raise DataError("positions and flow must be finite and the flow not zero; fill the gaps")
    along = np.sum(offset * flows / speed, axis=-1)
    across = np.linalg.norm(offset - along[..., None] * flows / speed, axis=-1)
    if reading == "symmetric":
        table = load_table("geospace", "ion_wake").set_index("name")["value"].astype(float)
        half: Array | float = 0.5 * table["symmetric_width"] * EARTH_RADIUS
    else:
        half = 2.0 * wake_place(position, moon, flow, field, species).gyroradius + reach
    return (along >= 0.0) & (across <= half)


def _flight_time(place: WakePlace) -> Array:
    """Time, s, after which the cycloid is that far along the drift."""
    moves = place.speed > 0.0
    radius, speed = np.where(moves, place.gyroradius, 1.0), np.where(moves, place.speed, 1.0)
    return np.where(moves, _phase_at(np.maximum(place.along, 0.0) / radius) * radius / speed, 0.0)


def _phase_at(distance: Array) -> Array:
    """Phase with phase - sin phase = distance, both from 0: bisection, which always converges."""
    low, high = np.maximum(distance - 1.0, 0.0), distance + 1.0
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        above = middle - np.sin(middle) > distance
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return 0.5 * (low + high)


def _source_radius() -> float:
    """The Moon with its exosphere, m."""
    scale = load_table("geospace", "ion_wake").set_index("name")["value"].astype(float)["exosphere_scale"]
    return get_body("Moon").require_value("radius") + 1e3 * scale  # type: ignore[operator]
