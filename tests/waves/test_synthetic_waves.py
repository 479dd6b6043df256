"""The synthetic waves are what they say: checked in the time domain and with a plain periodogram."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import constants, stats
from synthetic_waves import (
    anisotropy_wave,
    coloured_noise,
    cyclotron_packet,
    foreshock_train,
    gaussian_envelope,
    mirror_modes,
    random_walk_phase,
    right_hand_wave,
    rotating_spin_tones,
    tukey_envelope,
    turn_vectors,
)

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "validation"))
from synthetic_mercury import RADIUS, MissionSettings, WaveSpecies, in_solar_wind, mission, orbit_position

PROTON = constants.elementary_charge / constants.proton_mass
CADENCE = 0.05
DIRECTIONS = [(0, 0, 1), (0, 0, -1), (1, 0, 0), (0, -1, 0), (0.6, 0, 0.8), (-1, 2, -3)]


def steady(time, direction, strength=25.0):
    unit = np.asarray(direction, dtype=float) / np.linalg.norm(direction)
    return np.tile(strength * unit, (time.size, 1))


def turning_sense(wave, field):
    """Mean of (w x dw/dt) . b over w^2: the signed angular frequency about the field, rad/s, of a circular wave."""
    unit = field / np.linalg.norm(field, axis=1, keepdims=True)
    change = np.gradient(wave, CADENCE, axis=0)
    area = np.einsum("ij,ij->i", np.cross(wave, change), unit)
    return area.mean() / np.mean(np.sum(wave**2, axis=1))


def transverse_square(wave, field):
    unit = field / np.linalg.norm(field, axis=1, keepdims=True)
    along = np.einsum("ij,ij->i", wave, unit)
    return np.sum(wave**2, axis=1) - along**2, along


def crossing_frequency(signal, time):
    """Frequency from the first to the last upward crossing of zero."""
    upward = np.flatnonzero((signal[:-1] < 0) & (signal[1:] >= 0))
    return (upward.size - 1) / (time[upward[-1]] - time[upward[0]])


@pytest.mark.parametrize(("slope", "corner"), [(0.0, 0.05), (5.0 / 3.0, 0.05), (2.5, 0.2)])
def test_noise_density_follows_the_law(slope, corner):
    """Mean of Hann periodograms; their standard error is 1/sqrt(number) of the value, a Hann leak is below 1 % here."""
    rng = np.random.default_rng(1)
    n, pieces = 4096, 120
    window = np.hanning(n + 1)[:-1]
    power = np.zeros(n // 2 + 1)
    for _ in range(pieces):
        noise = coloured_noise(rng, n, CADENCE, slope, 0.3, 0.1, corner=corner)
        spectrum = np.fft.rfft(noise * window[:, None], axis=0)
        power += 2.0 * CADENCE * np.mean(np.abs(spectrum) ** 2, axis=1) / np.sum(window**2) / pieces
    frequency = np.fft.rfftfreq(n, CADENCE)
    expected = 0.3 * (np.maximum(frequency, corner) / 0.1) ** -slope
    ratio = power / expected
    for low, high in [(0.01, 0.04), (0.06, 0.15), (0.3, 1.0), (1.0, 5.0), (5.0, 9.9)]:
        band = (frequency >= low) & (frequency < high)
        error = 1.0 / np.sqrt(3 * pieces * band.sum() / 1.95)  # neighbouring Hann bins are correlated
        assert ratio[band].mean() == pytest.approx(1.0, abs=4.0 * error + 0.01)


def test_noise_variance_is_the_integral_of_its_density():
    """White: variance is density times the Nyquist frequency."""
    noise = coloured_noise(np.random.default_rng(2), 200_000, CADENCE, 0.0, 0.5, 1.0)
    assert noise.var(axis=0) == pytest.approx(np.full(3, 0.5 * 10.0), rel=0.02)


def test_noise_is_gaussian_independent_and_not_periodic():
    rng = np.random.default_rng(3)
    white = coloured_noise(rng, 20_000, CADENCE, 0.0, 1.0, 1.0)
    assert stats.kstest(white[:, 0] / white[:, 0].std(), "norm").pvalue > 1e-3
    assert abs(stats.kurtosis(white[:, 1])) < 5.0 * np.sqrt(24.0 / 20_000)
    assert np.abs(np.corrcoef(white.T) - np.eye(3)).max() < 5.0 / np.sqrt(20_000)
    steep = [coloured_noise(rng, 2000, CADENCE, 2.0, 1.0, 1.0) for _ in range(40)]
    jump = np.mean([(piece[-1] - piece[0]) ** 2 for piece in steep])
    step = np.mean([np.diff(piece, axis=0) ** 2 for piece in steep])
    assert jump > 100.0 * step  # ends of a periodic record would meet


def test_same_seed_same_noise():
    first, second = (coloured_noise(np.random.default_rng(4), 100, CADENCE, 1.0, 1.0, 1.0) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("handedness", [-1, 1])
def test_sense_and_frequency_about_the_field(direction, handedness):
    """A circular wave turns at handedness times the gyrofrequency q B / m about B, for any direction and both signs of B."""
    time = np.arange(4000) * CADENCE
    field = steady(time, direction)
    wave = cyclotron_packet(np.random.default_rng(5), time, field, PROTON, 0.2, handedness=handedness)
    assert turning_sense(wave, field) == pytest.approx(handedness * PROTON * 25e-9, rel=0.005)  # finite difference: 0.3 %
    square, along = transverse_square(wave, field)
    np.testing.assert_allclose(square, 0.04, rtol=1e-12)
    np.testing.assert_allclose(along, 0.0, atol=1e-13)


def test_left_hand_is_the_gyration_of_a_positive_ion():
    """Field along +z: the integrated motion dv/dt = (q/m) v x B turns the same way as the wave."""
    time = np.arange(400) * CADENCE
    field = steady(time, (0, 0, 1))
    wave = cyclotron_packet(np.random.default_rng(6), time, field, PROTON, 1.0)
    force = np.cross(wave, field) * 1e-9 * PROTON
    change = np.gradient(wave, CADENCE, axis=0)
    assert np.sum(force[5:-5] * change[5:-5]) > 0.99 * np.sum(force[5:-5] ** 2)


@given(
    angle=st.floats(0.0, 80.0),
    ratio=st.floats(0.0, 1.0),
    handedness=st.sampled_from([-1, 1]),
    direction=st.tuples(*[st.floats(-1.0, 1.0)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1),
    seed=st.integers(0, 1000),
)
def test_oblique_elliptical_waves(angle, ratio, handedness, direction, seed):
    """Transverse mean square over whole periods is delta_b squared; the wave stays in a plane; axes have the ratio asked for."""
    time = np.arange(2000) * CADENCE
    field = steady(time, direction)
    wave = cyclotron_packet(
        np.random.default_rng(seed),
        time,
        field,
        2.0 * np.pi * 0.4 / 25e-9,  # 40 whole periods
        0.3,
        wave_normal_angle=angle,
        ellipticity=ratio,
        handedness=handedness,
    )
    square, _ = transverse_square(wave, field)
    assert square.mean() == pytest.approx(0.09, rel=1e-9)
    sizes, directions = np.linalg.eigh(wave.T @ wave)
    assert sizes[0] == pytest.approx(0.0, abs=1e-9 * sizes[2])
    assert np.sqrt(max(sizes[1], 0.0) / sizes[2]) == pytest.approx(ratio, abs=1e-4)
    if ratio > 0.1:
        unit = field[0] / np.linalg.norm(field[0])
        assert np.degrees(np.arccos(min(abs(directions[:, 0] @ unit), 1.0))) == pytest.approx(angle, abs=0.01)
        assert np.sign(turning_sense(wave, field)) == handedness


def test_wave_follows_a_field_that_turns_and_grows():
    time = np.arange(8000) * CADENCE
    angle = np.radians(60.0) * time / time[-1]
    strength = 20.0 + 20.0 * time / time[-1]
    field = strength[:, None] * np.column_stack([np.cos(angle), np.sin(angle), 0.3 * np.ones_like(angle)]) / np.sqrt(1.09)
    rng = np.random.default_rng(7)
    wave = cyclotron_packet(rng, time, field, PROTON, 0.2)
    square, along = transverse_square(wave, field)
    np.testing.assert_allclose(square, 0.04, rtol=1e-10)
    np.testing.assert_allclose(along, 0.0, atol=1e-12)
    for part in (slice(0, 1000), slice(-1000, None)):
        expected = PROTON * 1e-9 * strength[part].mean()
        assert turning_sense(wave[part], field[part]) == pytest.approx(-expected, rel=0.02)
    fixed = cyclotron_packet(rng, time, field, PROTON, 0.2, follow_field=False)
    for part in (slice(0, 1000), slice(-1000, None)):
        assert turning_sense(fixed[part], field[part]) == pytest.approx(-PROTON * 1e-9 * strength.mean(), rel=0.02)


def test_frequency_ratio_and_offset():
    time = np.arange(8000) * CADENCE
    field = steady(time, (1, 1, 1))
    wave = cyclotron_packet(np.random.default_rng(8), time, field, PROTON, 0.2, frequency_ratio=0.6, frequency_offset=0.05)
    expected = 0.6 * PROTON * 25e-9 / (2 * np.pi) + 0.05
    assert crossing_frequency(wave[:, 0], time) == pytest.approx(expected, rel=1e-3)
    lower = anisotropy_wave(np.random.default_rng(8), time, field, PROTON, 0.2)
    ratio = crossing_frequency(lower[:, 0], time) / (PROTON * 25e-9 / (2 * np.pi))
    assert 0.5 <= ratio <= 0.7


def test_field_that_turns_over_is_refused():
    time = np.arange(100) * CADENCE
    field = steady(time, (0, 0, 1))
    field[0, 2] *= -1.0
    with pytest.raises(ValueError, match="sample 0: the field is turned by 180 degrees"):
        cyclotron_packet(np.random.default_rng(0), time, field, PROTON, 0.2)
    with pytest.raises(ValueError, match="handedness 0"):
        cyclotron_packet(np.random.default_rng(0), time, abs(field), PROTON, 0.2, handedness=0)


def test_turning_is_a_rotation():
    rng = np.random.default_rng(9)
    start = np.array([0.0, 0.6, 0.8])
    ends = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.6, 0.8]])
    vectors = rng.standard_normal((3, 3))
    turned = turn_vectors(vectors, start, ends)
    np.testing.assert_allclose(np.sum(turned**2, axis=1), np.sum(vectors**2, axis=1), rtol=1e-13)
    np.testing.assert_allclose(turned[2], vectors[2], atol=1e-15)
    np.testing.assert_allclose(turn_vectors(np.tile(start, (3, 1)), start, ends), ends, atol=1e-15)


@pytest.mark.parametrize("coherence", [2.0, 10.0])
def test_coherence_decays_exponentially(coherence):
    """|<exp(i(phase(t + lag) - phase(t)))>| = exp(-lag / coherence time)."""
    time = np.arange(400_000) * CADENCE
    phasor = np.exp(1j * random_walk_phase(np.random.default_rng(10), time, coherence))
    for lag in (0.5, 1.0):
        shift = round(lag * coherence / CADENCE)
        measured = np.mean(phasor[shift:] * np.conj(phasor[:-shift])).real
        assert measured == pytest.approx(np.exp(-lag), abs=4.0 * np.sqrt(2.0 * coherence / time[-1]))


@pytest.mark.parametrize("envelope", ["gauss", "tukey"])
def test_envelopes(envelope):
    """Mean square over the duration is delta_b squared, or the peak is delta_b; nothing outside."""
    time = np.arange(20_001) * CADENCE
    field = steady(time, (0, 1, 0))
    options = {"envelope": envelope, "centre": 400.0, "duration": 300.0}
    wave = cyclotron_packet(np.random.default_rng(11), time, field, PROTON, 0.2, **options)
    square, _ = transverse_square(wave, field)
    inside = np.abs(time - 400.0) <= 150.0
    assert square[inside].mean() == pytest.approx(0.04, rel=1e-3)
    assert not square[~inside].any()
    peak = cyclotron_packet(np.random.default_rng(11), time, field, PROTON, 0.2, level="peak", **options)
    assert transverse_square(peak, field)[0].max() == pytest.approx(0.04, rel=1e-9)


def test_envelope_shapes():
    time = np.linspace(-1.0, 1.0, 2001)
    assert gaussian_envelope(time, 0.0, 1.0)[1000] == 1.0
    assert np.mean(tukey_envelope(time, 0.0, 1.0, taper=0.4) == 1.0) == pytest.approx(0.3, abs=0.002)


def test_ellipticity_spread_keeps_the_power():
    time = np.arange(4000) * CADENCE
    field = steady(time, (0, 0, 1))
    rng = np.random.default_rng(12)
    ratios = []
    for _ in range(60):
        wave = cyclotron_packet(rng, time, field, 2 * np.pi * 0.4 / 25e-9, 0.2, ellipticity=0.6, ellipticity_spread=0.1)
        assert np.mean(np.sum(wave**2, axis=1)) == pytest.approx(0.04, rel=1e-9)
        sizes = np.linalg.eigvalsh(wave.T @ wave)
        ratios.append(np.sqrt(sizes[1] / sizes[2]))
    assert np.mean(ratios) == pytest.approx(0.6, abs=4 * 0.1 / np.sqrt(60))
    assert np.std(ratios) == pytest.approx(0.1, rel=0.4)


def test_spin_tones_ignore_the_field_strength():
    time = np.arange(40_000) * CADENCE
    strength = np.linspace(20.0, 60.0, time.size)
    field = strength[:, None] * np.array([0.0, 0.6, 0.8])
    tone = rotating_spin_tones(np.random.default_rng(13), time, field, 0.1, harmonics=(2,))
    assert crossing_frequency(tone[:, 0], time) == pytest.approx(0.105, rel=1e-3)
    assert turning_sense(tone, field) == pytest.approx(-2 * np.pi * 0.105, rel=1e-3)
    np.testing.assert_allclose(np.sum(tone**2, axis=1), 0.01, rtol=1e-10)
    lines = rotating_spin_tones(np.random.default_rng(13), time, field, 0.1)
    assert np.mean(np.sum(lines**2, axis=1)) == pytest.approx(0.01 * (1 + 0.25 + 0.0625), rel=0.02)


def test_mirror_modes_are_compressive_and_linear():
    time = np.arange(20_000) * CADENCE
    field = steady(time, (1, 2, 2))
    wave = mirror_modes(np.random.default_rng(14), time, field, 0.3)
    _, along = transverse_square(wave, field)
    np.testing.assert_allclose(np.cross(wave, field), 0.0, atol=1e-12)
    assert along.min() == pytest.approx(-0.3 * 25.0, rel=0.01)
    assert along.max() <= 1e-12


def test_foreshock_train_and_right_hand_wave():
    time = np.arange(40_000) * CADENCE
    field = steady(time, (1, -1, 0.2), 10.0)
    train = foreshock_train(np.random.default_rng(15), time, field, 1.0, coherence_time=np.inf)
    period = 1.0 / crossing_frequency(train[:, 2], time)
    assert 20.0 <= period <= 30.0
    assert turning_sense(train, field) < 0.0
    square, along = transverse_square(train, field)
    assert square.mean() == pytest.approx(1.0, rel=0.02)
    sine, cosine = np.sin(np.radians(35.0)), np.cos(np.radians(35.0))
    assert np.mean(along**2) == pytest.approx(sine**2 / (1 + cosine**2), rel=0.02)  # circular about the wave normal
    right = right_hand_wave(np.random.default_rng(15), time, field, PROTON, 0.2)
    assert turning_sense(right, field) == pytest.approx(PROTON * 10e-9, rel=0.005)


SMALL_MISSION = MissionSettings(orbits=4, orbits_per_chunk=2, sampling_frequency=4.0)
SPECIES = [WaveSpecies("H+", 1.00728, lambda r: 1e8 * (2 * RADIUS / r), 0.3), WaveSpecies("He+", 4.0021, lambda r: 1e9 / r)]


def no_waves(species, radius, strength):
    return np.zeros_like(radius)


def strong_waves(species, radius, strength):
    return {"H+": 0.4, "He+": 0.2}[species] * (2 * RADIUS / radius) * (strength / 30.0)


def test_mission_orbit_and_field():
    """Radii between the lowest and the drawn highest, all beyond the shock, field within its limits, times at one cadence."""
    chunks = list(mission([], no_waves, SMALL_MISSION, seed=3))
    assert len(chunks) == 2
    for series, packets in chunks:
        assert packets.sizes["packet"] == 0
        position, step = series.position.values, np.diff(series.time.values)
        radius = np.linalg.norm(position, axis=1) / RADIUS
        assert radius.min() >= 1.2
        assert 5.9 < radius.max() <= 7.5
        assert in_solar_wind(position[::100], SMALL_MISSION).all()
        assert step.min() == np.timedelta64(250, "ms")
        assert 1 <= np.sum(step > step.min()) <= 3  # between the orbits, and where a flank of the shock is crossed
        minutes = series.magnetic_field.values[: len(radius) // 240 * 240].reshape(-1, 240, 3).mean(axis=1)
        strength = np.linalg.norm(minutes, axis=1)
        assert 12.0 < strength.min() < strength.max() < 50.0
    last, first = chunks[1][0].time.values[0], chunks[0][0].time.values[-1]
    assert last > first


def test_orbit_obeys_the_law_of_areas():
    """Angular momentum of the closed form is the same all round; the year turns the plane by less than 1e-3 of it."""
    settings = MissionSettings()
    time = np.arange(0.0, 43200.0, 10.0)
    position = orbit_position(time, 7.0, settings)
    radius = np.linalg.norm(position, axis=1)
    assert radius.min() / RADIUS == pytest.approx(1.2, rel=1e-9)
    assert radius.max() / RADIUS == pytest.approx(7.0, rel=1e-6)
    momentum = np.linalg.norm(np.cross(position[1:-1], (position[2:] - position[:-2]) / 20.0), axis=1)
    np.testing.assert_allclose(momentum, momentum[0], rtol=5e-3)


def test_mission_waves_are_as_given():
    """With and without waves, the same seed gives the same background: the difference is the waves, packet by packet."""
    quiet = mission(SPECIES, no_waves, SMALL_MISSION, seed=4)
    active = mission(SPECIES, strong_waves, SMALL_MISSION, seed=4)
    time_on = {"H+": 0.0, "He+": 0.0}
    samples = 0
    for (without, _), (with_waves, packets) in zip(quiet, active, strict=True):
        wave = with_waves.magnetic_field.values - without.magnetic_field.values
        samples += wave.shape[0]
        inside = np.zeros(wave.shape[0], dtype=bool)
        for i in range(packets.sizes["packet"]):
            packet = packets.isel(packet=i)
            name = str(packet.species.values)
            time_on[name] += float((packet.end - packet.start).values / np.timedelta64(1, "s"))
            part = slice(*np.searchsorted(with_waves.time.values, [packet.start.values, packet.end.values]))
            inside[part] = True
            radius = np.linalg.norm(with_waves.position.values[part], axis=1)
            assert radius.min() - 1.0 <= packet.radial_distance.item() <= radius.max() + 1.0
            expected = strong_waves(name, packet.radial_distance.values, packet.magnetic_field_strength.values)
            assert packet.delta_b.item() == pytest.approx(expected.item(), rel=1e-12)
            density = next(s for s in SPECIES if s.name == name).neutral_density(packet.radial_distance.values)
            assert packet.neutral_density.item() == pytest.approx(density.item(), rel=1e-12)
        assert not wave[~inside].any()
    assert time_on["H+"] / (samples / 4.0) == pytest.approx(0.3, abs=0.1)
    assert time_on["He+"] / (samples / 4.0) == pytest.approx(0.15, abs=0.08)


def test_mission_packet_has_amplitude_and_frequency():
    """One species: flat part of a packet has about delta_b squared of transverse power, at the gyrofrequency of its ion."""
    settings = MissionSettings(
        orbits=1,
        orbits_per_chunk=1,
        sampling_frequency=4.0,
        coherence_periods=np.inf,
        frequency_ratio=(1.0, 0.0),
        ellipticity_spread=0,
    )
    species = SPECIES[:1]
    (without, _), (with_waves, packets) = (
        next(mission(species, amplitude, settings, seed=5)) for amplitude in (no_waves, strong_waves)
    )
    wave = with_waves.magnetic_field.values - without.magnetic_field.values
    for i in range(packets.sizes["packet"]):
        packet = packets.isel(packet=i)
        middle = packet.start.values + (packet.end.values - packet.start.values) // 2
        part = slice(*np.searchsorted(without.time.values, [middle - np.timedelta64(50, "s"), middle + np.timedelta64(50, "s")]))
        field = np.tile(without.magnetic_field.values[part].mean(axis=0), (400, 1))
        square, _ = transverse_square(wave[part], field)
        assert square.mean() == pytest.approx(packet.delta_b.item() ** 2, rel=0.1)
        sense = turning_sense(wave[part], field) * CADENCE / 0.25
        gyration = 1.602177e-19 / (1.00728 * 1.660539e-27) * packet.magnetic_field_strength.item() * 1e-9
        # Central differences see sin(w h)/h; axes of ratio 0.9 sweep 2 * 0.9 / (1 + 0.81) of a circle.
        assert sense == pytest.approx(-np.sin(gyration * 0.25) / 0.25, rel=0.1)


def test_mission_chunks_stand_alone():
    """Any chunk, made alone, is the same as in the whole mission."""
    whole = list(mission(SPECIES, strong_waves, SMALL_MISSION, seed=6))
    alone = next(mission(SPECIES, strong_waves, SMALL_MISSION, seed=6, chunks=[1]))
    assert alone[0].identical(whole[1][0])
    assert alone[1].identical(whole[1][1])
