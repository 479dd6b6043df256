"""Boundaries that hold densities, the lid of the paper's pole, and a neutral metal that is held. All is booked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from siderion.transport.grid import CapGrid
from siderion.transport.settings import RunSettings

if TYPE_CHECKING:
    from siderion.transport.model import Metal, Model

LID_LATITUDE = 87.5
"""Where the grid of Andoh et al. 2026 ends; beyond, it takes the mean density of the outermost ring."""


class Boundaries:
    """What is held fixed during a run, worked out once from the settings."""

    def __init__(self, settings: RunSettings, grid: CapGrid) -> None:
        kinds = settings.boundaries
        self.levels = [k for k, kind in ((0, kinds.bottom), (-1, kinds.top)) if kind == "fixed"]
        self.edge = edge_ring(grid.active) if kinds.edge == "fixed" else None
        lid = settings.grid.pole == "paper"
        self.lid = np.abs(grid.latitude) > LID_LATITUDE if lid else None
        spacing = np.degrees(grid.smallest_width)
        ring = (np.abs(grid.latitude) <= LID_LATITUDE) & (np.abs(grid.latitude) > LID_LATITUDE - 1.5 * spacing)
        self.ring = ring if lid else None
        self.neutral_fixed = settings.chemistry.neutral == "fixed"

    def hold(self, metal: Metal, model: Model) -> None:
        """Put held cells back to their initial density and fill the lid; book the change."""
        if not self.levels and self.edge is None and self.lid is None:
            return
        density = metal.density
        before = model.content(metal)
        for k in self.levels:
            density[k] = metal.initial[0][k]
        if self.edge is not None:
            density[:, self.edge] = metal.initial[0][:, None]
        middle = model.content(metal)
        metal.budget.held_boundaries += middle - before
        if self.lid is not None and self.ring is not None:
            density[:, self.lid] = density[:, self.ring].mean(axis=1)[:, None]
            metal.budget.through_lid += model.content(metal) - middle

    def held_neutrals(self, metal: Metal) -> NDArray | None:
        """Density of the neutral atom when it is held fixed, to be put back after the reactions."""
        index = neutral_index(metal)
        return metal.reservoirs[index].copy() if self.neutral_fixed and index is not None else None

    def reset_neutrals(self, metal: Metal, held: NDArray | None, model: Model) -> None:
        """Put a fixed neutral density back; books the change."""
        index = neutral_index(metal)
        if held is not None and index is not None:
            before = model.content(metal, index)
            metal.reservoirs[index] = held
            metal.atoms.held_neutral += model.content(metal, index) - before


def neutral_index(metal: Metal) -> int | None:
    """Index of the neutral atom among the states of a metal, if it is one."""
    if metal.network is None or metal.ion.neutral_name not in metal.network.states:
        return None
    return metal.network.states.index(metal.ion.neutral_name)


def edge_ring(active: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Active cells that touch an inactive cell or the side of the square."""
    padded = np.pad(active, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return active & ~inner
