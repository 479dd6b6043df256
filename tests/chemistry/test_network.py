from __future__ import annotations

import numpy as np
import pymsis
import pytest

from siderion.chemistry import (
    Temperatures,
    build_network,
    effective_rate,
    first_order_rates,
    known_metals,
    sunlit_factor,
)
from siderion.chemistry.network import TRANSPORT_ONLY, _contains
from siderion.core.errors import CoverageError, NumericalError, SettingsError

AIR = {"N2": 1e19, "O2": 2e18, "O": 1e17}
COLD = Temperatures(200.0, 300.0, 250.0)


def rate_of(network, key, **kwargs):
    rates = first_order_rates(network, kwargs.pop("temperatures", COLD), kwargs.pop("densities"), kwargs.pop("sunlit", 1.0))
    return rates[[edge.key for edge in network.edges].index(key)]


def test_full_iron_network():
    network = build_network("Fe")
    assert network.states == ("Fe+", "FeO+", "FeN2+", "FeO2+", "Fe", "FeO")
    assert len(network.edges) == 18
    assert network.sourced
    assert network.without_partner(AIR | {"O3": 1e14}) == ("NO+", "O2+", "O+", "N2+", "CO")


def test_simple_iron_network_is_the_four_channels():
    network = build_network("Fe", "simple")
    assert network.states == ("Fe+", "Fe")
    assert {edge.key for edge in network.edges} == {"fe_no_ion", "fe_o2_ion", "fe_photon", "fe_ion_electron"}
    assert list(network.scales_with_electrons) == [edge.key == "fe_ion_electron" for edge in network.edges]


@pytest.mark.parametrize("metal", known_metals())
@pytest.mark.parametrize("kind", ["full", "simple"])
def test_every_network_is_small_and_starts_with_the_ion(metal, kind):
    network = build_network(metal, kind)
    assert network.states[0] == f"{metal}+"
    assert len(network.states) <= 6
    assert network.sourced == (metal not in TRANSPORT_ONLY)
    assert all(edge.from_state != edge.to_state for edge in network.edges)
    assert all(edge.from_state in network.states and edge.to_state in network.states for edge in network.edges)


@pytest.mark.parametrize("metal", [metal for metal in known_metals() if metal not in TRANSPORT_ONLY])
def test_every_molecular_ion_recombines_with_electrons(metal):
    network = build_network(metal)
    neutralised = {edge.from_state for edge in network.edges if edge.scales_with_electrons}
    assert neutralised == {state for state in network.states if state.endswith("+")}


def test_metals_without_rates_have_the_ion_only():
    network = build_network("Ni")
    assert network.states == ("Ni+",)
    assert network.edges == ()
    assert not network.sourced
    assert first_order_rates(network, COLD, {}, np.ones(3)).shape == (0, 3)


def test_element_symbols_are_not_mixed_up():
    assert _contains("KO+", "K")
    assert _contains("SiO2+", "Si")
    assert not _contains("Kr", "K")
    assert not _contains("Na+", "N")


def test_rates_by_hand():
    network = build_network("Fe")
    densities = AIR | {"O2+": 1e10}
    third_body = 1.21e19
    assert rate_of(network, "fe_o2_ion", densities=densities) == pytest.approx(1.1e-5, rel=1e-10, abs=0.0)
    assert rate_of(network, "fe_ion_n2_m", densities=densities) == pytest.approx(
        4e-42 * (200.0 / 300.0) ** -1.52 * 1e19 * third_body, rel=1e-10, abs=0.0
    )
    assert rate_of(network, "fe_ion_electron", densities=densities) == pytest.approx(8e-18, rel=1e-10, abs=0.0)
    assert rate_of(network, "fe_photon", densities=densities, sunlit=0.25) == pytest.approx(1.25e-7, rel=1e-10, abs=0.0)
    assert rate_of(network, "fe_photon", densities=densities, sunlit=0.0) == 0.0
    assert rate_of(network, "fe_no_ion", densities=densities) == 0.0


def test_single_precision_input_does_not_underflow():
    network = build_network("Fe")
    single = {name: np.full((2, 1), value, dtype=np.float32) for name, value in AIR.items()}
    warm = Temperatures(*(np.full((1, 3), t, dtype=np.float32) for t in (200.0, 300.0, 250.0)))
    rates = first_order_rates(network, warm, single, np.float32(1.0))
    assert rates.shape == (18, 2, 3)
    exact = first_order_rates(network, COLD, AIR, 1.0)
    np.testing.assert_allclose(rates[:, 1, 2], exact, rtol=1e-6)
    tiny = np.finfo(np.float32).tiny
    assert np.all((exact == 0.0) | (exact > tiny))


def test_alternatives_replace_rates():
    default, other = build_network("Fe"), build_network("Fe", alternatives={"fe_ion_electron": "umist22"})
    assert default.states == other.states
    assert other.edges[5].key == "fe_ion_electron.umist22"
    with pytest.raises(SettingsError, match="simple network of Fe does not use it"):
        build_network("Fe", "simple", {"feo_o": "umist22"})
    with pytest.raises(CoverageError, match="no variant 'x'"):
        build_network("Fe", alternatives={"fe_ion_electron": "x"})


