"""Windows that belong together become events; those that stand alone or do not follow the field are taken back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.variables import with_attributes

from .criteria import Rejection
from .plans import wave_ion
from .polarization import Real
from .settings import CriteriaSettings, DetectionSettings

_MEANS = (
    "magnetic_field_strength", "gyrofrequency", "peak_frequency", "ellipticity", "polarization_degree", "polarization_degree_3d",
    "wave_normal_angle", "planarity", "signal_to_noise", "power_parallel", "power_perpendicular", "background",
)  # fmt: skip
"""What an event holds as the mean of its windows."""


def reject_lonely_windows(windows: xr.Dataset, settings: DetectionSettings) -> xr.Dataset:
    """Take back detections that do not follow the field or that have no neighbour, in a copy.

    A run of detections whose gyrofrequency changes by more than ``track_tolerance`` must follow it: the spread of peak
    frequency over gyrofrequency must be below that of the peak frequency itself. Then runs shorter than ``consecutive``
    half-overlapping windows are taken back.

    Parameters
    ----------
    windows : xarray.Dataset
        Output of `measure_windows`, ``rejection`` complete but for these two reasons.
    settings : DetectionSettings
        Criteria.
    """
    reasons = windows["rejection"].values.copy()
    stretch = windows["stretch"].values
    for k in range(windows.sizes["species"]):
        peak, fc = (windows[name].values[:, k] for name in ("peak_frequency", "gyrofrequency"))
        for run in _runs(reasons[:, k] == 0, stretch):
            if not tracks_field(peak[run], fc[run], settings.criteria):
                reasons[run, k] |= int(Rejection.DOES_NOT_TRACK_FIELD)
        step = (windows["time_bounds"].values[:, 1] - windows["time_bounds"].values[:, 0]) / np.timedelta64(1, "s")
        length = windows["window_length"].values[:, k]
        for run in _runs(reasons[:, k] == 0, stretch):
            # on the common grid the windows of a slow ion share most of their samples: its next window is half a window on
            cells = np.ceil(np.max(length[run] / step[run]) / 2.0 - 1e-3)
            if run.stop - run.start < 1 + (settings.criteria.consecutive - 1) * max(1.0, cells):
                reasons[run, k] |= int(Rejection.SINGLE_WINDOW)
    result = windows.copy()
    result["rejection"] = windows["rejection"].copy(data=reasons)
    result["detected"] = windows["detected"].copy(data=reasons == 0)
    return result


def tracks_field(peak: Real, fc: Real, criteria: CriteriaSettings) -> bool:
    """Whether peak frequencies follow gyrofrequencies; true where these change too little to tell."""
    change = (fc.max() - fc.min()) / fc.mean()
    if change <= criteria.track_tolerance:
        return True
    return bool(np.std(np.log(peak / fc)) < np.std(np.log(peak)))


def find_events(windows: xr.Dataset) -> xr.Dataset:
    """Merge neighbouring detections of one ion into events.

    Parameters
    ----------
    windows : xarray.Dataset
        Windows with their final ``rejection``, see `reject_lonely_windows`.

    Returns
    -------
    xarray.Dataset
        By ``event``, ordered by start: ``species``, ``start``, ``end`` (ends of the cells of the grid), ``time`` (middle),
        ``window_count``, ``first_window``, means over the windows of field, frequencies, polarisation and powers, the
        position in the middle, and ``ambiguous_with``: other ions of the body or of the analysis whose band holds the peak too.
    """
    names = windows["species"].values
    stretch = windows["stretch"].values
    found = [
        (int(run.start), int(run.stop), k)
        for k in range(len(names))
        for run in _runs(windows["rejection"].values[:, k] == 0, stretch)
    ]
    found.sort()
    first = np.array([run[0] for run in found], dtype=np.intp)
    stop = np.array([run[1] for run in found], dtype=np.intp)
    column = np.array([run[2] for run in found], dtype=np.intp)
    bounds = windows["time_bounds"].values
    start, end = bounds[first, 0], bounds[stop - 1, 1]
    events = xr.Dataset(
        {
            "species": ("event", names[column].astype(object) if len(found) else np.zeros(0, dtype=object)),
            "time": ("event", start + (end - start) // 2),
            "start": ("event", start),
            "end": ("event", end),
            "first_window": ("event", first),
            "window_count": ("event", stop - first),
        }
    )
    for name in _MEANS:
        values = windows[name].values
        events[name] = ("event", np.array([_mean(values, run) for run in found]))
    for name in ("band_lower", "band_upper"):
        values = windows[name].values
        reduce = np.min if name == "band_lower" else np.max
        events[name] = ("event", np.array([reduce(values[a:b, k]) for a, b, k in found]))
    if "position" in windows:
        middle = (first + stop - 1) // 2
        events["position"] = (("event", "component"), windows["position"].values[middle])
        events["radial_distance"] = ("event", windows["radial_distance"].values[middle])
    if "heliocentric_distance" in windows:
        events["heliocentric_distance"] = ("event", windows["heliocentric_distance"].values[(first + stop - 1) // 2])
    return with_attributes(events)


def add_ambiguities(events: xr.Dataset, others: tuple[str, ...]) -> xr.Dataset:
    """Name for each event the other ions that could have made it: those whose gyrofrequency lies near its peak.

    Parameters
    ----------
    events : xarray.Dataset
        Output of `find_events`.
    others : tuple of str
        Ions and groups that are considered, such as those expected at the body.

    Returns
    -------
    xarray.Dataset
        With ``ambiguous_with(event)``: names separated by commas. An ion is named when its charge has the same sign and the
        peak lies between 0.8 times its gyrofrequency and the gyrofrequency plus what the band of the event adds above.
    """
    ions = {name: wave_ion(name) for name in others}
    words = []
    for k in range(events.sizes["event"]):
        own = wave_ion(str(events["species"].values[k]))
        peak, fc = float(events["peak_frequency"][k]), float(events["gyrofrequency"][k])
        margin = max(0.0, float(events["band_upper"][k]) - own.spread[1] * fc) / fc
        named = []
        for name, ion in ions.items():
            scale = fc * ion.charge_to_mass / own.charge_to_mass
            inside = 0.8 * scale * ion.spread[0] <= peak <= scale * (ion.spread[1] + margin)
            if name != own.name and ion.handedness == own.handedness and inside:
                named.append(name)
        words.append(", ".join(named))
    result = events.copy()
    result["ambiguous_with"] = ("event", np.array(words, dtype=object) if words else np.zeros(0, dtype=object))
    return with_attributes(result)


def _mean(values: NDArray, run: tuple[int, int, int]) -> float:
    first, stop, column = run
    return float(np.mean(values[first:stop] if values.ndim == 1 else values[first:stop, column]))


def _runs(mask: NDArray[np.bool_], stretch: NDArray) -> Iterator[slice]:
    """Runs of true values that do not reach over a long gap."""
    joined = np.concatenate(([False], mask, [False]))
    begins = np.flatnonzero(joined[1:-1] & ~(joined[:-2] & np.concatenate(([False], stretch[1:] == stretch[:-1]))))
    for begin in begins:
        end = begin + 1
        while end < len(mask) and mask[end] and stretch[end] == stretch[end - 1]:
            end += 1
        yield slice(int(begin), int(end))
