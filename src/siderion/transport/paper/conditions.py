"""Statements about the day: solar wind, magnetic activity, two-cell convection, winds."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from siderion.core.errors import DataError
from siderion.transport.diagnostics.cells import separate_cells
from siderion.transport.paper.evidence import Evidence
from siderion.transport.paper.statement import Number, Statement, at_least, at_most, below


def series_of_day(evidence: Evidence, name: str) -> NDArray[np.float64]:
    """A driver's values within the output times, the last one left out: it belongs to the next day.

    Raises
    ------
    DataError
        The attributes of the output do not hold it.
    """
    series = json.loads(evidence.output.attrs.get("drivers", "{}")).get(name)
    if series is None:
        raise DataError(f"the attributes of the output hold no series of {name}.")
    times = np.array(series["time"], dtype="datetime64[ns]")
    first, last = evidence.output.time.values[[0, -1]]
    return np.array(series["values"])[(times >= first) & (times < last)]


def _activity(evidence: Evidence) -> list[Number]:
    return [Number("largest Kp", float(series_of_day(evidence, "kp").max()), "1", below(evidence.limits["kp_limit"]))]


def _bz(evidence: Evidence) -> list[Number]:
    bz = series_of_day(evidence, "imf_bz_gsm")
    share = float(np.mean(np.abs(bz) <= evidence.limits["bz_limit"]))
    return [Number("share of the day", share, "1", at_least(0.9)), Number("largest |Bz|", float(np.abs(bz).max()), "nT")]


def _two_cells(evidence: Evidence) -> list[Number]:
    counts = [separate_cells(evidence.potential(t)) for t in evidence.times]
    share = float(np.mean([count == {"evening": 1, "morning": 1} for count in counts]))
    return [Number("share of the output times", share, "1", at_least(evidence.limits["two_cell_share"]))]


def _drift_by_hour(evidence: Evidence) -> list[Number]:
    if len(evidence.moments) < 2:
        raise DataError("the output has velocities at one time only.")
    speeds = []
    for m, t, _ in evidence.moments:
        east, north = (evidence.velocity(way, 300.0, m, "exb") for way in ("east", "north"))
        speeds.append(evidence.mean(np.hypot(east, north), evidence.cells(t)))
    numbers = [Number(f"at {hour}", speed, "m s-1") for (_, _, hour), speed in zip(evidence.moments, speeds, strict=True)]
    return [Number("later over earlier", speeds[-1] / speeds[0], "1", at_least(1.0)), *numbers]


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


def _other_days(evidence: Evidence) -> list[Number]:
    """Correlation of each member's map of log density with the mean of the others."""
    if evidence.ensemble is None:
        raise DataError("one day only; give an ensemble.")
    density = evidence.ensemble["mean_number_density"].sel(species=evidence.species).transpose("member", ...).values
    logs = np.log10(np.maximum(density, 1e-30)).reshape(len(density), -1)
    logs = logs[:, np.isfinite(logs).all(axis=0)]
    if len(logs) < 2:
        raise DataError("the ensemble has one member only.")
    found = [np.corrcoef(one, np.delete(logs, n, axis=0).mean(axis=0))[0, 1] for n, one in enumerate(logs)]
    return [Number("smallest correlation", float(min(found)), "1", at_least(0.7)), Number("members", float(len(logs)))]


STATEMENTS = (
    Statement(
        "other_days",
        "3, paragraph 1",
        "The ions are distributed in the same way on the other days of two-cell convection.",
        "Maps of log density in magnetic local time and invariant latitude: every day against the mean "
        "of the others; similar = correlation at least 0.7.",
        _other_days,
    ),
    Statement("kp", "3, paragraph 1", "The days are magnetically quiet, Kp below 3.", "This day only.", _activity),
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
        "Mean horizontal E x B speed in the cells at 300 km.",
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
