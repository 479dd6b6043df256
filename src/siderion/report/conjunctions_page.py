"""The page of conjunctions: events or windows judged by the Moon, spacecraft, activity and meteor showers."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.bodies import ASTRONOMICAL_UNIT
from siderion.core.constants import EARTH_RADIUS
from siderion.frames.moon import moon_position_gse
from siderion.geospace.boundaries import aberrate, aberration_angle, get_boundary, orbital_speed
from siderion.geospace.lunar import lunar_sector
from siderion.geospace.new_moon import lunar_passages

from . import markup
from .conjunction_figures import IndexSeries, PlanView, TimeLine, draw_days, draw_plan, draw_time_line
from .conjunction_tables import computed_table, criteria_matrix, reason_table, reported_table, summary_table, window_table
from .figures import to_data_uri
from .markup import Section
from .selection import Array, read_json_attribute
from .source_words import caution, foot, lead, need, record

KIND = "siderion conjunctions"
"""Global attribute ``kind`` of the output that this page shows."""
_SHARED = ("criterion", "criterion_state", "new_moon_time", "days_from_new_moon", "lunar_local_time", "largest_kp",
           "smallest_dst", "rank", "settings")  # fmt: skip
_EVENT_NEEDS = (*_SHARED, "event_time", "event_name", "moon_position", "lunar_sector", "event_position", "event_region",
                "event_region_origin", "in_lunar_wake", "in_lunar_wake_origin", "nearest_shower", "days_from_shower",
                "criterion_reason", "criteria_met", "criteria_not_met", "criteria_unknown")  # fmt: skip
_WINDOW_NEEDS = (*_SHARED, "window_start", "window_end", "window_hours", "window_state")
_MOST_ROWS = 40
_MOST_LABELS, _FEWER_LABELS = 25, 8
_MOST_IN_TABLE = 200
_WAKE_WORDS = {1: "Moon; spacecraft in the wake", 0: "Moon; spacecraft outside the wake", -1: "Moon; place in the wake unknown"}
_STATE_WORDS = {1: "Moon, all criteria met", 0: "Moon, a criterion not met", -1: "Moon, a criterion unknown"}


def is_conjunctions(dataset: xr.Dataset) -> bool:
    """Whether a data set is the output of ``siderion conjunctions``."""
    return dataset.attrs.get("kind") == KIND


def render_conjunctions_page(result: xr.Dataset) -> str:
    """Render events or windows as a self-contained HTML page.

    Parameters
    ----------
    result : xarray.Dataset
        From `siderion.geospace.conjunctions.find_conjunctions` or `siderion.geospace.conjunction_search.search_conjunctions`,
        with the attributes of the command.

    Returns
    -------
    str
        HTML without references to the outside.

    Raises
    ------
    DataError
        A variable is missing.
    """
    if "window" in result.dims or "window_start" in result.variables:
        need(result, _WINDOW_NEEDS, "windows of conjunctions", "siderion conjunctions")
        return _render_windows(result)
    need(result, _EVENT_NEEDS, "conjunctions", "siderion conjunctions")
    return _render_events(result)


def _render_events(result: xr.Dataset) -> str:
    ranked = result.isel(event=np.argsort(result["rank"].values))
    best = ranked.isel(event=slice(_MOST_IN_TABLE))
    cut = _cut("events", ranked.sizes["event"])
    sections = [
        Section("criteria", "Criteria", cut + criteria_matrix(best) + summary_table(ranked) + _rank_note()),
        Section("plan", "Where the Moon was", _event_plan(ranked)),
        Section("days", "Days from new Moon", _days(ranked)),
        Section("computed", "Computed from the dates and the data", cut + computed_table(best)),
        Section(
            "reported",
            "Taken from Table 4.3" if "triple_after" in ranked else "Region and wake of the spacecraft",
            cut + reported_table(best),
        ),
        Section("reasons", "Reason of every verdict", cut + reason_table(best)),
        *record(result),
    ]
    return markup.page(str(result.attrs.get("title", "Conjunctions")), _event_head(ranked), sections, foot(result))


def _cut(what: str, count: int) -> str:
    """A note where a table does not hold all."""
    said = f"The best {_MOST_IN_TABLE} of {count} {what} are listed; the file has all."
    return markup.paragraph(said) if count > _MOST_IN_TABLE else ""


def _rank_note() -> str:
    return markup.paragraph(
        "Rank: most criteria met, then fewest not met, then nearest to new Moon; all criteria count the same. It is an order in "
        "which to look at events, not evidence."
    )


def _event_head(ranked: xr.Dataset) -> str:
    count, settings = ranked.sizes["event"], read_json_attribute(ranked, "settings")
    days = np.abs(ranked["days_from_new_moon"].values)
    limit = settings.get("new_moon_days") or 2.0
    full = ranked["criteria_met"].values == ranked.sizes["criterion"]
    first = ranked.isel(event=0)
    said = (
        f"{int((days <= limit).sum())} of {count} events lie within {limit:g} days of new Moon (the farthest of all "
        f"{days.max():.2f} days from it), and {int((ranked['lunar_sector'].values == 3).sum())} have the Moon in sector "
        "3, around new Moon. "
        f"{int(full.sum())} of {count} meet all {ranked.sizes['criterion']} criteria; first in rank is "
        f"{markup.text(_moment(first['event_time'].values))} with {int(first['criteria_met'])} met."
    )
    note = ""
    if "triple_after" in ranked:
        note = markup.paragraph(
            "The positions of the Moon and the showers are computed from the dates. Region and wake of the spacecraft, and the "
            "counts, are those of the table; they are not computed. All events of the table are chosen by the Moon, so the Moon "
            "cannot tell those with counts from those without."
        )
    return lead(said) + note + caution(ranked)


def _event_plan(ranked: xr.Dataset) -> str:
    moon = ranked["moon_position"].transpose("event", "component").values
    place = ranked["event_position"].transpose("event", "component").values * 1e3 / EARTH_RADIUS
    state = ranked["in_lunar_wake"].values.astype(np.int8)
    labels = [str(int(value)) for value in ranked["rank"].values]
    drawn = draw_plan(_plan_view(ranked, moon, labels, state, _WAKE_WORDS, place[:, :2]))
    known = np.asarray(np.isfinite(place).all(axis=1))
    where = (
        f"Triangles: the spacecraft, for {int(known.sum())} of {len(known)} events."
        if known.any()
        else "No position of the spacecraft is known (give one with --spacecraft); where a place in the wake is shown, it is as "
        "the list reports it."
    )
    return markup.figure([markup.image(to_data_uri(drawn), "The Moon at each event in the plane of GSE X and Y")], _plan_caption(
        "event", where))  # fmt: skip


def _plan_caption(what: str, more: str) -> str:
    return (
        f"The Moon at each {what}, numbered by rank, seen from north of the ecliptic, to scale: the Sun to the left, dusk at the "
        "bottom, GSE, in Earth radii (RE). Grey circle: mean distance of the Moon in them; sectors of lunar local time, 3 around "
        "new Moon. Bow shock and magnetopause: the default models of the Earth in mean solar wind, turned by the aberration, as "
        f"they are used for the region. {more}"
    )


def _plan_view(
    result: xr.Dataset, moon: Array, labels: list[str], state: NDArray[np.int8], words: dict[int, str], place: Array
) -> PlanView:
    hours = np.arange(0.0, 24.0, 0.25)
    numbers = lunar_sector(hours)
    begins = {int(numbers[k]): float(hours[k]) for k in range(len(hours)) if numbers[k] != numbers[k - 1]}
    mean = float(np.hypot(moon[:, 0], moon[:, 1]).mean()) if len(moon) else 60.3
    speed = float(read_json_attribute(result, "settings").get("speed_km_s") or 400.0)
    return PlanView(moon[:, :2], labels, state, words, mean, dict(sorted(begins.items())), _boundaries(speed), place)


def _boundaries(speed: float) -> dict[str, tuple[Array, Array, Array]]:
    """The default boundaries in the plane of GSE X and Y, RE, as zero lines of the distance outside."""
    axis = np.linspace(-90.0, 90.0, 361)
    x, y = np.meshgrid(axis, axis)
    places = np.stack([x, y, np.zeros(x.shape)], axis=-1) * EARTH_RADIUS
    turned = aberrate(places, aberration_angle(speed * 1e3, orbital_speed(ASTRONOMICAL_UNIT)))
    found = {}
    for kind in ("bow_shock", "inner_boundary"):
        one = get_boundary("Earth", kind)
        found[f"{one.name} ({one.model})"] = (x, y, one.distance_outside(turned))
    return found


def _days(ranked: xr.Dataset) -> str:
    best = ranked.isel(event=slice(_MOST_ROWS))
    limit = read_json_attribute(ranked, "settings").get("new_moon_days")
    names = [f"{int(rank)}: {_moment(time)}" for rank, time in zip(best["rank"].values, best["event_time"].values, strict=True)]
    listed = [str(name) for name in best["criterion"].values]
    state = (
        best["criterion_state"].transpose("event", "criterion").values[:, listed.index("new_moon")]
        if "new_moon" in listed
        else np.full(best.sizes["event"], -1, dtype=np.int8)
    )
    drawn = draw_days(best["days_from_new_moon"].values, names, state, limit)
    band = f" Shaded: within {limit:g} days, which counts as near." if limit is not None else " Nothing is asked of the Moon."
    cut = f" The best {_MOST_ROWS} are shown." if ranked.sizes["event"] > _MOST_ROWS else ""
    caption = f"Time of the event less that of the nearest new Moon, by rank.{band}{cut}"
    return markup.figure([markup.image(to_data_uri(drawn), "Days from new Moon of each event")], caption)


def _render_windows(result: xr.Dataset) -> str:
    ranked = result.isel(window=np.argsort(result["rank"].values))
    best, cut = ranked.isel(window=slice(_MOST_IN_TABLE)), _cut("windows", result.sizes["window"])
    none = markup.missing("No window was found.", "Ask less, or search a longer span.")
    some = result.sizes["window"] > 0
    sections = [
        Section("time", "Time line", _time_line(result)),
        Section("windows", "Windows", cut + window_table(best) + _window_note() if some else none),
        Section("plan", "Where the Moon was", _window_plan(ranked) if some else none),
        *record(result),
    ]
    return markup.page(str(result.attrs.get("title", "Conjunctions")), _window_head(ranked), sections, foot(result))


def _window_note() -> str:
    return markup.paragraph(
        "Days since new Moon and lunar local time are those of the middle of the window; Kp and Dst the largest and smallest "
        "known values in it. Edges by the Moon, showers, Kp and Dst are exact; those by region and wake are placed to a step of "
        "the search."
    )


def _window_head(ranked: xr.Dataset) -> str:
    settings, count = read_json_attribute(ranked, "settings"), ranked.sizes["window"]
    asked = ", ".join(str(name).replace("_", " ") for name in ranked["criterion"].values)
    unknown = int((ranked["window_state"].values != 1).sum())
    said = (
        f"From {markup.text(settings.get('from'))} to {markup.text(settings.get('to'))} there are {count} windows in which no "
        f"criterion fails ({markup.text(asked)}), {float(ranked['window_hours'].sum()):.1f} h in all"
    )
    said += f"; in {unknown} of them a criterion is unknown." if unknown else "; all criteria are known and met in them."
    if count:
        first = ranked.isel(window=0)
        said += f" First in rank: {_moment(first['window_start'].values)} to {_moment(first['window_end'].values)}."
    return lead(said) + caution(ranked)


def _time_line(result: xr.Dataset) -> str:
    settings: dict[str, Any] = read_json_attribute(result, "settings")
    if not settings.get("from") or not settings.get("to"):
        return markup.missing("The settings do not say which span was searched.", "Make the file anew.")
    first, last = (np.datetime64(str(settings[key]).removesuffix("Z"), "ns") for key in ("from", "to"))
    limits = {"kp": settings.get("smallest_kp"), "dst": settings.get("largest_dst")}
    lengths = {"kp": np.timedelta64(3, "h"), "dst": np.timedelta64(1, "h")}
    titles = {"kp": "Kp", "dst": "Dst, nT"}
    indices = [
        IndexSeries(titles[name], result[f"{name}_time"].values, result[f"span_{name}"].values, lengths[name], limits[name],
                    name == "kp")
        for name in ("kp", "dst") if f"span_{name}" in result
    ]  # fmt: skip
    order = np.argsort(result["window_start"].values)
    labelled = _MOST_LABELS if result.sizes["window"] <= _MOST_LABELS else _FEWER_LABELS
    one = result.isel(window=order)
    line = TimeLine(
        (first, last), lunar_passages(first, last), one["window_start"].values, one["window_end"].values,
        one["window_state"].values.astype(np.int8),
        [str(int(value)) if value <= labelled else "" for value in one["rank"].values],
        settings.get("new_moon_days"), indices,
    )  # fmt: skip
    drawn = draw_time_line(line)
    named = " and ".join(one.name.split(",")[0] for one in indices)
    rest = f" Below: {named}, with the limit that is asked (dashed) and the windows shaded." if indices else (
        " No Kp or Dst is known for the span.")  # fmt: skip
    caption = (
        "Windows with their rank, and new Moons (black dots). Windows shorter than a line of the figure are drawn as wide as one."
        f"{rest}"
    )
    return markup.figure([markup.image(to_data_uri(drawn), "Windows, new Moons, Kp and Dst against time")], caption, wide=True)


def _window_plan(ranked: xr.Dataset) -> str:
    start, end = ranked["window_start"].values, ranked["window_end"].values
    moon = moon_position_gse(start + (end - start) // 2) / EARTH_RADIUS
    labels = [str(int(value)) for value in ranked["rank"].values]
    state = ranked["window_state"].values.astype(np.int8)
    view = _plan_view(ranked, moon, labels, state, _STATE_WORDS, np.full((len(moon), 2), np.nan))
    caption = _plan_caption("window (its middle)", "")
    return markup.figure([markup.image(to_data_uri(draw_plan(view)), "The Moon in each window in the plane of X and Y")], caption)


def _moment(time: Any) -> str:
    return str(np.datetime_as_string(time, unit="m")).replace("T", " ")
