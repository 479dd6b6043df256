"""Zarr and NetCDF: data sets read whole or lazily, and Zarr stores that are filled slice by slice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, BloscShuffle

from siderion.core.errors import DataError, OutputError, explained

_COMPRESSOR = BloscCodec(cname="zstd", clevel=5, shuffle=BloscShuffle.shuffle)


def open_dataset(path: str | Path) -> xr.Dataset:
    """Open a NetCDF file or a Zarr folder lazily.

    Raises
    ------
    DataError
        The path does not exist or holds neither.
    """
    place = Path(path)
    if not place.exists():
        raise DataError(f"{place} does not exist; give the path of a NetCDF file or of a Zarr folder")
    try:
        if place.is_dir():
            return xr.open_zarr(place, chunks=None, consolidated=False)
        return xr.open_dataset(place, engine="h5netcdf")
    except Exception as error:  # every backend raises its own kinds
        raise DataError(f"{place} is neither a NetCDF-4 file nor a Zarr store: {error}") from error


def content_digest(paths: Iterable[str | Path]) -> str:
    """Hash of the bytes of files, and of all files in folders, in their order; 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for path in map(Path, paths):
        for part in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if part.is_file():
                digest.update(part.read_bytes())
    return digest.hexdigest()[:16]


def write_dataset(dataset: xr.Dataset, path: str | Path) -> None:
    """Write a data set as a whole Zarr store, compressed; the folder must not exist."""
    with explained(path):
        encoding: dict[str, Any] = {
            str(name): {"compressors": [_COMPRESSOR]} for name, array in dataset.data_vars.items() if array.dtype.kind == "f"
        }
        dataset.to_zarr(path, mode="w-", encoding=encoding, consolidated=False, zarr_format=3)


def write_netcdf(dataset: xr.Dataset, path: str | Path) -> None:
    """Write a small data set as one NetCDF-4 file; one that is there is replaced."""
    with explained(path):
        dataset.to_netcdf(path, engine="h5netcdf")


def write_tree(tree: xr.DataTree, path: str | Path) -> None:
    """Write a tree of data sets as the groups of one NetCDF-4 file, compressed; a file that is there is replaced."""
    with explained(path):
        packed = {"zlib": True, "complevel": 4, "shuffle": True}
        encoding = {
            node.path: {
                str(name): dict(packed) for name, array in node.data_vars.items() if array.dtype.kind in "fi" and array.size
            }
            for node in tree.subtree
        }
        tree.to_netcdf(path, engine="h5netcdf", encoding=encoding)


def open_tree(path: str | Path) -> xr.DataTree:
    """Open the groups of a NetCDF file lazily.

    Raises
    ------
    DataError
        The path does not exist or is no NetCDF-4 file.
    """
    place = Path(path)
    if not place.is_file():
        raise DataError(f"{place} does not exist or is a folder; give the path of a NetCDF file")
    try:
        return xr.open_datatree(place, engine="h5netcdf")
    except Exception as error:  # the backend raises its own kinds
        raise DataError(f"{place} is no NetCDF-4 file: {error}") from error


def open_result(path: str | Path) -> xr.Dataset | xr.DataTree:
    """Open any output: a Zarr folder or a NetCDF file without groups as a data set, one with groups as a tree.

    Raises
    ------
    DataError
        The path does not exist or holds neither.
    """
    place = Path(path)
    if place.is_file():
        tree = open_tree(place)
        if tree.children:
            return tree
        tree.close()
    return open_dataset(place)


class SliceWriter:
    """A Zarr store whose large variables are written slice by slice.

    Parameters
    ----------
    path : path
        Folder of the store. With ``resume`` it must exist and agree, else it must not exist.
    small : xarray.Dataset
        Coordinates and what is known from the start.
    shapes : mapping of str to (dims, shape)
        The large variables, float32. The slices run along the first axes; the last three make one chunk.
    attributes : mapping of str to mapping
        CF attributes of the large variables.
    """

    def __init__(
        self,
        path: str | Path,
        small: xr.Dataset,
        shapes: Mapping[str, tuple[tuple[str, ...], tuple[int, ...]]],
        attributes: Mapping[str, Mapping[str, Any]],
        resume: bool = False,
    ) -> None:
        self.path = Path(path)
        with explained(path):
            if resume:
                self.group = self._existing(shapes)
                return
            small.to_zarr(path, mode="w-", consolidated=False, zarr_format=3)
            self.group = zarr.open_group(str(path), mode="r+")
            for name, (dims, shape) in shapes.items():
                whole = min(len(shape), 3)
                chunks = (1,) * (len(shape) - whole) + shape[len(shape) - whole :]
                array = self.group.create_array(
                    name, shape=shape, chunks=chunks, dtype="float32", fill_value=np.nan, dimension_names=dims,
                    compressors=[_COMPRESSOR],
                )  # fmt: skip
                array.attrs.update(dict(attributes[name]))

    def _existing(self, shapes: Mapping[str, tuple[tuple[str, ...], tuple[int, ...]]]) -> zarr.Group:
        try:
            group = zarr.open_group(str(self.path), mode="r+")
            found = {name: tuple(group[name].shape) for name in shapes}  # type: ignore[union-attr]
        except Exception as error:  # a foreign folder fails in many ways
            raise OutputError(
                f"{self.path} cannot be resumed: not a store of this run ({error}); start the run anew in another folder"
            ) from error
        for name, (_, shape) in shapes.items():
            if found[name] != shape:
                raise OutputError(
                    f"{self.path} cannot be resumed: {name} has shape {found[name]}, this run's is {shape}; start the run "
                    "anew in another folder"
                )
        return group

    def write(self, name: str, index: tuple[int, ...], values: NDArray, bits: int = 23) -> None:
        """Write one slice: ``values`` at ``index`` of the first axes, rounded to ``bits`` bits of mantissa."""
        with explained(self.path):
            self.group[name][index] = round_mantissa(np.asarray(values, dtype=np.float32), bits)  # type: ignore[index]

    def finish(self, attributes: Mapping[str, Any]) -> None:
        """Write the attributes of the data set."""
        with explained(self.path):
            self.group.attrs.update(dict(attributes))


def round_mantissa(values: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    """Round to ``bits`` (1 to 23) bits of mantissa, so that the rest compresses away; relative error 2^-(bits + 1)."""
    if bits >= 23:
        return values
    raw = np.ascontiguousarray(values).view(np.uint32)
    drop = np.uint32(23 - bits)
    half = np.uint32(1) << (drop - np.uint32(1))
    odd = (raw >> drop) & np.uint32(1)
    rounded = (raw + (half - np.uint32(1)) + odd) & ~((np.uint32(1) << drop) - np.uint32(1))
    return np.where(np.isfinite(values), rounded, raw).astype(np.uint32).view(np.float32)
