"""Statements about the velocities and the electric drifts: Figures 4 to 6."""

from __future__ import annotations

from collections.abc import Callable

from siderion.transport.paper.evidence import NEAR, Evidence, Field, Mask, ratio
from siderion.transport.paper.statement import Number, Statement, above, at_least, at_most, below, between, shares

GOVERNED = 0.7
"""Correlation from which one field governs, drives or corresponds to another: half of the variance."""
SLOPE = (0.5, 1.5)
"""Slope of a velocity on the drift that governs it: it has half to one and a half times the size of the drift."""
ELECTRIC = ("exb", "pedersen")


def hourly(measure: Callable[[Evidence, int, int], list[Number]]) -> Callable[[Evidence], list[Number]]:
    """Numbers of both hours; the hour goes before each label."""

    def numbers(evidence: Evidence) -> list[Number]:
        return [
            Number(f"{hour} {number.label}".strip(), number.value, number.units, number.rule)
            for m, t, hour in evidence.moments
            for number in measure(evidence, m, t)
        ]

    return numbers


def residual_meridional(evidence: Evidence, m: int) -> Field:
    """Southward velocity at 200 km less its E x B part, m s-1."""
    return -(evidence.velocity("north", 200.0, m) - evidence.velocity("north", 200.0, m, "exb"))


def up_follows(evidence: Evidence, m: int, t: int, altitude: float, term: str) -> list[Number]:
    """Correlation in the cells of the vertical velocity with one of its terms, share of equal signs, slope on the term."""
    total, part = evidence.velocity("up", altitude, m), evidence.velocity("up", altitude, m, term)
    value = evidence.correlation(total, part, evidence.cells(t))
    same = evidence.part(evidence.cells(t), total * part > 0.0)
    slope = evidence.slope(total, part, evidence.cells(t))
    return [
        Number("correlation", value, "1", at_least(GOVERNED)),
        Number("share of equal sign", same),
        Number("slope", slope),
    ]


def _up_300(evidence: Evidence, m: int, t: int) -> list[Number]:
    slow = [evidence.mean(evidence.velocity("up", 300.0, m, term), evidence.cells(t)) for term in ("gravity", "pressure")]
    correlation, same, slope = up_follows(evidence, m, t, 300.0, "exb")
    return [
        correlation,
        Number("slope on the E x B drift", slope.value, "1", between(*SLOPE)),
        same,
        Number("mean by gravity", slow[0], "m s-1"),
        Number("by pressure", slow[1], "m s-1"),
    ]


def _dense_places_rise(evidence: Evidence, m: int, t: int) -> list[Number]:
    numbers = []
    up = evidence.velocity("up", 300.0, m) > 0.0
    day = evidence.cells(t) & evidence.day(t)
    whole = evidence.part(day, up)
    for altitude in (300.0, 200.0):
        field = evidence.density(t, altitude)
        dense = day & (field > evidence.mean(field, evidence.cells(t)))
        share = evidence.part(dense, up)
        numbers.append(Number(f"{altitude:.0f} km", share, "1", at_least(0.5)))
        numbers.append(Number("over the share of the whole dayside", ratio(share, whole), "1", above(1.0)))
    return [*numbers, Number("share of the whole dayside", whole)]


def _exb_at_200(evidence: Evidence, m: int, t: int) -> list[Number]:
    cells = evidence.cells(t)
    part, total = evidence.velocity("up", 200.0, m, "exb"), evidence.velocity("up", 200.0, m)
    share = ratio(evidence.strength(part, cells), evidence.strength(total, cells))
    return [Number("E x B over total, root mean square", share, "1", at_least(0.5))]


def _by_density(evidence: Evidence, m: int, t: int, where: Mask, sign: float, terms: tuple[str, ...]) -> list[Number]:
    rule = above(0.0) if sign > 0 else below(0.0)
    return [
        Number(
            f"{altitude:.0f} km",
            evidence.mean(evidence.velocity("up", altitude, m, *terms), where, evidence.density(t, altitude)),
            "m s-1",
            rule,
        )
        for altitude in (200.0, 300.0)
    ]


