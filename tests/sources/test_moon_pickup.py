from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.constants import atomic_mass, elementary_charge

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import SettingsError
from siderion.core.measurement import check_measurement
from siderion.sources.moon.average import mean_arrival_share
from siderion.sources.moon.births import photo_ions
from siderion.sources.moon.exosphere import impact_vapour_rate, lunar_exosphere, shadow_free_share
from siderion.sources.moon.pickup import make_scene
from siderion.sources.moon.plasma import get_plasma_state
from siderion.sources.moon.results import compare_with_suleica, ldex_production, simulate_pickup, suleica_species
from siderion.sources.moon.settings import PickupSettings
from siderion.sources.moon.sputtering import element_share, sputter_yields
from siderion.sources.moon.surfaces import arrival_surface, farris_russell_ratio
from siderion.sources.moon.uncertainty import source_factors, two_sided

MOON_RADIUS = 1.737e6
BASE = {"species": ["Fe+"], "moon": (60.0, 0.0, 0.0), "imf": (0.0, 5.0, 0.0), "particles": 2000, "aberration": False}


def pick(**changes):
    return simulate_pickup(PickupSettings.make(BASE | changes))


def test_every_launched_ion_strikes_arrives_or_misses() -> None:
    found = pick(species=["Fe+", "Na+"], imf=(1.0, 3.0, -4.0), imf_spread=2.0, source="sputter")
    shares = found["share_striking_moon"] + found["share_arriving"] + found["share_missing"]
    np.testing.assert_allclose(shares, 1.0, atol=1e-12)
    assert (found["share_arriving"] > 0.0).all()
    # the map and the spectrum hold the ions that arrive: as rates they agree with the share of those launched
    area = EARTH_RADIUS**2
    arriving = (found["launch_rate"] * found["share_arriving"]).values
    np.testing.assert_allclose(found["arrival_map"].sum(("arrival_y", "arrival_z")) * area, arriving, rtol=1e-6)


def test_energy_at_a_plane_is_that_of_the_cycloid_phase() -> None:
    # plane 23 RE behind the Moon: about half a cycloid of 45.7 RE, so the ions have nearly their largest energy
    found = pick(at=37.0, radius=20.0)
    assert float(found["pickup_energy_largest"][0]) == pytest.approx(185.2e3, rel=1e-3)
    # by hand: (s - sin s) = 2 pi 23/45.66 for the phase s; energy = 185.2 keV (1 - cos s)/2
    phase = np.linspace(0.0, 2.0 * np.pi, 100_001)
    turned = phase[np.argmin(np.abs(phase - np.sin(phase) - 2.0 * np.pi * 23.0 / 45.66))]
    expected = 185.2e3 * (1.0 - np.cos(turned)) / 2.0
    assert float(found["arrival_energy_mean"][0]) == pytest.approx(expected, rel=0.02)


def test_phase_of_arrival_matters() -> None:
    # the cycloid of Fe+ is 46 RE long: 46 RE behind the Moon the ions stand nearly still again
    slow = float(pick(at=14.4, radius=20.0)["arrival_energy_mean"][0])
    assert slow < 0.2 * float(pick(at=37.0, radius=20.0)["arrival_energy_mean"][0])


def test_spread_of_the_wind_spreads_the_energies_about_the_mean_of_the_cycle() -> None:
    found = pick(at=14.4, radius=30.0, imf_spread=2.0, clock_angles="all")
    flux = np.where(found["differential_flux_upper_limit"], 0.0, found["differential_flux"])[0]
    assert (flux > 0.0).sum() > 25


def test_wake_width_at_8_nt_is_9_radii_for_one_direction_and_twice_that_for_all() -> None:
    one = pick(imf=(0.0, 8.0, 0.0))
    assert float(one["wake_width"][0]) == pytest.approx(9.1, abs=0.6)  # 2 r_g and the Moon, 0.55 RE
    every = pick(imf=(0.0, 8.0, 0.0), clock_angles="all")
    assert 1.7 < float(every["wake_width"][0]) / float(one["wake_width"][0]) < 2.1
    light = pick(species=["Na+"], imf=(0.0, 8.0, 0.0))
    assert float(light["wake_width"][0]) < 0.5 * float(one["wake_width"][0])
    fast = pick(imf=(0.0, 8.0, 0.0), speed=800.0)
    assert float(fast["wake_width"][0]) == pytest.approx(2.0 * float(one["wake_width"][0]), rel=0.1)


