"""Siderion: the minor ions of space, from their sources, through their motion, to the instruments that see them.

The names below are loaded when they are first used, so that importing the package is quick and changes no global state.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version as _version
from typing import Any

__version__ = _version("siderion")

_PUBLIC = {
    "RunSettings": "siderion.transport.settings",
    "analyse_waves": "siderion.waves.analysis",
    "SiderionError": "siderion.core.errors",
    "TiltedDipole": "siderion.frames.dipole",
    "build_drivers": "siderion.background.drivers",
    "build_network": "siderion.chemistry.network",
    "get_body": "siderion.core.bodies",
    "get_species": "siderion.core.species",
    "load_imf": "siderion.solarwind.imf",
    "load_indices": "siderion.solarwind.indices",
    "make_settings": "siderion.transport.settings",
    "make_wave_settings": "siderion.waves.analysis",
    "open_dataset": "siderion.io.store",
    "plan_run": "siderion.transport.plan",
    "read_magnetometer": "siderion.io.magnetometer",
    "render_report": "siderion.report",
    "retrieve_exosphere": "siderion.exosphere.retrieval",
    "run": "siderion.transport.run",
    "sample_along_track": "siderion.core.interpolation",
    "statements": "siderion.transport.statements",
    "supply_budget": "siderion.inference.budget",
    "survey_waves": "siderion.waves.survey",
    "swipe": "siderion.background.convection",
    "two_cell_days": "siderion.solarwind.two_cell",
}

__all__ = ["__version__", *sorted(_PUBLIC)]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'siderion' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
