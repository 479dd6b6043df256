"""The page for any Siderion data set that is not the output of a polar run."""

from __future__ import annotations

import numpy as np
import xarray as xr

from siderion.core.errors import DataError

from . import markup
from .figures import draw_line, draw_plane, to_data_uri
from .markup import Number, Section
from .record_sections import citation_section, settings_section, sources_of, sources_section

MOST_FIGURES = 16
"""Figures on one page; more would make it too large to send."""


def render_generic_page(dataset: xr.Dataset, missing_for_polar: list[str]) -> str:
    """Render a page that lists all variables and draws the numeric ones.

    Parameters
    ----------
    dataset : xarray.Dataset
        Any data set.
    missing_for_polar : list of str
        What it would need to be shown as a polar run.

    Raises
    ------
    DataError
        It has no variable that can be listed or drawn.
    """
    numeric = [str(name) for name in dataset.data_vars if dataset[name].dtype.kind in "iufb" and dataset[name].size]
    if not numeric:
        raise DataError(
            "nothing to report: the data set has no numeric variable with values, and it is not the output of a "
            f"polar run, which needs {', '.join(missing_for_polar)}; check that the right file was given"
        )
    head = ""
    if "number_density" in dataset:
        head = markup.missing(
            f"This is not a complete output of a polar run: it lacks {', '.join(missing_for_polar)}.",
            "The page lists what there is.",
        )
    sections = [Section("variables", "Variables", _variable_table(dataset)), _figures_section(dataset, numeric)]
    attributes = {str(k): v for k, v in dataset.attrs.items() if k not in ("settings", "sources", "title")}
    if attributes:
        rows = [[f"<code>{markup.text(key)}</code>", markup.with_links(value)] for key, value in attributes.items()]
        sections.append(Section("attributes", "Attributes", markup.table(["attribute", "value"], rows, "pairs")))
    if sources_of(dataset):
        sections.append(sources_section(dataset))
    if dataset.attrs.get("settings"):
        sections.append(settings_section(dataset))
    sections.append(citation_section(dataset))
    title = str(dataset.attrs.get("title") or "Siderion data set")
    return markup.page(title, head, sections, "Made by Siderion.")


def _variable_table(dataset: xr.Dataset) -> str:
    rows: list[list[str | Number]] = []
    for name, array in {**dataset.coords, **dataset.data_vars}.items():
        sizes = " × ".join(f"{dim} {size}" for dim, size in array.sizes.items()) or "one value"
        units = markup.units_html(str(array.attrs.get("units", ""))) or "–"
        meaning = markup.text(array.attrs.get("long_name", "")) or "–"
        rows.append([f"<code>{markup.text(name)}</code>", markup.text(sizes), units, _value_range(array), meaning])
    return markup.table(["variable", "dimensions", "units", "values", "meaning"], rows)


def _value_range(array: xr.DataArray) -> str:
    values = array.values
    if not values.size:
        return "none"
    if values.dtype.kind in "OUST":
        listed = [str(value) for value in values.ravel()[:6]]
        return markup.text(", ".join(listed)) + ("…" if values.size > 6 else "")
    if values.dtype.kind == "M":
        return f"{str(values.min())[:16]} to {str(values.max())[:16]}"
    if values.dtype.kind not in "iufb":
        return "–"
    finite = values[np.isfinite(values)].astype(float)
    bad = values.size - finite.size
    note = f" ({bad} not finite)" if bad else ""
    if not finite.size:
        return f"none{note}"
    lowest, highest = finite.min(), finite.max()
    said = markup.number(lowest) if lowest == highest else f"{markup.number(lowest)} to {markup.number(highest)}"
    return said + note


def _figures_section(dataset: xr.Dataset, numeric: list[str]) -> Section:
    drawable = [name for name in numeric if dataset[name].squeeze().ndim >= 1]
    pieces = [_figure(dataset[name]) for name in drawable[:MOST_FIGURES]]
    if not drawable:
        pieces.append(markup.paragraph("Every variable is a single value; see the table above."))
    if len(drawable) > MOST_FIGURES:
        left = ", ".join(drawable[MOST_FIGURES:])
        pieces.append(markup.missing(f"The page draws {MOST_FIGURES} variables; left out: {left}.", "Select them first."))
    return Section("figures", "Figures", "".join(pieces))


def _figure(array: xr.DataArray) -> str:
    units = array.attrs.get("units", "")
    label = f"{array.name}, {units}" if units and units != "1" else str(array.name)
    array = array.squeeze()
    fixed = [str(dim) for dim in array.dims[:-2]]
    # the middle of a leading dimension says more than its end, where fields are often zero or still settling
    index = {dim: array.sizes[dim] // 2 for dim in fixed}
    shown = array.isel(index)
    drawn = draw_line(shown, label) if shown.ndim == 1 else draw_plane(shown, label)
    caption = markup.text(array.attrs.get("long_name", array.name))
    if fixed:
        where = ", ".join(f"{dim} = {_position(array, dim, index[dim])}" for dim in fixed)
        caption += f", at {markup.text(where)} (the middle of each)."
    return markup.figure([markup.image(to_data_uri(drawn), label)], caption)


def _position(array: xr.DataArray, dim: str, index: int) -> str:
    if dim not in array.coords:
        return str(index)
    value = array.coords[dim].values[index]
    return str(value)[:16] if array.coords[dim].dtype.kind == "M" else str(value)
