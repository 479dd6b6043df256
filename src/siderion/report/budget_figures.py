"""Figures of the budget of sources: supplies, shares, and the chain of factors with what each adds to the uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator
from numpy.typing import NDArray

from .selection import Array
from .wave_figures import COLOURS, GRID

CONFIDENCE_COLOURS = {"verified": ("#0072B2", ""), "computed": ("#999999", "..."), "unverified": ("#E69F00", "///")}
"""Colour and hatching by confidence."""
_LEAST_SHARE = 1e-14


@dataclass(frozen=True)
class Bars:
    """Values by source with their 16 and 84 % ends."""

    values: Array
    lower: Array
    upper: Array


@dataclass(frozen=True)
class Step:
    """A factor of a chain: words, value and ends, part of the variance, confidence."""

    words: str
    value: float
    lower: float
    upper: float
    variance: float
    confidence: str


def shown_route(name: str) -> str:
    """Name of a source as it is written."""
    return "Moon" if name == "moon" else name


def draw_supply(routes: Sequence[str], supply: Bars, label: str) -> Figure:
    """Draw the supply by each source with its ends on a logarithmic axis.

    Parameters
    ----------
    routes : sequence of str
        Sources from top to bottom.
    supply : Bars
        s-1.
    label : str
        Of the axis.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(7.4, 1.3 + 0.5 * len(routes)), layout="constrained")
    axes = figure.subplots()
    _draw_bars(axes, supply, np.arange(len(routes)), COLOURS[0], "o", "")
    _label_routes(axes, routes)
    axes.set(xscale="log", xlabel=label)
    axes.set_xlim(float(np.nanmin(supply.lower)) / 3.0, 3.0 * float(np.nanmax(supply.upper)))
    axes.xaxis.set_major_locator(LogLocator(10.0, numticks=9))
    return figure


def draw_supply_shares(routes: Sequence[str], whole: Bars, single: Bars) -> Figure:
    """Draw the share of each source in all supplies, and in those of singly charged ions; zero shares have no mark."""
    figure = Figure(figsize=(7.4, 1.6 + 0.55 * len(routes)), layout="constrained")
    axes = figure.subplots()
    place = np.arange(len(routes))
    _draw_bars(axes, whole, place - 0.14, "#555555", "s", "of all charge states")
    _draw_bars(axes, single, place + 0.14, COLOURS[1], "o", "of the singly charged")
    for y, value in zip(place, single.values, strict=True):
        if not value > 0.0:
            axes.annotate("no singly charged ions", (0.02, y + 0.16), xycoords=("axes fraction", "data"), va="center",
                          fontsize=8.5, color="#a34700")  # fmt: skip
    _label_routes(axes, routes)
    shown = np.concatenate([whole.lower, single.lower])
    least = max(float(shown[shown > 0.0].min(initial=1.0)) / 2.0, _LEAST_SHARE)
    axes.set(xscale="log", xlabel="share, %", xlim=(100.0 * least, 250.0))
    axes.axvline(100.0, color="black", linewidth=0.9)
    axes.xaxis.set_major_locator(LogLocator(10.0, numticks=9))
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def _draw_bars(axes: Axes, bars: Bars, place: NDArray[np.number], colour: str, mark: str, label: str) -> None:
    factor = 1.0 if not label else 100.0
    values = np.where(bars.values > 0.0, bars.values, np.nan) * factor
    ends = np.maximum([values - bars.lower * factor, bars.upper * factor - values], 0.0)
    axes.errorbar(
        values, place, xerr=ends, fmt=mark, color=colour, markersize=7, elinewidth=2.4, capsize=4.0, label=label or None
    )


def _label_routes(axes: Axes, routes: Sequence[str]) -> None:
    axes.set_yticks(range(len(routes)), [shown_route(name) for name in routes])
    axes.set_ylim(len(routes) - 0.5, -0.5)
    axes.grid(True, axis="x", **GRID)
    axes.set_axisbelow(True)


def draw_chains(chains: dict[str, list[Step]]) -> Figure:
    """Draw all factors of every source: ends relative to the value, and the part of the variance.

    Parameters
    ----------
    chains : mapping of str to list of Step
        Factors by source, in order.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = sum(len(steps) + 1 for steps in chains.values())
    figure = Figure(figsize=(9.6, 1.2 + 0.29 * rows), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, gridspec_kw={"width_ratios": (1.35, 1.0)})
    place, ticks, words, seen = 0, [], [], set()
    for route, steps in chains.items():
        left.annotate(shown_route(route), (0.0, place), (-6, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                      ha="right", va="center", fontweight="bold", fontsize=10.0)  # fmt: skip
        for axes in (left, right):
            axes.axhline(place - 0.55, color="#bbbbbb", linewidth=0.8)
        for step in steps:
            place += 1
            colour, hatch = CONFIDENCE_COLOURS.get(step.confidence, CONFIDENCE_COLOURS["unverified"])
            seen.add(step.confidence if step.confidence in CONFIDENCE_COLOURS else "unverified")
            _draw_step(left, right, step, place, colour, hatch)
            ticks.append(place)
            words.append(step.words)
        place += 1
    left.set_yticks(ticks, words, fontsize=9.0)
    left.set(xscale="log", xlabel="16 and 84 % ends over the value of the factor", ylim=(place - 0.4, -0.7))
    left.axvline(1.0, color="black", linewidth=0.9)
    ends = [end for steps in chains.values() for step in steps for end in (step.lower / step.value, step.upper / step.value)]
    reach = 1.3 * max(10.0, *(max(end, 1.0 / end) for end in ends))
    left.set_xlim(1.0 / reach, reach)
    left.xaxis.set_major_locator(LogLocator(10.0, numticks=9))
    left.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    right.set(xlabel="share of the variance of the logarithm, %", xlim=(0.0, 112.0))
    right.tick_params(left=False, labelleft=False)
    for axes in (left, right):
        axes.grid(True, axis="x", **GRID)
        axes.set_axisbelow(True)
    left.tick_params(axis="y", length=0.0)
    handles = [
        Patch(facecolor=colour, hatch=hatch, edgecolor="white", label=name)
        for name, (colour, hatch) in CONFIDENCE_COLOURS.items() if name in seen
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False)
    return figure


def _draw_step(left: Axes, right: Axes, step: Step, place: int, colour: str, hatch: str) -> None:
    low, high = step.lower / step.value, step.upper / step.value
    left.barh(place, high - low, 0.62, left=low, color=colour, hatch=hatch, edgecolor="white", linewidth=0.0)
    left.plot([1.0], [place], "o", color="black", markersize=3.5)
    percent = 100.0 * step.variance
    right.barh(place, percent, 0.62, color=colour, hatch=hatch, edgecolor="white", linewidth=0.0)
    said = "0" if percent == 0.0 else f"{percent:.0f}" if percent >= 1.0 else "<1"
    right.text(percent + 1.5, place, said, va="center", ha="left", fontsize=8.5, color="#444444")
