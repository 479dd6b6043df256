from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siderion.core.bodies import get_body
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.tables import load_table
from siderion.geospace.boundaries import (
    Boundary,
    aberrate,
    aberration_angle,
    available_models,
    connected_to_shock,
    get_boundary,
    magnetopause_shue1998,
    orbital_speed,
)

ROWS = load_table("geospace", "boundaries")
MODELS = sorted({(str(body), str(kind), str(model)) for body, kind, model in ROWS[["body", "kind", "model"]].to_numpy()})
PLANETS = ("Mercury", "Venus", "Mars", "Earth")


def radius_of(body: str) -> float:
    return get_body(body).require_value("radius")


def unit_shock(eccentricity: float) -> Boundary:
    return Boundary("test", "bow_shock", "test", "bow shock", "conic", 0.5, eccentricity, 2.0)


def on_conic(boundary: Boundary, theta: np.ndarray, clock: np.ndarray) -> np.ndarray:
    """Points from the polar equation itself, r = L/(1 + e cos theta)."""
    r = boundary.semi_latus_rectum / (1.0 + boundary.eccentricity * np.cos(theta))
    return np.stack([
        boundary.focus_x + r * np.cos(theta),
        r * np.sin(theta) * np.cos(clock),
        boundary.centre_z + r * np.sin(theta) * np.sin(clock),
    ], axis=-1)  # fmt: skip


@pytest.mark.parametrize(
    ("body", "kind", "model", "nose", "terminator"),
    [
        # Nose X0 + L/(1 + e); terminator from the quadric y^2 = (L - e (x - X0))^2 - (x - X0)^2 at x = 0, by hand.
        ("Mercury", "bow_shock", "winslow2013", 1.902, 3.3433),
        ("Mercury", "inner_boundary", "winslow2013", 1.45, 1.45 * np.sqrt(2.0)),
        ("Venus", "bow_shock", "martinecz2008", 1.4218, 1.9844),
        ("Venus", "inner_boundary", "martinecz2008", 1.109, 1.109),
        ("Mars", "bow_shock", "vignes2000", 1.6449, 2.6222),
        ("Mars", "inner_boundary", "vignes2000", 1.2853, 1.4675),
        ("Earth", "bow_shock", "slavin1981", 13.930, 26.780),
    ],
)
def test_nose_and_terminator(body: str, kind: str, model: str, nose: float, terminator: float) -> None:
    boundary = get_boundary(body, kind, model, origin="dipole")
    assert boundary.nose_distance / radius_of(body) == pytest.approx(nose, abs=2e-3)
    place = np.array([-1e-9, terminator, 0.0]) * radius_of(body)
    assert boundary.distance_outside(place) == pytest.approx(0.0, abs=2e-3)


@pytest.mark.parametrize(("body", "kind", "model"), MODELS)
def test_every_model_is_a_closed_nose(body: str, kind: str, model: str) -> None:
    boundary = get_boundary(body, kind, model)
    nose = np.array([boundary.nose_distance, 0.0, boundary.centre_z])
    assert boundary.distance_outside(nose) == pytest.approx(0.0, abs=1e-12)
    assert boundary.is_outside(nose * [1.01, 1.0, 1.0])
    assert not boundary.is_outside(nose * [0.99, 1.0, 1.0])
    assert boundary.nose_distance > radius_of(body)
    if kind == "inner_boundary":
        assert boundary.nose_distance < get_boundary(body, "bow_shock").nose_distance


@pytest.mark.parametrize("model", ["martinecz2008", "trotignon2006"])
def test_both_parts_of_a_model_meet_at_the_terminator(model: str) -> None:
    body = "Venus" if model.startswith("martinecz") else "Mars"
    boundary = get_boundary(body, "inner_boundary", model)
    assert boundary.night is not None
    y = np.linspace(1.0, 1.8, 801) * radius_of(body)
    jumps = []
    for x in (1e-6, -1e-6):
        places = np.stack([np.full_like(y, x), y, np.zeros_like(y)], axis=-1)
        jumps.append(y[np.argmax(boundary.is_outside(places))] / radius_of(body))
    assert jumps[0] == pytest.approx(jumps[1], abs=0.02)


def test_cone_of_venus_by_hand() -> None:
    """At x = -1 R the line of Martinecz et al. 2008 is at 1.109 + 0.097 = 1.206 R."""
    boundary = get_boundary("Venus", "inner_boundary")
    places = np.array([[-1.0, 1.205, 0.0], [-1.0, 0.0, -1.207]]) * radius_of("Venus")
    assert boundary.is_outside(places).tolist() == [False, True]


