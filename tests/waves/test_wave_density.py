"""From wave power to densities: numbers by hand, inverses, scaling, limits, and equation (1) from its own derivation."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siderion.core.bodies import get_body
from siderion.core.errors import DataError, SettingsError
from siderion.core.species import get_species
from siderion.waves import density as d
from siderion.waves.conventions import get_convention
from siderion.waves.density_settings import PlasmaSettings, Spread, flow_vector, rate_range, resolve_plasma
from siderion.waves.pickup_current import pickup_current, production_rate

LAMMER, SCHMID = get_convention("lammer2025"), get_convention("schmid2022")
PROTON = get_species("H+")
AMPLITUDES, FIELDS = st.floats(1e-12, 1e-8), st.floats(1e-9, 2e-6)
SPEEDS, ANGLES = st.floats(1e4, 1e6), st.floats(0.0, math.pi)


def bispherical_energy(alfven, speed, angle):
    """Energy per mass that an ion loses, exactly: in the frame of waves at +v_A and -v_A its speed is kept.

    Ions at v_par = v cos a scatter downwards on the sphere about +v_A (they feed waves along B) and upwards on that about
    -v_A, until both caps hold the same density per area. In the plasma frame the energy changes by s v_A times the change
    of v_par. On a sphere the area between two v_par is proportional to their distance times the radius.
    """
    start = speed * math.cos(angle)
    down = math.sqrt(speed**2 + alfven**2 - 2.0 * alfven * start)
    up = math.sqrt(speed**2 + alfven**2 + 2.0 * alfven * start)
    area_down = down * (start - alfven + down)
    area_up = up * (up - alfven - start)
    mean_down = (start + alfven - down) / 2.0 - start
    mean_up = (start + up - alfven) / 2.0 - start
    return alfven * (area_up * mean_up - area_down * mean_down) / (area_down + area_up)


@pytest.mark.parametrize("degrees", [0.0, 20.0, 45.0, 90.0, 130.0, 180.0])
def test_equation_1_is_the_first_order_of_the_bispherical_shell(degrees):
    angle, speed = math.radians(degrees), 4e5
    errors = []
    for ratio in (1e-2, 1e-3):
        ours = float(d.free_energy_per_ion(1.0, ratio * speed, speed, angle, transfer_efficiency=1.0))
        errors.append(abs(bispherical_energy(ratio * speed, speed, angle) / ours - 1.0))
    assert errors[1] < 2e-3
    assert errors[1] == pytest.approx(0.1 * errors[0], rel=0.1) or errors[1] < 1e-6  # first order in v_A/v_inj


def test_equation_1_by_random_scattering():
    # ions spread evenly in v_par below and above their start, shares (1 + c)/2 and (1 - c)/2: a count, no formula
    rng = np.random.default_rng(5)
    c = math.cos(math.radians(65.0))
    end = rng.uniform(-1.0, 1.0, 400_000)
    loss = np.abs(end - c).mean()
    ours = d.free_energy_per_ion(1.0, 1.0, 1.0, math.radians(65.0), transfer_efficiency=1.0)
    assert ours == pytest.approx(loss, rel=5e-3)


@pytest.mark.parametrize(("degrees", "share"), [(0.0, 1.0), (90.0, 0.5), (180.0, 1.0), (60.0, 0.625)])
def test_the_bracket_at_its_limits(degrees, share):
    assert 0.25 * d.free_energy_bracket(math.radians(degrees)) == pytest.approx(share, rel=1e-14)


def test_energy_and_speeds_by_hand():
    # (1e-9)^2 / (2 x 4 pi 1e-7) = 3.9789e-13; doubled with the motion of the plasma
    assert d.wave_energy_density(1e-9, convention=LAMMER) == pytest.approx(3.978873577e-13, rel=1e-9)
    both = LAMMER.with_values(kinetic_energy_included=True)
    assert d.wave_energy_density(1e-9, convention=both) == pytest.approx(7.957747155e-13, rel=1e-9)
    # the rule 21.81 km/s x B[nT] / sqrt(n[cm-3]): 25 nT and 40 cm-3 give 86.2 km/s
    rho = d.solar_wind_mass_density(40e6)
    assert d.alfven_speed(25e-9, rho) == pytest.approx(21.812e3 * 25.0 / math.sqrt(40.0), rel=1e-4)
    # 4 % alpha particles add 4 x 3.973 = 15.9 % to the mass
    assert d.solar_wind_mass_density(40e6, alpha_fraction=0.04) / rho == pytest.approx(1.0 + 0.04 * 3.97260, rel=1e-6)
    # 1.602177e-19 x 25e-9 / (2 pi 1.67353e-27 - electron) = 0.3811 Hz
    assert d.gyrofrequency(25e-9, PROTON.mass, PROTON.charge) == pytest.approx(0.3811, rel=1e-3)


def test_mercury_sanity_case():
    frequency = d.gyrofrequency(25e-9, PROTON.mass, PROTON.charge)
    rate = 7.26e-8 / 0.387**2
    ions = d.ion_density_of_neutrals(100e6, frequency, rate, convention=LAMMER)
    # by hand: 100 x 4.847e-7 x 100 / (2 pi 0.3811) = 2.024e-3 cm-3
    assert ions * 1e-6 == pytest.approx(2.024e-3, rel=2e-3)
    alfven = d.alfven_speed(25e-9, d.solar_wind_mass_density(40e6))
    amplitude = d.wave_amplitude_of_ions(ions, PROTON.mass, alfven, 400e3, math.pi / 2.0, convention=LAMMER)
    # by hand: E = 0.25 x 0.3 x 1.673e-27 x 2.024e3 x 8.622e4 x 4e5 x 2 = 1.7515e-14; sqrt(2 mu0 E) = 0.2098 nT
    assert amplitude * 1e9 == pytest.approx(0.2098, rel=3e-3)


def test_venus_case():
    frequency = d.gyrofrequency(10e-9, PROTON.mass, PROTON.charge)
    assert d.neutral_density(4e-3, frequency, 1.4e-7, convention=LAMMER) == pytest.approx(273.7, rel=2e-3)
    assert d.neutral_density(4e-3, frequency, 1.4e-7, convention=SCHMID) == pytest.approx(43.56, rel=2e-3)


def test_the_revision_raises_the_density_by_21():
    values = [4e-10, PROTON.mass, 8e4, 4e5, 1.0]
    neutrals = [d.neutral_density(d.ion_density(*values, convention=c), 0.4, 1e-7, convention=c) for c in (LAMMER, SCHMID)]
    assert neutrals[0] / neutrals[1] == pytest.approx(2.0 * math.pi / 0.3, rel=1e-13)


@given(amplitude=AMPLITUDES, alfven=SPEEDS, speed=SPEEDS, angle=ANGLES, name=st.sampled_from(["lammer2025", "schmid2022"]))
def test_there_and_back(amplitude, alfven, speed, angle, name):
    convention = get_convention(name).with_values(kinetic_energy_included=name == "schmid2022")
    ions = d.ion_density(amplitude, PROTON.mass, alfven, speed, angle, convention=convention)
    back = d.wave_amplitude_of_ions(ions, PROTON.mass, alfven, speed, angle, convention=convention)
    assert back == pytest.approx(amplitude, rel=1e-12)
    neutrals = d.neutral_density(ions, 0.3, 2e-7, convention=convention)
    assert d.ion_density_of_neutrals(neutrals, 0.3, 2e-7, convention=convention) == pytest.approx(float(ions), rel=1e-12)


def test_scaling_of_the_ion_density():
    start = {"amplitude": 2e-10, "ion_mass": PROTON.mass, "alfven": 8e4, "injection_speed": 4e5, "pitch_angle": 1.2}
    base = d.ion_density(**start, convention=LAMMER)
    powers = {"amplitude": 2.0, "ion_mass": -1.0, "alfven": -1.0, "injection_speed": -1.0}
    for name, power in powers.items():
        scaled = d.ion_density(**{**start, name: 3.0 * start[name]}, convention=LAMMER)
        assert scaled / base == pytest.approx(3.0**power, rel=1e-13)
    half = d.ion_density(**start, convention=LAMMER.with_values(transfer_efficiency=0.15))
    assert half / base == pytest.approx(2.0, rel=1e-13)


def test_the_field_cancels_in_the_density_of_the_neutrals():
    neutrals = []
    for field in (10e-9, 30e-9):
        alfven = d.alfven_speed(field, d.solar_wind_mass_density(40e6))
        ions = d.ion_density(2e-10, PROTON.mass, alfven, 4e5, 1.0, convention=LAMMER)
        frequency = d.gyrofrequency(field, PROTON.mass, PROTON.charge)
        neutrals.append(d.neutral_density(ions, frequency, 4e-7, convention=LAMMER))
    assert neutrals[0] == pytest.approx(float(neutrals[1]), rel=1e-13)


@given(amplitude=AMPLITUDES, factor=st.floats(1.001, 10.0), angle=ANGLES)
def test_more_power_means_more_ions(amplitude, factor, angle):
    low, high = (d.ion_density(a, PROTON.mass, 8e4, 4e5, angle, convention=LAMMER) for a in (amplitude, amplitude * factor))
    assert high > low


@given(one=st.floats(0.0, math.pi / 2), other=st.floats(0.0, math.pi / 2))
def test_a_larger_acute_angle_never_means_fewer_ions(one, other):
    small, large = sorted((one, other))
    values = [d.ion_density(2e-10, PROTON.mass, 8e4, 4e5, a, convention=LAMMER) for a in (small, large, math.pi - large)]
    assert values[0] <= values[1] * (1.0 + 1e-14)
    assert values[2] == pytest.approx(float(values[1]), rel=1e-13)


def test_no_wave_no_ions():
    assert d.ion_density(0.0, PROTON.mass, 8e4, 4e5, 1.0, convention=LAMMER) == 0.0


@given(turn=st.floats(0.0, math.pi), length=st.floats(1e-3, 1e3))
def test_pitch_angle_of_a_turned_vector(turn, length):
    field = length * np.array([math.cos(turn), math.sin(turn), 0.0])
    assert d.pitch_angle(field, [5.0, 0.0, 0.0]) == pytest.approx(turn, abs=1e-12)


def test_pitch_angle_keeps_its_accuracy_along_the_field():
    assert d.pitch_angle([1.0, 1e-9, 0.0], [1.0, 0.0, 0.0]) == pytest.approx(1e-9, rel=1e-9)
    assert d.pitch_angle(np.ones((4, 3)), [[-1.0, -1.0, -1.0]]).tolist() == pytest.approx([math.pi] * 4)


def test_injection_speed():
    assert d.injection_speed(300e3, 400e3) == pytest.approx(500e3, rel=1e-14)


def test_gyroradius_by_hand_and_its_limits():
    # m v / (e B) = 1.673e-27 x 4e5 / (1.602e-19 x 25e-9) = 167.0 km, 0.068 of the radius of Mercury
    radius = d.pickup_gyroradius(4e5, math.pi / 2, 25e-9, PROTON.mass, PROTON.charge)
    assert radius == pytest.approx(167.0e3, rel=1e-3)
    assert d.gyroradius_ratio(radius, 2440e3) == pytest.approx(0.06845, rel=1e-3)
    along = [d.pickup_gyroradius(4e5, a, 25e-9, PROTON.mass, PROTON.charge) for a in (0.0, math.pi)]
    assert np.allclose(along, 0.0, atol=1e-8)


def test_pickup_current_is_charge_times_production_times_gyroradius():
    ion = get_species("O2+")
    production = production_rate(1e12, 4.67e-7 / 27.0)
    assert production == pytest.approx(1e12 * 4.67e-7 / 27.0, rel=1e-14)
    current = pickup_current(production, ion.mass, 100e3, 450e-9)
    radius = d.pickup_gyroradius(100e3, math.pi / 2, 450e-9, ion.mass, ion.charge)
    assert current == pytest.approx(ion.charge * production * radius, rel=1e-13)
    # j x B takes momentum from the plasma at the rate at which new ions need it: m n_dot u
    assert current * 450e-9 == pytest.approx(ion.mass * production * 100e3, rel=1e-13)  # j B is the rate of momentum


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: d.alfven_speed([1e-9, 0.0], 1e-20), r"magnetic field is 0 at index \(1,\); it must be finite and positive"),
        (lambda: d.alfven_speed(1e-9, math.nan), "mass density is nan"),
        (lambda: d.wave_energy_density(-1.0, convention=LAMMER), "wave amplitude is -1"),
        (lambda: d.free_energy_bracket(90.0), "between 0 and pi radians; convert degrees"),
        (lambda: d.gyrofrequency(1e-9, 1e-27, 0.0), "charge is 0"),
        (lambda: d.pitch_angle([1.0, 2.0], [1.0, 0.0, 0.0]), r"shape \(2,\)"),
        (lambda: d.pitch_angle([0.0, 0.0, 0.0], [1.0, 0.0, 0.0]), "length of the magnetic field is 0"),
        (lambda: d.neutral_density(1.0, 0.3, 0.0, convention=LAMMER), "ionisation rate is 0"),
        (lambda: production_rate(math.inf, 1.0), "neutral density is inf"),
    ],
)
def test_impossible_values_are_refused(call, match):
    with pytest.raises(DataError, match=match):
        call()


def test_plasma_of_a_preset_is_the_geometric_middle_and_says_so():
    plasma = resolve_plasma(PlasmaSettings(), get_body("Mercury"))
    assert plasma.density == pytest.approx(math.sqrt(30.0 * 80.0) * 1e6, rel=1e-13)
    assert plasma.density_spread.distribution == "log-uniform"
    assert plasma.attributes()["plasma_density_origin"].startswith("geometric middle of the range of the preset of Mercury")
    assert plasma.attributes()["alfven_speed_composition"] == "protons without alpha particles"
    assert plasma.injection_speed > plasma.flow_speed


def test_a_given_value_of_unknown_uncertainty_is_not_exact():
    plasma = resolve_plasma(PlasmaSettings(density=40, speed=400), get_body("Mercury"))
    assert plasma.density_spread.relative == pytest.approx(0.5)
    assert plasma.speed_spread.relative == pytest.approx(0.2)
    exact = resolve_plasma(PlasmaSettings(density=40, density_uncertainty=0, speed=400, orbital_speed=0), get_body("Mercury"))
    assert exact.density_spread.distribution == "none"
    assert exact.injection_speed == 400e3
    alphas = resolve_plasma(PlasmaSettings(density=40, alpha_fraction=0.04), get_body("Mercury"))
    assert alphas.composition == "protons with 4 % alpha particles"
    assert alphas.mass_density > exact.mass_density


def test_moons_of_giants_need_the_mass_of_their_plasma():
    with pytest.raises(SettingsError, match="ion_mass"):
        resolve_plasma(PlasmaSettings(), replace(get_body("Europa"), ion_mass=None))
    preset = resolve_plasma(PlasmaSettings(), get_body("Europa"))
    assert preset.mass_density / preset.density == pytest.approx((16 * 20) ** 0.5 * 1.66054e-27, rel=1e-4)
    assert "preset of Europa" in preset.composition
    plasma = resolve_plasma(PlasmaSettings(ion_mass=18.5), get_body("Europa"))
    assert plasma.mass_density / plasma.density == pytest.approx(18.5 * 1.66054e-27, rel=1e-4)
    assert plasma.body_speed == 0.0
    with pytest.raises(SettingsError, match="not both"):
        resolve_plasma(PlasmaSettings(ion_mass=18.5, alpha_fraction=0.1), get_body("Europa"))


def test_a_body_without_plasma_asks_for_it():
    with pytest.raises(SettingsError, match="plasma_density is not known; give it with the option plasma_density"):
        resolve_plasma(PlasmaSettings(), get_body("26P"))


def test_flow_by_frame():
    plasma = resolve_plasma(PlasmaSettings(), get_body("Venus"))
    flow = flow_vector(PlasmaSettings(), "mso", plasma)
    assert flow.tolist() == pytest.approx([-400e3, plasma.body_speed, 0.0])
    assert np.linalg.norm(flow) == pytest.approx(plasma.injection_speed, rel=1e-14)
    assert flow_vector(PlasmaSettings(), "IAU_GANYMEDE", plasma) is None
    given_flow = flow_vector(PlasmaSettings(flow_direction=(0, 0, -2)), "unknown", plasma)
    assert given_flow.tolist() == pytest.approx([0.0, 0.0, -plasma.injection_speed])
    with pytest.raises(SettingsError, match="flow_direction"):
        flow_vector(PlasmaSettings(flow_direction=(0, 0, 0)), "MSO", plasma)


def test_rate_and_its_ends():
    middle = rate_range(1e-7, 4e-7, activity=None)
    assert [float(x) for x in middle] == pytest.approx([2e-7, 1e-7, 4e-7])
    assert [float(x) for x in rate_range(1e-7, 4e-7, activity=0.0)] == pytest.approx([1e-7] * 3)
    assert [float(x) for x in rate_range(1e-7, 4e-7, activity=1.0)] == pytest.approx([4e-7] * 3)
    assert [float(x) for x in rate_range(1e-7, 4e-7, activity=0.5)] == pytest.approx([2.5e-7] * 3)
    # a given rate keeps the relative range where the activity is unknown
    assert [float(x) for x in rate_range(1e-7, 4e-7, activity=None, given=6e-7)] == pytest.approx([6e-7, 3e-7, 12e-7])


@pytest.mark.parametrize(
    "values",
    [
        {"distribution": "uniform", "lower": 1.0},
        {"distribution": "log-uniform", "lower": 2.0, "upper": 1.0},
        {"distribution": "lognormal"},
        {"distribution": "normal"},
    ],
)
def test_half_a_spread_is_refused(values):
    with pytest.raises(SettingsError):
        Spread.make(values)
