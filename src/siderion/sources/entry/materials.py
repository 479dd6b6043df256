"""What bodies are made of, and how the elements are told apart as they evaporate (differential ablation).

The bulk has the vapour pressure p(T). An element with the release temperature T_e has the partial law p_e(T) = p(T T_r / T_e):
at T_e it is as volatile as the bulk at the reference T_r = 2000 K. A well-mixed melt loses each element in proportion to
its mass fraction times p_e (a law of Raoult's kind); when all elements have the same T_e = T_r this is the law of the bulk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siderion.core.errors import SettingsError
from siderion.core.tables import load_table

from .settings import default_value

OTHER = "other"
"""Name of what a composition does not list, such as the oxygen of a silicate; released with the bulk."""


@dataclass(frozen=True)
class Melt:
    """Elements of a body in groups of equal release temperature.

    Attributes
    ----------
    elements : tuple of str
        Names, `OTHER` last where the fractions do not reach 1.
    fractions : array (element,)
        Mass fractions; their sum is 1.
    group : array (element,) of int
        Group of each element.
    group_fractions, volatility : array (group,)
        Mass fraction of each group; release temperature over the reference: the factor on b of the vapour pressure.
    confidence : str
        "verified" or "unverified".
    """

    elements: tuple[str, ...]
    fractions: NDArray[np.float64]
    group: NDArray[np.int64]
    group_fractions: NDArray[np.float64]
    volatility: NDArray[np.float64]
    confidence: str


def material_names() -> list[str]:
    """Materials of ``sources/tables/compositions.csv``."""
    return sorted(set(load_table("sources", "compositions")["material"]))


def composition(material: str | Mapping[str, float]) -> dict[str, float]:
    """Mass fractions of a material by element; what is missing to 1 is `OTHER`.

    Parameters
    ----------
    material : str or mapping of str to float
        Name of a material of the table (``chondritic``, ``aluminium alloy``, ``iron``), or the user's own mass fractions.

    Returns
    -------
    dict
        Fractions that add up to 1.

    Raises
    ------
    SettingsError
        The name is unknown, a fraction is negative, or they add up to more than 1.
    """
    if isinstance(material, str):
        table = load_table("sources", "compositions")
        rows = table[table["material"] == material]
        if rows.empty:
            raise SettingsError(f"material {material!r} is unknown; use one of {material_names()} or give mass fractions")
        found = dict(zip(rows["element"], rows["mass_fraction"].astype(float), strict=True))
    else:
        found = {str(name): float(value) for name, value in material.items()}
    for name, value in found.items():
        if not 0.0 <= value <= 1.0:
            raise SettingsError(f"mass fraction of {name} is {value}; it must be 0 to 1")
    total = sum(found.values())
    if not found or total <= 0.0 or total > 1.0 + 1e-9:
        raise SettingsError(f"mass fractions add up to {total:.6g}; they must be above 0 and at most 1")
    rest = 1.0 - total
    if rest > 1e-9:
        found[OTHER] = found.get(OTHER, 0.0) + rest
    return found


def release_temperatures(elements: tuple[str, ...]) -> NDArray[np.float64]:
    """Release temperature of each element, K; that of the bulk for elements which the table lacks."""
    table = load_table("sources", "elements_release")
    known = dict(zip(table["element"], table["release_temperature_k"].astype(float), strict=True))
    return np.array([known.get(name, default_value("reference_release_temperature")) for name in elements])


def make_melt(material: str | Mapping[str, float], release: str = "differential") -> Melt:
    """Groups of elements of a material.

    Parameters
    ----------
    material
        As in `composition`.
    release : {"differential", "uniform"}
        Elements by their release temperatures, or all alike.

    Returns
    -------
    Melt

    Raises
    ------
    SettingsError
        The material is unknown or impossible.
    """
    found = composition(material)
    elements = tuple(found)
    fractions = np.array(list(found.values()))
    fractions = fractions / fractions.sum()
    reference = default_value("reference_release_temperature")
    temperatures = release_temperatures(elements) if release == "differential" else np.full(len(elements), reference)
    different, which = np.unique(temperatures, return_inverse=True)
    group: NDArray[np.int64] = which.astype(np.int64)
    shares = np.asarray(np.bincount(group, weights=fractions), np.float64)
    sure = isinstance(material, str) and release == "uniform"
    if sure:
        table = load_table("sources", "compositions")
        sure = bool((table.loc[table["material"] == material, "confidence"] == "verified").all())
    return Melt(elements, fractions, group, shares, different / reference, "verified" if sure else "unverified")
