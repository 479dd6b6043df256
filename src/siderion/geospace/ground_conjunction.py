"""Conjunction of a satellite and a ground site in magnetic coordinates: at the same time, or at the same local time later.

Both are followed along the centred dipole to 110 km, where field lines carry their magnetic latitude.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import CoverageError, DataError, NumericalError, SettingsError
from siderion.core.tables import load_table
from siderion.frames.dipole import FOOTPOINT_ALTITUDE, footpoint_colatitude
from siderion.frames.geographic import place_gse
from siderion.frames.sm import magnetic_place

Array = NDArray[np.float64]
KINDS = ("simultaneous", "same local time")
_ITERATIONS = 40
_GOOD_HOURS = 1e-3
_HOUR = 3600e9


@dataclass(frozen=True)
class Site:
    """A place on the ground: name, geodetic latitude and east longitude in degrees."""

    name: str
    lat: float
    lon: float

    def __post_init__(self) -> None:
        """Refuse places that are none."""
        if not (-90.0 <= self.lat <= 90.0 and -360.0 <= self.lon <= 360.0):
            raise SettingsError(f"site {self.name!r}: latitude {self.lat}, longitude {self.lon}; give degrees, -90 to 90 north")

    @property
    def geocentric_lat(self) -> float:
        """Geocentric latitude, degrees: tan = (1 - f)^2 tan(geodetic)."""
        table = load_table("geospace", "earth_gravity").set_index("quantity")["value"].astype(float)
        squeeze = (1.0 - 1.0 / table["inverse_flattening"]) ** 2
        lat = np.radians(self.lat)
        return float(np.degrees(np.arctan2(squeeze * np.sin(lat), np.cos(lat))))


def list_sites() -> tuple[str, ...]:
    """Names of the sites of the table ``ground_sites``."""
    return tuple(load_table("geospace", "ground_sites")["name"])


def get_site(name: str) -> Site:
    """Look up a site; case does not matter.

    Raises
    ------
    CoverageError
        The site is not in the table.
    """
    table = load_table("geospace", "ground_sites")
    rows = table[table["name"].str.lower() == name.lower()]
    if rows.empty:
        raise CoverageError(f"site {name!r} is unknown; known: {', '.join(table['name'])}; or give its latitude and longitude")
    row = rows.iloc[0]
    return Site(str(row["name"]), float(row["lat"]), float(row["lon"]))


def footpoint(time: ArrayLike, lat: ArrayLike, lon: ArrayLike, alt: ArrayLike) -> tuple[Array, Array]:
    """Magnetic latitude (degrees, north positive) and local time (h) of the field line of places, at 110 km.

    Parameters
    ----------
    time : array of datetime64
        UTC, 1965 to 2030.
    lat, lon, alt : arrays
        Geocentric latitude and longitude, degrees, and altitude, km; they broadcast with the times.

    Notes
    -----
    sin^2(colatitude) falls along the field line as the inverse of the distance; see
    `siderion.frames.dipole.footpoint_colatitude`. A centred dipole is a few degrees off the real field at 110 km.
    """
    moments, lats, lons, alts = np.broadcast_arrays(np.asarray(time, dtype="datetime64[ns]"), lat, lon, alt)
    latitude, local_time, _ = magnetic_place(place_gse(lats, lons, alts, moments), moments)
    radius = EARTH_RADIUS + 1e3 * np.asarray(alts, dtype=np.float64)
    colatitude = footpoint_colatitude(np.radians(90.0 - np.abs(latitude)), radius)
    return np.copysign(90.0 - np.degrees(colatitude), latitude), local_time


def ground_conjunction(
    time: ArrayLike,
    lat: ArrayLike,
    lon: ArrayLike,
    alt_km: ArrayLike,
    sites: Sequence[Site | str],
    *,
    latitude_tolerance: float = 2.0,
    local_time_tolerance: float = 1.0,
    window_hours: float = 6.0,
    conjugate: bool = False,
) -> xr.Dataset:
    """Compare the track of a satellite with sites on the ground, by magnetic latitude and local time.

    Parameters
    ----------
    time : array of datetime64, shape (time,)
        UTC, 1965 to 2030.
    lat, lon, alt_km : arrays of shape (time,)
        Geocentric latitude, longitude (degrees) and altitude (km) of the satellite.
    sites : sequence of Site or str
        Sites, or names of `list_sites`.
    latitude_tolerance, local_time_tolerance : float
        Largest differences of magnetic latitude (degrees) and local time (h) of a simultaneous conjunction.
    window_hours : float
        Largest time (h, 0 to 12) between the satellite and the site at the same local time.
    conjugate : bool
        Whether a site in the other hemisphere counts as well.

    Returns
    -------
    xarray.Dataset
        By time: ``satellite_magnetic_latitude``, ``satellite_magnetic_local_time``; by site: ``site_magnetic_latitude``,
        ``closest_time``, ``closest_distance`` (km); by site and time: ``site_magnetic_local_time``,
        ``magnetic_latitude_difference`` and ``magnetic_local_time_difference`` (satellite less site), ``footpoint_distance`` (km
        at 110 km), ``same_local_time`` (the nearest time at which the site has the local time of the satellite),
        ``local_time_delay`` (h, until then), and the flags ``simultaneous`` and ``at_same_local_time``.

    Raises
    ------
    SettingsError
        A tolerance is out of range, or no site is named.
    DataError
        Arrays do not fit or are not finite.
    CoverageError
        A site is unknown, or a time outside the years of the dipole.
    """
    times, track = _checked(time, lat, lon, alt_km)
    chosen = [get_site(site) if isinstance(site, str) else site for site in sites]
    if not chosen or not (latitude_tolerance > 0.0 and local_time_tolerance > 0.0 and 0.0 <= window_hours <= 12.0):
        raise SettingsError(
            f"{len(chosen)} sites, tolerances {latitude_tolerance} degrees, {local_time_tolerance} h, window {window_hours} h; "
            "give at least one site, positive tolerances and a window of 0 to 12 h"
        )
    pairs = _differences(times, track, chosen, conjugate)
    near = np.abs(pairs["magnetic_latitude_difference"][1]) <= latitude_tolerance
    same_hour = np.abs(pairs["magnetic_local_time_difference"][1]) <= local_time_tolerance
    delay, distance = pairs["local_time_delay"][1], pairs["footpoint_distance"][1]
    later = times + np.round(delay * _HOUR).astype("timedelta64[ns]")
    closest = np.argmin(distance, axis=1)
    smallest = np.take_along_axis(distance, closest[:, None], axis=1)[:, 0]
    both = ("site", "time")
    at_once = {"long_name": "near in magnetic latitude and local time at the same time"}
    in_window = {"long_name": "near in magnetic latitude, at the same local time within the window"}
    variables: dict[str, tuple] = {
        **pairs,
        "same_local_time": (both, later, {"long_name": "time at which the site has the local time of the satellite"}),
        "simultaneous": (both, near & same_hour, at_once),
        "at_same_local_time": (both, near & (np.abs(delay) <= window_hours), in_window),
        "closest_time": (("site",), times[closest], {"long_name": "time of the smallest distance at 110 km"}),
        "closest_distance": (("site",), smallest, _words("km", "smallest distance of the field lines at 110 km")),
    }
    settings = {
        "latitude_tolerance": latitude_tolerance, "local_time_tolerance": local_time_tolerance, "window_hours": window_hours,
        "conjugate": conjugate, "sites": [[site.name, site.lat, site.lon] for site in chosen],
        "footpoint_altitude_km": FOOTPOINT_ALTITUDE,
    }  # fmt: skip
    attributes = {
        "kind": "siderion ground conjunction", "title": "Satellite and ground sites in magnetic coordinates",
        "settings": json.dumps(settings), "sources": json.dumps(_sources()), "siderion_version": version("siderion"),
    }  # fmt: skip
    return xr.Dataset(variables, coords={"time": times, "site": [site.name for site in chosen]}, attrs=attributes)


def _differences(times: NDArray, track: list[Array], sites: Sequence[Site], conjugate: bool) -> dict[str, tuple]:
    """Magnetic coordinates of satellite and sites, and their differences, as variables of a data set."""
    latitude, local_time = footpoint(times, *track)
    lats = np.array([site.geocentric_lat for site in sites])[:, None]
    lons = np.array([site.lon for site in sites])[:, None]
    site_latitude, site_local_time = footpoint(times, lats, lons, 0.0)
    compared = np.copysign(latitude, site_latitude) if conjugate else latitude
    distance = _distance(compared, local_time, site_latitude, site_local_time)
    delay = local_time_delay(times, lats, lons, local_time)
    rows = {
        "satellite_magnetic_latitude": (latitude, "degrees", "magnetic latitude of the satellite at 110 km"),
        "satellite_magnetic_local_time": (local_time, "h", "magnetic local time of the satellite"),
        "site_magnetic_latitude": (site_latitude[:, 0], "degrees", "magnetic latitude of the site at 110 km"),
        "site_magnetic_local_time": (site_local_time, "h", "magnetic local time of the site"),
        "magnetic_latitude_difference": (compared - site_latitude, "degrees", "magnetic latitude, satellite less site"),
        "magnetic_local_time_difference": (wrapped_hours(local_time - site_local_time), "h", "local time, satellite less site"),
        "footpoint_distance": (distance, "km", "distance of the field lines of satellite and site at 110 km"),
        "local_time_delay": (delay, "h", "time until the site has the magnetic local time of the satellite"),
    }
    dims = {"satellite": ("time",), "site_magnetic_latitude": ("site",)}
    return {
        name: (dims.get(name, dims.get(name.split("_")[0], ("site", "time"))), array, _words(units, words))
        for name, (array, units, words) in rows.items()
    }


def _sources() -> list[dict[str, str]]:
    """Sources of coordinates and places, for the attribute ``sources``."""
    field = {
        "what": "magnetic coordinates", "model": "centred dipole of the IGRF-13", "confidence": "verified",
        "citation": "Alken et al. 2021 doi:10.1186/s40623-020-01288-x",
    }  # fmt: skip
    sites = {
        "what": "places of sites",
        "model": "ground_sites",
        "confidence": "unverified",
        "citation": "remembered, unless given",
    }
    return [field, sites]


def local_time_delay(time: ArrayLike, lat: ArrayLike, lon: ArrayLike, local_time: ArrayLike) -> Array:
    """Hours from times until places on the ground reach a magnetic local time; the nearest, -12 to 12 or a little more.

    Parameters
    ----------
    time : array of datetime64
        UTC.
    lat, lon : arrays
        Geocentric, degrees; they broadcast with times and local times.
    local_time : array
        Wanted magnetic local time, h.

    Raises
    ------
    NumericalError
        The site is so near to the magnetic pole that local time does not grow steadily.
    """
    moments, lats, lons, wanted = np.broadcast_arrays(np.asarray(time, dtype="datetime64[ns]"), lat, lon, local_time)
    delay = np.zeros(moments.shape)
    for _ in range(_ITERATIONS):
        shifted = moments + np.round(delay * _HOUR).astype("timedelta64[ns]")
        error = wrapped_hours(wanted - footpoint(shifted, lats, lons, 0.0)[1])
        delay = delay + error
        if np.abs(error).max(initial=0.0) < _GOOD_HOURS:
            return delay
    raise NumericalError(
        f"local time of a site does not settle (left over {np.abs(error).max():.3g} h); it is too near to a magnetic pole"
    )


def conjunction_events(found: xr.Dataset, kind: str = "simultaneous") -> xr.Dataset:
    """Unbroken runs of samples of a conjunction.

    Parameters
    ----------
    found : xarray.Dataset
        Of `ground_conjunction`.
    kind : str
        ``"simultaneous"`` or ``"same local time"``.

    Returns
    -------
    xarray.Dataset
        Along ``event``, in order of time: ``site_name``, ``start``, ``end``, ``best_time`` (of the smallest distance at 110 km;
        at the same local time, of the smallest difference of latitude), ``magnetic_latitude_difference`` (degrees),
        ``local_time_delay`` (h) and ``site_time`` (when the site is at that local time) then; empty where there is none.

    Raises
    ------
    SettingsError
        The kind is unknown.
    """
    if kind not in KINDS:
        raise SettingsError(f"conjunction of kind {kind!r} is unknown; use one of {', '.join(KINDS)}")
    flags = found["simultaneous" if kind == KINDS[0] else "at_same_local_time"].values
    measure = np.abs(found["footpoint_distance" if kind == KINDS[0] else "magnetic_latitude_difference"].values)
    times = found["time"].values
    rows = []
    for k, name in enumerate(found["site"].values):
        edges = np.diff(np.concatenate([[0], flags[k].astype(np.int8), [0]]))
        for begin, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
            nearest = int(begin) + int(np.argmin(measure[k, begin:end]))
            rows.append((str(name), times[begin], times[end - 1], k, nearest))
    rows.sort(key=lambda row: (row[1], row[0]))
    site, best = np.array([row[3] for row in rows], dtype=int), np.array([row[4] for row in rows], dtype=int)
    moments = {"start": [row[1] for row in rows], "end": [row[2] for row in rows]}
    variables: dict[str, tuple] = {name: (("event",), np.array(v, dtype="datetime64[ns]")) for name, v in moments.items()}
    variables |= {
        "site_name": (("event",), np.array([row[0] for row in rows], dtype=str)),
        "best_time": (("event",), times[best]),
        "site_time": (("event",), found["same_local_time"].values[site, best]),
    }
    for name in ("magnetic_latitude_difference", "local_time_delay", "footpoint_distance"):
        variables[name] = (("event",), found[name].values[site, best], dict(found[name].attrs))
    attributes = {**found.attrs, "kind": "siderion ground conjunction events", "conjunction": kind}
    return xr.Dataset(variables, attrs=attributes)


def wrapped_hours(hours: ArrayLike) -> Array:
    """Differences of local time brought into -12 (included) to 12 h."""
    return (np.asarray(hours, dtype=np.float64) + 12.0) % 24.0 - 12.0


def _distance(latitude: Array, local_time: Array, other_latitude: Array, other_local_time: Array) -> Array:
    """Great-circle distance at 110 km, km; the haversine keeps its digits for near places."""
    first, second = np.radians(latitude), np.radians(other_latitude)
    turn = np.radians(15.0 * (local_time - other_local_time))
    half = np.sin(0.5 * (first - second)) ** 2 + np.cos(first) * np.cos(second) * np.sin(0.5 * turn) ** 2
    return 2.0 * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0))) * (EARTH_RADIUS * 1e-3 + FOOTPOINT_ALTITUDE)


def _checked(time: ArrayLike, lat: ArrayLike, lon: ArrayLike, alt: ArrayLike) -> tuple[NDArray, list[Array]]:
    times = np.asarray(time, dtype="datetime64[ns]")
    track = [np.asarray(values, dtype=np.float64) for values in (lat, lon, alt)]
    if times.ndim != 1 or times.size == 0 or any(values.shape != times.shape for values in track):
        shapes = ", ".join(str(values.shape) for values in track)
        raise DataError(f"time has shape {times.shape}; latitude, longitude, altitude {shapes}; give one value for each time")
    for name, values, low, high in zip(
        ("latitude", "longitude", "altitude"), track, (-90.0, -360.0, 0.0), (90.0, 360.0, np.inf), strict=True
    ):
        bad = ~((values >= low) & (values <= high) & np.isfinite(values))
        if bad.any():
            index = int(np.argmax(bad))
            raise DataError(f"{name} of the satellite at {times[index]} is {values[index]}; it must lie from {low:g} to {high:g}")
    return times, track


def _words(units: str, long_name: str) -> dict[str, str]:
    return {"units": units, "long_name": long_name}
