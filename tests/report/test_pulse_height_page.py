from __future__ import annotations

import json
import re

import numpy as np
import pytest

from siderion.core.errors import DataError
from siderion.io.pulse_height.writer import write_stics_events
from siderion.report import render_report
from siderion.report.pulse_height_page import _warning, is_pulse_height
from siderion.spectrometer.pulse_height.sample import COMMENT, sample_events
from siderion.spectrometer.pulse_height.years import PulseHeightSettings, count_files


def plain(page):
    return " ".join(re.sub(r"<[^>]+>", "", re.sub(r"<style>.*?</style>", "", page, flags=re.S)).split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("pulse")
    events = [*sample_events(6000, seed=3, start="2022-01-01", rate=0.005)]
    write_stics_events(place / "synthetic.gz", events, comments=[COMMENT + "; 6000 events"])
    write_stics_events(place / "other.gz", events, comments=["not from this program"])
    rows = ["start,end,region", "2022-01-01T00:00,2022-01-08T00:00,solar_wind", "2022-01-08T00:00,2022-02-01T00:00,lobe"]
    (place / "regions.csv").write_text("\n".join(rows) + "\n")
    return place


@pytest.fixture(scope="module")
def counts(folder):
    return count_files([folder / "synthetic.gz"], PulseHeightSettings(regions=str(folder / "regions.csv")))


@pytest.fixture(scope="module")
def page(counts):
    return render_report(counts)


def test_synthetic_events_are_told_loudly_and_measured_ones_are_not(folder, page):
    text = plain(page)
    assert text.startswith("Synthetic events, no measurement: ")
    assert "Synthetic events: this is no measurement. All events were made up by siderion pha sample" in text
    assert "made up by siderion pha sample: 1 of 1 files" in text
    other = count_files([folder / "other.gz"], PulseHeightSettings())
    assert json.loads(other.attrs["synthetic_files"]) == []
    assert other.attrs["title"].startswith("Pulse-height events")
    assert _warning(other) == ""


def test_page_gives_totals_rates_ratios_and_exposure(counts, page):
    assert is_pulse_height(counts)
    text = plain(page)
    totals = json.loads(counts.attrs["totals"])
    assert f"6000 events in {3 * float(counts['exposure'].sum()):,.0f} h" in text
    assert f"{totals['triple']} triple and {totals['double']} double" in text
    number = int(counts["window_counts"].sel(window="O+", region="lobe").sum())
    time = float(counts["exposure"].sel(region="lobe").sum())
    assert f"{number}: {number / time:.2g} (" in text
    # the ratio of rates, from the counts themselves
    new, other = ([3], [1, 2, 4, 5, 6])
    numbers = [
        int(counts["window_counts"].sel(window="mass-30 group", region="solar_wind", lunar_sector=s).sum()) for s in (new, other)
    ]
    hours = [float(counts["exposure"].sel(region="solar_wind", lunar_sector=s).sum()) for s in (new, other)]
    assert min(numbers) > 0
    assert f"{numbers[0] / hours[0] / (numbers[1] / hours[1]):.2g} (" in text
    for anchor in ("scatter", "near30", "moon", "newmoon", "windows", "exposure", "sources", "settings"):
        assert f'<section id="{anchor}">' in page
    assert page.count("<img") == 3
    assert not re.search(r'(src|href)="(?!data:|#|https://doi\.org)', page)
    assert 'class="missing"' not in page


def test_regions_and_classes_that_were_not_observed_are_left_out(counts, page):
    text = plain(page)
    assert "(solar wind)" in text
    assert "magnetosheath" not in text
    assert np.isfinite(float(counts["region_average"].sel(region="lobe", window="O+")))


def test_what_is_missing_is_named_in_one_message(counts):
    broken = counts.drop_vars("exposure")
    del broken.attrs["totals"]
    with pytest.raises(DataError, match="pulse-height events: exposure, totals missing"):
        render_report(broken)
