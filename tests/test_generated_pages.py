"""docs/settings.md, docs/chemistry.md and docs/wave_settings.md are what docs/make_pages.py writes."""

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("name", ["settings.md", "chemistry.md", "wave_settings.md"])
def test_the_page_is_up_to_date(name):
    spec = importlib.util.spec_from_file_location("make_pages", DOCS / "make_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (DOCS / name).read_text(encoding="utf-8") == module.PAGES[name]()
