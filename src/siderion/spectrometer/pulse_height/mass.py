"""Mass and mass per charge of single events from time of flight and energy, with foil loss and detector defect.

m/q = 2 (E/q + U) f (L/t)^-2 and m = 2 (E_detector + defect) (L/t)^-2, where f(m, E) is the part of the energy that is left
behind the foil and the defect is what the detector does not see. Both depend on the mass, so they are iterated. They are those
of `siderion.spectrometer.mass_from_flight`, put on a grid of mass and energy once, because there are millions of events.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.constants import ATOMIC_MASS, ELEMENTARY_CHARGE
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.tables import load_table
from siderion.spectrometer.mass_from_flight import retained_fraction_of_mass, undetected_energy

Array = NDArray[np.float64]
STEPS = 32
"""Steps of the deflection voltage."""
_RELATIVE = 1e-8
_LARGEST_ENERGY, _SMALLEST_SHARE = 1e10, 1e-3
_MOST_ITERATIONS = 300
_LOG_MASS = np.linspace(np.log(0.5), np.log(250.0), 1000)
_LOG_ENERGY = np.linspace(np.log(1e3), np.log(5e6), 150)
_MASS_BEGIN, _MASS_STEP = float(_LOG_MASS[0]), float(_LOG_MASS[1] - _LOG_MASS[0])
_ENERGY_BEGIN, _ENERGY_STEP = float(_LOG_ENERGY[0]), float(_LOG_ENERGY[1] - _LOG_ENERGY[0])


@dataclass(frozen=True)
class Calibration:
    """How channels become times and energies; see ``spectrometer/tables/pulse_height_stics.csv``.

    Attributes
    ----------
    flight_path : float
        m.
    post_acceleration : float
        V.
    time_gain, time_offset : float
        Seconds per channel, and time of channel 0, s.
    energy_gain, energy_offset : float
        eV per channel, and energy of channel 0, eV.
    energy_threshold : float
        Smallest energy that the detector tells, eV.
    defect_constant : float
        Energy lost in the dead layer of the detector, eV.
    defect_scale : float
        Factor on the energy that goes to nuclei in the detector; 0 leaves this correction out.
    foil_thickness : float
        ug cm-2.
    """

    flight_path: float
    post_acceleration: float
    time_gain: float
    time_offset: float
    energy_gain: float
    energy_offset: float
    energy_threshold: float
    defect_constant: float
    defect_scale: float
    foil_thickness: float


def stics_calibration(**values: float) -> Calibration:
    """Calibration of the table, with some values replaced.

    Raises
    ------
    SettingsError
        A name is unknown, or a value is not finite; path and gains must be positive, the others not negative.
    """
    table = load_table("spectrometer", "pulse_height_stics").set_index("quantity")["value"]
    names = [field.name for field in fields(Calibration)]
    unknown = [name for name in values if name not in names]
    if unknown:
        raise SettingsError(f"calibration: {', '.join(unknown)} unknown; the values are {', '.join(names)}")
    made = replace(Calibration(**{name: float(table[name]) for name in names}), **values)
    for name in names:
        value = getattr(made, name)
        positive = name in ("flight_path", "time_gain", "energy_gain")
        free = name in ("time_offset", "energy_offset")
        if not np.isfinite(value) or (positive and value <= 0.0) or (not free and value < 0.0):
            raise SettingsError(
                f"calibration: {name} is {value}; it must be finite and {'positive' if positive else 'not negative'}"
            )
    return made


def energy_per_charge_of_steps(reading: str = "cycle") -> Array:
    """Energy per charge of the 32 deflection steps, eV/e.

    Parameters
    ----------
    reading : str
        ``"cycle"`` or ``"range"``, the two readings of ``spectrometer/tables/pulse_height_deflection.csv``.

    Raises
    ------
    CoverageError
        There is no such reading.
    """
    table = load_table("spectrometer", "pulse_height_deflection")
    rows = table[table["reading"] == reading]
    if len(rows) != 2:
        raise CoverageError(
            f"deflection steps: reading {reading!r} is unknown; use one of {', '.join(dict.fromkeys(table['reading']))}"
        )
    steps, energies = rows["step"].to_numpy(float), np.log(rows["energy_kev"].to_numpy(float) * 1e3)
    slope = (energies[1] - energies[0]) / (steps[1] - steps[0])
    return np.exp(energies[0] + slope * (np.arange(STEPS) - steps[0]))


@lru_cache(maxsize=4)
def _correction_grid(thickness: float) -> tuple[Array, Array]:
    """Kept share behind the foil, and share that the detector does not see, on a grid of the logarithms of mass and energy."""
    mass, energy = np.meshgrid(np.exp(_LOG_MASS), np.exp(_LOG_ENERGY), indexing="ij")
    return retained_fraction_of_mass(mass, energy, thickness), undetected_energy(mass, energy) / energy


@numba.njit(cache=True, nogil=True)
def _on_grid(grid, mass, energy):  # type: ignore[no-untyped-def]
    """Bilinear between the points of the grid; held at its edges."""
    row = min(max((np.log(mass) - _MASS_BEGIN) / _MASS_STEP, 0.0), grid.shape[0] - 1.000001)
    column = min(max((np.log(energy) - _ENERGY_BEGIN) / _ENERGY_STEP, 0.0), grid.shape[1] - 1.000001)
    i, j = int(row), int(column)
    x, y = row - i, column - j
    low = (1.0 - y) * grid[i, j] + y * grid[i, j + 1]
    return (1.0 - x) * low + x * ((1.0 - y) * grid[i + 1, j] + y * grid[i + 1, j + 1])


@numba.njit(cache=True, nogil=True)
def _energy_residual(energy, known, factor, scale, unseen):  # type: ignore[no-untyped-def]
    """What a detector hides of an energy, and shows (``known``), less that energy, eV; ``factor`` is u per eV."""
    return known + scale * energy * _on_grid(unseen, factor * energy, energy) - energy


@numba.njit(cache=True, nogil=True)
def _whole_energy(known, factor, scale, unseen):  # type: ignore[no-untyped-def]
    """Energy in front of a detector that shows ``known`` (eV); 0 where there is none (Illinois rule on a bracket)."""
    low, high = known, 1.5 * known
    at_low = _energy_residual(low, known, factor, scale, unseen)
    at_high = _energy_residual(high, known, factor, scale, unseen)
    while at_high > 0.0:
        low, at_low, high = high, at_high, 1.5 * high
        if high > _LARGEST_ENERGY:
            return 0.0
        at_high = _energy_residual(high, known, factor, scale, unseen)
    for _ in range(_MOST_ITERATIONS):
        if at_low <= _RELATIVE * low:
            return low
        trial = (low * at_high - high * at_low) / (at_high - at_low)
        residual = _energy_residual(trial, known, factor, scale, unseen)
        if abs(residual) <= _RELATIVE * trial or high - low <= _RELATIVE * low:
            return trial
        if residual > 0.0:
            low, at_low, at_high = trial, residual, 0.5 * at_high
        else:
            high, at_high, at_low = trial, residual, 0.5 * at_low
    return 0.0


@numba.njit(cache=True, nogil=True)
def _charge_residual(found, energy, factor, mass, kept):  # type: ignore[no-untyped-def]
    """Mass per charge from what the foil keeps for a trial value, less that value; falls with it."""
    charge = max(mass / found, 1.0) if mass > 0.0 else 1.0
    return factor * energy * _on_grid(kept, mass if mass > 0.0 else found, charge * energy) - found


@numba.njit(cache=True, nogil=True)
def _per_charge(energy, factor, mass, kept):  # type: ignore[no-untyped-def]
    """Mass per charge of an ion of energy per charge ``energy``, mass 0 for unknown; 0 where it does not settle."""
    low, high = _SMALLEST_SHARE * factor * energy, factor * energy
    at_low = _charge_residual(low, energy, factor, mass, kept)
    at_high = _charge_residual(high, energy, factor, mass, kept)
    if at_high >= 0.0:
        return high
    for _ in range(_MOST_ITERATIONS):
        trial = (low * at_high - high * at_low) / (at_high - at_low)
        residual = _charge_residual(trial, energy, factor, mass, kept)
        if abs(residual) <= _RELATIVE * trial or high - low <= _RELATIVE * low:
            return trial
        if residual > 0.0:
            low, at_low, at_high = trial, residual, 0.5 * at_high
        else:
            high, at_high, at_low = trial, residual, 0.5 * at_low
    return 0.0


@numba.njit(cache=True, nogil=True)
def _masses(time, energy_per_charge, detector, triple, numbers, kept, unseen, mass, mass_per_charge):  # type: ignore[no-untyped-def]
    """Fill mass (0 where not triple) and mass per charge, u; returns the first event that does not settle, or -1."""
    path, acceleration, constant, scale = numbers
    for i in range(time.shape[0]):
        mass[i], mass_per_charge[i] = 0.0, 0.0
        if not time[i] > 0.0:
            continue
        factor = 2.0 * ELEMENTARY_CHARGE / ATOMIC_MASS * (time[i] / path) ** 2  # u per eV
        if triple[i] and detector[i] + constant > 0.0:
            mass[i] = factor * _whole_energy(detector[i] + constant, factor, scale, unseen)
            if mass[i] == 0.0:
                return i
        mass_per_charge[i] = _per_charge(energy_per_charge[i] + acceleration, factor, mass[i], kept)
        if mass_per_charge[i] == 0.0:
            return i
    return -1


def masses_from_flight(
    flight_time: ArrayLike, energy_per_charge: ArrayLike, detector_energy: ArrayLike, triple: ArrayLike, calibration: Calibration
) -> tuple[Array, Array]:
    """Mass and mass per charge of events.

    Where the detector gave no energy (double coincidence) the mass is 0, and the foil loss is that of a singly charged ion of
    mass m/q.

    Parameters
    ----------
    flight_time : array of shape (event,), s
        Not positive: no time, both results are 0.
    energy_per_charge : array of shape (event,), eV/e
        Of the analyser.
    detector_energy : array of shape (event,), eV
        What the solid-state detector measured.
    triple : array of bool, shape (event,)
        Whether it did.
    calibration : Calibration
        Path, post-acceleration, foil and defect.

    Returns
    -------
    mass, mass_per_charge : ndarray of shape (event,)
        u and u/e.

    Raises
    ------
    DataError
        The shapes differ, or the iteration does not settle.

    References
    ----------
    Gloeckler & Hsieh 1979, doi:10.1016/0029-554X(79)90535-6, for the principle.
    """
    arrays = [np.ascontiguousarray(array, dtype=np.float64) for array in (flight_time, energy_per_charge, detector_energy)]
    measured = np.ascontiguousarray(triple, dtype=np.bool_)
    if len({array.shape for array in (*arrays, measured)}) != 1 or measured.ndim != 1:
        raise DataError(f"events: shapes {[array.shape for array in (*arrays, measured)]}; all must be equal, one dimension")
    c = calibration
    numbers = (c.flight_path, c.post_acceleration, c.defect_constant, c.defect_scale)
    mass, mass_per_charge = np.empty(measured.size), np.empty(measured.size)
    kept, unseen = _correction_grid(c.foil_thickness)
    bad = _masses(arrays[0], arrays[1], arrays[2], measured, numbers, kept, unseen, mass, mass_per_charge)
    if bad >= 0:
        raise DataError(f"event {bad}: mass does not settle for a flight of {arrays[0][bad]} s; check the calibration")
    return mass, mass_per_charge


def flight_of_ions(
    mass: ArrayLike, charge: ArrayLike, energy_per_charge: ArrayLike, calibration: Calibration
) -> tuple[Array, Array]:
    """Time of flight (s) and detector energy (eV) of ions: what `masses_from_flight` undoes.

    Parameters
    ----------
    mass, charge, energy_per_charge : array of shape (event,)
        u, elementary charges, eV/e.
    calibration : Calibration
        Path, post-acceleration, foil and defect.
    """
    masses, charges, energies = np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in (mass, charge, energy_per_charge)))
    whole = charges * (energies + calibration.post_acceleration)
    kept, unseen = _correction_grid(calibration.foil_thickness)
    left = whole * _many_on_grid(kept, masses.ravel(), whole.ravel()).reshape(whole.shape)
    time = calibration.flight_path * np.sqrt(masses * ATOMIC_MASS / (2.0 * left * ELEMENTARY_CHARGE))
    hidden = calibration.defect_scale * left * _many_on_grid(unseen, masses.ravel(), left.ravel()).reshape(left.shape)
    return time, np.maximum(left - hidden - calibration.defect_constant, 0.0)


@numba.njit(cache=True, nogil=True)
def _many_on_grid(grid, mass, energy):  # type: ignore[no-untyped-def]
    result = np.empty(mass.size)
    for i in range(mass.size):
        result[i] = _on_grid(grid, mass[i], energy[i])
    return result
