"""Tables of conjunctions: criteria as a matrix, what is computed, what is reported, reasons, windows."""

from __future__ import annotations

import numpy as np
import xarray as xr

from siderion.core.constants import EARTH_RADIUS

from . import markup
from .markup import Number
from .selection import Array
from .source_words import unbroken

SIGNS = {1: ("verified", "✓ met"), 0: ("unverified", "✗ not met"), -1: ("computed", "? unknown")}
"""Class of the mark and its text by state."""
LEGEND = ", ".join(f'<span class="mark {kind}">{words[0]}</span> {words[2:]}' for kind, words in SIGNS.values()) + "."
"""What the marks mean (ready HTML)."""
_HEADS = {"new_moon": "new Moon", "sector": "sector", "region": "region", "wake": "wake", "kp": "largest Kp",
          "dst": "smallest Dst", "shower": "meteor shower"}  # fmt: skip
_IN_WAKE = {1: "inside", 0: "outside", -1: "–"}


def criteria_matrix(ranked: xr.Dataset) -> str:
    """Events by rank and criteria: mark and value."""
    names = [str(name) for name in ranked["criterion"].values]
    if not names:
        return markup.missing("No criterion is asked.", "Leave out --any-moon, or ask one.")
    states = ranked["criterion_state"].transpose("event", "criterion").values
    rows: list[list[str | Number]] = []
    for k in range(ranked.sizes["event"]):
        one = ranked.isel(event=k)
        cells = [f"{_sign(int(states[k, j]))} {markup.text(_value(one, name))}" for j, name in enumerate(names)]
        rows.append([Number(str(int(one["rank"]))), unbroken(_time(one["event_time"])), *cells])
    return markup.paragraph(LEGEND) + markup.table(["rank", "event (UT)", *(_HEADS[name] for name in names)], rows, kind="wide")


def summary_table(ranked: xr.Dataset) -> str:
    """How many events meet each criterion."""
    states = ranked["criterion_state"].transpose("event", "criterion").values
    rows: list[list[str | Number]] = [
        [markup.text(_HEADS[str(name)]), *(Number(str(int((states[:, j] == state).sum()))) for state in (1, 0, -1))]
        for j, name in enumerate(ranked["criterion"].values)
    ]
    return markup.table(["criterion", "met", "not met", "unknown"], rows, kind="pairs") if rows else ""


def computed_table(ranked: xr.Dataset) -> str:
    """What follows from the date, the ephemeris, indices and positions."""
    indices = {"largest_kp": ("Kp", 1), "smallest_dst": ("Dst, nT", 0)}
    known = [name for name in indices if np.isfinite(ranked[name].values).any()]
    placed = bool(np.isfinite(ranked["event_position"].values).all(axis=-1).any())
    rows: list[list[str | Number]] = []
    for k in range(ranked.sizes["event"]):
        one = ranked.isel(event=k)
        row: list[str | Number] = [
            Number(str(int(one["rank"]))), unbroken(_time(one["event_time"])), unbroken(_time(one["new_moon_time"])),
            Number(_signed(float(one["days_from_new_moon"]))), Number(f"{float(one['lunar_local_time']):.2f}"),
            Number(str(int(one["lunar_sector"]))), Number(_components(one["moon_position"].values)),
            *(Number(_or_dash(one[name], indices[name][1])) for name in known),
        ]  # fmt: skip
        row += [Number(_components(one["event_position"].values * 1e3 / EARTH_RADIUS))] if placed else []
        row += [markup.text(one["nearest_shower"].values), Number(_signed(float(one["days_from_shower"]), 1))]
        rows.append(row)
    heads = ["rank", "event (UT)", "nearest new Moon", "days", "local time, h", "sector", "Moon (GSE), RE",
             *(indices[name][0] for name in known), *(["spacecraft (GSE), RE"] if placed else []), "nearest shower",
             "days"]  # fmt: skip
    lacking = [indices[name][0].split(",")[0] for name in indices if name not in known] + ([] if placed else ["the spacecraft"])
    note = "Days: since the new Moon, and since the peak of the shower. Local time: lunar local time. A dash: not known."
    note += f" Nothing is known of {', '.join(lacking)} at these times." if lacking else ""
    return markup.table(heads, rows, kind="wide") + markup.paragraph(note)


