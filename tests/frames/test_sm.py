from __future__ import annotations

import numpy as np
import pytest

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import DataError
from siderion.frames.dipole import TiltedDipole
from siderion.frames.geographic import place_gse
from siderion.frames.gsm import gse_to_gsm, gsm_to_sm
from siderion.frames.sm import gse_to_sm, magnetic_place, sm_to_gse

TIMES = np.datetime64("1995-01-03T02:00", "ns") + np.arange(30) * np.timedelta64(9001, "h")


def test_direct_axes_are_the_two_turns_and_go_back() -> None:
    vectors = np.random.default_rng(4).normal(size=(TIMES.size, 3))
    np.testing.assert_allclose(gse_to_sm(vectors, TIMES), gsm_to_sm(gse_to_gsm(vectors, TIMES), TIMES), atol=1e-14)
    np.testing.assert_allclose(sm_to_gse(gse_to_sm(vectors, TIMES), TIMES), vectors, atol=1e-12)


def test_latitude_and_local_time_against_the_dipole_on_the_ground() -> None:
    # TiltedDipole takes the magnetic longitude of the subsolar point; another way to the same hour
    lat, lon = np.linspace(-80.0, 80.0, TIMES.size), np.linspace(-170.0, 175.0, TIMES.size)
    latitude, local_time, shell = magnetic_place(place_gse(lat, lon, 700.0, TIMES), TIMES)
    for k, time in enumerate(TIMES):
        dipole = TiltedDipole.at(time)
        assert latitude[k] == pytest.approx(float(dipole.magnetic_latitude(lat[k], lon[k])), abs=1e-9)
        difference = (local_time[k] - float(dipole.magnetic_local_time(time, lat[k], lon[k])) + 12.0) % 24.0 - 12.0
        assert abs(difference) < 1e-7
        invariant = float(dipole.invariant_latitude(700.0, lat[k], lon[k]))
        assert np.degrees(np.arccos(shell[k] ** -0.5)) == pytest.approx(invariant, abs=1e-7)


def test_on_the_axis_the_shell_is_infinite() -> None:
    place = sm_to_gse([0.0, 0.0, 3.0 * EARTH_RADIUS], TIMES[0])
    latitude, _, shell = magnetic_place(place, TIMES[0])
    assert latitude == pytest.approx(90.0, abs=1e-6)
    assert shell > 1e10
    _, local_time, _ = magnetic_place(sm_to_gse([-1.0, 0.0, 0.0], TIMES[0]), TIMES[0])
    assert min(local_time, 24.0 - local_time) < 1e-6


def test_refusals() -> None:
    with pytest.raises(DataError, match="centre of the Earth"):
        magnetic_place(np.zeros(3), TIMES[0])
