from __future__ import annotations

import numpy as np
import pytest

from siderion.core.errors import DataError
from siderion.io.dst import read_dst

# a line of the exchange format, put together by its description: values k - 12 over a base of -1 (unit 100 nT)
VALUES = [k - 12 for k in range(24)]


def _line(day: int = 7, base: int = -1, values: list[int] | None = None, century: str = "20") -> str:
    hourly = "".join(f"{value:4d}" for value in values or VALUES)
    return f"DST1510*{day:02d}  X2{century}{base:4d}{hourly}{0:4d}"


def test_exchange_format(tmp_path) -> None:
    path = tmp_path / "dst.txt"
    assert len(_line()) == 120
    path.write_text("\n".join([_line(), _line(day=8, base=0, values=[9999, *VALUES[1:]])]))
    found = read_dst(path)
    assert found.sizes["time"] == 48
    assert found["time"].values[0] == np.datetime64("2015-10-07T00:00", "ns")
    assert float(found["dst"][0]) == -112.0
    assert float(found["dst"][23]) == -89.0
    assert np.isnan(found["dst"].values[24])
    assert float(found["dst"][25]) == -11.0
    assert found.attrs["version"] == "2"


def test_blank_century_is_the_twentieth(tmp_path) -> None:
    path = tmp_path / "dst.txt"
    path.write_text(_line(century="  "))
    assert read_dst(path)["time"].values[0] == np.datetime64("1915-10-07", "ns")


def test_comma_separated(tmp_path) -> None:
    path = tmp_path / "dst.csv"
    path.write_text("time,dst\n2015-10-07T22:00,-124\n2015-10-07T23:00,\n")
    np.testing.assert_array_equal(read_dst(path)["dst"].values, [-124.0, np.nan])


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (_line()[:60], "line 1"),
        (_line() + "\n" + _line(), "order"),
        (_line().replace("*", "?"), "column 8"),
        (_line(base=-90), "between"),
        ("time,dst\n2015-10-07,far\n", "dst"),
        (_line().replace("1510*07", "1513*07"), "cannot be read"),
    ],
)
def test_damaged(tmp_path, text: str, word: str) -> None:
    path = tmp_path / "dst.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=word):
        read_dst(path)
