"""Interplanetary magnetic field and solar wind at a time, with every gap that was bridged on record."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike

from siderion.core.errors import CoverageError, DataError, SettingsError, UnitsError
from siderion.core.variables import get_variable, with_attributes
from siderion.io.omni import DOUBTFUL_SIGN_FLAG, read_embedded_imf, read_omni

from .indices import utc_times

FIELD_VARIABLES = ("imf_by_gsm", "imf_bz_gsm")
"""Variables under the limit `longest_gap`."""

PLASMA_VARIABLES = ("solar_wind_speed", "solar_wind_density")
"""Variables under the limit `longest_plasma_gap`."""

# Fill values of solar wind files lie at or above these; measured values lie well below.
_MEASURABLE = {
    "imf_by_gsm": 999.0,
    "imf_bz_gsm": 999.0,
    "solar_wind_speed": 9999.0,
    "solar_wind_density": 999.0,
}
_LONGEST_HOLD = np.timedelta64(30, "m").astype("timedelta64[ns]")
_HOUR = np.timedelta64(1, "h").astype("timedelta64[ns]")
_REMEDY = "give a file of the interplanetary magnetic field that has it, or hold the solar wind at constant values"


@dataclass(frozen=True)
class _Bracket:
    """Samples on both sides of each time, shape (n,): their indices, and the weight of the right one."""

    left: np.ndarray
    right: np.ndarray
    weight: np.ndarray

    @property
    def used(self) -> np.ndarray:
        """Samples with a weight above 0, each once."""
        return np.union1d(self.left[self.weight < 1], self.right[self.weight > 0])


def load_imf(path: str | PathLike[str] | None = None) -> xr.Dataset:
    """Load hourly interplanetary magnetic field and solar wind.

    Parameters
    ----------
    path : str or path, optional
        A file as `siderion.io.omni` describes it; without it the one that comes with the package: June to August
        of 2022 to 2024 with a few days around, and 17 to 22 December 2023. By in it is reconstructed.

    Returns
    -------
    xarray.Dataset
        `imf_by_gsm`, `imf_bz_gsm` (nT), `solar_wind_speed` (km s-1), `solar_wind_density` (cm-3) of `time`,
        the middle of each hour; NaN where nothing was measured. See `siderion.io.omni.read_omni`.

    Raises
    ------
    DataError
        The file cannot be read or is of another format.
    """
    return read_embedded_imf() if path is None else read_omni(path)


def imf_at(
    dataset: xr.Dataset,
    time: ArrayLike,
    longest_gap: str = "3h",
    longest_plasma_gap: str = "24h",
) -> xr.Dataset:
    """Interpolate field and solar wind linearly in time, over gaps up to a limit.

    Samples are means over one step of the data, placed in its middle. A time more than half a step (at most
    30 min) beyond the last sample before a long gap, or beyond the end of a span, is refused. A missing row
    ends a span; nothing is interpolated from one span to another.

    Parameters
    ----------
    dataset : xarray.Dataset
        From `load_imf`.
    time : array_like of datetime64, shape (n,) or scalar
        UTC, in any order.
    longest_gap, longest_plasma_gap : str
        Longest run of missing values that is bridged, such as "3h": for the field, and for speed and density,
        which vary more slowly and are missing more often.

    Returns
    -------
    xarray.Dataset
        The four variables at `time`, without NaN. Attributes: `interpolated_gaps` (text, one entry
        "variable, start, end, hours" for each gap that a time fell into, separated by "; ", or "none");
        `by_doubtful_sign_hours` (number of hours used whose reconstructed By has a doubtful sign); the two
        limits.

    Raises
    ------
    CoverageError
        A time lies outside the spans of the data or in a gap longer than the limit.
    DataError, UnitsError
        A variable is absent, not in order of time, or has other units.
    SettingsError
        A time or a limit is not one.
    """
    times = utc_times(time)
    limits = dict.fromkeys(FIELD_VARIABLES, _limit(longest_gap, "longest_gap"))
    limits |= dict.fromkeys(PLASMA_VARIABLES, _limit(longest_plasma_gap, "longest_plasma_gap"))
    series = _Series(dataset)
    variables: dict[str, tuple[str, np.ndarray]] = {}
    gaps: list[str] = []
    doubtful = 0.0
    for name, limit in limits.items():
        known, bracket = series.bracket(name, times, limit)
        samples = dataset[name].values[known].astype(float)
        values = (1.0 - bracket.weight) * samples[bracket.left] + bracket.weight * samples[bracket.right]
        variables[name] = ("time", values)
        gaps += series.bridged_gaps(name, known, bracket)
        if name == "imf_by_gsm" and "imf_by_flag" in dataset:
            flags = dataset["imf_by_flag"].values[known]
            doubtful = series.hours(int(np.sum(flags[bracket.used] == DOUBTFUL_SIGN_FLAG)))
    result = with_attributes(xr.Dataset(variables, coords={"time": times}))
    result.attrs = {
        "source": dataset.attrs.get("source", "not stated"),
        "imf_by_origin": dataset.attrs.get("imf_by_origin", "not stated"),
        "interpolated_gaps": "; ".join(gaps) or "none",
        "by_doubtful_sign_hours": doubtful,
        "longest_gap": longest_gap,
        "longest_plasma_gap": longest_plasma_gap,
    }
    return result


def time_step(sample_times: np.ndarray) -> np.timedelta64:
    """Step of the samples: the smallest difference of their times, an hour for a single sample."""
    return np.diff(sample_times).min() if sample_times.size > 1 else _HOUR


def check_series(dataset: xr.Dataset, names: tuple[str, ...]) -> np.ndarray:
    """Check the variables of a solar wind series and give its times.

    Parameters
    ----------
    dataset : xarray.Dataset
        The series, of `time`.
    names : tuple of str
        Variables that must be there, in their registered units, without fill values (NaN marks a gap).

    Returns
    -------
    numpy.ndarray of datetime64[ns], shape (time,)
        The times, in order.

    Raises
    ------
    DataError, UnitsError
        A variable is absent, has other units or a fill value; or times are not in order.
    CoverageError
        There are no times.
    """
    for name in names:
        if name not in dataset:
            raise DataError(f"the solar wind data have no {name!r}; {_REMEDY}")
        units, needed = dataset[name].attrs.get("units"), get_variable(name).units
        if units != needed:
            raise UnitsError(f"{name} has units {units!r}; needed: {needed!r}; convert it and set the attribute")
        _refuse_fill_values(dataset, name)
    sample_times = dataset["time"].values.astype("datetime64[ns]")
    if sample_times.size == 0:
        raise CoverageError(f"the solar wind data have no times at all; {_REMEDY}")
    late = np.flatnonzero(np.diff(sample_times) <= np.timedelta64(0, "ns"))
    if late.size:
        raise DataError(
            f"time number {late[0] + 1} of the solar wind, {_minute(sample_times[late[0] + 1])}, follows "
            f"{_minute(sample_times[late[0]])}; times must be in order and appear once; sort them"
        )
    return sample_times


class _Series:
    """Sample times of a data set, cut into spans where rows are missing."""

    def __init__(self, dataset: xr.Dataset) -> None:
        self.dataset = dataset
        self.times = check_series(dataset, (*FIELD_VARIABLES, *PLASMA_VARIABLES))
        self.step = time_step(self.times)
        # Half a step of tolerance: time stamps of real series jitter.
        self.widest_step = self.step + self.step // 2
        self.span = np.concatenate([[0], np.cumsum(np.diff(self.times) > self.widest_step)])

    def bracket(self, name: str, times: np.ndarray, limit: np.timedelta64) -> tuple[np.ndarray, _Bracket]:
        """Indices of the samples with a value, and for each time those of them it is interpolated from."""
        known = np.flatnonzero(np.isfinite(self.dataset[name].values))
        if known.size == 0:
            raise CoverageError(f"{name} has no value in the data at all ({self.spans_text()}); {_REMEDY}")
        sample_times, span = self.times[known], self.span[known]
        after = np.searchsorted(sample_times, times, side="left")
        right = np.minimum(after, known.size - 1)
        # A time that meets a sample uses that sample alone.
        left = np.where(sample_times[right] == times, right, np.maximum(after - 1, 0))
        before, behind = times - sample_times[left], sample_times[right] - times
        zero = np.timedelta64(0, "ns")
        between = (before >= zero) & (behind >= zero) & (span[left] == span[right])
        joined = between & (before + behind - self.step <= limit)
        hold = min(self.step // 2, _LONGEST_HOLD)
        hold_left = ~joined & (np.abs(before) <= hold)
        hold_right = ~joined & ~hold_left & (np.abs(behind) <= hold)
        refused = ~(joined | hold_left | hold_right)
        if refused.any():
            index = int(np.argmax(refused))
            gap = (sample_times[left[index]], sample_times[right[index]]) if between[index] else None
            raise CoverageError(self.refusal(name, times[index], gap, limit))
        left, right = np.where(hold_right, right, left), np.where(hold_left, left, right)
        width = (sample_times[right] - sample_times[left]).astype(float)
        elapsed = (times - sample_times[left]).astype(float)
        return known, _Bracket(left, right, np.divide(elapsed, width, out=np.zeros(times.size), where=width > 0))

    def refusal(
        self,
        name: str,
        time: np.datetime64,
        gap: tuple[np.datetime64, np.datetime64] | None,
        limit: np.timedelta64,
    ) -> str:
        """Why a time has no value, and what to do."""
        if gap is None:
            return f"{name} at {_minute(time)}: the data cover only {self.spans_text()}; {_REMEDY}"
        start, end, hours = self.gap(*gap)
        return (
            f"{name} at {_minute(time)}: gap of {hours:g} h from {start} to {end}, longer than the limit of "
            f"{limit / _HOUR:g} h; raise the limit if a straight line over the gap will do, or {_REMEDY}"
        )

    def bridged_gaps(self, name: str, known: np.ndarray, bracket: _Bracket) -> list[str]:
        """Gaps that a time fell into, as text."""
        left, right = self.times[known][bracket.left], self.times[known][bracket.right]
        wide = right - left > self.widest_step
        gaps = [self.gap(*pair) for pair in sorted(set(zip(left[wide], right[wide], strict=True)))]
        return [f"{name}, {start}, {end}, {hours:g} h" for start, end, hours in gaps]

    def gap(self, left: np.datetime64, right: np.datetime64) -> tuple[str, str, float]:
        """Start, end and hours of the missing steps between two samples."""
        half = self.step // 2
        return _minute(left + half), _minute(right - half), float((right - left - self.step) / _HOUR)

    def hours(self, samples: int) -> float:
        """Hours that a number of samples stands for."""
        return float(samples * (self.step / _HOUR))

    def spans_text(self) -> str:
        """The spans covered, at most eight of them written out."""
        half = self.step // 2
        spans = [self.times[self.span == number] for number in range(int(self.span[-1]) + 1)]
        texts = [f"{_minute(span[0] - half)} to {_minute(span[-1] + half)}" for span in spans]
        if len(texts) > 8:
            texts = [*texts[:4], f"{len(texts) - 8} more", *texts[-4:]]
        return ", ".join(texts)


def _limit(text: str, name: str) -> np.timedelta64:
    try:
        limit = pd.Timedelta(text)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{name} is {text!r}; give a duration such as '3h'") from error
    if pd.isna(limit) or limit < pd.Timedelta(0):
        raise SettingsError(f"{name} is {text!r}; it must not be negative; '0h' bridges nothing")
    return limit.to_timedelta64().astype("timedelta64[ns]")


def _refuse_fill_values(dataset: xr.Dataset, name: str) -> None:
    values, limit = dataset[name].values.astype(float), _MEASURABLE[name]
    lowest = -limit if name in FIELD_VARIABLES else 0.0
    # NaN marks a gap and is dealt with later; a number outside the range is a fill value nobody removed.
    bad = (values <= -limit) | (values >= limit) | (values < lowest)
    if bad.any():
        index = int(np.argmax(bad))
        raise DataError(
            f"{name} at {_minute(dataset['time'].values[index])} is {values[index]:g}; it must be above "
            f"{lowest:g} and below {limit:g}; set missing values to NaN"
        )


def _minute(stamp: np.datetime64) -> str:
    return np.datetime_as_string(stamp, unit="m")
