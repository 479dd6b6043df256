"""Width of the steady layer where a vertical convergence balances diffusion.

dN/dt + d(w N)/dz = d/dz (D dN/dz) with w = -a (z - z0): the steady layer is a Gaussian of width sigma = sqrt(D / a)
(Fokker-Planck equation; Risken 1989, The Fokker-Planck Equation, section 5.3). Cases: 105 km, wind shear of 50 m/s per km,
inclination 75 degrees; 120 km, electric field of 30 mV/m towards the north-west; and a broad layer of 1 km. The step is
that of a run: half a step of diffusion, advection, half a step of diffusion. Widths are compared with those of the exact
cell means. The width is of second order in the time step; the shape (l1) of first order, as the implicit diffusion has the
variance of a Gaussian but not its tails.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from prescribed import build_model, order, set_vertical_velocity, shell_means, single_columns, uniform_shells
from recording import check_recorded

LAYERS = {"105 km": (1.7e-3, 270.0), "120 km": (5.8e-3, 470.0), "broad": (1.7e-3, 1010.0)}
"""Convergence a, s-1, and width sigma, m."""
CENTRE = 110.13  # km: neither the centre nor the face of a cell
HALF_DEPTH = 15.0  # km
TIME_STEP = 20.0


def steady_layer(convergence: float, sigma: float, thickness: float, time_step: float) -> tuple[NDArray, NDArray, NDArray, float]:
    """Altitudes (km), calculated and exact densities, and change of mass; ``thickness`` of the cells in km."""
    shells = uniform_shells(110.0 - HALF_DEPTH, 110.0 + HALF_DEPTH, round(2.0 * HALF_DEPTH / thickness))
    model = build_model(single_columns(), shells)
    metal = model.metals[0]
    set_vertical_velocity(model, -convergence * 1e3 * (shells.altitude - CENTRE))
    metal.diffusivity[:] = convergence * sigma**2
    metal.density[:] = 1.0
    mass = model.content(metal)
    model.diffuse(time_step / 2.0)
    for _ in range(int(np.ceil(12.0 / convergence / time_step))):
        model.advect_vertical(metal, np.ones(model.shape), time_step, last=True)
        model.diffuse(time_step)
    model.advect_vertical(metal, np.ones(model.shape), time_step, last=True)
    model.diffuse(time_step / 2.0)
    exact = shell_means(shells, lambda z: np.exp(-0.5 * ((z - CENTRE) * 1e3 / sigma) ** 2))
    exact *= np.sum(metal.density[:, 4, 4] * shells.shell) / np.sum(exact * shells.shell)
    return shells.altitude, metal.density[:, 4, 4], exact, model.content(metal) / mass - 1.0


def moments(altitude: NDArray, density: NDArray) -> tuple[float, float]:
    """Mean altitude, km, and standard deviation, m."""
    mean = float(np.sum(altitude * density) / density.sum())
    return mean, 1e3 * float(np.sqrt(np.sum((altitude - mean) ** 2 * density) / density.sum()))


def judge(convergence: float, sigma: float, thickness: float, time_step: float) -> dict[str, float]:
    """Relative excess of the width over that of exact cell means, shift of the centre in m, l1 norm, change of mass."""
    altitude, density, exact, mass = steady_layer(convergence, sigma, thickness, time_step)
    centre, width = moments(altitude, density)
    exact_centre, exact_width = moments(altitude, exact)
    return {
        "width": width / exact_width - 1.0,
        "sheppard": float(np.sqrt(max(width**2 - (1e3 * thickness) ** 2 / 12.0, 0.0))),
        "shift": 1e3 * abs(centre - exact_centre),
        "l1": float(np.abs(density - exact).sum() / exact.sum()),
        "mass": abs(mass),
    }


def run(size: str) -> dict[str, float]:
    """Excess widths by cell height at a step of 20 s, and by time step at the finest cells."""
    heights, steps = ((1.0, 0.5, 0.25, 0.125), (40.0, 20.0, 10.0, 5.0)) if size == "full" else ((0.5, 0.25), (40.0, 20.0, 10.0))
    norms: dict[str, float] = {}
    changes = []
    for name, (convergence, sigma) in LAYERS.items():
        for height in heights:
            result = judge(convergence, sigma, height, TIME_STEP)
            norms[f"{name}, excess of the width at {height:g} km"] = result["width"]
            norms[f"{name}, l1 at {height:g} km"] = result["l1"]
            norms[f"{name}, shift of the centre at {height:g} km, m"] = result["shift"]
            changes.append(result["mass"])
        norms[f"{name}, width at {heights[-1]:g} km, m"] = result["sheppard"]
        by_step = [judge(convergence, sigma, heights[-1], step) for step in steps]
        for step, result in zip(steps, by_step, strict=True):
            norms[f"{name}, excess of the width at {step:g} s"] = result["width"]
        norms[f"{name}, order of l1 in the time step"] = order(by_step[0]["l1"], by_step[1]["l1"])
        if name != "105 km":  # there the error of the cells is larger than that of the time step
            norms[f"{name}, order of the width in the time step"] = order(
                abs(by_step[0]["width"] - by_step[1]["width"]), abs(by_step[1]["width"] - by_step[2]["width"])
            )
    norms["change of mass"] = max(changes)
    return norms


def test_thin_layer() -> None:
    """The width is sqrt(D / a) within 2.5 %, of second order in the time step; the centre stays; so does the mass."""
    norms = check_recorded("thin_layer", run)
    for name, (_, sigma) in LAYERS.items():
        assert abs(norms[f"{name}, excess of the width at 0.5 km"]) < 0.025
        assert abs(norms[f"{name}, excess of the width at 0.25 km"]) < 0.02
        assert norms[f"{name}, shift of the centre at 0.25 km, m"] < 1e-3 * sigma
        assert norms[f"{name}, l1 at 0.25 km"] < 0.5 * norms[f"{name}, l1 at 0.5 km"] + 0.01
    assert abs(norms["broad, excess of the width at 20 s"]) < 1e-3
    assert norms["broad, order of the width in the time step"] > 1.7
    assert norms["120 km, order of the width in the time step"] > 1.7
    assert norms["change of mass"] < 1e-12
