"""Peaks of species as probabilities of bins, with the change of all peaks when their tail or width changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from siderion.core.constants import ATOMIC_MASS
from siderion.core.errors import SettingsError
from siderion.spectrometer.exposure_track import positive_ion
from siderion.spectrometer.instruments import Setup
from siderion.spectrometer.peaks import PeakShape, default_shape, exponential_distribution, peak_matrix

from .settings import MassPeak, default

Array = NDArray[np.float64]
_BINS_PER_WIDTH = 5.0
_STEP = 0.1


@dataclass(frozen=True)
class Templates:
    """Probabilities of bins.

    Attributes
    ----------
    species : tuple of str
        Species of the rows.
    peaks : array of shape (species, bin)
        Probability that a counted ion falls into a bin.
    changes : array of shape (nuisance, species, bin)
        Change of the peaks per relative change of their tail, and of their width.
    uncertainties : array of shape (nuisance,)
        Relative standard uncertainties of these two; those of 0 are left out.
    edges : array of shape (bin + 1,)
        Edges of the bins, amu per charge or s.
    """

    species: tuple[str, ...]
    peaks: Array
    changes: Array
    uncertainties: Array
    edges: Array


def mass_templates(species: Sequence[str], peak: MassPeak) -> Templates:
    """Peaks of a generic instrument along mass per charge.

    Bins are a fifth of the narrowest peak wide, from three peaks below the lightest species to ten tail lengths above the
    heaviest one.

    Parameters
    ----------
    species : sequence of str
        Positive ions.
    peak : MassPeak
        Shape.

    Returns
    -------
    Templates
        Edges in amu per charge.

    Raises
    ------
    SettingsError
        A species is not a positive ion, or one comes twice.
    """
    _distinct(species)
    ions = [positive_ion(name) for name in species]
    places = np.array([ion.mass / ATOMIC_MASS / ion.charge_number for ion in ions])
    sigma = places / peak.resolution / np.sqrt(8.0 * np.log(2.0))
    step = float(places.min()) / peak.resolution / _BINS_PER_WIDTH
    low, high = (
        places.min() * (1.0 - 3.0 / peak.resolution),
        places.max() * (1.0 + 3.0 / peak.resolution + 10.0 * peak.tail_length),
    )
    edges = np.linspace(max(low, 0.0), high, int(np.ceil((high - max(low, 0.0)) / step)) + 1)
    share = peak.tail_fraction

    def parts(width: float) -> tuple[Array, Array]:
        z = (edges - places[:, None]) / (sigma[:, None] * width)
        return np.diff(ndtr(z), axis=1), np.diff(
            exponential_distribution(z, (width * sigma / (places * peak.tail_length))[:, None]), axis=1
        )

    core, tail = parts(1.0)
    wide, narrow = ((1.0 - share) * c + share * t for c, t in (parts(1.0 + _STEP), parts(1.0 - _STEP)))
    changes = [(share * (tail - core), peak.tail_uncertainty), ((wide - narrow) / (2.0 * _STEP), peak.width_uncertainty)]
    return _templates(species, (1.0 - share) * core + share * tail, changes, edges)


def flight_time_templates(
    species: Sequence[str],
    setup: Setup,
    shape: PeakShape | None = None,
    tail_uncertainty: float | None = None,
    width_uncertainty: float | None = None,
) -> Templates:
    """Peaks of a named instrument along the time of flight, foil and fragments counted in.

    Parameters
    ----------
    species : sequence of str
        Positive ions.
    setup : Setup
        Instrument with its voltage and energy.
    shape : PeakShape, optional
        Shape of the peaks; that of straggling and electronics by default.
    tail_uncertainty, width_uncertainty : float, optional
        Relative standard uncertainties; those of the table ``design_defaults.csv`` by default.

    Returns
    -------
    Templates
        Edges in s.

    Raises
    ------
    SettingsError
        A species is not a positive ion or comes twice, or the instrument has no time axis.
    """
    _distinct(species)
    for name in species:
        positive_ion(name)
    chosen, edges = default_shape(setup) if shape is None else shape, setup.time_edges()
    middle = peak_matrix(species, edges, setup, chosen)
    changes = []
    for name, given in (("tail", tail_uncertainty), ("width", width_uncertainty)):
        value, uncertainty = getattr(chosen, name), default(f"{name}_uncertainty") if given is None else given
        more, less = (
            peak_matrix(species, edges, setup, chosen.with_values(**{name: value * f})) for f in (1.0 + _STEP, 1.0 - _STEP)
        )
        changes.append(((more - less) / (2.0 * _STEP), uncertainty))
    return _templates(species, middle, changes, edges)


def _templates(species: Sequence[str], peaks: Array, changes: list[tuple[Array, float]], edges: Array) -> Templates:
    kept = [(change, sigma) for change, sigma in changes if sigma > 0.0]
    stacked = np.array([change for change, _ in kept]).reshape(len(kept), *peaks.shape)
    return Templates(tuple(species), peaks, stacked, np.array([sigma for _, sigma in kept]), edges)


def _distinct(species: Sequence[str]) -> None:
    if len(species) < 2 or len(set(species)) != len(species):
        raise SettingsError(f"species are {', '.join(species) or 'none'}; give two or more different ions, such as Al+,Si+")
