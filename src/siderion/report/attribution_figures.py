"""Figures of the attribution to sources: probabilities before and after, Bayes factors, channels, further data, events."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from .selection import Array, species_label
from .wave_figures import COLOURS, GRID

SOURCE_COLOURS = {"solar wind": "#E69F00", "ionosphere": "#0072B2", "metal layer": "#CC79A7", "Moon": "#6b6b6b"}
"""Colours of the sources, told apart by colour-blind readers too."""
_HATCHES = {"solar wind": "", "ionosphere": "///", "metal layer": "...", "Moon": "xx"}
_MARKS = "osD^v"
_ION = re.compile(r"[A-Z][A-Za-z0-9]*\++(/[A-Z][A-Za-z0-9]*\++)*")


@dataclass(frozen=True)
class Odds:
    """Probabilities (prior, source) that a source supplies the most: before, after, standard error of that after."""

    before: Array
    after: Array
    error: Array


def channel_label(name: str) -> str:
    """Name of a channel: ions with raised charge, windows as they are."""
    return species_label(name) if _ION.fullmatch(name) else name


def draw_probabilities(sources: Sequence[str], priors: Sequence[str], odds: Odds, threshold: float) -> Figure:
    """Draw the probability of each source after the counts as bars and before as hollow marks, grouped by source.

    Parameters
    ----------
    sources, priors : sequence of str
        Names.
    odds : Odds
        Probabilities.
    threshold : float
        Odds from which a source is named.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(8.2, 4.4), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(priors)
    for k, prior in enumerate(priors):
        place = np.arange(len(sources)) - 0.4 + (k + 0.5) * width
        axes.bar(place, odds.after[k], 0.9 * width, color=COLOURS[k], alpha=0.85, label=f"after the counts, prior {prior}")
        ends = np.stack([np.minimum(odds.error[k], odds.after[k]), np.minimum(odds.error[k], 1.0 - odds.after[k])])
        axes.errorbar(place, odds.after[k], yerr=ends, fmt="none", ecolor="black", elinewidth=1.2, capsize=3)
        axes.plot(place, odds.before[k], "D", markerfacecolor="white", markeredgecolor="black", markersize=7, zorder=5,
                  label="before the counts" if k == 0 else None)  # fmt: skip
    axes.axhline(threshold / (1.0 + threshold), color="black", linestyle="--", linewidth=1.1,
                 label=f"odds {threshold:g}: named if above under every prior")  # fmt: skip
    axes.set_xticks(range(len(sources)), sources)
    axes.set(ylim=(0.0, 1.02), ylabel="probability to supply the most counts", xlim=(-0.55, len(sources) - 0.45))
    axes.grid(True, axis="y", **GRID)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def draw_bayes_factors(
    sources: Sequence[str], priors: Sequence[str], factors: Array, ends: tuple[Array, Array], threshold: float
) -> Figure:
    """Draw the Bayes factors (prior, source) with the ends of their sampling error on a logarithmic axis."""
    figure = Figure(figsize=(8.2, 1.5 + 0.62 * len(sources)), layout="constrained")
    axes = figure.subplots()
    for k, prior in enumerate(priors):
        place = np.arange(len(sources)) + 0.2 * (k - 0.5 * (len(priors) - 1))
        bars = np.maximum([factors[k] - ends[0][k], ends[1][k] - factors[k]], 0.0)
        axes.errorbar(factors[k], place, xerr=bars, fmt=_MARKS[k % 5], color=COLOURS[k], markersize=6.5, elinewidth=1.3,
                      label=f"prior {prior}")  # fmt: skip
    axes.axvline(1.0, color="#333333", linewidth=1.1)
    for value in (threshold, 1.0 / threshold):
        axes.axvline(value, color="black", linestyle="--", linewidth=1.0)
    low = min(float(np.nanmin(ends[0])), 1.0 / threshold)
    axes.set(xscale="log", xlim=(0.5 * low, 2.0 * max(float(np.nanmax(ends[1])), threshold)), ylim=(len(sources) - 0.5, -0.5),
             xlabel="Bayes factor: odds after the counts over odds before")  # fmt: skip
    axes.set_yticks(range(len(sources)), sources)
    axes.grid(True, axis="x", **GRID)
    axes.set_axisbelow(True)
    for words, at, side in (("counts speak against", 0.01, "left"), ("counts speak for", 0.99, "right")):
        axes.text(at, 1.02, words, transform=axes.transAxes, ha=side, va="bottom", fontsize=9, color="#55606b")
    figure.legend(loc="outside upper center", ncols=len(priors), frameon=False)
    return figure