@settings(max_examples=60, deadline=None)
@given(e=st.floats(0.0, 1.6), fraction=st.floats(0.0, 0.98), clock=st.floats(0.0, 6.28), factor=st.floats(0.2, 5.0))
def test_ratio_is_that_of_the_polar_equation(e: float, fraction: float, clock: float, factor: float) -> None:
    boundary = unit_shock(e)
    widest = np.arccos(-1.0 / e) if e > 1.0 else np.pi
    point = on_conic(boundary, np.array(fraction * widest), np.array(clock))
    focus = np.array([boundary.focus_x, 0.0, 0.0])
    scaled = focus + factor * (point - focus)
    assert boundary.distance_outside(scaled) == pytest.approx(factor - 1.0, abs=1e-9 * factor / (1.0 - fraction))


def test_other_sheet_of_the_hyperbola_is_outside() -> None:
    """At x - X0 = L/(e - 1) on the axis lies the vertex of the other sheet."""
    boundary = unit_shock(1.5)
    assert boundary.is_outside([[0.5 + 4.0, 0.0, 0.0], [0.5 + 40.0, 3.0, 0.0]]).all()


def test_nan_stays_nan_and_is_not_outside() -> None:
    for kind in ("bow_shock", "inner_boundary"):
        for body in PLANETS:
            boundary = get_boundary(body, kind)
            assert np.isnan(boundary.distance_outside([np.nan, 0.0, 0.0]))
            assert not boundary.is_outside([np.nan, 0.0, 0.0])


def test_dipole_of_mercury_shifts_the_axis() -> None:
    from_body = get_boundary("Mercury", "inner_boundary")
    from_dipole = get_boundary("Mercury", "inner_boundary", origin="dipole")
    place = np.array([0.3, 1.1, 1.9]) * radius_of("Mercury")
    shift = np.array([0.0, 0.0, 0.196]) * radius_of("Mercury")
    assert from_body.distance_outside(place + shift) == pytest.approx(float(from_dipole.distance_outside(place)), abs=1e-12)


def test_shue1998() -> None:
    """Standoff 11.387 R at 1 nPa and Bz 0, flaring 0.58 - 0.07 at 10 nT by hand; the row of the table is Bz 0, 2 nPa."""
    radius = radius_of("Earth")
    assert magnetopause_shue1998(0.0, 1e-9).standoff / radius == pytest.approx(11.387, abs=1e-3)
    ratio = magnetopause_shue1998(0.0, 8e-9).standoff / magnetopause_shue1998(0.0, 1e-9).standoff
    assert ratio == pytest.approx(8.0 ** (-1.0 / 6.6), rel=1e-12)
    assert magnetopause_shue1998(10e-9, 1e-9).flaring == pytest.approx(0.51, rel=1e-12)
    row, formula = get_boundary("Earth", "inner_boundary"), magnetopause_shue1998(0.0, 2e-9)
    assert row.standoff == pytest.approx(formula.standoff, rel=1e-3)
    assert row.flaring == pytest.approx(formula.flaring, rel=1e-3)
    with pytest.raises(SettingsError, match="the pressure positive"):
        magnetopause_shue1998(0.0, 0.0)


def test_orbital_speeds() -> None:
    """Mean orbital speeds of NASA fact sheets: Earth 29.8, Mercury 47.4 km/s; Mercury at perihelion 58.97 km/s."""
    au = 1.495978707e11
    assert orbital_speed(au) == pytest.approx(29.78e3, rel=1e-3)
    assert orbital_speed(0.3871 * au) == pytest.approx(47.87e3, rel=2e-3)
    assert orbital_speed(0.3075 * au, 0.3871 * au) == pytest.approx(58.97e3, rel=2e-3)
    with pytest.raises(SettingsError, match="the distance below 2 a"):
        orbital_speed(3.0, 1.0)


def test_aberration_turns_the_wind_onto_the_axis() -> None:
    angle = aberration_angle(400e3, 47.9e3)
    assert np.degrees(angle) == pytest.approx(6.83, abs=0.01)
    wind = aberrate([-400e3, 47.9e3, 0.0], angle)
    np.testing.assert_allclose(wind, [-np.hypot(400e3, 47.9e3), 0.0, 0.0], atol=1e-9)
    np.testing.assert_array_equal(aberrate([1.0, 2.0, 3.0], 0.0), [1.0, 2.0, 3.0])
    with pytest.raises(SettingsError, match="the flow positive"):
        aberration_angle(0.0, 1.0)


