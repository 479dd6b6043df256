"""Plasma that meets the Moon: states of the table, and the flux of a drifting gas of ions on the surface of a sphere."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf

from siderion.core.constants import BOLTZMANN, ELEMENTARY_CHARGE
from siderion.core.errors import SettingsError
from siderion.core.species import get_species
from siderion.core.tables import load_table

Array = NDArray[np.float64]
VACUUM_PERMEABILITY = 4e-7 * np.pi
IONS = {"H": "H+", "He": "He++", "O": "O+"}
"""Kinds of ions of a plasma state, and the species whose mass they have; O stands for all ions above He."""


@dataclass(frozen=True)
class PlasmaState:
    """Plasma around the Moon; SI units.

    Attributes
    ----------
    name : str
        Name, such as ``"solar-wind"``.
    density : float
        Number density of all ions, m-3.
    speed : float
        Bulk speed, m s-1.
    temperature : float
        Temperature of the protons, K.
    electron_temperature : float
        K.
    helium_share, heavy_share : float
        Shares of He and of all heavier ions (taken as O) in the number of ions.
    mass_proportional : bool
        Temperatures of ions are in proportion to their masses; else equal.
    field : float
        Strength of the magnetic field, T.
    """

    name: str
    density: float
    speed: float
    temperature: float
    electron_temperature: float
    helium_share: float
    heavy_share: float
    mass_proportional: bool
    field: float

    def __post_init__(self) -> None:
        """Refuse states that cannot be."""
        for name in ("density", "speed", "temperature", "field"):
            if not 0.0 < getattr(self, name) < np.inf:
                raise SettingsError(f"plasma {self.name}: {name} is {getattr(self, name)}; it must be positive and finite (SI)")
        if not (self.helium_share >= 0.0 and self.heavy_share >= 0.0 and self.helium_share + self.heavy_share <= 1.0):
            raise SettingsError(
                f"plasma {self.name}: shares of He {self.helium_share} and of heavier ions {self.heavy_share}; "
                "they must not be negative, their sum at most 1"
            )

    @property
    def shares(self) -> dict[str, float]:
        """Share of each kind of ion in the number of ions."""
        return {"H": 1.0 - self.helium_share - self.heavy_share, "He": self.helium_share, "O": self.heavy_share}

    @property
    def mass_density(self) -> float:
        """Mass density of the ions, kg m-3."""
        return self.density * sum(share * get_species(IONS[ion]).mass for ion, share in self.shares.items())

    @property
    def dynamic_pressure(self) -> float:
        """Mass density times square of the speed, Pa."""
        return self.mass_density * self.speed**2

    def ion_temperature(self, ion: str) -> float:
        """Temperature of one kind of ion, K."""
        ratio = get_species(IONS[ion]).mass / get_species("H+").mass if self.mass_proportional else 1.0
        return self.temperature * ratio

    def magnetosonic_mach_number(self, gamma: float = 5.0 / 3.0) -> float:
        """Speed over the fast speed across the field, sqrt(v_A^2 + c_s^2)."""
        ions = sum(share * self.ion_temperature(ion) for ion, share in self.shares.items())
        pressure = self.density * BOLTZMANN * (ions + self.electron_temperature)
        fast = (self.field**2 / VACUUM_PERMEABILITY + gamma * pressure) / self.mass_density
        return float(self.speed / np.sqrt(fast))

    def changed(self, **values: float | None) -> PlasmaState:
        """Copy with some values replaced; None keeps the value."""
        return replace(self, **{name: value for name, value in values.items() if value is not None})  # type: ignore[arg-type]


def plasma_states() -> tuple[str, ...]:
    """Names of the plasma states of the table."""
    return tuple(load_table("sources", "lunar_plasma")["state"])


def get_plasma_state(name: str) -> PlasmaState:
    """Plasma state of ``sources/tables/lunar_plasma.csv``, in SI units.

    Raises
    ------
    SettingsError
        The state is not in the table.
    """
    table = load_table("sources", "lunar_plasma").set_index("state")
    if name not in table.index:
        raise SettingsError(f"plasma {name!r} is unknown; known: {', '.join(table.index)}")
    row = table.loc[name]
    kelvin = ELEMENTARY_CHARGE / BOLTZMANN
    return PlasmaState(
        name, float(row["density_cm3"]) * 1e6, float(row["speed_km_s"]) * 1e3, float(row["temperature_ev"]) * kelvin,
        float(row["electron_temperature_ev"]) * kelvin, float(row["helium_share"]), float(row["heavy_share"]),
        bool(row["mass_proportional"]), float(row["field_nt"]) * 1e-9,
    )  # fmt: skip


def surface_flux(state: PlasmaState, ion: str, cosine: ArrayLike) -> Array:
    """Ions of one kind that meet a surface per area and time, m-2 s-1.

    A drifting Maxwellian gas: n [w (1 + erf(w/v)) / 2 + v exp(-(w/v)^2) / (2 sqrt(pi))] with the speed w = V cos(zenith
    angle of the flow) towards the surface and the thermal speed v = sqrt(2 k T/m). Cold plasma: n V cos on the side of the
    flow; plasma at rest: n v/(2 sqrt(pi)) all over.

    Parameters
    ----------
    state : PlasmaState
        Plasma.
    ion : str
        ``"H"``, ``"He"`` or ``"O"``.
    cosine : array
        Cosine of the angle between the outward normal and the direction that the flow comes from.

    Notes
    -----
    The Moon absorbs what it meets, and its own shadow in the plasma is left out: behind it the flux is an upper estimate.
    Bird 1994, Molecular Gas Dynamics, equation 4.22.
    """
    thermal = np.sqrt(2.0 * BOLTZMANN * state.ion_temperature(ion) / get_species(IONS[ion]).mass)
    ratio = state.speed * np.asarray(cosine, dtype=np.float64) / thermal
    drift = 0.5 * ratio * (1.0 + erf(ratio)) + np.exp(-(ratio**2)) / (2.0 * np.sqrt(np.pi))
    # for the night side of a fast flow the two terms cancel to rounding
    return state.density * state.shares[ion] * thermal * np.maximum(drift, 0.0)


def impact_energy(state: PlasmaState, ion: str) -> float:
    """Mean kinetic energy of the ions of one kind in the gas, J: m V^2/2 + 3 k T/2."""
    return 0.5 * get_species(IONS[ion]).mass * state.speed**2 + 1.5 * BOLTZMANN * state.ion_temperature(ion)
