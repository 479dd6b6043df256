"""The two cells of the convection, found in the electric potential of an output."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

CELL_SHARE = 0.3
"""A cell is where the potential exceeds this share of its extremum."""


def convection_cells(potential: NDArray) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Morning cell (positive potential) and evening cell (negative), (lat, lon): connected to their extremum.

    The convection has the potential maximum on the dawn side and the minimum on the dusk side, in both hemispheres for
    southward magnetic field.
    """
    cells = []
    for sign in (1.0, -1.0):
        high = sign * potential
        peak = np.unravel_index(np.argmax(high), high.shape)
        inside = high > CELL_SHARE * high[peak]
        doubled = np.concatenate([inside, inside], axis=1)  # so that a cell may cross the seam of longitude
        labels, _ = ndimage.label(doubled)
        width = inside.shape[1]
        wanted = {labels[peak[0], peak[1]], labels[peak[0], peak[1] + width]}
        found = np.isin(labels, list(wanted))
        cells.append((found[:, :width] | found[:, width:]) & inside)
    return cells[0], cells[1]
