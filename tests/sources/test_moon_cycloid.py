from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from siderion.core.constants import EARTH_RADIUS, ELEMENTARY_CHARGE
from siderion.core.errors import DataError, SettingsError
from siderion.core.species import get_species
from siderion.sources.moon.cycloid import cycloid, pickup_numbers
from siderion.sources.moon.flight import CROSSED, PASSED, STRUCK, fly_to_surface
from siderion.sources.moon.surfaces import CONIC, PLANE, SHUE, Surface

MOON = np.array([60.0 * EARTH_RADIUS, 0.0, 0.0])
RADIUS = 1.737e6
IRON = get_species("Fe+")
RATIO = IRON.charge / IRON.mass


@pytest.mark.parametrize(
    ("species", "energy", "radius", "period"),
    [("Na+", 76, 3.0, 299), ("Si+", 93, 3.7, 366), ("K+", 130, 5.1, 509), ("Fe+", 185, 7.3, 727)],
)
def test_numbers_of_pickup_at_400_km_s_and_5_nt(species: str, energy: float, radius: float, period: float) -> None:
    found = pickup_numbers(species, 400e3, 5e-9)
    assert found.largest_energy / ELEMENTARY_CHARGE / 1e3 == pytest.approx(energy, abs=0.5)
    assert found.gyroradius / EARTH_RADIUS == pytest.approx(radius, abs=0.05)
    assert found.gyroperiod == pytest.approx(period, abs=0.5)
    assert found.mean_energy == pytest.approx(0.5 * found.largest_energy)


def test_iron_cycloid_is_46_radii_long_and_9_high_at_8_nt() -> None:
    assert pickup_numbers("Fe+", 400e3, 5e-9).cycloid_length / EARTH_RADIUS == pytest.approx(46, abs=0.5)
    assert 2.0 * pickup_numbers("Fe+", 400e3, 8e-9).gyroradius / EARTH_RADIUS == pytest.approx(9.0, abs=0.1)


def test_formula_of_an_ion_at_rest() -> None:
    speed, field = 400e3, 5e-9
    omega = RATIO * field
    time = np.linspace(0.0, 1000.0, 23)
    place, velocity = cycloid(np.zeros(3), np.zeros(3), time, [-speed, 0, 0], [0, field, 0], RATIO)
    np.testing.assert_allclose(place[:, 0], -speed * (time - np.sin(omega * time) / omega), atol=1e-3)
    # E = -V x B points to +z for B along +y
    np.testing.assert_allclose(place[:, 2], speed / omega * (1.0 - np.cos(omega * time)), atol=1e-3)
    energy = 0.5 * IRON.mass * np.sum(velocity**2, axis=1)
    work = IRON.charge * speed * field * place[:, 2]
    np.testing.assert_allclose(energy, work, rtol=1e-9, atol=1e-25)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(-8.0, 8.0), min_size=3, max_size=3).filter(lambda b: np.linalg.norm(b) > 1.0), st.integers(0, 99))
def test_against_numerical_integration(field: list[float], seed: int) -> None:
    generator = np.random.default_rng(seed)
    b, flow = np.array(field) * 1e-9, np.array([-4e5, 3e4, 1e4])
    start, velocity = generator.normal(0.0, 1e7, 3), generator.normal(0.0, 1e4, 3)

    def rates(_: float, y: np.ndarray) -> np.ndarray:
        return np.concatenate([y[3:], RATIO * np.cross(y[3:] - flow, b)])

    whole = solve_ivp(rates, (0.0, 900.0), np.concatenate([start, velocity]), rtol=1e-11, atol=1e-3).y[:, -1]
    place, speed = cycloid(start, velocity, 900.0, flow, b, RATIO)
    np.testing.assert_allclose(place, whole[:3], atol=20.0)
    np.testing.assert_allclose(speed, whole[3:], atol=0.05)


def fly(surface: Surface, positions: np.ndarray, velocities: np.ndarray, field: tuple[float, float, float], limit: float = 1e4):
    count = len(positions)
    flow = np.tile([-4e5, 0.0, 0.0], (count, 1))
    return fly_to_surface(
        positions, velocities, flow, np.tile(field, (count, 1)), RATIO, surface, MOON, RADIUS, np.full(count, limit)
    )


def plane(x: float) -> Surface:
    return Surface("plane", PLANE, (x * EARTH_RADIUS, 0.0, 0.0), x * EARTH_RADIUS)


def test_crossing_of_a_plane_lies_on_the_cycloid() -> None:
    start = (MOON + np.array([0.0, 0.0, RADIUS + 1e3]))[None]
    end, time, place, velocity = fly(plane(15.0), start, np.zeros((1, 3)), (0.0, 5e-9, 0.0))
    assert end[0] == CROSSED
    expected, speed = cycloid(start[0], np.zeros(3), time[0], [-4e5, 0, 0], [0, 5e-9, 0], RATIO)
    np.testing.assert_allclose(place[0], expected, atol=1e-2)
    np.testing.assert_allclose(velocity[0], speed, atol=1e-6)
    assert place[0, 0] == pytest.approx(15.0 * EARTH_RADIUS, abs=1.0)


