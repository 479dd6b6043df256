"""The pusher against exact motion in uniform fields, gravity and its own limits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.constants import c, e, elementary_charge, m_e, m_p, physical_constants

from siderion.core.errors import CoverageError, NumericalError, SettingsError
from siderion.particles.electromagnetic_fields import convection_field, dipole_field, grid_fields, uniform_fields
from siderion.particles.guiding_centre import drift_across, gyrofrequency, pick_up_cycloid
from siderion.particles.pusher import push, push_pick_up
from siderion.particles.stop_surfaces import plane

FIELD = 5e-9
AMU = physical_constants["atomic mass constant"][0]
OMEGA = e * FIELD / m_p
PERIOD = 2.0 * np.pi / OMEGA
GAMMA = 1.0 / np.sqrt(1.0 - (1e5 / c) ** 2)
"""Of 1e5 m/s: 1 + 5.6e-8, which shows in the phase."""
ORIGIN = np.zeros((1, 3))


def ring(phase, speed):
    """Place and velocity of a proton in B along z, after a phase from (0, 0) with the velocity along x."""
    radius = speed / OMEGA
    place = np.stack([radius * np.sin(phase), radius * (np.cos(phase) - 1.0), 0.0 * phase], axis=-1)
    return place, np.stack([speed * np.cos(phase), -speed * np.sin(phase), 0.0 * phase], axis=-1)


def gyrate(steps, method="boris", turns=3.0, precision="float64"):
    return push(
        ORIGIN, [[1e5, 0.0, 0.0]], e, m_p, uniform_fields([0.0, 0.0, FIELD]), turns * PERIOD,
        step=PERIOD / steps, method=method, precision=precision,
    )  # fmt: skip


def test_gyration_has_the_exact_radius_of_the_scheme_and_phase_of_order_two():
    # Boris turns by 2 atan(W dt / 2) per step, a textbook result: the phase lags by (W dt)^2 / 12 of itself
    errors = []
    for steps in (20, 40, 80):
        flight = gyrate(steps)
        angle = 2.0 * np.pi / steps
        phase = 3 * steps * 2.0 * np.arctan(0.5 * angle / GAMMA)
        expected = [1e5 * np.cos(phase), -1e5 * np.sin(phase), 0.0]
        np.testing.assert_allclose(flight.end_velocity[0], expected, atol=1e-6)
        errors.append(np.arctan2(-flight.end_velocity[0, 1], flight.end_velocity[0, 0]))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.02)
    assert np.log2(errors[1] / errors[2]) == pytest.approx(2.0, abs=0.01)
    assert errors[0] == pytest.approx(-6.0 * np.pi * (2.0 * np.pi / 20) ** 2 / 12.0, rel=0.03)


def test_place_converges_with_order_two():
    phase = np.array(5.3)
    place, _ = ring(phase, 1e5)
    errors = []
    for steps in (20, 40, 80):
        flight = gyrate(steps, turns=5.3 / (2.0 * np.pi))
        errors.append(np.linalg.norm(flight.end_position[0] - place))
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    np.testing.assert_allclose(orders, 2.0, atol=0.1)


def test_exact_phase_returns_to_the_start():
    flight = gyrate(20, method="boris_exact_phase", turns=50.0 * GAMMA)
    np.testing.assert_allclose(flight.end_velocity[0], [1e5, 0.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(flight.end_position[0], 0.0, atol=1e-6 * 1e5 / OMEGA)


def test_energy_is_bounded_over_a_hundred_thousand_gyrations():
    flight = push(
        ORIGIN, [[1e5, 0.0, 3e4]], e, m_p, uniform_fields([0.0, 0.0, FIELD], [2e-5, 0.0, 0.0]), 1e5 * PERIOD,
        steps_per_gyration=16, times=np.array([0.0, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5]) * PERIOD,
    )  # fmt: skip
    # energy less the work of E along x is constant; snapshots at any phase
    energy = 0.5 * m_p * np.sum(flight.velocity[:, 0] ** 2, axis=1) - e * 2e-5 * flight.position[:, 0, 0]
    assert np.abs(energy / energy[0] - 1.0).max() < 2e-2  # oscillates with the phase by (W dt)^2
    drift = drift_across([2e-5, 0.0, 0.0], [0.0, 0.0, FIELD])
    np.testing.assert_allclose(flight.end_position[0, 1] / (1e5 * PERIOD), drift[1], rtol=1e-4)
    plain = push(ORIGIN, [[1e5, 0.0, 3e4]], e, m_p, uniform_fields([0.0, 0.0, FIELD]), 1e5 * PERIOD, steps_per_gyration=16)
    # the factor of the rotation is rounded the same way in every step: at most angle^2 2^-52 of v^2 in each
    steps = 1e5 * PERIOD / plain.step[0]
    assert abs(np.sum(plain.end_velocity**2) / 1.09e10 - 1.0) < steps * (2.0 * np.pi * steps**-1 * 1e5) ** 2 * 2.0**-52


def test_single_precision_keeps_the_energy_and_the_way():
    fields = uniform_fields([0.0, 0.0, FIELD])
    generator = np.random.default_rng(4)
    velocity = 1e5 * generator.standard_normal((1000, 3))
    far = 1e10 + generator.uniform(0.0, 1e9, (1000, 3))  # where float32 resolves 1 km
    double = push(far, velocity, e, m_p, fields, 20.0 * PERIOD, steps_per_gyration=32)
    single = push(far, velocity, e, m_p, fields, 20.0 * PERIOD, steps_per_gyration=32, precision="float32")
    speed = np.linalg.norm(single.end_velocity, axis=1) / np.linalg.norm(velocity, axis=1) - 1.0
    assert np.abs(speed).max() < 2e-5
    way = np.linalg.norm(double.end_position - far, axis=1)
    assert (np.linalg.norm(single.end_position - double.end_position, axis=1) < 1e-4 * way.max()).all()
    assert np.abs(single.end_velocity - double.end_velocity).max() > 0.0


@pytest.mark.parametrize(("mass", "energy", "height", "period"), [
    (22.99, 76.0, 3.0, 299.0), (28.085, 93.0, 3.7, 366.0), (39.098, 130.0, 5.1, 509.0), (55.845, 185.0, 7.3, 727.0),
])  # fmt: skip
def test_cycloid_of_pick_up(mass, energy, height, period):
    # Na, Si, K, Fe in 400 km/s and 5 nT: 2 m v^2, r_g = m v / q B and 2 pi m / q B worked out by hand
    mass *= AMU
    omega = gyrofrequency(e, mass, FIELD)
    times = np.linspace(0.0, 2.0 * np.pi / omega, 65)
    flight = push_pick_up(
        ORIGIN, e, mass, [4e5, 0.0, 0.0], [0.0, 0.0, FIELD], times[-1], times=times, steps_per_gyration=128,
        method="boris_exact_phase",
    )  # fmt: skip
    x, y = pick_up_cycloid(times, 4e5, omega)
    np.testing.assert_allclose(flight.position[:, 0, 0], x, atol=2e-3 * 4e5 / omega)
    np.testing.assert_allclose(-flight.position[:, 0, 1], -y, atol=2e-3 * 4e5 / omega)
    top = 0.5 * mass * np.sum(flight.velocity[:, 0] ** 2, axis=1).max()
    assert top == pytest.approx(2.0 * mass * 4e5**2, rel=1e-3)
    assert top / elementary_charge / 1e3 == pytest.approx(energy, abs=0.7)
    assert 4e5 / omega / 6371.2e3 == pytest.approx(height, abs=0.06)
    assert times[-1] == pytest.approx(period, rel=2e-3)


def test_ions_born_in_a_convection_field_drift_with_the_flow():
    # Boris turns by 2 atan(W dt / 2) per step: after 32 steps of 2 tan(pi / 32) / W the velocity is that of the start, and the
    # ion has moved by the flow across B; along B nothing takes it
    flow, magnetic = np.array([-4e5, 3e4, 1e4]), np.array([1e-9, 2e-9, FIELD])
    across = flow - (flow @ magnetic) / (magnetic @ magnetic) * magnetic
    step = 2.0 * np.tan(np.pi / 32) / gyrofrequency(e, m_p, np.linalg.norm(magnetic))
    duration, fields = 96 * step, uniform_fields(magnetic) + convection_field(flow, magnetic)
    flight = push(np.zeros((2, 3)), [[0.0, 0.0, 0.0], across], e, m_p, fields, duration, step=step)
    # gamma differs from 1 by 2 (v / c)^2 at most on the cycloid: the phase by 40 times (v / c)^2 in three turns
    slow, speed = (across @ across) / c**2, np.linalg.norm(across)
    np.testing.assert_allclose(flight.end_position[0] / duration, across, atol=40.0 * slow * speed)
    np.testing.assert_allclose(flight.end_velocity[0], 0.0, atol=40.0 * slow * speed)
    # born with the flow it goes straight on, but for (angle v / c)^2 of the gamma of Boris
    np.testing.assert_allclose(flight.end_position[1] / duration, across, atol=0.04 * slow * speed)
    np.testing.assert_allclose(flight.end_velocity[1], across, atol=0.04 * slow * speed)
    picked = push_pick_up(ORIGIN, e, m_p, flow, magnetic, duration, step=step)
    np.testing.assert_array_equal(picked.end_position[0], flight.end_position[0])
    # with the exact phase the mean over a turn of 32 steps is (W dt / 2) / tan(W dt / 2) of the drift
    turn = 2.0 * np.pi / 32 / gyrofrequency(e, m_p, np.linalg.norm(magnetic))
    exact = push(ORIGIN, ORIGIN, e, m_p, fields, 96 * turn, step=turn, method="boris_exact_phase")
    part = np.pi / 32 / np.tan(np.pi / 32)
    np.testing.assert_allclose(exact.end_position[0] / (96 * turn), part * across, atol=40.0 * slow * speed)


def test_relativistic_gyration():
    # gamma 5: the frequency falls by gamma, the radius is gamma v / W
    gamma = 5.0
    speed = c * np.sqrt(1.0 - gamma**-2)
    flight = push(
        ORIGIN, [[speed, 0.0, 0.0]], e, m_p, uniform_fields([0.0, 0.0, FIELD]), 0.5 * gamma * PERIOD, step=PERIOD / 20.0,
        method="boris_exact_phase",
    )  # fmt: skip
    np.testing.assert_allclose(flight.end_velocity[0], [-speed, 0.0, 0.0], atol=1e-8 * c)
    np.testing.assert_allclose(
        flight.end_position[0], [0.0, -2.0 * gamma * speed / OMEGA, 0.0], atol=2e-3 * gamma * speed / OMEGA
    )


def test_hyperbolic_motion_in_an_electric_field():
    # u = q E t / m and x = (c^2 / a) (sqrt(1 + (a t / c)^2) - 1), exact in special relativity
    field, duration = 1.0, 1e-2
    acceleration = e * field / m_e
    flights = [push(ORIGIN, ORIGIN, -e, m_e, uniform_fields([0.0] * 3, [field, 0.0, 0.0]), duration, step=duration / n)
               for n in (100, 200)]  # fmt: skip
    ratio = acceleration * duration / c
    assert ratio > 5.0
    place = -(c**2) / acceleration * (np.sqrt(1.0 + ratio**2) - 1.0)
    for flight in flights:
        assert flight.end_velocity[0, 0] == pytest.approx(-c * ratio / np.sqrt(1.0 + ratio**2), rel=1e-13)
    errors = [abs(flight.end_position[0, 0] - place) for flight in flights]
    assert errors[0] < 1e-4 * abs(place)
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.05)


def test_drift_across_fields_at_relativistic_speed():
    # at the drift velocity itself the force is zero: Higuera and Cary stay on it, Boris does not, by (angle)^2
    drift = 0.9 * c
    fields = uniform_fields([0.0, 0.0, FIELD], [0.0, FIELD * drift, 0.0])
    errors = {}
    for method in ("boris", "higuera_cary"):
        for step in (PERIOD / 10.0, PERIOD / 20.0):
            flight = push(ORIGIN, [[drift, 0.0, 0.0]], e, m_p, fields, 2.0 * PERIOD, step=step, method=method, largest_angle=1.0)
            errors[method, step] = np.linalg.norm(flight.end_velocity[0] / drift - [1.0, 0.0, 0.0])
    assert errors["higuera_cary", PERIOD / 10.0] < 1e-12
    assert 1e-4 < errors["boris", PERIOD / 10.0] < 0.2
    assert np.log2(errors["boris", PERIOD / 10.0] / errors["boris", PERIOD / 20.0]) > 1.5


@pytest.mark.parametrize("method", ["boris", "boris_exact_phase", "higuera_cary"])
def test_slow_particles_do_not_feel_relativity(method):
    flight = push(ORIGIN, [[1e-3, 0.0, 2e-3]], e, m_p, uniform_fields([0.0, 0.0, FIELD]), PERIOD, steps_per_gyration=64,
                  method=method, precision="float32")  # fmt: skip
    assert np.linalg.norm(flight.end_velocity[0]) == pytest.approx(np.sqrt(5e-6), rel=2e-6)
    assert flight.end_position[0, 2] == pytest.approx(2e-3 * PERIOD, rel=1e-5)


def test_kepler_orbit_closes_with_order_two():
    # an ellipse of eccentricity 0.3 from its pericentre: after one period, at the start again
    mu, near = 4e14, 7e6
    speed = np.sqrt(1.3 * mu / near)
    period = 2.0 * np.pi * np.sqrt((near / 0.7) ** 3 / mu)
    errors = []
    for steps in (400, 800):
        flight = push(
            [[near, 0.0, 0.0]], [[0.0, speed, 0.0]], 0.0, m_p, uniform_fields([0.0] * 3), period, step=period / steps, gravity=mu
        )
        errors.append(np.linalg.norm(flight.end_position[0] - [near, 0.0, 0.0]))
    assert errors[0] < 0.02 * near
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.1)


def test_weights_fall_exponentially_and_results_do_not_depend_on_company_or_threads():
    import numba

    generator = np.random.default_rng(8)
    position, velocity = 1e6 * generator.standard_normal((700, 3)), 1e5 * generator.standard_normal((700, 3))
    mass, rate, weight = (
        m_p * generator.uniform(1.0, 60.0, 700),
        generator.uniform(0.0, 0.1, 700),
        generator.uniform(1.0, 2.0, 700),
    )
    fields = uniform_fields([0.0, 1e-9, FIELD], [1e-4, 0.0, 0.0])
    times = [0.0, 3.0, 10.0]

    def fly(part=slice(None)):
        return push(
            position[part], velocity[part], e, mass[part], fields, 10.0, times=times, weight=weight[part], loss_rate=rate[part]
        )

    whole = fly()
    np.testing.assert_allclose(whole.weight, weight * np.exp(-rate * np.array(times)[:, None]), rtol=1e-14)
    backwards = fly(slice(None, None, -1))
    np.testing.assert_array_equal(backwards.position[:, ::-1], whole.position)
    threads = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        np.testing.assert_array_equal(fly().end_velocity, whole.end_velocity)
    finally:
        numba.set_num_threads(threads)


def test_too_long_a_step_is_refused():
    # angle per step 0.6; the default limit is 0.5
    with pytest.raises(NumericalError, match=r"particle 1 at .* turns by more than 0.5 rad in a step .*0.6\b"):
        push(np.zeros((2, 3)), np.full((2, 3), 1e5), [0.0, e], m_p, uniform_fields([0.0, 0.0, FIELD]), 96.0 / OMEGA,
             step=0.6 / OMEGA)  # fmt: skip
    fine = push(ORIGIN, np.full((1, 3), 1e5), e, m_p, uniform_fields([0.0, 0.0, FIELD]), 48.0 / OMEGA, step=0.6 / OMEGA,
                largest_angle=0.7)  # fmt: skip
    assert fine.step[0] == pytest.approx(0.6 / OMEGA)


@pytest.mark.parametrize("phase", [0.5, 0.96, 2.0, 40.0, 100.0])
def test_too_long_a_step_is_refused_also_where_a_surface_stops_the_particle(phase):
    # 1.5 rad per step: the plane is met before the first kick, after it, one step later, 27 and 67 steps later
    surface = plane([0.0, 0.0, 1.0], 1e5 * phase / OMEGA)
    start, fields = [[1e5, 0.0, 1e5]], uniform_fields([0.0, 0.0, FIELD])
    with pytest.raises(NumericalError, match=r"particle 1 at .* turns by more than 0.5 rad in a step .*1.5\b"):
        push(np.zeros((2, 3)), start * 2, [0.0, e], m_p, fields, 120.0 / OMEGA, step=1.5 / OMEGA, surfaces=[surface])
    # a good step is not refused, and the velocity there is that of the gyration: a lag of angle^2 / 12 of the phase
    flight = push(ORIGIN, start, e, m_p, fields, 120.0 / OMEGA, step=0.01 / OMEGA, surfaces=[surface])
    assert flight.ended_at("plane").all()
    assert flight.end_time[0] == pytest.approx(phase / OMEGA, rel=1e-12)
    expected = 1e5 * np.array([np.cos(phase), -np.sin(phase), 1.0])
    np.testing.assert_allclose(flight.end_velocity[0], expected, atol=1e5 * 1.2 * phase * 0.01**2 / 12.0)


@pytest.mark.parametrize("turns", [0.16, 0.4])
def test_steps_are_refined_also_where_a_surface_stops_the_particle_in_a_stronger_field(turns):
    # B along z grows threefold to the plane: the speed along z is constant, the phase is the integral of W, the double of W0 t
    end = 2.0 * np.pi * turns / OMEGA
    reach = 1e5 * end
    axis, heights = np.array([-1e9, 1e9]), np.array([-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0]) * reach
    magnetic = np.zeros((2, 2, 7, 3))
    magnetic[..., 2] = FIELD * (1.0 + 2.0 * heights / reach)
    fields = grid_fields(axis, axis, heights, magnetic)
    flight = push(ORIGIN, [[1e5, 0.0, 1e5]], e, m_p, fields, 2.0 * end, steps_per_gyration=100,
                  surfaces=[plane([0.0, 0.0, 1.0], reach)])  # fmt: skip
    assert flight.ended_at("plane").all()
    assert flight.end_time[0] == pytest.approx(end, rel=1e-9)
    step = flight.step[0]
    assert 3.0 * OMEGA * step < 2.0 * np.pi / 100 * (1.0 + 1e-5)  # before the crossing, at the strongest field met
    # Boris' lag in each step, and the field of the crossing instead of that of the middle in the last half step
    bound = 2.0 * OMEGA * end * (3.0 * OMEGA * step) ** 2 / 12.0 + 0.5 * (2.0 * OMEGA / end) * (0.5 * step) ** 2
    phase = 2.0 * OMEGA * end
    np.testing.assert_allclose(flight.end_velocity[0] / 1e5, [np.cos(phase), -np.sin(phase), 1.0], atol=bound)


def test_a_surface_takes_no_particle_that_is_not_finite_or_turns_infinitely():
    # (q B dt / 2 m)^2 is beyond the largest number: along B the velocity stays finite, across it does not
    fields, surface = uniform_fields([0.0, 0.0, 1e150]), plane([0.0, 0.0, 1.0], 1e5)
    with pytest.raises(NumericalError, match=r"particle 0 at \[0. 0. 0.\] m.* turns by more than"):
        push(ORIGIN, [[0.0, 0.0, 1e5]], e, m_p, fields, 9.0, step=1.5, surfaces=[surface])  # after one kick
    with pytest.raises(NumericalError, match=r"particle 0 at \[0. 0. 0.\] m.* not finite"):
        push(ORIGIN, [[1e5, 0.0, 1e5]], e, m_p, fields, 9.0, step=3.0, surfaces=[surface])  # before the first
    with pytest.raises(NumericalError, match="turns by more than"):
        push(ORIGIN, [[0.0, 0.0, 1e5]], e, m_p, fields, 9.0, step=3.0, surfaces=[surface])


def test_infinite_field_is_reported_with_particle_place_and_time():
    with pytest.raises(NumericalError, match=r"particle 1 at \[100000. +0. +0.\] m, at most 32 steps .* not finite"):
        push([[1e7, 0.0, 0.0], [1e5, 0.0, 0.0]], [[0.0, 0.0, 0.0], [-1e5, 0.0, 0.0]], 0.0, m_p, dipole_field([0.0, 0.0, 1e22]),
             2.0, step=0.4)  # fmt: skip


def test_wrong_arguments_are_refused():
    fields = uniform_fields([0.0, 0.0, FIELD])
    good = ([[0.0, 0.0, 0.0]], [[1.0, 0.0, 0.0]], e, m_p, fields, 1.0)
    for change, match in [
        ({"position": [[np.nan, 0.0, 0.0]]}, "position of particle 0"), ({"velocity": [[4e8, 0.0, 0.0]]}, "speed of light"),
        ({"velocity": [[0.0, 0.0]]}, "shape"), ({"mass": 0.0}, "mass of particle 0"), ({"duration": -1.0}, "duration"),
        ({"charge": 0.0}, "give step"), ({"method": "euler"}, "method"), ({"precision": "float16"}, "precision"),
        ({"step": 1.0, "steps_per_gyration": 3.0}, "give one of them"), ({"times": [0.5, 0.2]}, "rise"),
        ({"times": [2.0]}, "must lie"),
        ({"largest_angle": 3.0}, "largest_angle"), ({"loss_rate": -1.0}, "loss_rate"),
        ({"weight": [1.0, 2.0]}, "weight has shape"),
    ]:  # fmt: skip
        names = ("position", "velocity", "charge", "mass", "fields", "duration")
        with pytest.raises(SettingsError, match=match):
            push(**{**dict(zip(names, good, strict=True)), **change})


def test_particles_start_within_the_grid():
    axis = np.linspace(0.0, 1.0, 3)
    with pytest.raises(CoverageError, match="particle 0"):
        push([[2.0, 0.0, 0.0]], ORIGIN, e, m_p, grid_fields(axis, axis, axis), 1.0, step=0.1)