def test_nothing_arrives_and_why() -> None:
    tail = pick(moon=(-60.0, 0.0, 0.0))
    assert "behind the bow shock" in json.loads(tail.attrs["no_arrival_reason"])["Fe+"]
    side = pick(moon=(10.0, 59.0, 0.0))
    assert "pass the Earth" in json.loads(side.attrs["no_arrival_reason"])["Fe+"]
    for found in (tail, side):
        check_measurement(found, "arrival_flux")
        assert bool(found["arrival_flux_upper_limit"][0])
        assert float(found["share_arriving"][0]) == 0.0


def test_share_of_the_surface_ions_that_fall_back() -> None:
    # By hand: under the acceleration a = q V B/m ions of the half that E points into fall back, but for a strip along its edge:
    # an ion that leaves at a depth d (angle) under the edge with the speed v up the normal has the height
    # v t - a d t^2/2 + a^2 t^4/(8 R), which stays positive where d^(3/2) < 1.5 sqrt(3) v/sqrt(a R). The cosine law puts starts
    # evenly on the disc across the flow, so the strip holds (s sqrt(1 - s^2) + asin s)/pi with s = sin d. Speeds along the
    # surface are left out. A fast flow with a weak field has the same a without turning the ions on the way.
    generator = np.random.default_rng(8)
    part = np.sqrt(generator.random(100_000))
    energy = 4.34 * elementary_charge * part / (1.0 - part)  # cumulative (E/(E + E_b))^2 of the law E/(E + E_b)^3
    normal = np.sqrt(2.0 * energy / (55.845 * atomic_mass) * generator.random(100_000))
    acceleration = elementary_charge / (55.845 * atomic_mass) * 400e3 * 5e-9
    depth = (1.5 * np.sqrt(3.0) * normal / np.sqrt(acceleration * MOON_RADIUS)) ** (2.0 / 3.0)
    s = np.sin(np.minimum(depth, np.pi / 2.0))
    expected = 0.5 - np.mean((s * np.sqrt(1.0 - s**2) + np.arcsin(s)) / np.pi)
    found = pick(particles=20_000, speed=40_000.0, imf=(0.0, 0.05, 0.0), at=50.0)
    assert float(found["share_striking_moon"][0]) == pytest.approx(expected, abs=0.02)


def test_flux_is_the_launch_rate_times_the_share_over_the_area_and_the_spectrum_adds_up_to_it() -> None:
    found = pick(species=["Fe+", "Na+"], imf_spread=2.0, source="all", photo_rates={"Fe": 1e-6}, particles=1000)
    expected = (found["launch_rate"] * found["share_arriving"]).values
    np.testing.assert_allclose(found["arrival_flux"] * found.attrs["surface_area_m2"], expected, rtol=1e-6)
    np.testing.assert_allclose(found["arrival_rate"], expected, rtol=1e-6)
    width = found["energy_bounds"].values[:, 1] - found["energy_bounds"].values[:, 0]
    flux = np.where(found["differential_flux_upper_limit"], 0.0, found["differential_flux"])
    np.testing.assert_allclose((flux * width).sum(axis=1), found["arrival_flux"], rtol=1e-6)


def test_flux_has_the_uncertainty_of_the_ion_fraction() -> None:
    found = pick()
    check_measurement(found, "arrival_flux")
    check_measurement(found, "differential_flux")
    # ln of the upper end at 84 % (0.994 sigma): ln(3.162) of the ion fraction, ln(1.25) of the yields, and the binomial scatter
    count = 2000 * float(found["share_arriving"][0])
    expected = np.exp(0.9945 * np.sqrt(np.log(3.162) ** 2 + np.log(1.25) ** 2 + 1.0 / count))
    assert float(found["arrival_flux_upper"][0] / found["arrival_flux"][0]) == pytest.approx(expected, rel=0.06)


