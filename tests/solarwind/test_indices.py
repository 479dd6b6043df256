from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.solarwind.indices import (
    ap_history,
    ap_of_kp,
    daily_f107,
    f107_81_day_mean,
    kp_at,
    load_indices,
    utc_times,
)

# Day, largest Kp, daily Ap, F10.7 observed on that day: the nine days of Andoh et al. (2026).
PAPER_DAYS = [
    ("2022-06-03", 4, 4, 100.7),
    ("2022-06-07", 7, 6, 98.4),
    ("2022-06-09", 4, 4, 106.4),
    ("2023-06-18", 9, 9, 164.1),
    ("2023-07-31", 7, 5, 177.1),
    ("2024-06-14", 7, 5, 169.0),
    ("2024-07-22", 9, 8, 185.0),
    ("2024-08-24", 9, 8, 232.3),
    ("2024-08-26", 5, 4, 227.0),
]
GFZ_HEADER = "date," + ",".join([f"Kp{i}" for i in range(1, 9)] + [f"ap{i}" for i in range(1, 9)]) + ",Ap,F107obs"


@pytest.fixture(scope="module")
def embedded() -> xr.Dataset:
    return load_indices()


def counted(days: int = 90) -> xr.Dataset:
    """Indices whose values tell where they come from: ap counts the intervals, F10.7 the days."""
    day = np.datetime64("2024-01-01", "ns") + np.arange(days) * np.timedelta64(1, "D")
    time = day[0] + np.arange(8 * days) * np.timedelta64(3, "h")
    return xr.Dataset(
        {
            "kp": ("time", np.arange(8 * days) % 28 / 3),
            "ap": ("time", np.arange(8.0 * days)),
            "ap_daily": ("day", 1000.0 + np.arange(days)),
            "f107": ("day", 1.0 + np.arange(days)),
        },
        coords={"time": time, "day": day},
    )


@pytest.mark.parametrize(("day", "thirds", "ap", "flux"), PAPER_DAYS)
def test_paper_days(embedded: xr.Dataset, day: str, thirds: int, ap: int, flux: float) -> None:
    times = np.datetime64(day, "ns") + np.arange(24) * np.timedelta64(1, "h")
    assert kp_at(embedded, times).max() == thirds / 3
    assert (ap_history(embedded, times)[:, 0] == ap).all()
    assert (daily_f107(embedded, times + np.timedelta64(1, "D")) == flux).all()


def test_ap_history_order() -> None:
    # Interval 100 of the series: ap of intervals 100, 99, 98, 97, the mean of 96 to 89, the mean of 88 to 81.
    time = np.datetime64("2024-01-01") + np.timedelta64(300, "h") + np.timedelta64(179, "m")
    history = ap_history(counted(), time)
    np.testing.assert_array_equal(history, [[1012, 100, 99, 98, 97, 92.5, 84.5]])


def test_ap_history_from_the_rows_of_the_file(embedded: xr.Dataset) -> None:
    # 18 June 2023, 00 UT, counted back by hand in the rows of the 16th and 17th.
    rows = embedded["ap"].sel(time=slice("2023-06-15", "2023-06-18")).values
    expected = [9, rows[24], rows[23], rows[22], rows[21], rows[13:21].mean(), rows[5:13].mean()]
    np.testing.assert_array_equal(ap_history(embedded, "2023-06-18"), [expected])


