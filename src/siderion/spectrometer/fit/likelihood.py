"""Joint likelihood of amplitudes, backgrounds, tail weights and shape, over one or several histograms.

-ln L = sum_bins (mu - c ln mu) + priors,  mu = sum_r n_r sum_k w_k T_kr(shape) / sum w + b.

A calibration interval is a histogram of its own with its own amplitudes, that shares the shape: the same as a prior from its
fit, without the assumption that the prior is Gaussian.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .kernels import FLOOR, bounded_step, climb, fit_amplitudes
from .shape import LATE, Channel, ShapeFamily

Array = NDArray[np.float64]
_STEP = 2e-7
"""Step of the differences by the shape parameters, ln units."""
_GAUGE = 1e4
"""Holds the sum of the weights at 1; the expected counts do not depend on the sum."""
_STALE = {"width": 1e-3, "time_scale": 2e-5, "tail": 3e-3, "stretch": 3e-3, "growth": 0.01, "fragment_scale": 1e-4}
"""Derivatives by the shape are taken anew when a parameter has moved by this much."""


@dataclass(frozen=True)
class Solution:
    """A minimum: parameters, value of -ln L, its slopes and second derivatives, and the expected counts."""

    parameters: Array
    value: float
    gradient: Array
    curvature: Array
    expected: Array


@dataclass
class JointLikelihood:
    """Parameters in one row: amplitudes of all species of all channels, fitted backgrounds, weights of the tails, shape."""

    channels: tuple[Channel, ...]
    family: ShapeFamily
    counts: Array = field(init=False)
    rows: int = field(init=False)

    def __post_init__(self) -> None:
        """Put the channels together."""
        self.counts = np.concatenate([channel.counts for channel in self.channels])
        self.rows = sum(len(channel.species) for channel in self.channels)
        lines, given, column = [], np.zeros(self.counts.size), 0
        for channel in self.channels:
            there = slice(column, column + channel.counts.size)
            flat = np.diff(channel.edges) / np.mean(np.diff(channel.edges))
            if channel.background is None:
                lines.append(np.zeros(self.counts.size))
                lines[-1][there] = flat
            else:
                given[there] = channel.background * flat
            column = there.stop
        self.lines = np.array(lines).reshape(len(lines), self.counts.size)
        self.given = given
        self.tails = self.family.parts if self.family.parts > 1 else 0
        self._stale = np.array([_STALE.get(name, 1e-4) for name in self.family.names])
        self._derived: tuple[Array, Array] | None = None
        self._last: tuple[Array, Array] | None = None

    @property
    def size(self) -> int:
        """Number of all parameters."""
        return self.rows + len(self.lines) + self.tails + len(self.family.names)

    def parts(self, parameters: Array) -> tuple[Array, Array, Array, Array]:
        """Amplitudes, backgrounds, weights, shape."""
        first = self.rows + len(self.lines)
        second = first + self.tails
        weights = parameters[first:second] if self.tails else np.ones(1)
        return parameters[: self.rows], parameters[self.rows : first], weights, parameters[second:]

    def bounds(self) -> tuple[Array, Array]:
        """Lower and upper bounds of the parameters."""
        linear = self.size - len(self.family.names)
        lower = np.concatenate([np.zeros(linear), self.family.lowest])
        return lower, np.concatenate([np.full(linear, np.inf), self.family.highest])

    def templates(self, shape: Array) -> Array:
        """Templates (tail, row, bin) of a shape; those of the last one are kept."""
        if self._last is None or not np.array_equal(self._last[0], shape):
            self._last = shape.copy(), self.family.templates(shape, self.channels)
        return self._last[1]

    def derivatives(self, shape: Array) -> Array:
        """Derivatives (parameter, tail, row, bin) of the templates; kept while the shape moves little."""
        if self._derived is None or np.any(np.abs(self._derived[0] - shape) > self._stale):
            middle = self.templates(shape)
            slopes = []
            for j in range(shape.size):
                moved = shape.copy()
                moved[j] += _STEP if moved[j] + _STEP < self.family.highest[j] else -_STEP
                slopes.append((self.family.templates(moved, self.channels) - middle) / (moved[j] - shape[j]))
            self._derived = shape.copy(), np.array(slopes).reshape(shape.size, *middle.shape)
        return self._derived[1]

    def expected(self, parameters: Array) -> Array:
        """Expected counts of all bins."""
        amplitudes, backgrounds, weights, shape = self.parts(parameters)
        by_tail = amplitudes @ self.templates(shape)
        return weights @ by_tail / weights.sum() + backgrounds @ self.lines + self.given

    def value(self, parameters: Array) -> float:
        """-ln L with priors, without the constant ln c!."""
        return self._value(self.expected(parameters), parameters)

    def _value(self, expected: Array, parameters: Array) -> float:
        _, _, weights, _ = self.parts(parameters)
        pulls, _ = self.pulls(parameters)
        gauge = 0.5 * _GAUGE * (weights.sum() - 1.0) ** 2 if self.tails else 0.0
        return float(expected.sum() - self.counts @ np.log(expected + FLOOR) + 0.5 * float(pulls @ pulls) + gauge)

    def pulls(self, parameters: Array) -> tuple[Array, Array]:
        """Distances from the priors of the shape in standard deviations, and their derivatives (prior, parameter).

        The time scale has no cost while the predicted time lies between the centre of the Gaussian and the mean of the peak:
        predicted times rest on the mean loss of energy, measured ones on the top of the peak.
        """
        _, _, weights, shape = self.parts(parameters)
        first = self.size - shape.size
        values = (shape - self.family.start) / self.family.spread
        slopes = np.zeros((shape.size, self.size))
        slopes[np.arange(shape.size), first + np.arange(shape.size)] = 1.0 / self.family.spread
        if "time_scale" in self.family.names:
            j = self.family.names.index("time_scale")
            constants = self.family.delays(shape)
            total = weights.sum()
            delay = float(weights @ constants) / total
            early = shape[j] + delay
            if shape[j] > 0.0:
                values[j], slopes[j] = values[j] / LATE, slopes[j] / LATE
            elif early >= 0.0:
                values[j], slopes[j] = 0.0, 0.0
            else:
                values[j] = early / self.family.spread[j]
                if self.tails:
                    slopes[j, first - self.tails : first] = (constants - delay) / total / self.family.spread[j]
                for name in ("stretch", "tail"):
                    if name in self.family.names:
                        slopes[j, first + self.family.names.index(name)] = delay / self.family.spread[j]
        return values, slopes

    def solution(self, parameters: Array) -> Solution:
        """Value, slopes and second derivatives (without those of the templates) at parameters."""
        amplitudes, _, weights, shape = self.parts(parameters)
        templates, derivatives = self.templates(shape), self.derivatives(shape)
        part = weights / weights.sum()
        by_tail = amplitudes @ templates
        of_species = part @ by_tail
        rows = [np.einsum("k,krb->rb", part, templates), self.lines]
        if self.tails:
            rows.append((by_tail - of_species) / weights.sum())
        rows.append(np.einsum("k,r,jkrb->jb", part, amplitudes, derivatives, optimize=True))
        jacobian = np.concatenate(rows)
        expected = self.expected(parameters)
        ratio = self.counts / (expected + FLOOR)
        gradient = jacobian @ (1.0 - ratio)
        curvature = (jacobian * (ratio / (expected + FLOOR))) @ jacobian.T
        first = self.size - shape.size
        pulls, slopes = self.pulls(parameters)
        gradient += pulls @ slopes
        curvature += slopes.T @ slopes
        if self.tails:
            there = slice(first - self.tails, first)
            gradient[there] += _GAUGE * (weights.sum() - 1.0)
            curvature[there, there] += _GAUGE
        return Solution(parameters, self._value(expected, parameters), gradient, curvature, expected)

    def free(self, found: Solution, held: int | None = None) -> NDArray[np.bool_]:
        """Parameters that are not held and not pressed against a bound."""
        lower, upper = self.bounds()
        stuck = (found.parameters <= lower) & (found.gradient >= 0.0) | (found.parameters >= upper) & (found.gradient <= 0.0)
        free = ~stuck & (np.diag(found.curvature) > 0.0)
        if held is not None:
            free[held] = False
        return free

    def minimise(self, start: Array, held: int | None = None, precision: float = 1e-4, steps: int = 60) -> Solution:
        """Damped Newton steps from ``start``; ``held`` keeps its value. Stops where ln L would rise by ``precision`` / 2."""
        lower, upper = self.bounds()
        found = self.solution(np.clip(start, lower, upper))
        damping = 1e-6
        step = np.zeros(self.size)
        for _ in range(steps):
            free = self.free(found, held)
            damped = found.curvature + damping * np.diag(np.diag(found.curvature))
            bounded_step(damped, found.gradient, found.parameters, lower, upper, free, step)
            promised = float(step @ found.gradient)
            if 0.0 <= promised <= precision or damping > 1e8:
                break
            if not promised > 0.0:
                damping = max(damping * 10.0, 1e-5)
                continue
            new = np.where(free, np.clip(found.parameters - step, lower, upper), found.parameters)
            if self.tails and not self.parts(new)[2].sum() > 1e-3:
                damping = max(damping * 10.0, 1e-5)
                continue
            value = self.value(new)
            if value < found.value - 1e-4 * promised:
                found = self.solution(new)
                damping = max(damping / 10.0, 1e-9)
                continue
            damping = max(damping * 10.0, 1e-5)
        return found

    def start(self, shape: Array) -> tuple[Array, float]:
        """Amplitudes and weights for a given shape, every species with a tail of its own, and the value of -ln L."""
        templates = self.templates(shape)
        count = templates.shape[0]
        matrix = np.concatenate([templates.reshape(count * self.rows, self.counts.size), self.lines])
        sums, seen = matrix.sum(axis=1), np.flatnonzero(self.counts > 0)
        some = self.counts[seen].astype(float)
        pieces = np.where(sums > 0.0, max(some.sum(), 1e-6) / max(len(sums), 1) / np.where(sums > 0.0, sums, 1.0), 0.0)
        columns = np.ascontiguousarray(matrix[:, seen].T)
        climb(columns, sums, some, self.given[seen], pieces, 10)
        gradient, curvature = np.empty(len(sums)), np.empty((len(sums), len(sums)))
        fit_amplitudes(columns, sums, some, self.given[seen], pieces, -1, gradient, curvature, 1e-2)
        by_species = pieces[: count * self.rows].reshape(count, self.rows)
        weights = by_species.sum(axis=1) + 1e-3 * max(by_species.sum(), 1e-6)  # all alike without species
        amplitudes = by_species.sum(axis=0)
        pieces_of = [amplitudes, pieces[count * self.rows :], weights / weights.sum() if self.tails else [], shape]
        start = np.concatenate(pieces_of)
        return start, self.value(start)

    def fit(self) -> Solution:
        """The global minimum: Newton steps from the best points of a grid of widths and time scales."""
        if not self.family.names:
            return self.minimise(self.start(self.family.start)[0], precision=1e-6)
        widths = np.log([0.006, 0.011, 0.018, 0.028, 0.045])
        scaled = "time_scale" in self.family.names
        scale = self.family.names.index("time_scale") if scaled else 0
        moves = np.linspace(self.family.lowest[scale], self.family.highest[scale], 15) if scaled else np.zeros(1)
        starts = []
        for move in moves:
            best: tuple[float, Array] | None = None
            for width in widths:
                shape = self.family.start.copy()
                shape[0] = width
                if scaled:
                    shape[scale] = move
                start, value = self.start(np.clip(shape, self.family.lowest, self.family.highest))
                if best is None or value < best[0]:
                    best = value, start
            assert best is not None
            starts.append(best)
        starts.sort(key=lambda pair: pair[0])
        rough = [self.minimise(start, precision=1e-2) for _, start in starts[:4]]
        return self.minimise(min(rough, key=lambda found: found.value).parameters, precision=1e-6)