def test_silicon_beside_suleica_by_hand() -> None:
    # half a cycloid of 23 RE behind the Moon all ions have nearly their largest energy, 93 keV, in the range of 5 to 230 keV
    found = pick(species=["Si+"], at=48.5, radius=20.0)
    share = float(found["share_arriving"][0])
    assert share + float(found["share_striking_moon"][0]) == pytest.approx(1.0, abs=1e-12)
    # n V pi R^2 (0.9492 of 7.3e-3, 0.05 of 7.6e-2, 0.0008 of 0.5 atoms per ion), heat adds half a percent
    atoms = 5e6 * 400e3 * np.pi * MOON_RADIUS**2 * 0.011129
    expected = atoms * element_share("Si") * 3.16e-3 * share / (np.pi * (20.0 * EARTH_RADIUS) ** 2) * 1e-4 / 225.0 / (4.0 * np.pi)
    simulated, observed = compare_with_suleica(found)
    assert simulated == pytest.approx(expected, rel=0.01)
    assert observed == 0.3
    chosen = suleica_species(pick(species=["Na+", "K+", "Mg+", "O+"], particles=256))
    assert list(chosen) == [True, False, True, False]


def test_ions_drift_aside_in_an_oblique_field() -> None:
    # V = (-V, 0, 0), b = (1, 1, 0)/sqrt 2: the part of V across b is (-V/2, V/2, 0), so 48 RE towards the Earth are 48 RE aside
    oblique = {"imf": (3.5, 3.5, 0.0), "at": 12.0, "radius": 15.0, "speed": 400.0, "particles": 1000}
    assert float(pick(**oblique)["share_arriving"][0]) == 0.0
    from_dawn = pick(**oblique, moon=(60.0, -48.0, 0.0))
    # y = -48 + 48 within the gyration (2 r_g = 10 RE along E, 7 RE along y); a few are launched fast along the field
    assert float(from_dawn["share_missing"][0]) < 0.005
    assert float(from_dawn["share_arriving"][0]) > 0.5
    assert float(pick(**oblique, moon=(60.0, 48.0, 0.0))["share_arriving"][0]) == 0.0
    # the opposite field has the same drift; only E turns
    opposite = pick(**(oblique | {"imf": (-3.5, -3.5, 0.0)}), moon=(60.0, -48.0, 0.0))
    assert float(opposite["share_missing"][0]) < 0.005
    # ions of a Parker spiral (-1, 1, 0) go to dawn as far as they go earthwards: they pass x = 12 RE at y - (x - 12) of the Moon,
    # at 60.34 RE and 13.4, 14.2, 15.0, 15.8, 16.6 h: -22.8, -5.8, 12.0, 29.8, 46.8 RE, less up to 7 RE of gyration
    parker = mean_arrival_share(PickupSettings.make(BASE | oblique | {"imf": (-3.5, 3.5, 0.0)}), first_hour=13.0, last_hour=17.0)
    shares = parker["share_by_case"].values[0]
    assert (shares[:, 1] > 0.5).all()
    assert (shares[:, [0, 3, 4]] < 0.005).all()
    assert float(parker["mean_share"][0]) == pytest.approx(float(parker["share_by_case"].mean()))
    assert float(parker["lowest_share"][0]) == shares.min()


def test_same_seed_same_result() -> None:
    assert pick(seed=4).identical(pick(seed=4))
    assert not pick(seed=4).equals(pick(seed=5))


def test_two_sided_factors() -> None:
    np.testing.assert_allclose(two_sided(2.0, 1.0, 8.0, np.array([-1.0, 0.0, 1.0])), [0.5, 1.0, 4.0])
    state, yields = get_plasma_state("solar-wind"), sputter_yields()
    for origin in ("sputtering", "photo sputtering", "photo impact", "photo desorption"):
        factors = source_factors(origin, "Na", state, yields, 4000, np.random.default_rng(2))
        assert np.median(factors) == pytest.approx(1.0, abs=0.15)
    assert (source_factors("photo sputtering", "Na", state, sputter_yields(0.01), 9, np.random.default_rng(2)) == 1.0).all()


