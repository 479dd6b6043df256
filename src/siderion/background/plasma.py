"""The background electron density from the International Reference Ionosphere, through PyIRI.

PyIRI turns the F10.7 it is given into the 12-month indices R12 and IG12 and draws no line between daily and mean values
(its functions `F107_2_R12` and `F107_2_IG12`). The relation was made for smoothed values, so that the 81-day mean is
used here; the daily value would carry the 27-day rotation of the Sun into a 12-month index.

Reference: Forsythe et al. 2024, PyIRI (doi 10.1029/2023SW003739). Coefficients: CCIR.
"""

from __future__ import annotations

import numpy as np
import PyIRI
import PyIRI.edp_update
import PyIRI.main_library
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.background.neutral import Grid, checked_grid, checked_index
from siderion.core.errors import CoverageError, NumericalError, SettingsError
from siderion.core.tables import load_table
from siderion.core.variables import with_attributes
from siderion.frames.sun import subsolar_point

F1_LAYERS = {"standard": PyIRI.main_library, "continuous": PyIRI.edp_update}
"""Treatments of the F1 layer and the part of PyIRI that has them."""

YEARS = (1965, 2029)
"""Years for which the magnetic coefficients inside PyIRI are good."""

_POINTS_PER_CALL = 400_000  # PyIRI holds about 25 arrays of this size at once: 80 MB


def electron_density_pyiri(
    time: ArrayLike,
    alt: ArrayLike,
    lat: ArrayLike,
    lon: ArrayLike,
    f107_81_day_mean: ArrayLike,
    f1_layer: str = "standard",
) -> xr.DataArray:
    """Monthly median electron density on a grid, with a lower limit for the night valley.

    Parameters
    ----------
    time, alt, lat, lon : array
        Axes of the grid: datetime64 UTC; km; degrees; degrees (any range of longitude).
    f107_81_day_mean : float or array (time,)
        Centred 81-day mean of the observed F10.7, 1e-22 W m-2 Hz-1.
    f1_layer : {"standard", "continuous"}
        ``"standard"``: the F1 layer of Forsythe et al. 2024, close to IRI by day, but switched on and off at a solar
        zenith angle of 70.5 degrees: there the density at 130 to 180 km steps by a factor of up to 5.
        ``"continuous"``: the later form of PyIRI without that step, with a deeper valley by day (0.6 of the standard
        density at 130 to 160 km in June).

    Returns
    -------
    xarray.DataArray
        ``electron_density`` (time, alt, lat, lon), m-3, never below `density_floor`.

    Raises
    ------
    SettingsError
        Unknown treatment of the F1 layer.
    DataError, CoverageError
        Bad coordinates, index or year.
    NumericalError
        PyIRI returned a value that is not finite.
    """
    if f1_layer not in F1_LAYERS:
        raise SettingsError(f"unknown F1 layer {f1_layer!r}; use one of {', '.join(F1_LAYERS)}")
    grid = checked_grid(time, alt, lat, lon)
    flux = checked_index(f107_81_day_mean, grid, "f107_81_day_mean", 20.0, 1000.0)
    density = np.empty(grid.shape)
    for steps in _calls(grid, flux):
        density[steps] = _one_call(grid, steps, float(flux[steps[0]]), f1_layer)
    _check_finite(density, grid, flux)
    floor = density_floor(grid.alt)
    density = np.maximum(density, floor[None, :, None, None])
    dataset = with_attributes(xr.Dataset({"electron_density": (("time", "alt", "lat", "lon"), density)}, coords=grid.coords))
    array = dataset["electron_density"]
    array.attrs["comment"] = (
        f"PyIRI with CCIR coefficients, {f1_layer} F1 layer and 81-day mean F10.7; "
        f"at least {floor.max():.3g} m-3 above the night E layer"
    )
    return array


def density_floor(alt: ArrayLike) -> NDArray[np.float64]:
    """Lowest electron density, m-3, at altitudes in km.

    Constant above the night E layer and falling below it, so that the D region keeps its own values: the numbers are in
    the table ``plasma``.
    """
    limit = load_table("background", "plasma").set_index("name")["value"]
    depth = np.maximum(limit["floor_altitude"] - np.asarray(alt, dtype=float), 0.0)
    return limit["floor"] * np.exp(-depth / limit["floor_scale_height"])


def _check_finite(density: NDArray[np.float64], grid: Grid, flux: NDArray[np.float64]) -> None:
    if not np.isfinite(density).all():
        step, level, row, column = np.argwhere(~np.isfinite(density))[0]
        raise NumericalError(
            f"PyIRI gives no finite electron density at {grid.time[step]}, {grid.alt[level]:g} km, latitude "
            f"{grid.lat[row]:g}, longitude {grid.lon[column]:g}; check date and F10.7 ({flux[step]:g})"
        )


def _calls(grid: Grid, flux: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """Group the times into calls of one day and one solar flux, small enough for memory."""
    day = grid.time.astype("datetime64[D]")
    years = day.astype("datetime64[Y]").astype(int) + 1970
    bad = (years < YEARS[0]) | (years > YEARS[1])
    if bad.any():
        raise CoverageError(f"no electron density for {day[bad][0]}: PyIRI is good for {YEARS[0]} to {YEARS[1]}")
    per_call = max(1, _POINTS_PER_CALL // (grid.alt.size * grid.lat.size * grid.lon.size))
    calls = []
    for date in np.unique(day):
        for value in np.unique(flux[day == date]):
            steps = np.flatnonzero((day == date) & (flux == value))
            calls += [steps[start : start + per_call] for start in range(0, steps.size, per_call)]
    return calls


def _one_call(grid: Grid, steps: NDArray[np.intp], flux: float, f1_layer: str) -> NDArray[np.float64]:
    """Electron density (step, alt, lat, lon) of times within one day.

    PyIRI (0.1.7) scales its F1 layer by the sunniest of the points it is given together (`Probability_F1` and
    `derive_dependent_F1_parameters`). In a domain that is dim or dark as a whole the layer comes out wrong, by a third
    at 150 to 200 km, and depends on how the work is divided. An extra point below the Sun sets the scale to what it is
    on the whole globe, and is dropped.
    """
    moments = grid.time[steps]
    date = moments[0].astype("datetime64[D]")
    year, month, day = (int(part) for part in str(date).split("-"))
    hours = (moments - date) / np.timedelta64(1, "h")
    sun_lat, sun_lon = subsolar_point(moments[0])
    lat, lon = np.meshgrid(grid.lat, grid.lon, indexing="ij")
    lats = np.append(lat.ravel(), sun_lat)
    lons = np.append(lon.ravel(), sun_lon) % 360.0
    model = F1_LAYERS[f1_layer].IRI_density_1day
    profiles = model(year, month, day, hours, lons, lats, grid.alt, flux, PyIRI.coeff_dir, ccir_or_ursi=0)[-1]
    return profiles[..., :-1].reshape(steps.size, grid.alt.size, grid.lat.size, grid.lon.size)
