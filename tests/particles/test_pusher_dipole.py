"""The pusher in a dipole: invariants, bounce, drift; surfaces that stop particles; adaptive steps; grids; functions; flux."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from scipy.constants import c, e, m_p, mu_0
from scipy.integrate import quad
from scipy.optimize import brentq

from siderion.core.errors import SettingsError
from siderion.particles import points_on_sphere
from siderion.particles.electromagnetic_fields import dipole_field, function_fields, grid_fields, uniform_fields
from siderion.particles.guiding_centre import (
    dipole_bounce_period,
    equatorial_drift_rate,
    magnetic_moment,
    mirror_latitude,
)
from siderion.particles.pusher import push
from siderion.particles.stop_surfaces import box, conic_surface, plane, shue_surface, sphere

STRENGTH = mu_0 / (4.0 * np.pi) * 8e22
EARTH = dipole_field([0.0, 0.0, -8e22])
SHELL = 2e7
OMEGA = e * STRENGTH / SHELL**3 / m_p
NONE = uniform_fields([0.0, 0.0, 0.0])


def exact_equatorial_drift(speed, start, gamma):
    """Angle about z per radial oscillation of a proton that starts at its outer turning point, from conserved quantities.

    With B_z = STRENGTH / r^3 and A_phi = -STRENGTH / r^2, r v_phi - (q / m) STRENGTH / r is constant (Stormer 1907).
    """
    strength = e * STRENGTH / m_p / gamma
    momentum = -start * speed - strength / start  # gyration of a proton is clockwise about +z: v_phi < 0 at the outer point

    def azimuthal(r):
        return (momentum + strength / r) / r

    inner = brentq(lambda r: azimuthal(r) - speed, 0.5 * start, start * (1.0 - 1e-3 * speed * start**2 / strength))
    middle, half = 0.5 * (start + inner), 0.5 * (start - inner)

    def integrand(phase):
        r = middle - half * np.cos(phase)
        radial = speed**2 - azimuthal(r) ** 2
        return 2.0 * azimuthal(r) / r * half * np.sin(phase) / np.sqrt(radial)

    def time(phase):
        r = middle - half * np.cos(phase)
        return 2.0 * half * np.sin(phase) / np.sqrt(speed**2 - azimuthal(r) ** 2)

    ends = (1e-7, np.pi - 1e-7)
    return quad(integrand, *ends, epsrel=1e-11, limit=200)[0], quad(time, *ends, epsrel=1e-11, limit=200)[0]


def test_equatorial_drift_equals_the_quadrature_of_stormer():
    speed = 0.01 * SHELL * OMEGA
    start = SHELL * 1.01
    gamma = 1.0 / np.sqrt(1.0 - (speed / c) ** 2)  # 1.002
    turn, period = exact_equatorial_drift(speed, start, gamma)
    turns = 100
    errors = []
    for steps in (40, 80):
        flight = push([[start, 0.0, 0.0]], [[0.0, -speed, 0.0]], e, m_p, EARTH, turns * period, step=period / steps,
                      method="boris_exact_phase")  # fmt: skip
        azimuth = np.arctan2(flight.end_position[0, 1], flight.end_position[0, 0])
        errors.append(abs(azimuth - turns * turn))
    assert turns * turn < -0.05  # westward
    assert errors[1] < 0.01 * abs(turns * turn)
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.2)
    # the drift of the guiding centre at its own shell, to the first order in the gyroradius
    assert turn / period == pytest.approx(equatorial_drift_rate(e, m_p, speed, SHELL, -STRENGTH, gamma), rel=3e-3)


def test_bounce_period_and_invariants():
    # 30 degrees at 2e7 m, gyroradius 2e-3 of the shell
    speed, pitch = 2e-3 * SHELL * OMEGA, np.radians(30.0)
    period = dipole_bounce_period(speed, pitch, SHELL)
    times = np.linspace(0.0, 1.02 * period, 400)
    flight = push(
        [[SHELL, 0.0, 0.0]], [[speed * np.sin(pitch), 0.0, speed * np.cos(pitch)]], e, m_p, EARTH, times[-1], times=times,
        steps_per_gyration=24,
    )  # fmt: skip
    z = flight.position[:, 0, 2]
    back = np.flatnonzero((z[:-1] < 0.0) & (z[1:] >= 0.0))[-1]
    found = times[back] + (times[1] - times[0]) * -z[back] / (z[back + 1] - z[back])
    assert found == pytest.approx(period, rel=4e-3)  # of the order of the gyroradius over the shell
    speeds = np.linalg.norm(flight.velocity[:, 0], axis=1)
    np.testing.assert_allclose(speeds, speed, rtol=1e-12)
    # second invariant through the mirror point: the largest latitude is that of the first half and of the second half
    latitude = np.arcsin(z / np.linalg.norm(flight.position[:, 0], axis=1))
    top = mirror_latitude(pitch)
    assert latitude.max() == pytest.approx(top, rel=1e-2)
    assert latitude.min() == pytest.approx(-top, rel=1e-2)


def test_first_invariant_oscillates_in_proportion_to_the_gyroradius():
    # adiabatic theory: p_perp^2 / 2 m B differs from the invariant by a term of first order in the gyroradius over the shell
    ranges, pitch = [], np.radians(30.0)
    for ratio in (2e-3, 1e-3, 5e-4):
        speed = ratio * SHELL * OMEGA
        times = np.linspace(0.0, 40.0 / OMEGA, 400)
        flight = push([[SHELL, 0.0, 0.0]], [[speed * np.sin(pitch), 0.0, speed * np.cos(pitch)]], e, m_p, EARTH, times[-1],
                      times=times, steps_per_gyration=24)  # fmt: skip
        moment = magnetic_moment(flight.velocity[:, 0], EARTH.evaluate(flight.position[:, 0])[1], m_p)
        ranges.append(np.ptp(moment) / moment.mean())
    np.testing.assert_allclose(np.divide(ranges[:-1], ranges[1:]), 2.0, rtol=0.1)


def test_bounce_period_in_known_limits():
    # small oscillations about the equator: B = B0 (1 + 9/2 latitude^2), T = 2 pi r / (3 v) = 4 r / v * 0.7405 at 90 degrees
    assert dipole_bounce_period(1.0, 0.5 * np.pi, 1.0) == pytest.approx(
        2.0 * np.pi / 3.0 * np.sqrt(0.5) * np.sqrt(2.0), rel=1e-12
    )
    for degrees in (20.0, 45.0, 70.0):
        pitch = np.radians(degrees)
        hamlin = 4.0 * (1.30 - 0.56 * np.sin(pitch))
        assert dipole_bounce_period(1.0, pitch, 1.0) == pytest.approx(hamlin, rel=0.02)


def test_a_step_that_follows_the_field_is_found_and_does_not_depend_on_company():
    speed = 0.01 * SHELL * OMEGA
    flight = push([[SHELL, 0.0, 0.0]] * 2, [[0.3 * speed, 0.0, speed], [speed, 0.0, 0.0]], e, m_p, EARTH, 400.0 / OMEGA)
    assert flight.step[0] < 0.5 * flight.step[1]  # the first mirrors far from the equator
    alone = push([[SHELL, 0.0, 0.0]], [[speed, 0.0, 0.0]], e, m_p, EARTH, 400.0 / OMEGA)
    np.testing.assert_array_equal(alone.end_position[0], flight.end_position[1])


def test_straight_flight_stops_at_every_kind_of_surface():
    # without fields the crossing is exact, whatever the shape: along +x from the origin at 1 km/s
    fast = [[1e3, 0.0, 0.0]]
    for surface, distance in [
        (sphere(5e4, side="outside"), 5e4), (sphere(1e4, centre=[7e4, 0.0, 0.0]), 6e4), (plane([2.0, 0.0, 0.0], 6e4), 6e4),
        (box([-1e4, -1.0, -1.0], [3.3e4, 1.0, 1.0]), 3.3e4), (shue_surface(4e4, 0.6, side="outside"), 4e4),
        (conic_surface(8e4, 0.6, focus_x=-1e4, side="both"), 4e4),
    ]:  # fmt: skip
        flight = push([[0.0, 0.0, 0.0]], fast, 0.0, m_p, NONE, 100.0, step=0.7, surfaces=[surface], loss_rate=0.01)
        assert flight.ended_at(surface.name).all()
        assert flight.end_position[0, 0] == pytest.approx(distance, rel=1e-9)
        assert flight.end_time[0] == pytest.approx(distance / 1e3, rel=1e-9)
        assert flight.end_weight[0] == pytest.approx(np.exp(-0.01 * distance / 1e3), rel=1e-9)


def test_crossing_on_a_gyration_is_of_order_two():
    # a proton in B along z through the plane y = -r_g / 2: phase pi / 3, place and velocity known
    speed, field = 1e5, 5e-9
    omega = e * field / m_p
    radius, phase, errors = speed / omega, np.pi / 3.0, []
    for steps in (47, 94, 188):
        flight = push([[0.0, 0.0, 0.0]], [[speed, 0.0, 0.0]], e, m_p, uniform_fields([0.0, 0.0, field]), 9.0 / omega,
                      step=2.0 * np.pi / omega / steps, surfaces=[plane([0.0, 1.0, 0.0], -0.5 * radius, "inside")])  # fmt: skip
        place = np.array([radius * np.sin(phase), -0.5 * radius, 0.0])
        velocity = speed * np.array([np.cos(phase), -np.sin(phase), 0.0])
        errors.append([
            abs(flight.end_time[0] * omega / phase - 1.0), np.linalg.norm(flight.end_position[0] - place) / radius,
            np.linalg.norm(flight.end_velocity[0] - velocity) / speed,
        ])  # fmt: skip
        assert flight.end_position[0, 1] == pytest.approx(-0.5 * radius, rel=1e-9)
        np.testing.assert_array_equal(flight.position[-1, 0], flight.end_position[0])
        assert not flight.flying[-1, 0]
    # the remainder depends on where in the step the plane lies: bounds proportional to the square of the angle per step
    angle = 2.0 * np.pi / np.array([[47.0], [94.0], [188.0]])
    assert (np.array(errors) < 0.25 * angle**2).all()


def test_a_particle_on_the_wrong_side_ends_at_once_and_unused_surfaces_do_nothing():
    flight = push([[0.0, 0.0, 0.0], [3e4, 0.0, 0.0]], [[1e3, 0.0, 0.0]] * 2, 0.0, m_p, NONE, 10.0, step=0.1,
                  surfaces=[sphere(1e4, name="body")])  # fmt: skip
    np.testing.assert_array_equal(flight.ended_at("body"), [True, False])
    np.testing.assert_allclose(flight.end_time, [0.0, 10.0], atol=1e-15)
    np.testing.assert_allclose(flight.end_position[:, 0], [0.0, 4e4], atol=1e-12)
    # a start on a surface exactly: both sides stop the particle at once, the inside only one that moves inwards
    for side, speeds, ends in [("both", [1e3, -1e3], [0.0, 0.0]), ("inside", [1e3, -1e3], [10.0, 0.0])]:
        velocity = np.outer(speeds, [1.0, 0.0, 0.0])
        on = push(np.zeros((2, 3)), velocity, 0.0, m_p, NONE, 10.0, step=0.1, surfaces=[plane([1.0, 0.0, 0.0], 0.0, side)])
        np.testing.assert_allclose(on.end_time, ends, atol=1e-15)
        np.testing.assert_allclose(on.end_position[:, 0], np.multiply(speeds, ends), atol=1e-9)
    with pytest.raises(SettingsError, match="no surface is called"):
        flight.ended_at("moon")
    with pytest.raises(SettingsError, match="name of its own"):
        push([[0.0, 0.0, 0.0]], [[1e3, 0.0, 0.0]], 0.0, m_p, NONE, 1.0, step=0.1, surfaces=[sphere(1e4), sphere(2e4)])
    with pytest.raises(SettingsError, match="side 'left'"):
        sphere(1.0, side="left")


def test_grid_and_function_fly_like_the_field_they_hold():
    field, electric = np.array([0.0, 1e-9, 5e-9]), np.array([1e-4, 0.0, 2e-5])
    axis = np.linspace(-3e6, 3e6, 5)
    shape = (5, 5, 5, 3)
    grid = grid_fields(axis, axis, axis, np.broadcast_to(field, shape), np.broadcast_to(electric, shape))

    @numba.njit
    def steady(x, y, z, t):
        return 1e-4, 0.0, 2e-5, 0.0, 1e-9, 5e-9

    start, fast = [[0.0, 0.0, 0.0], [1e5, 2e5, 0.0]], [[1e5, 0.0, 0.0], [0.0, 2e5, 1e4]]
    expected = push(start, fast, e, m_p, uniform_fields(field, electric), 10.0, step=0.05)
    for fields in (grid, function_fields(steady)):
        found = push(start, fast, e, m_p, fields, 10.0, step=0.05)
        np.testing.assert_allclose(found.end_position, expected.end_position, rtol=1e-10)
    gone = push(start, fast, e, m_p, grid, 1000.0, step=0.05)
    assert gone.ended_at("edge of the grid").all()
    np.testing.assert_allclose(np.abs(gone.end_position).max(axis=1), 3e6, rtol=1e-9)


def test_flux_through_a_plane_converges_as_the_root_of_the_number():
    # isotropic particles in B along z from the origin pass z = h within t when v cos(angle) t > h: a part (1 - h / v t) / 2
    exact = 0.5 * (1.0 - 0.4)
    scatter = []
    for count in (100, 1600):
        found = []
        for seed in range(60):
            velocity = 1e5 * points_on_sphere(count, np.random.default_rng(seed))
            flight = push(np.zeros((count, 3)), velocity, e, m_p, uniform_fields([0.0, 0.0, 5e-9]), 10.0, step=0.5,
                          surfaces=[plane([0.0, 0.0, 1.0], 4e5, side="outside")])  # fmt: skip
            found.append(flight.ended_at("plane").mean())
        assert np.mean(found) == pytest.approx(exact, abs=4.0 * np.sqrt(exact * (1.0 - exact) / count / 60))
        scatter.append(np.std(found))
    # binomial: 1 / sqrt(N); the ratio of two standard deviations of 60 samples is known to 13 %
    assert scatter[0] / scatter[1] == pytest.approx(4.0, rel=0.4)
    assert scatter[0] == pytest.approx(np.sqrt(exact * (1.0 - exact) / 100), rel=0.3)
