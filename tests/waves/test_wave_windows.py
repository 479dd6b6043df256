"""Windows: one grid for all ions, lengths by ion and field, times, gaps, refusals."""

import json

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import constants
from synthetic_waves import coloured_noise, cyclotron_packet

from siderion.core.errors import DataError, SiderionError
from siderion.waves.criteria import Rejection
from siderion.waves.events import reject_lonely_windows
from siderion.waves.settings import DetectionSettings
from siderion.waves.windows import measure_windows

START = np.datetime64("2020-01-01", "ns")
PROTON = constants.elementary_charge / constants.proton_mass
DEFAULT = DetectionSettings()


def series(seconds, field, **variables):
    times = START + np.round(np.asarray(seconds) * 1e9).astype("timedelta64[ns]")
    data = {"magnetic_field": (("time", "component"), field, {"units": "nT"}), **variables}
    return xr.Dataset(data, coords={"time": times, "component": ["x", "y", "z"]})


def noisy(seed, duration=1500.0, cadence=0.1, strength=25.0):
    rng = np.random.default_rng(seed)
    time = np.arange(0.0, duration, cadence)
    field = np.tile(strength * np.array([0.6, 0.0, 0.8]), (time.size, 1))
    return rng, time, field, coloured_noise(rng, time.size, cadence, 5 / 3, 1e-3, 0.1, corner=0.01)


@pytest.fixture(scope="module")
def steady():
    _, time, field, noise = noisy(1)
    return measure_windows(series(time, field + noise), ["H+", "H2+", "He+"], DEFAULT)


def test_lengths_follow_the_ion(steady):
    """At 25 nT fc is 0.381, 0.191 and 0.096 Hz: ten periods take 262, 525 and 1042 samples of 0.1 s, rounded up to 2^n."""
    np.testing.assert_allclose(steady.segment_length.values[5], [51.2, 102.4, 204.8])
    np.testing.assert_allclose(steady.window_length.values[5] / steady.segment_length.values[5], [4.0, 4.0, 4.0])


def test_lengths_follow_the_octave_of_the_field():
    time = np.arange(0.0, 4000.0, 0.5)
    field = np.outer(4.0 * 2.0 ** (3.0 * time / 4000.0), [0.0, 0.6, 0.8])
    windows = measure_windows(
        series(time, field + 0.01 * np.random.default_rng(1).standard_normal((time.size, 3))), ["H+"], DEFAULT
    )
    lengths = windows.segment_length.values[:, 0]
    lengths = lengths[np.isfinite(lengths)]  # not at the end, where the cadence is too low
    assert len(np.unique(lengths)) == 4
    assert (np.diff(lengths) <= 0).all()
    periods = lengths * PROTON * windows.magnetic_field_strength.values[: len(lengths)] * 1e-9 / (2.0 * np.pi)
    assert ((periods >= 10.0 * 0.999) & (periods < 20.0 * 1.001)).all()


def test_bins_in_the_band_are_enough_where_measured(steady):
    measured = (steady.rejection.values & int(Rejection.INSUFFICIENT_DATA)) == 0
    assert measured.mean() > 0.6
    assert (steady.bins_in_band.values[measured] >= DEFAULT.criteria.fewest_bins).all()
    width = (steady.band_upper - steady.band_lower).values * steady.segment_length.values
    assert (np.abs(steady.bins_in_band.values - width)[measured] <= 1.0).all()


def test_cells_tile_the_time_and_centres_are_in_the_middle(steady):
    bounds = steady.time_bounds.values
    assert (bounds[1:, 0] == bounds[:-1, 1]).all()
    step = 51.2
    np.testing.assert_allclose((bounds[1:, 1] - bounds[1:, 0]) / np.timedelta64(1, "s"), step)
    middle = bounds[:, 0] + (bounds[:, 1] - bounds[:, 0]) // 2
    assert (np.abs(steady.time.values - middle) <= np.timedelta64(50, "ms")).all()


@settings(max_examples=10)
@given(seed=st.integers(0, 1000))
def test_times_are_right_to_half_a_step_with_jitter(seed):
    """Stamps jitter by a fifth of a step about a cadence that is not round."""
    rng = np.random.default_rng(seed)
    cadence = 0.517
    time = 10.0 + np.arange(1200) * cadence + rng.uniform(-0.2, 0.2, 1200) * cadence
    windows = measure_windows(series(time, 20.0 + 0.1 * rng.standard_normal((1200, 3))), ["He+"], DEFAULT)
    seconds = (windows.time.values - START) / np.timedelta64(1, "s")
    expected = 10.0 + (64 + 128 * np.arange(len(seconds)) - 0.5) * cadence
    np.testing.assert_allclose(seconds, expected, atol=0.5 * cadence)


