"""Figures of time-of-flight spectra: fit with residuals, batches in time, map of many spectra, energy against time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from siderion.spectrometer.counting.intervals import exact_interval

from .polar_map import cell_edges
from .selection import Array, species_label
from .wave_figures import COLOURS, GRID, time_axis

_DASHES = ("-", (0, (5, 1.5)), (0, (3, 1, 1, 1)), (0, (1, 1)))
_EXPECTED = "#555555"
_PLAIN_TICKS = [digit * 10.0**power for power in range(6) for digit in (1, 2, 3, 5, 7)]
_MOST_MARKS = 400
"""Points with error bars that are drawn; more are drawn without bars."""


@dataclass(frozen=True)
class FittedSpectrum:
    """One spectrum and its model.

    Attributes
    ----------
    time : array (tof)
        Centres of the bins, ns.
    counts, background : array (tof)
        Counts, and fitted background, per bin.
    species : mapping of str to array (tof)
        Model of each species.
    expected : mapping of str to float
        Time of flight at which most of a species arrives, ns; empty where it is not known.
    """

    time: Array
    counts: Array
    background: Array
    species: Mapping[str, Array] = field(default_factory=dict)
    expected: Mapping[str, float] = field(default_factory=dict)

    @property
    def model(self) -> Array:
        """Sum of species and background."""
        return self.background + sum(self.species.values(), np.zeros_like(self.background))


def deviance_residuals(counts: Array, model: Array) -> Array:
    """Signed roots of the contributions to the Poisson deviance, 2 (n ln(n / mu) - n + mu); NaN where mu is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm = np.where(counts > 0.0, counts * np.log(counts / model), 0.0)
        parts = 2.0 * np.maximum(logarithm - counts + model, 0.0)
    return np.where(model > 0.0, np.sign(counts - model) * np.sqrt(parts), np.nan)