def rises_by_day(evidence: Evidence, m: int, t: int) -> list[Number]:
    """Vertical E x B drift of the ions by day."""
    day = evidence.cells(t) & evidence.day(t)
    total = evidence.mean(evidence.velocity("up", 200.0, m), day, evidence.density(t, 200.0))
    return [*_by_density(evidence, m, t, day, 1.0, ("exb",)), Number("total at 200 km", total, "m s-1")]


def falls_by_night(evidence: Evidence, m: int, t: int) -> list[Number]:
    """Vertical E x B drift and velocity of the ions by night."""
    night = evidence.cells(t) & ~evidence.day(t)
    return [
        *_by_density(evidence, m, t, night, -1.0, ("exb",)),
        *[Number(f"total {n.label}", n.value, n.units, n.rule) for n in _by_density(evidence, m, t, night, -1.0, ())],
    ]


def crosses_the_pole(evidence: Evidence, m: int, t: int) -> list[Number]:
    """Share of the ions at the common boundary that move antisunward."""
    east, north = evidence.antisunward(t)
    numbers = []
    for altitude in (200.0, 300.0):
        speed = east * evidence.velocity("east", altitude, m) + north * evidence.velocity("north", altitude, m)
        there = evidence.boundary_distance(t) <= NEAR
        share = evidence.part(there, speed > 0.0, evidence.density(t, altitude))
        numbers.append(Number(f"{altitude:.0f} km", share, "1", at_least(0.5)))
    mean = evidence.mean(speed, there)
    return [*numbers, Number("mean speed at 300 km", mean, "m s-1")]


def into_cell(evidence: Evidence, t: int, east: Field, north: Field, cell: Mask) -> float:
    """Mean velocity into a cell over its rim (depth below 0.6), m s-1: along growing \\|potential\\|."""
    inward = evidence.depth_gradient(t)
    return evidence.mean(east * inward[0] + north * inward[1], cell & (evidence.depth(t) < 0.6))


def _into_evening(evidence: Evidence, m: int, t: int) -> list[Number]:
    east, north = (evidence.velocity(way, 200.0, m) - evidence.velocity(way, 200.0, m, "exb") for way in ("east", "north"))
    return [
        Number("into the evening cell", into_cell(evidence, t, east, north, evidence.evening(t)), "m s-1", above(0.0)),
        Number("into the morning cell", into_cell(evidence, t, east, north, evidence.morning(t)), "m s-1", below(0.0)),
    ]


def _pedersen_drives(evidence: Evidence, m: int, t: int) -> list[Number]:
    pedersen = -evidence.velocity("north", 200.0, m, "pedersen")
    value = evidence.correlation(residual_meridional(evidence, m), pedersen, evidence.cells(t))
    return [Number("correlation", value, "1", at_least(GOVERNED))]


def _meridional_exb_dominates(evidence: Evidence, m: int, t: int) -> list[Number]:
    cells, numbers = evidence.cells(t), []
    for altitude in (200.0, 300.0):
        parts = [evidence.strength(evidence.velocity("north", altitude, m, term), cells) for term in ELECTRIC]
        numbers.append(Number(f"{altitude:.0f} km E x B over Pedersen", ratio(*parts), "1", above(1.0)))
    return numbers


def _exb_circulates(evidence: Evidence, m: int, t: int) -> list[Number]:
    east, north = (evidence.velocity(way, 200.0, m, "exb") for way in ("east", "north"))
    inward = evidence.depth_gradient(t)
    across = evidence.strength(east * inward[0] + north * inward[1], evidence.cells(t))
    along = evidence.strength(east * inward[1] - north * inward[0], evidence.cells(t))
    return [Number("across over along the equipotentials", ratio(across, along), "1", at_most(0.1))]


def _signs_at_120(evidence: Evidence, m: int, t: int) -> list[Number]:
    up = evidence.velocity("up", 120.0, m)
    numbers = []
    for name, cell, sign in (("morning", evidence.morning(t), 1.0), ("evening", evidence.evening(t), -1.0)):
        inside = evidence.inside_reversal(t, name)
        word, other = ("up", "down") if sign > 0 else ("down", "up")
        numbers.append(Number(f"{name} near, {word}", evidence.part(cell & inside, sign * up > 0.0), "1", at_least(0.5)))
        numbers.append(Number(f"elsewhere, {other}", evidence.part(cell & ~inside, sign * up < 0.0), "1", at_least(0.5)))
    return numbers


