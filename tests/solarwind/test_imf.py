from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from siderion.core.errors import CoverageError, DataError, SettingsError, UnitsError
from siderion.core.variables import with_attributes
from siderion.solarwind.imf import FIELD_VARIABLES, PLASMA_VARIABLES, imf_at, load_imf

NAMES = (*FIELD_VARIABLES, *PLASMA_VARIABLES)
START = np.datetime64("2024-06-10T00:30", "ns")
HOUR = np.timedelta64(1, "h")
MINUTE = np.timedelta64(1, "m")


def series(values: list[float], hours: list[int] | None = None) -> xr.Dataset:
    """All four variables with the same values, at the middle of hours counted from the start."""
    times = START + np.array(range(len(values)) if hours is None else hours) * HOUR
    return with_attributes(xr.Dataset({name: ("time", np.array(values, float)) for name in NAMES}, coords={"time": times}))


@given(
    slope=st.floats(-5, 5),
    missing=st.sets(st.integers(1, 46), max_size=20),
    minutes=st.lists(st.integers(0, 47 * 60), min_size=1, max_size=30),
)
def test_a_straight_line_is_kept_over_any_gap(slope: float, missing: set[int], minutes: list[int]) -> None:
    line = 300.0 + slope * np.arange(48)
    values = np.where(np.isin(np.arange(48), list(missing)), np.nan, line)
    times = START + np.array(minutes) * MINUTE
    result = imf_at(series(list(values)), times, longest_gap="48h", longest_plasma_gap="48h")
    for name in NAMES:
        np.testing.assert_allclose(result[name], 300.0 + slope * np.array(minutes) / 60, rtol=1e-13)


@given(
    values=st.lists(st.one_of(st.just(np.nan), st.floats(0.1, 900)), min_size=3, max_size=40),
    minutes=st.lists(st.integers(-90, 42 * 60), min_size=1, max_size=20),
    limit=st.sampled_from(["0h", "1h", "3h", "24h"]),
)
def test_missing_values_never_pass_and_nothing_overshoots(values: list[float], minutes: list[int], limit: str) -> None:
    times = START + np.array(minutes) * MINUTE
    try:
        result = imf_at(series(values), times, longest_gap=limit, longest_plasma_gap=limit)
    except CoverageError:
        return
    known = np.array(values)[np.isfinite(values)]
    for name in NAMES:
        assert np.isfinite(result[name]).all()
        assert known.min() * (1 - 1e-12) <= result[name].min()
        assert result[name].max() <= known.max() * (1 + 1e-12)


@given(minute=st.integers(31, 4 * 60 - 31))
def test_never_across_two_spans(minute: int) -> None:
    # Rows of hours 3 to 5 are absent: two spans, however long a gap is allowed.
    dataset = series([1.0, 1.0, 1.0, 9.0, 9.0], hours=[0, 1, 2, 6, 7])
    with pytest.raises(CoverageError, match="2024-06-10T00:00 to 2024-06-10T03:00, 2024-06-10T06:00 to 2024-06-10T08:00"):
        imf_at(dataset, START + 2 * HOUR + minute * MINUTE, longest_gap="99h", longest_plasma_gap="99h")


def test_ends_of_a_span_are_held_for_half_an_hour() -> None:
    dataset = series([1.0, 2.0, 8.0, 9.0], hours=[0, 1, 6, 7])
    times = START + np.array([-30, 0, 60, 90, 330, 360, 450]) * MINUTE
    result = imf_at(dataset, times)
    np.testing.assert_array_equal(result["imf_by_gsm"], [1, 1, 2, 2, 8, 8, 9])
    assert result.attrs["interpolated_gaps"] == "none"
    for minute in (-31, 91, 329, 451):
        with pytest.raises(CoverageError, match=r"imf_by_gsm at .*: the data cover only .*; give a file"):
            imf_at(dataset, START + minute * MINUTE)


def test_gaps_up_to_the_limit_are_bridged_and_reported() -> None:
    dataset = series([10.0, np.nan, np.nan, np.nan, 50.0, 60.0])
    result = imf_at(dataset, START + np.array([2, 3, 5]) * HOUR)
    np.testing.assert_allclose(result["imf_bz_gsm"], [30.0, 40.0, 60.0])
    gaps = result.attrs["interpolated_gaps"].split("; ")
    assert gaps == [f"{name}, 2024-06-10T01:00, 2024-06-10T04:00, 3 h" for name in NAMES]


def test_gaps_that_no_time_falls_into_are_not_reported() -> None:
    dataset = series([10.0, np.nan, 30.0, 40.0])
    result = imf_at(dataset, START + np.array([0, 120, 150]) * MINUTE)
    assert result.attrs["interpolated_gaps"] == "none"


def test_longer_gaps_are_refused_by_field_and_plasma_apart() -> None:
    dataset = series([10.0] + [np.nan] * 4 + [50.0])
    message = r"imf_by_gsm at 2024-06-10T02:30: gap of 4 h from .*T01:00 to .*T05:00, longer .* 3 h; raise"
    with pytest.raises(CoverageError, match=message):
        imf_at(dataset, START + 2 * HOUR)
    dataset["imf_by_gsm"][:] = dataset["imf_bz_gsm"][:] = 1.0
    assert imf_at(dataset, START + 2 * HOUR)["solar_wind_speed"] == pytest.approx(26.0)
    with pytest.raises(CoverageError, match=r"solar_wind_speed .* longer than the limit of 3 h"):
        imf_at(dataset, START + 2 * HOUR, longest_plasma_gap="3h")


