"""Fits of time-of-flight spectra: counts of species with intervals and limits."""

from __future__ import annotations

from .calibration import calibration_channel
from .fitting import fit_spectra
from .settings import FitSettings

__all__ = ["FitSettings", "calibration_channel", "fit_spectra"]
