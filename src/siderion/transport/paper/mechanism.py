"""Statements about how the layers form and about the five flows: section 3 before Figure 7, Figure S3, Figure 8."""

from __future__ import annotations

import numpy as np

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import DataError
from siderion.transport.diagnostics.asymmetry import cell_asymmetry
from siderion.transport.diagnostics.drifts import ion_drifts
from siderion.transport.diagnostics.flows import metal_ion_flows
from siderion.transport.diagnostics.layers import POLAR
from siderion.transport.diagnostics.levels import nearest_level
from siderion.transport.paper.e_region import near_line, premidnight_layer, premidnight_sector
from siderion.transport.paper.evidence import NEAR, Evidence, Field, Mask, ratio
from siderion.transport.paper.statement import Number, Statement, above, at_least, at_most, below, shares
from siderion.transport.paper.velocities import GOVERNED, hourly


def sign_change_distance(evidence: Evidence, t: int, up: Field) -> Field:
    """Distance, degrees, from the nearest place where the vertical velocity at 120 km changes sign between neighbours."""
    change = np.zeros(up.shape, dtype=bool)
    change[:-1] |= up[:-1] * up[1:] < 0.0
    change |= up * np.roll(up, -1, axis=1) < 0.0
    change &= evidence.invariant(120.0) >= POLAR
    rows, columns = np.nonzero(change)
    return evidence.distance(evidence.output.lat.values[rows], evidence.output.lon.values[columns])


def _at_sign_change(evidence: Evidence, m: int, t: int) -> list[Number]:
    distance = sign_change_distance(evidence, t, evidence.velocity("up", 120.0, m))
    return near_line(evidence, t, distance, "share of the layer")


def converging_field(evidence: Evidence, t: int) -> Mask:
    """Where the electric field at 120 km points to the quadrant that makes layers: geomagnetic northwest, in the south southwest.

    Raises
    ------
    DataError
        No drivers were given.
    """
    east, north = evidence.electric_field(t)
    poleward = -north if evidence.output.lat.values[0] < 0 else north
    return (east < 0.0) & (poleward > 0.0)


def northwest_share(evidence: Evidence, t: int) -> float:
    """Share of the area of the pre-midnight layer with a `converging_field`; not a number without a layer."""
    return evidence.part(premidnight_layer(evidence, t), converging_field(evidence, t))


def _northwest_at_layer(evidence: Evidence, m: int, t: int) -> list[Number]:
    by_area = evidence.part(premidnight_sector(evidence, t), converging_field(evidence, t))
    return shares("share of the layer", northwest_share(evidence, t), by_area)


def _northwest_converges(evidence: Evidence, m: int, t: int) -> list[Number]:
    velocity = evidence.output.velocity_up.sel(species=evidence.species).isel(velocity_time=m)
    alt = evidence.output.alt.values
    low, high = (nearest_level(evidence.output, altitude) for altitude in (115.0, 125.0))
    fall = velocity.isel(alt=low).values.astype(float) - velocity.isel(alt=high).values.astype(float)
    rate = fall / (1e3 * (alt[high] - alt[low]))
    cells, northwest = evidence.cells(t), converging_field(evidence, t)
    there, elsewhere = evidence.mean(rate, cells & northwest), evidence.mean(rate, cells & ~northwest)
    return [
        Number("northwest", there * 1e3, "1e-3 s-1", above(0.0)),
        Number("northwest less elsewhere", (there - elsewhere) * 1e3, "1e-3 s-1", above(0.0)),
    ]


def _first_over_second(evidence: Evidence, m: int, t: int, altitude: float, first: str, second: str) -> list[Number]:
    sizes = []
    for term in (first, second):
        parts = [evidence.velocity(way, altitude, m, term) for way in ("east", "north", "up")]
        sizes.append(evidence.strength(np.sqrt(sum(part**2 for part in parts)), evidence.cells(t)))
    label = f"{altitude:.0f} km {first} over {second}".replace("exb", "E x B").replace("pedersen", "Pedersen")
    return [Number(label, ratio(*sizes), "1", above(1.0))]


def _flow_1(evidence: Evidence, m: int, t: int) -> list[Number]:
    day = evidence.cells(t) & evidence.day(t)
    found = [
        evidence.mean(evidence.velocity("up", altitude, m, term), day, evidence.density(t, altitude))
        for altitude, term in ((120.0, "pedersen"), (300.0, "exb"))
    ]
    return [
        Number("Pedersen at 120 km", found[0], "m s-1", above(0.0)),
        Number("E x B at 300 km", found[1], "m s-1", above(0.0)),
    ]


