"""The catalogue of instruments that see heavy ions, loaded and checked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from siderion.core.errors import CoverageError
from siderion.core.tables import load_table
from siderion.spectrometer.catalogue_masses import charge_number, ion_name, mass, mass_per_charge
from siderion.spectrometer.catalogue_schema import ROWS, CapabilityRow, InstrumentRow, RegionRow, SpeciesRow, check_catalogue


@dataclass(frozen=True)
class Catalogue:
    """Instruments, what they tell apart, where they were, and the ions that questions name.

    Attributes
    ----------
    instruments : dict of str to InstrumentRow
        By identifier, in the order of the file.
    capabilities : dict of str to tuple of CapabilityRow
        By identifier of the instrument.
    regions : dict of str to tuple of RegionRow
        By identifier of the instrument.
    species : dict of str to SpeciesRow
        By name.
    """

    instruments: dict[str, InstrumentRow]
    capabilities: dict[str, tuple[CapabilityRow, ...]]
    regions: dict[str, tuple[RegionRow, ...]]
    species: dict[str, SpeciesRow]

    def members(self, name: str) -> tuple[str, ...]:
        """Ions of a group, or the one species of that name.

        Raises
        ------
        CoverageError
            The group or species is unknown.
        """
        found = tuple(row.species for row in self.species.values() if row.group == name)
        if found:
            return found
        if " " in name.strip():
            groups = sorted({row.group for row in self.species.values() if row.group})
            raise CoverageError(f"group of species {name!r} is unknown; known groups: {', '.join(groups)}")
        mass_per_charge(name)
        return (ion_name(name),)

    def neighbours(self, species: str) -> tuple[str, ...]:
        """Ions from which one is told apart where a question names none."""
        row = self.species.get(species)
        return row.neighbours if row else ()

    def covers(self, row: CapabilityRow, species: str) -> bool:
        """Whether a row of capabilities is about a species."""
        instrument = self.instruments[row.instrument]
        if "any" in row.species:
            return True
        if (charge_number(species) == 0) != (charge_number(_first(self, row, species)) == 0):
            return False
        if "mass range" in row.species:
            return in_mass_range(instrument, species)
        return any(species in self.members(part) for part in row.species)

    def find(self, text: str) -> InstrumentRow:
        """One instrument by its identifier, or by a part of mission and name that fits one only.

        Raises
        ------
        CoverageError
            None fits, or several do; names them.
        """
        if text.lower() in self.instruments:
            return self.instruments[text.lower()]
        words = text.lower().replace("/", " ").split()
        fits = [row for row in self.instruments.values() if all(word in _described(row) for word in words)]
        if len(fits) == 1:
            return fits[0]
        names = ", ".join(row.instrument for row in fits or self.instruments.values())
        raise CoverageError(f"instrument {text!r} {'fits several' if fits else 'is unknown'}; use one of {names}")


@cache
def load_catalogue() -> Catalogue:
    """Load the tables of the catalogue and check them.

    Raises
    ------
    DataError
        A table breaks the schema, see `siderion.spectrometer.catalogue_schema.check_catalogue`.
    """
    rows = check_catalogue({name: load_table("spectrometer", name) for name in ROWS})
    instruments = {row.instrument: row for row in rows["catalogue_instruments"]}
    return Catalogue(
        instruments,
        {key: tuple(row for row in rows["catalogue_capabilities"] if row.instrument == key) for key in instruments},
        {key: tuple(row for row in rows["catalogue_regions"] if row.instrument == key) for key in instruments},
        {row.species: row for row in rows["catalogue_species"]},
    )


def in_mass_range(instrument: InstrumentRow, species: str) -> bool:
    """Whether the mass per charge (the mass, where that is what is measured) lies in the range of an instrument.

    Never for three charges or more where mass per charge alone is measured: of many ions at the same value, none can be named.
    """
    if instrument.mass_min is None or instrument.mass_max is None:
        return False
    if charge_number(species) >= 3 and instrument.separates_by == "mass per charge":
        return False
    value = mass(species) if instrument.separates_by == "mass" else mass_per_charge(species)
    return instrument.mass_min - 0.5 <= value <= instrument.mass_max + 0.5


def measures(instrument: InstrumentRow, species: str) -> bool:
    """Whether an instrument takes ions, or neutrals, as the species is one."""
    return ("neutrals" if charge_number(species) == 0 else "ion") in instrument.particles


def _first(catalogue: Catalogue, row: CapabilityRow, species: str) -> str:
    """A species of the row, to tell a row of neutrals from one of ions; a row of the mass range follows its instrument."""
    if row.species[0] == "mass range":
        return species
    return catalogue.members(row.species[0])[0]


def _described(row: InstrumentRow) -> str:
    return f"{row.instrument} {row.mission} {row.name}".lower()
