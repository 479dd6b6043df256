"""Solar wind and indices of a run: from the series, or held by the settings."""

import numpy as np
import pytest

from siderion.background.conditions import MAGNETIC_LATITUDE, Conditions
from siderion.background.settings import DriverSettings
from siderion.core.errors import CoverageError
from siderion.frames.dipole import TiltedDipole

HELD = {"imf_by": -5.0, "imf_bz": 2.0, "solar_wind_speed": 400.0, "solar_wind_density": 5.0}
TIMES = np.datetime64("2023-06-18T00:00", "ns") + np.arange(4) * np.timedelta64(2, "h")


def conditions(**settings):
    return Conditions.load(DriverSettings.make(settings))


def test_held_values_replace_the_series_and_are_on_record():
    wind = conditions(**HELD).solar_wind(TIMES)
    assert (wind.imf_by_gsm == -5.0).all()
    assert (wind.imf_bz_gsm == 2.0).all()
    assert wind.attrs["held_constant"].startswith("imf_by_gsm = -5, imf_bz_gsm = 2")
    assert wind.attrs["imf_by_origin"] == "held constant by the settings"


def test_one_held_value_leaves_the_others_as_measured():
    measured, partly = conditions().solar_wind(TIMES), conditions(imf_bz=-3.0).solar_wind(TIMES)
    assert (partly.imf_bz_gsm == -3.0).all()
    np.testing.assert_array_equal(partly.imf_by_gsm, measured.imf_by_gsm)
    assert partly.attrs["imf_by_origin"] == "reconstructed"
    assert "held_constant" not in measured.attrs


def test_a_day_beyond_the_series_needs_all_four_held():
    far = np.array(["2019-06-18"], "datetime64[ns]")
    assert float(conditions(**HELD).solar_wind(far).imf_bz_gsm[0]) == 2.0
    with pytest.raises(CoverageError, match="hold the solar wind at constant values"):
        conditions(imf_bz=-3.0).solar_wind(far)


def test_held_kp_and_flux_reach_atmosphere_and_heelis():
    held = conditions(kp=5.0, f107=150.0, convection="heelis")
    atmosphere = held.atmosphere(TIMES)
    assert (atmosphere["kp"] == 5.0).all()
    assert (atmosphere["ap_history"] == 48.0).all()
    assert (atmosphere["f107"] == 150.0).all()
    assert (atmosphere["f107_81_day_mean"] == 150.0).all()
    dipole = TiltedDipole.at(TIMES[0])
    spans = [np.ptp(conditions(kp=kp, convection="heelis").potential(TIMES[:1], dipole, "north")) for kp in (1.0, 5.0)]
    assert spans[1] > 2 * spans[0]


def test_the_potential_follows_the_held_field():
    dipole = TiltedDipole.at(TIMES[0])
    south, north = (conditions(**(HELD | {"imf_by": 0.0, "imf_bz": bz})).potential(TIMES[:1], dipole, "north") for bz in (-5, 5))
    assert south.shape == (1, len(MAGNETIC_LATITUDE), 96)
    assert np.ptp(south) > 2 * np.ptp(north)


@pytest.mark.parametrize("day", ["2022-01-10", "2023-03-21"])  # before the series, and between its spans
def test_heelis_takes_by_from_the_settings_where_there_is_no_series(day):
    far = np.array([day], "datetime64[ns]")
    dipole = TiltedDipole.at(far[0])
    none, held = (conditions(convection="heelis", **by).potential(far, dipole, "north") for by in ({}, {"imf_by": 8.0}))
    assert not np.allclose(none, held)
