from __future__ import annotations

import numba
import numpy as np
import pytest
from scipy.integrate import quad

from siderion.core.constants import BOLTZMANN, EARTH_GM, EARTH_RADIUS, ELEMENTARY_CHARGE
from siderion.core.errors import CoverageError, SettingsError
from siderion.core.species import get_species
from siderion.sources.ionosphere.escape import (
    energy_to_reach,
    escape_fractions,
    launch_and_fly,
    maxwellian_escape_fraction,
    reach_profile,
    rests_on_few,
)
from siderion.sources.ionosphere.field_line import AmbipolarPotential, Electrons, FieldLine, Waves, conic_asymptote, heating_rate
from siderion.sources.ionosphere.flight import Surroundings, fly_ions, launch_upflow, trace_ion
from siderion.sources.ionosphere.rare import rare_escape_fraction
from siderion.sources.ionosphere.setting import Setting
from siderion.sources.ionosphere.velocity_filter import footpoint_displacement, local_displacement, rise_time

STRENGTH = 3.0e-5
NONE = AmbipolarPotential.named("none")
DARK = Waves.uniform(0.0)
OXYGEN = get_species("O+").mass


def around(latitude: float = 90.0, waves: Waves = DARK, ambipolar: AmbipolarPotential = NONE, **options: object) -> Surroundings:
    return Surroundings(FieldLine(STRENGTH, latitude), waves, ambipolar, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("species", "expected"), [("O+", 1.51), ("NO+", 0.80), ("Fe+", 0.43)])
def test_heating_rates_of_the_review(species, expected):
    # q^2 eta S / (2 m) in eV/s: e eta S / (2 m)
    rate = float(heating_rate(species, 1e-6)) / ELEMENTARY_CHARGE
    assert rate == pytest.approx(expected, abs=0.006)


def test_field_is_that_of_a_dipole():
    line = FieldLine(STRENGTH, 75.0)
    # at the ground: B0 sqrt(1 + 3 sin^2 latitude); at the equator B0 (RE/r)^3
    assert line.field(EARTH_RADIUS) == pytest.approx(STRENGTH * np.sqrt(1.0 + 3.0 * np.sin(np.radians(75.0)) ** 2))
    equator = (1.0 - 1e-12) / line.inverse_equatorial_radius
    assert line.field(equator) == pytest.approx(STRENGTH * (EARTH_RADIUS / equator) ** 3)
    assert FieldLine(STRENGTH).field(2.0 * EARTH_RADIUS) == pytest.approx(STRENGTH / 4.0)


@pytest.mark.parametrize("latitude", [90.0, 70.0])
def test_energy_and_moment_are_kept_with_order_four(latitude):
    place = around(latitude, ambipolar=AmbipolarPotential.named("polar_wind"))
    errors = []
    for step in (0.08, 0.04, 0.02):
        path = trace_ion("O+", 500e3, 7000.0, 3000.0**2, place, step=step)
        radius = EARTH_RADIUS + path[:, 1]
        potential = ELEMENTARY_CHARGE / OXYGEN * place.ambipolar.potential(path[:, 1])
        energy = 0.5 * (path[:, 2] ** 2 + path[:, 3] ** 2) - EARTH_GM / radius + potential
        errors.append(np.abs(energy / energy[0] - 1.0).max())
        moment = path[:, 3] ** 2 / place.line.field(radius)
        np.testing.assert_allclose(moment, moment[0], rtol=1e-12)
    assert errors[-1] < 2e-8
    assert np.log2(errors[0] / errors[1]) > 3.5
    assert np.log2(errors[1] / errors[2]) > 3.5


def test_downgoing_ions_turn_at_the_mirror_point():
    # so fast that gravity moves the mirror point by less than 1e-7: B_mirror = B_start W/W_perp, with B ~ r^-3 on the axis
    place = around(bottom=300e3)
    speed, start = 3e7, EARTH_RADIUS + 10000e3
    pitch = np.radians([40.0, 60.0, 80.0])
    flights = fly_ions("O+", 10000e3, -speed * np.cos(pitch), (speed * np.sin(pitch)) ** 2, place, 0, step=0.002)
    mirror = start * np.sin(pitch) ** (2.0 / 3.0)
    assert flights.reached.all()
    np.testing.assert_allclose(flights.lowest + EARTH_RADIUS, mirror, rtol=2e-7)


