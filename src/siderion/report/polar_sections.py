"""Sections of the polar report that show fields: densities, velocities, wind, cut along a meridian."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import xarray as xr
from scipy.interpolate import RegularGridInterpolator

from siderion.core.errors import CoverageError
from siderion.transport.diagnostics.levels import at_altitude

from . import markup
from .figures import draw_cut, to_data_uri
from .map_drawing import ColourScale, density_scale, draw_polar_map, speed_scale, velocity_scale
from .markup import Section
from .polar_map import magnetic_meridian
from .selection import Array, MapFrame, at_time, species_label

DENSITY_ALTITUDES = (300.0, 200.0, 120.0)
CUT_HOUR = 22.0
CUT_LATITUDES = np.arange(50.0, 90.0, 0.5)
TERMS = {"exb": "E × B drift", "pedersen": "Pedersen drift", "wind": "wind"}
BY_TERM_REMEDY = "Repeat the run with the altitudes wanted in --set term_altitudes=[120, 200, 300]."
VELOCITY_REMEDY = "Repeat the run with the hours wanted in --velocity-at."
POTENTIAL_NOTE = (
    "The output has no electric_potential, so the maps show neither streamlines nor cells. "
    "A new siderion run writes it with every output hour."
)


@dataclass(frozen=True)
class PolarRun:
    """The output of a polar run, made ready for the report.

    Attributes
    ----------
    dataset : xarray.Dataset
        Ordered by `selection.order_poleward`.
    day : datetime64
        The day analysed.
    frames : tuple of MapFrame
        One per time of the maps.
    species : tuple of str
        Names.
    southern : bool
        Whether it is the southern hemisphere.
    """

    dataset: xr.Dataset
    day: np.datetime64
    frames: tuple[MapFrame, ...]
    species: tuple[str, ...]
    southern: bool


@dataclass(frozen=True)
class VelocityRow:
    """One comparison of a velocity with the term that should rule it (figures 4 to 6 of Andoh et al. 2026)."""

    altitude: float
    way: str
    term: str
    without_exb: bool
    heading: str
    caption: str


VELOCITY_ROWS = (
    VelocityRow(
        300.0,
        "up",
        "exb",
        False,
        "Upward velocity at 300 km, and its E × B part",
        "Upward is positive. Where the rows agree, the E × B drift carries the ions up and down.",
    ),
    VelocityRow(
        200.0,
        "equatorward",
        "pedersen",
        True,
        "Equatorward velocity at 200 km without its E × B part, and the Pedersen drift",
        "Equatorward is positive. Where the rows agree, the Pedersen drift along the electric field moves the ions "
        "into and out of the cells.",
    ),
    VelocityRow(
        120.0,
        "up",
        "pedersen",
        False,
        "Upward velocity at 120 km, and its Pedersen part",
        "Upward is positive. Ions gather where upward motion below meets downward motion above.",
    ),
)


def clock(time: np.datetime64) -> str:
    """Hours and minutes of a time."""
    return f"{str(time)[11:16]} UT"


def velocity(run: PolarRun, way: str, time: np.datetime64, altitude: float, term: str | None = None) -> Array:
    """One component of the velocity of the first species on a level.

    Parameters
    ----------
    run : PolarRun
        The run.
    way : str
        ``"up"``, ``"east"``, ``"north"`` or ``"equatorward"``.
    time : datetime64
        One of the velocity times.
    altitude : float
        km.
    term : str, optional
        One term instead of the total.

    Returns
    -------
    array (lat, lon)
        m s-1.

    Raises
    ------
    CoverageError
        The variable, the term, the time or the altitude is not in the output.
    """
    component = "north" if way == "equatorward" else way
    name = f"velocity_{component}" + ("" if term is None else "_by_term")
    if name not in run.dataset:
        raise CoverageError(f"The output has no {name}. " + (VELOCITY_REMEDY if term is None else BY_TERM_REMEDY))
    array = run.dataset[name].isel(species=0)
    if term is not None:
        terms = [str(value) for value in array["term"].values]
        if term not in terms:
            raise CoverageError(f"{name} has no term {term!r}, only {', '.join(terms)}. {BY_TERM_REMEDY}")
        array = array.isel(term=terms.index(term))
    values = at_altitude(at_time(array, time, "velocity_time"), altitude, grid=run.dataset["alt"].values)
    return values if way != "equatorward" or run.southern else -values


def density_at(run: PolarRun, species: int, altitude: float, frame: MapFrame) -> Array:
    """Density of a species at one altitude (km) and at the time of a map, (lat, lon) in m-3; errors as `at_altitude`."""
    return at_altitude(at_time(run.dataset["number_density"].isel(species=species), frame.time), altitude, logarithmic=True)


def map_row(run: PolarRun, values: list[Array], scale: ColourScale, what: str, streamlines: bool) -> list[str]:
    """Draw one field at every time of the maps; returns the images."""
    images = []
    for field, frame in zip(values, run.frames, strict=True):
        title = f"{what}, {clock(frame.time)}"
        drawn = draw_polar_map(field, frame, scale, title, streamlines)
        images.append(markup.image(to_data_uri(drawn), f"Polar map: {title}; {scale.label}"))
    return images


def or_note(build: Callable[[], str]) -> str:
    """Build a piece of the page, or say why it cannot be built."""
    try:
        return build()
    except CoverageError as error:
        said = str(error)
        return markup.missing(said[0].upper() + said[1:] + ("" if said.endswith(".") else "."), "")


def reading_note(run: PolarRun) -> str:
    """How to read the maps."""
    view = (
        "seen through the Earth from the north, so that dusk is on the left" if run.southern else "seen from above the north pole"
    )
    return markup.paragraph(
        f"Each map is {view}. The centre is the geographic pole and magnetic noon is at the top; 00, 06, 12 and 18 on "
        "the rim are magnetic local time in hours. Dotted circles are geographic latitude, the dotted ray is the "
        "Greenwich meridian, dashed circles are invariant latitude 60, 70 and 80° (at 110 km), and the diamond is the "
        f"magnetic pole. The map ends at {run.frames[0].edge:g}° latitude. Thick outlines enclose the two convection "
        "cells: where the electric potential exceeds 30 % of the extremum of the evening (negative) and the morning "
        "(positive) cell; the numbers are the extrema in kV."
    )


def potential_range(frame: MapFrame) -> str | None:
    """The range of the potential on a map in kV, in words."""
    if frame.potential is None:
        return None
    inside = frame.potential[frame.latitude >= frame.edge] / 1e3
    return f"{inside.min():+.0f} to {inside.max():+.0f} kV".replace("-", "\N{MINUS SIGN}")


def density_section(run: PolarRun) -> Section:
    """Number density at three altitudes (figure 2 of Andoh et al. 2026)."""
    pieces = [reading_note(run)]
    if run.frames[0].potential is None:
        pieces.append(markup.missing(POTENTIAL_NOTE, ""))
    else:
        said = "; ".join(f"{potential_range(frame)} at {clock(frame.time)}" for frame in run.frames)
        pieces.append(
            markup.paragraph(
                "White lines are contours of the electric potential, which are the streamlines of the E × B drift; "
                f"arrows give its direction. The potential ranges from {said}."
            )
        )
    for index, name in enumerate(run.species):
        if len(run.species) > 1:
            pieces.append(f"<h3>{markup.text(species_label(name))}</h3>")
        pieces += [or_note(partial(_density_row, run, index, altitude)) for altitude in DENSITY_ALTITUDES]
    return Section("density", "Density on maps", "".join(pieces))


def _density_row(run: PolarRun, species: int, altitude: float) -> str:
    values = [density_at(run, species, altitude, frame) for frame in run.frames]
    name = species_label(run.species[species])
    inside = [field[frame.latitude >= frame.edge] for field, frame in zip(values, run.frames, strict=True)]
    scale = density_scale(inside, f"{name} number density, m⁻³")
    caption = f"{markup.text(name)} number density at {altitude:g} km; one logarithmic scale for the row."
    return markup.figure(map_row(run, values, scale, f"{altitude:g} km", streamlines=True), caption)


def velocity_section(run: PolarRun) -> Section:
    """Velocities and the terms that rule them (figures 3 to 6 of Andoh et al. 2026)."""
    pieces = []
    if len(run.species) > 1:
        pieces.append(markup.paragraph(f"Shown for {markup.text(species_label(run.species[0]))}, the first species of the run."))
    pieces.append("<h3>Speed of the horizontal E × B drift at 300 km</h3>" + or_note(lambda: _speed_figure(run)))
    for row in VELOCITY_ROWS:
        pieces.append(f"<h3>{row.heading}</h3>" + or_note(partial(_velocity_figure, run, row)))
    return Section("velocity", "Velocity and what drives it", "".join(pieces))


def _speed_figure(run: PolarRun) -> str:
    values = [np.hypot(*(velocity(run, way, frame.time, 300.0, "exb") for way in ("east", "north"))) for frame in run.frames]
    scale = speed_scale(values, "horizontal E × B speed, m s⁻¹")
    return markup.figure(map_row(run, values, scale, "E × B, 300 km", streamlines=True), "Lines and arrows as above.")


def row_totals(run: PolarRun, row: VelocityRow) -> list[Array]:
    """Velocity of a row of `VELOCITY_ROWS` at every time of the maps, (lat, lon) in m s-1, without E x B where asked for."""
    totals = [velocity(run, row.way, frame.time, row.altitude) for frame in run.frames]
    if not row.without_exb:
        return totals
    drifts = [velocity(run, row.way, frame.time, row.altitude, "exb") for frame in run.frames]
    return [total - drift for total, drift in zip(totals, drifts, strict=True)]


def _row_scale(run: PolarRun, row: VelocityRow, totals: list[Array]) -> ColourScale:
    inside = [field[frame.latitude >= frame.edge] for field, frame in zip(totals, run.frames, strict=True)]
    return velocity_scale(inside, f"{row.way}ward velocity, m s⁻¹" if row.way == "up" else f"{row.way} velocity, m s⁻¹")


def _velocity_figure(run: PolarRun, row: VelocityRow) -> str:
    totals = row_totals(run, row)
    scale = _row_scale(run, row, totals)
    what = "total − E × B" if row.without_exb else "total"
    images = map_row(run, totals, scale, f"{row.altitude:g} km, {what}", streamlines=False)
    note = ""
    try:
        terms = [velocity(run, row.way, frame.time, row.altitude, row.term) for frame in run.frames]
        images += map_row(run, terms, scale, f"{row.altitude:g} km, {TERMS[row.term]}", streamlines=False)
    except CoverageError as error:
        note = markup.missing(str(error), "")
    return markup.figure(images, f"{row.caption} One scale, centred on zero.") + note


def wind_section(run: PolarRun) -> Section:
    """Velocities driven by the neutral wind (figure 7 of Andoh et al. 2026)."""
    return Section("wind", "Velocity driven by the wind", or_note(lambda: _wind_body(run)))


def _wind_body(run: PolarRun) -> str:
    figures = []
    for row in VELOCITY_ROWS:
        values = [velocity(run, row.way, frame.time, row.altitude, "wind") for frame in run.frames]
        scale = _row_scale(run, row, row_totals(run, row))
        images = map_row(run, values, scale, f"{row.altitude:g} km, wind", streamlines=False)
        way = f"{row.way}ward" if row.way == "up" else row.way
        figures.append(
            markup.figure(images, f"Wind-driven {way} velocity at {row.altitude:g} km, on the scale of the maps above.")
        )
    return "".join(figures)


def cut_section(run: PolarRun) -> Section:
    """Latitude and altitude along the meridian of 22 h magnetic local time."""
    body = "".join(or_note(partial(_cut_figure, run, index)) for index in range(len(run.species)))
    return Section("cut", f"Cut along {CUT_HOUR:g} h magnetic local time", body)


def _cut_figure(run: PolarRun, species: int) -> str:
    if run.frames[0].invariant_latitude is None:
        raise CoverageError(
            "The output has no invariant_latitude, which places the magnetic meridian; a new siderion run writes it."
        )
    name = species_label(run.species[species])
    cuts = [meridian_cut(run, species, frame) for frame in run.frames]
    scale = density_scale(cuts, f"{name} number density, m⁻³")
    altitude = run.dataset["alt"].values.astype(float)
    images = []
    for cut, frame in zip(cuts, run.frames, strict=True):
        title = f"{name}, {CUT_HOUR:g} h MLT, {clock(frame.time)}"
        images.append(markup.image(to_data_uri(draw_cut(cut, CUT_LATITUDES, altitude, scale, title)), f"Cut: {title}"))
    caption = "Invariant latitude is that at 110 km; the altitude axis is logarithmic; grey is outside the grid."
    return markup.figure(images, caption)


def meridian_cut(run: PolarRun, species: int, frame: MapFrame) -> Array:
    """Density along the meridian `CUT_HOUR`: (alt, n) in m-3, NaN outside the grid."""
    assert frame.invariant_latitude is not None
    latitude, longitude = magnetic_meridian(
        frame.local_time, frame.invariant_latitude, frame.latitude, frame.longitude, CUT_HOUR, CUT_LATITUDES
    )
    density = at_time(run.dataset["number_density"].isel(species=species), frame.time)
    values = density.transpose("lat", "lon", "alt").values.astype(float)
    around = np.concatenate([[frame.longitude[-1] - 360.0], frame.longitude, [frame.longitude[0] + 360.0]])
    padded = np.concatenate([values[:, -1:], values, values[:, :1]], axis=1)
    field = RegularGridInterpolator((frame.latitude, around), padded, bounds_error=False, fill_value=np.nan)
    return field(np.column_stack([np.minimum(latitude, frame.latitude[-1]), longitude])).T
