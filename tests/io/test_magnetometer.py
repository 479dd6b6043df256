"""Plain tables, units, and the repair of disorder, duplicates and gaps."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siderion.core.errors import DataError, SettingsError, UnitsError
from siderion.io.magnetometer import read_magnetometer
from siderion.io.magnetometer.times import times_from_text

ROWS = "2020-01-01T00:00:00,1,2,3,10,20,30\n2020-01-01T00:00:01,4,5,6,11,21,31\n"


def write(path, text):
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("unit", "factor"), [("nT", 1), ("T", 1e9), ("G", 1e5), ("Gauss", 1e5), ("uT", 1e3), ("NANOTESLA", 1), ("gamma", 1)]
)
def test_units_of_the_header(tmp_path, unit, factor):
    head = f"time,Bx [{unit}],By [{unit}],Bz [{unit}],x [m],y [m],z [m]\n"
    dataset = read_magnetometer(write(tmp_path / "a.csv", head + ROWS))
    np.testing.assert_allclose(dataset.magnetic_field, np.array([[1, 2, 3], [4, 5, 6]]) * factor)
    np.testing.assert_allclose(dataset.position, np.array([[10, 20, 30], [11, 21, 31]]) / 1e3)


def test_missing_and_unknown_units_name_the_option(tmp_path):
    path = write(tmp_path / "a.csv", "time,bx,by,bz,x,y,z\n" + ROWS)
    with pytest.raises(UnitsError, match="option `units`"):
        read_magnetometer(path)
    with pytest.raises(UnitsError, match="position has no unit"):
        read_magnetometer(path, units="nT")
    dataset = read_magnetometer(path, units={"magnetic_field": "T", "position": "radii"}, body="Mars", frame="MSO")
    assert float(dataset.magnetic_field[0, 0]) == 1e9
    assert float(dataset.position[0, 0]) == 33900.0
    assert (dataset.frame, dataset.position_frame, dataset.body) == ("MSO", "MSO", "Mars")
    odd = write(tmp_path / "b.csv", "time,bx [V],by [V],bz [V],x,y,z\n" + ROWS)
    with pytest.raises(UnitsError, match="'V' is not one of magnetic field"):
        read_magnetometer(odd)


def test_radii_of_another_body_are_not_mixed_up(tmp_path):
    head = "time,bx [nT],by [nT],bz [nT],x [Saturn Radii],y [Saturn Radii],z [Saturn Radii]\n"
    path = write(tmp_path / "a.csv", head + ROWS)
    assert float(read_magnetometer(path).position[0, 0]) == 602680.0
    dataset = read_magnetometer(path, body="Titan")
    assert "position" not in dataset
    assert "relative to Saturn" in dataset.notes


def test_delimiters_and_headers(tmp_path):
    expected = read_magnetometer(write(tmp_path / "a.csv", "time,bx [nT],by [nT],bz [nT],x [km],y [km],z [km]\n" + ROWS))
    texts = {
        "semicolon": "UTC;B_X (nT);B_Y (nT);B_Z (nT);X (km);Y (km);Z (km)\n" + ROWS.replace(",", ";"),
        "tab": "Time\tBX [nT]\tBY [nT]\tBZ [nT]\tX [km]\tY [km]\tZ [km]\n" + ROWS.replace(",", "\t"),
        "blanks": "# comment\n# time bx [nT] by [nT] bz [nT] x [km] y [km] z [km]\n" + ROWS.replace(",", "  "),
        "split": "time bx [nT] by [nT] bz [nT] x [km] y [km] z [km]\n" + ROWS.replace(",", " ").replace("T", " "),
        "units": "time,bx,by,bz,x,y,z\nUTC,nT,nT,nT,km,km,km\n" + ROWS,
        "zulu": "time,bx [nT],by [nT],bz [nT],x [km],y [km],z [km]\n"
        + ROWS.replace(":00,", ":00.000Z,").replace(":01,", ":01.000Z,"),
    }
    for name, text in texts.items():
        dataset = read_magnetometer(write(tmp_path / f"{name}.txt", text))
        np.testing.assert_array_equal(dataset.time, expected.time)
        np.testing.assert_array_equal(dataset.magnetic_field, expected.magnetic_field)
        np.testing.assert_array_equal(dataset.position, expected.position)


def test_names_given_for_a_table_without_header(tmp_path):
    path = write(tmp_path / "a.txt", "2020-01-01T00:00:00 7 1 2 3\n")
    with pytest.raises(DataError, match="option `columns`"):
        read_magnetometer(path)
    dataset = read_magnetometer(path, columns=["time", "flag", "bx [nT]", "by [nT]", "bz [nT]"])
    np.testing.assert_array_equal(dataset.magnetic_field, [[1, 2, 3]])  # one sample is read
    by_text = read_magnetometer(path, columns="time,flag,bx,by,bz", units="nT")
    np.testing.assert_array_equal(by_text.magnetic_field, dataset.magnetic_field)
    with pytest.raises(DataError, match="names 2 columns"):
        read_magnetometer(path, columns="time,bx")


def test_several_fields_need_a_choice(tmp_path):
    head = "time,BX_GSE [nT],BY_GSE [nT],BZ_GSE [nT],BX_GSM [nT],BY_GSM [nT],BZ_GSM [nT]\n"
    path = write(tmp_path / "a.csv", head + ROWS)
    with pytest.raises(DataError, match="several triples"):
        read_magnetometer(path)
    dataset = read_magnetometer(path, columns={"magnetic_field": ["BX_GSM", "BY_GSM", "BZ_GSM"]}, frame="GSM")
    np.testing.assert_array_equal(dataset.magnetic_field[0], [10, 20, 30])


def test_what_is_no_table_is_refused(tmp_path):
    for name, text, words in [
        ("empty.txt", "", "is empty"),
        ("words.txt", "Dear all,\nthis is a letter,\nnot a table,\n", "format is not known"),
        ("few.csv", "time,bx\n2020-01-01,1\n", "format is not known"),
        ("page.html", "<html><body>Not found</body></html>", "one of pds3"),
        ("cut.cdf", "abc", "fetch it again"),
        ("nofield.csv", "time,a,b,c\n2020-01-01T00:00:00,1,2,3\n", "no three columns of magnetic field"),
        ("notime.csv", "a,bx [nT],by [nT],bz [nT]\n1,1,2,3\n", "no column of time"),
        ("time.csv", "time,bx [nT],by [nT],bz [nT]\n2020-01-01T00:00:00,1,2,3\n2020-13-01T00:00:00,1,2,3\n", "month is 13"),
    ]:
        with pytest.raises(DataError, match=words):
            read_magnetometer(write(tmp_path / name, text))
    with pytest.raises(DataError, match="cannot read"):
        read_magnetometer(tmp_path / "absent.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_magnetometer(tmp_path)
    with pytest.raises(SettingsError, match="file_format"):
        read_magnetometer(tmp_path / "few.csv", file_format="xls")


def test_overlapping_files_are_joined_in_any_order(tmp_path):
    head = "time,bx [nT],by [nT],bz [nT],x [km],y [km],z [km]\n"
    later = "2020-01-01T00:00:01,4,5,6,11,21,31\n2020-01-01T00:00:02,9,9,9,12,22,32\n"
    first, second = write(tmp_path / "z.csv", head + ROWS), write(tmp_path / "a.csv", head + later)
    dataset = read_magnetometer([second, first], disorder="refuse")
    np.testing.assert_array_equal(dataset.magnetic_field[:, 0], [1, 4, 9])
    assert json.loads(dataset.repairs)["duplicates_removed"] == 1
    assert json.loads(dataset.repairs)["disorder_sorted"] == 0
    with pytest.raises(DataError, match=r"repeats the time 2020-01-01T00:00:01"):
        read_magnetometer([first, second], duplicates="refuse")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-06-07T15:00:0.497", "2021-06-07T15:00:00.497"),
        ("2021-6-7 5:3:1.5", "2021-06-07T05:03:01.500"),
        ("2017-001T00:00:31.25", "2017-01-01T00:00:31.250"),
        ("2020-366T23:59:59.999Z", "2020-12-31T23:59:59.999"),
        ("2016-12-31T23:59:60.5", "2017-01-01T00:00:00.500"),
    ],
)
def test_times_in_text(text, expected):
    assert times_from_text([text, ""], "file")[0] == np.datetime64(expected)
    assert np.isnat(times_from_text([text, ""], "file")[1])


SPECIAL = [1.5, -2.0, float("nan"), float("inf"), -float("inf"), -1e31, 99999.999]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.integers(0, 6), *[st.sampled_from(SPECIAL)] * 3), min_size=1, max_size=12),
    order=st.permutations(["time", "bx [nT]", "by [nT]", "bz [nT]"]),
    rules=st.tuples(st.sampled_from(["repair", "refuse"]), st.sampled_from(["repair", "refuse"])),
)
def test_any_small_table_is_repaired_or_refused_as_the_rule_says(tmp_path, rows, order, rules):
    """The expected counts are found sample by sample, in the plain way."""
    names = ["time", "bx [nT]", "by [nT]", "bz [nT]"]
    lines = [",".join(order)]
    for row in rows:
        cells = dict(zip(names, [f"2020-01-01T00:00:{row[0]:02d}", *map(repr, row[1:])], strict=True))
        lines.append(",".join(cells[name] for name in order))
    path = write(tmp_path / "table.csv", "\n".join(lines) + "\n")
    seconds = [row[0] for row in rows]
    disorder = sum(any(earlier > s for earlier in seconds[:i]) for i, s in enumerate(seconds))
    repeated = len(seconds) - len(set(seconds))
    if (disorder and rules[0] == "refuse") or (repeated and rules[1] == "refuse"):
        with pytest.raises(DataError, match="refuse"):
            read_magnetometer(path, disorder=rules[0], duplicates=rules[1])
        return
    dataset = read_magnetometer(path, disorder=rules[0], duplicates=rules[1])
    repairs = json.loads(dataset.repairs)
    first = {}
    for row in rows:
        first.setdefault(row[0], row[1:])
    good = {1.5, -2.0}
    expected = [[x if x in good else np.nan for x in first[s]] for s in sorted(first)]
    np.testing.assert_array_equal(dataset.magnetic_field, expected)
    assert np.all(np.diff(dataset.time) > np.timedelta64(0))
    assert (repairs["disorder_sorted"], repairs["duplicates_removed"]) == (disorder, repeated)
    assert repairs["not_finite"] == sum(any(np.isinf(x) for x in row[1:]) for row in rows)
    assert repairs["fill_values"] == sum(any(x in (-1e31, 99999.999) for x in row[1:]) for row in rows)
    assert repairs["missing"] == sum(any(np.isnan(x) for x in row[1:]) for row in rows)
