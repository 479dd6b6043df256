"""The two cells of the convection, found in the electric potential of an output: extrema, reversal, common boundary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.interpolate import RectBivariateSpline

from siderion.core.errors import DataError
from siderion.core.variables import with_attributes
from siderion.frames.dipole import TiltedDipole

CELL_SHARE = 0.3
"""A cell is where the potential exceeds this share of its extremum."""
CELLS = {"evening": -1.0, "morning": 1.0}
"""The cells and the sign of their potential."""
_LOCAL_TIMES = np.arange(0.0, 24.0, 0.25)
_LATITUDE_STEP = 0.1
_LOWEST_LATITUDE = 50.0
_LINES = np.arange(-35.0, 35.5, 1.0)

PotentialAt = Callable[[NDArray, NDArray], NDArray]


def convection_cells(potential: NDArray) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Morning cell (positive potential) and evening cell (negative), (lat, lon): connected to their extremum.

    The convection has the potential maximum on the dawn side and the minimum on the dusk side, in both hemispheres for
    southward magnetic field.
    """
    cells = []
    for sign in (1.0, -1.0):
        high = sign * potential
        peak = np.unravel_index(np.argmax(high), high.shape)
        inside = high > CELL_SHARE * high[peak]
        doubled = np.concatenate([inside, inside], axis=1)  # so that a cell may cross the seam of longitude
        labels, _ = ndimage.label(doubled)
        width = inside.shape[1]
        wanted = {labels[peak[0], peak[1]], labels[peak[0], peak[1] + width]}
        found = np.isin(labels, list(wanted))
        cells.append((found[:, :width] | found[:, width:]) & inside)
    return cells[0], cells[1]


def separate_cells(potential: NDArray) -> dict[str, int]:
    """Number of separate regions of each sign where \\|potential\\| exceeds `CELL_SHARE` of its largest value.

    One ``morning`` and one ``evening`` region is two-cell convection.
    """
    limit = CELL_SHARE * float(np.abs(potential).max())
    return {name: _regions(sign * potential > limit) if limit > 0 else 0 for name, sign in CELLS.items()}


def convection_pattern(output: xr.Dataset, time: int | str | np.datetime64) -> xr.Dataset:
    """The pattern of the convection at one output time.

    The *reversal* of a cell is, for every magnetic local time, the place where the potential along the meridian has its
    extremum of the cell's sign: there the zonal E x B drift changes sign, so that the convection turns between sunward and
    antisunward. The *common boundary* is the line of zero potential between the two cells, one point per line parallel to the
    dawn-dusk meridian of the magnetic plane. Both need the cells to be there: the extremum of the meridian, and both
    extrema of the line, must exceed `CELL_SHARE` of the cell's extremum.

    Parameters
    ----------
    output : xarray.Dataset
        With ``electric_potential`` (time, lat, lon), V, of the footpoints at 110 km; either hemisphere.
    time : int or datetime64
        Number of the output time, or the time itself.

    Returns
    -------
    xarray.Dataset
        ``cell_mask`` (cell, lat, lon); ``extremum_potential``, V, and place (cell); ``cross_polar_potential``, V;
        ``reversal_lat``, ``reversal_lon``, ``reversal_magnetic_latitude``, degrees (cell, magnetic_local_time), not a number
        where the meridian has no such extremum; ``boundary_lat``, ``boundary_lon``, ``boundary_sunward``, degrees
        (boundary_point), only points that exist. Magnetic latitudes are absolute, of the tilted dipole at 110 km.

    Raises
    ------
    DataError
        The potential lacks one of the two signs.
    """
    index = time_index(output, time)
    moment = output.time.values[index]
    potential = output.electric_potential.isel(time=index).values.astype(float)
    dipole = TiltedDipole.at(moment)
    to_place = _magnetic_places(dipole, moment, -1.0 if output.lat.values[0] < 0 else 1.0)
    smooth = _smooth_potential(potential, output.lat.values, output.lon.values)

    def potential_at(magnetic_latitude: NDArray, local_time: NDArray) -> NDArray:
        return smooth(*to_place(magnetic_latitude, local_time))

    if not (potential.max() > 0.0 > potential.min()):
        raise DataError(
            f"electric_potential at {str(moment)[:16]} runs from {potential.min():.3g} to {potential.max():.3g} V; "
            "two cells need both signs; choose another time"
        )
    reversals = {name: _reversal(potential_at, sign, potential) for name, sign in CELLS.items()}
    latitude = np.stack([reversals[name]["latitude"] for name in CELLS])
    place = [np.where(np.isfinite(latitude), c, np.nan) for c in to_place(np.nan_to_num(latitude), _LOCAL_TIMES[None, :])]
    morning, evening = convection_cells(potential)
    line_latitude, line_time, sunward = _common_boundary(potential_at, potential)
    boundary = to_place(line_latitude, line_time)
    both = ("cell", "magnetic_local_time")
    variables: dict[str, Any] = {
        "cell_mask": (("cell", "lat", "lon"), np.stack([evening, morning])),
        **_extrema(reversals, to_place),
        "reversal_magnetic_latitude": (both, latitude),
        "reversal_lat": (both, place[0]),
        "reversal_lon": (both, place[1]),
        "boundary_lat": ("boundary_point", boundary[0]),
        "boundary_lon": ("boundary_point", boundary[1]),
        "boundary_sunward": ("boundary_point", sunward),
    }
    coords = {
        "cell": list(CELLS), "lat": output.lat.values, "lon": output.lon.values,
        "magnetic_local_time": _LOCAL_TIMES, "time": moment,
    }  # fmt: skip
    low, high = variables["extremum_potential"][1]
    variables["cross_polar_potential"] = ((), high - low)
    return with_attributes(xr.Dataset(variables, coords=coords))


