"""Uncertainty of the densities: against plain Monte Carlo, closed forms, brute-force spectra; budget, seeds, bad input."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from siderion.core.bodies import get_body
from siderion.core.errors import DataError, SettingsError
from siderion.core.measurement import check_measurement
from siderion.core.species import get_species
from siderion.waves.conventions import get_convention
from siderion.waves.density_settings import DensityUncertainty, PlasmaSettings, resolve_plasma, table_spread
from siderion.waves.uncertainty import SOURCES, propagate_density, sampled_factors

LAMMER = get_convention("lammer2025")
PROTON = get_species("H+")
EXACT = {"distribution": "none"}
NOTHING = {"transfer_efficiency": EXACT, "growth_gyrations": EXACT, "power": "none", "photo_rate": "none"}
ONE_SIGMA = 0.99445788
"""84 % quantile of the standard normal distribution (tables)."""


def plasma(**values):
    exact = {"density": 40, "density_uncertainty": 0, "speed": 400, "speed_uncertainty": 0, "orbital_speed": 0}
    return resolve_plasma(PlasmaSettings(**{**exact, **values}), get_body("Mercury"))


WIND = plasma()


def run(
    wave_power=4e-20, degrees=40.0, angle=math.pi / 2, *, wind=WIND, rates=(4.8e-7, 4.8e-7, 4.8e-7), convention=LAMMER, **values
):
    return propagate_density(
        wave_power, degrees, angle, 25e-9, PROTON.mass, PROTON.charge, *rates,
        plasma=wind, convention=convention, uncertainty=DensityUncertainty.make(values),
    )  # fmt: skip


def factors(share):
    return np.concatenate([np.ravel(share.ion[[0, 2]]), np.ravel(share.neutral[[0, 2]])])


def test_no_source_no_spread():
    result = run(**NOTHING)
    for part in (result.ion_density, result.neutral_density):
        assert part.lower == part.value == part.upper == part.median
    # by hand: E = 4e-20/(2 mu0) = 1.5915e-14 J m-3 over 0.25 x 0.3 x 1.67262e-27 x 8.622e4 x 4e5 x 2 J
    assert result.ion_density.value == pytest.approx(1.5915494e-14 / 8.6530e-18, rel=1e-3)


def test_each_common_source_alone_has_its_closed_form():
    wind = plasma(density_uncertainty=0.3, speed_uncertainty=0.2)
    result = run(
        wind=wind, rates=(2e-7, 1e-7, 4e-7), magnetic_field={"distribution": "lognormal", "relative": 0.1}, samples=20000
    )
    budget = {source: factors(share) for source, share in result.budget.items()}
    # log-uniform between a and b: quantile a (b/a)^p; factors are the inverse, relative to the value in use
    phi = [0.3 / (0.2 * 2.5**0.84), 0.3 / (0.2 * 2.5**0.16)]
    growth = [100.0 / (60.0 * (100 / 60) ** 0.84), 100.0 / (60.0 * (100 / 60) ** 0.16)]
    rate = [2.0 / 4.0**0.84, 2.0 / 4.0**0.16]
    expected = {
        "transfer_efficiency": [*phi, *phi],
        "growth_gyrations": [1, 1, *growth],
        "photo_rate": [1, 1, *rate],
        "plasma_density": [1.3 ** (s * 0.5 * ONE_SIGMA) for s in (-1, 1, -1, 1)],
        "flow_speed": [1.2 ** (s * ONE_SIGMA) for s in (-1, 1, -1, 1)],
        "magnetic_field": [1.1**-ONE_SIGMA, 1.1**ONE_SIGMA, 1, 1],
        "pitch_angle": [1, 1, 1, 1],
    }
    for source, values in expected.items():
        assert budget[source] == pytest.approx(values, rel=2e-4), source


def test_an_unknown_pitch_angle_is_isotropic():
    # cos a even in 0..1: quantiles of 1/(1 + cos^2) over that at 60 degrees, where 1 + cos^2 is 1.25
    share = run(angle=math.nan, samples=20000).budget["pitch_angle"]
    assert factors(share)[:2] == pytest.approx([1.25 / (1 + 0.84**2), 1.25 / (1 + 0.16**2)], rel=2e-4)
    assert share.ion[1] == pytest.approx(1.0, rel=2e-4)


@pytest.mark.parametrize("lines", [1, 5, 60])
def test_chi_square_interval_covers_brute_force_spectra(lines):
    """Power of Gaussian noise summed over Fourier lines of two components: 68 % of the intervals hold the true power."""
    rng = np.random.default_rng(lines)
    trials = 6000
    noise = rng.standard_normal((trials, 2, 256))
    spectrum = np.abs(np.fft.rfft(noise, axis=-1)[..., 1 : lines + 1]) ** 2
    power = spectrum.sum(axis=(1, 2)) / (256.0 * 2 * lines)  # expectation 1
    share = run(np.ones(1), degrees=4.0 * lines, samples=20000).budget["power"]
    covered = np.mean((power * share.ion[0, 0] <= 1.0) & (power * share.ion[2, 0] >= 1.0))
    # standard error of a share of 0.68 in 6000 trials is 0.006
    assert covered == pytest.approx(0.68, abs=4 * 0.006)


def test_groups_and_grid_give_what_plain_monte_carlo_gives():
    rng = np.random.default_rng(3)
    degrees, angle = rng.uniform(2.0, 300.0, 20), rng.uniform(0.0, math.pi, 20)
    angle[::4], degrees[::7] = math.nan, math.nan
    wind = resolve_plasma(PlasmaSettings(), get_body("Mercury"))
    fast_settings = DensityUncertainty(pitch_angle_deviation=12.0, samples=40_000, seed=1)
    rates = (2e-7, 1e-7, 4e-7)
    fast = propagate_density(
        np.full(20, 4e-20), degrees, angle, 25e-9, PROTON.mass, PROTON.charge, *rates,
        plasma=wind, convention=LAMMER, uncertainty=fast_settings,
    ).budget["all"]  # fmt: skip
    plain = sampled_factors(
        degrees, angle, np.tile([0.5, 2.0], (20, 1)), plasma=wind, convention=LAMMER,
        uncertainty=fast_settings.model_copy(update={"samples": 20_000}),
    )  # fmt: skip
    # standard error of these quantiles: at most 1.9 half widths in ln over the root of the number of samples (normal: 1.5)
    for ours, reference in ((fast.ion, plain.ion), (fast.neutral, plain.neutral)):
        difference = np.log(ours / reference)
        half_width = np.log(reference[2] / reference[0]) / 2.0
        assert (np.abs(difference) < 4.0 * 1.9 * half_width * math.hypot(1 / math.sqrt(20_000), 1 / 200.0)).all()
        assert np.abs(difference.mean(axis=1)).max() < 0.01


def test_all_together_is_wider_than_any_alone_and_narrower_than_their_sum():
    result = run(angle=math.nan, wind=plasma(density_uncertainty=0.3, speed_uncertainty=0.2), rates=(2e-7, 1e-7, 4e-7))
    for kind in ("ion", "neutral"):
        widths = {source: float(np.log(getattr(s, kind)[2] / getattr(s, kind)[0])) for source, s in result.budget.items()}
        alone = [widths[source] for source in SOURCES]
        assert max(alone) < widths["all"] < sum(alone)
        # independent terms add their variances, nearly
        assert widths["all"] == pytest.approx(math.sqrt(sum(w**2 for w in alone)), rel=0.2)


def test_what_is_unknown_widens():
    def width(result):
        return float(result.neutral_density.upper / result.neutral_density.lower)

    assert width(run(angle=math.nan)) > width(run(angle=math.pi / 3))
    assert width(run(degrees=math.nan)) > width(run(degrees=8.0)) > width(run(degrees=80.0))
    assert width(run(degrees=math.nan)) == width(run(degrees=2.0))
    assert width(run(wind=plasma(density_uncertainty=None))) > width(run())


@given(
    degrees=st.lists(st.floats(0.5, 1e6), min_size=1, max_size=4),
    power=st.floats(1e-26, 1e-12),
    angle=st.one_of(st.just(math.nan), st.floats(0.0, math.pi)),
    value=st.sampled_from(["nominal", "median"]),
    deviation=st.sampled_from([0.0, 20.0]),
    name=st.sampled_from(["lammer2025", "schmid2022"]),
)
@hypothesis_settings(max_examples=40, deadline=None)
def test_the_value_lies_between_its_ends(degrees, power, angle, value, deviation, name):
    result = run(
        np.full(len(degrees), power), np.array(degrees), angle, convention=get_convention(name),
        value=value, pitch_angle_deviation=deviation, samples=400,
    )  # fmt: skip
    dataset = result.to_dataset(("time",))
    check_measurement(dataset, "ion_density")
    check_measurement(dataset, "neutral_density")
    assert (dataset.ion_density_lower > 0).all()
    chosen = result.ion_density.value if value == "nominal" else result.ion_density.median
    assert dataset.ion_density.values == pytest.approx(chosen)


@given(one=st.floats(2.0, 1e4), factor=st.floats(1.05, 10.0))
@hypothesis_settings(max_examples=30, deadline=None)
def test_more_degrees_of_freedom_narrow(one, factor):
    narrow, wide = (run(degrees=n, samples=1000).budget["power"].ion for n in (one * factor, one))
    assert narrow[2] / narrow[0] < wide[2] / wide[0]


def test_the_nominal_value_stays_that_of_the_convention_and_the_ends_reach_it():
    # 100 gyrations is the end of the range 60 to 100: nearly all samples lie above the value
    result = run(**{**NOTHING, "growth_gyrations": table_spread("growth_gyrations")})
    part = result.neutral_density
    assert part.lower == part.value < part.median < part.upper
    assert run(value="median").neutral_density.value == run().neutral_density.median


def test_a_seed_repeats_and_another_differs():
    assert run(seed=4).neutral_density.upper == run(seed=4).neutral_density.upper
    assert run(seed=4).neutral_density.upper != run(seed=5).neutral_density.upper
    assert run(seed=4).neutral_density.upper == pytest.approx(float(run(seed=5).neutral_density.upper), rel=0.03)


def test_windows_do_not_depend_on_their_neighbours():
    # alone, a window has its own point of the grid; among others it is interpolated, well within the sampling error of 0.006
    degrees = np.linspace(2.0, 400.0, 200)
    many = run(np.full(200, 4e-20), degrees)
    for index in (0, 3, 77, 199):
        alone = run(np.full(1, 4e-20), degrees[index : index + 1])
        for end in ("lower", "upper", "value"):
            assert getattr(many.ion_density, end)[index] == pytest.approx(getattr(alone.ion_density, end)[0], rel=3e-3)


def test_windows_without_power_are_flagged_and_not_checked():
    power = np.array([[4e-20, math.nan], [0.0, 1e-20]])
    field = np.array([[25e-9], [30e-9]])
    degrees = np.array([[20.0, math.nan], [-5.0, 20.0]])
    masses = [PROTON.mass, get_species("H2+").mass]
    result = propagate_density(
        power, degrees, [[1.0], [math.nan]], field, masses, PROTON.charge, 4e-7, 4e-7, 4e-7,
        plasma=WIND, convention=LAMMER, uncertainty=DensityUncertainty(),
    )  # fmt: skip
    assert result.flag.tolist() == [[0, 1], [1, 0]]
    assert np.isnan(result.ion_density.value).tolist() == [[False, True], [True, False]]
    dataset = result.to_dataset(("time", "species"))
    assert dataset.attrs["convention"] == "lammer2025"
    assert dataset.attrs["plasma_density_cm3"] == pytest.approx(40.0)
    assert dataset.attrs["flow_speed_km_s"] == pytest.approx(400.0)
    check_measurement(dataset, "neutral_density")
    table = result.budget_table()
    assert list(table.index) == [*SOURCES, "all"]
    assert table.loc["all"].iloc[0] == pytest.approx(np.median(result.budget["all"].ion[0][result.flag == 0]), rel=1e-6)


def test_an_alfven_speed_above_the_injection_speed_is_flagged():
    # 100 nT and 40 cm-3: v_A is 345 km/s, above a flow of 100 km/s
    args = (1e-20, 20.0, 1.0, 100e-9, PROTON.mass, PROTON.charge, 4e-7, 4e-7, 4e-7)
    result = propagate_density(*args, plasma=plasma(speed=100), convention=LAMMER, uncertainty=DensityUncertainty())
    assert result.flag == 2
    assert np.isfinite(result.ion_density.value)


def test_no_window_at_all():
    result = run(np.zeros(0), np.zeros(0), np.zeros(0))
    assert result.ion_density.value.shape == (0,)
    with pytest.raises(DataError, match="no window has wave power"):
        result.budget_table()


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"rates": (4e-7, 5e-7, 3e-7)}, "lower end 5e-07 above upper end 3e-07"),
        ({"rates": (math.nan, 1e-7, 2e-7)}, "rate is nan"),
        ({"degrees": 0.0}, "degrees of freedom is 0"),
        ({"degrees": math.inf}, "degrees of freedom is inf"),
        ({"angle": 90.0}, "between 0 and pi radians"),
        ({"wave_power": np.ones((4, 2)), "degrees": np.ones(4)}, r"degrees_of_freedom has shape \(4,\); .* shape \(time, 1\)"),
    ],
)
def test_bad_input_is_refused(values, match):
    with pytest.raises(DataError, match=match):
        run(**values)


def test_bad_settings_are_refused():
    for values in ({"samples": 5}, {"magnetic_field": {"distribution": "uniform", "lower": 1, "upper": 2}}, {"power": "normal"}):
        with pytest.raises(SettingsError):
            DensityUncertainty.make(values)
