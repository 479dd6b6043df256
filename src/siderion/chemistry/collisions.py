"""Ion-neutral collision frequencies for momentum transfer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.constants import ATOMIC_MASS, CUBIC_CENTIMETRE
from siderion.core.errors import CoverageError, NumericalError, SettingsError
from siderion.core.species import get_species
from siderion.core.tables import load_table

Formula = Literal["schunk_nagy", "sami"]
_RESONANT_PAIR = ("O+", "O")


def collision_coefficient(ion: str, neutral: str, formula: Formula = "schunk_nagy") -> float:
    """Nonresonant (Langevin) collision coefficient nu/n of an ion with a neutral gas, m3 s-1.

    nu = K n sqrt(alpha/mu) m_n/(m_i + m_n), with the polarizability alpha and the reduced mass mu; K in the table
    ``chemistry/tables/collisions.csv`` (fitted to Schunk and Nagy 2009, Ionospheres; or as in SAMI2 and SAMI3).

    Parameters
    ----------
    ion, neutral : str
        Names, such as ``"Fe+"`` and ``"N2"``.
    formula : {"schunk_nagy", "sami"}
        Which constant K.

    Returns
    -------
    float
        Coefficient, m3 s-1; it does not depend on temperature.

    Raises
    ------
    CoverageError
        A species is unknown or has no polarizability.
    SettingsError
        The formula is unknown, or the first species is no positive ion.
    """
    constants = load_table("chemistry", "collisions").set_index("name")["value"]
    if formula not in ("schunk_nagy", "sami"):
        raise SettingsError(f"formula of collisions is {formula!r}; use 'schunk_nagy' or 'sami'")
    charged = get_species(ion)
    if charged.charge_number != 1:
        raise SettingsError(f"{ion!r} has charge number {charged.charge_number}; the formula is for singly charged ions")
    polarizability = load_table("chemistry", "polarizability").set_index("neutral")["polarizability"]
    if neutral not in polarizability.index:
        raise CoverageError(f"no polarizability of {neutral!r}; known: {', '.join(polarizability.index)}; leave minor gases out")
    ion_mass = charged.mass / ATOMIC_MASS
    neutral_mass = get_species(neutral).mass / ATOMIC_MASS
    reduced_mass = ion_mass * neutral_mass / (ion_mass + neutral_mass)
    shape = np.sqrt(polarizability[neutral] / reduced_mass) * neutral_mass / (ion_mass + neutral_mass)
    return float(constants[formula] * shape * CUBIC_CENTIMETRE)


def resonant_oxygen_coefficient(ion_temperature: ArrayLike, neutral_temperature: ArrayLike) -> NDArray[np.float64]:
    """Collision coefficient of O+ with O, charge exchange included, m3 s-1.

    nu = 3.67e-11 n sqrt(Tr) (1 - 0.064 log10 Tr)^2 with n in cm-3 and Tr = (Ti + Tn)/2 (Schunk and Nagy 2009, table
    4.5; from memory, so marked unverified in the table). The fit is meant for Tr above about 235 K.

    Parameters
    ----------
    ion_temperature, neutral_temperature : array
        Temperatures, K.

    Returns
    -------
    array
        Coefficient in the broadcast shape.

    Raises
    ------
    NumericalError
        A temperature is not finite or not above 0 K.
    """
    constants = load_table("chemistry", "collisions").set_index("name")["value"]
    mean = 0.5 * (np.asarray(ion_temperature, dtype=np.float64) + np.asarray(neutral_temperature, dtype=np.float64))
    bad = ~(np.isfinite(mean) & (mean > 0.0))
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise NumericalError(f"mean of ion and neutral temperature is {mean[where]} K at index {where}; above 0 K needed")
    factor = np.sqrt(mean) * (1.0 - constants["resonant_slope"] * np.log10(mean)) ** 2
    return constants["resonant_rate"] * CUBIC_CENTIMETRE * factor


def ion_neutral_collision_frequency(
    ion: str,
    densities: Mapping[str, ArrayLike],
    ion_temperature: ArrayLike,
    neutral_temperature: ArrayLike,
    formula: Formula = "schunk_nagy",
) -> NDArray[np.float64]:
    """Collision frequency of an ion with all neutral gases given, s-1.

    Parameters
    ----------
    ion : str
        Singly charged ion, such as ``"Fe+"``.
    densities : mapping of str to array
        Neutral densities by species, m-3; at least one, each with a known polarizability.
    ion_temperature, neutral_temperature : array
        Temperatures, K; they matter for O+ with O only.
    formula : {"schunk_nagy", "sami"}
        Constant of the nonresonant part, see `collision_coefficient`.

    Returns
    -------
    array
        Sum over the neutral gases, in the broadcast shape.

    Raises
    ------
    CoverageError
        No density is given, or a species is unknown or has no polarizability.
    NumericalError
        A density is negative or not finite.
    SettingsError
        The formula is unknown or the ion is not singly charged.
    """
    if not densities:
        raise CoverageError(f"collisions of {ion}: no neutral density is given; give at least N2, O2 and O")
    total: NDArray[np.float64] = np.zeros(np.broadcast_shapes(np.shape(ion_temperature), np.shape(neutral_temperature)))
    for neutral, values in densities.items():
        density = np.asarray(values, dtype=np.float64)
        bad = ~(np.isfinite(density) & (density >= 0.0))
        if bad.any():
            where = tuple(int(i) for i in np.argwhere(bad)[0])
            raise NumericalError(
                f"density of {neutral} is {density[where]} m-3 at index {where} ({int(bad.sum())} such values); "
                "it must be finite and at least 0"
            )
        if (ion, neutral) == _RESONANT_PAIR:
            total = total + resonant_oxygen_coefficient(ion_temperature, neutral_temperature) * density
        else:
            total = total + collision_coefficient(ion, neutral, formula) * density
    return total
