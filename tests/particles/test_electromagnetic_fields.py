"""Prescribed fields against formulas, and against what cannot be true of them."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from scipy.constants import mu_0

from siderion.core.errors import CoverageError, SettingsError
from siderion.particles.electromagnetic_fields import (
    convection_field,
    dipole_field,
    flowing_fields,
    function_fields,
    grid_fields,
    uniform_fields,
)

MOMENT = np.array([1e22, -2e22, 7e22])


def potential(place):
    """Vector potential of a dipole, (mu0 / 4 pi) m x r / r^3."""
    return mu_0 / (4.0 * np.pi) * np.cross(MOMENT, place) / np.linalg.norm(place) ** 3


def test_dipole_is_the_curl_of_its_potential():
    place, h = np.array([1.3e7, -0.7e7, 0.9e7]), 1e3
    gradient = np.array([(potential(place + h * e) - potential(place - h * e)) / (2.0 * h) for e in np.eye(3)])
    curl = [gradient[1, 2] - gradient[2, 1], gradient[2, 0] - gradient[0, 2], gradient[0, 1] - gradient[1, 0]]
    assert dipole_field(MOMENT).evaluate(place)[1] == pytest.approx(curl, rel=1e-6)


def test_dipole_at_pole_and_equator():
    magnetic = dipole_field([0.0, 0.0, -8e22], centre=[0.0, 1e6, 0.0]).evaluate([[7e6, 1e6, 0.0], [0.0, 1e6, 7e6]])[1]
    equator = mu_0 / (4.0 * np.pi) * 8e22 / 7e6**3
    np.testing.assert_allclose(magnetic, [[0.0, 0.0, equator], [0.0, 0.0, -2.0 * equator]], atol=1e-20)


def test_flow_has_no_electric_field_in_its_frame():
    flow, field = np.array([-4e5, 1e4, 2e4]), np.array([3e-9, -4e-9, 1e-9])
    electric, magnetic = flowing_fields(flow, field).evaluate([0.0, 0.0, 0.0])
    np.testing.assert_allclose(electric + np.cross(flow, magnetic), 0.0, atol=1e-20)
    np.testing.assert_array_equal(magnetic, field)
    only = convection_field(flow, field).evaluate([0.0, 0.0, 0.0])
    np.testing.assert_array_equal(only[0], electric)
    np.testing.assert_array_equal(only[1], 0.0)


def test_sum_is_the_sum_of_the_parts():
    places = np.array([[1e7, 2e6, -3e6], [5e6, -8e6, 4e6]])

    @numba.njit
    def wave(x, y, z, t):
        return 0.0, 1e-3 * np.sin(t), 0.0, 0.0, 0.0, 1e-9 * x / 1e7

    parts = [uniform_fields([1e-9, 2e-9, 3e-9], [1e-3, 0.0, 0.0]), dipole_field(MOMENT), dipole_field(-MOMENT, [1e6, 0.0, 0.0]),
             function_fields(wave)]  # fmt: skip
    whole = parts[0] + parts[1] + parts[2] + parts[3]
    for k in range(2):
        expected = sum(part.evaluate(places, 2.0)[k] for part in parts)
        np.testing.assert_allclose(whole.evaluate(places, 2.0)[k], expected, rtol=1e-13, atol=1e-25)
    assert whole.evaluate(places, 2.0)[0][0, 1] == pytest.approx(1e-3 * np.sin(2.0), rel=1e-12)


def test_trilinear_field_is_exact_on_a_grid():
    x, y, z = np.linspace(-1.0, 2.0, 4), np.linspace(0.0, 1.0, 3), np.linspace(5.0, 9.0, 5)
    xx, yy, zz = np.meshgrid(x, y, z, indexing="ij")

    def law(x, y, z):
        return np.stack([1.0 + x * y * z, x - 2.0 * y + z * x, y * z], axis=-1)

    fields = grid_fields(x, y, z, magnetic=law(xx, yy, zz), electric=-law(xx, yy, zz))
    places = np.random.default_rng(1).uniform([-1.0, 0.0, 5.0], [2.0, 1.0, 9.0], (200, 3))
    electric, magnetic = fields.evaluate(places)
    np.testing.assert_allclose(magnetic, law(*places.T), atol=1e-13)
    np.testing.assert_allclose(electric, -law(*places.T), atol=1e-13)
    corners = fields.evaluate([[2.0, 1.0, 9.0], [-1.0, 0.0, 5.0]])[1]
    np.testing.assert_allclose(corners, [law(2.0, 1.0, 9.0), law(-1.0, 0.0, 5.0)], atol=1e-13)


def test_grid_converges_with_order_two():
    dipole = dipole_field(MOMENT)
    places = np.random.default_rng(2).uniform(1.2e7, 1.8e7, (300, 3))
    errors = []
    for points in (9, 17, 33):
        axis = np.linspace(1e7, 2e7, points)
        grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
        fields = grid_fields(axis, axis, axis, magnetic=dipole.evaluate(grid)[1])
        errors.append(np.abs(fields.evaluate(places)[1] - dipole.evaluate(places)[1]).max())
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert (orders > 1.7).all()
    assert (orders < 2.3).all()


def test_place_outside_the_grid_is_refused():
    axis = np.linspace(0.0, 1.0, 3)
    fields = grid_fields(axis, axis, axis, magnetic=np.zeros((3, 3, 3, 3)))
    with pytest.raises(CoverageError, match="particle 1 is at"):
        fields.evaluate([[0.5, 0.5, 0.5], [0.5, 0.5, 1.01]])


def test_wrong_fields_are_refused():
    axis, values = np.linspace(0.0, 1.0, 3), np.zeros((3, 3, 3, 3))
    with pytest.raises(SettingsError, match="equal steps"):
        grid_fields(axis, axis, [0.0, 0.1, 1.0], magnetic=values)
    with pytest.raises(SettingsError, match="shape"):
        grid_fields(axis, axis, axis, magnetic=values[:2])
    values[1, 2, 0, 1] = np.nan
    with pytest.raises(SettingsError, match=r"magnetic is nan at the index \(1, 2, 0, 1\)"):
        grid_fields(axis, axis, axis, magnetic=values)
    with pytest.raises(SettingsError, match="three finite"):
        uniform_fields([0.0, np.inf, 0.0])
    with pytest.raises(SettingsError, match=r"numba\.njit"):
        function_fields(lambda x, y, z, t: (0.0,) * 6)
    grid = grid_fields(axis, axis, axis)
    with pytest.raises(SettingsError, match="both fields have a grid"):
        grid + grid
