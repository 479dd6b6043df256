from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import beta, k1

from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.exosphere.column import shell_content, tangent_column, vertical_column


@given(power=st.floats(1.05, 12.0))
def test_power_law_is_exact(power):
    radius = np.array([1.0, 1.3, 2.0, 5.0])
    density = 7.0 * radius**-power
    np.testing.assert_allclose(vertical_column(radius, density), 7.0 * radius ** (1.0 - power) / (power - 1.0), rtol=1e-10)


@given(power=st.floats(1.2, 12.0))
def test_tangent_column_of_a_power_law(power):
    # The integral of (b^2 + s^2)^(-p/2) over the whole line is b^(1-p) B(1/2, (p-1)/2); pi/b for p = 2.
    radius = np.geomspace(1.0, 20.0, 60)
    tangents = np.array([1.0, 1.7, 20.0])
    expected = tangents ** (1.0 - power) * beta(0.5, 0.5 * (power - 1.0))
    np.testing.assert_allclose(tangent_column(tangents, radius, radius**-power), expected, rtol=2e-6)


def test_inverse_square_by_hand():
    radius = np.geomspace(1.0, 9.0, 30)
    assert tangent_column(2.0, radius, radius**-2.0) == pytest.approx(np.pi / 2.0, rel=1e-8)


def test_second_order_for_an_exponential():
    # The column of exp(-r) is exp(-r); along a line of sight it is 2 b K1(b).
    errors = []
    for count in (40, 80, 160):
        radius = np.linspace(1.0, 41.0, 10 * count)
        density = np.exp(-radius)
        errors.append((abs(vertical_column(radius, density)[0] - np.exp(-1.0)),
                       abs(float(tangent_column(1.0, radius, density)) - 2.0 * k1(1.0))))  # fmt: skip
    orders = np.log2(np.array(errors)[:-1] / np.array(errors)[1:])
    assert (orders > 1.9).all()
    assert (orders < 2.1).all()


def test_content_of_shells():
    # n = r^-3: 4 pi ln(r2/r1); n = 1: the volume.
    radius = np.geomspace(1.0, 10.0, 4)
    assert shell_content(radius, radius**-3.0) == pytest.approx(4.0 * np.pi * np.log(10.0), rel=1e-12)
    assert shell_content(radius, np.ones(4)) == pytest.approx(4.0 / 3.0 * np.pi * 999.0, rel=1e-12)


def test_zero_densities_are_linear_intervals():
    # From 2 at r = 1 to 0 at r = 2: column 1; volume integral 4 pi int 2(2 - r) r^2 = 4 pi (14/3 * 2 - 15/2) = 22 pi / 3.
    radius, density = np.array([1.0, 2.0, 3.0]), np.array([2.0, 0.0, 0.0])
    np.testing.assert_allclose(vertical_column(radius, density), [1.0, 0.0, 0.0], atol=1e-14)
    assert shell_content(radius, density) == pytest.approx(22.0 * np.pi / 3.0, rel=1e-12)
    # int of 2 (2 - sqrt(1 + s^2)) ds from 0 to sqrt 3, twice: 4 (2 sqrt 3 - (sqrt 3 + asinh(sqrt 3)/2)).
    expected = 4.0 * (np.sqrt(3.0) - 0.5 * np.arcsinh(np.sqrt(3.0)))
    assert tangent_column(1.0, radius, density) == pytest.approx(expected, rel=1e-6)


def test_without_tail():
    radius = np.array([1.0, 2.0, 4.0])
    np.testing.assert_allclose(vertical_column(radius, radius**-2.0, "none"), [0.75, 0.25, 0.0], atol=1e-14)


@pytest.mark.parametrize(
    ("radius", "density", "match"),
    [([1.0, 1.0], [1.0, 1.0], "rise"), ([1.0], [1.0], "shape"), ([1.0, 2.0], [1.0, -1.0], "index"),
     ([1.0, 2.0], [1.0, np.nan], "index"), ([0.0, 2.0], [1.0, 1.0], "positive"), ([1.0, 2.0], [1.0, 0.9], "faster")],
)  # fmt: skip
def test_bad_profiles(radius, density, match):
    with pytest.raises(DataError, match=match):
        vertical_column(radius, density)


def test_bad_requests():
    with pytest.raises(CoverageError, match="outside"):
        tangent_column(0.5, [1.0, 2.0], [1.0, 0.1])
    with pytest.raises(SettingsError, match="tail"):
        vertical_column([1.0, 2.0], [1.0, 0.1], "cut")  # type: ignore[arg-type]
