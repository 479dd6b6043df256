"""The page of debris against the natural input of elements."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from . import markup
from .figures import to_data_uri
from .markup import Number, Section
from .parity_figures import draw_ratio_by_year, draw_ratios
from .source_words import caution, foot, lead, need, record
from .wave_words import flag_words

KIND = "siderion debris parity"
"""Global attribute ``kind`` of the output that this page shows."""
_NEEDS = (
    "debris_ratio", "debris_ratio_lower", "debris_ratio_upper", "exceeds_natural", "exceedance_probability", "parity_fraction",
    "natural_input", "injected_mass", "scenario_year", "settings",
)  # fmt: skip
_SERIES = ("debris_ratio_by_year", "parity_year")
_VERDICTS = {"yes": "more than 84 % of the samples exceed parity", "likely": "the median exceeds parity", "no": "it does not"}


def is_debris_parity(dataset: xr.Dataset) -> bool:
    """Whether a data set is the output of ``siderion sources debris parity``."""
    return dataset.attrs.get("kind") == KIND


def render_debris_parity_page(parity: xr.Dataset) -> str:
    """Render the comparison of debris and natural input as a self-contained HTML page.

    Parameters
    ----------
    parity : xarray.Dataset
        From `siderion.sources.debris.parity.debris_parity`, with several scenarios or one.

    Returns
    -------
    str
        HTML without references to the outside.

    Raises
    ------
    DataError
        A variable is missing.
    """
    need(parity, _NEEDS, "debris parity", "siderion sources debris parity")
    ordered = parity.isel(element=np.argsort(-parity["debris_ratio"].values[:, 0], kind="stable"))
    sections = [
        Section("ratios", "Ratio by element and scenario", _ratios(ordered)),
        Section("years", "Ratio by year, and years of parity", _years(ordered)),
        Section("shares", "Share of debris that parity needs", _shares(ordered)),
        *record(parity),
    ]
    return markup.page(str(parity.attrs.get("title", "Debris parity")), _head(ordered), sections, foot(parity))


def _ratio(one: xr.Dataset) -> str:
    """A ratio with its ends, without powers of ten where they can be read."""
    ends = [float(one[f"debris_ratio{end}"]) for end in ("", "_lower", "_upper")]
    value, low, high = (f"{end:.2g}" if 1e-4 < end < 100.0 else markup.number(end, 2) for end in ends)
    return f"{value} ({low} to {high})"


def _scenarios(parity: xr.Dataset) -> list[str]:
    return [str(name) for name in parity["scenario"].values]


def _head(parity: xr.Dataset) -> str:
    settings = json.loads(parity.attrs["settings"])
    lines = []
    for name in _scenarios(parity):
        one = parity.sel(scenario=name)
        found = {said: [markup.text(e) for e, v in zip(one["element"].values, one["exceeds_natural"].values, strict=True)
                        if str(v) == said] for said in ("yes", "likely")}  # fmt: skip
        words = f"exceeds the natural input of {', '.join(found['yes'])}" if found["yes"] else "surely exceeds that of no element"
        words += f"; likely that of {', '.join(found['likely'])}" if found["likely"] else ""
        lines.append(f"<li><strong>{markup.text(name)}</strong> ({float(one['injected_mass']):.4g} t yr<sup>−1</sup>, "
                     f"about {float(one['scenario_year']):.0f}): debris {words}.</li>")  # fmt: skip
    note = str(parity.attrs.get("note", ""))
    said = (
        f'<p class="caution"><strong>Iron.</strong> {markup.text(_first_large(note.removeprefix("Iron: ")))}{_iron(parity)}</p>'
    )
    pairs = [
        ("natural input", markup.text(settings.get("natural", "–"))),
        ("its composition", markup.text(settings.get("composition", "–"))),
        ("samples", markup.text(settings.get("samples", "–"))),
        ("years looked at, up to", f"{float(settings.get('horizon', np.nan)):.0f}"),
    ]
    meaning = markup.paragraph(
        "The ratio compares whole inputs. Most of the debris is released below 80 km and meteoric metals above: the metal layer "
        "gets much less of the debris than the ratio says (<code>siderion sources debris rate</code> gives how much)."
    )
    head = f'<ul class="lead">{"".join(lines)}</ul>' + meaning + (said if note else "") + markup.facts(pairs)
    return lead("By how much debris adds to the elements that meteoroids bring:") + head + caution(parity)


def _first_large(words: str) -> str:
    return words[:1].upper() + words[1:]


def _iron(parity: xr.Dataset) -> str:
    """The ratios of iron in numbers."""
    if "Fe" not in parity["element"].values:
        return ""
    iron = parity.sel(element="Fe")
    said = [f"{markup.text(name)} {_ratio(iron.sel(scenario=name))}" for name in _scenarios(parity)]
    return f" Ratio of iron here: {'; '.join(said)}."


def _ratios(parity: xr.Dataset) -> str:
    names, scenarios = [str(name) for name in parity["element"].values], _scenarios(parity)
    values = [parity[f"debris_ratio{end}"].transpose("element", "scenario").values for end in ("", "_lower", "_upper")]
    picture = markup.image(to_data_uri(draw_ratios(names, scenarios, *values)), "Ratio of debris to natural input by element")
    caption = (
        "Input by debris over natural input: medians with their 16 and 84 % ends from the spread of the masses and of the shares "
        f"of the elements. In order of the ratio in {markup.text(scenarios[0])}."
    )
    rows: list[list[str | Number]] = []
    for name in names:
        one = parity.sel(element=name)
        row: list[str | Number] = [markup.text(name), Number(markup.number(float(one["natural_input"])))]
        for scenario in scenarios:
            cell = one.sel(scenario=scenario)
            row.append(f"{_ratio(cell)}: {markup.text(cell['exceeds_natural'].item())}")
        rows.append(row)
    heads = ["element", "natural, t/yr", *(f"ratio, {name}: exceeds?" for name in scenarios)]
    legend = "; ".join(f"{key}: {words}" for key, words in _VERDICTS.items())
    return (
        markup.figure([picture], caption, wide=True) + markup.table(heads, rows, "wide") + markup.paragraph(f"Exceeds: {legend}.")
    )


def _year_words(one: xr.Dataset) -> str:
    """Year of parity with its ends (ready HTML)."""
    late = flag_words(one["parity_year_flag"]) if "parity_year_flag" in one else ""
    if late:
        return markup.text(late)
    year, low, high = (float(one[f"parity_year{end}"]) for end in ("", "_lower", "_upper"))
    if "parity_year_upper_limit" in one and bool(one["parity_year_upper_limit"]):
        return f"before {year:.0f}"
    return f"{year:.0f} ({low:.0f} to {high:.0f})"


def _parity_ends(one: xr.Dataset) -> tuple[float, float, float]:
    """Year of parity and its ends for the figure; NaN where it is before the series or never."""
    if "before" in _year_words(one) or not np.isfinite(float(one["parity_year"])):
        return np.nan, np.nan, np.nan
    return float(one["parity_year"]), float(one["parity_year_lower"]), float(one["parity_year_upper"])


def _years(parity: xr.Dataset) -> str:
    if any(name not in parity for name in _SERIES):
        return markup.missing("One scenario gives no growth.", "Give two scenarios or more, or a series of masses.")
    names = [str(name) for name in parity["element"].values]
    middle, low, high = (
        parity[f"debris_ratio_by_year{end}"].transpose("element", "year").values for end in ("", "_lower", "_upper")
    )
    years = parity["year"].values.astype(float)
    ends = [_parity_ends(parity.sel(element=name)) for name in names]
    picture = markup.image(
        to_data_uri(draw_ratio_by_year(names, years, middle, low, high, ends)), "Ratio against the year, by element"
    )
    scenarios = ", ".join(
        f"{markup.text(name)} in {float(parity['scenario_year'].sel(scenario=name)):.0f}" for name in _scenarios(parity)
    )
    caption = (
        f"Ratio against the year: median and 16 to 84 %. Between the scenarios ({scenarios}) the mass grows exponentially; the "
        "years of future scenarios are assumed. Diamond: year of parity with its ends; where it lies outside of the years drawn "
        "it is only in the table."
    )
    rows: list[list[str | Number]] = [[markup.text(name), _year_words(parity.sel(element=name))] for name in names]
    note = markup.paragraph(f"Years after {years[-1]:.0f} continue the last growth, which is assumed.")
    return markup.figure([picture], caption, wide=True) + markup.table(["element", "year of parity"], rows, "pairs") + note


def _shares(parity: xr.Dataset) -> str:
    scenarios = _scenarios(parity)
    rows: list[list[str | Number]] = []
    for name in map(str, parity["element"].values):
        one = parity.sel(element=name)
        row: list[str | Number] = [markup.text(name)]
        for scenario in scenarios:
            share = 100.0 * float(one["parity_fraction"].sel(scenario=scenario))
            row.append(Number(f"{markup.number(share, 2)} %" if share <= 100.0 else f"{markup.number(share, 2)} %, impossible"))
        rows.append(row)
    said = (
        "Share of the element in all debris at which both inputs are equal, from the central values. It does not depend on the "
    )
    said += "assumed composition of debris. Above 100 % there is no parity, whatever debris is made of."
    return markup.table(["element", *scenarios], rows, "wide") + markup.paragraph(said)