def test_apex_against_gravity():
    # straight up along the axis: r_max = 1/(1/r - v^2/(2 GM))
    radius = EARTH_RADIUS + 500e3
    flights = fly_ions("Fe+", 500e3, [2000.0, 6000.0], [0.0, 0.0], around(), 0, step=0.005)
    assert flights.returned.all()
    expected = 1.0 / (1.0 / radius - np.array([2000.0, 6000.0]) ** 2 / (2.0 * EARTH_GM))
    np.testing.assert_allclose(flights.highest + EARTH_RADIUS, expected, rtol=1e-7)


def test_time_of_a_free_flight():
    # fall time between two radii with zero energy: (2/3) (r2^1.5 - r1^1.5)/sqrt(2 GM)
    place = around()
    low, high = EARTH_RADIUS + 500e3, EARTH_RADIUS + place.top
    flights = fly_ions("O+", 500e3, [np.sqrt(2.0 * EARTH_GM / low)], [0.0], place, 0, step=0.005)
    assert flights.time[0] == pytest.approx(2.0 / 3.0 * (high**1.5 - low**1.5) / np.sqrt(2.0 * EARTH_GM), rel=1e-8)
    assert flights.energy_along[0] == pytest.approx(OXYGEN * EARTH_GM / high, rel=1e-8)


@pytest.mark.parametrize("latitude", [90.0, 72.0])
def test_without_waves_exactly_those_with_the_energy_reach_the_top(latitude):
    place = around(latitude, ambipolar=AmbipolarPotential.named("endurance"))
    generator = np.random.default_rng(3)
    along, across = launch_upflow(4000, 30000.0, OXYGEN, 0.0, generator)
    flights = fly_ions("O+", 500e3, along, across, place, 0)
    need = energy_to_reach("O+", 500e3, place.top, place.ambipolar)
    fields = place.line.field(EARTH_RADIUS + np.array([500e3, place.top]))
    margin = 0.5 * OXYGEN * (along**2 + across * (1.0 - fields[1] / fields[0])) / need - 1.0
    assert 0.05 < flights.reached.mean() < 0.5
    clear = np.abs(margin) > 1e-6
    np.testing.assert_array_equal(flights.reached[clear], margin[clear] > 0.0)


def test_escaping_share_of_a_maxwellian():
    place = around(75.0)
    along, across = launch_upflow(20000, 25000.0, OXYGEN, 0.0, np.random.default_rng(8))
    share = fly_ions("O+", 500e3, along, across, place, 0, step=0.1).reached.mean()
    exact = maxwellian_escape_fraction("O+", 25000.0, 500e3, place)
    assert abs(share - exact) < 4.0 * np.sqrt(exact / 20000)
    # the same by quadrature over the flux of W_par and W_perp
    need = energy_to_reach("O+", 500e3, place.top, NONE) / (BOLTZMANN * 25000.0)
    fields = place.line.field(EARTH_RADIUS + np.array([500e3, place.top]))
    b = 1.0 - fields[1] / fields[0]
    direct = quad(lambda w: np.exp(-w - max(need - b * w, 0.0)), 0.0, 60.0, points=[need / b], limit=200)[0]
    assert exact == pytest.approx(direct, rel=1e-7)


@pytest.mark.parametrize("drift", [1500.0, -1500.0])
def test_launch_of_a_drifting_flux(drift):
    temperature = 2000.0
    thermal = np.sqrt(BOLTZMANN * temperature / OXYGEN)
    along, across = launch_upflow(100_000, temperature, OXYGEN, drift, np.random.default_rng(2))

    def weight(v: float, power: int) -> float:
        return v**power * np.exp(-0.5 * (v - drift / thermal) ** 2)

    mean = quad(weight, 0.0, 20.0, args=(2,))[0] / quad(weight, 0.0, 20.0, args=(1,))[0]
    square = quad(weight, 0.0, 20.0, args=(3,))[0] / quad(weight, 0.0, 20.0, args=(1,))[0]
    assert abs(along.mean() / thermal - mean) < 4.0 * np.sqrt((square - mean**2) / 1e5)
    assert abs(across.mean() / thermal**2 - 2.0) < 4.0 * 2.0 / np.sqrt(1e5)


