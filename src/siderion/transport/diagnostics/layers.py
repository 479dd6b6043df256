"""Thin layers of ions in the E region: height, thickness, density, content, critical frequency, width in latitude."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.constants import epsilon_0

from siderion.core.constants import EARTH_RADIUS, ELECTRON_MASS, ELEMENTARY_CHARGE
from siderion.core.errors import CoverageError
from siderion.core.variables import with_attributes
from siderion.transport.diagnostics.cells import time_index
from siderion.transport.diagnostics.levels import nearest_level

LAYER = (115.0, 125.0)
"""Altitudes, km, of the layer density: a layer that a map shows at 120 km is 1 to 4 km thick and does not sit at one height."""
POLAR = 60.0
"""Absolute invariant latitude at 120 km, degrees, from which a layer belongs to the polar region and its area counts. The cells
of the convection reach a few degrees beyond 30 % of the extremum; the layers of middle latitudes stay out."""
BOTTOM, TOP = 90.0, 140.0
"""Altitudes, km, between which the peak of a layer is looked for."""
WINDOW = 15.0
"""Reach of a layer above and below its peak, km."""
PROMINENCE = 2.0
"""A layer exceeds the density somewhere above it and somewhere below it, both within `WINDOW`, by this factor."""
SMALLEST_PEAK = 1e9
"""Peaks below this density, m-3, are no layers: they would hide in the background plasma (0.3 MHz)."""


def layer_density(output: xr.Dataset, time: int, species: str = "Fe+") -> NDArray[np.float64]:
    """Largest number density of every column between the altitudes `LAYER` at one output time, (lat, lon), m-3.

    Raises
    ------
    CoverageError
        The output has no level there.
    """
    alt = output.alt.values
    levels = np.flatnonzero((alt >= LAYER[0]) & (alt <= LAYER[1]))
    if not len(levels):
        raise CoverageError(f"the output has no level between {LAYER[0]:g} and {LAYER[1]:g} km; its grid must reach there")
    density = output.number_density.sel(species=species).isel(time=time, alt=levels).transpose("alt", "lat", "lon")
    return density.values.max(axis=0).astype(float)


def polar_layers(output: xr.Dataset, time: int, smallest_density: float, species: str = "Fe+") -> NDArray[np.bool_]:
    """Columns poleward of `POLAR` whose `layer_density` exceeds a density, m-3; (lat, lon)."""
    invariant = np.abs(output.invariant_latitude.isel(alt=nearest_level(output, 120.0)).values)
    return (layer_density(output, time, species) > smallest_density) & (invariant >= POLAR)


def polar_layer_area(output: xr.Dataset, time: int, smallest_density: float, species: str = "Fe+") -> float:
    """Area of `polar_layers` at 120 km, m2."""
    layers = polar_layers(output, time, smallest_density, species)
    return float(output.solid_angle.values[layers].sum()) * (EARTH_RADIUS + 120e3) ** 2


def sporadic_layers(
    output: xr.Dataset,
    time: int | str | np.datetime64,
    species: str = "Fe+",
    smallest_peak: float = SMALLEST_PEAK,
    bottom: float = BOTTOM,
    top: float = TOP,
) -> xr.Dataset:
    """The strongest layer of every column at one output time.

    A column has a layer when (1) its largest density between ``bottom`` and ``top`` is a local maximum, (2) that peak is at
    least `PROMINENCE` times the smallest density above it and that below it, each within `WINDOW`, and (3) the peak is at
    least ``smallest_peak``. Peak height and density come from the parabola through ln N at three levels, exact for a
    Gaussian; the thickness is the full width at half of the largest level, N being linear between levels: a layer that
    fills one level is as thick as the level.

    Parameters
    ----------
    output : xarray.Dataset
        With ``number_density``, ``electron_density``, ``alt_bounds``; either hemisphere.
    time : int or datetime64
        Number of the output time, or the time itself.
    species : str
    smallest_peak : float
        m-3.
    bottom, top : float
        Altitudes of the peak, km.

    Returns
    -------
    xarray.Dataset
        On (lat, lon): ``layer_present``; ``layer_alt`` and ``layer_thickness``, km; ``layer_peak_density``, m-3;
        ``layer_content``, m-2, from the minimum below to that above within `WINDOW`; ``layer_prominence``, peak over the
        higher of those minima; ``layer_critical_frequency``, Hz, (e/2 pi) sqrt(Ne/(eps0 me)) of all electrons at the peak;
        ``layer_latitude_width``, degrees, full width at half maximum of the column's peak density along the meridian, only
        where that density is a local maximum in latitude. Not a number where there is no layer (width: or no such maximum,
        or no half maximum before the low-latitude edge).

    Raises
    ------
    CoverageError
        The output has fewer than three levels between ``bottom`` and ``top``.
    """
    index = time_index(output, time)
    alt = output.alt.values
    density = np.maximum(output.number_density.sel(species=species).isel(time=index).values.astype(float), 1e-30)
    candidates = np.flatnonzero((alt >= bottom) & (alt <= top))
    if len(candidates) < 3:
        raise CoverageError(f"{len(candidates)} levels lie between {bottom:g} and {top:g} km; a layer needs at least 3")
    level = candidates[0] + np.argmax(density[candidates], axis=0)
    inner = np.clip(level, 1, len(alt) - 2)
    log_density = np.log(density)
    height, log_peak = _peak(log_density, alt, inner)
    lowest_below, lowest_above = (_lowest(density, alt, inner, side) for side in (-1, 1))
    base = np.maximum(_take(density, lowest_below), _take(density, lowest_above))
    peak = np.exp(log_peak)
    local = (_take(density, inner) > _take(density, inner - 1)) & (_take(density, inner) >= _take(density, inner + 1))
    present = local & (inner == level) & (peak >= PROMINENCE * base) & (peak >= smallest_peak)
    half = _take(density, inner) / 2.0  # of the level: the parabola of a very thin layer overshoots
    upper, lower = (_crossing(density, alt, inner, half, side) for side in (1, -1))
    metal_excess = peak - _take(density, inner)
    electrons = _take(output.electron_density.isel(time=index).values.astype(float), inner) + metal_excess
    fields = {
        "layer_alt": height,
        "layer_thickness": upper - lower,
        "layer_peak_density": peak,
        "layer_content": _content(density, output.alt_bounds.values, lowest_below, lowest_above),
        "layer_prominence": peak / base,
        "layer_critical_frequency": plasma_frequency(electrons),
        "layer_latitude_width": latitude_width(peak, output.lat.values),
    }
    variables = {name: (("lat", "lon"), np.where(present, values, np.nan)) for name, values in fields.items()}
    coords = {"lat": output.lat.values, "lon": output.lon.values, "time": output.time.values[index]}
    return with_attributes(xr.Dataset({"layer_present": (("lat", "lon"), present), **variables}, coords=coords))


def plasma_frequency(electron_density: NDArray) -> NDArray[np.float64]:
    """Plasma frequency, Hz, of an electron density, m-3: the critical frequency of a layer for the ordinary wave."""
    return ELEMENTARY_CHARGE / (2.0 * np.pi) * np.sqrt(np.asarray(electron_density) / (epsilon_0 * ELECTRON_MASS))


def latitude_width(values: NDArray, lat: NDArray) -> NDArray[np.float64]:
    """Full width at half maximum along the meridian, degrees, where ``values`` (lat, lon) has a local maximum in latitude.

    The meridian goes on over the pole. Not a number elsewhere, and where half is not reached before the low-latitude edge.
    """
    south = lat[0] < 0
    rows, height = (values[::-1], -lat[::-1]) if south else (values, lat)
    over_pole = np.roll(rows[::-1], rows.shape[1] // 2, axis=1)
    meridians = np.concatenate([rows, over_pole])
    whole = meridians[:, None, :]  # one profile for all rows of a meridian
    place = np.concatenate([height, 180.0 - height[::-1]])
    count = len(lat)
    row = np.repeat(np.arange(count)[:, None], values.shape[1], axis=1)
    inner = np.maximum(row, 1)
    ridge = (row > 0) & (_take(whole, inner) > _take(whole, inner - 1)) & (_take(whole, inner) >= _take(whole, inner + 1))
    half = _take(whole, inner) / 2.0
    width = _crossing(whole, place, inner, half, 1) - _crossing(whole, place, inner, half, -1)
    width = np.where(ridge, width, np.nan)
    return width[::-1] if south else width


def _take(field: NDArray, level: NDArray) -> NDArray:
    return np.take_along_axis(field, level[None], axis=0)[0]


def _peak(log_values: NDArray, place: NDArray, k: NDArray) -> tuple[NDArray, NDArray]:
    """Place and value of the peak of the parabola through three values around ``k``; spacing may be uneven."""
    below, middle, above = (_take(log_values, k + step) for step in (-1, 0, 1))
    down, up = place[k] - place[k - 1], place[k + 1] - place[k]
    left, right = (middle - below) / down, (above - middle) / up
    curvature = (right - left) / (down + up)
    slope = (left * up + right * down) / (down + up)
    bends = curvature < 0.0
    offset = np.where(bends, -slope / np.where(bends, 2.0 * curvature, -1.0), 0.0)
    offset = np.clip(offset, -down, up)
    return place[k] + offset, middle + slope * offset + curvature * offset**2


def _lowest(density: NDArray, alt: NDArray, k: NDArray, side: int) -> NDArray[np.int64]:
    """Level of the smallest density on one side of ``k``, within `WINDOW`."""
    level = np.arange(len(alt))[:, None, None]
    reach = side * (alt[:, None, None] - alt[k][None])
    allowed = (side * (level - k[None]) > 0) & (reach <= WINDOW)
    allowed |= level == k[None] + side  # at least the neighbour, on a coarse grid
    return np.argmin(np.where(allowed, density, np.inf), axis=0)


def _crossing(values: NDArray, place: NDArray, k: NDArray, half: NDArray, side: int) -> NDArray[np.float64]:
    """Where the values first fall to ``half`` on one side of ``k``; not a number where they never do."""
    last = len(place) - 1
    found = np.full(k.shape, np.nan)
    position = k
    value = _take(values, k)
    for _ in range(last):
        nearer, before = position, value
        position = np.clip(nearer + side, 0, last)
        value = _take(values, position)
        crosses = np.isnan(found) & (value <= half) & (before > half)
        fall = np.where(crosses, before - value, 1.0)
        share = np.clip((before - half) / fall, 0.0, 1.0)
        found = np.where(crosses, place[nearer] + share * (place[position] - place[nearer]), found)
    return found


def _content(density: NDArray, bounds: NDArray, first: NDArray, last: NDArray) -> NDArray[np.float64]:
    """Density times thickness in m, summed from level ``first`` to ``last``."""
    level = np.arange(len(bounds))[:, None, None]
    inside = (level >= first[None]) & (level <= last[None])
    thickness = 1e3 * (bounds[:, 1] - bounds[:, 0])
    return np.einsum("k,kji->ji", thickness, np.where(inside, density, 0.0))
