"""Many files: joined as if read at once, resumed, refused with a reason."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.constants import atomic_mass, elementary_charge
from synthetic_waves import coloured_noise, cyclotron_packet

from siderion.core.errors import DataError, SettingsError, SiderionError
from siderion.io.store import open_tree
from siderion.waves import survey
from siderion.waves.analysis import make_wave_settings
from siderion.waves.survey import survey_waves

READING = {"body": "Mercury", "frame": "MSO"}
PROTON = elementary_charge / (1.00728 * atomic_mass)


def write_day(path, day, seed, wave=True):
    """40 minutes at 4 Hz with a proton wave of 15 minutes in the middle, at 4 radii of Mercury."""
    rng = np.random.default_rng(seed)
    time = np.arange(9600) * 0.25
    background = np.tile([15.0, 12.0, -9.0], (len(time), 1)) * (1.0 + 0.05 * seed)
    field = background + coloured_noise(rng, len(time), 0.25, 5 / 3, 0.02, 0.1, corner=1e-3)
    if wave:
        field += cyclotron_packet(
            rng, time, background, PROTON, 0.2, coherence_time=60, envelope="tukey", centre=1200, duration=900, level="peak"
        )
    stamps = np.datetime64(f"2012-03-{day:02d}T12:00") + (time * 1e3).astype("timedelta64[ms]")
    table = {"time": np.datetime_as_string(stamps, unit="ms")}
    table |= {f"b{c} [nT]": field[:, k].round(4) for k, c in enumerate("xyz")}
    table |= {f"{c} [km]": value for c, value in zip("xyz", (8000.0, 5000.0, 2000.0), strict=True)}
    pd.DataFrame(table).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("days")
    return [write_day(folder / f"day{day}.csv", day, day) for day in (1, 2, 3)]


@pytest.fixture(scope="module")
def settings():
    return make_wave_settings({"body": "Mercury", "species": ["H+", "H2+"], "examples": 2, "uncertainty": {"samples": 500}})


@pytest.fixture(scope="module")
def whole(files, settings, tmp_path_factory):
    output = tmp_path_factory.mktemp("out") / "events.nc"
    return survey_waves(files[::-1], settings, output, reading=READING), output


def test_every_file_has_its_event_and_they_are_in_order(whole):
    tree, _ = whole
    events, windows = tree["events"].to_dataset(), tree["windows"].to_dataset()
    assert events["species"].values.tolist() == ["H+"] * 3
    assert (np.diff(windows["time"].values) > np.timedelta64(0, "s")).all()
    assert [str(day)[8:10] for day in events["start"].values] == ["01", "02", "03"]
    for k in range(3):
        first, count = int(events["first_window"][k]), int(events["window_count"][k])
        assert windows["detected"].values[first : first + count, 0].all()
        assert windows["time_bounds"].values[first, 0] == events["start"].values[k]
    assert len(np.unique(windows["stretch"].values)) == 3
    assert json.loads(events.attrs["files"]) == ["day1.csv", "day2.csv", "day3.csv"]
    assert events.attrs["vectors"] == 3 * 9600


def test_examples_belong_to_the_strongest_events(whole):
    tree, _ = whole
    numbers = tree["examples"]["example_event"].values
    strength = tree["events"]["signal_to_noise"].values
    assert sorted(numbers) == sorted(np.argsort(-strength)[:2])
    assert np.isfinite(tree["examples"]["aligned_field"].values[:, :100]).all()


def test_the_file_holds_what_was_returned(whole):
    tree, output = whole
    with open_tree(output) as found:
        for group in ("windows", "events", "examples"):
            xr.testing.assert_allclose(found[group].to_dataset().load(), tree[group].to_dataset())
        assert found["windows"]["rejection"].attrs["flag_meanings"].startswith("insufficient_data")
        assert found["events"].attrs["convention"] == "lammer2025"
    assert not output.with_name("events.nc.parts").exists()


def test_a_survey_goes_on_where_it_was_stopped(files, settings, whole, tmp_path, monkeypatch):
    output, seen = tmp_path / "events.nc", []
    analyse = survey.analyse_waves

    def stop_at_the_third(series, *rest):
        seen.append(str(series.time.values[0])[8:10])
        if seen == ["01", "02", "03"]:
            raise KeyboardInterrupt
        return analyse(series, *rest)

    monkeypatch.setattr(survey, "analyse_waves", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        survey_waves(files, settings, output, reading=READING)
    assert not output.exists()
    resumed = survey_waves(files, settings, output, reading=READING)
    assert seen == ["01", "02", "03", "03"]
    for group in ("windows", "events", "examples"):
        xr.testing.assert_identical(resumed[group].to_dataset(), whole[0][group].to_dataset())


def test_a_file_that_fails_stops_the_survey_or_is_left_out(files, settings, tmp_path):
    bad = tmp_path / "day9.csv"
    bad.write_text("time,bx [nT],by [nT],bz [nT]\n", encoding="utf-8")
    output = tmp_path / "events.nc"
    with pytest.raises(SiderionError, match=r"day9.*--skip-failed"):
        survey_waves([files[0], bad], settings, output, reading=READING)
    assert not output.exists()
    tree = survey_waves([files[0], bad], settings, output, reading=READING, failed="skip")
    assert "day9" in tree["events"].attrs["failed_parts"]
    assert tree["events"].sizes["event"] == 1


def test_workers_give_the_same(files, settings, whole, tmp_path):
    tree = survey_waves(files, settings, tmp_path / "events.nc", reading=READING, scheduler=None, workers=1)
    xr.testing.assert_identical(tree["events"].to_dataset(), whole[0]["events"].to_dataset())


def test_overlapping_files_are_refused(files, settings, tmp_path):
    again = write_day(tmp_path / "again.csv", 1, 7, wave=False)
    with pytest.raises(DataError, match=r"overlap.*--files-per-part"):
        survey_waves([files[0], again], settings, tmp_path / "events.nc", reading=READING)


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"files": []}, DataError, "no files"),
        ({"files": ["missing.tab"]}, DataError, "does not exist"),
        ({"files_per_part": 0}, SettingsError, "at least 1"),
        ({"failed": "ignore"}, SettingsError, "skip"),
    ],
)
def test_bad_input(files, settings, tmp_path, change, kind, message):
    given = {"files": files, **change}
    with pytest.raises(kind, match=message):
        survey_waves(given.pop("files"), settings, tmp_path / "events.nc", **given)


def test_files_without_events_make_an_output_too(settings, tmp_path):
    quiet = [write_day(tmp_path / f"q{day}.csv", day, day, wave=False) for day in (5, 6)]
    tree = survey_waves(quiet, settings, tmp_path / "events.nc", reading=READING)
    assert tree["events"].sizes["event"] == 0
    with open_tree(tmp_path / "events.nc") as found:
        assert found["events"].sizes["event"] == 0
        assert found["windows"].sizes["time"] > 60
