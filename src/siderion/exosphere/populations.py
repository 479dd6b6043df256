"""Populations of an exosphere and their densities, fast enough for fits.

A population is a species released by one process. A Maxwellian one follows Chamberlain's formula at its temperature; any
other follows a template, a Monte Carlo profile for a density of 1 m-3 at the surface, scaled. The models of a fit are
``"chamberlain"`` (one thermal population) and ``"two-component"`` (a thermal and an energetic one).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.bodies import Body
from siderion.core.constants import CUBIC_CENTIMETRE
from siderion.core.errors import CoverageError, SettingsError
from siderion.core.species import get_species
from siderion.core.tables import load_table

from .chamberlain import chamberlain_density

Array = NDArray[np.float64]
MODELS = {"chamberlain": ("thermal",), "two-component": ("thermal", "energetic")}
"""Names of the Maxwellian populations of each model."""


@dataclass(frozen=True)
class Template:
    """Shape of a population: density relative to that at the surface.

    Attributes
    ----------
    radius : array of shape (radius,)
        Distance from the centre, km, rising from the surface; between the levels ln n is linear in ln r.
    relative_density : array of shape (radius,)
        Density for a density of 1 at the surface.
    """

    radius: Array
    relative_density: Array

    def density(self, radius: ArrayLike, surface_density: float) -> Array:
        """Density at ``radius`` (km), in the units of ``surface_density``.

        Raises
        ------
        CoverageError
            A radius is below the surface or beyond the last level.
        """
        radii = np.asarray(radius, dtype=np.float64)
        outside = ~((radii >= self.radius[0] * (1.0 - 1e-9)) & (radii <= self.radius[-1]))
        if outside.any():
            raise CoverageError(
                f"radius {radii[outside].flat[0]:g} km is outside the template, {self.radius[0]:g} to "
                f"{self.radius[-1]:g} km; make the template with wider shells"
            )
        return surface_density * np.exp(np.interp(np.log(radii), np.log(self.radius), np.log(self.relative_density)))


def template_from(exosphere: xr.Dataset, population: str, surface_density: float, largest_error: float = 0.1) -> Template:
    """Make a template of a population of a Monte Carlo exosphere that leaves the surface.

    Parameters
    ----------
    exosphere : xarray.Dataset
        From `monte_carlo_exosphere`.
    population : str
        Its name.
    surface_density : float
        Its density at the surface, m-3, as given to the simulation.
    largest_error : float
        The template ends at the first shell whose relative standard error exceeds this.

    Returns
    -------
    Template
        The shape.

    Raises
    ------
    CoverageError
        The population is unknown, or fewer than two shells are known well enough.
    SettingsError
        The surface density is not positive.
    """
    if population not in exosphere.population.values:
        raise CoverageError(f"population {population!r} is not simulated; populations: {list(exosphere.population.values)}")
    if not 0.0 < surface_density < np.inf:
        raise SettingsError(f"surface_density is {surface_density} m-3; it must be positive and finite")
    part = exosphere.sel(population=population)
    density = part.density.values
    good = part.density_standard_error.values < largest_error * density
    count = len(good) if good.all() else int(np.argmin(good))
    if count < 2:
        raise CoverageError(
            f"population {population!r}: {count} shells from the surface have an error below {largest_error:g}; "
            "2 are needed; use more particles or wider shells"
        )
    surface = float(exosphere.radius_bounds.values[0, 0])
    levels = np.append(surface, exosphere.radius.values[:count])
    return Template(levels, np.append(1.0, density[:count] / surface_density))


@dataclass(frozen=True)
class Population:
    """A population of the exosphere of a body.

    Attributes
    ----------
    name : str
        Such as ``"thermal"`` or ``"energetic"``.
    species : str
        Neutral, such as ``"He"``.
    process : str
        Such as ``"maxwellian"``; see `siderion.exosphere.montecarlo.PROCESSES`.
    surface_density : float
        m-3.
    temperature : float or None
        K; None where only a range is known and no choice was made.
    temperature_range : (float, float) or None
        Usual range, K.
    template : Template or None
        Shape of a population that is not Maxwellian.
    source, confidence : str
        Where the surface density comes from.
    """

    name: str
    species: str
    process: str
    surface_density: float
    temperature: float | None = None
    temperature_range: tuple[float, float] | None = None
    template: Template | None = None
    source: str = ""
    confidence: str = ""

    def with_values(self, **values: object) -> Population:
        """Copy with fields replaced, such as ``temperature=420.0``."""
        return replace(self, **values)  # type: ignore[arg-type]

    def density(self, radius: ArrayLike, body: Body) -> Array:
        """Density at distances (km) from the centre of the body, m-3.

        Raises
        ------
        SettingsError
            There is neither a template nor a temperature.
        DataError, CoverageError
            A radius is below the surface, or beyond the template.
        """
        if self.template is not None:
            return self.template.density(radius, self.surface_density)
        if self.temperature is None:
            raise SettingsError(
                f"population {self.name!r} of {self.species}: temperature is not chosen (usual range "
                f"{self.temperature_range} K); set it with with_values(temperature=...), or give a template"
            )
        return maxwellian_population(radius, body, self.species, self.surface_density, self.temperature)


def maxwellian_population(radius: ArrayLike, body: Body, species: str, surface_density: float, temperature: float) -> Array:
    """Density of a Maxwellian population, m-3: Chamberlain's ballistic and escaping particles.

    Parameters
    ----------
    radius : array
        Distance from the centre, km.
    body : Body
        With radius and mass.
    species : str
        Neutral.
    surface_density, temperature : float
        m-3 and K, at the surface.

    Returns
    -------
    array
        Density, m-3, as ``radius``.

    Raises
    ------
    DataError, SettingsError
        As `chamberlain_density`.
    """
    surface, mass = float(body.require("radius")), float(body.require("mass"))  # type: ignore[arg-type]
    radii = np.asarray(radius, dtype=np.float64) * 1e3
    return chamberlain_density(radii, surface, surface_density, temperature, get_species(species).mass, mass)


def load_populations(body: str, species: str | None = None) -> tuple[Population, ...]:
    """Populations of a body in ``exosphere/tables/populations.csv``.

    Parameters
    ----------
    body : str
        Name of the body; upper and lower case do not matter.
    species : str, optional
        Only those of this species.

    Returns
    -------
    tuple of Population
        Temperatures that the table gives as a range are left to the caller.

    Raises
    ------
    CoverageError
        The table has none.
    """
    table = load_table("exosphere", "populations")
    rows = table[table["body"].str.lower() == body.lower()]
    if species is not None:
        rows = rows[rows["species"] == species]
    if rows.empty:
        known = ", ".join(sorted(set(table["body"] + " " + table["species"])))
        raise CoverageError(f"no populations of {species or 'any species'} at {body!r}; known: {known}")
    result = []
    for (name, kind, process), group in rows.groupby(["population", "species", "process"], sort=False):
        quantities = group.set_index("quantity")
        density = quantities.loc["surface_density_cm3"]
        low, high = (float(quantities.loc["temperature_k", end]) for end in ("lower", "upper"))
        result.append(
            Population(
                str(name),
                str(kind),
                str(process),
                float(density["lower"]) / CUBIC_CENTIMETRE,
                low if low == high else None,
                (low, high),
                None,
                str(density["source"]),
                str(density["confidence"]),
            )
        )
    return tuple(result)


def total_density(radius: ArrayLike, body: Body, populations: Sequence[Population]) -> Array:
    """Sum of the densities of populations at distances (km) from the centre, m-3."""
    return np.sum([population.density(radius, body) for population in populations], axis=0)


def model_populations(
    model: str, species: str, parameters: Mapping[str, float], templates: Mapping[str, Template] | None = None
) -> tuple[Population, ...]:
    """Populations of a model from its parameters.

    Parameters
    ----------
    model : str
        One of `MODELS`.
    species : str
        Neutral.
    parameters : mapping of str to float
        ``surface_density_<population>`` (m-3) and ``temperature_<population>`` (K); templates have no temperature.
    templates : mapping of population to Template, optional
        Further populations of fixed shape; one with the name of a population of the model replaces its Maxwellian.

    Returns
    -------
    tuple of Population
        In the order of the model, then the templates.

    Raises
    ------
    SettingsError
        The model is unknown, or a parameter is missing.
    """
    result = []
    for name in population_names(model, templates):
        template = (templates or {}).get(name)
        needed = [f"surface_density_{name}", *([] if template else [f"temperature_{name}"])]
        missing = [key for key in needed if key not in parameters]
        if missing:
            raise SettingsError(f"model {model!r}: {', '.join(missing)} missing; parameters given: {', '.join(parameters)}")
        process = "template" if template else "maxwellian"
        temperature = None if template else float(parameters[needed[1]])
        result.append(Population(name, species, process, float(parameters[needed[0]]), temperature, None, template))
    return tuple(result)


def population_names(model: str, templates: Mapping[str, Template] | None = None) -> tuple[str, ...]:
    """Names of the populations of a model and of further templates; `SettingsError` for an unknown model."""
    if model not in MODELS:
        raise SettingsError(f"model {model!r} is unknown; use one of {', '.join(MODELS)}")
    return tuple(dict.fromkeys([*MODELS[model], *(templates or {})]))
