"""Figures of several polar maps: rows and columns, with one colour bar for all rows on the same scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from .map_drawing import ColourScale, draw_map
from .selection import Array, MapFrame

WIDTH = 8.4
"""Width of a figure of two columns, inches."""
_MAP, _TITLE, _BAR, _EDGE = 3.95, 0.36, 0.74, 0.08
_LETTERS = "abcdefgh"


@dataclass(frozen=True)
class Panel:
    """One map: title, values (lat, lon), grid, and what is drawn on top of it."""

    title: str
    values: Array
    frame: MapFrame
    streamlines: bool = False
    overlay: Callable[[Axes, MapFrame], None] | None = None


@dataclass(frozen=True)
class PanelRow:
    """Maps side by side on one scale; neighbouring rows of the same scale share a colour bar."""

    panels: tuple[Panel, ...]
    scale: ColourScale


def draw_panels(rows: Sequence[PanelRow], legend: Sequence[Patch] = ()) -> Figure:
    """Draw rows of maps, lettered from the top left.

    Parameters
    ----------
    rows : sequence of PanelRow
        From top to bottom; all of one length.
    legend : sequence of Patch
        Named colours, drawn at the bottom in place of the colour bars.

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = max(len(row.panels) for row in rows)
    with_bar = [not legend and (k + 1 == len(rows) or rows[k + 1].scale != row.scale) for k, row in enumerate(rows)]
    height = len(rows) * (_MAP + _TITLE) + sum(with_bar) * _BAR + (0.4 if legend else 0.0) + _EDGE
    width = WIDTH * columns / 2.0
    figure = Figure(figsize=(width, height))
    top, letter = height - _EDGE, iter(_LETTERS)
    drawn: list[Array] = []
    for row, bar in zip(rows, with_bar, strict=True):
        for column, panel in enumerate(row.panels):
            middle = (column + 0.5) / columns
            place = (middle - 0.5 * _MAP / width, (top - _TITLE - _MAP) / height, _MAP / width, _MAP / height)
            axes = figure.add_axes(place)
            mesh, shown = draw_map(axes, panel.values, panel.frame, row.scale, panel.streamlines)
            if panel.overlay is not None:
                panel.overlay(axes, panel.frame)
            drawn.append(shown.ravel())
            title = f"({next(letter)}) {panel.title}"
            at = (top - 0.6 * _TITLE) / height
            figure.text(middle, at, title, ha="center", va="center", fontsize=11, fontweight="bold")
        top -= _TITLE + _MAP
        if bar:
            box = figure.add_axes((0.2, (top - 0.22) / height, 0.6, 0.15 / height))
            extend = row.scale.extend(np.concatenate(drawn))
            drawn_bar = figure.colorbar(mesh, cax=box, orientation="horizontal", extend=extend, ticks=row.scale.ticks)
            drawn_bar.set_label(row.scale.label)
            drawn = []
            top -= _BAR
    if legend:
        figure.legend(handles=list(legend), loc="lower center", ncols=len(legend), frameon=False, bbox_to_anchor=(0.5, 0.0))
    return figure
