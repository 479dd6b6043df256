"""Separation and detection of species: closed limits, drawn spectra, the statements of the review."""

import numpy as np
import pytest
from scipy import stats

from siderion.core.errors import SettingsError
from siderion.spectrometer.design.detection import drawn_power, median_significance, minimum_detectable_fraction, window_fraction
from siderion.spectrometer.design.drawn import joined_bins
from siderion.spectrometer.design.likelihood import expected_spectrum, significance
from siderion.spectrometer.design.likelihood_batch import significances
from siderion.spectrometer.design.separation import (
    counts_needed,
    counts_to_tell_apart,
    geometric_factor_needed,
    resolution_needed,
    time_needed,
)
from siderion.spectrometer.design.settings import Demand, MassPeak
from siderion.spectrometer.design.templates import Templates, flight_time_templates, mass_templates
from siderion.spectrometer.instruments import make_setup

KNOWN = {"tail_fraction": 0.0, "tail_uncertainty": 0.0, "width_uncertainty": 0.0}
CLOSE = MassPeak(15.0, **KNOWN)


def two_bins(background_share=0.0):
    """Species in bins of their own: the minor one is a plain count over a background."""
    peaks = np.array([[1.0, background_share], [0.0, 1.0]])
    return Templates(("O+", "NO+"), peaks, np.zeros((0, 2, 2)), np.zeros(0), np.arange(3.0))


def test_counting_over_a_known_background():
    """Asimov significance of s over b: sqrt(2 ((s + b) ln(1 + s/b) - s))."""
    s, b = 30.0, 12.0
    found = median_significance(two_bins(), 1e4, s / 1e4, b)
    assert found == pytest.approx(np.sqrt(2 * ((s + b) * np.log(1 + s / b) - s)), rel=1e-6)


def test_significance_of_peaks_that_coincide_is_none():
    peaks = np.tile(np.array([[0.2, 0.5, 0.3]]), (2, 1))
    same = Templates(("N2+", "CO+"), peaks, np.zeros((0, 2, 3)), np.zeros(0), np.arange(4.0))
    assert significance(same, expected_spectrum(same, np.array([1e4, 1e3])), 1) == pytest.approx(0.0, abs=1e-3)
    assert counts_needed(same, 0.1) == np.inf
    assert counts_to_tell_apart(same) == np.inf


def test_significance_grows_with_the_root_of_the_counts():
    templates = mass_templates(("Si+", "Al+"), CLOSE)
    values = [median_significance(templates, n, 0.3) for n in (1e3, 4e3)]
    assert values[1] / values[0] == pytest.approx(2.0, rel=1e-3)


def test_uncertain_tail_sets_a_floor():
    """With a tail that is not known, more counts stop helping; with a known one they go on."""
    loose = MassPeak(5.0, 0.3, 0.5, 1.0, 0.0)
    firm = MassPeak(5.0, 0.3, 0.5, 0.0, 0.0)
    fractions = [minimum_detectable_fraction(mass_templates(("O+", "N2+"), peak), [1e4, 1e8]) for peak in (loose, firm)]
    assert fractions[1][0] / fractions[1][1] == pytest.approx(100.0, rel=0.25)
    assert fractions[0][1] > fractions[1][1]


def test_window_is_exact_for_a_plain_count():
    """No background: 1 count is enough, which comes with 90 % for 2.303 expected ones."""
    assert window_fraction(two_bins(), 1e4, Demand()) == pytest.approx(-np.log(0.1) / 1e4, rel=1e-9)
    # with 5 expected of the background, the smallest count with p below 0.00135 is needed, and reached in 90 %
    found = window_fraction(two_bins(), 1e4, Demand(), 5.0) * 1e4
    critical = next(n for n in range(100) if stats.poisson.sf(n - 1, 5.0) <= 1 - 0.99865)
    assert stats.poisson.sf(critical - 1, found + 5.0) == pytest.approx(0.9, rel=1e-9)


