"""The Swarm Hi-C potential: the cross-polar potential of two reference conditions, the dusk cell, the electric field.

Hatch et al. 2024 (doi:10.5194/angeo-42-229-2024), coefficients 0401. Cross-polar potential 76.2 kV for (By, Bz, V, tilt,
F10.7) = (-2.8, -3, 412, 24, 164) and 48.4 kV for (2, -2, 330, 20, 128), from an independent evaluation of the published
coefficients; minimum near 17 to 18 h of magnetic local time; largest meridional field at 110 km of 33 to 44 mV/m.
"""

from __future__ import annotations

import numpy as np
from recording import check_recorded

from siderion.background.convection import swipe
from siderion.core.constants import EARTH_RADIUS

CONDITIONS = {"June 2023": (-2.8, -3.0, 412.0, 24.0, 164.0), "weak": (2.0, -2.0, 330.0, 20.0, 128.0)}
EXPECTED = {"June 2023": 76.2, "weak": 48.4}  # kV


def run(size: str) -> dict[str, float]:
    """Cross-polar potential, place of the extrema, largest field, and the gradient against differences."""
    step = 0.25 if size == "full" else 0.5
    latitude = np.arange(47.0, 90.0 + step / 2.0, step)[:, None]
    local_time = np.arange(0.0, 24.0, step / 2.0)
    norms: dict[str, float] = {}
    for name, conditions in CONDITIONS.items():
        model = swipe(*conditions, "north")
        potential = model.potential(latitude, local_time)
        low = np.unravel_index(potential.argmin(), potential.shape)
        high = np.unravel_index(potential.argmax(), potential.shape)
        along, _ = model.gradient(latitude, local_time)
        nudge = 1e-3
        inner = latitude[4:-4]
        slope = model.potential(inner - nudge, local_time) - model.potential(inner + nudge, local_time)
        error = np.abs(slope / np.radians(2.0 * nudge) - along[4:-4]).max() / np.abs(along).max()
        norms[f"{name}, cross-polar potential, kV"] = float(np.ptp(potential)) / 1e3
        norms[f"{name}, local time of the minimum, h"] = float(local_time[low[1]])
        norms[f"{name}, latitude of the minimum"] = float(latitude[low[0], 0])
        norms[f"{name}, local time of the maximum, h"] = float(local_time[high[1]])
        norms[f"{name}, largest meridional field at 110 km, mV/m"] = 1e3 * float(np.abs(along).max()) / (EARTH_RADIUS + 110e3)
        norms[f"{name}, gradient against differences below 1e-5"] = float(error < 1e-5)
    return norms


def test_swipe_potential() -> None:
    """The published potentials within 0.1 kV, the minimum at dusk, the field within its range."""
    norms = check_recorded("swipe_potential", run)
    for name, expected in EXPECTED.items():
        assert abs(norms[f"{name}, cross-polar potential, kV"] - expected) < 0.1
        assert 17.0 <= norms[f"{name}, local time of the minimum, h"] <= 18.0
        assert 33.0 <= norms[f"{name}, largest meridional field at 110 km, mV/m"] <= 44.0
        assert norms[f"{name}, gradient against differences below 1e-5"] == 1.0
