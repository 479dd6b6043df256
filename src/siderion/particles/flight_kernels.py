"""Compiled flight of test particles: exact Kepler orbits, and velocity Verlet with radiation pressure.

Both kernels work on blocks of particles and write one row per block, so that sums do not depend on the number of threads
and the scatter of the blocks gives the standard error. Columns of ``ends``: `LAUNCHED` to `BEYOND`.
"""

from __future__ import annotations

import math

import numba
import numpy as np

LAUNCHED, RETURNED, ESCAPED, LOST, UNFINISHED, BEYOND = range(6)
"""Columns of the ends of flights: weights, and (`BEYOND`) weighted seconds beyond the outer radius."""
_SERIES_LIMIT = 0.05
_CIRCLE = 1e-9
"""An orbit whose radius changes by no more than this part is a circle: radii cannot tell the time on it."""


@numba.njit(cache=True, error_model="numpy")
def radial_product(radius, alpha, gravity, root, pericentre):
    """r |dr/dt| on an orbit; factored at the pericentre so that nothing cancels there."""
    return math.sqrt(max(0.0, (gravity + root - alpha * radius) * (radius - pericentre)))


@numba.njit(cache=True, error_model="numpy")
def time_between_radii(inner, product_inner, outer, product_outer, alpha, gravity):
    """Time between two radii of one leg of an orbit, s; alpha = -2 E, products r |dr/dt|; any conic, straight lines too."""
    products = product_inner + product_outer
    if outer <= inner:
        return 0.0
    if products <= 0.0:  # from the pericentre to the apocentre
        return math.pi * gravity / alpha**1.5
    # w = tan(sqrt(alpha) s / 2) / sqrt(alpha), with s the universal anomaly between the two points
    w = (outer - inner) / products
    x = alpha * w * w
    if abs(x) < _SERIES_LIMIT:
        # (atan(sqrt x) / sqrt x - 1 / (1 + x)) / x as a power series
        third, power = 0.0, 1.0
        for k in range(1, 13):
            third += power * (1.0 - 1.0 / (2.0 * k + 1.0))
            power *= -x
        third *= 2.0 * w**3
    elif x > 0.0:
        third = (2.0 * math.atan(math.sqrt(x)) / math.sqrt(alpha) - 2.0 * w / (1.0 + x)) / alpha
    else:
        third = (2.0 * math.atanh(math.sqrt(-x)) / math.sqrt(-alpha) - 2.0 * w / (1.0 + x)) / alpha
    return inner * 2.0 * w / (1.0 + x) + product_inner * 2.0 * w * w / (1.0 + x) + gravity * third


@numba.njit(cache=True, error_model="numpy")
def _survived_time(start, duration, loss_rate):
    """Integral of exp(-nu t) over an interval."""
    if loss_rate == 0.0:
        return duration
    return math.exp(-loss_rate * start) * (-math.expm1(-loss_rate * duration)) / loss_rate


@numba.njit(cache=True, error_model="numpy")
def _sweep(low, high, outward, start, factor, orbit, loss_rate, edges, residence):
    """Add the time of one leg between two radii to the shells; returns its duration, s."""
    alpha, gravity, root, pericentre, apocentre = orbit
    if high <= low:
        return 0.0
    first = min(max(np.searchsorted(edges, low, side="right") - 1, 0), len(edges) - 2)
    last = min(max(np.searchsorted(edges, high, side="left") - 1, 0), len(edges) - 2)
    elapsed = 0.0
    for count in range(last - first + 1):
        shell = first + count if outward else last - count
        inner, outer = max(low, edges[shell]), min(high, edges[shell + 1])
        product_inner = 0.0 if inner == pericentre else radial_product(inner, alpha, gravity, root, pericentre)
        product_outer = 0.0 if outer == apocentre else radial_product(outer, alpha, gravity, root, pericentre)
        duration = time_between_radii(inner, product_inner, outer, product_outer, alpha, gravity)
        residence[shell] += factor * _survived_time(start + elapsed, duration, loss_rate)
        elapsed += duration
    return elapsed


@numba.njit(cache=True, error_model="numpy")
def _fly_one(radius, radial, tangential, weight, gravity, loss_rate, stop, edges, residence, ends):
    """Follow one particle to its end; returns the part of it that comes back to the surface."""
    surface, top = edges[0], edges[-1]
    momentum = radius * tangential
    alpha = 2.0 * gravity / radius - radial * radial - tangential * tangential
    root = math.sqrt(max(0.0, gravity * gravity - alpha * momentum * momentum))
    pericentre = min(momentum * momentum / (gravity + root), radius)
    apocentre = max((gravity + root) / alpha, radius) if alpha > 0.0 else math.inf
    orbit = (alpha, gravity, root, pericentre, apocentre)
    low, high = max(pericentre, surface), min(apocentre, top)
    beyond = 0.0
    if math.isfinite(apocentre) and apocentre > top:
        beyond = 2.0 * time_between_radii(
            top, radial_product(top, alpha, gravity, root, pericentre), apocentre, 0.0, alpha, gravity
        )
    ends[LAUNCHED] += weight
    time = 0.0
    if apocentre - pericentre <= _CIRCLE * pericentre and pericentre > surface and loss_rate > 0.0:
        shell = min(max(np.searchsorted(edges, radius, side="right") - 1, 0), len(edges) - 2)
        residence[shell] += weight / loss_rate
        ends[LOST] += weight
        return 0.0
    if radial < 0.0:
        time += _sweep(low, radius, False, time, weight, orbit, loss_rate, edges, residence)
        radius = low
        if pericentre <= surface:
            return _finish(RETURNED, time, weight, loss_rate, ends)
    time += _sweep(radius, high, True, time, weight, orbit, loss_rate, edges, residence)
    if apocentre > top and (stop or alpha <= 0.0):
        _finish(ESCAPED, time, weight, loss_rate, ends)
        return 0.0
    closed = pericentre > surface
    if closed:  # it never meets the surface: sum over all revolutions, a geometric series in exp(-nu T)
        if loss_rate == 0.0:
            ends[UNFINISHED] += weight
            return 0.0
        period = 2.0 * math.pi * gravity / alpha**1.5
        ends[LOST] += weight
        weight /= -math.expm1(-loss_rate * period)
    ends[BEYOND] += weight * _survived_time(time, beyond, loss_rate)
    time += beyond
    time += _sweep(low, high, False, time, weight, orbit, loss_rate, edges, residence)
    if closed:
        _sweep(low, high, True, time, weight, orbit, loss_rate, edges, residence)
        return 0.0
    return _finish(RETURNED, time, weight, loss_rate, ends)


