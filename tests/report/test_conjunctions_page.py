from __future__ import annotations

import json
import re

import numpy as np
import pytest
import xarray as xr

from siderion.core.errors import DataError
from siderion.geospace.conjunction_evidence import Evidence
from siderion.geospace.conjunction_score import ConjunctionCriteria
from siderion.geospace.conjunction_search import search_conjunctions, with_indices
from siderion.geospace.conjunctions import find_conjunctions
from siderion.geospace.event_lists import heavy_ion_events
from siderion.report import render_report
from siderion.report.conjunction_figures import spread_apart


def plain(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.S)).split())


def section(page: str, name: str) -> str:
    return page.split(f'<section id="{name}">')[1].split("</section>")[0]


def named(result: xr.Dataset, criteria: ConjunctionCriteria, **settings: object) -> xr.Dataset:
    asked = {**criteria.model_dump(mode="json"), **settings}
    result.attrs |= {
        "kind": "siderion conjunctions", "title": "Events", "settings": json.dumps(asked),
        "sources": "[]", "siderion_version": "0",
    }  # fmt: skip
    return result


@pytest.fixture(scope="module")
def events() -> xr.Dataset:
    criteria = ConjunctionCriteria(wake="inside", shower_days=3.0, smallest_kp=5.0)
    return named(find_conjunctions(heavy_ion_events(), criteria), criteria)


@pytest.fixture(scope="module")
def page(events: xr.Dataset) -> str:
    return render_report(events)


def test_head_says_how_many_and_that_the_moon_chose_them(page: str) -> None:
    text = plain(page)
    assert (
        "10 of 10 events lie within 2 days of new Moon (the farthest of all 1.91 days from it), and 10 have the Moon in sector 3"
        in text
    )
    # Kp of the years of the table is not there, so nothing meets all five
    assert "0 of 10 meet all 5 criteria" in text
    assert "the Moon cannot tell those with counts from those without" in text
    assert page.count("<img") == 2
    assert not re.search(r'(src|href)="(?!data:|#|https://doi\.org)', page)


def test_matrix_has_a_mark_for_every_event_and_criterion(page: str, events: xr.Dataset) -> None:
    matrix = section(page, "criteria")
    rows = matrix.split("<tbody>")[1].split("</tbody>")[0].split("<tr>")[1:]
    assert len(rows) == 10
    signs = {"met": 1, "not met": 0, "unknown": -1}
    states = events["criterion_state"].isel(event=np.argsort(events["rank"].values)).values
    for row, expected in zip(rows, states, strict=True):
        assert [signs[word] for word in re.findall(r'title="([^"]+)"', row)] == expected.tolist()
    assert plain(matrix).count("?") == 11  # Kp of ten events, and the legend


def test_computed_and_reported_are_apart(page: str) -> None:
    computed, reported = plain(section(page, "computed")), plain(section(page, "reported"))
    assert "2000-04-06 16:01 2000-04-04 18:12 1.91 13.67 3" in computed
    assert "magnetosheath" not in computed
    assert "Nothing is known of Kp, Dst, the spacecraft at these times" in computed
    assert "taken from Table 4.3 of the review, not computed" in reported
    assert "2004-01-22 01:10 magnetosheath (later magnetosphere) inside 0 (1) 11 (8) 201 463" in reported


def test_spacecraft_and_reported_place_of_a_small_list() -> None:
    criteria = ConjunctionCriteria(regions=("solar_wind",))
    one = heavy_ion_events().isel(event=[0])[["event_time", "event_name", "region_reported", "wake_reported"]]
    known = Evidence(track=lambda times: np.full((len(times), 3), [150e3, 20e3, 0.0]))
    text = plain(render_report(named(find_conjunctions(one, criteria, known), criteria)))
    assert "Triangles: the spacecraft, for 1 of 1 events" in text
    assert "23.5, 3.1, 0.0" in text
    assert "solar wind (boundary models)" in text
    assert "Table 4.3" not in text


@pytest.mark.parametrize(("smallest", "count"), [(3.0, 2), (9.0, 0)])
def test_windows_with_time_line(smallest: float, count: int) -> None:
    first, last = np.datetime64("2023-03-18", "ns"), np.datetime64("2023-03-26", "ns")
    begins = np.arange(first, last, np.timedelta64(3, "h"))
    values = np.full(len(begins), 1.0)
    values[[20, 40]] = 4.0
    evidence = Evidence(kp=xr.Dataset({"kp": ("time", values)}, coords={"time": begins}))
    criteria = ConjunctionCriteria(smallest_kp=smallest)
    found = with_indices(search_conjunctions(first, last, criteria, evidence), first, last, evidence)
    assert found.sizes["window"] == count
    assert found["span_kp"].values.tolist() == values.tolist()
    page = render_report(named(found, criteria, **{"from": "2023-03-18", "to": "2023-03-26"}))
    text = plain(page)
    assert f"there are {count} windows in which no criterion fails (new moon, sector, kp), {3.0 * count:.1f} h in all" in text
    assert page.count("<img") == (2 if count else 1)
    assert ("No window was found." in text) == (count == 0)
    if count:
        # the interval 20 begins 60 h after the first midnight
        assert "2023-03-20 12:00 2023-03-20 15:00 3.0" in text


def test_missing_variables_are_named(events: xr.Dataset) -> None:
    with pytest.raises(DataError, match=r"rank, moon_position missing; .*`siderion conjunctions`"):
        render_report(events.drop_vars(["moon_position", "rank"]))


def test_labels_are_moved_apart_and_no_farther() -> None:
    # pairs closer than 2 share their middle: 0 and 1 become -0.5 and 1.5; 10 stays
    np.testing.assert_allclose(spread_apart(np.array([0.0, 1.0, 10.0]), 2.0), [-0.5, 1.5, 10.0])
    moved = spread_apart(np.sort(np.random.default_rng(0).uniform(0.0, 30.0, 12)), 4.0)
    assert (np.diff(moved) >= 4.0 - 1e-9).all()
