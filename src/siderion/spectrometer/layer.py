"""Time series of a metal layer: column density, centroid, width, peak and edges, as a lidar or a limb sounder gives them."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import DataError, SettingsError
from siderion.core.measurement import measurement
from siderion.core.tables import load_table

from .layer_numbers import FLAGS, NO_DATA, NOT_THIN, EdgeRule, LayerNumbers, layer_numbers
from .lidar import Lidar, LidarLine, density_from_counts, effective_cross_section, simulate_counts
from .limb import THIN, limb_operator, node_paths, retrieve_density

Array = NDArray[np.float64]
_KILOMETRE = 1e3
_SUBDIVISIONS = 20
_MOST_TIMES = 100_000
_QUANTITIES = (
    ("column", "layer_column_density", "m-2", "column density of the layer", 1.0),
    ("centroid", "layer_centroid_height", "km", "centroid height of the layer", _KILOMETRE),
    ("width", "layer_rms_width", "km", "root mean square width of the layer", _KILOMETRE),
    ("peak_density", "layer_largest_density", "m-3", "largest density of the layer", 1.0),
    ("peak_height", "layer_peak_height", "km", "height of the largest density of the layer", _KILOMETRE),
    ("upper_edge", "layer_upper_edge", "km", "upper edge of the layer", _KILOMETRE),
    ("lower_edge", "layer_lower_edge", "km", "lower edge of the layer", _KILOMETRE),
)


def default_limit(name: str) -> float:
    """A default: ``threshold`` (m-3), ``bottom`` or ``top`` (km), ``line_temperature`` (K)."""
    return float(load_table("spectrometer", "layer_limits").set_index("quantity")["value"][name])


def line_cross_section(line: LidarLine) -> float:
    """Cross section at the centre of a line for sunlight, m2, at the default temperature of a layer.

    As `siderion.spectrometer.lidar.effective_cross_section` without a laser: the group of hyperfine lines of the table counts.
    """
    return effective_cross_section(line, default_limit("line_temperature"))


def describe_layer(
    profiles: xr.Dataset,
    threshold: float | None = None,
    limits: tuple[float, float] | None = None,
    edge: EdgeRule = "nearest",
    bin_means: bool | None = None,
) -> xr.Dataset:
    """Numbers of the layer at every time.

    Parameters
    ----------
    profiles : xarray.Dataset
        ``layer_density(time, alt)``, m-3, perhaps ``layer_density_error`` or, where errors hang together,
        ``layer_density_covariance(time, alt, alt_other)``, m-6; of `siderion.spectrometer.layer_input.profiles_of`.
    threshold : float, optional
        Density of the edges, m-3; 5e7 as for sodium at Tromso in the review without it.
    limits : (float, float), optional
        Range of altitude, km; 75 to 115 km, or what the profiles have of it, without it.
    edge
        As in `siderion.spectrometer.layer_numbers.layer_numbers`.
    bin_means : bool, optional
        As there; what the attribute ``bin_means`` of the profiles says (that of a lidar says yes), else no, without it.

    Returns
    -------
    xarray.Dataset
        Measurements by ``time``: ``layer_column_density`` (m-2), ``layer_centroid_height``, ``layer_rms_width``,
        ``layer_largest_density`` (m-3), ``layer_peak_height``, ``layer_upper_edge``, ``layer_lower_edge`` (km); and the
        profiles. The ends are one standard error away; where the density has no error they equal the value. Of a limb sounder
        whose ``limb_optical_depth`` is above 0.1 in the range, the numbers have the flag "line not thin" and no ends.

    Raises
    ------
    CoverageError, DataError, SettingsError
        As in `layer_numbers`.
    """
    places = profiles["alt"].values.astype(float) * _KILOMETRE
    level = default_limit("threshold") if threshold is None else threshold
    span = _default_range(places) if limits is None else (limits[0] * _KILOMETRE, limits[1] * _KILOMETRE)
    means = bool(profiles.attrs.get("bin_means", 0)) if bin_means is None else bin_means
    density = profiles["layer_density"].values
    known = next((name for name in ("layer_density_covariance", "layer_density_error") if name in profiles), None)
    errors = None if known is None else profiles[known].values
    found = [
        layer_numbers(
            density[k],
            places,
            None if errors is None else errors[k],
            limits=span,
            threshold=level,
            edge=edge,
            bin_means=means,
        )
        for k in range(density.shape[0])
    ]
    thick = _not_thin(profiles, span)
    result = xr.merge([_measured(found, errors is not None, level, thick), profiles], compat="override")
    result["alt"].attrs = {"units": "km", "long_name": "altitude"}
    result["time"].attrs = {"long_name": "time, UTC"}
    result.attrs = {
        **profiles.attrs,
        "threshold_m-3": level,
        "range_km": [span[0] / _KILOMETRE, span[1] / _KILOMETRE],
        "edge": edge,
        "bin_means": int(means),
    }
    return result


def _not_thin(profiles: xr.Dataset, span: tuple[float, float]) -> NDArray[np.bool_]:
    """Whether a line of sight of a limb sounder in the range is not optically thin, for every time."""
    if "limb_optical_depth" not in profiles:
        return np.zeros(profiles.sizes["time"], dtype=bool)
    places = profiles["alt"].values.astype(float) * _KILOMETRE
    depth = profiles["limb_optical_depth"].values[:, (places >= span[0]) & (places <= span[1])]
    return np.asarray((depth > THIN).any(axis=1))


def observe_with_lidar(
    profiles: xr.Dataset, lidar: Lidar, limits: tuple[float, float] | None = None, seed: int = 0
) -> xr.Dataset:
    """Profiles as a lidar gives them: bins and times of the lidar, photon noise, inverted, nothing in sunlight.

    Parameters
    ----------
    profiles : xarray.Dataset
        ``layer_density(time, alt)`` with times, m-3.
    lidar : Lidar
        The lidar.
    limits : (float, float), optional
        Range of altitude, km; as in `describe_layer`.
    seed : int
        Of the photon noise.

    Returns
    -------
    xarray.Dataset
        ``layer_density``, ``layer_density_error``, ``lidar_counts`` and ``lidar_night(time)``; NaN in sunlight.

    Raises
    ------
    DataError
        There is no time, or the range holds fewer than 3 bins.
    """
    times = profiles["time"].values.astype("datetime64[ns]")
    if np.isnat(times).any():
        raise DataError("a lidar needs the time of the profiles, as it measures in the dark only; give times")
    places = profiles["alt"].values.astype(float) * _KILOMETRE
    low, high = _default_range(places) if limits is None else (limits[0] * _KILOMETRE, limits[1] * _KILOMETRE)
    centres = np.arange(low + 0.5 * lidar.bin_width, high - 0.49 * lidar.bin_width, lidar.bin_width)
    if len(centres) < 3 or low < places[0] - lidar.bin_width or high > places[-1] + lidar.bin_width:
        raise DataError(
            f"range {low / 1e3:g} to {high / 1e3:g} km: the profiles must cover it and it must hold 3 bins of the lidar"
        )
    moments = _lidar_times(times, lidar.integration)
    density = _at_times(times, _bin_means(profiles["layer_density"].values, places, centres, lidar.bin_width), moments)
    if not np.isfinite(density).all() or (density < 0.0).any():
        raise DataError("the density must be finite and not negative in the range of the lidar; choose another with --range")
    night = lidar.is_night(moments)
    counts = simulate_counts(density, centres, lidar, seed).astype(float)
    counts[~night] = np.nan
    value, error = density_from_counts(counts, centres, lidar)
    dims = ("time", "alt")
    return xr.Dataset(
        {
            "layer_density": (dims, value, {"units": "m-3", "long_name": "density of the layer, from the counts"}),
            "layer_density_error": (dims, error, {"units": "m-3", "long_name": "standard error of the density of the layer"}),
            "layer_density_true": (dims, density, {"units": "m-3", "long_name": "density that the counts are drawn from"}),
            "lidar_counts": (dims, counts, {"units": "1", "long_name": "photon counts of a bin, missing in sunlight"}),
            "lidar_night": ("time", night, {"long_name": "dark enough for the lidar"}),
        },
        coords={"time": moments, "alt": centres / _KILOMETRE},
        attrs={**profiles.attrs, "lidar": lidar.name, "seed": seed, "bin_means": 1},
    )  # fmt: skip


def observe_limb(
    profiles: xr.Dataset,
    tangent_altitude: ArrayLike,
    g: float,
    noise: float,
    field_of_view: float = 0.0,
    seed: int = 0,
    cross_section: float | None = None,
) -> xr.Dataset:
    """Profiles as a limb sounder gives them: brightness at tangent altitudes with noise, inverted to the density there.

    Parameters
    ----------
    profiles : xarray.Dataset
        ``layer_density(time, alt)``, m-3; nothing is above the last altitude.
    tangent_altitude : array (tangent,)
        km, rising; the density is given there, linear between them and zero above the last.
    g : float
        Photons that an atom scatters per second, s-1.
    noise : float
        Standard error of the brightness, R.
    field_of_view : float
        Full width at the tangent point, km.
    seed : int
        Of the noise.
    cross_section : float, optional
        At the centre of the line, m2, for the optical depth.

    Returns
    -------
    xarray.Dataset
        ``layer_density``, ``layer_density_error`` (time, alt), ``layer_density_covariance``, ``limb_brightness`` (time, alt), R,
        at the tangent altitude, and, with a cross section, ``limb_optical_depth`` (time, alt): the results hold where it is below
        0.1.

    Raises
    ------
    SettingsError
        The noise is not positive.
    NumericalError
        The lines of sight do not determine the densities.
    """
    if not 0.0 < noise < np.inf:
        raise SettingsError(f"noise of the brightness is {noise} R; it must be positive and finite")
    heights = np.asarray(tangent_altitude, dtype=np.float64)
    radius = EARTH_RADIUS + profiles["alt"].values.astype(float) * _KILOMETRE
    tangents = EARTH_RADIUS + heights * _KILOMETRE
    width = field_of_view * _KILOMETRE
    truth = np.asarray(profiles["layer_density"].values, dtype=np.float64)
    if not np.isfinite(truth).all():
        raise DataError("the density must be finite at all altitudes for the limb; fill the gaps of the profile")
    brightness = truth @ limb_operator(tangents, radius, g, width).T
    seen = brightness + noise * np.random.default_rng(seed).standard_normal(brightness.shape)
    # the node above the last tangent altitude is zero, and so left out
    nodes = np.append(tangents, 2.0 * tangents[-1] - tangents[-2])
    backward = limb_operator(tangents, nodes, g, width)[:, :-1]
    found = [retrieve_density(row, np.full(len(tangents), noise), backward) for row in seen]
    dims = ("time", "alt")
    data: dict[str, tuple] = {
        "layer_density": (
            dims,
            np.stack([one.density for one in found]),
            {"units": "m-3", "long_name": "density, from the limb"},
        ),
        "layer_density_error": (
            dims,
            np.stack([one.error for one in found]),
            {"units": "m-3", "long_name": "its standard error"},
        ),
        "layer_density_covariance": (
            ("time", "alt", "alt_other"),
            np.stack([one.covariance for one in found]),
            {"units": "m-6", "long_name": "covariance of the density, from the limb"},
        ),
        "limb_brightness": (dims, seen, {"units": "R", "long_name": "brightness at the tangent altitude, with noise"}),
    }
    if cross_section is not None:
        depth = truth @ node_paths(tangents, radius).T * cross_section
        data["limb_optical_depth"] = (dims, depth, {"units": "1", "long_name": "optical depth along the line of sight"})
    return xr.Dataset(
        data, coords={"time": profiles["time"].values, "alt": heights}, attrs={**profiles.attrs, "g_s-1": g, "seed": seed}
    )


def _measured(found: list[LayerNumbers], with_errors: bool, threshold: float, thick: NDArray[np.bool_]) -> xr.Dataset:
    parts = []
    for field, name, units, words, unit in _QUANTITIES:
        numbers = [getattr(one, field) for one in found]
        value = np.array([one.value for one in numbers]) / unit
        flag = np.array([one.flag for one in numbers])
        if with_errors:
            error = np.array([one.error for one in numbers]) / unit
            convention = "value; the ends are one standard error away, from the errors of the densities to first order"
            # a value whose error is not known to first order has no ends
            flag = np.where((flag == 0) & ~np.isfinite(error), NO_DATA, flag)
        else:
            error = np.zeros(len(numbers))
            convention = "value; the densities have no errors, so the ends equal it"
        # the density is that of a thin line: how wrong it is is not known
        error = np.where(thick, np.nan, error)
        flag = np.where(thick & (flag == 0), NOT_THIN, flag)
        text = f"{words}, density of {threshold:g} m-3" if field.endswith("edge") else words
        parts.append(
            measurement(
                name, value, value - error, value + error, dims=("time",), units=units, convention=convention, flag=flag,
                flag_meanings=FLAGS, long_name=text,
            )
        )  # fmt: skip
    return xr.merge(parts)


def _default_range(places: Array) -> tuple[float, float]:
    """The default range, or what the profile has of it, m."""
    first, last = places[0] - 0.5 * (places[1] - places[0]), places[-1] + 0.5 * (places[-1] - places[-2])
    low, high = max(default_limit("bottom") * _KILOMETRE, first), min(default_limit("top") * _KILOMETRE, last)
    if not low < high:
        raise DataError(
            f"the profiles reach from {first / 1e3:g} to {last / 1e3:g} km, outside of the default range; give one with --range"
        )
    return float(low), float(high)


def _bin_means(density: Array, places: Array, centres: Array, width: float) -> Array:
    """Means of bins of the profile that is linear between its altitudes; shape (time, bin)."""
    offsets = ((np.arange(_SUBDIVISIONS) + 0.5) / _SUBDIVISIONS - 0.5) * width
    points = (centres[:, None] + offsets[None, :]).reshape(-1)
    return np.stack([np.interp(points, places, row).reshape(len(centres), -1).mean(axis=1) for row in density])


def _lidar_times(times: NDArray[np.datetime64], integration: float) -> NDArray[np.datetime64]:
    """Middles of the integrations that fit between the first and the last time; the time itself where there is one."""
    step = np.timedelta64(round(integration * 1e9), "ns")
    if len(times) == 1:
        return times
    count = int((times[-1] - times[0]) / step)
    if not 1 <= count <= _MOST_TIMES:
        raise DataError(
            f"the profiles last {(times[-1] - times[0]) / np.timedelta64(1, 'h'):g} h: 1 to {_MOST_TIMES} integrations fit"
        )
    return times[0] + step // 2 + np.arange(count) * step


def _at_times(times: NDArray[np.datetime64], values: Array, moments: NDArray[np.datetime64]) -> Array:
    """Linear in time."""
    if len(times) == 1:
        return values
    seconds, wanted = (one.astype(np.int64) / 1e9 for one in (times, moments))
    return np.stack([np.interp(wanted, seconds, column) for column in values.T], axis=1)
