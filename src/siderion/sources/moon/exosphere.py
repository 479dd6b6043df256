"""The lunar exosphere of an element, and the ions that sunlight makes in it."""

from __future__ import annotations

import numpy as np
import xarray as xr

from siderion.chemistry.photo_rates import photo_rate
from siderion.core.bodies import get_body
from siderion.core.constants import ELEMENTARY_CHARGE
from siderion.core.errors import CoverageError, SettingsError
from siderion.core.species import get_species
from siderion.core.tables import load_table
from siderion.exosphere.montecarlo import SurfaceSource, monte_carlo_exosphere, shell_volumes

from .plasma import PlasmaState
from .sputtering import SputterYields, binding_energy, element_share, regolith_composition, sputter_rate

RELEASES = ("sputtering", "impact", "desorption")
"""Ways in which atoms leave the surface."""
DAY_SIDE = ("sputtering", "desorption")
"""Releases that follow the cosine of the zenith angle of the flow or the Sun, and are zero on the other side."""
SECONDS_PER_DAY = 86400.0


def release_number(quantity: str, species: str = "any") -> tuple[float, float, float]:
    """Value and range (value, lower, upper) of a row of ``sources/tables/lunar_release.csv``, in the unit of the table.

    Raises
    ------
    CoverageError
        There is no such row.
    """
    table = load_table("sources", "lunar_release")
    rows = table[(table["quantity"] == quantity) & (table["species"] == species)]
    if rows.empty:
        raise CoverageError(f"no {quantity} of {species} in the table lunar_release")
    return tuple(float(rows.iloc[0][name]) for name in ("value", "lower", "upper"))  # type: ignore[return-value]


def impact_vapour_rate(element: str, regolith: str = "highland") -> float:
    """Atoms of an element that impacts of meteoroids turn into vapour on the whole Moon, s-1.

    Mass influx times the mass of vapour per mass of impactors, with the composition of the regolith.
    """
    influx = release_number("meteoroid_influx")[0] * 1e3 / SECONDS_PER_DAY
    shares = regolith_composition(regolith)
    mean_mass = sum(share * get_species(name).mass for name, share in shares.items())
    return influx * release_number("vapour_per_impactor")[0] / mean_mass * element_share(element, regolith)


def lunar_photo_rate(element: str, given: float | None = None, distance_au: float = 1.0, activity: float = 0.0) -> float:
    """Rate of photo-ionisation of an atom at the Moon, s-1: the given one, or that of the table.

    Raises
    ------
    SettingsError
        The table has none and none is given; the message names the option.
    """
    if given is not None:
        if not 0.0 < given < np.inf:
            raise SettingsError(f"photo rate of {element} is {given}; it must be positive and finite")
        return given
    try:
        return photo_rate(element, f"{element}+", distance_au, activity)
    except CoverageError:
        raise SettingsError(
            f"no photo-ionisation rate of {element} is known at activity {activity:g}; give one, at the Moon, with "
            f"--photo-rate {element}=RATE (s-1), or take --source sputter"
        ) from None


def lunar_exosphere(
    element: str,
    state: PlasmaState,
    yields: SputterYields,
    *,
    seed: int,
    regolith: str = "highland",
    releases: tuple[str, ...] = RELEASES,
    rate: float | None = None,
    particles: int = 20_000,
    outer_radius: float = 10.0,
) -> xr.Dataset:
    """Density of an element with height over the Moon, and its ions made by sunlight.

    Each way of release is a population: sputtering and impacts with their number of atoms per second, desorption with the
    observed density at the subsolar surface. Densities are means over the sphere. Desorption goes with max(cos chi, 0) of the
    zenith angle chi of the Sun, whose mean over the sphere is 1/4: its density is the observed one at the subsolar point
    (``subsolar_density``) and a quarter of it in the mean. Its ``source_rate`` counts every hop, most of which end on the
    surface again.

    Parameters
    ----------
    element : str
        Such as ``"Na"``.
    state, yields
        Plasma and sputter yields.
    seed : int
        Seed of the Monte Carlo exosphere.
    regolith : str
        See `regolith_composition`.
    releases : tuple of str
        Of `RELEASES`; desorption counts only for elements of the table (Na, K).
    rate : float, optional
        Rate of photo-ionisation, s-1; that of the table at quiet Sun without it.
    particles : int
        Test particles per population.
    outer_radius : float
        End of the exosphere, radii of the Moon; ions made beyond are not counted.

    Returns
    -------
    xarray.Dataset
        As of `monte_carlo_exosphere`, with ``altitude`` (radius), km; ``column_density`` (population), m-2;
        ``ion_production`` (population, radius), m-3 s-1, mean over the shell; ``ion_production_rate`` (population), s-1;
        ``sunlit_share`` (population, radius); ``subsolar_density`` (population, radius), m-3: 4 times the mean for releases
        with the cosine, the mean for impacts.

    Raises
    ------
    SettingsError
        A release is unknown, nothing is released, or there is no photo rate.
    CoverageError
        The regolith has none of the element.
    """
    ionisation = lunar_photo_rate(element, rate)
    sources = _sources(element, state, yields, regolith, releases)
    if not 1.0 < outer_radius < np.inf:
        raise SettingsError(f"outer radius is {outer_radius} radii of the Moon; it must be above 1 and finite")
    moon = get_body("Moon")
    edges = moon.require_value("radius") / 1e3 * np.geomspace(1.0, outer_radius, 61)
    result = monte_carlo_exosphere(
        moon, sources, seed=seed, particles=particles, radius_edges=edges, loss_rate={element: ionisation}
    )
    return _with_ions(result, ionisation, edges * 1e3)


