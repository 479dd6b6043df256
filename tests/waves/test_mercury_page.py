"""docs/mercury_numbers.md is what docs/make_mercury_page.py writes."""

import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_up_to_date():
    spec = importlib.util.spec_from_file_location("make_mercury_page", DOCS / "make_mercury_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (DOCS / "mercury_numbers.md").read_text(encoding="utf-8") == module.page()
