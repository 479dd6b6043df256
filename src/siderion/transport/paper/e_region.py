"""Statements about the layers of the upper E region: Figure 2, 120 km."""

from __future__ import annotations

import numpy as np

from siderion.core.errors import CoverageError
from siderion.transport.diagnostics.layers import POLAR, latitude_width, polar_layers
from siderion.transport.paper.evidence import NEAR, Evidence, Field, Mask, ratio
from siderion.transport.paper.statement import Number, Statement, above, at_least, at_most, below, shares


def polar_layer(evidence: Evidence, t: int) -> Mask:
    """Columns poleward of `POLAR` with more than 1e11 m-3 between 115 and 125 km."""
    return polar_layers(evidence.output, t, evidence.limits["layer_density"], evidence.species)


def premidnight_layer(evidence: Evidence, t: int) -> Mask:
    """`polar_layer` at 18 to 24 MLT."""
    return polar_layer(evidence, t) & evidence.before_midnight(t)


def premidnight_sector(evidence: Evidence, t: int) -> Mask:
    """Poleward of `POLAR` at 18 to 24 MLT: where `premidnight_layer` may be."""
    return (evidence.invariant(120.0) >= POLAR) & evidence.before_midnight(t)


def latitude_band(evidence: Evidence) -> Mask:
    """70 to 80 degrees of geographic latitude."""
    return (evidence.latitude >= evidence.limits["layer_latitude_low"]) & (
        evidence.latitude <= evidence.limits["layer_latitude_high"]
    )


def _night_over_day(evidence: Evidence) -> list[Number]:
    numbers = []
    for _, t, hour in evidence.moments:
        field, cells, day = evidence.layer_density(t), evidence.cells(t), evidence.day(t)
        value = ratio(evidence.mean(field, cells & ~day), evidence.mean(field, cells & day))
        numbers.append(Number(hour, value, "1", above(1.0)))
    return numbers


def _before_over_after_midnight(evidence: Evidence) -> list[Number]:
    numbers = []
    for _, t, hour in evidence.moments:
        field, night, before = evidence.layer_density(t), evidence.cells(t) & ~evidence.day(t), evidence.before_midnight(t)
        value = ratio(evidence.mean(field, night & before), evidence.mean(field, night & ~before))
        numbers.append(Number(hour, value, "1", above(1.0)))
    return numbers


def _below_f_region_gaps(evidence: Evidence) -> list[Number]:
    numbers = []
    for _, t, hour in evidence.moments:
        night = evidence.cells(t) & ~evidence.day(t)
        for altitude in (300.0, 200.0):
            field = evidence.density(t, altitude)
            empty = field < evidence.median(field, night)
            share = evidence.part(polar_layer(evidence, t), empty)
            numbers.append(Number(f"{hour} {altitude:.0f} km share of the layer", share, "1", at_least(0.5)))
            numbers.append(Number("by area alone", evidence.part(evidence.invariant(120.0) >= POLAR, empty)))
    return numbers


def near_line(evidence: Evidence, t: int, distance: Field, label: str) -> list[Number]:
    """Share of the area of the pre-midnight layer that lies at a line, against the share of the whole sector that does."""
    near = distance <= NEAR
    return shares(
        label, evidence.part(premidnight_layer(evidence, t), near), evidence.part(premidnight_sector(evidence, t), near)
    )


def _at_reversal(evidence: Evidence) -> list[Number]:
    return [
        number
        for _, t, hour in evidence.moments
        for number in near_line(evidence, t, evidence.reversal_distance(t), f"{hour} share of the layer")
    ]


def _reversal_latitude(evidence: Evidence) -> list[Number]:
    numbers = []
    low, high = evidence.limits["layer_latitude_low"], evidence.limits["layer_latitude_high"]
    for _, t, hour in evidence.moments:
        line = evidence.pattern(t).sel(cell="evening")
        latitude = np.abs(line.reversal_lat.values[line.magnetic_local_time.values >= 18.0])
        latitude = latitude[np.isfinite(latitude)]
        share = float(np.mean((latitude >= low) & (latitude <= high))) if len(latitude) else float("nan")
        numbers.append(Number(f"{hour} share of the line", share, "1", at_least(0.5)))
        if len(latitude):
            numbers += [Number("from", float(latitude.min()), "degrees"), Number("to", float(latitude.max()), "degrees")]
    return numbers


