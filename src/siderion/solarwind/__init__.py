"""Solar wind and indices: Kp, ap and F10.7; interplanetary field and plasma; days of two-cell convection."""

from .imf import imf_at, load_imf
from .indices import ap_history, daily_f107, f107_81_day_mean, kp_at, load_indices
from .two_cell import two_cell_days

__all__ = [
    "ap_history",
    "daily_f107",
    "f107_81_day_mean",
    "imf_at",
    "kp_at",
    "load_imf",
    "load_indices",
    "two_cell_days",
]
