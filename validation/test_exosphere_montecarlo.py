"""Monte Carlo exosphere: Chamberlain's density from a Maxwellian surface, and the synthetic exosphere of Mercury.

A surface at 420 K that releases H with a Maxwellian flux makes the ballistic and escaping populations of Chamberlain 1963
(doi:10.1016/0032-0633(63)90122-3). The error of the simulated density, weighted over shells, falls as N^(-1/2). Then the
numbers of Mercury in Lammer et al. 2025 (doi:10.3389/fspas.2024.1499346), in cm-3 at 2 and 7.5 radii: H of 320 at the
surface, and H from the dissociation of H2 of 1800 at the surface (both as Chamberlain exospheres at 420 and 575 K;
8.24e-8 s-1 at 1 AU, Huebner & Mukherjee 2015; perihelion). The paper plots medians of 100 and 10.
"""

from __future__ import annotations

import numpy as np
from recording import check_recorded

from siderion.core.bodies import get_body
from siderion.core.tables import load_table
from siderion.exosphere.montecarlo import SpaceSource, SurfaceSource, monte_carlo_exosphere, shell_volumes
from siderion.exosphere.populations import load_populations, maxwellian_population

MERCURY = get_body("Mercury")
RADIUS = 2440.0  # km
TEMPERATURES = (420.0, 575.0)
DISSOCIATION = 8.24e-8  # s-1 at 1 AU, H2 to H + H
IONISATION = 7.26e-8  # s-1 at 1 AU, H
PERIHELION = 0.307  # AU
LEVELS = (2.0, 7.5)


def shell_mean(edges: np.ndarray, species: str, density: float, temperature: float) -> np.ndarray:
    """Mean Chamberlain density over shells, by Gauss-Legendre quadrature."""
    nodes, weights = np.polynomial.legendre.leggauss(16)
    half, middle = np.diff(edges) / 2.0, (edges[1:] + edges[:-1]) / 2.0
    radius = middle[:, None] + half[:, None] * nodes
    values = maxwellian_population(radius, MERCURY, species, density, temperature)
    return 4.0 * np.pi * ((radius**2 * values) @ weights) * half / shell_volumes(edges)


def convergence(counts: tuple[int, ...], seeds: int) -> dict[str, float]:
    """Root mean square relative error over shells and seeds, by number of particles, and its exponent."""
    edges = np.geomspace(1.0, 4.0, 11) * RADIUS
    expected = shell_mean(edges, "H", 1.0, 420.0)
    source = SurfaceSource("H", surface_density=1.0, temperature=420.0)
    norms, errors = {}, []
    for count in counts:
        squares, ratios = [], []
        for seed in range(seeds):
            result = monte_carlo_exosphere(MERCURY, [source], seed=seed, particles=count, radius_edges=edges)
            deviation = result.density.values[0] - expected
            squares.append((deviation / expected) ** 2)
            ratios.append((deviation / result.density_standard_error.values[0]) ** 2)
        errors.append(float(np.sqrt(np.mean(squares))))
        norms[f"relative error with {count} particles"] = errors[-1]
        norms[f"error over standard error with {count} particles"] = float(np.sqrt(np.mean(ratios)))
    norms["exponent of the error"] = float(np.polyfit(np.log(counts), np.log(errors), 1)[0])
    return norms


def hydrogen_from_molecules(temperature: float, energy: np.ndarray, share: np.ndarray, particles: int) -> np.ndarray:
    """Density of H from the dissociation of H2 around the `LEVELS`, cm-3."""
    levels = np.geomspace(1.0, 20.0, 400) * RADIUS
    molecules = load_populations("Mercury", "H2")[0].surface_density
    profile = maxwellian_population(levels, MERCURY, "H2", molecules, temperature)
    rate = DISSOCIATION / PERIHELION**2
    source = SpaceSource("H", "H2", levels, profile, rate, energy, 2.0, share, temperature)
    edges = np.array([1.0, 1.9, 2.1, 7.25, 7.75, 20.0]) * RADIUS
    losses = {"H": IONISATION / PERIHELION**2}
    result = monte_carlo_exosphere(MERCURY, [source], seed=1, particles=particles, radius_edges=edges, loss_rate=losses)
    return result.density.values[0, [1, 3]] / 1e6


def mercury(particles: int) -> dict[str, float]:
    """Densities of H at Mercury from the surface and from H2, cm-3."""
    table = load_table("particles", "launch")
    branches = table[(table["process"] == "photo_dissociation") & (table["species"] == "H2")]
    energy, share = branches["lower"].to_numpy() / 2.0, branches["share"].to_numpy()
    surface = load_populations("Mercury", "H")[0].surface_density
    norms = {}
    for temperature in TEMPERATURES:
        direct = maxwellian_population(np.array(LEVELS) * RADIUS, MERCURY, "H", surface, temperature) / 1e6
        born = hydrogen_from_molecules(temperature, energy, share, particles)
        slow = hydrogen_from_molecules(temperature, np.array([0.01]), np.array([1.0]), particles)
        for k, level in enumerate(LEVELS):
            place = f"at {level:g} radii, {temperature:g} K"
            norms[f"H from the surface {place}"] = float(direct[k])
            norms[f"H from H2 {place}"] = float(born[k])
            norms[f"H from H2 with only 0.01 eV {place}"] = float(slow[k])
    return norms


def run(size: str) -> dict[str, float]:
    """Norms of convergence, and the densities of Mercury."""
    counts, seeds, particles = (
        ((1000, 4000, 16000, 64000), 40, 1_000_000) if size == "full" else ((1000, 4000, 16000), 20, 100_000)
    )
    return convergence(counts, seeds) | mercury(particles)


def test_exosphere_montecarlo() -> None:
    """The error falls as N^(-1/2) and is what its standard error says; H of the surface and from H2 stays below the paper's."""
    norms = check_recorded("exosphere_montecarlo", run)
    assert -0.6 < norms["exponent of the error"] < -0.4
    assert all(0.85 < value < 1.15 for name, value in norms.items() if name.startswith("error over standard error"))
    for temperature in TEMPERATURES:
        for level, plotted in zip(LEVELS, (100.0, 10.0), strict=True):
            place = f"at {level:g} radii, {temperature:g} K"
            assert norms[f"H from H2 {place}"] < 0.02 * plotted
            assert norms[f"H from the surface {place}"] + norms[f"H from H2 {place}"] < 0.5 * plotted
