from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import exb_drift, magnetic_coordinates, polar_dataset, two_cell_potential

from siderion.core.errors import CoverageError, DataError
from siderion.report.polar_map import (
    cell_corners,
    convection_cells,
    drift_direction,
    geographic_position,
    longitude_of_local_time,
    magnetic_meridian,
    plane_position,
    to_plane,
)
from siderion.report.polar_page import polar_run

LAT = np.arange(40.5, 90.0)
LON = np.arange(-179.5, 180.0)


@given(latitude=st.floats(1.0, 89.9), longitude=st.floats(-179.99, 179.99), noon=st.floats(-180.0, 180.0))
def test_plane_position_and_back(latitude, longitude, noon):
    found = geographic_position(*plane_position(latitude, longitude, noon), noon)
    assert found[0] == pytest.approx(latitude, abs=1e-10)
    assert np.cos(np.deg2rad(found[1] - longitude)) == pytest.approx(1.0, abs=1e-12)


def test_noon_meridian_is_at_the_top_and_east_runs_anticlockwise():
    x, y = plane_position(np.array([50.0, 50.0]), np.array([30.0, 120.0]), noon=30.0)
    np.testing.assert_allclose([x[0], y[0]], [0.0, 40.0], atol=1e-12)
    np.testing.assert_allclose([x[1], y[1]], [-40.0, 0.0], atol=1e-12)


@given(offset=st.floats(0.0, 24.0), hour=st.floats(0.0, 23.99))
def test_longitude_of_local_time_is_exact_for_uniform_local_time(offset, hour):
    found = longitude_of_local_time((LON / 15.0 + offset) % 24.0, LON, hour)
    assert np.cos(np.deg2rad(15.0 * (found / 15.0 + offset - hour))) == pytest.approx(1.0, abs=1e-9)


def test_circle_that_misses_the_magnetic_pole_is_refused():
    _, local_time = magnetic_coordinates(np.full(LON.size, 85.0), LON, 6.0)
    with pytest.raises(DataError, match=r"goes 0\.00 times around"):
        longitude_of_local_time(local_time, LON, 12.0)


def test_corners_close_the_pole_and_the_seam_and_tile_the_disc():
    x, y = cell_corners(LAT, LON, noon=17.3)
    assert np.all(np.hypot(x[-1], y[-1]) < 1e-12)
    np.testing.assert_array_equal(x[:, 0], x[:, -1])
    np.testing.assert_array_equal(y[:, 0], y[:, -1])
    corners = [(x[i : x.shape[0] - 1 + i, j : x.shape[1] - 1 + j], y[i : y.shape[0] - 1 + i, j : y.shape[1] - 1 + j])
               for i, j in ((0, 0), (0, 1), (1, 1), (1, 0))]  # fmt: skip
    area = sum(0.5 * (a[0] * b[1] - b[0] * a[1]) for a, b in zip(corners, corners[1:] + corners[:1], strict=True))
    # all cells turn the same way (none is folded) and their areas add up to the polygon of the rim
    assert np.all(area > 0.0)
    assert area.sum() == pytest.approx(0.5 * 360 * 50.0**2 * np.sin(np.deg2rad(1.0)), rel=1e-12)


@pytest.mark.parametrize("southern", [False, True])
def test_maps_have_noon_on_top_dusk_left_dawn_right(southern):
    for frame in polar_run(polar_dataset(southern=southern, velocities=False)).frames:
        positions = {hour: plane_position(45.0, frame.longitude_of(hour), frame.noon) for hour in (0.0, 6.0, 12.0, 18.0)}
        np.testing.assert_allclose(positions[12.0], (0.0, 45.0), atol=1e-9)
        assert positions[18.0][0] < -35.0
        assert positions[6.0][0] > 35.0
        assert positions[0.0][1] < -35.0
        # the rim point found must have the local time asked for
        _, local_time = magnetic_coordinates(45.0, frame.longitude_of(6.0), float(str(frame.time)[11:13]))
        assert local_time == pytest.approx(6.0, abs=0.1)


