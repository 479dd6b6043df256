"""The page of the budget of sources: how much each supplies to a place, and which assumption decides it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import xarray as xr

from . import markup
from .budget_figures import Bars, Step, draw_chains, draw_supply, draw_supply_shares, shown_route
from .figures import to_data_uri
from .markup import Number, Section
from .source_words import caution, foot, lead, measured, need, record, unbroken

KIND = "siderion budget"
"""Global attribute ``kind`` of the output that this page shows."""
_ENDS = ("", "_lower", "_upper")
_NEEDS = (
    *(f"{name}{end}" for name in ("supply", "supply_share", "low_charge_share") for end in _ENDS), "factor", "factor_place",
    "factor_units", "factor_meaning", "factor_source", "factor_confidence", "factor_value", "factor_lower", "factor_upper",
    "variance_share", "dominant_meaning", "dominant_variance_share", "charge_states", "place", "species", "settings",
)  # fmt: skip


def is_budget(dataset: xr.Dataset) -> bool:
    """Whether a data set is the output of ``siderion sources budget``."""
    return dataset.attrs.get("kind") == KIND


def render_budget_page(budget: xr.Dataset) -> str:
    """Render a budget of sources as a self-contained HTML page.

    Parameters
    ----------
    budget : xarray.Dataset
        From `siderion.inference.budget.supply_budget`.

    Returns
    -------
    str
        HTML without references to the outside.

    Raises
    ------
    DataError
        A variable is missing.
    """
    need(budget, _NEEDS, "budget", "siderion sources budget")
    sections = [
        Section("supply", "Supply by source", _supply(budget)),
        Section("shares", "Shares, and those of singly charged ions", _shares(budget)),
        Section("factors", "Which factor decides", _chains(budget)),
        Section("table", "All factors", _table(budget)),
        *record(budget),
    ]
    return markup.page(
        f"Supply of {budget.attrs['species']} to {_place(budget)}, by source", _head(budget), sections, foot(budget)
    )


def _routes(budget: xr.Dataset) -> list[str]:
    return [str(name) for name in budget["route"].values]


def _bars(budget: xr.Dataset, name: str) -> Bars:
    return Bars(*(budget[name + end].values.astype(float) for end in _ENDS))


def _place(budget: xr.Dataset) -> str:
    """The place with its article."""
    name = str(budget["place"].values)
    words = {"upstream": "the solar wind upstream of the Earth", "exobase": "the exobase (500 km)", "lobe": "the lobes"}
    return words.get(name, f"the {name}")


def _head(budget: xr.Dataset) -> str:
    species = markup.text(budget.attrs["species"])
    first = budget.isel(route=int(np.argmax(budget["supply"].values)))
    said = (
        f"Most {species} that comes to {_place(budget)} is from <strong>{_article(first)}: {measured(first, 'supply')} s"
        f"<sup>−1</sup></strong> (median, 16 to 84 %)."
    )
    low = budget["low_charge_share"].values
    k = int(np.argmax(low))
    if str(first["route"].values) != _routes(budget)[k]:
        one = budget.isel(route=k)
        share = _percent(one, "low_charge_share")
        said += (
            f" Of the singly charged, most is from {_article(one)}: {measured(one, 'supply')} s<sup>−1</sup>, {share} of them."
        )
    lines = "".join(
        f"<li><strong>{markup.text(shown_route(name))}</strong>: decided by {markup.text(one['dominant_meaning'].item())} "
        f"({100 * float(one['dominant_variance_share']):.0f} % of the variance), {_confidence(one)}.</li>"
        for name, one in ((name, budget.sel(route=name)) for name in _routes(budget))
    )
    settings = json.loads(budget.attrs["settings"])
    pairs = [("species", species), ("place", markup.text(str(budget["place"].values))),
             ("year of the debris", f"{float(settings.get('year', np.nan)):g}"),
             ("samples", markup.text(settings.get("samples", "–")))]  # fmt: skip
    order = markup.paragraph(
        "This is an estimate of orders of magnitude. A supply is a product of factors; many were never measured."
    )
    return lead(said) + f"<ul>{lines}</ul>" + order + markup.facts(pairs) + caution(budget)


def _article(one: xr.Dataset) -> str:
    name = shown_route(str(one["route"].values))
    return markup.text(f"the {name}" if name in ("Moon", "solar wind", "ionosphere") else name)


def _confidence(one: xr.Dataset) -> str:
    """Confidence of the factor that decides."""
    return markup.confidence_mark(str(one["factor_confidence"].values[int(np.nanargmax(one["variance_share"].values))]))


def _percent(one: xr.Dataset, name: str) -> str:
    value, low, high = (100.0 * float(one[name + end]) for end in _ENDS)
    if not value > 0.0:
        return "none"
    return f"{_plain(value)} % ({_plain(low)} to {_plain(high)})"


def _plain(value: float) -> str:
    """A share in per cent: two digits, more of them close to 100."""
    return f"{value:.3g}" if 99.0 < value < 99.95 else "100" if value >= 99.95 else markup.number(value, 2)


def _supply(budget: xr.Dataset) -> str:
    routes, place = _routes(budget), _place(budget)
    label = f"supply of {budget.attrs['species']} to {place}, " + r"s$^{-1}$"
    picture = markup.image(to_data_uri(draw_supply(routes, _bars(budget, "supply"), label)), "Supply by source")
    caption = f"Atoms and ions of {markup.text(budget.attrs['species'])} per second: medians with their 16 and 84 % ends."
    rows: list[list[str | Number]] = []
    for name in routes:
        one = budget.sel(route=name)
        label = unbroken(markup.text(shown_route(name)))
        numbers = (measured(one, "supply"), _percent(one, "supply_share"), _percent(one, "low_charge_share"))
        rows.append([label, *map(Number, numbers), markup.text(one["charge_states"].item())])
    heads = ["source", "supply, s⁻¹", "share of all", "share of the singly charged", "charge states"]
    return markup.figure([picture], caption) + markup.table(heads, rows)


def _shares(budget: xr.Dataset) -> str:
    drawn = draw_supply_shares(_routes(budget), _bars(budget, "supply_share"), _bars(budget, "low_charge_share"))
    caption = (
        "Shares of the sum over the sources: medians with their 16 and 84 % ends; medians need not add up to 100 %. Singly "
        "charged: ions of the solar wind carry many charges, so an instrument that tells charge states sees the others without "
        "them."
    )
    return markup.figure([markup.image(to_data_uri(drawn), "Share of each source, of all and of the singly charged")], caption)


def _steps(budget: xr.Dataset, route: str) -> Iterator[xr.Dataset]:
    """The factors of a source; padding is left out."""
    one = budget.sel(route=route)
    for k in range(one.sizes["step"]):
        if np.isfinite(float(one["factor_value"][k])):
            yield one.isel(step=k)


def _chains(budget: xr.Dataset) -> str:
    chains = {
        route: [
            Step(str(one["factor"].item()).replace("_", " "), float(one["factor_value"]), float(one["factor_lower"]),
                 float(one["factor_upper"]), float(one["variance_share"]), str(one["factor_confidence"].item()))
            for one in _steps(budget, route)
        ]
        for route in _routes(budget)
    }  # fmt: skip
    caption = (
        "The supply of a source is the product of its factors, from top to bottom. Left: the ends of each factor over its value "
        "(dot). Right: its part of the variance of the logarithm of the product, within the source. Colour and hatching: "
        "confidence."
    )
    picture = markup.image(to_data_uri(draw_chains(chains)), "Ends and share of the variance of every factor")
    return markup.figure([picture], caption, wide=True)


def _table(budget: xr.Dataset) -> str:
    rows: list[list[str | Number]] = []
    for route in _routes(budget):
        for one in _steps(budget, route):
            value, low, high = (float(one[f"factor_{end}"]) for end in ("value", "lower", "upper"))
            units, key = str(one["factor_units"].item()), markup.text(f"{route}.{one['factor'].item()}")
            said = markup.number(value, 2) + ("" if low == high else f" ({markup.number(low, 2)} to {markup.number(high, 2)})")
            rows.append([
                f"{unbroken(markup.text(shown_route(route)))} to the {markup.text(one['factor_place'].item())}",
                f"{markup.text(one['factor_meaning'].item())}<br><code>{key}</code>",
                f"{said}{'' if units == '1' else f' {markup.units_html(units)}'}", f"{100 * float(one['variance_share']):.2g} %",
                markup.with_links(one["factor_source"].item()),
                markup.confidence_mark(one["factor_confidence"].item()),
            ])  # fmt: skip
    heads = ["source", "factor", "value (16 to 84 %)", "of the variance", "from", "confidence"]
    said = "Your own value takes the place of a factor, by the name below its meaning: <code>siderion sources budget --set "
    said += "moon.ion_share=0.005:0.002:0.01</code>."
    return markup.table(heads, rows) + markup.paragraph(said)