def _more_up_in_evening(evidence: Evidence, m: int, t: int) -> list[Number]:
    up = evidence.velocity("up", 120.0, m) > 0.0
    value = evidence.part(evidence.evening(t), up) - evidence.part(evidence.morning(t), up)
    return [Number("evening less morning share", value, "1", above(0.0))]


def _stagnates_above(evidence: Evidence, m: int, t: int) -> list[Number]:
    shares = []
    for cell in (evidence.evening(t), evidence.morning(t)):
        high, all_of_it = (evidence.mean(evidence.column(t, bottom, 200.0), cell) for bottom in (120.0, 100.0))
        shares.append(ratio(high, all_of_it))
    return [
        Number("evening over morning", ratio(*shares), "1", above(1.0)),
        Number("evening", shares[0]),
        Number("morning", shares[1]),
    ]


def _descends_in_a_limited_region(evidence: Evidence, m: int, t: int) -> list[Number]:
    up = evidence.velocity("up", 120.0, m)
    evening = evidence.evening(t)
    flux = evidence.density(t, 120.0) * (up < 0.0) * -up
    region = evidence.before_midnight(t) & evidence.inside_reversal(t, "evening")
    return shares("share of the downward flux", evidence.part(evening, region, flux), evidence.part(evening, region))


def _night_ions_where_down(evidence: Evidence, m: int, t: int) -> list[Number]:
    field, up, night = evidence.layer_density(t), evidence.velocity("up", 120.0, m), evidence.cells(t) & ~evidence.day(t)
    value = ratio(evidence.mean(field, night & (up < 0.0)), evidence.mean(field, night & (up > 0.0)))
    return [Number("down over up", value, "1", above(1.0))]


def _pedersen_brings_down(evidence: Evidence, m: int, t: int) -> list[Number]:
    up, part = evidence.velocity("up", 120.0, m), evidence.velocity("up", 120.0, m, "pedersen")
    down = evidence.cells(t) & ~evidence.day(t) & (up < 0.0)
    weights = (("of the mean descent by area", None), ("weighted with the ions", evidence.density(t, 120.0)))
    return [
        Number(label, ratio(evidence.mean(part, down, share), evidence.mean(up, down, share)), "1", at_least(0.5))
        for label, share in weights
    ]


def _not_in_the_morning(evidence: Evidence, m: int, t: int) -> list[Number]:
    field, down = evidence.layer_density(t), evidence.velocity("up", 120.0, m) < 0.0
    value = ratio(evidence.mean(field, evidence.morning(t) & down), evidence.mean(field, evidence.evening(t) & down))
    return [Number("morning over evening", value, "1", at_most(0.5))]


