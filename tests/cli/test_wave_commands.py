"""`siderion waves` and `siderion exosphere` as a user calls them."""

import gzip
import json
import re
import subprocess
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from siderion.io.store import open_tree

sys.path.insert(0, str(Path(__file__).parents[1] / "waves"))
from test_survey import write_day


def call(*arguments):
    command = [sys.executable, "-m", "siderion", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("waves")
    files = [write_day(folder / f"day{day}.csv", day, day) for day in (1, 2)]
    output = folder / "out" / "events.nc"
    done = call("waves", *files, "--body", "mercury", "--species", "H+,H2+", "--frame", "MSO", "-o", output,
                "--set", "examples=1", "--set", "detection.criteria.signal_to_noise=1.5")  # fmt: skip
    assert done.returncode == 0, done.stderr
    return output, done


def test_waves_prints_the_events_and_why_others_are_none(made):
    _, done = made
    assert "19200 vectors" in done.stdout
    assert re.search(r"2 events$", done.stdout, flags=re.MULTILINE)
    assert len(re.findall(r"^2012-03-0[12]T12:\S+ .* H\+ ", done.stdout, flags=re.MULTILINE)) == 2
    assert re.search(r"^H2\+ +\d+ +0 +\w+", done.stdout, flags=re.MULTILINE)


def test_waves_writes_groups_with_their_settings_and_a_page(made):
    output, _ = made
    with open_tree(output) as tree:
        assert {"windows", "events", "examples"} <= set(tree.children)
        windows = tree["windows"].to_dataset().load()
        settings = json.loads(windows.attrs["settings"])
        assert settings["detection"]["criteria"]["signal_to_noise"] == 1.5
        for name in ("time_bounds", "window_length", "gyrofrequency", "bins_in_band", "power_parallel", "power_perpendicular",
                     "ellipticity", "polarization_degree", "detected", "rejection", "ion_density_lower",
                     "neutral_density_upper", "position", "radial_distance"):  # fmt: skip
            assert name in windows
        assert windows.attrs["plasma_density_origin"].startswith("geometric middle")
        good = windows["neutral_density_flag"].values == 0
        assert good.any()
        value, low, high = (windows[f"neutral_density{end}"].values[good] for end in ("", "_lower", "_upper"))
        assert ((low <= value) & (value <= high)).all()
    page = output.with_suffix(".html").read_text(encoding="utf-8")
    assert "<html" in page
    assert "http" not in page.split("<style")[0]


def test_cite_and_report_take_the_output(made, tmp_path):
    output, _ = made
    done = call("cite", output)
    assert done.returncode == 0, done.stderr
    assert "Lammer et al. 2025" in done.stdout
    done = call("report", output, "-o", tmp_path / "again.html")
    assert done.returncode == 0, done.stderr
    assert "Events" in (tmp_path / "again.html").read_text(encoding="utf-8")


def test_waves_json(made, tmp_path):
    output, _ = made
    files = [output.parents[1] / "day1.csv"]
    done = call("waves", *files, "--body", "Mercury", "--species", "H+", "--frame", "MSO", "-o", tmp_path / "e.nc", "--json",
                "--no-report")  # fmt: skip
    assert done.returncode == 0, done.stderr
    whole = json.loads(done.stdout)
    assert set(whole) == {"command", "version", "settings", "variables"}
    assert whole["variables"]["species"]["values"] == ["H+"]
    assert whole["variables"]["neutral_density"]["units"] == "m-3"
    assert not (tmp_path / "e.html").exists()


def test_a_real_flyby(tmp_path):
    data = resources.files("siderion.io") / "data" / "magnetometer" / "galileo_G01_IAU.txt.gz"
    path = tmp_path / "g1.txt"
    path.write_bytes(gzip.decompress(data.read_bytes()))
    done = call("waves", path, "--body", "ganymede", "--frame", "IAU_GANYMEDE", "--units", "nT", "--position-units", "R",
                "--spin-period", "19.05", "-o", tmp_path / "g1.nc")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "0 events" in done.stdout
    assert "lines of fixed frequency masked (Hz): 0.0525" in done.stdout
    assert "not finite" not in done.stderr


def test_exosphere_of_a_body_without_data(tmp_path):
    done = call("exosphere", "--body", "mercury", "--species", "He,H2", "-o", tmp_path / "exo.nc")
    assert done.returncode == 0, done.stderr
    assert "He  thermal    surface density 1.1e+03 cm-3" in done.stdout
    with open_tree(tmp_path / "exo.nc") as tree:
        assert set(tree.children) == {"He", "H2"}
        assert float(tree["He/fit"]["model_density"][0]) == pytest.approx(1.25e9, rel=1e-6)
    assert (tmp_path / "exo.html").exists()


def test_exosphere_of_too_few_events_says_so(made, tmp_path):
    done = call("exosphere", made[0], "-o", tmp_path / "exo.nc")
    assert done.returncode == 2
    assert "bins for 2 free parameters" in done.stderr


def constant(path):
    time = np.datetime_as_string(np.datetime64("2012-01-01") + np.arange(4000).astype("timedelta64[s]"))
    pd.DataFrame({"time": time, "bx [nT]": 60.0, "by [nT]": 0.0, "bz [nT]": 0.0}).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["waves", "none.tab", "--body", "mercury"], "does not exist"),
        (["waves", "{file}", "--body", "pluto"], "unknown"),
        (["waves", "{file}"], "--body"),
        (["waves", "{file}", "--body", "26P"], "--plasma-density"),
        (["waves", "{file}", "--body", "mercury", "--species", "Xy+"], "unknown"),
        (["waves", "{file}", "--body", "mercury", "--species", "H+,H+"], "twice"),
        (["waves", "{file}", "--body", "mercury", "--convention", "mine"], "lammer2025"),
        (["waves", "{file}", "--body", "mercury", "--region", "solar_wind"], "position"),
        (["waves", "{file}", "--body", "mercury", "--set", "detection.criteria.ellipticity=2"], "ellipticity"),
        (["waves", "{file}", "--body", "europa", "--species", "H+"], "a cadence of 1 s gives"),
        (["exosphere", "{file}"], "no NetCDF"),
        (["exosphere"], "--body"),
        (["exosphere", "--body", "mercury"], "--species"),
        (["exosphere", "--body", "mercury", "--species", "Na"], "Na"),
    ],
)
def test_bad_input_is_one_message_and_status_2(tmp_path, arguments, message):
    file = constant(tmp_path / "a.csv")
    given = [str(file) if part == "{file}" else part for part in arguments]
    done = call(*given, "-o", tmp_path / "out.nc")
    assert done.returncode == 2, done.stdout + done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out.nc").exists()
