"""Figures of metal layers after Figures 4.11 and 4.12 of the review: density in time and altitude, column, centroid, edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import matplotlib.dates as mdates
import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from .map_drawing import NO_VALUE
from .polar_map import cell_edges
from .selection import Array
from .wave_figures import COLOURS, GRID

Times = NDArray[np.datetime64]
_MOST_BARS = 150
_LONGEST_GAP = 2.5
"""Over the median step: where the next time is farther, nothing is drawn between."""
_DECADES = 1e-4


@dataclass(frozen=True)
class Line:
    """A height against time: name, values, colour, style."""

    name: str
    values: Array
    colour: str
    style: str = "-"


def draw_plane_of_time(
    time: Times, alt: Array, values: Array, label: str, *, lines: Sequence[Line] = (), threshold: float | None = None,
    logarithmic: bool = True, height: str = "altitude, km",
) -> Figure:  # fmt: skip
    """Draw values against time and altitude, with heights on top and the contour of a threshold.

    Parameters
    ----------
    time : array of datetime64 (time,)
        UTC, at least two.
    alt : array (alt,)
        km.
    values : array (time, alt)
        NaN where missing (grey).
    label : str
        Of the colour bar.
    lines : sequence of Line
        Heights, km.
    threshold : float, optional
        Value whose contour is drawn.
    logarithmic : bool
        Whether the colours are; values below the scale get its lowest colour.
    height : str
        Label of the altitude axis.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(8.6, 4.0), layout="constrained")
    axes = figure.subplots()
    times, shown = with_gaps(time, values)
    x, finite = mdates.date2num(times), shown[np.isfinite(shown)]
    norm = _norm(finite, threshold, logarithmic)
    floor = float(norm.vmin or 0.0)
    drawn = np.where(shown < floor, floor, shown) if logarithmic else shown
    mesh = axes.pcolormesh(cell_edges(x), cell_edges(alt), np.ma.masked_invalid(drawn).T, norm=norm, cmap="viridis")
    axes.set_facecolor(NO_VALUE)
    handles: list[Line2D | Patch] = []
    if threshold is not None and finite.size and finite.min() < threshold < finite.max():
        positive = np.where(np.isfinite(shown), np.maximum(shown, 1e-3 * threshold), np.nan)
        axes.contour(x, alt, np.ma.masked_invalid(np.log(positive)).T, [np.log(threshold)], colors="white", linewidths=1.0,
                     linestyles=":")  # fmt: skip
        handles.append(_handle("white", ":", f"threshold {_power(threshold)}"))
    for line in lines:
        moments, one = with_gaps(time, line.values[:, None])
        axes.plot(moments, one[:, 0], color="black", linewidth=2.6)
        axes.plot(moments, one[:, 0], color=line.colour, linewidth=1.5, linestyle=line.style)
        handles.append(_handle(line.colour, line.style, line.name))
    if not np.isfinite(shown).all():
        handles.append(Patch(color=NO_VALUE, label="no value"))
    below = logarithmic and finite.size and finite.min() < floor
    figure.colorbar(mesh, ax=axes, label=label, extend="min" if below else "neither", pad=0.015)
    edges = cell_edges(alt)
    axes.set(ylabel=height, ylim=(edges[0], edges[-1]))
    _time_axis(axes, time)
    if handles:
        figure.legend(handles=handles, loc="outside upper center", ncols=5, frameon=False, fontsize=9.0)
    return figure


def _handle(colour: str, style: Any, label: str) -> Line2D:
    """A line with a dark rim, so that pale colours are seen in the legend."""
    rim = [patheffects.Stroke(linewidth=3.4, foreground="black"), patheffects.Normal()]
    return Line2D([], [], color=colour, linewidth=1.8, linestyle=style, label=label, path_effects=rim)


def _norm(finite: Array, threshold: float | None, logarithmic: bool) -> Normalize:
    if not finite.size:
        return Normalize(0.0, 1.0)
    if not logarithmic:
        return Normalize(min(0.0, float(finite.min())), max(float(finite.max()), float(finite.min()) + 1e-9))
    highest = float(finite.max()) if finite.max() > 0.0 else 1.0
    least = float(finite[finite > 0.0].min(initial=highest)) if threshold is None else threshold / 5.0
    lowest = max(highest * _DECADES, min(least, highest / 10.0))
    return LogNorm(lowest, highest)


def with_gaps(time: Times, values: Array) -> tuple[Times, Array]:
    """Times and values (time, ...) with missing values put into long gaps, so that nothing is drawn across them."""
    steps = np.diff(time)
    if not len(steps):
        return time, values
    step = np.median(steps)
    wide = np.flatnonzero(steps > _LONGEST_GAP * step)
    places = np.repeat(wide + 1, 2)
    extra = np.stack([time[wide] + step, time[wide + 1] - step], axis=-1).reshape(-1)
    return np.insert(time, places, extra), np.insert(values, places, np.nan, axis=0)


def _time_axis(axes: Axes, time: Times) -> None:
    locator = mdates.AutoDateLocator(minticks=4, maxticks=10)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
    half = (time[1] - time[0]) / 2 if len(time) > 1 else np.timedelta64(30, "m")
    axes.set(xlabel="universal time", xlim=(time[0] - half, time[-1] + half))


@dataclass(frozen=True)
class Quantity:
    """A number of the layer against time: label, values, ends, flags (0 good) and their meanings."""

    label: str
    values: Array
    lower: Array
    upper: Array
    flag: NDArray[np.int64]
    meanings: Mapping[int, str] = field(default_factory=dict)


