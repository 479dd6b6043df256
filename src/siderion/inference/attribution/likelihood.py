"""The model behind the odds: expected counts of every source in every channel, and the likelihood of what was counted.

Everything that is not known is a standard normal number: strengths, composition, factors of the context, efficiency, and how
much a supply scatters in time. Expected counts are their exponentials, so that one vector of normal numbers says all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from siderion.core.errors import SettingsError
from siderion.inference.attribution.channels import Channel, response
from siderion.inference.attribution.context import SOURCES, Context, influences, pickup_share, setting
from siderion.inference.attribution.priors import Prior
from siderion.inference.attribution.sources_expected import Expected, Ion, expected_source

Array = NDArray[np.float64]
_LARGEST = 300.0
"""Of a logarithm, so that the product of two exponentials stays finite."""
_SHARES = ("spill", "pickup_tail")
"""Shares that are not known: settings with the endings _share and _factor."""


@dataclass(frozen=True)
class Observation:
    """Counts of one interval with their context.

    Attributes
    ----------
    channels : tuple of Channel
        What was counted.
    counts : array of shape (channel,)
        Counts; equivalent counts where an interval was given, see `equivalent_counts`.
    context : Context
        Circumstances.
    exposure : float
        Counts per ion flux: geometric factor x efficiency x time / (4 pi), m2 s.
    scale : array of shape (channel,)
        Equivalent counts per expected count; 1 for plain counts.
    mass_resolution : float
        m/dm.
    is_target : bool
        Whether the question is about this interval; others are controls.
    selection : str
        Empty, ``"above cut-off"`` (of the pick-up energy) or ``"direction"`` (of new pick-up ions).
    interval : int, optional
        Observations of the same interval share the scatter of the supplies in time; by default each is its own, and the
        first has none, for the strengths are those of its time.
    """

    channels: tuple[Channel, ...]
    counts: Array
    context: Context
    exposure: float
    scale: Array = field(default_factory=lambda: np.ones(0))
    mass_resolution: float = 10.0
    is_target: bool = True
    selection: str = ""
    interval: int | None = None

    def __post_init__(self) -> None:
        """Check shapes and values; fill the scale."""
        counts = np.asarray(self.counts, dtype=np.float64)
        if counts.shape != (len(self.channels),) or not (np.isfinite(counts).all() and (counts >= 0.0).all()):
            raise SettingsError(f"counts are {self.counts!r} for {len(self.channels)} channels; one number, 0 or more, for each")
        if not 0.0 < self.exposure < np.inf:
            raise SettingsError(f"exposure is {self.exposure}; it must be positive and finite")
        object.__setattr__(self, "counts", counts)
        if len(self.scale) == 0:
            object.__setattr__(self, "scale", np.ones(len(self.channels)))

    def with_counts(self, counts: Array) -> Observation:
        """A copy with other counts, taken as plain counts."""
        return replace(self, counts=counts, scale=np.ones(len(self.channels)))


def equivalent_counts(value: float, lower: float, upper: float, *, is_limit: bool = False) -> tuple[float, float]:
    """Counts and scale of a Poisson number that is as well known as an estimate.

    A number n with the deviation s weighs as n^2/s^2 counts; an upper limit (95 %) as no count where 3 were expected.

    Parameters
    ----------
    value, lower, upper : float
        Estimate with 16 and 84 % ends, or the limit.
    is_limit : bool
        Value is an upper limit of 95 %.

    Returns
    -------
    (counts, scale) : two floats
        Equivalent counts, and equivalent counts per expected count.
    """
    if is_limit:
        return 0.0, -float(np.log(0.05)) / value
    deviation = 0.5 * (upper - lower)
    if not (value > 0.0 and deviation > 0.0):
        return value, 1.0
    number = (value / deviation) ** 2
    return number, number / value


@dataclass(frozen=True)
class _Block:
    """One observation as arrays: source by source, with the ions of all sources one after the other."""

    centre: Array
    slope: Array
    parts: tuple[tuple[str, Array], ...]
    counts: Array
    scale: Array

    @cached_property
    def key(self) -> bytes:
        """Equal for observations that count the same shares of the ions."""
        return b"".join(part.tobytes() for _, part in self.parts) + repr(self.counts.shape).encode()


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
    """

    names: tuple[str, ...]
    observations: tuple[Observation, ...]
    prior: Prior
    dispersion: float
    ion_source: NDArray[np.int64]
    ion_centre: Array
    ion_slope: Array
    blocks: tuple[_Block, ...]

    @property
    def size(self) -> int:
        """How many normal numbers."""
        return len(self.names)

    def rates(self, z: Array) -> list[Array]:
        """Expected counts by observation, each of shape (sample, source, channel)."""
        ions = np.exp(np.clip(self.ion_centre + z @ self.ion_slope.T, -_LARGEST, _LARGEST))
        shares = {
            name: np.exp(np.log(setting(f"{name}_share")) + np.log(setting(f"{name}_factor")) * z[:, self.names.index(name)])
            for name in _SHARES
        }
        strength = np.exp(np.clip(self._centres + z @ self._slopes.T, -_LARGEST, _LARGEST)).reshape(
            len(z), len(self.blocks), len(SOURCES)
        )
        known: dict[bytes, Array] = {}
        found = []
        for k, block in enumerate(self.blocks):
            if block.key not in known:
                known[block.key] = self._by_source(block, ions, shares)
            found.append(known[block.key] * strength[:, k, :, None])
        return found

    def _by_source(self, block: _Block, ions: Array, shares: dict[str, Array]) -> Array:
        """Counts by source and channel per unit of strength, of shape (sample, source, channel)."""
        found = np.zeros((len(ions), len(SOURCES), len(block.counts)))
        for s in range(len(SOURCES)):
            chosen = self.ion_source == s
            for name, part in block.parts:
                if part[:, chosen].any():
                    some = ions[:, chosen] @ part[:, chosen].T
                    found[:, s] += some * shares[name][:, None] if name else some
        return found

    @cached_property
    def _centres(self) -> Array:
        """Logarithms of the strengths of all observations, one after the other."""
        return np.concatenate([block.centre for block in self.blocks])

    @cached_property
    def _slopes(self) -> Array:
        """Their dependence on the normal numbers."""
        return np.concatenate([block.slope for block in self.blocks])

    def log_likelihood(self, rates: Sequence[Array]) -> Array:
        """Logarithm of the likelihood of all counts, of shape (sample,)."""
        total = np.zeros(len(rates[0]))
        for block, found in zip(self.blocks, rates, strict=True):
            mean = np.maximum(found.sum(axis=1) * block.scale, 1e-300)
            total += log_probability(block.counts, mean, self.dispersion).sum(axis=1)
        return total

    def target_shares(self, rates: Sequence[Array]) -> Array:
        """Share of each source in the expected counts of the target, of shape (sample, source)."""
        whole = np.zeros((len(rates[0]), len(SOURCES)))
        for observation, found in zip(self.observations, rates, strict=True):
            if observation.is_target:
                whole += found[:, :, target_channels(observation)].sum(axis=2)
        return whole / np.maximum(whole.sum(axis=1, keepdims=True), 1e-300)


