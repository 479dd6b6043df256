"""Figure 8 of Andoh et al. (2026): the five flows between the two cells, and the signs of the vertical drifts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Patch

from siderion.core.errors import CoverageError, DataError
from siderion.core.tables import load_table
from siderion.transport.diagnostics import analysed_times, mean_flows
from siderion.transport.diagnostics.layers import LAYER, layer_density
from siderion.transport.diagnostics.levels import at_altitude
from siderion.transport.diagnostics.magnetic_grid import to_magnetic_grid

from . import markup
from .map_drawing import ColourScale, draw_map
from .polar_map import ConvectionCell, convection_cells, plane_position, to_plane
from .polar_sections import PolarRun, clock, velocity
from .selection import Array, MapFrame

FLOWS = {
    1: ("flow_upward_day", "total"),
    2: ("flow_antisunward", "total"),
    3: ("flow_downward_night", "total"),
    4: ("flow_morning_to_evening", "pedersen"),
    5: ("flow_into_e_region", "total"),
}
"""Variable and drift of each flow, by its number in the paper."""
_INK = "#1b1b1b"
EVENING, MORNING, RED = "#e07b00", "#2f7fd0", "#d40000"
OCCURRENCE = 0.1
"""The red line encloses where strong layers occur in more than this share of the time and area."""
FLOW_TIMES = 8
"""About so many output times, evenly spaced, go into the mean flows: each takes some seconds."""
EDGE = 55.0
"""Invariant latitude of the rim, degrees."""
WEAK_DRIFT = 1.0
"""Vertical drifts below this, m s-1, have no sign on the map."""
_LATITUDE_EDGES = np.arange(EDGE, 90.1, 1.0)
_LOCAL_TIME_EDGES = np.arange(0.0, 24.1, 0.5)
_FLATTENING = 0.42
"""Height over width of a circle in the oblique view."""
_LEVELS = {"E region, 120 km": 0.0, "lower F region, 200 km": 37.0, "F region, 300 km": 74.0}
"""Planes of the oblique view and their height on it, in degrees of colatitude."""


def schematic_figure(run: PolarRun, output: xr.Dataset, drivers: xr.Dataset | None) -> tuple[Figure, str, str]:
    """Figure 8: the flows (a), and where the drifts go up and down (b, c); with what it shows and what to look at (HTML)."""
    frame = magnetic_frame(run)
    flows, reason = mean_flow_numbers(run, output, drivers)
    figure = Figure(figsize=(10.4, 9.2))
    _draw_flows(figure.add_axes((0.0, 0.02, 0.6, 0.93)), frame, flows)
    figure.text(0.3, 0.965, "(a) Flow of the metal ions", ha="center", fontsize=11.5, fontweight="bold")
    layers = layer_occurrence(run)
    maps = (("exb", 300.0, "E × B drift, 300 km", "b"), ("pedersen", 120.0, "Pedersen drift, 120 km", "c"))
    for index, (term, altitude, title, letter) in enumerate(maps):
        drifts = [to_grid(run, velocity(run, "up", one.time, altitude, term), one, altitude) for one in run.frames]
        axes = figure.add_axes((0.61, 0.53 - 0.475 * index, 0.37, 0.37 * 10.4 / 9.2))
        _draw_signs(axes, np.mean(drifts, axis=0), frame, layers if term == "pedersen" else None)
        figure.text(0.795, 0.965 - 0.475 * index, f"({letter}) {title}", ha="center", fontsize=11.5, fontweight="bold")
    figure.legend(handles=_legend(), loc="lower right", ncols=4, frameon=False, fontsize=8.5, bbox_to_anchor=(1.0, 0.0))
    return figure, _shown(run), _look(flows, reason)


def _legend() -> list[Patch]:
    return [
        Patch(facecolor="white", edgecolor=_INK, label="up"),
        Patch(facecolor="#333333", label="down"),
        Patch(facecolor="#bfbfbf", label=f"below {WEAK_DRIFT:g} m/s"),
        Patch(facecolor="none", edgecolor=RED, linewidth=2.0, label="layers"),
    ]


def layer_limit() -> float:
    """Density of a strong layer in the paper, m-3."""
    return float(load_table("transport", "andoh2026").set_index("key").value["layer_density"])


def to_grid(run: PolarRun, field: Array, frame: MapFrame, altitude: float) -> Array:
    """Mean of a field (lat, lon) in bins of invariant latitude at its altitude (km) and of magnetic local time."""
    if "invariant_latitude" not in run.dataset:
        raise CoverageError("The output has no invariant_latitude, which magnetic maps need; a new siderion run writes it.")
    invariant = np.abs(at_altitude(run.dataset["invariant_latitude"], altitude))
    weight = np.broadcast_to(np.cos(np.deg2rad(frame.latitude))[:, None], field.shape)
    return to_magnetic_grid(field, frame.local_time, invariant, _LATITUDE_EDGES, _LOCAL_TIME_EDGES, weight).values


def magnetic_frame(run: PolarRun) -> MapFrame:
    """Grid of invariant latitude and magnetic local time, with the potential averaged over the analysed day on it."""
    if "electric_potential" not in run.dataset:
        raise CoverageError("The output has no electric_potential, so there are no cells to draw; a new siderion run writes it.")
    maps = []
    for index in map(int, analysed_times(run.dataset)):
        time = run.dataset["time"].values[index]
        here = run.dataset[["electric_potential", "magnetic_local_time"]].isel(time=index).transpose("lat", "lon")
        moment = replace(run.frames[0], time=time, local_time=here["magnetic_local_time"].values.astype(float))
        maps.append(to_grid(run, here["electric_potential"].values.astype(float), moment, 110.0))
    latitude = 0.5 * (_LATITUDE_EDGES[1:] + _LATITUDE_EDGES[:-1])
    hours = 0.5 * (_LOCAL_TIME_EDGES[1:] + _LOCAL_TIME_EDGES[:-1])
    return MapFrame(
        time=run.frames[0].time,
        latitude=latitude,
        longitude=15.0 * hours - 180.0,
        local_time=np.broadcast_to(hours, (len(latitude), len(hours))),
        potential=np.mean(maps, axis=0),
        invariant_latitude=None,
        edge=EDGE,
        magnetic=True,
    )


def layer_occurrence(run: PolarRun) -> Array:
    """Share of the analysed day and of area, in bins of the magnetic grid, where `layer_density` exceeds that of the paper."""
    maps = []
    limit = layer_limit()
    for index in map(int, analysed_times(run.dataset)):
        local_time = run.dataset["magnetic_local_time"].isel(time=index).transpose("lat", "lon").values.astype(float)
        moment = replace(run.frames[0], local_time=local_time)
        dense = layer_density(run.dataset, index, run.species[0]) > limit
        maps.append(to_grid(run, dense.astype(float), moment, 120.0))
    return np.mean(maps, axis=0)


# ---------------------------------------------------------------------- (b)


def _draw_signs(axes: Axes, drift: Array, frame: MapFrame, layers: Array | None) -> None:
    """White where the drift is upward, dark where it is downward, outlines of the cells, where layers form."""
    shade = np.where(np.abs(drift) < WEAK_DRIFT, 0.75, np.where(drift > 0.0, 1.0, 0.2))
    draw_map(axes, shade, replace(frame, potential=None), ColourScale(0.0, 1.0, "", "gray"), streamlines=False)
    axis = np.linspace(EDGE - 90.0, 90.0 - EDGE, 241)
    halo: list[patheffects.AbstractPathEffect] = [patheffects.withStroke(linewidth=3.6, foreground="white")]
    for cell, colour in zip(two_cells(frame), (EVENING, MORNING), strict=True):
        outline = axes.contour(axis, axis, cell.field, [cell.level], colors=colour, linewidths=2.2, zorder=5)
        outline.set_path_effects(halo)
    if layers is not None and layers.max() > OCCURRENCE:
        plane = np.nan_to_num(_plane(layers, frame))
        axes.contour(axis, axis, plane, [OCCURRENCE], colors=RED, linewidths=2.4, zorder=6).set_path_effects(halo)


def _plane(field: Array, frame: MapFrame) -> Array:
    return to_plane(field, frame.latitude, frame.longitude, frame.noon, frame.edge)


def two_cells(frame: MapFrame) -> tuple[ConvectionCell, ConvectionCell]:
    """Evening and morning cell of the mean potential; `CoverageError` where there are not two."""
    assert frame.potential is not None
    found = convection_cells(_plane(frame.potential, frame), frame.edge)
    if len(found) < 2:
        raise CoverageError("The mean potential has one sign only, so there are no two cells for the flows to pass between.")
    return found[0], found[1]


# ---------------------------------------------------------------------- (a)


def _oblique(x: Array | float, y: Array | float, height: float) -> tuple[Array, Array]:
    """Place a point of the map, on a plane at some height, in the oblique view: noon at the back, dawn on the right."""
    return np.asarray(x), _FLATTENING * np.asarray(y) + height


def _draw_flows(axes: Axes, frame: MapFrame, flows: dict[int, float]) -> None:
    for index, (name, height) in enumerate(_LEVELS.items()):
        _draw_plane(axes, frame, name, height, bottom=index == 0)
    low, middle, high = _LEVELS.values()
    evening, morning = two_cells(frame)
    night, day = -0.42 * (90.0 - EDGE), 0.42 * (90.0 - EDGE)
    side = 0.6 * evening.x
    arrows = (
        (1, [(0.6 * morning.x, day, low), (0.6 * morning.x, day, high)]),
        (2, [(0.0, 0.62 * (90.0 - EDGE), high), (0.0, -0.62 * (90.0 - EDGE), high)]),
        (3, [(side, night, high), (side, night, middle)]),
        (4, [(morning.x, morning.y, middle), (evening.x, evening.y, middle)]),
        (5, [(0.4 * side, night, middle), (0.4 * side, night, low)]),
    )
    for number, ends in arrows:
        _draw_arrow(axes, number, ends, flows.get(number))
    axes.set(xlim=(-45.0, 45.0), ylim=(-20.0, 94.0), aspect="equal")
    axes.set_axis_off()


def _draw_plane(axes: Axes, frame: MapFrame, name: str, height: float, bottom: bool) -> None:
    around = np.linspace(0.0, 360.0, 181)
    for latitude in (EDGE, 60.0, 70.0, 80.0):
        x, y = plane_position(latitude, around, 0.0)
        rim = latitude == EDGE
        colour, thickness, dash = (_INK, 1.1, "-") if rim else ("#999999", 0.6, ":")
        axes.plot(*_oblique(x, y, height), zorder=2, color=colour, linewidth=thickness, linestyle=dash)
    axis = np.linspace(EDGE - 90.0, 90.0 - EDGE, 241)
    x, y = np.meshgrid(axis, axis)
    for cell, colour in zip(two_cells(frame), (EVENING, MORNING), strict=True):
        levels = [cell.level, float(cell.field.max()) + 1.0]
        axes.contourf(*_oblique(x, y, height), cell.field, levels, colors=[colour], alpha=0.3, zorder=1)
        axes.contour(*_oblique(x, y, height), cell.field, [cell.level], colors=colour, linewidths=1.6, zorder=3)
    radius = 90.0 - EDGE
    axes.text(-radius - 1.0, height + 0.42 * radius, name, fontsize=9.5, ha="left", va="bottom")
    for hour, (dx, dy) in {12: (0.0, 1.09), 18: (-1.08, 0.0), 0: (0.0, -1.12), 6: (1.08, 0.0)}.items():
        here = _oblique(radius * dx, radius * dy, height)
        label = f"{hour:02d} MLT" if bottom and hour == 0 else f"{hour:02d}"
        axes.text(float(here[0]), float(here[1]), label, fontsize=8.5, ha="center", va="center", color="#444444")


def _draw_arrow(axes: Axes, number: int, ends: list[tuple[float, float, float]], flux: float | None) -> None:
    """One flow: an arrow that turns round when the flux is negative, its number, and its size in s-1."""
    first, last = ((float(x), float(y)) for x, y in (_oblique(*end) for end in ends))
    tail, head = (first, last) if flux is None or flux >= 0.0 else (last, first)
    arrow = FancyArrowPatch(tail, head, arrowstyle="-|>", mutation_scale=24, color=_INK, linewidth=3.0, shrinkA=0, shrinkB=0)
    arrow.set(zorder=6, path_effects=[patheffects.withStroke(linewidth=5.0, foreground="white")])
    axes.add_patch(arrow)
    x, y = 0.5 * (tail[0] + head[0]), 0.5 * (tail[1] + head[1])
    circle = {"boxstyle": "circle,pad=0.25", "facecolor": "#ffe680", "edgecolor": _INK}
    axes.text(x, y, str(number), fontsize=11, fontweight="bold", ha="center", va="center", zorder=8, bbox=circle)
    if flux is None:
        return
    mantissa, exponent = f"{abs(flux):.1e}".split("e")
    label = f"${mantissa}\\times10^{{{int(exponent)}}}$ s$^{{-1}}$"
    # where no other arrow passes: 1 on its right, 4 beyond its first end, the others on their left
    place, side = {1: ((x + 2.6, y), "left"), 4: ((first[0] + 1.5, first[1]), "left")}.get(number, ((x - 1.5, y - 3.6), "right"))
    halo = [patheffects.withStroke(linewidth=3.0, foreground="white")]
    axes.text(*place, label, fontsize=9.5, ha=side, va="center", zorder=8, path_effects=halo)


def mean_flow_numbers(run: PolarRun, output: xr.Dataset, drivers: xr.Dataset | None) -> tuple[dict[int, float], str]:
    """The five flows by their number, s-1, mean over `FLOW_TIMES` output times; without numbers, the reason (plain text)."""
    if drivers is None:
        return {}, "they need the drivers of the run, which siderion report --paper loads"
    try:
        day = output.isel(time=analysed_times(output))
        found = mean_flows(day, drivers, run.species[0], max(1, day.sizes["time"] // FLOW_TIMES))
    except DataError as error:
        return {}, str(error)
    return {number: float(found[name].sel(drift=drift)) for number, (name, drift) in FLOWS.items()}, ""


def _shown(run: PolarRun) -> str:
    times = " and ".join(clock(frame.time) for frame in run.frames)
    return (
        "(a) The evening (orange) and the morning cell (blue) of the potential averaged over the day, in magnetic local time "
        "(noon at the back) and invariant latitude, drawn at three altitudes. The arrows are the five flows with the ions that "
        "pass per second, mean over some output times: 1 up through 150 km by day inside the cells; 2 from day to night across "
        "the dawn-dusk meridian above 150 km; 3 down through 200 km by night inside the cells; 4 across the boundary of the "
        "cells by the Pedersen drift; 5 down through 130 km by night inside the evening cell. Where a net flow goes the other "
        "way, its arrow is turned round. (b) Where the vertical E × B drift at 300 km is upward (white) and downward (dark), "
        f"and (c) the same of the vertical Pedersen drift at 120 km, means of {times}; grey is below {WEAK_DRIFT:g} m "
        f"s<sup>−1</sup>. The red line encloses where the density between {LAYER[0]:g} and {LAYER[1]:g} km exceeds "
        f"10<sup>11</sup> m<sup>−3</sup> for more than {100 * OCCURRENCE:.0f} % of the time."
    )


def _look(flows: dict[int, float], reason: str) -> str:
    if not flows:
        return f"the arrows carry no numbers: {markup.text(reason)}."
    said = ", ".join(f"{number}: {markup.number(flux, 2)}" for number, flux in flows.items())
    return f"the net flows in s<sup>−1</sup>, positive in the direction of the paper, are {said}."