@numba.njit(cache=True, error_model="numpy")
def _finish(end, time, weight, loss_rate, ends):
    """Book the end of a flight; returns the part that survived."""
    survived = math.exp(-loss_rate * time)
    ends[end] += weight * survived
    ends[LOST] += weight * -math.expm1(-loss_rate * time)
    return survived


@numba.njit(parallel=True, cache=True, error_model="numpy")
def fly_blocks(radius, radial, tangential, weight, gravity, loss_rate, stop, edges, residence, ends, returned):
    """Kepler flights of all particles; fills residence (block, shell), ends (block, 6) and returned (particle,)."""
    blocks, count = residence.shape[0], len(radius)
    for block in numba.prange(blocks):
        for p in range(block * count // blocks, (block + 1) * count // blocks):
            returned[p] = _fly_one(
                radius[p], radial[p], tangential[p], weight[p], gravity, loss_rate, stop, edges, residence[block], ends[block]
            )


@numba.njit(cache=True, error_model="numpy")
def in_shadow(x, y, z, surface):
    """Whether a point lies in the cylinder behind the body, the Sun being at +x."""
    return x < 0.0 and y * y + z * z < surface * surface


@numba.njit(cache=True, error_model="numpy")
def _share_out(before, after, amount, edges, cosine, residence):
    """Share a weighted time among the shells between two radii, as if the radius changed evenly."""
    low, high = min(before, after), max(before, after)
    zenith = min(int(math.acos(min(1.0, max(-1.0, cosine))) / math.pi * residence.shape[1]), residence.shape[1] - 1)
    first = min(max(np.searchsorted(edges, low, side="right") - 1, 0), len(edges) - 2)
    last = min(max(np.searchsorted(edges, high, side="left") - 1, first), len(edges) - 2)
    if first == last:
        residence[first, zenith] += amount
        return
    for shell in range(first, last + 1):
        residence[shell, zenith] += amount * (min(high, edges[shell + 1]) - max(low, edges[shell])) / (high - low)


@numba.njit(cache=True, error_model="numpy")
def _integrate_one(r, v, weight, gravity, push, loss_rate, shadow, step, longest, edges, residence, ends):
    """Follow one particle with velocity Verlet; r and v are changed; returns the part that comes back."""
    surface, top = edges[0], edges[-1]
    distance = math.sqrt(r[0] * r[0] + r[1] * r[1] + r[2] * r[2])
    remaining, time = weight, 0.0
    ends[LAUNCHED] += weight
    while time < longest:
        dark = shadow and in_shadow(r[0], r[1], r[2], surface)
        speed = math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2])
        dt = step * min(math.sqrt(distance**3 / gravity), distance / max(speed, 1e-300))
        pull = 0.0 if dark else push
        for i in range(3):
            v[i] += -0.5 * dt * gravity * r[i] / distance**3
        v[0] -= 0.5 * dt * pull
        for i in range(3):
            r[i] += dt * v[i]
        after = math.sqrt(r[0] * r[0] + r[1] * r[1] + r[2] * r[2])
        for i in range(3):
            v[i] += -0.5 * dt * gravity * r[i] / after**3
        v[0] -= 0.5 * dt * pull
        part, end = 1.0, -1
        if after <= surface:
            part, end = (distance - surface) / max(distance - after, 1e-300), RETURNED
        elif after >= top:
            part, end = (top - distance) / max(after - distance, 1e-300), ESCAPED
        part = min(max(part, 0.0), 1.0)
        rate = 0.0 if dark else loss_rate
        amount = remaining * _survived_time(0.0, part * dt, rate)
        _share_out(distance, min(max(after, surface), top), amount, edges, r[0] / after, residence)
        ends[LOST] += rate * amount
        remaining -= rate * amount
        time += part * dt
        distance = after
        if end >= 0:
            ends[end] += remaining
            return remaining / weight if end == RETURNED else 0.0
    ends[UNFINISHED] += remaining
    return 0.0


@numba.njit(parallel=True, cache=True, error_model="numpy")
def integrate_blocks(
    position, velocity, weight, gravity, push, loss_rate, shadow, step, longest, edges, residence, ends, returned
):
    """Integrated flights; fills residence (block, shell, zenith), ends (block, 6), returned (particle,); moves the particles."""
    blocks, count = residence.shape[0], len(position)
    for block in numba.prange(blocks):
        for p in range(block * count // blocks, (block + 1) * count // blocks):
            returned[p] = _integrate_one(
                position[p], velocity[p], weight[p], gravity, push, loss_rate, shadow, step, longest, edges,
                residence[block], ends[block],
            )  # fmt: skip
