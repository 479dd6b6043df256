"""Electron and ion temperatures: the published fit and its limits."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from siderion.background.temperatures import (
    brace_theis_temperature,
    electron_temperature,
    ion_temperature,
    plasma_temperatures,
    smooth_step,
)


def test_fit_by_hand():
    """Brace & Theis 1978 at 300 km and 3e11 m-3: 1051 + 2357 exp(-0.15366 - 1.18950)."""
    assert brace_theis_temperature(300.0, 3e11) == pytest.approx(1051.0 + 2357.0 * np.exp(-1.34316), rel=1e-4)


def test_dense_plasma_is_cooler_in_the_f_region():
    values = brace_theis_temperature(300.0, np.array([1e10, 1e11, 1e12]))
    assert (np.diff(values) < 0).all()


def test_day_night_and_low_altitude_limits():
    gas = 900.0
    assert electron_temperature(300.0, 3e11, gas, 60.0) == pytest.approx(brace_theis_temperature(300.0, 3e11))
    assert electron_temperature(300.0, 3e11, gas, 120.0) == gas
    assert electron_temperature(110.0, 1e11, gas, 20.0) == gas
    assert gas < electron_temperature(300.0, 3e11, gas, 99.0) < electron_temperature(300.0, 3e11, gas, 60.0)


@given(st.floats(80.0, 500.0), st.floats(1e6, 1e13), st.floats(120.0, 2000.0), st.floats(0.0, 180.0))
def test_temperatures_are_ordered_and_bounded(alt, density, gas, angle):
    electrons = electron_temperature(alt, density, gas, angle)
    ions = ion_temperature(alt, gas, electrons)
    assert gas <= ions <= electrons <= max(gas, 4000.0) * (1.0 + 1e-12)


def test_ions_follow_the_gas_below_200_km():
    assert ion_temperature(200.0, 800.0, 2000.0) == 800.0
    assert ion_temperature(400.0, 800.0, 1800.0) == pytest.approx(1100.0)


def test_smooth_step():
    np.testing.assert_allclose(smooth_step([0.0, 1.0, 1.5, 2.0, 9.0], 1.0, 2.0), [0.0, 0.0, 0.5, 1.0, 1.0])


def test_grid_function_uses_the_sun_of_each_place():
    dims = ("time", "alt", "lat", "lon")
    coords = {
        "time": np.array(["2023-06-21T12:00"], "datetime64[ns]"),
        "alt": [110.0, 300.0],
        "lat": [20.0],
        "lon": [0.0, 180.0],
    }
    neutral = xr.Dataset({"neutral_temperature": (dims, np.full((1, 2, 1, 2), 900.0))}, coords=coords)
    density = xr.DataArray(np.full((1, 2, 1, 2), 2e11), dims=dims, coords=coords)
    result = plasma_temperatures(neutral, density)
    assert result.electron_temperature.sel(alt=300.0, lon=0.0).item() > 1300.0
    assert result.electron_temperature.sel(alt=300.0, lon=180.0).item() == 900.0
    assert (result.electron_temperature.sel(alt=110.0) == 900.0).all()
    assert result.ion_temperature.attrs["units"] == "K"
