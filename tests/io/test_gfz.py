from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siderion.core.errors import DataError
from siderion.io.gfz import read_gfz

HEADER = "date,Kp1,Kp2,Kp3,Kp4,Kp5,Kp6,Kp7,Kp8,ap1,ap2,ap3,ap4,ap5,ap6,ap7,ap8,Ap,F107obs,F107adj"
ROWS = [
    "2024-08-25,2.0,2.333,2.0,1.333,0.667,0.333,0.667,1.0,7.0,9.0,7.0,5.0,3.0,2.0,3.0,4.0,5.0,232.6,237.6",
    "2024-08-26,1.667,1.0,0.333,1.0,1.0,1.333,0.333,0.333,6.0,4.0,2.0,4.0,4.0,5.0,2.0,2.0,4.0,-1.0,-1.0",
]


def write(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *rows, ""]))
    return path


def test_values_and_the_missing_flux_of_26_august_2024(tmp_path: Path) -> None:
    dataset = read_gfz(write(tmp_path / "gfz.csv", *ROWS))
    np.testing.assert_array_equal(dataset["kp"][:8], np.array([6, 7, 6, 4, 2, 1, 2, 3]) / 3)
    np.testing.assert_array_equal(dataset["ap"][8:], [6, 4, 2, 4, 4, 5, 2, 2])
    np.testing.assert_array_equal(dataset["ap_daily"], [5, 4])
    np.testing.assert_array_equal(dataset["f107"], [232.6, np.nan])
    assert "f107_81_day_mean" not in dataset


def test_negative_kp_and_ap_become_missing(tmp_path: Path) -> None:
    row = ROWS[0].replace(",2.0,2.333", ",-1.0,2.333").replace(",7.0,9.0", ",-1,9.0")
    dataset = read_gfz(write(tmp_path / "gfz.csv", row))
    assert np.isnan(dataset["kp"][0])
    assert np.isnan(dataset["ap"][0])


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        (ROWS, HEADER.replace("F107obs", "flux"), r"columns F107obs are missing from the header"),
        ([ROWS[0], ROWS[1][:60]], HEADER, r"gfz.csv, line 3: \d+ fields; the header has 20"),
        ([ROWS[0].replace("232.6", "232,6")], HEADER, r"line 2: 21 fields"),
        ([ROWS[0].replace("232.6", "x")], HEADER, r"line 2: F107obs is 'x'; it must be a finite number"),
        ([ROWS[0].replace("232.6", "inf")], HEADER, r"line 2: F107obs is 'inf'"),
        ([ROWS[0].replace("2024-08-25", "25.8.24")], HEADER, r"line 2: date is '25.8.24'"),
        ([ROWS[0].replace("2024-08-25", "today")], HEADER, r"line 2: date is 'today'"),
        ([ROWS[0].replace("2024-08-25", "2024-08-35")], HEADER, r"line 2: date is '2024-08-35'"),
        ([ROWS[0], ROWS[0]], HEADER, r"line 3: day 2024-08-25 follows 2024-08-25"),
        ([], HEADER, r"no rows after the header"),
        ([], "# comment", r"only comments"),
    ],
)
def test_damaged_files(tmp_path: Path, rows: list[str], header: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_gfz(write(tmp_path / "gfz.csv", *rows, header=header))
