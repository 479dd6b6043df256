"""The neutral atmosphere from NRLMSISE-00 or NRLMSIS 2.1, through pymsis.

The altitude of the grid (above the sphere of 6371.2 km) is handed to the model as height above the ellipsoid, and the
geocentric latitude as geodetic latitude. So altitude means height above the ground everywhere, as in the models of
spherical shells that Siderion is compared with; the latitude is off by 0.19 degrees at most.

References: Picone et al. 2002 (doi 10.1029/2002JA009430), Emmert et al. 2021 (doi 10.1029/2020EA001321), Emmert et
al. 2022 (doi 10.1029/2022JA030896; nitric oxide).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pymsis
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import CoverageError, DataError, NumericalError, SettingsError
from siderion.core.variables import with_attributes

MODELS = {"nrlmsise00": "0", "nrlmsis21": "2.1"}
"""Names of the models and the version that pymsis knows them by."""

ALTITUDE_RANGE = (75.0, 1000.0)
"""Altitudes in km for which nitric oxide, too, is defined."""

ATOMIC_NITROGEN_BOTTOM = 95.0
"""Altitude in km up to which NRLMSIS 2.1 may leave atomic nitrogen undefined (it does so up to about 90 km)."""

_LONGITUDE_NODES = 17
# NRLMSISE-00 and the nitric oxide of 2.1 hold zonal wavenumbers up to 3, so that the logarithm of a density is a short
# Fourier series: 17 nodes give it to 3e-4 (nitric oxide: 6e-3), at a third of the cost of a 48-point circle.

_OUTPUT = {
    "density_N2": pymsis.Variable.N2,
    "density_O2": pymsis.Variable.O2,
    "density_O": pymsis.Variable.O,
    "density_He": pymsis.Variable.HE,
    "density_Ar": pymsis.Variable.AR,
    "density_H": pymsis.Variable.H,
    "density_N": pymsis.Variable.N,
    "neutral_temperature": pymsis.Variable.TEMPERATURE,
    "mass_density": pymsis.Variable.MASS_DENSITY,
}


@dataclass(frozen=True)
class Grid:
    """A checked grid: ``time`` datetime64[ns], ``alt`` km, ``lat`` and ``lon`` degrees, all one-dimensional."""

    time: NDArray[np.datetime64]
    alt: NDArray[np.float64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Length of time, alt, lat, lon."""
        return (self.time.size, self.alt.size, self.lat.size, self.lon.size)

    @property
    def coords(self) -> dict[str, NDArray]:
        """Coordinates of a data set on this grid."""
        return {"time": self.time, "alt": self.alt, "lat": self.lat, "lon": self.lon}


def checked_grid(time: ArrayLike, alt: ArrayLike, lat: ArrayLike, lon: ArrayLike) -> Grid:
    """Turn coordinates into one-dimensional arrays and check them.

    Raises
    ------
    DataError
        A coordinate is empty, not one-dimensional or not finite, or a latitude lies beyond a pole.
    CoverageError
        An altitude lies outside `ALTITUDE_RANGE`.
    """
    times = np.atleast_1d(np.asarray(time, dtype="datetime64[ns]"))
    named = {name: np.atleast_1d(np.asarray(value, float)) for name, value in (("alt", alt), ("lat", lat), ("lon", lon))}
    for name, value in {"time": times, **named}.items():
        if value.ndim != 1 or value.size == 0:
            raise DataError(f"coordinate {name} has shape {value.shape}; it must be one-dimensional and not empty")
        bad = np.isnat(value) if name == "time" else ~np.isfinite(value)
        if bad.any():
            raise DataError(f"coordinate {name} is {value[bad][0]} at index {int(np.argmax(bad))}; it must be finite")
    beyond = np.abs(named["lat"]) > 90.0
    if beyond.any():
        raise DataError(f"latitude {named['lat'][beyond][0]:g} lies beyond a pole; give degrees from -90 to 90")
    low, high = ALTITUDE_RANGE
    outside = (named["alt"] < low) | (named["alt"] > high)
    if outside.any():
        raise CoverageError(f"altitude {named['alt'][outside][0]:g} km is outside {low:g} to {high:g} km; change the grid")
    return Grid(times, named["alt"], named["lat"], named["lon"])


