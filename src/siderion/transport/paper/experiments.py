"""Statements that one run cannot answer: they need runs with terms or conditions changed (``examples/experiments``)."""

from __future__ import annotations

import math

import numpy as np

from siderion.transport.diagnostics.cells import separate_cells
from siderion.transport.diagnostics.summary import daily_asymmetry
from siderion.transport.paper.e_region import premidnight_sector
from siderion.transport.paper.evidence import Evidence, ratio
from siderion.transport.paper.statement import Number, Statement, at_least, at_most, below
from siderion.transport.paper.velocities import crosses_the_pole, falls_by_night, hourly, rises_by_day
from siderion.transport.settings import DENSITY_FLOOR


def _path_without_the_rest(evidence: Evidence) -> list[Number]:
    without = evidence.experiment("exb_and_gravity")
    return [number for measure in (rises_by_day, crosses_the_pole, falls_by_night) for number in hourly(measure)(without)]


def _pedersen_makes_asymmetry(evidence: Evidence) -> list[Number]:
    without = evidence.experiment("no_pedersen")
    numbers = []
    for altitude in (120.0, 200.0):
        ratios = [daily_asymmetry(one.output, one.species, altitude) for one in (without, evidence)]
        left = ratio(*(abs(math.log(value)) for value in ratios))
        numbers.append(Number(f"{altitude:.0f} km asymmetry left, in logarithms", left, "1", at_most(0.5)))
        numbers += [Number("evening over morning without", ratios[0]), Number("with", ratios[1])]
    return numbers


def largest_before_midnight(evidence: Evidence) -> float:
    """Largest layer density of all output times poleward of 60 degrees invariant latitude, 18 to 24 MLT, m-3."""
    return max(float(evidence.layer_density(t)[premidnight_sector(evidence, t)].max()) for t in evidence.times)


def _no_layers_from_gravity(evidence: Evidence) -> list[Number]:
    without, limit = evidence.experiment("exb_and_gravity"), evidence.limits["layer_density"]
    return [
        Number("largest with E x B and gravity only", largest_before_midnight(without), "m-3", below(limit)),
        Number("with all terms", largest_before_midnight(evidence), "m-3"),
    ]


def _electric_field_is_the_cause(evidence: Evidence) -> list[Number]:
    without = evidence.experiment("no_wind", same_cells=True)
    numbers = []
    for _, t, hour in evidence.moments:
        cells = evidence.cells(t)
        for altitude in (300.0, 200.0):
            here, there = (np.log(np.maximum(one.density(t, altitude), DENSITY_FLOOR)) for one in (evidence, without))
            numbers.append(Number(f"{hour} {altitude:.0f} km", evidence.correlation(here, there, cells), "1", at_least(0.7)))
    return numbers


def _more_cells_northward(evidence: Evidence) -> list[Number]:
    north = evidence.experiment("imf_bz_plus_5")
    counts = [sum(separate_cells(north.potential(t)).values()) for t in north.times]
    return [
        Number("share of the times with more than two", float(np.mean([count > 2 for count in counts])), "1", at_least(0.5)),
        Number("most", float(max(counts))),
    ]


def _flow_by_direction(evidence: Evidence) -> list[Number]:
    """Density in the cells at 200 km under a southward field, over that under a northward one."""
    south, north = (evidence.experiment(name) for name in ("imf_bz_minus_5", "imf_bz_plus_5"))
    means = [np.mean([one.mean(one.density(t, 200.0), one.cells(t)) for t in one.times]) for one in (south, north)]
    return [Number("density in the cells at 200 km, Bz -5 over +5 nT", ratio(float(means[0]), float(means[1])))]


STATEMENTS = (
    Statement(
        "transport_proposed",
        "3, Figure 4",
        "E x B drift and gravity alone give the path from day to night.",
        "The run with these two terms only (exb_and_gravity.toml): as for the three statements about the path.",
        _path_without_the_rest,
    ),
    Statement(
        "pedersen_makes_asymmetry",
        "3, Figure 5",
        "The Pedersen drift makes the asymmetry between the cells.",
        "|ln| of the mean density, evening over morning cell, geometric mean over the day, in the run without Pedersen drift "
        "(no_pedersen.toml), over that with it; makes = at most half is left.",
        _pedersen_makes_asymmetry,
    ),
    Statement(
        "gravity_layers",
        "3, before Figure 7",
        "Narrow layers do not form as proposed from E x B drift and gravity.",
        "Largest layer density of the day, 18-24 MLT, in the run with these two terms only (exb_and_gravity.toml); not = below "
        "1e11 m-3.",
        _no_layers_from_gravity,
    ),
    Statement(
        "northward_field",
        "3, last paragraph",
        "With a northward magnetic field there are more than two cells.",
        "Regions above 30 % of the largest |potential| at Bz = +5 nT (imf_bz_plus_5.toml); so = at least half of the times.",
        _more_cells_northward,
    ),
    Statement(
        "activity_matters",
        "3, last paragraph",
        "The flow should depend on the direction of the magnetic field; how is left open.",
        "Runs with constant field (imf_bz_minus_5.toml, imf_bz_plus_5.toml); the paper gives nothing to judge it by.",
        _flow_by_direction,
    ),
    Statement(
        "electric_field_rules",
        "4",
        "Two-cell electric fields are the main cause of the three-dimensional flow.",
        "Correlation in the cells of the log density with that of the run without wind (no_wind.toml); the same = at least 0.7.",
        _electric_field_is_the_cause,
    ),
)
