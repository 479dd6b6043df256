"""Entry angles of an isotropic flux."""

from __future__ import annotations

import numpy as np
import pytest

from siderion.core.errors import SettingsError
from siderion.sources.meteoroids import angle_quadrature, sample_angles
from siderion.sources.meteoroids.entry_angles import before_the_fall


@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_moments_of_the_cosine_are_exact(count: int) -> None:
    """Mean of mu^k under 2 mu is 2/(k + 2), for k up to 2 count - 1."""
    angle, weight = angle_quadrature(count)
    cosine = np.cos(np.radians(angle))
    for k in range(2 * count):
        assert weight @ cosine**k == pytest.approx(2.0 / (k + 2.0), rel=1e-12)
    assert (np.diff(angle) > 0.0).all()


def test_mean_angle_is_45_degrees() -> None:
    """Integral of z sin 2z over 0 to 90 degrees is 45 degrees; arccos has a root singularity, so that points help slowly."""
    errors = [abs(angle_quadrature(n)[0] @ angle_quadrature(n)[1] - 45.0) for n in (4, 8, 16)]
    assert errors[2] < errors[1] < errors[0] < 1.0
    assert errors[2] < 0.02


def test_samples_follow_sin_squared() -> None:
    angle = np.sort(sample_angles(20_000, np.random.default_rng(5)))
    law = np.sin(np.radians(angle)) ** 2
    distance = np.abs(law - (np.arange(20_000) + 0.5) / 20_000).max()
    assert distance < 1.95 / np.sqrt(20_000)  # Kolmogorov: exceeded once in 1000 seeds


def test_no_angle_is_refused() -> None:
    with pytest.raises(SettingsError, match="entry angles"):
        angle_quadrature(0)


def test_before_the_fall_on_a_straight_line() -> None:
    """Without gravity a body that grazes the sphere at 100 km crosses that at 200 km at arcsin(6471.2/6571.2)."""
    speed, angle = before_the_fall(np.array([2e4]), np.array([90.0]), 100e3, 200e3, gravity=False)
    assert speed[0] == 2e4
    assert np.sin(np.radians(angle[0])) == pytest.approx(6471.2 / 6571.2, rel=1e-12)


def test_before_the_fall_is_undone_by_the_equations_of_motion() -> None:
    """Integrated from 200 km down to 100 km under gravity alone, in the plane, by small steps."""
    speed, angle = (float(one[0]) for one in before_the_fall(np.array([12e3]), np.array([60.0]), 100e3, 200e3))
    place = np.array([0.0, 6571.2e3])
    velocity = speed * np.array([np.sin(np.radians(angle)), -np.cos(np.radians(angle))])
    step = 1e-2
    while np.hypot(*place) > 6471.2e3:  # leapfrog
        velocity -= 0.5 * step * 3.986004418e14 * place / np.hypot(*place) ** 3
        place += step * velocity
        velocity -= 0.5 * step * 3.986004418e14 * place / np.hypot(*place) ** 3
    arrived = np.hypot(*velocity)
    assert arrived == pytest.approx(12e3, rel=1e-5)
    assert np.degrees(np.arccos(-velocity @ place / np.hypot(*place) / arrived)) == pytest.approx(60.0, abs=5e-3)


def test_before_the_fall_on_a_plane() -> None:
    speed, angle = before_the_fall(np.array([2e4, 2e4]), np.array([0.0, 90.0]), 100e3, 200e3, curved=False)
    assert (speed < 2e4).all()
    np.testing.assert_allclose(angle, [0.0, 90.0])
