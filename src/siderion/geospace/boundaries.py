"""Models of bow shocks, magnetopauses and induced boundaries, and the field line that meets the bow shock.

A boundary is a surface of revolution about the aberrated line from the body to the Sun (x). Positions are in m from the
origin of the frame, axes as in MSO or GSE, already turned by the aberration (`aberrate`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from siderion.core.bodies import get_body
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.tables import load_table

SUN_GM = 1.3271244e20
"""Heliocentric gravitational constant, m3 s-2 (IAU 2015 Resolution B3, nominal solar mass parameter)."""
KINDS = ("bow_shock", "inner_boundary")
"""Kinds of boundary; inner_boundary is the magnetopause, magnetic pile-up or ion composition boundary."""
SHAPES = ("conic", "shue", "cone")


@dataclass(frozen=True)
class Boundary:
    """A surface of revolution about the x axis; lengths in m.

    Attributes
    ----------
    body, kind, model, name : str
        Name of the body, one of `KINDS`, name of the model, name of the boundary in words.
    shape : str
        ``"conic"``: r = L/(1 + e cos theta) about the focus at ``focus_x`` on the axis. ``"shue"``:
        r = standoff (2/(1 + cos theta))^flaring about the origin. ``"cone"``: distance from the axis = standoff - flaring x.
    focus_x, eccentricity, semi_latus_rectum : float
        Of a conic; e < 1 ellipse, 1 parabola, > 1 the sheet of the hyperbola about the focus.
    standoff, flaring : float
        Of the other shapes.
    centre_z : float
        Distance of the axis from the origin along z.
    night : Boundary or None
        The surface at x < 0 of a model in two parts.
    """

    body: str
    kind: str
    model: str
    name: str
    shape: str
    focus_x: float = 0.0
    eccentricity: float = 0.0
    semi_latus_rectum: float = 0.0
    standoff: float = 0.0
    flaring: float = 0.0
    centre_z: float = 0.0
    night: Boundary | None = None

    def __post_init__(self) -> None:
        """Refuse shapes that are none."""
        if self.shape not in SHAPES:
            raise SettingsError(f"boundary {self.model!r}: shape {self.shape!r} is unknown; use one of {', '.join(SHAPES)}")
        size = self.semi_latus_rectum if self.shape == "conic" else self.standoff
        if not 0.0 < size < np.inf or not 0.0 <= self.eccentricity < np.inf:
            raise SettingsError(
                f"boundary {self.model!r} of {self.body}: size {size} m, eccentricity {self.eccentricity}; the size must be "
                "positive and finite, the eccentricity zero or more"
            )

    @property
    def nose_distance(self) -> float:
        """Distance from the origin to the surface on the axis, towards the Sun, m."""
        if self.shape == "conic":
            return self.focus_x + self.semi_latus_rectum / (1.0 + self.eccentricity)
        return self.standoff

    def distance_outside(self, position: ArrayLike) -> np.ndarray:
        """Distance beyond the surface as a ratio, 0 on the surface.

        Parameters
        ----------
        position : array of shape (..., 3)
            Position in m.

        Returns
        -------
        numpy.ndarray of shape (...)
            r/r_surface - 1, r measured from the focus of a conic, from the origin of the Shue form, from the axis of a cone:
            positive outside, negative inside, -1 where the direction never meets the surface. NaN where the position is.
        """
        x, rho = _cylindrical(position, self.centre_z)
        ratio = self._ratio(x, rho)
        if self.night is not None:
            ratio = np.where(x < 0.0, self.night._ratio(x, rho), ratio)
        return ratio - 1.0

    def is_outside(self, position: ArrayLike) -> np.ndarray:
        """Whether positions (..., 3) in m lie outside the surface; False where a position is NaN."""
        return self.distance_outside(position) > 0.0

    def _ratio(self, x: np.ndarray, rho: np.ndarray) -> np.ndarray:
        if self.shape == "conic":
            along = x - self.focus_x
            # On the sheet about the focus r + e x = L; the other sheet of a hyperbola lies far outside of it.
            return np.maximum(np.hypot(along, rho) + self.eccentricity * along, 0.0) / self.semi_latus_rectum
        if self.shape == "shue":
            distance = np.hypot(x, rho)
            with np.errstate(invalid="ignore"):
                cosine = np.where(distance == 0.0, 1.0, x / distance)
            return distance / self.standoff * ((1.0 + cosine) / 2.0) ** self.flaring
        radius = self.standoff - self.flaring * x
        return np.where(radius > 0.0, rho / np.where(radius > 0.0, radius, 1.0), np.where(np.isnan(radius), np.nan, np.inf))


@dataclass(frozen=True)
class Connection:
    """Where field lines meet a bow shock.

    Attributes
    ----------
    connected : numpy.ndarray of bool, shape (...)
        Whether the straight line along the field meets the surface, in either direction.
    distance : numpy.ndarray, shape (...)
        Distance along the field to the nearest meeting, m; negative against the field, NaN where there is none.
    """

    connected: np.ndarray
    distance: np.ndarray


def available_models(body: str, kind: str) -> tuple[str, ...]:
    """Names of the models of a body, the default first; empty where the body has none."""
    table = load_table("geospace", "boundaries")
    rows = table[(table["body"].str.lower() == body.lower()) & (table["kind"] == kind)]
    return tuple(dict.fromkeys(rows["model"]))


def get_boundary(body: str, kind: str, model: str | None = None, *, origin: str = "body") -> Boundary:
    """Boundary model of a body.

    Parameters
    ----------
    body : str
        Name as in ``core/tables/bodies.csv``.
    kind : str
        ``"bow_shock"`` or ``"inner_boundary"``.
    model : str, optional
        Name of the model as in ``geospace/tables/boundaries.csv``; the first of the table if left out.
    origin : str
        ``"body"``: positions from the centre of the body; ``"dipole"``: from its dipole, as in MSM.

    Returns
    -------
    Boundary
        The surface, in m.

    Raises
    ------
    CoverageError
        There is no model of that body.
    SettingsError
        The kind, the model or the origin is unknown.

    Notes
    -----
    Sources: the table. Slavin and Holzer (1981), doi:10.1029/JA086iA13p11401, for the conic section.
    """
    if kind not in KINDS or origin not in ("body", "dipole"):
        raise SettingsError(
            f"boundary of kind {kind!r} from origin {origin!r}: kinds are {', '.join(KINDS)}, origins body, dipole"
        )
    radius = get_body(body).require("radius")
    assert isinstance(radius, float)
    models = available_models(body, kind)
    if not models:
        known = ", ".join(load_table("geospace", "boundaries")["body"].unique())
        raise CoverageError(
            f"no {kind} model for body {body!r}; bodies with models: {known}; give a list of crossings with the option "
            "--regions, or leave the mask of regions out"
        )
    chosen = models[0] if model is None else model
    if chosen not in models:
        raise SettingsError(f"{kind} of {body}: model {model!r} is unknown; models: {', '.join(models)}")
    table = load_table("geospace", "boundaries")
    rows = table[(table["body"].str.lower() == body.lower()) & (table["kind"] == kind) & (table["model"] == chosen)]
    parts = {str(row["side"]): _from_row(row, radius) for _, row in rows.iterrows()}
    boundary = parts["all"] if "all" in parts else replace(parts["day"], night=parts["night"])
    return boundary if origin == "body" else replace(boundary, centre_z=0.0)


def magnetopause_shue1998(bz: float, dynamic_pressure: float) -> Boundary:
    """Magnetopause of the Earth for given solar wind.

    Parameters
    ----------
    bz : float
        North component of the interplanetary field in GSM, T.
    dynamic_pressure : float
        Dynamic pressure of the solar wind, Pa.

    Returns
    -------
    Boundary
        r = r0 (2/(1 + cos theta))^alpha, in m.

    Raises
    ------
    SettingsError
        The pressure is not positive, or a value is not finite.

    Notes
    -----
    Shue et al. (1998), doi:10.1029/98JA01103; coefficients in ``geospace/tables/shue1998.csv``.
    """
    if not (np.isfinite(bz) and 0.0 < dynamic_pressure < np.inf):
        raise SettingsError(f"Bz {bz} T, dynamic pressure {dynamic_pressure} Pa: both must be finite, the pressure positive")
    a = load_table("geospace", "shue1998").set_index("name")["value"]
    field, pressure = bz * 1e9, dynamic_pressure * 1e9
    standoff = (a["a1"] + a["a2"] * np.tanh(a["a3"] * (field + a["a4"]))) * pressure ** (-1.0 / a["a5"])
    flaring = (a["a6"] - a["a7"] * field) * (1.0 + a["a8"] * np.log(pressure))
    boundary = get_boundary("Earth", "inner_boundary", "shue1998")
    radius = get_body("Earth").require_value("radius")
    return replace(boundary, standoff=float(standoff) * radius, flaring=float(flaring))


def orbital_speed(distance: float, semi_major_axis: float | None = None) -> float:
    """Speed of a body on its orbit about the Sun, m s-1: v^2 = GM (2/r - 1/a).

    Parameters
    ----------
    distance, semi_major_axis : float
        Distance from the Sun and semi-major axis, m; a circular orbit if the latter is left out.

    Raises
    ------
    SettingsError
        A length is not positive, or the distance is not reached by that orbit.
    """
    axis = distance if semi_major_axis is None else semi_major_axis
    if not (0.0 < distance < 2.0 * axis < np.inf):
        raise SettingsError(f"distance {distance} m, semi-major axis {axis} m: both must be positive, the distance below 2 a")
    return float(np.sqrt(SUN_GM * (2.0 / distance - 1.0 / axis)))


def aberration_angle(flow_speed: float, orbital_speed: float) -> float:
    """Angle between the Sun line and the solar wind seen from the body, radians: atan(orbital speed/flow speed).

    Raises
    ------
    SettingsError
        The speed of the flow is not positive, or a speed is not finite.
    """
    if not (0.0 < flow_speed < np.inf and 0.0 <= orbital_speed < np.inf):
        raise SettingsError(f"flow speed {flow_speed}, orbital speed {orbital_speed} m/s: they must be finite, the flow positive")
    return float(np.arctan2(orbital_speed, flow_speed))


def aberrate(vector: ArrayLike, angle: float) -> np.ndarray:
    """Components of vectors along the aberrated axes.

    Parameters
    ----------
    vector : array of shape (..., 3)
        Position or field in MSO, VSO, GSE or the like (y opposite to the motion of the body).
    angle : float
        Of `aberration_angle`, radians.

    Returns
    -------
    numpy.ndarray of shape (..., 3)
        The same vectors in axes turned about z, x against the solar wind as seen from the body. The wind, (-v, u, 0) for
        orbital speed u, becomes (-sqrt(v^2 + u^2), 0, 0).
    """
    values = _vectors(vector)
    cosine, sine = np.cos(angle), np.sin(angle)
    x, y, z = values[..., 0], values[..., 1], values[..., 2]
    return np.stack([cosine * x - sine * y, sine * x + cosine * y, z], axis=-1)


def connected_to_shock(
    position: ArrayLike, field: ArrayLike, boundary: Boundary, *, tail_limit: float | None = None
) -> Connection:
    """Whether the straight field line through a position meets the bow shock, and where.

    Parameters
    ----------
    position, field : array of shape (..., 3)
        Position in m and magnetic field in any unit, in the same aberrated axes.
    boundary : Boundary
        A conic in one part.
    tail_limit : float, optional
        Meetings at x below this (m, negative behind the body) do not count; the conic is fitted near the body only.

    Returns
    -------
    Connection
        Not connected where position or field is NaN or the field is zero.

    Raises
    ------
    SettingsError
        The boundary is not a conic in one part.

    Notes
    -----
    With q the position from the focus and b the unit field, |q + s b| = L - e (q + s b)_x gives a quadratic in s; roots
    with a negative right-hand side belong to the other sheet of a hyperbola and are dropped. Conic section: Slavin and Holzer
    (1981), doi:10.1029/JA086iA13p11401.
    """
    if boundary.shape != "conic" or boundary.night is not None:
        raise SettingsError(
            f"connection to {boundary.name} {boundary.model!r} of {boundary.body}: only a conic in one part can be used"
        )
    unit = boundary.semi_latus_rectum
    origin = np.array([boundary.focus_x, 0.0, boundary.centre_z])
    places, fields = np.broadcast_arrays((_vectors(position) - origin) / unit, _vectors(field))
    with np.errstate(all="ignore"):
        b = fields / np.linalg.norm(fields, axis=-1, keepdims=True)
        roots = _line_roots(places, b, boundary.eccentricity)
        x = places[..., 0] + roots * b[..., 0]
        valid = np.isfinite(roots) & (1.0 - boundary.eccentricity * x >= 0.0)
        if tail_limit is not None:
            valid &= x * unit + boundary.focus_x >= tail_limit
    lengths = np.where(valid, np.abs(roots), np.inf)
    nearest = np.argmin(lengths, axis=0)
    distance = np.take_along_axis(roots, nearest[np.newaxis], axis=0)[0] * unit
    connected = valid.any(axis=0)
    return Connection(connected, np.where(connected, distance, np.nan))


def _line_roots(q: np.ndarray, b: np.ndarray, eccentricity: float) -> np.ndarray:
    """Both roots (2, ...) of |q + s b| = |1 - e (q + s b)_x|, written so that no digits cancel."""
    side = 1.0 - eccentricity * q[..., 0]
    first = 1.0 - (eccentricity * b[..., 0]) ** 2
    half = np.sum(q * b, axis=-1) + eccentricity * b[..., 0] * side
    last = np.sum(q * q, axis=-1) - side**2
    larger = -(half + np.copysign(np.sqrt(half**2 - first * last), half))
    return np.stack([larger / first, last / larger])


def _from_row(row: pd.Series, radius: float) -> Boundary:
    return Boundary(
        body=str(row["body"]),
        kind=str(row["kind"]),
        model=str(row["model"]),
        name=str(row["name"]),
        shape=str(row["shape"]),
        focus_x=_given(row["focus_x"]) * radius,
        eccentricity=_given(row["eccentricity"]),
        semi_latus_rectum=_given(row["semi_latus_rectum"]) * radius,
        standoff=_given(row["standoff"]) * radius,
        flaring=_given(row["flaring"]),
        centre_z=_given(row["centre_z"]) * radius,
    )


def _given(value: float) -> float:
    return 0.0 if pd.isna(value) else float(value)


def _vectors(values: ArrayLike) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0 or array.shape[-1] != 3:
        raise DataError(f"vectors have shape {array.shape}; the last dimension must hold the 3 components x, y, z")
    return array


def _cylindrical(position: ArrayLike, centre_z: float) -> tuple[np.ndarray, np.ndarray]:
    values = _vectors(position)
    return values[..., 0], np.hypot(values[..., 1], values[..., 2] - centre_z)
