"""Electric potential of Weimer 2005, from the user's own tables.

Weimer 2005, doi 10.1029/2004JA010884, in its later form with cap harmonics, doi 10.1029/2005JA011270.
Spherical cap harmonics (Haines 1985, doi 10.1029/JB090iB03p02583) of real degree inside a circle whose radius
depends on the solar wind and whose centre lies 4.2 degrees off the magnetic pole towards midnight. The
potential is zero on and outside the circle; the electric field across it jumps, as in the published model.
The south is the northern model with By and dipole tilt reversed (Weimer 2005). Corotation is not part of the
potential.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.special import gammaln

from siderion.core.errors import CoverageError, NumericalError

from .grid import (
    Array,
    AzimuthalExpansion,
    ConvectionModel,
    Hemisphere,
    OffsetPole,
    check_conditions,
    check_hemisphere,
    model_numbers,
)

EXPANSION_TERMS = 64
"""Chebyshev terms of the profiles; the cap harmonics up to k = 12 need about 30 for full precision."""


@dataclass(frozen=True)
class Weimer2005(ConvectionModel):
    """The Weimer 2005 potential for one set of conditions; made by `weimer2005`.

    ``radius`` is the radius of its boundary circle, rad.
    """

    expansion: AzimuthalExpansion
    centre: OffsetPole
    radius: float
    hemisphere: Hemisphere
    citation: str = "Weimer 2005, JGR 110, A05306, doi 10.1029/2004JA010884 (cap harmonics: doi 10.1029/2005JA011270)"
    frame: str = "Earth-rotating"
    coordinates: str = "AACGM latitude and magnetic local time"

    def _untapered_potential(self, colatitude: Array, phi: Array) -> Array:
        theta, azimuth = self.centre.transform(colatitude, phi)
        return np.where(theta <= self.radius, self.expansion.value(theta, azimuth), 0.0)

    def _untapered_gradient(self, colatitude: Array, phi: Array) -> tuple[Array, Array]:
        theta, azimuth = self.centre.transform(colatitude, phi)
        inside = theta <= self.radius
        along, across = (np.where(inside, part, 0.0) for part in self.expansion.gradient(theta, azimuth))
        return self.centre.gradient_back((colatitude, phi), (theta, azimuth), (along, across))


def weimer2005(
    tables: xr.Dataset,
    imf_by: float,
    imf_bz: float,
    solar_wind_speed: float,
    solar_wind_density: float,
    dipole_tilt: float,
    hemisphere: str,
) -> Weimer2005:
    """Weimer 2005 convection potential for given conditions.

    Parameters
    ----------
    tables : xarray.Dataset
        As `siderion.io.weimer.read_weimer2005_tables` returns them.
    imf_by, imf_bz : float
        Interplanetary magnetic field, GSM, nT.
    solar_wind_speed : float
        km s-1.
    solar_wind_density : float
        cm-3.
    dipole_tilt : float
        Degrees, positive when the northern pole leans towards the Sun.
    hemisphere : str
        ``"north"`` or ``"south"``; By and tilt are reversed for the south here, pass them as they are.

    Returns
    -------
    Weimer2005
        The model; see `ConvectionModel` for its methods.

    Raises
    ------
    DataError
        A condition is missing, a fill value or in a wrong unit.
    SettingsError
        Unknown hemisphere.
    CoverageError
        The radius of the boundary is outside the tables.
    """
    check_conditions(
        imf_by=imf_by,
        imf_bz=imf_bz,
        solar_wind_speed=solar_wind_speed,
        solar_wind_density=solar_wind_density,
        dipole_tilt=dipole_tilt,
    )
    side = check_hemisphere(hemisphere)
    sign = -1.0 if side == "south" else 1.0
    pressure = model_numbers("weimer")["pressure_factor"] * solar_wind_density * solar_wind_speed**2
    radius = boundary_radius(tables, sign * imf_by, imf_bz, solar_wind_speed, pressure)
    terms = regression_terms(tables, sign * imf_by, imf_bz, solar_wind_speed, pressure, sign * dipole_tilt)
    amplitudes = 1000.0 * tables["fit"].values @ terms
    expansion = _expansion(tables, amplitudes, radius)
    centre = OffsetPole(float(np.deg2rad(model_numbers("weimer")["pole_offset"])), 0.0)
    return Weimer2005(expansion, centre, float(np.deg2rad(radius)), side)


def boundary_radius(tables: xr.Dataset, imf_by: float, imf_bz: float, speed: float, pressure: float) -> float:
    """Radius of the boundary circle, degrees (Weimer 2005, eqs 1 to 3); nT, km s-1 and nPa."""
    strength = float(np.hypot(imf_by, imf_bz))
    rate, power = tables["boundary_exponents"].values
    saturation = 1.0 - np.exp(-rate * strength)
    cosine = np.cos(np.arctan2(imf_by, imf_bz))
    if strength > 1.0:
        saturation *= strength**power
    else:
        # Below 1 nT the clock angle means nothing: blend its effect out.
        cosine = 1.0 + strength * (cosine - 1.0)
    terms = np.array([1.0, cosine, saturation, saturation * cosine, speed, pressure])
    return float(tables["boundary"].values @ terms)


def regression_terms(
    tables: xr.Dataset, imf_by: float, imf_bz: float, speed: float, pressure: float, dipole_tilt: float
) -> Array:
    """The 15 terms that multiply the fitted coefficients of each amplitude (Weimer 2005, eqs 6 and 7).

    Field in nT, speed in km s-1, pressure in nPa, tilt in degrees. Below 1 nT the dependence on the clock
    angle is blended out.
    """
    strength = float(np.hypot(imf_by, imf_bz))
    clock = np.arctan2(imf_by, imf_bz)
    power, rate = tables["electric_exponents"].values
    solar_field = strength * speed / 1000.0
    electric = (1.0 - np.exp(-rate * solar_field)) * solar_field**power
    tilt = np.sin(np.deg2rad(dipole_tilt))
    cosine, sine, cosine2, sine2 = np.cos(clock), np.sin(clock), np.cos(2.0 * clock), np.sin(2.0 * clock)
    if strength < 1.0:
        cosine, cosine2 = strength * (cosine + 1.0) - 1.0, strength * (cosine2 - 1.0) + 1.0
        sine, sine2 = strength * sine, strength * sine2
    base = np.array([electric, tilt, tilt * tilt, pressure])
    return np.concatenate([[1.0], base, base * cosine, base * sine, [electric * cosine2, electric * sine2]])


def cap_degree(tables: xr.Dataset, k: int, m: int, radius: float) -> float:
    """Real degree of the cap harmonic (k, m) for a cap of the given radius (degrees), by a parabola through
    the table.

    Raises `CoverageError` when the radius is outside the table.
    """
    radii = tables["radius"].values
    if not radii[0] <= radius <= radii[-1]:
        raise CoverageError(
            f"the Weimer boundary has a radius of {radius:.2f} degrees; the tables cover {radii[0]:g} to "
            f"{radii[-1]:g}; the conditions are too extreme for this model: check them or use another one"
        )
    middle = int(np.clip(np.searchsorted(radii, radius, side="right") - 1, 1, len(radii) - 2))
    x = radii[middle - 1 : middle + 2]
    y = tables["degree"].values[middle - 1 : middle + 2, m, k]
    rise = np.diff(y) / np.diff(x)
    curvature = (rise[1] - rise[0]) / (x[2] - x[0])
    return float(y[0] + (radius - x[0]) * (rise[0] + (radius - x[1]) * curvature))


def cap_quotient(degree: float, order: int, half_sine_squared: Array) -> Array:
    """Schmidt-normalised Legendre function of real degree, divided by sin^order of the colatitude.

    ``K 2F1(m - n, m + n + 1; m + 1; x)`` with ``K = sqrt(2 (n+m)!/(n-m)!)/(2^m m!)``, or 1 for m = 0 (Haines
    1985).

    Parameters
    ----------
    degree, order : float, int
        n (real) and m.
    half_sine_squared : array
        x = sin^2(colatitude/2).

    Returns
    -------
    array
        Values at x.

    Raises
    ------
    NumericalError
        The series does not converge (x too close to 1) or cancels (degree times colatitude above about 24
        rad).
    """
    term = np.ones_like(half_sine_squared)
    total, largest = term.copy(), 1.0
    for i in range(1, 500):
        factor = ((i + order - 1.0) * (i + order) - degree * (degree + 1.0)) / (i * (i + order))
        term = term * half_sine_squared * factor
        total += term
        largest = max(largest, float(np.abs(term).max()))
        if np.abs(term).max() < 1e-16 * np.abs(total).max():
            break
    else:
        raise NumericalError(f"the series of the cap harmonic of degree {degree:g}, order {order} does not converge")
    if largest * np.finfo(float).eps > 1e-7 * np.abs(total).max():
        raise NumericalError(
            f"the cap harmonic of degree {degree:g}, order {order} loses its digits at x = "
            f"{half_sine_squared.max():g}; degree times colatitude must "
            "stay below about 24 rad; check the degrees in the tables"
        )
    if order == 0:
        return total
    log_norm = 0.5 * (np.log(2.0) + gammaln(degree + order + 1.0) - gammaln(degree - order + 1.0))
    return total * np.exp(log_norm - order * np.log(2.0) - gammaln(order + 1.0))


def _expansion(tables: xr.Dataset, amplitudes: Array, radius: float) -> AzimuthalExpansion:
    k, m, is_cosine = (tables[name].values for name in ("k", "m", "is_cosine"))
    limit = float(np.deg2rad(radius))
    nodes = AzimuthalExpansion.nodes(EXPANSION_TERMS, limit)
    samples = np.zeros((EXPANSION_TERMS, 2, int(m.max()) + 1))
    profile = np.zeros(EXPANSION_TERMS)
    for index, amplitude in enumerate(amplitudes):
        if is_cosine[index]:
            degree = cap_degree(tables, int(k[index]), int(m[index]), radius)
            profile = cap_quotient(degree, int(m[index]), nodes)
        # A sine amplitude follows its cosine and has the same profile.
        samples[:, 0 if is_cosine[index] else 1, int(m[index])] += amplitude * profile
    return AzimuthalExpansion.from_samples(samples, limit)
