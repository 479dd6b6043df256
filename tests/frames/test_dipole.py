from __future__ import annotations

from datetime import datetime

import numpy as np
import ppigrf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import CoverageError
from siderion.core.tables import load_table
from siderion.frames.dipole import FOOTPOINT_ALTITUDE, TiltedDipole, footpoint_colatitude
from siderion.frames.spherical import local_axes, unit_vector
from siderion.frames.sun import subsolar_point

DIPOLE = TiltedDipole.at(np.datetime64("2023-06-18T00:00"))
AXIAL = TiltedDipole(3e-5, 90.0, 0.0)
LATITUDES = st.floats(-90.0, 90.0)
LONGITUDES = st.floats(-180.0, 180.0)


@pytest.mark.parametrize(
    ("time", "lat", "lon", "strength"),
    [("2020-01-01T00:00", 80.589, -72.680, 29805.9), ("2023-06-18T00:00", 80.760, -72.653, 29771.4)],
)
def test_pole_and_strength_of_the_igrf13(time: str, lat: float, lon: float, strength: float) -> None:
    dipole = TiltedDipole.at(time)
    assert dipole.pole_lat == pytest.approx(lat, abs=6e-4)
    assert dipole.pole_lon == pytest.approx(lon, abs=6e-4)
    assert dipole.strength * 1e9 == pytest.approx(strength, abs=0.06)


def test_table_against_another_igrf() -> None:
    # the definitive epochs are the same in the IGRF-13 and the IGRF-14 of ppigrf
    g, h = ppigrf.ppigrf.read_shc(ppigrf.ppigrf.shc_fn)
    table = load_table("frames", "igrf13_dipole").set_index("epoch")
    for year in range(1965, 2020, 5):
        row, moment = table.loc[float(year)], datetime(year, 1, 1)
        expected = [g.loc[moment, (1, 0)], g.loc[moment, (1, 1)], h.loc[moment, (1, 1)]]
        assert [row["g10"], row["g11"], row["h11"]] == pytest.approx(expected, abs=0.006), year


def test_years_between_epochs_and_after_the_last() -> None:
    strengths = [TiltedDipole.at(time).strength for time in ("2015-01-01", "2017-07-02T12:00", "2020-01-01")]
    assert strengths[1] == pytest.approx((strengths[0] + strengths[2]) / 2, rel=1e-5)
    # the predicted secular variation of g10 goes on after 2025
    axis = [dipole.strength * dipole.axes[2, 2] * 1e9 for dipole in map(TiltedDipole.at, ("2025-01-01", "2029-01-01"))]
    assert axis[0] - axis[1] == pytest.approx(4 * 5.7, abs=0.1)


@pytest.mark.parametrize("time", ["1964-12-30", "2030-01-10", "NaT"])
def test_times_without_a_dipole(time: str) -> None:
    with pytest.raises(CoverageError, match=r"no dipole for .*: the table holds 1965 to 2030"):
        TiltedDipole.at(np.datetime64(time))


@pytest.mark.parametrize("dipole", [DIPOLE, AXIAL])
def test_axes_are_right_handed(dipole: TiltedDipole) -> None:
    np.testing.assert_allclose(dipole.axes @ dipole.axes.T, np.eye(3), atol=1e-15)
    assert np.linalg.det(dipole.axes) == pytest.approx(1.0)


def test_poles() -> None:
    assert DIPOLE.magnetic_latitude(DIPOLE.pole_lat, DIPOLE.pole_lon) == pytest.approx(90.0, abs=1e-5)
    assert DIPOLE.magnetic_latitude(-DIPOLE.pole_lat, DIPOLE.pole_lon + 180.0) == pytest.approx(-90.0, abs=1e-5)
    # the geographic poles lie as far from the magnetic ones; the southern one marks longitude 0
    assert DIPOLE.magnetic_latitude(90.0, 0.0) == pytest.approx(DIPOLE.pole_lat)
    assert DIPOLE.magnetic_longitude(-90.0, 0.0) == pytest.approx(0.0, abs=1e-10)
    assert abs(DIPOLE.magnetic_longitude(90.0, 0.0)) == pytest.approx(180.0)


