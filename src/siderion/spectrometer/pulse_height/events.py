"""Physical quantities of pulse-height events: energy per charge, time of flight, detector energy, mass, coincidence."""

from __future__ import annotations

import json
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import DataError, SettingsError
from siderion.core.tables import load_table
from siderion.spectrometer.pulse_height.mass import (
    Calibration,
    energy_per_charge_of_steps,
    flight_of_ions,
    masses_from_flight,
    stics_calibration,
)

NONE, DOUBLE, TRIPLE = 0, 1, 2
"""Coincidence of an event: no mass per charge at all, start and stop, start and stop and energy."""
COINCIDENCES = ("none", "double", "triple")
MassFrom = Literal["file", "recompute"]
_COPIED = ("sector", "detector_head", "start_plate", "stop_plate", "range", "energy_channel", "time_channel", "deflection_step")


def event_masses(
    deflection_step: ArrayLike,
    energy_channel: ArrayLike,
    time_channel: ArrayLike,
    mass: ArrayLike,
    mass_per_charge: ArrayLike,
    *,
    source: MassFrom = "file",
    calibration: Calibration | None = None,
    steps: str = "cycle",
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mass and mass per charge of events, those of the file or computed anew.

    Parameters
    ----------
    deflection_step, energy_channel, time_channel : array of shape (event,)
        As in the file.
    mass, mass_per_charge : array of shape (event,), u and u/e
        As in the file.
    source : {"file", "recompute"}
        Take those of the file, or compute them from the channels.
    calibration : Calibration, optional
        For ``"recompute"``; that of the table without it.
    steps : str
        Reading of the deflection steps; see `energy_per_charge_of_steps`.

    Raises
    ------
    SettingsError
        ``source`` is neither of the two.
    """
    if source == "file":
        return np.asarray(mass, dtype=np.float64), np.asarray(mass_per_charge, dtype=np.float64)
    if source != "recompute":
        raise SettingsError(f"mass is {source!r}; use 'file' or 'recompute'")
    known = calibration or stics_calibration()
    energies = energy_per_charge_of_steps(steps)[np.asarray(deflection_step).astype(np.int64)]
    channel = np.asarray(time_channel, dtype=np.float64)
    times = np.where(channel > 0.0, known.time_offset + known.time_gain * channel, 0.0)
    energy = np.asarray(energy_channel, dtype=np.float64)
    return masses_from_flight(times, energies, known.energy_offset + known.energy_gain * energy, energy > 0.0, known)


def coincidence_of(mass: ArrayLike, mass_per_charge: ArrayLike) -> NDArray[np.int8]:
    """`TRIPLE` where a mass is there, `DOUBLE` where only a mass per charge is, else `NONE`.

    The onboard unit gives mass 0 to events whose energy is below the threshold of the detector (SPASE
    JAXA/NumericalData/Geotail/EPIC/STICS/PHA/PT0.0625S).
    """
    heavy = np.asarray(mass) > 0.0
    return np.where(np.asarray(mass_per_charge) > 0.0, np.where(heavy, TRIPLE, DOUBLE), NONE).astype(np.int8)


def event_table(
    events: xr.Dataset, *, source: MassFrom = "file", calibration: Calibration | None = None, steps: str = "cycle"
) -> xr.Dataset:
    """Physical quantities of the events of one file.

    Parameters
    ----------
    events : xarray.Dataset
        Of `siderion.io.pulse_height.geotail_stics.read_stics_events`.
    source, calibration, steps
        See `event_masses`.

    Returns
    -------
    xarray.Dataset
        Along ``event``: time, energy_per_charge (eV/e), flight_time (s), solid_state_energy (eV), mass (u), mass_per_charge
        (u/e), charge (elementary charges, NaN with flag meaning "no mass" for doubles), coincidence (flag), and the raw
        columns.
    """
    known = calibration or stics_calibration()
    channels = [events[name].values for name in ("deflection_step", "energy_channel", "time_channel")]
    given = (events["mass"].values, events["mass_per_charge"].values)
    mass, per_charge = event_masses(
        channels[0], channels[1], channels[2], given[0], given[1], source=source, calibration=known, steps=steps
    )
    kind = coincidence_of(mass, per_charge)
    charge = np.divide(mass, per_charge, out=np.full(mass.shape, np.nan), where=kind == TRIPLE)
    flags = {"flag_values": np.arange(3, dtype=np.int8), "flag_meanings": " ".join(COINCIDENCES), "long_name": "coincidence"}
    columns = {
        "energy_per_charge": (energy_per_charge_of_steps(steps)[channels[0].astype(int)], "eV e-1", "energy per charge"),
        "flight_time": (known.time_offset + known.time_gain * channels[2], "s", "time of flight from its channel"),
        "solid_state_energy": (known.energy_offset + known.energy_gain * channels[1], "eV", "energy in the solid-state detector"),
        "mass": (mass, "u", "mass; 0 without a detector signal"),
        "mass_per_charge": (per_charge, "u e-1", "mass per charge"),
        "charge": (charge, "1", "charge state; missing where coincidence is not triple"),
    }
    made = xr.Dataset(
        {name: ("event", values, {"units": units, "long_name": words}) for name, (values, units, words) in columns.items()},
        coords={"time": events["time"]},
    )
    made["coincidence"] = ("event", kind, flags)
    for name in _COPIED:
        if name in events:
            made[name] = events[name]
    made.attrs = {
        "kind": "siderion pulse height", "title": "Pulse-height events", "source": str(events.attrs.get("source", "")),
        "settings": json.dumps({"mass": source, "steps": steps}), "sources": json.dumps(pulse_height_sources(source)),
    }  # fmt: skip
    return made


def pulse_height_sources(source: MassFrom = "file") -> list[dict[str, str]]:
    """What the masses rest on, with confidence and citation."""
    rows = [
        (
            "columns of the files",
            "Geotail EPIC/STICS PHA",
            "verified",
            "SPASE JAXA/NumericalData/Geotail/EPIC/STICS/PHA/PT0.0625S",
        ),
        ("energy per charge of the steps", "logarithmic ladder", "unverified", "spectrometer/tables/pulse_height_deflection.csv"),
        (
            "windows of the species",
            "limits of mass and mass per charge",
            "unverified",
            "spectrometer/tables/pulse_height_windows.csv",
        ),
    ]
    if source == "recompute":
        rows.append(("mass and mass per charge", "from the channels", "unverified", "spectrometer/tables/pulse_height_stics.csv"))
    else:
        rows.append(("mass and mass per charge", "as in the files", "verified", "the files"))
    return [dict(zip(("what", "model", "confidence", "citation"), row, strict=True)) for row in rows]


def fit_time_calibration(events: xr.Dataset, *, steps: str = "cycle", smallest: int = 1000) -> Calibration:
    """Gain and offset of the time channels that agree best with the mass per charge of the file itself.

    The file's mass per charge m/q and the step give the time of flight t = L sqrt(m/q / (2 f E/q)); a straight line through
    (channel, t) gives gain and offset. Only doubles are used, for which f is that of a singly charged ion.

    Parameters
    ----------
    events : xarray.Dataset
        Of `read_stics_events`.
    steps : str
        Reading of the deflection steps.
    smallest : int
        Fewest events that are needed.

    Raises
    ------
    DataError
        There are too few doubles, or all have one channel.
    """
    known = stics_calibration()
    mass, per_charge = events["mass"].values, events["mass_per_charge"].values
    channel = events["time_channel"].values.astype(np.float64)
    use = (coincidence_of(mass, per_charge) == DOUBLE) & (channel > 0.0)
    if int(use.sum()) < smallest or np.ptp(channel[use]) == 0.0:
        raise DataError(
            f"time calibration: {int(use.sum())} usable double coincidences; {smallest} of several channels are needed"
        )
    energies = energy_per_charge_of_steps(steps)[events["deflection_step"].values.astype(int)][use]
    times, _ = flight_of_ions(per_charge[use], np.ones(int(use.sum())), energies, known)
    gain, offset = np.polyfit(channel[use], times, 1)
    return stics_calibration(time_gain=float(gain), time_offset=float(offset))


def window_table() -> list[dict[str, object]]:
    """Windows of the species, from ``spectrometer/tables/pulse_height_windows.csv``, empty limits as infinities."""
    rows = []
    for row in load_table("spectrometer", "pulse_height_windows").to_dict("records"):
        limits = {}
        for name, missing in (("mass_per_charge_min", -np.inf), ("mass_per_charge_max", np.inf), ("mass_min", -np.inf),
                              ("mass_max", np.inf), ("energy_min_kev", -np.inf)):  # fmt: skip
            limits[name] = missing if np.isnan(row[name]) else float(row[name])
        rows.append({"window": str(row["window"]), "coincidence": str(row["coincidence"]), **limits})
    return rows
