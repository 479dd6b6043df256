"""Lengths of segments and windows, ions, and reasons of refusal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import constants

from siderion.core.errors import CoverageError, SettingsError
from siderion.waves.plans import gyrofrequency, make_plan, refusal, segment_length, wave_ion, window_step
from siderion.waves.settings import DetectionSettings, WindowSettings


@pytest.mark.parametrize(
    ("name", "mass", "charge"), [("H+", 1.00784, 1), ("H2+", 2.01568, 1), ("He+", 4.002602, 1), ("He++", 4.002602, 2)]
)
def test_gyrofrequency_from_first_principles(name, mass, charge):
    """q B / (2 pi m), the ion lighter by its electrons."""
    kilograms = mass * constants.atomic_mass - charge * constants.electron_mass
    expected = charge * constants.elementary_charge * 20e-9 / (2.0 * np.pi * kilograms)
    assert gyrofrequency(wave_ion(name), np.array(20e-9)) == pytest.approx(expected, rel=3e-4)


def test_hands():
    assert wave_ion("Na+").handedness == -1
    assert wave_ion("Cl-").handedness == 1
    assert wave_ion("water group").handedness == -1


def test_water_group_reaches_from_o_to_h3o():
    group = wave_ion("water group")
    assert group.lightest.name == "O+"
    assert group.heaviest.name == "H3O+"
    low, high = group.spread
    assert low * high == pytest.approx(1.0)
    assert high / low == pytest.approx(19.02 / 16.0, rel=2e-3)


@pytest.mark.parametrize("name", ["H", "unobtainium+", "", "water"])
def test_what_is_no_ion_is_refused(name):
    with pytest.raises(CoverageError):
        wave_ion(name)


@given(
    frequency=st.floats(1e-3, 0.5),
    cadence=st.sampled_from([0.05, 1 / 3, 1.0]),
    periods=st.floats(5.0, 20.0),
    segments=st.integers(3, 30),
    shortest=st.floats(20.0, 400.0),
    step=st.floats(5.0, 200.0),
)
def test_plan_meets_its_settings(frequency, cadence, periods, segments, shortest, step):
    settings = WindowSettings(
        shortest=shortest, step=step, periods_per_segment=periods, segments=segments, longest=1e6, coverage=0.6
    )
    length = int(segment_length(np.array(frequency), cadence, settings))
    assert length & (length - 1) == 0
    assert periods <= length * cadence * frequency * (1 + 1e-9)
    assert length == 1 or length * cadence * frequency < 2.0 * periods * (1 + 1e-9)
    if length < 4:
        return
    plan = make_plan(length, window_step(settings, cadence), cadence, settings)
    assert plan.count >= segments
    assert plan.window * cadence >= shortest * (1 - 1e-9)
    assert plan.stride * plan.hop == length // 2
    assert plan.step % plan.hop == 0
    assert 0.7 <= plan.step * cadence / step <= 1.42 or plan.step == 2


@given(st.integers(4, 9), st.integers(1, 9), st.integers(3, 12), st.integers(0, 3000))
def test_windows_are_centred_in_their_cells(log_length, log_step, segments, samples):
    settings = WindowSettings(shortest=1.0, step=1.0, segments=segments)
    plan = make_plan(2**log_length, 2**log_step, 1.0, settings)
    windows = np.arange(samples // plan.step)
    begin = plan.offset + plan.first_segment(windows) * plan.hop
    centre = windows * plan.step + plan.step // 2
    np.testing.assert_array_equal(begin, centre - plan.window // 2)
    inside = (begin >= 0) & (begin + plan.window <= samples)
    np.testing.assert_array_equal(plan.fits(windows, samples), inside)


def test_length_of_no_frequency_is_zero():
    lengths = segment_length(np.array([np.nan, 0.0, np.inf, 0.5]), 0.1, WindowSettings())
    assert lengths.tolist()[:2] == [0, 0]
    assert lengths[3] == 256  # 10 periods of 2 s are 200 samples


def test_refusals_say_why():
    settings = DetectionSettings()
    assert refusal(wave_ion("H+"), 20e-9, 0.05, settings) == ""
    fast = refusal(wave_ion("H+"), 100e-9, 1 / 3, settings)
    assert "cadence" in fast
    assert "1.52 Hz" in fast
    slow = refusal(wave_ion("SO2+"), 2e-9, 1.0, settings)
    assert "longest" in slow
    with pytest.raises(SettingsError, match="positive"):
        refusal(wave_ion("H+"), 0.0, 1.0, settings)


@given(mass=st.sampled_from(["H+", "He+", "O+", "SO2+", "Cl-"]), strength=st.floats(0.5e-9, 2e-6), cadence=st.floats(0.01, 10.0))
def test_refusal_follows_its_two_rules(mass, strength, cadence):
    settings, ion = DetectionSettings(), wave_ion(mass)
    fc = float(gyrofrequency(ion, np.array(strength)))
    reason = refusal(ion, strength, cadence, settings)
    if 1.8 * fc > 0.4 / cadence:
        assert "cadence" in reason
    elif reason:
        assert "longest" in reason
        assert 20.0 / fc * 4.0 > 3600.0  # a segment is shorter than 20 periods, and a window of 7 is four segments
