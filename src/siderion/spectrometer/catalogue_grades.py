"""How well one instrument answers one question, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from siderion.spectrometer.catalogue import Catalogue, in_mass_range, measures
from siderion.spectrometer.catalogue_masses import charge_number, mass, mass_per_charge, needed_resolution
from siderion.spectrometer.catalogue_schema import CapabilityRow, InstrumentRow, interval

GRADES = ("cannot", "group only", "may with effort", "separates")
"""Answers from the worst to the best: separates (routinely), may with effort (done or possible, not routine), group only (sees
the ion together with others), cannot."""

CANNOT, GROUP_ONLY, WITH_EFFORT, SEPARATES = range(4)
_LEVELS = {"dedicated": SEPARATES, "non-dedicated": WITH_EFFORT}
_WIDTHS = 2.0  # peaks of a minor and an abundant ion must lie two widths apart; section 5.2 of the review: 60 for 27 from 28

Ranges = list[tuple[float, float]]


@dataclass(frozen=True)
class Question:
    """What is asked: which species, apart from which others, where and when.

    Attributes
    ----------
    species : tuple of str
        Every one of them must be told apart.
    opponents : tuple of str
        Each species must be told apart from every one of them but itself.
    energy : tuple of float, optional
        Lower and upper energy per charge, eV/e.
    days : tuple of int, optional
        First day and the day after the last, since 1970.
    region : str, optional
        Region that the instrument must have visited then.
    resolution : float
        Smallest m/dm.
    public : bool
        Only instruments whose heavy-ion data are public.
    """

    species: tuple[str, ...]
    opponents: tuple[str, ...] = ()
    energy: tuple[float, float] | None = None
    days: tuple[int, int] | None = None
    region: str | None = None
    resolution: float = 0.0
    public: bool = False


@dataclass(frozen=True)
class Answer:
    """How well an instrument answers: grade, why, and the part of the energies asked for where that holds.

    ``basis`` is reported (somebody did it), design (it was built so), or m/dm alone (no row of the catalogue is about the ion).
    """

    grade: int
    reason: str
    covered: Ranges = field(default_factory=list)
    energy_fraction: float = 0.0
    rows: tuple[CapabilityRow, ...] = ()
    regions: tuple[str, ...] = ()
    basis: str = ""


def grade_instrument(catalogue: Catalogue, instrument: InstrumentRow, question: Question) -> Answer:
    """Grade one instrument.

    The rows of capabilities decide; the best one that overlaps the energies, the dates and the region counts. Without any row
    about a species, m/dm and the mass range do, and the answer is at best "may with effort". Peaks two widths apart count as
    separated, those between one and two widths with effort; 60 for mass 27 from 28 in section 5.2 of the review is 2.2 widths.

    Parameters
    ----------
    catalogue : Catalogue
        From `siderion.spectrometer.catalogue.load_catalogue`.
    instrument : InstrumentRow
        One of its instruments.
    question : Question
        Species and limits.

    Returns
    -------
    Answer
        Grade and reason. Of several species or opponents, the worst counts.
    """
    windows, regions = _windows(catalogue, instrument, question)
    if question.public and instrument.heavy_ion_state in ("closed", "none"):
        return Answer(CANNOT, f"what its heavy ions need is {_absent(instrument.heavy_ion_state)}")
    if not windows:
        return Answer(CANNOT, _not_there(catalogue, instrument, question))
    answers = [_grade_species(catalogue, instrument, question, species, windows) for species in question.species]
    worst = min(answers, key=lambda answer: (answer.grade, answer.energy_fraction))
    return replace(worst, regions=regions)


def _grade_species(
    catalogue: Catalogue, instrument: InstrumentRow, question: Question, species: str, windows: list[tuple[int, int]]
) -> Answer:
    """Grade for one species: the worst over the opponents of the best over the rows."""
    if not measures(instrument, species):
        kind = "neutral atoms" if charge_number(species) == 0 else "ions"
        return Answer(CANNOT, f"measures {instrument.particles}, {species} asks for {kind}")
    about = [row for row in catalogue.capabilities[instrument.instrument] if catalogue.covers(row, species)]
    excluded = [row for row in about if row.state == "excluded"]
    if excluded:
        return Answer(CANNOT, excluded[0].evidence or "excluded", rows=(excluded[0],))
    rows = about or _implied(catalogue, instrument, species)
    if not rows:
        return Answer(CANNOT, _unseen(instrument, species))
    active = [(row, _overlap(row, instrument, species, question)) for row in rows if _in_time(row, instrument, windows)]
    if not active:
        return Answer(CANNOT, f"{species} only {_dates(rows)}")
    fine = [(row, ranges) for row, ranges in active if question.resolution <= _resolution(row, instrument, species)]
    if not fine:
        best = max(_resolution(row, instrument, species) for row, _ in active)
        known = f"is {best:.3g}" if best else "is not known"
        return Answer(CANNOT, f"its m/dm {known}, asked for at least {question.resolution:.3g}")
    usable = [(row, ranges) for row, ranges in fine if ranges]
    if not usable:
        reach = ", ".join(_words(_row_energy(row, instrument, species)) for row, _ in fine)
        return Answer(CANNOT, f"sees {species} at {reach} only")
    opponents = [other for other in question.opponents if other != species]
    return _compare(catalogue, instrument, question, species, opponents, usable, bool(about))


def _compare(
    catalogue: Catalogue,
    instrument: InstrumentRow,
    question: Question,
    species: str,
    opponents: Sequence[str],
    usable: list[tuple[CapabilityRow, Ranges]],
    known: bool,
) -> Answer:
    """Grade of a species that is seen: how the rows tell it from each opponent, and in which energies."""
    levels = {
        other: [_level(catalogue, row, instrument, species, other) for row, _ in usable] for other in opponents
    } or {species: [_LEVELS[row.state] for row, _ in usable]}  # fmt: skip
    hardest = min(levels, key=lambda other: max(levels[other]))
    grade = max(levels[hardest])
    while grade > GROUP_ONLY and not _reached(usable, levels.values(), grade):
        grade -= 1  # one opponent is told apart at other energies than the next
    covered = _reached(usable, levels.values(), grade)
    used = [row for (row, _), level in zip(usable, levels[hardest], strict=True) if level >= grade]
    used.sort(key=lambda row: row.basis != "reported")
    reason = _why(instrument, species, hardest if opponents else None, grade, used, known)
    basis = used[0].basis if known else "m/dm alone"
    return Answer(grade, reason, covered, _fraction(covered, question.energy), tuple(used), basis=basis)


def _reached(usable: list[tuple[CapabilityRow, Ranges]], levels: Iterable[list[int]], grade: int) -> Ranges:
    """Energies where every opponent is told apart at least as well as a grade."""
    covered: Ranges | None = None
    for found in levels:
        part = _union([one for (_, ranges), level in zip(usable, found, strict=True) if level >= grade for one in ranges])
        covered = part if covered is None else _intersect(covered, part)
    return covered or []


def _level(catalogue: Catalogue, row: CapabilityRow, instrument: InstrumentRow, species: str, other: str) -> int:
    """How a row tells a species from another one."""
    level = _LEVELS[row.state]
    if "resolution" in row.separated_from:
        needed = needed_resolution(species, other, by=instrument.separates_by)
        found = _resolution(row, instrument, species)
        return level if found >= _WIDTHS * needed else min(level, WITH_EFFORT) if found >= needed else GROUP_ONLY
    if any(part == "any" or other in catalogue.members(part) for part in row.separated_from):
        return level
    return GROUP_ONLY


def _implied(catalogue: Catalogue, instrument: InstrumentRow, species: str) -> list[CapabilityRow]:
    """What the numbers of an instrument alone say of a species that no row is about; nothing where m/dm differs by mode."""
    if not in_mass_range(instrument, species) or (instrument.m_over_dm is None and instrument.dm_amu is None):
        return []
    if any(row.m_over_dm is not None for row in catalogue.capabilities[instrument.instrument]):
        return []
    return [
        CapabilityRow(
            instrument=instrument.instrument, mode=None, species=("mass range",), separated_from=("resolution",),
            energy_min_ev=None, energy_max_ev=None, energy_basis=None, m_over_dm=None, first=None, last=None,
            state="non-dedicated", basis="design", method="mass range and m/dm of its design; no report in the catalogue",
            evidence=None, source=instrument.source, confidence="unverified",
        )
    ]  # fmt: skip


def _resolution(row: CapabilityRow, instrument: InstrumentRow, species: str) -> float:
    """m/dm of a row at a species; 0 where it is not known."""
    if row.m_over_dm is not None:
        return row.m_over_dm
    if instrument.m_over_dm is not None:
        return instrument.m_over_dm
    return mass_per_charge(species) / instrument.dm_amu if instrument.dm_amu else 0.0


def _row_energy(row: CapabilityRow, instrument: InstrumentRow, species: str) -> tuple[float, float]:
    """Energy range of a row in eV per charge of the species."""
    low = row.energy_min_ev if row.energy_max_ev is not None else instrument.energy_min_ev
    high = row.energy_max_ev if row.energy_max_ev is not None else instrument.energy_max_ev
    factor = _per_charge(row.energy_basis or instrument.energy_basis, species)
    return (low or 0.0) * factor, (high or 0.0) * factor


def instrument_energy(instrument: InstrumentRow, species: str) -> tuple[float, float]:
    """Whole energy range of an instrument in eV per charge of a species; nan where its upper end is not known."""
    if instrument.energy_max_ev is None:
        return np.nan, np.nan
    factor = _per_charge(instrument.energy_basis, species)
    return (instrument.energy_min_ev or 0.0) * factor, instrument.energy_max_ev * factor


def _per_charge(basis: str | None, species: str) -> float:
    """Factor from an energy per charge, per nucleon or in all to one per charge of the species."""
    charge = max(abs(charge_number(species)), 1)
    return {"total": 1.0 / charge, "per nucleon": round(mass(species)) / charge}.get(str(basis), 1.0)


def _overlap(row: CapabilityRow, instrument: InstrumentRow, species: str, question: Question) -> Ranges:
    """Energies that are both asked for and covered by a row."""
    found = _row_energy(row, instrument, species)
    return [found] if question.energy is None else _intersect([found], [question.energy])


def _intersect(first: Ranges, second: Ranges) -> Ranges:
    """Common part of ranges; a single energy counts inside a range, ends that only touch do not."""
    found = []
    for low, high in first:
        for start, stop in second:
            begin, end = max(low, start), min(high, stop)
            if begin < end or (start == stop and low < start < high) or (low == high and start < low < stop):
                found.append((begin, end))
    return sorted(found)


def _union(ranges: Ranges) -> Ranges:
    found: Ranges = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found


def _fraction(ranges: Ranges, asked: tuple[float, float] | None) -> float:
    """Share of the logarithm of the energies asked for (of the energies, where they begin at 0); 1 where none are."""
    if asked is None or asked[0] == asked[1]:
        return 1.0 if ranges else 0.0
    scale: Callable[[float], float] = np.log if asked[0] > 0 else float
    return float(sum(scale(high) - scale(low) for low, high in ranges) / (scale(asked[1]) - scale(asked[0])))


def _windows(
    catalogue: Catalogue, instrument: InstrumentRow, question: Question
) -> tuple[list[tuple[int, int]], tuple[str, ...]]:
    """Days on which the instrument worked in the region asked for, and the regions that it visited then."""
    begin, end = interval(instrument.first, instrument.last)
    if question.days is not None:
        begin, end = max(begin, question.days[0]), min(end, question.days[1])
    found, regions = [], []
    for row in catalogue.regions[instrument.instrument]:
        first, last = interval(row.first, row.last)
        window = (max(begin, first), min(end, last))
        if window[0] < window[1] and question.region in (None, row.region):
            found.append(window)
            regions.append(row.region)
    if question.region is None and begin < end:
        found.append((begin, end))
    return found, tuple(dict.fromkeys(regions))


def _in_time(row: CapabilityRow, instrument: InstrumentRow, windows: list[tuple[int, int]]) -> bool:
    first, last = interval(row.first or instrument.first, row.last or instrument.last)
    return any(max(first, begin) < min(last, end) for begin, end in windows)


def _why(instrument: InstrumentRow, species: str, other: str | None, grade: int, rows: list[CapabilityRow], known: bool) -> str:
    """The reason for an answer in words."""
    row = rows[0] if rows else None
    if grade == GROUP_ONLY and other is not None:
        needed = needed_resolution(species, other, by=instrument.separates_by)
        has = _resolution(row, instrument, species) if row else 0.0
        size = f"{needed:.3g} to {_WIDTHS * needed:.3g}" if np.isfinite(needed) else "more than any"
        text = f"sees {species} together with {other}"
        if has < _WIDTHS * needed:
            text += f": m/dm {size} needed, {f'{has:.3g} there' if has else 'its own not known'}"
        return text + (f"; {row.evidence}" if row and row.evidence else "")
    if row is None or not known:
        return f"by {row.method if row else 'its design'}"
    parts = [row.mode, row.method, row.evidence or f"by {row.source}" if row.basis == "reported" else "by design"]
    if row.basis == "design" and row.evidence:
        parts.append(row.evidence)
    return "; ".join(part for part in parts if part)


def _unseen(instrument: InstrumentRow, species: str) -> str:
    if instrument.mass_max is None:
        return "has no mass separation"
    value = mass(species) if instrument.separates_by == "mass" else mass_per_charge(species)
    if charge_number(species) >= 3 and instrument.separates_by == "mass per charge":
        return f"measures mass per charge alone, where {species} at {value:.3g} has many others beside it"
    if not in_mass_range(instrument, species):
        return f"its masses are {instrument.mass_min:g} to {instrument.mass_max:g}, {species} has {value:.4g}"
    return f"no report of {species} in the catalogue, and no m/dm that holds for it"


def _not_there(catalogue: Catalogue, instrument: InstrumentRow, question: Question) -> str:
    worked = f"worked {instrument.first} to {instrument.last or 'now'}"
    if question.region is None:
        return worked
    there = [row for row in catalogue.regions[instrument.instrument] if row.region == question.region]
    if not there:
        return f"never in the region {question.region}"
    stays = ", ".join(f"{row.first or instrument.first} to {row.last or instrument.last or 'now'}" for row in there)
    return f"{worked}, in the region {question.region} {stays}"


def _dates(rows: Sequence[CapabilityRow]) -> str:
    return ", ".join(dict.fromkeys(f"{row.first or 'from the start'} to {row.last or 'the end'}" for row in rows))


def _words(energies: tuple[float, float]) -> str:
    return f"{energy_words(energies[0])} to {energy_words(energies[1])}"


def energy_words(energy: float) -> str:
    """An energy in eV, keV or MeV, such as ``"50 eV"``."""
    for unit, size in (("MeV", 1e6), ("keV", 1e3)):
        if energy >= size:
            return f"{energy / size:.4g} {unit}"
    return f"{energy:.4g} eV"


def _absent(state: str) -> str:
    return "closed" if state == "closed" else "not public"
