"""Re-entering debris: the flight and break-up of satellites and rocket stages, and their input against the natural one."""

from __future__ import annotations

from .event import debris_event
from .parity import debris_parity
from .rate import debris_rate
from .reentry import fly_reentry
from .settings import ReentrySettings

__all__ = ["ReentrySettings", "debris_event", "debris_parity", "debris_rate", "fly_reentry"]
