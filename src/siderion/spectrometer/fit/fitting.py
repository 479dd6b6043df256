"""Fit of one or many time-of-flight spectra."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import DataError, SettingsError
from siderion.spectrometer.instruments import Setup

from .batch import fit_batch, shared_shape
from .calibration import tail_error
from .likelihood import JointLikelihood, Solution
from .result import make_result
from .settings import FitSettings
from .shape import Channel
from .single import SMALLEST_SHARE, SpectrumFit, correlation, exchanged, first_channel, fit_channels, make_likelihood, tail_leaks

Array = NDArray[np.float64]
SHARED_FROM = 20
"""Spectra of one file share one shape from this number on, unless it is said otherwise."""


def fit_spectra(
    counts: ArrayLike,
    edges_s: ArrayLike,
    species: Sequence[str],
    setup: Setup,
    settings: FitSettings | None = None,
    *,
    calibration: Channel | None = None,
    labels: Sequence[str] | None = None,
    share_shape: bool | None = None,
) -> xr.Dataset:
    """Counts of species in time-of-flight histograms, with intervals and limits.

    Parameters
    ----------
    counts : array of shape (bin,) or (spectrum, bin)
        Counts per bin.
    edges_s : array of shape (bin + 1,)
        Edges of the bins, s.
    species : sequence of str
        Ions that may be there, such as ``("O+", "N+", "O2+")``; the first one is what ratios refer to.
    setup : Setup
        Instrument, voltage, energy per charge, foil.
    settings : FitSettings, optional
    calibration : Channel, optional
        Interval with one known species, of `calibration_channel`; it fixes the shape.
    labels : sequence of str, optional
        Names of the spectra.
    share_shape : bool, optional
        True: fit the shape once to the sum of all spectra. False: to each. Without it: True from 20 spectra on.

    Returns
    -------
    xarray.Dataset
        Measurement ``species_counts(spectrum, species)`` and what belongs to it; kind ``"siderion spectrum"``.

    Raises
    ------
    SettingsError
        No species, a species twice.
    DataError
        Counts are negative, not finite, of the wrong shape, or all zero in a batch with a shared shape.
    """
    chosen = settings or FitSettings()
    names = tuple(species)
    if not names or len(set(names)) != len(names):
        raise SettingsError(f"species are {', '.join(names) or 'none'}; name each one once, such as O+,N+,O2+")
    edges = np.asarray(edges_s, dtype=float)
    data = np.atleast_2d(np.asarray(counts, dtype=float))
    if data.ndim != 2 or data.shape[1] != edges.size - 1:
        raise DataError(f"counts have shape {data.shape}, edges {edges.shape}; needed: (spectrum, bin) and (bin + 1,)")
    bad = ~np.isfinite(data) | (data < 0.0)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        raise DataError(f"counts are {data[place]:g} at (spectrum, bin) = {place}; they must be finite and at least 0")
    titles = [str(k) for k in range(len(data))] if labels is None else [str(label) for label in labels]
    others = () if calibration is None else (calibration,)
    if len(data) >= SHARED_FROM if share_shape is None else share_shape:
        found = _shared(data, edges, names, setup, chosen, others)
    else:
        fits = [fit_channels((Channel(row, edges, names, setup, chosen.background), *others), chosen) for row in data]
        found = _collect(fits, chosen, edges)
    return make_result(data, edges, names, titles, setup, chosen, found)


def _collect(fits: list[SpectrumFit], settings: FitSettings, edges: Array) -> dict[str, Array]:
    """Arrays of single fits."""
    found = {
        name: np.array([[getattr(one, name) for one in fit.intervals] for fit in fits])
        for name in ("best", "lower", "upper", "limit", "significance")
    }
    shapes = [shape_numbers(fit.likelihood, fit.solution) for fit in fits]
    lines = np.diff(edges) / np.mean(np.diff(edges))
    return found | {
        "goodness": np.array([fit.goodness for fit in fits]),
        "goodness_of_fit": np.array([fit.goodness for fit in fits]),
        "error_scale": np.array([fit.scale for fit in fits]),
        "correlation": np.array([fit.correlation for fit in fits]),
        "peaks": np.array([fit.templates for fit in fits]),
        "background_per_bin": np.array([fit.background[0] / lines[0] for fit in fits]),
        "lines": lines,
        **{name: np.array([shape[name] for shape in shapes]) for name in ("peak_width", "peak_tail", "time_scale")},
    }


def shape_numbers(likelihood: JointLikelihood, found: Solution) -> dict[str, float]:
    """Width, mean delay by the tail, and time scale of a solution."""
    _, _, weights, shape = likelihood.parts(found.parameters)
    family = likelihood.family
    return {
        "peak_width": family.value(shape, "width", family.base.width),
        "peak_tail": float(weights @ family.delays(shape) / weights.sum()),
        "time_scale": family.value(shape, "time_scale", family.base.time_scale),
    }


def _shared(
    data: Array, edges: Array, species: tuple[str, ...], setup: Setup, settings: FitSettings, others: tuple[Channel, ...]
) -> dict[str, Array]:
    """Arrays of a batch with one shape."""
    total = data.sum(axis=0)
    if not total.any() and not others:
        raise DataError(
            "all counts of all spectra are zero, so no shape can be fitted; give a calibration, or fit them one by one"
        )
    background = None if settings.background is None else settings.background * len(data)
    likelihood = make_likelihood((Channel(total, edges, species, setup, background), *others), settings)
    solution = likelihood.fit()
    common = shared_shape(likelihood, solution)
    lines = np.diff(edges) / np.mean(np.diff(edges))
    fits = fit_batch(data, common, lines, settings.background, settings.confidence, settings.misfit_level)
    peaks, _ = first_channel(likelihood, solution)
    leaks = tail_leaks(likelihood, solution, peaks)
    errors = tail_error(settings, bool(others)) * exchanged(np.nan_to_num(fits.best), leaks)
    widened = fits.with_errors(errors, settings.confidence)
    outside = peaks.sum(axis=1) < SMALLEST_SHARE
    number = len(data)
    found = {
        name: np.where(outside, np.nan, getattr(widened, name)) for name in ("best", "lower", "upper", "limit", "significance")
    }
    level = np.full(number, settings.background) if settings.background is not None else fits.background[:, 0]
    shape = shape_numbers(likelihood, solution)
    one = correlation(likelihood, solution, len(species))
    return found | {
        "goodness": fits.goodness,
        "goodness_of_fit": fits.goodness,
        "error_scale": fits.scale,
        "correlation": np.broadcast_to(one, (number, *one.shape)).copy(),
        "peaks": peaks[None],
        "background_per_bin": level,
        "lines": lines,
        **{name: np.full(number, value) for name, value in shape.items()},
    }
