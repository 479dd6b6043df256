from __future__ import annotations

import json

import numpy as np
import pytest

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import SettingsError
from siderion.core.measurement import check_measurement
from siderion.sources.moon.exosphere import impact_vapour_rate, lunar_exosphere, shadow_free_share
from siderion.sources.moon.plasma import get_plasma_state
from siderion.sources.moon.results import compare_with_suleica, ldex_production, simulate_pickup
from siderion.sources.moon.settings import PickupSettings
from siderion.sources.moon.sputtering import sputter_yields
from siderion.sources.moon.surfaces import arrival_surface, farris_russell_ratio
from siderion.sources.moon.uncertainty import source_factors, two_sided

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


def test_about_half_of_the_surface_ions_fall_back() -> None:
    # E lies along the terminator plane: half of the lit side faces it; launched outwards at some km/s, fewer than half fall
    share = float(pick()["share_striking_moon"][0])
    assert 0.25 < share < 0.5


def test_flux_has_the_uncertainty_of_the_ion_fraction() -> None:
    found = pick()
    check_measurement(found, "arrival_flux")
    check_measurement(found, "differential_flux")
    # the ends of the ion fraction are a factor 3.16 away, the yields add 25 %
    assert 2.5 < float(found["arrival_flux_upper"][0] / found["arrival_flux"][0]) < 5.0
    simulated, observed = compare_with_suleica(pick(species=["Si+"]))
    assert observed == 0.3
    assert 0.0 < simulated < observed


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
    # the mean of the first shell (67 km) is below the 70 cm-3 of the surface; it falls with height
    assert 50.0 < density[0] < 70.0
    assert density[20] < density[0]
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