def test_bow_shock_standoff() -> None:
    # facts: magnetopause 10.209 RE at 2.056 nPa and Bz 0, bow shock 13.195 RE at Mach 8
    assert 10.209 * farris_russell_ratio(8.0) == pytest.approx(13.195, abs=1e-3)
    # strong shock: 1 + 1.1 (g - 1)/(g + 1) = 1.275
    assert farris_russell_ratio(1e6) == pytest.approx(1.275, abs=1e-9)
    with pytest.raises(SettingsError, match="Mach"):
        farris_russell_ratio(0.9)
    state = get_plasma_state("solar-wind")
    pause = arrival_surface("magnetopause", state, 0.0)
    shock = arrival_surface("bow-shock", state, 0.0)
    assert shock.nose / pause.nose == pytest.approx(farris_russell_ratio(state.magnetosonic_mach_number()))
    # Shue at 90 degrees: r0 2^alpha
    assert pause.area == pytest.approx(np.pi * (pause.nose * 2.0 ** pause.parameters[1]) ** 2, rel=1e-6)
    assert arrival_surface(9.0 * EARTH_RADIUS, state, 0.0, radius=2.0).area == pytest.approx(4.0 * np.pi)
    with pytest.raises(SettingsError, match="--at"):
        arrival_surface("nowhere", state, 0.0)


def test_exosphere_and_its_ions() -> None:
    found = lunar_exosphere("Na", get_plasma_state("solar-wind"), sputter_yields(), seed=3, particles=4000)
    assert list(found["population"].values) == ["sputtering", "impact", "desorption"]
    density = found["density"].sel(population="desorption").values * 1e-6
    # the mean over the sphere of 70 cm-3 max(cos, 0) is 17.5 cm-3. At 1200 K it falls as exp(-h/H), H = k T/(m g) = 268 km; mean
    # over the first shell of 68 km: 17.5 H/68 (1 - exp(-68/H)) = 15.4
    scale = 1.380649e-23 * 1200.0 / (22.98977 * atomic_mass * 1.625) / 1e3
    shell = MOON_RADIUS / 1e3 * (10.0 ** (1.0 / 60.0) - 1.0)
    assert density[0] == pytest.approx(17.5 * scale / shell * (1.0 - np.exp(-shell / scale)), rel=0.03)
    np.testing.assert_allclose(found["subsolar_density"].sel(population="desorption"), 4e6 * density, rtol=1e-12)
    # thin exosphere: ions per second are at most atoms released per second
    assert (found["ion_production_rate"] < found["source_rate"]).all()
    # far out, every atom that sunlight removes from a population that is lit everywhere is an ion
    whole = lunar_exosphere(
        "Na",
        get_plasma_state("solar-wind"),
        sputter_yields(),
        seed=3,
        particles=4000,
        releases=("sputtering",),
        outer_radius=100.0,
    )
    np.testing.assert_allclose(whole["photo_loss_rate"], whole["ion_production_rate"], rtol=0.01)


def test_impact_vapour_adds_up_to_its_mass() -> None:
    # 1.4 t/d times 25 in kg/s
    masses = {"O": 15.999, "Si": 28.085, "Al": 26.982, "Ca": 40.078, "Fe": 55.845, "Mg": 24.305, "Ti": 47.867,
              "Mn": 54.938, "Na": 22.990, "K": 39.098}  # fmt: skip
    total = sum(impact_vapour_rate(element) * mass for element, mass in masses.items()) * 1.66053907e-27
    assert total == pytest.approx(1.4e3 * 25 / 86400.0, rel=1e-4)


def test_sunlit_share_of_a_sphere() -> None:
    np.testing.assert_allclose(shadow_free_share(np.array([1.0, 2.0, 1e6]), 1.0), [0.5, 0.5 + np.sqrt(3.0) / 4.0, 1.0])


def test_ldex_production() -> None:
    # 6e3 m-3 s-1 over 100 km above the sunlit half of the Moon
    assert ldex_production() == pytest.approx(1.1e22, rel=0.05)


def test_desorbed_ions_stay_below_ldex() -> None:
    # by hand: n sqrt(k T/(2 pi m)) at the subsolar point, over pi R^2 (the cosine over the lit half); the few atoms that escape
    # and do not come down as half of the density make the release up to a percent larger
    state, yields = get_plasma_state("solar-wind"), sputter_yields()
    total = 0.0
    for element, density, mass in (("Na", 70e6, 22.98977), ("K", 17e6, 39.0983)):
        found = lunar_exosphere(element, state, yields, seed=3, particles=4000, releases=("desorption",))
        flux = density * np.sqrt(1.380649e-23 * 1200.0 / (2.0 * np.pi * mass * atomic_mass))
        assert float(found["source_rate"][0]) == pytest.approx(flux * np.pi * MOON_RADIUS**2, rel=0.01)
        total += float(found["ion_production_rate"][0])
    assert 0.0 < total < ldex_production()


