"""Escape of several species between altitudes as a data set, and Table 2.2 of Yamauchi et al., printed and recomputed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.constants import ELEMENTARY_CHARGE
from siderion.core.errors import SettingsError
from siderion.core.species import get_species
from siderion.core.tables import load_table
from siderion.sources.escape import (
    MASSES,
    GravityField,
    energy_between,
    energy_needed,
    escape_energy,
    escape_speed,
    gravity_field,
    mirror_ratio,
    parallel_energy_needed,
    species_mass,
)

Array = NDArray[np.float64]


def escape_dataset(
    species: Sequence[str],
    start: float,
    targets: Sequence[float] = (np.inf,),
    field: GravityField | None = None,
    *,
    potential_drop: ArrayLike = 0.0,
    perpendicular_energy: float = 0.0,
    magnetic_latitude: float = 90.0,
    masses: str = "weights",
) -> xr.Dataset:
    """Escape of several species from a start to several targets, with units of the field.

    Parameters
    ----------
    species : sequence of str
        Names, neutrals or ions.
    start : float
        Altitude of the start, km.
    targets : sequence of float
        Altitudes above the start, km; infinity is escape.
    field : GravityField, optional
        From `gravity_field`; the Earth by default.
    potential_drop : float or array (target,)
        Electric potential at the start less that at each target, V.
    perpendicular_energy : float
        Energy of the ions across the field at the start, eV.
    magnetic_latitude : float
        Magnetic latitude of the dipole field line at the start, degrees.
    masses : {"weights", "nucleons"}
        See `MASSES`.

    Returns
    -------
    xarray.Dataset
        ``escape_speed(alt)``, ``escape_energy(species, alt)``, and per target ``energy_between`` (gravity alone),
        ``energy_needed`` (with the potential), ``field_ratio`` and ``parallel_energy_needed`` (with the mirror force).

    Raises
    ------
    SettingsError
        No species or target, a target at or below the start, or a number out of range.
    CoverageError
        A species is unknown.
    """
    field = field or gravity_field("Earth")
    ends = np.atleast_1d(np.asarray(targets, dtype=np.float64))
    drop = _check_request(species, start, ends, potential_drop, perpendicular_energy)
    mass = np.array([species_mass(name, masses) for name in species])[:, None]
    charge = np.array([get_species(name).charge for name in species])[:, None]
    altitudes = np.concatenate([[start], ends[np.isfinite(ends)]])
    gravity = energy_between(field, 1e3 * start, 1e3 * ends, mass)
    needed = energy_needed(gravity, charge, drop)
    ratio = mirror_ratio(field, 1e3 * start, 1e3 * ends, magnetic_latitude)
    across = np.where(charge == 0.0, 0.0, perpendicular_energy * ELEMENTARY_CHARGE)
    volt = ELEMENTARY_CHARGE
    pair = ("species", "target")
    result = xr.Dataset(
        {
            "escape_speed": ("alt", escape_speed(field, 1e3 * altitudes) / 1e3, _words("km s-1", "escape speed")),
            "escape_energy": (("species", "alt"), escape_energy(field, 1e3 * altitudes, mass) / volt,
                              _words("eV", "energy needed to escape")),
            "energy_between": (pair, gravity / volt, _words("eV", "energy from the start to the target against gravity")),
            "energy_needed": (pair, needed / volt, _words("eV", "energy from the start to the target, ambipolar field counted")),
            "parallel_energy_needed": (pair, parallel_energy_needed(needed, across, ratio) / volt,
                                       _words("eV", "least energy along the field at the start, mirror force counted")),
            "field_ratio": ("target", ratio, _words("1", "magnetic field at the target over that at the start")),
        },
        coords={
            "species": list(species),
            "alt": ("alt", altitudes, _words("km", f"altitude above the sphere of {field.radius / 1e3:g} km")),
            "target_alt": ("target", ends, _words("km", "altitude of the target")),
        },
    )  # fmt: skip
    result.attrs = {
        "title": f"Escape from {field.name}", "kind": "siderion escape", "body": field.name, "gm": field.gm,
        "body_radius_km": field.radius / 1e3, "sources": json.dumps(_sources(field, masses)),
        "siderion_version": version("siderion"),
        "settings": json.dumps({"start_km": start, "potential_drop_v": drop.tolist(), "masses": masses,
                                "perpendicular_energy_ev": perpendicular_energy, "magnetic_latitude": magnetic_latitude}),
    }  # fmt: skip
    return result


def printed_table() -> xr.Dataset:
    """Table 2.2 of the review, printed and recomputed with both choices of mass.

    Returns
    -------
    xarray.Dataset
        Over ``entry``: ``place``, ``quantity``, ``of_species``, ``printed``, half a unit of its last digit (``half_unit``), and
        ``recomputed(masses, entry)``; ``agrees(masses, entry)`` is true where the two differ by no more than the rounding.
        Speeds are in km s-1, energies in eV.
    """
    table = load_table("sources", "escape_table_2_2")
    fields = {name: gravity_field(name) for name in table["body"].unique()}
    recomputed = np.array([[_entry(row, fields[row.body], masses) for row in table.itertuples()] for masses in MASSES])
    printed, half = table["printed"].to_numpy(), 0.5 * 10.0 ** -table["decimals"].to_numpy(dtype=np.float64)
    return xr.Dataset(
        {
            "printed": ("entry", printed, _words("km s-1 or eV", "number as printed")),
            "half_unit": ("entry", half, _words("km s-1 or eV", "half a unit of the last printed digit")),
            "recomputed": (("masses", "entry"), recomputed, _words("km s-1 or eV", "number recomputed")),
            "agrees": (("masses", "entry"), np.abs(recomputed - printed) <= half * (1.0 + 1e-9),
                       _words("1", "recomputed and printed differ by no more than the rounding")),
        },
        coords={
            "masses": list(MASSES), "of_species": ("entry", table["species"].fillna("").to_list()),
            **{name: ("entry", table[name].to_list()) for name in ("place", "body", "quantity")},
        },
        attrs={"title": "Table 2.2 of Yamauchi et al., printed and recomputed"},
    )  # fmt: skip


def _entry(row: Any, field: GravityField, masses: str) -> float:
    """One number of Table 2.2, recomputed, in km s-1 or eV."""
    radii, altitude = float(row.geocentric_radii), float(row.altitude_km) * 1e3
    place = altitude if np.isnan(radii) else (radii - 1.0) * field.radius
    if row.quantity == "escape_speed":
        return float(escape_speed(field, place)) / 1e3
    mass = species_mass(row.species, masses)
    if row.quantity == "escape_energy":
        return float(escape_energy(field, place, mass)) / ELEMENTARY_CHARGE
    return float(energy_between(field, 500e3, place, mass)) / ELEMENTARY_CHARGE


def _check_request(
    species: Sequence[str], start: float, targets: Array, potential_drop: ArrayLike, perpendicular_energy: float
) -> Array:
    """Potential drop of each target; raises `SettingsError` for what cannot be."""
    if not species:
        raise SettingsError("no species; name at least one, such as O")
    if not np.isfinite(start):
        raise SettingsError(f"start altitude is {start} km; it must be finite")
    if not len(targets) or not (targets > start).all():
        low = float(targets.min()) if len(targets) else float("nan")
        raise SettingsError(f"target altitude {low:g} km is not above the start at {start:g} km; give higher targets")
    if not 0.0 <= perpendicular_energy < np.inf:
        raise SettingsError(f"perpendicular energy is {perpendicular_energy} eV; it must be finite and not negative")
    drop = np.asarray(potential_drop, dtype=np.float64)
    if drop.ndim > 1 or drop.size not in (1, len(targets)) or not np.isfinite(drop).all():
        raise SettingsError(f"potential drops are {drop} V; give one finite number, or one for each of {len(targets)} targets")
    return np.broadcast_to(drop, targets.shape)


def _words(units: str, long_name: str) -> dict[str, str]:
    return {"units": units, "long_name": long_name}


def _sources(field: GravityField, masses: str) -> list[dict[str, str]]:
    """Citations of what a result rests on."""
    how = "atomic weights of siderion/core/tables/species.csv" if masses == "weights" else "mass number times the proton mass"
    return [
        {"what": "gravity", "model": "point mass", "confidence": field.confidence, "citation": field.source},
        {"what": "masses", "model": how, "confidence": "verified" if masses == "nucleons" else "unverified",
         "citation": "CODATA 2022" if masses == "nucleons" else "CIAAW standard atomic weights 2021"},
    ]  # fmt: skip