def target_channels(observation: Observation) -> list[int]:
    """Indices of the channels that the question is about: all, without O+ and N+ where there are others."""
    chosen = [k for k, channel in enumerate(observation.channels) if not channel.is_reference]
    return chosen or list(range(len(observation.channels)))


def log_probability(counts: Array, mean: Array, dispersion: float = 1.0) -> Array:
    """Logarithm of the Poisson probability; with a dispersion above 1, of a negative binomial with variance dispersion x mean.

    Counts need not be whole; the gamma function takes the place of the factorial.
    """
    if dispersion <= 1.0:
        return xlogy(counts, mean) - mean - gammaln(counts + 1.0)
    size = mean / (dispersion - 1.0)
    return (
        gammaln(counts + size) - gammaln(size) - gammaln(counts + 1.0)
        - size * np.log(dispersion) + counts * np.log1p(-1.0 / dispersion)
    )  # fmt: skip


def build_problem(
    observations: Sequence[Observation], prior: Prior, *, dispersion: float = 1.0, year: float = 2004.0, wind: str = "slow"
) -> Problem:
    """Turn observations and a prior into arrays.

    Parameters
    ----------
    observations : sequence of Observation
        At least one of them a target.
    prior : Prior
        Of `siderion.inference.attribution.priors.get_prior`.
    dispersion : float
        Variance of the counts over their mean; 1 for Poisson.
    year, wind
        See `expected_source`.

    Raises
    ------
    SettingsError
        There is no target, or the dispersion is below 1.
    """
    if not any(one.is_target for one in observations):
        raise SettingsError("no observation is the target; give at least one measurement that the question is about")
    if not 1.0 <= dispersion < np.inf:
        raise SettingsError(f"dispersion is {dispersion}; it is 1 (Poisson) or more")
    sources = [expected_source(name, year=year, wind=wind) for name in SOURCES]
    names = _names(sources, observations)
    where = {name: k for k, name in enumerate(names)}
    ions = [(s, ion) for s, source in enumerate(sources) for ion in source.ions]
    ion_slope = np.zeros((len(ions), len(names)))
    for k, (s, ion) in enumerate(ions):
        ion_slope[k, where[_ion_name(s, ion)]] = ion.deviation * prior.width
        if ion.group:
            ion_slope[k, where[f"{SOURCES[s]}: {ion.group}"]] = ion.group_deviation * prior.width
    blocks = [_block(one, k, sources, prior, where) for k, one in enumerate(observations)]
    problem = Problem(
        tuple(names), tuple(observations), prior, dispersion, np.array([s for s, _ in ions]),
        np.log([max(ion.supply, 1e-300) for _, ion in ions]), ion_slope, tuple(blocks),
    )  # fmt: skip
    return problem if prior.centre == "budget" else _equalised(problem)


