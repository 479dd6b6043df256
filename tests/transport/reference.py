"""The engine kernels in plain NumPy: written from their documented meaning and the papers, clear rather than fast.

Every function takes the arguments of the kernel of the same name and works in double precision. None writes to its input:
results are returned.
"""

from __future__ import annotations

import numpy as np

from siderion.background.electric_field import FOOTPOINT_RADIUS
from siderion.background.ion_velocity import ion_velocity_terms, mobility_response
from siderion.chemistry.implicit import implicit_euler_step
from siderion.frames.spherical import local_axes


def cells_of(row_range):
    """(row, slice) of the active part of every row that has one."""
    for row, (first, stop) in enumerate(row_range.T):
        if stop > first:
            yield row, slice(int(first), int(stop))


# ---------------------------------------------------------------- parabolas, Colella & Woodward 1984


def limited_slopes(width, value):
    """Equations 1.7 and 1.8 for cells of any width; the first and the last cell get slope 0."""
    slope = np.zeros_like(value)
    for j in range(1, len(value) - 1):
        before, here, after = width[j - 1 : j + 2]
        up, down = value[j + 1] - value[j], value[j] - value[j - 1]
        central = here / (before + here + after)
        central *= (2 * before + here) / (after + here) * up + (here + 2 * after) / (before + here) * down
        if up * down > 0:
            slope[j] = np.sign(up) * min(abs(central), 2 * abs(up), 2 * abs(down))
    return slope


def face_values(width, value):
    """Equation 1.6: the value at the face between cells j and j + 1, for j = 1 to n - 3."""
    slope = limited_slopes(width, value)
    faces = np.full(len(value) - 1, np.nan)
    for j in range(1, len(value) - 2):
        w0, w1, w2, w3 = width[j - 1 : j + 3]
        jump = value[j + 1] - value[j]
        parts = 2 * w2 * w1 / (w1 + w2) * ((w0 + w1) / (2 * w1 + w2) - (w3 + w2) / (2 * w2 + w1)) * jump
        parts -= w1 * (w0 + w1) / (2 * w1 + w2) * slope[j + 1]
        parts += w2 * (w2 + w3) / (w1 + 2 * w2) * slope[j]
        faces[j] = value[j] + w1 / (w1 + w2) * jump + parts / (w0 + w1 + w2 + w3)
    return faces


def monotone(left, centre, right):
    """Equation 1.10: edges of the parabola in a cell such that it has no extremum inside."""
    if (right - centre) * (centre - left) <= 0:
        return centre, centre
    difference, product = right - left, (right - left) * (centre - (left + right) / 2)
    if product > difference**2 / 6:
        return 3 * centre - 2 * right, right
    if product < -(difference**2) / 6:
        return left, 3 * centre - 2 * left
    return left, right


def integral(left, centre, right, start, stop):
    """Integral of the parabola of equation 1.4 over a part of its cell, in units of the cell's width."""
    bend = 6 * (centre - (left + right) / 2)

    def primitive(x):
        return left * x + (right - left + bend) * x**2 / 2 - bend * x**3 / 3

    return primitive(stop) - primitive(start)


def parabolas(width, value):
    """Left and right edge of the monotone parabola of the cells that have two neighbours on each side; n - 4 of them."""
    faces = face_values(width, value)
    pairs = [monotone(faces[j - 1], value[j], faces[j]) for j in range(2, len(value) - 2)]
    return np.array(pairs).T


# ---------------------------------------------------------------- horizontal advection


def sweep_row(density, volume, swept, outside):
    """One row: cells with ``density`` and ``volume``, faces that sweep the volume ``swept`` to the right.

    Returns the mass through every face and the part of the upwind cell that each takes. ``outside`` holds what the air
    left and right of the row carries.
    """
    padded = np.concatenate([np.full(3, outside[0]), density, np.full(3, outside[1])])
    volumes = np.concatenate([volume[:1], volume, volume[-1:]])
    left, right = parabolas(np.ones_like(padded), padded)  # one cell beyond each end
    centre = padded[2:-2]
    mass, courant = np.zeros_like(swept), np.zeros_like(swept)
    for face, moved in enumerate(swept):
        upwind = face if moved >= 0 else face + 1
        courant[face] = part = abs(moved) / volumes[upwind]
        start, stop = (1 - part, 1) if moved >= 0 else (0, part)
        mass[face] = np.sign(moved) * volumes[upwind]
        mass[face] *= integral(left[upwind], centre[upwind], right[upwind], start, stop)
    return mass, courant


