from __future__ import annotations

import numpy as np
import pytest

from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.frames.dipole import TiltedDipole
from siderion.frames.sun import subsolar_point
from siderion.geospace.ground_conjunction import (
    Site,
    conjunction_events,
    footpoint,
    get_site,
    ground_conjunction,
    list_sites,
    local_time_delay,
    wrapped_hours,
)

DAY = np.datetime64("2015-10-07T00:00", "ns")
EVENT = np.datetime64("2015-10-07T16:15:30", "ns")


def at(hours: float) -> np.datetime64:
    """A time of 7 October 2015."""
    return DAY + np.timedelta64(round(hours * 3600e9), "ns")


def test_tromso_in_the_event_of_the_review() -> None:
    # Tromso lies at 66.6 degrees (a field line of the IGRF from 110 km to its apex, traced apart from this code) and at 21.1 h at
    # 19 UT; the centred dipole is 0.3 degrees and 0.9 h off there. The review's 19 UT for 20.4 h is local solar time.
    site = get_site("tromso")
    latitude, local_time = footpoint(at(19.0), site.geocentric_lat, site.lon, 0.0)
    assert float(latitude) == pytest.approx(66.6, abs=0.4)
    assert float(local_time) == pytest.approx(21.13, abs=1.0)
    solar = (12.0 + (site.lon - float(subsolar_point(at(19.0))[1])) / 15.0) % 24.0
    assert solar == pytest.approx(20.45, abs=0.1)


def test_same_local_time_later() -> None:
    # from the event (20.4 h at 16:15:30 UT) to the time when Tromso is at 20.4 h: 17.3 UT in the dipole
    site = get_site("Tromso")
    delay = float(local_time_delay(EVENT, site.geocentric_lat, site.lon, 20.4))
    then = EVENT + np.timedelta64(round(delay * 3600e9), "ns")
    dipole = TiltedDipole.at(then)
    assert float(dipole.magnetic_local_time(then, site.geocentric_lat, site.lon)) == pytest.approx(20.4, abs=2e-3)
    assert 0.9 < delay < 1.3


def track() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A satellite that goes north along a magnetic meridian at 20.4 h and 1360 km, at 53 degrees at the time of the event."""
    times = EVENT + np.arange(-300, 301, 10) * np.timedelta64(1, "s")
    dipole = TiltedDipole.at(EVENT)
    magnetic = 53.0 + 0.06 * (np.arange(-300, 301, 10))
    longitude = float(dipole.subsolar_magnetic_longitude(EVENT)) + 15.0 * (20.4 - 12.0)
    lat, lon = dipole.geographic(magnetic, np.full(magnetic.shape, longitude))
    return times, lat, lon, np.full(magnetic.shape, 1360.0)


def test_track_and_sites() -> None:
    times, lat, lon, alt = track()
    found = ground_conjunction(
        times, lat, lon, alt, ("Tromso", "Kuehlungsborn"), latitude_tolerance=2.0, local_time_tolerance=3.0
    )
    middle = times.size // 2
    # on a field line cos^2(latitude) falls as 1/r: from 1360 km down to 110 km
    cosine = np.cos(np.radians(53.0)) * np.sqrt((6371.2 + 110.0) / (6371.2 + 1360.0))
    expected = np.degrees(np.arccos(cosine))
    assert float(found["satellite_magnetic_latitude"][middle]) == pytest.approx(expected, abs=0.01)
    assert float(found["satellite_magnetic_local_time"][middle]) == pytest.approx(20.4, abs=1e-3)
    assert found["simultaneous"].sel(site="Tromso").any()
    events = conjunction_events(found)
    assert events.sizes["event"] >= 1
    best = int(np.argmin(found.sel(site="Tromso")["footpoint_distance"].values))
    assert found["closest_time"].sel(site="Tromso") == found["time"][best]
    assert abs(float(found.sel(site="Tromso")["magnetic_latitude_difference"][best])) < 4.0


def test_the_two_kinds_differ_by_the_rotation() -> None:
    times, lat, lon, alt = track()
    found = ground_conjunction(times, lat, lon, alt, ("Tromso",), local_time_tolerance=0.5)
    assert not found["simultaneous"].any()  # more than an hour of local time apart
    later = conjunction_events(found, "same local time")
    assert later.sizes["event"] == 1
    assert abs(float(later["magnetic_latitude_difference"][0])) < 0.5
    wait = (later["site_time"].values[0] - later["best_time"].values[0]) / np.timedelta64(1, "h")
    assert wait == pytest.approx(float(later["local_time_delay"][0]), abs=1e-9)
    assert 0.5 < wait < 1.5
    assert conjunction_events(found).sizes["event"] == 0


def test_overhead_is_a_conjunction_with_no_distance() -> None:
    site = get_site("EISCAT Svalbard")
    dipole = TiltedDipole.at(EVENT)
    magnetic, longitude = dipole.magnetic(site.geocentric_lat, site.lon)
    # the field line of the site at 3000 km
    ratio = (6371.2 + 3000.0) / 6371.2
    up = np.degrees(np.arccos(np.sqrt(ratio) * np.cos(np.radians(magnetic))))
    lat, lon = dipole.geographic(up, longitude)
    found = ground_conjunction([EVENT], [lat], [lon], [3000.0], [site])
    assert float(found["closest_distance"][0]) < 0.01
    south = ground_conjunction(
        [EVENT], *[[float(v)] for v in dipole.geographic(-up, longitude)], [3000.0], [site], conjugate=True
    )
    assert float(south["closest_distance"][0]) < 0.01
    assert bool(south["simultaneous"].all())


def test_wrapping_and_sites() -> None:
    np.testing.assert_allclose(wrapped_hours([23.5 - 0.5, 0.5 - 23.5, 12.0, 0.0]), [-1.0, 1.0, -12.0, 0.0])
    assert "Arecibo" in list_sites()
    assert Site("middle", 45.0, 0.0).geocentric_lat == pytest.approx(45.0 - 0.19242, abs=1e-4)  # atan((1 - f)^2)


def test_refusals() -> None:
    times, lat, lon, alt = track()
    with pytest.raises(CoverageError, match="known"):
        ground_conjunction(times, lat, lon, alt, ("Nowhere",))
    with pytest.raises(SettingsError, match="window"):
        ground_conjunction(times, lat, lon, alt, ("Tromso",), window_hours=13.0)
    with pytest.raises(DataError, match="one value for each time"):
        ground_conjunction(times, lat[:-1], lon, alt, ("Tromso",))
    with pytest.raises(DataError, match="altitude"):
        ground_conjunction(times, lat, lon, -alt, ("Tromso",))
    with pytest.raises(SettingsError, match="kind"):
        conjunction_events(ground_conjunction(times, lat, lon, alt, ("Tromso",)), "near")
