"""Figures of density profiles, altitude upwards as in Figures 6 to 9 of Lammer et al. 2025."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from .selection import Array
from .wave_figures import COLOURS, GRID

CUBIC_CENTIMETRE = 1e-6
"""cm3 in m3."""
MEDIAN_COLOUR = "#D55E00"
_BOX = 0.36
"""Height of a box over that of a bin."""
_MOST_ERROR_BARS = 40
_FEWEST_FOR_BOX = 4
"""Events from which quartiles are drawn."""
_WIDEST = 1e-12
"""Smallest density shown over the largest."""
_COUNT_ROOM = 0.13
"""Part of the width that is kept free for the numbers of events."""


@dataclass(frozen=True)
class Curve:
    """A curve of a model: name, distances (km), densities (m-3) and their ends, if any."""

    label: str
    radius: Array
    density: Array
    lower: Array | None = None
    upper: Array | None = None
    component: bool = False
    """Whether it is a part of the total, drawn dashed."""


@dataclass(frozen=True)
class Dots:
    """Single densities: distances (km), densities (m-3) and their ends, if any."""

    radius: Array
    density: Array
    lower: Array | None = None
    upper: Array | None = None


def draw_profile(
    title: str,
    profile: xr.Dataset | None,
    body: str,
    radius: float,
    *,
    colour: str = COLOURS[0],
    dots: Dots | None = None,
    faint: Dots | None = None,
    curves: Sequence[Curve] = (),
    reach: tuple[float, float] | None = None,
) -> Figure:
    """Draw a profile: dots, boxes of quartiles with medians and extremes, numbers of events, curves of a model.

    Parameters
    ----------
    title : str
        Text above.
    profile : xarray.Dataset or None
        Bins, from `siderion.exosphere.fit.bin_profile`; distances in km, densities in m-3. None where there are only curves.
    body : str
        Name of the body.
    radius : float
        Radius of the body, km.
    colour : str
        Of the dots.
    dots : Dots, optional
        Events.
    faint : Dots, optional
        Single windows, drawn smaller.
    curves : sequence of Curve
        Model, total first.
    reach : (float, float), optional
        Ends of the distance axis, radii of the body; those of the bins without it, from the surface where there are curves.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(5.6, 6.0), layout="constrained")
    axes = figure.subplots()
    axes.set_xscale("log")
    for k, curve in enumerate(curves):
        _draw_curve(axes, curve, radius, k)
    if faint is not None and len(faint.radius):
        axes.plot(faint.density * CUBIC_CENTIMETRE, faint.radius / radius, ".", markersize=4.0, color=colour, alpha=0.3,
                  markeredgewidth=0.0, label="single windows", zorder=2, gid="windows")  # fmt: skip
    if dots is not None and len(dots.radius):
        _draw_dots(axes, dots, radius, colour)
    if profile is not None:
        _draw_boxes(axes, profile, radius)
    _set_reach(axes, profile, radius, curves, reach)
    _set_limits(axes, profile, radius, curves, dots)
    if profile is not None:
        _write_counts(axes, profile, radius)
    axes.set(xlabel=r"neutral density, cm$^{-3}$", ylabel=f"distance from the centre, radii of {body}")
    axes.set_title(title, fontweight="bold", pad=9.0)
    altitude = axes.secondary_yaxis(
        "right", functions=(lambda r: (np.asarray(r) - 1.0) * radius, lambda z: np.asarray(z) / radius + 1.0)
    )
    altitude.set_ylabel("altitude above the surface, km")
    axes.grid(True, **GRID)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9.0)
    return figure


def _draw_curve(axes: Axes, curve: Curve, radius: float, number: int) -> None:
    place, value = curve.radius / radius, curve.density * CUBIC_CENTIMETRE
    if curve.lower is not None and curve.upper is not None:
        ends = [np.where(end > 0.0, end, np.nan) * CUBIC_CENTIMETRE for end in (curve.lower, curve.upper)]
        axes.fill_betweenx(place, ends[0], ends[1], color="#888888", alpha=0.3, linewidth=0.0, label="16–84 %", zorder=1)
    colour, style = (COLOURS[(number + 1) % len(COLOURS)], "--") if curve.component else ("black", "-")
    axes.plot(value, place, color=colour, linestyle=style, linewidth=1.6, label=curve.label, zorder=4)


def _draw_dots(axes: Axes, dots: Dots, radius: float, colour: str) -> None:
    value, place = dots.density * CUBIC_CENTIMETRE, dots.radius / radius
    if dots.lower is not None and dots.upper is not None and len(value) <= _MOST_ERROR_BARS:
        ends = np.stack([value - dots.lower * CUBIC_CENTIMETRE, dots.upper * CUBIC_CENTIMETRE - value])
        axes.errorbar(value, place, xerr=np.maximum(ends, 0.0), fmt="none", ecolor=colour, elinewidth=0.9, alpha=0.45, zorder=3)
    axes.plot(value, place, "o", markersize=4.0, color=colour, alpha=0.55, markeredgewidth=0.0, label="events", zorder=3,
              gid="events")  # fmt: skip


