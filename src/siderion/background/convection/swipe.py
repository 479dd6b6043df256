"""Swarm Hi-C (SWIPE) convection potential of Hatch et al. 2024, doi 10.5194/angeo-42-229-2024.

Spherical harmonics (Schmidt semi-normalised, degree up to 65, order up to 3) in modified apex latitude (110
km) and magnetic local time, fitted to Swarm ion drifts in the frame that rotates with the Earth: add no
corotation. Both hemispheres are in one set of coefficients, with the By and the dipole tilt as they are, not
mirrored; the south is simply evaluated at negative latitudes. Where dipole coordinates stand in for apex
coordinates, the pattern moves by a few degrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import xarray as xr

from siderion.core.errors import DataError
from siderion.io.swipe import read_swipe_coefficients

from .grid import (
    Array,
    AzimuthalExpansion,
    ConvectionModel,
    Hemisphere,
    check_conditions,
    check_hemisphere,
    model_numbers,
    outer_colatitude,
)

COEFFICIENT_FILE = "SW_OPER_EIO_SHA_2E_00000000T000000_99999999T999999_0401.txt"


@dataclass(frozen=True)
class Swipe(ConvectionModel):
    """The Swarm Hi-C potential for one set of conditions; made by `swipe`."""

    expansion: AzimuthalExpansion
    hemisphere: Hemisphere
    citation: str = "Hatch et al. 2024, Annales Geophysicae 42, 229, doi 10.5194/angeo-42-229-2024; coefficients 0401"
    frame: str = "Earth-rotating"
    coordinates: str = "modified apex latitude and magnetic local time, 110 km"

    def _untapered_potential(self, colatitude: Array, phi: Array) -> Array:
        return self.expansion.value(colatitude, phi)

    def _untapered_gradient(self, colatitude: Array, phi: Array) -> tuple[Array, Array]:
        return self.expansion.gradient(colatitude, phi)


def swipe(imf_by: float, imf_bz: float, solar_wind_speed: float, dipole_tilt: float, f107: float, hemisphere: str) -> Swipe:
    """Swarm Hi-C convection potential for given conditions.

    Parameters
    ----------
    imf_by, imf_bz : float
        Interplanetary magnetic field, GSM, nT. The same signs serve both hemispheres.
    solar_wind_speed : float
        km s-1.
    dipole_tilt : float
        Degrees, positive when the northern pole leans towards the Sun; the same sign serves both hemispheres.
    f107 : float
        Solar radio flux at 10.7 cm, 1e-22 W m-2 Hz-1.
    hemisphere : str
        ``"north"`` or ``"south"``.

    Returns
    -------
    Swipe
        The model; see `ConvectionModel` for its methods.

    Raises
    ------
    DataError
        A condition is missing, a fill value or in a wrong unit.
    SettingsError
        Unknown hemisphere.
    """
    check_conditions(imf_by=imf_by, imf_bz=imf_bz, solar_wind_speed=solar_wind_speed, dipole_tilt=dipole_tilt, f107=f107)
    side = check_hemisphere(hemisphere)
    weights = external_terms(imf_by, imf_bz, solar_wind_speed, dipole_tilt, f107)
    names, profiles = _term_profiles(side)
    vector = np.array([weights[name] for name in names])
    samples = np.tensordot(vector, profiles, axes=1)
    return Swipe(AzimuthalExpansion(samples, outer_colatitude()), side)


def external_terms(imf_by: float, imf_bz: float, solar_wind_speed: float, dipole_tilt: float, f107: float) -> dict[str, float]:
    """The 19 external parameters that multiply the coefficients, by the names in the coefficient file.

    epsilon is the coupling function of Newell et al. 2007 (doi 10.1029/2006JA012015) over 1000, tau the same
    with a cosine: V^(4/3) Bt^(2/3) |sin(clock/2)|^(8/3) and |cos(clock/2)|^(8/3), V in km s-1 and Bt in nT
    (Hatch et al. 2024). Parameters as in `swipe`.
    """
    clock = np.arctan2(imf_by, imf_bz)
    strength = solar_wind_speed ** (4.0 / 3.0) * np.hypot(imf_by, imf_bz) ** (2.0 / 3.0) / 1000.0
    epsilon = strength * np.abs(np.sin(0.5 * clock)) ** (8.0 / 3.0)
    tau = strength * np.abs(np.cos(0.5 * clock)) ** (8.0 / 3.0)
    factors = {
        "const": 1.0,
        "epsilon": epsilon,
        "tilt": dipole_tilt,
        "tilt_epsilon": dipole_tilt * epsilon,
        "tau": tau,
        "tilt_tau": dipole_tilt * tau,
    }
    angles = {"": 1.0, "sinca": np.sin(clock), "cosca": np.cos(clock)}
    terms = {"f107": f107}
    for name, factor in factors.items():
        for suffix, angle in angles.items():
            label = suffix if name == "const" and suffix else f"{name}_{suffix}" if suffix else name
            terms[label] = float(factor * angle)
    return terms


def schmidt_quotients(degree: int, order: int, cos_colatitude: Array) -> Array:
    """Schmidt semi-normalised Legendre functions of one order, divided by sin^order of the colatitude.

    Parameters
    ----------
    degree : int
        Highest degree.
    order : int
        The order m.
    cos_colatitude : array
        Cosine of the colatitude, any shape.

    Returns
    -------
    array
        Shape (degree + 1, ...); zero where the degree is below the order. Polynomials in the cosine, so
        finite at the poles. Recursion: sqrt(n^2 - m^2) P_n = (2n - 1) cos P_(n-1) - sqrt((n-1)^2 - m^2)
        P_(n-2) (Winch et al. 2005, doi 10.1111/j.1365-246X.2004.02472.x).
    """
    values = np.zeros((degree + 1, *cos_colatitude.shape))
    values[order] = np.prod([np.sqrt(1.0 - 0.5 / m) for m in range(2, order + 1)])
    for n in range(order + 1, degree + 1):
        previous = np.sqrt((n - 1.0) ** 2 - order**2) * values[n - 2] if n >= order + 2 else 0.0
        current = (2.0 * n - 1.0) * cos_colatitude * values[n - 1]
        values[n] = (current - previous) / np.sqrt(float(n * n - order * order))
    return values


def complete_coefficients(coefficients: xr.Dataset) -> Array:
    """Add the two lowest degrees of each order, so that the potential vanishes at +47 and -47 degrees of
    latitude.

    The file leaves out the degrees max(1, m) and max(1, m) + 1; two conditions per order fix them (Hatch et
    al. 2024).

    Parameters
    ----------
    coefficients : xarray.Dataset
        As `read_swipe_coefficients` returns them.

    Returns
    -------
    array
        Shape (term, phase, degree, order), in the units of the file.

    Raises
    ------
    DataError
        The file holds a degree that the conditions must fix.
    """
    degree, order = coefficients["degree"].values, coefficients["order"].values
    table = coefficients["coefficient"].values
    full = np.zeros((*table.shape[:2], degree.max() + 1, order.max() + 1))
    full[:, :, degree, order] = table
    cosine = np.cos(outer_colatitude()) * np.array([1.0, -1.0])
    for m in range(order.max() + 1):
        lowest = [max(1, m), max(1, m) + 1]
        if np.isin(lowest, degree[order == m]).any():
            raise DataError(f"order {m} of the coefficients holds a degree of {lowest}; those are solved for")
        values = schmidt_quotients(int(degree.max()), m, cosine)
        excess = np.tensordot(full[:, :, :, m], values, axes=1)
        solution = np.linalg.solve(values[lowest].T, -excess.reshape(-1, 2).T).T
        full[:, :, lowest, m] = solution.reshape(*table.shape[:2], 2)
    return full


@cache
def _term_profiles(hemisphere: Hemisphere) -> tuple[tuple[str, ...], Array]:
    """Names of the external terms and, for each, the Chebyshev coefficients of its potential in V."""
    path = resources.files("siderion") / "background" / "data" / COEFFICIENT_FILE
    coefficients = read_swipe_coefficients(path)
    full = complete_coefficients(coefficients)
    degrees, orders = full.shape[2:]
    if hemisphere == "south":
        # P_nm(-cos) = (-1)^(n+m) P_nm(cos): the south as a function of the colatitude from its own pole.
        full = full * (-1.0) ** np.add.outer(np.arange(degrees), np.arange(orders))
    cosine = 1.0 - 2.0 * AzimuthalExpansion.nodes(degrees, outer_colatitude())
    samples = np.stack(
        [np.tensordot(full[..., m], schmidt_quotients(degrees - 1, m, cosine), axes=1) for m in range(orders)],
        axis=-1,
    )
    # mV m-1 times km is V
    samples *= model_numbers("swipe")["reference_radius"]
    by_node = np.moveaxis(samples, 2, 0)
    expansion = AzimuthalExpansion.from_samples(by_node, outer_colatitude())
    profiles = np.moveaxis(expansion.coefficients, 1, 0)
    return tuple(str(name) for name in coefficients["term"].values), profiles
