"""Bodies (planets, moons, comets) and the plasma around them.

The values come from ``core/tables/bodies.csv`` and are presets: a quantity that varies is a range (lower, upper), one
that is not known is None. A calculation asks with `Body.require` or `Body.require_value`, which refuse with the name of
the option that supplies the value, so that nothing is assumed in silence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import pandas as pd
from scipy import constants as _codata

from .constants import ATOMIC_MASS, CUBIC_CENTIMETRE
from .errors import CoverageError, SettingsError
from .tables import load_table

ASTRONOMICAL_UNIT = _codata.astronomical_unit
"""Astronomical unit, m (IAU 2012 Resolution B2, through SciPy)."""

Range = tuple[float, float]

OPTIONS = {
    "radius": "body_radius",
    "mass": "body_mass",
    "distance": "distance",
    "magnetic_field": "magnetic_field",
    "flow_speed": "flow_speed",
    "plasma_density": "plasma_density",
    "ion_mass": "ion_mass",
    "temperature": "temperature",
}
"""Name of the setting that supplies each field; the command line writes it with dashes (``--body-mass``)."""


@dataclass(frozen=True)
class Body:
    """A body and its surroundings, in SI units; None where a value is unknown.

    Attributes
    ----------
    name : str
        Name, such as ``"Mercury"`` or ``"67P"``.
    kind : str
        ``"planet"``, ``"moon"`` or ``"comet"``.
    radius, mass : float or None
        Radius in m, mass in kg.
    distance : (float, float) or None
        Smallest and largest distance from the Sun, m.
    magnetic_field, flow_speed, plasma_density : (float, float) or None
        Usual range of the field (T), of the plasma speed relative to the body (m s-1; for moons that of the corotating
        plasma) and of the plasma number density (m-3) around the body.
    ion_mass : (float, float) or None
        Usual range of the mean mass of the plasma ions, kg; None in the solar wind (protons).
    temperature : (float, float) or None
        Usual range of the temperature of the neutral exosphere, K.
    """

    name: str
    kind: str
    radius: float | None = None
    mass: float | None = None
    distance: Range | None = None
    magnetic_field: Range | None = None
    flow_speed: Range | None = None
    plasma_density: Range | None = None
    ion_mass: Range | None = None
    temperature: Range | None = None

    def require(self, field: str) -> float | Range:
        """Value of a field: a number for ``radius`` and ``mass``, a range (lower, upper) for the others.

        Raises
        ------
        SettingsError
            The field does not exist, or is empty; the message names the option that supplies it.
        """
        option = _option(field)
        value: float | Range | None = getattr(self, field)
        if value is None:
            raise SettingsError(f"body {self.name!r}: {field} is not known; give it with the option {_words(option)}")
        return value

    def require_value(self, field: str) -> float:
        """One number for a field; refuses a range, because choosing within it is a decision of the user.

        Raises
        ------
        SettingsError
            The field does not exist, is empty, or is a range whose ends differ.
        """
        value = self.require(field)
        if not isinstance(value, tuple):
            return value
        lower, upper = value
        if lower != upper:
            raise SettingsError(
                f"body {self.name!r}: {field} lies between {lower:g} and {upper:g} (SI units); "
                f"choose a value with the option {_words(_option(field))}"
            )
        return lower

    def with_values(self, **values: float) -> Body:
        """Copy with fields replaced by single numbers in SI units.

        Raises
        ------
        SettingsError
            A field does not exist, or a value is not a finite positive number.
        """
        changes: dict[str, float | Range] = {}
        for field, value in values.items():
            option = _option(field)
            if not 0.0 < value < float("inf"):
                raise SettingsError(f"option {option} of body {self.name!r} is {value}; it must be positive and finite")
            changes[field] = float(value) if field in ("radius", "mass") else (float(value), float(value))
        return replace(self, **changes)  # type: ignore[arg-type]


def _option(field: str) -> str:
    if field not in OPTIONS:
        raise SettingsError(f"a body has no field {field!r}; fields: {', '.join(OPTIONS)}")
    return OPTIONS[field]


def _words(option: str) -> str:
    """Name of an option for Python and for the command line."""
    return f"{option} (--{option.replace('_', '-')})"


@cache
def get_body(name: str) -> Body:
    """Look up a body by name.

    Parameters
    ----------
    name : str
        Name as in ``core/tables/bodies.csv``; upper and lower case do not matter.

    Returns
    -------
    Body
        The preset in SI units.

    Raises
    ------
    CoverageError
        The body is not in the table.
    """
    table = load_table("core", "bodies")
    rows = table[table["name"].str.lower() == name.lower()]
    if rows.empty:
        raise CoverageError(f"body {name!r} is unknown; known bodies: {', '.join(table['name'])}")
    row = rows.iloc[0]
    return Body(
        name=str(row["name"]),
        kind=str(row["kind"]),
        radius=_number(row["radius_km"], 1e3),
        mass=_number(row["mass_kg"], 1.0),
        distance=_range(row, "distance", "au", ASTRONOMICAL_UNIT),
        magnetic_field=_range(row, "magnetic_field", "nt", 1e-9),
        flow_speed=_range(row, "flow_speed", "km_s", 1e3),
        plasma_density=_range(row, "plasma_density", "cm3", 1.0 / CUBIC_CENTIMETRE),
        ion_mass=_range(row, "ion_mass", "amu", ATOMIC_MASS),
        temperature=_range(row, "temperature", "k", 1.0),
    )


def _number(value: float, factor: float) -> float | None:
    return None if pd.isna(value) else float(value) * factor


def _range(row: pd.Series, field: str, unit: str, factor: float) -> Range | None:
    lower = _number(row[f"{field}_lower_{unit}"], factor)
    upper = _number(row[f"{field}_upper_{unit}"], factor)
    return None if lower is None or upper is None else (lower, upper)