def draw_fit(one: FittedSpectrum, words: str = "model") -> Figure:
    """Draw counts with exact error bars, the model by species, and the residuals below.

    Parameters
    ----------
    one : FittedSpectrum
        Spectrum and model.
    words : str
        What the sum is called.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(8.6, 6.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1.0))
    edges = cell_edges(one.time)
    for k, (name, row) in enumerate(one.species.items()):
        upper.stairs(row, edges, color=COLOURS[k % len(COLOURS)], linewidth=1.5, linestyle=_DASHES[k // len(COLOURS) % 4],
                     fill=False, label=species_label(name))  # fmt: skip
        upper.stairs(row, edges, color=COLOURS[k % len(COLOURS)], alpha=0.12, fill=True)
    if one.background.max() > 0.0:
        upper.stairs(one.background, edges, color="#888888", linestyle=":", linewidth=1.5, label="background")
    upper.stairs(one.model, edges, color="black", linewidth=1.0, label=words)
    seen = one.counts > 0.0
    low, high = exact_interval(np.round(one.counts[seen]).astype(int))
    bars = np.maximum([one.counts[seen] - low, high - one.counts[seen]], 0.0)
    upper.errorbar(one.time[seen], one.counts[seen], yerr=bars, fmt="o", color="#333333", markersize=2.8, elinewidth=0.9,
                   label="counts, 16 to 84 %", zorder=4)  # fmt: skip
    top = max(float(one.counts.max()), float(one.model.max()), 1.0)
    floor = 0.3 if not one.background.any() else min(0.3, 0.5 * float(one.background[one.background > 0.0].min()))
    upper.set(yscale="log", ylim=(max(floor, 1e-3), 8.0 * top), ylabel="counts in a bin")
    _mark_times(upper, one)
    residual = deviance_residuals(one.counts, one.model)
    for level in (-2.0, 2.0):
        lower.axhline(level, color="#888888", linestyle="--", linewidth=0.8)
    lower.axhline(0.0, color="#333333", linewidth=0.9)
    lower.plot(one.time, residual, ".", color="#0072B2", markersize=4)
    reach = max(4.0, 1.1 * float(np.nanmax(np.abs(residual), initial=0.0)))
    lower.set(ylim=(-reach, reach), xlabel="time of flight, ns", ylabel="deviance\nresidual", xlim=_span(one, edges))
    for axes in (upper, lower):
        axes.grid(True, **GRID)
        axes.set_axisbelow(True)
    figure.legend(*upper.get_legend_handles_labels(), loc="outside upper center", ncols=5, frameon=False)
    return figure


def _span(one: FittedSpectrum, edges: Array) -> tuple[float, float]:
    """Times with counts or model, and a little more."""
    there = np.flatnonzero((one.counts > 0.0) | (one.model - one.background > 0.05))
    first, last = (edges[there[0]], edges[there[-1] + 1]) if there.size else (edges[0], edges[-1])
    margin = 0.03 * (last - first)
    return max(first - margin, edges[0]), min(last + margin, edges[-1])


def _mark_times(axes: Axes, one: FittedSpectrum) -> None:
    """Triangles at the expected times, named; names of near neighbours stand above each other."""
    begin, end = _span(one, cell_edges(one.time))
    last, level = -np.inf, 0
    for name, time in sorted(one.expected.items(), key=lambda pair: pair[1]):
        if not begin <= time <= end:
            continue
        level = level + 1 if time - last < 0.05 * (end - begin) else 0
        colour = COLOURS[list(one.species).index(name) % len(COLOURS)] if name in one.species else _EXPECTED
        height = 0.965 - 0.055 * (level % 4)
        axes.plot(time, height - 0.035, "v", color=colour, markersize=6, transform=axes.get_xaxis_transform(), clip_on=False)
        axes.text(time, height - 0.015, species_label(name), transform=axes.get_xaxis_transform(), ha="center", va="bottom",
                  fontsize=9, color=colour)  # fmt: skip
        last = time


@dataclass(frozen=True)
class Course:
    """Counts of a species by spectrum: values with their ends, and whether a value is an upper limit."""

    values: Array
    lower: Array
    upper: Array
    limit: NDArray[np.bool_]


def draw_courses(place: NDArray, species: Mapping[str, Course], limit_words: str) -> Figure:
    """Draw the counts of each species against time or number of the spectrum, a panel for each.

    Parameters
    ----------
    place : array (spectrum)
        Times (datetime64), or numbers.
    species : mapping of str to Course
        From top to bottom.
    limit_words : str
        Words for open triangles.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(8.6, 0.9 + 1.9 * len(species)), layout="constrained")
    panels = figure.subplots(len(species), 1, sharex=True, squeeze=False)[:, 0]
    for k, (axes, (name, one)) in enumerate(zip(panels, species.items(), strict=True)):
        colour, real = COLOURS[k % len(COLOURS)], ~one.limit & np.isfinite(one.values)
        if place.size <= _MOST_MARKS:
            bars = np.maximum([one.values - one.lower, one.upper - one.values], 0.0)[:, real]
            axes.errorbar(place[real], one.values[real], yerr=bars, fmt="o", color=colour, markersize=4, elinewidth=1.1)
            axes.plot(place[one.limit], one.values[one.limit], "v", color=colour, markersize=5, markerfacecolor="white")
        else:
            axes.plot(place[real], one.values[real], ".", color=colour, markersize=2.5)
            axes.plot(place[one.limit], one.values[one.limit], "v", color=colour, markersize=2, alpha=0.35)
        axes.set_title(species_label(name), loc="left", fontsize=10.5, fontweight="bold")
        axes.set_ylim(bottom=0.0)
        axes.set_ylabel("counts")
        axes.grid(True, **GRID)
        axes.set_axisbelow(True)
    _along(panels[-1], place)
    handles = [panels[0].plot([], [], "o", color="#444444", label="counts, 16 to 84 %")[0],
               panels[0].plot([], [], "v", color="#444444", markerfacecolor="white", label=limit_words)[0]]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper center", ncols=2, frameon=False)
    return figure


def _along(axes: Axes, place: NDArray) -> None:
    if place.dtype.kind == "M":
        time_axis(axes, place)
    else:
        axes.set_xlabel("number of the spectrum")


def draw_map(place: NDArray, time: Array, counts: Array, expected: Mapping[str, float]) -> Figure:
    """Draw the counts of many spectra (spectrum, tof) as colours, times of flight upwards, expected times at the side."""
    figure = Figure(figsize=(8.6, 4.6), layout="constrained")
    axes = figure.subplots()
    shown = np.ma.masked_less_equal(counts.T, 0.0)
    norm = LogNorm(max(float(shown.min()) if shown.count() else 1.0, 0.5), max(float(counts.max()), 2.0))
    mesh = axes.pcolormesh(place, time, shown, norm=norm, cmap="viridis", shading="nearest")
    axes.set_ylim(*_times_of_interest(time, list(expected.values())))
    low, high = axes.get_ylim()
    shown_names: list[tuple[str, float]] = []
    for name, at in sorted(expected.items(), key=lambda pair: pair[1]):
        if not low < at < high:
            continue
        axes.axhline(at, color="#D55E00", linewidth=0.8, linestyle="--")
        if shown_names and at - shown_names[-1][1] < 0.05 * (high - low):
            shown_names[-1] = (f"{shown_names[-1][0]}, {species_label(name)}", shown_names[-1][1])
        else:
            shown_names.append((species_label(name), at))
    for words, at in shown_names:
        axes.annotate(words, (1.0, at), (4, 0), xycoords=("axes fraction", "data"), textcoords="offset points", va="center",
                      fontsize=9, color="#D55E00")  # fmt: skip
    _along(axes, place)
    axes.set_ylabel("time of flight, ns")
    figure.colorbar(mesh, ax=axes, label="counts in a bin", pad=0.06)
    return figure