def checked_index(values: ArrayLike, grid: Grid, name: str, low: float, high: float, columns: int = 0) -> NDArray[np.float64]:
    """Bring an index to one value (or row of ``columns``) per time and check its range.

    Raises
    ------
    DataError
        Wrong shape, or a value that is not finite or outside ``low`` to ``high`` (fill values, say).
    """
    array = np.asarray(values, dtype=float)
    row = (columns,) if columns else ()
    if array.shape not in (row, (1, *row), (grid.time.size, *row)):
        raise DataError(f"{name} has shape {array.shape}; needed: one value or one per time, {(grid.time.size, *row)}")
    array = np.broadcast_to(array, (grid.time.size, *row))
    bad = ~((array >= low) & (array <= high))
    if bad.any():
        where = np.unravel_index(int(np.argmax(bad)), bad.shape)
        raise DataError(
            f"{name} is {array[where]} at {grid.time[where[0]]}; it must lie in {low:g} to {high:g}; "
            "replace fill values and missing days"
        )
    return array


def neutral_atmosphere(
    time: ArrayLike,
    alt: ArrayLike,
    lat: ArrayLike,
    lon: ArrayLike,
    f107: ArrayLike,
    f107_81_day_mean: ArrayLike,
    ap_history: ArrayLike,
    model: str = "nrlmsise00",
) -> xr.Dataset:
    """Number densities, temperature and mass density of the neutral gas on a grid.

    Parameters
    ----------
    time, alt, lat, lon : array
        Axes of the grid: datetime64 UTC; km; degrees; degrees.
    f107 : float or array (time,)
        Observed F10.7 of the day *before* each time, 1e-22 W m-2 Hz-1.
    f107_81_day_mean : float or array (time,)
        Centred 81-day mean of F10.7.
    ap_history : array (time, 7)
        Daily ap; ap now, 3, 6 and 9 h before; mean of 12 to 33 h before; mean of 36 to 57 h before.
    model : {"nrlmsise00", "nrlmsis21"}
        NRLMSISE-00 has no nitric oxide: it is taken from NRLMSIS 2.1.

    Returns
    -------
    xarray.Dataset
        ``density_N2, O2, O, He, Ar, H, N, NO`` (m-3), ``neutral_temperature`` (K), ``mass_density`` (kg m-3),
        dimensions (time, alt, lat, lon), float64. Where NRLMSIS 2.1 leaves N undefined (up to about 90 km), N is 0; the
        attribute says so.

    Raises
    ------
    SettingsError
        Unknown model.
    DataError, CoverageError
        Bad coordinates or indices.
    NumericalError
        The model returned a value that is missing or not positive.
    """
    if model not in MODELS:
        raise SettingsError(f"unknown neutral model {model!r}; use one of {', '.join(MODELS)}")
    grid = checked_grid(time, alt, lat, lon)
    indices = _Indices(
        checked_index(f107, grid, "f107", 20.0, 1000.0),
        checked_index(f107_81_day_mean, grid, "f107_81_day_mean", 20.0, 1000.0),
        checked_index(ap_history, grid, "ap_history", 0.0, 400.0, columns=7),
    )
    fields = _evaluate(grid, indices, MODELS[model], _OUTPUT, exact=model == "nrlmsis21")
    fields |= _evaluate(grid, indices, "2.1", {"density_NO": pymsis.Variable.NO}, exact=model == "nrlmsis21")
    return _as_dataset(fields, grid, model)


@dataclass(frozen=True)
class _Indices:
    f107: NDArray[np.float64]
    f107_81_day_mean: NDArray[np.float64]
    ap_history: NDArray[np.float64]


