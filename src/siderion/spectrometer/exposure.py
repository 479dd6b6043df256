"""Expected counts: from a differential flux, or from the moments of drifting Maxwellian ions at a charged spacecraft.

The rate in an energy bin is j G e dE, with the differential flux j (m-2 s-1 sr-1 eV-1) averaged over the field of view, the
geometric factor G without the energy width (m2 sr) and the efficiency e; counts are that times the time and the share of it
in which the energy is looked at. Everything is SI, energies in eV.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from siderion.core.constants import BOLTZMANN, ELEMENTARY_CHARGE
from siderion.core.errors import CoverageError, SettingsError

from .instruments import Instrument

Array = NDArray[np.float64]
_NODES = 48
"""Gauss-Legendre nodes for the angle from the drift, in each of its parts."""
_NARROW = 12.0
"""Thermal widths beyond which a beam has no ions left (exp(-72))."""


def energy_edges(instrument: Instrument) -> Array:
    """Edges of the energy steps of an instrument, eV per charge, evenly spaced in the logarithm; shape (step + 1,).

    Raises
    ------
    CoverageError
        Range or number of the steps are not known.
    """
    low, high, steps = instrument.minimum_energy, instrument.maximum_energy, instrument.energy_steps
    if not (0.0 < low < high and steps > 0):
        raise CoverageError(
            f"{instrument.title}: energy range {low:g} to {high:g} eV/e with {steps} steps; give the edges of the energy bins"
        )
    return np.geomspace(low, high, steps + 1)


def sensitivity(instrument: Instrument, geometric_factor: float | None = None, efficiency: float | None = None) -> float:
    """Geometric factor times efficiency, m2 sr: that of the instrument, or the given ones.

    Raises
    ------
    CoverageError
        One of the two is neither known nor given.
    SettingsError
        One of them is not positive, or the efficiency exceeds 1.
    """
    factor = instrument.geometric_factor if geometric_factor is None else float(geometric_factor)
    share = instrument.efficiency if efficiency is None else float(efficiency)
    for name, value, option in (("geometric factor", factor, "--geometric-factor"), ("efficiency", share, "--efficiency")):
        if np.isnan(value):
            raise CoverageError(
                f"{instrument.title}: the {name} is not known; give it ({option}, or {name.replace(' ', '_')} in Python), "
                "or add it with its source to spectrometer/tables/instrument_values.csv"
            )
    if not 0.0 < factor < np.inf or not 0.0 < share <= 1.0:
        raise SettingsError(
            f"geometric factor is {factor:g} m2 sr and efficiency {share:g}; both must be positive, the efficiency at most 1"
        )
    return factor * share


def counts_from_flux(
    flux: ArrayLike,
    edges: ArrayLike,
    geometric_factor: float,
    time: ArrayLike,
    *,
    efficiency: ArrayLike = 1.0,
    duty_cycle: float = 1.0,
) -> Array:
    """Counts from a differential flux that is constant in every energy bin: j G e dE t d.

    Parameters
    ----------
    flux : array of shape (..., energy)
        Differential flux, m-2 s-1 sr-1 eV-1, averaged over the field of view.
    edges : array of shape (energy + 1,)
        Edges of the bins, eV.
    geometric_factor : float
        Without the energy width, m2 sr.
    time : array, broadcast to the leading dimensions of ``flux``
        Time, s.
    efficiency : array, broadcast to ``flux``
        Probability that an ion is counted.
    duty_cycle : float
        Share of the time in which an energy is looked at.

    Returns
    -------
    array of shape (..., energy)
        Expected counts.

    Raises
    ------
    SettingsError
        A flux is negative or missing, the edges do not rise, or another number cannot be.
    """
    bins, values = _rising(edges), np.asarray(flux, dtype=np.float64)
    if values.ndim == 0 or values.shape[-1] != len(bins) - 1:
        raise SettingsError(f"flux has shape {values.shape}; its last axis must hold the {len(bins) - 1} energy bins")
    if not (np.isfinite(values).all() and (values >= 0.0).all()):
        place = tuple(int(i) for i in np.argwhere(~(np.isfinite(values) & (values >= 0.0)))[0])
        raise SettingsError(f"flux is {values[place]} at {place}; it must be finite and not negative")
    return integrated_counts(values * np.diff(bins), geometric_factor * np.asarray(efficiency), time, duty_cycle)


def integrated_counts(flux: Array, sensitivity: ArrayLike, time: ArrayLike, duty_cycle: float = 1.0) -> Array:
    """Counts from fluxes that are integrated over the energy bins, m-2 s-1 sr-1; arguments as in `counts_from_flux`."""
    if not 0.0 < duty_cycle <= 1.0:
        raise SettingsError(f"duty cycle is {duty_cycle}; it must be above 0 and at most 1")
    factor, seconds = np.asarray(sensitivity, dtype=np.float64), np.asarray(time, dtype=np.float64)
    if not ((factor > 0.0).all() and np.isfinite(factor).all() and (seconds >= 0.0).all() and np.isfinite(seconds).all()):
        raise SettingsError(
            "geometric factor times efficiency must be positive, times must not be negative, all finite (SI units)"
        )
    return flux * factor * duty_cycle * seconds[..., None]


def mean_flux(
    edges: ArrayLike,
    density: ArrayLike,
    speed: ArrayLike,
    temperature: ArrayLike,
    mass: float,
    charge: float,
    potential: ArrayLike = 0.0,
) -> Array:
    """Flux of a drifting Maxwellian in energy bins, averaged over all directions (a field of view of the whole sky).

    The distribution is kept along the way to the spacecraft (Liouville), where an ion has lost q times the potential, so
    that j / E is constant. Directions turn on the way: with a potential the mean over all directions is that of ions that
    come from all sides alike, and an approximation for beams of an energy near q times the potential. The integrals over the
    bins are exact: a bin may be much wider than the beam.

    Parameters
    ----------
    edges : array of shape (energy + 1,)
        Edges of the bins, eV (not per charge).
    density, speed, temperature : array of shape (...)
        Number density, m-3; drift relative to the spacecraft, m s-1; temperature, K (0: a cold beam).
    mass, charge : float
        kg and C.
    potential : array of shape (...)
        Potential of the spacecraft, V; a positive one repels ions.

    Returns
    -------
    array of shape (..., energy)
        Integrals of the differential flux over the bins, m-2 s-1 sr-1. Over all energies and without potential it is n <v>
        / (4 pi): four times the one-sided flux n <v> / 4, over 4 pi.

    Raises
    ------
    SettingsError
        A density or temperature is negative or not finite, the edges do not rise, or cold ions at rest are attracted.

    References
    ----------
    Phase-space density along a path: Liouville's theorem; Whipple 1981, Rep. Prog. Phys. 44, 1197,
    doi:10.1088/0034-4885/44/11/002 (charged spacecraft).
    """
    bins = _rising(edges)
    n, u, t, volts = (part[..., None] for part in _moments(density, speed, temperature, potential))
    shift = 2.0 * charge * volts / mass
    v = np.sqrt(np.maximum(2.0 * ELEMENTARY_CHARGE * bins / mass + shift, np.maximum(shift, 0.0)))
    s = np.sqrt(BOLTZMANN * t / mass)
    cold = s <= 1e-9 * np.maximum(u, 1e-300)
    safe = np.where(cold, 1.0, s)
    warm = np.diff(_speed_integral(v, u, safe) - shift * _inverse_integral(v, u, safe), axis=-1)
    beam = (v[..., :-1] < u) & (u <= v[..., 1:])
    if (cold & (shift < 0.0) & (u**2 < -1e-12 * shift)).any():
        raise SettingsError(
            "cold ions at rest before a potential that attracts them: their flux has no bound; give a temperature"
        )
    one = np.where(beam, u - shift / np.where(cold & (u > 0.0), u, 1.0), 0.0)
    return n / (4.0 * np.pi) * np.maximum(np.where(cold, one, warm), 0.0)


def mean_flux_in_cone(
    edges: ArrayLike,
    density: float,
    drift: ArrayLike,
    temperature: float,
    mass: float,
    look: ArrayLike,
    half_angle: float,
    charge: float = 0.0,
    potential: float = 0.0,
) -> Array:
    """Flux of a drifting Maxwellian in energy bins, averaged over a cone of directions.

    As `mean_flux`, for ions whose velocity lies within a cone; ions are taken as not turned by the potential.

    Parameters
    ----------
    edges : array of shape (energy + 1,)
        Edges of the bins, eV.
    density, temperature : float
        m-3 and K; the temperature must be positive.
    drift : array of shape (3,)
        Drift of the ions relative to the spacecraft, m s-1.
    mass, charge : float
        kg and C.
    look : array of shape (3,)
        Direction the instrument looks to, same axes; it sees ions that fly against it.
    half_angle : float
        Half of the opening of the cone, degrees, above 0 to 180 (the whole sky).
    potential : float
        Potential of the spacecraft, V.

    Returns
    -------
    array of shape (energy,)
        Integrals of the differential flux over the bins, m-2 s-1 sr-1.

    Raises
    ------
    SettingsError
        A number cannot be, or the temperature is not positive.
    """
    bins, drift_vector = _rising(edges), np.asarray(drift, dtype=np.float64)
    axis = -np.asarray(look, dtype=np.float64)
    length, u = float(np.linalg.norm(axis)), float(np.linalg.norm(drift_vector))
    if not (0.0 < half_angle <= 180.0 and length > 0.0 and np.isfinite([length, u]).all() and 0.0 < temperature < np.inf):
        raise SettingsError(
            f"cone of {half_angle} degrees about {-axis}, temperature {temperature} K: the half angle must be above 0 and at "
            "most 180 degrees, the direction and the temperature not zero; take mean_flux for a cold beam"
        )
    s, opening = np.sqrt(BOLTZMANN * temperature / mass), np.radians(half_angle)
    between = 0.0 if u == 0.0 else float(np.arccos(np.clip(drift_vector @ axis / (u * length), -1.0, 1.0)))
    angle, weight = _angles(between, opening, s / u if u > 0.0 else np.inf)
    share = _azimuth_share(angle, between, opening)
    shift = 2.0 * charge * potential / mass
    v = np.sqrt(np.maximum(2.0 * ELEMENTARY_CHARGE * bins / mass + shift, max(shift, 0.0)))
    along = u * np.cos(angle)[:, None]
    integral = _cubic(v, along, s) - shift * _linear(v, along, s)
    height = np.exp(-0.5 * (u * np.sin(angle) / s) ** 2) * share * weight * 2.0 * np.pi * np.sin(angle)
    total = density / (2.0 * np.pi * s**2) ** 1.5 * (height[:, None] * np.diff(integral, axis=1)).sum(axis=0)
    return np.maximum(total, 0.0) / (2.0 * np.pi * (1.0 - np.cos(opening)))


def _angles(between: float, opening: float, width: float) -> tuple[Array, Array]:
    """Nodes and weights of the angle from the drift, split where the cone begins to cut circles and where the beam ends."""
    end = np.pi if not np.isfinite(width) else min(np.pi, _NARROW * width)
    cuts = [0.0, end, abs(between - opening), between + opening, 2.0 * np.pi - between - opening]
    cuts += [end * part for part in (0.1, 0.3)]
    ends = np.unique([min(cut, end) for cut in cuts if cut >= 0.0])
    node, weight = np.polynomial.legendre.leggauss(_NODES)
    half, middle = 0.5 * np.diff(ends)[:, None], 0.5 * (ends[1:] + ends[:-1])[:, None]
    return (middle + half * node).ravel(), (half * weight).ravel()


def _azimuth_share(angle: Array, between: float, opening: float) -> Array:
    """Share of the circle at an angle from the drift that lies within the cone."""
    denominator = np.sin(angle) * np.sin(between)
    numerator = np.cos(opening) - np.cos(angle) * np.cos(between)
    inside = (numerator <= 0.0).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = np.where(np.abs(denominator) > 1e-14, numerator / denominator, np.nan)
    return np.where(np.isnan(cosine), inside, np.arccos(np.clip(np.nan_to_num(cosine, nan=1.0), -1.0, 1.0)) / np.pi)


def _gauss_moments(v: Array, w: Array, s: Array | float) -> tuple[Array, Array, Array, Array]:
    """Integrals of (v - w)^k exp(-(v - w)^2 / 2 s^2) up to v, for k = 0 to 3, each up to a constant."""
    y = v - w
    bell = np.exp(-0.5 * (y / s) ** 2)
    square = np.asarray(s) ** 2
    zeroth = s * np.sqrt(0.5 * np.pi) * special.erf(y / (np.sqrt(2.0) * s))
    return zeroth, -square * bell, square * (zeroth - y * bell), -square * bell * (y**2 + 2.0 * square)


def _cubic(v: Array, w: Array, s: Array | float) -> Array:
    m0, m1, m2, m3 = _gauss_moments(v, w, s)
    return w**3 * m0 + 3.0 * w**2 * m1 + 3.0 * w * m2 + m3


def _linear(v: Array, w: Array, s: Array | float) -> Array:
    m0, m1, _, _ = _gauss_moments(v, w, s)
    return w * m0 + m1


def _speed_integral(v: Array, u: Array, s: Array) -> Array:
    """Integral of v times the density of speeds, up to v and a constant."""
    slow = u < 1e-5 * s
    safe = np.where(slow, s, u)
    parts = []
    for w in (safe, -safe):
        m0, m1, m2, _ = _gauss_moments(v, w, s)
        parts.append(w**2 * m0 + 2.0 * w * m1 + m2)
    fast = (parts[0] - parts[1]) / (safe * s * np.sqrt(2.0 * np.pi))
    return np.where(slow, np.sqrt(2.0 / np.pi) / s**3 * _cubic(v, np.zeros_like(u), s), fast)


def _inverse_integral(v: Array, u: Array, s: Array) -> Array:
    """Integral of the density of speeds over v, up to v and a constant."""
    slow = u < 1e-5 * s
    safe = np.where(slow, s, u)
    fast = (_gauss_moments(v, safe, s)[0] - _gauss_moments(v, -safe, s)[0]) / (safe * s * np.sqrt(2.0 * np.pi))
    return np.where(slow, np.sqrt(2.0 / np.pi) / s**3 * _linear(v, np.zeros_like(u), s), fast)


def _moments(*values: ArrayLike) -> list[Array]:
    arrays = [np.asarray(part, dtype=np.float64) for part in np.broadcast_arrays(*values)]
    for name, array, least in zip(
        ("density", "speed", "temperature", "potential"), arrays, (0.0, 0.0, 0.0, -np.inf), strict=True
    ):
        if not (np.isfinite(array).all() and (array >= least).all()):
            bad = array[~(np.isfinite(array) & (array >= least))].ravel()[0]
            raise SettingsError(f"{name} is {bad}; it must be finite{'' if least else ' and not negative'} (SI units)")
    return arrays


def _rising(edges: ArrayLike) -> Array:
    bins = np.asarray(edges, dtype=np.float64)
    if bins.ndim != 1 or len(bins) < 2 or not (np.isfinite(bins).all() and (np.diff(bins) > 0.0).all() and bins[0] >= 0.0):
        raise SettingsError(f"energy edges are {bins}; at least two finite, rising numbers that are not negative are needed (eV)")
    return bins
