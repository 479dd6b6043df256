"""Where and how fast lunar ions start: sputtered from the surface, or made by sunlight in the exosphere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.bodies import get_body
from siderion.core.species import get_species
from siderion.particles.launch import impact_vapour, in_frame_of, maxwellian_flux, sputter

from .exosphere import DAY_SIDE, release_number
from .plasma import PlasmaState
from .sputtering import SputterYields, binding_energy, element_share, largest_recoil_energy, sputter_rate, sputtered_cosines

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Births:
    """Ions of one origin, all with the same weight; axes with x against the flow, the Moon in the origin.

    Attributes
    ----------
    origin : str
        ``"sputtering"`` for ions off the surface, ``"photo sputtering"`` and the like for ions of the exosphere.
    position, velocity : array of shape (particle, 3)
        m and m s-1.
    rate : float
        Ions per second that all of them stand for.
    """

    origin: str
    position: Array
    velocity: Array
    rate: float


def sputtered_ions(
    element: str, state: PlasmaState, yields: SputterYields, regolith: str, count: int, generator: np.random.Generator
) -> Births:
    """Ions that sputtering releases from the surface, with the law E/(E + E_b)^3 and the cosine law of directions.

    Energies end where the ions of the plasma cannot give more, see `largest_recoil_energy`.

    Parameters
    ----------
    element : str
        Such as ``"Fe"``.
    state, yields, regolith
        See `sputter_rate` and `regolith_composition`.
    count : int
        Number of test particles.
    generator : numpy.random.Generator
        Source of random numbers.

    Raises
    ------
    SettingsError
        Nothing is sputtered: all yields are zero, or all ions are below the threshold.
    """
    cosine = sputtered_cosines(state, yields, count, generator)
    normal = _normals(cosine, generator)
    velocity = _sputtered_velocities(element, state, yields, count, generator)
    rate = sputter_rate(state, yields) * element_share(element, regolith) * release_number("ion_fraction")[0]
    return Births("sputtering", normal * get_body("Moon").require_value("radius"), in_frame_of(normal, velocity), rate)


def photo_ions(element: str, exosphere: xr.Dataset, count: int, generator: np.random.Generator) -> list[Births]:
    """Ions that sunlight makes in an exosphere, one group for each population.

    Places follow the production with the distance; atoms of sputtering and desorption are over the side of the flow and the
    Sun (cosine of the zenith angle), vapour of impacts all around outside the shadow. Ions keep the velocity of the release,
    turned to their place.

    Parameters
    ----------
    element : str
        Such as ``"Na"``.
    exosphere : xarray.Dataset
        Of `lunar_exosphere`.
    count : int
        Test particles of each population.
    generator : numpy.random.Generator
        Source of random numbers.
    """
    return [_photo_births(element, exosphere, k, count, generator) for k in range(exosphere.sizes["population"])]


def _photo_births(element: str, exosphere: xr.Dataset, k: int, count: int, generator: np.random.Generator) -> Births:
    name = str(exosphere["population"].values[k])
    bounds = exosphere["radius_bounds"].values * 1e3
    production = exosphere["ion_production"].values[k] * (bounds[:, 1] ** 3 - bounds[:, 0] ** 3)
    shell = generator.choice(len(production), size=count, p=production / production.sum())
    inner, outer = bounds[shell, 0] ** 3, bounds[shell, 1] ** 3
    radius = np.cbrt(inner + generator.random(count) * (outer - inner))
    if name in DAY_SIDE:
        normal = _normals(np.sqrt(generator.random(count)), generator)
    else:
        normal = _lit_directions(radius, bounds[0, 0], generator)
    mass = get_species(element).mass
    if name == "sputtering":
        velocity = sputter(count, binding_energy(element), mass, generator)
    elif name == "impact":
        velocity = impact_vapour(count, mass, generator)
    else:
        velocity = maxwellian_flux(count, release_number("desorption_temperature")[0], mass, generator)
    rate = float(exosphere["ion_production_rate"].values[k])
    return Births(f"photo {name}", normal * radius[:, None], in_frame_of(normal, velocity), rate)


def _sputtered_velocities(
    element: str, state: PlasmaState, yields: SputterYields, count: int, generator: np.random.Generator
) -> Array:
    """Velocities in the local frame; each kind of ion of the plasma has its own largest energy."""
    energies, shares = largest_recoil_energy(state, yields, element)
    kind = generator.choice(len(energies), size=count, p=shares)
    velocity = np.empty((count, 3))
    for k, largest in enumerate(energies):
        chosen = np.flatnonzero(kind == k)
        if len(chosen):
            mass = get_species(element).mass
            velocity[chosen] = sputter(len(chosen), binding_energy(element), mass, generator, largest_energy=float(largest))
    return velocity


def _lit_directions(radius: Array, body_radius: float, generator: np.random.Generator) -> Array:
    """Directions, uniform over the part of the sphere outside the shadow: cosine above -sqrt(1 - (R/r)^2)."""
    lowest = -np.sqrt(np.clip(1.0 - (body_radius / radius) ** 2, 0.0, 1.0))
    # the shadow is the cap about the direction away from the Sun whose distance from the axis is below R
    return _normals(lowest + generator.random(len(radius)) * (1.0 - lowest), generator)


def _normals(cosine: Array, generator: np.random.Generator) -> Array:
    """Unit vectors with some cosines to x and any azimuth."""
    sine = np.sqrt(np.clip(1.0 - cosine**2, 0.0, 1.0))
    azimuth = generator.uniform(0.0, 2.0 * np.pi, len(cosine))
    return np.stack([cosine, sine * np.cos(azimuth), sine * np.sin(azimuth)], axis=1)


__all__ = ["Births", "photo_ions", "sputtered_ions"]
