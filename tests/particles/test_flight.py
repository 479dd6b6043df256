"""Flights against Kepler's equation, free fall, a differential equation solver, and conservation laws."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp

from siderion.core.errors import SettingsError
from siderion.particles import fly_integrated, fly_kepler, maxwellian_flux, points_on_sphere, time_between

GRAVITY = 2.2e13  # m3 s-2, about Mercury
SURFACE = 2.44e6
ESCAPE = np.sqrt(2.0 * GRAVITY / SURFACE)
EDGES = np.linspace(1.0, 6.0, 26) * SURFACE
HYDROGEN = 1.67e-27


def total(flight):
    return flight.residence.sum(axis=(0, 2))


def launch(count=2000, seed=0, temperature=600.0):
    return maxwellian_flux(count, temperature, HYDROGEN, np.random.default_rng(seed))


def in_space(velocity, seed=0):
    """Places on the surface and velocities in the frame of the Sun, for velocities of the local frame."""
    normal = points_on_sphere(len(velocity), np.random.default_rng(seed + 100))
    helper = np.where(np.abs(normal[:, :1]) < 0.9, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]])
    first = np.cross(normal, helper)
    first /= np.linalg.norm(first, axis=1)[:, None]
    second = np.cross(normal, first)
    return SURFACE * normal, velocity[:, :1] * normal + velocity[:, 1:2] * first + velocity[:, 2:] * second


@pytest.mark.parametrize("energy", [-0.2, -1e-3, -1e-7, 0.0, 1e-7, 1e-3, 2.0])
@pytest.mark.parametrize("momentum", [0.0, 0.4, 0.99])
def test_time_between_radii_equals_the_integral(energy, momentum):
    # dimensionless, G M = 1; the integral dr / |dr/dt| is independent of Kepler's equation
    near, far = 1.2, 1.35

    def slowness(r):
        return 1.0 / np.sqrt(2.0 * energy + 2.0 / r - momentum**2 / r**2)

    expected = quad(slowness, near, far, epsabs=1e-13, epsrel=1e-12)[0]
    assert time_between(near, far, energy, momentum, 1.0) == pytest.approx(expected, rel=1e-10)


def test_time_between_radii_obeys_keplers_equation():
    semi_major, eccentricity = 3.0, 0.6
    momentum = np.sqrt(semi_major * (1.0 - eccentricity**2))
    anomaly = np.array([0.3, 0.9, 1.5, 2.9])
    radius = semi_major * (1.0 - eccentricity * np.cos(anomaly))
    time = semi_major**1.5 * (anomaly - eccentricity * np.sin(anomaly))
    for k in (1, 2, 3):
        found = time_between(radius[0], radius[k], -1.0 / 6.0, momentum, 1.0)
        assert found == pytest.approx(time[k] - time[0], rel=1e-12)


def test_half_an_orbit():
    # between pericentre and apocentre lies half a period, in one piece
    assert time_between(0.5, 1.5, -0.5, np.sqrt(0.75), 1.0) == pytest.approx(np.pi, rel=1e-7)


def test_radii_off_the_orbit_are_refused():
    with pytest.raises(SettingsError, match="not both on the orbit"):
        time_between(1.0, 3.0, -0.5, 0.1, 1.0)


def test_vertical_throw_has_the_time_of_free_fall():
    speed = 0.5 * ESCAPE
    top = SURFACE / (1.0 - 0.25)  # v^2 = 2 G M (1/R - 1/top)
    flight = fly_kepler(SURFACE, [[speed, 0.0, 0.0]], GRAVITY, EDGES)
    fraction = SURFACE / top
    rise = np.sqrt(top**3 / (2.0 * GRAVITY)) * (np.arccos(np.sqrt(fraction)) + np.sqrt(fraction * (1.0 - fraction)))
    assert flight.residence.sum() == pytest.approx(2.0 * rise, rel=1e-7)
    assert total(flight)[EDGES[:-1] > top].sum() == 0.0
    assert flight.returned.sum() == 1.0


@pytest.mark.parametrize("loss_rate", [0.0, 1e-6, 3e-4])
@pytest.mark.parametrize("stop", [False, True])
def test_weights_are_conserved(loss_rate, stop):
    flight = fly_kepler(SURFACE, launch(), GRAVITY, EDGES, loss_rate=loss_rate, stop_at_outer=stop)
    ends = flight.returned + flight.escaped + flight.lost + flight.unfinished
    assert np.allclose(ends, flight.launched, rtol=1e-12, atol=0.0)
    assert flight.return_part.sum() == pytest.approx(flight.returned.sum(), rel=1e-12)
    # what is lost is the loss rate times the weighted time, summed independently
    assert flight.lost.sum() == pytest.approx(loss_rate * (flight.residence.sum() + flight.beyond.sum()), rel=1e-9)


def test_only_fast_particles_escape():
    velocity = launch(temperature=3000.0)
    fast = np.linalg.norm(velocity, axis=1) > ESCAPE
    flight = fly_kepler(SURFACE, velocity, GRAVITY, EDGES)
    assert 0 < fast.sum() < len(fast)
    assert flight.escaped.sum() == fast.sum()
    assert np.array_equal(flight.return_part == 0.0, fast)
    assert fly_kepler(SURFACE, velocity, GRAVITY, EDGES, stop_at_outer=True).escaped.sum() > fast.sum()


def test_particles_in_space_fly_both_ways():
    radius = 3.0 * SURFACE
    down, up = (fly_kepler(radius, [[sign * 2.0 * ESCAPE, 0.0, 0.0]], GRAVITY, EDGES) for sign in (-1.0, 1.0))
    assert down.returned.sum() == 1.0
    assert total(down)[EDGES[:-1] > radius].sum() == 0.0
    assert up.escaped.sum() == 1.0
    assert total(up)[EDGES[1:] < radius].sum() == 0.0
    # inbound with a pericentre above the surface: down, round, and out
    grazing = fly_kepler(radius, [[-0.3 * ESCAPE, 2.0 * ESCAPE, 0.0]], GRAVITY, EDGES)
    assert grazing.escaped.sum() == 1.0


@pytest.mark.parametrize("outward", [0.1, -0.1])
def test_closed_orbits_sum_all_revolutions(outward):
    radius, loss_rate = 3.0 * SURFACE, 1e-5
    velocity = [[outward * ESCAPE, 0.45 * ESCAPE, 0.0]]
    flight = fly_kepler(radius, velocity, GRAVITY, EDGES, loss_rate=loss_rate)
    # an endless orbit is lost for certain, after 1 / nu on average
    assert flight.lost.sum() == pytest.approx(1.0, rel=1e-12)
    assert flight.residence.sum() + flight.beyond.sum() == pytest.approx(1.0 / loss_rate, rel=1e-9)
    assert fly_kepler(radius, velocity, GRAVITY, EDGES).unfinished.sum() == 1.0


def test_circular_orbit_stays_in_its_shell():
    radius = 3.1 * SURFACE  # inside a shell
    flight = fly_kepler(radius, [[0.0, np.sqrt(GRAVITY / radius), 0.0]], GRAVITY, EDGES, loss_rate=1e-5)
    shell = np.searchsorted(EDGES, radius) - 1
    assert total(flight)[shell] == pytest.approx(1e5, rel=1e-12)
    assert np.delete(total(flight), shell).sum() == 0.0
    assert flight.lost.sum() == pytest.approx(1.0)


def test_results_do_not_depend_on_threads():
    before = numba.get_num_threads()
    try:
        results = []
        for threads in (1, before):
            numba.set_num_threads(threads)
            results.append(fly_kepler(SURFACE, launch(), GRAVITY, EDGES, loss_rate=1e-5).residence)
    finally:
        numba.set_num_threads(before)
    assert np.array_equal(results[0], results[1])


@given(
    speed=st.floats(0.01, 3.0),
    angle=st.floats(0.0, np.pi),
    radius=st.floats(1.0, 6.0),
    loss=st.floats(1e-8, 1e-3),
)
@settings(max_examples=200, deadline=None)
def test_every_orbit_conserves_its_weight(speed, angle, radius, loss):
    velocity = speed * ESCAPE * np.array([[np.cos(angle), np.sin(angle), 0.0]])
    if radius == 1.0 and velocity[0, 0] < 0:
        velocity[0, 0] *= -1.0
    flight = fly_kepler(radius * SURFACE, velocity, GRAVITY, EDGES, loss_rate=loss)
    assert np.isfinite(flight.residence).all()
    assert (flight.residence >= 0.0).all()
    ends = (flight.returned + flight.escaped + flight.lost).sum()
    assert ends == pytest.approx(1.0, rel=1e-12)
    assert flight.lost.sum() == pytest.approx(loss * (flight.residence.sum() + flight.beyond.sum()), rel=1e-5, abs=1e-12)


def test_integrated_flights_agree_with_kepler_at_second_order():
    velocity = launch(500)
    exact = total(fly_kepler(SURFACE, velocity, GRAVITY, EDGES, loss_rate=1e-4, stop_at_outer=True))
    places, speeds = in_space(velocity)
    errors = []
    for step in (0.04, 0.02, 0.01):
        flight = fly_integrated(places, speeds, GRAVITY, EDGES, loss_rate=1e-4, relative_step=step)
        errors.append(np.abs(total(flight) / exact - 1.0)[:10].max())
    assert errors[2] < 1e-3
    assert errors[0] / errors[2] > 8.0  # 16 for exactly second order


def test_integrated_flight_follows_an_independent_solver_with_radiation_pressure():
    push = 0.02 * GRAVITY / SURFACE**2
    place = SURFACE * np.array([0.6, 0.8, 0.0])
    velocity = 0.7 * ESCAPE * np.array([0.5, 0.8, 0.3])

    def motion(_, state):
        r = np.sqrt((state[:3] ** 2).sum())
        return np.concatenate([state[3:], -GRAVITY * state[:3] / r**3 - [push, 0.0, 0.0]])

    def surface(_, state):
        return np.sqrt((state[:3] ** 2).sum()) - SURFACE * (1.0 - 1e-12)

    surface.terminal, surface.direction = True, -1.0
    solution = solve_ivp(motion, (0.0, 1e5), np.concatenate([place, velocity]), events=surface, rtol=1e-10, atol=1e-3)
    flight = fly_integrated([place], [velocity], GRAVITY, EDGES, radiation_acceleration=push, relative_step=0.002)
    assert flight.returned.sum() == 1.0
    assert flight.residence.sum() == pytest.approx(solution.t_events[0][0], rel=1e-4)


def test_integrated_weights_are_conserved_and_zenith_angles_are_filled_evenly():
    places, speeds = in_space(launch(4000))
    flight = fly_integrated(places, speeds, GRAVITY, EDGES, loss_rate=1e-4, zenith_steps=2, relative_step=0.05)
    ends = flight.returned + flight.escaped + flight.lost + flight.unfinished
    assert np.allclose(ends, flight.launched, rtol=1e-10, atol=0.0)
    assert flight.lost.sum() == pytest.approx(1e-4 * flight.residence.sum(), rel=1e-10)
    day, night = flight.residence.sum(axis=1).T
    assert abs((day - night).sum()) < 4.0 * np.sqrt(((day - night) ** 2).sum())
    # radiation pressure blows the flights to the night side
    blown = fly_integrated(places, speeds, GRAVITY, EDGES, radiation_acceleration=1.0, zenith_steps=2, relative_step=0.05)
    assert blown.residence[:, :, 1].sum() > 1.1 * blown.residence[:, :, 0].sum()


def test_shadow_stops_loss_and_pressure():
    place, velocity = [[-SURFACE, 0.0, 0.0]], [[-0.5 * ESCAPE, 0.0, 0.0]]  # straight up at midnight
    settings_ = {"radiation_acceleration": 0.1, "loss_rate": 1e-3, "relative_step": 0.005}
    dark = fly_integrated(place, velocity, GRAVITY, EDGES, shadow=True, **settings_)
    free = fly_kepler(SURFACE, [[0.5 * ESCAPE, 0.0, 0.0]], GRAVITY, EDGES)
    assert dark.lost.sum() == 0.0
    assert dark.residence.sum() == pytest.approx(free.residence.sum(), rel=1e-4)
    assert fly_integrated(place, velocity, GRAVITY, EDGES, **settings_).lost.sum() > 0.1


def test_long_flights_are_cut_and_counted():
    flight = fly_integrated([[2.0 * SURFACE, 0.0, 0.0]], [[0.0, ESCAPE / 2.0, 0.0]], GRAVITY, EDGES, longest_time=1e5)
    assert flight.unfinished.sum() == 1.0


def test_energy_is_conserved_by_the_integrated_flight():
    # a circular orbit keeps its radius: after many turns all the time is in one narrow shell
    edges = np.array([1.0, 1.999, 2.001, 3.0]) * SURFACE
    speed = np.sqrt(GRAVITY / (2.0 * SURFACE))
    flight = fly_integrated([[2.0 * SURFACE, 0.0, 0.0]], [[0.0, speed, 0.0]], GRAVITY, edges, longest_time=3e5)
    assert total(flight)[1] == pytest.approx(flight.residence.sum(), rel=1e-12)
    assert flight.residence.sum() >= 3e5


@pytest.mark.parametrize(
    "change",
    [
        {"edges": [2.0, 1.0]},
        {"edges": [1.0]},
        {"edges": [0.0, 1.0]},
        {"edges": [1.0, np.nan]},
        {"velocity": [1.0, 2.0, 3.0]},
        {"velocity": [[1.0, np.inf, 3.0]]},
        {"velocity": np.empty((0, 3))},
        {"radius": 3.0},
        {"radius": [1.0, 1.0]},
        {"gravity": -1.0},
        {"loss_rate": -1.0},
        {"weight": 0.0},
    ],
)
def test_bad_input_is_refused(change):
    call = {"radius": 1.0, "velocity": [[1.0, 0.0, 0.0]], "gravity": 1.0, "edges": [1.0, 2.0]} | change
    with pytest.raises(SettingsError):
        fly_kepler(**call)
    if "radius" not in change:
        call.pop("radius")
        with pytest.raises(SettingsError):
            fly_integrated([[1.0, 0.0, 0.0]], **call)


def test_bad_settings_of_integrated_flights_are_refused():
    arguments = ([[1.0, 0.0, 0.0]], [[1.0, 0.0, 0.0]], 1.0, [1.0, 2.0])
    for wrong in ({"radiation_acceleration": np.nan}, {"zenith_steps": 0}, {"relative_step": 0.0}, {"longest_time": -1.0}):
        with pytest.raises(SettingsError):
            fly_integrated(*arguments, **wrong)
    with pytest.raises(SettingsError, match="must be equal"):
        fly_integrated(arguments[0] * 2, *arguments[1:])
