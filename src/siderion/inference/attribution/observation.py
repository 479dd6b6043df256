"""One interval of counts with its context, and what an interval or a limit weighs in counts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from siderion.core.errors import SettingsError
from siderion.inference.attribution.channels import Channel
from siderion.inference.attribution.context import Context

Array = NDArray[np.float64]


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


def target_channels(observation: Observation) -> list[int]:
    """Indices of the channels that the question is about: all, without O+ and N+ where there are others."""
    chosen = [k for k, channel in enumerate(observation.channels) if not channel.is_reference]
    return chosen or list(range(len(observation.channels)))


__all__ = ["Observation", "equivalent_counts", "target_channels"]
