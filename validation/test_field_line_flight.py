"""Flight of ions along a field line: gravity, mirror force, heating by waves.

Without waves the energy and the magnetic moment are kept, and the share of a Maxwellian flux that reaches 4 Earth radii is
(e^-x - b e^(-x/b))/(1 - b), with x the work up to there over k T and b = 1 - B_top/B_start. Strong heating ends in the conic of
Chang et al. 1986 (doi:10.1029/GL013i007p00636): W_perp/W_par = (6 a + 2)/9 for S ~ f^-a on a vertical line with B ~ r^-3, for the
mean particle and for the mean over particles that are kicked at random. Starts at 500 km; O+; dipole of 30 microtesla.
"""

from __future__ import annotations

import numpy as np
from prescribed import order
from recording import check_recorded

from siderion.core.constants import EARTH_GM, EARTH_RADIUS, ELEMENTARY_CHARGE
from siderion.core.species import get_species
from siderion.sources.ionosphere.escape import maxwellian_escape_fraction
from siderion.sources.ionosphere.field_line import AmbipolarPotential, FieldLine, Waves, conic_asymptote
from siderion.sources.ionosphere.flight import Surroundings, fly_ions, launch_upflow, trace_ion

MASS = get_species("O+").mass
TEMPERATURE = 25_000.0
START = 500e3
DARK = Waves.uniform(0.0)
NONE = AmbipolarPotential.named("none")


def energy_error(step: float) -> float:
    """Largest relative change of the energy up to 4 RE with the ambipolar potential of the polar wind."""
    place = Surroundings(FieldLine(3e-5, 75.0), DARK, AmbipolarPotential.named("polar_wind"))
    path = trace_ion("O+", START, 7000.0, 3000.0**2, place, step=step)
    potential = ELEMENTARY_CHARGE / MASS * place.ambipolar.potential(path[:, 1])
    energy = 0.5 * (path[:, 2] ** 2 + path[:, 3] ** 2) - EARTH_GM / (EARTH_RADIUS + path[:, 1]) + potential
    return float(np.abs(energy / energy[0] - 1.0).max())


def escape_errors(particles: int, batches: int) -> tuple[float, float]:
    """Mean and scatter, in units of the exact share, of the error of the escaping share of batches."""
    place = Surroundings(FieldLine(3e-5, 75.0), DARK, NONE)
    exact = maxwellian_escape_fraction("O+", TEMPERATURE, START, place)
    along, across = launch_upflow(particles * batches, TEMPERATURE, MASS, 0.0, np.random.default_rng(particles))
    reached = fly_ions("O+", START, along, across, place, 0, step=0.05).reached.reshape(batches, particles)
    errors = reached.mean(axis=1) / exact - 1.0
    return float(errors.mean()), float(np.sqrt(np.mean(errors**2)))


def conic(index: float, stochastic: bool, particles: int, radius: float) -> float:
    """W_perp/W_par of the means at a geocentric distance in Earth radii, over the asymptote, less 1."""
    place = Surroundings(FieldLine(3e-5), Waves.uniform(1e-3, spectral_index=index), NONE, top=(radius - 1.0) * EARTH_RADIUS)
    along, across = launch_upflow(particles, 2000.0, MASS, 500.0, np.random.default_rng(11))
    flights = fly_ions("O+", START, along, across, place, 3, stochastic=stochastic)
    return float(flights.energy_across.mean() / flights.energy_along.mean() / conic_asymptote(index) - 1.0)


def run(size: str) -> dict[str, float]:
    """Energy error by step, escaping share by number of particles, conic by spectral index."""
    steps = (0.08, 0.04, 0.02, 0.01) if size == "full" else (0.08, 0.04, 0.02)
    numbers, batches = ((100, 1600, 25600), 64) if size == "full" else ((100, 400, 1600), 16)
    errors = [energy_error(step) for step in steps]
    norms = {f"change of energy at a step of {step:g}": error for step, error in zip(steps, errors, strict=True)}
    norms["order of the energy"] = order(errors[0], errors[-1], steps[0] / steps[-1])
    scatter = []
    for number in numbers:
        mean, spread = escape_errors(number, batches)
        norms[f"escaping share, scatter with {number} ions"] = spread
        scatter.append(spread)
        norms[f"escaping share, mean error with {batches} x {number} ions"] = mean
    norms["order of the scatter in the number of ions"] = order(scatter[0], scatter[-1], numbers[-1] / numbers[0])
    many = 20_000 if size == "full" else 1000
    for index in (0.0, 1.7):
        norms[f"conic of index {index:g}, mean heating"] = conic(index, False, 1, 300.0)
        norms[f"conic of index {index:g}, random kicks"] = conic(index, True, many, 300.0)
    return norms


def test_field_line_flight() -> None:
    """Energy of order 4; share within 4 standard errors, its scatter as N^-1/2; conic to 1 % (random kicks 5 %)."""
    norms = check_recorded("field_line_flight", run)
    assert norms["order of the energy"] > 3.7
    assert abs(norms["order of the scatter in the number of ions"] - 0.5) < 0.15
    for name, mean in norms.items():
        if name.startswith("escaping share, mean error"):
            batches = int(name.split()[5])
            assert abs(mean) < 4.0 * norms[f"escaping share, scatter with {name.split()[7]} ions"] / np.sqrt(batches)
    for index in ("0", "1.7"):
        assert abs(norms[f"conic of index {index}, mean heating"]) < 0.01
        assert abs(norms[f"conic of index {index}, random kicks"]) < 0.05
