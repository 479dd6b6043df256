"""Figures of tests of tiny counts: counts of the events, the test without each event, all tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from siderion.spectrometer.counting.intervals import exact_interval

from .selection import Array
from .wave_figures import GRID

AFTER, BEFORE = "#0072B2", "#E69F00"
_INSIDE, _OUTSIDE = "#0072B2", "#D55E00"
_LINEAR_UP_TO = 40.0


@dataclass(frozen=True)
class EventGroup:
    """Events of one group.

    Attributes
    ----------
    title : str
        Which group.
    names : sequence of str
        Names of the events.
    counts : mapping of str to (counts, exposures)
        Series by name, such as after and before.
    rate : (float, float, float)
        Rate of the whole group after with its 16 and 84 % ends; a limit has 0 as its lower end.
    """

    title: str
    names: Sequence[str]
    counts: Mapping[str, tuple[Array, Array]]
    rate: tuple[float, float, float]


def draw_counts(groups: Sequence[EventGroup], units: str) -> Figure:
    """Draw the counts of the events with exact intervals, one panel for each group on one scale.

    Parameters
    ----------
    groups : sequence of EventGroup
        Inside, then outside.
    units : str
        Units of the exposure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    sizes = [max(len(one.names), 2) for one in groups]
    figure = Figure(figsize=(2.4 + 0.72 * sum(sizes), 4.4), layout="constrained")
    panels = figure.subplots(1, len(groups), sharey=True, squeeze=False, width_ratios=sizes)[0]
    top = 0.0
    for axes, group in zip(panels, groups, strict=True):
        value, low, high = group.rate
        axes.axhspan(low, high, color="#dfe7ee", zorder=0)
        axes.axhline(value, color="#7f92a3", linewidth=1.2, zorder=1)
        for k, (words, (counts, exposures)) in enumerate(group.counts.items()):
            shift = 0.0 if len(group.counts) == 1 else 0.13 - 0.26 * k
            top = max(top, _draw_series(axes, counts, exposures, shift, (AFTER, BEFORE)[k], "os"[k], words))
        axes.set_xticks(range(len(group.names)), list(group.names), rotation=40, ha="right", rotation_mode="anchor")
        axes.set_xlim(-0.6, len(group.names) - 0.4)
        axes.set_title(group.title, fontweight="bold", fontsize=11.0)
        axes.grid(True, axis="y", **GRID)
        axes.set_axisbelow(True)
    if top > _LINEAR_UP_TO:
        panels[0].set_yscale("symlog", linthresh=10.0, linscale=1.0)
        panels[0].set_yticks([0, 5, 10, *(ten * k for ten in (10, 100, 1000, 10000) for k in (2, 5, 10) if ten * k < 1.6 * top)])
        panels[0].yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        panels[0].minorticks_off()
        panels[0].set_ylim(-0.6, 1.6 * top)
    else:
        panels[0].yaxis.set_major_locator(MaxNLocator(8, integer=top > 8.0))
        panels[0].set_ylim(-0.04 * top, 1.06 * top)
    panels[0].set_ylabel(f"counts per {one_of(units)}")
    handles = [*panels[0].get_legend_handles_labels()[0], Patch(color="#dfe7ee", label="rate of the group after, 16 to 84 %")]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False, fontsize=9.5)
    return figure


def one_of(units: str) -> str:
    """Name of one unit of exposure, such as "half-day" of "half-days"."""
    return {"half-days": "half-day", "units of exposure": "unit of exposure"}.get(units, f"unit ({units})")


def _draw_series(axes: Axes, counts: Array, exposures: Array, shift: float, colour: str, marker: str, words: str) -> float:
    """Points with thick 68 % and thin 95 % intervals; returns the largest end."""
    place = np.arange(len(counts)) + shift
    for confidence, width in ((0.95, 1.0), (0.68, 3.2)):
        low, high = (end / exposures for end in exact_interval(counts, confidence))
        axes.vlines(place, low, high, color=colour, linewidth=width, alpha=1.0 if width < 2 else 0.55)
        if confidence == 0.95:
            largest = float(high.max())
    axes.plot(place, counts / exposures, marker, color=colour, markerfacecolor=colour if marker == "o" else "white",
              markersize=6.0, label=words, zorder=4)  # fmt: skip
    return largest


