"""Advection over the closed pole: a cosine bell in solid rotation, and hills in a flow that deforms them and reverses.

Bell: dn/dt + div(v n) = 0 with v = omega x r about an axis in the plane of the equator. The bell starts 25 degrees from
the pole and crosses it to 25 degrees on the other side. Williamson et al. 1992 (doi:10.1016/S0021-9991(05)80016-6),
section 3.1, with radius 1/3 rad and with a small bell of 5 degrees.

Deformation, in the manner of Nair & Lauritzen 2010 (doi:10.1016/j.jcp.2010.08.014), case 4, but closed at the edge of the
cap: stream function K x y (1 - (x^2 + y^2) / s^2)^3 cos(pi t / T) in axes that turn once about the pole in the time T, plus
that rotation. The field returns to its start at T.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from prescribed import (
    THIN_SHELLS,
    Field,
    build_model,
    cap,
    cell_means,
    error_norms,
    order,
    rotation,
    set_horizontal_velocity,
)
from recording import check_recorded

from siderion.transport.grid import CapGrid

SPEED = 800.0  # m s-1
RADIUS = float(THIN_SHELLS.radius[2])
START = np.radians(25.0)
SECONDS_PER_DEGREE = 40.0  # of resolution: 20 s at 0.5 degrees
OBLIQUE = np.radians(20.0)  # longitude from which the bell comes; 0 is along the grid
TURN = 4.0 * 3600.0  # s
DEFORMATION = 6.0
EDGE = np.sin(np.radians(48.0))
RING = 48.0  # degrees: the ring along the edge of the cap, at 40


def bell(centre: NDArray, radius: float) -> Field:
    """Cosine bell of unit height."""

    def field(points: NDArray) -> NDArray:
        distance = np.arccos(np.clip(points @ centre, -1.0, 1.0))
        return np.where(distance < radius, 0.5 * (1.0 + np.cos(np.pi * distance / radius)), 0.0)

    return field


def crossing(radius: float, heading: float = OBLIQUE) -> tuple[Field, Field, NDArray, float]:
    """Bell before and after its way over the pole, the rotation vector (rad s-1), and the duration."""
    come_from = np.array([np.cos(heading), np.sin(heading), 0.0])
    axis = np.cross(come_from, [0.0, 0.0, 1.0])
    first = np.sin(START) * come_from + np.array([0.0, 0.0, np.cos(START)])
    last = rotation(axis, 2.0 * START) @ first
    return bell(first, radius), bell(last, radius), axis * SPEED / RADIUS, 2.0 * START * RADIUS / SPEED


def advect_bell(resolution: float, radius: float, heading: float = OBLIQUE) -> dict[str, float]:
    """Carry a bell over the pole; norms, change of mass, smallest and largest density."""
    grid = cap(resolution)
    model = build_model(grid, THIN_SHELLS)
    metal = model.metals[0]
    before, after, spin, duration = crossing(radius, heading)
    set_horizontal_velocity(model, np.cross(spin, grid.centres) * RADIUS)
    metal.density[:] = cell_means(grid, before)
    mass = model.content(metal)
    steps = round(duration / (SECONDS_PER_DEGREE * resolution))
    for _ in range(steps):
        model.advect(metal, duration / steps)
        model.steps_done += 1
    change = (model.content(metal) - metal.budget.through_edge) / mass - 1.0
    return judge(grid, metal.density[2], cell_means(grid, after), change)


def judge(grid: CapGrid, result: NDArray, exact: NDArray, mass_change: float) -> dict[str, float]:
    """Norms over the active cells, change of mass, how far the result leaves the range of the start."""
    inside = grid.active
    norms = error_norms(result[inside], exact[inside], grid.solid_angle[inside])
    return {
        **norms,
        "mass": abs(mass_change),
        "undershoot": max(-float(result[inside].min()), 0.0),
        "overshoot": float(result.max() / exact.max() - 1.0),
    }


def deforming_velocity(grid: CapGrid, time: float) -> NDArray[np.float64]:
    """Velocity at the cell centres, (y, x, 3), m s-1: r x grad(stream function), exactly without divergence."""
    angle = 2.0 * np.pi * time / TURN
    position = grid.centres @ rotation(np.array([0.0, 0.0, 1.0]), -angle).T
    x, y = position[..., 0], position[..., 1]
    inside = np.maximum(1.0 - (x**2 + y**2) / EDGE**2, 0.0)
    strength = DEFORMATION * np.cos(np.pi * time / TURN) / TURN
    slope_x = strength * (y * inside**3 - 6.0 * x**2 * y * inside**2 / EDGE**2)
    slope_y = strength * (x * inside**3 - 6.0 * x * y**2 * inside**2 / EDGE**2)
    deforming = np.cross(position, np.stack([slope_x, slope_y, np.zeros_like(x)], axis=-1))
    turning = np.cross(np.array([0.0, 0.0, 2.0 * np.pi / TURN]), grid.centres)
    return RADIUS * (deforming @ rotation(np.array([0.0, 0.0, 1.0]), angle).T + turning)


def hills(points: NDArray) -> NDArray:
    """Two smooth hills 18 degrees from the pole, too narrow to reach the edge."""
    total = np.zeros(points.shape[:-1])
    for longitude in (0.3, 0.3 + np.pi):
        centre = np.array([np.sin(0.32) * np.cos(longitude), np.sin(0.32) * np.sin(longitude), np.cos(0.32)])
        total = total + np.exp(-30.0 * np.sum((points - centre) ** 2, axis=-1))
    return total


def deform(resolution: float, field: Field) -> tuple[dict[str, float], NDArray]:
    """Deform a field and let it return; norms, change of mass less what crossed the edge, and the error (y, x)."""
    grid = cap(resolution)
    model = build_model(grid, THIN_SHELLS)
    metal = model.metals[0]
    start = cell_means(grid, field)
    metal.density[:] = start
    mass = model.content(metal)
    steps = round(TURN / (0.6 * SECONDS_PER_DEGREE * resolution))
    for step in range(steps):
        set_horizontal_velocity(model, deforming_velocity(grid, (step + 0.5) * TURN / steps))
        model.advect(metal, TURN / steps)
        model.steps_done += 1
    change = (model.content(metal) - metal.budget.through_edge) / mass - 1.0
    return judge(grid, metal.density[2], start, change), np.where(grid.active, metal.density[2] - start, 0.0)


def keep_constant(resolution: float) -> dict[str, float]:
    """Largest change of a constant density in the deforming flow: inside, and in the ring along the edge."""
    _, error = deform(resolution, lambda points: np.ones(points.shape[:-1]))
    ring = cap(resolution).latitude < RING
    return {"inside": float(np.abs(error[~ring]).max()), "edge": float(np.abs(error[ring]).max())}


def run(size: str) -> dict[str, float]:
    """All norms: two resolutions, or three at full size."""
    full = size == "full"
    resolutions = (2.0, 1.0, 0.5) if full else (2.0, 1.0)
    norms: dict[str, float] = {}
    cases = {
        "bell 19 deg": lambda r: advect_bell(r, 1.0 / 3.0),
        "bell 15 deg along the grid": lambda r: advect_bell(r, np.radians(15.0), 0.0),
        "bell 5 deg along the grid": lambda r: advect_bell(r, np.radians(5.0), 0.0),
        "bell 5 deg": lambda r: advect_bell(r, np.radians(5.0)),
        "deformed hills": lambda r: deform(r, hills)[0],
    }
    if not full:
        cases = {name: case for name, case in cases.items() if "along" not in name}
    for name, case in cases.items():
        results = [case(resolution) for resolution in resolutions]
        for resolution, result in zip(resolutions, results, strict=True):
            norms |= {f"{name}, {kind} at {resolution:g} deg": result[kind] for kind in ("l1", "l2", "linf")}
        norms |= {f"{name}, order of {kind}": order(results[-2][kind], results[-1][kind]) for kind in ("l1", "l2")}
        norms[f"{name}, change of mass"] = max(result["mass"] for result in results)
        norms[f"{name}, undershoot"] = max(result["undershoot"] for result in results)
        norms[f"{name}, overshoot"] = max(result["overshoot"] for result in results)
    changes = [keep_constant(resolution) for resolution in resolutions[:2]]
    norms["constant, linf at 2 deg"] = changes[0]["inside"]
    norms["constant, order of linf"] = order(changes[0]["inside"], changes[1]["inside"])
    norms["constant, linf within 8 deg of the edge at 1 deg"] = changes[1]["edge"]
    return norms


def test_sphere_advection() -> None:
    """Second order, mass to round-off, no negative density, no new maximum."""
    norms = check_recorded("sphere_advection", run)
    for name, value in norms.items():
        if name.endswith("change of mass"):
            assert value < 1e-12, name
        if name.endswith("undershoot"):
            assert value == 0.0, name
        if name.endswith("overshoot"):
            assert value < 1e-3, name
    assert norms["bell 19 deg, order of l1"] > 1.9
    assert norms["bell 19 deg, order of l2"] > 1.7
    assert norms["bell 5 deg, order of l1"] > 1.6
    assert norms["deformed hills, order of l1"] > 1.9
    assert norms["constant, order of linf"] > 1.8
