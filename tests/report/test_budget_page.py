from __future__ import annotations

import re

import pytest

from siderion.core.errors import DataError
from siderion.core.spread import Spread
from siderion.inference.budget import Given, supply_budget
from siderion.report import render_report
from siderion.report.budget_figures import Step, draw_chains
from siderion.report.budget_page import is_budget, render_budget_page


@pytest.fixture(scope="module")
def upstream():
    return supply_budget("Fe", "upstream", samples=2000)


def plain(page):
    return " ".join(re.sub(r"<[^>]+>", "", re.sub(r"<style>.*?</style>", "", page, flags=re.S)).split())


def test_page_names_the_largest_source_and_that_of_the_singly_charged(upstream):
    assert is_budget(upstream)
    page = render_report(upstream)
    text = plain(page)
    assert "Most Fe that comes to the solar wind upstream of the Earth is from the solar wind: " in text
    assert "Of the singly charged, most is from the Moon: " in text
    wind = upstream.sel(route="solar wind")
    mantissa, power = f"{float(wind['supply']):.1e}".split("e+")
    assert f"from the solar wind: {mantissa} × 10{int(power)} (" in text
    assert float(wind["low_charge_share"]) == 0.0
    assert "none8+ to 12+, 16+ in coronal mass ejections" in text
    assert page.count("<img") == 3
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!data:|#|https://doi\.org)', page)


def test_page_has_every_factor_with_source_confidence_and_variance(upstream):
    page = render_budget_page(upstream)
    text = plain(page)
    number = 0
    for route in upstream["route"].values:
        one = upstream.sel(route=route)
        for k in range(one.sizes["step"]):
            if one["factor"].values[k]:
                number += 1
                assert f"{route}.{one['factor'].values[k]}" in text
                assert one["factor_meaning"].values[k] in text
        assert f"({100 * float(one['dominant_variance_share']):.0f} % of the variance)" in text
    table = page.split('<section id="table">')[1].split("</section>")[0]
    assert table.count("<tr>") == number + 1
    assert table.count('class="mark') == number
    assert "nan" not in text.lower().split()


def test_factor_of_the_user_is_shown_as_unverified():
    given = Given({"moon.ion_share": Spread(0.005, 0.005, 0.005)}, {})
    text = plain(render_budget_page(supply_budget("Fe", "upstream", given=given, samples=500)))
    row = text.split("moon.ion_share")[1][:120]
    assert re.match(r"5\.0 × 10−30 %stated by the user⚠ unverified", row), row


def test_budget_of_one_source_without_metals():
    page = render_budget_page(supply_budget("NO", "exobase", samples=500))
    text = plain(page)
    assert "Most NO that comes to the exobase (500 km) is from the ionosphere" in text
    assert "Of the singly charged, most" not in text
    assert page.count("<img") == 3


def test_bars_of_the_chain_begin_and_end_at_the_ends():
    steps = [Step("a", 2.0, 1.0, 8.0, 0.75, "verified"), Step("b", 1.0, 1.0, 1.0, 0.0, "odd")]
    figure = draw_chains({"moon": steps})
    bars = figure.axes[0].patches
    assert (bars[0].get_x(), bars[0].get_x() + bars[0].get_width()) == (0.5, 4.0)
    assert bars[1].get_width() == 0.0
    assert figure.axes[1].patches[0].get_width() == 75.0
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["verified", "unverified"]


def test_page_names_what_is_missing(upstream):
    with pytest.raises(DataError, match=r"budget: supply_lower, factor_source missing.*siderion sources budget"):
        render_budget_page(upstream.drop_vars(["supply_lower", "factor_source"]))
