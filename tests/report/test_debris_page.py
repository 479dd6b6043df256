from __future__ import annotations

import json
import re

import numpy as np
import pytest

from siderion.core.errors import DataError
from siderion.report import render_report
from siderion.report.debris_figures import Releases, Track, draw_track
from siderion.report.debris_page import is_debris_event, is_debris_rate, render_debris_event_page, render_debris_rate_page
from siderion.report.parity_page import is_debris_parity, render_debris_parity_page
from siderion.sources.debris.event import debris_event
from siderion.sources.debris.parity import debris_parity
from siderion.sources.debris.rate import debris_rate
from siderion.sources.debris.scenarios import get_scenarios
from siderion.sources.debris.settings import ReentrySettings
from siderion.sources.entry.atmosphere import standard_atmosphere


def make_event(lon=-60.0, anchor="break_up", **settings):
    return debris_event(
        250.0, "satellite", ReentrySettings(**settings), standard_atmosphere(), time="2024-06-01T12:00", latitude=30.0,
        longitude=lon, heading=60.0, anchor=anchor,
    )  # fmt: skip


@pytest.fixture(scope="module")
def event():
    return make_event()


@pytest.fixture(scope="module")
def rate():
    return debris_rate("2019", ReentrySettings(), standard_atmosphere())


@pytest.fixture(scope="module")
def parity():
    return debris_parity(["Al", "Ti", "Fe"], samples=400)


def plain(page):
    return " ".join(re.sub(r"<[^>]+>", "", re.sub(r"<style>.*?</style>", "", page, flags=re.S)).split())


def self_contained(page):
    return "<script" not in page and not re.search(r'(src|href)="(?!data:|#|https://doi\.org)', page)


def test_event_page_names_masses_and_that_no_ions_are_released(event):
    assert is_debris_event(event)
    assert not is_debris_rate(event)
    page = render_report(event)
    text = plain(page)
    layer, lower, ground = (event[key].sum().item() for key in ("layer_mass", "oxidised_mass", "surviving_mass"))
    assert f"Of 250 kg, {layer:.3g} kg ({100 * layer / 250:.2g} %) are released as atoms above 80 km" in text
    assert f"{lower:.3g} kg are released lower and lost to oxides, 0 kg stay droplets, {ground:.3g} kg reach the ground" in text
    assert "No ions are released: a re-entry is too slow" in text
    assert "30.00° N, 60.00° W, break-up" in text
    assert "solar array" in text
    for anchor in ("altitude", "elements", "track", "parts", "sources", "settings", "cite"):
        assert f'<section id="{anchor}">' in page
    assert page.count("<img") == 3
    assert self_contained(page)


def test_event_page_tells_the_share_of_ions():
    text = plain(render_debris_event_page(make_event(ion_share=0.25)))
    assert "Of these atoms 25 % are released as ions" in text
    assert "No ions are released" not in text


def test_event_page_without_a_point_over_the_floor():
    text = plain(render_debris_event_page(make_event(layer_floor=118.0)))
    assert "Not shown. Nothing is released above the floor of the layer." in text
    assert "The source is empty" in text


def test_event_page_across_the_date_line(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "siderion.report.debris_page.draw_track", lambda *parts: seen.append(parts) or draw_track(*parts)
    )  # fmt: skip
    render_debris_event_page(make_event(lon=-178.0))
    track, releases, _ = seen[0]
    assert np.abs(np.diff(track.longitude)).max() < 1.0
    # points lie on the track, also those beyond 180 degrees
    distance = np.hypot(releases.longitude[:, None] - track.longitude, releases.latitude[:, None] - track.latitude)
    assert distance.min(axis=1).max() < 0.1
    assert np.ptp(np.sign(releases.longitude)) == 0.0


def test_map_names_hemispheres():
    track = Track(np.linspace(-1.0, 1.0, 50), np.linspace(179.0, 181.0, 50), (0.0, 180.0), "start", np.zeros(0), np.zeros(0))
    one = Releases(np.zeros(1), np.full(1, 180.0), np.zeros(1), np.full(1, 85.0), np.full(1, 1e20), ["tank"])
    figure = draw_track(track, one, 80.0)
    figure.draw_without_rendering()
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert any(label.endswith("°E") for label in labels)
    assert any(label.endswith("°W") for label in labels)
    assert not any(label.startswith("181") for label in labels)


