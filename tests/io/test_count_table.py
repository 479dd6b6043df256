"""Tables of counts: what is read, and what is refused with its row."""

import pytest

from siderion.core.errors import DataError
from siderion.io.count_table import read_count_table


def write(folder, text):
    path = folder / "counts.csv"
    path.write_text(text)
    return path


def test_columns_and_groups(tmp_path):
    table = read_count_table(
        write(tmp_path, "# c\ngroup,event,before,after,exposure_before,exposure_after\ninside,a,0,3,1,2.5\nOUT,b,1,0,1,1\n")
    )
    assert list(table["event"]) == ["a", "b"]
    assert list(table["inside"]) == [True, False]
    assert list(table["after"]) == [3, 0]
    assert list(table["exposure_after"]) == [2.5, 1.0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("group,event\nin,a\n", "missing"),
        ("group,event,after,colour\nin,a,1,red\n", "colour"),
        ("group,event,after\n", "no rows"),
        ("group,event,after\nbeside,a,1\n", "row 1.*inside or outside"),
        ("group,event,after\nin,a,1\nin,b,1.5\n", "row 2.*1.5"),
        ("group,event,after\nin,a,-1\n", "row 1"),
        ("group,event,after\nin,a,1\nin,a,2\n", "twice"),
        ("group,event,after,exposure_after\nin,a,1,0\n", "positive"),
    ],
)
def test_refusals_name_the_row(tmp_path, text, words):
    with pytest.raises(DataError, match=words):
        read_count_table(write(tmp_path, text))


def test_missing_file(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_count_table(tmp_path / "none.csv")
