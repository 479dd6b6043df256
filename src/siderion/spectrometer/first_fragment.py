"""Which fragment of a broken molecule the stop detector sees first, and when."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]

_DIRECTIONS, _DIRECTION_WEIGHTS = np.polynomial.legendre.leggauss(12)


def first_fragment_moments(times: Array, spreads: Array, half_widths: Array, efficiency: float) -> tuple[Array, Array, Array]:
    """Probability, mean time and variance of each fragment as the first one that is seen.

    Fragment i arrives at ``t_i (1 - s_i c h_i + g_i)``: c is the cosine of the direction of the break-up, even between -1 and 1,
    s_i is 1 for the first fragment and -1 for the others, h_i its half width, and g_i a normal spread of its own. Each fragment
    is seen with the same probability. Given that at least one is seen, the probability density of the first one is
    ``e p_i(t) prod_j (1 - e F_j(t))``.

    Parameters
    ----------
    times, spreads, half_widths : array (fragment,)
        Mean times (s), relative standard deviations and relative half widths of the release.
    efficiency : float
        Probability to see one fragment.

    Returns
    -------
    weights, means, variances : array (fragment,)
        Weights sum to 1; s and s2.
    """
    signs = np.where(np.arange(len(times)) == 0, 1.0, -1.0)
    widest = np.maximum(spreads, max(1e-6, 0.02 * float(half_widths.max())))  # without straggling, a narrow law for the sums
    centres = times * (1.0 - _DIRECTIONS[:, None] * signs * half_widths)  # (direction, fragment)
    sigma = times * widest
    lower = (centres - 8.0 * sigma).min()
    upper = (centres + 8.0 * sigma).max()
    # Fine enough for the narrowest fragment: the sums of a normal law on an even grid are exact to round-off at half a sigma.
    step = 0.5 * sigma.min()
    grid = np.linspace(lower, upper, int(min(4000, (upper - lower) / step)) + 2)
    z = (grid - centres[..., None]) / sigma[:, None]  # (direction, fragment, time)
    density = np.exp(-0.5 * z**2) / (np.sqrt(2.0 * np.pi) * sigma[:, None])
    unseen = 1.0 - efficiency * ndtr(z)
    product = unseen.prod(axis=1, keepdims=True)
    first = efficiency * density * product / unseen
    weighted = (0.5 * _DIRECTION_WEIGHTS[:, None, None] * first).sum(axis=0) * (grid[1] - grid[0])  # (fragment, time)
    weights = weighted.sum(axis=1)
    means = (weighted * grid).sum(axis=1) / weights
    variances = (weighted * (grid - means[:, None]) ** 2).sum(axis=1) / weights
    return weights / weights.sum(), means, variances
