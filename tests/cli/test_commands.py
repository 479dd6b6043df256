"""Every command as a user calls it: what it prints, what it writes, how it fails."""

import json
import os
import re
import subprocess
import sys

import pytest

import siderion

SMALL = [
    "--hours", "1", "--spin-up", "0.5", "--velocity-at", "00:00", "--set", "output_interval=0.5", "--set", "time_step=120",
    "--set", "grid.resolution=5", "--set", "grid.fine_step=3", "--set", "grid.coarse_step=10", "--set", "drivers.wind=none",
    "--set", "drivers.lat_step=5", "--set", "drivers.lon_step=15", "--set", "drivers.edge_latitude=35",
]  # fmt: skip


def call(*arguments, cache=None):
    environment = {**os.environ, **({"SIDERION_CACHE": str(cache)} if cache else {})}
    command = [sys.executable, "-m", "siderion", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    done = call("run", "--date", "2023-06-18", *SMALL, "-o", folder / "out", cache=folder / "cache")
    assert done.returncode == 0, done.stderr
    assert "largest density between 115 and 125 km" in done.stdout
    assert "budget closes" in done.stdout
    return folder / "out"


def test_run_writes_store_and_page(output):
    assert (output / "polar.zarr" / "zarr.json").exists()
    page = (output / "report.html").read_text(encoding="utf-8")
    assert "<html" in page
    assert "Mass budget" in page
    assert "http" not in page.split("<style")[0]


def test_dry_run_names_cells_memory_and_time_and_writes_nothing(tmp_path):
    done = call("run", "--date", "2023-06-18", "--preset", "paper", "--dry-run", "-o", tmp_path / "out")
    assert done.returncode == 0
    for word in ("cells", "memory", "time", "steps"):
        assert word in done.stdout
    assert not (tmp_path / "out").exists()


def test_sample_along_a_track(output, tmp_path):
    track = tmp_path / "track.csv"
    track.write_text("time,lat,lon,alt\n2023-06-18T00:10:00,70,20,120\n2023-06-18T00:20:00,71,25,125\n")
    done = call("sample", output / "polar.zarr", "--track", track, "--json")
    assert done.returncode == 0, done.stderr
    whole = json.loads(done.stdout)
    assert set(whole) == {"command", "version", "settings", "variables"}
    assert whole["command"] == "sample"
    density = whole["variables"]["number_density"]
    assert density["units"] == "m-3"
    assert density["dims"] == ["species", "point"]
    assert all(value > 0 for value in density["values"][0])
    done = call("sample", output / "polar.zarr", "--track", track, "-o", tmp_path / "track.nc")
    assert done.returncode == 0, done.stderr
    assert siderion.open_dataset(tmp_path / "track.nc").sizes["point"] == 2


def test_cite_names_sources_and_marks_the_unverified(output):
    done = call("cite", output / "polar.zarr")
    assert done.returncode == 0
    assert "doi:10.1051/swsc/2025056" in done.stdout
    assert "[unverified]" in done.stdout
    table = json.loads(call("cite", output / "polar.zarr", "--json").stdout)["variables"]
    assert len(table["citation"]["values"]) > 10


def test_report_of_an_existing_output(output, tmp_path):
    done = call("report", output / "polar.zarr", "-o", tmp_path / "page.html")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "page.html").stat().st_size > 100_000


def test_days_selects_the_days_of_the_paper():
    done = call("days", "--json")
    assert done.returncode == 0, done.stderr
    variables = json.loads(done.stdout)["variables"]
    chosen = [day[:10] for day, yes in zip(variables["day"]["values"], variables["selected"]["values"], strict=True) if yes]
    assert {"2022-06-03", "2023-06-18", "2024-08-26"} <= set(chosen)


