from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siderion.core.errors import CoverageError, DataError
from siderion.frames.dipole import TiltedDipole
from siderion.frames.gsm import dipole_axis, dipole_gse, dipole_tilt, gse_to_gsm, gsm_to_gse, gsm_to_sm, sm_to_gsm

TIMES = [np.datetime64(text, "ns") for text in ("1990-06-21T16:40", "2009-12-21T05:00", "2017-03-20T10:30", "2024-04-08T18:00")]


def low_precision_dipole_gse(time: np.datetime64) -> np.ndarray:
    """Dipole in GSE by the short series of Hapgood 1992 (T1 and T2), written independently of ERFA."""
    days = (time - np.datetime64("2000-01-01T12:00", "ns")) / np.timedelta64(86_400_000_000_000, "ns")
    hours = (time - time.astype("datetime64[D]")) / np.timedelta64(3_600_000_000_000, "ns")
    century = (days - hours / 24.0) / 36525.0
    sidereal = np.radians(100.461 + 36000.770 * century + 15.04107 * hours)
    anomaly = np.radians(357.528 + 35999.050 * century + 0.04107 * hours)
    longitude = 280.460 + 36000.772 * century + 0.04107 * hours
    sun = np.radians(longitude + (1.915 - 0.0048 * century) * np.sin(anomaly) + 0.020 * np.sin(2.0 * anomaly))
    tilt = np.radians(23.439 - 0.013 * century)
    pole = TiltedDipole.at(time)
    lat, right = np.radians(pole.pole_lat), np.radians(pole.pole_lon) + sidereal
    x, y, z = np.cos(lat) * np.cos(right), np.cos(lat) * np.sin(right), np.sin(lat)
    y, z = np.cos(tilt) * y + np.sin(tilt) * z, -np.sin(tilt) * y + np.cos(tilt) * z
    return np.array([np.cos(sun) * x + np.sin(sun) * y, -np.sin(sun) * x + np.cos(sun) * y, z])


@pytest.mark.parametrize("time", TIMES)
def test_dipole_against_the_short_series_and_the_tilt(time: np.datetime64) -> None:
    found = dipole_gse(time)
    np.testing.assert_allclose(found, low_precision_dipole_gse(time), atol=5e-4)  # 0.03 degrees
    assert np.degrees(np.arcsin(found[0])) == pytest.approx(float(TiltedDipole.at(time).tilt(time)), abs=0.01)


def test_at_the_december_solstice_the_dipole_swings_by_its_own_colatitude() -> None:
    # the axis of the Earth leans away from the Sun by 23.44 degrees, and the pole circles it; seen along x, the extremes of
    # a circle of radius r about an axis that leans by e are tan a = tan r/sqrt(cos^2 e - tan^2 r sin^2 e)
    times = np.datetime64("2000-12-21T00:00", "ns") + np.arange(48) * np.timedelta64(30, "m")
    angle = np.degrees([np.arctan2(*dipole_gse(time)[1:]) for time in times])
    radius, lean = np.radians(90.0 - TiltedDipole.at(times[0]).pole_lat), np.radians(23.44)
    expected = np.degrees(np.arctan(np.tan(radius) / np.sqrt(np.cos(lean) ** 2 - (np.tan(radius) * np.sin(lean)) ** 2)))
    # the Sun moves by 1.019 degrees a day then, so that the axis itself is at tan(23.44) times its way since 13:37 UT
    days = (times - np.datetime64("2000-12-21T13:37", "ns")) / np.timedelta64(1, "D")
    angle -= np.tan(lean) * 1.019 * days
    assert angle.max() == pytest.approx(expected, abs=0.03)
    assert angle.min() == pytest.approx(-expected, abs=0.03)


@given(st.lists(st.floats(-20.0, 20.0), min_size=3, max_size=3), st.sampled_from(TIMES))
def test_turn_keeps_lengths_and_x_and_puts_the_dipole_into_x_z(vector: list[float], time: np.datetime64) -> None:
    turned = gse_to_gsm(vector, time)
    assert turned[0] == vector[0]
    assert np.linalg.norm(turned) == pytest.approx(np.linalg.norm(vector), abs=1e-12)
    dipole = gse_to_gsm(dipole_gse(time), time)
    assert abs(dipole[1]) < 1e-12 < dipole[2]


def test_dipole_axis_is_that_of_the_tilted_dipole_and_arrays_are_single_times() -> None:
    times = np.array([*TIMES, np.datetime64("1965-01-02", "ns"), np.datetime64("2029-06-01", "ns")])
    np.testing.assert_allclose(dipole_axis(times), [TiltedDipole.at(time).axes[2] for time in times], atol=1e-14)
    np.testing.assert_allclose(dipole_gse(times), [dipole_gse(time) for time in times], atol=1e-15)
    vectors = np.random.default_rng(1).normal(size=(times.size, 3))
    for turn in (gse_to_gsm, gsm_to_gse, gsm_to_sm, sm_to_gsm):
        one_by_one = [turn(vector, time) for vector, time in zip(vectors, times, strict=True)]
        np.testing.assert_allclose(turn(vectors, times), one_by_one, atol=1e-14)
    assert gse_to_gsm(vectors[0], times).shape == (times.size, 3)


def test_many_times_are_interpolated_to_round_off() -> None:
    times = np.datetime64("2015-03-01T00:00", "ns") + np.arange(2000) * np.timedelta64(7, "m")
    few = slice(3, None, 401)
    np.testing.assert_allclose(dipole_gse(times)[few], dipole_gse(times[few]), atol=3e-12)


@pytest.mark.parametrize(("forth", "back"), [(gse_to_gsm, gsm_to_gse), (gsm_to_sm, sm_to_gsm)])
def test_round_trip_and_orthonormal(forth, back) -> None:  # type: ignore[no-untyped-def]
    times = np.datetime64("1990-01-01", "ns") + np.arange(40) * np.timedelta64(8191, "h")
    matrix = forth(np.eye(3)[:, None, :], times)  # images of the axes: (3, time, 3)
    gram = np.einsum("itk,jtk->tij", matrix, matrix)
    np.testing.assert_allclose(gram, np.broadcast_to(np.eye(3), gram.shape), atol=1e-14)
    np.testing.assert_allclose(np.linalg.det(np.moveaxis(matrix, 1, 0)), 1.0, atol=1e-14)
    vectors = np.random.default_rng(2).normal(size=(times.size, 3))
    np.testing.assert_allclose(back(forth(vectors, times), times), vectors, atol=1e-12)


def test_the_dipole_is_the_z_axis_of_sm() -> None:
    times = np.array(TIMES)
    found = gsm_to_sm(gse_to_gsm(dipole_gse(times), times), times)
    np.testing.assert_allclose(found, np.broadcast_to([0.0, 0.0, 1.0], found.shape), atol=1e-14)
    np.testing.assert_allclose(dipole_tilt(times), [float(TiltedDipole.at(time).tilt(time)) for time in times], atol=0.01)


def test_refusals() -> None:
    with pytest.raises(DataError, match="one time, or one for each"):
        gse_to_gsm(np.zeros((4, 3)), np.array(TIMES[:3]))
    with pytest.raises(CoverageError, match="no dipole"):
        dipole_gse(np.datetime64("2031-01-01", "ns"))
    with pytest.raises(DataError, match="last dimension"):
        gse_to_gsm([1.0, 2.0], TIMES[0])
    with pytest.raises(CoverageError, match="no dipole"):
        gse_to_gsm([0.0, 0.0, 1.0], np.datetime64("1950-01-01", "ns"))