def test_bad_settings_and_backgrounds_are_named():
    with pytest.raises(SettingsError, match="kind of network is 'big'"):
        build_network("Fe", "big")
    with pytest.raises(CoverageError, match="no network for metal 'Au'"):
        build_network("Au")
    network = build_network("Fe")
    with pytest.raises(CoverageError, match="density of O2, O is missing"):
        first_order_rates(network, COLD, {"N2": 1e19}, 1.0)
    with pytest.raises(NumericalError, match=r"density of O is -1.0 at index \(\)"):
        first_order_rates(network, COLD, AIR | {"O": -1.0}, 1.0)
    with pytest.raises(NumericalError, match=r"sunlit factor is 1\.5"):
        first_order_rates(network, COLD, AIR, 1.5)


# Loss of Fe+ through molecular ions without ozone at an electron density of 1e4 cm-3 (70 N 20 E, day 169, F10.7 150,
# Ap 7, NRLMSISE-00), s-1, as published to two figures or fewer for one hour that is not stated.
PUBLISHED_LOSS = {85.0: 4.8e-3, 90.0: 1.3e-4, 95.0: 5.7e-6, 100.0: 4e-7, 110.0: 1.5e-8}


def effective_loss(hours):
    day = np.datetime64("2019-01-01") + np.timedelta64(168, "D")
    times = day + hours.astype("timedelta64[h]")
    count = len(hours)
    altitudes = np.array(list(PUBLISHED_LOSS))
    air = pymsis.calculate(
        times, [20.0], [70.0], altitudes, [150.0] * count, [150.0] * count, [[7.0] * 7] * count, version=0
    ).reshape(count, altitudes.size, -1)
    densities = {"N2": air[..., 1], "O2": air[..., 2], "O": air[..., 3]}
    network = build_network("Fe")
    kelvin = air[..., 10]
    rates = first_order_rates(network, Temperatures(kelvin, kelvin, kelvin), densities, 0.0)
    rates[network.scales_with_electrons] *= 1e10
    rates[[edge.key for edge in network.edges].index("fe_ion_electron")] = 0.0
    end = network.states.index("Fe")
    loss = effective_rate(rates, network.edges_from, network.edges_to, len(network.states), 0, end)
    return loss, densities, kelvin


def test_published_effective_loss():
    published = np.array(list(PUBLISHED_LOSS.values()))
    loss, _, _ = effective_loss(np.arange(0, 24, 3))
    assert np.all(loss.min(axis=0) < published)
    assert np.all(published < loss.max(axis=0))
    # The hour 09 UT (near local noon) meets the published values best.
    np.testing.assert_allclose(loss[3, :4], published[:4], rtol=0.05)


def test_effective_loss_equals_the_elimination_by_hand():
    loss, air, kelvin = effective_loss(np.array([9]))
    # pymsis gives float32, in which three-body rates near 1e-42 m6 s-1 are subnormal.
    air = {name: density.astype(np.float64) for name, density in air.items()}
    kelvin = kelvin.astype(np.float64)
    third_body = air["N2"] + air["O2"] + air["O"]
    to_n2 = 4.0e-42 * (kelvin / 300.0) ** -1.52 * air["N2"] * third_body
    to_o2 = 8.3e-42 * (kelvin / 300.0) ** -1.52 * air["O2"] * third_body
    slow = 3e-13 * (200.0 / kelvin) ** 0.5 * 1e10
    fast = 5.5e-13 * (300.0 / kelvin) ** 0.5 * 1e10
    oxide = fast / (fast + 3.2e-17 * air["O"])
    nitrogen = slow / (slow + 4.6e-16 * air["O"])
    oxygen = slow / (slow + 6.3e-17 * air["O"])
    expected = to_n2 * (nitrogen + (1 - nitrogen) * oxide) + to_o2 * (oxygen + (1 - oxygen) * oxide)
    np.testing.assert_allclose(loss, expected, rtol=1e-12)


def test_sunlight():
    zenith = np.array([0.0, 89.9, 90.0, 90.1, 180.0])
    np.testing.assert_array_equal(sunlit_factor(zenith, 100.0, "horizon"), [1, 1, 1, 0, 0])
    # At 100 km the shadow begins at 180 - arcsin(R/(R + h)) = 100.09 degrees.
    np.testing.assert_array_equal(sunlit_factor([100.0, 100.2, 180.0], 100.0, "geometric_shadow"), [1, 0, 0])
    assert sunlit_factor(90.1, 0.0, "geometric_shadow") == 0.0
    assert sunlit_factor(zenith[:, None], np.array([[85.0, 300.0]]), "horizon").shape == (5, 2)
    with pytest.raises(SettingsError, match="rule of sunlight is 'twilight'"):
        sunlit_factor(0.0, 100.0, "twilight")
    with pytest.raises(NumericalError, match="solar zenith angle is 181"):
        sunlit_factor(181.0, 100.0, "horizon")
