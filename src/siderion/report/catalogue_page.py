"""The page of the catalogue: answers to a question, one instrument, or a table of the review."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from siderion.core.errors import DataError
from siderion.spectrometer.catalogue_grades import GRADES, energy_words
from siderion.spectrometer.catalogue_questions import parse_dates
from siderion.spectrometer.catalogue_schema import days_of
from siderion.spectrometer.catalogue_words import answer_line

from . import markup
from .catalogue_figures import Bar, draw_coverage
from .figures import to_data_uri
from .markup import Number, Section
from .selection import read_json_attribute, species_label
from .source_words import caution, foot, lead, need, record, unbroken

KIND = "siderion catalogue"
"""Global attribute ``kind`` of the output that this page shows."""
_BASE = ("instrument", "grade", "grade_level", "reason", "needed_m_over_dm", "settings", "title")
_COLUMNS = (
    "energy_fraction", "energy_covered", "basis", "near_earth", "regions", "answer_confidence", "answer_source",
    "answer_energy_ev", "instrument_energy_ev", "mission", "name", "first", "last", "m_over_dm", "archive", "dataset_ids",
    "loader_call", "software_state", "heavy_ion_state",
)  # fmt: skip
_ONE = ("mission", "name", "energy_min_ev", "energy_max_ev", "energy_basis", "first", "last", "confidence", "source")
_CAPABILITY = (
    "species", "separated_from", "energy_min_ev", "energy_max_ev", "energy_basis", "m_over_dm", "first", "last", "state", "basis",
    "mode", "method", "evidence", "source", "confidence",
)  # fmt: skip
_STATES = ("excluded", "", "non-dedicated", "dedicated")
_MEANINGS = (
    ("separates", "routinely, with a dedicated mode or product"),
    ("may with effort", "done or possible, not routine: strong events, special modes, data that are not public"),
    ("group only", "sees the ion together with others"),
    ("cannot", "not operating, not there, other energies or masses, no mass separation, molecules broken, or data closed"),
)
_LEFT_OUT = ("source", "confidence")


def is_catalogue(dataset: xr.Dataset) -> bool:
    """Whether a data set is the output of ``siderion catalogue``."""
    return dataset.attrs.get("kind") == KIND


def render_catalogue_page(result: xr.Dataset) -> str:
    """Render answers, one instrument or a table of the review as a self-contained HTML page.

    Parameters
    ----------
    result : xarray.Dataset
        From `siderion.spectrometer.catalogue_questions.find_instruments`,
        `siderion.spectrometer.catalogue_tables.review_table`, or ``siderion catalogue --instrument``.

    Returns
    -------
    str
        HTML without references to the outside.

    Raises
    ------
    DataError
        A variable is missing.
    """
    result = result.load()
    if "row" in result.dims:
        head, sections = _table(result)
    elif "capability" in result.dims:
        head, sections = _instrument(result)
    else:
        head, sections = _question(result)
    return markup.page(str(result.attrs.get("title", "Catalogue")), head, [*sections, *record(result)], foot(result))


def _question(result: xr.Dataset) -> tuple[str, list[Section]]:
    count = result.sizes.get("instrument", 0)
    need(result, (*_BASE, *(_COLUMNS if count else ())), "answer of the catalogue", "siderion catalogue")
    settings = json.loads(result.attrs["settings"])
    title = str(result.attrs["title"])
    said = answer_line(result) if count else "nobody"
    if not settings["species"]:
        said = f"{count} instruments"
    head = lead(f"{markup.text(title)}: <strong>{markup.text(said)}</strong>.") + _asked(result, settings) + caution(result)
    sections = [
        Section("coverage", "Energies and years", _coverage(result, settings)),
        Section("answers", "Every answer, and why", _answers(result)),
        Section("resolution", "Mass resolution needed", _needed(result)),
        Section("access", "Where the data are", _access(result)),
        Section("meaning", "What the answers mean", _meaning()),
    ]
    return head, sections


def _asked(result: xr.Dataset, settings: dict[str, Any]) -> str:
    def ions(names: list[str]) -> str:
        return markup.text(", ".join(map(species_label, names))) or "any"

    limits = settings["energy_ev"]
    pairs = [
        ("ion", ions(settings["species"])),
        ("apart from", ions(settings["apart_from"]) if settings["apart_from"] else "nothing"),
        ("energy per charge", f"{energy_words(limits[0])} to {energy_words(limits[1])}" if limits else "any"),
        ("time", markup.text(settings["year"] or "any")),
        ("region", markup.text(settings["region"] or "any")),
        ("least m/dm", f"{settings['m_over_dm']:g}" if settings["m_over_dm"] else "any"),
        ("data", "public only" if settings["public"] else "public or not"),
    ]
    levels = result["grade_level"].values
    pairs += [(name, str(int((levels == level).sum()))) for level, name in reversed(list(enumerate(GRADES)))
              if (levels == level).any()]  # fmt: skip
    return markup.facts(pairs)


def _coverage(result: xr.Dataset, settings: dict[str, Any]) -> str:
    if not result.sizes.get("instrument", 0):
        return markup.missing("No instrument of the catalogue answers.", "Add --all to see those that cannot, and why.")
    days = parse_dates(str(settings["year"])) if settings["year"] else None
    limits = settings["energy_ev"]
    drawn = draw_coverage(_bars(result), tuple(limits) if limits else None, days)
    ion = species_label(settings["species"][0]) if settings["species"] else species_label("H+")
    caption = (
        "Left: energies per charge where the answer holds, coloured by the answer, on the whole range of the instrument "
        "(energies "
        f"per nucleon or in all are turned into those per charge of {ion}). An arrow at the left end: the range begins below the "
        "axis. Right: years of work, an arrow where it goes on. Grey italic names: at work then, but not near the Earth or the "
        "Moon."
    )
    return markup.figure([markup.image(to_data_uri(drawn), "Energies and years of the instruments")], caption, wide=True)


def _bars(result: xr.Dataset) -> list[Bar]:
    spans = result["answer_energy_ev"].transpose("instrument", "span", "end").values
    whole = result["instrument_energy_ev"].transpose("instrument", "end").values
    bars = []
    for k in range(result.sizes["instrument"]):
        one = result.isel(instrument=k)
        covered = tuple((float(low), float(high)) for low, high in spans[k] if np.isfinite(high))
        bars.append(Bar(
            f"{one['mission'].item()} {one['name'].item()}", int(one["grade_level"]), covered,
            (float(whole[k, 0]), float(whole[k, 1])), *_days(one["first"].item(), one["last"].item()),
            bool(one["regions"].item()) and not bool(one["near_earth"]), one["basis"].item() == "m/dm alone",
        ))  # fmt: skip
    return bars


def _days(first: str, last: str) -> tuple[int, int | None]:
    """First day, and the day after the last one; None while the work goes on."""
    return (days_of(first)[0] if first else 0), (days_of(last)[1] if last else None)


def _answers(result: xr.Dataset) -> str:
    if not result.sizes.get("instrument", 0):
        return markup.missing("There is none.", "Add --all to see those that cannot, and why.")
    asked = bool((read_json_attribute(result, "settings") or {}).get("species"))
    rows: list[list[str | Number]] = []
    for k in range(result.sizes["instrument"]):
        one = {name: result[name].values[k] for name in (*_COLUMNS, "grade", "reason")}
        one["grade"] = one["grade"] if asked or one["grade"] == "cannot" else "–"
        reach = f"{one['energy_covered']} ({float(one['energy_fraction']):.0%})" if one["energy_covered"] else "–"
        value = float(one["m_over_dm"])
        rows.append([
            f"<strong>{_named(result, k)}</strong>", unbroken(markup.text(one["grade"])),
            markup.text(reach), markup.text(str(one["regions"]).replace("; ", ", ") or "–"),
            f"{value:.3g}" if np.isfinite(value) else "–", markup.text(one["reason"]), unbroken(markup.text(one["basis"] or "–")),
            f"{markup.confidence_mark(one['answer_confidence'])} {markup.with_links(one['answer_source'])}",
        ])  # fmt: skip
    heads = [
        "instrument",
        "answer",
        "energies (share of those asked for)",
        "regions then",
        "m/dm",
        "why",
        "basis",
        "confidence, source",
    ]
    note = "The share of the energies is that of their logarithm, or of the energies themselves where they begin at 0."
    return markup.table(heads, rows) + markup.paragraph(note)


def _needed(result: xr.Dataset) -> str:
    if not result.sizes.get("opponent", 0):
        return markup.missing("No ion is to be told from another one.", "Name them with --species and --from.")
    rows: list[list[str | Number]] = [
        [_pair(str(name)), Number(_ratio(float(value))), Number(_ratio(2.0 * float(value)))]
        for name, value in zip(result["opponent"].values, result["needed_m_over_dm"].values, strict=True)
    ]
    note = (
        "m/dm is the mean mass per charge over the difference, from the most abundant nuclides; dm is the full width of a peak."
    )
    return markup.table(["pair", "one width apart", "two widths: a minor ion beside an abundant one"], rows, "pairs") + (
        markup.paragraph(note)
    )


def _named(result: xr.Dataset, k: int) -> str:
    """Mission and instrument as HTML that may break after a slash or a comma."""
    said = markup.text(f"{result['mission'].values[k]} {result['name'].values[k]}")
    return said.replace("/", "/<wbr>").replace(",", ",<wbr>")


def _pair(words: str) -> str:
    return markup.text(" from ".join(species_label(name) for name in words.split(" from ")))


def _ratio(value: float) -> str:
    return markup.number(value, 3) if np.isfinite(value) else "never"


def _access(result: xr.Dataset) -> str:
    if not result.sizes.get("instrument", 0):
        return markup.missing("There is no instrument.", "Ask for other energies, years or ions.")
    names = ("archive", "dataset_ids", "loader_call", "software_state", "heavy_ion_state")
    rows: list[list[str | Number]] = []
    for k in range(result.sizes["instrument"]):
        cells = [markup.text(result[name].values[k] or "–") for name in names]
        cells[2] = f"<code>{cells[2]}</code>" if cells[2] != "–" else cells[2]
        rows.append([_named(result, k), *cells])
    heads = ["instrument", "archive", "data sets", "loader", "usual products", "what heavy ions need"]
    return markup.table(heads, rows)


def _meaning() -> str:
    rows = [[f"<strong>{markup.text(name)}</strong>", markup.text(words)] for name, words in _MEANINGS]
    return markup.table(["answer", "meaning"], rows, "pairs") + markup.paragraph(
        "Basis: <em>reported</em>, somebody did it; <em>design</em>, it was built so; <em>m/dm alone</em>, no row of the "
        "catalogue "
        "is about the ion, mass range and m/dm decide. Nobody means nobody in the catalogue."
    )


def _instrument(result: xr.Dataset) -> tuple[str, list[Section]]:
    need(result, (*_ONE, *(f"capability_{key}" for key in _CAPABILITY), "stay_region", "stay_first", "stay_last"),
         "instrument of the catalogue", "siderion catalogue --instrument")  # fmt: skip
    one = result.isel(instrument=0)
    ends = [float(one[f"energy_{end}_ev"]) for end in ("min", "max")]
    reach = (
        f"{energy_words(ends[0])} to {energy_words(ends[1])} {one['energy_basis'].item()}" if np.isfinite(ends[1]) else "unknown"
    )
    worked = f"{one['first'].item() or 'unknown'} to {one['last'].item() or 'now'}"
    head = lead(
        f"{markup.text(result.attrs['title'])}: {markup.text(reach)}, worked {markup.text(worked)}; the catalogue has "
        f"{result.sizes['capability']} rows of what it tells apart."
    ) + caution(result)
    stays = [
        [
            markup.text(region),
            markup.text(f"{first or 'from the start'} to {last or 'the end'}" if first or last else "whenever it worked"),
        ]
        for region, first, last in zip(*(result[f"stay_{key}"].values for key in ("region", "first", "last")), strict=True)
    ]
    sections = [
        Section("coverage", "What it tells apart, energies and years", _capability_figure(result)),
        Section("capabilities", "Every row", _capability_table(result)),
        Section("regions", "Regions", markup.table(["region", "when"], stays, "pairs")),
        Section("columns", "All that is known", _columns(one)),
    ]
    return head, sections


def _capability_figure(result: xr.Dataset) -> str:
    one = result.isel(instrument=0)
    main = str(one["energy_basis"].item())
    whole = (float(one["energy_min_ev"]), float(one["energy_max_ev"]))
    bars, left = [], 0
    for k in range(result.sizes["capability"]):
        cell = {key: result[f"capability_{key}"].values[k] for key in _CAPABILITY}
        if (cell["energy_basis"] or main) != main:
            left += 1
            continue
        own = (float(cell["energy_min_ev"]), float(cell["energy_max_ev"]))
        reach = own if np.isfinite(own[1]) else whole
        ranges = ((reach[0] if np.isfinite(reach[0]) else 0.0, reach[1]),) if np.isfinite(reach[1]) else ()
        begin, end = _days(str(cell["first"] or one["first"].item()), str(cell["last"] or one["last"].item()))
        label = f"{cell['species']} from {cell['separated_from'] or 'nothing'}"
        level = _STATES.index(cell["state"]) if cell["state"] in _STATES else 0
        bars.append(Bar(label if len(label) < 54 else label[:52] + "…", level, ranges, whole, begin, end))
    if not bars:
        return markup.missing("No row has energies of the kind of the instrument.", "See the table.")
    drawn = draw_coverage(bars, None, None, _STATES, f"energy {main}, eV")
    caption = "Left: energies of each row, on the range of the instrument. Right: years. Dark blue: routinely (dedicated); light "
    caption += "blue: with effort (non-dedicated); grey: excluded."
    caption += f" {left} rows with energies of another kind are in the table only." if left else ""
    return markup.figure([markup.image(to_data_uri(drawn), "What the instrument tells apart")], caption, wide=True)


def _capability_table(result: xr.Dataset) -> str:
    rows: list[list[str | Number]] = []
    for k in range(result.sizes["capability"]):
        cell = {key: result[f"capability_{key}"].values[k] for key in _CAPABILITY}
        high = float(cell["energy_max_ev"])
        low = float(cell["energy_min_ev"])
        reach = (
            f"{energy_words(low if np.isfinite(low) else 0.0)} to {energy_words(high)}" if np.isfinite(high) else "all of its own"
        )
        how = "; ".join(str(cell[key]) for key in ("mode", "method", "evidence") if cell[key])
        rows.append([
            markup.text(cell["species"]), markup.text(cell["separated_from"] or "nothing"), unbroken(markup.text(cell["state"])),
            unbroken(markup.text(cell["basis"])), markup.text(reach), markup.text(how),
            f"{markup.confidence_mark(cell['confidence'])} {markup.with_links(cell['source'])}",
        ])  # fmt: skip
    return markup.table(["species", "told from", "state", "basis", "energies", "how", "confidence, source"], rows)


def _columns(one: xr.Dataset) -> str:
    rows = []
    for name, array in one.variables.items():
        value = array.values.item() if array.ndim == 0 else None
        said = f"{value:.6g}" if isinstance(value, float) else str(value if value is not None else "")
        if said and said != "nan":
            units = f" {array.attrs['units']}" if array.attrs.get("units", "1") != "1" else ""
            cell = markup.confidence_mark(said) if str(name).endswith("confidence") else markup.with_links(said + units)
            rows.append([markup.text(str(name).removesuffix("_ev").replace("_", " ")), cell])
    return markup.table(["column", "value"], rows, "pairs")


def _table(result: xr.Dataset) -> tuple[str, list[Section]]:
    names = [str(name) for name in result.data_vars if result[name].dims == ("row",)]
    if not names or "origin" not in result.attrs:
        raise DataError(
            "table of the review: columns or the attribute origin missing; make the file anew with `siderion catalogue`"
        )
    shown = [name for name in names if name not in _LEFT_OUT]
    rows: list[list[str | Number]] = []
    for k in range(result.sizes["row"]):
        cells: list[str | Number] = [_cell(name, result[name].values[k]) for name in shown]
        if "confidence" in names:
            source = markup.with_links(result["source"].values[k]) if "source" in names else ""
            cells.append(f"{markup.confidence_mark(result['confidence'].values[k])} {source}")
        rows.append(cells)
    units = {name: result[name].attrs.get("units", "1") for name in shown}
    heads = [
        name.removesuffix("_km").replace("_", " ") + (f", {units[name]}" if units[name] not in ("1", "") else "")
        for name in shown
    ]
    heads += ["confidence, source"] if "confidence" in names else []
    said = f"{result.sizes['row']} rows, {markup.text(result.attrs['origin'])}"
    if "agrees" in names:
        said += f"; the catalogue agrees with {int(result['agrees'].sum())} of them"
    return lead(f"{said}.") + caution(result), [Section("table", "Table", markup.table(heads, rows))]


def _cell(name: str, value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "<strong>no</strong>"
    if isinstance(value, float | np.floating):
        return markup.number(float(value), 4) if np.isfinite(value) else "–"
    said = str(value)
    if name in ("citation", "url", "remarks"):
        return markup.with_links(said) or "–"
    return unbroken(markup.text(said)) if 0 < len(said) < 15 and " " not in said else markup.text(said) or "–"
