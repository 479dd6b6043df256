"""Density of a collisionless exosphere above a Maxwellian exobase (Chamberlain 1963, doi:10.1016/0032-0633(63)90122-3).

Atoms belong to populations by their orbits: ballistic (bound, they cross the exobase), escaping (unbound, outward, from
the exobase) and satellite (bound, they never cross it). Ballistic and escaping atoms come from the exobase; satellites
need collisions and exist only if asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.constants import gravitational_constant
from scipy.integrate import quad
from scipy.special import gammainc, gammaincc

from siderion.core.constants import BOLTZMANN
from siderion.core.errors import DataError, NumericalError, SettingsError

from .checks import finite_array, positive

POPULATIONS = ("ballistic", "escaping", "satellite")
"""The populations by name."""
_RELATIVE_PRECISION = 1e-10
_SCALE_HEIGHTS = (1.0, 8.0, 40.0)


def escape_parameter(radius: ArrayLike, temperature: float, mass: float, body_mass: float) -> NDArray[np.float64]:
    """Gravitational over thermal energy, lambda = G M m / (k T r).

    Parameters
    ----------
    radius : array
        Distance from the centre of the body, m.
    temperature : float
        Temperature, K.
    mass, body_mass : float
        Mass of an atom and of the body, kg.

    Returns
    -------
    array
        Escape parameter, as ``radius``.

    Raises
    ------
    SettingsError
        Temperature or a mass is not positive.
    DataError
        A radius is not positive and finite.
    """
    radii = finite_array("radius, m", radius)
    if not (radii > 0.0).all():
        raise DataError("radius is 0 m; distances are from the centre of the body and positive")
    energy = gravitational_constant * positive("mass of the body, kg", body_mass) * positive("mass of an atom, kg", mass)
    return energy / (BOLTZMANN * positive("temperature, K", temperature) * radii)


def partition_functions(
    escape: ArrayLike, exobase_escape: float, satellite_escape: float | None = None
) -> dict[str, NDArray[np.float64]]:
    """Shares of the populations in the density of a full Maxwellian in the same field.

    With P the regularised lower incomplete gamma function of order 3/2, psi = lambda^2/(lambda + lambda_c) and
    s = sqrt(1 - lambda^2/lambda_c^2) exp(-psi): ballistic P(lambda) - s P(lambda - psi); satellite s P(lambda - psi);
    escaping (1 - P(lambda) - s (1 - P(lambda - psi)))/2. The differences are arranged so that small shares keep their digits.

    Parameters
    ----------
    escape : array
        Escape parameter lambda, at most ``exobase_escape``.
    exobase_escape : float
        Escape parameter lambda_c at the exobase.
    satellite_escape : float, optional
        Escape parameter at the satellite critical level, between 0 and ``exobase_escape``. Above that level only satellites
        whose lowest point lies below it exist. Without it satellites are complete everywhere.

    Returns
    -------
    dict of str to array
        Shares ``"ballistic"``, ``"escaping"``, ``"satellite"``, each as ``escape``.

    Raises
    ------
    DataError
        A value of ``escape`` is not in 0 to ``exobase_escape``: the place is below the exobase.
    SettingsError
        The critical level lies below the exobase.
    """
    lambda_c = positive("escape parameter at the exobase", exobase_escape)
    values = finite_array("escape parameter", escape)
    if (values > lambda_c * (1.0 + 1e-12)).any():
        raise DataError(
            f"escape parameter {values.max():g} exceeds {lambda_c:g} at the exobase: a radius lies below the exobase; "
            "the model holds above it only"
        )
    values = np.minimum(values, lambda_c)
    cone, inside, one_minus_s = _cone(values, lambda_c)
    between = gammainc(1.5, values) - gammainc(1.5, inside)
    satellite = cone * gammainc(1.5, inside)
    if satellite_escape is not None:
        if not 0.0 < satellite_escape <= lambda_c:
            raise SettingsError(
                f"escape parameter at the satellite critical level is {satellite_escape:g}; it must be above 0 and at most "
                f"{lambda_c:g}, that of the exobase"
            )
        above = np.minimum(values, satellite_escape)
        outer_cone, outer_inside, _ = _cone(above, satellite_escape)
        satellite = satellite - np.where(values < satellite_escape, outer_cone * gammainc(1.5, outer_inside), 0.0)
    direct = gammaincc(1.5, values) - cone * gammaincc(1.5, inside)
    return {
        "ballistic": between + one_minus_s * gammainc(1.5, inside),
        "escaping": 0.5 * np.where(values > 1.0, direct, one_minus_s * gammaincc(1.5, inside) - between),
        "satellite": satellite,
    }


def maxwellian_density(exobase_density: float, exobase_escape: float) -> float:
    """Density n_c of the full Maxwellian whose ballistic and escaping atoms make ``exobase_density``, m-3.

    The real density at the exobase lacks the atoms that would fall in from infinity: it is n_c (1 + P(lambda_c))/2.
    """
    share = 0.5 * (1.0 + float(gammainc(1.5, positive("escape parameter at the exobase", exobase_escape))))
    return positive("density at the exobase, m-3", exobase_density) / share


def chamberlain_density(
    radius: ArrayLike,
    exobase_radius: float,
    exobase_density: float,
    temperature: float,
    mass: float,
    body_mass: float,
    populations: Sequence[str] = ("ballistic", "escaping"),
    satellite_radius: float | None = None,
) -> NDArray[np.float64]:
    """Density of a Chamberlain exosphere.

    n(r) = n_c exp(lambda - lambda_c) (sum of the shares of `partition_functions`), where n_c is such that ballistic and
    escaping atoms together have ``exobase_density`` at the exobase (`maxwellian_density`).

    Parameters
    ----------
    radius : array
        Distance from the centre of the body, m; at least ``exobase_radius``.
    exobase_radius : float
        Radius of the exobase (or surface), m.
    exobase_density : float
        Density there, m-3.
    temperature : float
        Temperature there, K.
    mass, body_mass : float
        Mass of an atom and of the body, kg.
    populations : sequence of str
        Which of `POPULATIONS` to add up.
    satellite_radius : float, optional
        Satellite critical level, m (Chamberlain 1963): satellites above it must dip below it. Without it they are complete.

    Returns
    -------
    array
        Density, m-3, as ``radius``.

    Raises
    ------
    DataError
        A radius is below the exobase or not finite.
    SettingsError
        A setting is not positive, or a population is unknown.

    Notes
    -----
    Chamberlain 1963, doi:10.1016/0032-0633(63)90122-3. For lambda_c below about 2 the gas flows out as a whole, and no
    static exosphere exists; the formula is then not the physics.
    """
    unknown = [name for name in populations if name not in POPULATIONS]
    if unknown or not populations:
        raise SettingsError(f"populations are {list(populations)}; choose one or more of {', '.join(POPULATIONS)}")
    lambda_c = float(escape_parameter(exobase_radius, temperature, mass, body_mass))
    values = escape_parameter(radius, temperature, mass, body_mass)
    satellite = None if satellite_radius is None else float(escape_parameter(satellite_radius, temperature, mass, body_mass))
    shares = partition_functions(values, lambda_c, satellite)
    total = sum((shares[name] for name in set(populations)), start=np.zeros_like(values))
    return maxwellian_density(exobase_density, lambda_c) * np.exp(values - lambda_c) * total


def jeans_flux(exobase_density: float, temperature: float, mass: float, exobase_escape: float) -> float:
    """Thermal escape flux at the exobase, n_c sqrt(k T / (2 pi m)) (1 + lambda_c) exp(-lambda_c), m-2 s-1.

    Parameters
    ----------
    exobase_density : float
        Density n_c of the full Maxwellian, m-3; `maxwellian_density` gives it from the real one. They differ by less than
        5 % for lambda_c above 5.
    temperature, mass : float
        K and kg.
    exobase_escape : float
        Escape parameter lambda_c at the exobase.

    Returns
    -------
    float
        Flux, m-2 s-1.

    Raises
    ------
    SettingsError
        A value is not positive.
    """
    speed = np.sqrt(BOLTZMANN * positive("temperature, K", temperature) / (2.0 * np.pi * positive("mass of an atom, kg", mass)))
    lambda_c = positive("escape parameter at the exobase", exobase_escape)
    return float(positive("density at the exobase, m-3", exobase_density) * speed * (1.0 + lambda_c) * np.exp(-lambda_c))


def chamberlain_vertical_column(radius: ArrayLike, *exosphere: float, **options: object) -> NDArray[np.float64]:
    """Column density of a Chamberlain exosphere above each radius, to infinity, m-2.

    Parameters
    ----------
    radius : array
        Distance from the centre of the body, m.
    *exosphere, **options
        As in `chamberlain_density` after ``radius``.

    Returns
    -------
    array
        Column density, m-2, by adaptive quadrature to 1e-10 in t = sqrt(radius/r), in which the integrand is smooth.

    Raises
    ------
    NumericalError
        The quadrature did not reach its precision.
    DataError, SettingsError
        As in `chamberlain_density`.
    """

    def integrand(t: float, start: float) -> float:
        return float(chamberlain_density(start / t**2, *exosphere, **options)) * 2.0 * start / t**3  # type: ignore[arg-type]

    return _columns(radius, integrand, exosphere, lambda depth: max(0.0, 1.0 - 0.5 * depth))


def chamberlain_tangent_column(tangent_radius: ArrayLike, *exosphere: float, **options: object) -> NDArray[np.float64]:
    """Column density of a Chamberlain exosphere along a whole line of sight, by its least distance from the centre, m-2.

    Parameters
    ----------
    tangent_radius : array
        Least distance from the centre of the body, m; at least the radius of the exobase.
    *exosphere, **options
        As in `chamberlain_density` after ``radius``.

    Returns
    -------
    array
        Column density, m-2, both sides of the tangent point to infinity.

    Raises
    ------
    NumericalError, DataError, SettingsError
        As in `chamberlain_vertical_column`.
    """

    def integrand(w: float, start: float) -> float:
        # distance along the line = start tan(phi), phi = pi/2 (1 - w^2): smooth at both ends
        cosine = np.sin(0.5 * np.pi * w**2)
        density = float(chamberlain_density(start / cosine, *exosphere, **options))  # type: ignore[arg-type]
        return density * start / cosine**2 * 2.0 * np.pi * w

    return _columns(tangent_radius, integrand, exosphere, lambda depth: max(0.0, 1.0 - np.sqrt(2.0 * depth) / np.pi))


def chamberlain_profile(
    radius: ArrayLike,
    exobase_radius: float,
    exobase_density: float,
    temperature: float,
    mass: float,
    body_mass: float,
    populations: Sequence[str] = ("ballistic", "escaping"),
    satellite_radius: float | None = None,
) -> xr.Dataset:
    """Density of a Chamberlain exosphere by population, as a data set.

    Parameters
    ----------
    radius, exobase_radius, exobase_density, temperature, mass, body_mass, populations, satellite_radius
        As in `chamberlain_density`; ``radius`` with one dimension.

    Returns
    -------
    xarray.Dataset
        ``population_density`` (population, radial_distance) and ``neutral_density`` (radial_distance), m-3;
        ``radial_distance`` in km; the escape parameter and the escape flux (m-2 s-1) at the exobase as attributes.

    Raises
    ------
    DataError, SettingsError
        As in `chamberlain_density`.
    """
    radii = np.atleast_1d(np.asarray(radius, dtype=np.float64))
    common = (exobase_radius, exobase_density, temperature, mass, body_mass)
    parts = np.stack([chamberlain_density(radii, *common, (name,), satellite_radius) for name in populations])
    lambda_c = float(escape_parameter(exobase_radius, temperature, mass, body_mass))
    flux = jeans_flux(maxwellian_density(exobase_density, lambda_c), temperature, mass, lambda_c)
    density = {"units": "m-3", "long_name": "number density of the neutral"}
    return xr.Dataset(
        {
            "population_density": (("population", "radial_distance"), parts, density),
            "neutral_density": ("radial_distance", parts.sum(axis=0), density),
        },
        {
            "population": ("population", list(populations), {"long_name": "kind of orbit"}),
            "radial_distance": ("radial_distance", radii / 1e3, {"units": "km", "long_name": "distance from the centre"}),
        },
        {"escape_parameter": lambda_c, "escape_flux": flux, "exobase_radius": exobase_radius, "temperature": temperature},
    )


def _cone(values: NDArray, lambda_c: float) -> tuple[NDArray, NDArray, NDArray]:
    """Factor s, lambda - psi and 1 - s without loss of digits."""
    psi = values**2 / (values + lambda_c)
    with np.errstate(divide="ignore"):  # s = 0 at the exobase
        exponent = 0.5 * np.log1p(-((values / lambda_c) ** 2)) - psi
    return np.exp(exponent), values * lambda_c / (values + lambda_c), -np.expm1(exponent)


def _columns(
    radius: ArrayLike,
    integrand: Callable[[float, float], float],
    exosphere: tuple[float, ...],
    place: Callable[[float], float],
) -> NDArray[np.float64]:
    """Integrate from 0 to 1 for every radius, with intervals that follow the scale height."""
    starts = finite_array("radius, m", radius)
    _, _, temperature, mass, body_mass = exosphere[:5]
    result = np.empty(starts.shape)
    for index, start in np.ndenumerate(starts):
        escape = float(escape_parameter(start, temperature, mass, body_mass))
        breaks = [0.0, *sorted({place(count / escape) for count in _SCALE_HEIGHTS} - {0.0}), 1.0]
        pieces = [
            quad(integrand, lower, upper, args=(start,), epsabs=0.0, epsrel=_RELATIVE_PRECISION, limit=200, full_output=1)
            for lower, upper in pairwise(breaks)
        ]
        total, error = sum(piece[0] for piece in pieces), sum(piece[1] for piece in pieces)
        if not np.isfinite(total) or error > 1e-7 * total:
            raise NumericalError(
                f"column density at radius {start:g} m: quadrature gave {total:g} +- {error:g} m-2; 1e-7 relative is needed"
            )
        result[index] = total
    return result