def _evaluate(
    grid: Grid, indices: _Indices, version: str, output: dict[str, pymsis.Variable], exact: bool
) -> dict[str, NDArray[np.float64]]:
    """Run one model time by time; arrays (time, alt, lat, lon) by name."""
    use_nodes = not exact and grid.lon.size > _LONGITUDE_NODES
    lon = longitude_nodes(_LONGITUDE_NODES) if use_nodes else grid.lon
    weights = fourier_weights(lon, grid.lon) if use_nodes else None
    fields = {name: np.empty(grid.shape) for name in output}
    columns = [int(column) for column in output.values()]
    for step, moment in enumerate(grid.time):
        raw = pymsis.calculate(
            [moment],
            lon,
            grid.lat,
            grid.alt,
            [indices.f107[step]],
            [indices.f107_81_day_mean[step]],
            [indices.ap_history[step]],
            version=version,
            geomagnetic_activity=-1,  # storm mode: use the ap history, not the daily ap alone
        )
        # One time at a time: pymsis then takes its grid mode, or a single point, never a fly-through by chance.
        values = np.moveaxis(raw.reshape(lon.size, grid.lat.size, grid.alt.size, -1)[..., columns], 0, 2).astype(float)
        values = _checked_values(values, list(output), grid, moment)
        if weights is not None:
            values = np.exp(np.einsum("ln,ijnv->ijlv", weights, np.log(values), optimize=True))
        for place, name in enumerate(output):
            fields[name][step] = np.moveaxis(values[..., place], 0, 1)
    return fields


def _checked_values(values: NDArray, names: list[str], grid: Grid, moment: np.datetime64) -> NDArray:
    """Put 0 for atomic nitrogen below its range; refuse any other value that is missing or not positive."""
    missing = ~(values > 0.0)
    if "density_N" in names:
        low = grid.alt[None, :, None] <= ATOMIC_NITROGEN_BOTTOM
        place = names.index("density_N")
        undefined = np.isnan(values[..., place]) & low
        values[..., place][undefined] = 0.0
        missing[..., place] &= ~undefined
    if missing.any():
        i, j, k, v = np.argwhere(missing)[0]
        raise NumericalError(
            f"the neutral model gives {names[v]} = {values[i, j, k, v]} at {moment}, {grid.alt[j]:g} km, latitude "
            f"{grid.lat[i]:g}; it must be positive; check the indices and the altitude range"
        )
    return values


def _as_dataset(fields: dict[str, NDArray], grid: Grid, model: str) -> xr.Dataset:
    dims = ("time", "alt", "lat", "lon")
    dataset = with_attributes(xr.Dataset({name: (dims, values) for name, values in fields.items()}, coords=grid.coords))
    dataset["mass_density"].attrs.update(units="kg m-3", long_name="mass density of the neutral gas")
    dataset["density_NO"].attrs["comment"] = "from NRLMSIS 2.1"
    empty = dataset["density_N"].values == 0.0
    if empty.any():
        highest = float(grid.alt[empty.any(axis=(0, 2, 3))].max())
        dataset["density_N"].attrs["comment"] = f"undefined in the model up to {highest:g} km and set to 0 there"
    dataset.attrs.update(
        neutral_model=model,
        neutral_model_comment="altitude taken as height above the ellipsoid, latitude as geodetic; ap history in use",
    )
    return dataset


def longitude_nodes(count: int) -> NDArray[np.float64]:
    """Equally spaced longitudes around the circle, degrees, for `fourier_weights`."""
    return -180.0 + 360.0 * np.arange(count) / count


def fourier_weights(nodes: ArrayLike, lon: ArrayLike) -> NDArray[np.float64]:
    """Weights (lon, node) of trigonometric interpolation from an odd number of equally spaced longitudes.

    The interpolant holds wavenumbers up to (n - 1)/2 and is exact for them: w = (1 + 2 sum_k cos k(lon - node)) / n.
    """
    difference = np.radians(np.asarray(lon, float)[:, None] - np.asarray(nodes, float)[None, :])
    count = difference.shape[1]
    if count % 2 == 0:
        raise SettingsError(f"trigonometric interpolation needs an odd number of longitudes, not {count}")
    orders = np.arange(1, (count - 1) // 2 + 1)
    return (1.0 + 2.0 * np.cos(orders[:, None, None] * difference).sum(axis=0)) / count
