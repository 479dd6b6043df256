"""Figures of an analysis of waves: one event (Figure 5 of Lammer et al. 2025), the whole series, reasons, occurrence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from textwrap import wrap
from typing import Any

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from .selection import Array, species_label

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5D3A9B", "#7A7A00")
"""Colours of the ions, told apart by colour-blind readers too (the first six after Okabe and Ito)."""
GRID: dict[str, Any] = {"color": "#dddddd", "linewidth": 0.6}
_ACROSS, _ALONG = "#0072B2", "#D55E00"
_COMPONENTS = (r"$\delta B_{\perp 1}$, nT", r"$\delta B_{\perp 2}$, nT", r"$\delta B_{\parallel}$, nT")
_MOST_POINTS = 1500
"""Points of a line that are drawn; longer series show the median and the range of groups of points."""
_TIMES = ["%Y", "%b %Y", "%d %b", "%H:%M", "%H:%M", "%H:%M:%S"]
_LABEL_WIDTH = 0.11
"""Width of the label of a gyrofrequency over the width of the panel."""


@dataclass(frozen=True)
class WaveExample:
    """Series and spectrum of one event."""

    title: str
    species: str
    time: NDArray[np.datetime64]
    field: Array
    """Shape (sample, 3), nT: two components across the mean field, one along it, each less its mean."""
    frequency: Array
    """Hz."""
    across: Array
    along: Array
    """Spectral densities, nT2/Hz."""
    gyrofrequency: float
    band: tuple[float, float]
    """Hz."""
    others: Mapping[str, float] = dataclass_field(default_factory=dict)
    """Gyrofrequencies of the other ions that were sought, Hz."""


def species_colour(names: Sequence[str], name: str) -> str:
    """Colour of an ion among those of an analysis."""
    return COLOURS[list(names).index(name) % len(COLOURS)]


def time_axis(axes: Axes, time: NDArray[np.datetime64]) -> None:
    """Ticks and label of a time axis: the day, or the days, in words."""
    locator = mdates.AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(
        mdates.ConciseDateFormatter(
            locator, formats=_TIMES, zero_formats=["", *_TIMES[:2], "%d %b", *_TIMES[4:]], show_offset=False
        )
    )
    first, last = pd.Timestamp(time[0]), pd.Timestamp(time[-1])
    written = f"{first.day} {first:%B %Y}"
    if first.date() != last.date():
        written += f" to {last.day} {last:%B %Y}"
    axes.set_xlabel(f"universal time (UTC), {written}")


# ---------------------------------------------------------------------- one event


def draw_example(example: WaveExample) -> Figure:
    """Draw an event as Figure 5 of the paper: the field in mean-field-aligned axes on the left, its spectrum on the right.

    Parameters
    ----------
    example : WaveExample
        What to draw.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(10.4, 4.9))
    left = [figure.add_axes((0.068, 0.63 - 0.255 * k, 0.41, 0.235)) for k in range(3)]
    _draw_field(left, example)
    _draw_spectrum(figure.add_axes((0.565, 0.12, 0.42, 0.69)), example)
    figure.text(0.5, 0.965, example.title, ha="center", va="center", fontsize=11.5, fontweight="bold")
    return figure


def _draw_field(panels: Sequence[Axes], example: WaveExample) -> None:
    """Three components on one scale."""
    finite = np.abs(example.field[np.isfinite(example.field)])
    limit = 1.08 * float(finite.max()) if finite.size and finite.max() > 0.0 else 1.0
    for k, (axes, label) in enumerate(zip(panels, _COMPONENTS, strict=True)):
        axes.plot(example.time, example.field[:, k], color=_ACROSS if k < 2 else _ALONG, linewidth=0.7)
        axes.axhline(0.0, color="#777777", linewidth=0.6)
        axes.set(ylabel=label, ylim=(-limit, limit))
        axes.set_xlim(example.time[0], example.time[-1])  # type: ignore[arg-type]
        axes.grid(True, **GRID)
        axes.locator_params(axis="y", nbins=5)
        time_axis(axes, example.time)
        if k < 2:
            axes.set_xlabel("")
            axes.tick_params(labelbottom=False)


def _draw_spectrum(axes: Axes, example: WaveExample) -> None:
    lower, upper = example.band
    axes.axvspan(lower, upper, color="#E9E2C4", alpha=0.6, linewidth=0.0, zorder=0)
    for edge in example.band:
        axes.axvline(edge, color="#6b6b6b", linewidth=1.0, linestyle="--", zorder=1)
    for values, colour, label in (
        (example.across, _ACROSS, r"$P_\perp$, both components"),
        (example.along, _ALONG, r"$P_\parallel$"),
    ):
        good = np.isfinite(values) & (values > 0.0) & (example.frequency > 0.0)
        axes.plot(example.frequency[good], values[good], color=colour, linewidth=1.3, label=label, zorder=3)
    axes.set(xscale="log", yscale="log", xlabel="frequency, Hz", ylabel=r"power spectral density, nT$^2$ Hz$^{-1}$")
    shown = example.frequency[np.isfinite(example.frequency) & (example.frequency > 0.0)]
    if shown.size:
        axes.set_xlim(min(shown[0], 0.9 * lower), max(shown[-1], 1.1 * upper))
    _plain_frequencies(axes)
    axes.grid(True, which="major", **GRID)
    axes.legend(loc="lower left", framealpha=0.9, edgecolor="#dddddd")
    _mark_gyrofrequencies(axes, example)


