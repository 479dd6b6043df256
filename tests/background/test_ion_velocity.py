"""Equation (2): against the momentum balance itself, its limits, and the heights of the electric-field theory."""

from __future__ import annotations

import numpy as np
import pymsis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siderion.background.ion_velocity import TERMS, gyrofrequency, ion_velocity_terms, mobility_response, perpendicular_drifts
from siderion.chemistry.collisions import ion_neutral_collision_frequency
from siderion.core.constants import ATOMIC_MASS, ELEMENTARY_CHARGE
from siderion.core.species import get_species

MASS = 56.0 * ATOMIC_MASS
ZERO = np.zeros(3)
vectors = st.tuples(*[st.floats(-1.0, 1.0)] * 3).map(np.array)


def unit(vector):
    return vector / np.linalg.norm(vector)


def direct(electric, field, wind, force, nu):
    """Solve 0 = q (E + V x B) + F + m nu (Vn - V) for V; V x B as a matrix."""
    bx, by, bz = field
    turn = np.array([[0.0, bz, -by], [-bz, 0.0, bx], [by, -bx, 0.0]])  # turn @ V = V x B
    matrix = MASS * nu * np.eye(3) - ELEMENTARY_CHARGE * turn
    return np.linalg.solve(matrix, ELEMENTARY_CHARGE * electric + force + MASS * nu * wind)


@given(
    way=vectors.filter(lambda v: np.linalg.norm(v) > 0.1),
    electric=vectors, wind=vectors, gravity=vectors, pressure=vectors,
    parallel=st.floats(-1e-6, 1e-6),
    zeta_power=st.floats(-4.0, 3.0),
)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_the_terms_add_up_to_the_direct_solution(way, electric, wind, gravity, pressure, parallel, zeta_power):
    field = 5e-5 * unit(way)
    nu = 10.0**zeta_power * gyrofrequency(ELEMENTARY_CHARGE, MASS, field)
    electric, wind, gravity = 0.05 * electric, 300.0 * wind, 9.5 * gravity
    pressure = MASS * 5.0 * pressure
    terms = ion_velocity_terms(ELEMENTARY_CHARGE, MASS, nu, field, electric, wind, gravity, pressure, parallel)
    assert tuple(terms) == TERMS
    b = unit(field)
    across = electric - (electric @ b) * b
    whole = direct(across + parallel * b, field, wind, pressure + MASS * gravity, nu)
    total = sum(terms.values())
    largest = max(np.linalg.norm(v) for v in [*terms.values(), electric / 5e-5, wind, gravity / nu, pressure / (MASS * nu)])
    # The direct matrix has a condition number of about 1/zeta, so the solution itself has that round-off.
    np.testing.assert_allclose(total, whole, rtol=0, atol=1e-14 * (1.0 + 10.0**-zeta_power) * max(largest, 1e-30))


def test_each_term_answers_to_its_own_force():
    field = np.array([1e-6, 1e-5, -4.8e-5])
    nu = 0.7 * gyrofrequency(ELEMENTARY_CHARGE, MASS, field)
    b = unit(field)
    across = np.cross(b, [0.02, 0.01, 0.03])
    given_alone = {
        "parallel_field": {"parallel_electric": 1e-7},
        "wind": {"wind": np.array([100.0, -50.0, 3.0])},
        "gravity": {"gravity": np.array([0.0, 0.0, -9.4])},
        "pressure": {"pressure_force": np.array([0.0, 0.0, 3e-25])},
    }
    for name, inputs in given_alone.items():
        values = {"wind": ZERO, "gravity": ZERO, "pressure_force": ZERO, **inputs}
        terms = ion_velocity_terms(ELEMENTARY_CHARGE, MASS, nu, field, ZERO, **values)
        assert [n for n in TERMS if np.any(terms[n])] == [name]
        force = values["pressure_force"] + MASS * values["gravity"]
        electric = values.get("parallel_electric", 0.0) * b
        np.testing.assert_allclose(terms[name], direct(electric, field, values["wind"], force, nu), rtol=1e-12, atol=1e-13)
    terms = ion_velocity_terms(ELEMENTARY_CHARGE, MASS, nu, field, across, ZERO, ZERO, ZERO)
    assert [n for n in TERMS if np.any(terms[n])] == ["exb", "pedersen"]
    np.testing.assert_allclose(terms["exb"] + terms["pedersen"], direct(across, field, ZERO, ZERO, nu), rtol=1e-12, atol=1e-11)
    assert terms["exb"] @ across == pytest.approx(0.0, abs=1e-12)
    assert np.linalg.norm(np.cross(terms["pedersen"], across)) == pytest.approx(0.0, abs=1e-12)


