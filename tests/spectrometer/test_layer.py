"""Numbers of a layer: a Gaussian by hand, cut bins, edges, errors against draws, flags, and what lidar and limb see."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.special import erf

from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.measurement import check_measurement
from siderion.spectrometer.layer import describe_layer, observe_limb, observe_with_lidar
from siderion.spectrometer.layer_input import profiles_of
from siderion.spectrometer.layer_numbers import BELOW_THRESHOLD, LINEAR, NO_DATA, NOT_CROSSED, NOT_THIN, layer_numbers
from siderion.spectrometer.lidar import get_lidar

Z = np.arange(70e3, 125.1e3, 0.5e3)
PEAK, CENTRE, WIDTH, LEVEL = 3e9, 91.2e3, 4.5e3, 5e7
GAUSS = PEAK * np.exp(-0.5 * ((Z - CENTRE) / WIDTH) ** 2)
TIMES = np.array(["2012-11-01T18:00", "2012-11-01T19:00"], dtype="datetime64[ns]")


def _profiles(times: np.ndarray = TIMES) -> xr.Dataset:
    density = xr.DataArray(np.tile(GAUSS, (len(times), 1)), dims=("time", "alt"), attrs={"units": "m-3"})
    return profiles_of(xr.Dataset({"density": density}, coords={"time": times, "alt": Z / 1e3}))


def test_gaussian_by_hand() -> None:
    found = layer_numbers(GAUSS, Z, threshold=LEVEL)
    assert found.column.value == pytest.approx(np.sqrt(2.0 * np.pi) * WIDTH * PEAK, rel=1e-5)
    assert found.centroid.value == pytest.approx(CENTRE, abs=1.0)
    assert found.width.value == pytest.approx(WIDTH, rel=1e-4)
    assert found.peak_height.value == pytest.approx(CENTRE, abs=1e-3)
    # ln n is a parabola, so the chord of a bin is off by at most dz^2/(8 WIDTH^2)/slope = 2.4 m
    reach = WIDTH * np.sqrt(2.0 * np.log(PEAK / LEVEL))
    assert found.upper_edge.value == pytest.approx(CENTRE + reach, abs=3.0)
    assert found.lower_edge.value == pytest.approx(CENTRE - reach, abs=3.0)


def test_edge_of_an_exponential_is_exact_and_converges_for_a_gaussian() -> None:
    z = np.array([80e3, 90e3, 97e3, 111e3])
    density = np.array([1e6, 1e9, 1e9 * np.exp(-7.0 / 3.0), 1e9 * np.exp(-7.0)])  # scale height 3 km above 90 km
    found = layer_numbers(density, z, threshold=LEVEL)
    assert found.upper_edge.value == pytest.approx(90e3 + 3e3 * np.log(1e9 / LEVEL), abs=1e-6)
    errors = []
    for step in (2e3, 1e3, 0.5e3):
        # the same place of the edge within its bin at every step
        exact = CENTRE + WIDTH * np.sqrt(2.0 * np.log(PEAK / LEVEL))
        nodes = exact + step * (np.arange(-int(40e3 / step), int(20e3 / step)) + 0.5)
        profile = PEAK * np.exp(-0.5 * ((nodes - CENTRE) / WIDTH) ** 2)
        errors.append(abs(layer_numbers(profile, nodes, threshold=LEVEL).upper_edge.value - exact))
    assert (np.log2(np.array(errors[:-1]) / errors[1:]) > 1.9).all()


def test_limits_cut_bins() -> None:
    flat = np.full(11, 2e9)
    z = np.arange(85e3, 96e3, 1e3)
    found = layer_numbers(flat, z, limits=(86.2e3, 93.9e3), threshold=LEVEL)
    assert found.column.value == pytest.approx(2e9 * 7.7e3, rel=1e-12)
    assert found.centroid.value == pytest.approx(0.5 * (86.2e3 + 93.9e3), rel=1e-12)
    with pytest.raises(CoverageError, match="range"):
        layer_numbers(flat, z, limits=(60e3, 93e3), threshold=LEVEL)


def test_bin_means_take_sheppards_correction() -> None:
    step = 3e3
    middle = np.arange(70e3, 115e3, step) + 0.4e3
    ends = (np.append(middle - 0.5 * step, middle[-1] + 0.5 * step) - CENTRE) / (WIDTH * np.sqrt(2.0))
    means = PEAK * WIDTH * np.sqrt(np.pi / 2.0) * np.diff(erf(ends)) / step
    assert layer_numbers(means, middle, threshold=LEVEL, bin_means=True).width.value == pytest.approx(WIDTH, rel=2e-3)
    assert layer_numbers(means, middle, threshold=LEVEL).width.value == pytest.approx(np.hypot(WIDTH, step / 12**0.5), rel=2e-3)


def test_errors_are_those_of_many_draws() -> None:
    z = np.arange(75.5e3, 115e3, 1e3)
    clean = PEAK * np.exp(-0.5 * ((z - CENTRE) / WIDTH) ** 2)
    error = 1e6 + 0.01 * clean
    random = np.random.default_rng(7)
    draws = [layer_numbers(clean + error * random.standard_normal(len(z)), z, error, threshold=LEVEL) for _ in range(500)]
    reference = layer_numbers(clean, z, error, threshold=LEVEL)
    for name in ("column", "centroid", "width", "peak_height", "upper_edge", "lower_edge"):
        spread = np.std([getattr(one, name).value for one in draws])
        assert getattr(reference, name).error == pytest.approx(spread, rel=0.12), name  # 500 draws: 3.2 %
    covariance = np.diag(error**2)
    assert layer_numbers(clean, z, covariance, threshold=LEVEL).column.error == pytest.approx(reference.column.error)
    # errors that go together add up
    together = layer_numbers(clean, z, np.outer(error, error), threshold=LEVEL).column.error
    assert together == pytest.approx(1e3 * error.sum(), rel=1e-12)


def test_flags_and_the_rule_of_the_edge() -> None:
    high = layer_numbers(GAUSS + 6e7, Z, threshold=LEVEL)
    assert high.upper_edge.flag == high.lower_edge.flag == NOT_CROSSED
    assert np.isnan(high.upper_edge.value)
    assert layer_numbers(GAUSS, Z, threshold=1e10).upper_edge.flag == BELOW_THRESHOLD
    holes = GAUSS.copy()
    holes[40] = np.nan
    assert layer_numbers(holes, Z, threshold=LEVEL).column.flag == NO_DATA
    assert layer_numbers(holes, Z, limits=(92e3, 110e3), threshold=LEVEL).column.flag == 0
    negative = np.where(GAUSS < LEVEL, -1e6, GAUSS)
    assert layer_numbers(negative, Z, threshold=LEVEL).upper_edge.flag == LINEAR
    second = GAUSS + 2e8 * np.exp(-0.5 * ((Z - 115e3) / 1e3) ** 2)
    nearest, outermost = (
        layer_numbers(second, Z, threshold=LEVEL, edge=rule).upper_edge.value for rule in ("nearest", "outermost")
    )
    assert nearest < 105e3
    # the second layer alone: 115 km + 1 km sqrt(2 ln 4)
    assert outermost == pytest.approx(115e3 + 1e3 * np.sqrt(2.0 * np.log(4.0)), abs=20.0)
    with pytest.raises(SettingsError, match="rule"):
        layer_numbers(GAUSS, Z, threshold=LEVEL, edge="swamp")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="threshold"):
        layer_numbers(GAUSS, Z, threshold=0.0)


def test_data_set_of_the_numbers() -> None:
    found = describe_layer(_profiles())
    for name in ("layer_column_density", "layer_centroid_height", "layer_rms_width", "layer_upper_edge", "layer_peak_height"):
        check_measurement(found, name)
    np.testing.assert_allclose(found["layer_centroid_height"].values, CENTRE / 1e3, atol=0.01)
    assert found.attrs["range_km"] == [75.0, 115.0]
    assert found.attrs["threshold_m-3"] == 5e7


def test_lidar_sees_the_layer_within_its_errors() -> None:
    seen = observe_with_lidar(_profiles(), get_lidar("tromso"), seed=3)
    assert seen.sizes["time"] == 10  # an hour in steps of 6 min
    found = describe_layer(seen, bin_means=True)
    for name, truth in (("column_density", np.sqrt(2.0 * np.pi) * WIDTH * PEAK), ("centroid_height", CENTRE / 1e3)):
        value = found[f"layer_{name}"].values
        error = found[f"layer_{name}_upper"].values - value
        assert (np.abs(value - truth) < 4.5 * error).all()
        assert error.max() / value.mean() < 0.01


def test_lidar_sees_nothing_by_day() -> None:
    day = np.array(["2012-06-21T11:00", "2012-06-21T12:00"], dtype="datetime64[ns]")
    seen = observe_with_lidar(_profiles(day), get_lidar("tromso"))
    assert not seen["lidar_night"].values.any()
    found = describe_layer(seen)
    np.testing.assert_array_equal(found["layer_column_density_flag"].values, NO_DATA)
    with pytest.raises(DataError, match="time"):
        observe_with_lidar(profiles_of(_profiles().isel(time=0, drop=True)), get_lidar("tromso"))


def test_limb_sees_the_column() -> None:
    # 3.4e13 m-2 times some 30 times the vertical path times 1e-18 m2: thin
    seen = observe_limb(_profiles(), np.arange(72.0, 121.0, 1.5), g=0.5, noise=20.0, seed=2, cross_section=1e-18)
    assert seen["limb_optical_depth"].values.max() < 0.1
    found = describe_layer(seen, limits=(74.0, 116.0))
    column = found["layer_column_density"].values
    error = found["layer_column_density_upper"].values - column
    # straight lines between nodes 1.5 km apart add dz^2/(12 WIDTH^2) = 1 % to the width, and little to the column
    assert (np.abs(column - np.sqrt(2.0 * np.pi) * WIDTH * PEAK) < 4.0 * error + 0.003 * column).all()
    np.testing.assert_array_equal(found["layer_column_density_flag"].values, 0)


def test_limb_of_a_thick_line_has_no_errors() -> None:
    """A thousand times the cross section: the numbers are flagged and have no ends, where the range meets such lines of sight."""
    seen = observe_limb(_profiles(), np.arange(72.0, 121.0, 1.5), g=0.5, noise=20.0, seed=2, cross_section=1e-15)
    assert seen["limb_optical_depth"].values.max() > 0.1
    found = describe_layer(seen, limits=(74.0, 116.0))
    for name in ("column_density", "centroid_height", "upper_edge"):
        np.testing.assert_array_equal(found[f"layer_{name}_flag"].values, NOT_THIN)
        assert np.isfinite(found[f"layer_{name}"].values).all()
        assert np.isnan(found[f"layer_{name}_upper"].values).all()
    assert "line_not_thin" in found["layer_centroid_height_flag"].attrs["flag_meanings"]


def test_lidar_profiles_are_means_of_bins() -> None:
    """Sheppard's correction comes with the profiles: dz^2 / 12 less in the squared width, without an option."""
    seen = observe_with_lidar(_profiles(), get_lidar("tromso"), seed=3)
    plain, points = describe_layer(seen), describe_layer(seen, bin_means=False)
    step = float(np.diff(seen["alt"].values)[0])
    less = points["layer_rms_width"].values ** 2 - plain["layer_rms_width"].values ** 2
    np.testing.assert_allclose(less, step**2 / 12.0, rtol=1e-6)
    assert plain.attrs["bin_means"] == 1
    assert points.attrs["bin_means"] == 0


