"""Linear chemistry of one metal, Numba engine: implicit Euler by elimination without subtraction.

Every reaction moves one metal atom from one state to another at a first-order rate (backgrounds and electrons given).
The matrix I - dt K has unit column sums; elimination in the manner of Grassmann, Taksar & Heyman 1985
(doi:10.1287/opre.33.5.1107) only adds and multiplies positive numbers, so the result is positive and the sum over the
states is kept to round-off, however stiff. The cells of a row are eliminated side by side, so that the compiler
vectorises over them. `siderion.chemistry.implicit` holds the plain form.
"""

from __future__ import annotations

import numba
import numpy as np

from .numba_horizontal import _FAST


@numba.njit(error_model="numpy", fastmath=_FAST, cache=True)
def _eliminate(rate, content, stay, total, states, count):
    """Solve (I - dt K) n = content in place for ``count`` cells; ``rate[i, j]`` is dt times the rate from i to j."""
    for p in range(states - 1, 0, -1):
        for x in range(count):
            total[p, x] = stay[p, x]
        for j in range(p):
            for x in range(count):
                total[p, x] += rate[p, j, x]
        for x in range(count):
            total[p, x] = 1 / total[p, x]
        for q in range(p):
            for x in range(count):
                stay[q, x] += rate[q, p, x] * total[p, x] * stay[p, x]
            for j in range(p):
                if j != q:
                    for x in range(count):
                        rate[q, j, x] += rate[q, p, x] * total[p, x] * rate[p, j, x]
        for j in range(p):
            for x in range(count):
                content[j, x] += content[p, x] * (rate[p, j, x] * total[p, x])
    for x in range(count):
        content[0, x] /= stay[0, x]
    for p in range(1, states):
        for q in range(p):
            for x in range(count):
                content[p, x] += rate[q, p, x] * content[q, x]
        for x in range(count):
            content[p, x] *= total[p, x]


@numba.njit(parallel=True, error_model="numpy", fastmath=_FAST, cache=True)
def react(reservoirs, rates, electrons, with_electrons, source_state, target_state, states_at, row_range, time_step):
    """Advance the states of one metal by its chemistry, in place.

    Parameters
    ----------
    reservoirs : (state, lev, y, x)
        Density of every state, m-3; state 0 is the transported ion.
    rates : (reaction, lev, y, x)
        First-order rates: s-1, or m3 s-1 for reactions with electrons.
    electrons : (lev, y, x)
        Electron density, m-3.
    with_electrons : (reaction,) bool
    source_state, target_state : (reaction,) int
        State that each reaction takes from and gives to.
    states_at : (lev,) int
        How many of the states take part at each level: reactions of the others are left out there.
    row_range : (2, y)
    time_step : float
        s.
    """
    states, levels, rows, columns = reservoirs.shape
    reactions = rates.shape[0]
    for y in numba.prange(rows):
        first, stop = row_range[0, y], row_range[1, y]
        count = stop - first
        rate = np.empty((states, states, columns), reservoirs.dtype)
        content = np.empty((states, columns), reservoirs.dtype)
        stay = np.empty((states, columns), reservoirs.dtype)
        total = np.empty((states, columns), reservoirs.dtype)
        for k in range(levels):
            here = states_at[k]
            rate[:here, :here] = 0
            stay[:here] = 1
            for r in range(reactions):
                source, target = source_state[r], target_state[r]
                if source >= here or target >= here:
                    continue
                speed = rates[r, k, y, first:stop]
                if with_electrons[r]:
                    density = electrons[k, y, first:stop]
                    for x in range(count):
                        rate[source, target, x] += speed[x] * time_step * density[x]
                else:
                    for x in range(count):
                        rate[source, target, x] += speed[x] * time_step
            for s in range(here):
                values = reservoirs[s, k, y, first:stop]
                for x in range(count):
                    content[s, x] = values[x]
            _eliminate(rate, content, stay, total, here, count)
            for s in range(here):
                values = reservoirs[s, k, y, first:stop]
                for x in range(count):
                    values[x] = content[s, x]
