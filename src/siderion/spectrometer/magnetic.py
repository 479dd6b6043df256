"""Magnetic analysers: behind the energy analyser, a field bends ions by their momentum per charge. There is no time axis.

The gyroradius is r = sqrt(2 (m/q) (E/q + U)) / B with m/q in kg C-1, so at one energy the position on the detector tells m/q,
and molecules arrive whole. The detector is taken to lie at the end of a field of length L: position x = r - sqrt(r^2 - L^2), or
all the way round where r < L (such ions do not reach it).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from siderion.core.constants import ELEMENTARY_CHARGE
from siderion.core.errors import SettingsError
from siderion.core.species import get_species

from .flight_time import total_energy
from .instruments import MAGNETIC, Setup

Array = NDArray[np.float64]


def gyroradius(species: str, setup: Setup) -> float:
    """Radius of the path of an ion in the field, m.

    Raises
    ------
    SettingsError
        The instrument has no magnet, or the species no charge.
    """
    instrument = setup.instrument
    if instrument.principle != MAGNETIC:
        raise SettingsError(f"{instrument.title} has no magnet; use siderion.spectrometer.peaks")
    ion = get_species(species)
    speed = np.sqrt(2.0 * total_energy(species, setup) * ELEMENTARY_CHARGE / ion.mass)
    return float(ion.mass * speed / (abs(ion.charge) * instrument.magnetic_field))


def deflection(species: str, setup: Setup) -> float:
    """Distance from the straight path at the end of the field, m; ``inf`` where the ion does not reach it."""
    radius, length = gyroradius(species, setup), setup.instrument.path_length
    return float("inf") if radius <= length else float(radius - np.sqrt(radius**2 - length**2))


def position_matrix(species: Sequence[str], edges_m: ArrayLike, setup: Setup, width: float | None = None) -> Array:
    """Probability that one counted ion of each species falls into each bin of position.

    Parameters
    ----------
    species : sequence of str
        Ions; molecules arrive whole.
    edges_m : array (edge,)
        Edges of the bins, m from the straight path, increasing.
    setup : Setup
        With a magnetic analyser.
    width : float, optional
        Standard deviation of the deflection divided by the deflection; from the mass resolution without it
        (x ~ (m/q)^(-1/2), so dx/x = dm / (2 m)).

    Returns
    -------
    array (species, bin)
        Rows sum to at most 1.
    """
    edges = np.asarray(edges_m, dtype=np.float64)
    if edges.ndim != 1 or edges.size < 2 or not (np.diff(edges) > 0.0).all():
        raise SettingsError("edges of the positions must increase")
    relative = 0.5 / (setup.instrument.mass_resolution * np.sqrt(8.0 * np.log(2.0))) if width is None else width
    rows = []
    for name in species:
        centre = deflection(name, setup)
        rows.append(np.diff(ndtr((edges - centre) / (relative * centre))) if np.isfinite(centre) else np.zeros(edges.size - 1))
    return np.array(rows).reshape(len(rows), edges.size - 1)
