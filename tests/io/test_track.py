from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siderion.core.errors import DataError
from siderion.io.track import read_track


def write(path: Path, *lines: str) -> Path:
    target = path / "track.csv"
    target.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return target


def test_columns(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "# a satellite",
        "time, lat, lon, alt, name",
        "2023-06-18T06:00:00, 69.6, 19.2, 450.5, a",
        "2023-06-18T08:00:30+02:00, -70, -179.9, 451, b",
        "2023-06-18T06:01Z, 70, 180, 451.5, c",
    )
    track = read_track(path)
    expected = np.array(["2023-06-18T06:00:00", "2023-06-18T06:00:30", "2023-06-18T06:01:00"], dtype="datetime64[ns]")
    assert track["time"].dtype == np.dtype("datetime64[ns]")
    np.testing.assert_array_equal(track["time"].values, expected)
    assert track["lat"].values.tolist() == [69.6, -70.0, 70.0]
    assert track["lon"].values.tolist() == [19.2, -179.9, 180.0]
    assert track["alt"].values.tolist() == [450.5, 451.0, 451.5]
    assert set(track.dims) == {"point"}


def test_altitude_may_be_absent(tmp_path: Path) -> None:
    track = read_track(write(tmp_path, "lon,lat,time", "19.2,69.6,2023-06-18T06:00:00"))
    assert set(track.data_vars) == {"time", "lat", "lon"}
    assert track.sizes == {"point": 1}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("noon,70,20,100", "row 2: time 'noon' is no ISO time, such as 2023-06-18T06:00:00"),
        (",70,20,100", "row 2: time nan is no ISO time"),
        ("2023-06-31T00:00,70,20,100", "row 2: time '2023-06-31T00:00' is no ISO time"),
        ("2023-06-18,north,20,100", "row 2: lat 'north' is no number"),
        ("2023-06-18,70,,100", "row 2: lon nan is no number"),
        ("2023-06-18,70,20,inf", "row 2: alt 'inf' is no number"),
        ("2023-06-18,70,20", "row 2: alt nan is no number"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, row: str, message: str) -> None:
    path = write(tmp_path, "time,lat,lon,alt", "2023-06-18T06:00,70,20,100", row)
    with pytest.raises(DataError, match=message):
        read_track(path)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["time,latitude,longitude", "2023-06-18,70,20"], r"columns \['lat', 'lon'\]; needed: time, lat, lon"),
        (["time,lat,lon"], "columns are there but no rows"),
        ([], "cannot be read: .*; give a CSV file with the columns"),
        (["time,lat,lon", "2023-06-18,70,20", "2023-06-18,70,20,5,6"], "cannot be read"),
    ],
)
def test_files_that_are_no_track(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_track(write(tmp_path, *lines))


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x9c" * 10)
    for path in (tmp_path, tmp_path / "missing.csv", tmp_path / "binary.csv"):
        with pytest.raises(DataError, match=f"track {path} cannot be read"):
            read_track(path)
