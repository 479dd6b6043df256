"""Limb: path lengths and columns against Abel pairs, order of convergence, field of view, inversion."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import gamma

from siderion.core.errors import DataError, NumericalError, SettingsError
from siderion.spectrometer.limb import is_thin, limb_operator, node_paths, onion_peel, retrieve_density, shell_paths

RADIUS = 6371.2e3


def _pair(k: float, tangent: np.ndarray) -> np.ndarray:
    """Column of n = (1 - r^2)^k within the unit sphere: sqrt(pi) Gamma(k + 1)/Gamma(k + 3/2) (1 - b^2)^(k + 1/2)."""
    return np.sqrt(np.pi) * gamma(k + 1.0) / gamma(k + 1.5) * (1.0 - tangent**2) ** (k + 0.5)


def test_paths_of_a_uniform_sphere() -> None:
    tangents = np.array([0.2, 0.5, 0.9])
    chord = 2.0 * np.sqrt(1.0 - tangents**2)
    np.testing.assert_allclose(shell_paths(tangents, np.linspace(0.1, 1.0, 7)).sum(axis=1), chord, rtol=1e-13)
    np.testing.assert_allclose(node_paths(tangents, np.linspace(0.1, 1.0, 7)).sum(axis=1), chord, rtol=1e-13)


def test_linear_profile_is_exact() -> None:
    # n = 1 - r: column by hand sqrt(1 - b^2) - b^2 arccosh(1/b)
    b = np.array([0.3, 0.61])
    nodes = np.array([0.25, 0.4, 0.7, 1.0])
    expected = np.sqrt(1.0 - b**2) - b**2 * np.arccosh(1.0 / b)
    np.testing.assert_allclose(node_paths(b, nodes) @ (1.0 - nodes), expected, rtol=1e-12)


@pytest.mark.parametrize(("k", "order"), [(2.0, 2.0), (3.0, 2.0)])
def test_second_order_against_the_abel_pair(k: float, order: float) -> None:
    tangents = np.linspace(0.3, 0.9, 13)
    errors = []
    for count in (41, 81, 161):
        nodes = np.linspace(0.2, 1.0, count)
        errors.append(np.abs(node_paths(tangents, nodes) @ (1.0 - nodes**2) ** k - _pair(k, tangents)).max())
    rates = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (rates > order - 0.1).all()
    assert errors[-1] < 1e-4


def test_thin_gaussian_layer() -> None:
    # far below a thin layer the line crosses it twice at the cosine of the layer: N = 2 n0 sqrt(2 pi) s r0/sqrt(r0^2 - b^2)
    centre, width = RADIUS + 90e3, 100.0
    nodes = np.linspace(centre - 6 * width, centre + 6 * width, 241)
    tangent = RADIUS + 40e3
    found = node_paths(np.array([tangent]), nodes) @ np.exp(-0.5 * ((nodes - centre) / width) ** 2)
    assert found[0] == pytest.approx(2.0 * np.sqrt(2.0 * np.pi) * width * centre / np.sqrt(centre**2 - tangent**2), rel=1e-4)


def test_brightness_and_field_of_view() -> None:
    nodes = RADIUS + np.arange(70e3, 121e3, 1e3)
    tangents = RADIUS + np.array([80e3, 90e3])
    density = 3e9 * np.exp(-0.5 * ((nodes - RADIUS - 91e3) / 4.5e3) ** 2)
    narrow = limb_operator(tangents, nodes, 0.5) @ density
    np.testing.assert_allclose(narrow, 0.5 * node_paths(tangents, nodes) @ density / 1e10, rtol=1e-14)
    many = (tangents[:, None] + np.linspace(-1e3, 1e3, 2001)[None]).reshape(-1)
    expected = (limb_operator(many, nodes, 0.5) @ density).reshape(2, -1).mean(axis=1)
    np.testing.assert_allclose(limb_operator(tangents, nodes, 0.5, 2e3, 33) @ density, expected, rtol=1e-3)
    with pytest.raises(SettingsError, match="g"):
        limb_operator(tangents, nodes, -1.0)


def test_onion_peeling_returns_the_shells() -> None:
    edges = RADIUS + np.arange(75e3, 111e3, 2e3)
    truth = 1e9 * (1.0 + np.sin(np.arange(len(edges) - 1)) ** 2)
    brightness = 0.5e-10 * shell_paths(edges[:-1], edges) @ truth
    found = onion_peel(brightness, np.ones(len(truth)), edges[:-1], float(edges[-1]), 0.5)
    np.testing.assert_allclose(found.density, truth, rtol=1e-9)
    np.testing.assert_allclose(found.residual, 0.0, atol=1e-6)


def test_covariance_is_that_of_many_draws() -> None:
    nodes = RADIUS + np.arange(76e3, 112e3, 4e3)
    tangents = RADIUS + np.arange(75e3, 111e3, 1.5e3)
    truth = 3e9 * np.exp(-0.5 * ((nodes - RADIUS - 91e3) / 5e3) ** 2)
    operator = limb_operator(tangents, nodes, 0.5, 1e3)
    error = np.full(len(tangents), 200.0)
    random = np.random.default_rng(4)
    clean = operator @ truth
    found = [retrieve_density(clean + error * random.standard_normal(len(error)), error, operator) for _ in range(600)]
    draws = np.stack([one.density for one in found])
    np.testing.assert_allclose(draws.std(axis=0), found[0].error, rtol=0.12)  # 600 draws: 2.9 %, 9 nodes
    assert (np.abs(draws.mean(axis=0) - truth) < 4.0 * found[0].error / np.sqrt(600.0)).all()
    correlation = np.corrcoef(draws.T)[3, 4]
    expected = found[0].covariance[3, 4] / (found[0].error[3] * found[0].error[4])
    assert correlation == pytest.approx(expected, abs=0.1)
    assert expected < 0.0
    smooth = retrieve_density(clean, error, operator, smoothing=1e-14)
    assert (smooth.error < found[0].error).all()


def test_refusals() -> None:
    nodes = RADIUS + np.arange(76e3, 112e3, 4e3)
    operator = limb_operator(nodes[[0, 3]] + 10.0, nodes, 0.5)
    with pytest.raises(NumericalError, match="determine"):
        retrieve_density(np.ones(2), np.ones(2), operator)
    with pytest.raises(DataError, match="lines of sight"):
        retrieve_density(np.ones(3), np.ones(3), operator)
    with pytest.raises(DataError, match="positive"):
        retrieve_density(np.ones(2), np.zeros(2), operator)
    with pytest.raises(DataError, match="rise"):
        shell_paths([1.0], [2.0, 1.0])
    np.testing.assert_array_equal(is_thin([1e13, 1e15], 1e-15), [True, False])