def test_measures_carry_units_and_flags(steady):
    assert steady.power_perpendicular.attrs["units"] == "nT2"
    assert steady.gyrofrequency.attrs["units"] == "Hz"
    words = steady.rejection.attrs["flag_meanings"].split()
    assert len(words) == len(steady.rejection.attrs["flag_masks"]) == len(Rejection)
    np.testing.assert_array_equal(steady.detected.values, steady.rejection.values == 0)


def test_power_of_a_wave_is_the_mean_square_put_in():
    """A wave of 0.5 nT across B: the band holds its mean square, 0.25 nT2, but for its coherence time and the noise."""
    rng, time, field, noise = noisy(2)
    wave = cyclotron_packet(rng, time, field, PROTON, 0.5)
    windows = measure_windows(series(time, field + 0.01 * noise + wave), ["H+"], DEFAULT)
    found = windows.power_perpendicular.values[windows.detected.values[:, 0], 0]
    assert len(found) > 20
    np.testing.assert_allclose(found, 0.25, rtol=0.02)


def test_gap_is_never_bridged_and_is_reported():
    rng, time, field, noise = noisy(3)
    total = field + noise + cyclotron_packet(rng, time, field, PROTON, 1.0)
    total[6000:7500] = np.nan
    wild = total.copy()
    wild[7500] = 1e5
    one, two = (measure_windows(series(time, b), ["H+"], DEFAULT) for b in (total, wild))
    length = float(one.window_length[3, 0])
    middle = (one.time.values - START) / np.timedelta64(1, "s")
    far = np.abs(middle - 750.0) > 0.5 * length + 1.0
    xr.testing.assert_identical(one.isel(time=far), two.isel(time=far))
    inside = (middle > 600.0 + 0.5 * length) & (middle < 750.0 - 0.5 * length)
    centre = (middle > 600.0) & (middle < 750.0)
    assert centre.any()
    assert (one.rejection.values[centre | inside] == int(Rejection.INSUFFICIENT_DATA)).all()
    assert np.isnan(one.ellipticity.values[centre]).all()
    assert (one.coverage.values[centre] < 0.6).all()


def test_gap_equal_to_missing_rows():
    """Rows that are not there and rows of NaN are the same gap."""
    rng, time, field, noise = noisy(4)
    total = field + noise + cyclotron_packet(rng, time, field, PROTON, 1.0)
    holes = total.copy()
    holes[4000:4300] = np.nan
    keep = np.isfinite(holes).all(axis=1)
    one = measure_windows(series(time, holes), ["H+"], DEFAULT)
    two = measure_windows(series(time[keep], total[keep]), ["H+"], DEFAULT)
    xr.testing.assert_identical(one, two)


def test_each_cadence_has_its_own_windows():
    rng, time, field, noise = noisy(5)
    later = time[-1] + 1.0 + np.arange(1500) * 1.0
    both = np.concatenate([time, later])
    b = np.concatenate([field + noise, np.tile([0.0, 0.0, 5.0], (1500, 1)) + 0.1 * rng.standard_normal((1500, 3))])
    windows = measure_windows(series(both, b), ["H+"], DEFAULT)
    assert np.unique(windows.stretch.values).tolist() == [0, 1]
    assert (np.diff(windows.time.values) > np.timedelta64(0)).all()


def test_refused_species_have_reasons():
    _, time, field, noise = noisy(6, cadence=1.0, duration=3000.0)
    windows = measure_windows(series(time, field + noise), ["H+", "He+", "SO2+"], DEFAULT)
    refused = json.loads(windows.attrs["refused"])
    assert list(refused) == ["H+", "SO2+"]
    assert "cadence of 1 s" in refused["H+"]
    assert "longest" in refused["SO2+"] or "longest part" in refused["SO2+"]
    assert (windows.rejection.sel(species="H+").values & int(Rejection.UNRESOLVED) != 0).all()
    assert not windows.detected.sel(species="H+").any()


def test_refusal_of_all_species_is_an_error_with_all_reasons():
    _, time, field, noise = noisy(7, cadence=5.0, duration=6000.0)
    with pytest.raises(DataError, match=r"(?s)H\+.*H2\+"):
        measure_windows(series(time, field + noise), ["H+", "H2+"], DEFAULT)