def _plain_frequencies(axes: Axes) -> None:
    """Frequencies as plain numbers, also between the powers of ten where there are few of these."""
    low, high = axes.get_xlim()
    narrow = high / low < 100.0
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if narrow else (1.0,), numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _mark_gyrofrequencies(axes: Axes, example: WaveExample) -> None:
    """The gyrofrequency of the ion as a line over the whole height, those of the others as short marks at the top."""
    low, high = axes.get_xlim()
    axes.axvline(example.gyrofrequency, color="black", linewidth=1.4, zorder=2, gid="gyrofrequency")
    marks = [(example.gyrofrequency, f"$f_c$ {species_label(example.species)}", "black")]
    for name, value in example.others.items():
        if low <= value <= high:
            axes.plot([value, value], [0.93, 1.0], transform=axes.get_xaxis_transform(), color="#444444", linewidth=1.2,
                      zorder=2, gid=f"gyrofrequency {name}")  # fmt: skip
            marks.append((value, species_label(name), "#444444"))
    ends: list[float] = []
    for value, label, colour in sorted(marks):
        place = float(np.log(value / low) / np.log(high / low))
        row = next((k for k, end in enumerate(ends) if place - _LABEL_WIDTH / 2 > end), len(ends))
        ends[row : row + 1] = [place + _LABEL_WIDTH / 2]
        axes.annotate(label, (place, 1.0), (place, 1.02 + 0.055 * row), xycoords="axes fraction", textcoords="axes fraction",
                      ha="center", va="bottom", fontsize=9.5, color=colour)  # fmt: skip


# ---------------------------------------------------------------------- the whole series


@dataclass(frozen=True)
class Survey:
    """The windows of an analysis, as the overview shows them; the first dimension of every array is time."""

    time: NDArray[np.datetime64]
    stretch: NDArray[np.integer]
    strength: Array
    """nT."""
    distance: Array | None
    """Radii of the body."""
    species: tuple[str, ...]
    searched: NDArray[np.bool_]
    """Shape (time, species): there is a spectrum that resolves the ion."""
    detected: NDArray[np.bool_]
    """Shape (time, species)."""
    body: str


