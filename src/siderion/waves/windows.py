"""From a field series to a data set of windows: for every window and ion the measures of the band and the reasons against."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.errors import DataError, UnitsError
from siderion.core.variables import with_attributes

from . import kernels
from .criteria import MEANINGS, NO_SPECTRUM, BandMeasures, Rejection, empty_measures, judge, measure_band
from .lines import FixedLine, find_fixed_lines, free_frequencies
from .plans import NYQUIST_PART, SegmentPlan, WaveIon, gyrofrequency, make_plan, refusal, segment_length, wave_ion, window_step
from .polarization import Real, power_across
from .series import Stretch, split_stretches
from .settings import DetectionSettings
from .spectra import WindowSpectra, window_spectra

_BY_SPECIES = tuple(field.name for field in fields(BandMeasures))
_LOWEST_BIN, _HIGHEST_BIN = 0.25, 2.6
"""Frequencies that are kept, in units of the fewest and of twice the fewest periods in a segment; the search reaches from 0.4
to 1.8, and the field of the window may differ from that of its middle, by which the length was chosen."""


def measure_windows(series: xr.Dataset, species: Sequence[str], settings: DetectionSettings) -> xr.Dataset:
    """Measure waves of the ions in all windows of a series.

    Parameters
    ----------
    series : xarray.Dataset
        ``magnetic_field(time, component)`` in nT; ``position(time, component)`` in km, optional. See `io.magnetometer`.
    species : sequence of str
        Ions, such as ``"H+"``, ``"Cl-"``, or groups such as ``"water group"``.
    settings : DetectionSettings
        Windows, spectra, criteria.

    Returns
    -------
    xarray.Dataset
        By ``time`` (window centres; one grid serves all ions, ``time_bounds`` are the cells of the grid) and ``species``: the
        fields of `BandMeasures` (powers in nT2), ``window_length`` and ``segment_length`` (s), ``coverage`` and ``rejection``
        (sum of `Rejection`). ``stretch(time)`` numbers the parts between long gaps. The attribute ``refused`` names the ions
        that no window resolves, ``fixed_lines`` the lines that were masked.

    Raises
    ------
    DataError
        The series is no field series, is shorter than one step of the windows, or resolves none of the ions.
    """
    ions = [wave_ion(name) for name in species]
    if not ions:
        raise DataError("no species: name at least one ion, such as H+")
    stretches = split_stretches(series)
    parts = []
    lines = find_fixed_lines(stretches, settings.rejection, _highest_frequency(stretches, ions, settings))
    for number, stretch in enumerate(stretches):
        part = _measure_stretch(stretch, number, ions, settings, lines)
        if part.sizes["time"]:
            parts.append(part)
    if not parts:
        span = sum(stretch.field.shape[1] * stretch.cadence for stretch in stretches)
        raise DataError(
            f"the series holds {span:.0f} s between its long gaps, less than one step of the windows "
            f"({settings.windows.step:g} s); give a longer one"
        )
    windows = xr.concat(parts, "time", data_vars="minimal", coords="minimal", compat="override", join="override")
    windows = windows.assign_coords(species=("species", [ion.name for ion in ions]))
    windows = windows.assign(_positions(windows, series))
    _refuse_unresolved(windows, ions, stretches, settings)
    windows.attrs["fixed_lines"] = json.dumps(
        [{"frequency_hz": line.frequency, "half_width_hz": line.half_width, "reason": line.reason} for line in lines]
    )
    windows.attrs["fixed_line_search"] = _search_words(windows, settings)
    windows.attrs["detection_settings"] = settings.model_dump_json()
    return _describe(windows)


# ---------------------------------------------------------------------- one stretch


def _search_words(windows: xr.Dataset, settings: DetectionSettings) -> str:
    """Whether fixed lines could be told from waves; in a steady field nothing tells them."""
    if not settings.rejection.fixed_lines:
        return "off"
    strength = windows["magnetic_field_strength"].values
    weak, strong = np.nanquantile(strength, (0.1, 0.9)) if np.isfinite(strength).any() else (np.nan, np.nan)
    if strong >= settings.rejection.line_field_ratio * weak:
        return f"active: |B| changes by a factor of {strong / weak:.2f}"
    if settings.rejection.spin_period is not None:
        return "inactive, but for the spin period that was given"
    return f"inactive, for |B| changes by a factor of {strong / weak:.2f} only; give --spin-period"


def _highest_frequency(stretches: Sequence[Stretch], ions: Sequence[WaveIon], settings: DetectionSettings) -> float:
    """Frequency that the search reaches in all but the strongest fields of the series, Hz."""
    strength = []
    for stretch in stretches:
        some = stretch.field[:, :: max(1, stretch.field.shape[1] // 1000)]
        strength.append(float(np.sqrt(np.nanmean(some**2, axis=1).sum())) if np.isfinite(some).any() else 0.0)
    fastest = max(ion.charge_to_mass * ion.spread[1] for ion in ions) / (2.0 * np.pi)
    return 2.0 * settings.criteria.search_upper * fastest * max(strength, default=0.0)


def _measure_stretch(
    stretch: Stretch, number: int, ions: Sequence[WaveIon], settings: DetectionSettings, lines: Sequence[FixedLine]
) -> xr.Dataset:
    step = window_step(settings.windows, stretch.cadence)
    samples = stretch.field.shape[1]
    count = samples // step
    cells = np.empty((count, 7))
    kernels.block_sums(stretch.field, step, cells)
    means = np.empty((count, 6))
    kernels.window_means(cells, np.arange(count), 1, means)
    shape = (count, len(ions))
    values = {name: np.full(shape, np.nan) for name in (*_BY_SPECIES, "window_length", "segment_length", "coverage")}
    values["coverage"][:] = 0.0
    values["bins_in_band"] = np.zeros(shape)
    reasons = np.full(shape, int(Rejection.INSUFFICIENT_DATA), dtype=np.int32)
    lengths = np.stack(
        [_lengths(ion, means[:, 3], stretch.cadence, settings, reasons[:, k]) for k, ion in enumerate(ions)], axis=1
    )
    for length in np.unique(lengths[lengths > 0]):
        plan = make_plan(int(length), step, stretch.cadence, settings.windows)
        _measure_length(stretch, plan, lengths == length, ions, settings, lines, values, reasons)
    middle = step // 2 + np.arange(count) * step
    bounds = np.stack([stretch.time_at(middle - step // 2 - 0.5), stretch.time_at(middle + step // 2 - 0.5)], axis=-1)
    values["bins_in_band"] = values["bins_in_band"].astype(np.int32)
    return xr.Dataset(
        {
            **{name: (("time", "species"), array) for name, array in values.items()},
            "rejection": (("time", "species"), reasons),
            "time_bounds": (("time", "bound"), bounds),
            "mean_magnetic_field": (("time", "component"), means[:, :3] * 1e9),
            "magnetic_field_strength": (("time",), means[:, 3] * 1e9),
            "stretch": (("time",), np.full(count, number)),
        },
        coords={"time": stretch.time_at(middle - 0.5)},
    )


def _lengths(
    ion: WaveIon, strength: Real, cadence: float, settings: DetectionSettings, reasons: NDArray[np.int32]
) -> NDArray[np.intp]:
    """Length of the segments for each window, 0 where the ion is not resolved; notes the reason."""
    fc = gyrofrequency(ion, strength)
    length = segment_length(fc, cadence, settings.windows)
    with np.errstate(invalid="ignore"):
        too_fast = settings.criteria.search_upper * ion.spread[1] * fc > NYQUIST_PART * 0.5 / cadence
    window = np.maximum(length * (settings.windows.segments + 1) / 2 * cadence, settings.windows.shortest)
    unresolved = (length > 0) & (too_fast | (window > settings.windows.longest))
    reasons[unresolved] = int(Rejection.UNRESOLVED)
    return np.where(unresolved, 0, length)


def _measure_length(
    stretch: Stretch,
    plan: SegmentPlan,
    wanted: NDArray[np.bool_],
    ions: Sequence[WaveIon],
    settings: DetectionSettings,
    lines: Sequence[FixedLine],
    values: dict[str, NDArray],
    reasons: NDArray[np.int32],
) -> None:
    """Fill in the windows (rows) and ions (columns) of one length of segments."""
    windows = np.flatnonzero(wanted.any(axis=1))
    windows = windows[plan.fits(windows, stretch.field.shape[1])]
    for k in range(len(ions)):
        values["window_length"][wanted[:, k], k] = plan.window * stretch.cadence
        values["segment_length"][wanted[:, k], k] = plan.length * stretch.cadence
    if not len(windows):
        return
    low, high = min(ion.spread[0] for ion in ions), max(ion.spread[1] for ion in ions)
    periods = settings.windows.periods_per_segment
    bins = slice(max(1, int(_LOWEST_BIN * periods * low)), min(plan.length // 2, int(2.0 * _HIGHEST_BIN * periods * high) + 2))
    spectra = window_spectra(stretch.field, stretch.cadence, plan, windows, bins, settings.spectrum)
    free = free_frequencies(spectra.frequency, spectra.resolution, lines)
    for k, ion in enumerate(ions):
        rows = np.flatnonzero(wanted[windows, k])
        if not len(rows):
            continue
        part = _select(spectra, rows)
        measures, found = _judge_with_lines(part, ion, settings, free, [other for other in ions if other is not ion])
        few = part.coverage < settings.windows.coverage
        found = np.where(few, np.int32(Rejection.INSUFFICIENT_DATA), found)
        known = measures if not few.any() else _blank(measures, few)
        for name in _BY_SPECIES:
            values[name][windows[rows], k] = getattr(known, name)
        values["coverage"][windows[rows], k] = part.coverage
        reasons[windows[rows], k] = found


def _judge_with_lines(
    spectra: WindowSpectra, ion: WaveIon, settings: DetectionSettings, free: NDArray[np.bool_], others: Sequence[WaveIon]
) -> tuple[BandMeasures, NDArray[np.int32]]:
    """Measures and reasons; where only a fixed line, or what stands beside it, would meet the criteria, that is the reason.

    A wave that meets them without the frequencies of the lines is kept; its power lacks what lies at these frequencies.
    """
    every = np.ones_like(free)
    measures = measure_band(spectra, ion, settings.criteria, settings.spectrum, every, others)
    reasons = judge(measures, spectra, ion, settings.criteria)
    if free.all():
        return measures, reasons
    masked = measure_band(spectra, ion, settings.criteria, settings.spectrum, free, others)
    without = judge(masked, spectra, ion, settings.criteria)
    filled = masked.bins_in_band < settings.criteria.fewest_bins
    only_line = (reasons == 0) & (without != 0)
    at_line = ~free[_nearest(spectra.frequency, measures.peak_frequency)]
    skirt = _beside_line(spectra, masked.peak_frequency, free)
    touched = (filled | at_line) & ((reasons & Rejection.MAXIMUM_OUTSIDE_BAND) == 0) & (without != 0)
    # where a line leaves too little of the band, the numbers with the line say what was seen
    with_line = filled | only_line
    found = np.where(with_line, reasons, without)
    found[touched | only_line | (found == 0) & (filled | skirt)] |= np.int32(Rejection.FIXED_LINE)
    return _merge(measures, masked, with_line), found.astype(np.int32)


def _beside_line(spectra: WindowSpectra, peak: Real, free: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether a maximum is the skirt of a masked line: the main lobe of the taper reaches two frequencies to each side."""
    across = power_across(spectra.matrices)
    place = _nearest(spectra.frequency, peak)
    near = np.abs(np.arange(len(free))[None, :] - place[:, None]) <= 2
    highest = np.where(near & ~free, across, 0.0).max(axis=1)
    return highest > across[np.arange(len(place)), place]


