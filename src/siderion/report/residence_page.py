"""Pages of where a spacecraft is: time in each region, probability of the regions, wake of lunar ions."""

from __future__ import annotations

import numpy as np
import xarray as xr

from . import markup
from .figures import to_data_uri
from .markup import Number, Section
from .residence_figures import draw_probability, draw_residence, draw_wake
from .selection import species_label
from .source_words import caution, foot, lead, need, record

RESIDENCE, PROBABILITY, WAKE = "siderion residence time", "siderion region probability", "siderion ion wake"
"""Global attribute ``kind`` of the data sets that these pages show."""
_LEAST = 1e-3
_PLACES = {"wake_along": "along the drift", "wake_height": "along the electric field",
           "wake_along_field": "along the magnetic field"}  # fmt: skip


def is_residence(dataset: xr.Dataset) -> bool:
    """Whether a data set is the time of an orbit in each region."""
    return dataset.attrs.get("kind") == RESIDENCE


def is_region_probability(dataset: xr.Dataset) -> bool:
    """Whether a data set is the probability of regions at times."""
    return dataset.attrs.get("kind") == PROBABILITY


def is_ion_wake(dataset: xr.Dataset) -> bool:
    """Whether a data set tells when a spacecraft is in the wake of lunar ions."""
    return dataset.attrs.get("kind") == WAKE


def render_residence_page(result: xr.Dataset) -> str:
    """Render the time of an orbit in each region as a self-contained HTML page.

    Parameters
    ----------
    result : xarray.Dataset
        From `siderion.geospace.residence.residence_time`.

    Raises
    ------
    DataError
        A variable is missing.
    """
    wanted = ("residence_hours", "residence_fraction", "hours_in_bin", "region", "settings")
    need(result, wanted, "time in regions", "siderion.geospace.residence.residence_time")
    hours = result["residence_hours"].sum("year_bin")
    total = float(result["hours_in_bin"].sum())
    names = [str(name) for name in result["region"].values]
    order = np.argsort(-hours.values)
    first = ", ".join(f"{names[k]} {100 * float(hours[k]) / total:.1f} %" for k in order[:3])
    said = f"Of {total:.0f} h followed, most are spent in: {markup.text(first)}."
    sections = [
        Section("seasons", "Shares by season", _residence_figure(result, names)),
        Section("regions", "Every region", _residence_table(result, names, total)), *record(result),
    ]  # fmt: skip
    note = markup.paragraph(
        "Expected times: each moment counts for the regions with their probability, from the spread of the solar wind and of the "
        "models. The regions do not overlap; the wake of lunar ions overlaps them."
    )
    title = str(result.attrs.get("title", "Time in each region"))
    return markup.page(title, lead(said) + note + caution(result), sections, foot(result))


def _residence_figure(result: xr.Dataset, names: list[str]) -> str:
    shares = result["residence_fraction"].transpose("region", "year_bin").values
    seen = [k for k in range(len(names)) if (np.nan_to_num(shares[k]) >= _LEAST).any()]
    drawn = draw_residence([names[k] for k in seen], shares[seen])
    empty = int((~np.isfinite(shares)).all(axis=0).sum())
    caption = "Share of the time in each region by part of the calendar year." + (
        f" {empty} parts without a bar have no time of the orbit." if empty else "")  # fmt: skip
    left = [name for k, name in enumerate(names) if k not in seen]
    caption += f" Below {100 * _LEAST:g} % in every part and left out: {', '.join(left)}." if left else ""
    return markup.figure([markup.image(to_data_uri(drawn), "Share of the time in each region")], caption, wide=True)


def _residence_table(result: xr.Dataset, names: list[str], total: float) -> str:
    ions = [str(name) for name in result["species"].values] if "wake_hours" in result else []
    rows: list[list[str | Number]] = []
    for name in names:
        hours = result["residence_hours"].sel(region=name)
        share = 100.0 * result["residence_fraction"].sel(region=name).values
        ends = f"{np.nanmin(share):.1f} to {np.nanmax(share):.1f}" if np.isfinite(share).any() else "–"
        row: list[str | Number] = [markup.text(name), Number(f"{float(hours.sum()):.1f}"),
                                   Number(f"{100.0 * float(hours.sum()) / total:.2f}"), Number(ends)]  # fmt: skip
        row += [Number(f"{float(result['wake_hours'].sel(region=name, species=ion).sum()):.1f}") for ion in ions]
        rows.append(row)
    sums: list[str | Number] = ["<strong>all</strong>", Number(f"{total:.1f}"), Number("100"), ""]
    sums += [Number(f"{float(result['wake_hours'].sel(species=ion).sum()):.1f}") for ion in ions]
    heads = ["region", "hours", "share, %", "by season, %", *(f"hours in the {species_label(ion)} wake" for ion in ions)]
    return markup.table(heads, [*rows, sums], kind="wide")


