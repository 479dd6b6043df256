"""Rate coefficients of the reaction table, in SI units.

The table ``chemistry/tables/reactions.csv`` keeps the units of its sources. They are converted here, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from siderion.core.constants import CUBIC_CENTIMETRE
from siderion.core.errors import CoverageError, DataError, NumericalError
from siderion.core.tables import load_table

_TO_SI = {
    "s-1": ("s-1", 1.0),
    "cm3 s-1": ("m3 s-1", CUBIC_CENTIMETRE),
    "cm6 s-1": ("m6 s-1", CUBIC_CENTIMETRE**2),
}
_UNITS_OF_ORDER = {"photo": "s-1", "two-body": "m3 s-1", "three-body": "m6 s-1"}
_TEMPERATURES = ("Tn", "Te", "Ti", "none")
_FORMS = ("power_exponential", "log10_polynomial")
_SHARED_COLUMNS = ("reaction", "order", "temperature", "units", "valid_from", "valid_to", "branching")


@dataclass(frozen=True)
class Temperatures:
    """Temperatures of the neutral gas, the electrons and the ions, K; arrays that broadcast together."""

    neutral: ArrayLike
    electron: ArrayLike
    ion: ArrayLike


@dataclass(frozen=True)
class Piece:
    """One term of a rate coefficient, SI; it applies for temperatures in [applies_from, applies_to) K."""

    form: str
    a: float
    t0: float
    b: float
    c: float
    applies_from: float
    applies_to: float


@dataclass(frozen=True)
class Reaction:
    """One reaction with its rate coefficient.

    Attributes
    ----------
    key, equation : str
        Key in the table; equation such as ``"Fe+ + N2 + M -> FeN2+ + M"``.
    reactants, products : tuple of str
        The species on both sides, ``"e-"``, ``"hv"`` and ``"M"`` among them.
    metal : str
        The metal whose network the reaction belongs to; empty for reactions of the background.
    simple : bool
        Whether the reaction belongs to the simple network as well.
    order : str
        ``"photo"``, ``"two-body"`` or ``"three-body"``.
    temperature : str
        The temperature the rate depends on: ``"Tn"``, ``"Te"``, ``"Ti"`` or ``"none"``.
    valid_from, valid_to : float
        Temperature is held within these limits, K.
    branching : float
        Share of this channel; `rate_coefficient` includes it.
    alternative_of, variant : str
        Key of the default rate this one replaces (empty for a default); name of the variant.
    pieces : tuple of Piece
        The terms of the rate.
    source, confidence : str
        As in the table.
    """

    key: str
    equation: str
    reactants: tuple[str, ...]
    products: tuple[str, ...]
    metal: str
    simple: bool
    order: str
    temperature: str
    valid_from: float
    valid_to: float
    branching: float
    alternative_of: str
    variant: str
    pieces: tuple[Piece, ...]
    source: str
    confidence: str


@cache
def _converted_table() -> pd.DataFrame:
    table = load_table("chemistry", "reactions")
    for column in ("alternative_of", "variant", "metal"):
        table[column] = table[column].fillna("")
    for column, default in (
        ("applies_from", 0.0),
        ("applies_to", np.inf),
        ("valid_from", 0.0),
        ("valid_to", np.inf),
        ("t0", 1.0),
        ("b", 0.0),
        ("c", 0.0),
    ):
        table[column] = table[column].astype(float).fillna(default)
    for column, allowed in (("form", _FORMS), ("units", tuple(_TO_SI)), ("temperature", _TEMPERATURES)):
        wrong = table.index[~table[column].isin(allowed)]
        if len(wrong):
            row = wrong[0]
            raise DataError(
                f"table chemistry/reactions: rate {table['key'][row]!r} has {column} {table[column][row]!r}; use one of {allowed}"
            )
    factors = table["units"].map(lambda units: _TO_SI[units][1])
    logarithmic = table["form"] == "log10_polynomial"
    table["a"] = np.where(logarithmic, table["a"] + np.log10(factors), table["a"] * factors)
    table["units"] = table["units"].map(lambda units: _TO_SI[units][0])
    wrong = table.index[table["units"] != table["order"].map(_UNITS_OF_ORDER)]
    if len(wrong):
        row = wrong[0]
        raise DataError(
            f"table chemistry/reactions: rate {table['key'][row]!r} is {table['order'][row]} but has units "
            f"{table['units'][row]!r}; correct one of them"
        )
    return table


def reaction_table() -> pd.DataFrame:
    """Return the reaction table with parameters and units in SI (a fresh copy).

    Returns
    -------
    pandas.DataFrame
        Columns as in ``chemistry/tables/reactions.csv``; empty parameters are filled with their neutral values
        (t0 = 1, b = c = 0, no limits of temperature).
    """
    return _converted_table().copy()


@cache
def _reactions() -> dict[str, Reaction]:
    return {str(key): _build_reaction(str(key), rows) for key, rows in _converted_table().groupby("key", sort=False)}


def _build_reaction(key: str, rows: pd.DataFrame) -> Reaction:
    for column in _SHARED_COLUMNS:
        if rows[column].nunique() > 1:
            raise DataError(f"table chemistry/reactions: the pieces of {key!r} differ in {column}; make them agree")
    first = rows.iloc[0]
    left, right = str(first["reaction"]).split(" -> ")
    pieces = tuple(Piece(row.form, row.a, row.t0, row.b, row.c, row.applies_from, row.applies_to) for row in rows.itertuples())
    return Reaction(
        key=key,
        equation=str(first["reaction"]),
        reactants=tuple(left.split(" + ")),
        products=tuple(right.split(" + ")),
        metal=str(first["metal"]),
        simple=bool(first["simple"]),
        order=str(first["order"]),
        temperature=str(first["temperature"]),
        valid_from=float(first["valid_from"]),
        valid_to=float(first["valid_to"]),
        branching=float(first["branching"]),
        alternative_of=str(first["alternative_of"]),
        variant=str(first["variant"]),
        pieces=pieces,
        source="; ".join(dict.fromkeys(rows["source"])),
        confidence=max(rows["confidence"], key=("verified", "computed", "unverified").index),
    )


def reaction_keys(metal: str | None = None) -> tuple[str, ...]:
    """Return the keys of the table in its order; with ``metal``, the default rates of that metal only."""
    reactions = _reactions()
    if metal is None:
        return tuple(reactions)
    return tuple(key for key, entry in reactions.items() if entry.metal == metal and not entry.alternative_of)


def get_reaction(key: str) -> Reaction:
    """Look up a reaction by its key; raise `CoverageError` when the table does not have it."""
    reactions = _reactions()
    if key not in reactions:
        raise CoverageError(f"reaction {key!r} is not in the table; known keys: {', '.join(reactions)}")
    return reactions[key]


def select_rate(key: str, variant: str) -> str:
    """Return the key of a named variant of a rate.

    Parameters
    ----------
    key : str
        Key of the default rate, such as ``"fe_ion_electron"``.
    variant : str
        Name of the variant, such as ``"nahar1997"`` or ``"umist22"``.

    Raises
    ------
    CoverageError
        The reaction has no such variant.
    """
    default = get_reaction(key)
    choices = {default.variant: key} | {
        entry.variant: entry.key for entry in _reactions().values() if entry.alternative_of == key
    }
    if variant not in choices:
        known = ", ".join(name for name in choices if name) or "none"
        raise CoverageError(f"rate {key!r} has no variant {variant!r}; known variants: {known}")
    return choices[variant]


def rate_coefficient(
    key: str, neutral_temperature: ArrayLike, electron_temperature: ArrayLike, ion_temperature: ArrayLike
) -> NDArray[np.float64]:
    """Rate coefficient of one reaction channel, its branching included.

    The forms are k = a (T/t0)^b exp(-c/T) and log10 k = a + b L + c L^2 with L = log10 T. The temperature is held at
    the limits ``valid_from`` and ``valid_to`` of the table where its source states them; elsewhere the form is used
    at any temperature, also beyond the range of the measurement.

    Parameters
    ----------
    key : str
        Key in the reaction table. Equations, sources and confidence: `reaction_table`.
    neutral_temperature, electron_temperature, ion_temperature : array
        Temperatures, K; each rate uses the one named in the table.

    Returns
    -------
    array
        s-1 (photo), m3 s-1 (two-body) or m6 s-1 (three-body); the shape is that of the temperature used, for a photo
        rate that of the neutral temperature. Always float64: three-body rates in SI are near the smallest float32.

    Raises
    ------
    CoverageError
        The key is unknown.
    NumericalError
        The temperature is not finite or not above 0 K.
    """
    reaction = get_reaction(key)
    by_name = {"Tn": neutral_temperature, "Te": electron_temperature, "Ti": ion_temperature}
    temperature = np.asarray(by_name.get(reaction.temperature, neutral_temperature), dtype=np.float64)
    _check_temperature(temperature, reaction)
    temperature = np.clip(temperature, reaction.valid_from, reaction.valid_to)
    total = np.zeros(temperature.shape)
    for piece in reaction.pieces:
        applies = (temperature >= piece.applies_from) & (temperature < piece.applies_to)
        total += np.where(applies, _evaluate(piece, temperature), 0.0)
    return reaction.branching * total


def _evaluate(piece: Piece, temperature: NDArray[np.float64]) -> NDArray[np.float64]:
    if piece.form == "log10_polynomial":
        logarithm = np.log10(temperature)
        return 10.0 ** (piece.a + piece.b * logarithm + piece.c * logarithm**2)
    return piece.a * (temperature / piece.t0) ** piece.b * np.exp(-piece.c / temperature)


def _check_temperature(temperature: NDArray[np.float64], reaction: Reaction) -> None:
    bad = ~(np.isfinite(temperature) & (temperature > 0.0))
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise NumericalError(
            f"rate {reaction.key!r}: temperature {reaction.temperature} is {temperature[where]} K at index {where} "
            f"({int(bad.sum())} such values); it must be finite and above 0 K; correct the background"
        )
