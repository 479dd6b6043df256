"""The page of a metal layer: column, centroid and edges over time, as it is or as a lidar or a limb sounder sees it."""

from __future__ import annotations

import numpy as np
import xarray as xr

from siderion.spectrometer.layer import default_limit
from siderion.spectrometer.limb import THIN

from . import markup
from .figures import to_data_uri
from .layer_figures import (
    Line,
    Profile,
    Quantity,
    draw_numbers,
    draw_optical_depth,
    draw_plane_of_time,
    draw_profile_of_layer,
)
from .markup import Number, Section
from .selection import Array, read_json_attribute, species_label
from .source_words import caution, foot, lead, need, record, unbroken

KIND = "siderion layer"
"""Global attribute ``kind`` of the output that this page shows."""
QUANTITIES = {
    "layer_column_density": ("column density", "column density,\nm$^{-2}$", "m<sup>−2</sup>"),
    "layer_centroid_height": ("centroid height", "centroid\nheight, km", "km"),
    "layer_rms_width": ("root mean square width", "rms width,\nkm", "km"),
    "layer_upper_edge": ("upper edge", "upper edge,\nkm", "km"),
    "layer_lower_edge": ("lower edge", "lower edge,\nkm", "km"),
    "layer_largest_density": ("largest density", "", "m<sup>−3</sup>"),
    "layer_peak_height": ("height of the largest density", "", "km"),
}
"""Numbers of a layer: words, label of the axis, units (ready HTML)."""
_NEEDS = (
    "time", "alt", "layer_density", "threshold_m-3", "range_km", "edge", "settings",
    *(f"{name}{end}" for name in QUANTITIES for end in ("", "_lower", "_upper", "_flag")),
)  # fmt: skip
_MOST_ROWS = 500
_DENSITY = r"density, m$^{-3}$"


def is_layer(dataset: xr.Dataset) -> bool:
    """Whether a data set is the output of ``siderion layer``."""
    return dataset.attrs.get("kind") == KIND


def render_layer_page(result: xr.Dataset) -> str:
    """Render a layer as a self-contained HTML page.

    Parameters
    ----------
    result : xarray.Dataset
        From `siderion.spectrometer.layer.describe_layer`, with the attributes of the command.

    Returns
    -------
    str
        HTML without references to the outside.

    Raises
    ------
    DataError
        A variable is missing.
    """
    need(result, _NEEDS, "layer", "siderion layer")
    found = result.transpose("time", "alt", ...)
    sections = [Section("density", "Density", _density(found)), Section("numbers", "Column, centroid and edges", _series(found))]
    if "lidar_counts" in found:
        sections.append(Section("lidar", "What the lidar counts", _lidar(found)))
    if "limb_brightness" in found:
        sections.append(Section("limb", "What the limb sounder sees", _limb(found)))
    sections += [
        Section("summary", "Values and their errors", _summary(found)), Section("times", "Every time", _times(found)),
        *record(result),
    ]  # fmt: skip
    return markup.page(str(result.attrs.get("title", "Layer")), _head(found), sections, foot(result))


def _moving(found: xr.Dataset) -> bool:
    """Whether there is an axis of time to draw on."""
    return found.sizes["time"] > 1 and not bool(np.isnat(found["time"].values).any())


def _with_errors(found: xr.Dataset) -> bool:
    return "layer_density_error" in found or "layer_density_covariance" in found


def _name(found: xr.Dataset) -> str:
    species = read_json_attribute(found, "settings").get("species")
    return markup.text(species_label(species)) if species else "the layer"


