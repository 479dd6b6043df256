"""What a re-entering object is made of: parts, materials, elements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from pydantic import Field

from siderion.core.errors import CoverageError, SettingsError
from siderion.core.species import get_species
from siderion.core.tables import load_table
from siderion.jobs.settings import Settings

_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Material:
    """One lump with one ablation temperature.

    Attributes
    ----------
    name : str
        Row of ``debris_materials.csv``.
    specific_heat, emissivity : float
        J kg-1 K-1, 1.
    ablation_temperature, ablation_heat : float
        Temperature at which mass leaves (K) and heat that a kilogram takes up there (J).
    elements : mapping of str to float
        Mass fractions, which add up to 1.
    """

    name: str
    specific_heat: float
    emissivity: float
    ablation_temperature: float
    ablation_heat: float
    elements: Mapping[str, float] = field(hash=False)


class Part(Settings):
    """A part of an object: ``mass_fraction`` of it in equal objects of one material."""

    material: str = Field(description="material of debris_materials.csv")
    mass_fraction: float = Field(gt=0.0, le=1.0, description="share of the mass of the whole object")
    object_mass: float = Field(gt=0.0, description="mass of one object, kg; the number of objects follows from it")
    bulk_density: float = Field(gt=0.0, description="mass over volume of an object with its hollows, kg m-3")
    separation_altitude: float | None = Field(
        None, gt=0.0, le=120.0, description="km; the part leaves there, before the main break-up"
    )
    elements: dict[str, float] | None = Field(None, description="mass fractions of the elements in place of the material's own")

    def number(self, mass: float) -> int:
        """Number of equal objects of this part in an object of a mass in kg, at least 1."""
        return max(1, round(mass * self.mass_fraction / self.object_mass))


@cache
def material_names() -> tuple[str, ...]:
    """Names of all materials."""
    return tuple(dict.fromkeys(load_table("sources", "debris_materials")["material"]))


def get_material(name: str, removal: str = "melting", elements: Mapping[str, float] | None = None) -> Material:
    """Look up a material.

    Parameters
    ----------
    name : str
        Row of ``debris_materials.csv``.
    removal : {"melting", "vaporisation"}
        Mass leaves as melt at the melting point, for the heat of fusion; or as vapour at the boiling point, for the heats of
        fusion, of warming the melt (with the specific heat of the solid) and of vaporisation.
    elements : mapping of str to float, optional
        Mass fractions in place of those of ``debris_alloys.csv``.

    Returns
    -------
    Material

    Raises
    ------
    CoverageError
        The material or an element is unknown.
    SettingsError
        The mass fractions are negative or do not add up to 1.
    """
    if name not in material_names():
        raise CoverageError(f"material {name!r} is unknown; known: {', '.join(material_names())}")
    table = load_table("sources", "debris_materials")
    value = table[table["material"] == name].set_index("quantity")["value"].astype(float)
    melting, boiling, heat = value["melting_temperature_k"], value["boiling_temperature_k"], value["heat_of_fusion_j_per_kg"]
    temperature = melting
    if removal == "vaporisation":
        temperature = boiling
        heat += value["specific_heat_j_per_kg_k"] * (boiling - melting) + value["heat_of_vaporisation_j_per_kg"]
    if elements is None:
        alloys = load_table("sources", "debris_alloys")
        own = alloys[alloys["material"] == name]
        elements = dict(zip(own["element"], own["mass_fraction"].astype(float), strict=True))
    _check_elements(name, elements)
    return Material(
        name, float(value["specific_heat_j_per_kg_k"]), float(value["emissivity"]), float(temperature), float(heat), elements
    )


def get_parts(composition: str | Mapping[str, Mapping[str, Any]] = "satellite") -> dict[str, Part]:
    """Parts of an object.

    Parameters
    ----------
    composition : str or mapping
        ``"satellite"`` or ``"rocket_stage"`` (``debris_parts.csv``), or parts by name, each with the fields of `Part`. The part
        named ``structure``, or the first one, is the shell that is heated before the break-up.

    Returns
    -------
    dict of str to Part
        The shell first.

    Raises
    ------
    CoverageError
        A name is unknown.
    SettingsError
        A field is missing or out of range, or the mass fractions do not add up to 1.
    """
    if isinstance(composition, str):
        table = load_table("sources", "debris_parts")
        known = list(dict.fromkeys(table["object"]))
        if composition not in known:
            raise CoverageError(f"composition {composition!r} is unknown; known: {', '.join(known)}, or give parts of your own")
        composition = {row["part"]: _row_of(row) for _, row in table[table["object"] == composition].iterrows()}
    parts = {}
    for name, values in composition.items():
        try:
            parts[name] = Part.make(values)
        except SettingsError as error:
            raise SettingsError(f"part {name!r}: {error}") from None
    total = sum(part.mass_fraction for part in parts.values())
    if not parts or abs(total - 1.0) > _SUM_TOLERANCE:
        raise SettingsError(f"mass fractions of the parts {list(parts)} add up to {total:g}; they must add up to 1")
    shell = "structure" if "structure" in parts else next(iter(parts))
    if parts[shell].separation_altitude is not None:
        raise SettingsError(f"part {shell!r} is the shell of the object; it has no separation_altitude of its own")
    return {shell: parts.pop(shell), **parts}


def element_fractions(composition: str | Mapping[str, Mapping[str, Any]] = "satellite") -> dict[str, float]:
    """Mass fractions of the elements in a whole object; see `get_parts`."""
    total: dict[str, float] = {}
    for part in get_parts(composition).values():
        for element, share in get_material(part.material, elements=part.elements).elements.items():
            total[element] = total.get(element, 0.0) + part.mass_fraction * share
    return total


def _row_of(row: Mapping[str, Any]) -> dict[str, Any]:
    separation = row["separation_altitude_km"]
    return {
        "material": row["material"],
        "mass_fraction": float(row["mass_fraction"]),
        "object_mass": float(row["object_mass_kg"]),
        "bulk_density": float(row["bulk_density_kg_m3"]),
        "separation_altitude": None if np.isnan(separation) else float(separation),
    }


def _check_elements(name: str, elements: Mapping[str, float]) -> None:
    for element, share in elements.items():
        get_species(element)
        if not 0.0 <= share <= 1.0:
            raise SettingsError(f"material {name!r}: mass fraction of {element} is {share}; it must lie between 0 and 1")
    total = sum(elements.values())
    if abs(total - 1.0) > _SUM_TOLERANCE:
        raise SettingsError(f"material {name!r}: mass fractions add up to {total:g}; they must add up to 1")