STATEMENTS = (
    Statement(
        "exb_governs_300",
        "3, Figure 4",
        "The vertical E x B drift governs the vertical ion velocity at 300 km.",
        "Correlation in the cells and slope of the velocity on the drift; governs = at least 0.7, half of the variance, and 0.5 "
        "to 1.5. Near its top, 310 km unless the run has another, the grid holds the ions back.",
        hourly(_up_300),
    ),
    Statement(
        "dense_places_rise",
        "3, Figure 4",
        "The dense places of the dayside, at 200 and 300 km, lie where ions rise at 300 km.",
        "Share of the area denser than the mean of the cells, 06-18 MLT, where the vertical velocity at 300 km is upward; "
        "lie there = at least half, and more than of the whole dayside.",
        hourly(_dense_places_rise),
    ),
    Statement(
        "exb_lifts_at_200",
        "3, Figure 4",
        "The E x B drift moves ions vertically at 200 km too.",
        "Root mean square in the cells; a main part = at least half of the total.",
        hourly(_exb_at_200),
    ),
    Statement(
        "rises_by_day",
        "3, Figure 4",
        "By day the E x B drift lifts the ions into the F region.",
        "Mean vertical E x B drift in the cells, 06-18 MLT, weighted with the ions; up = above 0.",
        hourly(rises_by_day),
    ),
    Statement(
        "crosses_the_pole",
        "3, Figure 4",
        "The risen ions move from day to night along the boundary of the cells.",
        "Share of the ions within 3 degrees of the common boundary that move antisunward; so = at least half. The potential "
        "defines the boundary, and along it the E x B drift is antisunward.",
        hourly(crosses_the_pole),
        follows=True,
    ),
    Statement(
        "falls_by_night",
        "3, Figure 4",
        "By night they descend with the downward E x B drift.",
        "Mean vertical E x B drift and total velocity in the cells, 18-06 MLT, weighted with the ions; down = below 0.",
        hourly(falls_by_night),
    ),
    Statement(
        "into_evening_cell",
        "3, Figure 5",
        "Without its E x B part the flow at 200 km goes into the evening cell and out of the morning cell.",
        "Mean horizontal velocity less E x B, over the rims (30 to 60 % of the extremum), towards the extremum.",
        hourly(_into_evening),
    ),
    Statement(
        "pedersen_drives_200",
        "3, Figure 5",
        "The meridional Pedersen drift drives this flow.",
        "Correlation in the cells of the meridional velocity less E x B with the Pedersen drift, 200 km; drives = at least 0.7.",
        hourly(_pedersen_drives),
    ),
    Statement(
        "meridional_exb_dominates",
        "3, Figure 5",
        "The meridional E x B drift dominates in the F region.",
        "Root mean square in the cells, over that of the Pedersen drift; dominates = above 1. Their ratio is the gyrofrequency "
        "over the collision frequency.",
        hourly(_meridional_exb_dominates),
        follows=True,
    ),
    Statement(
        "exb_circulates",
        "3, Figure 5",
        "The E x B drift only circulates the ions within each cell.",
        "Horizontal E x B drift at 200 km across over along the equipotentials at 110 km; only = at most 0.1.",
        hourly(_exb_circulates),
        follows=True,
    ),
    Statement(
        "pedersen_governs_120",
        "3, Figure 6",
        "The vertical velocity at 120 km corresponds to the vertical Pedersen drift.",
        "Correlation in the cells; corresponds = at least 0.7.",
        hourly(lambda e, m, t: up_follows(e, m, t, 120.0, "pedersen")),
    ),
    Statement(
        "signs_at_120",
        "3, Figure 6",
        "At 120 km ions rise in the morning cell and sink in the evening cell near the common boundary; the reverse elsewhere.",
        "Share of the area with that sign; near = poleward of the cell's reversal; so = at least half.",
        hourly(_signs_at_120),
    ),
    Statement(
        "more_up_in_evening",
        "3, Figure 6",
        "Upward velocity at 120 km is more common in the evening cell.",
        "Share of the area of the evening cell with upward velocity less that of the morning cell; more = above 0.",
        hourly(_more_up_in_evening),
    ),
    Statement(
        "stagnates_above_120",
        "3, Figure 6",
        "Ions stay above 120 km in the evening cell but not in the morning cell.",
        "Content of 120-200 km over that of 100-200 km, evening over morning cell; so = above 1.",
        hourly(_stagnates_above),
    ),
    Statement(
        "limited_descent",
        "3, Figure 6",
        "In the evening cell ions descend below 120 km only near the boundary before midnight.",
        "Share of the downward ion flux through 120 km in the evening cell that falls at 18-24 MLT poleward of the "
        "reversal; only there = at least half, and 1.5 times the share by area.",
        hourly(_descends_in_a_limited_region),
    ),
    Statement(
        "night_ions_where_down",
        "3, Figure 6",
        "By night the E-region density grows where the velocity is downward.",
        "Mean layer density in the cells, 18-06 MLT, where the velocity at 120 km is downward over where it is upward; "
        "grows = above 1.",
        hourly(_night_ions_where_down),
    ),
    Statement(
        "pedersen_brings_down",
        "3, Figure 6",
        "The downward Pedersen drift is the key to the E-region distribution.",
        "Part of the mean velocity that is Pedersen drift, where the cells sink at 120 km by night; key = at least half. "
        "Negative: it lifts the ions there.",
        hourly(_pedersen_brings_down),
    ),
    Statement(
        "not_in_the_morning",
        "3, Figure 6",
        "Ions do not gather where the morning cell's velocity is downward.",
        "Mean layer density over the area of downward velocity at 120 km, morning over evening; not = at most half.",
        hourly(_not_in_the_morning),
    ),
)
