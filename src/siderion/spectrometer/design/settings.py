"""What a design is asked for: shape of the peaks, confidence, power."""

from __future__ import annotations

from dataclasses import dataclass, field

from scipy import stats

from siderion.core.errors import SettingsError
from siderion.core.tables import load_table


def default(quantity: str) -> float:
    """A default of the table ``design_defaults.csv``."""
    table = load_table("spectrometer", "design_defaults").set_index("quantity")["value"]
    return float(table[quantity])


def _from_table(quantity: str) -> float:
    return field(default_factory=lambda: default(quantity))  # type: ignore[return-value]


@dataclass(frozen=True)
class MassPeak:
    """Peak of a generic instrument along mass per charge: a Gaussian, a share of it with an exponential tail to larger values.

    Attributes
    ----------
    resolution : float
        m/dm, dm the full width at half maximum.
    tail_fraction : float
        Share of the counts that lies in the tail.
    tail_length : float
        Decay length of the tail over the mass per charge.
    tail_uncertainty : float
        Relative standard uncertainty of the tail fraction, the same for all species; 0 where it is known.
    width_uncertainty : float
        Relative standard uncertainty of the width, the same for all species; 0 where it is known.
    """

    resolution: float
    tail_fraction: float = _from_table("tail_fraction")
    tail_length: float = _from_table("tail_length")
    tail_uncertainty: float = _from_table("tail_uncertainty")
    width_uncertainty: float = _from_table("width_uncertainty")

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be."""
        _positive("m/dm", self.resolution)
        _positive("length of the tail", self.tail_length)
        if not 0.0 <= self.tail_fraction < 1.0:
            raise SettingsError(f"tail fraction is {self.tail_fraction}; it must be at least 0 and below 1")
        for name in ("tail_uncertainty", "width_uncertainty"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise SettingsError(
                    f"{name.replace('_', ' ')} is {getattr(self, name)}; it is relative and must lie between 0 and 1"
                )


@dataclass(frozen=True)
class Demand:
    """Confidence and power of a detection.

    Attributes
    ----------
    confidence : float
        One-sided confidence.
    power : float
        Probability to reach it.
    """

    confidence: float = _from_table("confidence")
    power: float = _from_table("power")

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be."""
        for name in ("confidence", "power"):
            value = getattr(self, name)
            if not 0.5 <= value < 1.0:
                raise SettingsError(f"{name} is {value}; it must be at least 0.5 and below 1")

    @property
    def threshold(self) -> float:
        """Standard deviations of the confidence."""
        return float(stats.norm.isf(1.0 - self.confidence))

    @property
    def needed(self) -> float:
        """Median significance that reaches the threshold with the power: the sum of both in standard deviations."""
        return self.threshold + float(stats.norm.isf(1.0 - self.power))


def _positive(name: str, value: float) -> None:
    if not 0.0 < value < float("inf"):
        raise SettingsError(f"{name} is {value}; it must be positive and finite")
