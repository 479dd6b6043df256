"""The Boris pusher beside that of PlasmaPy: speed and answers, one run.

    python benchmarks/peers_pusher.py                         # 65 536 particles in uniform fields
    python benchmarks/peers_pusher.py --only siderion "plain NumPy"

Run it with an interpreter that has the peer (pip install plasmapy); a tool that is missing is listed as not installed. All get
the same particles, step and fields in memory. PlasmaPy's integrators are called as its particle tracker calls them, without the
tracker about them, which would only add to their time. The answer is compared with the exact gyration.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import time
from collections.abc import Callable

import numpy as np
from scipy.constants import c, e, m_p

FIELD = 5e-9
STEP = 0.4
"""Seconds: 33 steps per gyration."""

State = tuple[np.ndarray, np.ndarray]


def plasmapy_boris(position: np.ndarray, velocity: np.ndarray, steps: int) -> State:
    """The classical integrator of PlasmaPy."""
    from plasmapy.simulation.particle_integrators import BorisIntegrator

    return _plasmapy(BorisIntegrator, position, velocity, steps)


def plasmapy_relativistic(position: np.ndarray, velocity: np.ndarray, steps: int) -> State:
    """The relativistic integrator of PlasmaPy."""
    from plasmapy.simulation.particle_integrators import RelativisticBorisIntegrator

    return _plasmapy(RelativisticBorisIntegrator, position, velocity, steps)


def _plasmapy(integrator: type, position: np.ndarray, velocity: np.ndarray, steps: int) -> State:
    electric, magnetic = np.zeros_like(position), np.tile([0.0, 0.0, FIELD], (len(position), 1))
    place, speed = position.copy(), velocity.copy()
    charge, mass = np.full((len(position), 1), e), np.full((len(position), 1), m_p)
    for _ in range(steps):
        place, speed = integrator.push(place, speed, magnetic, electric, charge, mass, STEP)
    return place, speed


def plain_numpy(position: np.ndarray, velocity: np.ndarray, steps: int) -> State:
    """The textbook scheme on whole arrays."""
    t = 0.5 * STEP * e / m_p * np.array([0.0, 0.0, FIELD])
    s = 2.0 * t / (1.0 + t @ t)
    for _ in range(steps):
        velocity = velocity + np.cross(velocity + np.cross(velocity, t), s)
        position = position + STEP * velocity
    return position, velocity


def siderion_double(position: np.ndarray, velocity: np.ndarray, steps: int) -> State:
    """This package, float64."""
    return _siderion(position, velocity, steps, "float64")


def siderion_single(position: np.ndarray, velocity: np.ndarray, steps: int) -> State:
    """This package, float32."""
    return _siderion(position, velocity, steps, "float32")


def _siderion(position: np.ndarray, velocity: np.ndarray, steps: int, precision: str) -> State:
    from siderion.particles.electromagnetic_fields import uniform_fields
    from siderion.particles.pusher import push

    fields = uniform_fields([0.0, 0.0, FIELD])
    flight = push(position, velocity, e, m_p, fields, steps * STEP, step=STEP, precision=precision)
    return flight.end_position, flight.end_velocity


TOOLS: dict[str, tuple[Callable[..., State], str]] = {
    "plain NumPy": (plain_numpy, "numpy"),
    "plasmapy": (plasmapy_boris, "plasmapy"),
    "plasmapy, relativistic": (plasmapy_relativistic, "plasmapy"),
    "siderion, float64": (siderion_double, "siderion"),
    "siderion, float32": (siderion_single, "siderion"),
}


def phase_error(velocity: np.ndarray, start: np.ndarray, steps: int) -> tuple[float, float]:
    """Largest error of the phase (rad, but for that of the scheme) and of the energy (ratio)."""
    gamma = 1.0 / np.sqrt(1.0 - np.sum(start**2, axis=1) / c**2)
    turned = steps * 2.0 * np.arctan(0.5 * STEP * e * FIELD / m_p / gamma)
    expected = (start[:, 0] + 1j * start[:, 1]) * np.exp(-1j * turned)
    phase = np.angle((velocity[:, 0] + 1j * velocity[:, 1]) / expected)
    energy = np.sum(velocity**2, axis=1) / np.sum(start**2, axis=1) - 1.0
    return float(np.abs(phase).max()), float(np.abs(energy).max())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--particles", type=int, default=65_536)
    parser.add_argument("--steps", type=int, default=500, help="steps of siderion; the others take a tenth")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=list(TOOLS), help="tools to run")
    options = parser.parse_args()
    generator = np.random.default_rng(3)
    position, velocity = np.zeros((options.particles, 3)), 1e5 * generator.standard_normal((options.particles, 3))
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{options.particles} particles in a uniform field; phase beside that of Boris' scheme with gamma")
    print(f"{'tool':>24} {'version':>10} {'million steps/s':>16} {'ratio':>8} {'phase, rad':>11} {'energy':>9}")
    speeds: dict[str, float] = {}
    for name, (work, package) in TOOLS.items():
        if name not in options.only and name.split(",")[0] not in options.only:
            continue
        steps = options.steps if name.startswith("siderion") else max(1, options.steps // 10)
        try:
            work(position, velocity, 2)  # compiles
        except ImportError as error:
            print(f"{name:>24} not installed ({error})")
            continue
        spent = []
        for _ in range(options.repeat):
            start = time.perf_counter()
            _, end = work(position, velocity, steps)
            spent.append(time.perf_counter() - start)
        speeds[name] = options.particles * steps / min(spent)
        ratio = speeds[name] / next(iter(speeds.values()))
        phase, energy = phase_error(end, velocity, steps)
        version = importlib.metadata.version(package)
        print(f"{name:>24} {version:>10} {speeds[name] / 1e6:16.2f} {ratio:8.1f} {phase:11.1e} {energy:9.1e}")


if __name__ == "__main__":
    main()
