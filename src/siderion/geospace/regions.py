"""Masks of regions (solar wind, foreshock, magnetosheath, magnetosphere) along the path of a spacecraft.

Regions come either from boundary models or from a list of crossings; the attribute ``region_source`` says which, and the
two are never mixed unless asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike

from siderion.core.bodies import get_body
from siderion.core.errors import DataError, SettingsError
from siderion.core.tables import load_table

from .boundaries import Boundary, aberrate, aberration_angle, connected_to_shock, get_boundary, orbital_speed

REGIONS = ("unknown", "solar_wind", "foreshock", "magnetosheath", "magnetosphere")
"""Names of the regions; the place in the list is the flag value."""
UNKNOWN, SOLAR_WIND, FORESHOCK, MAGNETOSHEATH, MAGNETOSPHERE = range(5)
SMALLEST_DISTANCE = 0.9
"""Positions nearer to the centre than this, in radii of the body, are refused: no body is flattened so much."""
KILOMETRE = 1e3


@dataclass(frozen=True)
class SunFrame:
    """A Sun-oriented frame: where its origin is, whether its axes are aberrated, whether y lies in the plane of the orbit."""

    name: str
    origin: str
    aberrated: bool
    orbital_plane: bool


def sun_frame(frame: str, body: str) -> SunFrame:
    """Look up a Sun-oriented frame in which boundary models can be used.

    Parameters
    ----------
    frame : str
        Name as in ``core/tables/body_frames.csv``, such as ``"MSO"``, ``"VSO"``, ``"GSE"``; case does not matter.
    body : str
        Name of the body.

    Raises
    ------
    SettingsError
        The frame is unknown, is not Sun-oriented, or belongs to another body.
    """
    table = load_table("core", "body_frames")
    belongs = [body.lower() in [name.strip().lower() for name in str(names).split(";")] for names in table["bodies"]]
    usable = table[(table["kind"] == "sun") & pd.Series(belongs, index=table.index)]
    rows = usable[usable["frame"].str.lower() == frame.lower()]
    if rows.empty:
        known = ", ".join(usable["frame"]) or "none in the table"
        raise SettingsError(
            f"frame {frame!r} of the positions is no Sun-oriented frame of {body}; accepted: {known}; transform position "
            "and field to one of them, or give a list of crossings with the option --regions"
        )
    row = rows.iloc[0]
    return SunFrame(str(row["frame"]), str(row["origin"]), row["aberrated"] == "yes", row["orbital_plane"] == "yes")


def region_mask(
    time: ArrayLike,
    position: ArrayLike | None = None,
    field: ArrayLike | None = None,
    *,
    body: str,
    frame: str = "",
    crossings: xr.Dataset | None = None,
    foreshock: bool | None = None,
    shock_model: str | None = None,
    inner_model: str | None = None,
    aberration: float | None = None,
    flow_speed: float | None = None,
    tail_limit: float | None = None,
) -> xr.Dataset:
    """Region at each time, from boundary models or, if ``crossings`` is given, from that list.

    Parameters
    ----------
    time : array of datetime64, shape (time,)
        Times, UTC.
    position : array of shape (time, 3), km
        Position from the centre of the body (of its dipole in MSM). May be left out with ``crossings``.
    field : array of shape (time, 3), optional
        Magnetic field in the axes of ``position``, any unit; needed for the foreshock.
    body : str
        Name as in ``core/tables/bodies.csv``.
    frame : str
        Frame of position and field; see `sun_frame`.
    crossings : xarray.Dataset, optional
        Intervals of `siderion.io.crossings.read_crossings`. Times outside of all intervals are unknown.
    foreshock : bool, optional
        Whether to tell the foreshock from the solar wind by the straight field line to the model of the bow shock. If left out,
        it is done where there is a field and no list of crossings: a list is not mixed with a model unless asked for.
    shock_model, inner_model : str, optional
        Names of the models; see `siderion.geospace.boundaries.get_boundary`.
    aberration : float, optional
        Aberration angle in degrees; 0 leaves it out. By default atan(orbital speed/flow speed) from the mean distance of the
        body. Not used in frames that are aberrated already.
    flow_speed : float, optional
        Speed of the solar wind, km s-1; the preset of the body if left out.
    tail_limit : float, optional
        Field lines that meet the bow shock at x below this, in radii of the body, do not count as connected.

    Returns
    -------
    xarray.Dataset
        ``region(time)`` with ``flag_values`` and ``flag_meanings``; where the foreshock was looked for also
        ``connection_distance(time)``, km along the field to the bow shock, NaN where there is no connection. Where the field
        was given but is missing at a time upstream, the region is unknown.

    Raises
    ------
    SettingsError
        The frame is not one of the body, or options contradict each other.
    CoverageError
        There is no model of the body.
    DataError
        Arrays do not fit, or a position lies inside the body.
    """
    times = np.asarray(time, dtype="datetime64[ns]")
    if times.ndim != 1:
        raise DataError(f"time has shape {times.shape}; one dimension is needed")
    look = (field is not None and crossings is None) if foreshock is None else foreshock
    _check_options(crossings, position, field, look, (shock_model, inner_model))
    attributes: dict[str, object] = {"body": get_body(body).name}
    places = fields = shock = None
    if crossings is None or look:
        places, fields, origin, angle = _prepared(times, position, field, body, frame, aberration, flow_speed)
        shock = get_boundary(body, "bow_shock", shock_model, origin=origin)
        attributes |= {"frame": frame, "aberration_degrees": float(np.degrees(angle))}
    if crossings is not None:
        region = regions_from_crossings(times, crossings)
        attributes |= {"region_source": f"list of crossings {crossings.attrs.get('source', '')}".strip()}
    else:
        assert places is not None
        assert shock is not None
        inner = get_boundary(body, "inner_boundary", inner_model, origin=origin)
        region = regions_from_models(places, shock, inner)
        attributes |= {"region_source": f"boundary models: {_words(shock)}; {_words(inner)}"}
    attributes["foreshock_source"] = "not evaluated: solar_wind includes the foreshock"
    distance = None
    if look:
        assert places is not None
        assert fields is not None
        assert shock is not None
        region, distance = _with_foreshock(region, places, fields, shock, tail_limit)
        attributes["foreshock_source"] = f"straight field line to the model of the {_words(shock)}"
    return _dataset(times, region, distance, attributes)


def regions_from_models(position: ArrayLike, shock: Boundary, inner: Boundary) -> np.ndarray:
    """Flag of `REGIONS` at positions (..., 3) in m, in aberrated axes; the foreshock is not told apart.

    Returns
    -------
    numpy.ndarray of int8, shape (...)
        ``magnetosphere`` inside the inner boundary, ``magnetosheath`` inside the shock, ``solar_wind`` outside, ``unknown``
        where the position is NaN.
    """
    outside_shock, outside_inner = shock.distance_outside(position), inner.distance_outside(position)
    region = np.where(outside_inner <= 0.0, MAGNETOSPHERE, np.where(outside_shock <= 0.0, MAGNETOSHEATH, SOLAR_WIND))
    return np.where(np.isnan(outside_shock) | np.isnan(outside_inner), UNKNOWN, region).astype(np.int8)


def regions_from_crossings(time: ArrayLike, crossings: xr.Dataset) -> np.ndarray:
    """Flag of `REGIONS` at times, from the intervals of a list of crossings; unknown outside of all of them.

    Parameters
    ----------
    time : array of datetime64, shape (time,)
        Times, UTC, in any order.
    crossings : xarray.Dataset
        ``start``, ``end``, ``region`` along ``interval``, in order and without overlap; an interval holds start <= t < end.

    Raises
    ------
    DataError
        A variable is missing, intervals are out of order or overlap, or a region is unknown.
    """
    missing = [name for name in ("start", "end", "region") if name not in crossings]
    if missing:
        raise DataError(f"list of crossings: variables {', '.join(missing)} are missing; read it with siderion.io.crossings")
    start, end = (crossings[name].values.astype("datetime64[ns]") for name in ("start", "end"))
    names = [str(name) for name in crossings["region"].values]
    flags = np.array([REGIONS.index(name) if name in REGIONS else -1 for name in names], dtype=np.int8)
    if (flags < 0).any():
        index = int(np.argmax(flags < 0))
        raise DataError(f"list of crossings: interval {index} has region {names[index]!r}; use one of {', '.join(REGIONS)}")
    wrong = (end < start) | np.append(end[:-1] > start[1:], False)
    if wrong.any():
        index = int(np.argmax(wrong))
        raise DataError(
            f"list of crossings: interval {index}, {start[index]} to {end[index]}, ends before it starts or overlaps the next; "
            "sort the intervals and cut the overlap"
        )
    times = np.asarray(time, dtype="datetime64[ns]")
    place = np.searchsorted(start, times, side="right") - 1
    inside = (place >= 0) & ~np.isnat(times)
    inside[inside] = times[inside] < end[place[inside]]
    region = np.full(times.shape, UNKNOWN, dtype=np.int8)
    region[inside] = flags[place[inside]]
    return region


def _check_options(crossings: xr.Dataset | None, position: object, field: object, look: bool, models: tuple) -> None:
    if look and (field is None or position is None):
        raise SettingsError("the foreshock needs position and field; give both, or set foreshock to False")
    if crossings is None and position is None:
        raise SettingsError("regions from boundary models need the position; give it, or a list of crossings (option --regions)")
    unused = models if not look else models[1:]
    if crossings is not None and any(unused):
        raise SettingsError(
            f"boundary model {next(filter(None, unused))!r} given beside a list of crossings; use one of the two, or set "
            "foreshock to True to take only the foreshock from the model of the bow shock"
        )


def _prepared(
    times: np.ndarray,
    position: ArrayLike | None,
    field: ArrayLike | None,
    body: str,
    frame: str,
    aberration: float | None,
    flow_speed: float | None,
) -> tuple[np.ndarray, np.ndarray | None, str, float]:
    """Position in m and field in aberrated axes, origin of the frame, aberration angle in radians."""
    system = sun_frame(frame, body)
    angle = 0.0 if system.aberrated else _angle(body, aberration, flow_speed)
    if angle != 0.0 and not system.orbital_plane:
        raise SettingsError(
            f"aberration in {system.name} is not a turn about z; transform position and field to a solar orbital frame such as "
            "GSE, or leave the aberration out by setting aberration to 0"
        )
    arrays = []
    for name, values in (("position", position), ("field", field)):
        array = None if values is None else np.asarray(values, dtype=np.float64)
        if array is not None and array.shape != (times.size, 3):
            raise DataError(f"{name} has shape {array.shape}; needed: {(times.size, 3)}, one vector for each time")
        arrays.append(array)
    places, fields = arrays
    assert places is not None
    _refuse_inside(times, places, body)
    return aberrate(places * KILOMETRE, angle), None if fields is None else aberrate(fields, angle), system.origin, angle


def _angle(body: str, aberration: float | None, flow_speed: float | None) -> float:
    if aberration is not None:
        if not -90.0 < aberration < 90.0:
            raise SettingsError(f"aberration is {aberration} degrees; it must lie between -90 and 90")
        return float(np.radians(aberration))
    speed = get_body(body).require_value("flow_speed") if flow_speed is None else flow_speed * KILOMETRE
    distance = get_body(body).require("distance")
    assert isinstance(distance, tuple)
    return aberration_angle(speed, orbital_speed(0.5 * (distance[0] + distance[1])))


def _refuse_inside(times: np.ndarray, places: np.ndarray, body: str) -> None:
    radius = get_body(body).require("radius")
    assert isinstance(radius, float)
    distance = np.linalg.norm(places, axis=-1) * KILOMETRE
    inside = distance < SMALLEST_DISTANCE * radius
    if inside.any():
        index = int(np.argmax(inside))
        raise DataError(
            f"position at {times[index]} is {distance[index] / KILOMETRE:g} km from the centre of {body}, inside the body "
            f"(radius {radius / KILOMETRE:g} km); positions are in km from the centre: check their units"
        )


def _with_foreshock(
    region: np.ndarray, places: np.ndarray, fields: np.ndarray, shock: Boundary, tail_limit: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Tell the foreshock from the solar wind; distance to the shock along the field in km."""
    radius = get_body(shock.body).require("radius")
    assert isinstance(radius, float)
    limit = None if tail_limit is None else tail_limit * radius
    connection = connected_to_shock(places, fields, shock, tail_limit=limit)
    known = np.isfinite(fields).all(axis=-1) & np.isfinite(places).all(axis=-1) & (np.abs(fields).max(axis=-1, initial=0.0) > 0.0)
    upstream = region == SOLAR_WIND
    found = np.where(known, np.where(connection.connected, FORESHOCK, SOLAR_WIND), UNKNOWN)
    return np.where(upstream, found, region).astype(np.int8), np.where(upstream, connection.distance, np.nan) / KILOMETRE


def _words(boundary: Boundary) -> str:
    return f"{boundary.name} {boundary.model}"


def _dataset(times: np.ndarray, region: np.ndarray, distance: np.ndarray | None, attributes: dict[str, object]) -> xr.Dataset:
    flags = {
        "long_name": "region of the plasma",
        "flag_values": np.arange(len(REGIONS), dtype=np.int8),
        "flag_meanings": " ".join(REGIONS),
    }
    variables: dict[str, tuple] = {"region": (("time",), region, flags)}
    if distance is not None:
        text = {"units": "km", "long_name": "distance along the field to the bow shock, NaN where not connected"}
        variables["connection_distance"] = (("time",), distance, text)
    return xr.Dataset(variables, coords={"time": times}, attrs=attributes)
