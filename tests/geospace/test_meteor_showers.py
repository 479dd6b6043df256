"""Peaks of meteor showers from the longitude of the Sun."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import GeocentricMeanEcliptic, get_sun
from astropy.time import Time
from astropy.utils import iers

from siderion.core.errors import CoverageError, SettingsError
from siderion.geospace.meteor_showers import nearest_shower, shower_peaks, solar_longitude


def test_longitude_against_astropy() -> None:
    times = np.array(["1995-01-01", "2003-10-21T12:00", "2024-06-20T20:51"], dtype="datetime64[ns]")
    with iers.conf.set_temp("auto_download", False):
        sun = get_sun(Time(times.astype(str), scale="utc")).transform_to(GeocentricMeanEcliptic(equinox="J2000"))
    # astropy gives the apparent Sun: 20.5 seconds of arc of aberration behind
    np.testing.assert_allclose(solar_longitude(times), sun.lon.deg + 20.5 / 3600.0, atol=1e-3)


def test_peaks_of_the_review_and_of_the_outburst_of_2007() -> None:
    orionids = shower_peaks(np.datetime64("2003-10-01"), np.datetime64("2003-11-01"), ["ori"])
    assert str(orionids.time[0].astype("datetime64[D]")) == "2003-10-21"
    aurigids = shower_peaks(np.datetime64("2005-08-01"), np.datetime64("2005-10-01"), ["Aurigids"])
    # the review has 2005-08-31, the longitude gives the first minutes of the next day
    assert abs(aurigids.time[0] - np.datetime64("2005-09-01T00:00", "ns")) < np.timedelta64(1, "h")
    # trail of comet Kiess at 2007-09-01 11:33 (CBET 1045): longitude 158.56, about an hour before that of the table
    assert solar_longitude(np.datetime64("2007-09-01T11:33", "ns")) == pytest.approx(158.56, abs=0.005)


def test_one_peak_a_year_and_exact_longitude() -> None:
    found = shower_peaks(np.datetime64("1990-01-01"), np.datetime64("2020-01-01"), ["QUA", "GEM"])
    for code, longitude in (("QUA", 283.15), ("GEM", 262.2)):
        times = found.time[found.code == code]
        assert len(times) == 30
        np.testing.assert_allclose(solar_longitude(times), longitude, atol=1e-5)


def test_nearest_and_choice() -> None:
    names, days = nearest_shower(np.array(["2003-10-24T14:47"], dtype="datetime64[ns]"))
    assert names[0] == "Orionids"
    assert days[0] == pytest.approx(2.74, abs=0.01)
    names, _ = nearest_shower(np.array(["2003-10-24T14:47"], dtype="datetime64[ns]"), smallest_rate=90.0)
    assert names[0] == "Geminids"
    with pytest.raises(CoverageError, match="swamp"):
        shower_peaks(np.datetime64("2003-01-01"), np.datetime64("2004-01-01"), ["swamp"])
    with pytest.raises(CoverageError, match="rate"):
        nearest_shower(np.array(["2003-10-24"], dtype="datetime64[ns]"), smallest_rate=1e4)
    with pytest.raises(SettingsError):
        shower_peaks(np.datetime64("2004-01-01"), np.datetime64("2003-01-01"))