def _flow_2(evidence: Evidence, m: int, t: int) -> list[Number]:
    """Antisunward flux density at the boundary over its mean size in the cells."""
    east, north = evidence.antisunward(t)
    numbers = []
    for altitude in (200.0, 300.0):
        speed = east * evidence.velocity("east", altitude, m) + north * evidence.velocity("north", altitude, m)
        flux = evidence.density(t, altitude) * speed
        there = evidence.boundary_distance(t) <= NEAR
        value = ratio(evidence.mean(flux, there), evidence.mean(np.abs(flux), evidence.cells(t)))
        numbers.append(Number(f"{altitude:.0f} km", value, "1", above(1.0)))
    return numbers


def _turns_over(evidence: Evidence, m: int, t: int) -> list[Number]:
    up, there = evidence.velocity("up", 300.0, m, "exb"), evidence.boundary_distance(t) <= NEAR
    hour_angle = (evidence.local_time(t) - 12.0) * np.pi / 12.0
    sunward = np.cos(np.radians(evidence.magnetic_latitude)) * np.cos(hour_angle)
    return [
        Number("correlation with the distance to the Sun", evidence.correlation(up, sunward, there), "1", at_least(GOVERNED)),
        Number("mean by day", evidence.mean(up, there & evidence.day(t)), "m s-1", above(0.0)),
        Number("mean by night", evidence.mean(up, there & ~evidence.day(t)), "m s-1", below(0.0)),
    ]


def _flow_3(evidence: Evidence, m: int, t: int) -> list[Number]:
    night = evidence.cells(t) & ~evidence.day(t)
    speed = evidence.mean(evidence.velocity("up", 200.0, m), night, evidence.density(t, 200.0))
    return [Number("mean of the ions at 200 km", speed, "m s-1", below(0.0))]


def _flow_4_grows(evidence: Evidence, m: int, t: int) -> list[Number]:
    shares = []
    for altitude in (200.0, 300.0):
        sizes = [
            evidence.strength(
                np.hypot(*(evidence.velocity(way, altitude, m, term) for way in ("east", "north"))), evidence.cells(t)
            )
            for term in ("pedersen", "exb")
        ]
        shares.append(ratio(*sizes))
    return [
        Number("Pedersen over E x B at 200 km", shares[0]),
        Number("at 300 km", shares[1]),
        Number("200 over 300 km", ratio(*shares), "1", above(1.0)),
    ]


def _flow_4_diverges(evidence: Evidence, m: int, t: int) -> list[Number]:
    east, north = (evidence.velocity(way, 200.0, m, "pedersen") for way in ("east", "north"))
    cosine = np.cos(np.radians(evidence.output.lat.values))[:, None]
    radius = EARTH_RADIUS + 200e3
    divergence = (evidence.gradient(east)[0] + evidence.gradient(north * cosine)[1] / cosine) / radius
    return [
        Number("morning", evidence.mean(divergence, evidence.morning(t)) * 1e6, "1e-6 s-1", above(0.0)),
        Number("evening", evidence.mean(divergence, evidence.evening(t)) * 1e6, "1e-6 s-1", below(0.0)),
    ]


def _asymmetry_by_height(evidence: Evidence) -> list[Number]:
    asymmetry = cell_asymmetry(evidence.output, evidence.species)
    alt = asymmetry.alt.values
    content = asymmetry.cell_content.values

    def evening_over_morning(bottom: float, top: float) -> float:
        part = content[:, :, (alt >= bottom) & (alt < top)].sum(axis=-1)
        return float(np.exp(np.log(part[0] / part[1]).mean()))

    lower, middle, upper = (evening_over_morning(*pair) for pair in ((110.0, 150.0), (150.0, 250.0), (250.0, 400.0)))
    return [
        Number("110-150 km", lower, "1", above(1.0)),
        Number("110-150 km over above 250 km", ratio(lower, upper), "1", above(1.0)),
        Number("150-250 km", middle, "1", above(1.0)),
        Number("150-250 km over above 250 km", ratio(middle, upper), "1", above(1.0)),
    ]


def _night_of_evening(evidence: Evidence, m: int, t: int) -> list[Number]:
    column, night = evidence.column(t, 115.0, 250.0), ~evidence.day(t)
    value = ratio(evidence.mean(column, evidence.evening(t) & night), evidence.mean(column, evidence.morning(t) & night))
    return [Number("evening over morning", value, "1", above(1.0))]


