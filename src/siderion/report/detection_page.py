"""The page of a map of detections: occurrence by magnetic latitude and local time, with the passes behind it."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import binom

from siderion.core.errors import DataError
from siderion.geospace.detection_map import binomial_interval

from . import markup
from .detection_figures import Grid, MapRow, draw_detection_maps
from .figures import to_data_uri
from .markup import Number, Section
from .selection import Array, read_json_attribute
from .source_words import caution, foot, lead, need, record

KIND = "siderion detection map"
"""Global attribute ``kind`` of the output that this page shows."""
_NEEDS = (
    "passes", "detections", "occurrence_rate", "occurrence_rate_lower", "occurrence_rate_upper", "magnetic_latitude",
    "magnetic_local_time", "altitude_class", "rate_class", "settings",
)  # fmt: skip
_MOST_BINS = 12
_SEVERAL = 10
"""Passes of a bin that counts for the top of the colours."""


def is_detection_map(dataset: xr.Dataset) -> bool:
    """Whether a data set is a map of detections."""
    return dataset.attrs.get("kind") == KIND


def render_detection_page(result: xr.Dataset) -> str:
    """Render a map of detections as a self-contained HTML page.

    Parameters
    ----------
    result : xarray.Dataset
        From `siderion.geospace.detection_map.detection_map`.

    Returns
    -------
    str
        HTML without references to the outside.

    Raises
    ------
    DataError
        A variable is missing, or no pass is counted.
    """
    need(result, _NEEDS, "map of detections", "siderion.geospace.detection_map.detection_map")
    if int(result["passes"].sum()) == 0:
        raise DataError("map of detections: no bin has a pass, so there is nothing to show; check the edges of the bins")
    sections = [
        Section("maps", "Maps", _maps(result)), Section("classes", "All bins together", _classes(result)),
        Section("bins", "Bins that stand out", _bins(result)), *record(result),
    ]  # fmt: skip
    title = str(result.attrs.get("title", "Map of detections"))
    return markup.page(title, _head(result), sections, foot(result))


def _edges(result: xr.Dataset, name: str, coordinate: str) -> Array:
    """Edges of the bins as the settings have them, else around the middles."""
    kept = (read_json_attribute(result, "settings").get("edges") or {}).get(name)
    if kept is not None:
        return np.array(kept, dtype=float)
    middle = result[coordinate].values
    half = 0.5 * np.diff(middle)
    return np.concatenate([[middle[0] - half[0]], middle[:-1] + half, [middle[-1] + half[-1]]])


def _head(result: xr.Dataset) -> str:
    passes, found = int(result["passes"].sum()), int(result["detections"].sum())
    low, high, limit = (float(one) for one in binomial_interval(found, passes))
    share = f"{_percent(found / passes)} ({_percent(low)} to {_percent(high)})" if found else f"below {_percent(limit)} (95 %)"
    said = f"{found} of {passes} passes through a bin have a detection: {share}."
    if found:
        best = _ordered(result)[0]
        said += (
            f" The bin that stands out most from its class ({best['altitude']}, {best['rate']}) is at magnetic latitude "
            f"{best['latitude']}, {best['time']} MLT: {best['number']} of {best['passes']} passes."
        )
    outside = read_json_attribute(result, "settings").get("rows_outside_bins")
    more = f" {outside} rows of the table lie outside of the bins." if outside else ""
    note = markup.paragraph(
        "One pass through a bin is one trial, with its largest count rate; the classes of rate do not overlap. Intervals are the "
        f"exact central 68 % of the binomial distribution, for each bin on its own.{more}"
    )
    return lead(said) + note + caution(result)


def _percent(value: float) -> str:
    return f"{markup.number(100.0 * value, 2)} %"


def _maps(result: xr.Dataset) -> str:
    body = ""
    edges, hours = _edges(result, "latitude", "magnetic_latitude"), _edges(result, "local_time", "magnetic_local_time")
    highest = _highest(result)
    for words, sign in (("North", 1.0), ("South", -1.0)):
        rows = np.flatnonzero((sign * edges[1:] >= 0.0) & (sign * edges[:-1] >= 0.0))
        exposure = result["passes"].transpose("altitude_class", "magnetic_latitude", "magnetic_local_time").values[:, rows]
        if not exposure.sum():
            continue
        ends = np.abs(np.append(edges[rows], edges[rows[-1] + 1]))
        part = result.isel(magnetic_latitude=rows)
        body += _figure(part, exposure, Grid(ends, hours, _lowest(part, exposure, ends)), words, highest)
    return body


def _lowest(part: xr.Dataset, exposure: Array, ends: Array) -> float:
    """Lowest latitude of a map: 10 degrees or more below the detections, or below the passes where nothing is seen."""
    found = part["detections"].transpose("magnetic_latitude", ...).values.reshape(part.sizes["magnetic_latitude"], -1).any(axis=1)
    rows = found if found.any() else (exposure > 0).any(axis=(0, 2))
    inner = np.minimum(ends[1:], ends[:-1])[rows].min()
    return float(np.clip(10.0 * np.floor((inner - 5.0) / 10.0), 0.0, 60.0))


def _highest(result: xr.Dataset) -> float:
    """Top of the colours: the largest occurrence among bins of several passes, which those of few could hide."""
    exposure = result["passes"]
    share = (result["detections"] / exposure.where(exposure > 0)).fillna(0.0)
    sure = share.where(exposure >= _SEVERAL, 0.0)
    return float(sure.max()) or float(share.max())


def _figure(part: xr.Dataset, exposure: Array, grid: Grid, words: str, highest: float) -> str:
    heights = [str(name) for name in part["altitude_class"].values]
    detections = part["detections"].transpose("rate_class", "altitude_class", "magnetic_latitude", "magnetic_local_time").values
    rates = [str(name) for name in part["rate_class"].values]
    rows = []
    for k in reversed(range(len(rates))):
        share = np.where(exposure > 0, detections[k] / np.maximum(exposure, 1), np.nan)
        rows.append(MapRow({_title(height, rates[k]): share[j] for j, height in enumerate(heights)}))
    rows.append(MapRow({f"{height}: passes": np.where(exposure[j] > 0, exposure[j], np.nan).astype(float)
                        for j, height in enumerate(heights)}, exposure=True))  # fmt: skip
    drawn = draw_detection_maps(rows, grid, highest)
    caption = (
        f"{words}: occurrence of detections by magnetic latitude and local time (MLT, h), noon up, dawn (06) to the right, down "
        f"to {grid.lowest:g}° magnetic latitude; from the top the classes of peak count rate, then the passes. "
        + ("Both hemispheres are drawn with the same orientation. " if words == "South" else "")
        + f"The colours end at the largest occurrence among bins of {_SEVERAL} passes or more; bins of few passes are uncertain."
    )
    return markup.figure([markup.image(to_data_uri(drawn), f"{words}: occurrence by magnetic latitude and local time")], caption)


def _title(height: str, rate: str) -> str:
    return f"{height}, {rate.replace(' s-1', '')} s$^{{-1}}$"


def _classes(result: xr.Dataset) -> str:
    rows: list[list[str | Number]] = []
    for height in result["altitude_class"].values:
        passes = int(result["passes"].sel(altitude_class=height).sum())
        for rate in result["rate_class"].values:
            number = int(result["detections"].sel(altitude_class=height, rate_class=rate).sum())
            rows.append([
                markup.text(height), markup.units_html(str(rate)), Number(str(number)), Number(str(passes)),
                Number(_share(number, passes)),
            ])  # fmt: skip
    return markup.table(["altitude", "peak count rate", "detections", "passes", "occurrence (68 %)"], rows, kind="pairs")


def _share(number: int, passes: int) -> str:
    if not passes:
        return "–"
    low, high, limit = (float(one) for one in binomial_interval(number, passes))
    if not number:
        return f"&lt; {_percent(limit)} (95 %)"
    return f"{_percent(number / passes)} ({_percent(low)} to {_percent(high)})"


def _ordered(result: xr.Dataset) -> list[dict[str, Any]]:
    """Bins that stand out most: by the chance to have so many detections at the mean occurrence of their class."""
    dims = ("altitude_class", "rate_class", "magnetic_latitude", "magnetic_local_time")
    detections, exposure = result["detections"].transpose(*dims).values, result["passes"].transpose(dims[0], *dims[2:]).values
    edges, hours = _edges(result, "latitude", "magnetic_latitude"), _edges(result, "local_time", "magnetic_local_time")
    mean = detections.sum(axis=(2, 3)) / np.maximum(exposure.sum(axis=(1, 2)), 1)[:, None]
    found: list[dict[str, Any]] = []
    for a, r, i, j in np.argwhere(detections > 0):
        number, passes = int(detections[a, r, i, j]), int(exposure[a, i, j])
        found.append({
            "altitude": markup.text(result["altitude_class"].values[a]),
            "rate": markup.units_html(str(result["rate_class"].values[r])),
            "latitude": f"{edges[i]:g} to {edges[i + 1]:g}°".replace("-", "\N{MINUS SIGN}"),
            "time": f"{hours[j]:g} to {hours[j + 1]:g} h", "number": number, "passes": passes,
            "chance": float(binom.sf(number - 1, passes, mean[a, r])),
        })  # fmt: skip
    return sorted(found, key=lambda one: one["chance"])[:_MOST_BINS]


def _bins(result: xr.Dataset) -> str:
    found = _ordered(result)
    if not found:
        return markup.paragraph("Nothing was detected in any bin.")
    rows: list[list[str | Number]] = [
        [one["altitude"], one["rate"], Number(one["latitude"]), Number(one["time"]), Number(str(one["number"])),
         Number(str(one["passes"])), Number(_share(one["number"], one["passes"])), Number(markup.number(one["chance"], 2))]
        for one in found
    ]  # fmt: skip
    heads = ["altitude", "peak count rate", "magnetic latitude", "MLT", "detections", "passes", "occurrence (68 %)", "chance"]
    note = markup.paragraph(
        "Chance: probability of so many detections or more at the mean occurrence of the class. Bins are chosen here for being "
        f"the highest of {int((result['passes'] > 0).sum()) * result.sizes['rate_class']}, so chances of about one over that "
        "number say nothing."
    )
    return note + markup.table(heads, rows, kind="wide")
