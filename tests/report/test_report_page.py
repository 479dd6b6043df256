from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pytest
import xarray as xr
from synthetic import DAY, polar_dataset

from siderion.core.errors import DataError
from siderion.report import markup, render_report

VOID = {"meta", "img", "br"}


class Checker(HTMLParser):
    """Collect tags, text and resources; fail on a tag closed out of order."""

    def __init__(self):
        super().__init__()
        self.open, self.images, self.outside, self.anchors, self.targets = [], [], [], set(), []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "img":
            self.images.append(attributes)
        if tag in ("script", "link", "iframe", "object") or (attributes.get("src") or "data:")[:5] != "data:":
            self.outside.append((tag, attrs))
        if "id" in attributes:
            self.anchors.add(attributes["id"])
        if attributes.get("href", "").startswith("#"):
            self.targets.append(attributes["href"][1:])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style",):
            self.text += data


def parsed(page):
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    assert checker.outside == []
    assert set(checker.targets) <= checker.anchors
    return checker


def sparse(**options):
    """A coarse run, quick to draw."""
    return polar_dataset(lat_step=5.0, lon_step=10.0, hours=np.array([6, 18]), **options)


def tiny():
    """A run without anything to draw, for what is written in words."""
    return sparse(velocities=False, alt=np.array([117.0, 119.0])).drop_vars("invariant_latitude")


@pytest.fixture(scope="module")
def full():
    before = dict(matplotlib.rcParams)
    page = render_report(polar_dataset())
    assert dict(matplotlib.rcParams) == before
    return page


def test_full_page_is_self_contained_and_small(full):
    checker = parsed(full)
    assert len(full) < 6e6
    assert "url(" not in full
    assert "@import" not in full
    assert all(image["alt"] and image["src"].startswith("data:image/png;base64,") for image in checker.images)
    # 6 densities, 2 speeds, 3 x 4 velocities, 3 x 2 wind, 2 cuts, 1 series
    assert len(checker.images) == 6 + 2 + 12 + 6 + 2 + 1
    assert "Not shown" not in checker.text


def test_full_page_says_what_it_must(full):
    text = parsed(full).text
    assert re.search(r"largest Fe⁺ density between 115 and 125 km is 1\.9\d × 1011 m−3, at 117\.0 km, \d", text)
    assert "Mean density of Fe⁺ in the evening cell over that in the morning cell: 2.7 at 200 km." in text
    assert "lost 3.6 %" in text
    assert "One of the inputs is unverified: radiative recombination of Fe⁺" in text
    assert "18 June 2023" in text
    assert "does not add up" not in text
    assert "6 values are missing" in text
    assert full.count('class="mark unverified"') == 2
    assert '<a href="https://doi.org/10.1029/2022JA030896">' in full


def test_page_is_repeatable():
    dataset = sparse(velocities=False, alt=np.array([117.0, 123.0]))
    assert render_report(dataset) == render_report(dataset)


def test_order_of_the_axes_does_not_matter():
    dataset = sparse(velocities=False, alt=np.array([117.0, 123.0]))
    shuffled = dataset.isel(lat=slice(None, None, -1), alt=slice(None, None, -1)).transpose("lon", "lat", "alt", ...)
    assert render_report(shuffled) == render_report(dataset)


def test_southern_run_of_two_species_without_terms():
    page = render_report(sparse(southern=True, by_term=False, species=("Fe+", "Mg+")))
    checker = parsed(page)
    assert "seen through the Earth" in checker.text
    assert "° S" in checker.text
    assert len([image for image in checker.images if "Mg⁺" in image["alt"]]) == 8
    # speed, Pedersen at 120 km, exb at 300 km, residual at 200 km, wind
    assert checker.text.count("Repeat the run with the altitudes wanted in --set term_altitudes") == 5
    assert len(checker.images) == 12 + 4 + 4 + 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("electric_potential", "The output has no electric_potential"),
        ("invariant_latitude", "The output has no invariant_latitude"),
    ],
)
def test_missing_variable_is_named(name, said):
    text = parsed(render_report(sparse(velocities=False).drop_vars(name))).text
    assert said in text
    assert "The output has no velocity_up. Repeat the run with the hours wanted in --velocity-at." in text