def shadow_free_share(radius: np.ndarray, body_radius: float) -> np.ndarray:
    """Share of a sphere that lies outside the (cylindrical) shadow of a body: (1 + sqrt(1 - (R/r)^2))/2."""
    ratio = body_radius / np.asarray(radius, dtype=np.float64)
    return 0.5 * (1.0 + np.sqrt(np.clip(1.0 - ratio**2, 0.0, 1.0)))


def _sources(
    element: str, state: PlasmaState, yields: SputterYields, regolith: str, releases: tuple[str, ...]
) -> list[SurfaceSource]:
    unknown = set(releases) - set(RELEASES)
    if unknown:
        raise SettingsError(f"releases {sorted(unknown)} are unknown; known: {', '.join(RELEASES)}")
    area = 4.0 * np.pi * get_body("Moon").require_value("radius") ** 2
    sources = []
    if "sputtering" in releases:
        flux = sputter_rate(state, yields) * element_share(element, regolith) / area
        if flux > 0.0:
            energy = binding_energy(element) / ELEMENTARY_CHARGE
            sources.append(SurfaceSource(element, "sputter", flux=flux, energy=energy, name="sputtering"))
    if "impact" in releases:
        flux = impact_vapour_rate(element, regolith) / area
        sources.append(SurfaceSource(element, "impact_vapour", flux=flux, name="impact"))
    table = load_table("sources", "lunar_release")
    desorbed = set(table.loc[table["quantity"] == "desorbed_surface_density", "species"])
    if "desorption" in releases and element in desorbed:
        # mean over the sphere of max(cos, 0) times the density at the subsolar point
        density = 0.25 * release_number("desorbed_surface_density", element)[0] * 1e6
        temperature = release_number("desorption_temperature")[0]
        sources.append(SurfaceSource(element, surface_density=density, temperature=temperature, name="desorption"))
    if not sources:
        raise SettingsError(f"no release of {element} from the Moon with {', '.join(releases)}; choose others")
    return sources


def _with_ions(exosphere: xr.Dataset, ionisation: float, edges: np.ndarray) -> xr.Dataset:
    """Add columns and the production of ions."""
    density = exosphere["density"].values
    middle = exosphere["radius"].values * 1e3
    names = [str(name) for name in exosphere["population"].values]
    lit = np.stack([np.ones_like(middle) if name in DAY_SIDE else shadow_free_share(middle, edges[0]) for name in names])
    production = density * lit * ionisation
    peak = density * np.where(np.isin(names, DAY_SIDE), 4.0, 1.0)[:, None]
    columns = (density * np.diff(edges)).sum(axis=1)
    dims = ("population", "radius")
    return exosphere.assign(
        altitude=("radius", (middle - edges[0]) / 1e3, {"units": "km", "long_name": "height over the surface of the Moon"}),
        column_density=("population", columns, {"units": "m-2", "long_name": "vertical column of atoms up to the last shell"}),
        sunlit_share=(dims, lit, {"units": "1", "long_name": "share of the atoms of the shell in sunlight"}),
        subsolar_density=(dims, peak, {"units": "m-3", "long_name": "density over the subsolar point, mean over the shell"}),
        ion_production=(dims, production, {"units": "m-3 s-1", "long_name": "ions made by sunlight, mean over the shell"}),
        ion_production_rate=(
            "population", (production * shell_volumes(edges)).sum(axis=1), {"units": "s-1", "long_name": "ions made by sunlight"},
        ),
    ).assign_attrs(photo_rate_per_s=ionisation)  # fmt: skip