@pytest.mark.parametrize(
    "surface",
    [Surface("conic", CONIC, (3.0 * EARTH_RADIUS, 1.15, 23.5 * EARTH_RADIUS), 14.0 * EARTH_RADIUS),
     Surface("shue", SHUE, (10.25 * EARTH_RADIUS, 0.59, 0.0), 10.25 * EARTH_RADIUS)],
)  # fmt: skip
def test_crossing_of_curved_surfaces_against_a_fine_scan(surface: Surface) -> None:
    generator = np.random.default_rng(3)
    start = MOON + np.array([0.0, 0.0, RADIUS + 1e5]) + generator.normal(0.0, 6.0 * EARTH_RADIUS, (12, 3))
    field = (1e-9, 4e-9, -2e-9)
    end, time, _, _ = fly(surface, start, np.zeros((12, 3)), field, limit=1200.0)
    times = np.linspace(0.0, 1200.0, 24_001)
    for k in range(12):
        if end[k] == STRUCK:
            continue
        track, _ = cycloid(start[k], np.zeros(3), times, [-4e5, 0, 0], field, RATIO)
        if surface.kind == CONIC:
            focus, eccentricity, size = surface.parameters
            distance = np.hypot(track[:, 0] - focus, np.hypot(track[:, 1], track[:, 2]))
            inside = distance < size / (1.0 + eccentricity * (track[:, 0] - focus) / distance)
        else:
            distance = np.linalg.norm(track, axis=1)
            inside = distance < surface.parameters[0] * (2.0 / (1.0 + track[:, 0] / distance)) ** surface.parameters[1]
        assert inside.any() == (end[k] == CROSSED)
        if inside.any():
            assert time[k] == pytest.approx(times[inside.argmax()], abs=0.051)
        else:
            assert end[k] == PASSED
    assert (end == CROSSED).sum() >= 5


def test_ions_whose_field_pushes_them_down_strike_the_moon() -> None:
    # B along +y gives E along +z: from the top an ion leaves, from the bottom it is pushed into the Moon
    start = MOON + np.array([[0.0, 0.0, RADIUS], [0.0, 0.0, -RADIUS]])
    velocity = np.array([[0.0, 0.0, 3e3], [0.0, 0.0, -3e3]])
    end, time, place, _ = fly(plane(15.0), start, velocity, (0.0, 5e-9, 0.0))
    assert list(end) == [CROSSED, STRUCK]
    # up and down again under the acceleration q E/m: 2 v/a
    assert time[1] == pytest.approx(2.0 * 3e3 / (RATIO * 4e5 * 5e-9), rel=0.05)
    assert np.linalg.norm(place[1] - MOON) == pytest.approx(RADIUS, abs=200.0)


def test_depth_under_the_edge_from_which_ions_get_away() -> None:
    # height v t - a d t^2/2 + a^2 t^4/(8 R) of an ion that leaves upwards from a depth d under the edge of the half that E points
    # into; it stays positive where d^(3/2) < 1.5 sqrt(3) v/sqrt(a R)
    speed, field = 1e3, 5e-9
    critical = (1.5 * np.sqrt(3.0) * speed / np.sqrt(RATIO * 4e5 * field * RADIUS)) ** (2.0 / 3.0)
    depth = np.tile([0.9 * critical, 1.1 * critical], 8)
    # across the flow, where the turn of the velocity by the field (towards the Earth) goes along the surface
    azimuth = np.repeat(np.pi / 2.0 + np.pi * np.arange(8), 2)
    normal = np.stack([np.cos(depth) * np.cos(azimuth), np.cos(depth) * np.sin(azimuth), -np.sin(depth)], axis=1)
    end, *_ = fly(plane(15.0), MOON + RADIUS * normal, speed * normal, (0.0, field, 0.0))
    assert list(end) == [CROSSED, STRUCK] * 8


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_guiding_centres_drift_at_half_the_speed_to_both_sides_at_45_degrees(sign: float) -> None:
    # V less its part along b = (1, sign, 0)/sqrt 2 is (-V/2, sign V/2, 0); after whole periods an ion from rest is back on it
    field = np.array([1.0, sign, 0.0]) * 5e-9 / np.sqrt(2.0)
    period = 2.0 * np.pi / (RATIO * 5e-9)
    place, velocity = cycloid(np.zeros(3), np.zeros(3), 3.0 * period, [-4e5, 0, 0], field, RATIO)
    np.testing.assert_allclose(place, [-6e5 * period, sign * 6e5 * period, 0.0], atol=1.0)
    np.testing.assert_allclose(velocity, 0.0, atol=1e-3)


def test_starts_and_plasmas_that_are_not_finite_are_refused() -> None:
    good = MOON[None] + 1e7
    with pytest.raises(DataError, match="position of ion 0"):
        fly(plane(15.0), good * np.nan, np.zeros((1, 3)), (0.0, 5e-9, 0.0))
    with pytest.raises(DataError, match="velocity of ion 0"):
        fly(plane(15.0), good, np.full((1, 3), np.inf), (0.0, 5e-9, 0.0))
    with pytest.raises(DataError, match="field of ion 0 is zero"):
        fly(plane(15.0), good, np.zeros((1, 3)), (0.0, 0.0, 0.0))
    with pytest.raises(DataError, match="time limit of ion 0"):
        fly(plane(15.0), good, np.zeros((1, 3)), (0.0, 5e-9, 0.0), limit=np.nan)


def test_nothing_crosses_when_the_time_is_up() -> None:
    start = (MOON + np.array([0.0, 0.0, RADIUS + 1e3]))[None]
    end, time, *_ = fly(plane(15.0), start, np.zeros((1, 3)), (0.0, 5e-9, 0.0), limit=50.0)
    assert end[0] == PASSED
    assert time[0] == 50.0


def test_refusals() -> None:
    with pytest.raises(SettingsError, match="positive ion"):
        pickup_numbers("Fe", 4e5, 5e-9)
    with pytest.raises(SettingsError, match="speed"):
        pickup_numbers("Fe+", 0.0, 5e-9)
    with pytest.raises(DataError, match="uniform fields"):
        cycloid(np.zeros(3), np.zeros(3), 1.0, [-4e5, 0, 0], np.zeros(3), RATIO)
