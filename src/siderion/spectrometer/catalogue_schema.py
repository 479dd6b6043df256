"""Schema of the catalogue of instruments: one model for each table, and the rules that hold between the tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, Self, get_args

import numpy as np
import pandas as pd
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from siderion.core.errors import DataError, SiderionError
from siderion.core.tables import check_table
from siderion.spectrometer.catalogue_masses import ion_name, mass_per_charge

Region = Literal[
    "solar wind", "magnetosheath", "magnetosphere", "ring current", "polar cap / lobe", "topside ionosphere", "ionosphere",
    "lunar orbit", "lunar surface", "interplanetary", "planetary",
]  # fmt: skip
Confidence = Literal["verified", "computed", "unverified"]
MissionClass = Literal["terrestrial", "lunar", "solar wind", "planetary"]
Particles = Literal["ions", "neutrals", "ions and neutrals", "ion current"]
EnergyBasis = Literal["per charge", "per nucleon", "total"]
SeparatesBy = Literal["mass per charge", "mass", "mass and mass per charge"]
SoftwareState = Literal["public python", "public other language", "archive only", "closed", "none"]
State = Literal["dedicated", "non-dedicated", "excluded"]

REGIONS: tuple[str, ...] = get_args(Region)
SOFTWARE_STATES: tuple[str, ...] = get_args(SoftwareState)
TOKENS = ("any", "mass range", "resolution")
"""Words that a list of species may hold in place of names."""


def _date(value: str) -> str:
    """A date that exists, to the year, month or day."""
    if not re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", value):
        raise ValueError("write a date as 1992, 1992-10 or 1992-10-18")
    np.datetime64(value)  # raises for the 13th month
    return value


def _parts(value: object) -> object:
    """``"a; b"`` as a tuple."""
    return tuple(part.strip() for part in value.split(";") if part.strip()) if isinstance(value, str) else value or ()


def _species(value: str) -> str:
    """A name of the registry of species."""
    try:
        mass_per_charge(value)
    except SiderionError as error:
        raise ValueError(str(error)) from None
    return ion_name(value)


def _known(value: tuple[str, ...]) -> tuple[str, ...]:
    """Species, names of groups (with a blank in them) or the tokens."""
    return tuple(part if part in TOKENS or " " in part else _species(part) for part in value)


Date = Annotated[str, AfterValidator(_date)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_parts)]
SpeciesList = Annotated[tuple[str, ...], BeforeValidator(_parts), AfterValidator(_known)]
SpeciesName = Annotated[str, AfterValidator(_species)]
NotNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]


class _Row(BaseModel):
    """What every row has: where it comes from, and no column that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = Field(min_length=1)
    confidence: Confidence

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for low, high in (("energy_min_ev", "energy_max_ev"), ("mass_min", "mass_max"), ("altitude_min_km", "altitude_max_km")):
            lower, upper = getattr(self, low, None), getattr(self, high, None)
            if lower is not None and upper is not None and lower >= upper:
                raise ValueError(f"{low} is {lower:g} and {high} is {upper:g}; the first must be smaller")
        first, last = getattr(self, "first", None), getattr(self, "last", None)
        if first and last and days_of(first)[0] >= days_of(last)[1]:
            raise ValueError(f"first is {first} and last is {last}; the first must not be later")
        return self


class InstrumentRow(_Row):
    """An instrument: what it measures, when, where the data are. Energies in eV as ``energy_basis`` says, masses in amu/e."""

    instrument: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    mission: str
    name: str
    mission_class: MissionClass
    particles: Particles
    method: str
    energy_min_ev: NotNegative | None
    energy_max_ev: Positive | None
    energy_basis: EnergyBasis
    mass_min: NotNegative | None
    mass_max: Positive | None
    separates_by: SeparatesBy
    m_over_dm: Positive | None
    dm_amu: Positive | None
    geometric_factor_cm2_sr: Positive | None
    first: Date
    last: Date | None
    energy_confidence: Confidence | None
    mass_confidence: Confidence | None
    resolution_confidence: Confidence | None
    geometric_factor_confidence: Confidence | None
    dates_confidence: Confidence
    archive: str
    dataset_ids: Texts
    identifier: str | None
    loader_package: str | None
    loader_call: str | None
    software_state: SoftwareState
    heavy_ion_state: SoftwareState
    reading: str | None
    energy_text: str
    mass_text: str | None
    m_over_dm_text: str | None
    geometric_factor_text: str | None
    years_text: str
    orbit_text: str | None
    loader_text: str | None
    remarks: str | None
    confidence_text: str

    @model_validator(mode="after")
    def _confidences(self) -> Self:
        pairs = (
            ("energy_max_ev", "energy_confidence"), ("mass_max", "mass_confidence"),
            ("geometric_factor_cm2_sr", "geometric_factor_confidence"),
        )  # fmt: skip
        for value, confidence in pairs:
            if (getattr(self, value) is None) != (getattr(self, confidence) is None):
                raise ValueError(f"{value} and {confidence} must both be given, or both be left out")
        if (self.m_over_dm or self.dm_amu) is not None and self.resolution_confidence is None:
            raise ValueError("m_over_dm or dm_amu is given without resolution_confidence; give it")
        return self


