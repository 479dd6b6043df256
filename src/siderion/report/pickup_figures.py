"""Figures of picked-up lunar ions: energy distributions, map of arrival, cycloids to scale, widths of the wake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import NDArray

from .polar_map import cell_edges
from .selection import Array, species_label
from .wave_figures import COLOURS, GRID

_MOST_COLUMNS = 3
_EARTH = "#4d6f8f"


@dataclass(frozen=True)
class Spectrum:
    """Energy distribution of a species: values with ends, cm-2 s-1 keV-1, and whether a value is an upper limit."""

    species: str
    values: Array
    lower: Array
    upper: Array
    limit: NDArray[np.bool_]
    largest_energy: float
    """Largest energy of pick-up in the mean plasma, keV."""


def draw_spectra(bounds: Array, spectra: Sequence[Spectrum]) -> Figure:
    """Draw the energy distributions with their ends, one panel for each species.

    Parameters
    ----------
    bounds : array (energy + 1)
        Edges of the bins, keV.
    spectra : sequence of Spectrum
        From top to bottom.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(7.6, 1.0 + 2.0 * len(spectra)), layout="constrained")
    panels = figure.subplots(len(spectra), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    middle = 0.5 * (bounds[1:] + bounds[:-1])
    seen: list[float] = []
    for k, (axes, one) in enumerate(zip(panels, spectra, strict=True)):
        colour = COLOURS[k % len(COLOURS)]
        real = ~one.limit & (one.values > 0.0)
        ends = np.maximum([one.values - one.lower, one.upper - one.values], 0.0)[:, real]
        width = 0.5 * np.diff(bounds)[real]
        axes.errorbar(middle[real], one.values[real], yerr=ends, xerr=width, fmt="o", color=colour, markersize=4.0,
                      elinewidth=1.4)  # fmt: skip
        limits = one.limit & (one.values > 0.0)
        axes.plot(middle[limits], one.values[limits], "v", color=colour, markersize=4.0, markerfacecolor="none", alpha=0.7)
        axes.axvline(one.largest_energy, color=colour, linestyle="--", linewidth=1.0)
        axes.text(0.985, 0.93, species_label(one.species), transform=axes.transAxes, ha="right", va="top", fontweight="bold",
                  bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5})  # fmt: skip
        seen += [*one.upper[real], *one.lower[real][one.lower[real] > 0.0], *one.values[limits]]
        axes.grid(True, **GRID)
        axes.set_axisbelow(True)
    if seen:
        panels[0].set(yscale="log", ylim=(0.5 * min(seen), 3.0 * max(seen)))
    panels[-1].set(xlabel="kinetic energy, keV", xlim=(bounds[0], bounds[-1]))
    figure.supylabel(r"differential flux, cm$^{-2}$ s$^{-1}$ keV$^{-1}$", fontsize=10.0)
    handles = [
        panels[0].plot([], [], "o", color="#444444", label="median, 16 to 84 %")[0],
        panels[0].plot([], [], "v", color="#444444", markerfacecolor="none", label="upper limit (84 %): no test ion")[0],
        panels[0].plot([], [], "--", color="#444444", label="largest energy of pick-up")[0],
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False)
    return figure


@dataclass(frozen=True)
class MapFrame:
    """What a map of arrival shows besides the flux, RE: radius of the area, place of the Moon, direction of E."""

    radius: float
    moon: tuple[float, float]
    electric: tuple[float, float]
    """Unit vector of the electric field across the flow; zeros where there is none."""