def _names(sources: Sequence[Expected], observations: Sequence[Observation]) -> list[str]:
    found = [f"strength of {source.origin}" for source in sources]
    found += [_ion_name(s, ion) for s, source in enumerate(sources) for ion in source.ions]
    found += [f"{source.origin}: {ion.group}" for source in sources for ion in source.ions if ion.group]
    found += ["efficiency", *_SHARES]
    found += [one.name for item in observations for origin in SOURCES for one in influences(item.context, origin)]
    when = {index if one.interval is None else one.interval for index, one in enumerate(observations)}
    found += [f"scatter of {origin} in {k}" for k in sorted(when - {0}) for origin in SOURCES]
    return list(dict.fromkeys(found))


def _ion_name(source: int, ion: Ion) -> str:
    return f"{SOURCES[source]}: {ion.name}"


def _block(one: Observation, index: int, sources: Sequence[Expected], prior: Prior, where: dict[str, int]) -> _Block:
    centre, slope = np.zeros(len(SOURCES)), np.zeros((len(SOURCES), len(where)))
    parts: dict[str, list[Array]] = {"": [], "spill": [], "pickup_tail": []}
    for s, source in enumerate(sources):
        centre[s] = np.log(one.exposure / setting("area"))
        spread = source.deviation * prior.width if prior.centre == "budget" else np.log(setting("equal_factor"))
        slope[s, where[f"strength of {source.origin}"]] = spread
        slope[s, where["efficiency"]] = np.log(setting("exposure_factor"))
        for effect in influences(one.context, source.origin):
            centre[s] += effect.centre
            slope[s, where[effect.name]] += effect.deviation * prior.width
        scatter = f"scatter of {source.origin} in {index if one.interval is None else one.interval}"
        if scatter in where:
            slope[s, where[scatter]] = np.log(setting("scatter_factor"))
        counted, spilled = response(one.channels, source.ions, one.mass_resolution)
        ring, tail = np.array([_access(ion, source.origin, one) for ion in source.ions]).T
        for name, part in (("", counted * ring), ("spill", spilled * ring), ("pickup_tail", counted * tail)):
            parts[name].append(part)
    joined = tuple((name, np.hstack(some)) for name, some in parts.items())
    return _Block(centre, slope, joined, one.counts, one.scale)


def _access(ion: Ion, origin: str, one: Observation) -> tuple[float, float]:
    """Shares of an ion that energies and selection let in: of new pick-up ions (or of all), and of their tail."""
    upstream = "solar wind" in one.context.regions
    ring, tail = pickup_share(ion.mass, ion.charge, one.context) if origin == "Moon" else (1.0, 0.0)
    if one.selection == "above cut-off" and origin == "Moon" and upstream:
        return 0.0, 1.0
    if one.selection == "direction":
        mixed = "pickup_direction_share" if upstream else "mixed_direction_share"
        share = setting(mixed if origin == "Moon" else "direction_share")
        return ring * share, tail * share
    return ring, tail


def _equalised(problem: Problem) -> Problem:
    """Centres such that every source is expected to give the target as many counts as it has, one at least, without spreads."""
    rates = problem.rates(np.zeros((1, problem.size)))
    found, seen = np.zeros(len(SOURCES)), 0.0
    for observation, rate in zip(problem.observations, rates, strict=True):
        if observation.is_target:
            chosen = target_channels(observation)
            found += rate[0][:, chosen].sum(axis=1)
            seen += float((observation.counts / observation.scale)[chosen].sum())
    # a source that has no ion for any channel of the target stays as it is: nothing can make it equal
    able = found > 0.0
    shift = np.where(able, np.log(max(seen, 1.0)) - np.log(np.where(able, found, 1.0)), 0.0)
    blocks = tuple(replace(block, centre=block.centre + shift) for block in problem.blocks)
    return replace(problem, blocks=blocks)


__all__ = ["Observation", "Problem", "build_problem", "equivalent_counts", "log_probability", "target_channels"]
