from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siderion.core.errors import DataError
from siderion.io.omni import BY_FLAGS, read_embedded_imf, read_omni

HEADER = "hour_start_utc,B,Bz_GSM,ByGSM_est,By_sigma,flag,V,N"
ROWS = [
    "2024-06-14 16:00:00+00:00,4.8,-1.2,3.182,0.2,pair,350.0,5.0",
    "2024-06-14T17:00Z,4.8,-2.2,-3.1,1.2,mag+nearest_sign,,",
    "2024-06-14T18:00,4.8,-2.5,-2.9,1.1,mag+own_sign,9999.,999.9",
]


def write(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text("\n".join(["# provenance", header, *rows, ""]))
    return path


def test_hourly_means_are_placed_at_half_past(tmp_path: Path) -> None:
    dataset = read_omni(write(tmp_path / "omni.csv", *ROWS))
    expected = ["2024-06-14T16:30", "2024-06-14T17:30", "2024-06-14T18:30"]
    assert dataset["time"].values.astype("datetime64[m]").astype(str).tolist() == expected
    assert "plus 30 min" in dataset["time"].attrs["long_name"]


def test_values_fill_values_and_reconstruction(tmp_path: Path) -> None:
    dataset = read_omni(write(tmp_path / "omni.csv", *ROWS))
    np.testing.assert_array_equal(dataset["imf_by_gsm"], [3.182, -3.1, -2.9])
    np.testing.assert_array_equal(dataset["imf_bz_gsm"], [-1.2, -2.2, -2.5])
    np.testing.assert_array_equal(dataset["solar_wind_speed"], [350.0, np.nan, np.nan])
    np.testing.assert_array_equal(dataset["solar_wind_density"], [5.0, np.nan, np.nan])
    np.testing.assert_array_equal(dataset["imf_by_sigma"], [0.2, 1.2, 1.1])
    assert dataset["imf_by_flag"].values.tolist() == ["pair", "mag+nearest_sign", "mag+own_sign"]
    assert dataset.attrs["imf_by_origin"] == "reconstructed"
    assert dataset["imf_by_gsm"].attrs["units"] == "nT"
    assert "reconstructed" in dataset["imf_by_gsm"].attrs["comment"]


def test_measured_by_needs_no_flags(tmp_path: Path) -> None:
    header = "hour_start_utc,By_GSM,Bz_GSM,V,N"
    dataset = read_omni(write(tmp_path / "omni.csv", "2024-06-14T16:00Z,999.9,-1.0,400,5", header=header))
    assert dataset.attrs["imf_by_origin"] == "measured"
    assert "imf_by_flag" not in dataset
    assert np.isnan(dataset["imf_by_gsm"][0])


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        ([ROWS[0]], HEADER.replace("Bz_GSM", "Bz"), r"line 2: columns Bz_GSM are missing"),
        ([ROWS[0]], HEADER.replace("ByGSM_est", "By"), r"neither column By_GSM .* nor ByGSM_est"),
        ([ROWS[0]], HEADER.replace("flag", "mark"), r"but flag is missing"),
        ([ROWS[0], ROWS[1][:30]], HEADER, r"line 4: 4 fields; the header has 8"),
        ([ROWS[0].replace("pair", "guess")], HEADER, r"line 3: flag is 'guess'"),
        ([ROWS[0].replace("350.0", "fast")], HEADER, r"line 3: V is 'fast'"),
        ([ROWS[0].replace("350.0", "-350.0")], HEADER, r"line 3: V is -350; it must not be negative"),
        ([ROWS[1], ROWS[0]], HEADER, r"line 4: hour .* follows 2024-06-14T17:00Z"),
        (
            [ROWS[0].replace("+00:00", "+09:00")],
            HEADER,
            r"line 3: hour_start_utc is .*\+09:00'; it must be the UTC",
        ),
        ([ROWS[1].replace("17:00Z", "17:30Z")], HEADER, r"start of an hour"),
        ([ROWS[1].replace("2024-06-14T17:00Z", "now")], HEADER, r"hour_start_utc is 'now'"),
        ([ROWS[1].replace("06-14", "06-31")], HEADER, r"hour_start_utc is '2024-06-31"),
    ],
)
def test_damaged_files(tmp_path: Path, rows: list[str], header: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_omni(write(tmp_path / "omni.csv", *rows, header=header))


def test_embedded_file_has_whole_days_and_few_gaps() -> None:
    dataset = read_embedded_imf()
    _, hours = np.unique(dataset["time"].values.astype("datetime64[D]"), return_counts=True)
    assert (hours.size, set(hours)) == (3 * 97 + 6, {24})
    assert np.isnan(dataset["imf_bz_gsm"]).sum() < 0.005 * dataset.sizes["time"]
    np.testing.assert_array_equal(np.isnan(dataset["imf_by_gsm"]), np.isnan(dataset["imf_bz_gsm"]))
    missing = np.isnan(dataset["solar_wind_speed"].values)
    np.testing.assert_array_equal(missing, np.isnan(dataset["solar_wind_density"].values))
    assert missing.any()
    assert set(np.unique(dataset["imf_by_flag"])) <= set(BY_FLAGS)
