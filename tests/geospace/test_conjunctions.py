"""Conjunctions: the ten events of the review, unknown where data are missing, ranks, and the search of a span."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from astropy.coordinates import GeocentricTrueEcliptic, get_body, get_sun
from astropy.time import Time
from astropy.utils import iers
from hypothesis import given, settings
from hypothesis import strategies as st

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import DataError, SettingsError
from siderion.frames.moon import moon_position_gse
from siderion.geospace.conjunction_evidence import Evidence, extreme_around, in_spread_wake, position_at, wake_at
from siderion.geospace.conjunction_score import ConjunctionCriteria, Verdict, judge_extreme, rank_events
from siderion.geospace.conjunction_search import search_conjunctions
from siderion.geospace.conjunctions import find_conjunctions
from siderion.geospace.event_lists import heavy_ion_events
from siderion.geospace.new_moon import days_from_new_moon, lunar_passages, nearest_new_moon
from siderion.io.celestrak import read_embedded_indices
from siderion.io.event_list import event_dataset

HOUR = np.timedelta64(1, "h")


def _elongation(times: np.ndarray) -> np.ndarray:
    """Of astropy: apparent ecliptic longitude of the Moon less that of the Sun, degrees."""
    with iers.conf.set_temp("auto_download", False):
        moments = Time(times.astype(str), scale="utc")
        frame = GeocentricTrueEcliptic(obstime=moments, equinox=moments)
        moon = get_body("moon", moments, ephemeris="builtin").transform_to(frame)
        return (moon.lon - get_sun(moments).transform_to(frame).lon).wrap_at("180d").deg


def test_new_moons_of_the_ten_events_against_astropy() -> None:
    moons = nearest_new_moon(heavy_ion_events()["event_time"].values)
    # apparent places: the Sun is 0.0057 degrees behind the geometric one, and the Moon 0.0002
    np.testing.assert_allclose(_elongation(moons), 0.0057, atol=0.002)


def test_new_moons_of_the_almanac() -> None:
    # 2023, to the minute, from published phases of the Moon
    found = lunar_passages(np.datetime64("2023-01-01"), np.datetime64("2024-01-01"))
    assert len(found) == 12
    for expected in ("2023-01-21T20:53", "2023-02-20T07:06", "2023-04-20T04:12", "2023-10-14T17:55"):
        assert np.abs(found - np.datetime64(expected, "ns")).min() < np.timedelta64(90, "s")


@given(st.floats(0.0, 23.99), st.integers(0, 20000))
@settings(max_examples=25, deadline=None)
def test_every_local_time_is_passed_once_a_month(hour: float, day: int) -> None:
    first = np.datetime64("1960-01-01", "ns") + np.timedelta64(day, "D")
    found = lunar_passages(first, first + np.timedelta64(300, "D"), hour)
    assert len(found) in (10, 11)  # 300/29.53 = 10.2
    gaps = np.diff(found) / np.timedelta64(1, "D")
    assert (gaps > 28.9).all()
    assert (gaps < 30.2).all()
    place = moon_position_gse(found)
    angle = np.degrees(np.arctan2(place[:, 1], place[:, 0])) / 15.0 + 12.0 - hour
    np.testing.assert_allclose((angle + 12.0) % 24.0 - 12.0, 0.0, atol=1e-6)


def test_the_ten_events_are_within_two_days_of_new_moon() -> None:
    found = find_conjunctions(heavy_ion_events())
    days = np.abs(found["days_from_new_moon"].values)
    assert (days <= 2.0).all()
    assert days.max() == pytest.approx(1.909, abs=0.002)  # 2000-04-06 16:01 less the new Moon of the almanac, 04-04 18:12
    np.testing.assert_array_equal(found["lunar_sector"].values, 3)
    np.testing.assert_array_equal(found["criterion_state"].values, 1)
    assert list(found["rank"].values[[4, 0]]) == [1, 10]  # 2004-01-22 is nearest to new Moon, 2000-04-06 farthest
    # counts of the table: triples inside 17 in 6 events, outside 2 in 4
    inside = found["wake_reported"].values == 1
    assert found["triple_after"].values[inside].sum() == 17
    assert found["triple_after"].values[~inside].sum() == 2
    assert (inside.sum(), (~inside).sum()) == (6, 4)


def test_missing_data_are_unknown_and_not_false() -> None:
    criteria = ConjunctionCriteria(smallest_kp=5.0, largest_dst=-50.0, regions=("solar_wind",), wake="inside")
    events = event_dataset(np.array(["2004-01-22T01:10"], dtype="datetime64[ns]"), ["one"])
    found = find_conjunctions(events, criteria)
    states = dict(zip(found["criterion"].values, found["criterion_state"].values[0], strict=True))
    assert states == {"new_moon": 1, "sector": 1, "region": -1, "wake": -1, "kp": -1, "dst": -1}
    assert "no Kp" in found["criterion_reason"].values[0, 4]
    assert int(found["criteria_unknown"][0]) == 4
    with pytest.raises(DataError, match="empty"):
        find_conjunctions(events.isel(event=[]))


def test_a_part_of_the_index_can_meet_but_not_fail_a_limit() -> None:
    starts = np.datetime64("2024-05-10", "ns") + np.arange(8) * 3 * HOUR
    index = xr.Dataset({"kp": ("time", np.array([1.0, 2.0, 3.0, 9.0, 4.0, 1.0, 1.0, 1.0]))}, coords={"time": starts})
    times = starts[[4, 0]]
    value, complete = extreme_around(index, "kp", 3 * HOUR, times, 6.0, 1)
    np.testing.assert_array_equal(value, [9.0, 3.0])
    np.testing.assert_array_equal(complete, [True, False])
    np.testing.assert_array_equal(judge_extreme("kp", value, complete, 5.0, 1, 6.0).state, [1, -1])
    np.testing.assert_array_equal(judge_extreme("kp", value, complete, 2.0, 1, 6.0).state, [1, 1])
    np.testing.assert_array_equal(judge_extreme("kp", value, complete, 9.1, 1, 6.0).state, [0, -1])


def test_rank_is_criteria_met_then_failed_then_new_moon() -> None:
    one = Verdict("kp", np.zeros(4), np.array([1, 0, -1, 1], dtype=np.int8), [""] * 4)
    np.testing.assert_array_equal(rank_events([one], [1.5, 0.1, 1.0, -0.5]), [2, 4, 3, 1])


def test_wake_of_a_field_along_y() -> None:
    # E = -V x B = (400 km/s) x (5 nT) along +z; Fe+ rises to 2 r_g = 2 x 7.27 RE (pick-up numbers: 7.3 RE)
    field = np.array([0.0, 5e-9, 0.0])
    places = [(-40.0, 0.0, 10.0), (-40.0, 0.0, -10.0), (-40.0, 0.0, 16.0), (40.0, 0.0, 1.0)]
    still, flow = np.zeros(3), np.array([-400e3, 0.0, 0.0])
    found = [int(in_spread_wake(np.array(place) * EARTH_RADIUS, still, flow, field, "Fe+")) for place in places]
    sign = found[0] - found[1]
    assert sorted(found[:2]) == [0, 1]
    assert found[2:] == [0, 0]
    # the direction of E by hand: V = -v x, B = b y, V x B = -v b z, E = +v b z
    assert sign == 1
    turned = in_spread_wake(np.array(places[0]) * EARTH_RADIUS, still, flow, -field, "Fe+")
    assert turned == 0


def test_readings_of_the_wake() -> None:
    time = np.array(["2004-01-21T21:05"], dtype="datetime64[ns]")
    place = (moon_position_gse(time) + np.array([[-40.0, 5.0, 10.0]]) * EARTH_RADIUS) / 1e3
    found = {
        reading: int(wake_at(Evidence(imf=(0.0, 5.0, 0.0), reading=reading), time, place)[0][0])
        for reading in ("spread", "cycloid", "two gyroradii")
    }
    # 5 RE along the field and 10 RE along E: beyond the thin sheet of a steady field, within 14.5 RE of the drift
    assert found == {"spread": 1, "cycloid": 0, "two gyroradii": 1}
    with pytest.raises(SettingsError, match="swamp"):
        Evidence(reading="swamp")


def test_nominal_wake_and_region_from_positions() -> None:
    time = np.array(["2004-01-21T21:05"], dtype="datetime64[ns]")
    moon = moon_position_gse(time)[0]
    for across, expected in ((12.0, 1), (13.0, 0)):
        place = (np.array([20.0 * EARTH_RADIUS, moon[1] + across * EARTH_RADIUS, moon[2]]) / 1e3)[None]
        flags, words = wake_at(Evidence(), time, place)
        assert flags[0] == expected
        assert "nominal" in words[0]
    track = xr.Dataset(
        {"spacecraft_position": (("time", "component"), np.array([[127e3, 0.0, 0.0], [191e3, 0.0, 0.0]]))},
        coords={"time": time[0] + np.array([-1, 1]) * HOUR, "component": list("xyz")},
    )
    np.testing.assert_allclose(position_at(track, time), [[159e3, 0.0, 0.0]])
    assert np.isnan(position_at(track, time + 3 * HOUR)).all()
    events = event_dataset(time, ["one"], ["magnetosphere"], np.array([0]))
    found = find_conjunctions(events, ConjunctionCriteria(regions=("solar_wind",), wake="inside"), Evidence(track=track))
    # 25 RE upstream is solar wind, and within 12.5 RE of the line through the new Moon: positions win over what was reported
    assert str(found["event_region"].values[0]) == "solar_wind"
    np.testing.assert_array_equal(found["criterion_state"].values[0], 1)


def test_search_of_2023_with_kp_5() -> None:
    indices = read_embedded_indices()
    first, last = np.datetime64("2023-01-01", "ns"), np.datetime64("2024-01-01", "ns")
    found = search_conjunctions(first, last, ConjunctionCriteria(smallest_kp=5.0), Evidence(kp=indices))
    # by brute force: all three-hour intervals of the file that overlap two days about a new Moon, in minutes
    minutes = first + np.arange(365 * 1440 // 10) * np.timedelta64(10, "m") + np.timedelta64(5, "m")
    starts = indices["time"].values
    kp = indices["kp"].values[np.searchsorted(starts, minutes, side="right") - 1]
    good = (np.abs(days_from_new_moon(minutes)) <= 2.0) & (kp >= 5.0)
    assert found.sizes["window"] > 0
    assert float(found["window_hours"].sum()) == pytest.approx(good.sum() / 6.0, abs=0.5 * found.sizes["window"])
    np.testing.assert_array_equal(found["window_state"].values, 1)
    assert (found["largest_kp"].values >= 5.0).all()
    assert found["rank"].values.tolist() == (np.argsort(np.argsort(np.abs(found["days_from_new_moon"].values))) + 1).tolist()


def test_search_without_the_index_is_unknown_and_lasts_four_days() -> None:
    first, last = np.datetime64("2003-10-01", "ns"), np.datetime64("2003-11-15", "ns")
    found = search_conjunctions(first, last, ConjunctionCriteria(sector=None, largest_dst=-50.0))
    assert found.sizes["window"] == 1
    assert float(found["window_hours"][0]) == pytest.approx(96.0, abs=1e-6)
    assert int(found["window_state"][0]) == -1
    none = search_conjunctions(first, last, ConjunctionCriteria(new_moon_days=None, sector=4))
    # the span cuts the first; sector 4 lasts a sixth of the month, 4.9 days, give or take the ellipse of the orbit
    assert 4.2 < float(none["window_hours"][1]) / 24.0 < 5.7
    with pytest.raises(SettingsError, match="span"):
        search_conjunctions(last, first)
    with pytest.raises(SettingsError, match="no criterion"):
        search_conjunctions(first, last, ConjunctionCriteria(new_moon_days=None, sector=None))


def test_settings_name_what_is_wrong() -> None:
    with pytest.raises(SettingsError, match="swamp"):
        ConjunctionCriteria.make({"regions": ("swamp",)})
    with pytest.raises(SettingsError, match="new_moon_days"):
        ConjunctionCriteria.make({"new_moon_days": -1.0})
    assert ConjunctionCriteria().asked == ("new_moon", "sector")
