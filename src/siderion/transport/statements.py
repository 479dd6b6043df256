"""The main numbers behind the statements of Andoh et al. 2026 about the polar flow of metal ions, from one output.

Plain numbers over the whole day; `siderion.transport.paper` has every statement with its rule and verdict. Statistics are masked
to the two convection cells, where the electric field rules.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from siderion.core.errors import DataError
from siderion.transport.diagnostics import daily_asymmetry, largest_density
from siderion.transport.diagnostics.layers import LAYER, latitude_width, polar_layer_area
from siderion.transport.paper import conditions, e_region, f_region, velocities
from siderion.transport.paper.evidence import Evidence, geometric_mean, ratio


def statements(output: xr.Dataset, species: str = "Fe+") -> dict[str, Any]:
    """Numbers by name: densities m-3, velocities m s-1, latitudes degrees; None where there is nothing to measure.

    Raises
    ------
    DataError
        The output has no velocities by term.
    """
    if "velocity_up_by_term" not in output:
        raise DataError("the output has no velocities by term; repeat the run with term_altitudes = [120, 200, 300]")
    evidence = Evidence(output, species)
    result: dict[str, Any] = {"largest_density_115_to_125_km": largest_density(output, species, *LAYER)}
    result |= premidnight_layer(evidence)
    for altitude in (120, 200, 300):
        result[f"evening_morning_ratio_{altitude}_km"] = daily_asymmetry(output, species, altitude)
    altitudes = (150.0, 200.0, 250.0, 300.0)
    profile = np.mean([f_region.mean_profile(evidence, t, altitudes) for t in evidence.times], axis=0)
    result["mean_density_in_cells"] = {f"{a:.0f} km": float(n) for a, n in zip(altitudes, profile, strict=True)}
    for moment, time, hour in evidence.moments:
        clock = hour.removesuffix(" UT") if ":" in hour else f"{hour.removesuffix(' UT')}:00"
        numbers = velocity_statements(evidence, moment, time)
        result |= {f"{name}_{clock}": _or_none(value) for name, value in numbers.items()}
    fields = {t: evidence.density(t, 200.0) for t in evidence.times}
    rim = geometric_mean([f_region.rim_over_inside(evidence, t, field) for t, field in fields.items()])
    depleted = [f_region.premidnight_depletion(evidence, t, field) for t, field in fields.items()]
    result["rim_over_inside_200_km"] = _or_none(rim)
    result["premidnight_depleted_share_200_km"] = _or_none(float(np.mean(depleted)))
    result |= latitudes_of_structure(evidence, 200.0)
    result["largest_wind"] = conditions.largest_wind(evidence)
    return result


def premidnight_layer(evidence: Evidence) -> dict[str, Any]:
    """Largest density of the layer at 70 to 80 degrees north of 18 to 24 MLT, area above 1e11 m-3, width in latitude."""
    t, j, i, density = e_region.largest_premidnight(evidence)
    limit = evidence.limits["layer_density"]
    areas = [polar_layer_area(evidence.output, n, limit, evidence.species) for n in evidence.times]
    found = {
        "premidnight_density": density,
        "mean_area_above_1e11_km2": float(np.mean(areas)) / 1e6,
    }
    if t < 0:
        return found
    width = latitude_width(evidence.layer_density(t), evidence.output.lat.values)[j, i]
    return found | {
        "premidnight_time": str(evidence.output.time.values[t])[:16],
        "premidnight_lat": float(evidence.output.lat.values[j]),
        "premidnight_lon": float(evidence.output.lon.values[i]),
        "premidnight_mlt": float(evidence.local_time(t)[j, i]),
        "premidnight_width_degrees": _or_none(float(width)),
        "premidnight_potential_share": float(evidence.depth(t)[j, i]),
    }


def velocity_statements(evidence: Evidence, moment: int, time: int) -> dict[str, float]:
    """How well the velocities in the cells follow the terms that the paper names."""
    cells = evidence.cells(time)
    pedersen_200 = -evidence.velocity("north", 200.0, moment, "pedersen")
    follows_300, same_sign, slope_300 = velocities.up_follows(evidence, moment, time, 300.0, "exb")
    speeds = [
        evidence.mean(np.hypot(*(evidence.velocity(way, 300.0, moment, term) for way in ("east", "north"))), cells)
        for term in ("wind", "exb")
    ]
    return {
        "up_300_with_exb_correlation": follows_300.value,
        "up_300_on_exb_slope": slope_300.value,
        "up_300_same_sign_as_exb": same_sign.value,
        "meridional_200_with_pedersen_correlation": evidence.correlation(
            velocities.residual_meridional(evidence, moment), pedersen_200, cells
        ),
        "up_120_with_pedersen_correlation": velocities.up_follows(evidence, moment, time, 120.0, "pedersen")[0].value,
        "gravity_300": evidence.mean(evidence.velocity("up", 300.0, moment, "gravity"), cells),
        "pressure_300": evidence.mean(evidence.velocity("up", 300.0, moment, "pressure"), cells),
        "wind_over_electric_speed_300": ratio(speeds[0], speeds[1]),
    }


def latitudes_of_structure(evidence: Evidence, altitude: float) -> dict[str, list[float]]:
    """Invariant latitudes below which 10, 50 and 90 % of the ions poleward of 55 degrees lie, by day and by night."""
    invariant = evidence.invariant(altitude)
    bins = np.linspace(0.0, 90.0, 181)
    found = {}
    for part in ("day", "night"):
        weight = np.zeros(180)
        for t in evidence.times:
            here = (evidence.day(t) if part == "day" else ~evidence.day(t)) & (invariant >= 55.0)
            content = evidence.density(t, altitude) * evidence.weight
            weight += np.histogram(invariant[here], bins, weights=content[here])[0]
        share = np.cumsum(weight) / weight.sum()
        found[f"invariant_latitude_{part}_{altitude:.0f}_km"] = [
            float(bins[1 + int(np.searchsorted(share, quantile))]) for quantile in (0.1, 0.5, 0.9)
        ]
    return found


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value
