from __future__ import annotations

import json
import re

import numpy as np
import pytest
import xarray as xr

from siderion.cli.design_orbit import angle, gain, orbit
from siderion.cli.design_species import detect, separate
from siderion.core.errors import DataError
from siderion.io.store import open_dataset
from siderion.report import render_report
from siderion.report.design_figures import Curve, draw_detection, draw_separation, plain_count
from siderion.report.design_page import is_design, render_design_page
from siderion.report.design_separation import _one_width


def plain(page):
    return " ".join(re.sub(r"<[^>]+>", "", re.sub(r"<style>.*?</style>", "", page, flags=re.S)).split())


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """What each command writes, by its name."""
    folder = tmp_path_factory.mktemp("design")
    calls = {
        "separate": lambda path: separate(
            species="N2+,Al+", fraction=0.01, resolution="15,60", flux=100.0, energy_width=10.0, geometric_factor=0.01,
            output=path, no_report=True,
        ),
        "instrument": lambda path: separate(
            species="O+,NO+", fraction=0.01, instrument="codif", energy=1.0, output=path, no_report=True
        ),
        "detect": lambda path: detect(counts="100,1000", resolution="15", output=path, no_report=True),
        "angle": lambda path: angle(output=path, no_report=True),
        "gain": lambda path: gain(duration="1,5", scale=4.0, output=path, no_report=True),
        "orbit": lambda path: orbit(
            "300:300:80", epoch="2020-01-01", days=40.0, region="ionosphere", flux=1.0, geometric_factor=0.01, output=path,
            no_report=True,
        ),
    }  # fmt: skip
    found = {}
    for name, call in calls.items():
        call(folder / f"{name}.nc")
        assert not (folder / f"{name}.html").exists()
        with open_dataset(folder / f"{name}.nc") as data:
            found[name] = data.load()
    return found


@pytest.fixture(scope="module")
def pages(written):
    return {name: render_report(data) for name, data in written.items()}


@pytest.mark.parametrize(
    ("name", "anchors", "images"),
    [
        ("separate", ("resolution", "peaks", "values"), 2),
        ("instrument", ("peaks", "values"), 1),
        ("detect", ("fractions", "values"), 1),
        ("angle", ("angles", "values"), 1),
        ("gain", ("gain", "values"), 1),
        ("orbit", ("regions", "months", "values"), 2),
    ],
)
def test_every_command_has_a_whole_page(written, pages, name, anchors, images):
    assert is_design(written[name])
    page = pages[name]
    for anchor in (*anchors, "sources", "settings", "cite"):
        assert f'<section id="{anchor}">' in page
    assert page.count("<img") == images
    assert "Not shown" not in page
    assert not re.search(r'(src|href)="(?!data:|#|https://doi\.org)', page)


def test_heads_give_the_numbers(written, pages):
    counts = written["separate"]["counts_needed"].values
    text = plain(pages["separate"])
    # 100 cm-2 s-1 sr-1 keV-1 over 10 keV with 0.01 cm2 sr are 10 counts a second
    minutes = counts[1] / 10.0 / 60.0
    assert f"m/dm\N{NO-BREAK SPACE}60: {counts[1]:.0f} in {minutes:.3g} minutes" in text.replace(
        "m/dm 60", "m/dm\N{NO-BREAK SPACE}60"
    )
    assert "Cluster CIS/CODIF: " in plain(pages["instrument"])
    assert "At 6 degrees the cone shows after 2290 counts, and one count places a source at 32418 km to 1442 km" in plain(
        pages["angle"]
    )
    # 5 years with a scale of 4: exp(-1.25), 4 (1 - exp(-1.25))
    assert "After 5 years the efficiency is 28.7 % of that at the begin; the time counts as 2.85 years" in plain(pages["gain"])
    assert "ionosphere 8766 h (100.0 %)" in plain(pages["orbit"])


def test_months_that_were_not_followed_are_said(written, pages):
    shares = written["orbit"]["residence_fraction"]
    assert shares.sizes["year_bin"] == 12
    # 40 days are in the first and the second twelfth of the year
    assert np.isfinite(shares.values).any(axis=0).tolist() == [True] * 2 + [False] * 10
    assert "10 parts without a bar were not followed" in plain(pages["orbit"])


def test_nothing_detectable_and_never_are_said(written):
    none = written["detect"].copy()
    none["minimum_fraction"] = none["minimum_fraction"] * np.nan
    assert "No fraction of NO⁺ can be detected beside O⁺" in plain(render_design_page(none))
    never = written["separate"].copy()
    never["counts_needed"] = ("mass_resolution", [np.inf, 300.0], never["counts_needed"].attrs)
    never["time_needed"] = ("mass_resolution", [np.inf, 30.0], never["time_needed"].attrs)
    never["geometric_factor_needed"] = ("mass_resolution", [np.inf, 1e-7], never["geometric_factor_needed"].attrs)
    assert ": never;" in plain(render_design_page(never))


def test_peaks_one_width_apart():
    # N2+ 28.0056 and Al+ 26.9810: mean over difference
    assert _one_width("N2+", "Al+") == pytest.approx(26.83, rel=1e-3)
    assert _one_width("Xx+", "Al+") is None


def test_figures_are_logarithmic_and_mark_never():
    needs = Curve("counts", {"to detect": np.array([np.inf, 50.0])}, {"given": 100.0})
    axes = draw_separation(np.array([5.0, 60.0]), [needs], {"apart": 26.8}).axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    triangles = [line for line in axes.lines if line.get_marker() == "^"]
    assert [list(line.get_xdata()) for line in triangles] == [[5.0]]
    shown = draw_detection(np.array([100.0, 1000.0]), {"a": np.array([0.1, 0.01])}, "O+", "NO+").axes[0]
    dashed = shown.lines[0]
    assert dashed.get_ydata() == pytest.approx(1.0 / dashed.get_xdata())


@pytest.mark.parametrize(
    ("value", "words"), [(2.303, "2.3"), (343.2, "343"), (1656.2, "1660"), (56436.0, "56\N{NO-BREAK SPACE}400")]
)
def test_plain_counts(value, words):
    assert plain_count(value) == words


def test_page_names_what_is_missing(written):
    with pytest.raises(DataError, match=r"design of an observation \(gain\): limit_factor missing"):
        render_design_page(written["gain"].drop_vars("limit_factor"))
    other = xr.Dataset(attrs=written["gain"].attrs | {"settings": json.dumps({"command": "dance"})})
    with pytest.raises(DataError, match="command 'dance' is unknown"):
        render_design_page(other)
