"""Days of two-cell convection by the criterion of Andoh et al. (2026), in each of the ways it can be read.

The criterion (doi 10.1051/swsc/2025056) names |By| below 5 nT, Bz below 0, and 80 % of the day. It leaves
open whether the 80 % hold for each condition, for both at once, or for Bz alone.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import xarray as xr

from siderion.core.errors import CoverageError, SettingsError
from siderion.core.tables import load_table
from siderion.io.omni import DOUBTFUL_SIGN_FLAG

from .imf import FIELD_VARIABLES, check_series, time_step

Reading = Literal["separate", "joint", "every_hour"]

READINGS: dict[str, str] = {
    "separate": "each condition on its own for the fraction of the day",
    "joint": "both conditions at the same time for the fraction of the day",
    "every_hour": "|By| below its limit at every hour, Bz negative for the fraction of the day",
}
"""The three readings of the criterion, in words."""

MINIMUM_HOURS = 20.0
"""A day with fewer hours that have both By and Bz is not judged."""


def two_cell_days(imf: xr.Dataset, reading: Reading = "separate", fraction: float = 0.8, by_limit: float = 5.0) -> xr.Dataset:
    """Judge every day of a series by the two-cell criterion.

    Fractions are of the hours that have both By and Bz; days with fewer than `MINIMUM_HOURS` of them are left
    out and listed in the attribute `days_left_out`. A doubtful sign of By does not matter here: only its size
    counts.

    Parameters
    ----------
    imf : xarray.Dataset
        `imf_by_gsm` and `imf_bz_gsm` (nT) of `time`, the middle of each hour; from
        `siderion.solarwind.imf.load_imf`.
    reading : {"separate", "joint", "every_hour"}
        How the criterion is read; see `READINGS`.
    fraction : float
        Fraction of the day, above 0 and at most 1; the day qualifies at this fraction or more.
    by_limit : float
        Limit of |By|, nT; |By| must be below.

    Returns
    -------
    xarray.Dataset
        Of `day`: `by_within_limit_fraction`, `bz_negative_fraction`, `joint_fraction`, `largest_by` (nT),
        `hours_available`, and `selected` by the reading asked for; `qualifies(reading, day)` by all three;
        `simulated_by_andoh_2026`. With reconstructed By also `by_doubtful_sign_hours`.

    Raises
    ------
    SettingsError
        The reading is not known, or the fraction or the limit is out of range.
    CoverageError
        No day has enough hours.
    DataError, UnitsError
        By or Bz is absent, has other units or a fill value, or times are not in order.
    """
    _check_settings(reading, fraction, by_limit)
    days, left_out = _daily(imf, by_limit)
    southward = days["bz_negative_fraction"] >= fraction
    qualifies = {
        "separate": (days["by_within_limit_fraction"] >= fraction) & southward,
        "joint": days["joint_fraction"] >= fraction,
        "every_hour": (days["largest_by"] < by_limit) & southward,
    }
    result = days.assign_coords(reading=list(READINGS))
    result["qualifies"] = (("reading", "day"), np.stack([qualifies[name].values for name in READINGS]))
    result["selected"] = ("day", qualifies[reading].values)
    result["simulated_by_andoh_2026"] = result["day"].isin(np.array(paper_days(), "datetime64[ns]"))
    _describe(result, reading, fraction, by_limit)
    result.attrs["days_left_out"] = left_out
    result.attrs["source"] = imf.attrs.get("source", "not stated")
    result.attrs["imf_by_origin"] = imf.attrs.get("imf_by_origin", "not stated")
    return result


def paper_days() -> list[str]:
    """The nine days that Andoh et al. 2026 simulated, from the table ``paper_days``."""
    return load_table("solarwind", "paper_days")["date"].tolist()


def _check_settings(reading: str, fraction: float, by_limit: float) -> None:
    if reading not in get_args(Reading):
        raise SettingsError(f"reading is {reading!r}; it must be one of {', '.join(READINGS)}")
    if not 0.0 < fraction <= 1.0:
        raise SettingsError(f"fraction is {fraction}; it must be above 0 and at most 1")
    if not 0.0 < by_limit < np.inf:
        raise SettingsError(f"by_limit is {by_limit} nT; it must be above 0 and finite")


def _daily(imf: xr.Dataset, by_limit: float) -> tuple[xr.Dataset, str]:
    """Fractions of each day with enough hours, and the other days as text."""
    times = check_series(imf, FIELD_VARIABLES)
    by, bz = imf["imf_by_gsm"].values, imf["imf_bz_gsm"].values
    known = np.isfinite(by) & np.isfinite(bz)
    days = np.unique(times.astype("datetime64[D]"))
    index = np.searchsorted(days, times[known].astype("datetime64[D]"))
    samples = np.bincount(index, minlength=days.size)
    hours = samples * float(time_step(times) / np.timedelta64(1, "h"))
    enough = hours >= MINIMUM_HOURS
    if not enough.any():
        raise CoverageError(
            f"no day has {MINIMUM_HOURS:g} hours with both By and Bz (the best of {days.size} days has "
            f"{hours.max(initial=0):g}); give a series that covers whole days"
        )
    within, southward = np.abs(by[known]) < by_limit, bz[known] < 0
    largest = np.zeros(days.size)
    np.maximum.at(largest, index, np.abs(by[known]))
    columns = {} if "imf_by_flag" not in imf else {"by_doubtful_sign_hours": _hours_of_doubtful_sign(imf, known, index, samples)}
    columns |= {
        "by_within_limit_fraction": _share(index, within, samples),
        "bz_negative_fraction": _share(index, southward, samples),
        "joint_fraction": _share(index, within & southward, samples),
        "largest_by": largest,
        "hours_available": hours,
    }
    left_out = [f"{day} ({count:g} h)" for day, count in zip(days[~enough], hours[~enough], strict=True)]
    result = xr.Dataset(
        {name: ("day", values[enough]) for name, values in columns.items()},
        coords={"day": days[enough].astype("datetime64[ns]")},
    )
    return result, ", ".join(left_out) or "none"


def _share(index: np.ndarray, condition: np.ndarray, samples: np.ndarray) -> np.ndarray:
    held = np.bincount(index[condition], minlength=samples.size)
    return held / np.maximum(samples, 1)


def _hours_of_doubtful_sign(imf: xr.Dataset, known: np.ndarray, index: np.ndarray, samples: np.ndarray) -> np.ndarray:
    doubtful = imf["imf_by_flag"].values[known] == DOUBTFUL_SIGN_FLAG
    return _share(index, doubtful, samples) * samples


def _describe(result: xr.Dataset, reading: str, fraction: float, by_limit: float) -> None:
    described = {
        "by_within_limit_fraction": ("1", f"fraction of the hours with |By| below {by_limit:g} nT"),
        "bz_negative_fraction": ("1", "fraction of the hours with negative Bz"),
        "joint_fraction": ("1", f"fraction of the hours with |By| below {by_limit:g} nT and negative Bz"),
        "largest_by": ("nT", "largest |By| of the hours"),
        "hours_available": ("h", "hours that have both By and Bz"),
        "by_doubtful_sign_hours": ("h", "hours whose reconstructed By has a doubtful sign; only its size counts here"),
        "simulated_by_andoh_2026": ("1", "one of the nine days of Andoh et al. 2026"),
        "qualifies": ("1", f"day of two-cell convection, by each reading, fraction {fraction:g}"),
        "selected": ("1", f"day of two-cell convection: {READINGS[reading]}, fraction {fraction:g}"),
    }
    for name, (units, long_name) in described.items():
        if name not in result:
            continue
        result[name].attrs = {"units": units, "long_name": long_name}
    result.attrs = {
        "criterion": f"|By| < {by_limit:g} nT and Bz < 0 for at least {100 * fraction:g} % of the day, GSM",
        "reading": f"{reading}: {READINGS[reading]}",
        "reference": "Andoh et al. 2026, doi 10.1051/swsc/2025056",
    }