def _flow_5(evidence: Evidence, m: int, t: int) -> list[Number]:
    up = evidence.velocity("up", 130.0, m)
    near = evidence.boundary_distance(t) <= NEAR
    # most of what is near the boundary has too small a potential to be in the cell
    night = (evidence.evening(t) | (near & (evidence.potential(t) < 0.0))) & ~evidence.day(t)
    flux = evidence.density(t, 130.0) * np.maximum(-up, 0.0)
    return shares("share of the flux", evidence.part(night, near, flux), evidence.part(night, near))


def _red_line(evidence: Evidence, m: int, t: int) -> list[Number]:
    layer = premidnight_layer(evidence, t)
    distance = evidence.reversal_distance(t)
    if not np.isfinite(distance).all():
        raise DataError("the evening cell has no reversal.")
    value = float(np.median(distance[layer])) if layer.any() else float("nan")
    return [Number("median distance", value, "degrees", at_most(NEAR))]


def _where_pedersen_flows(evidence: Evidence) -> list[Number]:
    if evidence.drivers is None:
        raise DataError("the drivers of the run were not given.")
    _, t, hour = evidence.moments[-1]
    time, cells = evidence.output.time.values[t], evidence.cells(t)
    drifts = ion_drifts(evidence.output, evidence.drivers, time, evidence.species, list(np.arange(100.0, 301.0, 10.0)))
    ratios, correlations = [], []
    for level in range(drifts.sizes["alt"]):
        at = drifts.isel(alt=level)
        north, exb, pedersen = (
            field.values.astype(float)
            for field in (at.velocity_north, *(at.velocity_north_by_term.sel(term=term) for term in ("exb", "pedersen")))
        )
        ratios.append(ratio(evidence.strength(pedersen, cells), evidence.strength(exb, cells)))
        correlations.append(evidence.correlation(north - exb, pedersen, cells))
    rare = np.array(ratios) <= 1.0  # Pedersen over E x B is the collision frequency over the gyrofrequency
    if not rare.any():
        raise DataError("at no level up to 300 km is the E x B drift stronger than the Pedersen drift; is it switched off?")
    alt, driven = drifts.alt.values[rare], np.array(correlations)[rare] >= GOVERNED
    highest = float(alt[driven].max()) if driven.any() else float("nan")
    return [
        Number(f"{hour} gyrations win from", float(alt[0]), "km"),
        Number("correlation there", correlations[int(np.argmax(rare))], "1", at_least(GOVERNED)),
        Number("Pedersen drift rules the flow up to", highest, "km", at_least(150.0)),
    ]


def _five_flows(evidence: Evidence) -> list[Number]:
    if evidence.drivers is None:
        raise DataError("the drivers of the run were not given.")
    numbers = []
    for _, t, hour in evidence.moments:
        flows = metal_ion_flows(evidence.output, evidence.drivers, evidence.output.time.values[t], evidence.species)
        for label, name, drift in (
            ("1 up by day", "flow_upward_day", "total"),
            ("2 antisunward", "flow_antisunward", "total"),
            ("3 down by night", "flow_downward_night", "total"),
            ("4 to the evening cell by Pedersen drift", "flow_morning_to_evening", "pedersen"),
            ("5 into the E region", "flow_into_e_region", "total"),
        ):
            numbers.append(Number(f"{hour} {label}", float(flows[name].sel(drift=drift)), "s-1", above(0.0)))
    return numbers


