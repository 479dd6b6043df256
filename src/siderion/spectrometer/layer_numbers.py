"""Numbers of a layer from a density profile: column, centroid, width, peak and edges, with their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import CoverageError, DataError, SettingsError

Array = NDArray[np.float64]
EdgeRule = Literal["nearest", "outermost"]
GOOD, NOT_CROSSED, BELOW_THRESHOLD, NO_DATA, LINEAR, NO_COLUMN, AT_THE_END, NOT_THIN = range(8)
"""Flags of the numbers."""
FLAGS = {
    GOOD: "good",
    NOT_CROSSED: "threshold not crossed in range",
    BELOW_THRESHOLD: "peak below threshold",
    NO_DATA: "density missing in range",
    LINEAR: "interpolated linearly next to a density that is not positive",
    NO_COLUMN: "column not positive",
    AT_THE_END: "peak at the end of the range",
    NOT_THIN: "line not thin, error unknown",
}
"""Meanings of the flags."""


@dataclass(frozen=True)
class Number:
    """A value, its standard error (NaN where the densities have none) and a flag of `FLAGS`."""

    value: float
    error: float
    flag: int = GOOD


@dataclass(frozen=True)
class LayerNumbers:
    """Numbers of one profile; heights in m, column in m-2, density in m-3."""

    column: Number
    centroid: Number
    width: Number
    peak_density: Number
    peak_height: Number
    upper_edge: Number
    lower_edge: Number


def layer_numbers(
    density: ArrayLike,
    altitude: ArrayLike,
    error: ArrayLike | None = None,
    *,
    limits: tuple[float, float] | None = None,
    threshold: float,
    edge: EdgeRule = "nearest",
    bin_means: bool = False,
) -> LayerNumbers:
    """Column, centroid, width, peak and edges of a layer.

    Each density stands for the bin between the middles to its neighbours; bins that the limits cut count with their part.
    Column = sum n dz; centroid = sum n z dz/column; width^2 = sum n (z - centroid)^2 dz/column, z the middle of the part.

    Parameters
    ----------
    density : array (alt,)
        m-3; NaN where missing.
    altitude : array (alt,)
        m, rising.
    error : array (alt,) or (alt, alt), optional
        Standard errors of densities that are independent of each other, m-3, or their covariance, m-6.
    limits : (float, float), optional
        Range of altitude, m; that of the bins without it.
    threshold : float
        Density of the edges, m-3.
    edge : {"nearest", "outermost"}
        The first crossing of the threshold going away from the peak, or the last one in the range.
    bin_means : bool
        The densities are means of their bins: dz^2/12 is taken off the squared width (Sheppard). Without it they are taken as
        values at points.

    Returns
    -------
    LayerNumbers
        Every number with its error, propagated to first order, and a flag; a value that does not exist is NaN with a flag.

    Raises
    ------
    DataError
        Shapes do not fit, altitudes do not rise, or an error is negative.
    CoverageError
        The range reaches beyond the profile.
    SettingsError
        The threshold is not positive or the rule of the edge unknown.
    """
    values, places, errors = _checked(density, altitude, error, threshold, edge)
    low, high, thickness, middle = _parts(places, limits)
    used = thickness > 0.0
    if not np.isfinite(values[used]).all():
        return LayerNumbers(*[Number(np.nan, np.nan, NO_DATA)] * 7)
    n, dz, z = values[used], thickness[used], middle[used]
    s = errors[np.ix_(used, used)]
    column = Number(float(n @ dz), _spread(dz, s))
    centroid, width = _moments(n, s, dz, z, column.value, bin_means)
    within = np.flatnonzero((places >= low) & (places <= high))
    if not len(within):
        raise CoverageError(f"no altitude of the profile lies between {low / 1e3:g} and {high / 1e3:g} km; widen the range")
    first, last = int(within[0]), int(within[-1]) + 1
    n, s, z = values[first:last], errors[first:last, first:last], places[first:last]
    peak, height, index = _peak(n, s, z)
    upper, lower = (_edge(n, s, z, index, threshold, side, edge) for side in (1, -1))
    return LayerNumbers(column, centroid, width, peak, height, upper, lower)


def _checked(
    density: ArrayLike, altitude: ArrayLike, error: ArrayLike | None, threshold: float, edge: str
) -> tuple[Array, Array, Array]:
    values, places = np.asarray(density, dtype=np.float64), np.asarray(altitude, dtype=np.float64)
    errors = np.full(values.shape, np.nan) if error is None else np.asarray(error, dtype=np.float64)
    fits = errors.shape in (values.shape, 2 * values.shape)
    if values.ndim != 1 or values.shape != places.shape or not fits or len(values) < 3:
        raise DataError(f"density {values.shape}, altitude {places.shape}, error {errors.shape}: one length of at least 3 needed")
    if not (np.diff(places) > 0.0).all():
        raise DataError(f"altitudes must rise; at index {int(np.argmin(np.diff(places)))} they do not; sort the profile")
    own = errors if errors.ndim == 1 else np.diag(errors)
    if (own < 0.0).any():
        raise DataError(f"error of the density is {np.nanmin(own):g}; errors and variances must not be negative")
    if not 0.0 < threshold < np.inf:
        raise SettingsError(f"threshold of the edges is {threshold} m-3; it must be positive and finite")
    if edge not in ("nearest", "outermost"):
        raise SettingsError(f"rule of the edge is {edge!r}; use nearest or outermost")
    # off the diagonal zero, not NaN times zero, where the errors are not known
    return values, places, np.diag(errors**2) if errors.ndim == 1 else errors


def _parts(places: Array, limits: tuple[float, float] | None) -> tuple[float, float, Array, Array]:
    """Limits, thickness and middle of the part of every bin within them, m."""
    inner = 0.5 * (places[1:] + places[:-1])
    edges = np.concatenate([[places[0] - (inner[0] - places[0])], inner, [places[-1] + (places[-1] - inner[-1])]])
    low, high = (float(edges[0]), float(edges[-1])) if limits is None else limits
    slack = 1e-9 * (edges[-1] - edges[0])
    if not low < high or low < edges[0] - slack or high > edges[-1] + slack:
        raise CoverageError(
            f"range {low / 1e3:g} to {high / 1e3:g} km: it must rise and lie within the profile, {edges[0] / 1e3:g} to "
            f"{edges[-1] / 1e3:g} km; give another with --range"
        )
    bottom, top = np.clip(edges[:-1], low, high), np.clip(edges[1:], low, high)
    # a part that is the whole bin keeps the place of its density, which need not be the middle on an uneven grid
    whole = (bottom == edges[:-1]) & (top == edges[1:])
    return low, high, top - bottom, np.where(whole, places, 0.5 * (bottom + top))


def _moments(n: Array, s: Array, dz: Array, z: Array, column: float, bin_means: bool) -> tuple[Number, Number]:
    """Centroid and width."""
    if not column > 0.0:
        return Number(np.nan, np.nan, NO_COLUMN), Number(np.nan, np.nan, NO_COLUMN)
    weight = dz / column
    centroid = float(n * weight @ z)
    offset = z - centroid
    variance = float(n * weight @ offset**2)
    centroid_error = _spread(weight * offset, s)
    variance_error = _spread(weight * (offset**2 - variance), s)
    if bin_means:
        variance -= float(n * weight @ dz**2) / 12.0
    if not variance > 0.0:
        return Number(centroid, centroid_error), Number(np.nan, np.nan, NO_COLUMN)
    width = float(np.sqrt(variance))
    return Number(centroid, centroid_error), Number(width, variance_error / (2.0 * width))


def _peak(n: Array, s: Array, z: Array) -> tuple[Number, Number, int]:
    """Largest density and the height of the parabola through the logarithm of three densities; exact for a Gaussian."""
    k = int(np.argmax(n))
    top = Number(float(n[k]), float(np.sqrt(s[k, k])))
    if not 0 < k < len(n) - 1:
        return top, Number(float(z[k]), np.nan, AT_THE_END), k
    if not (n[k - 1 : k + 2] > 0.0).all():
        return top, Number(float(z[k]), np.nan, LINEAR), k
    logs = np.log(n[k - 1 : k + 2])
    step = 1e-5
    height = _vertex(logs, z[k - 1 : k + 2])
    slopes = np.array([(_vertex(logs + step * row, z[k - 1 : k + 2]) - height) / step for row in np.eye(3)])
    around = slice(k - 1, k + 2)
    return top, Number(height, _spread(slopes / n[around], s[around, around])), k


def _vertex(logs: Array, z: Array) -> float:
    left, right = (logs[1] - logs[0]) / (z[1] - z[0]), (logs[2] - logs[1]) / (z[2] - z[1])
    curvature = (right - left) / (0.5 * (z[2] - z[0]))
    if not curvature < 0.0:
        return float(z[1])
    middle = 0.5 * (z[0] + z[1])
    return float(np.clip(middle - left / curvature, z[0], z[2]))


def _edge(n: Array, s: Array, z: Array, peak: int, threshold: float, side: int, rule: str) -> Number:
    """Where the density falls below the threshold on one side of the peak, by the logarithm of the two densities around."""
    if not n[peak] >= threshold:
        return Number(np.nan, np.nan, BELOW_THRESHOLD)
    outward = np.arange(peak, len(n) if side > 0 else -1, side)
    above = n[outward] >= threshold
    falls = np.flatnonzero(above[:-1] & ~above[1:])
    if rule == "outermost" and above[-1]:
        return Number(np.nan, np.nan, NOT_CROSSED)
    if not len(falls):
        return Number(np.nan, np.nan, NOT_CROSSED)
    step = int(falls[0] if rule == "nearest" else falls[-1])
    inside, outside = int(outward[step]), int(outward[step + 1])
    gap = z[outside] - z[inside]
    both = s[np.ix_([inside, outside], [inside, outside])]
    if not n[outside] > 0.0:
        fall = n[inside] - n[outside]
        share = (n[inside] - threshold) / fall
        error = _spread(gap / fall * np.array([1.0 - share, share]), both)
        return Number(float(z[inside] + share * gap), error, LINEAR)
    fall = np.log(n[inside] / n[outside])
    share = np.log(n[inside] / threshold) / fall
    error = _spread(gap / fall * np.array([(1.0 - share) / n[inside], share / n[outside]]), both)
    return Number(float(z[inside] + share * gap), error)


def _spread(weights: Array, covariance: Array) -> float:
    """Standard error of a weighted sum; NaN where a variance is not known."""
    return float(np.sqrt(max(float(weights @ covariance @ weights), 0.0))) if np.isfinite(covariance).all() else np.nan
