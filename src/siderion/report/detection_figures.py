"""Maps of detections by magnetic latitude and local time, as Figure 4.6 of the review: noon up, dawn to the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Patch

from .map_drawing import NO_VALUE
from .selection import Array

NOTHING_SEEN = "#f4efe4"
"""Colour of bins with passes and no detection."""
_MAP, _TITLE, _LEFT = 2.75, 0.3, 0.25


@dataclass(frozen=True)
class Grid:
    """Edges of the bins: absolute magnetic latitude (degrees), magnetic local time (h); the lowest latitude drawn."""

    latitude: Array
    local_time: Array
    lowest: float


@dataclass(frozen=True)
class MapRow:
    """Maps side by side: title and values (latitude, local time), NaN where no pass, zero where nothing was seen."""

    panels: Mapping[str, Array]
    exposure: bool = False


def draw_detection_maps(rows: Sequence[MapRow], grid: Grid, highest: float) -> Figure:
    """Draw occurrence rates, classes of rate from the top, and below the passes behind them.

    Parameters
    ----------
    rows : sequence of MapRow
        From top to bottom; rows of occurrence share a colour scale, the row of passes has its own.
    grid : Grid
        The bins.
    highest : float
        Top of the colours of occurrence.

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = max(len(row.panels) for row in rows)
    legend = 0.45
    height = len(rows) * (_MAP + _TITLE) + legend + 0.1
    width = columns * (_MAP + _LEFT) + 1.25
    figure = Figure(figsize=(width, height))
    for exposure in (False, True):
        group = [k for k, row in enumerate(rows) if row.exposure == exposure]
        if not group:
            continue
        shown = [values for k in group for values in rows[k].panels.values()]
        norm = _norm(shown, None if exposure else highest)
        for k in group:
            for column, (title, values) in enumerate(rows[k].panels.items()):
                left, bottom = _LEFT + column * (_MAP + _LEFT), height - (k + 1) * (_MAP + _TITLE)
                axes = figure.add_axes((left / width, bottom / height, _MAP / width, _MAP / height))
                mesh = _draw_map(axes, values, grid, norm, "cividis" if exposure else "viridis")
                middle = (left + 0.5 * _MAP) / width
                figure.text(middle, (bottom + _MAP + 0.5 * _TITLE) / height, title, ha="center", va="center", fontsize=9.5,
                            fontweight="bold")  # fmt: skip
        top, low = height - group[0] * (_MAP + _TITLE) - _TITLE, height - (group[-1] + 1) * (_MAP + _TITLE)
        place = ((width - 0.95) / width, (low + 0.15) / height, 0.16 / width, (top - low - 0.3) / height)
        extend = (
            "max"
            if max(float(np.nanmax(one, initial=0.0)) for one in shown) > float(norm.vmax or 1.0) * (1.0 + 1e-9)
            else "neither"
        )
        label = "passes" if exposure else "passes with a detection over passes"
        figure.colorbar(mesh, cax=figure.add_axes(place), label=label, extend=extend)
    handles = [
        Patch(facecolor=NOTHING_SEEN, edgecolor="#888888", label="passes, no detection"),
        Patch(facecolor=NO_VALUE, edgecolor="#888888", label="no pass"),
    ]
    figure.legend(handles=handles, loc="lower center", ncols=2, frameon=False, fontsize=9.5, bbox_to_anchor=(0.45, 0.0))
    return figure


def _norm(values: Sequence[Array], highest: float | None) -> Normalize:
    """Logarithmic colours for passes, and for occurrence where it is wide; None stands for passes."""
    everything = np.concatenate([one.ravel() for one in values])
    positive = everything[np.isfinite(everything) & (everything > 0.0)]
    if highest is None:
        return LogNorm(1.0, max(float(positive.max(initial=1.0)), 10.0))
    least = float(positive.min(initial=max(highest, 1e-9)))
    if least < 0.1 * highest:
        return LogNorm(max(least, 1e-3 * highest), highest)
    return Normalize(0.0, highest or 1.0)


def _draw_map(axes: Axes, values: Array, grid: Grid, norm: Normalize, colours: str) -> QuadMesh:
    radius = 90.0 - grid.lowest
    rim = Circle((0.0, 0.0), radius, facecolor=NO_VALUE, edgecolor="#1b1b1b", linewidth=1.1, zorder=0)
    axes.add_patch(rim)
    nothing = np.ma.masked_where(~(values == 0.0), np.ones(values.shape))
    axes.pcolormesh(*_fine(nothing, grid), cmap=ListedColormap([NOTHING_SEEN]), zorder=1).set_clip_path(rim)
    mesh = axes.pcolormesh(*_fine(np.ma.masked_where(~(values > 0.0), values), grid), norm=norm, cmap=colours, zorder=1)
    mesh.set_clip_path(rim)
    halo = [patheffects.withStroke(linewidth=2.0, foreground="white")]
    for latitude in (50, 60, 70, 80) if grid.lowest >= 40.0 else (30, 60):
        if latitude > grid.lowest:
            axes.add_patch(Circle((0.0, 0.0), 90.0 - latitude, facecolor="none", edgecolor="#555555", linewidth=0.6,
                                  linestyle=":", zorder=3))  # fmt: skip
            place = (90.0 - latitude) * np.array([np.cos(np.radians(-45.0)), np.sin(np.radians(-45.0))])
            axes.text(
                float(place[0]),
                float(place[1]),
                f"{latitude}°",
                ha="center",
                va="center",
                fontsize=7.5,
                path_effects=halo,
                zorder=4,
            )
    for hour in (0, 6, 12, 18):
        turn = np.radians(15.0 * hour - 90.0)
        direction = np.array([np.cos(turn), np.sin(turn)])
        axes.plot(*np.outer(direction, [radius, 1.03 * radius]), color="#1b1b1b", linewidth=1.1, clip_on=False)
        x, y = (float(value) for value in 1.11 * radius * direction)
        axes.text(x, y, f"{hour:02d}", ha="center", va="center", fontsize=9.0)
    axes.set(xlim=(-1.17 * radius, 1.17 * radius), ylim=(-1.17 * radius, 1.17 * radius), aspect="equal")
    axes.set_axis_off()
    return mesh


def _fine(values: Array, grid: Grid) -> tuple[Array, Array, Array]:
    """Corners with arcs between them: every bin of local time in 8 parts."""
    parts = 8
    times = np.interp(np.arange(parts * (len(grid.local_time) - 1) + 1) / parts, np.arange(len(grid.local_time)), grid.local_time)
    angle = np.radians(15.0 * times - 90.0)
    distance = (90.0 - grid.latitude)[:, None]
    return distance * np.cos(angle)[None, :], distance * np.sin(angle)[None, :], np.ma.repeat(values, parts, axis=1)
