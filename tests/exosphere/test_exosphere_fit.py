"""Fits of exospheres: exact recovery, calibrated uncertainties, two components, refusals; and binned profiles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siderion.core.bodies import get_body
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.measurement import check_measurement
from siderion.exosphere.fit import bin_profile, fit_profile
from siderion.exosphere.montecarlo import SurfaceSource, monte_carlo_exosphere
from siderion.exosphere.populations import (
    load_populations,
    maxwellian_population,
    model_populations,
    template_from,
    total_density,
)

MERCURY = get_body("Mercury")
RADIUS = MERCURY.radius / 1e3
HELIUM = {
    "surface_density_thermal": 1100e6,
    "temperature_thermal": 500.0,
    "surface_density_energetic": 150e6,
    "temperature_energetic": 4000.0,
}


def events(parameters, model, species, *, count=300, noise=0.0, seed=0, nearest=1.5, farthest=6.0):
    """Distances and densities of events drawn evenly in distance, with log-normal scatter."""
    generator = np.random.default_rng(seed)
    radius = RADIUS * generator.uniform(nearest, farthest, count)
    density = total_density(radius, MERCURY, model_populations(model, species, parameters))
    return radius, density * np.exp(noise * generator.standard_normal(count))


HYDROGEN = {"surface_density_thermal": 320e6, "temperature_thermal": 420.0}


def test_noiseless_profile_is_recovered():
    profile = bin_profile(*events(HYDROGEN, "chamberlain", "H"), MERCURY, error_floor=0.05)
    fit = fit_profile(profile, MERCURY, "H", bootstrap=0)
    assert float(fit.surface_density[0]) == pytest.approx(320e6, rel=1e-6)
    assert float(fit.temperature[0]) == pytest.approx(420.0, rel=1e-6)
    assert float(fit.chi_square) < 1e-8
    assert int(fit.degrees_of_freedom) == profile.sizes["radial_bin"] - 2
    for name in ("surface_density", "temperature", "column_density"):
        check_measurement(fit, name)


def test_noiseless_two_components_are_recovered():
    profile = bin_profile(*events(HELIUM, "two-component", "He"), MERCURY, error_floor=0.01)
    fit = fit_profile(profile, MERCURY, "He", "two-component", bootstrap=0)
    assert np.allclose(fit.surface_density, [1100e6, 150e6], rtol=1e-4)
    assert np.allclose(fit.temperature, [500.0, 4000.0], rtol=1e-4)


def test_bins_alone_are_enough():
    # the values of a published figure, without events: errors from quartiles, no detrending
    radius = RADIUS * np.linspace(1.6, 6.0, 10)
    density = maxwellian_population(radius, MERCURY, "H", 320e6, 420.0)
    profile = bin_profile(radius, density, MERCURY, error_floor=0.1)
    bins = profile[["radial_distance", "density_median", "log_density_error"]]
    fit = fit_profile(bins, MERCURY, "H")
    assert float(fit.surface_density[0]) == pytest.approx(320e6, rel=1e-5)
    assert "covariance" in fit.attrs["uncertainty"]


def test_uncertainties_are_calibrated():
    # 68 % of intervals hold the truth; with 80 seeds the part has a standard deviation of 5.2 %, 3 of them are allowed
    held = {"surface_density": 0, "temperature": 0}
    truth = {"surface_density": 320e6, "temperature": 420.0}
    seeds = 80
    for seed in range(seeds):
        data = events(HYDROGEN, "chamberlain", "H", count=270, noise=0.5, seed=seed)
        fit = fit_profile(bin_profile(*data, MERCURY), MERCURY, "H", bootstrap=0)
        for name, value in truth.items():
            held[name] += int(fit[f"{name}_lower"][0] <= value <= fit[f"{name}_upper"][0])
    for name, count in held.items():
        assert 0.52 < count / seeds < 0.84, f"{name}: {count / seeds:.2f}"


def test_bootstrap_agrees_with_the_covariance_matrix():
    data = events(HYDROGEN, "chamberlain", "H", count=400, noise=0.4, seed=5)
    profile = bin_profile(*data, MERCURY)
    drawn = fit_profile(profile, MERCURY, "H", bootstrap=80, seed=1)
    linear = fit_profile(profile, MERCURY, "H", bootstrap=0)
    for name in ("surface_density", "temperature"):
        widths = [float(np.log(f[f"{name}_upper"][0] / f[f"{name}_lower"][0])) for f in (drawn, linear)]
        assert 0.6 < widths[0] / widths[1] < 1.7
        assert float(drawn[name][0]) == float(linear[name][0])
    assert (drawn.model_density_lower <= drawn.model_density).all()
    assert (drawn.model_density <= drawn.model_density_upper).all()
    again = fit_profile(profile, MERCURY, "H", bootstrap=80, seed=1)
    assert drawn.identical(again)


def test_two_components_of_noisy_helium_are_recovered():
    # with the temperature of the surface known, as it is at Mercury
    data = events(HELIUM, "two-component", "He", count=600, noise=0.3, seed=3)
    fit = fit_profile(
        bin_profile(*data, MERCURY), MERCURY, "He", "two-component", fixed={"temperature_thermal": 500.0}, bootstrap=0
    )
    logs = np.log(fit.surface_density.values / [1100e6, 150e6])
    widths = np.log(fit.surface_density_upper.values / fit.surface_density_lower.values) / 2.0
    assert (np.abs(logs) < 3.0 * widths).all()
    assert abs(np.log(float(fit.temperature[1]) / 4000.0)) < 3.0 * 0.5 * float(
        np.log(fit.temperature_upper[1] / fit.temperature_lower[1])
    )
    assert int(fit.temperature_flag[0]) == 4
    # two free components from 1.5 to 6 radii cannot be told apart: it must be said
    free = fit_profile(bin_profile(*data, MERCURY), MERCURY, "He", "two-component", bootstrap=0)
    assert (free.surface_density_flag != 0).any()


def test_degenerate_parameters_are_flagged():
    # far from the surface, temperature and density trade against each other
    data = events(HYDROGEN, "chamberlain", "H", noise=0.3, nearest=3.0, farthest=4.0)
    fit = fit_profile(bin_profile(*data, MERCURY, bin_width=0.2), MERCURY, "H", bootstrap=0)
    assert abs(float(fit.correlation[0, 1])) > 0.95
    assert int(fit.temperature_flag[0]) in (1, 3)
    alone = fit_profile(
        bin_profile(*data, MERCURY, bin_width=0.2), MERCURY, "H", fixed={"temperature_thermal": 420.0}, bootstrap=0
    )
    assert int(alone.surface_density_flag[0]) == 0


def test_parameter_at_a_bound_is_flagged():
    profile = bin_profile(*events(HYDROGEN, "chamberlain", "H"), MERCURY, error_floor=0.1)
    fit = fit_profile(profile, MERCURY, "H", bounds={"temperature_thermal": (100.0, 300.0)}, bootstrap=0)
    assert int(fit.temperature_flag[0]) == 3
    assert float(fit.temperature[0]) == pytest.approx(300.0, rel=1e-3)


def test_template_of_a_monte_carlo_population_is_fitted():
    source = SurfaceSource("He", "impact_vapour", surface_density=1.0, temperature=4000.0, name="vapour")
    edges = np.geomspace(1.0, 8.0, 31) * RADIUS
    simulated = monte_carlo_exosphere(MERCURY, [source], seed=1, particles=50_000, radius_edges=edges)
    template = template_from(simulated, "vapour", 1.0)
    points = RADIUS * np.array([1.0, 2.0, 5.0])
    exact = maxwellian_population(points, MERCURY, "He", 1.0, 4000.0)  # impact vapour at one temperature is Maxwellian
    assert np.allclose(template.density(points, 1.0), exact, rtol=0.03)
    profile = bin_profile(*events(HELIUM, "two-component", "He"), MERCURY, error_floor=0.05)
    known = {
        "temperature_thermal": 500.0
    }  # far from the surface the thermal part is small, so errors of the template weigh on it
    fit = fit_profile(profile, MERCURY, "He", "two-component", templates={"energetic": template}, fixed=known, bootstrap=0)
    assert np.allclose(fit.surface_density, [1100e6, 150e6], rtol=[0.1, 0.03])
    assert int(fit.temperature_flag[1]) == 4
    with pytest.raises(CoverageError, match="wider shells"):
        template.density([9.0 * RADIUS], 1.0)
    with pytest.raises(CoverageError, match="not simulated"):
        template_from(simulated, "nothing", 1.0)


def test_column_density_of_the_model():
    profile = bin_profile(*events(HYDROGEN, "chamberlain", "H"), MERCURY, error_floor=0.05)
    fit = fit_profile(profile, MERCURY, "H", bootstrap=0, largest_radius=6.0 * RADIUS)
    radius = np.linspace(1.0, 6.0, 20_001) * RADIUS
    expected = np.trapezoid(maxwellian_population(radius, MERCURY, "H", 320e6, 420.0), radius * 1e3)
    assert float(fit.column_density) == pytest.approx(expected, rel=1e-4)


def test_bins_have_medians_quartiles_and_counts():
    radius = RADIUS * np.array([1.1, 1.2, 1.3, 1.4, 1.45, 2.1])
    density = np.array([5.0, 1.0, 3.0, 2.0, 4.0, 7.0])
    profile = bin_profile(radius, density, MERCURY)
    assert profile.density_median.values == pytest.approx([3.0, 7.0])
    assert profile.density_lower_quartile.values[0] == pytest.approx(2.0)
    assert profile.density_upper_quartile.values[0] == pytest.approx(4.0)
    assert profile.density_minimum.values[0] == 1.0
    assert profile.density_maximum.values[0] == 5.0
    assert list(profile.event_count.values) == [5, 1]
    assert np.allclose(profile.radial_distance_bounds, RADIUS * np.array([[1.0, 1.5], [2.0, 2.5]]))
    weighted = bin_profile(radius, density, MERCURY, weights=[1.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    assert weighted.density_median.values == pytest.approx([5.0, 7.0])


def test_error_of_the_median_is_that_of_its_scatter():
    # 400 medians of 41 normal values: their scatter against the claimed error
    generator = np.random.default_rng(0)
    radius, medians, claims = np.full(41, 1.2 * RADIUS), [], []
    for _ in range(400):
        profile = bin_profile(radius, np.exp(0.5 * generator.standard_normal(41)), MERCURY)
        medians.append(float(np.log(profile.density_median[0])))
        claims.append(float(profile.log_density_error[0]))
    assert np.mean(claims) == pytest.approx(np.std(medians), rel=0.12)  # the scatter itself is known to 3.5 %


def test_single_events_carry_their_own_error():
    profile = bin_profile([1.2 * RADIUS], [10.0], MERCURY, lower=[5.0], upper=[20.0])
    assert float(profile.log_density_error[0]) == pytest.approx(np.log(2.0))


def test_events_without_density_are_counted():
    profile = bin_profile(RADIUS * np.array([1.2, 1.2, 1.2]), [1.0, np.nan, -1.0], MERCURY)
    assert profile.attrs["events_left_out"] == 2
    assert int(profile.event_count[0]) == 1


@given(st.lists(st.tuples(st.floats(1.0, 20.0), st.floats(1e-3, 1e12)), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_events_are_binned_whole(pairs):
    radius, density = np.array(pairs).T
    profile = bin_profile(radius * RADIUS, density, MERCURY)
    assert int(profile.event_count.sum()) == len(pairs)
    assert (profile.density_minimum <= profile.density_median * (1 + 1e-9)).all()
    assert (profile.density_median <= profile.density_maximum * (1 + 1e-9)).all()
    assert np.isfinite(profile.log_density_error).all()


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (([5000.0], [np.nan]), {}, "finite and positive"),
        (([2000.0], [1.0]), {}, "below the surface"),
        (([5000.0, 6000.0], [1.0]), {}, "shape"),
        (([5000.0], [1.0]), {"lower": [1.0]}, "both ends"),
        (([5000.0], [1.0]), {"weights": [-1.0]}, "not negative"),
        (([5000.0], [1.0]), {"weights": [1.0, 2.0]}, "shape"),
        (([], []), {}, "finite and positive"),
    ],
)
def test_bad_events_are_refused(arguments, options, words):
    with pytest.raises(DataError, match=words):
        bin_profile(*arguments, MERCURY, **options)


def test_bad_bins_and_settings_are_refused():
    profile = bin_profile(*events(HYDROGEN, "chamberlain", "H"), MERCURY, error_floor=0.1)
    for change, words in (
        ({"radial_distance": profile.radial_distance * 0.0 + 2000.0}, "below the surface"),
        ({"density_median": profile.density_median * np.nan}, "finite positive density"),
        ({"log_density_error": profile.log_density_error * 0.0}, "error_floor"),
    ):
        with pytest.raises(DataError, match=words):
            fit_profile(profile.assign(change), MERCURY, "H", bootstrap=0)
    with pytest.raises(DataError, match="3 bins for 4"):
        fit_profile(profile.isel(radial_bin=slice(3)), MERCURY, "He", "two-component", bootstrap=0)
    with pytest.raises(DataError, match="missing"):
        fit_profile(profile.drop_vars("log_density_error"), MERCURY, "H", bootstrap=0)
    for options in (
        {"model": "magic"},
        {"fixed": {"temperature_cold": 1.0}},
        {"fixed": {"temperature_thermal": -1.0}},
        {"fixed": HYDROGEN},
        {"bounds": {"temperature_thermal": (3.0, 2.0)}},
        {"bootstrap": 10},
    ):
        with pytest.raises(SettingsError):
            fit_profile(profile, MERCURY, "H", **({"bootstrap": 0} | options))


def test_presets_of_mercury():
    populations = load_populations("mercury")
    densities = {(p.species, p.name): p.surface_density / 1e6 for p in populations}
    # Lammer et al. 2025, section 3.1
    expected = {("H", "thermal"): 320.0, ("H2", "thermal"): 1800.0, ("He", "thermal"): 1100.0, ("He", "energetic"): 150.0}
    assert densities == pytest.approx(expected)
    helium = load_populations("Mercury", "He")
    with pytest.raises(SettingsError, match="usual range"):
        total_density([3000.0], MERCURY, helium)
    chosen = [p.with_values(temperature=t) for p, t in zip(helium, (500.0, 4000.0), strict=True)]
    assert float(total_density([RADIUS], MERCURY, chosen)[0]) == pytest.approx(1250e6)
    with pytest.raises(CoverageError, match="known"):
        load_populations("Pluto")
    with pytest.raises(SettingsError, match="missing"):
        model_populations("chamberlain", "H", {})
