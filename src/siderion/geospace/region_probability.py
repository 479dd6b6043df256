"""Region of a spacecraft near the Earth with its probability: solar wind, magnetosheath, magnetosphere.

The probability counts three things: the uncertainty of the solar wind, the scatter of real crossings about each model, and the
spread between models, which weigh the same.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from siderion.core.bodies import get_body
from siderion.core.errors import DataError, SettingsError
from siderion.geospace.boundaries import aberrate, aberration_angle, orbital_speed
from siderion.geospace.plasma_boundaries import (
    MAGNETOPAUSES,
    SolarWind,
    boundary_sources,
    required_standoff,
    scatter,
    standoff,
    typical_wind,
)

Array = NDArray[np.float64]
REGIONS = ("solar wind", "magnetosheath", "magnetosphere")
DEFAULT_SHOCKS = ("jelinek2012", "farris1994")
_SLOWEST_MACH = 1.05


def region_probability(
    time: ArrayLike,
    position_gse_km: ArrayLike,
    wind: SolarWind | None = None,
    *,
    magnetopauses: Sequence[str] = MAGNETOPAUSES,
    shocks: Sequence[str] = DEFAULT_SHOCKS,
    model_scatter: bool = True,
) -> xr.Dataset:
    """Probability of each region at each time.

    Parameters
    ----------
    time : array of datetime64, shape (time,)
        UTC.
    position_gse_km : array of shape (time, 3)
        Position in GSE, km.
    wind : SolarWind, optional
        Solar wind with its uncertainty; numbers or arrays (time,). The spread of a solar cycle without it.
    magnetopauses, shocks : sequences of str
        Models of `siderion.geospace.plasma_boundaries`, of equal weight.
    model_scatter : bool
        Whether to add the scatter of crossings about the models.

    Returns
    -------
    xarray.Dataset
        ``region_probability(time, region)``, whose rows sum to 1, and ``likeliest_region(time)``, the index of the largest.

    Raises
    ------
    DataError
        Arrays do not fit, or a position is not finite or inside the Earth.
    SettingsError
        A model is unknown, or none is named.
    """
    times = np.asarray(time, dtype="datetime64[ns]")
    places = np.asarray(position_gse_km, dtype=np.float64)
    if times.ndim != 1 or places.shape != (times.size, 3):
        raise DataError(f"time has shape {times.shape}, position {places.shape}; needed: (time,) and (time, 3)")
    distance = np.linalg.norm(places, axis=-1)
    limit = 0.9e-3 * get_body("Earth").require_value("radius")
    bad = ~(distance >= limit) | ~np.isfinite(distance)
    if bad.any():
        index = int(np.argmax(bad))
        raise DataError(
            f"position at {times[index]} is {places[index]} km, {distance[index]:g} km from the centre; it must be "
            "finite and outside the Earth: check units and gaps"
        )
    given = typical_wind() if wind is None else wind
    values = region_probabilities(places * 1e3, given, magnetopauses=magnetopauses, shocks=shocks, model_scatter=model_scatter)
    settings = {
        "magnetopauses": list(magnetopauses), "shocks": list(shocks), "model_scatter": model_scatter,
        "wind": {key: np.asarray(value).tolist() if np.ndim(value) == 0 else "series" for key, value in asdict(given).items()},
    }  # fmt: skip
    variables = {
        "region_probability": (("time", "region"), values, {"units": "1", "long_name": "probability of the region"}),
        "likeliest_region": (
            ("time",),
            values.argmax(axis=-1).astype(np.int8),
            {"units": "1", "long_name": "place of the likeliest region in the coordinate region"},
        ),
    }
    attributes = {
        "kind": "siderion region probability", "title": "Region near the Earth with its probability",
        "settings": json.dumps(settings), "sources": json.dumps(boundary_sources()), "siderion_version": version("siderion"),
    }  # fmt: skip
    return xr.Dataset(variables, coords={"time": times, "region": list(REGIONS)}, attrs=attributes)


def region_probabilities(
    position: ArrayLike,
    wind: SolarWind,
    *,
    magnetopauses: Sequence[str] = MAGNETOPAUSES,
    shocks: Sequence[str] = DEFAULT_SHOCKS,
    model_scatter: bool = True,
) -> Array:
    """Probabilities of `REGIONS` at positions in GSE, m.

    Parameters
    ----------
    position : array of shape (..., 3)
        m.
    wind, magnetopauses, shocks, model_scatter
        As in `region_probability`.

    Returns
    -------
    ndarray of shape (..., 3)
        They sum to 1 along the last axis.

    Notes
    -----
    For each model, D is the stand-off distance the surface needs to pass through the place, less the one it has. The place is
    outside with probability Phi(D/s), Phi the normal distribution function. s^2 is the sum of the squares of the scatter of the
    model and of half the change of D when pressure, Bz and Mach number go from one standard deviation below to one above. With
    no uncertainty it is a step. Errors of the two surfaces count as independent; the sheath is what lies between them.
    """
    if not magnetopauses or not shocks:
        raise SettingsError("no model of the magnetopause or of the bow shock is named; name at least one of each")
    angle = aberration_angle(wind.speed, orbital_speed(_distance_from_sun()))
    places = aberrate(position, angle)
    beyond_shock = np.mean([_outside(name, "shock", places, wind, model_scatter) for name in shocks], axis=0)
    beyond_pause = np.mean([_outside(name, "magnetopause", places, wind, model_scatter) for name in magnetopauses], axis=0)
    inside_shock = 1.0 - beyond_shock
    return np.stack([beyond_shock, inside_shock * beyond_pause, inside_shock * (1.0 - beyond_pause)], axis=-1)


def _outside(model: str, surface: str, places: Array, wind: SolarWind, model_scatter: bool) -> Array:
    """Probability that places lie beyond a surface."""
    pressure, bz, mach = (np.asarray(value, dtype=float) for value in (wind.pressure, wind.bz, wind.mach))

    def excess(p: Array, b: Array, m: Array) -> Array:
        return required_standoff(model, surface, places, p, b) - standoff(model, surface, p, b, np.maximum(m, _SLOWEST_MACH))

    middle = np.asarray(excess(pressure, bz, mach))
    factor = np.exp(np.asarray(wind.pressure_spread, dtype=float))
    spread_b, spread_m = (np.asarray(value, dtype=float) for value in (wind.bz_spread, wind.mach_spread))
    changes = [
        0.5 * (excess(pressure * factor, bz, mach) - excess(pressure / factor, bz, mach)),
        0.5 * (excess(pressure, bz + spread_b, mach) - excess(pressure, bz - spread_b, mach)),
        0.5 * (excess(pressure, bz, mach + spread_m) - excess(pressure, bz, mach - spread_m)),
    ]
    variance = sum(change**2 for change in changes) + (scatter(surface) ** 2 if model_scatter else 0.0)
    deviation = np.sqrt(np.broadcast_to(variance, middle.shape))
    certain = deviation == 0.0
    ratio = np.where(certain, np.copysign(np.inf, middle), middle / np.where(certain, 1.0, deviation))
    return np.asarray(ndtr(ratio))


def _distance_from_sun() -> float:
    lower, upper = get_body("Earth").require("distance")  # type: ignore[misc]
    return 0.5 * (lower + upper)
