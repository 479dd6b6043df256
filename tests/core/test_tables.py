from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import siderion
from siderion.core.errors import DataError
from siderion.core.tables import check_table, load_table

TABLES = sorted((path.parts[-3], path.stem) for path in Path(siderion.__file__).parent.glob("*/tables/*.csv"))


@pytest.mark.parametrize(("package", "name"), TABLES)
def test_every_table_obeys_the_schema(package: str, name: str) -> None:
    table = load_table(package, name)
    assert not table.empty
    assert isinstance(table.index, pd.RangeIndex), "rows have more fields than the header"


def test_tables_were_found() -> None:
    assert {("core", "species"), ("core", "bodies"), ("frames", "igrf13_dipole")} <= set(TABLES)


def test_a_change_of_the_copy_stays_there() -> None:
    table = load_table("core", "species")
    table["mass_amu"] = 0.0
    assert (load_table("core", "species")["mass_amu"] > 0).all()


def test_missing_table() -> None:
    with pytest.raises(DataError, match=r"no table 'nothing' in siderion.core: expected .*nothing.csv"):
        load_table("core", "nothing")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"value": [1.0], "source": ["paper"]}, r"columns \['confidence'\] are missing"),
        ({"source": ["paper", None], "confidence": ["verified"] * 2}, "row 1 has no source"),
        ({"source": ["paper"], "confidence": ["certain"]}, "row 0 has confidence 'certain'; use one of"),
        ({"source": ["paper"], "confidence": [None]}, "row 0 has confidence"),
    ],
)
def test_broken_tables(table: dict[str, list], message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_table(pd.DataFrame(table), "core/broken")
