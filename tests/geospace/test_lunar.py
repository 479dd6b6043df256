from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siderion.core.errors import DataError, SettingsError
from siderion.geospace.lunar import days_in_sector, inside_ion_wake, lunar_local_time, lunar_sector, wake_half_width


def test_local_time_of_the_quarters() -> None:
    places = [[60, 0, 0], [0, 60, 3], [-60, 0, 0], [0, -60, 0]]
    np.testing.assert_allclose(lunar_local_time(places), [12.0, 18.0, 0.0, 6.0], atol=1e-12)
    with pytest.raises(DataError, match="GSE"):
        lunar_local_time([0.0, 0.0, 60.0])


def test_sectors() -> None:
    np.testing.assert_array_equal(lunar_sector([10.0, 13.99, 14.0, 18.0, 22.0, 1.9, 2.0, 6.0, 9.99]), [3, 3, 4, 5, 6, 6, 1, 2, 2])


def test_sector_3_lasts_4_92_days() -> None:
    assert days_in_sector(10.0, 14.0) == pytest.approx(4.92, abs=0.005)  # 29.53 d times 4/24
    assert days_in_sector(22.0, 2.0) == pytest.approx(days_in_sector(10.0, 14.0))


@given(st.floats(0.0, 23.999))
def test_every_local_time_has_one_sector_of_four_hours(hour: float) -> None:
    number = int(lunar_sector(hour))
    assert 1 <= number <= 6
    assert (hour - (4 * number - 2)) % 24.0 < 4.0


def test_wake() -> None:
    assert wake_half_width(3.0, 1.0) == 7.0
    moon, flow = np.array([60.0, 0.0, 0.0]), np.array([-400.0, 0.0, 0.0])
    inside = inside_ion_wake([[0, 5, 0], [0, 11, 0], [61, 0, 0], [60, 0, 9]], moon, flow, 10.0)
    np.testing.assert_array_equal(inside, [True, False, False, True])
    with pytest.raises(SettingsError, match="flow"):
        inside_ion_wake([0, 0, 0], moon, [0, 0, 0], 1.0)
    with pytest.raises(SettingsError, match="gyroradius"):
        wake_half_width(-1.0)
