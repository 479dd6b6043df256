from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import DataError, SettingsError
from siderion.core.species import get_species
from siderion.frames.moon import moon_position_gse
from siderion.geospace.ion_wake import (
    cycloid_position,
    distance_to_cycloid,
    in_ion_wake,
    ion_wake,
    typical_fields,
    wake_place,
)
from siderion.particles.electromagnetic_fields import flowing_fields
from siderion.particles.pusher import push

MOON = np.array([60.0, 5.0, -2.0]) * EARTH_RADIUS
FLOW = np.array([-400e3, 0.0, 0.0])
UP = np.array([0.0, 0.0, 5e-9])


def flown(field: np.ndarray, steps: float, start: np.ndarray, velocity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Times and positions of Fe+ by the Boris pusher."""
    ion = get_species("Fe+")
    times = np.linspace(0.0, 1500.0, 31)
    fields = flowing_fields(tuple(FLOW), tuple(field))
    found = push(start[None], velocity[None], ion.charge, ion.mass, fields, times[-1], times=times, steps_per_gyration=steps)
    return times, found.position[:, 0]


def test_width_of_the_facts() -> None:
    # 55.845 amu at 400 km/s across 5 nT: m v/(q B) = 7.27 RE, by hand
    place = wake_place(MOON, MOON, FLOW, UP, "Fe+")
    assert float(place.gyroradius) / EARTH_RADIUS == pytest.approx(
        55.845 * 1.66054e-27 * 4e5 / (1.602177e-19 * 5e-9) / 6.3712e6, rel=1e-4
    )
    assert float(place.gyroradius) / EARTH_RADIUS == pytest.approx(7.3, abs=0.05)


@pytest.mark.parametrize("field", [UP, np.array([-3.5e-9, 3.5e-9, 1e-9]), np.array([2e-9, -4e-9, 3e-9])])
def test_against_flown_ions(field: np.ndarray) -> None:
    errors = []
    ion = get_species("Fe+")
    frequency = ion.charge * np.linalg.norm(field) / ion.mass
    for steps in (32.0, 64.0):
        times, track = flown(field, steps, MOON, np.zeros(3))
        place = wake_place(track, MOON, FLOW, field, "Fe+")
        along, height = cycloid_position(frequency * times, place.gyroradius)
        errors.append(float(np.abs([place.along - along, place.height - height, place.across]).max() / place.gyroradius[0]))
    assert errors[1] < 0.02
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.1)  # second order
    assert in_ion_wake(track, MOON, FLOW, field, "Fe+").all()
    assert in_ion_wake(track, MOON, FLOW, field, "Fe+", reading="trajectory").all()
    assert in_ion_wake(track, MOON, FLOW, field, "Fe+", reading="two gyroradii").all() == (abs(field[0]) == 0.0)


def test_ions_that_start_along_the_field_need_the_start_speed() -> None:
    field = np.array([-3.5e-9, 3.5e-9, 1e-9])
    velocity = 20e3 * field / np.linalg.norm(field)
    _, track = flown(field, 128.0, MOON, velocity)
    assert not in_ion_wake(track, MOON, FLOW, field, "Fe+").all()
    assert in_ion_wake(track, MOON, FLOW, field, "Fe+", start_speed=20.1e3).all()


def test_one_side_only_and_downstream_only() -> None:
    radius = float(wake_place(MOON, MOON, FLOW, UP, "Fe+").gyroradius)
    # E = -V x B: V to -x, B to +z, so V x B = +y V B and E is to -y
    steps = np.array([[-2.0, -1.9, 0.0], [-2.0, 0.5, 0.0], [2.0, -1.0, 0.0], [-2.0, -2.1, 0.0], [-2.0, -1.0, 0.5]])
    found = in_ion_wake(MOON + radius * steps, MOON, FLOW, UP, "Fe+")
    assert found.tolist() == [True, False, False, False, False]
    mirrored = in_ion_wake(MOON + radius * steps * [1.0, -1.0, 1.0], MOON, FLOW, -UP, "Fe+")
    np.testing.assert_array_equal(found, mirrored)
    both = in_ion_wake(MOON + radius * steps, MOON, FLOW, UP, "Fe+", reading="two gyroradii")
    assert both.tolist() == [True, True, False, False, True]


def test_symmetric_strip_is_25_earth_radii_wide() -> None:
    offsets = EARTH_RADIUS * np.array([[-30.0, 12.4, 0.0], [-30.0, 0.0, -12.6], [1.0, 0.0, 0.0]])
    assert in_ion_wake(MOON + offsets, MOON, FLOW, UP, "Fe+", reading="symmetric").tolist() == [True, False, False]


def test_flow_along_the_field_picks_nothing_up() -> None:
    field = np.array([5e-9, 0.0, 0.0])
    offsets = np.array([[0.0, 1e6, 0.0], [-1e8, 0.0, 0.0], [0.0, 3e6, 0.0]])
    for reading in ("cycloid", "trajectory"):
        assert in_ion_wake(MOON + offsets, MOON, FLOW, field, "Fe+", reading=reading).tolist() == [True, False, False]


@given(st.floats(0.0, 30.0), st.floats(0.0, 6.3), st.floats(0.0, 0.2))
def test_distance_to_the_cycloid(phase: float, direction: float, step: float) -> None:
    # never more than the step away from the curve, and right against a brute search
    x, y = cycloid_position(phase, 1.0)
    s, h = float(x) + step * np.cos(direction), float(y) + step * np.sin(direction)
    found = float(distance_to_cycloid(s, h, 1.0, 0.25))
    assert found <= step + 1e-6
    curve = cycloid_position(np.linspace(max(phase - 2.0, 0.0), phase + 2.0, 20_001), 1.0)
    assert found == pytest.approx(float(np.hypot(curve[0] - s, curve[1] - h).min()), abs=2e-4)


def test_trajectory_lies_in_the_band() -> None:
    places = MOON + EARTH_RADIUS * np.random.default_rng(7).uniform([-60.0, -16.0, -0.4], [2.0, 2.0, 0.4], size=(4000, 3))
    narrow = in_ion_wake(places, MOON, FLOW, UP, "Fe+", reading="trajectory")
    wide = in_ion_wake(places, MOON, FLOW, UP, "Fe+")
    assert narrow.any()
    assert (wide | ~narrow).all()
    assert narrow.sum() < 0.3 * wide.sum()


def test_dataset_at_new_moon() -> None:
    times = np.array(["2003-10-25T12:50", "2003-11-09T01:00"], dtype="datetime64[ns]")  # new Moon, and full Moon
    behind = (moon_position_gse(times) + np.array([-40.0, -3.0, 0.0]) * EARTH_RADIUS) * 1e-3
    found = ion_wake(times, behind, FLOW, UP, ("Fe+", "He+"))
    assert found["inside_ion_wake"].values.tolist() == [[True, True], [False, False]]
    assert found["wake_along"].values == pytest.approx([40.0, 40.0], abs=1e-6)
    assert found["pickup_gyroradius"].sel(species="Fe+").values == pytest.approx(7.27 * 6371.2, rel=2e-3)


def test_typical_fields() -> None:
    fields = typical_fields()
    np.testing.assert_allclose(np.linalg.norm(fields, axis=-1), 5e-9, rtol=1e-12)
    np.testing.assert_allclose(fields.sum(axis=0), 0.0, atol=1e-20)
    assert (fields[:, 0] * fields[:, 1] < 0.0).all()  # the spiral: away from the Sun is -x, +y


def test_refusals() -> None:
    with pytest.raises(SettingsError, match="reading"):
        in_ion_wake(MOON, MOON, FLOW, UP, "Fe+", reading="round")
    with pytest.raises(SettingsError, match="positive ion"):
        wake_place(MOON, MOON, FLOW, UP, "Fe")
    with pytest.raises(DataError, match="field is zero"):
        wake_place(MOON, MOON, FLOW, np.zeros(3), "Fe+")
    with pytest.raises(DataError, match="finite"):
        wake_place(MOON, MOON, FLOW, [np.nan, 0.0, 0.0], "Fe+")
