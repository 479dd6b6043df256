"""Measures of a band on spectra that are known, and the reasons against."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siderion.waves.criteria import MEANINGS, Rejection, background_law, band_edges, empty_measures, judge, measure_band
from siderion.waves.plans import gyrofrequency, wave_ion
from siderion.waves.settings import CriteriaSettings, SpectrumSettings
from siderion.waves.spectra import WindowSpectra

ESTIMATOR = SpectrumSettings()
FREQUENCY = np.arange(1, 64) / 128.0  # Hz, 128-s segments
PROTON = wave_ion("H+")
STRENGTH = 0.15 / float(gyrofrequency(PROTON, np.array(1.0)))  # fc is 0.15 Hz, the 19.2th frequency


def spectra(lines=(), slope=1.5, level=1e-22, along=0.5, spread=0.01):
    """A power law of unpolarised power, and lines (frequency, power, hand, share along B)."""
    law = level * (FREQUENCY / 0.1) ** -slope
    matrices = np.zeros((1, len(FREQUENCY), 3, 3), dtype=complex)
    for k, factor in enumerate((1.0, 1.0, along)):
        matrices[0, :, k, k] = factor * law
    for frequency, power, hand, share in lines:
        shape = np.exp(-0.5 * ((FREQUENCY - frequency) / 0.008) ** 2)
        shape *= power / (shape.sum() / 128.0)
        a = np.array([1.0, -1j * hand, 0.0]) / np.sqrt(2.0)
        matrices[0] += shape[:, None, None] * (np.outer(a, a.conj()) + share * np.diag([0.0, 0.0, 1.0]))
    return WindowSpectra(
        FREQUENCY, 1 / 128.0, matrices, np.ones(1), np.array([[0.0, 0.0, STRENGTH]]), np.array([STRENGTH]),
        np.array([spread * STRENGTH]), np.array([1e4]),
    )  # fmt: skip


def verdict(spec, ion=PROTON, free=None, **changes):
    criteria = CriteriaSettings(**changes)
    mask = np.ones(len(FREQUENCY), dtype=bool) if free is None else free
    measures = measure_band(spec, ion, criteria, ESTIMATOR, mask)
    return measures, Rejection(int(judge(measures, spec, ion, criteria)[0]))


def test_wave_at_the_gyrofrequency_is_accepted_and_measured():
    measures, reasons = verdict(spectra([(0.15, 1e-20, -1, 0.0)]))
    assert reasons == Rejection(0)
    assert measures.ellipticity[0] == pytest.approx(-1.0, abs=1e-3)
    assert measures.peak_frequency[0] == pytest.approx(0.15, abs=0.001)
    assert (measures.power_perpendicular - measures.background)[0] == pytest.approx(1e-20, rel=0.02)
    inside = (FREQUENCY >= 0.8 * 0.15 * 0.99) & (FREQUENCY <= 0.15 * 1.01 + 1.5 / 128)
    assert measures.bins_in_band[0] == inside.sum()


def test_band_powers_are_sums_over_the_band():
    spec = spectra()
    measures, _ = verdict(spec)
    inside = (FREQUENCY >= 0.8 * 0.15 * 0.99) & (FREQUENCY <= 0.15 * 1.01 + 1.5 / 128)
    law = 1e-22 * (FREQUENCY[inside] / 0.1) ** -1.5
    assert measures.power_perpendicular[0] == pytest.approx(2.0 * law.sum() / 128)
    assert measures.power_parallel[0] == pytest.approx(0.5 * law.sum() / 128)
    assert measures.background[0] == pytest.approx(2.0 * law.sum() / 128, rel=1e-3)
    assert measures.signal_to_noise[0] == pytest.approx(0.0, abs=1e-3)
    assert measures.polarization_degree[0] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([(0.15, 1e-20, 1, 0.0)], Rejection.WRONG_HANDEDNESS),
        ([(0.15, 1e-20, 1, 0.0), (0.15, 1e-20, -1, 0.0)], Rejection.LOW_POLARIZATION),
        ([(0.15, 1e-20, -1, 1.5)], Rejection.COMPRESSIVE),
        ([(0.15, 3e-24, -1, 0.0)], Rejection.WEAK),
        ([(0.22, 1e-20, -1, 0.0)], Rejection.MAXIMUM_OUTSIDE_BAND),
        ([(0.09, 1e-20, -1, 0.0)], Rejection.BELOW_GYROFREQUENCY | Rejection.MAXIMUM_OUTSIDE_BAND),
    ],
)
def test_each_reason(lines, reason):
    assert verdict(spectra(lines))[1] & reason == reason


def test_right_hand_wave_below_the_band_is_not_called_ion_like():
    assert not verdict(spectra([(0.09, 1e-20, 1, 0.0)]))[1] & Rejection.BELOW_GYROFREQUENCY


def test_negative_ion_asks_for_the_other_hand():
    ion = wave_ion("H-")
    assert verdict(spectra([(0.15, 1e-20, 1, 0.0)]), ion)[1] == Rejection(0)
    assert verdict(spectra([(0.15, 1e-20, -1, 0.0)]), ion)[1] & Rejection.WRONG_HANDEDNESS


def test_unsteady_field_and_too_few_bins():
    assert verdict(spectra([(0.15, 1e-20, -1, 0.0)], spread=0.4))[1] & Rejection.FIELD_UNSTEADY
    assert verdict(spectra([(0.15, 1e-20, -1, 0.0)]), fewest_bins=9)[1] & Rejection.UNRESOLVED


def test_literal_band_cuts_a_wave_at_the_gyrofrequency():
    """In a steady field the band ends at fc, the middle of the line; its shape is that of `spectra`."""
    spec = spectra([(0.15, 1e-20, -1, 0.0)], spread=1e-6)
    literal, _ = verdict(spec, band="literal")
    widened, _ = verdict(spec)
    line = np.exp(-0.5 * ((FREQUENCY - 0.15) / 0.008) ** 2)
    low = FREQUENCY >= 0.12
    share = [line[low & (end >= FREQUENCY)].sum() / line.sum() for end in (0.15, 0.15 + 1.5 / 128)]
    found = [1e20 * (m.power_perpendicular - m.background)[0] for m in (literal, widened)]
    assert found == pytest.approx(share, abs=0.02)
    assert share[0] < 0.7 * share[1]


def test_three_dimensional_degree_is_used_when_asked_for():
    """Power along B that does not cohere: it leaves the degree in the plane and lowers that in space."""
    spec = spectra([(0.15, 1e-20, -1, 0.8)], along=0.0)
    measures, reasons = verdict(spec)
    assert measures.polarization_degree[0] > 0.9
    assert not reasons & Rejection.LOW_POLARIZATION
    # eigenvalues 1, 0.8, 0 give sqrt(((0.2)^2 + 0.8^2 + 1) / (2 * 1.8^2)) = 0.509
    assert measures.polarization_degree_3d[0] == pytest.approx(0.509, abs=0.01)
    assert verdict(spec, polarization_dimensions=3)[1] & Rejection.LOW_POLARIZATION


@given(slope=st.floats(0.0, 3.0), level=st.floats(-30.0, -10.0))
def test_background_law_is_recovered(slope, level):
    power = 10.0**level * FREQUENCY[None, :] ** -slope
    law = background_law(FREQUENCY, power, np.ones_like(power, dtype=bool), np.array([1e9]))
    np.testing.assert_allclose(law, power, rtol=1e-6)


@pytest.mark.parametrize("averages", [2.0, 6.7])
def test_background_of_noise_is_not_biased(averages):
    """Gamma-distributed powers of two components: the law through the logarithms gives the mean back (within 3 %)."""
    rng = np.random.default_rng(1)
    power = rng.gamma(2.0 * averages, 1.0 / (2.0 * averages), (4000, len(FREQUENCY)))
    law = background_law(FREQUENCY, power, np.ones_like(power, dtype=bool), np.full(4000, averages))
    assert law.mean() == pytest.approx(1.0, abs=0.03)


def test_background_without_frequencies_is_unknown():
    power = np.ones((1, len(FREQUENCY)))
    assert np.isnan(background_law(FREQUENCY, power, np.zeros_like(power, dtype=bool), np.array([5.0]))).all()


def test_band_edges_as_in_the_paper():
    fc, spread = np.array([1.0]), np.array([0.1])
    low, high = band_edges(fc, spread, 0.05, PROTON, CriteriaSettings(band="literal"))
    assert (low[0], high[0]) == pytest.approx((0.72, 1.1))
    assert band_edges(fc, spread, 0.05, PROTON, CriteriaSettings())[1][0] == pytest.approx(1.175)
    group = wave_ion("water group")
    low, high = band_edges(fc, 0.0 * spread, 0.05, group, CriteriaSettings(band="literal"))
    assert high[0] / low[0] == pytest.approx(19.02 / 16.0 / 0.8, rel=2e-3)


def test_nothing_is_detected_in_no_power():
    measures, reasons = verdict(spectra(level=0.0))
    assert reasons & Rejection.WEAK
    assert np.isnan(measures.signal_to_noise[0])


def test_every_reason_has_words_and_empty_measures_are_nan():
    assert set(MEANINGS) == set(Rejection)
    empty = empty_measures(3)
    for field in dataclasses.fields(empty):
        values = getattr(empty, field.name)
        assert (values == 0).all() if field.name == "bins_in_band" else np.isnan(values).all()


def test_a_field_that_turns_in_the_window_is_unsteady():
    spec = spectra([(0.15, 1e-20, -1, 0.0)])
    turned = dataclasses.replace(spec, mean_field=0.8 * spec.mean_field)
    assert verdict(turned)[1] == Rejection.FIELD_UNSTEADY
