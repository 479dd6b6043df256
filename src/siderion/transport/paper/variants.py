"""What the runs with something changed (``examples/experiments``) must be, for a statement to be tested on them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from siderion.background.ion_velocity import TERMS
from siderion.core.errors import DataError

_Settings = dict[str, Any]

CHANGES: dict[str, tuple[str, Callable[[_Settings], bool]]] = {
    "no_pedersen": ("all terms but pedersen", lambda s: set(s["terms"]) == set(TERMS) - {"pedersen"}),
    "exb_and_gravity": ("the terms exb and gravity only", lambda s: set(s["terms"]) == {"exb", "gravity"}),
    "no_wind": (
        'drivers.wind = "none", or no term wind, and all other terms',
        lambda s: set(s["terms"]) >= set(TERMS) - {"wind"} and (s["drivers"]["wind"] == "none" or "wind" not in s["terms"]),
    ),
    "imf_bz_minus_5": ("drivers.imf_bz = -5", lambda s: s["drivers"]["imf_bz"] == -5.0),
    "imf_bz_plus_5": ("drivers.imf_bz = 5", lambda s: s["drivers"]["imf_bz"] == 5.0),
}
"""What each experiment has changed: in words, and tested on its settings."""


def check_variant(name: str, variant: xr.Dataset, output: xr.Dataset) -> None:
    """Raise `DataError` unless an experiment is what its name says, on the day and in the hemisphere of the output."""
    settings = _settings(variant, f"the experiment {name}")
    words, holds = CHANGES[name]
    if not holds(settings):
        found = {"terms": settings["terms"], **{k: settings["drivers"][k] for k in ("wind", "imf_bz")}}
        raise DataError(f"the experiment {name} needs {words}; its settings are {found}.")
    if (variant.lat.values[0] < 0.0) != (output.lat.values[0] < 0.0):
        raise DataError(f"the experiment {name} is of the other hemisphere.")
    day, own = settings["date"], _settings(output, "the output")["date"]
    if day != own:
        raise DataError(f"the experiment {name} is of {day}, the output of {own}.")


def check_same_cells(name: str, variant: xr.Dataset, output: xr.Dataset) -> None:
    """Raise `DataError` unless an experiment has the latitudes, longitudes and times of the output."""
    for axis in ("lat", "lon", "time"):
        here, there = output[axis].values, variant[axis].values
        if not np.array_equal(here, there):
            raise DataError(
                f"the experiment {name} has another {axis} ({len(there)} values from {there[0]}, the output {len(here)} from "
                f"{here[0]}); the fields are compared cell by cell; repeat it on the grid of the output."
            )


def _settings(dataset: xr.Dataset, what: str) -> _Settings:
    if "settings" not in dataset.attrs:
        raise DataError(f"the attributes of {what} hold no settings.")
    found: _Settings = json.loads(dataset.attrs["settings"])
    return found
