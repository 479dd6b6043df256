from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from siderion.frames.spherical import latitude_longitude, local_axes, unit_vector

LATITUDES = st.floats(-90.0, 90.0)
LONGITUDES = st.floats(-180.0, 180.0)


def test_axes_of_the_earth() -> None:
    vectors = unit_vector([0.0, 0.0, 90.0, -90.0], [0.0, 90.0, 0.0, 0.0])
    np.testing.assert_allclose(vectors, [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, -1]], atol=1e-15)


@given(LATITUDES, LONGITUDES, st.floats(1e-3, 1e9))
def test_round_trip(lat: float, lon: float, length: float) -> None:
    vector = unit_vector(lat, lon)
    back = unit_vector(*latitude_longitude(length * vector))
    np.testing.assert_allclose(back, vector, atol=1e-14)


@given(LATITUDES, LONGITUDES)
def test_local_axes_are_right_handed(lat: float, lon: float) -> None:
    axes = np.stack(local_axes(lat, lon))
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(np.linalg.det(axes), 1.0, atol=1e-14)
    np.testing.assert_allclose(axes[2], unit_vector(lat, lon), atol=1e-15)


def test_local_axes_at_greenwich_and_at_the_pole() -> None:
    np.testing.assert_allclose(np.stack(local_axes(0.0, 0.0)), [[0, 1, 0], [0, 0, 1], [1, 0, 0]], atol=1e-15)
    np.testing.assert_allclose(np.stack(local_axes(90.0, 0.0)), [[0, 1, 0], [-1, 0, 0], [0, 0, 1]], atol=1e-15)


def test_local_axes_follow_the_coordinates() -> None:
    lat, lon, step = 40.0, 30.0, 1e-6
    east, north, _ = local_axes(lat, lon)
    to_north = (unit_vector(lat + step, lon) - unit_vector(lat - step, lon)) / np.radians(2 * step)
    to_east = (unit_vector(lat, lon + step) - unit_vector(lat, lon - step)) / np.radians(2 * step)
    np.testing.assert_allclose(to_north, north, atol=1e-8)
    np.testing.assert_allclose(to_east, east * np.cos(np.radians(lat)), atol=1e-8)


def test_arrays_broadcast() -> None:
    assert unit_vector(np.zeros((4, 1)), np.zeros(5)).shape == (4, 5, 3)
    assert local_axes(np.zeros((4, 1)), np.zeros(5))[1].shape == (4, 5, 3)
