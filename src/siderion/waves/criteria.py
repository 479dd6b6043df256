"""What the averaged spectrum of a window says about the waves of one ion, and which criteria it meets.

Band, ellipticity, degree of polarisation and the place of the maximum follow Lammer et al. 2025, section 2 (after Schmid et
al. 2022); where the text can be read in several ways, `CriteriaSettings` names the reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

from . import polarization
from .plans import WaveIon, gyrofrequency
from .polarization import Real
from .settings import CriteriaSettings, SpectrumSettings
from .spectra import WindowSpectra, independent_bins

_LITERAL_LOWER = 0.8
"""Lower end of the band, in units of fc - dfc: Lammer et al. 2025, equation (4)."""


_DISTANT = 1.7
"""Ratio of gyrofrequencies from which the skirt of one wave does not reach the band of another."""


class Rejection(IntFlag):
    """Why a window is no detection; 0 is a detection."""

    INSUFFICIENT_DATA = 1
    UNRESOLVED = 2
    FIELD_UNSTEADY = 4
    WRONG_HANDEDNESS = 8
    LOW_POLARIZATION = 16
    MAXIMUM_OUTSIDE_BAND = 32
    COMPRESSIVE = 64
    WEAK = 128
    FIXED_LINE = 256
    DOES_NOT_TRACK_FIELD = 512
    FORESHOCK = 1024
    OUTSIDE_REGION = 2048
    BELOW_GYROFREQUENCY = 4096
    SINGLE_WINDOW = 8192


MEANINGS = {
    Rejection.INSUFFICIENT_DATA: "too many gaps, or the window does not fit between two",
    Rejection.UNRESOLVED: "the cadence or the longest window does not resolve the ion",
    Rejection.FIELD_UNSTEADY: "strength or direction of the field vary too much in the window",
    Rejection.WRONG_HANDEDNESS: "not polarised in the sense of the ion's gyration",
    Rejection.LOW_POLARIZATION: "degree of polarisation too low",
    Rejection.MAXIMUM_OUTSIDE_BAND: "the maximum of the whitened power across B lies outside the band",
    Rejection.COMPRESSIVE: "power along B not below that across: mirror mode or other compression",
    Rejection.WEAK: "too little power above the background",
    Rejection.FIXED_LINE: "a line of fixed frequency, such as a spin tone, stands in the band",
    Rejection.DOES_NOT_TRACK_FIELD: "the frequency does not follow the strength of the field",
    Rejection.FORESHOCK: "on a field line to the bow shock, at a frequency of foreshock waves",
    Rejection.OUTSIDE_REGION: "outside the region that was asked for",
    Rejection.BELOW_GYROFREQUENCY: "a wave of the sense of the ion below the band: temperature anisotropy or a heavier ion",
    Rejection.SINGLE_WINDOW: "no neighbouring window meets the criteria",
}
"""Words for every reason."""

NO_SPECTRUM = Rejection.INSUFFICIENT_DATA | Rejection.UNRESOLVED
"""Reasons that leave no spectrum to measure."""


@dataclass(frozen=True)
class BandMeasures:
    """Measures of windows for one ion; every array has the shape (n_window,).

    Frequencies in Hz, powers in T2 integrated over the band, angles in degrees. ``ellipticity``, ``polarization_degree``,
    ``polarization_degree_3d``, ``wave_normal_angle`` (Means), ``wave_normal_angle_svd`` and ``planarity`` are those of the
    matrix that is averaged over the segments and summed over the three frequencies about the maximum of the band, or over the
    band (`CriteriaSettings.polarization_over`); a matrix of one segment and one frequency would have a degree of 1 always.
    ``background`` is the power across B that a power law through the surroundings gives in the band, ``peak_frequency`` that of
    the largest ratio of the power across B to that law. ``degrees_of_freedom`` belongs to the power across B.
    """

    gyrofrequency: Real
    gyrofrequency_spread: Real
    band_lower: Real
    band_upper: Real
    bins_in_band: NDArray[np.int64]
    power_parallel: Real
    power_perpendicular: Real
    background: Real
    signal_to_noise: Real
    ellipticity: Real
    polarization_degree: Real
    polarization_degree_3d: Real
    wave_normal_angle: Real
    wave_normal_angle_svd: Real
    planarity: Real
    peak_frequency: Real
    peak_ellipticity: Real
    peak_polarization_degree: Real
    degrees_of_freedom: Real


def empty_measures(number: int) -> BandMeasures:
    """Measures of windows that have no spectrum: NaN, and no frequency in the band."""
    values = {field.name: np.full(number, np.nan) for field in fields(BandMeasures)}
    return BandMeasures(**{**values, "bins_in_band": np.zeros(number, dtype=np.int64)})  # type: ignore[arg-type]


def measure_band(
    spectra: WindowSpectra,
    ion: WaveIon,
    criteria: CriteriaSettings,
    estimator: SpectrumSettings,
    free: NDArray[np.bool_],
    others: Sequence[WaveIon] = (),
) -> BandMeasures:
    """Measure the waves of an ion in the spectra of windows.

    Parameters
    ----------
    spectra : WindowSpectra
        Spectra of the windows.
    ion : WaveIon
        The ion.
    criteria : CriteriaSettings
        Band and range of the search.
    estimator : SpectrumSettings
        How the spectra were made.
    free : ndarray of bool, shape (n_frequency,)
        Frequencies that may be used: false where a fixed line stands.
    others : sequence of WaveIon
        Other ions that are sought. The bands of those whose gyrofrequency differs by a factor of 1.7 at least do not count for
        the maximum, so that H2+ does not hide H+; nearer ones must be told apart by it.
    """
    fc = gyrofrequency(ion, spectra.strength)
    spread = gyrofrequency(ion, spectra.strength_spread)
    lower, upper = band_edges(fc, spread, spectra.resolution, ion, criteria)
    f = spectra.frequency[None, :]
    inside = (f >= lower[:, None]) & (f <= upper[:, None]) & free
    low, high = ion.spread
    near = (f >= criteria.search_lower * low * fc[:, None]) & (f <= criteria.search_upper * high * fc[:, None]) & free
    sought = near.copy()
    for other in others:
        apart = other.charge_to_mass / ion.charge_to_mass
        if max(apart, 1.0 / apart) < _DISTANT:
            continue
        from_, to = band_edges(gyrofrequency(other, spectra.strength), gyrofrequency(other, spectra.strength_spread),
                               spectra.resolution, other, criteria)  # fmt: skip
        sought &= inside | (f < from_[:, None]) | (f > to[:, None])
    across = polarization.power_across(spectra.matrices)
    guard = 2.0 * spectra.resolution
    outside = near & ((f < lower[:, None] - guard) | (f > upper[:, None] + guard))
    law = background_law(spectra.frequency, across, outside, spectra.averages)
    whitened = np.divide(across, law, out=np.zeros_like(across), where=law > 0.0)
    peak = np.argmax(np.where(sought, whitened, -1.0), axis=1)
    band = _sum(spectra, inside)
    top = _sum(spectra, _about(spectra, peak) & free)
    wave = band
    if criteria.polarization_over == "maximum":
        wave = _sum(spectra, _about(spectra, np.argmax(np.where(inside, whitened, -1.0), axis=1)) & free)
    total = polarization.power_across(band) * spectra.resolution
    noise = np.sum(law * inside, axis=1) * spectra.resolution
    normal, planarity = polarization.wave_normal_svd(wave)
    bins = inside.sum(axis=1)
    return BandMeasures(
        gyrofrequency=fc,
        gyrofrequency_spread=spread,
        band_lower=lower,
        band_upper=upper,
        bins_in_band=bins,
        power_parallel=polarization.power_along(band) * spectra.resolution,
        power_perpendicular=total,
        background=noise,
        signal_to_noise=np.divide(total - noise, noise, out=np.full_like(total, np.nan), where=noise > 0.0),
        ellipticity=polarization.ellipticity(wave),
        polarization_degree=polarization.polarization_degree_2d(wave),
        polarization_degree_3d=polarization.polarization_degree_3d(wave),
        wave_normal_angle=polarization.angle_to_field(polarization.wave_normal_means(wave)),
        wave_normal_angle_svd=polarization.angle_to_field(normal),
        planarity=planarity,
        peak_frequency=_refined(spectra.frequency, whitened, peak),
        peak_ellipticity=polarization.ellipticity(top),
        peak_polarization_degree=polarization.polarization_degree_2d(top),
        degrees_of_freedom=2.0 * spectra.averages * independent_bins(bins, estimator),
    )


def _about(spectra: WindowSpectra, peak: NDArray[np.intp]) -> NDArray[np.bool_]:
    """The three frequencies about one of each window."""
    return np.abs(np.arange(len(spectra.frequency))[None, :] - peak[:, None]) <= 1


def _sum(spectra: WindowSpectra, where: NDArray[np.bool_]) -> polarization.Matrix:
    """Matrices summed over some frequencies of each window."""
    return np.einsum("wf,wfij->wij", where.astype(np.float64), spectra.matrices)


def band_edges(fc: Real, spread: Real, resolution: float, ion: WaveIon, criteria: CriteriaSettings) -> tuple[Real, Real]:
    """Ends of the band, Hz: 0.8 (fc - dfc) to fc + dfc (Lammer et al. 2025, equation 4), from the heaviest to the lightest.

    The band ``widened`` adds ``band_margin`` times the resolution above: the main lobe of the taper spreads a wave at fc so
    far, and the literal band cuts half of it in a steady field.
    """
    margin = criteria.band_margin * resolution if criteria.band == "widened" else 0.0
    low, high = ion.spread
    return _LITERAL_LOWER * low * np.maximum(fc - spread, 0.0), high * (fc + spread) + margin


def background_law(frequency: Real, power: Real, where: NDArray[np.bool_], averages: Real) -> Real:
    """Power law through the power at some frequencies of each window, shape (n_window, n_frequency).

    Least squares of the logarithms, twice: the second time without what stands four times above the first. The mean of the
    logarithm of a chi-square variable is below the logarithm of its mean; that is allowed for. With fewer than four
    frequencies the law is flat, at the mean logarithm of those there are; NaN without any.
    """
    x = np.log(frequency)[None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.log(power)
    usable = where & np.isfinite(y)
    y = np.where(usable, y, 0.0)
    law = _fit_line(x, y, usable)
    usable &= y < law + np.log(4.0)
    law = _fit_line(x, y, usable)
    shape = np.maximum(2.0 * averages, 1.0)  # two components across B, each with 2 degrees of freedom per average
    bias = digamma(shape) - np.log(shape)
    return np.exp(law - bias[:, None])


def _fit_line(x: Real, y: Real, usable: NDArray[np.bool_]) -> Real:
    weight = usable.astype(np.float64)
    number = weight.sum(axis=1, keepdims=True)
    few = number < 4.0
    safe = np.maximum(number, 1.0)
    x0, y0 = (weight * x).sum(axis=1, keepdims=True) / safe, (weight * y).sum(axis=1, keepdims=True) / safe
    variance = (weight * (x - x0) ** 2).sum(axis=1, keepdims=True)
    covariance = (weight * (x - x0) * (y - y0)).sum(axis=1, keepdims=True)
    slope = np.divide(covariance, variance, out=np.zeros_like(variance), where=(variance > 0.0) & ~few)
    return np.where(number > 0.0, y0 + slope * (x - x0), np.nan)


def _refined(frequency: Real, whitened: Real, peak: NDArray[np.intp]) -> Real:
    """Frequency of the maximum from a parabola through the logarithms of three neighbours."""
    inner = np.clip(peak, 1, len(frequency) - 2)
    rows = np.arange(len(peak))
    with np.errstate(divide="ignore", invalid="ignore"):
        left, top, right = (np.log(whitened[rows, inner + shift]) for shift in (-1, 0, 1))
        shift = 0.5 * (left - right) / (left - 2.0 * top + right)
    shift = np.where(np.isfinite(shift) & (np.abs(shift) <= 0.5) & (inner == peak), shift, 0.0)
    return frequency[peak] + shift * (frequency[1] - frequency[0])


def judge(measures: BandMeasures, spectra: WindowSpectra, ion: WaveIon, criteria: CriteriaSettings) -> NDArray[np.int32]:
    """Reasons against a wave of the ion in each window, as a sum of `Rejection`."""
    m, sense = measures, float(ion.handedness)
    degree = m.polarization_degree if criteria.polarization_dimensions == 2 else m.polarization_degree_3d
    in_band = (m.peak_frequency >= m.band_lower) & (m.peak_frequency <= m.band_upper)
    below = (
        (m.peak_frequency < m.band_lower)
        & (sense * m.peak_ellipticity > criteria.ellipticity)
        & (m.peak_polarization_degree > criteria.polarization_degree)
    )
    reasons = np.zeros(len(m.gyrofrequency), dtype=np.int32)
    for bad, reason in (
        (~(m.bins_in_band >= criteria.fewest_bins), Rejection.UNRESOLVED),
        (~(spectra.strength_spread <= criteria.field_variation * spectra.strength), Rejection.FIELD_UNSTEADY),
        (~(np.linalg.norm(spectra.mean_field, axis=1) >= criteria.field_alignment * spectra.strength), Rejection.FIELD_UNSTEADY),
        (~(sense * m.ellipticity > criteria.ellipticity), Rejection.WRONG_HANDEDNESS),
        (~(degree > criteria.polarization_degree), Rejection.LOW_POLARIZATION),
        (~in_band, Rejection.MAXIMUM_OUTSIDE_BAND),
        (~(m.power_perpendicular > criteria.transverse_ratio * m.power_parallel), Rejection.COMPRESSIVE),
        (~(m.signal_to_noise >= criteria.signal_to_noise), Rejection.WEAK),
        (below, Rejection.BELOW_GYROFREQUENCY),
    ):
        reasons |= np.where(bad, np.int32(reason), np.int32(0))
    return reasons
