from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from siderion.chemistry import (
    Temperatures,
    build_network,
    effective_rate,
    equilibrium,
    first_order_rates,
    implicit_euler_cell,
    implicit_euler_step,
)
from siderion.core.errors import NumericalError

# A made-up network of four states, every one reachable from every other.
STARTS = np.array([0, 1, 2, 3, 0, 2])
ENDS = np.array([1, 2, 3, 0, 2, 0])
RATES = np.array([2.0, 1.0, 0.5, 3.0, 0.7, 0.2])


def matrix(rates, starts, ends, count):
    built = np.zeros((count, count))
    for rate, start, end in zip(rates, starts, ends, strict=True):
        built[end, start] += rate
        built[start, start] -= rate
    return built


def cell_step(step, state, rates, starts, ends, dt):
    new = state.copy()
    count = len(state)
    kind = state.dtype
    step(new, rates, starts, ends, dt, np.empty((count, count), kind), np.empty(count, kind), np.empty(count, kind))
    return new


def iron_rates(electron_density=1e10, sunlit=1.0):
    network = build_network("Fe")
    densities = {"N2": 3e19, "O2": 8e18, "O": 3e17, "O3": 1e13, "O2+": 2e9, "NO+": 8e9, "O+": 1e7, "N2+": 1e7}
    rates = first_order_rates(network, Temperatures(180.0, 180.0, 180.0), densities, sunlit)
    rates[network.scales_with_electrons] *= electron_density
    return network, rates


@st.composite
def systems(draw):
    count = draw(st.integers(1, 6))
    cells = draw(st.integers(1, 4))
    edges = draw(st.integers(0, 12)) if count > 1 else 0
    starts = np.array(draw(st.lists(st.integers(0, count - 1), min_size=edges, max_size=edges)), dtype=np.int64)
    hops = np.array(draw(st.lists(st.integers(1, max(count - 1, 1)), min_size=edges, max_size=edges)), dtype=np.int64)
    seed = draw(st.integers(0, 2**32 - 1))
    generator = np.random.default_rng(seed)
    rates = 10.0 ** generator.uniform(-25.0, 10.0, (edges, cells))
    rates[generator.random((edges, cells)) < 0.2] = 0.0
    state = 10.0 ** generator.uniform(-5.0, 20.0, (count, cells))
    state[generator.random((count, cells)) < 0.2] = 0.0
    dt = 10.0 ** draw(st.floats(-6.0, 8.0))
    return state, rates, starts, (starts + hops) % count if edges else starts, dt


@settings(max_examples=150, deadline=None)
@given(systems())
def test_step_is_positive_conserving_and_equals_the_cell_kernel(system):
    state, rates, starts, ends, dt = system
    new = implicit_euler_step(state, rates, starts, ends, dt)
    assert np.all(np.isfinite(new))
    assert np.all(new >= 0.0)
    np.testing.assert_allclose(new.sum(axis=0), state.sum(axis=0), rtol=2e-14)
    for cell in range(state.shape[1]):
        one = cell_step(implicit_euler_cell, state[:, cell], rates[:, cell], starts, ends, dt)
        np.testing.assert_allclose(one, new[:, cell], rtol=1e-13)


@settings(max_examples=60, deadline=None)
@given(systems())
def test_single_precision_is_positive_and_conserving(system):
    state, rates, starts, ends, dt = system
    new = implicit_euler_step(state.astype(np.float32), rates.astype(np.float32), starts, ends, dt)
    assert new.dtype == np.float32
    assert np.all(new >= 0.0)
    np.testing.assert_allclose(new.sum(axis=0), state.sum(axis=0), rtol=2e-6)


def test_step_solves_the_linear_system():
    state = np.array([[3.0, 0.0], [1.0, 5.0], [0.0, 2.0], [4.0, 1.0]])
    expected = np.linalg.solve(np.eye(4) - 0.8 * matrix(RATES, STARTS, ENDS, 4), state)
    new = implicit_euler_step(state, RATES[:, None], STARTS, ENDS, 0.8)
    np.testing.assert_allclose(new, expected, rtol=1e-13)


def test_small_components_keep_their_relative_accuracy():
    # Chain 0 -> 1 -> 2 with a fast way back: n1 and n2 are tiny, and known in closed form.
    slow, fast, dt = 1e-20, 1e8, 20.0
    new = implicit_euler_step(np.array([1.0, 0.0, 0.0]), np.array([slow, fast, slow, fast]), [0, 1, 1, 2], [1, 0, 2, 0], dt)
    first = dt * slow / (1.0 + dt * fast)
    second = first * dt * slow / (1.0 + dt * fast)
    np.testing.assert_allclose(new, [1.0, first, second], rtol=1e-14)


def test_first_order_convergence_to_the_exponential():
    state = np.array([1.0, 0.2, 0.0, 0.5])
    exact = expm(matrix(RATES, STARTS, ENDS, 4)) @ state
    errors = []
    for steps in (50, 100, 200, 400):
        new = state
        for _ in range(steps):
            new = implicit_euler_step(new, RATES, STARTS, ENDS, 1.0 / steps)
        errors.append(np.abs(new - exact).max())
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    np.testing.assert_allclose(orders, 1.0, atol=0.05)
    assert orders[-1] == pytest.approx(1.0, abs=0.01)


