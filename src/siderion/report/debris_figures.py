"""Figures of re-entering debris: release by altitude, what becomes of the elements, ground track, profiles of the production."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .selection import Array
from .wave_figures import COLOURS, GRID

STYLES = ("-", "--", ":")
"""Lines beyond the number of colours differ by their dashes."""
FATES: dict[str, tuple[str, str, str]] = {
    "layer_mass": ("atoms in the metal layer", "#0072B2", ""),
    "oxidised_mass": ("atoms released lower, oxidised", "#56B4E9", "///"),
    "droplet_mass": ("droplets and dust", "#E69F00", ""),
    "surviving_mass": ("reaches the ground", "#8a8a8a", ""),
}
"""What becomes of an element: words, colour, hatching."""
_MARKS = "osD^vPX*"
_SMALLEST = 1e-4
"""Smallest value of a logarithmic axis over the largest."""


def line_style(number: int) -> tuple[str, str]:
    """Colour and dashes of the line of this number."""
    return COLOURS[number % len(COLOURS)], STYLES[number // len(COLOURS) % len(STYLES)]


def plain(name: str) -> str:
    """Name of a part in words."""
    return name.replace("_", " ")


def draw_release(
    bounds: Array, by_element: Mapping[str, Array], by_part: Mapping[str, Array], floor: float, break_up: float
) -> Figure:
    """Draw what a re-entry sheds against altitude, by element on the left and by part on the right.

    Parameters
    ----------
    bounds : array (alt + 1)
        Edges of the bins, km.
    by_element, by_part : mapping of str to array (alt)
        Mass by kilometre of altitude, kg km-1.
    floor, break_up : float
        Lower end of the metal layer, and altitude of the break-up, km.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(9.6, 5.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    largest = max((float(row.max()) for row in by_element.values()), default=1.0)
    for k, (name, row) in enumerate(by_element.items()):
        colour, dashes = line_style(k)
        _draw_profile(left, row, bounds, colour, dashes, name)
    left.set(xscale="log", xlim=(_SMALLEST * largest, 2.0 * largest), xlabel=r"released by element, kg km$^{-1}$")
    base = np.zeros(len(bounds) - 1)
    for k, (name, row) in enumerate(by_part.items()):
        right.stairs(base + row, bounds, baseline=base, orientation="horizontal", fill=True, facecolor=COLOURS[k % len(COLOURS)],
                     edgecolor="white", linewidth=0.4, hatch="" if k < len(COLOURS) else "//", label=plain(name))  # fmt: skip
        base = base + row
    right.set(xlabel=r"released by part, summed up, kg km$^{-1}$", xlim=(0.0, 1.06 * float(base.max()) or 1.0))
    shed = np.flatnonzero(sum(by_element.values(), np.zeros(len(bounds) - 1)) > 0.0)
    low, high = (bounds[shed[0]], bounds[shed[-1] + 1]) if len(shed) else (floor, break_up)
    left.axhspan(-100.0, floor, color="#f0f0f0", zorder=0)
    left.axhline(floor, color="black", linewidth=1.0)
    _mark_levels(right, floor, break_up)
    for axes in (left, right):
        axes.grid(True, **GRID)
        axes.set_axisbelow(True)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.01), ncols=4, frameon=False, fontsize=8.5, handlelength=1.6)
    left.set(ylabel="altitude, km", ylim=(min(low, floor) - 3.0, max(high, floor, break_up) + 4.0))
    return figure


def _draw_profile(axes: Axes, row: Array, bounds: Array, colour: str, dashes: str | tuple, name: str, mark: str = "o") -> None:
    """A mark for every bin with a value, joined where bins are neighbours."""
    shown = np.where(row > 0.0, row, np.nan)
    axes.plot(shown, 0.5 * (bounds[1:] + bounds[:-1]), color=colour, linestyle=dashes, marker=mark, markersize=3.4,
              linewidth=1.5, label=name)  # fmt: skip


def _mark_levels(axes: Axes, floor: float, break_up: float) -> None:
    axes.axhspan(-100.0, floor, color="#f0f0f0", zorder=0)
    axes.axhline(floor, color="black", linewidth=1.0)
    style: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "ha": "right", "fontsize": 8.5}
    axes.text(0.985, floor, f"above {floor:g} km: metal layer", va="bottom", **style)
    if np.isfinite(break_up):
        axes.axhline(break_up, color="#D55E00", linewidth=1.0, linestyle="-.")
        over = break_up >= floor
        axes.text(0.985, break_up, f"break-up, {break_up:.1f} km", va="bottom" if over else "top", color="#a34700", **style)