@pytest.mark.parametrize("index", [0.0, 1.7])
def test_strong_waves_make_the_conic_of_the_similarity_solution(index):
    # W ~ r^k, k = 2 (3 a + 1)/3: k W_par = 3 W_perp; and W_perp^1.5 = H r sqrt(m k/6)/(k + 3), H the heating rate
    waves = Waves.uniform(1e-3, spectral_index=index)
    place = around(waves=waves, top=300.0 * EARTH_RADIUS)  # so far that the start is forgotten
    flights = fly_ions("O+", 500e3, [1000.0], [1000.0**2], place, 0, stochastic=False)
    assert flights.energy_across[0] / flights.energy_along[0] == pytest.approx(conic_asymptote(index), rel=0.01)
    radius = EARTH_RADIUS + place.top
    frequency = place.line.gyrofrequency("O+", radius)
    heating = float(heating_rate("O+", 1e-3 * (frequency / waves.reference_frequency) ** -index))
    k = 2.0 * (3.0 * index + 1.0) / 3.0
    expected = (heating * radius * np.sqrt(OXYGEN * k / 6.0) / (k + 3.0)) ** (2.0 / 3.0)
    assert flights.energy_across[0] == pytest.approx(expected, rel=0.02)


def test_stochastic_heating_has_the_mean_and_the_law_of_the_random_walk():
    # gravity and mirror act too little in a short flight: W_perp of ions that start cold follows exp(-W/(H t))
    waves = Waves.uniform(1e-6)
    place = around(waves=waves)
    speed = 2e5
    count = 20000
    flights = fly_ions("O+", 500e3, np.full(count, speed), np.zeros(count), place, 5, levels=[1000e3])
    time = 500e3 / speed
    expected = float(heating_rate("O+", 1e-6)) * time * (1.0 - 1.5 * 500e3 / (EARTH_RADIUS + 750e3))  # mean fall of B meanwhile
    energy = flights.passage_across[:, 0]
    assert abs(energy.mean() / expected - 1.0) < 0.02
    assert energy.std() / energy.mean() == pytest.approx(1.0, abs=0.03)


def test_mean_heating_converges_with_order_two():
    waves = Waves.uniform(1e-7, spectral_index=1.0)
    place = around(waves=waves)
    ends = [
        fly_ions("O+", 500e3, [3000.0], [2000.0**2], place, 0, stochastic=False, step=step).energy_across[0]
        for step in (0.04, 0.02, 0.01, 0.005)
    ]
    differences = np.abs(np.diff(ends))
    assert np.log2(differences[:-1] / differences[1:]).min() > 1.6


def test_seed_decides_and_threads_do_not():
    place = around(waves=Waves.uniform(1e-7))
    along, across = launch_upflow(300, 2000.0, OXYGEN, 500.0, np.random.default_rng(1))
    before = numba.get_num_threads()
    try:
        results = []
        for threads in {1, before}:
            numba.set_num_threads(threads)
            results.append(fly_ions("O+", 500e3, along, across, place, 7).energy_across)
        np.testing.assert_array_equal(results[0], results[-1])
    finally:
        numba.set_num_threads(before)
    assert (fly_ions("O+", 500e3, along, across, place, 8).energy_across != results[0]).any()


def test_recombination_weight_of_a_uniform_plasma_is_exponential_in_time():
    heights = np.array([100e3, 30000e3])
    electrons = Electrons(heights, np.full(2, 1e11), np.full(2, 2000.0))
    place = around(electrons=electrons)
    flights = fly_ions("O2+", 500e3, [5000.0, 12000.0], [0.0, 0.0], place, 0)
    np.testing.assert_allclose(flights.weight, np.exp(-flights.time / 179.88857), rtol=1e-6)  # 1/(k Ne) of the review's rate
    assert (fly_ions("O+", 500e3, [5000.0], [0.0], place, 0).weight == 1.0).all()


