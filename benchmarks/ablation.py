"""Time of the entry of many bodies, beside a loop over scipy's implicit integrator on the same equations, in one run.

    python benchmarks/ablation.py [number of bodies] [bodies of the loop]

Prints seconds of this package for all bodies, seconds per body of both, and their ratio, with the processors in use; where
JAX is installed, seconds of its compilation and of its flights on its device too.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path

import numba
import numpy as np
from scipy.integrate import solve_ivp

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "validation"))
from test_ablation import bulk_equations

from siderion.sources.entry.atmosphere import standard_atmosphere
from siderion.sources.entry.flight import fly_bodies
from siderion.sources.entry.flight_jax import fly_bodies_jax
from siderion.sources.entry.settings import AblationSettings


def draw(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Masses even in the logarithm from 1e-12 to 1e-5 kg, speeds 11 to 70 km/s, zenith angles of an even sky."""
    generator = np.random.default_rng(0)
    angles = np.degrees(np.arcsin(np.sqrt(generator.uniform(0.0, 1.0, count))))
    return 10.0 ** generator.uniform(-12.0, -5.0, count), generator.uniform(11e3, 70e3, count), angles


def scipy_loop(mass: np.ndarray, speed: np.ndarray, zenith: np.ndarray, density: float, air) -> float:
    """Seconds of a loop over solve_ivp (LSODA) at the tolerance of the kernels."""

    def slow(_, y):
        return y[1] - 1e3

    def gone(_, y):
        return y[4] + np.log(1e6)

    slow.terminal = gone.terminal = True
    started = time.perf_counter()
    for m, v, angle in zip(mass, speed, zenith, strict=True):
        solve_ivp(
            bulk_equations(m, density, air), (0.0, 600.0), [400e3, v, np.radians(angle), 280.0, 0.0], "LSODA",
            events=(slow, gone), rtol=1e-4, atol=[1.0, 0.1, 1e-5, 0.1, 1e-5], max_step=20.0,
        )  # fmt: skip
    return time.perf_counter() - started


def seconds_of_jax(mass: np.ndarray, speed: np.ndarray, zenith: np.ndarray, density: float, air) -> tuple[float, float]:
    """Seconds of a first call, which compiles, and of a second one."""
    spent = []
    for _ in range(2):
        started = time.perf_counter()
        fly_bodies_jax(mass, speed, zenith, density, air, elements=["Na", "Fe", "Ca"])
        spent.append(time.perf_counter() - started)
    return spent[0], spent[1]


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    loop = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    air, (mass, speed, zenith) = standard_atmosphere(), draw(count)
    for release in ("uniform", "differential"):
        chosen = AblationSettings(release=release)
        fly_bodies(mass[:8], speed[:8], zenith[:8], 2200.0, air, chosen)  # compile
        started, cpu = time.perf_counter(), time.process_time()
        fly_bodies(mass, speed, zenith, 2200.0, air, chosen, elements=["Na", "Fe", "Ca"])
        seconds, spent = time.perf_counter() - started, time.process_time() - cpu
        print(f"{count} bodies, {release} release: {seconds:.2f} s on {numba.get_num_threads()} threads ({spent:.2f} s of CPU)")
        if release == "uniform":
            ours = seconds / count
    if importlib.util.find_spec("jax") is not None:
        first, second = seconds_of_jax(mass, speed, zenith, 2200.0, air)
        print(f"JAX: {second:.2f} s, and {first - second:.2f} s to compile; time over that of the kernel {second / seconds:.2f}")
    theirs = scipy_loop(mass[:loop], speed[:loop], zenith[:loop], 2200.0, air) / loop
    print(f"scipy loop: {1e3 * theirs:.1f} ms a body; this package: {1e3 * ours:.3f} ms; ratio {theirs / ours:.0f}")


if __name__ == "__main__":
    main()
