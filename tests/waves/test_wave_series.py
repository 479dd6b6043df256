"""Stretches of one cadence: gaps stay gaps, cadences are told apart, bad series are refused."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from siderion.core.errors import DataError, UnitsError
from siderion.waves.series import check_series, split_stretches

START = np.datetime64("2020-01-01", "ns")


def series(seconds, field=None, units="nT"):
    seconds = np.asarray(seconds, dtype=float)
    if field is None:
        field = np.column_stack([np.arange(len(seconds)), np.ones(len(seconds)), 2.0 * np.ones(len(seconds))])
    times = START + np.round(seconds * 1e9).astype("timedelta64[ns]")
    return xr.Dataset({"magnetic_field": (("time", "component"), field, {"units": units})}, coords={"time": times})


def test_regular_series_is_one_stretch_in_tesla():
    (stretch,) = split_stretches(series(np.arange(100) * 0.05))
    assert stretch.cadence == pytest.approx(0.05)
    assert stretch.field.shape == (3, 100)
    np.testing.assert_allclose(stretch.field[0], np.arange(100) * 1e-9)
    assert stretch.time_at(np.array([40.5])) == START + np.timedelta64(2_025_000_000, "ns")


def test_short_gap_is_kept_as_a_gap():
    seconds = np.delete(np.arange(200), slice(50, 60))
    (stretch,) = split_stretches(series(seconds))
    assert stretch.field.shape == (3, 200)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(stretch.field).any(axis=0)), np.arange(50, 60))


def test_nan_in_one_component_is_a_gap_in_all():
    field = np.ones((100, 3))
    field[30, 1] = np.nan
    (stretch,) = split_stretches(series(np.arange(100), field))
    assert np.isnan(stretch.field[:, 30]).all()
    assert np.isfinite(np.delete(stretch.field, 30, axis=1)).all()


def test_long_gap_splits():
    seconds = np.concatenate([np.arange(100), 1000 + np.arange(50)])
    first, second = split_stretches(series(seconds), longest_gap=60.0)
    assert (first.field.shape[1], second.field.shape[1]) == (100, 50)
    assert second.start == START + np.timedelta64(1000, "s")
    assert len(split_stretches(series(seconds), longest_gap=3600.0)) == 1


@pytest.mark.parametrize("factor", [2.0, 3.0, 20.0])
def test_change_of_cadence_splits(factor):
    seconds = np.concatenate([np.arange(200) / 3.0, 200 / 3.0 + factor * np.arange(100) / 3.0])
    stretches = split_stretches(series(seconds))
    assert [one.cadence for one in stretches] == pytest.approx([1 / 3, factor / 3])
    assert sum(one.field.shape[1] for one in stretches) == 300


def test_truncated_stamps_give_the_true_cadence():
    """Stamps of 1/3 s written to a millisecond: the mean step is right, the median is not."""
    (stretch,) = split_stretches(series(np.round(np.arange(3000) / 3.0, 3)))
    assert stretch.cadence == pytest.approx(1 / 3, rel=1e-6)
    assert np.isfinite(stretch.field).all()


@given(seed=st.integers(0, 10**6), part=st.floats(0.0, 0.24))
def test_jitter_below_a_quarter_of_a_step_moves_no_sample(seed, part):
    rng = np.random.default_rng(seed)
    n = 200
    (stretch,) = split_stretches(series(np.arange(n) + 5.0 + rng.uniform(-part, part, n)))
    assert stretch.field.shape[1] == n
    assert np.isfinite(stretch.field).all()


@given(missing=st.sets(st.integers(20, 279), max_size=60))
def test_every_sample_keeps_its_place(missing):
    """Whatever is missing, a sample stands at its own number and the holes are NaN."""
    known = np.setdiff1d(np.arange(300), sorted(missing))
    stretches = split_stretches(series(known * 0.5, np.outer(known, [1.0, 1.0, 1.0]) + 1.0))
    if len(stretches) == 1:
        found = np.full(300, np.nan)
        found[known] = (known + 1.0) * 1e-9
        np.testing.assert_allclose(stretches[0].field[0], found)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.rename(magnetic_field="field"), "magnetic_field"),
        (lambda s: s.isel(component=0), "component"),
        (lambda s: s.isel(component=slice(0, 2)), "2 components"),
        (lambda s: s.isel(time=slice(0, 0)), "0 samples"),
        (lambda s: s.isel(time=slice(0, 1)), "1 samples"),
        (lambda s: s.isel(time=slice(None, None, -1)), "times do not increase at sample 1"),
        (lambda s: s.isel(time=[0, 1, 1, 2]), "times do not increase at sample 2"),
        (lambda s: s.assign(magnetic_field=s.magnetic_field * np.nan).pipe(with_units), "no finite sample"),
        (
            lambda s: s.assign(magnetic_field=s.magnetic_field.where(s.time != s.time[7], np.inf)).pipe(with_units),
            "infinite at sample 7",
        ),
    ],
)
def test_bad_series_is_refused_with_the_reason(change, words):
    with pytest.raises(DataError, match=words):
        split_stretches(change(series(np.arange(20))))


def with_units(one):
    one["magnetic_field"].attrs["units"] = "nT"
    return one


@pytest.mark.parametrize("units", ["T", "G", "", None])
def test_other_units_are_refused(units):
    one = series(np.arange(20))
    if units is None:
        del one["magnetic_field"].attrs["units"]
    else:
        one["magnetic_field"].attrs["units"] = units
    with pytest.raises(UnitsError, match="nT"):
        check_series(one)


def test_a_single_known_sample_makes_no_stretch():
    field = np.full((30, 3), np.nan)
    field[4] = 1.0
    assert split_stretches(series(np.arange(30), field)) == []


@pytest.mark.parametrize("missing", [1, 298])
def test_a_gap_beside_an_end_drops_no_sample(missing):
    known = np.setdiff1d(np.arange(300), [missing])
    (stretch,) = split_stretches(series(known * 0.5))
    assert stretch.field.shape[1] == 300


def test_times_that_are_no_dates_are_refused():
    one = series(np.arange(50))
    with pytest.raises(DataError, match="time"):
        check_series(one.assign_coords(time=np.arange(50.0)))
