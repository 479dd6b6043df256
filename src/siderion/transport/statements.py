"""The statements of Andoh et al. 2026 about the polar flow of metal ions, as numbers from one output.

Section 3 and figures 2 to 8 of the paper. Statistics are masked to the two convection cells, where the electric field rules.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.errors import DataError
from siderion.transport.diagnostics import convection_cells, evening_morning_ratio, largest_density

LAYER = (115.0, 125.0)
"""Altitudes, km, of the layer that the paper shows at 120 km: it is 1 to 4 km thick and does not sit at one height."""


def statements(output: xr.Dataset, species: str = "Fe+") -> dict[str, Any]:
    """Numbers behind every statement, by name.

    Raises
    ------
    DataError
        The output has no velocities by term.
    """
    if "velocity_up_by_term" not in output:
        raise DataError("the output has no velocities by term; repeat the run with term_altitudes = [120, 200, 300]")
    result: dict[str, Any] = {"largest_density_115_to_125_km": largest_density(output, species, *LAYER)}
    result |= premidnight_layer(output, species)
    for altitude in (120, 200, 300):
        ratios = [evening_morning_ratio(output, species, altitude, t) for t in range(output.sizes["time"])]
        result[f"evening_morning_ratio_{altitude}_km"] = float(np.exp(np.mean(np.log(ratios))))
    result["mean_density_in_cells"] = {f"{a} km": mean_in_cells(output, species, a) for a in (150, 200, 250, 300)}
    for moment, time in enumerate(output.velocity_time.values):
        hour = str(time)[11:16]
        result |= {f"{name}_{hour}": value for name, value in velocity_statements(output, species, moment).items()}
    result["rim_over_inside_200_km"] = rim_over_inside(output, species, 200.0)
    result |= latitudes_of_structure(output, species, 200.0)
    result["premidnight_depletion_200_km"] = premidnight_depletion(output, species, 200.0)
    result["largest_wind"] = float(max(_largest_wind(output, t) for t in range(output.sizes["time"])))
    return result


def premidnight_layer(output: xr.Dataset, species: str) -> dict[str, Any]:
    """Largest density of the layer at 70 to 80 degrees north of 18 to 24 MLT, area above 1e11 m-3, width in latitude."""
    best: dict[str, Any] = {"premidnight_density": 0.0}
    area_above = []
    levels = np.flatnonzero((output.alt.values >= LAYER[0]) & (output.alt.values <= LAYER[1]))
    for t in range(output.sizes["time"]):
        field = output.number_density.sel(species=species).isel(time=t, alt=levels).values.max(axis=0)
        local_time = output.magnetic_local_time.isel(time=t).values
        latitude = np.abs(output.lat.values)[:, None]
        sector = (local_time >= 18.0) & (latitude >= 70.0) & (latitude <= 80.0)
        area_above.append(float(output.solid_angle.values[(field > 1e11) & (latitude >= 60.0)].sum()))
        masked = np.where(sector, field, 0.0)
        j, i = (int(n) for n in np.unravel_index(int(np.argmax(masked)), masked.shape))
        if masked[j, i] > best["premidnight_density"]:
            width = _half_width(field[:, i], j) * abs(float(output.lat.values[1] - output.lat.values[0]))
            best = {
                "premidnight_density": float(masked[j, i]),
                "premidnight_time": str(output.time.values[t])[:16],
                "premidnight_lat": float(output.lat.values[j]),
                "premidnight_lon": float(output.lon.values[i]),
                "premidnight_mlt": float(local_time[j, i]),
                "premidnight_width_degrees": width,
                "premidnight_potential_share": float(_share_of_potential(output, t, j, i)),
            }
    earth = 6371.2e3 + 120e3
    best["mean_area_above_1e11_km2"] = float(np.mean(area_above)) * (earth / 1e3) ** 2
    return best


def velocity_statements(output: xr.Dataset, species: str, moment: int) -> dict[str, float | None]:
    """How well the velocities in the cells follow the terms that the paper names: correlation and slope of the fit."""
    time = int(np.argmin(np.abs(output.time.values - output.velocity_time.values[moment])))
    morning, evening = convection_cells(output.electric_potential.isel(time=time).values)
    cells = morning | evening

    def field(way: str, altitude: float, term: str | None = None) -> NDArray[np.float64]:
        name, axis = (f"velocity_{way}", "alt") if term is None else (f"velocity_{way}_by_term", "term_alt")
        array = output[name].sel(species=species).isel(velocity_time=moment)
        if term is not None:
            array = array.sel(term=term)
        return array.interp({axis: altitude}).values[cells]

    up_300, exb_300 = field("up", 300.0), field("up", 300.0, "exb")
    residual = -(field("north", 200.0) - field("north", 200.0, "exb"))
    pedersen_200 = -field("north", 200.0, "pedersen")
    up_120, pedersen_120 = field("up", 120.0), field("up", 120.0, "pedersen")
    return {
        "up_300_with_exb_correlation": _correlation(up_300, exb_300),
        "up_300_same_sign_as_exb": float(np.mean(np.sign(up_300) == np.sign(exb_300))),
        "meridional_200_with_pedersen_correlation": _correlation(residual, pedersen_200),
        "up_120_with_pedersen_correlation": _correlation(up_120, pedersen_120),
        "gravity_300": float(np.mean(field("up", 300.0, "gravity"))),
        "pressure_300": float(np.mean(field("up", 300.0, "pressure"))),
        "wind_over_electric_speed_300": float(
            np.mean(np.hypot(field("east", 300.0, "wind"), field("north", 300.0, "wind")))
            / np.mean(np.hypot(field("east", 300.0, "exb"), field("north", 300.0, "exb")))
        ),
    }


def mean_in_cells(output: xr.Dataset, species: str, altitude: float) -> float:
    """Mean density in the two cells over all output times, m-3."""
    level = int(np.argmin(np.abs(output.alt.values - altitude)))
    means = []
    for t in range(output.sizes["time"]):
        morning, evening = convection_cells(output.electric_potential.isel(time=t).values)
        field = output.number_density.sel(species=species).isel(time=t, alt=level).values
        means.append(np.average(field[morning | evening], weights=output.solid_angle.values[morning | evening]))
    return float(np.mean(means))


def rim_over_inside(output: xr.Dataset, species: str, altitude: float) -> float:
    """Density along the rim of the cells (30 to 60 % of the extremum) over that inside (above 60 %), geometric mean in time."""
    level = int(np.argmin(np.abs(output.alt.values - altitude)))
    ratios = []
    for t in range(output.sizes["time"]):
        potential = output.electric_potential.isel(time=t).values
        field = output.number_density.sel(species=species).isel(time=t, alt=level).values
        for cell, extremum in zip(convection_cells(potential), (potential.max(), potential.min()), strict=True):
            depth = potential / extremum
            ratios.append(field[cell & (depth < 0.6)].mean() / field[cell & (depth >= 0.6)].mean())
    return float(np.exp(np.mean(np.log(ratios))))


def latitudes_of_structure(output: xr.Dataset, species: str, altitude: float) -> dict[str, list[float]]:
    """Invariant latitudes between which the middle 80 % of the ions poleward of 55 degrees lie, by day and by night."""
    level = int(np.argmin(np.abs(output.alt.values - altitude)))
    invariant = output.invariant_latitude.isel(alt=level).values
    weight = {"day": np.zeros(180), "night": np.zeros(180)}
    bins = np.linspace(0.0, 90.0, 181)
    for t in range(output.sizes["time"]):
        content = output.number_density.sel(species=species).isel(time=t, alt=level).values * output.solid_angle.values
        local_time = output.magnetic_local_time.isel(time=t).values
        for part, chosen in (("day", (local_time >= 6) & (local_time < 18)), ("night", (local_time < 6) | (local_time >= 18))):
            here = chosen & (invariant >= 55.0)
            weight[part] += np.histogram(invariant[here], bins, weights=content[here])[0]
    shares = {part: np.cumsum(values) / values.sum() for part, values in weight.items()}
    return {
        f"invariant_latitude_{part}_{altitude:.0f}_km": [float(bins[1 + int(np.searchsorted(share, q))]) for q in (0.1, 0.5, 0.9)]
        for part, share in shares.items()
    }


def premidnight_depletion(output: xr.Dataset, species: str, altitude: float) -> float | None:
    """Density in the evening cell at 70 to 80 degrees, 20 to 24 MLT, over its mean in that cell; geometric mean in time.

    None where the cell never reaches there.
    """
    level = int(np.argmin(np.abs(output.alt.values - altitude)))
    latitude = np.abs(output.lat.values)[:, None]
    ratios = []
    for t in range(output.sizes["time"]):
        evening = convection_cells(output.electric_potential.isel(time=t).values)[1]
        field = output.number_density.sel(species=species).isel(time=t, alt=level).values
        sector = evening & (output.magnetic_local_time.isel(time=t).values >= 20.0) & (latitude >= 70.0) & (latitude <= 80.0)
        if sector.any():
            weight = output.solid_angle.values
            ratios.append(np.average(field[sector], weights=weight[sector]) / np.average(field[evening], weights=weight[evening]))
    return float(np.exp(np.mean(np.log(ratios)))) if ratios else None


def _half_width(profile: NDArray, peak: int) -> int:
    """Number of cells around a peak that stay above half of it."""
    low = high = peak
    while low > 0 and profile[low - 1] > profile[peak] / 2:
        low -= 1
    while high < len(profile) - 1 and profile[high + 1] > profile[peak] / 2:
        high += 1
    return high - low + 1


def _share_of_potential(output: xr.Dataset, t: int, j: int, i: int) -> float:
    """Potential at a cell over the extremum of its sign: near 1 at the convection reversal."""
    potential = output.electric_potential.isel(time=t).values
    extremum = potential.max() if potential[j, i] > 0 else potential.min()
    return float(potential[j, i] / extremum)


def _largest_wind(output: xr.Dataset, t: int) -> float:
    lat = np.flatnonzero(np.abs(output.lat.values) >= 60.0)
    wind = [output[f"neutral_wind_{way}"].isel(time=t, lat=lat).values for way in ("east", "north")]
    return float(np.hypot(*wind).max())


def _correlation(a: NDArray, b: NDArray) -> float | None:
    """Correlation; None where one of the two does not vary (a term that is switched off)."""
    if np.ptp(a) == 0.0 or np.ptp(b) == 0.0:
        return None
    return float(np.corrcoef(a, b)[0, 1])