def draw_arrival(y: Array, z: Array, flux: Mapping[str, Array], frame: MapFrame) -> Figure:
    """Draw where ions arrive across the flow, a panel for each species.

    Parameters
    ----------
    y, z : array
        Centres of the cells, RE.
    flux : mapping of str to array (y, z)
        By species, cm-2 s-1; zero where none arrives.
    frame : MapFrame
        Area and directions.

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = min(_MOST_COLUMNS, len(flux))
    rows = -(-len(flux) // columns)
    figure = Figure(figsize=(1.4 + 3.3 * columns, 0.9 + 3.3 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    largest = max((float(row.max()) for row in flux.values()), default=0.0)
    least = min((float(row[row > 0.0].min()) for row in flux.values() if (row > 0.0).any()), default=1.0)
    norm = LogNorm(max(least, 1e-6 * largest) if largest > 0.0 else 0.1, 1.01 * max(largest, least))
    for axes, (name, row) in zip(panels, flux.items(), strict=False):
        mesh = axes.pcolormesh(cell_edges(y), cell_edges(z), np.ma.masked_less_equal(row.T, 0.0), norm=norm, cmap="viridis")
        _mark_cells(axes, y, z, row)
        _draw_frame(axes, frame)
        axes.set_title(species_label(name), fontweight="bold", fontsize=11.0)
        axes.set_aspect("equal")
        axes.grid(True, **GRID)
        axes.set_axisbelow(True)
    half = 1.08 * max(frame.radius, float(np.abs(y).max()))
    # the Moon is shown where it is not far outside
    reach = max(half, *(1.1 * abs(value) for value in frame.moon)) if max(map(abs, frame.moon)) < 2.5 * half else half
    panels[0].set(xlim=(-reach, reach), ylim=(-reach, reach))
    for axes in panels[len(flux):]:  # fmt: skip
        axes.set_visible(False)
    figure.supxlabel("Y across the flow, RE (dusk to the right)", fontsize=10.0)
    figure.supylabel("Z, RE (north up)", fontsize=10.0)
    if largest > 0.0:
        figure.colorbar(mesh, ax=list(panels), label=r"flux of arrivals, cm$^{-2}$ s$^{-1}$", shrink=0.8)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, frameon=False, fontsize=9.0)
    return figure


def _mark_cells(axes: Axes, y: Array, z: Array, row: Array) -> None:
    """A ring where so few cells are hit that they could be overlooked."""
    hit = np.argwhere(row > 0.0)
    if 0 < len(hit) <= 12:
        weight = row[row > 0.0]
        centre = np.average(y[hit[:, 0]], weights=weight), np.average(z[hit[:, 1]], weights=weight)
        axes.plot(*centre, "o", markersize=22, markerfacecolor="none", markeredgecolor="#D55E00", markeredgewidth=1.5,
                  label="arrivals")  # fmt: skip


def _draw_frame(axes: Axes, frame: MapFrame) -> None:
    axes.add_patch(Circle((0.0, 0.0), 1.0, facecolor="none", edgecolor="black", linewidth=1.6, zorder=3))
    axes.plot([], [], "o", markerfacecolor="none", markeredgecolor="black", markeredgewidth=1.6, label="Earth")
    axes.add_patch(Circle((0.0, 0.0), frame.radius, facecolor="none", edgecolor="black", linewidth=1.1))
    axes.plot([], [], color="black", linewidth=1.1, label="area of the mean")
    axes.plot(*frame.moon, "x", color="black", markersize=7, markeredgewidth=1.6, label="Moon")
    if any(frame.electric):
        start = -0.92 * frame.radius, -0.97 * frame.radius
        tip = start[0] + 0.24 * frame.radius * frame.electric[0], start[1] + 0.24 * frame.radius * frame.electric[1]
        axes.annotate("", tip, start, arrowprops={"arrowstyle": "-|>", "color": "#444444"})
        axes.text(*start, "E", ha="center", va="center", fontsize=9.5,
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8})  # fmt: skip


@dataclass(frozen=True)
class Plane:
    """The plane of flow and electric field, RE; x towards the Sun, s along the electric field.

    Attributes
    ----------
    moon : (float, float)
        Place of the Moon.
    moon_radius : float
        Its radius.
    paths : mapping of str to array (n, 2)
        Cycloids by species, from the Moon.
    arrives : mapping of str to bool
        Whether the path ends at the surface of arrival.
    boundaries : mapping of str to array (n, 2)
        Curves by name.
    """

    moon: tuple[float, float]
    moon_radius: float
    paths: Mapping[str, Array]
    arrives: Mapping[str, bool]
    boundaries: Mapping[str, Array]


def draw_cycloids(plane: Plane) -> Figure:
    """Draw the cycloids from the Moon in the plane of flow and electric field, to scale; the Sun is on the left.

    Parameters
    ----------
    plane : Plane
        What to draw.

    Returns
    -------
    matplotlib.figure.Figure
    """
    points = np.concatenate([*plane.paths.values(), np.array([plane.moon, (0.0, 0.0)])])
    low, high = points.min(axis=0), points.max(axis=0)
    right, left = min(low[0], -8.0) - 3.0, max(high[0], 16.0) + 5.0
    bottom, top = min(low[1], -22.0) - 2.0, max(high[1], 22.0) + 2.0
    height = float(np.clip(9.0 * (top - bottom) / (left - right), 3.2, 9.5))
    figure = Figure(figsize=(9.6, height + 0.9), layout="constrained")
    axes = figure.subplots()
    for k, (name, curve) in enumerate(plane.boundaries.items()):
        axes.plot(*curve.T, color="black", linewidth=1.3 - 0.3 * (k > 0), linestyle=("-", "--", ":")[k % 3], label=name)
    axes.add_patch(Circle((0.0, 0.0), 1.0, facecolor=_EARTH, edgecolor="black", linewidth=0.6, zorder=4))
    axes.annotate("Earth", (0.0, -1.0), (0, -3), textcoords="offset points", ha="center", va="top", fontsize=9.0)
    axes.add_patch(Circle(plane.moon, plane.moon_radius, facecolor="#777777", edgecolor="black", linewidth=0.6, zorder=4))
    axes.annotate("Moon", plane.moon, (0, -7), textcoords="offset points", ha="center", va="top", fontsize=9.0)
    for k, (name, path) in enumerate(plane.paths.items()):
        colour = COLOURS[k % len(COLOURS)]
        axes.plot(*path.T, color=colour, linewidth=1.7, label=species_label(name))
        if plane.arrives[name]:
            axes.plot(*path[-1], "o", color=colour, markeredgecolor="black", markersize=6, zorder=5)
    axes.annotate("solar wind", (0.24, 0.93), (0.02, 0.93), xycoords="axes fraction", va="center",
                  arrowprops={"arrowstyle": "-|>", "color": "#a06000"}, color="#a06000")  # fmt: skip
    axes.annotate("", (0.03, 0.26), (0.03, 0.08), xycoords="axes fraction",
                  arrowprops={"arrowstyle": "-|>", "color": "#444444"})  # fmt: skip
    axes.annotate("E", (0.045, 0.17), xycoords="axes fraction", va="center", color="#444444")
    axes.set(xlim=(left, right), ylim=(bottom, top), xlabel="X towards the Sun (against the flow), RE",
             ylabel="along the electric field, RE")  # fmt: skip
    axes.set_aspect("equal")
    axes.grid(True, **GRID)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=6, frameon=False, fontsize=9.5)
    return figure


def draw_wakes(species: Sequence[str], widths: Mapping[str, Array], observed: float) -> Figure:
    """Draw the widths of the wake by species beside the observed one, RE."""
    figure = Figure(figsize=(7.2, 1.4 + 0.62 * len(species)), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / len(widths)
    for k, (words, values) in enumerate(widths.items()):
        place = np.arange(len(species)) - 0.4 + (k + 0.5) * height
        axes.barh(place, values, 0.88 * height, color=COLOURS[k], hatch=("", "///", "...")[k % 3], edgecolor="white",
                  linewidth=0.0, label=words)  # fmt: skip
        for y, value in zip(place, values, strict=True):
            axes.text(value, y, f" {value:.1f}", va="center", ha="left", fontsize=8.5, color="#444444",
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.8})  # fmt: skip
    axes.axvline(
        observed, color="black", linestyle="--", linewidth=1.2, label=f"used for observations: {observed:g} RE", zorder=1
    )
    axes.set_yticks(range(len(species)), [species_label(name) for name in species])
    largest = max(observed, *(float(np.max(values)) for values in widths.values()))
    axes.set(xlabel="width of the wake of lunar ions, RE", xlim=(0.0, 1.12 * largest), ylim=(len(species) - 0.5, -0.5))
    axes.grid(True, axis="x", **GRID)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=9.0)
    return figure
