"""Polarisation measures on matrices that are known in closed form, in any axes."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from siderion.waves import polarization as pol

ANGLES = st.floats(0.0, 360.0)
VECTORS = st.tuples(*[st.floats(-1.0, 1.0)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1)


def pure(vector):
    """Matrix of a single wave with the complex amplitudes ``vector``: x_i(t) = Re(a_i exp(i w t))."""
    a = np.asarray(vector, dtype=complex)
    return np.outer(a, a.conj())


def ellipse(ratio, azimuth=0.0):
    """Amplitudes of (cos p, ratio sin p) turned by an azimuth, degrees: sin p is the real part of -i exp(ip)."""
    c, s = np.cos(np.radians(azimuth)), np.sin(np.radians(azimuth))
    first, second = 1.0, -1j * ratio
    return np.array([c * first - s * second, s * first + c * second, 0.0])


def random_matrix(rng, rank=3):
    a = rng.standard_normal((rank, 3)) + 1j * rng.standard_normal((rank, 3))
    return np.einsum("ki,kj->ij", a, a.conj())


def random_axes(rng):
    q, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    return q * np.sign(np.linalg.det(q))


def test_positive_ion_has_ellipticity_minus_one():
    """(cos, -sin) in (e1, e2) is the gyration of a positive ion about e3: q v x B with v = (1, 0, 0) points to -e2."""
    matrix = pure(ellipse(-1.0))
    assert matrix[0, 1].imag < 0.0
    assert pol.ellipticity(matrix) == pytest.approx(-1.0, abs=1e-7)
    assert pol.ellipticity(pure(ellipse(1.0))) == pytest.approx(1.0, abs=1e-7)


@given(ratio=st.floats(-0.99, 0.99), azimuth=ANGLES)
def test_ellipticity_is_the_ratio_of_the_axes(ratio, azimuth):
    assert pol.ellipticity(pure(ellipse(ratio, azimuth))) == pytest.approx(ratio, abs=1e-9)


@given(ratio=st.floats(-0.9, 0.9), azimuth=ANGLES, noise=st.floats(0.0, 10.0))
def test_unpolarised_noise_changes_the_degree_and_not_the_ellipticity(ratio, azimuth, noise):
    """Power 1 + ratio^2 that is polarised, 2 noise that is not."""
    matrix = pure(ellipse(ratio, azimuth)) + noise * np.eye(3)
    wave = 1.0 + ratio**2
    assert pol.ellipticity(matrix) == pytest.approx(ratio, abs=1e-6)
    assert pol.polarization_degree_2d(matrix) == pytest.approx(wave / (wave + 2.0 * noise), rel=1e-9)


@pytest.mark.parametrize(
    ("diagonal", "degree"),
    [
        ((1, 0, 0), 1.0),
        ((1, 1, 0), 0.5),
        ((1, 1, 1), 0.0),
        ((2, 1, 1), 0.25),
        ((4, 3, 2), np.sqrt(3 * 29 - 81) / np.sqrt(2 * 81)),
    ],
)
def test_degree_in_space_of_incoherent_powers(diagonal, degree):
    """The last from the formula by hand: Tr S^2 = 29, Tr S = 9."""
    assert pol.polarization_degree_3d(np.diag(np.array(diagonal, dtype=complex))) == pytest.approx(degree, abs=1e-12)


@given(seed=st.integers(0, 2**32 - 1))
def test_degrees_against_eigenvalues(seed):
    """In the plane (l1 - l2)/(l1 + l2); in space the spread of the three eigenvalues over their sum."""
    matrix = random_matrix(np.random.default_rng(seed))
    low, high = np.linalg.eigvalsh(matrix[:2, :2])
    assert pol.polarization_degree_2d(matrix) == pytest.approx((high - low) / (high + low), abs=1e-9)
    v = np.linalg.eigvalsh(matrix)
    pairs = (v[0] - v[1]) ** 2 + (v[1] - v[2]) ** 2 + (v[2] - v[0]) ** 2
    assert pol.polarization_degree_3d(matrix) == pytest.approx(np.sqrt(pairs / (2.0 * v.sum() ** 2)), abs=1e-7)


@given(seed=st.integers(0, 2**32 - 1))
def test_single_spectrum_is_fully_polarised(seed):
    matrix = random_matrix(np.random.default_rng(seed), rank=1)
    assert pol.polarization_degree_3d(matrix) == pytest.approx(1.0, abs=1e-7)
    assert pol.polarization_degree_2d(matrix) == pytest.approx(1.0, abs=1e-7)


@given(seed=st.integers(0, 2**32 - 1))
def test_rotation_keeps_trace_eigenvalues_and_degree(seed):
    rng = np.random.default_rng(seed)
    matrix, axes = random_matrix(rng), random_axes(rng)
    turned = pol.rotate_matrix(matrix, axes)
    np.testing.assert_allclose(turned, turned.conj().T, atol=1e-12 * np.trace(matrix).real)
    np.testing.assert_allclose(np.linalg.eigvalsh(turned), np.linalg.eigvalsh(matrix), rtol=1e-9, atol=1e-12)
    assert pol.polarization_degree_3d(turned) == pytest.approx(pol.polarization_degree_3d(matrix), abs=1e-7)
    np.testing.assert_allclose(pol.rotate_matrix(turned, axes.T), matrix, atol=1e-12 * np.trace(matrix).real)


@given(seed=st.integers(0, 2**32 - 1))
def test_rotation_of_the_matrix_is_the_matrix_of_the_turned_vector(seed):
    rng = np.random.default_rng(seed)
    a, axes = rng.standard_normal(3) + 1j * rng.standard_normal(3), random_axes(rng)
    np.testing.assert_allclose(pol.rotate_matrix(pure(a), axes), pure(axes @ a), atol=1e-12)


@given(field=VECTORS)
def test_axes_are_right_handed_with_the_third_along_the_field(field):
    axes = pol.field_aligned_axes(np.array(field))
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1.0)
    np.testing.assert_allclose(axes[2], np.array(field) / np.linalg.norm(field), atol=1e-12)


@pytest.mark.parametrize("field", [(0.0, 0.0, 0.0), (np.nan, 0.0, 1.0)])
def test_no_axes_without_a_field(field):
    assert np.isnan(pol.field_aligned_axes(np.array(field))).all()


@given(field=VECTORS, seed=st.integers(0, 2**32 - 1), hand=st.sampled_from([-1, 1]), sign=st.sampled_from([-1, 1]))
def test_hand_about_any_field(field, seed, hand, sign):
    """The wave is built from the law of motion, da/dt = hand w b x a, in the axes of the series.

    The ellipticity follows b, so B -> -B of the same motion in space changes its sign.
    """
    b = np.array(field) / np.linalg.norm(field)
    start = np.cross(b, np.random.default_rng(seed).standard_normal(3))
    assume(np.linalg.norm(start) > 1e-3)
    start /= np.linalg.norm(start)
    amplitude = start - 1j * hand * np.cross(b, start)  # cos: start, sin: hand b x start
    turned = pol.rotate_matrix(pure(amplitude), pol.field_aligned_axes(sign * b))
    assert pol.ellipticity(turned) == pytest.approx(hand * sign, abs=1e-6)
    assert pol.power_along(turned) == pytest.approx(0.0, abs=1e-12)
    assert pol.power_across(turned) == pytest.approx(2.0)


@given(tilt=st.floats(1.0, 85.0), azimuth=ANGLES, major=ANGLES, ratio=st.floats(0.1, 1.0), hand=st.sampled_from([-1, 1]))
def test_wave_normal_and_planarity_of_a_plane_wave(tilt, azimuth, major, ratio, hand):
    t, a, m = np.radians([tilt, azimuth, major])
    normal = np.array([np.sin(t) * np.cos(a), np.sin(t) * np.sin(a), np.cos(t)])
    first = np.array([np.cos(t) * np.cos(a), np.cos(t) * np.sin(a), -np.sin(t)])
    second = np.cross(normal, first)
    one, two = np.cos(m) * first + np.sin(m) * second, -np.sin(m) * first + np.cos(m) * second
    matrix = pure(one - 1j * hand * ratio * two)
    np.testing.assert_allclose(pol.wave_normal_means(matrix), normal, atol=1e-9)
    found, planarity = pol.wave_normal_svd(matrix)
    np.testing.assert_allclose(found, normal, atol=1e-6)
    assert planarity == pytest.approx(1.0, abs=1e-3)
    assert pol.angle_to_field(found) == pytest.approx(tilt, abs=1e-4)
    assert pol.polarization_degree_3d(matrix) == pytest.approx(1.0, abs=1e-7)


@given(tilt=st.floats(0.0, 80.0), hand=st.sampled_from([-1, 1]))
def test_oblique_circle_seen_along_the_field(tilt, hand):
    """A circle whose normal is tilted projects on an ellipse of axes 1 and cos(tilt) across B."""
    t = np.radians(tilt)
    first, second = np.array([np.cos(t), 0.0, -np.sin(t)]), np.array([0.0, 1.0, 0.0])
    matrix = pure(first - 1j * hand * second)
    assert pol.ellipticity(matrix) == pytest.approx(hand * np.cos(t), abs=1e-6)
    assert pol.power_along(matrix) == pytest.approx(np.sin(t) ** 2, abs=1e-12)


def test_planarity_of_known_matrices():
    """diag(4, 2, 1): singular values of the real part alone, 1 - sqrt(1/4) = 1/2; equal powers have no plane."""
    assert pol.wave_normal_svd(np.diag([4.0, 2.0, 1.0]).astype(complex))[1] == pytest.approx(0.5)
    assert pol.wave_normal_svd(np.eye(3, dtype=complex))[1] == pytest.approx(0.0)


def test_linear_wave_has_no_normal_of_means():
    matrix = pure([1.0, 0.0, 0.0])
    assert np.isnan(pol.wave_normal_means(matrix)).all()
    assert pol.ellipticity(matrix) == 0.0


def test_nothing_is_measured_without_power():
    zero = np.zeros((2, 3, 3), dtype=complex)
    assert (pol.polarization_degree_2d(zero) == 0.0).all()
    assert (pol.polarization_degree_3d(zero) == 0.0).all()
    assert (pol.ellipticity(zero) == 0.0).all()
    normal, planarity = pol.wave_normal_svd(zero)
    assert np.isnan(normal).all()
    assert np.isnan(planarity).all()
