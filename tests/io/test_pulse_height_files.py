"""Geotail/STICS event files: exact round trip, pieces of any size, faults named."""

import gzip
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siderion.core.errors import DataError, SettingsError
from siderion.io.pulse_height.columns import stics_columns
from siderion.io.pulse_height.geotail_stics import read_stics_events, stics_pieces
from siderion.io.pulse_height.writer import write_stics_events

COLUMNS = stics_columns()
ROW = " 1995 100  3  4  5.6   7 30 14 12  2  345  678  3  1  1 16.123 15.90"


def made_up(number, seed=0):
    """Values over the whole range of every column, with its decimals."""
    rng = np.random.default_rng(seed)
    values = {}
    for name, low, high, decimals in zip(COLUMNS.names, COLUMNS.minimum, COLUMNS.maximum, COLUMNS.decimals, strict=True):
        whole = rng.integers(round(low * 10**decimals), round(high * 10**decimals) + 1, number)
        values[name] = whole / 10.0**decimals
    return values


@pytest.fixture
def write(tmp_path):
    def make(text, name="events.txt"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return make


def test_what_is_written_is_read_back_exactly(tmp_path):
    values = made_up(5000)
    assert write_stics_events(tmp_path / "a.gz", [values], comments=["first line"]) == 5000
    events = read_stics_events(tmp_path / "a.gz")
    for name in COLUMNS.names:
        np.testing.assert_array_equal(events[name].values, values[name])
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()).startswith(b"# first line\n")


def test_file_does_not_depend_on_the_clock(tmp_path):
    for name in ("a.gz", "b.gz"):
        write_stics_events(tmp_path / name, [made_up(20)])
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_times_are_those_of_numpy(write):
    path = write("2000 60 0 0 0.1 0 0 0 0 0 0 1 0 0 0 1 0\n1996 366 23 59 59.9 0 0 0 0 0 0 1 0 0 0 1 0\n"
                 "2001 60 12 30 1.5 0 0 0 0 0 0 1 0 0 0 1 0\n")  # fmt: skip
    expected = np.array(["2000-02-29T00:00:00.1", "1996-12-31T23:59:59.9", "2001-03-01T12:30:01.5"], dtype="datetime64[ns]")
    np.testing.assert_array_equal(read_stics_events(path)["time"].values, expected)


@settings(max_examples=40)
@given(piece=st.integers(1, 3000), number=st.integers(1, 40), ending=st.sampled_from(["\n", "\r\n"]), last=st.booleans())
def test_size_of_pieces_changes_nothing(tmp_path_factory, piece, number, ending, last):
    path = tmp_path_factory.mktemp("p") / "a.txt"
    lines = ["# note", "YEAR DOY names", *[ROW.replace("345", f"{k:3d}") for k in range(number)]]
    path.write_bytes((ending.join(lines) + (ending if last else "")).encode())
    rows = list(stics_pieces(path, piece=piece))
    np.testing.assert_array_equal(np.concatenate([part.column("energy_channel") for part in rows]), np.arange(number))
    np.testing.assert_array_equal(np.concatenate([part.lines for part in rows]), np.arange(number) + 3)


@given(number=st.integers(0, 10**15 - 1), decimals=st.integers(0, 15))
def test_numbers_are_those_of_float(number, decimals):
    from siderion.io.pulse_height.text_kernels import parse_lines

    digits = str(number).rjust(decimals + 1, "0")
    if len(digits) > 15:
        return
    text = digits[: len(digits) - decimals] + ("." + digits[len(digits) - decimals :] if decimals else "")
    values, rows = np.empty((1, 1)), np.empty(1, dtype=np.int64)
    raw = np.frombuffer(f"{text}\n".encode(), dtype=np.uint8)
    fault, *_ = parse_lines(raw, raw.size, 0, np.array([-np.inf]), np.array([np.inf]), values, rows, False, False)
    assert fault == 0
    assert values[0, 0] == float(text)


