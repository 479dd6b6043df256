"""The page of the source of meteoroids, from a small integral that is really computed."""

from __future__ import annotations

import re

import numpy as np
import pytest

from siderion.core.errors import DataError
from siderion.report import render_report
from siderion.report.entry_figures import draw_release, release_limits, released_reach
from siderion.report.meteoroid_page import ablated_total, is_meteoroids
from siderion.sources.entry.atmosphere import standard_atmosphere
from siderion.sources.meteoroids import get_scenario, get_speeds, grun_shape, influx_by_decade, meteoroid_injection
from siderion.sources.meteoroids.influx import TONNE_PER_DAY
from siderion.sources.meteoroids.settings import InjectionSettings


def source(scenario="review", **settings):
    chosen = InjectionSettings(**{"samples": 40, "seed": 1, "lowest_altitude": 70.0, "highest_altitude": 120.0} | settings)
    made = meteoroid_injection(get_scenario(scenario), get_speeds("hrmp"), standard_atmosphere(), chosen, elements=["Na", "Fe"])
    return made.merge(influx_by_decade(grun_shape(1e-15, 0.1), float(made["mass_influx"]) * TONNE_PER_DAY),
                      combine_attrs="override")  # fmt: skip


@pytest.fixture(scope="module")
def made():
    return source()


def test_numbers_and_sections(made):
    page = render_report(made)
    plain = re.sub(r"base64,[^\"]+", "", page)
    assert f"<strong>{ablated_total(made):.3g} t/d" in page
    assert f"{float(made['ablated_mass_rate'].sel(species='Fe')):.3g} t/d" in page
    assert f"most at {float(made['peak_altitude'].sel(species='Fe')):g} km" in page
    for anchor in ("injection", "elements", "published", "influx", "sources", "settings", "cite"):
        assert f'<section id="{anchor}">' in page
    assert page.count("data:image/png") == 3
    assert "4.29 ± 0.75" in page
    assert "gives no uncertainty" in page
    assert "one standard error of the Monte Carlo" in page
    assert "nan" not in plain
    # 30 t/d over 365.25 days
    assert re.search(r"whole influx, 1\.10 × 10<sup>4</sup> t\s+a year", page)


def test_masses_of_the_table_add_up(made):
    parts = float(made["ablated_mass_rate"].sum() + made["unlisted_mass_rate"] + made["residue_mass_rate"])
    assert parts == pytest.approx(float(made["mass_influx"]), rel=1e-6)


def test_uncertainty_of_the_influx_is_shown():
    page = render_report(source("huang-2015"))
    assert "150 (112 to 188) t/d" in page
    assert "one standard deviation lower" in page


def test_what_is_missing_is_said(made):
    assert is_meteoroids(made)
    assert not is_meteoroids(made.drop_vars(["ablated_share", "mass_influx"]))
    page = render_report(made.drop_vars(["mass_influx_per_decade"]))
    assert "The output has no influx by mass." in page
    with pytest.raises(DataError, match=r"ion_production missing.*siderion sources meteoroids"):
        render_report(made.drop_vars("ion_production"))
    assert "None of the elements has a published" in render_report(made.assign_coords(species=["Mg", "Ca"]))


def test_limits_of_the_figure():
    values = np.array([[0.0, 1e-3, 1.0, 1e-3], [0.0, 0.0, 1e-2, 0.0]])
    edges = np.array([70.0, 80.0, 90.0, 100.0, 110.0])
    low, high = release_limits(values)
    assert low == pytest.approx(1e-4)
    assert 1.0 < high < 10.0
    assert released_reach(edges, values) == (78.0, 110.0)
    assert release_limits(np.zeros((1, 3))) == (0.1, 1.0)
    figure = draw_release(edges, {"atoms": values}, ["Fe", "Na"], "rate", reach=(78.0, 110.0))
    axes = figure.axes[0]
    assert [line.get_label() for line in axes.get_lines()] == ["Fe", "Na"]
    assert axes.get_xscale() == "log"
    assert axes.get_ylim() == (78.0, 110.0)
