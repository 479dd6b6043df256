"""Real files of Galileo: no event at Ganymede, and the output says why; right-hand power at Europa is not ion-like."""

import json

import numpy as np
import pytest

from siderion.io.magnetometer import read_example
from siderion.waves.analysis import analyse_waves, make_wave_settings
from siderion.waves.criteria import NO_SPECTRUM, Rejection

IONS = ("H2+", "He+", "Li+", "C+", "O+", "OH+", "H2O+", "water group", "Na+", "S+", "O2+", "K+", "CO2+", "Cl-", "O-")
SPIN = 0.0525
"""Rotation of the Galileo spacecraft, Hz (period 19.05 s)."""


def analysed(name, body, species, **detection):
    values = {"body": body, "species": species, "plasma": {"ion_mass": 14.0}, "examples": 0, "detection": detection}
    return analyse_waves(read_example(name), make_wave_settings(values))


def measured(windows):
    return (windows["rejection"].values & int(NO_SPECTRUM)) == 0


@pytest.mark.parametrize("detection", [{}, {"rejection": {"spin_period": 1.0 / SPIN}}], ids=["default", "spin given"])
@pytest.mark.parametrize("name", ["G1", "G2", "G8", "G28"])
def test_no_event_at_ganymede_and_every_window_says_why(name, detection):
    result = analysed(name, "Ganymede", IONS, **detection)
    windows = result["windows"].to_dataset()
    assert result["events"].to_dataset().sizes["event"] == 0
    assert not windows.detected.any()
    assert (windows["rejection"].values != 0).all()
    assert measured(windows).sum() > 200
    refused = json.loads(windows.attrs["refused"])
    assert all(len(reason) > 30 for reason in refused.values())
    said = windows["rejection"].values[measured(windows)]
    for reason in (Rejection.WRONG_HANDEDNESS, Rejection.LOW_POLARIZATION, Rejection.MAXIMUM_OUTSIDE_BAND):
        assert ((said & int(reason)) != 0).mean() > 0.3
    if detection:
        assert ((said & int(Rejection.FIXED_LINE)) != 0).mean() > 0.03


def test_spin_harmonics_are_found_in_g1():
    windows = analysed("G1", "Ganymede", ["O+", "H2O+"])["windows"].to_dataset()
    lines = [line["frequency_hz"] for line in json.loads(windows.attrs["fixed_lines"])]
    for number in (1, 2, 3, 4):
        assert min(abs(line - number * SPIN) for line in lines) < 0.02 * SPIN * number
    assert ((windows["rejection"].values[measured(windows)] & int(Rejection.FIXED_LINE)) != 0).mean() > 0.2


def test_protons_are_refused_because_of_the_cadence():
    refused = json.loads(analysed("G8", "Ganymede", ["H+", "O+"])["windows"].attrs["refused"])
    assert list(refused) == ["H+"]
    assert "0.333 s" in refused["H+"]


def test_line_at_the_spin_passes_the_criteria_without_the_mask():
    """06:42 of G1: left-handed power at three times the spin, where C+ would be, meets all criteria of a window."""
    short = {"windows": {"segments": 3}}
    without = analysed("G1", "Ganymede", ["C+"], **short, rejection={"fixed_lines": False})["windows"].to_dataset()
    passing = np.flatnonzero(without["rejection"].values[:, 0] == int(Rejection.SINGLE_WINDOW))
    passing = passing[np.abs(without.peak_frequency.values[passing, 0] / (3.0 * SPIN) - 1.0) < 0.02]
    assert len(passing) >= 1
    assert (without.ellipticity.values[passing, 0] < -0.5).all()
    masked = analysed("G1", "Ganymede", ["C+"], **short)["windows"].to_dataset()
    assert (masked["rejection"].values[passing, 0] & int(Rejection.FIXED_LINE) != 0).all()


def test_spin_fundamental_of_g28_is_rejected_when_the_spin_is_given():
    """10:02: a line at the spin where S+ would be passes with short windows, for it does not stand out of the whole file."""
    short = {"windows": {"segments": 5, "periods_per_segment": 5}}
    free = analysed("G28", "Ganymede", ["S+"], **short)["events"].to_dataset()
    assert (np.abs(free.peak_frequency.values / SPIN - 1.0) < 0.1).all()
    given = analysed("G28", "Ganymede", ["S+"], **short, rejection={"spin_period": 1.0 / SPIN})
    assert given["events"].to_dataset().sizes["event"] == 0


def test_right_hand_power_of_e12_is_not_ion_like():
    """12:07-12:11: with windows short enough for the gaps, strong right-hand power near 0.07 Hz, and no positive ion."""
    short = {"windows": {"segments": 3, "periods_per_segment": 5, "step": 25.0}}
    result = analysed("E12", "Europa", ["K+", "CO2+", "Cl-", "SO2+"], **short)
    assert result["events"].to_dataset().sizes["event"] == 0
    windows = result["windows"].to_dataset().sel(time=slice(np.datetime64("1997-12-16T12:07"), np.datetime64("1997-12-16T12:11")))
    carbon = windows.sel(species="CO2+")
    there = carbon.isel(time=((carbon.rejection.values & int(NO_SPECTRUM)) == 0) & (carbon.signal_to_noise.values > 10.0))
    assert there.sizes["time"] >= 4
    assert ((there.peak_frequency > 0.06) & (there.peak_frequency < 0.1)).all()
    assert (there.ellipticity > 0.2).all()
    flags = int(Rejection.WRONG_HANDEDNESS | Rejection.MAXIMUM_OUTSIDE_BAND)
    assert (there.rejection.values & flags == flags).all()
    assert "wrong_handedness" in windows["rejection"].attrs["flag_meanings"]
