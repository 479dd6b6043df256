"""Polar maps drawn with matplotlib's objects (no pyplot, no global state)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch
from numpy.typing import NDArray

from .polar_map import ConvectionCell, cell_corners, convection_cells, drift_direction, plane_position, to_plane
from .selection import MapFrame

Array = NDArray[np.float64]

NO_VALUE = "#bdbdbd"
_DARK = "#1b1b1b"
_LABELLED_LATITUDES = (50, 60, 70, 80)
_INVARIANT_LATITUDES = (60, 70, 80)
_LABEL_GAP = 8.0
"""Degrees of colatitude that a label of a circle should keep from a number in a cell."""
_FINE_STEPS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True)
class ColourScale:
    """How values become colours: limits, map, label; shared by the maps that are to be compared."""

    lowest: float
    highest: float
    label: str
    colours: str
    logarithmic: bool = False
    ticks: tuple[float, ...] | None = None

    def norm(self) -> Normalize:
        """A fresh norm (norms are not shared between figures)."""
        return (LogNorm if self.logarithmic else Normalize)(self.lowest, self.highest)

    @property
    def pale(self) -> bool:
        """Whether the middle of the scale is pale, so that lines and letters on it must be dark."""
        return self.lowest < 0.0

    def extend(self, values: Array) -> str:
        """Which ends of the colour bar get an arrow, for values beyond the scale."""
        low, high = bool(np.nanmin(values) < self.lowest), bool(np.nanmax(values) > self.highest)
        return {(True, True): "both", (True, False): "min", (False, True): "max"}.get((low, high), "neither")


def round_up(value: float, steps: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0)) -> float:
    """The next step times a power of ten that is not below a positive value; the last step is 10."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in steps if step * power >= value * (1.0 - 1e-9)))


def density_scale(values: list[Array], label: str) -> ColourScale:
    """Logarithmic scale for densities: up to the largest ones, over one to four decades."""
    everything = np.concatenate([array.ravel() for array in values])
    positive = everything[np.isfinite(everything) & (everything > 0.0)]
    if not len(positive):
        return ColourScale(0.1, 1.0, label, "viridis", logarithmic=True)
    highest = round_up(float(np.percentile(positive, 99.8)))
    floor = 10.0 ** np.floor(np.log10(np.percentile(positive, 2.0)))
    return ColourScale(float(np.clip(floor, highest * 1e-4, highest * 0.1)), highest, label, "viridis", logarithmic=True)


def velocity_scale(values: list[Array], label: str) -> ColourScale:
    """Diverging scale centred on zero, wide enough for 99 % of the values."""
    everything = np.abs(np.concatenate([array.ravel() for array in values]))
    finite = everything[np.isfinite(everything)]
    widest = float(np.percentile(finite, 99.0)) if len(finite) else 0.0
    limit = round_up(widest, _FINE_STEPS) if widest > 0.0 else 1.0
    return ColourScale(-limit, limit, label, "RdBu_r")


def speed_scale(values: list[Array], label: str) -> ColourScale:
    """Scale from zero, wide enough for 99.5 % of the values."""
    everything = np.concatenate([array.ravel() for array in values])
    finite = everything[np.isfinite(everything)]
    widest = float(np.percentile(finite, 99.5)) if len(finite) else 0.0
    return ColourScale(0.0, round_up(widest, _FINE_STEPS) if widest > 0.0 else 1.0, label, "viridis")