def _accumulates(evidence: Evidence) -> list[Number]:
    numbers = []
    for _, t, hour in evidence.moments:
        field = evidence.layer_density(t)
        sector, band = premidnight_sector(evidence, t), latitude_band(evidence)
        value = ratio(evidence.mean(field, sector & band), evidence.mean(field, sector & ~band))
        numbers.append(Number(f"{hour} inside over outside the band", value, "1", above(1.0)))
        if (sector & band).any():
            numbers.append(Number("largest there", float(field[sector & band].max()), "m-3"))
    return numbers


def largest_premidnight(evidence: Evidence) -> tuple[int, int, int, float]:
    """Time, row, column and value of the largest layer density at 70 to 80 degrees before midnight."""
    best = (-1, -1, -1, 0.0)
    for t in evidence.times:
        field = np.where(evidence.before_midnight(t) & latitude_band(evidence), evidence.layer_density(t), 0.0)
        j, i = (int(n) for n in np.unravel_index(int(np.argmax(field)), field.shape))
        if field[j, i] > best[3]:
            best = (t, j, i, float(field[j, i]))
    return best


def _exceeds(evidence: Evidence) -> list[Number]:
    limit = above(evidence.limits["layer_density"])
    numbers = []
    for _, t, hour in evidence.moments:
        sector = evidence.before_midnight(t) & latitude_band(evidence)
        value = float(evidence.layer_density(t)[sector].max()) if sector.any() else float("nan")
        numbers.append(Number(hour, value, "m-3", limit))
    t, j, i, value = largest_premidnight(evidence)
    numbers.append(Number("largest of the day", value, "m-3"))
    if t >= 0:
        numbers.append(
            Number(f"{str(evidence.output.time.values[t])[11:13]} UT at MLT", float(evidence.local_time(t)[j, i]), "h")
        )
    share = float(np.mean([premidnight_layer(evidence, t).any() for t in evidence.times]))
    return [*numbers, Number("share of the output times with such a layer at any latitude", share)]


def widths(evidence: Evidence, t: int) -> Field:
    """Width in latitude, degrees, of the pre-midnight layer on its ridge."""
    width = latitude_width(evidence.layer_density(t), evidence.output.lat.values)
    there = premidnight_layer(evidence, t) & np.isfinite(width)
    return width[there]


def _width(evidence: Evidence) -> list[Number]:
    numbers = []
    for _, t, hour in evidence.moments:
        found = widths(evidence, t)
        limit = at_most(evidence.limits["layer_width"])
        if not len(found):
            numbers.append(Number(f"{hour} median", float("nan"), "degrees", limit))
            continue
        low, median, high = np.percentile(found, [10, 50, 90])
        numbers.append(Number(f"{hour} median", float(median), "degrees", limit))
        numbers += [Number("10 % below", float(low), "degrees"), Number("90 % below", float(high), "degrees")]
    step = abs(float(evidence.output.lat.values[1] - evidence.output.lat.values[0]))
    return [*numbers, Number("cell of the output", step, "degrees")]


def _morning_is_low(evidence: Evidence) -> list[Number]:
    numbers = []
    for _, t, hour in evidence.moments:
        field = evidence.layer_density(t)
        value = ratio(evidence.mean(field, evidence.morning(t)), evidence.mean(field, evidence.evening(t)))
        numbers.append(Number(hour, value, "1", below(1.0)))
    return numbers


def _morning_low_latitudes(evidence: Evidence) -> list[Number]:
    numbers = []
    for _, t, hour in evidence.moments:
        field, cell = evidence.layer_density(t), evidence.morning(t)
        low = evidence.invariant(120.0) < np.median(evidence.invariant(120.0)[cell])
        value = ratio(evidence.mean(field, cell & low), evidence.mean(field, cell & ~low))
        numbers.append(Number(hour, value, "1", below(1.0)))
    return numbers


