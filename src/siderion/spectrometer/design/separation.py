"""What separates two species: counts, mass resolution, geometric factor and time at a chosen confidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from siderion.core.errors import SettingsError

from .detection import first_root, median_significance, mixed_case
from .drawn import FEW, Case, with_drawn_power
from .settings import Demand, MassPeak
from .templates import Templates, mass_templates

Array = NDArray[np.float64]
_LARGEST_COUNTS = 10.0
"""Counts of the major species that are looked through, powers of ten."""
_LARGEST_RESOLUTION = 1e4


def counts_needed(
    templates: Templates, fraction: float, demand: Demand | None = None, background_share: float = 0.0, others: float = 0.0
) -> float:
    """Counts of the major (first) species at which the minor (last) one is detected with the demanded confidence and power.

    From the median significance of the fit; where that gives fewer than 1000 counts of the minor species, from drawn spectra (see
    `siderion.spectrometer.design.drawn`).

    Parameters
    ----------
    templates : Templates
        Major species first, minor species last.
    fraction : float
        Counts of the minor species over those of the major one.
    demand : Demand, optional
        Confidence and power.
    background_share : float
        Background of all bins together over the counts of the major species.
    others : float
        Counts of each species between the two over those of the major one.

    Returns
    -------
    float
        Infinite where the uncertainty of the tail hides the species at any number of counts.

    Raises
    ------
    SettingsError
        The fraction is not positive, or the share of the background is negative.
    """
    if not 0.0 < fraction < np.inf or not 0.0 <= background_share < np.inf:
        raise SettingsError(
            f"fraction is {fraction} and background {background_share}; they must be positive, the background perhaps 0"
        )
    wanted, bins = Demand() if demand is None else demand, templates.peaks.shape[1]

    def excess(logarithm: float) -> float:
        n = 10.0**logarithm
        return median_significance(templates, n, fraction, background_share * n / bins, others) - wanted.needed

    def case_of(n: float) -> Case:
        return mixed_case(templates, n, fraction, background_share * n / bins, others)

    found = float(10.0 ** first_root(excess, -1.0, _LARGEST_COUNTS))
    return with_drawn_power(case_of, found, wanted, 10.0**_LARGEST_COUNTS) if found * fraction < FEW else found


def counts_to_tell_apart(templates: Templates, demand: Demand | None = None) -> float:
    """Counts at which ions of one species alone are told from the same number of the other one, whichever it is.

    With known peaks p and q the expected logarithm of the likelihood ratio per count is sum p ln(p / q); the square root of
    twice its sum is the significance. The harder of the two directions is given.

    Parameters
    ----------
    templates : Templates
        Two species.
    demand : Demand, optional
        Confidence and power.

    Returns
    -------
    float
        Counts; at least -ln(1 - power), so that there is one.
    """
    wanted = Demand() if demand is None else demand
    p, q = (np.maximum(row, 1e-30) / max(row.sum(), 1e-30) for row in (templates.peaks[0], templates.peaks[-1]))
    information = min(float(xlogy(p, p / q).sum()), float(xlogy(q, q / p).sum()))
    seen = -np.log1p(-wanted.power)
    return float("inf") if information <= 0.0 else max(wanted.needed**2 / (2.0 * information), seen)


def resolution_needed(
    species: tuple[str, ...],
    fraction: float,
    major_counts: float,
    peak: MassPeak,
    demand: Demand | None = None,
    others: float = 0.0,
) -> float:
    """Smallest m/dm of a generic instrument at which the minor (last) species is detected beside the major (first) one.

    Parameters
    ----------
    species : tuple of str
        Major species, others that are fitted too, minor species.
    fraction, major_counts : float
        Counts of the minor over the major species, and counts of the major species.
    peak : MassPeak
        Shape of the peaks; its resolution is not used.
    demand : Demand, optional
        Confidence and power.
    others : float
        Counts of each species between the two over those of the major one.

    Returns
    -------
    float
        m/dm; NaN where 10 000 is not enough (too few counts, or a tail too uncertain), 1 where any is.
    """
    wanted = Demand() if demand is None else demand
    if major_counts * fraction < -np.log1p(-wanted.power):
        return float("nan")

    def templates_of(resolution: float) -> Templates:
        return mass_templates(species, replace(peak, resolution=resolution))

    def excess(logarithm: float) -> float:
        return median_significance(templates_of(10.0**logarithm), major_counts, fraction, 0.0, others) - wanted.needed

    found = float(10.0 ** first_root(excess, 0.0, np.log10(_LARGEST_RESOLUTION), step=0.25))
    if 1.0 < found < _LARGEST_RESOLUTION and major_counts * fraction < FEW:
        found = with_drawn_power(
            lambda r: mixed_case(templates_of(r), major_counts, fraction, 0.0, others), found, wanted, _LARGEST_RESOLUTION
        )
    return max(found, 1.0) if np.isfinite(found) else float("nan")


def time_needed(counts: float, flux: float, energy_width: float, sensitivity: float, duty_cycle: float = 1.0) -> float:
    """Time in which counts come in, s: N / (j dE G e d).

    Parameters
    ----------
    counts : float
        Needed counts of the major species.
    flux : float
        Differential flux of it, m-2 s-1 sr-1 eV-1, mean over the energies and the field of view.
    energy_width : float
        Width of the energies, eV.
    sensitivity : float
        Geometric factor times efficiency, m2 sr.
    duty_cycle : float
        Share of the time in which an energy is looked at.

    Raises
    ------
    SettingsError
        A number is not positive.
    """
    for name, value in (("flux", flux), ("energy width", energy_width), ("sensitivity", sensitivity), ("duty cycle", duty_cycle)):
        if not 0.0 < value < np.inf:
            raise SettingsError(f"{name} is {value}; it must be positive and finite (SI units, eV)")
    if not counts >= 0.0:
        raise SettingsError(f"counts are {counts}; they must not be negative")
    return counts / (flux * energy_width * sensitivity * duty_cycle)


def geometric_factor_needed(
    counts: float, flux: float, energy_width: float, time: float, efficiency: float = 1.0, duty_cycle: float = 1.0
) -> float:
    """Geometric factor with which counts come in within a time, m2 sr: N / (j dE e d t); arguments as in `time_needed`."""
    if not 0.0 < time < np.inf:
        raise SettingsError(f"time is {time} s; it must be positive and finite")
    return time_needed(counts, flux, energy_width, efficiency, duty_cycle) / time