def draw_polar_map(values: Array, frame: MapFrame, scale: ColourScale, title: str, streamlines: bool) -> Figure:
    """Draw one polar map.

    Parameters
    ----------
    values : array (lat, lon)
        The field, on the grid of the frame.
    frame : MapFrame
        Grid, magnetic coordinates and potential of its time.
    scale : ColourScale
        Colours.
    title : str
        Text above the map.
    streamlines : bool
        Draw contours of the potential with arrows along the E x B drift, not only the outlines of the cells.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(4.4, 5.0))
    mesh, shown = draw_map(figure.add_axes((0.06, 0.155, 0.88, 0.775)), values, frame, scale, streamlines)
    bar = figure.colorbar(
        mesh, cax=figure.add_axes((0.12, 0.115, 0.76, 0.028)), orientation="horizontal", extend=scale.extend(shown)
    )
    bar.set_label(scale.label)
    figure.text(0.5, 0.972, title, ha="center", va="center", fontsize=11.5, fontweight="bold")
    return figure


def draw_map(axes: Axes, values: Array, frame: MapFrame, scale: ColourScale, streamlines: bool) -> tuple[QuadMesh, Array]:
    """Draw one field on axes of its own: colours, graticule, convection, magnetic local time; no title, no colour bar.

    Parameters
    ----------
    axes : Axes
        Empty and square.
    values, frame, scale, streamlines
        As in `draw_polar_map`.

    Returns
    -------
    mesh : QuadMesh
        For a colour bar.
    shown : array (lat, lon)
        The values inside the map, as drawn: densities of zero are below the scale.
    """
    noon, radius = frame.noon, 90.0 - frame.edge
    rows = slice(max(0, int(np.searchsorted(frame.latitude, frame.edge)) - 1), None)
    corners = cell_corners(frame.latitude[rows], frame.longitude, noon)
    shown = values[rows]
    if scale.logarithmic:
        # zero has no logarithm: draw it in the colour of all values below the scale
        shown = np.where(shown <= 0.0, 0.5 * scale.lowest, shown)
    mesh = axes.pcolormesh(*corners, np.ma.masked_invalid(shown), norm=scale.norm(), cmap=scale.colours, zorder=1)
    rim = Circle((0.0, 0.0), radius, facecolor="none", edgecolor=_DARK, linewidth=1.2, zorder=6)
    axes.add_patch(rim)
    mesh.set_clip_path(rim)
    axes.add_patch(Circle((0.0, 0.0), radius, facecolor=NO_VALUE, edgecolor="none", zorder=0))
    dark_ink = scale.pale
    _draw_graticule(axes, frame, dark_ink)
    if frame.potential is not None:
        _draw_convection(axes, frame, streamlines, dark_ink)
    _label_local_time(axes, frame)
    axes.set(xlim=(-1.15 * radius, 1.15 * radius), ylim=(-1.15 * radius, 1.15 * radius), aspect="equal")
    axes.set_axis_off()
    return mesh, shown


def _write(axes: Axes, position: tuple[Any, Any], text: str, ink: str, diverging: bool, **font: Any) -> None:
    """Write on the map, with a halo that keeps the text legible on any colour."""
    halo = [patheffects.withStroke(linewidth=2.0, foreground="white" if diverging else _DARK)]
    x, y = (float(value) for value in position)
    axes.text(x, y, text, color=ink, ha="center", va="center", zorder=8, path_effects=halo, **font)


def _draw_graticule(axes: Axes, frame: MapFrame, diverging: bool) -> None:
    """Geographic circles (dotted), Greenwich, invariant latitude (dashed), magnetic pole."""
    noon, ink = frame.noon, _DARK if diverging else "white"
    around = np.linspace(-180.0, 180.0, 361)
    ray = _label_ray(frame)
    for latitude in _LABELLED_LATITUDES:
        if latitude <= frame.edge:
            continue
        axes.plot(*plane_position(float(latitude), around, noon), color=ink, linewidth=0.7, linestyle=":", zorder=2)
        _write(axes, plane_position(float(latitude), ray, noon), f"{latitude}°", ink, diverging, fontsize=8)
    if frame.magnetic:
        return
    ends = np.array([90.0, frame.edge])
    axes.plot(*plane_position(ends, np.zeros(2), noon), color=ink, linewidth=0.7, linestyle=":", zorder=2)
    _write(axes, plane_position(frame.edge + 2.5, 4.0, noon), "0°E", ink, diverging, fontsize=8)
    if frame.invariant_latitude is None:
        return
    plane = to_plane(frame.invariant_latitude, frame.latitude, frame.longitude, noon, frame.edge)
    axis = np.linspace(frame.edge - 90.0, 90.0 - frame.edge, len(plane))
    axes.contour(axis, axis, plane, _INVARIANT_LATITUDES, colors=ink, linewidths=0.9, linestyles="--", zorder=2)
    row, column = np.unravel_index(int(np.nanargmax(plane)), plane.shape)
    rim = "white" if diverging else _DARK
    axes.plot(axis[column], axis[row], "D", markersize=5.5, color=ink, markeredgecolor=rim, zorder=7)


def _label_ray(frame: MapFrame) -> float:
    """Longitude along which circles of latitude are labelled: away from the numbers in the cells and from the magnetic pole."""
    rays = [frame.noon + angle for angle in (-32.0, 32.0, 150.0, -150.0)]
    if frame.potential is None:
        return rays[0]
    plane = to_plane(frame.potential, frame.latitude, frame.longitude, frame.noon, frame.edge)
    cells = convection_cells(plane, frame.edge)
    obstacles = [(cell.x, cell.y) for cell in cells]
    if frame.invariant_latitude is not None:
        row, column = np.unravel_index(int(np.argmax(frame.invariant_latitude)), frame.invariant_latitude.shape)
        x, y = plane_position(float(frame.latitude[row]), float(frame.longitude[column]), frame.noon)
        obstacles.append((float(x), float(y)))
    circles = [latitude for latitude in _LABELLED_LATITUDES if latitude > frame.edge]

    def gap(ray: float) -> float:
        places = [plane_position(float(latitude), ray, frame.noon) for latitude in circles]
        return min([float(np.hypot(x - here[0], y - here[1])) for x, y in places for here in obstacles] or [90.0])

    return max(rays, key=lambda ray: min(gap(ray), _LABEL_GAP))


def _draw_convection(axes: Axes, frame: MapFrame, streamlines: bool, diverging: bool) -> None:
    assert frame.potential is not None
    plane = to_plane(frame.potential, frame.latitude, frame.longitude, frame.noon, frame.edge)
    axis = np.linspace(frame.edge - 90.0, 90.0 - frame.edge, len(plane))
    if streamlines:
        _draw_streamlines(axes, axis, plane)
    for cell in convection_cells(plane, frame.edge):
        _draw_cell(axes, axis, cell, diverging)


def _draw_cell(axes: Axes, axis: Array, cell: ConvectionCell, diverging: bool) -> None:
    colour = _DARK if diverging else "#ffe000"
    outline = axes.contour(axis, axis, cell.field, [cell.level], colors=colour, linewidths=2.0, zorder=5)
    outline.set_path_effects([patheffects.withStroke(linewidth=3.6, foreground="white" if diverging else _DARK)])
    label = f"{cell.extremum / 1e3:+.0f}".replace("-", "\N{MINUS SIGN}")
    _write(axes, (cell.x, cell.y), label, colour, diverging, fontsize=10, fontweight="bold")


def _draw_streamlines(axes: Axes, axis: Array, potential: Array) -> None:
    span = float(np.nanmax(potential) - np.nanmin(potential))
    if not span > 0.0:
        return
    step = round_up(span / 16.0, _FINE_STEPS)
    # half steps keep the flat outskirts, where the potential is about zero, free of lines
    levels = step * (np.arange(np.floor(np.nanmin(potential) / step), np.ceil(np.nanmax(potential) / step)) + 0.5)
    lines = axes.contour(axis, axis, potential, levels, colors="white", linewidths=0.9, linestyles="-", zorder=4)
    right, top = drift_direction(potential)
    spacing = axis[1] - axis[0]
    # arrows on every other line, at changing places: in a row they would look like a line of their own
    for index, path in enumerate(lines.get_paths()[::2]):
        for line in path.to_polygons(closed_only=False):
            _draw_arrow(axes, np.asarray(line), (0.1 + 0.17 * index) % 0.5, right, top, axis[0], spacing)


def _draw_arrow(axes: Axes, line: Array, offset: float, right: Array, top: Array, first: float, spacing: float) -> None:
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    if length[-1] < 10.0:
        return
    for share in (offset, offset + 0.5) if length[-1] > 30.0 else (0.5,):
        start, end = (
            np.array([np.interp(share * length[-1] + shift, length, line[:, k]) for k in (0, 1)]) for shift in (-0.4, 0.4)
        )
        column, row = np.rint((0.5 * (start + end) - first) / spacing).astype(int)
        forward = (end[0] - start[0]) * right[row, column] + (end[1] - start[1]) * top[row, column]
        if not np.isfinite(forward):
            continue
        tail, head = (start, end) if forward > 0.0 else (end, start)
        ends = (float(tail[0]), float(tail[1])), (float(head[0]), float(head[1]))
        arrow = FancyArrowPatch(*ends, arrowstyle="-|>", mutation_scale=12, color="white", linewidth=0)
        arrow.set(zorder=4)
        axes.add_patch(arrow)


def _label_local_time(axes: Axes, frame: MapFrame) -> None:
    radius = 90.0 - frame.edge
    for hour in (0, 6, 12, 18):
        angle = np.deg2rad(frame.longitude_of(float(hour)) - frame.noon + 90.0)
        direction = np.array([np.cos(angle), np.sin(angle)])
        axes.plot(*np.outer(direction, [radius, 1.025 * radius]), color=_DARK, linewidth=1.2, clip_on=False)
        x, y = 1.11 * radius * direction
        axes.text(float(x), float(y), f"{hour:02d}", ha="center", va="center", fontsize=10)
