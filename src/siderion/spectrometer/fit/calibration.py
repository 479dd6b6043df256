"""Calibration intervals: histograms of one known species, such as O+ alone, which fix the shape of all peaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from siderion.core.errors import DataError
from siderion.spectrometer.instruments import Setup

from .settings import FitSettings
from .shape import Channel

TAIL_ERROR = {False: 0.15, True: 0.05}
"""Relative error of the tail model without and with a calibration; measured against the Monte Carlo of the foil."""
SMALLEST = 100.0
"""Fewest counts of a calibration interval."""


def calibration_channel(
    counts: ArrayLike, edges: ArrayLike, setup: Setup, species: str = "O+", background: float | None = None
) -> Channel:
    """Histogram of a calibration interval as a further channel of the likelihood.

    It shares width, tail and time scale with the spectrum that is fitted, and has an amplitude and a background of its own. So
    its likelihood is the prior on the shape, whatever form that has.

    Parameters
    ----------
    counts : array of shape (bin,)
    edges : array of shape (bin + 1,)
        s.
    setup : Setup
        State of the instrument during the interval.
    species : str
        The only species in it.
    background : float, optional
        Events per bin; fitted without it.

    Raises
    ------
    DataError
        There are fewer than 100 counts.
    """
    values = np.asarray(counts, dtype=float)
    if values.sum() < SMALLEST:
        raise DataError(f"the calibration interval has {values.sum():g} counts; {SMALLEST:g} at least are needed to fix a shape")
    return Channel(values, np.asarray(edges, dtype=float), (species,), setup, background)


def tail_error(settings: FitSettings, calibrated: bool) -> float:
    """Relative error of the tail of one species below the peak of another."""
    return TAIL_ERROR[calibrated] if settings.tail_error is None else settings.tail_error
