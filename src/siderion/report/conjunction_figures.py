"""Figures of conjunctions: the Moon and the spacecraft about the Earth, days from new Moon, time line of a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Patch
from matplotlib.ticker import FixedLocator
from numpy.typing import NDArray

from .selection import Array
from .wave_figures import GRID

Times = NDArray[np.datetime64]
STATE_COLOURS = {1: "#0072B2", 0: "#D55E00", -1: "#8c8c8c"}
"""Colour of met or inside, not met or outside, unknown."""
STATE_MARKS = {1: "o", 0: "s", -1: "D"}
_EARTH = "#4d6f8f"
_REACH = 84.0
_RING = 76.0
_SPACING = 5.2
_MOST_LABELS = 40


@dataclass(frozen=True)
class PlanView:
    """Plane of GSE X and Y, lengths in RE.

    Attributes
    ----------
    moon : array (n, 2)
        The Moon.
    labels : sequence of str
        Beside the Moon.
    state : array (n,)
        1, 0 or -1: colour and mark.
    words : mapping of int to str
        What the states mean.
    orbit : float
        Mean distance of the Moon.
    sectors : mapping of int to float
        Begin of the sectors, h of lunar local time.
    boundaries : mapping of str to (array, array, array)
        x, y and a function that is zero on the boundary, by name.
    spacecraft : array (n, 2)
        NaN where not known.
    """

    moon: Array
    labels: Sequence[str]
    state: NDArray[np.int8]
    words: Mapping[int, str]
    orbit: float
    sectors: Mapping[int, float]
    boundaries: Mapping[str, tuple[Array, Array, Array]]
    spacecraft: Array


def draw_plan(view: PlanView) -> Figure:
    """Draw the Moon at each event from north of the ecliptic: the Sun to the left, dusk at the bottom.

    Parameters
    ----------
    view : PlanView
        What to draw.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(7.6, 8.1), layout="constrained")
    axes = figure.subplots()
    handles: list[Line2D] = []
    for k, (name, (x, y, outside)) in enumerate(view.boundaries.items()):
        dashes: Any = ("-", "--", ":")[k % 3]
        axes.contour(x, y, outside, [0.0], colors="#444444", linewidths=1.3, linestyles=dashes)
        handles.append(Line2D([], [], color="#444444", linewidth=1.3, linestyle=dashes, label=name))
    axes.add_patch(Circle((0.0, 0.0), 1.0, facecolor=_EARTH, edgecolor="black", linewidth=0.6, zorder=4))
    axes.annotate("Earth", (0.0, 0.0), (0, -9), textcoords="offset points", ha="center", va="top", fontsize=9.0)
    axes.add_patch(Circle((0.0, 0.0), view.orbit, facecolor="none", edgecolor="#999999", linewidth=0.9))
    _draw_sectors(axes, view)
    for state in (1, 0, -1):
        here = view.state == state
        if here.any():
            style: dict[str, Any] = {
                "marker": STATE_MARKS[state],
                "color": STATE_COLOURS[state],
                "linestyle": "none",
                "markersize": 6.5,
            }
            axes.plot(*view.moon[here].T, markeredgecolor="black", markeredgewidth=0.5, zorder=5, **style)
            handles.append(Line2D([], [], label=view.words[state], **style))
    _draw_labels(axes, view)
    placed = np.isfinite(view.spacecraft).all(axis=1)
    if placed.any():
        style = {"marker": "^", "color": "#E69F00", "linestyle": "none", "markersize": 7.0}
        axes.plot(*view.spacecraft[placed].T, markeredgecolor="black", markeredgewidth=0.5, zorder=6, **style)
        handles.append(Line2D([], [], label="spacecraft", **style))
        for k in np.flatnonzero(placed)[:_MOST_LABELS]:
            axes.annotate(view.labels[k], view.spacecraft[k], (5, 4), textcoords="offset points", fontsize=8.0, zorder=7)
    axes.annotate("to the Sun", (0.015, 0.975), (0.16, 0.975), xycoords="axes fraction", va="center", fontsize=9.5,
                  color="#a06000", arrowprops={"arrowstyle": "-|>", "color": "#a06000"})  # fmt: skip
    axes.set(xlim=(_REACH, -_REACH), ylim=(_REACH, -_REACH), xlabel="X GSE, RE", ylabel="Y GSE, RE (dusk downwards)")
    axes.set_aspect("equal")
    axes.grid(True, **GRID)
    axes.set_axisbelow(True)
    figure.legend(handles=handles, loc="outside upper center", ncols=2, frameon=False, fontsize=9.5)
    return figure


