"""Units of magnetic field and position as archives write them, and the factors to nT and km.

A unit that is missing or not known is an error that names the option, never a guess.
"""

from __future__ import annotations

import re

from siderion.core.bodies import get_body
from siderion.core.errors import CoverageError, UnitsError
from siderion.core.tables import load_table

OPTION = "the option `units`, such as units={'magnetic_field': 'nT', 'position': 'km'}"
NO_POSITION = "none"
"""Value of ``units['position']`` that leaves the position out."""

_NANOTESLA = {
    "nt": 1.0, "ntesla": 1.0, "nanotesla": 1.0, "nanoteslas": 1.0, "gamma": 1.0, "gammas": 1.0,
    "t": 1e9, "tesla": 1e9, "teslas": 1e9,
    "mt": 1e6, "millitesla": 1e6,
    "ut": 1e3, "µt": 1e3, "μt": 1e3, "microtesla": 1e3, "microteslas": 1e3,
    "pt": 1e-3, "picotesla": 1e-3,
    "g": 1e5, "gs": 1e5, "gauss": 1e5,
}  # fmt: skip
_KILOMETRE = {
    "km": 1.0, "kilometer": 1.0, "kilometers": 1.0, "kilometre": 1.0, "kilometres": 1.0, "kms": 1.0,
    "m": 1e-3, "meter": 1e-3, "meters": 1e-3, "metre": 1e-3, "metres": 1e-3,
}  # fmt: skip
_RADII = {"r", "rb", "rm", "rbody", "radius", "radii", "bodyradii", "bodyradius", "planetradii", "planetaryradii", "moonradii"}
_SHORT_RADII = {
    "rv": "Venus", "re": "Earth", "rio": "Io", "reu": "Europa", "reuropa": "Europa", "rg": "Ganymede", "rgan": "Ganymede",
    "rc": "Callisto", "rj": "Jupiter", "rs": "Saturn", "jovian": "Jupiter", "saturnian": "Saturn", "martian": "Mars",
    "rmars": "Mars", "rmercury": "Mercury", "rmoon": "Moon",
}  # fmt: skip


def is_magnetic_unit(unit: str) -> bool:
    """Whether the text is a unit of magnetic field that can be converted."""
    return _plain(unit) in _NANOTESLA


def is_length_unit(unit: str) -> bool:
    """Whether the text is a unit of length that can be converted, radii included."""
    return _plain(unit) in _KILOMETRE or radii_of(unit) is not None


def nanotesla_per(unit: str, where: str) -> float:
    """Factor from a unit of magnetic field to nT.

    Parameters
    ----------
    unit : str
        The unit as the file writes it.
    where : str
        File and column, for the message.

    Returns
    -------
    float
        The factor.

    Raises
    ------
    UnitsError
        The unit is missing or not one of magnetic field.
    """
    if not unit.strip():
        raise UnitsError(f"{where}: the magnetic field has no unit; name it with {OPTION}")
    if not is_magnetic_unit(unit):
        raise UnitsError(
            f"{where}: the unit {unit!r} is not one of magnetic field (nT, T, G, uT); name the right one with {OPTION}"
        )
    return _NANOTESLA[_plain(unit)]


def kilometres_per(unit: str, body: str, where: str) -> float:
    """Factor from a unit of length to km; radii need a body.

    Parameters
    ----------
    unit : str
        The unit as the file writes it: km, m, or radii such as ``"R_G"`` or ``"Saturn Radii"``.
    body : str
        The body whose radius a unit without a name means; empty if not known.
    where : str
        File and column, for the message.

    Returns
    -------
    float
        The factor.

    Raises
    ------
    UnitsError
        The unit is missing or unknown, or it is radii and the body is not known.
    """
    if not unit.strip():
        raise UnitsError(f"{where}: the position has no unit; name it with {OPTION}, or leave it out with 'position': 'none'")
    if _plain(unit) in _KILOMETRE:
        return _KILOMETRE[_plain(unit)]
    owner = radii_of(unit)
    if owner is None:
        raise UnitsError(f"{where}: the unit {unit!r} of the position is not km, m or radii; name the right one with {OPTION}")
    if not (owner or body):
        raise UnitsError(
            f"{where}: the position is in radii of the body ({unit!r}); name the body with the option `body`, "
            "or leave the position out with units={'position': 'none'}"
        )
    return _radius_km(owner or body, where)


def radii_of(unit: str) -> str | None:
    """Body whose radii the unit counts, ``""`` if the unit does not name it, None if the unit is not radii."""
    plain = _plain(unit)
    if plain in _RADII:
        return ""
    if plain in _SHORT_RADII:
        return _SHORT_RADII[plain]
    match = re.fullmatch(r"([a-z0-9]+?)(?:'?s)?(?:radii|radius)|r([a-z0-9]{3,})", plain)
    return _known_body(match[1] or match[2]) if match else None


def _known_body(word: str) -> str | None:
    if word in _SHORT_RADII:
        return _SHORT_RADII[word]
    names = [*load_table("core", "bodies")["name"], *load_table("io", "planet_radii")["name"]]
    return next((name for name in names if name.lower() == word), None)


def _radius_km(name: str, where: str) -> float:
    planets = load_table("io", "planet_radii").set_index("name")["radius_km"]
    if name in planets:
        return float(planets[name])
    try:
        radius = get_body(name).require("radius")
    except CoverageError as error:
        raise UnitsError(f"{where}: the position is in radii, and {error}") from error
    assert isinstance(radius, float)
    return radius / 1e3


def _plain(unit: str) -> str:
    return re.sub(r"[\s_\-\[\]().'\"]", "", unit).lower()
