"""The settings files of examples/experiments."""

from pathlib import Path

import pytest

from siderion.jobs.settings import read_toml
from siderion.transport.settings import make_settings

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "examples" / "experiments").glob("*.toml"))


def test_there_are_some():
    assert len(FILES) > 20


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_settings_are_valid_and_the_page_names_them(path):
    settings = make_settings(read_toml(path))
    assert settings.date
    assert path.stem in (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