STATEMENTS = (
    Statement(
        "pedersen_altitudes",
        "3, Figure 5",
        "The Pedersen flow appears in the lower F and upper E region, where collisions are rarer than gyrations.",
        "Where gyrations outnumber collisions: correlation in the cells of the meridional velocity less E x B with "
        "the Pedersen drift, at least 0.7 from there into the F region (150 km).",
        _where_pedersen_flows,
    ),
    Statement(
        "layer_at_sign_change",
        "3, Figures 2 and 6",
        "Before midnight the layers lie near the border between rising and sinking ions.",
        "Share of the layer's area (above 1e11 m-3, 18-24 MLT) within 3 degrees of a change of sign of the vertical "
        "velocity at 120 km; near = at least half, and 1.5 times the share by area.",
        hourly(_at_sign_change),
    ),
    Statement(
        "northwest_field",
        "3, Figure S3",
        "There the electric field points to the geomagnetic northwest.",
        "Share of the layer's area with a field to the northwest quadrant at 120 km (in the south, to the southwest); "
        "generally = at least half, and 1.5 times the share by area.",
        hourly(_northwest_at_layer),
    ),
    Statement(
        "northwest_converges",
        "3, Figure S3",
        "Northwestward fields concentrate ions vertically.",
        "Mean fall of the vertical velocity with height, 115 to 125 km, in the cells: convergence = above 0, and more "
        "than under other fields.",
        hourly(_northwest_converges),
    ),
    Statement(
        "drifts_f_region",
        "4, Figure 8b",
        "The E x B drift dominates in the F region.",
        "Root mean square speed in the cells, over that of the Pedersen drift; dominates = above 1. Their ratio is the "
        "gyrofrequency over the collision frequency.",
        hourly(lambda e, m, t: _first_over_second(e, m, t, 300.0, "exb", "pedersen")),
        follows=True,
    ),
    Statement(
        "drifts_e_region",
        "4, Figure 8b",
        "The Pedersen drift dominates in the E region.",
        "Root mean square speed in the cells at 120 km, over that of the E x B drift; dominates = above 1.",
        hourly(lambda e, m, t: _first_over_second(e, m, t, 120.0, "pedersen", "exb")),
    ),
    Statement(
        "five_flows",
        "4, Figure 8",
        "Five flows: up by day, across the pole, down by night, from the morning to the evening cell, into the E region.",
        "Ions per second through the surfaces of `metal_ion_flows`, net; in the sense of the paper = above 0.",
        _five_flows,
    ),
    Statement(
        "flow_1",
        "4, Figure 8",
        "Flow 1: by day ions rise, by Pedersen drift in the E region and by E x B drift in the F region.",
        "Mean in the cells, 06-18 MLT, weighted with the ions; up = above 0.",
        hourly(_flow_1),
    ),
    Statement(
        "flow_2",
        "4, Figure 8",
        "Flow 2: ions gather in streams at the boundary of the cells and cross the pole to the nightside.",
        "Mean antisunward ion flux density within 3 degrees of the common boundary over the mean size of that flux in the "
        "cells; gather = above 1.",
        hourly(_flow_2),
    ),
    Statement(
        "flow_2_turns_over",
        "4, Figure 8",
        "On that way the vertical E x B drift turns from upward to downward.",
        "Vertical E x B drift at 300 km within 3 degrees of the common boundary, against the distance towards the Sun: "
        "correlation at least 0.7, above 0 by day, below 0 by night. The slope of the field lines gives it.",
        hourly(_turns_over),
        follows=True,
    ),
    Statement(
        "flow_3",
        "4, Figure 8",
        "Flow 3: on the nightside ions descend into the lower F region.",
        "Mean vertical velocity at 200 km in the cells, 18-06 MLT, weighted with the ions; down = below 0.",
        hourly(_flow_3),
    ),
    Statement(
        "flow_4_grows",
        "4, Figure 8",
        "Flow 4: the lower the ions are, the more the horizontal Pedersen drift counts.",
        "Root mean square in the cells, Pedersen over E x B, at 200 over at 300 km; more = above 1. It is the ratio of the "
        "collision frequencies.",
        hourly(_flow_4_grows),
        follows=True,
    ),
    Statement(
        "flow_4_diverges",
        "4, Figure 8",
        "Flow 4: the Pedersen drift diverges in the morning cell and converges in the evening cell.",
        "Mean horizontal divergence at 200 km: above 0 and below 0. The drift follows the field, down the potential.",
        hourly(_flow_4_diverges),
        follows=True,
    ),
    Statement(
        "asymmetry_by_height",
        "4, Figure 8",
        "The evening cell gains on the morning cell above all in the upper E and bottomside F region.",
        "Content, evening over morning, geometric mean over the day: above 1 and above that over 250 km.",
        _asymmetry_by_height,
    ),
    Statement(
        "flow_3_gathers",
        "4, Figure 8",
        "The ions of flow 3 gather on the nightside of the evening cell.",
        "Mean content of 115-250 km, 18-06 MLT, evening over morning cell; gather = above 1.",
        hourly(_night_of_evening),
    ),
    Statement(
        "flow_5",
        "4, Figure 8",
        "Flow 5: ions sink into the E region only near the boundary between the cells.",
        "Share of the downward ion flux through 130 km in the evening cell and up to the common boundary, 18-06 MLT, within 3 "
        "degrees of that boundary; only = at least half, and 1.5 times the share by area.",
        hourly(_flow_5),
    ),
    Statement(
        "red_line",
        "4, Figure 8b",
        "The place where ions gather lies over the convection reversal.",
        "Median distance of the layer (above 1e11 m-3, 18-24 MLT) from the reversal of the evening cell; over it = at "
        "most 3 degrees.",
        hourly(_red_line),
    ),
)