def test_a_mean_before_a_refused_gap_holds_for_its_own_hour() -> None:
    dataset = series([10.0] + [np.nan] * 4 + [50.0])
    np.testing.assert_array_equal(imf_at(dataset, START + np.array([30, 270]) * MINUTE)["imf_by_gsm"], [10, 50])
    with pytest.raises(CoverageError, match="gap of 4 h"):
        imf_at(dataset, START + 31 * MINUTE)


def test_order_of_times_does_not_matter() -> None:
    dataset = load_imf()
    times = np.datetime64("2023-06-18", "ns") + np.arange(0, 1440, 10) * MINUTE
    shuffled = np.random.default_rng(3).permutation(times.size)
    xr.testing.assert_equal(imf_at(dataset, times[shuffled]), imf_at(dataset, times).isel(time=shuffled))


def test_doubtful_signs_are_counted_once_per_hour_used() -> None:
    dataset = series([1.0, 2.0, 3.0, 4.0])
    dataset["imf_by_flag"] = ("time", np.array(["pair", "mag+nearest_sign", "mag+nearest_sign", "pair"]))
    times = START + np.array([60, 70, 80, 90]) * MINUTE
    assert imf_at(dataset, times).attrs["by_doubtful_sign_hours"] == 2
    assert imf_at(dataset, START + 60 * MINUTE).attrs["by_doubtful_sign_hours"] == 1
    assert imf_at(dataset, START).attrs["by_doubtful_sign_hours"] == 0


@pytest.mark.parametrize(
    ("day", "speed", "density", "gap_hours"),
    [
        ("2022-06-03", 334, 5.1, 0),
        ("2022-06-07", 328, 9.5, 0),
        ("2022-06-09", 312, 11.5, 0),
        ("2023-06-18", 412, 3.7, 0),
        ("2023-07-31", 383, 2.0, 0),
        ("2024-06-14", 335, 5.8, 4),
        ("2024-07-22", 298, 10.9, 3),
        ("2024-08-24", 365, 6.5, 0),
        ("2024-08-26", 296, 8.3, 0),
    ],
)
def test_paper_days(day: str, speed: float, density: float, gap_hours: float) -> None:
    # Means of the measured hours are known; bridged gaps move them by no more than a few per cent.
    times = np.datetime64(day, "ns") + np.arange(24) * HOUR + 30 * MINUTE
    result = imf_at(load_imf(), times)
    tolerance = 0.002 if gap_hours == 0 else 0.02
    assert float(result["solar_wind_speed"].mean()) == pytest.approx(speed, rel=tolerance)
    assert float(result["solar_wind_density"].mean()) == pytest.approx(density, rel=0.01 + 2 * tolerance)
    gaps = [gap for gap in result.attrs["interpolated_gaps"].split("; ") if gap.startswith("solar_wind_speed")]
    assert sum(float(gap.split(", ")[3].removesuffix(" h")) for gap in gaps) == gap_hours
    assert result.attrs["imf_by_origin"] == "reconstructed"


@pytest.mark.parametrize("day", ["2022-06-03", "2022-06-09", "2023-06-18", "2024-08-26", "2023-12-21"])
def test_embedded_spans_hold_the_runs_with_their_spin_up(day: str) -> None:
    times = np.datetime64(day, "ns") + np.arange(-96 * 6, 48 * 6 + 1) * 10 * MINUTE
    assert imf_at(load_imf(), times).sizes["time"] == times.size


def test_outside_the_embedded_spans() -> None:
    with pytest.raises(CoverageError, match=r"cover only 2022-05-29T00:00 to 2022-09-03T00:00, 2023-05-29T00:00 to"):
        imf_at(load_imf(), "2023-01-01")


def test_many_spans_are_shortened_in_messages() -> None:
    dataset = series([1.0] * 60, hours=[h for day in range(30) for h in (24 * day, 24 * day + 1)])
    with pytest.raises(CoverageError, match=r", 22 more, "):
        imf_at(dataset, "2025-01-01")


def test_wrong_data_and_settings() -> None:
    dataset = series([1.0, 2.0])
    with pytest.raises(DataError, match="have no 'solar_wind_speed'"):
        imf_at(dataset.drop_vars("solar_wind_speed"), START)
    with pytest.raises(DataError, match="2024-06-10T00:30, follows 2024-06-10T01:30"):
        imf_at(dataset.isel(time=[1, 0]), START)
    with pytest.raises(CoverageError, match="no times at all"):
        imf_at(dataset.isel(time=slice(0)), START)
    for limit in ("long", "-1h", "NaT"):
        with pytest.raises(SettingsError, match="longest_gap is"):
            imf_at(dataset, START, longest_gap=limit)
    with pytest.raises(SettingsError, match="not a time"):
        imf_at(dataset, "NaT")
    dataset["imf_by_gsm"].attrs["units"] = "T"
    with pytest.raises(UnitsError, match="imf_by_gsm has units 'T'; needed: 'nT'"):
        imf_at(dataset, START)
    with pytest.raises(CoverageError, match="imf_by_gsm has no value in the data at all"):
        imf_at(series([np.nan, np.nan]), START)


@pytest.mark.parametrize(
    ("name", "fill"),
    [
        ("imf_by_gsm", 999.9),
        ("imf_bz_gsm", -1e31),
        ("solar_wind_speed", 9999.0),
        ("solar_wind_density", -1.0),
    ],
)
def test_fill_values_in_a_data_set_are_refused(name: str, fill: float) -> None:
    dataset = series([1.0, 2.0, 3.0])
    dataset[name][1] = fill
    with pytest.raises(DataError, match=f"{name} at 2024-06-10T01:30 is .*set missing values to NaN"):
        imf_at(dataset, START)
