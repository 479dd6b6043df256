from __future__ import annotations

import json
import re

import numpy as np
import pytest

from siderion.core.errors import DataError
from siderion.report import render_report
from siderion.report.count_figures import EventGroup, draw_counts, draw_leave_one_out
from siderion.report.count_page import _p_words, is_count, render_count_page
from siderion.report.count_words import describe_test
from siderion.spectrometer.counting.evidence import count_events, evaluate_events, evaluate_totals, table_4_3


def plain(page):
    return " ".join(re.sub(r"<[^>]+>", "", re.sub(r"<style>.*?</style>", "", page, flags=re.S)).split())


def with_settings(result, **more):
    result.attrs["settings"] = json.dumps(json.loads(result.attrs["settings"]) | more)
    return result


@pytest.fixture(scope="module")
def review():
    return with_settings(evaluate_events(table_4_3("triple"), draws=1000), file="", counts="triple", draws=1000)


def test_verdict_and_numbers(review):
    assert is_count(review)
    page = render_report(review)
    text = plain(page)
    assert "17 counts in 6 half-days in the lunar wake, 2 in 4 outside: not significant at 0.05" in text
    assert "exact Poisson test, p0.0055" in text
    assert "p without 2004-01-220.23" in text
    assert "rate inside, per half-day2.83 (2.16 to 3.7)" in text
    for anchor in ("verdict", "claim", "events", "tests", "single", "sources", "settings"):
        assert f'<section id="{anchor}">' in page
    assert page.count("<img") == 3
    assert "Not shown" not in page


def test_claim_of_the_review_is_answered(review):
    text = plain(render_count_page(review))
    assert "“if and only if” it is in the lunar wake. The counts do not say so much" in text
    assert "4 of 6 events in the wake rise (sign test p = 0.062), 1 of 4 outside" in text
    assert "2000-10-28: outside, 0 to 2: a rise" in text
    assert "The event with the most counts has 11 of the 17 in the wake." in text
    assert "does not mean that there are no lunar ions" in text


def test_every_test_has_a_convention(review):
    text = plain(render_count_page(review))
    for name in map(str, review["test"].values):
        assert name in text
        family, question, convention = describe_test(name, "greater")
        assert question != name
        assert convention
        assert family
    assert describe_test("before and after inside, sign", "less")[2] == "one-sided, smaller inside or after; events inside"
    # the least that 1000 draws can give is 1 / 1001
    assert _p_words("dispersion, one rate for all", 1 / 1001, {"draws": 1000}) == "≤ 0.001"
    assert _p_words("Poisson, exact", 0.0009, {"draws": 1000}) == "0.0009"
    assert _p_words("dispersion, one rate for all", float("nan"), {"draws": 1000}) == "none"


def test_large_counts_have_a_page_too():
    found = with_settings(evaluate_events(table_4_3("double-high"), draws=200), file="", counts="double-high")
    assert "5 of 6 events in the wake rise" in plain(render_count_page(found))


def test_own_events_without_counts_before():
    events = count_events(list("abcdef"), np.array([True] * 3 + [False] * 3), None, np.array([9, 8, 7, 0, 0, 0]))
    page = render_count_page(evaluate_events(events, draws=200))
    text = plain(page)
    assert "lunar" not in text
    assert "ratio of the rates (95 %, exact)undefined (no count outside)" in text
    assert "rate outside, per unit of exposure&lt; 0.999 (95 %)" in text  # -ln(0.05) / 3
    assert '<section id="claim">' not in page
    assert page.count("<img") == 3


def test_an_event_alone_in_its_group_is_not_left_out():
    events = count_events(["a", "b", "c"], np.array([True, True, False]), None, np.array([9, 7, 1]))
    text = plain(render_count_page(evaluate_events(events, draws=200)))
    assert "p without a" in text or "p without b" in text
    pair = count_events(["a", "b"], np.array([True, False]), None, np.array([9, 1]))
    assert "each is the only one of its group" in plain(render_count_page(evaluate_events(pair, draws=200)))


def test_totals_say_what_they_cannot_show():
    page = render_count_page(evaluate_totals(17, 6.0, 2, 4.0))
    text = plain(page)
    assert "significant at 0.05 if every count is independent of the others" in text
    assert text.count("Only totals are given") == 2
    assert page.count("<img") == 1


def test_points_are_counts_over_exposure_with_exact_ends():
    group = EventGroup("inside", ["a", "b"], {"after": (np.array([0.0, 4.0]), np.array([1.0, 2.0]))}, (1.3, 1.0, 1.6))
    figure = draw_counts([group], "half-days")
    axes = figure.axes[0]
    line = next(one for one in axes.lines if one.get_marker() == "o")
    assert list(line.get_ydata()) == [0.0, 2.0]
    thin = axes.collections[0].get_segments()
    # upper 97.5 % limit of no count: -ln(0.025)
    assert thin[0][1][1] == pytest.approx(-np.log(0.025))
    # Garwood ends of 4 counts, 95 %: 1.0899 and 10.2416 (tables of Poisson limits)
    assert [thin[1][0][1], thin[1][1][1]] == pytest.approx([1.0899 / 2.0, 10.2416 / 2.0], rel=1e-4)


def test_leave_one_out_is_logarithmic_and_in_order():
    figure = draw_leave_one_out(["a", "b"], np.array([True, False]), np.array([0.2, 0.001]), 0.01, 0.05)
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]


def test_page_names_what_is_missing(review):
    with pytest.raises(DataError, match=r"tests of counts: p_value_without missing.*siderion count"):
        render_count_page(review.drop_vars("p_value_without"))
