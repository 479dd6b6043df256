"""Compiled kernels: amplitudes of given peaks under Poisson counts, their likelihood profiles, whole batches of spectra.

With the peaks given, the negative logarithm of the likelihood sum(mu) - sum(c ln mu), mu = sum_r a_r P_r, is convex in the
amplitudes a >= 0. Newton steps on the amplitudes that are not held at zero find its minimum; bins without counts enter
through the sums of the rows only.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

FLOOR = 1e-9
"""Counts per bin below every model: a stray count far from all peaks costs 20 in ln L, not infinity."""
POINTS = 16
"""Most points of a likelihood profile."""
DEEPEST = 9.0
"""Likelihood profiles are followed to this fall of ln L: exp(-9) is 1e-4."""
_UPWARD = (0.5, 1.0, 1.7, 2.6, 4.3, 8.0)
_PARTS = (0.75, 0.5, 0.28, 0.12, 0.04)
_options: Any = {"cache": True, "nogil": True, "error_model": "numpy"}


@numba.njit(**_options)
def solve_positive(matrix, vector, free, step):
    """Solve ``matrix step = vector`` on the entries that are free; the others get 0. False where it is not definite."""
    index = np.flatnonzero(free)
    size = index.size
    lower = np.empty((size, size))
    for i in range(size):
        for j in range(i + 1):
            total = matrix[index[i], index[j]]
            if i == j:
                total *= 1.0 + 1e-12
            for k in range(j):
                total -= lower[i, k] * lower[j, k]
            if i == j:
                if not total > 1e-14 * matrix[index[i], index[i]]:
                    total = max(1e-10 * matrix[index[i], index[i]], 1e-300)
                lower[i, i] = math.sqrt(total)
            else:
                lower[i, j] = total / lower[j, j]
    work = np.empty(size)
    for i in range(size):
        total = vector[index[i]]
        for k in range(i):
            total -= lower[i, k] * work[k]
        work[i] = total / lower[i, i]
    for i in range(size - 1, -1, -1):
        total = work[i]
        for k in range(i + 1, size):
            total -= lower[k, i] * work[k]
        work[i] = total / lower[i, i]
    step[:] = 0.0
    for i in range(size):
        step[index[i]] = work[i]


@numba.njit(**_options)
def bounded_step(curvature, gradient, here, lower, upper, free, step):
    """Newton step that stays within bounds: entries that would leave stop at their bound, the others are solved again."""
    size = gradient.size
    moving = free.copy()
    fixed = np.zeros(size)
    pull = np.empty(size)
    for _ in range(size + 1):
        for i in range(size):
            pull[i] = gradient[i]
            for j in range(size):
                if fixed[j] != 0.0:
                    pull[i] -= curvature[i, j] * fixed[j]
        solve_positive(curvature, pull, moving, step)
        crossed = False
        for i in range(size):
            if moving[i]:
                there = here[i] - step[i]
                if there < lower[i] or there > upper[i]:
                    fixed[i] = here[i] - (lower[i] if there < lower[i] else upper[i])
                    moving[i] = False
                    crossed = True
        if not crossed:
            break
    for i in range(size):
        if not moving[i]:
            step[i] = fixed[i]


@numba.njit(**_options)
def poisson_value(rows, sums, counts, given, amplitudes):
    """Negative ln L of the amplitudes, without the sum of the given background and without ln c!."""
    value = 0.0
    for r in range(sums.size):
        value += amplitudes[r] * sums[r]
    for b in range(counts.size):
        mu = FLOOR + given[b]
        for r in range(sums.size):
            mu += amplitudes[r] * rows[b, r]
        value -= counts[b] * math.log(mu)
    return value


@numba.njit(**_options)
def poisson_slopes(rows, sums, counts, given, amplitudes, gradient, curvature):
    """Gradient and second derivatives of the negative ln L; returns its value."""
    size = sums.size
    value = 0.0
    for r in range(size):
        gradient[r] = sums[r]
        value += amplitudes[r] * sums[r]
        for q in range(size):
            curvature[r, q] = 0.0
    for b in range(counts.size):
        mu = FLOOR + given[b]
        for r in range(size):
            mu += amplitudes[r] * rows[b, r]
        value -= counts[b] * math.log(mu)
        ratio = counts[b] / mu
        weight = ratio / mu
        for r in range(size):
            gradient[r] -= ratio * rows[b, r]
            part = weight * rows[b, r]
            for q in range(r + 1):
                curvature[r, q] += part * rows[b, q]
    for r in range(size):
        for q in range(r):
            curvature[q, r] = curvature[r, q]
    return value


@numba.njit(**_options)
def fit_amplitudes(rows, sums, counts, given, amplitudes, held, gradient, curvature, precision=1e-9):
    """Minimise the negative ln L over the amplitudes >= 0 in place; ``held`` (or -1) keeps its value. Returns the value.

    rows (bin, row) and counts hold the bins with counts only; sums are over all bins.
    """
    size = sums.size
    free = np.empty(size, np.bool_)
    step, new = np.empty(size), np.empty(size)
    value = poisson_slopes(rows, sums, counts, given, amplitudes, gradient, curvature)
    for _ in range(60):
        for r in range(size):
            free[r] = r != held and sums[r] > 0.0 and not (amplitudes[r] <= 0.0 and gradient[r] >= 0.0)
        solve_positive(curvature, gradient, free, step)
        gain = 0.0
        for r in range(size):
            gain += step[r] * gradient[r]
        if not gain > precision:
            break
        part, found = 1.0, False
        for _ in range(30):
            promised = 0.0
            for r in range(size):
                new[r] = max(amplitudes[r] - part * step[r], 0.0) if free[r] else amplitudes[r]
                promised += gradient[r] * (amplitudes[r] - new[r])
            trial = poisson_value(rows, sums, counts, given, new)
            if trial <= value - 1e-4 * promised:
                found = True
                break
            part *= 0.5
        if not found:
            break
        amplitudes[:] = new
        value = poisson_slopes(rows, sums, counts, given, amplitudes, gradient, curvature)
    return value


@numba.njit(**_options)
def climb(rows, sums, counts, given, amplitudes, steps):
    """Steps of expectation and maximisation: always uphill and positive, good from any start."""
    size = sums.size
    gather = np.empty(size)
    for _ in range(steps):
        gather[:] = 0.0
        for b in range(counts.size):
            mu = FLOOR + given[b]
            for r in range(size):
                mu += amplitudes[r] * rows[b, r]
            ratio = counts[b] / mu
            for r in range(size):
                gather[r] += ratio * rows[b, r]
        for r in range(size):
            if sums[r] > 0.0:
                amplitudes[r] *= gather[r] / sums[r]


@numba.njit(**_options)
def hermite(left, right, f_left, f_right, s_left, s_right, x):
    """Cubic through two values with their slopes, which are cut to at most three times the secant: it stays monotonic."""
    width = right - left
    secant = (f_right - f_left) / width
    if secant == 0.0:
        return f_left
    s_left = secant * min(max(s_left / secant, 0.0), 3.0)
    s_right = secant * min(max(s_right / secant, 0.0), 3.0)
    t = (x - left) / width
    u = 1.0 - t
    return f_left * (1.0 + 2.0 * t) * u * u + f_right * t * t * (3.0 - 2.0 * t) + width * t * u * (s_left * u - s_right * t)


@numba.njit(**_options)
def summarise_profile(place, fall, slope, best, level, confidence):
    """Lower end, upper end and upper limit of a profile of points in order.

    The ends are where ln L has fallen by ``level``, or zero. The limit U holds the part ``confidence`` of the area of
    exp(-fall) above zero, continued beyond the last point as an exponential.
    """
    size = place.size
    lower, upper = place[0], place[size - 1]
    fine = 12
    nodes = (size - 1) * fine + 1
    x, area = np.empty(nodes), np.zeros(nodes)
    before_x, before_f = place[0], max(fall[0], 0.0)
    x[0] = before_x
    for i in range(size - 1):
        for j in range(1, fine + 1):
            here = place[i] + (place[i + 1] - place[i]) * j / fine
            if min(fall[i], fall[i + 1]) > DEEPEST or fall[i] > 4.0 * DEEPEST:  # far off: a cubic would swing
                f = fall[i] + (fall[i + 1] - fall[i]) * j / fine
            else:
                f = max(hermite(place[i], place[i + 1], fall[i], fall[i + 1], slope[i], slope[i + 1], here), 0.0)
            if before_f > level >= f and here <= best * (1.0 + 1e-9):
                lower = before_x + (here - before_x) * (before_f - level) / (before_f - f)
            if before_f <= level < f and here > best:
                upper = before_x + (here - before_x) * (level - before_f) / (f - before_f)
            node = i * fine + j
            x[node] = here
            area[node] = area[node - 1] + 0.5 * (here - before_x) * (math.exp(-before_f) + math.exp(-f))
            before_x, before_f = here, f
    rest = math.exp(-before_f) / max(slope[size - 1], 1e-300)
    wanted = confidence * (area[nodes - 1] + rest)
    if wanted >= area[nodes - 1]:
        missing = (1.0 - confidence) * (area[nodes - 1] + rest) / rest
        return lower, upper, place[size - 1] - math.log(missing) / slope[size - 1]
    node = 1
    while area[node] < wanted:
        node += 1
    part = (wanted - area[node - 1]) / (area[node] - area[node - 1])
    return lower, upper, x[node - 1] + part * (x[node] - x[node - 1])


@numba.njit(**_options)
def scale_of(best, gradient, variance):
    """How far ln L falls by about one half above the best amplitude, from its slope and curvature there."""
    sigma = math.sqrt(variance) if variance > 0.0 else 0.0
    if gradient <= 0.0:
        return max(sigma, 1e-3)
    if sigma <= 0.0:
        return 0.5 / gradient
    bend = 1.0 / variance
    return 1.0 / (gradient + math.sqrt(gradient * gradient + bend))


@numba.njit(**_options)
def profile_amplitude(rows, sums, counts, given, best, value, gradient, curvature, which, stretch, place, fall, slope):
    """Profile of ln L in one amplitude: fills place, fall (divided by stretch) and slope; returns the number of points."""
    size = sums.size
    free = np.empty(size, np.bool_)
    for r in range(size):
        free[r] = r == which or (sums[r] > 0.0 and best[r] > 0.0)
    unit, step = np.zeros(size), np.zeros(size)
    unit[which] = 1.0
    solve_positive(curvature, unit, free, step)
    start = max(gradient[which], 0.0) if best[which] <= 0.0 else 0.0
    reach = scale_of(best[which], start, step[which]) * math.sqrt(stretch)
    work_gradient, work_curvature, amplitudes = np.empty(size), np.empty((size, size)), np.empty(size)
    count = 0
    if best[which] > 0.0:
        place[0], count = 0.0, 1
        for k in range(5, 0, -1):
            far = best[which] - reach * _UPWARD[k - 1]
            if best[which] < 4.5 * reach:  # zero is near: points in parts of the best value
                far = best[which] * _PARTS[k - 1]
            if far > 0.0:
                place[count] = far
                count += 1
    middle = count
    place[count] = best[which]
    count += 1
    for k in range(6):
        place[count] = best[which] + reach * _UPWARD[k]
        count += 1
    fall[middle], slope[middle] = 0.0, start / stretch
    for side in range(2):
        amplitudes[:] = best
        order = np.arange(middle - 1, -1, -1) if side == 0 else np.arange(middle + 1, count)
        for i in order:
            away = place[i] - amplitudes[which]
            amplitudes[which] = place[i]
            for r in range(size):  # along the line that the others follow near the best
                if r != which and best[r] > 0.0 and step[which] > 0.0:
                    amplitudes[r] = max(amplitudes[r] + away * step[r] / step[which], 0.3 * amplitudes[r])
            there = fit_amplitudes(rows, sums, counts, given, amplitudes, which, work_gradient, work_curvature, 1e-5)
            fall[i] = max(there - value, 0.0) / stretch
            slope[i] = work_gradient[which] / stretch
            if side == 1 and fall[i] > 0.8 * DEEPEST:
                return i + 1
    return count


@numba.njit(**_options)
def fit_one(templates, sums, counts, given, species, level, confidence, stretch, results, amplitudes):
    """Fit the amplitudes of one spectrum and profile the first ``species`` of them.

    results (species, 5): lower end, upper end, limit, significance, variance by curvature. Returns the negative ln L.
    """
    size = templates.shape[0]
    seen = np.flatnonzero(counts > 0.0)
    rows, some, background = np.empty((seen.size, size)), np.empty(seen.size), np.empty(seen.size)
    for k in range(seen.size):
        some[k], background[k] = counts[seen[k]], given[seen[k]]
        for r in range(size):
            rows[k, r] = templates[r, seen[k]]
    total = counts.sum()
    amplitudes[:] = 0.0
    for r in range(size):
        if sums[r] > 0.0:
            amplitudes[r] = max(total, 1e-6) / size / sums[r]
    climb(rows, sums, some, background, amplitudes, 4)
    gradient, curvature = np.empty(size), np.empty((size, size))
    value = fit_amplitudes(rows, sums, some, background, amplitudes, -1, gradient, curvature)
    place, fall, slope = np.empty(POINTS), np.empty(POINTS), np.empty(POINTS)
    for s in range(species):
        if not sums[s] > 0.0:
            results[s] = np.nan
            continue
        count = profile_amplitude(
            rows, sums, some, background, amplitudes, value, gradient, curvature, s, stretch, place, fall, slope
        )
        found = summarise_profile(place[:count], fall[:count], slope[:count], amplitudes[s], level, confidence)
        results[s, 0], results[s, 1], results[s, 2] = found
        results[s, 3] = math.sqrt(2.0 * fall[0]) if amplitudes[s] > 0.0 else 0.0
    return value


@numba.njit(parallel=True, **_options)
def fit_many(templates, counts, given, species, level, confidence, stretch, results, amplitudes, values):
    """`fit_one` for every spectrum; counts (spectrum, bin), results (spectrum, species, 5), amplitudes (spectrum, row)."""
    sums = templates.sum(axis=1)
    for i in numba.prange(counts.shape[0]):
        values[i] = fit_one(templates, sums, counts[i], given, species, level, confidence, stretch[i], results[i], amplitudes[i])


@numba.njit(parallel=True, **_options)
def shift_many(templates, counts, given, amplitudes, errors, shifts):
    """Root of the summed squares of the shifts of the amplitudes by errors (error, species, bin) of the templates."""
    rows, bins = templates.shape
    directions, species, _ = errors.shape
    for i in numba.prange(counts.shape[0]):
        curvature, pull = np.zeros((rows, rows)), np.zeros((directions, rows))
        changes, free, step = np.empty(directions), np.empty(rows, np.bool_), np.empty(rows)
        for b in range(bins):
            mu = FLOOR + given[b]
            for r in range(rows):
                mu += amplitudes[i, r] * templates[r, b]
            for j in range(directions):
                change = 0.0
                for s in range(species):
                    change += amplitudes[i, s] * errors[j, s, b]
                changes[j] = change
            weight = 1.0 / (mu + 1e-6)
            for r in range(rows):
                part = templates[r, b] * weight
                for q in range(rows):
                    curvature[r, q] += part * templates[q, b]
                for j in range(directions):
                    pull[j, r] += part * changes[j]
        for r in range(rows):
            free[r] = curvature[r, r] > 0.0
        for s in range(species):
            shifts[i, s] = 0.0
        for j in range(directions):
            solve_positive(curvature, pull[j], free, step)
            for s in range(species):
                shifts[i, s] += step[s] ** 2
        for s in range(species):
            shifts[i, s] = math.sqrt(shifts[i, s])
