"""Time that an orbit spends in each region around the Earth, by season."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import DataError, SettingsError
from siderion.core.tables import load_table
from siderion.frames.gsm import dipole_tilt, gse_to_gsm
from siderion.frames.moon import moon_position_gse
from siderion.frames.sm import magnetic_place
from siderion.geospace.ion_wake import in_ion_wake, typical_fields
from siderion.geospace.plasma_boundaries import SolarWind, boundary_sources, typical_wind
from siderion.geospace.region_probability import region_probabilities

Array = NDArray[np.float64]
REGIONS = (
    "ionosphere", "plasmasphere", "ring current", "outer magnetosphere", "auroral field lines", "polar cap", "lobe",
    "plasma sheet", "magnetosheath", "solar wind",
)  # fmt: skip
_LIMITS = {
    "ionosphere_top": "top of the ionosphere",
    "plasmasphere_shell": "outer shell of the plasmasphere",
    "ring_current_shell": "outer shell of the ring current",
    "equatorial_latitude": "magnetic latitude up to which trapped ions are met",
    "polar_cap_latitude": "invariant latitude of the edge of the polar cap",
    "tail_begin": "x (GSM) of the begin of the tail",
    "plasma_sheet_half_thickness": "half thickness of the plasma sheet",
    "hinging_distance": "distance at which the tail leaves the magnetic equator",
}
"""What the rows of the table ``residence_regions`` are, in words."""
_UNITS = {"RE": "radii of the Earth"}
_CHUNK = 20_000
_LARGEST_SHARE = 2.0


def residence_time(
    time: ArrayLike,
    position_gse_m: ArrayLike,
    wind: SolarWind | None = None,
    *,
    year_bins: int = 12,
    wake_species: Sequence[str] = (),
    wake_fields: ArrayLike | None = None,
    wake_reading: str = "cycloid",
    model_scatter: bool = True,
) -> xr.Dataset:
    """Expected time in each region.

    Parameters
    ----------
    time : array of datetime64, shape (time,)
        UTC, growing, 1965 to 2030, at steps short beside the time in a region (1 min near perigee, 10 min elsewhere).
    position_gse_m : array of shape (time, 3)
        Position in GSE, m; see `siderion.geospace.orbit`.
    wind : SolarWind, optional
        Solar wind with its spread; that of a solar cycle without it.
    year_bins : int
        Parts of the year of equal length; 1 for no seasons.
    wake_species : sequence of str
        Ions such as ``("Na+", "Fe+")`` whose lunar-ion wake is looked for.
    wake_fields : array of shape (field, 3), optional
        Interplanetary fields in GSE, T, of equal weight; those of `siderion.geospace.ion_wake.typical_fields` without it.
    wake_reading : str
        As in `siderion.geospace.ion_wake.in_ion_wake`.
    model_scatter : bool
        Whether real crossings scatter about the boundary models.

    Returns
    -------
    xarray.Dataset
        ``residence_hours(region, year_bin)``, ``residence_fraction(region, year_bin)`` of the time in the bin (missing where
        a bin has no time), ``hours_in_bin(year_bin)``, and with ``wake_species`` also ``wake_hours(species, region, year_bin)``:
        time inside the wake, whatever region it then is. The regions do not overlap, the wake overlaps them.

    Raises
    ------
    DataError
        Arrays do not fit, times do not grow, or a position is not finite or in the Earth.
    SettingsError
        The number of bins is not positive.
    CoverageError
        A time is outside the years of the dipole.

    Notes
    -----
    Each sample stands for the time halfway to its neighbours, at most twice the median step, so that gaps do not count. An edge
    of a region is placed to half a step. Regions: `region_shares`.
    """
    times = np.asarray(time, dtype="datetime64[ns]")
    places = np.asarray(position_gse_m, dtype=np.float64)
    _check(times, places, year_bins)
    hours, bins = _hours(times), _year_bin(times, year_bins)
    given = typical_wind() if wind is None else wind
    total = np.zeros((len(REGIONS), year_bins))
    wake = np.zeros((len(wake_species), len(REGIONS), year_bins))
    fields = (typical_fields() if wake_fields is None else np.atleast_2d(wake_fields)) if wake_species else np.empty((0, 3))
    moon = _moon(times) if wake_species else places
    for start in range(0, times.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        shares = region_shares(times[part], places[part], _part_of(given, part), model_scatter=model_scatter) * hours[part, None]
        total += _by_bin(shares, bins[part], year_bins)
        for k, name in enumerate(wake_species):
            inside = _share_in_wake(places[part], moon[part], fields, given.speed, name, wake_reading)
            wake[k] += _by_bin(shares * inside[:, None], bins[part], year_bins)
    settings = {
        "year_bins": year_bins, "wake_species": list(wake_species), "wake_reading": wake_reading,
        "wake_fields_nT": (fields * 1e9).tolist(), "model_scatter": model_scatter,
    }  # fmt: skip
    return _dataset(total, wake, list(wake_species), settings)


def region_shares(
    time: ArrayLike, position_gse_m: ArrayLike, wind: SolarWind | None = None, *, model_scatter: bool = True
) -> Array:
    """Probability of each of `REGIONS` at times, shape (time, region); rows sum to 1.

    Parameters
    ----------
    time : array of datetime64, shape (time,)
        UTC.
    position_gse_m : array of shape (time, 3)
        GSE, m.
    wind, model_scatter
        As in `siderion.geospace.region_probability.region_probability`.

    Notes
    -----
    Solar wind and magnetosheath by the boundary models. Inside, in this order, with limits from the table ``residence_regions``:
    ionosphere by altitude; in the tail (x GSM beyond its begin) plasma sheet or lobe by the distance from the neutral sheet,
    which leaves the magnetic equator at the hinging distance: z = H sin(tilt); polar cap by invariant latitude; plasmasphere
    by shell; near the magnetic equator ring current by shell and outer magnetosphere beyond; auroral field lines the rest.
    The sheet is flat in y and does not move with activity: its limits are unverified.
    """
    times, places = np.asarray(time, dtype="datetime64[ns]"), np.asarray(position_gse_m, dtype=np.float64)
    outer = region_probabilities(places, typical_wind() if wind is None else wind, model_scatter=model_scatter)
    shares = np.zeros((times.size, len(REGIONS)))
    index = _inner_region(times, places)
    shares[np.arange(times.size), index] = outer[:, 2]
    shares[:, REGIONS.index("magnetosheath")] = outer[:, 1]
    shares[:, REGIONS.index("solar wind")] = outer[:, 0]
    low = index == REGIONS.index("ionosphere")
    shares[low] = np.eye(len(REGIONS))[0]
    return shares


def _inner_region(times: NDArray, places: Array) -> NDArray[np.int64]:
    """Place in `REGIONS` of positions, taken to lie inside the magnetopause."""
    limit = load_table("geospace", "residence_regions").set_index("name")["value"].astype(float)
    latitude, _, shell = magnetic_place(places, times)
    gsm = gse_to_gsm(places, times) / EARTH_RADIUS
    altitude = (np.linalg.norm(places, axis=-1) - EARTH_RADIUS) * 1e-3
    sheet = limit["hinging_distance"] * np.sin(np.radians(dipole_tilt(times)))
    tail = gsm[:, 0] < limit["tail_begin"]
    near_sheet = np.abs(gsm[:, 2] - sheet) < limit["plasma_sheet_half_thickness"]
    open_shell = np.cos(np.radians(limit["polar_cap_latitude"])) ** -2
    equatorial = np.abs(latitude) < limit["equatorial_latitude"]
    choices = [
        (altitude < limit["ionosphere_top"], "ionosphere"),
        (tail & near_sheet, "plasma sheet"),
        (tail, "lobe"),
        (equatorial & (shell >= limit["ring_current_shell"]), "outer magnetosphere"),
        (shell >= open_shell, "polar cap"),
        (shell < limit["plasmasphere_shell"], "plasmasphere"),
        (equatorial, "ring current"),
    ]
    last = REGIONS.index("auroral field lines")
    return np.select([c for c, _ in choices], [REGIONS.index(name) for _, name in choices], default=last)


def _share_in_wake(places: Array, moon: Array, fields: Array, speed: float, species: str, reading: str) -> Array:
    """Share of the fields for which places lie in the wake of an ion."""
    flow = np.array([-speed, 0.0, 0.0])
    inside = [in_ion_wake(places, moon, flow, field, species, reading=reading) for field in fields]
    return np.mean(inside, axis=0)


def _moon(times: NDArray) -> Array:
    """The Moon in GSE, m, through a spline of nodes of at least an hour (right to 1 km)."""
    span = (times[-1] - times[0]) / np.timedelta64(1, "h")
    if times.size < 2 * span + 8:
        return moon_position_gse(times)
    nodes = times[0] + np.arange(int(span) + 3) * np.timedelta64(1, "h")
    spline = CubicSpline(np.arange(nodes.size, dtype=float), moon_position_gse(nodes), axis=0)
    return np.asarray(spline((times - times[0]) / np.timedelta64(1, "h")))


def _hours(times: NDArray) -> Array:
    """Hours for which each sample stands."""
    steps = np.diff(times) / np.timedelta64(1, "ns") / 3600e9
    largest = _LARGEST_SHARE * float(np.median(steps))
    half = 0.5 * np.minimum(steps, largest)
    return np.concatenate([half, [0.0]]) + np.concatenate([[0.0], half])


def _year_bin(times: NDArray, bins: int) -> NDArray[np.int64]:
    """Part of the calendar year of each time."""
    year = times.astype("datetime64[Y]")
    begin, end = year.astype("datetime64[ns]"), (year + np.timedelta64(1, "Y")).astype("datetime64[ns]")
    return np.minimum(((times - begin) / (end - begin) * bins).astype(np.int64), bins - 1)


def _by_bin(shares: Array, bins: NDArray, number: int) -> Array:
    """Sums (region, bin) of shares (time, region)."""
    return np.stack([np.bincount(bins, weights=column, minlength=number) for column in shares.T])


def _part_of(wind: SolarWind, part: slice) -> SolarWind:
    """Wind of a part of the times, where it is a series."""
    values = {name: getattr(wind, name) for name in ("pressure", "bz", "mach", "pressure_spread", "bz_spread", "mach_spread")}
    return SolarWind(speed=wind.speed, **{name: value[part] if np.ndim(value) else value for name, value in values.items()})


def _check(times: NDArray, places: Array, bins: int) -> None:
    if times.ndim != 1 or times.size < 2 or places.shape != (times.size, 3):
        raise DataError(f"time has shape {times.shape}, position {places.shape}; needed: at least two times, and (time, 3)")
    if not (np.diff(times) > np.timedelta64(0, "ns")).all():
        index = int(np.argmin(np.diff(times) > np.timedelta64(0, "ns")))
        raise DataError(f"times do not grow: {times[index]} is followed by {times[index + 1]}; sort them")
    radius = np.linalg.norm(places, axis=-1)
    bad = ~(radius >= 0.9 * EARTH_RADIUS) | ~np.isfinite(radius)
    if bad.any():
        index = int(np.argmax(bad))
        raise DataError(
            f"position at {times[index]} is {places[index]} m; it must be finite and outside the Earth: check units (m) and gaps"
        )
    if bins < 1:
        raise SettingsError(f"{bins} parts of the year; give at least 1")


def _dataset(total: Array, wake: Array, species: list[str], settings: dict[str, object]) -> xr.Dataset:
    in_bin = total.sum(axis=0)
    fraction = np.divide(total, in_bin, out=np.full_like(total, np.nan), where=in_bin > 0.0)
    dims = ("region", "year_bin")
    variables: dict[str, tuple] = {
        "residence_hours": (dims, total, {"units": "h", "long_name": "expected time in the region"}),
        "residence_fraction": (
            dims,
            fraction,
            {"units": "1", "long_name": "fraction of the time in the region, NaN without time"},
        ),
        "hours_in_bin": (("year_bin",), in_bin, {"units": "h", "long_name": "time of the orbit in the part of the year"}),
    }
    count = total.shape[1]
    coordinates: dict[str, object] = {
        "region": list(REGIONS),
        "year_bin": ("year_bin", (np.arange(count) + 0.5) / count, {"units": "1", "long_name": "middle of the part of the year"}),
    }
    if species:
        text = {"units": "h", "long_name": "time inside the lunar-ion wake"}
        variables["wake_hours"] = (("species", *dims), wake, text)
        coordinates["species"] = species
    limits = load_table("geospace", "residence_regions")
    sources = boundary_sources() + [
        {
            "what": _LIMITS[str(r["name"])],
            "model": f"{float(r['value']):g} {_UNITS.get(str(r['unit']), r['unit'])}",
            "confidence": str(r["confidence"]),
            "citation": str(r["source"]),
        }
        for _, r in limits.iterrows()
    ]
    attributes = {
        "kind": "siderion residence time", "title": "Time of an orbit in each region", "settings": json.dumps(settings),
        "sources": json.dumps(sources), "siderion_version": version("siderion"),
    }  # fmt: skip
    return xr.Dataset(variables, coords=coordinates, attrs=attributes)
