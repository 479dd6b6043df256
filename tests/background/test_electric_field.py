"""The convection in three dimensions: perpendicular to B, minus the gradient of the potential, whole at the pole."""

from __future__ import annotations

import numpy as np
import pytest

from siderion.background.conditions import MAGNETIC_LATITUDE, MAGNETIC_LOCAL_TIME
from siderion.background.convection import swipe
from siderion.background.electric_field import (
    FOOTPOINT_RADIUS,
    PHASES,
    SINE_STEP,
    ConvectionField,
    field_axes,
    gradient_table,
    potential_spline,
)
from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import DataError
from siderion.frames.dipole import TiltedDipole
from siderion.frames.spherical import latitude_longitude, local_axes, unit_vector

TIME = np.datetime64("2023-06-18T18:00", "ns")


def model_of(hemisphere):
    return swipe(3.0, -6.0, 480.0, 22.0, 160.0, hemisphere)


def convection_of(hemisphere):
    dipole = TiltedDipole.at(TIME)
    sign = 1.0 if hemisphere == "north" else -1.0
    potential = model_of(hemisphere).potential(sign * MAGNETIC_LATITUDE[:, None], MAGNETIC_LOCAL_TIME[None, :])
    sun = float(dipole.subsolar_magnetic_longitude(TIME))
    return ConvectionField(dipole, hemisphere, sun, potential, MAGNETIC_LATITUDE, MAGNETIC_LOCAL_TIME)


@pytest.fixture(scope="module", params=["north", "south"])
def convection(request):
    return convection_of(request.param)


def places(convection, count=400, lowest=40.0):
    """Geographic places over the whole cap, and altitudes in km."""
    rng = np.random.default_rng(5)
    sign = 1.0 if convection.hemisphere == "north" else -1.0
    lat = sign * np.degrees(np.arcsin(rng.uniform(np.sin(np.radians(lowest)), 1.0, count)))
    return lat, rng.uniform(-180.0, 180.0, count), rng.uniform(85.0, 400.0, count)


def radius_at(alt):
    return EARTH_RADIUS + 1e3 * np.asarray(alt)


def test_the_field_is_perpendicular_to_b(convection):
    lat, lon, alt = places(convection)
    electric = convection.electric_field(lat, lon, radius_at(alt))
    field = convection.dipole.field(lat, lon, radius_at(alt))
    product = np.linalg.norm(electric, axis=-1) * np.linalg.norm(field, axis=-1)
    assert product.max() > 0.01 * 4e-5
    np.testing.assert_allclose(np.sum(electric * field, axis=-1), 0.0, atol=1e-14 * product.max())


def test_the_field_is_minus_the_gradient_of_the_potential(convection):
    """By central differences of `potential_at` over 4 km in all three directions."""
    lat, lon, alt = places(convection)
    electric = convection.electric_field(lat, lon, radius_at(alt))
    here = unit_vector(lat, lon) * radius_at(alt)[:, None]
    numeric = np.zeros_like(here)
    for axis in range(3):
        ends = []
        for step in (2e3, -2e3):
            moved = here + step * np.eye(3)[axis]
            at = np.linalg.norm(moved, axis=-1)
            ends.append([
                float(convection.potential_at(*place, alt=float((r - EARTH_RADIUS) / 1e3)))
                for place, r in zip(np.stack(latitude_longitude(moved), axis=-1), at, strict=True)
            ])  # fmt: skip
        numeric[:, axis] = -(np.array(ends[0]) - np.array(ends[1])) / 4e3
    largest = np.linalg.norm(numeric, axis=-1).max()
    assert 0.01 < largest < 0.2
    assert np.abs(electric - numeric).max() < 2e-3 * largest


def test_the_table_holds_the_analytic_gradient(convection):
    """The spline through 0.5 degrees and 15 minutes, tabulated, against the derivatives of the model itself."""
    sign = 1.0 if convection.hemisphere == "north" else -1.0
    table = convection.table
    colatitude = np.degrees(np.arcsin(np.arange(table.shape[2]) * SINE_STEP))
    local_time = np.arange(PHASES + 1) * 24.0 / PHASES
    by_theta, by_phi = model_of(convection.hemisphere).gradient(sign * (90.0 - colatitude)[None, :], local_time[:, None])
    phase = np.radians(15.0 * local_time)[:, None]
    first = by_theta * np.cos(phase) - by_phi * np.sin(phase)
    second = by_theta * np.sin(phase) + by_phi * np.cos(phase)
    largest = np.hypot(first, second).max()
    assert table.shape == (2, *first.shape)
    assert np.abs(table - np.stack([first, second])).max() < 2e-3 * largest
    at_pole = table[:, :, 0]
    assert np.abs(at_pole - at_pole[:, :1]).max() < 1e-3 * largest  # one vector, whatever the meridian


def test_a_uniform_field_over_the_pole_is_exact_there():
    """Phi = -A sin(colatitude) cos(phase): a gradient of constant direction, the hardest case for polar coordinates."""
    colatitude = np.radians(90.0 - MAGNETIC_LATITUDE)[:, None]
    phase = np.radians(15.0 * MAGNETIC_LOCAL_TIME)[None, :]
    table = gradient_table(-1e4 * np.sin(colatitude) * np.cos(phase), MAGNETIC_LATITUDE, MAGNETIC_LOCAL_TIME)
    sine = np.arange(table.shape[2]) * SINE_STEP
    turn = np.arange(PHASES + 1)[:, None] * 2.0 * np.pi / PHASES
    cosine = np.sqrt(1.0 - sine**2)
    expected_first = -1e4 * (cosine * np.cos(turn) ** 2 + np.sin(turn) ** 2)
    expected_second = -1e4 * (cosine - 1.0) * np.cos(turn) * np.sin(turn)
    np.testing.assert_allclose(table[0], expected_first, atol=5.0)
    np.testing.assert_allclose(table[1], expected_second, atol=5.0)