def _sondrestrom(evidence: Evidence) -> list[Number]:
    lat, lon = evidence.limits["sondrestrom_lat"], evidence.limits["sondrestrom_lon"]
    if evidence.output.lat.values[0] < 0:
        raise CoverageError("Sondrestrom lies in the north, the output in the south.")
    j = int(np.argmin(np.abs(evidence.output.lat.values - lat)))
    i = int(np.argmin(np.abs(evidence.output.lon.values - lon)))
    density = np.array([evidence.layer_density(t)[j, i] for t in evidence.times])
    clock = np.array([evidence.local_time(t)[j, i] for t in evidence.times])
    before, other = density[clock >= 18.0], density[clock < 18.0]
    value = ratio(float(before.mean()), float(other.mean())) if len(before) and len(other) else float("nan")
    return [
        Number("before midnight over the rest of the day", value, "1", above(1.0)),
        Number("largest", float(density.max()), "m-3"),
        Number("at MLT", float(clock[np.argmax(density)]), "h"),
    ]


STATEMENTS = (
    Statement(
        "e_night",
        "3, Figure 2",
        "In the E region the ions gather on the nightside of the cells.",
        "Mean layer density in the cells, 18-06 over 06-18 MLT; more = above 1.",
        _night_over_day,
    ),
    Statement(
        "e_before_midnight",
        "3, Figure 2",
        "They do so above all before midnight.",
        "Mean layer density in the cells, 18-24 over 00-06 MLT; more = above 1.",
        _before_over_after_midnight,
    ),
    Statement(
        "e_below_gaps",
        "3, Figure 2",
        "Layers above 1e11 m-3 lie near where the F region is depleted.",
        "Share of the area of the layer (poleward of 60 degrees invariant latitude) with less above it than the median by area "
        "of the night part of the cells; so = at least half.",
        _below_f_region_gaps,
    ),
    Statement(
        "e_exceeds",
        "3, Figure 2",
        "Before midnight the density exceeds 1e11 m-3 at 70-80 N.",
        "Largest layer density at 70-80 degrees, 18-24 MLT; exceeds = above 1e11 m-3.",
        _exceeds,
    ),
    Statement(
        "e_at_reversal",
        "3, Figure 2",
        "Before midnight, ions above 1e11 m-3 gather at the convection reversal.",
        "Share of the layer's area (18-24 MLT, poleward of 60 degrees invariant latitude) within 3 degrees of the "
        "reversal of the evening cell; at it = at least half, and 1.5 times the share by area.",
        _at_reversal,
    ),
    Statement(
        "reversal_latitude",
        "3, Figure 2",
        "Before midnight the reversal lies at 70-80 N.",
        "Share of the reversal of the evening cell, 18-24 MLT, at those geographic latitudes; there = at least half.",
        _reversal_latitude,
    ),
    Statement(
        "e_latitudes",
        "3, Figure 2",
        "Ions therefore gather at 70-80 N before midnight.",
        "Mean layer density at 70-80 degrees over that elsewhere poleward of 60 degrees invariant latitude, 18-24 MLT; "
        "more = above 1.",
        _accumulates,
    ),
    Statement(
        "e_morning_low",
        "3, Figure 2",
        "The density is low in the morning cell.",
        "Mean layer density, morning over evening cell; low = below 1.",
        _morning_is_low,
    ),
    Statement(
        "e_morning_low_latitudes",
        "3, Figure 2",
        "It is lowest at the lower latitudes of the morning cell.",
        "Mean layer density in the morning cell, below over above its median invariant latitude; lower = below 1.",
        _morning_low_latitudes,
    ),
    Statement(
        "e_width",
        "3, Figure 2",
        "The concentrations are at most 2 degrees wide in latitude.",
        "Full width at half maximum of the layer density along the meridian, on the ridges above 1e11 m-3, 18-24 MLT. A ridge "
        "one cell wide shows as one cell: the true width may be smaller.",
        _width,
    ),
    Statement(
        "e_sondrestrom",
        "3, Figure 2",
        "Layers over Sondrestrom form before midnight, as its ionosonde found.",
        "Layer density in the column of Sondrestrom, 18-24 MLT over the other hours of this one day; more = above 1.",
        _sondrestrom,
    ),
)
