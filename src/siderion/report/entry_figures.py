"""Figures of bodies that enter the atmosphere: the flight of one, what elements are released where, the influx by mass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from .selection import Array
from .wave_figures import COLOURS, GRID

ELEMENT_COLOURS = {
    "Na": "#E69F00", "Mg": "#009E73", "Al": "#56B4E9", "Si": "#7A7A00", "K": "#CC79A7", "Ca": "#5D3A9B", "Ti": "#555555",
    "Fe": "#D55E00", "Ni": "#0072B2",
}  # fmt: skip
"""Colours of elements, the same on all pages; others take turns."""
_STYLES = ("-", (0, (5, 1.6)), (0, (5, 1.4, 1.2, 1.4)))
_MOST_DECADES = 9.0


@dataclass(frozen=True)
class Mark:
    """An altitude that is marked: words, km, style of the line."""

    label: str
    altitude: float
    style: str = "--"


@dataclass(frozen=True)
class Track:
    """One quantity along the path: label with units, values, and whether the axis is logarithmic."""

    label: str
    values: Array
    logarithmic: bool = False


def element_colour(names: Sequence[str], name: str) -> str:
    """Colour of an element among those of a figure."""
    others = [one for one in names if one not in ELEMENT_COLOURS]
    return ELEMENT_COLOURS.get(name) or COLOURS[others.index(name) % len(COLOURS)]


def draw_flight(altitude: Array, tracks: Sequence[Track], marks: Sequence[Mark], reach: tuple[float, float]) -> Figure:
    """Draw quantities along the path of one body, altitude upwards, one panel each.

    Parameters
    ----------
    altitude : array (time,)
        km.
    tracks : sequence of Track
        From left to right; values (time,).
    marks : sequence of Mark
        Altitudes drawn across all panels.
    reach : (float, float)
        Ends of the altitude axis, km.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(2.75 * len(tracks) + 0.6, 4.9), layout="constrained")
    panels = figure.subplots(1, len(tracks), sharey=True, squeeze=False)[0]
    shown = (altitude >= reach[0]) & (altitude <= reach[1])
    for k, (axes, track) in enumerate(zip(panels, tracks, strict=True)):
        axes.plot(track.values, altitude, color=COLOURS[0], linewidth=1.8)
        if track.logarithmic:
            axes.set_xscale("log")
            largest = float(np.nanmax(track.values[shown]))
            axes.set_xlim(1e-6 * largest, 3.0 * largest)
            _quiet_ticks(axes)
        else:
            axes.set_xlim(0.0, 1.06 * float(np.nanmax(track.values[shown])))
        for number, mark in enumerate(marks):
            axes.axhline(mark.altitude, color=("#D55E00", "#444444", "#009E73")[number % 3], linestyle=mark.style, linewidth=1.1,
                         label=mark.label if k == 0 else None)  # fmt: skip
        axes.set_xlabel(track.label)
        axes.grid(True, **GRID)
        axes.set_axisbelow(True)
    panels[0].set(ylabel="altitude, km", ylim=reach)
    if marks:
        figure.legend(loc="outside upper center", frameon=False, ncols=len(marks), fontsize=9.5)
    return figure