class CapabilityRow(_Row):
    """What an instrument tells apart in a range of energy and time, and who says so."""

    instrument: str
    mode: str | None
    species: SpeciesList = Field(min_length=1)
    separated_from: SpeciesList
    energy_min_ev: NotNegative | None
    energy_max_ev: Positive | None
    energy_basis: EnergyBasis | None
    m_over_dm: Positive | None
    first: Date | None
    last: Date | None
    state: State
    basis: Literal["reported", "design"]
    method: str
    evidence: str | None


class RegionRow(_Row):
    """A region that an instrument visited, and when."""

    instrument: str
    region: Region
    first: Date | None
    last: Date | None


class SpeciesRow(_Row):
    """An ion that questions name, its group, and its neighbours in mass per charge."""

    species: SpeciesName
    group: str | None
    neighbours: SpeciesList


class SameMassRow(_Row):
    """A row of Table 2.3: a metallic ion and the molecular ions of its mass."""

    species: SpeciesName
    printed_mass: int
    same_mass: SpeciesList
    space_debris: Literal["yes", "no"]


class OverviewRow(_Row):
    """A row of Table 1.2, and the question that asks for the same."""

    row: int
    species: SpeciesList
    together: Literal["altogether", "each"]
    separated_from: SpeciesList
    energy_min_ev: NotNegative
    energy_max_ev: Positive
    printed_state: Literal["dedicated", "non-dedicated", "missing"]
    printed_examples: Texts
    printed_words: str | None


class MethodRow(_Row):
    """A row of Table 3.4: a way to monitor ions and atoms from the ground, rockets and by light."""

    method: str
    platform: str
    place: str
    altitude_min_km: NotNegative
    altitude_max_km: Positive
    species: Texts
    examples: str | None
    availability: str
    url: str | None
    citation: str
    remarks: str | None


class ModelRow(_Row):
    """A row of Table 3.5: a model."""

    model: str
    description: str
    species: Texts
    altitude_min_km: NotNegative | None
    altitude_max_km: Positive | None
    citation: str
    availability: str | None
    url: str | None
    remarks: str | None


ROWS: dict[str, type[_Row]] = {
    "catalogue_instruments": InstrumentRow,
    "catalogue_capabilities": CapabilityRow,
    "catalogue_regions": RegionRow,
    "catalogue_species": SpeciesRow,
    "catalogue_same_mass": SameMassRow,
    "catalogue_table_1_2": OverviewRow,
    "catalogue_methods": MethodRow,
    "catalogue_models": ModelRow,
}
"""The tables of the catalogue, each in ``spectrometer/tables/<name>.csv``, and the model of their rows."""


@cache
def days_of(date: str) -> tuple[int, int]:
    """First day, and the day after the last, of a year, month or day; days since 1970."""
    start = np.datetime64(date)
    return int(start.astype("datetime64[D]").astype(int)), int((start + 1).astype("datetime64[D]").astype(int))


