"""Shapes of the peaks of a time-of-flight spectrum, as probabilities of bins.

All species share one relative width and one relative tail, because both come from the energy loss in the foil and the flight
path. The fragments of molecules are widened by the energy released in the break-up; this is done by the exact mean and variance
of the fragment that is seen first, not by the box shape of its law.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, least_squares
from scipy.special import erfcx, ndtr

from siderion.core.errors import SettingsError

from .flight_time import flight_components, single_fragments
from .foil import default_energy_release
from .foil_stopping import foil_constants
from .instruments import FOIL, Setup

Array = NDArray[np.float64]

EXPONENTIAL, POWER = "exponential", "power"
KINDS = (EXPONENTIAL, POWER)
"""A normal law convolved with an exponential one, or a normal law that goes over into a power of the time."""

SCALINGS = ("shared", "straggling")
"""Whether all species have the width and tail of O+, or such as their straggling in the foil gives."""


@dataclass(frozen=True)
class PeakShape:
    """Shape that the peaks of all species share.

    Attributes
    ----------
    kind : {"exponential", "power"}
        Exponentially modified Gaussian, or Gaussian with a tail that falls as a power of the time.
    width : float
        Standard deviation of the Gaussian divided by the time.
    tail : float
        ``"exponential"``: time constant of the tail divided by the time. ``"power"``: probability in the tail, below 1.
    exponent : float
        ``"power"``: power with which the tail falls, above 1.
    time_scale : float
        Factor on all times.
    energy_release : float, optional
        Energy that the fragments of a molecule share, eV; the usual one of the table without it.
    scaling : {"shared", "straggling"}
        ``"shared"``: one relative width and tail for all species, the Gaussian's middle at the time of `flight_components`.
        ``"straggling"``: width and tail are those of O+ and grow with the computed spread of each atom in the foil and the
        clock; the mean of the peak, not its middle, is at the time of the atom; of the fragments of a molecule the first one
        seen has the exact law of the first. It follows the Monte Carlo four times closer for molecules, but a sum of such
        peaks with different tails is not again one.
    """

    kind: str = EXPONENTIAL
    width: float = 0.02
    tail: float = 0.02
    exponent: float = 3.0
    time_scale: float = 1.0
    energy_release: float | None = None
    scaling: str = "shared"

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.kind not in KINDS:
            raise SettingsError(f"kind of peak is {self.kind!r}; use one of {', '.join(KINDS)}")
        if self.scaling not in SCALINGS:
            raise SettingsError(f"scaling of the peak is {self.scaling!r}; use one of {', '.join(SCALINGS)}")
        if self.scaling == "straggling" and self.kind == POWER and self.exponent <= 2.0:
            raise SettingsError(f"exponent of the tail is {self.exponent}; its mean, which straggling needs, exists above 2 only")
        for name in ("width", "time_scale"):
            if not 0.0 < getattr(self, name) < np.inf:
                raise SettingsError(f"{name} of the peak is {getattr(self, name)}; it must be positive and finite")
        if not 0.0 <= self.tail < np.inf:
            raise SettingsError(f"tail of the peak is {self.tail}; it must be finite and not negative")
        if self.kind == POWER and not (self.tail < 1.0 and 1.0 < self.exponent < np.inf):
            raise SettingsError(
                f"tail of the peak is {self.tail} with exponent {self.exponent}; "
                f"a power tail holds less than 1 and falls faster than 1/t"
            )

    def with_values(self, **values: float) -> PeakShape:
        """The same shape with some of its numbers changed."""
        return replace(self, **values)  # type: ignore[arg-type]


class _Parts(NamedTuple):
    """All components of several species: centres (s), weights, added relative spreads, own widths, first component of each."""

    times: Array
    weights: Array
    spreads: Array
    own_widths: Array
    starts: NDArray[np.int64]


@lru_cache(maxsize=1024)
def _parts(species: tuple[str, ...], setup: Setup, release: float) -> _Parts:
    lists = [flight_components(name, setup, release) for name in species]
    flat = [part for parts in lists for part in parts]
    starts = np.concatenate([[0], np.cumsum([len(parts) for parts in lists])[:-1]]).astype(np.int64)
    times, weights, spreads, own_widths = (
        np.array([getattr(part, name) for part in flat]) for name in ("time", "weight", "release_spread", "own_width")
    )
    return _Parts(times, weights, spreads, own_widths, starts)


def peak_matrix(species: Sequence[str], edges_s: ArrayLike, setup: Setup, shape: PeakShape | None = None) -> Array:
    """Probability that one counted event of each species falls into each bin.

    Parameters
    ----------
    species : sequence of str
        Ions such as ``"O2+"``.
    edges_s : array (edge,)
        Edges of the bins, s, increasing.
    setup : Setup
        Instrument with a time axis; for a magnetic analyser see `siderion.spectrometer.magnetic`.
    shape : PeakShape, optional
        `default_shape` of the setup without it.

    Returns
    -------
    array (species, bin)
        Rows sum to at most 1; the rest lies outside of the bins. A molecule is counted once, at its first fragment.

    Raises
    ------
    CoverageError
        A species is not known, or stops in the foil.
    SettingsError
        The edges do not increase, or a species has no charge.
    """
    chosen = default_shape(setup) if shape is None else shape
    edges = np.asarray(edges_s, dtype=np.float64)
    if edges.ndim != 1 or edges.size < 2 or not (np.isfinite(edges).all() and (np.diff(edges) > 0.0).all()):
        raise SettingsError(
            f"edges of the bins must be finite and increase; got {edges.size} from {edges.min():g} to {edges.max():g} s"
        )
    if not species:
        return np.empty((0, edges.size - 1))
    release = default_energy_release() if chosen.energy_release is None else float(chosen.energy_release)
    if chosen.scaling == "straggling" and setup.instrument.principle == FOIL:
        below = np.array([_first_seen(name, edges, setup, chosen, release) for name in species])
        return np.asarray(np.maximum(np.diff(below, axis=1), 0.0))
    parts = _parts(tuple(species), setup, release)
    centres = chosen.time_scale * parts.times
    relative = np.where(np.isfinite(parts.own_widths), parts.own_widths, np.hypot(chosen.width, parts.spreads))
    ratio = np.where(np.isfinite(parts.own_widths), parts.own_widths / chosen.width, 1.0)
    sigma = centres * relative
    z = (edges - centres[:, None]) / sigma[:, None]
    if chosen.kind == EXPONENTIAL:
        below = exponential_distribution(z, (sigma / (centres * ratio * max(chosen.tail, 1e-12)))[:, None])
    else:
        below = power_distribution(z, chosen.tail, chosen.exponent)
    probability = parts.weights[:, None] * np.maximum(np.diff(below, axis=1), 0.0)
    return np.add.reduceat(probability, parts.starts, axis=0)


def _first_seen(species: str, edges: Array, setup: Setup, shape: PeakShape, release: float) -> Array:
    """Distribution function of a species at the edges, with the widths of straggling and the exact law of the first fragment."""
    (oxygen,) = single_fragments("O+", setup, release)
    jitter = setup.instrument.time_resolution
    own = np.hypot(setup.instrument.path_spread, jitter / oxygen.time)
    fragments = single_fragments(species, setup, release)
    unseen = np.ones(edges.size)
    efficiency = foil_constants()["stop_efficiency"] if len(fragments) > 1 else 1.0
    for part in fragments:
        wide = np.hypot(setup.instrument.path_spread, jitter / part.time)
        ratio = np.hypot(part.straggling_spread, wide) / np.hypot(oxygen.straggling_spread, own)
        width = np.hypot(ratio * shape.width, part.release_spread)
        tail = ratio * shape.tail if shape.kind == EXPONENTIAL else shape.tail
        late = tail if shape.kind == EXPONENTIAL else power_mean(shape.tail, shape.exponent) * ratio * shape.width
        centre = (
            shape.time_scale * part.time * (1.0 - tail)
            if shape.kind == EXPONENTIAL
            else shape.time_scale * part.time / (1.0 + late)
        )
        z = (edges / centre - 1.0) / width
        if shape.kind == EXPONENTIAL:
            reached = exponential_distribution(z, width * centre / (shape.time_scale * part.time * max(tail, 1e-12)))
        else:
            reached = power_distribution(z, shape.tail, shape.exponent)
        unseen = unseen * (1.0 - efficiency * reached)
    return np.asarray((1.0 - unseen) / (1.0 - (1.0 - efficiency) ** len(fragments)))


def power_mean(tail: float, exponent: float) -> float:
    """Mean of `power_distribution` in standard deviations of its core; the exponent must be above 2."""
    if tail < 1e-250:
        return 0.0
    alpha = _joint(tail, exponent)
    core = -np.exp(-0.5 * alpha**2) / (np.sqrt(2.0 * np.pi) * ndtr(alpha))
    return float((1.0 - tail) * core + tail * (alpha + exponent / (alpha * (exponent - 2.0))))


def exponential_distribution(z: ArrayLike, rate: ArrayLike) -> Array:
    """Distribution function of a unit normal variable plus an exponential one.

    F = Phi(z) - exp(r^2 / 2 - r z) Phi(z - r), with r the standard deviation over the time constant; written with the scaled
    complementary error function where the exponential would overflow.

    Parameters
    ----------
    z : array
        Distance from the centre of the normal law in its standard deviations.
    rate : array
        r, positive.
    """
    distance, r = np.asarray(z, dtype=np.float64), np.asarray(rate, dtype=np.float64)
    beyond = r - distance
    with np.errstate(over="ignore", under="ignore"):
        early = 0.5 * np.exp(-0.5 * distance**2) * erfcx(np.maximum(beyond, 0.0) / np.sqrt(2.0))
        late = np.exp(np.minimum(0.5 * r**2 - r * distance, 0.0)) * ndtr(-beyond)
    return np.asarray(ndtr(distance) - np.where(beyond >= 0.0, early, late))


@lru_cache(maxsize=256)
def _joint(tail: float, exponent: float) -> float:
    """Distance from the centre, in standard deviations, at which the power tail with a given probability begins."""

    def excess(logarithm: float) -> float:
        alpha = np.exp(logarithm)
        wing = exponent / alpha * np.exp(-0.5 * alpha**2) / (exponent - 1.0)
        return float(np.log(wing) - np.log(np.sqrt(2.0 * np.pi) * ndtr(alpha)) - np.log(tail / (1.0 - tail)))

    return float(np.exp(brentq(excess, -30.0, np.log(36.0), xtol=1e-14)))


def power_distribution(z: ArrayLike, tail: float, exponent: float) -> Array:
    """Distribution function of a normal law that goes over smoothly into a power at late times.

    The density is exp(-z^2 / 2) up to a, and exp(-a^2 / 2) ((n/a) / (n/a - a + z))^n beyond; a follows from the probability in
    the tail. It is continuous with its slope.

    Parameters
    ----------
    z : array
        Distance from the centre in standard deviations.
    tail : float
        Probability beyond a, from 0 to below 1.
    exponent : float
        n, above 1.
    """
    distance = np.asarray(z, dtype=np.float64)
    if tail < 1e-250:
        return np.asarray(ndtr(distance))
    alpha = _joint(tail, exponent)
    core = ndtr(np.minimum(distance, alpha)) / ndtr(alpha)
    reach = exponent / alpha
    outside = np.power((reach + np.maximum(distance - alpha, 0.0)) / reach, 1.0 - exponent)
    return np.asarray((1.0 - tail) * core + tail * (1.0 - outside))


@lru_cache(maxsize=64)
def default_shape(setup: Setup, kind: str = EXPONENTIAL, scaling: str = "shared") -> PeakShape:
    """Shape that a Monte Carlo of oxygen ions suggests; one fitted to an interval of pure O+ should replace it.

    Width, tail and factor on the times are those for which the shape has the Monte Carlo's 5, 16, 50, 84 and 95 % points as
    closely as it can. The factor is below 1: the middle of the Gaussian is earlier than the mean, which the tail draws out.

    Parameters
    ----------
    setup : Setup
        Instrument with a time axis.
    kind : {"exponential", "power"}
    scaling : {"shared", "straggling"}
        See `PeakShape`.

    Returns
    -------
    PeakShape
    """
    from .foil_montecarlo import draw_flight_times

    points = np.array([0.05, 0.16, 0.5, 0.84, 0.95])
    part = flight_components("O+", setup)[0]
    drawn = np.quantile(draw_flight_times("O+", setup, 20_000, 20_260_101), points) / part.time
    guess = (drawn[2] - drawn[1]) / drawn[2]

    def misfit(x: Array) -> Array:
        shape = _shape_of(kind, x)
        z = (drawn / shape.time_scale - 1.0) / shape.width
        if kind == EXPONENTIAL:
            return np.asarray(exponential_distribution(z, shape.width / max(shape.tail, 1e-12)) - points)
        return np.asarray(power_distribution(z, shape.tail, shape.exponent) - points)

    start = np.log([guess, guess if kind == EXPONENTIAL else 0.1, drawn[1] / (1.0 - guess)])
    bounds = (start - np.array([2.0, 9.0, 0.2]), start + np.array([1.0, 2.0, 0.2]))
    shape = _shape_of(kind, least_squares(misfit, start, bounds=bounds, xtol=1e-10).x)
    if scaling == "shared" or setup.instrument.principle != FOIL:
        return shape
    # The same peak of O+, its place told by the mean.
    if kind == POWER:
        scale = shape.time_scale * (1.0 + power_mean(shape.tail, shape.exponent) * shape.width)
        return replace(shape, time_scale=scale, scaling=scaling)
    share = shape.tail / (1.0 + shape.tail)
    return replace(shape, time_scale=shape.time_scale * (1.0 + shape.tail), tail=share, scaling=scaling)


def _shape_of(kind: str, logarithms: Array) -> PeakShape:
    width, tail, scale = (float(value) for value in np.exp(logarithms))
    return PeakShape(kind, width, tail, time_scale=scale)