def _nearest(frequency: Real, value: Real) -> NDArray[np.intp]:
    return np.clip(np.rint((value - frequency[0]) / (frequency[1] - frequency[0])), 0, len(frequency) - 1).astype(np.intp)


def _select(spectra: WindowSpectra, rows: NDArray[np.intp]) -> WindowSpectra:
    if len(rows) == len(spectra.strength):
        return spectra
    return WindowSpectra(
        spectra.frequency, spectra.resolution, spectra.matrices[rows], spectra.coverage[rows], spectra.mean_field[rows],
        spectra.strength[rows], spectra.strength_spread[rows], spectra.averages[rows],
    )  # fmt: skip


def _merge(one: BandMeasures, other: BandMeasures, first: NDArray[np.bool_]) -> BandMeasures:
    return BandMeasures(**{name: np.where(first, getattr(one, name), getattr(other, name)) for name in _BY_SPECIES})


def _blank(measures: BandMeasures, where: NDArray[np.bool_]) -> BandMeasures:
    """NaN where too few segments are whole: half a spectrum is no measure."""
    return _merge(empty_measures(len(where)), measures, where)


# ---------------------------------------------------------------------- the whole series


def _refuse_unresolved(
    windows: xr.Dataset, ions: Sequence[WaveIon], stretches: Sequence[Stretch], settings: DetectionSettings
) -> None:
    """Name the ions that no window resolves, with the reason; raise when that is all of them."""
    refused = {}
    for k, ion in enumerate(ions):
        reasons = windows["rejection"].values[:, k]
        if ((reasons & int(NO_SPECTRUM)) == 0).any():
            continue
        refused[ion.name] = _why_not(ion, windows, stretches, settings)
    if len(refused) == len(ions):
        raise DataError("no ion can be sought in this series: " + "; ".join(refused.values()))
    windows.attrs["refused"] = json.dumps(refused)