def _head(found: xr.Dataset) -> str:
    parts = []
    for name in ("layer_column_density", "layer_centroid_height", "layer_upper_edge"):
        words, _, units = QUANTITIES[name]
        values = found[name].values[np.isfinite(found[name].values)]
        parts.append(f"{words} {_span(name, values)} {units}" if len(values) else f"no {words}: {_why(found, name)}")
    low, high = np.atleast_1d(found.attrs["range_km"])
    named = read_json_attribute(found, "settings").get("species")
    said = f"Layer{f' of {_name(found)}' if named else ''}: {'; '.join(parts)} ({_profiles(found)})."
    facts = [
        ("range of altitude", f"{low:g} to {high:g} km"),
        ("threshold of the edges", f"{markup.number(float(found.attrs['threshold_m-3']), 2)} m<sup>−3</sup>"),
        ("edge", {"nearest": "first crossing away from the peak", "outermost": "last crossing in the range"}.get(
            str(found.attrs["edge"]), markup.text(found.attrs["edge"]))),
        ("errors", "one standard error, to first order" if _with_errors(found) else "none: the densities have no errors"),
    ]  # fmt: skip
    facts += [(key, f"{float(found.attrs[key]):.1f}°") for key in ("lat", "lon") if key in found.attrs]
    return lead(said) + markup.facts(facts) + _thick(found) + caution(found)


def _profiles(found: xr.Dataset) -> str:
    time = found["time"].values
    if not _moving(found):
        return "one profile" + ("" if np.isnat(time[0]) else f", {_moment(time[0])} UT")
    return f"median and range of {len(time)} profiles, {_moment(time[0])} to {_moment(time[-1])} UT"


def _span(name: str, values: Array) -> str:
    def said(value: float) -> str:
        return f"{value:.1f}" if QUANTITIES[name][2] == "km" else markup.number(value, 3)

    if len(values) == 1 or np.ptp(values) == 0.0:
        return said(float(values[0]))
    return f"{said(float(np.median(values)))} ({said(float(values.min()))} to {said(float(values.max()))})"


def _meanings(found: xr.Dataset, name: str) -> dict[int, str]:
    flags = found[f"{name}_flag"]
    words = str(flags.attrs.get("flag_meanings", "")).replace("_", " ")
    listed = [one.replace("_", " ") for one in str(flags.attrs.get("flag_meanings", "")).split()]
    values = np.atleast_1d(flags.attrs.get("flag_values", [])).tolist()
    return {int(value): meaning for value, meaning in zip(values, listed, strict=False)} if words else {}


def _why(found: xr.Dataset, name: str) -> str:
    meanings = _meanings(found, name)
    flags = np.unique(found[f"{name}_flag"].values)
    return markup.text(", ".join(meanings.get(int(flag), f"flag {flag}") for flag in flags if flag))


def _thick(found: xr.Dataset) -> str:
    """A note where the line of a limb sounder is not thin, or that it is not known."""
    if "limb_brightness" not in found:
        return ""
    if "limb_optical_depth" not in found:
        return ('<p class="caution"><strong>Caution.</strong> It is not known whether the line is optically thin: no line of the '
                "species is in the table. The results hold only if it is.</p>")  # fmt: skip
    depth = found["limb_optical_depth"]
    if not float(depth.max()) > THIN:
        return ""
    alt = found["alt"].values[(depth.values > THIN).any(axis=0)]
    return (
        f'<p class="caution"><strong>Caution.</strong> The line {markup.text(found.attrs.get("line", ""))} is not optically '
        f"thin: its depth along the line of sight is up to {float(depth.max()):.2g}, above {THIN:g} at tangent altitudes of "
        f"{alt.min():g} to {alt.max():g} km. Brightness and density are those of a thin line and do not hold there.</p>"
    )