def test_velocity_filter():
    # a constant energy along a vertical line: displacement ~ sqrt(m/W); local and mapped drift agree
    oxygen, molecule = OXYGEN, get_species("O2+").mass
    line = FieldLine(STRENGTH)
    times = [rise_time(m, w * ELEMENTARY_CHARGE, 500e3, 4000e3) for m, w in ((oxygen, 10.0), (molecule, 10.0), (oxygen, 40.0))]
    angles = footpoint_displacement(times, 0.05, line, 500e3)
    assert angles[1] / angles[0] == pytest.approx(np.sqrt(molecule / oxygen))
    assert angles[2] / angles[0] == pytest.approx(0.5)
    # by hand: 0.05 V/m / (6e-5 T (6371.2/6871.2)^3) = 1045 m/s for 3500 km / sqrt(2 10 eV/m) = 318.7 s: 333 km of 6871 km
    assert angles[0] == pytest.approx(np.degrees(0.05 / (6e-5 * (6371.2 / 6871.2) ** 3) * times[0] / 6871.2e3))
    path = trace_ion("O+", 500e3, 12000.0, 3000.0**2, around(), step=0.005)
    mapped = float(footpoint_displacement(path[-1, 0], 0.05, line, 500e3))
    assert local_displacement(path, 0.05, line) == pytest.approx(mapped, rel=1e-9)
    with pytest.raises(SettingsError, match="vertical"):
        local_displacement(path, 0.05, FieldLine(STRENGTH, 75.0))


def test_grid_of_escape_fractions():
    setting = Setting.named("night")
    result = escape_fractions(["O+", "O2+"], [3e-8, 1e-7], [500e3, 1000e3], setting, particles=1000, seed=4)
    assert result["escape_fraction"].dims == ("species", "wave_power", "start_alt")
    share = result["escape_fraction"].values
    assert (share[:, 1] > share[:, 0]).all()  # more waves, more ions
    assert (share[0] > share[1]).all()  # O+ more easily than O2+
    assert (share[:, :, 1] > share[:, :, 0]).all()  # and from higher up
    error = 0.5 * (result["escape_fraction_upper"] - result["escape_fraction_lower"]).values[0, 1, 0]
    assert error == pytest.approx(
        np.sqrt(share[0, 1, 0] * (1 - share[0, 1, 0]) / 1000), rel=0.01
    )  # binomial: O+ does not recombine
    again = escape_fractions(["O+", "O2+"], [3e-8, 1e-7], [500e3, 1000e3], setting, particles=1000, seed=4)
    assert again.identical(result)


def test_no_success_is_an_upper_limit():
    result = escape_fractions(["Fe+"], [0.0], [500e3], Setting.named("night"), particles=500)
    assert bool(result["escape_fraction_upper_limit"].values.all())
    assert float(result["escape_fraction"][0, 0, 0]) == pytest.approx(-np.log(0.16) / 500)
    assert result["energy_at_top"].isnull().all()


def test_share_that_reaches_the_main_region():
    setting = Setting.named("day").with_main_altitude(1500e3)
    share = escape_fractions(["O+"], [5e-8], [600e3, 1500e3, 5000e3], setting, particles=300)["main_region_fraction"]
    assert 0.0 < float(share[0, 0, 0]) < 1.0
    assert share[0, 0, 1:].values.tolist() == [1.0, 1.0]  # they start in it
    for altitude in (setting.surroundings.top, 1.01 * setting.surroundings.top):
        beyond = escape_fractions(["O+"], [5e-8], [600e3], setting.with_main_altitude(altitude), particles=300)
        assert beyond["main_region_fraction"].isnull().all()
        assert "above the upper surface" in beyond["main_region_fraction"].attrs["missing"]