def sweep(density, volume, velocity, solid_angle, edge, bounds, scale, fixed, outside, last):
    """Both fields of one level after one sweep along the rows, the mass that came in, the largest Courant number."""
    density, volume = density.copy(), volume.copy()
    gained, largest = 0.0, 0.0
    for y, row in cells_of(bounds):
        n, v, angle, speed = density[y, row], volume[y, row], solid_angle[y, row], velocity[y, row]
        at_faces = np.concatenate([speed[:1], (speed[1:] + speed[:-1]) / 2, speed[-1:]])
        swept = at_faces * edge[y, row.start : row.stop + 1] * scale
        beyond = (outside, outside) if fixed else (n[0], n[-1])
        mass, courant = sweep_row(n, v * angle, swept, beyond)
        after = v * angle - np.diff(swept)
        density[y, row] = (n * v * angle - np.diff(mass)) / (angle if last else after)
        volume[y, row] = after / angle
        gained += mass[0] - mass[-1]
        largest = max(largest, courant.max())
    return density, volume, gained, largest


def advect_horizontal(
    density, volume, velocity_x, velocity_y, solid_angle, edge_x, edge_y, row_range, column_range, time_over_radius, shell,
    edge_fixed, edge_density, x_first, last,
):  # fmt: skip
    """Density, pseudo-volume, gain by level, largest Courant number."""
    density, volume = density.astype(float), volume.astype(float)
    budget, largest = np.zeros(len(shell)), 0.0
    for k in range(len(shell)):
        for turn in range(2):
            rest = (time_over_radius[k], edge_fixed, edge_density[k], last and turn == 1)
            if x_first == (turn == 0):
                n, v, gain, courant = sweep(density[k], volume[k], velocity_x[k], solid_angle, edge_x, row_range, *rest)
            else:
                n, v, gain, courant = sweep(density[k].T, volume[k].T, velocity_y[k], solid_angle.T, edge_y, column_range, *rest)
                n, v = n.T, v.T
            density[k], volume[k] = n, v
            budget[k] += gain * shell[k]
            largest = max(largest, courant)
    return density, volume, budget, largest


# ---------------------------------------------------------------- vertical advection


class Column:
    """Mass and pseudo-volume below any height of one column, per solid angle, counted from the lowest face.

    Inside a cell the mass follows its parabola and the pseudo-volume is even in height. Outside the column the area is
    that of the end face and the density is given.
    """

    def __init__(self, thickness, shell, area, density, pseudo, below, above):
        self.heights = np.concatenate([[0.0], np.cumsum(thickness)])
        self.thickness, self.area, self.density = thickness, area, density
        self.below, self.above = below, above
        self.volume = pseudo * shell
        width = np.concatenate([thickness[:1]] * 2 + [thickness] + [thickness[-1:]] * 2)
        value = np.concatenate([density[:1]] * 2 + [density] + [density[-1:]] * 2)
        faces = face_values(width, value)[1:-1]
        faces[0], faces[-1] = density[0], density[-1]
        self.edges = np.array([monotone(faces[k], density[k], faces[k + 1]) for k in range(len(density))])
        self.mass_below = np.concatenate([[0.0], np.cumsum(density * self.volume)])
        self.volume_below = np.concatenate([[0.0], np.cumsum(self.volume)])

    def up_to(self, height):
        """(mass, pseudo-volume) below a height."""
        if height < 0:
            return height * self.area[0] * self.below, height * self.area[0]
        if height > self.heights[-1]:
            more = (height - self.heights[-1]) * self.area[-1]
            return self.mass_below[-1] + more * self.above, self.volume_below[-1] + more
        k = min(int(np.searchsorted(self.heights, height, side="right")) - 1, len(self.density) - 1)
        part = (height - self.heights[k]) / self.thickness[k]
        left, right = self.edges[k]
        mass = self.volume[k] * integral(left, self.density[k], right, 0.0, part)
        return self.mass_below[k] + mass, self.volume_below[k] + part * self.volume[k]


