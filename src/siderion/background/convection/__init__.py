"""Convection electric potential of the high latitudes: Swarm Hi-C (default), Heelis 1982, Weimer 2005.

All three share one interface, `ConvectionModel`: ``potential`` and ``gradient`` at magnetic latitudes and
local times.
"""

from __future__ import annotations

from .grid import ConvectionModel, potential_grid
from .heelis import Heelis, cross_polar_potential, heelis
from .swipe import Swipe, swipe
from .weimer import Weimer2005, weimer2005

__all__ = [
    "ConvectionModel",
    "Heelis",
    "Swipe",
    "Weimer2005",
    "cross_polar_potential",
    "heelis",
    "potential_grid",
    "swipe",
    "weimer2005",
]