def _density(found: xr.Dataset) -> str:
    body, time, alt = "", found["time"].values, found["alt"].values
    threshold = float(found.attrs["threshold_m-3"])
    if _moving(found):
        lines = [
            Line("upper edge", found["layer_upper_edge"].values, "#56B4E9", "--"),
            Line("centroid", found["layer_centroid_height"].values, "white"),
            Line("lower edge", found["layer_lower_edge"].values, "#E69F00", "--"),
        ]
        drawn = draw_plane_of_time(time, alt, found["layer_density"].values, _DENSITY, lines=lines, threshold=threshold)
        caption = (
            f"Density of {_name(found)} against time and altitude, logarithmic; densities below the scale have its lowest "
            "colour. Lines: centroid and the edges that were found; dotted: all places where the density is the threshold."
        )
        body += markup.figure([markup.image(to_data_uri(drawn), "Density against time and altitude")], caption, wide=True)
    k = _example(found)
    density = found["layer_density"].values[k]
    error = found["layer_density_error"].values[k] if "layer_density_error" in found else None
    truth = found["layer_density_true"].values[k] if "layer_density_true" in found else None
    heights = {QUANTITIES[name][0]: float(found[name][k]) for name in (
        "layer_upper_edge", "layer_centroid_height", "layer_lower_edge")}  # fmt: skip
    title = "" if np.isnat(time[k]) else f"{_moment(time[k])} UT"
    if not np.isfinite(density).any():
        return body + markup.missing("No profile has a density.", "Look at the flags below; a lidar measures in the dark only.")
    drawn = draw_profile_of_layer(Profile(alt, density, error, truth, threshold, heights), title)
    which = "The profile of the middle of the times with a column" if _moving(found) else "The profile"
    bars = "; bars: one standard error" if error is not None else ""
    caption = f"{which}, density on a logarithmic axis{bars}. Points below zero, from noise, are not on it."
    return body + markup.figure([markup.image(to_data_uri(drawn), "Density profile with the heights found")], caption)


