"""Figures of the design of an observation: mass resolution, smallest fractions, angles, gain, use of an orbit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from .residence_figures import region_colour
from .selection import Array, species_label
from .wave_figures import COLOURS, GRID

_MARKERS = "osD^vP*X"
_MARK = "#444444"


@dataclass(frozen=True)
class Curve:
    """Points of one quantity, and lines at values of it: label and value."""

    label: str
    series: Mapping[str, Array]
    lines: Mapping[str, float]


def plain_count(value: float) -> str:
    """A number of counts in three digits without a power of ten, such as 56 400."""
    if not 10.0 <= value < 1e9:
        return f"{value:.3g}"
    rounded = float(f"{value:.3g}")
    return f"{rounded:.0f}" if rounded < 1e4 else f"{rounded:,.0f}".replace(",", "\N{NO-BREAK SPACE}")


def _grid(axes: Axes) -> None:
    axes.grid(True, **GRID)
    axes.set_axisbelow(True)


def _number_ticks(axes: Axes, places: Sequence[float]) -> None:
    axes.set_xticks(list(places), [f"{place:g}" for place in places])
    axes.xaxis.set_minor_formatter(NullFormatter())


def draw_separation(resolution: Array, curves: Sequence[Curve], marks: Mapping[str, float]) -> Figure:
    """Draw what each m/dm needs, one panel for each quantity, on logarithmic axes.

    Parameters
    ----------
    resolution : array
        m/dm.
    curves : sequence of Curve
        Panels from left to right; infinite values are drawn as triangles at the top.
    marks : mapping of str to float
        Values of m/dm that are marked, by name.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(1.6 + 3.3 * len(curves) + (2.0 if len(curves) == 1 else 0.0), 4.3), layout="constrained")
    panels = figure.subplots(1, len(curves), squeeze=False)[0]
    order = np.argsort(resolution)
    handles: dict[str, Artist] = {}
    for axes, curve in zip(panels, curves, strict=True):
        axes.set(xscale="log", yscale="log", xlabel="m/dm (full width at half maximum)", ylabel=curve.label)
        known = np.concatenate([[v for v in values if np.isfinite(v) and v > 0.0] for values in curve.series.values()])
        known = np.append(known, [v for v in curve.lines.values() if v > 0.0])
        low, high = (known.min() / 2.5, known.max() * 2.5) if known.size else (0.1, 10.0)
        axes.set_ylim(low, high)
        for k, (words, values) in enumerate(curve.series.items()):
            one = axes.plot(resolution[order], np.where(np.isfinite(values), values, np.nan)[order], linestyle=":", linewidth=1.0,
                            marker=_MARKERS[k], color=COLOURS[k], markersize=7, label=words,
                            markerfacecolor=COLOURS[k] if not k else "white")[0]  # fmt: skip
            handles.setdefault(words, one)
            never = np.isinf(values)
            if never.any():
                mark = axes.plot(resolution[never], np.full(never.sum(), high / 1.15), "^", color=COLOURS[k], markersize=9)[0]
                handles.setdefault("never: no number is enough", mark)
        for k, (words, value) in enumerate(curve.lines.items()):
            handles.setdefault(words, axes.axhline(value, color="#a02020", linestyle=("--", "-.")[k % 2], linewidth=1.2))
        for k, (words, value) in enumerate(marks.items()):
            handles.setdefault(words, axes.axvline(value, color=_MARK, linestyle=("--", ":")[k % 2], linewidth=1.2))
        ends = [*resolution, *marks.values()]
        axes.set_xlim(min(ends) / 1.6, max(ends) * 1.6)
        _number_ticks(axes, sorted(set(map(float, resolution))))
        _grid(axes)
    figure.legend(list(handles.values()), list(handles), loc="outside upper center", ncols=2 if len(curves) == 1 else 3,
                  frameon=False, fontsize=9.0)  # fmt: skip
    return figure


