"""The compiled advection kernels: equal to their plain forms, conservative, positive, without new extrema."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import reference
from kernel_cases import ENGINE, PRECISIONS, SCALE, close, horizontal_case, noise, rough, run_horizontal, smooth

from siderion.transport.grid import CapGrid, ShellGrid


@pytest.fixture(scope="module")
def grid():
    return CapGrid("north", 18, 45.0)


@pytest.fixture(scope="module")
def shells():
    return ShellGrid.stretched(90.0, 100.0, 150.0, 1.0, 6.0)


# ---------------------------------------------------------------- horizontal advection


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize("x_first", [True, False])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("edge_fixed", [True, False])
def test_horizontal_advection_equals_the_plain_form(grid, shells, dtype, tolerance, x_first, last, edge_fixed):
    """A wrong index, sign, order of sweeps or limiter would break this; the cap is masked at 45 degrees."""
    case = horizontal_case(grid, shells, dtype)
    case.x_first, case.last, case.edge_fixed = x_first, last, edge_fixed
    density, volume, budget, courant = run_horizontal(case)
    expected = reference.advect_horizontal(*vars(case).values())
    assert 0.3 < courant < 1.0
    close(density, expected[0], tolerance)
    close(volume, expected[1], tolerance)
    close(budget, expected[2], 10 * tolerance)
    assert courant == pytest.approx(expected[3], rel=tolerance)
    untouched = ~grid.active
    assert np.array_equal(density[:, untouched], case.density[:, untouched])


@pytest.mark.parametrize("edge_fixed", [True, False])
def test_horizontal_budget_is_the_change_of_mass(grid, shells, edge_fixed):
    case = horizontal_case(grid, shells, seed=20)
    case.volume[:] = 1.0
    case.edge_fixed = edge_fixed
    density, _, budget, _ = run_horizontal(case)
    before, after = (ENGINE.total_content(n, grid.solid_angle, shells.shell, grid.row_range) for n in (case.density, density))
    assert abs(budget.sum()) > 1e-4 * before
    assert after - before == pytest.approx(budget.sum(), abs=2e-15 * before)


@pytest.mark.parametrize("seed", range(4))
def test_horizontal_advection_makes_no_negatives_and_no_extrema(grid, shells, seed):
    """With ``last`` False the new density is a mean over what lies in the cell: no flow can bring it out of the range."""
    case = horizontal_case(grid, shells, courant=0.4, seed=seed)
    case.density, case.last = rough(grid, shells, seed), False
    case.velocity_x[:] = 500.0 * np.tanh(noise(case.velocity_x.shape, seed + 10))
    case.velocity_y[:] = 500.0 * np.tanh(noise(case.velocity_y.shape, seed + 11))
    case.volume[:] = 1.0
    density, _, _, courant = run_horizontal(case)
    inside = density[:, grid.active]
    assert courant < 0.5  # both faces together empty no cell
    assert inside.min() >= 0.0
    for k in range(shells.levels):
        assert inside[k].max() <= case.density[k][grid.active].max() * (1 + 1e-12)
    case.last = True
    case.density = rough(grid, shells, seed)
    assert run_horizontal(case)[0][:, grid.active].min() >= 0.0


@pytest.mark.parametrize("x_first", [True, False])
@pytest.mark.parametrize("edge_fixed", [True, False])
def test_constant_density_follows_the_pseudo_volume(grid, shells, x_first, edge_fixed):
    """1 stays 1 in any flow as long as volumes are carried along; in true volumes it becomes the pseudo-volume."""
    case = horizontal_case(grid, shells)
    case.density[:] = case.edge_density[:] = 1.0
    case.x_first, case.edge_fixed, case.last = x_first, edge_fixed, False
    density, volume, _, _ = run_horizontal(case)
    np.testing.assert_allclose(density[:, grid.active], 1.0, rtol=0, atol=1e-13)
    case.last = True
    true_density, same_volume, _, _ = run_horizontal(case)
    np.testing.assert_allclose(true_density[:, grid.active], volume[:, grid.active], rtol=1e-13)
    assert np.array_equal(volume, same_volume)
    assert np.ptp(volume[:, grid.active]) > 0.1


def non_divergent(grid, seed):
    """Cell-centre velocities, (2, y, x), whose face values carry no net volume into any cell.

    The faces get the differences of a stream function on the corners, which is zero outside the active region. The kernel
    takes the mean of two centres as the value at a face; that every row ends with nothing at its last face is a
    linear condition on the stream function, which is projected on the functions that meet it.
    """
    n, active = grid.cells, grid.active
    free = np.zeros((n + 1, n + 1), bool)
    free[1:-1, 1:-1] = active[1:, 1:] & active[1:, :-1] & active[:-1, 1:] & active[:-1, :-1]
    alternating = (-1.0) ** np.arange(n + 1)

    def conditions(stream):
        across_x = np.diff(stream, axis=0) / grid.edge_x
        across_y = -np.diff(stream, axis=1) / grid.edge_y.T
        return np.concatenate([across_x @ alternating, alternating @ across_y])

    unit = np.eye(free.sum())
    matrix = np.stack([conditions(embedded(free, column)) for column in unit], axis=1)
    wished = np.random.default_rng(seed).normal(size=free.sum())
    wished -= np.linalg.lstsq(matrix, matrix @ wished, rcond=1e-10)[0]
    stream = embedded(free, wished)
    across_x = np.diff(stream, axis=0) / grid.edge_x
    across_y = -np.diff(stream, axis=1) / grid.edge_y.T
    velocity = np.zeros((2, n, n))
    for i in range(1, n):  # the first face of every row carries nothing
        velocity[0, :, i] = 2 * across_x[:, i] - velocity[0, :, i - 1]
        velocity[1, i, :] = 2 * across_y[i, :] - velocity[1, i - 1, :]
    return velocity


def embedded(free, values):
    result = np.zeros(free.shape)
    result[free] = values
    return result


@pytest.mark.parametrize("x_first", [True, False])
def test_non_divergent_flow_keeps_constants_and_makes_no_extrema(grid, shells, x_first):
    case = horizontal_case(grid, shells)
    velocity = non_divergent(grid, 3)
    velocity *= 500.0 / np.abs(velocity).max()
    case.velocity_x[:], case.velocity_y[:] = velocity[0], velocity[1].T
    case.volume[:], case.x_first = 1.0, x_first
    case.density[:] = 7.0
    density, volume, budget, _ = run_horizontal(case)
    np.testing.assert_allclose(volume[:, grid.active], 1.0, rtol=1e-12)
    np.testing.assert_allclose(density[:, grid.active], 7.0, rtol=1e-12)
    np.testing.assert_allclose(budget, 0.0, atol=1e-12 * (shells.shell * 7.0).max())
    case.density[:] = rough(grid, shells, 5)
    density, *_ = run_horizontal(case)
    assert not np.array_equal(density, case.density)
    for k in range(shells.levels):
        here = density[k][grid.active]
        assert here.min() >= 0.0
        assert here.max() <= case.density[k][grid.active].max() * (1 + 1e-12)


@pytest.mark.parametrize("axis", [(0.0, 0.0, 1.0), (0.6, 0.0, 0.8), (1.0, 0.0, 0.0)])
def test_solid_body_rotation_is_nearly_free_of_divergence(axis):
    """The mean of two centres is the face value to second order: the divergence falls fourfold with half the cell."""
    worst = []
    for cells in (16, 32):
        grid, shells = CapGrid("north", cells), ShellGrid.stretched(90.0, 96.0, 100.0, 1.0, 2.0)
        case = horizontal_case(grid, shells, courant=0.5)
        flow = np.cross(np.array(axis), grid.centres) * 500.0
        case.velocity_x[:] = np.sum(flow * grid.normal_x, axis=-1)
        case.velocity_y[:] = np.sum(flow * grid.normal_y, axis=-1).T
        case.time_over_radius[:] = 1e-5
        case.density[:], case.volume[:] = 1.0, 1.0
        density, *_ = run_horizontal(case)
        inner = np.abs(grid.latitude) > 50.0  # the outermost faces take the velocity of the cell as it is
        worst.append(np.abs(density[:, inner] - 1.0).max() / 5e-3)  # per radian turned
    assert worst[0] < 0.02
    assert worst[1] < 0.3 * worst[0] + 1e-12


def test_courant_number_above_one_is_reported(grid, shells):
    case = horizontal_case(grid, shells)
    case.time_over_radius *= 4.0
    assert run_horizontal(case)[3] > 1.0


# ---------------------------------------------------------------- vertical advection


def vertical_case(grid, shells, dtype=np.float64, time_step=60.0, speed=40.0, seed=1):
    """Densities with sharp layers; 40 m/s in 60 s cross two cells of 1 km."""
    case = SimpleNamespace(
        density=np.exp(2.0 * smooth(grid, shells.levels, seed) + 0.2 * noise((shells.levels, 1, 1), seed)) * 1e9,
        volume=1.0 + 0.1 * smooth(grid, shells.levels, seed + 1),
        velocity=smooth(grid, shells.levels, seed + 2, speed),
        row_range=grid.row_range,
        thickness=shells.thickness,
        shell=shells.shell / SCALE,
        area=shells.area / SCALE,
        parabola_weights=shells.parabola_weights,
        face_weight=shells.face_weight,
        time_step=time_step,
        top_velocity=smooth(grid, 2, seed + 3, speed)[0],
        bottom_density=3e8,
        top_density=5e8,
        last=True,
        solid_angle=grid.solid_angle,
    )
    for name, value in vars(case).items():
        if name not in ("row_range", "last"):
            setattr(case, name, np.ascontiguousarray(value, dtype=dtype) if np.ndim(value) else dtype(value))
    return case


def run_vertical(case):
    density, volume, budget = case.density.copy(), case.volume.copy(), np.zeros((case.density.shape[1], 2))
    rest = [value for name, value in vars(case).items() if name not in ("density", "volume")]
    crossed = ENGINE.advect_vertical(density, volume, *rest, budget)
    return density, volume, budget, crossed


def expected_vertical(case):
    return reference.advect_vertical(
        *(value for name, value in vars(case).items() if name not in ("parabola_weights", "face_weight"))
    )


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize(("time_step", "whole"), [(8.0, 0), (60.0, 1), (200.0, 4)])
def test_vertical_advection_equals_the_plain_form(grid, shells, dtype, tolerance, last, time_step, whole):
    """Small steps take the fast way, long ones cross several cells up and down and reach beyond both ends."""
    case = vertical_case(grid, shells, dtype, time_step)
    case.last = last
    density, volume, budget, crossed = run_vertical(case)
    expected = expected_vertical(case)
    assert crossed >= whole
    assert (whole == 0) == (crossed == 0)
    close(density[:, grid.active], expected[0][:, grid.active], tolerance)
    close(volume[:, grid.active], expected[1][:, grid.active], tolerance)
    close(budget, expected[2], 10 * tolerance)
    untouched = ~grid.active
    assert np.array_equal(density[:, untouched], case.density[:, untouched])


@pytest.mark.parametrize("way", [1.0, -1.0])
def test_uniform_drift_moves_a_column_by_whole_cells(grid, way):
    """On even cells a displacement of exactly three cells copies every cell, apart from the spherical volumes."""
    shells = ShellGrid(tuple(np.arange(100.0, 121.0)))
    case = vertical_case(grid, shells, time_step=60.0)
    case.velocity[:] = case.top_velocity[:] = way * 50.0
    case.volume[:], case.last = 1.0, False
    density, _, _, crossed = run_vertical(case)
    assert crossed == 3
    source = case.density[:-3] if way > 0 else case.density[3:]
    moved = density[3:] if way > 0 else density[:-3]
    np.testing.assert_allclose(moved[:, grid.active], source[:, grid.active], rtol=1e-12)
    came_in = density[:3] if way > 0 else density[-3:]
    np.testing.assert_allclose(came_in[:, grid.active], 3e8 if way > 0 else 5e8, rtol=1e-12)


@pytest.mark.parametrize("time_step", [8.0, 120.0])
def test_vertical_budget_is_the_change_of_mass(grid, shells, time_step):
    case = vertical_case(grid, shells, time_step=time_step, seed=30)
    case.volume[:] = 1.0
    density, _, budget, _ = run_vertical(case)
    weights = (grid.solid_angle, shells.shell, grid.row_range)
    before, after = (ENGINE.total_content(n, *weights) for n in (case.density, density))
    gained = budget.sum(axis=0) * SCALE
    assert np.abs(gained).min() > 1e-4 * before
    assert after - before == pytest.approx(gained.sum(), abs=4e-15 * before)


def test_a_closed_top_lets_nothing_through(grid, shells):
    """The velocity through the top is given on its own: 0 closes it, whatever the cell below does."""
    case = vertical_case(grid, shells, time_step=8.0)
    case.velocity[:] = 20.0
    case.top_velocity[:] = 0.0
    budget = run_vertical(case)[2]
    assert np.all(budget[:, 1] == 0.0)
    case.top_velocity[:] = -20.0
    at_once = run_vertical(case)[2][:, 1]
    area = np.where(grid.active, grid.solid_angle, 0.0).sum(axis=1) * shells.area[-1] / SCALE
    # The departure point lies above the top, so the floor density comes in at the full speed.
    np.testing.assert_allclose(at_once, 5e8 * 20.0 * 8.0 * area, rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("time_step", [8.0, 150.0])
def test_vertical_advection_makes_no_negatives_and_no_extrema(grid, shells, seed, time_step):
    case = vertical_case(grid, shells, time_step=time_step, speed=20.0, seed=seed)
    case.density, case.last = rough(grid, shells, seed), False
    case.volume[:] = 1.0
    density, volume, _, crossed = run_vertical(case)
    assert crossed == 0 or time_step > 100.0
    assert volume[:, grid.active].min() > 0.0
    inside = density[:, grid.active]
    # Where whole cells are crossed, their sums cancel to round-off of the fullest cell on the way.
    assert inside.min() >= (-1e-15 * case.density.max() if crossed else 0.0)
    highest = np.maximum(case.density[:, grid.active].max(axis=0), 5e8)
    assert np.all(inside <= highest * (1 + 1e-11))


@pytest.mark.parametrize("time_step", [8.0, 150.0])
def test_constant_density_in_the_vertical_follows_the_pseudo_volume(grid, shells, time_step):
    case = vertical_case(grid, shells, time_step=time_step)
    case.density[:] = case.bottom_density = case.top_density = 1.0
    case.last = False
    density, volume, _, _ = run_vertical(case)
    np.testing.assert_allclose(density[:, grid.active], 1.0, rtol=0, atol=2e-13)
    case.last = True
    np.testing.assert_allclose(run_vertical(case)[0][:, grid.active], volume[:, grid.active], rtol=2e-13)


def test_three_sweeps_keep_one_at_one(grid, shells):
    """The pseudo-volume is handed from the horizontal to the vertical sweep and back into true volumes."""
    case, column = horizontal_case(grid, shells), vertical_case(grid, shells, time_step=60.0)
    case.density[:] = case.volume[:] = 1.0
    case.last = False
    column.density, column.volume, *_ = run_horizontal(case)
    column.bottom_density = column.top_density = 1.0
    column.last = False
    density, volume, *_ = run_vertical(column)
    np.testing.assert_allclose(density[:, grid.active], 1.0, rtol=0, atol=1e-12)
    column.last = True
    np.testing.assert_allclose(run_vertical(column)[0][:, grid.active], volume[:, grid.active], rtol=1e-12)


def test_dense_thin_layer_over_the_floor_leaves_nothing_negative_in_single_precision():
    """Whole cells of a layer a hundred million times the floor are carried off; what stays must not be a rounding error."""
    grid, shells, kind = CapGrid("north", 8), ShellGrid.stretched(85.0, 140.0, 310.0, 0.5, 2.0), np.float32
    layer = np.maximum(1e12 * np.exp(-(((shells.altitude - 112.3) / 0.3) ** 2)), 1e4)
    density = np.ascontiguousarray(np.broadcast_to(layer[:, None, None], (shells.levels, 8, 8)), kind).copy()
    wind = (120.0 * np.sin((shells.altitude - 85.0) / 30.0 + 1.0)).astype(kind)
    velocity = np.ascontiguousarray(np.broadcast_to(wind[:, None, None], density.shape), kind)
    scaled = [(values / 1e13).astype(kind) for values in (shells.shell, shells.area)]
    crossed = ENGINE.advect_vertical(
        density, np.ones_like(density), velocity, grid.row_range, shells.thickness.astype(kind), *scaled,
        shells.parabola_weights.astype(kind), shells.face_weight.astype(kind), kind(30.0), velocity[-1], kind(1e4),
        kind(1e4), True, grid.solid_angle.astype(kind), np.zeros((8, 2)),
    )  # fmt: skip
    assert crossed >= 2
    assert density[:, grid.active].min() >= 0.0
