"""Fields of an output at one altitude: the level nearest to it, or interpolated between its two neighbours."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import CoverageError


def nearest_level(output: xr.Dataset, altitude: float) -> int:
    """Number of the level of an output nearest to an altitude, km.

    Raises
    ------
    CoverageError
        The altitude lies further from the levels than these lie from each other there.
    """
    levels = output.alt.values.astype(float)
    level = int(np.argmin(np.abs(levels - altitude)))
    if len(levels) > 1 and abs(levels[level] - altitude) > np.gradient(levels)[level]:
        raise CoverageError(
            f"the output has no level at {altitude:g} km, its levels reach from {levels[0]:g} to {levels[-1]:g} km; "
            "repeat the run with a grid that includes it"
        )
    return level


def at_altitude(
    array: xr.DataArray, altitude: float, logarithmic: bool = False, grid: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Interpolate a field to one altitude.

    Parameters
    ----------
    array : xarray.DataArray (alt, lat, lon) or (term_alt, lat, lon)
        The field, altitudes ascending, km.
    altitude : float
        Altitude wanted, km.
    logarithmic : bool
        Interpolate the logarithm (for densities); zero stays zero only where both levels are zero.
    grid : array (alt), optional
        All levels of the output, when the field may be written at some of them only: the two levels used must be
        neighbours there.

    Returns
    -------
    array (lat, lon)

    Raises
    ------
    CoverageError
        The altitude is outside the levels, or the field was not written at the levels next to it.
    """
    axis = "term_alt" if "term_alt" in array.dims else "alt"
    levels = array[axis].values.astype(float)
    if not levels[0] <= altitude <= levels[-1]:
        raise CoverageError(
            f"{array.name} has no value at {altitude:g} km: the grid reaches from {levels[0]:g} to {levels[-1]:g} km; "
            "repeat the run with a grid that includes it"
        )
    upper = min(max(int(np.searchsorted(levels, altitude)), 1), len(levels) - 1)
    lower = max(upper - 1, 0)
    if altitude not in levels and grid is not None:
        _check_neighbours(array, levels[lower], levels[upper], altitude, np.sort(np.asarray(grid, dtype=float)))
    step = levels[upper] - levels[lower]
    share = (altitude - levels[lower]) / step if step else 0.0
    below, above = array.isel({axis: [lower, upper]}).transpose(axis, "lat", "lon").values.astype(float)
    if not logarithmic:
        return (1.0 - share) * below + share * above
    both_positive = (below > 0.0) & (above > 0.0)
    logs = [np.log(np.where(both_positive, level, 1.0)) for level in (below, above)]
    interpolated = np.exp((1.0 - share) * logs[0] + share * logs[1])
    return np.where(both_positive, interpolated, (1.0 - share) * below + share * above)


def _check_neighbours(array: xr.DataArray, low: float, high: float, altitude: float, grid: NDArray[np.float64]) -> None:
    first, second = (int(np.argmin(np.abs(grid - level))) for level in (low, high))
    if second - first > 1:
        raise CoverageError(
            f"{array.name} was not written around {altitude:g} km: the nearest levels are {low:g} and {high:g} km, with "
            f"{second - first - 1} levels of the grid between them; repeat the run with {altitude:g} among term_altitudes"
        )
