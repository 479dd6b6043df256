"""Implicit Euler and equilibrium of linear conserving networks, without any subtraction.

The matrix of an implicit step, I - dt K, has columns that sum to 1 and off-diagonal entries of one sign. Elimination
state by state keeps that form. Writing each diagonal as (share kept) + (sum of the outgoing weights), rather than
updating it by differences, leaves only additions, products and ratios of positive numbers (the idea of Grassmann,
Taksar and Heyman 1985, Operations Research 33, 1107). So the result is positive and conserves the sum to round-off
however stiff the network.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import NumericalError


def implicit_euler_cell(
    state: NDArray[np.floating],
    rates: NDArray[np.floating],
    edges_from: NDArray[np.integer],
    edges_to: NDArray[np.integer],
    dt: float,
    weights: NDArray[np.floating],
    kept: NDArray[np.floating],
    outflow: NDArray[np.floating],
) -> None:
    """One implicit Euler step of one cell, in place; plain loops, fit to compile.

    Parameters
    ----------
    state : array, shape (state,)
        Densities; replaced by those after the step.
    rates : array, shape (edge,)
        First-order rates, s-1, electron density included.
    edges_from, edges_to : array of int, shape (edge,)
        States that each edge leaves and enters.
    dt : float
        Time step, s.
    weights, kept, outflow : array, shapes (state, state), (state,), (state,)
        Work space; contents are overwritten.
    """
    count = state.shape[0]
    for i in range(count):
        kept[i] = 1.0
        for j in range(count):
            weights[i, j] = 0.0
    for edge in range(rates.shape[0]):
        weights[edges_from[edge], edges_to[edge]] += dt * rates[edge]
    # Eliminate from the last state to the second: what enters it leaves at once, to the states that remain or to
    # itself ("kept"), in fixed shares. What returns to the state it came from has not left it: the diagonal is
    # never read.
    for last in range(count - 1, 0, -1):
        leaving = kept[last]
        for j in range(last):
            leaving += weights[last, j]
        outflow[last] = leaving
        for j in range(last):
            share = weights[last, j] / leaving
            state[j] += state[last] * share
            for i in range(last):
                weights[i, j] += weights[i, last] * share
        share = kept[last] / leaving
        for i in range(last):
            kept[i] += weights[i, last] * share
    state[0] = state[0] / kept[0]
    for i in range(1, count):
        total = state[i]
        for j in range(i):
            total += weights[j, i] * state[j]
        state[i] = total / outflow[i]


def implicit_euler_step(
    state: ArrayLike, rates: ArrayLike, edges_from: ArrayLike, edges_to: ArrayLike, dt: float
) -> NDArray[np.floating]:
    """One implicit Euler step, (I - dt K) n1 = n0, of many cells at once.

    Parameters
    ----------
    state : array, shape (state, ...)
        Densities n0, any unit, at least 0.
    rates : array, shape (edge, ...)
        First-order rates, s-1, electron density included, at least 0.
    edges_from, edges_to : array of int, shape (edge,)
        States that each edge leaves and enters.
    dt : float
        Time step, s, above 0.

    Returns
    -------
    array, shape (state, ...)
        Densities n1: not negative, of the same sum as n0 to round-off.

    Raises
    ------
    NumericalError
        Shapes disagree, the step is not above 0, or a density or rate is negative or not finite.
    """
    state, rates = np.asarray(state), np.asarray(rates)
    starts, ends = _check_edges(rates, edges_from, edges_to, state.shape[0])
    if not (np.isfinite(dt) and dt > 0.0):
        raise NumericalError(f"time step is {dt} s; it must be finite and above 0")
    _check_values(state, "state")
    _check_values(rates, "rate of edge")
    shape = np.broadcast_shapes(state.shape[1:], rates.shape[1:])
    kind = np.result_type(state, rates, np.float32)
    weights = _weights(rates * kind.type(dt), starts, ends, state.shape[0], shape, kind)
    new = np.array(np.broadcast_to(state, (state.shape[0], *shape)), dtype=kind)
    kept = np.ones_like(new)
    outflow = np.ones_like(new)
    for last in range(len(new) - 1, 0, -1):
        outflow[last] = kept[last] + weights[last, :last].sum(axis=0)
        share = weights[last, :last] / outflow[last]
        new[:last] += new[last] * share
        kept[:last] += weights[:last, last] * (kept[last] / outflow[last])
        weights[:last, :last] += weights[:last, last, None] * share[None]
    new[0] /= kept[0]
    for index in range(1, len(new)):
        inflow = (weights[:index, index] * new[:index]).sum(axis=0)
        new[index] = (new[index] + inflow) / outflow[index]
    return new


def equilibrium(
    rates: ArrayLike, edges_from: ArrayLike, edges_to: ArrayLike, state_count: int, total: ArrayLike
) -> NDArray[np.floating]:
    """Equilibrium of a network for a conserved total, by the same elimination (Grassmann, Taksar and Heyman 1985).

    A state with neither inflow nor outflow holds nothing.

    Parameters
    ----------
    rates : array, shape (edge, ...)
        First-order rates, s-1, electron density included, at least 0.
    edges_from, edges_to : array of int, shape (edge,)
        States that each edge leaves and enters.
    state_count : int
        Number of states.
    total : array
        Sum over the states, at least 0; broadcasts with the cells of ``rates``.

    Returns
    -------
    array, shape (state, ...)
        Densities in the unit of ``total``.

    Raises
    ------
    NumericalError
        Metal gets trapped in a state with no way back to the states before it (such as SiO), so the equilibrium is not
        that of a closed cycle; or an input is negative or not finite.
    """
    rates, total = np.asarray(rates), np.asarray(total)
    starts, ends = _check_edges(rates, edges_from, edges_to, state_count)
    _check_values(rates, "rate of edge")
    _check_values(total, "total")
    shape = np.broadcast_shapes(total.shape, rates.shape[1:])
    kind = np.result_type(total, rates, np.float32)
    weights = _weights(rates, starts, ends, state_count, shape, kind)
    shares = np.zeros((state_count, *shape), dtype=kind)
    outflow = np.ones_like(shares)
    for last in range(state_count - 1, 0, -1):
        outflow[last] = weights[last, :last].sum(axis=0)
        trapped = (outflow[last] == 0.0) & (weights[:last, last] > 0.0).any(axis=0)
        if trapped.any():
            where = tuple(int(i) for i in np.argwhere(trapped)[0])
            raise NumericalError(
                f"equilibrium: state {last} receives metal but has no way back at index {where} ({int(trapped.sum())} "
                "such cells); leave the state out, or give the densities its return needs"
            )
        outflow[last] = np.where(outflow[last] > 0.0, outflow[last], 1.0)
        weights[:last, :last] += weights[:last, last, None] * (weights[last, :last] / outflow[last])[None]
    shares[0] = 1.0
    for index in range(1, state_count):
        shares[index] = (weights[:index, index] * shares[:index]).sum(axis=0) / outflow[index]
    return shares * (total / shares.sum(axis=0))


def effective_rate(
    rates: ArrayLike, edges_from: ArrayLike, edges_to: ArrayLike, state_count: int, start: int, end: int
) -> NDArray[np.floating]:
    """Rate at which metal goes from one state to another, direct and through all others taken as short-lived.

    Parameters
    ----------
    rates, edges_from, edges_to, state_count
        As for `equilibrium`.
    start, end : int
        Indices of the two long-lived states.

    Returns
    -------
    array
        Effective first-order rate, s-1, in the shape of one edge. Metal that is trapped on the way never arrives.

    Raises
    ------
    NumericalError
        The two states are the same or out of range, or a rate is negative or not finite.
    """
    rates = np.asarray(rates)
    starts, ends = _check_edges(rates, edges_from, edges_to, state_count)
    _check_values(rates, "rate of edge")
    if start == end or not (0 <= start < state_count and 0 <= end < state_count):
        raise NumericalError(f"effective rate from state {start} to {end}: two different states below {state_count} needed")
    order = [start, end, *(index for index in range(state_count) if index not in (start, end))]
    position = np.argsort(order)
    kind = np.result_type(rates, np.float32)
    weights = _weights(rates, position[starts], position[ends], state_count, rates.shape[1:], kind)
    for last in range(state_count - 1, 1, -1):
        outflow = weights[last, :last].sum(axis=0)
        share = weights[last, :last] / np.where(outflow > 0.0, outflow, 1.0)
        weights[:last, :last] += weights[:last, last, None] * share[None]
    return weights[0, 1]


def _weights(
    rates: NDArray[np.floating],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    state_count: int,
    shape: tuple[int, ...],
    kind: np.dtype,
) -> NDArray[np.floating]:
    weights = np.zeros((state_count, state_count, *shape), dtype=kind)
    for edge, (start, end) in enumerate(zip(starts, ends, strict=True)):
        weights[start, end] += rates[edge]
    return weights


def _check_edges(
    rates: NDArray[np.floating], edges_from: ArrayLike, edges_to: ArrayLike, state_count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    starts, ends = np.asarray(edges_from, dtype=np.int64), np.asarray(edges_to, dtype=np.int64)
    if not starts.shape == ends.shape == (rates.shape[0],):
        raise NumericalError(
            f"edges: {rates.shape[0]} rates, but starts have shape {starts.shape} and ends {ends.shape}; give one each"
        )
    both = np.concatenate([starts, ends])
    if np.any((both < 0) | (both >= state_count)) or np.any(starts == ends):
        raise NumericalError(f"edges {list(zip(starts, ends, strict=True))}: two different states below {state_count} needed")
    return starts, ends


def _check_values(values: NDArray[np.floating], what: str) -> None:
    bad = ~(np.isfinite(values) & (values >= 0.0))
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise NumericalError(
            f"{what}: value {values[where]} at index {where} ({int(bad.sum())} such values); it must be finite and at "
            "least 0; correct the rates or the density that enters the step"
        )
