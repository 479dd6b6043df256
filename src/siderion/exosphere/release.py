"""Sources of Monte Carlo exospheres: release by a surface, and fragments of molecules in space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from siderion.core.errors import SettingsError

PROCESSES = ("maxwellian", "impact_vapour", "sputter", "mono_energetic")
"""Release processes of a surface."""


@dataclass(frozen=True)
class SurfaceSource:
    """Release of a species by the whole surface.

    Attributes
    ----------
    species : str
        Neutral, such as ``"He"``.
    process : str
        One of `PROCESSES`.
    surface_density : float or None
        Density at the surface, m-3; either this or ``flux``.
    flux : float or None
        Released particles, m-2 s-1.
    temperature : float or None
        K; needed by ``maxwellian``, optional for ``impact_vapour`` (without it, the usual range).
    energy : float or None
        eV; binding energy for ``sputter``, kinetic energy for ``mono_energetic``.
    cosine_power : float
        Angular law of ``sputter`` and ``mono_energetic``, cos^p.
    largest_energy : float or None
        Cut-off of ``sputter``, eV.
    name : str
        Name of the population; species and process without it.
    """

    species: str
    process: str = "maxwellian"
    surface_density: float | None = None
    flux: float | None = None
    temperature: float | None = None
    energy: float | None = None
    cosine_power: float = 1.0
    largest_energy: float | None = None
    name: str = ""


@dataclass(frozen=True)
class SpaceSource:
    """Fragments of another species that dissociates in space, such as H from H2.

    Attributes
    ----------
    species : str
        The fragment, such as ``"H"``.
    parent : str
        The species that dissociates, such as ``"H2"``.
    parent_radius, parent_density : array of shape (level,)
        Density profile of the parent: distance from the centre of the body (km, rising), density (m-3). Only the part
        inside the shells counts; power laws between the levels.
    rate : float
        Dissociations per parent, s-1, at the place of the body.
    fragments : float
        Fragments of this species per dissociation.
    energy : float or array of shape (branch,)
        Kinetic energy of one fragment, eV.
    share : array of shape (branch,) or None
        Parts of the fragments with each energy.
    parent_temperature : float
        Temperature of the parents, K, whose motion is added; 0: at rest.
    name : str
        Name of the population; species and parent without it.
    """

    species: str
    parent: str
    parent_radius: ArrayLike
    parent_density: ArrayLike
    rate: float
    energy: ArrayLike
    fragments: float = 1.0
    share: ArrayLike | None = None
    parent_temperature: float = 0.0
    name: str = ""


Source = SurfaceSource | SpaceSource


def check_surface_source(source: SurfaceSource) -> None:
    """Raise `SettingsError` unless the process is known and exactly one strength is given."""
    if source.process not in PROCESSES:
        raise SettingsError(f"population {source_name(source)!r}: process {source.process!r} is unknown; use one of {PROCESSES}")
    strength = [value for value in (source.surface_density, source.flux) if value is not None]
    if len(strength) != 1 or not 0.0 < strength[0] < np.inf:
        raise SettingsError(
            f"population {source_name(source)!r}: surface_density is {source.surface_density} and flux {source.flux}; "
            "give exactly one of them, positive and finite"
        )


def given(source: SurfaceSource, field: str) -> float:
    """Value of a field that the process needs; `SettingsError` where it is missing."""
    value = getattr(source, field)
    if value is None:
        raise SettingsError(f"population {source_name(source)!r}: the process {source.process} needs {field}; give it")
    return float(value)


def source_name(source: Source) -> str:
    """Name of the population that a source makes."""
    other = source.process if isinstance(source, SurfaceSource) else f"from {source.parent}"
    return source.name or f"{source.species} {other}"
