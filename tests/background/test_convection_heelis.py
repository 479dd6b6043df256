from __future__ import annotations

import numpy as np
import pytest

from siderion.background.convection import cross_polar_potential, heelis
from siderion.background.convection.heelis import LatitudeFunction, LocalTimeFunction
from siderion.core.errors import DataError

LATITUDE = np.linspace(47.0, 90.0, 431)[:, np.newaxis]
LOCAL_TIME = np.arange(0.0, 24.0, 0.1)


@pytest.mark.parametrize(("kp", "kilovolt"), [(0.0, 15.0), (3.0, 67.2), (9.0, 214.8)])
def test_cross_polar_potential_from_kp(kp: float, kilovolt: float) -> None:
    assert cross_polar_potential(kp) == pytest.approx(1000.0 * kilovolt)
    for hemisphere, sign in (("north", 1.0), ("south", -1.0)):
        potential = heelis(kp, 0.0, hemisphere).potential(sign * LATITUDE, LOCAL_TIME)
        assert np.ptp(potential) == pytest.approx(1000.0 * kilovolt, rel=2e-3)
        assert potential.max() == pytest.approx(440.0 * kilovolt, rel=2e-3)
        assert potential.min() == pytest.approx(-560.0 * kilovolt, rel=2e-3)


def test_cells_lie_on_the_reversal_at_dawn_and_dusk() -> None:
    potential = heelis(3.0, 0.0, "north").potential(LATITUDE, LOCAL_TIME)
    lat_min, mlt_min = np.unravel_index(potential.argmin(), potential.shape)
    lat_max, mlt_max = np.unravel_index(potential.argmax(), potential.shape)
    radius = -3.80 + 8.48 * 67.2**0.1875
    assert LATITUDE[lat_min, 0] == pytest.approx(90.0 - radius, abs=1.3)
    assert LATITUDE[lat_max, 0] == pytest.approx(90.0 - radius, abs=1.3)
    assert 15.0 < LOCAL_TIME[mlt_min] < 18.0
    assert 3.5 < LOCAL_TIME[mlt_max] < 5.5


def test_south_is_the_north_with_by_reversed_and_by_moves_the_entry() -> None:
    north = heelis(2.0, 3.0, "north").potential(LATITUDE, LOCAL_TIME)
    south = heelis(2.0, -3.0, "south").potential(-LATITUDE, LOCAL_TIME)
    np.testing.assert_allclose(south, north, atol=1e-9)
    hours = np.rad2deg([heelis(2.0, by, "north").by_local_time.entry for by in (-5.0, 0.0, 5.0)]) / 15.0
    np.testing.assert_allclose(hours, [9.39 + 1.05, 9.39, 9.39 - 1.05])
    # limited to +7 and -11 nT
    assert heelis(2.0, 20.0, "north") == heelis(2.0, 7.0, "north")
    assert heelis(2.0, -20.0, "north") == heelis(2.0, -11.0, "north")


def test_electric_field_is_continuous_across_the_reversal_and_the_arc_ends() -> None:
    model = heelis(3.0, 0.0, "north")
    latitude = np.arange(60.0, 90.0, 0.001)
    along, across = model.gradient(latitude, 18.0)
    # a steep but continuous turn: no step larger than its slope times the spacing
    assert np.abs(np.diff(along)).max() < 0.01 * np.ptp(along)
    assert np.abs(np.diff(across)).max() < 0.01 * np.abs(along).max()
    finer, _ = model.gradient(np.arange(60.0, 90.0, 0.0001), 18.0)
    assert np.abs(np.diff(finer)).max() < 0.2 * np.abs(np.diff(along)).max()


def test_field_is_uniform_at_the_centre_of_the_pattern() -> None:
    model = heelis(3.0, 4.0, "north")
    centre = np.array([model.centre.towards_midnight, model.centre.towards_dawn])
    around = np.linspace(0.0, 2.0 * np.pi, 25)
    points = centre[:, np.newaxis] + 1e-5 * np.array([np.cos(around), np.sin(around)])
    colatitude, phi = np.hypot(*points), np.arctan2(points[1], points[0])
    along, across = model.gradient(90.0 - np.rad2deg(colatitude), np.rad2deg(phi) / 15.0)
    x, y = along * np.cos(phi) - across * np.sin(phi), along * np.sin(phi) + across * np.cos(phi)
    scale = np.hypot(x[0], y[0])
    np.testing.assert_allclose(x, x[0], atol=1e-3 * scale)
    np.testing.assert_allclose(y, y[0], atol=1e-3 * scale)
    # dawn to dusk: the potential falls from 6 h to 18 h across the centre
    assert y[0] > 0.5 * scale


def test_latitude_function() -> None:
    function = LatitudeFunction(np.deg2rad(15.0), np.deg2rad(1.0), -4.0, 2.0, np.deg2rad(14.0))
    value, slope = function.evaluate(np.deg2rad(np.array([0.0, 15.0])))
    np.testing.assert_allclose(value, [0.0, 1.0], atol=1e-15)
    assert slope[1] == 0.0
    for edge in (14.0, 16.0):
        below, above = (np.deg2rad(edge + offset) for offset in (-1e-9, 1e-9))
        values, slopes = function.evaluate(np.array([below, above]))
        assert values[0] == pytest.approx(values[1], rel=1e-8)
        assert slopes[0] == pytest.approx(slopes[1], rel=1e-6)
    far, _ = function.evaluate(np.deg2rad(np.array([20.0, 30.0])))
    assert far[1] / far[0] == pytest.approx((np.sin(np.deg2rad(30.0)) / np.sin(np.deg2rad(20.0))) ** -4.0)
    inner, _ = function.evaluate(np.deg2rad(np.array([5.0, 10.0])))
    shape = np.sin(np.deg2rad(np.array([19.0, 24.0]))) ** 2 - np.sin(np.deg2rad(14.0)) ** 2
    assert inner[1] / inner[0] == pytest.approx(shape[1] / shape[0])


def test_local_time_function_reproduces_figure_4_of_the_paper() -> None:
    # +20 and -35 kV, entry at 11 h, exit at 24 h; here with half-widths of 22.5 degrees (1.5 h) at both.
    width = np.deg2rad(22.5)
    function = LocalTimeFunction(np.deg2rad(165.0), np.deg2rad(360.0), width, 20e3, -35e3)
    hours = np.array([4.0, 9.0, 9.5, 11.0, 12.5, 13.0, 21.0, 22.5, 24.0, 25.5])
    value, slope = function.evaluate(np.deg2rad(15.0 * hours))
    np.testing.assert_allclose(value / 1e3, [20, 20, 20, -7.5, -35, -35, -35, -35, -7.5, 20], atol=1e-9)
    assert slope[3] < 0.0 < slope[8]
    np.testing.assert_allclose(slope[[0, 1, 5, 6]], 0.0, atol=1e-6)


def test_wide_zones_are_limited_to_half_the_cell() -> None:
    model = heelis(1.0, 0.0, "north")
    phi = np.linspace(0.0, 2.0 * np.pi, 100001)
    value, slope = model.by_local_time.evaluate(phi)
    np.testing.assert_allclose(np.gradient(value, phi)[1:-1], slope[1:-1], atol=1e-3 * np.abs(slope).max())
    assert np.ptp(value) == pytest.approx(30.8e3, rel=1e-6)


def test_missing_conditions_are_refused() -> None:
    with pytest.raises(DataError, match="kp is nan"):
        heelis(np.nan, 0.0, "north")
    with pytest.raises(DataError, match="kp is 30"):
        heelis(30.0, 0.0, "north")