def test_desorbed_ions_start_over_the_day_side() -> None:
    found = lunar_exosphere(
        "K", get_plasma_state("solar-wind"), sputter_yields(), seed=3, particles=2000, releases=("desorption",)
    )
    (born,) = photo_ions("K", found, 20_000, np.random.default_rng(1))
    cosine = born.position[:, 0] / np.linalg.norm(born.position, axis=1)
    # density 2 c on (0, 1): mean 2/3, standard deviation sqrt(1/18)
    assert cosine.min() >= 0.0
    assert cosine.mean() == pytest.approx(2.0 / 3.0, abs=5.0 * np.sqrt(1.0 / 18.0 / 20_000))


@pytest.mark.parametrize("limit", [14.5, 20.0, np.nan, -31.0, -np.inf])
@pytest.mark.parametrize("place", ["bow-shock", "magnetopause"])
def test_tail_limits_that_cannot_be(limit: float, place: str) -> None:
    with pytest.raises(SettingsError, match="tail"):
        pick(tail_limit=limit, at=place)


def test_area_of_a_closing_tail_is_its_widest() -> None:
    # Bz 18 nT makes the flaring 0.45: the widest place lies in front of -30 RE
    surface = arrival_surface("magnetopause", get_plasma_state("solar-wind"), 18e-9, tail_limit=-30.0 * EARTH_RADIUS)
    angle = np.linspace(0.0, 3.0, 300_001)
    r = surface.parameters[0] * (2.0 / (1.0 + np.cos(angle))) ** surface.parameters[1]
    widest = (r * np.sin(angle))[r * np.cos(angle) >= -30.0 * EARTH_RADIUS].max()
    assert surface.area == pytest.approx(np.pi * widest**2, rel=1e-6)


@pytest.mark.parametrize(
    "changes",
    [{"yields": 0.0}, {"yields": {"H": 0.0, "He": 0.0, "O": 0.0}}, {"yields": 0.0, "source": "all"},
     {"speed": 20.0, "yield_energy": True, "at": 20.0, "yields": {"H": 0.01, "He": 0.0, "O": 0.0}}],
)  # fmt: skip
def test_nothing_sputtered_is_refused(changes: dict) -> None:
    with pytest.raises(SettingsError, match="sputters nothing"):
        pick(species=["Na+"], **changes)


def test_range_of_the_yields_is_marked_as_an_estimate() -> None:
    rows = {row["what"]: row["confidence"] for row in json.loads(pick(particles=256).attrs["sources"])}
    assert rows["range of the sputter yields"] == "unverified"
    own = json.loads(pick(particles=256, yields=0.01).attrs["sources"])
    assert "range of the sputter yields" not in [row["what"] for row in own]


def test_north_component_in_gsm_shapes_the_magnetopause() -> None:
    plain, turned = (make_scene(PickupSettings.make(BASE | {"at": "magnetopause", "bz_gsm": bz})) for bz in (None, -10.0))
    expected = arrival_surface("magnetopause", plain.state, -10e-9)
    assert turned.surface.parameters == expected.parameters != plain.surface.parameters


def test_photo_source_needs_a_rate() -> None:
    with pytest.raises(SettingsError, match="--photo-rate Fe=RATE"):
        pick(source="photo")
    found = pick(source="all", photo_rates={"Fe": 1e-6}, particles=256)
    assert float(found["launch_rate"][0]) > float(pick(particles=256)["launch_rate"][0])


def test_settings_are_checked() -> None:
    for changes in ({"imf": (0.0, 0.0, 0.0)}, {"moon": (np.nan, 0.0, 0.0)}, {"species": ["Fe+", "Fe+"]}, {"particles": 10}):
        with pytest.raises(SettingsError):
            PickupSettings.make(BASE | changes)
    with pytest.raises(SettingsError, match="singly charged"):
        pick(species=["Fe++"])
