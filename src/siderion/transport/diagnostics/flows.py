"""The five flows of metal ions in Figure 8 of Andoh et al. 2026, as numbers of ions per second.

Every surface rests on the Earth at the moment of the output: local time sweeps over it at 15 degrees per hour, and that
sweep is not counted. Cells and boundaries come from the potential at 110 km (`convection_pattern`) and are used at all
altitudes: a field line moves by less than a degree of latitude between 110 and 310 km.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.background.ion_velocity import TERMS
from siderion.core.errors import DataError
from siderion.core.variables import with_attributes
from siderion.frames.spherical import distance_to_nearest, unit_vector
from siderion.transport.diagnostics.cells import convection_pattern
from siderion.transport.diagnostics.drifts import IonColumns
from siderion.transport.diagnostics.face_fluxes import CellFaces, border_flux, horizontal_fluxes, vertical_flux

DRIFTS: dict[str, tuple[str, ...]] = {
    "total": TERMS,
    "exb": ("exb",),
    "pedersen": ("pedersen",),
    "wind": ("wind",),
    "slow": ("parallel_field", "gravity", "pressure"),
}
"""Groups of terms whose fluxes are told apart."""
RISE_ALTITUDE, SINK_ALTITUDE, E_REGION_ALTITUDE = 150.0, 200.0, 130.0
"""Altitudes, km, of the horizontal surfaces of flows 1, 3 and 5."""
CROSS_POLAR_BOTTOM, PEDERSEN_BOTTOM = 150.0, 120.0
"""Altitudes, km, from which flows 2 and 4 are counted, up to the top."""
LINE_DISTANCE = 3.0
"""Degrees from the reversal, or from the common boundary, that count as near in flow 5."""


@dataclass(frozen=True)
class FlowRegions:
    """Where the flows are counted at one moment: masks (lat, lon).

    Attributes
    ----------
    day : mask
        Magnetic local time 06 to 18 h; the rest is night.
    cells, evening : mask
        Both cells; the evening cell.
    poleward : mask
        Magnetic latitude above that of the potential extremum on the same side (morning or evening) of the noon meridian.
    boundary_morning, boundary_evening : mask
        Cells of positive, and of zero or negative potential that lie within 2 degrees (or 1.5 cells) of the common boundary.
    evening_side : mask
        Potential zero or negative.
    near_boundary, near_reversal : mask
        Within `LINE_DISTANCE` of the common boundary, and of the reversal in the evening cell.
    """

    day: NDArray[np.bool_]
    cells: NDArray[np.bool_]
    evening: NDArray[np.bool_]
    poleward: NDArray[np.bool_]
    boundary_morning: NDArray[np.bool_]
    boundary_evening: NDArray[np.bool_]
    evening_side: NDArray[np.bool_]
    near_boundary: NDArray[np.bool_]
    near_reversal: NDArray[np.bool_]

    @classmethod
    def of(cls, output: xr.Dataset, columns: IonColumns) -> FlowRegions:
        """Regions at the moment of the columns.

        Raises
        ------
        DataError
            The convection has no two cells with a common boundary then.
        """
        pattern = convection_pattern(output, columns.time)
        now = output.sel(time=columns.time)
        clock, potential = now.magnetic_local_time.values, now.electric_potential.values
        latitude = np.abs(columns.dipole.magnetic_latitude(columns.lat, columns.lon))
        extremum = pattern.extremum_magnetic_latitude
        limit = np.where(clock < 12.0, float(extremum.sel(cell="morning")), float(extremum.sel(cell="evening")))
        if not pattern.sizes["boundary_point"]:
            raise DataError(f"the two cells have no common boundary at {str(columns.time)[:16]}; choose another time")
        position = unit_vector(columns.lat, columns.lon)
        to_boundary = distance_to_nearest(position, pattern.boundary_lat.values, pattern.boundary_lon.values)
        line = pattern.sel(cell="evening")
        to_reversal = distance_to_nearest(position, line.reversal_lat.values, line.reversal_lon.values)
        reach = max(2.0, 1.5 * float(output.lat[1] - output.lat[0]))
        masks = pattern.cell_mask.values
        return cls(
            (clock >= 6.0) & (clock < 18.0),
            masks.any(axis=0),
            pattern.cell_mask.sel(cell="evening").values,
            latitude >= limit,
            (potential > 0.0) & (to_boundary <= reach),
            (potential <= 0.0) & (to_boundary <= reach),
            potential <= 0.0,
            to_boundary <= LINE_DISTANCE,
            to_reversal <= LINE_DISTANCE,
        )


def metal_ion_flows(output: xr.Dataset, drivers: xr.Dataset, time: str | np.datetime64, species: str = "Fe+") -> xr.Dataset:
    """The five flows at one output time.

    1. ``flow_upward_day``: up through 150 km by day inside the cells. 2. ``flow_antisunward``: from day to night across
    the dawn-dusk magnetic meridian, poleward of the potential extrema, above 150 km; ``flow_sunward_return``: back to the
    day equatorward of them, inside the cells. 3. ``flow_downward_night``: down through 200 km by night inside the cells.
    4. ``flow_morning_to_evening``: across the common boundary of the cells (zero potential), above 120 km; the flow of the
    paper is its ``drift = "pedersen"``. 5. ``flow_into_e_region``: down through 130 km by night inside the evening cell,
    with the shares that fall near the reversal and near the common boundary (there, the strip between the cell and the
    boundary belongs to the region), and the shares of the area near them.

    Each flow is positive in the sense of its name, net over its surface, and told apart by ``drift``: total, exb,
    pedersen, wind, and slow (parallel field, gravity, pressure); these four add up to the total. ``*_rising`` and
    ``*_sinking`` count only the faces where the total goes that way. Horizontal surfaces are the faces of the grid nearest
    to the altitude (attribute ``altitude``); upright ones follow the faces of the latitude-longitude cells.

    Parameters
    ----------
    output, drivers, time, species
        As for `ion_drifts`.

    Returns
    -------
    xarray.Dataset
        Flows, s-1, (drift); by altitude, km-1 s-1, (drift, alt); shares, 1.

    Raises
    ------
    CoverageError, DataError
        As for `ion_drifts`; or there is no two-cell convection with a common boundary.
    """
    columns = IonColumns.of_output(output, drivers, time, species)
    return _flows(output, columns, FlowRegions.of(output, columns), species)


def _flows(output: xr.Dataset, columns: IonColumns, regions: FlowRegions, species: str) -> xr.Dataset:
    """The five flows in known regions."""
    faces = CellFaces.of(output)
    levels = np.flatnonzero(output.alt.values >= PEDERSEN_BOTTOM)
    upright = np.stack([_upright_flows(columns, faces, regions, int(k)) for k in levels], axis=-1)  # (flow, drift, alt)
    alt = output.alt.values[levels]
    per_km = upright / np.diff(faces.altitude)[levels]
    high = alt >= CROSS_POLAR_BOTTOM
    variables: dict[str, Any] = {
        "flow_antisunward": ("drift", upright[0][:, high].sum(axis=-1)),
        "flow_sunward_return": ("drift", upright[1][:, high].sum(axis=-1)),
        "flow_morning_to_evening": ("drift", upright[2].sum(axis=-1)),
        "flow_antisunward_by_altitude": (("drift", "alt"), per_km[0]),
        "flow_sunward_return_by_altitude": (("drift", "alt"), per_km[1]),
        "flow_morning_to_evening_by_altitude": (("drift", "alt"), per_km[2]),
        **_horizontal_surfaces(columns, faces, regions),
    }
    dataset = xr.Dataset(variables, coords={"drift": list(DRIFTS), "alt": alt, "time": columns.time, "species": species})
    return with_attributes(dataset)


def mean_flows(output: xr.Dataset, drivers: xr.Dataset, species: str = "Fe+", every: int = 1) -> xr.Dataset:
    """Mean of `metal_ion_flows` over the output times.

    Parameters
    ----------
    output, drivers, species
        As for `ion_drifts`.
    every : int
        Take every n-th output time.

    Returns
    -------
    xarray.Dataset
        As `metal_ion_flows`, without ``time``. Attributes ``times`` and ``left_out``: how many times count, and how many
        are left out for lack of two cells with a common boundary.

    Raises
    ------
    CoverageError, DataError
        As for `metal_ion_flows`; or no output time has two-cell convection.
    """
    found, reasons = [], []
    for moment in output.time.values[::every]:
        columns = IonColumns.of_output(output, drivers, moment, species)
        try:
            regions = FlowRegions.of(output, columns)
        except DataError as error:
            reasons.append(error)
            continue
        found.append(_flows(output, columns, regions, species))
    if not found:
        raise DataError(f"none of {len(reasons)} output times has two-cell convection; the last: {reasons[-1]}")
    mean = xr.concat(found, dim="time").mean("time", keep_attrs=True)
    return mean.assign_attrs(times=len(found), left_out=len(reasons))


def _upright_flows(columns: IonColumns, faces: CellFaces, regions: FlowRegions, level: int) -> NDArray[np.float64]:
    """Flows 2 (onward and back) and 4 through the faces of one level, (flow, drift), s-1."""
    vectors = columns.terms(level)
    night = ~regions.day
    surfaces = (
        (regions.day & regions.poleward, night),
        (night, regions.day & ~regions.poleward & regions.cells),
        (regions.boundary_morning, regions.boundary_evening),
    )
    result = np.empty((len(surfaces), len(DRIFTS)))
    for d, terms in enumerate(DRIFTS.values()):
        velocity = sum(vectors[term] for term in terms)
        east, north = (np.sum(velocity * axis, axis=-1) for axis in columns.axes[:2])
        fluxes = horizontal_fluxes(faces, level, columns.density[level], east, north)
        result[:, d] = [border_flux(*fluxes, *pair) for pair in surfaces]
    return result


def _horizontal_surfaces(columns: IonColumns, faces: CellFaces, regions: FlowRegions) -> dict[str, Any]:
    """Flows 1, 3 and 5, their one-way parts, and the shares of flow 5 near the two lines."""
    night = ~regions.day
    variables: dict[str, Any] = {}
    for name, part, altitude, mask, sign in (
        ("flow_upward_day", "rising", RISE_ALTITUDE, regions.day & regions.cells, 1.0),
        ("flow_downward_night", "sinking", SINK_ALTITUDE, night & regions.cells, -1.0),
        ("flow_into_e_region", "sinking", E_REGION_ALTITUDE, night & regions.evening, -1.0),
    ):
        face = faces.nearest(altitude)
        fluxes = sign * _fluxes_through(columns, faces, face)
        onward = np.maximum(fluxes[0], 0.0)
        where = {"altitude": float(faces.altitude[face])}
        variables[name] = ("drift", fluxes[:, mask].sum(axis=-1), where)
        variables[f"{name}_{part}"] = ((), onward[mask].sum(), where)
    area = np.broadcast_to(faces.up[face][:, None], mask.shape)
    # The evening cell ends at 30 % of the extremum, so the strip up to the boundary is added before the share near it is taken.
    widened = night & (regions.evening | (regions.evening_side & regions.near_boundary))
    for line, region, near in (("boundary", widened, regions.near_boundary), ("reversal", mask, regions.near_reversal)):
        variables[f"flow_into_e_region_share_near_{line}"] = ((), _share(onward, region, near))
        variables[f"evening_night_area_share_near_{line}"] = ((), _share(area, region, near))
    return variables


def _fluxes_through(columns: IonColumns, faces: CellFaces, face: int) -> NDArray[np.float64]:
    """Upward flux through an inner horizontal face by every drift, (drift, lat, lon), s-1."""
    sides = [columns.terms(level) for level in (face - 1, face)]
    fluxes = []
    for terms in DRIFTS.values():
        up = np.stack([np.sum(sum(vectors[term] for term in terms) * columns.axes[2], axis=-1) for vectors in sides])
        fluxes.append(vertical_flux(faces, face, columns.density[face - 1 : face + 1], up))
    return np.stack(fluxes)


def _share(amount: NDArray, mask: NDArray, near: NDArray) -> float:
    """Share of an amount in a mask that lies near a line; 0 where there is nothing."""
    whole = float(amount[mask].sum())
    return float(amount[mask & near].sum()) / whole if whole > 0.0 else 0.0
