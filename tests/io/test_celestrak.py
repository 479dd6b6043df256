from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siderion.core.errors import DataError
from siderion.io.celestrak import indices_dataset, read_celestrak, read_embedded_indices

HEADER = ["DATATYPE CssiSpaceWeather", "VERSION 1.2", "# comment"]
ROWS = [
    "2024 08 25 2605 19 20 23 20 13  7  3  7 10 103   7   9   7   5   3   2   3   4"
    "   5 0.2 1 204 237.6 0 228.0 219.1 232.6 223.5 212.7",
    "2024 08 26 2605 20 17 10  3 10 10 13  3  3  70   6   4   2   4   4   5   2   2"
    "   4 0.1 0 220 231.7 4 228.3 219.6 227.0 223.9 213.2",
]


def write(path: Path, rows: list[str], announced: int | None = None, tail: tuple[str, ...] = ("END OBSERVED",)) -> Path:
    count = len(rows) if announced is None else announced
    path.write_text("\r\n".join([*HEADER, f"NUM_OBSERVED_POINTS {count}", "BEGIN OBSERVED", *rows, *tail, ""]))
    return path


def test_values_of_two_days(tmp_path: Path) -> None:
    dataset = read_celestrak(write(tmp_path / "sw.txt", ROWS))
    assert dataset["day"].values.astype("datetime64[D]").astype(str).tolist() == ["2024-08-25", "2024-08-26"]
    assert dataset["time"].values[9] == np.datetime64("2024-08-26T03:00")
    np.testing.assert_array_equal(dataset["kp"][:8] * 3, [6, 7, 6, 4, 2, 1, 2, 3])
    np.testing.assert_array_equal(dataset["ap"][8:], [6, 4, 2, 4, 4, 5, 2, 2])
    np.testing.assert_array_equal(dataset["ap_daily"], [5, 4])
    np.testing.assert_array_equal(dataset["f107"], [232.6, 227.0])
    np.testing.assert_array_equal(dataset["f107_81_day_mean"], [223.5, 223.9])
    np.testing.assert_array_equal(dataset["f107_qualifier"], [0, 4])
    assert dataset["f107"].attrs["units"] == "1e-22 W m-2 Hz-1"


def test_predictions_after_the_observed_days_are_not_read(tmp_path: Path) -> None:
    tail = ("END OBSERVED", "", "NUM_DAILY_PREDICTED_POINTS 1", "BEGIN DAILY_PREDICTED", ROWS[1])
    assert read_celestrak(write(tmp_path / "sw.txt", ROWS[:1], tail=tail)).sizes["day"] == 1


def test_blank_and_negative_fields_become_missing(tmp_path: Path) -> None:
    row = ROWS[1][:18] + "   " + ROWS[1][21:112] + "  -1.0" + "      " + ROWS[1][124:]
    dataset = read_celestrak(write(tmp_path / "sw.txt", [row]))
    assert np.isnan(dataset["kp"][0])
    assert np.isnan(dataset["f107"][0])
    assert np.isnan(dataset["f107_81_day_mean"][0])
    assert not np.isnan(dataset["kp"][1:]).any()


def test_embedded_file_covers_its_days_without_holes() -> None:
    dataset = read_embedded_indices()
    days = dataset["day"].values
    assert (days[0], days[-1]) == (np.datetime64("2021-11-01"), np.datetime64("2025-03-31"))
    assert (np.diff(days) == np.timedelta64(1, "D")).all()
    for name in ("kp", "ap", "ap_daily", "f107", "f107_81_day_mean"):
        assert np.isfinite(dataset[name]).all()
    assert dataset["kp"].max() <= 9


def test_embedded_mean_is_the_mean_of_81_days() -> None:
    # The file writes one decimal, so its means agree with those of its own days to half of one.
    dataset = read_embedded_indices()
    means = np.convolve(dataset["f107"], np.full(81, 1 / 81), mode="valid")
    np.testing.assert_allclose(means, dataset["f107_81_day_mean"][40:-40], atol=0.0501, rtol=0)


@pytest.mark.parametrize(
    ("rows", "announced", "tail", "message"),
    [
        (ROWS, 3, ("END OBSERVED",), r"2 observed days, but NUM_OBSERVED_POINTS says 3"),
        (ROWS, None, (), r"without 'END OBSERVED'; it is cut short"),
        ([ROWS[0], ROWS[1][:90]], None, (), r"cut short"),
        ([ROWS[0], ROWS[1][:90]], None, ("END OBSERVED",), r"line 7: the row has 90 characters"),
        (
            [ROWS[0][:112] + " 23x.6" + ROWS[0][118:]],
            None,
            ("END OBSERVED",),
            r"columns 113 to 118: .*'23x.6'",
        ),
        ([ROWS[0].replace("2024 08", "2024 13", 1)], None, ("END OBSERVED",), r"line 6: .* is not a date"),
        (ROWS[::-1], None, ("END OBSERVED",), r"line 7: day 2024-08-25 follows 2024-08-26"),
        ([ROWS[0][:18] + " 25" + ROWS[0][21:]], None, ("END OBSERVED",), r"Kp number 1 is 2.5; .*thirds"),
    ],
)
def test_damaged_files(tmp_path: Path, rows: list[str], announced: int | None, tail: tuple[str, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_celestrak(write(tmp_path / "sw.txt", rows, announced, tail))


def test_foreign_binary_empty_and_absent_files(tmp_path: Path) -> None:
    file = tmp_path / "foreign"
    file.write_text("DATE,BSRN,ND\n2024-08-25,2605,19\n")
    with pytest.raises(DataError, match=r"foreign, line 1: 'DATE,BSRN,ND' is not the header"):
        read_celestrak(file)
    file.write_bytes(b"\x89HDF\r\n\xff\xfe")
    with pytest.raises(DataError, match=r"is not text"):
        read_celestrak(file)
    file.write_text("\n")
    with pytest.raises(DataError, match=r"is empty"):
        read_celestrak(file)
    with pytest.raises(DataError, match=r"absent.txt: cannot be read"):
        read_celestrak(tmp_path / "absent.txt")


def test_kp_above_nine_is_refused() -> None:
    days = np.array(["2024-01-01"], dtype="datetime64[ns]")
    with pytest.raises(DataError, match=r"file, line 1: Kp number 8 is 9.3"):
        indices_dataset(
            days,
            np.array([[0.0] * 7 + [28 / 3]]),
            np.zeros((1, 8)),
            np.zeros(1),
            np.ones(1),
            ["file, line 1"],
        )
