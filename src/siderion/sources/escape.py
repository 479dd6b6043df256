"""Escape from a body: speeds and energies, with the ambipolar field and the mirror force (Yamauchi et al., section 2.2.3).

A particle of mass m at the distance r from the centre of a body escapes with the speed sqrt(2 GM / r). To rise from r1 to r2 it
needs the energy GM m (1/r1 - 1/r2). For an ion that follows a field line, a potential drop V between the two altitudes (lower
less upper, the ambipolar field of an ionosphere) gives back q V, and the mirror force turns the part W_perp (1 - B2/B1) of its
energy across the field to energy along it.

The functions take and return SI units; the data sets of `siderion.sources.escape_dataset` have km, km s-1 and eV.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.constants import gravitational_constant, proton_mass

from siderion.core.bodies import get_body
from siderion.core.constants import ATOMIC_MASS, EARTH_GM, EARTH_RADIUS
from siderion.core.errors import SettingsError
from siderion.core.species import get_species

Array = NDArray[np.float64]

MASSES = ("weights", "nucleons")
"""weights: masses of ``core/tables/species.csv``; nucleons: mass number times the proton mass, as Table 2.2 was made."""


@dataclass(frozen=True)
class GravityField:
    """The point-mass gravity of a body.

    Attributes
    ----------
    name : str
        Name of the body.
    gm : float
        Gravitational constant times mass, m3 s-2.
    radius : float
        Radius from which altitudes count, m.
    source, confidence : str
        Where the two numbers come from.
    """

    name: str
    gm: float
    radius: float
    source: str
    confidence: str

    def distance(self, altitude: ArrayLike) -> Array:
        """Distance from the centre, m, at an altitude in m.

        Raises
        ------
        SettingsError
            An altitude is not a number, or not above the centre.
        """
        values = np.asarray(altitude, dtype=np.float64)
        wrong = ~(values > -self.radius)
        if wrong.any():
            raise SettingsError(
                f"altitude {float(values[wrong].flat[0]) / 1e3:g} km lies below the centre of {self.name}, "
                f"whose radius is {self.radius / 1e3:g} km; give altitudes above the surface in km"
            )
        return self.radius + values


def gravity_field(body: str, gm: float | None = None, mass: float | None = None, radius: float | None = None) -> GravityField:
    """Gravity of a body of the registry, with numbers of the user in place of its own.

    The Earth has the GM of the IERS Conventions and the sphere of 6371.2 km; other bodies have the mass and radius of
    ``core/tables/bodies.csv``.

    Parameters
    ----------
    body : str
        Name of a body.
    gm, mass, radius : float, optional
        GM (m3 s-2) or mass (kg), not both, and radius (m), in place of those of the body.

    Returns
    -------
    GravityField
        GM and radius with their source.

    Raises
    ------
    SettingsError
        A number is not positive and finite, both ``gm`` and ``mass`` are given, or the body lacks a number.
    CoverageError
        The body is not in the table.
    """
    for name, value in (("GM, m3 s-2", gm), ("mass, kg", mass), ("radius, m", radius)):
        if value is not None and not 0.0 < value < np.inf:
            raise SettingsError(f"{name}: {value} given for {body}; it must be positive and finite")
    if gm is not None and mass is not None:
        raise SettingsError(f"both GM ({gm:g}) and mass ({mass:g}) are given for {body}; give one of them")
    preset = get_body(body)
    earth = preset.name in ("Earth", "Earth cusp")
    given = [word for word, value in (("GM", gm), ("mass", mass), ("radius", radius)) if value is not None]
    chosen_gm = gm
    if chosen_gm is None and mass is not None:
        chosen_gm = gravitational_constant * mass
    if chosen_gm is None:
        chosen_gm = EARTH_GM if earth else gravitational_constant * preset.require_value("mass")
    if radius is None:
        radius = EARTH_RADIUS if earth else preset.require_value("radius")
    source = "IERS Conventions 2010 (GM), sphere of 6371.2 km" if earth else "siderion/core/tables/bodies.csv, remembered"
    if given:
        source = f"{' and '.join(given)} of the user; {source}"
    return GravityField(preset.name, chosen_gm, radius, source, "verified" if earth else "unverified")


def escape_speed(field: GravityField, altitude: ArrayLike) -> Array:
    """Escape speed sqrt(2 GM / r), m s-1.

    Parameters
    ----------
    field : GravityField
        From `gravity_field`.
    altitude : array
        Altitudes, m; may be infinite.

    Returns
    -------
    array
        Escape speed at each altitude.

    Raises
    ------
    SettingsError
        An altitude lies below the centre.
    """
    return np.sqrt(2.0 * field.gm / field.distance(altitude))


def escape_energy(field: GravityField, altitude: ArrayLike, mass: ArrayLike) -> Array:
    """Energy a particle needs to escape, GM m / r, J; arguments broadcast.

    Parameters
    ----------
    field : GravityField
        From `gravity_field`.
    altitude, mass : array
        Altitudes, m, and masses, kg.

    Returns
    -------
    array
        Energy, J.

    Raises
    ------
    SettingsError
        An altitude lies below the centre.
    """
    return field.gm * np.asarray(mass, dtype=np.float64) / field.distance(altitude)


def energy_between(field: GravityField, start: ArrayLike, target: ArrayLike, mass: ArrayLike) -> Array:
    """Energy to rise from one altitude to another, GM m (1/r1 - 1/r2), J; negative on the way down.

    Parameters
    ----------
    field : GravityField
        From `gravity_field`.
    start, target : array
        Altitudes, m; the target may be infinite, then the result is the escape energy at the start.
    mass : array
        Masses, kg.

    Returns
    -------
    array
        Energy, J, of the broadcast shape.

    Raises
    ------
    SettingsError
        An altitude lies below the centre.
    """
    lower, upper = field.distance(start), field.distance(target)
    # 1/r1 - 1/r2 from the difference of the altitudes: exact for close ones
    climb = np.asarray(target, dtype=np.float64) - np.asarray(start, dtype=np.float64)
    finite = np.isfinite(upper)
    inverse = np.where(finite, np.where(finite, climb, 0.0) / (lower * np.where(finite, upper, 1.0)), 1.0 / lower)
    return field.gm * np.asarray(mass, dtype=np.float64) * inverse


def mirror_ratio(field: GravityField, start: float, target: ArrayLike, magnetic_latitude: float = 90.0) -> Array:
    """Field strength at a target over that at the start, B2/B1, along one line of a centred dipole.

    B is proportional to sqrt(4 - 3 r / r_eq) / r^3, with r_eq = r1 / cos^2 of the magnetic latitude at the start; on the axis
    it is proportional to r^-3.

    Parameters
    ----------
    field : GravityField
        From `gravity_field`; only the radius counts.
    start : float
        Altitude of the start, m.
    target : array
        Altitudes of the targets, m, on the same side of the magnetic equator; infinity is allowed on the axis.
    magnetic_latitude : float
        Magnetic latitude of the line at the start, degrees, 0 to 90.

    Returns
    -------
    array
        B2/B1.

    Raises
    ------
    SettingsError
        The latitude is out of range, or a target lies above the top of the field line.
    """
    if not 0.0 <= magnetic_latitude <= 90.0:
        raise SettingsError(f"magnetic latitude is {magnetic_latitude}; it must lie between 0 and 90 degrees")
    lower, upper = field.distance(start), field.distance(target)
    if magnetic_latitude == 90.0:
        return (lower / upper) ** 3
    top = float(lower) / np.cos(np.radians(magnetic_latitude)) ** 2
    above = upper > top * (1.0 + 1e-12)
    if above.any():
        raise SettingsError(
            f"altitude {(float(upper[above].flat[0]) - field.radius) / 1e3:g} km is above the top of the field line "
            f"({(top - field.radius) / 1e3:.6g} km) that starts at {magnetic_latitude:g} degrees magnetic latitude and "
            f"{start / 1e3:g} km; give a lower altitude or a higher latitude"
        )
    return (lower / upper) ** 3 * np.sqrt((4.0 - 3.0 * upper / top) / (4.0 - 3.0 * lower / top))


def energy_needed(gravity_energy: ArrayLike, charge: ArrayLike = 0.0, potential_drop: ArrayLike = 0.0) -> Array:
    """Energy to rise with the ambipolar potential counted, dW - q V, J.

    Parameters
    ----------
    gravity_energy : array
        Energy against gravity, J, from `energy_between`.
    charge : array
        Charges, C; 0 for neutrals.
    potential_drop : array
        Electric potential at the start less that at the target, V: positive in the ambipolar field, which lifts positive ions.

    Returns
    -------
    array
        Energy, J; negative where the field gives more than gravity takes.
    """
    return np.asarray(gravity_energy, dtype=np.float64) - np.asarray(charge, dtype=np.float64) * np.asarray(potential_drop)


def parallel_energy_needed(needed: ArrayLike, perpendicular_energy: ArrayLike, field_ratio: ArrayLike) -> Array:
    """Least energy along the field at the start, max(0, dW - W_perp (1 - B2/B1)), J.

    The first adiabatic invariant keeps W_perp/B. Nothing between start and target asks for more where the rest of the potential
    follows gravity: on the axis of a dipole what is needed up to r is dW (1 - x) - W_perp (1 - x^3) with x = r1/r, apart from
    a factor; with rising r it can fall first and rise then, never the other way round, so it is largest at one of the ends.

    Parameters
    ----------
    needed : array
        Energy to reach the target, J, from `energy_needed`.
    perpendicular_energy : array
        Energy across the field at the start, J; 0 for neutrals, which feel no mirror force.
    field_ratio : array
        B2/B1, from `mirror_ratio`.

    Returns
    -------
    array
        Energy, J.

    Raises
    ------
    SettingsError
        A perpendicular energy is negative or not a number.
    """
    across = np.asarray(perpendicular_energy, dtype=np.float64)
    if not (across >= 0.0).all():
        raise SettingsError(f"perpendicular energy is {float(across.min()):g} J; it must not be negative")
    return np.maximum(0.0, np.asarray(needed, dtype=np.float64) - across * (1.0 - np.asarray(field_ratio, dtype=np.float64)))


def start_energy_needed(needed: ArrayLike, pitch_angle: ArrayLike, field_ratio: ArrayLike) -> Array:
    """Least total energy at the start for one pitch angle, dW / (1 - sin^2 a B2/B1), J.

    Parameters
    ----------
    needed : array
        Energy to reach the target, J, not negative.
    pitch_angle : array
        Angle between velocity and upward field direction at the start, degrees, 0 to 90.
    field_ratio : array
        B2/B1, below 1.

    Returns
    -------
    array
        Energy, J.

    Raises
    ------
    SettingsError
        A pitch angle is out of range, or the ratio is not below 1 on the way up.
    """
    angle, ratio = np.asarray(pitch_angle, dtype=np.float64), np.asarray(field_ratio, dtype=np.float64)
    if not ((angle >= 0.0) & (angle <= 90.0)).all():
        raise SettingsError("a pitch angle lies outside 0 to 90 degrees; an ion that starts downward comes back with its mirror")
    if not ((ratio >= 0.0) & (ratio < 1.0)).all():
        raise SettingsError("a field ratio B2/B1 lies outside 0 to below 1; the field must fall from start to target")
    return np.asarray(needed, dtype=np.float64) / (1.0 - np.sin(np.radians(angle)) ** 2 * ratio)


def species_mass(name: str, masses: str = "weights") -> float:
    """Mass of a species, kg.

    Parameters
    ----------
    name : str
        Species, neutral or ion.
    masses : {"weights", "nucleons"}
        See `MASSES`.

    Returns
    -------
    float
        Mass, kg.

    Raises
    ------
    SettingsError
        The choice is unknown.
    CoverageError
        The species is unknown.
    """
    if masses not in MASSES:
        raise SettingsError(f"masses is {masses!r}; choose one of {', '.join(MASSES)}")
    mass = get_species(name).mass
    return mass if masses == "weights" else round(mass / ATOMIC_MASS) * proton_mass
