"""Bad input to the whole analysis: a clear error of Siderion, or a flagged result."""

import numpy as np
import pytest
import xarray as xr

from siderion.core.errors import DataError, SettingsError, SiderionError, UnitsError
from siderion.waves.analysis import analyse_waves, make_wave_settings

START = np.datetime64("2012-03-01", "ns")


def series(n=6000, cadence=0.1, units="nT", strength=25.0, seed=1):
    rng = np.random.default_rng(seed)
    field = strength * np.array([0.0, 0.6, 0.8]) + 0.1 * rng.standard_normal((n, 3))
    times = START + np.round(np.arange(n) * cadence * 1e9).astype("timedelta64[ns]")
    data = xr.Dataset({"magnetic_field": (("time", "component"), field, {"units": units})}, coords={"time": times})
    return data.assign_attrs(frame="unknown", position_frame="unknown")


def run(data, species=("H+", "H2+"), body="Mercury", **values):
    return analyse_waves(data, make_wave_settings({"body": body, "species": list(species), "examples": 0, **values}))


def changed(data, index, value):
    field = data.magnetic_field.values.copy()
    field[index] = value
    return data.assign(magnetic_field=(("time", "component"), field, {"units": "nT"}))


def test_the_good_series_is_good():
    windows = run(series())["windows"].to_dataset()
    assert windows.sizes["time"] == 11
    assert not windows.detected.any()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: series(0), "0 samples"),
        (lambda: series(1), "1 samples"),
        (lambda: series(30), "less than one step"),
        (lambda: changed(series(), slice(None), np.nan), "no finite sample"),
        (lambda: changed(series(), slice(1, None), np.nan), "less than one step|no finite|one known sample"),
        (lambda: changed(series(), (17, 2), np.inf), "infinite at sample 17"),
        (lambda: changed(series(), (17, 2), -np.inf), "infinite at sample 17"),
        (lambda: series().isel(time=np.r_[0:100, 99:6000]), "increase at sample 100"),
        (lambda: series().isel(time=np.r_[0:100, 200:100:-1, 201:6000]), "times do not increase"),
        (lambda: series().rename(magnetic_field="b"), "read_magnetometer"),
        (lambda: series().isel(component=slice(0, 2)), "2 components"),
        (lambda: series().magnetic_field.isel(component=0).to_dataset(), "component"),
        (lambda: series(600, cadence=20.0), "cadence"),
        (lambda: changed(series(), slice(None), 0.0), "zero"),
        (lambda: series(strength=0.002).pipe(changed, slice(None), 1e-3), "windows.longest|longest part|needs"),
    ],
)
def test_bad_series_are_refused_with_the_reason(make, words):
    with pytest.raises(DataError, match=words):
        run(make())


@pytest.mark.parametrize("units", ["T", "gauss", "counts", ""])
def test_other_units_are_refused(units):
    with pytest.raises(UnitsError, match="nT"):
        run(series(units=units))


def test_mixed_cadence_is_measured_part_by_part():
    slow = series(600, 1.0)
    slow = slow.assign_coords(time=slow.time + np.timedelta64(601, "s"))
    both = xr.concat([series(), slow], "time")
    windows = run(both)["windows"].to_dataset()
    assert set(windows.stretch.values) == {0, 1}
    assert (np.diff(windows.time.values) > np.timedelta64(0)).all()


def test_unknown_body_and_missing_species_are_errors():
    with pytest.raises(SiderionError, match="Vulcan"):
        run(series(), body="Vulcan")
    with pytest.raises(SiderionError, match="species"):
        make_wave_settings({"body": "Moon"})
    with pytest.raises(SettingsError):
        make_wave_settings({"body": "Mercury", "species": ["H+"], "distance": -1.0})


def test_single_precision_gives_the_same():
    data = series()
    single = data.assign(magnetic_field=data.magnetic_field.astype(np.float32))
    single["magnetic_field"].attrs["units"] = "nT"
    one, two = (run(d)["windows"].to_dataset() for d in (data, single))
    np.testing.assert_allclose(one.power_perpendicular.values, two.power_perpendicular.values, rtol=1e-3)


def test_order_of_the_dimensions_does_not_matter():
    data = series()
    turned = data.transpose("component", "time")
    xr.testing.assert_identical(run(data)["windows"].to_dataset(), run(turned)["windows"].to_dataset())
