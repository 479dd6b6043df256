"""Figures other than polar maps, and their way into a page."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import matplotlib.dates as mdates
import numpy as np
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

from .map_drawing import NO_VALUE, ColourScale
from .polar_map import cell_edges
from .selection import Array

RESOLUTION = 110
"""Dots per inch of the figures."""
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10.0,
    "axes.titlesize": 11.5,
    "axes.labelsize": 10.0,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "axes.facecolor": "white",
    "figure.facecolor": "white",
    "text.color": "#1b1b1b",
    "axes.labelcolor": "#1b1b1b",
}
"""Settings of matplotlib used while a page is drawn, and taken back afterwards."""
_LINE = "#0b4f8a"
_TICKS_KM = (90, 100, 120, 150, 200, 300, 400, 600, 800, 1000)


@dataclass(frozen=True)
class Series:
    """One driver against time: name, units, times, values (NaN where unknown)."""

    name: str
    units: str
    time: NDArray[np.datetime64]
    values: Array


def to_png(figure: Figure, resolution: int = RESOLUTION) -> bytes:
    """Render a figure to PNG, at so many dots per inch."""
    FigureCanvasAgg(figure)
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=resolution, metadata={"Software": None})
    return stream.getvalue()


def to_data_uri(figure: Figure) -> str:
    """Render a figure to PNG and write it as a data URI."""
    return "data:image/png;base64," + base64.b64encode(to_png(figure)).decode("ascii")


def draw_cut(values: Array, invariant_latitude: Array, altitude: Array, scale: ColourScale, title: str) -> Figure:
    """Draw a cut along a magnetic meridian.

    Parameters
    ----------
    values : array (alt, n)
        Density along the cut, m-3; NaN where the cut leaves the grid.
    invariant_latitude : array (n)
        Absolute values, degrees, ascending.
    altitude : array (alt)
        Centres, km.
    scale : ColourScale
        Colours.
    title : str
        Text above.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(4.4, 4.2))
    axes = figure.add_axes((0.15, 0.295, 0.81, 0.61))
    shown = np.where(values <= 0.0, 0.5 * scale.lowest, values)
    edges = cell_edges(altitude)
    mesh = axes.pcolormesh(
        cell_edges(invariant_latitude), edges, np.ma.masked_invalid(shown), norm=scale.norm(), cmap=scale.colours
    )
    axes.set_facecolor(NO_VALUE)
    axes.set_yscale("log")
    ticks = [tick for tick in _TICKS_KM if edges[0] <= tick <= edges[-1]]
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set(xlabel="invariant latitude, °", ylabel="altitude, km", ylim=(max(edges[0], 1.0), edges[-1]))
    bar = figure.colorbar(
        mesh, cax=figure.add_axes((0.15, 0.115, 0.81, 0.034)), orientation="horizontal", extend=scale.extend(shown)
    )
    bar.set_label(scale.label)
    figure.text(0.5, 0.955, title, ha="center", va="center", fontsize=11.5, fontweight="bold")
    return figure


def draw_series(series: list[Series], span: tuple[np.datetime64, np.datetime64] | None) -> Figure:
    """Draw drivers against time, one panel each, on one time axis.

    Parameters
    ----------
    series : list of Series
        What to draw, from top to bottom; a name that begins with "Kp" is drawn in steps from zero.
    span : tuple of datetime64 or None
        The day analysed, shaded.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(5.2, 0.8 + 1.35 * len(series)), layout="constrained")
    panels = figure.subplots(len(series), 1, sharex=True, squeeze=False)[:, 0]
    for axes, one in zip(panels, series, strict=True):
        if one.name.lower().startswith("kp"):
            # a value holds until the next one; the last one as long as the one before it
            ends = np.append(one.time, one.time[-1] + (one.time[-1] - one.time[-2] if len(one.time) > 1 else 0))
            axes.step(ends, np.append(one.values, one.values[-1]), where="post", color=_LINE, linewidth=1.4)
            axes.set_ylim(0.0, max(5.0, float(np.nanmax(one.values)) + 0.5))
        else:
            axes.plot(one.time, one.values, color=_LINE, linewidth=1.0)
            axes.axhline(0.0, color="#777777", linewidth=0.8, linestyle="--")
        if span is not None:
            axes.axvspan(*span, color="#0b4f8a", alpha=0.08, linewidth=0)
        axes.set_title(f"{one.name}, {one.units}" if one.units not in ("", "1") else one.name, loc="left", fontsize=10)
        axes.grid(True, color="#dddddd", linewidth=0.6)
        axes.margins(x=0.0)
    locator = mdates.AutoDateLocator(minticks=3, maxticks=6)
    panels[-1].xaxis.set_major_locator(locator)
    panels[-1].xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
    panels[-1].set_xlabel("universal time")
    return figure


def draw_line(array: xr.DataArray, label: str) -> Figure:
    """Draw a variable of one dimension against its coordinate (or its index)."""
    figure = Figure(figsize=(5.4, 3.4), layout="constrained")
    axes = figure.subplots()
    name = str(array.dims[0])
    position, ticks = _axis_values(array, name)
    axes.plot(position, array.values, color=_LINE, linewidth=1.2, marker="o" if len(position) < 40 else None, markersize=3.5)
    if ticks is not None:
        axes.set_xticks(position, ticks, rotation=30, ha="right")
    axes.set(xlabel=_axis_label(array, name), ylabel=label)
    axes.grid(True, color="#dddddd", linewidth=0.6)
    return figure


def draw_plane(array: xr.DataArray, label: str) -> Figure:
    """Draw a variable of two dimensions as colours, the second dimension to the right."""
    figure = Figure(figsize=(5.4, 4.0), layout="constrained")
    axes = figure.subplots()
    vertical, horizontal = (str(name) for name in array.dims)
    (x, x_ticks), (y, y_ticks) = _axis_values(array, horizontal), _axis_values(array, vertical)
    values = np.ma.masked_invalid(array.values.astype(float))
    signed = bool(values.count()) and values.min() < 0.0 < values.max()
    limit = float(np.abs(values).max()) if signed else None
    wide = bool(values.count()) and values.min() > 0.0 and values.max() > 1e3 * values.min()
    mesh = axes.pcolormesh(
        x,
        y,
        values,
        shading="nearest",
        cmap="RdBu_r" if signed else "viridis",
        norm=LogNorm() if wide else Normalize(-limit if limit else None, limit),
    )
    axes.set_facecolor(NO_VALUE)
    if x_ticks is not None:
        axes.set_xticks(x, x_ticks, rotation=30, ha="right")
    if y_ticks is not None:
        axes.set_yticks(y, y_ticks)
    axes.set(xlabel=_axis_label(array, horizontal), ylabel=_axis_label(array, vertical))
    figure.colorbar(mesh, ax=axes, label=label)
    return figure


def _axis_values(array: xr.DataArray, name: str) -> tuple[np.ndarray, list[str] | None]:
    """Positions along an axis, and their names where the coordinate is text."""
    if name not in array.coords or array.coords[name].ndim != 1:
        return np.arange(array.sizes[name]), None
    values = array.coords[name].values
    if values.dtype.kind in "iufM":
        return values, None
    return np.arange(len(values)), [str(value) for value in values]


def _axis_label(array: xr.DataArray, name: str) -> str:
    units = array.coords[name].attrs.get("units") if name in array.coords else None
    return f"{name}, {units}" if units and units != "1" else name