def draw_release(
    edges: Array,
    panels: Mapping[str, Array],
    names: Sequence[str],
    unit: str,
    *,
    reach: tuple[float, float],
) -> Figure:
    """Draw what is released by element against altitude, one panel for each kind of particle.

    Parameters
    ----------
    edges : array (alt + 1,)
        Edges of the bins, km.
    panels : mapping of str to array (element, alt)
        Title of the panel and values.
    names : sequence of str
        Elements.
    unit : str
        Label of the values.
    reach : (float, float)
        Ends of the altitude axis, km.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(4.3 * len(panels) + 1.0, 5.4), layout="constrained")
    drawn = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (title, values) in zip(drawn, panels.items(), strict=True):
        low, high = release_limits(values)
        for k in np.argsort(-values.max(axis=1)):
            if values[k].max() <= low:
                continue
            turn = int(k) % len(_STYLES)
            filled = np.where(values[k] > 0.0, values[k], np.nan)
            axes.plot(filled, 0.5 * (edges[1:] + edges[:-1]), color=element_colour(names, names[k]), linestyle=_STYLES[turn],
                      linewidth=1.7, zorder=3 + turn, label=names[k])  # fmt: skip
        axes.set_xscale("log")
        axes.set(xlabel=unit, xlim=(low, high))
        axes.set_title(title, fontweight="bold", fontsize=11.0)
        axes.grid(True, **GRID)
        axes.set_axisbelow(True)
        _quiet_ticks(axes)
    drawn[0].set(ylabel="altitude, km", ylim=reach)
    handles, labels = drawn[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", frameon=False, title="largest\npeak first", title_fontsize=8.5)
    return figure


def release_limits(values: Array) -> tuple[float, float]:
    """Ends of the logarithmic axis of released amounts: below the smallest peak, above the largest."""
    peaks = values.max(axis=1)
    peaks = peaks[peaks > 0.0]
    if not peaks.size:
        return 1e-1, 1.0
    high = float(np.log10(peaks.max()) + 0.3)
    low = float(np.log10(peaks.min()) - 2.0)
    return 10.0 ** max(low, high - _MOST_DECADES), 10.0**high


def released_reach(edges: Array, *panels: Array) -> tuple[float, float]:
    """Altitudes, km, between which rates stand within the axes of `draw_release`, with some room."""
    some = np.flatnonzero(sum((values > release_limits(values)[0]).any(axis=0).astype(int) for values in panels))
    if not some.size:
        return float(edges[0]), float(edges[-1])
    return max(float(edges[0]), float(edges[some[0]]) - 2.0), min(float(edges[-1]), float(edges[some[-1] + 1]) + 2.0)


def draw_shares(names: Sequence[str], ablated: Array, ions: Array, error: Array | None = None) -> Figure:
    """Draw the share of each element that ablates, and of it the share that impact ionises, as bars.

    Parameters
    ----------
    names : sequence of str
        Elements, from top to bottom.
    ablated, ions : array (element,)
        Shares of the arriving element, and of the ablated atoms, 0 to 1.
    error : array (element,), optional
        Standard error of ``ablated``.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(8.4, 0.9 + 0.36 * len(names)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    place = np.arange(len(names))
    colours = [element_colour(names, name) for name in names]
    for axes, values, label in ((left, ablated, "ablated share of the element, %"), (right, ions, "ionised by impact, % of it")):
        axes.barh(place, 100.0 * values, 0.66, color=colours)
        top = 100.0 if axes is left else 100.0 * float(np.nanmax(values, initial=0.0)) or 1.0
        spread = 100.0 * error if error is not None and axes is left else np.zeros(len(names))
        if spread.any():
            axes.errorbar(100.0 * values, place, xerr=spread, fmt="none", ecolor="#1b1b1b", elinewidth=1.1, capsize=2.5)
        for y, value, width in zip(place, 100.0 * values, spread, strict=True):
            axes.text(value + width + 0.012 * top, y, f"{value:.3g}", va="center", fontsize=9.0, color="#333333")
        axes.set(xlabel=label, xlim=(0.0, 1.14 * top))
        axes.grid(True, axis="x", **GRID)
        axes.set_axisbelow(True)
    left.set_xticks(range(0, 101, 20))
    left.set_yticks(place, names)
    left.set_ylim(len(names) - 0.4, -0.6)
    return figure


def draw_mass_influx(bounds: Array, per_decade: Array) -> Figure:
    """Draw the mass influx per decade of mass, in steps: the area is the influx.

    Parameters
    ----------
    bounds : array (bin, 2)
        Lower and upper masses, g.
    per_decade : array (bin,)
        t a year per decade.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(6.6, 3.8), layout="constrained")
    axes = figure.subplots()
    axes.stairs(per_decade, np.append(bounds[:, 0], bounds[-1, 1]), fill=True, color="#9fb8cc")
    axes.stairs(per_decade, np.append(bounds[:, 0], bounds[-1, 1]), color=COLOURS[0], linewidth=1.4)
    axes.set_xscale("log")
    axes.set(xlabel="mass of the meteoroid, g", ylabel="mass influx, t a year\nper decade of mass", ylim=(0.0, None))
    axes.set_xlim(bounds[0, 0], bounds[-1, 1])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_major_locator(LogLocator(numticks=10))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(True, **GRID)
    axes.set_axisbelow(True)
    return figure


def _quiet_ticks(axes: Axes) -> None:
    axes.xaxis.set_major_locator(LogLocator(numticks=6))
    axes.xaxis.set_minor_formatter(NullFormatter())