@dataclass(frozen=True)
class PeakPanel:
    """Expected counts along mass per charge or time of flight: title, edges, counts (species, bin)."""

    title: str
    edges: Array
    counts: Array


def draw_peaks(panels: Sequence[PeakPanel], species: Sequence[str], label: str) -> Figure:
    """Draw the expected counts of all species, one panel for each case, minor species last and filled.

    Parameters
    ----------
    panels : sequence of PeakPanel
        From top to bottom.
    species : sequence of str
        Of the rows of the counts.
    label : str
        Of the axis.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(8.4, 1.1 + 2.1 * len(panels)), layout="constrained")
    shown = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
    for axes, panel in zip(shown, panels, strict=True):
        total = panel.counts.sum(axis=0)
        top = float(total.max())
        axes.stairs(total, panel.edges, color="black", linewidth=1.1, label="all")
        for k, (name, row) in enumerate(zip(species, panel.counts, strict=True)):
            last = k == len(species) - 1
            axes.stairs(row, panel.edges, color=COLOURS[k % len(COLOURS)], linewidth=1.6 if last else 1.2, fill=last,
                        alpha=0.75 if last else 1.0, label=species_label(name))  # fmt: skip
        low = max(1e-6 * top, min(1e-3 * top, 0.02 * float(panel.counts[-1].max())))
        axes.set(yscale="log", ylim=(low, 3.0 * top), ylabel="counts per bin")
        seen = np.flatnonzero(total > low)
        axes.set_xlim(panel.edges[seen[0]], panel.edges[seen[-1] + 1])
        axes.text(0.985, 0.93, panel.title, transform=axes.transAxes, ha="right", va="top", fontweight="bold",
                  bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5})  # fmt: skip
        _grid(axes)
    shown[-1].set_xlabel(label)
    figure.legend(*shown[0].get_legend_handles_labels(), loc="outside upper center", ncols=6, frameon=False, fontsize=9.5)
    return figure


def draw_detection(counts: Array, fractions: Mapping[str, Array], major: str, minor: str) -> Figure:
    """Draw the smallest detectable fraction against the counts of the major ion.

    Parameters
    ----------
    counts : array
        Of the major ion.
    fractions : mapping of str to array
        By case; nan where none can be detected.
    major, minor : str
        The ions.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(7.6, 4.9), layout="constrained")
    axes = figure.subplots()
    order = np.argsort(counts)
    span = np.array([counts.min() / 1.8, counts.max() * 1.8])
    axes.plot(span, 1.0 / span, color="#8a8a8a", linestyle="--", linewidth=1.2, label=f"one count of {species_label(minor)}")
    for k, (words, values) in enumerate(fractions.items()):
        axes.plot(counts[order], values[order], marker=_MARKERS[k % len(_MARKERS)], color=COLOURS[k % len(COLOURS)], markersize=6,
                  linewidth=1.3, label=words)  # fmt: skip
    axes.set(xscale="log", yscale="log", xlim=span, xlabel=f"counts of {species_label(major)}",
             ylabel=f"smallest detectable {species_label(minor)} / {species_label(major)}, counts")  # fmt: skip
    _grid(axes)
    figure.legend(loc="outside right upper", frameon=False, fontsize=9.0)
    return figure


