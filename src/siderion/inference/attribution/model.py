"""The model of counts as arrays: expected counts of every source in every channel, their likelihood, and their slopes.

Everything that is not known is a standard normal number: strengths, composition, factors of the context, efficiency, and how
much a supply scatters in time. Expected counts are sums of their exponentials, so that one vector of normal numbers says all.
What the model leaves out is one more factor for each channel and source, gamma distributed about 1. It is integrated out:
counts are negative binomial with the variance D mean + d^2 sum over sources of mean^2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from siderion.inference.attribution.context import SOURCES, setting
from siderion.inference.attribution.observation import Observation, target_channels
from siderion.inference.attribution.priors import Prior

Array = NDArray[np.float64]
_LARGEST = 300.0
"""Of a logarithm, so that the product of two exponentials stays finite."""
_SMALLEST = 1e-280
SHARES = ("spill", "pickup_tail")
"""Shares that are not known: settings with the endings _share and _factor."""


@dataclass(frozen=True)
class Block:
    """One observation as arrays: by stream (strengths) and by the ions that it can count."""

    centre: Array
    slope: Array
    ions: NDArray[np.int64]
    parts: tuple[tuple[str, Array], ...]
    counts: Array
    scale: Array

    @cached_property
    def key(self) -> bytes:
        """Equal for observations that count the same shares of the ions."""
        return self.ions.tobytes() + b"".join(part.tobytes() for _, part in self.parts) + repr(self.counts.shape).encode()


@dataclass(frozen=True)
class Local:
    """Slopes of the logarithm of the expected counts, of shape (sample, channel, number), and of the likelihood along it."""

    jacobian: Array
    score: Array
    information: Array


@dataclass(frozen=True)
class Problem:
    """Observations and a prior as arrays.

    Attributes
    ----------
    names : tuple of str
        Name of every normal number.
    observations : tuple of Observation
        What was counted.
    prior : Prior
        Its name and width.
    dispersion, discrepancy : float
        Variance of the counts over their mean; deviation of the factor of each channel and source.
    stream_source : array of shape (stream,)
        Source of each stream; ions of a stream share a strength.
    """

    names: tuple[str, ...]
    observations: tuple[Observation, ...]
    prior: Prior
    dispersion: float
    discrepancy: float
    stream_source: NDArray[np.int64]
    ion_stream: NDArray[np.int64]
    ion_centre: Array
    ion_slope: Array
    blocks: tuple[Block, ...]

    @property
    def size(self) -> int:
        """How many normal numbers."""
        return len(self.names)

    def rates(self, z: Array) -> list[Array]:
        """Expected counts by observation, each of shape (sample, source, channel)."""
        ions, shares, strength = self._ions(z), self._shares(z), self._strengths(z)
        known: dict[bytes, Array] = {}
        found = []
        for k, block in enumerate(self.blocks):
            if block.key not in known:
                known[block.key] = self._by_stream(block, ions, shares)
            streams = known[block.key] * strength[:, k, :, None]
            rate = np.zeros((len(z), len(SOURCES), len(block.counts)))
            for stream, source in enumerate(self.stream_source):
                rate[:, source] += streams[:, stream]
            found.append(rate)
        return found

    def plain_rates(self, z: Array) -> Array:
        """Expected counts of all observations side by side, of shape (sample, source, channel)."""
        return np.concatenate(self.rates(z), axis=2)

    @cached_property
    def all_counts(self) -> Array:
        """Counts of all observations side by side."""
        return np.concatenate([block.counts for block in self.blocks])

    @cached_property
    def all_scales(self) -> Array:
        """Equivalent counts per expected count, side by side."""
        return np.concatenate([block.scale for block in self.blocks])

    def log_likelihood(self, rates: Sequence[Array]) -> Array:
        """Logarithm of the likelihood of all counts, of shape (sample,)."""
        by_source = np.concatenate(rates, axis=2) * self.all_scales
        mean = np.maximum(by_source.sum(axis=1), _SMALLEST)
        return log_probability(self.all_counts, mean, self._excess(by_source, mean)).sum(axis=1)

    def draw_counts(self, rates: Sequence[Array], generator: np.random.Generator) -> Array:
        """Counts drawn for every sample, of shape (sample, channel) side by side; of equivalent counts where there is a scale."""
        by_source = np.concatenate(rates, axis=2) * self.all_scales
        mean = by_source.sum(axis=1)
        ratio = np.maximum(self._excess(by_source, mean), 1e-12 * mean + 1e-300) / np.maximum(mean, 1e-300)
        return generator.poisson(np.minimum(generator.gamma(mean / ratio, ratio), 1e15)).astype(np.float64)

    def target_shares(self, rates: Sequence[Array]) -> Array:
        """Share of each source in the expected counts of the target, of shape (sample, source)."""
        whole = self.target_counts(rates)
        return whole / np.maximum(whole.sum(axis=1, keepdims=True), 1e-300)

    def target_counts(self, rates: Sequence[Array]) -> Array:
        """Expected counts of the target, of shape (sample, source)."""
        whole = np.zeros((len(rates[0]), len(SOURCES)))
        for observation, found in zip(self.observations, rates, strict=True):
            if observation.is_target:
                whole += found[:, :, target_channels(observation)].sum(axis=2)
        return whole

    def local(self, z: Array) -> Local:
        """Slopes at some points."""
        by_source = self.plain_rates(z) * self.all_scales
        mean = np.maximum(by_source.sum(axis=1), _SMALLEST)
        variance = mean + self._excess(by_source, mean)
        jacobian = self._slopes_of_counts(z, None) / np.maximum(mean / self.all_scales, _SMALLEST)[:, :, None]
        return Local(jacobian, (self.all_counts - mean) * mean / variance, mean**2 / variance)

    def one_source(self, z: Array, source: NDArray[np.int64]) -> tuple[Array, Array]:
        """Logarithm of the expected counts from one source for each sample and channel, and its slopes.

        Source has the shape (sample, channel); the slopes (sample, channel, number).
        """
        rates = self.plain_rates(z)
        mean = np.maximum(np.take_along_axis(rates, source[:, None, :], axis=1)[:, 0], _SMALLEST)
        return np.log(mean), self._slopes_of_counts(z, source) / mean[:, :, None]

    def _excess(self, by_source: Array, mean: Array) -> Array:
        """Variance of the counts less their mean."""
        return (self.dispersion - 1.0) * mean + self.discrepancy**2 * np.sum(np.minimum(by_source, 1e140) ** 2, axis=1)

    def _ions(self, z: Array) -> Array:
        return np.exp(np.clip(self.ion_centre + z @ self.ion_slope.T, -_LARGEST, _LARGEST))

    def _shares(self, z: Array) -> dict[str, Array]:
        return {
            name: np.exp(np.log(setting(f"{name}_share")) + np.log(setting(f"{name}_factor")) * z[:, self.names.index(name)])
            for name in SHARES
        }

    def _strengths(self, z: Array) -> Array:
        """Of shape (sample, observation, stream)."""
        found = np.exp(np.clip(self._centres + z @ self._slopes.T, -_LARGEST, _LARGEST))
        return found.reshape(len(z), len(self.blocks), len(self.stream_source))

    def _by_stream(self, block: Block, ions: Array, shares: dict[str, Array]) -> Array:
        """Counts by stream and channel per unit of strength, of shape (sample, stream, channel)."""
        found = np.zeros((len(ions), len(self.stream_source), len(block.counts)))
        for stream in range(len(self.stream_source)):
            own = self.ion_stream[block.ions] == stream
            for name, part in block.parts:
                if part[:, own].any():
                    some = ions[:, block.ions[own]] @ part[:, own].T
                    found[:, stream] += some * shares[name][:, None] if name else some
        return found

    def _slopes_of_counts(self, z: Array, source: NDArray[np.int64] | None) -> Array:
        """Derivative of the expected counts (of one source for each channel), of shape (sample, channel, number)."""
        ions, shares, strength = self._ions(z), self._shares(z), self._strengths(z)
        found, first = [], 0
        for k, block in enumerate(self.blocks):
            stream = self.ion_stream[block.ions]
            amount = ions[:, block.ions] * strength[:, k, stream]
            whole = np.zeros((len(z), len(block.counts), self.size))
            for name, part in block.parts:
                if not part.any():
                    continue
                slope = self.ion_slope[block.ions] + block.slope[stream]
                terms = amount[:, None, :] * part[None]
                if name:
                    slope[:, self.names.index(name)] += np.log(setting(f"{name}_factor"))
                    terms *= shares[name][:, None, None]
                if source is not None:
                    wanted = source[:, first : first + len(block.counts)]
                    terms *= self.stream_source[stream][None, None, :] == wanted[:, :, None]
                whole += terms @ slope
            found.append(whole)
            first += len(block.counts)
        return np.concatenate(found, axis=1)

    @cached_property
    def _centres(self) -> Array:
        """Logarithms of the strengths of all observations, one after the other."""
        return np.concatenate([block.centre for block in self.blocks])

    @cached_property
    def _slopes(self) -> Array:
        """Their dependence on the normal numbers."""
        return np.concatenate([block.slope for block in self.blocks])


def log_probability(counts: Array, mean: Array, excess: Array | float = 0.0) -> Array:
    """Logarithm of the negative binomial probability with the variance mean + excess; of the Poisson one without excess.

    Counts need not be whole; the gamma function takes the place of the factorial.
    """
    counts, mean, excess = np.broadcast_arrays(counts, mean, np.asarray(excess, dtype=np.float64))
    poisson = xlogy(counts, mean) - mean - gammaln(counts + 1.0)
    wide = excess > 1e-6 * mean
    if not wide.any():
        return np.asarray(poisson)
    n, m, e = (np.where(wide, one, other) for one, other in ((counts, 0.0), (mean, 1.0), (excess, 1.0)))
    size = m * (m / e)
    found = gammaln(n + size) - gammaln(size) - gammaln(n + 1.0) - size * np.log1p(e / m) + n * (np.log(e / m) - np.log1p(e / m))
    return np.where(wide, found, poisson)


__all__ = ["SHARES", "Block", "Local", "Problem", "log_probability"]
