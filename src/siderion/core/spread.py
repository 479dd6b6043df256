"""A number that is known to a factor: its value with 16 and 84 % quantiles, and samples of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import SettingsError


@dataclass(frozen=True)
class Spread:
    """A positive value with its 16 and 84 % quantiles, and where it is from.

    Raises
    ------
    SettingsError
        The numbers are not finite, positive and in order.
    """

    value: float
    lower: float
    upper: float
    source: str = "stated by the user"
    confidence: str = "unverified"

    def __post_init__(self) -> None:
        """Refuse values that are not positive and in order."""
        if not (np.isfinite([self.value, self.lower, self.upper]).all() and 0.0 < self.lower <= self.value <= self.upper):
            raise SettingsError(
                f"value {self.value:g} with ends {self.lower:g} and {self.upper:g}: they must be finite, positive and in order"
            )

    def at(self, normal: NDArray[np.float64]) -> NDArray[np.float64]:
        """Samples for normal numbers of mean 0 and deviation 1: the logarithm is normal on each side of the value."""
        width = np.where(normal > 0.0, np.log(self.upper / self.value), np.log(self.value / self.lower))
        return self.value * np.exp(normal * width)

    @property
    def log_variance(self) -> float:
        """Variance of the logarithm, with half of the distance between the ends as its deviation."""
        return float((0.5 * np.log(self.upper / self.lower)) ** 2)
