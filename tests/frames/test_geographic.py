from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import GCRS, ITRS, CartesianRepresentation, GeocentricTrueEcliptic, get_sun
from astropy.time import Time
from astropy.utils import iers

from siderion.core.errors import CoverageError, DataError
from siderion.frames.geographic import (
    geographic_to_gse,
    gse_to_geographic,
    gse_to_place,
    inertial_to_gse_matrix,
    place_gse,
    sidereal_angle,
)
from siderion.frames.sun import subsolar_point

TIMES = np.array(["1998-03-05T07:11", "2009-12-21T05:00", "2017-06-20T22:30", "2024-04-08T18:00"], dtype="datetime64[ns]")


def test_earth_fixed_axes_against_astropy() -> None:
    # astropy: Earth orientation with UT1 and polar motion, its own Sun and ecliptic; aberration moves its Sun by 0.006 degrees,
    # UT1 the Earth by at most 0.004
    iers.conf.auto_download = False
    for time in TIMES:
        moment = Time(str(time), scale="utc")
        vector = np.array([0.3, -0.5, 0.8])
        celestial = ITRS(CartesianRepresentation(*vector), obstime=moment).transform_to(GCRS(obstime=moment)).cartesian.xyz.value
        sun = get_sun(moment).cartesian.xyz.value
        x = sun / np.linalg.norm(sun)
        ecliptic = GeocentricTrueEcliptic(equinox=moment, obstime=moment)
        pole = (
            ecliptic.realize_frame(CartesianRepresentation(0.0, 0.0, 1.0)).transform_to(GCRS(obstime=moment)).cartesian.xyz.value
        )
        y = np.cross(pole, x) / np.linalg.norm(np.cross(pole, x))
        expected = np.array([x, y, np.cross(x, y)]) @ celestial
        np.testing.assert_allclose(geographic_to_gse(vector, time), expected, atol=np.radians(0.012))


def test_the_subsolar_point_lies_on_the_x_axis() -> None:
    lat, lon = subsolar_point(TIMES)
    place = place_gse(lat, lon, 0.0, TIMES) / 6371.2e3
    np.testing.assert_allclose(place, np.broadcast_to([1.0, 0.0, 0.0], place.shape), atol=1e-9)


def test_round_trips_and_rotations() -> None:
    vectors = np.random.default_rng(3).normal(size=(4, 3))
    np.testing.assert_allclose(gse_to_geographic(geographic_to_gse(vectors, TIMES), TIMES), vectors, atol=1e-12)
    lat, lon, alt = gse_to_place(place_gse([10.0, -80.0, 0.0, 45.0], [170.0, -20.0, 0.0, 90.0], 500.0, TIMES), TIMES)
    np.testing.assert_allclose([lat, lon], [[10.0, -80.0, 0.0, 45.0], [170.0, -20.0, 0.0, 90.0]], atol=1e-10)
    np.testing.assert_allclose(alt, 500.0, atol=1e-8)
    matrix = inertial_to_gse_matrix(TIMES)
    np.testing.assert_allclose(matrix @ np.swapaxes(matrix, -1, -2), np.broadcast_to(np.eye(3), matrix.shape), atol=1e-14)


def test_many_times_agree_with_few() -> None:
    times = TIMES[1] + np.arange(3000) * np.timedelta64(311, "s")
    few = slice(5, None, 499)
    np.testing.assert_allclose(inertial_to_gse_matrix(times)[few], inertial_to_gse_matrix(times[few]), atol=3e-12)
    turns = (sidereal_angle(times)[few] - sidereal_angle(times[few]) + np.pi) % (2.0 * np.pi) - np.pi
    np.testing.assert_allclose(turns, 0.0, atol=1e-11)


def test_refusals() -> None:
    with pytest.raises(DataError, match="3 components"):
        geographic_to_gse([1.0, 2.0], TIMES[0])
    with pytest.raises(CoverageError, match="outside"):
        inertial_to_gse_matrix(np.datetime64("1850-01-01", "ns"))
