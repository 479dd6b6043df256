from __future__ import annotations

import json
import re

import numpy as np
import pytest
import xarray as xr

from siderion.core.errors import DataError
from siderion.report import render_report
from siderion.report.layer_figures import with_gaps
from siderion.spectrometer.layer import describe_layer, line_cross_section, observe_limb, observe_with_lidar
from siderion.spectrometer.lidar import get_lidar, get_line

START = np.datetime64("2012-11-01T12:00", "ns")


def plain(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", re.sub(r"<style>.*?</style>", "", page, flags=re.S)).split())


def profiles(times: int = 12, hours: float = 1.0) -> xr.Dataset:
    """A Gaussian of 3e9 m-3 at 90 km with a width of 4.5 km at all times."""
    alt = np.arange(70.0, 120.5, 1.0)
    density = np.tile(3e9 * np.exp(-0.5 * ((alt - 90.0) / 4.5) ** 2), (times, 1))
    time = START + np.arange(times) * np.timedelta64(round(hours * 3600), "s")
    data = {"layer_density": (("time", "alt"), density, {"units": "m-3"})}
    return xr.Dataset(data, coords={"time": time, "alt": alt}, attrs={"variable": "density"})


def named(result: xr.Dataset, **settings: object) -> xr.Dataset:
    result.attrs |= {"kind": "siderion layer", "title": "Layer", "settings": json.dumps({"species": "Na", **settings}),
                     "sources": "[]", "siderion_version": "0"}  # fmt: skip
    return result


def test_numbers_of_a_steady_layer() -> None:
    page = render_report(named(describe_layer(profiles())))
    text = plain(page)
    column = 3e9 * 4.5e3 * np.sqrt(2.0 * np.pi)
    edge = 90.0 + 4.5 * np.sqrt(2.0 * np.log(60.0))
    assert f"column density {column / 1e13:.2f} × 1013" in text
    assert "centroid height 90.0" in text
    assert f"upper edge {edge:.1f} km (median and range of 12 profiles, 2012-11-01 12:00 to 2012-11-01 23:00 UT)" in text
    assert "No errors: the densities have none" in text
    assert page.count("<img") == 3
    # linear in the logarithm between 77 and 78 km, which lie 13 and 12 km below the peak
    below, above = (np.log(3e9 / 5e7) - 0.5 * (distance / 4.5) ** 2 for distance in (13.0, 12.0))
    assert f"lower edge, km{77.0 - below / (above - below):.2f}" in text


def test_one_profile_without_time() -> None:
    one = profiles(1)
    one = one.assign_coords(time=np.array(["NaT"], dtype="datetime64[ns]"))
    page = render_report(named(describe_layer(one, threshold=1e10), species=None))
    text = plain(page)
    assert "no upper edge: peak below threshold (one profile)" in text
    assert page.count("<img") == 1


def test_lidar_shows_daylight_and_counts() -> None:
    seen = observe_with_lidar(profiles(5), get_lidar("tromso"), (76.0, 114.0))
    page = render_report(named(describe_layer(seen, None, (76.0, 114.0), bin_means=True), lidar="tromso"))
    night, times = int(seen["lidar_night"].sum()), seen.sizes["time"]
    assert 0 < night < times
    text = plain(page)
    assert f"{night} of {times} times are dark enough" in text
    assert f"density missing in range: {times - night}" in text
    assert "one standard error, to first order" in text
    assert page.count("<img") == 4


def test_limb_warns_where_the_line_is_thick() -> None:
    section = line_cross_section(get_line("Na D2a"))
    assert section == pytest.approx(9.3e-16, rel=0.02)
    heights = np.arange(74.0, 119.0, 2.0)
    for factor, thick in ((1.0, True), (1e-3, False)):
        thin = profiles(1)
        thin["layer_density"] = thin["layer_density"] * factor
        seen = observe_limb(thin, heights, 0.5, 20.0 * factor, 1.0, 0, section)
        seen.attrs |= {"line": "Na D2a", "line_cross_section_m2": section}
        text = plain(render_report(named(describe_layer(seen, 5e7 * factor), noise=20.0, g=0.5, field_of_view=1.0)))
        assert ("is not optically thin" in text) == thick
        assert "Optical depth at the centre of the line Na D2a" in text
    text = plain(render_report(named(describe_layer(observe_limb(profiles(1), heights, 0.5, 20.0)), noise=20.0)))
    assert "It is not known whether the line is optically thin" in text


def test_missing_variables_are_named() -> None:
    with pytest.raises(DataError, match=r"layer_density, layer_upper_edge_flag missing; .*`siderion layer`"):
        render_report(named(describe_layer(profiles())).drop_vars(["layer_density", "layer_upper_edge_flag"]))


def test_nothing_is_drawn_across_a_gap() -> None:
    time = START + np.array([0, 1, 2, 10, 11]) * np.timedelta64(1, "h")
    moments, values = with_gaps(time, np.arange(5.0)[:, None])
    assert ((moments - START) / np.timedelta64(1, "h")).tolist() == [0, 1, 2, 3, 9, 10, 11]
    assert np.isnan(values[[3, 4], 0]).all()
    assert values[[0, 1, 2, 5, 6], 0].tolist() == [0, 1, 2, 3, 4]
