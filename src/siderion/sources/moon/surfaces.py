"""Surfaces at which lunar ions arrive: a plane across the flow, the bow shock, the magnetopause."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numba
import numpy as np

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import SettingsError
from siderion.core.tables import load_table
from siderion.geospace.boundaries import Boundary, get_boundary, magnetopause_shue1998

from .plasma import PlasmaState

PLANE, CONIC, SHUE = range(3)
"""Kinds of surface."""


@numba.njit(cache=True, error_model="numpy")
def gap(kind, p0, p1, p2, x, rho):
    """Measure of the distance to a surface, negative inside (or downstream of a plane), and the bound of its gradient."""
    if kind == PLANE:
        return x - p0, 1.0
    if kind == CONIC:
        along = x - p0
        return math.sqrt(along * along + rho * rho) + p1 * along - p2, 1.0 + p1
    r = math.sqrt(x * x + rho * rho)
    if r == 0.0:
        return -p0, 1.5
    return r * (0.5 * (1.0 + x / r)) ** p1 - p0, 1.5


@dataclass(frozen=True)
class Surface:
    """Surface of revolution about the line of the flow through the Earth; SI units.

    Attributes
    ----------
    name : str
        What it is, in words.
    kind : int
        `PLANE` at x = parameters[0]; `CONIC` with focus x, eccentricity, semi-latus rectum; `SHUE` with standoff, flaring.
    parameters : (float, float, float)
        See ``kind``.
    nose : float
        Distance of the surface from the Earth on the axis, m.
    radius : float
        Arrivals count up to this distance from the axis, m; of a plane only.
    tail_limit : float
        Arrivals count at x above this, m; of the others.
    """

    name: str
    kind: int
    parameters: tuple[float, float, float]
    nose: float
    radius: float = np.inf
    tail_limit: float = -np.inf

    def counts(self, position: np.ndarray) -> np.ndarray:
        """Whether arrivals at positions (..., 3) in m count."""
        if self.kind == PLANE:
            return np.hypot(position[..., 1], position[..., 2]) <= self.radius
        return position[..., 0] >= self.tail_limit

    @property
    def area(self) -> float:
        """Area across the flow in which arrivals count, m2."""
        if self.kind == PLANE:
            return np.pi * self.radius**2
        return np.pi * self._half_width() ** 2

    def _half_width(self) -> float:
        """Largest distance from the axis of the surface at x above tail_limit."""
        x = self.tail_limit
        standoff, flaring, _ = self.parameters
        if self.kind == SHUE and flaring < 0.5:
            # a tail that closes is widest where the cosine of the angle from the nose is -flaring/(1 - flaring)
            cosine = -flaring / (1.0 - flaring)
            x = max(x, cosine * standoff * (2.0 / (1.0 + cosine)) ** flaring)
        low, high = 0.0, 2.0 * self.nose
        while gap(self.kind, *self.parameters, x, high)[0] < 0.0:
            high *= 2.0
        for _ in range(80):
            middle = 0.5 * (low + high)
            inside = gap(self.kind, *self.parameters, x, middle)[0] < 0.0
            low, high = (middle, high) if inside else (low, middle)
        return high


def farris_russell_ratio(mach_number: float) -> float:
    """Distance of the nose of the bow shock over that of the magnetopause.

    1 + 1.1 ((g - 1) M^2 + 2)/((g + 1)(M^2 - 1)), g = 5/3.

    Parameters
    ----------
    mach_number : float
        Magnetosonic Mach number of the solar wind, above 1.

    Raises
    ------
    SettingsError
        The Mach number is not above 1: there is no shock.

    References
    ----------
    Farris and Russell 1994, doi:10.1029/94JA01020.
    """
    if not 1.0 < mach_number < np.inf:
        raise SettingsError(
            f"Mach number is {mach_number:.3g}; a bow shock needs more than 1: choose --at magnetopause or a distance in RE"
        )
    table = load_table("sources", "lunar_surfaces").set_index("name")["value"]
    gamma, square = float(table["gamma"]), mach_number**2
    return 1.0 + float(table["coefficient"]) * ((gamma - 1.0) * square + 2.0) / ((gamma + 1.0) * (square - 1.0))


def arrival_surface(
    place: str | float, state: PlasmaState, bz: float, *, radius: float = 15.0 * EARTH_RADIUS, tail_limit: float = 0.0
) -> Surface:
    """Surface at which ions arrive.

    Parameters
    ----------
    place : str or float
        ``"magnetopause"`` (Shue et al. 1998), ``"bow-shock"`` (shape of Slavin and Holzer 1981, scaled to the standoff
        of Farris and Russell 1994), or the x of a plane, m.
    state : PlasmaState
        Solar wind, for the dynamic pressure and the Mach number.
    bz : float
        North component of its field in GSM, T.
    radius : float
        Radius of the disc on a plane in which arrivals count, m.
    tail_limit : float
        x behind which arrivals on the other surfaces do not count, m; in front of the nose and at most as far down the tail
        as the table allows (30 RE), where the shapes still follow observed crossings.

    Raises
    ------
    SettingsError
        The place is unknown, or a number is not finite and positive or outside its range.
    """
    if not isinstance(place, str):
        if not np.isfinite(place) or not 0.0 < radius < np.inf:
            raise SettingsError(f"plane at {place} m with a disc of {radius} m: give finite numbers, the radius positive")
        return Surface(f"plane at {place / EARTH_RADIUS:g} RE", PLANE, (float(place), 0.0, 0.0), float(place), float(radius))
    pause = magnetopause_shue1998(bz, state.dynamic_pressure)
    if place == "magnetopause":
        parameters = (pause.standoff, pause.flaring, 0.0)
        return _limited(Surface("magnetopause", SHUE, parameters, pause.nose_distance), tail_limit)
    if place != "bow-shock":
        raise SettingsError(f"--at {place}: give bow-shock, magnetopause, or the x of a plane in RE")
    shock = _scaled_shock(pause.nose_distance * farris_russell_ratio(state.magnetosonic_mach_number()))
    parameters = (shock.focus_x, shock.eccentricity, shock.semi_latus_rectum)
    return _limited(Surface("bow shock", CONIC, parameters, shock.nose_distance), tail_limit)


def _limited(surface: Surface, tail_limit: float) -> Surface:
    """The surface with a checked tail limit (m)."""
    farthest = float(load_table("sources", "lunar_surfaces").set_index("name")["value"]["tail_bound_re"])
    if not farthest * EARTH_RADIUS <= tail_limit < surface.nose:
        raise SettingsError(
            f"--tail-limit is {tail_limit / EARTH_RADIUS:g} RE; give a number from {farthest:g} RE (the shapes are not fitted "
            f"farther down the tail) to below the nose of the {surface.name}, at {surface.nose / EARTH_RADIUS:.1f} RE"
        )
    return replace(surface, tail_limit=tail_limit)


def _scaled_shock(nose: float) -> Boundary:
    """The default bow shock of the Earth, enlarged to a distance of its nose (m)."""
    shock = get_boundary("Earth", "bow_shock")
    factor = nose / shock.nose_distance
    return replace(shock, focus_x=factor * shock.focus_x, semi_latus_rectum=factor * shock.semi_latus_rectum)