@pytest.mark.parametrize("name", ["released_mass", "point_lat", "break_up_altitude"])
def test_event_page_names_what_is_missing(event, name):
    with pytest.raises(DataError, match=f"debris event: {name} missing.*make the file anew"):
        render_debris_event_page(event.drop_vars(name))


def test_rate_page_gives_the_share_above_the_floor(rate):
    assert is_debris_rate(rate)
    page = render_report(rate)
    text = plain(page)
    layer, aluminium = rate["layer_rate"].values, rate.sel(species="Al")
    share = 100 * float(aluminium["layer_rate"]) / float(aluminium["injected_rate"])
    assert f"it releases {layer.sum():.3g} t yr−1 as atoms, mostly Al: {float(aluminium['layer_rate']):.3g}" in text
    assert f"({share:.2g} %)" in text
    assert "No ions are released" in text
    assert "injected mass" in text.split("Caution.")[1]
    assert page.count("<img") == 2
    assert self_contained(page)


def test_rate_page_with_ions_and_droplets():
    settings = ReentrySettings(ion_share=0.1, vapour_share=0.5)
    rate = debris_rate(1000.0, settings, standard_atmosphere())
    text = plain(render_debris_rate_page(rate))
    assert "Of these atoms 10 % are released as ions" in text
    # half of what the table has a share for and the mean objects shed
    droplets = 0.5 * (rate["injected_rate"] - rate["unshed_rate"]).sum().item()
    assert f"{droplets:.3g} t yr−1 of these elements stay droplets and dust" in text


def test_rate_page_names_what_is_missing(rate):
    with pytest.raises(DataError, match="debris rate: droplet_rate missing"):
        render_debris_rate_page(rate.drop_vars("droplet_rate"))


def test_sources_of_others_are_not_taken_for_debris(rate):
    other = rate.drop_vars(["injected_rate", "layer_rate", "oxidised_rate", "droplet_rate"])
    assert not is_debris_rate(other)
    assert not is_debris_event(other)


def test_parity_page_names_scenarios_years_and_iron(parity):
    assert is_debris_parity(parity)
    page = render_report(parity)
    text = plain(page)
    titanium = parity.sel(element="Ti")
    low, high = float(titanium["parity_year_lower"]), float(titanium["parity_year_upper"])
    assert f"{float(titanium['parity_year']):.0f} ({low:.0f} to {high:.0f})" in text
    assert "before 2019" in text
    assert "Iron. The abstract of the review" in text
    assert "in 2019 and S1." in text
    iron = parity.sel(element="Fe", scenario="S2")
    ends = [float(iron[f"debris_ratio{end}"]) for end in ("", "_lower", "_upper")]
    assert "S2 {:.2g} ({:.2g} to {:.2g})".format(*ends) in text
    share = 100 * float(parity["parity_fraction"].sel(element="Fe", scenario="2019"))
    assert f"{share:.0f} %, impossible" in text
    assert page.count("<img") == 2
    assert self_contained(page)


def test_parity_page_of_one_scenario():
    one = debris_parity(["Al"], scenarios=get_scenarios(("2019",)), samples=200)
    page = render_debris_parity_page(one)
    assert "Not shown. One scenario gives no growth." in plain(page)
    assert page.count("<img") == 1


def test_parity_page_says_when_parity_is_not_reached():
    late = debris_parity(["Mg"], samples=200, horizon=2036.0)
    text = plain(render_debris_parity_page(late))
    assert "not reached by 2036" in text


def test_parity_page_names_what_is_missing(parity):
    with pytest.raises(DataError, match="debris parity: natural_input missing"):
        render_debris_parity_page(parity.drop_vars("natural_input"))


def test_texts_of_the_data_are_escaped(parity):
    marked = parity.copy()
    marked.attrs = parity.attrs | {"note": "Iron: <b>x</b>", "sources": json.dumps([{"what": "<i>", "confidence": "odd"}])}
    page = render_debris_parity_page(marked)
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x" in page
    assert "<i>" not in page