def test_magnetic_longitude_grows_to_the_east() -> None:
    lon = np.linspace(-180.0, 180.0, 73)
    steps = np.diff(DIPOLE.magnetic_longitude(np.zeros(73), lon))
    assert ((steps + 360.0) % 360.0 < 10.0).all()


@given(LATITUDES, LONGITUDES)
def test_round_trip(lat: float, lon: float) -> None:
    back = DIPOLE.geographic(*DIPOLE.magnetic(lat, lon))
    np.testing.assert_allclose(unit_vector(*back), unit_vector(lat, lon), atol=1e-13)


@given(LATITUDES, LONGITUDES)
def test_magnetic_latitude_is_the_distance_from_the_pole(lat: float, lon: float) -> None:
    cosine = unit_vector(lat, lon) @ unit_vector(DIPOLE.pole_lat, DIPOLE.pole_lon)
    assert np.sin(np.radians(DIPOLE.magnetic_latitude(lat, lon))) == pytest.approx(cosine, abs=1e-14)


@given(LATITUDES, LONGITUDES)
def test_axial_dipole_has_geographic_latitude_and_longitude(lat: float, lon: float) -> None:
    found = unit_vector(*AXIAL.magnetic(lat, lon))
    np.testing.assert_allclose(found, unit_vector(lat, lon), atol=1e-14)


@given(LATITUDES, LONGITUDES, st.floats(80.0, 40000.0))
def test_field_strength_and_inclination(lat: float, lon: float, alt: float) -> None:
    radius = EARTH_RADIUS + 1e3 * alt
    field = DIPOLE.field(lat, lon, radius)
    sine = np.sin(np.radians(DIPOLE.magnetic_latitude(lat, lon)))
    strength = DIPOLE.strength * (EARTH_RADIUS / radius) ** 3 * np.sqrt(1.0 + 3.0 * sine**2)
    assert np.linalg.norm(field) == pytest.approx(strength, rel=1e-12)
    # tan I = 2 tan(magnetic latitude), the inclination positive downwards
    inclination = np.arcsin(-(field @ unit_vector(lat, lon)) / np.linalg.norm(field))
    assert inclination == pytest.approx(np.arctan2(2.0 * sine, np.sqrt(1.0 - sine**2)), abs=1e-6)


def test_field_points_to_the_northern_magnetic_pole() -> None:
    lat, lon = DIPOLE.geographic(0.0, np.array([0.0, 90.0, -150.0]))
    field = DIPOLE.field(lat, lon, np.full(3, EARTH_RADIUS))
    np.testing.assert_allclose(field, np.tile(DIPOLE.strength * DIPOLE.axes[2], (3, 1)), atol=1e-19)


def test_field_against_the_gauss_coefficients() -> None:
    # B = -grad V, V = R (R/r)^2 (g10 sin lat + (g11 cos lon + h11 sin lon) cos lat); Alken et al. 2021, equation 1
    g10, g11, h11 = -29404.8e-9, -1450.9e-9, 4652.5e-9
    lat, lon, radius = np.radians(50.0), np.radians(20.0), 1.1 * EARTH_RADIUS
    cube, horizontal = (1 / 1.1) ** 3, g11 * np.cos(lon) + h11 * np.sin(lon)
    up = 2.0 * cube * (g10 * np.sin(lat) + horizontal * np.cos(lat))
    north = -cube * (g10 * np.cos(lat) - horizontal * np.sin(lat))
    east = -cube * (-g11 * np.sin(lon) + h11 * np.cos(lon))
    found = np.stack(local_axes(50.0, 20.0)) @ TiltedDipole.at("2020-01-01T00:00").field(50.0, 20.0, radius)
    np.testing.assert_allclose(found, [east, north, up], atol=1e-11)


def test_field_broadcasts() -> None:
    assert DIPOLE.field(60.0, 10.0, EARTH_RADIUS).shape == (3,)
    assert DIPOLE.field(np.zeros((4, 1)), np.zeros(5), np.full((4, 5), EARTH_RADIUS)).shape == (4, 5, 3)