def _draw_boxes(axes: Axes, profile: xr.Dataset, radius: float) -> None:
    """Extremes as a bar, quartiles as a box, the median as a line; at the median distance of the events of the bin."""
    values = {name: profile[f"density_{name}"].values * CUBIC_CENTIMETRE
              for name in ("minimum", "lower_quartile", "median", "upper_quartile", "maximum")}  # fmt: skip
    bounds = profile["radial_distance_bounds"].values / radius
    place = profile["radial_distance"].values / radius
    half = 0.5 * _BOX * (bounds[:, 1] - bounds[:, 0])
    several = profile["event_count"].values > 1
    enough = profile["event_count"].values >= _FEWEST_FOR_BOX
    for k in range(len(place)):
        if several[k]:
            ends = values["minimum"][k], values["maximum"][k]
            axes.plot(ends, [place[k]] * 2, color="#1b1b1b", linewidth=1.1, marker="|", markersize=7.0, zorder=5)
        if enough[k]:
            low, high = values["lower_quartile"][k], values["upper_quartile"][k]
            axes.add_patch(Rectangle((low, place[k] - half[k]), high - low, 2 * half[k], facecolor="white", alpha=0.85,
                                     edgecolor="#1b1b1b", linewidth=1.1, zorder=6))  # fmt: skip
        axes.plot([values["median"][k]] * 2, [place[k] - half[k], place[k] + half[k]], color=MEDIAN_COLOUR, linewidth=2.4,
                  zorder=7, gid="median", label="median, quartiles, extremes" if k == 0 else None)  # fmt: skip


def _set_reach(
    axes: Axes, profile: xr.Dataset | None, radius: float, curves: Sequence[Curve], reach: tuple[float, float] | None
) -> None:
    """Ends of the distance axis."""
    if reach is None and profile is not None:
        bounds = profile["radial_distance_bounds"].values / radius
        reach = (1.0 if curves else float(bounds.min()), float(bounds.max()))
    if reach is None:
        reach = (1.0, max(float(curve.radius.max()) for curve in curves) / radius)
    axes.set_ylim(*reach)


def _set_limits(axes: Axes, profile: xr.Dataset | None, radius: float, curves: Sequence[Curve], dots: Dots | None) -> None:
    """Ends of the density axis: all that lies between the ends of the distance axis."""
    shown = [] if profile is None else [profile["density_minimum"].values, profile["density_maximum"].values]
    highest = axes.get_ylim()[1] * radius
    total = [curve.density[curve.radius <= highest * 1.001] for curve in curves if not curve.component]
    if dots is not None and dots.lower is not None and dots.upper is not None and len(dots.radius) <= _MOST_ERROR_BARS:
        shown += [dots.lower, dots.upper]
    found = np.concatenate([np.atleast_1d(one) for one in shown + total]) * CUBIC_CENTIMETRE
    found = found[np.isfinite(found) & (found > 0.0)]
    high = found.max() * 1.6
    low = max(found.min() / 1.6, high * _WIDEST)
    axes.set_xlim(low, high * (high / low) ** (_COUNT_ROOM / (1.0 - _COUNT_ROOM)))
    few = high / low < 100.0
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,), numticks=12))
    if low >= 1e-3 and high <= 1e4:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _write_counts(axes: Axes, profile: xr.Dataset, radius: float) -> None:
    across = axes.get_yaxis_transform()
    axes.text(0.985, 1.006, "events", transform=axes.transAxes, ha="right", va="bottom", fontsize=8.5, color="#444444")
    for place, count in zip(profile["radial_distance"].values / radius, profile["event_count"].values, strict=True):
        axes.text(0.985, place, f"{int(count)}", transform=across, ha="right", va="center", fontsize=9.0, color="#444444",
                  zorder=8, gid="count")  # fmt: skip


def draw_brightness(title: str, curves: Sequence[Curve], body: str, radius: float) -> Figure:
    """Draw the brightness of a line at the limb, altitude upwards.

    Parameters
    ----------
    title : str
        Text above.
    curves : sequence of Curve
        Tangent distances (km) and brightness with its ends in rayleigh, in place of densities; components are dashed.
    body : str
        Name of the body.
    radius : float
        Radius of the body, km.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(5.6, 6.0), layout="constrained")
    axes = figure.subplots()
    for curve in curves:
        good = np.isfinite(curve.density) & (curve.density > 0.0)
        place = curve.radius[good] / radius
        if curve.lower is not None and curve.upper is not None:
            ends = np.maximum(curve.lower[good], 1e-300), curve.upper[good]
            axes.fill_betweenx(place, ends[0], ends[1], color="#888888", alpha=0.3, linewidth=0.0, label="16–84 %")
        style = ("--", COLOURS[1]) if curve.component else ("-", "black")
        axes.plot(curve.density[good], place, linestyle=style[0], color=style[1], linewidth=1.6, label=curve.label)
    axes.set(
        xscale="log", xlabel="brightness at the limb, R (rayleigh)", ylabel=f"distance of the tangent point, radii of {body}"
    )
    axes.set_ylim(bottom=1.0)
    axes.margins(y=0.0)
    axes.set_title(title, fontweight="bold", pad=9.0)
    axes.grid(True, **GRID)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9.0)
    return figure
