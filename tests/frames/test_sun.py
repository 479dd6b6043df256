from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import ITRS, get_sun
from astropy.time import Time
from astropy.utils import iers
from hypothesis import given
from hypothesis import strategies as st

from siderion.frames.spherical import unit_vector
from siderion.frames.sun import julian_date, solar_zenith_angle, subsolar_point, wrap_longitude

TIMES = np.array(
    [
        "2017-01-01T00:00",
        "2020-03-20T03:50",
        "2022-06-07T12:00",
        "2023-06-18T06:13:27",
        "2024-07-14T18:00",
        "2024-09-22T12:44",
        "2024-12-21T23:59:59",
    ],
    dtype="datetime64[ns]",
)


def astropy_sun(times: np.ndarray) -> np.ndarray:
    with iers.conf.set_temp("auto_download", False):
        moments = Time(times.astype(str), scale="utc")
        sun = get_sun(moments).transform_to(ITRS(obstime=moments)).cartesian.xyz.value.T
    return sun / np.linalg.norm(sun, axis=-1, keepdims=True)


def test_subsolar_point_against_astropy() -> None:
    cosine = np.sum(unit_vector(*subsolar_point(TIMES)) * astropy_sun(TIMES), axis=-1)
    assert np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))).max() < 0.01


def test_zenith_angle_against_astropy() -> None:
    places = unit_vector([69.6, -30.0], [19.2, 150.0])
    expected = np.degrees(np.arccos(astropy_sun(TIMES) @ places.T))
    found = solar_zenith_angle(TIMES[:, None], np.array([69.6, -30.0]), np.array([19.2, 150.0]))
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_seasons() -> None:
    # the Sun stands over the equator at the equinox and over the tropics at the solstices (times of the almanac, 2024);
    # the aberration that is left out, 20.5", times the sine of the obliquity is 0.0023 degrees at the equinox
    times = np.array(["2024-03-20T03:06", "2024-06-20T20:51", "2024-12-21T09:21"], dtype="datetime64[ns]")
    lat, _ = subsolar_point(times)
    np.testing.assert_allclose(lat, [0.0, 23.4385, -23.4385], atol=0.003)


def test_subsolar_point_goes_west_with_the_hours() -> None:
    times = np.datetime64("2024-07-14T00:00", "ns") + np.arange(0, 25) * np.timedelta64(1, "h")
    _, lon = subsolar_point(times)
    steps = (np.diff(lon) + 360.0) % 360.0
    np.testing.assert_allclose(steps, 345.0, atol=0.01)
    assert lon.min() >= -180.0
    assert lon.max() <= 180.0


def test_zenith_angle_at_three_places() -> None:
    time = TIMES[2]
    lat, lon = subsolar_point(time)
    found = solar_zenith_angle(time, np.stack([lat, -lat, np.array(90.0)]), np.stack([lon, lon + 180.0, np.array(0.0)]))
    np.testing.assert_allclose(found, np.stack([np.array(0.0), np.array(180.0), 90.0 - lat]), atol=1e-5)


def test_shapes() -> None:
    assert subsolar_point(TIMES)[0].shape == TIMES.shape
    assert solar_zenith_angle(TIMES[:, None], np.zeros(3), np.zeros(3)).shape == (len(TIMES), 3)


def test_julian_date_of_j2000() -> None:
    assert julian_date(np.datetime64("2000-01-01T12:00")) == 2451545.0


@pytest.mark.parametrize(("lon", "wrapped"), [(180.0, -180.0), (-180.0, -180.0), (190.0, -170.0), (725.0, 5.0)])
def test_wrap_longitude(lon: float, wrapped: float) -> None:
    assert wrap_longitude(lon) == wrapped


@given(st.floats(-1e4, 1e4))
def test_wrapped_longitude_is_the_same_place(lon: float) -> None:
    wrapped = wrap_longitude(lon)
    assert -180.0 <= wrapped <= 180.0
    assert np.cos(np.radians(wrapped - lon)) == pytest.approx(1.0, abs=1e-12)
