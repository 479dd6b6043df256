"""Ozone of the upper mesosphere by photochemical balance.

[O3] = k(O + O2 + M) [O] [O2] [M] / (J + k(O + O3) [O] + k(H + O3) [H]), with J switched off in the shadow of the Earth.
Ozone lives some minutes by day and some ten minutes by night, so that the balance is close; transport, the reaction of
O3 with other gases and absorption within the layer itself are left out. Unverified; it matters only for the oxidation
of metal ions below about 95 km, and a run may switch it off.

Scheme in outline: Allen, Lunine & Yung 1984 (doi 10.1029/JD089iD03p04841).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.background.temperatures import grid_solar_zenith_angle, smooth_step
from siderion.chemistry.reactions import rate_coefficient
from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import NumericalError
from siderion.core.tables import load_table
from siderion.core.variables import with_attributes

REACTIONS = ("o_o2_m", "o_o3", "h_o3", "o3_photon")
"""Keys of the chemistry table that the balance needs."""


def sunlit_share(alt: ArrayLike, zenith_angle: ArrayLike) -> NDArray[np.float64]:
    """1 in the light that splits ozone, 0 in the shadow, with a narrow twilight; altitude in km, angle in degrees.

    The ray counts as cut off where it passes below the screening height of the table ``ozone``.
    """
    limit = load_table("background", "ozone").set_index("name")["value"]
    radius = EARTH_RADIUS / 1e3
    ratio = (radius + limit["screening_height"]) / (radius + np.asarray(alt, dtype=float))
    shadow = 90.0 + np.degrees(np.arccos(np.clip(ratio, -1.0, 1.0)))
    half = 0.5 * limit["twilight_width"]
    return 1.0 - smooth_step(np.asarray(zenith_angle, float) - shadow, -half, half)


def ozone_balance(
    neutral: Mapping[str, ArrayLike], sunlit: ArrayLike, rates: Mapping[str, NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Density of ozone, m-3.

    Parameters
    ----------
    neutral : mapping
        Densities of "O", "O2", "N2", "H", m-3.
    sunlit : array
        Factor of the photolysis rate, 0 to 1.
    rates : mapping
        By the keys `REACTIONS`: m6 s-1, m3 s-1, m3 s-1, s-1. All arrays broadcast.
    """
    o, o2, n2, h = (np.asarray(neutral[name], dtype=float) for name in ("O", "O2", "N2", "H"))
    production = rates["o_o2_m"] * o * o2 * (o + o2 + n2)
    loss = np.asarray(sunlit, float) * rates["o3_photon"] + rates["o_o3"] * o + rates["h_o3"] * h
    return np.asarray(production / loss)


def ozone_rates(neutral_temperature: ArrayLike) -> dict[str, NDArray[np.float64]]:
    """Rate coefficients of the balance by the keys `REACTIONS`, SI, from the neutral temperature in K."""
    return {key: rate_coefficient(key, neutral_temperature, neutral_temperature, neutral_temperature) for key in REACTIONS}


def ozone_density(neutral: xr.Dataset) -> xr.DataArray:
    """``density_O3`` (time, alt, lat, lon), m-3, on the grid of the neutral atmosphere.

    Parameters
    ----------
    neutral : xarray.Dataset
        ``density_O``, ``density_O2``, ``density_N2``, ``density_H`` (m-3) and ``neutral_temperature`` (K).

    Raises
    ------
    NumericalError
        A density of ozone is not finite or is negative: a neutral density or temperature is not physical.
    """
    dims = ("time", "alt", "lat", "lon")
    gas = {name: neutral[f"density_{name}"].transpose(*dims).values for name in ("O", "O2", "N2", "H")}
    temperature = neutral["neutral_temperature"].transpose(*dims).values
    alt = neutral["alt"].values[:, None, None]
    zenith_angle = grid_solar_zenith_angle(neutral)
    ozone = np.empty(temperature.shape)
    for step in range(len(temperature)):
        rates = ozone_rates(temperature[step])
        sunlit = sunlit_share(alt, zenith_angle[step])
        ozone[step] = ozone_balance({name: values[step] for name, values in gas.items()}, sunlit, rates)
    bad = ~(np.isfinite(ozone) & (ozone >= 0.0))
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise NumericalError(f"density of O3 is {ozone[index]} m-3 at index {index} {dims}; check the neutral densities there")
    coords = {name: neutral[name] for name in dims}
    return with_attributes(xr.Dataset({"density_O3": (dims, ozone)}, coords=coords))["density_O3"]