def draw_fates(names: Sequence[str], masses: Mapping[str, Array]) -> Figure:
    """Draw the parts of each element that become atoms in the layer, lower atoms, droplets, and what reaches the ground.

    Parameters
    ----------
    names : sequence of str
        Elements, from top to bottom.
    masses : mapping of str to array (element)
        kg, by the names of `FATES`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(7.6, 1.2 + 0.29 * len(names)), layout="constrained")
    axes = figure.subplots()
    total = sum(masses.values(), np.zeros(len(names)))
    place, base = np.arange(len(names)), np.zeros(len(names))
    for key, (words, colour, hatch) in FATES.items():
        share = np.divide(100.0 * masses[key], total, out=np.zeros(len(names)), where=total > 0.0)
        axes.barh(place, share, 0.78, left=base, color=colour, hatch=hatch, edgecolor="white", linewidth=0.0, label=words)
        base = base + share
    axes.set_yticks(place, names)
    axes.set(ylim=(len(names) - 0.4, -0.6), xlim=(0.0, 100.0), xlabel="share of the element in the object, %")
    masses_kg = axes.secondary_yaxis("right")
    masses_kg.set_yticks(place, [_kilograms(value) for value in total])
    masses_kg.tick_params(length=0.0, labelsize=8.5)
    masses_kg.set_ylabel("mass of the element in the object")
    figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=9.0)
    return figure


def _kilograms(value: float) -> str:
    return f"{value:.3g} kg" if value < 1000.0 else f"{value:.0f} kg"


@dataclass(frozen=True)
class Track:
    """A ground track, and the releases below the layer.

    Attributes
    ----------
    latitude, longitude : array (n)
        Degrees; longitudes are continuous, they may pass 180.
    anchor : (float, float)
        Latitude and longitude of the point that the event is placed by; NaN where it is not on the map.
    anchor_words : str
        What that point is.
    lower_distance, lower_altitude : array (m)
        Releases below the layer: distance along the track from the anchor and altitude, km.
    """

    latitude: Array
    longitude: Array
    anchor: tuple[float, float]
    anchor_words: str
    lower_distance: Array
    lower_altitude: Array


@dataclass(frozen=True)
class Releases:
    """Releases in the layer: latitude, longitude (degrees), distance from the anchor and altitude (km), numbers, parts."""

    latitude: Array
    longitude: Array
    distance: Array
    altitude: Array
    atoms: Array
    parts: Sequence[str]


def draw_track(track: Track, releases: Releases, floor: float) -> Figure:
    """Draw where atoms are released, on a map and against the distance flown; altitude as colour, part as mark, number as size.

    Parameters
    ----------
    track : Track
        Line below the object.
    releases : Releases
        Points of the source.
    floor : float
        Lower end of the metal layer, km.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(8.2, 7.6), layout="constrained")
    axes, below = figure.subplots(2, 1, gridspec_kw={"height_ratios": (1.5, 1.0)})
    axes.plot(track.longitude, track.latitude, color="#999999", linewidth=1.0, zorder=1)
    axes.annotate("", (track.longitude[-1], track.latitude[-1]), (track.longitude[-8], track.latitude[-8]),
                  arrowprops={"arrowstyle": "-|>", "color": "#666666"})  # fmt: skip
    if np.isfinite(track.anchor[0]):
        axes.plot(*track.anchor[::-1], "+", color="black", markersize=12, markeredgewidth=1.6, label=track.anchor_words)
    drawn = _draw_points(axes, releases.longitude, releases.latitude, releases)
    _frame_map(axes, track)
    below.plot(track.lower_distance, track.lower_altitude, ".", color="#888888", markersize=5,
               label=f"released below {floor:g} km, oxidised")  # fmt: skip
    _draw_points(below, releases.distance, releases.altitude, releases, labels=False)
    below.axhline(floor, color="black", linewidth=1.0)
    below.axvline(0.0, color="black", linewidth=0.8, linestyle=":")
    below.set(xlabel=f"distance along the track from the {track.anchor_words.split(',')[0]}, km", ylabel="altitude, km")
    for panel in (axes, below):
        panel.grid(True, **GRID)
        panel.set_axisbelow(True)
    figure.colorbar(drawn, ax=[axes, below], label="altitude of the release, km", shrink=0.6)
    figure.legend(loc="outside upper center", ncols=4, frameon=False, fontsize=9.0)
    return figure


