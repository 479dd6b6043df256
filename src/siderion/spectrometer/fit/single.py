"""Fit of one spectrum: best parameters, intervals with the shape profiled, tail systematic, correlations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from siderion.core.errors import CoverageError
from siderion.spectrometer.flight_time import flight_components
from siderion.spectrometer.peaks import PeakShape

from .calibration import tail_error
from .goodness import goodness_of_fit
from .intervals import BetterFitError, Interval, interval, profile
from .likelihood import JointLikelihood, Solution
from .settings import FitSettings
from .shape import Channel, held_family, make_family, time_errors

Array = NDArray[np.float64]
SMALLEST_SHARE = 0.05
"""A species is outside of a histogram that holds less of its peak."""
_RESTARTS = 6


@dataclass(frozen=True)
class SpectrumFit:
    """Fit of one spectrum.

    Attributes
    ----------
    likelihood : JointLikelihood
    solution : Solution
    intervals : list of Interval
        One per species of the first channel; NaN where the species lies outside.
    templates : array of shape (species, bin)
        Peaks at the best shape, first channel.
    background : array of shape (bin,)
        Fitted or given background, first channel.
    goodness, scale : float
        Chance of a larger deviance; root of deviance over its mean.
    correlation : array of shape (species, species)
        Of the amplitudes, shape and background free.
    """

    likelihood: JointLikelihood
    solution: Solution
    intervals: list[Interval]
    templates: Array
    background: Array
    goodness: float
    scale: float
    correlation: Array


def make_likelihood(channels: tuple[Channel, ...], settings: FitSettings) -> JointLikelihood:
    """Likelihood of histograms with the shape that the settings name; the usual shape, held, where nothing was counted.

    Raises
    ------
    CoverageError
        None of the species of the first channel lies in its range of times.
    """
    _check_range(channels[0])
    species = tuple(dict.fromkeys(name for channel in channels for name in channel.species))
    if not any(channel.counts.any() for channel in channels):
        return JointLikelihood(channels, held_family(PeakShape()))
    errors = time_errors(species, channels[0].setup)
    return JointLikelihood(channels, make_family(species, PeakShape(), settings.tail, settings.time_scale_prior, errors=errors))


def _check_range(channel: Channel) -> None:
    shares = held_family(PeakShape()).templates(np.zeros(0), (channel,))[0].sum(axis=1)
    if channel.species and (shares < SMALLEST_SHARE).all():
        times = ", ".join(f"{name} {flight_components(name, channel.setup)[0].time * 1e9:.1f} ns" for name in channel.species)
        raise CoverageError(
            f"the histogram covers {channel.edges[0] * 1e9:g} to {channel.edges[-1] * 1e9:g} ns and holds none of the peaks "
            f"({times}); check the times, the voltage and the energy"
        )


def fit_channels(channels: tuple[Channel, ...], settings: FitSettings) -> SpectrumFit:
    """Fit the first channel, together with a calibration where there is a second one."""
    likelihood = make_likelihood(channels, settings)
    found = likelihood.fit()
    for attempt in range(_RESTARTS):
        try:
            return _finish(likelihood, found, settings, last=attempt == _RESTARTS - 1)
        except BetterFitError as better:
            found = likelihood.minimise(better.found.parameters, precision=1e-6)
    raise AssertionError("unreachable")


def _finish(likelihood: JointLikelihood, found: Solution, settings: FitSettings, last: bool) -> SpectrumFit:
    channel = likelihood.channels[0]
    species, bins = len(channel.species), channel.counts.size
    templates, background = first_channel(likelihood, found)
    expected = found.expected[:bins]
    chance, scale = goodness_of_fit(channel.counts, expected, int(likelihood.free(found).sum()))
    stretch = float(scale) ** 2 if chance < settings.misfit_level and scale > 1.0 else 1.0
    errors = tail_error(settings, len(likelihood.channels) > 1) * exchanged(
        found.parameters[:species], tail_leaks(likelihood, found, templates)
    )
    intervals = []
    for s in range(species):
        if templates[s].sum() < SMALLEST_SHARE:
            intervals.append(Interval(*[np.nan] * 5))
            continue
        best = float(found.parameters[s])
        curve = profile(likelihood, found, s, stretch, tolerant=last)
        intervals.append(widened(interval(curve, best, confidence=settings.confidence), errors[s], settings.confidence))
    return SpectrumFit(
        likelihood, found, intervals, templates, background, float(chance), float(scale), correlation(likelihood, found, species)
    )


def first_channel(likelihood: JointLikelihood, found: Solution) -> tuple[Array, Array]:
    """Peaks (species, bin) and background (bin,) of the first channel at a solution."""
    channel = likelihood.channels[0]
    species, bins = len(channel.species), channel.counts.size
    _, backgrounds, weights, shape = likelihood.parts(found.parameters)
    peaks = np.einsum("k,ksb->sb", weights / weights.sum(), likelihood.templates(shape)[:, :species, :bins])
    return peaks, (backgrounds @ likelihood.lines + likelihood.given)[:bins]


def tail_leaks(likelihood: JointLikelihood, found: Solution, templates: Array) -> Array:
    """Share (from, to) of the tail of each species that lies in the core of the peak of another one."""
    channel = likelihood.channels[0]
    centres = 0.5 * (channel.edges[1:] + channel.edges[:-1])
    width = likelihood.family.value(likelihood.parts(found.parameters)[3], "width", likelihood.family.base.width)
    tops = centres[templates.argmax(axis=1)]
    tail = np.where(centres > tops[:, None] * (1.0 + 4.0 * width), templates, 0.0)
    core = templates > 0.2 * templates.max(axis=1, keepdims=True)
    leaks = tail @ core.T.astype(float)
    np.fill_diagonal(leaks, 0.0)
    return np.where(np.any(templates > 0.0, axis=1)[None, :], leaks, 0.0)


def exchanged(amplitudes: Array, leaks: Array) -> Array:
    """Counts (..., species) of tails below peaks: what a species may owe to the others, and they to it, in quadrature."""
    return np.hypot(amplitudes @ leaks, amplitudes * leaks.sum(axis=1))


def widened(found: Interval, error: float, confidence: float) -> Interval:
    """Add an error in quadrature to both ends, the limit and the significance."""
    if not error > 0.0:
        return found
    best = found.best
    sigma = best / found.significance if found.significance > 0.0 else np.inf
    return Interval(
        best,
        max(best - float(np.hypot(best - found.lower, error)), 0.0),
        best + float(np.hypot(found.upper - best, error)),
        best + float(np.hypot(found.limit - best, norm.ppf(confidence) * error)),
        best / float(np.hypot(sigma, error)),
    )


def correlation(likelihood: JointLikelihood, found: Solution, species: int) -> Array:
    """Correlation of the amplitudes of the first channel, by the curvature with everything else free."""
    diagonal = np.diag(found.curvature)
    index = np.flatnonzero(diagonal > 0.0)
    scale = np.sqrt(diagonal[index])
    inverse = np.linalg.pinv(found.curvature[np.ix_(index, index)] / np.outer(scale, scale), rcond=1e-10, hermitian=True)
    inverse /= np.outer(scale, scale)
    result = np.eye(species)
    rows = index[index < species]
    part = inverse[: rows.size, : rows.size]
    sigma = np.sqrt(np.maximum(np.diag(part), 1e-300))
    result[np.ix_(rows, rows)] = part / np.outer(sigma, sigma)
    return np.clip(result, -1.0, 1.0)
