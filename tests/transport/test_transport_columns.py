"""From coarse columns to native ones: exact for linear fields, whole across the pole and the date line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siderion.core.errors import CoverageError
from siderion.frames.spherical import local_axes
from siderion.transport.columns import column_weights, plane_components
from siderion.transport.grid import CapGrid

LON = -176.25 + 7.5 * np.arange(48)


def coarse(hemisphere):
    lat = np.arange(28.75, 90.0, 2.5)
    return lat if hemisphere == "north" else -lat[::-1]


@pytest.fixture(scope="module", params=["north", "south"])
def case(request):
    grid = CapGrid(request.param, 24)
    lat = coarse(request.param)
    return grid, lat, column_weights(lat, LON, grid.latitude, grid.longitude)


def flat(function, lat):
    return function(*np.meshgrid(lat, LON, indexing="ij")).ravel()


def test_weights_are_shares(case):
    _, lat, weights = case
    np.testing.assert_allclose(weights.weight.sum(axis=0), 1.0, rtol=1e-14)
    assert weights.weight.min() >= 0.0
    assert weights.corner.min() >= 0
    assert weights.corner.max() < len(lat) * len(LON)


def test_constants_and_latitude_are_kept(case):
    """Bilinear: a field linear in latitude is exact up to the last row before the pole."""
    grid, lat, weights = case
    np.testing.assert_allclose(weights(np.full((2, len(lat) * len(LON)), 4.0)), 4.0, rtol=1e-14)
    found = weights(flat(lambda a, b: 2.0 - 0.1 * a, lat))
    outside = np.abs(grid.latitude) <= 88.75
    np.testing.assert_allclose(found[outside], (2.0 - 0.1 * grid.latitude)[outside], rtol=1e-12)


def test_longitude_is_kept_between_the_columns(case):
    """Linear in longitude within any gap, the one at the date line included."""
    grid, lat, weights = case
    for shift in (0.0, 180.0):  # the seam of this field lies away from the points that are compared
        angle = lambda b, s=shift: (b + s + 180.0) % 360.0 - 180.0  # noqa: E731
        found = weights(flat(lambda a, b: angle(b), lat))  # noqa: B023
        compare = (np.abs(angle(grid.longitude)) < 165.0) & (np.abs(grid.latitude) <= 88.75)
        np.testing.assert_allclose(found[compare], angle(grid.longitude)[compare], atol=1e-10)


def test_a_linear_field_of_the_polar_plane_goes_on_across_the_pole():
    """rho cos(lon) along a meridian over the pole is a straight line; between columns the chord misses the arc a little."""
    lat = coarse("north")
    lon = np.array([3.75, 3.75 - 180.0])[:, None]
    along = np.array([86.25, 87.5, 88.75, 89.0, 89.5, 89.99, 90.0])[None, :]
    weights = column_weights(lat, LON, *np.broadcast_arrays(along, lon))
    found = weights(flat(lambda a, b: (90.0 - a) * np.cos(np.radians(b - 3.75)), lat))
    expected = (90.0 - along) * np.array([1.0, -1.0])[:, None]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_linear_fields_of_the_polar_plane_everywhere(case):
    """To the error of chords across 7.5 degrees: 1 - cos(3.75 deg) = 2.1e-3 of the distance from the pole."""
    grid, lat, weights = case
    plane = lambda a, b: (90.0 - np.abs(a)) * np.cos(np.radians(b - 40.0))  # noqa: E731
    found, exact = weights(flat(plane, lat)), plane(grid.latitude, grid.longitude)
    assert np.all(np.abs(found - exact) <= 2.2e-3 * (90.0 - np.abs(grid.latitude)) + 2.2e-3 * 1.25)


def test_the_pole_itself_is_single_valued():
    lat = coarse("north")
    values = np.random.default_rng(0).normal(size=len(lat) * len(LON))
    ends = column_weights(lat, LON, np.array([90.0, 90.0]), np.array([-176.25, 3.75]))(values)
    assert ends[0] == pytest.approx(ends[1], rel=1e-12)


def test_the_date_line_is_not_a_seam():
    lat = coarse("south")
    values = np.random.default_rng(0).normal(size=len(lat) * len(LON))
    where = np.array([180.0, -180.0, 179.999999, -179.999999])
    found = column_weights(lat, LON, np.full(4, -61.3), where)(values)
    np.testing.assert_allclose(found, found[0], atol=1e-6)
    beside = values.reshape(len(lat), -1)[:, [0, -1]].mean(axis=1)  # the date line is halfway between two columns
    assert found[0] == pytest.approx(np.interp(-61.3, lat, beside), rel=1e-12)


def test_points_beyond_the_drivers_are_refused():
    with pytest.raises(CoverageError, match=r"reach down to 28\.75 degrees latitude, the model to 20"):
        column_weights(coarse("north"), LON, np.array([20.0]), np.array([0.0]))


@given(st.floats(-500, 500), st.floats(-500, 500), st.floats(-180, 180), st.sampled_from([1.0, -1.0]))
def test_plane_components_are_those_of_the_vector(east, north, lon, sign):
    """At the pole the horizontal plane is the polar plane: the components are those along x and y of the Earth."""
    axis_east, axis_north, _ = local_axes(sign * 90.0, lon)
    vector = east * axis_east + north * axis_north
    first, second = plane_components(np.array(east), np.array(north), np.array(lon), sign)
    np.testing.assert_allclose([first, second], vector[:2], atol=1e-10)


@given(st.floats(-500, 500), st.floats(-500, 500), st.floats(-180, 180), st.sampled_from([1.0, -1.0]))
def test_plane_components_round_trip(east, north, lon, sign):
    first, second = plane_components(np.array(east), np.array(north), np.array(lon), sign)
    angle = np.radians(lon)
    outward = first * np.cos(angle) + second * np.sin(angle)
    np.testing.assert_allclose(second * np.cos(angle) - first * np.sin(angle), east, atol=1e-10)
    np.testing.assert_allclose(-sign * outward, north, atol=1e-10)
