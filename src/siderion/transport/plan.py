"""What a run will take, before it is run: cells, steps, memory, disk, time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from siderion.transport.grid import HALF_WIDTH, CapGrid, ShellGrid
from siderion.transport.model import WINDOW
from siderion.transport.settings import RunSettings, metal_network

NANOSECONDS_PER_CELL_STEP = 33.0
"""Measured with the Numba engine on two cores, see docs/performance.md; the time of a run is only a guide."""
COMPRESSION = 5.5
"""Size of the output before over after compression: 5.1 at 1 degree, 6.1 at 0.5, see docs/performance.md."""
DRIVER_SECONDS = 45.0
"""Time to build the drivers of a 36-hour run, measured likewise."""


@dataclass(frozen=True)
class Plan:
    """Size and cost of a run."""

    columns: int
    levels: int
    cells: int
    steps: int
    memory: float
    disk: float
    seconds: float

    def text(self) -> str:
        """The plan in words."""
        return (
            f"grid: {self.columns} columns x {self.levels} levels = {self.cells / 1e6:.2f} million cells\n"
            f"steps: at least {self.steps}\n"
            f"memory: about {self.memory / 1e9:.1f} GB\n"
            f"output: up to {self.disk / 1e6:.0f} MB before compression, about {self.disk / COMPRESSION / 1e6:.0f} MB after\n"
            f"time: about {self.seconds / 60:.0f} min on two cores (drivers included when they are not cached)"
        )


def make_grids(settings: RunSettings) -> tuple[CapGrid, ShellGrid]:
    """The native grid of the settings."""
    g = settings.grid
    cells = max(8, 2 * round(HALF_WIDTH / g.resolution))
    shells = ShellGrid.stretched(g.bottom, g.uniform_top, g.top, g.fine_step, g.coarse_step)
    return CapGrid(settings.hemisphere, cells, g.edge_latitude), shells


def plan_run(settings: RunSettings) -> Plan:
    """Work out what a run will take; writes nothing and runs nothing."""
    grid, shells = make_grids(settings)
    columns = int(grid.active.sum())
    stored = grid.cells**2 * shells.levels
    word = np.dtype(settings.precision).itemsize
    fields = 8.0  # background, electrons, metals, pseudo-volume and temporaries
    for name in settings.species:
        fields += 6.0
        network = metal_network(settings, name)
        if network is not None:
            fields += len(network.states) + len(network.edges)
    steps = int(np.ceil(settings.hours * 3600.0 / WINDOW) * np.ceil(WINDOW / settings.time_step))
    hours = (settings.hours if settings.output_spin_up else settings.hours - settings.spin_up) / settings.output_interval + 1
    days = max(1.0, np.ceil(hours * settings.output_interval / 24.0))
    step = settings.grid.resolution
    target = (90.0 - settings.grid.edge_latitude) / step * 360.0 / step * shells.levels
    disk = 4.0 * target * (len(settings.species) * (hours + 3 * days * len(settings.velocity_at)) + 3 * hours)
    seconds = columns * shells.levels * steps * NANOSECONDS_PER_CELL_STEP * 1e-9 * len(settings.species) + DRIVER_SECONDS
    memory = 1.1e9 + stored * word * fields + 8.0 * 4 * target
    return Plan(columns, shells.levels, columns * shells.levels, steps, memory, disk, seconds)
