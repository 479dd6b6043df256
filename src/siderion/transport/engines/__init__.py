"""Engines: the hot kernels of the fluid model behind one set of signatures.

An engine is a module with the kernels named in `KERNELS`. All take and return plain arrays; the step in
`siderion.transport.model` composes them. The Numba engine is for CPUs.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from siderion.core.errors import SettingsError

KERNELS = (
    "advect_horizontal",
    "advect_vertical",
    "diffuse_vertical",
    "react",
    "fill_velocity",
    "interpolate_columns",
    "total_content",
    "largest_rates",
    "first_invalid",
)

ENGINES = {"numba": "siderion.transport.engines.numba_engine"}
"""Engines by name."""


def get_engine(name: str) -> ModuleType:
    """The engine of that name; ``"auto"`` takes the best one for this machine.

    Raises
    ------
    SettingsError
        There is no such engine.
    """
    chosen = "numba" if name == "auto" else name
    if chosen not in ENGINES:
        raise SettingsError(f"engine is {name!r}; use 'auto' or one of {', '.join(sorted(ENGINES))}")
    return import_module(ENGINES[chosen])
