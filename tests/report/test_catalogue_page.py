from __future__ import annotations

import re

import matplotlib.dates as mdates
import numpy as np
import pytest

from siderion.core.errors import DataError
from siderion.report import render_report
from siderion.report.catalogue_figures import GRADE_COLOURS, Bar, draw_coverage, energy_tick
from siderion.report.catalogue_page import _bars, is_catalogue, render_catalogue_page
from siderion.spectrometer.catalogue_questions import find_instruments
from siderion.spectrometer.catalogue_tables import review_table
from siderion.spectrometer.catalogue_words import answer_line


def plain(page):
    return " ".join(re.sub(r"<[^>]+>", "", re.sub(r"<style>.*?</style>", "", page, flags=re.S)).split())


@pytest.fixture(scope="module")
def result():
    return find_instruments("NO+", "O+", energy="50eV:10keV", year="2003")


def test_the_answer_is_on_top_in_one_line(result):
    assert is_catalogue(result)
    page = render_report(result)
    lead = plain(re.search(r'<p class="lead">(.*?)</p>', page, flags=re.S)[1])
    assert lead == f"NO+ from O+, 50 eV to 10 keV, in 2003: {answer_line(result)}."
    assert "may with effort: Cluster (C1,C3,C4) CIS/CODIF, FAST TEAMS" in lead
    assert "group only: Polar TIMAS" in lead
    for anchor in ("coverage", "answers", "resolution", "access", "meaning", "sources", "settings"):
        assert f'<section id="{anchor}">' in page
    assert page.count("<img") == 1
    assert "Not shown" not in page
    assert not re.search(r'(src|href)="(?!data:|#|https://doi\.org)', page)
    text = plain(page)
    # m/dm of NO+ (29.998) and O+ (15.995): mean 22.9965 over difference 14.003
    assert "1.64" in text
    assert "110 eV to 10 keV (85%)" in text
    assert "peak in the time of flight beyond the tail of O+, strong events only" in text
    for name in result["name"].values:
        assert str(name) in text


def test_bars_hold_the_numbers_of_the_answers(result):
    bars = {bar.label: bar for bar in _bars(result)}
    ace = bars["ACE SWICS/SWIMS"]
    assert ace.energies == ((110.0, 10_000.0),)
    assert (ace.hatched, ace.elsewhere, ace.end) == (True, True, None)
    teams = bars["FAST TEAMS"]
    assert teams.whole == (1.2, 12_000.0)
    assert mdates.num2date(teams.begin).strftime("%Y-%m-%d") == "1996-09-20"
    assert mdates.num2date(teams.end).strftime("%Y-%m-%d") == "2009-05-01"
    assert not teams.elsewhere


def test_energies_of_the_dataset_are_the_words(result):
    spans = result["answer_energy_ev"].sel(instrument="ace-swics").values[0]
    assert list(spans) == [110.0, 10_000.0]
    # 0.49-100 keV/e and 0.11-66.7 keV/q: hull
    assert list(result["instrument_energy_ev"].sel(instrument="ace-swics").values) == [110.0, 100_000.0]


def test_energy_per_nucleon_becomes_energy_per_charge():
    found = find_instruments("Fe+", everything=True)
    per_nucleon = found["instrument"][found["energy_basis"] == "per nucleon"].values
    assert len(per_nucleon)
    one = found.sel(instrument=per_nucleon[0])
    assert float(one["instrument_energy_ev"][1]) == pytest.approx(56.0 * float(one["energy_max_ev"]))


def test_figure_has_logarithmic_energies_and_shades_the_window():
    bars = [
        Bar("A", 3, ((50.0, 1e4),), (0.0, 4e4), 10_000, None),
        Bar("B", 0, (), (np.nan, np.nan), 4_000, 9_000, elsewhere=True),
    ]
    figure = draw_coverage(bars, (50.0, 1e4), (12_000, 12_365))
    left, right = figure.axes
    assert left.get_xscale() == "log"
    widths = {tuple(np.round((bar.get_x(), bar.get_x() + bar.get_width()), 3)) for bar in left.patches}
    assert (50.0, 1e4) in widths
    assert left.get_yticklabels()[1].get_fontstyle() == "italic"
    assert right.get_xlim()[0] < 4_000
    assert right.get_xlim()[1] > 12_365
    assert len(set(GRADE_COLOURS)) == 4
    assert [energy_tick(value) for value in (0.1, 100.0, 1e4, 1e7)] == ["0.1", "100", "10 k", "10 M"]


def test_everything_names_why_not_and_nobody_is_said():
    page = render_catalogue_page(find_instruments("NO+", "O+", year="2003", everything=True))
    assert "cannot" in plain(page)
    assert "worked 1984-08-21 to 1989-01-10" in plain(page)
    text = plain(render_catalogue_page(find_instruments("NO+", year="1950")))
    assert "in 1950: nobody." in text
    assert "Add --all to see those that cannot, and why." in text


@pytest.mark.parametrize(
    ("name", "words"), [("1.2", "16 rows, regenerated; the catalogue agrees with 14 of them"), ("3.5", "11 rows, regenerated")]
)
def test_tables_have_a_page(name, words):
    page = render_report(review_table(name))
    assert words in plain(page)
    assert '<section id="table">' in page
    assert page.count("<tr>") > 11


def test_page_names_what_is_missing(result):
    with pytest.raises(DataError, match=r"answer of the catalogue: reason missing.*siderion catalogue"):
        render_catalogue_page(result.drop_vars("reason"))
    with pytest.raises(DataError, match="answer_energy_ev missing"):
        render_catalogue_page(result.drop_vars("answer_energy_ev"))
    table = review_table("3.5")
    del table.attrs["origin"]
    with pytest.raises(DataError, match="origin missing"):
        render_catalogue_page(table)
