from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import GeocentricTrueEcliptic, get_body, get_sun
from astropy.time import Time
from astropy.utils import iers

from siderion.core.errors import CoverageError, SettingsError
from siderion.frames.moon import gse_axes, moon_position_from_phase, moon_position_gse

TIMES = np.array(["2017-01-01T00:00", "2020-03-20T03:50", "2022-06-07T12:00", "2024-09-22T12:44"], dtype="datetime64[ns]")


def test_direction_against_astropy() -> None:
    # astropy: apparent places in true ecliptic coordinates of date; GSE longitude is that from the Sun
    with iers.conf.set_temp("auto_download", False):
        moments = Time(TIMES.astype(str), scale="utc")
        frame = GeocentricTrueEcliptic(obstime=moments, equinox=moments)
        moon = get_body("moon", moments, ephemeris="builtin").transform_to(frame)
        sun = get_sun(moments).transform_to(frame)
    found = moon_position_gse(TIMES)
    longitude = np.degrees(np.arctan2(found[:, 1], found[:, 0]))
    latitude = np.degrees(np.arcsin(found[:, 2] / np.linalg.norm(found, axis=1)))
    expected = (moon.lon - sun.lon).wrap_at("180d").deg
    assert np.abs((longitude - expected + 180.0) % 360.0 - 180.0).max() < 0.01
    np.testing.assert_allclose(latitude, moon.lat.deg, atol=0.01)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), moon.distance.m, rtol=1e-4)


def test_eclipses_of_the_almanac() -> None:
    # 2024-04-08 18:17:20 UT is the greatest solar eclipse, gamma 0.343 Earth radii to the north; the axis of the shadow
    # points from the Sun through the Moon, and passes the Earth at about the offset of the Moon from the Sun line.
    # 2022-05-16 04:11:30 UT is the greatest lunar eclipse, gamma -0.253.
    found = moon_position_gse(np.array(["2024-04-08T18:17:20", "2022-05-16T04:11:30"], dtype="datetime64[ns]")) / 6378.1e3
    assert np.hypot(found[0, 1], found[0, 2]) == pytest.approx(0.343, abs=0.01)
    assert np.hypot(found[1, 1], found[1, 2]) == pytest.approx(0.253, abs=0.01)
    assert found[0, 2] > 0.0 > found[1, 2]
    assert found[0, 0] > 50.0 > -50.0 > found[1, 0]


def test_perigee_of_the_almanac() -> None:
    # perigee of 2024-04-07 17:51 UT: 358 850 km
    assert np.linalg.norm(moon_position_gse(np.datetime64("2024-04-07T17:51", "ns"))) == pytest.approx(358.850e6, abs=5e4)


def test_axes_are_right_handed_and_orthonormal() -> None:
    axes = gse_axes(TIMES)
    np.testing.assert_allclose(axes @ np.swapaxes(axes, -1, -2), np.broadcast_to(np.eye(3), axes.shape), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(axes), 1.0, atol=1e-12)


def test_phase() -> None:
    places = moon_position_from_phase([0.0, 90.0, 180.0]) / 384400e3
    np.testing.assert_allclose(places, [[1, 0, 0], [0, 1, 0], [-1, 0, 0]], atol=1e-12)
    with pytest.raises(SettingsError, match="phase of the Moon"):
        moon_position_from_phase(np.nan)
    with pytest.raises(SettingsError, match="distance"):
        moon_position_from_phase(0.0, -1.0)
    with pytest.raises(CoverageError):
        moon_position_gse(np.datetime64("1850-01-01", "ns"))
