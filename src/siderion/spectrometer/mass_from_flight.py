"""Mass and mass per charge from a time of flight, an energy per charge and the energy in a solid-state detector.

The energy lost in the foil and the part of the energy that a detector does not see both depend on the mass that is sought, so
both are sought together with it. For single events by the million take `siderion.spectrometer.pulse_height.mass`, which puts the
same losses on a grid; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.constants import ATOMIC_MASS, ELEMENTARY_CHARGE
from siderion.core.errors import DataError, SettingsError
from siderion.core.tables import load_table

from .foil import mean_loss
from .foil_stopping import BOHR_RADIUS, SQUARED_CHARGE, collision, foil_constants

Array = NDArray[np.float64]

_HALVINGS, _STEP_UP, _LARGEST_ENERGY = 45, 1.5, 1e10
_ANCHOR_ATOMS = ("H", "He", "C", "N", "O", "Ne", "Na", "Mg", "Si", "S", "Ar", "Ca", "Ti", "Fe", "Ge", "Sr")


@cache
def _ladder() -> tuple[Array, Array]:
    """Masses (amu) and atomic numbers of the elements in the order of their masses."""
    atoms = load_table("spectrometer", "foil_elements")["atom"]
    pairs = sorted((collision(atom).mass, float(collision(atom).number)) for atom in atoms if atom != "D")
    return np.array([mass for mass, _ in pairs]), np.array([number for _, number in pairs])


def retained_fraction_of_mass(mass: ArrayLike, energy: ArrayLike, thickness: float, foil_model: str = "fit") -> Array:
    """Share of the energy kept behind a foil by an atom of any mass, between those of the elements.

    Where the atom would stop, the floor ``smallest_fraction`` of the table ``foil_constants`` is given: a mass found there is a
    lower limit.

    Parameters
    ----------
    mass : array
        amu.
    energy : array
        Before the foil, eV; broadcast against the mass.
    thickness : float
        ug cm-2.
    foil_model : {"fit", "stopping"}
        See `siderion.spectrometer.foil.retained_fraction`.
    """
    masses, energies = np.broadcast_arrays(np.asarray(mass, dtype=np.float64), np.asarray(energy, dtype=np.float64))
    if thickness == 0.0:
        return np.ones(masses.shape)
    anchors = np.log([collision(atom).mass for atom in _ANCHOR_ATOMS])
    distinct, back = np.unique(energies, return_inverse=True)
    table = np.stack([1.0 - mean_loss(atom, distinct, thickness, foil_model) / distinct for atom in _ANCHOR_ATOMS])
    place = np.interp(np.log(masses), anchors, np.arange(anchors.size, dtype=np.float64)).ravel()
    below = np.minimum(place.astype(np.int64), anchors.size - 2)
    share, back = place - below, back.ravel()
    kept = (1.0 - share) * table[below, back] + share * table[below + 1, back]
    return np.asarray(np.clip(kept, foil_constants()["smallest_fraction"], 1.0).reshape(masses.shape))


def mass_per_charge_from_time(
    flight_time: ArrayLike,
    energy_per_charge: ArrayLike,
    path_length: float,
    voltage: float = 0.0,
    foil_thickness: float = 0.0,
    charge: ArrayLike = 1,
    foil_model: str = "fit",
) -> Array:
    """Mass per charge of an atomic ion: m/q = 2 (E/q + U) f (t / L)^2, the kept share f being that of the mass sought.

    Found by bisection. Where the foil stops the ion almost, several masses fly equally long, and one of them is given.

    Parameters
    ----------
    flight_time : array
        s.
    energy_per_charge : array
        Behind the analyser, eV per charge; broadcast against the time.
    path_length : float
        m.
    voltage : float
        Acceleration before the foil, V.
    foil_thickness : float
        ug cm-2; 0 for no loss.
    charge : array
        Number of charges that the loss is taken for; the mass per charge of heavy ions depends on it through the foil.
    foil_model : {"fit", "stopping"}
        See `siderion.spectrometer.foil.retained_fraction`.

    Returns
    -------
    array
        amu per elementary charge.

    Raises
    ------
    DataError
        A time or an energy is not positive and finite.
    """
    times, energies, charges = (
        np.asarray(a, dtype=np.float64) for a in np.broadcast_arrays(flight_time, energy_per_charge, charge)
    )
    _require_positive("flight time, s", times)
    _require_positive("energy per charge with the acceleration, eV", energies + voltage)
    if not 0.0 < path_length < np.inf:
        raise SettingsError(f"path_length is {path_length} m; it must be positive and finite")
    free = 2.0 * (energies + voltage) * ELEMENTARY_CHARGE * (times / path_length) ** 2 / ATOMIC_MASS
    if foil_thickness == 0.0:
        return np.asarray(free)

    def too_light(found: Array) -> NDArray[np.bool_]:
        kept = retained_fraction_of_mass(charges * found, charges * (energies + voltage), foil_thickness, foil_model)
        return np.asarray(free * kept > found)

    smallest = 0.5 * foil_constants()["smallest_fraction"]
    return _bisected(too_light, smallest * free, free)


def undetected_energy(mass: ArrayLike, energy: ArrayLike) -> Array:
    """Energy that an ion gives to nuclei in a silicon detector and that makes no signal, eV.

    E / (1 + k g), g = eps + 0.40244 eps^(3/4) + 3.4008 eps^(1/6), k after Lindhard, Scharff and Schiott. The dead layer is not
    counted.

    Parameters
    ----------
    mass : array
        amu.
    energy : array
        Kinetic energy at the detector, eV.

    References
    ----------
    Lindhard, Nielsen, Scharff & Thomsen 1963, Mat. Fys. Medd. Dan. Vid. Selsk. 33, no. 10; Robinson 1970.
    """
    constants = foil_constants()
    masses, energies = np.asarray(mass, dtype=np.float64), np.asarray(energy, dtype=np.float64)
    ladder, numbers = _ladder()
    z1, z2, a2 = np.interp(masses, ladder, numbers), constants["silicon_number"], constants["silicon_mass"]
    both = z1 ** (2.0 / 3.0) + z2 ** (2.0 / 3.0)
    length = constants["zbl_screening"] * BOHR_RADIUS / np.sqrt(both)
    eps = energies * a2 / (masses + a2) * length / (z1 * z2 * SQUARED_CHARGE)
    k = constants["partition_k"] * z1 ** (2.0 / 3.0) * np.sqrt(z2) * (masses + a2) ** 1.5
    k /= both**0.75 * masses**1.5 * np.sqrt(a2)
    g = eps + constants["partition_a"] * eps**0.75 + constants["partition_b"] * eps ** (1.0 / 6.0)
    return np.asarray(energies / (1.0 + k * g))


def mass_from_time_and_energy(
    flight_time: ArrayLike, detector_energy: ArrayLike, path_length: float, correct_defect: bool = True
) -> Array:
    """Mass from a time of flight and the energy in a solid-state detector: m = 2 (E + dE) (t / L)^2.

    The energy dE that the detector does not see (`undetected_energy`) is that of the mass sought; found by bisection.

    Parameters
    ----------
    flight_time : array
        s.
    detector_energy : array
        Energy that the detector gives, eV; broadcast against the time.
    path_length : float
        m.
    correct_defect : bool
        Without it dE is 0.

    Returns
    -------
    array
        amu.

    Raises
    ------
    DataError
        A time or an energy is not positive and finite, or no energy below 1e10 eV fits.
    """
    times, energies = (np.asarray(a, dtype=np.float64) for a in np.broadcast_arrays(flight_time, detector_energy))
    _require_positive("flight time, s", times)
    _require_positive("energy in the detector, eV", energies)
    slowness = 2.0 * ELEMENTARY_CHARGE * (times / path_length) ** 2 / ATOMIC_MASS
    if not correct_defect:
        return np.asarray(energies * slowness)

    def too_small(whole: Array) -> NDArray[np.bool_]:
        return np.asarray(energies + undetected_energy(whole * slowness, whole) > whole)

    lower, upper = energies, _STEP_UP * energies
    while (below := too_small(upper)).any():
        lower, upper = np.where(below, upper, lower), np.where(below, _STEP_UP * upper, upper)
        if np.max(upper) > _LARGEST_ENERGY:
            raise DataError(
                f"energy in the detector: the whole energy would exceed {_LARGEST_ENERGY:g} eV; check the flight times"
            )
    return np.asarray(_bisected(too_small, lower, upper) * slowness)


def _bisected(below: Callable[[Array], NDArray[np.bool_]], lower: Array, upper: Array) -> Array:
    """Values between positive limits at which ``below`` ends to hold, to a relative 1e-12."""
    for _ in range(_HALVINGS):
        middle = np.sqrt(lower * upper)
        under = below(middle)
        lower, upper = np.where(under, middle, lower), np.where(under, upper, middle)
    return np.asarray(np.sqrt(lower * upper))


def _require_positive(name: str, values: Array) -> None:
    wrong = ~(np.isfinite(values) & (values > 0.0))
    if wrong.any():
        index = int(np.flatnonzero(wrong)[0])
        raise DataError(f"{name}: value {values.ravel()[index]} at index {index}; it must be positive and finite")