def test_few_ions_are_flagged():
    # effective number: 10 equal weights count as 10; 9 do not suffice; one heavy ion among many light ones is one
    weights = np.zeros((100, 4))
    weights[:10, 0], weights[:9, 1] = 0.3, 0.3
    weights[:, 2] = 1e-6
    weights[0, 2] = 1.0
    assert rests_on_few(weights).tolist() == [False, True, True, False]
    result = escape_fractions(["Fe+", "O+"], [0.0, 2e-8, 2e-7], [500e3], Setting.named("day"), particles=1000, seed=3)
    flag = result["escape_fraction_flag"].sel(species="Fe+").values.ravel()
    assert 0 < float(result["escape_fraction"].sel(species="Fe+")[1, 0]) < 0.01
    assert flag.tolist() == [0, 1, 0]  # an upper limit, one or a few ions, many
    assert result["escape_fraction_flag"].attrs["flag_meanings"] == "good few_ions"
    profile = reach_profile(["O2+"], np.linspace(600e3, 2500e3, 20).tolist(), 500e3, Setting.named("night"), particles=500)
    number = profile["passing_fraction"].values * 500
    few = profile["passing_fraction_flag"].values == 1
    assert few.any()
    assert (number[few] < 10.0).all()
    assert not few[0, 0]


def test_metals_without_a_rate_fly_with_that_of_magnesium():
    setting = Setting.named("day")
    names = ["Li+", "Ti+", "K+", "Ni+", "Cu+", "Ge+"]
    result = escape_fractions(names, [2e-7], [500e3], setting, particles=300)
    # radiative loss: some 1e-11 cm3/s times 1e5 cm-3 in an hour is a fraction of 4e-3 at most
    assert float(result["recombined_fraction"].max()) < 4e-3
    assert (result["recombined_fraction"] > 0.0).all()
    assert "recombination of Li+, Ti+, K+, Ni+, Cu+, Ge+" in result.attrs["sources"]
    assert "recombination of" not in escape_fractions(["Fe+"], [2e-7], [500e3], setting, particles=300).attrs["sources"]


def test_splitting_gives_the_exact_share_without_waves():
    place = around(75.0)
    exact = maxwellian_escape_fraction("O+", 20000.0, 500e3, place)
    share, error = rare_escape_fraction("O+", Setting("own", place, 20000.0, 0.0), 500e3, 2000, seed=2, repeats=6)
    assert error < 0.2 * exact
    assert abs(share - exact) < 4.0 * error


@pytest.mark.parametrize(("species", "preset"), [("Fe+", "day"), ("O2+", "night")])
def test_splitting_agrees_with_counting(species, preset):
    setting = Setting.named(preset).with_pre_power(5e-8)
    flights, _ = launch_and_fly(species, setting, 500e3, 20_000, 5)
    weight = np.where(flights.reached, flights.weight, 0.0)
    share, error = rare_escape_fraction(species, setting, 500e3, 1500, seed=1, repeats=4)
    assert error < 0.15 * share
    assert abs(share - weight.mean()) < 4.0 * np.hypot(error, weight.std() / np.sqrt(20_000))


def test_splitting_reaches_shares_that_counting_does_not():
    # 2e5 ions at 1e-8 give two Fe+; the share must be resolved to better than a factor of 2 with a twentieth of the ions
    share, error = rare_escape_fraction("Fe+", Setting.named("day"), 500e3, 1000, seed=4, repeats=4)
    assert 5e-7 < share < 3e-5
    assert error < share
    with pytest.raises(SettingsError, match="100 and 2 at least"):
        rare_escape_fraction("Fe+", Setting.named("day"), 500e3, 10)


def test_profile_of_passages_falls_with_altitude():
    profile = reach_profile(["O+", "O2+"], [700e3, 900e3, 1200e3], 500e3, Setting.named("night"), particles=1000)
    share = profile["passing_fraction"].values
    assert (np.diff(share, axis=1) < 0.0).all()


def test_refusals():
    with pytest.raises(CoverageError, match="higher latitude"):
        around(50.0)
    with pytest.raises(SettingsError, match="starts must"):
        fly_ions("O+", 400e3, [1000.0], [0.0], around(), 0)
    with pytest.raises(SettingsError, match="no positive ion"):
        heating_rate("O", 1e-6)
    with pytest.raises(SettingsError, match="use one of day"):
        Setting.named("dusk")
    with pytest.raises(SettingsError, match="100 at least"):
        escape_fractions(["O+"], [1e-8], [500e3], Setting.named("day"), particles=10)
    with pytest.raises(SettingsError, match="the first three above 0"):
        launch_upflow(10, 0.0, OXYGEN, 0.0, np.random.default_rng(0))
