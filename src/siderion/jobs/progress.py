"""Progress of long work as events; who shows them is up to the caller (the command line draws a bar)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class ProgressEvent:
    """One sign of life.

    Attributes
    ----------
    stage : str
        What is being done, in words.
    done : float
        Finished fraction of the stage, 0 to 1.
    detail : str
        What it has got to, such as the simulated time.
    """

    stage: str
    done: float
    detail: str = ""


Report = Callable[[ProgressEvent], None]
"""Takes an event. It must be quick and may not raise."""


def silent(event: ProgressEvent) -> None:
    """Drop the event."""
