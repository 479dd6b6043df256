from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from siderion.core.errors import DataError, OutputError
from siderion.io.store import SliceWriter, open_dataset, round_mantissa, write_dataset

TIMES = np.datetime64("2023-06-18T00:00", "ns") + np.arange(3) * np.timedelta64(1, "h")
SHAPES = {"number_density": (("species", "time", "alt", "lat", "lon"), (2, 3, 4, 5, 6)), "solid_angle": (("lat",), (5,))}
ATTRIBUTES = {"number_density": {"units": "m-3"}, "solid_angle": {"units": "sr"}}
NORMAL = st.floats(2.0**-126, 2.0**127, width=32)
"""Numbers of float32 that have all bits of their mantissa and stay finite when rounded up."""


def small() -> xr.Dataset:
    return xr.Dataset(coords={"time": TIMES, "alt": np.arange(4.0), "species": np.array(["Fe+", "Mg+"], dtype=object)})


def example() -> xr.Dataset:
    generator = np.random.default_rng(1)
    values = generator.standard_normal((3, 4)).astype(np.float32)
    values[0, 0] = np.nan
    return small().assign(wind=(("time", "alt"), values, {"units": "m s-1"}), count=("time", np.arange(3)))


def writer(path: Path, **changes: Any) -> SliceWriter:
    return SliceWriter(path, small(), **{"shapes": SHAPES, "attributes": ATTRIBUTES, **changes})


def test_whole_dataset_round_trip(tmp_path: Path) -> None:
    write_dataset(example(), tmp_path / "out.zarr")
    with open_dataset(tmp_path / "out.zarr") as found:
        xr.testing.assert_identical(found.load(), example())
        assert found["time"].dtype == np.dtype("datetime64[ns]")


def test_whole_dataset_is_not_overwritten(tmp_path: Path) -> None:
    write_dataset(example(), tmp_path / "out.zarr")
    with pytest.raises(OutputError, match=r"cannot write .*out.zarr"):
        write_dataset(example(), tmp_path / "out.zarr")


def test_netcdf(tmp_path: Path) -> None:
    example().to_netcdf(tmp_path / "in.nc", engine="h5netcdf")
    with open_dataset(tmp_path / "in.nc") as found:
        np.testing.assert_array_equal(found["wind"].values, example()["wind"].values)
        np.testing.assert_array_equal(found["time"].values, TIMES)


def test_paths_that_hold_no_data(tmp_path: Path) -> None:
    (tmp_path / "text.nc").write_text("no data")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match=r"missing.nc does not exist; give the path of a NetCDF file or of a Zarr folder"):
        open_dataset(tmp_path / "missing.nc")
    for name in ("text.nc", "folder"):
        with pytest.raises(DataError, match=f"{name} is neither a NetCDF-4 file nor a Zarr store"):
            open_dataset(tmp_path / name)


def test_slices_are_found_again(tmp_path: Path) -> None:
    out = writer(tmp_path / "out.zarr")
    values = np.random.default_rng(2).lognormal(20.0, 5.0, (4, 5, 6))
    out.write("number_density", (1, 2), values)
    out.write("solid_angle", (), np.arange(5.0))
    out.finish({"title": "a run"})
    with open_dataset(tmp_path / "out.zarr") as found:
        assert found["number_density"].dims == SHAPES["number_density"][0]
        assert found["number_density"].dtype == np.float32
        assert found["number_density"].attrs["units"] == "m-3"
        np.testing.assert_array_equal(found["number_density"].values[1, 2], values.astype(np.float32))
        # what is not written yet is missing, not zero
        assert np.isnan(found["number_density"].values[0]).all()
        np.testing.assert_array_equal(found["solid_angle"], np.arange(5.0))
        np.testing.assert_array_equal(found["time"].values, TIMES)
        assert found["species"].values.tolist() == ["Fe+", "Mg+"]
        assert found.attrs["title"] == "a run"


def test_xarray_opens_the_store_by_itself(tmp_path: Path) -> None:
    writer(tmp_path / "out.zarr").write("number_density", (0, 0), np.ones((4, 5, 6)))
    with xr.open_zarr(tmp_path / "out.zarr", chunks=None, consolidated=False) as found:
        np.testing.assert_array_equal(found["time"].values, TIMES)
        assert found["number_density"].isel(species=0, time=0).values.min() == 1.0