def advect_vertical(
    density, volume, velocity, row_range, thickness, shell, area, time_step, top_velocity, bottom_density, top_density, last,
    solid_angle,
):  # fmt: skip
    """Density, pseudo-volume, gains (bottom, top) by row."""
    density, volume = density.astype(float), volume.astype(float)
    heights = np.concatenate([[0.0], np.cumsum(thickness)])
    centres = (heights[1:] + heights[:-1]) / 2
    budget = np.zeros((density.shape[1], 2))
    for y, row in cells_of(row_range):
        for x in range(row.start, row.stop):
            column = Column(thickness, shell, area, density[:, y, x], volume[:, y, x], bottom_density, top_density)
            at_faces = np.interp(heights, centres, velocity[:, y, x].astype(float))
            at_faces[-1] = top_velocity[y, x]
            middle = np.interp(heights - at_faces * time_step / 2, heights, at_faces)
            departure = np.array([column.up_to(h) for h in heights - middle * time_step])
            here = np.array([column.up_to(h) for h in heights])
            mass, swept = (here - departure).T
            after = volume[:, y, x] * shell - np.diff(swept)
            density[:, y, x] = (density[:, y, x] * volume[:, y, x] * shell - np.diff(mass)) / (shell if last else after)
            volume[:, y, x] = after / shell
            budget[y] += np.array([mass[0], -mass[-1]]) * solid_angle[y, x]
    return density, volume, budget


# ---------------------------------------------------------------- vertical diffusion


def exponential_fitting(peclet):
    """(P/2) coth(P/2) of Scharfetter & Gummel 1969."""
    half = np.asarray(peclet, float) / 2
    safe = np.where(np.abs(half) < 1e-4, 1.0, half)
    return np.where(np.abs(half) < 1e-4, 1 + half**2 / 3, safe / np.tanh(safe))


def continued_fraction(peclet):
    """The same as the engine takes it: x coth x = 1 + x2/(3 + x2/(5 + x2/7)) up to x = 5, and no less than x."""
    half = np.abs(np.asarray(peclet, float) / 2)
    square = np.minimum(half, 5.0) ** 2
    return np.maximum(1 + square / (3 + square / (5 + square / 7)), half)


def diffuse_vertical(
    density, electrons, diffusivity, drift, ambipolar, top_drift, row_range, shell, area, distance, solid_angle, time_step,
    outflow=None, fitting=continued_fraction,
):  # fmt: skip
    """Density after the step: a dense implicit solve of every column, closed at the bottom."""
    density = density.astype(float)
    levels = len(shell)
    for y, row in cells_of(row_range):
        for x in range(row.start, row.stop):
            n, ne = density[:, y, x].copy(), electrons[:, y, x].astype(float)
            matrix = np.diag(shell.astype(float))
            for k in range(1, levels):
                pair = slice(k - 1, k + 1)
                d, w, a = (field[pair, y, x].astype(float).mean() for field in (diffusivity, drift, ambipolar))
                speed = w - a * np.diff((ne - n)[pair])[0] / ne[pair].mean() / distance[k]
                spread = d + a * n[pair].mean() / ne[pair].mean()
                upwind = abs(speed) / 2
                fitted = spread * fitting(speed * distance[k] / spread) / distance[k] if spread > 0 else upwind
                flux = np.zeros(levels)  # the flux is this vector times the new density
                flux[k - 1], flux[k] = speed / 2 + fitted, speed / 2 - fitted
                matrix[k - 1] += flux * area[k] * time_step
                matrix[k] -= flux * area[k] * time_step
            matrix[-1, -1] += top_drift[y, x] * area[levels] * time_step
            density[:, y, x] = np.linalg.solve(matrix, shell * n)
    return density


# ---------------------------------------------------------------- chemistry


def react(reservoirs, rates, electrons, with_electrons, source_state, target_state, states_at, row_range, time_step):
    """Densities of all states after the step."""
    result = reservoirs.astype(float)
    for k, count in enumerate(states_at):
        takes_part = (source_state < count) & (target_state < count)
        source, target = source_state[takes_part], target_state[takes_part]
        for y, row in cells_of(row_range):
            speed = rates[takes_part, k, y, row].astype(float)
            speed[with_electrons[takes_part]] *= electrons[k, y, row]
            result[:count, k, y, row] = implicit_euler_step(result[:count, k, y, row], speed, source, target, time_step)
    return result


# ---------------------------------------------------------------- velocity


def interpolate_columns(drivers, corner, corner_weight):
    """(row, lev, column) to (row, lev, y, x), at every native column."""
    return np.einsum("rkcyx,cyx->rkyx", drivers[:, :, corner], corner_weight)


def log_slope(values, altitude):
    """d ln(values)/dz, m-1, one-sided at the ends, by the two neighbours elsewhere; ``altitude`` in m."""
    logarithm = np.log(values)
    below = np.maximum(np.arange(len(values)) - 1, 0)
    above = np.minimum(np.arange(len(values)) + 1, len(values) - 1)
    return (logarithm[above] - logarithm[below]) / (altitude[above] - altitude[below])[:, None, None]