def test_the_electric_field_along_b_does_not_count_twice():
    """What is along B comes as ``parallel_electric``; a stray part of ``electric`` must not enter."""
    field = np.array([0.0, 1e-5, -4.9e-5])
    clean = perpendicular_drifts(np.array([0.02, 0.0, 0.0]), field, np.array(0.5))
    stray = perpendicular_drifts(np.array([0.02, 0.0, 0.0]) + 300.0 * field, field, np.array(0.5))
    for a, b in zip(clean, stray, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_without_collisions_ions_drift_with_e_cross_b():
    """25 mV/m across 50 uT: 500 m/s, at right angles to both; an eastward field lifts ions in the north."""
    field = 5e-5 * np.array([0.0, np.cos(np.radians(78.0)), -np.sin(np.radians(78.0))])
    electric = np.array([0.025, 0.0, 0.0])
    exb, pedersen = perpendicular_drifts(electric, field, np.array(1e-9))
    assert np.linalg.norm(exb) == pytest.approx(500.0, rel=1e-12)
    assert exb[2] == pytest.approx(500.0 * np.cos(np.radians(78.0)), rel=1e-12)
    assert exb[1] == pytest.approx(500.0 * np.sin(np.radians(78.0)), rel=1e-12)
    assert np.linalg.norm(pedersen) < 1e-6


def test_with_many_collisions_ions_move_with_the_wind():
    field = np.array([1e-5, 1e-5, -4.9e-5])
    nu = 1e7 * gyrofrequency(ELEMENTARY_CHARGE, MASS, field)
    wind = np.array([120.0, -80.0, 5.0])
    terms = ion_velocity_terms(ELEMENTARY_CHARGE, MASS, nu, field, np.array([0.03, 0.0, 0.0]), wind, ZERO, ZERO)
    np.testing.assert_allclose(sum(terms.values()), wind, rtol=1e-4)


def test_without_collisions_only_the_wind_along_b_counts():
    field = np.array([0.0, 1e-5, -4.9e-5])
    nu = 1e-6 * gyrofrequency(ELEMENTARY_CHARGE, MASS, field)
    wind, b = np.array([120.0, -80.0, 0.0]), unit(field)
    terms = ion_velocity_terms(ELEMENTARY_CHARGE, MASS, nu, field, ZERO, wind, ZERO, ZERO)
    np.testing.assert_allclose(terms["wind"], (wind @ b) * b, atol=2e-4)


def test_shapes_broadcast():
    rng = np.random.default_rng(3)
    force, field = rng.normal(size=(4, 5, 3)), 5e-5 * rng.normal(size=(5, 3))
    zeta = rng.uniform(0.1, 2.0, (4, 5))
    result = mobility_response(force, field, zeta, np.ones((4, 5)))
    assert result.shape == (4, 5, 3)
    np.testing.assert_allclose(result[2, 3], mobility_response(force[2, 3], field[3], zeta[2, 3], np.array(1.0)), rtol=1e-13)


# ---------------------------------------------------------------- heights, with the atmosphere of one summer noon

ALTITUDE = np.arange(95.0, 260.0, 0.1)
STRENGTH = 5e-5
LOCAL_NOON = np.datetime64("2023-06-18T10:40")  # day 169 at 20 E; other hours move the heights by up to 1 km


def ratio(ion):
    """nu/Omega by altitude at 70 N 20 E, F10.7 150, Ap 7, 50 uT, NRLMSISE-00."""
    msis = pymsis.calculate([LOCAL_NOON], [20.0], [70.0], ALTITUDE, [150.0], [150.0], [[7.0] * 7], version=0)
    msis = msis.reshape(len(ALTITUDE), -1)
    gases = {"N2": pymsis.Variable.N2, "O2": pymsis.Variable.O2, "O": pymsis.Variable.O, "He": pymsis.Variable.HE}
    temperature = msis[:, pymsis.Variable.TEMPERATURE]
    nu = ion_neutral_collision_frequency(ion, {n: msis[:, c] for n, c in gases.items()}, temperature, temperature)
    species = get_species(ion)
    return nu / gyrofrequency(species.charge, species.mass, np.array([0.0, 0.0, STRENGTH]))


@pytest.fixture(scope="module")
def zeta():
    return ratio("Fe+")


@pytest.mark.parametrize(
    ("value", "altitude"), [(10.0, 103.2), (3.0, 112.0), (1.0, 121.5), (0.3, 134.7), (0.1, 153.9), (0.01, 223.1)]
)
def test_heights_where_collisions_balance_gyration_iron(zeta, value, altitude):
    """Known heights, given to 0.1 km at an unnamed hour: 9 to 12 UT all lie within 0.2 km."""
    found = np.interp(np.log(value), np.log(zeta[::-1]), ALTITUDE[::-1])
    assert found == pytest.approx(altitude, abs=0.2)


def test_height_where_collisions_balance_gyration_magnesium():
    found = np.interp(0.0, np.log(ratio("Mg+")[::-1]), ALTITUDE[::-1])
    assert found == pytest.approx(119.9, abs=0.15)


def vertical_drift(zeta, degrees_west_of_north, inclination=78.0, strength=0.03, hemisphere=1.0):
    """v_z, m s-1, by E x B and Pedersen drift of a field with the given horizontal part, perpendicular to B."""
    dip, way = np.radians(inclination), np.radians(degrees_west_of_north)
    b = np.array([0.0, np.cos(dip), -hemisphere * np.sin(dip)])
    horizontal = strength * np.array([-np.sin(way), np.cos(way), 0.0])
    electric = horizontal - np.array([0.0, 0.0, (horizontal @ b) / b[2]])
    assert electric @ b == pytest.approx(0.0, abs=1e-15)
    shape = (len(zeta), 3)
    drifts = perpendicular_drifts(np.broadcast_to(electric, shape), np.broadcast_to(STRENGTH * b, shape), zeta)
    return sum(drifts)[:, 2], electric


@pytest.mark.parametrize(
    ("west", "null", "convergence", "peak", "at_150"),
    [(15.0, 136.6, 3.7e-3, 126.9, -17.0), (45.0, 121.7, 5.8e-3, 123.9, -76.0), (75.0, 110.4, 6.7e-3, 123.0, -115.0)],
)
def test_heights_of_the_electric_field_null(zeta, west, null, convergence, peak, at_150):
    """A field to the north-west has a convergent null where zeta = -sin(I) Ex/Ey; known for 30 mV/m and 78 degrees."""
    speed, electric = vertical_drift(zeta, west)
    formula = (electric[0] * np.cos(np.radians(78.0)) + zeta * electric[1] / np.tan(np.radians(78.0))) / (
        STRENGTH * (1.0 + zeta**2)
    )
    np.testing.assert_allclose(speed, formula, rtol=1e-9, atol=1e-9)
    crossing = np.flatnonzero(np.diff(np.sign(speed)) != 0)
    assert len(crossing) == 1
    assert ALTITUDE[crossing[0]] == pytest.approx(null, abs=0.2)
    assert zeta[crossing[0]] == pytest.approx(-np.sin(np.radians(78.0)) * electric[0] / electric[1], rel=0.02)
    # Over 1 km: NRLMSISE-00 has a kink at 123.4 km, where the convergence jumps by 5 % over a few hundred metres.
    squeeze, middle = (speed[:-10] - speed[10:]) / 1e3, (ALTITUDE[:-10] + ALTITUDE[10:]) / 2
    assert squeeze.max() == pytest.approx(convergence, rel=0.025)
    assert middle[squeeze.argmax()] == pytest.approx(peak, abs=0.4)
    assert np.interp(150.0, ALTITUDE, speed) == pytest.approx(at_150, abs=0.6)


@pytest.mark.parametrize(("west", "nulls"), [(-30.0, 0), (30.0, 1), (150.0, 0), (210.0, 1)])
def test_only_two_quadrants_have_a_null(zeta, west, nulls):
    """North-west (convergent) and south-east (divergent) in the north; none in the others."""
    speed, _ = vertical_drift(zeta, west)
    crossing = np.flatnonzero(np.diff(np.sign(speed)) != 0)
    assert len(crossing) == nulls
    if nulls:
        convergent = np.gradient(speed)[crossing[0]] < 0
        assert convergent == (west == 30.0)


@pytest.mark.parametrize(("west", "nulls"), [(30.0, 0), (150.0, 1)])
def test_in_the_south_the_field_points_to_the_south_west(zeta, west, nulls):
    speed, _ = vertical_drift(zeta, west, hemisphere=-1.0)
    crossing = np.flatnonzero(np.diff(np.sign(speed)) != 0)
    assert len(crossing) == nulls
    if nulls:
        assert np.gradient(speed)[crossing[0]] < 0


def test_westward_above_eastward_wind_converges(zeta):
    """v_z = (zeta U cos I - V sin I cos I)/(1 + zeta^2), with U east and V north."""
    dip = np.radians(75.0)
    field = STRENGTH * np.array([0.0, np.cos(dip), -np.sin(dip)])
    nu = zeta * gyrofrequency(get_species("Fe+").charge, get_species("Fe+").mass, field)
    shape = (len(zeta), 3)
    east = -50.0 * np.tanh((ALTITUDE - 105.0) / 3.0)
    north = np.full_like(east, 30.0)
    wind = np.stack([east, north, 0 * east], axis=-1)
    mass, zero = get_species("Fe+").mass, np.zeros(shape)
    speed = ion_velocity_terms(
        ELEMENTARY_CHARGE, mass, nu, np.broadcast_to(field, shape), zero, wind, zero, zero
    )["wind"][:, 2]  # fmt: skip
    expected = (zeta * east * np.cos(dip) - north * np.sin(dip) * np.cos(dip)) / (1.0 + zeta**2)
    np.testing.assert_allclose(speed, expected, rtol=1e-10, atol=1e-10)
    only_shear = speed + north * np.sin(dip) * np.cos(dip) / (1.0 + zeta**2)
    middle = int(np.abs(ALTITUDE - 105.0).argmin())
    assert -np.gradient(only_shear, 1e3 * ALTITUDE)[middle] > 0.0
    # 50 m/s per 3 km at 105 km: zeta cos I/(1 + zeta^2) of it
    share = zeta[middle] * np.cos(dip) / (1.0 + zeta[middle] ** 2)
    assert -np.gradient(only_shear, 1e3 * ALTITUDE)[middle] == pytest.approx(share * 50.0 / 3e3, rel=0.02)
