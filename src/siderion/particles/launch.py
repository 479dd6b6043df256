"""Launch velocities of test particles, exact samples of the law of each release process.

Velocities are given in the local frame of the launch point: component 0 along the outward normal, components 1 and 2 along
the surface. Laws of a surface are laws of the particles that leave it per unit time (flux-weighted): the density of a gas
times its normal speed. All functions take and return SI units and draw from the generator they are given.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.constants import BOLTZMANN
from siderion.core.errors import SettingsError
from siderion.core.tables import load_table

Array = NDArray[np.float64]


def maxwellian_flux(count: int, temperature: float, mass: float, generator: np.random.Generator) -> Array:
    """Sample velocities of a Maxwellian gas that leaves a surface: f ~ v_n exp(-m v^2 / (2 k T)), v_n > 0.

    The normal speed follows a Rayleigh law, the other components are normal; mean energy 2 k T. A surface that releases
    ``n sqrt(k T / (2 pi m))`` particles per area and time with this law carries the upward half of a gas of density ``n``.

    Parameters
    ----------
    count : int
        Number of particles.
    temperature : float
        Temperature, K.
    mass : float
        Mass of a particle, kg.
    generator : numpy.random.Generator
        Source of random numbers.

    Returns
    -------
    array of shape (particle, 3)
        Velocities in the local frame, m s-1.

    Raises
    ------
    SettingsError
        The count, temperature or mass is not positive and finite.

    References
    ----------
    Bird 1994, Molecular Gas Dynamics and the Direct Simulation of Gas Flows, chapter 12.
    """
    _require(count=count, temperature=temperature, mass=mass)
    thermal = np.sqrt(BOLTZMANN * temperature / mass)
    velocity = generator.standard_normal((count, 3))
    velocity[:, 0] = np.sqrt(2.0 * generator.standard_exponential(count))
    return thermal * velocity


def impact_vapour(count: int, mass: float, generator: np.random.Generator, temperature: float | None = None) -> Array:
    """Sample velocities of vapour from impacts: a Maxwellian flux at the temperature of the vapour cloud.

    Parameters
    ----------
    count, mass, generator
        As in `maxwellian_flux`.
    temperature : float, optional
        Temperature of the vapour, K; without it each particle draws one uniformly from the usual range
        (``particles/tables/launch.csv``).

    Returns
    -------
    array of shape (particle, 3)
        Velocities in the local frame, m s-1.

    Raises
    ------
    SettingsError
        The count, temperature or mass is not positive and finite.
    """
    if temperature is not None:
        return maxwellian_flux(count, temperature, mass, generator)
    table = load_table("particles", "launch")
    row = table[table["process"] == "impact_vapour"].iloc[0]
    unit = maxwellian_flux(count, 1.0, mass, generator)
    return unit * np.sqrt(generator.uniform(float(row["lower"]), float(row["upper"]), count))[:, None]


def sputter(
    count: int,
    binding_energy: float,
    mass: float,
    generator: np.random.Generator,
    cosine_power: float = 1.0,
    largest_energy: float | None = None,
) -> Array:
    """Sample velocities of sputtered atoms: f(E) ~ E / (E + E_b)^3 times 1 - sqrt((E + E_b) / E_c) with a cut-off E_c.

    Without a cut-off the distribution function is (E / (E + E_b))^2, which is inverted; with one, samples are accepted
    with the probability of the last factor. The most probable energy is E_b / 2.

    Parameters
    ----------
    count, mass, generator
        As in `maxwellian_flux`.
    binding_energy : float
        Surface binding energy E_b, J.
    cosine_power : float
        Power p of the angular law of the flux per solid angle, cos(angle from the normal)^p; 1 is the cosine law.
    largest_energy : float, optional
        Cut-off E_c, J: the largest energy a recoil can have before it pays E_b; must exceed E_b.

    Returns
    -------
    array of shape (particle, 3)
        Velocities in the local frame, m s-1.

    Raises
    ------
    SettingsError
        A number is not positive and finite, or the cut-off does not exceed the binding energy.

    References
    ----------
    Sigmund 1969, Phys. Rev. 184, 383, doi:10.1103/PhysRev.184.383; Wurz & Lammer 2003, Icarus 164, 1,
    doi:10.1016/S0019-1035(03)00123-4.
    """
    _require(count=count, binding_energy=binding_energy, mass=mass, cosine_power=cosine_power)
    if largest_energy is None:
        energy = _thompson_energy(count, binding_energy, generator)
    else:
        if not binding_energy < largest_energy < np.inf:
            raise SettingsError(
                f"largest_energy is {largest_energy:g} J; it must be finite and exceed the binding energy {binding_energy:g} J"
            )
        energy = _cut_thompson_energy(count, binding_energy, largest_energy, generator)
    return _directed(np.sqrt(2.0 * energy / mass), cosine_power, generator)


def mono_energetic(count: int, energy: float, mass: float, generator: np.random.Generator, cosine_power: float = 1.0) -> Array:
    """Sample velocities of particles that leave a surface with one energy.

    Parameters
    ----------
    count, mass, generator
        As in `maxwellian_flux`.
    energy : float
        Kinetic energy, J.
    cosine_power : float
        As in `sputter`.

    Returns
    -------
    array of shape (particle, 3)
        Velocities in the local frame, m s-1.

    Raises
    ------
    SettingsError
        A number is not positive and finite.
    """
    _require(count=count, energy=energy, mass=mass, cosine_power=cosine_power)
    return _directed(np.full(count, np.sqrt(2.0 * energy / mass)), cosine_power, generator)


def fragment_energy(excess_energy: ArrayLike, mass: float, other_mass: float) -> Array:
    """Kinetic energy of one of two fragments of a molecule at rest: E m_other / (m + m_other), by momentum.

    Parameters
    ----------
    excess_energy : array
        Energy that both fragments share, J.
    mass, other_mass : float
        Masses of this fragment and of the other one, kg.

    Returns
    -------
    array
        Energy of this fragment, J.
    """
    _require(mass=mass, other_mass=other_mass)
    return np.asarray(excess_energy, dtype=np.float64) * (other_mass / (mass + other_mass))


def photo_dissociation(
    count: int,
    energy: ArrayLike,
    mass: float,
    generator: np.random.Generator,
    share: ArrayLike | None = None,
    parent_temperature: float = 0.0,
    parent_mass: float = 1.0,
) -> Array:
    """Sample velocities of fragments of molecules in space: isotropic, with one or several kinetic energies.

    Parameters
    ----------
    count, mass, generator
        As in `maxwellian_flux`; ``mass`` is that of the fragment.
    energy : float or array of shape (branch,)
        Kinetic energy of the fragment, J; see `fragment_energy`.
    share : array of shape (branch,), optional
        Parts of the fragments with each energy; equal parts without it.
    parent_temperature, parent_mass : float
        Temperature (K) and mass (kg) of the gas of parents, whose thermal velocity is added; 0 K: parents at rest.

    Returns
    -------
    array of shape (particle, 3)
        Velocities, m s-1, the same law in any frame.

    Raises
    ------
    SettingsError
        A number is not positive and finite, or the shares do not fit the energies.
    """
    _require(count=count, mass=mass, parent_mass=parent_mass)
    energies = np.atleast_1d(np.asarray(energy, dtype=np.float64))
    shares = np.ones_like(energies) if share is None else np.atleast_1d(np.asarray(share, dtype=np.float64))
    if not (np.isfinite(energies).all() and (energies > 0).all()):
        raise SettingsError(f"energies of fragments are {energies} J; each must be positive and finite")
    if shares.shape != energies.shape or not (np.isfinite(shares).all() and (shares >= 0).all() and shares.sum() > 0):
        raise SettingsError(f"shares are {shares}; one that is not negative is needed for each of the energies {energies} J")
    if not 0.0 <= parent_temperature < np.inf:
        raise SettingsError(f"parent_temperature is {parent_temperature} K; it must be finite and not negative")
    branch = generator.choice(len(energies), size=count, p=shares / shares.sum())
    velocity = points_on_sphere(count, generator) * np.sqrt(2.0 * energies[branch] / mass)[:, None]
    if parent_temperature > 0.0:
        velocity += np.sqrt(BOLTZMANN * parent_temperature / parent_mass) * generator.standard_normal((count, 3))
    return velocity


def points_on_sphere(count: int, generator: np.random.Generator) -> Array:
    """Unit vectors of shape (particle, 3), uniform over the sphere."""
    _require(count=count)
    cosine = generator.uniform(-1.0, 1.0, count)
    sine = np.sqrt(1.0 - cosine**2)
    azimuth = generator.uniform(0.0, 2.0 * np.pi, count)
    return np.stack([cosine, sine * np.cos(azimuth), sine * np.sin(azimuth)], axis=1)


def in_frame_of(normal: ArrayLike, velocity: ArrayLike) -> Array:
    """Turn velocities of the local frame (component 0 along the normal) to the axes in which the unit normals are given.

    Parameters
    ----------
    normal, velocity : array of shape (particle, 3)
        Unit normals, and velocities as the functions above give them. The other two axes are any pair across the normal.

    Returns
    -------
    array of shape (particle, 3)
    """
    up, local = np.asarray(normal, dtype=np.float64), np.asarray(velocity, dtype=np.float64)
    other = np.where(np.abs(up[:, :1]) < 0.9, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]])
    first = np.cross(up, other)
    first /= np.linalg.norm(first, axis=1)[:, None]
    second = np.cross(up, first)
    return local[:, :1] * up + local[:, 1:2] * first + local[:, 2:] * second


def _thompson_energy(count: int, binding_energy: float, generator: np.random.Generator) -> Array:
    root = np.sqrt(generator.uniform(0.0, 1.0, count))
    return binding_energy * root / (1.0 - root)


def _cut_thompson_energy(count: int, binding: float, largest: float, generator: np.random.Generator) -> Array:
    # The proposal stops at the energy where the last factor vanishes, so that few samples are refused.
    ceiling = (1.0 - binding / largest) ** 2
    energies = np.empty(0)
    while len(energies) < count:
        root = np.sqrt(ceiling * generator.uniform(0.0, 1.0, count))
        energy = binding * root / (1.0 - root)
        kept = generator.uniform(0.0, 1.0, count) < 1.0 - np.sqrt((energy + binding) / largest)
        energies = np.concatenate([energies, energy[kept]])
    return energies[:count]


def _directed(speed: Array, power: float, generator: np.random.Generator) -> Array:
    # The flux per solid angle is cos^p, so the cosine has the density (p + 1) cos^p on (0, 1]; random() may return 0, not 1.
    cosine = (1.0 - generator.random(len(speed))) ** (1.0 / (power + 1.0))
    sine = np.sqrt(np.maximum(0.0, 1.0 - cosine**2))
    azimuth = generator.uniform(0.0, 2.0 * np.pi, len(speed))
    return speed[:, None] * np.stack([cosine, sine * np.cos(azimuth), sine * np.sin(azimuth)], axis=1)


def _require(**values: float) -> None:
    for name, value in values.items():
        if not 0.0 < value < np.inf:
            raise SettingsError(f"{name} is {value}; it must be positive and finite (SI units)")
