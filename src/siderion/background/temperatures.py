"""Temperatures of electrons and ions.

Electrons by day: the fit of Brace & Theis 1978 (doi 10.1029/GL005i004p00275), written from memory and so unverified. By
night, and below the fit, they take the temperature of the neutral gas. Ions follow the neutral gas below about 200 km
and lean towards the electrons above. Nothing here knows of heating by the convection field.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.tables import load_table
from siderion.core.variables import with_attributes
from siderion.frames.sun import solar_zenith_angle


def smooth_step(x: ArrayLike, start: float, end: float) -> NDArray[np.float64]:
    """A cubic that goes from 0 at ``start`` to 1 at ``end`` with level ends; constant beyond (``end`` > ``start``)."""
    share = np.clip((np.asarray(x, dtype=float) - start) / (end - start), 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def grid_solar_zenith_angle(dataset: xr.Dataset) -> NDArray[np.float64]:
    """Solar zenith angle, degrees, (time, lat, lon), on the axes of a data set."""
    time, lat, lon = (dataset[name].values for name in ("time", "lat", "lon"))
    return solar_zenith_angle(time[:, None, None], lat[None, :, None], lon[None, None, :])


def brace_theis_temperature(alt: ArrayLike, electron_density: ArrayLike) -> NDArray[np.float64]:
    """Electron temperature by day, K, from altitude (km) and electron density (m-3); they broadcast.

    Brace & Theis 1978: Te = 1051 + (17.01 h - 2746) exp(-5.122e-4 h + (6.094e-12 - 3.353e-14 h) Ne). The numbers are in
    the table ``temperatures``. Made for about 130 to 400 km and Ne up to about 1e12 m-3; held below its maximum.
    """
    fit = load_table("background", "temperatures").set_index("name")["value"]
    height = np.asarray(alt, dtype=float)
    per_density = fit["brace_theis_density_gain"] - fit["brace_theis_density_loss"] * height
    # Below 182 km the factor of Ne is positive: without a limit, layers of high density would overflow.
    exponent = np.clip(-fit["brace_theis_decay"] * height + per_density * np.asarray(electron_density, float), -50.0, 1.0)
    excess = (fit["brace_theis_slope"] * height - fit["brace_theis_offset"]) * np.exp(exponent)
    return np.minimum(fit["brace_theis_base"] + excess, fit["maximum"])


def electron_temperature(
    alt: ArrayLike, electron_density: ArrayLike, neutral_temperature: ArrayLike, zenith_angle: ArrayLike
) -> NDArray[np.float64]:
    """Electron temperature, K, never below that of the neutral gas.

    Parameters
    ----------
    alt : array
        Altitude, km.
    electron_density : array
        m-3.
    neutral_temperature : array
        K.
    zenith_angle : array
        Solar zenith angle, degrees. All four broadcast.
    """
    blend = load_table("background", "temperatures").set_index("name")["value"]
    neutral = np.asarray(neutral_temperature, dtype=float)
    weight = smooth_step(alt, blend["blend_bottom"], blend["blend_top"])
    weight = weight * (1.0 - smooth_step(zenith_angle, blend["day_until"], blend["night_from"]))
    return neutral + weight * np.maximum(brace_theis_temperature(alt, electron_density) - neutral, 0.0)


def ion_temperature(alt: ArrayLike, neutral_temperature: ArrayLike, electron_temperature: ArrayLike) -> NDArray[np.float64]:
    """Ion temperature, K: Tn below about 200 km, above it Tn plus a growing share of Te - Tn. Arguments broadcast."""
    rise = load_table("background", "temperatures").set_index("name")["value"]
    share = rise["ion_fraction"] * smooth_step(alt, rise["ion_rise_from"], rise["ion_rise_until"])
    neutral = np.asarray(neutral_temperature, dtype=float)
    return neutral + share * np.maximum(np.asarray(electron_temperature, float) - neutral, 0.0)


def plasma_temperatures(neutral: xr.Dataset, electron_density: xr.DataArray) -> xr.Dataset:
    """Electron and ion temperatures on the grid of the neutral atmosphere.

    Parameters
    ----------
    neutral : xarray.Dataset
        Holds ``neutral_temperature`` (time, alt, lat, lon), K.
    electron_density : xarray.DataArray
        (time, alt, lat, lon), m-3, on the same grid.

    Returns
    -------
    xarray.Dataset
        ``electron_temperature`` and ``ion_temperature``, K.
    """
    dims = ("time", "alt", "lat", "lon")
    gas = neutral["neutral_temperature"].transpose(*dims).values
    density = electron_density.transpose(*dims).values
    alt = neutral["alt"].values[None, :, None, None]
    electrons = electron_temperature(alt, density, gas, grid_solar_zenith_angle(neutral)[:, None])
    ions = ion_temperature(alt, gas, electrons)
    coords = {name: neutral[name] for name in dims}
    return with_attributes(
        xr.Dataset({"electron_temperature": (dims, electrons), "ion_temperature": (dims, ions)}, coords=coords)
    )
