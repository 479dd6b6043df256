"""Fits of single spectra: the kernels against scipy, shapes that the model does not know, the Monte Carlo trap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import exponnorm, norm

from siderion.core.errors import DataError, SettingsError
from siderion.spectrometer.fit import FitSettings, calibration_channel, fit_spectra
from siderion.spectrometer.fit.goodness import goodness_of_fit
from siderion.spectrometer.fit.kernels import bounded_step, fit_amplitudes
from siderion.spectrometer.fit.shape import Channel
from siderion.spectrometer.fit.single import make_likelihood
from siderion.spectrometer.flight_time import flight_components
from siderion.spectrometer.foil_montecarlo import draw_flight_times
from siderion.spectrometer.instruments import make_setup

EDGES = np.linspace(40.0, 160.0, 241) * 1e-9
SPECIES = ("O+", "N+", "O2+")
SETUP = make_setup("codif", 16e3, 100.0, 1.0)
TIMES = [flight_components(name, SETUP)[0].time for name in SPECIES]


def peaks(width: float, tail: float, absolute: bool = False) -> np.ndarray:
    """Peaks written with scipy: Gaussian or exponentially modified, relative widths or one width in seconds."""
    rows = []
    for time in TIMES:
        sigma = width * (TIMES[0] if absolute else time)
        law = norm(time, sigma) if tail == 0.0 else exponnorm(tail * time / sigma, time, sigma)
        rows.append(np.diff(law.cdf(EDGES)))
    return np.array(rows)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.0, 5.0))
def test_amplitudes_as_scipy(seed: int, level: float) -> None:
    """The compiled active-set Newton steps find the minimum that L-BFGS-B with bounds finds."""
    rng = np.random.default_rng(seed)
    rows = np.concatenate([peaks(0.03, 0.02), np.ones((1, 240))])
    counts = rng.poisson(np.array([rng.uniform(0, 300), 0.0, rng.uniform(0, 30), level]) @ rows).astype(float)
    seen = np.flatnonzero(counts)
    sums, start = rows.sum(axis=1), np.full(4, 5.0)
    columns, some = np.ascontiguousarray(rows[:, seen].T), counts[seen]
    value = fit_amplitudes(columns, sums, some, np.zeros(seen.size), start, -1, np.empty(4), np.empty((4, 4)))

    def minus(a: np.ndarray) -> tuple[float, np.ndarray]:
        mu = columns @ a + 1e-9
        return float(a @ sums - some @ np.log(mu)), sums - columns.T @ (some / mu)

    other = minimize(minus, np.full(4, 5.0), jac=True, bounds=[(0.0, None)] * 4, method="L-BFGS-B")
    assert value <= other.fun + 1e-6
    assert np.all(start >= 0.0)


def test_bounded_step_stays_inside() -> None:
    """A Newton step that would leave stops at the bound, and the other entry takes the constrained minimum, -0.75 here."""
    curvature = np.array([[2.0, 1.0], [1.0, 2.0]])
    here, step = np.array([0.5, 1.0]), np.empty(2)
    gradient = np.array([4.0, 1.0])
    bounded_step(curvature, gradient, here, np.zeros(2), np.full(2, 9.0), np.ones(2, bool), step)
    assert here[0] - step[0] == 0.0
    # with the first moved by -0.5 the slope of the second is 1 - 0.5, its curvature 2: it moves by -0.25
    assert step[1] == pytest.approx(0.25)


def test_gradient_is_the_slope() -> None:
    """The slopes of ln L are central differences of its value, for all parameters."""
    counts = np.random.default_rng(1).poisson(np.array([500.0, 20.0, 40.0]) @ peaks(0.02, 0.03) + 0.5).astype(float)
    likelihood = make_likelihood((Channel(counts, EDGES, SPECIES, SETUP),), FitSettings())
    found = likelihood.fit()
    x = found.parameters + np.where(np.arange(likelihood.size) < likelihood.size - 5, 0.05, 0.003)
    slopes = likelihood.solution(x).gradient
    for i in range(likelihood.size):
        step = np.zeros(likelihood.size)
        step[i] = 1e-6
        numeric = (likelihood.value(x + step) - likelihood.value(x - step)) / 2e-6
        assert slopes[i] == pytest.approx(numeric, rel=1e-3, abs=0.05)


@pytest.mark.parametrize(
    ("width", "tail", "absolute", "background"),
    [
        (0.01, 0.0, False, 0.0),
        (0.04, 0.0, False, 5.0),
        (0.03, 0.0, True, 2.0),
        (0.02, 0.03, False, 0.5),
        (0.03, 0.08, False, 20.0),
    ],
)
def test_counts_of_simple_shapes(width: float, tail: float, absolute: bool, background: float) -> None:
    """Gaussian (relative or one width in ns) and exponentially modified peaks: the counts come back within 3.5 sigma."""
    rng = np.random.default_rng(6)
    truth = np.array([8000.0, 0.0, 400.0])
    found = fit_spectra(rng.poisson(truth @ peaks(width, tail, absolute) + background), EDGES, SPECIES, SETUP)
    best, low, high = (found[name].values[0] for name in ("species_counts_best", "species_counts_lower", "species_counts_upper"))
    for s in (0, 2):
        sigma = max(high[s] - best[s] if truth[s] > best[s] else best[s] - low[s], 1.0)
        assert abs(best[s] - truth[s]) < 3.5 * sigma
        assert sigma < 0.35 * truth[s]
    assert found["species_counts_upper_limit"].values[0].tolist()[:2] == [False, True]


def test_pure_oxygen_of_the_montecarlo_is_no_detection() -> None:
    """The trap: 1e5 O+ ions drawn through the foil. A wrong fixed tail sees O2+ at many sigma; the mixture does not."""
    rng = np.random.default_rng(4)
    counts = np.histogram(draw_flight_times("O+", SETUP, 100_000, 21), EDGES)[0] + rng.poisson(0.2, 240)
    fixed = fit_spectra(counts, EDGES, SPECIES, SETUP, FitSettings(tail="exponential", tail_error=0.0, misfit_level=0.0))
    assert float(fixed["significance"][0, 2]) > 5.0
    found = fit_spectra(counts, EDGES, SPECIES, SETUP)
    assert found["species_counts_upper_limit"].values[0].tolist() == [False, True, True]
    assert float(found["species_counts"][0, 2]) < 0.005 * 1e5
    assert float(found["species_counts_best"][0, 0]) == pytest.approx(1e5, rel=0.01)


def test_calibration_narrows() -> None:
    """With an O+ interval the error of O2+ shrinks, and its counts still come back."""
    rng = np.random.default_rng(9)
    matrix = peaks(0.03, 0.07)
    counts = rng.poisson(np.array([5000.0, 0.0, 150.0]) @ matrix + 1.0)
    known = calibration_channel(rng.poisson(1e5 * matrix[0] + 0.1), EDGES, SETUP)
    free, fixed = (fit_spectra(counts, EDGES, SPECIES, SETUP, calibration=one).sel(species="O2+") for one in (None, known))
    width = [float(one["species_counts_upper"][0] - one["species_counts_lower"][0]) for one in (free, fixed)]
    assert width[1] < width[0]
    assert abs(float(fixed["species_counts_best"][0]) - 150.0) < 3.0 * width[1] / 2.0
    assert bool(fixed["species_counts_upper_limit"][0]) is False


def test_outside_and_not_separable_are_said() -> None:
    """A species without bins is flagged; N2+ and CO+ at nearly one time cannot be told apart."""
    narrow = np.linspace(40.0, 90.0, 101) * 1e-9
    counts = np.random.default_rng(2).poisson(1000.0 * np.diff(norm.cdf(narrow, TIMES[0], 0.02 * TIMES[0])))
    found = fit_spectra(counts, narrow, ("O+", "Fe+"), SETUP)
    assert found["species_counts_flag"].values[0].tolist() == [0, 1]
    assert np.isnan(found["species_counts"].values[0, 1])
    both = fit_spectra(np.r_[counts, np.zeros(140)], EDGES[:242], ("O+", "N2+", "CO+"), SETUP)
    assert "not separable" in both.attrs["notes"]
    assert both["species_counts_flag"].values[0].tolist()[1:] == [3, 3]


def test_goodness_is_even_for_true_models() -> None:
    """For spectra of the true model the chance of a larger deviance is even between 0 and 1, also at few counts."""
    rng = np.random.default_rng(3)
    expected = np.array([30.0, 0.0, 5.0]) @ peaks(0.03, 0.0) + 0.3
    chances = goodness_of_fit(rng.poisson(expected, size=(2000, 240)).astype(float), np.broadcast_to(expected, (2000, 240)), 0)[0]
    assert np.mean(chances) == pytest.approx(0.5, abs=0.03)
    assert np.mean(chances < 0.05) == pytest.approx(0.05, abs=0.02)


def test_bad_input_is_refused() -> None:
    """Negative counts, wrong shapes, species twice, tails that are none."""
    good = np.ones(240)
    with pytest.raises(DataError, match=r"-1 at \(spectrum, bin\) = \(0, 3\)"):
        fit_spectra(np.where(np.arange(240) == 3, -1.0, good), EDGES, SPECIES, SETUP)
    with pytest.raises(DataError, match="shape"):
        fit_spectra(good[:-1], EDGES, SPECIES, SETUP)
    with pytest.raises(SettingsError, match="once"):
        fit_spectra(good, EDGES, ("O+", "O+"), SETUP)
    for wrong in ({"tail": "long"}, {"tail": 0.7}, {"confidence": 1.0}, {"background": -1.0}, {"time_scale_prior": 1.0}):
        with pytest.raises(SettingsError):
            FitSettings(**wrong)
    with pytest.raises(DataError, match="calibration"):
        calibration_channel(np.zeros(240), EDGES, SETUP)