def draw_channels(channels: Sequence[str], counts: Array, sources: Sequence[str], priors: Sequence[str], shares: Array) -> Figure:
    """Draw the mean share of each source in each channel, a panel for each prior.

    Parameters
    ----------
    channels, sources, priors : sequence of str
        Names.
    counts : array (channel)
        Counted.
    shares : array (prior, source, channel)
        0 to 1.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(1.6 + 2.6 * max(len(priors), 2), 1.5 + 0.42 * max(len(channels), 2)), layout="constrained")
    panels = figure.subplots(1, len(priors), sharey=True, squeeze=False)[0]
    place = np.arange(len(channels))
    for p, (axes, prior) in enumerate(zip(panels, priors, strict=True)):
        left = np.zeros(len(channels))
        for s, source in enumerate(sources):
            axes.barh(place, shares[p, s], 0.72, left=left, color=_colour(source, s), hatch=_HATCHES.get(source, ""),
                      edgecolor="white", linewidth=0.0)  # fmt: skip
            left += shares[p, s]
        axes.set_title(f"prior {prior}", fontsize=10.5, fontweight="bold")
        axes.set(xlim=(0.0, 1.0), ylim=(len(channels) - 0.5, -0.5))
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_xticks([0.0, 0.5, 1.0])
    labels = [f"{channel_label(name)}: {count:.3g}" for name, count in zip(channels, counts, strict=True)]
    panels[0].set_yticks(place, labels)
    panels[0].set_ylabel("channel: counts")
    figure.supxlabel("mean share of the counts in the channel, after the counts", fontsize=10.0)
    handles = [Patch(facecolor=_colour(name, s), hatch=_HATCHES.get(name, ""), edgecolor="white", label=name)
               for s, name in enumerate(sources)]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper center", ncols=4, frameon=False)
    return figure


def _colour(source: str, index: int) -> str:
    return SOURCE_COLOURS.get(source, COLOURS[index % len(COLOURS)])


def draw_candidates(names: Sequence[str], bits: Array, decided: Array, opened: float) -> Figure:
    """Draw the expected information of further data, bits, with the probability that a source is named afterwards.

    Parameters
    ----------
    names : sequence of str
        Data, the best one first.
    bits, decided : array (candidate)
        Information, and the probability.
    opened : float
        Bits that are open now.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(8.2, 1.2 + 0.34 * len(names)), layout="constrained")
    axes = figure.subplots()
    place = np.arange(len(names))
    axes.barh(place, bits, 0.7, color=COLOURS[0], alpha=0.85)
    for y, value, share in zip(place, bits, decided, strict=True):
        axes.annotate(f"{value:.2f} bit; decides in {100 * share:.0f} %", (value, y), (5, 0), textcoords="offset points",
                      va="center", ha="left", fontsize=9,
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3, "alpha": 0.85})  # fmt: skip
    axes.axvline(opened, color="black", linestyle="--", linewidth=1.1, label=f"open now: {opened:.2f} bit")
    axes.set_yticks(place, names)
    axes.set(xlim=(0.0, 1.35 * max(opened, float(np.max(bits, initial=0.0)), 0.05)), ylim=(len(names) - 0.5, -0.5),
             xlabel="expected information about the leading source, bit (lower bound)")  # fmt: skip
    axes.grid(True, axis="x", **GRID)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper right", frameon=False)
    return figure


def draw_events(events: Sequence[str], sources: Sequence[str], priors: Sequence[str], probability: Array) -> Figure:
    """Draw the probability (event, prior, source) of each source for each event alone, a panel for each prior."""
    figure = Figure(figsize=(2.2 + 2.9 * max(len(priors), 2), 1.4 + 0.36 * len(events)), layout="constrained")
    panels = figure.subplots(1, len(priors), sharey=True, squeeze=False)[0]
    for p, (axes, prior) in enumerate(zip(panels, priors, strict=True)):
        mesh = axes.pcolormesh(np.arange(len(sources) + 1) - 0.5, np.arange(len(events) + 1) - 0.5, probability[:, p],
                               vmin=0.0, vmax=1.0, cmap="cividis")  # fmt: skip
        _write_cells(axes, probability[:, p])
        axes.set_title(f"prior {prior}", fontsize=10.5, fontweight="bold")
        axes.set_xticks(range(len(sources)), sources, rotation=30, ha="right")
        axes.set_ylim(len(events) - 0.5, -0.5)
    panels[0].set_yticks(range(len(events)), [event.replace("T", " ") for event in events])
    figure.colorbar(mesh, ax=list(panels), label="probability to supply the most counts", shrink=0.85)
    return figure


def _write_cells(axes: Axes, values: Array) -> None:
    for (row, column), value in np.ndenumerate(values):
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=9, color="black" if value > 0.55 else "white")
