"""Figures of where a spacecraft is: shares of regions by season and by time, and the wake of lunar ions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .selection import Array, species_label
from .wave_figures import COLOURS, GRID

Times = NDArray[np.datetime64]
REGION_COLOURS = {
    "ionosphere": "#332288", "plasmasphere": "#6a51a3", "ring current": "#88CCEE", "outer magnetosphere": "#44AA99",
    "auroral field lines": "#117733", "polar cap": "#999933", "lobe": "#DDCC77", "plasma sheet": "#CC6677",
    "magnetosphere": "#44AA99", "magnetosheath": "#882255", "solar wind": "#dddddd",
}  # fmt: skip
"""Colours that people with any colour vision can tell apart, by region; the order of the stack helps."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def region_colour(name: str, index: int) -> str:
    """Colour of a region; a further one where the name is not known."""
    return REGION_COLOURS.get(name, COLOURS[index % len(COLOURS)])


def draw_residence(regions: Sequence[str], shares: Array) -> Figure:
    """Draw the share of the time in each region by part of the year, as stacked bars.

    Parameters
    ----------
    regions : sequence of str
        From the bottom to the top.
    shares : array (region, part)
        They sum to 1; NaN where the orbit has no time in the part.

    Returns
    -------
    matplotlib.figure.Figure
    """
    count = shares.shape[1]
    figure = Figure(figsize=(8.2, 4.6), layout="constrained")
    axes = figure.subplots()
    bottom = np.zeros(count)
    for k, name in enumerate(regions):
        values = np.nan_to_num(shares[k]) * 100.0
        axes.bar(np.arange(count), values, 0.92, bottom=bottom, color=region_colour(name, k), edgecolor="white", linewidth=0.5,
                 label=name)  # fmt: skip
        bottom = bottom + values
    names = _MONTHS if count == len(_MONTHS) else [str(k + 1) for k in range(count)]
    axes.set_xticks(range(count), names)
    if count > 24:
        axes.set_xticks(range(0, count, max(1, count // 12)), names[:: max(1, count // 12)])
    axes.set(ylim=(0.0, 100.0), xlim=(-0.6, count - 0.4), ylabel="share of the time, %",
             xlabel="twelfth of the year, about the month" if count == len(_MONTHS) else "part of the year")  # fmt: skip
    axes.grid(True, axis="y", **GRID)
    axes.set_axisbelow(True)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside right center", frameon=False, fontsize=9.5)
    return figure


def draw_probability(time: Times, regions: Sequence[str], probability: Array) -> Figure:
    """Draw the probability (time, region) of the regions as a stack against time."""
    figure = Figure(figsize=(8.6, 3.4), layout="constrained")
    axes = figure.subplots()
    colours = [region_colour(name, k) for k, name in enumerate(regions)]
    if len(time) > 1:
        axes.stackplot(time, 100.0 * probability.T, colors=colours, labels=regions)
        axes.set_xlim(time[0], time[-1])
    else:
        bottom = np.concatenate([[0.0], np.cumsum(100.0 * probability[0])])
        for k, name in enumerate(regions):
            axes.bar([0], [100.0 * probability[0, k]], bottom=[bottom[k]], color=colours[k], label=name)
    axes.set(ylim=(0.0, 100.0), ylabel="probability, %")
    axes.grid(True, axis="y", color="white", linewidth=0.5, alpha=0.6)
    if len(time) > 1:
        _time_axis(axes)
    else:
        axes.set_xticks([0], [str(np.datetime_as_string(time[0], unit="m")).replace("T", " ")])
    figure.legend(loc="outside upper center", ncols=4, frameon=False, fontsize=9.5)
    return figure


def draw_wake(time: Times, places: Mapping[str, Array], inside: Mapping[str, NDArray[np.bool_]]) -> Figure:
    """Draw the place of the spacecraft by the axes of the wake (RE), and below when it is inside for each ion."""
    figure = Figure(figsize=(8.6, 2.9 + 0.3 * len(inside)), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2.6, 0.35 + 0.3 * len(inside)])
    marker = "o" if len(time) == 1 else None
    for k, (words, values) in enumerate(places.items()):
        upper.plot(time, values, color=COLOURS[k], linestyle=("-", "--", ":")[k % 3], linewidth=1.5, marker=marker, label=words)
    upper.axhline(0.0, color="#777777", linewidth=0.8)
    upper.set_ylabel("from the Moon, RE")
    upper.grid(True, **GRID)
    half = (time[1] - time[0]) / 2 if len(time) > 1 else np.timedelta64(1, "h")
    for k, flags in enumerate(inside.values()):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
        for first, after in zip(edges[::2], edges[1::2], strict=True):
            start, end = mdates.date2num(time[first] - half), mdates.date2num(time[after - 1] + half)
            lower.barh(k, end - start, 0.6, left=start, color=COLOURS[(3 + k) % len(COLOURS)])
    lower.set_yticks(range(len(inside)), [species_label(name) for name in inside])
    lower.set(ylim=(len(inside) - 0.4, -0.6), ylabel="inside", xlim=(time[0] - half, time[-1] + half))
    lower.grid(True, axis="x", **GRID)
    _time_axis(lower)
    figure.legend(*upper.get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False, fontsize=9.0)
    return figure


def _time_axis(axes: Axes) -> None:
    locator = mdates.AutoDateLocator(minticks=3, maxticks=10)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
    axes.set_xlabel("universal time")