@pytest.mark.parametrize(("pair", "counts"), [(("O+", "NO+"), 1e4), (("Si+", "Al+"), 1e3)])
def test_power_of_drawn_spectra(pair, counts):
    """The formula against 120 fits of drawn spectra: power as demanded, false alarms no more than allowed."""
    templates = mass_templates(pair, MassPeak(15.0))
    fraction = float(minimum_detectable_fraction(templates, counts))
    power = drawn_power(templates, counts, fraction, draws=120, seed=4)
    assert power >= 0.9 - 3 * np.sqrt(0.09 / 120)
    assert drawn_power(templates, counts, 0.3 * fraction, draws=60, seed=4) < 0.6
    alarms = drawn_power(templates, counts, 0.0, Demand(0.95, 0.9), draws=120, seed=5)
    assert alarms <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 120)


@pytest.mark.parametrize(
    ("pair", "peak", "fraction"),
    [
        (("Si+", "Al+"), MassPeak(30.0, tail_fraction=0.0), 0.1),
        (("N2+", "Al+"), MassPeak(60.0), 0.01),
        (("N2+", "Al+"), MassPeak(22.0), 0.01),
    ],
)
def test_few_counts_have_the_demanded_power(pair, peak, fraction):
    """Fewer than 1000 counts of the minor ion: other drawn spectra detect it in 90 +- 3 %, not in 96 % as a count in a window."""
    templates = mass_templates(pair, peak)
    needed = counts_needed(templates, fraction)
    assert needed * fraction < 1000.0
    assert drawn_power(templates, needed, fraction, draws=1000, seed=11) == pytest.approx(0.9, abs=0.03)


def test_few_counts_need_fewer_than_a_window():
    """No tail, a tenth, m/dm 30: a fit of all bins needs fewer counts than a count in the best window, which is a bound."""
    templates = mass_templates(("Si+", "Al+"), MassPeak(30.0, tail_fraction=0.0))
    needed = counts_needed(templates, 0.1)
    assert window_fraction(templates, needed, Demand()) > 1.05 * 0.1
    assert minimum_detectable_fraction(templates, needed) == pytest.approx(0.1, rel=0.06)


def test_needed_resolution_has_the_demanded_power():
    pair, counts, fraction = ("N2+", "Al+"), 300.0, 0.01
    templates = mass_templates(pair, MassPeak(resolution_needed(pair, fraction, counts, MassPeak(15.0))))
    assert drawn_power(templates, counts, fraction, draws=1000, seed=12) == pytest.approx(0.9, abs=0.03)


def test_many_spectra_at_once_are_as_one_by_one():
    """The batch of fits against the single fits, with counts of three species and uncertain shapes."""
    templates = mass_templates(("N2+", "Si+", "Al+"), MassPeak(20.0))
    spectra = np.random.default_rng(3).poisson(np.array([50.0, 5.0, 8.0]) @ templates.peaks, (12, templates.peaks.shape[1]))
    single = [significance(templates, row.astype(float), 2, 0.01) for row in spectra]
    np.testing.assert_allclose(significances(templates, spectra.astype(float), 2, 0.01), single, atol=1e-3)
    assert max(single) > 1.0


def test_joined_bins_keep_the_significance():
    templates = mass_templates(("N2+", "Al+"), MassPeak(60.0))
    joined = joined_bins(templates)
    assert joined.peaks.shape[1] < 0.5 * templates.peaks.shape[1]
    np.testing.assert_allclose(joined.peaks.sum(axis=1), templates.peaks.sum(axis=1))
    assert median_significance(joined, 300.0, 0.01) == pytest.approx(median_significance(templates, 300.0, 0.01), rel=5e-3)


def test_power_that_is_never_reached():
    """Two expected counts come as none in 14 % of the cases: no m/dm gives 90 %."""
    assert np.isnan(resolution_needed(("N2+", "Al+"), 0.002, 1e3, MassPeak(15.0)))


