"""Layers whose height, thickness, density, content, frequency and width are known."""

import numpy as np
import pytest
from polar_cases import polar_output
from scipy.constants import electron_mass, elementary_charge, epsilon_0

from siderion.core.errors import CoverageError
from siderion.transport.diagnostics import sporadic_layers
from siderion.transport.diagnostics.layers import latitude_width, plasma_frequency

HEIGHT, SIGMA, PEAK, FLOOR = 110.3, 2.0, 3e11, 1e5
FULL_WIDTH = 2.0 * np.sqrt(2.0 * np.log(2.0))


def with_layer(step, sign=1.0, ridge=70.0, ridge_sigma=3.0, grid=2.0, height=HEIGHT):
    """A Gaussian layer in altitude, on a ridge that is Gaussian in latitude; 1e5 m-3 elsewhere."""
    output = polar_output(grid, sign, np.arange(85.0, 170.1, step))
    in_height = np.exp(-(((output.alt - height) / SIGMA) ** 2) / 2.0)
    in_latitude = np.exp(-(((abs(output.lat) - ridge) / ridge_sigma) ** 2) / 2.0)
    density = PEAK * in_height * in_latitude + FLOOR
    return output.assign(number_density=density.broadcast_like(output.number_density).transpose(*output.number_density.dims))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_gaussian_layer(sign):
    output = with_layer(0.5, sign)
    layers = sporadic_layers(output, 0)
    ridge = layers.sel(lat=sign * 71.0, lon=31.0)
    peak = PEAK * np.exp(-((1.0 / 3.0) ** 2) / 2.0)
    assert bool(ridge.layer_present)
    assert float(ridge.layer_alt) == pytest.approx(HEIGHT, abs=1e-4)
    assert float(ridge.layer_peak_density) == pytest.approx(peak, rel=1e-5)
    assert float(ridge.layer_thickness) == pytest.approx(FULL_WIDTH * SIGMA, rel=0.01)
    assert float(ridge.layer_content) == pytest.approx(peak * SIGMA * 1e3 * np.sqrt(2.0 * np.pi), rel=1e-4)
    level = int(np.argmin(np.abs(output.alt.values - HEIGHT)))
    excess = peak - float(output.number_density.sel(lat=sign * 71.0, lon=31.0)[0, 0, level])
    expected = elementary_charge / (2.0 * np.pi) * np.sqrt((1e11 + excess) / (epsilon_0 * electron_mass))
    assert float(ridge.layer_critical_frequency) == pytest.approx(expected, rel=1e-5)
    assert float(ridge.layer_prominence) > 1e5
    far = layers.sel(lat=sign * 45.0, lon=31.0)
    assert not bool(far.layer_present)
    assert np.isnan(float(far.layer_alt))


def test_thickness_converges_at_second_order():
    """The crossing of half the maximum lies at random between levels: the mean over heights shows the order."""
    errors = []
    for step in (2.0, 1.0):
        found = [
            float(sporadic_layers(with_layer(step, height=h, grid=10.0), 0).layer_thickness.sel(lat=75.0, lon=5.0))
            for h in np.linspace(110.0, 112.0, 9)
        ]
        errors.append(np.mean(np.abs(np.array(found) - FULL_WIDTH * SIGMA)))
    assert errors[1] < errors[0] / 3.0
    assert errors[1] < 0.02 * FULL_WIDTH * SIGMA


def test_latitude_width_on_the_ridge_only():
    lat = np.arange(40.25, 90.0, 0.5)
    values = np.repeat(np.exp(-(((lat - 70.1) / 1.2) ** 2) / 2.0)[:, None], 8, axis=1)
    width = latitude_width(values, lat)
    ridge = np.argmin(np.abs(lat - 70.1))
    np.testing.assert_allclose(width[ridge], FULL_WIDTH * 1.2, rtol=0.02)
    assert np.isfinite(width).sum() == 8
    np.testing.assert_allclose(latitude_width(values[::-1], -lat[::-1]), width[::-1])


def test_latitude_width_goes_over_the_pole():
    lat = np.arange(40.25, 90.0, 0.5)
    lon = np.arange(0.0, 360.0, 45.0)
    signed = np.where(lon[None, :] < 180.0, 90.0 - lat[:, None], lat[:, None] - 90.0)  # along the meridian, from the pole
    values = np.exp(-(((signed - 1.25) / 2.0) ** 2) / 2.0)
    width = latitude_width(values, lat)
    np.testing.assert_allclose(width[np.argmin(np.abs(lat - 88.75)), :4], FULL_WIDTH * 2.0, rtol=0.02)


def test_a_profile_without_a_peak_has_no_layer():
    output = polar_output(10.0, alt=np.arange(85.0, 170.1, 1.0))
    rising = (1e9 * np.exp((output.alt - 85.0) / 10.0)).broadcast_like(output.number_density)
    layers = sporadic_layers(output.assign(number_density=rising.transpose(*output.number_density.dims)), 0)
    assert not layers.layer_present.any()
    faint = with_layer(1.0, grid=10.0)
    assert not sporadic_layers(faint.assign(number_density=faint.number_density * 1e-3), 0).layer_present.any()
    bump = faint.number_density * 1e-3 + 1e9  # 30 % above its surroundings: not prominent
    assert not sporadic_layers(faint.assign(number_density=bump), 0).layer_present.any()


def test_layers_need_levels():
    with pytest.raises(CoverageError, match="needs at least 3"):
        sporadic_layers(polar_output(10.0, alt=[120.0, 160.0, 200.0]), 0)


def test_plasma_frequency_of_a_known_density():
    assert float(plasma_frequency(np.array(1.24e10))) == pytest.approx(1e6, rel=1e-3)  # f = 8.98 Hz sqrt(N)
