"""Reaction and photo rates, metal networks, the linear implicit solver, ion-neutral collisions."""

from __future__ import annotations

from .collisions import collision_coefficient, ion_neutral_collision_frequency
from .implicit import effective_rate, equilibrium, implicit_euler_cell, implicit_euler_step
from .network import Edge, Network, build_network, first_order_rates, known_metals, sunlit_factor
from .reactions import Reaction, Temperatures, get_reaction, rate_coefficient, reaction_table, select_rate

__all__ = [
    "Edge",
    "Network",
    "Reaction",
    "Temperatures",
    "build_network",
    "collision_coefficient",
    "effective_rate",
    "equilibrium",
    "first_order_rates",
    "get_reaction",
    "implicit_euler_cell",
    "implicit_euler_step",
    "ion_neutral_collision_frequency",
    "known_metals",
    "rate_coefficient",
    "reaction_table",
    "select_rate",
    "sunlit_factor",
]
