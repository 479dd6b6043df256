"""A blob carried over the pole and upwards at once: the horizontal and vertical sweeps with their pseudo-volumes.

dn/dt + div(v n) = 0 with rotation of all shells about an axis in the plane of the equator and uniform upward velocity w:
n(r, s, t) = n0(r - w t, R(-t) s) ((r - w t) / r)^2. The thin cells bring vertical Courant numbers above 1. And a flow in
three dimensions without divergence, turning in itself, in which a constant must stay constant.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from prescribed import (
    build_model,
    cap,
    cell_means,
    error_norms,
    order,
    set_horizontal_velocity,
    set_vertical_velocity,
    shell_means,
    uniform_shells,
)
from recording import check_recorded
from test_sphere_advection import SECONDS_PER_DEGREE, crossing

from siderion.transport.grid import CapGrid
from siderion.transport.model import Model

RADIUS_OF_BLOB = np.radians(15.0)
CLIMB = 20.0  # km
EARTH = 6371.2  # km
OVERTURN = 4.0 * 3600.0  # s


def carry_blob(resolution: float, thickness: float) -> dict[str, float]:
    """Carry the blob to the other side of the pole and 20 km up; norms and change of mass."""
    grid, shells = cap(resolution), uniform_shells(100.0, 160.0, round(60.0 / thickness))
    model = build_model(grid, shells)
    metal = model.metals[0]
    before, after, spin, duration = crossing(RADIUS_OF_BLOB)
    set_horizontal_velocity(model, np.cross(spin, grid.centres) * 1e3 * EARTH, shells.radius / (1e3 * EARTH))
    set_vertical_velocity(model, 1e3 * CLIMB / duration)

    def profile(altitude: NDArray) -> NDArray:
        return np.exp(-0.5 * ((altitude - 120.0) / 4.0) ** 2)

    metal.density[:] = shell_means(shells, profile)[:, None, None] * cell_means(grid, before)
    mass = model.content(metal)
    steps = round(duration / (SECONDS_PER_DEGREE * resolution))
    for _ in range(steps):
        model.advect(metal, duration / steps)
        model.steps_done += 1
    lifted = shell_means(shells, lambda z: profile(z - CLIMB) * ((EARTH + z - CLIMB) / (EARTH + z)) ** 2)
    exact = lifted[:, None, None] * cell_means(grid, after)
    weight = shells.shell[:, None, None] * grid.solid_angle * grid.active
    crossed = metal.budget.through_edge + metal.budget.through_top + metal.budget.through_bottom
    return {
        **error_norms(metal.density, exact, weight),
        "mass": abs((model.content(metal) - crossed) / mass - 1.0),
        "undershoot": max(-float(metal.density[:, grid.active].min()), 0.0),
    }


def overturn(model: Model) -> None:
    """Set a flow without divergence that keeps within 45 degrees of the pole and within the shells.

    r^2 v_r = -H(r) lap(P) and r v_t = H'(r) grad(P), with P a function on the unit sphere, its surface gradient and surface
    Laplacian, and H = 0 at bottom and top: div v = -H' lap(P) / r^2 + H' lap(P) / r^2 = 0.
    """
    grid, shells = model.grid, model.shells
    gradient, laplacian = potential_derivatives(grid)
    low, high = shells.face_radius[0], shells.face_radius[-1]
    place = np.pi * (shells.radius - low) / (high - low)
    depth = (high - low) / np.pi
    strength = 3.0 * depth / OVERTURN * shells.radius.mean() ** 2
    model.metals[0].velocity_up[:] = -(strength * np.sin(place) ** 2 / shells.radius**2)[:, None, None] * laplacian
    model.metals[0].top_velocity[:] = 0.0
    set_horizontal_velocity(model, gradient, strength * np.sin(2.0 * place) / depth / shells.radius)


def potential_derivatives(grid: CapGrid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Surface gradient (y, x, 3) and surface Laplacian (y, x) of P = x u^4, u = 1 - (x^2 + y^2) / sin(45 deg)^2.

    P does not depend on z, so lap(P) = P_xx + P_yy - 2 s.grad(P) - s.Hessian(P).s on the unit sphere.
    """
    x, y = grid.centres[..., 0], grid.centres[..., 1]
    edge = np.sin(np.radians(45.0)) ** 2
    square = x**2 + y**2
    u = np.maximum(1.0 - square / edge, 0.0)
    slope_x = u**4 - 8.0 * x**2 * u**3 / edge
    slope_y = -8.0 * x * y * u**3 / edge
    flat = -32.0 * x * u**3 / edge + 48.0 * x * square * u**2 / edge**2
    along = x * slope_x + y * slope_y
    hessian = x * (-24.0 * square * u**3 / edge + 48.0 * square**2 * u**2 / edge**2)
    ambient = np.stack([slope_x, slope_y, np.zeros_like(x)], axis=-1)
    return ambient - along[..., None] * grid.centres, flat - 2.0 * along - hessian


def keep_constant(resolution: float, thickness: float) -> dict[str, float]:
    """Constant density in the overturning flow: largest and mean change after a time of overturning."""
    grid, shells = cap(resolution), uniform_shells(100.0, 160.0, round(60.0 / thickness))
    model = build_model(grid, shells)
    metal = model.metals[0]
    overturn(model)
    metal.density[:] = 1.0
    metal.initial[:] = 1.0
    steps = round(OVERTURN / (2.0 * SECONDS_PER_DEGREE * resolution))
    for _ in range(steps):
        model.advect(metal, OVERTURN / steps)
        model.steps_done += 1
    inside = np.abs(shells.altitude - 130.0) < 27.0  # the flow at the end shells is of first order only
    change = np.abs(metal.density - 1.0)[inside][:, grid.active]
    return {"largest": float(change.max()), "mean": float(change.mean()), "climb": float(metal.velocity_up.max())}


def run(size: str) -> dict[str, float]:
    """Norms on two grids, or three at full size."""
    grids = ((4.0, 2.0), (2.0, 1.0), (1.0, 0.5)) if size == "full" else ((4.0, 2.0), (2.0, 1.0))
    norms: dict[str, float] = {}
    blobs = [carry_blob(*grid) for grid in grids]
    constants = [keep_constant(*grid) for grid in grids]
    for (resolution, thickness), blob, constant in zip(grids, blobs, constants, strict=True):
        where = f"at {resolution:g} deg, {thickness:g} km"
        norms |= {f"blob, {kind} {where}": blob[kind] for kind in ("l1", "l2", "linf")}
        norms[f"constant, largest change {where}"] = constant["largest"]
        norms[f"constant, mean change {where}"] = constant["mean"]
    norms["blob, order of l1"] = order(blobs[-2]["l1"], blobs[-1]["l1"])
    norms["blob, change of mass"] = max(blob["mass"] for blob in blobs)
    norms["blob, undershoot"] = max(blob["undershoot"] for blob in blobs)
    norms["constant, order of the largest change"] = order(constants[-2]["largest"], constants[-1]["largest"])
    norms["constant, largest upward velocity, m/s"] = constants[-1]["climb"]
    return norms


def test_three_dimensional() -> None:
    """Second order, mass to round-off, nothing negative; a constant stays constant to second order."""
    norms = check_recorded("three_dimensional", run)
    assert norms["blob, order of l1"] > 1.9
    assert norms["blob, change of mass"] < 1e-12
    assert norms["blob, undershoot"] < 1e-20
    assert norms["constant, order of the largest change"] > 1.6
