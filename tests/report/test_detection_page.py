from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb

from siderion.core.errors import DataError
from siderion.frames.dipole import TiltedDipole
from siderion.geospace.detection_map import detection_map
from siderion.report import render_report
from siderion.report.detection_figures import NOTHING_SEEN, Grid, MapRow, draw_detection_maps
from siderion.report.figures import to_png

START = np.datetime64("2015-03-01T00:00", "ns")


def plain(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", re.sub(r"<style>.*?</style>", "", page, flags=re.S)).split())


def observations(count: int, latitude: float, hour: float, seen: int) -> xr.Dataset:
    """Passes an hour apart through one bin, the first ones with 1200 counts per second."""
    times = START + np.arange(count) * np.timedelta64(1, "h")
    places = []
    for time in times:
        dipole = TiltedDipole.at(time)
        places.append(dipole.geographic(latitude, float(dipole.subsolar_magnetic_longitude(time)) + 15.0 * (hour - 12.0)))
    lat, lon = np.array(places).T
    columns = {
        "lat": lat,
        "lon": lon,
        "alt_km": np.full(count, 700.0),
        "count_rate": np.where(np.arange(count) < seen, 1200.0, 0.0),
    }
    return xr.Dataset({name: ("time", values) for name, values in columns.items()}, coords={"time": times})


@pytest.mark.parametrize(("latitude", "words"), [(67.5, "North"), (-67.5, "South")])
def test_numbers_and_hemisphere(latitude: float, words: str) -> None:
    page = render_report(detection_map(observations(20, latitude, 20.5, 5)))
    text = plain(page)
    assert "5 of 20 passes through a bin have a detection: 25 %" in text
    sign = "" if latitude > 0 else "\N{MINUS SIGN}"
    low, high = (65, 70) if latitude > 0 else (70, 65)
    assert f"at magnetic latitude {sign}{low} to {sign}{high}°, 20 to 21 h MLT: 5 of 20 passes" in text
    assert f"{words}: occurrence of detections" in text
    assert page.count("<img") == 1
    # of the other classes of the altitude: an upper limit, (1 - p)^20 = 0.05
    assert f"&lt; {100 * (1 - 0.05**0.05):.0f} % (95 %)" in page


def test_nothing_seen_is_a_limit() -> None:
    text = plain(render_report(detection_map(observations(20, 67.5, 20.5, 0))))
    assert "0 of 20 passes through a bin have a detection: below 14 % (95 %)" in text.replace("&lt;", "<")
    assert "Nothing was detected in any bin" in text


def test_no_pass_and_missing_variables() -> None:
    found = detection_map(observations(3, 67.5, 20.5, 1))
    with pytest.raises(DataError, match="no bin has a pass"):
        render_report(found.assign(passes=found["passes"] * 0))
    with pytest.raises(DataError, match="passes missing"):
        render_report(found.drop_vars("passes"))


def test_noon_is_up_and_dawn_to_the_right() -> None:
    from io import BytesIO

    from matplotlib.image import imread

    values = np.full((4, 24), np.nan)
    values[:, 6] = 0.0  # 6 to 7 h MLT: passes without a detection
    grid = Grid(np.array([50.0, 60.0, 70.0, 80.0, 90.0]), np.arange(25.0), 50.0)
    picture = imread(BytesIO(to_png(draw_detection_maps([MapRow({"one": values})], grid, 1.0))))[..., :3]
    rows, columns = np.nonzero((np.abs(picture - to_rgb(NOTHING_SEEN)) < 0.01).all(axis=-1))
    map_rows = rows < 0.8 * picture.shape[0]  # the legend is below
    assert columns[map_rows].mean() > 0.5 * picture.shape[1] * 0.7 + 20
    # just above the middle of the map: the hour after dawn is on the noon side
    middle = picture.shape[0] * (0.3 + 2.75 / 2) / (2.75 + 0.3 + 0.55)
    assert middle - 60 < rows[map_rows].mean() < middle
