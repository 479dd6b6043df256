from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siderion.core.bodies import get_body
from siderion.core.errors import SettingsError
from siderion.geospace.boundaries import magnetopause_shue1998
from siderion.geospace.plasma_boundaries import (
    SolarWind,
    boundary_of,
    farris_ratio,
    jelinek_standoff,
    required_standoff,
    shue_flaring,
    shue_standoff,
    standoff,
    typical_wind,
)

RADIUS = float(get_body("Earth").require_value("radius"))
SURFACES = [
    ("shue1998", "magnetopause"), ("jelinek2012", "magnetopause"), ("jelinek2012", "shock"), ("farris1994", "shock"),
    ("farris1994_shue", "shock"),
]  # fmt: skip
PRESSURE, MACH = 2.056e-9, 8.0


@pytest.mark.parametrize(
    ("model", "surface", "expected"),
    [
        # by hand: 11.387 P^(-1/6.6), 15.02 P^(-1/6.55), 12.82 P^(-1/5.26), 10.209 (1 + 1.1 (2/3 64 + 2)/(8/3 63))
        ("shue1998", "magnetopause", 10.209),
        ("jelinek2012", "shock", 13.455),
        ("jelinek2012", "magnetopause", 11.178),
        ("farris1994", "shock", 13.195),
        ("farris1994_shue", "shock", 13.195),
    ],
)
def test_standoff_at_the_check_point(model: str, surface: str, expected: float) -> None:
    assert float(standoff(model, surface, PRESSURE, 0.0, MACH)) / RADIUS == pytest.approx(expected, abs=6e-4)
    assert boundary_of(model, surface, PRESSURE, 0.0, MACH).nose_distance / RADIUS == pytest.approx(expected, abs=6e-4)


def test_shue_is_the_one_of_the_boundaries() -> None:
    for bz, pressure in ((-10e-9, 1e-9), (0.0, 2e-9), (8e-9, 7e-9)):
        known = magnetopause_shue1998(bz, pressure)
        assert float(shue_standoff(pressure, bz)) == pytest.approx(known.standoff, rel=1e-14)
        assert float(shue_flaring(pressure, bz)) == pytest.approx(known.flaring, rel=1e-14)


@pytest.mark.parametrize("surface", ["shock", "magnetopause"])
def test_jelinek_follows_its_polar_form(surface: str) -> None:
    # r = 2 R0/(cos + sqrt(cos^2 + l^2 sin^2)), typed from the paper; at the terminator 2 R0/l
    stretch = {"shock": 1.17, "magnetopause": 1.54}[surface]
    nose = float(jelinek_standoff(PRESSURE, surface))
    boundary = boundary_of("jelinek2012", surface, PRESSURE)
    angle = np.radians([0.0, 30.0, 90.0, 120.0, 150.0])
    cosine, sine = np.cos(angle), np.sin(angle)
    radius = 2.0 * nose / (cosine + np.sqrt(cosine**2 + stretch**2 * sine**2))
    assert radius[2] == pytest.approx(2.0 * nose / stretch)
    places = np.stack([radius * cosine, radius * sine, 0.0 * sine], axis=-1)
    np.testing.assert_allclose(boundary.distance_outside(places), 0.0, atol=1e-12)
    np.testing.assert_allclose(required_standoff("jelinek2012", surface, places), nose, rtol=1e-12)


@pytest.mark.parametrize(("model", "surface"), SURFACES)
@given(x=st.floats(-40.0, 40.0), y=st.floats(-40.0, 40.0), z=st.floats(-40.0, 40.0))
def test_required_standoff_agrees_with_the_surface(model: str, surface: str, x: float, y: float, z: float) -> None:
    place = RADIUS * np.array([x, y, z])
    have = float(standoff(model, surface, PRESSURE, 0.0, MACH))
    need = float(required_standoff(model, surface, place, PRESSURE, 0.0))
    if abs(need - have) > 1e-9 * have:
        assert (need > have) == bool(boundary_of(model, surface, PRESSURE, 0.0, MACH).is_outside(place))


@pytest.mark.parametrize(("model", "surface"), SURFACES)
def test_required_standoff_is_the_distance_on_the_axis_and_scales(model: str, surface: str) -> None:
    assert float(required_standoff(model, surface, [3e7, 0.0, 0.0])) == pytest.approx(3e7, rel=1e-12)
    place = np.array([-1e8, 2e8, 5e7])
    once, twice = (float(required_standoff(model, surface, factor * place)) for factor in (1.0, 2.0))
    assert twice == pytest.approx(2.0 * once, rel=1e-12)


def test_shock_ratio_limits() -> None:
    assert float(farris_ratio(1e6)) == pytest.approx(1.275, rel=1e-9)  # 1 + 1.1 (2/3)/(8/3)
    assert (np.diff(farris_ratio([1.2, 2.0, 4.0, 8.0])) < 0.0).all()
    assert float(farris_ratio(1.01)) > 30.0


def test_refusals() -> None:
    with pytest.raises(SettingsError, match="there are"):
        standoff("farris1994", "magnetopause", PRESSURE, 0.0, MACH)
    with pytest.raises(SettingsError, match="mach is 1"):
        SolarWind(2e-9, mach=1.0)
    with pytest.raises(SettingsError, match="pressure_spread"):
        SolarWind(2e-9, pressure_spread=[-0.1])
    with pytest.raises(SettingsError, match="pressure is -1"):
        boundary_of("jelinek2012", "shock", -1.0)
    assert typical_wind().speed == 400e3