def draw_overview(survey: Survey) -> Figure:
    """Draw field strength, detections by ion, and distance against time.

    Parameters
    ----------
    survey : Survey
        The windows.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = len(survey.species)
    heights = [2.0, 0.5 + 0.33 * rows] + ([1.6] if survey.distance is not None else [])
    figure = Figure(figsize=(10.4, sum(heights) + 0.8), layout="constrained")
    panels = figure.subplots(len(heights), 1, sharex=True, gridspec_kw={"height_ratios": heights})
    _draw_line(panels[0], survey, survey.strength)
    panels[0].set_ylabel("|B|, nT")
    positive = survey.strength[survey.strength > 0.0]
    if positive.size and positive.max() > 30.0 * positive.min():
        panels[0].set_yscale("log")
    else:
        panels[0].set_ylim(bottom=0.0)
    _draw_detections(panels[1], survey)
    if survey.distance is not None:
        _draw_line(panels[2], survey, survey.distance)
        panels[2].set_ylabel(f"distance from\ncentre, R ({survey.body})")
    for axes in panels:
        axes.grid(True, **GRID)
        axes.margins(x=0.0)
    first, last = survey.time[0], survey.time[-1]
    if first == last:
        half = np.timedelta64(30, "s")
        panels[-1].set_xlim(first - half, last + half)
    time_axis(panels[-1], survey.time)
    return figure


def grouped(time: NDArray[np.datetime64], values: Array, stretch: NDArray[np.integer]) -> tuple[NDArray, Array, Array, Array]:
    """Times, medians, least and largest values of groups of points: few enough to draw, NaN between two stretches."""
    size = max(1, -(-len(values) // _MOST_POINTS))
    begins = np.flatnonzero(np.diff(stretch, prepend=stretch[:1] - 1) != 0)
    times: list[np.datetime64] = []
    rows: list[tuple[float, float, float]] = []
    for begin, end in zip(begins, [*begins[1:], len(values)], strict=True):
        for k in range(begin, end, size):
            part = values[k : min(k + size, end)]
            part = part[np.isfinite(part)]
            times.append(time[min(k + size // 2, end - 1)])
            rows.append((float(np.median(part)), part.min(), part.max()) if part.size else (np.nan,) * 3)
        times.append(time[end - 1])
        rows.append((np.nan,) * 3)
    middle, low, high = np.array(rows).T
    return np.array(times), middle, low, high


def _draw_line(axes: Axes, survey: Survey, values: Array) -> None:
    times, middle, low, high = grouped(survey.time, values, survey.stretch)
    axes.fill_between(times, low, high, color="#9fb8cc", linewidth=0.0)  # type: ignore[arg-type]
    axes.plot(times, middle, color="#0b4f8a", linewidth=1.0, marker="o" if len(survey.time) < 4 else None, markersize=4)


def _draw_detections(axes: Axes, survey: Survey) -> None:
    """A grey line where the ion was sought, and a mark at every window with a wave."""
    for k, name in enumerate(survey.species):
        y = len(survey.species) - 1 - k
        _draw_spans(axes, survey, survey.searched[:, k], y)
        when = survey.time[survey.detected[:, k]]
        axes.plot(when, np.full(len(when), y), linestyle="none", marker="|", markersize=13, markeredgewidth=1.2,
                  color=species_colour(survey.species, name), gid=f"detections {name}")  # fmt: skip
    axes.set_yticks(range(len(survey.species)), [species_label(name) for name in reversed(survey.species)])
    axes.set_ylim(-0.6, len(survey.species) - 0.4)
    axes.set_ylabel("windows\nwith a wave")


def _draw_spans(axes: Axes, survey: Survey, mask: NDArray[np.bool_], y: float) -> None:
    half = np.timedelta64(25, "s") if len(survey.time) < 2 else np.median(np.diff(survey.time)) / 2
    number = survey.stretch + 0
    change = np.flatnonzero((np.diff(mask.astype(int)) != 0) | (np.diff(number) != 0)) + 1
    for begin, end in zip([0, *change], [*change, len(mask)], strict=True):
        if mask[begin]:
            ends = [survey.time[begin] - half, survey.time[end - 1] + half]
            axes.plot(ends, [y, y], color="#c9d1d8", linewidth=3.5, solid_capstyle="butt", zorder=1)  # type: ignore[arg-type]


def draw_occurrence(
    edges: Array, searched: NDArray[np.integer], detected: NDArray[np.integer], species: Sequence[str], body: str
) -> Figure:
    """Draw the share of windows with a wave by distance, and the number of windows behind it.

    Parameters
    ----------
    edges : array (bin + 1)
        Ends of the bins, radii of the body.
    searched, detected : array (bin, species)
        Windows in which the ion was sought, and those with a wave.
    species : sequence of str
        Ions.
    body : str
        Name of the body.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(7.2, 5.0), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (2.0, 1.0)})
    share = np.divide(100.0 * detected, searched, out=np.full(searched.shape, np.nan), where=searched > 0)
    width = np.diff(edges) * 0.8 / len(species)
    for k, name in enumerate(species):
        place = edges[:-1] + 0.1 * np.diff(edges) + (k + 0.5) * width
        colour = species_colour(species, name)
        top.bar(place, np.nan_to_num(share[:, k]), width, color=colour, label=species_label(name))
        bottom.plot(0.5 * (edges[1:] + edges[:-1]), np.where(searched[:, k] > 0, searched[:, k], np.nan), color=colour,
                    marker="os^Dv*"[k % 6], markersize=5, linewidth=1.0)  # fmt: skip
    top.set(ylabel="windows with a wave, %", xlim=(edges[0], edges[-1]))
    bottom.set(yscale="log", xlabel=f"distance from the centre, radii of {body}", ylabel="windows\nin which sought")
    largest = max(1, int(searched.max()))
    bottom.set_ylim(0.5, 3.0 * largest)
    bottom.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    figure.legend(loc="outside upper center", frameon=False, ncols=min(6, len(species)))
    for axes in (top, bottom):
        axes.grid(True, axis="y", **GRID)
        axes.set_axisbelow(True)
    return figure


def draw_rejections(words: Sequence[str], share: Array, species: Sequence[str]) -> Figure:
    """Draw how often each reason stands against a wave, as bars by ion.

    Parameters
    ----------
    words : sequence of str
        Reasons, from top to bottom.
    share : array (reason, species)
        Part of the windows, %.
    species : sequence of str
        Ions.

    Returns
    -------
    matplotlib.figure.Figure
    """
    number = max(1, len(species))
    step = max(0.52, 0.17 * number + 0.12)
    figure = Figure(figsize=(9.6, 1.0 + step * len(words)), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / number
    for k, name in enumerate(species):
        place = np.arange(len(words)) - 0.4 + (k + 0.5) * height
        axes.barh(place, share[:, k], 0.9 * height, color=species_colour(species, name), label=species_label(name))
        for y, value in zip(place, share[:, k], strict=True):
            said = "0" if value == 0.0 else "<1" if value < 1.0 else f"{value:.0f}"
            axes.text(value + 0.8, y, said, va="center", ha="left", fontsize=8.0, color="#444444")
    axes.set_yticks(range(len(words)), ["\n".join(wrap(one, 44)) for one in words])
    axes.set(xlabel="windows, %", xlim=(0.0, 106.0), ylim=(len(words) - 0.4, -0.6))
    axes.set_xticks(range(0, 101, 20))
    axes.grid(True, axis="x", **GRID)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper center", frameon=False, ncols=min(6, number))
    return figure
