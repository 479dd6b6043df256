"""Ozone: the balance by hand, day and night, shadow."""

from __future__ import annotations

import numpy as np
import pytest

from siderion.background.neutral import neutral_atmosphere
from siderion.background.ozone import ozone_balance, ozone_density, ozone_rates, sunlit_share
from siderion.core.errors import NumericalError

GAS = {"O": 1e17, "O2": 3e19, "N2": 1.2e20, "H": 1e14}


def test_production_equals_loss():
    rates = ozone_rates(180.0)
    for sunlit in (0.0, 0.4, 1.0):
        ozone = ozone_balance(GAS, sunlit, rates)
        made = rates["o_o2_m"] * 1e17 * 3e19 * (1e17 + 3e19 + 1.2e20)
        assert ozone * (sunlit * rates["o3_photon"] + rates["o_o3"] * 1e17 + rates["h_o3"] * 1e14) == pytest.approx(made)
    assert ozone_balance(GAS, 0.0, rates) > ozone_balance(GAS, 1.0, rates)


def test_shadow_height():
    """At the shadow angle of 80 km over a screen at 50 km the light is half gone; overhead it is full."""
    angle = 90.0 + np.degrees(np.arccos((6371.2 + 50.0) / (6371.2 + 80.0)))
    assert sunlit_share(80.0, angle) == pytest.approx(0.5)
    assert sunlit_share(80.0, 30.0) == 1.0
    assert sunlit_share(80.0, 110.0) == 0.0
    assert sunlit_share(200.0, 100.0) == 1.0


def test_size_by_day_and_night():
    time = np.array(["2024-03-20T12:00"], "datetime64[ns]")
    grid = (time, np.array([80.0, 85.0, 90.0, 110.0, 300.0]), np.array([60.0]), np.array([0.0, 180.0]))
    ozone = ozone_density(neutral_atmosphere(*grid, 150.0, 150.0, np.full((1, 7), 4.0)))
    day, night = ozone.sel(lon=0.0).squeeze(), ozone.sel(lon=180.0).squeeze()
    assert ((night / day).sel(alt=slice(80.0, 95.0)) > 1.5).all()
    assert ((day.sel(alt=slice(80.0, 90.0)) > 1e12) & (day.sel(alt=slice(80.0, 90.0)) < 1e15)).all()
    assert ozone.sel(alt=300.0).max() < 1e6
    assert ozone.attrs["units"] == "m-3"


def test_bad_density_is_refused():
    time = np.array(["2024-03-20T12:00"], "datetime64[ns]")
    neutral = neutral_atmosphere(time, [90.0], [60.0], [0.0], 150.0, 150.0, np.full((1, 7), 4.0))
    with pytest.raises(NumericalError, match=r"density of O3 is nan m-3 at index \(0, 0, 0, 0\)"):
        ozone_density(neutral.assign(density_O=neutral.density_O * np.nan))
