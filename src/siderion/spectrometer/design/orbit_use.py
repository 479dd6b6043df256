"""What an orbit gives: hours a year in each region, and the counts of a flux there."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from siderion.core.errors import CoverageError, SettingsError
from siderion.geospace.orbit import orbit_positions_gse
from siderion.geospace.orbit_elements import Orbit
from siderion.geospace.residence import REGIONS, residence_time

_DAY = np.timedelta64(86_400_000_000_000, "ns")
_LARGEST_SAMPLES = 2_000_000


def orbit_use(orbit: Orbit, *, days: float = 365.25, step: float = 300.0, count_rate: float | None = None) -> xr.Dataset:
    """Hours a year that an orbit spends in each region, and the counts of a rate in these hours.

    Parameters
    ----------
    orbit : Orbit
        Mean elements; the time begins at its epoch.
    days : float
        Length that is followed, days; hours are given per year of 365.25 days.
    step : float
        Step, s; the error of the hours falls with it.
    count_rate : float, optional
        Expected counts per second inside a region, for the counts a year.

    Returns
    -------
    xarray.Dataset
        ``hours_per_year(region)``, ``residence_share(region)``, ``residence_fraction(region, year_bin)`` of the time in each
        twelfth of the year (missing where there is none) and, with a rate, ``counts_per_year(region)``.

    Raises
    ------
    SettingsError
        The length, step or rate cannot be.
    CoverageError
        The days reach beyond the years of the dipole.
    """
    if not (0.0 < days <= 20 * 365.25 and 0.0 < step <= 0.1 * orbit.period and days * 86400.0 / step <= _LARGEST_SAMPLES):
        raise SettingsError(
            f"{days} days in steps of {step} s: days must be positive and at most 7305, steps at most a tenth of the period "
            f"({orbit.period:.0f} s), and at most {_LARGEST_SAMPLES} of them"
        )
    if count_rate is not None and not 0.0 <= count_rate < np.inf:
        raise SettingsError(f"count rate is {count_rate} s-1; it must be finite and not negative")
    times = orbit.epoch + np.arange(int(days * 86400.0 / step) + 1) * np.timedelta64(round(step * 1e9), "ns")
    found = residence_time(times, orbit_positions_gse(orbit, times), year_bins=12)
    share = found["residence_hours"].sum("year_bin") / float(found["hours_in_bin"].sum())
    result = xr.Dataset({
        "residence_share": share.assign_attrs(units="1", long_name="share of the time in the region"),
        "hours_per_year": (share * 365.25 * 24.0).assign_attrs(units="h", long_name="hours a year in the region"),
        "residence_fraction": found["residence_fraction"],
    })  # fmt: skip
    if count_rate is not None:
        counts = result["hours_per_year"] * 3600.0 * count_rate
        result["counts_per_year"] = counts.assign_attrs(units="1", long_name="expected counts a year in the region")
    result.attrs["sources"] = found.attrs.get("sources", json.dumps([]))
    return result


def region_named(name: str) -> str:
    """A region of the residence time, in any case and with underscores.

    Raises
    ------
    CoverageError
        The region is unknown; names the known ones.
    """
    plain = name.strip().lower().replace("_", " ")
    if plain not in REGIONS:
        raise CoverageError(f"region {name!r} is unknown; known: {', '.join(REGIONS)}")
    return plain
