"""Statements that tell the wind from the electric drifts: Figures 4 to 7."""

from __future__ import annotations

from siderion.transport.paper.evidence import Evidence, Field, ratio
from siderion.transport.paper.statement import Number, Statement, above, at_least
from siderion.transport.paper.velocities import ELECTRIC, GOVERNED, hourly, residual_meridional


def _panels(evidence: Evidence, m: int) -> list[tuple[str, Field, Field, Field, Field]]:
    """Label, velocity, drift shown, all electric drift and wind part of Figures 4, 5 and 6.

    Figure 5 shows the southward velocity less E x B; its electric part is the Pedersen drift.
    """
    panels = [
        (
            f"vertical {altitude:.0f} km",
            evidence.velocity("up", altitude, m),
            evidence.velocity("up", altitude, m, shown),
            evidence.velocity("up", altitude, m, *ELECTRIC),
            evidence.velocity("up", altitude, m, "wind"),
        )
        for altitude, shown in ((300.0, "exb"), (120.0, "pedersen"))
    ]
    pedersen, wind = (-evidence.velocity("north", 200.0, m, term) for term in ("pedersen", "wind"))
    return [panels[0], ("meridional 200 km", residual_meridional(evidence, m), pedersen, pedersen, wind), panels[1]]


def _resembles_electric(evidence: Evidence, m: int, t: int) -> list[Number]:
    numbers = []
    for label, total, _, electric, wind in _panels(evidence, m):
        by = [evidence.correlation(total, part, evidence.cells(t)) for part in (electric, wind)]
        numbers.append(Number(f"{label} correlation with electric less wind", by[0] - by[1], "1", above(0.0)))
    return numbers


def _electric_dominates(evidence: Evidence, m: int, t: int) -> list[Number]:
    return [
        Number(
            f"{label} electric over wind",
            ratio(evidence.strength(electric, evidence.cells(t)), evidence.strength(wind, evidence.cells(t))),
            "1",
            above(1.0),
        )
        for label, _, _, electric, wind in _panels(evidence, m)
    ]


def _wind_not_negligible(evidence: Evidence, m: int, t: int) -> list[Number]:
    cells = evidence.cells(t)
    return [
        Number(
            f"{label} wind over total", ratio(evidence.strength(wind, cells), evidence.strength(total, cells)), "1", at_least(0.1)
        )
        for label, total, _, _, wind in _panels(evidence, m)[:2]
    ]


def _difference_is_wind(evidence: Evidence, m: int, t: int) -> list[Number]:
    return [
        Number(f"{label} correlation", evidence.correlation(total - shown, wind, evidence.cells(t)), "1", at_least(GOVERNED))
        for label, total, shown, _, wind in _panels(evidence, m)
    ]


STATEMENTS = (
    Statement(
        "difference_is_wind",
        "3, Figures 4 to 6",
        "What the electric drifts leave of the velocities is mainly due to the wind.",
        "Correlation in the cells of the velocity less the drifts shown with the wind's part; mainly = at least 0.7.",
        hourly(_difference_is_wind),
    ),
    Statement(
        "resembles_electric",
        "3, Figure 7",
        "The velocity in the cells resembles its electric part more than its wind part.",
        "Correlation of the total with the electric part less that with the wind's; more = above 0.",
        hourly(_resembles_electric),
    ),
    Statement(
        "electric_dominates",
        "3, Figure 7",
        "The electric field is more important than the wind.",
        "Root mean square in the cells; more = ratio above 1.",
        hourly(_electric_dominates),
    ),
    Statement(
        "wind_not_negligible",
        "3, Figure 7",
        "The wind's effect in the F region is not negligible.",
        "Root mean square in the cells; meridional without E x B, as in Figure 5; not negligible = at least a tenth.",
        hourly(_wind_not_negligible),
    ),
)