@given(st.integers(min_value=57 * 60, max_value=90 * 1440 - 1))
def test_interval_and_previous_day_at_any_minute(minute: int) -> None:
    dataset = counted()
    time = np.datetime64("2024-01-01") + np.timedelta64(minute, "m")
    assert ap_history(dataset, time)[0, 1] == minute // 180
    assert kp_at(dataset, time)[0] == (minute // 180) % 28 / 3
    assert daily_f107(dataset, time)[0] == minute // 1440


def test_mean_is_read_where_given_and_else_computed(embedded: xr.Dataset) -> None:
    days = np.array([f"{day}T17:00" for day, *_ in PAPER_DAYS], dtype="datetime64[ns]")
    given_mean = f107_81_day_mean(embedded, days)
    computed = f107_81_day_mean(embedded.drop_vars("f107_81_day_mean"), days)
    np.testing.assert_allclose(computed, given_mean, atol=0.0501, rtol=0)
    assert f107_81_day_mean(counted(81), "2024-02-10T23:59")[0] == 41.0
    with pytest.raises(CoverageError, match=r"f107: no value for 2024-03-22; .* 2024-01-01 to 2024-03-21"):
        f107_81_day_mean(counted(81), "2024-02-11")


def test_missing_flux_of_gfz_never_reaches_the_caller(tmp_path: Path) -> None:
    first = np.datetime64("2024-07-01")
    flux = {"2024-08-26": "-1.0"}
    days = [str(first + i) for i in range(123)]
    rows = [f"{day}," + "1.0," * 8 + "4.0," * 8 + f"4.0,{flux.get(day, '230.0')}" for day in days]
    file = tmp_path / "gfz.csv"
    file.write_text("\n".join([GFZ_HEADER, *rows, ""]))
    dataset = load_indices(file, file_format="gfz")
    assert daily_f107(dataset, "2024-08-26")[0] == 230.0
    message = r"f107 on 2024-08-26 is missing \(in the file: -1 .*\); it must be above 0 and finite; give an"
    with pytest.raises(DataError, match=message):
        daily_f107(dataset, "2024-08-27T12:00")
    with pytest.raises(DataError, match=message):
        f107_81_day_mean(dataset, "2024-09-10")


@given(
    fill=st.sampled_from([np.nan, -1.0, np.inf, -np.inf, -999.9]),
    place=st.integers(min_value=0, max_value=89),
    minute=st.integers(min_value=57 * 60, max_value=90 * 1440 - 1),
)
def test_fill_values_never_pass(fill: float, place: int, minute: int) -> None:
    dataset = counted()
    dataset["f107"][place] = fill
    for name in ("kp", "ap"):
        dataset[name][8 * place : 8 * place + 8] = fill
    dataset["ap_daily"][place] = fill
    time = np.datetime64("2024-01-01") + np.timedelta64(minute, "m")
    for function in (daily_f107, f107_81_day_mean, ap_history, kp_at):
        try:
            values = function(dataset, time)
        except (DataError, CoverageError):
            continue
        assert np.isfinite(values).all()
        assert (values >= 0).all()
    with pytest.raises(DataError, match="kp on"):
        kp_at(dataset, dataset["day"].values[place])


def test_zero_flux_is_a_fill_value() -> None:
    dataset = counted()
    dataset["f107"][3] = 0.0
    with pytest.raises(DataError, match=r"f107 on 2024-01-04 is 0; it must be above 0"):
        daily_f107(dataset, "2024-01-05")


def test_times_outside_the_file(embedded: xr.Dataset) -> None:
    with pytest.raises(CoverageError, match=r"f107: no value for 2021-10-31; .* 2021-11-01 to 2025-03-31; give"):
        daily_f107(embedded, "2021-11-01T12:00")
    with pytest.raises(CoverageError, match=r"ap: no value for 2021-10-31T21:00"):
        ap_history(embedded, "2021-11-03T06:00")
    with pytest.raises(CoverageError, match=r"kp: no value for 2025-04-01T00:00"):
        kp_at(embedded, ["2025-03-31T23:59", "2025-04-01"])


def test_wrong_arguments(embedded: xr.Dataset) -> None:
    with pytest.raises(SettingsError, match="file_format is 'noaa'"):
        load_indices(file_format="noaa")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="the indices have no 'kp'"):
        kp_at(embedded.drop_vars("kp"), "2023-06-18")
    for wrong in ("yesterday evening", 5, "NaT", [["2023-06-18"]]):
        with pytest.raises(SettingsError, match="time"):
            utc_times(wrong)


def test_ap_belongs_to_kp_in_the_whole_built_in_series() -> None:
    indices = load_indices()
    known = np.isfinite(indices["kp"].values) & np.isfinite(indices["ap"].values)
    np.testing.assert_allclose(ap_of_kp(indices["kp"].values[known]), indices["ap"].values[known], atol=0.5)
    assert np.unique(indices["kp"].values[known]).size > 20


def test_ap_of_kp_between_thirds_and_out_of_range() -> None:
    assert ap_of_kp(9.0) == 400
    assert 15 < ap_of_kp(3.1) < 18
    for kp in (-0.1, 9.1, np.nan):
        with pytest.raises(SettingsError, match="from 0 to 9"):
            ap_of_kp(kp)
