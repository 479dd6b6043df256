"""Brightness of resonance lines of an exosphere in the optically thin limit. Thick lines: `siderion.exosphere.line_transfer`.

One rayleigh is 1e10 photons m-2 s-1 emitted into the whole sphere by the column along a line of sight.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.constants import elementary_charge, epsilon_0, speed_of_light

from siderion.core.constants import BOLTZMANN, ELECTRON_MASS
from siderion.core.errors import CoverageError
from siderion.core.tables import load_table

from .checks import finite_array, positive
from .column import Tail, tangent_column

RAYLEIGH = 1e10
"""One rayleigh, photons m-2 s-1 into the whole sphere."""
_OSCILLATOR = elementary_charge**2 / (4.0 * epsilon_0 * ELECTRON_MASS * speed_of_light)
"""Cross section of a classical oscillator integrated over frequency, m2 Hz."""


def g_factor(species: str, line_nm: float, distance_au: float, radial_velocity: ArrayLike = 0.0) -> NDArray[np.float64]:
    """Photons that an atom scatters per second in a resonance line, in thin gas.

    The table ``exosphere/tables/g_factors.csv`` is linear between its velocities and scales with the inverse square of the
    distance from the Sun; the spectrum of the Sun is that of the table.

    Parameters
    ----------
    species : str
        ``"H"``, ``"He"`` or ``"Na"``.
    line_nm : float
        Line: 121.6 (H), 58.4 (He), 589.2 (Na D2) or 589.8 (Na D1), nm.
    distance_au : float
        Distance from the Sun, au.
    radial_velocity : array
        Velocity of the atoms away from the Sun, m s-1: that of the body on its orbit plus that of the atoms.

    Returns
    -------
    array
        g-factor, s-1, as ``radial_velocity``.

    Raises
    ------
    CoverageError
        The table has no such line, or a velocity lies outside it.
    SettingsError
        The distance is not positive.

    Notes
    -----
    Killen et al. 2009, doi:10.1088/0067-0049/181/2/351, and 2022, through the tables of nexoclom.
    """
    table = load_table("exosphere", "g_factors")
    rows = table[(table["species"] == species) & np.isclose(table["line_nm"], line_nm, atol=0.05)].sort_values("velocity_km_s")
    if rows.empty:
        known = ", ".join(
            f"{name} {line:g} nm" for name, line in sorted(set(zip(table["species"], table["line_nm"], strict=True)))
        )
        raise CoverageError(f"no g-factor of {species!r} at {line_nm:g} nm; known: {known}")
    velocity = finite_array("radial velocity, m s-1", radial_velocity, -np.inf) / 1e3
    nodes = rows["velocity_km_s"].to_numpy(float)
    outside = (velocity < nodes[0]) | (velocity > nodes[-1])
    if outside.any():
        raise CoverageError(
            f"radial velocity {velocity[outside].flat[0]:g} km/s of {species}: the g-factors at {line_nm:g} nm reach from "
            f"{nodes[0]:g} to {nodes[-1]:g} km/s"
        )
    scale = (float(rows["distance_au"].iloc[0]) / positive("distance from the Sun, au", distance_au)) ** 2
    return np.interp(velocity, nodes, rows["g"].to_numpy(float)) * scale


def thin_brightness(column_density: ArrayLike, g: ArrayLike) -> NDArray[np.float64]:
    """Brightness 4 pi I of an optically thin column.

    Parameters
    ----------
    column_density : array
        Column density along the line of sight, m-2.
    g : array
        g-factor, s-1.

    Returns
    -------
    array
        Brightness, rayleigh: 1e-10 g N (1e-6 g N with N in cm-2).

    Raises
    ------
    DataError
        A value is negative or not finite.
    """
    return finite_array("g-factor, s-1", g) * finite_array("column density, m-2", column_density) / RAYLEIGH


def limb_brightness(
    tangent_radius: ArrayLike, radius: ArrayLike, density: ArrayLike, g: float, tail: Tail = "power_law"
) -> NDArray[np.float64]:
    """Brightness of an optically thin spherical exosphere above its limb.

    Parameters
    ----------
    tangent_radius : array
        Least distance of the line of sight from the centre, m, within the profile.
    radius, density : array (radius,)
        Density profile, m and m-3.
    g : float
        g-factor, s-1; the whole line of sight is taken to be in sunlight.
    tail : {"power_law", "none"}
        See `siderion.exosphere.column.vertical_column`.

    Returns
    -------
    array
        Brightness, rayleigh, as ``tangent_radius``.

    Raises
    ------
    CoverageError, DataError, SettingsError
        As in `siderion.exosphere.column.tangent_column`.
    """
    return thin_brightness(tangent_column(tangent_radius, radius, density, tail), g)


def line_centre_flux(g: float, oscillator_strength: float) -> float:
    """Solar flux in the line that belongs to a g-factor, photons m-2 s-1 Hz-1.

    g = (e^2 / (4 epsilon_0 m_e c)) f F, for an atom whose line is narrow beside that of the Sun.

    Parameters
    ----------
    g : float
        g-factor, s-1.
    oscillator_strength : float
        Absorption oscillator strength f.

    Returns
    -------
    float
        Flux F at the place of the atom, photons m-2 s-1 Hz-1.

    Raises
    ------
    SettingsError
        A value is not positive.
    """
    return positive("g-factor, s-1", g) / (_OSCILLATOR * positive("oscillator strength", oscillator_strength))


def line_centre_cross_section(species: str, line_nm: float, temperature: float, mass: float) -> float:
    """Cross section at the centre of a Doppler-broadened line, m2.

    sigma_0 = (e^2 / (4 epsilon_0 m_e c)) f / (sqrt(pi) dnu), dnu = sqrt(2 k T / m) / wavelength.

    Parameters
    ----------
    species, line_nm
        Line in the table ``exosphere/tables/resonance_lines.csv``: H or D at 121.6 nm, He at 58.4 nm.
    temperature, mass : float
        K and kg.

    Returns
    -------
    float
        Cross section, m2; times a column density it is the optical depth tau_0 at the centre.

    Raises
    ------
    CoverageError
        The table has no such line.
    SettingsError
        A value is not positive.
    """
    table = load_table("exosphere", "resonance_lines")
    rows = table[(table["species"] == species) & np.isclose(table["line_nm"], line_nm, atol=0.05)]
    if rows.empty:
        known = ", ".join(f"{name} {line:g} nm" for name, line in zip(table["species"], table["line_nm"], strict=True))
        raise CoverageError(f"no resonance line of {species!r} at {line_nm:g} nm; known: {known}")
    speed = np.sqrt(2.0 * BOLTZMANN * positive("temperature, K", temperature) / positive("mass of an atom, kg", mass))
    width = speed / (float(rows["wavelength_nm"].iloc[0]) * 1e-9)
    return float(_OSCILLATOR * float(rows["oscillator_strength"].iloc[0]) / (np.sqrt(np.pi) * width))