def test_days_shows_every_reading_for_the_days_of_the_paper_and_the_others():
    done = call("days", "--by", "5", "--bz-fraction", "0.8", "--months", "6", "7", "8")
    assert done.returncode == 0, done.stderr
    assert "the days of Andoh et al. 2026: 9 (9 separate, 7 joint, 5 every_hour)" in done.stdout
    assert "other days that meet the criterion: 5" in done.stdout
    assert "2023-12-20" not in done.stdout
    assert "By is reconstructed" in done.stdout


def test_figures_and_statements_of_the_paper(output, tmp_path):
    done = call(
        "report", output / "polar.zarr", "--paper", "-o", tmp_path / "paper.html", "--figures", tmp_path / "figures",
        cache=output.parent / "cache",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "paper.html").read_text(encoding="utf-8")
    assert all(f"Figure {number}:" in page for number in (*range(1, 9), "S1", "S2", "S3"))
    assert "cannot be compared" in page
    assert {path.stem for path in (tmp_path / "figures").iterdir()} >= {"figure_2", "figure_6", "figure_s3"}


def test_ensemble_of_two_days(tmp_path, output):
    short = ["--hours", "1", "--set", "spin_up=0.5", "--set", "velocity_at=['00:00']", *SMALL[6:]]
    command = ["ensemble", "--date", "2023-06-18", "2023-07-31", *short, "-o", tmp_path / "out"]
    planned = call(*command, "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "2 members" in planned.stdout
    assert not (tmp_path / "out").exists()
    done = call(*command, "--json", cache=output.parent / "cache")
    assert done.returncode == 0, done.stderr
    whole = json.loads(done.stdout)
    assert whole["variables"]["member"]["values"] == ["2023-06-18", "2023-07-31"]
    assert (tmp_path / "out" / "ensemble.zarr" / "zarr.json").exists()
    assert (tmp_path / "out" / "ensemble.html").exists()


def test_run_as_json(tmp_path, output):
    done = call(
        "run", "--date", "2023-06-18", *SMALL, "-o", tmp_path / "out", "--json", cache=output.parent / "cache"
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    whole = json.loads(done.stdout)
    assert whole["settings"]["date"] == "2023-06-18"
    assert whole["variables"]["largest_number_density"]["values"][0] > 1e9
    initial, residual = (whole["variables"][f"budget_{name}"]["values"][0] for name in ("initial", "residual"))
    assert abs(residual) < 1e-6 * initial


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "no date"),
        (["run", "--date", "2019-01-01"], "2018-12-31.*give a file"),
        (["run", "--date", "yesterday"], "date"),
        (["run", "--date", "2023-06-18", "--preset", "huge"], "preset"),
        (["run", "--date", "2023-06-18", "--set", "grid.top=80"], "top"),
        (["run", "--date", "2023-06-18", "--set", "nonsense"], "name=value"),
        (["run", "--date", "2023-06-18", "--species", "Xx+"], "Xx"),
        (["run", "--date", "2023-06-18", "--settings", "missing.toml"], "missing.toml"),
        (["run", "--date", "2023-06-18", "--set", "drivers.replace=['missing.nc']", "--set", "drivers.wind=none"], "missing.nc"),
        (["report", "missing.zarr"], "does not exist"),
        (["report", "missing.zarr", "--figures", "here"], "add --paper"),
        (["ensemble", "--date", "2023-06-18", "2023-06-18"], "twice"),
        (["cite", "."], "neither|no sources"),
        (["sample", ".", "--track", "missing.csv"], "missing.csv"),
        (["days", "missing.csv"], "missing.csv"),
    ],
)
def test_bad_input_is_one_message_and_status_2(arguments, message, tmp_path, output):
    extra = ["-o", tmp_path / "out"] if arguments[0] == "run" else []
    done = call(*arguments, *extra, cache=output.parent / "cache")
    assert done.returncode == 2, (done.stdout, done.stderr)
    last = done.stderr.strip().splitlines()[-1]
    assert re.search(message, last), done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "polar.zarr").exists()


def test_a_closed_pipe_is_no_error():
    command = f"set -o pipefail; {sys.executable} -m siderion days | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert done.stdout.startswith("criterion")
