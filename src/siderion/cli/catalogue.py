"""``siderion catalogue``: which instrument could see an ion, and the tables of the review."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import xarray as xr
from cyclopts import Parameter
from numpy.typing import NDArray

from siderion.cli.show import names_in, page_beside, print_json, write_page
from siderion.core.errors import SettingsError, explained
from siderion.io.store import write_netcdf
from siderion.jobs.atomic import atomic_file
from siderion.spectrometer.catalogue import load_catalogue
from siderion.spectrometer.catalogue_grades import CANNOT
from siderion.spectrometer.catalogue_questions import find_instruments
from siderion.spectrometer.catalogue_tables import review_table
from siderion.spectrometer.catalogue_words import answer_line


def catalogue(
    *,
    species: str | None = None,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    energy: str | None = None,
    year: str | None = None,
    region: str | None = None,
    m_over_dm: float = 0.0,
    public: Annotated[bool, Parameter(name="--public", negative="")] = False,
    all_: Annotated[bool, Parameter(name="--all", negative="")] = False,
    instrument: str | None = None,
    table: str | None = None,
    csv: Path | None = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Ask which instrument could see an ion, apart from which others, at which energy, when and where.

    Answers are separates (routinely), may with effort (done or possible, not routine), and group only (together with others).

    Parameters
    ----------
    species
        Ions separated by commas, such as NO+ or Fe10+, or a group, such as "molecular ions". Without it, all instruments, without
        an answer: there is none where no ion is named.
    from_
        Ions or groups to tell them from, separated by commas; the neighbours of each ion by default.
    energy
        Energies per charge with units, such as 50eV:10keV.
    year
        2003, 2003-10, 2003-10-29 or 2003:2005.
    region
        Region that the instrument must have visited then, such as "ring current" or "lunar orbit".
    m_over_dm
        Smallest mass resolution.
    public
        Only instruments whose heavy-ion data are public.
    all_
        Show those that cannot too, and why.
    instrument
        Show all that is known of one instrument, such as cluster-codif; no question.
    table
        Show a table of the review: 1.2, 2.3, 3.1, 3.2, 3.3, 3.4 or 3.5; no question.
    csv
        File for the rows as text with commas; none by default.
    output
        NetCDF file, with a page beside it; none by default.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    asked = any((species, from_, energy, year, region, m_over_dm, public, all_))
    if sum((asked, instrument is not None, table is not None)) > 1:
        raise SettingsError("give a question, or --instrument, or --table; they do not go together")
    if from_ and not species:
        raise SettingsError("--from needs --species: the ions to tell from them")
    page = None if output is None or no_report else page_beside(output)
    if table is not None:
        result, settings, text = review_table(table), {"table": table}, _table_text
    elif instrument is not None:
        result, settings, text = _one(instrument), {"instrument": instrument}, _one_text
    else:
        result = find_instruments(
            names_in(species), names_in(from_) if from_ else None, energy=energy, year=year, region=region,
            m_over_dm=m_over_dm, public=public, everything=all_,
        )  # fmt: skip
        settings, text = json.loads(result.attrs["settings"]), _answer_text
    if output is not None:
        with explained(output), atomic_file(output) as temporary:
            write_netcdf(_compact(result), temporary)
    if page is not None:
        from siderion.report import render_report

        write_page(render_report(result), page)
    if csv is not None:
        with explained(csv), atomic_file(csv) as temporary:
            _frame(result).to_csv(temporary, index=False)
    if json_:
        print_json("catalogue", settings, result)
        return
    print("\n".join(text(result)))
    for path in (output, page, csv):
        if path is not None:
            print(f"wrote {path}")


def _compact(data: xr.Dataset) -> xr.Dataset:
    """Without the columns of the catalogue where there is no instrument: empty columns take seconds to write and to read."""
    if data.sizes.get("instrument", 1):
        return data
    return data.drop_vars([name for name in data.data_vars if str(data[name].attrs["long_name"]).startswith("column ")])


def _one(name: str) -> xr.Dataset:
    """All rows about one instrument: itself from the list of all, with regions and capabilities as text."""
    known = load_catalogue()
    row = known.find(name)
    found = find_instruments(everything=True)
    one = found.sel(instrument=[row.instrument]).drop_vars(
        ["grade", "grade_level", "reason", "energy_fraction", "energy_covered", "basis", "near_earth", "regions",
         "answer_confidence", "answer_source", "answer_energy_ev", "instrument_energy_ev", "needed_m_over_dm", "opponent"]
    )  # fmt: skip
    for dimension, rows in (("capability", known.capabilities[row.instrument]), ("stay", known.regions[row.instrument])):
        for key in type(rows[0]).model_fields:
            values = [getattr(part, key) for part in rows]
            if key != "instrument":
                one[f"{dimension}_{key}"] = (dimension, _cells(key, values), {"long_name": f"{key} of the {dimension}"})
    one.attrs |= {"title": f"{row.mission} {row.name}", "settings": json.dumps({"instrument": row.instrument})}
    return one


def _cells(key: str, values: list[object]) -> NDArray[Any]:
    """Values of a column: numbers with nan for holes, else text."""
    if key.endswith(("_ev", "m_over_dm")):
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return np.array(["; ".join(value) if isinstance(value, tuple) else str(value or "") for value in values], dtype=object)


def _frame(data: xr.Dataset) -> pd.DataFrame:
    """The variables along the main dimension as a table."""
    main = "row" if "row" in data.dims else "instrument"
    names = [name for name in data.variables if data[name].dims == (main,)]
    return pd.DataFrame({str(name): data[name].values for name in names})


def _answer_text(data: xr.Dataset) -> list[str]:
    """One line with the answer, then a line for each instrument."""
    settings = json.loads(data.attrs["settings"])
    asked = bool(settings["species"])
    answer = answer_line(data) if asked else f"{data.sizes['instrument']}; --species asks which of them tell an ion from others"
    lines = [f"{data.attrs['title']}: {answer}"]
    needed = data["needed_m_over_dm"]
    if needed.size:
        pairs = [f"{name} {value:.4g}" for name, value in zip(needed["opponent"].values, needed.values, strict=True)]
        lines += _wrapped("m/dm for peaks one width apart (two for a minor ion): " + ", ".join(pairs))
    for k in range(data.sizes["instrument"]):
        parts = [data["grade"].values[k]] if asked or data["grade_level"].values[k] == CANNOT else []
        if data["energy_covered"].values[k]:
            share = f" ({float(data['energy_fraction'][k]):.0%})" if asked or settings["energy_ev"] else ""
            parts.append(data["energy_covered"].values[k] + share)
        if data["regions"].values[k]:
            parts.append(data["regions"].values[k].replace("; ", ", "))
        line = f"{data['mission'].values[k]} {data['name'].values[k]}: {', '.join(parts)}"
        lines += _wrapped(f"{line}. {data['reason'].values[k]} [{data['answer_confidence'].values[k]}]")
    return lines


def _one_text(data: xr.Dataset) -> list[str]:
    lines = [data.attrs["title"]]
    for name in data.variables:
        if data[name].dims == ("instrument",):
            value = data[name].values[0]
            text = f"{value:.6g}" if isinstance(value, float) else str(value)
            lines += _wrapped(f"{name}: {text}") if text not in ("", "nan") else []
    for k in range(data.sizes["stay"]):
        first, last = data["stay_first"].values[k], data["stay_last"].values[k]
        lines.append(f"  region: {data['stay_region'].values[k]}" + (f", {first} to {last or 'now'}" if first or last else ""))
    for k in range(data.sizes["capability"]):
        cells = {key: data[f"capability_{key}"].values[k] for key in ("species", "separated_from", "state", "method", "evidence")}
        energies = [data[f"capability_energy_{end}_ev"].values[k] for end in ("min", "max")]
        reach = f", {energies[0]:g} to {energies[1]:g} eV" if np.isfinite(energies[1]) else ""
        text = f"{cells['species']} from {cells['separated_from'] or 'nothing'}{reach}: {cells['state']}; {cells['method']}"
        lines += _wrapped("tells apart: " + text + (f"; {cells['evidence']}" if cells["evidence"] else ""))
    return lines


def _table_text(data: xr.Dataset) -> list[str]:
    """The rows of a table, each as its columns that are not empty."""
    lines = [f"{data.attrs['title']} ({data.attrs['origin']})"]
    for k in range(data.sizes["row"]):
        cells = []
        for name, column in data.data_vars.items():
            value = column.values[k]
            text = f"{value:.6g}" if isinstance(value, float) else str(value)
            if text not in ("", "nan") and name not in ("source", "confidence"):
                cells.append(f"{str(name).replace('_', ' ')}: {text}")
        lines += _wrapped(f"{k + 1}. " + " | ".join(cells))
    return lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 118, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