def time_index(output: xr.Dataset, time: int | str | np.datetime64) -> int:
    """Number of an output time.

    Raises
    ------
    DataError
        The output has no such time.
    """
    if isinstance(time, int | np.integer):
        return int(time)
    found = np.flatnonzero(output.time.values == np.array(time, dtype="datetime64[ns]"))
    if not len(found):
        times = output.time.values
        raise DataError(f"no output at {time}; output times run from {str(times[0])[:16]} to {str(times[-1])[:16]}")
    return int(found[0])


def _magnetic_places(dipole: TiltedDipole, moment: np.datetime64, sign: float) -> Callable[[ArrayLike, ArrayLike], Any]:
    """Geographic latitude and longitude of an absolute magnetic latitude, degrees, and a magnetic local time, h."""
    subsolar = float(dipole.subsolar_magnetic_longitude(moment))

    def to_place(magnetic_latitude: ArrayLike, local_time: ArrayLike) -> tuple[NDArray, NDArray]:
        return dipole.geographic(sign * np.asarray(magnetic_latitude), subsolar + 15.0 * (np.asarray(local_time) - 12.0))

    return to_place


def _smooth_potential(potential: NDArray, lat: NDArray, lon: NDArray) -> PotentialAt:
    """Bicubic spline of the potential, continued around the seam and over the pole; 0 beyond the low-latitude edge."""
    margin = 4
    south = lat[0] < 0
    rows = potential[::-1] if south else potential  # the pole is at the end
    height = -lat[::-1] if south else lat
    over_pole = np.roll(rows[: -margin - 1 : -1], len(lon) // 2, axis=1)
    rows = np.concatenate([rows, over_pole])
    height = np.concatenate([height, 180.0 - height[: -margin - 1 : -1]])
    columns = np.arange(-margin, len(lon) + margin)
    step = float(lon[1] - lon[0])
    spline = RectBivariateSpline(height, lon[0] + step * columns, rows[:, columns % len(lon)])

    def at(at_lat: NDArray, at_lon: NDArray) -> NDArray:
        place = -at_lat if south else at_lat
        inside = place >= height[0]
        turned = lon[0] + (at_lon - lon[0]) % 360.0
        return np.where(inside, spline.ev(np.where(inside, place, height[0]), turned), 0.0)

    return at


def _reversal(potential_at: PotentialAt, sign: float, potential: NDArray) -> dict[str, NDArray]:
    """Magnetic latitude and potential of the extremum along every meridian; not a number where there is none."""
    latitude = np.arange(_LOWEST_LATITUDE, 90.0 + _LATITUDE_STEP / 2, _LATITUDE_STEP)
    grid = np.meshgrid(latitude, _LOCAL_TIMES, indexing="ij")
    high = sign * potential_at(*grid)
    k = np.argmax(high, axis=0)
    interior = (k > 0) & (k < len(latitude) - 1)
    column = np.arange(len(_LOCAL_TIMES))
    middle = np.clip(k, 1, len(latitude) - 2)
    offset, value = parabola_peak(*(high[middle + step, column] for step in (-1, 0, 1)))
    exists = interior & (value > CELL_SHARE * float((sign * potential).max()))
    return {
        "latitude": np.where(exists, latitude[middle] + offset * _LATITUDE_STEP, np.nan),
        "potential": np.where(exists, sign * value, np.nan),
    }


def _extrema(reversals: dict[str, dict[str, NDArray]], to_place: Callable[..., Any]) -> dict[str, Any]:
    """Potential and place of the extremum of every cell: the extremum along its reversal."""
    found: dict[str, list[float]] = {name: [] for name in ("potential", "lat", "lon", "magnetic_local_time", "magnetic_latitude")}
    for name, sign in CELLS.items():
        latitude, value = reversals[name]["latitude"], sign * reversals[name]["potential"]
        if not np.isfinite(value).any():
            raise DataError(f"the {name} cell has no extremum below the magnetic pole; there is no two-cell convection here")
        k = int(np.nanargmax(value))
        around = value[[(k - 1) % len(value), k, (k + 1) % len(value)]]
        offset, peak = parabola_peak(*around) if np.isfinite(around).all() else (0.0, around[1])
        local_time = (_LOCAL_TIMES[k] + float(offset) * (_LOCAL_TIMES[1] - _LOCAL_TIMES[0])) % 24.0
        lat, lon = to_place(latitude[k], local_time)
        for key, number in zip(found, (sign * peak, lat, lon, local_time, latitude[k]), strict=True):
            found[key].append(float(number))
    return {f"extremum_{key}": ("cell", values) for key, values in found.items()}


def _common_boundary(potential_at: PotentialAt, potential: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Magnetic latitude, magnetic local time and distance from the pole to the Sun, degrees, of the line between the cells."""
    duskward = np.arange(-40.0, 40.05, 0.25)
    noonward, across = np.meshgrid(_LINES, duskward, indexing="ij")
    latitude = np.maximum(90.0 - np.hypot(noonward, across), _LOWEST_LATITUDE - 5.0)
    local_time = (12.0 + np.degrees(np.arctan2(across, noonward)) / 15.0) % 24.0
    field = potential_at(latitude, local_time)
    field[np.hypot(noonward, across) > 90.0 - _LOWEST_LATITUDE] = 0.0
    points = []
    for sunward, line in zip(_LINES, field, strict=True):
        dusk, dawn = int(np.argmin(line)), int(np.argmax(line))
        weak = line[dusk] > CELL_SHARE * potential.min() or line[dawn] < CELL_SHARE * potential.max()
        if weak or dusk <= dawn:
            continue
        # the crossing nearest to the evening cell
        k = dawn + int(np.flatnonzero((line[dawn:dusk] > 0.0) & (line[dawn + 1 : dusk + 1] <= 0.0))[-1])
        dusk_distance = duskward[k] + 0.25 * line[k] / (line[k] - line[k + 1])
        points.append((sunward, dusk_distance))
    x, y = np.array(points).reshape(-1, 2).T
    return 90.0 - np.hypot(x, y), (12.0 + np.degrees(np.arctan2(y, x)) / 15.0) % 24.0, x


def parabola_peak(below: NDArray, middle: NDArray, above: NDArray) -> tuple[NDArray, NDArray]:
    """Place, in steps from the middle, and value of the peak of the parabola through three evenly spaced values."""
    curvature = below - 2.0 * middle + above
    slope = (above - below) / 2.0
    offset = np.where(curvature < 0.0, -slope / np.where(curvature < 0.0, curvature, -1.0), 0.0)
    offset = np.clip(offset, -1.0, 1.0)
    return offset, middle + slope * offset / 2.0


def _regions(inside: NDArray[np.bool_]) -> int:
    """Number of connected regions on the sphere's cap, the seam of longitude closed."""
    labels, count = ndimage.label(inside)
    joined = {frozenset(pair) for pair in zip(labels[:, 0], labels[:, -1], strict=True) if pair[0] and pair[1]}
    seams = {tuple(sorted(pair)) for pair in joined if len(pair) == 2}
    parent = list(range(count + 1))

    def root(n: int) -> int:
        while parent[n] != n:
            n = parent[n]
        return n

    for a, b in seams:
        parent[root(a)] = root(b)
    return len({root(n) for n in range(1, count + 1)})
