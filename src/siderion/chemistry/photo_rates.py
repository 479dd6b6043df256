"""Ionisation and loss of neutrals in space: sunlight, charge exchange with solar wind protons, electron impact.

The table ``chemistry/tables/photo_rates.csv`` holds one reaction per row at 1 au, for the quiet and for the active Sun.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from siderion.core.constants import ELEMENTARY_CHARGE
from siderion.core.errors import CoverageError, SettingsError
from siderion.core.species import get_species
from siderion.core.tables import CONFIDENCE, load_table

MissingActive = Literal["refuse", "quiet"]
_SQUARE_ANGSTROM = 1e-20
_KILOELECTRONVOLT = 1e3 * ELEMENTARY_CHARGE


@dataclass(frozen=True)
class PhotoReaction:
    """One reaction of a neutral with sunlight.

    Attributes
    ----------
    neutral : str
        The neutral, such as ``"H2"``.
    products : tuple of str
        What comes out, such as ``("H", "H+", "e-")``.
    quiet : float
        Rate at 1 au at quiet Sun, s-1.
    active : float or None
        Rate at 1 au at active Sun, s-1; None where the table has none.
    """

    neutral: str
    products: tuple[str, ...]
    quiet: float
    active: float | None

    @property
    def ion(self) -> str | None:
        """The positive ion among the products, or None for a dissociation into neutrals."""
        return next((product for product in self.products if product.endswith("+")), None)


def photo_reactions(neutral: str) -> tuple[PhotoReaction, ...]:
    """All reactions of a neutral with sunlight in the table.

    Parameters
    ----------
    neutral : str
        Name, such as ``"H2"``.

    Returns
    -------
    tuple of PhotoReaction
        Ionisation and dissociation, in the order of the table.

    Raises
    ------
    CoverageError
        The table has no reaction of this neutral.
    """
    table = load_table("chemistry", "photo_rates")
    rows = table[table["neutral"] == neutral]
    if rows.empty:
        known = ", ".join(table["neutral"].unique())
        raise CoverageError(
            f"no photo rate of {neutral!r}; known: {known}; give a rate (siderion waves: --photo-rate, at the body)"
        )
    return tuple(_reaction(neutral, str(products), rows) for products in rows["products"].unique())


def photo_rate(neutral: str, ion: str, distance_au: float, activity: float = 0.0) -> float:
    """Rate of photo-ionisation of a neutral into an ion in thin gas, s-1.

    The rate at 1 au is interpolated linearly between its values of the quiet and the active Sun and falls with the square
    of the distance from the Sun.

    Parameters
    ----------
    neutral, ion : str
        Such as ``"H2"`` and ``"H2+"``, or ``"H2"`` and ``"H+"``.
    distance_au : float
        Distance from the Sun, au.
    activity : float
        0 for the quiet, 1 for the active Sun.

    Returns
    -------
    float
        Rate, s-1. It is the sum over the reactions that make the ion.

    Raises
    ------
    CoverageError
        The table has no such reaction, or ``activity`` is above 0 and it has no active value; the message names the option
        that supplies a rate.
    SettingsError
        The distance is not positive or the activity is outside 0 to 1.

    Notes
    -----
    Huebner and Mukherjee 2015, doi:10.1016/j.pss.2014.11.022 (quiet values).
    """
    making = [reaction for reaction in photo_reactions(neutral) if reaction.ion == ion]
    if not making:
        found = ", ".join(sorted({reaction.ion for reaction in photo_reactions(neutral) if reaction.ion})) or "none"
        raise CoverageError(
            f"no photo rate of {neutral} into {ion!r}; ions of {neutral} in the table: {found}; "
            "give a rate (siderion waves: --photo-rate, at the body)"
        )
    return sum(_scaled(reaction, distance_au, activity, "refuse") for reaction in making)


def photo_loss_frequency(
    neutral: str, distance_au: float, activity: float = 0.0, missing_active: MissingActive = "refuse"
) -> float:
    """Rate at which sunlight removes a neutral by ionisation and dissociation together, s-1.

    Parameters
    ----------
    neutral, distance_au, activity
        As in `photo_rate`.
    missing_active : {"refuse", "quiet"}
        What to do at ``activity`` above 0 with a reaction without an active value: refuse, or keep its quiet value (a
        lower estimate).

    Returns
    -------
    float
        Sum over all reactions of the neutral in the table, s-1.

    Raises
    ------
    CoverageError, SettingsError
        As in `photo_rate`.
    """
    if missing_active not in ("refuse", "quiet"):
        raise SettingsError(f"missing_active is {missing_active!r}; use 'refuse' or 'quiet'")
    return sum(_scaled(reaction, distance_au, activity, missing_active) for reaction in photo_reactions(neutral))


def charge_exchange_cross_section(neutral: str, speed: float) -> float:
    """Cross section of electron capture by a proton from a neutral at rest, m2.

    Parameters
    ----------
    neutral : str
        The table ``chemistry/tables/charge_exchange.csv`` has H and D.
    speed : float
        Speed of the proton, m s-1.

    Returns
    -------
    float
        (a1 - a2 ln E)^2 (1 - exp(-a3/E))^a4 with the energy E of the proton in keV (Lindsay and Stebbings 2005,
        doi:10.1029/2005JA011298).

    Raises
    ------
    CoverageError
        No such neutral, or the energy lies outside the range of the fit.
    SettingsError
        The speed is not positive.
    """
    _require_positive("speed of the protons, m s-1", speed)
    table = load_table("chemistry", "charge_exchange").set_index("neutral")
    if neutral not in table.index:
        raise CoverageError(
            f"no cross section of charge exchange of protons with {neutral!r}; known: {', '.join(table.index)}; "
            "give it as the argument cross_section"
        )
    row = table.loc[neutral]
    energy = 0.5 * get_species("H+").mass * speed**2 / _KILOELECTRONVOLT
    if not row["lower_kev"] <= energy <= row["upper_kev"]:
        raise CoverageError(
            f"protons of {speed / 1e3:g} km/s have {energy:.3g} keV; the cross section with {neutral} holds from "
            f"{row['lower_kev']:g} to {row['upper_kev']:g} keV; give it as the argument cross_section"
        )
    shape = (row["a1"] - row["a2"] * np.log(energy)) ** 2 * (-np.expm1(-row["a3"] / energy)) ** row["a4"]
    return float(shape) * _SQUARE_ANGSTROM


def charge_exchange_rate(
    neutral: str, solar_wind_density: float, solar_wind_speed: float, cross_section: float | None = None
) -> float:
    """Rate of charge exchange of a neutral with solar wind protons, n v sigma, s-1.

    Parameters
    ----------
    neutral : str
        The neutral, taken to be at rest.
    solar_wind_density : float
        Proton density, m-3.
    solar_wind_speed : float
        Bulk speed, m s-1; the thermal motion of the protons is left out (it is small beside the bulk speed).
    cross_section : float, optional
        Cross section, m2; without it the table is used.

    Returns
    -------
    float
        Rate, s-1.

    Raises
    ------
    CoverageError
        No cross section is known.
    SettingsError
        Density or speed is not positive.
    """
    _require_positive("solar wind density, m-3", solar_wind_density)
    _require_positive("solar wind speed, m s-1", solar_wind_speed)
    if cross_section is None:
        cross_section = charge_exchange_cross_section(neutral, solar_wind_speed)
    _require_positive("cross section of charge exchange, m2", cross_section)
    return solar_wind_density * solar_wind_speed * cross_section


def photo_rate_confidence(neutrals: Sequence[str], activity: float | None) -> str:
    """How well the photo rates of some neutrals are known: the worst of the rows that are used.

    Parameters
    ----------
    neutrals : sequence of str
        Those without a row do not count.
    activity : float or None
        0 uses the rates of the quiet Sun alone; anything else, and None for unknown, those of the active Sun too.
    """
    table = load_table("chemistry", "photo_rates")
    rows = table[table["neutral"].isin(neutrals)]
    if activity == 0.0:
        rows = rows[rows["activity"] == "quiet"]
    ranks = [CONFIDENCE.index(str(value)) for value in rows["confidence"]]
    return CONFIDENCE[max(ranks)] if ranks else "unverified"


def _reaction(neutral: str, products: str, rows: pd.DataFrame) -> PhotoReaction:
    values = rows[rows["products"] == products].set_index("activity")["rate"]
    if "quiet" not in values.index:
        raise CoverageError(f"photo rate of {neutral} into {products}: the table has no quiet value; add one")
    active = float(values["active"]) if "active" in values.index else None
    return PhotoReaction(neutral, tuple(products.split(" + ")), float(values["quiet"]), active)


def _scaled(reaction: PhotoReaction, distance_au: float, activity: float, missing_active: MissingActive) -> float:
    _require_positive("distance from the Sun, au", distance_au)
    if not 0.0 <= activity <= 1.0:
        raise SettingsError(f"solar activity is {activity}; it must lie between 0 (quiet) and 1 (active)")
    active = reaction.active
    if active is None:
        if activity > 0.0 and missing_active == "refuse":
            raise CoverageError(
                f"no photo rate of {reaction.neutral} into {' + '.join(reaction.products)} at active Sun, asked for at "
                f"activity {activity:g}; use activity 0 or give a rate (siderion waves: --photo-rate, at the body)"
            )
        active = reaction.quiet
    return ((1.0 - activity) * reaction.quiet + activity * active) / distance_au**2


def _require_positive(name: str, value: float) -> None:
    if not (np.isfinite(value) and value > 0.0):
        raise SettingsError(f"{name} is {value}; it must be positive and finite")
