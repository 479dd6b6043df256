"""``siderion cite``: the citations behind an output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import xarray as xr
from cyclopts import Parameter

from siderion.cli.show import print_json
from siderion.core.errors import DataError
from siderion.io.store import open_dataset


def cite(data: Path, *, json_: Annotated[bool, Parameter(name="--json")] = False) -> None:
    """Print the citations of every model, rate and data set behind an output.

    Parameters
    ----------
    data
        Output of Siderion.
    json_
        Print JSON.
    """
    dataset = open_dataset(data)
    if "sources" not in dataset.attrs:
        raise DataError(f"{data} names no sources: it is not an output of Siderion; give the polar.zarr of a run")
    sources = json.loads(dataset.attrs["sources"])
    if json_:
        table = {key: ("source", [source[key] for source in sources]) for key in sources[0]}
        print_json("cite", {"data": str(data)}, xr.Dataset(table))
        return
    print(f"Siderion {dataset.attrs.get('siderion_version', '')}, {dataset.attrs.get('title', '')}")
    for source in sources:
        mark = "" if source["confidence"] == "verified" else f" [{source['confidence']}]"
        print(f"- {source['what']}: {source['model']}. {source['citation']}.{mark}")
    print("Values marked unverified come from memory or secondary sources: check them before you rely on them.")