# --- the field line and the bow shock ---


def marched(boundary: Boundary, place: np.ndarray, b: np.ndarray, reach: float, count: int) -> float:
    """Distance to the nearest change between inside and outside, by small steps along the line; infinite if none."""
    steps = np.linspace(0.0, reach, count)
    nearest = np.inf
    for sign in (1.0, -1.0):
        points = place + sign * steps[:, np.newaxis] * b
        r = np.linalg.norm(points - [boundary.focus_x, 0.0, boundary.centre_z], axis=-1)
        cosine = (points[:, 0] - boundary.focus_x) / r
        reciprocal = (1.0 + boundary.eccentricity * cosine) / boundary.semi_latus_rectum
        outside = r * reciprocal > 1.0
        changes = np.flatnonzero(outside[1:] != outside[:-1])
        if changes.size and steps[changes[0]] < abs(nearest):
            nearest = sign * 0.5 * (steps[changes[0]] + steps[changes[0] + 1])
    return nearest


@pytest.mark.parametrize("eccentricity", [0.0, 0.6, 1.0, 1.03, 1.5])
def test_connection_against_marching(eccentricity: float) -> None:
    boundary = unit_shock(eccentricity)
    generator = np.random.default_rng(7)
    places = generator.uniform(-6.0, 6.0, (100, 3))
    fields = generator.normal(size=(100, 3)) - 0.8 * places * (np.arange(100) % 2)[:, np.newaxis]
    units = fields / np.linalg.norm(fields, axis=-1, keepdims=True)
    connection = connected_to_shock(places, 5e-9 * fields, boundary)
    reach, count = 60.0, 20001
    step = reach / (count - 1)
    seen = 0
    for place, b, connected, distance in zip(places, units, connection.connected, connection.distance, strict=True):
        expected = marched(boundary, place, b, reach, count)
        if np.isfinite(expected):
            assert connected
            assert distance == pytest.approx(expected, abs=step)
            seen += 1
        elif connected and abs(distance) < reach - step:
            # Marching steps over a chord shorter than its step.
            middle = boundary.distance_outside(place + (distance + step * np.array([-1.0, 0.0, 1.0]))[:, np.newaxis] * b)
            assert np.abs(middle).max() < 1e-2
    assert 20 < seen < 100


@settings(max_examples=100, deadline=None)
@given(
    e=st.floats(0.0, 1.5),
    place=st.tuples(*[st.floats(-8.0, 8.0)] * 3),
    field=st.tuples(*[st.floats(-1.0, 1.0)] * 3).filter(lambda b: np.linalg.norm(b) > 1e-3),
)
def test_meetings_lie_on_the_sheet_about_the_focus(e: float, place: tuple, field: tuple) -> None:
    boundary = unit_shock(e)
    connection = connected_to_shock(place, field, boundary)
    if connection.connected:
        point = np.array(place) + connection.distance * np.array(field) / np.linalg.norm(field)
        size = 1.0 + np.linalg.norm(point)
        assert boundary.distance_outside(point) == pytest.approx(0.0, abs=1e-6 * size**2)
    reverse = connected_to_shock(place, -np.array(field), boundary)
    assert reverse.connected == connection.connected
    np.testing.assert_allclose(np.abs(reverse.distance), np.abs(connection.distance), rtol=1e-9)


def test_other_sheet_does_not_count() -> None:
    """Sunward of the nose, along y: the line x = 6 crosses only the other sheet of e = 1.5, L = 2 (its vertex is at x = 4.5)."""
    connection = connected_to_shock([6.0, 0.0, 0.0], [0.0, 1.0, 0.0], unit_shock(1.5))
    assert not connection.connected
    assert np.isnan(connection.distance)
    along = connected_to_shock([6.0, 0.0, 0.0], [1.0, 0.0, 0.0], unit_shock(1.5))
    assert along.connected
    assert along.distance == pytest.approx(0.5 + 2.0 / 2.5 - 6.0, rel=1e-12)


