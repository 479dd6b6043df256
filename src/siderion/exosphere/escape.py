"""Loss of an exosphere to space: thermal and hot Jeans escape, photo-loss, and what D/H says about the past."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import DataError, SettingsError
from siderion.core.species import get_species

from .chamberlain import escape_parameter, jeans_flux
from .checks import finite_array, positive
from .column import shell_content


def jeans_escape_rate(
    exobase_radius: float, exobase_density: ArrayLike, temperature: ArrayLike, mass: float, body_mass: float
) -> NDArray[np.float64]:
    """Atoms lost per second by Jeans escape from the whole exobase, for each population.

    4 pi r_c^2 n_c sqrt(k T / (2 pi m)) (1 + lambda_c) exp(-lambda_c). A hot population (a second temperature) counts like the
    thermal one, with its own density: the escape of all is the sum.

    Parameters
    ----------
    exobase_radius : float
        Radius of the exobase, m.
    exobase_density : array (population,) or float
        Density of the full Maxwellian of each population there, m-3; see `siderion.exosphere.chamberlain.maxwellian_density`.
    temperature : array (population,) or float
        Temperature of each population, K.
    mass, body_mass : float
        kg.

    Returns
    -------
    array
        Escape rate of each population, s-1.

    Raises
    ------
    DataError
        A density or temperature is not positive and finite, or their shapes differ.
    SettingsError
        A radius or mass is not positive.
    """
    densities = finite_array("density at the exobase, m-3", exobase_density)
    temperatures = finite_array("temperature, K", temperature)
    if densities.shape != temperatures.shape:
        raise DataError(
            f"densities have shape {densities.shape}, temperatures {temperatures.shape}; give one of each per population"
        )
    area = 4.0 * np.pi * positive("radius of the exobase, m", exobase_radius) ** 2
    result = np.empty(densities.shape)
    for index, density in np.ndenumerate(densities):
        warmth = float(temperatures[index])
        escape = float(escape_parameter(exobase_radius, warmth, mass, body_mass))
        result[index] = area * jeans_flux(float(density), warmth, mass, escape)
    return result


def photo_loss_rate(radius: ArrayLike, density: ArrayLike, loss_frequency: float, sunlit_share: float = 1.0) -> float:
    """Atoms that sunlight removes per second between the first and the last radius of a profile.

    The integral of nu n 4 pi r^2 dr. It stops at the last radius: an escaping gas (n as r^-2) has no finite total.

    Parameters
    ----------
    radius, density : array (radius,)
        Profile, m and m-3. Begin it where new ions are lost (above the obstacle to the solar wind, say).
    loss_frequency : float
        Rate of all losses counted, s-1; see `siderion.chemistry.photo_rates`.
    sunlit_share : float
        Share of the volume in sunlight, above 0 and at most 1.

    Returns
    -------
    float
        Loss rate, s-1.

    Raises
    ------
    DataError
        The profile is not one.
    SettingsError
        The frequency is not positive or the share is out of range.
    """
    if not 0.0 < sunlit_share <= 1.0:
        raise SettingsError(f"share of the volume in sunlight is {sunlit_share}; it must be above 0 and at most 1")
    return positive("loss frequency, s-1", loss_frequency) * sunlit_share * shell_content(radius, density)


def fractionation_factor(deuterium_loss: float, hydrogen_loss: float, bulk_ratio: float) -> float:
    """Fractionation factor f = (L_D / L_H) / (D/H): 1 where D escapes as easily as H, 0 where it stays.

    Parameters
    ----------
    deuterium_loss, hydrogen_loss : float
        Loss rates in the same unit; that of deuterium may be 0.
    bulk_ratio : float
        D/H of the reservoir that loses them.

    Returns
    -------
    float
        Fractionation factor.

    Raises
    ------
    SettingsError
        A value is out of range.
    """
    if deuterium_loss != 0.0:
        positive("loss of deuterium", deuterium_loss)
    return deuterium_loss / positive("loss of hydrogen", hydrogen_loss) / positive("D/H", bulk_ratio)


def rayleigh_enrichment(remaining_share: ArrayLike, fractionation: float) -> NDArray[np.float64]:
    """Enrichment of D/H after part of the hydrogen was lost, (N/N0)^(f - 1).

    Parameters
    ----------
    remaining_share : array
        Hydrogen that is left over that at the start, N/N0, above 0.
    fractionation : float
        Fractionation factor f, constant through time, at least 0.

    Returns
    -------
    array
        (D/H) / (D/H at the start).

    Raises
    ------
    DataError
        A share is not above 0.
    SettingsError
        The factor is negative.
    """
    shares = finite_array("remaining share of hydrogen", remaining_share)
    if not (shares > 0.0).all():
        raise DataError("remaining share of hydrogen is 0; it must be above 0")
    return shares ** (_fractionation(fractionation) - 1.0)


def rayleigh_loss(enrichment: ArrayLike, fractionation: float) -> NDArray[np.float64]:
    """Hydrogen at the start over that left, N0/N = enrichment^(1/(1 - f)), the inverse of `rayleigh_enrichment`.

    Parameters
    ----------
    enrichment : array
        (D/H) / (D/H at the start), at least 1.
    fractionation : float
        Fractionation factor f, at least 0 and below 1.

    Returns
    -------
    array
        N0/N.

    Raises
    ------
    DataError
        An enrichment is below 1.
    SettingsError
        The factor is out of range: with f = 1 no loss changes D/H.
    """
    values = finite_array("enrichment of D/H", enrichment, 1.0)
    if _fractionation(fractionation) >= 1.0:
        raise SettingsError(f"fractionation factor is {fractionation:g}; an enrichment of D/H needs one below 1")
    return values ** (1.0 / (1.0 - fractionation))


def hydrogen_history(
    time_before_present: ArrayLike, present_hydrogen: float, loss_rate: float, fractionation: float, present_ratio: float
) -> xr.Dataset:
    """Hydrogen and its D/H in the past, for a constant net loss without any source but the reservoir.

    N(t) = N + L t and D/H(t) = D/H (N/N(t))^(1 - f), t before the present.

    Parameters
    ----------
    time_before_present : array (time_before_present,)
        s.
    present_hydrogen : float
        Hydrogen atoms of the reservoir today (two per molecule of water).
    loss_rate : float
        Loss of hydrogen atoms, s-1.
    fractionation : float
        Fractionation factor, at least 0.
    present_ratio : float
        D/H today.

    Returns
    -------
    xarray.Dataset
        ``hydrogen_inventory`` (atoms) and ``deuterium_hydrogen_ratio`` on ``time_before_present``.

    Raises
    ------
    DataError, SettingsError
        A value is out of range.
    """
    times = np.atleast_1d(finite_array("time before the present, s", time_before_present))
    present = positive("hydrogen of the reservoir", present_hydrogen)
    inventory = present + positive("loss rate, s-1", loss_rate) * times
    ratio = positive("D/H today", present_ratio) / rayleigh_enrichment(present / inventory, fractionation)
    return xr.Dataset(
        {
            "hydrogen_inventory": ("time_before_present", inventory, {"units": "1", "long_name": "hydrogen atoms"}),
            "deuterium_hydrogen_ratio": ("time_before_present", ratio, {"units": "1", "long_name": "D/H"}),
        },
        {"time_before_present": ("time_before_present", times, {"units": "s", "long_name": "time before the present"})},
        {"fractionation_factor": fractionation, "loss_rate": loss_rate},
    )


def hydrogen_deuterium_escape(
    exobase_radius: float,
    body_mass: float,
    hydrogen: tuple[ArrayLike, ArrayLike],
    deuterium: tuple[ArrayLike, ArrayLike],
    bulk_ratio: float,
    other_losses: tuple[float, float] = (0.0, 0.0),
) -> xr.Dataset:
    """Losses of H and D from fitted exospheres, and the fractionation that they make.

    Parameters
    ----------
    exobase_radius, body_mass : float
        m and kg.
    hydrogen, deuterium : (densities, temperatures)
        Of each population at the exobase, m-3 and K, as in `jeans_escape_rate`: thermal first, then hot ones.
    bulk_ratio : float
        D/H of the reservoir.
    other_losses : (float, float)
        Further losses of H and of D, s-1, such as `photo_loss_rate`.

    Returns
    -------
    xarray.Dataset
        On ``species`` (H, D) ``thermal_escape_rate``, ``hot_escape_rate``, ``other_loss_rate``, ``total_loss_rate``, s-1; and
        ``fractionation_factor`` of the totals.

    Raises
    ------
    DataError, SettingsError
        A value is out of range.
    """
    rows = []
    for name, (densities, temperatures), other in zip(("H", "D"), (hydrogen, deuterium), other_losses, strict=True):
        mass = get_species(name).mass
        rates = jeans_escape_rate(exobase_radius, np.atleast_1d(densities), np.atleast_1d(temperatures), mass, body_mass)
        if not (np.isfinite(other) and other >= 0.0):
            raise SettingsError(f"other loss of {name} is {other} s-1; it must be finite and at least 0")
        rows.append((float(rates[0]), float(rates[1:].sum()), other, float(rates.sum()) + other))
    columns = np.array(rows).T
    names = ("thermal_escape_rate", "hot_escape_rate", "other_loss_rate", "total_loss_rate")
    variables: dict[str, tuple] = {
        name: ("species", values, {"units": "s-1", "long_name": name.replace("_", " ")})
        for name, values in zip(names, columns, strict=True)
    }
    factor = fractionation_factor(float(columns[3, 1]), float(columns[3, 0]), bulk_ratio)
    variables["fractionation_factor"] = ((), factor, {"units": "1", "long_name": "(L_D/L_H)/(D/H)"})
    return xr.Dataset(variables, {"species": ["H", "D"]}, {"deuterium_hydrogen_ratio": bulk_ratio})


def _fractionation(value: float) -> float:
    if not (np.isfinite(value) and value >= 0.0):
        raise SettingsError(f"fractionation factor is {value}; it must be finite and at least 0")
    return value
