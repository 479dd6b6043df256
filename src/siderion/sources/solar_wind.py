"""Heavy ions of the solar wind: abundances (Yamauchi et al., Table 2.1), charge states, mass per charge and fluxes.

The share of all ions is counted over the elements of the table alone. C, N and Ne, which it leaves out, are together about as
many as oxygen, 0.1 % of all ions.
"""

from __future__ import annotations

import json
from importlib.metadata import version

import numpy as np
import pandas as pd
import xarray as xr

from siderion.core.constants import ATOMIC_MASS, ELEMENTARY_CHARGE
from siderion.core.errors import CoverageError, SettingsError
from siderion.core.measurement import measurement
from siderion.core.species import Species, get_species
from siderion.core.tables import load_table

WINDS = {"slow": "interstream", "fast": "coronal_hole", "cme": "interstream"}
"""Kinds of wind, and the column of Table 2.1 that each takes unless another is named."""

CONVENTION = "middle of the printed range, its ends; a number printed without uncertainty has equal ends; limits are upper ends"


def element_abundances(column: str) -> pd.DataFrame:
    """Abundances by number relative to oxygen, one column of Table 2.1.

    Parameters
    ----------
    column : str
        ``photosphere``, ``meteoritic``, ``interstream``, ``coronal_hole`` or ``sep_corona``.

    Returns
    -------
    pandas.DataFrame
        Indexed by element: ``value`` (middle of the range; the limit where only one is printed), ``lower``, ``upper``,
        ``upper_limit``, ``source``, ``confidence``.

    Raises
    ------
    CoverageError
        There is no such column.
    """
    table = load_table("sources", "solar_wind_abundances")
    rows = table[table["abundances"] == column]
    if rows.empty:
        raise CoverageError(f"no abundances {column!r}; known: {', '.join(table['abundances'].unique())}")
    found = rows.set_index("element").drop(columns="abundances")
    found["upper_limit"] = found["upper_limit"].astype(bool)
    found["value"] = np.where(found["upper_limit"], found["upper"], 0.5 * (found["lower"] + found["upper"]))
    return found


def charge_states(wind: str) -> pd.DataFrame:
    """Shares of the charge states of each element in one kind of wind.

    Parameters
    ----------
    wind : str
        ``slow``, ``fast`` or ``cme``.

    Returns
    -------
    pandas.DataFrame
        Columns ``element``, ``charge``, ``share`` (sum 1 for each element), ``source``, ``confidence``.

    Raises
    ------
    CoverageError
        There is no such wind.
    """
    table = load_table("sources", "solar_wind_charge_states")
    rows = table[table["wind"] == wind]
    if rows.empty:
        raise CoverageError(f"no wind {wind!r}; known: {', '.join(table['wind'].unique())}")
    return rows.drop(columns="wind").reset_index(drop=True)


def solar_wind_ion(element: str, charge: int) -> Species:
    """Ion of an element with a charge from 1 on, mass in kg with its lost electrons counted.

    Raises
    ------
    SettingsError
        The charge is below 1.
    CoverageError
        The element is unknown.
    """
    if charge < 1:
        raise SettingsError(f"charge of {element} is {charge}; an ion of the solar wind has at least 1")
    return get_species(element + "+" * charge)


def ion_label(element: str, charge: int) -> str:
    """Short name of an ion: ``H+``, ``He2+``, ``Fe16+``."""
    return f"{element}{charge if charge > 1 else ''}+"


