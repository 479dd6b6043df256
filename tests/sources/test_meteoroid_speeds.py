"""Entry speeds of meteoroids."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.tables import load_table
from siderion.sources.meteoroids import focused, get_speeds, mixture, single_speed, speed_names, tabulated_speeds
from siderion.sources.meteoroids.speeds import ESCAPE_SPEED, FASTEST, SLOWEST, entry_speed, focusing_factor, hrmp_focusing


def test_escape_speed_and_focusing() -> None:
    """sqrt(2 x 3.986004418e14 / 6.4712e6) = 11099 m/s; at that excess speed the flux doubles."""
    assert pytest.approx(11099.1, abs=0.2) == ESCAPE_SPEED
    assert focusing_factor(ESCAPE_SPEED) == pytest.approx(2.0)
    assert entry_speed(ESCAPE_SPEED) == pytest.approx(ESCAPE_SPEED * np.sqrt(2.0))


@pytest.mark.parametrize("name", speed_names())
def test_distributions_are_normalised_and_within_the_bounds(name: str) -> None:
    speeds = get_speeds(name)
    assert speeds.share.sum() == pytest.approx(1.0, abs=1e-12)
    assert (speeds.lower >= SLOWEST).all()
    assert (speeds.upper <= FASTEST).all()
    assert (speeds.upper > speeds.lower).all()
    assert {source[2] for source in speeds.sources} <= {"verified", "unverified"}


def test_printed_column_is_the_free_one_times_the_focusing_without_the_width_of_the_bins() -> None:
    """The procedure of the standard (C-21 to C-24), done here again at 400 km, gives its printed column."""
    table = load_table("sources", "speed_distributions")
    free, printed = (table[table["distribution"] == name] for name in ("hrmp", "hrmp_printed"))
    escape = np.sqrt(2.0 * 3.986e5 / (6378.0 + 400.0))
    speed = free["speed"].to_numpy(float)
    moved, enhanced = np.sqrt(speed**2 + escape**2), free["weight"] * (1.0 + (escape / speed) ** 2)
    at = printed["speed"].to_numpy(float)
    made = np.interp(at, moved, enhanced)
    made /= 0.5 * made.sum()
    chosen = (at > 11.5) & (at < 60.0)
    np.testing.assert_allclose(made[chosen], printed["weight"][chosen], rtol=0.06)
    # the number of bodies is kept only with the width: dv_free/dv = v/v_free
    assert get_speeds("hrmp").mean < 17.5e3 < 19.5e3 < get_speeds("hrmp_printed").mean


def test_mean_speed_of_focused_speeds() -> None:
    """Mean of sqrt(v^2 + v_esc^2), weighted with n (1 + v_esc^2/v^2): a sum over the rows of the table."""
    rows = load_table("sources", "speed_distributions").query("distribution == 'hrmp' and speed < 70")
    speed, weight = rows["speed"].to_numpy(float), rows["weight"].to_numpy(float)
    flux = weight * (1.0 + 11.0991**2 / speed**2)
    assert get_speeds("hrmp").mean / 1e3 == pytest.approx((flux * np.sqrt(speed**2 + 11.0991**2)).sum() / flux.sum(), rel=2e-3)


def test_mean_focusing_of_the_standard_leaves_out_the_slowest() -> None:
    """Table J-6 of the standard prints 2.04 at 100 km: the sum over the bins from 2 km/s on, within 1 %; all bins give more."""
    rows = load_table("sources", "speed_distributions").query("distribution == 'hrmp' and speed >= 2")
    speed, weight = rows["speed"].to_numpy(float), rows["weight"].to_numpy(float)
    edges = 1e3 * np.concatenate([speed - 0.25, speed[-1:] + 0.25])
    assert focused(edges, weight, "from 2 km/s")[1] == pytest.approx(2.04, rel=0.012)
    assert hrmp_focusing() == pytest.approx(2.356, abs=0.005)


def test_focusing_keeps_the_flux_of_each_bin() -> None:
    found, factor = focused([1e4, 2e4, 4e4], [1.0, 3.0], "two")
    expected = np.array([1.0, 3.0]) * (1.0 + ESCAPE_SPEED**2 / np.array([1.5e4, 3e4]) ** 2)
    assert factor == pytest.approx(expected.sum() / 4.0)
    np.testing.assert_allclose(found.share, expected / expected.sum())
    np.testing.assert_allclose(found.lower**2, np.array([1e4, 2e4]) ** 2 + ESCAPE_SPEED**2)


def test_populations_have_their_mean_and_mix() -> None:
    means = {"jupiter_family": 14.5, "asteroids": 12.0, "halley_type": 30.0, "oort_cloud": 55.0}
    for name, mean in means.items():
        assert get_speeds(name).mean / 1e3 == pytest.approx(mean, rel=2e-4)
    expected = (34.6 * 14.5 + 3.7 * 12.0 + 5.0 * 30.0) / 43.3
    assert get_speeds("zodiacal").mean / 1e3 == pytest.approx(expected, rel=1e-4)


@given(st.floats(11.5e3, 60e3), st.floats(1.0, 10e3), st.integers(1, 40))
def test_quadrature_keeps_number_and_mean(low: float, width: float, count: int) -> None:
    speeds = mixture([(1.0, tabulated_speeds([low, low + width], [2.0])), (2.0, single_speed(20e3))], "mixed")
    speed, share = speeds.quadrature(count)
    assert share.sum() == pytest.approx(1.0, abs=1e-9)
    assert share @ speed == pytest.approx(speeds.mean, rel=1e-9)


def test_quadrature_is_of_second_order() -> None:
    """Mean of v^4 of an even distribution over 12 to 60 km/s: (b^5 - a^5) / (5 (b - a))."""
    speeds = tabulated_speeds([12e3, 60e3], [1.0])
    exact = (60e3**5 - 12e3**5) / (5 * 48e3)
    errors = [abs(share @ speed**4 / exact - 1.0) for speed, share in (speeds.quadrature(n) for n in (10, 20, 40))]
    assert errors[2] < 1e-3
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.05)
    assert np.log2(errors[1] / errors[2]) == pytest.approx(2.0, abs=0.05)


def test_sample_has_the_mean() -> None:
    speeds = get_speeds("hrmp")
    drawn = speeds.sample(20_000, np.random.default_rng(1))
    assert abs(drawn.mean() - speeds.mean) < 5.0 * drawn.std() / np.sqrt(20_000)
    assert drawn.min() >= SLOWEST
    assert drawn.max() <= FASTEST


def test_what_is_refused() -> None:
    with pytest.raises(CoverageError, match="known: zodiacal"):
        get_speeds("fast")
    with pytest.raises(SettingsError, match="11 to 72"):
        single_speed(9e3)
    with pytest.raises(DataError, match="bin 0 is 10 to 20"):
        tabulated_speeds([10e3, 20e3], [1.0])
    with pytest.raises(DataError, match="one weight"):
        tabulated_speeds([12e3, 20e3], [1.0, 2.0])
    with pytest.raises(SettingsError, match="mixture"):
        mixture([(0.0, single_speed(20e3))], "nothing")
    with pytest.raises(DataError, match="rise from 0"):
        focused([2e4, 1e4], [1.0], "falling")
    with pytest.raises(SettingsError, match="number of speeds"):
        single_speed(20e3).quadrature(0)
