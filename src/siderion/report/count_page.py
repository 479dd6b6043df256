"""The page of tests of tiny counts: verdict, events, every test with its convention, single events left out."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from . import markup
from .count_figures import EventGroup, TestPoint, draw_counts, draw_leave_one_out, draw_tests, one_of
from .count_words import CLAIM, DATA_REMARKS, describe_test
from .figures import to_data_uri
from .markup import Number, Section
from .source_words import caution, foot, lead, need, record, unbroken

KIND = "siderion count"
"""Global attribute ``kind`` of the output that this page shows."""
_NEEDS = (
    "p_value", "test", "group", "group_counts", "group_exposure", "event_rate", "event_rate_lower", "event_rate_upper",
    "event_rate_upper_limit", "rate_ratio", "rate_ratio_lower", "rate_ratio_upper", "verdict", "reasons", "exceptions",
    "significant", "inside_means", "exposure_units", "settings",
)  # fmt: skip
_EVENT_NEEDS = ("p_value_without", "dispersion_index", "pooling", "inside", "count_after", "exposure_after")
_NO_EVENTS = "Only totals are given; counts of single events are needed."
_REMEDY = "Give siderion count a table of events."


def is_count(dataset: xr.Dataset) -> bool:
    """Whether a data set is the output of ``siderion count``."""
    return dataset.attrs.get("kind") == KIND


def render_count_page(result: xr.Dataset) -> str:
    """Render tests of tiny counts as a self-contained HTML page.

    Parameters
    ----------
    result : xarray.Dataset
        From `siderion.spectrometer.counting.evidence.evaluate_events` or ``evaluate_totals``.

    Returns
    -------
    str
        HTML without references to the outside.

    Raises
    ------
    DataError
        A variable or attribute is missing.
    """
    result = result.load()
    single = "event" in result.dims
    need(result, (*_NEEDS, *(_EVENT_NEEDS if single else ())), "tests of counts", "siderion count")
    settings = json.loads(result.attrs["settings"])
    sections = [
        Section("verdict", "Verdict", _verdict(result)),
        Section("events", "Counts of the events", _events(result) if single else markup.missing(_NO_EVENTS, _REMEDY)),
        Section("tests", "Every test", _tests(result, settings)),
        Section("single", "Without each event", _single(result, settings) if single else markup.missing(_NO_EVENTS, _REMEDY)),
    ]
    if json.loads(result.attrs["exceptions"]) or _is_review(settings):
        sections.insert(1, Section("claim", "“If and only if inside”", _claim(result, settings)))
    title = str(result.attrs.get("title", "Counts"))
    return markup.page(title, _head(result) + caution(result), [*sections, *record(result)], foot(result))


def _is_review(settings: dict) -> bool:
    """Whether the events are those of Table 4.3 of the review."""
    return not settings.get("file") and "counts" in settings


def _head(result: xr.Dataset) -> str:
    inside, outside = (result.isel(group=k) for k in (0, 1))
    units = markup.text(result.attrs["exposure_units"])
    plain = float(result["p_value"].sel(test="Poisson, exact"))
    verdict = str(result.attrs["verdict"])
    said = (
        f"{int(inside['group_counts'])} counts in {float(inside['group_exposure']):g} {units} "
        f"{markup.text(result.attrs['inside_means'])}, {int(outside['group_counts'])} in {float(outside['group_exposure']):g} "
        f"outside: <strong>{markup.text(verdict)}</strong>."
    )
    ends = [float(result[f"rate_ratio{end}"]) for end in ("", "_lower", "_upper")]
    ratio = "undefined (no count outside)" if not np.isfinite(ends[0]) else markup.number(ends[0])
    per = f"per {one_of(str(result.attrs['exposure_units']))}"
    pairs = [
        (f"rate inside, {per}", _rate(inside)),
        (f"rate outside, {per}", _rate(outside)),
        ("ratio of the rates (95 %, exact)", f"{ratio} ({_end(ends[1])} to {_end(ends[2])})"),
        ("exact Poisson test, p", f"{plain:.2g}"),
    ]
    if "dispersion_index" in result:
        index = float(result["dispersion_index"].sel(pooling="one rate for each group"))
        pairs.append(("index of dispersion within groups (Poisson: 1)", markup.number(index) if np.isfinite(index) else "–"))
        worst = _worst(result)
        if worst is not None:
            pairs.append((f"p without {result['event'].values[worst]}", f"{float(result['p_value_without'][worst]):.2g}"))
    return lead(said) + markup.facts(pairs)


def _rate(one: xr.Dataset) -> str:
    if bool(one["event_rate_upper_limit"]):
        return f"&lt; {markup.number(float(one['event_rate']))} (95 %)"
    low, high = (markup.number(float(one[f"event_rate_{end}"])) for end in ("lower", "upper"))
    return f"{markup.number(float(one['event_rate']))} ({low} to {high})"


def _end(value: float) -> str:
    return markup.number(value) if np.isfinite(value) else "∞"


def _verdict(result: xr.Dataset) -> str:
    reasons = "".join(f"<li>{markup.text(reason)}</li>" for reason in json.loads(result.attrs["reasons"]))
    rules = (
        "“Significant” needs all three: the exact Poisson test is below the level; so it is without any one event; and, where "
        "the "
        "events of a group scatter more than Poisson counts, the permutation and the negative binomial test are below it too. "
        "A rule that cannot be tested is not met."
    )
    if "event" not in result.dims:
        rules = "Of the three rules (exact test, single events, scatter) only the first can be checked with totals."
    said = str(result.attrs["verdict"])
    return markup.paragraph(f"<strong>{markup.text(said[:1].upper() + said[1:])}.</strong>") + (
        f"<ul>{reasons}</ul>" + markup.paragraph(rules)
    )


def _claim(result: xr.Dataset, settings: dict) -> str:
    found = json.loads(result.attrs["exceptions"])
    lines = [markup.text(words) for words in found]
    if not _is_review(settings):
        words = markup.paragraph("Events against “a rise if and only if inside”:")
        return words + f"<ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>"
    lines = [_rises(result), *(lines or ["no event of these counts is against it"])]
    listed = "".join(f"<li>{line}</li>" for line in (*lines, *map(markup.text, DATA_REMARKS)))
    share = int(result["count_after"].values[result["inside"].values.astype(bool)].max())
    total = int(result["group_counts"].values[0])
    said = f"The event with the most counts has {share} of the {total} in the wake."
    return markup.paragraph(CLAIM) + f"<ul>{listed}</ul>" + markup.paragraph(said)


def _rises(result: xr.Dataset) -> str:
    """How many events rise in each group, with the sign test."""
    rose = (result["count_after"] / result["exposure_after"] > result["count_before"] / result["exposure_before"]).values
    flags = result["inside"].values.astype(bool)
    sign = float(result["p_value"].sel(test="before and after inside, sign"))
    return (f"{int(rose[flags].sum())} of {int(flags.sum())} events in the wake rise (sign test p = {sign:.2g}), "
            f"{int(rose[~flags].sum())} of {int((~flags).sum())} outside")  # fmt: skip


def _events(result: xr.Dataset) -> str:
    flags = result["inside"].values.astype(bool)
    names = [str(name) for name in result["event"].values]
    groups = []
    for k, (part, words) in enumerate(((flags, str(result.attrs["inside_means"])), (~flags, "outside"))):
        series = {"after": _series(result, "after", part)}
        if "count_before" in result:
            series["before"] = _series(result, "before", part)
        one = result.isel(group=k)
        ends = [float(one[f"event_rate{end}"]) for end in ("", "_lower", "_upper")]
        if bool(one["event_rate_upper_limit"]):
            ends = [0.0, 0.0, ends[0]]
        groups.append(EventGroup(words, [n for n, flag in zip(names, part, strict=True) if flag], series, (*ends,)))  # type: ignore[arg-type]
    drawn = draw_counts(groups, str(result.attrs["exposure_units"]))
    caption = (
        "Counts over exposure of each event with the exact intervals of their means: thick 68 %, thin 95 % (central, Garwood). "
        "Circles: after; open squares: before, where known. Band and line: rate of all events of the group after."
    )
    return markup.figure([markup.image(to_data_uri(drawn), "Counts of the events")], caption, wide=True) + _event_table(result)


def _series(result: xr.Dataset, when: str, part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (result[f"count_{when}"].values[part].astype(np.float64), result[f"exposure_{when}"].values[part].astype(np.float64))


def _event_table(result: xr.Dataset) -> str:
    before = "count_before" in result
    units = markup.text(result.attrs["exposure_units"])
    rows: list[list[str | Number]] = []
    for k, name in enumerate(result["event"].values):
        one = result.isel(event=k)
        row: list[str | Number] = [markup.text(name), "inside" if bool(one["inside"]) else "outside"]
        row += [Number(str(int(one["count_before"])))] if before else []
        row += [Number(str(int(one["count_after"]))), Number(f"{float(one['exposure_after']):g}"),
                Number(f"{float(one['p_value_without']):.2g}")]  # fmt: skip
        rows.append(row)
    heads = ["event", "group", *(["before"] if before else []), "after", f"exposure after, {units}", "p without it"]
    return markup.table(heads, rows, "pairs")


def _tests(result: xr.Dataset, settings: dict) -> str:
    level, side = float(settings["level"]), str(settings["alternative"])
    points: list[TestPoint] = []
    rows: list[list[str | Number]] = []
    for name, value in zip(map(str, result["test"].values), map(float, result["p_value"].values), strict=True):
        family, question, convention = describe_test(name, side)
        points.append(TestPoint(name, value, family))
        below = "–" if np.isnan(value) else "yes" if value < level else "no"
        rows.append([markup.text(name), markup.text(question), markup.text(convention), markup.text(family),
                     Number(unbroken(_p_words(name, value, settings))), below])  # fmt: skip
    drawn = draw_tests(points, level)
    caption = (
        "P values of all tests; the dashed line is the level. Points left of it are below the level. Orange circles assume that "
        "every count is independent of the others; blue diamonds allow for the scatter of the events. Tests by draws cannot "
        "give less "
        "than one over the number of draws. No correction is made for the number of tests."
    )
    table = markup.table(["test", "what it asks", "convention", "family", "p", f"below {level:g}"], rows)
    if "dispersion_index" in result:
        indices = "; ".join(
            f"{name}: {value:.2f}" if np.isfinite(value) else f"{name}: none"
            for name, value in zip(result["pooling"].values, result["dispersion_index"].values, strict=True)
        )
        table += markup.paragraph(f"Index of dispersion (chi-square over degrees of freedom, 1 for Poisson counts): {indices}.")
    return markup.figure([markup.image(to_data_uri(drawn), "P values of the tests")], caption, wide=True) + table


def _p_words(name: str, value: float, settings: dict) -> str:
    """A p value; "at most" where it is the smallest that the draws of a test can give."""
    if np.isnan(value):
        return "none"
    drawn = (
        name.startswith(("dispersion", "negative binomial")) and "draws" in settings and value <= 1.001 / (settings["draws"] + 1)
    )
    return f"{'≤ ' if drawn else ''}{value:.2g}"


def _worst(result: xr.Dataset) -> int | None:
    """The event without which the p value is largest; those that are alone in their group are not left out."""
    inside = result["inside"].values.astype(bool)
    alone = np.where(inside, inside.sum() == 1, (~inside).sum() == 1)
    without = np.where(alone, np.nan, result["p_value_without"].values.astype(np.float64))
    return int(np.nanargmax(without)) if np.isfinite(without).any() else None


def _single(result: xr.Dataset, settings: dict) -> str:
    level = float(settings["level"])
    without = result["p_value_without"].values.astype(np.float64)
    whole = float(result["p_value"].sel(test="Poisson, exact"))
    names = [str(name) for name in result["event"].values]
    drawn = draw_leave_one_out(names, result["inside"].values.astype(bool), without, whole, level)
    worst = _worst(result)
    kept = int((without < level).sum())
    if worst is None:
        return markup.missing("No event can be left out: each is the only one of its group.", "Give more events.")
    said = (
        f"Without {markup.text(names[worst])} the exact test gives p = {without[worst]:.2g}; {kept} of {len(names)} events can "
        "be left "
        f"out with p below {level:g}."
    )
    caption = "P value of the exact Poisson test when one event is left out, and with all events (black)."
    return markup.paragraph(said) + markup.figure(
        [markup.image(to_data_uri(drawn), "P values without each event")], caption, True
    )