def check_rows(name: str, table: pd.DataFrame) -> list[Any]:
    """Check every row of one table of the catalogue.

    Parameters
    ----------
    name : str
        Name of the table, a key of `ROWS`.
    table : pandas.DataFrame
        As `siderion.core.tables.load_table` reads it.

    Returns
    -------
    list
        One model for each row, in their order.

    Raises
    ------
    DataError
        A value breaks the schema; names the table, the row with its first value, the column, the value and the rule.
    """
    check_table(table, name)
    found = []
    for index, record in enumerate(table.to_dict("records")):
        try:
            found.append(ROWS[name].model_validate({str(key): _plain(key, value) for key, value in record.items()}))
        except ValidationError as error:
            first = error.errors()[0]
            column = ".".join(map(str, first["loc"])) or "the row"
            value = f" is {first['input']!r}" if first["loc"] else ""
            where = f"table {name}: row {index} ({next(iter(record.values()))}), {column}{value}"
            raise DataError(f"{where}: {first['msg']}; correct the file") from None
    return found


def check_catalogue(tables: Mapping[str, pd.DataFrame]) -> dict[str, list[Any]]:
    """Check the tables of the catalogue, each row and what joins them.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        The tables of `ROWS` by their names.

    Returns
    -------
    dict of str to list
        The rows of each table as models.

    Raises
    ------
    DataError
        A row breaks the schema, an instrument or species is named twice, a capability or region names no instrument of the
        table, an instrument lacks one, a capability reaches beyond the energies or the dates of its instrument, or a group of
        species is unknown.
    """
    rows = {name: check_rows(name, tables[name]) for name in ROWS}
    for name, key in (("catalogue_instruments", "instrument"), ("catalogue_species", "species"), ("catalogue_models", "model")):
        _unique(name, [getattr(row, key) for row in rows[name]])
    instruments = {row.instrument: row for row in rows["catalogue_instruments"]}
    for name in ("catalogue_capabilities", "catalogue_regions"):
        for index, row in enumerate(rows[name]):
            if row.instrument not in instruments:
                raise DataError(
                    f"table {name}: row {index} names the instrument {row.instrument!r}, which catalogue_instruments lacks; "
                    "add it there or correct the name"
                )
            _inside(name, index, row, instruments[row.instrument])
        missing = sorted(set(instruments) - {row.instrument for row in rows[name]})
        if missing:
            raise DataError(f"table {name}: no row for {', '.join(missing)}; add one for every instrument")
    groups = {row.group for row in rows["catalogue_species"]} | set(TOKENS)
    for index, row in enumerate(rows["catalogue_capabilities"]):
        for part in (*row.species, *row.separated_from):
            if " " in part and part not in groups:
                raise DataError(
                    f"table catalogue_capabilities: row {index} names the group {part!r}; use one of {_names(groups)}"
                )
    return rows


def _inside(name: str, index: int, row: Any, instrument: InstrumentRow) -> None:
    """Raise unless the dates, and energies on the same basis, lie within those of the instrument."""
    where = f"table {name}: row {index} ({row.instrument})"
    begin, end = interval(instrument.first, instrument.last)
    inner_begin, inner_end = interval(row.first or instrument.first, row.last or instrument.last)
    if not begin <= inner_begin < inner_end <= end:
        raise DataError(f"{where}: {row.first or ''} to {row.last or ''} is not within {instrument.first} to {instrument.last}")
    if isinstance(row, CapabilityRow) and row.energy_basis in (None, instrument.energy_basis) and row.energy_max_ev is not None:
        low, high = instrument.energy_min_ev, instrument.energy_max_ev
        if low is None or high is None or (row.energy_min_ev or 0.0) < low or row.energy_max_ev > high:
            raise DataError(
                f"{where}: energies {row.energy_min_ev} to {row.energy_max_ev} eV are not within those of the instrument, "
                f"{low} to {high} eV; widen the instrument or correct the row"
            )


def interval(first: str | None, last: str | None) -> tuple[int, int]:
    """Days [begin, end) since 1970 of two dates, the last one included; open where one is missing."""
    far = 10**6
    return (-far if first is None else days_of(first)[0], far if last is None else days_of(last)[1])


def _plain(column: Any, value: Any) -> Any:
    """A cell as the models take it: nothing for a hole, a year as text."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    if column in ("first", "last"):
        return str(int(value)) if isinstance(value, float | int | np.integer) else str(value)
    return value


def _unique(name: str, keys: list[str]) -> None:
    for key in keys:
        if keys.count(key) > 1:
            raise DataError(f"table {name}: {key!r} stands in {keys.count(key)} rows; every name must be there once")


def _names(groups: set[Any]) -> str:
    return ", ".join(sorted(group for group in groups if group))
