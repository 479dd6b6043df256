from __future__ import annotations

import base64
import json
import re
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg

from siderion.report.wave_figures import WaveExample, draw_example, draw_occurrence, draw_overview, draw_rejections, grouped
from siderion.report.wave_words import flag_words
from siderion.report.waves_page import (
    bin_width,
    events_table,
    occurrence,
    rejection_shares,
    render_waves_page,
    survey_of,
    wave_example,
)
from siderion.waves.criteria import MEANINGS, Rejection

START = np.datetime64("2012-03-01T00:00:00", "ns")
STEP = np.timedelta64(50, "s")
RADIUS = 2440.0
SPECIES = np.array(["H+", "H2+", "He+"], dtype=object)
FLAGS = {"flag_values": np.array([0, 3], dtype=np.int16), "flag_meanings": "good no_ionisation_rate_of_the_neutral"}
ATTRIBUTES = {
    "kind": "siderion waves", "body": "Mercury", "body_radius_km": RADIUS, "frame": "MSO", "vectors": 144000,
    "title": "Waves <b>at</b> Mercury", "convention": "lammer2025", "convention_transfer_efficiency": 0.3,
    "convention_gyration_factor": 2 * np.pi, "convention_growth_gyrations": 100.0, "convention_kinetic_energy_included": 0,
    "plasma_density_cm3": 48.99, "plasma_density_spread": "log-uniform, 30 to 80 cm-3", "plasma_density_origin": "the <i>preset",
    "refused": json.dumps({"Na+": "Na+: needs 900 s <long>"}), "repairs": json.dumps({"duplicates_removed": 7, "missing": 0}),
    "fixed_lines": json.dumps([{"frequency_hz": 0.05, "half_width_hz": 0.002, "reason": "spin & tone"}] * 10),
    "files": json.dumps(["a&b.csv"]), "settings": json.dumps({"region": {"keep": "solar_wind"}}), "siderion_version": "0.1.0",
    "sources": json.dumps([{"what": "body <plasma>", "model": "preset", "citation": "x", "confidence": "unverified"}]),
}  # fmt: skip


