"""Mass against mass per charge: the events of a spectrometer with a solid-state detector behind the flight path."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from siderion.core.constants import ATOMIC_MASS, ELEMENTARY_CHARGE
from siderion.core.errors import SettingsError
from siderion.core.species import get_species

from .flight_time import atoms_of, total_energy
from .foil_montecarlo import draw_flight_times
from .instruments import Setup
from .mass_from_flight import mass_from_time_and_energy, mass_per_charge_from_time, undetected_energy


def draw_mass_scatter(counts: Mapping[str, int], setup: Setup, seed: int | np.random.Generator) -> xr.Dataset:
    """Draw events of atomic ions and compute their mass and mass per charge as the ground software would.

    The time gives the energy that reaches the detector, less what makes no signal (`undetected_energy`), with the resolution of
    the detector. Events below its threshold have no mass (``coincidence`` "double"). The foil loss is taken for one charge.

    Parameters
    ----------
    counts : mapping of str to int
        Events of each atomic ion, such as ``{"O+": 1000, "O++": 30, "Fe+": 10}``.
    setup : Setup
        Of an instrument with a solid-state detector.
    seed : int or numpy.random.Generator

    Returns
    -------
    xarray.Dataset
        Dimension ``event``: ``flight_time`` (s), ``solid_state_energy`` (eV), ``mass`` (amu, missing where there is no energy),
        ``mass_per_charge`` (amu per charge), ``energy_per_charge`` (eV per charge), ``coincidence``, ``species``.

    Raises
    ------
    SettingsError
        The instrument has no such detector, or a species is a molecule.
    """
    instrument = setup.instrument
    if not instrument.has_solid_state_detector:
        raise SettingsError(f"{instrument.title} has no solid-state detector, so it gives no mass; take stics or wind-stics")
    if molecules := [name for name in counts if len(atoms_of(name)) > 1]:
        raise SettingsError(f"{', '.join(molecules)}: molecules leave several energies in the detector; draw atomic ions")
    generator = np.random.default_rng(seed)
    times, energies, labels = [np.empty(0)], [np.empty(0)], []
    for name, number in counts.items():
        time = draw_flight_times(name, setup, int(number), generator)
        mass = get_species(atoms_of(name)[0]).mass
        arriving = 0.5 * mass * (instrument.path_length / time) ** 2 / ELEMENTARY_CHARGE
        arriving = np.minimum(arriving, total_energy(name, setup))
        seen = arriving - undetected_energy(mass / ATOMIC_MASS, arriving)
        width = instrument.detector_resolution / np.sqrt(8.0 * np.log(2.0))
        times.append(time)
        energies.append(seen + width * generator.standard_normal(time.size))
        labels += [name] * time.size
    return _events(np.concatenate(times), np.concatenate(energies), labels, setup)


def _events(time: np.ndarray, energy: np.ndarray, labels: list[str], setup: Setup) -> xr.Dataset:
    instrument = setup.instrument
    triple = energy >= instrument.detector_threshold
    mass = np.full(time.size, np.nan)
    mass[triple] = mass_from_time_and_energy(time[triple], energy[triple], instrument.path_length)
    per_charge = mass_per_charge_from_time(
        time, setup.energy_per_charge, instrument.path_length, setup.voltage, setup.foil_thickness, foil_model=setup.foil_model
    )
    columns = {
        "flight_time": (time, "s", "time of flight"),
        "solid_state_energy": (np.where(triple, energy, 0.0), "eV", "energy in the solid-state detector, 0 below its threshold"),
        "mass": (mass, "amu", "mass, missing below the threshold of the detector"),
        "mass_per_charge": (per_charge, "amu", "mass per elementary charge"),
        "energy_per_charge": (np.full(time.size, setup.energy_per_charge), "eV", "energy per elementary charge"),
    }
    data = {name: ("event", values, {"units": units, "long_name": text}) for name, (values, units, text) in columns.items()}
    return xr.Dataset(
        {
            **data,
            "coincidence": ("event", np.where(triple, "triple", "double"), {"long_name": "coincidence", "units": "1"}),
            "species": ("event", np.array(labels, dtype=str), {"long_name": "ion that was drawn", "units": "1"}),
        },
        attrs={"kind": "siderion mass scatter", "instrument": instrument.name},
    )
