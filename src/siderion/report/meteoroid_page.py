"""The page of the meteoroid source: injection by element and altitude, what ablates, the influx by mass."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from siderion.sources.meteoroids.scenarios import ablated_observations

from . import markup
from .entry_figures import draw_mass_influx, draw_release, draw_shares, released_reach
from .figures import to_data_uri
from .markup import Number, Section
from .record_sections import flatten
from .selection import read_json_attribute
from .source_words import caution, foot, lead, measured, need, record

KIND = "siderion source"
"""Global attribute ``kind`` of sources for a run; those of debris have it too."""
_NEEDED = ("species", "alt", "alt_bounds", "neutral_production", "ion_production", "ablated_mass_rate", "ablated_flux",
           "ablated_share", "ionised_share", "peak_altitude", "mass_influx", "unlisted_mass_rate",
           "residue_mass_rate")  # fmt: skip
_PER_CM3 = 1e-6
_PER_CM2 = 1e-4


def is_meteoroids(dataset: xr.Dataset) -> bool:
    """Whether a data set is the source that ``siderion sources meteoroids`` writes."""
    return dataset.attrs.get("kind") == KIND and bool({"ablated_share", "mass_influx"} & set(map(str, dataset.variables)))


def render_meteoroid_page(dataset: xr.Dataset) -> str:
    """Render the source of meteoroids as one self-contained HTML page.

    Parameters
    ----------
    dataset : xarray.Dataset
        From `siderion.sources.meteoroids.injection.meteoroid_injection` (m-3 s-1, m-2 s-1, t/d, km), perhaps with
        ``mass_influx_per_decade(meteoroid_mass)`` of `siderion.sources.meteoroids.influx.influx_by_decade`.

    Returns
    -------
    str
        HTML without references to the outside; texts of the data are escaped.

    Raises
    ------
    DataError
        A variable is missing.
    """
    need(dataset, _NEEDED, "source of meteoroids", "siderion sources meteoroids")
    sections = [
        Section("injection", "Injection by altitude", _injection_body(dataset)),
        Section("elements", "Elements", _elements_body(dataset)),
        Section("published", "Comparison with published ablated inputs", _comparison_body(dataset)),
        Section("influx", "Influx by mass", _influx_body(dataset)),
        *record(dataset),
    ]
    return markup.page(str(dataset.attrs.get("title") or "Meteoroids"), _head(dataset), sections, foot(dataset))


def ablated_total(dataset: xr.Dataset) -> float:
    """Mass that ablates a day over the Earth, all elements, t/d."""
    return float(dataset["ablated_mass_rate"].sum() + dataset["unlisted_mass_rate"])


def _head(dataset: xr.Dataset) -> str:
    influx, ablated = float(dataset["mass_influx"]), ablated_total(dataset)
    said = (
        f"Of {_with_spread(dataset, 'mass_influx')} t/d that arrive, <strong>{markup.number(ablated)} t/d "
        f"({100.0 * ablated / influx:.0f} %)</strong> ablate."
    )
    most = dataset.isel(species=int(np.argmax(dataset["ablated_flux"].values)))
    names = [str(one) for one in dataset["species"].values]
    chosen = dataset.sel(species="Fe") if "Fe" in names else most
    flux = measured(chosen, "ablated_flux", _PER_CM2) if _known(dataset) else markup.number(
        float(chosen["ablated_flux"]) * _PER_CM2)  # fmt: skip
    said += (
        f" {markup.text(chosen['species'].item())}: {_with_spread(chosen, 'ablated_mass_rate')} t/d, {flux} atoms "
        f"cm<sup>−2</sup> s<sup>−1</sup>, most at {float(chosen['peak_altitude']):g} km; impact ionises "
        f"{markup.number(100.0 * float(chosen['ionised_share']), 2)} % of it."
    )
    settings = flatten(read_json_attribute(dataset, "settings") or {})
    speeds = f"{settings.get('speeds', 'not named')}, mean {float(settings.get('mean_speed_km_s', np.nan)):.1f} km/s"
    pairs = [
        ("scenario", markup.text(settings.get("scenario", "not named"))),
        ("masses", markup.text(settings.get("mass_distribution", "not named"))),
        ("speeds", markup.text(speeds)),
        ("atmosphere", markup.text(settings.get("atmosphere", "not named"))),
        ("normalised to", markup.text(settings.get("normalised_to", "not named"))),
        ("integral", markup.text(f"{dataset.attrs.get('integral', '–')}, {dataset.attrs.get('bodies', '–')} bodies")),
    ]
    return lead(said) + markup.facts(pairs) + caution(dataset)


def _known(dataset: xr.Dataset) -> bool:
    """Whether the influx has an uncertainty."""
    return "mass_influx_upper" in dataset and bool(np.isfinite(dataset["mass_influx_upper"]))


def _with_spread(dataset: xr.Dataset, name: str) -> str:
    """A value with its ends where they are known (ready HTML)."""
    if f"{name}_upper" in dataset and np.isfinite(float(dataset[f"{name}_upper"])):
        return measured(dataset, name, digits=3)
    return markup.number(float(dataset[name]))


def _spread_words(dataset: xr.Dataset) -> str:
    if not _known(dataset):
        return "The source gives no uncertainty of the mass influx, so the numbers have none. "
    return "The ends belong to the mass influx one standard deviation lower and higher; nothing else is varied. "


# ---------------------------------------------------------------------- sections


def _injection_body(dataset: xr.Dataset) -> str:
    bounds = dataset["alt_bounds"].transpose("alt", ...).values.astype(float)
    edges = np.append(bounds[:, 0], bounds[-1, 1])
    atoms, ions = (_PER_CM3 * dataset[name].transpose("species", "alt").values.astype(float)
                   for name in ("neutral_production", "ion_production"))  # fmt: skip
    if atoms.max() <= 0.0:
        return markup.missing("Nothing ablates within the altitudes.", "Widen --altitudes.")
    panels = {"atoms": atoms, "ions made by impact on the air": ions}
    panels = {title: values for title, values in panels.items() if values.max() > 0.0}
    names = [str(one) for one in dataset["species"].values]
    drawn = draw_release(
        edges, panels, names, "injection rate, cm$^{-3}$ s$^{-1}$", reach=released_reach(edges, *panels.values())
    )
    caption = (
        "Global mean injection rate of atoms and of ions by element, in the manner of Figure 2.7 of the review of heavy ions "
        f"(Yamauchi et al.), in bins of {np.diff(edges).mean():.3g} km. The two panels have different scales. Elements that are "
        "released together have profiles of the same shape."
    )
    outside = float(dataset["ablated_outside_rate"].sum()) if "ablated_outside_rate" in dataset else 0.0
    listed = float(dataset["ablated_mass_rate"].sum())
    if listed > 0.0 and outside > 1e-3 * listed:
        caption += f" {100.0 * outside / listed:.2g} % of the ablated mass lies above and below the altitudes and is not drawn."
    return markup.figure([markup.image(to_data_uri(drawn), "Injection rate by element against altitude")], caption, wide=True)


def _elements_body(dataset: xr.Dataset) -> str:
    order = np.argsort(-dataset["ablated_share"].values, kind="stable")
    ordered = dataset.isel(species=order)
    error = None
    if "ablated_mass_rate_sampling_error" in ordered:
        relative = ordered["ablated_mass_rate_sampling_error"].values / ordered["ablated_mass_rate"].values
        error = ordered["ablated_share"].values * np.nan_to_num(relative)
    drawn = draw_shares([str(one) for one in ordered["species"].values], ordered["ablated_share"].values,
                        ordered["ionised_share"].values, error)  # fmt: skip
    caption = "Left: part of the arriving element that ablates. Right: part of the ablated atoms that impact on the air ionises."
    caption += " Bars of error: one standard error of the Monte Carlo integral." if error is not None else ""
    picture = markup.figure([markup.image(to_data_uri(drawn), "Ablated and ionised share by element")], caption, wide=True)
    return picture + _element_table(dataset)


def _element_table(dataset: xr.Dataset) -> str:
    rows: list[list[str | Number]] = []
    for k in range(dataset.sizes["species"]):
        one = dataset.isel(species=k)
        spread = _known(dataset)
        flux = measured(one, "ablated_flux", _PER_CM2, 3) if spread else markup.number(_PER_CM2 * float(one["ablated_flux"]))
        peak = float(one["peak_altitude"])
        rows.append([
            markup.text(one["species"].item()), Number(_with_spread(one, "ablated_mass_rate")), Number(flux),
            Number(f"{peak:g}" if np.isfinite(peak) else "–"), Number(markup.number(100.0 * float(one["ablated_share"]))),
            Number(markup.number(100.0 * float(one["ionised_share"]))),
        ])  # fmt: skip
    for words, name in (("other elements, oxygen above all", "unlisted_mass_rate"), ("does not ablate", "residue_mass_rate")):
        rows.append([words, Number(markup.number(float(dataset[name]))), *(Number("–") for _ in range(4))])
    rows.append(["<strong>arrives</strong>", Number(_with_spread(dataset, "mass_influx")), *(Number("–") for _ in range(4))])
    heads = ["element", "mass, t/d", "atoms, cm⁻² s⁻¹", "peak, km", "ablated share, %", "ionised by impact, %"]
    return markup.table(heads, rows, "wide") + markup.paragraph(
        _spread_words(dataset) + "Rows of elements: what ablates. The masses of all rows above the last add up to what "
        "arrives. Fluxes are per area of the sphere at 100 km; the peak is the middle of the bin."
    )


def _comparison_body(dataset: xr.Dataset) -> str:
    names = [str(one) for one in dataset["species"].values]
    rows: list[list[str | Number]] = []
    for _, row in ablated_observations().iterrows():
        if row["element"] in names:
            rows.append(_comparison_row(dataset.sel(species=row["element"]), row, _known(dataset)))
    if not rows:
        return markup.missing("None of the elements has a published ablated input in the table.", "Add Fe or Na to --elements.")
    heads = ["element", "here, t/d", "published, t/d", "here over published", "published, atoms cm⁻² s⁻¹", "from", "confidence"]
    return markup.table(heads, rows) + markup.paragraph(
        "Ablated amounts found from observations, over the Earth; the ends of the ratio are those of the published value. All "
        "ratios here grow with the mass influx; ratios that differ between elements of one source point to the ablated shares or "
        "to the composition of the bodies."
    )


def _comparison_row(one: xr.Dataset, row: pd.Series, spread: bool) -> list[str | Number]:
    value = float(one["ablated_mass_rate"])
    low, high = row["ablated"] - row["ablated_uncertainty"], row["ablated"] + row["ablated_uncertainty"]
    ratio = markup.number(value / row["ablated"], 2)
    if np.isfinite(low) and low > 0.0:
        ratio += f" ({markup.number(value / high, 2)} to {markup.number(value / low, 2)})"
    given = f"{row['ablated']:g}" + ("" if np.isnan(row["ablated_uncertainty"]) else f" ± {row['ablated_uncertainty']:g}")
    flux = "–"
    if not np.isnan(row["flux"]):
        flux = f"{markup.number(row['flux'])} ± {markup.number(row['flux_uncertainty'])}"
    here = measured(one, "ablated_mass_rate", digits=3) if spread else markup.number(value)
    return [markup.text(row["element"]), Number(here), Number(given), Number(ratio), Number(flux),
            markup.with_links(row["source"]), markup.confidence_mark(row["confidence"])]  # fmt: skip


def _influx_body(dataset: xr.Dataset) -> str:
    if "mass_influx_per_decade" not in dataset or "meteoroid_mass_bounds" not in dataset:
        return markup.missing("The output has no influx by mass.", "Make it anew with siderion sources meteoroids.")
    bounds = dataset["meteoroid_mass_bounds"].transpose("meteoroid_mass", ...).values.astype(float)
    values = dataset["mass_influx_per_decade"].values.astype(float)
    largest = int(np.argmax(values))
    drawn = draw_mass_influx(bounds, values)
    caption = (
        "Mass influx over the Earth per decade of mass, before ablation, in the manner of Figure 2.6 of the review of heavy "
        f"ions. The area is the whole influx, {markup.number(float((values * np.diff(np.log10(bounds), axis=1)[:, 0]).sum()))} t "
        f"a year. Most arrives between {markup.number(bounds[largest, 0], 2)} and {markup.number(bounds[largest, 1], 2)} g."
    )
    return markup.figure([markup.image(to_data_uri(drawn), "Mass influx per decade of mass")], caption)
