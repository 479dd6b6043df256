"""From wave power to densities of ions and neutrals, and back: SI in, SI out, every factor in sight.

Equation numbers are those of Lammer et al. (2025), doi:10.3389/fspas.2024.1499346. Equation (1) is derived and its
conventions are compared in docs/wave_densities.md. All arguments are numbers or arrays that broadcast. A function refuses
a value that is not finite or out of range and names its index; mask missing windows before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.constants import atomic_mass, electron_mass, mu_0, physical_constants, proton_mass

from siderion.core.errors import DataError

from .conventions import Convention

Floats = NDArray[np.float64]

ALPHA_MASS = float(physical_constants["alpha particle mass"][0])
"""Mass of an alpha particle, kg (CODATA 2022 through SciPy)."""
MEDIAN_PITCH_ANGLE = np.pi / 3.0
"""Pitch angle, radians, at which half of all directions lie nearer to the field line: cos 60 degrees = 1/2."""


def wave_energy_density(amplitude: ArrayLike, *, convention: Convention) -> Floats:
    """Energy density of a wave, delta_B^2/(2 mu0), doubled where the convention adds the motion of the plasma.

    Parameters
    ----------
    amplitude : array
        delta_B, T: root of the band-integrated one-sided power of both perpendicular components, at least 0.
    convention : Convention
        Says whether the kinetic half is included.

    Returns
    -------
    array
        J m-3.

    Raises
    ------
    DataError
        A value is negative or not finite.
    """
    return convention.energy_factor * checked("wave amplitude", amplitude, zero=True) ** 2 / (2.0 * mu_0)


def wave_amplitude(energy_density: ArrayLike, *, convention: Convention) -> Floats:
    """Inverse of `wave_energy_density`: delta_B in T from J m-3."""
    energy = checked("wave energy density", energy_density, zero=True)
    return np.sqrt(2.0 * mu_0 * energy / convention.energy_factor)


def solar_wind_mass_density(proton_density: ArrayLike, *, alpha_fraction: ArrayLike = 0.0) -> Floats:
    """Mass density of protons and alpha particles.

    Parameters
    ----------
    proton_density : array
        m-3, positive.
    alpha_fraction : array
        Alpha particles per proton; 0 is the choice "without alpha particles".

    Returns
    -------
    array
        kg m-3.

    Raises
    ------
    DataError
        A value is out of range.
    """
    fraction = checked("alpha fraction", alpha_fraction, zero=True)
    return checked("proton density", proton_density) * (proton_mass + fraction * ALPHA_MASS)


def alfven_speed(magnetic_field: ArrayLike, mass_density: ArrayLike) -> Floats:
    """Alfven speed B / sqrt(mu0 rho), m s-1, from T and kg m-3 (`solar_wind_mass_density` or that of another plasma).

    Raises
    ------
    DataError
        A value is not positive and finite.
    """
    return checked("magnetic field", magnetic_field) / np.sqrt(mu_0 * checked("mass density", mass_density))


def free_energy_bracket(pitch_angle: ArrayLike) -> Floats:
    """Bracket of equation (1), (1 + cos a)^2 + (1 - cos a)^2 = 2 + 2 cos^2 a: 4 along the field, 2 across it.

    Parameters
    ----------
    pitch_angle : array
        Angle a between the field and the injection velocity, radians, 0 to pi.

    Returns
    -------
    array
        Between 2 and 4.

    Raises
    ------
    DataError
        An angle is outside 0 to pi.
    """
    angle = checked("pitch angle", pitch_angle, zero=True)
    if (angle > np.pi * (1.0 + 1e-12)).any():
        raise DataError(f"pitch angle is {angle.max():g}; it must lie between 0 and pi radians; convert degrees to radians")
    cosine = np.cos(angle)
    return (1.0 + cosine) ** 2 + (1.0 - cosine) ** 2


def free_energy_per_ion(
    ion_mass: ArrayLike, alfven: ArrayLike, injection_speed: ArrayLike, pitch_angle: ArrayLike, *, transfer_efficiency: float
) -> Floats:
    """Energy that one pick-up ion gives to the waves, equation (1) over n_i: 0.25 phi m v_A v_inj [bracket].

    Exact to first order in v_A/v_inj for ions that scatter onto the bispherical shell (Huddleston and Johnstone 1992).

    Parameters
    ----------
    ion_mass : array
        kg.
    alfven, injection_speed : array
        m s-1.
    pitch_angle : array
        radians.
    transfer_efficiency : float
        phi.

    Returns
    -------
    array
        J.

    Raises
    ------
    DataError
        A value is out of range.
    """
    speeds = checked("Alfven speed", alfven) * checked("injection speed", injection_speed)
    factor = 0.25 * float(checked("transfer efficiency", transfer_efficiency))
    return factor * checked("ion mass", ion_mass) * speeds * free_energy_bracket(pitch_angle)


def ion_density(
    amplitude: ArrayLike,
    ion_mass: ArrayLike,
    alfven: ArrayLike,
    injection_speed: ArrayLike,
    pitch_angle: ArrayLike,
    *,
    convention: Convention,
) -> Floats:
    """Density of the pick-up ions whose free energy, equation (1), is the energy of the wave.

    n_i = E_wave / {0.25 phi m v_A v_inj [(1 + cos a)^2 + (1 - cos a)^2]}

    Parameters
    ----------
    amplitude : array
        delta_B, T.
    ion_mass, alfven, injection_speed, pitch_angle : array
        As in `free_energy_per_ion`.
    convention : Convention
        phi and the kinetic half.

    Returns
    -------
    array
        m-3.

    Raises
    ------
    DataError
        A value is out of range.
    """
    phi = convention.transfer_efficiency
    per_ion = free_energy_per_ion(ion_mass, alfven, injection_speed, pitch_angle, transfer_efficiency=phi)
    return wave_energy_density(amplitude, convention=convention) / per_ion


def wave_amplitude_of_ions(
    density: ArrayLike,
    ion_mass: ArrayLike,
    alfven: ArrayLike,
    injection_speed: ArrayLike,
    pitch_angle: ArrayLike,
    *,
    convention: Convention,
) -> Floats:
    """Inverse of `ion_density`: delta_B in T that ions of a density (m-3) raise."""
    phi = convention.transfer_efficiency
    per_ion = free_energy_per_ion(ion_mass, alfven, injection_speed, pitch_angle, transfer_efficiency=phi)
    return wave_amplitude(checked("ion density", density, zero=True) * per_ion, convention=convention)


def gyrofrequency(magnetic_field: ArrayLike, ion_mass: ArrayLike, charge: ArrayLike) -> Floats:
    """Equation (3): f = |q| B / (2 pi m), Hz, from T, kg, C.

    Raises
    ------
    DataError
        Field or mass is not positive, or the charge is zero.
    """
    magnitude = checked("magnitude of the charge", np.abs(np.asarray(charge, dtype=float)))
    return magnitude * checked("magnetic field", magnetic_field) / (2.0 * np.pi * checked("ion mass", ion_mass))


def neutral_density(density: ArrayLike, ion_gyrofrequency: ArrayLike, rate: ArrayLike, *, convention: Convention) -> Floats:
    """Equation (2): n_n = g n_i f / (N nu), with g the gyration factor and N the growth gyrations of the convention.

    Parameters
    ----------
    density : array
        Density of the ions n_i, m-3.
    ion_gyrofrequency : array
        f, Hz, as `gyrofrequency` gives it.
    rate : array
        Ionisation rate nu of one neutral at the place, s-1 (photo-ionisation, and other processes where they count).
    convention : Convention
        g and N.

    Returns
    -------
    array
        m-3.

    Raises
    ------
    DataError
        A value is out of range.
    """
    return checked("ion density", density, zero=True) / _ions_per_neutral(ion_gyrofrequency, rate, convention)


def ion_density_of_neutrals(
    density: ArrayLike, ion_gyrofrequency: ArrayLike, rate: ArrayLike, *, convention: Convention
) -> Floats:
    """Inverse of `neutral_density`: density of ions, m-3, from that of neutrals, m-3."""
    return checked("neutral density", density, zero=True) * _ions_per_neutral(ion_gyrofrequency, rate, convention)


def _ions_per_neutral(ion_gyrofrequency: ArrayLike, rate: ArrayLike, convention: Convention) -> Floats:
    frequency = checked("gyrofrequency", ion_gyrofrequency)
    return convention.growth_periods * checked("ionisation rate", rate) / frequency


def speed_ratio(alfven: ArrayLike, injection_speed: ArrayLike) -> Floats:
    """v_A / v_inj, which equation (1) takes as small (Delva et al. 2009 through Lammer et al. 2025, section 2)."""
    return checked("Alfven speed", alfven) / checked("injection speed", injection_speed)


def injection_speed(flow_speed: ArrayLike, body_speed: ArrayLike = 0.0) -> Floats:
    """Speed of new ions in the frame of the plasma: that of the aberrated flow, sqrt(v^2 + v_body^2).

    Neutrals are taken at rest relative to the body, and the flow across its orbital motion.

    Parameters
    ----------
    flow_speed, body_speed : array
        Speed of the plasma, positive, and of the body across it; m s-1.

    Returns
    -------
    array
        m s-1.

    Raises
    ------
    DataError
        A value is out of range.
    """
    return np.hypot(checked("flow speed", flow_speed), checked("speed of the body", body_speed, zero=True))


def pitch_angle(magnetic_field: ArrayLike, flow: ArrayLike) -> Floats:
    """Angle between field and injection velocity.

    New ions move against the flow in the frame of the plasma; equation (1) is the same for a and pi - a, so the angle to
    the flow is returned.

    Parameters
    ----------
    magnetic_field, flow : array of shape (..., 3)
        Vectors in one frame, any units; each longer than zero.

    Returns
    -------
    array of shape (...)
        radians, 0 to pi.

    Raises
    ------
    DataError
        The last axis is not of length 3, or a vector is zero or not finite.
    """
    field, wind = np.asarray(magnetic_field, dtype=float), np.asarray(flow, dtype=float)
    for name, vector in (("magnetic field", field), ("flow", wind)):
        if vector.ndim == 0 or vector.shape[-1] != 3:
            raise DataError(f"{name} has shape {vector.shape}; the last axis must hold the 3 components")
        checked(f"length of the {name}", np.linalg.norm(vector, axis=-1))
    across = np.linalg.norm(np.cross(field, wind), axis=-1)
    return np.arctan2(across, np.sum(field * wind, axis=-1))


def pickup_gyroradius(
    speed: ArrayLike, angle: ArrayLike, magnetic_field: ArrayLike, ion_mass: ArrayLike, charge: ArrayLike
) -> Floats:
    """Gyroradius of a pick-up ion, v_inj sin a / Omega, m.

    Parameters
    ----------
    speed : array
        Injection speed, m s-1.
    angle : array
        Pitch angle, radians.
    magnetic_field, ion_mass, charge : array
        T, kg, C.

    Returns
    -------
    array
        m.

    Raises
    ------
    DataError
        A value is out of range.
    """
    omega = 2.0 * np.pi * gyrofrequency(magnetic_field, ion_mass, charge)
    free_energy_bracket(angle)  # refuses angles outside 0 to pi
    return checked("injection speed", speed) * np.abs(np.sin(np.asarray(angle, dtype=float))) / omega


def gyroradius_ratio(gyroradius: ArrayLike, body_radius: ArrayLike) -> Floats:
    """Gyroradius over the radius of the body: the method places an ion well only where this is small."""
    return checked("gyroradius", gyroradius, zero=True) / checked("radius of the body", body_radius)


def mass_of_ions(mass_amu: float) -> float:
    """Mass in kg of a mean plasma ion given in unified atomic mass units, the lost electron accounted for."""
    return float(checked("mean ion mass", mass_amu)) * atomic_mass - electron_mass


def checked(name: str, values: ArrayLike, *, zero: bool = False) -> Floats:
    """Values as float array; raise `DataError` at the first that is not finite or not positive (``zero`` allows 0)."""
    array = np.asarray(values, dtype=np.float64)
    good = np.isfinite(array) & ((array >= 0.0) if zero else (array > 0.0))
    if not good.all():
        index = tuple(int(i) for i in np.argwhere(~good)[0])
        place = f" at index {index}" if index else ""
        rule = "finite and not negative" if zero else "finite and positive"
        raise DataError(f"{name} is {array[index]:g}{place}; it must be {rule}; correct it or mask the window")
    return array
