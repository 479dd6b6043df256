from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import GCRS, TEME, CartesianRepresentation
from astropy.time import Time
from astropy.utils import iers
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from sgp4.api import Satrec

from siderion.core.constants import EARTH_GM, EARTH_RADIUS
from siderion.core.errors import DataError, NumericalError, SettingsError
from siderion.frames.moon import gse_axes
from siderion.geospace.orbit import (
    Orbit,
    eccentric_anomaly,
    orbit_from_altitudes,
    orbit_from_two_lines,
    orbit_positions_gse,
    positions,
    secular_rates,
    two_line_positions_gse,
)

EPOCH = np.datetime64("2015-10-07T00:00", "ns")
# made for this test: an orbit like that of CASSIOPE, checksums included
LINES = (
    "1 39265U 13055A   15280.00000000  .00001000  00000-0  50000-4 0  9992",
    "2 39265  80.9600 100.0000 0700000  50.0000 310.0000 14.20000000100009",
)
J2, EQUATOR = 1.0826359e-3, 6378136.6


def with_checksum(line: str) -> str:
    """A line with the right last digit."""
    return line[:68] + str(sum(int(c) if c.isdigit() else c == "-" for c in line[:68]) % 10)


LINES = tuple(with_checksum(line) for line in LINES)  # type: ignore[assignment]


@given(st.floats(-50.0, 50.0), st.floats(0.0, 0.99))
def test_kepler(mean: float, eccentricity: float) -> None:
    anomaly = float(eccentric_anomaly(mean, eccentricity))
    assert anomaly - eccentricity * np.sin(anomaly) == pytest.approx(mean, abs=1e-12)


def test_ends_of_the_orbit_and_third_law() -> None:
    orbit = orbit_from_altitudes(500.0, 33_000.0, 90.0, epoch=EPOCH)
    half = np.timedelta64(round(orbit.period / 2.0 * 1e9), "ns")
    radius = np.linalg.norm(positions(orbit, EPOCH + np.array([0, 1, 2]) * half), axis=-1)
    np.testing.assert_allclose(radius - EARTH_RADIUS, [5e5, 3.3e7, 5e5], rtol=1e-9)
    assert orbit.mean_motion**2 * orbit.semi_major_axis**3 == pytest.approx(EARTH_GM, rel=1e-12)


def flattened(_: float, state: np.ndarray) -> np.ndarray:
    """Newton's law with the second zonal harmonic, written from its potential."""
    x, y, z = state[:3]
    r2 = x * x + y * y + z * z
    factor = -EARTH_GM / r2**1.5
    push = 1.5 * J2 * EQUATOR**2 / r2
    ratio = 5.0 * z * z / r2
    side = factor * (1.0 + push * (1.0 - ratio))
    return np.array([*state[3:], x * side, y * side, z * factor * (1.0 + push * (3.0 - ratio))])


@pytest.mark.parametrize(("inclination", "eccentricity"), [(80.0, 0.3), (28.5, 0.3)])
def test_secular_rates_against_integration(inclination: float, eccentricity: float) -> None:
    # first order in J2: relative errors of some J2, so the rates of node and perigee agree to about 1 %
    orbit = Orbit(1.2e7, eccentricity, inclination, 40.0, 70.0, 0.0, EPOCH)
    node, perigee, _ = secular_rates(orbit)
    speed = np.sqrt(EARTH_GM / orbit.semi_major_axis * (1.0 + eccentricity) / (1.0 - eccentricity))
    angles = np.radians([inclination, 40.0, 70.0])
    first, second = frame(*angles)
    start = np.concatenate([orbit.perigee * first, speed * second])
    turns = 20
    span = turns * 2.0 * np.pi / orbit.mean_motion

    def at_perigee(_: float, state: np.ndarray) -> float:
        return float(state[:3] @ state[3:])

    at_perigee.direction = 1.0  # type: ignore[attr-defined]
    found = solve_ivp(flattened, (0.0, span), start, method="DOP853", rtol=1e-10, atol=1e-3, events=at_perigee)
    times, states = found.t_events[0], found.y_events[0]
    momentum = np.cross(states[:, :3], states[:, 3:])
    nodes = np.unwrap(np.arctan2(momentum[:, 0], -momentum[:, 1]))
    line = np.stack([np.cos(nodes), np.sin(nodes), 0.0 * nodes], axis=-1)
    across = np.cross(momentum / np.linalg.norm(momentum, axis=-1, keepdims=True), line)
    perigees = np.unwrap(np.arctan2(np.sum(states[:, :3] * across, axis=-1), np.sum(states[:, :3] * line, axis=-1)))
    assert (nodes[-1] - nodes[1]) / (times[-1] - times[1]) == pytest.approx(node, rel=0.01)
    assert (perigees[-1] - perigees[1]) / (times[-1] - times[1]) == pytest.approx(perigee, rel=0.01)


