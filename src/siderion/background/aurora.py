"""Ionisation by auroral electrons: a statistical oval and the parameterisation of Fang et al. 2010.

The oval is a smooth stand-in for published statistical ones: a Gaussian across a centre that depends on Kp and magnetic
local time, scaled to a hemispheric power that depends on Kp. All numbers are in the tables ``aurora_oval`` and
``fang2010``; they are unverified. Both hemispheres share the same oval.

Reference: Fang et al. 2010, Parameterization of monoenergetic electron impact ionization (doi 10.1029/2010GL045406).
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.special import roots_genlaguerre

from siderion.background.temperatures import smooth_step
from siderion.core.constants import BOLTZMANN, EARTH_GM, EARTH_RADIUS, ELEMENTARY_CHARGE
from siderion.core.errors import DataError, NumericalError
from siderion.core.tables import load_table

ENERGY_PER_ION_PAIR = 0.035
"""Mean energy spent per ion pair, keV (Fang et al. 2010, equation 1)."""
ENERGY_RANGE = (0.1, 1000.0)
"""Energies of the parameterisation, keV."""
REFERENCE_ALTITUDE = 110.0
"""Altitude in km of the sphere on which the energy flux falls."""

_SPECTRUM_POINTS = 24
_LOWEST_FLUX = 1e-7  # W m-2: 1e-4 mW m-2, where the ionisation is far below that of the night sky
_GAS = ("N2", "O2", "O", "He", "Ar", "H", "N")


def fang_coefficients(energy: ArrayLike) -> NDArray[np.float64]:
    """The eight coefficients C_i of Fang et al. 2010, equation 5; shape (8, ...) for energies in keV."""
    table = load_table("background", "fang2010")[["p0", "p1", "p2", "p3"]].to_numpy()
    logarithm = np.log(np.clip(np.asarray(energy, dtype=float), *ENERGY_RANGE))
    return np.exp(np.polynomial.polynomial.polyval(logarithm, table.T))


def energy_dissipation(energy: ArrayLike, mass_density: ArrayLike, scale_height: ArrayLike) -> NDArray[np.float64]:
    """Normalised energy dissipation f of electrons of one energy (Fang et al. 2010, equations 3 and 4).

    Parameters
    ----------
    energy : array
        keV, 0.1 to 1000; values beyond are held at the ends.
    mass_density : array
        kg m-3.
    scale_height : array
        m. All three broadcast.
    """
    kinetic = np.clip(np.asarray(energy, dtype=float), *ENERGY_RANGE)
    column = 0.1 * np.asarray(mass_density, dtype=float) * np.asarray(scale_height, dtype=float)  # g cm-2
    log_depth = np.log(2.0 / kinetic) + 0.7 * np.log(column / 6e-6)
    c1, c2, c3, c4, c5, c6, c7, c8 = fang_coefficients(kinetic)
    # The exponentials are held to avoid overflow far below the stopping height, where f is 0 anyway.
    upper = c1 * np.exp(c2 * log_depth - np.minimum(c3 * np.exp(np.minimum(c4 * log_depth, 30.0)), 700.0))
    lower = c5 * np.exp(c6 * log_depth - np.minimum(c7 * np.exp(np.minimum(c8 * log_depth, 30.0)), 700.0))
    return upper + lower


def monoenergetic_ionisation(
    energy_flux: ArrayLike, energy: ArrayLike, mass_density: ArrayLike, scale_height: ArrayLike
) -> NDArray[np.float64]:
    """Ionisation rate, m-3 s-1, by electrons of one energy (Fang et al. 2010, equation 2: q = f Q / (35 eV H)).

    The energy found again in the ionisation is 0.94 of the flux at 1 keV and 0.99 at 5 keV and above (0.84 at 0.1 keV).

    ``energy_flux`` is in W m-2; the rest is as in `energy_dissipation`.
    """
    joule = ENERGY_PER_ION_PAIR * 1e3 * ELEMENTARY_CHARGE
    dissipation = energy_dissipation(energy, mass_density, scale_height)
    return dissipation * np.asarray(energy_flux, float) / (joule * np.asarray(scale_height, float))


def maxwellian_ionisation(
    energy_flux: ArrayLike, mean_energy: ArrayLike, mass_density: ArrayLike, scale_height: ArrayLike
) -> NDArray[np.float64]:
    """Ionisation rate, m-3 s-1, by a Maxwellian spectrum of electrons.

    The number flux goes as E exp(-E/E0), so that the mean energy is 2 E0 and the energy flux goes as E^2 exp(-E/E0): a
    Gauss-Laguerre rule with fixed nodes, whose weights sum to the whole energy flux exactly.

    Parameters
    ----------
    energy_flux : array
        W m-2.
    mean_energy : array
        keV.
    mass_density, scale_height : array
        kg m-3; m. All four broadcast.
    """
    nodes, weights = roots_genlaguerre(_SPECTRUM_POINTS, 2.0)
    characteristic = 0.5 * np.asarray(mean_energy, dtype=float)
    total = 0.0
    for node, weight in zip(nodes, weights / weights.sum(), strict=True):
        if weight > 1e-9:
            total = total + weight * monoenergetic_ionisation(energy_flux, node * characteristic, mass_density, scale_height)
    return np.asarray(total)


def hemispheric_power(kp: ArrayLike) -> NDArray[np.float64]:
    """Power of electron aurora over one hemisphere, W, as a function of Kp."""
    oval = _oval_table()
    return 1e9 * np.maximum(oval["power_minimum"], oval["power_at_kp_0"] + oval["power_per_kp"] * np.asarray(kp, float))


def oval_colatitude(kp: ArrayLike, magnetic_local_time: ArrayLike) -> NDArray[np.float64]:
    """Magnetic colatitude of the centre of the oval, degrees; Kp and MLT (h) broadcast."""
    oval = _oval_table()
    night = np.cos(_mlt_angle(magnetic_local_time, oval["colatitude_phase_mlt"]))
    at_dawn = oval["colatitude_at_kp_0"] + oval["colatitude_per_kp"] * np.asarray(kp, dtype=float)
    return at_dawn + oval["colatitude_midnight_shift"] * night


def oval_precipitation(
    kp: ArrayLike, magnetic_latitude: ArrayLike, magnetic_local_time: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Energy flux and mean energy of auroral electrons.

    Parameters
    ----------
    kp : array
        0 to 9.
    magnetic_latitude : array
        Degrees, of the dipole; the sign does not matter.
    magnetic_local_time : array
        h. All three broadcast.

    Returns
    -------
    energy_flux : ndarray
        W m-2, downward. Its integral over a hemisphere at 110 km is `hemispheric_power`.
    mean_energy : ndarray
        keV.
    """
    oval = _oval_table()
    activity = np.asarray(kp, dtype=float)
    width = oval["width_at_kp_0"] + oval["width_per_kp"] * activity
    distance = 90.0 - np.abs(np.asarray(magnetic_latitude, float)) - oval_colatitude(activity, magnetic_local_time)
    across = np.exp(-0.5 * (distance / width) ** 2)
    flux = hemispheric_power(activity) / _oval_area(activity, width) * _flux_along(magnetic_local_time) * across
    hardness = 0.5 * (1.0 + np.cos(_mlt_angle(magnetic_local_time, oval["mean_energy_phase_mlt"])))
    noon, midnight = oval["mean_energy_noon"], oval["mean_energy_midnight"]
    return flux, np.broadcast_to(noon + (midnight - noon) * hardness, flux.shape).copy()


