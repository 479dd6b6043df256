"""Prescribed electric and magnetic fields of the pusher: uniform, dipoles, flows, grids, functions, and sums of them.

Fields are values: frozen, compared by identity of their arrays, added with ``+``. Positions in m in one Cartesian frame,
E in V/m, B in T.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.constants import mu_0

from siderion.core.errors import CoverageError, SettingsError

from .field_kernels import evaluate_built_in, evaluate_function

Array = NDArray[np.float64]
MU0_4PI = mu_0 / (4.0 * np.pi)
"""mu0 / 4 pi, T m A-1."""


@dataclass(frozen=True, eq=False)
class Fields:
    """A sum of prescribed fields; made by the functions of this module, added with ``+``.

    Attributes
    ----------
    uniform : array of shape (6,)
        Uniform E (V/m) and B (T).
    dipoles : array of shape (dipole, 6)
        Strength mu0 m / 4 pi (T m3) and centre (m) of each.
    grid : tuple or None
        Values (x, y, z, 6), origin (3,), spacing (3,).
    function : callable or None
        Compiled function (x, y, z, t) -> (Ex, Ey, Ez, Bx, By, Bz).
    """

    uniform: Array = field(default_factory=lambda: np.zeros(6))
    dipoles: Array = field(default_factory=lambda: np.zeros((0, 6)))
    grid: tuple[Array, Array, Array] | None = None
    function: Callable[..., Any] | None = None

    def __add__(self, other: Fields) -> Fields:
        """Sum of the fields; one grid and one function at most."""
        for name in ("grid", "function"):
            if getattr(self, name) is not None and getattr(other, name) is not None:
                raise SettingsError(f"both fields have a {name}; add their values first and pass one {name}")
        return Fields(
            self.uniform + other.uniform,
            np.concatenate([self.dipoles, other.dipoles]),
            self.grid if other.grid is None else other.grid,
            self.function if other.function is None else other.function,
        )

    @property
    def grid_limits(self) -> tuple[Array, Array] | None:
        """Lower and upper corner of the grid, m; None without a grid."""
        if self.grid is None:
            return None
        values, origin, spacing = self.grid
        return origin, origin + spacing * (np.array(values.shape[:3]) - 1)

    @property
    def grid_frame(self) -> tuple[float, ...]:
        """Origin (m) and inverse spacing (m-1) of the grid, as the kernels take them; zeros without a grid."""
        if self.grid is None:
            return (0.0,) * 6
        return tuple(float(value) for value in (*self.grid[1], *(1.0 / self.grid[2])))

    def evaluate(self, position: ArrayLike, time: float = 0.0) -> tuple[Array, Array]:
        """Evaluate the fields.

        Parameters
        ----------
        position : array of shape (..., 3)
            Places, m.
        time : float
            Time, s; only functions depend on it.

        Returns
        -------
        electric, magnetic : arrays of shape (..., 3)
            V/m and T.

        Raises
        ------
        SettingsError
            The last axis of the positions is not 3 long.
        CoverageError
            A place lies outside the grid.
        """
        places = np.asarray(position, dtype=np.float64)
        if places.ndim == 0 or places.shape[-1] != 3:
            raise SettingsError(f"positions have shape {places.shape}; the last axis must have 3 components")
        flat = np.ascontiguousarray(places.reshape(-1, 3))
        self.require_inside(flat)
        out = np.empty((len(flat), 6))
        grid = None if self.grid is None else self.grid[0]
        evaluate_built_in(flat, tuple(self.uniform.tolist()), self.dipoles, grid, self.grid_frame, out)
        if self.function is not None:
            extra = np.empty_like(out)
            evaluate_function(flat, float(time), self.function, extra)
            out += extra
        out = out.reshape(*places.shape[:-1], 6)
        return out[..., :3], out[..., 3:]

    def require_inside(self, position: Array) -> None:
        """Refuse places (particle, 3) outside the grid, if there is one."""
        if self.grid_limits is None:
            return
        lower, upper = self.grid_limits
        bad = np.flatnonzero(~((position >= lower) & (position <= upper)).all(axis=1))
        if len(bad):
            raise CoverageError(
                f"particle {bad[0]} is at {position[bad[0]]} m, outside the grid of fields, {lower} to {upper} m; "
                "widen the grid or leave the particle out"
            )


def uniform_fields(magnetic: ArrayLike, electric: ArrayLike = (0.0, 0.0, 0.0)) -> Fields:
    """Uniform magnetic (T) and electric field (V/m), three components each."""
    return Fields(uniform=np.concatenate([_vector(electric, "electric"), _vector(magnetic, "magnetic")]))


def flowing_fields(flow: ArrayLike, magnetic: ArrayLike) -> Fields:
    """Uniform field frozen into a flow: B and E = -v x B.

    Parameters
    ----------
    flow : array of shape (3,)
        Velocity of the plasma, m s-1.
    magnetic : array of shape (3,)
        Magnetic field, T; part of the answer, so do not add it again.
    """
    return uniform_fields(magnetic, -np.cross(_vector(flow, "flow"), _vector(magnetic, "magnetic")))


def convection_field(flow: ArrayLike, magnetic: ArrayLike) -> Fields:
    """Only the electric field E = -v x B of a flow, to be added to a magnetic field; arguments as in `flowing_fields`."""
    return uniform_fields((0.0, 0.0, 0.0), -np.cross(_vector(flow, "flow"), _vector(magnetic, "magnetic")))


def dipole_field(moment: ArrayLike, centre: ArrayLike = (0.0, 0.0, 0.0)) -> Fields:
    """Field of a magnetic dipole, aligned or tilted.

    B = (mu0 / 4 pi) (3 (m . e) e - m) / r^3, e being the unit vector from the centre.

    Parameters
    ----------
    moment : array of shape (3,)
        Magnetic moment, A m2; that of the Earth points to the south.
    centre : array of shape (3,)
        Place of the dipole, m.

    References
    ----------
    Jackson 1999, Classical Electrodynamics, equation 5.56.
    """
    return Fields(dipoles=np.concatenate([MU0_4PI * _vector(moment, "moment"), _vector(centre, "centre")])[None, :])


def grid_fields(
    x: ArrayLike, y: ArrayLike, z: ArrayLike, magnetic: ArrayLike | None = None, electric: ArrayLike | None = None
) -> Fields:
    """Fields on a regular Cartesian grid, interpolated linearly in each direction; particles stop at its edge.

    Parameters
    ----------
    x, y, z : arrays
        Axes, m, rising in equal steps, at least two points each.
    magnetic, electric : arrays of shape (x, y, z, 3), optional
        Fields on the points, T and V/m; zero where not given.

    Raises
    ------
    SettingsError
        Axes are not regular, shapes do not fit, or a value is not finite.
    """
    axes = [np.asarray(axis, dtype=np.float64) for axis in (x, y, z)]
    for name, axis in zip("xyz", axes, strict=True):
        gaps = np.diff(axis)
        if axis.ndim != 1 or len(axis) < 2 or not (gaps > 0).all() or np.ptp(gaps) > 1e-6 * gaps[0]:
            raise SettingsError(f"axis {name} of the grid must have at least two points that rise in equal steps")
    shape = tuple(len(axis) for axis in axes)
    values = np.zeros((*shape, 6))
    for first, name, given in ((0, "electric", electric), (3, "magnetic", magnetic)):
        if given is None:
            continue
        array = np.asarray(given, dtype=np.float64)
        if array.shape != (*shape, 3):
            raise SettingsError(f"{name} has shape {array.shape}; the axes need {(*shape, 3)}")
        if not np.isfinite(array).all():
            where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise SettingsError(f"{name} is {array[where]} at the index {where} of the grid; every value must be finite")
        values[..., first : first + 3] = array
    spacing = np.array([(axis[-1] - axis[0]) / (len(axis) - 1) for axis in axes])
    return Fields(grid=(values, np.array([axis[0] for axis in axes]), spacing))


def function_fields(function: Callable[..., Any]) -> Fields:
    """Fields of a function compiled with ``numba.njit``.

    Parameters
    ----------
    function : compiled function
        (x, y, z, t) in m and s -> (Ex, Ey, Ez, Bx, By, Bz) in V/m and T. It gets the working precision of the flight, is
        called from several threads, and must not keep anything.

    Raises
    ------
    SettingsError
        The function is not compiled.
    """
    if not hasattr(function, "py_func"):
        raise SettingsError(f"function {function!r} is not compiled; put @numba.njit above it")
    return Fields(function=function)


def _vector(values: ArrayLike, name: str) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (3,) or not np.isfinite(array).all():
        raise SettingsError(f"{name} is {values!r}; three finite components are needed (SI units)")
    return array
