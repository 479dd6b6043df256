"""Solar wind charge exchange: charge states of helium and hydrogen after a column of neutrals, and the way back to the coma.

Electron capture only; stripping is left out (Simon Wedlund et al. 2019, doi:10.1051/0004-6361/201834874, find it small).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.special import exprel

from siderion.core.errors import DataError, SettingsError
from siderion.core.measurement import measurement_from_samples

from .checks import finite_array, positive


@dataclass(frozen=True)
class HeliumCrossSections:
    """Cross sections of electron capture by helium ions at one speed, m2, supplied by the user.

    Attributes
    ----------
    single_capture : float
        sigma_21, He++ to He+.
    double_capture : float
        sigma_20, He++ to He; it matters below about 200 km s-1.
    ion_capture : float
        sigma_10, He+ to He.
    """

    single_capture: float
    double_capture: float
    ion_capture: float

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        positive("cross section of single capture, m2", self.single_capture)
        for name in ("double_capture", "ion_capture"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0.0):
                raise SettingsError(f"cross section {name} is {value} m2; it must be finite and at least 0")

    @property
    def difference(self) -> float:
        """D = sigma_21 + sigma_20 - sigma_10, m2; it may have either sign."""
        return self.single_capture + self.double_capture - self.ion_capture


def helium_charge_states(column_density: ArrayLike, sections: HeliumCrossSections) -> tuple[NDArray, NDArray, NDArray]:
    """Shares of He++, He+ and He in the helium flux behind a column of neutrals, from pure He++.

    F2 = exp(-(sigma_21 + sigma_20) n), F1 = sigma_21 n exprel(D n) F2, F0 = 1 - F1 - F2.

    Parameters
    ----------
    column_density : array
        Column density n, m-2.
    sections : HeliumCrossSections
        Cross sections, m2.

    Returns
    -------
    tuple of three arrays
        Shares of He++, He+, He, each as ``column_density``.

    Raises
    ------
    DataError
        A column density is negative or not finite.

    Notes
    -----
    Simon Wedlund et al. 2016, doi:10.1051/0004-6361/201527532, and 2019, doi:10.1051/0004-6361/201834874.
    """
    column = finite_array("column density, m-2", column_density)
    loss = sections.single_capture + sections.double_capture
    double = np.exp(-loss * column)
    # exp(-loss n) exprel(D n), in the form that does not overflow for either sign of D
    z = sections.difference * column
    single = sections.single_capture * column * exprel(-np.abs(z)) * np.exp(-np.minimum(loss, sections.ion_capture) * column)
    return double, single, np.maximum(1.0 - double - single, 0.0)


def helium_ratio(column_density: ArrayLike, sections: HeliumCrossSections) -> NDArray[np.float64]:
    """Ratio of the fluxes of He+ and He++ behind a column of neutrals, (sigma_21/D) (exp(D n) - 1).

    Parameters
    ----------
    column_density, sections
        As in `helium_charge_states`.

    Returns
    -------
    array
        Ratio; sigma_21 n where D is 0.

    Raises
    ------
    DataError
        A column density is not valid, or so large that the ratio is no longer finite.
    """
    column = finite_array("column density, m-2", column_density)
    with np.errstate(over="ignore"):
        ratio = sections.single_capture * column * exprel(sections.difference * column)
    return finite_array("ratio of He+ to He++ (the column density is too large)", ratio)


def helium_column_density(ratio: ArrayLike, sections: HeliumCrossSections) -> NDArray[np.float64]:
    """Column density of neutrals from the ratio of the fluxes of He+ and He++, the inverse of `helium_ratio`.

    Parameters
    ----------
    ratio : array
        F(He+)/F(He++).
    sections : HeliumCrossSections
        Cross sections, m2.

    Returns
    -------
    array
        Column density, m-2: ln(1 + D R/sigma_21)/D, and R/sigma_21 where D is 0.

    Raises
    ------
    DataError
        A ratio is negative or not finite, or above sigma_21/|D| where D is negative: no column gives it.
    """
    ratios = finite_array("ratio of He+ to He++", ratio)
    relative = ratios / sections.single_capture
    z = sections.difference * relative
    if (z <= -1.0).any():
        limit = -sections.single_capture / sections.difference
        raise DataError(
            f"ratio of He+ to He++ is {ratios.max():g}; with these cross sections (He+ captures faster than He++) it stays "
            f"below {limit:g} for any column; check the ratio and the cross sections"
        )
    return relative * _log_quotient(z)


def hydrogen_neutral_share(column_density: ArrayLike, cross_section: float) -> NDArray[np.float64]:
    """Share of solar wind protons that became energetic hydrogen atoms behind a column of neutrals, 1 - exp(-sigma n).

    Parameters
    ----------
    column_density : array
        Column density, m-2.
    cross_section : float
        Cross section of electron capture by protons, m2.

    Returns
    -------
    array
        Share of H, as ``column_density``; its loss by stripping is left out.

    Raises
    ------
    DataError, SettingsError
        A value is out of range.
    """
    column = finite_array("column density, m-2", column_density)
    return -np.expm1(-positive("cross section, m2", cross_section) * column)


def hydrogen_column_density(neutral_share: ArrayLike, cross_section: float) -> NDArray[np.float64]:
    """Column density of neutrals from the share of protons that became atoms, the inverse of `hydrogen_neutral_share`.

    Parameters
    ----------
    neutral_share : array
        Share of H, at least 0 and below 1.
    cross_section : float
        Cross section, m2.

    Returns
    -------
    array
        Column density, m-2.

    Raises
    ------
    DataError
        A share is outside 0 to 1.
    SettingsError
        The cross section is not positive.
    """
    share = finite_array("share of energetic hydrogen atoms", neutral_share)
    if (share >= 1.0).any():
        raise DataError(f"share of energetic hydrogen atoms is {share.max():g}; it must be below 1: no column turns all protons")
    return -np.log1p(-share) / positive("cross section, m2", cross_section)


def coma_column_density(outgassing_rate: ArrayLike, gas_speed: float, distance: ArrayLike, angle: ArrayLike) -> NDArray:
    """Column density of a spherical coma sunward of a spacecraft, Q chi / (4 pi v0 r sin chi).

    The solar wind comes along straight lines from the Sun; the gas density is Q / (4 pi v0 r^2), without losses.

    Parameters
    ----------
    outgassing_rate : array
        Q, s-1.
    gas_speed : float
        Radial speed v0 of the gas, m s-1.
    distance : array
        Distance r of the spacecraft from the nucleus, m.
    angle : array
        Angle chi at the nucleus between the Sun and the spacecraft, rad, at least 0 and below pi.

    Returns
    -------
    array
        Column density, m-2.

    Raises
    ------
    DataError
        A value is out of range.
    SettingsError
        The speed of the gas is not positive.

    Notes
    -----
    Simon Wedlund et al. 2016, doi:10.1051/0004-6361/201527532.
    """
    rate = finite_array("outgassing rate, s-1", outgassing_rate)
    return rate * _column_per_rate(gas_speed, distance, angle)


def outgassing_rate(column_density: ArrayLike, gas_speed: float, distance: ArrayLike, angle: ArrayLike) -> NDArray[np.float64]:
    """Outgassing rate from the column density sunward of a spacecraft, the inverse of `coma_column_density`, s-1.

    Parameters
    ----------
    column_density : array
        m-2.
    gas_speed, distance, angle
        As in `coma_column_density`.

    Returns
    -------
    array
        Outgassing rate, s-1.

    Raises
    ------
    DataError, SettingsError
        As in `coma_column_density`.
    """
    return finite_array("column density, m-2", column_density) / _column_per_rate(gas_speed, distance, angle)


def outgassing_measurement(
    ratio: float,
    sections: HeliumCrossSections,
    gas_speed: float,
    distance: float,
    angle: float,
    *,
    ratio_uncertainty: float,
    section_uncertainty: float,
    speed_uncertainty: float,
    seed: int,
    samples: int = 20000,
) -> xr.Dataset:
    """Outgassing rate from a ratio of He+ to He++, with its uncertainty.

    Every uncertain value is drawn from a log-normal distribution whose median is the value and whose logarithm has the
    given standard deviation (0.2 means about 20 %). The three cross sections vary independently.

    Parameters
    ----------
    ratio : float
        F(He+)/F(He++), above 0.
    sections, gas_speed, distance, angle
        As in `helium_column_density` and `coma_column_density`.
    ratio_uncertainty, section_uncertainty, speed_uncertainty : float
        Standard deviations of the logarithms of ratio, cross sections and gas speed.
    seed : int
        Seed of the random numbers.
    samples : int
        Number of draws.

    Returns
    -------
    xarray.Dataset
        Measurement ``outgassing_rate``, s-1.

    Raises
    ------
    DataError
        A draw has no solution (its ratio is out of reach of its cross sections), or an input is out of range.
    SettingsError
        A setting is out of range.
    """
    positive("ratio of He+ to He++", ratio)
    spreads = {"ratio": ratio_uncertainty, "cross sections": section_uncertainty, "gas speed": speed_uncertainty}
    for name, spread in spreads.items():
        if not (np.isfinite(spread) and spread >= 0.0):
            raise SettingsError(f"uncertainty of the {name} is {spread}; it must be finite and at least 0")
    generator = np.random.default_rng(seed)

    def draw(value: float, spread: float) -> NDArray[np.float64]:
        return value * np.exp(spread * generator.standard_normal(samples))

    ratios = draw(ratio, ratio_uncertainty)
    single, double, capture = (
        draw(value, section_uncertainty) for value in (sections.single_capture, sections.double_capture, sections.ion_capture)
    )
    speeds = draw(positive("speed of the gas, m s-1", gas_speed), speed_uncertainty)
    z = (single + double - capture) * ratios / single
    impossible = int((z <= -1.0).sum())
    if impossible:
        raise DataError(
            f"{impossible} of {samples} draws have no column density: the ratio {ratio:g} is too close to the limit of these "
            "cross sections; give smaller uncertainties or treat the ratio as a limit"
        )
    columns = ratios / single * _log_quotient(z)
    rates = columns / _column_per_rate(1.0, distance, angle) * speeds
    return measurement_from_samples("outgassing_rate", rates, dims=(), units="s-1", long_name="outgassing rate of the comet")


def _log_quotient(z: NDArray) -> NDArray:
    """ln(1 + z)/z, 1 at 0."""
    safe = np.where(np.abs(z) < 1e-9, 1.0, z)
    return np.where(np.abs(z) < 1e-9, 1.0 - 0.5 * z, np.log1p(safe) / safe)


def _column_per_rate(gas_speed: float, distance: ArrayLike, angle: ArrayLike) -> NDArray[np.float64]:
    """Column density per outgassing rate, s m-2."""
    distances, angles = finite_array("distance from the nucleus, m", distance), finite_array("angle from the Sun, rad", angle)
    if not (distances > 0.0).all():
        raise DataError("distance from the nucleus is 0 m; it must be positive")
    if not (angles < np.pi).all():
        raise DataError(
            f"angle from the Sun is {angles.max():g} rad; it must be below pi: behind the nucleus the column is infinite"
        )
    shape = 1.0 / np.sinc(angles / np.pi)
    return shape / (4.0 * np.pi * positive("speed of the gas, m s-1", gas_speed) * distances)