def _direction(hours: float | Array) -> Array:
    """Unit vectors of lunar local times, (..., 2)."""
    angle = np.radians(15.0 * (np.asarray(hours) - 12.0))
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _draw_sectors(axes: Axes, view: PlanView) -> None:
    width = 24.0 / len(view.sectors)
    for number, begin in view.sectors.items():
        ends = _direction(begin)[None, :] * np.array([[view.orbit - 5.0], [view.orbit + 5.0]])
        axes.plot(*ends.T, color="#999999", linewidth=0.9)
        x, y = (float(value) for value in 0.6 * view.orbit * _direction(begin + 0.5 * width))
        axes.text(x, y, f"sector {number}", ha="center", va="center",
                  fontsize=9.0, color="#555555",
                  bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.0})  # fmt: skip


def _draw_labels(axes: Axes, view: PlanView) -> None:
    """Labels on a ring outside of the orbit, moved apart along it, with lines to the Moon."""
    shown = np.arange(min(len(view.labels), _MOST_LABELS))
    if not len(shown):
        return
    angles = np.degrees(np.arctan2(view.moon[shown, 1], view.moon[shown, 0]))
    order = np.argsort(angles)
    for k, angle in zip(order, spread_apart(angles[order], _SPACING), strict=True):
        place = _RING * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        axes.plot(*np.stack([view.moon[k], 0.96 * place]).T, color="#888888", linewidth=0.6, zorder=3)
        axes.text(float(place[0]), float(place[1]), view.labels[k], ha="center", va="center", fontsize=9.0)


def spread_apart(values: Array, spacing: float) -> Array:
    """Rising values moved as little as needed so that neighbours are at least so far apart (least squares)."""
    shifted = np.asarray(values, dtype=float) - spacing * np.arange(len(values))
    blocks: list[tuple[float, int]] = []
    for value in shifted:
        mean, count = float(value), 1
        while blocks and blocks[-1][0] > mean:
            other, number = blocks.pop()
            mean, count = (mean * count + other * number) / (count + number), count + number
        blocks.append((mean, count))
    return np.concatenate([np.full(count, mean) for mean, count in blocks]) + spacing * np.arange(len(values))


