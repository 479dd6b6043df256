"""The page of the attribution to sources: the verdict, the odds under every prior, what would decide, all assumptions."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from siderion.core.tables import load_table

from . import markup
from .attribution_figures import (
    Odds,
    channel_label,
    draw_bayes_factors,
    draw_candidates,
    draw_channels,
    draw_events,
    draw_probabilities,
)
from .figures import to_data_uri
from .markup import Number, Section
from .selection import Array, read_json_attribute
from .source_words import caution, foot, lead, measured, need, record, unbroken

KIND = "siderion attribution"
"""Global attribute ``kind`` of the output that this page shows."""
_ENDS = ("", "_lower", "_upper")
_NEEDS = (
    *(f"{name}{end}" for name in ("count_share", "prior_counts") for end in _ENDS), "leading_probability", "sampling_error",
    "prior_probability", "posterior_odds", "bayes_factor", "log_evidence", "effective_samples", "rests_on", "channel_share",
    "channel_counts", "prior", "origin", "channel", "verdict", "verdict_reason", "settings",
)  # fmt: skip
_FURTHER = ("information_gain", "decided_probability", "candidate_meaning", "leader_entropy")
_WORDS = {"imf": "magnetic field (GSE), nT", "position": "place (GSE), radii of the Earth", "speed": "speed of the wind, km/s",
          "density": "density of the wind, cm-3", "energy": "energy, keV per charge", "duration": "counting time, h",
          "dst": "Dst, nT", "kp": "Kp", "moon_sector": "sector of the Moon", "in_wake": "in the wake of lunar ions",
          "mass_resolution": "mass resolution"}  # fmt: skip
_CONTEXT = ("instrument", "region", "time", *_WORDS, "shock", "shower")
_LARGE_ERROR = 0.05


def is_attribution(dataset: xr.Dataset) -> bool:
    """Whether a data set is the output of ``siderion attribute``."""
    return dataset.attrs.get("kind") == KIND


def render_attribution_page(result: xr.Dataset) -> str:
    """Render the odds of the sources as a self-contained HTML page.

    Parameters
    ----------
    result : xarray.Dataset
        From `siderion.inference.attribution.result.attribute`.

    Returns
    -------
    str
        HTML without references to the outside.

    Raises
    ------
    DataError
        A variable is missing.
    """
    need(result, _NEEDS, "attribution", "siderion attribute")
    sections = [
        Section("odds", "Probability of each source", _probabilities(result)),
        Section("factors", "What the counts themselves say", _factors(result)),
        Section("channels", "Counts by channel and source", _channels(result)),
        Section("further", "What would decide best", _further(result)),
        Section("table", "All numbers", _table(result)),
        Section("priors", "Priors in the open", _priors(result)),
        *record(result),
    ]
    if "event_odds" in result:
        sections.insert(1, Section("events", "Each event alone", _events(result)))
    return markup.page(str(result.attrs.get("title", "Odds of the sources")), _head(result), sections, foot(result))


def _names(result: xr.Dataset) -> tuple[list[str], list[str]]:
    """Sources and priors."""
    return [str(name) for name in result["origin"].values], [str(name) for name in result["prior"].values]


def _settings(result: xr.Dataset) -> dict:
    return dict(read_json_attribute(result, "settings") or {})


def _threshold(result: xr.Dataset) -> float:
    return float(_settings(result).get("threshold", 10.0))


def _head(result: xr.Dataset) -> str:
    verdict = str(result.attrs["verdict"])
    named = markup.text(verdict if verdict == "undecidable" else f"the {verdict} supplies the most")
    said = f"<strong>Verdict: {named}.</strong> {_capital(str(result.attrs['verdict_reason']))}."
    settings = _settings(result)
    pairs = [("counts", f"{float(result['channel_counts'].sum()):.4g}"),
             ("odds from which a source is named", f"{_threshold(result):g}")]  # fmt: skip
    if settings.get("events"):
        pairs.append(("events", str(len(settings["events"]))))
    pairs += [
        (_WORDS.get(key, key), markup.text(_plain(settings[key], " to " if key == "energy" else ", ")))
        for key in _CONTEXT
        if settings.get(key) not in (None, "")
    ]
    return lead(said) + _ranges(result) + markup.facts(pairs) + caution(result)


def _capital(words: str) -> str:
    return markup.text(words[:1].upper() + words[1:])


def _plain(value: object, between: str = ", ") -> str:
    if isinstance(value, list):
        return between.join(f"{one:g}".replace("-", "\N{MINUS SIGN}") for one in value)
    return ("no", "yes")[value] if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _ranges(result: xr.Dataset) -> str:
    """Probability of each source, from the least to the most over the priors."""
    found = result["leading_probability"].transpose("origin", "prior")
    parts = [f"{markup.text(name)} {float(row.min()):.2f} to {float(row.max()):.2f}"
             for name, row in zip(_names(result)[0], found, strict=True)]  # fmt: skip
    return markup.paragraph(
        f"Probability to supply the most counts, from the lowest to the highest over the priors: {'; '.join(parts)}. Almost all "
        "numbers behind the priors are orders of magnitude: read the odds together with their priors."
    )


def _odds(result: xr.Dataset) -> Odds:
    names = ("prior_probability", "leading_probability", "sampling_error")
    return Odds(*(result[name].transpose("prior", "origin").values for name in names))


def _probabilities(result: xr.Dataset) -> str:
    sources, priors = _names(result)
    odds, threshold = _odds(result), _threshold(result)
    drawn = draw_probabilities(sources, priors, odds, threshold)
    caption = (
        "Probability that a source supplies the most of the counts. Bars: after the counts, by prior, with the standard error "
        "between independent runs of the sampling; hollow diamonds: before the counts, with the same prior. Dashed: odds of "
        f"{threshold:g}, a probability of {threshold / (1 + threshold):.2f}; a source is named only where all bars reach it."
    )
    if float(odds.error.max()) > _LARGE_ERROR:
        caption += (
            f" The largest sampling error is {float(odds.error.max()):.2f}: more samples (--samples) would make the bars surer."
        )
    return markup.figure([markup.image(to_data_uri(drawn), "Probability of each source before and after the counts")], caption)


def _factors(result: xr.Dataset) -> str:
    sources, priors = _names(result)
    odds = _odds(result)
    before = odds.before / (1.0 - odds.before)
    factors = result["bayes_factor"].transpose("prior", "origin").values
    low, high = (np.clip(odds.after + sign * odds.error, 1e-6, 1.0 - 1e-6) for sign in (-1.0, 1.0))
    # where the error is as large as the value, the bar ends at a quarter of it
    ends = np.maximum(low / (1.0 - low) / before, 0.25 * factors), high / (1.0 - high) / before
    drawn = draw_bayes_factors(sources, priors, factors, ends, _threshold(result))
    caption = (
        "Bayes factor: odds that the source supplies the most after the counts, over those before. It is what the counts say, "
        "without the strength of the prior; but it still rests on the assumed composition and context of the sources. Dashed: "
        f"{_threshold(result):g} and its inverse. Bars: standard error of the sampling, cut at a quarter of the value."
    )
    return markup.figure([markup.image(to_data_uri(drawn), "Bayes factors of the sources under every prior")], caption)


def _channels(result: xr.Dataset) -> str:
    sources, priors = _names(result)
    names = [str(name) for name in result["channel"].values]
    shares = result["channel_share"].transpose("prior", "origin", "channel").values
    drawn = draw_channels(names, result["channel_counts"].values, sources, priors, shares)
    heads = ["channel", "counts", *(f"{source}, {prior}" for source in sources for prior in priors)]
    rows: list[list[str | Number]] = [
        [unbroken(markup.text(channel_label(name))), Number(f"{float(result['channel_counts'][c]):.3g}"),
         *(Number(f"{100 * shares[p, s, c]:.0f} %") for s in range(len(sources)) for p in range(len(priors)))]
        for c, name in enumerate(names)
    ]  # fmt: skip
    caption = (
        "Mean share of each source in the counts of each channel, after the counts, a panel for each prior. Behind the name: "
        "what was counted; an upper limit or an interval counts as the number of events that tells as much. Means of a wide "
        "spread: one source usually has nearly all, which one is what is not known."
    )
    return markup.figure([markup.image(to_data_uri(drawn), "Shares of the sources by channel")], caption, wide=True) + (
        f"<details><summary>The shares as a table</summary>{markup.table(heads, rows, 'wide')}</details>"
    )


def _further(result: xr.Dataset) -> str:
    if not all(name in result for name in _FURTHER):
        return markup.missing(
            "Further data were not ranked.",
            "They are left out where a source is named, where the sampler did not settle, and where they were not asked for.",
        )
    order = np.argsort(-result["information_gain"].values)
    ranked = result.isel(candidate=order)
    names = [str(name) for name in ranked["candidate"].values]
    bits, decided = ranked["information_gain"].values, ranked["decided_probability"].values
    opened = float(result["leader_entropy"])
    drawn = draw_candidates(names, bits, decided, opened)
    table = load_table("inference", "attribution_candidates").set_index("name")
    rows: list[list[str | Number]] = [
        [unbroken(markup.text(name)), markup.text(ranked["candidate_meaning"].values[k]), Number(f"{bits[k]:.2f}"),
         Number(f"{100 * decided[k]:.0f} %"), markup.confidence_mark(table["confidence"].get(name))]
        for k, name in enumerate(names)
    ]  # fmt: skip
    said = markup.paragraph(
        f"Best: <strong>{markup.text(names[0])}</strong> ({markup.text(ranked['candidate_meaning'].values[0])}): {bits[0]:.2f} "
        f"of {opened:.2f} bit that are open, and a source is named afterwards in {100 * decided[0]:.0f} % of the cases."
    )
    caption = (
        "Information that a further datum is expected to give about the leading source, all priors together; a lower bound, so "
        "that small values may be a little larger. Behind the bars: probability that a source is named afterwards under every "
        "prior. Dashed: what is open now (entropy of the leading source)."
    )
    return (
        said
        + markup.figure([markup.image(to_data_uri(drawn), "Expected information of further data")], caption)
        + markup.table(["datum", "meaning", "information, bit", "decides in", "assumption"], rows, "wide")
    )


def _events(result: xr.Dataset) -> str:
    sources, priors = _names(result)
    odds = result["event_odds"].transpose("event", "prior", "origin").values
    names = [str(name) for name in result["event"].values]
    drawn = draw_events(names, sources, priors, odds / (1.0 + odds))
    verdicts = [str(one) for one in result["event_verdict"].values] if "event_verdict" in result else []
    open_ones = sum(one == "undecidable" for one in verdicts)
    words = markup.paragraph(f"Alone, {open_ones} of {len(verdicts)} events are undecidable.") if verdicts else ""
    rows: list[list[str | Number]] = [[markup.text(name.replace("T", " ")), markup.text(one), *_best(odds[k], sources, priors)]
            for k, (name, one) in enumerate(zip(names, verdicts, strict=True))] if verdicts else []  # fmt: skip
    caption = (
        "Probability that a source supplies the most of the counts of an event, each event alone, a panel for each prior. Times: "
        "arrival of the shock, UTC."
    )
    return (
        words
        + markup.figure([markup.image(to_data_uri(drawn), "Probability of the sources by event")], caption, wide=True)
        + markup.table(["event", "verdict", *(f"highest odds, {prior}" for prior in priors)], rows, "wide")
    )


def _best(odds: Array, sources: list[str], priors: list[str]) -> list[str | Number]:
    return [f"{markup.text(sources[int(row.argmax())])} {markup.number(float(row.max()), 2)}" for row in odds[: len(priors)]]


def _table(result: xr.Dataset) -> str:
    rows: list[list[str | Number]] = []
    sources, priors = _names(result)
    for prior in priors:
        for origin in sources:
            one = result.sel(prior=prior, origin=origin)
            error = f"{float(one['leading_probability']):.3f} ± {float(one['sampling_error']):.3f}"
            rows.append([
                markup.text(prior), unbroken(markup.text(origin)), Number(f"{float(one['prior_probability']):.3g}"),
                Number(measured(one, "prior_counts")), Number(markup.number(float(one["bayes_factor"]), 2)), Number(error),
                Number(markup.number(float(one["posterior_odds"]), 2)), Number(_share(one)),
            ])  # fmt: skip
    heads = ["prior", "source", "before", "counts expected before", "Bayes factor", "after", "odds", "share, %"]
    words = markup.paragraph(
        "Before and after: probability to supply the most counts, after with its sampling error. Counts expected before, and "
        "share of the counts after: medians with 16 and 84 % ends. A median share of nearly zero with a large upper end means "
        "that the source has either nearly nothing or nearly all."
    )
    return words + markup.table(heads, rows, "wide")


def _share(one: xr.Dataset) -> str:
    value, low, high = (100.0 * float(one[f"count_share{end}"]) for end in _ENDS)
    return f"{value:.0f} ({low:.0f} to {high:.0f})"


def _priors(result: xr.Dataset) -> str:
    table = load_table("inference", "attribution_priors").set_index("name")
    rows: list[list[str | Number]] = []
    for prior in _names(result)[1]:
        one = result.sel(prior=prior)
        known = prior in table.index
        rows.append([
            markup.text(prior), markup.text(table.loc[prior, "meaning"]) if known else "–", markup.text(one["rests_on"].item()),
            Number(f"{float(one['log_evidence']):.1f}".replace("-", "\N{MINUS SIGN}")),
            Number(f"{float(one['effective_samples']):.0f}"),
        ])  # fmt: skip
    heads = [
        "prior",
        "what it says",
        "the lead before the counts rests most on",
        "logarithm of the evidence",
        "effective samples",
    ]
    words = markup.paragraph(
        "The evidence is the probability of the counts under the prior; a difference of 2.3 is a factor of 10. Below stand all "
        "factors, ions and settings of the attribution with their ends and confidence: whoever knows better replaces a row."
    )
    folded = "".join(_assumptions(name, words) for name, words in
                     (("factors", "context factors"), ("ions", "ions"), ("settings", "settings")))  # fmt: skip
    return markup.table(heads, rows, "wide") + words + folded


def _assumptions(name: str, words: str) -> str:
    """A table of the package with its confidence, folded."""
    table = load_table("inference", f"attribution_{name}")
    columns = [column for column in table.columns if column != "confidence"]
    rows: list[list[str | Number]] = [
        [*(markup.text("" if row[column] != row[column] else row[column]) for column in columns),
         markup.confidence_mark(row["confidence"])]
        for row in json.loads(table.to_json(orient="records"))
    ]  # fmt: skip
    unsure = int((table["confidence"] == "unverified").sum())
    body = markup.table([*(column.replace("_", " ") for column in columns), "confidence"], rows, "cards")
    return f"<details><summary>{len(rows)} {words}, {unsure} of them unverified</summary>{body}</details>"