def _example(found: xr.Dataset) -> int:
    good = np.flatnonzero(np.isfinite(found["layer_column_density"].values))
    return int(good[len(good) // 2]) if len(good) else 0


def _series(found: xr.Dataset) -> str:
    if not _moving(found):
        return markup.paragraph("There is one profile; its numbers are in the table below.")
    quantities = [
        Quantity(label, found[name].values, found[f"{name}_lower"].values, found[f"{name}_upper"].values,
                 found[f"{name}_flag"].values.astype(np.int64), _meanings(found, name))
        for name, (_, label, _) in QUANTITIES.items() if label
    ]  # fmt: skip
    drawn = draw_numbers(found["time"].values, quantities)
    errors = (
        "Bars or band: one standard error, from those of the densities."
        if _with_errors(found)
        else "No errors: the densities have none."
    )
    caption = (
        f"Numbers of the layer against time. {errors} Ticks at the bottom of a panel: times with a flag, which have no value or "
        "one that is worth less."
    )
    return markup.figure([markup.image(to_data_uri(drawn), "Column, centroid, width and edges against time")], caption, wide=True)


def _lidar(found: xr.Dataset) -> str:
    counts, night = found["lidar_counts"].values, found["lidar_night"].values.astype(bool)
    said = markup.paragraph(
        f"{int(night.sum())} of {len(night)} times are dark enough; the others have no data. Photons are drawn from the Poisson "
        f"distribution; most counts of a bin: {np.nanmax(counts):.0f}." if night.any()
        else "No time is dark enough, so there are no data."
    )  # fmt: skip
    if not (_moving(found) and night.any()):
        return said
    drawn = draw_plane_of_time(found["time"].values, found["alt"].values, counts, "photon counts of a bin")
    caption = "Simulated photon counts of each bin, background included. Grey: daylight."
    return said + markup.figure([markup.image(to_data_uri(drawn), "Photon counts against time and altitude")], caption, wide=True)


def _limb(found: xr.Dataset) -> str:
    settings, body = read_json_attribute(found, "settings"), ""
    alt, brightness = found["alt"].values, found["limb_brightness"].values
    said = markup.paragraph(
        f"Brightness of up to {markup.number(float(brightness.max()), 3)} R, with a standard error of {settings.get('noise')} R; "
        f"g = {settings.get('g')} s<sup>−1</sup>; field of view {settings.get('field_of_view')} km."
    )
    if _moving(found):
        drawn = draw_plane_of_time(found["time"].values, alt, brightness, "brightness, R", logarithmic=False,
                                   height="tangent altitude, km")  # fmt: skip
        caption = "Simulated brightness of the limb, with noise, in rayleigh (R); thin line."
        body += markup.figure([markup.image(to_data_uri(drawn), "Brightness against time and altitude")], caption, wide=True)
    if "limb_optical_depth" in found:
        depth = found["limb_optical_depth"].values
        drawn = draw_optical_depth(alt, np.median(depth, axis=0), depth.max(axis=0), THIN)
        section = markup.number(float(found.attrs["line_cross_section_m2"]), 2)
        caption = (
            f"Optical depth at the centre of the line {markup.text(found.attrs['line'])}, cross section {section} m<sup>2</sup> "
            f"(at {default_limit('line_temperature'):g} K, a temperature that is not verified; hyperfine structure as in the "
            f"table of lines). Thin: at most {THIN:g}, where the brightness is wrong by at most 5 %."
        )
        body += markup.figure([markup.image(to_data_uri(drawn), "Optical depth against tangent altitude")], caption)
    return said + body


def _summary(found: xr.Dataset) -> str:
    rows: list[list[str | Number]] = []
    for name, (words, _, units) in QUANTITIES.items():
        values, upper = found[name].values, found[f"{name}_upper"].values
        good = np.isfinite(values)
        errors = (upper - values)[good & np.isfinite(upper)]
        error = float(np.median(errors)) if len(errors) else 0.0
        flags = found[f"{name}_flag"].values
        meanings = _meanings(found, name)
        bad = np.unique(flags[flags != 0])
        listed = [f"{meanings.get(int(flag), f'flag {flag}')}: {int((flags == flag).sum())}" for flag in bad]
        digits = (lambda value: f"{value:.2f}") if units == "km" else (lambda value: markup.number(value, 3))
        ends = [digits(float(pick(values[good]))) if good.any() else "–" for pick in (np.median, np.min, np.max)]
        rows.append([f"{words}, {units}", *map(Number, ends), Number(digits(error) if error > 0.0 else "–"),
                     Number(str(int(good.sum()))), markup.text("; ".join(listed)) or "–"])  # fmt: skip
    heads = ["quantity", "median", "smallest", "largest", "median error", "values", "flags and their times"]
    return markup.table(heads, rows, kind="wide")


def _times(found: xr.Dataset) -> str:
    columns = [_cells(found, name) for name in QUANTITIES]
    shown = found["time"].values[:_MOST_ROWS]
    rows: list[list[str | Number]] = [
        [unbroken("–" if np.isnat(time) else _moment(time)), *(Number(column[k]) for column in columns)]
        for k, time in enumerate(shown)
    ]
    heads = ["time (UT)", "column, m⁻²", "centroid, km", "width, km", "upper edge, km", "lower edge, km", "peak, m⁻³",
             "its height, km"]  # fmt: skip
    count = found.sizes["time"]
    named = f"{count} profiles" if count == len(shown) else f"the first {len(shown)} of {count} profiles; the file has all"
    return f"<details><summary>{named}</summary>" + markup.table(heads, rows, kind="wide") + "</details>"


def _cells(found: xr.Dataset, name: str) -> list[str]:
    """Values with their errors, or flags, of the first times."""
    values, uppers, flags = (found[f"{name}{end}"].values[:_MOST_ROWS] for end in ("", "_upper", "_flag"))
    cells = []
    for value, upper, flag in zip(values.tolist(), uppers.tolist(), flags.tolist(), strict=True):
        if not np.isfinite(value):
            cells.append(f"flag {int(flag)}")
            continue
        if not np.isfinite(upper):
            shown = f"{value:.2f}" if QUANTITIES[name][2] == "km" else markup.number(value, 3)
            cells.append(f"{shown} (flag {int(flag)})")
            continue
        error = upper - value if upper > value else 0.0
        if QUANTITIES[name][2] == "km":
            cells.append(f"{value:.2f}" + (f" ± {error:.2f}" if error else ""))
        else:
            cells.append(markup.number(value, 3) + (f" ± {markup.number(error, 2)}" if error else ""))
    return cells


def _moment(time: np.datetime64) -> str:
    return str(np.datetime_as_string(time, unit="m")).replace("T", " ")
