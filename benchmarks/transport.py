"""Speed of the transport kernels, share of drivers and output, peak memory, and the distance from the memory floor.

    python benchmarks/transport.py                 # quick, standard and paper grids, each in a process of its own
    python benchmarks/transport.py standard        # one of them

Kernels run on the real drivers of 18 June 2023 (built or taken from the cache). The floor is the time to move the bytes that
a kernel must read and write once, at the copy bandwidth measured in the same process.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numba
import numpy as np

from siderion.transport.fields import DriverFields
from siderion.transport.model import Model
from siderion.transport.output import PolarOutput
from siderion.transport.plan import make_grids, plan_run
from siderion.transport.run import load_drivers, output_times
from siderion.transport.settings import make_settings, run_period


@numba.njit(parallel=True)
def copy(source: np.ndarray, target: np.ndarray) -> None:
    """Plain copy, for the bandwidth."""
    for i in numba.prange(source.size):
        target[i] = source[i]


def bandwidth() -> float:
    """Copy bandwidth, bytes read plus written per second, on arrays far larger than the caches."""
    source, target = np.ones(40_000_000), np.zeros(40_000_000)
    copy(source, target)
    return 2.0 * source.nbytes / median_time(lambda: copy(source, target), 7)


def median_time(work: Callable[[], object], repeats: int = 9) -> float:
    """Median wall time, s."""
    work()
    spent = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return float(np.median(spent))


def measure(preset: str) -> None:
    """Print one table."""
    settings = make_settings({"date": "2023-06-18", "preset": preset})
    start = time.perf_counter()
    drivers = load_drivers(settings)
    driver_time = time.perf_counter() - start
    grid, shells = make_grids(settings)
    model = Model(settings, DriverFields(drivers, shells), grid, shells)
    metal = model.metals[0]
    begin, _ = run_period(settings)
    model.run_window(begin)  # compiles, and leaves real velocities behind
    cells = int(grid.active.sum()) * shells.levels
    word = model.dtype.itemsize
    step = settings.time_step
    ones = np.ones(model.shape, model.dtype)
    # Fields that a kernel must read and write once.
    kernels: dict[str, tuple[Callable[[], object], float, float]] = {
        "horizontal advection": (lambda: model.advect_horizontal(metal, ones.copy(), step, True, True), 6, 1),
        "vertical advection": (lambda: model.advect_vertical(metal, ones.copy(), step, True), 5, 1),
        "diffusion": (lambda: model.diffuse(step), 6, 1),
        "chemistry": (
            lambda: model.chemistry_step(begin, 120.0),
            2 * metal.reservoirs.shape[0] + metal.rates.shape[0] + 1,
            step / 120.0,
        ),
        "velocities": (lambda: model.update_coefficients(begin), 12 + metal.rates.shape[0] / 3, step / 600.0),
    }
    speed = bandwidth()
    print(f"\n{preset}: {cells / 1e6:.2f} million cells, {settings.precision}, {numba.get_num_threads()} threads")
    print(f"copy bandwidth {speed / 1e9:.1f} GB/s; drivers {driver_time:.1f} s (0 to 2 s when cached)")
    print(f"{'kernel':>22} {'ms':>9} {'Mcells/s':>9} {'floor ms':>9} {'x floor':>8} {'per step':>9}")
    total = 0.0
    for name, (work, fields, share) in kernels.items():
        spent = median_time(work)
        floor = fields * cells * word / speed
        total += spent * share
        print(f"{name:>22} {spent * 1e3:9.2f} {cells / spent / 1e6:9.1f} {floor * 1e3:9.2f} {spent / floor:8.1f} {share:9.2f}")
    plan = plan_run(settings)
    print(
        f"one step: {total * 1e3:.1f} ms, {total / cells * 1e9:.1f} ns per cell; {plan.steps} steps: {total * plan.steps:.0f} s"
    )
    report_output(model, settings, total * plan.steps)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"peak memory {peak / 1e9:.2f} GB; predicted {plan.memory / 1e9:.2f} GB")


def report_output(model: Model, settings: object, transport: float) -> None:
    """Time one output, with velocities."""
    import tempfile
    from pathlib import Path

    times, _ = output_times(settings)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder:
        output = PolarOutput(Path(folder) / "polar.zarr", model, times, times[:1])
        start = time.perf_counter()
        output.write(0)
        first = time.perf_counter() - start
        start = time.perf_counter()
        output.write(1)
        plain = time.perf_counter() - start
    whole = plain * len(times) + 2 * (first - plain)
    share = 100 * whole / (whole + transport)
    print(f"output: {plain:.2f} s an hour, {first:.2f} s with velocities; {whole:.0f} s a run, {share:.0f} % of it")


def main() -> None:
    """Measure the presets named, or all."""
    if len(sys.argv) > 1:
        measure(sys.argv[1])
        return
    for preset in ("quick", "standard", "paper"):
        subprocess.run([sys.executable, __file__, preset], check=True)


if __name__ == "__main__":
    main()
