"""Statements about the distribution of the ions in the F region: Figure 2, 300 and 200 km."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from siderion.transport.paper.evidence import Evidence, Field, geometric_mean, ratio
from siderion.transport.paper.statement import Number, Rule, Statement, above, at_most, below, shares

ALTITUDES = (300.0, 200.0)
LOWEST = 55.0
"""Invariant latitude, degrees, from which structure is counted."""


def by_hour_and_altitude(
    measure: Callable[[Evidence, int, Field], float], rule: Rule, altitudes: tuple[float, ...] = ALTITUDES
) -> Callable[[Evidence], list[Number]]:
    """Numbers of one measure of a density field, at both hours and all altitudes."""

    def numbers(evidence: Evidence) -> list[Number]:
        return [
            Number(f"{hour} {altitude:.0f} km", measure(evidence, t, evidence.density(t, altitude)), "1", rule)
            for _, t, hour in evidence.moments
            for altitude in altitudes
        ]

    return numbers


def mean_profile(evidence: Evidence, t: int, altitudes: tuple[float, ...]) -> list[float]:
    """Mean density in the cells, m-3."""
    return [evidence.mean(evidence.density(t, altitude), evidence.cells(t)) for altitude in altitudes]


def _falls(evidence: Evidence) -> list[Number]:
    numbers = []
    for _, t, hour in evidence.moments:
        low, middle, high = mean_profile(evidence, t, (200.0, 250.0, 300.0))
        numbers.append(Number(f"{hour} 250 over 200 km", ratio(middle, low), "1", below(1.0)))
        numbers.append(Number(f"{hour} 300 over 250 km", ratio(high, middle), "1", below(1.0)))
    return numbers


def half_area(evidence: Evidence, t: int, field: Field) -> float:
    """Smallest share of the area of the cells and of what lies between them that holds half of the ions there."""
    where = evidence.cells(t) | (evidence.boundary_distance(t) <= 3.0)
    order = np.argsort(-field[where])
    area = np.cumsum(evidence.weight[where][order])
    ions = np.cumsum((evidence.weight * field)[where][order])
    return float(np.interp(0.5, ions / ions[-1], area / area[-1]))


def rim_over_inside(evidence: Evidence, t: int, field: Field) -> float:
    """Mean density along the outer rim (depth 0.3 to 0.6, equatorward of the reversal) over that inside (above 0.6)."""
    cells, deep = evidence.cells(t), evidence.depth(t) >= 0.6
    inward = (evidence.evening(t) & evidence.inside_reversal(t, "evening")) | (
        evidence.morning(t) & evidence.inside_reversal(t, "morning")
    )
    return ratio(evidence.mean(field, cells & ~deep & ~inward), evidence.mean(field, cells & deep))


def boundary_over_inside(evidence: Evidence, t: int, field: Field) -> float:
    """Mean density at the common boundary over that inside the cells (depth above 0.6)."""
    return ratio(
        evidence.mean(field, evidence.boundary_distance(t) <= 3.0),
        evidence.mean(field, evidence.cells(t) & (evidence.depth(t) >= 0.6)),
    )


def evening_over_morning(evidence: Evidence, t: int, field: Field) -> float:
    """Content of the evening cell over that of the morning cell."""
    parts = [float((evidence.weight * field)[cell].sum()) for cell in (evidence.evening(t), evidence.morning(t))]
    return ratio(parts[0], parts[1])


def day_over_night(evidence: Evidence, t: int, field: Field) -> float:
    """Mean density in the cells by day over that by night."""
    cells, day = evidence.cells(t), evidence.day(t)
    return ratio(evidence.mean(field, cells & day), evidence.mean(field, cells & ~day))


def premidnight_depletion(evidence: Evidence, t: int, field: Field) -> float:
    """Share of the area of the evening cell at 70 to 80 degrees before midnight with less than the median of that cell.

    Half would be no depletion. A mean would not tell: a few dense streams lift it above most of the cell.
    """
    latitude, limits = evidence.latitude, evidence.limits
    there = (latitude >= limits["layer_latitude_low"]) & (latitude <= limits["layer_latitude_high"])
    sector = evidence.evening(t) & evidence.before_midnight(t) & there
    return evidence.part(sector, field < evidence.median(field, evidence.evening(t)))


def structure(evidence: Evidence, t: int, field: Field) -> Field:
    """Squared meridional gradient of log density.

    Densities below a thousandth of the largest in the cells are raised to that: emptier places are one colour on any map.
    """
    largest = float(field[evidence.cells(t)].max())
    if not largest > 0.0:
        return np.zeros(field.shape)
    logs = np.log(np.maximum(field / largest, 1e-3))  # of the ratio: exactly even where the density is
    return evidence.gradient(logs)[1] ** 2


def _structure(part: str) -> Callable[[Evidence], list[Number]]:
    def numbers(evidence: Evidence) -> list[Number]:
        low, high = evidence.limits[f"{part}_structure_low"], evidence.limits[f"{part}_structure_high"]

        invariant = evidence.invariant(200.0)
        inside = (invariant >= low) & (invariant <= high)
        numbers = []
        for _, t, hour in evidence.moments:
            sector = (evidence.day(t) if part == "day" else ~evidence.day(t)) & (invariant >= LOWEST)
            for altitude in ALTITUDES:
                share = evidence.part(sector, inside, structure(evidence, t, evidence.density(t, altitude)))
                numbers += shares(f"{hour} {altitude:.0f} km", share, evidence.part(sector, inside))
        return numbers

    return numbers


def _same_at_both_hours(evidence: Evidence) -> list[Number]:
    numbers = []
    for _, t, hour in (evidence.moment_at(hour) for hour in (6, 18)):
        field = evidence.density(t, 200.0)
        both = geometric_mean([rim_over_inside(evidence, t, field), boundary_over_inside(evidence, t, field)])
        numbers.append(Number(f"{hour} rim and boundary over inside", both, "1", above(1.0)))
    return numbers


STATEMENTS = (
    Statement(
        "density_falls", "3, Figure 2", "Density in the F region decreases with altitude.", "Mean density in the cells.", _falls
    ),
    Statement(
        "narrow_streams",
        "3, Figure 2",
        "The ions flow in narrow regions.",
        "Share of the area of the cells and of their common boundary that holds half of the ions; narrow = at most a quarter.",
        by_hour_and_altitude(half_area, at_most(0.25)),
    ),
    Statement(
        "outer_edges",
        "3, Figure 2",
        "Ions move along the outer edges of both cells.",
        "Mean density along the rim (30 to 60 % of the extremum, equatorward of the reversal) over that inside (above 60 "
        "%); more = above 1.",
        by_hour_and_altitude(rim_over_inside, above(1.0)),
    ),
    Statement(
        "common_boundary",
        "3, Figure 2",
        "Ions move along the boundary between the cells.",
        "Mean density within 3 degrees of the common boundary over that inside the cells (above 60 % of the extremum); "
        "more = above 1.",
        by_hour_and_altitude(boundary_over_inside, above(1.0)),
    ),
    Statement(
        "more_by_day",
        "3, Figure 2",
        "More ions are on the dayside of the cells.",
        "Mean density in the cells, 06-18 over 18-06 MLT; more = above 1.",
        by_hour_and_altitude(day_over_night, above(1.0)),
    ),
    Statement(
        "more_in_evening",
        "3, Figure 2",
        "More ions circulate in the evening cell than in the morning cell.",
        "Content of the evening cell over that of the morning cell; more = above 1.",
        by_hour_and_altitude(evening_over_morning, above(1.0)),
    ),
    Statement(
        "premidnight_depletion",
        "3, Figure 2",
        "Inside the evening cell the density is depleted at 70-80 N before midnight.",
        "Share of the area there (18-24 MLT) with less than the median of the evening cell by area; depleted = above a half.",
        by_hour_and_altitude(premidnight_depletion, above(0.5)),
    ),
    Statement(
        "both_hours",
        "3, Figure 2",
        "The flow pattern is the same at 06 and 18 UT.",
        "Geometric mean of the rim and the boundary over the inside, 200 km; the same = above 1 at both hours.",
        _same_at_both_hours,
    ),
    Statement(
        "structure_by_day",
        "3, Figure 2 and S2",
        "Local increases and decreases lie at 65-80 degrees invariant latitude by day.",
        "Share, poleward of 55 degrees, of the squared meridional gradient of log density that lies there; generally = at "
        "least half, and 1.5 times the share by area.",
        _structure("day"),
    ),
    Statement(
        "structure_by_night",
        "3, Figure 2 and S2",
        "Local increases and decreases lie at 60-70 degrees invariant latitude by night.",
        "As by day.",
        _structure("night"),
    ),
)
