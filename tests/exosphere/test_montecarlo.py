"""Monte Carlo exospheres against Chamberlain, free expansion, conservation of particles and each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.constants import Boltzmann, gravitational_constant
from scipy.special import gammainc

from siderion.core.bodies import get_body
from siderion.core.errors import DataError, NumericalError, SettingsError
from siderion.core.species import get_species
from siderion.exosphere.montecarlo import SpaceSource, SurfaceSource, monte_carlo_exosphere, shell_volumes

MERCURY = get_body("Mercury")
RADIUS = MERCURY.radius
EDGES = np.geomspace(1.0, 8.0, 25) * RADIUS / 1e3


def chamberlain(radius, density, temperature, mass):
    """Ballistic and escaping density, written down here independently of the product (Chamberlain 1963)."""
    critical = gravitational_constant * MERCURY.mass * mass / (Boltzmann * temperature * RADIUS)
    value = critical * RADIUS / radius
    psi = value**2 / (value + critical)
    cone = np.sqrt(1.0 - (value / critical) ** 2) * np.exp(-psi)
    share = 0.5 * (1.0 + gammainc(1.5, value) - cone * (1.0 + gammainc(1.5, value - psi)))
    return density * np.exp(value - critical) * share / (0.5 * (1.0 + gammainc(1.5, critical)))


def shell_means(edges, *arguments):
    """Means of the Chamberlain density over shells by Gauss-Legendre quadrature of r^2 n."""
    nodes, weights = np.polynomial.legendre.leggauss(12)
    half, middle = np.diff(edges) / 2.0, (edges[1:] + edges[:-1]) / 2.0
    radius = middle[:, None] + half[:, None] * nodes
    return 4.0 * np.pi * ((radius**2 * chamberlain(radius, *arguments)) @ weights) * half / shell_volumes(edges)


@pytest.mark.parametrize(("species", "temperature"), [("H", 420.0), ("He", 575.0), ("H2", 420.0), ("He", 4000.0)])
def test_maxwellian_source_gives_chamberlains_density(species, temperature):
    density = 1e9
    source = SurfaceSource(species, surface_density=density, temperature=temperature)
    result = monte_carlo_exosphere(MERCURY, [source], seed=1, particles=60_000, radius_edges=EDGES)
    expected = shell_means(EDGES * 1e3, density, temperature, get_species(species).mass)
    found, error = result.density.values[0], result.density_standard_error.values[0]
    known = error < 0.2 * found  # shells that many particles reach
    assert known.sum() >= 8
    deviation = (found - expected)[known] / error[known]
    assert np.abs(deviation).max() < 4.0
    assert (error / found)[0] < 0.01


def test_standard_errors_are_the_scatter_between_seeds():
    source = SurfaceSource("H", surface_density=1.0, temperature=420.0)
    edges = np.array([1.0, 1.5, 2.5, 5.0]) * RADIUS / 1e3
    runs = [monte_carlo_exosphere(MERCURY, [source], seed=seed, particles=2000, radius_edges=edges) for seed in range(60)]
    densities = np.stack([run.density.values[0] for run in runs])
    claimed = np.sqrt(np.mean([run.density_standard_error.values[0] ** 2 for run in runs], axis=0))
    ratio = densities.std(axis=0, ddof=1) / claimed
    # the standard deviation of 60 values is known to 9 %; 4 sigma
    assert (np.abs(ratio - 1.0) < 0.37).all()
    expected = shell_means(edges * 1e3, 1.0, 420.0, get_species("H").mass)
    assert (np.abs(densities.mean(axis=0) - expected) < 4.0 * densities.std(axis=0) / np.sqrt(60)).all()


def test_jeans_escape_of_the_source():
    temperature, mass = 600.0, get_species("H").mass
    source = SurfaceSource("H", flux=1e10, temperature=temperature)
    result = monte_carlo_exosphere(MERCURY, [source], seed=3, particles=100_000, radius_edges=EDGES)
    critical = gravitational_constant * MERCURY.mass * mass / (Boltzmann * temperature * RADIUS)
    expected = (1.0 + critical) * np.exp(-critical)  # part of a Maxwellian flux above the escape energy
    found = float(result.escape_rate[0] / result.source_rate[0])
    assert abs(found - expected) < 4.0 * np.sqrt(expected * (1.0 - expected) / 100_000)
    assert float(result.source_rate[0]) == pytest.approx(1e10 * 4.0 * np.pi * RADIUS**2, rel=1e-12)


@pytest.mark.parametrize(
    "source",
    [
        SurfaceSource("Na", "sputter", surface_density=1e6, energy=2.0),
        SurfaceSource("Na", "sputter", surface_density=1e6, energy=2.0, largest_energy=200.0, cosine_power=2.0),
        SurfaceSource("Na", "impact_vapour", surface_density=1e6),
        SurfaceSource("He", "mono_energetic", flux=1e6, energy=0.3),
    ],
)
def test_particles_are_conserved(source):
    result = monte_carlo_exosphere(MERCURY, [source], seed=4, particles=5000, loss_rate={source.species: 1e-4})
    ends = result.return_rate + result.escape_rate + result.photo_loss_rate
    assert np.allclose(ends, result.source_rate, rtol=1e-10, atol=0.0)
    assert (result.density.values[0, 0] > 0).all()


def test_surface_density_is_that_of_the_lowest_shell():
    # a thin lowest shell has the density of the surface, whatever the process; the norm is computed in another way
    edges = np.array([1.0, 1.0002, 2.0]) * RADIUS / 1e3
    for source in (
        SurfaceSource("Na", "sputter", surface_density=1e6, energy=2.0),
        SurfaceSource("Na", "sputter", surface_density=1e6, energy=0.2, cosine_power=2.0),
        SurfaceSource("H", surface_density=1e6, temperature=420.0),
    ):
        result = monte_carlo_exosphere(
            MERCURY, [source], seed=5, particles=100_000, radius_edges=edges, loss_rate={source.species: 1e-4}
        )
        assert float(result.density[0, 0]) == pytest.approx(1e6, rel=0.01)


def test_fast_fragments_spread_as_the_inverse_square():
    # parents in a thin shell; fragments far above the escape speed fly straight, so n = rate / (4 pi r^2 v) far away
    parent_radius = np.array([1.0, 1.001]) * RADIUS / 1e3
    source = SpaceSource("H", "H2", parent_radius, [1e9, 1e9], rate=1e-6, energy=1000.0, fragments=2.0)
    edges = np.array([1.0, 1.1, 40.0, 41.0]) * RADIUS / 1e3
    result = monte_carlo_exosphere(MERCURY, [source], seed=6, particles=50_000, radius_edges=edges)
    births = 2.0 * 1e-6 * 1e9 * shell_volumes(np.array([1.0, 1.001]) * RADIUS)[0]
    assert float(result.source_rate[0]) == pytest.approx(births, rel=1e-5)
    # close to the surface nearly half the sky is solid, so nearly half of the fragments hit it
    horizon = np.sqrt(1.0 - (RADIUS / (RADIUS * np.linspace(1.0, 1.001, 1001))) ** 2).mean()
    escaping = 0.5 * (1.0 + horizon)
    assert float(result.escape_rate[0] / births) == pytest.approx(escaping, abs=4.0 * 0.5 / np.sqrt(50_000))
    speed = np.sqrt(2.0 * 1000.0 * 1.602176634e-19 / get_species("H").mass)
    expected = escaping * births * RADIUS / speed / shell_volumes(edges[2:] * 1e3)[0]
    assert float(result.density[0, 2]) == pytest.approx(expected, rel=0.01)


def test_integrated_orbits_agree_with_exact_ones():
    source = SurfaceSource("He", surface_density=1e6, temperature=575.0)
    edges = np.array([1.0, 1.1, 1.3, 1.6, 30.0]) * RADIUS / 1e3
    exact = monte_carlo_exosphere(MERCURY, [source], seed=7, particles=8000, radius_edges=edges)
    integrated = monte_carlo_exosphere(MERCURY, [source], seed=7, particles=8000, radius_edges=edges, zenith_steps=3)
    # same seed, same launches: the only differences are the steps and particles cut at the outer radius
    # the outermost shell lacks the bound particles that turn back beyond it
    assert np.allclose(integrated.density[:, :3], exact.density[:, :3], rtol=1.5e-3, atol=0.0)
    deviation = integrated.density_by_zenith_angle - integrated.density
    assert (np.abs(deviation) < 5.0 * integrated.density_by_zenith_angle_standard_error).all()
    assert integrated.attrs["method"] != exact.attrs["method"]


def test_populations_do_not_disturb_each_other():
    first = SurfaceSource("H", surface_density=1.0, temperature=420.0)
    second = SurfaceSource("He", surface_density=1.0, temperature=420.0)
    alone = monte_carlo_exosphere(MERCURY, [first], seed=8, particles=1000)
    both = monte_carlo_exosphere(MERCURY, [first, second], seed=8, particles=1000)
    assert np.array_equal(alone.density[0], both.density[0])
    assert list(both.population.values) == ["H maxwellian", "He maxwellian"]


def test_fragments_on_closed_orbits_need_a_loss_rate():
    source = SpaceSource("H", "H2", [5000.0, 9000.0], [1e9, 1e9], rate=1e-6, energy=0.01)
    with pytest.raises(NumericalError, match="loss_rate"):
        monte_carlo_exosphere(MERCURY, [source], seed=1, particles=1000)
    result = monte_carlo_exosphere(MERCURY, [source], seed=1, particles=1000, loss_rate={"H": 1e-6})
    ends = result.return_rate + result.escape_rate + result.photo_loss_rate
    assert np.allclose(ends, result.source_rate, rtol=1e-10, atol=0.0)


GOOD = SurfaceSource("H", surface_density=1.0, temperature=400.0)


@pytest.mark.parametrize(
    ("sources", "options"),
    [
        ([], {}),
        ([GOOD], {"particles": 10}),
        ([GOOD, GOOD], {}),
        ([GOOD], {"loss_rate": {"He": 1.0}}),
        ([GOOD], {"radius_edges": [1.0, 2.0]}),
        ([SurfaceSource("H", temperature=400.0)], {}),
        ([SurfaceSource("H", temperature=400.0, flux=1.0, surface_density=1.0)], {}),
        ([SurfaceSource("H", surface_density=1.0)], {}),
        ([SurfaceSource("H", "magic", surface_density=1.0)], {}),
        ([SurfaceSource("H", "sputter", surface_density=1.0)], {}),
        ([SpaceSource("H", "H2", [1.0, 2.0], [1.0, 1.0], rate=0.0, energy=1.0)], {}),
    ],
)
def test_bad_settings_are_refused(sources, options):
    with pytest.raises(SettingsError):
        monte_carlo_exosphere(MERCURY, sources, seed=1, **options)


@pytest.mark.parametrize(
    ("radius", "density"),
    [([3000.0, 2500.0], [1.0, 1.0]), ([2500.0, 3000.0], [1.0, np.nan]), ([1.0, 2.0], [1.0, 1.0]), ([2500.0], [1.0])],
)
def test_bad_profiles_of_parents_are_refused(radius, density):
    with pytest.raises(DataError):
        monte_carlo_exosphere(MERCURY, [SpaceSource("H", "H2", radius, density, rate=1.0, energy=1.0)], seed=1)


def test_body_without_mass_is_refused():
    with pytest.raises(SettingsError, match="body_mass"):
        monte_carlo_exosphere(get_body("26P"), [GOOD], seed=1)
