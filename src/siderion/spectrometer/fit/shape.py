"""Peak templates that share one shape: width, time scale, energy release, and a tail.

The default tail is a mixture: every peak is the sum over k of w_k times an exponentially modified Gaussian with the relative
constant tau_k (the first one zero), with w_k >= 0 and sum w_k = 1 shared by all species. That is any tail that falls
monotonically with all its derivatives alternating in sign (Bernstein's theorem): exponentials, power laws, and sums of them,
but no bump. So the unknown tail of a strong peak is fitted together with the weak peak on top of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from siderion.core.errors import SettingsError
from siderion.core.tables import load_table
from siderion.spectrometer.flight_time import Component, atoms_of, flight_components, loss_free_time
from siderion.spectrometer.foil_stopping import collision
from siderion.spectrometer.instruments import Setup
from siderion.spectrometer.peaks import PeakShape, exponential_distribution, power_distribution

Array = NDArray[np.float64]
MIXTURE_TAILS = (0.0, 0.01, 0.02, 0.04, 0.08, 0.15)
"""Relative constants of the exponentials of the mixture; neighbours differ by a factor of 2, and a common factor is free."""
MIXTURE_SLOPES = (0.03, 0.06, 0.11, 0.2, 0.33)
"""Relative scales of the half-normal parts of the mixture, which make shoulders."""
_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(4)
TAILS = ("mixture", "exponential", "power", "none")
"""Tails by name; a number is an exponential with this fixed relative constant."""
LARGEST_TIME_SCALE = 1.5
"""The time scale may move by this many of its prior."""
LATE = 0.5
"""Chosen: standard deviation and reach of the time scale towards later times, over those of its prior: the top of a peak lies
before its mean, and a wide freedom would let a lone O+ pass as N+."""
LARGEST_DELAY = 0.08
"""The mean of a peak may lie behind the centre of its Gaussian by this part of the time, and more at a cost."""
GROWTH = (1.5, 0.7)
"""Chosen: middle and standard deviation of the power of the straggling, plus 1; both 1 and 2 are likely."""
GROWTH_RANGE = (0.4, 2.2)
"""Limits of that power, plus 1; below 1 the time resolution of the electronics makes the heavy peaks relatively narrower."""
FRAGMENT_SCALE = 0.025
"""Chosen: standard deviation of the logarithm of the times of fragments: their energies lie below those of the measured losses,
and the two readings of the loss differ by 5 % in time, see docs/instruments.md."""
FRAGMENT_RANGE = (-0.03, 0.065)
"""Limits of that logarithm."""
LOSS_ERROR = 0.25
"""Relative error of the loss in the foil of atoms that were not measured: so well O comes out without its own."""
FULL_ERROR_FROM = 3
"""Distance from the next measured atom, in atomic number, from which that error counts in full; linear below. Chosen."""
LARGEST_PULL = 2.0
"""Times of single species may move by this many of their standard deviations."""


@dataclass(frozen=True)
class Channel:
    """One histogram: counts (bin), edges (bin + 1) in s, species in it, state of the instrument, background per bin.

    A background of None is fitted; one that is given is per bin of mean width.
    """

    counts: Array
    edges: Array
    species: tuple[str, ...]
    setup: Setup
    background: float | None = None


@dataclass(frozen=True)
class ShapeFamily:
    """What of the shape is free, where it starts, and its priors.

    Attributes
    ----------
    tail : str
        One of `TAILS`, or ``"fixed"``.
    base : PeakShape
        Start of the free parameters, and values of the others.
    tails : tuple of float
        Relative constants of the mixture; a single one else.
    names : tuple of str
        Free parameters, natural logarithms: width, time_scale, tail (or stretch, a common factor on the constants of the
        mixture), fragment_scale (factor on the times of fragments of molecules), ``time of X+`` (factor on the time of an atom
        whose loss in the foil was not measured); and growth less 1, the power of the computed
        straggling (over that of O+) with which width, tail and delay differ between species: 0 all alike, 1 as computed.
    start, spread, lowest, highest : array of shape (parameter,)
        Start and mean of the Gaussian priors, their standard deviations, bounds.
    """

    tail: str
    base: PeakShape
    tails: tuple[float, ...]
    names: tuple[str, ...]
    start: Array
    spread: Array
    lowest: Array
    highest: Array

    def value(self, parameters: Array, name: str, otherwise: float) -> float:
        """One parameter, not its logarithm; ``otherwise`` where it is not free."""
        if name not in self.names:
            return otherwise
        found = float(parameters[self.names.index(name)])
        return found if name == "growth" else float(np.exp(found))

    @property
    def parts(self) -> int:
        """Number of parts of the tail, each with a weight."""
        return len(self.tails) + (len(MIXTURE_SLOPES) if self.tail == "mixture" else 0)

    def delays(self, parameters: Array) -> Array:
        """Mean of each part of the tail behind the centre of the Gaussian, relative to the time."""
        found = self.constants(parameters)
        if self.tail != "mixture":
            return found
        slopes = np.array(MIXTURE_SLOPES) * np.sqrt(2.0 / np.pi) * self.value(parameters, "stretch", 1.0)
        return np.concatenate([found, slopes])

    def constants(self, parameters: Array) -> Array:
        """Relative constants of the exponentials; the share of the tail times its constant for a power is not known: 0."""
        if self.tail == "power":
            return np.zeros(1)
        if self.tail == "exponential":
            return np.array([self.value(parameters, "tail", self.base.tail)])
        return np.array(self.tails) * self.value(parameters, "stretch", 1.0)

    def templates(self, parameters: Array, channels: Sequence[Channel]) -> Array:
        """Probabilities (tail, row, bin): the rows are the species of all channels, the bins those of all channels."""
        rows = sum(len(channel.species) for channel in channels)
        bins = sum(channel.counts.size for channel in channels)
        result = np.zeros((self.parts, rows, bins))
        row = column = 0
        for channel in channels:
            there = slice(row, row + len(channel.species)), slice(column, column + channel.counts.size)
            if channel.species:
                result[:, there[0], there[1]] = self._peaks(parameters, channel)
            row, column = there[0].stop, there[1].stop
        return result

    def _peaks(self, parameters: Array, channel: Channel) -> Array:
        """Probabilities (tail, species, bin) of one channel."""
        parts = peak_parts(channel.species, channel.setup)
        growth = parts.ratios ** (self.value(parameters, "growth", 1.0) - 1.0)
        width = np.where(np.isnan(parts.own_widths), self.value(parameters, "width", self.base.width) * growth, parts.own_widths)
        move = np.log(self.value(parameters, "time_scale", self.base.time_scale))
        centre = parts.times * np.exp(move * growth if move < 0.0 else move + 0.0 * growth)
        centre = np.where(parts.molecular, centre * self.value(parameters, "fragment_scale", 1.0), centre)
        own = [self.value(parameters, _time_of(name), 1.0) for name in channel.species]
        centre = centre * np.repeat(own, np.diff(np.append(parts.starts, centre.size)))
        relative = np.hypot(width, parts.spreads)
        z = (channel.edges / centre[:, None] - 1.0) / relative[:, None]
        if self.tail == "power":
            below = power_distribution(z, self.value(parameters, "tail", self.base.tail), self.base.exponent)[None]
        else:
            constants = np.maximum(self.constants(parameters), 1e-9)
            with_tail = exponential_distribution(z, (relative / growth)[:, None] / constants[:, None, None])
            below = np.where(constants[:, None, None] > 1e-8, with_tail, ndtr(z))
        probability = np.maximum(np.diff(below, axis=2), 0.0)
        if self.tail == "mixture":
            scales = np.array(MIXTURE_SLOPES)[:, None] * self.value(parameters, "stretch", 1.0) * growth
            probability = np.concatenate([probability, shoulder_probability(channel.edges, centre, relative, scales)])
        probability *= parts.weights[:, None]
        return np.add.reduceat(probability, parts.starts, axis=1)


def shoulder_probability(edges: Array, centres: Array, relative: Array, scales: Array) -> Array:
    """Probability of each bin for a normal law plus a half-normal one: integrals of the skew normal density.

    Parameters
    ----------
    edges : array of shape (bin + 1,)
        s.
    centres, relative : array of shape (part,)
        Centre (s) and relative standard deviation of the normal law.
    scales : array of shape (scale, part)
        Relative scale of the half-normal law.

    Returns
    -------
    array of shape (scale, part, bin)
        By Gauss-Legendre quadrature on pieces of at most the standard deviation.
    """
    width = np.diff(edges)
    pieces = min(max(int(np.ceil((width.max() / (relative * centres)).max())), 1), 50)
    inner = (np.arange(pieces)[:, None] + 0.5 * (_NODES + 1.0)).ravel() / pieces
    times = (edges[:-1, None] + width[:, None] * inner).ravel()
    root = np.hypot(relative, scales)[..., None]
    u = (times / centres[:, None] - 1.0) / root
    density = np.exp(-0.5 * u**2) * ndtr(u * (scales / relative)[..., None]) / (root * centres[:, None])
    weights = np.tile(_NODE_WEIGHTS, pieces) / pieces / np.sqrt(2.0 * np.pi)
    summed = density.reshape(*density.shape[:-1], width.size, inner.size) @ weights
    return np.asarray(summed * width)


class PeakParts(NamedTuple):
    """Parts of the peaks of some species: times (s), weights, spreads by release, widths of their own (or NaN), widths over that
    of O+ by straggling and path, whether of a molecule, first part of each species."""

    times: Array
    weights: Array
    spreads: Array
    own_widths: Array
    ratios: Array
    molecular: NDArray[np.bool_]
    starts: NDArray[np.int64]


@lru_cache(maxsize=512)
def peak_parts(species: tuple[str, ...], setup: Setup) -> PeakParts:
    """Collect the parts of the peaks from `flight_components`; the release of energy is the usual one of the table."""
    lists = [flight_components(name, setup) for name in species]
    flat = [part for parts in lists for part in parts]
    oxygen = flight_components("O+", setup)[0]

    def wide(part: Component) -> float:
        fixed = np.hypot(setup.instrument.path_spread, setup.instrument.time_resolution / part.time)
        return float(max(np.hypot(part.straggling_spread, fixed), 1e-6))

    return PeakParts(
        np.array([part.time for part in flat]),
        np.array([part.weight for part in flat]),
        np.array([part.release_spread for part in flat]),
        np.array([part.own_width for part in flat]),
        np.clip([wide(part) / wide(oxygen) for part in flat], 0.2, 5.0),
        np.array([is_molecule(name) for name, parts in zip(species, lists, strict=True) for _ in parts]),
        np.concatenate([[0], np.cumsum([len(parts) for parts in lists])[:-1]]).astype(np.int64),
    )


def _time_of(name: str) -> str:
    """Name of the parameter of the time of one species."""
    return f"time of {name}"


def time_errors(species: Sequence[str], setup: Setup) -> dict[str, float]:
    """Standard deviation of the logarithm of the time of each atom whose loss in the foil was not measured.

    t ~ E^(-1/2), so that an error d of the loss moves the time by d (E0 - E)/(2 E).
    """
    if not (setup.foil_thickness > 0.0 and setup.instrument.principle.startswith("foil")):
        return {}
    measured = [collision(atom).number for atom in load_table("spectrometer", "foil_retained_fit")["atom"].str.strip()]
    errors = {}
    for name in species:
        if is_molecule(name):
            continue
        distance = min(abs(collision(atoms_of(name)[0]).number - number) for number in measured)
        part, free = flight_components(name, setup)[0], loss_free_time(name, setup)
        loss_error = LOSS_ERROR * min(distance / FULL_ERROR_FROM, 1.0)
        errors[name] = 0.5 * loss_error * max((part.time / free) ** 2 - 1.0, 0.0)
    return {name: error for name, error in errors.items() if error > 1e-4}


@cache
def is_molecule(name: str) -> bool:
    """Whether a species has more than one atom, and so breaks in the foil."""
    return len(atoms_of(name)) > 1


def held_family(base: PeakShape) -> ShapeFamily:
    """A shape without freedom, with the exponential tail of ``base``."""
    none = np.zeros(0)
    return ShapeFamily("fixed", base, (base.tail,), (), none, none, none, none)


def make_family(
    species: Sequence[str],
    base: PeakShape,
    tail: str | float = "mixture",
    time_scale_prior: float = 0.01,
    tails: Sequence[float] = MIXTURE_TAILS,
    errors: Mapping[str, float] | None = None,
) -> ShapeFamily:
    """Choose the free parameters of the shape and their priors.

    Parameters
    ----------
    species : sequence of str
        Species of the fit; with a molecule, time and width of its fragments have factors of their own.
    base : PeakShape
        Where the width (prior: a factor of 2, one sigma) and the tail start.
    tail : str or float
        ``"mixture"``, ``"exponential"``, ``"power"``, ``"none"``, or a fixed relative constant.
    time_scale_prior : float
        Standard deviation of the logarithm of the time scale; 0 holds it.
    tails : sequence of float
        Relative constants of the mixture.
    errors : mapping of str to float, optional
        Of `time_errors`: species whose times have factors of their own.

    Raises
    ------
    SettingsError
        The tail is not known.
    """
    if isinstance(tail, str) and tail not in TAILS:
        raise SettingsError(f"tail is {tail!r}; it must be one of {', '.join(TAILS)}, or a relative constant such as 0.03")
    kind = "power" if tail == "power" else "exponential"
    fixed = 0.0 if tail == "none" else base.tail if isinstance(tail, str) else float(tail)
    base = replace(base, kind=kind, tail=fixed)
    free = [("width", np.log(base.width), 0.7, np.log(0.003), np.log(0.2))]
    if time_scale_prior > 0.0:
        reach = LARGEST_TIME_SCALE * time_scale_prior
        free.append(("time_scale", 0.0, time_scale_prior, -reach - LARGEST_DELAY, 2.0 * LATE * time_scale_prior))
    if tail in ("exponential", "power"):
        free.append(("tail", np.log(0.02 if tail == "exponential" else 0.1), 1.5, np.log(1e-4), np.log(0.6)))
    if tail == "mixture":
        free.append(("stretch", 0.0, 0.3, -0.4, 0.4))
    if len(species) > 1:
        free.append(("growth", GROWTH[0], GROWTH[1], *GROWTH_RANGE))
    if any(is_molecule(name) for name in species):
        free.append(("fragment_scale", 0.0, FRAGMENT_SCALE, *FRAGMENT_RANGE))
    for name, error in (errors or {}).items():
        free.append((_time_of(name), 0.0, error, -LARGEST_PULL * error, LARGEST_PULL * error))
    names, start, spread, lowest, highest = zip(*free, strict=True)
    return ShapeFamily(
        tail if isinstance(tail, str) else "fixed",
        base,
        tuple(tails) if tail == "mixture" else (fixed,),
        tuple(names),
        *(np.array(column, dtype=float) for column in (start, spread, lowest, highest)),
    )
