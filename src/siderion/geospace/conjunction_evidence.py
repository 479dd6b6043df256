"""What is known at the time of an event: Moon, activity, place of a spacecraft, its region, and the wake of lunar ions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.bodies import get_body
from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import SettingsError
from siderion.frames.gsm import gse_to_gsm
from siderion.frames.moon import moon_position_gse
from siderion.io.event_list import EVENT_REGIONS

from .conjunction_score import limit_of
from .ion_wake import READINGS, in_ion_wake, wake_place
from .regions import REGIONS, region_mask

Array = NDArray[np.float64]
Track = xr.Dataset | Callable[[NDArray[np.datetime64]], NDArray[np.float64]]
_KILOMETRE = 1e3
_LONGEST_GAP = np.timedelta64(6, "h")
"""Longest time between two positions over which a straight line is drawn."""


@dataclass(frozen=True)
class Evidence:
    """Data beside the ephemeris; all of it may be missing.

    Attributes
    ----------
    kp, dst : xarray.Dataset or None
        ``kp(time)`` by starts of three-hour intervals, ``dst(time)`` by starts of hours.
    track : xarray.Dataset, function or None
        ``spacecraft_position(time, component)``, km, GSE; or a function from times to positions (n, 3), km, GSE.
    imf : tuple of float or None
        Constant field, nT, GSE.
    wind : xarray.Dataset or None
        ``imf_by_gsm``, ``imf_bz_gsm``, ``solar_wind_speed`` by time, hourly.
    speed : float
        Speed of the solar wind, km s-1, where ``wind`` has none.
    species : str
        Ion whose wake is asked for.
    reading : str
        What the wake is where there is a field: ``"spread"`` (`in_spread_wake`) or one of `siderion.geospace.ion_wake.READINGS`.
    """

    kp: xr.Dataset | None = None
    dst: xr.Dataset | None = None
    track: Track | None = None
    imf: tuple[float, float, float] | None = None
    wind: xr.Dataset | None = None
    speed: float = 400.0
    species: str = "Fe+"
    reading: str = "spread"

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be."""
        if not 0.0 < self.speed < np.inf:
            raise SettingsError(f"speed of the solar wind is {self.speed} km/s; it must be positive and finite")
        if self.reading not in ("spread", *READINGS):
            raise SettingsError(f"reading {self.reading!r} of the wake is unknown; use spread, {', '.join(READINGS)}")
        if self.imf is not None and (len(self.imf) != 3 or not np.isfinite(self.imf).all()):
            raise SettingsError(f"imf is {self.imf}; give three finite components, nT, GSE")


def extreme_around(
    index: xr.Dataset | None, name: str, length: np.timedelta64, time: ArrayLike, hours: float, sense: int
) -> tuple[Array, NDArray[np.bool_]]:
    """Largest (sense 1) or smallest (-1) value of an index in the intervals that touch the hours around each time.

    Parameters
    ----------
    index : xarray.Dataset or None
        ``name(time)`` by starts of intervals.
    name : str
        Name of the index.
    length : timedelta64
        Length of an interval.
    time : array of datetime64, shape (event,)
        UTC.
    hours : float
        Hours before and after.
    sense : int
        1 or -1.

    Returns
    -------
    value : array, shape (event,)
        NaN where nothing is known.
    complete : array of bool, shape (event,)
        Whether all of the intervals are there.
    """
    times = np.asarray(time, dtype="datetime64[ns]")
    value, complete = np.full(times.shape, np.nan), np.zeros(times.shape, dtype=bool)
    if index is None:
        return value, complete
    starts, values = index["time"].values, index[name].values.astype(float)
    margin = np.timedelta64(round(hours * 3600.0), "s")
    for k, moment in enumerate(times):
        touching = (starts + length > moment - margin) & (starts <= moment + margin)
        known = touching & np.isfinite(values)
        if known.any():
            value[k] = sense * (sense * values[known]).max()
            covered = known.sum() * length
            first, last = starts[known][0], starts[known][-1] + length
            complete[k] = first <= moment - margin and last > moment + margin and covered == last - first
    return value, complete


def position_at(track: Track | None, time: ArrayLike) -> Array:
    """Position of the spacecraft at times, km, GSE, shape (event, 3); NaN outside the track and in gaps of more than 6 h."""
    times = np.asarray(time, dtype="datetime64[ns]")
    result = np.full((*times.shape, 3), np.nan)
    if callable(track):
        return np.asarray(track(times), dtype=np.float64)
    if track is None or track.sizes["time"] == 0:
        return result
    nodes, places = track["time"].values, track["spacecraft_position"].values
    after = np.searchsorted(nodes, times)
    for k, moment in np.ndenumerate(times):
        right = int(after[k])
        if right < len(nodes) and nodes[right] == moment:
            result[k] = places[right]
        elif 0 < right < len(nodes) and nodes[right] - nodes[right - 1] <= _LONGEST_GAP:
            share = (moment - nodes[right - 1]) / (nodes[right] - nodes[right - 1])
            result[k] = (1.0 - share) * places[right - 1] + share * places[right]
    return result