@pytest.mark.parametrize("pole", ["magnetic", "geographic"])
def test_the_field_is_finite_and_single_valued_at_the_poles(convection, pole):
    if pole == "magnetic":
        lat, lon = (float(v) for v in latitude_longitude(convection.near_pole))
        around = unit_vector(lat, lon) + 1e-7 * np.stack(local_axes(lat, lon)[:2])
        around = np.concatenate([around, 2.0 * unit_vector(lat, lon) - around])
        lats, lons = latitude_longitude(around)
        assert np.isfinite(convection.electric_field(lat, lon, radius_at(120.0))).all()
    else:
        lats = np.full(5, 90.0 if convection.hemisphere == "north" else -90.0)
        lons = np.array([-180.0, -70.0, 0.0, 90.0, 179.0])
    electric = convection.electric_field(lats, lons, np.full(lats.shape, radius_at(120.0)))
    assert np.isfinite(electric).all()
    size = np.linalg.norm(electric, axis=-1).max()
    assert size > 1e-4
    np.testing.assert_allclose(electric, electric[:1] * np.ones((len(lats), 1)), atol=2e-4 * size)


def test_the_field_is_continuous_across_the_magnetic_pole(convection):
    """Along a great circle over the pole no component jumps."""
    b = convection.dipole.axes
    angle = np.radians(np.linspace(-2.0, 2.0, 400))
    sign = 1.0 if convection.hemisphere == "north" else -1.0
    track = np.sin(angle)[:, None] * b[0] + sign * np.cos(angle)[:, None] * b[2]
    electric = convection.electric_field(*latitude_longitude(track), np.full(400, radius_at(120.0)))
    steps = np.abs(np.diff(electric, axis=0)).max()
    assert steps < 0.02 * np.linalg.norm(electric, axis=-1).max()


def test_the_potential_is_constant_along_field_lines(convection):
    """r = L sin^2(theta) in magnetic coordinates, from 110 km up to 800 km."""
    sign = 1.0 if convection.hemisphere == "north" else -1.0
    for colatitude, longitude in ((8.0, 40.0), (20.0, -100.0), (30.0, 170.0)):
        foot = np.radians(colatitude)
        values = []
        for alt in (110.0, 150.0, 300.0, 800.0):
            theta = np.arcsin(np.sqrt(radius_at(alt) / FOOTPOINT_RADIUS) * np.sin(foot))
            place = convection.dipole.geographic(sign * (90.0 - np.degrees(theta)), longitude)
            values.append(float(convection.potential_at(*place, alt=alt)))
        np.testing.assert_allclose(values, values[0], rtol=1e-9)
        local_time = (12.0 + (longitude - convection.subsolar_magnetic_longitude) / 15.0) % 24.0
        expected = float(model_of(convection.hemisphere).potential(sign * (90.0 - colatitude), local_time))
        assert values[0] == pytest.approx(expected, abs=1e-3 * np.abs(convection.potential).max())


def test_nothing_beyond_the_grid(convection):
    lat = np.array([-10.0, 20.0]) * (1.0 if convection.hemisphere == "north" else -1.0)
    assert not np.any(convection.electric_field(lat, np.array([0.0, 90.0]), np.full(2, radius_at(120.0))))
    assert not np.any(convection.potential_at(lat, np.array([0.0, 90.0])))


def test_the_field_falls_with_altitude_as_field_lines_spread(convection):
    """E ~ r^-1.5 across the field lines near the pole: |E| over a near-polar line from 110 to 400 km."""
    colatitude = np.radians(3.0)
    sizes = []
    for alt in (110.0, 400.0):
        theta = np.degrees(np.arcsin(np.sqrt(radius_at(alt) / FOOTPOINT_RADIUS) * np.sin(colatitude)))
        sign = 1.0 if convection.hemisphere == "north" else -1.0
        place = convection.dipole.geographic(sign * (90.0 - theta), 30.0)
        sizes.append(float(np.linalg.norm(convection.electric_field(*place, radius_at(alt)))))
    assert sizes[1] / sizes[0] == pytest.approx((FOOTPOINT_RADIUS / radius_at(400.0)) ** 1.5, rel=2e-3)


def test_field_axes_are_orthonormal(convection):
    lat, lon, _ = places(convection, 50)
    up, away, east = field_axes(unit_vector(lat, lon), convection.near_pole, convection.dipole.axes[2])
    frame = np.stack([up, away, east], axis=-2)
    np.testing.assert_allclose(frame @ np.swapaxes(frame, -1, -2), np.broadcast_to(np.eye(3), frame.shape), atol=1e-12)
    assert np.all(away @ convection.near_pole < 0.0)
    assert np.all(np.sum(np.cross(convection.dipole.axes[2], up) * east, axis=-1) > 0.0)


@pytest.mark.parametrize("wrong", ["odd", "no pole", "uneven", "late start"])
def test_grids_that_a_spline_cannot_take_are_refused(wrong):
    latitude, local_time = MAGNETIC_LATITUDE.copy(), MAGNETIC_LOCAL_TIME.copy()
    if wrong == "odd":
        local_time = np.arange(25) * 24.0 / 25.0
    elif wrong == "no pole":
        latitude = latitude - 0.25
    elif wrong == "uneven":
        latitude[3] += 0.1
    else:
        local_time = local_time + 0.1
    with pytest.raises(DataError, match="magnetic_latitude must grow evenly to 90 degrees"):
        potential_spline(np.zeros((len(latitude), len(local_time))), latitude, local_time)