def solar_wind_ions(
    wind: str, *, proton_flux: float, speed: float, magnetic_field: float, abundances: str | None = None
) -> xr.Dataset:
    """Ions of one kind of solar wind: abundance, share, flux, mass per charge, energy and gyroradius.

    All ions flow with the speed of the protons. The flux of an ion is the proton flux times its abundance over that of
    hydrogen. The gyroradius is m v / (q B), that of an ion with all of the flow speed across the field.

    Parameters
    ----------
    wind : {"slow", "fast", "cme"}
        Decides the charge states, and the abundances of hydrogen and helium.
    proton_flux : float
        Protons per area and time, m-2 s-1.
    speed : float
        Flow speed, m s-1.
    magnetic_field : float
        Field strength, T.
    abundances : str, optional
        Column of Table 2.1 for the heavier elements; by default ``interstream`` for slow wind and ejections,
        ``coronal_hole`` for fast wind. Others, such as ``sep_corona``, have more elements.

    Returns
    -------
    xarray.Dataset
        Over ``ion``: measurements ``abundance_to_oxygen``, ``ion_share`` and ``ion_flux`` (m-2 s-1); ``mass_per_charge`` (atomic
        mass units per elementary charge), ``charge_number``, ``kinetic_energy`` (eV), ``energy_per_charge`` (V), ``gyroradius``
        (km). The attribute ``without_charge_states`` names elements left out because no charge state is known.

    Raises
    ------
    SettingsError
        A number is not positive and finite.
    CoverageError
        The wind or the column is unknown.
    """
    for name, value in (("proton flux, m-2 s-1", proton_flux), ("speed, m s-1", speed), ("magnetic field, T", magnetic_field)):
        if not 0.0 < value < np.inf:
            raise SettingsError(f"{name}: {value}; it must be positive and finite")
    states = charge_states(wind)
    elements = _mixture(WINDS[wind], abundances or WINDS[wind])
    states = states[states["element"].isin(elements.index)].reset_index(drop=True)
    ions = [solar_wind_ion(row.element, int(row.charge)) for row in states.itertuples()]
    chosen = elements.loc[states["element"]]
    share = states["share"].to_numpy(dtype=np.float64)
    ends = {name: chosen[name].to_numpy(dtype=np.float64) * share for name in ("value", "lower", "upper")}
    result = xr.merge(
        [
            _measured("abundance_to_oxygen", ends, 1.0, "1", "ions over all oxygen, by number", chosen),
            _measured("ion_share", ends, 1.0 / float(elements["value"].sum()), "1", "share of all ions of the table", chosen),
            _measured("ion_flux", ends, proton_flux / float(elements.loc["H", "value"]), "m-2 s-1", "flux of the ion", chosen),
            _motion(ions, speed, magnetic_field),
        ]
    )
    result = result.assign_coords(
        ion=[ion_label(str(row.element), int(row.charge)) for row in states.itertuples()],
        element=("ion", states["element"].to_list()),
    )
    settings = {"wind": wind, "proton_flux": proton_flux, "speed": speed, "magnetic_field": magnetic_field,
                "abundances": abundances or WINDS[wind]}  # fmt: skip
    result.attrs = {
        "title": f"Ions of the {wind} solar wind", "kind": "siderion solar wind", "settings": json.dumps(settings),
        "without_charge_states": ", ".join(sorted(set(elements.index) - set(states["element"]))),
        "sources": json.dumps(_sources(chosen, states)), "siderion_version": version("siderion"),
    }  # fmt: skip
    return result


def mass_per_charge_range(wind: str, elements: tuple[str, ...]) -> tuple[float, float]:
    """Smallest and largest mass per charge of some elements in a wind, atomic mass units per elementary charge.

    Raises
    ------
    CoverageError
        The wind is unknown, or has no charge state of one of the elements.
    """
    states = charge_states(wind)
    missing = set(elements) - set(states["element"])
    if missing or not elements:
        raise CoverageError(f"no charge states of {', '.join(sorted(missing)) or 'nothing'} in the {wind} wind; "
                            f"known: {', '.join(states['element'].unique())}")  # fmt: skip
    rows = states[states["element"].isin(elements)]
    found = [solar_wind_ion(row.element, int(row.charge)).mass / ATOMIC_MASS / row.charge for row in rows.itertuples()]
    return min(found), max(found)


def _mixture(own: str, column: str) -> pd.DataFrame:
    """Abundances of a column, with hydrogen and helium of the wind's own."""
    light = element_abundances(own).loc[["H", "He"]]
    heavy = element_abundances(column)
    return pd.concat([light, heavy.drop(index=[name for name in ("H", "He") if name in heavy.index])])


def _measured(
    name: str, ends: dict[str, np.ndarray], factor: float, units: str, long_name: str, chosen: pd.DataFrame
) -> xr.Dataset:
    return measurement(
        name, ends["value"] * factor, ends["lower"] * factor, ends["upper"] * factor, dims=("ion",), units=units,
        convention=CONVENTION, upper_limit=chosen["upper_limit"].to_numpy(), long_name=long_name,
    )  # fmt: skip


def _motion(ions: list[Species], speed: float, magnetic_field: float) -> xr.Dataset:
    """What follows from mass, charge, speed and field."""
    mass = np.array([ion.mass for ion in ions])
    charge = np.array([ion.charge for ion in ions])
    number = np.array([ion.charge_number for ion in ions])
    energy = 0.5 * mass * speed**2
    variables = {
        "charge_number": (number, "1", "charge in elementary charges"),
        "mass_per_charge": (mass / ATOMIC_MASS / number, "u", "mass in atomic mass units over charge number"),
        "kinetic_energy": (energy / ELEMENTARY_CHARGE, "eV", "kinetic energy of the flow"),
        "energy_per_charge": (energy / charge, "V", "kinetic energy of the flow over charge"),
        "gyroradius": (mass * speed / (charge * magnetic_field) / 1e3, "km", "gyroradius at the flow speed"),
    }
    return xr.Dataset(
        {name: ("ion", values, {"units": units, "long_name": words}) for name, (values, units, words) in variables.items()}
    )


def _sources(chosen: pd.DataFrame, states: pd.DataFrame) -> list[dict[str, str]]:
    """Citations, the weakest confidence of each kind."""
    rows = [("abundances", "Table 2.1, helium added", chosen), ("charge states", "shares of each element", states)]
    return [
        {"what": what, "model": model, "citation": "; ".join(table["source"].unique()),
         "confidence": "unverified" if (table["confidence"] == "unverified").any() else "verified"}
        for what, model, table in rows
    ]  # fmt: skip
