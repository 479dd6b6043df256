"""Lines of fixed frequency: found where they stand in every field, not made of noise or of waves that follow the field."""

import numpy as np
import pytest
from scipy import constants
from synthetic_waves import coloured_noise, cyclotron_packet, rotating_spin_tones

from siderion.waves.lines import FixedLine, find_fixed_lines, free_frequencies
from siderion.waves.series import Stretch
from siderion.waves.settings import RejectionSettings

CADENCE = 0.25
HELIUM = constants.elementary_charge / (4.0 * constants.atomic_mass)
DEFAULT = RejectionSettings()


def scene(seed, variation=0.3, duration=8000.0):
    rng = np.random.default_rng(seed)
    time = np.arange(0.0, duration, CADENCE)
    field = np.outer(30.0 * (1.0 + variation * np.sin(2.0 * np.pi * time / 5000.0)), [0.48, 0.6, 0.64])
    return rng, time, field, coloured_noise(rng, time.size, CADENCE, 5 / 3, 1e-3, 0.1, corner=0.003)


def stretch(total):
    number = np.arange(len(total))
    times = np.round(number * CADENCE * 1e9).astype(np.int64)
    return Stretch(np.datetime64("2020-01-01", "ns"), times, number, np.ascontiguousarray(total.T) * 1e-9, CADENCE)


def frequencies(lines):
    return np.array([line.frequency for line in lines])


@pytest.mark.parametrize("seed", [1, 2])
def test_tones_are_masked(seed):
    rng, time, field, noise = scene(seed)
    tones = rotating_spin_tones(rng, time, field, 0.3, fundamental=0.0525, harmonics=(1, 2, 3, 4), decay=0.7)
    lines = find_fixed_lines([stretch(field + noise + tones)], DEFAULT)
    for harmonic in range(1, 5):
        assert any(abs(line.frequency - 0.0525 * harmonic) <= line.half_width for line in lines)
    assert all("|B| changes by a factor of" in line.reason for line in lines)


def test_fundamental_is_right_to_its_own_uncertainty():
    """Harmonics 5 to 8 of the spin, which carry no power here, stand inside their masks."""
    rng, time, field, noise = scene(2)
    tones = rotating_spin_tones(rng, time, field, 0.3, fundamental=0.0525, harmonics=(1, 2, 3, 4), decay=0.7)
    lines = find_fixed_lines([stretch(field + noise + tones)], DEFAULT)
    for harmonic in range(5, 9):
        assert any(abs(line.frequency - 0.0525 * harmonic) <= line.half_width for line in lines)


def test_noise_makes_no_spin_and_hardly_a_line():
    """Four robust deviations among 300 frequencies of eight series: chance makes few, and none that repeats."""
    found = [find_fixed_lines([stretch(np.add(*scene(seed)[2:]))], DEFAULT) for seed in range(10, 18)]
    assert not any("harmonic" in line.reason for lines in found for line in lines)
    assert sum(map(len, found)) <= 4


def test_wave_that_follows_the_field_is_no_line():
    rng, time, field, noise = scene(3)
    wave = cyclotron_packet(rng, time, field, HELIUM, 0.5, coherence_time=200.0)
    fc = HELIUM * 30e-9 / (2.0 * np.pi)
    lines = find_fixed_lines([stretch(field + noise + wave)], DEFAULT)
    assert not any(0.7 * fc < line.frequency < 1.3 * fc for line in lines)


def test_steady_field_tells_nothing():
    rng, time, field, noise = scene(4, variation=0.0)
    tones = rotating_spin_tones(rng, time, field, 0.5, fundamental=0.0525)
    assert find_fixed_lines([stretch(field + noise + tones)], DEFAULT) == []


def test_given_spin_is_masked_whatever_the_data():
    settings = RejectionSettings(spin_period=20.0, fixed_lines=False)
    lines = find_fixed_lines([stretch(np.add(*scene(5)[2:]))], settings)
    np.testing.assert_allclose(frequencies(lines), 0.05 * np.arange(1, len(lines) + 1))
    assert lines[-1].frequency <= 0.5 / CADENCE
    assert lines[0].reason == "harmonic 1 of the spin of 20 s"


def test_short_series_has_no_lines():
    rng, time, field, noise = scene(6, duration=900.0)
    tones = rotating_spin_tones(rng, time, field, 2.0)
    assert find_fixed_lines([stretch(field + noise + tones)], DEFAULT) == []
    assert find_fixed_lines([], DEFAULT) == []


def test_gaps_do_not_hide_a_line():
    rng, time, field, noise = scene(7)
    total = field + noise + rotating_spin_tones(rng, time, field, 0.3, fundamental=0.0525, harmonics=(1, 2, 3, 4), decay=0.7)
    total[5000:5400] = np.nan
    total[20000:22000] = np.nan
    assert np.abs(frequencies(find_fixed_lines([stretch(total)], DEFAULT)) - 0.0525).min() < 0.003


def test_free_frequencies_are_those_that_no_line_touches():
    frequency = np.arange(1, 11) * 0.01
    free = free_frequencies(frequency, 0.01, [FixedLine(0.05, 0.001, "")])
    np.testing.assert_array_equal(np.flatnonzero(~free), [4])  # 0.0085 Hz to either side
    assert free_frequencies(frequency, 0.01, []).all()