def _times_of_interest(time: Array, expected: Sequence[float]) -> tuple[float, float]:
    """Range of the times of flight that the map shows: about the expected ones, where they are known."""
    if not expected:
        return float(time[0]), float(time[-1])
    return max(float(time[0]), 0.7 * min(expected)), min(float(time[-1]), 1.5 * max(expected))


def draw_goodness(chances: Array) -> Figure:
    """Draw how the goodness of fit is spread over many spectra, with what good fits would give."""
    figure = Figure(figsize=(5.4, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.hist(chances, bins=20, range=(0.0, 1.0), color="#0072B2", alpha=0.8)
    axes.axhline(chances.size / 20.0, color="black", linestyle="--", linewidth=1.1, label="all fits good")
    axes.set(xlabel="chance of a larger deviance, p", ylabel="spectra", xlim=(0.0, 1.0))
    axes.grid(True, axis="y", **GRID)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper right", frameon=False)
    return figure


def draw_energy_time(
    energy: Array, time: Array, counts: Array, model: Mapping[str, Array], tracks: Mapping[str, Array]
) -> Figure:
    """Draw counts (energy, tof) and the fitted model as maps, with the time of each species by energy.

    Parameters
    ----------
    energy, time : array
        eV per charge, and ns.
    counts : array (energy, tof)
        Measured.
    model : mapping of str to array (energy, tof)
        By species.
    tracks : mapping of str to array (energy)
        Expected time, ns.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(9.4, 4.6), layout="constrained")
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    total = sum(model.values(), np.zeros_like(counts))
    norm = LogNorm(0.1, max(float(counts.max()), 2.0))
    edges = np.exp(cell_edges(np.log(energy)))
    for axes, values, title in ((panels[0], counts, "(a) counts"), (panels[1], total, "(b) fitted species, no background")):
        mesh = axes.pcolormesh(cell_edges(time), edges, np.ma.masked_less(values, 0.1), norm=norm, cmap="viridis")
        for k, (name, track) in enumerate(tracks.items()):
            axes.plot(
                track, energy, color=("#D55E00", "#CC79A7", "#000000", "#E69F00")[k % 4], linestyle=_DASHES[k % 4], linewidth=1.3
            )
            axes.annotate(species_label(name), (track[-1], 1.0), (0, 3), xycoords=("data", "axes fraction"),
                          textcoords="offset points", ha="center", va="bottom", fontsize=9, annotation_clip=False)  # fmt: skip
        axes.set_title(title, fontsize=11, fontweight="bold", pad=20)
        axes.set(yscale="log", xlabel="time of flight, ns")
    where = np.flatnonzero(total.sum(axis=0) > 0.5)
    if where.size:
        panels[0].set_xlim(time[max(where[0] - 4, 0)], time[min(where[-1] + 4, time.size - 1)])
    panels[0].set_ylabel("energy per charge, eV/e")
    ticks = [value for value in _PLAIN_TICKS if edges[0] <= value <= edges[-1]]
    panels[0].set_yticks(ticks, [f"{value:g}" for value in ticks])
    panels[0].set_yticks([], minor=True)
    figure.colorbar(mesh, ax=list(panels), label="counts in a bin")
    return figure


def draw_velocities(speed: Array, share: Array) -> Figure:
    """Draw the common distribution of the velocity."""
    figure = Figure(figsize=(6.4, 3.0), layout="constrained")
    axes = figure.subplots()
    axes.stairs(100.0 * share, np.exp(cell_edges(np.log(speed))), color=COLOURS[0], fill=True, alpha=0.8)
    axes.set(xscale="log", xlabel="speed, km s$^{-1}$", ylabel="share of the events, %")
    ticks = [value for value in _PLAIN_TICKS if speed[0] <= value <= speed[-1]]
    axes.set_xticks(ticks, [f"{value:g}" for value in ticks])
    axes.set_xticks([], minor=True)
    axes.grid(True, **GRID)
    axes.set_axisbelow(True)
    return figure


def draw_candidates_of_peak(names: Sequence[str], before: Array, after: Array) -> Figure:
    """Draw the probability of each candidate for one peak before (hollow) and after the counts (bars)."""
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.subplots()
    place = np.arange(len(names))
    axes.bar(place, after, 0.6, color=COLOURS[0], alpha=0.85, label="after the counts")
    axes.plot(place, before, "D", markerfacecolor="white", markeredgecolor="black", markersize=7, label="before the counts")
    axes.set_xticks(place, [species_label(name) for name in names])
    axes.set(ylim=(0.0, 1.05), ylabel="probability")
    axes.grid(True, axis="y", **GRID)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure
