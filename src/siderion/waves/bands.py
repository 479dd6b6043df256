"""Power and polarisation in a band of fixed frequencies, whatever the field."""

from __future__ import annotations

import numpy as np
import xarray as xr

from siderion.core.errors import SettingsError
from siderion.core.variables import with_attributes

from . import polarization
from .plans import NYQUIST_PART, make_plan, window_step
from .series import Stretch, split_stretches
from .settings import SpectrumSettings, WindowSettings
from .spectra import window_spectra


def measure_fixed_band(
    series: xr.Dataset,
    band: tuple[float, float],
    segment: float,
    settings: WindowSettings | None = None,
    spectrum: SpectrumSettings | None = None,
) -> xr.Dataset:
    """Measure power and polarisation of all windows of a series in one band.

    Parameters
    ----------
    series : xarray.Dataset
        ``magnetic_field(time, component)`` in nT.
    band : (float, float)
        Lower and upper frequency, Hz.
    segment : float
        Length of the segments, s; the nearest power of two of samples is taken. Its inverse is the resolution.
    settings : WindowSettings, optional
        Shortest window, step, fewest segments, coverage.
    spectrum : SpectrumSettings, optional
        Estimator.

    Returns
    -------
    xarray.Dataset
        By ``time``: ``power_parallel``, ``power_perpendicular`` (nT2), ``ellipticity``, ``polarization_degree`` (across the
        field), ``polarization_degree_3d``, ``wave_normal_angle``, ``wave_normal_angle_svd`` (degrees), ``planarity``,
        ``magnetic_field_strength`` (nT), ``coverage``; windows with too many gaps are left out.

    Raises
    ------
    SettingsError
        The band is empty, or reaches beyond what the cadence resolves.
    DataError
        The series is no field series.
    """
    windows, estimator = settings or WindowSettings(), spectrum or SpectrumSettings()
    if not 0.0 <= band[0] < band[1]:
        raise SettingsError(f"band is {band[0]:g} to {band[1]:g} Hz; the ends must rise from 0")
    if not segment > 0.0:
        raise SettingsError(f"segment is {segment} s; it must be positive")
    parts = [_of_stretch(stretch, band, segment, windows, estimator) for stretch in split_stretches(series)]
    whole = [part for part in parts if part.sizes["time"]] or parts[:1]
    return with_attributes(xr.concat(whole, "time") if len(whole) > 1 else whole[0])


def _of_stretch(
    stretch: Stretch, band: tuple[float, float], segment: float, windows: WindowSettings, estimator: SpectrumSettings
) -> xr.Dataset:
    limit = NYQUIST_PART * 0.5 / stretch.cadence
    if band[1] > limit:
        raise SettingsError(f"band ends at {band[1]:g} Hz; a cadence of {stretch.cadence:.3g} s gives {limit:.3g} Hz")
    length = max(8, 2 ** round(np.log2(segment / stretch.cadence)))
    plan = make_plan(length, window_step(windows, stretch.cadence), stretch.cadence, windows)
    numbers = np.arange(stretch.field.shape[1] // plan.step)
    numbers = numbers[plan.fits(numbers, stretch.field.shape[1])]
    frequency = np.fft.rfftfreq(length, stretch.cadence)
    inside = np.flatnonzero((frequency >= band[0]) & (frequency <= band[1]))
    if not len(inside):
        raise SettingsError(f"no frequency of segments of {length * stretch.cadence:g} s lies in the band; make them longer")
    found = window_spectra(stretch.field, stretch.cadence, plan, numbers, slice(int(inside[0]), int(inside[-1]) + 1), estimator)
    good = found.coverage >= windows.coverage
    matrix = found.matrices[good].sum(axis=1) * found.resolution
    normal, planarity = polarization.wave_normal_svd(matrix)
    values = {
        "power_parallel": polarization.power_along(matrix) * 1e18,
        "power_perpendicular": polarization.power_across(matrix) * 1e18,
        "ellipticity": polarization.ellipticity(matrix),
        "polarization_degree": polarization.polarization_degree_2d(matrix),
        "polarization_degree_3d": polarization.polarization_degree_3d(matrix),
        "wave_normal_angle": polarization.angle_to_field(polarization.wave_normal_means(matrix)),
        "wave_normal_angle_svd": polarization.angle_to_field(normal),
        "planarity": planarity,
        "magnetic_field_strength": found.strength[good] * 1e9,
        "coverage": found.coverage[good],
    }
    middle = numbers[good] * plan.step + plan.step // 2 - 0.5
    return xr.Dataset({name: ("time", array) for name, array in values.items()}, coords={"time": stretch.time_at(middle)})