def regions_at(time: ArrayLike, position: ArrayLike, speed: float) -> list[str]:
    """Region by the default boundary models of the Earth, in words; unknown where the position (event, 3), km, is missing."""
    times, places = np.asarray(time, dtype="datetime64[ns]"), np.asarray(position, dtype=np.float64)
    names = ["unknown"] * len(times)
    known = np.flatnonzero(np.isfinite(places).all(axis=-1))
    if known.size:
        mask = region_mask(times[known], places[known], body="Earth", frame="GSE", flow_speed=speed)
        for k, flag in zip(known, mask["region"].values, strict=True):
            names[k] = REGIONS[flag] if REGIONS[flag] in EVENT_REGIONS else "unknown"
    return names


def imf_at(evidence: Evidence, time: ArrayLike) -> tuple[Array, Array]:
    """Field (event, 3), nT, GSE, and speed (event,), km s-1, at times; NaN where not known.

    The series gives By and Bz in GSM, and the hour whose mean holds the time counts; Bx is then taken as zero, which leaves
    the electric field as it is and the axis of the wake along the flow.
    """
    times = np.asarray(time, dtype="datetime64[ns]")
    field, speed = np.full((*times.shape, 3), np.nan), np.full(times.shape, evidence.speed)
    if evidence.imf is not None:
        field[:] = evidence.imf
        return field, speed
    if evidence.wind is None or evidence.wind.sizes["time"] == 0:
        return field, speed
    nodes = evidence.wind["time"].values
    nearest = np.clip(np.searchsorted(nodes, times), 1, len(nodes) - 1) if len(nodes) > 1 else np.zeros(times.shape, dtype=int)
    if len(nodes) > 1:
        nearest = nearest - (times - nodes[nearest - 1] < nodes[nearest] - times)
    close = np.abs(nodes[nearest] - times) <= np.timedelta64(30, "m")
    east, north = (evidence.wind[name].values[nearest] for name in ("imf_by_gsm", "imf_bz_gsm"))
    wind_speed = evidence.wind["solar_wind_speed"].values[nearest]
    for k in np.flatnonzero(close & np.isfinite(east) & np.isfinite(north)):
        # columns of the rotation from GSE to GSM; its transpose turns back
        columns = [gse_to_gsm(np.array(axis), times[k]) for axis in ([0.0, 1.0, 0.0], [0.0, 0.0, 1.0])]
        vector = np.array([0.0, east[k], north[k]])
        field[k] = [0.0, float(columns[0] @ vector), float(columns[1] @ vector)]
        speed[k] = wind_speed[k] if np.isfinite(wind_speed[k]) else evidence.speed
    return field, speed


def wake_at(evidence: Evidence, time: ArrayLike, position: ArrayLike) -> tuple[NDArray[np.int8], list[str]]:
    """Whether the spacecraft is in the wake of lunar ions: 1, 0, or -1 where its position is not known; and by what.

    With a field: by the reading of the evidence. Without: at most half the nominal width of the review from the
    line of the flow.

    Parameters
    ----------
    evidence : Evidence
        Field, speed and species.
    time : array of datetime64, shape (event,)
        UTC.
    position : array of shape (event, 3)
        km, GSE.
    """
    times, places = np.asarray(time, dtype="datetime64[ns]"), np.asarray(position, dtype=np.float64) * _KILOMETRE
    flags, words = np.full(times.shape, -1, dtype=np.int8), [""] * len(times)
    known = np.flatnonzero(np.isfinite(places).all(axis=-1))
    field, speed = imf_at(evidence, times)
    for k in known:
        moon = moon_position_gse(times[k])
        offset = places[k] - moon
        if np.isfinite(field[k]).all() and np.linalg.norm(field[k, 1:]) > 0.0:
            flow = np.array([-speed[k] * _KILOMETRE, 0.0, 0.0])
            arguments = (places[k], moon, flow, field[k] * 1e-9, evidence.species)
            if evidence.reading == "spread":
                flags[k] = in_spread_wake(*arguments)
            else:
                flags[k] = bool(in_ion_wake(*arguments, reading=evidence.reading))
            words[k] = f"wake of {evidence.species} in the given field, {evidence.reading}"
        else:
            across = float(np.hypot(offset[1], offset[2]))
            flags[k] = int(offset[0] <= 0.0 and across <= 0.5 * limit_of("wake_width") * EARTH_RADIUS)
            words[k] = "nominal width of the wake"
    return flags, words


def in_spread_wake(position: ArrayLike, moon: ArrayLike, flow: ArrayLike, field: ArrayLike, species: str) -> bool:
    """Whether a place lies in the wake of lunar ions in a field that turns: the reading ``"spread"``.

    Ions drift with V_perp = V - (V.b)b and rise along E = -V x B by up to 2 gyroradii m V_perp/(q B). The wake is the half
    cylinder of that radius (and the Moon's) about the drift on the side of E: along the magnetic field the same distance is
    allowed as along E, which is generous for a steady field.

    Parameters
    ----------
    position, moon, flow, field, species
        As in `siderion.geospace.ion_wake.wake_place`, for one place.
    """
    place = wake_place(position, moon, flow, field, species)
    radius = get_body("Moon").require_value("radius")
    reach = 2.0 * float(place.gyroradius) + radius
    return bool(place.along >= 0.0 and np.hypot(place.height, place.across) <= reach and place.height >= -radius)
