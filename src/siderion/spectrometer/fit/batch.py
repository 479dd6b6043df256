"""Many spectra with one shape: the shape is fitted once to their sum, then every spectrum on its own, compiled and in parallel.

The error of the common shape goes into every amplitude through its derivatives: dn/dtheta = -H_nn^-1 H_ntheta, summed over the
principal directions of the covariance of the shape, in quadrature with the ends of the intervals.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from .goodness import goodness_of_fit
from .kernels import fit_many, shift_many
from .likelihood import JointLikelihood, Solution

Array = NDArray[np.float64]


class Amplitudes(NamedTuple):
    """Results of many spectra: species along the second axis; backgrounds (spectrum, line)."""

    best: Array
    lower: Array
    upper: Array
    limit: Array
    significance: Array
    background: Array
    goodness: Array
    scale: Array

    def with_errors(self, errors: Array, confidence: float) -> Amplitudes:
        """Add errors (spectrum, species) in quadrature to the ends, the limit and the significance."""
        best = self.best
        with np.errstate(divide="ignore", invalid="ignore"):
            sigma = np.where(self.significance > 0.0, best / self.significance, np.inf)
        return self._replace(
            lower=np.maximum(best - np.hypot(best - self.lower, errors), 0.0),
            upper=best + np.hypot(self.upper - best, errors),
            limit=best + np.hypot(self.limit - best, norm.ppf(confidence) * errors),
            significance=np.where(np.isnan(self.significance), np.nan, best / np.hypot(sigma, errors)),
        )


class SharedShape(NamedTuple):
    """Templates (species, bin) at the common shape, and what they change by along each principal error (error, species, bin)."""

    templates: Array
    errors: Array


def shared_shape(likelihood: JointLikelihood, found: Solution) -> SharedShape:
    """Templates of the first channel at a solution, with the errors of shape and weights.

    The covariance is that of the parameters of the shape with all amplitudes free.
    """
    channel = likelihood.channels[0]
    species, bins = len(channel.species), channel.counts.size
    _, _, weights, shape = likelihood.parts(found.parameters)
    templates = likelihood.templates(shape)[:, :species, :bins]
    derivatives = likelihood.derivatives(shape)[:, :, :species, :bins]
    part = weights / weights.sum()
    middle = np.einsum("k,ksb->sb", part, templates)
    changes = np.einsum("k,jksb->jsb", part, derivatives)
    if likelihood.tails:
        changes = np.concatenate([(templates - middle) / weights.sum(), changes])
    free = likelihood.free(found)
    first = likelihood.rows + len(likelihood.lines)
    index = np.flatnonzero(free)
    scale = np.sqrt(np.diag(found.curvature)[index])
    covariance = np.linalg.pinv(found.curvature[np.ix_(index, index)] / np.outer(scale, scale), rcond=1e-12)
    covariance /= np.outer(scale, scale)
    chosen = index >= first
    values, vectors = np.linalg.eigh(covariance[np.ix_(chosen, chosen)])
    vectors = vectors * np.sqrt(np.maximum(values, 0.0))
    errors = np.einsum("ij,isb->jsb", vectors, changes[index[chosen] - first])
    return SharedShape(middle, errors)


def fit_batch(
    counts: Array,
    shape: SharedShape,
    line: Array,
    background: float | None,
    confidence: float = 0.95,
    misfit_level: float = 0.01,
) -> Amplitudes:
    """Fit amplitudes, intervals and limits of many spectra with given templates.

    Parameters
    ----------
    counts : array of shape (spectrum, bin)
    shape : SharedShape
    line : array of shape (bin,)
        Form of the background: width of the bins over their mean.
    background : float or None
        Events per bin, known; None fits it.
    confidence, misfit_level : float
        As in `FitSettings`.

    Returns
    -------
    Amplitudes
    """
    species, number = len(shape.templates), len(counts)
    rows = np.concatenate([shape.templates, line[None]]) if background is None else shape.templates
    given = np.zeros(line.size) if background is None else background * line
    rows = np.ascontiguousarray(rows)
    data = np.ascontiguousarray(counts, dtype=float)
    results, amplitudes = np.zeros((number, species, 5)), np.zeros((number, len(rows)))
    values = np.zeros(number)
    fit_many(rows, data, given, species, 0.5, confidence, np.ones(number), results, amplitudes, values)
    chance, scale = goodness_of_fit(data, amplitudes @ rows + given, len(rows))
    wide = np.flatnonzero((chance < misfit_level) & (scale > 1.0))
    if wide.size:
        again, same = np.zeros((wide.size, species, 5)), np.zeros((wide.size, len(rows)))
        fit_many(rows, data[wide], given, species, 0.5, confidence, scale[wide] ** 2, again, same, np.zeros(wide.size))
        results[wide] = again
    best = amplitudes[:, :species]
    shifts = np.zeros((number, species))
    if len(shape.errors):
        shift_many(rows, data, given, amplitudes, np.ascontiguousarray(shape.errors), shifts)
    lower, upper, limit, significance = (results[:, :, k] for k in range(4))
    found = Amplitudes(best, lower, upper, limit, significance, amplitudes[:, species:], chance, scale)
    return found.with_errors(shifts, confidence)
