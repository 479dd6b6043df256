from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siderion.core.errors import DataError, SettingsError
from siderion.geospace.boundaries import aberrate, aberration_angle, orbital_speed
from siderion.geospace.plasma_boundaries import SolarWind, boundary_of, required_standoff, scatter, standoff, typical_wind
from siderion.geospace.region_probability import region_probabilities, region_probability

RADIUS = 6371e3
STILL = 1e12  # so fast a wind that nothing is aberrated


def test_far_upstream_and_at_home() -> None:
    found = region_probabilities(RADIUS * np.array([[60.0, 0.0, 0.0], [3.0, 0.0, 0.0], [12.0, 0.0, 0.0]]), typical_wind())
    assert found[0, 0] == pytest.approx(1.0, abs=1e-9)
    assert found[1, 2] == pytest.approx(1.0, abs=1e-3)
    assert found[2].argmax() == 1


@given(
    st.lists(st.floats(-60.0, 60.0), min_size=3, max_size=3), st.floats(0.3, 20.0), st.floats(-20.0, 20.0), st.floats(1.5, 20.0),
    st.floats(0.0, 1.0), st.floats(0.0, 8.0), st.floats(0.0, 5.0),
)  # fmt: skip
def test_rows_sum_to_one(place: list[float], p: float, bz: float, mach: float, sp: float, sb: float, sm: float) -> None:
    found = region_probabilities(RADIUS * np.array(place), SolarWind(p * 1e-9, bz * 1e-9, mach, sp, sb * 1e-9, sm))
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    assert (found >= 0.0).all()


def test_without_uncertainty_it_is_the_step_of_the_boundary() -> None:
    wind = SolarWind(3e-9, -2e-9, 5.0, speed=STILL)
    places = RADIUS * np.random.default_rng(5).uniform(-30.0, 30.0, size=(400, 3))
    found = region_probabilities(places, wind, magnetopauses=("shue1998",), shocks=("farris1994",), model_scatter=False)
    outside = boundary_of("farris1994", "shock", 3e-9, -2e-9, 5.0).is_outside(places)
    inside = ~boundary_of("shue1998", "magnetopause", 3e-9, -2e-9, 5.0).is_outside(places)
    np.testing.assert_array_equal(found[:, 0], outside.astype(float))
    np.testing.assert_array_equal(found[:, 2], (inside & ~outside).astype(float))
    assert 20 < outside.sum() < 380
    assert 20 < inside.sum() < 380


def test_against_draws_of_wind_and_scatter() -> None:
    # the brute force: draw the wind and the error of each surface, and count; the closed form takes the change of the stand-off
    # as linear and the surfaces as independent
    wind = typical_wind()
    angle = aberration_angle(wind.speed, orbital_speed(1.495978707e11))
    places = RADIUS * np.array(
        [[9.0, 0, 0], [11, 0, 0], [13, 0, 0], [15, 2, 0], [0, 17, 0], [0, 25, 3], [-10, 20, 0]], dtype=float
    )
    draw = np.random.default_rng(6)
    number = 20_000
    pressure = float(wind.pressure) * np.exp(float(wind.pressure_spread) * draw.normal(size=number))
    bz = float(wind.bz) + float(wind.bz_spread) * draw.normal(size=number)
    mach = np.maximum(float(wind.mach) + float(wind.mach_spread) * draw.normal(size=number), 1.05)
    errors = {name: scatter(name) * draw.normal(size=number) for name in ("shock", "magnetopause")}

    def beyond(model: str, surface: str) -> np.ndarray:
        need = required_standoff(model, surface, aberrate(places, angle)[:, None, :], pressure, bz)
        return need > standoff(model, surface, pressure, bz, mach) + errors[surface]

    expected = np.zeros((len(places), 3))
    for shock in ("jelinek2012", "farris1994"):
        for pause in ("shue1998", "jelinek2012"):
            out, sheath = beyond(shock, "shock"), beyond(pause, "magnetopause")
            expected += np.stack([out, ~out & sheath, ~out & ~sheath], axis=-1).mean(axis=1) / 4.0
    assert np.abs(region_probabilities(places, wind) - expected).max() < 0.025


def test_spread_between_models_alone_gives_shares() -> None:
    # at 10.7 RE on the aberrated axis one magnetopause (10.21 RE) is passed, the other (11.18 RE) is not
    wind = SolarWind(2.056e-9, 0.0, 8.0, speed=STILL)
    found = region_probabilities(RADIUS * np.array([10.7, 0.0, 0.0]), wind, model_scatter=False)
    np.testing.assert_allclose(found, [0.0, 0.5, 0.5], atol=1e-12)


def test_dataset() -> None:
    times = np.datetime64("2003-01-01T00:00", "ns") + np.arange(3) * np.timedelta64(1, "h")
    wind = SolarWind(np.array([1e-9, 2e-9, 40e-9]), 0.0, 6.0, 0.1)
    found = region_probability(times, np.full((3, 3), [8.0 * 6371.0, 0.0, 0.0]), wind)
    assert found["region_probability"].dims == ("time", "region")
    assert found["likeliest_region"].values.tolist() == [2, 2, 1]  # 40 nPa push the magnetopause inside of 8 RE
    assert found.attrs["kind"] == "siderion region probability"


def test_refusals() -> None:
    time = np.array(["2003-01-01"], dtype="datetime64[ns]")
    with pytest.raises(DataError, match="check units"):
        region_probability(time, [[10.0, 0.0, 0.0]])
    with pytest.raises(DataError, match="finite"):
        region_probability(time, [[np.nan, 0.0, 0.0]])
    with pytest.raises(SettingsError, match="at least one of each"):
        region_probability(time, [[1e5, 0.0, 0.0]], shocks=())