def draw_angles(resolution: Array, cone: Array, source: Array, smooth: tuple[Array, Array, Array], wanted: float) -> Figure:
    """Draw what angular resolution does to a cone and to the place of a source.

    Parameters
    ----------
    resolution : array
        Degrees.
    cone : array
        Counts that show the cone.
    source : array
        Error of the place of the source from one count, km.
    smooth : (resolution, cone, source)
        The same for the resolutions that divide 180 degrees into equal bins.
    wanted : float
        Wanted error of the place, km.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(9.6, 4.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(smooth[0], smooth[1], color=COLOURS[0], linewidth=1.2)
    left.plot(resolution, cone, "o", color=COLOURS[0], markersize=7)
    left.set(ylabel="counts of all pitch angles that show the cone")
    for k, (number, style) in enumerate(((1, "-"), (10, "--"), (100, ":"))):
        right.plot(smooth[0], smooth[2] / np.sqrt(number), color=COLOURS[1], linestyle=style, linewidth=1.4 - 0.2 * k,
                   label="1 count" if number == 1 else f"{number} counts")  # fmt: skip
    right.plot(resolution, source, "o", color=COLOURS[1], markersize=7)
    right.axhline(wanted, color=_MARK, linestyle="-.", linewidth=1.2, label=f"wanted: {wanted:g} km")
    right.set(ylabel="standard error of the place of the source, km")
    right.legend(fontsize=9.0)
    for axes in (left, right):
        axes.set(xscale="log", yscale="log", xlabel="angular resolution, degrees")
        _number_ticks(axes, sorted(set(map(float, resolution))))
        _grid(axes)
        low, high = axes.get_ylim()
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 200.0 * low else (1.0,)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}".replace(",", " ")))
        axes.yaxis.set_minor_formatter(NullFormatter())
    return figure


def draw_gain(years: Array, points: Mapping[str, Array], smooth: tuple[Array, Mapping[str, Array]], floor: float) -> Figure:
    """Draw efficiency, effective exposure and limits against time, one panel each.

    Parameters
    ----------
    years : array
        Times that were asked for.
    points : mapping of str to array
        By label of the axis, at these times.
    smooth : (array, mapping of str to array)
        The same on a fine axis.
    floor : float
        Share of the efficiency that stays.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(11.0, 3.8), layout="constrained")
    panels = figure.subplots(1, len(points))
    for k, (axes, label) in enumerate(zip(panels, points, strict=True)):
        axes.plot(smooth[0], smooth[1][label], color=COLOURS[k], linewidth=1.4)
        axes.plot(years, points[label], "o", color=COLOURS[k], markersize=7)
        axes.set(xlabel="time since the begin, years", ylabel=label, xlim=(0.0, 1.05 * float(smooth[0][-1])))
        axes.set_ylim(bottom=0.0)
        _grid(axes)
    panels[1].plot(smooth[0], smooth[0], color="#8a8a8a", linestyle="--", linewidth=1.1, label="without fatigue")
    panels[1].legend(fontsize=9.0)
    if floor > 0.0:
        panels[0].axhline(floor, color="#8a8a8a", linestyle="--", linewidth=1.1, label="floor")
        panels[0].legend(fontsize=9.0)
    return figure


def draw_hours(regions: Sequence[str], hours: Array, counts: Array | None) -> Figure:
    """Draw the hours a year in each region as bars, with the expected counts where there are any.

    Parameters
    ----------
    regions : sequence of str
        From top to bottom.
    hours : array (region)
        Hours a year.
    counts : array (region), optional
        Expected counts a year.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(8.2, 1.2 + 0.36 * len(regions)), layout="constrained")
    axes = figure.subplots()
    colours = [region_colour(name, k) for k, name in enumerate(regions)]
    axes.barh(range(len(regions)), hours, 0.72, color=colours, edgecolor="#555555", linewidth=0.4)
    for k, value in enumerate(hours):
        words = f" {value:.0f} h" if value >= 9.5 else f" {value:.2g} h"
        words += f" ({value / 87.66:.1f} %)" if value >= 5.0 else ""
        words += f", {plain_count(float(counts[k]))} counts" if counts is not None else ""
        axes.text(value, k, words, va="center", ha="left", fontsize=9.0)
    axes.set_yticks(range(len(regions)), list(regions))
    axes.set(xlabel="hours a year", ylim=(len(regions) - 0.5, -0.5),
             xlim=(0.0, (1.3 if counts is None else 1.62) * max(float(hours.max()), 1.0)))  # fmt: skip
    axes.grid(True, axis="x", **GRID)
    axes.set_axisbelow(True)
    return figure
