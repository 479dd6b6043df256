"""Table 4.3 of the review evaluated, and the rules of the verdict."""

import json

import numpy as np
import pytest

from siderion.core.errors import CoverageError, SettingsError
from siderion.spectrometer.counting.evidence import COLUMNS, count_events, evaluate_events, evaluate_totals, table_4_3


@pytest.fixture(scope="module")
def ten_events():
    return evaluate_events(table_4_3())


def p_value(result, test):
    return float(result["p_value"].sel(test=test))


def test_counts_of_the_table(ten_events):
    assert ten_events["group_counts"].values.tolist() == [17, 2]
    assert ten_events["group_exposure"].values.tolist() == [6.0, 4.0]
    assert int(ten_events["count_before"].sum()) == 0


def test_published_numbers(ten_events):
    """0.0055, 0.23 without 2004-01-22, index 6.3, permutation 0.21."""
    assert p_value(ten_events, "Poisson, exact") == pytest.approx(0.0055, abs=5e-5)
    assert float(ten_events["p_value_without"].sel(event="2004-01-22")) == pytest.approx(0.23, abs=0.005)
    assert float(ten_events["dispersion_index"].sel(pooling="one rate for all")) == pytest.approx(6.25, abs=0.005)
    assert p_value(ten_events, "permutation of events") == pytest.approx(0.21, abs=0.005)


def test_verdict_is_not_significant(ten_events):
    assert ten_events.attrs["significant"] == 0
    assert "not significant" in ten_events.attrs["verdict"]
    assert any("2000-10-28: outside, 0 to 2" in line for line in json.loads(ten_events.attrs["exceptions"]))


@pytest.mark.parametrize("columns", COLUMNS)
def test_no_reading_of_the_table_is_significant(columns):
    assert evaluate_events(table_4_3(columns), draws=2000).attrs["significant"] == 0


def test_a_clear_difference_is_significant():
    events = count_events(
        [f"e{k}" for k in range(12)], np.arange(12) < 6, np.zeros(12, int), np.array([9, 11, 8, 10, 12, 9, 1, 0, 2, 1, 0, 1])
    )
    found = evaluate_events(events, draws=2000)
    assert found.attrs["significant"] == 1
    assert json.loads(found.attrs["exceptions"])


def test_one_event_that_makes_the_result():
    events = count_events(list("abcdef"), np.arange(6) < 3, None, np.array([30, 1, 1, 1, 1, 1]))
    found = evaluate_events(events, draws=2000)
    assert "rests on one event" in found.attrs["verdict"]
    assert "count_before" not in found


def test_totals_say_what_they_cannot_tell():
    found = evaluate_totals(17, 6, 2, 4)
    assert p_value(found, "Poisson, exact") == pytest.approx(0.0055, abs=5e-5)
    assert "if every count is independent" in found.attrs["verdict"]


def test_nothing_counted():
    events = count_events(list("abcd"), np.array([True, True, False, False]), np.zeros(4, int), np.zeros(4, int))
    found = evaluate_events(events, draws=200)
    assert found.attrs["significant"] == 0
    assert found["event_rate_upper_limit"].values.all()


def test_refusals():
    with pytest.raises(CoverageError, match="triple"):
        table_4_3("quadruple")
    with pytest.raises(SettingsError, match="both groups"):
        evaluate_events(count_events(["a"], np.array([True]), None, np.array([1])))
    with pytest.raises(SettingsError, match="level"):
        evaluate_totals(1, 1, 1, 1, level=2.0)


def test_skipped_tests_of_scatter_are_not_claimed():
    """2 + 2 events: no excess scatter, and 1/6 is the least of 6 arrangements; the words claim no test that was not made."""
    events = count_events(list("abcd"), np.array([True, True, False, False]), None, np.array([30, 28, 1, 0]))
    found = evaluate_events(events, draws=500)
    assert p_value(found, "permutation of events") == pytest.approx(1 / 6)
    assert found.attrs["verdict"].startswith("significant")
    assert "under the scatter" not in found.attrs["verdict"]
    assert "no excess scatter is seen (permutation of events p = 0.17" in found.attrs["verdict"]
    assert any("cannot fall below the level" in line for line in json.loads(found.attrs["reasons"]))


def test_too_few_events_cannot_be_tested():
    """One event a group: neither the events nor their scatter can be tested, which is not a failed test."""
    found = evaluate_events(count_events(list("ab"), np.array([True, False]), None, np.array([30, 1])), draws=500)
    assert found.attrs["significant"] == 0
    assert "cannot be tested with this number of events" in found.attrs["verdict"]
    assert "; it rests on one event" not in found.attrs["verdict"]
    assert "does not hold" not in found.attrs["verdict"]


def test_an_event_alone_in_its_group():
    found = evaluate_events(count_events(list("abc"), np.array([True, True, False]), None, np.array([30, 30, 1])), draws=500)
    assert found.attrs["significant"] == 0
    assert "whether it rests on one event cannot be tested" in found.attrs["verdict"]


def test_draws_reach_the_negative_binomial_test():
    """A clear difference has the smallest p value there is, 1 / (draws + 1)."""
    events = count_events([str(k) for k in range(8)], np.arange(8) < 4, None, np.array([40, 44, 38, 41, 1, 0, 2, 1]))
    values = [p_value(evaluate_events(events, draws=draws), "negative binomial") for draws in (100, 4000)]
    assert values[0] == pytest.approx(1 / 101)
    assert values[1] == pytest.approx(1 / 4001)


@pytest.mark.parametrize("options", [{"seed": -1}, {"draws": 100, "level": 0.005}, {"draws": 0}])
def test_draws_that_cannot_reach_the_level(options):
    with pytest.raises(SettingsError, match="draws"):
        evaluate_events(table_4_3(), **options)