def test_counts_needed_detect_the_fraction():
    templates = mass_templates(("N2+", "Al+"), MassPeak(15.0))
    needed = counts_needed(templates, 0.005, others=0)
    assert needed * 0.005 > 1000.0  # by the fit; below, both are drawn to some per cent
    assert minimum_detectable_fraction(templates, needed) == pytest.approx(0.005, rel=0.01)


def test_telling_apart_gaussians():
    """Two Gaussians d apart: d^2 / (2 sigma^2) of information a count, up to the width of the bins."""
    templates = mass_templates(("Si+", "Al+"), CLOSE)
    sigma = 27.5 / 15.0 / 2.3548
    by_hand = Demand().needed ** 2 / ((28.085 - 26.982) / sigma) ** 2
    assert counts_to_tell_apart(templates) == pytest.approx(by_hand, rel=0.1)


def test_statements_of_the_review():
    """m/dm 60 separates Al+ from N2+ with few counts, 15 does not; 15 tells NO+ among N2+ and O2+, 5 does not."""
    peak = MassPeak(15.0)
    fifteen, sixty = (counts_needed(mass_templates(("N2+", "Al+"), MassPeak(r)), 0.01) for r in (15.0, 60.0))
    assert fifteen > 100 * sixty
    molecules = ("O+", "N2+", "O2+", "NO+")
    five, fifteen = (counts_needed(mass_templates(molecules, MassPeak(r)), 0.01, others=0.01) for r in (5.0, 15.0))
    assert five > 20 * fifteen
    needed = resolution_needed(("N2+", "Al+"), 0.01, 1e3, peak)
    assert 15.0 < needed < 60.0
    assert np.isnan(resolution_needed(("N2+", "Al+"), 1e-5, 1e3, peak))
    # Si+ and N2+ differ by 0.07 amu: m/dm 60 does not separate these two
    assert counts_needed(mass_templates(("N2+", "Si+"), MassPeak(60.0)), 0.1) > 1e4


def test_time_and_geometric_factor():
    """1000 counts of 1 cm-2 s-1 sr-1 keV-1 over 10 keV with 0.01 cm2 sr: 10 000 s; and back."""
    time = time_needed(1000.0, 10.0, 1e4, 1e-6)
    assert time == pytest.approx(1e4)
    assert geometric_factor_needed(1000.0, 10.0, 1e4, time) == pytest.approx(1e-6)


def test_named_instrument():
    setup = make_setup("codif", energy_per_charge=1000.0)
    templates = flight_time_templates(["O+", "O2+"], setup)
    assert templates.peaks.shape == templates.changes.shape[1:]
    found = minimum_detectable_fraction(templates, [1e3, 1e5])
    assert found[1] < found[0] < 0.1


def test_change_of_the_tail_keeps_the_counts():
    templates = mass_templates(("O+", "NO+"), MassPeak(15.0))
    np.testing.assert_allclose(templates.changes.sum(axis=2), 0.0, atol=1e-4)


@pytest.mark.parametrize("call", [
    lambda: MassPeak(0.0), lambda: MassPeak(5.0, 1.0), lambda: MassPeak(5.0, width_uncertainty=2.0), lambda: Demand(0.3),
    lambda: mass_templates(["O+"], CLOSE), lambda: mass_templates(["O+", "O"], CLOSE), lambda: counts_needed(two_bins(), 0.0),
    lambda: minimum_detectable_fraction(two_bins(), [0.0]), lambda: time_needed(1.0, 0.0, 1.0, 1.0),
    lambda: geometric_factor_needed(1.0, 1.0, 1.0, -3.0),
    lambda: expected_spectrum(two_bins(), np.array([1.0])), lambda: expected_spectrum(two_bins(), np.ones(2), -1.0),
])  # fmt: skip
def test_refusals(call):
    with pytest.raises(SettingsError):
        call()
