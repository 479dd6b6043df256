"""Figures of the catalogue: energies and years of instruments, coloured by their answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from siderion.spectrometer.catalogue_grades import GRADES

from .wave_figures import GRID

GRADE_COLOURS = ("#9a9a9a", "#E69F00", "#56B4E9", "#0072B2")
"""Colours of the grades, from "cannot" to "separates"; told apart by colour-blind readers and in grey."""
_PALE, _ASKED = "#dfe4e8", "#f7e7b4"
_HATCH = "////"
_HEIGHT = 0.6
_LEAST_ENERGY = 0.1
_MARGIN_DAYS, _MARGIN_ENERGY = 500, 1.6


@dataclass(frozen=True)
class Bar:
    """One row of the figure.

    Attributes
    ----------
    label : str
        Mission and instrument.
    level : int
        Place of the colour in `GRADE_COLOURS`.
    energies : tuple of (float, float)
        Ranges where the answer holds, eV.
    whole : (float, float)
        Range of the instrument, eV; nan where it is not known.
    begin : int
        First day of the work, since 1970.
    end : int or None
        The day after the last; None while it works.
    elsewhere : bool
        Whether the name is grey.
    hatched : bool
        Whether the answer rests on m/dm alone.
    """

    label: str
    level: int
    energies: tuple[tuple[float, float], ...]
    whole: tuple[float, float]
    begin: int
    end: int | None
    elsewhere: bool = False
    hatched: bool = False


def draw_coverage(
    bars: Sequence[Bar],
    energy: tuple[float, float] | None,
    days: tuple[int, int] | None,
    names: Sequence[str] = GRADES,
    label: str = "energy per charge, eV/e",
) -> Figure:
    """Draw the energies and the years of instruments, one row each, with what was asked for shaded.

    Parameters
    ----------
    bars : sequence of Bar
        From top to bottom.
    energy : (float, float), optional
        Energies asked for, eV.
    days : (int, int), optional
        First day and the day after the last that were asked for, since 1970.
    names : sequence of str
        What the colours mean, in the order of `GRADE_COLOURS`.
    label : str
        Of the axis of energies.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(10.2, 1.5 + 0.29 * max(len(bars), 3)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1.35, 1.0])
    _draw_energies(left, bars, energy)
    left.set_xlabel(label)
    _draw_years(right, bars, days)
    places = range(len(bars))
    left.set_yticks(places, [bar.label for bar in bars])
    for text, bar in zip(left.get_yticklabels(), bars, strict=True):
        if bar.elsewhere:
            text.set(color="#6b6b6b", fontstyle="italic")
    left.set_ylim(len(bars) - 0.4, -0.6)
    for axes in (left, right):
        axes.grid(True, axis="x", **GRID)
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0, pad=8.0)
    figure.legend(handles=_legend(bars, energy, days, names), loc="outside upper center", ncols=4, frameon=False, fontsize=9.0)
    return figure


def _legend(
    bars: Sequence[Bar], energy: tuple[float, float] | None, days: tuple[int, int] | None, names: Sequence[str]
) -> list[Patch]:
    levels = sorted({bar.level for bar in bars}, reverse=True)
    found = [Patch(color=GRADE_COLOURS[level], label=names[level]) for level in levels]
    if any(np.isfinite(bar.whole[1]) for bar in bars):
        found.append(Patch(color=_PALE, label="whole range of the instrument"))
    if any(bar.hatched for bar in bars):
        found.append(Patch(facecolor="white", edgecolor="#444444", hatch=_HATCH, label="from m/dm alone, nobody reports it"))
    if energy is not None or days is not None:
        found.append(Patch(facecolor=_ASKED, edgecolor="#b89b3c", label="asked for"))
    return found


def _limits(bars: Sequence[Bar], energy: tuple[float, float] | None) -> tuple[float, float]:
    """Ends of the axis of energies, around all ranges."""
    ends = [end for bar in bars for pair in (*bar.energies, bar.whole) for end in pair]
    known = [end for end in (*ends, *(energy or ())) if np.isfinite(end) and end > 0.0]
    if not known:
        return 1.0, 1e5
    low = max(min(known), _LEAST_ENERGY) / _MARGIN_ENERGY
    return low, max(max(known) * _MARGIN_ENERGY, 10.0 * low)


def _draw_energies(axes: Axes, bars: Sequence[Bar], energy: tuple[float, float] | None) -> None:
    low, high = _limits(bars, energy)
    axes.set(xscale="log", xlim=(low, high))
    if energy is not None:
        axes.axvspan(max(energy[0], low), energy[1], facecolor=_ASKED, edgecolor="#b89b3c", linewidth=0.8, zorder=0)
    for k, bar in enumerate(bars):
        if np.isfinite(bar.whole[1]):
            _range(axes, k, bar.whole, low, 0.8 * _HEIGHT, color=_PALE, edgecolor="#b3bcc4", linewidth=0.5)
        for pair in bar.energies:
            _range(axes, k, pair, low, _HEIGHT, color=GRADE_COLOURS[bar.level], hatch=_HATCH if bar.hatched else None,
                   edgecolor="white", linewidth=0.0)  # fmt: skip
        if any(pair[0] < low for pair in (*bar.energies, bar.whole)):
            axes.plot([low], [k], marker="<", color="#333333", markersize=4.5, clip_on=False, zorder=5)
    decades = np.arange(np.ceil(np.log10(low)), np.floor(np.log10(high)) + 1)
    axes.xaxis.set_major_locator(FixedLocator([10.0**power for power in decades[:: 1 if len(decades) < 7 else 2]]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: energy_tick(value)))


def _range(axes: Axes, k: int, pair: tuple[float, float], low: float, height: float, **how: Any) -> None:
    begin, end = max(pair[0], low), max(pair[1], low)
    if end > begin:
        axes.barh(k, end - begin, height, left=begin, **how)
    else:
        axes.plot([begin], [k], marker="D", color=how.get("color"), markersize=5)


def energy_tick(value: float) -> str:
    """An energy in eV at a tick, short: 10, 1 k, 10 M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g} {letter}"
    return f"{value:g}"


def _draw_years(axes: Axes, bars: Sequence[Bar], days: tuple[int, int] | None) -> None:
    known = [bar.begin for bar in bars] + [bar.end for bar in bars if bar.end is not None] + list(days or ())
    first, last = (min(known), max(known)) if known else (0, 20_000)
    first, last = first - _MARGIN_DAYS, last + _MARGIN_DAYS
    axes.set_xlim(first, last + _MARGIN_DAYS)
    if days is not None:
        axes.axvspan(days[0], days[1], facecolor=_ASKED, edgecolor="#b89b3c", linewidth=0.8, zorder=0)
    for k, bar in enumerate(bars):
        end = last if bar.end is None else bar.end
        axes.barh(k, end - bar.begin, 0.7 * _HEIGHT, left=bar.begin, color=GRADE_COLOURS[bar.level])
        if bar.end is None:
            axes.plot([last], [k], marker=">", color=GRADE_COLOURS[bar.level], markersize=7, zorder=5)
    axes.xaxis.set_major_locator(mdates.AutoDateLocator(minticks=3, maxticks=7))
    axes.xaxis.set_major_formatter(mdates.DateFormatter("%Y" if last - first > 3 * 365 else "%Y-%m"))
    axes.set_xlabel("years of work")