def _draw_points(axes: Axes, x: Array, y: Array, releases: Releases, labels: bool = True) -> PathCollection:
    size = 18.0 + 110.0 * releases.atoms / max(float(releases.atoms.max()), 1e-300)
    low, high = float(releases.altitude.min()) - 0.5, float(releases.altitude.max()) + 0.5
    for k, name in enumerate(dict.fromkeys(releases.parts)):
        chosen, mark = np.array(releases.parts) == name, _MARKS[k % len(_MARKS)]
        drawn = axes.scatter(x[chosen], y[chosen], size[chosen], releases.altitude[chosen], marker=mark, cmap="viridis",
                             vmin=low, vmax=high, edgecolors="black", linewidths=0.6, zorder=3)  # fmt: skip
        if labels:
            axes.plot([], [], mark, color="#bbbbbb", markeredgecolor="black", markersize=8, label=f"from {plain(name)}")
    return drawn


def _frame_map(axes: Axes, track: Track) -> None:
    """Limits, aspect and ticks of the map; a track along a meridian or a circle of latitude gets some width."""
    cosine = max(float(np.cos(np.radians(np.mean(track.latitude)))), 0.05)
    width, height = cosine * np.ptp(track.longitude), np.ptp(track.latitude)
    width, height = (1.08 * max(one, 0.45 * max(width, height)) for one in (width, height))
    x, y = 0.5 * (track.longitude.min() + track.longitude.max()), 0.5 * (track.latitude.min() + track.latitude.max())
    axes.set(xlim=(x - 0.5 * width / cosine, x + 0.5 * width / cosine), ylim=(y - 0.5 * height, y + 0.5 * height))
    axes.set_aspect(1.0 / cosine)
    axes.xaxis.set_major_formatter(lambda value, _: _degrees((value + 180.0) % 360.0 - 180.0, "EW"))
    axes.yaxis.set_major_formatter(lambda value, _: _degrees(value, "NS"))
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.set(xlabel="geographic longitude", ylabel="geographic latitude")


def _degrees(value: float, ends: str) -> str:
    return f"{abs(value):.4g}°{ends[0] if value > 0.0 else ends[1] if value < 0.0 else ''}"


def draw_production(bounds: Array, neutral: Mapping[str, Array], ions: Mapping[str, Array], floor: float) -> Figure:
    """Draw the production of atoms, and of ions where there are some, against altitude.

    Parameters
    ----------
    bounds : array (alt + 1)
        Edges of the bins, km.
    neutral, ions : mapping of str to array (alt)
        cm-3 s-1, by element.
    floor : float
        Lower end of the production, km.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(6.6, 5.4), layout="constrained")
    axes = figure.subplots()
    rows = [*neutral.values(), *ions.values()]
    largest = max((float(row.max()) for row in rows), default=1.0)
    smallest = 1e-6 * largest
    for k, (name, row) in enumerate(neutral.items()):
        colour, dashes = line_style(k)
        _draw_profile(axes, row, bounds, colour, dashes, name)
        if name in ions and (ions[name] > 0.0).any():
            _draw_profile(axes, ions[name], bounds, colour, (0, (1, 1)), f"{name}⁺", "+")
    used = np.flatnonzero(sum(rows, np.zeros(len(bounds) - 1)) > 0.0)
    top = bounds[used[-1] + 1] if len(used) else bounds[-1]
    least = min((float(row[row > 0.0].min()) for row in rows if (row > 0.0).any()), default=smallest)
    axes.set(xscale="log", xlim=(max(0.5 * least, smallest), 2.0 * largest), ylim=(floor - 0.5, top + 1.0))
    axes.set(xlabel=r"production, global mean, cm$^{-3}$ s$^{-1}$", ylabel="altitude, km")
    axes.grid(True, **GRID)
    axes.set_axisbelow(True)
    figure.legend(loc="outside right upper", frameon=False, fontsize=9.0)
    return figure


def draw_shares_above(names: Sequence[str], injected: Array, layer: Array, floor: float) -> Figure:
    """Draw the mass injected and the mass released in the layer by element, t/yr, as points on a logarithmic axis."""
    figure = Figure(figsize=(6.6, 1.2 + 0.27 * len(names)), layout="constrained")
    axes = figure.subplots()
    place = np.arange(len(names))
    some = layer > 0.0
    axes.hlines(place[some], layer[some], injected[some], color="#bbbbbb", linewidth=2.0, zorder=1)
    axes.plot(injected, place, "o", color="white", markeredgecolor="#444444", markersize=7, label="injected at all altitudes")
    axes.plot(layer[some], place[some], "o", color="#0072B2", markersize=7, label=f"released as atoms above {floor:g} km")
    axes.set(xscale="log", xlabel=r"mass, t yr$^{-1}$", ylim=(len(names) - 0.4, -0.6))
    axes.set_yticks(place, names)
    for y, value in zip(place[~some], injected[~some], strict=True):
        axes.annotate("none", (value, y), (-9, 0), textcoords="offset points", ha="right", va="center", fontsize=8.0,
                      color="#555555")  # fmt: skip
    axes.grid(True, **GRID)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure
