"""Figures of the supply from the ionosphere: shares of ions that escape, shares that pass each altitude."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator
from numpy.typing import NDArray

from .selection import Array, species_label
from .wave_figures import GRID, species_colour

_MARKERS = "os^Dvp*X"
_MOST_COLUMNS = 3
_TICKS_KM = (100, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 4000, 6000, 10000, 15000, 20000, 30000)


@dataclass(frozen=True)
class Shares:
    """Shares with their ends; where ``limit`` is true the value is an upper limit, where ``poor`` it rests on a few ions."""

    value: Array
    lower: Array
    upper: Array
    limit: NDArray[np.bool_]
    poor: NDArray[np.bool_]


@dataclass(frozen=True)
class Passing:
    """Shares that pass altitudes, by species, for one state: title, shares (species, alt), start of the main waves (km)."""

    title: str
    shares: Shares
    main_altitude: float


def draw_escape(panels: Mapping[str, Shares], names: Sequence[str], place: Array, label: str, logarithmic: bool) -> Figure:
    """Draw shares of the upward flux that escape, one panel for each title.

    Parameters
    ----------
    panels : mapping of str to Shares
        Title and shares of shape (species, place).
    names : sequence of str
        Ions.
    place : array (place,)
        Wave power or altitude of the start.
    label : str
        Label of it with units.
    logarithmic : bool
        Whether its axis is.

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = min(len(panels), _MOST_COLUMNS)
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(3.3 * columns + 0.9 if columns > 1 else 6.2, 4.1 * rows), layout="constrained")
    drawn = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    lowest = _lowest(panels.values())
    for axes, (title, shares) in zip(drawn, panels.items(), strict=False):
        for k, name in enumerate(names):
            x = _beside(place, k, len(names), logarithmic)
            one = Shares(*(part[k] for part in vars(shares).values()))
            _draw_shares(axes, x, one, species_colour(names, name), k, name, lowest)
        axes.set_title(title, fontsize=11.0, fontweight="bold")
        axes.set_yscale("log")
        axes.set_ylim(lowest, 1.6)
        axes.set_xscale("log" if logarithmic else "linear")
        if logarithmic:
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.xaxis.set_major_locator(LogLocator(numticks=6))
        axes.grid(True, **GRID)
        axes.set_axisbelow(True)
        axes.axhline(1.0, color="#999999", linewidth=0.8)
    for axes in drawn[len(panels) :]:
        axes.set_visible(False)
    figure.supxlabel(label, fontsize=10.0)
    figure.supylabel("share of the upward flux that escapes", fontsize=10.0)
    handles, labels = drawn[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", frameon=False, ncols=min(8, len(names)))
    return figure


def draw_escape_points(names: Sequence[str], shares: Shares) -> Figure:
    """Draw one share for each ion, from top to bottom; ``shares`` has shape (species,)."""
    figure = Figure(figsize=(6.4, 1.2 + 0.42 * len(names)), layout="constrained")
    axes = figure.subplots()
    lowest = _lowest([shares])
    for k, name in enumerate(names):
        colour, value = species_colour(names, name), float(shares.value[k])
        if shares.limit[k]:
            _arrow(axes, (value, k), (max(0.4 * value, lowest), k), colour)
            axes.plot(value, k, marker="|", color=colour, markersize=11)
        else:
            below = value < 1.25 * lowest
            ends = [[max(value - float(shares.lower[k]), 0.0)], [max(float(shares.upper[k]) - value, 0.0)]]
            place, face = 1.25 * lowest if below else value, "white" if shares.poor[k] else colour
            axes.errorbar(place, k, xerr=None if below else ends, fmt=_MARKERS[k % len(_MARKERS)], color=colour, capsize=3.0,
                          markersize=6.0, markerfacecolor=face)  # fmt: skip
    axes.set_xscale("log")
    axes.set(xlabel="share of the upward flux that escapes", xlim=(lowest, 1.6), ylim=(len(names) - 0.4, -0.6))
    axes.set_yticks(range(len(names)), [species_label(name) for name in names])
    axes.grid(True, **GRID)
    axes.set_axisbelow(True)
    return figure


def draw_passing(panels: Sequence[Passing], names: Sequence[str], altitude: Array) -> Figure:
    """Draw the share of the upward flux that passes each altitude, altitude upwards, one panel for each state.

    Parameters
    ----------
    panels : sequence of Passing
        From left to right; shares have shape (species, alt).
    names : sequence of str
        Ions.
    altitude : array (alt,)
        km, rising.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(4.4 * len(panels) + 0.6, 5.2), layout="constrained")
    drawn = figure.subplots(1, len(panels), sharey=True, sharex=True, squeeze=False)[0]
    lowest = _lowest([one.shares for one in panels])
    for axes, one in zip(drawn, panels, strict=True):
        for k, name in enumerate(names):
            _draw_passing_line(axes, one.shares, k, altitude, species_colour(names, name), name, lowest)
        axes.axhline(one.main_altitude, color="#444444", linestyle=":", linewidth=1.2)
        axes.annotate("main waves above", (0.015, one.main_altitude), xycoords=("axes fraction", "data"), xytext=(0, 3),
                      textcoords="offset points", fontsize=8.5, color="#444444")  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set(xlim=(lowest, 1.4), ylim=(float(altitude[0]), float(altitude[-1])))
        axes.set_xlabel("share of the upward flux that passes")
        axes.set_title(one.title, fontsize=11.0, fontweight="bold")
        axes.yaxis.set_major_locator(FixedLocator([tick for tick in _TICKS_KM if altitude[0] <= tick <= altitude[-1]]))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.grid(True, **GRID)
        axes.set_axisbelow(True)
    drawn[0].set_ylabel("altitude, km")
    handles, labels = drawn[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", frameon=False, ncols=min(8, len(names)))
    return figure


def _lowest(all_shares: Iterable[Shares]) -> float:
    """Lower end of the axis of shares: a decade, with room for the arrows; shares of a few ions do not count."""
    smallest = 0.3
    for shares in all_shares:
        values = np.where(shares.limit, shares.value / 3.0, np.where(shares.poor, np.nan, shares.value))
        smallest = min(smallest, float(np.nanmin(values[values > 0.0], initial=1.0)))
    return float(10.0 ** np.floor(np.log10(smallest) + 1e-9))


def _beside(place: Array, k: int, count: int, logarithmic: bool) -> Array:
    """Places a little apart for each ion, so that bars of error do not hide one another."""
    shift = (k - 0.5 * (count - 1)) / max(count, 1)
    if logarithmic:
        gap = np.diff(np.log10(place)).min() if len(place) > 1 else 1.0
        return np.asarray(place * 10.0 ** (0.12 * gap * shift))
    gap = np.diff(place).min() if len(place) > 1 else 1.0
    return np.asarray(place + 0.12 * gap * shift)


def _draw_shares(axes: Axes, x: Array, shares: Shares, colour: str, k: int, name: str, lowest: float) -> None:
    """Values with bars of error on a thin line, those of a few ions open, upper limits as bars with an arrow down."""
    well, poor = ~shares.limit & ~shares.poor, ~shares.limit & shares.poor
    low = np.maximum(shares.lower, 0.1 * lowest)
    ends = np.maximum(np.stack([shares.value - low, shares.upper - shares.value]), 0.0)
    marker = _MARKERS[k % len(_MARKERS)]
    axes.errorbar(x, np.where(well, shares.value, np.nan), yerr=np.where(well, ends, np.nan), fmt=f"{marker}-", markersize=5.5,
                  capsize=2.5, color=colour, linewidth=1.1, label=species_label(name), zorder=4)  # fmt: skip
    if poor.any():
        inside = np.maximum(shares.value, 1.25 * lowest)
        bars = np.where(shares.value > 1.25 * lowest, ends, np.nan)
        axes.errorbar(x[poor], inside[poor], yerr=bars[:, poor], fmt=marker, markersize=5.5, capsize=2.5, color=colour,
                      markerfacecolor="white", linewidth=0.9, zorder=3)  # fmt: skip
    for place, limit in zip(x[shares.limit], shares.value[shares.limit], strict=True):
        axes.plot(place, limit, marker="_", markersize=10, color=colour, zorder=3, gid="upper limit")
        _arrow(axes, (place, limit), (place, max(0.4 * limit, lowest)), colour)


def _draw_passing_line(axes: Axes, shares: Shares, k: int, altitude: Array, colour: str, name: str, lowest: float) -> None:
    well, poor = ~shares.limit[k] & ~shares.poor[k], ~shares.limit[k] & shares.poor[k]
    marked = np.flatnonzero(well)[2 * k + 1 :: 12]
    axes.plot(np.where(well, shares.value[k], np.nan), altitude, color=colour, linewidth=1.6, zorder=4,
              marker=_MARKERS[k % len(_MARKERS)], markevery=marked.tolist(), markersize=5.5,
              label=species_label(name))  # fmt: skip
    band = [np.where(well, np.maximum(end[k], lowest), np.nan) for end in (shares.lower, shares.upper)]
    axes.fill_betweenx(altitude, band[0], band[1], color=colour, alpha=0.22, linewidth=0.0, zorder=2)
    if poor.any():
        joined = poor.copy()
        joined[:-1] |= poor[1:] & well[:-1]
        axes.plot(
            np.where(joined, shares.value[k], np.nan), altitude, color=colour, linewidth=1.0, linestyle=(0, (2, 2)), zorder=3
        )
    if shares.limit[k].any():
        first = int(np.argmax(shares.limit[k]))
        limit = float(shares.value[k, first])
        axes.plot(limit, altitude[first], marker="|", markersize=9, color=colour)
        _arrow(axes, (limit, altitude[first]), (max(0.4 * limit, lowest), altitude[first]), colour)


def _arrow(axes: Axes, begin: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    look = {"arrowstyle": "-|>", "color": colour, "shrinkA": 0, "shrinkB": 0, "linewidth": 1.2}
    axes.annotate("", end, begin, arrowprops=look)
