"""Reading of time-of-flight histograms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from siderion.core.errors import DataError
from siderion.io.spectrum_table import edges_from_centres, read_spectra


def write(path: Path, text: str) -> Path:
    """A file with a text."""
    path.write_text(text, encoding="utf-8")
    return path


def test_one_spectrum(tmp_path: Path) -> None:
    """Comments, spaces and a byte-order mark are read."""
    text = "\ufeff# made by hand\ntof_ns, counts\n41,2\n42,3\n43,0\n44,1\n45, 7\n"
    found = read_spectra(write(tmp_path / "one.csv", text))
    assert found["counts"].dims == ("spectrum", "tof")
    assert found["counts"].values.tolist() == [[2.0, 3.0, 0.0, 1.0, 7.0]]
    assert found["tof_ns"].values.tolist() == [41.0, 42.0, 43.0, 44.0, 45.0]
    assert found["spectrum"].values.tolist() == ["one"]
    assert found.attrs["fractional"] == 0


def test_many_spectra_and_energies(tmp_path: Path) -> None:
    """A column spectrum keeps the order of the file; energies are sorted."""
    rows = [f"{name},{t},{k}" for k, name in enumerate(("late", "early")) for t in range(50, 56)]
    found = read_spectra(write(tmp_path / "many.csv", "\n".join(["spectrum,tof_ns,counts", *rows])))
    assert found["spectrum"].values.tolist() == ["late", "early"]
    assert found["counts"].sum("tof").values.tolist() == [0.0, 6.0]
    rows = [f"{e},{t},{e}" for e in (200, 100) for t in range(50, 56)]
    found = read_spectra(write(tmp_path / "energy.csv", "\n".join(["energy_ev,tof_ns,counts", *rows])))
    assert found["counts"].dims == ("energy", "tof")
    assert found["energy_ev"].values.tolist() == [100.0, 200.0]
    assert found["counts"].values[:, 0].tolist() == [100.0, 200.0]


def test_netcdf(tmp_path: Path) -> None:
    """NetCDF with one or two dimensions; counts that are no whole numbers are said."""
    data = xr.Dataset({"counts": ("tof", np.arange(6.0) + 0.5)}, coords={"tof_ns": ("tof", np.arange(6.0) + 50.0)})
    data.to_netcdf(tmp_path / "one.nc", engine="h5netcdf")
    found = read_spectra(tmp_path / "one.nc")
    assert found["counts"].shape == (1, 6)
    assert found.attrs["fractional"] == 1
    data = xr.Dataset({"counts": (("tof", "energy"), np.ones((6, 2)))}, coords={"tof_ns": ("tof", np.arange(6.0) + 50.0)})
    data.assign_coords(energy_ev=("energy", [10.0, 20.0])).to_netcdf(tmp_path / "two.nc", engine="h5netcdf")
    assert read_spectra(tmp_path / "two.nc")["counts"].dims == ("energy", "tof")


def test_edges() -> None:
    """Edges of even bins are even; those of uneven bins lie midway."""
    assert edges_from_centres(np.array([1.0, 2.0, 3.0])).tolist() == [0.5, 1.5, 2.5, 3.5]
    assert edges_from_centres(np.array([1.0, 2.0, 4.0])).tolist() == [0.5, 1.5, 3.0, 5.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tof_ns,count\n1,2\n", "column counts missing"),
        ("tof_ns,counts\n1,2\n2,-3\n3,1\n4,1\n5,1\n", r"row 2: counts is '-3'"),
        ("tof_ns,counts\n1,2\n2,x\n3,1\n4,1\n5,1\n", r"row 2: counts is 'x'"),
        ("tof_ns,counts\n1,2\n2,\n3,1\n4,1\n5,1\n", r"row 2: counts"),
        ("tof_ns,counts\n1,2\n2,3\n2,1\n4,1\n5,1\n", r"row 3: tof_ns is '2'; this time is there already"),
        ("tof_ns,counts\n40,2\n42,3\n41,1\n43,1\n44,1\n", r"row 3: tof_ns is 41 after 42 in row 2; times rise"),
        (
            "spectrum,tof_ns,counts\n" + "".join(f"{k},{t},1\n" for t in (1, 2, 3, 5, 4) for k in "ab"),
            r"row 9: tof_ns is 4 after 5 in row 7; times rise",
        ),
        ("tof_ns,counts\n0,2\n2,3\n3,1\n4,1\n5,1\n", r"row 1: tof_ns is '0'"),
        ("tof_ns,counts\n1,2\n2,3\n", "2 bins"),
        ("spectrum,tof_ns,counts\na,1,1\na,2,1\na,3,1\na,4,1\na,5,1\nb,1,1\n", "b has no row for 2 ns"),
        ("", "cannot be read"),
    ],
)
def test_bad_tables(tmp_path: Path, text: str, message: str) -> None:
    """Every error names the row and the value."""
    with pytest.raises(DataError, match=message):
        read_spectra(write(tmp_path / "bad.csv", text))
    with pytest.raises(DataError, match="cannot be read"):
        read_spectra(tmp_path / "none.csv")


def test_bad_netcdf(tmp_path: Path) -> None:
    """Times that do not rise, negative counts, missing variables."""
    good = xr.Dataset({"counts": ("tof", np.ones(6))}, coords={"tof_ns": ("tof", np.arange(6.0) + 50.0)})
    for k, (wrong, message) in enumerate(
        [
            (good.assign_coords(tof_ns=("tof", np.ones(6))), "rise"),
            (good.assign(counts=good["counts"] - 2.0), "at least 0"),
            (good.drop_vars("counts"), "missing"),
        ]
    ):
        wrong.to_netcdf(tmp_path / f"{k}.nc", engine="h5netcdf")
        with pytest.raises(DataError, match=message):
            read_spectra(tmp_path / f"{k}.nc")
