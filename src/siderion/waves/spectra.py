"""Spectral matrices of windows: segments are transformed once and shared by all windows and species.

The mean of the matrices of a window is turned into the mean-field-aligned axes of that window. Rotation, removal of a trend
and the Fourier transform are linear, so this equals turning the samples first, at a fraction of the work.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numba import get_num_threads
from numpy.typing import NDArray
from scipy.signal.windows import dpss, hann

from siderion.core.errors import DataError

from . import kernels
from .plans import SegmentPlan
from .polarization import Matrix, Real, field_aligned_axes
from .settings import SpectrumSettings

_CHUNK = 2**17
"""Values of the segments that are transformed together: a few MB, which caches hold."""


_MOST_WINDOWS = 2048
"""Windows whose segments are held at the same time: the memory does not grow with the series."""


@dataclass(frozen=True)
class WindowSpectra:
    """Spectra of windows that share a plan.

    Attributes
    ----------
    frequency : ndarray, shape (n_frequency,)
        Hz.
    resolution : float
        Distance of the frequencies, Hz.
    matrices : complex ndarray, shape (n_window, n_frequency, 3, 3)
        One-sided spectral matrices, T2 Hz-1, in mean-field-aligned axes.
    coverage : ndarray, shape (n_window,)
        Part of the segments that has no gap.
    mean_field : ndarray, shape (n_window, 3)
        Mean field, T, in the axes of the series.
    strength, strength_spread : ndarray, shape (n_window,)
        Mean and standard deviation of |B|, T.
    averages : ndarray, shape (n_window,)
        Number of independent spectra that were averaged.
    """

    frequency: Real
    resolution: float
    matrices: Matrix
    coverage: Real
    mean_field: Real
    strength: Real
    strength_spread: Real
    averages: Real


def tapers(length: int, settings: SpectrumSettings) -> Real:
    """Tapers of a segment, shape (n_taper, length), each with a mean square of 1."""
    if settings.estimator == "multitaper":
        weights = dpss(length, settings.time_bandwidth, Kmax=taper_count(settings))
    else:
        weights = hann(length, sym=False)[None, :]
    return weights / np.sqrt(np.mean(weights**2, axis=1, keepdims=True))


def taper_count(settings: SpectrumSettings) -> int:
    """Number of tapers; of the Slepian ones the last two below twice the time-bandwidth product leak on steep spectra."""
    return max(1, int(2 * settings.time_bandwidth) - 2) if settings.estimator == "multitaper" else 1


def cross_spectra(
    field: Real,
    cadence: float,
    length: int,
    hop: int,
    first: int,
    count: int,
    bins: slice,
    settings: SpectrumSettings,
    threads: Executor | None = None,
) -> tuple[Real, NDArray[np.bool_]]:
    """Cross spectra of segments in the axes of the series.

    Parameters
    ----------
    field : ndarray, shape (3, n)
        Samples, NaN in gaps.
    cadence : float
        Step, s.
    length, hop, first, count : int
        Samples of a segment, distance of the starts, first start, number of segments.
    bins : slice
        Frequencies that are kept, of ``numpy.fft.rfftfreq(length, cadence)``.
    settings : SpectrumSettings
        Estimator.
    threads : Executor, optional
        Threads that share the segments; one for each core by default.

    Returns
    -------
    spectra : ndarray, shape (count, n_kept, 9)
        One-sided densities (field units)^2 Hz-1, in the order of `kernels.add_cross_spectra`. Summed over all frequencies
        and times the resolution, the first three are the mean squares of the tapered segment (Parseval).
    whole : ndarray of bool, shape (count,)
        Segments without a gap; the spectra of the others are zero.
    """
    weights = tapers(length, settings)
    lower, upper, _ = bins.indices(length // 2 + 1)
    spectra = np.zeros((count, upper - lower, 9))
    whole = np.zeros(count, dtype=np.bool_)
    chunk = max(1, _CHUNK // (3 * length))
    linear, factor = settings.detrend == "linear", 2.0 * cadence / length / len(weights)

    def transform(start: int) -> None:
        number = min(chunk, count - start)
        part = slice(start, start + number)
        segments = np.empty((number, 3, length))
        for taper in weights:
            kernels.cut_segments(field, first + start * hop, hop, number, taper, linear, segments, whole[part])
            kernels.add_cross_spectra(scipy.fft.rfft(segments, axis=-1, overwrite_x=True), lower, factor, spectra[part])

    with ExitStack() as stack:
        pool = threads or stack.enter_context(ThreadPoolExecutor(get_num_threads()))
        for done in [pool.submit(transform, start) for start in range(0, count, chunk)]:
            done.result()
    if lower == 0:
        spectra[:, 0] *= 0.5  # the two ends of the spectrum have no negative frequency
    if upper == length // 2 + 1 and length % 2 == 0:
        spectra[:, -1] *= 0.5
    return spectra, whole


def window_spectra(
    field: Real, cadence: float, plan: SegmentPlan, windows: NDArray[np.intp], bins: slice, settings: SpectrumSettings
) -> WindowSpectra:
    """Averaged spectral matrices of windows, in the axes of the mean field of each.

    Parameters
    ----------
    field : ndarray, shape (3, n)
        Samples of a stretch, T, NaN in gaps.
    cadence : float
        Step, s.
    plan : SegmentPlan
        Segments and windows.
    windows : ndarray of int
        Numbers of the windows, increasing; all must fit, see `SegmentPlan.fits`.
    bins : slice
        Frequencies that are kept.
    settings : SpectrumSettings
        Estimator.

    Raises
    ------
    DataError
        A window does not lie within the samples.
    """
    if not plan.fits(windows, field.shape[1]).all():
        raise DataError("a window reaches beyond the samples: select the windows that fit with SegmentPlan.fits")
    frequency: Real = np.asarray(np.fft.rfftfreq(plan.length, cadence)[bins], dtype=np.float64)
    matrices = np.empty((len(windows), len(frequency), 3, 3), dtype=np.complex128)
    used = np.zeros(len(windows), dtype=np.int64)
    means = window_fields(field, plan, windows)
    axes = field_aligned_axes(means[:, :3])
    first = plan.first_segment(windows)
    with ThreadPoolExecutor(get_num_threads()) as threads:
        for part in _runs(first, (plan.count - 1) * plan.stride + 1):
            begin = int(first[part][0])
            count = int(first[part][-1]) + (plan.count - 1) * plan.stride + 1 - begin
            start = plan.offset + begin * plan.hop
            spectra, whole = cross_spectra(field, cadence, plan.length, plan.hop, start, count, bins, settings, threads)
            kernels.average_and_rotate(
                spectra, whole, first[part] - begin, plan.stride, plan.count, axes[part], matrices[part], used[part]
            )
    return WindowSpectra(
        frequency=frequency,
        resolution=1.0 / (plan.length * cadence),
        matrices=matrices,
        coverage=used / plan.count,
        mean_field=means[:, :3],
        strength=means[:, 3],
        strength_spread=means[:, 4],
        averages=independent_averages(used, settings),
    )


def window_fields(field: Real, plan: SegmentPlan, windows: NDArray[np.intp]) -> Real:
    """Mean field (3), mean |B|, standard deviation of |B| and number of samples of windows that fit, shape (n_window, 6)."""
    begin = plan.offset
    blocks = (field.shape[1] - begin) // plan.hop
    sums = np.empty((blocks, 7))
    kernels.block_sums(field[:, begin:], plan.hop, sums)
    means = np.empty((len(windows), 6))
    kernels.window_means(sums, plan.first_segment(windows), plan.window // plan.hop, means)
    return means


def independent_averages(used: NDArray[np.int64], settings: SpectrumSettings) -> Real:
    """Number of independent spectra in the mean of ``used`` half-overlapping segments.

    Neighbouring Hann segments of half overlap have powers correlated by 1/36 (Welch 1967, doi:10.1109/TAU.1967.1161901);
    several Slepian tapers of one segment are independent, but whole overlapping segments are not: their neighbours are
    taken to share half.
    """
    number = np.asarray(used, dtype=np.float64)
    if settings.estimator == "multitaper":
        return np.maximum(number + 1.0, 0.0) / 2.0 * taper_count(settings) * (number > 0)
    overlap = np.divide(2.0 * (number - 1.0), number * 36.0, out=np.zeros_like(number), where=number > 0)
    return number / (1.0 + overlap)


def independent_bins(number: NDArray, settings: SpectrumSettings) -> Real:
    """Number of independent values in the sum over neighbouring frequencies of white noise.

    The powers of neighbouring frequencies of a Hann taper are correlated by (2/3)^2, those two apart by (1/6)^2.
    """
    m = np.asarray(number, dtype=np.float64)
    if settings.estimator == "multitaper":
        return np.maximum(1.0, m / (2.0 * settings.time_bandwidth)) * (m > 0)
    shared = 2.0 * np.maximum(m - 1.0, 0.0) * 4.0 / 9.0 + 2.0 * np.maximum(m - 2.0, 0.0) / 36.0
    return np.divide(m**2, m + shared, out=np.zeros_like(m), where=m > 0)


def _runs(first: NDArray[np.intp], reach: int) -> Iterator[slice]:
    """Slices of windows whose segments overlap or touch, not too many: segments that no window needs are not computed."""
    if not len(first):
        return
    breaks = np.flatnonzero(np.diff(first) > reach) + 1
    bounds = np.concatenate(([0], breaks, [len(first)]))
    for a, b in itertools.pairwise(bounds):
        for begin in range(int(a), int(b), _MOST_WINDOWS):
            yield slice(begin, min(begin + _MOST_WINDOWS, int(b)))
