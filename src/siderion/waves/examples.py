"""Series and spectra of single events, as in Figure 5 of Lammer et al. 2025."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.variables import with_attributes

from .plans import gyrofrequency, make_plan, segment_length, wave_ion, window_step
from .polarization import Real, field_aligned_axes, power_across, power_along
from .series import Stretch, split_stretches
from .settings import WaveSettings
from .spectra import window_spectra

_MOST_SAMPLES = 4096
"""Samples of a series that are kept; longer ones are thinned out by a whole number."""
_MOST_FREQUENCIES = 256


def event_examples(series: xr.Dataset, events: xr.Dataset, settings: WaveSettings) -> xr.Dataset:
    """Series in mean-field-aligned axes and power spectra of the events of most power above background.

    Parameters
    ----------
    series : xarray.Dataset
        The field series.
    events : xarray.Dataset
        Events of the series.
    settings : WaveSettings
        Number of examples, estimator.

    Returns
    -------
    xarray.Dataset
        By ``example``: ``example_event`` (number of the event), ``sample_time(example, sample)``,
        ``aligned_field(example, sample, component)`` in nT (two components across the mean field of the window in the
        middle of the event, one along it less its mean), ``spectrum_frequency(example, frequency)`` in Hz, ``density_across``
        (both components) and ``density_along`` in nT2 Hz-1; padded with NaN. Empty without events.
    """
    count = min(settings.examples, events.sizes["event"])
    order = np.argsort(-np.nan_to_num(events["signal_to_noise"].values), kind="stable")[:count]
    order = np.sort(order)
    stretches = split_stretches(series) if count else []
    found = [(int(k), _example(stretches, events.isel(event=int(k)), settings)) for k in order]
    rows = [(k, one) for k, one in found if one is not None]
    return _padded(rows)


_Example = tuple[NDArray, Real, Real, Real, Real]


def _example(stretches: list[Stretch], event: xr.Dataset, settings: WaveSettings) -> _Example | None:
    middle = np.datetime64(event["time"].values.item(), "ns")
    for stretch in stretches:
        first, last = stretch.time_at(np.array([0, stretch.field.shape[1] - 1]))
        if first <= middle <= last:
            return _in_stretch(stretch, middle, event, settings)
    return None


def _in_stretch(stretch: Stretch, middle: np.datetime64, event: xr.Dataset, settings: WaveSettings) -> _Example | None:
    ion = wave_ion(str(event["species"].values))
    fc = float(gyrofrequency(ion, np.array(float(event["magnetic_field_strength"]) * 1e-9)))
    step = window_step(settings.detection.windows, stretch.cadence)
    length = int(segment_length(np.array(fc), stretch.cadence, settings.detection.windows))
    plan = make_plan(length, step, stretch.cadence, settings.detection.windows)
    number = np.interp((middle - stretch.start) / np.timedelta64(1, "ns"), stretch.times, stretch.numbers)
    windows = np.arange(stretch.field.shape[1] // step)
    windows = windows[plan.fits(windows, stretch.field.shape[1])]
    if not len(windows):
        return None
    centre = windows[np.argmin(np.abs(windows * step + step // 2 - number))]
    spectra = window_spectra(
        stretch.field, stretch.cadence, plan, np.array([centre]), slice(1, length // 2), settings.detection.spectrum
    )
    begin = int(centre * step + step // 2 - plan.window // 2)
    thin = max(1, plan.window // _MOST_SAMPLES)
    numbers = np.arange(max(0, begin), min(begin + plan.window, stretch.field.shape[1]), thin)
    axes = field_aligned_axes(spectra.mean_field)[0]
    aligned = (axes @ stretch.field[:, numbers]).T * 1e9
    aligned -= np.nanmean(aligned, axis=0)
    most = spectra.frequency <= max(4.0 * fc, spectra.frequency[min(8, len(spectra.frequency) - 1)])
    chosen = np.flatnonzero(most)[:_MOST_FREQUENCIES]
    return (
        stretch.time_at(numbers),
        aligned,
        spectra.frequency[chosen],
        power_across(spectra.matrices[0, chosen]) * 1e18,
        power_along(spectra.matrices[0, chosen]) * 1e18,
    )


def _padded(rows: list[tuple[int, _Example]]) -> xr.Dataset:
    samples = max((len(one[0]) for _, one in rows), default=0)
    frequencies = max((len(one[2]) for _, one in rows), default=0)
    times = np.full((len(rows), samples), np.datetime64("NaT", "ns"))
    field = np.full((len(rows), samples, 3), np.nan, dtype=np.float32)
    spectra = np.full((3, len(rows), frequencies), np.nan, dtype=np.float32)
    for k, (_, (time, aligned, *spectrum)) in enumerate(rows):
        times[k, : len(time)] = time
        field[k, : len(time)] = aligned
        for j, values in enumerate(spectrum):
            spectra[j, k, : len(values)] = values
    return with_attributes(
        xr.Dataset(
            {
                "example_event": ("example", np.array([k for k, _ in rows], dtype=np.int64)),
                "sample_time": (("example", "sample"), times),
                "aligned_field": (("example", "sample", "component"), field),
                "spectrum_frequency": (("example", "frequency"), spectra[0]),
                "density_across": (("example", "frequency"), spectra[1]),
                "density_along": (("example", "frequency"), spectra[2]),
            }
        )
    )
