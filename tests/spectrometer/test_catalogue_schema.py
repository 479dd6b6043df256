"""The tables of the catalogue obey their schema, and broken rows are named."""

import pytest

from siderion.core.errors import DataError
from siderion.core.tables import CONFIDENCE, load_table
from siderion.spectrometer.catalogue import load_catalogue
from siderion.spectrometer.catalogue_schema import ROWS, check_catalogue, check_rows, days_of


@pytest.fixture
def tables():
    return {name: load_table("spectrometer", name) for name in ROWS}


@pytest.mark.parametrize("name", list(ROWS))
def test_every_row_obeys_the_schema(name):
    table = load_table("spectrometer", name)
    assert len(check_rows(name, table)) == len(table) > 0


def test_tables_fit_together(tables):
    rows = check_catalogue(tables)
    assert len(rows["catalogue_instruments"]) == 46


def test_isotopes_name_source_and_confidence():
    table = load_table("spectrometer", "catalogue_isotopes")
    assert set(table["confidence"]) <= set(CONFIDENCE)
    assert (abs(table["mass_amu"] - table["mass_number"]) < 0.1).all()


def test_words_of_the_compilation_are_kept():
    # three cells of the compilation, typed here by hand
    rows = load_catalogue().instruments
    assert rows["cluster-rapid"].energy_text == "ions 2 keV/n-1.5 MeV/n; Fe (heavy) > 400 keV"
    assert rows["geotail-stics"].confidence_text == "high (data), low (G)"
    assert rows["polar-timas"].years_text == "1996-03-17..2004-04-03 (HV damage 1998-12-08)"
    assert rows["geotail-stics"].geometric_factor_confidence == "unverified"
    assert rows["geotail-stics"].energy_confidence == "verified"


def test_what_comes_from_memory_is_unverified():
    for row in load_catalogue().instruments.values():
        if row.source.strip() == "memory":
            assert row.confidence == "unverified"


@pytest.mark.parametrize(
    ("table", "column", "value", "message"),
    [
        ("catalogue_instruments", "first", "1992-13", "first is '1992-13'"),
        ("catalogue_instruments", "first", "10 March 1992", "write a date as"),
        ("catalogue_instruments", "last", "1901", "must not be later"),
        ("catalogue_instruments", "energy_min_ev", -1.0, "energy_min_ev is -1.0"),
        ("catalogue_instruments", "energy_max_ev", 1.0, "the first must be smaller"),
        ("catalogue_instruments", "energy_max_ev", float("inf"), "finite"),
        ("catalogue_instruments", "confidence", "high", "confidence 'high'"),
        ("catalogue_instruments", "energy_confidence", "high", "energy_confidence is 'high'"),
        ("catalogue_instruments", "energy_confidence", None, "must both be given"),
        ("catalogue_instruments", "resolution_confidence", None, "without resolution_confidence"),
        ("catalogue_instruments", "software_state", "on request", "software_state"),
        ("catalogue_instruments", "mission_class", "earth", "mission_class"),
        ("catalogue_instruments", "instrument", "Geotail STICS", "instrument is"),
        ("catalogue_instruments", "instrument", "wind-stics", "'wind-stics' stands in 2 rows"),
        ("catalogue_capabilities", "species", "Xx+", "'Xx' is unknown|Xx"),
        ("catalogue_capabilities", "species", "strange ions", "group 'strange ions'"),
        ("catalogue_capabilities", "species", "", "species"),
        ("catalogue_capabilities", "separated_from", "NO?", "separated_from"),
        ("catalogue_capabilities", "instrument", "nobody", "names the instrument 'nobody'"),
        ("catalogue_capabilities", "energy_max_ev", 1e7, "not within those of the instrument"),
        ("catalogue_capabilities", "last", "2030", "is not within"),
        ("catalogue_capabilities", "state", "sometimes", "state is 'sometimes'"),
        ("catalogue_regions", "region", "tail", "region is 'tail'"),
        ("catalogue_regions", "source", None, "no source"),
        ("catalogue_species", "neighbours", "Qq+", "neighbours"),
        ("catalogue_models", "altitude_min_km", -3.0, "altitude_min_km"),
    ],
)
def test_broken_rows_are_named(tables, table, column, value, message):
    broken = tables[table].astype({column: object})
    broken.loc[0, column] = value
    with pytest.raises(DataError, match=message) as caught:
        check_catalogue(tables | {table: broken})
    assert table in str(caught.value)


def test_unknown_column_is_refused(tables):
    with pytest.raises(DataError, match="colour"):
        check_rows("catalogue_regions", tables["catalogue_regions"].assign(colour="red"))


@pytest.mark.parametrize("name", ["catalogue_capabilities", "catalogue_regions"])
def test_every_instrument_needs_capabilities_and_regions(tables, name):
    without = tables[name][tables[name]["instrument"] != "mms-hpca"]
    with pytest.raises(DataError, match="no row for mms-hpca"):
        check_catalogue(tables | {name: without})


def test_dates_reach_to_the_end_of_their_precision():
    assert days_of("1970") == (0, 365)
    assert days_of("1972-02") == (761, 790)  # 365 + 365 + 31, and 29 days of a leap year
    assert days_of("1970-01-02") == (1, 2)
