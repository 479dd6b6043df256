"""Tables 1.2, 2.3 and 3.1 to 3.5 of the review, served from the catalogue."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr

from siderion.core.errors import CoverageError
from siderion.core.tables import load_table
from siderion.spectrometer.catalogue import Catalogue, load_catalogue
from siderion.spectrometer.catalogue_grades import (
    CANNOT,
    GROUP_ONLY,
    SEPARATES,
    WITH_EFFORT,
    Question,
    energy_words,
    grade_instrument,
)
from siderion.spectrometer.catalogue_masses import mass, needed_resolution
from siderion.spectrometer.catalogue_questions import NEAR_EARTH
from siderion.spectrometer.catalogue_schema import CapabilityRow, InstrumentRow, OverviewRow, check_rows, interval

_HEAVY = ("molecular ions", "light metallic ions", "heavy metallic ions")
_DAYS_1980 = interval("1980", None)[0]

Row = dict[str, Any]


def review_table(name: str) -> xr.Dataset:
    """One of the tables of Yamauchi et al., regenerated or compiled.

    Parameters
    ----------
    name : str
        One of `REVIEW_TABLES`: 1.2 (overview, with the answers of the catalogue beside the print), 2.3 (same mass, with m/dm
        needed), 3.1 and 3.2 (images in the text at hand, compiled from the catalogue), 3.3 (access), 3.4 (methods), 3.5 (models).

    Returns
    -------
    xarray.Dataset
        A column as a variable along ``row``; attribute ``origin`` is regenerated or compiled.

    Raises
    ------
    CoverageError
        There is no such table.
    """
    if name not in REVIEW_TABLES:
        raise CoverageError(f"table {name!r} is not served; use one of {', '.join(REVIEW_TABLES)}")
    title, origin, make = REVIEW_TABLES[name]
    rows = make()
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    data = xr.Dataset(
        {key: ("row", np.array(values, dtype=_type(values)), _attributes(key)) for key, values in columns.items()},
        coords={"row": np.arange(1, len(rows) + 1)},
    )
    unverified = "unverified" in columns.get("confidence", [])
    source = {
        "what": f"Table {name}", "model": title, "confidence": "unverified" if unverified else "verified",
        "citation": "Yamauchi et al., review of heavy ions, doi:10.1007/s11214-024-01114-w",
    }  # fmt: skip
    data.attrs = {
        "kind": "siderion catalogue", "title": f"Table {name}: {title}", "origin": origin, "table": name,
        "settings": json.dumps({"table": name}), "sources": json.dumps([source]), "siderion_version": version("siderion"),
    }  # fmt: skip
    return data


def check_overview(row: OverviewRow, catalogue: Catalogue) -> Row:
    """Ask the catalogue what a row of Table 1.2 says, of terrestrial and lunar instruments and those that came by.

    ``found`` has the instruments that do it routinely, with the share of the energies, ``found_with_effort`` the others;
    ``agrees`` tells whether the examples are among them, or nobody is where the table says missing.
    """
    levels: dict[str, tuple[int, float]] = {}
    for instrument in catalogue.instruments.values():
        if instrument.mission_class in ("terrestrial", "lunar") or instrument.instrument == "wind-stics":
            levels[instrument.instrument] = _level(row, catalogue, instrument)
    routine = [f"{name} {part:.0%}" for name, (level, part) in levels.items() if level == SEPARATES]
    effort = [f"{name} {part:.0%}" for name, (level, part) in levels.items() if level == WITH_EFFORT]
    missions = {catalogue.instruments[name].mission for name, (level, _) in levels.items() if level > CANNOT}
    absent = [example for example in row.printed_examples if not any(example in mission for mission in missions)]
    agrees = not routine + effort if row.printed_state == "missing" else not absent
    return {
        "species": "; ".join(row.species), "together": row.together,
        "energy": f"{energy_words(row.energy_min_ev)} to {energy_words(row.energy_max_ev)}",
        "printed_state": row.printed_state, "printed_examples": "; ".join(row.printed_examples),
        "found": "; ".join(routine), "found_with_effort": "; ".join(effort), "examples_not_found": "; ".join(absent),
        "agrees": agrees, "source": row.source, "confidence": row.confidence,
    }  # fmt: skip


def _level(row: OverviewRow, catalogue: Catalogue, instrument: InstrumentRow) -> tuple[int, float]:
    """Grade of an instrument for a row, and the share of the energies; where species may lie together, seeing them is enough."""
    energy = (row.energy_min_ev, row.energy_max_ev)
    if row.separated_from:
        others = {name: row.separated_from for name in row.species}
    else:
        others = {name: catalogue.neighbours(name) if row.together == "each" else () for name in row.species}
    answers = [grade_instrument(catalogue, instrument, Question((name,), others[name], energy)) for name in row.species]
    usable = [(answer.grade if answer.basis != "m/dm alone" else CANNOT, answer.energy_fraction) for answer in answers]
    level, part = max(usable) if not row.separated_from and row.together == "each" else min(usable)
    return (level, part) if level > GROUP_ONLY else (CANNOT, 0.0)


def _overview() -> list[Row]:
    catalogue = load_catalogue()
    rows: list[OverviewRow] = check_rows("catalogue_table_1_2", load_table("spectrometer", "catalogue_table_1_2"))
    return [check_overview(row, catalogue) for row in rows]


def _same_mass() -> list[Row]:
    found = []
    for row in check_rows("catalogue_same_mass", load_table("spectrometer", "catalogue_same_mass")):
        for other in row.same_mass or ("",):
            found.append(
                {
                    "species": row.species, "printed_mass": row.printed_mass, "mass": mass(row.species), "same_mass": other,
                    "other_mass": mass(other) if other else np.nan,
                    "needed_m_over_dm": needed_resolution(row.species, other) if other else np.nan,
                    "space_debris": row.space_debris, "source": row.source, "confidence": row.confidence,
                }
            )  # fmt: skip
    return found


def _heavy(catalogue: Catalogue, row: CapabilityRow) -> list[str]:
    """Groups of heavy ions that a row is about."""
    return [group for group in _HEAVY if any(catalogue.covers(row, name) for name in catalogue.members(group))]


def _terrestrial() -> list[Row]:
    """Table 3.1: who reported molecular or metallic ions near the Earth or the Moon since the 1980s."""
    catalogue = load_catalogue()
    found = []
    for instrument in catalogue.instruments.values():
        near = any(row.region in NEAR_EARTH for row in catalogue.regions[instrument.instrument])
        if not near or instrument.mission_class == "planetary" or interval(None, instrument.last)[1] <= _DAYS_1980:
            continue
        for row in catalogue.capabilities[instrument.instrument]:
            if row.basis == "reported" and row.state != "excluded" and _told_apart(row) and _heavy(catalogue, row):
                found.append(_capability(instrument, row, catalogue))
    return found


def _told_apart(row: CapabilityRow) -> bool:
    """Whether a row tells heavy ions from others than the light ones."""
    return bool(set(row.separated_from) - {"light ions"})


def _planetary() -> list[Row]:
    """Table 3.2: planetary missions, and those that flew past the Earth, that separate such ions below 100 keV."""
    catalogue = load_catalogue()
    found = []
    for instrument in catalogue.instruments.values():
        flybys = [row for row in catalogue.regions[instrument.instrument] if row.region in ("magnetosphere", "lunar orbit")]
        if instrument.mission_class != "planetary" and not (instrument.instrument == "stereo-plastic" and flybys):
            continue
        dates = sorted({f"{row.first} to {row.last}" if row.first != row.last else str(row.first) for row in flybys})
        taken = "yes" if instrument.mission in ("Cassini", "STEREO A,B") else "none in the review" if dates else ""
        for row in catalogue.capabilities[instrument.instrument]:
            heavy = _heavy(catalogue, row) or instrument.instrument == "stereo-plastic"
            if row.state != "excluded" and _told_apart(row) and heavy and (row.energy_min_ev or 0.0) < 1e5:
                found.append(
                    _capability(instrument, row, catalogue) | {"earth_flyby": "; ".join(dates), "data_near_earth": taken}
                )
    return found


def _capability(instrument: InstrumentRow, row: CapabilityRow, catalogue: Catalogue) -> Row:
    dates = f"{row.first or instrument.first} to {row.last or instrument.last or 'now'}"
    low, high = row.energy_min_ev, row.energy_max_ev
    energy = f"{energy_words(low or 0.0)} to {energy_words(high)}" if high is not None else instrument.energy_text
    basis = row.energy_basis or instrument.energy_basis
    return {
        "instrument": instrument.instrument, "mission": instrument.mission, "name": instrument.name, "mode": row.mode or "",
        "method": row.method, "species": "; ".join(row.species), "separated_from": "; ".join(row.separated_from),
        "energy": energy if basis == "per charge" else f"{energy}, {basis}",
        "m_over_dm": row.m_over_dm or instrument.m_over_dm or np.nan, "years": dates, "orbit": instrument.orbit_text or "",
        "state": row.state, "evidence": row.evidence or "", "source": row.source, "confidence": row.confidence,
    }  # fmt: skip


def _access() -> list[Row]:
    names = ("instrument", "mission", "name", "archive", "identifier", "loader_package", "loader_call", "software_state",
             "heavy_ion_state", "loader_text", "remarks", "source", "confidence")  # fmt: skip
    return [
        {key: getattr(row, key) or "" for key in names} | {"dataset_ids": "; ".join(row.dataset_ids)}
        for row in load_catalogue().instruments.values()
    ]


def _plain(name: str) -> Callable[[], list[Row]]:
    """Rows of a table of the package as they are."""

    def rows() -> list[Row]:
        table = load_table("spectrometer", name)
        texts = table.select_dtypes(exclude="number").columns
        return [
            {str(key): value for key, value in row.items()} for row in table.fillna(dict.fromkeys(texts, "")).to_dict("records")
        ]

    return rows


REVIEW_TABLES: dict[str, tuple[str, str, Callable[[], list[Row]]]] = {
    "1.2": ("heavy ions in the magnetosphere by species and energy", "regenerated", _overview),
    "2.3": ("metallic ions, molecules of the same mass, and m/dm that tells them apart", "regenerated", _same_mass),
    "3.1": ("missions that reported molecular or metallic ions since the 1980s", "compiled", _terrestrial),
    "3.2": ("planetary missions that separate molecular or metallic ions below 100 keV", "compiled", _planetary),
    "3.3": ("access to the data and software", "compiled", _access),
    "3.4": ("methods to monitor ions and atoms of the ionosphere and mesosphere", "regenerated", _plain("catalogue_methods")),
    "3.5": ("models of ablation, debris and upward transport", "regenerated", _plain("catalogue_models")),
}
"""Tables of the review: title, whether the print or only the catalogue is behind it, and what makes the rows."""


def _type(values: list[Any]) -> Any:
    return object if any(isinstance(value, str) for value in values) else None


def _attributes(name: str) -> dict[str, str]:
    units = {"mass": "u", "other_mass": "u", "printed_mass": "1", "needed_m_over_dm": "1", "m_over_dm": "1",
             "altitude_min_km": "km", "altitude_max_km": "km"}  # fmt: skip
    return {"long_name": name.replace("_", " "), **({"units": units[name]} if name in units else {})}
