"""Trees of data sets as one NumPy archive: for results that wait to be joined, far quicker than many NetCDF groups."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from siderion.core.errors import DataError, explained

_INDEX = "index"


def save_tree(tree: xr.DataTree, path: str | Path) -> None:
    """Write a tree; text becomes fixed-width, attributes must be numbers, text or arrays. A file that is there is replaced."""
    arrays: dict[str, np.ndarray] = {}
    index: dict[str, Any] = {}
    for node in tree.subtree:
        data = node.to_dataset(inherit=False)
        variables = {}
        for name, array in data.variables.items():
            key = f"array{len(arrays)}"
            arrays[key] = np.asarray(array.values, dtype=str) if array.dtype == object else array.values
            variables[str(name)] = {
                "key": key, "dims": list(array.dims), "coordinate": name in data.coords, "attrs": _plain(array.attrs),
            }  # fmt: skip
        index[node.path] = {"attrs": _plain(data.attrs), "variables": variables}
    with explained(path), Path(path).open("wb") as stream:
        np.savez(stream, **{_INDEX: np.array(json.dumps(index)), **arrays})  # type: ignore[arg-type]


def load_tree(path: str | Path) -> xr.DataTree:
    """Read a tree that `save_tree` wrote.

    Raises
    ------
    DataError
        The file is damaged or something else.
    """
    try:
        with Path(path).open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            index = json.loads(str(archive[_INDEX]))
            nodes = {place: _dataset(node, archive) for place, node in index.items()}
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is no part of a survey, or is damaged ({error}); remove it, and it is made anew") from error
    return xr.DataTree.from_dict(nodes)


def _dataset(node: dict[str, Any], archive: Any) -> xr.Dataset:
    variables = {
        name: xr.Variable(one["dims"], archive[one["key"]], _restored(one["attrs"])) for name, one in node["variables"].items()
    }
    coordinates = {name for name, one in node["variables"].items() if one["coordinate"]}
    return xr.Dataset(
        {name: value for name, value in variables.items() if name not in coordinates},
        coords={name: variables[name] for name in coordinates},
        attrs=_restored(node["attrs"]),
    )


def _plain(attributes: dict) -> dict[str, Any]:
    """Attributes for JSON: arrays keep their type, NumPy numbers become plain ones."""
    result: dict[str, Any] = {}
    for key, value in attributes.items():
        if isinstance(value, np.ndarray):
            result[str(key)] = {"values": value.tolist(), "dtype": str(value.dtype)}
        else:
            result[str(key)] = value.item() if isinstance(value, np.generic) else value
    return result


def _restored(attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        key: np.array(value["values"], dtype=value["dtype"]) if isinstance(value, dict) else value
        for key, value in attributes.items()
    }