class Checker(HTMLParser):
    """Fail on a tag closed out of order or a reference to the outside; collect text."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.images, self.anchors, self.targets = [], "", 0, set(), set()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        assert tag not in ("script", "link", "iframe", "b", "i", "long", "plasma")
        assert values.get("src", "data:").startswith("data:image/png;base64,"[: len(values.get("src", "data:"))][:5])
        self.images += tag == "img"
        self.anchors |= {values["id"]} if "id" in values else set()
        self.targets |= {values["href"][1:]} if values.get("href", "").startswith("#") else set()
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data if "style" not in self.open[-1:] else ""


def parsed(page):
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    assert checker.targets <= checker.anchors
    return checker


def wave_tree(number=3, windows=60, position=True, examples=None, **attributes):
    """Windows in steps of 50 s, events of two windows each, of H+, H2+, He+ in turn; numbers that differ from event to event."""
    time = START + STEP * np.arange(windows)
    reasons = np.full((windows, 3), int(Rejection.WEAK), dtype=np.int32)
    reasons[::2, 0] |= int(Rejection.LOW_POLARIZATION)
    first = np.array([(2 * k) % (windows - 1) for k in range(number)], dtype=np.int64)
    column = np.arange(number) % 3
    for row, k in zip(first, column, strict=True):
        reasons[row : row + 2, k] = 0
    density = 1e7 * np.exp(np.linspace(0.0, 2.0, windows))[:, None] * np.array([1.0, 2.0, 3.0])
    both = ("time", "species")
    held = xr.Dataset(
        {
            "rejection": (both, reasons), "detected": (both, reasons == 0), "stretch": ("time", (time > time[windows // 2]) + 0),
            "magnetic_field_strength": ("time", np.linspace(20.0, 30.0, windows)),
            "time_bounds": (("time", "bound"), np.stack([time - STEP // 2, time + STEP // 2], 1)),
            "alfven_speed_ratio": ("time", np.full(windows, 0.2)), "pickup_gyroradius": (both, np.full((windows, 3), 244.0)),
            **{f"neutral_density{end}": (both, density * factor)
               for end, factor in (("", 1.0), ("_lower", 0.5), ("_upper", 2.0))},
            "neutral_density_upper_limit": (both, reasons != 0),
        },
        coords={"time": time, "species": SPECIES},
    )  # fmt: skip
    ramp = np.arange(number, dtype=float)
    events = xr.Dataset(
        {
            "species": ("event", SPECIES[column]), "start": ("event", time[first] - STEP // 2),
            "end": ("event", time[first] + 3 * STEP // 2), "time": ("event", time[first] + STEP // 2),
            "magnetic_field_strength": ("event", 20.0 + ramp), "gyrofrequency": ("event", 0.3 + 0.001 * ramp),
            "peak_frequency": ("event", 0.29 + 0.001 * ramp), "ellipticity": ("event", -0.9 + 0.0001 * ramp),
            "polarization_degree": ("event", 0.95 - 0.0001 * ramp), "signal_to_noise": ("event", 12.0 + ramp),
            "band_lower": ("event", 0.24 + 0 * ramp), "band_upper": ("event", 0.36 + 0 * ramp),
            "ion_density": ("event", 1.1e4 + 110.0 * ramp), "ambiguous_with": ("event", np.array(["D+"] * number, dtype=object)),
            "neutral_density_flag": ("event", np.zeros(number, dtype=np.int16), FLAGS),
            "neutral_density_upper_limit": ("event", np.zeros(number, dtype=bool)),
            **{f"neutral_density{end}": ("event", 1e6 * factor * (21.0 + ramp))
               for end, factor in (("", 1.0), ("_lower", 0.5), ("_upper", 2.0))},
        }
    )  # fmt: skip
    if position:
        held["radial_distance"] = ("time", RADIUS * np.linspace(2.0, 6.0, windows))
        events["radial_distance"] = ("event", RADIUS * (2.0 + 0.5 * (ramp % 8)))
    count = min(number, 1) if examples is None else examples
    frequency = np.linspace(0.02, 2.0, 60)
    shown = xr.Dataset(
        {
            "example_event": ("example", np.arange(count, dtype=np.int64)),
            "sample_time": (("example", "sample"), np.tile(START + np.timedelta64(1, "s") * np.arange(100), (count, 1))),
            "aligned_field": (
                ("example", "sample", "component"),
                np.tile(np.sin(np.arange(300.0)).reshape(100, 3), (count, 1, 1)),
            ),
            "spectrum_frequency": (("example", "frequency"), np.tile(frequency, (count, 1))),
            "density_across": (("example", "frequency"), np.tile(frequency**-1.7, (count, 1))),
            "density_along": (("example", "frequency"), np.tile(0.1 * frequency**-1.7, (count, 1))),
        }
    )
    attrs = ATTRIBUTES | attributes
    return xr.DataTree.from_dict(
        {
            "/": xr.Dataset(attrs=attrs),
            "windows": held.assign_attrs(attrs),
            "events": events.assign_attrs(attrs),
            "examples": shown,
        }
    )


@pytest.fixture(scope="module")
def page():
    return render_waves_page(wave_tree())


def cells(html):
    """Text of the cells of a table, row by row."""
    rows = re.findall(r"<tr>(.*?)</tr>", html.split("<tbody>")[1].split("</tbody>")[0])
    return [[unescape(re.sub(r"<[^>]+>", " ", one)).split() for one in re.findall(r"<td.*?</td>", row)] for row in rows]


# ---------------------------------------------------------------------- page


def test_page_is_whole_and_self_contained(page):
    checker = parsed(page)
    # one example, three profiles, the series, the occurrence, the reasons
    assert checker.images == 7
    assert {"events", "examples", "profiles", "series", "reasons", "how", "sources", "settings", "cite"} <= checker.anchors
    assert all(base64.b64decode(one)[:4] == b"\x89PNG" for one in re.findall(r"base64,([^\"]+)", page))


def test_texts_of_the_data_are_escaped(page):
    for plain in (
        "Waves &lt;b&gt;at",
        "the &lt;i&gt;preset",
        "900 s &lt;long&gt;",
        "spin &amp; tone",
        "a&amp;b.csv",
        "body &lt;plasma&gt;",
    ):
        assert plain in page


def test_head_and_words(page):
    text = " ".join(parsed(page).text.split())
    # 100 radians are 100 / (2 pi) = 15.9 gyroperiods
    for said in (
        "3 (H⁺ 1, H₂⁺ 1, He⁺ 1)", "lammer2025", "15.9 gyroperiods", "duplicates removed 7", "2 more",
        "Only windows of the solar wind",
        "0.1 radii of the body", "Regions: not known", "could not be applied", "values marked unverified",
    ):  # fmt: skip
        assert said in text, said
    assert "missing 0" not in text


def test_table_holds_the_numbers_of_the_data_set():
    events = wave_tree()["events"].to_dataset()
    second = cells(events_table(events, RADIUS))[1]
    assert second[0] == ["2"]
    assert second[1] == ["2012-03-01", "00:01:15"]
    assert second[2] == ["1.7"]  # two cells of 50 s, minutes
    assert second[3] == ["H₂⁺"]
    assert second[4:7] == [["21"], ["0.301"], ["0.291"]]
    assert second[7:10] == [["−0.9"], ["0.95"], ["13"]]
    assert second[10] == ["0.0111"]
    assert second[11] == ["22", "11", "to", "44"]
    assert second[12] == ["2.50"]
    assert second[13] == ["D⁺"]


def test_density_without_rate_is_named_not_printed():
    events = wave_tree()["events"].to_dataset()
    events["neutral_density"][0] = np.nan
    events["neutral_density_flag"][0] = 3
    row = cells(events_table(events, RADIUS))[0]
    assert row[11] == ["–"]
    assert " ".join(row[13]) == "D⁺; no ionisation rate of the neutral"
    assert flag_words(events["neutral_density_flag"][1]) == ""


def test_many_events_are_cut_and_counted():
    html = events_table(wave_tree(500, windows=1200)["events"].to_dataset(), RADIUS)
    assert len(cells(html)) == 100
    assert "400 more are in the file" in html


def test_page_of_many_events_stays_small():
    tree = wave_tree(500, windows=1200, position=False)
    assert len(render_waves_page(tree)) < 2_000_000


def test_page_of_one_window_without_events():
    text = parsed(render_waves_page(wave_tree(0, windows=1))).text
    assert "No event." in text
    assert "nan" not in text.lower().replace("name", "")


def test_page_without_position_says_so():
    checker = parsed(render_waves_page(wave_tree(position=False)))
    assert "The series has no position." in checker.text
    assert checker.images == 3  # example, series, reasons


def test_refusals_of_several_files_and_no_record():
    tree = wave_tree(0, refused=json.dumps({"a.csv": {"O+": "O+: too slow"}, "b.csv": {"O+": "other"}}), fixed_lines="[]")
    del tree["windows"].attrs["convention_gyration_factor"]
    text = parsed(render_waves_page(tree)).text
    assert "Refused: O+: too slow." in text
    assert "other" not in text
    assert "No line of fixed frequency" in text
    assert "its factors are not in the output" in text


# ---------------------------------------------------------------------- what the figures show


def test_example_scales_the_other_gyrofrequencies_by_mass():
    tree = wave_tree()
    shown = wave_example(tree["examples"].to_dataset().isel(example=0), tree["events"].to_dataset(), list(SPECIES))
    # mass of H+ over those of H2+ and He+: standard atomic weights 1.008 and 4.0026 less one electron
    proton = 1.008 - 0.00054858
    assert shown.others["H2+"] == pytest.approx(0.3 * proton / (proton + 1.008), rel=1e-5)
    assert shown.others["He+"] == pytest.approx(0.3 * proton / (4.0026 - 0.00054858), rel=1e-5)
    assert "left-handed" in shown.title
    assert "−0.90" in shown.title


def example(**changes):
    frequency = np.linspace(0.02, 2.0, 50)
    values = {
        "title": "x", "species": "H+", "time": START + np.timedelta64(1, "s") * np.arange(30), "field": np.ones((30, 3)),
        "frequency": frequency, "across": frequency**-1, "along": 0.1 / frequency, "gyrofrequency": 0.4, "band": (0.3, 0.5),
        "others": {"H2+": 0.2, "D+": 0.2001, "Cl-": 0.0001},
    }  # fmt: skip
    return WaveExample(**(values | changes))


def test_gyrofrequency_band_and_marks_stand_at_their_frequencies():
    figure = draw_example(example())
    spectrum = figure.axes[3]
    by_name = {line.get_gid(): line for line in spectrum.lines if line.get_gid()}
    assert set(by_name["gyrofrequency"].get_xdata()) == {0.4}
    assert by_name["gyrofrequency"].get_color() == "black"
    assert set(by_name["gyrofrequency H2+"].get_xdata()) == {0.2}
    assert "gyrofrequency Cl-" not in by_name  # left of the axis
    dashed = [line.get_xdata()[0] for line in spectrum.lines if line.get_linestyle() == "--"]
    assert sorted(dashed) == [0.3, 0.5]
    assert spectrum.get_xscale() == spectrum.get_yscale() == "log"
    assert "nT$^2$ Hz$^{-1}$" in spectrum.get_ylabel()


def test_labels_of_near_gyrofrequencies_do_not_overlap():
    figure = draw_example(example())
    FigureCanvasAgg(figure).draw()
    boxes = [text.get_window_extent() for text in figure.axes[3].texts]
    assert len(boxes) == 3
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])


def test_components_share_one_scale():
    field = np.ones((30, 3)) * [1.0, -3.0, 0.5]
    limits = {axes.get_ylim() for axes in draw_example(example(field=field)).axes[:3]}
    assert len(limits) == 1
    low, high = limits.pop()
    assert low == -high
    assert high > 3.0


def test_overview_marks_detections_at_their_times():
    tree = wave_tree()
    survey = survey_of(tree["windows"].to_dataset(), list(map(str, SPECIES)))
    figure = draw_overview(survey)
    marks = next(line for line in figure.axes[1].lines if line.get_gid() == "detections H2+")
    assert list(marks.get_xdata()) == list(survey.time[[2, 3]])
    assert [label.get_text() for label in figure.axes[1].get_yticklabels()] == ["He⁺", "H₂⁺", "H⁺"]
    assert set(marks.get_ydata()) == {1}


def test_gaps_are_not_bridged_and_long_series_keep_their_extremes():
    count = 5000
    values = np.sin(np.arange(count) / 300.0)
    values[1234] = 9.0
    stretch = (np.arange(count) >= 2000).astype(int)
    times, middle, _, high = grouped(START + STEP * np.arange(count), values, stretch)
    assert len(times) < 1600
    assert np.nanmax(high) == 9.0
    assert np.isnan(middle).sum() == 2
    assert np.isnan(middle[-1])


def test_occurrence_counts_every_window_once():
    survey = survey_of(wave_tree()["windows"].to_dataset(), list(map(str, SPECIES)))
    edges, searched, detected = occurrence(survey)
    assert np.allclose(np.diff(edges), 0.5)
    assert searched.sum(axis=0).tolist() == [60, 60, 60]
    assert detected.sum(axis=0).tolist() == [2, 2, 2]
    figure = draw_occurrence(edges, searched, detected, survey.species, "Mercury")
    # windows 0 and 1 lie at 2.0 and 2.07 radii, where 8 windows (steps of 4 / 59 radii) share the bin
    assert figure.axes[0].patches[0].get_height() == pytest.approx(100.0 * 2 / 8)


def test_shares_of_reasons_are_those_of_the_windows():
    shares = rejection_shares(wave_tree()["windows"].to_dataset(), list(map(str, SPECIES)))
    assert shares.to_numpy()[0].tolist() == pytest.approx([100 * 58 / 60] * 3)
    # every second window of H+, less the first, which is a detection
    assert shares.to_numpy()[1].tolist() == pytest.approx([100 * 29 / 60, 0.0, 0.0])
    assert list(shares.index) == [Rejection.WEAK, Rejection.LOW_POLARIZATION]
    axes = draw_rejections([MEANINGS[one] for one in shares.index], shares.to_numpy(), ["H+", "H2+", "He+"]).axes[0]
    assert axes.yaxis_inverted()
    assert axes.patches[0].get_width() == pytest.approx(100 * 58 / 60)


def test_bins_widen_for_distant_orbits():
    assert bin_width(np.array([1.0, 7.0, np.nan])) == 0.5
    far = np.array([1.0, 5000.0])
    assert (far[1] - far[0]) / bin_width(far) <= 30
