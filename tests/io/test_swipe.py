from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from siderion.core.errors import DataError
from siderion.io.swipe import read_swipe_coefficients

HEADER = "# made for a test\n# n m tor_c_const tor_s_const tor_c_f107 tor_s_f107\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "coefficients.txt"
    path.write_text(text)
    return path


def test_small_file(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + " 3 0 1.5 nan 2.5 nan\n 3 1 1 2 3 4\n")
    table = read_swipe_coefficients(str(path))
    assert list(table["term"].values) == ["const", "f107"]
    np.testing.assert_array_equal(table["degree"], [3, 3])
    np.testing.assert_array_equal(table["order"], [0, 1])
    np.testing.assert_array_equal(table["coefficient"].sel(phase="cos"), [[1.5, 1.0], [2.5, 3.0]])
    np.testing.assert_array_equal(table["coefficient"].sel(phase="sin"), [[0.0, 2.0], [0.0, 4.0]])
    assert table["coefficient"].attrs["units"] == "mV m-1"


def test_bundled_file_and_its_licence() -> None:
    folder = resources.files("siderion") / "background" / "data"
    name = "SW_OPER_EIO_SHA_2E_00000000T000000_99999999T999999_0401.txt"
    table = read_swipe_coefficients(folder / name)
    assert table["coefficient"].shape == (19, 2, 63 + 63 + 62 + 61)
    assert int(table["degree"].max()) == 65
    assert int(table["order"].max()) == 3
    first = table["coefficient"].sel(term="const", phase="cos").values[0]
    assert first == pytest.approx(-0.0968)
    assert "MIT License" in (folder / "swipe_LICENSE.txt").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 3\n", "last comment line must name the columns"),
        (HEADER, "no coefficients after the header"),
        (HEADER + "3 0 1.5 nan 2.5\n", "line 3 has 5 fields; the header names 6"),
        (HEADER + "3 0 1.5 nan x nan\n", "line 3 is not all numbers"),
        (HEADER + "3 1 1.5 nan 2 3\n", r"const \(sin\) of degree 3, order 1 is nan"),
        ("# n m tor_c_const\n3 0 1\n", "tor_s_const.* are missing"),
        ("# n m other\n3 0 1\n", r"tor_c_\* are missing"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_swipe_coefficients(write(tmp_path, text))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no coefficient file"):
        read_swipe_coefficients(tmp_path / "none.txt")