@pytest.mark.parametrize("time", ["2022-06-07T06:00", "2023-07-31T18:00", "2024-12-21T16:30"])
def test_noon_lies_below_the_sun(time: str) -> None:
    moment = np.datetime64(time, "ns")
    noon = DIPOLE.magnetic_longitude(*subsolar_point(moment))
    lat, lon = DIPOLE.geographic(np.full(5, 70.0), noon + np.array([0.0, 15.0, 90.0, 179.0, -90.0]))
    found = DIPOLE.magnetic_local_time(moment, lat, lon)
    np.testing.assert_allclose(found, [12.0, 13.0, 18.0, 12.0 + 179.0 / 15.0, 6.0], atol=1e-10)


def test_local_time_stays_within_a_day() -> None:
    times = np.datetime64("2023-06-18", "ns") + np.arange(24) * np.timedelta64(1, "h")
    found = DIPOLE.magnetic_local_time(times[:, None], np.full(36, 65.0), np.arange(-180.0, 180.0, 10.0))
    assert found.shape == (24, 36)
    assert found.min() >= 0.0
    assert found.max() <= 24.0


def test_tilt() -> None:
    year = np.datetime64("2023-01-01", "ns") + np.arange(0, 365 * 24, 7) * np.timedelta64(1, "h")
    tilt = DIPOLE.tilt(year)
    month = year.astype("datetime64[M]").astype(int) % 12 + 1
    assert np.abs(tilt).max() < 35.0
    assert tilt[month == 6].min() > 10.0
    assert tilt[month == 12].max() < -10.0
    # the largest tilt: obliquity and the distance of the magnetic pole from the geographic one
    assert tilt.max() == pytest.approx(23.44 + 90.0 - DIPOLE.pole_lat, abs=0.1)


def test_tilt_peaks_when_the_pole_has_noon() -> None:
    times = np.datetime64("2023-06-21", "ns") + np.arange(24 * 60) * np.timedelta64(1, "m")
    best = times[np.argmax(DIPOLE.tilt(times))]
    assert subsolar_point(best)[1] == pytest.approx(DIPOLE.pole_lon, abs=0.3)


def test_invariant_latitude() -> None:
    # cos^2 L = (RE/r) cos^2(magnetic latitude): at the equator of L = 4 it is 60 degrees
    lat, lon = DIPOLE.geographic(np.array([0.0, 65.0, -65.0, 90.0]), np.zeros(4))
    found = DIPOLE.invariant_latitude(np.array([3 * 6371.2, 0.0, 0.0, 300.0]), lat, lon)
    np.testing.assert_allclose(found, [60.0, 65.0, 65.0, 90.0], atol=1e-9)


@given(st.floats(-89.0, 89.0), st.floats(0.0, 5.0))
def test_invariant_latitude_stays_along_a_field_line(magnetic_lat: float, ratio: float) -> None:
    # r = L RE cos^2(magnetic latitude); only the part above the ground
    shell = (1.0 + ratio) / np.cos(np.radians(magnetic_lat)) ** 2
    lat, lon = DIPOLE.geographic(magnetic_lat, 25.0)
    found = DIPOLE.invariant_latitude(ratio * EARTH_RADIUS / 1e3, lat, lon)
    assert np.cos(np.radians(found)) ** 2 == pytest.approx(1.0 / shell, rel=1e-9)


@given(st.floats(0.01, np.pi / 2), st.floats(110.0, 30000.0))
def test_footpoint_is_on_the_field_line(colatitude: float, alt: float) -> None:
    radius, reference = EARTH_RADIUS + 1e3 * alt, EARTH_RADIUS + 1e3 * FOOTPOINT_ALTITUDE
    foot = footpoint_colatitude(colatitude, radius)
    # r/sin^2(colatitude) is constant along a dipole line
    assert reference / np.sin(foot) ** 2 == pytest.approx(radius / np.sin(colatitude) ** 2, rel=1e-9)
    assert foot <= colatitude + 1e-7


def test_footpoint_at_and_below_its_altitude() -> None:
    reference = EARTH_RADIUS + 110e3
    np.testing.assert_allclose(footpoint_colatitude(np.array([0.3, 1.2]), reference), [0.3, 1.2], rtol=1e-14)
    below = footpoint_colatitude(np.array([0.3, np.radians(89.0)]), EARTH_RADIUS + 85e3)
    assert below[0] > 0.3
    assert below[1] == pytest.approx(np.pi / 2), "a line near the equator never reaches 110 km"