def test_rounding_is_applied(tmp_path: Path) -> None:
    out = writer(tmp_path / "out.zarr")
    out.write("solid_angle", (), np.full(5, 1.2345678), bits=7)
    with open_dataset(tmp_path / "out.zarr") as found:
        assert found["solid_angle"].values[0] == 1.234375  # 158/128


def test_resume_keeps_what_is_there(tmp_path: Path) -> None:
    writer(tmp_path / "out.zarr").write("number_density", (0, 0), np.ones((4, 5, 6)))
    writer(tmp_path / "out.zarr", resume=True).write("number_density", (1, 0), np.full((4, 5, 6), 2.0))
    with open_dataset(tmp_path / "out.zarr") as found:
        assert found["number_density"].values[:, 0].max(axis=(1, 2, 3)).tolist() == [1.0, 2.0]


def test_resume_with_another_shape(tmp_path: Path) -> None:
    writer(tmp_path / "out.zarr")
    other = {**SHAPES, "number_density": (SHAPES["number_density"][0], (2, 3, 4, 5, 7))}
    message = r"number_density has shape \(2, 3, 4, 5, 6\), this run's is \(2, 3, 4, 5, 7\); start the run anew"
    with pytest.raises(OutputError, match=message):
        writer(tmp_path / "out.zarr", shapes=other, resume=True)


def test_resume_without_a_store_of_this_run(tmp_path: Path) -> None:
    write_dataset(example(), tmp_path / "foreign.zarr")
    (tmp_path / "folder").mkdir()
    for name in ("missing.zarr", "folder", "foreign.zarr"):
        with pytest.raises(OutputError, match=f"{name} cannot be resumed: not a store of this run"):
            writer(tmp_path / name, resume=True)


def test_a_new_store_does_not_overwrite(tmp_path: Path) -> None:
    writer(tmp_path / "out.zarr")
    with pytest.raises(OutputError, match=r"cannot write .*out.zarr"):
        writer(tmp_path / "out.zarr")


def test_full_disk(tmp_path: Path) -> None:
    class FullArray:
        def __setitem__(self, index: Any, values: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    out = writer(tmp_path / "out.zarr")
    out.group = {"solid_angle": FullArray()}  # type: ignore[assignment]
    with pytest.raises(OutputError, match=r"out.zarr: the disk is full; free some space and resume"):
        out.write("solid_angle", (), np.zeros(5))


@given(st_numpy.arrays(np.float32, st.integers(0, 20), elements=NORMAL), st.sampled_from([-1, 1]), st.integers(1, 23))
def test_rounding_error_is_bounded(values: np.ndarray, sign: int, bits: int) -> None:
    signed = (sign * values).astype(np.float32)
    error = np.abs(round_mantissa(signed, bits).astype(np.float64) - signed.astype(np.float64))
    assert (error <= 2.0 ** -(bits + 1) * np.abs(signed.astype(np.float64))).all()


@given(NORMAL, st.integers(1, 22))
def test_rounding_clears_the_other_bits_and_is_idempotent(value: float, bits: int) -> None:
    once = round_mantissa(np.array([value], dtype=np.float32), bits)
    assert once.view(np.uint32)[0] & ((1 << (23 - bits)) - 1) == 0
    assert round_mantissa(once, bits) == once


@pytest.mark.parametrize("bits", [1, 7, 12, 22, 23])
def test_special_values_are_kept(bits: int) -> None:
    values = np.array([np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0], dtype=np.float32)
    found = round_mantissa(values, bits)
    assert found.dtype == np.float32
    assert found.tobytes() == values.tobytes()


def test_ties_go_to_the_even_neighbour() -> None:
    values = np.array([1.25, 1.75], dtype=np.float32)  # with one bit the neighbours are 1.0, 1.5 and 2.0
    assert round_mantissa(values, 1).tolist() == [1.0, 2.0]


def test_shape_is_kept() -> None:
    values = np.ones((2, 3, 4), dtype=np.float32).transpose(2, 0, 1)
    assert round_mantissa(values, 7).shape == (4, 2, 3)
