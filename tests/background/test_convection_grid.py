from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siderion.background.convection import ConvectionModel, heelis, potential_grid, swipe
from siderion.background.convection.grid import AzimuthalExpansion, OffsetPole, smooth_step, taper
from siderion.core.errors import CoverageError, DataError, SettingsError

CONDITIONS = {"imf_by": -2.8, "imf_bz": -3.0, "solar_wind_speed": 412.0, "dipole_tilt": 24.0, "f107": 164.0}
MODELS = [
    swipe(**CONDITIONS, hemisphere="north"),
    swipe(**CONDITIONS, hemisphere="south"),
    heelis(3.0, 4.0, "north"),
    heelis(3.0, 4.0, "south"),
]
# The second derivative of the Heelis potential has steps; its difference quotient is only first order.
TOLERANCE = [2e-8, 2e-8, 2e-5, 2e-5]


def sign(model: ConvectionModel) -> float:
    return 1.0 if model.hemisphere == "north" else -1.0


@pytest.mark.parametrize(("model", "tolerance"), list(zip(MODELS, TOLERANCE, strict=True)))
def test_gradient_is_the_derivative_of_the_tapered_potential(model: ConvectionModel, tolerance: float) -> None:
    rng = np.random.default_rng(1)
    latitude, local_time = rng.uniform(46.0, 89.5, 400), rng.uniform(0.0, 24.0, 400)
    along, across = model.gradient(sign(model) * latitude, local_time)
    step = 1e-4  # degrees

    def difference(toward_equator: float, eastward: float) -> np.ndarray:
        # fourth-order difference quotient per degree
        def at(n: int) -> np.ndarray:
            return model.potential(sign(model) * (latitude - n * step * toward_equator), local_time + n * step * eastward / 15.0)

        return (8.0 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12.0 * step)

    scale = np.abs(along).max()
    by_colatitude = np.rad2deg(difference(1.0, 0.0))
    by_phi = np.rad2deg(difference(0.0, 1.0)) / np.cos(np.deg2rad(latitude))
    np.testing.assert_allclose(along, by_colatitude, rtol=0, atol=tolerance * scale)
    np.testing.assert_allclose(across, by_phi, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("model", MODELS)
def test_gradient_at_the_pole_is_one_vector(model: ConvectionModel) -> None:
    local_time = np.linspace(0.0, 24.0, 49)
    phi = np.deg2rad(15.0 * local_time)

    def components(colatitude: float) -> tuple[np.ndarray, np.ndarray]:
        along, across = model.gradient(np.full(49, sign(model) * (90.0 - colatitude)), local_time)
        return along * np.cos(phi) - across * np.sin(phi), along * np.sin(phi) + across * np.cos(phi)

    x, y = components(0.0)
    scale = np.hypot(x[0], y[0])
    assert np.isfinite(scale)
    assert scale > 1e3
    np.testing.assert_allclose(x, x[0], atol=1e-9 * scale)
    np.testing.assert_allclose(y, y[0], atol=1e-9 * scale)
    near_x, near_y = components(1e-6)
    np.testing.assert_allclose(near_x, x[0], atol=1e-4 * scale)
    np.testing.assert_allclose(near_y, y[0], atol=1e-4 * scale)


@pytest.mark.parametrize("model", MODELS)
def test_gradient_integrates_back_to_the_potential(model: ConvectionModel) -> None:
    # No curl: a path in from the edge and one along a parallel both return potential differences.
    latitude = np.linspace(47.0, 90.0, 20001)
    for local_time in (3.0, 11.2, 18.7):
        along, _ = model.gradient(sign(model) * latitude, local_time)
        rise = np.trapezoid(along, np.deg2rad(90.0 - latitude))
        pole = model.potential(sign(model) * 90.0, local_time)
        assert rise == pytest.approx(float(pole), abs=0.5)
    hours = np.linspace(0.0, 24.0, 2001)
    _, across = model.gradient(sign(model) * 70.0, hours)
    assert np.trapezoid(across, hours) == pytest.approx(0.0, abs=1e-6 * np.abs(across).max())


@pytest.mark.parametrize("model", MODELS)
def test_potential_is_zero_equatorward_of_47_and_untouched_poleward_of_54(model: ConvectionModel) -> None:
    hours = np.arange(0.0, 24.0, 0.5)
    low = np.array([47.0, 30.0, 0.0, -30.0, -47.0])[:, np.newaxis]
    assert np.all(model.potential(low, hours) == 0.0)
    assert all(np.all(part == 0.0) for part in model.gradient(low, hours))
    colatitude, phi = np.deg2rad(90.0 - np.array([54.0, 70.0]))[:, np.newaxis], np.deg2rad(15.0 * hours)
    tapered = model.potential(sign(model) * np.array([54.0, 70.0])[:, np.newaxis], hours)
    np.testing.assert_allclose(tapered, model._untapered_potential(colatitude, phi), rtol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.floats(-90.0, 90.0), st.floats(-24.0, 48.0), st.sampled_from(range(4)))
def test_potential_is_finite_bounded_and_periodic(latitude: float, local_time: float, index: int) -> None:
    model = MODELS[index]
    latitude = sign(model) * abs(latitude)
    value = float(model.potential(latitude, local_time))
    assert abs(value) < 6e4
    assert value == pytest.approx(float(model.potential(latitude, local_time + 24.0)), abs=1e-4)


def test_grid_and_points_agree_and_carry_their_origin() -> None:
    latitude, local_time = np.linspace(47.0, 90.0, 23), np.arange(0.0, 24.0, 1.5)
    dataset = potential_grid(MODELS[0], latitude, local_time)
    potential = dataset["electric_potential"]
    assert potential.dims == ("magnetic_latitude", "magnetic_local_time")
    assert potential.attrs["units"] == "V"
    assert potential.attrs["frame"] == "Earth-rotating"
    assert potential.attrs["hemisphere"] == "north"
    assert "10.5194/angeo-42-229-2024" in potential.attrs["citation"]
    mesh = np.meshgrid(latitude, local_time, indexing="ij")
    np.testing.assert_allclose(potential.values, MODELS[0].potential(*mesh), atol=1e-8)


def test_wrong_coordinates_are_refused() -> None:
    with pytest.raises(DataError, match="magnetic_latitude is nan at flat index 1"):
        MODELS[0].potential([60.0, np.nan], 0.0)
    with pytest.raises(DataError, match="magnetic_latitude is 91"):
        MODELS[0].gradient(91.0, 0.0)
    with pytest.raises(DataError, match="magnetic_local_time is inf"):
        MODELS[0].potential(60.0, np.inf)
    with pytest.raises(CoverageError, match="other hemisphere"):
        MODELS[0].potential([60.0, -60.0], 0.0)
    with pytest.raises(CoverageError, match="other hemisphere"):
        MODELS[1].potential(60.0, 0.0)
    with pytest.raises(DataError, match="two axes of one dimension"):
        potential_grid(MODELS[0], np.zeros((2, 2)), np.zeros(2))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("imf_by", np.nan),
        ("imf_bz", 9999.99),
        ("solar_wind_speed", 99999.9),
        ("f107", -1.0),
        ("dipole_tilt", 90.0),
    ],
)
def test_fill_values_are_refused(name: str, value: float) -> None:
    with pytest.raises(DataError, match=f"{name} is"):
        swipe(**{**CONDITIONS, name: value}, hemisphere="north")


