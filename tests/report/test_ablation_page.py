"""The page of one body, from a flight that is really computed."""

from __future__ import annotations

import re

import numpy as np
import pytest

from siderion.core.errors import DataError
from siderion.report import render_report
from siderion.report.ablation_page import flight_reach, is_ablation, peak_altitude, render_ablation_page, shown_elements
from siderion.sources.entry.atmosphere import standard_atmosphere
from siderion.sources.entry.flight import fly_bodies, fly_one
from siderion.sources.entry.settings import AblationSettings

EDGES = np.arange(60e3, 131e3, 1e3)


@pytest.fixture(scope="module")
def body():
    found = fly_one(1e-6, 20e3, 45.0, 3300.0, standard_atmosphere(), altitude_edges=EDGES)
    return found.assign_attrs(mass_kg=1e-6, speed_km_s=20.0, zenith_angle_degrees=45.0, density_kg_m3=3300.0, material="<stone>")


def test_numbers_and_sections(body):
    page = render_report(body)
    assert f"{float(body['half_mass_altitude']):.2f} km" in page
    assert f"{float(body['half_mass_speed']) / 1e3:.3f} km/s" in page
    assert f"fastest at <strong>{peak_altitude(body):.1f} km</strong>" in page
    assert "&lt;stone&gt;" in page
    assert "<stone>" not in page
    for anchor in ("flight", "release", "sources", "settings", "cite"):
        assert f'<section id="{anchor}">' in page
    assert page.count("data:image/png") == 2
    assert "temperature" in page
    assert "Not shown" not in page
    assert not re.search(r"\bnan\b", re.sub(r"base64,[^\"]+", "", page))


def test_classical_model_has_no_temperature():
    law = AblationSettings(model="classical", gravity=False, curved=False)
    body = fly_one(1e-6, 20e3, 45.0, 3300.0, standard_atmosphere(), law, EDGES, elements=["Na", "Fe"])
    page = render_ablation_page(body)
    assert "Speed, mass and loss of mass" in page
    assert shown_elements(body) == ["Fe", "Na"]
    # without the attributes of the command the page says so
    assert "not named" in page


def test_body_that_loses_nothing():
    body = fly_one(1e-15, 11.2e3, 80.0, 3300.0, standard_atmosphere(), altitude_edges=EDGES)
    page = render_ablation_page(body)
    assert "half of the mass left" not in page
    assert "nan" not in re.sub(r"base64,[^\"]+", "", page)


def test_range_of_the_figure(body):
    low, high = flight_reach(body)
    assert low < float(body["end_altitude"]) < peak_altitude(body) < high
    assert high < 200.0


def test_metals_are_drawn_before_other_elements(body):
    names = shown_elements(body)
    assert len(names) == 9
    assert {"Na", "Mg", "Al", "Si", "K", "Ca", "Fe"} <= set(names)
    assert "other" not in names


def test_what_is_not_this_page(body):
    several = fly_bodies(np.array([1e-6, 1e-7]), 20e3, 45.0, 3300.0, standard_atmosphere())
    assert is_ablation(body)
    assert not is_ablation(several)
    with pytest.raises(DataError, match=r"speed, half_mass_speed missing.*siderion ablate"):
        render_report(body.drop_vars(["speed", "half_mass_speed"]))
    with pytest.raises(DataError, match="no point"):
        render_ablation_page(body.isel(time=slice(0, 0)))
