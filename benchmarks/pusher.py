"""Speed of the particle pusher beside a plain NumPy Boris pusher, memory and arithmetic.

    python benchmarks/pusher.py                                   # 65 536 particles
    python benchmarks/pusher.py --particles 1000000 --repeat 5

Each figure is the best of several runs in one process, in million steps of a particle per second, all threads. For comparison:
the bound of a pusher that reads and writes its state in memory at every step (48 bytes in float32), and the arithmetic of a step
at the speed of a plain loop of multiply-adds over an array in the first-level cache (not the peak of the machine).
benchmarks/peers_pusher.py has the other tools.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable

import numba
import numpy as np
from scipy.constants import e, m_p

from siderion.particles.electromagnetic_fields import Fields, dipole_field, grid_fields, uniform_fields
from siderion.particles.pusher import push
from siderion.particles.stop_surfaces import sphere

FLOPS = {"uniform": 92, "dipole": 125}
"""Additions, multiplications, divisions and roots of a step, counted in the source."""
MAGNETIC, ELECTRIC = np.array([1e-9, 2e-9, 4e-9]), np.array([1e-3, 0.0, -5e-4])


def best(work: Callable[[], object], repeat: int) -> float:
    """Shortest wall time, s; the first run compiles and does not count."""
    work()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def plain_boris(position: np.ndarray, velocity: np.ndarray, steps: int, step: float) -> None:
    """The textbook scheme on whole arrays, without relativity."""
    half = 0.5 * step * e / m_p
    half = position.dtype.type(half)
    electric, magnetic = ELECTRIC.astype(position.dtype), MAGNETIC.astype(position.dtype)
    t = half * magnetic
    s = 2.0 * t / (1.0 + t @ t)
    s = s.astype(position.dtype)
    for _ in range(steps):
        minus = velocity + half * electric
        prime = minus + np.cross(minus, t)
        velocity = minus + np.cross(prime, s) + half * electric
        position = position + position.dtype.type(step) * velocity


@numba.njit(parallel=True, fastmath=True)
def _multiply_adds(rounds: int, one: np.ndarray) -> np.ndarray:
    """Multiply-adds over 64 numbers in the first-level cache: 128 operations per round."""
    out = np.zeros((numba.get_num_threads(), 64), one.dtype)
    for thread in numba.prange(out.shape[0]):
        a = np.ones(64, one.dtype)
        for _ in range(rounds):
            for k in range(64):
                a[k] = a[k] * one[0] + one[1]
        out[thread] = a
    return out


def make_grid(points: int) -> Fields:
    """A dipole on a grid of this many points along each axis."""
    axis = np.linspace(-4e7, 4e7, points)
    places = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1) + 1e3
    return grid_fields(axis, axis, axis, magnetic=dipole_field([0.0, 0.0, -8e22]).evaluate(places)[1])


def speed_table(particles: int, steps: int, repeat: int) -> None:
    """Print million particle steps per second of every kind of field."""
    generator = np.random.default_rng(1)
    position = 2e7 + 1e5 * generator.standard_normal((particles, 3))
    velocity = 1e5 * generator.standard_normal((particles, 3))
    dipole, uniform = dipole_field([0.0, 0.0, -8e22]), uniform_fields(MAGNETIC, ELECTRIC)
    body = [sphere(6.4e6)]
    cases: dict[str, tuple[Fields, dict[str, object]]] = {
        "uniform E and B": (uniform, {}),
        "uniform, exact phase": (uniform, {"method": "boris_exact_phase"}),
        "uniform, Higuera-Cary": (uniform, {"method": "higuera_cary"}),
        "uniform, gravity": (uniform, {"gravity": 4e14}),
        "uniform, sphere that stops": (uniform, {"surfaces": body}),
        "dipole": (dipole, {}),
        "dipole and uniform, sphere that stops": (dipole + uniform, {"surfaces": body}),
        "grid of 64^3 (stops at its edge)": (make_grid(64), {}),
    }
    few = max(1, steps // 50)
    slow = {
        kind: best(lambda kind=kind: plain_boris(position.astype(kind), velocity.astype(kind), few, 1e-2), repeat) / few
        for kind in ("float32", "float64")
    }  # type: ignore[misc]
    print(f"{'million particle steps per second':40} {'float32':>9} {'float64':>9} {'ratio to NumPy':>19}")
    print(f"{'plain NumPy, uniform':40} " + " ".join(f"{particles / slow[kind] / 1e6:9.2f}" for kind in slow))
    for name, (fields, options) in cases.items():
        row = []
        for precision in ("float32", "float64"):

            def work(fields: Fields = fields, options: dict = options, precision: str = precision) -> None:
                push(position, velocity, e, m_p, fields, 1e-2 * steps, step=1e-2, precision=precision, **options)

            row.append(best(work, repeat) / steps)
        speeds = " ".join(f"{particles / spent / 1e6:9.1f}" for spent in row)
        ratios = " ".join(f"{slow[kind] / spent:9.0f}" for kind, spent in zip(slow, row, strict=True))
        print(f"{name:40} {speeds} {ratios}")


def bound_table(repeat: int) -> None:
    """Print what memory and a loop of multiply-adds would allow."""
    big = np.zeros(2**25, np.float32)
    other = np.zeros_like(big)
    rate = 2.0 * big.nbytes / best(lambda: np.copyto(other, big), repeat)
    print(f"one copy of memory: {rate / 1e9:.1f} GB/s; state through memory at every step: {rate / 48e6:.0f} (float32), "
          f"{rate / 96e6:.0f} (float64) million steps/s on one thread")  # fmt: skip
    rounds = 2_000_000
    for precision in ("float32", "float64"):
        one = np.array([0.999, 1e-3], precision)
        speed = 2.0 * 64 * rounds * numba.get_num_threads() / best(lambda one=one: _multiply_adds(rounds, one), repeat)  # type: ignore[misc]
        print(f"loop of multiply-adds in {precision}: {speed / 1e9:.0f} Gflop/s; " + ", ".join(
            f"{name} ({flops} flop): {speed / flops / 1e6:.0f} million steps/s" for name, flops in FLOPS.items()))  # fmt: skip


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--particles", type=int, default=65_536, help="particles of a run")
    parser.add_argument("--steps", type=int, default=500, help="steps of a run")
    parser.add_argument("--repeat", type=int, default=3, help="runs of which the best counts")
    options = parser.parse_args()
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, numba {numba.__version__}, {os.cpu_count()} cores, "
        f"{numba.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}; {options.particles} particles, {options.steps} steps"
    )
    speed_table(options.particles, options.steps, options.repeat)
    bound_table(options.repeat)


if __name__ == "__main__":
    main()
