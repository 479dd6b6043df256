"""docs/wave_densities.md is what docs/make_wave_densities_page.py writes."""

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def page():
    spec = importlib.util.spec_from_file_location("make_wave_densities_page", DOCS / "make_wave_densities_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(page):
    assert (DOCS / "wave_densities.md").read_text(encoding="utf-8") == page.page()


def test_the_page_tells_the_three_inconsistencies(page):
    # by hand: 50/pi = 15.9; 2 pi/0.3 = 20.9; 2 pi 4e-3 0.15243/(100 x 1.4005e-7) = 273.6 and 43.54
    text = page.page()
    for words in ("which is 15.9 gyroperiods", "2 pi/0.3 = 20.9", "follow 274 cm-3 with 2 pi\nand 43.5 without"):
        assert words in text, words


def test_the_exact_shell_at_90_degrees(page):
    # by hand: loss v_A (sqrt(v^2 + v_A^2) - v_A)/2 over v_A v/2; at v_A = 0.75 v that is 1.25 - 0.75
    assert page.exact_over_first_order(0.75) == pytest.approx(0.5, rel=1e-14)
