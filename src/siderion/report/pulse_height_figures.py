"""Figures of pulse-height events: mass against mass per charge, mass per charge near 30, counts by the place of the Moon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

from .selection import Array, species_label
from .wave_figures import COLOURS, GRID

NEW_MOON, FULL_MOON = 3, 6
"""Sectors of the lunar local time around new and full Moon."""
IONS = {
    "H+": (1.008, 1), "He++": (4.003, 2), "He+": (4.003, 1), "O6+": (15.999, 6), "O+": (15.999, 1), "Si+": (28.086, 1),
    "O2+": (31.998, 1), "Fe10+": (55.845, 10), "Fe+": (55.845, 1),
}  # fmt: skip
"""Ions that are marked in the scatter: mass (u) and charge."""
MASS_LINES = {
    "N⁺": (14.007,), "O⁺": (15.999,), "Al⁺, Si⁺": (26.982, 27.977), "N₂⁺, NO⁺, O₂⁺": (28.006, 29.998, 31.990),
}  # fmt: skip
"""Mass per charge of the ions near 30 (commonest isotopes), u/e, by the words at their lines."""
_LABELS = {"O6+": "O⁶⁺", "Fe10+": "Fe¹⁰⁺", "He++": "He⁺⁺", "Si+": "", "O2+": "Si⁺…O₂⁺"}
_CHARGES = (1, 2, 3, 6, 10)
_MASSES = (1, 2, 4, 10, 16, 30, 56, 100)
_MARKS = "osD^v"


@dataclass(frozen=True)
class Ends:
    """Values with their ends, and whether a value is an upper limit; NaN where nothing was observed."""

    values: Array
    lower: Array
    upper: Array
    limit: NDArray[np.bool_]


def draw_scatter(mass: Array, per_charge: Array, counts: Mapping[str, Array], stamp: str = "") -> Figure:
    """Draw triple coincidences by mass and mass per charge, a panel for each region.

    Parameters
    ----------
    mass, per_charge : array (edges)
        Edges of the bins, u and u/e.
    counts : mapping of str to array (mass, mass per charge)
        By region.
    stamp : str
        Words across each panel, such as "synthetic".

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = min(2, len(counts))
    rows = -(-len(counts) // columns)
    figure = Figure(figsize=(1.0 + 4.3 * columns, 0.5 + 3.9 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    largest = max(2.0, *(float(one.max()) for one in counts.values()))
    for k, (axes, (region, one)) in enumerate(zip(panels, counts.items(), strict=False)):
        mesh = axes.pcolormesh(per_charge, mass, np.ma.masked_less(one, 1), norm=LogNorm(1.0, largest), cmap="viridis")
        axes.set(xscale="log", yscale="log", xlim=(per_charge[0], per_charge[-1]), ylim=(mass[0], mass[-1]))
        axes.set_title(f"({'abcdef'[k]}) {region}: {int(one.sum())} events", fontsize=11, fontweight="bold")
        _charge_lines(axes, per_charge)
        _mark_ions(axes)
        for axis in (axes.xaxis, axes.yaxis):
            _plain_masses(axis)
        _stamp(axes, stamp)
    for axes in panels[len(counts):]:  # fmt: skip
        axes.set_visible(False)
    figure.supxlabel("mass per charge, u/e", fontsize=10.0)
    figure.supylabel("mass, u", fontsize=10.0)
    figure.colorbar(mesh, ax=list(panels), label="triple coincidences in a bin", shrink=0.8)
    return figure


def _charge_lines(axes: Axes, per_charge: Array) -> None:
    """Lines of equal charge, named where they leave the panel above."""
    top = axes.get_ylim()[1]
    for charge in _CHARGES:
        axes.plot(per_charge, charge * per_charge, color="#8a8a8a", linewidth=0.8, linestyle=":", zorder=1)
        at = 0.93 * top / charge
        axes.text(at, 0.9 * top, f"{charge}+", ha="right", va="top", fontsize=8, color="#55606b",
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6})  # fmt: skip


def _mark_ions(axes: Axes) -> None:
    for name, (mass, charge) in IONS.items():
        axes.plot(mass / charge, mass, "o", markersize=9, markerfacecolor="none", markeredgecolor="black", markeredgewidth=0.9)
        label = _LABELS.get(name, species_label(name))
        # the group near 30 is named below its marks, on the side that holds no events
        place, sides = ((6, -4), ("left", "top")) if charge == 1 else ((-5, 3), ("right", "bottom"))
        axes.annotate(label, (mass / charge, mass), place, textcoords="offset points", ha=sides[0], va=sides[1], fontsize=9,
                      bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.4})  # fmt: skip


def _plain_masses(axis) -> None:  # type: ignore[no-untyped-def]
    axis.set_major_locator(FixedLocator(_MASSES))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _stamp(axes: Axes, words: str, height: float = 0.03) -> None:
    if words:
        axes.text(0.98, height, words, transform=axes.transAxes, ha="right", va="bottom", fontsize=10, fontweight="bold",
                  color="#8a3b00", bbox={"facecolor": "#fff1e0", "edgecolor": "#8a3b00", "pad": 2.5}, zorder=9)  # fmt: skip


def draw_near_30(
    edges: Array, counts: Mapping[str, Array], ends: Mapping[str, Ends], zoom: tuple[float, float], stamp: str = ""
) -> Figure:
    """Draw the mass per charge of all events by region: counts, and the shapes near 30 with each region's own scale.

    Parameters
    ----------
    edges : array (bin + 1)
        u/e.
    counts : mapping of str to array (bin)
        By region.
    ends : mapping of str to Ends (bin)
        Share of the events within ``zoom``, % for each u/e, with exact Poisson ends.
    zoom : (float, float)
        Range of the lower panel, u/e.
    stamp : str
        Words in the panels.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(8.4, 7.4), layout="constrained")
    upper, lower = figure.subplots(2, 1)
    middle = 0.5 * (edges[1:] + edges[:-1])
    shift = np.linspace(-0.22, 0.22, max(len(counts), 2)) * np.diff(edges).min()
    for k, (region, row) in enumerate(counts.items()):
        colour = COLOURS[k % len(COLOURS)]
        upper.stairs(np.where(row > 0, row, np.nan), edges, color=colour, linewidth=1.4, label=region)
        one = ends[region]
        inside = (middle > zoom[0]) & (middle < zoom[1])
        lower.stairs(
            np.where(inside, np.where(one.limit, 0.0, one.values), np.nan), edges, color=colour, linewidth=1.2, alpha=0.7
        )
        real = inside & ~one.limit & np.isfinite(one.values)
        lower.errorbar(middle[real] + shift[k], one.values[real], yerr=_bars(one, real), fmt=_MARKS[k % 5], color=colour,
                       markersize=4, elinewidth=1.1)  # fmt: skip
    top = max((float(row.max()) for row in counts.values()), default=1.0)
    upper.set(
        yscale="log",
        ylim=(0.7, 8.0 * max(top, 2.0)),
        xlim=(edges[0], edges[-1]),
        ylabel=f"events in a bin of {np.diff(edges).min():g} u/e",
    )
    lower.set(xlim=zoom, xlabel="mass per charge, u/e", ylabel=f"share of those from {zoom[0]:g} to {zoom[1]:g} u/e, % per u/e")
    lower.set_ylim(bottom=0.0)
    lower.set_ylim(top=1.25 * lower.get_ylim()[1])
    for axes in (upper, lower):
        _mass_lines(axes)
        axes.grid(True, **GRID)
        axes.set_axisbelow(True)
        _stamp(axes, stamp, 0.82)
    figure.legend(loc="outside upper center", ncols=4, frameon=False)
    return figure


def _mass_lines(axes: Axes) -> None:
    begin, end = axes.get_xlim()
    for k, (words, masses) in enumerate(MASS_LINES.items()):
        shown = [mass for mass in masses if begin < mass < end]
        style = {"color": "#333333" if k % 2 else "#8a3b00", "linestyle": "--" if k % 2 else "-.", "linewidth": 0.9}
        for mass in shown:
            axes.axvline(mass, **style)  # type: ignore[arg-type]
        if shown:
            side = "right" if k % 2 == 0 else "left"
            at = shown[0] if side == "right" else shown[-1]
            axes.annotate(words, (at, 0.975), (-3 if side == "right" else 3, 0), xycoords=("data", "axes fraction"),
                          textcoords="offset points", ha=side, va="top", fontsize=9, color=style["color"],
                          bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.8})  # fmt: skip


def _bars(one: Ends, real: NDArray[np.bool_]) -> Array:
    return np.maximum(np.stack([one.values - one.lower, one.upper - one.values]), 0.0)[:, real]


def draw_sectors(
    rows: Sequence[str],
    columns: Sequence[str],
    averages: Mapping[tuple[str, str, str], Ends],
    windows: Sequence[str],
    stamp: str = "",
) -> Figure:
    """Draw counts for three hours by the sector of the lunar local time.

    Parameters
    ----------
    rows, columns : sequence of str
        Classes of Kp from top to bottom, regions from left to right.
    averages : mapping of (row, column, window) to Ends (sector)
        Counts for three hours; NaN where there was no observation.
    windows : sequence of str
        Windows of species, in the order of the legend.
    stamp : str
        Words in the first panel.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(1.2 + 2.5 * max(len(columns), 2), 1.2 + 2.5 * len(rows)), layout="constrained")
    panels = figure.subplots(len(rows), len(columns), sharex=True, sharey=True, squeeze=False)
    sectors = np.arange(1, 7)
    seen: list[float] = []
    for (i, row), (j, column) in ((a, b) for a in enumerate(rows) for b in enumerate(columns)):
        axes = panels[i, j]
        axes.axvspan(NEW_MOON - 0.5, NEW_MOON + 0.5, color="#f2d98b", alpha=0.45, linewidth=0, zorder=0)
        observed = False
        for k, window in enumerate(windows):
            one = averages[row, column, window]
            place = sectors + 0.16 * (k - 0.5 * (len(windows) - 1))
            real = ~one.limit & np.isfinite(one.values)
            observed |= bool(np.isfinite(one.values).any())
            axes.errorbar(place[real], one.values[real], yerr=_bars(one, real), fmt=_MARKS[k % 5], color=COLOURS[k],
                          markersize=4.5, elinewidth=1.3)  # fmt: skip
            axes.plot(place[one.limit], one.values[one.limit], "v", color=COLOURS[k], markersize=6, markerfacecolor="white")
            seen += [*one.lower[real][one.lower[real] > 0.0], *one.upper[real], *one.values[one.limit]]
        if not observed:
            axes.text(0.5, 0.5, "not observed", transform=axes.transAxes, ha="center", va="center", color="#55606b")
        if i == 0:
            axes.set_title(column, fontsize=10.5, fontweight="bold")
        if j == 0:
            axes.set_ylabel(f"{row}\ncounts for 3 h", fontsize=9.5)
        axes.grid(True, axis="y", **GRID)
        axes.set_axisbelow(True)
    labels = [f"{one}\nnew" if one == NEW_MOON else f"{one}\nfull" if one == FULL_MOON else str(one) for one in sectors]
    panels[-1, 0].set_xticks(sectors, labels)
    panels[-1, 0].set(xlim=(0.5, 6.5))
    if seen:
        panels[0, 0].set(yscale="log", ylim=(0.5 * min(seen), 3.0 * max(seen)))
    _stamp(panels[0, 0], stamp)
    figure.supxlabel("sector of the lunar local time (3: new Moon, 6: full Moon)", fontsize=10.0)
    handles = [panels[0, 0].plot([], [], _MARKS[k % 5], color=COLOURS[k], label=window)[0] for k, window in enumerate(windows)]
    handles.append(
        panels[0, 0].plot([], [], "v", color="#444444", markerfacecolor="white", label="nothing counted: 95 % upper limit")[0]
    )
    figure.legend(handles=handles, loc="outside upper center", ncols=min(4, len(handles)), frameon=False)
    return figure