@pytest.mark.parametrize("separator", [" ", "\t", ",", " , ", ";"])
def test_separators(write, separator):
    events = read_stics_events(write(separator.join(ROW.split()) + "\n"))
    assert float(events["mass_per_charge"][0]) == 16.123


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (ROW.replace("678", "67x"), r"line 3, column 12 \(time_channel\): '67x'; it must be a plain number"),
        (ROW.replace("678", "1024"), r"line 3, column 12 \(time_channel\): '1024'; it must be at least 0 and at most 1023"),
        (ROW.replace("16.123", "nan"), r"line 3, column 16 \(mass_per_charge\): 'nan'"),
        (ROW[:-6], r"line 3: 16 columns"),
        (ROW + " 1", r"line 3: 18 columns"),
        ("stray words", r"line 3, column 1 \(year\): 'stray'"),
    ],
)
def test_bad_line_is_named(write, bad, words):
    path = write(f"# note\n{ROW}\n{bad}\n{ROW}\n")
    with pytest.raises(DataError, match=words):
        read_stics_events(path)
    events = read_stics_events(path, bad_lines="leave out")
    assert events.sizes["event"] == 2
    assert events.attrs["left_out"] == 1


def test_truncated_and_damaged_files_are_named(write, tmp_path):
    write_stics_events(tmp_path / "a.gz", [made_up(3000)])
    data = (tmp_path / "a.gz").read_bytes()
    for cut in (len(data) // 2, len(data) - 4):
        with pytest.raises(DataError, match=r"cut\.gz: the gzip file is cut short"):
            read_stics_events(write(data[:cut], "cut.gz"))
    broken = bytearray(data)
    broken[-6] ^= 1  # the check sum
    with pytest.raises(DataError, match=r"broken\.gz: the compressed data are damaged"):
        read_stics_events(write(bytes(broken), "broken.gz"))
    with pytest.raises(DataError, match="empty"):
        read_stics_events(write(b"", "none.gz"))
    with pytest.raises(DataError, match="no row of 17 numbers"):
        read_stics_events(write("# only words\n"))
    with pytest.raises(DataError, match="no line end"):
        read_stics_events(write(b"1" * 10000))


def test_members_of_gzip_follow_each_other(write):
    whole = gzip.compress(f"{ROW}\n".encode()) + gzip.compress(f"{ROW}\n{ROW}\n".encode())
    assert read_stics_events(write(whole)).sizes["event"] == 3


def test_memory_does_not_grow_with_the_file(tmp_path):
    values = made_up(50_000)
    write_stics_events(tmp_path / "a.gz", [values] * 2, level=1)
    for _ in stics_pieces(tmp_path / "a.gz", piece=1 << 16):
        pass
    tracemalloc.start()
    rows = sum(len(part.values) for part in stics_pieces(tmp_path / "a.gz", piece=1 << 16))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 100_000  # 7 MB of text
    assert peak < 3e6


def test_own_description_of_the_columns(tmp_path, write):
    from importlib import resources

    import pandas as pd

    source = resources.files("siderion.io.pulse_height") / "tables" / "geotail_stics_columns.csv"
    table = pd.read_csv(source, comment="#", skipinitialspace=True)
    table.loc[table["name"].isin(["mass", "mass_per_charge"]), "column"] = [17, 16]
    table.sort_values("column").to_csv(tmp_path / "own.csv", index=False)
    events = read_stics_events(write(ROW + "\n"), columns=stics_columns(tmp_path / "own.csv"))
    assert float(events["mass"][0]) == 16.123
    table.drop(columns="width").to_csv(tmp_path / "bad.csv", index=False)
    with pytest.raises(DataError, match="columns width are missing"):
        stics_columns(tmp_path / "bad.csv")


def test_writer_refuses_what_does_not_fit(tmp_path):
    values = made_up(5)
    with pytest.raises(DataError, match="event 0, sector is 16"):
        write_stics_events(tmp_path / "a.gz", [values | {"sector": np.full(5, 16)}])
    with pytest.raises(SettingsError, match="bad_lines"):
        list(stics_pieces(tmp_path / "a.gz", bad_lines="forget"))