def draw_days(days: Array, names: Sequence[str], state: NDArray[np.int8], limit: float | None) -> Figure:
    """Draw how far events are from new Moon, the best at the top.

    Parameters
    ----------
    days : array (n,)
        Since the nearest new Moon.
    names : sequence of str
        Of the events.
    state : array (n,)
        Whether they are near enough: 1, 0 or -1.
    limit : float or None
        Largest distance that counts, days.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(7.4, 1.5 + 0.28 * len(days)), layout="constrained")
    axes = figure.subplots()
    rows = np.arange(len(days))
    if limit is not None:
        axes.axvspan(-limit, limit, color="#0072B2", alpha=0.1, linewidth=0)
    axes.axvline(0.0, color="#444444", linewidth=1.0)
    for value in (1, 0, -1):
        here = state == value
        axes.plot(days[here], rows[here], STATE_MARKS[value], color=STATE_COLOURS[value], markersize=6.5, markeredgecolor="black",
                  markeredgewidth=0.5)  # fmt: skip
    reach = 1.1 * max(float(np.abs(days).max()), limit or 0.0, 0.5)
    axes.set_yticks(rows, names)
    axes.set(xlim=(-reach, reach), ylim=(len(days) - 0.4, -0.6), xlabel="days since the nearest new Moon (negative: before it)")
    axes.grid(True, axis="x", **GRID)
    axes.set_axisbelow(True)
    return figure


@dataclass(frozen=True)
class IndexSeries:
    """An index of the span: name, starts, values, length of an interval, limit asked, and whether large values count."""

    name: str
    time: Times
    values: Array
    length: np.timedelta64
    limit: float | None
    largest: bool


@dataclass(frozen=True)
class TimeLine:
    """A search: its span, new Moons, windows with state (1 or -1) and label, days that count about new Moon, indices."""

    span: tuple[np.datetime64, np.datetime64]
    new_moons: Times
    starts: Times
    ends: Times
    state: NDArray[np.int8]
    labels: Sequence[str]
    moon_days: float | None
    indices: Sequence[IndexSeries]


def draw_time_line(line: TimeLine) -> Figure:
    """Draw windows and new Moons against time, with Kp and Dst where they are known.

    Parameters
    ----------
    line : TimeLine
        What to draw.

    Returns
    -------
    matplotlib.figure.Figure
    """
    count = 1 + len(line.indices)
    figure = Figure(figsize=(9.6, 2.0 + 1.9 * len(line.indices)), layout="constrained")
    panels = figure.subplots(count, 1, sharex=True, squeeze=False, height_ratios=[0.75] + [1.0] * (count - 1))[:, 0]
    handles = _draw_windows(panels[0], line)
    for axes, one in zip(panels[1:], line.indices, strict=True):
        _draw_index(axes, one)
    for axes in panels[1:]:
        for start, end, state in zip(line.starts, line.ends, line.state, strict=True):
            axes.axvspan(start, end, color=STATE_COLOURS[int(state)], alpha=0.25, linewidth=1.2)
    panels[-1].set_xlim(*line.span)
    locator = mdates.AutoDateLocator(minticks=4, maxticks=12)
    panels[-1].xaxis.set_major_locator(locator)
    panels[-1].xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
    panels[-1].set_xlabel("universal time")
    figure.legend(handles=handles, loc="outside upper center", ncols=4, frameon=False, fontsize=9.5)
    return figure


def _draw_windows(axes: Axes, line: TimeLine) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = []
    if line.moon_days is not None and len(line.new_moons):
        reach = np.timedelta64(round(line.moon_days * 86400e9), "ns")
        for moon in line.new_moons:
            axes.axvspan(moon - reach, moon + reach, color="#dddddd", linewidth=0)
        handles.append(Patch(color="#dddddd", label=f"within {line.moon_days:g} d of new Moon"))
    axes.plot(line.new_moons, np.full(len(line.new_moons), 0.22), "o", color="black", markersize=6)
    handles.append(Line2D([], [], marker="o", color="black", linestyle="none", label="new Moon"))
    for start, end, state, label in zip(line.starts, line.ends, line.state, line.labels, strict=True):
        colour = STATE_COLOURS[int(state)]
        axes.axvspan(start, end, ymin=0.4, ymax=0.78, color=colour, linewidth=1.6)
        axes.annotate(label, (start + (end - start) // 2, 0.8), ha="center", va="bottom", fontsize=9.0)
    for state, words in ((1, "window, all criteria met"), (-1, "window, a criterion unknown")):
        if (line.state == state).any():
            handles.append(Patch(color=STATE_COLOURS[state], label=words))
    axes.set(ylim=(0.0, 1.0))
    axes.yaxis.set_major_locator(FixedLocator([]))
    axes.set_ylabel("windows\n(rank)", rotation=0, ha="right", va="center")
    return handles


def _draw_index(axes: Axes, one: IndexSeries) -> None:
    steps = np.append(one.time, one.time[-1] + one.length)
    axes.step(steps, np.append(one.values, one.values[-1]), where="post", color="#555555", linewidth=0.8)
    if one.limit is not None:
        axes.axhline(one.limit, color="#D55E00", linewidth=1.1, linestyle="--")
    if one.largest:
        axes.set_ylim(0.0, 9.3)
    axes.set_ylabel(one.name, rotation=0, ha="right", va="center")
    axes.grid(True, axis="y", **GRID)
    axes.set_axisbelow(True)