def render_region_page(result: xr.Dataset) -> str:
    """Render the probability of regions at times as a self-contained HTML page.

    Parameters
    ----------
    result : xarray.Dataset
        From `siderion.geospace.region_probability.region_probability`.

    Raises
    ------
    DataError
        A variable is missing.
    """
    wanted = ("region_probability", "time", "region", "settings")
    need(result, wanted, "probability of regions", "siderion.geospace.region_probability.region_probability")
    names = [str(name) for name in result["region"].values]
    values = result["region_probability"].transpose("time", "region").values
    mean, likeliest = values.mean(axis=0), values.argmax(axis=1)
    unsure = int((values.max(axis=1) < 0.9).sum())
    parts = "; ".join(f"{name} {100 * mean[k]:.0f} %" for k, name in enumerate(names))
    said = f"Mean probability over {len(values)} times: {markup.text(parts)}. At {unsure} times no region has 90 % or more."
    drawn = draw_probability(result["time"].values, names, values)
    caption = "Probability of the regions, stacked, from the uncertainty of the solar wind, of crossings and between models."
    picture = markup.figure([markup.image(to_data_uri(drawn), "Probability of regions")], caption, True)
    rows: list[list[str | Number]] = [
        [markup.text(name), Number(f"{100 * mean[k]:.1f}"), Number(str(int((likeliest == k).sum()))),
         Number(str(int((values[:, k] >= 0.9).sum())))]
        for k, name in enumerate(names)
    ]  # fmt: skip
    heads = ["region", "mean probability, %", "times at which it is likeliest", "times with 90 % or more"]
    sections = [
        Section("time", "Against time", picture),
        Section("regions", "Every region", markup.table(heads, rows, kind="pairs")), *record(result),
    ]  # fmt: skip
    title = str(result.attrs.get("title", "Region with its probability"))
    return markup.page(title, lead(said) + caution(result), sections, foot(result))


def render_ion_wake_page(result: xr.Dataset) -> str:
    """Render when a spacecraft is in the wake of lunar ions as a self-contained HTML page.

    Parameters
    ----------
    result : xarray.Dataset
        From `siderion.geospace.ion_wake.ion_wake`.

    Raises
    ------
    DataError
        A variable is missing.
    """
    wanted = ("inside_ion_wake", "pickup_gyroradius", "time", "species", "settings", *_PLACES)
    need(result, wanted, "wake of lunar ions", "siderion.geospace.ion_wake.ion_wake")
    inside = {str(name): result["inside_ion_wake"].sel(species=name).values.astype(bool) for name in result["species"].values}
    count = result.sizes["time"]
    said = "Inside the wake: " + ", ".join(
        f"{markup.text(species_label(name))} at {int(flags.sum())}" for name, flags in inside.items()
    )
    places = {words: result[name].values for name, words in _PLACES.items()}
    drawn = draw_wake(result["time"].values, places, inside)
    caption = (
        "Upper: the spacecraft from the Moon, in Earth radii, along the axes of the wake of the first ion (drift, motional "
        "electric field, magnetic field). Lower: when it is inside the wake of each ion."
    )
    rows: list[list[str | Number]] = [
        [markup.text(species_label(name)), Number(str(int(flags.sum()))), Number(f"{100.0 * flags.mean():.1f}"),
         Number(f"{float(result['pickup_gyroradius'].sel(species=name).median()):.0f}")]
        for name, flags in inside.items()
    ]  # fmt: skip
    heads = ["ion", "times inside", "share, %", "gyroradius (median), km"]
    sections = [
        Section("time", "Against time", markup.figure([markup.image(to_data_uri(drawn), "Wake against time")], caption, True)),
        Section("ions", "Every ion", markup.table(heads, rows, kind="pairs")), *record(result),
    ]  # fmt: skip
    title = str(result.attrs.get("title", "Wake of lunar ions"))
    return markup.page(title, lead(f"{said} of {count} times.") + caution(result), sections, foot(result))