@pytest.mark.parametrize("eccentricity", [0.0, 0.9, 1.0, 1.04, 1.5])
def test_tangent_is_the_limit(eccentricity: float) -> None:
    """A line across the nose, just behind it or just before it."""
    boundary = unit_shock(eccentricity)
    nose = boundary.nose_distance
    for shift, expected in ((-1e-6, True), (1e-6, False)):
        connection = connected_to_shock([nose + shift, 3.0, 0.0], [0.0, 1.0, 0.0], boundary)
        assert connection.connected == expected


def test_sphere_by_hand() -> None:
    """A sphere of radius 2 about (0.5, 0, 0): from 5 before its centre along x, 3 to the surface, 7 to the far side."""
    connection = connected_to_shock(
        [[5.5, 0, 0], [5.5, 0, 0], [-4.5, 0, 0]], [[1, 0, 0], [-1, 0, 0], [-1, 0, 0]], unit_shock(0.0)
    )
    np.testing.assert_allclose(connection.distance, [-3.0, 3.0, -3.0])


def test_parabola_along_its_axis_meets_once() -> None:
    """e b_x = 1: the quadratic turns linear. On the parabola y^2 = L^2 - 2 L (x - X0), at y = 1: x = 0.5 + 0.75."""
    connection = connected_to_shock([5.0, 1.0, 0.0], [-1.0, 0.0, 0.0], unit_shock(1.0))
    assert connection.distance == pytest.approx(5.0 - 1.25, rel=1e-12)


def test_connection_does_not_change_with_a_turn_about_the_axis() -> None:
    generator = np.random.default_rng(3)
    places, fields = generator.uniform(-5, 5, (50, 3)), generator.normal(size=(50, 3))
    angle = 1.1
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    plain, turned = (
        connected_to_shock(p, b, unit_shock(1.03)) for p, b in ((places, fields), (places @ turn.T, fields @ turn.T))
    )
    np.testing.assert_array_equal(plain.connected, turned.connected)
    np.testing.assert_allclose(np.abs(plain.distance), np.abs(turned.distance), rtol=1e-9)


def test_tail_limit() -> None:
    """From (3, -8, 0) along (-1, 1, 0) the flank is met first behind the body; forbidding that leaves nothing."""
    boundary = unit_shock(1.03)
    free = connected_to_shock([3.0, -8.0, 0.0], [-1.0, 1.0, 0.0], boundary)
    x = 3.0 - free.distance / np.sqrt(2.0)
    assert free.connected
    assert x < 0.0
    assert not connected_to_shock([3.0, -8.0, 0.0], [-1.0, 1.0, 0.0], boundary, tail_limit=x + 0.01).connected
    assert connected_to_shock([3.0, -8.0, 0.0], [-1.0, 1.0, 0.0], boundary, tail_limit=x - 0.01).connected


@pytest.mark.parametrize(
    ("place", "field"),
    [([np.nan, 0, 0], [1, 0, 0]), ([5, 0, 0], [np.nan, 0, 0]), ([5, 0, 0], [0, 0, 0]), ([5, 0, 0], [np.inf, 0, 0])],
)
def test_missing_values_are_not_connected(place: list, field: list) -> None:
    connection = connected_to_shock(place, field, unit_shock(1.03))
    assert not connection.connected
    assert np.isnan(connection.distance)


# --- refusals ---


@pytest.mark.parametrize("body", ["Io", "Ganymede", "Titan", "67P", "Moon"])
def test_bodies_without_a_shock_name_the_option(body: str) -> None:
    assert available_models(body, "bow_shock") == ()
    with pytest.raises(CoverageError, match=rf"no bow_shock model for body '{body}'; .* with the option --regions"):
        get_boundary(body, "bow_shock")


def test_unknown_names() -> None:
    with pytest.raises(SettingsError, match="model 'shue' is unknown; models: winslow2013"):
        get_boundary("Mercury", "bow_shock", "shue")
    with pytest.raises(SettingsError, match="kinds are bow_shock, inner_boundary"):
        get_boundary("Mercury", "magnetopause")
    with pytest.raises(SettingsError, match="only a conic in one part"):
        connected_to_shock([1.0, 0, 0], [1.0, 0, 0], get_boundary("Earth", "inner_boundary"))
    with pytest.raises(SettingsError, match="shape 'box' is unknown"):
        Boundary("x", "bow_shock", "m", "n", "box")
    with pytest.raises(SettingsError, match=r"size 0\.0 m"):
        Boundary("x", "bow_shock", "m", "n", "conic")
    with pytest.raises(DataError, match="the last dimension must hold the 3 components"):
        unit_shock(1.0).is_outside([1.0, 2.0])
