from __future__ import annotations

import re

import numpy as np
import pytest

from siderion.core.errors import DataError
from siderion.frames.moon import moon_position_gse
from siderion.geospace.ion_wake import ion_wake
from siderion.geospace.plasma_boundaries import SolarWind
from siderion.geospace.region_probability import region_probability
from siderion.geospace.residence import residence_time
from siderion.report import render_report

START = np.datetime64("2003-10-24", "ns")
RADIUS = 6371.2e3


def plain(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", re.sub(r"<style>.*?</style>", "", page, flags=re.S)).split())


def test_time_in_regions_with_wake() -> None:
    time = START + np.arange(49) * np.timedelta64(1, "h")
    places = np.tile([30.0 * RADIUS, 0.0, 0.0], (49, 1))  # far upstream: solar wind all the time
    found = residence_time(time, places, year_bins=4, wake_species=("Na+",))
    page = render_report(found)
    text = plain(page)
    assert "Of 48 h followed, most are spent in: solar wind 100.0 %" in text
    assert "3 parts without a bar have no time of the orbit" in text
    assert "left out: ionosphere" in text
    assert f"hours in the Na⁺ wakeionosphere0.00.000.0 to 0.0{0.0:.1f}" in text.replace(" ", "").replace(
        "hoursintheNa⁺wake", "hours in the Na⁺ wake"
    ).replace("0.0to0.0", "0.0 to 0.0")
    assert page.count("<img") == 1
    with pytest.raises(DataError, match="hours_in_bin missing"):
        render_report(found.drop_vars("hours_in_bin"))


@pytest.mark.parametrize("count", [1, 5])
def test_probability_of_regions(count: int) -> None:
    time = START + np.arange(count) * np.timedelta64(1, "h")
    wind = SolarWind(2.0e-9, 0.0, 8.0, speed=400e3)
    found = region_probability(time, np.tile([200e3, 0.0, 0.0], (count, 1)), wind, model_scatter=False)
    page = render_report(found)
    text = plain(page)
    assert f"Mean probability over {count} times: solar wind 100 %; magnetosheath 0 %; magnetosphere 0 %" in text
    assert "At 0 times no region has 90 % or more" in text
    assert page.count("<img") == 1


def test_wake_of_ions() -> None:
    time = START + np.arange(4) * np.timedelta64(1, "h")
    # straight downstream of the Moon at two times, far off the line at the others
    places = moon_position_gse(time) * 1e-3 + np.array([[-50e3, 0, 0], [-50e3, 0, 0], [-50e3, 4e5, 0], [50e3, 0, 0]])
    found = ion_wake(time, places, [-4e5, 0, 0], [0, 0, 5e-9], ["Na+", "Fe+"])
    page = render_report(found)
    assert "Inside the wake: Na⁺ at 2, Fe⁺ at 2 of 4 times" in plain(page)
    assert page.count("<img") == 1
    with pytest.raises(DataError, match="wake_height missing"):
        render_report(found.drop_vars("wake_height"))
