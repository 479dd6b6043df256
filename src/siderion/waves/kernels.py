"""Compiled kernels of the spectra: plain arrays in, plain arrays out.

The kernels of segments run on one thread each and release the interpreter: `spectra` gives every thread its own segments,
which stay in its cache from the cut to the cross spectra.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

Real = NDArray[np.float64]
PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
"""Order of the six cross spectra that determine a Hermitian matrix."""


@njit(cache=True, nogil=True)
def transpose_scaled(values: NDArray, factor: float, field: NDArray) -> int:
    """Write ``values`` (n, 3) times a factor into ``field`` (3, n); the number of values that are not finite.

    On one thread: the field is fresh memory, whose pages two threads only queue for.
    """
    bad = 0
    for i in range(values.shape[0]):
        for c in range(3):
            value = values[i, c] * factor
            field[c, i] = value
            if not np.isfinite(value):
                bad += 1
    return bad


@njit(cache=True, nogil=True)
def step_range(times: NDArray) -> tuple[int, int]:
    """Smallest and largest step of increasing numbers (n,), n at least 2."""
    smallest = times[1] - times[0]
    largest = smallest
    for i in range(1, times.shape[0] - 1):
        step = times[i + 1] - times[i]
        smallest = min(smallest, step)
        largest = max(largest, step)
    return smallest, largest


@njit(cache=True, nogil=True)
def number_samples(times: NDArray) -> NDArray:
    """Places of samples on a grid from their times in units of the cadence (n,): increasing whole numbers from 0.

    A sample goes to the nearest place of a grid whose phase is that of the samples before it, so that jitter of the times
    below a quarter of a step makes no gaps, and a cadence that is not known to the last digit does not add up.
    """
    sine = cosine = 0.0
    for i in range(min(64, times.shape[0])):
        turn = 2.0 * np.pi * (times[i] - np.floor(times[i]))
        sine += np.sin(turn)
        cosine += np.cos(turn)
    phase = np.arctan2(sine, cosine) / (2.0 * np.pi)
    numbers = np.zeros(times.shape[0], dtype=np.int64)
    first = np.int64(np.rint(times[0] - phase))
    for i in range(1, times.shape[0]):
        place = max(numbers[i - 1] + 1, np.int64(np.rint(times[i] - phase)) - first)
        numbers[i] = place
        error = times[i] - phase - (place + first)
        if abs(error) <= 0.5:
            phase += 0.05 * error
    return numbers


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def cut_segments(
    field: NDArray, first: int, hop: int, count: int, taper: NDArray, linear: bool, segments: NDArray, whole: NDArray
) -> None:
    """Cut, detrend and taper ``count`` segments of a field.

    Parameters
    ----------
    field : array (3, n)
        Samples, NaN in gaps.
    first, hop, count : int
        Start of the first segment, distance of the starts, number of segments.
    taper : array (length,)
        Weights.
    linear : bool
        Remove the straight line of least squares, else the mean.
    segments : array (count, 3, length), written
        Zero where the segment has a gap.
    whole : array of bool (count,), written
        Whether the segment has no gap.
    """
    length = taper.shape[0]
    middle = 0.5 * (length - 1)
    spread = length * (length * length - 1.0) / 12.0  # sum of (i - middle)^2
    for k in range(count):
        start = first + k * hop
        complete = True
        for c in range(3):
            total = 0.0
            moment = 0.0
            for i in range(length):
                value = field[c, start + i]
                total += value
                moment += value * (i - middle)
            if not np.isfinite(total):
                complete = False
                break
            mean = total / length
            slope = moment / spread if linear else 0.0
            for i in range(length):
                segments[k, c, i] = (field[c, start + i] - mean - slope * (i - middle)) * taper[i]
        if not complete:
            for c in range(3):
                for i in range(length):
                    segments[k, c, i] = 0.0
        whole[k] = complete


@njit(cache=True, nogil=True)
def add_cross_spectra(transform: NDArray, lower: int, factor: float, spectra: NDArray) -> None:
    """Add the cross spectra X_i X_j* of transformed segments.

    Parameters
    ----------
    transform : complex array (count, 3, n_frequency)
        Transforms.
    lower : int
        Number of the first frequency that is kept.
    factor : float
        What the products are multiplied by.
    spectra : array (count, n_kept, 9), added to
        S11, S22, S33, Re S12, Re S13, Re S23, Im S12, Im S13, Im S23.
    """
    for k in range(transform.shape[0]):
        for f in range(spectra.shape[1]):
            x, y, z = transform[k, 0, lower + f], transform[k, 1, lower + f], transform[k, 2, lower + f]
            xy, xz, yz = x * np.conj(y), x * np.conj(z), y * np.conj(z)
            spectra[k, f, 0] += factor * (x.real * x.real + x.imag * x.imag)
            spectra[k, f, 1] += factor * (y.real * y.real + y.imag * y.imag)
            spectra[k, f, 2] += factor * (z.real * z.real + z.imag * z.imag)
            spectra[k, f, 3] += factor * xy.real
            spectra[k, f, 4] += factor * xz.real
            spectra[k, f, 5] += factor * yz.real
            spectra[k, f, 6] += factor * xy.imag
            spectra[k, f, 7] += factor * xz.imag
            spectra[k, f, 8] += factor * yz.imag


@njit(parallel=True, cache=True, nogil=True)
def average_and_rotate(
    spectra: NDArray, whole: NDArray, starts: NDArray, stride: int, count: int, axes: NDArray, matrices: NDArray, used: NDArray
) -> None:
    """Average the spectra of the whole segments of each window, and turn the averages into the axes of the window.

    Parameters
    ----------
    spectra : array (n_segment, n_frequency, 9)
        Cross spectra of the segments in the axes of the series.
    whole : array of bool (n_segment,)
        Segments without a gap.
    starts : array of int (n_window,)
        Number of the first segment of each window.
    stride, count : int
        Distance in numbers, and number, of the segments of a window.
    axes : array (n_window, 3, 3)
        Rows are unit vectors.
    matrices : complex array (n_window, n_frequency, 3, 3), written
        NaN where no segment is whole.
    used : array of int (n_window,), written
        Number of whole segments.
    """
    n_frequency = spectra.shape[1]
    for w in prange(starts.shape[0]):
        number = 0
        for k in range(count):
            if whole[starts[w] + k * stride]:
                number += 1
        used[w] = number
        means = np.zeros((n_frequency, 9))
        for k in range(count):
            s = starts[w] + k * stride
            if whole[s]:
                for f in range(n_frequency):
                    for j in range(9):
                        means[f, j] += spectra[s, f, j]
        factor = 1.0 / number if number > 0 else np.nan
        real = np.empty((3, 3))
        half = np.empty((3, 3))
        for f in range(n_frequency):
            _rotate(means[f], factor, axes[w], real, half, matrices[w, f])


@njit(cache=True, nogil=True)
def _rotate(total: NDArray, factor: float, turn: NDArray, real: NDArray, half: NDArray, matrix: NDArray) -> None:
    """The real part turns as a tensor; the imaginary part is an axial vector and turns as one. ``real``, ``half``: work space."""
    real[0, 0], real[1, 1], real[2, 2] = total[0], total[1], total[2]
    real[0, 1] = real[1, 0] = total[3]
    real[0, 2] = real[2, 0] = total[4]
    real[1, 2] = real[2, 1] = total[5]
    for i in range(3):
        for n in range(3):
            half[i, n] = turn[i, 0] * real[0, n] + turn[i, 1] * real[1, n] + turn[i, 2] * real[2, n]
    for i in range(3):
        for j in range(3):
            matrix[i, j] = factor * (half[i, 0] * turn[j, 0] + half[i, 1] * turn[j, 1] + half[i, 2] * turn[j, 2])
    x, y, z = factor * total[8], -factor * total[7], factor * total[6]
    first = turn[0, 0] * x + turn[0, 1] * y + turn[0, 2] * z
    second = turn[1, 0] * x + turn[1, 1] * y + turn[1, 2] * z
    third = turn[2, 0] * x + turn[2, 1] * y + turn[2, 2] * z
    matrix[0, 1] += 1j * third
    matrix[1, 0] -= 1j * third
    matrix[0, 2] -= 1j * second
    matrix[2, 0] += 1j * second
    matrix[1, 2] += 1j * first
    matrix[2, 1] -= 1j * first


@njit(parallel=True, cache=True, nogil=True)
def block_sums(field: NDArray, length: int, sums: NDArray) -> None:
    """Sums over blocks of ``length`` samples: Bx, By, Bz, |B|, |B|^2 less the reference, number of samples without a gap.

    ``sums`` has the shape (n_block, 7): the three components, |B| - b0, (|B| - b0)^2, number, b0, with b0 the first known
    |B| of the block, so that a small spread about a large field keeps its digits.
    """
    for b in prange(sums.shape[0]):
        for j in range(7):
            sums[b, j] = 0.0
        for i in range(b * length, min((b + 1) * length, field.shape[1])):
            x, y, z = field[0, i], field[1, i], field[2, i]
            strength = np.sqrt(x * x + y * y + z * z)
            if np.isfinite(strength):
                if sums[b, 5] == 0.0:
                    sums[b, 6] = strength
                offset = strength - sums[b, 6]
                sums[b, 0] += x
                sums[b, 1] += y
                sums[b, 2] += z
                sums[b, 3] += offset
                sums[b, 4] += offset * offset
                sums[b, 5] += 1.0


@njit(parallel=True, cache=True, nogil=True)
def window_means(sums: NDArray, first: NDArray, count: int, means: NDArray) -> None:
    """Mean field (3), mean |B|, standard deviation of |B|, number of samples of windows of ``count`` blocks.

    ``means`` has the shape (n_window, 6); NaN where a window has no sample.
    """
    for w in prange(first.shape[0]):
        total = np.zeros(4)
        number = 0.0
        for b in range(first[w], first[w] + count):
            for j in range(3):
                total[j] += sums[b, j]
            total[3] += sums[b, 3] + sums[b, 5] * sums[b, 6]
            number += sums[b, 5]
        if number == 0.0:
            means[w, :5] = np.nan
            means[w, 5] = 0.0
            continue
        for j in range(4):
            means[w, j] = total[j] / number
        square = 0.0
        for b in range(first[w], first[w] + count):
            shift = sums[b, 6] - means[w, 3]
            if sums[b, 5] > 0.0:
                square += sums[b, 4] + 2.0 * shift * sums[b, 3] + sums[b, 5] * shift * shift
        means[w, 4] = np.sqrt(max(0.0, square / number))
        means[w, 5] = number