def reported_table(ranked: xr.Dataset) -> str:
    """Region, wake and counts with where they come from."""
    rows: list[list[str | Number]] = []
    counted = "triple_after" in ranked
    for k in range(ranked.sizes["event"]):
        one = ranked.isel(event=k)
        region, wake = str(one["event_region"].values).replace("_", " "), _IN_WAKE[int(one["in_lunar_wake"])]
        after = [_origin(one[name].values) for name in ("event_region_origin", "in_lunar_wake_origin")]
        row: list[str | Number] = [
            Number(str(int(one["rank"]))), unbroken(_time(one["event_time"])),
            markup.text(region) + after[0], wake + after[1],
        ]  # fmt: skip
        if counted:
            row += [Number(_count(one, when)) for when in ("before", "after")]
            row += [Number(_ranged(one, when)) for when in ("before", "after")]
            row.append(markup.text(one["remark"].values) if "remark" in one else "")
        rows.append(row)
    heads = ["rank", "event (UT)", "region of spacecraft", "lunar-ion wake"]
    note = markup.paragraph("As the list reports it, unless it is said otherwise in brackets.")
    if counted:
        heads += ["triple before", "triple after", "double before", "double after", "remark"]
        note = markup.paragraph(
            "All of this is taken from Table 4.3 of the review, not computed. Counts of half a day, one orbit before the shock "
            "(about 5 days) and after it: triple coincidences with m &gt; 34 and m/q ≥ 34, in brackets the further ones with "
            "m &gt; 20; double coincidences with m/q of 39 to 46, as a range where the table gives one."
        )
    return note + markup.table(heads, rows, kind="wide")


def reason_table(ranked: xr.Dataset) -> str:
    """Every verdict in words, folded away."""
    rows = []
    for k in range(ranked.sizes["event"]):
        one = ranked.isel(event=k)
        for j, name in enumerate(one["criterion"].values):
            state = int(one["criterion_state"].values[j])
            reason = markup.text(one["criterion_reason"].values[j])
            rows.append([str(int(one["rank"])), unbroken(_time(one["event_time"])), _HEADS[str(name)], _mark(state), reason])
    opened = f"<details><summary>{len(rows)} verdicts</summary>"
    return opened + markup.table(["rank", "event (UT)", "criterion", "verdict", "reason"], rows) + "</details>"


def window_table(ranked: xr.Dataset) -> str:
    """Windows by rank."""
    names = [str(name) for name in ranked["criterion"].values]
    states = ranked["criterion_state"].transpose("window", "criterion").values
    rows: list[list[str | Number]] = []
    for k in range(ranked.sizes["window"]):
        one = ranked.isel(window=k)
        rows.append([
            Number(str(int(one["rank"]))), unbroken(_time(one["window_start"])), unbroken(_time(one["window_end"])),
            Number(f"{float(one['window_hours']):.1f}"), *(_sign(int(state)) for state in states[k]),
            unbroken(_time(one["new_moon_time"])), Number(_signed(float(one["days_from_new_moon"]))),
            Number(f"{float(one['lunar_local_time']):.2f}"), Number(_or_dash(one["largest_kp"], 1)),
            Number(_or_dash(one["smallest_dst"], 0)),
        ])  # fmt: skip
    heads = ["rank", "begin (UT)", "end (UT)", "hours", *(_HEADS[name] for name in names), "nearest new Moon", "days",
             "local time, h", "Kp", "Dst, nT"]  # fmt: skip
    return markup.paragraph(LEGEND) + markup.table(heads, rows, kind="wide")


def _mark(state: int) -> str:
    kind, words = SIGNS[state]
    return f'<span class="mark {kind}">{words}</span>'


def _sign(state: int) -> str:
    kind, words = SIGNS[state]
    return f'<span class="mark {kind}" title="{words[2:]}">{words[0]}</span>'


def _value(one: xr.Dataset, name: str) -> str:
    """What a criterion compared, short."""
    if name == "new_moon":
        return f"{_signed(float(one['days_from_new_moon']))} d"
    if name == "sector":
        return f"{int(one['lunar_sector'])}"
    if name == "region":
        return str(one["event_region"].values).replace("_", " ")
    if name == "wake":
        return _IN_WAKE[int(one["in_lunar_wake"])]
    if name == "kp":
        return _or_dash(one["largest_kp"], 1)
    if name == "dst":
        return f"{_or_dash(one['smallest_dst'], 0)} nT"
    return f"{one['nearest_shower'].values!s} {_signed(float(one['days_from_shower']), 1)} d"


def _count(one: xr.Dataset, when: str) -> str:
    light = int(one[f"light_{when}"])
    return f"{int(one[f'triple_{when}'])}" + (f" ({light})" if light else "")


def _ranged(one: xr.Dataset, when: str) -> str:
    low, high = (int(one[f"double_{when}_{end}"]) for end in ("lower", "upper"))
    return f"{low}" if low == high else f"{low} to {high}"


def _origin(text: object) -> str:
    """Where an entry comes from, in brackets; nothing where it is simply as reported or not known."""
    said = str(text).removeprefix("as reported").removeprefix(", ")
    return f" <small>({markup.text(said)})</small>" if said else ""


def _components(place: Array) -> str:
    return ", ".join(f"{value:.1f}" for value in place).replace("-", "\N{MINUS SIGN}") if np.isfinite(place).all() else "–"


def _signed(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}") if np.isfinite(value) else "–"


def _or_dash(value: xr.DataArray, digits: int) -> str:
    return _signed(float(value), digits)


def _time(array: xr.DataArray) -> str:
    return str(np.datetime_as_string(array.values, unit="m")).replace("T", " ")