def frame(inclination: float, node: float, perigee: float) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors to the perigee and along the velocity there."""
    line = np.array([np.cos(node), np.sin(node), 0.0])
    across = np.array([-np.cos(inclination) * np.sin(node), np.cos(inclination) * np.cos(node), np.sin(inclination)])
    return np.cos(perigee) * line + np.sin(perigee) * across, -np.sin(perigee) * line + np.cos(perigee) * across


def test_known_orbits() -> None:
    # critical inclination: 5 cos^2 i = 1, the perigee stands still; Sun-synchronous: the node turns once a year
    critical = orbit_from_altitudes(500.0, 39_800.0, float(np.degrees(np.arccos(5.0**-0.5))), epoch=EPOCH)
    assert abs(secular_rates(critical)[1]) < 1e-20
    synchronous = orbit_from_altitudes(700.0, 700.0, 98.2, epoch=EPOCH)
    assert np.degrees(secular_rates(synchronous)[0]) * 86400.0 == pytest.approx(360.0 / 365.2422, rel=0.01)


def test_equatorial_orbit_turns_to_gse_by_the_obliquity() -> None:
    orbit = Orbit(4.2e7, 0.0, 0.0, 0.0, 0.0, 0.0, EPOCH)
    times = EPOCH + np.arange(24) * np.timedelta64(1, "h")
    found = orbit_positions_gse(orbit, times)
    np.testing.assert_allclose(np.linalg.norm(found, axis=-1), 4.2e7, rtol=1e-12)
    assert np.abs(found[:, 2]).max() / 4.2e7 == pytest.approx(np.sin(np.radians(23.44)), rel=0.01)


def test_two_lines_against_astropy() -> None:
    iers.conf.auto_download = False
    times = np.datetime64("2015-10-07T03:00", "ns") + np.arange(3) * np.timedelta64(4000, "s")
    found = two_line_positions_gse(LINES, times)
    satellite = Satrec.twoline2rv(*LINES)
    for place, time in zip(found, times, strict=True):
        moment = Time(str(time), scale="utc")
        _, teme, _ = satellite.sgp4(moment.jd1, moment.jd2)
        frame = TEME(CartesianRepresentation(*teme), obstime=moment).transform_to(GCRS(obstime=moment)).cartesian.xyz.value
        # UT1 less UTC enters astropy's way and not ours: up to 0.004 degrees
        np.testing.assert_allclose(place * 1e-3, gse_axes(time) @ frame, atol=np.radians(0.006) * np.linalg.norm(frame))


def test_elements_of_two_lines_stay_near_sgp4() -> None:
    orbit = orbit_from_two_lines(LINES)
    times = orbit.epoch + np.arange(60) * np.timedelta64(300, "s")
    difference = np.linalg.norm(orbit_positions_gse(orbit, times) - two_line_positions_gse(LINES, times), axis=-1)
    assert difference.max() < 25e3  # periodic terms of the flattening: some J2 R^2/a = 6 km, several of them
    assert orbit.inclination == pytest.approx(80.96)


def test_refusals() -> None:
    with pytest.raises(SettingsError, match="perigee <= apogee"):
        orbit_from_altitudes(1000.0, 500.0, 0.0, epoch=EPOCH)
    with pytest.raises(SettingsError, match="inside the Earth"):
        Orbit(7e6, 0.5, 0.0, 0.0, 0.0, 0.0, EPOCH)
    with pytest.raises(SettingsError, match="20 years"):
        positions(orbit_from_altitudes(500.0, 500.0, 0.0, epoch=EPOCH), np.datetime64("1980-01-01"))
    with pytest.raises(DataError, match="checksum"):
        two_line_positions_gse((LINES[0][:68] + "X", LINES[1]), EPOCH)
    with pytest.raises(DataError, match="69 characters"):
        two_line_positions_gse(("1 x", LINES[1]), EPOCH)
    with pytest.raises(NumericalError, match="nearer to that time"):
        two_line_positions_gse(LINES, np.datetime64("2090-01-01", "ns"))
