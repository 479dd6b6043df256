from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import SettingsError
from siderion.sources.moon import PickupSettings, simulate_pickup, wake_sweep

STEADY = {"species": ["Fe+", "Na+"], "moon": (60.0, 0.0, 0.0), "imf": (0.0, 5.0, 0.0), "particles": 1000, "aberration": False}


def test_sweep_by_hand() -> None:
    # 7.3 RE of Fe+ and 3.0 RE of Na+ at 400 km/s and 5 nT; the Moon is 0.545 RE wide
    found = wake_sweep(("Na+", "Fe+"), [400.0, 800.0], [5.0, 10.0], [90.0, 45.0])
    steady = found.sel(speed=400.0, field=5.0, angle=90.0)
    np.testing.assert_allclose(steady["wake_width_one_direction"], [2 * 3.0 + 0.545, 2 * 7.27 + 0.545], atol=0.05)
    np.testing.assert_allclose(steady["wake_width_all_directions"], [4 * 3.0 + 0.545, 4 * 7.27 + 0.545], atol=0.1)
    radius = found["gyroradius"]
    np.testing.assert_allclose(radius.sel(speed=800.0), 2.0 * radius.sel(speed=400.0))
    np.testing.assert_allclose(radius.sel(field=10.0), 0.5 * radius.sel(field=5.0))
    np.testing.assert_allclose(radius.sel(angle=45.0), np.sqrt(0.5) * radius.sel(angle=90.0))
    np.testing.assert_allclose(radius.sel(species="Fe+") / radius.sel(species="Na+"), 55.845 / 22.990, rtol=1e-4)
    np.testing.assert_allclose(found["wake_axis_angle"], [0.0, 45.0])
    with pytest.raises(SettingsError, match="angles"):
        wake_sweep(("Fe+",), 400.0, 5.0, 0.0)


def test_shape_follows_the_cycloid() -> None:
    found = simulate_pickup(PickupSettings.make(STEADY))
    middle = 0.5 * (found["wake_lower_edge"] + found["wake_upper_edge"]).sel(species="Fe+")
    # Fe+ from rest: x = r (s - sin s), z = r (1 - cos s), r = 7.27 RE; bins are 2 RE long, so only smooth parts are compared
    for distance in (11.0, 23.0, 35.0, 57.0):
        phase = brentq(lambda s, x=distance: 7.267 * (s - np.sin(s)) - x, 0.0, 20.0)
        assert float(middle.sel(wake_distance=distance)) == pytest.approx(7.267 * (1.0 - np.cos(phase)), abs=0.35)
    # the beam is as wide as the Moon (0.55 RE), and wider by the speeds of the launch
    width = (found["wake_upper_edge"] - found["wake_lower_edge"]).sel(species="Fe+", wake_distance=23.0)
    assert 0.4 < float(width) < 1.3


def test_ions_in_the_wake_are_rate_times_time() -> None:
    found = simulate_pickup(PickupSettings.make(STEADY))
    along, across = (np.diff(found[name].values)[0] for name in ("wake_distance", "wake_across"))
    inside = found["wake_column"].sum(("wake_distance", "wake_across")) * along * across * EARTH_RADIUS**2
    free = found["launch_rate"] * (1.0 - found["share_striking_moon"])
    for name, radius, period in (("Fe+", 7.267, 727.4), ("Na+", 2.991, 299.4)):
        # time from rest over 80 RE and, of the cosine law, 2/3 of the radius of the Moon (0.27 RE)
        phase = brentq(lambda s, r=radius: r * (s - np.sin(s)) - 80.18, 0.0, 200.0)
        expected = float(free.sel(species=name)) * phase / (2.0 * np.pi) * period
        assert float(inside.sel(species=name)) == pytest.approx(expected, rel=0.02)


def test_a_field_along_the_flow_picks_no_ion_up() -> None:
    # they keep their few km/s: those that start towards the Earth are followed for two days at most, the others are upstream
    found = simulate_pickup(PickupSettings.make(STEADY | {"imf": (5.0, 0.0, 0.0), "species": ["Fe+"], "at": 20.0}))
    along, across = (np.diff(found[name].values)[0] for name in ("wake_distance", "wake_across"))
    inside = float(found["wake_column"].sum()) * along * across * EARTH_RADIUS**2
    assert 0.0 < inside < 2.0 * 86400.0 * float(found["launch_rate"][0])
    assert float(found["gyroradius"][0]) == pytest.approx(0.0, abs=1e-6)