def test_missing_attributes_and_low_grid_are_named():
    dataset = sparse(velocities=False, alt=np.array([100.0, 110.0, 119.0, 121.0, 150.0])).drop_attrs()
    text = parsed(render_report(dataset)).text
    for said in ("no mass_budget", "no drivers", "no list of sources", "no settings", "version unknown"):
        assert said in text
    assert "Number_density has no value at 300 km: the grid reaches from 100 to 150 km" in text


def test_values_that_are_not_finite_are_announced():
    dataset = tiny()
    dataset["number_density"][0, 0, 1, 2, 5] = np.nan
    assert "number_density holds 1 values that are not finite" in parsed(render_report(dataset)).text


def test_broken_budget_is_announced():
    budget = {"species": {"Fe+": {"initial": 10.0, "final": 5.0, "residual": 0.0}}}
    dataset = tiny().assign_attrs(mass_budget=json.dumps(budget))
    assert "The budget of Fe⁺ does not add up: 5.0e-01" in parsed(render_report(dataset)).text


def test_texts_are_escaped():
    evil = "<script>alert('x')</script>"
    source = json.dumps([{"what": evil, "model": evil, "citation": evil, "terms": evil, "confidence": evil}])
    attributes = {"title": evil, "engine": evil, "sources": source, "drivers": json.dumps({evil: evil}),
                  "settings": json.dumps({evil: evil}), "summary": json.dumps({evil: {evil: evil}})}  # fmt: skip
    page = render_report(tiny().assign_attrs(attributes))
    parsed(page)
    assert "<script" not in page
    assert page.count("⚠ unverified") == 2


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("settings", "{", "'settings' is not JSON"),
        ("mass_budget", "[1]", "must be JSON of the form"),
        ("drivers", "[1]", '"drivers" must be JSON of the form'),
        ("sources", "{}x", "'sources' is not JSON"),
        ("sources", '{"what": 1}', "must be a JSON list"),
    ],
)
def test_attributes_of_another_form_are_refused(name, value, match):
    dataset = tiny().assign_attrs({name: value})
    with pytest.raises(DataError, match=match):
        render_report(dataset)


def test_any_other_data_set_gets_a_plain_page():
    time = (DAY + np.arange(3)).astype("datetime64[ns]")
    dataset = xr.Dataset(
        {
            "imf_bz_gsm": ("time", [1.0, np.nan, -2.0], {"units": "nT", "long_name": "field, z"}),
            "map": (("lat", "lon"), np.arange(6.0).reshape(2, 3) - 2.0),
            "cube": (("species", "time", "lat", "lon"), np.geomspace(1.0, 1e6, 36).reshape(2, 3, 2, 3)),
            "single": ((), 4.0, {"units": "m s-1"}),
            "name": ("species", ["Fe+", "Mg+"]),
        },
        coords={"time": time, "lat": [50.0, 60.0], "lon": [0.0, 10.0, 20.0], "species": ["Fe+", "Mg+"]},
    )
    page = render_report(dataset)
    checker = parsed(page)
    assert len(checker.images) == 3
    assert "(1 not finite)" in checker.text
    assert "species = Mg+, time = 2023-06-19T00:00" in checker.text
    assert "m s<sup>−1</sup>" in page


def test_polar_run_without_local_time_gets_a_plain_page_that_says_so():
    dataset = sparse(velocities=False).drop_vars("magnetic_local_time")
    assert "it lacks magnetic_local_time" in parsed(render_report(dataset)).text


def test_nothing_to_report_is_refused():
    with pytest.raises(DataError, match="which needs number_density, magnetic_local_time, time, alt, lat, lon"):
        render_report(xr.Dataset({"name": ("x", ["a"])}))


@pytest.mark.parametrize(
    ("value", "html"),
    [
        (0.0, "0"), (2.7, "2.7"), (-153.4, "\N{MINUS SIGN}153"), (9876.0, "9876"), (21600, "21600"),
        (1.234e11, "1.23 × 10<sup>11</sup>"), (float("nan"), "nan"),
        (-3e-14, "\N{MINUS SIGN}3.00 × 10<sup>\N{MINUS SIGN}14</sup>"),
    ],
)  # fmt: skip
def test_numbers(value, html):
    assert markup.number(value) == html


@pytest.mark.parametrize(
    "given", ["doi:10.1029/2022JA030896.", "https://doi.org/10.1029/2022JA030896,", "(10.1029/2022JA030896)"]
)
def test_doi_becomes_one_link(given):
    assert markup.with_links(given).count(">https://doi.org/10.1029/2022JA030896</a>") == 1
