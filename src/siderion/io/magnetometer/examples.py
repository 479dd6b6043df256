"""Real flybys that come with the package: Galileo at Europa and Ganymede, Juno at Ganymede."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import xarray as xr

from siderion.core.errors import CoverageError
from siderion.core.tables import load_table

from .read import read_magnetometer


def example_names() -> list[str]:
    """Names of the flybys, such as ``"E12"``."""
    return [str(name) for name in load_table("io", "magnetometer_examples")["name"]]


def read_example(name: str) -> xr.Dataset:
    """Read a flyby that comes with the package.

    Parameters
    ----------
    name : str
        One of `example_names`.

    Returns
    -------
    xarray.Dataset
        As `read_magnetometer` returns it, with body and frame.

    Raises
    ------
    CoverageError
        There is no such flyby.
    """
    table = load_table("io", "magnetometer_examples").set_index("name")
    if name not in table.index:
        raise CoverageError(f"there is no example {name!r}; examples: {', '.join(example_names())}")
    row = table.loc[name]
    with resources.as_file(resources.files("siderion.io") / "data" / "magnetometer" / str(row["file"])) as path:
        units = {"magnetic_field": "nT", "position": str(row["position_units"])}
        dataset = read_magnetometer(Path(path), file_format="text", body=str(row["body"]), frame=str(row["frame"]), units=units)
    dataset.attrs["title"] = str(row["title"])
    return dataset
