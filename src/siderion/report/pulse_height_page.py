"""The page of pulse-height events: mass and mass per charge, the peak near 30, counts by the place of the Moon and Kp."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from siderion.core.tables import load_table
from siderion.spectrometer.counting.ratio_tests import conditional_p_value, ratio_interval
from siderion.spectrometer.pulse_height.events import window_table
from siderion.spectrometer.pulse_height.result import poisson_ends

from . import markup
from .figures import to_data_uri
from .markup import Number, Section
from .pulse_height_figures import NEW_MOON, Ends, draw_near_30, draw_scatter, draw_sectors
from .selection import Array, read_json_attribute
from .source_words import caution, foot, lead, measured, need, record, unbroken

KIND = "siderion pulse height"
"""Global attribute ``kind`` of the output that this page shows."""
_ENDS = ("", "_lower", "_upper", "_upper_limit")
_NEEDS = (
    "counts", "mass_per_charge_counts", "window_counts", "exposure", *(f"region_average{end}" for end in _ENDS), "mass_bin",
    "mass_bin_end", "mass_per_charge_bin", "mass_per_charge_bin_end", "fine_mass_per_charge_bin",
    "fine_mass_per_charge_bin_end", "window", "region", "lunar_sector", "kp_class", "totals", "kp_classes", "settings",
)  # fmt: skip
_HOURS = 3.0
_ZOOM = (22.0, 36.0)
_SHOWN = ("O+", "mass-30 group", "heavy with m above 20")
_TESTED = ("mass-30 group", "Al+ Si+ side", "NO+ O2+ side", "heavy with m above 20")
_MAIN = "mass-30 group"
_LIMIT = 0.95


def is_pulse_height(dataset: xr.Dataset) -> bool:
    """Whether a data set holds the counts of ``siderion pha`` (a table of events has no page of its own)."""
    return dataset.attrs.get("kind") == KIND and "event" not in dataset.dims


def render_pulse_height_page(counts: xr.Dataset) -> str:
    """Render counts of pulse-height events as a self-contained HTML page.

    Parameters
    ----------
    counts : xarray.Dataset
        From `siderion.spectrometer.pulse_height.years.count_files`.

    Returns
    -------
    str
        HTML without references to the outside.

    Raises
    ------
    DataError
        A variable is missing.
    """
    need(counts, _NEEDS, "pulse-height events", "siderion pha")
    sections = [
        Section("scatter", "Mass against mass per charge", _scatter(counts)),
        Section("near30", "Mass per charge near 30", _near_30(counts)),
        Section("moon", "Counts by the place of the Moon and Kp", _sectors(counts)),
        Section("newmoon", "New Moon beside the rest", _new_moon(counts)),
        Section("windows", "Windows and counts", _windows(counts)),
        Section("exposure", "Observed time", _exposure(counts)),
        *record(counts),
    ]
    return markup.page(str(counts.attrs.get("title", "Pulse-height events")), _head(counts), sections, foot(counts))


def _regions(counts: xr.Dataset) -> list[str]:
    """Regions that were observed."""
    hours = counts["exposure"].sum(("lunar_sector", "kp_class"))
    return [str(name) for name in counts["region"].values if float(hours.sel(region=name)) > 0.0]


def _words(name: str) -> str:
    return "region unknown" if name == "unknown" else name.replace("_", " ")


def _stamp(counts: xr.Dataset) -> str:
    return "synthetic, no measurement" if _synthetic(counts) else ""


def _synthetic(counts: xr.Dataset) -> list[str]:
    return list(read_json_attribute(counts, "synthetic_files") or [])


def _head(counts: xr.Dataset) -> str:
    totals = json.loads(counts.attrs["totals"])
    regions = _regions(counts)
    hours = _HOURS * float(counts["exposure"].sum())
    rates = [f"{measured(counts.sel(window=_MAIN, region=name), 'region_average')} ({markup.text(_words(name))})"
             for name in regions] if _MAIN in counts["window"].values else []  # fmt: skip
    said = (
        f"{markup.number(int(totals['events']))} events in {hours:,.0f} h of observed time: {int(totals['triple'])} triple and "
        f"{int(totals['double'])} double coincidences."
    )
    if rates:
        said += f" Ions around m/q 30, counts in three hours (16 to 84 %): {'; '.join(rates)}."
    pairs = [
        ("files read", str(_files_read(counts))),
        ("without mass per charge", str(totals["none"])),
        ("triples outside of the scatter", str(totals["scatter_outside"])),
        ("lines left out", str(totals["left_out"])),
        ("cells of time", f"{float(counts.attrs.get('cell_seconds', np.nan)):g} s"),
        ("classes of Kp", markup.text(counts.attrs["kp_classes"])),
    ]
    return _warning(counts) + lead(said) + markup.facts(pairs) + _not_read(counts) + caution(counts)


def _files_read(counts: xr.Dataset) -> int:
    return len(read_json_attribute(counts, "settings").get("files", [])) - len(read_json_attribute(counts, "not_read") or {})


def _warning(counts: xr.Dataset) -> str:
    """The loud note on made-up events; empty for measurements."""
    found = _synthetic(counts)
    if not found:
        return ""
    number, read = len(found), _files_read(counts)
    which = "All events were" if number == read else f"{number} of {read} files were"
    return (
        f'<p class="caution"><strong>Synthetic events: this is no measurement.</strong> {which} made up by <code>siderion pha '
        "sample</code> from a known mixture, to show and test what the command does. Nothing about the Earth, the Moon or the "
        "instrument follows from them; they do not depend on region, Moon or Kp.</p>"
    )


def _not_read(counts: xr.Dataset) -> str:
    problems = read_json_attribute(counts, "not_read") or {}
    if not problems:
        return ""
    return markup.missing(f"{len(problems)} files could not be read and do not count: {'; '.join(problems.values())}.", "")


def _edges(counts: xr.Dataset, name: str) -> Array:
    return np.append(counts[name].values, counts[f"{name}_end"].values[-1])


def _scatter(counts: xr.Dataset) -> str:
    whole = counts["counts"].sum(("lunar_sector", "kp_class")).transpose("region", "mass_bin", "mass_per_charge_bin")
    shown = {_words(name): whole.sel(region=name).values for name in _regions(counts)}
    if not shown:
        return markup.missing("No time was observed.", "Give files with events.")
    drawn = draw_scatter(_edges(counts, "mass_bin"), _edges(counts, "mass_per_charge_bin"), shown, _stamp(counts))
    energy = float(read_json_attribute(counts, "settings").get("energy_min", 0.0)) / 1e3
    caption = (
        "Triple coincidences (time of flight and energy) by mass and mass per charge, as Figure 2.1 of the review of Yamauchi et "
        "al.; one scale of colours for all panels, white: none. Dotted: equal charge, from 1 to 10 elementary charges. Rings: "
        "where ions belong. Singly charged ions lie on the lowest line, highly charged ions of the Sun on its left. Ions that "
        "lose energy in the foil and detector beyond what is corrected lie below their ring."
        + (f" Energies from {energy:g} keV per charge." if energy else "")
    )
    return markup.figure([markup.image(to_data_uri(drawn), "Mass against mass per charge, by region")], caption, wide=True)


def _near_30(counts: xr.Dataset) -> str:
    whole = counts["mass_per_charge_counts"].sum(("lunar_sector", "kp_class", "coincidence"))
    edges = _edges(counts, "fine_mass_per_charge_bin")
    shown = {_words(name): whole.sel(region=name).values for name in _regions(counts)}
    inside = (edges[:-1] >= _ZOOM[0]) & (edges[1:] <= _ZOOM[1])
    totals = {name: int(row[inside].sum()) for name, row in shown.items()}
    if not any(totals.values()):
        return markup.missing(f"No event lies from {_ZOOM[0]:g} to {_ZOOM[1]:g} u/e.", "")
    ends = {name: _shape(row, totals[name], np.diff(edges)) for name, row in shown.items() if totals[name]}
    drawn = draw_near_30(edges, {name: shown[name] for name in ends}, ends, _ZOOM, _stamp(counts))
    numbers = ", ".join(f"{markup.text(name)} {totals[name]}" for name in ends)
    caption = (
        "Events by mass per charge, double and triple coincidences together, as Figure 2.10 of the review. Above: counts. Below: "
        f"the peak near 30, each region scaled to its own number of events in the panel ({numbers}); marks: values with exact "
        "Poisson ends (16 and 84 %), shifted a little sideways so that they do not cover each other; bins without an event have "
        "no mark. Dashed and dash-dotted: mass per charge of the ions. Ions of the ionosphere lie near 28 to 32, of the Moon "
        "near 27 and 28; N₂⁺ and Si⁺ are 0.03 u apart and cannot be told apart here."
    )
    return markup.figure([markup.image(to_data_uri(drawn), "Mass per charge near 30, by region")], caption, wide=True)


def _shape(row: Array, total: int, widths: Array) -> Ends:
    """Share of ``total`` in each bin, % for each u/e, with Poisson ends."""
    factor = 100.0 / (total * widths)
    lower, upper = poisson_ends(row.astype(np.int64))
    return Ends(row * factor, lower * factor, upper * factor, row == 0)


def _classes(counts: xr.Dataset) -> dict[str, list[str]]:
    """Rows of the figure: high and low Kp where known, else all classes together."""
    hours = counts["exposure"].sum(("region", "lunar_sector"))
    names = [str(name) for name in counts["kp_class"].values]
    known: dict[str, list[str]] = {
        f"{name} Kp": [name] for name in ("high", "low") if name in names and float(hours.sel(kp_class=name)) > 0.0
    }
    return known or {"any Kp": names}


def _average(counts: xr.Dataset, window: str, region: str, classes: list[str]) -> Ends:
    """Counts for three hours by sector, with exact ends."""
    chosen = counts.sel(region=region, kp_class=classes)
    number = chosen["window_counts"].sel(window=window).sum("kp_class").values
    time = chosen["exposure"].sum("kp_class").values
    lower, upper = poisson_ends(number)
    scale = np.divide(1.0, time, out=np.full(time.shape, np.nan), where=time > 0.0)
    nothing = (number == 0) & (time > 0.0)
    return Ends(np.where(nothing, -np.log1p(-_LIMIT), number) * scale, lower * scale, upper * scale, nothing)


def _sectors(counts: xr.Dataset) -> str:
    regions, rows = _regions(counts), _classes(counts)
    windows = [name for name in _SHOWN if name in counts["window"].values]
    if not regions or not windows:
        return markup.missing("No time was observed, or the windows are missing.", "")
    averages = {
        (row, _words(region), window): _average(counts, window, region, classes)
        for row, classes in rows.items() for region in regions for window in windows
    }  # fmt: skip
    drawn = draw_sectors(list(rows), [_words(name) for name in regions], averages, windows, _stamp(counts))
    unknown = "" if len(rows) > 1 else " Kp is not known for two classes; give it with --kp."
    caption = (
        "Counts for three hours of observation by the sector of the lunar local time, as Figure 4.1 of the review: sector 3 "
        "(shaded) is around new Moon, 10 to 14 h, when the Moon is upstream, sector 6 around full Moon. Bars: exact Poisson ends "
        f"(16 and 84 %). Open triangles: nothing was counted; 95 % upper limit. Classes of Kp: "
        f"{markup.text(counts.attrs['kp_classes'])}; what lies between is not drawn.{unknown} Limits of the windows: see below. "
        "Counts are what was sent down, not corrected for efficiency."
    )
    return markup.figure([markup.image(to_data_uri(drawn), "Counts by sector of the Moon, Kp and region")], caption, wide=True)


def _new_moon(counts: xr.Dataset) -> str:
    """Ratio of the rates at new Moon and in the other sectors."""
    rows: list[list[str | Number]] = []
    here, others = counts.sel(lunar_sector=NEW_MOON), counts.sel(lunar_sector=counts["lunar_sector"] != NEW_MOON)
    for region in _regions(counts):
        times = [float(one["exposure"].sel(region=region).sum()) for one in (here, others)]
        for window in (name for name in _TESTED if name in counts["window"].values):
            numbers = [int(one["window_counts"].sel(region=region, window=window).sum()) for one in (here, others)]
            rows.append([markup.text(_words(region)), markup.text(window), Number(str(numbers[0])), Number(str(numbers[1])),
                         *_ratio(numbers, times)])  # fmt: skip
    if not rows:
        return markup.missing("No time was observed.", "")
    words = (
        "Rate in sector 3 over that in the other sectors together, all classes of Kp, with the exact interval of 95 % and the "
        "probability p of so many counts or more at equal rates. Both hold for Poisson counts: ions that come in bursts scatter "
        "more, and p is then too small. The rows are not independent, and many of them are looked at."
    )
    return markup.table(
        ["region", "window", "counts, sector 3", "counts, others", "ratio of rates (95 %)", "p, Poisson"], rows, "wide"
    ) + markup.paragraph(words)


def _ratio(numbers: list[int], times: list[float]) -> tuple[Number, Number]:
    if min(times) <= 0.0:
        return Number("not observed"), Number("–")
    if not sum(numbers):
        return Number("nothing counted"), Number("–")
    low, high = ratio_interval(numbers[0], times[0], numbers[1], times[1], _LIMIT)
    ends = f"{markup.number(low, 2)} to {'∞' if np.isinf(high) else markup.number(high, 2)}"
    value = numbers[0] / times[0] / (numbers[1] / times[1]) if numbers[1] else np.inf
    p = conditional_p_value(numbers[0], times[0], numbers[1], times[1], alternative="greater")
    return Number(f"{'∞' if np.isinf(value) else markup.number(value, 2)} ({ends})"), Number(markup.number(p, 2))


def _windows(counts: xr.Dataset) -> str:
    known = {str(row["window"]): row for row in window_table()}
    table = load_table("spectrometer", "pulse_height_windows").set_index("window")
    regions, numbers = _regions(counts), counts["window_counts"].sum(("lunar_sector", "kp_class"))
    limits: list[list[str | Number]] = []
    rows: list[list[str | Number]] = []
    for window in map(str, counts["window"].values):
        name = unbroken(markup.text(window))
        row = known.get(window)
        source = markup.text(table.loc[window, "source"]) if row else "not in the table of this version"
        mark = markup.confidence_mark(table.loc[window, "confidence"] if row else None)
        limits.append([name, *(_limits(row) if row else ["–"] * 4), source, mark])
        cells: list[str | Number] = [name]
        for region in regions:
            one = counts.sel(window=window, region=region)
            cells.append(Number(f"{int(numbers.sel(window=window, region=region))}: {measured(one, 'region_average')}"))
        rows.append(cells)
    words = markup.paragraph(
        "Counts, and after the colon counts for three hours with their 16 and 84 % ends; &lt;: 95 % upper limit. Windows "
        "overlap, and tails of strong neighbours spill into them."
    )
    heads = ["window", "m/q, u/e", "m, u", "coincidence", "E/q, keV/e", "where the limits are from", "confidence"]
    return words + markup.table(["window", *map(_words, regions)], rows, "wide") + markup.table(heads, limits, "wide")


def _limits(row: dict[str, object]) -> list[str | Number]:
    found: list[str | Number] = []
    for name in ("mass_per_charge", "mass"):
        low, high = float(row[f"{name}_min"]), float(row[f"{name}_max"])  # type: ignore[arg-type]
        if np.isfinite(low) and np.isfinite(high):
            found.append(unbroken(f"{low:g} to {high:g}"))
        else:
            found.append(unbroken(f"from {low:g}" if np.isfinite(low) else f"below {high:g}" if np.isfinite(high) else "any"))
    energy = float(row["energy_min_kev"])  # type: ignore[arg-type]
    return [*found, markup.text(row["coincidence"]), unbroken(f"from {energy:g}") if np.isfinite(energy) else "all"]


def _exposure(counts: xr.Dataset) -> str:
    rows: list[list[str | Number]] = []
    hours = counts["exposure"] * _HOURS
    classes = [
        str(name) for name in counts["kp_class"].values if name != "unknown" or float(hours.sel(kp_class=name).sum()) > 0.0
    ]
    for region in _regions(counts):
        one = hours.sel(region=region)
        by_sector, by_class = one.sum("kp_class"), one.sum("lunar_sector").sel(kp_class=classes)
        rows.append([markup.text(_words(region)), *(Number(f"{float(v):.4g}") for v in by_sector.values),
                     *(Number(f"{float(v):.4g}") for v in by_class.values), Number(f"{float(one.sum()):.4g}")])  # fmt: skip
    sectors = [f"sector {int(one)}" + (" (new)" if one == NEW_MOON else "") for one in counts["lunar_sector"].values]
    words = markup.paragraph(
        f"Hours, by region, sector of the lunar local time, and class of Kp. A cell of {float(counts.attrs['cell_seconds']):g} s "
        "with an event of any kind counts as observed; a cell without one does not, so that quiet times are a little "
        "underestimated and their rates overestimated."
    )
    return words + markup.table(["region", *sectors, *(f"Kp {name}" for name in classes), "all"], rows, "wide")