def draw_numbers(time: Times, quantities: Sequence[Quantity]) -> Figure:
    """Draw numbers of the layer against time, one panel each; times without a value are marked at the bottom by their flag.

    Parameters
    ----------
    time : array of datetime64 (time,)
        UTC.
    quantities : sequence of Quantity
        From top to bottom.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(8.6, 1.3 + 1.55 * len(quantities)), layout="constrained")
    panels = figure.subplots(len(quantities), 1, sharex=True, squeeze=False)[:, 0]
    colours: dict[str, str] = {}
    for axes, one in zip(panels, quantities, strict=True):
        _draw_quantity(axes, time, one)
        for flag in np.unique(one.flag[one.flag != 0]):
            meaning = one.meanings.get(int(flag), f"flag {flag}")
            colour = colours.setdefault(meaning, COLOURS[(1 + len(colours)) % len(COLOURS)])
            here = one.flag == flag
            axes.plot(time[here], np.full(int(here.sum()), 0.05), "|", color=colour, markersize=7.0, markeredgewidth=1.4,
                      transform=axes.get_xaxis_transform())  # fmt: skip
    _time_axis(panels[-1], time)
    handles = [
        Line2D([], [], color=colour, marker="|", linestyle="none", markeredgewidth=1.6, label=f"flag: {meaning}")
        for meaning, colour in colours.items()
    ]
    if handles:
        figure.legend(handles=handles, loc="outside upper center", ncols=2, frameon=False, fontsize=9.0)
    return figure


def _draw_quantity(axes: Axes, time: Times, one: Quantity) -> None:
    good = np.isfinite(one.values)
    ends = np.stack([one.values - one.lower, one.upper - one.values])
    known = good & np.isfinite(ends).all(axis=0) & (ends > 0.0).any(axis=0)
    many = len(time) > _MOST_BARS
    moments, values = with_gaps(time, one.values[:, None])
    axes.plot(moments, values[:, 0], color=COLOURS[0], linewidth=1.0, marker=None if many else "o", markersize=3.0)
    if known.any() and many:
        ends = with_gaps(time, np.stack([one.lower, one.upper], axis=1))[1]
        axes.fill_between(moments, ends[:, 0], ends[:, 1], color=COLOURS[0], alpha=0.25, linewidth=0)
    elif known.any():
        axes.errorbar(time[known], one.values[known], yerr=np.maximum(ends[:, known], 0.0), fmt="none", ecolor=COLOURS[0],
                      elinewidth=1.0)  # fmt: skip
    if good.any():
        shown = np.concatenate([one.values[good], one.lower[known], one.upper[known]])
        low, high = float(shown.min()), float(shown.max())
        room = max(high - low, 1e-3 * abs(high), 1e-9)
        axes.set_ylim(low - (0.22 if (one.flag != 0).any() else 0.08) * room, high + 0.08 * room)
    else:
        axes.text(0.5, 0.5, "no value at any time", transform=axes.transAxes, ha="center", va="center", color="#777777")
        axes.set_yticks([])
    axes.ticklabel_format(axis="y", style="sci", scilimits=(-3, 5), useMathText=True, useOffset=False)
    axes.set_ylabel(one.label, fontsize=9.5)
    axes.grid(True, **GRID)
    axes.set_axisbelow(True)


@dataclass(frozen=True)
class Profile:
    """One profile: altitudes (km), densities, standard errors or None, the true densities or None, heights by name."""

    alt: Array
    density: Array
    error: Array | None
    truth: Array | None
    threshold: float
    heights: Mapping[str, float]


def draw_profile_of_layer(one: Profile, title: str) -> Figure:
    """Draw a density profile with its errors, the threshold and the heights found."""
    figure = Figure(figsize=(5.4, 5.0), layout="constrained")
    axes = figure.subplots()
    positive = one.density > 0.0
    if one.truth is not None:
        axes.plot(one.truth, one.alt, color="#777777", linewidth=3.0, alpha=0.6, label="true density")
    if one.error is not None:
        axes.errorbar(one.density, one.alt, xerr=one.error, fmt="o", color=COLOURS[0], markersize=3.5, elinewidth=1.0,
                      label="density, one standard error")  # fmt: skip
    else:
        axes.plot(one.density, one.alt, "o-", color=COLOURS[0], markersize=3.0, linewidth=1.0, label="density")
    axes.axvline(one.threshold, color="#444444", linestyle=":", linewidth=1.3, label=f"threshold {_power(one.threshold)}")
    for k, (name, height) in enumerate(one.heights.items()):
        if np.isfinite(height):
            axes.axhline(height, color=COLOURS[1 + k], linestyle=("-", "--", "-.")[k % 3], linewidth=1.3,
                         label=f"{name} {height:.1f} km")  # fmt: skip
    largest = float(np.nanmax(one.density)) if positive.any() else 10.0 * one.threshold
    axes.set(xscale="log", xlim=(min(one.threshold / 5.0, largest / 100.0), 2.5 * largest), xlabel=r"density, m$^{-3}$",
             ylabel="altitude, km", title=title)  # fmt: skip
    axes.grid(True, **GRID)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9.0)
    return figure


def draw_optical_depth(alt: Array, middle: Array, largest: Array, thin: float) -> Figure:
    """Draw the optical depth along the line of sight against tangent altitude: median and largest of the times."""
    figure = Figure(figsize=(5.4, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(thin, 1e6, color="#D55E00", alpha=0.12, linewidth=0, label="not thin: the results do not hold")
    axes.axvline(thin, color="#D55E00", linewidth=1.2)
    if not np.array_equal(middle, largest):
        axes.plot(largest, alt, color=COLOURS[0], linewidth=1.2, linestyle="--", label="largest of the times")
    axes.plot(middle, alt, "o-", color=COLOURS[0], markersize=3.5, linewidth=1.2, label="optical depth (median of the times)")
    top = max(float(largest.max()), thin)
    axes.set(xscale="log", xlim=(top * 1e-4, 3.0 * top), xlabel="optical depth along the line of sight, line centre",
             ylabel="tangent altitude, km")  # fmt: skip
    axes.grid(True, **GRID)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=1, frameon=False, fontsize=9.0)
    return figure


def _power(value: float) -> str:
    mantissa, exponent = f"{value:.1e}".split("e")
    front = "" if float(mantissa) == 1.0 else f"{float(mantissa):g} × "
    return rf"{front}$10^{{{int(exponent)}}}$ m$^{{-3}}$"
