"""Settings of a fit of time-of-flight spectra."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from siderion.core.errors import SettingsError

from .shape import TAILS


@dataclass(frozen=True)
class FitSettings:
    """How spectra are fitted.

    Attributes
    ----------
    tail : str or float
        Tail of the peaks: ``"mixture"`` (of exponentials, fitted), ``"exponential"``, ``"power"`` (fitted), ``"none"``, or the
        relative constant of a fixed exponential.
    background : float or None
        Events per bin, known; None fits a flat background.
    time_scale_prior : float
        Standard deviation of the common factor on all flight times; 0 holds it at 1.
    confidence : float
        Of the upper limits.
    detection_level : float
        Species with a lower significance are given as upper limits.
    misfit_level : float
        Where the goodness of fit is below, intervals are widened by the root of deviance over its expectation.
    tail_error : float or None
        Relative error of the model of the tail of one species below the peak of another; None: 0.1, with a calibration 0.03.

    Raises
    ------
    SettingsError
        A value is out of its range.
    """

    tail: str | float = "mixture"
    background: float | None = None
    time_scale_prior: float = 0.01
    confidence: float = 0.95
    detection_level: float = 3.0
    misfit_level: float = 0.01
    tail_error: float | None = None

    def __post_init__(self) -> None:
        """Check the numbers."""
        if isinstance(self.tail, str) and self.tail not in TAILS:
            raise SettingsError(f"tail is {self.tail!r}; it must be one of {', '.join(TAILS)}, or a number such as 0.03")
        if not isinstance(self.tail, str) and not 0.0 <= self.tail < 0.5:
            raise SettingsError(f"tail is {self.tail}; a fixed tail is a part of the flight time, at least 0 and below 0.5")
        if self.background is not None and not 0.0 <= self.background < float("inf"):
            raise SettingsError(f"background is {self.background}; it must be at least 0 events per bin, or be fitted")
        if not 0.0 <= self.time_scale_prior <= 0.2:
            raise SettingsError(f"time scale prior is {self.time_scale_prior}; it must be between 0 and 0.2")
        if not 0.5 <= self.confidence < 1.0:
            raise SettingsError(f"confidence is {self.confidence}; it must be at least 0.5 and below 1, such as 0.95")
        if not 0.0 <= self.detection_level <= 10.0:
            raise SettingsError(f"detection level is {self.detection_level}; it must be between 0 and 10 standard deviations")
        if not 0.0 <= self.misfit_level < 1.0:
            raise SettingsError(f"misfit level is {self.misfit_level}; it must be at least 0 and below 1")

        if self.tail_error is not None and not 0.0 <= self.tail_error <= 1.0:
            raise SettingsError(f"tail error is {self.tail_error}; it must be between 0 and 1, such as 0.1")

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for attributes and JSON."""
        return asdict(self)