def test_unknown_hemisphere_is_refused() -> None:
    with pytest.raises(SettingsError, match="hemisphere is 'North'"):
        swipe(**CONDITIONS, hemisphere="North")


def test_taper_is_smooth() -> None:
    value, slope = smooth_step(np.array([-1.0, 0.0, 0.5, 1.0, 2.0]))
    np.testing.assert_allclose(value, [0.0, 0.0, 0.5, 1.0, 1.0])
    np.testing.assert_allclose(slope, [0.0, 0.0, 1.875, 0.0, 0.0])
    colatitude = np.deg2rad(np.linspace(30.0, 50.0, 4001))
    factor, derivative = taper(colatitude)
    np.testing.assert_allclose(np.gradient(factor, colatitude)[1:-1], derivative[1:-1], atol=2e-3)


def test_offset_pole_agrees_with_spherical_trigonometry() -> None:
    centre = OffsetPole(np.deg2rad(3.0), np.deg2rad(-4.0))
    theta, _ = centre.transform(np.array([0.0, np.deg2rad(5.0)]), np.array([0.7, np.arctan2(-4.0, 3.0)]))
    np.testing.assert_allclose(np.rad2deg(theta), [5.0, 0.0], atol=1e-7)
    colatitude, phi = np.deg2rad(25.0), np.deg2rad(130.0)
    theta, _ = centre.transform(np.array(colatitude), np.array(phi))
    angle = phi - np.arctan2(-4.0, 3.0)
    offset = np.deg2rad(5.0)
    cosine = np.cos(offset) * np.cos(colatitude) + np.sin(offset) * np.sin(colatitude) * np.cos(angle)
    assert np.cos(theta) == pytest.approx(cosine, abs=1e-14)
    # Local time far from the centre is hardly turned: noon stays noon on the meridian of the offset.
    _, azimuth = OffsetPole(np.deg2rad(4.2), 0.0).transform(np.array([0.5, 0.5]), np.array([np.pi, 0.0]))
    np.testing.assert_allclose(np.abs(azimuth), [np.pi, 0.0], atol=1e-12)


def test_expansion_is_exact_for_a_polynomial() -> None:
    limit = 0.75
    nodes = AzimuthalExpansion.nodes(6, limit)
    samples = np.zeros((6, 2, 3))
    samples[:, 0, 0] = 1.0 + nodes
    samples[:, 1, 2] = nodes**3
    expansion = AzimuthalExpansion.from_samples(samples, limit)
    theta, phi = np.array([0.0, 0.2, 0.7]), np.array([0.3, 2.0, 5.0])
    x = np.sin(0.5 * theta) ** 2
    expected = 1.0 + x + np.sin(theta) ** 2 * x**3 * np.sin(2.0 * phi)
    np.testing.assert_allclose(expansion.value(theta, phi), expected, rtol=1e-14)