def _why_not(ion: WaveIon, windows: xr.Dataset, stretches: Sequence[Stretch], settings: DetectionSettings) -> str:
    strength = float(np.nanmedian(windows["magnetic_field_strength"].values)) * 1e-9
    if not strength > 0.0:
        return f"{ion.name}: the field is zero"
    longest = max(stretches, key=lambda stretch: stretch.field.shape[1])
    why = refusal(ion, strength, longest.cadence, settings)
    if why:
        return why
    most = int(windows["bins_in_band"].sel(species=ion.name).max())
    if 0 < most < settings.criteria.fewest_bins:
        return (
            f"{ion.name}: its band holds {most} frequencies at most, fewer than criteria.fewest_bins, "
            f"{settings.criteria.fewest_bins}; raise windows.periods_per_segment"
        )
    needed = float(np.nanmin(windows["window_length"].sel(species=ion.name).values, initial=np.inf))
    span = longest.field.shape[1] * longest.cadence
    return (
        f"{ion.name}: its windows need {needed:.0f} s with at least {settings.windows.coverage:.0%} of the segments whole; the "
        f"longest part between long gaps has {span:.0f} s"
    )


def _positions(windows: xr.Dataset, series: xr.Dataset) -> dict[str, tuple]:
    """Position and distance in the middle of the windows, if the series has them; NaN beside a gap of the position."""
    if "position" not in series:
        return {}
    if series["position"].attrs.get("units", "km") != "km":
        raise UnitsError(f"position has units {series['position'].attrs['units']!r}; convert it to km")
    times = series["time"].values.astype("datetime64[ns]").astype(np.int64)
    position = series["position"].transpose("time", "component").values
    at = windows["time"].values.astype("datetime64[ns]").astype(np.int64)
    right = np.clip(np.searchsorted(times, at), 1, len(times) - 1)
    part = np.clip((at - times[right - 1]) / (times[right] - times[right - 1]), 0.0, 1.0)[:, None]
    found = position[right - 1] + part * (position[right] - position[right - 1])
    return {
        "position": (("time", "component"), found),
        "radial_distance": (("time",), np.linalg.norm(found, axis=1)),
    }


def _describe(windows: xr.Dataset) -> xr.Dataset:
    """Powers in nT2, what was detected, units and meanings."""
    scaled: dict[str, xr.DataArray] = {
        name: windows[name] * 1e18 for name in ("power_parallel", "power_perpendicular", "background")
    }
    result = windows.assign({**scaled, "detected": windows["rejection"] == 0})
    result["rejection"].attrs.update(
        flag_masks=np.array([int(flag) for flag in Rejection], dtype=np.int32),
        flag_meanings=" ".join(flag.name.lower() for flag in Rejection if flag.name),
        explanation="; ".join(f"{flag.name}: {words}" for flag, words in MEANINGS.items()),
    )
    return with_attributes(result)
