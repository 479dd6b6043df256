"""The cap and the shells: exact areas, orthonormal directions, hemispheres that mirror each other, reconstruction."""

from __future__ import annotations

import numpy as np
import pytest
import reference

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import SettingsError
from siderion.transport.grid import HALF_WIDTH, CapGrid, ShellGrid


@pytest.fixture(scope="module", params=["north", "south"])
def grid(request):
    return CapGrid(request.param, 20)


def paper_shells():
    return ShellGrid.stretched(85.0, 140.0, 310.0, 0.5, 2.0)


def test_solid_angles_sum_to_that_of_the_square(grid):
    """The whole square between four great circles: 4 asin(sin^2 a) with half width a, by the corner angles."""
    half = np.radians(HALF_WIDTH)
    assert grid.solid_angle.sum() == pytest.approx(4.0 * np.arcsin(np.sin(half) ** 2), rel=1e-13)
    assert grid.solid_angle.min() > 0.0


def test_solid_angle_of_one_cell_by_quadrature(grid):
    """Gnomonic projection: dOmega = dX dY / (1 + X^2 + Y^2)^(3/2)."""
    node, weight = np.polynomial.legendre.leggauss(12)
    for j, i in ((0, 0), (3, 11), (10, 10)):
        (x0, x1), (y0, y1) = np.tan(grid.face_angles[i : i + 2]), np.tan(grid.face_angles[j : j + 2])
        x = x0 + (node + 1) * (x1 - x0) / 2
        y = (y0 + (node + 1) * (y1 - y0) / 2)[:, None]
        value = np.sum(weight * weight[:, None] / (1 + x**2 + y**2) ** 1.5) * (x1 - x0) * (y1 - y0) / 4
        assert grid.solid_angle[j, i] == pytest.approx(value, rel=1e-12)


def test_cells_differ_little_in_size(grid):
    inside = grid.solid_angle[grid.active]
    assert inside.max() / inside.min() < 1.6


def test_face_lengths_are_arcs(grid):
    """On the middle line the faces are even steps of the angle; elsewhere the arc between the corners."""
    middle = grid.edge_x[:, grid.cells // 2]
    np.testing.assert_allclose(middle, np.radians(2 * HALF_WIDTH / grid.cells), rtol=1e-13)
    corner = grid.points(grid.face_angles[[4, 4]], grid.face_angles[[7, 8]])
    assert grid.edge_x[7, 4] == pytest.approx(np.arccos(corner[0] @ corner[1]), rel=1e-9)
    np.testing.assert_array_equal(grid.edge_y, grid.edge_x)


def test_normals_are_unit_vectors_across_the_coordinate_lines(grid):
    for normal, other in ((grid.normal_x, 0), (grid.normal_y, 1)):
        np.testing.assert_allclose(np.linalg.norm(normal, axis=-1), 1.0, rtol=1e-14)
        np.testing.assert_allclose(np.sum(normal * grid.centres, axis=-1), 0.0, atol=1e-15)
        # Along its own line the centre moves in the plane of the line: the normal is across that plane.
        step = np.diff(grid.centres, axis=other)
        along = np.sum(step * (normal[1:] if other == 0 else normal[:, 1:]), axis=-1)
        np.testing.assert_allclose(along, 0.0, atol=1e-14)
    to_larger_x = np.sum(np.diff(grid.centres, axis=1) * grid.normal_x[:, 1:], axis=-1)
    assert to_larger_x.min() > 0.0
    to_larger_y = np.sum(np.diff(grid.centres, axis=0) * grid.normal_y[1:], axis=-1)
    assert to_larger_y.min() > 0.0


def test_local_axes_are_orthonormal(grid):
    axes = np.stack(grid.axes, axis=-2)
    np.testing.assert_allclose(axes @ np.swapaxes(axes, -1, -2), np.broadcast_to(np.eye(3), axes.shape), atol=1e-14)
    np.testing.assert_allclose(axes[..., 2, :], grid.centres, atol=1e-14)


def test_hemispheres_mirror_each_other():
    north, south = CapGrid("north", 20), CapGrid("south", 20)
    np.testing.assert_array_equal(north.latitude, -south.latitude)
    np.testing.assert_array_equal(north.longitude, south.longitude)
    for name in ("solid_angle", "edge_x", "active", "row_range", "column_range"):
        np.testing.assert_array_equal(getattr(north, name), getattr(south, name))
    np.testing.assert_array_equal(north.normal_x, south.normal_x * np.array([1.0, 1.0, -1.0]))


def test_the_cap_is_symmetric(grid):
    for values in (grid.solid_angle, grid.active.astype(float)):
        for turned in (values[::-1], values[:, ::-1], values.T):
            np.testing.assert_allclose(values, turned, rtol=1e-12)
    np.testing.assert_allclose(grid.latitude, grid.latitude.T, atol=1e-12)


def test_longitude_zero_lies_to_the_right(grid):
    """Unit vectors are Earth-fixed: x to longitude 0, y to longitude 90, in both hemispheres."""
    right, top = grid.centres[10, -1], grid.centres[-1, 10]
    assert right[0] > 0.7
    assert top[1] > 0.7
    assert np.sign(grid.latitude).min() == np.sign(grid.latitude).max() == grid.sign


def test_ranges_hold_exactly_the_active_cells(grid):
    for ranges, active in ((grid.row_range, grid.active), (grid.column_range, grid.active.T)):
        rebuilt = np.zeros_like(active)
        for row, (first, stop) in enumerate(ranges.T):
            rebuilt[row, first:stop] = True
        np.testing.assert_array_equal(rebuilt, active)
    assert np.abs(grid.latitude)[grid.active].min() >= grid.edge_latitude
    assert not grid.active.all()


def test_a_narrow_cap_has_rows_without_cells():
    narrow = CapGrid("north", 20, 70.0)
    empty = ~narrow.active.any(axis=1)
    assert empty.any()
    np.testing.assert_array_equal(narrow.row_range[:, empty], 0)


def test_smallest_width_is_that_of_the_cells(grid):
    """5 degrees in the middle; less where lines of constant xi come together."""
    assert np.radians(3.0) < grid.smallest_width <= np.radians(5.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("both", 20, 40.0), "hemisphere is 'both'"),
        (("north", 4, 40.0), "4 cells a side"),
        (("north", 20, 30.0), "edge_latitude is 30"),
        (("north", 20, 88.0), "edge_latitude is 88"),
    ],
)
def test_wrong_caps_are_refused(arguments, message):
    with pytest.raises(SettingsError, match=message):
        CapGrid(*arguments)


