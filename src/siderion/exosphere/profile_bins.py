"""Densities binned by distance: medians, quartiles, extremes, counts, and the errors of the medians."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.bodies import Body
from siderion.core.errors import DataError, SettingsError

Array = NDArray[np.float64]
MEDIAN_FACTOR = float(np.sqrt(np.pi / 2.0))
"""Standard error of a median over that of a mean, for normal scatter."""
FEWEST_EVENTS = 10
"""Bins with fewer events take the scatter of all bins together: the quartiles of so few are a poor measure."""
QUARTILE_FACTOR = 1.3489795003921634
"""Distance of the quartiles of a normal law in standard deviations."""


def bin_profile(
    radial_distance: ArrayLike,
    density: ArrayLike,
    body: Body,
    *,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    bin_width: float = 0.5,
    error_floor: float = 0.0,
) -> xr.Dataset:
    """Bin densities of events by distance from the body.

    Parameters
    ----------
    radial_distance : array of shape (event,)
        Distance from the centre, km.
    density : array of shape (event,)
        Density, m-3; events without a finite positive density are left out and counted.
    body : Body
        With radius.
    lower, upper : array of shape (event,), optional
        16 and 84 % ends of each density, m-3.
    weights : array of shape (event,), optional
        Weights of the events in medians and quartiles; equal without them.
    bin_width : float
        Width of a bin in radii of the body, from the surface up.
    error_floor : float
        Smallest relative error of a median.

    Returns
    -------
    xarray.Dataset
        On ``radial_bin`` (bins with an event): ``radial_distance`` (km, median of the events), ``radial_distance_bounds``,
        ``density_median``, ``density_lower_quartile``, ``density_upper_quartile``, ``density_minimum``,
        ``density_maximum`` (m-3), ``event_count``, ``log_density_error`` (error of ln median, see `median_error`). On
        ``event``: ``event_radial_distance``, ``event_density``, ``event_log_error``, ``event_weight``, ``event_bin``.

    Raises
    ------
    DataError
        No finite densities, a radius below the surface, or shapes that differ.
    SettingsError
        The width of the bins is not positive, or the floor is negative.
    """
    surface = float(body.require("radius")) / 1e3  # type: ignore[arg-type]
    if not 0.0 < bin_width < np.inf or not 0.0 <= error_floor < np.inf:
        raise SettingsError(f"bin_width is {bin_width} and error_floor {error_floor}; the first must be positive, the second not "
                            "negative, both finite")  # fmt: skip
    radius, values, error, weight = _events(radial_distance, density, lower, upper, weights)
    good = np.isfinite(values) & (values > 0.0) & np.isfinite(radius) & (weight > 0.0)
    if not good.any():
        raise DataError(f"profile: none of the {len(values)} densities is finite and positive at a known distance with weight")
    left_out = int((~good).sum())
    radius, values, error, weight = radius[good], values[good], error[good], weight[good]
    if radius.min() < surface:
        index = int(np.flatnonzero(good)[radius.argmin()])
        raise DataError(f"profile: event {index} is at {radius.min():g} km, below the surface at {surface:g} km; check the units "
                        "(km from the centre) and the body")  # fmt: skip
    number = np.floor((radius / surface - 1.0) / bin_width).astype(int)
    used, member = np.unique(number, return_inverse=True)
    log_error = median_error(np.log(values), error, weight, member, error_floor)
    return _dataset(radius, values, error, weight, used, member, log_error, surface, bin_width, left_out, error_floor)


def weighted_quantile(values: Array, weights: Array, quantile: float) -> float:
    """Quantile of weighted values; for equal weights that of `numpy.quantile` (linear)."""
    order = np.argsort(values)
    ranked, weight = values[order], weights[order]
    place = np.cumsum(weight) - weight
    reach = place[-1]
    if reach <= 0.0:
        return float(ranked[0])
    return float(np.interp(quantile * reach, place, ranked))


def median_error(logarithm: Array, log_error: Array, weight: Array, member: NDArray[np.integer], floor: float) -> Array:
    """Standard error of the median of ln n in every bin.

    The larger of two estimates: from the scatter within the bin (quartiles; pooled over all bins where fewer than
    `FEWEST_EVENTS` tell it), and from the errors of the single events; times sqrt(pi/2) / sqrt(effective number of events).

    Parameters
    ----------
    logarithm, log_error, weight : array of shape (event,)
        ln n, its own standard error (NaN where unknown), weight.
    member : array of int of shape (event,)
        Bin of each event, from 0 without holes.
    floor : float
        Smallest error.

    Returns
    -------
    array of shape (radial_bin,)
        Error of ln n; 0 where nothing tells it and the floor is 0.
    """
    count = int(member.max()) + 1
    scatter, single, effective = np.full(count, np.nan), np.zeros(count), np.zeros(count)
    middle = np.zeros(count)
    for k in range(count):
        here = member == k
        effective[k] = weight[here].sum() ** 2 / (weight[here] ** 2).sum()
        middle[k] = weighted_quantile(logarithm[here], weight[here], 0.5)
        if effective[k] >= FEWEST_EVENTS:
            ends = [weighted_quantile(logarithm[here], weight[here], q) for q in (0.25, 0.75)]
            scatter[k] = (ends[1] - ends[0]) / QUARTILE_FACTOR
        known = log_error[here][np.isfinite(log_error[here])]
        single[k] = np.sqrt((known**2).mean()) if len(known) else 0.0
    pooled = _pooled_scatter(logarithm - middle[member], member)
    spread = np.where(np.isnan(scatter), pooled, scatter)
    factor = np.where(effective < 1.5, 1.0, MEDIAN_FACTOR)
    return np.maximum(np.maximum(spread, single) * factor / np.sqrt(effective), floor)


def _pooled_scatter(deviation: Array, member: NDArray[np.integer]) -> float:
    """Scatter about the medians of all bins together; 0 where every bin has one event."""
    counts = np.bincount(member)
    several = counts[member] > 1
    if not several.any():
        return 0.0
    freedom = several.sum() - (counts > 1).sum()
    return float(np.sqrt((deviation[several] ** 2).sum() / freedom))


def _events(radial_distance, density, lower, upper, weights) -> tuple[Array, Array, Array, Array]:  # type: ignore[no-untyped-def]
    radius, values = np.asarray(radial_distance, dtype=np.float64), np.asarray(density, dtype=np.float64)
    if radius.ndim != 1 or radius.shape != values.shape:
        raise DataError(f"profile: distances have shape {radius.shape}, densities {values.shape}; both must be (event,)")
    if (lower is None) != (upper is None):
        raise DataError("profile: only one of lower and upper is given; give both ends of the densities, or none")
    weight = np.ones_like(values) if weights is None else np.asarray(weights, dtype=np.float64)
    ends = [np.full_like(values, np.nan) if a is None else np.asarray(a, dtype=np.float64) for a in (lower, upper)]
    for name, array in (("weights", weight), ("lower", ends[0]), ("upper", ends[1])):
        if array.shape != values.shape:
            raise DataError(f"profile: {name} has shape {array.shape}; needed: {values.shape}, as the densities have")
    if not (np.isfinite(weight).all() and (weight >= 0).all()):
        raise DataError("profile: weights must be finite and not negative")
    with np.errstate(divide="ignore", invalid="ignore"):
        error = 0.5 * np.log(ends[1] / ends[0])
        # a lower end at 0 says nothing in logarithms: take the upper half
        error = np.where(np.isfinite(error), error, np.log(ends[1] / values))
    return radius, values, np.where(np.isfinite(error) & (error >= 0.0), error, np.nan), weight


def _dataset(  # type: ignore[no-untyped-def]
    radius, values, error, weight, used, member, log_error, surface, bin_width, left_out, error_floor
) -> xr.Dataset:
    columns: dict[str, list[float]] = {key: [] for key in ("radius", "median", "lower", "upper", "minimum", "maximum", "count")}
    for k in range(len(used)):
        here = member == k
        columns["radius"].append(weighted_quantile(radius[here], weight[here], 0.5))
        for key, quantile in (("lower", 0.25), ("median", 0.5), ("upper", 0.75)):
            columns[key].append(float(np.exp(weighted_quantile(np.log(values[here]), weight[here], quantile))))
        columns["minimum"].append(values[here].min())
        columns["maximum"].append(values[here].max())
        columns["count"].append(int(here.sum()))
    bounds = surface * (1.0 + bin_width * np.stack([used, used + 1], axis=1))
    cubic, km = {"units": "m-3"}, {"units": "km"}
    dims = "radial_bin"
    return xr.Dataset(
        {
            "radial_distance": (dims, columns["radius"], km | {"long_name": "median distance of the events of the bin"}),
            "radial_distance_bounds": ((dims, "bound"), bounds, km | {"long_name": "ends of the bin"}),
            "density_median": (dims, columns["median"], cubic | {"long_name": "median density"}),
            "density_lower_quartile": (dims, columns["lower"], cubic | {"long_name": "lower quartile of the density"}),
            "density_upper_quartile": (dims, columns["upper"], cubic | {"long_name": "upper quartile of the density"}),
            "density_minimum": (dims, columns["minimum"], cubic | {"long_name": "smallest density"}),
            "density_maximum": (dims, columns["maximum"], cubic | {"long_name": "largest density"}),
            "event_count": (dims, columns["count"], {"units": "1", "long_name": "number of events"}),
            "log_density_error": (dims, log_error, {"units": "1", "long_name": "standard error of ln of the median density"}),
            "event_radial_distance": ("event", radius, km | {"long_name": "distance of the event"}),
            "event_density": ("event", values, cubic | {"long_name": "density of the event"}),
            "event_log_error": ("event", error, {"units": "1", "long_name": "standard error of ln density, NaN where unknown"}),
            "event_weight": ("event", weight, {"units": "1", "long_name": "weight of the event"}),
            "event_bin": ("event", member, {"units": "1", "long_name": "number of the bin"}),
        },
        attrs={"bin_width_in_radii": bin_width, "surface_radius_km": surface, "events_left_out": left_out,
               "error_floor": error_floor},
    )  # fmt: skip