def draw_leave_one_out(names: Sequence[str], inside: NDArray[np.bool_], p_values: Array, whole: float, level: float) -> Figure:
    """Draw the p value of the exact test without each event.

    Parameters
    ----------
    names : sequence of str
        Events.
    inside : array of bool (event,)
        Group of each.
    p_values : array (event,)
        Without the event.
    whole : float
        With all events.
    level : float
        Level of significance.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(7.8, 1.5 + 0.29 * len(names)), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(names))
    for part, colour, marker, words in ((inside, _INSIDE, "o", "without an event inside"), (~inside, _OUTSIDE, "s", "outside")):
        axes.hlines(places[part], whole, p_values[part], color=colour, linewidth=1.0, alpha=0.6)
        axes.plot(p_values[part], places[part], marker, color=colour, markersize=7, label=words)
    for k in places:
        axes.annotate(f"{p_values[k]:.2g}", (p_values[k], k), (9 if p_values[k] >= whole else -9, 0), textcoords="offset points",
                      va="center", ha="left" if p_values[k] >= whole else "right", fontsize=8.5)  # fmt: skip
    axes.axvline(whole, color="black", linewidth=1.3, label=f"with all events: {whole:.2g}")
    axes.axvline(level, color="#a02020", linestyle="--", linewidth=1.2, label=f"level: {level:g}")
    known = [value for value in (*p_values, whole, level) if np.isfinite(value) and value > 0.0]
    axes.set(xscale="log", xlim=(min(known) / 4.0, 1.6), ylim=(len(names) - 0.4, -0.6),
             xlabel="p value of the exact Poisson test without the event")  # fmt: skip
    axes.set_yticks(places, list(names))
    axes.grid(True, axis="x", **GRID)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=4, frameon=False, fontsize=9.0)
    return figure


@dataclass(frozen=True)
class TestPoint:
    """One test in a figure: name, p value, family (for colour and marker)."""

    name: str
    p_value: float
    family: str


FAMILIES: dict[str, tuple[str, str]] = {
    "every count independent": ("#D55E00", "o"),
    "scatter of events allowed": ("#0072B2", "D"),
    "scatter itself": ("#777777", "^"),
    "before against after": ("#E69F00", "s"),
    "change inside over outside": ("#009E73", "v"),
}
"""Colour and marker of the families of tests."""


def draw_tests(points: Sequence[TestPoint], level: float) -> Figure:
    """Draw all p values on one logarithmic axis.

    Parameters
    ----------
    points : sequence of TestPoint
        From top to bottom; those without a p value are named, without a point.
    level : float
        Level of significance.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(8.6, 1.5 + 0.27 * len(points)), layout="constrained")
    axes = figure.subplots()
    known = [one.p_value for one in points if np.isfinite(one.p_value) and one.p_value > 0.0]
    low = min([*known, level]) / 6.0
    for k, one in enumerate(points):
        colour, marker = FAMILIES[one.family]
        if not np.isfinite(one.p_value):
            axes.text(1.3 * low, k, "cannot be made", va="center", fontsize=8.5, color="#6b6b6b")
            continue
        axes.plot([max(one.p_value, low)], [k], marker, color=colour, markersize=7, zorder=4)
        right = one.p_value < 0.1
        axes.annotate(f"{one.p_value:.2g}", (max(one.p_value, low), k), (8 if right else -8, 0), textcoords="offset points",
                      va="center", ha="left" if right else "right", fontsize=8.5,
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85})  # fmt: skip
    axes.axvline(level, color="#a02020", linestyle="--", linewidth=1.2)
    axes.set(xscale="log", xlim=(low, 1.6), ylim=(len(points) - 0.4, -0.6), xlabel="p value")
    axes.set_yticks(range(len(points)), [one.name for one in points])
    axes.grid(True, axis="x", **GRID)
    axes.set_axisbelow(True)
    present = [name for name in FAMILIES if any(one.family == name for one in points)]
    handles = [
        Line2D([], [], linestyle="none", marker=FAMILIES[name][1], color=FAMILIES[name][0], label=name) for name in present
    ]
    handles.append(Line2D([], [], color="#a02020", linestyle="--", label=f"level {level:g}"))
    figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False, fontsize=9.0)
    return figure