# ---------------------------------------------------------------- shells


def test_the_papers_levels():
    """Andoh et al. 2026, section 2: 0.5 km up to 140 km, growing to 2 km at 310 km."""
    shells = paper_shells()
    steps = np.diff(shells.face_altitude)
    assert shells.face_altitude[0] == 85.0
    assert shells.face_altitude[-1] == pytest.approx(310.0, abs=1e-9)
    np.testing.assert_allclose(steps[:110], 0.5, rtol=1e-12)
    assert np.all(np.diff(steps[110:]) > 0.0)
    assert steps[110] == pytest.approx(0.5, rel=0.01)
    assert steps[-1] == pytest.approx(2.0, rel=0.01)
    np.testing.assert_allclose(np.diff(steps[110:]), np.diff(steps[110:])[0], rtol=1e-9)  # evenly from cell to cell
    assert shells.levels == 246


@pytest.mark.parametrize(
    "numbers", [(85.0, 140.0, 310.0, 1.0, 4.0), (90.0, 140.0, 200.0, 2.0, 2.0), (85.0, 120.0, 390.0, 0.7, 9.0)]
)
def test_any_stretched_grid_ends_at_its_top(numbers):
    shells = ShellGrid.stretched(*numbers)
    assert shells.face_altitude[-1] == pytest.approx(numbers[2], abs=1e-9)
    assert np.diff(shells.face_altitude).min() > 0.0


def test_volumes_and_areas_are_those_of_spheres():
    shells = paper_shells()
    bottom, top = EARTH_RADIUS + 85e3, EARTH_RADIUS + 310e3
    assert shells.shell.sum() == pytest.approx((top**3 - bottom**3) / 3, rel=1e-13)
    assert shells.side.sum() == pytest.approx((top**2 - bottom**2) / 2, rel=1e-13)
    np.testing.assert_allclose(shells.area[[0, -1]], [bottom**2, top**2], rtol=1e-14)
    assert shells.thickness.sum() == pytest.approx(225e3, rel=1e-12)
    assert shells.centre_distance[0] == 0.0
    np.testing.assert_allclose(np.cumsum(shells.centre_distance), 1e3 * (shells.altitude - shells.altitude[0]), atol=1e-6)


def test_face_weight_gives_linear_values_at_the_faces():
    shells = paper_shells()
    value = 3.0 - 0.02 * shells.altitude
    at_faces = value[:-1] + shells.face_weight[1:] * np.diff(value)
    np.testing.assert_allclose(at_faces, 3.0 - 0.02 * shells.face_altitude[1:-1], rtol=1e-12)


def test_parabola_weights_are_those_of_the_paper():
    """Against equations 1.6 and 1.7 of Colella & Woodward 1984, without the limiter."""
    shells = paper_shells()
    z = (shells.face_altitude - 85.0) / 100.0
    cubic = np.polynomial.Polynomial([2.0, 1.0, 0.5, 0.1])  # monotone, so that the limiter does not act
    mean = np.diff(cubic.integ()(z)) / np.diff(z)
    weights = shells.parabola_weights
    above, below = np.diff(mean, append=np.nan), np.diff(mean, prepend=np.nan)
    slope = weights[0] * above + weights[1] * below
    face = mean[:-1] + weights[2, 1:] * np.diff(mean) + weights[3, 1:] * slope[1:] + weights[4, 1:] * slope[:-1]
    inner = slice(1, -1)
    np.testing.assert_allclose(face[inner], cubic(z[1:-1])[inner], rtol=1e-13)
    np.testing.assert_allclose(reference.face_values(shells.thickness, mean)[inner], face[inner], rtol=1e-13)


@pytest.mark.parametrize("faces", [(85.0, 86.0, 87.0), (85.0, 86.0, 87.0, 86.5, 88.0, 89.0, 90.0), (1.0,) * 8])
def test_wrong_levels_are_refused(faces):
    with pytest.raises(SettingsError, match="at least 6 growing altitudes"):
        ShellGrid(faces)
