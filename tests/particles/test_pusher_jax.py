"""The JAX pusher against the compiled one."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from siderion.core.errors import SettingsError
from siderion.particles.electromagnetic_fields import dipole_field, uniform_fields
from siderion.particles.pusher import push
from siderion.particles.pusher_jax import push_dipole_jax, push_uniform_jax

CHARGE, MASS = 1.602176634e-19, 1.67262192595e-27
STEPS, STEP = 400, 2.0e-3
MAGNETIC, ELECTRIC = np.array([0.0, 1e-7, 1e-6]), np.array([1e-2, 2e-2, -1e-4])
MOMENT = np.array([1e21, 0.0, -8e22])
has_jax = pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")


def start(count=50):
    generator = np.random.default_rng(5)
    return np.array([3e7, 0.0, 1e6]) + 1e6 * generator.standard_normal((count, 3)), 3e6 * generator.standard_normal((count, 3))


def same(found, expected):
    # relative to the way flown and to the speed
    way = np.linalg.norm(expected.end_position - start()[0], axis=1).max()
    assert np.abs(found[0] - expected.end_position).max() < 1e-12 * max(way, np.abs(expected.end_position).max())
    assert np.abs(found[1] - expected.end_velocity).max() < 1e-12 * np.abs(expected.end_velocity).max()


@has_jax
def test_uniform_fields_agree_with_the_compiled_pusher():
    place, speed = start()
    expected = push(place, speed, CHARGE, MASS, uniform_fields(MAGNETIC, ELECTRIC), STEPS * STEP, step=STEP)
    same(push_uniform_jax(place, speed, CHARGE / MASS, STEP, STEPS, MAGNETIC, ELECTRIC), expected)


@has_jax
def test_dipole_agrees_with_the_compiled_pusher():
    place, speed = start()
    expected = push(place, speed, CHARGE, MASS, dipole_field(MOMENT), STEPS * STEP, step=STEP)
    same(push_dipole_jax(place, speed, CHARGE / MASS, STEP, STEPS, MOMENT), expected)


@has_jax
def test_single_precision_and_no_global_switch():
    import jax.numpy

    place, speed = start()
    far = push_uniform_jax(place, speed, CHARGE / MASS, STEP, STEPS, MAGNETIC, ELECTRIC)
    near = push_uniform_jax(place, speed, CHARGE / MASS, STEP, STEPS, MAGNETIC, ELECTRIC, precision="float32")
    difference = np.abs(near[1] - far[1]).max() / np.abs(far[1]).max()
    assert 1e-9 < difference < 1e-4  # single precision, and really used
    assert jax.numpy.ones(1).dtype == np.float32


def test_importing_the_module_does_not_import_jax():
    code = "import sys, siderion.particles.pusher_jax; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_wrong_arguments_are_refused():
    place, speed = start()
    with pytest.raises(SettingsError, match="precision 'half'"):
        push_uniform_jax(place, speed, 1.0, STEP, STEPS, MAGNETIC, precision="half")
    with pytest.raises(SettingsError, match="shape"):
        push_uniform_jax(place[:, :2], speed, 1.0, STEP, STEPS, MAGNETIC)
