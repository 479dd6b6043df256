from __future__ import annotations

import json

import numpy as np
import pytest

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.frames.moon import moon_position_gse
from siderion.frames.sm import sm_to_gse
from siderion.geospace.orbit import orbit_from_altitudes, orbit_positions_gse
from siderion.geospace.plasma_boundaries import SolarWind
from siderion.geospace.residence import REGIONS, region_shares, residence_time

EPOCH = np.datetime64("2015-01-01T00:00", "ns")
QUIET = SolarWind(2e-9)


def hours(step_minutes: float, days: float = 10.0) -> dict[str, float]:
    """Hours of an orbit of 500 by 33000 km, by region."""
    times = EPOCH + (np.arange(round(days * 1440.0 / step_minutes) + 1) * step_minutes * 60e9).astype("timedelta64[ns]")
    orbit = orbit_from_altitudes(500.0, 33_000.0, 90.0, epoch=EPOCH, argument_of_perigee=20.0)
    found = residence_time(times, orbit_positions_gse(orbit, times), QUIET, year_bins=1, model_scatter=False)
    return dict(zip(REGIONS, found["residence_hours"].values[:, 0], strict=True))


def test_time_in_the_ionosphere_against_kepler() -> None:
    # share of the period below 1000 km: (E - e sin E)/pi at the eccentric anomaly E of that distance
    orbit = orbit_from_altitudes(500.0, 33_000.0, 90.0, epoch=EPOCH)
    e = orbit.eccentricity
    anomaly = np.arccos((1.0 - (EARTH_RADIUS + 1e6) / orbit.semi_major_axis) / e)
    turns = 20
    times = EPOCH + (np.linspace(0.0, turns * orbit.period, 39_989) * 1e9).astype("timedelta64[ns]")
    found = residence_time(times, orbit_positions_gse(orbit, times), QUIET, year_bins=1)
    share = float(found["residence_fraction"].sel(region="ionosphere").values[0])
    assert share == pytest.approx((anomaly - e * np.sin(anomaly)) / np.pi, rel=0.01)


def test_converges_with_the_step() -> None:
    coarse, middle, fine, finest = (hours(step) for step in (16.0, 4.0, 1.0, 0.5))
    worst = [max(abs(one[name] - finest[name]) for name in REGIONS) for one in (coarse, middle, fine)]
    assert worst[0] > worst[1] > worst[2]
    assert worst[2] < 0.3  # of 240 hours
    assert sum(finest.values()) == pytest.approx(240.0, rel=1e-9)


def test_hours_add_up_to_the_time_and_gaps_do_not_count() -> None:
    times = EPOCH + np.arange(100) * np.timedelta64(10, "m")
    times[50:] += np.timedelta64(5, "D")
    places = np.tile([40.0 * EARTH_RADIUS, 0.0, 0.0], (100, 1))
    found = residence_time(times, places, QUIET, year_bins=365)
    # 98 steps of ten minutes, and the gap as twice a step
    assert float(found["hours_in_bin"].sum()) == pytest.approx(100.0 / 6.0, rel=1e-12)
    assert float(found["residence_hours"].sel(region="solar wind").sum()) == pytest.approx(100.0 / 6.0, rel=1e-9)
    assert np.isnan(found["residence_fraction"].sel(region="lobe").values[100])


def test_places_of_known_regions() -> None:
    times = np.full(9, np.datetime64("2015-03-20T10:00", "ns"))
    sm = np.array([
        [0.0, 0.0, 1.05], [2.0, 0.0, 0.0], [-5.0, 0.0, 0.0], [-1.5, 0.0, 2.0], [0.0, 0.0, 4.0], [20.0, 0.0, 0.0],
        [-15.0, 0.0, 0.0], [-15.0, 0.0, 9.0], [0.0, 9.0, 0.0],
    ])  # fmt: skip
    shares = region_shares(times, sm_to_gse(sm, times) * EARTH_RADIUS, QUIET, model_scatter=False)
    np.testing.assert_allclose(shares.sum(axis=-1), 1.0, atol=1e-12)
    assert [REGIONS[k] for k in shares.argmax(axis=-1)] == [
        "ionosphere", "plasmasphere", "ring current", "auroral field lines", "polar cap", "solar wind", "plasma sheet", "lobe",
        "outer magnetosphere",
    ]  # fmt: skip


def test_seasons_of_a_high_orbit() -> None:
    # the apogee is fixed among the stars: upstream half a year after it lay in the tail
    times = EPOCH + np.arange(8760) * np.timedelta64(1, "h")
    orbit = orbit_from_altitudes(9.0 * 6371.0, 35.0 * 6371.0, 8.0, epoch=EPOCH, argument_of_perigee=100.0)
    found = residence_time(times, orbit_positions_gse(orbit, times), QUIET, year_bins=4)
    wind = found["residence_fraction"].sel(region="solar wind").values
    tail = found["residence_fraction"].sel(region=["lobe", "plasma sheet"]).sum("region").values
    assert abs(int(np.argmax(wind)) - int(np.argmax(tail))) == 2


def test_wake_hours() -> None:
    times = np.datetime64("2003-10-25T00:00", "ns") + np.arange(24) * np.timedelta64(1, "h")
    behind = moon_position_gse(times) + np.array([-30.0, -3.0, 0.0]) * EARTH_RADIUS
    up = np.array([0.0, 0.0, 5e-9])
    found = residence_time(times, behind, QUIET, year_bins=1, wake_species=("Fe+", "He+"), wake_fields=np.stack([up, -up]))
    total = found["wake_hours"].sum(["region", "year_bin"]).values
    np.testing.assert_allclose(total, [23.0 / 2.0, 0.0], atol=1e-9)  # one of two fields drives the ions that way


def test_refusals() -> None:
    times = EPOCH + np.arange(3) * np.timedelta64(1, "h")
    places = np.tile([7e6, 0.0, 0.0], (3, 1))
    with pytest.raises(DataError, match="do not grow"):
        residence_time(times[::-1], places)
    with pytest.raises(DataError, match="check units"):
        residence_time(times, places * 1e-3)
    with pytest.raises(SettingsError, match="parts of the year"):
        residence_time(times, places, year_bins=0)
    with pytest.raises(CoverageError, match="no dipole"):
        residence_time(times + np.timedelta64(7000, "D"), places)


def test_sources_are_in_words() -> None:
    """No key of a table is shown as what a source is."""
    times = EPOCH + np.arange(5) * np.timedelta64(600, "s")
    found = residence_time(times, orbit_positions_gse(orbit_from_altitudes(500.0, 33_000.0, 90.0, epoch=EPOCH), times))
    listed = json.loads(found.attrs["sources"])
    assert any(one["what"] == "top of the ionosphere" and one["model"] == "1000 km" for one in listed)
    assert not any("_" in one["what"] + one["model"] for one in listed)
