from __future__ import annotations

import json
import re

import numpy as np
import pytest
import xarray as xr

from siderion.core.errors import DataError
from siderion.core.measurement import measurement_from_samples
from siderion.report import render_report
from siderion.report.attribution_figures import channel_label
from siderion.report.attribution_page import _events, _further, _priors


def plain(page):
    return " ".join(re.sub(r"<[^>]+>", "", re.sub(r"<style>.*?</style>", "", page, flags=re.S)).split())


@pytest.fixture(scope="module")
def result():
    """Made-up odds in the form that `siderion attribute` writes."""
    priors, origins, channels = (
        ["budget", "equal"],
        ["solar wind", "ionosphere", "metal layer", "Moon"],
        ["Fe+", "N2+/NO+", "m>34"],
    )
    generator = np.random.default_rng(1)
    after = np.array([[0.01, 0.62, 0.07, 0.30], [0.001, 0.7, 0.239, 0.06]])
    before = np.array([[0.1, 0.15, 0.05, 0.7], [0.25, 0.25, 0.25, 0.25]])
    shares, expected = generator.dirichlet(np.ones(4), (500, 2)), generator.lognormal(0.0, 2.0, (500, 2, 4))
    dims = ("prior", "origin")
    made = xr.merge([
        measurement_from_samples("count_share", shares, dims=dims, units="1", long_name="share"),
        measurement_from_samples("prior_counts", expected, dims=dims, units="1", long_name="counts"),
    ])  # fmt: skip
    odds = after / (1.0 - after)
    for name, values in (
        ("leading_probability", after), ("sampling_error", 0.07 * after), ("prior_probability", before),
        ("posterior_odds", odds), ("bayes_factor", odds / (before / (1.0 - before))),
    ):  # fmt: skip
        made[name] = (dims, values)
    for name, values in (("log_evidence", [-3.5, -2.0]), ("effective_samples", [900.0, 800.0]), ("rests_on", ["dust", "Kp"])):
        made[name] = ("prior", values)
    made["channel_share"] = (("prior", "origin", "channel"), generator.dirichlet(np.ones(4), (2, 3)).transpose(0, 2, 1))
    made["channel_counts"] = ("channel", [3.0, 5.0, 3.0])
    made = made.assign_coords(prior=priors, origin=origins, channel=channels)
    return made.assign_attrs(
        kind="siderion attribution", title="Odds of the sources", verdict="undecidable", verdict_reason="no prior reaches 10",
        settings=json.dumps({"threshold": 10.0, "region": "solar wind", "energy": [87.0, 212.0], "imf": [3.0, -4.0, 2.0]}),
        sources=json.dumps([{"what": "priors", "model": "orders", "confidence": "unverified", "citation": "assumed"}]),
    )  # fmt: skip


def with_further(result):
    names = ["charge state", "K+ and Na+"]
    made = result.assign_coords(candidate=names)
    for name, values in (("information_gain", [0.2, 0.9]), ("decided_probability", [0.1, 0.4])):
        made[name] = ("candidate", values)
    made["candidate_meaning"] = ("candidate", ["charges", "metals of the Moon"])
    made["leader_entropy"] = ((), 1.5)
    return made.assign_attrs(result.attrs)


def test_page_gives_the_verdict_and_the_odds_of_every_prior(result):
    page = render_report(with_further(result))
    text = plain(page)
    assert "Verdict: undecidable. No prior reaches 10." in text
    assert "Moon 0.06 to 0.30" in text
    assert "87 to 212" in text
    assert "3, −4, 2" in text
    for prior in ("budget", "equal"):
        for origin in ("Moon", "ionosphere"):
            one = result.sel(prior=prior, origin=origin)
            assert f"{float(one['leading_probability']):.3f} ± {float(one['sampling_error']):.3f}" in text
            assert f"{float(one['prior_probability']):.3g}" in text
    assert "Best: K+ and Na+ (metals of the Moon): 0.90 of 1.50 bit" in text
    assert "named afterwards in 40 % of the cases" in text
    for anchor in ("odds", "factors", "channels", "further", "table", "priors", "sources", "settings"):
        assert f'<section id="{anchor}">' in page
    assert page.count("<img") == 4
    assert not re.search(r'(src|href)="(?!data:|#|https://doi\.org)', page)


def test_priors_stand_in_the_open_with_their_confidence(result):
    text = plain(_priors(result) + _further(result))
    assert re.search(r"\d+ context factors, \d+ of them unverified", text)
    assert "never measured" in text
    assert "Further data were not ranked" in text


def test_events_of_a_table_are_shown_one_by_one(result):
    odds = np.stack([result["posterior_odds"].values, np.full(result["posterior_odds"].shape, 3.0)])
    made = result.assign_coords(event=["2004-01-22T01:10", "2005-09-02T13:32"])
    made["event_odds"] = (("event", "prior", "origin"), odds)
    made["event_verdict"] = ("event", ["undecidable", "Moon"])
    text = plain(_events(made))
    assert "Alone, 1 of 2 events are undecidable." in text
    assert "2004-01-22 01:10" in text


def test_channel_names():
    assert channel_label("N2+/NO+") == "N₂⁺/NO⁺"
    assert channel_label("m>34") == "m>34"
    assert channel_label("m/q 39-46") == "m/q 39-46"
    assert channel_label("Fe high") == "Fe high"


def test_what_is_missing_is_named_in_one_message(result):
    with pytest.raises(DataError, match="attribution: bayes_factor missing"):
        render_report(result.drop_vars("bayes_factor"))