def test_series_shorter_than_a_window_says_how_long_it_is():
    _, time, field, noise = noisy(8, duration=70.0)
    with pytest.raises(DataError, match=r"need 205 s.*has 70 s"):
        measure_windows(series(time, field + noise), ["H+"], DEFAULT)
    with pytest.raises(DataError, match=r"holds 20 s"):
        measure_windows(series(time[:200], (field + noise)[:200]), ["H+"], DEFAULT)


def test_position_is_carried_and_not_extrapolated():
    _, time, field, noise = noisy(9)
    place = np.outer(time, [1.0, 2.0, 2.0])
    place[:3000] = np.nan
    windows = measure_windows(series(time, field + noise, position=(("time", "component"), place)), ["H+"], DEFAULT)
    seconds = (windows.time.values - START) / np.timedelta64(1, "s")
    known = seconds > 300.0
    np.testing.assert_allclose(windows.radial_distance.values[known], 3.0 * seconds[known])
    assert np.isnan(windows.position.values[seconds < 299.0]).all()


def test_no_species_is_an_error():
    _, time, field, noise = noisy(9, duration=200.0)
    with pytest.raises(DataError, match="no species"):
        measure_windows(series(time, field + noise), [], DEFAULT)


@settings(max_examples=20)
@given(
    seed=st.integers(0, 10**6),
    length=st.integers(2, 4000),
    cadence=st.sampled_from([0.1, 0.4, 1.0]),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.3)), max_size=4),
    strength=st.sampled_from([0.0, 5.0, 40.0, 400.0]),
    steady=st.booleans(),
)
def test_any_series_gives_a_clear_error_or_finite_detections(seed, length, cadence, cuts, strength, steady):
    rng = np.random.default_rng(seed)
    time = np.arange(length) * cadence
    field = np.tile([0.0, 0.6 * strength, 0.8 * strength], (length, 1))
    if strength:
        field = field + cyclotron_packet(rng, time, field, PROTON, 0.05 * strength)
    field = field + (1e-3 if steady else 0.1) * rng.standard_normal((length, 3))
    for where, share in cuts:
        field[int(where * length) : int((where + share) * length)] = np.nan
    try:
        windows = reject_lonely_windows(measure_windows(series(time, field), ["H+", "He+", "O-"], DEFAULT), DEFAULT)
    except SiderionError:
        return  # what the messages say is tested above
    found = windows.detected.values
    for name in ("power_perpendicular", "power_parallel", "background", "signal_to_noise", "ellipticity", "polarization_degree",
                 "polarization_degree_3d", "peak_frequency", "gyrofrequency", "planarity", "degrees_of_freedom"):  # fmt: skip
        assert np.isfinite(windows[name].values[found]).all(), name
    assert not found[:, 2].any()  # the wave is left-handed, O- would be right-handed
    assert (windows.coverage.values[found] >= 0.6).all()


@pytest.mark.parametrize("strength", [20.0, 98.7654321])
def test_constant_field_gives_no_detection(strength):
    field = np.tile(strength * np.array([0.36, 0.48, 0.8]), (15000, 1))
    windows = measure_windows(series(np.arange(15000) * 0.1, field), ["He+", "Cl-", "SO2+"], DEFAULT)
    assert not windows.detected.any()


def test_zero_field_is_an_error():
    with pytest.raises(DataError, match="zero"):
        measure_windows(series(np.arange(15000) * 0.1, np.zeros((15000, 3))), ["H+"], DEFAULT)


def test_smooth_field_without_noise_does_not_divide_by_zero():
    time = np.arange(4096.0)
    field = np.tile([0.0, 3.0, 4.0], (4096, 1))
    field += cyclotron_packet(np.random.default_rng(0), time, field, PROTON, 0.25)
    assert measure_windows(series(time, field), ["H+", "He+"], DEFAULT).sizes["time"] > 5


def test_fewest_allowed_periods_still_have_a_background():
    _, time, field, noise = noisy(30)
    settings = DetectionSettings.make({"windows": {"periods_per_segment": 5}})
    strength = 2.0 * np.pi * 5.9 / 12.8 / PROTON * 1e9  # fc is 5.9 frequencies of 12.8-s segments
    windows = measure_windows(series(time, field / 25.0 * strength + noise), ["H+"], settings)
    assert np.isfinite(windows.signal_to_noise.values[5:-5]).all()


def test_too_few_frequencies_in_the_band_are_the_reason():
    _, time, field, noise = noisy(30)
    settings = DetectionSettings.make({"windows": {"periods_per_segment": 5}})
    strength = 2.0 * np.pi * 5.2 / 12.8 / PROTON * 1e9
    with pytest.raises(DataError, match=r"2 frequencies.*periods_per_segment"):
        measure_windows(series(time, field / 25.0 * strength + noise), ["H+"], settings)
