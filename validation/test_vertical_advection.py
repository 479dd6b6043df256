"""Vertical translation of a Gaussian at Courant numbers below and above 1, on even and on stretched shells.

d(r^2 n)/dt + d(r^2 w n)/dr = 0 with uniform w: n(r, t) = n0(r - w t) ((r - w t) / r)^2. Flux-form semi-Lagrangian scheme of
Lin & Rood 1996 (doi:10.1175/1520-0493(1996)124<2046:MFFSLT>2.0.CO;2) with the parabolas of Colella & Woodward 1984
(doi:10.1016/0021-9991(84)90143-8).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from prescribed import build_model, error_norms, order, set_vertical_velocity, shell_means, single_columns, uniform_shells
from recording import check_recorded

from siderion.transport.grid import ShellGrid

EARTH = 6371.2  # km
COURANT = (0.4, 1.7, 4.3)
SPEED = 50.0  # m s-1


def shells_of(kind: str, thickness: float) -> ShellGrid:
    """Even shells, or those of a run, which grow fourfold above 140 km; ``thickness`` of the thinnest in km."""
    if kind == "even":
        return uniform_shells(100.0, 200.0, round(100.0 / thickness))
    return ShellGrid.stretched(85.0, 140.0, 310.0, thickness, 4.0 * thickness)


def translate(kind: str, thickness: float, courant: float) -> dict[str, float]:
    """Lift a Gaussian of 5 km by 40 km; norms, change of mass, undershoot, number of cells crossed in a step."""
    shells = shells_of(kind, thickness)
    model = build_model(single_columns(), shells)
    metal = model.metals[0]
    set_vertical_velocity(model, SPEED)

    def start(altitude: NDArray) -> NDArray:
        return np.exp(-0.5 * ((altitude - 130.0) / 5.0) ** 2)

    metal.density[:] = shell_means(shells, start)[:, None, None]
    mass = model.content(metal)
    time_step = courant * 1e3 * thickness / SPEED
    steps = round(40e3 / SPEED / time_step)
    for _ in range(steps):
        model.advect_vertical(metal, np.ones(model.shape), time_step, last=True)
    lift = 1e-3 * SPEED * steps * time_step
    exact = shell_means(shells, lambda z: start(z - lift) * ((EARTH + z - lift) / (EARTH + z)) ** 2)
    result = metal.density[:, 4, 4]
    change = (model.content(metal) - metal.budget.through_top - metal.budget.through_bottom) / mass - 1.0
    spread = np.ptp(metal.density[:, model.grid.active], axis=1).max()
    return {
        **error_norms(result, exact, shells.shell),
        "mass": abs(change),
        "undershoot": max(-float(result.min()), 0.0),
        "overshoot": float(result.max() / exact.max() - 1.0),
        "turns": float(np.sum(np.diff(np.sign(np.diff(result[result > 1e-12]))) != 0)),
        "spread": float(spread),
        "crossed": float(model.most_cells_crossed),
    }


def run(size: str) -> dict[str, float]:
    """Norms by grid, Courant number and cell height."""
    heights = (1.0, 0.5, 0.25) if size == "full" else (1.0, 0.5)
    norms: dict[str, float] = {}
    every = []
    for kind in ("even", "stretched"):
        for courant in COURANT:
            results = [translate(kind, height, courant) for height in heights]
            every += results
            label = f"{kind}, Courant {courant:g}"
            for height, result in zip(heights, results, strict=True):
                norms |= {f"{label}, {name} at {height:g} km": result[name] for name in ("l1", "linf")}
            norms[f"{label}, order of l1"] = order(results[-2]["l1"], results[-1]["l1"])
            norms[f"{label}, cells crossed"] = results[-1]["crossed"]
    for name, words in {"mass": "change of mass", "undershoot": "undershoot", "spread": "difference between columns"}.items():
        norms[words] = max(result[name] for result in every)
    norms["overshoot"] = max(result["overshoot"] for result in every)
    norms["extrema"] = max(result["turns"] for result in every)
    return norms


def test_vertical_advection() -> None:
    """Second order at every Courant number, mass to round-off, one maximum that does not grow, all columns alike."""
    norms = check_recorded("vertical_advection", run)
    for name, value in norms.items():
        if name.endswith("order of l1"):
            assert value > (1.4 if name.startswith("stretched, Courant 4.3") else 2.0), name
    assert [norms[f"even, Courant {courant:g}, cells crossed"] for courant in COURANT] == [0, 1, 4]
    assert norms["change of mass"] < 1e-12
    assert norms["undershoot"] < 1e-20
    assert norms["overshoot"] < 1e-12
    assert norms["extrema"] == 1
    assert norms["difference between columns"] == 0.0