def test_input_of_points_and_of_a_run() -> None:
    alt, time = np.meshgrid([80.0, 90.0, 100.0], TIMES)
    points = xr.Dataset(
        {"number_density": (("species", "point"), np.arange(12.0).reshape(2, 6), {"units": "m-3"})},
        coords={"species": ["Na", "Fe"], "time": ("point", time.ravel()), "alt": ("point", alt.ravel())},
    )
    np.testing.assert_array_equal(profiles_of(points, species="Fe")["layer_density"].values, [[6, 7, 8], [9, 10, 11]])
    with pytest.raises(CoverageError, match="Na, Fe"):
        profiles_of(points)
    with pytest.raises(DataError, match="no grid"):
        profiles_of(points.isel(point=slice(0, 5)), species="Na")
    run = xr.Dataset(
        {"number_density": (("time", "alt", "lat", "lon"), np.arange(24.0).reshape(2, 3, 2, 2))},
        coords={"time": TIMES, "alt": [100.0, 90.0, 80.0], "lat": [60.0, 70.0], "lon": [0.0, 180.0]},
    )
    column = profiles_of(run, lat=69.6, lon=-170.0)
    np.testing.assert_array_equal(column["layer_density"].values[0], [11.0, 7.0, 3.0])
    assert (column.attrs["lat"], column.attrs["lon"]) == (70.0, 180.0)
    with pytest.raises(DataError, match="--lat"):
        profiles_of(run)
    with pytest.raises(DataError, match="no density"):
        profiles_of(run, "swamp")
