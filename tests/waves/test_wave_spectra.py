"""Spectra: Parseval, levels, slopes and scatter of noise, and the shared transforms against a window at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_waves import coloured_noise

from siderion.core.errors import DataError
from siderion.waves.plans import SegmentPlan, make_plan
from siderion.waves.polarization import field_aligned_axes
from siderion.waves.settings import SpectrumSettings, WindowSettings
from siderion.waves.spectra import cross_spectra, independent_averages, independent_bins, tapers, window_spectra

WELCH = SpectrumSettings()
MULTITAPER = SpectrumSettings(estimator="multitaper")
BOTH = pytest.mark.parametrize("estimator", [WELCH, MULTITAPER], ids=["welch", "multitaper"])


def every(length):
    return slice(0, length // 2 + 1)


@BOTH
@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), length=st.sampled_from([16, 64, 256]), cadence=st.floats(0.01, 5.0))
def test_parseval(estimator, seed, length, cadence):
    """The sum over all frequencies is the mean square of the detrended, tapered samples, to round-off."""
    field = np.random.default_rng(seed).standard_normal((3, 3 * length))
    spectra, whole = cross_spectra(field, cadence, length, length, 0, 3, every(length), estimator)
    assert whole.all()
    total = spectra.sum(axis=1) / (length * cadence)
    x = np.arange(length)
    for k in range(3):
        piece = field[:, k * length : (k + 1) * length]
        residual = np.stack([row - np.polyval(np.polyfit(x, row, 1), x) for row in piece])
        tapered = residual[None] * tapers(length, estimator)[:, None]
        square = np.einsum("tin,tjn->ij", tapered, tapered) / length / len(tapered)
        np.testing.assert_allclose(total[k, :3], np.diag(square), rtol=1e-12)
        np.testing.assert_allclose(total[k, 3:6], square[[0, 0, 1], [1, 2, 2]], atol=1e-12)


@BOTH
def test_tapers_have_a_mean_square_of_one(estimator):
    weights = tapers(128, estimator)
    np.testing.assert_allclose(np.mean(weights**2, axis=1), 1.0)
    assert len(weights) == (1 if estimator is WELCH else 3)


@BOTH
def test_level_of_white_noise(estimator):
    """Unit variance over the Nyquist band 1/(2 dt): one-sided density 2 dt, within four standard errors of the mean."""
    cadence, length, count = 0.25, 64, 2000
    field = np.random.default_rng(2).standard_normal((3, length * count))
    spectra, _ = cross_spectra(field, cadence, length, length, 0, count, slice(4, 29), estimator)
    powers = spectra[:, :, :3] / (2.0 * cadence)
    independent = count * 3 * 25 / (2.0 if estimator is WELCH else 1.3)
    assert powers.mean() == pytest.approx(1.0, abs=4.0 / np.sqrt(independent))


@pytest.mark.parametrize(("estimator", "slope"), [(WELCH, 0.0), (WELCH, 5.0 / 3.0), (WELCH, 2.5), (MULTITAPER, 5.0 / 3.0)])
def test_slope_and_level_of_coloured_noise(estimator, slope):
    """The generator shares no code; the law is met where neither the corner nor leakage reach."""
    rng, cadence, length = np.random.default_rng(3), 0.1, 512
    field = coloured_noise(rng, 400 * length, cadence, slope, 1e-2, 1.0, corner=0.02).T
    spectra, _ = cross_spectra(np.ascontiguousarray(field), cadence, length, length // 2, 0, 798, every(length), estimator)
    frequency = np.fft.rfftfreq(length, cadence)
    good = (frequency > 0.25) & (frequency < 3.0)
    mean = spectra[:, good, :3].mean(axis=(0, 2))
    found, level = np.polyfit(np.log(frequency[good]), np.log(mean), 1)
    assert found == pytest.approx(-slope, abs=0.02)
    assert np.exp(level) == pytest.approx(1e-2, rel=0.02)


@pytest.mark.parametrize("number", [1, 3, 7, 15])
def test_scatter_of_an_averaged_density(number):
    """Relative variance of the mean over half-overlapping Hann segments is one over the independent averages."""
    trials, length = 2000, 64
    samples = (number + 1) * length // 2
    field = np.random.default_rng(4).standard_normal((3, trials * samples))
    means = []
    spectra, _ = cross_spectra(field, 1.0, length, length // 2, 0, trials * (number + 1) - 1, slice(10, 11), WELCH)
    for k in range(trials):
        means.append(spectra[k * (number + 1) : k * (number + 1) + number, 0, :3].mean(axis=0))
    means = np.array(means) / 2.0
    assert means.mean() == pytest.approx(1.0, abs=4.0 / np.sqrt(3 * trials * number))
    expected = float(independent_averages(np.array([number]), WELCH)[0])
    # the standard error of a variance of a nearly normal sample is sqrt(2/n), somewhat larger for an exponential one
    assert 1.0 / means.var() == pytest.approx(expected, rel=4.0 * np.sqrt(8.0 / (3 * trials)))


@pytest.mark.parametrize("bins", [1, 2, 3, 6, 12])
def test_scatter_of_a_band(bins):
    """Relative variance of the sum over neighbouring frequencies of single Hann segments."""
    trials, length = 6000, 64
    field = np.random.default_rng(5).standard_normal((3, trials * length))
    spectra, _ = cross_spectra(field, 1.0, length, length, 0, trials, slice(8, 8 + bins), WELCH)
    band = spectra[:, :, :3].mean(axis=1) / 2.0
    expected = float(independent_bins(np.array([bins]), WELCH)[0])
    assert 1.0 / band.var() == pytest.approx(expected, rel=4.0 * np.sqrt(8.0 / (3 * trials)))


def naive(field, cadence, plan, window, bins, estimator):
    """One window by itself: turn its samples, cut, detrend, taper, transform, average. Segments with a gap are left out."""
    start = window * plan.step + plan.step // 2 - plan.window // 2
    piece = field[:, start : start + plan.window]
    axes = field_aligned_axes(np.nanmean(piece, axis=1))
    turned = axes @ piece
    x, number, total = np.arange(plan.length), 0, 0.0
    for k in range(plan.count):
        segment = turned[:, k * plan.length // 2 : k * plan.length // 2 + plan.length]
        if not np.isfinite(segment).all():
            continue
        number += 1
        design = np.stack([np.ones(plan.length), x - x.mean()], axis=1)
        residual = segment - (design @ np.linalg.lstsq(design, segment.T, rcond=None)[0]).T
        weights = tapers(plan.length, estimator)
        for taper in weights:
            transform = np.fft.rfft(residual * taper, axis=1)[:, bins]
            total = total + 2.0 * cadence / plan.length / len(weights) * np.einsum("if,jf->fij", transform, transform.conj())
    return total / number if number else np.full((bins.stop - bins.start, 3, 3), np.nan), number


def disturbed_field(rng, samples, gaps=()):
    turn = 0.3 * np.sin(np.arange(samples) / 90.0)
    mean = 20e-9 * np.stack([np.cos(turn), np.sin(turn), 0.4 + 0.1 * turn])
    field = mean + 1e-9 * rng.standard_normal((3, samples))
    for a, b in gaps:
        field[:, a:b] = np.nan
    return field


@BOTH
@pytest.mark.parametrize(
    "plan", [SegmentPlan(64, 32, 1, 7, 32), SegmentPlan(64, 16, 2, 9, 16), SegmentPlan(32, 16, 1, 5, 64)], ids=str
)
@pytest.mark.parametrize("gaps", [(), ((500, 501), (777, 790), (1000, 1400))], ids=["whole", "gaps"])
def test_shared_transforms_equal_a_window_at_a_time(estimator, plan, gaps):
    field = disturbed_field(np.random.default_rng(6), 2000, gaps)
    windows = np.arange(2000 // plan.step)
    windows = windows[plan.fits(windows, 2000)]
    bins = slice(2, 20 if plan.length == 64 else 12)
    spectra = window_spectra(field, 0.5, plan, windows, bins, estimator)
    assert len(windows) > 20
    for k, window in enumerate(windows):
        start = window * plan.step + plan.step // 2 - plan.window // 2
        if not np.isfinite(field[0, start : start + plan.window]).any():
            assert spectra.coverage[k] == 0.0
            continue
        expected, number = naive(field, 0.5, plan, window, bins, estimator)
        assert spectra.coverage[k] == pytest.approx(number / plan.count)
        scale = np.nanmax(np.abs(expected)) if number else 1.0
        np.testing.assert_allclose(spectra.matrices[k], expected, rtol=0, atol=1e-12 * scale)
        strength = np.linalg.norm(field[:, start : start + plan.window], axis=0)
        assert spectra.strength[k] == pytest.approx(np.nanmean(strength), rel=1e-12)
        assert spectra.strength_spread[k] == pytest.approx(np.nanstd(strength), rel=1e-9)


def test_scattered_windows_equal_neighbouring_ones():
    """Windows that are asked for alone, or far apart, are the same as in a run."""
    field = disturbed_field(np.random.default_rng(7), 6000)
    plan = SegmentPlan(64, 32, 1, 7, 32)
    windows = np.arange(6000 // 32)
    windows = windows[plan.fits(windows, 6000)]
    all_of_them = window_spectra(field, 0.5, plan, windows, slice(1, 30), WELCH)
    some = np.array([3, 90, 91, 170])
    few = window_spectra(field, 0.5, plan, windows[some], slice(1, 30), WELCH)
    np.testing.assert_array_equal(few.matrices, all_of_them.matrices[some])


@settings(max_examples=10)
@given(place=st.integers(300, 1500), width=st.integers(1, 60), value=st.floats(-1e-6, 1e-6))
def test_nothing_beyond_a_gap_reaches_a_segment(place, width, value):
    """A wild value beside a gap changes only windows that hold that very sample; the gap is not bridged."""
    plan = SegmentPlan(64, 32, 1, 7, 32)
    field = disturbed_field(np.random.default_rng(8), 2000, ((place, place + width),))
    other = field.copy()
    other[:, place + width] = value
    windows = np.arange(2000 // plan.step)
    windows = windows[plan.fits(windows, 2000)]
    one, two = (window_spectra(f, 0.5, plan, windows, slice(1, 20), WELCH) for f in (field, other))
    start = windows * plan.step + plan.step // 2 - plan.window // 2
    holds = (start <= place + width) & (place + width < start + plan.window)
    np.testing.assert_array_equal(one.matrices[~holds], two.matrices[~holds])
    np.testing.assert_array_equal(one.coverage, two.coverage)
    segments = start[:, None] + 32 * np.arange(plan.count)
    broken = (segments < place + width) & (segments + plan.length > place)
    np.testing.assert_allclose(one.coverage, 1.0 - broken.mean(axis=1))


def test_windows_beyond_the_samples_are_refused():
    plan = make_plan(64, 32, 0.5, WindowSettings(shortest=10.0))
    with pytest.raises(DataError, match="beyond the samples"):
        window_spectra(np.ones((3, 500)), 0.5, plan, np.array([0]), slice(1, 10), WELCH)


@pytest.mark.parametrize(
    "bandwidth",
    [1.5, 4.0, 7.9, 8.0],
)
def test_every_allowed_time_bandwidth_works(bandwidth):
    estimator = SpectrumSettings(estimator="multitaper", time_bandwidth=bandwidth)
    averages = independent_averages(np.array([0, 1, 7]), estimator)
    assert averages[0] == 0.0
    assert averages[1] == len(tapers(64, estimator))
    assert averages[2] == 4.0 * averages[1]
