from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from siderion.core.errors import CoverageError, DataError, SettingsError, UnitsError
from siderion.core.variables import with_attributes
from siderion.solarwind.imf import load_imf
from siderion.solarwind.two_cell import READINGS, paper_days, two_cell_days

PAPER_DAYS = paper_days()
NOT_JOINTLY = {"2022-06-07", "2024-08-24"}
NOT_EVERY_HOUR = {"2022-06-07", "2022-06-09", "2024-07-22", "2024-08-24"}


def days_of(by: np.ndarray, bz: np.ndarray) -> xr.Dataset:
    times = np.datetime64("2024-01-01T00:30", "ns") + np.arange(by.size) * np.timedelta64(1, "h")
    return with_attributes(xr.Dataset({"imf_by_gsm": ("time", by), "imf_bz_gsm": ("time", bz)}, coords={"time": times}))


def rows_of_the_paper(reading: str) -> xr.Dataset:
    return two_cell_days(load_imf(), reading=reading).sel(day=np.array(PAPER_DAYS, "datetime64[ns]"))


@pytest.mark.parametrize(("reading", "failing"), [("separate", set()), ("joint", NOT_JOINTLY), ("every_hour", NOT_EVERY_HOUR)])
def test_the_nine_days_of_the_paper(reading: str, failing: set[str]) -> None:
    result = rows_of_the_paper(reading)
    failed = {day for day, selected in zip(PAPER_DAYS, result["selected"].values, strict=True) if not selected}
    assert failed == failing
    np.testing.assert_array_equal(result["selected"], result["qualifies"].sel(reading=reading))


def test_the_days_of_the_paper_are_its_days_of_the_year() -> None:
    numbers = {2022: (154, 158, 160), 2023: (169, 212), 2024: (166, 204, 237, 239)}
    days = [np.datetime64(f"{year}-01-01") + (number - 1) for year, of_year in numbers.items() for number in of_year]
    assert [str(day) for day in days] == PAPER_DAYS
    marked = two_cell_days(load_imf())["simulated_by_andoh_2026"]
    assert [str(day)[:10] for day in marked["day"].values[marked.values]] == PAPER_DAYS


def test_hours_of_doubtful_sign_are_counted_not_hidden() -> None:
    imf = load_imf()
    flags = imf["imf_by_flag"].sel(time="2023-06-18").values
    counted = two_cell_days(imf)["by_doubtful_sign_hours"].sel(day="2023-06-18")
    assert float(counted) == np.sum(flags == "mag+nearest_sign") > 0


def test_fractions_of_the_nine_days() -> None:
    result = rows_of_the_paper("separate")
    southward = 100 * result["bz_negative_fraction"]
    np.testing.assert_allclose(southward, [88, 96, 100, 96, 96, 92, 92, 83, 96], atol=0.51)
    joint = 100 * result["joint_fraction"].sel(day=np.array(sorted(NOT_JOINTLY), "datetime64[ns]"))
    np.testing.assert_allclose(joint, 79.2, atol=0.05)
    assert (result["hours_available"] == 24).all()


@given(
    by=st.lists(st.floats(-10, 10), min_size=24, max_size=24),
    bz=st.lists(st.floats(-10, 10), min_size=24, max_size=24),
    fraction=st.floats(0.05, 1.0),
)
def test_stricter_readings_select_fewer_days(by: list[float], bz: list[float], fraction: float) -> None:
    result = two_cell_days(days_of(np.array(by), np.array(bz)), fraction=fraction)
    separate, joint, every_hour = (bool(result["qualifies"].sel(reading=name)[0]) for name in READINGS)
    assert joint <= separate
    assert every_hour <= joint
    flipped = two_cell_days(days_of(-np.array(by), np.array(bz)), fraction=fraction)
    np.testing.assert_array_equal(flipped["qualifies"], result["qualifies"])


def test_limits_belong_to_the_strict_side() -> None:
    by, bz = np.full(24, 4.999), np.full(24, -0.1)
    assert two_cell_days(days_of(by, bz), "every_hour", fraction=1.0)["selected"].item()
    by[5] = 5.0
    assert not two_cell_days(days_of(by, bz), "every_hour")["selected"].item()
    bz[:5] = 0.0
    assert not two_cell_days(days_of(by, bz))["selected"].item()
    bz[0] = -0.1
    assert two_cell_days(days_of(by, bz))["selected"].item()


def test_fraction_is_of_the_hours_available() -> None:
    by, bz = np.ones(72), np.full(72, -1.0)
    bz[0:4] = np.nan  # first day: 20 hours left, 16 of them southward
    bz[4:8] = 1.0
    by[24:29] = np.nan  # second day: 19 hours left
    result = two_cell_days(days_of(by, bz))
    assert result["day"].values.astype("datetime64[D]").astype(str).tolist() == ["2024-01-01", "2024-01-03"]
    np.testing.assert_array_equal(result["bz_negative_fraction"], [0.8, 1.0])
    np.testing.assert_array_equal(result["hours_available"], [20, 24])
    assert result["selected"].all()
    assert result.attrs["days_left_out"] == "2024-01-02 (19 h)"


def test_every_variable_names_its_units() -> None:
    result = two_cell_days(load_imf())
    assert all({"units", "long_name"} <= set(result[name].attrs) for name in result.data_vars)
    assert result.attrs["reading"].startswith("separate")


def test_wrong_settings_and_data() -> None:
    dataset = days_of(np.ones(24), np.ones(24))
    with pytest.raises(SettingsError, match="reading is 'any'; it must be one of separate, joint, every_hour"):
        two_cell_days(dataset, "any")  # type: ignore[arg-type]
    for fraction in (0.0, 1.01, np.nan):
        with pytest.raises(SettingsError, match="fraction is"):
            two_cell_days(dataset, fraction=fraction)
    for limit in (0.0, -5.0, np.nan, np.inf):
        with pytest.raises(SettingsError, match="by_limit is"):
            two_cell_days(dataset, by_limit=limit)
    with pytest.raises(CoverageError, match=r"the best of 1 days has 19"):
        two_cell_days(dataset.isel(time=slice(19)))
    with pytest.raises(CoverageError, match="no times"):
        two_cell_days(dataset.isel(time=slice(0)))
    with pytest.raises(DataError, match="no 'imf_bz_gsm'"):
        two_cell_days(dataset.drop_vars("imf_bz_gsm"))
    with pytest.raises(DataError, match="in order"):
        two_cell_days(dataset.isel(time=slice(None, None, -1)))
    del dataset["imf_by_gsm"].attrs["units"]
    with pytest.raises(UnitsError, match="units None"):
        two_cell_days(dataset)
