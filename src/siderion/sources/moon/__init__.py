"""The Moon as a source of heavy ions: sputtering, exosphere, pick-up and the way to the Earth."""

from __future__ import annotations

from .average import mean_arrival_share
from .cycloid import PickupNumbers, cycloid, pickup_numbers
from .exosphere import impact_vapour_rate, lunar_exosphere
from .plasma import PlasmaState, get_plasma_state, plasma_states
from .results import compare_with_suleica, ldex_production, simulate_pickup
from .settings import PickupSettings
from .sputtering import element_share, regolith_composition, sputter_rate, sputter_yields, sputtered_flux
from .surfaces import arrival_surface, farris_russell_ratio
from .wake import wake_shape, wake_sweep

__all__ = [
    "PickupNumbers",
    "PickupSettings",
    "PlasmaState",
    "arrival_surface",
    "compare_with_suleica",
    "cycloid",
    "element_share",
    "farris_russell_ratio",
    "get_plasma_state",
    "impact_vapour_rate",
    "ldex_production",
    "lunar_exosphere",
    "mean_arrival_share",
    "pickup_numbers",
    "plasma_states",
    "regolith_composition",
    "simulate_pickup",
    "sputter_rate",
    "sputter_yields",
    "sputtered_flux",
    "wake_shape",
    "wake_sweep",
]
