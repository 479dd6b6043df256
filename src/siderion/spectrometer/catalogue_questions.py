"""Questions to the catalogue: which instrument could see an ion, apart from which, at which energy, when and where."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr

from siderion.core.errors import SettingsError
from siderion.spectrometer.catalogue import Catalogue, load_catalogue
from siderion.spectrometer.catalogue_grades import (
    CANNOT,
    GRADES,
    GROUP_ONLY,
    SEPARATES,
    Answer,
    Question,
    energy_words,
    grade_instrument,
    instrument_energy,
)
from siderion.spectrometer.catalogue_masses import needed_resolution
from siderion.spectrometer.catalogue_schema import REGIONS, InstrumentRow, days_of

NEAR_EARTH = tuple(region for region in REGIONS if region not in ("solar wind", "interplanetary", "planetary"))
"""Regions that count as near the Earth: its magnetosphere with the sheath, its ionosphere, and the Moon."""

_UNITS = {"eV": 1.0, "keV": 1e3, "MeV": 1e6}


def find_instruments(
    species: str | Sequence[str] = (),
    separated_from: str | Sequence[str] | None = None,
    *,
    energy: tuple[float, float] | str | None = None,
    year: int | str | None = None,
    region: str | None = None,
    m_over_dm: float = 0.0,
    public: bool = False,
    everything: bool = False,
) -> xr.Dataset:
    """Instruments that could see an ion, with a graded answer and why.

    Parameters
    ----------
    species : str or sequence of str
        Ions (neutrals too), or groups such as ``"molecular ions"``; all of them must be seen. Without any, all instruments
        that worked then and there are listed.
    separated_from : str or sequence of str, optional
        Species or groups to tell them from; by default the neighbours of each in ``catalogue_species.csv``.
    energy : (float, float) or str, optional
        Lower and upper energy per charge, eV/e, or text such as ``"50eV:10keV"``.
    year : int or str, optional
        ``2003``, ``"2003-10"``, ``"2003-10-29"``, or a range such as ``"2003:2005"``.
    region : str, optional
        One of `siderion.spectrometer.catalogue_schema.REGIONS`.
    m_over_dm : float
        Smallest mass resolution.
    public : bool
        Only instruments whose heavy-ion data are public.
    everything : bool
        Keep those that cannot, with the reason.

    Returns
    -------
    xarray.Dataset
        Along ``instrument``, the best first: ``grade`` (see `siderion.spectrometer.catalogue_grades.GRADES`), ``reason``,
        ``energy_fraction`` (of the logarithm of the energies asked for), ``energy_covered``, ``near_earth`` and the columns of
        the catalogue; ``answer_energy_ev(instrument, span, end)``, ``instrument_energy_ev(instrument, end)``. Along ``opponent``:
        ``needed_m_over_dm`` for peaks one width apart.

    Raises
    ------
    SettingsError
        An energy, year or region cannot be read.
    CoverageError
        A species or group is unknown.
    """
    catalogue = load_catalogue()
    question = make_question(species, separated_from, energy=energy, year=year, region=region, m_over_dm=m_over_dm, public=public)
    pairs = [(row, _answer(catalogue, row, question)) for row in catalogue.instruments.values()]
    kept = [pair for pair in pairs if everything or pair[1].grade > CANNOT]
    kept.sort(
        key=lambda pair: (-pair[1].grade, not _near(pair[1]), pair[1].basis == "m/dm alone", -round(pair[1].energy_fraction, 9))
    )
    return _dataset(kept, question, {"separated_from": separated_from, "year": year, "everything": everything})


def make_question(
    species: str | Sequence[str] = (),
    separated_from: str | Sequence[str] | None = None,
    *,
    energy: tuple[float, float] | str | None = None,
    year: int | str | None = None,
    region: str | None = None,
    m_over_dm: float = 0.0,
    public: bool = False,
) -> Question:
    """A question with its words read; parameters and errors as `find_instruments`."""
    catalogue = load_catalogue()
    wanted = _expand(catalogue, species)
    if separated_from is None:
        others = tuple(dict.fromkeys(other for name in wanted for other in catalogue.neighbours(name)))
    else:
        others = _expand(catalogue, separated_from)
    if region is not None and region not in REGIONS:
        raise SettingsError(f"region {region!r} is unknown; use one of {', '.join(REGIONS)}")
    if not 0.0 <= m_over_dm < np.inf:
        raise SettingsError(f"m/dm is {m_over_dm}; it must be 0 or more, and finite")
    days = None if year is None else parse_dates(str(year))
    limits = parse_energies(energy) if isinstance(energy, str) else _limits(energy)
    return Question(wanted, others, limits, days, region, m_over_dm, public)


def parse_energies(text: str) -> tuple[float, float]:
    """``"50eV:10keV"`` as two energies in eV; one energy is a range of that energy alone.

    Raises
    ------
    SettingsError
        A part is no energy with the unit eV, keV or MeV, or the order is wrong.
    """
    values = []
    for part in text.split(":"):
        found = re.fullmatch(r"\s*([0-9.]+(?:[eE][+-]?\d+)?)\s*(eV|keV|MeV)\s*", part)
        try:
            values.append(float(found[1]) * _UNITS[found[2]] if found else np.nan)
        except ValueError:
            values.append(np.nan)
    if len(values) > 2 or not np.all(np.isfinite(values)):
        raise SettingsError(f"energy {text!r} cannot be read; write it with units eV, keV or MeV, such as 50eV:10keV")
    return _limits((values[0], values[-1])) or (0.0, 0.0)


def parse_dates(text: str) -> tuple[int, int]:
    """``"2003"``, ``"2003-10-29"`` or ``"2003:2005"`` as first day and the day after the last, since 1970.

    Raises
    ------
    SettingsError
        A part is no date, or the order is wrong.
    """
    first, colon, last = text.partition(":")
    try:
        if not all(re.fullmatch(r"\d{4}(-\d\d){0,2}", part) for part in (first, last if colon else first)):
            raise ValueError
        begin, end = days_of(first)[0], days_of(last if colon else first)[1]
    except ValueError:
        raise SettingsError(f"year {text!r} cannot be read; write 2003, 2003-10, 2003-10-29 or 2003:2005") from None
    if begin >= end:
        raise SettingsError(f"year {text!r} ends before it begins; write the earlier date first")
    return begin, end


def _limits(energy: tuple[float, float] | None) -> tuple[float, float] | None:
    if energy is None:
        return None
    low, high = map(float, energy)
    if not 0.0 <= low <= high < np.inf:
        raise SettingsError(f"energy is {low:g} to {high:g} eV; it must not be negative, and the lower one comes first")
    return low, high


def _expand(catalogue: Catalogue, species: str | Sequence[str]) -> tuple[str, ...]:
    names = [species] if isinstance(species, str) else list(species)
    return tuple(dict.fromkeys(member for name in names for member in catalogue.members(name)))


def _answer(catalogue: Catalogue, row: InstrumentRow, question: Question) -> Answer:
    """The grade for the species, or, where none is asked for, for the ion that the instrument sees best."""
    if question.species:
        return grade_instrument(catalogue, row, question)
    blind = [part for part in catalogue.capabilities[row.instrument] if "any" in part.species]
    if blind:
        return _blind_answer(catalogue, row, question)
    seen = dict.fromkeys(name for part in catalogue.capabilities[row.instrument] for name in _named(catalogue, part.species))
    best = Answer(CANNOT, "sees nothing then")
    for name in seen:
        answer = grade_instrument(catalogue, row, replace(question, species=(name,), opponents=()))
        best = max(best, answer, key=lambda one: (one.grade, one.energy_fraction, bool(one.regions)))
        if best.grade == SEPARATES and best.energy_fraction >= 1.0:
            break
    return best


def _blind_answer(catalogue: Catalogue, row: InstrumentRow, question: Question) -> Answer:
    """An instrument without mass separation, where no species is asked for: it sees all ions together."""
    answer = grade_instrument(catalogue, row, replace(question, species=("H+",), opponents=()))
    if not answer.rows or question.resolution > 0.0:
        return answer
    low, high = row.energy_min_ev, row.energy_max_ev
    if question.energy is not None and (high is None or not (low or 0.0) < question.energy[1] or not question.energy[0] < high):
        return answer
    return replace(answer, grade=GROUP_ONLY, basis=answer.rows[0].basis)


def _named(catalogue: Catalogue, parts: Sequence[str]) -> list[str]:
    """Species that a row of capabilities may be about."""
    if "mass range" in parts:
        return list(catalogue.species)
    return [name for part in parts for name in catalogue.members(part)]


def _near(answer: Answer) -> bool:
    return any(region in NEAR_EARTH for region in answer.regions)


def _dataset(pairs: list[tuple[InstrumentRow, Answer]], question: Question, asked: dict[str, Any]) -> xr.Dataset:
    """Answers as a data set."""
    columns: dict[str, tuple[str, list[Any]]] = {
        "grade": ("answer to the question", [GRADES[answer.grade] for _, answer in pairs]),
        "grade_level": ("answer as a number, 0 (cannot) to 3 (separates)", [answer.grade for _, answer in pairs]),
        "reason": ("why", [answer.reason for _, answer in pairs]),
        "energy_fraction": ("share of the energies asked for, in the logarithm", [answer.energy_fraction for _, answer in pairs]),
        "energy_covered": ("energies per charge where the answer holds", [_ranges(answer) for _, answer in pairs]),
        "basis": ("reported, design, or m/dm alone", [answer.basis for _, answer in pairs]),
        "near_earth": ("visited regions near the Earth or the Moon then", [_near(answer) for _, answer in pairs]),
        "regions": ("regions visited then", ["; ".join(answer.regions) for _, answer in pairs]),
        "answer_confidence": ("confidence of the rows behind the answer", [_confidence(answer, row) for row, answer in pairs]),
        "answer_source": ("source of the rows behind the answer", ["; ".join(r.source for r in a.rows[:1]) for _, a in pairs]),
    }  # fmt: skip
    for name in InstrumentRow.model_fields:
        if name != "instrument":
            values = [getattr(row, name) for row, _ in pairs]
            columns[name] = (f"column {name} of the catalogue", [_cell(InstrumentRow, name, value) for value in values])
    units = {"energy_fraction": "1", "grade_level": "1", "energy_min_ev": "eV", "energy_max_ev": "eV", "dm_amu": "u",
             "mass_min": "u", "mass_max": "u", "m_over_dm": "1", "geometric_factor_cm2_sr": "cm2 sr"}  # fmt: skip
    data = xr.Dataset(
        {
            name: ("instrument", np.array(values, dtype=None if values else object), _attributes(words, units.get(name)))
            for name, (words, values) in columns.items()
        },
        coords={
            "instrument": np.array([row.instrument for row, _ in pairs], dtype=object),
            "opponent": np.array([f"{a} from {b}" for a, b in _duels(question)], dtype=object),
        },
    )
    data["needed_m_over_dm"] = (
        "opponent",
        np.array([needed_resolution(a, b) for a, b in _duels(question)], dtype=np.float64),
        {"units": "1", "long_name": "m/dm at which the peaks lie one full width apart"},
    )
    data = data.assign(_energies(pairs, question))
    data.attrs = _attrs(question, asked, pairs)
    return data


def _energies(pairs: list[tuple[InstrumentRow, Answer]], question: Question) -> dict[str, tuple]:
    """Energies of the answers, and of the instruments as a whole, as numbers."""
    spans = np.full((len(pairs), max([1, *(len(answer.covered) for _, answer in pairs)]), 2), np.nan)
    for k, (_, answer) in enumerate(pairs):
        spans[k, : len(answer.covered)] = np.reshape(answer.covered, (-1, 2))
    ion = question.species[0] if question.species else "H+"
    whole = np.reshape([instrument_energy(row, ion) for row, _ in pairs], (-1, 2))
    text = "energy per charge, lower and upper end"
    return {
        "answer_energy_ev": (
            ("instrument", "span", "end"),
            spans,
            {"units": "eV", "long_name": f"where the answer holds: {text}"},
        ),
        "instrument_energy_ev": (("instrument", "end"), whole, {"units": "eV", "long_name": f"whole instrument, {ion}: {text}"}),
    }


def _duels(question: Question) -> list[tuple[str, str]]:
    return [(a, b) for a in question.species for b in question.opponents if a != b]


def _attrs(question: Question, asked: dict[str, Any], pairs: list[tuple[InstrumentRow, Answer]]) -> dict[str, Any]:
    settings = {
        "species": list(question.species), "apart_from": list(question.opponents), "energy_ev": question.energy,
        "region": question.region, "m_over_dm": question.resolution, "public": question.public, **asked,
    }  # fmt: skip
    confidences = {_confidence(answer, row) for row, answer in pairs}
    sources = [
        {
            "what": "instruments and what they tell apart", "model": "catalogue_instruments.csv, catalogue_capabilities.csv",
            "confidence": "unverified" if "unverified" in confidences else "verified",
            "citation": "Yamauchi et al., review of heavy ions, doi:10.1007/s11214-024-01114-w; sources of the rows",
        },
        {
            "what": "m/dm needed", "model": "mean mass over difference, most abundant nuclides", "confidence": "computed",
            "citation": "AME2016 doi:10.1088/1674-1137/41/3/030003",
        },
    ]  # fmt: skip
    return {
        "kind": "siderion catalogue",
        "title": question_words(question, asked.get("year")),
        "settings": json.dumps(settings),
        "sources": json.dumps(sources),
        "siderion_version": version("siderion"),
    }


def question_words(question: Question, year: int | str | None = None) -> str:
    """The question in words, such as ``"NO+ from O+, 50 eV to 10 keV, in 2003"``."""
    parts = [", ".join(question.species) or "all instruments"]
    if question.opponents:
        parts[0] += " from " + ", ".join(question.opponents)
    if question.energy is not None:
        low, high = question.energy
        parts.append(f"{energy_words(low)} to {energy_words(high)}" if high > low else energy_words(low))
    parts += [f"in {year}"] if year is not None else []
    parts += [f"region {question.region}"] if question.region else []
    parts += [f"m/dm at least {question.resolution:g}"] if question.resolution else []
    parts += ["public data"] if question.public else []
    return ", ".join(parts)


def _ranges(answer: Answer) -> str:
    return ", ".join(f"{energy_words(low)} to {energy_words(high)}" for low, high in answer.covered)


def _confidence(answer: Answer, row: InstrumentRow) -> str:
    if not answer.rows:
        return row.confidence
    return "unverified" if any(part.confidence == "unverified" for part in answer.rows) else answer.rows[0].confidence


def _cell(model: Any, name: str, value: Any) -> Any:
    """A value of a column as an array takes it: text without a hole, numbers with nan."""
    if isinstance(value, tuple):
        return "; ".join(value)
    if value is None:
        return np.nan if "float" in str(model.model_fields[name].annotation) else ""
    return value


def _attributes(words: str, units: str | None) -> dict[str, str]:
    return {"long_name": words, **({"units": units} if units else {})}
