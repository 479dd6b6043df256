"""`siderion pha` as a user calls it."""

import json
import subprocess
import sys

import pytest
import xarray as xr


def call(*arguments):
    command = [sys.executable, "-m", "siderion", "pha", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    path = tmp_path_factory.mktemp("pha") / "synthetic.gz"
    done = call("sample", "-o", path, "--events", 5000, "--seed", 7)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"wrote 5000 synthetic events to {path}"
    return path


def test_table_and_output(sample, tmp_path):
    done = call(sample, "-o", tmp_path / "out.nc")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("5000 events: ")
    assert "unknown" in done.stdout.splitlines()[1]
    assert "no measurement" in (tmp_path / "out.html").read_text(encoding="utf-8")
    found = xr.open_dataset(tmp_path / "out.nc", engine="h5netcdf")
    assert found.attrs["kind"] == "siderion pulse height"
    row = next(line for line in done.stdout.splitlines() if line.startswith("O+ ")).split()
    assert int(row[1]) == int(found["window_counts"].sel(window="O+", region="unknown").sum())
    assert json.loads(found.attrs["settings"])["mass"] == "file"
    assert {"what", "model", "confidence", "citation"} == set(json.loads(found.attrs["sources"])[0])


def test_json(sample):
    done = call(sample, "--mass", "recompute", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["settings"]["totals"]["events"] == 5000
    assert found["variables"]["window_counts"]["dims"] == ["window", "region", "lunar_sector", "kp_class"]


def test_a_file_that_fails_is_not_finished(sample, tmp_path):
    (tmp_path / "bad.txt").write_text("1995 1 2\n")
    for arguments in ((tmp_path / "bad.txt",), (tmp_path / "bad.txt", sample)):
        done = call(*arguments)
        assert done.returncode == 2
        assert "finished" not in done.stderr
        assert "bad.txt cannot be read\n" in done.stderr


def test_bad_input_is_one_message(sample, tmp_path):
    (tmp_path / "bad.txt").write_text("1995 1 2\n")
    for arguments, words in (
        ((tmp_path / "bad.txt",), "bad.txt, line 1: 3 columns"),
        ((sample, "--set", "a"), "--set a: write it as"),
    ):
        done = call(*arguments)
        assert done.returncode == 2
        assert words in done.stderr
        assert "Traceback" not in done.stderr
