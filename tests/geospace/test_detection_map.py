from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from siderion.core.errors import DataError, SettingsError
from siderion.core.measurement import check_measurement
from siderion.frames.dipole import TiltedDipole
from siderion.geospace.detection_map import binomial_interval, detection_map

START = np.datetime64("2015-03-01T00:00", "ns")


def table(minutes: np.ndarray, latitude: object, local_time: object, alt: object, rate: object) -> xr.Dataset:
    """Observations at magnetic places."""
    times = START + (np.asarray(minutes) * 60e9).astype("timedelta64[ns]")
    lat, lon = np.empty(times.size), np.empty(times.size)
    latitudes, hours = np.broadcast_to(latitude, times.shape), np.broadcast_to(local_time, times.shape)
    for k, time in enumerate(times):
        dipole = TiltedDipole.at(time)
        longitude = float(dipole.subsolar_magnetic_longitude(time)) + 15.0 * (hours[k] - 12.0)
        lat[k], lon[k] = dipole.geographic(latitudes[k], longitude)
    columns = {
        "lat": lat,
        "lon": lon,
        "alt_km": np.broadcast_to(alt, times.shape),
        "count_rate": np.broadcast_to(rate, times.shape),
    }
    return xr.Dataset({name: ("time", np.array(values, dtype=float)) for name, values in columns.items()}, coords={"time": times})


def test_counts_and_classes() -> None:
    # five passes an hour apart, of three samples each; one has a peak of 1200, one of 600
    minutes = np.concatenate([60.0 * k + np.array([0.0, 1.0, 2.0]) for k in range(5)])
    rate = np.zeros(15)
    rate[[1, 2]], rate[7] = (1200.0, 700.0), 600.0
    found = detection_map(table(minutes, 67.5, 20.5, 700.0, rate))
    cell = {"magnetic_latitude": 67.5, "magnetic_local_time": 20.5}
    assert int(found["passes"].sum()) == 5
    assert found["passes"].sel(cell).values.tolist() == [5, 0]
    assert found["detections"].sel(cell).values.tolist() == [[1, 1, 0], [0, 0, 0]]
    here = found.sel(cell).isel(altitude_class=0)
    np.testing.assert_allclose(here["occurrence_rate"].values[:2], 0.2)
    # nothing in 5 passes: (1 - p)^5 = 0.05
    assert float(here["occurrence_rate"][2]) == pytest.approx(1.0 - 0.05**0.2)
    assert here["occurrence_rate_upper_limit"].values.tolist() == [False, False, True]
    assert found["rate_class"].values.tolist() == ["500-1000 s-1", "1000-1500 s-1", "above 1500 s-1"]
    assert found["altitude_class"].values.tolist() == ["below 800 km", "above 800 km"]
    empty = found.sel(magnetic_latitude=-67.5)
    assert (empty["occurrence_rate_flag"] == 1).all()
    check_measurement(found, "occurrence_rate")
    assert found.attrs["kind"] == "siderion detection map"


def test_every_row_is_a_trial_without_a_gap() -> None:
    minutes = np.concatenate([60.0 * k + np.array([0.0, 1.0, 2.0]) for k in range(5)])
    found = detection_map(table(minutes, 67.5, 20.5, 900.0, 2000.0), pass_gap=0.0)
    assert int(found["passes"].sum()) == 15
    assert int(found["detections"].isel(altitude_class=1, rate_class=2).sum()) == 15


def test_recovers_a_known_occurrence() -> None:
    draw = np.random.default_rng(8)
    number = 600
    latitude, hour = draw.uniform(60.0, 80.0, number), draw.uniform(18.0, 24.0, number)
    true = np.where(latitude < 70.0, 0.3, 0.05)
    rate = np.where(draw.random(number) < true, 800.0, 10.0)
    edges = {"latitude_edges": [60.0, 70.0, 80.0], "local_time_edges": [18.0, 24.0]}
    found = detection_map(table(60.0 * np.arange(number), latitude, hour, 700.0, rate), **edges).isel(
        altitude_class=0, rate_class=0
    )
    assert int(found["passes"].sum()) == number
    wide = 3.0 * (found["occurrence_rate_upper"] - found["occurrence_rate_lower"]).values[:, 0] / 2.0
    assert (np.abs(found["occurrence_rate"].values[:, 0] - [0.3, 0.05]) < wide).all()


@given(st.integers(0, 40), st.integers(1, 40))
def test_interval_is_the_exact_one(number: int, trials: int) -> None:
    number = min(number, trials)
    lower, upper, limit = (float(value) for value in binomial_interval(number, trials))
    if number > 0:
        assert binom.sf(number - 1, trials, lower) == pytest.approx(0.16, abs=1e-9)
    if number < trials:
        assert binom.cdf(number, trials, upper) == pytest.approx(0.16, abs=1e-9)
        assert binom.cdf(number, trials, limit) == pytest.approx(0.05, abs=1e-9)
    assert lower <= number / trials <= upper <= limit


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5])
def test_interval_never_covers_too_little(share: float) -> None:
    number = np.arange(31)
    lower, upper, limit = binomial_interval(number, 30)
    chance = binom.pmf(number, 30, share)
    assert chance[(lower <= share) & (share <= upper)].sum() >= 0.68
    assert chance[share <= limit].sum() >= 0.95


def test_rows_outside_of_the_bins_are_told() -> None:
    found = detection_map(table(np.array([0.0, 100.0]), [10.0, 65.0], 20.5, 700.0, 0.0), latitude_edges=[60.0, 70.0])
    assert int(found["passes"].sum()) == 1
    assert '"rows_outside_bins": 1' in found.attrs["settings"]


def test_refusals() -> None:
    rows = table(np.array([0.0, 1.0]), 65.0, 20.5, 700.0, 0.0)
    with pytest.raises(DataError, match="count_rate missing"):
        detection_map(rows.drop_vars("count_rate"))
    with pytest.raises(DataError, match="leave that row out"):
        detection_map(rows.assign(alt_km=("time", [700.0, np.nan])))
    with pytest.raises(SettingsError, match="must grow"):
        detection_map(rows, latitude_edges=[70.0, 60.0])
    with pytest.raises(DataError, match="between 0 and"):
        binomial_interval(3, 2)
