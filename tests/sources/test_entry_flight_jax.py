"""Flights through JAX against the compiled kernel, the invariant of the classical law, and the budget of elements."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from siderion.core.errors import NumericalError, SettingsError
from siderion.sources.entry import flight_jax
from siderion.sources.entry.atmosphere import standard_atmosphere
from siderion.sources.entry.flight import ENDS, fly_bodies
from siderion.sources.entry.flight_jax import fly_bodies_jax
from siderion.sources.entry.materials import composition
from siderion.sources.entry.settings import AblationSettings

AIR = standard_atmosphere()
EDGES = np.arange(70e3, 130e3, 2e3)  # so that some is released outside
has_jax = pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")


def bodies(count=40):
    # masses even in the logarithm, and grazing paths; always as many, so that each model is compiled once
    generator = np.random.default_rng(3)
    angles = np.degrees(np.arcsin(np.sqrt(generator.uniform(0.0, 1.0, count))))
    mass, speed = 10.0 ** generator.uniform(-12.0, -3.0, count), generator.uniform(11e3, 70e3, count)
    return mass, speed, angles, generator.uniform(1000.0, 3500.0, count)


def both(**options):
    chosen = AblationSettings(**options)
    return [fly(*bodies(), AIR, chosen, EDGES) for fly in (fly_bodies, fly_bodies_jax)]


@has_jax
@pytest.mark.parametrize(
    "options",
    [{}, {"gravity": False, "curved": False}, {"curved": False, "surfaces": "front"}, {"model": "classical", "sigma": 0.05}],
)
def test_same_answer_as_the_compiled_kernel(options):
    expected, found = both(**options)
    assert {name: one.dims for name, one in found.items()} == {name: one.dims for name, one in expected.items()}
    assert found.attrs == expected.attrs
    for name in ("released_mass", "impact_ionised_mass", "released_outside", "residue_mass", "final_mass"):
        difference = np.abs(found[name] - expected[name]) / expected["initial_mass"]
        assert float(difference.max()) < 1e-6  # a hundredth of the tolerance of a step
    np.testing.assert_array_equal(found["end"], expected["end"])
    assert len(np.unique(found["end"])) >= 2  # the draw holds bodies that are gone, slowed or leave again
    np.testing.assert_allclose(found["half_mass_altitude"], expected["half_mass_altitude"], rtol=0.0, atol=1e-4)  # km
    np.testing.assert_allclose(found["half_mass_speed"], expected["half_mass_speed"], rtol=1e-5)
    # momentum of what is released, in units of initial mass and speed: speeds of bins with next to nothing do not count
    per_bin = [(one["released_speed"].fillna(0.0) * one["released_mass"].sum("element")).values for one in (found, expected)]
    mass, speed = bodies()[:2]
    assert (np.abs(per_bin[0] - per_bin[1]).max(axis=1) < 1e-6 * mass * speed).all()


@has_jax
def test_mass_of_every_element_is_conserved():
    found = both()[1]
    mass = found["initial_mass"]
    total = found["released_mass"].sum("alt") + found["released_outside"] + found["residue_mass"]
    fractions = total / mass
    material = composition("chondritic")
    expected = np.array([material[name] for name in found["element"].values]) / sum(material.values())
    np.testing.assert_allclose(fractions, np.broadcast_to(expected[:, None], fractions.shape), rtol=1e-12)
    assert float((np.abs(found["residue_mass"].sum("element") - found["final_mass"]) / mass).max()) < 1e-12
    assert (found["released_mass"] >= 0.0).all()
    assert (found["impact_ionised_mass"] <= found["released_mass"] * (1.0 + 1e-12)).all()
    mean = (found["released_mass"] * found["alt"]).sum("alt") / found["released_mass"].sum("alt")
    gone = found["final_mass"] < 1e-3 * mass
    assert gone.sum() > 5
    assert (mean.sel(element="Na") > mean.sel(element="Fe"))[gone].all()
    assert (mean.sel(element="Fe") > mean.sel(element="Ca"))[gone].all()


@has_jax
@pytest.mark.parametrize("tolerance", [1e-3, 1e-8])
def test_invariant_of_the_classical_law_whatever_the_tolerance(tolerance):
    # m = m0 exp(-sigma (v0^2 - v^2)/2) where nothing but the air acts
    chosen = AblationSettings(model="classical", sigma=0.05, gravity=False, curved=False, tolerance=tolerance)
    mass, speed, *_ = bodies()
    found = fly_bodies_jax(*bodies(), AIR, chosen, EDGES)
    expected = -0.5 * 0.05e-6 * (speed**2 - found["final_speed"].values ** 2)
    np.testing.assert_allclose(np.log(found["final_mass"].values / mass), expected, rtol=1e-7, atol=1e-10)
    half = np.isfinite(found["half_mass_speed"].values)
    assert half.sum() > 5
    drop = np.sqrt(speed[half] ** 2 - 2.0 * np.log(2.0) / 0.05e-6)  # speed where the invariant leaves half
    np.testing.assert_allclose(found["half_mass_speed"].values[half], drop, rtol=1e-5)


@has_jax
def test_derivatives_agree_on_the_levels_of_the_air_too():
    import jax

    from siderion.sources.entry.flight import _plan
    from siderion.sources.entry.rates import FIRST, jacobian, rates

    plan = _plan(AblationSettings(), AIR, "chondritic", None, 400e3)
    body = plan.body._replace(unit_mass=1e-9, density=2200.0)
    melt = plan.melt.group_fractions, plan.melt.volatility
    size = FIRST + len(plan.melt.volatility)
    slopes, right = np.empty((size, size)), np.empty(size)
    for altitude in (95.1e3, 300e3, 450e3):  # within a cell, on a level, beyond the table
        state = np.array([altitude, 0.5 * 60e3**2, 0.7, 1900.0, *np.linspace(-0.3, -0.1, size - FIRST)])
        jacobian(state, *melt, body, plan.air, plan.yields, slopes)
        rates(state, *melt, body, plan.air, plan.yields, right)
        with flight_jax._compiled(False)[1]():
            one = flight_jax._right_hand_side(jax, False)
            air = plan.air.bottom, plan.air.step, jax.numpy.asarray(flight_jax._cells(plan))
            rest = 1e-9, 2200.0, body, air, *melt
            np.testing.assert_allclose(one(jax.numpy.asarray(state), *rest), right, rtol=1e-12)
            np.testing.assert_allclose(jax.jacfwd(one)(jax.numpy.asarray(state), *rest), slopes, rtol=1e-10)


@has_jax
def test_one_leaves_again_one_reaches_the_ground_and_one_has_no_end():
    thin = AblationSettings(model="classical", sigma=1e-6, gravity=False)
    mass, speed, angles, density = bodies()
    mass[:2], speed[:2], angles[:2], density[:2] = (1.0, 1e12), 7e4, (85.0, 0.0), 3e3
    found = fly_bodies_jax(mass, speed, angles, density, AIR, thin, EDGES)
    assert [ENDS[k] for k in found["end"].values[:2]] == ["left", "ground"]
    with pytest.raises(NumericalError, match="within 100 steps"):
        fly_bodies_jax(*bodies(), AIR, AblationSettings(largest_steps=100), EDGES)


def test_what_is_refused():
    for name, value in (("fragmentation", "pressure"), ("sputtering", True)):
        with pytest.raises(SettingsError, match=f"{name} is {value!r}"):
            fly_bodies_jax(1e-9, 2e4, 45.0, 3000.0, AIR, AblationSettings(**{name: value}))
    with pytest.raises(SettingsError, match="zenith angle of body 0 is 95"):
        fly_bodies_jax(1.0, 2e4, 95.0, 3000.0, AIR)


def test_without_jax_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    flight_jax._compiled.cache_clear()
    with pytest.raises(SettingsError, match=r"install siderion\[gpu\]"):
        fly_bodies_jax(1e-9, 2e4, 45.0, 3000.0, AIR)


def test_importing_the_module_does_not_import_jax():
    code = "import sys, siderion.sources.entry.flight_jax; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
