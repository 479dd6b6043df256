"""`siderion count` as a function that prints."""

import json

import pytest
from cyclopts import App

from siderion.cli.count import count
from siderion.core.errors import SettingsError
from siderion.io.store import open_dataset


@pytest.fixture
def call(capsys):
    app = App(result_action="return_value")
    app.command(count)

    def run(*arguments):
        app(["count", *map(str, arguments)], exit_on_error=False, print_error=False)
        return capsys.readouterr().out

    return run


def test_shipped_table(call):
    text = call("--draws", 1000)
    assert "Verdict: not significant" in text
    assert "2000-10-28: outside, 0 to 2: a rise" in text
    assert "0.0055" in text


def test_json(call):
    found = json.loads(call("--draws", 1000, "--json"))
    assert found["settings"]["significant"] == 0
    values = dict(zip(found["variables"]["test"]["values"], found["variables"]["p_value"]["values"], strict=True))
    assert values["permutation of events"] == pytest.approx(45 / 210)


def test_file_and_output(call, tmp_path):
    table = tmp_path / "counts.csv"
    table.write_text(
        "group,event,after\n" + "".join(f"{g},{g}{k},{n}\n" for g, n in (("inside", 9), ("outside", 1)) for k in range(5))
    )
    text = call(table, "--draws", 1000, "-o", tmp_path / "out.nc")
    assert "Verdict: significant" in text
    assert "significant at 0.05" in (tmp_path / "out.html").read_text()
    written = open_dataset(tmp_path / "out.nc")
    assert written.attrs["kind"] == "siderion count"
    assert int(written["count_after"].sum()) == 50


def test_totals(call):
    text = call("--inside", 17, "--inside-exposure", 6, "--outside", 2, "--outside-exposure", 4)
    assert "0.0055" in text
    assert "give the events" in text


@pytest.mark.parametrize(
    "arguments", [["--inside", 3], ["--draws", 1], ["x.csv", "--inside", 3, "--outside", 2], ["--level", 2], ["--seed", -1]]
)
def test_refusals(call, arguments):
    with pytest.raises(SettingsError):
        call(*arguments)