def auroral_ionisation(
    neutral: xr.Dataset, kp: ArrayLike, magnetic_latitude: ArrayLike, magnetic_local_time: ArrayLike
) -> xr.DataArray:
    """Ionisation rate by auroral electrons on the grid of the neutral atmosphere.

    Parameters
    ----------
    neutral : xarray.Dataset
        Densities, ``neutral_temperature`` and ``mass_density`` as `neutral_atmosphere` returns them.
    kp : float or array (time,)
        0 to 9.
    magnetic_latitude : array (lat, lon) or (time, lat, lon)
        Of the dipole, degrees.
    magnetic_local_time : array (time, lat, lon)
        h.

    Returns
    -------
    xarray.DataArray
        ``auroral_ionisation`` (time, alt, lat, lon), m-3 s-1; 0 outside the oval.

    Raises
    ------
    DataError
        Kp out of range or arrays of the wrong shape.
    NumericalError
        The result is not finite.
    """
    dims = ("time", "alt", "lat", "lon")
    shape = tuple(neutral.sizes[name] for name in dims)
    horizontal = (shape[0], *shape[2:])
    activity = _checked_kp(kp, shape[0])
    for name, array in (
        ("magnetic_latitude", magnetic_latitude),
        ("magnetic_local_time", magnetic_local_time),
    ):
        if np.shape(array) not in (horizontal, horizontal[1:]):
            raise DataError(f"{name} has shape {np.shape(array)}; needed: {horizontal} (time, lat, lon)")
    mass_density, scale_height = (array.transpose(*dims).values for array in (neutral["mass_density"], scale_heights(neutral)))
    latitude, local_time = (np.broadcast_to(array, horizontal) for array in (magnetic_latitude, magnetic_local_time))
    flux, energy = oval_precipitation(activity[:, None, None], latitude, local_time)
    rate = np.zeros(shape)
    for step in range(shape[0]):
        lit = flux[step] > _LOWEST_FLUX
        if lit.any():
            column = (mass_density[step][:, lit], scale_height[step][:, lit])
            rate[step][:, lit] = maxwellian_ionisation(flux[step][lit], energy[step][lit], *column)
    if not np.isfinite(rate).all():
        step, level, row, column_index = np.argwhere(~np.isfinite(rate))[0]
        raise NumericalError(
            f"auroral ionisation is not finite at {neutral['time'].values[step]}, {neutral['alt'].values[level]:g} km, "
            f"index ({row}, {column_index}); mass density and temperature of the neutral gas must be positive there"
        )
    attributes = {"units": "m-3 s-1", "long_name": "ionisation rate by auroral electrons"}
    return xr.DataArray(rate, dims=dims, coords={n: neutral[n] for n in dims}, name="auroral_ionisation", attrs=attributes)


