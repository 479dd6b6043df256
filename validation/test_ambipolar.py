"""Vertical diffusive equilibrium: gravity, ion pressure and ambipolar field in balance, and the mass on the way there.

Zero flux in dN/dt = d/dz [D (dN/dz + N m g / (k Ti) + (Te / Ti) N d(ln Ne)/dz)] on a vertical field line gives, isothermal,
N ~ Ne^(-Te/Ti) exp(-m g z / (k Ti)) (Schunk & Nagy 2009, Ionospheres, section 5.6, minor ions). Where the metal ions are
themselves the plasma, Ne = N and N ~ exp(-m g z / (k (Ti + Te))). Without the ambipolar field the profile is hydrostatic,
which the exponentially fitted scheme of Scharfetter & Gummel 1969 (doi:10.1109/T-ED.1969.16566) keeps exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from prescribed import build_model, order, single_columns, uniform_shells
from recording import check_recorded

from siderion.core.constants import BOLTZMANN
from siderion.core.species import get_species
from siderion.transport.grid import ShellGrid
from siderion.transport.model import Model

GRAVITY = 9.0  # m s-2
ION_TEMPERATURE = 1000.0  # K
SCALE_HEIGHT = BOLTZMANN * ION_TEMPERATURE / (get_species("Fe+").mass * GRAVITY)  # m
RATIO = 1.8  # electron over ion temperature
BOTTOM, TOP = 200.0, 300.0  # km
TIME_STEP = 600.0
STEPS = 400


def electron_profile(altitude: NDArray) -> NDArray[np.float64]:
    """Chapman layer of electrons, m-3, with its peak at 250 km and a scale height of 45 km."""
    height = (altitude - 250.0) / 45.0
    return 5e11 * np.exp(0.5 * (1.0 - height - np.exp(-height)))


def column(shells: ShellGrid, ratio: float, electrons: NDArray | float, metal_density: float) -> Model:
    """Model whose diffusivity grows with height; the ions start in the wrong place, as a step at the bottom."""
    model = build_model(single_columns(), shells)
    metal = model.metals[0]
    diffusivity = 1e6 * np.exp((shells.altitude - BOTTOM) / 60.0)[:, None, None]
    metal.diffusivity[:] = diffusivity
    metal.drift[:] = -diffusivity / SCALE_HEIGHT
    metal.ambipolar[:] = ratio * diffusivity
    model.background[0] = np.broadcast_to(electrons, (shells.levels,))[:, None, None]
    metal.density[:] = metal_density * np.where(shells.altitude < 215.0, 1.0, 1e-3)[:, None, None]
    return model


def settle(model: Model) -> tuple[NDArray, float]:
    """Diffuse to the steady state; density of a column, and the change of mass."""
    metal = model.metals[0]
    mass = model.content(metal)
    for _ in range(STEPS):
        model.diffuse(TIME_STEP)
    return metal.density[:, 4, 4].copy(), model.content(metal) / mass - 1.0


def shape_error(density: NDArray, expected: NDArray) -> float:
    """Largest relative difference after both are brought to the same logarithmic mean."""
    difference = np.log(density) - np.log(expected)
    return float(np.abs(difference - difference.mean()).max())


def run(size: str) -> dict[str, float]:
    """Errors of the shape by cell height, and the round-off cases."""
    counts = (25, 50, 100, 200) if size == "full" else (25, 50, 100)
    norms: dict[str, float] = {}
    changes, errors = [], []
    for count in counts:
        shells = uniform_shells(BOTTOM, TOP, count)
        electrons = electron_profile(shells.altitude)
        density, change = settle(column(shells, RATIO, electrons, 1.0))
        expected = electrons**-RATIO * np.exp(-1e3 * (shells.altitude - BOTTOM) / SCALE_HEIGHT)
        errors.append(shape_error(density, expected))
        changes.append(abs(change))
        norms[f"minor ions, shape at {(TOP - BOTTOM) / count:g} km"] = errors[-1]
    norms["minor ions, order"] = order(errors[-2], errors[-1])
    shells = uniform_shells(BOTTOM, TOP, 100)
    density, change = settle(column(shells, RATIO, 1e-6, 1e10))
    changes.append(abs(change))
    expected = np.exp(-1e3 * (shells.altitude - BOTTOM) / (SCALE_HEIGHT * (1.0 + RATIO)))
    norms["ions that are the plasma, shape at 1 km"] = shape_error(density, expected)
    shells = ShellGrid.stretched(85.0, 140.0, 310.0, 1.0, 4.0)
    hydrostatic = np.exp(-1e3 * (shells.altitude - 85.0) / SCALE_HEIGHT)
    model = column(shells, 0.0, 1e11, 1.0)
    model.metals[0].diffusivity[:] = 1e6
    model.metals[0].drift[:] = -1e6 / SCALE_HEIGHT
    model.metals[0].density[:] = hydrostatic[:, None, None]
    density, change = settle(model)
    norms["hydrostatic profile, shape"] = shape_error(density, hydrostatic)
    norms["change of mass"] = max(*changes, abs(change))
    return norms


def test_ambipolar() -> None:
    """Second order with the height of the cells; mass and the hydrostatic profile to round-off."""
    norms = check_recorded("ambipolar", run)
    assert norms["minor ions, order"] > 1.85
    assert norms["minor ions, shape at 1 km"] < 1e-4
    assert norms["ions that are the plasma, shape at 1 km"] < 1e-10
    assert norms["hydrostatic profile, shape"] < 1e-11
    assert norms["change of mass"] < 1e-12
