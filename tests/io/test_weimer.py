from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siderion.background.convection import weimer2005
from siderion.background.convection.weimer import regression_terms
from siderion.core.errors import DataError
from siderion.io.weimer import read_weimer2005_tables

ORDERS = [(k, m) for m in range(3) for k in range(m + 1, 13, 2)]
PAIRS = [(k, m, phase) for k, m in ORDERS for phase in ((1,) if m == 0 else (1, 0))]


def lines(values: np.ndarray, per_line: int, form: str) -> str:
    flat = np.asarray(values).ravel()
    rows = [flat[i : i + per_line] for i in range(0, len(flat), per_line)]
    return "\n".join("".join(form % value for value in row) for row in rows) + "\n"


def write_tables(folder: Path) -> None:
    """Files in the published layout, with invented numbers."""
    k, m, phase = (np.array(column) for column in zip(*PAIRS, strict=True))
    fit, fit_al = np.arange(28 * 15) * 1e-3, np.full((28, 18), 7.0)
    (folder / "W05scEpot.dat").write_text(
        "W05scEpot.dat\n"
        + lines(phase, 28, "%3d")
        + " 28 15 18\n"
        + "".join(lines(row, 6, "%20.9E") for row in fit_al)
        + "     0.470     1.330\n"
        + lines(k, 28, "%3d")
        + " 12  2\n"
        + lines(m, 28, "%3d")
        + "".join(lines(row, 6, "%20.9E") for row in fit.reshape(28, 15))
    )
    (folder / "W05scBndy.dat").write_text(
        "W05scBndy.dat\n  6  7\n"
        + lines(np.array([30.0, -1.0, 2.0, -1.5, 0.001, 0.1]), 8, "%20.9E")
        + lines(np.zeros(7), 8, "%20.9E")
        + lines(np.array([0.1595, 0.2478]), 8, "%20.9E")
    )
    radius = np.linspace(7.0, 90.0, 68)
    degree = np.arange(19.0) * 90.0 / radius[:, np.newaxis, np.newaxis] + 0.01 * np.arange(7.0)[:, np.newaxis]
    (folder / "SCHAtable.dat").write_text(
        "SCHAtable.dat\n 19  7\n"
        + "".join(lines(row, 6, "%20.9E") for row in degree.reshape(-1, 19))
        + lines(radius, 8, "%10.4f")
    )


def test_there_are_28_amplitudes() -> None:
    assert len(PAIRS) == 28


def test_round_trip(tmp_path: Path) -> None:
    write_tables(tmp_path)
    tables = read_weimer2005_tables(str(tmp_path))
    assert tables["fit"].shape == (28, 15)
    assert float(tables["fit"][1, 2]) == pytest.approx(17e-3)
    np.testing.assert_array_equal(tables["k"], [pair[0] for pair in PAIRS])
    np.testing.assert_array_equal(tables["m"], [pair[1] for pair in PAIRS])
    np.testing.assert_array_equal(tables["is_cosine"], [pair[2] == 1 for pair in PAIRS])
    np.testing.assert_allclose(tables["electric_exponents"], [0.47, 1.33])
    np.testing.assert_allclose(tables["boundary_exponents"], [0.1595, 0.2478])
    np.testing.assert_allclose(tables["boundary"][:3], [30.0, -1.0, 2.0])
    assert tables["degree"].shape == (68, 7, 19)
    radius = float(tables["radius"][10])
    assert float(tables["degree"][10, 2, 5]) == pytest.approx(5.0 * 90.0 / radius + 0.02, rel=1e-5)


def test_the_tables_feed_the_model(tmp_path: Path) -> None:
    write_tables(tmp_path)
    model = weimer2005(read_weimer2005_tables(tmp_path), 1.0, -3.0, 400.0, 5.0, 10.0, "north")
    pressure = 1.6726e-6 * 5.0 * 400.0**2
    strength = np.hypot(1.0, 3.0)
    saturation = (1.0 - np.exp(-0.1595 * strength)) * strength**0.2478
    cosine = -3.0 / strength
    radius = 30.0 - cosine + (2.0 - 1.5 * cosine) * saturation + 0.4 + 0.1 * pressure
    assert np.rad2deg(model.radius) == pytest.approx(radius)
    # At the centre of the circle, 4.2 degrees off the pole, only the order 0 remains, and each function is 1.
    terms = regression_terms(read_weimer2005_tables(tmp_path), 1.0, -3.0, 400.0, pressure, 10.0)
    fit = 1e-3 * np.arange(28 * 15).reshape(28, 15)
    expected = 1000.0 * sum(fit[index] @ terms for index, (_, m, _) in enumerate(PAIRS) if m == 0)
    assert float(model.potential(90.0 - 4.2, 0.0)) == pytest.approx(float(expected), rel=1e-9)


def test_missing_tables_say_how_to_get_them(tmp_path: Path) -> None:
    write_tables(tmp_path)
    (tmp_path / "SCHAtable.dat").unlink()
    message = r"SCHAtable\.dat are not in .*scientific research only.*ask the author"
    with pytest.raises(DataError, match=message) as caught:
        read_weimer2005_tables(tmp_path)
    assert "W05scEpot.dat" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("W05scEpot.dat", " 28 15 18", " 28 18 15", r"sizes .* are \(28, 18, 15\)"),
        ("W05scBndy.dat", "  6  7", "  7  6", r"are \(7, 6\)"),
        ("W05scBndy.dat", "3.000000000E+01", "***************", "must be numbers"),
        ("W05scBndy.dat", "3.000000000E+01", "NaN", "must be finite"),
        ("W05scEpot.dat", "  1  1  1  1  1  1  1", "  0  1  1  1  1  1  1", "sine amplitude 0 does not"),
        ("W05scEpot.dat", "\n  1  3  5", "\n 44  3  5", "amplitude 0 has k 44"),
        ("SCHAtable.dat", "   90.0000", "    1.0000", "must increase"),
    ],
)
def test_other_tables_are_refused(tmp_path: Path, name: str, old: str, new: str, message: str) -> None:
    write_tables(tmp_path)
    text = (tmp_path / name).read_text()
    assert old in text
    (tmp_path / name).write_text(text.replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        read_weimer2005_tables(tmp_path)


def test_short_table(tmp_path: Path) -> None:
    write_tables(tmp_path)
    path = tmp_path / "SCHAtable.dat"
    path.write_text(path.read_text()[:5000])
    with pytest.raises(DataError, match=r"SCHAtable\.dat: ends after"):
        read_weimer2005_tables(tmp_path)