def scale_heights(neutral: xr.Dataset) -> xr.DataArray:
    """Pressure scale height of the neutral gas, m: k T / (m g), with the mean mass and gravity of each altitude."""
    number = sum(neutral[f"density_{name}"] for name in _GAS)
    gravity = EARTH_GM / (EARTH_RADIUS + 1e3 * neutral["alt"]) ** 2
    return BOLTZMANN * neutral["neutral_temperature"] * number / (neutral["mass_density"] * gravity)


def add_auroral_electrons(
    electron_density: ArrayLike, ionisation_rate: ArrayLike, recombination: ArrayLike, alt: ArrayLike
) -> NDArray[np.float64]:
    """Electron density with an added ionisation rate, in local balance with recombination.

    Ne^2 alpha = Ne0^2 alpha + q, so that Ne = sqrt(Ne0^2 + w q / alpha). The weight w is 1 where molecular ions rule
    and fades to 0 in the F region (table ``aurora_oval``), where transport decides and the balance does not hold.

    Parameters
    ----------
    electron_density : array
        Without aurora, m-3.
    ionisation_rate : array
        m-3 s-1.
    recombination : array
        Effective coefficient of the molecular ions, m3 s-1 (see `composition.molecular_recombination`).
    alt : array
        km. All four broadcast.
    """
    coefficient = np.asarray(recombination, dtype=float)
    if not (coefficient > 0.0).all():
        raise DataError(f"the recombination coefficient is {coefficient.min():g} m3 s-1 somewhere; it must be positive")
    oval = _oval_table()
    weight = 1.0 - smooth_step(alt, oval["full_effect_below"], oval["no_effect_above"])
    added = weight * np.asarray(ionisation_rate, float) / coefficient
    return np.sqrt(np.asarray(electron_density, float) ** 2 + added)


def _oval_table() -> dict[str, float]:
    table = load_table("background", "aurora_oval")
    return dict(zip(table["name"], table["value"].astype(float), strict=True))


def _mlt_angle(magnetic_local_time: ArrayLike, origin: float) -> NDArray[np.float64]:
    return 2.0 * np.pi * (np.asarray(magnetic_local_time, dtype=float) - origin) / 24.0


def _flux_along(magnetic_local_time: ArrayLike) -> NDArray[np.float64]:
    """Energy flux along the oval relative to its maximum."""
    oval = _oval_table()
    bump = np.exp(oval["night_concentration"] * (np.cos(_mlt_angle(magnetic_local_time, oval["flux_phase_mlt"])) - 1.0))
    return oval["dayside_share"] + (1.0 - oval["dayside_share"]) * bump


def _oval_area(kp: NDArray[np.float64], width: NDArray[np.float64]) -> NDArray[np.float64]:
    """Integral over the hemisphere, m2, of the oval with its maximum set to 1.

    Across the oval the Gaussian times sin(colatitude) integrates to sqrt(2 pi) w sin(centre) exp(-w^2/2); along it a
    sum over equal steps of MLT is exact to round-off for so smooth a function.
    """
    hours = 0.25 * np.arange(96)
    centre = np.radians(oval_colatitude(kp[..., None], hours))
    spread = np.radians(width)
    along = (np.sin(centre) * _flux_along(hours)).sum(axis=-1) * 2.0 * np.pi / hours.size
    radius = EARTH_RADIUS + 1e3 * REFERENCE_ALTITUDE
    return radius**2 * np.sqrt(2.0 * np.pi) * spread * np.exp(-0.5 * spread**2) * along


def _checked_kp(kp: ArrayLike, count: int) -> NDArray[np.float64]:
    values = np.asarray(kp, dtype=float)
    if values.shape not in ((), (1,), (count,)):
        raise DataError(f"kp has shape {values.shape}; needed: one value or one per time ({count})")
    bad = ~((values >= 0.0) & (values <= 9.0))
    if bad.any():
        raise DataError(f"kp is {values[bad].flat[0]}; it must lie in 0 to 9; replace fill values")
    return np.broadcast_to(values, (count,))