def fill_velocity(grid, shells, convection, ion, rows, density, electrons, terms):
    """Velocities and diffusion coefficients from vectors: `ion_velocity_terms` and the field of the convection.

    ``rows`` (7, lev, y, x) are the drivers on the native columns. Returns a dictionary with the names of the kernel's
    results, ``velocity_y`` not transposed.
    """
    nu, wind_1, wind_2, force, diffusivity, ambipolar, thermal = rows.astype(float)
    lat, lon, radius = grid.latitude[None], grid.longitude[None], shells.radius[:, None, None]
    lat, lon, radius = np.broadcast_arrays(lat, lon, radius)
    east, north, up = local_axes(lat, lon)
    electric = convection.electric_field(lat, lon, radius)
    field = convection.dipole.field(lat, lon, radius)
    b = field / np.linalg.norm(field, axis=-1, keepdims=True)
    b_up = np.sum(b * up, axis=-1)
    angle, outward = np.radians(lon)[..., None], -grid.sign * north
    wind = wind_1[..., None] * (outward * np.cos(angle) - east * np.sin(angle))
    wind = wind + wind_2[..., None] * (outward * np.sin(angle) + east * np.cos(angle))
    zero = np.zeros_like(wind)
    fast = ion_velocity_terms(ion.charge, ion.mass, nu, field, electric, wind, zero, zero)
    fast = sum((fast[name] for name in ("exb", "pedersen", "wind") if name in terms), zero)
    zeta = nu * ion.mass / (ion.charge * np.linalg.norm(field, axis=-1))
    resistance = ion.mass * nu
    heights = 1e3 * shells.altitude
    weight = force - diffusivity * log_slope(density.astype(float), heights)
    slow = mobility_response((resistance * weight)[..., None] * up, field, zeta, resistance)
    parallel = (thermal - ambipolar * log_slope(electrons.astype(float), heights)) * b_up
    slow = slow + parallel[..., None] * b
    across = (zeta**2 + b_up**2) / (1 + zeta**2)
    return {
        "velocity_x": np.sum((fast + slow) * grid.normal_x, axis=-1),
        "velocity_y": np.sum((fast + slow) * grid.normal_y, axis=-1),
        "velocity_up": np.sum(fast * up, axis=-1),
        "slow_up": np.sum(slow * up, axis=-1),
        "diffusivity": diffusivity * across,
        "drift": force * across + thermal * b_up**2,
        "ambipolar": ambipolar * b_up**2,
    }


def kernel_columns(shells, convection, ion):
    """``radius, footpoint, gyration, field_scale`` of the kernel, (lev,) each."""
    strength = convection.dipole.strength * (convection.earth_radius / shells.radius) ** 3
    return shells.radius, np.sqrt(FOOTPOINT_RADIUS / shells.radius), ion.charge / ion.mass * strength, strength


# ---------------------------------------------------------------- sums and checks


def total_content(density, solid_angle, shell, active):
    """Number of particles in the active cells."""
    return float(np.sum(density.astype(float)[:, active] * solid_angle[active] * shell[:, None]))


def largest_rates(velocity_x, velocity_y, velocity_up, solid_angle, edge_x, edge_y, active, inverse_radius, distance):
    """Largest horizontal crossing rate and vertical stretching rate of every level, (lev, 2), s-1."""
    x_length = np.maximum(edge_x[:, :-1], edge_x[:, 1:])
    y_length = np.maximum(edge_y[:, :-1], edge_y[:, 1:]).T
    crossing = np.maximum(np.abs(velocity_x) * x_length, np.abs(velocity_y.transpose(0, 2, 1)) * y_length)
    crossing = crossing / solid_angle * inverse_radius[:, None, None]
    stretching = np.zeros_like(crossing)
    stretching[1:] = np.diff(velocity_up, axis=0) / distance[1:, None, None]
    rates = np.stack([crossing, np.maximum(stretching, 0.0)], axis=-1)
    return rates[:, active].max(axis=1)


def first_invalid(density, active):
    """Index of the lowest cell that is negative or not finite, or (-1, -1, -1)."""
    bad = np.argwhere(~(np.isfinite(density) & (density >= 0)) & active)
    return tuple(int(i) for i in bad[0]) if len(bad) else (-1, -1, -1)
