"""What the lid of the paper's pole costs: a bell that crosses the pole, with the lid and with the closed pole.

dn/dt + div(v n) = 0 in solid rotation over the pole, as in the case of the sphere. The grid of Andoh et al. 2026 ends at
87.5 degrees, where the density beyond is the mean of the outermost ring (section 2): what flows in is lost, and what
flows out is the mean. The closed pole is an ordinary place of the grid.
"""

from __future__ import annotations

import numpy as np
from prescribed import THIN_SHELLS, build_model, cap, cell_means, error_norms, set_horizontal_velocity
from recording import check_recorded
from test_sphere_advection import RADIUS, SECONDS_PER_DEGREE, crossing


def cross_pole(resolution: float, radius: float, pole: str) -> dict[str, float]:
    """Carry a bell over the pole; largest and final content over that at the start, the unexplained rest, and the l1 norm."""
    grid = cap(resolution)
    model = build_model(grid, THIN_SHELLS, pole=pole)
    metal = model.metals[0]
    before, after, spin, duration = crossing(radius)
    set_horizontal_velocity(model, np.cross(spin, grid.centres) * RADIUS)
    metal.density[:] = cell_means(grid, before)
    start = model.content(metal)
    metal.budget.initial = start
    steps = round(duration / (SECONDS_PER_DEGREE * resolution))
    share = [1.0]
    for _ in range(steps):
        model.advect(metal, duration / steps)
        model.boundaries.hold(metal, model)
        model.steps_done += 1
        share.append(model.content(metal) / start)
    metal.budget.final = model.content(metal)
    return {
        "most": max(share),
        "end": share[-1],
        "residual": abs(metal.budget.residual) / start,
        "l1": error_norms(metal.density[2], cell_means(grid, after), grid.solid_angle)["l1"],
    }


def run(size: str) -> dict[str, float]:
    """Shares of the mass that are lost, for bells of 3, 5 and 15 degrees."""
    resolution = 0.5 if size == "full" else 1.0
    norms = {}
    for degrees in (3.0, 5.0, 15.0):
        for pole in ("paper", "closed"):
            result = cross_pole(resolution, np.radians(degrees), pole)
            norms[f"{degrees:g} deg bell, {pole} pole, part lost"] = 1.0 - result["end"]
            norms[f"{degrees:g} deg bell, {pole} pole, largest gain on the way"] = result["most"] - 1.0
            norms[f"{degrees:g} deg bell, {pole} pole, unexplained part"] = result["residual"]
            norms[f"{degrees:g} deg bell, {pole} pole, l1"] = result["l1"]
    return norms


def test_lid() -> None:
    """The closed pole loses nothing; the lid takes a part of small bells away and spoils all of them; both are booked."""
    norms = check_recorded("lid", run)
    for name, value in norms.items():
        if "closed pole, part lost" in name:
            assert abs(value) < 1e-12, name
        if "unexplained" in name:
            assert value < 1e-12, name
    assert norms["3 deg bell, paper pole, part lost"] > 0.25
    assert norms["5 deg bell, paper pole, part lost"] > 0.1
    for degrees in (5, 15):
        assert norms[f"{degrees} deg bell, paper pole, l1"] > 3.0 * norms[f"{degrees} deg bell, closed pole, l1"]
