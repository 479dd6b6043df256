"""The figures of Andoh et al. (2026, doi:10.1051/swsc/2025056), by their numbers, from the output of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import matplotlib
import matplotlib.dates as mdates
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from siderion.core.errors import CoverageError, DataError
from siderion.jobs.progress import ProgressEvent, Report, silent
from siderion.transport.diagnostics import evening_morning_ratio
from siderion.transport.paper import Evidence
from siderion.transport.paper.mechanism import northwest_share

from . import markup
from .figures import STYLE, Series
from .map_drawing import ColourScale, density_scale, speed_scale, velocity_scale
from .panels import Panel, PanelRow, draw_panels
from .polar_map import to_plane
from .polar_page import polar_run, written_day
from .polar_sections import (
    DENSITY_ALTITUDES,
    TERMS,
    VELOCITY_ROWS,
    PolarRun,
    VelocityRow,
    clock,
    density_at,
    row_totals,
    velocity,
)
from .record_sections import driver_series
from .schematic import schematic_figure
from .selection import Array, MapFrame, missing_for_polar_report, read_json_attribute, species_label

DECADES = 6
"""Most decades of a density scale."""
WEAK_FIELD = 0.5e-3
"""Components of the electric field below this, V m-1, have no direction on the map."""


@dataclass(frozen=True)
class PaperInput:
    """What the figures are made from: the run made ready for the report, its output as written, its drivers."""

    run: PolarRun
    output: xr.Dataset
    drivers: xr.Dataset | None

    @cached_property
    def evidence(self) -> Evidence:
        """The fields and statistics of the statements of the paper, on the cells of the maps.

        Raises
        ------
        CoverageError
            The output has no potential or no areas.
        """
        for name, what in (("electric_potential", "cells to compare the fields in"), ("solid_angle", "areas to weight with")):
            if name not in self.run.dataset:
                raise CoverageError(f"The output has no {name}, so there are no {what}; a new siderion run writes it.")
        return Evidence(self.run.dataset, self.run.species[0], self.drivers)


@dataclass(frozen=True)
class PaperFigure:
    """One figure: key, heading, caption (HTML), and the drawing; None, with the reason, when it cannot be made."""

    key: str
    heading: str
    caption: str
    figure: Figure | None
    reason: str = ""


def paper_figures(output: xr.Dataset, drivers: xr.Dataset | None = None) -> dict[str, Figure]:
    """Draw the figures of the paper that the output allows.

    Parameters
    ----------
    output : xarray.Dataset
        Output of a polar run (see `siderion.report.render_report`).
    drivers : xarray.Dataset, optional
        Drivers of the run (`siderion.transport.run.load_drivers`), for figures 8 and S3.

    Returns
    -------
    dict of str to Figure
        Keys ``figure_1`` to ``figure_8`` and ``figure_s1`` to ``figure_s3``, without those that cannot be made.

    Raises
    ------
    DataError
        The data set is no output of a polar run.
    """
    return {one.key: one.figure for one in make_paper_figures(output, drivers) if one.figure is not None}


def make_paper_figures(output: xr.Dataset, drivers: xr.Dataset | None = None, report: Report = silent) -> list[PaperFigure]:
    """Draw every figure of the paper with its caption, or say why it cannot be drawn; parameters as `paper_figures`.

    ``report`` takes a progress event per figure: some take half a minute.
    """
    check_polar_run(output)
    given = PaperInput(polar_run(output), output, drivers)
    made = []
    with matplotlib.rc_context(rc=STYLE):
        for number, (key, (heading, build)) in enumerate(_FIGURES.items()):
            report(ProgressEvent("figures", number / len(_FIGURES), heading))
            made.append(_made(key, heading, partial(build, given)))
    return made


def check_polar_run(output: xr.Dataset) -> None:
    """Raise `DataError` unless the data set is the output of a polar run."""
    missing = missing_for_polar_report(output)
    if missing:
        raise DataError(
            f"this is not the output of a polar run: it lacks {', '.join(missing)}; the figures of the paper need the "
            "polar.zarr that siderion run writes"
        )


def _made(key: str, heading: str, build: Callable[[], tuple[Figure, str]]) -> PaperFigure:
    try:
        figure, caption = build()
    except CoverageError as error:
        return PaperFigure(key, heading, "", None, str(error))
    return PaperFigure(key, heading, caption, figure)


def _caption(shown: str, paper: str, look: str) -> str:
    return f"{shown} <strong>In the paper:</strong> {paper} <strong>Look at:</strong> {look}"


def scale_words(scale: ColourScale) -> str:
    """The range of a scale in words (HTML)."""
    kind = "logarithmic, from" if scale.logarithmic else "from"
    return f"The colours run {kind} {markup.number(scale.lowest, 2)} to {markup.number(scale.highest, 2)}"


def _inside(run: PolarRun, fields: list[Array]) -> list[Array]:
    """The parts of fields inside the rim of the maps."""
    return [field[frame.latitude >= frame.edge] for field, frame in zip(fields, run.frames, strict=True)]


def _row(
    run: PolarRun, fields: list[Array], scale: ColourScale, what: str, streamlines: bool = False,
    overlay: Callable[[Axes, MapFrame], None] | None = None,
) -> PanelRow:  # fmt: skip
    panels = [
        Panel(f"{what}, {clock(frame.time)}", field, frame, streamlines, overlay)
        for field, frame in zip(fields, run.frames, strict=True)
    ]
    return PanelRow(tuple(panels), scale)


def _times(run: PolarRun) -> str:
    return " and ".join(clock(frame.time) for frame in run.frames)


# ---------------------------------------------------------------------- figure 1


def imf_figure(given: PaperInput) -> tuple[Figure, str]:
    """Figure 1: Bz and By of the day analysed."""
    dataset, day = given.run.dataset, given.run.day.astype("datetime64[ns]")
    drivers = read_json_attribute(dataset, "drivers") or {}
    found = driver_series(dataset, drivers)
    chosen = [next((one for one in found if part in one.name.lower()), None) for part in ("bz", "by")]
    series = [_on_day(one, day) for one in chosen if one is not None]
    if len(series) < 2 or any(not np.isfinite(one.values).any() for one in series):
        raise CoverageError(
            "The output has no Bz and By of the day among its drivers; a run with the SWIPE or the Weimer convection has them."
        )
    figure = Figure(figsize=(7.4, 4.4), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    for axes, one, name, letter in zip(panels, series, ("Bz", "By"), "ab", strict=True):
        axes.plot(one.time, one.values, color="#0b4f8a", linewidth=1.5)
        for level in (-5.0, 0.0, 5.0):
            axes.axhline(level, color="#555555", linewidth=0.9, linestyle="--", zorder=0)
        limit = max(7.0, 1.1 * float(np.nanmax(np.abs(one.values))))
        axes.set(ylim=(-limit, limit), ylabel=f"{name} (GSM), nT", xlim=(day, day + np.timedelta64(24, "h")))
        axes.set_title(f"({letter}) {name}", loc="left", fontsize=11, fontweight="bold")
    panels[1].xaxis.set_major_locator(mdates.HourLocator(byhour=range(0, 24, 3)))
    panels[1].xaxis.set_major_formatter(mdates.DateFormatter("%H"))
    panels[1].set_xlabel(f"universal time on {written_day(given.run.day)}, h")
    negative, within = (100.0 * float(np.nanmean(x)) for x in (series[0].values < 0.0, np.abs(series[1].values) < 5.0))
    origin = str(drivers.get("imf_by_origin", ""))
    by = f"By is {markup.text(origin)}. " if origin else ""
    held = str(drivers.get("held_constant", ""))
    measured = "These are hourly OMNI values, interpolated in time, at the nose of the bow shock. "
    kind = f"Held constant by the settings of this run: {markup.text(held)}. " if held else measured
    if held and not {"imf_by_gsm", "imf_bz_gsm"} <= {part.split(" = ")[0] for part in held.split(", ")}:
        kind += "Else hourly OMNI values, interpolated in time. "
    caption = _caption(
        f"Interplanetary magnetic field in GSM coordinates on {written_day(given.run.day)}, as it drives the run; dashed lines "
        f"at −5, 0 and 5 nT. {kind}{by}",
        "minutes from the DSCOVR satellite, with their fast fluctuations; only means over an hour can be compared.",
        f"Bz is negative for {negative:.0f} % of the day and |By| is below 5 nT for {within:.0f} %; the paper asks for 80 %.",
    )
    return figure, caption


def _on_day(one: Series, day: np.datetime64) -> Series:
    chosen = (one.time >= day) & (one.time < day + np.timedelta64(24, "h"))
    return Series(one.name, one.units, one.time[chosen], one.values[chosen])


# ---------------------------------------------------------------------- figures 2 and 3


def density_figure(given: PaperInput) -> tuple[Figure, str]:
    """Figure 2: density at 300, 200 and 120 km."""
    run = given.run
    name = species_label(run.species[0])
    levels = {altitude: [density_at(run, 0, altitude, frame) for frame in run.frames] for altitude in DENSITY_ALTITUDES}
    scales = {
        altitude: _density_scale(_inside(run, fields), f"{name} at {altitude:g} km, m⁻³") for altitude, fields in levels.items()
    }
    rows = [_row(run, fields, scales[altitude], f"{altitude:g} km", True) for altitude, fields in levels.items()]
    figure = draw_panels(rows)
    ratios = []
    if {"electric_potential", "solid_angle"} <= set(given.output):
        for altitude in DENSITY_ALTITUDES:
            found = [evening_morning_ratio(given.output, run.species[0], altitude, _index(given.output, f)) for f in run.frames]
            ratios.append(f"{' and '.join(markup.number(one, 2) for one in found)} at {altitude:g} km")
    said = f"the mean density in the evening cell over that in the morning cell is {', '.join(ratios)}. " if ratios else ""
    peaks = [markup.number(float(np.nanmax(part)), 2) for part in _inside(run, levels[DENSITY_ALTITUDES[-1]])]
    caption = _caption(
        f"{name} number density at 300, 200 and 120 km (rows) at {_times(run)} (columns), each "
        "row on its own scale. White lines are streamlines of the horizontal E × B drift; thick outlines enclose the two cells.",
        "ions follow the outer edges of the cells and their common boundary at 300 and 200 km, with more in the evening cell; at "
        "120 km they exceed 10<sup>11</sup> m<sup>−3</sup> before midnight at 70 to 80° N, where the convection turns.",
        f"{said}The largest density at 120 km is {' and '.join(peaks)} m<sup>−3</sup> at {_times(run)}.",
    )
    return figure, caption


def _density_scale(parts: list[Array], label: str) -> ColourScale:
    """One logarithmic scale for the maps of one altitude: both hours count alike, at most `DECADES`."""
    scales = [density_scale([part], "") for part in parts]
    highest = max(one.highest for one in scales)
    lowest = max(min(one.lowest for one in scales), highest * 10.0**-DECADES)
    return ColourScale(lowest, highest, label, "viridis", logarithmic=True)


def _index(output: xr.Dataset, frame: MapFrame) -> int:
    return int(np.abs(output["time"].values - frame.time).argmin())


def speed_figure(given: PaperInput) -> tuple[Figure, str]:
    """Figure 3: speed of the horizontal E x B drift at 300 km."""
    run = given.run
    fields = [np.hypot(*(velocity(run, way, frame.time, 300.0, "exb") for way in ("east", "north"))) for frame in run.frames]
    inside = _inside(run, fields)
    scale = speed_scale(inside, "speed of the horizontal E × B drift, m s⁻¹")
    figure = draw_panels([_row(run, fields, scale, "300 km", True)])
    largest = " and ".join(f"{np.nanmax(part):.0f}" for part in inside)
    caption = _caption(
        f"Speed of the horizontal E × B drift at 300 km at {_times(run)}. {scale_words(scale)} m s<sup>−1</sup>.",
        "the drift is faster at 18 UT than at 6 UT.",
        f"the largest speeds are {largest} m s<sup>−1</sup>.",
    )
    return figure, caption


# ---------------------------------------------------------------------- figures 4 to 7


def _agreement(given: PaperInput, first: list[Array], second: list[Array]) -> str:
    """Correlations, and slopes of the first fields on the second, in the two cells at the times of the maps, in words."""
    said, evidence = [], given.evidence
    for one, other, frame in zip(first, second, given.run.frames, strict=True):
        cells = evidence.cells(_index(given.run.dataset, frame))
        correlation, slope = evidence.correlation(one, other, cells), evidence.slope(one, other, cells)
        words = f"{correlation:.2f} (slope {slope:.2f})".replace("-", "−")
        said.append("nothing (one field is uniform)" if np.isnan(correlation) else words)
    return f"{' and '.join(said)} at {_times(given.run)}"


def _way(run: PolarRun, row: VelocityRow) -> str:
    """The direction that is positive, in words."""
    return "upward" if row.way == "up" else "northward" if run.southern else "southward"


_ROW_WORDS = {
    300.0: (
        "Vertical ion velocity at 300 km (top) and its part by the E × B drift (bottom)",
        "the E × B drift rules the vertical motion inside the cells, upwards by day and downwards by night",
    ),
    200.0: (
        "Meridional ion velocity at 200 km without its E × B part (top), and the meridional Pedersen drift (bottom)",
        "ions enter the evening cell and leave the morning cell, moved by the Pedersen drift",
    ),
    120.0: (
        "Vertical ion velocity at 120 km (top) and its part by the Pedersen drift (bottom)",
        "the Pedersen drift rules the vertical motion inside the cells; in the evening cell ions descend only near the boundary "
        "of the cells",
    ),
}


def velocity_figure(given: PaperInput, row: VelocityRow) -> tuple[Figure, str]:
    """Figures 4 to 6: a velocity and the term that should rule it."""
    run = given.run
    totals = row_totals(run, row)
    terms = [velocity(run, row.way, frame.time, row.altitude, row.term) for frame in run.frames]
    scale = _velocity_scale(run, row)
    name = "VIV" if row.way == "up" else "MIV"
    what = f"{name} − E × B" if row.without_exb else name
    rows = [
        _row(run, totals, scale, f"{what}, {row.altitude:g} km"),
        _row(run, terms, scale, f"{TERMS[row.term]}, {row.altitude:g} km"),
    ]
    shown, paper = _ROW_WORDS[row.altitude]
    caption = _caption(
        f"{shown} at {_times(run)}, {_way(run, row)} positive (red). {scale_words(scale)} m s<sup>−1</sup> in all maps.",
        f"{paper}.",
        "inside the cells the correlation of the top row with the bottom row, weighted by area, is "
        f"{_agreement(given, totals, terms)}.",
    )
    return draw_panels(rows), caption


def _velocity_scale(run: PolarRun, row: VelocityRow) -> ColourScale:
    """The scale of figures 4 to 6, wide enough for the total and for the term; the wind of figure 7 is drawn on it."""
    totals = row_totals(run, row)
    terms = [velocity(run, row.way, frame.time, row.altitude, row.term) for frame in run.frames]
    name = "vertical" if row.way == "up" else "meridional"
    return velocity_scale(_inside(run, totals) + _inside(run, terms), f"{name} velocity, {_way(run, row)} positive, m s⁻¹")


def wind_figure(given: PaperInput) -> tuple[Figure, str]:
    """Figure 7: velocities driven by the wind."""
    run = given.run
    rows, said = [], []
    for row in VELOCITY_ROWS:
        winds = [velocity(run, row.way, frame.time, row.altitude, "wind") for frame in run.frames]
        name = "VIV" if row.way == "up" else "MIV"
        rows.append(_row(run, winds, _velocity_scale(run, row), f"{name} by the wind, {row.altitude:g} km"))
        said.append(f"{_agreement(given, row_totals(run, row), winds)}, {row.altitude:g} km")
    caption = _caption(
        f"Wind-driven vertical velocity at 300 km, meridional velocity at 200 km ({_way(run, VELOCITY_ROWS[1])} positive) and "
        f"vertical velocity at 120 km at {_times(run)}, each on the scale of figure 4, 5 or 6.",
        "inside the cells the total looks more like the electric part than like the wind-driven one; the wind alters the "
        "strength of the flows.",
        "inside the cells the correlation of the upper rows of figures 4 to 6 with the wind-driven velocity is "
        f"{'; '.join(said)}.",
    )
    return draw_panels(rows), caption


# ---------------------------------------------------------------------- figures S1 to S3


def local_time_figure(given: PaperInput) -> tuple[Figure, str]:
    """Figure S1: magnetic local time, with a line at every hour."""
    run = given.run
    scale = ColourScale(0.0, 24.0, "magnetic local time, h", "twilight_shifted", ticks=(0.0, 6.0, 12.0, 18.0, 24.0))
    row = _row(run, [frame.local_time for frame in run.frames], scale, "MLT", overlay=_draw_hours)
    caption = _caption(
        f"Magnetic local time of the tilted dipole at {_times(run)}; white lines at every hour, outlines of the two cells.",
        "the same quantity, from the same kind of dipole.",
        "the hours meet at the magnetic pole (diamond), not at the geographic pole in the centre.",
    )
    return draw_panels([row]), caption


def _draw_hours(axes: Axes, frame: MapFrame) -> None:
    axis = np.linspace(frame.edge - 90.0, 90.0 - frame.edge, 241)
    for hour in range(12):  # the sine is zero at this hour and twelve hours later
        phase = np.sin(np.pi / 12.0 * (frame.local_time - hour))
        plane = to_plane(phase, frame.latitude, frame.longitude, frame.noon, frame.edge)
        axes.contour(axis, axis, plane, [0.0], colors="white", linewidths=0.8, zorder=3)


def invariant_latitude_figure(given: PaperInput) -> tuple[Figure, str]:
    """Figure S2: invariant latitude."""
    run = given.run
    fields = [frame.invariant_latitude for frame in run.frames if frame.invariant_latitude is not None]
    if len(fields) < len(run.frames):
        raise CoverageError("The output has no invariant_latitude; a new siderion run writes it.")
    lowest = 5.0 * np.floor(min(float(part.min()) for part in _inside(run, fields)) / 5.0)
    scale = ColourScale(float(lowest), 90.0, "invariant latitude at 110 km, degrees", "viridis")
    caption = _caption(
        f"Absolute invariant latitude of the tilted dipole at 110 km, turned as at {_times(run)}; dashed lines at 60, 70 "
        f"and 80°. {scale_words(scale)}°.",
        "the same quantity; the structure of the density lies at 65 to 80° by day and at 60 to 70° by night.",
        "the invariant latitude that a place on the maps of figure 2 has.",
    )
    return draw_panels([_row(run, fields, scale, "invariant latitude")]), caption


def field_figure(given: PaperInput) -> tuple[Figure, str]:
    """Figure S3: signs of the magnetic eastward and northward electric field at 120 km; times are the rows."""
    run = given.run
    if given.drivers is None:
        raise CoverageError("The electric field at 120 km needs the drivers of the run; siderion report --paper loads them.")
    rows, shares = [], []
    scale = ColourScale(-1.0, 1.0, "", "RdBu_r")
    for frame in run.frames:
        east, north = given.evidence.electric_field(_index(run.dataset, frame))
        panels = [
            Panel(f"{way} E, 120 km, {clock(frame.time)}", 0.6 * np.where(np.abs(part) < WEAK_FIELD, 0.0, np.sign(part)), frame)
            for way, part in (("eastward", east), ("northward", north))
        ]
        rows.append(PanelRow(tuple(panels), scale))
        shares.append(_converging_share(given, frame))
    patches = [Patch(facecolor=colour, edgecolor="#555555", label=label) for colour, label in (
        ("#d6604d", "positive"), ("#4393c3", "negative"), ("#f7f7f7", "weaker than 0.5 mV/m"),
    )]  # fmt: skip
    mirrored = " In the south it is the southwest (both blue) that makes layers." if run.southern else ""
    caption = _caption(
        f"Sign of the magnetic eastward (left) and northward (right) electric field at 120 km at {_times(run)} (top and bottom): "
        "red is eastward or northward, blue westward or southward, white weaker than 0.5 mV m<sup>−1</sup>.",
        f"the field turns to the northwest (left blue, right red) before midnight, where the layers are.{mirrored}",
        "where the density between 115 and 125 km exceeds 10<sup>11</sup> m<sup>−3</sup> from 18 to 24 MLT, poleward of 60° "
        f"invariant latitude, the field points to the magnetic {'southwest' if run.southern else 'northwest'} in "
        f"{' and '.join(shares)} of the area at {_times(run)}.",
    )
    return draw_panels(rows, patches), caption


def _converging_share(given: PaperInput, frame: MapFrame) -> str:
    """Share of the area of the layers before midnight where the field makes layers, in words."""
    share = northwest_share(given.evidence, _index(given.run.dataset, frame))
    return "(no layer)" if np.isnan(share) else f"{100.0 * share:.0f} %"


def flow_figure(given: PaperInput) -> tuple[Figure, str]:
    """Figure 8: the five flows, and where the vertical drifts go up and down."""
    figure, shown, look = schematic_figure(given.run, given.output, given.drivers)
    paper = (
        "ions rise by day (1), cross the pole (2), descend by night (3), are moved from the morning to the evening cell by the "
        "Pedersen drift (4) and enter the E region near the boundary of the cells (5), where they form layers (red)."
    )
    return figure, _caption(shown, paper, look)


_FIGURES: dict[str, tuple[str, Callable[[PaperInput], tuple[Figure, str]]]] = {
    "figure_1": ("Figure 1: interplanetary magnetic field", imf_figure),
    "figure_2": ("Figure 2: density of the metal ions", density_figure),
    "figure_3": ("Figure 3: speed of the horizontal E × B drift", speed_figure),
    "figure_4": ("Figure 4: vertical velocity at 300 km", partial(velocity_figure, row=VELOCITY_ROWS[0])),
    "figure_5": ("Figure 5: meridional velocity at 200 km", partial(velocity_figure, row=VELOCITY_ROWS[1])),
    "figure_6": ("Figure 6: vertical velocity at 120 km", partial(velocity_figure, row=VELOCITY_ROWS[2])),
    "figure_7": ("Figure 7: velocity driven by the wind", wind_figure),
    "figure_8": ("Figure 8: the flow in three dimensions", flow_figure),
    "figure_s1": ("Figure S1: magnetic local time", local_time_figure),
    "figure_s2": ("Figure S2: invariant latitude", invariant_latitude_figure),
    "figure_s3": ("Figure S3: directions of the electric field", field_figure),
}
