"""The wake of lunar ions: where ions are downstream of the Moon, and how its width goes with mass, speed and field.

The Earth is not in the way here: ions go on as in the solar wind.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.bodies import get_body
from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import SettingsError
from siderion.core.species import get_species

from .cycloid import cycloid, pickup_numbers
from .pickup import LONGEST_FLIGHT, Arrivals, Scene, some_free

Array = NDArray[np.float64]
LONGEST_WAKE = 80.0
"""End of the shape of the wake, RE downstream of the Moon."""
_STEP = 2.0
_ACROSS, _IONS, _TIMES = 60, 500, 400
_EDGES = (0.01, 0.99)


def wake_shape(scene: Scene, found: Sequence[Arrivals]) -> xr.Dataset:
    """Edges of the wake and ions per area, by distance downstream of the Moon, along the electric field of the mean plasma.

    Parameters
    ----------
    scene : Scene
        Plasma and Moon.
    found : sequence of Arrivals
        Ions of each species, with their starts.

    Returns
    -------
    xarray.Dataset
        ``wake_lower_edge``, ``wake_upper_edge`` (species, wake_distance), RE: 1 and 99 % of the ions that are at a distance,
        along the electric field from the line of the flow through the Moon (along y where there is no electric field), missing
        where no ion comes; ``wake_column`` (species, wake_distance, wake_across), m-2: ions per area of the plane of flow and
        electric field, summed across this plane, while the source lasts. Ions that strike the Moon are left out.
    """
    tracks = [_tracks(scene, one) for one in found]
    # from 2 RE upstream, as ions start on the side of the flow
    along = np.arange(-_STEP, LONGEST_WAKE + 0.5 * _STEP, _STEP)
    reach = max((float(np.abs(np.quantile(t[1], [0.001, 0.999])).max()) for t in tracks if t[1].size), default=1.0)
    across = np.linspace(-1.05, 1.05, _ACROSS + 1) * max(reach, 1.0)
    columns, lower, upper = [], [], []
    cell = (along[1] - along[0]) * (across[1] - across[0]) * EARTH_RADIUS**2
    for distance, height, number in tracks:
        columns.append(np.histogram2d(distance, height, bins=[along, across], weights=number)[0] / cell)
        ends = [_ends(height, number, (distance >= first) & (distance < last)) for first, last in pairwise(along)]
        lower.append([end[0] for end in ends])
        upper.append([end[1] for end in ends])
    words = "edge of the wake along the electric field"
    return xr.Dataset(
        {
            "wake_column": (("species", "wake_distance", "wake_across"), np.stack(columns),
                            {"units": "m-2", "long_name": "ions per area of the plane of flow and electric field"}),
            "wake_lower_edge": (("species", "wake_distance"), lower, {"units": "RE", "long_name": f"{words}, 1 % of the ions"}),
            "wake_upper_edge": (("species", "wake_distance"), upper, {"units": "RE", "long_name": f"{words}, 99 % of the ions"}),
        },
        coords={
            "wake_distance": ("wake_distance", 0.5 * (along[1:] + along[:-1]),
                              {"units": "RE", "long_name": "distance downstream of the Moon"}),
            "wake_across": ("wake_across", 0.5 * (across[1:] + across[:-1]),
                            {"units": "RE", "long_name": "distance from the line of the flow along the electric field"}),
        },
    )  # fmt: skip


def wake_sweep(species: Sequence[str], speeds: ArrayLike, fields: ArrayLike, angles: ArrayLike = 90.0) -> xr.Dataset:
    """Width of the wake of ions against mass, speed and field, exact for uniform fields and ions picked up at rest.

    Heights are 2 gyroradii, m V sin(angle)/(q B), along the electric field. The axis of the wake leaves the line of the flow by
    90 degrees less the angle between flow and field, as ions drift with the part of the flow across the field only.

    Parameters
    ----------
    species : sequence of str
        Ions, such as ``("Na+", "Fe+")``.
    speeds : array of shape (speed,)
        km s-1.
    fields : array of shape (field,)
        nT.
    angles : array of shape (angle,)
        Between flow and field, degrees, above 0 and at most 90.

    Returns
    -------
    xarray.Dataset
        By species, speed, field and angle: ``gyroradius``, ``cycloid_length`` (along the drift), ``wake_width_one_direction``
        (2 gyroradii and the Moon), ``wake_width_all_directions`` (4 gyroradii and the Moon), RE; ``wake_axis_angle`` (angle),
        degrees.

    Raises
    ------
    SettingsError
        A species is no positive ion, or a number is out of its range.
    """
    v, b, a = (np.atleast_1d(np.asarray(values, dtype=np.float64)) for values in (speeds, fields, angles))
    if not ((a > 0.0) & (a <= 90.0)).all():
        raise SettingsError(f"angles between flow and field are {a} degrees; they must be above 0 and at most 90")
    shape = (len(species), len(v), len(b), len(a))
    radius, length = np.empty(shape), np.empty(shape)
    for index in np.ndindex(*shape):
        i, j, k, m = index
        numbers = pickup_numbers(species[i], float(v[j]) * 1e3, float(b[k]) * 1e-9, float(a[m]))
        radius[index] = numbers.gyroradius / EARTH_RADIUS
        length[index] = numbers.cycloid_length / EARTH_RADIUS
    moon = 2.0 * get_body("Moon").require_value("radius") / EARTH_RADIUS
    dims = ("species", "speed", "field", "angle")
    entries = {
        "gyroradius": (radius, "gyroradius of ions picked up at rest"),
        "cycloid_length": (length, "drift in a gyroperiod"),
        "wake_width_one_direction": (2.0 * radius + moon, "width of the wake for one direction of the field"),
        "wake_width_all_directions": (4.0 * radius + moon, "width of the wake for all directions of the field"),
    }
    data = {name: (dims, values, {"units": "RE", "long_name": words}) for name, (values, words) in entries.items()}
    turned = {"units": "degrees", "long_name": "angle between the axis of the wake and the flow"}
    coords = {
        "species": ("species", list(species), {"long_name": "ion"}),
        "mass": ("species", [get_species(name).mass for name in species], {"units": "kg", "long_name": "mass of the ion"}),
        "speed": ("speed", v, {"units": "km s-1", "long_name": "speed of the plasma"}),
        "field": ("field", b, {"units": "nT", "long_name": "strength of the magnetic field"}),
        "angle": ("angle", a, {"units": "degrees", "long_name": "angle between flow and field"}),
    }
    return xr.Dataset({**data, "wake_axis_angle": ("angle", 90.0 - a, turned)}, coords=coords)


def _tracks(scene: Scene, one: Arrivals) -> tuple[Array, Array, Array]:
    """Distance downstream (RE), height along the electric field (RE) and number of ions of points of tracks."""
    chosen = some_free(one.end, _IONS)
    if not len(chosen):
        return np.empty(0), np.empty(0), np.empty(0)
    start, ratio = one.start, one.species.charge / one.species.mass
    strength = np.linalg.norm(start.field[chosen], axis=1)
    unit = start.field[chosen] / strength[:, None]
    drift = -(start.flow[chosen, 0] * (1.0 - unit[:, 0] ** 2))
    gyroradius = np.abs(start.flow[chosen, 0]) * np.sqrt(1.0 - unit[:, 0] ** 2) / (ratio * strength)
    with np.errstate(divide="ignore"):
        last = np.minimum((LONGEST_WAKE * EARTH_RADIUS + 2.0 * gyroradius) / np.maximum(drift, 0.0), LONGEST_FLIGHT)
    times = (np.arange(_TIMES) + 0.5) / _TIMES * last[:, None]
    place, _ = cycloid(
        start.position[chosen, None],
        start.velocity[chosen, None],
        times,
        start.flow[chosen, None],
        start.field[chosen, None],
        ratio,
    )
    electric = scene.electric_field[1:]
    size = float(np.linalg.norm(electric))
    direction = electric / size if size > 1e-9 else np.array([1.0, 0.0])
    offset = (place - scene.moon) / EARTH_RADIUS
    free = float(one.weight[one.end != 0].sum())
    number = free * one.weight[chosen] / max(float(one.weight[chosen].sum()), 1e-300) * last / _TIMES
    return -offset[..., 0].ravel(), (offset[..., 1:] @ direction).ravel(), np.repeat(number, _TIMES)


def _ends(height: Array, number: Array, chosen: NDArray[np.bool_]) -> tuple[float, float]:
    """1 and 99 % of the ions; missing without ions."""
    if not chosen.any():
        return np.nan, np.nan
    order = np.argsort(height[chosen])
    total = np.cumsum(number[chosen][order])
    ends = np.interp(np.array(_EDGES) * total[-1], total, height[chosen][order])
    return float(ends[0]), float(ends[1])
