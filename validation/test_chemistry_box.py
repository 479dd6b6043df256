"""Iron chemistry in a box at 95 km: the equilibrium, the sum over the states, the order of the time step.

dn/dt = K n with the full network of iron. At rest it is the null vector of K (found here by singular values, and by the
elimination of Grassmann, Taksar & Heyman 1985, doi:10.1287/opre.33.5.1107); before, it is exp(K t) n0. Background:
typical of 95 km in polar summer; the check does not depend on it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from prescribed import build_model, order, single_columns, uniform_shells
from recording import check_recorded
from scipy.linalg import expm

from siderion.chemistry.implicit import equilibrium
from siderion.chemistry.network import first_order_rates
from siderion.chemistry.reactions import Temperatures
from siderion.transport.model import Model

BACKGROUND = {"N2": 2.2e19, "O2": 5.5e18, "O": 3e17, "O3": 2e13, "NO": 5e13, "H": 5e13, "H2": 1e13, "H2O": 5e12, "CO2": 8e15}
BACKGROUND |= {"O2+": 4e9, "NO+": 6e9, "O+": 1e5, "N2+": 1e5}
TEMPERATURE = 170.0  # K
ELECTRONS = 1e10  # m-3
TOTAL = 1.0  # m-3: so little that it does not change the electrons
DAY = 86400.0


def box(sunlit: float) -> tuple[Model, NDArray[np.float64]]:
    """Model with the same rates everywhere, all iron in the ion; and the rates, s-1, electrons included."""
    model = build_model(single_columns(), uniform_shells(90.0, 100.0, 5), network="full")
    metal = model.metals[0]
    assert metal.network is not None
    warm = Temperatures(TEMPERATURE, TEMPERATURE, TEMPERATURE)
    rates = first_order_rates(metal.network, warm, BACKGROUND, sunlit)
    metal.rates[:] = rates[:, None, None, None]
    metal.density[:] = TOTAL
    model.background[:] = ELECTRONS
    return model, np.where(metal.network.scales_with_electrons, rates * (ELECTRONS + TOTAL), rates)


START = np.datetime64("2023-06-18", "ns")


def matrix(model: Model, rates: NDArray) -> NDArray[np.float64]:
    """Matrix K of the network."""
    network = model.metals[0].network
    assert network is not None
    values = np.zeros((len(network.states), len(network.states)))
    for rate, start, end in zip(rates, network.edges_from, network.edges_to, strict=True):
        values[end, start] += rate
        values[start, start] -= rate
    return values


def react(model: Model, duration: float, steps: int) -> NDArray[np.float64]:
    """Densities of the states after a time, in one cell."""
    for _ in range(steps):
        model.chemistry_step(START, duration / steps)
    return model.metals[0].reservoirs[:, 2, 4, 4].copy()


def run(size: str) -> dict[str, float]:
    """Distance from the equilibrium and from the exact solution, by day and by night."""
    halvings = 6 if size == "full" else 3
    norms: dict[str, float] = {}
    for name, sunlit in (("day", 1.0), ("night", 0.0)):
        model, rates = box(sunlit)
        network = model.metals[0].network
        assert network is not None
        kernel = matrix(model, rates)
        settled = react(model, 2000.0 * DAY, 200)
        closed = equilibrium(rates, network.edges_from, network.edges_to, len(network.states), TOTAL)
        pace = np.abs(kernel).max(axis=0)  # rates of 1e-6 to 10 s-1: scaled, or the null vector is good to 1e-10 only
        null = np.linalg.svd(kernel / pace)[2][-1] / pace
        norms[f"{name}, distance from the equilibrium"] = float(np.abs(settled - closed).max() / TOTAL)
        norms[f"{name}, equilibrium against the null vector"] = float(np.abs(closed - null / null.sum() * TOTAL).max() / TOTAL)
        norms[f"{name}, change of the sum"] = abs(float(settled.sum()) / TOTAL - 1.0)
        norms[f"{name}, part that is Fe+ at rest"] = float(settled[0] / TOTAL)
        exact = expm(kernel * DAY) @ np.eye(len(network.states))[0] * TOTAL
        norms[f"{name}, part that is Fe+ after a day"] = float(exact[0] / TOTAL)
        steps = [720 * 2**i for i in range(halvings)]
        errors = [float(np.abs(react(box(sunlit)[0], DAY, count) - exact).max() / TOTAL) for count in steps]
        for count, error in zip(steps, errors, strict=True):
            norms[f"{name}, error after a day at {DAY / count:g} s"] = error
        norms[f"{name}, order"] = order(errors[-2], errors[-1])
    return norms


def test_chemistry_box() -> None:
    """At rest the closed form; always the same sum; first order in the time step."""
    norms = check_recorded("chemistry_box", run)
    for name in ("day", "night"):
        assert norms[f"{name}, distance from the equilibrium"] < 1e-9
        assert norms[f"{name}, equilibrium against the null vector"] < 1e-9
        assert norms[f"{name}, change of the sum"] < 1e-12
        assert abs(norms[f"{name}, order"] - 1.0) < 0.05
        assert norms[f"{name}, error after a day at 120 s"] < 1e-2
