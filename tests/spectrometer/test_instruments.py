"""Table of instruments and setups."""

from __future__ import annotations

import numpy as np
import pytest

from siderion.core.errors import CoverageError, SettingsError
from siderion.core.tables import load_table
from siderion.spectrometer.instruments import (
    FOIL,
    GATED,
    LINEAR_FIELD,
    MAGNETIC,
    PRINCIPLES,
    get_instrument,
    list_instruments,
    make_setup,
)


def test_every_instrument_of_the_issue_is_there() -> None:
    assert set(list_instruments()) == {"codif", "stics", "wind-stics", "hpca", "irm", "static", "ima", "esa-tof", "magnetic"}
    assert {get_instrument(name).principle for name in list_instruments()} == set(PRINCIPLES)


@pytest.mark.parametrize("name", ["codif", "stics", "wind-stics", "hpca", "irm", "static", "ima", "esa-tof", "magnetic"])
def test_numbers_are_possible_and_have_sources(name: str) -> None:
    instrument = get_instrument(name)
    assert 0.0 < instrument.path_length < 1.0
    assert 0.0 < instrument.minimum_energy < instrument.maximum_energy
    assert 0.0 < instrument.geometric_factor < 1e-4
    assert 0.0 < instrument.efficiency <= 1.0
    assert 0.0 < instrument.duty_cycle <= 1.0
    assert instrument.minimum_voltage <= instrument.post_acceleration <= instrument.maximum_voltage
    assert (instrument.foil_thickness > 0.0) == instrument.has_foil
    assert (instrument.time_bins > 0) == instrument.has_time_axis
    assert set(instrument.sources) >= {"path_length", "geometric_factor", "maximum_energy"}


def test_table_numbers_arrive_in_si_units() -> None:
    codif = get_instrument("CODIF")
    assert (codif.path_length, codif.minimum_energy, codif.maximum_energy) == (0.03, 15.0, 40e3)
    assert codif.sources["geometric_factor"]["confidence"] == "unverified"
    ima = get_instrument("ima")
    assert np.diff(ima.time_range)[0] / ima.time_bins == pytest.approx(1e-6 / 1024)


def test_every_row_of_the_table_belongs_to_an_instrument() -> None:
    assert set(load_table("spectrometer", "instrument_values")["instrument"]) == set(list_instruments())


def test_unknown_instrument_names_the_known_ones() -> None:
    with pytest.raises(CoverageError, match="codif, stics"):
        get_instrument("swics")


def test_setup_takes_the_usual_values_and_its_own() -> None:
    usual, own = make_setup("codif"), make_setup("codif", 20e3, 100.0, 2.0)
    assert (usual.voltage, usual.foil_thickness) == (16e3, 1.0)
    assert (own.voltage, own.energy_per_charge, own.foil_thickness) == (20e3, 100.0, 2.0)
    assert make_setup("codif").time_edges().shape == (257,)
    assert usual == make_setup("codif")
    assert hash(usual) == hash(make_setup("codif"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"instrument": "codif", "voltage": 16.0}, "between 15000 and 25000"),
        ({"instrument": "codif", "energy_per_charge": -1.0}, "energy per charge"),
        ({"instrument": "codif", "energy_per_charge": 1e6}, "energy per charge"),
        ({"instrument": "codif", "energy_per_charge": np.nan}, "energy per charge"),
        ({"instrument": "codif", "foil_thickness": -1.0}, "foil thickness"),
        ({"instrument": "codif", "foil_model": "srim"}, "fit, stopping"),
        ({"instrument": "irm", "energy_per_charge": 10.0, "foil_thickness": 1.0}, "has no foil"),
        ({"instrument": "stics"}, "would stand still"),
        ({"instrument": "irm"}, "would stand still"),
    ],
)
def test_impossible_setups_are_refused(arguments: dict, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        make_setup(**arguments)


def test_principles_that_the_review_lists() -> None:
    expected = {"codif": FOIL, "stics": FOIL, "irm": GATED, "ima": LINEAR_FIELD, "magnetic": MAGNETIC}
    assert {name: get_instrument(name).principle for name in expected} == expected
    with pytest.raises(SettingsError, match="no time axis"):
        make_setup("magnetic", energy_per_charge=1e3).time_edges()
