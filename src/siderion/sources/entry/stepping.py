"""Adaptive Rosenbrock steps for the stiff heat balance, and cubic Hermite values between steps; compiled.

RODAS, order 4 with an embedded solution of order 3, stiffly accurate (Hairer & Wanner 1996, Solving Ordinary Differential
Equations II, section VI.4). The system does not depend on time, so that the coefficients of time are not needed.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from .rates import CHI, FIRST, H, T, W, jacobian, rates

GAMMA = 0.25
_STAGES = np.zeros((6, 6))
_STAGES[1, 0] = 1.544
_STAGES[2, :2] = 0.9466785280815826, 0.2557011698983284
_STAGES[3, :3] = 3.314825187068521, 2.896124015972201, 0.9986419139977817
_STAGES[4, :4] = 1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950
_STAGES[5, :5] = 1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1.0
_COUPLING = np.zeros((6, 6))
_COUPLING[1, 0] = -5.6688
_COUPLING[2, :2] = -2.430093356833875, -0.2063599157091915
_COUPLING[3, :3] = -0.1073529058151375, -9.594562251023355, -20.47028614809616
_COUPLING[4, :4] = 7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160
_COUPLING[5, :5] = 8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054

_ALTITUDE_SCALE = 7000.0
"""Error of the altitude counts against this, m: about a scale height."""
_SMALL_SHARE = 1e-3
"""Errors of the logarithm of a share count less where the group is nearly gone."""


@numba.njit(cache=True, error_model="numpy")
def decompose(matrix, pivots):
    """LU decomposition in place, rows exchanged; false where the matrix is singular."""
    size = matrix.shape[0]
    for k in range(size):
        best = k
        for i in range(k + 1, size):
            if abs(matrix[i, k]) > abs(matrix[best, k]):
                best = i
        pivots[k] = best
        if not abs(matrix[best, k]) > 0.0:
            return False
        if best != k:
            for j in range(size):
                matrix[k, j], matrix[best, j] = matrix[best, j], matrix[k, j]
        inverse = 1.0 / matrix[k, k]
        for i in range(k + 1, size):
            if matrix[i, k] != 0.0:
                matrix[i, k] *= inverse
                factor = matrix[i, k]
                for j in range(k + 1, size):
                    matrix[i, j] -= factor * matrix[k, j]
    return True


@numba.njit(cache=True, error_model="numpy")
def solve(matrix, pivots, vector):
    """Solve in place with the decomposition of `decompose`."""
    size = vector.shape[0]
    for k in range(size):
        best = pivots[k]
        if best != k:
            vector[k], vector[best] = vector[best], vector[k]
    for i in range(1, size):
        for j in range(i):
            vector[i] -= matrix[i, j] * vector[j]
    for i in range(size - 1, -1, -1):
        for j in range(i + 1, size):
            vector[i] -= matrix[i, j] * vector[j]
        vector[i] /= matrix[i, i]


@numba.njit(cache=True, error_model="numpy")
def rosenbrock_step(state, step, fractions, volatility, body, air, yields, derivatives, work, stages, pivots, new):
    """One step of RODAS from ``state`` into ``new``; returns the error over the tolerance of 1, infinite where it fails.

    ``derivatives`` holds the matrix of `jacobian` at the state, which does not change when a step is repeated.
    """
    size = state.shape[0]
    for i in range(size):
        for j in range(size):
            work[i, j] = -derivatives[i, j]
        work[i, i] += 1.0 / (GAMMA * step)
    if not decompose(work, pivots):
        return math.inf
    for stage in range(6):
        for i in range(size):
            value = state[i]
            for before in range(stage):
                value += _STAGES[stage, before] * stages[before, i]
            new[i] = value
        if not (new[W] > 0.0 and new[T] > 1.0 and abs(new[CHI]) < 4.0 and math.isfinite(new[H])):
            return math.inf
        rates(new, fractions, volatility, body, air, yields, stages[stage])
        for i in range(size):
            value = stages[stage, i]
            for before in range(stage):
                value += _COUPLING[stage, before] / step * stages[before, i]
            stages[stage, i] = value
        solve(work, pivots, stages[stage])
    for i in range(size):
        new[i] += stages[5, i]
    if not (new[W] > 0.0 and new[T] > 1.0 and abs(new[CHI]) < 4.0):
        return math.inf
    return _error(state, new, stages[5])


@numba.njit(cache=True, error_model="numpy")
def _error(state, new, difference):
    """Largest error of the step over the size of what it is an error of."""
    error = abs(difference[H]) / _ALTITUDE_SCALE
    error = max(error, abs(difference[W]) / new[W], abs(difference[CHI]), abs(difference[T]) / new[T])
    for g in range(FIRST, state.shape[0]):
        if not math.isfinite(new[g]) or new[g] > 1e-9 + state[g]:
            return math.inf
        share = math.exp(new[g])
        error = max(error, abs(difference[g]) * share / (share + _SMALL_SHARE))
    return error if error == error else math.inf


@numba.njit(cache=True, error_model="numpy")
def between(start, slope_start, end, slope_end, step, part):
    """Cubic Hermite value a part of the way through a step."""
    rise = end - start
    first, last = slope_start * step, slope_end * step
    return start + part * (first + part * (3.0 * rise - 2.0 * first - last + part * (first + last - 2.0 * rise)))


@numba.njit(cache=True, error_model="numpy")
def part_at(start, slope_start, end, slope_end, step, value):
    """Part of the step where the cubic Hermite takes a value between its ends, by bisection and secants."""
    low, high = 0.0, 1.0
    low_gap, high_gap = start - value, end - value
    if low_gap == 0.0:
        return 0.0
    part = low_gap / (low_gap - high_gap) if low_gap != high_gap else 0.5
    for count in range(60):
        gap = between(start, slope_start, end, slope_end, step, part) - value
        if gap * low_gap > 0.0:
            low, low_gap = part, gap
        else:
            high, high_gap = part, gap
        if high - low < 1e-12 or gap == 0.0:
            break
        part = low + (high - low) * low_gap / (low_gap - high_gap) if count % 3 else 0.5 * (low + high)
        part = min(max(part, low), high)
    return part


__all__ = ["between", "jacobian", "part_at", "rosenbrock_step"]