def test_steady_state_is_the_equilibrium():
    total = 7.0
    exact = equilibrium(RATES, STARTS, ENDS, 4, total)
    assert exact.sum() == pytest.approx(total, rel=1e-14)
    np.testing.assert_allclose(matrix(RATES, STARTS, ENDS, 4) @ exact, 0.0, atol=1e-14)
    new = np.array([total, 0.0, 0.0, 0.0])
    for _ in range(60):
        new = implicit_euler_step(new, RATES, STARTS, ENDS, 10.0)
    np.testing.assert_allclose(new, exact, rtol=1e-12)


def test_iron_steady_state_is_the_equilibrium():
    network, rates = iron_rates()
    starts, ends, count = network.edges_from, network.edges_to, len(network.states)
    exact = equilibrium(rates, starts, ends, count, 1e10)
    new = np.zeros(count)
    new[0] = 1e10
    for _ in range(30):
        new = implicit_euler_step(new, rates, starts, ends, 1e8)
    np.testing.assert_allclose(new, exact, rtol=1e-11)
    assert np.all(exact > 0.0)


def test_neutral_iron_oxide_is_no_sink():
    network, rates = iron_rates()
    exact = equilibrium(rates, network.edges_from, network.edges_to, len(network.states), 1.0)
    oxide, atom = exact[network.states.index("FeO")], exact[network.states.index("Fe")]
    balance = 3.44e-16 * np.exp(-146.0 / 180.0) * 1e13 / (4.6e-16 * np.exp(-350.0 / 180.0) * 3e17)
    assert oxide / atom == pytest.approx(balance, rel=1e-12, abs=0.0)


def test_iron_ions_live_for_days_at_night_without_neutral_chemistry():
    # Radiative recombination only: exp(-t/tau) with tau = 1/(k Ne), approached by implicit Euler at dt = 20 s.
    network = build_network("Fe", "simple")
    rates = first_order_rates(network, Temperatures(1000.0, 1000.0, 1000.0), {}, 0.0)
    rates[network.scales_with_electrons] *= 1e11
    state = np.array([1e9, 0.0])
    for _ in range(180):
        state = implicit_euler_step(state, rates, network.edges_from, network.edges_to, 20.0)
    lifetime = 1.0 / (8e-18 * 0.3**0.51 * 1e11)
    assert state[0] == pytest.approx(1e9 * np.exp(-3600.0 / lifetime), rel=1e-7)


def test_two_state_equilibrium_by_cell():
    rates = np.array([[1.0, 3.0, 0.0], [1.0, 1.0, 2.0]])
    np.testing.assert_allclose(
        equilibrium(rates, [0, 1], [1, 0], 2, np.array([2.0, 4.0, 5.0])), [[1.0, 1.0, 5.0], [1.0, 3.0, 0.0]]
    )


def test_effective_rate_of_a_branching_chain():
    # 0 -> 2 at 3; 2 -> 1 at 1 and 2 -> 0 at 2: a third arrives. A direct channel adds 0.5.
    rates, starts, ends = np.array([3.0, 1.0, 2.0, 0.5]), [0, 2, 2, 0], [2, 1, 0, 1]
    assert effective_rate(rates, starts, ends, 3, 0, 1) == pytest.approx(1.5)
    assert effective_rate(rates, starts, ends, 3, 1, 0) == 0.0


def test_effective_rate_meets_the_slow_decay_of_the_full_network():
    network, rates = iron_rates(sunlit=0.0)
    neutral = network.states.index("Fe")
    rates[[edge.from_state == "Fe" for edge in network.edges]] = 0.0
    slow = effective_rate(rates, network.edges_from, network.edges_to, 6, 0, neutral)
    state = np.array([1.0, 0, 0, 0, 0, 0])
    dt = 0.01 / float(slow)
    new = implicit_euler_step(state, rates, network.edges_from, network.edges_to, dt)
    assert (1.0 - new[neutral] - new[5]) == pytest.approx(1.0 / 1.01, rel=1e-3)


def test_cell_kernel_compiles():
    compiled = numba.njit(implicit_euler_cell)
    network, rates = iron_rates()
    state = np.array([1e9, 1e3, 1e2, 1e1, 1e8, 1e4])
    expected = implicit_euler_step(state, rates, network.edges_from, network.edges_to, 20.0)
    new = cell_step(compiled, state, rates, network.edges_from, network.edges_to, 20.0)
    np.testing.assert_allclose(new, expected, rtol=1e-14)


def test_bad_input_is_named():
    with pytest.raises(NumericalError, match=r"state: value -1.0 at index \(0, 1\)"):
        implicit_euler_step(np.array([[1.0, -1.0], [0.0, 0.0]]), np.ones((1, 2)), [0], [1], 1.0)
    with pytest.raises(NumericalError, match=r"rate of edge: value nan at index \(0,\)"):
        implicit_euler_step(np.ones(2), np.array([np.nan]), [0], [1], 1.0)
    with pytest.raises(NumericalError, match=r"time step is 0.0 s"):
        implicit_euler_step(np.ones(2), np.ones(1), [0], [1], 0.0)
    with pytest.raises(NumericalError, match="two different states below 2"):
        implicit_euler_step(np.ones(2), np.ones(1), [0], [2], 1.0)
    with pytest.raises(NumericalError, match="1 rates, but starts have shape"):
        implicit_euler_step(np.ones(2), np.ones(1), [0, 1], [1, 0], 1.0)
    with pytest.raises(NumericalError, match="state 1 receives metal but has no way back"):
        equilibrium(np.ones(1), [0], [1], 2, 1.0)
    with pytest.raises(NumericalError, match="two different states below 2 needed"):
        effective_rate(np.ones(1), [0], [1], 2, 0, 0)
