"""Figures of debris against the natural input: ratio by element and scenario, ratio by year."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from .selection import Array
from .wave_figures import COLOURS, GRID

_MARKS = "osD^vP"
_BAND = "#9fc3de"
_COLUMNS = 5


def draw_ratios(names: Sequence[str], scenarios: Sequence[str], values: Array, lower: Array, upper: Array) -> Figure:
    """Draw the ratio of debris to natural input by element, one mark with its ends for each scenario.

    Parameters
    ----------
    names, scenarios : sequence of str
        Elements from left to right, scenarios.
    values, lower, upper : array (element, scenario)
        Ratios and their 16 and 84 % ends.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(max(5.0, 1.6 + 0.46 * len(names)), 5.2), layout="constrained")
    axes = figure.subplots()
    step = 0.76 / max(1, len(scenarios))
    for k, scenario in enumerate(scenarios):
        place = np.arange(len(names)) + (k - 0.5 * (len(scenarios) - 1)) * step
        ends = np.maximum([values[:, k] - lower[:, k], upper[:, k] - values[:, k]], 0.0)
        axes.errorbar(place, values[:, k], ends, fmt=_MARKS[k % len(_MARKS)], color=COLOURS[k % len(COLOURS)], markersize=4.5,
                      elinewidth=1.3, label=scenario)  # fmt: skip
    for edge in range(1, len(names), 2):
        axes.axvspan(edge - 0.5, edge + 0.5, color="#f3f5f7", zorder=0)
    axes.axhline(1.0, color="black", linewidth=1.2)
    axes.set_xticks(range(len(names)), names)
    axes.set(yscale="log", xlim=(-0.5, len(names) - 0.5), ylabel="debris over natural input")
    axes.set_ylim(0.6 * float(np.nanmin(lower)), 1.7 * float(np.nanmax(upper)))
    _plain_decades(axes)
    axes.annotate("parity", (1.0, 1.0), (4, 0), xycoords=("axes fraction", "data"), textcoords="offset points", va="center",
                  fontsize=9.0)  # fmt: skip
    axes.grid(True, axis="y", **GRID)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=min(6, len(scenarios)), frameon=False, title="scenario")
    return figure


def draw_ratio_by_year(
    names: Sequence[str], years: Array, values: Array, lower: Array, upper: Array, parity: Sequence[tuple[float, float, float]]
) -> Figure:
    """Draw the ratio against the year, a panel for each element, with its band and the year of parity.

    Parameters
    ----------
    names : sequence of str
        Elements.
    years : array (year,)
        Calendar years.
    values, lower, upper : array (element, year)
        Ratios and their 16 and 84 % ends.
    parity : sequence of (float, float, float)
        Year of parity and its ends by element; NaN where there is none to draw.

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(1.0 + 1.78 * columns, 0.9 + 1.55 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for k, (axes, name) in enumerate(zip(panels, names, strict=False)):
        axes.fill_between(years, lower[k], upper[k], color=_BAND, linewidth=0.0, label="16 to 84 %")
        axes.plot(years, values[k], color=COLOURS[0], linewidth=1.5, label="median")
        axes.axhline(1.0, color="black", linewidth=1.0, label="parity")
        year, low, high = parity[k]
        if np.isfinite(year) and year <= years[-1]:
            axes.errorbar([year], [1.0], xerr=[[year - low], [high - year]], fmt="D", color=COLOURS[1], markersize=4.5,
                          elinewidth=2.0, label="year of parity", zorder=4)  # fmt: skip
        axes.set_title(name, loc="left", fontsize=10.5, fontweight="bold", pad=3.0)
        axes.set_yscale("log")
        axes.grid(True, **GRID)
        axes.set_axisbelow(True)
    # ends of years of parity beyond the series are cut: the table has them
    panels[0].set(xlim=(years[0], years[-1]), ylim=(0.7 * float(np.nanmin(lower)), 1.4 * float(np.nanmax(upper))))
    _plain_decades(panels[0])
    panels[0].xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10], integer=True))
    for axes in panels[len(names):]:  # fmt: skip
        axes.set_visible(False)
    for axes in panels[: len(names)]:
        axes.tick_params(labelsize=8.5)
        axes.xaxis.set_tick_params(labelbottom=True)
    handles = {label: one for axes in panels for one, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=4, frameon=False)
    figure.supylabel("debris over natural input", fontsize=10.0)
    figure.supxlabel("year", fontsize=10.0)
    return figure


def _plain_decades(axes: Axes) -> None:
    axes.yaxis.set_major_locator(LogLocator(10.0, numticks=12))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
