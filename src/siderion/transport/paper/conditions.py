"""Statements about the day: solar wind, magnetic activity, two-cell convection, winds."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.background.conditions import Conditions
from siderion.core.errors import DataError
from siderion.transport.diagnostics.cells import separate_cells
from siderion.transport.diagnostics.layers import POLAR
from siderion.transport.paper.evidence import Evidence, correlation, ratio
from siderion.transport.paper.statement import Number, Statement, above, at_least, at_most, below
from siderion.transport.settings import DENSITY_FLOOR, RunSettings


def series_of_day(evidence: Evidence, name: str) -> NDArray[np.float64]:
    """A driver's values on the analysed day, as far as the output reaches; 24 UT is left out: it belongs to the next day.

    Raises
    ------
    DataError
        The attributes of the output do not hold it, or not on that day.
    """
    series = json.loads(evidence.output.attrs.get("drivers", "{}")).get(name)
    if series is None:
        raise DataError(f"the attributes of the output hold no series of {name}.")
    times = np.array(series["time"], dtype="datetime64[ns]")
    day = evidence.output.time.values[evidence.times]
    last = min(day[0] + np.timedelta64(1, "D"), evidence.output.time.values.max())
    chosen = ((times >= day[0]) & (times < last)) | (times == day[0])
    values = np.array(series["values"], dtype=float)[chosen]
    if not len(values) or not np.isfinite(values).all():
        raise DataError(f"the series of {name} does not cover {str(day[0])[:16]} to {str(last)[:16]}.")
    return values


def _bz(evidence: Evidence) -> list[Number]:
    bz = series_of_day(evidence, "imf_bz_gsm")
    share = float(np.mean(np.abs(bz) <= evidence.limits["bz_limit"]))
    return [Number("share of the day", share, "1", at_least(0.9)), Number("largest |Bz|", float(np.abs(bz).max()), "nT")]


def _two_cells(evidence: Evidence) -> list[Number]:
    counts = [separate_cells(evidence.potential(t)) for t in evidence.times]
    share = float(np.mean([count == {"evening": 1, "morning": 1} for count in counts]))
    return [Number("share of the output times", share, "1", at_least(evidence.limits["two_cell_share"]))]


def _drift_by_hour(evidence: Evidence) -> list[Number]:
    moments = [evidence.moment_at(hour) for hour in (6, 18)]
    speeds = []
    for m, t, _ in moments:
        east, north = (evidence.velocity(way, 300.0, m, "exb") for way in ("east", "north"))
        speeds.append(evidence.mean(np.hypot(east, north), evidence.cells(t)))
    numbers = [Number(f"at {hour}", speed, "m s-1") for (_, _, hour), speed in zip(moments, speeds, strict=True)]
    return [Number("18 over 06 UT", ratio(speeds[1], speeds[0]), "1", above(1.0)), *numbers]


def largest_wind(evidence: Evidence) -> float:
    """Largest horizontal wind speed poleward of 60 degrees, m s-1."""
    rows = np.flatnonzero(np.abs(evidence.output.lat.values) >= 60.0)
    speeds = []
    for t in evidence.times:
        wind = [evidence.output[f"neutral_wind_{way}"].isel(time=t, lat=rows).values for way in ("east", "north")]
        speeds.append(float(np.hypot(*wind).max()))
    return max(speeds)


def _winds(evidence: Evidence) -> list[Number]:
    speed, limits = largest_wind(evidence), evidence.limits
    return [
        Number("largest speed", speed, "m s-1", at_least(limits["wind_low"])),
        Number("the same, as an upper end", speed, "m s-1", at_most(limits["wind_high"])),
    ]


def similar_settings(evidence: Evidence) -> dict[str, dict[str, Any]]:
    """Settings of the members of the ensemble, by name: the same but for the date.

    Raises
    ------
    DataError
        No ensemble was given, it has one member, or its members differ in more than the date.
    """
    if evidence.ensemble is None:
        raise DataError("one day only; give an ensemble.")
    facts = json.loads(evidence.ensemble.attrs.get("members", "{}"))
    settings = {name: fact["settings"] for name, fact in facts.items()}
    if len(settings) < 2:
        raise DataError("the ensemble has fewer than two members; other days are needed.")
    first = next(iter(settings.values()))
    for name, one in settings.items():
        other = sorted(key for key in {*first, *one} - {"date"} if first.get(key) != one.get(key))
        if other:
            raise DataError(f"member {name} of the ensemble differs in {', '.join(other)}; members must differ in date only.")
    if len({one["date"] for one in settings.values()}) < len(settings):
        raise DataError("members of the ensemble have the same date; other days are needed.")
    return settings


def map_correlations(ensemble: xr.Dataset, species: str, altitude: float) -> list[float]:
    """Correlation by area of every member's map of log density with the mean of the other maps, at one altitude, km.

    Only poleward of `POLAR`; densities below `DENSITY_FLOOR`, the floor of the model, count as this.
    """
    maps = ensemble["mean_number_density"].sel(species=species, alt=altitude)
    maps = maps.transpose("member", "invariant_latitude", "magnetic_local_time")
    logs = np.log10(np.maximum(maps.values.astype(float), DENSITY_FLOOR))
    latitude = maps.invariant_latitude.values
    weight = np.broadcast_to(np.cos(np.radians(latitude))[:, None], logs.shape[1:])
    there = np.isfinite(logs).all(axis=0) & (latitude >= POLAR)[:, None]
    weight, logs = weight[there], logs[:, there]
    return [correlation(one, np.delete(logs, n, axis=0).mean(axis=0), weight) for n, one in enumerate(logs)]


def _other_days(evidence: Evidence) -> list[Number]:
    members = similar_settings(evidence)
    assert evidence.ensemble is not None
    numbers = []
    for altitude in (120.0, 200.0, 300.0):
        found = map_correlations(evidence.ensemble, evidence.species, altitude)
        numbers.append(Number(f"{altitude:.0f} km smallest correlation", float(np.min(found)), "1", at_least(0.7)))
        numbers.append(Number("mean", float(np.mean(found))))
    return [*numbers, Number("members", float(len(members)))]


def kp_of_day(settings: dict[str, Any]) -> float:
    """Largest Kp of the day of a run."""
    given = RunSettings.model_validate(settings)
    hours = np.datetime64(given.date, "ns") + np.arange(0, 24, 3) * np.timedelta64(1, "h")
    return float(Conditions.load(given.drivers).kp(hours).max())


def _activity(evidence: Evidence) -> list[Number]:
    limit = below(evidence.limits["kp_limit"])
    numbers = [Number("largest Kp", float(series_of_day(evidence, "kp").max()), "1", limit)]
    if evidence.ensemble is None:
        return numbers
    days = [kp_of_day(settings) for settings in similar_settings(evidence).values()]
    return [*numbers, Number(f"largest of the {len(days)} days", max(days), "1", limit)]


STATEMENTS = (
    Statement(
        "other_days",
        "3, paragraph 1",
        "The ions are distributed in the same way on the other days of two-cell convection.",
        "Maps of log density (floor 1e4 m-3) in magnetic local time and invariant latitude, poleward of 60 degrees, at 120, 200 "
        "and 300 km: every day against the mean of the others, by area; the same = smallest correlation at least 0.7.",
        _other_days,
    ),
    Statement(
        "kp",
        "3, paragraph 1",
        "The days are magnetically quiet, Kp below 3.",
        "Largest value of this day, and of all days of the ensemble where one is given.",
        _activity,
    ),
    Statement(
        "two_cells",
        "3, paragraph 1",
        "Two-cell convection prevails all day.",
        "Times with exactly one region of each sign above 30 % of the largest |potential|; throughout = at least 80 %, the share "
        "by which the paper picks its days.",
        _two_cells,
    ),
    Statement(
        "bz_size",
        "3, Figure 1",
        "|Bz| stays roughly within 5 nT.",
        "Values of the day, from the run's hourly solar wind made 10-minutely; roughly = at least 90 % of the day.",
        _bz,
    ),
    Statement(
        "drift_by_hour",
        "3, Figure 3",
        "The horizontal E x B drift is stronger at 18 UT than at 06 UT.",
        "Mean horizontal E x B speed in the cells at 300 km; stronger = above 1.",
        _drift_by_hour,
    ),
    Statement(
        "winds",
        "3, Figure 7",
        "Winds reach 300 to 400 m/s at times.",
        "Largest speed poleward of 60 degrees, any altitude and time: it should reach 300 and not pass 400.",
        _winds,
    ),
    Statement(
        "winds_need_drag",
        "3, Figure 7",
        "Such winds cannot be explained without ion drag.",
        "One run has one wind; compare with a run whose wind has no ion drag.",
    ),
)
