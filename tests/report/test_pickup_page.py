from __future__ import annotations

import re

import numpy as np
import pytest

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import DataError
from siderion.report import render_report
from siderion.report.pickup_figures import MapFrame, draw_arrival
from siderion.report.pickup_page import _boundaries, _path, is_pickup, render_pickup_page
from siderion.sources.moon.pickup import make_scene
from siderion.sources.moon.results import compare_with_suleica, simulate_pickup
from siderion.sources.moon.settings import PickupSettings

NEW_MOON = {"species": ["Fe+", "Si+"], "moon": (60.0, 0.0, 0.0), "imf": (0.0, 5.0, 0.0), "particles": 400, "aberration": False}


def settings(**changes):
    return PickupSettings.make(NEW_MOON | changes)


@pytest.fixture(scope="module")
def result():
    return simulate_pickup(settings())


def plain(page):
    return " ".join(re.sub(r"<[^>]+>", "", re.sub(r"<style>.*?</style>", "", page, flags=re.S)).split())


def test_page_names_fluxes_energies_and_the_observation(result):
    assert is_pickup(result)
    page = render_report(result)
    text = plain(page)
    iron = result.sel(species="Fe+")
    assert f"mean energy {float(iron['arrival_energy_mean']) * 1e-3:.0f} keV; {100 * float(iron['share_arriving']):.3g} %" in text
    assert "lunar local time12.0 h, sector 3" in text
    simulated, observed = compare_with_suleica(result)
    assert simulated > 0.0
    mantissa, power = f"{observed / simulated:.1e}".split("e+")
    assert f"(Si⁺): lower than observed by a factor {mantissa} × 10{int(power)}" in text
    assert "at least 0.3 cm−2 s−1 sr−1 keV−1" in text
    for anchor in ("ions", "energy", "map", "cycloids", "wake", "observations", "sources", "settings"):
        assert f'<section id="{anchor}">' in page
    assert page.count("<img") == 4
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!data:|#|https://doi\.org)', page)


def test_paths_end_at_the_bow_shock_as_high_as_a_cycloid_goes(result):
    scene = make_scene(settings())
    for name in ("Fe+", "Si+"):
        path, arrives = _path(scene, name)
        assert arrives
        # the first point inside, one step of the path behind the surface
        x, height = path[-1, 0] / EARTH_RADIUS, np.hypot(path[-1, 1], path[-1, 2]) / EARTH_RADIUS
        shock = _boundaries(settings(), scene)["bow shock"]
        there = np.interp(height, shock[:119, 1][::-1], shock[:119, 0][::-1])
        assert x == pytest.approx(there, abs=0.25)
        top = np.abs(path[:, 1:] @ [0.0, 1.0]).max() / EARTH_RADIUS
        assert top == pytest.approx(2.0 * float(result["gyroradius"].sel(species=name)), rel=1e-3)


def test_boundaries_have_their_nose_on_the_axis(result):
    scene = make_scene(settings())
    for curve in _boundaries(settings(), scene).values():
        assert np.abs(curve[:, 1]).min() < 0.3
    assert _boundaries(settings(), scene)["bow shock"][:, 0].max() == pytest.approx(result.attrs["surface_nose_re"], rel=1e-6)


def test_full_moon_says_why_nothing_arrives():
    text = plain(render_pickup_page(simulate_pickup(settings(moon=(-60.0, 0.0, 0.0), species=["Si+"]))))
    assert "none arrives" in text
    assert "the Moon is behind the bow shock" in text
    assert "None of these paths" in text
    assert "No ion of these masses and energies arrives here" in text


def test_field_along_the_flow_has_no_cycloid():
    page = render_pickup_page(simulate_pickup(settings(imf=(5.0, 0.0, 0.0), species=["Na+"])))
    assert "Not shown. The field is along the flow" in plain(page)


def test_plane_of_arrival_is_drawn():
    chosen = settings(at=30.0, radius=12.0)
    curve = _boundaries(chosen, make_scene(chosen))["plane of arrival"]
    assert curve == pytest.approx(np.array([[30.0, -12.0], [30.0, 12.0]]))
    assert "plane at 30 RE" in plain(render_pickup_page(simulate_pickup(chosen)))


def test_map_has_y_to_the_right_and_z_upwards():
    centres = np.arange(-3.0, 4.0)
    flux = np.zeros((7, 7))
    flux[6, 4] = 2.0  # y = 3, z = 1
    axes = draw_arrival(centres, centres, {"Fe+": flux}, MapFrame(3.0, (0.0, 0.0), (0.0, 1.0))).axes[0]
    shown = axes.collections[0].get_array()
    row, column = np.argwhere(~np.ma.getmaskarray(shown))[0]
    assert (centres[column], centres[row]) == (3.0, 1.0)
    assert axes.get_xlim()[0] < axes.get_xlim()[1]
    assert axes.get_ylim()[0] < axes.get_ylim()[1]


def test_page_names_what_is_missing(result):
    with pytest.raises(DataError, match=r"pick-up of lunar ions: arrival_map missing.*siderion pickup"):
        render_pickup_page(result.drop_vars("arrival_map"))