def test_to_plane_reproduces_a_linear_field_across_pole_and_seam():
    x, y = plane_position(LAT[:, None], LON[None, :], 40.0)
    plane = to_plane(3.0 * x - 2.0 * y, LAT, LON, noon=40.0, edge=45.0, size=91)
    axis = np.linspace(-45.0, 45.0, 91)
    exact = 3.0 * axis[None, :] - 2.0 * axis[:, None]
    inside = np.isfinite(plane)
    assert inside.sum() == pytest.approx(np.pi * 45.0**2, rel=0.01)
    # bilinear interpolation in angle: the error is r (1 - cos(0.5 degrees)) times the slope
    np.testing.assert_allclose(plane[inside], exact[inside], atol=45.0 * 3.7 * (1 - np.cos(np.deg2rad(0.5))))


@pytest.mark.parametrize("southern", [False, True])
def test_arrows_follow_the_drift_of_the_electric_field(southern):
    lat = -LAT[::-1] if southern else LAT
    grid_lat, grid_lon = np.meshgrid(lat, LON, indexing="ij")
    mlat, mlt = magnetic_coordinates(np.abs(grid_lat), grid_lon, 6.0)
    potential = two_cell_potential(mlat, mlt)
    east, north = exb_drift(potential, lat, LON)
    if southern:
        potential, east, north = potential[::-1], east[::-1], north[::-1]
    plane = to_plane(potential, LAT, LON, noon=30.0, edge=45.0)
    right, top = drift_direction(plane)
    axis = np.linspace(-45.0, 45.0, len(plane))
    rng = np.random.default_rng(1)
    cosines = []
    for row, column in zip(rng.integers(8, 42, 200), rng.integers(0, 360, 200), strict=True):
        x, y = plane_position(LAT[row], LON[column], 30.0)
        if np.hypot(x, y) > 40.0 or np.hypot(east[row, column], north[row, column]) < 50.0:
            continue
        angle = np.deg2rad(LON[column] - 30.0 + 90.0)
        poleward = north[row, column] * (-1.0 if southern else 1.0)
        expected = east[row, column] * np.array([-np.sin(angle), np.cos(angle)]) - poleward * np.array(
            [np.cos(angle), np.sin(angle)]
        )
        j, i = np.abs(axis - x).argmin(), np.abs(axis - y).argmin()
        drawn = np.array([right[i, j], top[i, j]])
        cosines.append(expected @ drawn / np.linalg.norm(expected) / np.linalg.norm(drawn))
    assert len(cosines) > 40
    # the plane stretches circles a little against meridians, so directions agree closely, not exactly
    assert min(cosines) > 0.95


def test_cells_are_the_two_extrema_and_leave_other_blobs_out():
    axis = np.linspace(-45.0, 45.0, 181)
    x, y = np.meshgrid(axis, axis)

    def blob(x0, y0):
        return np.exp(-((x - x0) ** 2 + (y - y0) ** 2) / 50.0)

    potential = -30e3 * blob(-15, 0) + 20e3 * blob(15, 0) + 12e3 * blob(0, 35)
    evening, morning = convection_cells(potential, edge=45.0)
    assert evening.extremum == pytest.approx(-30e3, rel=1e-3)
    assert (morning.x, morning.y) == (15.0, 0.0)
    assert morning.level == pytest.approx(6e3, rel=1e-3)
    inside = morning.field > morning.level
    assert inside[np.hypot(x - 15, y) < 5].all()
    assert not inside[np.hypot(x, y - 35) < 10].any()


def test_field_of_one_sign_has_one_cell():
    (cell,) = convection_cells(np.full((5, 5), -1e3) - np.eye(5), edge=45.0)
    assert cell.extremum < 0.0


def test_meridian_has_the_local_time_and_latitudes_asked_for():
    grid_lat, grid_lon = np.meshgrid(LAT, LON, indexing="ij")
    mlat, mlt = magnetic_coordinates(grid_lat, grid_lon, 18.0)
    targets = np.arange(55.0, 89.0, 3.0)
    latitude, longitude = magnetic_meridian(mlt, mlat, LAT, LON, 22.0, targets)
    found, local_time = magnetic_coordinates(latitude, longitude, 18.0)
    np.testing.assert_allclose(found, targets, atol=0.05)
    np.testing.assert_allclose(local_time[targets < 85], 22.0, atol=0.05)


def test_meridian_outside_the_grid_is_refused():
    grid_lat, grid_lon = np.meshgrid(LAT, LON, indexing="ij")
    mlat, mlt = magnetic_coordinates(grid_lat, grid_lon, 18.0)
    with pytest.raises(CoverageError, match="no point of the meridian of 22 h"):
        magnetic_meridian(mlt, mlat, LAT, LON, 22.0, np.array([5.0, 10.0]))
